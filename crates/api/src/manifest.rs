//! Text of manifests to documents: YAML or JSON, one or several, lists taken apart, each with its
//! place in the text.
//!
//! Everything wrong with a text is told at once, with file, document, line and column.

mod document;
mod split;
#[cfg(test)]
mod tests;
pub mod traffic;
mod yaml;

use std::{fmt, sync::Arc};

use provost_domain::{Deployment, Engine, FieldPath, Namespace, ServerCatalog, Violation};
use serde_json::Value;

use crate::crd::{
    Finding, inference_graph,
    inference_service::{self, Paths},
    seldon_deployment,
};
use document::Lines;

/// Longest text of manifests.
pub const TEXT_MAX: usize = 4 * 1024 * 1024;
/// Most documents in one text, items of lists included.
pub const DOCUMENTS_MAX: usize = 1000;
/// Deepest nesting of lists and maps.
pub const DEPTH_MAX: usize = 64;

/// Stack of the thread that reads: three times what the deepest document takes without optimisation.
const READER_STACK: usize = 8 * 1024 * 1024;

/// Kinds whose items are documents of their own.
const LIST_KINDS: [&str; 4] = ["List", "SeldonDeploymentList", "InferenceServiceList", "InferenceGraphList"];
/// The kinds that are accepted, and their versions.
const KINDS: [(&str, &[&str]); 3] = [
    (seldon_deployment::KIND, &seldon_deployment::API_VERSIONS),
    (inference_service::KIND, &inference_service::API_VERSIONS),
    (inference_graph::KIND, &inference_graph::API_VERSIONS),
];

/// One resource of a text of manifests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestDocument {
    /// Its number among the resources of the text, from 0.
    pub index: usize,
    /// Where the text came from, such as a file's name.
    pub source: String,
    /// The line of the text on which it starts, from 1; `None` where that is not known.
    pub line: Option<u32>,
    /// Group and version.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// Namespace, as written.
    pub namespace: Option<String>,
    /// Name, as written.
    pub name: Option<String>,
    /// The resource, with its keys in the order they were written.
    pub json: Value,
    /// The text it was read from, comments included. An item of a list has that of the list.
    pub text: Arc<str>,
    lines: Lines,
}

/// Why a text of manifests cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
pub struct ManifestError {
    /// Where the text came from, such as a file's name.
    pub source_name: String,
    /// Which YAML document of the text, from 0; `None` when it is about all of the text.
    pub document: Option<usize>,
    /// Line of the text, from 1.
    pub line: Option<u32>,
    /// Column, from 1.
    pub column: Option<u32>,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source_name)?;
        for place in [self.line, self.column].into_iter().flatten() {
            write!(f, ":{place}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Reads the documents of a text that came from `source`, or tells everything that is wrong with it.
///
/// Takes milliseconds for a text of the greatest length, on a thread of its own: the reader of YAML
/// needs more stack for a deeply nested document than a caller may have left.
pub fn parse(source: &str, text: &str) -> Result<Vec<ManifestDocument>, Vec<ManifestError>> {
    read(source, text, refusal)
}

/// Reads the objects of a text likewise, of whatever kinds they are.
pub fn parse_objects(source: &str, text: &str) -> Result<Vec<Value>, Vec<ManifestError>> {
    let any = |json: &Value, _: Option<&str>, _: Option<&str>| {
        (!json.is_object()).then(|| "a document must be an object".to_owned())
    };
    Ok(read(source, text, any)?.into_iter().map(|document| document.json).collect())
}

fn read(source: &str, text: &str, refusal: Refusal) -> Result<Vec<ManifestDocument>, Vec<ManifestError>> {
    let reader = Reader { source, refusal, documents: Vec::new(), errors: Vec::new() };
    if text.len() > TEXT_MAX {
        return Err(vec![reader.error(None, None, format!("the text is longer than {} MiB", TEXT_MAX >> 20))]);
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(READER_STACK);
        match thread.spawn_scoped(scope, || reader.read_all(text)).map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => {
                let reader = Reader { source, refusal, documents: Vec::new(), errors: Vec::new() };
                Err(vec![reader.error(None, None, format!("cannot start a thread to read it: {error}"))])
            }
        }
    })
}

/// What is kept of a resource's metadata: the rest is set by servers.
const METADATA_KEPT: [&str; 4] = ["name", "namespace", "labels", "annotations"];

/// Takes away what servers set.
pub fn keep_written(document: &mut Value) {
    if let Some(fields) = document.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| METADATA_KEPT.contains(&name.as_str()));
    }
}

/// Reads a document as a deployment for an engine: with warnings, or with everything that is wrong with it.
pub fn parse_deployment(
    document: &ManifestDocument,
    default_namespace: &Namespace,
    catalog: &ServerCatalog,
    engine: Engine,
) -> Result<(Deployment, Vec<Finding>), Vec<Violation>> {
    let parsed = parse_with_paths(document, default_namespace, catalog, engine)?;
    Ok((parsed.deployment, parsed.findings))
}

/// A document that was read as a deployment.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// What it says.
    pub deployment: Deployment,
    /// What has no effect.
    pub findings: Vec<Finding>,
    /// Where the parts of the deployment stand in the document.
    pub paths: Paths,
}

