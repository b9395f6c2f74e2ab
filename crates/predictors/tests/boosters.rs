//! Damaged boosters: each is a fixture with one thing changed, and must be refused.

#![allow(clippy::unwrap_used, reason = "a test stops at what is not as it should be")]

mod support;

use std::fs;

use provost_predictors::{LoadErrorKind, LoadOptions, ModelServer, load};
use serde_json::{Value, json};
use support::{chain, fixtures, models::InMemory};

/// Loads a fixture in JSON after a change to what its booster holds.
#[track_caller]
fn check(case: &str, change: impl FnOnce(&mut Value), expected: &str) {
    let text = fs::read_to_string(fixtures().join(format!("xgboost/{case}.model.json"))).unwrap();
    let mut document: Value = serde_json::from_str(&text.replace("NaN", "null")).unwrap();
    change(&mut document["learner"]["gradient_booster"]);
    let options = LoadOptions::new(ModelServer::Xgboost);
    let error = load(&InMemory(document.to_string().into_bytes()), &options).unwrap_err();
    let text = chain(&error);
    assert!(text.contains(expected), "{text}");
    assert_eq!(error.kind(), LoadErrorKind::Malformed, "{text}");
}

fn tree(booster: &mut Value) -> &mut Value {
    &mut booster["model"]["trees"][0]
}

#[test]
fn splits_on_categories_that_do_not_fit_together_are_refused() {
    let case = "3.2/categorical_split";
    let unfit = "the splits on categories of tree 0 do not fit together";
    check(case, |booster| tree(booster)["categories_nodes"] = json!([0]), unfit);
    check(case, |booster| tree(booster)["categories_nodes"] = json!([0, 2]), unfit);
    check(case, |booster| tree(booster)["categories_nodes"] = json!([0, 900]), unfit);
    check(case, |booster| tree(booster)["categories_sizes"] = json!([2, 2, 2]), unfit);
    check(case, |booster| tree(booster)["categories_sizes"] = json!([2, 1_000_000_000]), unfit);
    check(case, |booster| tree(booster)["split_type"] = json!([]), unfit);
    let fewer = "a split on categories has fewer of them than it says";
    check(case, |booster| tree(booster)["categories_segments"] = json!([0, 5]), fewer);
    check(case, |booster| tree(booster)["categories_segments"] = json!([0, u64::MAX]), fewer);
    for category in [-1, 1 << 25, i64::MAX] {
        let change = |booster: &mut Value| tree(booster)["categories"][0] = category.into();
        check(case, change, "a category is out of range");
    }
}

#[test]
fn leaves_without_their_vectors_are_refused() {
    let case = "3.2/vector_leaves";
    let missing = "a leaf of tree 0 is not finite or has no value";
    check(case, |booster| tree(booster)["leaf_weights"] = json!([1.0, 2.0]), missing);
    check(case, |booster| tree(booster)["leaf_weights"][0] = Value::Null, missing);
    check(case, |booster| tree(booster)["right_children"][3] = i64::MAX.into(), missing);
    check(case, |booster| tree(booster)["right_children"][3] = json!(-1), missing);
    check("2.1/vector_leaves", |booster| tree(booster)["base_weights"] = json!([]), missing);
    let sizes = |size: &'static str| {
        move |booster: &mut Value| {
            for tree in booster["model"]["trees"].as_array_mut().unwrap() {
                tree["tree_param"]["size_leaf_vector"] = size.into();
            }
        }
    };
    check(case, sizes("1000000000000000000"), missing);
    let mixed = "some trees have vectors in their leaves and others have not";
    let change = |booster: &mut Value| booster["model"]["trees"][1]["tree_param"]["size_leaf_vector"] = "1".into();
    check(case, change, mixed);
}

#[test]
fn weights_that_are_not_one_for_each_tree_are_refused() {
    let unfit = "`weight_drop` is no list of a number for each tree";
    check("3.2/dart", |booster| booster["weight_drop"] = json!([1.0]), unfit);
    check("3.2/dart", |booster| booster["weight_drop"] = Value::Null, "it has no `weight_drop`");
    check("3.2/dart", |booster| booster["gbtree"] = Value::Null, "it has no model");
}

#[test]
fn linear_weights_that_do_not_fit_are_refused() {
    let unfit = "weights for 5 features and 1 outputs";
    check("3.2/gblinear", |booster| booster["model"]["weights"] = json!([1.0]), unfit);
    check("3.2/gblinear", |booster| booster["model"]["weights"] = Value::Null, "it has no model");
}
