//! The machine that follows a pickle's opcodes and writes down what they describe.
//!
//! joblib writes the bytes of an array into the stream right after the record that describes it;
//! the machine steps over them there and leaves a reference. An array of objects follows as a
//! pickle of its own, in which no further joblib array can stand, so nesting ends at one level.

use std::collections::HashMap;

use super::{
    Error, opcode as op,
    reader::Reader,
    text,
    value::{Name, Node, NodeId, ObjectForm, Pickle},
};

/// Longest module or name; real ones stay far below.
const MAX_NAME_BYTES: usize = 512;
/// Deepest nesting of values; a pipeline of sixteen pipelines needs about 70.
const MAX_DEPTH: u16 = 256;
/// Most different names in one file; the estimators of scikit-learn together need about 140.
const MAX_NAMES: usize = 1024;

/// Follows the pickle in `bytes` to its end, making at most `max_values` values.
pub(crate) fn parse(bytes: &[u8], max_values: usize) -> Result<Pickle<'_>, Error> {
    let mut machine = Machine::new(bytes, max_values);
    let outcome = machine.run();
    machine.refused_names()?;
    machine.pickle.root = outcome?;
    Ok(machine.pickle)
}

/// The stack and memo of the pickle that is being followed.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) stack: Vec<NodeId>,
    pub(super) marks: Vec<u32>,
    memo: HashMap<u32, NodeId>,
}

#[derive(Debug)]
pub(super) struct Machine<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) pickle: Pickle<'a>,
    pub(super) frame: Frame,
    pub(super) is_nested: bool,
    name_index: HashMap<Name, u32>,
    max_values: usize,
}

impl<'a> Machine<'a> {
    fn new(bytes: &'a [u8], max_values: usize) -> Self {
        Self {
            reader: Reader::new(bytes),
            pickle: Pickle::new(bytes),
            frame: Frame::default(),
            is_nested: false,
            name_index: HashMap::new(),
            max_values: max_values.min(u32::MAX as usize),
        }
    }

    pub(super) fn run(&mut self) -> Result<NodeId, Error> {
        loop {
            match self.reader.byte()? {
                op::STOP => return self.pop(),
                code => self.step(code)?,
            }
        }
    }

    /// The refusal of all names off the list, whatever else became of the file.
    fn refused_names(&self) -> Result<(), Error> {
        let refused: Vec<_> = self.pickle.names.iter().filter(|name| !name.is_allowed()).collect();
        if refused.iter().any(|name| name.is_ancient_joblib()) {
            return Err(Error::AncientJoblib);
        }
        if refused.is_empty() {
            return Ok(());
        }
        let names = refused.iter().map(|name| name.display()).collect();
        Err(Error::RefusedNames { names })
    }

