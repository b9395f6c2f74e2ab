//! What a pass reads, and when again.

use http::StatusCode;
use kube::runtime::{events::Recorder, watcher::Event};
use serde_json::json;

use super::{
    super::{
        Figures, Options,
        accounts::tests::{Answer, Objects, Server},
        children::{Children, Facts, Rollout},
        claims::Claims,
        crd::Served,
    },
    *,
};
use crate::{ModelServers, kubernetes::Settings};

const READABLE: Objects = &[("serviceaccounts/mine", Answer::Account(&["bucket"])), ("secrets/bucket", Answer::Secret)];

/// A deployment whose model is in a bucket that this account gives access to.
fn deployment(uri: &str, account: &str) -> DynamicObject {
    let graph = json!({
        "name": "classifier",
        "implementation": "SKLEARN_SERVER",
        "modelUri": uri,
        "serviceAccountName": account,
    });
    serde_json::from_value(json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "iris", "namespace": "models", "generation": 1, "uid": "1"},
        "spec": {"predictors": [{"name": "main", "graph": graph}]},
    }))
    .unwrap()
}

fn context(server: &Server, reads_account_secrets: bool) -> Context {
    let settings = Settings::new("provost:1".to_owned());
    Context {
        client: server.client(),
        served: Served::SeldonDeployment,
        options: Options {
            namespaces: Vec::new(),
            kinds: &[Served::SeldonDeployment],
            controller_id: None,
            reads_account_secrets,
            servers: ModelServers::default(),
            settings,
        },
        children: Arc::new(Children::new(&[])),
        claims: Arc::new(Claims::new(0)),
        recorder: Recorder::new(server.client(), "provost".into()),
        figures: Arc::new(Figures::default()),
        memories: std::sync::Mutex::default(),
    }
}

async fn desired(object: &DynamicObject, context: &Context, memory: &mut Memory) -> Arc<Desired> {
    Pass::of(object, context).desired(memory).await.unwrap().unwrap()
}

fn pods(desired: &Desired) -> String {
    desired.objects(&Settings::new("provost:1".to_owned()))[0].to_string()
}

#[tokio::test]
async fn accounts_are_read_once_while_the_user_changes_nothing() {
    let server = Server::with(READABLE);
    let (context, mut memory) = (context(&server, true), Memory::default());
    let mut object = deployment("s3://models/iris", "mine");
    let first = desired(&object, &context, &mut memory).await;
    assert!(pods(&first).contains("secretKeyRef"));
    assert_eq!(server.asked().len(), 2);
    let second = desired(&object, &context, &mut memory).await;
    assert!(Arc::ptr_eq(&first, &second) && server.asked().is_empty());
    assert_eq!(next_look(&memory), Action::await_change());

    *server.objects.lock().unwrap() = &[("serviceaccounts/mine", Answer::Account(&[]))];
    object.metadata.generation = Some(2);
    let third = desired(&object, &context, &mut memory).await;
    assert!(!pods(&third).contains("secretKeyRef"), "pods are made as it is read anew");
    assert_ne!(third.hash, first.hash);
}

#[tokio::test]
async fn what_was_not_there_is_looked_for_again() {
    let server = Server::default();
    let (context, mut memory) = (context(&server, true), Memory::default());
    let object = deployment("s3://models/iris", "mine");
    let first = desired(&object, &context, &mut memory).await;
    assert_eq!(server.asked().len(), 1);
    assert_ne!(next_look(&memory), Action::await_change());
    desired(&object, &context, &mut memory).await;
    assert!(server.asked().is_empty(), "not yet");

    let wait = |memory: &mut Memory| memory.desired.as_mut().unwrap().stale = Some(Instant::now());
    wait(&mut memory);
    let second = desired(&object, &context, &mut memory).await;
    assert!(Arc::ptr_eq(&first, &second), "nothing is built again while nothing is there");
    assert_eq!(server.asked().len(), 1);

    *server.objects.lock().unwrap() = READABLE;
    wait(&mut memory);
    let third = desired(&object, &context, &mut memory).await;
    assert!(pods(&third).contains("secretKeyRef"));
    assert_eq!(next_look(&memory), Action::await_change());
}

