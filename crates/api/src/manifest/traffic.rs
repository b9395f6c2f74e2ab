//! Changes the canaries and shadows of a manifest, without its author having to edit it.
//!
//! What a change is not about stays as it was written. Whether the outcome can be served is not told here, but by
//! parsing it, as with every manifest.

mod copy;
mod inference_service;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::{
    crd::seldon_deployment,
    rest::v1::changes::{ChosenPredictor, NewPredictor, NewWeight, PredictorChange, PredictorRole},
};
use PredictorRole::{Canary, Shadow};

type Object = serde_json::Map<String, Value>;

/// Share of the traffic of a canary of which none is said, in percent.
const WEIGHT: i32 = 10;

/// The manifest after the change; or why it cannot be made, and what to do.
pub fn change_predictors(document: &Value, change: &PredictorChange) -> Result<Value, String> {
    if document["kind"] == crate::crd::inference_service::KIND {
        return inference_service::change(document, change);
    }
    check_kind(document)?;
    let mut predictors = Predictors::of(document)?;
    match change {
        PredictorChange::Add(new) => predictors.add(new)?,
        PredictorChange::Weight(NewWeight { predictor, weight }) => {
            let chosen = predictors.choose(Canary, predictor.as_deref())?;
            predictors.weigh(chosen, *weight)?;
        }
        PredictorChange::Promote(ChosenPredictor { role, predictor }) => {
            let chosen = predictors.choose(*role, predictor.as_deref())?;
            predictors.promote(chosen)?;
        }
        PredictorChange::Remove(ChosenPredictor { role, predictor }) => {
            let chosen = predictors.choose(*role, predictor.as_deref())?;
            predictors.remove(chosen)?;
        }
    }
    Ok(predictors.into_document(document))
}

fn check_kind(document: &Value) -> Result<(), String> {
    match document["kind"].as_str() {
        Some(seldon_deployment::KIND) => Ok(()),
        kind => Err(format!(
            "canaries and shadows of the kind `{}` cannot be changed like this yet: edit the manifest, and apply it",
            kind.unwrap_or_default()
        )),
    }
}

/// The predictors of a manifest, in their order.
struct Predictors(Vec<Object>);

impl Predictors {
    fn of(document: &Value) -> Result<Self, String> {
        let list = document.pointer("/spec/predictors").and_then(Value::as_array);
        let objects = list.and_then(|list| list.iter().map(|one| one.as_object().cloned()).collect());
        objects.map(Self).ok_or_else(|| "the manifest has no list of predictors: mend it, and apply it".to_owned())
    }

    /// The document with these predictors in place of its own.
    fn into_document(self, document: &Value) -> Value {
        let mut document = document.clone();
        if let Some(place) = document.pointer_mut("/spec/predictors") {
            *place = self.0.into_iter().map(Value::Object).collect();
        }
        document
    }

    /// The place of the main predictor: the first that is no shadow.
    fn main(&self) -> Result<usize, String> {
        self.0
            .iter()
            .position(|one| role(one) == Canary)
            .ok_or_else(|| "no predictor gets traffic: edit the manifest, and apply it".to_owned())
    }

