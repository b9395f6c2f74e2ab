//! The Services of a predictor, with the ports of Seldon's: its own, whose ports lead to the one of the server, and those
//! of nodes that have pods of their own.

use provost_domain::deployment::ResourceKind;
use serde_json::{Value, json};

use super::{GRPC_PORT, HTTP_PORT, NODE_LABEL, PORT, PREDICTOR_LABEL, Part};

/// Annotation by which a Service has no address of its own.
const HEADLESS: &str = "seldon.io/headless-svc";

/// The port of predictors' Services as `KServe` has it.
const KSERVE_PORT: u16 = 80;

/// The specification of the Service.
pub(super) fn specification(part: Part<'_>) -> Value {
    let mut ports = vec![port("http", HTTP_PORT, PORT), port("grpc", GRPC_PORT, PORT)];
    if part.source.deployment.kind != ResourceKind::SeldonDeployment {
        ports.push(port("kserve", KSERVE_PORT, PORT));
    }
    with(part, &json!({PREDICTOR_LABEL: part.app()}), &ports.into())
}

/// The specification of the Service of a node that has pods of its own, at its ports by their names.
pub(super) fn of_node(part: Part<'_>, ports: Vec<(&'static str, Value)>) -> Value {
    let ports = ports.into_iter().map(|(name, number)| port(name, number.clone(), number)).collect();
    with(part, &json!({NODE_LABEL: part.node_app()}), &ports)
}

fn port(name: &str, number: impl Into<Value>, target: impl Into<Value>) -> Value {
    let (number, target): (Value, Value) = (number.into(), target.into());
    let mut port = json!({"name": name, "port": number, "targetPort": target, "protocol": "TCP"});
    if name == "grpc" {
        // Proxies have no other way to know that HTTP/2 is spoken in the clear (KEP-3726).
        port["appProtocol"] = json!("kubernetes.io/h2c");
    }
    port
}

fn with(part: Part<'_>, selector: &Value, ports: &Value) -> Value {
    let mut specification = json!({"selector": selector, "ports": ports});
    if part.annotation(HEADLESS) == Some("true") {
        specification["clusterIP"] = json!("None");
    }
    specification
}
