//! Tensors as nested arrays of JSON.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::{TEXTS_MAX, Unpassable};
use crate::protocol::{
    json::{Cursor, unescape, write_string},
    tensorflow::{DIMENSIONS_MAX, Typed},
    values::write_float,
};

/// JSON that may be so long.
#[derive(Debug)]
pub(super) struct Json {
    pub(super) text: Vec<u8>,
    pub(super) most: usize,
}

impl Json {
    /// Checks that it is not too long.
    pub(super) fn check(&self) -> Result<(), Unpassable> {
        if self.text.len() > self.most { Err(Unpassable::TooLong(self.most)) } else { Ok(()) }
    }
}

/// Appends the part of a tensor from its value `at` on that has this shape.
pub(super) fn write(shape: &[usize], values: &Typed, at: &mut usize, out: &mut Json) -> Result<(), Unpassable> {
    let Some((length, below)) = shape.split_first() else {
        write_value(values, *at, &mut out.text)?;
        *at += 1;
        return Ok(());
    };
    out.text.push(b'[');
    for index in 0..*length {
        if index > 0 {
            out.text.push(b',');
        }
        write(below, values, at, out)?;
        out.check()?;
    }
    out.text.push(b']');
    Ok(())
}

fn write_value(values: &Typed, at: usize, out: &mut Vec<u8>) -> Result<(), Unpassable> {
    match values {
        Typed::Single(values) => write_single(values.get(at).copied().unwrap_or(f32::NAN), out)?,
        Typed::Double(values) => {
            let value = values.get(at).copied().unwrap_or(f64::NAN);
            if value.is_infinite() {
                return Err(Unpassable::Infinite);
            }
            write_float(value, out);
        }
        Typed::Whole(values) => write_text(values.get(at).map(i64::to_string), out),
        Typed::Unsigned(values) => write_text(values.get(at).map(u64::to_string), out),
        Typed::Truth(values) => write_text(values.get(at).map(bool::to_string), out),
        Typed::Text(values) => write_bytes(values.get(at).map_or(&[][..], |value| value), out),
    }
    Ok(())
}

fn write_text(text: Option<String>, out: &mut Vec<u8>) {
    out.extend_from_slice(text.as_deref().unwrap_or("null").as_bytes());
}

/// A number in 32 bits as its shortest text.
fn write_single(value: f32, out: &mut Vec<u8>) -> Result<(), Unpassable> {
    if value.is_infinite() {
        return Err(Unpassable::Infinite);
    }
    if value.is_nan() {
        out.extend_from_slice(b"null");
    } else {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    }
    Ok(())
}

/// A text, or what stands for bytes that are none.
pub(super) fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return write_string(text, out);
    }
    out.extend_from_slice(b"{\"b64\":\"");
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
    out.extend_from_slice(b"\"}");
}

/// A tensor that is read of nested arrays.
#[derive(Debug, Default)]
pub(super) struct Nested {
    name: String,
    /// By depth; `None` where no array of this depth has ended yet.
    lengths: Vec<Option<usize>>,
    /// The depth of its values.
    rank: Option<usize>,
    values: Option<Typed>,
}

