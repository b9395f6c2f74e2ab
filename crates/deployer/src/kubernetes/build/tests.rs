//! Whole deployments, from their manifests to objects.

mod apart;
pub(in crate::kubernetes) mod services;
mod settings;

use k8s_openapi::serde::{Serialize, de::DeserializeOwned};
use provost_api::{
    crd::Finding,
    manifest::{ManifestDocument, parse, parse_deployment, parse_with_paths},
};
use provost_domain::{Engine, Namespace, ServerCatalog, Violation};

use super::*;

pub(in crate::kubernetes) const MANIFEST: &str = r"
apiVersion: machinelearning.seldon.io/v1
kind: SeldonDeployment
metadata:
  name: iris
  namespace: models
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{}'
    team: fraud
spec:
  replicas: 2
  predictors:
    - name: main
      traffic: 90
      labels: {team: fraud}
      graph:
        name: classifier
        implementation: SKLEARN_SERVER
        modelUri: s3://models/iris
        envSecretRefName: bucket
    - name: canary
      traffic: 10
      replicas: 1
      graph:
        name: classifier
        implementation: XGBOOST_SERVER
        modelUri: https://models.example/iris.json
";

/// One predictor with this graph, and with more fields of it.
pub(super) fn manifest(graph: &str, more: &str) -> String {
    format!(
        "apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\n\
         metadata: {{name: iris, namespace: models}}\nspec:\n  predictors:\n    - name: main\n      \
         graph: {graph}\n{more}"
    )
}

pub(super) const CLASSIFIER: &str = "{name: classifier, implementation: SKLEARN_SERVER, modelUri: s3://models/iris}";

pub(in crate::kubernetes) fn with_source<T>(text: &str, work: impl FnOnce(Source<'_>, &Owner) -> T) -> T {
    let document = parse("test", text).unwrap().remove(0);
    let (deployment, _) = parsed(&document, Engine::Kubernetes).unwrap();
    with(&deployment, &document.json, &Accounts::new(), work)
}

fn parsed(document: &ManifestDocument, engine: Engine) -> Result<(Deployment, Vec<Finding>), Vec<Violation>> {
    parse_deployment(document, &Namespace::default_namespace(), &ServerCatalog::default(), engine)
}

fn with<T>(
    deployment: &Deployment,
    document: &Value,
    accounts: &Accounts,
    work: impl FnOnce(Source<'_>, &Owner) -> T,
) -> T {
    let owner = Owner {
        api_version: "machinelearning.seldon.io/v1".to_owned(),
        kind: "SeldonDeployment".to_owned(),
        name: deployment.id.name.as_str().to_owned(),
        uid: "3a".to_owned(),
    };
    work(
        Source { deployment, document, accounts, catalog: &ServerCatalog::default(), paths: &Paths::default() },
        &owner,
    )
}

pub(super) fn settings() -> Settings {
    Settings::new("provost:1".to_owned())
}

fn try_objects(text: &str, settings: &Settings) -> Result<Vec<Value>, Vec<BuildError>> {
    with_source(text, |source, owner| build(source, owner, settings))
}

/// The objects where these service accounts are there.
pub(super) fn objects_with(text: &str, settings: &Settings, accounts: &Accounts) -> Vec<Value> {
    with_source(text, |source, owner| build(Source { accounts, ..source }, owner, settings)).unwrap()
}

pub(super) fn objects(text: &str) -> Vec<Value> {
    try_objects(text, &settings()).unwrap()
}

fn refusal(text: &str) -> String {
    let errors = try_objects(text, &settings()).unwrap_err();
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let more = "      componentSpecs:\n        - {replicas: 2, hpaSpec: {maxReplicas: 3, metrics: [{type: Other}]}, spec: {containers: \
                [{name: classifier, image: mine}]}}\n        - {replicas: 3, spec: {}}\n";
    let told = refusal(&manifest(CLASSIFIER, more));
    let place = "spec.predictors[0].componentSpecs";
    let expected = [
        format!("{place}[0].spec.containers[0].image: "),
        format!("{place}[0].hpaSpec.metrics[0].type: "),
        format!("{place}[1].replicas: "),
    ];
    assert_eq!(told.lines().count(), expected.len(), "{told}");
    assert!(told.lines().zip(&expected).all(|(line, expected)| line.starts_with(expected)), "{told}");
}

/// The pods of the first Deployment.
pub(super) fn pod(objects: &[Value]) -> &Value {
    &objects[0]["spec"]["template"]["spec"]
}

pub(super) fn variable<'a>(container: &'a Value, name: &str) -> &'a Value {
    container["env"].as_array().unwrap().iter().find(|variable| variable["name"] == name).unwrap()
}

/// The manifest that a container carries.
pub(super) fn carried(container: &Value) -> Value {
    let text = variable(container, "PROVOST_MANIFEST")["value"].as_str().unwrap();
    serde_json::from_str(&text.replace("$$", "$")).unwrap()
}

