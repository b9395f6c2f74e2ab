//! Downloads: piece by piece to a file, with its digest; what breaks off goes on where it was.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream::BoxStream};
use provost_domain::{Digest, port::artifacts::FetchError};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

/// How long to wait for what does not come.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// When nothing comes for so long, the connection is given up.
    pub stalled: Duration,
    /// Attempts in a row that bring nothing before the download is given up.
    pub attempts: u32,
    /// Pause before the second attempt; it doubles each time.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { stalled: Duration::from_secs(30), attempts: 4, pause: Duration::from_millis(250) }
    }
}

/// A download that goes on.
pub(super) struct Part {
    /// Names the version of what is downloaded, if the server tells it.
    pub(super) version: Option<String>,
    pub(super) pieces: BoxStream<'static, Result<Bytes, String>>,
}

/// Something to download from.
pub(super) trait Origin {
    /// What it is, for messages.
    fn name(&self) -> String;

    /// Its pieces from `offset` on, of the version that is named, if any.
    fn open(&self, offset: u64, version: Option<&str>) -> impl Future<Output = Result<Part, Broken>> + Send;
}

/// Why a download does not begin or breaks off.
#[derive(Debug)]
pub(super) enum Broken {
    /// Another attempt may do.
    Passing(String),
    /// No attempt will.
    Lasting(String),
}

/// Downloads into the file `to`, at most `bytes_max` bytes. Blocks; the network part runs on `runtime`.
pub(super) fn download(
    runtime: &Handle,
    origin: &impl Origin,
    to: &Path,
    bytes_max: u64,
    patience: Patience,
) -> Result<(Digest, u64), FetchError> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|error| failed(origin, &error.to_string()))?;
    }
    let mut target = Target::create(to).map_err(|error| failed(origin, &error.to_string()))?;
    let (mut version, mut failures) = (None, 0);
    loop {
        let before = target.length;
        let received = match runtime.block_on(origin.open(target.length, version.as_deref())) {
            Ok(part) => {
                version = part.version;
                receive(runtime, part.pieces, &mut target, bytes_max, patience)
            }
            Err(error) => Err(error),
        };
        match received {
            Ok(()) => return target.finish().map_err(|error| failed(origin, &error.to_string())),
            Err(Broken::Lasting(reason)) => return Err(failed(origin, &reason)),
            Err(Broken::Passing(reason)) => {
                failures = note(origin, patience, before < target.length, failures, &reason)?;
            }
        }
        let pause = patience.pause * 2_u32.saturating_pow(failures.saturating_sub(1));
        runtime.block_on(async { tokio::time::sleep(pause).await });
        if version.is_none() {
            // What comes now may be another version.
            target.restart().map_err(|error| failed(origin, &error.to_string()))?;
        }
    }
}

/// Counts a failure; after too many in a row without any progress, that is the end.
fn note(
    origin: &impl Origin,
    patience: Patience,
    has_progress: bool,
    failures: u32,
    reason: &str,
) -> Result<u32, FetchError> {
    let failures = if has_progress { 1 } else { failures + 1 };
    if failures >= patience.attempts {
        return Err(failed(origin, reason));
    }
    tracing::debug!(from = origin.name(), reason, failures, "a download broke off and is tried again");
    Ok(failures)
}

fn receive(
    runtime: &Handle,
    mut pieces: BoxStream<'static, Result<Bytes, String>>,
    target: &mut Target,
    bytes_max: u64,
    Patience { stalled, .. }: Patience,
) -> Result<(), Broken> {
    loop {
        let next = runtime.block_on(async { tokio::time::timeout(stalled, pieces.next()).await });
        let piece = match next {
            Err(_elapsed) => return Err(Broken::Passing(format!("nothing came for {} s", stalled.as_secs()))),
            Ok(None) => return Ok(()),
            Ok(Some(Err(reason))) => return Err(Broken::Passing(reason)),
            Ok(Some(Ok(piece))) => piece,
        };
        if target.length + piece.len() as u64 > bytes_max {
            return Err(Broken::Lasting(format!("it has more than the {bytes_max} bytes allowed")));
        }
        target.write(&piece).map_err(|error| Broken::Lasting(error.to_string()))?;
    }
}

