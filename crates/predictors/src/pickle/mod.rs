//! Reads pickles without running them.
//!
//! Python's own reader imports the names in a file and calls them, which is why a pickle from
//! somewhere else is a program from somewhere else. This one follows the same opcodes but only
//! writes down what they describe: a tree of inert values in which an object is a record of its
//! class's name, its arguments and its state. Names are compared with a list
//! (`names`); a file that asks for any other is refused with all of them.
//!
//! **Invariants**: nothing is imported, called or looked up by name; every length is compared with
//! the bytes that are left before anything of that length is made; the number of values is at most
//! the number of opcodes and the limit.

mod collections;
mod error;
mod joblib;
mod machine;
mod names;
mod objects;
mod opcode;
mod reader;
mod scalars;
#[cfg(test)]
mod tests;
mod text;
mod value;

pub use self::{
    error::Error,
    opcode::{REFUSED_OPCODES, RefusedOpcode},
};
pub(crate) use self::{
    machine::parse,
    value::{Node, NodeId, Object, ObjectForm, Pickle},
};
