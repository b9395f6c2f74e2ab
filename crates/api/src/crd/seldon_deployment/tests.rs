//! Manifests in, deployments, warnings and errors out.

use provost_domain::{
    Deployment, Engine, Namespace, ServerCatalog, Violation,
    deployment::{Protocol, RequestLogging},
    graph::{Implementation, NodeKind, ParameterValue},
};

use super::{Finding, fields};
use crate::{
    crd::{committed::check_file, markdown},
    manifest,
};

const IRIS: &str = "
apiVersion: machinelearning.seldon.io/v1alpha2
kind: SeldonDeployment
metadata:
  name: sklearn
spec:
  name: iris
  predictors:
  - graph:
      children: []
      implementation: SKLEARN_SERVER
      modelUri: /models/sklearn/iris
      name: classifier
    name: default
    replicas: 1
";

/// The one document of a text.
#[track_caller]
fn document(text: &str) -> manifest::ManifestDocument {
    let mut documents = manifest::parse("test.yaml", text).unwrap();
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

fn parse(text: &str) -> Result<(Deployment, Vec<Finding>), Vec<Violation>> {
    parse_for(Engine::Process, text)
}

fn parse_for(engine: Engine, text: &str) -> Result<(Deployment, Vec<Finding>), Vec<Violation>> {
    manifest::parse_deployment(&document(text), &Namespace::default_namespace(), &ServerCatalog::default(), engine)
}

#[test]
fn the_quickstart_example_of_seldon_is_a_deployment() {
    let (deployment, findings) = parse(IRIS).unwrap();
    let [predictor] = deployment.predictors.as_slice() else { panic!() };
    assert_eq!(deployment.id.to_string(), "default/sklearn");
    assert_eq!(deployment.protocol, Protocol::Seldon);
    assert_eq!(deployment.request_log, RequestLogging::On);
    assert_eq!(deployment.weights(), [100]);
    assert_eq!(predictor.labels["version"], "default");
    assert_eq!(predictor.graph.name, "classifier");
    assert_eq!(predictor.graph.kind, NodeKind::Model);
    assert_eq!(predictor.graph.implementation, Implementation::Server("SKLEARN_SERVER".to_owned()));
    assert_eq!(predictor.graph.model_uri.as_deref(), Some("/models/sklearn/iris"));
    assert_eq!(
        findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["spec.name: has no effect on this engine; `metadata.name` names the deployment"]
    );
}

#[test]
fn the_reference_page_is_the_table() {
    check_file("../../docs/reference/fields.md", &[markdown::reference_page().trim_end().to_owned()]);
}

/// The lines of what is wrong with a manifest.
#[track_caller]
fn errors(text: &str) -> Vec<String> {
    parse(text).unwrap_err().iter().map(ToString::to_string).collect()
}

/// The lines of the warnings about a manifest.
#[track_caller]
fn warnings(text: &str) -> Vec<String> {
    let (_, findings) = parse(text).unwrap_or_else(|violations| panic!("{violations:#?}"));
    findings.iter().map(ToString::to_string).collect()
}

/// A manifest with these lines in its predictor, indented by four.
fn with_predictor(lines: &str) -> String {
    format!(
        "apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nmetadata:\n  name: iris\nspec:\n  \
         predictors:\n  - name: default\n{lines}"
    )
}

const GRAPH: &str = "    graph: {name: classifier, implementation: SKLEARN_SERVER, modelUri: /models/iris}\n";

#[test]
fn a_manifest_with_every_error_at_once_is_told_all_of_them() {
    check_file("src/crd/seldon_deployment/tests/every_error.txt", &errors(include_str!("tests/every_error.yaml")));
}

#[test]
fn every_message_of_seldon_is_told_word_for_word() {
    let told = errors(include_str!("tests/every_error.yaml")).join("\n")
        + "\n"
        + &errors("apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nmetadata: {name: a}\nspec: {predictors: []}").join("\n")
        + "\n"
        + &errors(&with_predictor(&format!("{GRAPH}    traffic: 50\n"))).join("\n")
        + "\n"
        + &errors(&with_predictor(&format!("{GRAPH}    shadow: true\n"))).join("\n");
    for message in [
        "Graph contains no predictors",
        "Can't find container for Predictive Unit",
        "Predictive Unit has no implementation methods defined. Change to a known type or add what methods it defines",
        "Predictive unit modelUri required when using standalone servers",
        "Prepackaged server does not handle tendorflow protocol SKLEARN_SERVER",
        "No entry in predictors map for OTHER_SERVER",
        "No logger mode specified",
        "Multiple shadows are not allowed",
        "Shadow can not exist as only predictor",
        "Traffic must sum to 100 for multiple predictors",
        "Traffic must sum be 100 for a single predictor when set",
        "Duplicate predictor name",
        "Running without engine only valid for single element graphs",
        "For kafka please supply svcOrchSpec envs KAFKA_BROKER, KAFKA_INPUT_TOPIC, KAFKA_OUTPUT_TOPIC",
        "Invalid protocol",
        "Invalid transport",
        "Invalid serverType",
        "Multiple endpoint.types found - can only have 1 type in graph. Please use spec.transport",
        "Mixed transport types found. Remove graph endpoint.types if transport set at deployment level",
    ] {
        let is_its =
            |text: &str| text == message || text.strip_prefix(message).is_some_and(|more| more.starts_with("; "));
        let is_told = told.lines().any(|line| line.split_once(": ").is_some_and(|(_, text)| is_its(text)));
        let needs_more = ["Invalid protocol", "Invalid transport", "Invalid serverType"].contains(&message);
        assert!(is_told || needs_more, "{message}");
    }
    let enums = "apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nmetadata: {name: a}\nspec:\n  \
                 protocol: grpc\n  transport: tcp\n  serverType: http\n  predictors:\n  - name: default\n";
    assert_eq!(
        errors(&format!("{enums}{GRAPH}")),
        ["spec.protocol: Invalid protocol", "spec.transport: Invalid transport", "spec.serverType: Invalid serverType"]
    );
}

#[test]
fn values_of_a_wrong_type_are_told_all_at_once_with_what_is_expected() {
    let text = "
apiVersion: machinelearning.seldon.io/v1
kind: SeldonDeployment
metadata:
  name: 7
  labels: [a]
  annotations: {seldon.io/no-engine: true, team: fraud}
spec:
  replicas: 1.5
  predictors:
  - name: default
    traffic: '100'
    shadow: maybe
    graph:
      name: classifier
      implementation: SKLEARN_SERVER
      modelUri: {path: /models/iris}
      parameters:
      - {name: threshold, value: 0.5, type: FLOAT}
      - threshold
      children: {}
      endpoint: {service_port: 99999999999}
  - canary
";
    assert_eq!(
        errors(text),
        [
            "metadata.name: expected a text, found the number 7; put it in quotes",
            "metadata.labels: expected a map of texts, found a list",
            "metadata.annotations[seldon.io/no-engine]: expected a text, found true; put it in quotes",
            "spec.replicas: expected a whole number of 32 bits, found the number 1.5",
            "spec.predictors[0].traffic: expected a whole number of 32 bits, found the text \"100\"",
            "spec.predictors[0].shadow: expected true or false, found the text \"maybe\"",
            "spec.predictors[0].graph.modelUri: expected a text, found an object",
            "spec.predictors[0].graph.parameters[0].value: expected a text, found the number 0.5; put it in quotes",
            "spec.predictors[0].graph.parameters[1]: expected an object, found the text \"threshold\"",
            "spec.predictors[0].graph.children: expected a list of objects, found an object",
            "spec.predictors[0].graph.endpoint.service_port: expected a whole number of 32 bits, found the number 99999999999",
            "spec.predictors[1]: expected an object, found the text \"canary\"",
        ]
    );
}

#[test]
fn what_has_no_effect_is_warned_of_by_its_path() {
    let lines = "    replicas: 3
    engineResources: {}
    svcOrchSpec:
      resources: {requests: {cpu: 1}}
      env: [{name: SELDON_LOG_LEVEL, value: DEBUG}]
    componentSpecs:
    - hpaSpec: {minReplicas: 1, maxReplicas: 3, metrics: []}
      metadata: {creationTimestamp: null}
      spec:
        terminationGracePeriodSeconds: 1
        containers:
        - name: classifier
          resources: {requests: {memory: 50Mi}}
          env: []
";
    assert_eq!(
        warnings(&with_predictor(&format!("{GRAPH}{lines}"))),
        [
            "spec.predictors[0].replicas: has no effect on this engine; the model runs inside this process, once",
            "spec.predictors[0].svcOrchSpec.resources: has no effect on this engine; the model runs inside this process, not in a container of its own",
            "spec.predictors[0].svcOrchSpec.env: has no effect on this engine; the model runs inside this process, not in a container of its own",
            "spec.predictors[0].componentSpecs[0].hpaSpec: has no effect on this engine; the model runs inside this process, once",
            "spec.predictors[0].componentSpecs[0].spec.terminationGracePeriodSeconds: has no effect on this engine; the model runs inside this process, not in a container of its own",
            "spec.predictors[0].componentSpecs[0].spec.containers[0].resources: has no effect on this engine; the model runs inside this process, not in a container of its own",
        ]
    );
}

const OF_KUBERNETES: &str = "    replicas: 3
    graph: {name: classifier, implementation: SKLEARN_SERVER, modelUri: 'pvc://models/iris', endpoint: {type: REST}}
    annotations: {seldon.io/svc-name: mine, seldon.io/rest-timeout: '1'}
    svcOrchSpec:
      resources: {requests: {cpu: 1}}
      replicas: 2
    componentSpecs:
    - hpaSpec: {maxReplicas: 3}
      kedaSpec: {maxReplicaCount: 3}
      pdbSpec: {minAvailable: 1}
      spec:
        nodeSelektor: {disk: fast}
        initContainers: [{name: classifier-model-initializer, image: rclone}]
        containers: [{name: classifier, env: []}, {name: proxy, image: envoy}]
";

#[test]
fn what_means_something_on_kubernetes_is_accepted_there_and_the_rest_is_warned_of() {
    let (deployment, findings) = parse_for(Engine::Kubernetes, &with_predictor(OF_KUBERNETES)).unwrap();
    assert_eq!(
        findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "spec.predictors[0].graph.endpoint: has no effect on Kubernetes; the node runs in the server and is not called over the network",
            "spec.predictors[0].annotations[seldon.io/rest-timeout]: has no effect on Kubernetes; the node runs in the server and is not called over the network",
            "spec.predictors[0].svcOrchSpec.replicas: has no effect on Kubernetes; the orchestrator serves the models itself, or stands beside a program of your own",
            "spec.predictors[0].componentSpecs[0].kedaSpec: has no effect on Kubernetes; there is no autoscaling by KEDA",
            "spec.predictors[0].componentSpecs[0].spec.nodeSelektor: unknown field; it is ignored; did you mean `nodeSelector`?",
        ]
    );
    let pod = &deployment.predictors[0].component_specs[0].document["spec"];
    assert_eq!(pod["nodeSelektor"], serde_json::Value::Null);
    assert_eq!(pod["containers"][1]["image"], "envoy");
}

