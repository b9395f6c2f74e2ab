//! The machine's opcodes for numbers, text and bytes.

use super::{Error, machine::Machine, text, value::Node};

impl Machine<'_> {
    pub(super) fn length_1(&mut self) -> Result<u64, Error> {
        self.reader.byte().map(u64::from)
    }

    pub(super) fn length_4(&mut self) -> Result<u64, Error> {
        self.reader.array().map(u32::from_le_bytes).map(u64::from)
    }

    pub(super) fn length_8(&mut self) -> Result<u64, Error> {
        self.reader.array().map(u64::from_le_bytes)
    }

    pub(super) fn integer(&mut self, value: impl Into<i64>) -> Result<(), Error> {
        self.push(Node::Integer(value.into()))
    }

    pub(super) fn integer_or_big(&mut self, value: Option<i64>) -> Result<(), Error> {
        self.push(value.map_or(Node::BigInteger, Node::Integer))
    }

    pub(super) fn long(&mut self, len: u64) -> Result<(), Error> {
        let span = self.reader.span(len)?;
        self.integer_or_big(text::parse_long(self.reader.slice(span)))
    }

    /// `INT` also spells booleans: `00` and `01`.
    pub(super) fn integer_line(&mut self) -> Result<(), Error> {
        let line = self.reader.line()?;
        match self.reader.slice(line) {
            b"00" => self.push(Node::Boolean(false)),
            b"01" => self.push(Node::Boolean(true)),
            digits => self.decimal(digits),
        }
    }

    pub(super) fn long_line(&mut self) -> Result<(), Error> {
        let line = self.reader.line()?;
        self.decimal(self.reader.slice(line))
    }

    pub(super) fn decimal(&mut self, digits: &[u8]) -> Result<(), Error> {
        let value = text::parse_decimal(digits).map_err(|()| self.malformed("a number has no digits"))?;
        self.integer_or_big(value)
    }

    pub(super) fn float_line(&mut self) -> Result<(), Error> {
        let line = self.reader.line()?;
        let text = std::str::from_utf8(self.reader.slice(line)).ok();
        let value = text.and_then(|text| text.trim().parse().ok());
        let value = value.ok_or_else(|| self.malformed("a float is no number"))?;
        self.push(Node::Float(value))
    }

    pub(super) fn text(&mut self, len: u64) -> Result<(), Error> {
        let span = self.reader.span(len)?;
        self.push(Node::Text(span))
    }

    pub(super) fn bytes(&mut self, len: u64) -> Result<(), Error> {
        let span = self.reader.span(len)?;
        self.push(Node::Bytes(span))
    }

    pub(super) fn string_line(&mut self) -> Result<(), Error> {
        let line = self.reader.line()?;
        let bytes = text::decode_string(self.reader.slice(line));
        let bytes = bytes.ok_or_else(|| self.malformed("a quoted string is broken"))?;
        self.push(Node::DecodedBytes(bytes))
    }

    pub(super) fn unicode_line(&mut self) -> Result<(), Error> {
        let line = self.reader.line()?;
        let text = text::decode_raw_unicode(self.reader.slice(line));
        let text = text.ok_or_else(|| self.malformed("an escaped text is broken"))?;
        self.push(Node::DecodedText(text))
    }
}