/// The same, with where the parts of the deployment stand, for rules that are checked later.
pub fn parse_with_paths(
    document: &ManifestDocument,
    default_namespace: &Namespace,
    catalog: &ServerCatalog,
    engine: Engine,
) -> Result<Parsed, Vec<Violation>> {
    let read = (&document.json, default_namespace, catalog);
    match document.kind.as_str() {
        inference_service::KIND => inference_service::parse(read.0, read.1, read.2, engine),
        inference_graph::KIND => inference_graph::parse(read.0, read.1, read.2, engine),
        _ => {
            let (deployment, findings) = seldon_deployment::parse(read.0, read.1, read.2, engine)?;
            Ok(Parsed { deployment, findings, paths: Paths::default() })
        }
    }
}

impl ManifestDocument {
    /// A document that is JSON already, such as one that was stored.
    pub fn from_json(source: &str, json: Value) -> Result<Self, ManifestError> {
        let reader = Reader { source, refusal, documents: Vec::new(), errors: Vec::new() };
        reader.document(0, json, Lines::default(), &Arc::from(""))
    }

    /// The line of the text on which a field stands, or what is nearest around it.
    pub fn line_of(&self, path: &FieldPath) -> Option<u32> {
        self.lines.find(path.as_str())
    }
}

/// Why a document of this API version and kind is not accepted.
type Refusal = fn(&Value, Option<&str>, Option<&str>) -> Option<String>;

struct Reader<'a> {
    source: &'a str,
    refusal: Refusal,
    documents: Vec<ManifestDocument>,
    errors: Vec<ManifestError>,
}

impl Reader<'_> {
    fn read_all(mut self, text: &str) -> Result<Vec<ManifestDocument>, Vec<ManifestError>> {
        for (index, part) in split::documents(text).enumerate() {
            self.read(index, part);
            if self.documents.len() + self.errors.len() > DOCUMENTS_MAX {
                let message = format!("there are more than {DOCUMENTS_MAX} documents; split the file");
                return Err(vec![self.error(None, None, message)]);
            }
        }
        if self.errors.is_empty() { Ok(self.documents) } else { Err(self.errors) }
    }

    fn read(&mut self, index: usize, part: split::Part<'_>) {
        match yaml::read(part.text) {
            Ok(node) if node.is_null() => {}
            Ok(node) => {
                let (json, lines) = node.into_parts(part.lines_before);
                self.take(index, json, lines, &Arc::from(part.text));
            }
            Err(error) => {
                let line = error.line.map_or(part.lines_before + 1, |line| line + part.lines_before);
                let error =
                    ManifestError { column: error.column, ..self.error(Some(index), Some(line), error.message) };
                self.errors.push(error);
            }
        }
    }

    /// Keeps a document, or the items of a list of documents.
    fn take(&mut self, index: usize, mut json: Value, lines: Lines, text: &Arc<str>) {
        let is_list = json.get("kind").and_then(Value::as_str).is_some_and(|kind| LIST_KINDS.contains(&kind));
        let Some(Value::Array(items)) = json.get_mut("items").map(Value::take).filter(|_| is_list) else {
            let document = self.document(index, json, lines, text);
            return self.keep(document);
        };
        for (item, lines) in items.into_iter().zip(lines.items("items").iter().chain(std::iter::repeat(&lines))) {
            let document = self.document(index, item, lines.clone(), text);
            self.keep(document);
        }
    }

    fn keep(&mut self, document: Result<ManifestDocument, ManifestError>) {
        match document {
            Ok(document) => self.documents.push(document),
            Err(error) => self.errors.push(error),
        }
    }

    fn document(
        &self,
        index: usize,
        json: Value,
        lines: Lines,
        text: &Arc<str>,
    ) -> Result<ManifestDocument, ManifestError> {
        let text_at = |path: &str| json.pointer(path).and_then(Value::as_str).map(str::to_owned);
        let (api_version, kind) = (text_at("/apiVersion"), text_at("/kind"));
        if let Some(message) = (self.refusal)(&json, api_version.as_deref(), kind.as_deref()) {
            return Err(self.error(Some(index), lines.line(), message));
        }
        Ok(ManifestDocument {
            index: self.documents.len(),
            source: self.source.to_owned(),
            line: lines.line(),
            api_version: api_version.unwrap_or_default(),
            kind: kind.unwrap_or_default(),
            namespace: text_at("/metadata/namespace"),
            name: text_at("/metadata/name"),
            json,
            text: Arc::clone(text),
            lines,
        })
    }

    fn error(&self, document: Option<usize>, line: Option<u32>, message: String) -> ManifestError {
        ManifestError { source_name: self.source.to_owned(), document, line, column: None, message }
    }
}

/// Why a document is of no kind that is accepted.
fn refusal(json: &Value, api_version: Option<&str>, kind: Option<&str>) -> Option<String> {
    let accepted = || {
        let kinds = KINDS.map(|(kind, versions)| format!("{kind} in {}", versions.join(", ")));
        format!("this version accepts {}", kinds.join("; "))
    };
    let is_known = |version, kind| KINDS.iter().any(|(known, versions)| *known == kind && versions.contains(&version));
    match (json, api_version, kind) {
        (Value::Object(_), Some(version), Some(kind)) if is_known(version, kind) => None,
        (Value::Object(_), Some(version), Some(kind)) => {
            Some(format!("kind `{kind}` of `{version}` is not known; {}", accepted()))
        }
        (Value::Object(_), None, _) => Some(format!("`apiVersion` is missing; {}", accepted())),
        (Value::Object(_), _, None) => Some(format!("`kind` is missing; {}", accepted())),
        _ => Some(format!("a document must be an object with `apiVersion` and `kind`; {}", accepted())),
    }
}
