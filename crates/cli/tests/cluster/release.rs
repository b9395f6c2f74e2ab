//! Releases of the Helm chart.

use std::{collections::BTreeSet, path::PathBuf, process::Command};

use provost_testkit::repository;
use serde_json::Value;

use crate::scene::kubectl;

pub(crate) fn chart() -> PathBuf {
    repository("deploy/helm/provost")
}

pub(crate) fn helm(arguments: &[&str]) -> String {
    let output = Command::new("helm").args(arguments).output().unwrap();
    assert!(output.status.success(), "helm {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A release. It ends with this value, whatever becomes of the test.
pub(crate) struct Release {
    name: &'static str,
    namespace: &'static str,
}

impl Release {
    pub(crate) fn install(name: &'static str, namespace: &'static str, image: &str, more: &[&str]) -> Self {
        let release = Self { name, namespace };
        release.apply("install", image, more);
        release
    }

    pub(crate) fn upgrade(&self, image: &str, more: &[&str]) {
        self.apply("upgrade", image, more);
    }

    fn apply(&self, verb: &str, image: &str, more: &[&str]) {
        let (repository, tag) = image.rsplit_once(':').unwrap();
        let chart = chart().display().to_string();
        let image = format!("image.repository={repository},image.tag={tag},image.pullPolicy=Never");
        let mut arguments = vec![verb, self.name, &chart, "--namespace", self.namespace, "--create-namespace"];
        arguments.extend(["--wait", "--timeout", "2m", "--set", &image]);
        arguments.extend(more);
        helm(&arguments);
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        // It is gone already where all went well.
        let arguments = ["uninstall", self.name, "--namespace", self.namespace, "--ignore-not-found", "--wait"];
        let _ended = Command::new("helm").args(arguments).output();
    }
}

/// What the account of a component of a release may do, as `group resource verb`.
pub(crate) fn granted(release: &str, component: &str) -> BTreeSet<String> {
    let selector = format!("app.kubernetes.io/instance={release},app.kubernetes.io/component={component}");
    let text = kubectl(&["get", "clusterroles,roles", "-A", "-l", &selector, "-o", "json"], "");
    let roles: Value = serde_json::from_str(&text).unwrap();
    let is_ours = |role: &&Value| {
        // Those for users are parts of other roles.
        let labels = role["metadata"]["labels"].as_object().unwrap();
        !labels.keys().any(|label| label.starts_with("rbac.authorization.k8s.io/aggregate-to"))
    };
    let roles = roles["items"].as_array().unwrap().iter().filter(is_ours);
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let mut granted = BTreeSet::new();
    for rule in roles.flat_map(|role| role["rules"].as_array().unwrap()) {
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                granted.extend(texts(&rule["verbs"]).into_iter().map(|verb| [&*group, &resource, &verb].join(" ")));
            }
        }
    }
    granted
}
