//! What becomes of deployments in the ordinary course.

use std::io::Write as _;

use provost_api::rest::v1::deployments::DeploymentState;
use provost_testkit::{Node, NodeOptions, eventually, repository};
use serde_json::json;

use crate::scene::{
    Audit, BINARY, BODY, Scene, access, kubectl, main_and_canary, manifest, predictor, stays_available,
};

#[tokio::test]
async fn the_manifest_of_a_laptop_answers_alike_on_a_cluster() {
    let Some(scene) = Scene::start("alike") else { return };
    scene.apply(&main_and_canary());
    scene.wait("iris");

    let mut settings = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    writeln!(settings, "[secrets.alike.bucket]").unwrap();
    for (name, value) in access().as_object().unwrap() {
        writeln!(settings, "{name} = {value}").unwrap();
    }
    let mut options = NodeOptions::new(BINARY);
    options.arguments.extend(["--config".to_owned(), settings.path().display().to_string()]);
    let mut document = main_and_canary();
    document["metadata"]["namespace"] = json!("alike");
    answers_alike(&scene, options, &document.to_string()).await;
}

/// The demo's example, from its file.
#[tokio::test]
async fn the_example_runs_on_a_cluster_as_it_is() {
    let Some(scene) = Scene::start("example") else { return };
    let manifest = std::fs::read_to_string(repository("examples/iris/deployment.yaml")).unwrap();
    kubectl(&["-n", "example", "apply", "-f", "-"], &manifest);
    scene.wait("iris");
    let of_namespace = manifest.replace("  name: iris\n", "  name: iris\n  namespace: example\n");
    answers_alike(&scene, NodeOptions::new(BINARY), &of_namespace).await;
}

/// Each predictor of `iris` gives the same bytes on the cluster as in a process.
async fn answers_alike(scene: &Scene, options: NodeOptions, manifest: &str) {
    let laptop = Node::start(options).await;
    laptop.apply(manifest).await;
    let namespace = scene.namespace;
    eventually(async || {
        let detail = laptop.client().deployment(namespace, "iris", None).await.map_err(|error| error.to_string())?;
        if detail.summary.state == DeploymentState::Available { Ok(()) } else { Err(detail.summary.description) }
    })
    .await;

    for predictor in ["main", "canary"] {
        let on_cluster = scene.predict_at_last("iris", Some(predictor)).await;
        let path = format!("/seldon/{namespace}/iris/api/v1.0/predictions");
        let request = reqwest::Client::new().post(format!("{}{path}", laptop.url())).body(BODY);
        let request = request.header("content-type", "application/json").header("provost-predictor", predictor);
        let on_laptop = request.send().await.unwrap().text().await.unwrap();
        assert_eq!(on_cluster, on_laptop, "{predictor}");
        assert!(on_cluster.contains("same-on-both"), "{on_cluster}");
    }
}

#[tokio::test]
async fn a_canary_gets_its_share_and_is_removed_without_a_failed_request() {
    let Some(scene) = Scene::start("canary") else { return };
    scene.apply(&main_and_canary());
    scene.wait("iris");
    scene.predict_at_last("iris", None).await;
    scene.predict_at_last("iris", Some("canary")).await;
    let mut canaries = 0;
    for _ in 0..500 {
        let (status, predictor, body) = scene.predict("iris", None).await;
        assert_eq!(status, 200, "{body}");
        canaries += u32::from(predictor == "canary");
    }
    // 50 are expected; five standard deviations are 34.
    assert!((16..=84).contains(&canaries), "{canaries} of 500");

    scene.apply(&manifest(&[predictor("main", 100, "SKLEARN_SERVER", "s3://models/iris/sklearn")]));
    let mut requests = 0_u32;
    while scene.names("deployments") != ["iris-main-0-classifier"] || requests < 200 {
        let (status, _, body) = scene.predict("iris", None).await;
        assert_eq!(status, 200, "request {requests}: {body}");
        requests += 1;
        assert!(requests < 5000, "the canary's Deployment is still there");
    }
    assert_eq!(scene.names("services"), ["iris-main"]);
}

