//! From a deployment to objects: for each predictor a Deployment and a Service.

use provost_api::crd::seldon_deployment;
use provost_domain::{Deployment, Predictor, deployment::VERSION_LABEL};
use serde_json::{Map, Value, json};

use super::{names, pod};

/// The label that every object of a deployment carries: its name.
pub const DEPLOYMENT_LABEL: &str = "seldon-deployment-id";
/// The annotation of an object that tells which predictor it serves.
pub const PREDICTOR_ANNOTATION: &str = "provost.dev/predictor";
/// The annotation of a Deployment that tells which revision of the predictor its pods are to be.
pub const REVISION_ANNOTATION: &str = "provost.dev/revision";
/// The annotation of a route that tells which revisions it was made for.
pub const ROUTES_ANNOTATION: &str = "provost.dev/routes";
/// The port of a predictor's Service, as Seldon's operator has it.
pub const HTTP_PORT: u16 = 8000;
/// Its port for gRPC.
pub const GRPC_PORT: u16 = 5001;
/// The one port of a predictor's container.
pub(super) const PORT: u16 = 8000;

/// What the objects belong to.
#[derive(Debug, Clone)]
pub struct Owner {
    /// Group and version.
    pub api_version: String,
    /// Name.
    pub name: String,
    /// What tells it from another one of the name.
    pub uid: String,
}

/// What administrators set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The image that serves predictors.
    pub image: String,
    /// When nodes pull it; Kubernetes decides where nothing is said.
    pub image_pull_policy: Option<String>,
    /// Whom pods run as, by number.
    pub user_id: i64,
    /// The gateway that routes attach to, as `namespace/name`; no routes are made where there is none.
    pub gateway: Option<String>,
}

impl Settings {
    /// The defaults, with this image.
    pub fn new(image: String) -> Self {
        Self { image, image_pull_policy: None, user_id: 8888, gateway: None }
    }
}

/// A deployment, parsed and as its user wrote it.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Parsed.
    pub deployment: &'a Deployment,
    /// As it was written.
    pub document: &'a Value,
}

/// The objects that run a deployment, ready to be applied.
pub fn build(source: Source<'_>, owner: &Owner, settings: &Settings) -> Vec<Value> {
    let predictors = source.deployment.predictors.iter().enumerate();
    let objects = predictors.flat_map(|(index, predictor)| {
        let part = Part { source, owner, settings, predictor, index };
        [part.deployment(), part.service()]
    });
    objects.collect()
}

fn workload(owner: &Owner, predictor: &Predictor) -> String {
    names::workload(&owner.name, &predictor.name, &predictor.graph.name)
}

/// The metadata of an object that belongs to the owner.
pub(super) fn metadata(source: Source<'_>, owner: &Owner, name: &str, labels: &Value) -> Value {
    json!({
        "name": name,
        "namespace": source.deployment.id.namespace.as_str(),
        "labels": labels,
        "ownerReferences": [{
            "apiVersion": owner.api_version,
            "kind": seldon_deployment::KIND,
            "name": owner.name,
            "uid": owner.uid,
            "controller": true,
            "blockOwnerDeletion": true,
        }],
    })
}

/// One predictor of a deployment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) source: Source<'a>,
    pub(super) owner: &'a Owner,
    pub(super) settings: &'a Settings,
    pub(super) predictor: &'a Predictor,
    pub(super) index: usize,
}

