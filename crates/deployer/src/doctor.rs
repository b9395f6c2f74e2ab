//! Preflight of a cluster: what the operator, and what it makes, would miss there.
//!
//! **Invariant**: [`diagnose`] is pure. Only [`observe`] asks the API server, and it changes nothing there.

mod api_server;
mod check;
mod facts;
mod gateway;
mod gateway_api;
mod kind;
mod metrics;
mod namespaces;
mod nodes;
mod observe;
mod operators;
mod permissions;
mod routes;
mod schema;

pub use check::{Check, Outcome};
pub use facts::{Asked, Cluster, Facts, Question};
pub use gateway::{Admitted, Gateway, Listener};
pub use kind::Kind;
pub use namespaces::Namespace;
pub use nodes::Node;
pub use observe::observe;
pub use operators::Operator;
pub use permissions::{Permission, Review};

/// What the facts mean: a check a subject, and none of a subject that is not there or was not asked for. Without a
/// cluster there is one check only, as nothing else could be asked.
pub fn diagnose(facts: &Facts) -> Vec<Check> {
    let cluster = match &facts.cluster {
        Ok(cluster) => cluster,
        Err(reason) => return vec![api_server::unreachable(facts, reason)],
    };
    // Each after those that it rests on.
    let checks = [
        Some(api_server::check(facts, cluster)),
        Some(kind::check(cluster)),
        schema::check(cluster),
        namespaces::check(facts, cluster),
        Some(gateway_api::check(facts, cluster)),
        gateway::check(facts, cluster),
        routes::check(facts, cluster),
        Some(permissions::check(cluster)),
        Some(operators::check(cluster)),
        Some(nodes::check(facts, cluster)),
        Some(metrics::check(cluster)),
    ];
    checks.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use facts::tests::{facts, with_gateway};

    fn told(facts: &Facts) -> String {
        let line = |check: &Check| format!("{:?} {}: {}", check.outcome, check.name, check.found);
        diagnose(facts).iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_cluster_that_has_everything_is_fine() {
        insta::assert_snapshot!(told(&with_gateway(|_| {})), @r"
        Ok api-server: Kubernetes v1.34.1 answers at https://127.0.0.1:6443
        Ok kind: SeldonDeployment is installed, in v1, v1alpha2, v1alpha3
        Ok schema: every field of a SeldonDeployment's spec reaches the operator
        Ok namespaces: all that were named are there: models
        Ok gateway-api: the Gateway API (v1) is installed
        Ok gateway: the gateway gateways/public is programmed
        Ok routes: the gateway lets in routes of models
        Ok permissions: alice may do all that the operator does
        Ok operators: there is no operator of Seldon Core; none of Provost's either
        Ok nodes: 1 of 1 take pods of linux/amd64
        Ok metrics: the API server knows the metrics of pods (metrics.k8s.io)
        ");
    }

    #[test]
    fn what_was_not_asked_for_is_not_checked() {
        let names: Vec<_> = diagnose(&facts(|_| {})).iter().map(|check| check.name).collect();
        assert_eq!(
            names,
            ["api-server", "kind", "schema", "gateway-api", "permissions", "operators", "nodes", "metrics"]
        );
    }

    #[test]
    fn without_a_cluster_there_is_one_failure() {
        let mut facts = facts(|_| {});
        facts.cluster = Err("Connection refused (os error 111)".to_owned());
        insta::assert_yaml_snapshot!(diagnose(&facts), @r#"
        - name: api-server
          outcome: failed
          found: "the API server at https://127.0.0.1:6443 cannot be asked, so nothing else was checked: Connection refused (os error 111)"
          advice: "see that `kubectl version` answers, by KUBECONFIG and the context that is chosen there"
        "#);
    }

    #[test]
    fn what_may_not_be_asked_is_a_warning() {
        let refused = || "it is forbidden".to_owned();
        let facts = with_gateway(|cluster| {
            cluster.caller = Err(refused());
            cluster.kind = Err(refused());
            cluster.namespaces = Err(refused());
            cluster.route_kinds = Err(refused());
            cluster.gateway = Err(refused());
            cluster.reviews = Err(refused());
            cluster.operators = Err(refused());
            cluster.nodes = Err(refused());
            cluster.has_metrics = Err(refused());
        });
        insta::assert_snapshot!(told(&facts), @r"
        Ok api-server: Kubernetes v1.34.1 answers at https://127.0.0.1:6443
        Warning kind: it cannot be told: it is forbidden
        Warning namespaces: it cannot be told: it is forbidden
        Warning gateway-api: it cannot be told: it is forbidden
        Warning gateway: it cannot be told: it is forbidden
        Warning permissions: it cannot be told: it is forbidden
        Warning operators: it cannot be told: it is forbidden
        Warning nodes: it cannot be told: it is forbidden
        Warning metrics: the metrics of pods (metrics.k8s.io) are not answered: it is forbidden
        ");
    }
}
