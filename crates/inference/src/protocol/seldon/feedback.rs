//! `Feedback`: what came of a prediction (Seldon Core 1.9, `prediction.proto`).

use super::{BadRequest, Field, Meta, envelope::Parts};
use crate::protocol::json::{Cursor, unescape};

/// A `Feedback`; its parts are slices of the body.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Feedback<'a> {
    /// What was asked.
    pub request: Option<Part<'a>>,
    /// What was answered.
    pub response: Option<Part<'a>>,
    /// What should have been answered.
    pub truth: Option<Part<'a>>,
    /// How good the answer was; 0 where nothing is said, as in the message of gRPC.
    pub reward: f64,
}

/// A message of a feedback, which may be without payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// The message as written.
    pub text: &'a str,
    /// Which field its payload is, and the payload as written.
    pub payload: Option<(Field, &'a str)>,
    /// What came in `meta`.
    pub meta: Meta<'a>,
}

impl<'a> Feedback<'a> {
    /// The id of the prediction as it stands between its quotes: that of the answer, else that of the request.
    pub fn puid(&self) -> Option<&'a str> {
        [self.response, self.request].into_iter().find_map(|part| part?.meta.puid)
    }
}

/// Takes a feedback apart.
pub fn parse_feedback(body: &[u8]) -> Result<Feedback<'_>, BadRequest> {
    let mut feedback = Feedback::default();
    let mut cursor = Cursor::new(body)?;
    cursor.object(|cursor, key| {
        let part = match key {
            "reward" if cursor.take_word("null") => return Ok(()),
            "reward" => {
                feedback.reward = read_reward(cursor)?;
                return Ok(());
            }
            "request" => &mut feedback.request,
            "response" => &mut feedback.response,
            "truth" => &mut feedback.truth,
            _ => {
                let (field, takes) = (unescape(key), "`request`, `response`, `reward` and `truth`");
                return Err(BadRequest::UnknownPart { field, message: "feedback", takes });
            }
        };
        let text = cursor.raw_with_nan()?;
        *part = if text == "null" { None } else { Some(read_part(text)?) };
        Ok(())
    })?;
    cursor.end()?;
    Ok(feedback)
}

fn read_part(text: &str) -> Result<Part<'_>, BadRequest> {
    let mut cursor = Cursor::new(text.as_bytes())?;
    let Parts { payload, meta } = Parts::read(&mut cursor)?;
    Ok(Part { text, payload, meta })
}

fn read_reward(cursor: &mut Cursor<'_>) -> Result<f64, BadRequest> {
    let wrong = BadRequest::Type { field: "reward", expected: "a number, as in 1.0" };
    let reward = cursor.raw_with_nan()?.parse().map_err(|_| wrong.clone())?;
    if f64::is_finite(reward) { Ok(reward) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart_and_may_be_without_payload() {
        let body = br#"{"reward":0.5,"request":null,"response":{"meta":{"puid":"p","routing":{"r":1}}},
                        "truth":{"data":{"ndarray":[1]}}}"#;
        let feedback = parse_feedback(body).unwrap();
        assert_eq!((feedback.reward, feedback.request, feedback.puid()), (0.5, None, Some("p")));
        let response = feedback.response.unwrap();
        assert_eq!((response.payload, response.meta.routing), (None, Some(r#"{"r":1}"#)));
        assert_eq!(feedback.truth.unwrap().payload, Some((Field::Data, r#"{"ndarray":[1]}"#)));
        assert_eq!(parse_feedback(b"{}").unwrap(), Feedback::default());
    }

    #[test]
    fn what_is_no_feedback_is_refused() {
        for (body, expected) in [
            ("[]", "the body is not valid JSON"),
            ("{", "the body is not valid JSON"),
            (
                r#"{"foo":1}"#,
                "`foo` is not a field of a feedback: it takes `request`, `response`, `reward` and `truth`",
            ),
            (r#"{"truth":{"foo":1}}"#, "`foo` is not a field of a Seldon message"),
            (r#"{"truth":1}"#, "the body is not valid JSON"),
            (r#"{"reward":"1"}"#, "`reward` must be a number, as in 1.0"),
            (r#"{"reward":1e999}"#, "`reward` must be a number, as in 1.0"),
            (r#"{"reward":NaN}"#, "`reward` must be a number, as in 1.0"),
        ] {
            let error = parse_feedback(body.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{body}: {error}");
        }
    }
}
