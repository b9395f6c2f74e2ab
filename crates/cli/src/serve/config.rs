//! The configuration of `provost serve`. These comments are its reference.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use provost_domain::BucketUri;
use provost_service_kit::{
    access::{Rules, Token},
    config::{ByteSize, Period, Secret},
    telemetry::traces::TraceOptions,
};
use provost_store::artifacts::{Environment, Environments};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Configuration of a server. A key that is left out has its default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Where and how the server listens.
    pub(crate) server: Server,
    /// Limits of predictions.
    pub(crate) gateway: Gateway,
    /// The request log.
    pub(crate) request_log: RequestLog,
    /// Model files.
    pub(crate) artifacts: Artifacts,
    /// Logs of the server itself.
    pub(crate) telemetry: Telemetry,
    /// Secrets by namespace and name, as `[secrets.default.my-secret]`: what deployments name in
    /// `envSecretRefName`. Entries are the variables that rclone, the AWS tools or Google's read, such as
    /// `AWS_ACCESS_KEY_ID`, or `gcloud-application-credentials.json` with the key of a service account; deployments that
    /// name no secret have those of the server's own environment.
    pub(crate) secrets: BTreeMap<String, BTreeMap<String, BTreeMap<String, Secret>>>,
}

/// Where and how the server listens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Server {
    /// Address to listen on. Any but a loopback address needs a token.
    pub(crate) listen: SocketAddr,
    /// File that holds the token, which API and console then ask for.
    pub(crate) token_file: Option<PathBuf>,
    /// Let everybody predict without the token.
    pub(crate) open_inference: bool,
    /// Let everybody do everything without a token. Model files are then read below `artifacts.roots` only.
    pub(crate) insecure: bool,
    /// Certificate chain (PEM) for TLS; read again when it changes.
    pub(crate) tls_certificate: Option<PathBuf>,
    /// Private key (PEM) for TLS; read again when it changes.
    pub(crate) tls_key: Option<PathBuf>,
    /// Names this server is called by on loopback, besides localhost.
    pub(crate) hosts: Vec<String>,
    /// Other origins whose pages may call this server.
    pub(crate) origins: Vec<String>,
    /// Serving threads; one for each core without.
    pub(crate) threads: Option<usize>,
    /// Most connections at a time; more wait.
    pub(crate) connections_max: usize,
    /// A request's head must have arrived after this long; so long may a connection be idle, and a client take nothing
    /// of its answer, too.
    pub(crate) head_timeout: Period,
    /// Longest head of a request.
    pub(crate) head_max: ByteSize,
    /// How long requests in flight may take once the server stops.
    pub(crate) drain_timeout: Period,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8000)),
            token_file: None,
            open_inference: false,
            insecure: false,
            tls_certificate: None,
            tls_key: None,
            hosts: Vec::new(),
            origins: Vec::new(),
            threads: None,
            connections_max: 10_000,
            head_timeout: Period(Duration::from_secs(60)),
            head_max: ByteSize(32 << 10),
            drain_timeout: Period(Duration::from_secs(20)),
        }
    }
}

/// Limits of predictions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Gateway {
    /// Longest body of a request.
    pub(crate) body_max: ByteSize,
    /// Most requests at a time; more are answered 429.
    pub(crate) in_flight_max: usize,
    /// A body must have arrived after this long.
    pub(crate) body_timeout: Period,
    /// How many of a hundred copies of requests are answered, where the server is a shadow behind a gateway that sends
    /// copies of all; a copy is known by its host, which Envoy ends with `-shadow`.
    pub(crate) copies_percent: Option<u32>,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            body_max: ByteSize(16 << 20),
            in_flight_max: 1024,
            body_timeout: Period(Duration::from_secs(30)),
            copies_percent: None,
        }
    }
}

/// The request log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct RequestLog {
    /// Records of this server older than this are removed.
    pub(crate) age_max: Period,
    /// The oldest records of this server are removed when all take more than this.
    pub(crate) size_max: ByteSize,
    /// Records become Parquet after this long at the latest; 60s without, or 10s where they go to a bucket.
    pub(crate) segment_age: Option<Period>,
    /// Where the server of a pod (`--roles predictor`) sends its records, as `s3://bucket/prefix` or
    /// `gs://bucket/prefix`; they are then removed here. A control plane reads them there, and keeps copies up to
    /// `size-max`. Variables such as `REQUEST_LOG_AWS_ACCESS_KEY_ID` give access:
    /// those that models are fetched with, after `REQUEST_LOG_`. Where there are none, those without it do.
    pub(crate) bucket: Option<String>,
    /// Records in the bucket older than this are removed, by a control plane that was given a lease.
    pub(crate) bucket_age_max: Period,
    /// The oldest records in the bucket are removed when all take more than this, likewise.
    pub(crate) bucket_size_max: ByteSize,
}

