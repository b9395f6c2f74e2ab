//! Answers to requests for predictions.

use std::collections::BTreeMap;

use prost::Message as _;

use super::request::{Method, Request, classes};
use crate::{
    OutputKind, Predict,
    protocol::{
        json::write_string,
        proto::{
            serving::{
                Class, ClassificationResponse, ClassificationResult, Classifications, ModelSpec, PredictResponse,
                Regression, RegressionResponse, RegressionResult, VersionChoice,
            },
            tensorflow::TensorProto,
        },
        tensorflow::tensor,
        values::{write_float, write_values},
    },
};

/// A model by its name and the number of its version.
#[derive(Debug, Clone, Copy)]
pub struct NamedModel<'a> {
    /// Its name.
    pub name: &'a str,
    /// The number of its version.
    pub version: i64,
    /// It.
    pub model: &'a dyn Predict,
}

/// What a model gave.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The model.
    pub by: NamedModel<'a>,
    /// Number of instances.
    pub rows: usize,
    /// `rows × width` outputs, row after row.
    pub outputs: &'a [f64],
}

impl NamedModel<'_> {
    /// What is told of it with each answer.
    pub(super) fn spec(&self, signature: &str) -> ModelSpec {
        let version = Some(VersionChoice::Number(self.version));
        ModelSpec { name: self.name.to_owned(), version, signature_name: signature.to_owned() }
    }
}

impl Answer<'_> {
    /// Appends the message that answers a request which was checked.
    pub fn write(&self, request: &Request, out: &mut Vec<u8>) {
        let asked = request.model_spec().map_or("", |spec| &spec.signature_name);
        let model_spec = Some(self.by.spec(if asked.is_empty() { "serving_default" } else { asked }));
        // There is room in a vector.
        let _written = match request {
            Request::Predict(_) => PredictResponse { outputs: self.tensors(), model_spec }.encode(out),
            Request::Classify(_) => {
                ClassificationResponse { result: Some(self.classifications()), model_spec }.encode(out)
            }
            Request::Regress(_) => RegressionResponse { result: Some(self.regressions()), model_spec }.encode(out),
        };
    }

    /// Appends the body that answers a request of V1 which was checked: `[label, score]` of each class, or one number, for
    /// each example.
    pub fn write_json(&self, method: Method, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"result\":");
        match method {
            Method::Regress => write_values(&OutputKind::Float, self.outputs, out),
            Method::Classify => self.write_classes(out),
        }
        out.push(b'}');
    }

    fn write_classes(&self, out: &mut Vec<u8>) {
        let labels = classes(self.by.model).unwrap_or_default();
        let mut before = b"[[";
        for row in self.outputs.chunks_exact(labels.len().max(1)) {
            out.extend_from_slice(before);
            for (index, (label, score)) in labels.iter().zip(row).enumerate() {
                out.extend_from_slice(if index > 0 { b",[" } else { b"[" });
                write_string(label, out);
                out.push(b',');
                write_float(*score, out);
                out.push(b']');
            }
            out.push(b']');
            before = b",[";
        }
        out.push(b']');
    }

    fn tensors(&self) -> BTreeMap<String, TensorProto> {
        let output = &self.by.model.schema().output;
        BTreeMap::from([(output.name.to_owned(), tensor(output, self.rows, self.outputs))])
    }

    fn classifications(&self) -> ClassificationResult {
        let labels = classes(self.by.model).unwrap_or_default();
        #[expect(clippy::cast_possible_truncation, reason = "as the message has it")]
        let class = |(label, score): (&str, &f64)| Class { label: label.to_owned(), score: *score as f32 };
        let names = || labels.iter().map(AsRef::as_ref);
        let of_row = |row: &[f64]| Classifications { classes: names().zip(row).map(class).collect() };
        ClassificationResult { classifications: self.outputs.chunks_exact(labels.len().max(1)).map(of_row).collect() }
    }

    fn regressions(&self) -> RegressionResult {
        #[expect(clippy::cast_possible_truncation, reason = "as the message has it")]
        let regression = |value: &f64| Regression { value: *value as f32 };
        RegressionResult { regressions: self.outputs.iter().map(regression).collect() }
    }
}