fn names(objects: &[Value], kind: &str) -> Vec<String> {
    let of_kind = objects.iter().filter(|object| object["kind"] == kind);
    of_kind.map(|object| object["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_predictor_is_a_deployment_and_a_service() {
    insta::assert_yaml_snapshot!(objects(MANIFEST)[..2]);
}

#[test]
fn a_canary_has_a_deployment_and_a_service_of_its_own() {
    let objects = objects(MANIFEST);
    assert_eq!(names(&objects, "Deployment"), ["iris-main-0-classifier", "iris-canary-0-classifier"]);
    assert_eq!(names(&objects, "Service"), ["iris-main", "iris-canary"]);
    assert_eq!(objects[3]["spec"]["selector"], json!({"seldon-app": "iris-canary"}));
}

const ALL_KINDS: &str = r"
      svcOrchSpec:
        env: [{name: RUST_LOG, value: info}]
        resources: {requests: {cpu: 250m, memory: 256Mi}}
      componentSpecs:
        - metadata:
            labels: {team: fraud, app: mine}
            annotations: {prometheus.io/port: '9999', owner: me}
          replicas: 3
          hpaSpec:
            minReplicas: 1
            maxReplicas: 4
            metrics: [{type: Resource, resource: {name: cpu, targetAverageUtilization: 70}}]
          pdbSpec: {minAvailable: 1}
          spec:
            nodeSelector: {disk: fast}
            serviceAccountName: fraud
            terminationGracePeriodSeconds: 60
            volumes: [{name: certificates, secret: {secretName: ca}}]
            containers:
              - name: proxy
                image: envoy:1
              - name: classifier
                imagePullPolicy: Always
                env: [{name: RUST_LOG, value: debug}, {name: WHO, value: $(POD_NAME)}]
                resources:
                  requests: {cpu: 500m, memory: 1Gi}
                  limits: {memory: 2Gi}
                volumeMounts: [{name: certificates, mountPath: /certificates}]
                securityContext: {capabilities: {add: [NET_BIND_SERVICE]}}
                livenessProbe: {tcpSocket: {port: 8000}}
";

#[test]
fn component_specifications_are_merged_as_seldon_merges_them() {
    insta::assert_yaml_snapshot!(objects(&manifest(CLASSIFIER, ALL_KINDS)));
}

#[test]
fn kubernetes_knows_every_field_that_is_built() {
    fn known<T: Serialize + DeserializeOwned>(object: &Value) -> Value {
        json!(serde_json::from_value::<T>(object.clone()).unwrap())
    }
    let objects = try_objects(&manifest(CLASSIFIER, ALL_KINDS), &with_initializer()).unwrap();
    let [deployment, service, scaler, budget] = &objects[..] else { panic!("four objects") };
    assert_eq!(known::<k8s_openapi::api::apps::v1::Deployment>(deployment), *deployment);
    assert_eq!(known::<k8s_openapi::api::core::v1::Service>(service), *service);
    assert_eq!(known::<k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler>(scaler), *scaler);
    assert_eq!(known::<k8s_openapi::api::policy::v1::PodDisruptionBudget>(budget), *budget);
}

const TWO_NODES: &str = "{name: first, implementation: SKLEARN_SERVER, modelUri: s3://models/a, \
    envSecretRefName: one, serviceAccountName: fraud, children: [{name: second, implementation: XGBOOST_SERVER, \
    modelUri: s3://models/b, envSecretRefName: one}]}";

#[test]
fn containers_of_a_graph_of_several_nodes_are_one() {
    let more = r"
      engineResources: {requests: {cpu: 100m}}
      componentSpecs:
        - spec:
            containers:
              - {name: second, env: [{name: A, value: '2'}], resources: {requests: {cpu: '1'}}}
        - spec:
            containers:
              - {name: first, env: [{name: B, value: '1'}], resources: {requests: {cpu: 500m}}}
";
    let objects = objects(&manifest(TWO_NODES, more));
    assert_eq!(names(&objects, "Deployment"), ["iris-main-0-second"]);
    let pod = pod(&objects);
    assert_eq!(pod["containers"].as_array().unwrap().len(), 1);
    let container = &pod["containers"][0];
    assert_eq!(container["name"], "first");
    assert_eq!(container["resources"], json!({"requests": {"cpu": "1600m"}}));
    assert_eq!((&variable(container, "A")["value"], &variable(container, "B")["value"]), (&json!("2"), &json!("1")));
    assert_eq!(container["envFrom"], json!([{"secretRef": {"name": "one"}}]));
    assert_eq!(pod["serviceAccountName"], "fraud");
}

#[test]
fn component_specifications_that_do_not_agree_are_refused_by_path() {
    let not_alike = "not as in the first component specification; only programs of your own and model servers in \
        containers can have pods of their own, since the server runs its models in those of the first; say the same in each";
    let differs = "something else is said of it before; the nodes share their pods, so say it once";
    for (one, other, path, reason) in [
        ("replicas: 2", "spec: {}", "replicas", not_alike),
        ("hpaSpec: {maxReplicas: 3}", "spec: {}", "hpaSpec", not_alike),
        ("spec: {}", "pdbSpec: {minAvailable: 1}", "pdbSpec", not_alike),
        ("spec: {nodeSelector: {a: b}}", "spec: {nodeSelector: {a: c}}", "spec.nodeSelector", differs),
        ("metadata: {labels: {a: b}}", "metadata: {labels: {a: c}}", "metadata.labels.a", differs),
        (
            "spec: {containers: [{name: classifier, env: [{name: A, value: b}]}]}",
            "spec: {containers: [{name: classifier, env: [{name: A, value: c}]}]}",
            "spec.containers[0].env[0]",
            differs,
        ),
        (
            "spec: {containers: [{name: proxy, image: one}]}",
            "spec: {containers: [{name: proxy, image: two}]}",
            "spec.containers[0]",
            differs,
        ),
    ] {
        let more = format!("      componentSpecs:\n        - {{{one}}}\n        - {{{other}}}\n");
        let path = format!("spec.predictors[0].componentSpecs[1].{path}");
        assert_eq!(refusal(&manifest(CLASSIFIER, &more)), format!("{path}: {reason}"));
    }
    let agreed = "      replicas: 2\n      componentSpecs: [{replicas: 2, spec: {}}, {spec: {}}]\n";
    assert_eq!(replicas(&manifest(CLASSIFIER, agreed)), [json!(2)]);
}

#[test]
fn a_program_for_a_node_that_the_server_runs_is_refused_by_path() {
    for field in ["image: mine", "command: [run]", "args: [a]", "workingDir: /a"] {
        let more = format!("      componentSpecs: [{{spec: {{containers: [{{name: classifier, {field}}}]}}}}]\n");
        let name = field.split(':').next().unwrap();
        let path = format!("spec.predictors[0].componentSpecs[0].spec.containers[0].{name}");
        let expected = format!(
            "{path}: the node has an `implementation`, which the server runs itself; remove this, or the \
             `implementation` to run a program of your own"
        );
        assert_eq!(refusal(&manifest(CLASSIFIER, &more)), expected);
    }
    let more = "      componentSpecs: [{spec: {containers: [{name: classifier, image: '', command: [], args: []}]}}]\n";
    assert_eq!(pod(&objects(&manifest(CLASSIFIER, more))), pod(&objects(&manifest(CLASSIFIER, ""))));
}

/// A node whose program is the user's own.
pub(super) const OWN: &str =
    "{name: scorer, type: MODEL, parameters: [{name: threshold, value: '$0.5', type: STRING}]}";

/// Its container, with more fields.
pub(super) fn own(more: &str) -> String {
    let container = format!("{{name: scorer, image: 'mine:1'{more}}}");
    format!("      componentSpecs: [{{spec: {{containers: [{container}, {{name: proxy, image: 'p:1'}}]}}}}]\n")
}

#[test]
fn a_program_of_the_users_own_runs_beside_the_orchestrator() {
    let orchestrator = "      svcOrchSpec: {env: [{name: LEVEL, value: x}], resources: {limits: {cpu: '1'}}}\n";
    let objects = objects(&manifest(OWN, &(own(", env: [{name: A, value: b}]") + orchestrator)));
    let pod = pod(&objects);
    let names: Vec<_> = pod["containers"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["scorer", "seldon-container-engine", "proxy"]);
    insta::assert_yaml_snapshot!([&pod["containers"][0], &pod["volumes"]]);
    let orchestrator = &pod["containers"][1];
    assert_eq!(orchestrator["image"], "provost:1");
    assert_eq!(orchestrator["resources"], json!({"limits": {"cpu": "1"}}));
    assert_eq!(variable(orchestrator, "LEVEL")["value"], "x");
    let graph = &carried(orchestrator)["spec"]["predictors"][0]["graph"];
    assert_eq!(graph["endpoint"], json!({"service_host": "localhost", "httpPort": 9000, "type": "REST"}));
    assert_eq!(names_of(&objects), ["iris-main-0-scorer-proxy", "iris-main"]);
}

#[test]
fn the_nodes_of_a_graph_are_in_one_pod() {
    let graph = "{name: merge, type: COMBINER, children: [{name: scorer, type: MODEL}, {name: classifier, \
                 implementation: SKLEARN_SERVER, modelUri: 's3://models/iris'}]}";
    let specs = "      componentSpecs: [{spec: {containers: [{name: merge, image: 'merge:1'}]}}, \
                 {spec: {containers: [{name: scorer, image: 'scorer:1'}, {name: classifier, env: [{name: A, value: b}]}]}}]\n";
    let objects = objects(&manifest(graph, specs));
    let pod = pod(&objects);
    let containers = pod["containers"].as_array().unwrap();
    let names: Vec<_> = containers.iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["merge", "scorer", "seldon-container-engine"]);
    let orchestrator = &containers[2];
    assert_eq!(variable(orchestrator, "A")["value"], "b");
    let graph = &carried(orchestrator)["spec"]["predictors"][0]["graph"];
    assert_eq!(
        (&graph["endpoint"]["httpPort"], &graph["children"][0]["endpoint"]["httpPort"]),
        (&json!(9000), &json!(9001))
    );
    assert_eq!(graph["children"][1]["modelUri"], "s3://models/iris");
    let labels = &objects[0]["metadata"]["labels"];
    assert_eq!((&labels["seldon.io/combiner"], &labels["seldon.io/model"]), (&json!("true"), &json!("true")));
}

fn names_of(objects: &[Value]) -> Vec<&str> {
    objects.iter().filter_map(|object| object["metadata"]["name"].as_str()).collect()
}

#[test]
fn what_the_user_says_of_an_own_program_stays() {
    let more = ", ports: [{name: http, containerPort: 5000}], readinessProbe: {httpGet: {path: /ok, port: 5000}}, \
                env: [{name: PREDICTIVE_UNIT_ID, value: mine}], lifecycle: {preStop: {exec: {command: [bye]}}}, \
                securityContext: {runAsUser: 0}, command: [serve]";
    let objects = objects(&manifest(OWN, &own(more)));
    let container = &pod(&objects)["containers"][0];
    assert_eq!(container["ports"][0], json!({"name": "http", "containerPort": 5000}));
    assert_eq!(variable(container, "PREDICTIVE_UNIT_HTTP_SERVICE_PORT")["value"], "5000");
    assert_eq!(variable(container, "PREDICTIVE_UNIT_ID")["value"], "scorer");
    assert_eq!(container["readinessProbe"], json!({"httpGet": {"path": "/ok", "port": 5000}}));
    assert_eq!(container["lifecycle"], json!({"preStop": {"exec": {"command": ["bye"]}}}));
    assert_eq!(container["securityContext"]["runAsNonRoot"], false);
    let graph = &carried(&pod(&objects)["containers"][1])["spec"]["predictors"][0]["graph"];
    assert_eq!(graph["endpoint"]["httpPort"], 5000);
}

#[test]
fn ports_are_counted_by_the_names_of_nodes_over_all_predictors() {
    let of = |name: &str, node: &str, traffic: u32| {
        format!(
            "    - name: {name}\n      traffic: {traffic}\n      graph: {{name: {node}, type: MODEL}}\n      componentSpecs: \
             [{{spec: {{containers: [{{name: {node}, image: 'mine:1'}}]}}}}]\n"
        )
    };
    let head = "apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nmetadata: {name: iris, namespace: m}\nspec:\n  predictors:\n";
    let objects = objects(&format!("{head}{}{}{}", of("a", "one", 50), of("b", "two", 25), of("c", "one", 25)));
    let deployments = objects.iter().filter(|object| object["kind"] == "Deployment");
    let ports =
        deployments.map(|one| one["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerPort"].clone());
    assert_eq!(ports.collect::<Vec<_>>(), [9000, 9001, 9000]);
}

#[test]
fn the_model_of_an_own_program_is_where_seldon_puts_it() {
    let graph = OWN.replace("type: MODEL", "type: MODEL, modelUri: s3://models/mine, envSecretRefName: bucket");
    let objects = try_objects(&manifest(&graph, &own("")), &with_initializer()).unwrap();
    let pod = pod(&objects);
    assert_eq!(pod["initContainers"][0]["args"], json!(["s3://models/mine", "/mnt/models"]));
    let mount = json!({"name": "scorer-provision-location", "mountPath": "/mnt/models", "readOnly": true});
    assert!(pod["containers"][0]["volumeMounts"].as_array().unwrap().contains(&mount));
    assert!(!pod["containers"][1]["volumeMounts"].as_array().unwrap().contains(&mount));
    // The orchestrator neither fetches the model nor sees its secret.
    assert_eq!(carried(&pod["containers"][1])["spec"]["predictors"][0]["graph"]["modelUri"], Value::Null);
    assert_eq!(pod["containers"][1]["envFrom"], Value::Null);
    let alone = self::objects(&manifest(&graph, &own("")));
    let fetcher = &self::pod(&alone)["initContainers"][0];
    assert_eq!(fetcher["image"], "provost:1", "where no image is set, this program fetches");
    assert_eq!(fetcher["args"], json!(["fetch", "s3://models/mine", "/mnt/models"]));
    let expected = "spec.predictors[0].graph.modelUri: nothing brings a path into a container of its own; use a bucket, a \
                    web server or `pvc://`, or set `storageInitializerImage` or an init container \
                    `scorer-model-initializer` that does";
    let path = graph.replace("s3://models/mine", "/opt/mine");
    assert_eq!(refusal(&manifest(&path, &own(""))), expected);
    let claimed = OWN.replace("type: MODEL", "type: MODEL, modelUri: pvc://claim/mine");
    let claimed = self::objects(&manifest(&claimed, &own("")));
    assert_eq!(self::pod(&claimed)["containers"][0]["volumeMounts"][0]["mountPath"], "/mnt/pvc");
}

#[test]
fn an_own_program_has_an_image_and_is_told_of_once() {
    let place = "spec.predictors[0].componentSpecs";
    for (more, expected) in [
        (
            "componentSpecs: [{spec: {containers: [{name: scorer}]}}]",
            format!(
                "{place}[0].spec.containers[0].image: missing; its node has no `implementation`, so it needs an image"
            ),
        ),
        (
            "componentSpecs: [{spec: {containers: [{name: scorer, image: a}]}}, {spec: {containers: [{name: scorer, image: b}]}}]",
            format!(
                "{place}[1].spec.containers[0]: something else is said of it before; the nodes share their pods, so say \
                 it once"
            ),
        ),
    ] {
        assert_eq!(refusal(&manifest(OWN, &format!("      {more}\n"))), expected);
    }
}

#[test]
fn what_cannot_be_made_so_is_refused_by_path() {
    let place = "spec.predictors[0]";
    for (more, expected) in [
        (
            "componentSpecs: [{spec: {containers: [{name: clasifier}]}}]",
            format!(
                "{place}.componentSpecs[0].spec.containers[0].image: missing; no node of the graph has the name of \
                 this container, so it needs an image"
            ),
        ),
        (
            "svcOrchSpec: {env: [{name: PROVOST_MANIFEST, value: x}]}",
            format!(
                "{place}.svcOrchSpec: `PROVOST_MANIFEST` carries the manifest, and is set by the operator; remove it"
            ),
        ),
        (
            "svcOrchSpec: {resources: {limits: {cpu: 1}}}\n      engineResources: {limits: {cpu: 1}}",
            format!("{place}: both `svcOrchSpec.resources` and `engineResources` are set; remove one"),
        ),
        (
            "componentSpecs: [{spec: {containers: [{name: classifier, resources: {limits: {cpu: lots}}}]}}, {spec: {containers: [{name: classifier, resources: {limits: {cpu: 1}}}]}}]",
            format!(
                "{place}.componentSpecs[0].spec.containers[0].resources.limits[cpu]: `lots` is not an amount; write \
                 one such as `100m`, `0.5` or `512Mi`"
            ),
        ),
    ] {
        assert_eq!(refusal(&manifest(CLASSIFIER, &format!("      {more}\n"))), expected);
    }
}

#[test]
fn a_pod_carries_the_manifest_of_its_predictor_alone() {
    let objects = objects(MANIFEST);
    let manifest = |object: &Value| carried(&object["spec"]["template"]["spec"]["containers"][0]);
    let (main, canary) = (manifest(&objects[0]), manifest(&objects[2]));
    assert_eq!(main["spec"]["predictors"].as_array().unwrap().len(), 1);
    assert_eq!(main["spec"]["predictors"][0]["name"], "main");
    assert_eq!(canary["spec"]["predictors"][0]["name"], "canary");
    assert_eq!(main["metadata"], json!({"name": "iris", "namespace": "models", "annotations": {"team": "fraud"}}));
    assert!(
        parse("again", &main.to_string()).is_ok_and(|documents| { parsed(&documents[0], Engine::Process).is_ok() })
    );
}

#[test]
fn what_others_act_on_is_not_in_the_manifest_of_a_pod() {
    let more = r"
      replicas: 2
      traffic: 100
      progressDeadlineSeconds: 60
      svcOrchSpec: {env: [{name: A, value: b}]}
      engineResources: {requests: {cpu: 1}}
      componentSpecs: [{spec: {containers: [{name: classifier}]}}]
";
    let graph = CLASSIFIER.replace('}', ", serviceAccountName: fraud, envSecretRefName: bucket}");
    let objects = objects(&manifest(&graph, more));
    assert_eq!(objects[0]["spec"]["progressDeadlineSeconds"], 60);
    let predictor = carried(&pod(&objects)["containers"][0])["spec"]["predictors"][0].clone();
    assert_eq!(predictor.as_object().unwrap().keys().collect::<Vec<_>>(), ["name", "graph"]);
    let fields = predictor["graph"].as_object().unwrap().keys();
    assert_eq!(fields.collect::<Vec<_>>(), ["name", "implementation", "modelUri"]);
}

#[test]
fn kubernetes_finds_no_references_in_a_manifest() {
    let graph = "{name: classifier, implementation: SKLEARN_SERVER, modelUri: 's3://models/$(POD_NAME)$$'}";
    let objects = objects(&manifest(graph, ""));
    let text = variable(&pod(&objects)["containers"][0], "PROVOST_MANIFEST")["value"].as_str().unwrap();
    assert!(text.contains("s3://models/$$(POD_NAME)$$$$"), "{text}");
}

#[test]
fn a_claimed_volume_is_mounted_and_the_model_is_there() {
    let graph = "{name: classifier, implementation: SKLEARN_SERVER, modelUri: pvc://models/iris/v1}";
    let objects = objects(&manifest(graph, ""));
    let pod = pod(&objects);
    insta::assert_yaml_snapshot!([&pod["volumes"], &pod["containers"][0]["volumeMounts"]]);
    assert_eq!(carried(&pod["containers"][0])["spec"]["predictors"][0]["graph"]["modelUri"], "/mnt/pvc/iris/v1");
}

#[test]
fn two_claims_are_two_volumes_and_one_is_mounted_once() {
    let graph = "{name: a, implementation: SKLEARN_SERVER, modelUri: pvc://one/a, children: [\
        {name: b, implementation: SKLEARN_SERVER, modelUri: pvc://two/b, children: [\
        {name: c, implementation: SKLEARN_SERVER, modelUri: pvc://one/c}]}]}";
    let objects = objects(&manifest(graph, ""));
    let container = &pod(&objects)["containers"][0];
    let mounts = container["volumeMounts"].as_array().unwrap();
    let paths: Vec<_> = mounts.iter().map(|mount| mount["mountPath"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/mnt/pvc", "/mnt/pvc-1", "/var/lib/provost", "/tmp"]);
    let graph = &carried(container)["spec"]["predictors"][0]["graph"];
    assert_eq!(graph["modelUri"], "/mnt/pvc/a");
    assert_eq!(graph["children"][0]["modelUri"], "/mnt/pvc-1/b");
    assert_eq!(graph["children"][0]["children"][0]["modelUri"], "/mnt/pvc/c");
}

pub(super) fn with_initializer() -> Settings {
    Settings { storage_initializer_image: Some("rclone:1".to_owned()), ..settings() }
}

#[test]
fn an_init_container_fetches_the_model_where_an_image_is_set() {
    let graph = CLASSIFIER.replace('}', ", envSecretRefName: bucket}");
    let objects = try_objects(&manifest(&graph, ""), &with_initializer()).unwrap();
    let pod = pod(&objects);
    insta::assert_yaml_snapshot!([&pod["initContainers"], &pod["volumes"], &pod["containers"][0]["volumeMounts"]]);
    assert_eq!(carried(&pod["containers"][0])["spec"]["predictors"][0]["graph"]["modelUri"], "/mnt/models");
}

#[test]
fn nothing_fetches_what_is_mounted() {
    for (uri, expected) in [("pvc://models/iris", "/mnt/pvc/iris"), ("/mnt/mine/iris", "/mnt/mine/iris")] {
        let graph = format!("{{name: classifier, implementation: SKLEARN_SERVER, modelUri: '{uri}'}}");
        let objects = try_objects(&manifest(&graph, ""), &with_initializer()).unwrap();
        let pod = pod(&objects);
        assert_eq!(pod["initContainers"], Value::Null);
        assert_eq!(carried(&pod["containers"][0])["spec"]["predictors"][0]["graph"]["modelUri"], expected);
    }
}

#[test]
fn the_nodes_own_image_fetches_before_that_of_the_settings() {
    let graph = CLASSIFIER.replace('}', ", storageInitializerImage: mine:1}");
    let image = |settings: &Settings| {
        pod(&try_objects(&manifest(&graph, ""), settings).unwrap())["initContainers"][0]["image"].clone()
    };
    assert_eq!(image(&with_initializer()), "mine:1");
    assert_eq!(image(&settings()), "mine:1");
}

#[test]
fn models_of_several_nodes_are_fetched_side_by_side() {
    let graph = CLASSIFIER.replace('}', ", children: [{name: b, implementation: SKLEARN_SERVER, modelUri: s3://m/b}]}");
    let objects = try_objects(&manifest(&graph, ""), &with_initializer()).unwrap();
    let graph = carried(&pod(&objects)["containers"][0])["spec"]["predictors"][0]["graph"].clone();
    assert_eq!(graph["modelUri"], "/mnt/models/classifier");
    assert_eq!(graph["children"][0]["modelUri"], "/mnt/models/b");
    assert_eq!(pod(&objects)["initContainers"][1]["args"], json!(["s3://m/b", "/mnt/models"]));
}

#[test]
fn an_init_container_of_the_users_own_stays_as_it_is_and_in_its_place() {
    let more = r"
      componentSpecs:
        - spec:
            initContainers:
              - {name: classifier-model-initializer, image: mine:1, command: [fetch]}
              - {name: warm, image: warm:1}
            containers: []
";
    let objects = objects(&manifest(CLASSIFIER, more));
    let initializers = pod(&objects)["initContainers"].as_array().unwrap();
    assert_eq!(initializers.len(), 2);
    assert_eq!(
        initializers[0],
        json!({
            "name": "classifier-model-initializer",
            "image": "mine:1",
            "command": ["fetch"],
            "args": ["s3://models/iris", "/mnt/models"],
            "volumeMounts": [{"name": "classifier-provision-location", "mountPath": "/mnt/models"}],
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
        })
    );
}

#[test]
fn the_init_container_of_seldons_documentation_is_run_as_given() {
    let more = r"
      componentSpecs:
        - spec:
            volumes: [{name: classifier-provision-location, emptyDir: {}}]
            containers:
              - name: classifier
                volumeMounts: [{mountPath: /mnt/models, name: classifier-provision-location, readOnly: true}]
            initContainers:
              - name: classifier-model-initializer
                image: kfserving/storage-initializer:v0.4.0
                args: [s3://models/iris, /mnt/models]
                envFrom: [{secretRef: {name: secret}}]
                volumeMounts: [{mountPath: /mnt/models, name: classifier-provision-location}]
";
    let objects = objects(&manifest(CLASSIFIER, more));
    let pod = pod(&objects);
    insta::assert_yaml_snapshot!([&pod["initContainers"], &pod["volumes"], &pod["containers"][0]["volumeMounts"]]);
    assert_eq!(carried(&pod["containers"][0])["spec"]["predictors"][0]["graph"]["modelUri"], "/mnt/models");
}

#[test]
fn labels_tell_what_the_nodes_are() {
    let graph = format!("{{name: first, type: ROUTER, implementation: SIMPLE_ROUTER, children: [{CLASSIFIER}]}}");
    let labels = &objects(&manifest(&graph, ""))[0]["metadata"]["labels"];
    let of = |role: &str| labels[format!("seldon.io/{role}")].clone();
    assert_eq!(["router", "model", "combiner"].map(of), [json!("true"), json!("true"), Value::Null]);
}

#[test]
fn ports_of_a_node_are_listed_beside_that_of_the_server() {
    let ports =
        "[{name: http, containerPort: 9000}, {name: web, containerPort: 8000}, {name: metrics, containerPort: 6000}]";
    let more = format!("      componentSpecs: [{{spec: {{containers: [{{name: classifier, ports: {ports}}}]}}}}]\n");
    let objects = objects(&manifest(CLASSIFIER, &more));
    assert_eq!(
        pod(&objects)["containers"][0]["ports"],
        json!([
            {"name": "http", "containerPort": 8000, "protocol": "TCP"},
            {"name": "metrics", "containerPort": 6000},
        ])
    );
}

#[test]
fn hooks_of_the_users_own_leave_time_for_traffic_to_end() {
    let of = |lifecycle: &str| {
        let container = format!("{{name: classifier, lifecycle: {lifecycle}}}");
        let more = format!("      componentSpecs: [{{spec: {{containers: [{container}]}}}}]\n");
        pod(&objects(&manifest(CLASSIFIER, &more)))["containers"][0]["lifecycle"]["preStop"].clone()
    };
    assert_eq!(of("{postStart: {exec: {command: [a]}}}"), json!({"sleep": {"seconds": 5}}));
    assert_eq!(of("{preStop: {exec: {command: [a]}}}"), json!({"exec": {"command": ["a"]}}));
}

#[test]
fn secrets_for_images_are_the_users_and_those_that_are_set() {
    let settings = Settings { image_pull_secrets: vec!["own".to_owned(), "mine".to_owned()], ..settings() };
    let more = "      componentSpecs: [{spec: {imagePullSecrets: [{name: mine}]}}]\n";
    let objects = try_objects(&manifest(CLASSIFIER, more), &settings).unwrap();
    assert_eq!(pod(&objects)["imagePullSecrets"], json!([{"name": "mine"}, {"name": "own"}]));
}

#[test]
fn pods_run_as_the_account_of_the_node_unless_theirs_is_another() {
    let graph = CLASSIFIER.replace('}', ", serviceAccountName: fraud}");
    let more = |account: &str| format!("      componentSpecs: [{{spec: {{serviceAccountName: {account}}}}}]\n");
    assert_eq!(pod(&objects(&manifest(&graph, "")))["serviceAccountName"], "fraud");
    assert_eq!(pod(&objects(&manifest(&graph, &more("fraud"))))["serviceAccountName"], "fraud");
    let refusal = refusal(&manifest(&graph, &more("other")));
    assert!(refusal.starts_with("spec.predictors[0].graph.serviceAccountName: something else is said"), "{refusal}");
}

fn replicas(text: &str) -> Vec<Value> {
    let objects = objects(text);
    let deployments = objects.iter().filter(|object| object["kind"] == "Deployment");
    deployments.map(|object| object["spec"]["replicas"].clone()).collect()
}

#[test]
fn replicas_are_those_of_the_component_else_the_predictors_else_the_deployments_else_one() {
    assert_eq!(replicas(MANIFEST), [json!(2), json!(1)]);
    assert_eq!(replicas(&MANIFEST.replace("  replicas: 2\n", "")), [json!(1), json!(1)]);
    let component = "replicas: 1\n      componentSpecs: [{replicas: 5, spec: {containers: []}}]\n";
    assert_eq!(replicas(&MANIFEST.replace("replicas: 1\n", component)), [json!(2), json!(5)]);
}

#[test]
fn with_an_autoscaler_no_replicas_are_set() {
    let more = "      replicas: 2\n      componentSpecs: [{hpaSpec: {maxReplicas: 3}, spec: {containers: []}}]\n";
    assert_eq!(replicas(&manifest(CLASSIFIER, more)), [Value::Null]);
}

#[test]
fn names_are_shortened_after_63_characters() {
    let long = objects(&MANIFEST.replace("name: classifier\n", &format!("name: {}\n", "b".repeat(51))));
    assert_eq!(names(&long, "Deployment")[0].len(), 63);
    let longer = objects(&MANIFEST.replace("name: classifier\n", &format!("name: {}\n", "b".repeat(52))));
    assert!(names(&longer, "Deployment")[0].starts_with("seldon-"));
    assert_eq!(names(&longer, "Service")[0], "iris-main");
}

#[test]
fn users_name_deployments_and_services() {
    let more = r"
      annotations: {seldon.io/svc-name: mine, seldon.io/headless-svc: 'true'}
      componentSpecs: [{metadata: {name: workload}, pdbSpec: {maxUnavailable: 1}, spec: {containers: []}}]
";
    let objects = objects(&manifest(CLASSIFIER, more));
    assert_eq!(names(&objects, "Deployment"), ["workload"]);
    assert_eq!(names(&objects, "PodDisruptionBudget"), ["workload"]);
    assert_eq!(names(&objects, "Service"), ["mine"]);
    assert_eq!(objects[1]["spec"]["clusterIP"], "None");
    // So that it finds the pods that were made before it was named so.
    assert_eq!(objects[1]["spec"]["selector"]["seldon-app"], "iris-main");
    assert_eq!(objects[0]["spec"]["template"]["metadata"]["labels"]["seldon-app"], "iris-main");
}

#[test]
fn two_objects_of_one_name_are_refused() {
    let text = MANIFEST.replace("team: fraud\nspec", "seldon.io/svc-name: mine\nspec");
    assert_eq!(
        refusal(&text),
        "two objects of kind `Service` would be named `mine`; change the name of one predictor, or what names it"
    );
}

#[test]
fn a_name_that_kubernetes_does_not_take_is_refused() {
    let refusal = refusal(&MANIFEST.replace("team: fraud\nspec", "seldon.io/svc-name: My_Service\nspec"));
    assert!(refusal.starts_with("an object of kind `Service` cannot be named so: `My_Service`"), "{refusal}");
}

#[test]
fn what_the_user_says_of_security_counts() {
    let more = r"
      componentSpecs:
        - spec:
            securityContext: {runAsUser: 0}
            automountServiceAccountToken: true
            topologySpreadConstraints: []
            containers: [{name: classifier, securityContext: {readOnlyRootFilesystem: false}}]
";
    let objects = objects(&manifest(CLASSIFIER, more));
    let pod = pod(&objects);
    assert_eq!(
        pod["securityContext"],
        json!({"runAsUser": 0, "runAsNonRoot": false, "seccompProfile": {"type": "RuntimeDefault"}, "fsGroup": 8888})
    );
    assert_eq!((&pod["automountServiceAccountToken"], &pod["topologySpreadConstraints"]), (&json!(true), &json!([])));
    assert_eq!(pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"], false);
    assert_eq!(pod["containers"][0]["securityContext"]["allowPrivilegeEscalation"], false);
}

#[test]
fn pods_send_their_log_to_the_bucket_that_is_set() {
    let uri: BucketUri = "s3://logs/team $a".parse().unwrap();
    let with = |secret: Option<&str>| {
        let log_bucket = Some(LogBucket { uri: uri.clone(), secret: secret.map(str::to_owned) });
        Settings { log_bucket, ..settings() }
    };
    let container = |text: &str, settings: &Settings| {
        let objects = try_objects(text, settings).unwrap();
        pod(&objects)["containers"][0].clone()
    };
    let sending = container(MANIFEST, &with(Some("log")));
    assert_eq!(variable(&sending, "PROVOST_REQUEST_LOG__BUCKET")["value"], "s3://logs/team $$a");
    insta::assert_yaml_snapshot!(sending["envFrom"]);
    let open = container(MANIFEST, &with(None));
    assert_eq!(open["envFrom"], container(MANIFEST, &settings())["envFrom"]);
    assert_ne!(open["env"], container(MANIFEST, &settings())["env"], "pods roll when it is set");
    let off = MANIFEST.replace("    team: fraud\n", "    provost.dev/request-log: 'off'\n");
    assert_ne!(off, MANIFEST);
    assert_eq!(container(&off, &with(Some("log"))), container(&off, &settings()));
}

#[test]
fn the_bucket_that_a_user_names_goes_before_the_one_that_is_set() {
    let log_bucket = Some(LogBucket { uri: "s3://logs".parse().unwrap(), secret: None });
    let own = "      svcOrchSpec: {env: [{name: PROVOST_REQUEST_LOG__BUCKET, value: 's3://own'}]}\n";
    let objects = try_objects(&manifest(CLASSIFIER, own), &Settings { log_bucket, ..settings() }).unwrap();
    let container = &pod(&objects)["containers"][0];
    assert_eq!(variable(container, "PROVOST_REQUEST_LOG__BUCKET")["value"], "s3://own");
}
