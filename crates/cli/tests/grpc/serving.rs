//! TensorFlow Serving's services: predictions on tensors and examples, and what is told of models.

use std::collections::BTreeMap;

use prost::Message as _;
use provost_api::rest::v1::{deployments::DeploymentState, requests::RequestParameters};
use provost_inference::protocol::proto::{
    serving::{
        ClassificationResponse, ExampleList, ExamplesRequest, GetModelMetadataRequest, GetModelMetadataResponse,
        GetModelStatusRequest, GetModelStatusResponse, Input, InputKind, ModelSpec, ModelState, PredictRequest,
        PredictResponse, SignatureDefMap, VersionChoice,
    },
    tensorflow::{Example, Feature, FeatureKind, Features, FloatList, TensorProto, TensorShape},
};
use provost_testkit::{expected_probabilities, manifest};
use serde_json::json;
use tonic::{Code, Response, Status};

use super::{IRIS, Node, ROWS, assert_close, call, iris, started};

fn method(name: &str) -> String {
    format!("tensorflow.serving.PredictionService/{name}")
}

const STATUS: &str = "tensorflow.serving.ModelService/GetModelStatus";

fn spec(name: &str) -> ModelSpec {
    ModelSpec { name: name.to_owned(), ..ModelSpec::default() }
}

fn of_version(number: i64) -> ModelSpec {
    ModelSpec { version: Some(VersionChoice::Number(number)), ..spec("classifier") }
}

fn rows(spec: ModelSpec) -> PredictRequest {
    let tensor_shape = Some(TensorShape::of(&[2, 4]));
    let tensor = TensorProto { dtype: 2, tensor_shape, double_val: ROWS.concat(), ..TensorProto::default() };
    let inputs = BTreeMap::from([("inputs".to_owned(), tensor)]);
    PredictRequest { model_spec: Some(spec), inputs, ..PredictRequest::default() }
}

fn examples(spec: ModelSpec) -> ExamplesRequest {
    #[expect(clippy::cast_possible_truncation, reason = "as the message has it")]
    let example = |row: &[f64; 4]| {
        let kind = Some(FeatureKind::Floats(FloatList { value: row.map(|value| value as f32).to_vec() }));
        Example { features: Some(Features { feature: [("x".to_owned(), Feature { kind })].into() }) }
    };
    let kind = Some(InputKind::Examples(ExampleList { examples: ROWS.iter().map(example).collect() }));
    ExamplesRequest { model_spec: Some(spec), input: Some(Input { kind }) }
}

