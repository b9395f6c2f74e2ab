//! Messages of gRPC: the same payloads as over REST.

use bytes::Bytes;
use prost::Message as _;
use prost_types::{ListValue, Value, value::Kind};

use super::{BadRequest, Form, ResponseTemplate};
use crate::{
    OutputKind, OutputSchema, OutputShape,
    protocol::{
        block::Shape,
        proto::{
            seldon::{DefaultData, Meta, Payload, SeldonMessage, Tensor, Values},
            tensorflow::TensorProto,
        },
        tensorflow,
        values::VALUES_MAX,
    },
};

/// The numbers of a message without their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageNumbers<'a> {
    /// How the numbers came.
    pub form: Form,
    /// Number of instances, at least 1.
    pub rows: usize,
    /// Number of features of each.
    pub columns: usize,
    /// Row and column of the first missing value, if any.
    pub first_missing: Option<(usize, usize)>,
    /// `data.names`.
    pub names: &'a [String],
}

/// The parts of an answer that come from the request.
#[derive(Debug, Clone, Copy)]
pub struct MessageAnswer<'a> {
    /// How the numbers came.
    pub form: Form,
    /// Number of instances.
    pub rows: usize,
    /// `rows × width` outputs, row after row.
    pub outputs: &'a [f64],
    /// The request's id, where the caller's `meta` has none.
    pub puid: &'a str,
    /// The caller's `meta`.
    pub meta: Option<&'a Meta>,
}

/// Reads a message and appends its values, row after row, to `values`, which must be empty. A null is a missing value.
pub fn read_message<'a>(message: &'a SeldonMessage, values: &mut Vec<f64>) -> Result<MessageNumbers<'a>, BadRequest> {
    let data = match &message.payload {
        Some(Payload::Data(data)) => data,
        Some(Payload::BinData(_)) => return Err(BadRequest::Payload("binData")),
        Some(Payload::StrData(_)) => return Err(BadRequest::Payload("strData")),
        Some(Payload::JsonData(_)) => return Err(BadRequest::Payload("jsonData")),
        Some(Payload::CustomData(_)) => return Err(BadRequest::Payload("customData")),
        None => return Err(BadRequest::NoPayload),
    };
    let (form, rows, columns) = match &data.values {
        Some(Values::Tensor(tensor)) => read_tensor(tensor, values)?,
        Some(Values::Ndarray(list)) => read_ndarray(list, values)?,
        Some(Values::Tftensor(bytes)) => read_tftensor(bytes, values)?,
        None => return Err(BadRequest::NoPayload),
    };
    if rows == 0 || columns == 0 {
        return Err(BadRequest::Empty);
    }
    let place = |index: usize| (index / columns, index % columns);
    if let Some(index) = values.iter().position(|value| value.is_infinite()) {
        let (row, column) = place(index);
        return Err(BadRequest::TooLarge { row, column });
    }
    let first_missing = values.iter().position(|value| value.is_nan()).map(place);
    Ok(MessageNumbers { form, rows, columns, first_missing, names: &data.names })
}

fn read_tensor(tensor: &Tensor, values: &mut Vec<f64>) -> Result<(Form, usize, usize), BadRequest> {
    let [rows, columns] = tensor.shape[..] else { return Err(BadRequest::Dimensions(tensor.shape.len())) };
    let shape = [rows, columns].map(usize::try_from);
    let [Ok(rows), Ok(columns)] = shape else {
        return Err(BadRequest::Type { field: "data.tensor.shape", expected: "whole numbers that are not negative" });
    };
    if rows.checked_mul(columns) != Some(tensor.values.len()) {
        let expected = (rows as u128 * columns as u128).to_string();
        return Err(BadRequest::TensorSize { expected, actual: tensor.values.len() });
    }
    values.extend_from_slice(&tensor.values);
    Ok((Form::Tensor, rows, columns))
}

fn read_tftensor(bytes: &Bytes, values: &mut Vec<f64>) -> Result<(Form, usize, usize), BadRequest> {
    let unreadable = |_| BadRequest::Type { field: "data.tftensor", expected: "a message `tensorflow.TensorProto`" };
    let tensor = TensorProto::decode(bytes.clone()).map_err(unreadable)?;
    match tensorflow::read_tensor(&tensor, values).map_err(|problem| BadRequest::Tftensor(problem.into()))? {
        Shape::Two(rows, columns) => Ok((Form::Tftensor, rows, columns)),
        Shape::One(_) => Err(BadRequest::Dimensions(1)),
    }
}

