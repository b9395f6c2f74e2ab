//! Writes answers of V2: everything that does not depend on the request is prepared once.

use super::{BadRequest, Request};
use crate::{
    OutputKind, OutputSchema, Precision, Schema,
    protocol::{
        json::{unescape, write_string},
        proto::inference as proto,
        values::{write_integer, write_values},
    },
};

/// What is the same in every answer of one model.
#[derive(Debug, Clone)]
pub struct ResponseTemplate {
    output: OutputSchema,
    features: usize,
    version: String,
    platform: String,
    /// `"<model>"`
    model: Vec<u8>,
    /// The same as it is.
    name: String,
    /// `{"model_name":"<model>","model_version":"<version>","id":"`
    head: Vec<u8>,
    /// `","outputs":[{"name":"<output>","datatype":"<datatype>","shape":[`
    tensor: Vec<u8>,
}

/// The parts of an answer that come from the request.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The id, a text that needs no escapes.
    pub id: &'a str,
    /// Number of instances.
    pub rows: usize,
    /// `rows × width` outputs, row after row.
    pub outputs: &'a [f64],
}

impl ResponseTemplate {
    /// A template for the model of that name and version; the platform is what it is made with, such as `sklearn`.
    pub fn new(schema: &Schema, of_model: &str, version: &str, platform: &str) -> Self {
        let output = &schema.output;
        let quoted = |text: &str| {
            let mut out = Vec::new();
            write_string(text, &mut out);
            out
        };
        let model = quoted(of_model);
        let head = [&b"{\"model_name\":"[..], &model, b",\"model_version\":", &quoted(version), b",\"id\":\""].concat();
        let (name, datatype) = (quoted(output.name), quoted(datatype(output)));
        let tensor =
            [&b"\",\"outputs\":[{\"name\":"[..], &name, b",\"datatype\":", &datatype, b",\"shape\":["].concat();
        let (output, version, platform) = (output.clone(), version.to_owned(), platform.to_owned());
        let name = of_model.to_owned();
        Self { output, features: schema.features, version, platform, model, name, head, tensor }
    }

    /// The name of the model.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version of the model.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What the model is made with.
    pub fn platform(&self) -> &str {
        &self.platform
    }

    /// Checks that the model has the outputs that the request asks for.
    pub fn check_outputs(&self, request: &Request<'_>) -> Result<(), BadRequest> {
        let output = self.output.name;
        let unknown = request.outputs.iter().find(|name| **name != output);
        unknown.map_or(Ok(()), |name| Err(BadRequest::UnknownOutput { name: unescape(name), output }))
    }

    /// Appends the whole body of an answer. The output of n rows has the shape [n, width], as that of `MLServer`.
    pub fn write(&self, answer: &Answer<'_>, out: &mut Vec<u8>) {
        self.write_head(answer, out);
        out.extend_from_slice(b"],\"data\":");
        write_values(&self.output.kind, answer.outputs, out);
        out.extend_from_slice(b"}]}");
    }

    /// Appends the body of an answer whose values come as bytes after its JSON, and gives the length of that.
    pub fn write_binary(&self, answer: &Answer<'_>, out: &mut Vec<u8>) -> usize {
        let start = out.len();
        self.write_head(answer, out);
        out.extend_from_slice(b"],\"parameters\":{\"binary_data_size\":");
        write_integer(raw_length(&self.output, answer.outputs), out);
        out.extend_from_slice(b"}}]}");
        let length = out.len() - start;
        write_raw(&self.output, answer.outputs, out);
        length
    }

    /// What comes before the end of the shape.
    fn write_head(&self, answer: &Answer<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        out.extend_from_slice(answer.id.as_bytes());
        out.extend_from_slice(&self.tensor);
        write_integer(answer.rows, out);
        out.push(b',');
        write_integer(self.output.width(), out);
    }

    /// The answer as a message of gRPC, with its values beside the tensor where the request had them there.
    pub fn message(&self, answer: &Answer<'_>, is_raw: bool) -> proto::ModelInferResponse {
        let mut tensor = proto::Tensor {
            name: self.output.name.to_owned(),
            datatype: datatype(&self.output).to_owned(),
            shape: [answer.rows, self.output.width()].map(|length| i64::try_from(length).unwrap_or(i64::MAX)).to_vec(),
            contents: None,
        };
        let mut raw_output_contents = Vec::new();
        if is_raw {
            let mut bytes = Vec::with_capacity(raw_length(&self.output, answer.outputs));
            write_raw(&self.output, answer.outputs, &mut bytes);
            raw_output_contents.push(bytes.into());
        } else {
            tensor.contents = Some(contents(&self.output, answer.outputs));
        }
        proto::ModelInferResponse {
            model_name: self.name.clone(),
            model_version: self.version.clone(),
            id: answer.id.to_owned(),
            outputs: vec![tensor],
            raw_output_contents,
        }
    }