#[test]
fn what_works_on_kubernetes_only_is_refused_in_process_by_its_path() {
    let lines = OF_KUBERNETES.replace("    replicas: 3\n", "");
    assert_eq!(
        errors(&with_predictor(&lines)),
        [
            "spec.predictors[0].componentSpecs[0].spec.initContainers: works on a Kubernetes cluster only; remove it: the platform fetches `modelUri` itself",
            "spec.predictors[0].componentSpecs[0].spec.containers[1].image: works on a Kubernetes cluster only; remove it, and set `implementation` and `modelUri` in the graph, or `endpoint` to where your program listens",
            "spec.predictors[0].graph.modelUri: a claimed volume is mounted on a Kubernetes cluster only; use a path of this machine, a bucket or a web server",
        ]
    );
}

#[test]
fn unknown_fields_are_warned_of_with_the_one_that_may_be_meant() {
    let lines = "    graph: {name: classifier, implementation: SKLEARN_SERVER, modelUri: /models/iris, modelURI: /x, model_uri: /y, colour: red}
    trafic: 100
    annotations: {provost.dev/request-logs: 'off', seldon.io/nothing: x, team: fraud, project.seldon.io/classifier: iris}
";
    assert_eq!(
        warnings(&with_predictor(lines)),
        [
            "spec.predictors[0].graph.modelURI: unknown field; it is ignored; did you mean `modelUri`?",
            "spec.predictors[0].graph.model_uri: unknown field; it is ignored; did you mean `modelUri`?",
            "spec.predictors[0].graph.colour: unknown field; it is ignored",
            "spec.predictors[0].trafic: unknown field; it is ignored; did you mean `traffic`?",
            "spec.predictors[0].annotations[provost.dev/request-logs]: unknown annotation; it is ignored",
            "spec.predictors[0].annotations[seldon.io/nothing]: unknown annotation; it is ignored",
        ]
    );
}

