//! Which deployment and endpoint a path means. Works on borrowed bytes: it runs for every request.

use provost_domain::deployment::Protocol;
use provost_inference::protocol::serving::Method;

/// A path of the data plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    /// `<namespace>/<name>`, as it stands in the path.
    pub(crate) deployment: &'a str,
    /// What is asked of it; `None` for a path it does not have.
    pub(crate) endpoint: Option<Endpoint<'a>>,
}

/// The protocol that a path belongs to, and so its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Seldon v0.1 and v1.0.
    Seldon,
    /// That of `TensorFlow` Serving and `KServe`.
    V1,
    /// Open Inference Protocol.
    V2,
}

impl Dialect {
    /// That of a protocol.
    pub(crate) fn of(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Seldon => Self::Seldon,
            Protocol::Tensorflow => Self::V1,
            Protocol::Kfserving => Self::V2,
        }
    }
}

/// What can be asked of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Endpoint<'a> {
    pub(crate) dialect: Dialect,
    pub(crate) action: Action,
    /// The model's name, as it stands in the path.
    pub(crate) model: Option<&'a str>,
    /// The model's version, likewise.
    pub(crate) version: Option<&'a str>,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// A prediction.
    Predict,
    /// A prediction for examples, in V1.
    Examples(Method),
    /// An explanation of a prediction.
    Explain,
    /// Take what came of a prediction.
    Feedback,
    /// Tell what the server is.
    Server,
    /// Tell that the server runs.
    ServerLive,
    /// Tell whether the deployment answers.
    ServerReady,
    /// Tell what a model is.
    Model,
    /// Tell whether a model answers.
    ModelReady,
    /// Tell what goes into a model and what comes out, in V1.
    Signatures,
    /// Tell what the graph is.
    Graph,
    /// Show how the deployment is called.
    Doc,
    /// Tell how it is called.
    OpenApi,
    /// Tell the names of the models.
    Models,
    /// Tell the models, their versions and states.
    Index,
    /// See to it that a model is loaded.
    Load,
    /// Take a model away.
    Unload,
}

impl Action {
    /// Whether it asks for a prediction, in whatever form.
    pub(crate) fn predicts(self) -> bool {
        matches!(self, Self::Predict | Self::Examples(_))
    }

    /// Whether it is asked by POST.
    pub(crate) fn is_post(self) -> bool {
        let is_told = matches!(self, Self::Explain | Self::Feedback | Self::Index | Self::Load | Self::Unload);
        is_told || self.predicts()
    }
}

/// Seldon's `predictions`.
const PREDICTIONS: Endpoint<'_> =
    Endpoint { dialect: Dialect::Seldon, action: Action::Predict, model: None, version: None };

/// What every path of a graph of services asks.
pub(crate) const OF_SERVICES: Endpoint<'_> =
    Endpoint { dialect: Dialect::V1, action: Action::Predict, model: None, version: None };

/// Whether the path belongs to the data plane at all.
pub(crate) fn is_data_plane(path: &str) -> bool {
    path.starts_with("/seldon/") || endpoint(path).is_some()
}

/// Reads `/seldon/<namespace>/<name>/…`, or what comes after that where all requests are for the deployment `only`.
pub(crate) fn match_path<'a>(path: &'a str, only: Option<&'a str>) -> Option<Target<'a>> {
    if !path.starts_with("/seldon/") {
        return Some(Target { deployment: only?, endpoint: Some(endpoint(path)?) });
    }
    let (deployment, path) = split(path)?;
    Some(Target { deployment, endpoint: endpoint(path) })
}

/// The protocol of a path, whether it means anything or not.
pub(crate) fn dialect(path: &str) -> Dialect {
    let path = split(path).map_or(path, |(_, path)| path);
    match path.get(..4) {
        Some("/v1/") => Dialect::V1,
        Some("/v2/") => Dialect::V2,
        _ if path == "/v2" => Dialect::V2,
        _ => Dialect::Seldon,
    }
}

/// The deployment of `/seldon/<namespace>/<name>/…`, and the path after it.
fn split(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/seldon/")?;
    let slash = |text: &str| text.bytes().position(|byte| byte == b'/');
    let namespace_end = slash(rest)?;
    let name_length = slash(rest.get(namespace_end + 1..)?)?;
    rest.split_at_checked(namespace_end + 1 + name_length)
}

/// What a path asks that names no deployment.
pub(crate) fn endpoint(path: &str) -> Option<Endpoint<'_>> {
    match path {
        "/api/v1.0/predictions" | "/api/v0.1/predictions" => Some(PREDICTIONS),
        _ => v2(path).or_else(|| v1(path)).or_else(|| seldon(path)),
    }
}