impl Default for RequestLog {
    fn default() -> Self {
        Self {
            age_max: Period(Duration::from_secs(30 * 86_400)),
            size_max: ByteSize(10 << 30),
            segment_age: None,
            bucket: None,
            bucket_age_max: Period(Duration::from_secs(30 * 86_400)),
            bucket_size_max: ByteSize(1 << 40),
        }
    }
}

/// Model files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Artifacts {
    /// Local model URIs are read below these folders only; without, everywhere (nowhere when `server.insecure`).
    pub(crate) roots: Option<Vec<PathBuf>>,
    /// Most bytes of one model.
    pub(crate) size_max: ByteSize,
}

impl Default for Artifacts {
    fn default() -> Self {
        Self { roots: None, size_max: ByteSize(16 << 30) }
    }
}

/// Logs of the server itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Telemetry {
    /// What is logged, as `info` or `provost_gateway=debug`.
    pub(crate) log_filter: String,
    /// `text` for people or `json` for collectors.
    pub(crate) log_format: LogFormat,
    /// A collector of OpenTelemetry that gets a span for each request, and for each call of a node, over HTTP by OTLP:
    /// `http://collector:4318`. There are no spans where it is left out; `traceparent` is passed on all the same.
    pub(crate) otlp_endpoint: Option<String>,
    /// The part of the requests, 0 to 1, that have spans where the caller's `traceparent` does not decide that.
    pub(crate) trace_ratio: f64,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { log_filter: "info".to_owned(), log_format: LogFormat::Text, otlp_endpoint: None, trace_ratio: 1.0 }
    }
}

/// Variables of the server's own environment that say how to reach buckets start with one of these.
const FETCHER_PREFIXES: [&str; 4] = ["AWS_", "GOOGLE_", "S3_", "RCLONE_CONFIG_"];
/// Others that do; `KFServing`'s names among them.
const FETCHER_VARIABLES: [&str; 6] = [
    "STORAGE_EMULATOR_HOST",
    "USE_SSL",
    "awsAccessKeyID",
    "awsAnonymousCredential",
    "awsSecretAccessKey",
    "gcloud-application-credentials.json",
];
/// What such variables begin with where they are for the bucket of the request log.
const LOG_PREFIX: &str = "REQUEST_LOG_";

/// The schema of the configuration file, as JSON.
pub(crate) fn schema() -> String {
    let schema = schemars::schema_for!(Config);
    serde_json::to_string_pretty(&schema).unwrap_or_default()
}

impl Config {
    /// What gives access to buckets, or everything that is wrong with the secrets.
    pub(crate) fn environments(&self, variables: &BTreeMap<String, String>) -> Result<Environments, Vec<String>> {
        let (mut secrets, mut problems) = (BTreeMap::new(), Vec::new());
        for (namespace, names) in &self.secrets {
            for (name, entries) in names {
                let mut environment = Environment::new();
                for (variable, secret) in entries {
                    match secret.read(|name| variables.get(name).cloned()) {
                        Ok(text) => drop(environment.insert(variable.clone(), text)),
                        Err(problem) => problems.push(format!("secrets.{namespace}.{name}.{variable}: {problem}")),
                    }
                }
                secrets.insert((namespace.clone(), name.clone()), environment);
            }
        }
        let default = fetchers(variables, "");
        if problems.is_empty() { Ok(Environments { default, secrets }) } else { Err(problems) }
    }

    /// The bucket that records go to and what gives access to it, or what is wrong with it.
    pub(crate) fn log_bucket(
        &self,
        variables: &BTreeMap<String, String>,
    ) -> Result<Option<(BucketUri, Environment)>, Vec<String>> {
        let Some(text) = &self.request_log.bucket else { return Ok(None) };
        let uri = text.parse().map_err(|error| vec![format!("request-log.bucket: {error}")])?;
        let own = fetchers(variables, LOG_PREFIX);
        Ok(Some((uri, if own.is_empty() { fetchers(variables, "") } else { own })))
    }

    /// What is traced, or what is wrong with it.
    pub(crate) fn trace_options(&self) -> Result<Option<TraceOptions>, Vec<String>> {
        let Telemetry { otlp_endpoint, trace_ratio: ratio, .. } = &self.telemetry;
        if !(0.0..=1.0).contains(ratio) {
            return Err(vec!["telemetry.trace-ratio: must be between 0 and 1".to_owned()]);
        }
        let Some(endpoint) = otlp_endpoint.clone() else { return Ok(None) };
        if !["http://", "https://"].iter().any(|scheme| endpoint.starts_with(scheme)) {
            let problem = format!("telemetry.otlp-endpoint: `{endpoint}` is no address: write http://host:4318");
            return Err(vec![problem]);
        }
        Ok(Some(TraceOptions { endpoint, ratio: *ratio, service: "provost" }))
    }

