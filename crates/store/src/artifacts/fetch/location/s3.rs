//! Amazon S3 and what speaks its protocol, and as whom it is asked.

use std::{fmt, net::IpAddr, sync::Arc};

use object_store::{
    Certificate, ClientOptions, ObjectStore, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
};
use provost_domain::port::artifacts::FetchError;

use super::{Remote, given, is_false, is_true, read, with_scheme};
use crate::artifacts::Environment;

const DEFAULT_REGION: &str = "us-east-1";
/// The variable that names a file with certificates.
const BUNDLE: &str = "AWS_CA_BUNDLE";
/// Those of an identity that a pod has on Amazon's clusters.
const ROLE: [&str; 2] = ["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"];

/// A store that speaks the protocol of S3.
#[derive(Debug)]
pub(crate) struct S3 {
    pub(super) endpoint: Option<String>,
    pub(super) region: String,
    pub(super) identity: Identity,
    /// Whether the bucket is part of the host's name rather than of the path.
    pub(super) is_virtual_hosted: bool,
    pub(super) trust: Trust,
}

/// As whom requests are made.
#[derive(Debug)]
pub(super) enum Identity {
    /// Nobody: the bucket is public.
    Anonymous,
    /// Whose keys these are.
    Keys(Keys),
    /// A role, by a token that the cluster gives the pod.
    Role(Role),
}

/// Credentials of S3. The secret ones are never printed.
pub(super) struct Keys {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) token: Option<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A role, and what it is taken on with.
#[derive(Debug)]
pub(super) struct Role {
    pub(super) arn: String,
    pub(super) token_file: String,
    session: Option<String>,
    endpoint: Option<String>,
}

/// Which certificates of the store are accepted besides those that the system trusts.
#[derive(Debug, Default)]
pub(super) struct Trust {
    /// Those that these have signed.
    pub(super) roots: Vec<Certificate>,
    /// Any.
    pub(super) is_blind: bool,
}

impl S3 {
    /// As the variables of the AWS tools and of `KFServing`'s fetcher describe it.
    pub(super) fn of_environment(environment: &Environment) -> Result<Self, FetchError> {
        let get = |name: &str| given(environment, name);
        let is_plain = ["USE_SSL", "S3_USE_HTTPS"].iter().any(|name| get(name).is_some_and(|value| !is_true(&value)));
        let endpoint = get("AWS_ENDPOINT_URL").or_else(|| get("S3_ENDPOINT")).map(|endpoint| {
            let is_bare = !endpoint.contains("://");
            if is_plain && is_bare { format!("http://{endpoint}") } else { with_scheme(endpoint) }
        });
        let region = get("AWS_REGION").or_else(|| get("AWS_DEFAULT_REGION"));
        Ok(Self {
            endpoint,
            region: region.unwrap_or_else(|| DEFAULT_REGION.to_owned()),
            identity: identity(environment)?,
            is_virtual_hosted: get("S3_USER_VIRTUAL_BUCKET").is_some_and(|value| is_true(&value)),
            trust: trust(environment)?,
        })
    }

    /// As an rclone remote describes it. Its own endpoint and region come before those of the environment.
    pub(super) fn of_remote(remote: &Remote<'_>) -> Result<Self, FetchError> {
        let base = if remote.is_set("ENV_AUTH") {
            Self::of_environment(remote.environment)?
        } else {
            Self {
                endpoint: None,
                region: DEFAULT_REGION.to_owned(),
                identity: keys_of(remote)?.map_or(Identity::Anonymous, Identity::Keys),
                is_virtual_hosted: false,
                trust: Trust::default(),
            }
        };
        Ok(Self {
            endpoint: remote.get("ENDPOINT").map(with_scheme).or(base.endpoint),
            region: remote.get("REGION").unwrap_or(base.region),
            ..base
        })
    }

    /// A client of the bucket.
    pub(super) fn connect(
        &self,
        bucket: &str,
        client: ClientOptions,
        retry: RetryConfig,
    ) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
        let builder = AmazonS3Builder::new().with_bucket_name(bucket).with_region(&self.region);
        let mut builder = builder.with_client_options(self.trust.on(client)).with_retry(retry);
        let endpoint = self.endpoint.as_deref();
        let own_host = endpoint.filter(|_| self.is_virtual_hosted).and_then(|endpoint| host_of(bucket, endpoint));
        let is_virtual_hosted = self.is_virtual_hosted && (own_host.is_some() || endpoint.is_none());
        builder = builder.with_virtual_hosted_style_request(is_virtual_hosted);
        if let Some(endpoint) = own_host.as_deref().or(endpoint) {
            builder = builder.with_endpoint(endpoint);
        }
        Ok(Arc::new(self.identity.on(builder).build()?))
    }
}

