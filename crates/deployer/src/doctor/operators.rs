//! Operators that reconcile `SeldonDeployments`: another than Provost's would work against it.

use super::{Check, Cluster, check::listed};

const NAME: &str = "operators";

/// An operator that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Its Deployment, as `namespace/name`.
    pub name: String,
    /// Whether it is Provost's.
    pub is_own: bool,
}

pub(super) fn check(cluster: &Cluster) -> Check {
    let operators = match &cluster.operators {
        Ok(operators) => operators,
        Err(reason) => return Check::unknown(NAME, reason),
    };
    let (own, others): (Vec<_>, Vec<_>) = operators.iter().partition(|operator| operator.is_own);
    let names = |all: &[&Operator]| listed(&all.iter().map(|one| one.name.as_str()).collect::<Vec<_>>());
    if !others.is_empty() {
        let found = format!("{} may reconcile the same SeldonDeployments", names(&others));
        let advice = "give Provost's operator an id (`--controller-id`, or `controllerId` of the chart) and its deployments the label seldon.io/controller-id";
        return Check::warning(NAME, found, advice);
    }
    let own = match own[..] {
        [] => "none of Provost's either".to_owned(),
        _ => format!("Provost's is {}", names(&own)),
    };
    Check::ok(NAME, format!("there is no operator of Seldon Core; {own}"))
}

#[cfg(test)]
mod tests {
    use super::{super::facts::tests::facts, *};
    use crate::doctor::Outcome;

    fn checked(operators: &[(&str, bool)]) -> Check {
        let operators = operators.iter().map(|(name, is_own)| Operator { name: (*name).to_owned(), is_own: *is_own });
        let operators = operators.collect();
        check(facts(|cluster| cluster.operators = Ok(operators)).cluster.as_ref().unwrap())
    }

    #[test]
    fn another_operator_is_told_with_how_to_live_beside_it() {
        let check = checked(&[("provost-system/provost", true), ("seldon-system/seldon-controller-manager", false)]);
        assert_eq!(check.outcome, Outcome::Warning);
        assert!(check.found.starts_with("seldon-system/seldon-controller-manager may"), "{check:?}");
        assert!(check.advice.unwrap().contains("--controller-id"));
    }

    #[test]
    fn provosts_own_is_fine() {
        let check = checked(&[("provost-system/provost", true)]);
        assert_eq!(check.outcome, Outcome::Ok);
        assert!(check.found.ends_with("Provost's is provost-system/provost"), "{check:?}");
    }
}
