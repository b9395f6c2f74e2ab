//! Arrays that joblib has written into the stream of a pickle.
//!
//! A `NumpyArrayWrapper` describes an array; its bytes follow the `BUILD` opcode that gives the
//! wrapper its state, after padding where the wrapper names an alignment (joblib 1.2 and later).
//! An array of objects follows as a pickle of its own. joblib writes that one with Python's plain
//! pickler, in which a wrapper means nothing, so this nests one level deep and no further.

use crate::numpy::{self, DType, Kind};

use super::{
    Error,
    machine::Machine,
    reader::Span,
    value::{InlineArray, Name, Node, NodeId},
};

impl Machine<'_> {
    pub(super) fn is_array_wrapper(&self, id: NodeId) -> bool {
        let class = self.pickle.object(id).and_then(|object| self.pickle.class_of(object));
        class.is_some_and(Name::is_array_wrapper)
    }

    /// Puts the array in the place of the record on top of the stack, as joblib does.
    pub(super) fn replace_by_array(&mut self, description: NodeId) -> Result<(), Error> {
        let array = self.wrapper(description);
        let array = array.ok_or_else(|| self.malformed("an array's description is not understood"))?;
        self.pop()?;
        if array.dtype.kind == Kind::Object {
            let nested = self.nested_pickle()?;
            self.frame.stack.push(nested);
            return Ok(());
        }
        let array = self.inline_array(array)?;
        self.push(Node::InlineArray(Box::new(array)))
    }

    fn nested_pickle(&mut self) -> Result<NodeId, Error> {
        let outer = std::mem::take(&mut self.frame);
        self.is_nested = true;
        let value = self.run()?;
        self.is_nested = false;
        self.frame = outer;
        Ok(value)
    }

    fn inline_array(&mut self, array: Wrapper) -> Result<InlineArray, Error> {
        if array.is_aligned {
            let padding = self.reader.byte()?;
            self.reader.span(padding.into())?;
        }
        let data = self.array_data(&array)?;
        let Wrapper { dtype_id: dtype, shape, is_fortran, .. } = array;
        Ok(InlineArray { dtype, shape, is_fortran, data })
    }

    /// Steps over the array's bytes, if the file can hold that many.
    fn array_data(&mut self, array: &Wrapper) -> Result<Span, Error> {
        let size = array.dtype.size_of(&array.shape);
        match size.filter(|size| *size <= self.reader.remaining()) {
            Some(size) => self.reader.span(size as u64),
            None => Err(Error::ArrayBeyondFile {
                shape: format!("{:?}", array.shape),
                item_size: array.dtype.item_size,
                available: self.reader.remaining(),
            }),
        }
    }

    fn wrapper(&self, description: NodeId) -> Option<Wrapper> {
        let pickle = &self.pickle;
        let Node::Dict(entries) = pickle.node(description) else { return None };
        pickle.charge(entries.len()).ok()?;
        let dtype_id = pickle.entry(entries, "dtype")?;
        Some(Wrapper {
            dtype_id,
            dtype: DType::parse(pickle, dtype_id)?,
            shape: numpy::parse_shape(pickle, pickle.entry(entries, "shape")?)?,
            is_fortran: pickle.text(pickle.entry(entries, "order")?)? == "F",
            is_aligned: pickle
                .entry(entries, "numpy_array_alignment_bytes")
                .is_some_and(|alignment| !matches!(pickle.node(alignment), Node::None)),
        })
    }
}

/// What a `NumpyArrayWrapper` says about the array that follows.
#[derive(Debug)]
struct Wrapper {
    dtype_id: NodeId,
    dtype: DType,
    shape: Box<[usize]>,
    is_fortran: bool,
    is_aligned: bool,
}
