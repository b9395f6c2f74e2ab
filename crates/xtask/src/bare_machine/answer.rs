//! Whether the answer to the line that the demo prints is scikit-learn's.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

const EXPECTED: &str = "examples/iris/expected.json";
const TOLERANCE: f64 = 1e-12;

/// Compares an answer with what the library answered when the example was made.
pub(super) fn check(answer: &str, root: &Path) -> Result<()> {
    let expected = fs::read_to_string(root.join(EXPECTED)).with_context(|| format!("cannot read `{EXPECTED}`"))?;
    let expected: Value = serde_json::from_str(&expected)?;
    let found: Value = serde_json::from_str(answer).with_context(|| format!("no JSON: {answer}"))?;
    match distance(&found["data"]["ndarray"], &expected["sklearn"]["predict_proba"]) {
        Some(distance) if distance <= TOLERANCE => Ok(()),
        Some(distance) => bail!("the answer is {distance:e} away from scikit-learn's: {answer}"),
        None => bail!("the answer has another shape than scikit-learn's: {answer}"),
    }
}

/// The largest difference of two arrays of one shape.
fn distance(ours: &Value, theirs: &Value) -> Option<f64> {
    match (ours, theirs) {
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            let distances = ours.iter().zip(theirs).map(|(ours, theirs)| distance(ours, theirs));
            distances.collect::<Option<Vec<_>>>().map(|all| all.into_iter().fold(0.0, f64::max))
        }
        (Value::Number(ours), Value::Number(theirs)) => Some((ours.as_f64()? - theirs.as_f64()?).abs()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arrays_are_as_far_apart_as_their_numbers() {
        assert_eq!(distance(&json!([[1.0, 2.5]]), &json!([[1.0, 2.0]])), Some(0.5));
        assert_eq!(distance(&json!([[1.0]]), &json!([[1.0, 2.0]])), None);
        assert_eq!(distance(&Value::Null, &json!([])), None);
    }
}
