//! The same for an `InferenceService`: its canary is the predictor that is applied with `canaryTrafficPercent`, or one of
//! `spec.canary`.

use serde_json::{Value, json};

use crate::{
    crd::inference_service::{LEGACY_VERSION, ROLLED_OUT_ANNOTATION, rollout},
    rest::v1::changes::{ChosenPredictor, NewPredictor, NewWeight, PredictorChange, PredictorRole},
};

/// The share of the predictor that is rolled out.
const PERCENT: &str = "canaryTrafficPercent";
/// Its name while it is.
const CANARY: &str = "canary";
/// Share of the traffic of a canary of which none is said, in percent.
const WEIGHT: i32 = 10;

/// The manifest after the change; or why it cannot be made, and what to do.
pub(super) fn change(document: &Value, change: &PredictorChange) -> Result<Value, String> {
    if document["apiVersion"] == LEGACY_VERSION {
        return Err("canaries of v1alpha2 cannot be changed like this: edit the manifest, and apply it".to_owned());
    }
    if !document["spec"]["predictor"].is_object() {
        return Err("the manifest has no predictor: mend it, and apply it".to_owned());
    }
    let mut changed = document.clone();
    let service = Service { before: document, spec: &mut changed["spec"] };
    match change {
        PredictorChange::Add(new) => service.add(new)?,
        PredictorChange::Weight(NewWeight { predictor, weight }) => service.weigh(predictor.as_deref(), *weight)?,
        PredictorChange::Promote(chosen) => service.promote(canary(chosen)?)?,
        PredictorChange::Remove(chosen) => service.remove(canary(chosen)?)?,
    }
    rollout::carry(&mut changed, Some(document));
    Ok(changed)
}

fn canary(chosen: &ChosenPredictor) -> Result<Option<&str>, String> {
    if chosen.role == PredictorRole::Shadow { Err(no_shadows()) } else { Ok(chosen.predictor.as_deref()) }
}

fn no_shadows() -> String {
    "an InferenceService has no shadows: write a SeldonDeployment".to_owned()
}

struct Service<'a> {
    before: &'a Value,
    spec: &'a mut Value,
}

/// Which canary is meant.
enum Canary {
    /// The predictor, while another has the rest of the traffic.
    RolledOut,
    /// This one of `spec.canary`.
    Listed(usize),
}

