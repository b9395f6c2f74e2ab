//! Texts in, documents and errors out.

use std::time::{Duration, Instant};

use serde_json::json;

use super::*;

const HEAD: &str = "apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\n";

/// A document with this name.
fn named(name: &str) -> String {
    format!("{HEAD}metadata: {{name: {name}}}\n")
}

#[track_caller]
fn documents(text: &str) -> Vec<ManifestDocument> {
    parse("m.yaml", text).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

/// The names of a text's documents, with the lines on which they start.
#[track_caller]
fn names(text: &str) -> Vec<String> {
    let place = |document: &ManifestDocument| {
        let line = document.line.map_or("?".to_owned(), |line| line.to_string());
        format!("{}:{line}", document.name.as_deref().unwrap_or("-"))
    };
    documents(text).iter().map(place).collect()
}

/// What `part` gives for each number, one after the other.
fn repeated(numbers: std::ops::Range<usize>, part: impl Fn(usize) -> String) -> String {
    numbers.map(part).collect::<Vec<_>>().concat()
}

/// The errors of a text. Whatever it is, they come at once.
#[track_caller]
fn errors(text: &str) -> Vec<String> {
    let start = Instant::now();
    let errors = parse("m.yaml", text).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(5), "took {:?}", start.elapsed());
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn a_document_knows_its_place_its_name_and_its_text() {
    let text = format!("# Iris\n---\n# the first\n{}", named("iris, namespace: models"));
    let documents = documents(&text);
    let [document] = documents.as_slice() else { panic!() };
    assert_eq!(document.source, "m.yaml");
    assert_eq!((document.index, document.line), (0, Some(4)));
    assert_eq!(document.api_version, "machinelearning.seldon.io/v1");
    assert_eq!(document.kind, "SeldonDeployment");
    assert_eq!(document.namespace.as_deref(), Some("models"));
    assert_eq!(document.name.as_deref(), Some("iris"));
    assert_eq!(&*document.text, text);
}

#[test]
fn several_documents_are_told_apart_and_empty_ones_skipped() {
    let text =
        ["---\n", &named("a"), "---\n", "---   # nothing here\n\n", "--- ", &named("b"), "...\n# the end\n---\n"];
    // After `---` on the same line a block mapping may not start; YAML wants it on the next line.
    assert_eq!(errors(&text.concat()).len(), 1);
    let text = text.concat().replace("--- apiVersion", "---\napiVersion");
    assert_eq!(names(&text), ["a:2", "b:9"]);
    assert_eq!(names(""), [""; 0]);
    assert_eq!(names("# nothing\n"), [""; 0]);
}

#[test]
fn a_line_of_dashes_inside_a_text_does_not_end_the_document_unless_it_starts_the_line() {
    let text =
        format!("{HEAD}metadata:\n  name: a\n  annotations:\n    note: |\n      first\n      ---\n      second\n");
    assert_eq!(documents(&text)[0].json.pointer("/metadata/annotations/note"), Some(&json!("first\n---\nsecond\n")));
}

#[test]
fn a_byte_order_mark_windows_line_ends_and_a_directive_are_accepted() {
    assert_eq!(names(&format!("\u{feff}%YAML 1.2\n---\n{}", named("a"))), ["a:3"]);
    assert_eq!(names(&format!("{}---\n{}", named("a"), named("b")).replace('\n', "\r\n")), ["a:1", "b:5"]);
}

#[test]
fn json_is_read_as_it_is_with_its_keys_in_order() {
    let text = r#"{"kind": "SeldonDeployment", "apiVersion": "machinelearning.seldon.io/v1",
        "metadata": {"name": "a", "annotations": {"z": "\ud83d\ude00", "a": "\/"}}}"#;
    let documents = documents(text);
    assert_eq!(documents[0].json.pointer("/metadata/annotations/z"), Some(&json!("😀")));
    assert_eq!(
        documents[0].json.to_string(),
        r#"{"kind":"SeldonDeployment","apiVersion":"machinelearning.seldon.io/v1","metadata":{"name":"a","annotations":{"z":"😀","a":"/"}}}"#
    );
}

#[test]
fn a_map_in_braces_need_not_be_json() {
    assert_eq!(
        names("{apiVersion: machinelearning.seldon.io/v1, kind: SeldonDeployment, metadata: {name: a}}"),
        ["a:1"]
    );
}

#[test]
fn lists_are_taken_apart() {
    let item = "- apiVersion: machinelearning.seldon.io/v1\n  kind: SeldonDeployment\n  metadata: {name: NAME}\n";
    let items = [item.replace("NAME", "a"), item.replace("NAME", "b")].concat();
    assert_eq!(names(&format!("apiVersion: v1\nkind: List\nitems:\n{items}")), ["a:4", "b:7"]);
    let list =
        "apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeploymentList\nmetadata: {continue: ''}\nitems:\n";
    assert_eq!(names(&format!("{list}{items}---\n{}", named("c"))), ["a:5", "b:8", "c:12"]);
    let indices: Vec<_> = documents(&format!("{list}{items}")).iter().map(|document| document.index).collect();
    assert_eq!(indices, [0, 1]);
}

