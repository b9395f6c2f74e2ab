//! TensorFlow Serving's gRPC for programs of users and graphs: programs of V1 over REST and over gRPC, whichever way the
//! caller asks.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "a test")]

#[path = "grpc/unary.rs"]
mod unary;

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    extract::{Path, Request},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use prost::Message as _;
use prost_types::Any;
use provost_api::rest::v1::{deployments::DeploymentState, requests::RequestParameters};
use provost_inference::protocol::proto::{
    serving::{
        Class, ClassificationResponse, ClassificationResult, Classifications, ExampleList, ExamplesRequest,
        GetModelMetadataRequest, GetModelMetadataResponse, GetModelStatusRequest, GetModelStatusResponse, Input,
        InputKind, ModelSpec, ModelState, ModelVersionStatus, PredictRequest, PredictResponse, RegressionResponse,
        SignatureDefMap, VersionChoice,
    },
    tensorflow::{
        Example, Feature, FeatureKind, Features, FloatList, SignatureDef, TensorInfo, TensorProto, TensorShape,
    },
};
use provost_testkit::{Node, NodeOptions, wrapped_model};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tonic::{Code, Status};
use unary::{call, unary};

const BINARY: &str = env!("CARGO_BIN_EXE_provost");
const PREDICT: &str = "/tensorflow.serving.PredictionService/Predict";
const CLASSIFY: &str = "/tensorflow.serving.PredictionService/Classify";
const REGRESS: &str = "/tensorflow.serving.PredictionService/Regress";
const METADATA: &str = "/tensorflow.serving.PredictionService/GetModelMetadata";
const AT: &str = "/seldon/default/graph/v1/models/model";

async fn serve(router: Router) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(wrapped_model::serve_router(listener, router));
    port
}

/// A program that speaks V1 over REST: it adds one to each number, and is sure of one class; it does not like 13.
async fn over_rest() -> Value {
    let router = Router::new().route("/v1/models/{action}", post(answer_rest)).route(
        "/v1/models/model/metadata",
        get(async || {
            let x = json!({"dtype": "DT_DOUBLE", "tensor_shape": {"dim": [{"size": "-1", "name": ""}]}, "name": "x"});
            let signature = json!({"inputs": {"x": x}, "outputs": {}, "method_name": "tensorflow/serving/predict"});
            let map = json!({"signature_def": {"serving_default": signature}});
            Json(json!({"model_spec": {"name": "model", "version": "2"}, "metadata": {"signature_def": map}}))
        }),
    );
    let port = serve(router).await;
    json!({"service_host": "127.0.0.1", "httpPort": port, "type": "REST"})
}

async fn answer_rest(Path(action): Path<String>, Json(body): Json<Value>) -> Response {
    let more: Vec<f64> = numbers(&body["instances"]).iter().map(|number| number + 1.0).collect();
    let examples = body["examples"].as_array().map_or(0, Vec::len);
    match action.rsplit_once(':').unwrap() {
        ("model", "predict") if more.contains(&14.0) => {
            (StatusCode::BAD_REQUEST, Json(json!({"error": "not thirteen"}))).into_response()
        }
        ("model", "predict") if more.contains(&15.0) => "<p>what?</p>".into_response(),
        ("model", "predict") => Json(json!({"predictions": more})).into_response(),
        ("model", "classify") => Json(json!({"result": vec![json!([["yes", 0.75]]); examples]})).into_response(),
        ("model", "regress") => Json(json!({"result": vec![0.5; examples]})).into_response(),
        (model, _) => (StatusCode::NOT_FOUND, Json(json!({"error": format!("no {model}")}))).into_response(),
    }
}

/// One that speaks it over gRPC: it takes `DT_FLOAT` as `x`, adds one to each number, and is sure of one class.
async fn over_grpc() -> Value {
    let port = serve(Router::new().fallback(answer_grpc)).await;
    json!({"service_host": "127.0.0.1", "grpcPort": port, "type": "GRPC"})
}

