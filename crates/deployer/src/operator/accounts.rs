//! Which Secrets the service accounts of deployments name.
//!
//! **Invariant**: of a Secret only its name, the names of its keys and its annotations are kept. Values are not even
//! parsed.

#[cfg(test)]
pub(super) mod tests;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::{
    Api, Client, Error, Resource as _,
    api::{GetParams, ObjectMeta, Request},
};
use provost_domain::ResourceName;
use serde::{Deserialize, de::IgnoredAny};

use crate::kubernetes::{Accounts, AttachedSecret};

/// The account of pods that name none.
const DEFAULT: &str = "default";
const FORBIDDEN: u16 = 403;
const NOT_FOUND: u16 = 404;

/// What was read of service accounts, and is known of services.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Read {
    /// Where the deployments that are called are, by their names.
    pub(super) addresses: BTreeMap<String, String>,
    /// Their Secrets, as far as they are there.
    pub(super) accounts: Accounts,
    /// What their users must know of them.
    pub(super) warnings: Vec<String>,
    /// Whether something was not there that is named.
    pub(super) is_missing: bool,
}

/// Reads the service accounts of these names and the Secrets that they name.
pub(super) async fn read(client: &Client, namespace: &str, names: &BTreeSet<String>) -> Result<Read, Error> {
    let mut read = Read::default();
    for name in names {
        match secrets_of(client, namespace, name).await {
            Ok(Some(secrets)) => {
                let missing = secrets.iter().filter_map(|secret| secret.as_ref().err());
                read.warnings.extend(missing.map(|secret| not_there(name, secret)));
                read.is_missing |= secrets.iter().any(Result::is_err);
                read.accounts.insert(name.clone(), secrets.into_iter().flatten().collect());
            }
            Ok(None) => read.is_missing |= name != DEFAULT,
            Err(error) if is(&error, FORBIDDEN) => read.warnings.extend(not_read(name)),
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

/// Reads nothing, as administrators want it.
pub(super) fn none(names: &BTreeSet<String>) -> Read {
    Read { warnings: names.iter().filter_map(|name| not_read(name)).collect(), ..Read::default() }
}

/// Tells of an account that its Secrets count for nothing. Who names none expects nothing of it.
fn not_read(account: &str) -> Option<String> {
    let text = format!(
        "the Secrets of the service account `{account}`: have no effect; the operator may not read service accounts and \
         Secrets, so name a Secret in `envSecretRefName` instead"
    );
    Some(text).filter(|_| account != DEFAULT)
}

fn not_there(account: &str, secret: &str) -> String {
    format!("the Secret `{secret}` of the service account `{account}`: has no effect; it is not there")
}

/// The Secrets that an account names, the name alone where one is not there; `None` where the account is not.
async fn secrets_of(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<Option<Vec<Result<AttachedSecret, String>>>, Error> {
    if !is_name(name) {
        return Ok(None);
    }
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    let Some(account) = accounts.get_opt(name).await? else { return Ok(None) };
    let mut secrets = Vec::new();
    for name in account.secrets.into_iter().flatten().filter_map(|secret| secret.name) {
        secrets.push(secret(client, namespace, &name).await?.ok_or(name));
    }
    Ok(Some(secrets))
}

async fn secret(client: &Client, namespace: &str, name: &str) -> Result<Option<AttachedSecret>, Error> {
    if !is_name(name) {
        return Ok(None);
    }
    let request = Request::new(Secret::url_path(&(), Some(namespace))).get(name, &GetParams::default());
    // The client's own parsing would log the whole answer where it fails.
    match client.request_text(request.map_err(Error::BuildRequest)?).await {
        Ok(text) => attached(name, &text).map(Some).map_err(Error::SerdeError),
        Err(error) if is(&error, NOT_FOUND) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether an object can have this name. A path is made of it, and others write it.
fn is_name(name: &str) -> bool {
    ResourceName::try_from(name).is_ok()
}

fn is(error: &Error, code: u16) -> bool {
    matches!(error, Error::Api(status) if status.code == code)
}

/// What is kept of a Secret.
fn attached(name: &str, text: &str) -> Result<AttachedSecret, serde_json::Error> {
    #[derive(Deserialize)]
    #[expect(clippy::zero_sized_map_values, reason = "a set would be read from a list")]
    struct Keys {
        #[serde(default)]
        metadata: ObjectMeta,
        #[serde(default)]
        data: Option<BTreeMap<String, IgnoredAny>>,
    }
    let Keys { metadata, data } = serde_json::from_str(text)?;
    Ok(AttachedSecret {
        name: name.to_owned(),
        keys: data.unwrap_or_default().into_keys().collect(),
        annotations: metadata.annotations.unwrap_or_default(),
    })
}
