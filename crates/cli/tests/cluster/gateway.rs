//! The built-in gateway, for clusters without the Gateway API.

use std::time::Duration;

use provost_testkit::eventually;
use serde_json::{Value, json};

use crate::{
    grpc::predictor_of,
    release::{Release, granted},
    scene::{Audit, BODY, Scene, kubectl, main_and_canary, manifest, predictor},
    traffic::{FOLLOW, Load, check_share, pass, served},
};

const RELEASE: &str = "plain";
const NAMESPACE: &str = "plain-system";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_by_the_built_in_gateway_fails_while_a_canary_is_added_shadowed_and_promoted() {
    let Some(scene) = Scene::without_operator("plain") else { return };
    let mut audit = Audit::from_now();
    let values = "builtInGateway.enabled=true,watchNamespaces={plain}";
    let release = Release::install(RELEASE, NAMESPACE, &scene.image, &["--set", values]);
    let service = format!("{RELEASE}-provost-gateway");
    let address = kubectl(&["-n", NAMESPACE, "get", "service", &service, "-o", "jsonpath={.spec.clusterIP}"], "");
    let address = format!("http://{address}");

    let uri = |server: &str| format!("s3://models/iris/{server}");
    scene.apply(&manifest(&[predictor("main", 100, "SKLEARN_SERVER", &uri("sklearn"))]));
    scene.wait("iris");
    let url = format!("{address}/seldon/plain/iris/api/v1.0/predictions");
    eventually(async || match reqwest::Client::new().post(&url).body(BODY).send().await {
        Ok(answer) if answer.status() == 200 => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    let load = Load::by(&address, &scene, "iris");
    let follows = async |manifest: &Value| {
        scene.apply(manifest);
        scene.wait("iris");
        pass(FOLLOW).await;
        load.during(Duration::from_secs(6)).await
    };

    check_share(&follows(&main_and_canary()).await, "canary", 0.1);
    assert_eq!(predictor_of(&address, &scene, Some("canary")).await, "canary");
    let mut shadowed = main_and_canary();
    shadowed["spec"]["predictors"][0]["traffic"] = json!(100);
    shadowed["spec"]["predictors"][1]["shadow"] = json!(true);
    scene.apply(&shadowed);
    scene.wait("iris");
    pass(FOLLOW).await;
    let before = served(&scene, "canary").await;
    let counts = load.during(Duration::from_secs(6)).await;
    check_share(&counts, "main", 1.0);
    let (copies, all) = (served(&scene, "canary").await - before, counts.all());
    // The gateway may learn only meanwhile that the shadow serves.
    assert!(copies > 0 && copies < all / 5, "the shadow got {copies} of {all}, 10 % asked for");
    check_share(
        &follows(&manifest(&[predictor("canary", 100, "XGBOOST_SERVER", &uri("xgboost"))])).await,
        "canary",
        1.0,
    );
    let counts = load.stop().await;
    assert_eq!(counts.failures, Vec::<String>::new());

    let granted = granted(RELEASE, "gateway");
    eventually(async || {
        let used = audit.used(&format!("system:serviceaccount:{NAMESPACE}:{service}"));
        let idle: Vec<_> = granted.iter().filter(|one| !used.contains(*one)).collect();
        if idle.is_empty() { Ok(()) } else { Err(format!("granted and not used: {idle:?}")) }
    })
    .await;
    drop(release);
    kubectl(&["delete", "namespace", NAMESPACE, "--wait=false"], "");
}
