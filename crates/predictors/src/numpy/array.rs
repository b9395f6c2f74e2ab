//! NumPy arrays: what their records say, and their items in C order whatever the layout.

use std::borrow::Cow;

use crate::pickle::{Node, NodeId, Object, ObjectForm, Pickle};

use super::{DType, Error, Kind, dtype::count};

/// The most dimensions NumPy knows.
const MAX_DIMENSIONS: usize = 64;
const MULTIARRAY: [&str; 2] = ["numpy.core.multiarray", "numpy._core.multiarray"];
const NUMERIC: [&str; 2] = ["numpy.core.numeric", "numpy._core.numeric"];

/// An array in the bytes of a pickle.
#[derive(Debug)]
pub(crate) struct NdArray<'a> {
    pub(crate) dtype: DType,
    pub(crate) shape: Box<[usize]>,
    is_fortran: bool,
    items: Items<'a>,
}

#[derive(Debug)]
enum Items<'a> {
    Bytes(Cow<'a, [u8]>),
    Objects(&'a [NodeId]),
}

/// The items of an array of labels or names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Elements {
    Integers(Vec<i64>),
    Floats(Vec<f64>),
    Booleans(Vec<bool>),
    Text(Vec<Box<str>>),
}

/// The dimensions in a tuple of integers.
pub(crate) fn parse_shape(pickle: &Pickle<'_>, id: NodeId) -> Option<Box<[usize]>> {
    let lengths = pickle.elements(id).filter(|lengths| lengths.len() <= MAX_DIMENSIONS)?;
    let lengths = lengths.iter().map(|len| integer(pickle, *len));
    lengths.map(|len| usize::try_from(len?).ok()).collect()
}

/// A Python integer or a NumPy scalar that is one.
pub(crate) fn integer(pickle: &Pickle<'_>, id: NodeId) -> Option<i64> {
    match pickle.node(id) {
        Node::Integer(value) => Some(*value),
        Node::Object(_) => match NdArray::scalar(pickle, id)?.elements(pickle).ok()? {
            Elements::Integers(values) => values.first().copied(),
            _ => None,
        },
        _ => None,
    }
}

impl<'a> NdArray<'a> {
    /// Reads the array that the node describes.
    pub(crate) fn parse(pickle: &'a Pickle<'_>, id: NodeId) -> Result<Self, Error> {
        let array = match pickle.node(id) {
            Node::InlineArray(inline) => Some(Self {
                dtype: DType::parse(pickle, inline.dtype).ok_or(Error::NotAnArray)?,
                shape: inline.shape.clone(),
                is_fortran: inline.is_fortran,
                items: Items::Bytes(pickle.slice(inline.data).into()),
            }),
            Node::Object(object) => Self::reconstructed(pickle, object).or_else(|| Self::from_buffer(pickle, object)),
            _ => None,
        };
        array.ok_or(Error::NotAnArray)?.checked()
    }

    /// Reads a NumPy scalar as an array without dimensions.
    pub(crate) fn scalar(pickle: &'a Pickle<'_>, id: NodeId) -> Option<Self> {
        let object = called(pickle, pickle.object(id)?, &MULTIARRAY, "scalar")?;
        let [dtype, data] = pickle.elements(object.arguments)? else { return None };
        let dtype = DType::parse(pickle, *dtype)?;
        let items = Items::Bytes(bytes(pickle, *data)?);
        Self { dtype, shape: Box::default(), is_fortran: false, items }.checked().ok()
    }

    /// `_reconstruct(ndarray, …)` with the state (version, shape, dtype, is Fortran, data).
    fn reconstructed(pickle: &'a Pickle<'_>, object: &'a Object) -> Option<Self> {
        let object = called(pickle, object, &MULTIARRAY, "_reconstruct")?;
        let class = pickle.name(*pickle.elements(object.arguments)?.first()?)?;
        if !class.is(&["numpy"], "ndarray") && !class.is(&["numpy"], "memmap") {
            return None;
        }
        let [_version, shape, dtype, is_fortran, data] = pickle.elements(object.state?)? else {
            return None;
        };
        let is_fortran = match pickle.node(*is_fortran) {
            Node::Boolean(is_fortran) => *is_fortran,
            Node::Integer(is_fortran) => *is_fortran != 0,
            _ => return None,
        };
        let items = match pickle.node(*data) {
            Node::List(objects) => Items::Objects(objects),
            _ => Items::Bytes(bytes(pickle, *data)?),
        };
        let dtype = DType::parse(pickle, *dtype)?;
        Some(Self { dtype, shape: parse_shape(pickle, *shape)?, is_fortran, items })
    }

