//! What routers learned, in a file of the data directory, so that it survives the server.

use std::{
    fs::File,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use provost_gateway::{Gateway, Learned};
use provost_service_kit::supervise::{Shutdown, supervise};

/// How often it is written, where there is anything new.
const EVERY: Duration = Duration::from_secs(2);

/// The file, and whose routers it is about.
#[derive(Debug, Clone)]
pub(super) struct LearnedFile {
    path: PathBuf,
    gateway: Gateway,
}

impl LearnedFile {
    /// Gives routers what they learned before. What cannot be read is kept aside, and routers start anew.
    pub(super) fn restored(path: PathBuf, gateway: &Gateway) -> anyhow::Result<Self> {
        match read(&path) {
            Ok(learned) => gateway.restore_learned(learned),
            Err(error) => {
                let aside = path.with_extension("unreadable");
                std::fs::rename(&path, &aside).with_context(|| format!("cannot move `{}`", path.display()))?;
                let error = format!("{error:#}");
                tracing::error!(%error, kept = %aside.display(), "what routers learned cannot be read: they start anew");
            }
        }
        Ok(Self { path, gateway: gateway.clone() })
    }

    /// Writes it now and then until the server stops.
    pub(super) fn keep(&self, stopped: &Shutdown) {
        let file = self.clone();
        supervise("learned", stopped.clone(), move || {
            let file = file.clone();
            async move {
                let mut written = file.gateway.learned();
                let mut ticks = tokio::time::interval(EVERY);
                loop {
                    ticks.tick().await;
                    if file.gateway.learned() != written {
                        written = file.write();
                    }
                }
            }
        });
    }

    /// Writes what is known now; a failure is told in the log, and tried again once there is more.
    pub(super) fn write(&self) -> Vec<Learned> {
        let learned = self.gateway.learned();
        if let Err(error) = self.replace(&learned) {
            tracing::error!(%error, file = %self.path.display(), "what routers learned cannot be written");
        }
        learned
    }

    /// Replaces the file as a whole, so that there is always one that can be read.
    fn replace(&self, learned: &[Learned]) -> std::io::Result<()> {
        if learned.is_empty() && !self.path.exists() {
            return Ok(());
        }
        let new = self.path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(learned)?)?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<Learned>> {
    match std::fs::read(path) {
        Ok(text) => Ok(serde_json::from_slice(&text)?),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}
