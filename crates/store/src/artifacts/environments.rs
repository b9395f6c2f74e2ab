//! Credentials by namespace and secret, for model URIs that need them.

use std::{collections::BTreeMap, fmt};

use provost_domain::port::artifacts::{FetchError, Source};

/// The fetcher's environment: variables by name.
pub type Environment = BTreeMap<String, String>;

/// The fetcher's environments: one for each secret a deployment may name, and one for those that name none.
/// Values are never printed.
#[derive(Clone, Default)]
pub struct Environments {
    /// For deployments that name no secret.
    pub default: Environment,
    /// By namespace and name of the secret.
    pub secrets: BTreeMap<(String, String), Environment>,
}

impl Environments {
    pub(super) fn of(&self, source: &Source) -> Result<&Environment, FetchError> {
        let Some(name) = &source.secret else { return Ok(&self.default) };
        let key = (source.namespace.to_string(), name.clone());
        self.secrets.get(&key).ok_or_else(|| {
            let namespace = &source.namespace;
            FetchError(format!(
                "there is no secret `{name}` in the namespace `{namespace}`: add [secrets.{namespace}.{name}] to the \
                 configuration, with the variables of the fetcher's environment"
            ))
        })
    }
}

impl fmt::Debug for Environments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environments")
            .field("secrets", &self.secrets.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
