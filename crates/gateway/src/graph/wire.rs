//! What nodes that are called over the network speak to each other: Seldon's messages, or whole bodies of V1 or V2, of which
//! an answer of one node is the request of the next (Seldon Core 1.9, `executor/api/rest` and `executor/api/payload`).

use bytes::Bytes;
use provost_inference::{
    Schema,
    protocol::{
        block::{Arranged, Block},
        json::{Cursor, JsonError},
        v1, v2,
    },
};
use serde_json::Value;

use super::message::Numbers;
use crate::{error::RequestError, infer::Infer, matcher::Dialect};

/// The body of V1 or V2 that asks a node for what another answered; one that asks already stays as it is.
pub(super) fn as_request(dialect: Dialect, body: &Bytes) -> Result<Bytes, JsonError> {
    let (mut id, mut answer, mut is_request) = (None, None, false);
    let mut cursor = Cursor::new(body)?;
    cursor.object(|cursor, key| {
        let value = cursor.raw_with_nan()?;
        match (dialect, key) {
            (_, "id") => id = Some(value),
            (_, "inputs" | "instances") => is_request = true,
            (Dialect::V1, "predictions") => answer = Some(("instances", value)),
            (Dialect::V1 | Dialect::V2, "outputs") => answer = Some(("inputs", value)),
            _ => {}
        }
        Ok::<_, JsonError>(())
    })?;
    cursor.end()?;
    let Some((name, value)) = answer.filter(|_| !is_request) else { return Ok(body.clone()) };
    let id = id.map(|id| format!("\"id\":{id},")).unwrap_or_default();
    Ok(format!("{{{id}\"{name}\":{value}}}").into())
}

/// Reads what a body of V1 or V2 carries.
pub(super) fn read(dialect: Dialect, body: &Bytes, schema: Option<&Schema>) -> Result<Numbers, RequestError> {
    let body = as_request(dialect, body).map_err(|error| bad(error.to_string()))?;
    let mut values = Vec::new();
    let block = match dialect {
        Dialect::V1 => v1::parse_request(&body, &mut values)?.block,
        _ => v2::parse_request(&body, &mut values)?.block,
    };
    numbers(block, values, schema)
}

/// Reads what a message of V2 carries.
pub(super) fn read_infer(infer: &Infer, schema: Option<&Schema>) -> Result<Numbers, RequestError> {
    let (request, mut values) = (infer.request(""), Vec::new());
    let block = v2::read_message(&request, &mut values)?.block;
    numbers(block, values, schema)
}

/// The numbers of a request of V1 or V2, in the order of the model's features where one is known.
pub(super) fn numbers(
    block: Block<'_>,
    mut values: Vec<f64>,
    schema: Option<&Schema>,
) -> Result<Numbers, RequestError> {
    let any = Numbers::any();
    let Arranged { rows, columns, first_missing, names } = block.arrange(schema.unwrap_or(&any), &mut values)?;
    Ok(Numbers { first_missing, names, ..Numbers::of_rows(rows, columns, values) })
}

/// The child that a router's answer names: its first number, wherever its protocol has it.
pub(super) fn chosen(body: &[u8]) -> Option<i64> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let mut value = &value;
    loop {
        value = match value {
            Value::Array(items) => items.first()?,
            Value::Object(fields) => ["data", "ndarray", "tensor", "values", "outputs", "predictions"]
                .iter()
                .find_map(|name| fields.get(*name))?,
            _ => break,
        };
    }
    let number = value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 1e9)?;
    #[expect(clippy::cast_possible_truncation, reason = "a small whole number")]
    Some(number as i64)
}

fn bad(info: String) -> RequestError {
    RequestError::new(provost_domain::ErrorCode::BadRequest, info)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_the_next_nodes_request() {
        for (dialect, body, expected) in [
            (Dialect::V1, r#"{"predictions":[[1.0]],"more":1}"#, r#"{"instances":[[1.0]]}"#),
            (Dialect::V1, r#"{"outputs":[1]}"#, r#"{"inputs":[1]}"#),
            (Dialect::V1, r#"{"instances":[1]}"#, r#"{"instances":[1]}"#),
            (Dialect::V2, r#"{"model_name":"m","id":"i","outputs":[{"a":NaN}]}"#, r#"{"id":"i","inputs":[{"a":NaN}]}"#),
            (Dialect::V2, r#"{"inputs":[],"outputs":[{"name":"a"}]}"#, r#"{"inputs":[],"outputs":[{"name":"a"}]}"#),
        ] {
            assert_eq!(as_request(dialect, &Bytes::from_static(body.as_bytes())).unwrap(), expected);
        }
        assert!(as_request(Dialect::V2, &Bytes::from_static(b"<p>")).is_err());
    }

    #[test]
    fn a_routers_number_is_found_in_each_protocol() {
        for body in [
            r#"{"ndarray":[[2]]}"#,
            r#"{"data":{"names":[],"tensor":{"shape":[1,1],"values":[2.0]}}}"#,
            r#"{"outputs":[{"name":"a","data":[2]}]}"#,
            r#"{"predictions":[2]}"#,
            "[[2]]",
            "2",
        ] {
            assert_eq!(chosen(body.as_bytes()), Some(2), "{body}");
        }
        for body in ["", "[]", "{}", "\"2\"", "2.5", r#"{"other":[2]}"#, "null"] {
            assert_eq!(chosen(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn numbers_are_read_of_requests_and_answers() {
        let v2 = r#"{"outputs":[{"name":"o","datatype":"FP64","shape":[2,1],"data":[1,2]}]}"#;
        for (dialect, body) in [(Dialect::V2, v2), (Dialect::V1, r#"{"predictions":[[1],[2]]}"#)] {
            let numbers = read(dialect, &Bytes::from_static(body.as_bytes()), None).unwrap();
            assert_eq!((numbers.rows, numbers.columns, numbers.values), (2, 1, vec![1.0, 2.0]));
        }
    }
}
