//! What the user wrote and what is given besides it, in one: the user's goes first.

use provost_domain::FieldPath;
use serde_json::{Map, Value};

use super::error::BuildError;

/// Takes a list out of an object; an empty one where there is none.
pub(super) fn take_list(object: &mut Map<String, Value>, field: &str) -> Vec<Value> {
    match object.shift_remove(field) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

/// Sets a list, unless it is empty: Kubernetes tells an empty list from none.
pub(super) fn set_list(object: &mut Map<String, Value>, field: &str, items: Vec<Value>) {
    if !items.is_empty() {
        object.insert(field.to_owned(), Value::Array(items));
    }
}

/// Adds what an object does not say, in all its depth.
pub(super) fn fill(object: &mut Value, defaults: Value) {
    match (object, defaults) {
        (Value::Object(object), Value::Object(defaults)) => {
            for (name, default) in defaults {
                fill(object.entry(name).or_insert(Value::Null), default);
            }
        }
        (object @ Value::Null, default) => *object = default,
        _ => {}
    }
}

/// Joins what the user says of one thing in two places, the later of which is at `path`: their lists are
/// joined, and of anything else both must say the same.
pub(super) fn join(
    object: &mut Map<String, Value>,
    more: Map<String, Value>,
    path: &FieldPath,
) -> Result<(), BuildError> {
    for (name, value) in more {
        let path = path.field(&name);
        match (object.get_mut(&name), value) {
            (None, value) => drop(object.insert(name, value)),
            (Some(Value::Array(list)), Value::Array(items)) => {
                for (index, item) in items.into_iter().enumerate() {
                    join_item(list, item, key(&name), &path.index(index))?;
                }
            }
            (Some(known), value) if *known == value => {}
            _ => return Err(BuildError::Differs { path }),
        }
    }
    Ok(())
}

/// Adds an item that stands at `path`. One with the same `key` must be equal.
pub(super) fn join_item(list: &mut Vec<Value>, item: Value, key: &str, path: &FieldPath) -> Result<(), BuildError> {
    match list.iter().find(|known| is_same(known, &item, key)) {
        None => list.push(item),
        Some(known) if *known == item => {}
        Some(_) => return Err(BuildError::Differs { path: path.clone() }),
    }
    Ok(())
}

/// What tells the items of a list from each other.
fn key(list: &str) -> &'static str {
    match list {
        "ports" => "containerPort",
        "volumeDevices" => "devicePath",
        "volumeMounts" => "mountPath",
        _ => "name",
    }
}

/// Adds the items whose `key` no item of the list has.
pub(super) fn add_missing(list: &mut Vec<Value>, key: &str, more: impl IntoIterator<Item = Value>) {
    for item in more {
        if !list.iter().any(|known| is_same(known, &item, key)) {
            list.push(item);
        }
    }
}

/// Adds items in place of those that have the same `key`: of two with one key, the later stays.
pub(super) fn add_over(list: &mut Vec<Value>, key: &str, more: impl IntoIterator<Item = Value>) {
    for item in more {
        list.retain(|known| !is_same(known, &item, key));
        list.push(item);
    }
}

/// Items without the key are the same when they are equal.
fn is_same(one: &Value, other: &Value, key: &str) -> bool {
    match (one.get(key), other.get(key)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_said_stays_and_what_is_not_is_filled_in() {
        let mut object = json!({"capabilities": {"add": ["NET_ADMIN"]}, "runAsUser": 0});
        fill(&mut object, json!({"capabilities": {"add": [], "drop": ["ALL"]}, "runAsUser": 8888, "x": 1}));
        assert_eq!(object, json!({"capabilities": {"add": ["NET_ADMIN"], "drop": ["ALL"]}, "runAsUser": 0, "x": 1}));
    }

    fn joined(one: &Value, other: &Value) -> Result<Value, String> {
        let mut object = one.as_object().unwrap().clone();
        let result = join(&mut object, other.as_object().unwrap().clone(), &FieldPath::of("spec"));
        result.map(|()| Value::Object(object)).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_said_twice_is_joined_where_it_agrees() {
        let mount = |volume: &str, path: &str| json!({"name": volume, "mountPath": path});
        for (one, other, expected) in [
            (json!({"a": 1}), json!({"a": 1, "b": 2}), json!({"a": 1, "b": 2})),
            (
                json!({"tolerations": [{"key": "a"}]}),
                json!({"tolerations": [{"key": "b"}, {"key": "a"}]}),
                json!({"tolerations": [{"key": "a"}, {"key": "b"}]}),
            ),
            (
                json!({"volumeMounts": [mount("v", "/a")]}),
                json!({"volumeMounts": [mount("v", "/b")]}),
                json!({"volumeMounts": [mount("v", "/a"), mount("v", "/b")]}),
            ),
        ] {
            assert_eq!(joined(&one, &other), Ok(expected));
        }
    }

    #[test]
    fn what_differs_is_refused_by_its_path() {
        for (one, other, path) in [
            (json!({"nodeSelector": {"disk": "fast"}}), json!({"nodeSelector": {"gpu": "yes"}}), "spec.nodeSelector"),
            (
                json!({"volumes": [{"name": "v", "emptyDir": {}}]}),
                json!({"volumes": [{"name": "w"}, {"name": "v"}]}),
                "spec.volumes[1]",
            ),
        ] {
            let error = joined(&one, &other).unwrap_err();
            assert!(error.starts_with(&format!("{path}: something else is said of it before")), "{error}");
        }
    }

    #[test]
    fn of_two_items_with_one_key_the_first_stays_or_the_later() {
        let item = |name: &str, value: u32| json!({"name": name, "value": value});
        let (mut missing, mut over) = (vec![item("a", 1), item("b", 1)], vec![item("a", 1), item("b", 1)]);
        add_missing(&mut missing, "name", [item("a", 2), item("c", 2)]);
        assert_eq!(missing, [item("a", 1), item("b", 1), item("c", 2)]);
        add_over(&mut over, "name", [item("a", 2), item("c", 2)]);
        assert_eq!(over, [item("b", 1), item("a", 2), item("c", 2)]);
    }
}