impl Identity {
    fn on(&self, builder: AmazonS3Builder) -> AmazonS3Builder {
        match self {
            Self::Anonymous => builder.with_skip_signature(true),
            Self::Keys(keys) => {
                let builder = builder.with_access_key_id(&keys.id).with_secret_access_key(&keys.secret);
                keys.token.iter().fold(builder, AmazonS3Builder::with_token)
            }
            Self::Role(role) => [
                (AmazonS3ConfigKey::RoleArn, Some(&role.arn)),
                (AmazonS3ConfigKey::WebIdentityTokenFile, Some(&role.token_file)),
                (AmazonS3ConfigKey::RoleSessionName, role.session.as_ref()),
                (AmazonS3ConfigKey::StsEndpoint, role.endpoint.as_ref()),
            ]
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .fold(builder, |builder, (key, value)| builder.with_config(key, value)),
        }
    }
}

impl Trust {
    fn on(&self, client: ClientOptions) -> ClientOptions {
        let client = self.roots.iter().cloned().fold(client, ClientOptions::with_root_certificate);
        client.with_allow_invalid_certificates(self.is_blind)
    }
}

fn identity(environment: &Environment) -> Result<Identity, FetchError> {
    let get = |name: &str| given(environment, name);
    if get("awsAnonymousCredential").is_some_and(|value| is_true(&value)) {
        return Ok(Identity::Anonymous);
    }
    let (id, secret) = (get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY"));
    // KFServing's names, before it had those.
    let (id, secret) = (id.or_else(|| get("awsAccessKeyID")), secret.or_else(|| get("awsSecretAccessKey")));
    match (id, secret) {
        (Some(id), Some(secret)) => Ok(Identity::Keys(Keys { id, secret, token: get("AWS_SESSION_TOKEN") })),
        (None, None) => Ok(role(environment)?.map_or(Identity::Anonymous, Identity::Role)),
        _ => Err(half("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")),
    }
}

/// The role that the cluster lets the pod take on.
fn role(environment: &Environment) -> Result<Option<Role>, FetchError> {
    let get = |name: &str| given(environment, name);
    match ROLE.map(get) {
        [None, None] => Ok(None),
        [Some(arn), Some(token_file)] => {
            // It is read again whenever it is needed, as the cluster renews it.
            let _token = read(ROLE[1], &token_file)?;
            let (session, endpoint) = (get("AWS_ROLE_SESSION_NAME"), get("AWS_ENDPOINT_URL_STS"));
            Ok(Some(Role { arn, token_file, session, endpoint }))
        }
        _ => Err(half(ROLE[0], ROLE[1])),
    }
}

fn keys_of(remote: &Remote<'_>) -> Result<Option<Keys>, FetchError> {
    match (remote.get("ACCESS_KEY_ID"), remote.get("SECRET_ACCESS_KEY")) {
        (None, None) => Ok(None),
        (Some(id), Some(secret)) => Ok(Some(Keys { id, secret, token: remote.get("SESSION_TOKEN") })),
        _ => Err(half(&remote.variable("ACCESS_KEY_ID"), &remote.variable("SECRET_ACCESS_KEY"))),
    }
}

fn half(one: &str, other: &str) -> FetchError {
    FetchError(format!("of {one} and {other} only one is set: set both, or none for a public bucket"))
}

fn trust(environment: &Environment) -> Result<Trust, FetchError> {
    let is_blind = given(environment, "S3_VERIFY_SSL").is_some_and(|value| is_false(&value));
    let Some(path) = given(environment, BUNDLE) else { return Ok(Trust { roots: Vec::new(), is_blind }) };
    let content = read(BUNDLE, &path)?;
    let roots = Certificate::from_pem_bundle(content.as_bytes()).unwrap_or_default();
    if roots.is_empty() {
        return Err(FetchError(format!("{BUNDLE}: there is no certificate in `{path}`, which is to be a PEM file")));
    }
    Ok(Trust { roots, is_blind })
}

/// The endpoint whose host is the bucket's own; `None` where the host is an address, which has no names below it.
fn host_of(bucket: &str, endpoint: &str) -> Option<String> {
    let (scheme, rest) = endpoint.split_once("://")?;
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    let is_address = rest.starts_with('[') || host.parse::<IpAddr>().is_ok();
    (!is_address).then(|| format!("{scheme}://{bucket}.{rest}"))
}
