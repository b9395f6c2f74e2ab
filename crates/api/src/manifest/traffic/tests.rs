//! What becomes of manifests, and what is said where nothing can.

use provost_domain::{Engine, Namespace, ServerCatalog};
use serde_json::{Value, json};

use super::change_predictors;
use crate::{
    manifest::{ManifestDocument, parse_deployment},
    rest::v1::changes::PredictorChange,
};

/// A predictor `name` that serves `/models/<model>`.
fn predictor(name: &str, traffic: Option<i32>, model: &str) -> Value {
    let graph =
        json!({"name": "classifier", "implementation": "SKLEARN_SERVER", "modelUri": format!("/models/{model}")});
    match traffic {
        Some(traffic) => json!({"name": name, "traffic": traffic, "graph": graph}),
        None => json!({"name": name, "graph": graph}),
    }
}

fn shadow(name: &str) -> Value {
    let mut shadow = predictor(name, None, name);
    shadow["shadow"] = true.into();
    shadow
}

fn manifest(predictors: &[Value]) -> Value {
    json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "iris", "labels": {"team": "fraud"}},
        "spec": {"annotations": {"a": "b"}, "predictors": predictors, "protocol": "seldon"},
    })
}

fn parsed(change: Value) -> PredictorChange {
    serde_json::from_value(change).unwrap()
}

fn change(document: &Value, change: Value) -> Result<Value, String> {
    change_predictors(document, &parsed(change))
}

/// Changes a manifest, sees that the outcome is served on a cluster, and gives its predictors.
#[track_caller]
fn changed(predictors: &[Value], what: Value) -> Vec<Value> {
    let outcome = change(&manifest(predictors), what).unwrap();
    let document = ManifestDocument::from_json("test", outcome.clone()).unwrap();
    let namespace = Namespace::default_namespace();
    let parsed = parse_deployment(&document, &namespace, &ServerCatalog::default(), Engine::Kubernetes);
    assert!(parsed.is_ok(), "{outcome:#}: {parsed:?}");
    let after = outcome["spec"]["predictors"].as_array().unwrap().clone();
    assert_eq!(outcome, manifest(&after), "what the change is not about stays");
    after
}

/// Names and shares; `None` for a predictor of which no share is said.
fn shares(predictors: &[Value]) -> Vec<(&str, Option<i64>)> {
    predictors.iter().map(|one| (one["name"].as_str().unwrap(), one["traffic"].as_i64())).collect()
}

#[track_caller]
fn refused(predictors: &[Value], what: Value, expected: &str) {
    assert_eq!(change(&manifest(predictors), what), Err(expected.to_owned()));
}

fn main() -> Value {
    predictor("main", None, "one")
}

fn two() -> [Value; 2] {
    [predictor("main", Some(90), "one"), predictor("canary", Some(10), "two")]
}

fn three() -> [Value; 3] {
    [predictor("main", Some(60), "one"), predictor("a", Some(30), "two"), predictor("b", Some(10), "three")]
}

#[test]
fn a_canary_is_the_main_predictor_with_another_model_and_a_tenth_of_the_traffic() {
    let after = changed(&[main()], json!({"change": "add", "role": "canary", "modelUri": "/models/two"}));
    assert_eq!(after, two());
    let first: Vec<_> = after[0].as_object().unwrap().keys().collect();
    assert_eq!(first, ["name", "traffic", "graph"], "people read the share beside the name");
}

#[test]
fn name_share_server_and_parameters_of_a_canary_can_be_said() {
    let after = changed(
        &[main()],
        json!({"change": "add", "role": "canary", "name": "challenger", "weight": 25, "modelUri": "/models/two",
            "implementation": "XGBOOST_SERVER", "parameters": [{"name": "method", "value": "predict"}]}),
    );
    assert_eq!(shares(&after), [("main", Some(75)), ("challenger", Some(25))]);
    let expected = json!({"name": "classifier", "implementation": "XGBOOST_SERVER", "modelUri": "/models/two",
        "parameters": [{"name": "method", "type": "STRING", "value": "predict"}]});
    assert_eq!(after[1]["graph"], expected);
}

