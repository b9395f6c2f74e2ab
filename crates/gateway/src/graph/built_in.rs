//! What Seldon's orchestrators compute themselves (1.9: `engine/…/SimpleModelUnit.java`, `AverageCombinerUnit.java`,
//! `executor/predictor/components.go`).

use provost_domain::{ErrorCode, routing_table::choose};
use provost_inference::{
    OutputKind, OutputSchema,
    protocol::seldon::{Field, Form},
};
use xxhash_rust::xxh3::xxh3_64;

use super::message::{Message, Numbers, Payload, Wire};
use crate::error::RequestError;

/// The shares of two children of which the first is chosen with this probability.
pub(super) fn shares(ratio: f64) -> [u32; 2] {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the range")]
    let first = (ratio.clamp(0.0, 1.0) * f64::from(u32::MAX)).round() as u32;
    [first, u32::MAX - first]
}

/// What tells a router's splits from those of others.
pub(super) fn seed(node: &str) -> u64 {
    xxh3_64(node.as_bytes())
}

/// The child that a request falls to; the same for the same id.
pub(super) fn branch(shares: [u32; 2], seed: u64, request_id: &str) -> usize {
    choose(&shares, seed, request_id.as_bytes()).unwrap_or(0)
}

/// The answer of `SIMPLE_MODEL`: always the same numbers, except that a text or bytes come back.
pub(super) fn simple_model(message: &Message) -> Payload {
    if let Wire::Field(field @ (Field::StrData | Field::BinData)) = message.payload.wire() {
        return Payload::of_json(field, message.payload.json().clone());
    }
    Payload::of_numbers(Numbers {
        form: Form::Tensor,
        rows: 1,
        columns: 3,
        values: vec![0.1, 0.9, 0.5],
        first_missing: None,
        names: Some(r#"["class0","class1","class2"]"#.to_owned()),
        schema: Numbers::plain(3),
    })
}

/// The mean of answers of one shape, value by value.
pub(super) fn average(messages: &[Message]) -> Result<Payload, RequestError> {
    let failed = |index: usize, info: String| {
        RequestError::new(ErrorCode::Internal, format!("its child {index} answers what has no mean: {info}"))
    };
    let mut sum: Option<Numbers> = None;
    for (index, message) in messages.iter().enumerate() {
        let numbers = message.payload.numbers().map_err(|error| failed(index, error.to_string()))?;
        if numbers.are_labels() {
            return Err(failed(index, "class labels".to_owned()));
        }
        match &mut sum {
            None => sum = Some(Numbers::clone(&numbers)),
            Some(sum) if (sum.rows, sum.columns) == (numbers.rows, numbers.columns) => {
                sum.values.iter_mut().zip(&numbers.values).for_each(|(sum, value)| *sum += value);
            }
            Some(sum) => {
                let [own, first] = [&*numbers, &*sum].map(|numbers| format!("{} × {}", numbers.rows, numbers.columns));
                return Err(failed(index, format!("{own} values, where child 0 answers {first}")));
            }
        }
    }
    let mut mean = sum.ok_or_else(|| RequestError::new(ErrorCode::Internal, "it has no children"))?;
    #[expect(clippy::cast_precision_loss, reason = "a number of children")]
    let count = messages.len() as f64;
    mean.values.iter_mut().for_each(|value| *value /= count);
    mean.schema = OutputSchema { kind: OutputKind::Float, ..mean.schema };
    Ok(Payload::of_numbers(mean))
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use bytes::Bytes;

    use super::*;

    fn message(field: Field, json: &'static str) -> Message {
        let payload = Rc::new(Payload::of_json(field, Bytes::from_static(json.as_bytes())));
        Message { payload, tags: serde_json::Map::new() }
    }

    fn mean(answers: &[&'static str]) -> String {
        let messages: Vec<_> = answers.iter().map(|json| message(Field::Data, json)).collect();
        match average(&messages) {
            Ok(mean) => String::from_utf8(mean.json().to_vec()).unwrap(),
            Err(error) => error.info,
        }
    }

    #[test]
    fn the_mean_is_of_each_value() {
        let answers = [r#"{"names":["a","b"],"ndarray":[[1,2],[3,4]]}"#, r#"{"ndarray":[[3,2],[0,5]]}"#];
        assert_eq!(mean(&answers), r#"{"names":["a","b"],"ndarray":[[2.0,2.0],[1.5,4.5]]}"#);
    }

    #[test]
    fn answers_without_a_mean_are_told_of() {
        let shapes = mean(&[r#"{"ndarray":[[1,2]]}"#, r#"{"ndarray":[[1]]}"#]);
        assert_eq!(shapes, "its child 1 answers what has no mean: 1 × 1 values, where child 0 answers 1 × 2");
        assert!(mean(&[r#"{"ndarray":[["a"]]}"#]).ends_with("expected a number, found a text"));
    }

    #[test]
    fn the_simple_model_answers_alike_and_echoes_texts() {
        let numbers = simple_model(&message(Field::JsonData, "{}"));
        let expected = r#"{"names":["class0","class1","class2"],"tensor":{"shape":[1,3],"values":[0.1,0.9,0.5]}}"#;
        assert_eq!(numbers.json().as_ref(), expected.as_bytes());
        let text = simple_model(&message(Field::StrData, "\"hello\""));
        assert_eq!((text.wire(), text.json().as_ref()), (Wire::Field(Field::StrData), &b"\"hello\""[..]));
    }

    #[test]
    fn a_ratio_is_exact_within_binomial_bounds() {
        let first = |ratio| (0..10_000).filter(|id| branch(shares(ratio), seed("ab"), &format!("{id}")) == 0).count();
        assert_eq!((first(0.0), first(1.0)), (0, 10_000));
        // Five standard deviations of a binomial with p = 0.3.
        assert!((3000 - 230..=3000 + 230).contains(&first(0.3)));
    }
}
