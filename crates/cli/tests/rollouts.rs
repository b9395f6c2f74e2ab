//! Canaries, shadows and rollback, as a user types them; and that no request is lost meanwhile.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use provost_api::rest::v1::deployments::DeploymentState;
use provost_testkit::{Shell, eventually, manifest};
use serde_json::{Value, json};

const ROW: &str = r#"{"data":{"ndarray":[[6.8,2.8,4.8,1.4]]}}"#;
const ADD: &str = "canary add iris --model-uri examples/iris/xgboost --implementation XGBOOST_SERVER";
const CONFIGURED: &str = "[0]\nseldondeployment/iris configured\n";

/// A server with the deployment `iris`, whose only predictor is `main`.
async fn start() -> Shell {
    let shell = Shell::start(env!("CARGO_BIN_EXE_provost")).await;
    shell.node().apply(&manifest("iris", "SKLEARN_SERVER", "examples/iris/sklearn")).await;
    shell.node().await_state("iris", DeploymentState::Available).await;
    shell
}

/// Runs a command that changes `iris`, and sees what `get` tells of the traffic then.
#[track_caller]
fn changes(shell: &Shell, line: &str, traffic: &str) {
    assert_eq!(shell.run(&format!("{line} --wait")), CONFIGURED, "{line}");
    let shown = shell.run("get sdep iris");
    assert!(shown.contains(&format!("iris   Available   {traffic} ")), "{line}: {shown}");
}

#[tokio::test]
async fn a_canary_is_added_weighed_promoted_and_rolled_back() {
    let shell = start().await;
    changes(&shell, &format!("{ADD} -m try-it"), "main 90%, canary 10%");
    let reply = shell.node().post("/seldon/default/iris/api/v1.0/predictions", ROW, &[("provost-predictor", "canary")]);
    assert_eq!(reply.await.status, 200);
    changes(&shell, "canary weight iris 60", "main 40%, canary 60%");
    changes(&shell, "canary promote iris -m it-does-well", "canary 100%");
    changes(&shell, "rollback iris", "main 40%, canary 60%");
    changes(&shell, "canary remove iris", "main 100%");
    changes(&shell, "rollback iris --to 4 -m back", "canary 100%");
    changes(
        &shell,
        "canary add iris --model-uri examples/iris/xgboost/model.bst --weight 1",
        "canary 99%, canary-2 1%",
    );
    let history = shell.node().client().history("default", "iris").await.unwrap();
    let messages: Vec<_> = history.items.iter().map(|change| change.message.as_deref().unwrap_or("-")).collect();
    assert_eq!(messages, ["-", "back", "-", "rollback to generation 3", "it-does-well", "-", "try-it", "-"]);
}

