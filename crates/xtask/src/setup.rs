//! What the machine lacks: found, and installed where this is root on Debian; else the command is named.
//!
//! Debian brings Python and Chromium; Python brings Node where the system's is too old. What is
//! installed by Python stays in the build directory.

mod go;
mod node;
mod packages;
mod programs;
mod python;

use std::{path::Path, process::ExitCode};

use anyhow::Result;

pub(crate) use self::{
    node::Node,
    programs::{Programs, VersionPart, programs},
    python::{Environment, environment, environment_of, of_version},
};
use crate::{
    process,
    progress::{Progress, Stage},
    workspace::Workspace,
};

/// Where Debian keeps the plugins that join pods to a network.
pub(crate) const CNI: &str = "/usr/lib/cni";

/// A program that a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    CCompiler,
    Chromium,
    Curl,
    Debootstrap,
    Git,
    /// What a node of a Kubernetes cluster runs besides Kubernetes.
    Nodes,
    Python,
    Wrk,
}

impl Tool {
    const ALL: [Self; 6] = [Self::CCompiler, Self::Chromium, Self::Curl, Self::Git, Self::Python, Self::Wrk];

    /// Names it goes by; of [`Self::Nodes`], each of which is needed.
    const fn programs(self) -> &'static [&'static str] {
        match self {
            Self::CCompiler => &["cc"],
            Self::Chromium => &["chromium", "chromium-browser", "google-chrome"],
            Self::Curl => &["curl"],
            Self::Debootstrap => &["debootstrap"],
            Self::Git => &["git"],
            Self::Nodes => &["containerd", "runc", "iptables", "conntrack", "ip", "nsenter"],
            Self::Python => &["python3"],
            Self::Wrk => &["wrk"],
        }
    }

    /// Debian's packages that bring it.
    const fn packages(self) -> &'static [&'static str] {
        match self {
            Self::CCompiler => &["gcc", "libc6-dev"],
            Self::Chromium => &["chromium", "fonts-dejavu-core"],
            Self::Curl => &["ca-certificates", "curl"],
            Self::Debootstrap => &["debootstrap"],
            Self::Git => &["ca-certificates", "git"],
            Self::Nodes => &[
                "containerd",
                "runc",
                "iptables",
                "conntrack",
                "iproute2",
                "util-linux",
                "containernetworking-plugins",
            ],
            Self::Python => &["ca-certificates", "python3", "python3-venv"],
            Self::Wrk => &["wrk"],
        }
    }

    /// Where it is.
    pub(crate) fn find(self) -> Option<std::path::PathBuf> {
        self.programs().iter().find_map(|program| process::find(program))
    }

    fn is_present(self) -> bool {
        match self {
            Self::Nodes => self.programs().iter().all(|program| process::find(program).is_some()) && has_cni(),
            Self::Python => self.find().is_some() && python::can_make_environments(),
            _ => self.find().is_some(),
        }
    }
}

fn has_cni() -> bool {
    Path::new(CNI).join("bridge").is_file()
}

/// Installs what is missing of these tools, or says how to.
pub(crate) fn ensure(tools: &[Tool], stage: &Stage<'_>) -> Result<()> {
    let missing: Vec<_> = tools.iter().copied().filter(|tool| !tool.is_present()).collect();
    let packages: Vec<_> = missing.iter().flat_map(|tool| tool.packages().iter().copied()).collect();
    if packages.is_empty() {
        return Ok(());
    }
    packages::install(&packages, stage)
}

/// `cargo xtask setup`.
pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let mut progress = Progress::new(workspace, "setup", &[("packages", 60), ("node", 10)])?;
    progress.stage(|stage| ensure(&Tool::ALL, stage))?;
    let node = progress.stage(Node::find)?;
    println!("\nReady: Node {}, and {}.", node.version(), found());
    Ok(ExitCode::SUCCESS)
}

fn found() -> String {
    let paths = Tool::ALL.iter().filter_map(|tool| tool.find());
    paths.map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
