//! The Service of a predictor, with the port of Seldon's. There is none for gRPC while nothing answers it.

use serde_json::{Value, json};

use super::{HTTP_PORT, PORT, PREDICTOR_LABEL, Part};

/// Annotation by which a Service has no address of its own.
const HEADLESS: &str = "seldon.io/headless-svc";

/// The specification of the Service.
pub(super) fn specification(part: Part<'_>) -> Value {
    let port = json!({"name": "http", "port": HTTP_PORT, "targetPort": PORT, "protocol": "TCP"});
    let mut specification = json!({"selector": {PREDICTOR_LABEL: part.app()}, "ports": [port]});
    if part.annotation(HEADLESS) == Some("true") {
        specification["clusterIP"] = json!("None");
    }
    specification
}
