//! Where a model's files are, as manifests write it.

/// A model URI, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelUri {
    /// A path of this machine, plain or as `file:///path`.
    Path(String),
}

/// Why a URI names nothing that can be read. The text is for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidModelUri {
    /// There is none.
    #[error("the model URI is empty")]
    Empty,
    /// A file URI without an absolute path.
    #[error("`{0}`: a file URI is written file:///absolute/path")]
    File(String),
    /// A scheme that is understood by others.
    #[error("`{uri}`: `{scheme}` is not supported yet; this version reads models from local paths and file:// URIs")]
    Scheme {
        /// The whole URI.
        uri: String,
        /// Its scheme.
        scheme: String,
    },
}

impl ModelUri {
    /// Reads a URI.
    pub fn parse(uri: &str) -> Result<Self, InvalidModelUri> {
        if uri.trim().is_empty() {
            return Err(InvalidModelUri::Empty);
        }
        match uri.split_once(':') {
            Some(("file", rest)) => {
                let path = rest.strip_prefix("//").map(|rest| rest.strip_prefix("localhost").unwrap_or(rest));
                let path = path.filter(|path| path.starts_with('/'));
                let path = path.ok_or_else(|| InvalidModelUri::File(uri.to_owned()))?;
                Ok(Self::Path(percent_decode(path)))
            }
            Some((scheme, _)) if is_scheme(scheme) => {
                Err(InvalidModelUri::Scheme { uri: uri.to_owned(), scheme: scheme.to_owned() })
            }
            _ => Ok(Self::Path(uri.to_owned())),
        }
    }
}

/// Whether it is a scheme, or the name of an rclone remote, and no path.
fn is_scheme(text: &str) -> bool {
    text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'_'))
}

fn percent_decode(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = path.get(at + 1..at + 3).filter(|_| *byte == b'%').and_then(|d| u8::from_str_radix(d, 16).ok());
        decoded.push(escaped.unwrap_or(*byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &str, expected: &str) {
        let shown = match ModelUri::parse(uri) {
            Ok(ModelUri::Path(path)) => path,
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn paths_and_file_uris_are_read() {
        check("/models/iris", "/models/iris");
        check("models/a:b/c", "models/a:b/c");
        check("C:/models", "C:/models");
        check("file:///a%20b/%C3%BC%", "/a b/ü%");
        check("file://localhost/models", "/models");
    }

    #[test]
    fn other_uris_are_refused_by_name() {
        for uri in ["file:models", "file://models", "file:/models"] {
            check(uri, &format!("`{uri}`: a file URI is written file:///absolute/path"));
        }
        check(" ", "the model URI is empty");
        for (uri, scheme) in [("gs://bucket/model", "gs"), ("my-s3:bucket/model", "my-s3")] {
            let only = "this version reads models from local paths and file:// URIs";
            check(uri, &format!("`{uri}`: `{scheme}` is not supported yet; {only}"));
        }
    }
}
