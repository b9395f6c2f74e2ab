//! A provost that this program started.

use std::{
    fs,
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{http, process, wait};

/// Longest wait for a server to be ready.
const START_MAX: Duration = Duration::from_mins(1);
/// Longest wait for a server to stop; it answers what is in flight first.
const STOP_MAX: Duration = Duration::from_secs(45);

/// How to start a server.
#[derive(Debug)]
pub(crate) struct Options<'a> {
    /// The program.
    pub(crate) binary: &'a Path,
    /// Where it runs: model URIs are relative to this.
    pub(crate) folder: &'a Path,
    /// What it keeps.
    pub(crate) data: &'a Path,
    /// Address and port; port 0 is any.
    pub(crate) listen: &'a str,
    /// Where its log goes.
    pub(crate) log: &'a Path,
    /// Whose Ctrl-C reaches it.
    pub(crate) group: Group,
    /// Its environment, besides this program's.
    pub(crate) environment: &'a [(&'a str, &'a str)],
}

/// Whether a signal from the terminal reaches the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// As it reaches this program.
    Shared,
    /// Not at all: this program tells the server.
    Own,
}

/// A server that runs. It ends with this value.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    address: String,
    log: PathBuf,
    /// Where this server's part of the log begins: another one may write to the same.
    log_start: usize,
}

impl Server {
    /// Starts a server and waits until it is ready.
    pub(crate) fn start(options: &Options<'_>) -> Result<Self> {
        let log = fs::File::options().append(true).create(true).open(options.log);
        let log = log.with_context(|| format!("cannot write `{}`", options.log.display()))?;
        let log_start = usize::try_from(log.metadata()?.len())?;
        let mut command = Command::new(options.binary);
        command.current_dir(options.folder).arg("serve").arg("--data-dir").arg(options.data);
        command.envs(options.environment.iter().copied());
        command.args(["--listen", options.listen]).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        if options.group == Group::Own {
            command.process_group(0);
        }
        let child = command.spawn().with_context(|| format!("cannot run `{}`", options.binary.display()))?;
        let mut server = Self { child, address: String::new(), log: options.log.to_owned(), log_start };
        server.become_ready(&options.folder.join(options.data))?;
        Ok(server)
    }

    /// Address and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended, and how.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// What it wrote.
    pub(crate) fn output(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(log.get(self.log_start..).unwrap_or_default()).into_owned()
    }

    /// Tells it to stop: it answers what is in flight and ends.
    pub(crate) fn tell_to_stop(&self) {
        // One that has ended needs no telling.
        let _told = kill_process(Pid::from_child(&self.child), Signal::TERM);
    }

    /// Stops it, and waits until it has.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.tell_to_stop();
        match wait::until(STOP_MAX, || self.ended()) {
            Some(status) if status.success() => Ok(()),
            Some(status) => bail!("the server ended with {}", describe(status)),
            None => bail!("the server did not stop within {} s", STOP_MAX.as_secs()),
        }
    }

    fn become_ready(&mut self, data: &Path) -> Result<()> {
        let ready = wait::until(START_MAX, || match self.ended() {
            Some(_) => Some(false),
            None => self.is_ready(data).then_some(true),
        });
        match ready {
            Some(true) => Ok(()),
            Some(false) => bail!("{}", process::last_lines(self.output().trim_start_matches("error: "), 20)),
            None => bail!("the server is not ready after {} s:\n{}", START_MAX.as_secs(), self.output()),
        }
    }

    fn is_ready(&mut self, data: &Path) -> bool {
        if self.address.is_empty() {
            self.address = announced(data, self.id()).unwrap_or_default();
        }
        !self.address.is_empty() && http::get(&self.address, "/-/ready").is_ok_and(|answer| answer.status == 200)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that was stopped has ended already.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// The address that the server of this process id left in its data directory.
fn announced(data: &Path, id: u32) -> Option<String> {
    let text = fs::read_to_string(data.join("server.json")).ok()?;
    let value: Value = serde_json::from_str(&text).ok()?;
    let url = value["url"].as_str().filter(|_| value["pid"] == id)?;
    url.strip_prefix("http://").map(str::to_owned)
}

/// How a program ended.
pub(crate) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no status".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_address_of_this_very_server_counts() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(announced(folder.path(), 7), None);
        fs::write(folder.path().join("server.json"), r#"{"url":"http://127.0.0.1:8000","pid":7}"#).unwrap();
        assert_eq!(announced(folder.path(), 7).as_deref(), Some("127.0.0.1:8000"));
        assert_eq!(announced(folder.path(), 8), None);
    }

    #[test]
    fn a_server_that_cannot_start_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            // A shell that is told to run the script `serve`, which is not there.
            binary: Path::new("/bin/sh"),
            folder: folder.path(),
            data: Path::new("data"),
            listen: "127.0.0.1:0",
            log: &folder.path().join("log"),
            group: Group::Shared,
            environment: &[],
        };
        assert!(Server::start(&options).unwrap_err().to_string().contains("serve"));
    }
}