impl Nested {
    /// One that is called so in messages.
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Reads what follows, whose values stand so deep at least.
    pub(super) fn next(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Result<(), Unpassable> {
        if cursor.peek() != Some(b'[') {
            if *self.rank.get_or_insert(depth) != depth {
                return Err(self.ragged());
            }
            return self.value(cursor);
        }
        if depth >= DIMENSIONS_MAX {
            return Err(Unpassable::Deep(self.name.clone()));
        }
        let mut length = 0;
        cursor.array(|cursor| {
            length += 1;
            self.next(cursor, depth + 1)
        })?;
        self.end(depth, length)
    }

    /// Notes how long an array of this depth is.
    pub(super) fn end(&mut self, depth: usize, length: usize) -> Result<(), Unpassable> {
        if self.lengths.len() <= depth {
            self.lengths.resize(depth + 1, None);
        }
        let known = self.lengths.get_mut(depth).map(|known| *known.get_or_insert(length));
        if known == Some(length) { Ok(()) } else { Err(self.ragged()) }
    }

    /// Its shape and values.
    pub(super) fn finish(self) -> Result<(Vec<usize>, Typed), Unpassable> {
        let rank = self.rank.unwrap_or(self.lengths.len());
        let shape: Option<Vec<usize>> = self.lengths.iter().copied().collect();
        match shape.filter(|shape| shape.len() == rank) {
            Some(shape) => Ok((shape, self.values.unwrap_or(Typed::Double(Vec::new())))),
            None => Err(self.ragged()),
        }
    }

    fn ragged(&self) -> Unpassable {
        Unpassable::Ragged(self.name.clone())
    }

    fn value(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Unpassable> {
        match cursor.peek() {
            Some(b'"') => {
                let text = unescape(cursor.string()?).into_bytes().into();
                self.text(text)
            }
            Some(b'{') => {
                let bytes = self.base64(cursor)?;
                self.text(bytes)
            }
            Some(b't' | b'f') => {
                let value = cursor.raw()? == "true";
                match self.values.get_or_insert(Typed::Truth(Vec::new())) {
                    Typed::Truth(values) => values.push(value),
                    _ => return Err(self.mixed()),
                }
                Ok(())
            }
            _ => {
                let written = cursor.raw_with_nan()?;
                self.number(written)
            }
        }
    }

    fn text(&mut self, text: Bytes) -> Result<(), Unpassable> {
        match self.values.get_or_insert(Typed::Text(Vec::new())) {
            Typed::Text(values) if values.len() >= TEXTS_MAX => Err(Unpassable::TooManyTexts),
            Typed::Text(values) => {
                values.push(text);
                Ok(())
            }
            _ => Err(self.mixed()),
        }
    }

    /// A number as it is written; whole ones are kept as such until there is another.
    fn number(&mut self, written: &str) -> Result<(), Unpassable> {
        let whole = written.parse::<i64>().ok();
        let value = if matches!(written, "null" | "NaN") { Ok(f64::NAN) } else { written.parse::<f64>() };
        let value = value.map_err(|_| Unpassable::Form("a number"))?;
        if value.is_infinite() {
            return Err(Unpassable::Infinite);
        }
        let first = whole.map_or(Typed::Double(Vec::new()), |_| Typed::Whole(Vec::new()));
        let values = self.values.get_or_insert(first);
        match (&mut *values, whole) {
            (Typed::Whole(values), Some(whole)) => values.push(whole),
            (Typed::Whole(wholes), None) => {
                #[expect(clippy::cast_precision_loss, reason = "as numbers in JSON are")]
                let mut doubles: Vec<f64> = wholes.iter().map(|value| *value as f64).collect();
                doubles.push(value);
                *values = Typed::Double(doubles);
            }
            (Typed::Double(values), _) => values.push(value),
            _ => return Err(self.mixed()),
        }
        Ok(())
    }

    fn mixed(&self) -> Unpassable {
        Unpassable::Mixed(self.name.clone())
    }

    /// `{"b64": "…"}`, as bytes are written that are no text.
    fn base64(&self, cursor: &mut Cursor<'_>) -> Result<Bytes, Unpassable> {
        let wrong = || Unpassable::Base64(self.name.clone());
        let mut bytes = None;
        cursor.object(|cursor, key| {
            let text = cursor.string()?;
            let is_bytes = key == "b64" && bytes.is_none();
            bytes = Some(STANDARD.decode(text).ok().filter(|_| is_bytes).ok_or_else(wrong)?);
            Ok::<_, Unpassable>(())
        })?;
        bytes.map(Bytes::from).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<(Vec<usize>, Typed), Unpassable> {
        let mut nested = Nested::new("x");
        nested.next(&mut Cursor::new(json.as_bytes())?, 0)?;
        nested.finish()
    }

    #[test]
    fn arrays_come_back_as_they_were() {
        for json in
            ["[[1,2],[3,4]]", "[]", "[[],[]]", "7", "[0.5,null]", "[[[true]]]", r#"["a","\"ü"]"#, r#"[{"b64":"/w=="}]"#]
        {
            let (shape, values) = read(json).unwrap();
            let mut out = Json { text: Vec::new(), most: 100 };
            write(&shape, &values, &mut 0, &mut out).unwrap();
            assert_eq!(String::from_utf8(out.text).unwrap(), json);
        }
        assert_eq!(read("[1, 2.5, NaN]").unwrap().0, [3]);
        assert_eq!(read("[1, 2.5]").unwrap().1, Typed::Double(vec![1.0, 2.5]));
    }

    #[test]
    fn what_is_no_tensor_is_told() {
        for (json, expected) in [
            ("[[1],[2,3]]", Unpassable::Ragged("x".to_owned())),
            ("[1,[2]]", Unpassable::Ragged("x".to_owned())),
            ("[[],1]", Unpassable::Ragged("x".to_owned())),
            ("[[1],[]]", Unpassable::Ragged("x".to_owned())),
            ("[1,\"a\"]", Unpassable::Mixed("x".to_owned())),
            ("[true,1]", Unpassable::Mixed("x".to_owned())),
            ("[1e999]", Unpassable::Infinite),
            (r#"[{"b64":"*"}]"#, Unpassable::Base64("x".to_owned())),
            (r#"[{"a":"b"}]"#, Unpassable::Base64("x".to_owned())),
            (&"[".repeat(17), Unpassable::Deep("x".to_owned())),
        ] {
            assert_eq!(read(json), Err(expected), "{json}");
        }
        assert!(matches!(read("[1,"), Err(Unpassable::Json(_))));
        let infinite = Typed::Single(vec![f32::INFINITY]);
        let mut out = Json { text: Vec::new(), most: 100 };
        assert_eq!(write(&[1], &infinite, &mut 0, &mut out), Err(Unpassable::Infinite));
    }

    #[test]
    fn json_does_not_grow_without_bounds() {
        let values = Typed::Truth(vec![false; 100]);
        let mut out = Json { text: Vec::new(), most: 100 };
        assert_eq!(write(&[1, 100], &values, &mut 0, &mut out), Err(Unpassable::TooLong(100)));
        assert!(out.text.len() < 110);
    }
}