#[test]
fn what_is_not_supported_is_refused_by_its_path_with_what_to_do() {
    let lines = "    shadow: true
    explainer: {type: AnchorTabular, modelUri: /models/explainer}
    graph: {name: parent, implementation: SKLEARN_SERVER, modelUri: /models/iris}
    componentSpecs:
    - spec:
        initContainers: [{name: parent-model-initializer, image: rclone}]
        containers: [{name: parent, image: mine}]
";
    assert_eq!(
        errors(&with_predictor(lines)),
        [
            "spec.predictors[0].explainer: not supported yet; remove it",
            "spec.predictors[0].componentSpecs[0].spec.initContainers: works on a Kubernetes cluster only; remove it: the platform fetches `modelUri` itself",
            "spec.predictors[0].componentSpecs[0].spec.containers[0].image: works on a Kubernetes cluster only; remove it, and set `implementation` and `modelUri` in the graph, or `endpoint` to where your program listens",
            "spec.predictors[0].shadow: Shadow can not exist as only predictor",
        ]
    );
}

#[test]
fn what_a_cluster_prints_can_be_applied_again() {
    let text = "
apiVersion: machinelearning.seldon.io/v1
kind: SeldonDeployment
metadata:
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{}'
  creationTimestamp: '2021-07-16T15:34:33Z'
  generation: 2
  managedFields: [{manager: kubectl, operation: Update}]
  name: iris
  namespace: models
  resourceVersion: '123'
  selfLink: /apis/machinelearning.seldon.io/v1/namespaces/models/seldondeployments/iris
  uid: 6fbd4a0c-8d5b-4ad5-8ba2-1a9e2b0c1f6e
spec:
  predictors:
  - componentSpecs: []
    engineResources: {}
    explainer: null
    graph:
      children: []
      implementation: SKLEARN_SERVER
      modelUri: /models/iris
      name: classifier
      parameters: []
      type: MODEL
    labels: {version: v3}
    name: default
    replicas: 1
    shadow: false
    svcOrchSpec: {}
    traffic: 100
status: {state: Available, replicas: 1}
";
    let (deployment, findings) = parse(text).unwrap();
    assert_eq!(findings, []);
    assert_eq!(deployment.id.to_string(), "models/iris");
    assert_eq!(deployment.predictors[0].labels["version"], "v3");
}

