//! Lists, and what changes in them.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use axum::{body::Body, response::Response};
use futures_util::{Stream, stream};
use http::{HeaderValue, header};
use provost_api::problem::Problem;
use provost_domain::{DeploymentId, ErrorCode, Namespace, port::deployments::StoredDeployment};
use serde_json::{Value, json};

use super::objects::{Objects, resource_version};
use crate::app::App;

/// How long a watch goes on where its client does not say.
const WATCH: Duration = Duration::from_mins(30);
/// How long one may go on.
const WATCH_MAX: Duration = Duration::from_hours(1);

/// Resources of a namespace, or of all.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    app: App,
    pub(super) objects: Objects,
    namespace: Option<Namespace>,
}

/// A watch that goes on.
struct Watch {
    scope: Scope,
    /// The resources that the client knows, by their versions.
    known: BTreeMap<DeploymentId, (String, Value)>,
    version: u64,
    until: Instant,
    is_first: bool,
    /// Whether the client knows all that is there at first.
    is_listed: bool,
}

impl Scope {
    pub(super) fn new(app: App, objects: Objects, namespace: Option<String>) -> Result<Self, Problem> {
        let namespace = namespace.as_deref().map(Namespace::try_from).transpose();
        let namespace = namespace.map_err(|error| Problem::new(ErrorCode::BadRequest, error.to_string()))?;
        Ok(Self { app, objects, namespace })
    }

    /// The resources, and the version of the store.
    pub(super) async fn list(&self) -> Result<(Vec<Value>, u64), Problem> {
        let (stored, version) = self.stored(None).await?;
        Ok((stored.iter().map(|stored| self.objects.object(&self.app, stored)).collect(), version))
    }

    /// What is stored, once anything changed after a version or a while passed.
    async fn stored(&self, after: Option<u64>) -> Result<(Vec<StoredDeployment>, u64), Problem> {
        let (mut stored, version) = self.app.stored_after(after, self.namespace.as_ref()).await?;
        stored.retain(|stored| self.objects.has(stored));
        Ok((stored, version))
    }

    /// Answers with an event a line, until the time is over.
    pub(super) fn watch(self, since: &str, timeout_seconds: Option<u64>) -> Response {
        let time = timeout_seconds.map_or(WATCH, Duration::from_secs).min(WATCH_MAX);
        let version = since.parse().unwrap_or(0);
        let until = Instant::now() + time;
        let watch = Watch { scope: self, known: BTreeMap::new(), version, until, is_first: true, is_listed: false };
        let mut response = Response::new(Body::from_stream(watch.events()));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

impl Watch {
    fn events(self) -> impl Stream<Item = Result<String, std::convert::Infallible>> + Send {
        stream::unfold(self, |mut watch| async move {
            let left = watch.until.saturating_duration_since(Instant::now());
            let lines = tokio::time::timeout(left, watch.next()).await.ok()??;
            Some((Ok(lines), watch))
        })
    }

    /// The lines of what changed; empty where nothing did for a while. `None` where the store fails.
    async fn next(&mut self) -> Option<String> {
        let after = (!self.is_first).then_some(self.version);
        let (stored, version) = self.scope.stored(after).await.ok()?;
        if self.is_first {
            self.is_listed = version == self.version;
        }
        let lines = self.changes(&stored);
        (self.is_first, self.version) = (false, version);
        Some(lines)
    }

    fn changes(&mut self, stored: &[StoredDeployment]) -> String {
        let mut lines = String::new();
        let mut tell = |kind: &str, object: &Value| {
            lines.push_str(&json!({"type": kind, "object": object}).to_string());
            lines.push('\n');
        };
        let is_silent = self.is_first && self.is_listed;
        let mut before = std::mem::take(&mut self.known);
        for stored in stored {
            let version = resource_version(stored);
            let known = before.remove(&stored.id);
            let kind = match &known {
                Some((known, _)) if *known == version => None,
                Some(_) => Some("MODIFIED"),
                None => Some("ADDED"),
            };
            let object = match (kind, known) {
                (None, Some((_, object))) => object,
                _ => self.scope.objects.object(&self.scope.app, stored),
            };
            if let Some(kind) = kind.filter(|_| !is_silent) {
                tell(kind, &object);
            }
            self.known.insert(stored.id.clone(), (version, object));
        }
        before.values().for_each(|(_, object)| tell("DELETED", object));
        lines
    }
}
