//! What stores are asked with: a small server stands for each, and notes what comes.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::{
    fs,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use provost_domain::{
    Digest,
    port::artifacts::{ArtifactStore as _, FetchError, Source},
};
use provost_store::artifacts::{Environment, Environments, FilesystemArtifacts, Options, Patience};
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A key of no account, for tests only.
const KEY: &str = include_str!("keys/rsa-for-tests-only.pem");
/// What lists one object, of this name and length; in the words of both stores.
const LISTING: &str = "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>iris/model.joblib</Key>\
                       <LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>\"1\"</ETag><Size>5</Size></Contents>\
                       </ListBucketResult>";

/// The requests that came: path and `Authorization` of each.
type Asked = Arc<Mutex<Vec<(String, String)>>>;

struct Stand {
    address: SocketAddr,
    asked: Asked,
}

impl Stand {
    /// With TLS where there is something to answer with.
    async fn start(tls: Option<TlsAcceptor>) -> Self {
        let _already_set = rustls::crypto::ring::default_provider().install_default();
        let asked = Asked::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&asked));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, router, tls));
        Self { address, asked }
    }

    fn asked(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

async fn serve(listener: TcpListener, router: Router, tls: Option<TlsAcceptor>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (service, tls) = (TowerToHyperService::new(router.clone()), tls.clone());
        tokio::spawn(async move {
            let builder = auto::Builder::new(TokioExecutor::new());
            // What goes wrong here is the client's to tell.
            let _served = match tls {
                None => builder.serve_connection(TokioIo::new(stream), service).await,
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => builder.serve_connection(TokioIo::new(stream), service).await,
                    Err(_refused) => Ok(()),
                },
            };
        });
    }
}

async fn answer(State(asked): State<Asked>, headers: HeaderMap, request: Request) -> Response {
    let authorization = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    asked.lock().unwrap().push((request.uri().path().to_owned(), authorization.unwrap_or_default()));
    if request.uri().query().is_some_and(|query| query.contains("list-type")) {
        return LISTING.into_response();
    }
    let dated = [(header::LAST_MODIFIED, "Thu, 01 Jan 2026 00:00:00 GMT"), (header::ETAG, "\"1\"")];
    (dated, "model").into_response()
}

async fn fetch(uri: &str, environment: &[(&str, &str)]) -> Result<Digest, FetchError> {
    let _already_set = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let default: Environment =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let environments = Environments { default, ..Environments::default() };
    let patience = Patience { pause: Duration::from_millis(1), ..Patience::default() };
    let options = Options { environments, patience, ..Options::new(folder.path().join("artifacts")) };
    let store = FilesystemArtifacts::open(options).unwrap();
    store.fetch(&Source { uri: uri.to_owned(), namespace: "default".try_into().unwrap(), secret: None }).await
}

/// The JSON in a part of a token.
fn part(token: &str, index: usize) -> serde_json::Value {
    let text = token.split('.').nth(index).unwrap();
    let sextet = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'-' => 62,
        _ => 63,
    };
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for byte in text.bytes() {
        (bits, count) = (bits << 6 | u32::from(sextet(byte)), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn a_service_account_of_google_asks_by_a_token_that_it_signs() {
    let stand = Stand::start(None).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.json").display().to_string();
    let email = "fetcher@project.iam.gserviceaccount.com";
    let key = serde_json::json!({
        "type": "service_account", "client_email": email, "private_key_id": "key-1", "private_key": KEY,
    });
    fs::write(&path, key.to_string()).unwrap();
    let host = ("STORAGE_EMULATOR_HOST", &*format!("http://{}", stand.address));
    fetch("gs://models/iris", &[host, ("GOOGLE_APPLICATION_CREDENTIALS", &path)]).await.unwrap();
    let asked = stand.asked();
    assert!(asked.len() >= 2, "{asked:?}");
    for (path, authorization) in asked {
        let token = authorization.strip_prefix("Bearer ").unwrap_or_else(|| panic!("{path}: {authorization}"));
        assert_eq!(part(token, 0)["kid"], "key-1");
        let claims = part(token, 1);
        assert_eq!((&claims["iss"], &claims["sub"]), (&email.into(), &email.into()), "{path}");
    }

    fetch("gs://models/iris", &[host]).await.unwrap();
    let asked = stand.asked();
    assert!(!asked.is_empty() && asked.iter().all(|(_, authorization)| authorization.is_empty()), "{asked:?}");
}

#[tokio::test]
async fn a_bucket_may_be_part_of_the_hosts_name() {
    let virtual_bucket = ("S3_USER_VIRTUAL_BUCKET", "true");
    // A name that no name server knows.
    let named = fetch("s3://models/iris", &[("AWS_ENDPOINT_URL", "http://store.invalid"), virtual_bucket]).await;
    let error = named.unwrap_err().to_string();
    assert!(error.contains(" http://models.store.invalid/?list-type=2"), "{error}");

    // An address has no names below it.
    let stand = Stand::start(None).await;
    let endpoint = format!("http://{}", stand.address);
    fetch("s3://models/iris", &[("AWS_ENDPOINT_URL", &endpoint), virtual_bucket]).await.unwrap();
    let asked = stand.asked();
    assert!(!asked.is_empty() && asked.iter().all(|(path, _)| path.starts_with("/models")), "{asked:?}");
}

#[tokio::test]
async fn a_certificate_is_trusted_that_a_file_names_or_where_none_is_asked_for() {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let _already_set = rustls::crypto::ring::default_provider().install_default();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let tls = rustls::ServerConfig::builder().with_no_client_auth();
    let tls = tls.with_single_cert(vec![cert.der().clone()], key).unwrap();
    let stand = Stand::start(Some(TlsAcceptor::from(Arc::new(tls)))).await;
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("ca.pem").display().to_string();
    fs::write(&bundle, cert.pem()).unwrap();
    let endpoint = format!("https://localhost:{}", stand.address.port());
    let with = |more: &[(&'static str, &str)]| {
        let more: Vec<_> = more.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let endpoint = endpoint.clone();
        async move {
            let more = more.iter().map(|(name, value)| (*name, value.as_str()));
            let variables: Vec<_> = [("AWS_ENDPOINT_URL", endpoint.as_str())].into_iter().chain(more).collect();
            fetch("s3://models/iris", &variables).await
        }
    };
    let error = with(&[]).await.unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");
    with(&[("AWS_CA_BUNDLE", &bundle)]).await.unwrap();
    with(&[("S3_VERIFY_SSL", "0")]).await.unwrap();
}