    /// The places of all canaries or shadows.
    fn all(&self, wanted: PredictorRole) -> Vec<usize> {
        let main = self.main().ok();
        (0..self.0.len()).filter(|place| Some(*place) != main && role(&self.0[*place]) == wanted).collect()
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|one| name_of(one) == name)
    }

    /// The canary or shadow of this name; without a name, the only one.
    fn choose(&self, wanted: PredictorRole, name: Option<&str>) -> Result<usize, String> {
        if let Some(name) = name {
            return self.choose_named(wanted, name);
        }
        match self.all(wanted)[..] {
            [only] => Ok(only),
            [] => Err(format!("there is no {wanted}: add one first")),
            ref several => Err(format!("there is more than one {wanted}: name one of {}", self.names(several))),
        }
    }

    fn choose_named(&self, wanted: PredictorRole, name: &str) -> Result<usize, String> {
        let everyone: Vec<_> = (0..self.0.len()).collect();
        let found = self.find(name);
        let place =
            found.ok_or_else(|| format!("there is no predictor `{name}`: name one of {}", self.names(&everyone)))?;
        let is = role(&self.0[place]);
        if self.main() == Ok(place) {
            return Err(self.is_main(name));
        }
        if is == wanted { Ok(place) } else { Err(format!("`{name}` is a {is}, not a {wanted}: change it as a {is}")) }
    }

    /// Why the main predictor is not changed itself.
    fn is_main(&self, name: &str) -> String {
        if self.all(Canary).is_empty() {
            return format!(
                "`{name}` is the last predictor that gets traffic: add a canary and promote it, or delete the deployment"
            );
        }
        format!(
            "`{name}` is the main predictor, which gets the traffic that canaries leave: change or promote a canary"
        )
    }

    fn names(&self, places: &[usize]) -> String {
        let names: Vec<_> = places.iter().map(|place| format!("`{}`", name_of(&self.0[*place]))).collect();
        names.join(", ")
    }

    fn add(&mut self, new: &NewPredictor) -> Result<(), String> {
        self.check_room(new)?;
        let name = self.name_for(new)?;
        let mut added = match &new.predictor {
            Some(predictor) => copy::whole(predictor, new)?,
            None => copy::copied(&self.0[self.main()?], new)?,
        };
        added.insert("name".to_owned(), name.into());
        added.shift_remove("shadow");
        added.shift_remove("traffic");
        if new.role == Shadow {
            added.insert("shadow".to_owned(), true.into());
        }
        self.0.push(added);
        if new.role == Canary { self.weigh(self.0.len() - 1, share(new)) } else { Ok(()) }
    }

    /// Whether there can be one more.
    fn check_room(&self, new: &NewPredictor) -> Result<(), String> {
        if new.role == Canary {
            return Ok(());
        }
        if new.weight.is_some() {
            return Err(
                "a shadow gets copies and no share of the answers: leave the weight out, and say in `traffic` of how many"
                    .to_owned()
            );
        }
        match self.all(Shadow)[..] {
            [] => Ok(()),
            ref there => Err(format!("there can be one shadow, and {} is there: remove it first", self.names(there))),
        }
    }

    /// The name of a new predictor, which no other may have.
    fn name_for(&self, new: &NewPredictor) -> Result<String, String> {
        let written = new.predictor.as_ref().and_then(|predictor| predictor["name"].as_str());
        let said = new.name.as_deref().or(written).filter(|name| !name.is_empty());
        let name = said.map_or_else(|| self.default_name(new.role), str::to_owned);
        match self.find(&name) {
            None => Ok(name),
            Some(_) => {
                Err(format!("there is a predictor `{name}` already: remove it first, or name the new one otherwise"))
            }
        }
    }

    /// The role's name, unless the main predictor was promoted from it.
    fn default_name(&self, role: PredictorRole) -> String {
        let has_main = self.main().is_ok_and(|main| name_of(&self.0[main]) == role.to_string());
        if has_main { format!("{role}-2") } else { role.to_string() }
    }

    /// Gives a canary this share, and the main predictor what is left.
    fn weigh(&mut self, chosen: usize, weight: i32) -> Result<(), String> {
        if !(0..=100).contains(&weight) {
            return Err(format!("`{weight}` is no share in percent: use a number from 0 to 100"));
        }
        let others: i64 =
            self.all(Canary).into_iter().filter(|one| *one != chosen).map(|one| traffic(&self.0[one])).sum();
        if i64::from(weight) + others > 100 {
            let (name, most) = (name_of(&self.0[chosen]), (100 - others).max(0));
            return Err(format!(
                "`{name}` can get at most {most} %, as other canaries get {others} %: lower theirs first"
            ));
        }
        set_traffic(&mut self.0[chosen], weight.into());
        self.settle()
    }

    /// Puts a canary or shadow in the main predictor's place, with all the traffic.
    fn promote(&mut self, chosen: usize) -> Result<(), String> {
        let mut promoted = self.0.remove(chosen);
        promoted.shift_remove("shadow");
        let main = self.main()?;
        self.0[main] = promoted;
        for canary in self.all(Canary) {
            set_traffic(&mut self.0[canary], 0);
        }
        self.settle()
    }

    fn remove(&mut self, chosen: usize) -> Result<(), String> {
        let removed = self.0.remove(chosen);
        if role(&removed) == Canary { self.settle() } else { Ok(()) }
    }

    /// Gives the main predictor what the canaries leave. Alone it gets all, which needs no share.
    fn settle(&mut self) -> Result<(), String> {
        let (main, canaries) = (self.main()?, self.all(Canary));
        if canaries.is_empty() {
            self.0[main].shift_remove("traffic");
        } else {
            let left = 100 - canaries.iter().map(|one| traffic(&self.0[*one])).sum::<i64>();
            set_traffic(&mut self.0[main], left.max(0));
        }
        Ok(())
    }
}

/// What a predictor would be beside a main one.
fn role(predictor: &Object) -> PredictorRole {
    if predictor.get("shadow").and_then(Value::as_bool) == Some(true) { Shadow } else { Canary }
}

fn name_of(predictor: &Object) -> &str {
    predictor.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// The share that is said for a new canary, else the one that stands in what was given whole.
fn share(new: &NewPredictor) -> i32 {
    let written = new.predictor.as_ref().and_then(|predictor| predictor["traffic"].as_i64());
    new.weight.or_else(|| written.and_then(|share| share.try_into().ok())).unwrap_or(WEIGHT)
}

fn traffic(predictor: &Object) -> i64 {
    predictor.get("traffic").and_then(Value::as_i64).unwrap_or(0)
}

/// Sets the share; one that was not there stands behind the name.
fn set_traffic(predictor: &mut Object, share: i64) {
    match predictor.get_mut("traffic") {
        Some(there) => *there = share.into(),
        None => drop(predictor.shift_insert(predictor.len().min(1), "traffic".to_owned(), share.into())),
    }
}