#[test]
fn the_request_log_is_switched_off_quoted_or_not_and_the_specification_goes_first() {
    let logging = |annotations: &str| {
        let text = IRIS.replace("metadata:\n", &format!("metadata:\n  annotations: {{{annotations}}}\n"));
        parse(&text).map(|(deployment, _)| deployment.request_log)
    };
    assert_eq!(logging("provost.dev/request-log: off"), Ok(RequestLogging::Off));
    assert_eq!(logging("provost.dev/request-log: 'off'"), Ok(RequestLogging::Off));
    assert_eq!(logging("provost.dev/request-log: on"), Ok(RequestLogging::On));
    assert_eq!(
        logging("provost.dev/request-log: never").unwrap_err()[0].to_string(),
        "metadata.annotations[provost.dev/request-log]: request log setting `never` is not known; use one of on, off"
    );
    let both = IRIS
        .replace("metadata:\n", "metadata:\n  annotations: {provost.dev/request-log: on}\n")
        .replace("spec:\n", "spec:\n  annotations: {provost.dev/request-log: off}\n");
    assert_eq!(parse(&both).unwrap().0.request_log, RequestLogging::Off);
}

#[test]
fn names_are_those_kubernetes_takes() {
    let named = |name: &str| errors(&IRIS.replace("name: sklearn", name)).join("\n");
    assert!(named("name: My_Model").starts_with("metadata.name: `My_Model` is not a valid name"));
    assert!(named("name: a\n  namespace: A").starts_with("metadata.namespace: `A` is not a valid namespace"));
    assert_eq!(named("labels: {}"), "metadata.name: a deployment must have a name");
    assert_eq!(
        named("generateName: iris-"),
        "metadata.generateName: not supported yet; set `metadata.name`\nmetadata.name: a deployment must have a name"
    );
}

#[test]
fn the_namespace_is_that_of_the_command_unless_it_is_written() {
    let documents = manifest::parse("test.yaml", IRIS).unwrap();
    let models = Namespace::try_from("models").unwrap();
    let (deployment, _) =
        manifest::parse_deployment(&documents[0], &models, &ServerCatalog::default(), Engine::Process).unwrap();
    assert_eq!(deployment.id.namespace, models);
}

