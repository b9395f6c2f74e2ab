//! What passes between the nodes of a graph: a Seldon message, or a body of V1 or V2, whose payload is kept as JSON, as
//! numbers, or as both once a node needed the other.

use std::{cell::OnceCell, rc::Rc, sync::Arc};

use bytes::Bytes;
use provost_domain::ErrorCode;
use provost_inference::{
    MissingValues, OutputKind, OutputSchema, OutputShape, Precision, Schema,
    protocol::seldon::{self, BadRequest, Envelope, Field, Form, parse_data},
};
use serde_json::{Map, Value};

use super::wire;
use crate::{error::RequestError, infer::Infer, matcher::Dialect};

/// Members of an object of `meta`.
pub(crate) type Members = Map<String, Value>;

/// A message on its way.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) payload: Rc<Payload>,
    /// `meta.tags`: the caller's, with those of the nodes it passed.
    pub(crate) tags: Members,
}

/// A payload. At least one of its forms is there: JSON, numbers or a message.
#[derive(Debug)]
pub(crate) struct Payload {
    wire: Wire,
    json: OnceCell<Bytes>,
    numbers: OnceCell<Result<Arc<Numbers>, RequestError>>,
    /// A message of V2, of which the rest is made where it is needed.
    infer: Option<Rc<Infer>>,
}

/// As what a payload is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// A field of a Seldon message.
    Field(Field),
    /// The whole body of V1 or V2.
    Body(Dialect),
}

/// A payload that is numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Numbers {
    /// As they came, and so as they are to be written.
    pub(crate) form: Form,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Row after row.
    pub(crate) values: Vec<f64>,
    pub(crate) first_missing: Option<(usize, usize)>,
    /// `data.names` as written.
    pub(crate) names: Option<String>,
    /// How they are to be read and written.
    pub(crate) schema: OutputSchema,
}

impl Payload {
    /// What was read as numbers.
    pub(crate) fn of_numbers(numbers: Numbers) -> Self {
        Self {
            wire: Wire::Field(Field::Data),
            json: OnceCell::new(),
            numbers: OnceCell::from(Ok(Arc::new(numbers))),
            infer: None,
        }
    }

    /// A message of V2.
    pub(crate) fn of_infer(infer: Infer) -> Self {
        let (json, numbers) = (OnceCell::new(), OnceCell::new());
        Self { wire: Wire::Body(Dialect::V2), json, numbers, infer: Some(Rc::new(infer)) }
    }

    /// JSON as it was written.
    pub(crate) fn of_json(field: Field, json: Bytes) -> Self {
        Self { wire: Wire::Field(field), json: OnceCell::from(json), numbers: OnceCell::new(), infer: None }
    }

    /// A body of V1 or V2.
    pub(crate) fn of_body(dialect: Dialect, body: Bytes) -> Self {
        Self { wire: Wire::Body(dialect), json: OnceCell::from(body), numbers: OnceCell::new(), infer: None }
    }

    /// Numbers of which the body of V1 or V2 is known.
    pub(crate) fn with_body(self, dialect: Dialect, body: Bytes) -> Self {
        Self { wire: Wire::Body(dialect), json: OnceCell::from(body), ..self }
    }

    /// The same with its JSON known, if it is of `data`.
    pub(crate) fn with_json(self, json: Bytes) -> Self {
        Self { json: OnceCell::from(json), ..self }
    }

    /// As what it is written.
    pub(crate) fn wire(&self) -> Wire {
        self.wire
    }

    /// The message of V2 that it is, if it is one.
    pub(crate) fn infer(&self) -> Option<&Rc<Infer>> {
        self.infer.as_ref()
    }

    /// The payload as JSON, which not every message has.
    pub(crate) fn try_json(&self) -> Result<&Bytes, RequestError> {
        if let (Some(infer), None) = (&self.infer, self.json.get()) {
            let json = infer.to_json().map_err(|reason| RequestError::new(ErrorCode::BadRequest, reason))?;
            return Ok(self.json.get_or_init(|| json));
        }
        Ok(self.json())
    }

    /// The payload as JSON; of a message that has none, nothing.
    pub(crate) fn json(&self) -> &Bytes {
        self.json.get_or_init(|| {
            if let Some(infer) = &self.infer {
                return infer.to_json().unwrap_or_default();
            }
            let mut json = Vec::new();
            // Without JSON there are numbers.
            if let Some(Ok(numbers)) = self.numbers.get() {
                numbers.write(&mut json);
            }
            json.into()
        })
    }

