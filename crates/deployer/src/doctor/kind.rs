//! The kind `SeldonDeployment`: that it is installed, in every version that manifests are written in.

use serde_json::Value;

use super::{Check, Cluster, check::listed};
use crate::operator::crd::Served;

const NAME: &str = "kind";
/// How the kind is installed, or replaced.
pub(super) const INSTALL: &str = "`provost print crds | kubectl apply --server-side --force-conflicts -f -`";

/// What is known of the kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// Whether the API server takes objects of it.
    pub is_established: bool,
    /// The versions that are served, and whether each keeps fields of `spec` that its schema does not name.
    pub versions: Vec<(String, bool)>,
}

impl Kind {
    /// From its `CustomResourceDefinition`.
    pub(super) fn of(definition: &Value) -> Self {
        let items = |path: &str| definition.pointer(path).and_then(Value::as_array).into_iter().flatten();
        let is_established = |one: &Value| one["type"] == "Established" && one["status"] == "True";
        let served = items("/spec/versions").filter(|version| version["served"] == true);
        let version = |version: &Value| {
            let keeps = definition["spec"]["preserveUnknownFields"] == true || keeps_unknown(version);
            (version["name"].as_str().unwrap_or_default().to_owned(), keeps)
        };
        Self {
            is_established: items("/status/conditions").any(is_established),
            versions: served.map(version).collect(),
        }
    }
}

/// Whether fields of `spec` are kept that the schema does not name.
fn keeps_unknown(version: &Value) -> bool {
    let schema = &version["schema"]["openAPIV3Schema"];
    let keeps = |schema: &Value| schema["x-kubernetes-preserve-unknown-fields"] == true;
    match schema["properties"].get("spec") {
        Some(spec) => keeps(spec),
        None => keeps(schema),
    }
}

pub(super) fn check(cluster: &Cluster) -> Check {
    let kind = match &cluster.kind {
        Ok(Some(kind)) => kind,
        Ok(None) => return missing(cluster),
        Err(reason) => return Check::unknown(NAME, reason),
    };
    if !kind.is_established {
        let advice =
            format!("see the conditions that `kubectl describe crd {}` shows", Served::SeldonDeployment.name());
        return Check::failed(NAME, "SeldonDeployment is installed, but not established", advice);
    }
    let is_served = |version: &str| kind.versions.iter().any(|(name, _)| name == version);
    let missing: Vec<_> =
        Served::SeldonDeployment.versions().into_iter().filter(|version| !is_served(version)).collect();
    let (found, advice) =
        (format!("SeldonDeployment is not served as {}", listed(&missing)), format!("replace it: {INSTALL}"));
    if missing.is_empty() {
        Check::ok(NAME, format!("SeldonDeployment is installed, in {}", listed(&Served::SeldonDeployment.versions())))
    } else if missing.contains(&Served::SeldonDeployment.stored()) {
        Check::failed(NAME, format!("{found}; the operator asks for {}", Served::SeldonDeployment.stored()), advice)
    } else {
        Check::warning(NAME, format!("{found}: manifests of that are refused"), advice)
    }
}

/// Before the chart is installed, which brings the kind, that is no fault.
fn missing(cluster: &Cluster) -> Check {
    let has_operator = cluster.operators.iter().flatten().any(|operator| operator.is_own);
    if has_operator {
        let found = "SeldonDeployment is not installed, and an operator of Provost waits for it";
        return Check::failed(NAME, found, format!("install it: {INSTALL}"));
    }
    let advice = format!("`helm install` brings it; without the chart: {INSTALL}");
    Check::warning(NAME, "SeldonDeployment is not installed", advice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::facts::tests::facts, *};
    use crate::doctor::{Operator, Outcome};

    fn checked(change: impl FnOnce(&mut Cluster)) -> Check {
        check(facts(change).cluster.as_ref().unwrap())
    }

    fn serving(versions: &[&str]) -> Kind {
        Kind { is_established: true, versions: versions.iter().map(|name| ((*name).to_owned(), true)).collect() }
    }

    #[test]
    fn its_absence_is_a_fault_once_an_operator_is_there() {
        let none = checked(|cluster| cluster.kind = Ok(None));
        assert_eq!(none.outcome, Outcome::Warning);
        assert!(none.advice.unwrap().contains("helm install"));
        let operator = Operator { name: "provost-system/provost".to_owned(), is_own: true };
        let waiting = checked(|cluster| (cluster.kind, cluster.operators) = (Ok(None), Ok(vec![operator])));
        assert_eq!(waiting.outcome, Outcome::Failed);
    }

    #[test]
    fn every_version_of_manifests_is_to_be_served() {
        let with = |versions: &[&str]| checked(|cluster| cluster.kind = Ok(Some(serving(versions))));
        assert_eq!(with(&["v1", "v1alpha2", "v1alpha3"]).outcome, Outcome::Ok);
        let some = with(&["v1"]);
        assert_eq!(some.outcome, Outcome::Warning);
        assert!(some.found.contains("v1alpha2, v1alpha3"), "{some:?}");
        assert_eq!(with(&["v1alpha2", "v1alpha3"]).outcome, Outcome::Failed);
    }

    #[test]
    fn one_whose_names_are_taken_is_told() {
        let kind = Kind { is_established: false, ..serving(&["v1"]) };
        assert_eq!(checked(|cluster| cluster.kind = Ok(Some(kind))).outcome, Outcome::Failed);
    }

    #[test]
    fn a_definition_is_read() {
        let schema = |spec| json!({"openAPIV3Schema": {"properties": {"spec": spec}}});
        let kept = json!({"x-kubernetes-preserve-unknown-fields": true, "properties": {"replicas": {}}});
        let definition = json!({
            "spec": {"versions": [
                {"name": "v1", "served": true, "schema": schema(kept)},
                {"name": "v1alpha2", "served": true, "schema": schema(json!({"properties": {"name": {}}}))},
                {"name": "v1alpha3", "served": true, "schema": {"openAPIV3Schema": {"x-kubernetes-preserve-unknown-fields": true}}},
                {"name": "v1alpha1", "served": false, "schema": schema(json!({}))},
            ]},
            "status": {"conditions": [{"type": "NamesAccepted", "status": "True"}, {"type": "Established", "status": "True"}]},
        });
        let kind = Kind::of(&definition);
        assert!(kind.is_established);
        let versions: Vec<_> = kind.versions.iter().map(|(name, keeps)| (name.as_str(), *keeps)).collect();
        assert_eq!(versions, [("v1", true), ("v1alpha2", false), ("v1alpha3", true)]);
        assert!(!Kind::of(&json!({})).is_established);
    }
}
