//! Entries for fuzzing: each feeds bytes to one reader, and holds what comes of them against what must be. They return the
//! error in words, by which a fuzzer can tell inputs that behave alike.

use bytes::Bytes;
use prost::Message as _;
use provost_domain::service_graph::condition::Condition;
use provost_inference::protocol::{
    proto::{
        decode,
        inference::{ModelInferRequest, ModelInferResponse},
        seldon::{Feedback, SeldonMessage},
        serving::PredictRequest,
    },
    serving::{
        self,
        bridge::{
            ByRows, classification_from_json, classification_to_json, examples_from_json, examples_to_json,
            metadata_from_json, predict_from_json, predict_to_json, regression_from_json, regression_to_json,
            response_from_json, response_to_json,
        },
    },
    v2,
};

use crate::{
    batching::instances,
    grpc::{
        bridge,
        tensors::{
            self,
            binary::{request_from_body, response_to_body},
            raw::{Place, placed},
        },
    },
};

/// Reads bytes, and tells why it cannot.
pub type Reader = fn(&[u8]) -> Result<(), String>;

/// All of them, by name.
pub const READERS: [(&str, Reader); 7] = [
    ("infer", infer),
    ("binary", binary),
    ("bridge", seldon),
    ("serving", tensorflow),
    ("examples", examples),
    ("condition", condition),
    ("batch", batch),
];

/// Messages of V2, asked and answered: as numbers, as JSON, and with their values in the other place.
pub fn infer(bytes: &[u8]) -> Result<(), String> {
    let message = Bytes::copy_from_slice(bytes);
    let request: ModelInferRequest = decode(&message).map_err(shown)?;
    let read = v2::read_message(&request, &mut Vec::new()).map(drop).map_err(shown);
    let json = tensors::request_to_json(&request).map_err(shown);
    if let Ok(json) = &json {
        let _back = tensors::request_from_json(json, "m");
    }
    let response: ModelInferResponse = decode(&message).map_err(shown)?;
    let typed = placed(response.clone(), Place::Typed);
    let raw = placed(typed.clone(), Place::Raw);
    if raw.raw_output_contents.len() == raw.outputs.len() && typed.raw_output_contents.is_empty() {
        let again = placed(placed(raw.clone(), Place::Typed), Place::Raw);
        assert!(again.encode_to_vec() == raw.encode_to_vec(), "values change as they change places");
    }
    let _json = tensors::response_to_json(&response);
    read.and(json.map(drop))
}

/// Bodies of V2 whose JSON is taken to end where the last object does, and the answers that they ask for.
pub fn binary(bytes: &[u8]) -> Result<(), String> {
    let length = bytes.iter().rposition(|byte| *byte == b'}').map_or(0, |last| last + 1);
    let (request, wanted) = request_from_body(&Bytes::copy_from_slice(bytes), Some(length), "m").map_err(shown)?;
    let outputs = (request.inputs, request.raw_input_contents);
    let response = ModelInferResponse { outputs: outputs.0, raw_output_contents: outputs.1, ..Default::default() };
    let (body, json) = response_to_body(&response, &wanted).map_err(shown)?;
    assert!(json.unwrap_or(0) <= body.len(), "the JSON is longer than the body");
    Ok(())
}

/// Seldon's messages between gRPC and JSON; the first byte tells which.
pub fn seldon(bytes: &[u8]) -> Result<(), String> {
    let (kind, rest) = bytes.split_first().ok_or("nothing")?;
    let message = Bytes::copy_from_slice(rest);
    match kind % 4 {
        0 => {
            let message: SeldonMessage = decode(&message).map_err(shown)?;
            let json = bridge::to_json(&message).map_err(|error| shown(error.info))?;
            bridge::from_json(&json).map(drop).ok_or_else(|| "a message without a payload".to_owned())
        }
        1 => {
            let feedback: Feedback = decode(&message).map_err(shown)?;
            let json = bridge::feedback_to_json(&feedback).map_err(|error| shown(error.info))?;
            bridge::feedback_from_json(&json).map(drop).ok_or_else(|| "no feedback".to_owned())
        }
        2 => bridge::from_json(rest).map(drop).ok_or_else(|| "no message".to_owned()),
        _ => bridge::feedback_from_json(rest).map(drop).ok_or_else(|| "no feedback".to_owned()),
    }
}

/// Requests and answers of V1 between gRPC and JSON; the first byte tells which.
pub fn tensorflow(bytes: &[u8]) -> Result<(), String> {
    let (kind, rest) = bytes.split_first().ok_or("nothing")?;
    let message = Bytes::copy_from_slice(rest);
    match kind % 8 {
        0 => predict_to_json(&decode(&message).map_err(shown)?).map(drop).map_err(shown),
        1 => response_to_json(&decode(&message).map_err(shown)?, ByRows::Yes).map(drop).map_err(shown),
        2 => examples_to_json(&decode(&message).map_err(shown)?).map(drop).map_err(shown),
        3 => {
            let (request, _) = predict_from_json(rest, "m", None).map_err(shown)?;
            predict_to_json(&request).map(drop).map_err(shown)
        }
        4 => {
            let response = response_from_json(rest, &PredictRequest::default()).map_err(shown)?;
            response_to_json(&response, ByRows::No).map(drop).map_err(shown)
        }
        5 => {
            let request = examples_from_json(rest, "m").map_err(shown)?;
            examples_to_json(&request).map(drop).map_err(shown)
        }
        6 => {
            let classes = classification_from_json(rest, None).map(|classes| drop(classification_to_json(&classes)));
            let numbers = regression_from_json(rest, None).map(|numbers| drop(regression_to_json(&numbers)));
            classes.or(numbers).map_err(shown)
        }
        _ => metadata_from_json(rest).map(drop).ok_or_else(|| "no signatures".to_owned()),
    }
}

/// Examples of V1 for models.
pub fn examples(bytes: &[u8]) -> Result<(), String> {
    let mut values = Vec::new();
    let read = serving::parse_examples(bytes, &mut values).map_err(shown)?;
    let missing = values.iter().position(|value| value.is_nan());
    assert!(read.block.first_missing == missing, "a missing value is not told");
    Ok(())
}

/// Conditions of steps, and after them, behind a line's end, what they are asked of.
pub fn condition(bytes: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(bytes);
    let (condition, body) = text.split_once('\n').unwrap_or((&text, "{}"));
    let condition = Condition::parse(condition).map_err(shown)?;
    let again = Condition::parse(condition.as_str()).map_err(shown)?;
    let body = serde_json::from_str(body).map_err(shown)?;
    assert!(condition.holds(&body) == again.holds(&body), "a condition is not what it is written as");
    Ok(())
}

/// Bodies that are gathered, and what is answered to them.
pub fn batch(bytes: &[u8]) -> Result<(), String> {
    let body = Bytes::copy_from_slice(bytes);
    let told = instances::predictions(bytes).map(|told| drop(instances::answer("id", &told)));
    let Some((own, count)) = instances::of_body(&body) else { return told.ok_or_else(|| "no instances".to_owned()) };
    let both = instances::together([&own, &own].into_iter());
    let again = instances::of_body(&both.into()).map(|(_, count)| count);
    assert!(again == Some(2 * count), "a batch has other instances than its requests");
    Ok(())
}

/// The message; the names in it may hold anything.
fn shown(error: impl ToString) -> String {
    error.to_string().escape_debug().to_string()
}
