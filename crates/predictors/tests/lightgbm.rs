//! Damaged `LightGBM` files: each is a fixture with one thing changed, and must be refused.

#![allow(clippy::unwrap_used, reason = "a test stops at what is not as it should be")]

mod support;

use std::fs;

use provost_predictors::{LoadErrorKind, LoadOptions, ModelServer, load};
use support::{chain, fixtures, models::InMemory};

fn text(case: &str) -> String {
    fs::read_to_string(fixtures().join(format!("lightgbm/4.6/{case}.model.txt"))).unwrap()
}

#[track_caller]
fn refusal(bytes: impl Into<Vec<u8>>) -> (String, LoadErrorKind) {
    let options = LoadOptions::new(ModelServer::Lightgbm);
    let error = load(&InMemory(bytes.into()), &options).unwrap_err();
    (chain(&error), error.kind())
}

/// Loads a fixture of which the first field of a name holds something else.
#[track_caller]
fn check(case: &str, field: &str, value: &str, expected: &str) {
    let mut is_found = false;
    let line = |line: &str| match line.split_once('=') {
        Some((name, _)) if name == field && !is_found => {
            is_found = true;
            format!("{name}={value}\n")
        }
        _ => format!("{line}\n"),
    };
    let changed: String = text(case).lines().map(line).collect();
    assert!(is_found, "no field {field}");
    let (text, kind) = refusal(changed);
    assert!(text.contains(expected), "{text}");
    assert_eq!(kind, LoadErrorKind::Malformed, "{text}");
}

#[test]
fn lists_that_do_not_fit_together_are_refused() {
    let unfit = "the lists of tree 0 are not as long as `num_leaves` asks for";
    for leaves in ["0", "1", "8", "1000000000000", "18446744073709551615"] {
        check("regression_l2", "num_leaves", leaves, unfit);
    }
    for field in ["split_feature", "threshold", "decision_type", "left_child", "right_child", "leaf_value"] {
        check("regression_l2", field, "1 2", unfit);
        check("regression_l2", field, "x", &format!("`{field}` holds something that is no number"));
    }
    check("regression_l2", "num_leaves", "-3", "`num_leaves` is `-3`, no number that fits");
}

#[test]
fn broken_trees_are_refused() {
    let splits = |first: &str| format!("{first} 4 3 -2 -1 -4");
    check("regression_l2", "left_child", &splits("0"), "node 0 is reached twice");
    check("regression_l2", "left_child", &splits("2"), "is reached twice");
    for child in ["6", "9", "-8", "-9223372036854775808", "9223372036854775807"] {
        check("regression_l2", "left_child", &splits(child), "which is not among its 13 nodes");
    }
    let features = |first: &str| format!("{first} 4 4 4 4 4");
    check("regression_l2", "split_feature", &features("-1"), "node 0 splits on feature -1");
    check("regression_l2", "split_feature", &features("5"), "node 0 splits on feature 5 of 5");
    check("regression_l2", "split_feature", &features("4294967296"), "node 0 splits on feature 4294967296");
    check("regression_l2", "threshold", "nan 1 1 1 1 1", "the threshold of node 0 is not a number");
    check("regression_l2", "leaf_value", "1 inf 1 1 1 1 1", "a leaf of tree 0 is not finite");
    check("regression_l2", "decision_type", "14 2 2 2 2 2", "a split of tree 0 is of an unknown type");
}

#[test]
fn categories_that_are_not_there_are_refused() {
    let unfit = "the categories of tree 0 do not fit together";
    check("categorical_frame", "cat_boundaries", "0 1 900", unfit);
    check("categorical_frame", "cat_boundaries", "0 2 1", unfit);
    check("categorical_frame", "cat_threshold", "", unfit);
    let absent = "a split of tree 0 is on categories that are not there";
    check("categorical_frame", "cat_boundaries", "0 1", absent);
    check("categorical_frame", "threshold", "-1 1 0 0 0 0", absent);
    check("categorical_frame", "threshold", "1e300 1 0 0 0 0", absent);
    check("categorical_frame", "threshold", "nan 1 0 0 0 0", absent);
}

#[test]
fn linear_models_that_do_not_fit_are_refused() {
    let unfit = "the linear models of leaves do not fit together";
    check("linear_tree", "num_features", "1 0 0 0 0 0 0", unfit);
    check("linear_tree", "num_features", "18446744073709551615 1 0 0 0 0 0", unfit);
    check("linear_tree", "leaf_const", "1 2 3", unfit);
    check("linear_tree", "leaf_const", "nan 1 1 1 1 1 1", unfit);
    let second = text("linear_tree").replace("leaf_features=4  4", "leaf_features=5  4");
    assert!(refusal(second).0.contains("a leaf weighs feature 5 of 5"));
}

#[test]
fn heads_that_make_no_sense_are_refused() {
    check("regression_l2", "max_feature_idx", "-1", "`max_feature_idx` is `-1`");
    check("regression_l2", "num_tree_per_iteration", "0", "`num_tree_per_iteration` is 0");
    check("regression_l2", "num_tree_per_iteration", "1000000000", "`num_tree_per_iteration` is 1000000000");
    check("regression_l2", "num_tree_per_iteration", "3", "it has 5 trees for 3 outputs");
    check("regression_l2", "tree_sizes", "1 2", "the file is cut off: it has 5 of 2 trees");
    check("binary", "objective", "binary sigmoid:zero", "`sigmoid` is no number above zero");
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    let (words, kind) = refusal(text("regression_l2").replace("version=v4", "version=v9"));
    assert!(words.contains("version `v9` of the format is not supported; `v2`, `v3` and `v4` are"), "{words}");
    assert_eq!(kind, LoadErrorKind::Unsupported);
    let (words, kind) = refusal(text("regression_l2").replace("objective=regression", "objective=my_loss"));
    assert!(words.contains("the objective `my_loss` is not supported"), "{words}");
    assert_eq!(kind, LoadErrorKind::Unsupported);
    let many = text("regression_l2").replace("max_feature_idx=4", "max_feature_idx=4000000000");
    assert_eq!(refusal(many).1, LoadErrorKind::TooLarge);
}

#[test]
fn other_files_are_told_what_they_may_be() {
    assert!(refusal(r#"{"name":"tree","version":"v4"}"#).0.contains("save the model with `save_model`"));
    for bytes in [&b""[..], b"\n", b"tre", b"\xff\xfe"] {
        assert!(refusal(bytes).0.contains("it is no model of LightGBM"));
    }
}

#[test]
fn a_file_that_is_cut_off_is_refused_wherever_it_ends() {
    let whole = text("categorical_frame");
    let end = whole.find("end of trees").unwrap();
    let last = whole[..end].rfind("shrinkage=").unwrap();
    for cut in (16..last).step_by(7) {
        let (words, kind) = refusal(&whole.as_bytes()[..cut]);
        assert_eq!(kind, LoadErrorKind::Malformed, "{cut}: {words}");
    }
}
