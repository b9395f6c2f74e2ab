//! Every fixture: a file that a library wrote, and what that library answered.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what is not as it should be")]
#![allow(clippy::print_stdout, reason = "how much was compared")]

mod support;

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use provost_inference::{Features, MissingValues};
use provost_predictors::{LoadErrorKind, LoadOptions, Method, ModelServer, load};
use serde_json::Value;
use support::{
    answer::{Answer, Cell, Tolerance},
    chain, entries, file_name, fixtures,
    models::InMemory,
    record::Case,
};

const SKLEARN_VERSIONS: [&str; 10] = ["0.20", "0.22", "0.23", "0.24", "1.0", "1.2", "1.3", "1.5", "1.7", "1.9"];
const XGBOOST_VERSIONS: [&str; 6] = ["0.90", "1.0", "1.4", "1.7", "2.1", "3.2"];
const LIGHTGBM_VERSIONS: [&str; 4] = ["2.3", "3.3", "4.0", "4.6"];
const CATBOOST_VERSIONS: [&str; 2] = ["1.0", "1.2"];

/// What was compared, and what differed.
#[derive(Debug, Default)]
struct Outcome {
    compared: usize,
    differences: Vec<String>,
}

impl Outcome {
    #[track_caller]
    fn assert_at_least(&self, count: usize) {
        let list = self.differences.join("\n");
        assert!(self.differences.is_empty(), "{} differences:\n{list}", self.differences.len());
        assert!(self.compared >= count, "only {} were compared", self.compared);
        println!("{} compared, all equal", self.compared);
    }

    /// Compares every answer of every file of the case.
    fn compare_answers(&mut self, case: &Case) {
        for file in case.files() {
            for method in Method::ALL.into_iter().filter(|method| case.is_served(*method)) {
                if let Some(expected) = case.expected_by(&file, method) {
                    self.compare_answer(case, &file, method, &expected);
                }
            }
        }
    }

    fn compare_answer(&mut self, case: &Case, file: &str, method: Method, expected: &Answer) {
        let difference = match case.answer(file, method) {
            Ok(answer) => answer.difference(expected, case.tolerance()),
            Err(error) => Some(error),
        };
        self.note(case, file, difference.map(|difference| format!("{method}: {difference}")));
    }

    /// Compares whether missing values are taken, in the schema and in deed.
    fn compare_missing(&mut self, case: &Case) {
        let file = &case.files()[0];
        let predictor = case.load(file, None).unwrap().predictor;
        let mut row = case.rows().remove(0);
        row[0] = f64::NAN;
        let rows = Features::new(1, row.len(), &row).unwrap();
        let says = predictor.schema().missing_values == MissingValues::Accepted;
        let does = predictor.predict(&rows, &mut Vec::new()).is_ok();
        let theirs = case.record["nan_allowed"].as_bool().unwrap();
        // Where columns are treated each in its way, another column may take missing values.
        let is_by_column = ["union_", "step_MissingIndicator", "step_O"].iter().any(|part| case.name.starts_with(part));
        let is_alike = does == theirs && (says == theirs || says && is_by_column);
        let difference = format!("says it takes missing values: {says}, does: {does}, the library: {theirs}");
        self.note(case, file, (!is_alike).then_some(difference));
    }

    fn note(&mut self, case: &Case, file: &str, difference: Option<String>) {
        self.compared += 1;
        let place = case.place(file);
        self.differences.extend(difference.map(|difference| format!("{place}: {difference}")));
    }
}

/// Whether there is anything to serve.
fn is_served(case: &Case) -> bool {
    case.record["refused"].is_null() && !case.takes_any_features()
}

/// The folders of a library's versions, which must be exactly these.
#[track_caller]
fn versions(library: &str, expected: &[&str]) -> Vec<PathBuf> {
    let mut folders = entries(&fixtures().join(library));
    folders.retain(|path| file_name(path) != "containers");
    let found: BTreeSet<_> = folders.iter().map(|path| file_name(path)).collect();
    assert_eq!(found, expected.iter().map(ToString::to_string).collect());
    folders
}

fn sklearn_cases() -> Vec<Case> {
    versions("sklearn", &SKLEARN_VERSIONS).iter().flat_map(|folder| Case::all(folder)).collect()
}

fn xgboost_cases() -> Vec<Case> {
    versions("xgboost", &XGBOOST_VERSIONS).iter().flat_map(|folder| Case::all(folder)).collect()
}

fn lightgbm_cases() -> Vec<Case> {
    versions("lightgbm", &LIGHTGBM_VERSIONS).iter().flat_map(|folder| Case::all(folder)).collect()
}

fn catboost_cases() -> Vec<Case> {
    versions("catboost", &CATBOOST_VERSIONS).iter().flat_map(|folder| Case::all(folder)).collect()
}

#[test]
fn every_catboost_version_answers_alike() {
    let mut outcome = Outcome::default();
    for case in catboost_cases().iter().filter(|case| is_served(case)) {
        outcome.compare_answers(case);
    }
    outcome.assert_at_least(76);
}

