//! Walks a document by the table of its fields: every path is classified, every type checked, and all
//! that is wrong is told at once.

use provost_domain::{Engine, FieldPath, Violation, graph::Implementation, validation::Reason};
use serde_json::{Map, Value};

use super::{Class, Field, Shape, Table};

/// Findings and violations a document may have before the rest is only counted.
const LIMIT: usize = 100;

/// Something a document sets that does not do what its author may expect.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The field.
    pub path: FieldPath,
    /// What is done with it.
    pub class: Class,
    /// Why, for a person.
    pub message: String,
}

/// What a walk gives.
#[derive(Debug)]
pub struct Walked {
    /// The document without nulls, fields that are not known and values of a wrong type.
    pub document: Value,
    /// Warnings.
    pub findings: Vec<Finding>,
    /// Errors.
    pub violations: Vec<Violation>,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// Walks `document` by `table`, for an engine.
pub(crate) fn walk(document: &Value, table: &Table, engine: Engine) -> Walked {
    let mut walker = Walker {
        table,
        engine,
        has_own_program: has_own_program(document),
        findings: Vec::new(),
        violations: Vec::new(),
        uncounted: 0,
    };
    let root = Field::honoured("", Shape::Object, "");
    let place = Place { row: &root, path: FieldPath::default(), told: Told::No };
    let document = walker.value(document, &place);
    walker.tell_uncounted();
    Walked { document, findings: walker.findings, violations: walker.violations }
}

struct Walker<'a> {
    table: &'a Table,
    engine: Engine,
    /// Whether the program of any node is the user's own.
    has_own_program: bool,
    findings: Vec<Finding>,
    violations: Vec<Violation>,
    uncounted: usize,
}

/// Where the walk is.
struct Place<'a> {
    row: &'a Field,
    path: FieldPath,
    told: Told,
}

/// Whether the class of a field around was told already: then that of the fields inside is not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Yes,
    No,
}

/// What a class asks for on an engine.
enum Act {
    Accept,
    Warn,
    Refuse(&'static str),
}

impl Walker<'_> {
    /// The value without what is wrong inside it. Its own type was found right.
    fn value(&mut self, value: &Value, place: &Place<'_>) -> Value {
        match (place.row.shape, value) {
            (Shape::Boolean, Value::String(word)) => Value::Bool(yaml_boolean(word).unwrap_or_default()),
            (Shape::TextMap, Value::Object(map)) => self.texts(map, place),
            (Shape::Annotations, Value::Object(map)) => self.annotations(map, place),
            (Shape::Object, Value::Object(map)) => self.object(map, place.row.path, place),
            (Shape::ObjectLike(pattern), Value::Object(map)) => self.object(map, pattern, place),
            (Shape::ObjectMap, Value::Object(map)) => self.map_of_objects(map, place),
            (Shape::Texts, Value::Array(items)) => self.list_of_texts(items, place),
            (Shape::Objects, Value::Array(items)) => self.objects(items, &format!("{}[]", place.row.path), place),
            (Shape::ObjectsLike(pattern), Value::Array(items)) => self.objects(items, pattern, place),
            _ => value.clone(),
        }
    }

    fn object(&mut self, map: &Map<String, Value>, pattern: &str, place: &Place<'_>) -> Value {
        let present = map.iter().filter(|(_, value)| !value.is_null());
        let fields = present.filter_map(|(name, value)| {
            let clean = self.field(name, value, (map, pattern), place)?;
            Some((name.clone(), clean))
        });
        Value::Object(fields.collect())
    }

    /// A field of the object `around`, whose fields are those of `pattern`.
    fn field(
        &mut self,
        name: &str,
        value: &Value,
        (around, pattern): (&Map<String, Value>, &str),
        place: &Place<'_>,
    ) -> Option<Value> {
        let dot = if pattern.is_empty() { "" } else { "." };
        let path = place.path.field(name);
        let Some(row) = self.table.field(&format!("{pattern}{dot}{name}")) else {
            self.unknown(path, name, pattern);
            return None;
        };
        if !is_of_shape(value, row.shape) {
            self.wrong_type(&path, expected(row.shape), value);
            return None;
        }
        let act = self.act(row.class, || is_own_program(around));
        let told = self.classify((row, act), value, &path, place.told);
        Some(self.value(value, &Place { row, path, told }))
    }

    fn objects(&mut self, items: &[Value], pattern: &str, place: &Place<'_>) -> Value {
        let items = items.iter().enumerate().filter_map(|(index, item)| {
            let path = place.path.index(index);
            let Value::Object(map) = item else {
                self.wrong_type(&path, "an object", item);
                return None;
            };
            Some(self.object(map, pattern, &Place { row: place.row, path, told: place.told }))
        });
        Value::Array(items.collect())
    }

