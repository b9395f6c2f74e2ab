//! Outputs as tensors.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    OutputKind, OutputSchema, OutputShape, Precision,
    protocol::{
        json::write_string,
        proto::tensorflow::{TensorProto, TensorShape},
        values::{write_float, write_integer},
    },
};

/// The name and number of the type that outputs have, and the field in JSON where they stand.
fn dtype(output: &OutputSchema) -> (&'static str, i32, &'static str) {
    match (&output.kind, output.precision) {
        (OutputKind::Float, Precision::Single) => ("DT_FLOAT", 1, "floatVal"),
        (OutputKind::Float, Precision::Double) => ("DT_DOUBLE", 2, "doubleVal"),
        (OutputKind::Integer, _) => ("DT_INT64", 9, "int64Val"),
        (OutputKind::Boolean, _) => ("DT_BOOL", 10, "boolVal"),
        (OutputKind::Label(_), _) => ("DT_STRING", 7, "stringVal"),
    }
}

/// The number of the type that outputs have.
pub(in crate::protocol) fn dtype_number(output: &OutputSchema) -> i32 {
    dtype(output).1
}

/// The outputs of `rows` instances, row after row, as a tensor.
pub fn tensor(output: &OutputSchema, rows: usize, values: &[f64]) -> TensorProto {
    let length = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    let shape = match output.shape {
        OutputShape::Vector => TensorShape::of(&[length(rows)]),
        OutputShape::Matrix(columns) => TensorShape::of(&[length(rows), length(columns)]),
    };
    let mut tensor = TensorProto { dtype: dtype(output).1, tensor_shape: Some(shape), ..TensorProto::default() };
    #[expect(clippy::cast_possible_truncation, reason = "predictors give numbers of the type")]
    match (&output.kind, output.precision) {
        (OutputKind::Float, Precision::Single) => tensor.float_val = values.iter().map(|value| *value as f32).collect(),
        (OutputKind::Float, Precision::Double) => tensor.double_val = values.to_vec(),
        (OutputKind::Integer, _) => tensor.int64_val = values.iter().map(|value| *value as i64).collect(),
        (OutputKind::Boolean, _) => tensor.bool_val = values.iter().map(|value| *value != 0.0).collect(),
        (OutputKind::Label(labels), _) => {
            tensor.string_val = values.iter().map(|value| label(labels, *value).as_bytes().to_vec().into()).collect();
        }
    }
    tensor
}

/// Appends the same as JSON.
pub fn write_tensor(output: &OutputSchema, rows: usize, values: &[f64], out: &mut Vec<u8>) {
    let (name, _, field) = dtype(output);
    out.extend_from_slice(b"{\"dtype\":\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\",\"tensorShape\":{\"dim\":[{\"size\":\"");
    write_integer(rows, out);
    if let OutputShape::Matrix(columns) = output.shape {
        out.extend_from_slice(b"\"},{\"size\":\"");
        write_integer(columns, out);
    }
    out.extend_from_slice(b"\"}]},\"");
    out.extend_from_slice(field.as_bytes());
    out.extend_from_slice(b"\":[");
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_value(&output.kind, *value, out);
    }
    out.extend_from_slice(b"]}");
}

/// A value as proto3 maps it to JSON: whole numbers of 64 bits are texts, and so is what JSON has no number for.
fn write_value(kind: &OutputKind, value: f64, out: &mut Vec<u8>) {
    match kind {
        OutputKind::Float if value.is_finite() => write_float(value, out),
        OutputKind::Float if value.is_nan() => out.extend_from_slice(b"\"NaN\""),
        OutputKind::Float if value > 0.0 => out.extend_from_slice(b"\"Infinity\""),
        OutputKind::Float => out.extend_from_slice(b"\"-Infinity\""),
        #[expect(clippy::cast_possible_truncation, reason = "predictors give whole numbers here")]
        OutputKind::Integer => write_string(&(value as i64).to_string(), out),
        OutputKind::Boolean => out.extend_from_slice(if value == 0.0 { b"false" } else { b"true" }),
        OutputKind::Label(labels) => write_string(&STANDARD.encode(label(labels, value)), out),
    }
}

