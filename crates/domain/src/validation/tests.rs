//! Rules with deployments that keep and break them.

use super::*;
use crate::{
    Predictor,
    deployment::{ComponentSpec, NO_ENGINE_ANNOTATION, Protocol, ServerType, Transport},
    graph::{Endpoint, EndpointKind, Implementation, Logger, Node, NodeKind, Parameter, ParameterValue},
};

fn node(name: &str, implementation: &str) -> Node {
    Node {
        name: name.to_owned(),
        kind: NodeKind::Model,
        implementation: Implementation::from(implementation.to_owned()),
        model_uri: Some("/models/iris".to_owned()),
        ..Node::default()
    }
}

fn predictor(name: &str, traffic: Option<i32>) -> Predictor {
    Predictor { name: name.to_owned(), graph: node("classifier", "SKLEARN_SERVER"), traffic, ..Predictor::default() }
}

fn deployment(predictors: Vec<Predictor>) -> Deployment {
    let mut deployment = crate::deployment::tests::deployment(predictors);
    deployment.apply_defaults();
    deployment
}

/// A deployment of one predictor with this graph.
fn graph(graph: Node) -> Deployment {
    deployment(vec![Predictor { graph, ..predictor("default", None) }])
}

/// Checks that these rules are broken, and no others.
#[track_caller]
fn check(deployment: &Deployment, expected: &[&str]) {
    let found = validate(deployment, &ServerCatalog::default(), Engine::Process);
    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
}

#[test]
fn a_model_of_a_prepackaged_server_is_valid() {
    check(&deployment(vec![predictor("default", None)]), &[]);
    check(&deployment(vec![predictor("default", Some(100))]), &[]);
    check(&deployment(vec![predictor("default", Some(0))]), &[]);
    check(&deployment(vec![predictor("default", Some(90)), predictor("canary", Some(10))]), &[]);
}

#[test]
fn a_deployment_has_predictors_with_graphs() {
    check(&deployment(vec![]), &["spec.predictors: Graph contains no predictors"]);
    check(&graph(Node::default()), &["spec.predictors[0].graph: Graph contains no predictors"]);
}

#[test]
fn predictors_have_names_of_their_own() {
    check(
        &deployment(vec![predictor("default", Some(50)), predictor("default", Some(50))]),
        &["spec.predictors[1].name: Duplicate predictor name"],
    );
    check(&deployment(vec![predictor("", None)]), &["spec.predictors[0].name: a predictor must have a name"]);
    let found = validate(&deployment(vec![predictor("../etc", None)]), &ServerCatalog::default(), Engine::Process);
    assert!(found[0].message.starts_with("`../etc` is not a valid name"), "{found:?}");
}

#[test]
fn a_prepackaged_server_needs_a_model() {
    check(
        &graph(Node { model_uri: None, ..node("classifier", "SKLEARN_SERVER") }),
        &["spec.predictors[0].graph.modelUri: Predictive unit modelUri required when using standalone servers"],
    );
}

#[test]
fn a_server_that_nobody_knows_is_refused_in_seldons_words_with_those_that_are_known() {
    check(
        &graph(node("classifier", "SKLEARN_SERVR")),
        &["spec.predictors[0].graph.implementation: No entry in predictors map for SKLEARN_SERVR; known are \
           CATBOOST_SERVER, HUGGINGFACE_SERVER, LIGHTGBM_SERVER, MLFLOW_SERVER, SKLEARN_SERVER, TEMPO_SERVER, \
           TENSORFLOW_SERVER, TRITON_SERVER, XGBOOST_SERVER"],
    );
}