async fn answer_grpc(request: Request) -> Response {
    match request.uri().path() {
        PREDICT => unary(request, add_one).await,
        CLASSIFY => {
            let classify = |request: ExamplesRequest| {
                let classes = vec![Class { label: named(request.model_spec)?, score: 0.75 }];
                let result = Some(ClassificationResult { classifications: vec![Classifications { classes }] });
                Ok(ClassificationResponse { result, model_spec: None })
            };
            unary(request, classify).await
        }
        METADATA => {
            let tell = |_: GetModelMetadataRequest| {
                let x = TensorInfo { name: "x".to_owned(), dtype: 1, tensor_shape: Some(TensorShape::of(&[-1, 2])) };
                let signature = SignatureDef { inputs: [("x".to_owned(), x)].into(), ..SignatureDef::default() };
                let map = SignatureDefMap { signature_def: [("serving_default".to_owned(), signature)].into() };
                let any = Any { type_url: String::new(), value: map.encode_to_vec() };
                let metadata = [("signature_def".to_owned(), any)].into();
                Ok(GetModelMetadataResponse { model_spec: None, metadata })
            };
            unary(request, tell).await
        }
        "/tensorflow.serving.ModelService/GetModelStatus" => {
            let tell = |_: GetModelStatusRequest| {
                let state = ModelState::Available.into();
                let version = ModelVersionStatus { version: 3, state, status: None };
                Ok(GetModelStatusResponse { model_version_status: vec![version] })
            };
            unary(request, tell).await
        }
        path => panic!("{path}"),
    }
}

fn named(spec: Option<ModelSpec>) -> Result<String, Status> {
    let name = spec.unwrap_or_default().name;
    if ["model", "below"].contains(&&*name) { Ok(name) } else { Err(Status::not_found(format!("no {name}"))) }
}

fn add_one(request: PredictRequest) -> Result<PredictResponse, Status> {
    named(request.model_spec)?;
    let Some(x) = request.inputs.get("x").filter(|x| x.dtype == 1) else {
        return Err(Status::invalid_argument("x is a DT_FLOAT"));
    };
    let float_val = x.float_val.iter().map(|value| value + 1.0).collect();
    let y = TensorProto { float_val, tensor_content: [].as_slice().into(), ..x.clone() };
    Ok(PredictResponse { outputs: [("y".to_owned(), y)].into(), model_spec: None })
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        value => value.as_f64().into_iter().collect(),
    }
}

async fn served(protocol: &str, graph: Value) -> Node {
    let node = Node::start(NodeOptions::new(BINARY)).await;
    let manifest = json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "graph"},
        "spec": {"protocol": protocol, "predictors": [{"name": "main", "graph": graph}]},
    });
    let applied = node.apply(&manifest.to_string()).await;
    assert!(applied.applied[0].warnings.is_empty(), "{:?}", applied.applied[0].warnings);
    node.await_state("graph", DeploymentState::Available).await;
    node
}

fn one(endpoint: &Value) -> Value {
    json!({"name": "model", "type": "MODEL", "endpoint": endpoint})
}

fn request(model: &str, values: &[f32]) -> PredictRequest {
    let tensor_shape = Some(TensorShape::of(&[1, i64::try_from(values.len()).unwrap()]));
    let x = TensorProto { dtype: 1, tensor_shape, float_val: values.to_vec(), ..TensorProto::default() };
    let spec = (!model.is_empty()).then(|| ModelSpec { name: model.to_owned(), ..ModelSpec::default() });
    PredictRequest { model_spec: spec, inputs: [("x".to_owned(), x)].into(), output_filter: Vec::new() }
}

fn examples() -> ExamplesRequest {
    let kind = Some(FeatureKind::Floats(FloatList { value: vec![0.5] }));
    let features = Some(Features { feature: [("a".to_owned(), Feature { kind })].into() });
    let kind = Some(InputKind::Examples(ExampleList { examples: vec![Example { features }] }));
    ExamplesRequest { model_spec: None, input: Some(Input { kind }) }
}

fn first_class(answer: &ClassificationResponse) -> (String, f32) {
    let class = &answer.result.as_ref().unwrap().classifications[0].classes[0];
    (class.label.clone(), class.score)
}

async fn logged(node: &Node) -> Vec<BTreeMap<String, Value>> {
    let page = node.requests("graph", &RequestParameters::default()).await;
    let row = |row: &Vec<Value>| page.columns.iter().cloned().zip(row.iter().cloned()).collect();
    page.rows.iter().map(row).collect()
}

