//! Secrets in a configuration: written there, or where they are to be read.

use std::{fmt, fs};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};

/// A secret, as `env:NAME`, `file:PATH`, or the text itself. It is never printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret's text; `environment` gives a variable. The error is for the user and holds no secret.
    pub fn read(&self, environment: impl Fn(&str) -> Option<String>) -> Result<String, String> {
        match self.0.split_once(':') {
            Some(("env", name)) => environment(name).ok_or_else(|| format!("the variable `{name}` is not set")),
            Some(("file", path)) => match fs::read_to_string(path) {
                Ok(text) => Ok(text.trim_end_matches(['\r', '\n']).to_owned()),
                Err(error) => Err(format!("cannot read `{path}`: {error}")),
            },
            _ => Ok(self.0.clone()),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("…")
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "A secret: env:NAME, file:PATH, or the text itself." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        Secret(text.to_owned()).read(|name| (name == "KEY").then(|| "from the environment".to_owned()))
    }

    #[test]
    fn a_secret_is_read_from_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "from a file\n").unwrap();
        assert_eq!(read("env:KEY").as_deref(), Ok("from the environment"));
        assert_eq!(read(&format!("file:{}", path.display())).as_deref(), Ok("from a file"));
        assert_eq!(read("plain").as_deref(), Ok("plain"));
        assert_eq!(read("http://minio:9000").as_deref(), Ok("http://minio:9000"));
        assert_eq!(read("env:NONE"), Err("the variable `NONE` is not set".to_owned()));
        assert!(read("file:/no/such/file").unwrap_err().starts_with("cannot read `/no/such/file`: "));
    }

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret("s3cr3t".to_owned());
        assert_eq!(format!("{secret:?} {}", serde_json::to_string(&secret).unwrap()), "Secret(…) \"…\"");
    }
}
