//! Manifests in, deployments, warnings and errors out.

use provost_domain::{
    Deployment, Engine, Namespace, Predictor, ServerCatalog, Violation,
    deployment::{Protocol, ResourceKind, Role, Transport},
    graph::ParameterValue,
    scaling::{Metric, Scaling},
};
use serde_json::{Value, json};

use super::{Finding, ROLLED_OUT_ANNOTATION, rollout};
use crate::{
    crd::{committed::check_file, seldon_deployment},
    manifest,
};

fn parse(document: &Value) -> Result<(Deployment, Vec<Finding>), Vec<Violation>> {
    parse_for(Engine::Process, document)
}

fn read_document(document: &Value) -> manifest::ManifestDocument {
    manifest::ManifestDocument::from_json("test", document.clone()).unwrap()
}

fn parse_for(engine: Engine, document: &Value) -> Result<(Deployment, Vec<Finding>), Vec<Violation>> {
    manifest::parse_deployment(
        &read_document(document),
        &Namespace::default_namespace(),
        &ServerCatalog::default(),
        engine,
    )
}

#[track_caller]
fn read(document: &Value) -> (Deployment, Vec<String>) {
    let (deployment, findings) = parse(document).unwrap_or_else(|violations| panic!("{violations:#?}"));
    (deployment, findings.iter().map(ToString::to_string).collect())
}

#[track_caller]
fn errors(document: &Value) -> Vec<String> {
    parse(document).unwrap_err().iter().map(ToString::to_string).collect()
}

fn service(spec: &Value) -> Value {
    of_version("serving.kserve.io/v1beta1", spec)
}

fn of_version(version: &str, spec: &Value) -> Value {
    json!({"apiVersion": version, "kind": "InferenceService", "metadata": {"name": "iris"}, "spec": spec})
}

fn sklearn() -> Value {
    json!({"sklearn": {"storageUri": "s3://models/iris"}})
}

fn method(deployment: &Deployment) -> Option<String> {
    deployment.predictors[0].graph.parameter("method").map(ParameterValue::to_text)
}

#[test]
fn a_service_of_each_version_is_a_deployment_of_one_node_with_its_name() {
    for (version, spec) in [
        ("serving.kserve.io/v1beta1", json!({"predictor": sklearn()})),
        ("serving.kubeflow.org/v1beta1", json!({"predictor": sklearn()})),
        ("serving.kubeflow.org/v1alpha2", json!({"default": {"predictor": sklearn()}})),
    ] {
        let (deployment, warnings) = read(&of_version(version, &spec));
        let [predictor] = deployment.predictors.as_slice() else { panic!() };
        assert_eq!(warnings, [""; 0]);
        assert_eq!(deployment.kind, ResourceKind::InferenceService);
        assert_eq!(deployment.id.to_string(), "default/iris");
        assert_eq!(deployment.predictions_path(), "/v1/models/iris:predict");
        assert_eq!(deployment.weights(), [100]);
        assert_eq!((predictor.name.as_str(), predictor.graph.name.as_str()), ("default", "iris"));
        assert_eq!(predictor.graph.implementation.as_str(), "SKLEARN_SERVER");
        assert_eq!(predictor.graph.model_uri.as_deref(), Some("s3://models/iris"));
        assert_eq!(method(&deployment).as_deref(), Some("predict"));
    }
}

#[test]
fn a_model_is_told_by_its_format_too() {
    let model = |extra: Value| {
        let mut model = json!({"modelFormat": {"name": "xgboost"}, "storageUri": "/models/iris"});
        model.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        service(&json!({"predictor": {"model": model}}))
    };
    let (deployment, _) = read(&model(json!({})));
    assert_eq!(deployment.predictors[0].graph.implementation.as_str(), "XGBOOST_SERVER");
    assert_eq!((deployment.protocol, method(&deployment)), (Protocol::Tensorflow, None));
    for (version, protocol) in [("grpc-v1", Protocol::Tensorflow), ("grpc-v2", Protocol::Kfserving)] {
        let (deployment, _) = read(&model(json!({"protocolVersion": version})));
        assert_eq!((deployment.protocol, deployment.transport), (protocol, Some(Transport::Grpc)));
    }
    let (deployment, _) = read(&model(json!({"runtime": "kserve-mlserver"})));
    assert_eq!(deployment.predictions_path(), "/v2/models/iris/infer");
    assert_eq!(
        errors(&model(json!({"runtime": "triton-2", "protocolVersion": "v3"}))),
        [
            "spec.predictor.model.runtime: serving runtime `triton-2` works on a Kubernetes cluster only; for the format \
             `xgboost` leave it out, or use one of `kserve-xgbserver`, `kserve-predictiveserver`, `kserve-mlserver`",
            "spec.predictor.model.protocolVersion: protocol `v3` is not known; use `v1`, `v2`, `grpc-v1` or `grpc-v2`",
        ]
    );
}

