//! Writes a `SeldonMessage`: everything that does not depend on the request is prepared once.

use super::{Form, Meta};
use crate::{
    OutputKind, OutputSchema, OutputShape,
    protocol::{
        json::{Cursor, JsonError, write_string},
        tensorflow,
        values::{write_float, write_integer, write_outputs},
    },
};

/// What is the same in every answer of one predictor.
#[derive(Debug, Clone)]
pub struct ResponseTemplate {
    schema: OutputSchema,
    /// `{"data":{"names":[…],"ndarray":`
    ndarray: Vec<u8>,
    /// `{"data":{"names":[…],"tensor":`
    tensor: Vec<u8>,
    /// `{"data":{"names":[…],"tftensor":`
    tftensor: Vec<u8>,
    /// `"<node>":"<image>"`
    path: Vec<u8>,
    node: String,
    image: String,
}

/// The parts of an answer that come from the request.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// How the numbers came.
    pub form: Form,
    /// Number of instances.
    pub rows: usize,
    /// `rows × width` outputs, row after row.
    pub outputs: &'a [f64],
    /// The request's id, a text that needs no escapes.
    pub puid: &'a str,
    /// The caller's `meta`.
    pub meta: &'a Meta<'a>,
}

impl ResponseTemplate {
    /// A template for the node `node`, which runs `image` (or the implementation of that name).
    pub fn new(schema: &OutputSchema, node: &str, image: &str) -> Self {
        let mut names = b"{\"data\":{\"names\":[".to_vec();
        for (index, name) in output_names(schema).iter().enumerate() {
            if index > 0 {
                names.push(b',');
            }
            write_string(name, &mut names);
        }
        let mut path = Vec::new();
        write_string(node, &mut path);
        path.push(b':');
        write_string(image, &mut path);
        let with = |form: &[u8]| [&names, form].concat();
        let (ndarray, tensor) = (with(b"],\"ndarray\":"), with(b"],\"tensor\":"));
        let tftensor = with(b"],\"tftensor\":");
        let (node, image) = (node.to_owned(), image.to_owned());
        Self { schema: schema.clone(), ndarray, tensor, tftensor, path, node, image }
    }

    pub(super) fn schema(&self) -> &OutputSchema {
        &self.schema
    }

    pub(super) fn node(&self) -> &str {
        &self.node
    }

    pub(super) fn image(&self) -> &str {
        &self.image
    }

    /// Appends the whole body of an answer.
    pub fn write(&self, answer: &Answer<'_>, out: &mut Vec<u8>) {
        let form = written(answer.form, &self.schema);
        out.extend_from_slice(match form {
            Form::Ndarray => &self.ndarray,
            Form::Tensor => &self.tensor,
            Form::Tftensor => &self.tftensor,
        });
        write_values(&self.schema, (form, answer.rows), answer.outputs, out);
        self.write_meta(answer, out);
    }

    fn write_meta(&self, answer: &Answer<'_>, out: &mut Vec<u8>) {
        let meta = answer.meta;
        out.extend_from_slice(b"},\"meta\":{");
        if let Some(metrics) = meta.metrics {
            write_member("metrics", metrics, out);
        }
        out.extend_from_slice(b"\"puid\":\"");
        out.extend_from_slice(answer.puid.as_bytes());
        out.extend_from_slice(b"\",\"requestPath\":{");
        out.extend_from_slice(&self.path);
        if let Some(path) = meta.request_path {
            // The caller's path was read as an object, so that it can be read again.
            let _read = self.write_other_nodes(path, out);
        }
        out.push(b'}');
        for (key, value) in [("routing", meta.routing), ("tags", meta.tags)] {
            if let Some(value) = value {
                out.push(b',');
                write_member(key, value, out);
                out.pop();
            }
        }
        out.extend_from_slice(b"}}");
    }

    fn write_other_nodes(&self, path: &str, out: &mut Vec<u8>) -> Result<(), JsonError> {
        Cursor::new(path.as_bytes())?.object(|cursor, node| {
            let image = cursor.raw()?;
            if node != self.node {
                out.extend_from_slice(b",\"");
                out.extend_from_slice(node.as_bytes());
                out.extend_from_slice(b"\":");
                out.extend_from_slice(image.as_bytes());
            }
            Ok(())
        })
    }
}

/// Appends `data` of `rows` rows of `values`, under names that are an array as written.
pub fn write_data(
    schema: &OutputSchema,
    names: Option<&str>,
    (form, rows): (Form, usize),
    values: &[f64],
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(b"{\"names\":");
    out.extend_from_slice(names.unwrap_or("[]").as_bytes());
    let form = written(form, schema);
    out.extend_from_slice(match form {
        Form::Ndarray => &b",\"ndarray\":"[..],
        Form::Tensor => b",\"tensor\":",
        Form::Tftensor => b",\"tftensor\":",
    });
    write_values(schema, (form, rows), values, out);
    out.push(b'}');
}

/// The form in which values are written: what are no numbers stand in no `tensor`.
fn written(form: Form, schema: &OutputSchema) -> Form {
    if form == Form::Tensor && !is_number(schema) { Form::Ndarray } else { form }
}

fn write_values(schema: &OutputSchema, (form, rows): (Form, usize), values: &[f64], out: &mut Vec<u8>) {
    match form {
        Form::Ndarray => write_outputs(schema, values, out),
        Form::Tensor => write_tensor(schema, rows, values, out),
        Form::Tftensor => tensorflow::write_tensor(schema, rows, values, out),
    }
}

