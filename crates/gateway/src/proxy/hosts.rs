//! Which deployment a host name means, for requests whose path names none.

use std::collections::HashMap;

use provost_domain::{DeploymentId, routing_table::DeploymentBackends};

/// Deployments, and predictors of them, by host names.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    /// By the first two labels: `<name>.<namespace>` of deployments and of predictors' Services.
    named: HashMap<String, Named>,
    /// By the first label alone: `<name>-<namespace>`, as `KServe` makes it; `None` where it could be several.
    joined: HashMap<String, Option<String>>,
}

/// What a host name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// `<namespace>/<name>` of the deployment.
    pub(super) deployment: String,
    /// The predictor whose Service it is.
    pub(super) predictor: Option<String>,
}

impl Hosts {
    pub(super) fn of<'a>(deployments: impl Iterator<Item = (&'a DeploymentId, &'a DeploymentBackends)>) -> Self {
        let mut hosts = Self::default();
        for (id, DeploymentBackends { backends, transformers, explainers, .. }) in deployments {
            let deployment = id.to_string();
            for backend in backends.iter().chain(transformers.values()).chain(explainers.values()) {
                let service = backend.authority.split('.').take(2).collect::<Vec<_>>().join(".");
                let predictor = Some(backend.predictor.clone());
                hosts.named.insert(service, Named { deployment: deployment.clone(), predictor });
            }
            let joined = hosts.joined.entry(format!("{}-{}", id.name, id.namespace));
            joined.and_modify(|other| *other = None).or_insert_with(|| Some(deployment.clone()));
            let whole = Named { deployment, predictor: None };
            hosts.named.insert(format!("{}.{}", id.name, id.namespace), whole);
        }
        hosts
    }

    /// What a host with or without a port means.
    pub(super) fn find(&self, host: &str) -> Option<Named> {
        let name = host.split(':').next().unwrap_or(host).to_ascii_lowercase();
        let mut dots = name.match_indices('.').map(|(index, _)| index);
        let first = dots.next()?;
        let second = dots.next().unwrap_or(name.len());
        let named = self.named.get(name.get(..second)?).cloned();
        named.or_else(|| {
            let deployment = self.joined.get(name.get(..first)?)?.clone()?;
            Some(Named { deployment, predictor: None })
        })
    }
}

#[cfg(test)]
mod tests {
    use provost_domain::routing_table::Backend;

    use super::*;

    #[test]
    fn hosts_name_deployments_and_the_services_of_their_predictors() {
        let backends = |service: &str, namespace: &str| DeploymentBackends {
            backends: vec![Backend {
                predictor: "default".to_owned(),
                weight: 100,
                is_shadow: false,
                authority: format!("{service}.{namespace}.svc:8000"),
                timeout: None,
                sleeper: None,
            }],
            ..DeploymentBackends::default()
        };
        let all = [("iris", "models"), ("a", "b-c"), ("a-b", "c")].map(|(name, namespace)| {
            let id = DeploymentId { namespace: namespace.try_into().unwrap(), name: name.try_into().unwrap() };
            (id, backends(&format!("{name}-predictor"), namespace))
        });
        let hosts = Hosts::of(all.iter().map(|(id, backends)| (id, backends)));
        let found = |host: &str| {
            let named = hosts.find(host)?;
            Some((named.deployment, named.predictor.is_some()))
        };
        let iris = |is_service| Some(("models/iris".to_owned(), is_service));
        for host in ["iris.models.example.org", "iris.models", "IRIS.models.localhost:8000", "iris-models.example.org"]
        {
            assert_eq!(found(host), iris(false), "{host}");
        }
        for host in ["iris-predictor.models", "iris-predictor.models.svc.cluster.local:80"] {
            assert_eq!(found(host), iris(true), "{host}");
        }
        assert_eq!(found("a.b-c.example.org"), Some(("b-c/a".to_owned(), false)));
        for host in ["a-b-c.example.org", "iris", "iris.other.example.org", "localhost:8000", "127.0.0.1", ""] {
            assert_eq!(found(host), None, "{host}");
        }
    }
}
