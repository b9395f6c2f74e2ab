//! A model as users put it into an image: it listens where the orchestrator expects it.

use std::net::Ipv4Addr;

use provost_testkit::wrapped_model;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    // The client for the predictor of a transformer cannot be made without.
    let _already_set = rustls::crypto::ring::default_provider().install_default();
    let mut variables: std::collections::BTreeMap<String, String> = std::env::vars().collect();
    let arguments: Vec<String> = std::env::args().collect();
    let host = arguments.iter().position(|argument| argument == "--predictor_host");
    if let Some(host) = host.and_then(|at| arguments.get(at + 1)) {
        variables.insert(wrapped_model::PREDICTOR_HOST.to_owned(), host.clone());
    }
    let port = variables.get("PREDICTIVE_UNIT_HTTP_SERVICE_PORT").and_then(|port| port.parse().ok()).unwrap_or(9000);
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await?;
    wrapped_model::serve(listener, variables).await
}
