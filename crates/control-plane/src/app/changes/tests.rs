//! Changes over a store in memory, in which somebody else may be faster.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use provost_api::rest::v1::changes::{ChosenPredictor, NewWeight, PredictorRole};
use provost_domain::{
    Namespace, ResourceName, ServerCatalog,
    plan::Timestamp,
    port::{
        clock::Clock,
        deployments::DeploymentRepository,
        traffic::{TrafficPoint, TrafficView},
    },
};
use serde_json::json;

use super::*;
use crate::app::{Parts, ServerView};

/// Keeps one deployment.
#[derive(Default)]
struct Memory {
    changes: Mutex<Vec<Change>>,
    /// How many writes somebody else comes before.
    races: Mutex<u32>,
}

impl Memory {
    fn put(&self, document: Value, note: ChangeNote) -> StoredDeployment {
        let mut changes = self.changes.lock().unwrap();
        let generation = changes.last().filter(|last| last.document.is_some()).map_or(0, |last| last.generation) + 1;
        let change = Change { position: 0, id: id(), generation, document: Some(document), note };
        changes.push(change.clone());
        stored(&change).unwrap()
    }

    fn remove(&self) {
        let generation = self.present().unwrap().generation;
        self.changes.lock().unwrap().push(Change { position: 0, id: id(), generation, document: None, note: note("") });
    }

    fn present(&self) -> Option<StoredDeployment> {
        self.changes.lock().unwrap().last().and_then(stored)
    }

    fn messages(&self) -> Vec<Option<String>> {
        self.changes.lock().unwrap().iter().map(|change| change.note.message.clone()).collect()
    }
}

#[async_trait]
impl DeploymentRepository for Memory {
    async fn get(&self, _id: &DeploymentId) -> Result<Option<StoredDeployment>, StoreError> {
        Ok(self.present())
    }

    async fn list(&self, _namespace: Option<&Namespace>) -> Result<Vec<StoredDeployment>, StoreError> {
        Ok(self.present().into_iter().collect())
    }

    async fn write(&self, mutations: Vec<Mutation>, by: ChangeNote) -> Result<Vec<StoredDeployment>, StoreError> {
        let Some(Mutation::Put { document, precondition, .. }) = mutations.into_iter().next() else { unreachable!() };
        let mut present = self.present().unwrap();
        let mut races = self.races.lock().unwrap();
        if *races > 0 {
            *races -= 1;
            present = self.put(present.document, note("somebody else"));
        }
        match precondition {
            Precondition::Generation(expected) if expected == present.generation => Ok(vec![self.put(document, by)]),
            _ => Err(StoreError::Conflict { id: id(), actual: present.generation }),
        }
    }

    async fn history(&self, _id: &DeploymentId, limit: u32) -> Result<Vec<Change>, StoreError> {
        Ok(self.changes.lock().unwrap().iter().rev().take(limit as usize).cloned().collect())
    }

    async fn namespaces(&self) -> Result<Vec<Namespace>, StoreError> {
        Ok(Vec::new())
    }

    async fn changed(&self, version: u64) -> u64 {
        version
    }
}

/// Nothing happens, and it is 1970.
struct Nothing;

impl TrafficView for Nothing {
    fn points(&self, _id: &DeploymentId, _since: Timestamp) -> Vec<TrafficPoint> {
        Vec::new()
    }
}

impl ServerView for Nothing {
    fn in_flight(&self) -> usize {
        0
    }

    fn lost_records(&self) -> u64 {
        0
    }
}

impl Clock for Nothing {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }
}

fn id() -> DeploymentId {
    DeploymentId { namespace: Namespace::default_namespace(), name: ResourceName::try_from("iris").unwrap() }
}

fn note(message: &str) -> ChangeNote {
    ChangeNote { author: "ada".to_owned(), message: Some(message.to_owned()), time: Timestamp::default() }
}

