//! Model servers by the `implementation` name that manifests use.
//!
//! Plain data with a lookup: entries of administrators (Seldon's `predictor_servers`, the
//! serving runtimes of `KServe`) are added with [`ServerCatalog::register`].

use std::collections::BTreeMap;

/// The model servers a deployment may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerCatalog {
    servers: BTreeMap<String, ModelServer>,
}

/// One model server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelServer {
    /// Name in a manifest, such as `SKLEARN_SERVER`.
    pub implementation: String,
    /// What it serves, in a few words for people.
    pub title: String,
    /// What runs it.
    pub runtime: Runtime,
}

/// What runs a model server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// Models load in this process.
    Native(NativeServer),
    /// Known by name, and not supported yet.
    NotSupportedYet,
}

/// A model server that is part of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NativeServer {
    /// scikit-learn models.
    Sklearn,
    /// Gradient-boosted trees of `XGBoost`.
    Xgboost,
}

/// The servers of Seldon Core, by name and title, with what runs them here.
const SERVERS: [(&str, &str, Runtime); 7] = [
    ("SKLEARN_SERVER", "scikit-learn", Runtime::Native(NativeServer::Sklearn)),
    ("XGBOOST_SERVER", "XGBoost", Runtime::Native(NativeServer::Xgboost)),
    ("MLFLOW_SERVER", "MLflow", Runtime::NotSupportedYet),
    ("TENSORFLOW_SERVER", "TensorFlow Serving", Runtime::NotSupportedYet),
    ("TRITON_SERVER", "NVIDIA Triton", Runtime::NotSupportedYet),
    ("TEMPO_SERVER", "Tempo", Runtime::NotSupportedYet),
    ("HUGGINGFACE_SERVER", "Hugging Face", Runtime::NotSupportedYet),
];

impl Default for ServerCatalog {
    fn default() -> Self {
        let mut catalog = Self { servers: BTreeMap::new() };
        for (implementation, title, runtime) in SERVERS {
            catalog.register(ModelServer {
                implementation: implementation.to_owned(),
                title: title.to_owned(),
                runtime,
            });
        }
        catalog
    }
}

impl ServerCatalog {
    /// The server that a manifest calls `implementation`.
    pub fn get(&self, implementation: &str) -> Option<&ModelServer> {
        self.servers.get(implementation)
    }

    /// Adds a server, in place of one with the same name.
    pub fn register(&mut self, server: ModelServer) {
        self.servers.insert(server.implementation.clone(), server);
    }

    /// All servers, by name.
    pub fn iter(&self) -> impl Iterator<Item = &ModelServer> {
        self.servers.values()
    }

    /// Names of the servers that run, for messages: `SKLEARN_SERVER, XGBOOST_SERVER`.
    pub fn supported_names(&self) -> String {
        let names: Vec<&str> =
            self.iter().filter(|server| server.is_supported()).map(|server| server.implementation.as_str()).collect();
        names.join(", ")
    }
}

impl ModelServer {
    /// Whether models of this server load in this process.
    pub fn is_native(&self) -> bool {
        matches!(self.runtime, Runtime::Native(_))
    }

    /// Whether models of this server can be served.
    pub fn is_supported(&self) -> bool {
        self.runtime != Runtime::NotSupportedYet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_administrators_server_is_found_beside_the_own_ones() {
        let mut catalog = ServerCatalog::default();
        assert_eq!(catalog.get("CUSTOM_SERVER"), None);
        let server = ModelServer {
            implementation: "CUSTOM_SERVER".to_owned(),
            title: "ours".to_owned(),
            runtime: Runtime::Native(NativeServer::Sklearn),
        };
        catalog.register(server.clone());
        assert_eq!(catalog.get("CUSTOM_SERVER"), Some(&server));
        assert_eq!(catalog.supported_names(), "CUSTOM_SERVER, SKLEARN_SERVER, XGBOOST_SERVER");
    }
}
