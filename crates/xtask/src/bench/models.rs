//! The models that are measured, and requests to them in both dialects.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::{progress::Stage, setup::Environment};

const SCRIPT: &str = "crates/xtask/bench/models.py";

/// A model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Model {
    /// Name of its deployment and folder.
    pub(super) name: &'static str,
    /// What it is.
    pub(super) title: &'static str,
    /// Which of Seldon's servers serves it.
    pub(super) server: &'static str,
    /// Which of `MLServer`'s runtimes does, and from which file.
    pub(super) runtime: (&'static str, &'static str),
}

/// All have 12 features and three classes.
pub(super) const MODELS: [Model; 3] = [
    Model {
        name: "lr",
        title: "LogisticRegression",
        server: "SKLEARN_SERVER",
        runtime: ("mlserver_sklearn.SKLearnModel", "model.joblib"),
    },
    Model {
        name: "rf",
        title: "RandomForest(100, depth 8)",
        server: "SKLEARN_SERVER",
        runtime: ("mlserver_sklearn.SKLearnModel", "model.joblib"),
    },
    Model {
        name: "xgb",
        title: "XGBoost(300 trees)",
        server: "XGBOOST_SERVER",
        runtime: ("mlserver_xgboost.XGBoostModel", "model.json"),
    },
];

/// How many requests differ.
const REQUESTS: usize = 16;

/// Models on disk, with rows to ask about.
#[derive(Debug)]
pub(super) struct Trained {
    pub(super) folder: PathBuf,
    rows: Vec<Value>,
}

/// Trains the models where the script changed; the Python is only asked for then.
pub(super) fn train(stage: &Stage<'_>, python: impl FnOnce(&Stage<'_>) -> Result<Environment>) -> Result<Trained> {
    let script = stage.workspace.root.join(SCRIPT);
    let text = fs::read_to_string(&script).with_context(|| format!("cannot read `{SCRIPT}`"))?;
    let folder = stage.workspace.kept(&format!("bench/models-{:016x}", hash(&text)))?;
    let rows = folder.join("rows.json");
    if !rows.is_file() {
        let mut command = Command::new(python(stage)?.python());
        stage.says("training the models");
        stage.command("train", command.arg(script).arg("--out").arg(&folder))?.success()?;
    }
    let rows = fs::read_to_string(&rows).with_context(|| format!("cannot read `{}`", rows.display()))?;
    Ok(Trained { folder, rows: serde_json::from_str(&rows)? })
}

impl Trained {
    /// In Seldon's form.
    pub(super) fn seldon_requests(&self, rows: usize) -> Vec<String> {
        self.asked(rows).map(|rows| json!({ "data": { "ndarray": rows } }).to_string()).collect()
    }

    /// In the Open Inference Protocol's, asking for probabilities too.
    pub(super) fn v2_requests(&self, rows: usize) -> Vec<String> {
        self.asked(rows).map(v2_request).collect()
    }

    /// Rows of requests that differ, as those of users do.
    fn asked(&self, rows: usize) -> impl Iterator<Item = &[Value]> {
        self.rows.chunks_exact(self.rows.len() / REQUESTS).filter_map(move |chunk| chunk.get(..rows))
    }

    /// A manifest with a deployment for each name and model.
    pub(super) fn manifest(&self, deployments: &[(String, Model)]) -> String {
        let documents = deployments.iter().map(|(name, model)| deployment(name, *model, &self.folder));
        documents.collect::<Vec<_>>().join("---\n")
    }
}

fn v2_request(rows: &[Value]) -> String {
    let values: Vec<_> = rows.iter().flat_map(|row| row.as_array().into_iter().flatten()).collect();
    let shape = [rows.len(), values.len().checked_div(rows.len()).unwrap_or_default()];
    json!({
        "inputs": [{ "name": "input-0", "shape": shape, "datatype": "FP64", "data": values }],
        "outputs": [{ "name": "predict_proba" }],
    })
    .to_string()
}

fn deployment(name: &str, model: Model, folder: &Path) -> String {
    let document = json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": { "name": name },
        "spec": { "predictors": [{
            "name": "main",
            "graph": { "name": "model", "implementation": model.server, "modelUri": folder.join(model.name) },
        }] },
    });
    format!("{document}\n")
}

pub(super) fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trained() -> Trained {
        Trained { folder: PathBuf::from("/models"), rows: (0..32).map(|row| json!([row, 0.5])).collect() }
    }

    #[test]
    fn both_dialects_ask_about_the_same_rows() {
        let (seldon, v2) = (trained().seldon_requests(2), trained().v2_requests(2));
        assert_eq!((seldon.len(), v2.len()), (16, 16));
        assert_eq!(seldon[1], r#"{"data":{"ndarray":[[2,0.5],[3,0.5]]}}"#);
        let request: Value = serde_json::from_str(&v2[1]).unwrap();
        assert_eq!(request["inputs"][0]["shape"], json!([2, 2]));
        assert_eq!(request["inputs"][0]["data"], json!([2, 0.5, 3, 0.5]));
    }

    #[test]
    fn a_manifest_has_a_document_for_each_deployment() {
        let manifest = trained().manifest(&[("lr".to_owned(), MODELS[0]), ("xgb".to_owned(), MODELS[2])]);
        assert_eq!(manifest.matches("SeldonDeployment").count(), 2);
        assert!(manifest.contains(r#""modelUri":"/models/lr""#), "{manifest}");
        assert_eq!(manifest.matches("---\n").count(), 1);
    }
}
