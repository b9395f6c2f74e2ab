//! The inert values a pickle describes: an arena of nodes that refer to each other by id.
//!
//! Nothing is copied out of the file where it can stay there, shared references cost an id, cycles
//! do no harm, and dropping a deep structure does not recurse.

use std::cell::Cell;

use crate::numpy;

use super::reader::Span;

/// What may be made of a file: this much, and this many times its length.
const FREE_BYTES: usize = 1 << 20;
const BYTES_PER_BYTE: usize = 16;

/// Names a node of a [`Pickle`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct NodeId(pub(super) u32);

/// A value as the file describes it. Objects are records of a name, arguments and a state.
#[derive(Debug)]
pub(crate) enum Node {
    None,
    Boolean(bool),
    Integer(i64),
    /// An integer beyond 64 bits, such as the state of a random generator.
    BigInteger,
    Float(f64),
    /// UTF-8 in the file (checked when it is used).
    Text(Span),
    /// Text that the file spells with escapes.
    DecodedText(Box<str>),
    /// Bytes in the file. Python 2's `str` is among them.
    Bytes(Span),
    /// Bytes that the file spells with escapes.
    DecodedBytes(Box<[u8]>),
    Tuple(Box<[NodeId]>),
    List(Vec<NodeId>),
    Set(Vec<NodeId>),
    Dict(Vec<(NodeId, NodeId)>),
    /// A name such as a class, as an index into the pickle's names.
    Name(u32),
    Object(Box<Object>),
    /// An array whose bytes joblib has written into the stream.
    InlineArray(Box<InlineArray>),
}

/// What `NEWOBJ` or `REDUCE` would have made by calling something.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) callee: NodeId,
    pub(crate) arguments: NodeId,
    pub(crate) form: ObjectForm,
    pub(crate) state: Option<NodeId>,
    /// Items appended to it, where it is a kind of list.
    pub(crate) items: Vec<NodeId>,
    /// Entries set on it, where it is a kind of dictionary.
    pub(crate) entries: Vec<(NodeId, NodeId)>,
}

/// Which opcode made an [`Object`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ObjectForm {
    New,
    Reduce,
}

/// A joblib array: a description and the bytes that follow it in the stream.
#[derive(Debug)]
pub(crate) struct InlineArray {
    pub(crate) dtype: NodeId,
    pub(crate) shape: Box<[usize]>,
    pub(crate) is_fortran: bool,
    pub(crate) data: Span,
}

/// A dotted name that the file asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) module: Box<str>,
    pub(crate) name: Box<str>,
}

/// A parsed pickle: its values and the bytes they refer to.
#[derive(Debug)]
pub(crate) struct Pickle<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) nodes: Vec<Node>,
    /// How deep each node's content was nested when it was last added to.
    pub(super) depths: Vec<u16>,
    pub(super) names: Vec<Name>,
    pub(super) root: NodeId,
    budget: Cell<usize>,
}

impl<'a> Pickle<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let budget = bytes.len().saturating_mul(BYTES_PER_BYTE).saturating_add(FREE_BYTES);
        Self { bytes, nodes: Vec::new(), depths: Vec::new(), names: Vec::new(), root: NodeId(0), budget: budget.into() }
    }

    /// Takes `bytes` from the budget of memory and work that a file of this length gives a right
    /// to. A small file that refers to one large part a million times runs out of it.
    pub(crate) fn charge(&self, bytes: usize) -> Result<(), numpy::Error> {
        let left = self.budget.get().checked_sub(bytes).ok_or(numpy::Error::OverBudget)?;
        self.budget.set(left);
        Ok(())
    }

    pub(crate) fn root(&self) -> NodeId {
        self.root
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    pub(super) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }

    pub(crate) fn slice(&self, span: Span) -> &'a [u8] {
        &self.bytes[span.start..span.start + span.len]
    }

    /// The text of a node that is text, or a Python 2 `str` of UTF-8. Looking at it is charged, for
    /// a file may refer to one long text everywhere.
    pub(crate) fn text(&self, id: NodeId) -> Option<&str> {
        let bytes = self.raw_text(id)?;
        self.charge(bytes.len()).ok()?;
        std::str::from_utf8(bytes).ok()
    }

    /// The dotted name of a node that is one.
    pub(crate) fn name(&self, id: NodeId) -> Option<&Name> {
        match self.node(id) {
            Node::Name(index) => self.names.get(*index as usize),
            _ => None,
        }
    }

    /// The elements of a tuple or list.
    pub(crate) fn elements(&self, id: NodeId) -> Option<&[NodeId]> {
        match self.node(id) {
            Node::Tuple(elements) => Some(elements),
            Node::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// The object of a node that is one.
    pub(crate) fn object(&self, id: NodeId) -> Option<&Object> {
        match self.node(id) {
            Node::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The class of an instance: `NEWOBJ` of it, or in protocols 0 and 1
    /// `copyreg._reconstructor(class, object, None)`.
    pub(crate) fn class_of(&self, object: &Object) -> Option<&Name> {
        let callee = self.name(object.callee)?;
        if object.form == ObjectForm::New {
            return Some(callee);
        }
        let arguments = self.elements(object.arguments)?;
        let [class, base, _] = arguments else { return None };
        let is_instance = callee.is(&["copyreg", "copy_reg"], "_reconstructor")
            && self.name(*base)?.is(&["builtins", "__builtin__"], "object");
        if is_instance { self.name(*class) } else { None }
    }

    /// The value under the text `key` of a dictionary's entries. As in Python, the last one counts.
    pub(crate) fn entry(&self, entries: &[(NodeId, NodeId)], key: &str) -> Option<NodeId> {
        let found = entries.iter().rev().find(|(name, _)| self.raw_text(*name) == Some(key.as_bytes()));
        found.map(|(_, value)| *value)
    }

    fn raw_text(&self, id: NodeId) -> Option<&[u8]> {
        match self.node(id) {
            Node::Text(span) | Node::Bytes(span) => Some(self.slice(*span)),
            Node::DecodedText(text) => Some(text.as_bytes()),
            Node::DecodedBytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}
