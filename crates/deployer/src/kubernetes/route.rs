//! The route by which requests reach a deployment: an `HTTPRoute` of the Gateway API (v1), with the share of
//! the traffic that each predictor gets.

use provost_domain::{
    Deployment, Predictor,
    deployment::{ResourceKind, Role},
    plan::Route,
};
use serde_json::{Value, json};

use super::{
    build::{
        DEPLOYMENT_LABEL, FIRST_ROUTE_ANNOTATION, GRPC_PORT, HTTP_PORT, Owner, ROUTES_ANNOTATION, Settings, Source,
        metadata,
    },
    names,
};

/// The group of the Gateway API.
pub const GATEWAY_GROUP: &str = "gateway.networking.k8s.io";
/// The request header that asks for one predictor.
const PIN: &str = "provost-predictor";

/// With more predictors there is no room for gRPC's pins: a route has 16 rules at most.
const PINNED_MAX: usize = 7;

/// What a predictor gets of the traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Name of the predictor.
    pub predictor: String,
    /// Its part of the sum of all; with 0 it is named only, since a gateway must know a backend before it can
    /// send requests there.
    pub weight: u32,
}

/// What was decided of a deployment's routes, kept with the object.
#[derive(Debug, Clone, Copy)]
pub struct Decided<'a> {
    /// The routes.
    pub routes: &'a [Route],
    /// Whether they are the first, and in force once what they name can serve; else they are at once.
    pub is_first: bool,
}

/// The routes, where there is a gateway: that by path and metadata, which tells what was decided, and where services have
/// hosts, one by these. `shares` is what was decided means now.
pub fn routes(
    source: Source<'_>,
    owner: &Owner,
    settings: &Settings,
    decided: Decided<'_>,
    shares: &[Share],
) -> Vec<Value> {
    let Some(gateway) = &settings.gateway else { return Vec::new() };
    let is_shadow =
        |name: &str| source.deployment.predictors.iter().any(|predictor| predictor.name == name && predictor.shadow);
    let (shadows, answering): (Vec<_>, Vec<_>) = shares.iter().partition(|share| is_shadow(&share.predictor));
    // One that is not routed yet cannot answer.
    let is_routed = |share: &&Share| decided.routes.iter().any(|route| route.predictor == share.predictor);
    let mirrored = shadows.into_iter().filter(is_routed).collect();
    let mut split = Split { source, routes: decided.routes, shares, answering: Vec::new(), mirrored };
    // What is asked of a predictor is asked of its transformer.
    split.answering = answering.into_iter().filter(|share| !split.is_beside(&share.predictor)).collect();
    let namespace = source.deployment.id.namespace.as_str();
    let below = format!("/seldon/{namespace}/{}", owner.name);
    let path = json!({"type": "PathPrefix", "value": below});
    let named = json!([{"name": "seldon", "value": owner.name}, {"name": "namespace", "value": namespace}]);
    let rules = [
        split.rules(&json!({"path": path}), HTTP_PORT, true),
        split.rules(&json!({"headers": named}), GRPC_PORT, shares.len() <= PINNED_MAX),
    ];
    let mut rules = rules.concat();
    rules.extend(split.explanations(&below));
    let mut metadata = metadata(source, owner, &owner.name, &json!({DEPLOYMENT_LABEL: owner.name}));
    metadata["annotations"] = json!({ROUTES_ANNOTATION: json!(decided.routes).to_string()});
    if decided.is_first {
        metadata["annotations"][FIRST_ROUTE_ANNOTATION] = json!("true");
    }
    let parents = json!([{"namespace": gateway.namespace, "name": gateway.name}]);
    let http_route = |metadata: Value, specification: Value| {
        let api_version = format!("{GATEWAY_GROUP}/v1");
        json!({"apiVersion": api_version, "kind": "HTTPRoute", "metadata": metadata, "spec": specification})
    };
    let mut by_host = metadata.clone();
    by_host["name"] = json!(host_route(&owner.name));
    if let Some(fields) = by_host.as_object_mut() {
        fields.remove("annotations");
    }
    let mut routes = vec![http_route(metadata, json!({"parentRefs": parents, "rules": rules}))];
    if let Some(hosts) = hosts(source.deployment, settings) {
        let mut rules = split.by_host();
        rules.extend(split.explanations(""));
        routes.push(http_route(by_host, json!({"parentRefs": parents, "hostnames": hosts, "rules": rules})));
    }
    routes
}