#[test]
fn a_copy_keeps_all_but_names_that_are_the_main_predictors_own() {
    let mut written = main();
    written["replicas"] = 3.into();
    written["labels"] = json!({"version": "main", "team": "fraud"});
    written["annotations"] = json!({"seldon.io/svc-name": "iris-service"});
    written["componentSpecs"] = json!([{
        "metadata": {"name": "iris-pods", "labels": {"cost": "ml"}},
        "spec": {"containers": [{"name": "classifier", "resources": {"requests": {"memory": "1Gi"}}}]},
    }]);
    let after = changed(&[written.clone()], json!({"change": "add", "role": "canary", "modelUri": "/models/two"}));
    let canary = &after[1];
    assert_eq!(canary["labels"], json!({"team": "fraud"}));
    assert_eq!(canary.get("annotations"), None);
    assert_eq!(canary["replicas"], 3);
    let mut specs = written["componentSpecs"].clone();
    specs[0]["metadata"] = json!({"labels": {"cost": "ml"}});
    assert_eq!(canary["componentSpecs"], specs);
    assert_eq!(after[0]["annotations"], written["annotations"]);
    written["labels"] = json!({"version": "v1"});
    let after = changed(&[written], json!({"change": "add", "role": "canary", "modelUri": "/models/two"}));
    assert_eq!(after[1]["labels"], json!({"version": "v1"}), "a version that its author chose is kept");
}

#[test]
fn parameters_are_copied_unless_the_server_is_another() {
    let mut written = main();
    written["graph"]["parameters"] =
        json!([{"name": "method", "type": "STRING", "value": "predict"}, {"name": "n", "type": "INT", "value": "1"}]);
    let graph =
        |what: Value| change(&manifest(&[written.clone()]), what).unwrap()["spec"]["predictors"][1]["graph"].clone();
    let copied = graph(json!({"change": "add", "role": "canary", "modelUri": "/models/two"}));
    assert_eq!(copied["parameters"], written["graph"]["parameters"]);
    let replaced = graph(json!({"change": "add", "role": "canary", "parameters": [{"name": "n", "value": "2"}]}));
    let expected =
        json!([{"name": "method", "type": "STRING", "value": "predict"}, {"name": "n", "type": "INT", "value": "2"}]);
    assert_eq!(replaced["parameters"], expected);
    assert_eq!(replaced["modelUri"], "/models/one");
    let other = graph(
        json!({"change": "add", "role": "canary", "implementation": "XGBOOST_SERVER", "modelUri": "/models/two"}),
    );
    assert_eq!(other.get("parameters"), None);
}

#[test]
fn a_predictor_can_be_given_whole() {
    let mut given = predictor("blue", Some(40), "two");
    given["replicas"] = 2.into();
    let after = changed(&[main()], json!({"change": "add", "role": "canary", "predictor": given}));
    assert_eq!(after, [predictor("main", Some(60), "one"), given.clone()]);
    let after = changed(
        &[main()],
        json!({"change": "add", "role": "canary", "name": "green", "weight": 5, "predictor": given}),
    );
    assert_eq!(shares(&after), [("main", Some(95)), ("green", Some(5))]);
    let after = changed(&[main()], json!({"change": "add", "role": "shadow", "predictor": given}));
    assert_eq!(after[1].get("traffic"), None);
    assert_eq!(after[1]["shadow"], true);
}

#[test]
fn after_a_promotion_the_next_canary_has_another_name() {
    let add = json!({"change": "add", "role": "canary", "modelUri": "/models/three"});
    let promoted = [predictor("canary", None, "two")];
    assert_eq!(shares(&changed(&promoted, add.clone())), [("canary", Some(90)), ("canary-2", Some(10))]);
    let promoted = [predictor("canary-2", None, "two")];
    assert_eq!(shares(&changed(&promoted, add)), [("canary-2", Some(90)), ("canary", Some(10))]);
}