#[test]
fn other_kinds_are_refused_with_those_that_are_accepted() {
    let accepted = "this version accepts SeldonDeployment in machinelearning.seldon.io/v1, \
                    machinelearning.seldon.io/v1alpha2, machinelearning.seldon.io/v1alpha3; InferenceService in \
                    serving.kserve.io/v1beta1, serving.kubeflow.org/v1beta1, serving.kubeflow.org/v1alpha2; InferenceGraph in \
                    serving.kserve.io/v1alpha1";
    let text = format!(
        "apiVersion: v1\nkind: Secret\n---\n{}---\nkind: SeldonDeployment\n---\napiVersion: v1\n---\n- a\n---\n{}",
        named("a"),
        "apiVersion: machinelearning.seldon.io/v1alpha1\nkind: SeldonDeployment\n"
    );
    assert_eq!(
        errors(&text),
        [
            format!("m.yaml:1: kind `Secret` of `v1` is not known; {accepted}"),
            format!("m.yaml:8: `apiVersion` is missing; {accepted}"),
            format!("m.yaml:10: `kind` is missing; {accepted}"),
            format!("m.yaml:12: a document must be an object with `apiVersion` and `kind`; {accepted}"),
            format!(
                "m.yaml:14: kind `SeldonDeployment` of `machinelearning.seldon.io/v1alpha1` is not known; {accepted}"
            ),
        ]
    );
}

#[test]
fn errors_of_several_documents_are_told_with_their_lines_and_columns() {
    let text = format!("a: [1, 2\n---\n{}---\nspec:\n\tpredictors: []\n---\na: 1\nb: 2\na: 3\n", named("a"));
    let found = parse("m.yaml", &text).unwrap_err();
    let places: Vec<_> = found.iter().map(|error| (error.document, error.line, error.column)).collect();
    assert_eq!(
        places,
        [(Some(0), Some(1), Some(4)), (Some(2), Some(8), Some(2)), (Some(3), Some(12), Some(1))],
        "{found:#?}"
    );
    assert!(found[1].message.ends_with("; indent with spaces, not tabs"), "{}", found[1]);
    assert!(found[2].message == "duplicate key `a`", "{}", found[2]);
}

#[test]
fn a_duplicate_key_and_a_slip_in_json_are_told_with_their_place() {
    assert_eq!(errors("{\"a\": 1,\n \"a\": 2}"), ["m.yaml:2:4: duplicate key `a`"]);
    assert_eq!(errors("{\"a\": 1,\n \"b\" 2}"), ["m.yaml:2:6: expected `:`"]);
}

#[test]
fn a_text_that_ends_early_is_an_error() {
    for text in ["{\"a\": {\"b\": [1, 2", "a: 'unfinished", "a: {b: c", "a: &anchor"] {
        assert!(parse("m.yaml", text).is_err(), "{text}");
    }
}

