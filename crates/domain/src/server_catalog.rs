//! Model servers by the `implementation` name that manifests use.
//!
//! Plain data with a lookup: entries of administrators are added with [`ServerCatalog::register`].

mod runtimes;
mod seldon;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{Engine, deployment::Protocol};
pub use runtimes::{MODEL_CONTAINER, NoRuntime, ServingRuntime, SupportedFormat, Wanted};

/// The model servers a deployment may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerCatalog {
    servers: BTreeMap<String, ModelServer>,
    /// Serving runtimes by their [keys](ServingRuntime::key), each with the server that it is.
    runtimes: BTreeMap<String, (ServingRuntime, ModelServer)>,
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
    /// Who says so, such as `ConfigMap seldon-system/seldon-config`; `None` where this program does.
    pub origin: Option<String>,
}

/// What runs a model server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runtime {
    /// Models load in this process.
    Native(NativeServer),
    /// A container beside the orchestrator, on a cluster: the one of the deployment's protocol.
    Container(BTreeMap<Protocol, ServerContainer>),
}

/// A model server that is part of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NativeServer {
    /// scikit-learn models.
    Sklearn,
    /// Gradient-boosted trees of `XGBoost`.
    Xgboost,
    /// Gradient-boosted trees of `LightGBM`.
    Lightgbm,
    /// Gradient-boosted trees of `CatBoost`.
    Catboost,
}

/// The container of a model server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerContainer {
    /// Its image.
    pub image: String,
    /// Its image where it is called over gRPC, if that is another one.
    pub grpc_image: Option<String>,
    /// How it is told what to serve, and where.
    pub contract: Contract,
}

/// How a container is told its model, name, ports and parameters. All are told what Seldon's wrapper reads, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contract {
    /// As Seldon's wrapper reads it: the model's folder is the parameter `model_uri`.
    Wrapper,
    /// As `MLServer` reads it: variables.
    MlServer {
        /// The class that serves; `None` where the image has its own.
        implementation: Option<String>,
    },
    /// As `TensorFlow` Serving reads it: arguments.
    TensorflowServing,
    /// A wrapper that calls `TensorFlow` Serving in a container of its own.
    TensorflowProxy {
        /// The image of `TensorFlow` Serving.
        serving: String,
    },
    /// As NVIDIA's Triton reads it: arguments.
    Triton,
    /// As a `PodSpec` of an administrator's says it.
    Template(Value),
}

impl Default for ServerCatalog {
    fn default() -> Self {
        let mut catalog = Self { servers: BTreeMap::new(), runtimes: BTreeMap::new() };
        seldon::servers().into_iter().for_each(|server| catalog.register(server));
        catalog
    }
}

impl ServerCatalog {
    /// The server that a manifest calls `implementation`.
    pub fn get(&self, implementation: &str) -> Option<&ModelServer> {
        self.servers.get(implementation)
    }

    /// The same, or the server that a serving runtime of this [key](ServingRuntime::key) is.
    pub fn find(&self, implementation: &str) -> Option<&ModelServer> {
        self.get(implementation).or_else(|| self.runtimes.get(implementation).map(|(_, server)| server))
    }

    /// Adds a serving runtime, in place of the one with its key.
    pub fn register_runtime(&mut self, runtime: ServingRuntime) {
        let server = runtime.server();
        self.runtimes.insert(runtime.key(), (runtime, server));
    }

    /// The serving runtimes, by name.
    pub fn runtimes(&self) -> impl Iterator<Item = &ServingRuntime> {
        self.runtimes.values().map(|(runtime, _)| runtime)
    }

    /// The servers that serving runtimes are, by name.
    pub fn runtime_servers(&self) -> impl Iterator<Item = &ModelServer> {
        self.runtimes.values().map(|(_, server)| server)
    }

    /// The serving runtime for a model.
    pub fn choose_runtime(&self, wanted: &Wanted<'_>) -> Result<&ServingRuntime, NoRuntime> {
        let all: Vec<_> = self.runtimes().collect();
        runtimes::choose(&all, wanted)
    }

    /// Adds a server, in place of one with the same name. What is part of this program stays.
    pub fn register(&mut self, server: ModelServer) {
        if !self.get(&server.implementation).is_some_and(ModelServer::is_native) {
            self.servers.insert(server.implementation.clone(), server);
        }
    }

    /// All servers, by name.
    pub fn iter(&self) -> impl Iterator<Item = &ModelServer> {
        self.servers.values()
    }