/// The name of the route by hosts.
pub(crate) fn host_route(deployment: &str) -> String {
    format!("{deployment}-hosts")
}

/// The hosts of an `InferenceService` or `InferenceGraph`, as `KServe` makes them, that of its status first.
pub(crate) fn hosts(deployment: &Deployment, settings: &Settings) -> Option<[String; 2]> {
    let domain = settings.ingress_domain.as_ref()?;
    let (name, namespace) = (&deployment.id.name, &deployment.id.namespace);
    let is_kserves = deployment.kind != ResourceKind::SeldonDeployment;
    is_kserves.then(|| [format!("{name}-{namespace}.{domain}"), format!("{name}.{namespace}.{domain}")])
}

/// How requests are shared out.
struct Split<'a> {
    source: Source<'a>,
    /// What was decided.
    routes: &'a [Route],
    shares: &'a [Share],
    answering: Vec<&'a Share>,
    mirrored: Vec<&'a Share>,
}

impl Split<'_> {
    /// The rules for requests that match, by a port of the predictors' Services: those that ask for one predictor, and all
    /// others. Calls of gRPC are told by the metadata that Seldon's ingress takes.
    fn rules(&self, matches: &Value, port: u16, with_pins: bool) -> Vec<Value> {
        let pinned = self.shares.iter().filter(|_| with_pins).map(|share| {
            let mut matches = matches.clone();
            let pin = json!({"name": PIN, "value": share.predictor});
            match matches.get_mut("headers").and_then(Value::as_array_mut) {
                Some(headers) => headers.push(pin),
                None => matches["headers"] = json!([pin]),
            }
            json!({"matches": [matches], "backendRefs": [self.backend(share, 1, port)]})
        });
        let split: Vec<_> = self.answering.iter().map(|share| self.backend(share, share.weight, port)).collect();
        let mut all = json!({"matches": [matches], "backendRefs": split});
        if !self.mirrored.is_empty() {
            let mirrors = self.mirrored.iter().map(|share| mirror(&self.backend(share, 0, port)));
            all["filters"] = mirrors.collect();
        }
        pinned.chain([all]).collect()
    }

    /// The rules for requests by host: calls of gRPC are told by what they carry.
    fn by_host(&self) -> Vec<Value> {
        let path = json!({"path": {"type": "PathPrefix", "value": "/"}});
        let is_grpc = json!({"headers": [{"name": "content-type", "value": "application/grpc"}]});
        let grpc = self.rules(&is_grpc, GRPC_PORT, self.shares.len() <= PINNED_MAX);
        [grpc, self.rules(&path, HTTP_PORT, true)].concat()
    }

    fn backend(&self, share: &Share, weight: u32, port: u16) -> Value {
        let name = self.asked(&share.predictor);
        json!({"name": names::service(self.source.deployment, name), "port": port, "weight": weight})
    }

    /// What gets the requests of a predictor: its transformer, once that is in force.
    fn asked<'a>(&'a self, predictor: &'a str) -> &'a str {
        let transformer = self.routes.iter().find(|route| self.before(route) == Some(predictor));
        transformer.map_or(predictor, |route| &route.predictor)
    }

    /// The predictor in whose place a route leads to a transformer: of those that leave only the route knows.
    fn before<'a>(&'a self, route: &'a Route) -> Option<&'a str> {
        route.before.as_deref().or_else(|| self.predictor(&route.predictor)?.before())
    }

    /// Whether no share of the requests is its own.
    fn is_beside(&self, name: &str) -> bool {
        // A transformer that is not in force yet is named.
        let is_in_force = self.routes.iter().any(|route| route.predictor == name && self.before(route).is_some());
        is_in_force || self.predictor(name).is_some_and(|one| one.role == Role::Explainer)
    }

    fn predictor(&self, name: &str) -> Option<&Predictor> {
        self.source.deployment.predictors.iter().find(|one| one.name == name)
    }

    /// The rule by which what asks for explanations gets to explainers, below this path: to several by the shares of their
    /// predictors.
    fn explanations(&self, path: &str) -> Option<Value> {
        let explainers: Vec<_> = self.source.deployment.explainers().collect();
        let model = &explainers.first()?.graph.name;
        let exact = |rest: String| json!({"path": {"type": "Exact", "value": format!("{path}{rest}")}});
        let matches = [exact(format!("/v1/models/{model}:explain")), exact(format!("/v2/models/{model}/explain"))];
        let weight = |explainer: &Predictor| {
            let its = self.shares.iter().find(|share| explainer.asks.as_deref() == Some(&share.predictor));
            its.map_or(0, |share| share.weight)
        };
        let backend = |explainer: &&Predictor| {
            let service = names::service(self.source.deployment, &explainer.name);
            let weight = if explainers.len() == 1 { 1 } else { weight(explainer) };
            json!({"name": service, "port": HTTP_PORT, "weight": weight})
        };
        let backends: Vec<_> = explainers.iter().map(backend).collect();
        Some(json!({"matches": matches, "backendRefs": backends}))
    }
}