    /// What gRPC tells of the model.
    pub fn metadata_message(&self) -> proto::ModelMetadata {
        let tensor = |name: &str, datatype: &str, columns: usize| proto::TensorMetadata {
            name: name.to_owned(),
            datatype: datatype.to_owned(),
            shape: vec![-1, i64::try_from(columns).unwrap_or(i64::MAX)],
        };
        proto::ModelMetadata {
            name: self.name.clone(),
            versions: vec![self.version.clone()],
            platform: self.platform.clone(),
            inputs: vec![tensor("input-0", "FP64", self.features)],
            outputs: vec![tensor(self.output.name, datatype(&self.output), self.output.width())],
        }
    }

    /// Appends what `GET /v2/models/<model>` tells.
    pub fn write_metadata(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"name\":");
        out.extend_from_slice(&self.model);
        out.extend_from_slice(b",\"versions\":[");
        write_string(&self.version, out);
        out.extend_from_slice(b"],\"platform\":");
        write_string(&self.platform, out);
        out.extend_from_slice(b",\"inputs\":[");
        write_tensor("input-0", "FP64", self.features, out);
        out.extend_from_slice(b"],\"outputs\":[");
        write_tensor(self.output.name, datatype(&self.output), self.output.width(), out);
        out.extend_from_slice(b"]}");
    }
}

/// `{"name":…,"datatype":…,"shape":[-1,<columns>]}`
fn write_tensor(name: &str, datatype: &str, columns: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"name\":");
    write_string(name, out);
    out.extend_from_slice(b",\"datatype\":");
    write_string(datatype, out);
    out.extend_from_slice(b",\"shape\":[-1,");
    write_integer(columns, out);
    out.extend_from_slice(b"]}");
}

/// How many bytes the values are.
fn raw_length(output: &OutputSchema, values: &[f64]) -> usize {
    match (&output.kind, output.precision) {
        (OutputKind::Float, Precision::Single) => values.len() * 4,
        (OutputKind::Float, Precision::Double) | (OutputKind::Integer, _) => values.len() * 8,
        (OutputKind::Boolean, _) => values.len(),
        (OutputKind::Label(labels), _) => values.iter().map(|value| 4 + label(labels, *value).len()).sum(),
    }
}

/// Appends the values as bytes, little-endian; texts each after its length in four bytes.
fn write_raw(output: &OutputSchema, values: &[f64], bytes: &mut Vec<u8>) {
    for value in values {
        #[expect(clippy::cast_possible_truncation, reason = "predictors give numbers of the datatype")]
        match (&output.kind, output.precision) {
            (OutputKind::Float, Precision::Single) => bytes.extend_from_slice(&(*value as f32).to_le_bytes()),
            (OutputKind::Float, Precision::Double) => bytes.extend_from_slice(&value.to_le_bytes()),
            (OutputKind::Integer, _) => bytes.extend_from_slice(&(*value as i64).to_le_bytes()),
            (OutputKind::Boolean, _) => bytes.push(u8::from(*value != 0.0)),
            (OutputKind::Label(labels), _) => {
                let label = label(labels, *value);
                bytes.extend_from_slice(&u32::try_from(label.len()).unwrap_or(u32::MAX).to_le_bytes());
                bytes.extend_from_slice(label);
            }
        }
    }
}

/// The values in the field of their datatype.
fn contents(output: &OutputSchema, values: &[f64]) -> proto::Contents {
    let mut contents = proto::Contents::default();
    #[expect(clippy::cast_possible_truncation, reason = "predictors give numbers of the datatype")]
    match (&output.kind, output.precision) {
        (OutputKind::Float, Precision::Single) => {
            contents.fp32_contents = values.iter().map(|value| *value as f32).collect();
        }
        (OutputKind::Float, Precision::Double) => contents.fp64_contents = values.to_vec(),
        (OutputKind::Integer, _) => contents.int64_contents = values.iter().map(|value| *value as i64).collect(),
        (OutputKind::Boolean, _) => contents.bool_contents = values.iter().map(|value| *value != 0.0).collect(),
        (OutputKind::Label(labels), _) => {
            contents.bytes_contents = values.iter().map(|value| label(labels, *value).to_vec()).collect();
        }
    }
    contents
}

fn label(labels: &[Box<str>], value: f64) -> &[u8] {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    labels.get(value as usize).map_or(b"", |label| label.as_bytes())
}

fn datatype(output: &OutputSchema) -> &'static str {
    match (&output.kind, output.precision) {
        (OutputKind::Float, Precision::Single) => "FP32",
        (OutputKind::Float, Precision::Double) => "FP64",
        (OutputKind::Integer, _) => "INT64",
        (OutputKind::Boolean, _) => "BOOL",
        (OutputKind::Label(_), _) => "BYTES",
    }
}

