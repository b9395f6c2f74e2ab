//! The gateway that routes attach to: that it is there, and takes traffic.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::Selector;
use serde_json::Value;

use super::{Check, Cluster, Facts};
use crate::kubernetes::ObjectName;

const NAME: &str = "gateway";

/// What is known of a gateway.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// Type, whether it is true, and a text.
    pub conditions: Vec<(String, bool, String)>,
    /// Where it listens.
    pub listeners: Vec<Listener>,
}

/// A listener of a gateway.
#[derive(Debug, Clone)]
pub struct Listener {
    /// Whether an `HTTPRoute` may attach.
    pub takes_http_routes: bool,
    /// Of which namespaces.
    pub admits: Admitted,
}

/// The namespaces whose routes a listener lets in.
#[derive(Debug, Clone)]
pub enum Admitted {
    /// All.
    All,
    /// The gateway's own.
    Same,
    /// Those with labels.
    Selected(Selector),
    /// None, or those of a rule that is not known here.
    Nobody,
}

impl Gateway {
    /// From the object.
    pub(super) fn of(object: &Value) -> Self {
        let items = |path: &str| object.pointer(path).and_then(Value::as_array).into_iter().flatten();
        Self {
            conditions: items("/status/conditions").map(condition).collect(),
            listeners: items("/spec/listeners").map(Listener::of).collect(),
        }
    }

    fn condition(&self, name: &str) -> Option<(bool, &str)> {
        let found = self.conditions.iter().find(|(one, ..)| one == name)?;
        Some((found.1, &found.2))
    }
}

impl Listener {
    fn of(listener: &Value) -> Self {
        let allowed = &listener["allowedRoutes"];
        let takes_http_routes = match allowed["kinds"].as_array().map_or(&[][..], Vec::as_slice) {
            [] => listener["protocol"] == "HTTP" || listener["protocol"] == "HTTPS",
            kinds => kinds.iter().any(|kind| kind["kind"] == "HTTPRoute"),
        };
        Self { takes_http_routes, admits: Admitted::of(&allowed["namespaces"]) }
    }
}

impl Admitted {
    /// Where nothing is said, the gateway's own namespace.
    fn of(namespaces: &Value) -> Self {
        match namespaces["from"].as_str() {
            Some("All") => Self::All,
            None | Some("Same") => Self::Same,
            Some("Selector") => {
                let selector = serde_json::from_value::<LabelSelector>(namespaces["selector"].clone()).ok();
                selector.and_then(|selector| selector.try_into().ok()).map_or(Self::Nobody, Self::Selected)
            }
            Some(_) => Self::Nobody,
        }
    }
}

fn condition(condition: &Value) -> (String, bool, String) {
    let text = |name: &str| condition[name].as_str().unwrap_or_default().to_owned();
    (text("type"), condition["status"] == "True", text("message"))
}

/// `None` where no gateway was asked for, or its kind is not there.
pub(super) fn check(facts: &Facts, cluster: &Cluster) -> Option<Check> {
    let name = facts.question.gateway.as_ref()?;
    if cluster.route_kinds.as_ref().is_ok_and(|kinds| !kinds.iter().any(|kind| kind == "Gateway")) {
        return None;
    }
    Some(match &cluster.gateway {
        Ok(Some(gateway)) => check_conditions(name, gateway),
        Ok(None) => Check::failed(NAME, format!("{} is not there", shown(name)), "make it, or name another"),
        Err(reason) => Check::unknown(NAME, reason),
    })
}

fn shown(name: &ObjectName) -> String {
    format!("the gateway {name}")
}

fn check_conditions(name: &ObjectName, gateway: &Gateway) -> Check {
    let advice = format!("see `kubectl -n {} describe gateway {}`", name.namespace, name.name);
    let shown = shown(name);
    match (gateway.condition("Programmed"), gateway.condition("Accepted")) {
        (Some((true, _)), _) => Check::ok(NAME, format!("{shown} is programmed")),
        (None, Some((true, _))) => Check::ok(NAME, format!("{shown} is accepted")),
        (Some((false, reason)), Some((true, _))) => {
            Check::warning(NAME, format!("{shown} is accepted, but not programmed yet: {reason}"), advice)
        }
        (_, Some((false, reason))) | (Some((false, reason)), None) => {
            Check::failed(NAME, format!("{shown} is not accepted: {reason}"), advice)
        }
        (None, None) => {
            let found = "has neither of the conditions Programmed and Accepted: nothing answers for its class";
            Check::failed(NAME, format!("{shown} {found}"), advice)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::facts::tests::with_gateway, *};
    use crate::doctor::Outcome;

    #[track_caller]
    fn assert_outcome(conditions: &[(&str, bool)], expected: Outcome) {
        let condition = |(name, is_true): &(&str, bool)| ((*name).to_owned(), *is_true, "no address".to_owned());
        let gateway = Gateway { conditions: conditions.iter().map(condition).collect(), listeners: Vec::new() };
        let facts = with_gateway(|cluster| cluster.gateway = Ok(Some(gateway)));
        let check = check(&facts, facts.cluster.as_ref().unwrap()).unwrap();
        assert_eq!(check.outcome, expected, "{check:?}");
    }

    #[test]
    fn it_is_to_be_programmed_or_accepted() {
        assert_outcome(&[("Programmed", true), ("Accepted", true)], Outcome::Ok);
        assert_outcome(&[("Accepted", true)], Outcome::Ok);
        assert_outcome(&[("Programmed", false), ("Accepted", true)], Outcome::Warning);
        assert_outcome(&[("Programmed", false), ("Accepted", false)], Outcome::Failed);
        assert_outcome(&[("Programmed", false)], Outcome::Failed);
        assert_outcome(&[], Outcome::Failed);
    }

    #[test]
    fn one_that_is_not_there_is_told() {
        let facts = with_gateway(|cluster| cluster.gateway = Ok(None));
        let check = check(&facts, facts.cluster.as_ref().unwrap()).unwrap();
        assert_eq!(check.found, "the gateway gateways/public is not there");
        assert_eq!(check.outcome, Outcome::Failed);
    }

    #[test]
    fn listeners_take_the_routes_of_their_protocol_unless_they_say_otherwise() {
        let takes = |listener: Value| Listener::of(&listener).takes_http_routes;
        assert!(takes(json!({"protocol": "HTTPS"})));
        assert!(!takes(json!({"protocol": "TLS"})));
        assert!(!takes(json!({"protocol": "HTTP", "allowedRoutes": {"kinds": [{"kind": "GRPCRoute"}]}})));
        assert!(takes(json!({"protocol": "example.org/any", "allowedRoutes": {"kinds": [{"kind": "HTTPRoute"}]}})));
    }
}