/// Sends a copy of each request. Few gateways know of a part of them, so that it is the shadow that chooses.
fn mirror(backend: &Value) -> Value {
    let backend = json!({"name": backend["name"], "port": backend["port"]});
    json!({"type": "RequestMirror", "requestMirror": {"backendRef": backend}})
}

#[cfg(test)]
mod tests {
    use provost_domain::RevisionId;

    use super::*;
    use crate::kubernetes::build::tests::{MANIFEST, services::TRANSFORMED, with_source};

    fn routed(gateway: Option<&str>) -> Option<Value> {
        let settings =
            Settings { gateway: gateway.map(|name| name.parse().unwrap()), ..Settings::new("provost:1".to_owned()) };
        let route_ = Route {
            predictor: "main".to_owned(),
            revision: RevisionId::of("as it was trained", &[]),
            weight: 100,
            before: None,
        };
        let share = |predictor: &str, weight| Share { predictor: predictor.to_owned(), weight };
        with_source(MANIFEST, |source, owner| {
            let decided = Decided { routes: &[route_], is_first: false };
            routes(source, owner, &settings, decided, &[share("main", 100), share("canary", 0)]).into_iter().next()
        })
    }

    #[test]
    fn a_route_splits_the_traffic_and_pins_by_header() {
        insta::assert_yaml_snapshot!(routed(Some("gateways/public")).unwrap());
    }

    #[test]
    fn a_shadow_gets_copies_once_it_is_routed() {
        let manifest =
            MANIFEST.replace("      traffic: 10\n", "      shadow: true\n").replace("traffic: 90", "traffic: 100");
        let settings =
            Settings { gateway: Some("gateways/public".parse().unwrap()), ..Settings::new("provost:1".to_owned()) };
        let routed = |names: &[&str]| {
            let revision = || RevisionId::of("as it was trained", &[]);
            let route_ =
                |name: &&str| Route { predictor: (*name).to_owned(), revision: revision(), weight: 0, before: None };
            let decided: Vec<_> = names.iter().map(route_).collect();
            let share = |predictor: &str, weight| Share { predictor: predictor.to_owned(), weight };
            let shares = [share("main", 100), share("canary", 0)];
            let decided = Decided { routes: &decided, is_first: false };
            let made = with_source(&manifest, |source, owner| routes(source, owner, &settings, decided, &shares));
            made[0]["spec"]["rules"][2].clone()
        };
        let waiting = routed(&["main"]);
        assert_eq!(waiting["backendRefs"], json!([{"name": "iris-main", "port": 8000, "weight": 100}]));
        assert_eq!(waiting["filters"], Value::Null);
        let backend = json!({"name": "iris-canary", "port": 8000});
        let mirror = json!([{"type": "RequestMirror", "requestMirror": {"backendRef": backend}}]);
        assert_eq!(routed(&["main", "canary"])["filters"], mirror);
    }

