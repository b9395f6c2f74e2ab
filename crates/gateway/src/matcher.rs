//! Which deployment and endpoint a path means. Works on borrowed bytes: it runs for every request.

/// A path of the data plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    /// `<namespace>/<name>`, as it stands in the path.
    pub(crate) deployment: &'a str,
    /// What is asked of it; `None` for a path it does not have.
    pub(crate) endpoint: Option<Endpoint>,
}

/// What can be asked of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// Seldon's `predictions`.
    Predictions,
}

/// Whether the path belongs to the data plane at all.
pub(crate) fn is_data_plane(path: &str) -> bool {
    path.starts_with("/seldon/") || endpoint(path).is_some()
}

/// Reads `/seldon/<namespace>/<name>/…`, or what comes after that where all requests are for the deployment `only`.
pub(crate) fn match_path<'a>(path: &'a str, only: Option<&'a str>) -> Option<Target<'a>> {
    let Some(rest) = path.strip_prefix("/seldon/") else {
        return Some(Target { deployment: only?, endpoint: Some(endpoint(path)?) });
    };
    let slash = |text: &str| text.bytes().position(|byte| byte == b'/');
    let namespace_end = slash(rest)?;
    let name_length = slash(rest.get(namespace_end + 1..)?)?;
    let (deployment, path) = rest.split_at_checked(namespace_end + 1 + name_length)?;
    Some(Target { deployment, endpoint: endpoint(path) })
}

fn endpoint(path: &str) -> Option<Endpoint> {
    match path {
        "/api/v1.0/predictions" | "/api/v0.1/predictions" => Some(Endpoint::Predictions),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_versions_of_predictions() {
        for version in ["v1.0", "v0.1"] {
            let path = format!("/seldon/team-a/iris/api/{version}/predictions");
            let target = Target { deployment: "team-a/iris", endpoint: Some(Endpoint::Predictions) };
            assert_eq!(match_path(&path, None), Some(target));
        }
    }

    #[test]
    fn other_paths_have_no_endpoint_or_no_deployment() {
        let target = Target { deployment: "a/b", endpoint: None };
        for path in ["/seldon/a/b/", "/seldon/a/b/api/v2.0/predictions", "/seldon/a/b/api/v1.0/predictions/"] {
            assert_eq!(match_path(path, None), Some(target), "{path}");
        }
        for path in ["/", "/seldon/", "/seldon/a", "/seldon/a/b", "/other/a/b/api/v1.0/predictions"] {
            assert_eq!(match_path(path, None), None, "{path}");
        }
    }

    #[test]
    fn the_only_deployment_answers_at_the_root_too() {
        let target = Target { deployment: "a/b", endpoint: Some(Endpoint::Predictions) };
        for path in ["/api/v1.0/predictions", "/seldon/a/b/api/v1.0/predictions"] {
            assert!(is_data_plane(path));
            assert_eq!(match_path(path, Some("a/b")), Some(target), "{path}");
        }
        assert_eq!(match_path("/api/v1.0/predictions", None), None);
        assert!(!is_data_plane("/api/v1/status"));
    }
}
