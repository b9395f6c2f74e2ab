//! Reads UBJSON (draft 12, as XGBoost writes it) through `serde`.
//!
//! Lengths come from the file, so nothing is allocated by them: a text is a slice, and a list grows
//! as its elements are read. Typed lists of elements without bytes are refused, for such a list may
//! claim any length.

use std::fmt;

use serde::de::{self, DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};

use crate::shown::shown;

use super::Error;

/// Deepest nesting of lists and objects; models need 8.
const MAX_DEPTH: u32 = 64;

/// Reads a value that fills all of `bytes`.
pub(super) fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let mut reader = Reader { bytes, position: 0, depth: 0 };
    let marker = reader.marker().map_err(Failure::into_error)?;
    T::deserialize(Value { reader: &mut reader, marker }).map_err(Failure::into_error)
}

/// Why reading failed, in the form `serde` asks for.
#[derive(Debug)]
enum Failure {
    Truncated(usize),
    Malformed(String),
}

impl Failure {
    fn into_error(self) -> Error {
        match self {
            Self::Truncated(offset) => Error::Truncated { offset },
            Self::Malformed(what) => Error::Malformed { what },
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated(offset) => write!(f, "the bytes end at {offset}"),
            Self::Malformed(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Failure {}

impl de::Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Malformed(shown(&message.to_string()))
    }
}

#[derive(Debug)]
struct Reader<'de> {
    bytes: &'de [u8],
    position: usize,
    depth: u32,
}

impl<'de> Reader<'de> {
    fn take(&mut self, len: usize) -> Result<&'de [u8], Failure> {
        let taken = self.bytes[self.position..].get(..len);
        let taken = taken.ok_or(Failure::Truncated(self.bytes.len()))?;
        self.position += len;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Failure> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| Failure::Truncated(self.bytes.len()))
    }

    /// The marker of the next value; markers of no operation are skipped.
    fn marker(&mut self) -> Result<u8, Failure> {
        loop {
            match self.array()? {
                [b'N'] => {}
                [marker] => return Ok(marker),
            }
        }
    }

    /// Skips the next marker if it is the wanted one.
    fn skip_if(&mut self, wanted: u8) -> bool {
        let is_next = self.bytes.get(self.position) == Some(&wanted);
        self.position += usize::from(is_next);
        is_next
    }

    fn integer(&mut self, marker: u8) -> Result<i64, Failure> {
        match marker {
            b'i' => self.array().map(i8::from_be_bytes).map(i64::from),
            b'U' => self.array().map(u8::from_be_bytes).map(i64::from),
            b'I' => self.array().map(i16::from_be_bytes).map(i64::from),
            b'l' => self.array().map(i32::from_be_bytes).map(i64::from),
            b'L' => self.array().map(i64::from_be_bytes),
            other => Err(self.malformed(&format!("0x{other:02x} where an integer is due"))),
        }
    }

    fn len(&mut self) -> Result<usize, Failure> {
        let marker = self.marker()?;
        let len = self.integer(marker)?;
        usize::try_from(len).map_err(|_| self.malformed("a negative length"))
    }

    fn text(&mut self) -> Result<&'de str, Failure> {
        let len = self.len()?;
        let bytes = self.take(len)?;
        std::str::from_utf8(bytes).map_err(|_| self.malformed("a text that is not UTF-8"))
    }

    fn malformed(&self, what: &str) -> Failure {
        Failure::Malformed(format!("{what} before byte {}", self.position))
    }

    /// Reads what may stand at the head of a list or object: the type of all its values and their
    /// number.
    fn container(&mut self) -> Result<Container, Failure> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.malformed("lists or objects nested too deep"));
        }
        let kind = if self.skip_if(b'$') { Some(self.marker()?) } else { None };
        let len = if self.skip_if(b'#') { Some(self.len()?) } else { None };
        match (kind, len) {
            (Some(_), None) => Err(self.malformed("a typed list without a length")),
            (Some(b'Z' | b'T' | b'F' | b'N'), _) => Err(self.malformed("a typed list of elements without bytes")),
            _ => Ok(Container { kind, left: len, is_over: false }),
        }
    }
}

/// A list or object that is being read.
#[derive(Debug)]
struct Container {
    kind: Option<u8>,
    /// Values left, where their number is known; otherwise an end marker follows.
    left: Option<usize>,
    /// Whether its end has been read. Who asks again, as a structure with defaults does, gets nothing.
    is_over: bool,
}

impl Container {
    /// Whether another value follows.
    fn advance(&mut self, reader: &mut Reader<'_>, end: u8) -> bool {
        if self.is_over {
            return false;
        }
        let has_next = match &mut self.left {
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
            None => {
                while reader.skip_if(b'N') {}
                !reader.skip_if(end)
            }
        };
        if !has_next {
            self.is_over = true;
            reader.depth -= 1;
        }
        has_next
    }

    fn marker(&self, reader: &mut Reader<'_>) -> Result<u8, Failure> {
        self.kind.map_or_else(|| reader.marker(), Ok)
    }
}

/// A value whose marker has been read.
struct Value<'r, 'de> {
    reader: &'r mut Reader<'de>,
    marker: u8,
}

impl<'de> de::Deserializer<'de> for Value<'_, 'de> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let Self { reader, marker } = self;
        match marker {
            b'Z' => visitor.visit_unit(),
            b'T' => visitor.visit_bool(true),
            b'F' => visitor.visit_bool(false),
            b'd' => visitor.visit_f32(f32::from_be_bytes(reader.array()?)),
            b'D' => visitor.visit_f64(f64::from_be_bytes(reader.array()?)),
            b'C' => visitor.visit_u8(u8::from_be_bytes(reader.array()?)),
            b'S' | b'H' => visitor.visit_borrowed_str(reader.text()?),
            b'[' => {
                let container = reader.container()?;
                visitor.visit_seq(List { reader, container })
            }
            b'{' => {
                let container = reader.container()?;
                visitor.visit_map(Object { reader, container })
            }
            integer => visitor.visit_i64(reader.integer(integer)?),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.marker == b'Z' { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct List<'r, 'de> {
    reader: &'r mut Reader<'de>,
    container: Container,
}

impl<'de> SeqAccess<'de> for List<'_, 'de> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Failure> {
        if !self.container.advance(self.reader, b']') {
            return Ok(None);
        }
        let marker = self.container.marker(self.reader)?;
        seed.deserialize(Value { reader: self.reader, marker }).map(Some)
    }
}

struct Object<'r, 'de> {
    reader: &'r mut Reader<'de>,
    container: Container,
}

impl<'de> MapAccess<'de> for Object<'_, 'de> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Failure> {
        if !self.container.advance(self.reader, b'}') {
            return Ok(None);
        }
        let key = self.reader.text()?;
        seed.deserialize(de::value::BorrowedStrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Failure> {
        let marker = self.container.marker(self.reader)?;
        seed.deserialize(Value { reader: self.reader, marker })
    }
}
