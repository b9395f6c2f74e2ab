//! The namespaces that were named: that they are there.

use std::collections::BTreeMap;

use super::{Check, Cluster, Facts, check::listed};

const NAME: &str = "namespaces";

/// A namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// Its labels, by which gateways select.
    pub labels: BTreeMap<String, String>,
}

/// `None` where none was named.
pub(super) fn check(facts: &Facts, cluster: &Cluster) -> Option<Check> {
    let named = &facts.question.namespaces;
    if named.is_empty() {
        return None;
    }
    let there = match &cluster.namespaces {
        Ok(there) => there,
        Err(reason) => return Some(Check::unknown(NAME, reason)),
    };
    let missing: Vec<_> = named.iter().filter(|name| !there.iter().any(|one| one.name == **name)).collect();
    Some(match missing[..] {
        [] => Check::ok(NAME, format!("all that were named are there: {}", listed(named))),
        _ => {
            let found = format!("there is no namespace {}", listed(&missing));
            Check::failed(NAME, found, "make it: `kubectl create namespace NAME`")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{super::facts::tests::with_gateway, *};
    use crate::doctor::Outcome;

    #[test]
    fn one_that_is_not_there_is_told() {
        let mut facts = with_gateway(|_| {});
        facts.question.namespaces.push("fraud".to_owned());
        let check = check(&facts, facts.cluster.as_ref().unwrap()).unwrap();
        assert_eq!((check.outcome, check.found.as_str()), (Outcome::Failed, "there is no namespace fraud"));
    }
}
