//! NumPy data types as pickles describe them.

use crate::pickle::{Node, NodeId, ObjectForm, Pickle};

/// The type of an array's items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DType {
    pub(crate) kind: Kind,
    /// Bytes an item.
    pub(crate) item_size: usize,
    pub(crate) is_big_endian: bool,
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Float,
    Signed,
    Unsigned,
    Boolean,
    /// Text of fixed length in UTF-32.
    Text,
    /// Bytes of fixed length.
    Bytes,
    /// References to Python objects.
    Object,
    /// A record with named fields; the node is the dictionary of them.
    Record(NodeId),
    /// Dates, complex numbers and whatever else.
    Other(char),
}

impl DType {
    /// Reads `numpy.dtype("f8", …)` and its state.
    pub(crate) fn parse(pickle: &Pickle<'_>, id: NodeId) -> Option<Self> {
        let object = pickle.object(id).filter(|object| object.form == ObjectForm::Reduce)?;
        pickle.name(object.callee)?.is(&["numpy"], "dtype").then_some(())?;
        let code = pickle.text(*pickle.elements(object.arguments)?.first()?)?;
        let state = object.state.and_then(|state| pickle.elements(state)).unwrap_or_default();
        let dtype = Self::from_code(code)?.with_state(pickle, state)?;
        (dtype.item_size > 0).then_some(dtype)
    }

    /// Reads a code such as `f8`, `<U10` or `V64`.
    fn from_code(code: &str) -> Option<Self> {
        let is_big_endian = code.starts_with('>');
        let code = code.trim_start_matches(['<', '>', '=', '|']);
        let mut characters = code.chars();
        let letter = characters.next()?;
        let digits = characters.as_str();
        let number = if digits.is_empty() { Some(1) } else { digits.parse().ok() };
        let (kind, item_size) = kind_and_size(letter, number)?;
        Some(Self { kind, item_size, is_big_endian })
    }

    /// The state is (version, byte order, subarray, names, fields, item size, alignment, …).
    fn with_state(mut self, pickle: &Pickle<'_>, state: &[NodeId]) -> Option<Self> {
        let Some([_version, order, subarray, _names, fields, ..]) = state.first_chunk::<5>() else {
            return Some(self);
        };
        self.is_big_endian |= pickle.text(*order) == Some(">");
        if !matches!(pickle.node(*subarray), Node::None) {
            return None;
        }
        if matches!(pickle.node(*fields), Node::Dict(_)) {
            self.kind = Kind::Record(*fields);
        }
        Some(self)
    }

    /// Type and offset of a field of a record.
    pub(crate) fn field(&self, pickle: &Pickle<'_>, name: &str) -> Option<(Self, usize)> {
        let Kind::Record(fields) = self.kind else { return None };
        let Node::Dict(entries) = pickle.node(fields) else { return None };
        pickle.charge(entries.len()).ok()?;
        let field = pickle.elements(pickle.entry(entries, name)?)?;
        let [dtype, offset, ..] = field else { return None };
        let dtype = Self::parse(pickle, *dtype)?;
        let Node::Integer(offset) = pickle.node(*offset) else { return None };
        let offset = usize::try_from(*offset).ok()?;
        (offset.checked_add(dtype.item_size)? <= self.item_size).then_some((dtype, offset))
    }

    /// Bytes of an array of this shape, unless beyond counting.
    pub(crate) fn size_of(&self, shape: &[usize]) -> Option<usize> {
        count(shape)?.checked_mul(self.item_size)
    }
}

/// Number of items in an array of this shape, unless beyond counting.
pub(super) fn count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |count, len| count.checked_mul(*len))
}

fn kind_and_size(letter: char, number: Option<usize>) -> Option<(Kind, usize)> {
    Some(match letter {
        '?' => (Kind::Boolean, 1),
        'b' => (Kind::Boolean, number?),
        'f' => (Kind::Float, number?),
        'i' => (Kind::Signed, number?),
        'u' => (Kind::Unsigned, number?),
        'U' => (Kind::Text, number?.checked_mul(4)?),
        'S' | 'a' => (Kind::Bytes, number?),
        'V' => (Kind::Other('V'), number?),
        'O' => (Kind::Object, 8),
        // A date's code ends in its unit, such as `M8[ns]`; its items are 8 bytes.
        'M' | 'm' => (Kind::Other(letter), 8),
        other => (Kind::Other(other), number?),
    })
}

impl std::fmt::Display for DType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bits = self.item_size.saturating_mul(8);
        match self.kind {
            Kind::Float => write!(f, "{bits}-bit floats"),
            Kind::Signed => write!(f, "{bits}-bit integers"),
            Kind::Unsigned => write!(f, "{bits}-bit unsigned integers"),
            Kind::Boolean => f.write_str("booleans"),
            Kind::Text => f.write_str("text"),
            Kind::Bytes => f.write_str("bytes"),
            Kind::Object => f.write_str("Python objects"),
            Kind::Record(_) => f.write_str("records"),
            Kind::Other(letter) => write!(f, "the type `{}`", letter.escape_debug()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_tell_kind_size_and_byte_order() {
        let check = |code: &str, kind, item_size, is_big_endian| {
            assert_eq!(DType::from_code(code), Some(DType { kind, item_size, is_big_endian }), "{code}");
        };
        check("f8", Kind::Float, 8, false);
        check(">i4", Kind::Signed, 4, true);
        check("U10", Kind::Text, 40, false);
        check("|b1", Kind::Boolean, 1, false);
        check("O", Kind::Object, 8, false);
        check("M8[ns]", Kind::Other('M'), 8, false);
    }

    #[test]
    fn sizes_beyond_counting_are_none() {
        let dtype = DType::from_code("f8").unwrap();
        assert_eq!(dtype.size_of(&[usize::MAX, 2]), None);
        assert_eq!(dtype.size_of(&[usize::MAX / 4]), None);
        assert_eq!(dtype.size_of(&[]), Some(8));
        assert_eq!(DType::from_code(&format!("U{}", usize::MAX)), None);
    }
}