#[test]
fn what_a_canary_gains_the_main_predictor_loses() {
    for (weight, left) in [(0, 100), (1, 99), (50, 50), (100, 0)] {
        let after = changed(&two(), json!({"change": "weight", "weight": weight}));
        assert_eq!(shares(&after), [("main", Some(left)), ("canary", Some(weight))]);
    }
    let after = changed(&three(), json!({"change": "weight", "predictor": "b", "weight": 70}));
    assert_eq!(shares(&after), [("main", Some(0)), ("a", Some(30)), ("b", Some(70))]);
}

#[test]
fn a_shadow_is_not_the_main_predictor_though_it_stands_first() {
    let [main, canary] = two();
    let after = changed(&[shadow("copy"), main, canary], json!({"change": "weight", "weight": 20}));
    assert_eq!(shares(&after), [("copy", None), ("main", Some(80)), ("canary", Some(20))]);
}

#[test]
fn a_promoted_canary_takes_all_traffic_in_the_place_of_the_main_predictor() {
    let after = changed(&two(), json!({"change": "promote", "role": "canary"}));
    assert_eq!(after, [predictor("canary", None, "two")]);
    let after = changed(&three(), json!({"change": "promote", "role": "canary", "predictor": "b"}));
    assert_eq!(shares(&after), [("b", Some(100)), ("a", Some(0))]);
    let [main, canary] = two();
    let after = changed(&[main, shadow("copy"), canary.clone()], json!({"change": "promote", "role": "canary"}));
    assert_eq!(after, [predictor("canary", None, "two"), shadow("copy")]);
}

#[test]
fn what_a_removed_canary_had_the_main_predictor_gets_back() {
    assert_eq!(changed(&two(), json!({"change": "remove", "role": "canary"})), [main()]);
    let after = changed(&three(), json!({"change": "remove", "role": "canary", "predictor": "a"}));
    assert_eq!(shares(&after), [("main", Some(90)), ("b", Some(10))]);
}

#[test]
fn a_shadow_comes_and_goes_without_a_share() {
    let mut written = main();
    written["traffic"] = 100.into();
    let add = json!({"change": "add", "role": "shadow", "modelUri": "/models/shadow"});
    let after = changed(&[written.clone()], add);
    assert_eq!(after, [written.clone(), shadow("shadow")]);
    assert_eq!(changed(&after, json!({"change": "remove", "role": "shadow"})), [written]);
    let promoted = changed(&after, json!({"change": "promote", "role": "shadow"}));
    assert_eq!(promoted, [predictor("shadow", None, "shadow")]);
    let promoted = changed(&[shadow("copy"), main()], json!({"change": "promote", "role": "shadow"}));
    assert_eq!(promoted, [predictor("copy", None, "copy")]);
}

#[test]
fn a_change_of_what_is_not_there_says_what_to_do() {
    let no_canary = "there is no canary: add one first";
    refused(&[main()], json!({"change": "weight", "weight": 5}), no_canary);
    refused(&[main(), shadow("copy")], json!({"change": "promote", "role": "canary"}), no_canary);
    refused(&two(), json!({"change": "remove", "role": "shadow"}), "there is no shadow: add one first");
    let several = "there is more than one canary: name one of `a`, `b`";
    refused(&three(), json!({"change": "promote", "role": "canary"}), several);
    let unknown = "there is no predictor `c`: name one of `main`, `canary`";
    refused(&two(), json!({"change": "weight", "predictor": "c", "weight": 5}), unknown);
    let other = "`copy` is a shadow, not a canary: change it as a shadow";
    refused(&[main(), shadow("copy")], json!({"change": "remove", "role": "canary", "predictor": "copy"}), other);
}