/// What Seldon's orchestrator tells besides predictions.
fn seldon(path: &str) -> Option<Endpoint<'_>> {
    let of = |action, model| Endpoint { dialect: Dialect::Seldon, action, model, version: None };
    let rest = path.strip_prefix("/api/v1.0/").or_else(|| path.strip_prefix("/api/v0.1/"))?;
    match rest {
        "status" | "health/status" => return Some(of(Action::ServerReady, None)),
        "metadata" => return Some(of(Action::Graph, None)),
        "feedback" => return Some(of(Action::Feedback, None)),
        "doc/" => return Some(of(Action::Doc, None)),
        "doc/seldon.json" => return Some(of(Action::OpenApi, None)),
        _ => {}
    }
    let status = rest.strip_prefix("status/").map(|model| (Action::ModelReady, model));
    let (action, model) = status.or_else(|| Some((Action::Model, rest.strip_prefix("metadata/")?)))?;
    let (model, rest) = segment(model)?;
    rest.is_empty().then(|| of(action, Some(model)))
}

/// Paths of the Open Inference Protocol, and Seldon's `/v2/models/infer`.
fn v2(path: &str) -> Option<Endpoint<'_>> {
    let of = |action, model, version| Endpoint { dialect: Dialect::V2, action, model, version };
    let rest = path.strip_prefix("/v2")?;
    match rest {
        "" | "/" => return Some(of(Action::Server, None, None)),
        "/health/live" => return Some(of(Action::ServerLive, None, None)),
        "/health/ready" => return Some(of(Action::ServerReady, None, None)),
        "/models/infer" => return Some(of(Action::Predict, None, None)),
        "/models" => return Some(of(Action::Models, None, None)),
        "/repository/index" => return Some(of(Action::Index, None, None)),
        _ => {}
    }
    if let Some(rest) = rest.strip_prefix("/repository/models/") {
        let (model, rest) = segment(rest)?;
        let action = match rest {
            "/load" => Action::Load,
            "/unload" => Action::Unload,
            _ => return None,
        };
        return Some(of(action, Some(model), None));
    }
    let (model, rest) = segment(rest.strip_prefix("/models/")?)?;
    let (version, rest) = match rest.strip_prefix("/versions/") {
        Some(rest) => segment(rest).map(|(version, rest)| (Some(version), rest))?,
        None => (None, rest),
    };
    let action = match rest {
        "/infer" => Action::Predict,
        "/explain" => Action::Explain,
        "" => Action::Model,
        "/ready" => Action::ModelReady,
        _ => return None,
    };
    Some(of(action, Some(model), version))
}

/// Paths of `TensorFlow` Serving, in Seldon's four forms.
fn v1(path: &str) -> Option<Endpoint<'_>> {
    let of = |action, model| Endpoint { dialect: Dialect::V1, action, model, version: None };
    let rest = path.strip_prefix("/v1/models")?;
    match rest {
        "" => return Some(of(Action::Models, None)),
        ":predict" | "/:predict" => return Some(of(Action::Predict, None)),
        _ => {}
    }
    let rest = rest.strip_prefix('/')?;
    let (name, action) = match rest.rsplit_once(':') {
        Some((name, "predict")) => (name.strip_suffix('/').unwrap_or(name), Action::Predict),
        Some((name, "explain")) => (name.strip_suffix('/').unwrap_or(name), Action::Explain),
        Some((name, "classify")) => (name, Action::Examples(Method::Classify)),
        Some((name, "regress")) => (name, Action::Examples(Method::Regress)),
        _ => match rest.strip_suffix("/metadata") {
            Some(name) => (name, Action::Signatures),
            None => (rest, Action::Model),
        },
    };
    let (model, rest) = segment(name)?;
    (rest.is_empty() && !model.contains(':')).then(|| of(action, Some(model)))
}

