//! The API server: that it answers, and is new enough.

use super::{Check, Cluster, Facts};

const NAME: &str = "api-server";
/// The first version with `preStop.sleep`, by which pods of predictors wait before they end.
const OLDEST: (u32, u32) = (1, 30);

pub(super) fn unreachable(facts: &Facts, reason: &str) -> Check {
    let place = if facts.address.is_empty() { String::new() } else { format!(" at {}", facts.address) };
    let found = format!("the API server{place} cannot be asked, so nothing else was checked: {reason}");
    Check::failed(NAME, found, "see that `kubectl version` answers, by KUBECONFIG and the context that is chosen there")
}

pub(super) fn check(facts: &Facts, cluster: &Cluster) -> Check {
    let found = format!("Kubernetes {} answers at {}", cluster.version, facts.address);
    match parse_version(&cluster.version) {
        Some(version) if version >= OLDEST => Check::ok(NAME, found),
        Some(_) => {
            let reason = "pods of predictors wait by `preStop.sleep` before they end, which it does not know";
            Check::failed(NAME, format!("{found}: {reason}"), "upgrade the cluster to 1.30 or newer")
        }
        None => {
            Check::warning(NAME, format!("{found}, a version that is not understood"), "see that it is 1.30 or newer")
        }
    }
}

/// Major and minor of a version such as `v1.31.4-gke.100`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix('v').unwrap_or(text).split(['.', '+', '-']);
    let mut next = || numbers.next()?.parse().ok();
    Some((next()?, next()?))
}

#[cfg(test)]
mod tests {
    use super::{super::facts::tests::facts, *};
    use crate::doctor::Outcome;

    #[track_caller]
    fn assert_outcome(version: &str, expected: Outcome) {
        let facts = facts(|cluster| cluster.version = version.to_owned());
        let check = check(&facts, facts.cluster.as_ref().unwrap());
        assert_eq!(check.outcome, expected, "{check:?}");
    }

    #[test]
    fn versions_from_1_30_on_are_new_enough() {
        for version in ["v1.30.0", "1.34.1", "v1.31.4-gke.100", "v1.33+k3s1", "v2.0.0"] {
            assert_outcome(version, Outcome::Ok);
        }
        assert_outcome("v1.29.15", Outcome::Failed);
        assert_outcome("v1.9.0", Outcome::Failed);
        assert_outcome("devel", Outcome::Warning);
    }
}
