//! Nodes that are called over gRPC, in Seldon's protocol and in V2, whichever way the caller asks.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "a test")]

#[path = "grpc/unary.rs"]
mod unary;

use axum::{Router, extract::Request};
use prost_types::{ListValue, Value as ProtoValue, value::Kind};
use provost_api::rest::v1::deployments::DeploymentState;
use provost_inference::protocol::proto::{
    inference::{
        Contents, ModelInferRequest, ModelInferResponse, ModelMetadata, ModelQuestion, Tensor, TensorMetadata, Yes,
    },
    seldon::{DefaultData, Feedback, Meta, Payload, SeldonMessage, SeldonMessageList, Tensor as SeldonTensor, Values},
};
use provost_testkit::{Node, NodeOptions, wrapped_model};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tonic::{Code, Status};
use unary::{call, unary};

const BINARY: &str = env!("CARGO_BIN_EXE_provost");

/// A program over gRPC: it adds one to each number, joins what others answered, chooses the last of two children, tells of
/// feedback in its tags, and does not like the number 13. What the number 14 makes it answer takes longer than anybody waits.
async fn program(name: &str, kind: &str, children: &[Value]) -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(wrapped_model::serve_router(listener, Router::new().fallback(answer)));
    let endpoint = json!({"service_host": "127.0.0.1", "grpcPort": port, "type": "GRPC"});
    json!({"name": name, "type": kind, "endpoint": endpoint, "children": children})
}

async fn answer(request: Request) -> axum::response::Response {
    match request.uri().path() {
        "/seldon.protos.Model/Predict"
        | "/seldon.protos.Transformer/TransformInput"
        | "/seldon.protos.OutputTransformer/TransformOutput" => unary(request, add_one).await,
        "/seldon.protos.Router/Route" => {
            let route = |_: SeldonMessage| Ok(numbers(Values::Ndarray(rows(&[vec![1.0]]))));
            unary(request, route).await
        }
        "/seldon.protos.Combiner/Aggregate" => unary(request, |messages| Ok(join(messages))).await,
        "/seldon.protos.Model/SendFeedback" => {
            let told = |feedback: Feedback| {
                let kind = Some(Kind::NumberValue(f64::from(feedback.reward)));
                let mut message = numbers(Values::Ndarray(rows(&[])));
                message.meta.get_or_insert_default().tags.insert("reward".to_owned(), ProtoValue { kind });
                Ok(message)
            };
            unary(request, told).await
        }
        "/inference.GRPCInferenceService/ModelInfer" => unary(request, infer).await,
        METADATA => {
            let told = |question: ModelQuestion| {
                let inputs =
                    vec![TensorMetadata { name: "x".to_owned(), datatype: "FP32".to_owned(), shape: vec![-1, 2] }];
                Ok(ModelMetadata { name: question.name, inputs, ..ModelMetadata::default() })
            };
            unary(request, told).await
        }
        "/inference.GRPCInferenceService/ModelReady" => {
            unary(request, |_: ModelQuestion| Ok(Yes { is_so: true })).await
        }
        path => panic!("{path}"),
    }
}

fn numbers(values: Values) -> SeldonMessage {
    let data = DefaultData { names: Vec::new(), values: Some(values) };
    SeldonMessage { payload: Some(Payload::Data(data)), meta: Some(Meta::default()), ..SeldonMessage::default() }
}

fn rows(all: &[Vec<f64>]) -> ListValue {
    let number = |number: &f64| ProtoValue { kind: Some(Kind::NumberValue(*number)) };
    let row = |row: &Vec<f64>| ListValue { values: row.iter().map(number).collect() };
    ListValue { values: all.iter().map(|one| ProtoValue { kind: Some(Kind::ListValue(row(one))) }).collect() }
}

fn first_row(message: &SeldonMessage) -> Vec<f64> {
    let Some(Payload::Data(DefaultData { values: Some(values), .. })) = &message.payload else { return Vec::new() };
    match values {
        Values::Tensor(tensor) => tensor.values.clone(),
        Values::Ndarray(list) => {
            let Some(Kind::ListValue(row)) = &list.values[0].kind else { return Vec::new() };
            row.values
                .iter()
                .map(|value| if let Some(Kind::NumberValue(number)) = value.kind { number } else { 0.0 })
                .collect()
        }
        Values::Tftensor(_) => Vec::new(),
    }
}