fn read_ndarray(list: &ListValue, values: &mut Vec<f64>) -> Result<(Form, usize, usize), BadRequest> {
    let mut columns = 0;
    for (row, value) in list.values.iter().enumerate() {
        let Some(Kind::ListValue(items)) = &value.kind else { return Err(BadRequest::Dimensions(1)) };
        if row > 0 && items.values.len() != columns {
            return Err(BadRequest::Ragged { row, expected: columns, actual: items.values.len() });
        }
        columns = items.values.len();
        for (column, item) in items.values.iter().enumerate() {
            values.push(number(item, (row, column))?);
        }
        if values.len() > VALUES_MAX {
            return Err(BadRequest::TooManyValues(VALUES_MAX));
        }
    }
    Ok((Form::Ndarray, list.values.len(), columns))
}

fn number(value: &Value, (row, column): (usize, usize)) -> Result<f64, BadRequest> {
    let found = match &value.kind {
        Some(Kind::NumberValue(number)) => return Ok(*number),
        Some(Kind::BoolValue(value)) => return Ok(f64::from(u8::from(*value))),
        Some(Kind::NullValue(_)) | None => return Ok(f64::NAN),
        Some(Kind::ListValue(_)) => return Err(BadRequest::Dimensions(3)),
        Some(Kind::StringValue(_)) => "a text",
        Some(Kind::StructValue(_)) => "an object",
    };
    Err(BadRequest::NotANumber { row, column, found })
}

impl ResponseTemplate {
    /// The answer as a message of gRPC.
    pub fn message(&self, answer: &MessageAnswer<'_>) -> SeldonMessage {
        let MessageAnswer { form, rows, outputs, puid, meta } = *answer;
        let mut meta = meta.cloned().unwrap_or_default();
        meta.request_path.insert(self.node().to_owned(), self.image().to_owned());
        if meta.puid.is_empty() {
            puid.clone_into(&mut meta.puid);
        }
        let values = match (form, &self.schema().kind) {
            (Form::Tftensor, _) => {
                Values::Tftensor(tensorflow::tensor(self.schema(), rows, outputs).encode_to_vec().into())
            }
            (Form::Tensor, OutputKind::Float | OutputKind::Integer) => {
                Values::Tensor(tensor(self.schema(), rows, outputs))
            }
            _ => Values::Ndarray(ndarray(self.schema(), outputs)),
        };
        let data = DefaultData { names: super::output_names(self.schema()), values: Some(values) };
        SeldonMessage { status: None, meta: Some(meta), payload: Some(Payload::Data(data)) }
    }
}

fn tensor(schema: &OutputSchema, rows: usize, outputs: &[f64]) -> Tensor {
    let length = |length: usize| i32::try_from(length).unwrap_or(i32::MAX);
    let shape = match schema.shape {
        OutputShape::Vector => vec![length(rows)],
        OutputShape::Matrix(columns) => vec![length(rows), length(columns)],
    };
    Tensor { shape, values: outputs.to_vec() }
}

fn ndarray(schema: &OutputSchema, outputs: &[f64]) -> ListValue {
    let list = |values: &[f64]| ListValue { values: values.iter().map(|value| item(&schema.kind, *value)).collect() };
    match schema.shape {
        OutputShape::Vector => list(outputs),
        OutputShape::Matrix(columns) => {
            let row = |row| Value { kind: Some(Kind::ListValue(list(row))) };
            ListValue { values: outputs.chunks_exact(columns.max(1)).map(row).collect() }
        }
    }
}

