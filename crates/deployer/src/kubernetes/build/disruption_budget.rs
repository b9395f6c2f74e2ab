//! How many pods of a predictor may be away at once: a `PodDisruptionBudget`.

use provost_domain::FieldPath;
use serde_json::{Value, json};

use super::error::BuildError;

/// The specification, from what a component specification says of it.
pub(super) fn specification(path: &FieldPath, written: &Value, selector: &Value) -> Result<Value, BuildError> {
    let (first, second) = ("minAvailable", "maxUnavailable");
    if !written[first].is_null() && !written[second].is_null() {
        return Err(BuildError::Both { path: path.clone(), first, second });
    }
    let mut specification = json!({"selector": {"matchLabels": selector}});
    for field in [first, second] {
        if !written[field].is_null() {
            specification[field] = written[field].clone();
        }
    }
    Ok(specification)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(written: Value) -> Result<Value, BuildError> {
        specification(&FieldPath::of("pdbSpec"), &written, &json!({"app": "iris"}))
    }

    #[test]
    fn a_budget_is_a_number_or_a_share() {
        let selector = json!({"matchLabels": {"app": "iris"}});
        assert_eq!(of(json!({"minAvailable": 1})), Ok(json!({"selector": selector, "minAvailable": 1})));
        assert_eq!(of(json!({"maxUnavailable": "50%"})), Ok(json!({"selector": selector, "maxUnavailable": "50%"})));
    }

    #[test]
    fn a_budget_is_not_said_in_both_ways() {
        let error = of(json!({"minAvailable": 1, "maxUnavailable": 1})).unwrap_err();
        assert_eq!(error.to_string(), "pdbSpec: both `minAvailable` and `maxUnavailable` are set; remove one");
    }
}