fn add_one(message: SeldonMessage) -> Result<SeldonMessage, Status> {
    let row = first_row(&message);
    if row.contains(&13.0) {
        return Err(Status::unknown("Exception calling application: thirteen"));
    }
    let more: Vec<f64> = row.iter().map(|number| number + 1.0).collect();
    let mut answer = numbers(Values::Ndarray(rows(&[more])));
    // What it was asked is told.
    answer.meta.get_or_insert_default().tags = message.meta.unwrap_or_default().tags;
    Ok(answer)
}

fn join(messages: SeldonMessageList) -> SeldonMessage {
    let all: Vec<f64> = messages.seldon_messages.iter().flat_map(first_row).collect();
    let count = i32::try_from(all.len()).unwrap();
    numbers(Values::Tensor(SeldonTensor { shape: vec![1, count], values: all }))
}

/// Adds a half to each number; one that is called `raw` takes and gives bytes beside the tensors alone, and leaves those of
/// another datatype than FP32 as they are.
fn infer(request: ModelInferRequest) -> Result<ModelInferResponse, Status> {
    let input = request.inputs[0].clone();
    let (model_name, id) = (request.model_name, request.id);
    let output = Tensor { name: "out".to_owned(), contents: None, ..input.clone() };
    let answer = ModelInferResponse { model_name, id, outputs: vec![output.clone()], ..ModelInferResponse::default() };
    let more = |values: &[f32]| values.iter().map(|value| value + 0.5).collect::<Vec<_>>();
    if answer.model_name.starts_with("raw") {
        let bytes = request.raw_input_contents.first().ok_or_else(|| Status::invalid_argument("bytes alone"))?;
        let raw = if input.datatype == "FP32" { to_bytes(&more(&of_bytes(bytes))) } else { bytes.to_vec() };
        return Ok(ModelInferResponse { raw_output_contents: vec![raw.into()], ..answer });
    }
    let values = match request.raw_input_contents.first() {
        Some(bytes) => of_bytes(bytes),
        None => input.contents.unwrap_or_default().fp32_contents,
    };
    let contents = Some(Contents { fp32_contents: more(&values), ..Contents::default() });
    Ok(ModelInferResponse { outputs: vec![Tensor { contents, ..output }], ..answer })
}

fn of_bytes(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

fn to_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

async fn served(specification: Value) -> Node {
    let node = Node::start(NodeOptions::new(BINARY)).await;
    let manifest = json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "graph"},
        "spec": specification,
    });
    let applied = node.apply(&manifest.to_string()).await;
    assert!(applied.applied[0].warnings.is_empty(), "{:?}", applied.applied[0].warnings);
    node.await_state("graph", DeploymentState::Available).await;
    node
}

fn of(graph: &Value) -> Value {
    json!({"predictors": [{"name": "main", "graph": graph}]})
}