pub(super) fn failed(origin: &impl Origin, reason: &str) -> FetchError {
    FetchError(format!("cannot read `{}`: {reason}", origin.name()))
}

/// A file that is being written, and what its bytes come to.
struct Target {
    file: fs::File,
    sum: Sha256,
    length: u64,
}

impl Target {
    fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: fs::File::create_new(path)?, sum: Sha256::new(), length: 0 })
    }

    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.file.write_all(piece)?;
        self.sum.update(piece);
        self.length += piece.len() as u64;
        Ok(())
    }

    fn restart(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        io::Seek::rewind(&mut self.file)?;
        self.sum = Sha256::new();
        self.length = 0;
        Ok(())
    }

    fn finish(self) -> io::Result<(Digest, u64)> {
        self.file.sync_all()?;
        Ok((Digest::from_sha256(&self.sum.finalize()), self.length))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures_util::stream;

    use super::*;

    /// What each attempt brings: where it must begin, the pieces, and the version.
    type Attempt = (u64, Vec<Result<&'static str, &'static str>>, Option<&'static str>);

    struct Script(Mutex<Vec<Attempt>>);

    impl Origin for Script {
        fn name(&self) -> String {
            "s3://bucket/model".to_owned()
        }

        async fn open(&self, offset: u64, _version: Option<&str>) -> Result<Part, Broken> {
            let mut attempts = self.0.lock().unwrap();
            if attempts.is_empty() {
                return Err(Broken::Passing("no route".to_owned()));
            }
            let (expected, pieces, version) = attempts.remove(0);
            assert_eq!(offset, expected);
            let pieces = pieces.into_iter().map(|piece| piece.map(Bytes::from).map_err(str::to_owned));
            Ok(Part { version: version.map(str::to_owned), pieces: stream::iter(pieces.collect::<Vec<_>>()).boxed() })
        }
    }

    #[track_caller]
    fn check(attempts: Vec<Attempt>, expected: Result<&str, &str>) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in/model");
        let patience = Patience { pause: Duration::from_millis(1), ..Patience::default() };
        let downloaded = download(runtime.handle(), &Script(Mutex::new(attempts)), &path, 8, patience);
        let shown = downloaded.map(|(digest, length)| {
            let content = fs::read_to_string(&path).unwrap();
            assert_eq!(digest, Digest::from_sha256(&Sha256::digest(&content)));
            assert_eq!(length, content.len() as u64);
            content
        });
        assert_eq!(shown.map_err(|error| error.to_string()), expected.map(str::to_owned).map_err(str::to_owned));
    }

    #[test]
    fn what_breaks_off_goes_on_where_it_was() {
        check(vec![(0, vec![Ok("ab"), Ok("cd")], None)], Ok("abcd"));
        let broken = || vec![Ok("ab"), Err("reset")];
        check(vec![(0, broken(), Some("1")), (2, vec![Ok("cd")], Some("1"))], Ok("abcd"));
        check(vec![(0, broken(), None), (0, vec![Ok("xyz")], None)], Ok("xyz"));
    }

    #[test]
    fn what_does_not_come_or_is_too_long_is_given_up() {
        check(
            vec![(0, vec![Ok("12345678"), Ok("9")], None)],
            Err("cannot read `s3://bucket/model`: it has more than the 8 bytes allowed"),
        );
        check(vec![], Err("cannot read `s3://bucket/model`: no route"));
        let broken = |at| (at, vec![Err("reset")], Some("1"));
        check((0..4).map(|_| broken(0)).collect(), Err("cannot read `s3://bucket/model`: reset"));
    }
}
