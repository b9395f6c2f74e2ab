//! What every [`DeploymentRepository`] and [`DeploymentJournal`] has to do, run against each implementation.

use provost_domain::{
    DeploymentId, Digest,
    plan::{Report, State, Timestamp},
    port::deployments::{
        ChangeNote, DeploymentJournal, DeploymentRepository, Mutation, Precondition, ResolvedArtifact,
        ServedGeneration, StoreError, StoredDeployment,
    },
};
use serde_json::{Value, json};

use super::{OpenError, SqliteRepository};

fn id(name: &str) -> DeploymentId {
    DeploymentId { namespace: "default".try_into().unwrap(), name: name.try_into().unwrap() }
}

fn put(name: &str, document: Value, precondition: Precondition) -> Mutation {
    Mutation::Put { id: id(name), document, precondition }
}

fn delete(name: &str, precondition: Precondition) -> Mutation {
    Mutation::Delete { id: id(name), precondition }
}

fn note(time: u64) -> ChangeNote {
    ChangeNote { author: "ann".into(), message: Some("why".into()), time: Timestamp::from_millis(time) }
}

fn report(generation: u64) -> Report {
    Report { state: State::Available, description: String::new(), predictors: vec![], generation }
}

async fn names(repository: &impl DeploymentRepository) -> Vec<String> {
    repository.list(None).await.unwrap().iter().map(|stored| stored.id.to_string()).collect()
}

async fn documents_come_back_as_they_were(repository: &impl DeploymentJournal) {
    let document = json!({"z": 1, "a": {"ü": [null, 1.5, "x"]}});
    repository.write(vec![put("a", document.clone(), Precondition::None)], note(5)).await.unwrap();
    let stored = repository.get(&id("a")).await.unwrap().unwrap();
    assert_eq!(
        stored,
        StoredDeployment {
            id: id("a"),
            document: document.clone(),
            generation: 1,
            created: Timestamp::from_millis(5),
            updated: Timestamp::from_millis(5),
            artifacts: vec![],
            report: None,
            before: None,
        }
    );
    assert_eq!(stored.document.to_string(), document.to_string(), "the order of keys is kept");
}

async fn preconditions_guard_the_whole_transaction(repository: &impl DeploymentRepository) {
    repository.write(vec![put("a", json!(1), Precondition::Absent)], note(1)).await.unwrap();
    for wrong in [
        put("a", json!(2), Precondition::Absent),
        put("a", json!(2), Precondition::Generation(7)),
        delete("a", Precondition::Generation(7)),
        delete("missing", Precondition::None),
    ] {
        let both = vec![put("other", json!(1), Precondition::None), wrong];
        let error = repository.write(both, note(2)).await.unwrap_err();
        assert!(matches!(error, StoreError::Conflict { .. } | StoreError::NotFound(_)), "{error}");
    }
    assert_eq!(names(repository).await, ["default/a"]);
    repository.write(vec![put("a", json!(2), Precondition::Generation(1))], note(2)).await.unwrap();
    assert_eq!(repository.get(&id("a")).await.unwrap().unwrap().generation, 2);
}

async fn history_tells_every_change(repository: &impl DeploymentRepository) {
    for document in [json!(1), json!(2)] {
        repository.write(vec![put("a", document, Precondition::None)], note(1)).await.unwrap();
    }
    repository.write(vec![delete("a", Precondition::None)], note(9)).await.unwrap();
    let history = repository.history(&id("a"), 10).await.unwrap();
    let shown: Vec<_> = history.iter().map(|change| (change.generation, change.document.clone())).collect();
    assert_eq!(shown, [(2, None), (2, Some(json!(2))), (1, Some(json!(1)))]);
    assert_eq!(history[0].note, note(9));
    assert_eq!(repository.history(&id("a"), 1).await.unwrap().len(), 1);
    assert_eq!(repository.get(&id("a")).await.unwrap(), None);
}