    /// Names of the servers that an engine runs, for messages: `SKLEARN_SERVER, XGBOOST_SERVER` and so on.
    pub fn names(&self, engine: Engine) -> String {
        let runs = self.iter().filter(|server| server.is_run_by(engine));
        runs.map(|server| server.implementation.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl ModelServer {
    /// A server in containers of these images, by protocol. Those of Seldon's names are told what Seldon tells them.
    pub fn of_images(implementation: &str, images: &BTreeMap<Protocol, String>, origin: Option<String>) -> Self {
        let container = |(protocol, image): (&Protocol, &String)| {
            let contract = seldon::contract(implementation, *protocol, images);
            (*protocol, ServerContainer { image: image.clone(), grpc_image: None, contract })
        };
        Self {
            implementation: implementation.to_owned(),
            title: seldon::title(implementation).to_owned(),
            runtime: Runtime::Container(images.iter().map(container).collect()),
            origin,
        }
    }

    /// The same server, with another image where it is called over gRPC in this protocol.
    #[must_use]
    pub fn with_grpc_image(mut self, protocol: Protocol, image: String) -> Self {
        if let Runtime::Container(containers) = &mut self.runtime
            && let Some(container) = containers.get_mut(&protocol)
        {
            container.grpc_image = Some(image);
        }
        self
    }

    /// Whether models of this server load in this process.
    pub fn is_native(&self) -> bool {
        matches!(self.runtime, Runtime::Native(_))
    }

    /// Whether an engine runs it: containers are run on a cluster only.
    pub fn is_run_by(&self, engine: Engine) -> bool {
        self.is_native() || engine == Engine::Kubernetes
    }

    /// Its container for a protocol, if it has one.
    pub fn container(&self, protocol: Protocol) -> Option<&ServerContainer> {
        match &self.runtime {
            Runtime::Native(_) => None,
            Runtime::Container(containers) => containers.get(&protocol),
        }
    }

    /// Whether a model must be named: Hugging Face's can be a parameter, and images of serving runtimes can bring theirs.
    pub fn needs_model_uri(&self) -> bool {
        let is_runtime = |containers: &BTreeMap<Protocol, ServerContainer>| {
            containers.values().any(|one| matches!(one.contract, Contract::Template(_)))
        };
        let is_runtimes = matches!(&self.runtime, Runtime::Container(containers) if is_runtime(containers));
        self.implementation != seldon::HUGGINGFACE && !is_runtimes
    }

    /// What a deployment's protocol may be, for messages: `seldon, kfserving`.
    pub fn protocols(&self) -> String {
        let protocols: Vec<Protocol> = match &self.runtime {
            Runtime::Native(_) => Protocol::ALL.to_vec(),
            Runtime::Container(containers) => containers.keys().copied().collect(),
        };
        protocols.into_iter().map(Protocol::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// The model server of this program that a manifest calls `implementation`.
pub(crate) fn native(implementation: &str) -> Option<NativeServer> {
    seldon::NATIVE.into_iter().find_map(|(name, _, server)| (name == implementation).then_some(server))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(images: &[(Protocol, &str)]) -> BTreeMap<Protocol, String> {
        images.iter().map(|(protocol, image)| (*protocol, (*image).to_owned())).collect()
    }

    #[test]
    fn an_administrators_server_is_found_beside_the_own_ones() {
        let mut catalog = ServerCatalog::default();
        assert_eq!(catalog.get("CUSTOM_SERVER"), None);
        let server = ModelServer::of_images("CUSTOM_SERVER", &images(&[(Protocol::Seldon, "custom:1")]), None);
        catalog.register(server.clone());
        assert_eq!(catalog.get("CUSTOM_SERVER"), Some(&server));
        assert_eq!(server.container(Protocol::Seldon).map(|one| &one.contract), Some(&Contract::Wrapper));
        assert_eq!(server.container(Protocol::Tensorflow), None);
        assert_eq!(catalog.names(Engine::Process), "CATBOOST_SERVER, LIGHTGBM_SERVER, SKLEARN_SERVER, XGBOOST_SERVER");
        assert!(catalog.names(Engine::Kubernetes).starts_with("CATBOOST_SERVER, CUSTOM_SERVER, HUGGINGFACE_SERVER, "));
    }

    #[test]
    fn what_is_part_of_this_program_is_not_replaced() {
        let mut catalog = ServerCatalog::default();
        catalog.register(ModelServer::of_images("SKLEARN_SERVER", &images(&[(Protocol::Seldon, "other:1")]), None));
        assert!(catalog.get("SKLEARN_SERVER").is_some_and(ModelServer::is_native));
    }

    #[test]
    fn a_server_of_seldons_is_told_its_model_as_seldon_tells_it_whatever_its_image() {
        let both = images(&[(Protocol::Seldon, "proxy:1"), (Protocol::Tensorflow, "serving:1")]);
        let server = ModelServer::of_images("TENSORFLOW_SERVER", &both, None);
        let contract = |protocol| server.container(protocol).map(|one| one.contract.clone());
        let proxy = Contract::TensorflowProxy { serving: "serving:1".to_owned() };
        assert_eq!(contract(Protocol::Seldon), Some(proxy));
        assert_eq!(contract(Protocol::Tensorflow), Some(Contract::TensorflowServing));
        assert_eq!(server.protocols(), "seldon, tensorflow");
    }

    #[test]
    fn the_open_inference_protocol_is_spoken_by_mlserver() {
        let contract = |name: &str| {
            let server = ModelServer::of_images(name, &images(&[(Protocol::Kfserving, "a:1")]), None);
            server.container(Protocol::Kfserving).map(|one| one.contract.clone())
        };
        let mlserver = |class: Option<&str>| Some(Contract::MlServer { implementation: class.map(str::to_owned) });
        assert_eq!(contract("MLFLOW_SERVER"), mlserver(Some("mlserver_mlflow.MLflowRuntime")));
        assert_eq!(contract("OTHER_SERVER"), mlserver(None));
        assert_eq!(contract("TRITON_SERVER"), Some(Contract::Triton));
    }
}