    fn map_of_objects(&mut self, map: &Map<String, Value>, place: &Place<'_>) -> Value {
        let pattern = format!("{}[]", place.row.path);
        let values = map.iter().filter_map(|(key, value)| {
            let path = place.path.key(key);
            let Value::Object(fields) = value else {
                self.wrong_type(&path, "an object", value);
                return None;
            };
            Some((key.clone(), self.object(fields, &pattern, &Place { row: place.row, path, told: place.told })))
        });
        Value::Object(values.collect())
    }

    fn list_of_texts(&mut self, items: &[Value], place: &Place<'_>) -> Value {
        let items = items.iter().enumerate().filter_map(|(index, item)| self.text(item, &place.path.index(index)));
        Value::Array(items.collect())
    }

    fn texts(&mut self, map: &Map<String, Value>, place: &Place<'_>) -> Value {
        let texts = map.iter().filter_map(|(key, value)| Some((key.clone(), self.text(value, &place.path.key(key))?)));
        Value::Object(texts.collect())
    }

    fn annotations(&mut self, map: &Map<String, Value>, place: &Place<'_>) -> Value {
        for key in map.keys() {
            let path = place.path.key(key);
            let (class, advice) = self.table.annotation(key);
            match (class, self.act(class, || self.has_own_program)) {
                (Class::Unknown, _) => self.warn(path, class, "unknown annotation; it is ignored".to_owned()),
                (_, Act::Warn) => self.warn(path, class, with_advice(self.no_effect(), advice)),
                _ => {}
            }
        }
        self.texts(map, place)
    }

    fn text(&mut self, value: &Value, path: &FieldPath) -> Option<Value> {
        if !value.is_string() {
            self.wrong_type(path, expected(Shape::Text), value);
        }
        value.is_string().then(|| value.clone())
    }

    /// Tells the class of a field that is set, and whether the fields inside it are told by that.
    fn classify(&mut self, (row, act): (&Field, Act), value: &Value, path: &FieldPath, told: Told) -> Told {
        if told == Told::Yes || is_neutral(row, value) {
            return told;
        }
        match act {
            Act::Accept => return told,
            Act::Warn => self.warn(path.clone(), row.class, with_advice(self.no_effect(), row.advice)),
            Act::Refuse(reason) => {
                self.refuse(Violation::not_supported(path.clone(), excerpt(value), with_advice(reason, row.advice)));
            }
        }
        Told::Yes
    }

    fn act(&self, class: Class, is_own_program: impl FnOnce() -> bool) -> Act {
        match (class, self.engine) {
            (Class::OwnProgram, _) if is_own_program() => Act::Accept,
            // Whoever finds what serves the model takes the warning back.
            (Class::NoEffect | Class::OwnProgram | Class::InContainer, _)
            | (Class::OnKubernetes, Engine::Process)
            | (Class::InProcess, Engine::Kubernetes) => Act::Warn,
            (Class::NotSupported, _) => Act::Refuse("not supported yet"),
            (Class::KubernetesOnly, Engine::Process) => Act::Refuse("works on a Kubernetes cluster only"),
            (Class::OnKubernetes | Class::KubernetesOnly, Engine::Kubernetes)
            | (Class::InProcess, Engine::Process)
            | (Class::Honoured | Class::ServerSet | Class::Unknown, _) => Act::Accept,
        }
    }

    fn no_effect(&self) -> &'static str {
        match self.engine {
            Engine::Process => "has no effect on this engine",
            Engine::Kubernetes => "has no effect on Kubernetes",
        }
    }

    fn unknown(&mut self, path: FieldPath, name: &str, pattern: &str) {
        if self.findings.len() >= LIMIT {
            return self.uncounted += 1;
        }
        let nearest = self.table.names_in(pattern).filter(|known| is_near(name, known)).min();
        let advice = nearest.map(|known| format!("did you mean `{known}`?"));
        self.warn(path, Class::Unknown, with_advice("unknown field; it is ignored", advice.as_deref().unwrap_or("")));
    }

    fn wrong_type(&mut self, path: &FieldPath, expected: &str, found: &Value) {
        let hint =
            if expected == "a text" && !found.is_object() && !found.is_array() { "; put it in quotes" } else { "" };
        let message = format!("expected {expected}, found {}{hint}", described(found));
        self.refuse(Violation { path: path.clone(), reason: Reason::Type, value: excerpt(found), message });
    }

    fn warn(&mut self, path: FieldPath, class: Class, message: String) {
        if self.findings.len() < LIMIT {
            self.findings.push(Finding { path, class, message });
        } else {
            self.uncounted += 1;
        }
    }

    fn refuse(&mut self, violation: Violation) {
        if self.violations.len() < LIMIT {
            self.violations.push(violation);
        } else {
            self.uncounted += 1;
        }
    }

    fn tell_uncounted(&mut self) {
        if self.uncounted == 0 {
            return;
        }
        let message = format!("there is more of this kind: {} further fields are not listed", self.uncounted);
        self.findings.push(Finding { path: FieldPath::default(), class: Class::Unknown, message });
    }
}