impl Service<'_> {
    /// What had all of the traffic before the predictor got a share of it.
    fn rolled_out(&self) -> Option<Value> {
        let is_shared = self.spec["predictor"][PERCENT].as_i64().is_some_and(|percent| percent < 100);
        let text = self.before["metadata"]["annotations"][ROLLED_OUT_ANNOTATION].as_str().filter(|_| is_shared)?;
        serde_json::from_str(text).ok()
    }

    fn listed(&self) -> Vec<&str> {
        let canaries = self.spec["canary"].as_array().into_iter().flatten();
        canaries.map(|canary| canary["predictor"]["name"].as_str().unwrap_or_default()).collect()
    }

    fn choose(&self, name: Option<&str>) -> Result<Canary, String> {
        if self.rolled_out().is_some() && name.is_none_or(|name| name == CANARY) {
            return Ok(Canary::RolledOut);
        }
        let listed = self.listed();
        match (name, &listed[..]) {
            (Some(name), listed) => {
                let found = listed.iter().position(|one| *one == name).map(Canary::Listed);
                found.ok_or_else(|| format!("there is no canary `{name}`"))
            }
            (None, [_]) => Ok(Canary::Listed(0)),
            (None, []) => Err("there is no canary: add one first".to_owned()),
            (None, several) => Err(format!("there is more than one canary: name one of `{}`", several.join("`, `"))),
        }
    }

    fn add(self, new: &NewPredictor) -> Result<(), String> {
        if new.role == PredictorRole::Shadow {
            return Err(no_shadows());
        }
        if self.rolled_out().is_some() || !self.listed().is_empty() {
            return Err("a canary is there already: promote or remove it first".to_owned());
        }
        if new.name.as_deref().is_some_and(|name| name != CANARY) {
            return Err(format!("the canary of an InferenceService is called `{CANARY}`: leave the name out"));
        }
        let weight = share(new.weight.unwrap_or(WEIGHT))?;
        let mut predictor = match &new.predictor {
            Some(predictor) if predictor.is_object() => predictor.clone(),
            Some(_) => return Err("the predictor is no object, as in `spec.predictor`".to_owned()),
            None => copied(&self.spec["predictor"], new)?,
        };
        predictor[PERCENT] = json!(weight);
        self.spec["predictor"] = predictor;
        Ok(())
    }

    fn weigh(self, name: Option<&str>, weight: i32) -> Result<(), String> {
        let weight = share(weight)?;
        match self.choose(name)? {
            // With all of it, it would be rolled out, and the one before gone.
            Canary::RolledOut if weight == 100 => {
                return Err("with 100 % nothing is left for the one before: promote the canary".to_owned());
            }
            Canary::RolledOut => self.spec["predictor"][PERCENT] = json!(weight),
            Canary::Listed(index) => self.spec["canary"][index]["trafficPercent"] = json!(weight),
        }
        Ok(())
    }

    fn promote(self, name: Option<&str>) -> Result<(), String> {
        match self.choose(name)? {
            Canary::RolledOut => remove(&mut self.spec["predictor"], PERCENT),
            Canary::Listed(index) => {
                self.spec["predictor"] = self.spec["canary"][index]["predictor"].clone();
                self.drop_listed(index);
            }
        }
        Ok(())
    }

    fn remove(self, name: Option<&str>) -> Result<(), String> {
        match self.choose(name)? {
            Canary::RolledOut => {
                if let Some(before) = self.rolled_out() {
                    rollout::put_back(self.spec, before);
                }
            }
            Canary::Listed(index) => self.drop_listed(index),
        }
        Ok(())
    }

    fn drop_listed(self, index: usize) {
        if let Some(canaries) = self.spec["canary"].as_array_mut().filter(|canaries| index < canaries.len()) {
            canaries.remove(index);
        }
        if self.listed().is_empty() {
            remove(self.spec, "canary");
        }
    }
}

fn share(weight: i32) -> Result<i32, String> {
    let is_share = (0..=100).contains(&weight);
    if is_share { Ok(weight) } else { Err(format!("`{weight}` is no share in percent: use a number from 0 to 100")) }
}

fn remove(object: &mut Value, field: &str) {
    if let Some(fields) = object.as_object_mut() {
        fields.shift_remove(field);
    }
}

