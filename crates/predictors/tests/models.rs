//! Models made in code: errors of requests, methods, limits, and the forms of trees that the
//! fixtures are too small for.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what is not as it should be")]

mod support;

use provost_inference::{Features, Predict, PredictError};
use provost_predictors::{
    Limits, LoadErrorKind, LoadOptions, LoadedModel, Method, ModelServer, load, supported_estimators,
};
use support::{
    chain,
    models::{self, FEATURES, InMemory},
    pickle_writer::PickleWriter,
};

fn load_sklearn(file: Vec<u8>) -> LoadedModel {
    load(&InMemory(file), &LoadOptions::new(ModelServer::Sklearn)).unwrap()
}

fn load_xgboost(file: Vec<u8>) -> LoadedModel {
    load(&InMemory(file), &LoadOptions::new(ModelServer::Xgboost)).unwrap()
}

fn error_of(file: Vec<u8>, server: ModelServer) -> String {
    chain(&load(&InMemory(file), &LoadOptions::new(server)).unwrap_err())
}

fn predict(predictor: &dyn Predict, values: &[f64]) -> Result<Vec<f64>, PredictError> {
    let columns = predictor.schema().features;
    let rows = Features::new(values.len() / columns, columns, values).unwrap();
    let mut output = Vec::new();
    predictor.predict(&rows, &mut output)?;
    Ok(output)
}

/// A pipeline of a scaler by 10 and a tree that asks whether the first feature is above 0.5.
fn scaled_tree() -> Vec<u8> {
    let mut pickle = PickleWriter::new();
    pickle.estimator("sklearn.pipeline", "Pipeline", |pickle| {
        pickle.text("steps");
        pickle.list(|pickle| {
            pickle.tuple(|pickle| {
                pickle.text("scale");
                scaler(pickle);
            });
            pickle.tuple(|pickle| {
                pickle.text("model");
                models::stump(pickle);
            });
        });
    });
    pickle.finish()
}

fn scaler(pickle: &mut PickleWriter) {
    pickle.estimator("sklearn.preprocessing._data", "StandardScaler", |pickle| {
        pickle.text("with_mean");
        pickle.boolean(false);
        pickle.text("with_std");
        pickle.boolean(true);
        pickle.text("scale_");
        pickle.floats(&[FEATURES], &[10.0; FEATURES]);
    });
}

#[test]
fn the_wrong_number_of_features_is_the_callers_error() {
    let expected = PredictError::FeatureCount { expected: FEATURES, actual: 5 };
    for loaded in [load_sklearn(models::random_forest(3, 4)), load_xgboost(models::xgboost(3, 2))] {
        let rows = Features::new(1, 5, &[0.0; 5]).unwrap();
        let outcome = loaded.predictor.predict(&rows, &mut Vec::new());
        assert_eq!(outcome, Err(expected.clone()));
    }
}

#[test]
fn a_pipeline_names_its_steps_and_scales_what_its_trees_compare() {
    let loaded = load_sklearn(scaled_tree());
    assert_eq!(loaded.description.estimator, "Pipeline(StandardScaler, DecisionTreeClassifier)");
    let mut row = [0.0; FEATURES];
    row[0] = 5.0;
    assert_eq!(predict(&*loaded.predictor, &row).unwrap(), [0.75, 0.25]);
    row[0] = 5.1;
    assert_eq!(predict(&*loaded.predictor, &row).unwrap(), [0.0, 1.0]);
}