#[test]
fn a_variable_makes_a_model_answer_with_probabilities_and_others_are_warned_of() {
    let env = json!([{"name": "PREDICT_PROBA", "value": "true"}, {"name": "OMP_NUM_THREADS", "value": "1"}]);
    let spec = json!({"predictor": {"sklearn": {"storageUri": "/models/iris", "env": env}}});
    let (deployment, warnings) = read(&service(&spec));
    assert_eq!(method(&deployment).as_deref(), Some("predict_proba"));
    let expected = "spec.predictor.sklearn.env[1]: `OMP_NUM_THREADS` has no effect on this engine: no container of its \
                    own runs the model";
    assert_eq!(warnings, [expected]);
}

#[test]
fn what_has_no_effect_here_is_warned_of_by_its_path() {
    let spec = json!({"predictor": {
        "minReplicas": 0,
        "maxReplicas": 1,
        "containerConcurrency": 5,
        "serviceAccountName": "models",
        "logger": {"mode": "all", "url": "http://broker"},
        "nodeSelector": {"gpu": "yes"},
        "sklearn": {"storageUri": "/models/iris", "resources": {"limits": {"cpu": "1"}}, "runtimeVersion": "1.0"},
        "storageuri": "twice",
    }});
    let (_, warnings) = read(&service(&spec));
    let paths: Vec<_> = warnings.iter().map(|warning| warning.split(':').next().unwrap()).collect();
    assert_eq!(
        paths,
        [
            "spec.predictor.minReplicas",
            "spec.predictor.containerConcurrency",
            "spec.predictor.serviceAccountName",
            "spec.predictor.logger",
            "spec.predictor.nodeSelector",
            "spec.predictor.sklearn.resources",
            "spec.predictor.sklearn.runtimeVersion",
            "spec.predictor.storageuri",
        ]
    );
}

#[test]
fn every_error_is_told_at_once_with_the_place_the_user_wrote() {
    let spec = json!({
        "predictor": {
            "minReplicas": 3,
            "maxReplicas": 2,
            "model": {"modelFormat": {"name": "pmml"}, "storageUri": "gs://models/iris", "protocolVersion": 2},
        },
        "transformer": {"containers": [{"image": "t:1"}]},
        "canary": [
            {"predictor": {"name": "b", "sklearn": {}, "xgboost": {"storageUri": "/x"}}, "trafficPercent": 80},
            {"predictor": {"name": "b", "sklearn": {"storageUri": "s3://"}}, "trafficPercent": 40},
            {"predictor": {"pmml": {"storageUri": "/x"}}, "trafficPercent": 101},
        ],
    });
    let expected = [
        "spec.predictor.model.protocolVersion: expected a text, found the number 2; put it in quotes",
        "spec.transformer: works on a Kubernetes cluster only; remove it",
        "spec.canary[2].predictor.pmml: works on a Kubernetes cluster only; use `sklearn`, `xgboost` or `lightgbm`",
        "spec.canary[2].trafficPercent: TrafficPercent must be between [0, 100].",
        "spec.canary: the shares of the canaries sum to 120; at most 100 can be given",
        "spec.predictor.minReplicas: 'MinReplicas' cannot be greater than MaxReplicas",
        "spec.predictor.model.modelFormat.name: model format `pmml` works on a Kubernetes cluster only; use `sklearn`, `xgboost` or `lightgbm`",
    ];
    assert_eq!(errors(&service(&spec)), expected);
}

#[test]
fn a_canary_needs_a_name_of_its_own_and_a_place_of_its_model() {
    let canary = |predictor: Value| json!({"predictor": sklearn(), "canary": [{"predictor": predictor}]});
    assert_eq!(errors(&service(&canary(sklearn()))), ["spec.canary[0].predictor.name: a predictor must have a name"]);
    let unplaced = json!({"name": "default", "xgboost": {"protocolVersion": "v1"}});
    assert_eq!(
        errors(&service(&canary(unplaced))),
        [
            "spec.canary[0].predictor.xgboost.storageUri: a model must have a `storageUri`",
            "spec.canary[0].predictor.name: Duplicate predictor name",
        ]
    );
    let wrong = json!({"name": "b", "xgboost": {"storageUri": "s3://"}});
    assert_eq!(
        errors(&service(&canary(wrong))),
        [
            "spec.canary[0].predictor.xgboost.storageUri: `s3://`: a bucket must follow the scheme, as in s3://bucket/path"
        ]
    );
}