#[tokio::test]
async fn a_program_over_rest_gets_json_and_answers_in_tensors() {
    let node = served("tensorflow", one(&over_rest().await)).await;
    for model in ["", "model", "graph"] {
        let answer: PredictResponse = call(&node, PREDICT, request(model, &[1.0, 2.5])).await.unwrap();
        let output = &answer.outputs["predictions"];
        assert_eq!((output.dtype, &output.double_val), (2, &vec![2.0, 3.5]), "{model}");
    }
    let answer: ClassificationResponse = call(&node, CLASSIFY, examples()).await.unwrap();
    assert_eq!(first_class(&answer), ("yes".to_owned(), 0.75));
    let answer: RegressionResponse = call(&node, REGRESS, examples()).await.unwrap();
    assert_eq!(answer.result.unwrap().regressions[0].value.to_string(), "0.5");
    let question = GetModelMetadataRequest { model_spec: None, metadata_field: vec!["signature_def".to_owned()] };
    let spec = Some(ModelSpec { name: "model".to_owned(), ..ModelSpec::default() });
    let question = GetModelMetadataRequest { model_spec: spec.clone(), ..question };
    let told: GetModelMetadataResponse = call(&node, METADATA, question).await.unwrap();
    let map = SignatureDefMap::decode(&told.metadata["signature_def"].value[..]).unwrap();
    assert_eq!(map.signature_def["serving_default"].inputs["x"].dtype, 2);
    let status: GetModelStatusResponse =
        call(&node, "/tensorflow.serving.ModelService/GetModelStatus", GetModelStatusRequest { model_spec: spec })
            .await
            .unwrap();
    assert_eq!(status.model_version_status[0].state, i32::from(ModelState::Available));

    let rows = logged(&node).await;
    assert_eq!(
        (&rows[0]["request"], &rows[0]["response"]),
        (&json!(r#"{"examples":[{"a":0.5}]}"#), &json!(r#"{"result":[0.5]}"#))
    );
    assert_eq!(rows.last().unwrap()["request"], json!(r#"{"instances":[[1.0,2.5]]}"#));
}

#[tokio::test]
async fn what_a_program_over_rest_does_not_take_is_told() {
    let node = served("tensorflow", one(&over_rest().await)).await;
    let refused = call::<_, PredictResponse>(&node, PREDICT, request("", &[13.0])).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, "not thirteen"));
    let garbage = call::<_, PredictResponse>(&node, PREDICT, request("", &[14.0])).await.unwrap_err();
    assert_eq!(garbage.code(), Code::Internal);
    assert!(garbage.message().starts_with("the deployment's program did not answer in V1:"), "{garbage}");
    let mut of_version = request("model", &[1.0]);
    of_version.model_spec.as_mut().unwrap().version = Some(VersionChoice::Number(3));
    let refused = call::<_, PredictResponse>(&node, PREDICT, of_version).await.unwrap_err();
    let told = "node `model` is called over REST in V1, which has no version `3`";
    assert_eq!((refused.code(), refused.message()), (Code::NotFound, told));
    let infinite = call::<_, PredictResponse>(&node, PREDICT, request("", &[f32::INFINITY])).await.unwrap_err();
    assert_eq!(infinite.code(), Code::InvalidArgument);
    assert!(infinite.message().ends_with("an infinite number has no form in JSON"), "{infinite}");
}

#[tokio::test]
async fn a_program_over_grpc_gets_messages_as_they_are_and_json_as_it_takes_it() {
    let node = served("tensorflow", one(&over_grpc().await)).await;
    for model in ["", "model", "graph"] {
        let answer: PredictResponse = call(&node, PREDICT, request(model, &[1.0, 2.5])).await.unwrap();
        assert_eq!(answer.outputs["y"].float_val, [2.0, 3.5], "{model}");
    }
    let answer: ClassificationResponse = call(&node, CLASSIFY, examples()).await.unwrap();
    assert_eq!(first_class(&answer), ("model".to_owned(), 0.75));
    let wrong = PredictRequest { inputs: BTreeMap::new(), ..request("", &[]) };
    let refused = call::<_, PredictResponse>(&node, PREDICT, wrong).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, "x is a DT_FLOAT"));

    let reply = node.post(&format!("{AT}:predict"), r#"{"instances":[[1,2.5]]}"#, &[]).await;
    assert_eq!((reply.status, &reply.json), (200, &json!({"predictions": [[2.0, 3.5]]})));
    let reply = node.post(&format!("{AT}:predict"), r#"{"inputs":{"x":[[1,2.5]]}}"#, &[]).await;
    assert_eq!((reply.status, &reply.json), (200, &json!({"outputs": [[2.0, 3.5]]})));
    let reply = node.post(&format!("{AT}:classify"), r#"{"examples":[{"a":1}]}"#, &[]).await;
    assert_eq!((reply.status, &reply.json), (200, &json!({"result": [[["model", 0.75]]]})));
    let reply = node.get(&format!("{AT}/metadata")).await;
    let signature = &reply.json["metadata"]["signature_def"]["signature_def"]["serving_default"];
    assert_eq!((reply.status, &signature["inputs"]["x"]["dtype"]), (200, &json!("DT_FLOAT")), "{}", reply.json);
    let status = node.get(AT).await;
    let version = &status.json["model_version_status"][0];
    assert_eq!(
        (&status.json["ready"], &version["version"], &version["state"]),
        (&json!(true), &json!("3"), &json!("AVAILABLE"))
    );
    let refused = node.post(&format!("{AT}:predict"), r#"{"instances":[["a"]]}"#, &[]).await;
    assert_eq!(refused.status, 400);
    assert!(refused.error().ends_with("the values of `x` are not of the type DT_FLOAT"), "{}", refused.error());

    let rows = logged(&node).await;
    let messages = (&json!(r#"{"instances":[[1.0,2.5]]}"#), &json!(r#"{"predictions":[[2.0,3.5]]}"#));
    assert_eq!((&rows.last().unwrap()["request"], &rows.last().unwrap()["response"]), messages);
}

#[tokio::test]
async fn graphs_take_tensors_and_no_examples() {
    let endpoint = over_grpc().await;
    let mut first = one(&endpoint);
    first["type"] = json!("TRANSFORMER");
    first["children"] = json!([{"name": "below", "type": "MODEL", "endpoint": endpoint}]);
    let node = served("tensorflow", first).await;
    let answer: PredictResponse = call(&node, PREDICT, request("", &[1.0, 2.5])).await.unwrap();
    assert_eq!(answer.outputs["predictions"].double_val, [3.0, 4.5]);
    let reply = node.post(&format!("{AT}:predict"), r#"{"instances":[[1,2.5]]}"#, &[]).await;
    assert_eq!((reply.status, &reply.json), (200, &json!({"predictions": [[3.0, 4.5]]})));
    let refused = call::<_, ClassificationResponse>(&node, CLASSIFY, examples()).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);

    let model = json!({"name": "m", "implementation": "SKLEARN_SERVER", "modelUri": "examples/iris/sklearn"});
    let children = json!([model]);
    let node =
        served("seldon", json!({"name": "mean", "implementation": "AVERAGE_COMBINER", "children": children})).await;
    let row = [6.8, 2.8, 4.8, 1.4];
    let over_rest = json!({"instances": [row.map(|value: f32| value)]}).to_string();
    let over_rest = node.post("/seldon/default/graph/v1/models/mean:predict", &over_rest, &[]).await;
    let answer: PredictResponse = call(&node, PREDICT, request("", &row)).await.unwrap();
    let expected = numbers(&over_rest.json["predictions"]);
    let got = &answer.outputs["predictions"].double_val;
    assert!(!got.is_empty() && got.iter().zip(&expected).all(|(got, want)| (got - want).abs() < 1e-6), "{got:?}");
    let mut signed = request("graph", &row);
    signed.model_spec.as_mut().unwrap().signature_name = "other".to_owned();
    let refused = call::<_, PredictResponse>(&node, PREDICT, signed).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn programs_of_other_protocols_are_not_asked_so() {
    let node = served("seldon", one(&over_rest().await)).await;
    let refused = call::<_, PredictResponse>(&node, PREDICT, request("", &[1.0])).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    assert!(refused.message().contains("speaks `seldon`"), "{refused}");
}
