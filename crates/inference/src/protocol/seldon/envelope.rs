//! A `SeldonMessage` taken apart without a look at its payload, for those who pass it on.

use super::{BadRequest, Form, Meta, request};
use crate::protocol::json::{Cursor, unescape};

/// A message; its parts are slices of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// Which of its fields the payload is.
    pub field: Field,
    /// The payload as written.
    pub payload: &'a str,
    /// What came in `meta`.
    pub meta: Meta<'a>,
}

/// The field of a message that carries its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Numbers or texts in rows.
    Data,
    /// A text.
    StrData,
    /// Bytes, in base64.
    BinData,
    /// Any JSON.
    JsonData,
    /// A message of another kind.
    CustomData,
}

/// The `data` of a message without its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Data<'a> {
    /// How the numbers came.
    pub form: Form,
    /// Number of instances, at least 1.
    pub rows: usize,
    /// Number of values of each.
    pub columns: usize,
    /// Row and column of the first missing value (`null` or `NaN`), if any.
    pub first_missing: Option<(usize, usize)>,
    /// `names` as written.
    pub names: Option<&'a str>,
}

impl Field {
    const ALL: [Self; 5] = [Self::Data, Self::StrData, Self::BinData, Self::JsonData, Self::CustomData];

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::StrData => "strData",
            Self::BinData => "binData",
            Self::JsonData => "jsonData",
            Self::CustomData => "customData",
        }
    }
}

/// Takes a message apart.
pub fn parse_envelope(body: &[u8]) -> Result<Envelope<'_>, BadRequest> {
    let mut cursor = Cursor::new(body)?;
    let Parts { payload, meta } = Parts::read(&mut cursor)?;
    let (field, payload) = payload.ok_or(BadRequest::NoPayload)?;
    Ok(Envelope { field, payload, meta })
}

/// The parts of a message, which may be without payload.
#[derive(Default)]
pub(super) struct Parts<'a> {
    pub(super) payload: Option<(Field, &'a str)>,
    pub(super) meta: Meta<'a>,
}

impl<'a> Parts<'a> {
    /// Reads the whole text.
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Result<Self, BadRequest> {
        let mut parts = Self::default();
        cursor.object(|cursor, key| parts.member(cursor, key))?;
        cursor.end()?;
        Ok(parts)
    }

    fn member(&mut self, cursor: &mut Cursor<'a>, key: &str) -> Result<(), BadRequest> {
        match (Field::ALL.into_iter().find(|field| field.name() == key), key) {
            (Some(_), _) if cursor.take_word("null") => {}
            (Some(field), _) => {
                if self.payload.replace((field, cursor.raw_with_nan()?)).is_some() {
                    return Err(BadRequest::SeveralPayloads);
                }
            }
            (None, "meta") => self.meta = request::read_meta(cursor)?,
            (None, "status") => drop(cursor.raw()?),
            (None, _) => return Err(BadRequest::UnknownField(unescape(key))),
        }
        Ok(())
    }
}

/// Reads `data` and appends its numbers, row after row, to `values`, which must be empty. A missing value is NaN.
pub fn parse_data<'a>(data: &'a str, values: &mut Vec<f64>) -> Result<Data<'a>, BadRequest> {
    let mut cursor = Cursor::new(data.as_bytes())?;
    let data = request::read_data(&mut cursor, values)?;
    cursor.end()?;
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_stays_as_it_was_written() {
        let body =
            br#"{"meta": {"puid": "p", "tags": {"a": [1]}}, "jsonData": {"b": [1.50, "c", NaN]}, "status": null}"#;
        let envelope = parse_envelope(body).unwrap();
        assert_eq!((envelope.field, envelope.payload), (Field::JsonData, r#"{"b": [1.50, "c", NaN]}"#));
        assert_eq!((envelope.meta.puid, envelope.meta.tags), (Some("p"), Some(r#"{"a": [1]}"#)));
        assert_eq!(parse_envelope(br#"{"data":null,"strData":"x"}"#).unwrap().field, Field::StrData);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for (body, expected) in [
            ("[1]", "the body is not valid JSON"),
            ("{", "the body is not valid JSON"),
            ("{}", "the request has no payload"),
            (r#"{"strData":"a","binData":"b"}"#, "the request has more than one payload"),
            (r#"{"strData":"a","more":1}"#, "`more` is not a field of a Seldon message"),
            (r#"{"strData":"a","meta":[]}"#, "`meta` must be an object"),
        ] {
            let error = parse_envelope(body.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{body}: {error}");
        }
    }

    #[test]
    fn numbers_of_data_are_read() {
        let mut values = Vec::new();
        let data = parse_data(r#"{"names":["a"],"tensor":{"shape":[2,1],"values":[1,null]}}"#, &mut values).unwrap();
        assert_eq!((data.form, data.rows, data.columns), (Form::Tensor, 2, 1));
        assert_eq!((data.first_missing, data.names, values[0]), (Some((1, 0)), Some(r#"["a"]"#), 1.0));
        let error = parse_data(r#"{"ndarray":[["a"]]}"#, &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "row 0, column 0: expected a number, found a text");
        assert_eq!(parse_data(r#"{"names":[]}"#, &mut Vec::new()), Err(BadRequest::NoPayload));
    }
}