fn stored(change: &Change) -> Option<StoredDeployment> {
    Some(StoredDeployment {
        id: id(),
        document: change.document.clone()?,
        generation: change.generation,
        created: Timestamp::default(),
        updated: Timestamp::default(),
        artifacts: Vec::new(),
        report: None,
        before: None,
    })
}

/// A manifest whose canary has this share.
fn manifest(canary: i32) -> Value {
    let graph = json!({"name": "classifier", "implementation": "SKLEARN_SERVER", "modelUri": "/models/iris"});
    json!({
        "apiVersion": "machinelearning.seldon.io/v1", "kind": "SeldonDeployment", "metadata": {"name": "iris"},
        "spec": {"predictors": [
            {"name": "main", "traffic": 100 - canary, "graph": graph},
            {"name": "canary", "traffic": canary, "graph": graph},
        ]},
    })
}

fn memory(shares: &[i32]) -> Arc<Memory> {
    let memory = Arc::new(Memory::default());
    for share in shares {
        memory.put(manifest(*share), note("applied"));
    }
    memory
}

fn app(memory: &Arc<Memory>, engine: Engine) -> App {
    App::new(Parts {
        repository: Arc::clone(memory) as Arc<dyn DeploymentRepository>,
        log: None,
        traffic: Arc::new(Nothing),
        workloads: None,
        server: Arc::new(Nothing),
        clock: Arc::new(Nothing),
        servers: Arc::new(Arc::<ServerCatalog>::default()),
        engine,
    })
}

async fn weigh(memory: &Arc<Memory>, weight: i32, parameters: ChangeParameters) -> Result<Applied, Problem> {
    let change = PredictorChange::Weight(NewWeight { predictor: None, weight });
    let result = app(memory, Engine::Process).change_predictors(&id(), &change, &parameters, "ada").await;
    result.map(|result| result.applied.into_iter().next().unwrap())
}

async fn roll_back(memory: &Arc<Memory>, to: Option<u64>) -> Result<Applied, Problem> {
    let parameters = ChangeParameters::default();
    let result = app(memory, Engine::Process).rollback(&id(), &Rollback { to }, &parameters, "ada").await;
    result.map(|result| result.applied.into_iter().next().unwrap())
}

fn document(memory: &Memory) -> Value {
    memory.present().unwrap().document
}

#[tokio::test]
async fn a_change_is_a_new_generation_with_its_author_and_message() {
    let memory = memory(&[10]);
    let parameters = ChangeParameters { message: Some("it does well".to_owned()), ..ChangeParameters::default() };
    let applied = weigh(&memory, 50, parameters).await.unwrap();
    assert_eq!((applied.generation, applied.action), (2, Action::Configured));
    assert_eq!(applied.manifest_yaml, Some(to_yaml(&manifest(50))));
    assert_eq!(document(&memory), manifest(50));
    let last = memory.changes.lock().unwrap().last().unwrap().note.clone();
    assert_eq!((last.author.as_str(), last.message.as_deref()), ("ada", Some("it does well")));
}

#[tokio::test]
async fn a_dry_run_tells_what_would_be_and_stores_nothing() {
    let memory = memory(&[10]);
    let parameters = ChangeParameters { dry_run: true, ..ChangeParameters::default() };
    let applied = weigh(&memory, 50, parameters).await.unwrap();
    assert_eq!((applied.generation, applied.manifest_yaml), (2, Some(to_yaml(&manifest(50)))));
    assert_eq!(document(&memory), manifest(10));
}

#[tokio::test]
async fn a_change_is_made_again_on_what_somebody_else_wrote_meanwhile() {
    let memory = memory(&[10]);
    *memory.races.lock().unwrap() = ATTEMPTS - 1;
    assert_eq!(weigh(&memory, 50, ChangeParameters::default()).await.unwrap().generation, u64::from(ATTEMPTS) + 1);
    assert_eq!(document(&memory), manifest(50));
    *memory.races.lock().unwrap() = ATTEMPTS;
    let problem = weigh(&memory, 60, ChangeParameters::default()).await.unwrap_err();
    assert_eq!(problem.code, ErrorCode::Conflict, "it does not go on for ever");
}

