//! Programs of the first node, to be stopped, continued and started again.

use std::{
    fs,
    process::{Child, Command, Stdio},
};

use provost_testkit::eventually;

/// A program that runs, by the name of its file.
pub(crate) struct Process {
    id: String,
    command: Vec<String>,
}

impl Process {
    /// The one that runs this program.
    pub(crate) fn find(program: &str) -> Self {
        let found = fs::read_dir("/proc").unwrap().filter_map(Result::ok).find_map(|entry| {
            let id = entry.file_name().into_string().ok()?;
            let line = fs::read_to_string(entry.path().join("cmdline")).ok()?;
            let command: Vec<_> = line.split_terminator('\0').map(str::to_owned).collect();
            (command.first()?.rsplit('/').next() == Some(program)).then_some(Self { id, command })
        });
        found.unwrap()
    }

    pub(crate) fn of(child: &Child) -> Self {
        Self { id: child.id().to_string(), command: Vec::new() }
    }

    /// Stops it as it is, until [`Self::resume`].
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
    }

    pub(crate) fn resume(&self) {
        self.signal("CONT");
    }

    /// Kills it, and starts it again as it was started.
    pub(crate) async fn restart(self) {
        self.signal("KILL");
        // A zombie's threads may hold its sockets still.
        let folder = format!("/proc/{}", self.id);
        eventually(async || if fs::exists(&folder).unwrap() { Err("it is there") } else { Ok(()) }).await;
        // It is to outlive the test, and be nobody's child but the node's.
        let mut command = Command::new("setsid");
        command.arg("--fork").args(&self.command);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(command.status().unwrap().success());
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args(["-s", name, &self.id]).status().unwrap().success(), "{name} {}", self.id);
    }
}
