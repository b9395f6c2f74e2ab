//! Seldon's messages between gRPC and JSON (proto3's mapping), for nodes that are called over REST.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use prost::Message as _;
use prost_types::{ListValue, Struct, Value as ProtoValue, value::Kind};
use provost_domain::ErrorCode;
use provost_inference::protocol::{
    proto::{
        decode,
        seldon::{DefaultData, Feedback, Meta, Metric, MetricKind, Payload, SeldonMessage, Status, Tensor, Values},
    },
    tensorflow,
};
use serde_json::{Map, Number, Value, json};

use crate::error::RequestError;

/// A message as JSON. `customData` has no form that programs over REST take.
pub(crate) fn to_json(message: &SeldonMessage) -> Result<Bytes, RequestError> {
    Ok(message_to_json(message)?.to_string().into())
}

/// A feedback as JSON.
pub(crate) fn feedback_to_json(feedback: &Feedback) -> Result<Bytes, RequestError> {
    let Feedback { request, response, reward, truth } = feedback;
    // A number is what its shortest text says.
    let reward = reward.to_string().parse().map_or(Value::Null, |reward: f64| json!(reward));
    let mut body = Map::from_iter([("reward".to_owned(), reward)]);
    for (name, message) in [("request", request), ("response", response), ("truth", truth)] {
        if let Some(message) = message {
            body.insert(name.to_owned(), message_to_json(message)?);
        }
    }
    Ok(Value::Object(body).to_string().into())
}

fn message_to_json(message: &SeldonMessage) -> Result<Value, RequestError> {
    let refused = |what: &str| {
        let info = format!("`{what}` cannot be passed on over REST, by which the deployment's programs are called");
        Err(RequestError::new(ErrorCode::BadRequest, info))
    };
    let mut body = Map::new();
    match &message.payload {
        Some(Payload::CustomData(_)) => return refused("customData"),
        Some(Payload::Data(data)) => match data_to_json(data) {
            Some(data) => drop(body.insert("data".to_owned(), data)),
            None => return refused("data.tftensor"),
        },
        Some(Payload::BinData(bytes)) => drop(body.insert("binData".to_owned(), STANDARD.encode(bytes).into())),
        Some(Payload::StrData(text)) => drop(body.insert("strData".to_owned(), text.clone().into())),
        Some(Payload::JsonData(value)) => drop(body.insert("jsonData".to_owned(), value_to_json(value))),
        None => {}
    }
    if let Some(meta) = &message.meta {
        body.insert("meta".to_owned(), meta_to_json(meta));
    }
    Ok(Value::Object(body))
}

/// `None` where it is a tensor of `TensorFlow` that has no form in JSON, or none.
fn data_to_json(data: &DefaultData) -> Option<Value> {
    let mut json = json!({"names": data.names});
    match &data.values {
        Some(Values::Tensor(Tensor { shape, values })) => json["tensor"] = json!({"shape": shape, "values": values}),
        Some(Values::Ndarray(list)) => json["ndarray"] = list_to_json(list),
        Some(Values::Tftensor(bytes)) => json["tftensor"] = tensorflow::to_value(&decode(bytes).ok()?)?,
        None => {}
    }
    Some(json)
}

fn meta_to_json(meta: &Meta) -> Value {
    let mut json = Map::new();
    let mut insert = |name: &str, is_there: bool, value: Value| {
        if is_there {
            json.insert(name.to_owned(), value);
        }
    };
    let tags: Map<_, _> = meta.tags.iter().map(|(name, value)| (name.clone(), value_to_json(value))).collect();
    insert("puid", !meta.puid.is_empty(), meta.puid.clone().into());
    insert("tags", !tags.is_empty(), tags.into());
    insert("routing", !meta.routing.is_empty(), json!(meta.routing));
    insert("requestPath", !meta.request_path.is_empty(), json!(meta.request_path));
    let metric = |metric: &Metric| {
        let kind = MetricKind::try_from(metric.kind).unwrap_or(MetricKind::Counter);
        let kind = format!("{kind:?}").to_uppercase();
        json!({"key": metric.key, "type": kind, "value": metric.value, "tags": metric.tags})
    };
    insert("metrics", !meta.metrics.is_empty(), meta.metrics.iter().map(metric).collect());
    json.into()
}

fn list_to_json(list: &ListValue) -> Value {
    list.values.iter().map(value_to_json).collect()
}

fn value_to_json(value: &ProtoValue) -> Value {
    match &value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::NumberValue(number)) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
        Some(Kind::StringValue(text)) => text.clone().into(),
        Some(Kind::BoolValue(value)) => (*value).into(),
        Some(Kind::ListValue(list)) => list_to_json(list),
        Some(Kind::StructValue(fields)) => {
            fields.fields.iter().map(|(name, value)| (name.clone(), value_to_json(value))).collect::<Map<_, _>>().into()
        }
    }
}

/// A message that came as JSON; `None` where it is none.
pub(crate) fn from_json(body: &[u8]) -> Option<SeldonMessage> {
    message_from_json(&serde_json::from_slice(body).ok()?)
}

/// A feedback that came as JSON; `None` where it is none.
pub(crate) fn feedback_from_json(body: &[u8]) -> Option<Feedback> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let part = |name: &str| match value.get(name) {
        None | Some(Value::Null) => None,
        Some(part) => Some(parts_from_json(part)),
    };
    #[expect(clippy::cast_possible_truncation, reason = "as the message has it")]
    let reward = value["reward"].as_f64().unwrap_or_default() as f32;
    Some(Feedback { request: part("request"), response: part("response"), reward, truth: part("truth") })
}

/// A message, with a payload or without.
fn parts_from_json(value: &Value) -> SeldonMessage {
    let meta = Some(meta_from_json(&value["meta"]));
    message_from_json(value).unwrap_or(SeldonMessage { status: None, meta, payload: None })
}