/// The text up to the next slash, which is not empty, and what comes after it.
fn segment(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().position(|byte| byte == b'/').unwrap_or(text.len());
    text.split_at_checked(end).filter(|(segment, _)| !segment.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_versions_of_predictions() {
        for version in ["v1.0", "v0.1"] {
            let path = format!("/seldon/team-a/iris/api/{version}/predictions");
            let target = Target { deployment: "team-a/iris", endpoint: Some(PREDICTIONS) };
            assert_eq!(match_path(&path, None), Some(target));
        }
    }

    #[test]
    fn reads_every_path_of_v1_and_v2() {
        for (path, dialect, action, model, version) in [
            ("/v2", Dialect::V2, Action::Server, None, None),
            ("/v2/", Dialect::V2, Action::Server, None, None),
            ("/v2/health/live", Dialect::V2, Action::ServerLive, None, None),
            ("/v2/health/ready", Dialect::V2, Action::ServerReady, None, None),
            ("/v2/models/infer", Dialect::V2, Action::Predict, None, None),
            ("/v2/models/m/infer", Dialect::V2, Action::Predict, Some("m"), None),
            ("/v2/models/m/versions/1/infer", Dialect::V2, Action::Predict, Some("m"), Some("1")),
            ("/v2/models/m/explain", Dialect::V2, Action::Explain, Some("m"), None),
            ("/v2/models/m", Dialect::V2, Action::Model, Some("m"), None),
            ("/v2/models/m/versions/1", Dialect::V2, Action::Model, Some("m"), Some("1")),
            ("/v2/models/m/ready", Dialect::V2, Action::ModelReady, Some("m"), None),
            ("/api/v1.0/status", Dialect::Seldon, Action::ServerReady, None, None),
            ("/api/v0.1/health/status", Dialect::Seldon, Action::ServerReady, None, None),
            ("/api/v1.0/status/m", Dialect::Seldon, Action::ModelReady, Some("m"), None),
            ("/api/v1.0/metadata", Dialect::Seldon, Action::Graph, None, None),
            ("/api/v1.0/feedback", Dialect::Seldon, Action::Feedback, None, None),
            ("/api/v0.1/feedback", Dialect::Seldon, Action::Feedback, None, None),
            ("/api/v1.0/doc/", Dialect::Seldon, Action::Doc, None, None),
            ("/api/v0.1/doc/seldon.json", Dialect::Seldon, Action::OpenApi, None, None),
            ("/api/v0.1/metadata/m", Dialect::Seldon, Action::Model, Some("m"), None),
            ("/v2/models", Dialect::V2, Action::Models, None, None),
            ("/v2/repository/index", Dialect::V2, Action::Index, None, None),
            ("/v2/repository/models/m/load", Dialect::V2, Action::Load, Some("m"), None),
            ("/v2/repository/models/m/unload", Dialect::V2, Action::Unload, Some("m"), None),
            ("/v1/models", Dialect::V1, Action::Models, None, None),
            ("/v1/models:predict", Dialect::V1, Action::Predict, None, None),
            ("/v1/models/:predict", Dialect::V1, Action::Predict, None, None),
            ("/v1/models/m:predict", Dialect::V1, Action::Predict, Some("m"), None),
            ("/v1/models/m:explain", Dialect::V1, Action::Explain, Some("m"), None),
            ("/v1/models/m/:predict", Dialect::V1, Action::Predict, Some("m"), None),
            ("/v1/models/m:classify", Dialect::V1, Action::Examples(Method::Classify), Some("m"), None),
            ("/v1/models/m:regress", Dialect::V1, Action::Examples(Method::Regress), Some("m"), None),
            ("/v1/models/m", Dialect::V1, Action::Model, Some("m"), None),
            ("/v1/models/metadata", Dialect::V1, Action::Model, Some("metadata"), None),
            ("/v1/models/m/metadata", Dialect::V1, Action::Signatures, Some("m"), None),
        ] {
            let endpoint = Endpoint { dialect, action, model, version };
            let target = Target { deployment: "a/b", endpoint: Some(endpoint) };
            let prefixed = format!("/seldon/a/b{path}");
            assert_eq!(match_path(&prefixed, None), Some(target), "{path}");
            assert_eq!(match_path(path, Some("a/b")), Some(target), "{path}");
            assert!(is_data_plane(path));
            assert_eq!((super::dialect(path), super::dialect(&prefixed)), (dialect, dialect), "{path}");
        }
    }

    #[test]
    fn other_paths_have_no_endpoint_or_no_deployment() {
        let target = Target { deployment: "a/b", endpoint: None };
        for path in [
            "/",
            "/api/v2.0/predictions",
            "/api/v1.0/predictions/",
            "/v1",
            "/v1/models/",
            "/v1/models/m/",
            "/v1/models/m:explains",
            "/v1/models/m/n:predict",
            "/v1/models/m:predict:classify",
            "/v1/models:classify",
            "/v1/models//:predict",
            "/v1/models//metadata",
            "/v1/models/m/metadata/",
            "/v2x",
            "/v2/models/",
            "/v2/models//infer",
            "/v2/models/m/",
            "/v2/models/m/versions",
            "/v2/models/m/versions//infer",
            "/v2/models/m/infer/",
            "/v2/repository",
            "/v2/repository/models/m",
            "/v2/repository/models/m/index",
        ] {
            assert_eq!(match_path(&format!("/seldon/a/b{path}"), None), Some(target), "{path}");
            assert!(!is_data_plane(path), "{path}");
        }
        for path in ["/", "/seldon/", "/seldon/a", "/seldon/a/b", "/other/a/b/api/v1.0/predictions"] {
            assert_eq!(match_path(path, None), None, "{path}");
        }
    }

    #[test]
    fn the_only_deployment_answers_at_the_root_too() {
        let target = Target { deployment: "a/b", endpoint: Some(PREDICTIONS) };
        for path in ["/api/v1.0/predictions", "/seldon/a/b/api/v1.0/predictions"] {
            assert!(is_data_plane(path));
            assert_eq!(match_path(path, Some("a/b")), Some(target), "{path}");
        }
        assert_eq!(match_path("/api/v1.0/predictions", None), None);
        assert!(!is_data_plane("/api/v1/status"));
    }

    #[test]
    fn unknown_paths_have_a_dialect_all_the_same() {
        for (path, expected) in [
            ("/seldon/a/b/v2/nothing", Dialect::V2),
            ("/seldon/a/b/v1/models/m:explain", Dialect::V1),
            ("/seldon/a/b/api/v9", Dialect::Seldon),
            ("/seldon/v2/models", Dialect::Seldon),
            ("/v2é", Dialect::Seldon),
        ] {
            assert_eq!(dialect(path), expected, "{path}");
        }
    }
}