    /// `_frombuffer(bytes, dtype, shape, order)` of protocol 5.
    fn from_buffer(pickle: &'a Pickle<'_>, object: &Object) -> Option<Self> {
        let object = called(pickle, object, &NUMERIC, "_frombuffer")?;
        let [data, dtype, shape, order] = pickle.elements(object.arguments)? else { return None };
        Some(Self {
            dtype: DType::parse(pickle, *dtype)?,
            shape: parse_shape(pickle, *shape)?,
            is_fortran: pickle.text(*order)? == "F",
            items: Items::Bytes(bytes(pickle, *data)?),
        })
    }

    fn checked(self) -> Result<Self, Error> {
        let (len, expected) = match &self.items {
            Items::Bytes(bytes) => (bytes.len(), self.dtype.size_of(&self.shape)),
            Items::Objects(objects) => (objects.len(), count(&self.shape)),
        };
        let is_object = matches!(self.items, Items::Objects(_));
        if expected == Some(len) && is_object == (self.dtype.kind == Kind::Object) {
            return Ok(self);
        }
        Err(Error::Size { shape: format!("{:?}", self.shape), len })
    }

    /// The items of an array of objects, in C order, if it has one dimension.
    pub(crate) fn objects(&self) -> Option<&'a [NodeId]> {
        match self.items {
            Items::Objects(objects) if self.shape.len() == 1 => Some(objects),
            _ => None,
        }
    }

    /// The items of an array of objects, in C order.
    pub(crate) fn object_grid(&self) -> Option<Vec<NodeId>> {
        let Items::Objects(objects) = self.items else { return None };
        Some(self.c_order().map(|place| objects[place]).collect())
    }

    /// Number of items.
    pub(crate) fn len(&self) -> usize {
        match &self.items {
            Items::Bytes(bytes) => bytes.len() / self.dtype.item_size,
            Items::Objects(objects) => objects.len(),
        }
    }

    /// All items as floats, in C order.
    pub(crate) fn floats(&self, pickle: &Pickle<'_>) -> Result<Vec<f64>, Error> {
        self.decode(pickle, self.dtype, 0, "numbers", float)
    }

    /// One field of an array of records, as floats.
    pub(crate) fn float_field(&self, pickle: &Pickle<'_>, name: &str) -> Result<Vec<f64>, Error> {
        let (dtype, offset) = self.field(pickle, name)?;
        self.decode(pickle, dtype, offset, "numbers", float)
    }

    /// One field of an array of records, as integers.
    pub(crate) fn integer_field(&self, pickle: &Pickle<'_>, name: &str) -> Result<Vec<i64>, Error> {
        let (dtype, offset) = self.field(pickle, name)?;
        self.decode(pickle, dtype, offset, "integers", signed)
    }

    /// Whether the items are records with a field of this name.
    pub(crate) fn has_field(&self, pickle: &Pickle<'_>, name: &str) -> bool {
        self.dtype.field(pickle, name).is_some()
    }

    fn field(&self, pickle: &Pickle<'_>, name: &str) -> Result<(DType, usize), Error> {
        let field = self.dtype.field(pickle, name);
        field.ok_or_else(|| self.item_type("records with the expected fields"))
    }

    fn item_type(&self, expected: &'static str) -> Error {
        Error::ItemType { found: self.dtype.to_string(), expected }
    }

    /// All items in C order: labels, names and the like.
    pub(crate) fn elements(&self, pickle: &Pickle<'_>) -> Result<Elements, Error> {
        match self.dtype.kind {
            Kind::Float => self.floats(pickle).map(Elements::Floats),
            Kind::Signed | Kind::Unsigned => {
                self.decode(pickle, self.dtype, 0, "integers", signed).map(Elements::Integers)
            }
            Kind::Boolean => {
                let truth = self.decode(pickle, self.dtype, 0, "booleans", signed)?;
                Ok(Elements::Booleans(truth.into_iter().map(|value| value != 0).collect()))
            }
            Kind::Text => {
                let text = self.decode(pickle, self.dtype, 0, "text", utf_32)?;
                Ok(Elements::Text(text))
            }
            // Python 2's text.
            Kind::Bytes => {
                let text = self.decode(pickle, self.dtype, 0, "text", utf_8)?;
                Ok(Elements::Text(text))
            }
            Kind::Object => self.object_elements(pickle),
            _ => Err(self.item_type("labels")),
        }
    }

    /// Labels of an array of objects, which must all be of one type.
    fn object_elements(&self, pickle: &Pickle<'_>) -> Result<Elements, Error> {
        let Items::Objects(objects) = &self.items else { return Err(Error::NotAnArray) };
        pickle.charge(objects.len() * 16)?;
        let all_of = |elements: Option<Elements>| elements.ok_or_else(|| self.item_type("labels of one type"));
        match objects.first().map(|first| pickle.node(*first)) {
            Some(Node::Boolean(_)) => all_of(booleans(pickle, objects).map(Elements::Booleans)),
            Some(Node::Float(_)) => all_of(floats(pickle, objects).map(Elements::Floats)),
            Some(_) if integer(pickle, objects[0]).is_some() => {
                all_of(objects.iter().map(|id| integer(pickle, *id)).collect::<Option<_>>().map(Elements::Integers))
            }
            _ => self.object_text(pickle, objects).map(Elements::Text),
        }
    }

    fn object_text(&self, pickle: &Pickle<'_>, objects: &[NodeId]) -> Result<Vec<Box<str>>, Error> {
        let text = objects.iter().map(|id| {
            let text = pickle.text(*id).ok_or_else(|| self.item_type("labels of one type"))?;
            pickle.charge(text.len())?;
            Ok(text.into())
        });
        text.collect()
    }

    /// Decodes each item's `dtype` at `offset`, in C order.
    fn decode<T>(
        &self,
        pickle: &Pickle<'_>,
        dtype: DType,
        offset: usize,
        expected: &'static str,
        decode_item: fn(DType, &[u8]) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let Items::Bytes(bytes) = &self.items else { return Err(self.item_type(expected)) };
        let item_size = self.dtype.item_size;
        pickle.charge(self.len() * size_of::<T>().max(dtype.item_size))?;
        let items = self.c_order().map(|index| {
            let start = index * item_size + offset;
            decode_item(dtype, &bytes[start..start + dtype.item_size])
        });
        items.collect::<Option<_>>().ok_or_else(|| Error::ItemType { found: dtype.to_string(), expected })
    }

    /// The places in memory of the items in C order.
    fn c_order(&self) -> impl Iterator<Item = usize> + use<> {
        let (shape, is_fortran) = (self.shape.clone(), self.is_fortran);
        (0..self.len()).map(move |index| if is_fortran { fortran_place(&shape, index) } else { index })
    }
}