#[test]
fn exactly_one_model_is_needed() {
    for predictor in
        [json!({"minReplicas": 1}), json!({"sklearn": {"storageUri": "/a"}, "xgboost": {"storageUri": "/b"}})]
    {
        let told = errors(&service(&json!({"predictor": predictor})));
        let [only] = told.as_slice() else { panic!("{told:?}") };
        assert!(only.starts_with("spec.predictor: exactly one of [sklearn, xgboost, model, containers"), "{only}");
    }
    assert_eq!(errors(&service(&json!({}))), ["spec.predictor: an InferenceService must have a predictor"]);
    assert_eq!(
        errors(&of_version("serving.kubeflow.org/v1alpha2", &json!({"default": {"predictor": {}}})))
            .iter()
            .map(|error| error.split(':').next().unwrap())
            .collect::<Vec<_>>(),
        ["spec.default.predictor"]
    );
}

#[test]
fn containers_of_the_users_own_are_refused_once() {
    let spec = json!({"predictor": {"containers": [{"name": "kserve-container", "image": "me/model:1"}]}});
    let expected = "spec.predictor.containers: works on a Kubernetes cluster only; use one of the formats `sklearn`, `xgboost` and `lightgbm`, with \
                    `storageUri`";
    assert_eq!(errors(&service(&spec)), [expected]);
    let spec = json!({"default": {"predictor": {"custom": {"container": {"image": "me/model:1"}}}}});
    let told = errors(&of_version("serving.kubeflow.org/v1alpha2", &spec));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("spec.default.predictor.custom: works on a Kubernetes cluster only"), "{told:?}");
}

#[test]
fn the_canary_of_v1alpha2_gets_its_share() {
    let spec = |percent: Value| {
        json!({
            "default": {"predictor": sklearn()},
            "canary": {"predictor": {"sklearn": {"storageUri": "/models/other"}}},
            "canaryTrafficPercent": percent,
        })
    };
    let (deployment, warnings) = read(&of_version("serving.kubeflow.org/v1alpha2", &spec(json!(20))));
    let names: Vec<_> = deployment.predictors.iter().map(|predictor| predictor.name.as_str()).collect();
    assert_eq!((names.as_slice(), deployment.weights().as_slice()), (&["default", "canary"][..], &[80, 20][..]));
    assert_eq!(warnings, [""; 0]);
    let told = errors(&of_version("serving.kubeflow.org/v1alpha2", &spec(json!(120))));
    assert_eq!(told, ["spec.canaryTrafficPercent: TrafficPercent must be between [0, 100]."]);
    let without = json!({"default": {"predictor": sklearn()}, "canaryTrafficPercent": 10});
    let told = errors(&of_version("serving.kubeflow.org/v1alpha2", &without));
    assert_eq!(
        told,
        [
            "spec.canary.predictor: a canary must have a predictor: Canary must be specified when CanaryTrafficPercent > 0."
        ]
    );
}

fn applied(spec: &Value, before: Option<&Value>) -> Value {
    let mut document = service(spec);
    rollout::carry(&mut document, before);
    document
}

fn predictor(uri: &str, percent: Option<u32>) -> Value {
    json!({"predictor": {"sklearn": {"storageUri": uri}, "canaryTrafficPercent": percent}})
}

fn shares(document: &Value) -> Vec<(String, Option<String>, u32)> {
    let (deployment, _) = read(document);
    let weights = deployment.weights();
    let predictors = deployment.predictors.into_iter().zip(weights);
    predictors.map(|(predictor, weight)| (predictor.name, predictor.graph.model_uri, weight)).collect()
}

fn share(name: &str, uri: &str, weight: u32) -> (String, Option<String>, u32) {
    (name.to_owned(), Some(uri.to_owned()), weight)
}

#[test]
fn a_predictor_is_rolled_out_step_by_step_beside_the_one_before() {
    let first = applied(&predictor("/a", None), None);
    let tenth = applied(&predictor("/b", Some(10)), Some(&first));
    assert_eq!(shares(&tenth), [share("default", "/a", 90), share("canary", "/b", 10)]);
    let half = applied(&predictor("/b", Some(50)), Some(&tenth));
    assert_eq!(shares(&half), [share("default", "/a", 50), share("canary", "/b", 50)]);
    let other = applied(&predictor("/c", Some(50)), Some(&half));
    assert_eq!(shares(&other), [share("default", "/a", 50), share("canary", "/c", 50)]);
    for percent in [None, Some(100)] {
        let promoted = applied(&predictor("/b", percent), Some(&half));
        assert_eq!(shares(&promoted), [share("default", "/b", 100)]);
        assert_eq!(promoted["metadata"]["annotations"].get(ROLLED_OUT_ANNOTATION), None);
    }
    let rolled_back = applied(&predictor("/b", Some(0)), Some(&half));
    assert_eq!(shares(&rolled_back), [share("default", "/a", 100), share("canary", "/b", 0)]);
}