async fn artifacts_belong_to_a_generation(repository: &impl DeploymentJournal) {
    let artifact = ResolvedArtifact { uri: "m".into(), digest: Digest::from_sha256(&[1; 32]) };
    let of = async || repository.get(&id("a")).await.unwrap().unwrap().artifacts;
    repository.write(vec![put("a", json!(1), Precondition::None)], note(1)).await.unwrap();
    repository.set_artifacts(&id("a"), 1, vec![artifact.clone()]).await.unwrap();
    assert_eq!(of().await, std::slice::from_ref(&artifact));
    repository.write(vec![put("a", json!(1), Precondition::None)], note(1)).await.unwrap();
    assert_eq!(of().await, [], "applying again reads the model again");
    repository.set_artifacts(&id("a"), 1, vec![artifact]).await.unwrap();
    assert_eq!(of().await, []);
}

async fn reports_outlive_changes_and_not_the_deployment(repository: &impl DeploymentJournal) {
    repository.write(vec![put("a", json!(1), Precondition::None)], note(1)).await.unwrap();
    repository.set_report(&id("a"), report(1)).await.unwrap();
    repository.write(vec![put("a", json!(2), Precondition::None)], note(1)).await.unwrap();
    assert_eq!(repository.get(&id("a")).await.unwrap().unwrap().report, Some(report(1)));
    repository.set_report(&id("missing"), report(1)).await.unwrap();
    assert_eq!(names(repository).await, ["default/a"]);
}

async fn what_was_available_is_kept_until_the_next_is(repository: &impl DeploymentJournal) {
    let artifact = ResolvedArtifact { uri: "m".into(), digest: Digest::from_sha256(&[1; 32]) };
    let apply = async |document: i32| {
        repository.write(vec![put("a", json!(document), Precondition::None)], note(1)).await.unwrap();
    };
    let before = async || repository.get(&id("a")).await.unwrap().unwrap().before;
    apply(1).await;
    repository.set_artifacts(&id("a"), 1, vec![artifact.clone()]).await.unwrap();
    apply(2).await;
    assert_eq!(before().await, None, "the first was never available");
    repository.set_artifacts(&id("a"), 2, vec![artifact.clone()]).await.unwrap();
    repository.set_report(&id("a"), report(2)).await.unwrap();
    let served = ServedGeneration { generation: 2, document: json!(2), artifacts: vec![artifact.clone()] };
    for document in 3..6 {
        apply(document).await;
        assert_eq!(before().await, Some(served.clone()));
    }
    repository.set_report(&id("a"), report(4)).await.unwrap();
    assert_eq!(before().await, Some(served), "a late report is about another generation");
    repository.set_report(&id("a"), report(5)).await.unwrap();
    assert_eq!(before().await, None);
}

async fn watchers_wake_on_every_write(repository: &impl DeploymentJournal) {
    let version = repository.changed(0).await;
    let (after, ()) = tokio::join!(repository.changed(version), async {
        repository.write(vec![put("a", json!(1), Precondition::None)], note(1)).await.unwrap();
    });
    assert!(after > version);
    repository.set_report(&id("a"), report(1)).await.unwrap();
    assert!(repository.changed(after).await > after);
}

macro_rules! conformance {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $case() {
                let folder = tempfile::tempdir().unwrap();
                super::$case(&super::open(folder.path()).await.unwrap()).await;
            })*
        }
    };
}

conformance!(
    documents_come_back_as_they_were,
    preconditions_guard_the_whole_transaction,
    history_tells_every_change,
    artifacts_belong_to_a_generation,
    reports_outlive_changes_and_not_the_deployment,
    what_was_available_is_kept_until_the_next_is,
    watchers_wake_on_every_write,
);

async fn open(folder: &std::path::Path) -> Result<SqliteRepository, OpenError> {
    SqliteRepository::open(&folder.join("metadata.db")).await
}

#[tokio::test]
async fn an_older_binary_refuses_newer_tables() {
    let folder = tempfile::tempdir().unwrap();
    let repository = open(folder.path()).await.unwrap();
    repository.pretend_newer().await;
    repository.close().await;
    let error = open(folder.path()).await.unwrap_err();
    assert!(error.to_string().contains("were written by a newer provost"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metadata.db");
    std::fs::write(&path, "not a database, but somebody's text").unwrap();
    assert!(open(folder.path()).await.is_err());
    assert_eq!(std::fs::read_to_string(path).unwrap(), "not a database, but somebody's text");
}