#[test]
fn words_stay_words_and_numbers_are_those_of_kubectl() {
    let value = |text: &str| documents(&format!("{HEAD}value: {text}\n"))[0].json["value"].clone();
    for (text, expected) in [
        ("off", json!("off")),
        ("on", json!("on")),
        ("yes", json!("yes")),
        ("n", json!("n")),
        ("'off'", json!("off")),
        ("true", json!(true)),
        ("False", json!(false)),
        ("'true'", json!("true")),
        ("~", json!(null)),
        ("null", json!(null)),
        ("", json!(null)),
        ("0644", json!(420)),
        ("0x1F", json!(31)),
        ("-1", json!(-1)),
        ("1e3", json!(1000.0)),
        ("1.10", json!(1.1)),
        ("18446744073709551615", json!(u64::MAX)),
        (".inf", json!(".inf")),
        (".nan", json!(".nan")),
        ("1e999", json!(".inf")),
        ("12:30", json!("12:30")),
        ("2021-04-06", json!("2021-04-06")),
        ("v1.0.0", json!("v1.0.0")),
        ("\"tab\\tquote\\\"\"", json!("tab\tquote\"")),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn keys_are_texts_whatever_they_look_like() {
    let document = &documents(&format!("{HEAD}metadata: {{name: a, labels: {{1: x, true: y, off: z}}}}\n"))[0];
    assert_eq!(document.json["metadata"]["labels"], json!({"1": "x", "true": "y", "off": "z"}));
}

#[test]
fn anchors_aliases_and_merges_are_expanded() {
    let text = format!(
        "{HEAD}metadata: {{name: a}}\nspec:\n  base: &base {{x: 1, y: 2}}\n  same: *base\n  more: {{<<: *base, y: 3}}\n"
    );
    let spec = documents(&text)[0].json["spec"].clone();
    assert_eq!(spec["same"], json!({"x": 1, "y": 2}));
    assert_eq!(spec["more"], json!({"x": 1, "y": 3}));
}

#[test]
fn a_field_is_found_with_its_line_and_what_is_missing_with_that_around_it() {
    let text = format!(
        "---\n{HEAD}metadata:\n  name: a\n  annotations:\n    seldon.io/no-engine: 'true'\nspec:\n  predictors:\n  - name: x\n    graph:\n      \
         name: y\n  - name: z\n"
    );
    let document = &documents(&text)[0];
    for (path, line) in [
        ("metadata.annotations[seldon.io/no-engine]", 7),
        ("spec.predictors[0].graph.name", 12),
        ("spec.predictors[0].graph.modelUri", 12),
        ("spec.predictors[1].name", 13),
        ("spec.predictors[7]", 10),
        ("", 2),
    ] {
        assert_eq!(document.line_of(&FieldPath::from(path)), Some(line), "{path}");
    }
}

#[test]
fn yaml_bombs_die_quickly() {
    let aliases = |word: &str, n: usize, times: usize| vec![format!("*{word}{}", n - 1); times].join(", ");
    let laughs = repeated(1..10, |n| format!("l{n}: &l{n} [{}]\n", aliases("l", n, 10)));
    let merges = repeated(1..12, |n| format!("m{n}: &m{n}\n  <<: [{}]\n  k{n}: 1\n", aliases("m", n, 9)));
    let wide = format!("a: &a '{}'\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 90].join(", "));
    let key = "k".repeat(500);
    let keys = format!("a: &a '{key}'\n{}", repeated(0..3000, |n| format!("b{n}: {{*a : 1}}\n")));
    for (name, bomb) in [
        ("laughs", format!("l0: &l0 [lol, lol, lol]\n{laughs}")),
        ("wide", wide),
        ("keys", keys),
        ("merges", format!("m0: &m0 {{k: 1}}\n{merges}")),
        ("deep lists", "[".repeat(100_000)),
        ("deep maps", "{a: ".repeat(100_000)),
        ("deep blocks", repeated(0..2000, |n| format!("{}a:\n", " ".repeat(n)))),
        ("deep dashes", "- ".repeat(100_000)),
        ("deep json", "{\"a\":".repeat(100_000)),
        ("recursive", "a: &a [*a]\n".to_owned()),
        ("brackets in json", format!("{{\"a\": {}{}}}", "[".repeat(100), "]".repeat(100))),
        ("question marks", "? ".repeat(100_000)),
        ("anchors", repeated(0..200_000, |n| format!("&a{n} "))),
    ] {
        let found = errors(&bomb);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert!(found[0].len() < 300, "{name}: {}", found[0]);
    }
}

#[test]
fn large_texts_within_the_limits_are_read() {
    let start = Instant::now();
    let label = "a".repeat(60);
    let labels = repeated(0..20_000, |n| format!("    l{n}: {label}\n"));
    assert_eq!(names(&format!("{HEAD}metadata:\n  name: a\n  labels:\n{labels}")), ["a:1"]);
    assert_eq!(documents(&vec![named("a"); 1000].join("---\n")).len(), 1000);
    assert!(start.elapsed() < Duration::from_secs(20), "took {:?}", start.elapsed());
}

#[test]
fn a_text_over_the_limits_is_refused() {
    assert_eq!(errors(&" ".repeat(TEXT_MAX + 1)), ["m.yaml: the text is longer than 4 MiB"]);
    let many = "m.yaml: there are more than 1000 documents; split the file";
    assert_eq!(errors(&vec![named("a"); 1001].join("---\n")), [many]);
    let items = "- apiVersion: machinelearning.seldon.io/v1\n  kind: SeldonDeployment\n".repeat(1001);
    assert_eq!(errors(&format!("kind: List\nitems:\n{items}")), [many]);
    assert_eq!(errors(&"---\n- a\n".repeat(1001)), [many]);
}

#[test]
fn a_stored_document_is_read_again() {
    let stored = documents(&named("a"))[0].json.clone();
    let document = ManifestDocument::from_json("store", stored.clone()).unwrap();
    assert_eq!((document.name.as_deref(), document.json), (Some("a"), stored));
    assert!(ManifestDocument::from_json("store", json!([1])).is_err());
}

#[test]
fn objects_of_any_kind_are_read_and_lists_of_them() {
    let text =
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, data: {a: b}}\n---\nkind: Other\n";
    let kinds = parse_objects("a.yaml", text).unwrap().into_iter().map(|object| object["kind"].clone());
    assert_eq!(kinds.collect::<Vec<_>>(), ["ConfigMap", "Other"]);
    assert_eq!(parse_objects("a.yaml", "- 1\n").unwrap_err()[0].to_string(), "a.yaml:1: a document must be an object");
}
