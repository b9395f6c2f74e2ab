//! gRPC through the real server, on the port of REST: Seldon's service, that of the Open Inference Protocol, and
//! TensorFlow Serving's.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "a test")]

#[path = "grpc/serving.rs"]
mod serving;

use std::collections::BTreeMap;

use http::uri::PathAndQuery;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use prost::Message as _;
use provost_api::rest::v1::{deployments::DeploymentState, requests::RequestParameters};
use provost_inference::protocol::proto::{
    health::{HealthCheckRequest, HealthCheckResponse, ServingStatus},
    inference::{
        Contents, Empty, ModelInferRequest, ModelInferResponse, ModelMetadata, ModelQuestion, ServerMetadata, Tensor,
        Yes,
    },
    seldon::{
        DefaultData, Feedback, Meta, Payload, SeldonGraphMetadata, SeldonMessage, SeldonModelMetadata,
        SeldonModelMetadataRequest, Tensor as SeldonTensor, Values,
    },
    tensorflow::{TensorProto, TensorShape},
};
use provost_testkit::{Node, NodeOptions, expected_probabilities, manifest, wrapped_model};
use serde_json::json;
use tokio::net::TcpListener;
use tonic::{Code, Request, Response, Status, body::Body};
use tonic_prost::ProstCodec;
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, ServerReflectionResponse, server_reflection_request::MessageRequest,
    server_reflection_response::MessageResponse,
};

const BINARY: &str = env!("CARGO_BIN_EXE_provost");
/// The rows that `examples/iris/expected.json` is about.
const ROWS: [[f64; 4]; 2] = [[6.8, 2.8, 4.8, 1.4], [6.1, 3.4, 4.5, 1.6]];
const INFER: &str = "inference.GRPCInferenceService/ModelInfer";
const PREDICT: &str = "seldon.protos.Seldon/Predict";
const IRIS: [(&str, &str); 2] = [("seldon", "iris"), ("namespace", "default")];

