//! Commands as a user types them, against a server of their own.

use std::process::Command;

use tempfile::TempDir;

use crate::{Node, NodeOptions};

/// A server, and a folder for the files that commands name.
#[derive(Debug)]
pub struct Shell {
    binary: String,
    node: Node,
    folder: TempDir,
}

impl Shell {
    /// Starts a server of this binary.
    pub async fn start(binary: &str) -> Self {
        let node = Node::start(NodeOptions::new(binary)).await;
        Self { binary: binary.to_owned(), node, folder: tempfile::tempdir().expect("a folder can be made") }
    }

    /// The server.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Runs a command line; gives its exit code with what it printed, times and addresses masked.
    pub fn run(&self, line: &str) -> String {
        let mut command = Command::new(&self.binary);
        command
            .args(line.split(' '))
            .env("PROVOST_DATA_DIR", self.node.data())
            .env("KUBECONFIG", self.folder.path().join("kubeconfig"))
            .current_dir(crate::repository("."));
        let output = command.output().expect("the command starts");
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8(printed).expect("text is printed");
        assert!(!printed.contains('\u{1b}'), "colours in a pipe: {printed:?}");
        let folder = self.folder.path().display().to_string();
        let masked = printed.replace(self.node.url(), "<url>").replace(&folder, "<folder>");
        format!("[{}]\n{}", output.status.code().expect("it ends by itself"), mask_times(&masked))
    }

    /// Writes a file, and gives its path.
    pub fn write(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).expect("the file can be written");
        path.display().to_string()
    }
}

/// Times such as 2026-01-31T12:00:00.000Z become `<time>`.
fn mask_times(text: &str) -> String {
    let is_time = |word: &str| word.len() == 24 && word.ends_with('Z') && word.as_bytes()[10] == b'T';
    text.split_inclusive([' ', '\n'])
        .map(|word| if is_time(word.trim_end()) { word.replace(word.trim_end(), "<time>") } else { word.to_owned() })
        .collect()
}
