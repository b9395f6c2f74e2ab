//! Boosters in pickles that are not what they should be.

#![allow(clippy::unwrap_used, reason = "a test stops at what is not as it should be")]

mod support;

use std::fs;

use provost_inference::Features;
use provost_predictors::{LoadError, LoadErrorKind, LoadOptions, LoadedModel, Method, ModelServer, load};
use support::{chain, fixtures, models::InMemory, pickle_writer::PickleWriter};

fn load_pickle(bytes: Vec<u8>, method: Option<Method>) -> Result<LoadedModel, LoadError> {
    load(&InMemory(bytes), &LoadOptions { method, ..LoadOptions::new(ModelServer::Sklearn) })
}

fn text(case: &str) -> String {
    fs::read_to_string(fixtures().join(format!("lightgbm/4.6/{case}.model.txt"))).unwrap()
}

/// A classifier of these labels around a booster.
fn classifier(labels: &[i64], booster: impl FnOnce(&mut PickleWriter)) -> Vec<u8> {
    let mut pickle = PickleWriter::new();
    pickle.estimator("lightgbm.sklearn", "LGBMClassifier", |pickle| {
        pickle.text("_classes");
        pickle.integers(labels);
        pickle.text("_Booster");
        booster(pickle);
    });
    pickle.finish()
}

fn booster(pickle: &mut PickleWriter, model: &str) {
    pickle.estimator("lightgbm.basic", "Booster", |pickle| {
        pickle.text("_handle");
        pickle.text(model);
    });
}

#[test]
fn a_classifier_answers_with_its_labels_by_default_with_probabilities() {
    let pickle = || classifier(&[3, 8], |pickle| booster(pickle, &text("binary")));
    let loaded = load_pickle(pickle(), None).unwrap();
    assert_eq!(loaded.description.estimator, "LGBMClassifier(binary)");
    assert_eq!(loaded.description.classes, ["3", "8"]);
    assert_eq!(loaded.predictor.class_labels().map(<[_]>::len), Some(2));
    let rows = [0.0; 4];
    let mut output = Vec::new();
    let classes = load_pickle(pickle(), Some(Method::Predict)).unwrap();
    classes.predictor.predict(&Features::new(1, 4, &rows).unwrap(), &mut output).unwrap();
    assert!(output == [3.0] || output == [8.0], "{output:?}");
}

/// What a model answers for some rows.
fn answers(loaded: &LoadedModel) -> Vec<f64> {
    let rows: Vec<_> = (0..40).map(|value| f64::from(value) / 5.0).collect();
    let mut output = Vec::new();
    loaded.predictor.predict(&Features::new(10, 4, &rows).unwrap(), &mut output).unwrap();
    output
}

#[test]
fn a_bare_booster_answers_as_its_text_file_up_to_its_best_round() {
    let bare = |best: i32| {
        let mut pickle = PickleWriter::new();
        pickle.estimator("lightgbm.basic", "Booster", |pickle| {
            pickle.text("handle");
            pickle.text(&text("binary"));
            pickle.text("best_iteration");
            pickle.integer(best);
        });
        load_pickle(pickle.finish(), None).unwrap()
    };
    let file = load(&InMemory(text("binary").into_bytes()), &LoadOptions::new(ModelServer::Lightgbm)).unwrap();
    for all_rounds in [-1, 0, 5, 900] {
        assert_eq!(answers(&bare(all_rounds)), answers(&file), "{all_rounds}");
    }
    assert_ne!(answers(&bare(2)), answers(&file));
    assert_eq!(bare(2).description.library, "LightGBM");
}

#[test]
fn labels_that_are_not_those_of_the_booster_are_refused() {
    for (labels, model) in [(&[0, 1, 2][..], "binary"), (&[0], "binary"), (&[0, 1], "multiclass")] {
        let pickle = classifier(labels, |pickle| booster(pickle, &text(model)));
        let error = load_pickle(pickle, None).unwrap_err();
        assert!(chain(&error).contains("classes, the booster has"), "{}", chain(&error));
    }
}

#[test]
fn a_wrapper_without_a_booster_is_refused() {
    let unfitted = classifier(&[0, 1], PickleWriter::none);
    assert!(chain(&load_pickle(unfitted, None).unwrap_err()).contains("was the estimator fitted?"));
    let number = classifier(&[0, 1], |pickle| pickle.integer(7));
    assert!(chain(&load_pickle(number, None).unwrap_err()).contains("`LGBMClassifier._Booster` is empty"));
    let other = classifier(&[0, 1], |pickle| booster(pickle, "no model"));
    assert!(chain(&load_pickle(other, None).unwrap_err()).contains("it is no model of LightGBM"));
}

#[test]
fn a_method_that_the_interface_lacks_is_refused_with_those_it_has() {
    let path = fixtures().join("lightgbm/4.6/regressor.model.joblib");
    let error = load_pickle(fs::read(path).unwrap(), Some(Method::PredictProba)).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Unsupported);
    let words = "`LGBMRegressor(regression)` has no `predict_proba`; it has `predict`, `decision_function`";
    assert!(chain(&error).contains(words), "{}", chain(&error));
}

#[test]
fn a_damaged_pickle_is_refused_or_read_but_never_more() {
    for file in [
        "xgboost/3.2/classifier_multi",
        "xgboost/1.0/classifier_multi",
        "xgboost/1.4/classifier_multi",
        "lightgbm/4.6/classifier_labels",
    ] {
        let whole = fs::read(fixtures().join(format!("{file}.model.joblib"))).unwrap();
        for place in (0..whole.len()).step_by(41) {
            for byte in [0, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[place] = byte;
                let Ok(loaded) = load_pickle(bytes, None) else { continue };
                let features = loaded.predictor.schema().features.min(1000);
                let row = vec![0.5; features];
                drop(loaded.predictor.predict(&Features::new(1, features, &row).unwrap(), &mut Vec::new()));
            }
        }
    }
}
