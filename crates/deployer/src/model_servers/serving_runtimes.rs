//! `ServingRuntime`s and `ClusterServingRuntime`s of `KServe` (serving.kserve.io/v1alpha1). Pure.

use kube::{api::ApiResource, core::GroupVersionKind};
use provost_domain::{
    deployment::{Protocol, Transport},
    server_catalog::{ServingRuntime, SupportedFormat},
};
use serde::Deserialize;
use serde_json::Value;

/// The kind of a namespace, and that of the cluster.
pub(super) const KINDS: [&str; 2] = ["ServingRuntime", "ClusterServingRuntime"];

/// The kind as the API server has it.
pub(super) fn resource(kind: &str) -> ApiResource {
    let plural = kind.to_lowercase() + "s";
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("serving.kserve.io", "v1alpha1", kind), &plural)
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Specification {
    supported_model_formats: Vec<Format>,
    protocol_versions: Vec<String>,
    multi_model: bool,
    disabled: bool,
    storage_helper: StorageHelper,
    worker_spec: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StorageHelper {
    disabled: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Format {
    name: String,
    version: Option<String>,
    auto_select: bool,
    priority: Option<i64>,
}

/// A runtime as it is written, or what is wrong with it.
pub(super) fn parse(object: &Value) -> Result<ServingRuntime, String> {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let (kind, name, namespace) = (text("/kind"), text("/metadata/name"), text("/metadata/namespace"));
    let is_clusters = kind == KINDS[1];
    let namespace = if namespace.is_empty() { "default" } else { namespace };
    let origin = if is_clusters { format!("{kind} {name}") } else { format!("{kind} {namespace}/{name}") };
    let specification: Specification = serde_json::from_value(object["spec"].clone())
        .map_err(|error| format!("{origin}: spec cannot be read: {error}"))?;
    let refused = |field: &str, advice: &str| Err(format!("{origin}: spec.{field} is not supported: {advice}"));
    if !specification.worker_spec.is_null() {
        return refused("workerSpec", "a model runs in one pod; use a runtime without it");
    }
    if specification.storage_helper.disabled {
        return refused("storageHelper.disabled", "models are fetched before the runtime starts; remove it");
    }
    let runtime = ServingRuntime {
        name: name.to_owned(),
        namespace: (!is_clusters).then(|| namespace.to_owned()),
        formats: specification.supported_model_formats.into_iter().map(format).collect(),
        protocols: specification.protocol_versions.iter().filter_map(|word| protocol(word)).collect(),
        is_disabled: specification.disabled,
        is_multi_model: specification.multi_model,
        pod: object["spec"].clone(),
        origin,
    };
    match runtime.image() {
        Some(_) => Ok(runtime),
        None => Err(format!("{}: spec.containers has no container with an image", runtime.origin)),
    }
}

fn format(format: Format) -> SupportedFormat {
    let Format { name, version, auto_select, priority } = format;
    SupportedFormat { name, version, is_auto: auto_select, priority }
}

/// What a runtime speaks; others than these are of no use here.
fn protocol(word: &str) -> Option<(Protocol, Option<Transport>)> {
    match word {
        "v1" => Some((Protocol::Tensorflow, None)),
        "v2" => Some((Protocol::Kfserving, None)),
        "grpc-v1" => Some((Protocol::Tensorflow, Some(Transport::Grpc))),
        "grpc-v2" => Some((Protocol::Kfserving, Some(Transport::Grpc))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_runtime_is_read_as_kserve_writes_it() {
        let object = json!({
            "kind": "ServingRuntime",
            "metadata": {"name": "mine", "namespace": "models"},
            "spec": {
                "annotations": {"prometheus.kserve.io/port": "8080"},
                "supportedModelFormats": [
                    {"name": "lightgbm", "version": "3", "autoSelect": true, "priority": 2},
                    {"name": "pmml"},
                ],
                "protocolVersions": ["v1", "grpc-v2", "v9"],
                "containers": [
                    {"name": "helper", "image": "helper:1"},
                    {"name": "kserve-container", "image": "mine:1", "args": ["--model_name={{.Name}}"]},
                ],
            },
        });
        let runtime = parse(&object).unwrap();
        assert_eq!((runtime.key().as_str(), runtime.image()), ("models/mine", Some("mine:1")));
        assert_eq!(runtime.origin, "ServingRuntime models/mine");
        assert_eq!(runtime.protocols, [(Protocol::Tensorflow, None), (Protocol::Kfserving, Some(Transport::Grpc))]);
        let formats: Vec<_> =
            runtime.formats.iter().map(|one| (one.name.as_str(), one.is_auto, one.priority)).collect();
        assert_eq!(formats, [("lightgbm", true, Some(2)), ("pmml", false, None)]);
        let cluster = json!({"kind": "ClusterServingRuntime", "metadata": {"name": "all"}, "spec": object["spec"]});
        assert_eq!(parse(&cluster).unwrap().key(), "all");
    }

    #[test]
    fn one_that_cannot_serve_is_told_of() {
        let of = |spec: Value| json!({"kind": "ClusterServingRuntime", "metadata": {"name": "a"}, "spec": spec});
        assert_eq!(
            parse(&of(json!({}))).unwrap_err(),
            "ClusterServingRuntime a: spec.containers has no container with an image"
        );
        let containers = json!([{"name": "kserve-container", "image": "mine:1"}]);
        for (field, value, expected) in [
            ("workerSpec", json!({"pipelineParallelSize": 2}), "spec.workerSpec is not supported"),
            ("storageHelper", json!({"disabled": true}), "spec.storageHelper.disabled is not supported"),
        ] {
            let told = parse(&of(json!({"containers": containers, field: value}))).unwrap_err();
            assert!(told.starts_with(&format!("ClusterServingRuntime a: {expected}: ")), "{told}");
        }
        assert!(parse(&of(json!({"containers": containers, "storageHelper": {"disabled": false}}))).is_ok());
        let wrong = parse(&of(json!({"disabled": "yes"}))).unwrap_err();
        assert!(wrong.starts_with("ClusterServingRuntime a: spec cannot be read: "), "{wrong}");
    }

    #[test]
    fn kinds_have_the_plurals_of_kserve() {
        assert_eq!(KINDS.map(|kind| resource(kind).plural), ["servingruntimes", "clusterservingruntimes"]);
    }
}