#[tokio::test]
async fn nodes_of_every_kind_are_called_over_grpc() {
    let below = [program("left", "MODEL", &[]).await, program("right", "MODEL", &[]).await];
    let both = program("both", "COMBINER", &below).await;
    let out = program("out", "OUTPUT_TRANSFORMER", &[both]).await;
    let other = program("other", "MODEL", &[]).await;
    let choice = program("choice", "ROUTER", &[other, out]).await;
    let node = served(of(&program("in", "TRANSFORMER", &[choice]).await)).await;
    let body = r#"{"data":{"ndarray":[[1,2]]},"meta":{"puid":"p","tags":{"a":"b"}}}"#;
    let reply = node.predict("graph", body).await;
    // One by `in`, one by each model, which are joined, one by `out`.
    assert_eq!((reply.status, &reply.json["data"]["ndarray"]), (200, &json!([[4.0, 5.0, 4.0, 5.0]])), "{}", reply.json);
    assert_eq!(
        (&reply.json["meta"]["routing"], &reply.json["meta"]["tags"]),
        (&json!({"choice": 1}), &json!({"a": "b"}))
    );

    let asked = numbers(Values::Ndarray(rows(&[vec![1.0, 2.0]])));
    let answer: SeldonMessage = call(&node, "/seldon.protos.Seldon/Predict", asked).await.unwrap();
    assert_eq!(first_row(&answer), [4.0, 5.0, 4.0, 5.0]);
    let refused = node.predict("graph", r#"{"data":{"ndarray":[[13]]}}"#).await;
    assert_eq!((refused.status, refused.info()), (500, "Exception calling application: thirteen"));
}

#[tokio::test]
async fn feedback_is_sent_over_grpc() {
    let mut graph = program("model", "MODEL", &[]).await;
    graph["endpoint"]["type"] = Value::Null;
    graph["endpoint"].as_object_mut().unwrap().remove("type");
    let mut specification = of(&graph);
    specification["transport"] = json!("grpc");
    let node = served(specification).await;
    let feedback = json!({"reward": 0.5, "response": {"meta": {"puid": "p"}}}).to_string();
    let reply = node.post("/seldon/default/graph/api/v1.0/feedback", &feedback, &[]).await;
    assert_eq!((reply.status, &reply.json["meta"]["tags"]["reward"]), (200, &json!(0.5)), "{}", reply.json);
    let metadata = node.get("/seldon/default/graph/api/v1.0/metadata/model").await;
    assert_eq!((metadata.status, &metadata.json["name"]), (200, &json!("model")));
}

const METADATA: &str = "/inference.GRPCInferenceService/ModelMetadata";
const INFER: &str = "/inference.GRPCInferenceService/ModelInfer";

fn tensor(datatype: &str) -> Tensor {
    Tensor { name: "x".to_owned(), datatype: datatype.to_owned(), shape: vec![1, 2], contents: None }
}

fn raw(datatype: &str, bytes: Vec<u8>) -> ModelInferRequest {
    ModelInferRequest {
        id: "i".to_owned(),
        inputs: vec![tensor(datatype)],
        raw_input_contents: vec![bytes.into()],
        ..ModelInferRequest::default()
    }
}

fn typed(values: &[f32]) -> ModelInferRequest {
    let contents = Some(Contents { fp32_contents: values.to_vec(), ..Contents::default() });
    let inputs = vec![Tensor { contents, ..tensor("FP32") }];
    ModelInferRequest { id: "i".to_owned(), inputs, ..ModelInferRequest::default() }
}

/// A body of REST with two numbers after its JSON, and the length of that.
fn binary(outputs: &Value) -> (Vec<u8>, String) {
    let input = json!({"name": "x", "datatype": "FP32", "shape": [1, 2], "parameters": {"binary_data_size": 8}});
    let json = json!({"id": "b", "inputs": [input], "outputs": outputs}).to_string();
    let length = json.len().to_string();
    ([json.as_bytes(), &to_bytes(&[0.1, 2.0])].concat(), length)
}

/// Posts it; the answer's body and the length of its JSON.
async fn post_binary(node: &Node, model: &str, outputs: &Value) -> (u16, Vec<u8>, Option<usize>) {
    let (body, length) = binary(outputs);
    let url = format!("{}/seldon/default/graph/v2/models/{model}/infer", node.url());
    let request = reqwest::Client::new().post(url).header("inference-header-content-length", length);
    let response = request.header("content-type", "application/octet-stream").body(body).send().await.unwrap();
    let length = response.headers().get("inference-header-content-length");
    let length = length.map(|length| length.to_str().unwrap().parse().unwrap());
    (response.status().as_u16(), response.bytes().await.unwrap().to_vec(), length)
}

#[tokio::test]
async fn tensors_in_bytes_go_through_programs_and_graphs() {
    let below = program("raw-below", "MODEL", &[]).await;
    let mut specification = of(&program("raw", "TRANSFORMER", &[below]).await);
    specification["protocol"] = json!("v2");
    let node = served(specification).await;
    let wanted = json!([{"name": "out", "parameters": {"binary_data": true}}]);
    let (status, body, length) = post_binary(&node, "raw", &wanted).await;
    let (head, bytes) = body.split_at(length.unwrap_or(body.len()));
    assert_eq!((status, of_bytes(bytes)), (200, vec![1.1, 3.0]), "{}", String::from_utf8_lossy(head));
    let (status, body, length) = post_binary(&node, "raw", &json!([])).await;
    let told: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, length, &told["outputs"][0]["data"]), (200, None, &json!([1.1, 3.0])), "{told}");
    let answer: ModelInferResponse = call(&node, INFER, raw("FP32", to_bytes(&[0.1, 2.0]))).await.unwrap();
    assert_eq!((of_bytes(&answer.raw_output_contents[0]), answer.id.as_str()), (vec![1.1, 3.0], "i"));
    // What JSON cannot say goes through as bytes, and is not logged.
    let answer: ModelInferResponse = call(&node, INFER, raw("FP16", vec![0, 60, 0, 64])).await.unwrap();
    assert_eq!(&answer.raw_output_contents[0][..], [0, 60, 0, 64]);
    let rows = node.all_requests("graph").await;
    assert_eq!(rows.iter().filter(|row| row["request"].as_str().unwrap().contains("not_shown")).count(), 1, "{rows:?}");
    let refused = call::<_, ModelInferResponse>(&node, INFER, typed(&[1.0, 2.0])).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, "bytes alone"));
}