    /// Who is let in, or everything that is wrong with the configuration.
    pub(crate) fn validate(&self, token: Option<String>) -> Result<Rules, Vec<String>> {
        let mut problems = Vec::new();
        let token = match (&self.server.token_file, token) {
            (_, Some(token)) => Some(token),
            (Some(path), None) => match std::fs::read_to_string(path) {
                Ok(token) => Some(token),
                Err(error) => {
                    problems.push(format!("server.token-file: cannot read `{}`: {error}", path.display()));
                    None
                }
            },
            (None, None) => None,
        };
        let token = token.map(|text| Token::new(&text).ok_or(text));
        if matches!(token, Some(Err(_))) {
            problems.push("server.token-file: the token is empty".to_owned());
        }
        let token = token.and_then(Result::ok);
        let is_loopback = self.server.listen.ip().is_loopback();
        if !is_loopback && token.is_none() && !self.server.insecure && problems.is_empty() {
            problems.push(format!(
                "server.listen: {} can be reached from other machines, and no token is set: set server.token-file or PROVOST_TOKEN, or --insecure",
                self.server.listen
            ));
        }
        if self.server.tls_certificate.is_some() != self.server.tls_key.is_some() {
            problems.push("server: tls-certificate and tls-key go together".to_owned());
        }
        for (name, value) in [
            ("server.connections-max", self.server.connections_max),
            ("gateway.in-flight-max", self.gateway.in_flight_max),
            ("server.threads", self.server.threads.unwrap_or(1)),
        ] {
            if value == 0 {
                problems.push(format!("{name}: must be at least 1"));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Rules {
            is_loopback,
            is_insecure: self.server.insecure,
            is_inference_open: self.server.open_inference,
            token,
            hosts: self.server.hosts.clone(),
            origins: self.server.origins.clone(),
        })
    }
}

/// The variables that say how to reach buckets, of those that begin with `prefix`, without it.
fn fetchers(variables: &BTreeMap<String, String>, prefix: &str) -> Environment {
    let is_fetchers = |name: &str| {
        FETCHER_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || FETCHER_VARIABLES.contains(&name)
    };
    let own = variables.iter().filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)));
    own.filter(|(name, _)| is_fetchers(name)).map(|(name, value)| (name.to_owned(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(uri: &str, variables: &[(&str, &str)]) -> Result<Option<(BucketUri, Environment)>, Vec<String>> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request_log = RequestLog { bucket: Some(uri.to_owned()), ..RequestLog::default() };
        Config { request_log, ..Config::default() }.log_bucket(&variables)
    }

    #[test]
    fn variables_of_the_log_stand_in_for_all_of_the_fetchers() {
        let models = [("AWS_ACCESS_KEY_ID", "models"), ("AWS_ENDPOINT_URL", "http://models"), ("HOME", "/")];
        let own = |variables: &[(&str, &str)]| {
            let (uri, environment) = bucket("s3://logs/a", variables).unwrap().unwrap();
            assert_eq!(uri.to_string(), "s3://logs/a");
            environment.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
        };
        assert_eq!(own(&models), ["AWS_ACCESS_KEY_ID=models", "AWS_ENDPOINT_URL=http://models"]);
        let both = [&models[..], &[("REQUEST_LOG_AWS_ACCESS_KEY_ID", "log"), ("REQUEST_LOG_HOME", "/")]].concat();
        assert_eq!(own(&both), ["AWS_ACCESS_KEY_ID=log"]);
        let google = [("REQUEST_LOG_gcloud-application-credentials.json", "{}")];
        assert_eq!(own(&google), ["gcloud-application-credentials.json={}"]);
    }

    #[test]
    fn variables_that_say_how_to_reach_buckets_are_taken_over() {
        let names = [
            "AWS_ROLE_ARN",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "RCLONE_CONFIG_GS_TYPE",
            "S3_VERIFY_SSL",
            "awsAccessKeyID",
            "awsAnonymousCredential",
            "awsSecretAccessKey",
            "gcloud-application-credentials.json",
        ];
        let variables = names.iter().chain(&["GOOGLE", "PATH"]).map(|name| ((*name).to_owned(), "x".to_owned()));
        let environments = Config::default().environments(&variables.collect()).unwrap();
        assert_eq!(environments.default.keys().collect::<Vec<_>>(), names);
    }

    #[test]
    fn what_is_no_bucket_is_refused() {
        let error = bucket("/var/log", &[]).unwrap_err();
        assert!(error[0].starts_with("request-log.bucket: `/var/log` is no bucket: write s3://"), "{error:?}");
    }
}
