//! Servers of formats in the form of `KFServing`'s `ConfigMap` `inferenceservice-config`, which became serving runtimes in
//! `KServe` 0.8. Pure.

use provost_domain::{
    deployment::Protocol,
    server_catalog::{ServingRuntime, SupportedFormat},
};
use serde::Deserialize;
use serde_json::{Value, json};

/// The key that names the servers.
pub(super) const KEY: &str = "predictors";

/// Formats that the platform serves itself.
const NATIVE: [&str; 3] = ["sklearn", "xgboost", "lightgbm"];
/// Formats whose servers are of `KFServing`'s own kind.
const PYTHON: [&str; 2] = ["paddle", "pmml"];
const TENSORFLOW: &str = "tensorflow";
const TRITON: &str = "triton";

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    image: String,
    #[serde(default)]
    default_image_version: String,
}

/// The servers of a text, each that can be read, and what is wrong with the others.
pub(super) fn parse(text: &str, origin: &str) -> (Vec<ServingRuntime>, Vec<String>) {
    let entries: serde_json::Map<String, Value> = match serde_json::from_str(text) {
        Ok(entries) => entries,
        Err(error) => {
            return (Vec::new(), vec![format!("{origin}: {KEY} is not a JSON object of servers: {error}")]);
        }
    };
    let (mut runtimes, mut problems) = (Vec::new(), Vec::new());
    for (format, entry) in entries.into_iter().filter(|(format, _)| !NATIVE.contains(&format.as_str())) {
        match runtime(&format, &entry, origin) {
            Ok(runtime) => runtimes.push(runtime),
            Err(reason) => problems.push(format!("{origin}: {KEY}.{format}: {reason}")),
        }
    }
    (runtimes, problems)
}

fn runtime(format: &str, entry: &Value, origin: &str) -> Result<ServingRuntime, String> {
    // Some have a server for each protocol.
    let of_protocol = ["v1", "v2"].into_iter().map(|version| &entry[version]).find(|entry| entry.is_object());
    let image: Image =
        serde_json::from_value(of_protocol.unwrap_or(entry).clone()).map_err(|error| error.to_string())?;
    let image = match image.default_image_version.as_str() {
        "" => image.image,
        version => format!("{}:{version}", image.image),
    };
    let (protocol, container) = match format {
        TENSORFLOW => (Protocol::Tensorflow, tensorflow()),
        TRITON => (Protocol::Kfserving, triton()),
        python if PYTHON.contains(&python) => (Protocol::Tensorflow, of_kfserving()),
        _ => return Err("how this server is started is not known; make a `ServingRuntime` for it".to_owned()),
    };
    let mut container = container;
    container["image"] = json!(image);
    container["name"] = json!("kserve-container");
    Ok(ServingRuntime {
        name: format!("{KEY}.{format}"),
        namespace: None,
        formats: formats(format),
        protocols: vec![(protocol, None)],
        is_disabled: false,
        is_multi_model: false,
        pod: json!({"containers": [container]}),
        origin: origin.to_owned(),
    })
}

/// Runtimes, which have a priority, are chosen before.
fn formats(format: &str) -> Vec<SupportedFormat> {
    let names = if format == TRITON { vec![TRITON, "tensorrt"] } else { vec![format] };
    let supported =
        |name: &str| SupportedFormat { name: name.to_owned(), version: None, is_auto: true, priority: None };
    names.into_iter().map(supported).collect()
}

fn of_kfserving() -> Value {
    json!({"args": ["--model_name={{.Name}}", "--model_dir=/mnt/models", "--http_port=8080"]})
}

fn tensorflow() -> Value {
    let arguments = ["--port=9000", "--rest_api_port=8080", "--model_base_path=/mnt/models", "--model_name={{.Name}}"];
    json!({"command": ["/usr/bin/tensorflow_model_server"], "args": arguments})
}

fn triton() -> Value {
    let arguments =
        ["tritonserver", "--model-store=/mnt/models", "--grpc-port=9000", "--http-port=8080", "--allow-http=true"];
    json!({"args": arguments})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_served_by_the_images_of_kfserving() {
        let text = r#"{
            "tensorflow": {"image": "tensorflow/serving", "defaultImageVersion": "1.14.0", "defaultTimeout": "60"},
            "pmml": {"v1": {"image": "kfserving/pmmlserver", "defaultImageVersion": "v0.6.0"}},
            "sklearn": {"v1": {"image": "kfserving/sklearnserver"}},
            "onnx": {"image": "mcr.microsoft.com/onnxruntime/server"},
            "paddle": {"defaultImageVersion": "v0.6.0"}
        }"#;
        let (runtimes, problems) = parse(text, "ConfigMap a/b");
        let shown = |one: &ServingRuntime| [&one.key(), " ", &one.pod["containers"][0].to_string()].concat();
        let told = runtimes.iter().map(shown).chain(problems);
        insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r#"
        predictors.tensorflow {"command":["/usr/bin/tensorflow_model_server"],"args":["--port=9000","--rest_api_port=8080","--model_base_path=/mnt/models","--model_name={{.Name}}"],"image":"tensorflow/serving:1.14.0","name":"kserve-container"}
        predictors.pmml {"args":["--model_name={{.Name}}","--model_dir=/mnt/models","--http_port=8080"],"image":"kfserving/pmmlserver:v0.6.0","name":"kserve-container"}
        ConfigMap a/b: predictors.onnx: how this server is started is not known; make a `ServingRuntime` for it
        ConfigMap a/b: predictors.paddle: missing field `image`
        "#);
    }
}