/// Appends what `GET /v2` tells of the server.
pub fn write_server(version: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"name\":\"provost\",\"version\":");
    write_string(version, out);
    out.extend_from_slice(b",\"extensions\":[\"binary_tensor_data\",\"model_repository\"]}");
}

/// Appends what `GET /v2/models/<model>/ready` tells.
pub fn write_model_ready(model: &str, is_ready: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"name\":");
    write_string(model, out);
    out.extend_from_slice(if is_ready { b",\"ready\":true}" } else { b",\"ready\":false}" });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MissingValues, OutputShape};

    fn template(shape: OutputShape, kind: OutputKind, precision: Precision) -> ResponseTemplate {
        let output = OutputSchema { shape, kind, name: "predict", precision };
        let schema = Schema { features: 4, feature_names: None, missing_values: MissingValues::Refused, output };
        ResponseTemplate::new(&schema, "clf", "r\"1", "sklearn")
    }

    #[track_caller]
    fn check(template: &ResponseTemplate, outputs: &[f64], expected: &str) {
        let mut body = Vec::new();
        let rows = outputs.len() / template.output.width();
        template.write(&Answer { id: "i", rows, outputs }, &mut body);
        let expected = format!(
            r#"{{"model_name":"clf","model_version":"r\"1","id":"i","outputs":[{{"name":"predict",{expected}}}]}}"#
        );
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }

    #[test]
    fn outputs_have_two_dimensions_and_a_datatype() {
        let matrix = template(OutputShape::Matrix(2), OutputKind::Float, Precision::Double);
        check(&matrix, &[0.25, 0.75, f64::NAN, 1.0], r#""datatype":"FP64","shape":[2,2],"data":[0.25,0.75,null,1.0]"#);
        let vector = |kind, precision| template(OutputShape::Vector, kind, precision);
        let single = vector(OutputKind::Float, Precision::Single);
        check(&single, &[0.5], r#""datatype":"FP32","shape":[1,1],"data":[0.5]"#);
        let whole = vector(OutputKind::Integer, Precision::Double);
        check(&whole, &[2.0, 0.0], r#""datatype":"INT64","shape":[2,1],"data":[2,0]"#);
        let truth = vector(OutputKind::Boolean, Precision::Double);
        check(&truth, &[1.0], r#""datatype":"BOOL","shape":[1,1],"data":[true]"#);
        let labels = vector(OutputKind::Label(["no".into(), "yes".into()].into()), Precision::Double);
        check(&labels, &[1.0], r#""datatype":"BYTES","shape":[1,1],"data":["yes"]"#);
    }

    #[test]
    fn values_come_as_bytes_after_json_that_tells_their_number() {
        let vector = |kind, precision| template(OutputShape::Vector, kind, precision);
        let texts = OutputKind::Label(["no".into(), "yes".into()].into());
        for (template, outputs, expected) in [
            (vector(OutputKind::Float, Precision::Single), [0.5, 2.0], [0.5_f32, 2.0].map(f32::to_le_bytes).concat()),
            (vector(OutputKind::Float, Precision::Double), [0.5, 2.0], [0.5_f64, 2.0].map(f64::to_le_bytes).concat()),
            (vector(OutputKind::Integer, Precision::Double), [2.0, 1.0], [2_i64, 1].map(i64::to_le_bytes).concat()),
            (vector(OutputKind::Boolean, Precision::Double), [1.0, 0.0], vec![1, 0]),
            (vector(texts, Precision::Double), [1.0, 0.0], b"\x03\0\0\0yes\x02\0\0\0no".to_vec()),
        ] {
            let mut body = b"before".to_vec();
            let answer = Answer { id: "i", rows: 2, outputs: &outputs };
            let length = template.write_binary(&answer, &mut body);
            let (json, bytes) = body["before".len()..].split_at(length);
            assert_eq!(bytes, expected);
            let json = std::str::from_utf8(json).unwrap();
            let end = format!(r#","shape":[2,1],"parameters":{{"binary_data_size":{}}}}}]}}"#, expected.len());
            assert!(json.starts_with(r#"{"model_name":"clf""#) && json.ends_with(&end), "{json}");
        }
    }

    #[test]
    fn metadata_tells_inputs_and_outputs() {
        let template = template(OutputShape::Matrix(3), OutputKind::Float, Precision::Double);
        let mut body = Vec::new();
        template.write_metadata(&mut body);
        let expected = r#"{"name":"clf","versions":["r\"1"],"platform":"sklearn","inputs":[{"name":"input-0","datatype":"FP64","shape":[-1,4]}],"outputs":[{"name":"predict","datatype":"FP64","shape":[-1,3]}]}"#;
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }
}
