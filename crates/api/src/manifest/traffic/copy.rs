//! The predictor to add: a copy of the main one that serves something else, or one that is given whole.

use serde_json::{Value, json};

use super::{Object, name_of};
use crate::rest::v1::changes::{NewParameter, NewPredictor};

/// Label that tells a predictor's name where its author does not say otherwise.
const VERSION_LABEL: &str = "version";
/// Annotation that names the one Service of a predictor.
const SERVICE_NAME: &str = "seldon.io/svc-name";

/// The predictor that was given.
pub(super) fn whole(predictor: &Value, new: &NewPredictor) -> Result<Object, String> {
    if says_what_differs(new) {
        let (role, message) =
            (new.role, "a model URI, model server or parameters for a copy of the main one: not both");
        return Err(format!("give the {role} whole, or {message}"));
    }
    predictor.as_object().cloned().ok_or_else(|| "the predictor is no object, as in `spec.predictors`".to_owned())
}

/// A copy of the main predictor that serves what is asked for.
pub(super) fn copied(main: &Object, new: &NewPredictor) -> Result<Object, String> {
    if !says_what_differs(new) {
        let role = new.role;
        return Err(format!(
            "say what the {role} serves: a model URI, a model server, parameters, or a whole predictor"
        ));
    }
    let mut copy = main.clone();
    drop_names(&mut copy);
    let root = copy.get_mut("graph").and_then(Value::as_object_mut);
    let root = root.ok_or_else(|| format!("`{}` has no graph to copy: give a whole predictor", name_of(main)))?;
    serve(root, new)?;
    Ok(copy)
}

fn says_what_differs(new: &NewPredictor) -> bool {
    new.model_uri.is_some() || new.implementation.is_some() || !new.parameters.is_empty()
}

/// Drops names that only one predictor can have.
fn drop_names(copy: &mut Object) {
    let name = name_of(copy).to_owned();
    if entry(copy, "labels", VERSION_LABEL) == Some(&name.into()) {
        drop_entry(copy, "labels", VERSION_LABEL);
    }
    drop_entry(copy, "annotations", SERVICE_NAME);
    let specs = copy.get_mut("componentSpecs").and_then(Value::as_array_mut);
    specs.into_iter().flatten().filter_map(Value::as_object_mut).for_each(|spec| drop_entry(spec, "metadata", "name"));
}

fn entry<'a>(object: &'a Object, map: &str, key: &str) -> Option<&'a Value> {
    object.get(map)?.get(key)
}

/// Drops an entry of a map of an object, and the map where nothing is left in it.
fn drop_entry(object: &mut Object, map: &str, key: &str) {
    let Some(entries) = object.get_mut(map).and_then(Value::as_object_mut) else { return };
    if entries.shift_remove(key).is_some() && entries.is_empty() {
        object.shift_remove(map);
    }
}

/// Lets the first node serve what is asked for.
fn serve(root: &mut Object, new: &NewPredictor) -> Result<(), String> {
    let text = |key: &str| root.get(key).and_then(Value::as_str);
    let has_other_server = new.implementation.is_some() && new.implementation.as_deref() != text("implementation");
    if new.implementation.is_none() && new.model_uri.is_some() && text("modelUri").is_none() {
        let node = text("name").unwrap_or_default();
        return Err(format!(
            "the first node, `{node}`, serves no model: give a whole predictor, or a model server too"
        ));
    }
    if has_other_server {
        root.shift_remove("parameters");
    }
    for (key, value) in [("implementation", &new.implementation), ("modelUri", &new.model_uri)] {
        if let Some(value) = value {
            root.insert(key.to_owned(), value.as_str().into());
        }
    }
    set_parameters(root, &new.parameters);
    Ok(())
}

/// Sets parameters in place of those of the same names.
fn set_parameters(root: &mut Object, parameters: &[NewParameter]) {
    if parameters.is_empty() {
        return;
    }
    let mut all = root.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
    for parameter in parameters {
        let there = all.iter().position(|one| one["name"] == parameter.name.as_str());
        let before = there.and_then(|place| all[place]["type"].as_str());
        let kind = parameter.kind.as_deref().or(before).unwrap_or("STRING");
        let set = json!({"name": parameter.name, "type": kind, "value": parameter.value});
        match there {
            Some(place) => all[place] = set,
            None => all.push(set),
        }
    }
    root.insert("parameters".to_owned(), all.into());
}
