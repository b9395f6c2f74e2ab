//! Deployments as resources of Kubernetes, and back. Pure but for the server's use cases that read a manifest.

use http::{HeaderMap, header};
use provost_api::{
    crd::{
        inference_service,
        resources::{self, CustomResource},
    },
    manifest,
    problem::Problem,
};
use provost_domain::{
    ErrorCode,
    port::deployments::{Precondition, StoredDeployment},
};
use serde_json::{Value, json};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::status;
use crate::app::{App, format_time};

/// How many bits of a resource's version tell what was reported of a generation.
const REPORT_BITS: u32 = 24;

/// Resources of one kind, in the version that the client asks for.
#[derive(Debug, Clone)]
pub(super) struct Objects {
    pub(super) resource: &'static CustomResource,
    version: String,
    /// Where the client reached this server, as `host:port`.
    host: String,
}

impl Objects {
    /// Those that a path names.
    pub(super) fn new(group: &str, version: &str, plural: &str, headers: &HeaderMap) -> Result<Self, Problem> {
        let kind = resources::ALL.into_iter().find(|kind| kind.group == group && kind.plural == plural);
        let kind = kind.filter(|kind| kind.schemas.iter().any(|versions| versions.contains(&version)));
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost").to_owned();
        match kind {
            Some(resource) => Ok(Self { resource, version: version.to_owned(), host }),
            None => {
                let served = resources::ALL.iter().map(|kind| format!("{}.{}", kind.plural, kind.group));
                let served = served.collect::<Vec<_>>().join(", ");
                let detail = format!("there is no resource `{plural}` in {group}/{version}; this server has {served}");
                Err(Problem::new(ErrorCode::NotFound, detail))
            }
        }
    }

    /// Group and version.
    pub(super) fn api_version(&self) -> String {
        format!("{}/{}", self.resource.group, self.version)
    }

    /// The resource, as `kubectl` names it.
    pub(super) fn full_name(&self) -> String {
        format!("{}.{}", self.resource.plural, self.resource.group)
    }

    /// Whether the deployment is one of them: of the kind, and of a version with the same schema or of one before.
    pub(super) fn has(&self, stored: &StoredDeployment) -> bool {
        let of_schema = |api_version: &str| {
            let version = api_version.rsplit('/').next().unwrap_or_default();
            let mut schemas = self.resource.schemas.iter();
            schemas.any(|versions| versions.contains(&version) && versions.contains(&self.version.as_str()))
        };
        let is_of_kind = stored.document["kind"] == self.resource.kind;
        is_of_kind && (self.is_newer(stored) || stored.document["apiVersion"].as_str().is_some_and(of_schema))
    }

    /// Whether the deployment was written in an older version, and is shown in the one that is asked for.
    pub(super) fn is_newer(&self, stored: &StoredDeployment) -> bool {
        let api_version = &stored.document["apiVersion"];
        *api_version == inference_service::LEGACY_VERSION && *api_version != self.api_version()
    }

    /// The resource of a deployment.
    pub(super) fn object(&self, app: &App, stored: &StoredDeployment) -> Value {
        let is_newer = self.is_newer(stored);
        let document = stored.document.clone();
        let mut object = if is_newer { inference_service::upgraded(document) } else { document };
        object["apiVersion"] = json!(self.api_version());
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("name".to_owned(), json!(stored.id.name.as_str()));
            metadata.insert("namespace".to_owned(), json!(stored.id.namespace.as_str()));
            metadata.insert("uid".to_owned(), json!(uid(stored)));
            metadata.insert("generation".to_owned(), json!(stored.generation));
            metadata.insert("resourceVersion".to_owned(), json!(resource_version(stored)));
            metadata.insert("creationTimestamp".to_owned(), json!(format_time(stored.created)));
        }
        object["status"] = status::of(app, stored, (&self.api_version(), &self.host));
        object
    }

    /// What is to be stored of a resource that a client sends.
    pub(super) fn written(&self, mut document: Value, namespace: &str, name: Option<&str>) -> Result<Value, Problem> {
        let bad = |detail: String| Err(Problem::new(ErrorCode::BadRequest, detail));
        for (field, expected) in [("apiVersion", self.api_version()), ("kind", self.resource.kind.to_owned())] {
            match document[field].as_str() {
                None => document[field] = json!(expected),
                Some(found) if *found == expected => {}
                Some(found) => return bad(format!("`{field}` is `{found}`, and the path says `{expected}`")),
            }
        }
        if !document["metadata"].is_object() {
            return bad("`metadata` must be an object".to_owned());
        }
        manifest::keep_written(&mut document);
        for (field, expected) in [("namespace", Some(namespace)), ("name", name)] {
            let Some(expected) = expected else { continue };
            match document["metadata"][field].as_str().filter(|found| !found.is_empty()) {
                None => document["metadata"][field] = json!(expected),
                Some(found) if found == expected => {}
                Some(found) => {
                    return bad(format!("`metadata.{field}` is `{found}`, and the path says `{expected}`"));
                }
            }
        }
        Ok(document)
    }
}

/// What must hold for a change that names the version it was made for.
pub(super) fn precondition(document: &Value) -> Result<Precondition, Problem> {
    let version = document["metadata"]["resourceVersion"].as_str().filter(|version| !version.is_empty());
    let Some(version) = version else { return Ok(Precondition::None) };
    match version.parse::<u64>() {
        Ok(version) => Ok(Precondition::Generation(version >> REPORT_BITS)),
        Err(_) => Err(Problem::new(ErrorCode::BadRequest, format!("`{version}` is no resourceVersion of this server"))),
    }
}

/// Changes whenever the resource or its status does.
pub(super) fn resource_version(stored: &StoredDeployment) -> String {
    let report = serde_json::to_vec(&stored.report).unwrap_or_default();
    let told = xxh3_64(&report) & ((1 << REPORT_BITS) - 1);
    ((stored.generation << REPORT_BITS) | told).to_string()
}

/// Tells a resource from another that had its name before.
pub(super) fn uid(stored: &StoredDeployment) -> String {
    let hash = xxh3_128(format!("{} {}", stored.id, stored.created.as_millis()).as_bytes());
    let digits = format!("{hash:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| &digits[range]);
    parts.join("-")
}