/// Whether values can stand in a tensor.
fn is_number(schema: &OutputSchema) -> bool {
    matches!(schema.kind, OutputKind::Float | OutputKind::Integer)
}

/// `tensor.values` are doubles in `prediction.proto`, so whole numbers are written as such.
fn write_tensor(schema: &OutputSchema, rows: usize, values: &[f64], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"shape\":[");
    write_integer(rows, out);
    if let OutputShape::Matrix(columns) = schema.shape {
        out.push(b',');
        write_integer(columns, out);
    }
    out.extend_from_slice(b"],\"values\":[");
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_float(*value, out);
    }
    out.extend_from_slice(b"]}");
}

/// The names of outputs as the Seldon wrapper makes them: `t:0`, `t:1`, … for a matrix, none for a vector.
pub fn output_names(schema: &OutputSchema) -> Vec<String> {
    match schema.shape {
        OutputShape::Vector => Vec::new(),
        OutputShape::Matrix(columns) => (0..columns).map(|column| format!("t:{column}")).collect(),
    }
}

/// `"key":value,`
fn write_member(key: &str, value: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
    out.extend_from_slice(value.as_bytes());
    out.push(b',');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Precision;

    #[track_caller]
    fn check(kind: OutputKind, shape: OutputShape, form: Form, outputs: &[f64], expected: &str) {
        let schema = OutputSchema { shape, kind, name: "predict_proba", precision: Precision::Double };
        let rows = outputs.len() / schema.width();
        let meta = Meta::default();
        let mut body = Vec::new();
        let answer = Answer { form, rows, outputs, puid: "p", meta: &meta };
        ResponseTemplate::new(&schema, "clf", "img:0.1").write(&answer, &mut body);
        let expected = format!(r#"{{"data":{expected},"meta":{{"puid":"p","requestPath":{{"clf":"img:0.1"}}}}}}"#);
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }

    #[test]
    fn probabilities_answer_in_the_form_that_came() {
        let outputs = [0.25, 0.75, 1e-7, 1.0];
        let matrix = OutputShape::Matrix(2);
        let ndarray = r#"{"names":["t:0","t:1"],"ndarray":[[0.25,0.75],[1e-7,1.0]]}"#;
        check(OutputKind::Float, matrix, Form::Ndarray, &outputs, ndarray);
        let tensor = r#"{"names":["t:0","t:1"],"tensor":{"shape":[2,2],"values":[0.25,0.75,1e-7,1.0]}}"#;
        check(OutputKind::Float, matrix, Form::Tensor, &outputs, tensor);
        let tftensor = r#"{"names":["t:0","t:1"],"tftensor":{"dtype":"DT_DOUBLE","tensorShape":{"dim":[{"size":"2"},{"size":"2"}]},"doubleVal":[0.25,0.75,1e-7,1.0]}}"#;
        check(OutputKind::Float, matrix, Form::Tftensor, &outputs, tftensor);
    }

    #[test]
    fn one_dimension_stays_one_dimension_without_names() {
        let vector = OutputShape::Vector;
        check(OutputKind::Integer, vector, Form::Ndarray, &[0.0, 2.0], r#"{"names":[],"ndarray":[0,2]}"#);
        let tensor = r#"{"names":[],"tensor":{"shape":[2],"values":[0.0,2.0]}}"#;
        check(OutputKind::Integer, vector, Form::Tensor, &[0.0, 2.0], tensor);
    }

    #[test]
    fn labels_and_truth_values_are_ndarrays_in_either_form() {
        let labels = OutputKind::Label(["no".into(), "y\"es".into()].into());
        let expected = r#"{"names":[],"ndarray":["y\"es","no"]}"#;
        check(labels, OutputShape::Vector, Form::Tensor, &[1.0, 0.0], expected);
        let labels = OutputKind::Label(["no".into()].into());
        let expected = r#"{"names":[],"tftensor":{"dtype":"DT_STRING","tensorShape":{"dim":[{"size":"1"}]},"stringVal":["bm8="]}}"#;
        check(labels, OutputShape::Vector, Form::Tftensor, &[0.0], expected);
        check(OutputKind::Boolean, OutputShape::Vector, Form::Ndarray, &[1.0], r#"{"names":[],"ndarray":[true]}"#);
    }

    #[test]
    fn the_callers_meta_is_kept_and_the_path_merged() {
        let (shape, kind) = (OutputShape::Vector, OutputKind::Float);
        let schema = OutputSchema { shape, kind, name: "predict", precision: Precision::Double };
        let meta = Meta {
            puid: None,
            tags: Some(r#"{"k":"v"}"#),
            routing: Some(r#"{"r":1}"#),
            request_path: Some(r#"{"up":"img:1","clf":"old"}"#),
            metrics: Some(r#"[{"key":"m"}]"#),
        };
        let mut body = Vec::new();
        let answer = Answer { form: Form::Ndarray, rows: 1, outputs: &[0.5], puid: "p", meta: &meta };
        ResponseTemplate::new(&schema, "clf", "img:0.1").write(&answer, &mut body);
        let expected = r#"{"data":{"names":[],"ndarray":[0.5]},"meta":{"metrics":[{"key":"m"}],"puid":"p","requestPath":{"clf":"img:0.1","up":"img:1"},"routing":{"r":1},"tags":{"k":"v"}}}"#;
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }
}
