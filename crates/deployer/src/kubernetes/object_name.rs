//! Which object of a kind is meant.

use std::{fmt, str::FromStr};

/// A namespace, and a name in it; written `namespace/name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectName {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// A text that names no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is to be `namespace/name`")]
pub struct InvalidObjectName;

impl FromStr for ObjectName {
    type Err = InvalidObjectName;

    fn from_str(text: &str) -> Result<Self, InvalidObjectName> {
        match text.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
                Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
            }
            _ => Err(InvalidObjectName),
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_namespace_and_a_name() {
        let name = ObjectName { namespace: "gateways".to_owned(), name: "public".to_owned() };
        assert_eq!(name.to_string().parse(), Ok(name));
        for text in ["", "public", "/public", "gateways/", "a/b/c"] {
            assert_eq!(text.parse::<ObjectName>(), Err(InvalidObjectName), "{text}");
        }
    }
}
