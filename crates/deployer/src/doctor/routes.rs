//! Whether the gateway lets in the routes of the namespaces in question.

use kube::core::SelectorExt as _;

use super::{Check, Cluster, Facts, Gateway, Namespace, check::listed, gateway::Admitted};
use crate::kubernetes::ObjectName;

const NAME: &str = "routes";
const ADVICE: &str = "let the namespaces in by `allowedRoutes` of a listener of the gateway";

/// `None` where no gateway was asked for, or it is not there, or no namespace is.
pub(super) fn check(facts: &Facts, cluster: &Cluster) -> Option<Check> {
    let name = facts.question.gateway.as_ref()?;
    let gateway = cluster.gateway.as_ref().ok()?.as_ref()?;
    let namespaces = match &cluster.namespaces {
        Ok(namespaces) if namespaces.is_empty() => return None,
        Ok(namespaces) => namespaces,
        Err(reason) => return Some(Check::unknown(NAME, reason)),
    };
    let (admitted, refused): (Vec<_>, Vec<_>) =
        namespaces.iter().partition(|namespace| is_admitted(gateway, name, namespace));
    let names = |all: &[&Namespace]| listed(&all.iter().map(|one| one.name.as_str()).collect::<Vec<_>>());
    Some(if refused.is_empty() {
        Check::ok(NAME, format!("the gateway lets in routes of {}", names(&admitted)))
    } else if admitted.is_empty() {
        Check::warning(NAME, "the gateway would refuse routes of every namespace in question", ADVICE)
    } else if facts.question.namespaces.is_empty() {
        let found = format!("of all namespaces, the gateway lets in only routes of {}", names(&admitted));
        Check::warning(NAME, found, format!("name those of your deployments by --namespace; or {ADVICE}"))
    } else {
        Check::warning(NAME, format!("the gateway would refuse routes of {}", names(&refused)), ADVICE)
    })
}

fn is_admitted(gateway: &Gateway, name: &ObjectName, namespace: &Namespace) -> bool {
    let mut listeners = gateway.listeners.iter().filter(|listener| listener.takes_http_routes);
    listeners.any(|listener| match &listener.admits {
        Admitted::All => true,
        Admitted::Same => namespace.name == name.namespace,
        Admitted::Selected(selector) => selector.matches(&namespace.labels),
        Admitted::Nobody => false,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{
        super::facts::tests::{GATEWAYS, namespace, with_gateway},
        *,
    };
    use crate::doctor::Outcome;

    /// The check of a gateway that allows this, for these namespaces.
    fn checked(allowed: &Value, asked: &[&str], there: &[&str]) -> Check {
        let listener = json!({"name": "http", "protocol": "HTTP", "allowedRoutes": {"namespaces": allowed}});
        let gateway = Gateway::of(&json!({"spec": {"listeners": [listener]}}));
        let mut facts = with_gateway(|cluster| {
            cluster.gateway = Ok(Some(gateway));
            cluster.namespaces = Ok(there.iter().map(|name| namespace(name)).collect());
        });
        facts.question.namespaces = asked.iter().map(|name| (*name).to_owned()).collect();
        check(&facts, facts.cluster.as_ref().unwrap()).unwrap()
    }

    #[test]
    fn routes_of_the_gateways_own_namespace_are_let_in_where_nothing_is_said() {
        assert_eq!(checked(&json!(null), &[GATEWAYS], &[GATEWAYS]).outcome, Outcome::Ok);
        let other = checked(&json!({"from": "Same"}), &["models"], &["models"]);
        assert_eq!(other.outcome, Outcome::Warning);
        assert!(other.found.contains("every namespace in question"), "{other:?}");
    }

    #[test]
    fn those_that_labels_do_not_select_are_told() {
        let of_team = json!({"key": "team", "operator": "In", "values": ["models"]});
        let selector = json!({"from": "Selector", "selector": {"matchExpressions": [of_team]}});
        assert_eq!(checked(&selector, &["models"], &["models"]).outcome, Outcome::Ok);
        let named = checked(&selector, &["models", "fraud"], &["models", "fraud"]);
        assert_eq!(named.found, "the gateway would refuse routes of fraud");
        let all = checked(&selector, &[], &["models", "fraud"]);
        assert_eq!(all.found, "of all namespaces, the gateway lets in only routes of models");
        assert_eq!((named.outcome, all.outcome), (Outcome::Warning, Outcome::Warning));
    }

    #[test]
    fn a_rule_that_is_not_known_lets_nobody_in() {
        assert_eq!(checked(&json!({"from": "None"}), &["models"], &["models"]).outcome, Outcome::Warning);
    }
}
