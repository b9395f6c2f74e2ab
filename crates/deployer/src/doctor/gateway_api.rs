//! The kinds of the Gateway API, of which routes are.

use super::{Check, Cluster, Facts, check::listed};

const NAME: &str = "gateway-api";
const KINDS: [&str; 2] = ["Gateway", "HTTPRoute"];

/// Without them, that is a fault only where routes are asked for.
pub(super) fn check(facts: &Facts, cluster: &Cluster) -> Check {
    let installed = match &cluster.route_kinds {
        Ok(installed) => installed,
        Err(reason) => return Check::unknown(NAME, reason),
    };
    let missing: Vec<_> = KINDS.into_iter().filter(|kind| !installed.iter().any(|one| one == kind)).collect();
    if missing.is_empty() {
        return Check::ok(NAME, "the Gateway API (v1) is installed");
    }
    let found = format!("the Gateway API (v1) is not installed: there is no kind {}", listed(&missing));
    let advice = "install it with a gateway of your choice";
    match facts.question.gateway {
        Some(_) => Check::failed(NAME, found, advice),
        None => {
            Check::warning(NAME, found, format!("{advice}; without, predictors are reached by their Services only"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::facts::tests::{facts, with_gateway},
        *,
    };
    use crate::doctor::Outcome;

    fn checked(facts: &Facts) -> Check {
        check(facts, facts.cluster.as_ref().unwrap())
    }

    #[test]
    fn it_is_needed_where_there_is_to_be_a_gateway() {
        assert_eq!(checked(&facts(|cluster| cluster.route_kinds = Ok(Vec::new()))).outcome, Outcome::Warning);
        let check = checked(&with_gateway(|cluster| cluster.route_kinds = Ok(vec!["Gateway".to_owned()])));
        assert_eq!(check.outcome, Outcome::Failed);
        assert!(check.found.ends_with("no kind HTTPRoute"), "{check:?}");
    }
}