    #[test]
    fn a_transformer_gets_what_is_asked_of_the_predictor_once_it_is_routed() {
        let settings =
            Settings { gateway: Some("gateways/public".parse().unwrap()), ..Settings::new("provost:1".to_owned()) };
        let backends = |routed: &[&str]| {
            let revision = || RevisionId::of("as it was trained", &[]);
            let route_ =
                |name: &&str| Route { predictor: (*name).to_owned(), revision: revision(), weight: 100, before: None };
            let decided: Vec<_> = routed.iter().map(route_).collect();
            let weight = |name: &str| if routed.contains(&name) { 100 } else { 0 };
            let shares =
                ["default", "transformer"].map(|name| Share { predictor: name.to_owned(), weight: weight(name) });
            let decided = Decided { routes: &decided, is_first: false };
            let route = with_source(TRANSFORMED, |source, owner| routes(source, owner, &settings, decided, &shares));
            let rules = route[0]["spec"]["rules"].as_array().unwrap().clone();
            let backends = rules.iter().take(3).map(|rule| {
                let backends = rule["backendRefs"].as_array().unwrap().iter();
                backends.map(|one| format!("{}={}", one["name"].as_str().unwrap(), one["weight"])).collect::<Vec<_>>()
            });
            backends.collect::<Vec<_>>()
        };
        // Pinned to each, then all others.
        let before = vec![
            vec!["iris-predictor=1"],
            vec!["iris-transformer=1"],
            vec!["iris-predictor=100", "iris-transformer=0"],
        ];
        assert_eq!(backends(&["default"]), before);
        let with = vec![vec!["iris-transformer=1"], vec!["iris-transformer=1"], vec!["iris-transformer=100"]];
        assert_eq!(backends(&["default", "transformer"]), with);
    }

    #[test]
    fn each_revision_is_asked_through_its_own_transformer_though_it_leaves() {
        let settings =
            Settings { gateway: Some("gateways/public".parse().unwrap()), ..Settings::new("provost:1".to_owned()) };
        let route_ = |(name, weight, before): (&str, u32, Option<&str>)| Route {
            predictor: name.to_owned(),
            revision: RevisionId::of("as it was trained", &[]),
            weight,
            before: before.map(str::to_owned),
        };
        let routed = [
            ("default", 90, None),
            ("canary", 10, None),
            ("transformer", 100, Some("default")),
            ("canary-transformer", 100, Some("canary")),
        ];
        let share = |route: &Route| Share { predictor: route.predictor.clone(), weight: route.weight };
        // The manifest has no canary any more.
        let split = |routed: &[(&str, u32, Option<&str>)]| {
            let decided: Vec<_> = routed.iter().copied().map(route_).collect();
            let shares: Vec<_> = decided.iter().map(share).collect();
            let decided = Decided { routes: &decided, is_first: false };
            let route = with_source(TRANSFORMED, |source, owner| routes(source, owner, &settings, decided, &shares));
            let rules = route[0]["spec"]["rules"].as_array().unwrap().clone();
            let backends = rules[routed.len()]["backendRefs"].as_array().unwrap().iter();
            backends.map(|one| format!("{}={}", one["name"].as_str().unwrap(), one["weight"])).collect::<Vec<_>>()
        };
        assert_eq!(split(&routed), ["iris-transformer=90", "iris-canary-transformer=10"]);
        assert_eq!(split(&routed[..3]), ["iris-transformer=90", "iris-canary=10"], "one that had none before");
    }