/// Where the item with index `index` in C order stands in Fortran order.
fn fortran_place(shape: &[usize], mut index: usize) -> usize {
    let mut stride = shape.iter().product::<usize>();
    let mut place = 0;
    for len in shape.iter().rev() {
        stride /= len;
        place += index % len * stride;
        index /= len;
    }
    place
}

fn called<'o>(pickle: &Pickle<'_>, object: &'o Object, modules: &[&str], name: &str) -> Option<&'o Object> {
    let is_called = object.form == ObjectForm::Reduce && pickle.name(object.callee)?.is(modules, name);
    is_called.then_some(object)
}

/// The bytes of a node that is bytes, in any of the ways in which pickles spell them.
fn bytes<'a>(pickle: &'a Pickle<'_>, id: NodeId) -> Option<Cow<'a, [u8]>> {
    match pickle.node(id) {
        Node::Bytes(span) => Some(pickle.slice(*span).into()),
        Node::DecodedBytes(bytes) => Some((&**bytes).into()),
        Node::Object(object) => spelled_bytes(pickle, object),
        _ => None,
    }
}

/// The bytes of a Python `bytes` or `bytearray`. Protocols 3 and 4 make the latter of bytes, and those
/// before of a text and `latin-1`.
pub(crate) fn byte_array<'a>(pickle: &'a Pickle<'_>, id: NodeId) -> Option<Cow<'a, [u8]>> {
    let Some(object) = pickle.object(id) else { return bytes(pickle, id) };
    let name = pickle.name(object.callee)?;
    if !name.is(&["builtins", "__builtin__"], "bytearray") {
        return bytes(pickle, id);
    }
    match pickle.elements(object.arguments)? {
        [content] => bytes(pickle, *content),
        [text, codec] => matches!(pickle.text(*codec)?, "latin1" | "latin-1").then(|| latin_1(pickle.text(*text)?))?,
        _ => None,
    }
}

/// Protocols 0 to 2 have no bytes: Python 3 spells them `_codecs.encode(text, "latin1")`.
fn spelled_bytes<'a>(pickle: &'a Pickle<'_>, object: &Object) -> Option<Cow<'a, [u8]>> {
    let arguments = pickle.elements(object.arguments)?;
    if called(pickle, object, &["_codecs"], "encode").is_some() {
        let [text, codec] = arguments else { return None };
        return matches!(pickle.text(*codec)?, "latin1" | "latin-1").then(|| latin_1(pickle.text(*text)?))?;
    }
    let name = pickle.name(object.callee)?;
    let is_empty = name.is(&["builtins", "__builtin__"], "bytes") && arguments.is_empty();
    is_empty.then(|| Cow::from(Vec::new()))
}

