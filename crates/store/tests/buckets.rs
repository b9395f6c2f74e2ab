//! Models from buckets of real stores, where the environment says that there are such: `PROVOST_TEST_S3`
//! and `PROVOST_TEST_GCS` are their addresses, and `PROVOST_TEST_BUCKETS` a folder with a folder for each,
//! which holds the folders of its buckets. `cargo xtask test --suite buckets` starts them.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, reason = "a test")]

use std::{env, fs, io::Read as _, path::PathBuf, time::Duration};

use provost_domain::{
    Digest,
    port::artifacts::{ArtifactStore as _, FetchError, Source},
};
use provost_inference::ArtifactFiles as _;
use provost_store::artifacts::{Environment, Environments, FilesystemArtifacts, Options, Patience};

struct Scene {
    _folder: tempfile::TempDir,
    store: FilesystemArtifacts,
    bucket: PathBuf,
}

/// A store of artifacts, and an empty bucket of its own; `None` where there is no such store here.
fn scene(kind: &str, bucket: &str, environment: impl FnOnce(String) -> Environment) -> Option<Scene> {
    let (Ok(address), Ok(buckets)) = (env::var(format!("PROVOST_TEST_{kind}")), env::var("PROVOST_TEST_BUCKETS"))
    else {
        println!("there is no store of the kind {kind} here");
        return None;
    };
    let _already_set = rustls::crypto::ring::default_provider().install_default();
    let bucket = PathBuf::from(buckets).join(kind.to_lowercase()).join(bucket);
    if bucket.exists() {
        fs::remove_dir_all(&bucket).unwrap();
    }
    fs::create_dir_all(&bucket).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let environment = environment(address);
    let environments = Environments {
        secrets: [(("default".to_owned(), "mine".to_owned()), environment.clone())].into(),
        default: environment,
    };
    let patience = Patience { pause: Duration::from_millis(1), ..Patience::default() };
    let options = Options { environments, patience, files_max: 100, ..Options::new(folder.path().join("artifacts")) };
    Some(Scene { store: FilesystemArtifacts::open(options).unwrap(), _folder: folder, bucket })
}

