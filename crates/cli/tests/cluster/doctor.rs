//! The preflight of a cluster that has all that the operator needs.

use std::process::Command;

use serde_json::Value;

use crate::scene::{BINARY, Scene};

#[test]
fn nothing_fails_on_a_cluster_that_serves() {
    let Some(scene) = Scene::without_operator("examined") else { return };
    let arguments = ["doctor", "--gateway", "provost-gateway/gateway", "--namespace", scene.namespace];
    let output = Command::new(BINARY).args(arguments).args(["--output", "json"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    let diagnosis: Value = serde_json::from_str(&text).unwrap();
    let checks = diagnosis["checks"].as_array().unwrap();
    let failed: Vec<_> = checks.iter().filter(|check| check["outcome"] == "failed").collect();
    assert!(failed.is_empty(), "{failed:?}");
    // What the cluster is made with is found, and not only not missed.
    for name in ["api-server", "kind", "schema", "namespaces", "gateway-api", "routes", "permissions"] {
        assert!(checks.iter().any(|check| check["name"] == name && check["outcome"] == "ok"), "{name}: {text}");
    }
}