fn is_of_shape(value: &Value, shape: Shape) -> bool {
    match (shape, value) {
        (Shape::Any, _) | (Shape::Text, Value::String(_)) | (Shape::Boolean, Value::Bool(_)) => true,
        (Shape::Boolean, Value::String(word)) => yaml_boolean(word).is_some(),
        (Shape::Integer, Value::Number(number)) => fits_32_bits(number),
        (
            Shape::Object | Shape::ObjectLike(_) | Shape::ObjectMap | Shape::Map | Shape::TextMap | Shape::Annotations,
            Value::Object(_),
        ) => true,
        (Shape::Texts | Shape::List | Shape::Objects | Shape::ObjectsLike(_), Value::Array(_)) => true,
        _ => false,
    }
}

/// Whether a value asks for nothing: empty, or what happens anyway.
fn is_neutral(row: &Field, value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) if text.is_empty() => true,
        Value::Array(items) if items.is_empty() => true,
        Value::Object(map) if map.is_empty() => true,
        _ => row.neutral.is_some_and(|neutral| value.as_i64() == Some(neutral.into())),
    }
}

/// Whether a program of its own is the node, as it is written.
fn is_own_program(node: &Map<String, Value>) -> bool {
    let implementation = node.get("implementation").and_then(Value::as_str).unwrap_or_default();
    Implementation::from(implementation.to_owned()).is_own_program()
}

/// Whether that of any node is.
fn has_own_program(document: &Value) -> bool {
    fn is_or_has(node: &Map<String, Value>) -> bool {
        let children = node.get("children").and_then(Value::as_array).into_iter().flatten();
        is_own_program(node) || children.filter_map(Value::as_object).any(is_or_has)
    }
    let predictors = document["spec"]["predictors"].as_array().into_iter().flatten();
    predictors.filter_map(|predictor| predictor["graph"].as_object()).any(is_or_has)
}

/// The words that YAML 1.1, which kubectl reads, takes for true and false.
fn yaml_boolean(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => Some(true),
        "false" | "no" | "off" | "n" => Some(false),
        _ => None,
    }
}

fn fits_32_bits(number: &serde_json::Number) -> bool {
    number.as_i64().is_some_and(|number| i32::try_from(number).is_ok())
}

fn expected(shape: Shape) -> &'static str {
    match shape {
        Shape::Text => "a text",
        Shape::Integer => "a whole number of 32 bits",
        Shape::Boolean => "true or false",
        Shape::TextMap | Shape::Annotations => "a map of texts",
        Shape::ObjectMap => "a map of objects",
        Shape::Object | Shape::ObjectLike(_) | Shape::Map => "an object",
        Shape::List => "a list",
        Shape::Texts => "a list of texts",
        Shape::Objects | Shape::ObjectsLike(_) => "a list of objects",
        Shape::Any => "anything",
    }
}

fn described(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(_) => format!("the text {}", excerpt(value)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// A value as it is shown in a message: not more than a line.
fn excerpt(value: &Value) -> Value {
    match value {
        Value::String(text) => match text.char_indices().nth(80) {
            Some((end, _)) => Value::String(format!("{}…", &text[..end])),
            None => value.clone(),
        },
        Value::Array(_) | Value::Object(_) => Value::Null,
        scalar => scalar.clone(),
    }
}

fn with_advice(message: &str, advice: &str) -> String {
    let separator = if advice.is_empty() { "" } else { "; " };
    format!("{message}{separator}{advice}")
}

/// Whether a name may be meant for another: the same but for case and separators, or at most two
/// letters off.
fn is_near(name: &str, known: &str) -> bool {
    let plain = |text: &str| text.replace(['_', '-'], "").to_lowercase();
    name.len() <= 40 && (plain(name) == plain(known) || (known.len() > 4 && distance(name, known) <= 2))
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for j in 0..b.len() {
            let substituted = diagonal + usize::from(letter != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
