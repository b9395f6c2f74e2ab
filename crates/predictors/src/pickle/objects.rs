//! The machine's opcodes for names and objects, which stay records.

use super::{
    Error,
    machine::Machine,
    value::{Node, NodeId, Object, ObjectForm},
};

impl Machine<'_> {
    pub(super) fn global_lines(&mut self) -> Result<(), Error> {
        let (module, name) = (self.reader.line()?, self.reader.line()?);
        let module = String::from_utf8_lossy(self.reader.slice(module)).into_owned();
        let name = String::from_utf8_lossy(self.reader.slice(name)).into_owned();
        self.push_name(&module, &name)
    }

    pub(super) fn stack_global(&mut self) -> Result<(), Error> {
        let (name, module) = (self.pop()?, self.pop()?);
        let (module, name) = (self.owned_text(module)?, self.owned_text(name)?);
        self.push_name(&module, &name)
    }

    /// A copy of a short text on the stack.
    pub(super) fn owned_text(&self, id: NodeId) -> Result<String, Error> {
        let bytes = match self.pickle.node(id) {
            Node::Text(span) | Node::Bytes(span) => self.reader.slice(*span),
            Node::DecodedText(text) => text.as_bytes(),
            Node::DecodedBytes(bytes) => bytes,
            _ => return Err(self.malformed("a name is no text")),
        };
        let short = bytes.get(..bytes.len().min(1024)).unwrap_or_default();
        Ok(String::from_utf8_lossy(short).into_owned())
    }

    pub(super) fn push_name(&mut self, module: &str, name: &str) -> Result<(), Error> {
        let index = self.intern(module, name);
        let index = index.ok_or_else(|| self.malformed("the names are too many or too long"))?;
        self.push(Node::Name(index))
    }

    pub(super) fn object(&mut self, form: ObjectForm) -> Result<(), Error> {
        let (arguments, callee) = (self.pop()?, self.pop()?);
        self.push_object(callee, arguments, form)
    }

    /// No supported class is made with keyword arguments, so they are dropped.
    pub(super) fn object_with_keywords(&mut self) -> Result<(), Error> {
        let _keywords = self.pop()?;
        self.object(ObjectForm::New)
    }

    pub(super) fn push_object(&mut self, callee: NodeId, arguments: NodeId, form: ObjectForm) -> Result<(), Error> {
        let object = Node::Object(Box::new(Object {
            callee,
            arguments,
            form,
            state: None,
            items: Vec::new(),
            entries: Vec::new(),
        }));
        self.push_nested(object, &[callee, arguments])
    }

    pub(super) fn build(&mut self) -> Result<(), Error> {
        let state = self.pop()?;
        let target = self.top()?;
        self.nest(target, &[state])?;
        match self.pickle.node_mut(target) {
            Node::Object(object) if object.state.is_none() => object.state = Some(state),
            Node::Object(_) => return Err(self.malformed("an object is given a second state")),
            _ => return Err(self.malformed("a state is given to what is no object")),
        }
        if !self.is_nested && self.is_array_wrapper(target) {
            self.replace_by_array(state)?;
        }
        Ok(())
    }
}