impl Part<'_> {
    fn deployment(self) -> Value {
        let name = self.workload();
        let spec = json!({
            "selector": {"matchLabels": {"app": name, DEPLOYMENT_LABEL: self.owner.name}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "10%", "maxSurge": "25%"}},
            "template": pod::template(self),
            "replicas": self.predictor.replicas.or(self.source.deployment.replicas).unwrap_or(1),
        });
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": self.metadata(&name), "spec": spec})
    }

    fn service(self) -> Value {
        let name = self.service_name();
        let ports = [("http", HTTP_PORT), ("grpc", GRPC_PORT)]
            .map(|(name, port)| json!({"name": name, "port": port, "targetPort": PORT, "protocol": "TCP"}));
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": self.metadata(&name),
            "spec": {"selector": {"seldon-app": name}, "ports": ports},
        })
    }

    fn metadata(self, name: &str) -> Value {
        let mut metadata = metadata(self.source, self.owner, name, &Value::Object(self.labels()));
        metadata["annotations"] = json!({PREDICTOR_ANNOTATION: self.predictor.name});
        metadata
    }

    /// Labels of all objects of the predictor: the user's, then those that Seldon's operator gives.
    pub(super) fn labels(self) -> Map<String, Value> {
        let mut labels: Map<_, _> =
            self.predictor.labels.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        for (name, value) in [
            ("app", self.workload()),
            ("app.kubernetes.io/managed-by", "provost".to_owned()),
            ("fluentd", "true".to_owned()),
            ("seldon-app", self.service_name()),
            (DEPLOYMENT_LABEL, self.owner.name.clone()),
            ("seldon.io/model", "true".to_owned()),
        ] {
            labels.insert(name.to_owned(), json!(value));
        }
        labels.entry(VERSION_LABEL).or_insert_with(|| json!(self.predictor.name));
        labels
    }

    fn workload(self) -> String {
        workload(self.owner, self.predictor)
    }

    fn service_name(self) -> String {
        names::service(&self.owner.name, &self.predictor.name)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use provost_api::manifest::{parse, parse_deployment};
    use provost_domain::{Engine, Namespace, ServerCatalog};

    use super::*;

    pub(in crate::kubernetes) const MANIFEST: &str = r"
apiVersion: machinelearning.seldon.io/v1
kind: SeldonDeployment
metadata:
  name: iris
  namespace: models
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{}'
    team: fraud
spec:
  replicas: 2
  predictors:
    - name: main
      traffic: 90
      labels: {team: fraud}
      graph:
        name: classifier
        implementation: SKLEARN_SERVER
        modelUri: s3://models/iris
        envSecretRefName: bucket
    - name: canary
      traffic: 10
      replicas: 1
      graph:
        name: classifier
        implementation: XGBOOST_SERVER
        modelUri: https://models.example/iris.json
";

    pub(in crate::kubernetes) fn with_source<T>(text: &str, work: impl FnOnce(Source<'_>, &Owner) -> T) -> T {
        let document = parse("test", text).unwrap().remove(0);
        let (deployment, _) =
            parse_deployment(&document, &Namespace::default_namespace(), &ServerCatalog::default(), Engine::Kubernetes)
                .unwrap();
        let owner = Owner {
            api_version: "machinelearning.seldon.io/v1".to_owned(),
            name: deployment.id.name.as_str().to_owned(),
            uid: "3a".to_owned(),
        };
        work(Source { deployment: &deployment, document: &document.json }, &owner)
    }

    fn objects(text: &str) -> Vec<Value> {
        with_source(text, |source, owner| build(source, owner, &Settings::new("provost:1".to_owned())))
    }

    #[test]
    fn a_predictor_is_a_deployment_and_a_service() {
        insta::assert_yaml_snapshot!(objects(MANIFEST)[..2]);
    }

    #[test]
    fn replicas_are_the_predictors_else_the_deployments_else_one() {
        let replicas = |text: &str| -> Vec<Value> {
            objects(text)
                .iter()
                .filter(|object| object["kind"] == "Deployment")
                .map(|object| object["spec"]["replicas"].clone())
                .collect()
        };
        assert_eq!(replicas(MANIFEST), [json!(2), json!(1)]);
        assert_eq!(replicas(&MANIFEST.replace("  replicas: 2\n", "")), [json!(1), json!(1)]);
    }

    #[test]
    fn a_pod_carries_the_manifest_of_its_predictor_alone() {
        let objects = objects(MANIFEST);
        let manifest = |object: &Value| -> Value {
            let environment = &object["spec"]["template"]["spec"]["containers"][0]["env"];
            let variable =
                environment.as_array().unwrap().iter().find(|variable| variable["name"] == "PROVOST_MANIFEST");
            serde_json::from_str(variable.unwrap()["value"].as_str().unwrap()).unwrap()
        };
        let (main, canary) = (manifest(&objects[0]), manifest(&objects[2]));
        assert_eq!(main["spec"]["predictors"].as_array().unwrap().len(), 1);
        assert_eq!(main["spec"]["predictors"][0]["name"], "main");
        assert_eq!(canary["spec"]["predictors"][0]["name"], "canary");
        assert_eq!(main["metadata"]["annotations"], json!({"team": "fraud"}));
        assert!(parse("again", &main.to_string()).is_ok_and(|documents| {
            parse_deployment(
                &documents[0],
                &Namespace::default_namespace(),
                &ServerCatalog::default(),
                Engine::Kubernetes,
            )
            .is_ok()
        }));
    }
}