#[test]
fn without_another_predictor_before_all_traffic_goes_to_the_only_one() {
    let first = applied(&predictor("/a", Some(10)), None);
    let (deployment, warnings) = read(&first);
    assert_eq!(deployment.weights(), [100]);
    assert_eq!(
        warnings,
        [
            "spec.predictor.canaryTrafficPercent: has no effect: no other predictor had the traffic before, so this one gets \
          all of it"
        ]
    );
    let again = applied(&predictor("/a", Some(20)), Some(&first));
    assert_eq!(shares(&again), [share("default", "/a", 100)]);
    let of_seldon = json!({"kind": "SeldonDeployment", "spec": {"predictor": {"sklearn": {"storageUri": "/x"}}}});
    assert_eq!(shares(&applied(&predictor("/a", Some(20)), Some(&of_seldon))), [share("default", "/a", 100)]);
}

#[test]
fn what_a_client_makes_of_the_annotation_is_refused_or_replaced() {
    let mut document = service(&predictor("/b", Some(10)));
    document["metadata"]["annotations"] = json!({ROLLED_OUT_ANNOTATION: "no JSON"});
    let told = errors(&document);
    assert_eq!(told, [format!("metadata.annotations[{ROLLED_OUT_ANNOTATION}]: it is set by the server; remove it")]);
    for forged in [json!({"containers": ["text"]}), json!({"sklearn": "text"}), json!(["list"])] {
        document["metadata"]["annotations"] = json!({ROLLED_OUT_ANNOTATION: forged.to_string()});
        for engine in [Engine::Process, Engine::Kubernetes] {
            let told = parse_for(engine, &document).unwrap_err();
            assert!(told[0].message.contains("it is set by the server"), "{told:?}");
        }
    }
    rollout::carry(&mut document, Some(&service(&predictor("/a", None))));
    assert_eq!(shares(&document), [share("default", "/a", 90), share("canary", "/b", 10)]);
    for metadata in [json!(null), json!("text"), json!({"annotations": "text"}), json!([])] {
        let mut odd = service(&predictor("/b", Some(10)));
        odd["metadata"] = metadata;
        rollout::carry(&mut odd, Some(&service(&predictor("/a", None))));
    }
}

fn on_kubernetes(spec: &Value) -> (Value, Vec<String>) {
    let (deployment, findings) = parse_for(Engine::Kubernetes, &service(spec)).unwrap();
    let document = seldon_deployment::document::of(&deployment, &[]);
    (document["spec"]["predictors"][0].clone(), findings.iter().map(ToString::to_string).collect())
}

#[test]
fn on_kubernetes_a_model_has_pods_as_its_predictor_says() {
    let (predictor, warnings) = on_kubernetes(&json!({"predictor": {
        "minReplicas": 2,
        "maxReplicas": 5,
        "scaleMetric": "memory",
        "scaleTarget": 60,
        "serviceAccountName": "models",
        "nodeSelector": {"disk": "fast"},
        "sklearn": {
            "storageUri": "s3://models/iris",
            "resources": {"limits": {"cpu": "1"}},
            "env": [{"name": "OMP_NUM_THREADS", "value": "1"}],
            "args": ["--workers=2"],
        },
    }}));
    assert_eq!(warnings, ["spec.predictor.sklearn.args: has no effect on Kubernetes; no server of KServe's runs"]);
    let target = json!({"type": "Utilization", "averageUtilization": 60});
    let container = json!({
        "name": "iris",
        "resources": {"limits": {"cpu": "1"}},
        "env": [{"name": "OMP_NUM_THREADS", "value": "1"}],
    });
    let expected = json!({
        "name": "default",
        "graph": {
            "name": "iris",
            "type": "MODEL",
            "implementation": "SKLEARN_SERVER",
            "modelUri": "s3://models/iris",
            "serviceAccountName": "models",
            "parameters": [{"name": "method", "value": "predict", "type": "STRING"}],
        },
        "componentSpecs": [{
            "spec": {"nodeSelector": {"disk": "fast"}, "containers": [container]},
            "replicas": 2,
            "hpaSpec": {
                "minReplicas": 2,
                "maxReplicas": 5,
                "metricsv2": [{"type": "Resource", "resource": {"name": "memory", "target": target}}],
            },
        }],
        "annotations": {"seldon.io/svc-name": "iris-predictor"},
        "labels": {"version": "default"},
        "traffic": 100,
    });
    assert_eq!(predictor, expected);
}

#[test]
fn on_kubernetes_a_program_of_the_users_own_is_asked_in_its_protocol() {
    let (deployment, _) = parse_for(
        Engine::Kubernetes,
        &service(&json!({"predictor": {"containers": [
            {"name": "helper", "image": "me/helper:1"},
            {"name": "kserve-container", "image": "me/model:1", "env": [{"name": "PROTOCOL", "value": "v2"}]},
        ]}})),
    )
    .unwrap();
    let document = seldon_deployment::document::of(&deployment, &[]);
    assert_eq!(document["spec"]["protocol"], "kfserving");
    let predictor = &document["spec"]["predictors"][0];
    assert_eq!(predictor["graph"], json!({"name": "iris", "type": "MODEL"}));
    let containers = &predictor["componentSpecs"][0]["spec"]["containers"];
    assert_eq!((&containers[0]["name"], &containers[1]["name"]), (&json!("helper"), &json!("iris")));
    assert_eq!(containers[1]["ports"], json!([{"name": "http", "containerPort": 8080}]));
}

