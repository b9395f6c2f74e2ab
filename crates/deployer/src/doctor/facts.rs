//! What is known of a cluster: plain data, filled by [`observe`](super::observe()).

use super::{Gateway, Kind, Namespace, Node, Operator, Review};
use crate::kubernetes::ObjectName;

/// An answer of the API server, or why there is none.
pub type Asked<T> = Result<T, String>;

/// What the user wants to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// Where deployments are to be; all namespaces where none is given.
    pub namespaces: Vec<String>,
    /// The gateway that routes are to attach to.
    pub gateway: Option<ObjectName>,
}

/// All that is known.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What was asked.
    pub question: Question,
    /// Where the API server is; empty where nothing says so.
    pub address: String,
    /// The processor that this program was built for, as Kubernetes calls it.
    pub architecture: String,
    /// The cluster, or why it cannot be asked.
    pub cluster: Asked<Cluster>,
}

/// What is known of a cluster that answers.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Its version, such as `v1.31.4-gke.100`.
    pub version: String,
    /// Whom the API server takes the caller for.
    pub caller: Asked<String>,
    /// The kind `SeldonDeployment`, where it is installed.
    pub kind: Asked<Option<Kind>>,
    /// The namespaces that are there: of those that were named, or all.
    pub namespaces: Asked<Vec<Namespace>>,
    /// Kinds of the Gateway API (v1).
    pub route_kinds: Asked<Vec<String>>,
    /// The gateway, where there is one of the name.
    pub gateway: Asked<Option<Gateway>>,
    /// What the caller may do of that which the operator must.
    pub reviews: Asked<Vec<Review>>,
    /// Operators of `SeldonDeployments`, Provost's own among them.
    pub operators: Asked<Vec<Operator>>,
    /// All nodes.
    pub nodes: Asked<Vec<Node>>,
    /// Whether the metrics of pods are answered.
    pub has_metrics: Asked<bool>,
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::{doctor::permissions, operator::crd::Served};

    pub(in crate::doctor) const GATEWAYS: &str = "gateways";

    fn cluster() -> Cluster {
        Cluster {
            version: "v1.34.1".to_owned(),
            caller: Ok("alice".to_owned()),
            kind: Ok(Some(Kind { is_established: true, ..Kind::of(&Served::SeldonDeployment.definition()) })),
            namespaces: Ok(vec![namespace("models")]),
            route_kinds: Ok(vec!["Gateway".to_owned(), "HTTPRoute".to_owned()]),
            gateway: Ok(None),
            reviews: Ok(reviews(&Question::default())),
            operators: Ok(Vec::new()),
            nodes: Ok(vec![node()]),
            has_metrics: Ok(true),
        }
    }

    pub(in crate::doctor) fn namespace(name: &str) -> Namespace {
        Namespace { name: name.to_owned(), labels: BTreeMap::from([("team".to_owned(), name.to_owned())]) }
    }

    pub(in crate::doctor) fn node() -> Node {
        Node {
            name: "a".to_owned(),
            is_ready: true,
            is_cordoned: false,
            taints: Vec::new(),
            platform: "linux/amd64".to_owned(),
        }
    }

    fn reviews(question: &Question) -> Vec<Review> {
        let needed = permissions::needed(question);
        needed.into_iter().map(|permission| Review { permission, is_allowed: true }).collect()
    }

    /// A cluster that has everything, but for a change.
    pub(in crate::doctor) fn facts(change: impl FnOnce(&mut Cluster)) -> Facts {
        let mut cluster = cluster();
        change(&mut cluster);
        Facts {
            question: Question::default(),
            address: "https://127.0.0.1:6443".to_owned(),
            architecture: "amd64".to_owned(),
            cluster: Ok(cluster),
        }
    }

    /// A cluster that has everything, asked for the gateway `gateways/public` and the namespace `models`.
    pub(in crate::doctor) fn with_gateway(change: impl FnOnce(&mut Cluster)) -> Facts {
        let gateway = ObjectName { namespace: GATEWAYS.to_owned(), name: "public".to_owned() };
        let question = Question { namespaces: vec!["models".to_owned()], gateway: Some(gateway) };
        let found = json!({
            "spec": {"listeners": [{"name": "http", "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}}}]},
            "status": {"conditions": [{"type": "Programmed", "status": "True"}]},
        });
        let facts = facts(|cluster| {
            cluster.gateway = Ok(Some(Gateway::of(&found)));
            cluster.reviews = Ok(reviews(&question));
            change(cluster);
        });
        Facts { question, ..facts }
    }
}
