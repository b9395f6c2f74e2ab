//! A file of a web server, or an archive of files.

use std::{
    fs::{self, File},
    io::{BufReader, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use flate2::read::MultiGzDecoder;
use futures_util::{StreamExt as _, TryStreamExt as _};
use provost_domain::{Digest, port::artifacts::FetchError};
use reqwest::{Client, StatusCode, Url, header};
use tokio::runtime::Handle;

use super::{
    Limits,
    archive::unpack,
    download::{Broken, Origin, Part, download, failed},
    manifest_digest,
};

/// What a file's name says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Tar,
    TarGz,
    /// Archives that are not unpacked.
    Other,
}

/// Downloads what is at `url` into the folder `to`; an archive is unpacked there.
pub(super) fn fetch(runtime: &Handle, url: &str, limits: &Limits, to: &Path) -> Result<Digest, FetchError> {
    let parsed = Url::parse(url).map_err(|error| FetchError(format!("`{url}` is no web address: {error}")))?;
    let name = file_name(&parsed);
    let kind = kind_of(&name);
    // Credentials in the address, and tokens in its query, are not shown.
    let shown = format!("{}://{}{}", parsed.scheme(), parsed.host_str().unwrap_or_default(), parsed.path());
    if kind == Kind::Other {
        let message =
            format!("`{shown}`: such archives are not unpacked; use .tar, .tar.gz or .tgz, or the file itself");
        return Err(FetchError(message));
    }
    let client = Client::builder().connect_timeout(Duration::from_secs(10)).build();
    let client = client.map_err(|error| FetchError(format!("cannot read `{shown}`: {error}")))?;
    let page = Page { client, url: parsed, shown };
    if kind == Kind::File {
        let (digest, length) = download(runtime, &page, &to.join(&name), limits.bytes, limits.patience)?;
        return Ok(manifest_digest(&[(name, digest, length)]));
    }
    let archive = to.with_extension("archive");
    let unpacked = download(runtime, &page, &archive, limits.bytes, limits.patience).and_then(|_| {
        let opened = open(&archive, kind).and_then(|archive| unpack(archive, to, limits));
        opened.map_err(|error| failed(&page, &error.to_string()))
    });
    if archive.exists() {
        // What is left is removed at the next start at the latest.
        let _left = fs::remove_file(&archive);
    }
    Ok(manifest_digest(&unpacked?))
}

fn open(archive: &PathBuf, kind: Kind) -> std::io::Result<Box<dyn Read>> {
    let file = BufReader::new(File::open(archive)?);
    Ok(if kind == Kind::TarGz { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

fn file_name(url: &Url) -> String {
    let last = url.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name: String = last.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    if name.is_empty() || name.starts_with('.') { "model".to_owned() } else { name }
}

fn kind_of(name: &str) -> Kind {
    let name = name.to_lowercase();
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    match () {
        () if ends(&[".tar.gz", ".tgz"]) => Kind::TarGz,
        () if ends(&[".tar"]) => Kind::Tar,
        () if ends(&[".zip", ".tar.bz2", ".tar.xz", ".tar.zst", ".7z", ".rar"]) => Kind::Other,
        () => Kind::File,
    }
}

struct Page {
    client: Client,
    url: Url,
    shown: String,
}

impl Origin for Page {
    fn name(&self) -> String {
        self.shown.clone()
    }

    async fn open(&self, offset: u64, version: Option<&str>) -> Result<Part, Broken> {
        let mut request = self.client.get(self.url.clone());
        if let Some(version) = version.filter(|_| offset > 0) {
            request = request.header(header::RANGE, format!("bytes={offset}-")).header(header::IF_RANGE, version);
        }
        let answer = request.send().await.map_err(|error| Broken::Passing(reason(error)))?;
        let status = answer.status();
        let is_whole = status == StatusCode::OK && offset == 0;
        let is_rest = status == StatusCode::PARTIAL_CONTENT && offset > 0;
        match status {
            _ if is_whole || is_rest => {}
            StatusCode::OK => {
                let reason = "it changed while it was read, or the server gives no parts: apply the deployment again";
                return Err(Broken::Lasting(reason.to_owned()));
            }
            _ if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                return Err(Broken::Passing(format!("the server answers {status}")));
            }
            _ => return Err(Broken::Lasting(format!("the server answers {status}: check the model URI"))),
        }
        // A weak tag does not tell that all bytes are the same.
        let tag = answer.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
        let version = tag.filter(|tag| !tag.starts_with("W/")).map(str::to_owned);
        let pieces = answer.bytes_stream().map_err(reason).boxed();
        Ok(Part { version, pieces })
    }
}

/// An error without the address, which may hold a secret.
fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_a_file_is() {
        for (url, name, kind) in [
            ("https://h/a/model.joblib?token=x", "model.joblib", Kind::File),
            ("https://h/a/m.tar.gz", "m.tar.gz", Kind::TarGz),
            ("https://h/M.TGZ", "M.TGZ", Kind::TarGz),
            ("https://h/m.tar", "m.tar", Kind::Tar),
            ("https://h/m.zip", "m.zip", Kind::Other),
            ("https://h/", "model", Kind::File),
            ("https://h/..%2fx", "model", Kind::File),
            ("https://h/a b", "a_20b", Kind::File),
        ] {
            let found = file_name(&Url::parse(url).unwrap());
            assert_eq!((found.as_str(), kind_of(&found)), (name, kind), "{url}");
        }
    }
}
