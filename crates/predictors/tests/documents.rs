//! Keeps `docs/reference/models.md` true: its lists and tables are made from the code and from the
//! fixtures. `UPDATE=1 cargo test -p provost-predictors --test documents` writes them anew.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what is not as it should be")]

mod support;

use std::{collections::BTreeMap, env, fs, path::Path};

use provost_predictors::{
    Limits, Method, ModelServer, SupportedEstimator, pickle::REFUSED_OPCODES, supported_estimators,
};
use support::{entries, file_name, fixtures, record::Case};

#[test]
fn the_reference_of_models_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/models.md");
    let committed = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut expected = committed.clone();
    for (name, content) in [
        ("estimators", estimators()),
        ("files", files()),
        ("opcodes", opcodes()),
        ("limits", limits()),
        ("parity", parity("sklearn", sklearn_row)),
        ("xgboost-parity", parity("xgboost", xgboost_row)),
        ("lightgbm-parity", parity("lightgbm", lightgbm_row)),
        ("catboost-parity", parity("catboost", |_, _| "JSON".to_owned())),
    ] {
        expected = replace(&expected, name, &content);
    }
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &expected).unwrap();
    } else {
        assert_eq!(committed, expected, "run the test with UPDATE=1 to bring the file up to date");
    }
}

/// Replaces what stands between the marks of a generated part.
fn replace(text: &str, name: &str, content: &str) -> String {
    let (begin, end) = (format!("<!-- generated: {name} -->\n"), "<!-- end -->\n");
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("no part `{name}`"));
    let (_, after) = rest.split_once(end).unwrap_or_else(|| panic!("`{name}` has no end"));
    format!("{before}{begin}{content}{end}{after}")
}

fn estimators() -> String {
    let row = |one: &SupportedEstimator| {
        let methods: Vec<_> = one.methods.iter().map(|method| format!("`{method}`")).collect();
        let methods = if methods.is_empty() { "those of its last step".to_owned() } else { methods.join(", ") };
        format!("| `{}` | {} | {} | {methods} |\n", one.name, one.library, one.since)
    };
    let rows: String = supported_estimators().iter().map(row).collect();
    format!("| estimator | library | since | methods |\n|---|---|---|---|\n{rows}")
}

fn files() -> String {
    let row = |(server, name): (ModelServer, &str)| {
        let names: Vec<_> = server.file_names().iter().map(|name| format!("`{name}`")).collect();
        format!("| `{name}` | {} |\n", names.join(", "))
    };
    let servers = [
        (ModelServer::Sklearn, "SKLEARN_SERVER"),
        (ModelServer::Xgboost, "XGBOOST_SERVER"),
        (ModelServer::Lightgbm, "LIGHTGBM_SERVER"),
        (ModelServer::Catboost, "CATBOOST_SERVER"),
    ];
    let rows: String = servers.into_iter().map(row).collect();
    format!("| server | names, first come first served |\n|---|---|\n{rows}")
}

fn opcodes() -> String {
    let row = |one: &provost_predictors::pickle::RefusedOpcode| {
        format!("| `{}` | 0x{:02x} | {} |\n", one.name, one.code, one.reason)
    };
    let rows: String = REFUSED_OPCODES.iter().map(row).collect();
    format!("| opcode | byte | it |\n|---|---|---|\n{rows}")
}

fn limits() -> String {
    let Limits { file_bytes, decoded_bytes, free_decoded_bytes, decoded_ratio, pickle_values, features } =
        Limits::default();
    let mebibytes = |bytes: u64| format!("{} MiB", bytes >> 20);
    format!(
        "| what | limit |\n|---|---|\n\
         | length of a model file | {} |\n\
         | content of a compressed file | {decoded_ratio} times its length, at least {}, at most {} |\n\
         | values in one pickle | {pickle_values} |\n\
         | features of a model | {features} |\n",
        mebibytes(file_bytes),
        mebibytes(free_decoded_bytes),
        mebibytes(decoded_bytes),
    )
}

/// How many answers were compared for each row and version.
type Counts = BTreeMap<String, BTreeMap<usize, usize>>;

/// A table of the answers that equal the library's.
fn parity(library: &str, row: fn(&Case, &str) -> String) -> String {
    let versions = versions(library);
    let mut counts = Counts::new();
    for (column, version) in versions.iter().enumerate() {
        let cases = Case::all(&fixtures().join(library).join(version));
        for case in cases.iter().filter(|case| case.record["refused"].is_null()) {
            for file in case.files() {
                let equal = Method::ALL.iter().filter(|method| is_equal(case, &file, **method)).count();
                let columns = counts.entry(row(case, &file)).or_default();
                *columns.entry(column).or_default() += equal;
            }
        }
    }
    table(&versions, &counts)
}

fn table(versions: &[String], counts: &Counts) -> String {
    let cell =
        |columns: &BTreeMap<usize, usize>, column| columns.get(&column).map_or("–".to_owned(), ToString::to_string);
    let row = |(name, columns): (&String, &BTreeMap<usize, usize>)| {
        let cells: Vec<_> = (0..versions.len()).map(|column| cell(columns, column)).collect();
        format!("| {name} | {} |\n", cells.join(" | "))
    };
    let answered = counts.iter().filter(|(_, columns)| columns.values().any(|count| *count > 0));
    let rows: String = answered.map(row).collect();
    format!("| | {} |\n|---|{}\n{rows}", versions.join(" | "), "--:|".repeat(versions.len()))
}

/// The versions of a library that have fixtures, oldest first.
fn versions(library: &str) -> Vec<String> {
    let folders = entries(&fixtures().join(library));
    let mut names: Vec<_> = folders.iter().map(|path| file_name(path)).collect();
    names.retain(|name| name != "containers");
    names.sort_by_key(|name| name.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u32>>());
    names
}

fn is_equal(case: &Case, file: &str, method: Method) -> bool {
    if !case.is_served(method) {
        return false;
    }
    let Some(expected) = case.expected_by(file, method) else { return false };
    case.answer(file, method).is_ok_and(|answer| answer.difference(&expected, case.tolerance()).is_none())
}

fn sklearn_row(case: &Case, _file: &str) -> String {
    let class = case.record["estimator"].as_str().unwrap_or_default();
    format!("`{}`", class.rsplit('.').next().unwrap_or_default())
}

fn xgboost_row(_case: &Case, file: &str) -> String {
    match file.rsplit('.').next() {
        Some("json") => "JSON".to_owned(),
        Some("ubj") => "UBJSON".to_owned(),
        Some("joblib" | "pkl") => "in a pickle".to_owned(),
        _ => "binary".to_owned(),
    }
}

fn lightgbm_row(_case: &Case, file: &str) -> String {
    if file.ends_with(".joblib") { "in a pickle".to_owned() } else { "text".to_owned() }
}