#[tokio::test]
async fn an_update_that_cannot_load_leaves_the_old_one_serving_and_tells_why() {
    let Some(scene) = Scene::start("update") else { return };
    let with = |uri: &str| manifest(&[predictor("main", 100, "SKLEARN_SERVER", uri)]);
    scene.apply(&with("s3://models/iris/sklearn"));
    scene.wait("iris");
    let before = scene.predict_at_last("iris", None).await;
    scene.apply(&with("s3://models/none"));
    let reason = scene.reason("iris").await;
    assert!(reason.contains("there is nothing at `s3://models/none`"), "{reason}");
    assert_eq!(scene.predict_at_last("iris", None).await, before);
    scene.apply(&with("s3://models/iris/sklearn"));
    scene.wait("iris");
}

#[tokio::test]
async fn a_malformed_deployment_is_refused_by_path_and_stops_no_other() {
    let Some(scene) = Scene::start("malformed") else { return };
    let mut malformed = manifest(&[predictor("main", 40, "NO_SERVER", "s3://models/iris/sklearn")]);
    malformed["metadata"]["name"] = json!("malformed");
    scene.apply(&malformed);
    let reason = scene.reason("malformed").await;
    assert!(reason.contains("NO_SERVER") && reason.contains("spec.predictors[0]"), "{reason}");
    scene.apply(&manifest(&[predictor("main", 100, "SKLEARN_SERVER", "s3://models/iris/sklearn")]));
    scene.wait("iris");
    assert_eq!(scene.names("deployments"), ["iris-main-0-classifier"]);
}

#[tokio::test]
async fn what_others_change_is_put_right_and_what_is_right_is_not_written() {
    let Some(scene) = Scene::start("steady") else { return };
    let mut audit = Audit::from_now();
    scene.apply(&manifest(&[predictor("main", 100, "SKLEARN_SERVER", "s3://models/iris/sklearn")]));
    scene.wait("iris");
    let scale = ["-n", "steady", "scale", "deployment/iris-main-0-classifier", "--replicas=0"];
    kubectl(&scale, "");
    eventually_has_replicas("steady", "1").await;
    scene.wait("iris");
    stays_available("steady", "3s");
    assert!(!audit.writes("steady").is_empty(), "the audit log tells what the operator writes");
    let mut audit = Audit::from_now();
    stays_available("steady", "20s");
    assert_eq!(audit.writes("steady"), [""; 0], "nothing is written while nothing changes");
}

#[tokio::test]
async fn an_autoscaler_decides_how_many_pods_and_goes_with_its_specification() {
    let Some(scene) = Scene::start("scaled") else { return };
    let plain = predictor("main", 100, "SKLEARN_SERVER", "s3://models/iris/sklearn");
    let mut scaled = plain.clone();
    scaled["componentSpecs"] = json!([{
        "hpaSpec": {
            "minReplicas": 2,
            "maxReplicas": 3,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "targetAverageUtilization": 70}}],
        },
        "pdbSpec": {"minAvailable": 1},
        "spec": {
            "tolerations": [{"key": "disk", "operator": "Exists"}],
            "containers": [{"name": "classifier", "resources": {"requests": {"cpu": "10m"}}}],
        },
    }]);
    scene.apply(&manifest(std::slice::from_ref(&scaled)));
    eventually_has_replicas("scaled", "2").await;
    scene.wait("iris");
    for kind in ["hpa", "pdb"] {
        assert_eq!(scene.names(kind), ["iris-main-0-classifier"], "{kind}");
    }
    let mut three = plain.clone();
    three["replicas"] = json!(3);
    for (predictor, replicas) in [(three, "3"), (plain, "1")] {
        scene.apply(&manifest(&[predictor]));
        eventually(async || match (scene.names("hpa"), scene.names("pdb")) {
            (scalers, budgets) if scalers.is_empty() && budgets.is_empty() => Ok(()),
            left => Err(left),
        })
        .await;
        eventually_has_replicas("scaled", replicas).await;
        scene.wait("iris");
        // An autoscaler takes over as many as there are, within its bounds.
        scene.apply(&manifest(std::slice::from_ref(&scaled)));
        scene.wait("iris");
        eventually_has_replicas("scaled", if replicas == "1" { "2" } else { replicas }).await;
    }
}

