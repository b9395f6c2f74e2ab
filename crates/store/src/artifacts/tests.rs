//! Artifacts: digests, limits, roots and links.

use std::{fs, io::Read as _};

use provost_domain::port::artifacts::ArtifactStore as _;
use provost_inference::ArtifactFiles as _;

use super::*;

struct Scene {
    folder: tempfile::TempDir,
    store: FilesystemArtifacts,
}

impl Scene {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = Options::new(folder.path().join("artifacts"));
        change(&mut options);
        Self { store: FilesystemArtifacts::open(options).unwrap(), folder }
    }

    fn write(&self, path: &str, content: &str) -> String {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    async fn fetch(&self, uri: &str) -> Result<Digest, FetchError> {
        let namespace = "default".try_into().unwrap();
        self.store.fetch(&Source { uri: uri.to_owned(), namespace, secret: None }).await
    }

    async fn error(&self, uri: &str) -> String {
        let error = self.fetch(uri).await.unwrap_err().to_string();
        error.replace(&self.folder.path().display().to_string(), "<folder>")
    }
}

#[tokio::test]
async fn a_file_and_its_folder_are_kept_by_what_they_hold() {
    let scene = Scene::new();
    let file = scene.write("m/model.joblib", "abc");
    let by_file = scene.fetch(&file).await.unwrap();
    let by_folder = scene.fetch(&format!("file://{}", scene.folder.path().join("m").display())).await.unwrap();
    assert_eq!(by_file, by_folder);

    fs::write(&file, "changed").unwrap();
    assert_ne!(scene.fetch(&file).await.unwrap(), by_file);
    let files = scene.store.files(&by_file).unwrap();
    assert_eq!(files.list().unwrap()[0].path, "model.joblib");
    let mut content = String::new();
    files.open("model.joblib").unwrap().read_to_string(&mut content).unwrap();
    assert_eq!(content, "abc");
    assert!(files.open("../x").is_err() && files.open("/etc/hostname").is_err());
}

#[tokio::test]
async fn unused_artifacts_are_removed() {
    let scene = Scene::new();
    let kept = scene.fetch(&scene.write("a", "a")).await.unwrap();
    let dropped = scene.fetch(&scene.write("b", "b")).await.unwrap();
    scene.store.remove_unused(std::slice::from_ref(&kept)).await;
    assert!(scene.store.files(&kept).is_ok() && scene.store.files(&dropped).is_err());
}

#[tokio::test]
async fn errors_say_what_to_do() {
    let scene = Scene::new();
    let missing = scene.folder.path().join("none");
    let expected = "there is no file or folder `<folder>/none`: check the model URI";
    assert_eq!(scene.error(missing.to_str().unwrap()).await, expected);
    assert!(scene.error("file://model").await.contains("a file URI is written file:///absolute/path"));
    assert_eq!(scene.error(" ").await, "the model URI is empty");
}

#[tokio::test]
async fn limits_and_roots_hold() {
    let scene = Scene::with(|options| {
        options.bytes_max = 3;
        options.files_max = 2;
    });
    assert!(scene.error(&scene.write("long", "abcd")).await.ends_with("has 4 bytes, more than the 3 allowed"));
    for name in ["many/a", "many/b", "many/c"] {
        scene.write(name, "");
    }
    let many = scene.folder.path().join("many").display().to_string();
    assert!(scene.error(&many).await.ends_with("the folder has more than 2 files"));

    let scene = Scene::with(|options| options.roots = Some(vec!["/nowhere".into()]));
    assert!(scene.error(&scene.write("m", "")).await.contains("outside the folders this server reads models from"));
}

#[tokio::test]
async fn links_do_not_leave_the_folder() {
    let scene = Scene::new();
    scene.write("m/model.joblib", "abc");
    let secret = scene.write("secret", "s");
    std::os::unix::fs::symlink(secret, scene.folder.path().join("m/link")).unwrap();
    let folder = scene.folder.path().join("m").display().to_string();
    assert!(scene.error(&folder).await.contains("`<folder>/m/link` is a link that leaves the model's folder"));
}

#[tokio::test]
async fn a_copy_into_a_folder_replaces_an_earlier_one_and_leaves_the_rest() {
    let scene = Scene::new();
    scene.write("m/model.joblib", "abc");
    scene.write("m/sub/more.txt", "more");
    let uri = scene.folder.path().join("m").display().to_string();
    let source = Source { uri: uri.clone(), namespace: "default".try_into().unwrap(), secret: None };
    let target = scene.folder.path().join("target");
    // One was interrupted, and one finished.
    scene.write("target/.incoming/model.joblib", "half");
    scene.write("target/model.joblib", "old");
    scene.write("target/sub/old.txt", "old");
    scene.write("target/other", "kept");
    let digest = download(Options::new(target.clone()), source).await.unwrap();
    assert_eq!(digest, scene.fetch(&uri).await.unwrap());
    let read = |name: &str| fs::read_to_string(target.join(name)).unwrap();
    assert_eq!([read("model.joblib"), read("sub/more.txt"), read("other")], ["abc", "more", "kept"]);
    assert!(!target.join(".incoming").exists() && !target.join("sub/old.txt").exists());
}