#[test]
fn a_program_of_the_users_own_is_limited_in_time_and_in_requests_at_once() {
    let own = |fields: Value| {
        let mut predictor = json!({"containers": [{"name": "mine", "image": "me/model:1"}]});
        predictor.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        predictor
    };
    let limits = |document: &Value| {
        let (deployment, warnings) = parse_for(Engine::Kubernetes, document).unwrap();
        assert_eq!(warnings, []);
        let predictor = &deployment.predictors[0];
        (deployment.node_timeout(predictor), deployment.node_concurrency(predictor))
    };
    let limited = json!({"predictor": own(json!({"timeout": 5, "containerConcurrency": 2}))});
    assert_eq!(limits(&service(&limited)), (Some(5000), Some(2)));
    let open = json!({"predictor": own(json!({"containerConcurrency": 0}))});
    assert_eq!(limits(&service(&open)), (None, None));
    let legacy = json!({"custom": {"container": {"name": "mine", "image": "me/model:1"}}, "parallelism": 3});
    let legacy = of_version(super::LEGACY_VERSION, &json!({"default": {"predictor": legacy}}));
    assert_eq!(limits(&legacy), (None, Some(3)));
    let wrong = json!({"predictor": own(json!({"timeout": -1, "containerConcurrency": -2}))});
    let told = parse_for(Engine::Kubernetes, &service(&wrong)).unwrap_err();
    let paths: Vec<_> = told.iter().map(|violation| violation.path.as_str()).collect();
    assert_eq!(paths, ["spec.predictor.timeout", "spec.predictor.containerConcurrency"]);
    let native = json!({"predictor": {"sklearn": {"storageUri": "s3://models/iris"}, "timeout": 5}});
    let (_, warnings) = parse_for(Engine::Kubernetes, &service(&native)).unwrap();
    assert_eq!(warnings[0].path.as_str(), "spec.predictor.timeout");
}

fn with_transformer(predictor: &Value, transformer: &Value) -> Value {
    service(&json!({"predictor": predictor, "transformer": transformer}))
}

#[test]
fn a_transformer_stands_before_the_predictor_and_is_told_of_it() {
    let container = json!({"name": "kserve-container", "image": "me/transformer:1", "args": ["--model_name=other"]});
    let transformer = json!({"containers": [container], "minReplicas": 2, "timeout": 3});
    let document = with_transformer(&sklearn(), &transformer);
    let (deployment, warnings) = parse_for(Engine::Kubernetes, &document).unwrap();
    assert_eq!(warnings, []);
    let [_, transformer] = &deployment.predictors[..] else { panic!() };
    assert_eq!((transformer.role, transformer.name.as_str()), (Role::Transformer, "transformer"));
    assert_eq!(transformer.annotations["seldon.io/svc-name"], "iris-transformer");
    assert_eq!(deployment.node_timeout(transformer), Some(3000));
    let component = &transformer.component_specs[0];
    assert_eq!(component.replicas, Some(2));
    let arguments = json!(["--model_name=other", "--predictor_host", "iris-predictor.default", "--http_port", "8080"]);
    assert_eq!(component.document["spec"]["containers"][0]["args"], arguments);
    assert_eq!(deployment.protocol, Protocol::Tensorflow);
    assert_eq!(errors(&document), ["spec.transformer: works on a Kubernetes cluster only; remove it"]);
}

#[test]
fn a_transformer_and_a_model_of_the_platform_are_asked_in_what_the_transformer_speaks() {
    let speaking = |name: &str| {
        let env = json!([{"name": "PROTOCOL", "value": name}]);
        json!({"containers": [{"name": "mine", "image": "me/program:1", "env": env}]})
    };
    let protocol = |predictor: &Value, transformer: &Value| {
        let parsed = parse_for(Engine::Kubernetes, &with_transformer(predictor, transformer));
        parsed.map(|(deployment, _)| deployment.protocol).map_err(|told| told[0].path.as_str().to_owned())
    };
    assert_eq!(protocol(&sklearn(), &speaking("v2")), Ok(Protocol::Kfserving));
    assert_eq!(protocol(&speaking("v2"), &speaking("v2")), Ok(Protocol::Kfserving));
    let at = "spec.transformer.containers[0].env[0].value";
    assert_eq!(protocol(&speaking("v1"), &speaking("v2")), Err(at.to_owned()));
}