    /// The payload as numbers.
    pub(crate) fn numbers(&self) -> Result<Arc<Numbers>, RequestError> {
        self.numbers_for(None)
    }

    /// The payload as numbers, in the order of the features of the model that takes them.
    pub(crate) fn numbers_for(&self, schema: Option<&Schema>) -> Result<Arc<Numbers>, RequestError> {
        if let Some(known) = self.numbers.get() {
            return known.clone();
        }
        if let Some(infer) = &self.infer {
            return wire::read_infer(infer, schema).map(Arc::new);
        }
        match self.wire {
            Wire::Field(field) => {
                let read = || Ok(Arc::new(Numbers::read(field, self.json())?));
                self.numbers.get_or_init(read).clone()
            }
            // Each model may have another order.
            Wire::Body(dialect) => wire::read(dialect, self.json(), schema).map(Arc::new),
        }
    }
}

impl Numbers {
    /// Numbers as a caller sends them.
    pub(crate) fn plain(columns: usize) -> OutputSchema {
        let (shape, kind) = (OutputShape::Matrix(columns), OutputKind::Float);
        OutputSchema { shape, kind, name: "", precision: Precision::Double }
    }

    /// Rows of numbers.
    pub(crate) fn of_rows(rows: usize, columns: usize, values: Vec<f64>) -> Self {
        let schema = Self::plain(columns);
        Self { form: Form::Ndarray, rows, columns, values, first_missing: None, names: None, schema }
    }

    /// The schema of a model that takes all features as they come.
    pub(crate) fn any() -> Schema {
        let (missing_values, output) = (MissingValues::Accepted, Self::plain(0));
        Schema { features: 0, feature_names: None, missing_values, output }
    }

    fn read(field: Field, json: &Bytes) -> Result<Self, BadRequest> {
        if field != Field::Data {
            return Err(BadRequest::Payload(field.name()));
        }
        let mut values = Vec::new();
        // What was read once already is UTF-8.
        let text = std::str::from_utf8(json).unwrap_or_default();
        let data = parse_data(text, &mut values)?;
        Ok(Self {
            form: data.form,
            rows: data.rows,
            columns: data.columns,
            values,
            first_missing: data.first_missing,
            names: data.names.map(str::to_owned),
            schema: Self::plain(data.columns),
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        seldon::write_data(&self.schema, self.names.as_deref(), (self.form, self.rows), &self.values, out);
    }

    /// Whether they are class labels, with which nothing can be computed.
    pub(crate) fn are_labels(&self) -> bool {
        matches!(self.schema.kind, OutputKind::Label(_))
    }
}

/// The members of an object that was read as one.
pub(crate) fn members(raw: Option<&str>) -> Result<Members, serde_json::Error> {
    raw.map_or_else(|| Ok(Members::new()), serde_json::from_str)
}

/// The payload of a message that a node sent, as a part of its body.
pub(crate) fn payload_of(envelope: &Envelope<'_>, body: &Bytes) -> Payload {
    Payload::of_json(envelope.field, body.slice_ref(envelope.payload.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_json(json: &'static str) -> Payload {
        Payload::of_json(Field::Data, Bytes::from_static(json.as_bytes()))
    }

    #[test]
    fn numbers_are_read_of_json_when_they_are_needed() {
        let payload = of_json(r#"{"names":["a","b"],"ndarray":[[1,2],[3,null]]}"#);
        let numbers = payload.numbers().unwrap();
        assert_eq!((numbers.rows, numbers.columns, numbers.first_missing), (2, 2, Some((1, 1))));
        assert_eq!(payload.json().as_ref(), br#"{"names":["a","b"],"ndarray":[[1,2],[3,null]]}"#);
        let text = Payload::of_json(Field::StrData, Bytes::from_static(b"\"x\""));
        assert_eq!(text.numbers().unwrap_err(), BadRequest::Payload("strData").into());
    }

    #[test]
    fn json_is_written_of_numbers_when_it_is_needed() {
        for json in [
            r#"{"names":["a","b"],"ndarray":[[1.0,2.0],[3.0,4.5]]}"#,
            r#"{"names":[],"tensor":{"shape":[1,2],"values":[1.0,2.5]}}"#,
            r#"{"names":[],"tftensor":{"dtype":"DT_DOUBLE","tensorShape":{"dim":[{"size":"1"},{"size":"2"}]},"doubleVal":[1.0,2.5]}}"#,
        ] {
            let numbers = Numbers::clone(&of_json(json).numbers().unwrap());
            assert_eq!(Payload::of_numbers(numbers).json().as_ref(), json.as_bytes());
        }
    }
}