async fn predict(
    node: &Node,
    request: PredictRequest,
    metadata: &[(&'static str, &str)],
) -> Result<PredictResponse, Status> {
    call(node, &method("Predict"), request, metadata).await.map(Response::into_inner)
}

async fn state(node: &Node, spec: ModelSpec) -> Result<(i64, ModelState, String), Status> {
    let question = GetModelStatusRequest { model_spec: Some(spec) };
    let answer: GetModelStatusResponse = call(node, STATUS, question, &[]).await?.into_inner();
    let version = &answer.model_version_status[0];
    Ok((version.version, version.state(), version.status.clone().unwrap_or_default().error_message))
}

#[tokio::test]
async fn tensors_are_predicted_and_logged_as_rows_of_v1() {
    let node = iris().await;
    let instances = json!({"instances": ROWS}).to_string();
    let rest = node.post("/v1/models/classifier:predict", &instances, &[]).await;
    let reply: Response<PredictResponse> =
        call(&node, &method("Predict"), rows(spec("classifier")), &[("seldon-puid", "mine")]).await.unwrap();
    assert_eq!(reply.metadata().get("provost-predictor").unwrap(), "main");
    let answer = reply.into_inner();
    let tensor = &answer.outputs["predict_proba"];
    assert_eq!((tensor.dtype, &tensor.tensor_shape), (2, &Some(TensorShape::of(&[2, 3]))));
    assert_close(&tensor.double_val);
    assert_eq!(json!(tensor.double_val.chunks(3).collect::<Vec<_>>()), rest.json["predictions"]);
    assert_eq!(answer.model_spec.unwrap().version, Some(VersionChoice::Number(1)));

    let page = node.requests("iris", &RequestParameters::default()).await;
    let column = |name: &str| page.columns.iter().position(|column| column == name).unwrap();
    assert_eq!((page.rows.len(), &page.rows[0][column("request_id")]), (4, &json!("mine")));
    // What was asked by gRPC is the newer two rows: of the same columns as what was asked by REST.
    let values = |row: usize| {
        let is_value = |name: &&String| name.starts_with("x.") || name.starts_with("y.");
        page.columns.iter().filter(is_value).map(|name| page.rows[row][column(name)].clone()).collect::<Vec<_>>()
    };
    assert_eq!((values(0), values(1)), (values(2), values(3)));
}

#[tokio::test]
async fn examples_are_classified_with_labels_and_scores() {
    let node = iris().await;
    let answer: ClassificationResponse =
        call(&node, &method("Classify"), examples(spec("iris")), &IRIS).await.unwrap().into_inner();
    let classes: Vec<_> = answer.result.unwrap().classifications.into_iter().flat_map(|row| row.classes).collect();
    let labels: Vec<_> = classes.iter().map(|class| class.label.as_str()).collect();
    assert_eq!(labels, ["0", "1", "2", "0", "1", "2"]);
    let expected = expected_probabilities("sklearn");
    assert!(classes.iter().zip(&expected).all(|(class, want)| (f64::from(class.score) - want).abs() < 1e-6));
    let refused = call::<_, ClassificationResponse>(&node, &method("Regress"), examples(spec("iris")), &IRIS).await;
    let status = refused.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("is not one number for each example"), "{status:?}");
}

#[tokio::test]
async fn models_are_described_by_their_signatures() {
    let node = iris().await;
    let question = |field: &str| GetModelMetadataRequest {
        model_spec: Some(spec("classifier")),
        metadata_field: vec![field.to_owned()],
    };
    let answer: GetModelMetadataResponse =
        call(&node, &method("GetModelMetadata"), question("signature_def"), &[]).await.unwrap().into_inner();
    let map = SignatureDefMap::decode(&answer.metadata["signature_def"].value[..]).unwrap();
    assert_eq!(map.signature_def.keys().collect::<Vec<_>>(), ["classification", "serving_default"]);
    let shape = map.signature_def["serving_default"].inputs["inputs"].tensor_shape.clone();
    assert_eq!(shape, Some(TensorShape::of(&[-1, 4])));
    let refused =
        call::<_, GetModelMetadataResponse>(&node, &method("GetModelMetadata"), question("weights"), &[]).await;
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);

    let reply = node.get("/seldon/default/iris/v1/models/classifier/metadata").await;
    let signatures = &reply.json["metadata"]["signature_def"]["signature_def"];
    assert_eq!((reply.status, &reply.json["model_spec"]["name"]), (200, &json!("classifier")));
    assert_eq!(signatures["serving_default"]["outputs"]["predict_proba"]["tensor_shape"]["dim"][1]["size"], "3");
    assert_eq!(node.get("/v1/models/other/metadata").await.status, 404);
}

#[tokio::test]
async fn a_model_has_a_state_before_it_answers() {
    let node = iris().await;
    assert_eq!(state(&node, spec("iris")).await.unwrap(), (1, ModelState::Available, String::new()));
    node.apply(&manifest("broken", "SKLEARN_SERVER", "examples/none")).await;
    node.await_state("broken", DeploymentState::Failed).await;
    let (_, of_broken, reason) = state(&node, spec("broken")).await.unwrap();
    assert_eq!(of_broken, ModelState::Loading);
    assert!(!reason.is_empty());
    assert_eq!(state(&node, spec("other")).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn versions_are_numbers_where_deployments_say_so() {
    let manifest = manifest("iris", "SKLEARN_SERVER", "examples/iris/sklearn");
    let versioned = manifest.replace("- name: main\n", "- name: main\n    annotations: {version: \"7\"}\n");
    let node = started(&versioned, "iris").await;
    assert_eq!(state(&node, of_version(7)).await.unwrap(), (7, ModelState::Available, String::new()));
    let answer = predict(&node, rows(of_version(7)), &[]).await.unwrap();
    assert_eq!(answer.model_spec.unwrap().version, Some(VersionChoice::Number(7)));
    assert_eq!(node.get("/v1/models/iris").await.json["model_version_status"][0]["version"], "7");
    let status = predict(&node, rows(of_version(1)), &[]).await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::NotFound, "there is no version `1` of the model; there is: 7")
    );
}

#[tokio::test]
async fn what_cannot_be_asked_is_told() {
    let node = iris().await;
    let status = predict(&node, rows(ModelSpec::default()), &[]).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("no model is named"), "{status:?}");
    assert!(predict(&node, rows(ModelSpec::default()), &IRIS).await.is_ok(), "named by metadata");
    let status = predict(&node, rows(spec("other")), &IRIS).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    let inputs = BTreeMap::from([("x".to_owned(), TensorProto { dtype: 7, ..TensorProto::default() })]);
    let status = predict(&node, PredictRequest { inputs, ..rows(spec("iris")) }, &[]).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().starts_with("input `x`: the type `DT_STRING` is not taken"), "{status:?}");
    assert!(status.metadata().contains_key("seldon-puid"));
    let status = call::<_, PredictResponse>(&node, &method("MultiInference"), rows(ModelSpec::default()), &[])
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
}