#[test]
fn what_a_transformer_cannot_be_is_refused_by_path() {
    let paths = |document: &Value| -> Vec<String> {
        let violations = parse_for(Engine::Kubernetes, document).unwrap_err();
        violations.iter().map(|violation| violation.path.as_str().to_owned()).collect()
    };
    let modelled = with_transformer(&sklearn(), &sklearn());
    assert_eq!(paths(&modelled), ["spec.transformer.sklearn", "spec.transformer.containers"]);
    let transformer = json!({"containers": [{"name": "mine", "image": "me/program:1"}]});
    let mut named = transformer.clone();
    named["canaryTrafficPercent"] = json!(10);
    assert_eq!(paths(&with_transformer(&sklearn(), &named)), ["spec.transformer.canaryTrafficPercent"]);
    let mut twice = with_transformer(&sklearn(), &named);
    twice["spec"]["canary"] = json!([{"predictor": {"name": "next", "sklearn": sklearn()["sklearn"]}}]);
    assert_eq!(paths(&twice), ["spec.transformer.canaryTrafficPercent"], "told once");
}

/// Each predictor of a document with what it asks, its image or model, and its Service.
fn revisions(document: &Value) -> Vec<[String; 4]> {
    let (deployment, warnings) = parse_for(Engine::Kubernetes, document).unwrap();
    assert_eq!(warnings, []);
    let told = |predictor: &Predictor| {
        let container = &predictor.component_specs[0].document["spec"]["containers"][0];
        let arguments = container["args"].as_array().into_iter().flatten();
        let hosts = arguments.skip_while(|argument| **argument != "--predictor_host").skip(1);
        let image = container["image"].as_str().or(predictor.graph.model_uri.as_deref()).unwrap_or_default();
        let asks = predictor.asks.as_deref().unwrap_or_default();
        let host = hosts.map(|host| host.as_str().unwrap_or_default()).next().unwrap_or_default();
        [&predictor.name, asks, image, host].map(str::to_owned)
    };
    deployment.predictors.iter().map(told).collect()
}

#[test]
fn a_canary_shares_the_traffic_with_the_predictor_and_the_transformer_before_it() {
    let with = |version: &str, percent: Option<u32>| {
        json!({
            "predictor": {"sklearn": {"storageUri": format!("s3://models/{version}")}, "canaryTrafficPercent": percent},
            "transformer": {"containers": [{"name": "mine", "image": version}]},
        })
    };
    let first = applied(&with("a", None), None);
    let second = applied(&with("b", Some(10)), Some(&first));
    let expected = [
        ["default", "", "s3://models/a", ""],
        ["canary", "", "s3://models/b", ""],
        ["transformer", "default", "a", "iris-predictor.default"],
        ["canary-transformer", "canary", "b", "iris-canary.default"],
    ];
    assert_eq!(revisions(&second), expected);
    let (deployment, _) = parse_for(Engine::Kubernetes, &second).unwrap();
    assert_eq!(deployment.weights(), [90, 10, 100, 100]);
    assert_eq!(deployment.first_asked().map(|one| one.name.as_str()), Some("transformer"));

    // Another transformer alone is another revision, and one may have had none before.
    let mut other = with("a", Some(20));
    other["transformer"]["containers"][0]["image"] = json!("c");
    assert_eq!(
        revisions(&applied(&other, Some(&first)))[3],
        ["canary-transformer", "canary", "c", "iris-canary.default"]
    );
    let alone = applied(&json!({"predictor": with("a", None)["predictor"]}), None);
    let names: Vec<_> =
        revisions(&applied(&with("a", Some(20)), Some(&alone))).into_iter().map(|[name, ..]| name).collect();
    assert_eq!(names, ["default", "canary", "canary-transformer"]);

    let promoted = applied(&with("b", None), Some(&second));
    assert_eq!(
        revisions(&promoted),
        [
            expected[0].map(|text| text.replace("/a", "/b")),
            ["transformer", "default", "b", "iris-predictor.default"].map(str::to_owned)
        ]
    );
}

#[test]
fn every_canary_of_a_list_has_a_transformer_and_an_explainer_of_its_own() {
    let own = |image: &str| json!({"containers": [{"name": "mine", "image": image}]});
    let next = json!({"trafficPercent": 10, "predictor": {"name": "next", "sklearn": {"storageUri": "s3://models/b"}}});
    let spec = json!({"predictor": sklearn(), "transformer": own("t"), "explainer": own("e"), "canary": [next]});
    let revisions = revisions(&service(&spec));
    let asks: Vec<_> = revisions.iter().map(|[name, asks, ..]| (name.as_str(), asks.as_str())).collect();
    let expected = [
        ("default", ""),
        ("next", ""),
        ("transformer", "default"),
        ("explainer", "default"),
        ("next-transformer", "next"),
        ("next-explainer", "next"),
    ];
    assert_eq!(asks, expected);
    let mut long = service(&spec);
    long["metadata"]["name"] = json!("i".repeat(50));
    let told = parse_for(Engine::Kubernetes, &long).unwrap_err();
    assert_eq!(told[0].path.as_str(), "metadata.name");
}

