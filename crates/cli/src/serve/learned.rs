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

/// The file.
#[derive(Debug, Clone)]
pub(super) struct LearnedFile(PathBuf);

impl LearnedFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Gives routers what they learned before. What cannot be read is kept aside, and routers start anew.
    pub(super) fn restore(&self, gateway: &Gateway) -> anyhow::Result<()> {
        match read(&self.0) {
            Ok(learned) => gateway.restore_learned(learned),
            Err(error) => {
                let aside = self.0.with_extension("unreadable");
                std::fs::rename(&self.0, &aside).with_context(|| format!("cannot move `{}`", self.0.display()))?;
                let error = format!("{error:#}");
                tracing::error!(%error, kept = %aside.display(), "what routers learned cannot be read: they start anew");
            }
        }
        Ok(())
    }

    /// Writes it now and then until the server stops.
    pub(super) fn keep(&self, stopped: &Shutdown, gateway: &Gateway) {
        let (file, gateway) = (self.clone(), gateway.clone());
        supervise("learned", stopped.clone(), move || {
            let (file, gateway) = (file.clone(), gateway.clone());
            async move {
                let mut written = gateway.learned();
                let mut ticks = tokio::time::interval(EVERY);
                loop {
                    ticks.tick().await;
                    let learned = gateway.learned();
                    if learned != written {
                        file.write(&learned);
                        written = learned;
                    }
                }
            }
        });
    }

    /// Writes it; a failure is told in the log, and tried again.
    pub(super) fn write(&self, learned: &[Learned]) {
        if let Err(error) = self.replace(learned) {
            tracing::error!(%error, file = %self.0.display(), "what routers learned cannot be written");
        }
    }

    /// Replaces the file as a whole, so that there is always one that can be read.
    fn replace(&self, learned: &[Learned]) -> std::io::Result<()> {
        if learned.is_empty() && !self.0.exists() {
            return Ok(());
        }
        let new = self.0.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(learned)?)?;
        file.sync_all()?;
        std::fs::rename(&new, &self.0)
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<Learned>> {
    match std::fs::read(path) {
        Ok(text) => Ok(serde_json::from_slice(&text)?),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}
