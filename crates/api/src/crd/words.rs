//! Reads the words of a document. What is wrong with one is kept, and the rest is read on as if it had been left out, so
//! that all errors are told at once.

use std::str::FromStr;

use provost_domain::{
    DeploymentId, FieldPath, Namespace, ResourceName, Violation,
    deployment::{REQUEST_LOG_ANNOTATION, RequestLogging, TextMap},
};
use serde_json::json;

use super::metadata::ObjectMeta;

/// Name that stands in for one that is missing or wrong while the rest is checked.
const PLACEHOLDER: &str = "unnamed";

/// Reads words and keeps what is wrong with them.
pub(super) struct Words<'a> {
    pub(super) violations: &'a mut Vec<Violation>,
}

impl Words<'_> {
    pub(super) fn id(&mut self, metadata: &ObjectMeta, default_namespace: &Namespace) -> DeploymentId {
        let path = FieldPath::of("metadata");
        let namespace = metadata.namespace.as_deref().filter(|namespace| !namespace.is_empty());
        let namespace = match namespace.map(Namespace::try_from) {
            None => default_namespace.clone(),
            Some(Ok(namespace)) => namespace,
            Some(Err(error)) => {
                self.violations.push(Violation::invalid(
                    path.field("namespace"),
                    json!(metadata.namespace),
                    error.to_string(),
                ));
                default_namespace.clone()
            }
        };
        DeploymentId { namespace, name: self.resource_name(metadata.name.as_deref(), &path.field("name")) }
    }

    fn resource_name(&mut self, name: Option<&str>, path: &FieldPath) -> ResourceName {
        let violation = match name.filter(|name| !name.is_empty()).map(|name| (name, ResourceName::try_from(name))) {
            Some((_, Ok(name))) => return name,
            Some((name, Err(error))) => Violation::invalid(path.clone(), name, error.to_string()),
            None => Violation::required(path.clone(), "a deployment must have a name"),
        };
        self.violations.push(violation);
        ResourceName::try_from(PLACEHOLDER).expect("the placeholder is a name")
    }

    /// Reads a word; empty is as if left out. A word that is not known is reported in the words of `message`.
    pub(super) fn told<T>(&mut self, word: Option<&str>, path: &FieldPath, message: &str) -> Option<T>
    where
        T: FromStr<Err: std::fmt::Display>,
    {
        let word = word.filter(|word| !word.is_empty())?;
        let parsed = word.parse();
        if parsed.is_err() {
            self.violations.push(Violation::invalid(path.clone(), word, message));
        }
        parsed.ok()
    }

    /// Reads a word for which there is no message but our own.
    pub(super) fn known<T>(&mut self, word: Option<&str>, path: &FieldPath) -> Option<T>
    where
        T: FromStr<Err: std::fmt::Display>,
    {
        let word = word.filter(|word| !word.is_empty())?;
        word.parse()
            .map_err(|error: T::Err| self.violations.push(Violation::invalid(path.clone(), word, error.to_string())))
            .ok()
    }

    /// Whether requests are logged, as the first of the annotations says that tells: each with the object it is of.
    pub(super) fn request_log(&mut self, annotations: &[(&str, &TextMap)]) -> RequestLogging {
        let told = annotations.iter().find_map(|(place, map)| Some((place, map.get(REQUEST_LOG_ANNOTATION)?)));
        let Some((place, setting)) = told else { return RequestLogging::default() };
        let path = FieldPath::of(place).field("annotations").key(REQUEST_LOG_ANNOTATION);
        self.known(Some(setting), &path).unwrap_or_default()
    }
}