#[test]
fn transformers_of_two_revisions_speak_one_protocol() {
    let with = |protocol: &str, percent: Option<u32>| {
        let container = json!({"name": "mine", "image": "t", "env": [{"name": "PROTOCOL", "value": protocol}]});
        let predictor = json!({"sklearn": {"storageUri": "s3://models/a"}, "canaryTrafficPercent": percent});
        json!({"predictor": predictor, "transformer": {"containers": [container]}})
    };
    let first = applied(&with("v1", None), None);
    let told = parse_for(Engine::Kubernetes, &applied(&with("v2", Some(10)), Some(&first))).unwrap_err();
    assert_eq!(told[0].path.as_str(), "spec.transformer.containers[0].env[0].value");
}

#[test]
fn an_explainer_is_made_of_containers_that_are_told_of_the_predictor() {
    let explained = |explainer: Value| service(&json!({"predictor": sklearn(), "explainer": explainer}));
    let own = json!({"containers": [{"name": "mine", "image": "me/explainer:1"}]});
    let (deployment, warnings) = parse_for(Engine::Kubernetes, &explained(own)).unwrap();
    assert_eq!(warnings, []);
    let explainer = deployment.explainers().next().unwrap();
    assert_eq!(explainer.annotations["seldon.io/svc-name"], "iris-explainer");
    let arguments = &explainer.component_specs[0].document["spec"]["containers"][0]["args"];
    assert_eq!((&arguments[2], &arguments[3]), (&json!("--predictor_host"), &json!("iris-predictor.default")));
    for kind in ["art", "alibi"] {
        let document = explained(json!({kind: {"type": "SquareAttack"}}));
        let told = parse_for(Engine::Kubernetes, &document).unwrap_err();
        let expected = format!(
            "spec.explainer.{kind}: the explainer is made of `containers` of your own, and has no `{kind}`; use those"
        );
        assert_eq!(told[0].to_string(), expected);
    }
    let refused = errors(&explained(json!({"art": {"type": "SquareAttack"}})));
    assert_eq!(refused, ["spec.explainer: works on a Kubernetes cluster only; remove it"]);
}

fn scaled(fields: &Value) -> Value {
    let mut predictor = sklearn();
    predictor.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    service(&json!({"predictor": predictor}))
}

#[test]
fn on_kubernetes_replicas_are_scaled_by_requests() {
    let of = |fields: Value| {
        let (deployment, warnings) = parse_for(Engine::Kubernetes, &scaled(&fields)).unwrap();
        assert_eq!(warnings, []);
        let spec = &deployment.predictors[0].component_specs[0];
        assert_eq!(spec.document["hpaSpec"], Value::Null);
        spec.scaling.unwrap()
    };
    let scaling = |metric, target, min_replicas, max_replicas| Scaling { metric, target, min_replicas, max_replicas };
    let rps = of(json!({"minReplicas": 1, "maxReplicas": 4, "scaleMetric": "rps", "scaleTarget": 50}));
    assert_eq!(rps, scaling(Metric::Rps, 50.0, 1, 4));
    let concurrency = of(json!({"minReplicas": 2, "scaleMetric": "concurrency"}));
    assert_eq!(concurrency, scaling(Metric::Concurrency, 100.0, 2, 2));
    assert_eq!(of(json!({"minReplicas": 0})), scaling(Metric::Concurrency, 100.0, 0, 1));
}

#[test]
fn on_kubernetes_what_cannot_be_scaled_by_is_refused() {
    let refused = |fields: Value| {
        let told = parse_for(Engine::Kubernetes, &scaled(&fields)).unwrap_err();
        told.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        refused(json!({"scaleMetric": "luck"})),
        [
            "spec.predictor.scaleMetric: `luck` is not known; use one of `cpu`, `memory`, `concurrency`, `rps`, or leave it \
          out"
        ]
    );
    assert_eq!(
        refused(json!({"scaleMetric": "rps", "scaleTarget": 0})),
        ["spec.predictor.scaleTarget: must be more than 0"]
    );
    assert_eq!(
        refused(json!({"scaleMetric": "cpu", "scaleMetricType": "Value"})),
        ["spec.predictor.scaleMetricType: `Value` is not known; use one of `Utilization`, or leave it out"]
    );
    let (deployment, warnings) =
        parse_for(Engine::Kubernetes, &scaled(&json!({"minReplicas": 0, "scaleMetric": "cpu"}))).unwrap();
    assert_eq!(deployment.predictors[0].component_specs[0].replicas, Some(1));
    assert_eq!(
        warnings[0].to_string(),
        "spec.predictor.minReplicas: what no replica uses says nothing, so that one stays; scale to none by `concurrency` \
         or `rps`"
    );
}