#[tokio::test]
async fn without_a_gateway_predictors_are_reached_by_their_services() {
    let Some(mut scene) = Scene::without_operator("alone") else { return };
    scene.start_operator_alone();
    scene.apply(&main_and_canary());
    scene.wait("iris");
    assert_eq!(scene.names("httproutes"), [""; 0]);
    for predictor in ["main", "canary"] {
        let service = format!("iris-{predictor}");
        let address = kubectl(&["-n", "alone", "get", "service", &service, "-o", "jsonpath={.spec.clusterIP}"], "");
        let url = format!("http://{address}:8000/api/v1.0/predictions");
        // Proxies of nodes learn of a Service a little later.
        eventually(async || {
            let request = reqwest::Client::new().post(&url).header("content-type", "application/json").body(BODY);
            let answer = request.send().await.map_err(|error| error.to_string())?;
            if answer.status() == 200 { Ok(()) } else { Err(answer.status().to_string()) }
        })
        .await;
    }
    scene.apply(&manifest(&[predictor("canary", 100, "XGBOOST_SERVER", "s3://models/iris/xgboost")]));
    scene.wait("iris");
    eventually(async || match scene.names("services,deployments") {
        names if names == ["iris-canary", "iris-canary-0-classifier"] => Ok(()),
        names => Err(names),
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_built_is_refused_by_path() {
    let Some(scene) = Scene::start("unbuilt") else { return };
    let mut own = predictor("main", 100, "SKLEARN_SERVER", "s3://models/iris/sklearn");
    own["componentSpecs"] = json!([{"spec": {"containers": [{"name": "classifier", "image": "mine"}]}}]);
    scene.apply(&manifest(&[own]));
    let reason = scene.reason("iris").await;
    assert!(reason.starts_with("spec.predictors[0].componentSpecs[0].spec.containers[0].image: "), "{reason}");

    // What only the API server knows to be wrong is told as it tells it.
    let mut mistaken = predictor("main", 100, "SKLEARN_SERVER", "s3://models/iris/sklearn");
    mistaken["componentSpecs"] = json!([{"spec": {"containers": [], "tolerations": [{"operator": "Sometimes"}]}}]);
    scene.apply(&manifest(&[mistaken]));
    eventually(async || {
        let status = scene.status("iris");
        let reason = status["description"].as_str().unwrap_or_default();
        if reason.contains("tolerations") && reason.contains("Sometimes") { Ok(()) } else { Err(status) }
    })
    .await;
}

#[tokio::test]
async fn the_manifests_of_seldons_documentation_are_taken_and_built() {
    let Some(scene) = Scene::start("samples") else { return };
    kubectl(&["-n", "samples", "apply", "-f", "-"], include_str!("seldon_samples.yaml"));
    let all = ["own-initializer", "quickstart", "rclone", "resources", "secret", "service-account"];
    assert_eq!(scene.names("sdep"), all);
    let expected = all.map(|name| format!("{name}-default-0-classifier"));
    eventually(async || {
        let found = scene.names("deployments");
        if found == expected { Ok(()) } else { Err(found) }
    })
    .await;
}

/// Waits until the one Deployment of a namespace is to have so many pods.
async fn eventually_has_replicas(namespace: &str, expected: &str) {
    eventually(async || {
        let replicas = kubectl(&["-n", namespace, "get", "deploy", "-o", "jsonpath={.items[*].spec.replicas}"], "");
        if replicas == expected { Ok(()) } else { Err(replicas) }
    })
    .await;
}
