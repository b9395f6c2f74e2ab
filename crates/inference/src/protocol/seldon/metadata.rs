//! What Seldon tells of a model and of a graph (Seldon Core 1.9, `python/seldon_core/metadata.py`,
//! `executor/predictor/predictor_metadata.go`).

use super::output_names;
use crate::{OutputSchema, Schema, protocol::json::write_string};

/// What is told of a model.
#[derive(Debug, Clone, Copy)]
pub struct ModelMetadata<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
    /// What it is made with, such as `sklearn`.
    pub platform: &'a str,
    /// What it takes and gives.
    pub schema: &'a Schema,
}

impl ModelMetadata<'_> {
    /// Appends all of it.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"name\":");
        write_string(self.name, out);
        out.extend_from_slice(b",\"versions\":[");
        write_string(self.version, out);
        out.extend_from_slice(b"],\"platform\":");
        write_string(self.platform, out);
        out.extend_from_slice(b",\"inputs\":");
        write_inputs(self.schema, out);
        out.extend_from_slice(b",\"outputs\":");
        write_outputs(&self.schema.output, out);
        out.extend_from_slice(b",\"custom\":{}}");
    }
}

/// Appends what a model takes.
pub fn write_inputs(schema: &Schema, out: &mut Vec<u8>) {
    let names = schema.feature_names.as_deref().unwrap_or_default();
    write_tensor(names.iter().map(AsRef::as_ref), schema.features, out);
}

/// Appends what a model gives.
pub fn write_outputs(output: &OutputSchema, out: &mut Vec<u8>) {
    let names = output_names(output);
    write_tensor(names.iter().map(String::as_str), output.width(), out);
}

/// `[{"messagetype":"tensor","schema":{"names":[…],"shape":[<columns>]}}]`: the shape of one instance.
fn write_tensor<'a>(names: impl Iterator<Item = &'a str>, columns: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"[{\"messagetype\":\"tensor\",\"schema\":{\"names\":[");
    for (index, name) in names.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(name, out);
    }
    out.extend_from_slice(b"],\"shape\":[");
    out.extend_from_slice(columns.to_string().as_bytes());
    out.extend_from_slice(b"]}}]");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MissingValues, OutputKind, OutputShape, Precision};

    #[test]
    fn names_and_shapes_are_told() {
        let output = OutputSchema {
            shape: OutputShape::Matrix(2),
            kind: OutputKind::Float,
            name: "predict_proba",
            precision: Precision::Double,
        };
        let names: Vec<Box<str>> = vec!["a\"".into(), "b".into()];
        let feature_names = Some(names.into());
        let schema = Schema { features: 2, feature_names, missing_values: MissingValues::Refused, output };
        let mut out = Vec::new();
        ModelMetadata { name: "clf", version: "1", platform: "sklearn", schema: &schema }.write(&mut out);
        let tensor = |names: &str| format!(r#"[{{"messagetype":"tensor","schema":{{"names":{names},"shape":[2]}}}}]"#);
        let (inputs, outputs) = (tensor(r#"["a\"","b"]"#), tensor(r#"["t:0","t:1"]"#));
        let expected = format!(
            r#"{{"name":"clf","versions":["1"],"platform":"sklearn","inputs":{inputs},"outputs":{outputs},"custom":{{}}}}"#
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