#[test]
fn what_was_rolled_out_is_known_by_the_status_when_the_annotation_is_lost() {
    let remembered = rollout::to_remember(&service(&predictor("/a", None))).unwrap();
    let replaced = |uri, percent| {
        let mut document = service(&predictor(uri, percent));
        document["status"] = json!({rollout::STATUS: remembered});
        document
    };
    assert_eq!(rollout::lost(&replaced("/b", Some(20))), Some(&*remembered));
    assert_eq!(rollout::lost(&replaced("/b", None)), None);
    assert_eq!(rollout::lost(&replaced("/a", Some(20))), None, "it is the same");
    let mut annotated = replaced("/b", Some(20));
    annotated["metadata"]["annotations"] = json!({ROLLED_OUT_ANNOTATION: "kept"});
    assert_eq!(rollout::lost(&annotated), None);
    assert_eq!(rollout::to_remember(&replaced("/b", Some(20))), None);
}

#[test]
fn what_was_rolled_out_is_kept_until_it_is_shared() {
    let plain = service(&predictor("/a", None));
    let kept = rollout::to_keep(&plain).unwrap();
    let annotated = |document: &Value| {
        let mut document = document.clone();
        document["metadata"]["annotations"] = json!({ROLLED_OUT_ANNOTATION: kept});
        document
    };
    assert_eq!(rollout::to_keep(&annotated(&plain)), None);
    let shared = annotated(&service(&predictor("/b", Some(10))));
    assert_eq!(rollout::to_keep(&shared), None);
    assert_eq!(shares(&shared), [share("default", "/a", 90), share("canary", "/b", 10)]);
    assert!(rollout::to_keep(&annotated(&service(&predictor("/b", None)))).is_some());
}

/// What becomes of an example on an engine: a line of its warnings or errors each.
fn outcome(engine: Engine, document: &Value) -> String {
    let (word, lines): (_, Vec<String>) = match parse_for(engine, document) {
        Ok((_, findings)) => ("accepted", findings.iter().map(ToString::to_string).collect()),
        Err(violations) => ("refused", violations.iter().map(ToString::to_string).collect()),
    };
    let mut text = word.to_owned();
    for line in lines {
        text.push_str("\n    ");
        text.push_str(&line);
    }
    text
}

#[test]
fn examples_of_every_feature_are_accepted_or_refused_by_their_fields() {
    let text = include_str!("tests/examples.yaml");
    let documents = manifest::parse("examples.yaml", text).unwrap();
    let titles: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# ")).collect();
    assert_eq!(titles.len(), documents.len());
    let mut lines = Vec::new();
    for (title, document) in titles.iter().zip(&documents) {
        lines.push(format!("# {title}"));
        let (process, kubernetes) =
            (outcome(Engine::Process, &document.json), outcome(Engine::Kubernetes, &document.json));
        lines.push(format!("  in process: {process}"));
        lines.push(format!("  on Kubernetes: {kubernetes}"));
    }
    check_file("src/crd/inference_service/tests/examples.txt", &lines);
}

#[test]
fn a_batcher_is_told_by_annotations() {
    let of = |predictor: Value| {
        let (deployment, warnings) = read(&service(&json!({"predictor": predictor})));
        assert_eq!(warnings, Vec::<String>::new());
        deployment.batching(&deployment.predictors[0]).map(|batching| (batching.most, batching.wait))
    };
    let native = |batcher: Value| json!({"sklearn": {"storageUri": "/models/iris"}, "batcher": batcher});
    assert_eq!(of(native(json!({"maxBatchSize": 8, "maxLatency": 50}))), Some((8, 50)));
    assert_eq!(of(native(json!({}))), Some((32, 5000)));
    assert_eq!(of(json!({"sklearn": {"storageUri": "/models/iris"}})), None);
    let wrong = json!({"predictor": native(json!({"maxBatchSize": -1, "maxLatency": -1, "timeout": 1_000_000}))});
    assert_eq!(
        errors(&service(&wrong)),
        [
            "spec.predictor.batcher.maxBatchSize: must be a number up to 1048576",
            "spec.predictor.batcher.maxLatency: must be a number up to 86400000",
            "spec.predictor.batcher.timeout: must be a number up to 86400",
        ]
    );
    let own = json!({"containers": [{"name": "mine", "image": "me/model:1"}], "timeout": 9, "batcher": {"timeout": 4}});
    let (deployment, warnings) = parse_for(Engine::Kubernetes, &service(&json!({"predictor": own}))).unwrap();
    assert_eq!((warnings.len(), deployment.node_timeout(&deployment.predictors[0])), (0, Some(4000)));
    let legacy = json!({"sklearn": {"storageUri": "/models/iris"}, "batcher": {"maxBatchSize": 4}});
    let (deployment, _) = read(&of_version(super::LEGACY_VERSION, &json!({"default": {"predictor": legacy}})));
    assert_eq!(deployment.batching(&deployment.predictors[0]).unwrap().most, 4);
}
