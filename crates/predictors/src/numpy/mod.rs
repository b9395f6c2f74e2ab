//! NumPy's data types, arrays and scalars, read from the records of a pickle.

mod array;
mod dtype;

pub(crate) use self::{
    array::{Elements, NdArray, byte_array, integer, parse_shape},
    dtype::{DType, Kind},
};

/// Why a value is not the array it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// The value is something else.
    #[error("is not an array")]
    NotAnArray,
    /// The array's items are of a type that is not expected there.
    #[error("is an array of {found}, not of {expected}")]
    ItemType {
        /// What is there.
        found: String,
        /// What is expected.
        expected: &'static str,
    },
    /// The shape and the bytes do not fit together.
    #[error("has the shape {shape}, which does not fit its {len} bytes")]
    Size {
        /// The declared shape.
        shape: String,
        /// The length of the data.
        len: usize,
    },
    /// Far more would be made of the file than it holds, by using its parts over and over.
    #[error("uses parts of the file so often that the model would outgrow the file many times")]
    OverBudget,
}
