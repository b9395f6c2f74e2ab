//! KServe's controller, to compare the operator with. It deploys without Knative ("raw"), and its images are never run.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::operator::{Contender, NAMESPACE, table};
use crate::{
    cluster::{Cluster, simulated},
    progress::Stage,
    setup::{self, Programs},
};

const MODULE: &str = "github.com/kserve/kserve";
const PROGRAMS: Programs = Programs {
    module: "kserve",
    packages: &["github.com/kserve/kserve/cmd/manager"],
    version: None,
    files: &[
        (MODULE, "config/crd/minimal/serving.kserve.io_clusterservingruntimes.yaml"),
        (MODULE, "config/crd/minimal/serving.kserve.io_clusterstoragecontainers.yaml"),
        (MODULE, "config/crd/minimal/serving.kserve.io_inferencegraphs.yaml"),
        (MODULE, "config/crd/minimal/serving.kserve.io_inferenceservices.yaml"),
        (MODULE, "config/crd/minimal/serving.kserve.io_servingruntimes.yaml"),
        (MODULE, "config/crd/minimal/serving.kserve.io_trainedmodels.yaml"),
        (MODULE, "config/configmap/inferenceservice.yaml"),
        (MODULE, "config/runtimes/kserve-sklearnserver.yaml"),
        (MODULE, "config/storagecontainers/default.yaml"),
    ],
};
/// Where the controller looks for its settings.
const OWN_NAMESPACE: &str = "kserve";
/// The setting by which it makes Deployments instead of Knative's services.
const DEPLOYMENT_MODE: (&str, &str) =
    ("\"defaultDeploymentMode\": \"Serverless\"", "\"defaultDeploymentMode\": \"RawDeployment\"");

/// The controller.
pub(super) struct Kserve {
    folder: PathBuf,
    /// Where it looks for the certificate of its webhooks, of which none is registered.
    temporary: PathBuf,
}

impl Kserve {
    /// Builds it, once.
    pub(super) fn find(stage: &Stage<'_>) -> Result<Self> {
        let folder = setup::programs(stage, &[PROGRAMS])?.into_iter().next().context("KServe was not built")?;
        let folder = folder.canonicalize()?;
        let temporary = stage.workspace.kept("bench/kserve/in")?.with_file_name("");
        let certificates = temporary.join("k8s-webhook-server/serving-certs");
        fs::create_dir_all(&certificates)?;
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        fs::write(certificates.join("tls.crt"), made.cert.pem())?;
        fs::write(certificates.join("tls.key"), made.signing_key.serialize_pem())?;
        Ok(Self { folder, temporary: temporary.canonicalize()? })
    }

    /// Gives the cluster its kinds, and it its settings.
    pub(super) fn prepare(&self, cluster: &Cluster) -> Result<()> {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OWN_NAMESPACE}});
        cluster.apply_text("kserve.yaml", &namespace.to_string())?;
        for (_, path) in PROGRAMS.files.iter().filter(|(_, path)| path.contains("/crd/")) {
            let name = path.rsplit('/').next().unwrap_or(path);
            cluster.apply_text(name, &self.read(name)?)?;
        }
        let (from, to) = DEPLOYMENT_MODE;
        let settings = self.read("inferenceservice.yaml")?.replace(from, to);
        cluster.apply_text("kserve-settings.yaml", &in_namespace(&settings))?;
        for name in ["kserve-sklearnserver.yaml", "default.yaml"] {
            cluster.apply_text(name, &self.read(name)?)?;
        }
        Ok(())
    }

    fn read(&self, name: &str) -> Result<String> {
        fs::read_to_string(self.folder.join(name)).with_context(|| format!("KServe has no `{name}`"))
    }
}

/// The manifest with the namespace that its kustomization adds.
fn in_namespace(manifest: &str) -> String {
    manifest.replacen("metadata:\n", &format!("metadata:\n  namespace: {OWN_NAMESPACE}\n"), 1)
}

impl Contender for Kserve {
    fn agent(&self) -> &'static str {
        "manager/"
    }

    fn command(&self, cluster: &Cluster) -> Result<Command> {
        let mut command = cluster.command(self.folder.join("manager"))?;
        command.env("POD_NAMESPACE", OWN_NAMESPACE).env("TMPDIR", &self.temporary);
        Ok(command)
    }

    /// Its iris example, on simulated nodes.
    fn resource(&self, number: u32) -> Value {
        let (label, value) = simulated::LABEL;
        json!({
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": format!("iris-kserve-{number}"), "namespace": NAMESPACE},
            "spec": {"predictor": {
                "nodeSelector": {label: value},
                "tolerations": [{"key": simulated::TAINT, "operator": "Exists"}],
                "model": {
                    "modelFormat": {"name": "sklearn"},
                    "storageUri": "gs://kfserving-examples/models/sklearn/1.0/model",
                },
            }},
        })
    }

    fn ready(&self, cluster: &Cluster) -> Result<usize> {
        let is_ready = |line: &&str| line.split_whitespace().any(|word| word == "True");
        Ok(table(cluster, "inferenceservices")?.lines().filter(is_ready).count())
    }
}