fn label(labels: &[Box<str>], value: f64) -> &str {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    labels.get(value as usize).map_or("", AsRef::as_ref)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{block::Shape, json::Cursor, tensorflow::read_json};

    fn schema(kind: OutputKind, shape: OutputShape, precision: Precision) -> OutputSchema {
        OutputSchema { shape, kind, name: "predict", precision }
    }

    #[track_caller]
    fn check(output: &OutputSchema, values: &[f64], expected: &str) {
        let mut json = Vec::new();
        write_tensor(output, values.len() / output.width(), values, &mut json);
        assert_eq!(String::from_utf8(json).unwrap(), expected);
    }

    #[test]
    fn outputs_are_written_as_proto3_has_them_in_json() {
        let vector = |kind| schema(kind, OutputShape::Vector, Precision::Double);
        let start = |dtype| format!(r#"{{"dtype":"{dtype}","tensorShape":{{"dim":[{{"size":"2"}}]}},"#);
        let floats = format!(r#"{}"doubleVal":[0.5,"NaN"]}}"#, start("DT_DOUBLE"));
        check(&vector(OutputKind::Float), &[0.5, f64::NAN], &floats);
        let infinite = format!(r#"{}"doubleVal":["Infinity","-Infinity"]}}"#, start("DT_DOUBLE"));
        check(&vector(OutputKind::Float), &[f64::INFINITY, f64::NEG_INFINITY], &infinite);
        check(&vector(OutputKind::Integer), &[2.0, -1.0], &format!(r#"{}"int64Val":["2","-1"]}}"#, start("DT_INT64")));
        check(&vector(OutputKind::Boolean), &[1.0, 0.0], &format!(r#"{}"boolVal":[true,false]}}"#, start("DT_BOOL")));
        let labels = OutputKind::Label(["no".into(), "yes".into()].into());
        check(&vector(labels), &[1.0, 0.0], &format!(r#"{}"stringVal":["eWVz","bm8="]}}"#, start("DT_STRING")));
    }

    #[test]
    fn rows_are_read_back_as_they_were_written() {
        let output = schema(OutputKind::Float, OutputShape::Matrix(2), Precision::Single);
        let (values, mut read, mut json) = ([0.25, 0.75, 1.0, 0.0], Vec::new(), Vec::new());
        write_tensor(&output, 2, &values, &mut json);
        let shape = read_json(&mut Cursor::new(&json).unwrap(), &mut read).unwrap();
        assert_eq!((shape, &read[..]), (Shape::Two(2, 2), &values[..]));
        let message = tensor(&output, 2, &values);
        assert_eq!((message.dtype, &message.float_val[..]), (1, &[0.25, 0.75, 1.0, 0.0][..]));
        read.clear();
        assert_eq!(super::super::read_tensor(&message, &mut read), Ok(Shape::Two(2, 2)));
        assert_eq!(read, values);
    }

    #[test]
    fn a_message_has_outputs_in_the_field_of_their_type() {
        let labels = OutputKind::Label(["no".into(), "yes".into()].into());
        let of = |kind, values: &[f64]| tensor(&schema(kind, OutputShape::Vector, Precision::Double), 1, values);
        assert_eq!(of(labels, &[1.0]).string_val, ["yes"]);
        assert_eq!(of(OutputKind::Integer, &[3.0]).int64_val, [3]);
        assert_eq!(of(OutputKind::Boolean, &[1.0]).bool_val, [true]);
        let floats = of(OutputKind::Float, &[0.1]);
        assert_eq!((floats.dtype, floats.double_val, floats.tensor_shape), (2, vec![0.1], Some(TensorShape::of(&[1]))));
    }
}