#[tokio::test]
async fn nothing_is_read_that_is_not_needed_or_not_wanted() {
    let server = Server::with(READABLE);
    let on = context(&server, true);
    desired(&deployment("/models/iris", "mine"), &on, &mut Memory::default()).await;
    let off = context(&server, false);
    let desired = desired(&deployment("s3://models/iris", "mine"), &off, &mut Memory::default()).await;
    assert!(desired.warnings[0].contains("the service account `mine`: have no effect"), "{:?}", desired.warnings);
    assert_eq!(server.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn an_error_of_the_api_server_fails_the_pass() {
    let server = Server::with(&[("serviceaccounts/mine", Answer::Refused(StatusCode::INTERNAL_SERVER_ERROR))]);
    let (context, object) = (context(&server, true), deployment("s3://models/iris", "mine"));
    let failed = Pass::of(&object, &context).desired(&mut Memory::default()).await.unwrap_err();
    assert_eq!(failed.0, "reading a service account and its Secrets");
}

#[test]
fn what_nodes_had_of_their_own_leaves_with_the_revision_that_they_served() {
    let old = RevisionId::of("with a scorer apart", &[]);
    let child = |kind: Kind| Child {
        owner: Some("1".to_owned()),
        generation: Some(1),
        predictor: Some("main".to_owned()),
        revision: Some(old.to_string()),
        facts: if kind == Kind::Deployment { Facts::Deployment(Rollout::default()) } else { Facts::Other },
    };
    let apart = [
        (Kind::Deployment, "iris-main-1-scorer"),
        (Kind::HorizontalPodAutoscaler, "iris-main-1-scorer"),
        (Kind::Service, "iris-main-scorer"),
    ];
    let family: Family = apart.iter().map(|(kind, name)| ((*kind, (*name).to_owned()), child(*kind))).collect();
    let object = deployment("/models/iris", "");
    let settings = Settings::new("provost:1".to_owned());
    let desired = Desired::of(&object, &Arc::default(), &settings).unwrap();
    let route = |revision: &RevisionId| Route {
        predictor: "main".to_owned(),
        revision: revision.clone(),
        weight: 100,
        before: None,
    };
    let waits = Plan { steps: Vec::new(), ..Plan::default() };
    assert!(obsolete(&family, &desired, &waits, &[route(&old)]).is_empty(), "the revision before calls them");
    let retires = Plan { steps: vec![Step::Retire { predictor: "main".to_owned(), revision: old }], ..Plan::default() };
    let new = desired.revision("main").unwrap();
    assert_eq!(obsolete(&family, &desired, &retires, &[route(new)]), apart);
}

#[tokio::test]
async fn one_whose_name_an_older_resource_of_another_kind_has_makes_nothing() {
    let server = Server::default();
    let context = context(&server, false);
    let other =
        json!({"metadata": {"name": "iris", "namespace": "models", "creationTimestamp": "2026-01-01T00:00:00Z"}});
    let event = Event::Apply(serde_json::from_value(other).unwrap());
    context.claims.note(&(Served::InferenceService, None), &event, |_| true);
    let mut object = deployment("/models/iris", "");
    object.metadata.creation_timestamp = Some(serde_json::from_value("2026-01-02T00:00:00Z".into()).unwrap());
    context.claims.note(&(Served::SeldonDeployment, None), &Event::Apply(object.clone()), |_| true);
    // This server takes no events.
    let failed = Pass::of(&object, &context).make_so(&mut Memory::default()).await.unwrap_err();
    assert_eq!(failed.0, "writing an event");
    let asked: Vec<_> = server.asked().into_iter().filter(|path| !path.ends_with("/events")).collect();
    let status = "/apis/machinelearning.seldon.io/v1/namespaces/models/seldondeployments/iris/status";
    assert_eq!(asked, [status], "it is told, and nothing is applied");
    let told = name_taken(Served::InferenceService, &("models".to_owned(), "iris".to_owned()));
    assert!(
        told.contains("older InferenceService `iris`") && told.contains("inferenceservices.serving.kserve.io"),
        "{told}"
    );
}

/// A graph that calls two deployments.
fn graph() -> DynamicObject {
    let steps = json!([{"name": "one", "serviceName": "iris"}, {"name": "other", "serviceUrl": "http://wine/predict"}]);
    serde_json::from_value(json!({
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "InferenceGraph",
        "metadata": {"name": "flow", "namespace": "models", "generation": 1, "uid": "2"},
        "spec": {
            "nodes": {"root": {"routerType": "Ensemble", "steps": steps}},
            "timeout": 7,
            "resources": {"limits": {"cpu": "1"}},
        },
    }))
    .unwrap()
}

#[tokio::test]
async fn a_graph_waits_for_what_it_calls_and_follows_where_that_is() {
    let server = Server::default();
    let context = Context { served: Served::InferenceGraph, ..context(&server, false) };
    let (object, mut memory) = (graph(), Memory::default());
    let told = async |memory: &mut Memory| {
        let unmet = Pass::of(&object, &context).desired(memory).await.unwrap().unwrap_err();
        (unmet.state, unmet.reasons)
    };
    let path = "spec.nodes[root].steps[0].serviceName";
    let missing = format!("{path}: there is no deployment `iris` in the namespace: apply one");
    assert_eq!(told(&mut memory).await, (FAILED, vec![missing]));
    let be = |status: Value| {
        let mut iris = deployment("/models/iris", "");
        iris.data["status"] = status;
        context.claims.note(&(Served::SeldonDeployment, None), &Event::Apply(iris), |_| true);
    };
    be(json!({"state": "Creating"}));
    let waiting = format!("{path}: waiting for the deployment `iris`");
    assert_eq!(told(&mut memory).await, (CREATING, vec![waiting]));
    for url in ["http://iris-main:8000/predict", "http://iris-other:8000/predict"] {
        be(json!({"state": "Available", "address": {"url": url}}));
        let found = pods(&*desired(&object, &context, &mut memory).await);
        assert!(found.contains(url) && !found.contains("serviceName"), "{found}");
    }
}

#[test]
fn a_pod_of_a_graph_carries_what_the_graph_does() {
    let settings = Settings::new("provost:1".to_owned());
    let desired = Desired::of(&graph(), &Arc::default(), &settings).unwrap();
    let objects = desired.objects(&settings);
    let names: Vec<_> =
        objects.iter().map(|object| format!("{} {}", object["kind"], object["metadata"]["name"])).collect();
    assert_eq!(names, [r#""Deployment" "flow-graph-0-flow""#, r#""Service" "flow""#]);
    let container = &objects[0]["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["resources"]["limits"], json!({"cpu": "1"}));
    let environment = container["env"].as_array().unwrap();
    let manifest = environment.iter().find_map(|one| one["value"].as_str().filter(|value| value.contains("nodes")));
    let manifest: Value = serde_json::from_str(manifest.unwrap()).unwrap();
    assert_eq!(manifest["spec"], json!({"nodes": graph().data["spec"]["nodes"], "timeout": 7}));
    assert_eq!(manifest["kind"], "InferenceGraph");
}
