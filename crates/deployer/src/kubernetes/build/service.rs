//! The Service of a predictor, with the ports of Seldon's. Both lead to the one port of its pods.

use provost_domain::deployment::ResourceKind;
use serde_json::{Value, json};

use super::{GRPC_PORT, HTTP_PORT, PORT, PREDICTOR_LABEL, Part};

/// Annotation by which a Service has no address of its own.
const HEADLESS: &str = "seldon.io/headless-svc";

/// The port of predictors' Services as `KServe` has it.
const KSERVE_PORT: u16 = 80;

/// The specification of the Service.
pub(super) fn specification(part: Part<'_>) -> Value {
    let http = json!({"name": "http", "port": HTTP_PORT, "targetPort": PORT, "protocol": "TCP"});
    let mut grpc = json!({"name": "grpc", "port": GRPC_PORT, "targetPort": PORT, "protocol": "TCP"});
    // Proxies have no other way to know that HTTP/2 is spoken in the clear (KEP-3726).
    grpc["appProtocol"] = json!("kubernetes.io/h2c");
    let mut ports = vec![http, grpc];
    if part.source.deployment.kind == ResourceKind::InferenceService {
        ports.push(json!({"name": "kserve", "port": KSERVE_PORT, "targetPort": PORT, "protocol": "TCP"}));
    }
    let mut specification = json!({"selector": {PREDICTOR_LABEL: part.app()}, "ports": ports});
    if part.annotation(HEADLESS) == Some("true") {
        specification["clusterIP"] = json!("None");
    }
    specification
}