/// The same of a value.
pub(crate) fn message_from_json(value: &Value) -> Option<SeldonMessage> {
    let payload = match value.as_object()? {
        body if body.contains_key("data") => Payload::Data(data_from_json(&value["data"])?),
        body if body.contains_key("strData") => Payload::StrData(value["strData"].as_str()?.to_owned()),
        body if body.contains_key("binData") => Payload::BinData(STANDARD.decode(value["binData"].as_str()?).ok()?),
        body if body.contains_key("jsonData") => Payload::JsonData(value_from_json(&value["jsonData"])),
        _ => return None,
    };
    let meta = Some(meta_from_json(&value["meta"]));
    let status = value.get("status").map(status_from_json);
    Some(SeldonMessage { status, meta, payload: Some(payload) })
}

fn data_from_json(data: &Value) -> Option<DefaultData> {
    let values = match (data.get("tensor"), data.get("ndarray")) {
        (None, None) => Values::Tftensor(tensorflow::from_value(data.get("tftensor")?)?.encode_to_vec().into()),
        (Some(tensor), _) => {
            let shape = serde_json::from_value(tensor["shape"].clone()).ok()?;
            Values::Tensor(Tensor { shape, values: serde_json::from_value(tensor["values"].clone()).ok()? })
        }
        (None, Some(Value::Array(items))) => Values::Ndarray(list_from_json(items)),
        _ => return None,
    };
    let names = data["names"].as_array().into_iter().flatten().map(text).collect();
    Some(DefaultData { names, values: Some(values) })
}

/// A text as it is, and else as it is written.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn meta_from_json(meta: &Value) -> Meta {
    let members = |field: &str| meta[field].as_object().into_iter().flatten();
    Meta {
        puid: meta["puid"].as_str().unwrap_or_default().to_owned(),
        tags: members("tags").map(|(name, value)| (name.clone(), value_from_json(value))).collect(),
        routing: members("routing")
            .filter_map(|(name, value)| Some((name.clone(), i32::try_from(value.as_i64()?).ok()?)))
            .collect(),
        request_path: members("requestPath").map(|(name, value)| (name.clone(), text(value))).collect(),
        metrics: meta["metrics"].as_array().into_iter().flatten().map(metric_from_json).collect(),
    }
}

fn metric_from_json(metric: &Value) -> Metric {
    let kind = match metric["type"].as_str() {
        Some("GAUGE") => MetricKind::Gauge,
        Some("TIMER") => MetricKind::Timer,
        _ => MetricKind::Counter,
    };
    let tags = metric["tags"].as_object().into_iter().flatten();
    #[expect(clippy::cast_possible_truncation, reason = "as the message has it")]
    Metric {
        key: metric["key"].as_str().unwrap_or_default().to_owned(),
        kind: kind.into(),
        value: metric["value"].as_f64().unwrap_or_default() as f32,
        tags: tags.map(|(name, value)| (name.clone(), text(value))).collect(),
    }
}

fn status_from_json(status: &Value) -> Status {
    let of = |field: &str| status[field].as_str().unwrap_or_default().to_owned();
    let is_failure = status["status"] == 1 || status["status"] == "FAILURE";
    let code = status["code"].as_i64().and_then(|code| i32::try_from(code).ok()).unwrap_or_default();
    Status { code, info: of("info"), reason: of("reason"), status: i32::from(is_failure) }
}

fn list_from_json(items: &[Value]) -> ListValue {
    ListValue { values: items.iter().map(value_from_json).collect() }
}

pub(super) fn value_from_json(value: &Value) -> ProtoValue {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(value) => Kind::BoolValue(*value),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Array(items) => Kind::ListValue(list_from_json(items)),
        Value::Object(members) => {
            let fields = members.iter().map(|(name, value)| (name.clone(), value_from_json(value))).collect();
            Kind::StructValue(Struct { fields })
        }
    };
    ProtoValue { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &Value) {
        let message = from_json(json.to_string().as_bytes()).unwrap();
        let back: Value = serde_json::from_slice(&to_json(&message).unwrap()).unwrap();
        assert_eq!(&back, json);
    }

    #[test]
    fn messages_are_the_same_both_ways() {
        let metrics = json!([{"key": "k", "type": "GAUGE", "value": 0.5, "tags": {"a": "b"}}]);
        let meta = json!({"puid": "p", "tags": {"a": [1.0, "x", null, {"b": true}]}, "routing": {"r": 1},
            "requestPath": {"n": "i:1"}, "metrics": metrics});
        check(&json!({"data": {"names": ["a"], "ndarray": [[1.0, "x"]]}, "meta": meta}));
        check(&json!({"data": {"names": [], "tensor": {"shape": [1, 2], "values": [1.0, 2.5]}}, "meta": {}}));
        let shape = json!({"dim": [{"size": "1", "name": ""}, {"size": "1", "name": ""}], "unknownRank": false});
        let tensor = json!({"dtype": "DT_STRING", "tensorShape": shape, "stringVal": ["eWVz"]});
        check(&json!({"data": {"names": [], "tftensor": tensor}, "meta": {}}));
        check(&json!({"strData": "x", "meta": {}}));
        check(&json!({"binData": "AAE=", "meta": {}}));
        check(&json!({"jsonData": {"a": [1.0]}, "meta": {}}));
    }

    #[test]
    fn what_is_no_message_is_none() {
        for body in ["", "[]", "{}", r#"{"data":{}}"#, r#"{"binData":"*"}"#, r#"{"data":{"tensor":{}}}"#] {
            assert_eq!(from_json(body.as_bytes()), None, "{body}");
        }
    }
}
