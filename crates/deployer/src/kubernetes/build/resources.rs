//! The resources of several containers that run in one: they are added.
//!
//! A part without a limit counts with its request, and one without a request with its limit, as Kubernetes
//! counts it; so no sum of requests is above that of the limits.

use provost_domain::FieldPath;
use serde_json::{Map, Value};

use super::{
    error::BuildError,
    merge,
    quantity::{self, Unit},
};

/// The resources of one container, and where they stand.
#[derive(Debug, Clone)]
pub(super) struct Addend {
    pub(super) path: FieldPath,
    pub(super) resources: Value,
}

/// The sum; `None` where nothing is said. The resources of one container alone stay as they were written.
pub(super) fn sum(parts: &[Addend]) -> Result<Option<Value>, BuildError> {
    let parts: Vec<_> = parts.iter().filter(|part| is_said(&part.resources)).collect();
    let mut sum = others(&parts)?;
    for field in ["limits", "requests"] {
        let amounts = sum_of(&parts, field)?;
        if !amounts.is_empty() {
            sum.insert(field.to_owned(), Value::Object(amounts));
        }
    }
    Ok(match parts[..] {
        [] => None,
        [alone] => Some(alone.resources.clone()),
        _ => Some(Value::Object(sum)),
    })
}

/// What is not an amount, on which all must agree.
fn others(parts: &[&Addend]) -> Result<Map<String, Value>, BuildError> {
    let mut all = Map::new();
    for part in parts {
        let mut others = part.resources.as_object().cloned().unwrap_or_default();
        others.retain(|field, _| field != "limits" && field != "requests");
        merge::join(&mut all, others, &part.path)?;
    }
    Ok(all)
}

fn is_said(resources: &Value) -> bool {
    resources.as_object().is_some_and(|fields| !fields.is_empty())
}

/// The sums of a field, by the names of resources.
fn sum_of(parts: &[&Addend], field: &str) -> Result<Map<String, Value>, BuildError> {
    let other = if field == "limits" { "requests" } else { "limits" };
    let mut sums: Map<String, Value> = Map::new();
    let names = parts.iter().filter_map(|part| part.resources[field].as_object()).flat_map(Map::keys);
    for name in names {
        let mut total = 0;
        for part in parts {
            total += match amount(part, field, name)? {
                Some(amount) => amount,
                None => amount(part, other, name)?.unwrap_or(0),
            };
        }
        sums.insert(name.clone(), Value::String(quantity::format(total, Unit::of(name))));
    }
    Ok(sums)
}

fn amount(part: &Addend, field: &str, name: &str) -> Result<Option<i128>, BuildError> {
    let text = match part.resources[field].get(name) {
        None => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let amount = quantity::parse(&text, Unit::of(name));
    let path = || part.path.field(field).key(name);
    amount.map(Some).ok_or_else(|| BuildError::Quantity { path: path(), text })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sum_all(all: &[Value]) -> Result<Option<Value>, BuildError> {
        let part = |resources: &Value| Addend { path: FieldPath::of("resources"), resources: resources.clone() };
        sum(&all.iter().map(part).collect::<Vec<_>>())
    }

    #[test]
    fn resources_are_added_by_name() {
        let one = json!({"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"nvidia.com/gpu": 1}});
        let other = json!({"requests": {"cpu": 1, "memory": "512Mi"}});
        assert_eq!(
            sum_all(&[one, json!({}), other]),
            Ok(Some(json!({
                "limits": {"nvidia.com/gpu": "1"},
                "requests": {"cpu": "1500m", "memory": "1536Mi"},
            })))
        );
    }

    #[test]
    fn a_request_is_never_above_its_limit() {
        let (requests, limits) = (json!({"requests": {"cpu": "2"}}), json!({"limits": {"cpu": "1"}}));
        assert_eq!(sum_all(&[requests, limits]), Ok(Some(json!({"limits": {"cpu": "3"}, "requests": {"cpu": "3"}}))));
    }

    #[test]
    fn what_stands_alone_stays_as_it_was_written() {
        let alone = json!({"requests": {"cpu": "0.5", "memory": "1024Mi"}});
        assert_eq!(sum_all(&[json!({}), alone.clone()]), Ok(Some(alone)));
        assert_eq!(sum_all(&[json!({}), Value::Null]), Ok(None));
    }

    #[test]
    fn an_amount_that_cannot_be_read_is_told_by_its_path() {
        let error = sum_all(&[json!({"limits": {"memory": "1GB"}})]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "resources.limits[memory]: `1GB` is not an amount; write one such as `100m`, `0.5` or `512Mi`"
        );
    }
}