#[test]
fn every_lightgbm_version_answers_alike_to_the_last_bit() {
    let mut outcome = Outcome::default();
    for case in lightgbm_cases() {
        outcome.compare_answers(&case);
    }
    outcome.assert_at_least(422);
}

#[test]
fn every_scikit_learn_version_answers_alike() {
    let mut outcome = Outcome::default();
    for case in sklearn_cases().iter().filter(|case| is_served(case)) {
        outcome.compare_answers(case);
    }
    outcome.assert_at_least(4575);
}

/// `fixtures/live.py --out DIR` writes the cases with whatever scikit-learn is installed.
#[test]
fn a_scikit_learn_of_this_machine_answers_alike() {
    let Some(folder) = env::var_os("PROVOST_LIVE_FIXTURES") else {
        println!("skipped: PROVOST_LIVE_FIXTURES names no folder that live.py has written");
        return;
    };
    let mut outcome = Outcome::default();
    for case in entries(&Path::new(&folder).join("sklearn")).iter().flat_map(|folder| Case::all(folder)) {
        outcome.compare_answers(&case);
        if is_served(&case) {
            outcome.compare_missing(&case);
        }
    }
    outcome.assert_at_least(100);
}

#[test]
fn every_way_of_saving_gives_the_same_model() {
    let folders = entries(&fixtures().join("sklearn/containers"));
    assert_eq!(folders.len(), 4, "{folders:?}");
    let mut outcome = Outcome::default();
    for case in folders.iter().flat_map(|folder| Case::all(folder)) {
        outcome.compare_answers(&case);
    }
    outcome.assert_at_least(411);
}

#[test]
fn every_xgboost_version_answers_alike_to_the_last_bit() {
    let mut outcome = Outcome::default();
    for case in xgboost_cases().iter().filter(|case| is_served(case)) {
        outcome.compare_answers(case);
    }
    outcome.assert_at_least(1042);
}

#[test]
fn a_row_alone_is_answered_as_it_is_among_others() {
    let mut outcome = Outcome::default();
    for case in sklearn_cases()
        .iter()
        .chain(&xgboost_cases())
        .chain(&lightgbm_cases())
        .chain(&catboost_cases())
        .filter(|case| is_served(case))
    {
        let file = &case.files().pop().unwrap();
        let predictor = case.load(file, None).unwrap().predictor;
        let rows = case.rows();
        let together = Answer::predict(&*predictor, &rows).unwrap();
        let one_by_one =
            rows.iter().flat_map(|row| Answer::predict(&*predictor, std::slice::from_ref(row)).unwrap().values);
        let alone = Answer { shape: together.shape.clone(), values: one_by_one.collect() };
        outcome.note(case, file, alone.difference(&together, Tolerance::Exact));
    }
    outcome.assert_at_least(891);
}

#[test]
fn missing_values_are_taken_where_the_library_takes_them() {
    let mut outcome = Outcome::default();
    for case in sklearn_cases().iter().filter(|case| is_served(case)) {
        outcome.compare_missing(case);
    }
    outcome.assert_at_least(700);
}

#[test]
fn descriptions_say_what_the_file_holds() {
    for case in sklearn_cases().iter().filter(|case| is_served(case)) {
        let file = &case.files()[0];
        let loaded = case.load(file, None).unwrap();
        let description = loaded.description;
        let place = case.place(file);
        assert_eq!(description.library, "scikit-learn", "{place}");
        assert_eq!(description.library_version.as_deref(), Some(case.version()), "{place}");
        assert_eq!(description.features, case.rows()[0].len(), "{place}");
        assert_eq!(json_names(description.feature_names.as_ref()), case.record["feature_names"], "{place}");
        assert_eq!(description.features, loaded.predictor.schema().features, "{place}");
        let class = case.record["estimator"].as_str().unwrap().rsplit('.').next().unwrap();
        assert!(description.estimator.starts_with(class), "{place}: {}", description.estimator);
        // `RFE` of 0.20 hides the classes of its model.
        if !["select_RFE", "many_MultiOutput_clf_multi_output"].contains(&case.name.as_str()) {
            assert_eq!(description.classes, classes(case), "{place}");
        }
    }
}

fn json_names(names: Option<&Vec<String>>) -> Value {
    names.map_or(Value::Null, |names| names.iter().cloned().map(Value::from).collect())
}

/// The labels of a record, of all outputs one after the other.
fn classes(case: &Case) -> Vec<String> {
    let labels = &case.record["classes"];
    let labels = if labels.is_null() { Vec::new() } else { Answer::parse_ragged(labels) };
    let is_float = case.record["classes_dtype"] == "<f8";
    labels.iter().map(|label| label_text(label, is_float)).collect()
}

