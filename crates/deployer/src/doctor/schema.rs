//! The schema of the kind: that the API server does not drop fields which the operator knows.

use super::{Check, Cluster, check::listed, kind::INSTALL};

const NAME: &str = "schema";

/// `None` where there is no kind to look at.
pub(super) fn check(cluster: &Cluster) -> Option<Check> {
    let kind = cluster.kind.as_ref().ok()?.as_ref()?;
    let dropping = kind.versions.iter().filter(|(_, keeps)| !keeps).map(|(name, _)| name.as_str());
    let dropping: Vec<_> = dropping.collect();
    if dropping.is_empty() {
        return Some(Check::ok(NAME, "every field of a SeldonDeployment's spec reaches the operator"));
    }
    let found = format!(
        "in {} the API server drops fields of spec that the kind's schema does not name, unseen, as with Seldon Core's own",
        listed(&dropping)
    );
    Some(Check::warning(NAME, found, format!("replace the kind by Provost's, which keeps all: {INSTALL}")))
}

#[cfg(test)]
mod tests {
    use super::{super::facts::tests::facts, *};
    use crate::doctor::{Kind, Outcome};

    fn checked(kind: Option<Kind>) -> Option<Check> {
        check(facts(|cluster| cluster.kind = Ok(kind)).cluster.as_ref().unwrap())
    }

    #[test]
    fn a_schema_that_drops_fields_is_told_with_its_versions() {
        let versions = vec![("v1".to_owned(), false), ("v1alpha2".to_owned(), true)];
        let check = checked(Some(Kind { is_established: true, versions })).unwrap();
        assert_eq!(check.outcome, Outcome::Warning);
        assert!(check.found.starts_with("in v1 the API server drops"), "{check:?}");
    }

    #[test]
    fn without_the_kind_there_is_none() {
        assert_eq!(checked(None), None);
    }
}
