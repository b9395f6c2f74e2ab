//! The methods that are answered, by their paths.

/// A method that is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    SeldonPredict,
    SeldonFeedback,
    SeldonModelMetadata,
    SeldonGraphMetadata,
    ServerLive,
    ServerReady,
    ServerMetadata,
    ModelReady,
    ModelMetadata,
    ModelInfer,
    RepositoryIndex,
    RepositoryLoad,
    RepositoryUnload,
    TensorsPredict,
    Classify,
    Regress,
    Signatures,
    ModelStatus,
    HealthCheck,
}

/// All of them.
const METHODS: [(&str, Method); 22] = [
    ("/seldon.protos.Seldon/Predict", Method::SeldonPredict),
    ("/seldon.protos.Seldon/SendFeedback", Method::SeldonFeedback),
    ("/seldon.protos.Seldon/ModelMetadata", Method::SeldonModelMetadata),
    ("/seldon.protos.Seldon/GraphMetadata", Method::SeldonGraphMetadata),
    ("/seldon.protos.Model/Predict", Method::SeldonPredict),
    ("/seldon.protos.Model/SendFeedback", Method::SeldonFeedback),
    ("/seldon.protos.Router/SendFeedback", Method::SeldonFeedback),
    ("/inference.GRPCInferenceService/ServerLive", Method::ServerLive),
    ("/inference.GRPCInferenceService/ServerReady", Method::ServerReady),
    ("/inference.GRPCInferenceService/ServerMetadata", Method::ServerMetadata),
    ("/inference.GRPCInferenceService/ModelReady", Method::ModelReady),
    ("/inference.GRPCInferenceService/ModelMetadata", Method::ModelMetadata),
    ("/inference.GRPCInferenceService/ModelInfer", Method::ModelInfer),
    ("/inference.GRPCInferenceService/RepositoryIndex", Method::RepositoryIndex),
    ("/inference.GRPCInferenceService/RepositoryModelLoad", Method::RepositoryLoad),
    ("/inference.GRPCInferenceService/RepositoryModelUnload", Method::RepositoryUnload),
    ("/tensorflow.serving.PredictionService/Predict", Method::TensorsPredict),
    ("/tensorflow.serving.PredictionService/Classify", Method::Classify),
    ("/tensorflow.serving.PredictionService/Regress", Method::Regress),
    ("/tensorflow.serving.PredictionService/GetModelMetadata", Method::Signatures),
    ("/tensorflow.serving.ModelService/GetModelStatus", Method::ModelStatus),
    ("/grpc.health.v1.Health/Check", Method::HealthCheck),
];

impl Method {
    /// The method at this path.
    pub(super) fn of(path: &str) -> Option<Self> {
        METHODS.iter().find(|(known, _)| *known == path).map(|(_, method)| *method)
    }
}

/// The paths of all methods.
pub(super) fn paths() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|(path, _)| *path)
}