fn latin_1<'a>(text: &str) -> Option<Cow<'a, [u8]>> {
    let bytes = text.chars().map(|c| u8::try_from(u32::from(c)).ok());
    bytes.collect::<Option<Vec<_>>>().map(Cow::from)
}

fn booleans(pickle: &Pickle<'_>, ids: &[NodeId]) -> Option<Vec<bool>> {
    let value = |id: &NodeId| match pickle.node(*id) {
        Node::Boolean(value) => Some(*value),
        _ => None,
    };
    ids.iter().map(value).collect()
}

fn floats(pickle: &Pickle<'_>, ids: &[NodeId]) -> Option<Vec<f64>> {
    let value = |id: &NodeId| match pickle.node(*id) {
        Node::Float(value) => Some(*value),
        _ => None,
    };
    ids.iter().map(value).collect()
}

/// Reverses the bytes of a big-endian item.
fn little_endian<const N: usize>(dtype: DType, item: &[u8]) -> Option<[u8; N]> {
    let mut bytes: [u8; N] = item.try_into().ok()?;
    if dtype.is_big_endian {
        bytes.reverse();
    }
    Some(bytes)
}

#[expect(clippy::cast_precision_loss, reason = "counts and labels, which NumPy converts alike")]
fn float(dtype: DType, item: &[u8]) -> Option<f64> {
    match (dtype.kind, dtype.item_size) {
        (Kind::Float, 8) => little_endian(dtype, item).map(f64::from_le_bytes),
        (Kind::Float, 4) => little_endian(dtype, item).map(f32::from_le_bytes).map(f64::from),
        (Kind::Signed | Kind::Unsigned | Kind::Boolean, _) => signed(dtype, item).map(|value| value as f64),
        _ => None,
    }
}

fn signed(dtype: DType, item: &[u8]) -> Option<i64> {
    match (dtype.kind, dtype.item_size) {
        (Kind::Signed, 8) => little_endian(dtype, item).map(i64::from_le_bytes),
        (Kind::Signed, 4) => little_endian(dtype, item).map(i32::from_le_bytes).map(i64::from),
        (Kind::Signed, 2) => little_endian(dtype, item).map(i16::from_le_bytes).map(i64::from),
        (Kind::Signed, 1) => little_endian(dtype, item).map(i8::from_le_bytes).map(i64::from),
        (Kind::Unsigned, 8) => {
            little_endian(dtype, item).map(u64::from_le_bytes).and_then(|value| value.try_into().ok())
        }
        (Kind::Unsigned, 4) => little_endian(dtype, item).map(u32::from_le_bytes).map(i64::from),
        (Kind::Unsigned, 2) => little_endian(dtype, item).map(u16::from_le_bytes).map(i64::from),
        (Kind::Unsigned | Kind::Boolean, 1) => item.first().copied().map(i64::from),
        _ => None,
    }
}

fn utf_8(_dtype: DType, item: &[u8]) -> Option<Box<str>> {
    let end = item.iter().position(|byte| *byte == 0).unwrap_or(item.len());
    std::str::from_utf8(&item[..end]).ok().map(Into::into)
}

/// Text of fixed length ends at its first NUL.
fn utf_32(dtype: DType, item: &[u8]) -> Option<Box<str>> {
    let code = |bytes: &[u8]| little_endian(dtype, bytes).map(u32::from_le_bytes);
    let codes = item.chunks_exact(4).map(code).take_while(|code| *code != Some(0));
    codes.map(|code| char::from_u32(code?)).collect::<Option<String>>().map(String::into_boxed_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fortran_order_is_read_in_c_order() {
        let places: Vec<_> = (0..6).map(|index| fortran_place(&[2, 3], index)).collect();
        assert_eq!(places, [0, 2, 4, 1, 3, 5]);
        let mut places: Vec<_> = (0..24).map(|index| fortran_place(&[2, 3, 4], index)).collect();
        assert_eq!(places[1], 6);
        places.sort_unstable();
        assert_eq!(places, (0..24).collect::<Vec<_>>());
    }

    #[test]
    fn big_endian_items_are_turned() {
        let dtype = DType { kind: Kind::Float, item_size: 8, is_big_endian: true };
        assert_eq!(float(dtype, &1.5f64.to_be_bytes()), Some(1.5));
        let dtype = DType { kind: Kind::Signed, item_size: 4, is_big_endian: true };
        assert_eq!(signed(dtype, &(-7i32).to_be_bytes()), Some(-7));
    }

    #[test]
    fn fixed_text_ends_at_its_first_nul() {
        let dtype = DType { kind: Kind::Text, item_size: 12, is_big_endian: false };
        let item: Vec<_> = "é花\0".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        assert_eq!(utf_32(dtype, &item).as_deref(), Some("é花"));
    }
}
