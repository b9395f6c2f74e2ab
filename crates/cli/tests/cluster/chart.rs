//! The Helm chart: what it installs works with the permissions that it grants, and no more; what it leaves.

use std::{collections::BTreeSet, process::Command};

use provost_testkit::eventually;
use serde_json::{Value, json};

use crate::{
    accounts::{by_account, grant},
    release::{Release, chart, granted, helm},
    scene::{Audit, Scene, kubectl, main_and_canary, manifest, predictor},
};

const RELEASE: &str = "provost";
const NAMESPACE: &str = "provost-system";
const GATEWAY: [&str; 2] =
    ["--set", "gateway=provost-gateway/gateway,modelServers.CUSTOM_SERVER.protocols.seldon.image=custom:1"];
/// Permission that clusters ask for which enforce those of owner references; it shows in no request.
const UNSEEN: [&str; 1] = ["machinelearning.seldon.io seldondeployments/finalizers update"];

#[test]
fn it_passes_helms_own_checks_with_every_set_of_values() {
    if std::env::var("PROVOST_TEST_CLUSTER").is_err() {
        return;
    }
    let chart = chart();
    for values in chart.join("ci").read_dir().unwrap() {
        let values = values.unwrap().path().display().to_string();
        helm(&["lint", "--strict", &chart.display().to_string(), "--values", &values]);
        helm(&["template", "a", &chart.display().to_string(), "--kube-version", "1.34.0", "--values", &values]);
    }
}

#[tokio::test]
async fn it_installs_serves_upgrades_and_leaves_nothing_but_the_kind() {
    let Some(scene) = Scene::without_operator("charted") else { return };
    let (mut audit, before) = (Audit::from_now(), everything());
    let release = Release::install(RELEASE, NAMESPACE, &scene.image, &GATEWAY);

    // What breaks a rule is refused at once, and what has no effect is warned of.
    let malformed = manifest(&[predictor("main", 100, "NO_SERVER", "s3://models/iris/sklearn")]);
    let refused = eventually(async || match try_apply(&malformed) {
        (false, text) if text.contains("denied the request") => Ok(text),
        accepted => {
            kubectl(&["-n", "charted", "delete", "sdep", "iris", "--ignore-not-found"], "");
            Err(accepted)
        }
    })
    .await;
    assert!(
        refused.contains("spec.predictors[0]")
            && refused.contains("NO_SERVER; known are CATBOOST_SERVER, CUSTOM_SERVER"),
        "{refused}"
    );
    let mut odd = scaled_and_canary();
    odd["spec"]["colour"] = json!("blue");
    let (is_applied, text) = try_apply(&odd);
    assert!(is_applied && text.contains("Warning: spec.colour"), "{text}");
    scene.wait("iris");
    scene.predict_at_last("iris", None).await;
    scene.predict_at_last("iris", Some("canary")).await;

    // What the manifest no longer asks for goes, by permissions of the chart.
    scene.apply(&manifest(&[predictor("main", 100, "SKLEARN_SERVER", "s3://models/iris/sklearn")]));
    scene.wait("iris");
    eventually(async || match scene.names("services,hpa,pdb,deployments") {
        names if names == ["iris-main", "iris-main-0-classifier"] => Ok(()),
        names => Err(names),
    })
    .await;

    release.upgrade(&scene.image, &[&GATEWAY[..], &["--set", "replicas=2"]].concat());
    scene.apply(&main_and_canary());
    scene.wait("iris");

    // Without anybody who answers the webhook, manifests are taken and wait.
    kubectl(&["-n", NAMESPACE, "scale", "deployment/provost", "--replicas=0"], "");
    kubectl(&["-n", NAMESPACE, "wait", "pod", "--all", "--for=delete", "--timeout=60s"], "");
    // A service account gives this one access to its model, which the operator reads by permissions of the chart.
    grant("charted");
    let mut second = by_account();
    second["metadata"]["name"] = json!("second");
    assert!(try_apply(&second).0, "nobody refuses it");
    kubectl(&["-n", NAMESPACE, "scale", "deployment/provost", "--replicas=1"], "");
    scene.wait("second");

    let granted = granted(RELEASE, "operator");
    eventually(async || {
        let used = audit.used(&format!("system:serviceaccount:{NAMESPACE}:{RELEASE}"));
        let idle: Vec<_> =
            granted.iter().filter(|one| !used.contains(*one) && !UNSEEN.contains(&one.as_str())).collect();
        if idle.is_empty() { Ok(()) } else { Err(format!("granted and not used: {idle:?}")) }
    })
    .await;

    drop(release);
    kubectl(&["delete", "namespace", NAMESPACE], "");
    assert_eq!(everything().difference(&before).collect::<Vec<_>>(), Vec::<&String>::new());
    kubectl(&["get", "crd", "seldondeployments.machinelearning.seldon.io"], "");
    scene.predict_at_last("iris", None).await;
}

fn scaled_and_canary() -> Value {
    let mut manifest = main_and_canary();
    manifest["spec"]["predictors"][0]["componentSpecs"] = json!([{
        "hpaSpec": {
            "minReplicas": 1,
            "maxReplicas": 2,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "targetAverageUtilization": 70}}],
        },
        "pdbSpec": {"minAvailable": 1},
        "spec": {"containers": [{"name": "classifier", "resources": {"requests": {"cpu": "10m"}}}]},
    }]);
    manifest
}

/// Whether a manifest is taken, and what `kubectl` says.
fn try_apply(manifest: &Value) -> (bool, String) {
    let file = tempfile::NamedTempFile::with_suffix(".json").unwrap();
    std::fs::write(file.path(), manifest.to_string()).unwrap();
    let path = file.path().display().to_string();
    let output = Command::new("kubectl").args(["-n", "charted", "apply", "-f", &path]).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The names of all that a release could leave: objects of the cluster, and of its namespace.
fn everything() -> BTreeSet<String> {
    let kinds = "clusterroles,clusterrolebindings,validatingwebhookconfigurations,crds,namespaces";
    kubectl(&["get", kinds, "-o", "name"], "").lines().map(str::to_owned).collect()
}
