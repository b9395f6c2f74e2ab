//! Payloads as text.

use std::borrow::Cow;

use provost_inference::OutputKind;
use serde_json::{Value, json};

use super::rows::label;

/// Longest body that is kept whole, well above any limit of the gateway: columns of text end at 2 GiB.
const BODY_MAX: usize = 1 << 30;

/// A body as text. What is not text becomes a `data:` URI, so that nothing is lost.
pub(super) fn body_text(body: &[u8]) -> Cow<'_, str> {
    let body = &body[..body.len().min(BODY_MAX)];
    match std::str::from_utf8(body) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(format!("data:application/octet-stream;base64,{}", base64(body))),
    }
}

/// One row of values for which the file has no columns, as `{"names":[…],"ndarray":[[…]]}`.
pub(super) fn values_text(names: &[String], kind: &OutputKind, values: &[[u8; 8]], row: usize) -> String {
    let own = &values[row * names.len()..(row + 1) * names.len()];
    let row: Vec<_> = own.iter().map(|value| json_value(kind, f64::from_le_bytes(*value))).collect();
    json!({ "names": names, "ndarray": [row] }).to_string()
}

fn json_value(kind: &OutputKind, value: f64) -> Value {
    match kind {
        OutputKind::Boolean if !value.is_nan() => Value::Bool(value != 0.0),
        OutputKind::Label(labels) => label(labels, value).map_or_else(|| value.into(), Value::from),
        OutputKind::Float | OutputKind::Integer | OutputKind::Boolean => value.into(),
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) & 63;
            text.push(if digit <= chunk.len() { char::from(DIGITS[value as usize]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_is_not_text_becomes_a_data_uri() {
        assert_eq!(body_text("{\"é\":1}".as_bytes()), "{\"é\":1}");
        for (body, expected) in
            [(&b"\xff"[..], "/w=="), (b"\xff\xfe", "//4="), (b"\xff\xfe\xfd", "//79"), (b"\xff\xfe\xfdM", "//79TQ==")]
        {
            assert_eq!(body_text(body), format!("data:application/octet-stream;base64,{expected}"));
        }
    }

    #[test]
    fn values_without_columns_keep_names_and_labels() {
        let values: Vec<_> = [1.0, f64::NAN, 0.5, 1.0].iter().map(|value: &f64| value.to_le_bytes()).collect();
        let names = ["a".to_owned(), "b\"".to_owned()];
        assert_eq!(
            values_text(&names, &OutputKind::Float, &values, 0),
            r#"{"names":["a","b\""],"ndarray":[[1.0,null]]}"#
        );
        let labels = OutputKind::Label(["no".into(), "yes".into()].into());
        assert_eq!(values_text(&names[..1], &labels, &values, 3), r#"{"names":["a"],"ndarray":[["yes"]]}"#);
        assert_eq!(values_text(&names[..1], &OutputKind::Boolean, &values, 0), r#"{"names":["a"],"ndarray":[[true]]}"#);
    }
}