#[test]
fn classes_are_told_of_what_answers_with_their_probabilities() {
    let iris =
        |path: &str| std::fs::read(format!("{}/../../examples/iris/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let sklearn = iris("sklearn/model.joblib");
    let labels = ["0", "1", "2"].map(Box::from);
    assert_eq!(load_sklearn(sklearn.clone()).predictor.class_labels(), Some(&labels[..]));
    assert_eq!(load_xgboost(iris("xgboost/model.bst")).predictor.class_labels(), Some(&labels[..]));
    let options = LoadOptions { method: Some(Method::Predict), ..LoadOptions::new(ModelServer::Sklearn) };
    assert_eq!(load(&InMemory(sklearn), &options).unwrap().predictor.class_labels(), None);
}

#[test]
fn an_error_behind_a_scaler_names_the_value_of_the_request() {
    let loaded = load_sklearn(scaled_tree());
    let mut values = vec![1.0; FEATURES * 100];
    values[FEATURES * 77 + 3] = 1e40;
    let error = PredictError::ValueTooLarge { row: 77, column: 3, value: 1e40 };
    assert_eq!(predict(&*loaded.predictor, &values), Err(error));
}

#[test]
fn a_missing_value_is_an_error_with_its_place_where_the_model_takes_none() {
    let loaded = load_sklearn(models::logistic_regression());
    let mut values = vec![1.0; FEATURES * 3];
    values[FEATURES * 2 + 1] = f64::NAN;
    let error = PredictError::MissingValue { row: 2, column: 1 };
    assert_eq!(predict(&*loaded.predictor, &values), Err(error));
}

#[test]
fn a_boosters_value_beyond_32_bits_is_an_error_with_its_place() {
    let loaded = load_xgboost(models::xgboost(3, 2));
    let mut values = vec![1.0; FEATURES * 3];
    values[FEATURES + 4] = -1e39;
    let error = PredictError::ValueTooLarge { row: 1, column: 4, value: -1e39 };
    assert_eq!(predict(&*loaded.predictor, &values), Err(error));
}

#[test]
fn large_forests_answer_a_block_as_they_answer_each_row() {
    for loaded in [
        load_sklearn(models::random_forest(20, 8)),
        load_sklearn(models::random_forest(30, 14)),
        load_xgboost(models::xgboost(100, 3)),
        load_xgboost(models::xgboost(50, 12)),
    ] {
        let rows = models::rows(300);
        let together = predict(&*loaded.predictor, &rows).unwrap();
        let alone = rows.chunks(FEATURES).flat_map(|row| predict(&*loaded.predictor, row).unwrap());
        assert_eq!(alone.collect::<Vec<_>>(), together, "{}", loaded.description.estimator);
    }
}

#[test]
fn a_prediction_is_appended_to_what_is_there() {
    let loaded = load_sklearn(models::random_forest(3, 4));
    let row = models::rows(1);
    let rows = Features::new(1, FEATURES, &row).unwrap();
    let mut output = vec![42.0];
    loaded.predictor.predict(&rows, &mut output).unwrap();
    assert_eq!(output.len(), 4);
    assert_eq!(output[1..], predict(&*loaded.predictor, &row).unwrap());
}

#[test]
fn the_cost_of_a_row_grows_with_the_model() {
    let small = load_xgboost(models::xgboost(10, 3)).predictor.row_cost();
    let large = load_xgboost(models::xgboost(1000, 6)).predictor.row_cost();
    assert!(small.as_nanos() > 10 && large > 50 * small, "{small:?} {large:?}");
}

#[test]
fn a_method_a_linear_model_lacks_is_refused_with_those_it_has() {
    let options = LoadOptions { method: Some(Method::DecisionFunction), ..LoadOptions::new(ModelServer::Sklearn) };
    let error = load(&InMemory(models::random_forest(3, 4)), &options).unwrap_err();
    assert_eq!(
        chain(&error),
        "cannot serve the model in `model`: `RandomForestClassifier` has no `decision_function`; it has `predict_proba`, `predict`"
    );
}

#[test]
fn a_model_for_the_other_server_is_refused_with_a_hint() {
    let error = error_of(models::logistic_regression(), ModelServer::Xgboost);
    assert!(error.contains("it may be a pickle: save the model with `save_model`"), "{error}");
    let error = error_of(models::xgboost(1, 1), ModelServer::Sklearn);
    assert!(error.contains("not a valid pickle"), "{error}");
}

#[test]
fn models_with_too_many_features_are_refused() {
    let limits = Limits { features: 5, ..Limits::default() };
    for (file, server) in
        [(models::logistic_regression(), ModelServer::Sklearn), (models::xgboost(1, 1), ModelServer::Xgboost)]
    {
        let options = LoadOptions { limits: limits.clone(), ..LoadOptions::new(server) };
        let error = load(&InMemory(file), &options).unwrap_err();
        assert_eq!(error.kind(), LoadErrorKind::TooLarge);
        assert!(chain(&error).ends_with("the model has 12 features; the limit is 5"));
    }
}

#[test]
fn numbers_that_are_not_json_are_read_where_they_do_not_matter_and_refused_where_they_do() {
    let file = String::from_utf8(models::xgboost(2, 2)).unwrap();
    let harmless = file.replacen("\"default_left\"", "\"base_weights\":[NaN,-Infinity],\"default_left\"", 1);
    load_xgboost(harmless.into_bytes());
    let at = file.find("\"split_conditions\":[").unwrap() + "\"split_conditions\":[".len();
    let end = at + file[at..].find(',').unwrap();
    let harmful = format!("{}NaN{}", &file[..at], &file[end..]);
    let error = error_of(harmful.into_bytes(), ModelServer::Xgboost);
    assert!(error.ends_with("tree 0 is broken: the threshold of node 0 is not a number"), "{error}");
}

#[test]
fn the_list_of_supported_estimators_is_the_one_in_error_messages() {
    let mut pickle = PickleWriter::new();
    pickle.estimator("sklearn.gaussian_process._gpc", "GaussianProcessClassifier", |_| {});
    let error = error_of(pickle.finish(), ModelServer::Sklearn);
    assert!(
        error.contains("`sklearn.gaussian_process._gpc.GaussianProcessClassifier` is not supported; supported are"),
        "{error}"
    );
    for estimator in supported_estimators().iter().filter(|one| one.library == "scikit-learn") {
        assert!(error.contains(estimator.name), "{} is not in {error}", estimator.name);
    }
}

/// How often a part is referred to in the files below: 2 bytes each.
const REFERENCES: usize = 200_000;

/// Loads a file in which a small part has much work hang on it, and tells the error.
#[track_caller]
fn check_overused(file: Vec<u8>) {
    let start = std::time::Instant::now();
    let error = error_of(file, ModelServer::Sklearn);
    assert!(error.contains("refers to its parts so often"), "{error}");
    assert!(start.elapsed().as_secs() < 60, "took {:?}", start.elapsed());
}

#[test]
fn a_forest_of_one_tree_with_many_attributes_over_and_over_is_refused_soon() {
    let mut pickle = PickleWriter::new();
    pickle.estimator("sklearn.ensemble._forest", "RandomForestClassifier", |pickle| {
        models::tree_attributes(pickle);
        pickle.text("estimators_");
        pickle.list(|pickle| {
            pickle.estimator("sklearn.tree._classes", "DecisionTreeClassifier", |pickle| {
                for _ in 0..REFERENCES / 4 {
                    pickle.none();
                    pickle.none();
                }
                models::tree_attributes(pickle);
            });
            pickle.remember(1);
            (0..REFERENCES).for_each(|_| pickle.recall(1));
        });
    });
    check_overused(pickle.finish());
}

#[test]
fn pipelines_of_one_list_of_idle_steps_over_and_over_are_refused_soon() {
    let mut pickle = PickleWriter::new();
    pickle.estimator("sklearn.pipeline", "Pipeline", |pickle| {
        pickle.text("steps");
        pickle.list(|pickle| {
            pickle.tuple(|pickle| {
                pickle.text("inner");
                pickle.estimator("sklearn.pipeline", "Pipeline", |pickle| {
                    pickle.text("steps");
                    pickle.list(|pickle| {
                        pickle.tuple(|pickle| {
                            pickle.text("idle");
                            pickle.none();
                        });
                        pickle.remember(1);
                        (0..REFERENCES).for_each(|_| pickle.recall(1));
                    });
                });
            });
            pickle.remember(2);
            (0..REFERENCES).for_each(|_| pickle.recall(2));
        });
    });
    check_overused(pickle.finish());
}

#[test]
fn one_long_text_over_and_over_is_refused_soon() {
    let mut pickle = PickleWriter::new();
    pickle.estimator("sklearn.pipeline", "Pipeline", |pickle| {
        pickle.text("steps");
        pickle.list(|pickle| {
            pickle.tuple(|pickle| {
                pickle.text("idle");
                pickle.text(&"x".repeat(REFERENCES));
            });
            pickle.remember(1);
            (0..REFERENCES).for_each(|_| pickle.recall(1));
        });
    });
    let start = std::time::Instant::now();
    error_of(pickle.finish(), ModelServer::Sklearn);
    assert!(start.elapsed().as_secs() < 60, "took {:?}", start.elapsed());
}
