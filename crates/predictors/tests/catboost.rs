//! Damaged `CatBoost` files: each is a fixture with one thing changed, and must be refused.

#![allow(clippy::unwrap_used, reason = "a test stops at what is not as it should be")]

mod support;

use std::fs;

use provost_predictors::{LoadErrorKind, LoadOptions, Method, ModelServer, load};
use serde_json::{Value, json};
use support::{chain, fixtures, models::InMemory};

fn refusal(bytes: Vec<u8>, method: Option<Method>) -> (String, LoadErrorKind) {
    let options = LoadOptions { method, ..LoadOptions::new(ModelServer::Catboost) };
    let error = load(&InMemory(bytes), &options).unwrap_err();
    (chain(&error), error.kind())
}

fn file(case: &str) -> Vec<u8> {
    fs::read(fixtures().join(format!("catboost/1.2/{case}.model.json"))).unwrap()
}

/// Loads a fixture after a change.
#[track_caller]
fn check(case: &str, change: impl FnOnce(&mut Value), kind: LoadErrorKind, expected: &str) {
    let mut document: Value = serde_json::from_slice(&file(case)).unwrap();
    change(&mut document);
    let (text, found) = refusal(document.to_string().into_bytes(), None);
    assert!(text.contains(expected), "{text}");
    assert_eq!(found, kind, "{text}");
}

#[test]
fn trees_that_do_not_fit_together_are_refused() {
    let malformed = LoadErrorKind::Malformed;
    let unfit = "tree 0 has not the leaves that its splits ask for";
    let tree = |document: &mut Value, key: &str, value: Value| document["oblivious_trees"][0][key] = value;
    check("rmse", |document| tree(document, "leaf_values", json!([])), malformed, unfit);
    check("rmse", |document| tree(document, "leaf_values", json!([1.0, 2.0, 3.0])), malformed, unfit);
    check("rmse", |document| tree(document, "splits", json!([])), malformed, "tree 1 has not the leaves");
    let split = json!({"split_type": "FloatFeature", "float_feature_index": 0, "border": 0.5});
    check("rmse", |document| tree(document, "splits", vec![split; 70].into()), malformed, unfit);
    let first =
        |document: &mut Value, key: &str, value: Value| document["oblivious_trees"][0]["splits"][0][key] = value;
    let nowhere = "a split of tree 0 is on no feature or has no border";
    check("rmse", |document| first(document, "float_feature_index", json!(4)), malformed, nowhere);
    check("rmse", |document| first(document, "float_feature_index", Value::Null), malformed, nowhere);
    check("rmse", |document| first(document, "border", Value::Null), malformed, nowhere);
    let what = "a split of type `OnlineCtr` is not supported; splits on numbers are";
    check("rmse", |document| first(document, "split_type", json!("OnlineCtr")), LoadErrorKind::Unsupported, what);
}

#[test]
fn outputs_and_classes_that_do_not_fit_are_refused() {
    let malformed = LoadErrorKind::Malformed;
    check(
        "multiclass",
        |document| document["scale_and_bias"] = json!([1, [0.0, 0.0]]),
        malformed,
        "2 values for each row",
    );
    check("rmse", |document| document["scale_and_bias"] = json!([1, []]), malformed, "0 values for each row");
    let classes = |document: &mut Value| document["model_info"]["class_params"]["class_names"] = json!([1, 2, 3, 4]);
    check("multiclass", classes, malformed, "it names 4 classes of 3");
    check("rmse", |document| document["features_info"]["float_features"] = json!([]), malformed, "it has no features");
}

#[test]
fn what_is_not_plain_is_refused_by_name() {
    let unsupported = LoadErrorKind::Unsupported;
    let loss = |document: &mut Value| document["model_info"]["params"]["loss_function"]["type"] = json!("MyLoss");
    check("rmse", loss, unsupported, "the loss `MyLoss` is not supported");
    for (case, words) in [
        ("lossguide", "a model whose trees are not symmetric is not supported; symmetric ones are"),
        ("categories", "a model over features that are categories is not supported; features that are numbers are"),
    ] {
        let (text, kind) = refusal(file(case), None);
        assert!(text.contains(words), "{text}");
        assert_eq!(kind, unsupported);
    }
    let (text, _) = refusal(file("rmse"), Some(Method::PredictProba));
    assert!(
        text.contains("a model of the loss `RMSE` has no `predict_proba`; it has `predict`, `decision_function`"),
        "{text}"
    );
    let (text, _) = refusal(b"CBM1\x00\x00".to_vec(), None);
    assert!(text.contains("it is CatBoost's binary format: save the model with"), "{text}");
    assert_eq!(refusal(b"[[[[".to_vec(), None).1, LoadErrorKind::Malformed);
}