impl Scene {
    fn write(&self, path: &str, content: &[u8]) {
        let path = self.bucket.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    async fn fetch(&self, uri: &str, secret: Option<&str>) -> Result<Digest, FetchError> {
        let namespace = "default".try_into().unwrap();
        let source = Source { uri: uri.to_owned(), namespace, secret: secret.map(str::to_owned) };
        self.store.fetch(&source).await
    }

    async fn error(&self, uri: &str, secret: Option<&str>) -> String {
        self.fetch(uri, secret).await.unwrap_err().to_string()
    }

    fn content(&self, digest: &Digest, file: &str) -> Vec<u8> {
        let mut content = Vec::new();
        self.store.files(digest).unwrap().open(file).unwrap().read_to_end(&mut content).unwrap();
        content
    }
}

fn variables(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn s3(bucket: &str) -> Option<Scene> {
    scene("S3", bucket, |address| {
        let keys = [("AWS_ACCESS_KEY_ID", "testaccess"), ("AWS_SECRET_ACCESS_KEY", "testsecret")];
        let remote = [
            ("RCLONE_CONFIG_MYS3_TYPE", "s3"),
            ("RCLONE_CONFIG_MYS3_ACCESS_KEY_ID", "testaccess"),
            ("RCLONE_CONFIG_MYS3_SECRET_ACCESS_KEY", "testsecret"),
            ("RCLONE_CONFIG_WRONG_TYPE", "s3"),
            ("RCLONE_CONFIG_WRONG_ACCESS_KEY_ID", "testaccess"),
            ("RCLONE_CONFIG_WRONG_SECRET_ACCESS_KEY", "other"),
        ];
        let endpoints = ["AWS_ENDPOINT_URL", "RCLONE_CONFIG_MYS3_ENDPOINT", "RCLONE_CONFIG_WRONG_ENDPOINT"];
        let endpoints = endpoints.map(|name| (name, address.as_str()));
        variables(&[&keys[..], &remote, &endpoints].concat())
    })
}

#[tokio::test]
async fn a_folder_of_an_s3_bucket_is_fetched() {
    let Some(scene) = s3("folders") else { return };
    scene.write("sklearn/iris/model.joblib", b"model");
    scene.write("sklearn/iris/sub/names.txt", b"names");
    scene.write("sklearn/iris2/model.joblib", b"another");
    let digest = scene.fetch("s3://folders/sklearn/iris", None).await.unwrap();
    assert_eq!(scene.content(&digest, "model.joblib"), b"model");
    assert_eq!(scene.content(&digest, "sub/names.txt"), b"names");
    for uri in ["s3://folders/sklearn/iris/", "mys3:folders/sklearn/iris", "mys3://folders/sklearn/iris"] {
        assert_eq!(scene.fetch(uri, Some("mine")).await.unwrap(), digest, "{uri}");
    }
    scene.write("sklearn/iris/model.joblib", b"retrained");
    assert_ne!(scene.fetch("s3://folders/sklearn/iris", None).await.unwrap(), digest);
}

#[tokio::test]
async fn one_object_of_an_s3_bucket_is_fetched() {
    let Some(scene) = s3("objects") else { return };
    let content: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    scene.write("model.joblib", &content);
    let digest = scene.fetch("s3://objects/model.joblib", None).await.unwrap();
    assert!(scene.content(&digest, "model.joblib") == content);
}

#[tokio::test]
async fn what_cannot_be_fetched_from_s3_says_why() {
    let Some(scene) = s3("errors") else { return };
    let nothing = "there is nothing at `s3://errors/none`: check the model URI";
    assert_eq!(scene.error("s3://errors/none", None).await, nothing);
    let error = scene.error("wrong:errors/model", None).await;
    let refused = "cannot read `wrong://errors/model`: the store answers 403 Forbidden (SignatureDoesNotMatch): ";
    assert!(error.starts_with(refused) && error.contains("; check the credentials: "), "{error}");
    let error = scene.error("s3://no-such-bucket/model", None).await;
    assert!(error.contains("no-such-bucket/model`: the store answers 404 Not Found (NoSuchBucket)"), "{error}");
    let secret =
        "there is no secret `other` in the namespace `default`: add [secrets.default.other] to the configuration";
    let error = scene.error("s3://errors/none", Some("other")).await;
    assert!(error.starts_with(secret), "{error}");
    for index in 0..101 {
        scene.write(&format!("many/{index}"), b"x");
    }
    assert_eq!(scene.error("s3://errors/many", None).await, "`s3://errors/many` has more than 100 objects");
}

/// Puts an object into a bucket of the emulator, which keeps more of it than the file.
async fn upload(bucket: &str, name: &str, content: &'static [u8]) {
    let address = env::var("PROVOST_TEST_GCS").unwrap();
    let client = reqwest::Client::new();
    // The bucket may be there.
    let made = client.post(format!("{address}/storage/v1/b")).body(format!("{{\"name\":\"{bucket}\"}}")).send().await;
    assert!(made.is_ok());
    let name = name.replace('/', "%2F");
    let url = format!("{address}/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}");
    let uploaded = client.post(url).body(content).send().await.unwrap();
    assert!(uploaded.status().is_success(), "{}", uploaded.text().await.unwrap());
}

#[tokio::test]
async fn a_public_bucket_of_google_is_fetched_without_credentials() {
    let Some(scene) = scene("GCS", "public", |address| variables(&[("STORAGE_EMULATOR_HOST", &address)])) else {
        return;
    };
    upload("public", "sklearn/iris/model.joblib", b"model").await;
    let digest = scene.fetch("gs://public/sklearn/iris", None).await.unwrap();
    assert_eq!(scene.content(&digest, "model.joblib"), b"model");
    let nothing = "there is nothing at `gs://public/none`: check the model URI";
    assert_eq!(scene.error("gs://public/none", None).await, nothing);
}