#[test]
fn the_main_predictor_is_not_changed_itself() {
    let last = "`main` is the last predictor that gets traffic: add a canary and promote it, or delete the deployment";
    let remove = json!({"change": "remove", "role": "canary", "predictor": "main"});
    refused(&[main()], remove.clone(), last);
    refused(&[main(), shadow("copy")], remove.clone(), last);
    let main = "`main` is the main predictor, which gets the traffic that canaries leave: change or promote a canary";
    refused(&two(), remove, main);
}

#[test]
fn shares_are_percent_and_sum_to_a_hundred() {
    for weight in [-1, 101] {
        let expected = format!("`{weight}` is no share in percent: use a number from 0 to 100");
        refused(&two(), json!({"change": "weight", "weight": weight}), &expected);
    }
    let most = "`b` can get at most 70 %, as other canaries get 30 %: lower theirs first";
    refused(&three(), json!({"change": "weight", "predictor": "b", "weight": 71}), most);
    let add = json!({"change": "add", "role": "canary", "name": "c", "modelUri": "/models/c", "weight": 61});
    refused(&three(), add, "`c` can get at most 60 %, as other canaries get 40 %: lower theirs first");
}

#[test]
fn what_cannot_be_added_is_told_with_what_to_do() {
    let add = |more: Value| {
        let mut change = json!({"change": "add", "role": "canary"});
        change.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        change
    };
    let nothing = "say what the canary serves: a model URI, a model server, parameters, or a whole predictor";
    refused(&[main()], add(json!({})), nothing);
    let taken = "there is a predictor `canary` already: remove it first, or name the new one otherwise";
    refused(&two(), add(json!({"modelUri": "/models/c"})), taken);
    let both = "give the canary whole, or a model URI, model server or parameters for a copy of the main one: not both";
    refused(&[main()], add(json!({"modelUri": "/models/c", "predictor": shadow("other")})), both);
    let mut router = main();
    router["graph"] = json!({"name": "router", "type": "ROUTER", "children": [main()["graph"]]});
    let no_model = "the first node, `router`, serves no model: give a whole predictor, or a model server too";
    refused(&[router], add(json!({"modelUri": "/models/c"})), no_model);
    let second = json!({"change": "add", "role": "shadow", "name": "other", "modelUri": "/models/c"});
    refused(&[main(), shadow("copy")], second, "there can be one shadow, and `copy` is there: remove it first");
    let share = json!({"change": "add", "role": "shadow", "modelUri": "/models/c", "weight": 5});
    let no_share =
        "a shadow gets copies and no share of the answers: leave the weight out, and say in `traffic` of how many";
    refused(&[main()], share, no_share);
}

#[test]
fn other_kinds_and_manifests_without_predictors_are_left_alone() {
    let mut other = manifest(&two());
    other["kind"] = "Other".into();
    let weight = json!({"change": "weight", "weight": 5});
    let expected =
        "canaries and shadows of the kind `Other` cannot be changed like this yet: edit the manifest, and apply it";
    assert_eq!(change(&other, weight.clone()), Err(expected.to_owned()));
    let mut broken = manifest(&[]);
    broken["spec"]["predictors"] = json!(["main"]);
    let expected = "the manifest has no list of predictors: mend it, and apply it";
    assert_eq!(change(&broken, weight.clone()), Err(expected.to_owned()));
    refused(&[shadow("copy")], weight, "there is no canary: add one first");
}

#[test]
fn a_change_with_a_word_that_is_not_known_is_not_read() {
    for wrong in [
        json!({"change": "add", "role": "canary", "modelURI": "/models/two"}),
        json!({"change": "promote", "role": "main"}),
        json!({"change": "split"}),
        json!({"weight": 5}),
    ] {
        assert!(serde_json::from_value::<PredictorChange>(wrong.clone()).is_err(), "{wrong}");
    }
}