    /// Follows one opcode. One arm for each opcode of the format.
    fn step(&mut self, code: u8) -> Result<(), Error> {
        match code {
            op::PROTO => self.protocol(),
            op::FRAME => self.reader.array::<8>().map(drop),
            op::MARK => self.mark(),
            op::POP => self.pop_value_or_mark(),
            op::POP_MARK => self.pop_to_mark().map(drop),
            op::DUP => self.duplicate(),

            op::NONE => self.push(Node::None),
            op::NEWTRUE => self.push(Node::Boolean(true)),
            op::NEWFALSE => self.push(Node::Boolean(false)),
            op::INT => self.integer_line(),
            op::LONG => self.long_line(),
            op::FLOAT => self.float_line(),
            op::BININT => self.reader.array().map(i32::from_le_bytes).and_then(|n| self.integer(n)),
            op::BININT1 => self.reader.byte().and_then(|n| self.integer(n)),
            op::BININT2 => self.reader.array().map(u16::from_le_bytes).and_then(|n| self.integer(n)),
            op::LONG1 => self.length_1().and_then(|len| self.long(len)),
            op::LONG4 => self.length_4().and_then(|len| self.long(len)),
            op::BINFLOAT => self.reader.array().and_then(|n| self.push(Node::Float(f64::from_be_bytes(n)))),

            op::STRING => self.string_line(),
            op::BINSTRING => self.length_4().and_then(|len| self.bytes(len)),
            op::SHORT_BINSTRING => self.length_1().and_then(|len| self.bytes(len)),
            op::UNICODE => self.unicode_line(),
            op::BINUNICODE => self.length_4().and_then(|len| self.text(len)),
            op::SHORT_BINUNICODE => self.length_1().and_then(|len| self.text(len)),
            op::BINUNICODE8 => self.length_8().and_then(|len| self.text(len)),
            op::BINBYTES => self.length_4().and_then(|len| self.bytes(len)),
            op::SHORT_BINBYTES => self.length_1().and_then(|len| self.bytes(len)),
            op::BINBYTES8 | op::BYTEARRAY8 => self.length_8().and_then(|len| self.bytes(len)),

            op::EMPTY_TUPLE => self.push(Node::Tuple(Box::default())),
            op::TUPLE => self.pop_to_mark().and_then(|items| self.tuple_of(items)),
            op::TUPLE1 => self.tuple(1),
            op::TUPLE2 => self.tuple(2),
            op::TUPLE3 => self.tuple(3),
            op::EMPTY_LIST => self.push(Node::List(Vec::new())),
            op::LIST => self.list(),
            op::APPEND => self.pop().and_then(|item| self.append(&[item])),
            op::APPENDS => self.pop_to_mark().and_then(|items| self.append(&items)),
            op::EMPTY_DICT => self.push(Node::Dict(Vec::new())),
            op::DICT => self.dict(),
            op::SETITEM => self.set_item(),
            op::SETITEMS => self.pop_to_mark().and_then(|items| self.set_items(&items)),
            op::EMPTY_SET => self.push(Node::Set(Vec::new())),
            op::ADDITEMS => self.pop_to_mark().and_then(|items| self.append(&items)),
            op::FROZENSET => self.frozen_set(),

            op::GLOBAL => self.global_lines(),
            op::STACK_GLOBAL => self.stack_global(),
            op::REDUCE => self.object(ObjectForm::Reduce),
            op::NEWOBJ => self.object(ObjectForm::New),
            op::NEWOBJ_EX => self.object_with_keywords(),
            op::BUILD => self.build(),

            op::GET => self.memo_line().and_then(|index| self.get(index)),
            op::BINGET => self.reader.byte().and_then(|index| self.get(index.into())),
            op::LONG_BINGET => self.long_index().and_then(|index| self.get(index)),
            op::PUT => self.memo_line().and_then(|index| self.put(index)),
            op::BINPUT => self.reader.byte().and_then(|index| self.put(index.into())),
            op::LONG_BINPUT => self.long_index().and_then(|index| self.put(index)),
            op::MEMOIZE => self.memoize(),

            other => self.refuse(other),
        }
    }

    pub(super) fn malformed(&self, what: impl Into<String>) -> Error {
        Error::Malformed { offset: self.reader.position(), what: what.into() }
    }

    fn refuse(&mut self, code: u8) -> Result<(), Error> {
        let Some(refused) = op::refusal(code) else {
            return Err(self.malformed(format!("0x{code:02x} is no pickle opcode")));
        };
        if code == op::INST {
            self.global_lines()?;
        }
        Err(Error::RefusedOpcode { name: refused.name, reason: refused.reason })
    }

    fn protocol(&mut self) -> Result<(), Error> {
        let protocol = self.reader.byte()?;
        if protocol > op::NEWEST_PROTOCOL {
            return Err(self.malformed(format!("it is of protocol {protocol}, newer than {}", op::NEWEST_PROTOCOL)));
        }
        Ok(())
    }
}

