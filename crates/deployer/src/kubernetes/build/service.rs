//! The Service of a predictor, with the ports of Seldon's.

use serde_json::{Value, json};

use super::{GRPC_PORT, HTTP_PORT, PORT, Part};

/// The ports, by name: both lead to the one of the container.
const PORTS: [(&str, u16); 2] = [("http", HTTP_PORT), ("grpc", GRPC_PORT)];
/// Annotation by which a Service has no address of its own.
const HEADLESS: &str = "seldon.io/headless-svc";

/// The specification of the Service.
pub(super) fn specification(part: Part<'_>) -> Value {
    let ports = PORTS.map(|(name, port)| json!({"name": name, "port": port, "targetPort": PORT, "protocol": "TCP"}));
    let mut specification = json!({"selector": {"seldon-app": part.app()}, "ports": ports});
    if part.annotation(HEADLESS) == Some("true") {
        specification["clusterIP"] = json!("None");
    }
    specification
}