/// Calls a method, with metadata.
async fn call<Q, A>(
    node: &Node,
    method: &str,
    message: Q,
    metadata: &[(&'static str, &str)],
) -> Result<Response<A>, Status>
where
    Q: prost::Message + Default + Send + Sync + 'static,
    A: prost::Message + Default + Send + Sync + 'static,
{
    let client: Client<HttpConnector, Body> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let mut grpc = tonic::client::Grpc::with_origin(client, node.url().parse().unwrap());
    grpc.ready().await.unwrap();
    let mut request = Request::new(message);
    for (name, value) in metadata {
        request.metadata_mut().insert(*name, value.parse().unwrap());
    }
    let path = PathAndQuery::try_from(format!("/{method}")).unwrap();
    grpc.unary(request, path, ProstCodec::<Q, A>::default()).await
}

async fn infer(
    node: &Node,
    request: ModelInferRequest,
    metadata: &[(&'static str, &str)],
) -> Result<ModelInferResponse, Status> {
    call(node, INFER, request, metadata).await.map(Response::into_inner)
}

async fn predict(
    node: &Node,
    message: SeldonMessage,
    metadata: &[(&'static str, &str)],
) -> Result<SeldonMessage, Status> {
    call(node, PREDICT, message, metadata).await.map(Response::into_inner)
}

async fn started(manifest: &str, name: &str) -> Node {
    let node = Node::start(NodeOptions::new(BINARY)).await;
    node.apply(manifest).await;
    node.await_state(name, DeploymentState::Available).await;
    node
}

async fn iris() -> Node {
    started(&manifest("iris", "SKLEARN_SERVER", "examples/iris/sklearn"), "iris").await
}

#[track_caller]
fn assert_close(got: &[f64]) {
    let expected = expected_probabilities("sklearn");
    let is_close =
        got.len() == expected.len() && got.iter().zip(&expected).all(|(got, want)| (got - want).abs() <= 1e-12);
    assert!(is_close, "{got:?} is not {expected:?}");
}

fn typed() -> ModelInferRequest {
    let contents = Contents { fp64_contents: ROWS.concat(), ..Contents::default() };
    let tensor =
        Tensor { name: "x".to_owned(), datatype: "FP64".to_owned(), shape: vec![2, 4], contents: Some(contents) };
    ModelInferRequest { model_name: "classifier".to_owned(), inputs: vec![tensor], ..ModelInferRequest::default() }
}

fn raw() -> ModelInferRequest {
    let mut request = typed();
    request.inputs[0].contents = None;
    let bytes: Vec<u8> = ROWS.concat().iter().flat_map(|value| value.to_le_bytes()).collect();
    request.raw_input_contents = vec![bytes.into()];
    request
}

fn message(payload: Payload) -> SeldonMessage {
    SeldonMessage { payload: Some(payload), ..SeldonMessage::default() }
}

fn rows() -> SeldonMessage {
    let tensor = SeldonTensor { shape: vec![2, 4], values: ROWS.concat() };
    message(Payload::Data(DefaultData { names: Vec::new(), values: Some(Values::Tensor(tensor)) }))
}

fn tensor_of(message: SeldonMessage) -> SeldonTensor {
    match message.payload {
        Some(Payload::Data(DefaultData { values: Some(Values::Tensor(tensor)), .. })) => tensor,
        other => panic!("{other:?} is no tensor"),
    }
}

#[tokio::test]
async fn v2_answers_where_the_request_had_its_values() {
    let manifest = manifest("iris", "SKLEARN_SERVER", "examples/iris/sklearn");
    let node = started(&manifest.replace("spec:\n", "spec:\n  transport: grpc\n"), "iris").await;
    let answer = infer(&node, ModelInferRequest { id: "mine".to_owned(), ..typed() }, &IRIS).await.unwrap();
    assert_eq!((answer.model_name.as_str(), answer.id.as_str()), ("classifier", "mine"));
    let output = &answer.outputs[0];
    assert_eq!(
        (output.name.as_str(), output.datatype.as_str(), &output.shape[..]),
        ("predict_proba", "FP64", &[2, 3][..])
    );
    assert_close(&output.contents.as_ref().unwrap().fp64_contents);
    assert!(answer.raw_output_contents.is_empty());

    let answer = infer(&node, raw(), &IRIS).await.unwrap();
    assert_eq!(answer.outputs[0].contents, None);
    let values: Vec<f64> =
        answer.raw_output_contents[0].chunks(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect();
    assert_close(&values);

    let page = node.requests("iris", &RequestParameters::default()).await;
    let column = |name: &str| page.columns.iter().position(|column| column == name).unwrap();
    assert_eq!((page.rows.len(), &page.rows[2][column("request_id")]), (4, &json!("mine")));
    assert_eq!(page.rows[3][column("x.x0")], 6.8, "{:?}", page.columns);
}

#[tokio::test]
async fn a_models_name_alone_means_its_deployment() {
    let node = iris().await;
    for name in ["classifier", "iris"] {
        let answer = infer(&node, ModelInferRequest { model_name: name.to_owned(), ..typed() }, &[]).await.unwrap();
        assert_eq!(answer.model_name, "classifier", "{name}");
    }
    let other = infer(&node, ModelInferRequest { model_name: "other".to_owned(), ..typed() }, &[]).await.unwrap_err();
    assert_eq!(other.code(), Code::NotFound);
    assert!(other.message().contains("name it by the metadata `seldon` and `namespace`"), "{}", other.message());
    // Two deployments have such a node now.
    node.apply(&manifest("second", "SKLEARN_SERVER", "examples/iris/sklearn")).await;
    node.await_state("second", DeploymentState::Available).await;
    assert_eq!(infer(&node, typed(), &[]).await.unwrap_err().code(), Code::NotFound);
    assert!(infer(&node, typed(), &IRIS).await.is_ok());
}

#[tokio::test]
async fn v2_tells_of_server_and_models() {
    let node = iris().await;
    let inference = |method: &str| format!("inference.GRPCInferenceService/{method}");
    for method in ["ServerLive", "ServerReady"] {
        let Yes { is_so } = call(&node, &inference(method), Empty {}, &[]).await.unwrap().into_inner();
        assert!(is_so, "{method}");
    }
    let server: ServerMetadata = call(&node, &inference("ServerMetadata"), Empty {}, &[]).await.unwrap().into_inner();
    assert_eq!(server.name, "provost");
    let question = ModelQuestion { name: "classifier".to_owned(), version: String::new() };
    let Yes { is_so } = call(&node, &inference("ModelReady"), question.clone(), &[]).await.unwrap().into_inner();
    assert!(is_so);
    let model: ModelMetadata = call(&node, &inference("ModelMetadata"), question, &[]).await.unwrap().into_inner();
    assert_eq!((model.name.as_str(), model.platform.as_str()), ("classifier", "sklearn"));
    assert_eq!((&model.inputs[0].shape[..], &model.outputs[0].shape[..]), (&[-1, 4][..], &[-1, 3][..]));
}

#[tokio::test]
async fn seldons_messages_come_back_in_their_form() {
    let node = iris().await;
    let meta = Meta { puid: "of-the-message".to_owned(), ..Meta::default() };
    let reply: Response<SeldonMessage> =
        call(&node, PREDICT, SeldonMessage { meta: Some(meta), ..rows() }, &IRIS).await.unwrap();
    assert_eq!(reply.metadata().get("seldon-puid").unwrap(), "of-the-message");
    assert_eq!(reply.metadata().get("provost-predictor").unwrap(), "main");
    let answer = reply.into_inner();
    let meta = answer.meta.clone().unwrap();
    assert_eq!((meta.puid.as_str(), meta.request_path["classifier"].as_str()), ("of-the-message", "SKLEARN_SERVER"));
    let tensor = tensor_of(answer);
    assert_eq!(tensor.shape, [2, 3]);
    assert_close(&tensor.values);
}

#[tokio::test]
async fn feedback_is_taken_as_over_rest() {
    let node = Node::start(NodeOptions::new(BINARY)).await;
    node.apply(&manifest("iris", "SKLEARN_SERVER", "examples/iris/sklearn")).await;
    node.await_state("iris", DeploymentState::Available).await;
    let tensor = SeldonTensor { shape: vec![2, 1], values: vec![1.0, 0.0] };
    let data = DefaultData { names: Vec::new(), values: Some(Values::Tensor(tensor)) };
    let truth = Some(SeldonMessage { payload: Some(Payload::Data(data)), ..SeldonMessage::default() });
    let meta = Some(Meta { puid: "p".to_owned(), ..Meta::default() });
    let response = Some(SeldonMessage { meta, ..SeldonMessage::default() });
    let feedback = Feedback { reward: 0.1, response, truth, ..Feedback::default() };
    let answer: Response<SeldonMessage> =
        call(&node, "seldon.protos.Seldon/SendFeedback", feedback, &IRIS).await.unwrap();
    assert_eq!(answer.into_inner().meta.unwrap().puid, "p");
    let page = node.client().feedback("default", "iris", &RequestParameters::default()).await.unwrap();
    let of = |name: &str| page.columns.iter().position(|column| column == name).unwrap();
    let told: Vec<_> =
        page.rows.iter().map(|row| [&row[of("request_id")], &row[of("reward")], &row[of("truth")]]).collect();
    assert_eq!(json!(told), json!([["p", 0.1, 0.0], ["p", 0.1, 1.0]]));
    let nothing =
        call::<_, SeldonMessage>(&node, "seldon.protos.Seldon/SendFeedback", Feedback::default(), &IRIS).await;
    assert_eq!(nothing.unwrap_err().code(), Code::InvalidArgument);
}

/// Sends the rows as a tensor of TensorFlow, as which the answer must come.
async fn predict_tftensor(node: &Node) -> Vec<f64> {
    let tensor = TensorProto {
        dtype: 2,
        tensor_shape: Some(TensorShape::of(&[2, 4])),
        double_val: ROWS.concat(),
        ..TensorProto::default()
    };
    let data = DefaultData { names: Vec::new(), values: Some(Values::Tftensor(tensor.encode_to_vec().into())) };
    let answer = predict(node, message(Payload::Data(data)), &IRIS).await.unwrap();
    let Some(Payload::Data(DefaultData { values: Some(Values::Tftensor(bytes)), .. })) = answer.payload else {
        panic!("no tensor of TensorFlow")
    };
    let tensor = TensorProto::decode(bytes).unwrap();
    assert_eq!((tensor.dtype, tensor.tensor_shape), (2, Some(TensorShape::of(&[2, 3]))));
    tensor.double_val
}

#[tokio::test]
async fn graphs_take_tensors_of_tensorflow() {
    let model =
        |name: &str| json!({"name": name, "implementation": "SKLEARN_SERVER", "modelUri": "examples/iris/sklearn"});
    let graph = json!({"name": "both", "implementation": "AVERAGE_COMBINER", "children": [model("a"), model("b")]});
    let manifest = json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "iris"},
        "spec": {"predictors": [{"name": "main", "graph": graph}]},
    });
    let node = started(&manifest.to_string(), "iris").await;
    assert_close(&predict_tftensor(&node).await);
    let described = node.get("/seldon/default/iris/v1/models/a/metadata").await;
    assert_eq!((described.status, &described.json["model_spec"]["name"]), (200, &json!("a")));
    assert_eq!(node.get("/seldon/default/iris/v1/models/both/metadata").await.status, 404);
}

#[tokio::test]
async fn tensors_of_tensorflow_come_back_as_such() {
    let node = iris().await;
    assert_close(&predict_tftensor(&node).await);
    let page = node.requests("iris", &RequestParameters::default()).await;
    let column = page.columns.iter().position(|column| column == "x.x0").unwrap();
    assert_eq!((page.rows.len(), &page.rows[1][column]), (2, &json!(6.8)));
}

#[tokio::test]
async fn seldons_service_tells_of_graph_and_nodes_as_over_rest() {
    let node = iris().await;
    let graph: SeldonGraphMetadata =
        call(&node, "seldon.protos.Seldon/GraphMetadata", Empty {}, &IRIS).await.unwrap().into_inner();
    assert_eq!((graph.name.as_str(), graph.models["classifier"].platform.as_str()), ("main", "sklearn"));
    let question = |name: &str| SeldonModelMetadataRequest { name: name.to_owned() };
    let model: SeldonModelMetadata =
        call(&node, "seldon.protos.Seldon/ModelMetadata", question("classifier"), &IRIS).await.unwrap().into_inner();
    assert_eq!(Some(&model), graph.models.get("classifier"));
    let rest = node.get("/seldon/default/iris/api/v1.0/metadata/classifier").await.json;
    assert_eq!(
        (json!(model.versions), json!(model.inputs[0].messagetype)),
        (rest["versions"].clone(), json!("tensor"))
    );
    let none =
        call::<_, SeldonModelMetadata>(&node, "seldon.protos.Seldon/ModelMetadata", question("none"), &IRIS).await;
    assert_eq!(none.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn health_is_that_of_the_server_or_of_a_deployment() {
    let node = iris().await;
    node.apply(&manifest("broken", "SKLEARN_SERVER", "examples/none")).await;
    node.await_state("broken", DeploymentState::Failed).await;
    let check = async |service: &str, metadata: &[(&'static str, &str)]| {
        let question = HealthCheckRequest { service: service.to_owned() };
        let answer = call::<_, HealthCheckResponse>(&node, "grpc.health.v1.Health/Check", question, metadata).await;
        answer.map(|answer| answer.into_inner().status()).map_err(|status| status.code())
    };
    assert_eq!(check("", &[]).await, Ok(ServingStatus::Serving));
    assert_eq!(check("inference.GRPCInferenceService", &IRIS).await, Ok(ServingStatus::Serving));
    assert_eq!(check("", &[("seldon", "broken")]).await, Ok(ServingStatus::NotServing));
    assert_eq!(check("none", &[]).await, Err(Code::NotFound));
    assert_eq!(check("", &[("seldon", "none")]).await, Err(Code::NotFound));
}

/// The names of services that reflection of this version tells, and of the file of one.
async fn reflected(node: &Node, version: &str) -> (Vec<String>, String) {
    let client: Client<HttpConnector, Body> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let mut grpc = tonic::client::Grpc::with_origin(client, node.url().parse().unwrap());
    grpc.ready().await.unwrap();
    let ask = |question| ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let symbol = "tensorflow.serving.PredictionService".to_owned();
    let questions = [MessageRequest::ListServices(String::new()), MessageRequest::FileContainingSymbol(symbol)];
    let path = PathAndQuery::try_from(format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"));
    let codec = ProstCodec::<ServerReflectionRequest, ServerReflectionResponse>::default();
    let asked = Request::new(futures_util::stream::iter(questions.map(ask)));
    let mut answers = grpc.streaming(asked, path.unwrap(), codec).await.unwrap().into_inner();
    let mut next = async || answers.message().await.unwrap().unwrap().message_response.unwrap();
    let (MessageResponse::ListServicesResponse(list), MessageResponse::FileDescriptorResponse(files)) =
        (next().await, next().await)
    else {
        panic!("other answers than asked for")
    };
    let file = prost_types::FileDescriptorProto::decode(&files.file_descriptor_proto[0][..]).unwrap();
    (list.service.into_iter().map(|service| service.name).collect(), file.name().to_owned())
}

#[tokio::test]
async fn clients_are_told_which_services_there_are() {
    let node = iris().await;
    for version in ["v1", "v1alpha"] {
        let (mut services, file) = reflected(&node, version).await;
        services.sort();
        let reflection = format!("grpc.reflection.{version}.ServerReflection");
        let expected = [
            "grpc.health.v1.Health",
            &reflection,
            "inference.GRPCInferenceService",
            "seldon.protos.Model",
            "seldon.protos.Router",
            "seldon.protos.Seldon",
            "tensorflow.serving.ModelService",
            "tensorflow.serving.PredictionService",
        ];
        assert_eq!((&services[..], file.as_str()), (&expected.map(str::to_owned)[..], "serving.proto"));
    }
}

#[tokio::test]
async fn what_is_wrong_has_its_code() {
    let node = iris().await;
    let text = message(Payload::StrData("x".to_owned()));
    for (result, code, expected) in [
        (
            predict(&node, text.clone(), &IRIS).await,
            Code::InvalidArgument,
            "`strData` is not a payload this model takes",
        ),
        (predict(&node, rows(), &[]).await, Code::NotFound, "no deployment is named"),
        (predict(&node, rows(), &[("seldon", "none")]).await, Code::NotFound, "there is no deployment `none`"),
        (
            predict(&node, rows(), &[("seldon", "iris"), ("provost-predictor", "b")]).await,
            Code::NotFound,
            "no predictor `b`",
        ),
        (
            call(&node, "seldon.protos.Seldon/Nothing", text, &IRIS).await.map(Response::into_inner),
            Code::Unimplemented,
            "no method",
        ),
    ] {
        let status = result.unwrap_err();
        assert_eq!(status.code(), code, "{status:?}");
        assert!(status.message().contains(expected), "{status:?}");
    }
    let mut unfit = typed();
    unfit.inputs[0].shape = vec![2, 3];
    let status = infer(&node, unfit, &IRIS).await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::InvalidArgument, "input `x`: the shape [2,3] asks for 6 values, `data` has 8")
    );
    assert!(status.metadata().contains_key("seldon-puid"));
}

#[tokio::test]
async fn programs_and_graphs_get_seldons_messages_as_json() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint =
        json!({"service_host": "127.0.0.1", "httpPort": listener.local_addr().unwrap().port(), "type": "REST"});
    let environment = BTreeMap::from([("PREDICTIVE_UNIT_ID".to_owned(), "double".to_owned())]);
    tokio::spawn(wrapped_model::serve(listener, environment));
    let manifest = json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "iris"},
        "spec": {"predictors": [{"name": "main", "graph": {
            "name": "double", "type": "TRANSFORMER", "endpoint": endpoint,
            "children": [{"name": "fixed", "implementation": "SIMPLE_MODEL"}],
        }}]},
    });
    let node = started(&manifest.to_string(), "iris").await;
    let answer = predict(&node, message(Payload::StrData("hello".to_owned())), &IRIS).await;
    // The transformer answers with rows, of which there are none.
    let answer = answer.unwrap();
    assert_eq!(answer.meta.as_ref().unwrap().request_path.len(), 2);
    assert_eq!(tensor_of(answer).values, [0.1, 0.9, 0.5]);
    let status = infer(&node, typed(), &IRIS).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn a_call_without_the_token_is_told_so() {
    let environment = vec![("PROVOST_TOKEN".to_owned(), "secret".to_owned())];
    let node = Node::start(NodeOptions { environment, ..NodeOptions::new(BINARY) }).await;
    let status = predict(&node, rows(), &IRIS).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    let status = predict(&node, rows(), &[("seldon", "iris"), ("authorization", "Bearer secret")]).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn a_message_that_is_none_or_too_long_is_refused() {
    let node = iris().await;
    let http = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let post = async |body: Vec<u8>| {
        let request = http.post(format!("{}/{INFER}", node.url())).header("content-type", "application/grpc");
        let reply = request.header("te", "trailers").body(body).send().await.unwrap();
        reply.headers().get("grpc-status").map(|status| status.to_str().unwrap().to_owned())
    };
    // What is no message of protobuf; a length that is not there; compressed with what is not said.
    assert_eq!(post(vec![0, 0, 0, 0, 1, 0xff]).await.as_deref(), Some("3"));
    assert!(post(vec![0, 0, 0, 0, 9, 0xff]).await.is_some());
    assert!(post(vec![1, 0, 0, 0, 1, 0xff]).await.is_some());
    assert_eq!(post(vec![0; 17 << 20]).await.as_deref(), Some("8"));
    assert!(infer(&node, typed(), &IRIS).await.is_ok());
}
