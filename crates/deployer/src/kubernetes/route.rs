//! The route by which requests reach a deployment: an `HTTPRoute` of the Gateway API (v1), with the share of
//! the traffic that each predictor gets.

use serde_json::{Value, json};

use super::{
    build::{DEPLOYMENT_LABEL, HTTP_PORT, Owner, Settings, Source, metadata},
    names,
};

/// The request header that asks for one predictor.
const PIN: &str = "provost-predictor";

/// The route, where there is a gateway. A predictor that is not ready gets no traffic yet, but is named already:
/// a gateway must know a backend before it can send requests there. While none is ready there is no route.
pub fn route(source: Source<'_>, owner: &Owner, settings: &Settings, ready: &[bool]) -> Option<Value> {
    let (namespace, gateway) = settings.gateway.as_ref()?.split_once('/')?;
    let deployment = source.deployment;
    let weights = weights(&deployment.weights(), ready)?;
    let path = format!("/seldon/{}/{}", deployment.id.namespace.as_str(), owner.name);
    let path = json!({"type": "PathPrefix", "value": path});
    let services: Vec<_> =
        deployment.predictors.iter().map(|predictor| names::service(&owner.name, &predictor.name)).collect();
    let backends: Vec<_> = services.iter().zip(&weights).map(|(service, weight)| backend(service, *weight)).collect();
    let pinned = deployment.predictors.iter().zip(&services).map(|(predictor, service)| {
        json!({
            "matches": [{"path": path, "headers": [{"name": PIN, "value": predictor.name}]}],
            "backendRefs": [backend(service, 1)],
        })
    });
    let rules: Vec<_> = pinned.chain([json!({"matches": [{"path": path}], "backendRefs": backends})]).collect();
    Some(json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": metadata(source, owner, &owner.name, &json!({DEPLOYMENT_LABEL: owner.name})),
        "spec": {"parentRefs": [{"namespace": namespace, "name": gateway}], "rules": rules},
    }))
}

fn backend(service: &str, weight: u32) -> Value {
    json!({"name": service, "port": HTTP_PORT, "weight": weight})
}

/// The weights in force: those desired, and nothing for what is not ready; `None` when nobody would get any.
fn weights(desired: &[u32], ready: &[bool]) -> Option<Vec<u32>> {
    let weights: Vec<_> =
        desired.iter().zip(ready).map(|(weight, is_ready)| if *is_ready { *weight } else { 0 }).collect();
    weights.iter().any(|weight| *weight > 0).then_some(weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::build::tests::{MANIFEST, with_source};

    fn routed(ready: &[bool]) -> Option<Value> {
        let settings =
            Settings { gateway: Some("gateways/public".to_owned()), ..Settings::new("provost:1".to_owned()) };
        with_source(MANIFEST, |source, owner| route(source, owner, &settings, ready))
    }

    #[test]
    fn a_route_splits_the_traffic_and_pins_by_header() {
        insta::assert_yaml_snapshot!(routed(&[true, true]).unwrap());
    }

    #[test]
    fn a_predictor_that_is_not_ready_is_named_and_gets_nothing() {
        let route = routed(&[true, false]).unwrap();
        let backends = &route["spec"]["rules"][2]["backendRefs"];
        assert_eq!((&backends[0]["weight"], &backends[1]["weight"]), (&json!(90), &json!(0)));
        assert_eq!(backends[1]["name"], "iris-canary");
        assert_eq!(routed(&[false, false]), None);
    }

    #[test]
    fn without_a_gateway_there_is_no_route() {
        let settings = Settings::new("provost:1".to_owned());
        assert_eq!(with_source(MANIFEST, |source, owner| route(source, owner, &settings, &[true, true])), None);
    }
}
