//! The nodes: that one of them takes pods of the image.

use k8s_openapi::api::core::v1;
use kube::ResourceExt as _;

use super::{Check, Cluster, Facts, check::listed};

const NAME: &str = "nodes";
/// Taints by which the cluster itself tells that a node is in trouble.
const TROUBLES: [&str; 2] = ["node.kubernetes.io/", "node.cloudprovider.kubernetes.io/"];

/// What is known of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Whether it is ready.
    pub is_ready: bool,
    /// Whether it takes no new pods.
    pub is_cordoned: bool,
    /// Taints that keep pods away.
    pub taints: Vec<String>,
    /// Operating system and processor, such as `linux/amd64`.
    pub platform: String,
}

impl Node {
    /// From the object.
    pub(super) fn of(node: v1::Node) -> Self {
        let (name, status) = (node.name_any(), node.status.unwrap_or_default());
        let specification = node.spec.unwrap_or_default();
        let keeps_away = |taint: &v1::Taint| taint.effect == "NoSchedule" || taint.effect == "NoExecute";
        let taints = specification.taints.into_iter().flatten().filter(keeps_away).map(|taint| taint.key);
        let is_ready = |one: v1::NodeCondition| one.type_ == "Ready" && one.status == "True";
        let system = status.node_info.unwrap_or_default();
        Self {
            name,
            is_ready: status.conditions.into_iter().flatten().any(is_ready),
            is_cordoned: specification.unschedulable == Some(true),
            taints: taints.collect(),
            platform: format!("{}/{}", system.operating_system, system.architecture),
        }
    }

    /// Why it takes no pods of the image, even of those that tolerate taints.
    fn unfit(&self, platform: &str) -> Option<String> {
        if !self.is_ready {
            Some("is not ready".to_owned())
        } else if self.is_cordoned {
            Some("is cordoned".to_owned())
        } else if self.platform != platform {
            Some(format!("is {}", self.platform))
        } else {
            let of_cluster = |taint: &&String| TROUBLES.iter().any(|prefix| taint.starts_with(prefix));
            self.taints.iter().find(of_cluster).map(|taint| format!("has the taint {taint}"))
        }
    }

    fn trouble(&self, platform: &str) -> String {
        let taints = || format!("has the taint {}", listed(&self.taints));
        format!("{} {}", self.name, self.unfit(platform).unwrap_or_else(taints))
    }
}

/// Taints alone are no fault: pods can be made to tolerate them.
pub(super) fn check(facts: &Facts, cluster: &Cluster) -> Check {
    let nodes = match &cluster.nodes {
        Ok(nodes) if nodes.is_empty() => {
            return Check::failed(NAME, "there are no nodes", "add one that is linux, of the image's processor");
        }
        Ok(nodes) => nodes,
        Err(reason) => return Check::unknown(NAME, reason),
    };
    let platform = format!("linux/{}", facts.architecture);
    let fit: Vec<_> = nodes.iter().filter(|node| node.unfit(&platform).is_none()).collect();
    let free = fit.iter().filter(|node| node.taints.is_empty()).count();
    if free > 0 {
        return Check::ok(NAME, format!("{free} of {} take pods of {platform}", nodes.len()));
    }
    let troubles: Vec<_> = nodes.iter().map(|node| node.trouble(&platform)).collect();
    let found = format!("of {}, none takes pods of {platform}: {}", nodes.len(), listed(&troubles));
    if fit.is_empty() {
        let advice = "see `kubectl get nodes`; the image must be of the nodes' processor, and this program is of";
        return Check::failed(NAME, found, format!("{advice} {}", facts.architecture));
    }
    Check::warning(
        NAME,
        found,
        "tolerate a taint: `tolerations` of the chart, and of componentSpecs of each deployment",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::facts::tests::{facts, node},
        *,
    };
    use crate::doctor::Outcome;

    fn checked(nodes: &[Node]) -> Check {
        let facts = facts(|cluster| cluster.nodes = Ok(nodes.to_vec()));
        check(&facts, facts.cluster.as_ref().unwrap())
    }

    fn tainted(taint: &str) -> Node {
        Node { taints: vec![taint.to_owned()], ..node() }
    }

    #[test]
    fn one_that_takes_pods_is_enough() {
        let check = checked(&[tainted("gpu"), node()]);
        assert_eq!((check.outcome, check.found.as_str()), (Outcome::Ok, "1 of 2 take pods of linux/amd64"));
    }

    #[test]
    fn each_that_takes_none_is_told_with_its_reason() {
        let check = checked(&[
            Node { is_ready: false, ..node() },
            Node { name: "b".to_owned(), is_cordoned: true, ..node() },
            Node { name: "c".to_owned(), platform: "linux/arm64".to_owned(), ..tainted("gpu") },
            Node { name: "d".to_owned(), ..tainted("node.kubernetes.io/disk-pressure") },
        ]);
        assert_eq!(check.outcome, Outcome::Failed);
        insta::assert_snapshot!(check.found, @"of 4, none takes pods of linux/amd64: a is not ready, b is cordoned, c is linux/arm64, d has the taint node.kubernetes.io/disk-pressure");
        assert_eq!(checked(&[]).found, "there are no nodes");
    }

    #[test]
    fn taints_of_users_are_no_fault() {
        let check = checked(&[tainted("gpu")]);
        assert_eq!(check.outcome, Outcome::Warning);
        assert!(check.found.ends_with("a has the taint gpu"), "{check:?}");
    }

    #[test]
    fn a_node_is_read() {
        let object = json!({
            "metadata": {"name": "a"},
            "spec": {"taints": [{"key": "soft", "effect": "PreferNoSchedule"}, {"key": "gpu", "effect": "NoExecute"}]},
            "status": {
                "conditions": [{"type": "Ready", "status": "True"}],
                "nodeInfo": {"operatingSystem": "linux", "architecture": "amd64"},
            },
        });
        assert_eq!(Node::of(serde_json::from_value(object).unwrap()), tainted("gpu"));
    }
}