#[test]
fn a_server_that_runs_in_a_container_is_one_that_runs_already_where_there_are_none() {
    check(
        &graph(node("classifier", "MLFLOW_SERVER")),
        &[
            "spec.predictors[0].graph.implementation: `MLFLOW_SERVER` runs in a container, on a Kubernetes cluster only; \
           tell with `endpoint.service_host` and `endpoint.httpPort` where one runs already, or use one of \
           CATBOOST_SERVER, LIGHTGBM_SERVER, SKLEARN_SERVER, XGBOOST_SERVER, with `modelUri`",
        ],
    );
    let running = Node { model_uri: None, endpoint: own("").endpoint, ..node("classifier", "MLFLOW_SERVER") };
    check(&graph(running.clone()), &[]);
    let with_model = Node { model_uri: Some("s3://models/iris".to_owned()), ..running };
    check(
        &graph(with_model),
        &["spec.predictors[0].graph.modelUri: a program that runs already loads its model itself; remove it"],
    );
}

#[test]
fn on_a_cluster_a_server_speaks_the_protocol_of_its_container() {
    let found = |protocol, node: Node| {
        let mut deployment = graph(node);
        deployment.protocol = protocol;
        let found = validate(&deployment, &ServerCatalog::default(), Engine::Kubernetes);
        found.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    assert_eq!(found(Protocol::Seldon, node("classifier", "MLFLOW_SERVER")), none);
    assert_eq!(found(Protocol::Kfserving, node("classifier", "TRITON_SERVER")), none);
    assert_eq!(found(Protocol::Tensorflow, node("classifier", "SKLEARN_SERVER"))[1..], none);
    assert_eq!(
        found(Protocol::Seldon, node("classifier", "TRITON_SERVER")),
        [
            "spec.predictors[0].graph.implementation: `TRITON_SERVER` does not speak `seldon`; set spec.protocol to one of \
          kfserving"
        ]
    );
    let without = Node { model_uri: None, ..node("classifier", "HUGGINGFACE_SERVER") };
    assert_eq!(found(Protocol::Kfserving, without), none);
}

fn own(name: &str) -> Node {
    let endpoint = Endpoint { host: Some("localhost".to_owned()), http_port: Some(9000), ..Endpoint::default() };
    Node { model_uri: None, endpoint: Some(endpoint), ..node(name, "") }
}

#[test]
fn a_program_of_the_users_own_needs_a_container_on_a_cluster() {
    let found = |deployment: &Deployment| validate(deployment, &ServerCatalog::default(), Engine::Kubernetes);
    let mut deployment = graph(node("classifier", ""));
    let without = "spec.predictors[0].graph: Can't find container for Predictive Unit";
    assert_eq!(found(&deployment)[0].to_string(), without);
    deployment.predictors[0].component_specs =
        vec![ComponentSpec { containers: vec!["classifier".to_owned()], ..ComponentSpec::default() }];
    assert_eq!(found(&deployment), []);
}

#[test]
fn a_program_of_the_users_own_is_a_server_where_there_are_no_containers() {
    check(&graph(own("classifier")), &[]);
    let nowhere = "spec.predictors[0].graph.endpoint: containers run on a Kubernetes cluster only; tell with \
                   `endpoint.service_host` and `endpoint.httpPort` (or `grpcPort`, with `type: GRPC`) where your \
                   program listens, or use one of CATBOOST_SERVER, LIGHTGBM_SERVER, SKLEARN_SERVER, XGBOOST_SERVER as \
                   `implementation`, with `modelUri`";
    let without = "spec.predictors[0].graph: Can't find container for Predictive Unit";
    check(&graph(Node { endpoint: None, ..own("classifier") }), &[without, nowhere]);
    check(
        &graph(Node { model_uri: Some("s3://models/iris".to_owned()), ..own("classifier") }),
        &["spec.predictors[0].graph.modelUri: a program that runs already loads its model itself; remove it"],
    );
}

#[test]
fn over_grpc_programs_speak_seldons_protocol_and_predict_in_v1_and_v2() {
    let mut program = own("classifier");
    program.endpoint = Some(Endpoint {
        host: Some("localhost".to_owned()),
        grpc_port: Some(9500),
        kind: Some(EndpointKind::Grpc),
        ..Endpoint::default()
    });
    let mut deployment = graph(program);
    for protocol in [Protocol::Seldon, Protocol::Tensorflow, Protocol::Kfserving] {
        deployment.protocol = protocol;
        check(&deployment, &[]);
    }
    let refused = |protocol: &str| {
        format!(
            "spec.predictors[0].graph.endpoint.type: `{protocol}` has no such calls of programs over gRPC; use `REST`, or \
             the protocol `seldon`"
        )
    };
    deployment.predictors[0].graph.kind = NodeKind::Router;
    deployment.predictors[0].graph.children = vec![Node { model_uri: None, ..node("below", "SIMPLE_MODEL") }];
    check(&deployment, &[&refused("kfserving")]);
    deployment.protocol = Protocol::Tensorflow;
    check(&deployment, &[&refused("tensorflow")]);
}

#[test]
fn the_time_limit_of_a_node_is_a_number() {
    let with = |text: &str| {
        let mut deployment = graph(own("classifier"));
        deployment.annotations.insert("seldon.io/rest-timeout".to_owned(), text.to_owned());
        deployment
    };
    check(&with("2000"), &[]);
    for text in ["5s", "0", "-1"] {
        let expected = format!(
            "metadata.annotations[seldon.io/rest-timeout]: `{text}` is not a number of milliseconds; write one such as \
             `5000`"
        );
        check(&with(text), &[&expected]);
    }
}

#[test]
fn how_many_requests_a_node_gets_at_once_is_a_number() {
    let with = |text: &str| {
        let mut deployment = graph(own("classifier"));
        deployment.annotations.insert("provost.dev/container-concurrency".to_owned(), text.to_owned());
        deployment
    };
    check(&with("2"), &[]);
    check(&with("0"), &[]);
    let expected = "metadata.annotations[provost.dev/container-concurrency]: `many` is not a number of requests; write one \
                    such as `4`, or `0` for no limit";
    check(&with("many"), &[expected]);
}

#[test]
fn how_requests_are_gathered_are_numbers_for_one_node() {
    let with = |size: &str, latency: &str| {
        let mut deployment = graph(own("classifier"));
        for (name, text) in [("provost.dev/max-batch-size", size), ("provost.dev/max-batch-latency", latency)] {
            deployment.annotations.insert(name.to_owned(), text.to_owned());
        }
        deployment
    };
    check(&with("16", "50"), &[]);
    let batching = |size: &str, latency: &str| {
        let deployment = with(size, latency);
        deployment.batching(&deployment.predictors[0]).map(|batching| (batching.most, batching.wait))
    };
    assert_eq!((batching("16", "50"), batching("0", "50")), (Some((16, 50)), None));
    check(
        &with("many", "-1"),
        &[
            "metadata.annotations[provost.dev/max-batch-size]: `many` is not a number of instances; write one such as `100`",
            "metadata.annotations[provost.dev/max-batch-latency]: `-1` is not a number of milliseconds; write one such as \
             `100`",
        ],
    );
    let mut several = with("16", "50");
    several.predictors[0].graph.children = vec![own("below")];
    let refused = |name: &str| {
        format!("metadata.annotations[{name}]: requests to a graph of several nodes are not gathered; remove it")
    };
    check(&several, &[&refused("provost.dev/max-batch-size"), &refused("provost.dev/max-batch-latency")]);
}

#[test]
fn a_node_says_what_it_does() {
    let silent = Node { kind: NodeKind::UnknownType, ..own("classifier") };
    let expected = "spec.predictors[0].graph.type: Predictive Unit has no implementation methods defined. Change to \
                    a known type or add what methods it defines";
    check(&graph(silent), &[expected]);
}

/// A built-in node with children of the names.
fn built_in(implementation: &str, children: &[&str]) -> Node {
    Node {
        kind: NodeKind::UnknownType,
        model_uri: None,
        children: children.iter().map(|name| node(name, "SKLEARN_SERVER")).collect(),
        ..node("root", implementation)
    }
}

fn parameter(name: &str, value: &str) -> Parameter {
    Parameter { name: name.to_owned(), value: ParameterValue::String(value.to_owned()) }
}

#[test]
fn graphs_of_several_nodes_are_valid() {
    check(&graph(built_in("AVERAGE_COMBINER", &["a", "b", "c"])), &[]);
    check(&graph(built_in("SIMPLE_ROUTER", &["a"])), &[]);
    check(&graph(built_in("SIMPLE_MODEL", &[])), &[]);
    let mut ab = built_in("RANDOM_ABTEST", &["a", "b"]);
    ab.parameters.push(parameter("ratioA", "0.25"));
    check(&graph(ab), &[]);
    let below = Node { children: vec![node("model", "SKLEARN_SERVER")], ..own("scaler") };
    check(&graph(Node { kind: NodeKind::Transformer, ..below }), &[]);
}

#[test]
fn every_node_has_a_name_of_its_own() {
    let expected =
        "spec.predictors[0].graph.children[1].name: another node of the graph has this name; give each its own";
    check(&graph(built_in("AVERAGE_COMBINER", &["a", "a"])), &[expected]);
}

#[test]
fn routers_and_combiners_have_children() {
    let children = |rule: &str| format!("spec.predictors[0].graph.children: {rule}");
    let ab = children("RANDOM_ABTEST chooses between 2 children; this one has 3");
    check(&graph(built_in("RANDOM_ABTEST", &["a", "b", "c"])), &[&ab]);
    let router = children("the node chooses one of its children, and has none");
    check(&graph(Node { kind: NodeKind::Router, ..own("router") }), &[&router]);
    let combiner = children("the node makes one answer of its children's, and has none");
    check(&graph(built_in("AVERAGE_COMBINER", &[])), &[&combiner]);
}

#[test]
fn what_is_built_in_takes_what_it_knows() {
    let mut ab = built_in("RANDOM_ABTEST", &["a", "b"]);
    ab.model_uri = Some("/models/iris".to_owned());
    ab.parameters = vec![parameter("ratioA", "1.5"), parameter("ratio", "1")];
    let path = |rule: &str| format!("spec.predictors[0].graph.{rule}");
    check(
        &graph(ab),
        &[
            &path("modelUri: RANDOM_ABTEST is built in and loads no model; remove it"),
            &path("parameters[0].value: the probability of the first child is a number from 0 to 1"),
            &path("parameters[1].name: RANDOM_ABTEST takes no parameter `ratio`; it takes `ratioA`"),
        ],
    );
}

#[test]
fn a_model_server_predicts_and_nothing_else() {
    let methods = vec![crate::graph::Method::SendFeedback, crate::graph::Method::Route];
    let expected = "spec.predictors[0].graph.methods[1]: a model server predicts and has no other methods; remove it";
    check(&graph(Node { methods, ..node("classifier", "SKLEARN_SERVER") }), &[expected]);
}

#[test]
fn graphs_speak_every_protocol() {
    let mut deployment = graph(built_in("AVERAGE_COMBINER", &["a", "b"]));
    deployment.protocol = Protocol::Kfserving;
    check(&deployment, &[]);
}

#[test]
fn a_router_that_learns_takes_a_probability() {
    let parameter = |name: &str, value| Parameter { name: name.to_owned(), value: ParameterValue::Double(value) };
    let learner = |implementation, name: &str, value| Node {
        parameters: vec![parameter(name, value)],
        ..built_in(implementation, &["a", "b"])
    };
    check(&graph(learner("EPSILON_GREEDY", "epsilon", 0.5)), &[]);
    let expected = "spec.predictors[0].graph.parameters[0].value: the probability of any child instead of the best is a \
                    number from 0 to 1";
    check(&graph(learner("EPSILON_GREEDY", "epsilon", 1.5)), &[expected]);
    let expected = "spec.predictors[0].graph.parameters[0].name: THOMPSON_SAMPLING takes no parameter `epsilon`; it takes \
                    none";
    check(&graph(learner("THOMPSON_SAMPLING", "epsilon", 0.5)), &[expected]);
}

#[test]
fn graphs_are_not_endless() {
    let chain = (0..40).fold(node("last", "SKLEARN_SERVER"), |below, index| Node {
        kind: NodeKind::Transformer,
        children: vec![below],
        ..own(&format!("n{index}"))
    });
    let deep = "spec.predictors[0].graph: at most 32 nodes of a graph are below one another; of this one 41 are";
    check(&graph(chain), &[deep]);
    let names: Vec<String> = (0..256).map(|index| format!("n{index}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let wide = "spec.predictors[0].graph: a graph has at most 256 nodes; this one has 257";
    check(&graph(built_in("AVERAGE_COMBINER", &names)), &[wide]);
}

#[test]
fn a_logger_says_what_it_is_sent() {
    check(
        &graph(Node { logger: Some(Logger::default()), ..node("classifier", "SKLEARN_SERVER") }),
        &["spec.predictors[0].graph.logger.mode: No logger mode specified"],
    );
}

#[test]
fn one_shadow_may_stand_beside_others() {
    let shadow = |name| Predictor { shadow: true, ..predictor(name, None) };
    check(&deployment(vec![predictor("default", Some(100)), shadow("one")]), &[]);
    check(
        &deployment(vec![predictor("default", Some(100)), shadow("one"), shadow("two")]),
        &["spec.predictors[2].shadow: Multiple shadows are not allowed"],
    );
    check(&deployment(vec![shadow("one")]), &["spec.predictors[0].shadow: Shadow can not exist as only predictor"]);
}

#[test]
fn traffic_sums_to_100() {
    let several = "spec.predictors: Traffic must sum to 100 for multiple predictors";
    check(&deployment(vec![predictor("a", Some(60)), predictor("b", Some(60))]), &[several]);
    check(&deployment(vec![predictor("a", None), predictor("b", None)]), &[several]);
    check(
        &deployment(vec![predictor("default", Some(50))]),
        &["spec.predictors[0].traffic: Traffic must sum be 100 for a single predictor when set"],
    );
    let share = "traffic is a share in percent; use a number from 0 to 100";
    check(
        &deployment(vec![predictor("a", Some(150)), predictor("b", Some(-50))]),
        &[&format!("spec.predictors[0].traffic: {share}"), &format!("spec.predictors[1].traffic: {share}")],
    );
    check(
        &deployment(vec![predictor("a", Some(i32::MAX)), predictor("b", Some(i32::MAX))]),
        &[&format!("spec.predictors[0].traffic: {share}"), &format!("spec.predictors[1].traffic: {share}"), several],
    );
}

#[test]
fn without_the_orchestrator_a_graph_has_one_node() {
    let parent = Node { children: vec![node("child", "SKLEARN_SERVER")], ..node("parent", "SKLEARN_SERVER") };
    let mut deployment = graph(parent);
    deployment.predictors[0].annotations.insert(NO_ENGINE_ANNOTATION.to_owned(), "true".to_owned());
    check(
        &deployment,
        &[
            "spec.predictors[0].annotations[seldon.io/no-engine]: Running without engine only valid for single element graphs",
        ],
    );
}

#[test]
fn kafka_needs_its_topics() {
    let kafka = Deployment { server_type: ServerType::Kafka, ..deployment(vec![predictor("default", None)]) };
    check(
        &kafka,
        &[
            "spec.predictors[0].svcOrchSpec.env: For kafka please supply svcOrchSpec envs KAFKA_BROKER, \
             KAFKA_INPUT_TOPIC, KAFKA_OUTPUT_TOPIC",
            "spec.serverType: `kafka` is not supported yet; use `rpc` or leave it out",
        ],
    );
}

#[test]
fn tensorflow_is_not_for_seldons_servers() {
    let mut deployment = deployment(vec![predictor("default", None)]);
    deployment.protocol = Protocol::Tensorflow;
    check(
        &deployment,
        &[
            "spec.predictors[0].graph.implementation: Prepackaged server does not handle tendorflow protocol SKLEARN_SERVER",
        ],
    );
    deployment.protocol = Protocol::Kfserving;
    check(&deployment, &[]);
}

#[test]
fn programs_are_called_over_the_transport_where_nothing_else_is_said() {
    let mut native = deployment(vec![predictor("default", None)]);
    native.transport = Some(Transport::Grpc);
    check(&native, &[]);
    let mut program = graph(own("classifier"));
    program.predictors[0].graph.endpoint.as_mut().unwrap().grpc_port = Some(9500);
    program.transport = Some(Transport::Grpc);
    program.apply_defaults();
    check(&program, &[]);
    let node = &program.predictors[0].graph;
    assert_eq!((node.is_grpc(), node.authority().as_deref()), (true, Some("localhost:9500")));
}

#[test]
fn endpoints_have_one_type_which_is_that_of_the_transport() {
    let typed = |name, kind| Node {
        endpoint: Some(Endpoint { kind: Some(kind), ..Endpoint::default() }),
        ..node(name, "SKLEARN_SERVER")
    };
    let mut both =
        graph(Node { children: vec![typed("grpc", EndpointKind::Grpc)], ..typed("rest", EndpointKind::Rest) });
    let several =
        "spec.predictors: Multiple endpoint.types found - can only have 1 type in graph. Please use spec.transport";
    let mixed =
        "spec.transport: Mixed transport types found. Remove graph endpoint.types if transport set at deployment level";
    check(&both, &[several]);
    both.transport = Some(Transport::Rest);
    check(&both, &[several, mixed]);
    both.predictors[0].graph.children.clear();
    check(&both, &[]);
}

#[test]
fn a_native_server_takes_a_method_and_no_other_parameter() {
    let with = |name: &str, value: &str| {
        let parameter = Parameter { name: name.to_owned(), value: ParameterValue::String(value.to_owned()) };
        graph(Node { parameters: vec![parameter], ..node("classifier", "SKLEARN_SERVER") })
    };
    for method in ["predict_proba", "predict", "transform", "decision_function", "score_samples"] {
        check(&with("method", method), &[]);
    }
    check(
        &with("method", "explain"),
        &["spec.predictors[0].graph.parameters[0].value: `explain` is not a method of `SKLEARN_SERVER`; \
             use one of predict_proba, predict, transform, decision_function, score_samples"],
    );
    check(
        &with("threshold", "0.5"),
        &["spec.predictors[0].graph.parameters[0].name: `SKLEARN_SERVER` takes no parameter `threshold`; \
             it takes `method`"],
    );
}

#[test]
fn a_model_uri_that_cannot_be_read_is_told_before_it_is_stored() {
    let with = |uri: &str| graph(Node { model_uri: Some(uri.to_owned()), ..node("classifier", "SKLEARN_SERVER") });
    for uri in ["file:///models/iris", "gs://bucket/iris", "https://example.org/model.joblib"] {
        check(&with(uri), &[]);
    }
    check(
        &with("pvc://claim/iris"),
        &["spec.predictors[0].graph.modelUri: a claimed volume is mounted on a Kubernetes cluster only; \
             use a path of this machine, a bucket or a web server"],
    );
    assert_eq!(validate(&with("pvc://claim/iris"), &ServerCatalog::default(), Engine::Kubernetes), []);
    check(
        &with("file:iris"),
        &["spec.predictors[0].graph.modelUri: `file:iris`: a file URI is written file:///absolute/path"],
    );
}
