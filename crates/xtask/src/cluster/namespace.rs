//! The namespaces that make a node: a network, mounts and processes of its own, held by one first process.
//!
//! **Invariant**: nothing of the host is changed but the state folder, cgroups and, for a moment, the ends
//! of a cable between two nodes. When the first process ends, so does everything in the node.

use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};

use crate::wait;

/// Longest wait for a first process.
const START_MAX: Duration = Duration::from_secs(10);

/// How long a node lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// Until it is stopped.
    Kept,
    /// As long as the process that started it, however that ends.
    WithThis,
}

/// The first process of a node. Ids are used again; the start time tells one from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FirstProcess {
    id: i32,
    started: u64,
}

impl FirstProcess {
    /// Makes namespaces in which `program` is the first process.
    pub(super) fn start(program: &Path, lifetime: Lifetime) -> Result<Self> {
        let mut command = Command::new("setpriv");
        if lifetime == Lifetime::WithThis {
            command.args(["--pdeathsig", "KILL"]);
        }
        command.args(["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"]);
        command.args(["--propagation", "private"]).arg(program).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let outer = command.spawn().context("cannot run `setpriv` and `unshare`")?.id();
        let first = wait::until(START_MAX, || child_of(outer).filter(|id| is_program(*id, program)));
        Self::of(first.context("a node's first process does not start")?).context("a node's first process ended")
    }

    /// The process of this id.
    fn of(id: i32) -> Option<Self> {
        Some(Self { id, started: start_time(id)? })
    }

    /// Reads what [`Self::note`] wrote.
    pub(super) fn read(note: &Path) -> Option<Self> {
        let text = fs::read_to_string(note).ok()?;
        let (id, started) = text.trim().split_once(' ')?;
        Some(Self { id: id.parse().ok()?, started: started.parse().ok()? })
    }

    /// Notes it down.
    pub(super) fn note(self, note: &Path) -> Result<()> {
        fs::write(note, format!("{} {}\n", self.id, self.started))
            .with_context(|| format!("cannot write `{}`", note.display()))
    }

    /// Its id, as the host sees it.
    pub(super) fn id(self) -> String {
        self.id.to_string()
    }

    pub(super) fn is_alive(self) -> bool {
        start_time(self.id) == Some(self.started)
    }

    /// Ends it, and with it all processes of its namespaces.
    pub(super) fn kill(self) {
        if let Some(id) = Pid::from_raw(self.id).filter(|_| self.is_alive()) {
            // It may end by itself just now.
            let _killed = kill_process(id, Signal::KILL);
            let _ended = wait::until(START_MAX, || (!self.is_alive()).then_some(()));
        }
    }

    /// A command inside.
    pub(super) fn command(self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.id(), "--mount", "--net", "--pid", "--"]).arg(program);
        command
    }
}

fn child_of(id: u32) -> Option<i32> {
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

/// Whether a process has become this program: before, it is a copy of the one that makes it.
fn is_program(id: i32, program: &Path) -> bool {
    fs::read_link(format!("/proc/{id}/exe")).is_ok_and(|running| running == program)
}

/// When a process started, in ticks since the machine did; none for one that is dead.
fn start_time(id: i32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name, in brackets, may hold anything; fields are counted after it, from the third on.
    let fields: Vec<_> = status.rsplit_once(") ")?.1.split(' ').collect();
    fields.first().filter(|state| **state != "Z")?;
    fields.get(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_from_a_later_one_of_the_same_id() {
        let id = i32::try_from(std::process::id()).unwrap();
        let this = FirstProcess::of(id).unwrap();
        assert!(this.is_alive());
        assert!(!FirstProcess { started: this.started + 1, ..this }.is_alive());
    }

    #[test]
    fn a_note_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let note = folder.path().join("0");
        let process = FirstProcess { id: 17, started: 4 };
        process.note(&note).unwrap();
        assert_eq!(FirstProcess::read(&note), Some(process));
        assert_eq!(FirstProcess::read(&folder.path().join("1")), None);
    }
}