#[tokio::test]
async fn who_means_one_generation_gets_no_other() {
    let memory = memory(&[10, 20]);
    let at = |generation| ChangeParameters { generation: Some(generation), ..ChangeParameters::default() };
    let problem = weigh(&memory, 50, at(1)).await.unwrap_err();
    assert_eq!((problem.status, document(&memory)), (409, manifest(20)));
    *memory.races.lock().unwrap() = 1;
    assert_eq!(weigh(&memory, 50, at(2)).await.unwrap_err().status, 409);
    weigh(&memory, 50, at(3)).await.unwrap();
    assert_eq!(document(&memory), manifest(50));
}

#[tokio::test]
async fn what_cannot_be_changed_or_served_is_refused_with_the_reason() {
    let memory = memory(&[10]);
    let problem = weigh(&memory, 101, ChangeParameters::default()).await.unwrap_err();
    assert_eq!(problem.status, 422);
    assert_eq!(problem.detail, "`101` is no share in percent: use a number from 0 to 100");
    let mut broken = manifest(10);
    broken["spec"]["protocol"] = "smoke".into();
    memory.put(broken, note("by hand"));
    let remove = PredictorChange::Remove(ChosenPredictor { role: PredictorRole::Canary, predictor: None });
    let app = app(&memory, Engine::Process);
    let problem = app.change_predictors(&id(), &remove, &ChangeParameters::default(), "ada").await.unwrap_err();
    assert_eq!(problem.detail, "the changed manifest: SeldonDeployment iris: spec.protocol: Invalid protocol");
}

#[tokio::test]
async fn a_rollback_goes_to_the_last_manifest_that_differs() {
    let memory = memory(&[10, 50, 50]);
    let applied = roll_back(&memory, None).await.unwrap();
    assert_eq!((applied.generation, document(&memory)), (4, manifest(10)));
    assert_eq!(memory.messages().last().unwrap().as_deref(), Some("rollback to generation 1"));
    assert_eq!(roll_back(&memory, None).await.unwrap().generation, 5, "twice goes forth again");
    assert_eq!(document(&memory), manifest(50));
}

#[tokio::test]
async fn a_rollback_goes_to_the_generation_that_is_named() {
    let memory = memory(&[10, 50, 60]);
    roll_back(&memory, Some(1)).await.unwrap();
    assert_eq!(document(&memory), manifest(10));
    for generation in [0, 4, 5] {
        let problem = roll_back(&memory, Some(generation)).await.unwrap_err();
        assert_eq!(problem.status, 404);
        let expected =
            format!("`default/iris` is at generation 4, and has no manifest of generation {generation} before it");
        assert_eq!(problem.detail, expected);
    }
}

#[tokio::test]
async fn what_was_deleted_meanwhile_is_not_gone_back_to() {
    let memory = memory(&[10, 20]);
    memory.remove();
    memory.put(manifest(50), note("anew"));
    memory.put(manifest(50), note("again"));
    let problem = roll_back(&memory, None).await.unwrap_err();
    assert_eq!(problem.status, 422);
    let expected = "no manifest of `default/iris` before generation 2 differs from it: there is nothing to go back to";
    assert_eq!(problem.detail, expected);
}

#[tokio::test]
async fn a_cluster_keeps_nothing_to_go_back_to() {
    let memory = memory(&[10, 50]);
    let app = app(&memory, Engine::Kubernetes);
    let problem = app.rollback(&id(), &Rollback::default(), &ChangeParameters::default(), "ada").await.unwrap_err();
    assert_eq!((problem.status, problem.detail.as_str()), (422, NO_HISTORY));
    assert_eq!(document(&memory), manifest(50));
}
