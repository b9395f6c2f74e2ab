//! Models from a web server: files and archives, breaks in between, and what goes wrong.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::{
    fs,
    io::Read as _,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::State, http::HeaderMap, response::Response, routing::get};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use provost_domain::{
    Digest,
    port::artifacts::{ArtifactStore as _, FetchError, Source},
};
use provost_inference::ArtifactFiles as _;
use provost_store::artifacts::{FilesystemArtifacts, Options, Patience};

const MODEL: &[u8] = b"0123456789abcdef";

struct Scene {
    folder: tempfile::TempDir,
    store: FilesystemArtifacts,
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Scene {
    async fn new() -> Self {
        let _already_set = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let patience = Patience { pause: Duration::from_millis(1), ..Patience::default() };
        let options = Options { bytes_max: 1000, patience, ..Options::new(folder.path().join("artifacts")) };
        let store = FilesystemArtifacts::open(options).unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let router = Router::new()
            .route("/model.joblib", get(whole))
            .route("/broken.joblib", get(broken))
            .route("/busy.joblib", get(busy))
            .route("/long.joblib", get(|| async { vec![0; 1001] }))
            .route("/model.tar.gz", get(|| async { archive() }))
            .with_state(Arc::clone(&requests));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, router));
        Self { folder, store, address, requests }
    }

    async fn fetch(&self, path: &str) -> Result<Digest, FetchError> {
        let uri = format!("http://{}/{path}", self.address);
        self.store.fetch(&Source { uri, namespace: "default".try_into().unwrap(), secret: None }).await
    }

    async fn error(&self, path: &str) -> String {
        self.fetch(path).await.unwrap_err().to_string().replace(&self.address.to_string(), "<server>")
    }

    fn content(&self, digest: &Digest, file: &str) -> Vec<u8> {
        let mut content = Vec::new();
        self.store.files(digest).unwrap().open(file).unwrap().read_to_end(&mut content).unwrap();
        content
    }

    /// What is not part of an artifact.
    fn leftovers(&self) -> usize {
        fs::read_dir(self.folder.path().join("artifacts/incoming")).unwrap().count()
    }
}

async fn serve(listener: tokio::net::TcpListener, router: Router) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let builder = auto::Builder::new(TokioExecutor::new());
            // It ends with an error where the test breaks it off.
            let _ended = builder.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn whole(State(requests): State<Arc<AtomicUsize>>) -> &'static [u8] {
    requests.fetch_add(1, Ordering::Relaxed);
    MODEL
}

/// Gives six bytes at a time and then breaks off, and goes on where it is asked to.
async fn broken(State(requests): State<Arc<AtomicUsize>>, headers: HeaderMap) -> Response {
    requests.fetch_add(1, Ordering::Relaxed);
    let range = headers.get("range").and_then(|range| range.to_str().ok());
    let offset = range.map_or(0, |range| range.strip_prefix("bytes=").unwrap().trim_end_matches('-').parse().unwrap());
    assert_eq!(headers.get("if-range").is_some(), offset > 0);
    let rest = &MODEL[offset..];
    let piece = Ok(Bytes::from_static(&rest[..rest.len().min(6)]));
    let end = (rest.len() > 6).then(|| Err(std::io::Error::other("the cable is pulled")));
    Response::builder()
        .status(if offset > 0 { 206 } else { 200 })
        .header("etag", "\"1\"")
        .body(Body::from_stream(stream::iter([piece].into_iter().chain(end)).then(|piece| async {
            // What was given before is sent meanwhile.
            tokio::task::yield_now().await;
            piece
        })))
        .unwrap()
}

async fn busy(State(requests): State<Arc<AtomicUsize>>) -> (axum::http::StatusCode, &'static [u8]) {
    let is_busy = requests.fetch_add(1, Ordering::Relaxed) < 2;
    (if is_busy { 503 } else { 200 }.try_into().unwrap(), MODEL)
}

fn archive() -> Vec<u8> {
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(MODEL.len() as u64);
    archive.append_data(&mut header, "model.joblib", MODEL).unwrap();
    archive.into_inner().unwrap().finish().unwrap()
}

#[tokio::test]
async fn a_file_is_kept_as_the_same_file_of_a_folder_would_be() {
    let scene = Scene::new().await;
    let digest = scene.fetch("model.joblib").await.unwrap();
    assert_eq!(scene.content(&digest, "model.joblib"), MODEL);
    let local = scene.folder.path().join("m/model.joblib");
    fs::create_dir_all(local.parent().unwrap()).unwrap();
    fs::write(&local, MODEL).unwrap();
    let uri = local.parent().unwrap().display().to_string();
    let source = Source { uri, namespace: "default".try_into().unwrap(), secret: None };
    assert_eq!(scene.store.fetch(&source).await.unwrap(), digest);
    assert_eq!(scene.fetch("model.tar.gz").await.unwrap(), digest, "so is one in an archive");
    assert_eq!(scene.leftovers(), 0);
}

#[tokio::test]
async fn what_breaks_off_goes_on_where_it_was() {
    let scene = Scene::new().await;
    let digest = scene.fetch("broken.joblib").await.unwrap();
    assert_eq!(scene.content(&digest, "broken.joblib"), MODEL);
    assert_eq!(scene.requests.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again() {
    let scene = Scene::new().await;
    let digest = scene.fetch("busy.joblib").await.unwrap();
    assert_eq!(scene.content(&digest, "busy.joblib"), MODEL);
}

#[tokio::test]
async fn errors_say_what_to_do_and_leave_nothing() {
    let scene = Scene::new().await;
    let expected = "cannot read `http://127.0.0.1/none`: the server answers 404 Not Found: check the model URI";
    assert_eq!(scene.error("none?token=secret").await, expected);
    let expected = "cannot read `http://127.0.0.1/long.joblib`: it has more than the 1000 bytes allowed";
    assert_eq!(scene.error("long.joblib").await, expected);
    let expected =
        "`http://127.0.0.1/m.zip`: such archives are not unpacked; use .tar, .tar.gz or .tgz, or the file itself";
    assert_eq!(scene.error("m.zip").await, expected);
    assert_eq!(scene.leftovers(), 0);
}
