//! The machine's opcodes for tuples, lists, sets and dictionaries.

use super::{
    Error,
    machine::Machine,
    value::{Node, NodeId},
};

impl Machine<'_> {
    pub(super) fn tuple(&mut self, len: usize) -> Result<(), Error> {
        let above_mark = self.frame.stack.len() - self.floor().min(self.frame.stack.len());
        if above_mark < len {
            return Err(self.malformed("the stack is empty"));
        }
        let items = self.frame.stack.split_off(self.frame.stack.len() - len);
        self.tuple_of(items)
    }

    pub(super) fn tuple_of(&mut self, items: Vec<NodeId>) -> Result<(), Error> {
        self.push(Node::Tuple(Box::default()))?;
        let tuple = self.top()?;
        self.nest(tuple, &items)?;
        *self.pickle.node_mut(tuple) = Node::Tuple(items.into());
        Ok(())
    }

    pub(super) fn list(&mut self) -> Result<(), Error> {
        let items = self.pop_to_mark()?;
        self.push(Node::List(Vec::new()))?;
        self.append(&items)
    }

    pub(super) fn frozen_set(&mut self) -> Result<(), Error> {
        let items = self.pop_to_mark()?;
        self.push(Node::Set(Vec::new()))?;
        self.append(&items)
    }

    pub(super) fn append(&mut self, items: &[NodeId]) -> Result<(), Error> {
        let target = self.top()?;
        self.nest(target, items)?;
        match self.pickle.node_mut(target) {
            Node::List(list) | Node::Set(list) => list.extend_from_slice(items),
            Node::Object(object) => object.items.extend_from_slice(items),
            _ => return Err(self.malformed("items are appended to what is no list")),
        }
        Ok(())
    }

    pub(super) fn dict(&mut self) -> Result<(), Error> {
        let items = self.pop_to_mark()?;
        self.push(Node::Dict(Vec::with_capacity(items.len() / 2)))?;
        self.set_items(&items)
    }

    pub(super) fn set_item(&mut self) -> Result<(), Error> {
        let value = self.pop()?;
        let key = self.pop()?;
        self.set_items(&[key, value])
    }

    pub(super) fn set_items(&mut self, items: &[NodeId]) -> Result<(), Error> {
        if !items.len().is_multiple_of(2) {
            return Err(self.malformed("a key has no value"));
        }
        let target = self.top()?;
        self.nest(target, items)?;
        let entries = match self.pickle.node_mut(target) {
            Node::Dict(entries) => entries,
            Node::Object(object) => &mut object.entries,
            _ => return Err(self.malformed("entries are set on what is no dictionary")),
        };
        entries.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1])));
        Ok(())
    }
}
