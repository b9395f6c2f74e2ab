//! What a cluster keeps, and where: everything is in one folder of the build directory.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};

use crate::workspace::Workspace;

/// The folder of a cluster.
#[derive(Debug, Clone)]
pub(super) struct State {
    folder: PathBuf,
}

impl State {
    /// The cluster of this build directory. It may not run.
    pub(super) fn of(workspace: &Workspace) -> Result<Self> {
        let folder = workspace.kept("cluster/logs/of")?.with_file_name("").with_file_name("");
        // Links would mean something else inside a node.
        let state = Self { folder: folder.canonicalize()? };
        state.folder("nodes")?;
        Ok(state)
    }

    /// A file of this name; the folder it is in exists afterwards.
    pub(super) fn file(&self, path: &str) -> Result<PathBuf> {
        let file = self.folder.join(path);
        let folder = file.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        Ok(file)
    }

    /// A folder of this name, which exists afterwards.
    pub(super) fn folder(&self, path: &str) -> Result<PathBuf> {
        self.file(&format!("{path}/in")).map(|file| file.with_file_name(""))
    }

    /// Writes a file.
    pub(super) fn write(&self, path: &str, text: &str) -> Result<PathBuf> {
        let file = self.file(path)?;
        fs::write(&file, text).with_context(|| format!("cannot write `{}`", file.display()))?;
        Ok(file)
    }

    /// Certificates and keys.
    pub(super) fn pki(&self, name: &str) -> PathBuf {
        self.folder.join("pki").join(name)
    }

    /// How a user of this name reaches the API server.
    pub(super) fn kubeconfig(&self, user: &str) -> PathBuf {
        self.pki(&format!("{user}.conf"))
    }

    /// Where a node's first process is noted.
    pub(super) fn first_process(&self, node: u8) -> PathBuf {
        self.folder.join(format!("nodes/{node}"))
    }

    /// Nodes that were started and not stopped since, by their index. One may have died.
    pub(super) fn nodes(&self) -> Result<Vec<u8>> {
        let notes = fs::read_dir(self.folder("nodes")?)?;
        let names = notes.filter_map(|note| note.ok()?.file_name().to_str()?.parse().ok());
        let mut nodes: Vec<_> = names.collect();
        nodes.sort_unstable();
        Ok(nodes)
    }

    /// Where a daemon of this name writes its log.
    pub(super) fn log(&self, name: &str) -> Result<PathBuf> {
        self.file(&format!("logs/{name}.log"))
    }

    /// Removes everything.
    pub(super) fn remove(&self) -> Result<()> {
        fs::remove_dir_all(&self.folder).with_context(|| format!("cannot remove `{}`", self.folder.display()))
    }
}