fn label_text(label: &Cell, is_float: bool) -> String {
    match label {
        Cell::Number(number) if is_float => format!("{number:?}"),
        Cell::Number(number) => number.to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Truth(truth) => truth.to_string(),
    }
}

#[test]
fn probabilities_are_the_default_and_predict_stands_in_for_them() {
    for case in sklearn_cases().iter().filter(|case| is_served(case)) {
        let has_probabilities = !case.record["expected"]["predict_proba"].is_null();
        let is_default = has_probabilities && case.is_served(Method::PredictProba);
        let predicts = !case.record["expected"]["predict"].is_null();
        let expected = match (is_default, predicts) {
            (true, _) => Method::PredictProba,
            (false, true) => Method::Predict,
            (false, false) => Method::Transform,
        };
        let description = case.load(&case.files()[0], None).unwrap().description;
        assert_eq!(description.method, expected, "{}", case.name);
        let warns = case.name.ends_with("clf_multi_output");
        assert_eq!(!description.warnings.is_empty(), warns, "{:?}", description.warnings);
    }
}

#[test]
fn a_method_the_estimator_lacks_is_refused_with_those_it_has() {
    let mut refused = 0;
    for case in sklearn_cases().iter().filter(|case| is_served(case)) {
        for method in Method::ALL {
            if !case.record["expected"][method.name()].is_null() {
                continue;
            }
            let error = case.load(&case.files()[0], Some(method)).unwrap_err();
            let text = chain(&error);
            assert!(text.contains(&format!("has no `{method}`; it has `")), "{text}");
            assert_eq!(error.kind(), LoadErrorKind::Unsupported);
            refused += 1;
        }
    }
    assert!(refused > 400, "only {refused}");
}

#[test]
fn probabilities_of_several_outputs_are_refused_with_what_to_do() {
    for case in sklearn_cases().iter().filter(|case| case.name.ends_with("clf_multi_output")) {
        let error = case.load(&case.files()[0], Some(Method::PredictProba)).unwrap_err();
        assert!(chain(&error).contains("set the parameter `method` to `predict`"));
    }
}

#[test]
fn what_takes_any_number_of_features_is_refused_alone_up_to_0_23() {
    let cases = sklearn_cases();
    let any: Vec<_> = cases.iter().filter(|case| case.takes_any_features()).collect();
    assert!(any.len() >= 2, "only {}", any.len());
    let is_old = |case: &Case| ["0.20.4", "0.22.2.post1", "0.23.2"].contains(&case.version());
    let is_known = |case: &&&Case| is_old(case) || ["Function", "Dummy"].iter().any(|part| case.name.contains(part));
    assert_eq!(any.iter().find(|case| !is_known(case)).map(|case| case.place("")), None);
}

#[test]
fn the_two_methods_of_boosters_mean_the_same_and_their_scores_are_margins() {
    let cases = xgboost_cases();
    let case = cases.iter().find(|case| case.name == "multi_softprob").unwrap();
    let file = &case.files()[0];
    assert_eq!(case.answer(file, Method::PredictProba), case.answer(file, Method::Predict));
    let scores = case.load(file, Some(Method::DecisionFunction)).unwrap();
    assert_eq!(scores.predictor.schema().output.name, "decision_function");
    assert!(scores.predictor.class_labels().is_none());
}

#[test]
fn features_that_are_categories_are_told_of() {
    let cases = xgboost_cases();
    let warning = |name: &str| {
        let case = cases.iter().rfind(|case| case.name == name).unwrap();
        case.load(&case.files()[0], None).unwrap().description.warnings.join("\n")
    };
    assert!(warning("categorical_frame").starts_with("features colour are categories"));
    assert!(warning("categorical_split").starts_with("features 0 are categories"));
    assert_eq!(warning("binary_logistic"), "");
}

#[test]
fn names_of_features_are_read_from_boosters_that_have_them() {
    let cases = xgboost_cases();
    let mut named = 0;
    for case in cases.iter().filter(|case| case.name == "feature_names") {
        for (format, file) in case.record["formats"].as_object().unwrap() {
            let description = case.load(file.as_str().unwrap(), None).unwrap().description;
            // Files of the binary format and of 1.0 do not hold them.
            if format != "legacy" && case.version() != "1.0.2" {
                assert_eq!(json_names(description.feature_names.as_ref()), case.record["feature_names"]);
                named += 1;
            }
        }
    }
    assert!(named >= 6, "only {named}");
}

#[test]
fn the_binary_format_is_told_by_its_names_whatever_bytes_it_begins_with() {
    let path = fixtures().join("xgboost/0.90/reg_squarederror.model.bst");
    let bytes = fs::read(path).unwrap();
    for first in *b"{ \n\x80\x00" {
        let mut bytes = bytes.clone();
        bytes[0] = first;
        let loaded = load(&InMemory(bytes), &LoadOptions::new(ModelServer::Xgboost)).unwrap();
        assert_eq!(loaded.description.estimator, "gbtree(reg:squarederror)");
    }
}