#[tokio::test]
async fn a_canary_can_be_a_whole_predictor_from_a_file() {
    let shell = start().await;
    let file = shell.write(
        "blue.yaml",
        "name: blue\ntraffic: 30\ngraph:\n  name: other\n  implementation: XGBOOST_SERVER\n  modelUri: examples/iris/xgboost\n",
    );
    changes(&shell, &format!("canary add iris -f {file}"), "main 70%, blue 30%");
    changes(&shell, "canary add iris --model-uri examples/iris/sklearn --weight 5", "main 65%, blue 30%, canary 5%");
    insta::assert_snapshot!(shell.run("canary promote iris"), @r"
    [1]
    error: there is more than one canary: name one of `blue`, `canary`
    ");
    changes(&shell, "canary promote iris --predictor blue", "blue 100%, canary 0%");
    let broken = shell.write("broken.yaml", "name: [blue");
    let error = shell.run(&format!("canary add iris -f {broken}"));
    assert!(error.starts_with("[1]\nerror: cannot read a predictor from `<folder>/broken.yaml`: "), "{error}");
}

#[tokio::test]
async fn a_dry_run_shows_the_manifest_that_would_be_and_changes_nothing() {
    let shell = start().await;
    assert_eq!(shell.run(&format!("{ADD} --dry-run")), "[0]\nseldondeployment/iris configured (dry run)\n");
    let shown = shell.run(&format!("{ADD} --dry-run --weight 25 -o json"));
    let shown: Value = serde_json::from_str(shown.strip_prefix("[0]\n").unwrap()).unwrap();
    assert_eq!(shown["applied"][0]["generation"], 2);
    let manifest = shown["applied"][0]["manifestYaml"].as_str().unwrap();
    assert!(manifest.contains("traffic: 75") && manifest.contains("modelUri: examples/iris/xgboost"), "{manifest}");
    let detail = shell.node().client().deployment("default", "iris", None).await.unwrap();
    assert_eq!((detail.summary.generation, detail.summary.predictors.len()), (1, 1));
}

#[tokio::test]
async fn what_cannot_be_done_is_told_with_what_to_do() {
    let shell = start().await;
    insta::assert_snapshot!(shell.run("canary weight iris 5"), @r"
    [1]
    error: there is no canary: add one first
    ");
    insta::assert_snapshot!(shell.run("canary remove iris --predictor main"), @r"
    [1]
    error: `main` is the last predictor that gets traffic: add a canary and promote it, or delete the deployment
    ");
    insta::assert_snapshot!(shell.run("canary add iris"), @r"
    [1]
    error: say what the canary serves: a model URI, a model server, parameters, or a whole predictor
    ");
    insta::assert_snapshot!(shell.run("canary add iris --implementation NO_SUCH_SERVER"), @r"
    [1]
    error: the changed manifest: SeldonDeployment iris: spec.predictors[1].graph.implementation: No entry in predictors map for NO_SUCH_SERVER; known are CATBOOST_SERVER, HUGGINGFACE_SERVER, LIGHTGBM_SERVER, MLFLOW_SERVER, SKLEARN_SERVER, TEMPO_SERVER, TENSORFLOW_SERVER, TRITON_SERVER, XGBOOST_SERVER
    ");
    insta::assert_snapshot!(shell.run("shadow promote iris"), @r"
    [1]
    error: there is no shadow: add one first
    ");
    insta::assert_snapshot!(shell.run("rollback iris"), @r"
    [1]
    error: no manifest of `default/iris` before generation 1 differs from it: there is nothing to go back to
    ");
    insta::assert_snapshot!(shell.run("rollback iris --to 7"), @r"
    [3]
    error: `default/iris` is at generation 1, and has no manifest of generation 7 before it
    ");
    insta::assert_snapshot!(shell.run("canary promote missing"), @r"
    [3]
    error: there is no deployment `missing` in the namespace `default`
    ");
    insta::assert_snapshot!(shell.run(&format!("{ADD} --generation 9")), @r"
    [1]
    error: `default/iris` has changed meanwhile: it is at generation 1; read it again and decide anew
    ");
}

#[tokio::test]
async fn command_lines_and_servers_that_are_wrong_have_codes_of_their_own() {
    let shell = start().await;
    for wrong in ["canary weight iris 101", "canary weight iris", "canary add iris --parameter method", "canary split"]
    {
        assert!(shell.run(wrong).starts_with("[2]\n"), "{wrong}");
    }
    let nowhere = shell.run("rollback iris --server http://127.0.0.1:9");
    assert!(nowhere.starts_with("[4]\nerror: cannot reach the server"), "{nowhere}");
    let late = shell.run("canary add iris --model-uri /no/such/model --wait --timeout 1s");
    assert!(late.starts_with("[5]\nerror: iris is not there after 1s: Failed: "), "{late}");
}

#[tokio::test]
async fn a_shadow_is_added_and_promoted_and_nobody_sees_its_answers_before() {
    let shell = start().await;
    let shadow = "shadow add iris --model-uri examples/iris/xgboost --implementation XGBOOST_SERVER";
    changes(&shell, shadow, "main 100%, shadow shadow");
    let reply = shell.node().predict("iris", ROW).await;
    assert_eq!((reply.status, reply.headers["provost-predictor"].to_str().unwrap()), (200, "main"));
    let id = reply.headers["seldon-puid"].to_str().unwrap().to_owned();
    let answered = eventually(async || {
        let rows = shell.node().all_requests("iris").await;
        if rows.len() == 2 { Ok(rows) } else { Err(rows) }
    })
    .await;
    let mut predictors: Vec<_> = answered.iter().map(|row| row["predictor"].as_str().unwrap()).collect();
    predictors.sort_unstable();
    assert_eq!(predictors, ["main", "shadow"]);
    assert!(answered.iter().all(|row| row["request_id"] == id.as_str()), "{answered:?}");
    changes(&shell, "shadow promote iris", "shadow 100%");
}

#[tokio::test]
async fn a_shadow_gets_copies_of_its_share_and_its_failures_are_its_own() {
    let shell = start().await;
    let predictor = |name: &str, server: &str, uri: &str| json!({"name": name, "graph": {"name": "classifier", "implementation": server, "modelUri": uri}});
    let mut main = predictor("main", "SKLEARN_SERVER", "examples/iris/sklearn");
    main["traffic"] = json!(100);
    let mut shadow = predictor("shadow", "XGBOOST_SERVER", "examples/iris/xgboost");
    (shadow["shadow"], shadow["traffic"]) = (json!(true), json!(30));
    let manifest = json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "iris"},
        "spec": {"predictors": [main, shadow]},
    });
    let applied = shell.node().apply(&manifest.to_string()).await;
    assert!(applied.applied[0].warnings.is_empty(), "{:?}", applied.applied[0].warnings);
    shell.node().await_state("iris", DeploymentState::Available).await;
    let (requests, mut copied) = (400, 0);
    for _ in 0..requests {
        assert_eq!(shell.node().predict("iris", ROW).await.headers["provost-predictor"], "main");
    }
    let pinned = [("provost-predictor", "main")];
    shell.node().post("/seldon/default/iris/api/v1.0/predictions", ROW, &pinned).await;
    // What only the boosted model takes is no failure of it: a missing value.
    let missing = r#"{"data":{"ndarray":[[6.8,2.8,4.8,null]]}}"#;
    assert_eq!(shell.node().predict("iris", missing).await.status, 400);
    eventually(async || {
        let rows = shell.node().all_requests("iris").await;
        copied = rows.iter().filter(|row| row["predictor"] == "shadow").count();
        let own = rows.len() - copied;
        // Five standard deviations of a binomial with p = 0.3.
        if own == requests + 2 && (75..=166).contains(&copied) { Ok(()) } else { Err((own, copied)) }
    })
    .await;
}

/// Who answered with which status, and how often.
type Answers = Arc<Mutex<BTreeMap<(u16, String), u64>>>;

/// Predicts until it is told to stop.
async fn predict_on(shell: Arc<Shell>, answers: Answers, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        let reply = shell.node().predict("iris", ROW).await;
        let predictor = reply.headers.get("provost-predictor").map(|name| name.to_str().unwrap().to_owned());
        *answers.lock().unwrap().entry((reply.status, predictor.unwrap_or_default())).or_default() += 1;
    }
}

fn total(answers: &Answers) -> u64 {
    answers.lock().unwrap().values().sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_a_canary_is_added_weighed_promoted_and_rolled_back() {
    let (shell, answers, stop) = (Arc::new(start().await), Answers::default(), Arc::new(AtomicBool::new(false)));
    let client = || tokio::spawn(predict_on(Arc::clone(&shell), Arc::clone(&answers), Arc::clone(&stop)));
    let clients: Vec<_> = (0..4).map(|_| client()).collect();
    for (line, traffic) in [
        (ADD, "main 90%, canary 10%"),
        ("canary weight iris 1", "main 99%, canary 1%"),
        ("canary weight iris 50", "main 50%, canary 50%"),
        ("canary weight iris 99", "main 1%, canary 99%"),
        ("canary promote iris", "canary 100%"),
        ("rollback iris", "main 1%, canary 99%"),
    ] {
        changes(&shell, line, traffic);
        let before = total(&answers);
        eventually(async || match total(&answers) - before {
            0..500 => Err("too few answers"),
            _ => Ok(()),
        })
        .await;
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    let answers = answers.lock().unwrap();
    let who: Vec<_> = answers.keys().map(|(status, predictor)| (*status, predictor.as_str())).collect();
    assert_eq!(who, [(200, "canary"), (200, "main")], "{answers:?}");
}