fn item(kind: &OutputKind, value: f64) -> Value {
    let kind = match kind {
        OutputKind::Float | OutputKind::Integer => Kind::NumberValue(value),
        OutputKind::Boolean => Kind::BoolValue(value != 0.0),
        OutputKind::Label(labels) => {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
            let label = labels.get(value as usize);
            label.map_or(Kind::NullValue(0), |label| Kind::StringValue(label.to_string()))
        }
    };
    Value { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Precision, protocol::proto::tensorflow::TensorShape};

    fn data(values: Values) -> SeldonMessage {
        let data = DefaultData { names: vec!["a".to_owned()], values: Some(values) };
        SeldonMessage { payload: Some(Payload::Data(data)), ..SeldonMessage::default() }
    }

    fn list(kinds: &[Kind]) -> Kind {
        let value = |kind: &Kind| Value { kind: Some(kind.clone()) };
        Kind::ListValue(ListValue { values: kinds.iter().map(value).collect() })
    }

    fn ndarray_of(rows: &[Kind]) -> SeldonMessage {
        let Kind::ListValue(list) = list(rows) else { return SeldonMessage::default() };
        data(Values::Ndarray(list))
    }

    #[track_caller]
    fn check(message: &SeldonMessage, expected: &str) {
        assert_eq!(read_message(message, &mut Vec::new()).unwrap_err().to_string(), expected);
    }

    #[test]
    fn numbers_are_read_of_tensors_and_of_lists() {
        let mut values = Vec::new();
        let message = data(Values::Tensor(Tensor { shape: vec![2, 1], values: vec![1.0, f64::NAN] }));
        let read = read_message(&message, &mut values).unwrap();
        assert_eq!((read.form, read.rows, read.columns, read.first_missing), (Form::Tensor, 2, 1, Some((1, 0))));
        assert_eq!((values[0], read.names), (1.0, &["a".to_owned()][..]));
        values.clear();
        let row = list(&[Kind::NumberValue(1.5), Kind::BoolValue(true), Kind::NullValue(0)]);
        let message = ndarray_of(&[row]);
        let read = read_message(&message, &mut values).unwrap();
        assert_eq!(
            (read.form, read.columns, read.first_missing, &values[..2]),
            (Form::Ndarray, 3, Some((0, 2)), &[1.5, 1.0][..])
        );
    }

    #[test]
    fn what_are_no_numbers_is_refused_as_over_rest() {
        check(&SeldonMessage::default(), &BadRequest::NoPayload.to_string());
        let text = SeldonMessage { payload: Some(Payload::StrData("x".to_owned())), ..SeldonMessage::default() };
        check(&text, &BadRequest::Payload("strData").to_string());
        check(&ndarray_of(&[Kind::NumberValue(1.0)]), &BadRequest::Dimensions(1).to_string());
        check(
            &ndarray_of(&[list(&[Kind::StringValue("x".to_owned())])]),
            "row 0, column 0: expected a number, found a text",
        );
        let ragged = ndarray_of(&[list(&[Kind::NumberValue(1.0)]), list(&[])]);
        check(&ragged, &BadRequest::Ragged { row: 1, expected: 1, actual: 0 }.to_string());
        let tensor = |shape: &[i32]| data(Values::Tensor(Tensor { shape: shape.to_vec(), values: vec![1.0] }));
        check(&tensor(&[1, 2]), &BadRequest::TensorSize { expected: "2".to_owned(), actual: 1 }.to_string());
        check(&tensor(&[-1, -1]), "`data.tensor.shape` must be whole numbers that are not negative");
        check(&tensor(&[1]), &BadRequest::Dimensions(1).to_string());
        check(&ndarray_of(&[]), &BadRequest::Empty.to_string());
    }

    fn tftensor(tensor: &TensorProto) -> SeldonMessage {
        data(Values::Tftensor(tensor.encode_to_vec().into()))
    }

    #[test]
    fn tensors_of_tensorflow_are_read() {
        let of = |lengths: &[i64]| Some(TensorShape::of(lengths));
        let tensor = TensorProto {
            dtype: 2,
            tensor_shape: of(&[2, 1]),
            double_val: vec![1.0, f64::NAN],
            ..TensorProto::default()
        };
        let (message, mut values) = (tftensor(&tensor), Vec::new());
        let read = read_message(&message, &mut values).unwrap();
        assert_eq!((read.form, read.rows, read.columns, read.first_missing), (Form::Tftensor, 2, 1, Some((1, 0))));
        let line = TensorProto { tensor_shape: of(&[2]), ..tensor.clone() };
        check(&tftensor(&line), &BadRequest::Dimensions(1).to_string());
        let more = TensorProto { tensor_shape: of(&[2, 2]), ..tensor };
        check(&tftensor(&more), "`data.tftensor`: the shape [2,2] asks for 4 values, there are 2");
        let broken = data(Values::Tftensor(Bytes::from_static(&[0xff])));
        check(&broken, "`data.tftensor` must be a message `tensorflow.TensorProto`");
    }

    #[test]
    fn answers_come_in_the_form_of_the_request() {
        let shape = OutputShape::Matrix(2);
        let schema =
            OutputSchema { shape, kind: OutputKind::Float, name: "predict_proba", precision: Precision::Double };
        let template = ResponseTemplate::new(&schema, "clf", "img:0.1");
        let answer =
            |form| template.message(&MessageAnswer { form, rows: 1, outputs: &[0.25, 0.75], puid: "p", meta: None });
        let message = answer(Form::Tensor);
        let meta = message.meta.unwrap();
        assert_eq!((meta.puid.as_str(), meta.request_path["clf"].as_str()), ("p", "img:0.1"));
        let Some(Payload::Data(DefaultData { names, values })) = message.payload else { panic!("no data") };
        assert_eq!(names, ["t:0", "t:1"]);
        assert_eq!(values, Some(Values::Tensor(Tensor { shape: vec![1, 2], values: vec![0.25, 0.75] })));
        let Some(Payload::Data(DefaultData { values, .. })) = answer(Form::Ndarray).payload else { panic!("no data") };
        assert_eq!(values, Some(Values::Ndarray(ndarray(&schema, &[0.25, 0.75]))));
        let Some(Payload::Data(DefaultData { values, .. })) = answer(Form::Tftensor).payload else { panic!("no data") };
        let Some(Values::Tftensor(bytes)) = values else { panic!("no tensor of TensorFlow") };
        assert_eq!(TensorProto::decode(bytes).unwrap(), tensorflow::tensor(&schema, 1, &[0.25, 0.75]));
    }
}