/// The stack and the memo.
impl Machine<'_> {
    pub(super) fn push(&mut self, node: Node) -> Result<(), Error> {
        let too_many = || Error::TooManyValues { limit: self.max_values };
        if self.pickle.nodes.len() >= self.max_values {
            return Err(too_many());
        }
        let id = u32::try_from(self.pickle.nodes.len()).map_err(|_| too_many())?;
        self.pickle.nodes.push(node);
        self.pickle.depths.push(0);
        self.frame.stack.push(NodeId(id));
        Ok(())
    }

    /// Pushes a value made of `parts`.
    pub(super) fn push_nested(&mut self, node: Node, parts: &[NodeId]) -> Result<(), Error> {
        self.push(node)?;
        self.nest(self.top()?, parts)
    }

    /// Notes that `whole` holds `parts`, and bounds how deep that nests.
    pub(super) fn nest(&mut self, whole: NodeId, parts: &[NodeId]) -> Result<(), Error> {
        let depths = &mut self.pickle.depths;
        let deepest = parts.iter().map(|part| depths[part.0 as usize] + 1).max().unwrap_or(0);
        if deepest > MAX_DEPTH {
            return Err(Error::TooDeep { limit: MAX_DEPTH });
        }
        let depth = &mut depths[whole.0 as usize];
        *depth = deepest.max(*depth);
        Ok(())
    }

    /// Index of the name, or `None` when it is too long or one too many.
    pub(super) fn intern(&mut self, module: &str, name: &str) -> Option<u32> {
        if module.len() > MAX_NAME_BYTES || name.len() > MAX_NAME_BYTES {
            return None;
        }
        let name = Name { module: module.into(), name: name.into() };
        if let Some(index) = self.name_index.get(&name) {
            return Some(*index);
        }
        let count = self.pickle.names.len();
        let index = u32::try_from(count).ok().filter(|_| count < MAX_NAMES)?;
        self.pickle.names.push(name.clone());
        self.name_index.insert(name, index);
        Some(index)
    }

    /// The lowest stack index that may be popped now.
    pub(super) fn floor(&self) -> usize {
        self.frame.marks.last().map_or(0, |mark| *mark as usize)
    }

    pub(super) fn pop(&mut self) -> Result<NodeId, Error> {
        self.top()?;
        self.frame.stack.pop().ok_or_else(|| self.malformed("the stack is empty"))
    }

    pub(super) fn top(&self) -> Result<NodeId, Error> {
        let above_mark = self.frame.stack.get(self.floor()..);
        let top = above_mark.and_then(<[NodeId]>::last).copied();
        top.ok_or_else(|| self.malformed("the stack is empty"))
    }

    pub(super) fn mark(&mut self) -> Result<(), Error> {
        let height = u32::try_from(self.frame.stack.len()).map_err(|_| self.malformed("the stack is too high"))?;
        self.frame.marks.push(height);
        Ok(())
    }

    pub(super) fn pop_to_mark(&mut self) -> Result<Vec<NodeId>, Error> {
        let mark = self.frame.marks.pop().ok_or_else(|| self.malformed("no mark is set"))?;
        Ok(self.frame.stack.split_off(mark as usize))
    }

    pub(super) fn pop_value_or_mark(&mut self) -> Result<(), Error> {
        let is_mark_on_top = self.frame.stack.len() == self.floor();
        if is_mark_on_top && self.frame.marks.pop().is_some() {
            return Ok(());
        }
        self.pop().map(drop)
    }

    pub(super) fn duplicate(&mut self) -> Result<(), Error> {
        let top = self.top()?;
        self.frame.stack.push(top);
        Ok(())
    }

    pub(super) fn get(&mut self, index: u32) -> Result<(), Error> {
        let id = self.frame.memo.get(&index).copied();
        let id = id.ok_or_else(|| self.malformed(format!("nothing is memoised as {index}")))?;
        self.frame.stack.push(id);
        Ok(())
    }

    pub(super) fn put(&mut self, index: u32) -> Result<(), Error> {
        let top = self.top()?;
        self.frame.memo.insert(index, top);
        Ok(())
    }

    pub(super) fn memoize(&mut self) -> Result<(), Error> {
        let index = u32::try_from(self.frame.memo.len());
        index.map_err(|_| self.malformed("the memo is too large")).and_then(|index| self.put(index))
    }

    pub(super) fn memo_line(&mut self) -> Result<u32, Error> {
        let line = self.reader.line()?;
        let index = text::parse_decimal(self.reader.slice(line)).ok().flatten();
        let index = index.and_then(|index| u32::try_from(index).ok());
        index.ok_or_else(|| self.malformed("a memo index is no number"))
    }

    pub(super) fn long_index(&mut self) -> Result<u32, Error> {
        self.reader.array().map(u32::from_le_bytes)
    }
}