/// The predictor with another place of its model.
fn copied(predictor: &Value, new: &NewPredictor) -> Result<Value, String> {
    let uri = new.model_uri.as_deref().filter(|_| new.implementation.is_none() && new.parameters.is_empty());
    let uri = uri.ok_or("say where the canary's model is, or give a whole predictor")?;
    let mut copy = predictor.clone();
    let models = copy.as_object_mut().into_iter().flat_map(|fields| fields.values_mut());
    let model = models.into_iter().find(|field| field["storageUri"].is_string());
    let model = model.ok_or("the predictor has no `storageUri` to change: give a whole predictor")?;
    model["storageUri"] = json!(uri);
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(spec: Value) -> Value {
        json!({
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": "iris"},
            "spec": spec,
        })
    }

    fn predictor(uri: &str) -> Value {
        json!({"minReplicas": 2, "sklearn": {"storageUri": uri, "protocolVersion": "v2"}})
    }

    fn changed(document: &Value, what: Value) -> Result<Value, String> {
        change(document, &parsed(what))
    }

    fn parsed(what: Value) -> PredictorChange {
        serde_json::from_value(what).unwrap()
    }

    fn add(uri: &str) -> Value {
        json!({"change": "add", "role": "canary", "modelUri": uri})
    }

    fn of(what: &str) -> Value {
        json!({"change": what, "role": "canary"})
    }

    #[test]
    fn a_model_is_rolled_out_weighed_promoted_or_taken_back() {
        let plain = service(json!({"predictor": predictor("/a")}));
        let shared = changed(&plain, add("/b")).unwrap();
        let mut expected = predictor("/b");
        expected[PERCENT] = json!(10);
        assert_eq!(shared["spec"]["predictor"], expected);
        let kept = shared["metadata"]["annotations"][ROLLED_OUT_ANNOTATION].as_str().unwrap();
        assert_eq!(serde_json::from_str::<Value>(kept).unwrap(), predictor("/a"));
        let half = changed(&shared, json!({"change": "weight", "weight": 50})).unwrap();
        assert_eq!(half["spec"]["predictor"][PERCENT], 50);
        let promoted = changed(&half, of("promote")).unwrap();
        assert_eq!(promoted["spec"]["predictor"], predictor("/b"));
        assert_eq!(promoted["metadata"]["annotations"], json!({}));
        let taken_back = changed(&half, of("remove")).unwrap();
        assert_eq!(taken_back["spec"]["predictor"], predictor("/a"));
        assert_eq!(taken_back["metadata"]["annotations"], json!({}));
    }

    #[test]
    fn what_is_taken_back_goes_with_what_stood_beside_it() {
        let transformer = |image: &str| json!({"containers": [{"image": image}]});
        let before = service(json!({"predictor": predictor("/a"), "transformer": transformer("a")}));
        let mut shared = changed(&before, add("/b")).unwrap();
        (shared["spec"]["transformer"], shared["spec"]["explainer"]) = (transformer("b"), transformer("e"));
        let taken_back = changed(&shared, of("remove")).unwrap();
        assert_eq!(taken_back["spec"], before["spec"]);
    }

    #[test]
    fn canaries_of_a_list_are_changed_by_their_names() {
        let named = |name: &str, uri: &str| {
            let mut predictor = predictor(uri);
            predictor["name"] = json!(name);
            json!({"predictor": predictor, "trafficPercent": 20})
        };
        let both = service(json!({"predictor": predictor("/a"), "canary": [named("b", "/b"), named("c", "/c")]}));
        let unnamed = changed(&both, of("promote")).unwrap_err();
        assert_eq!(unnamed, "there is more than one canary: name one of `b`, `c`");
        let weighed = changed(&both, json!({"change": "weight", "predictor": "c", "weight": 30})).unwrap();
        assert_eq!(weighed["spec"]["canary"][1]["trafficPercent"], 30);
        let promoted = changed(&both, json!({"change": "promote", "role": "canary", "predictor": "b"})).unwrap();
        assert_eq!(promoted["spec"]["predictor"], named("b", "/b")["predictor"]);
        let last = changed(&promoted, of("remove")).unwrap();
        assert_eq!(last["spec"].get("canary"), None);
    }

    #[test]
    fn what_cannot_be_is_told_with_what_to_do() {
        let plain = service(json!({"predictor": predictor("/a")}));
        let shared = changed(&plain, add("/b")).unwrap();
        let container = service(json!({"predictor": {"containers": [{"image": "a"}]}}));
        let legacy = json!({"apiVersion": LEGACY_VERSION, "kind": "InferenceService", "spec": {}});
        for (document, what, expected) in [
            (&plain, of("promote"), "there is no canary: add one first"),
            (
                &plain,
                json!({"change": "add", "role": "shadow", "modelUri": "/b"}),
                "an InferenceService has no shadows: write a SeldonDeployment",
            ),
            (&plain, of("add"), "say where the canary's model is, or give a whole predictor"),
            (
                &plain,
                json!({"change": "add", "role": "canary", "modelUri": "/b", "weight": 101}),
                "`101` is no share in percent: use a number from 0 to 100",
            ),
            (&shared, add("/c"), "a canary is there already: promote or remove it first"),
            (
                &shared,
                json!({"change": "weight", "weight": 100}),
                "with 100 % nothing is left for the one before: promote the canary",
            ),
            (&container, add("/b"), "the predictor has no `storageUri` to change: give a whole predictor"),
            (&legacy, add("/b"), "canaries of v1alpha2 cannot be changed like this: edit the manifest, and apply it"),
        ] {
            assert_eq!(changed(document, what).unwrap_err(), expected);
        }
    }
}
