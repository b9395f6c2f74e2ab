//! Calls of gRPC from outside the pods, by the metadata that names a deployment.

use http::uri::PathAndQuery;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use provost_inference::protocol::proto::seldon::{DefaultData, Payload, SeldonMessage, Tensor, Values};
use provost_testkit::eventually;
use tonic::{Request, body::Body};
use tonic_prost::ProstCodec;

use crate::scene::{GATEWAY, Scene, main_and_canary};

/// Predicts through a gateway as soon as it knows the way; gives the predictor that answered.
pub(crate) async fn predictor_of(gateway: &str, scene: &Scene, pin: Option<&str>) -> String {
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let mut grpc = tonic::client::Grpc::with_origin(client, gateway.parse().unwrap());
    eventually(async || {
        let values = Values::Tensor(Tensor { shape: vec![1, 4], values: vec![6.8, 2.8, 4.8, 1.4] });
        let payload = Some(Payload::Data(DefaultData { names: Vec::new(), values: Some(values) }));
        let mut request = Request::new(SeldonMessage { payload, ..SeldonMessage::default() });
        let metadata = request.metadata_mut();
        metadata.insert("seldon", "iris".parse().unwrap());
        metadata.insert("namespace", scene.namespace.parse().unwrap());
        if let Some(pin) = pin {
            metadata.insert("provost-predictor", pin.parse().unwrap());
        }
        grpc.ready().await.map_err(|error| error.to_string())?;
        let path = PathAndQuery::from_static("/seldon.protos.Seldon/Predict");
        let codec = ProstCodec::<SeldonMessage, SeldonMessage>::default();
        let answer = grpc.unary(request, path, codec).await.map_err(|status| status.to_string())?;
        let predictor = answer.metadata().get("provost-predictor").map(|name| name.to_str().unwrap().to_owned());
        predictor.ok_or_else(|| "nobody says who answered".to_owned())
    })
    .await
}

#[tokio::test]
async fn calls_of_grpc_go_through_the_gateway_by_their_metadata() {
    let Some(scene) = Scene::start("grpc") else { return };
    scene.apply(&main_and_canary());
    scene.wait("iris");
    for predictor in ["main", "canary"] {
        assert_eq!(predictor_of(GATEWAY, &scene, Some(predictor)).await, predictor);
    }
    let any = predictor_of(GATEWAY, &scene, None).await;
    assert!(any == "main" || any == "canary", "{any}");
}
