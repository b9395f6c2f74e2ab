//! Writes answers of V2: everything that does not depend on the request is prepared once.

use super::{BadRequest, Request};
use crate::{
    OutputKind, OutputSchema, Precision, Schema,
    protocol::{
        json::{unescape, write_string},
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
    pub fn new(schema: &Schema, model: &str, version: &str, platform: &str) -> Self {
        let output = &schema.output;
        let quoted = |text: &str| {
            let mut out = Vec::new();
            write_string(text, &mut out);
            out
        };
        let model = quoted(model);
        let head = [&b"{\"model_name\":"[..], &model, b",\"model_version\":", &quoted(version), b",\"id\":\""].concat();
        let (name, datatype) = (quoted(output.name), quoted(datatype(output)));
        let tensor =
            [&b"\",\"outputs\":[{\"name\":"[..], &name, b",\"datatype\":", &datatype, b",\"shape\":["].concat();
        let (output, version, platform) = (output.clone(), version.to_owned(), platform.to_owned());
        Self { output, features: schema.features, version, platform, model, head, tensor }
    }

    /// The version of the model.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Checks that the model has the outputs that the request asks for.
    pub fn check_outputs(&self, request: &Request<'_>) -> Result<(), BadRequest> {
        let output = self.output.name;
        let unknown = request.outputs.iter().find(|name| **name != output);
        unknown.map_or(Ok(()), |name| Err(BadRequest::UnknownOutput { name: unescape(name), output }))
    }

    /// Appends the whole body of an answer. The output of n rows has the shape [n, width], as that of `MLServer`.
    pub fn write(&self, answer: &Answer<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        out.extend_from_slice(answer.id.as_bytes());
        out.extend_from_slice(&self.tensor);
        write_integer(answer.rows, out);
        out.push(b',');
        write_integer(self.output.width(), out);
        out.extend_from_slice(b"],\"data\":");
        write_values(&self.output.kind, answer.outputs, out);
        out.extend_from_slice(b"}]}");
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
    out.extend_from_slice(b",\"extensions\":[]}");
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
    fn metadata_tells_inputs_and_outputs() {
        let template = template(OutputShape::Matrix(3), OutputKind::Float, Precision::Double);
        let mut body = Vec::new();
        template.write_metadata(&mut body);
        let expected = r#"{"name":"clf","versions":["r\"1"],"platform":"sklearn","inputs":[{"name":"input-0","datatype":"FP64","shape":[-1,4]}],"outputs":[{"name":"predict","datatype":"FP64","shape":[-1,3]}]}"#;
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }
}