#[test]
fn words_that_are_not_known_are_told_with_those_that_are() {
    let graph = "    graph:
      name: classifier
      implementation: SKLEARN_SERVER
      modelUri: /models/iris
      type: Model
      methods: [TRANSFORM]
      endpoint: {type: HTTP}
      logger: {mode: some}
      parameters: [{name: method, value: x, type: TEXT}, {value: '1', type: INT}, {name: n, value: one, type: INT}]
";
    assert_eq!(
        errors(&with_predictor(graph)),
        [
            "spec.predictors[0].graph.type: node type `Model` is not known; use one of MODEL, ROUTER, COMBINER, TRANSFORMER, OUTPUT_TRANSFORMER, UNKNOWN_TYPE",
            "spec.predictors[0].graph.methods[0]: method `TRANSFORM` is not known; use one of TRANSFORM_INPUT, TRANSFORM_OUTPUT, ROUTE, AGGREGATE, SEND_FEEDBACK",
            "spec.predictors[0].graph.endpoint.type: endpoint type `HTTP` is not known; use one of REST, GRPC",
            "spec.predictors[0].graph.parameters[0].type: parameter type `TEXT` is not known; use one of INT, FLOAT, DOUBLE, STRING, BOOL",
            "spec.predictors[0].graph.parameters[1].name: a parameter must have a name",
            "spec.predictors[0].graph.parameters[2].value: `one` is not a whole number, which the parameter's type INT asks for",
            "spec.predictors[0].graph.logger.mode: logger mode `some` is not known; use one of all, request, response",
        ]
    );
}

#[test]
fn parameters_and_weights_come_through() {
    let text = with_predictor(
        "    traffic: 90
    graph:
      name: classifier
      implementation: SKLEARN_SERVER
      modelUri: /models/iris
      parameters: [{name: method, value: predict, type: STRING}]
  - name: canary
    traffic: 10
    graph: {name: canary, implementation: XGBOOST_SERVER, modelUri: 'file:///models/iris.json'}
",
    );
    let (deployment, findings) = parse(&text).unwrap();
    assert_eq!(findings, []);
    assert_eq!(deployment.weights(), [90, 10]);
    let method = deployment.predictors[0].graph.parameter("method");
    assert_eq!(method, Some(&ParameterValue::String("predict".to_owned())));
}

#[test]
fn all_samples_of_the_documentation_are_accepted_but_those_with_images() {
    let documents = manifest::parse("samples.yaml", include_str!("tests/samples.yaml")).unwrap();
    let outcome = |engine, document| match manifest::parse_deployment(
        document,
        &Namespace::default_namespace(),
        &ServerCatalog::default(),
        engine,
    ) {
        Ok((deployment, _)) => deployment.id.to_string(),
        Err(violations) => violations.iter().map(|violation| violation.path.to_string()).collect::<Vec<_>>().join(" "),
    };
    for document in [&documents[1], &documents[6]] {
        assert!(outcome(Engine::Kubernetes, document).starts_with("default/"));
    }
    assert_eq!(
        documents.iter().map(|document| outcome(Engine::Process, document)).collect::<Vec<_>>(),
        [
            "default/sklearn",
            "spec.predictors[0].componentSpecs[0].spec.initContainers",
            "default/rclone-sklearn",
            "default/sklearn",
            "default/sklearn",
            "default/sklearn",
            "spec.predictors[0].componentSpecs[0].spec.containers[0].image spec.predictors[0].graph.endpoint",
        ]
    );
}

#[test]
fn of_thousands_of_unknown_fields_a_hundred_are_told() {
    let fields = (0..20_000).map(|n| format!("    unknown{n}: {{}}\n")).collect::<Vec<_>>().concat();
    let warnings = warnings(&with_predictor(&format!("{GRAPH}{fields}")));
    assert_eq!(warnings.len(), 101);
    assert!(warnings[100].contains("19900 further fields"), "{}", warnings[100]);
}

#[test]
fn every_row_of_the_table_is_reached_by_its_path() {
    let table = &fields::FIELDS;
    let rows: Vec<_> = table.sections.iter().flat_map(|section| section.fields).collect();
    assert!(rows.len() > 150);
    for row in rows {
        let parent = row.path.rsplit_once('.').map_or("", |(parent, _)| parent);
        let parent = parent.strip_suffix("[]").unwrap_or(parent);
        assert!(parent.is_empty() || table.field(parent).is_some(), "{} has no row above it", row.path);
        assert!(std::ptr::eq(table.field(row.path).unwrap(), row), "{} is there twice", row.path);
    }
}

#[test]
fn a_graph_as_deep_as_a_document_may_be_is_walked() {
    let deepest = (manifest::DEPTH_MAX - 6) / 2;
    let graph = "{name: n, children: [".repeat(deepest) + &"]}".repeat(deepest);
    let found = errors(&with_predictor(&format!("    graph: {graph}\n")));
    assert_eq!(found.iter().filter(|line| line.ends_with("Can't find container for Predictive Unit")).count(), deepest);
}
