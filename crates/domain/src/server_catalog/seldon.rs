//! The model servers of Seldon Core, with the images that it runs for them and what it tells these.

use std::collections::BTreeMap;

use super::{Contract, ModelServer, NativeServer, Runtime};
use crate::deployment::Protocol;

/// The server whose model may be a parameter.
pub(super) const HUGGINGFACE: &str = "HUGGINGFACE_SERVER";
const MLFLOW: &str = "MLFLOW_SERVER";
const TEMPO: &str = "TEMPO_SERVER";
const TENSORFLOW: &str = "TENSORFLOW_SERVER";
const TRITON: &str = "TRITON_SERVER";

/// Those that are part of this program, by name and title.
pub(super) const NATIVE: [(&str, &str, NativeServer); 4] = [
    ("SKLEARN_SERVER", "scikit-learn", NativeServer::Sklearn),
    ("XGBOOST_SERVER", "XGBoost", NativeServer::Xgboost),
    ("LIGHTGBM_SERVER", "LightGBM", NativeServer::Lightgbm),
    ("CATBOOST_SERVER", "CatBoost", NativeServer::Catboost),
];

/// The others, by name and title.
const TITLES: [(&str, &str); 5] = [
    (HUGGINGFACE, "Hugging Face"),
    (MLFLOW, "MLflow"),
    (TEMPO, "Tempo"),
    (TENSORFLOW, "TensorFlow Serving"),
    (TRITON, "NVIDIA Triton"),
];

/// Their images: those of Seldon Core 1.9, and of the first version that has one.
const IMAGES: [(&str, Protocol, &str); 7] = [
    (HUGGINGFACE, Protocol::Kfserving, "seldonio/mlserver:1.1.0-huggingface"),
    (MLFLOW, Protocol::Seldon, "seldonio/mlflowserver:1.9.1"),
    (MLFLOW, Protocol::Kfserving, "seldonio/mlserver:1.1.0-mlflow"),
    (TEMPO, Protocol::Kfserving, "seldonio/mlserver:0.3.2"),
    (TENSORFLOW, Protocol::Seldon, "seldonio/tfserving-proxy:1.9.1"),
    (TENSORFLOW, Protocol::Tensorflow, "tensorflow/serving:2.1.0"),
    (TRITON, Protocol::Kfserving, "nvcr.io/nvidia/tritonserver:20.08-py3"),
];

/// The classes of `MLServer` that serve for them.
const MLSERVER: [(&str, &str); 3] = [
    (HUGGINGFACE, "mlserver_huggingface.HuggingFaceRuntime"),
    (MLFLOW, "mlserver_mlflow.MLflowRuntime"),
    (TEMPO, "tempo.mlserver.InferenceRuntime"),
];

/// All of them.
pub(super) fn servers() -> Vec<ModelServer> {
    let native = NATIVE.map(|(name, title, server)| ModelServer {
        implementation: name.to_owned(),
        title: title.to_owned(),
        runtime: Runtime::Native(server),
        origin: None,
    });
    let others = TITLES.map(|(name, _)| ModelServer::of_images(name, &images(name), None));
    native.into_iter().chain(others).collect()
}

fn images(name: &str) -> BTreeMap<Protocol, String> {
    let own = IMAGES.iter().filter(|(server, ..)| *server == name);
    own.map(|(_, protocol, image)| (*protocol, (*image).to_owned())).collect()
}

/// What one serves.
pub(super) fn title(name: &str) -> &'static str {
    found(&TITLES, name).unwrap_or("a server of this installation")
}

/// How a container of the server is told what to serve.
pub(super) fn contract(name: &str, protocol: Protocol, images: &BTreeMap<Protocol, String>) -> Contract {
    match (name, protocol) {
        (TRITON, Protocol::Kfserving) => Contract::Triton,
        (TENSORFLOW, Protocol::Tensorflow) => Contract::TensorflowServing,
        (TENSORFLOW, Protocol::Seldon) => {
            let serving = images.get(&Protocol::Tensorflow).cloned();
            let built_in = || self::images(TENSORFLOW).remove(&Protocol::Tensorflow).unwrap_or_default();
            Contract::TensorflowProxy { serving: serving.unwrap_or_else(built_in) }
        }
        (_, Protocol::Kfserving) => Contract::MlServer { implementation: found(&MLSERVER, name).map(str::to_owned) },
        _ => Contract::Wrapper,
    }
}

fn found(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    table.iter().find_map(|(known, value)| (*known == name).then_some(*value))
}
