//! Writes answers of V1.

use crate::{
    OutputSchema,
    protocol::{json::write_string, values::write_outputs},
};

/// Appends the whole body of an answer: one prediction an instance, a value or an array.
pub fn write_answer(schema: &OutputSchema, outputs: &[f64], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"predictions\":");
    write_outputs(schema, outputs, out);
    out.push(b'}');
}

/// Appends what `GET /v1/models/<model>` tells, for clients of `KServe` (`ready`) and of `TensorFlow` Serving
/// (`model_version_status`; versions are whole numbers there, and a model of this server has one).
pub fn write_status(model: &str, version: i64, is_ready: bool, out: &mut Vec<u8>) {
    let (ready, state) = if is_ready { ("true", "AVAILABLE") } else { ("false", "LOADING") };
    out.extend_from_slice(b"{\"name\":");
    write_string(model, out);
    for part in [
        ",\"ready\":",
        ready,
        ",\"model_version_status\":[{\"version\":\"",
        &version.to_string(),
        "\",\"state\":\"",
        state,
        "\",\"status\":{\"error_code\":\"OK\",\"error_message\":\"\"}}]}",
    ] {
        out.extend_from_slice(part.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OutputKind, OutputShape, Precision};

    #[track_caller]
    fn check(shape: OutputShape, kind: OutputKind, outputs: &[f64], expected: &str) {
        let schema = OutputSchema { shape, kind, name: "predict", precision: Precision::Double };
        let mut body = Vec::new();
        write_answer(&schema, outputs, &mut body);
        assert_eq!(String::from_utf8(body).unwrap(), format!("{{\"predictions\":{expected}}}"));
    }

    #[test]
    fn an_instance_has_one_prediction() {
        check(OutputShape::Matrix(2), OutputKind::Float, &[0.25, 0.75, 0.5, f64::NAN], "[[0.25,0.75],[0.5,null]]");
        check(OutputShape::Vector, OutputKind::Integer, &[2.0, 0.0], "[2,0]");
        let labels = OutputKind::Label(["no".into(), "yes".into()].into());
        check(OutputShape::Vector, labels, &[1.0], r#"["yes"]"#);
    }

    #[test]
    fn a_status_is_that_of_both_servers() {
        let mut body = Vec::new();
        write_status("clf", 1, true, &mut body);
        let status = r#"{"error_code":"OK","error_message":""}"#;
        let expected = format!(
            r#"{{"name":"clf","ready":true,"model_version_status":[{{"version":"1","state":"AVAILABLE","status":{status}}}]}}"#
        );
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }
}
