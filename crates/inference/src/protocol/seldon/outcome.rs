//! What a prediction says of each instance, or what should have been said: a class or a number.

use serde_json::Value;

use super::Field;
use crate::protocol::values::VALUES_MAX;

/// How far the sum of probabilities may be from 1.
const TOLERANCE: f64 = 1e-3;

/// What is said of one instance.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A number, or a class by its number.
    Number(f64),
    /// A class by its name.
    Label(String),
}

/// What a payload says of each instance, where it is one value each, or probabilities of classes of which the greatest
/// tells the class. `None` for all else, such as several numbers of a regression.
pub fn outcomes(field: Field, payload: &str) -> Option<Vec<Outcome>> {
    // What was read once is JSON but for NaN, of which nothing can be said.
    let payload: Value = serde_json::from_str(payload).ok()?;
    let outcomes = match field {
        Field::Data => of_data(&payload)?,
        Field::StrData => vec![Outcome::Label(payload.as_str()?.to_owned())],
        Field::BinData | Field::JsonData | Field::CustomData => return None,
    };
    (1..=VALUES_MAX).contains(&outcomes.len()).then_some(outcomes)
}

fn of_data(data: &Value) -> Option<Vec<Outcome>> {
    if let Some(rows) = data.get("ndarray") {
        return rows.as_array()?.iter().map(of_row).collect();
    }
    let tensor = data.get("tensor")?;
    let values = tensor.get("values")?.as_array()?;
    let shape: Vec<usize> = tensor
        .get("shape")?
        .as_array()?
        .iter()
        .map(|size| usize::try_from(size.as_u64()?).ok())
        .collect::<Option<_>>()?;
    let columns = match shape[..] {
        [_] => 1,
        [_, columns] => columns.max(1),
        _ => return None,
    };
    let is_whole = shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size)) == Some(values.len());
    is_whole.then(|| values.chunks(columns).map(of_values).collect())?
}

fn of_row(row: &Value) -> Option<Outcome> {
    match row {
        Value::Array(values) => of_values(values),
        value => of_value(value),
    }
}

fn of_values(values: &[Value]) -> Option<Outcome> {
    match values {
        [value] => of_value(value),
        _ => most_probable(&values.iter().map(Value::as_f64).collect::<Option<Vec<_>>>()?),
    }
}

fn of_value(value: &Value) -> Option<Outcome> {
    match value {
        Value::Number(number) => number.as_f64().map(Outcome::Number),
        Value::Bool(is_true) => Some(Outcome::Number(f64::from(u8::from(*is_true)))),
        Value::String(label) => Some(Outcome::Label(label.clone())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The class with the greatest probability, the first of several; `None` for numbers that are no probabilities of classes.
fn most_probable(values: &[f64]) -> Option<Outcome> {
    let are_parts = values.iter().all(|value| (0.0..=1.0).contains(value));
    let is_one = (values.iter().sum::<f64>() - 1.0).abs() <= TOLERANCE;
    let greatest = values.iter().enumerate().rev().max_by(|(_, one), (_, other)| one.total_cmp(other))?.0;
    #[expect(clippy::cast_precision_loss, reason = "a number of classes")]
    (are_parts && is_one).then_some(Outcome::Number(greatest as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(payload: &str) -> Option<Vec<f64>> {
        outcomes(Field::Data, payload)?
            .into_iter()
            .map(|outcome| match outcome {
                Outcome::Number(number) => Some(number),
                Outcome::Label(_) => None,
            })
            .collect()
    }

    #[test]
    fn classes_are_numbers_or_the_greatest_probability() {
        for (payload, expected) in [
            (r#"{"ndarray":[1,2.5]}"#, vec![1.0, 2.5]),
            (r#"{"ndarray":[[1],[true]]}"#, vec![1.0, 1.0]),
            (r#"{"names":["a","b"],"ndarray":[[0,1],[0.5,0.5],[0.7,0.3001]]}"#, vec![1.0, 0.0, 0.0]),
            (r#"{"tensor":{"shape":[2,2],"values":[0,1,1,0]}}"#, vec![1.0, 0.0]),
            (r#"{"tensor":{"shape":[2],"values":[3,4]}}"#, vec![3.0, 4.0]),
        ] {
            assert_eq!(numbers(payload), Some(expected), "{payload}");
        }
    }

    #[test]
    fn labels_are_texts() {
        let expected = vec![Outcome::Label("a".to_owned()), Outcome::Label("b".to_owned())];
        assert_eq!(outcomes(Field::Data, r#"{"ndarray":["a",["b"]]}"#), Some(expected));
        assert_eq!(outcomes(Field::StrData, "\"a\""), Some(vec![Outcome::Label("a".to_owned())]));
    }

    #[test]
    fn of_all_else_nothing_is_said() {
        for payload in [
            r#"{"ndarray":[]}"#,
            r#"{"ndarray":[[1,2]]}"#,
            r#"{"ndarray":[["a","b"]]}"#,
            r#"{"ndarray":[[]]}"#,
            r#"{"ndarray":[null]}"#,
            r#"{"ndarray":[NaN]}"#,
            r#"{"tensor":{"shape":[2,2],"values":[1]}}"#,
            r#"{"tensor":{"shape":[4294967296,4294967296],"values":[]}}"#,
            r#"{"tensor":{"shape":[],"values":[1]}}"#,
            "{}",
        ] {
            assert_eq!(outcomes(Field::Data, payload), None, "{payload}");
        }
        assert_eq!(outcomes(Field::JsonData, "1"), None);
    }
}
