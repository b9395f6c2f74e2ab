//! Who gets the requests of a predictor that has no pods: the activator. Its addresses are endpoints of the predictor's
//! Services, beside those that Kubernetes keeps itself; so every way to the predictor leads there.

use std::collections::BTreeSet;

use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::{
    Api, Client, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams},
};
use serde_json::{Value, json};

use super::Scaled;
use crate::{
    endpoints::{Endpoints, KEEPER_LABEL, SERVICE_LABEL, addresses},
    kubernetes::{ObjectName, PREDICTOR_LABEL},
};

/// Who keeps the slices, and manages their fields.
const KEEPER: &str = "provost.dev";
/// The ports of predictors' Services, all of which the activator answers at its one.
const PORTS: [&str; 3] = ["grpc", "http", "kserve"];

/// The activator.
pub(super) struct Hold {
    service: Option<ObjectName>,
    endpoints: Endpoints,
}

impl Hold {
    /// That behind this Service.
    pub(super) fn new(service: Option<ObjectName>) -> Self {
        Self { service, endpoints: Endpoints::default() }
    }

    /// Follows where it answers. Never ends, but where there is none.
    pub(super) async fn follow(&self, client: &Client) {
        if let Some(service) = &self.service {
            let labels = format!("{SERVICE_LABEL}={}", service.name);
            self.endpoints.follow(client, std::slice::from_ref(&service.namespace), &labels).await;
        }
    }

    /// Where it answers.
    fn addresses(&self) -> BTreeSet<String> {
        let services = self.service.iter().map(|service| {
            self.endpoints.ready(&service.namespace, (SERVICE_LABEL, &service.name)).into_values().flatten()
        });
        of_one_family(services.flatten())
    }

    /// Has requests of these Services come here; gives whether they do by now, as far as `known` tells.
    pub(super) async fn take(
        &self,
        client: &Client,
        scaled: &Scaled,
        services: impl Iterator<Item = &String>,
        known: &Endpoints,
    ) -> Result<bool, kube::Error> {
        let here = self.addresses();
        if here.is_empty() {
            tracing::warn!(namespace = scaled.namespace, deployment = scaled.name, "nothing would hold its requests");
            return Ok(false);
        }
        let (slices, api) = (kept(known, scaled), api(client, scaled));
        let mut are_there = true;
        for service in services {
            let name = name(service);
            let there = slices.iter().find(|slice| slice.name_any() == name);
            if there.is_none_or(|slice| addresses(slice).into_iter().collect::<BTreeSet<_>>() != here) {
                let slice = slice(scaled, service, &here);
                api.patch(&name, &PatchParams::apply(KEEPER).force(), &Patch::Apply(slice)).await?;
                are_there = false;
            }
        }
        Ok(are_there)
    }

    /// Has no more requests come here.
    pub(super) async fn give_back(
        &self,
        client: &Client,
        scaled: &Scaled,
        known: &Endpoints,
    ) -> Result<(), kube::Error> {
        for name in kept(known, scaled).iter().map(|slice| slice.name_any()) {
            match api(client, scaled).delete(&name, &DeleteParams::default()).await {
                Err(kube::Error::Api(answer)) if answer.code == 404 => {}
                result => drop(result?),
            }
        }
        Ok(())
    }
}

fn api(client: &Client, scaled: &Scaled) -> Api<EndpointSlice> {
    Api::namespaced(client.clone(), &scaled.namespace)
}

/// The slices of a Deployment's Services by which requests come here.
fn kept(known: &Endpoints, scaled: &Scaled) -> Vec<std::sync::Arc<EndpointSlice>> {
    let is_its = |slice: &EndpointSlice| {
        let labelled = |name: &str, value: &str| slice.labels().get(name).is_some_and(|own| own == value);
        slice.namespace().as_deref() == Some(&scaled.namespace)
            && labelled(PREDICTOR_LABEL, &scaled.app)
            && labelled(KEEPER_LABEL, KEEPER)
    };
    known.all().into_iter().filter(|slice| is_its(slice)).collect()
}

fn name(service: &str) -> String {
    format!("{service}-activator")
}

/// The addresses of version 4 of the Internet Protocol where there are any, else all: a slice has those of one alone.
fn of_one_family(addresses: impl Iterator<Item = String>) -> BTreeSet<String> {
    let (v6, v4): (BTreeSet<_>, BTreeSet<_>) = addresses.partition(|address| address.starts_with('['));
    if v4.is_empty() { v6 } else { v4 }
}

/// The slice of a Service by which requests go to these addresses of one family.
fn slice(scaled: &Scaled, service: &str, addresses: &BTreeSet<String>) -> Value {
    let chosen: Vec<_> = addresses.iter().filter_map(|address| address.rsplit_once(':')).collect();
    let family = if chosen.first().is_some_and(|(host, _)| host.starts_with('[')) { "IPv6" } else { "IPv4" };
    let port: Option<u16> = chosen.first().and_then(|(_, port)| port.parse().ok());
    let ports = PORTS.map(|name| json!({"name": name, "port": port, "protocol": "TCP"}));
    let endpoint = |host: &str| json!({"addresses": [host.trim_matches(['[', ']'])], "conditions": {"ready": true}});
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": name(service),
            "namespace": scaled.namespace,
            "labels": {SERVICE_LABEL: service, KEEPER_LABEL: KEEPER, PREDICTOR_LABEL: scaled.app},
            "ownerReferences": [{
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": scaled.name,
                "uid": scaled.uid,
            }],
        },
        "addressType": family,
        "ports": ports,
        "endpoints": chosen.iter().map(|(host, _)| endpoint(host)).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use provost_domain::scaling::{Metric, Scaling};

    use super::*;

    #[test]
    fn a_slice_leads_to_the_activator() {
        let scaling = Scaling { metric: Metric::Rps, target: 1.0, min_replicas: 0, max_replicas: 1 };
        let scaled = Scaled {
            namespace: "models".to_owned(),
            name: "iris-default-0-iris".to_owned(),
            uid: "1".to_owned(),
            app: "iris-default".to_owned(),
            replicas: 1,
            scaling,
        };
        let both = ["10.0.0.1:8000", "10.0.0.2:8000", "[fd00::1]:8000"].map(str::to_owned);
        let here = of_one_family(both.into_iter());
        let slice_ = slice(&scaled, "iris-predictor", &here);
        let known: EndpointSlice = serde_json::from_value(slice_.clone()).unwrap();
        assert_eq!(serde_json::to_value(&known).unwrap(), slice_);
        assert_eq!((known.address_type.as_str(), here.len()), ("IPv4", 2));
        assert_eq!(addresses(&known).into_iter().collect::<BTreeSet<_>>(), here, "it is not written again and again");
        let v6 = slice(&scaled, "iris-predictor", &["[fd00::1]:8000".to_owned()].into());
        assert_eq!((&v6["addressType"], &v6["endpoints"][0]["addresses"][0]), (&json!("IPv6"), &json!("fd00::1")));
    }
}