    #[test]
    fn explainers_of_two_revisions_share_as_their_predictors_do() {
        let settings =
            Settings { gateway: Some("gateways/public".parse().unwrap()), ..Settings::new("provost:1".to_owned()) };
        let canary =
            "  canary: [{trafficPercent: 10, predictor: {name: next, sklearn: {storageUri: 's3://models/b'}}}]\n";
        let explained = TRANSFORMED.replace("transformer: {timeout: 3, ", "explainer: {") + canary;
        let shares = [("default", 90), ("next", 10)].map(|(name, weight)| Share { predictor: name.to_owned(), weight });
        let decided = Decided { routes: &[], is_first: false };
        let route = with_source(&explained, |source, owner| routes(source, owner, &settings, decided, &shares));
        let rule = route[0]["spec"]["rules"].as_array().unwrap().last().unwrap().clone();
        let backend = |name: &str, weight: u32| json!({"name": name, "port": 8000, "weight": weight});
        assert_eq!(rule["backendRefs"], json!([backend("iris-explainer", 90), backend("iris-next-explainer", 10)]));
    }

    #[test]
    fn an_explainer_gets_what_asks_for_explanations_alone() {
        let settings =
            Settings { gateway: Some("gateways/public".parse().unwrap()), ..Settings::new("provost:1".to_owned()) };
        let explained = TRANSFORMED.replace("transformer: {timeout: 3, ", "explainer: {");
        let revision = || RevisionId::of("as it was trained", &[]);
        let decided = ["default", "explainer"].map(|name| Route {
            predictor: name.to_owned(),
            revision: revision(),
            weight: 0,
            before: None,
        });
        let share = |predictor: &str, weight| Share { predictor: predictor.to_owned(), weight };
        let shares = [share("default", 100), share("explainer", 0)];
        let decided = Decided { routes: &decided, is_first: false };
        let route = with_source(&explained, |source, owner| routes(source, owner, &settings, decided, &shares));
        let rules = route[0]["spec"]["rules"].clone();
        let backend = |name: &str, weight| json!([{"name": name, "port": 8000, "weight": weight}]);
        assert_eq!(rules[2]["backendRefs"], backend("iris-predictor", 100));
        let last = &rules.as_array().unwrap()[rules.as_array().unwrap().len() - 1];
        assert_eq!(last["backendRefs"], backend("iris-explainer", 1));
        let paths: Vec<_> = last["matches"].as_array().unwrap().iter().map(|one| one["path"].clone()).collect();
        let exact = |path: &str| json!({"type": "Exact", "value": path});
        let below = "/seldon/models/iris";
        assert_eq!(
            paths,
            [exact(&format!("{below}/v1/models/iris:explain")), exact(&format!("{below}/v2/models/iris/explain"))]
        );
    }

    #[test]
    fn a_first_route_says_so() {
        let settings =
            Settings { gateway: Some("gateways/public".parse().unwrap()), ..Settings::new("provost:1".to_owned()) };
        let first = |is_first| {
            with_source(MANIFEST, |source, owner| {
                routes(source, owner, &settings, Decided { routes: &[], is_first }, &[])[0]["metadata"].clone()
            })
        };
        assert_eq!(first(true)["annotations"][FIRST_ROUTE_ANNOTATION], "true");
        assert_eq!(first(false)["annotations"][FIRST_ROUTE_ANNOTATION], Value::Null);
    }

    #[test]
    fn services_of_kserve_have_hosts_below_the_domain() {
        let service = r"
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris, namespace: models}
spec: {predictor: {sklearn: {storageUri: 's3://models/iris'}}}
";
        let gateway = Some("gateways/public".parse().unwrap());
        let ingress_domain = Some("example.org".to_owned());
        let settings = Settings { gateway, ingress_domain, ..Settings::new("provost:1".to_owned()) };
        let made = |manifest: &str| {
            let shares = [Share { predictor: "default".to_owned(), weight: 100 }];
            let decided = Decided { routes: &[], is_first: true };
            with_source(manifest, |source, owner| routes(source, owner, &settings, decided, &shares))
        };
        let [by_path, by_host] = &made(service)[..] else { panic!("two routes") };
        assert_eq!(by_path["spec"]["hostnames"], Value::Null);
        insta::assert_yaml_snapshot!(by_host);
        assert_eq!(made(MANIFEST).len(), 1);
    }

    #[test]
    fn without_a_gateway_there_is_no_route() {
        assert_eq!(routed(None), None);
    }
}