#[tokio::test]
async fn a_single_program_takes_tensors_in_bytes_of_rest() {
    let mut specification = of(&program("raw", "MODEL", &[]).await);
    specification["protocol"] = json!("v2");
    let node = served(specification).await;
    let wanted = json!([{"name": "out", "parameters": {"binary_data": true}}]);
    let (status, body, length) = post_binary(&node, "raw", &wanted).await;
    let (head, bytes) = body.split_at(length.unwrap_or(body.len()));
    assert_eq!((status, of_bytes(bytes)), (200, vec![0.6, 2.5]), "{}", String::from_utf8_lossy(head));
    let rows = node.all_requests("graph").await;
    assert!(rows[0]["response"].as_str().unwrap().contains("[0.6,2.5]"), "{rows:?}");
}

#[tokio::test]
async fn a_program_over_grpc_tells_of_its_model() {
    let mut specification = of(&program("model", "MODEL", &[]).await);
    specification["protocol"] = json!("v2");
    let node = served(specification).await;
    let inputs = json!([{"name": "x", "datatype": "FP32", "shape": [-1, 2]}]);
    let told = node.get("/seldon/default/graph/v2/models/model").await;
    assert_eq!((told.status, &told.json["name"], &told.json["inputs"]), (200, &json!("model"), &inputs));
    let ready = node.get("/seldon/default/graph/v2/models/model/ready").await;
    assert_eq!((ready.status, &ready.json), (200, &json!({"name": "model", "ready": true})));
    for name in ["model", "graph"] {
        let question = ModelQuestion { name: name.to_owned(), version: String::new() };
        let told: ModelMetadata = call(&node, METADATA, question).await.unwrap();
        assert_eq!((told.name.as_str(), told.inputs[0].shape.as_slice()), ("model", &[-1, 2][..]));
    }
}

#[tokio::test]
async fn v2_goes_both_ways() {
    let mut specification = of(&program("model", "MODEL", &[]).await);
    specification["protocol"] = json!("v2");
    let node = served(specification).await;
    let body = json!({"id": "i", "inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [0.1, 2]}]});
    let reply = node.post("/seldon/default/graph/v2/models/model/infer", &body.to_string(), &[]).await;
    let output = json!({"name": "out", "datatype": "FP32", "shape": [1, 2], "data": [0.6, 2.5]});
    assert_eq!((reply.status, &reply.json["outputs"][0]), (200, &output), "{}", reply.json);

    // Asked with bytes it answers in the tensor, which are bytes to the caller.
    let answer: ModelInferResponse = call(&node, INFER, raw("FP32", to_bytes(&[0.1, 2.0]))).await.unwrap();
    assert_eq!((answer.id.as_str(), answer.model_name.as_str()), ("i", "model"));
    assert_eq!(of_bytes(&answer.raw_output_contents[0]), [0.6, 2.5]);
    let answer: ModelInferResponse = call(&node, INFER, typed(&[0.1, 2.0])).await.unwrap();
    assert_eq!(answer.outputs[0].contents.as_ref().unwrap().fp32_contents, [0.6, 2.5]);
    let rows = node.all_requests("graph").await;
    assert!(rows.iter().all(|row| row["request"].as_str().unwrap().contains("0.1")), "{rows:?}");
    let text = node.post("/seldon/default/graph/v2/models/model/infer", r#"{"inputs":[{"name":"x"}]}"#, &[]).await;
    assert_eq!(text.status, 400);
    assert!(
        text.error().contains("the tensor `x` is not one of `` that can be passed on over gRPC"),
        "{}",
        text.error()
    );
}

#[tokio::test]
async fn a_program_that_goes_away_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(wrapped_model::serve_router(listener, Router::new().fallback(answer)));
    let endpoint = json!({"service_host": "127.0.0.1", "grpcPort": port, "type": "GRPC"});
    let node = served(of(&json!({"name": "model", "type": "MODEL", "endpoint": endpoint}))).await;
    let body = r#"{"data":{"ndarray":[[1]]}}"#;
    assert_eq!(node.predict("graph", body).await.status, 200);
    serving.abort();
    let _stopped = serving.await;
    let gone = node.predict("graph", body).await;
    let expected = "node `model` does not answer over gRPC: try again, and look at its log";
    assert_eq!((gone.status, gone.info()), (503, expected));
    let asked = numbers(Values::Ndarray(rows(&[vec![1.0]])));
    let gone = call::<_, SeldonMessage>(&node, "/seldon.protos.Seldon/Predict", asked).await.unwrap_err();
    assert_eq!((gone.code(), gone.message()), (Code::Unavailable, expected));
}
