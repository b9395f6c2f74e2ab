//! Running commands inside the root, in namespaces that take their mounts and processes with them.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, PipeReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::root::{CLONE, RUST};
use crate::{process, progress::Stage, server, wait};

/// Longest that a command may run.
const SECONDS_MAX: &str = "5400";
/// Longest wait for a command to stop once told.
const STOP_MAX: Duration = Duration::from_mins(1);
/// Makes the root a mount of its own, as that of a machine is, mounts what programs expect, and becomes the
/// command.
const ENTER: &str = "mount --bind \"$1\" \"$1\" && cd \"$1\" && mount -t proc proc \"$1/proc\" && mount --rbind /dev \"$1/dev\" && mount --rbind /sys \"$1/sys\" && \
                     exec chroot \"$1\" sh -c 'cd \"$1\" && exec sh -c \"$2\"' sh \"$2\" \"$3\"";
/// Parts of the names of variables that say how to reach a network.
const NETWORK: [&str; 4] = ["PROXY", "CERT", "CA_BUNDLE", "CAINFO"];

/// A command inside the root.
pub(super) fn command(root: &Path, folder: &str, script: &str) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--foreground", "--kill-after=10", SECONDS_MAX, "unshare", "--mount", "--pid", "--fork"]);
    command.args(["--kill-child=KILL", "sh", "-c", ENTER, "sh"]).arg(root).args([folder, script]);
    command.env_clear().envs(variables());
    command
}

/// A new machine's variables, and this one's for the network.
fn variables() -> Vec<(String, String)> {
    let path = format!("/{RUST}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    let own = [("PATH", path.as_str()), ("HOME", "/home/builder"), ("LANG", "C.UTF-8")];
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    own.into_iter().chain(env::vars().filter(|(name, _)| is_for_network(name))).collect()
}

fn is_for_network(name: &str) -> bool {
    let name = name.to_uppercase();
    NETWORK.iter().any(|part| name.contains(part))
}

/// The root, ready to run the repository's commands.
#[derive(Debug)]
pub(super) struct Inside {
    root: PathBuf,
    listen: String,
}

impl Inside {
    /// The network is the machine's: a port that is free now is used instead of the usual one.
    pub(super) fn new(root: &Path) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        Ok(Self { root: root.to_owned(), listen: address.to_string() })
    }

    /// A command in the clone.
    pub(super) fn command(&self, script: &str) -> Command {
        let mut command = command(&self.root, &format!("/{CLONE}"), script);
        command.env("PROVOST_LISTEN", &self.listen);
        command
    }

    /// What a command writes.
    pub(super) fn run(&self, script: &str) -> Result<String> {
        process::output_of(&mut self.command(script))
    }

    /// Starts a command and waits until it says something.
    pub(super) fn start(&self, stage: &Stage<'_>, script: &str, awaited: &str) -> Result<Running> {
        let (reader, writer) = std::io::pipe()?;
        let mut command = self.command(&format!("exec {script}"));
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        let child = command.spawn().context("cannot enter the root")?;
        drop(command);
        let mut running = Running { child, output: Arc::default() };
        let output = Arc::clone(&running.output);
        thread::spawn(move || collect(reader, &output));
        running.wait_for(stage, awaited)?;
        Ok(running)
    }
}

fn collect(reader: PipeReader, output: &Mutex<String>) {
    for line in BufReader::new(reader).lines().map_while(Result::ok) {
        if let Ok(mut output) = output.lock() {
            *output += &line;
            output.push('\n');
        }
    }
}

/// A command that runs inside. It ends with this value.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    output: Arc<Mutex<String>>,
}

impl Running {
    /// What it has written.
    pub(super) fn output(&self) -> String {
        self.output.lock().map(|output| output.clone()).unwrap_or_default()
    }

    /// Sends what Ctrl-C sends, and waits for the end.
    pub(super) fn interrupt(&mut self) -> Result<ExitStatus> {
        let inside = innermost(self.child.id()).context("nothing runs inside")?;
        kill_process(inside, Signal::INT)?;
        let ended = wait::until(STOP_MAX, || self.child.try_wait().ok().flatten());
        ended.with_context(|| format!("it did not stop within {} s", STOP_MAX.as_secs()))
    }

    fn wait_for(&mut self, stage: &Stage<'_>, awaited: &str) -> Result<()> {
        loop {
            let output = self.output();
            stage.says(output.lines().last().unwrap_or_default());
            if output.contains(awaited) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {}:\n{}", server::describe(status), process::last_lines(&output, 60));
            }
            wait::pause(Duration::from_millis(100));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The namespace's first process is killed with its parent, and all others with it.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// The first process inside the namespace: `timeout` started `unshare`, which started it.
fn innermost(id: u32) -> Option<Pid> {
    let child = |id: i32| {
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).ok()?;
        children.split_whitespace().next()?.parse::<i32>().ok()
    };
    Pid::from_raw(child(child(i32::try_from(id).ok()?)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_for_the_network_come_along() {
        assert!(is_for_network("https_proxy") && is_for_network("PIP_CERT") && is_for_network("NODE_EXTRA_CA_CERTS"));
        assert!(!is_for_network("CARGO_HOME") && !is_for_network("RUSTUP_TOOLCHAIN"));
    }
}
