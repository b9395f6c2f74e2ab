//! The commands, as a user types them: what they print and how they end.

use provost_testkit::Shell;
use serde_json::{Value, json};

async fn start() -> Shell {
    Shell::start(env!("CARGO_BIN_EXE_provost")).await
}

#[tokio::test]
async fn a_deployments_life() {
    let shell = start().await;
    insta::assert_snapshot!(shell.run("get sdep"), @r"
    [0]
    There is no SeldonDeployment in the namespace `default`. Apply one with `provost apply -f FILE`.
    ");
    insta::assert_snapshot!(shell.run("apply -f examples/iris/deployment.yaml --dry-run"), @r"
    [0]
    seldondeployment/iris created (dry run)
    ");
    insta::assert_snapshot!(shell.run("apply -f examples/iris/deployment.yaml -m first"), @r"
    [0]
    seldondeployment/iris created
    ");
    insta::assert_snapshot!(shell.run("wait sdep/iris --for condition=Ready"), @r"
    [0]
    seldondeployment/iris condition met
    ");
    insta::assert_snapshot!(shell.run("get seldondeployments iris"), @r"
    [0]
    NAME   STATE       PREDICTORS             UPDATED                    DESCRIPTION
    iris   Available   main 90%, canary 10%   <time>
    ");
    let predicted = shell.run("predict iris -f examples/iris/requests/two-rows.json --predictor main");
    assert!(predicted.starts_with("[0]\n{\"data\":{\"names\":[\"t:0\",\"t:1\",\"t:2\"],\"ndarray\":[["), "{predicted}");
    let rows = shell.run("requests iris -o json");
    assert_eq!(rows.lines().filter(|line| line.contains("\"x.Sepal length\":")).count(), 2, "{rows}");
    insta::assert_snapshot!(shell.run("requests iris --where nothing=1"), @r#"
    [1]
    error: there is no column `nothing`; there are request_id, row, time, seq, predictor, revision, status, latency, error, "x.Sepal length", "x.Sepal width", "x.Petal length", "x.Petal Width", y.t:0, y.t:1, y.t:2
    "#);
    let told = shell.run("feedback iris --request-id one --truth 1,0 --reward -1");
    assert!(told.starts_with("[0]\n{\"data\":{\"names\":[],\"ndarray\":[]}"), "{told}");
    let feedback = shell.run("requests iris --feedback --where truth=1 -o json");
    assert!(feedback.contains("\"request_id\":\"one\"") && feedback.contains("\"reward\":-1.0"), "{feedback}");
    insta::assert_snapshot!(shell.run("feedback iris --request-id one"), @r"
    [1]
    error: tell what came of the prediction with --truth, --reward, or both
    ");
    insta::assert_snapshot!(shell.run("delete sdep iris"), @r"
    [0]
    seldondeployment/iris deleted
    ");
    insta::assert_snapshot!(shell.run("get sdep iris"), @r"
    [3]
    error: there is no deployment `iris` in the namespace `default`
    ");
}

#[tokio::test]
async fn mistakes_are_told_with_what_to_do() {
    let shell = start().await;
    insta::assert_snapshot!(shell.run("get pods"), @r"
    [2]
    error: there is no kind `pods`: known kinds: seldondeployments (sdep), inferenceservices (isvc), inferencegraphs (ig)
    ");
    insta::assert_snapshot!(shell.run("wait sdep missing --timeout 1s"), @r"
    [3]
    error: there is no deployment `missing` in the namespace `default`
    ");
    insta::assert_snapshot!(shell.run("status --server http://127.0.0.1:9"), @r"
    [4]
    error: cannot reach the server at http://127.0.0.1:9: Connection refused (os error 111)
    Start one with `provost serve`, or name one with --server or PROVOST_SERVER.
    ");
    let manifest = shell.write("wrong.yaml", "apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nmetadata:\n  name: a\nspec:\n  protocol: smoke\n  predictors:\n  - name: p\n    traffic: 40\n    graph:\n      name: n\n      implementation: SKLEARN_SERVER\n");
    insta::assert_snapshot!(shell.run(&format!("apply -f {manifest}")), @r"
    [1]
    error: 3 errors; nothing was stored
      <folder>/wrong.yaml:6: SeldonDeployment a: spec.protocol: Invalid protocol
      <folder>/wrong.yaml:11: SeldonDeployment a: spec.predictors[0].graph.modelUri: Predictive unit modelUri required when using standalone servers
      <folder>/wrong.yaml:9: SeldonDeployment a: spec.predictors[0].traffic: Traffic must sum be 100 for a single predictor when set
    ");
    insta::assert_snapshot!(shell.run("predict iris -f examples/iris/requests/two-rows.json"), @r#"
    [1]
    {"status":{"code":404,"info":"there is no deployment in the namespace `default`","reason":"NOT_FOUND","status":"FAILURE"}}
    error: the server answered 404
    "#);
}

#[tokio::test]
async fn images_are_printed_one_a_line() {
    let shell = start().await;
    insta::assert_snapshot!(shell.run("print images --image registry.example/provost:1"), @r"
    [0]
    registry.example/provost:1
    ");
    let manifest = shell.write("iris.yaml", "apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nmetadata:\n  name: iris\nspec:\n  predictors:\n  - name: main\n    graph:\n      name: classifier\n      implementation: SKLEARN_SERVER\n      modelUri: s3://models/iris\n    componentSpecs:\n    - spec:\n        containers:\n        - name: proxy\n          image: envoyproxy/envoy:v1.30.1\n");
    let line = format!("print images --image provost:1 --storage-initializer-image fetch:1 -f {manifest}");
    insta::assert_snapshot!(shell.run(&line), @r"
    [0]
    envoyproxy/envoy:v1.30.1
    fetch:1
    provost:1
    ");
    insta::assert_snapshot!(shell.run(&format!("{line} -o json")), @r#"
    [0]
    [
      "envoyproxy/envoy:v1.30.1",
      "fetch:1",
      "provost:1"
    ]
    "#);
    let wrong = shell.write("wrong.yaml", "apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nmetadata:\n  name: a\nspec:\n  predictors:\n  - name: p\n    graph:\n      name: n\n      implementation: SKLEARN_SERVER\n");
    insta::assert_snapshot!(shell.run(&format!("print images -f {wrong}")), @r"
    [1]
    error: <folder>/wrong.yaml:1: SeldonDeployment a: spec.predictors[0].graph.modelUri: Predictive unit modelUri required when using standalone servers
    ");
}

#[tokio::test]
async fn model_servers_are_printed_with_those_of_an_installation() {
    let shell = start().await;
    let map = |name: &str, servers: &str| {
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: seldon-config, namespace: seldon-system}}\ndata:\n  predictor_servers: |\n    {servers}\n"
        );
        shell.write(name, &text)
    };
    let custom = r#"{"CUSTOM_SERVER": {"protocols": {"seldon": {"image": "custom", "defaultImageVersion": "1.0"}}}}"#;
    let config = map("seldon-config.yaml", custom);
    insta::assert_snapshot!(shell.run(&format!("print servers -f {config}")), @r"
    [0]
    IMPLEMENTATION       PROTOCOL     IMAGE                                   FROM                                    SERVES
    CATBOOST_SERVER      seldon       native                                  built in                                CatBoost
    CATBOOST_SERVER      tensorflow   native                                  built in                                CatBoost
    CATBOOST_SERVER      kfserving    native                                  built in                                CatBoost
    CUSTOM_SERVER        seldon       custom:1.0                              ConfigMap seldon-system/seldon-config   a server of this installation
    HUGGINGFACE_SERVER   kfserving    seldonio/mlserver:1.1.0-huggingface     built in                                Hugging Face
    LIGHTGBM_SERVER      seldon       native                                  built in                                LightGBM
    LIGHTGBM_SERVER      tensorflow   native                                  built in                                LightGBM
    LIGHTGBM_SERVER      kfserving    native                                  built in                                LightGBM
    MLFLOW_SERVER        seldon       seldonio/mlflowserver:1.9.1             built in                                MLflow
    MLFLOW_SERVER        kfserving    seldonio/mlserver:1.1.0-mlflow          built in                                MLflow
    SKLEARN_SERVER       seldon       native                                  built in                                scikit-learn
    SKLEARN_SERVER       tensorflow   native                                  built in                                scikit-learn
    SKLEARN_SERVER       kfserving    native                                  built in                                scikit-learn
    TEMPO_SERVER         kfserving    seldonio/mlserver:0.3.2                 built in                                Tempo
    TENSORFLOW_SERVER    seldon       seldonio/tfserving-proxy:1.9.1          built in                                TensorFlow Serving
    TENSORFLOW_SERVER    tensorflow   tensorflow/serving:2.1.0                built in                                TensorFlow Serving
    TRITON_SERVER        kfserving    nvcr.io/nvidia/tritonserver:20.08-py3   built in                                NVIDIA Triton
    XGBOOST_SERVER       seldon       native                                  built in                                XGBoost
    XGBOOST_SERVER       tensorflow   native                                  built in                                XGBoost
    XGBOOST_SERVER       kfserving    native                                  built in                                XGBoost
    ");
    let json: Value =
        serde_json::from_str(shell.run(&format!("print servers -f {config} -o json")).trim_start_matches("[0]\n"))
            .unwrap();
    let expected = json!({"implementation": "CUSTOM_SERVER", "serves": "a server of this installation", "protocol": "seldon", "image": "custom:1.0", "origin": "ConfigMap seldon-system/seldon-config"});
    let own = json.as_array().unwrap().iter().find(|one| one["implementation"] == "CUSTOM_SERVER");
    assert_eq!(own, Some(&expected));
    let manifest = shell.write("own.yaml", "apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nmetadata:\n  name: own\nspec:\n  predictors:\n  - name: main\n    graph:\n      name: model\n      implementation: CUSTOM_SERVER\n      modelUri: s3://models/own\n");
    insta::assert_snapshot!(shell.run(&format!("print images -f {manifest} --model-servers {config} --image provost:1")), @r"
    [0]
    custom:1.0
    provost:1
    ");
    let wrong = map("wrong.yaml", r#"{"A": {"protocols": {"soap": {"image": "a"}}}}"#);
    insta::assert_snapshot!(shell.run(&format!("print servers -f {wrong}")), @r"
    [1]
    error: ConfigMap seldon-system/seldon-config: predictor_servers.A: protocol `soap` is not known; use one of seldon, tensorflow, kfserving
    ");
}

#[tokio::test]
async fn a_models_files_are_fetched_into_a_folder() {
    let shell = start().await;
    let file = shell.write("model.joblib", "abc");
    let target = file.replace("model.joblib", "target");
    let fetched = shell.run(&format!("fetch {file} {target}"));
    assert!(fetched.starts_with("[0]\n") && fetched.contains("sha256:"), "{fetched}");
    assert_eq!(std::fs::read_to_string(format!("{target}/model.joblib")).unwrap(), "abc");
    let none = shell.run(&format!("fetch /no/such/folder {target}"));
    assert_eq!(none, "[1]\nerror: there is no file or folder `/no/such/folder`: check the model URI\n");
}

#[tokio::test]
async fn a_cluster_that_cannot_be_reached_is_one_failure() {
    let shell = start().await;
    let cluster = "{name: a, cluster: {server: \"http://127.0.0.1:9\"}}";
    shell.write("kubeconfig", &format!("apiVersion: v1\nkind: Config\nclusters: [{cluster}]\nusers: [{{name: a, user: {{}}}}]\ncontexts: [{{name: a, context: {{cluster: a, user: a}}}}]\ncurrent-context: a\n"));
    insta::assert_snapshot!(shell.run("doctor --namespace models --gateway gateways/public"), @r"
    [1]
    CHECK        OUTCOME   FOUND
    api-server   failed    the API server at http://127.0.0.1:9 cannot be asked, so nothing else was checked: Connection refused (os error 111)
                           advice: see that `kubectl version` answers, by KUBECONFIG and the context that is chosen there
    error: 1 of 1 checks failed
    ");
    insta::assert_snapshot!(shell.run("doctor -o json"), @r#"
    [1]
    {
      "checks": [
        {
          "name": "api-server",
          "outcome": "failed",
          "found": "the API server at http://127.0.0.1:9 cannot be asked, so nothing else was checked: Connection refused (os error 111)",
          "advice": "see that `kubectl version` answers, by KUBECONFIG and the context that is chosen there"
        }
      ]
    }
    error: 1 of 1 checks failed
    "#);
    let wrong = shell.run("doctor --gateway public");
    assert!(wrong.starts_with("[2]\nerror: invalid value 'public' for '--gateway <GATEWAY>'"), "{wrong}");
}

#[tokio::test]
async fn model_files_are_looked_into_and_nothing_in_them_runs() {
    let shell = start().await;
    insta::assert_snapshot!(shell.run("model inspect examples/iris/sklearn"), @r"
    [0]
    WHAT             IS
    file             model.joblib (991 bytes)
    model            LogisticRegression
    written by       scikit-learn 1.9.1
    served by        SKLEARN_SERVER
    features         4
    missing values   refused
    answers with     predict_proba: 3 probabilities a row
    classes          3: 0, 1, 2
    a row takes      about 0.07 us
    ");
    let json = shell.run("model inspect examples/iris/sklearn --method predict -o json");
    assert!(
        json.contains("\"method\": \"predict\"") && json.contains("\"output\": \"one whole number a row\""),
        "{json}"
    );
    insta::assert_snapshot!(shell.run("model inspect examples/iris/sklearn --method predict_log_proba"), @r"
    [2]
    error: invalid value 'predict_log_proba' for '--method <METHOD>': use one of predict_proba, predict, transform, decision_function, score_samples

    For more information, try '--help'.
    ");
    let hostile = "crates/predictors/fixtures/hostile";
    insta::assert_snapshot!(shell.run(&format!("model inspect {hostile}/global-os.system.pkl")), @r"
    [1]
    error: cannot read `global-os.system.pkl` as a pickle: the file asks for `os.system`, which is not on the list of names a model may use; nothing in the file was run
    ");
    insta::assert_snapshot!(shell.run("model inspect examples"), @r"
    [1]
    error: no model file: looked for `model.joblib`, `model.pkl`, `model.pickle` or a single file that ends alike, the artifact has `iris/README.md`, `iris/deployment.yaml`, `iris/expected.json`, `iris/requests/two-rows.json`, `iris/requirements.txt`, `iris/sklearn/model.joblib`, `iris/train.py`, `iris/xgboost/model.bst`
    ");
}
