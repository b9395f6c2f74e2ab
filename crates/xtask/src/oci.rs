//! Images without a daemon: an archive in OCI's image layout (image-spec 1.1), with one layer.
//!
//! The same files give the same digest: times, owners and the order of files are fixed.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Folders of every image.
const FOLDERS: [(&str, u32); 5] = [("dev", 0o755), ("etc", 0o755), ("proc", 0o755), ("sys", 0o755), ("tmp", 0o1777)];
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// An image.
#[derive(Debug)]
pub(crate) struct Image<'a> {
    /// Its reference, such as `provost.test/pause:1`.
    pub(crate) name: &'a str,
    /// The program it runs.
    pub(crate) entrypoint: &'a str,
    /// Whom it runs as, by number; root where nothing is said.
    pub(crate) user: Option<u32>,
    /// What is in it, besides empty folders.
    pub(crate) files: Vec<File>,
}

/// A file of an image.
#[derive(Debug)]
pub(crate) struct File {
    path: String,
    source: PathBuf,
    mode: u32,
}

impl File {
    /// A program.
    pub(crate) fn program(path: &str, source: PathBuf) -> Self {
        Self { path: path.to_owned(), source, mode: 0o755 }
    }

    /// A file to read.
    pub(crate) fn data(path: &str, source: PathBuf) -> Self {
        Self { path: path.to_owned(), source, mode: 0o644 }
    }
}

impl Image<'_> {
    /// Writes it as an archive that container runtimes import; gives the digest of its manifest.
    pub(crate) fn write(&self, archive: &Path) -> Result<String> {
        let layer = self.layer()?;
        let config = self.config(&layer).to_string().into_bytes();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(CONFIG, &config),
            "layers": [descriptor(LAYER, &layer)],
        });
        let manifest = manifest.to_string().into_bytes();
        let index = self.index(&manifest).to_string().into_bytes();
        // A half-written archive is never taken for a whole one.
        let unfinished = archive.with_extension("unfinished");
        let file = fs::File::create(&unfinished).with_context(|| format!("cannot write `{}`", unfinished.display()))?;
        let mut tar = tar::Builder::new(io::BufWriter::new(file));
        append(&mut tar, "oci-layout", 0o644, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        append(&mut tar, "index.json", 0o644, &index)?;
        for blob in [&layer, &config, &manifest] {
            append(&mut tar, &format!("blobs/sha256/{}", hex_digest(blob)), 0o644, blob)?;
        }
        tar.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        fs::rename(&unfinished, archive)?;
        Ok(format!("sha256:{}", hex_digest(&manifest)))
    }

    fn layer(&self) -> Result<Vec<u8>> {
        let mut tar = tar::Builder::new(Vec::new());
        for (folder, mode) in FOLDERS {
            let mut header = header(mode, 0);
            header.set_entry_type(tar::EntryType::Directory);
            tar.append_data(&mut header, format!("{folder}/"), io::empty())?;
        }
        append(
            &mut tar,
            "etc/passwd",
            0o644,
            b"root:x:0:0::/:/sbin/nologin\nnonroot:x:65532:65532::/:/sbin/nologin\n",
        )?;
        for file in &self.files {
            let content = fs::read(&file.source).with_context(|| format!("cannot read `{}`", file.source.display()))?;
            append(&mut tar, file.path.trim_start_matches('/'), file.mode, &content)?;
        }
        Ok(tar.into_inner()?)
    }

    fn config(&self, layer: &[u8]) -> Value {
        let mut config = json!({"Entrypoint": [self.entrypoint], "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"]});
        if let Some(user) = self.user {
            config["User"] = json!(user.to_string());
        }
        json!({
            "architecture": architecture(),
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", hex_digest(layer))]},
        })
    }

    fn index(&self, manifest: &[u8]) -> Value {
        let mut descriptor = descriptor(MANIFEST, manifest);
        let tag = self.name.rsplit_once(':').map_or("latest", |(_, tag)| tag);
        descriptor["annotations"] =
            json!({"io.containerd.image.name": self.name, "org.opencontainers.image.ref.name": tag});
        json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [descriptor]})
    }
}

/// OCI has Go's names for architectures.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn descriptor(kind: &str, blob: &[u8]) -> Value {
    json!({"mediaType": kind, "digest": format!("sha256:{}", hex_digest(blob)), "size": blob.len()})
}

fn hex_digest(blob: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(blob).iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

fn append<W: io::Write>(tar: &mut tar::Builder<W>, path: &str, mode: u32, content: &[u8]) -> Result<()> {
    let mut header = header(mode, u64::try_from(content.len())?);
    Ok(tar.append_data(&mut header, path, content)?)
}

/// Without times and owners.
fn header(mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(program: PathBuf) -> Image<'static> {
        Image {
            name: "provost.test/a:1",
            entrypoint: "/a",
            user: Some(65532),
            files: vec![File::program("/a", program)],
        }
    }

    #[test]
    fn the_same_files_give_the_same_archive() {
        let folder = tempfile::tempdir().unwrap();
        let (program, copy) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&program, "#!").unwrap();
        fs::write(&copy, "#!").unwrap();
        let archives = [folder.path().join("1.tar"), folder.path().join("2.tar")];
        assert_eq!(image(program.clone()).write(&archives[0]).unwrap(), image(copy).write(&archives[1]).unwrap());
        assert_eq!(fs::read(&archives[0]).unwrap(), fs::read(&archives[1]).unwrap());
        fs::write(&program, "#!!").unwrap();
        image(program).write(&archives[1]).unwrap();
        assert_ne!(fs::read(&archives[0]).unwrap(), fs::read(&archives[1]).unwrap());
    }
}
