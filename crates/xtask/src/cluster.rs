//! `cargo xtask cluster`: a real Kubernetes on this machine, for the tests and for trying things out.
//!
//! Nothing is simulated: etcd, the API server, controllers, scheduler, and nodes with a kubelet, a proxy and
//! containerd. A node is a set of namespaces ([`namespace`]): its network, mounts and processes are its own,
//! and go when its first process does. Needs root.

mod base_images;
mod control_plane;
mod daemon;
mod dns;
mod gateway;
pub(crate) mod namespace;
mod network;
mod node;
mod pki;
pub(crate) mod programs;
pub(crate) mod registry;
pub(crate) mod simulated;
mod state;

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result, bail, ensure};

use self::{namespace::Lifetime, node::Node, programs::Binaries, state::State};
use crate::{
    process,
    progress::{Progress, Stage},
    workspace::Workspace,
};

/// Most nodes there can be: each has a third byte of its own in the pods' network.
const NODES_MAX: u8 = 9;

/// What to do with it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Start it, and wait until pods can run. Nodes that run already stay.
    Up {
        /// How many nodes.
        #[arg(default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=i64::from(NODES_MAX)))]
        nodes: u8,
        /// Also Contour and Envoy, which implement the Gateway API.
        #[arg(long)]
        gateway: bool,
        /// Also a registry of images, which asks for a password.
        #[arg(long)]
        registry: bool,
        /// Also so many simulated nodes, on which pods become ready without running.
        #[arg(long, default_value_t = 0)]
        simulated: u8,
    },
    /// Stop it. What it stores stays; `--reset` removes that too.
    Down {
        /// Remove what it stores: objects, images, certificates.
        #[arg(long)]
        reset: bool,
    },
    /// Run a command inside the first node's network, where `kubectl` finds the cluster.
    Exec {
        /// The command and its arguments.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Give an image to every node: an archive in OCI's layout or Docker's.
    Load {
        /// The archive.
        archive: PathBuf,
    },
    /// Give an image to the registry: an archive, and the name that the image has in it.
    Push {
        /// The archive.
        archive: PathBuf,
        /// The image's name, which begins with the registry's address.
        name: String,
    },
    /// Show nodes and pods.
    Status,
}

/// `cargo xtask cluster`.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    match &arguments.what {
        What::Up { nodes, gateway, registry, simulated } => {
            up(workspace, *nodes, *simulated, &Besides { gateway: *gateway, registry: *registry })
        }
        What::Down { reset } => down(workspace, *reset),
        What::Exec { command } => exec(workspace, command),
        What::Load { archive } => Cluster::running(workspace)?.load(archive).map(|()| ExitCode::SUCCESS),
        What::Push { archive, name } => Cluster::running(workspace)?.push(archive, name).map(|()| ExitCode::SUCCESS),
        What::Status => exec(workspace, &["kubectl", "get", "nodes,pods", "-A", "-o", "wide"].map(str::to_owned)),
    }
}

/// What runs in the first node besides Kubernetes.
struct Besides {
    gateway: bool,
    registry: bool,
}

fn up(workspace: &Workspace, nodes: u8, simulated: u8, besides: &Besides) -> Result<ExitCode> {
    let mut progress = Progress::new(workspace, "cluster", &[("programs", 900), ("start", 30)])?;
    let binaries = progress.stage(programs::find)?;
    progress.stage(|stage| {
        let cluster = Cluster::start(stage, &binaries, nodes, Lifetime::Kept)?;
        if besides.gateway {
            cluster.start_gateway(stage)?;
        }
        if besides.registry {
            cluster.start_registry(stage)?;
        }
        if simulated > 0 { cluster.simulate(simulated) } else { Ok(()) }
    })?;
    println!("\nReady. Try `cargo xtask cluster exec kubectl get nodes`; stop it with `cargo xtask cluster down`.");
    Ok(ExitCode::SUCCESS)
}

fn down(workspace: &Workspace, reset: bool) -> Result<ExitCode> {
    if reset {
        Cluster::forget(workspace)?;
    } else {
        stop(&State::of(workspace)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn exec(workspace: &Workspace, command: &[String]) -> Result<ExitCode> {
    let cluster = Cluster::running(workspace)?;
    let [program, arguments @ ..] = command else { bail!("no command was given") };
    let status = cluster.command(program)?.args(arguments).status().context("cannot run `nsenter`")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Stops every node that runs, the last first: the first one holds the network.
fn stop(state: &State) -> Result<()> {
    for index in state.nodes()?.into_iter().rev() {
        Node::at(state, index).stop()?;
    }
    Ok(())
}

/// A cluster that runs.
#[derive(Debug)]
pub(crate) struct Cluster {
    state: State,
    binaries: Binaries,
    lifetime: Lifetime,
}

impl Cluster {
    /// The one that was started.
    fn running(workspace: &Workspace) -> Result<Self> {
        let state = State::of(workspace)?;
        let is_running = state.nodes()?.into_iter().any(|index| Node::at(&state, index).is_alive());
        ensure!(is_running, "no cluster runs; start one with `cargo xtask cluster up`");
        Ok(Self { state, binaries: programs::built(workspace)?, lifetime: Lifetime::Kept })
    }

    /// Stops the one that runs, and removes what it stores.
    pub(crate) fn forget(workspace: &Workspace) -> Result<()> {
        let state = State::of(workspace)?;
        stop(&state)?;
        state.remove()
    }

    /// Starts nodes until there are as many, and waits until pods can run.
    pub(crate) fn start(stage: &Stage<'_>, binaries: &Binaries, nodes: u8, lifetime: Lifetime) -> Result<Self> {
        let state = State::of(stage.workspace)?;
        let cluster = Self { state, binaries: binaries.clone(), lifetime };
        pki::ensure(&cluster.state)?;
        base_images::ensure(&cluster.state, binaries)?;
        for index in 0..nodes {
            stage.says(&format!("starting node {index}"));
            Node::at(&cluster.state, index).start(&cluster)?;
        }
        stage.says("starting DNS");
        dns::start(&cluster, stage.workspace)?;
        Ok(cluster)
    }

    /// Starts what implements the Gateway API.
    pub(crate) fn start_gateway(&self, stage: &Stage<'_>) -> Result<()> {
        stage.says("starting Contour and Envoy");
        gateway::start(self, stage)
    }

    /// Starts a registry of images.
    pub(crate) fn start_registry(&self, stage: &Stage<'_>) -> Result<()> {
        stage.says("starting the registry");
        registry::start(self, stage)
    }

    /// Gives the registry an image, which has this name in its archive.
    pub(crate) fn push(&self, archive: &Path, name: &str) -> Result<()> {
        let archive = archive.canonicalize().with_context(|| format!("cannot read `{}`", archive.display()))?;
        registry::push(self, &archive, name)
    }

    /// Adds nodes that are simulated, and a gateway that accepts every route.
    pub(crate) fn simulate(&self, nodes: u8) -> Result<()> {
        gateway::apply_kinds(self)?;
        simulated::start(self, nodes)
    }

    /// A command inside the first node's network, in this folder, with the cluster's programs and
    /// administrator.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Result<Command> {
        let mut command = Node::at(&self.state, 0).command("env")?;
        command.arg("-C").arg(std::env::current_dir()?).arg(program);
        command.env("KUBECONFIG", self.state.kubeconfig("admin"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = self.binaries.folders().map(Path::to_owned);
        command.env("PATH", std::env::join_paths(folders.chain(std::env::split_paths(&path)))?);
        Ok(command)
    }

    /// The first node's address, where its programs can be reached from every pod.
    pub(crate) const fn address() -> &'static str {
        network::FIRST_NODE
    }

    /// Starts a program in the first node; it ends with that.
    pub(crate) fn start_program(&self, name: &str, program: &Path, arguments: &[String]) -> Result<()> {
        daemon::start(&self.state, 0, program, name, arguments)
    }

    /// Who asked what of the API server.
    pub(crate) fn audit_log(&self) -> Result<PathBuf> {
        self.state.file("logs/audit.jsonl")
    }

    /// `kubectl`, for the administrator.
    fn kubectl(&self) -> Result<Command> {
        self.command("kubectl")
    }

    /// Whether something that `kubectl` is asked holds.
    fn holds(&self, arguments: &[&str]) -> bool {
        self.kubectl().is_ok_and(|mut command| process::output_of(command.args(arguments)).is_ok())
    }

    /// Applies manifests.
    fn apply(&self, manifests: &Path) -> Result<()> {
        let mut command = self.kubectl()?;
        command.args(["apply", "--server-side", "--force-conflicts", "-f"]).arg(manifests);
        process::output_of(&mut command).map(drop)
    }

    /// Applies manifests that are no file yet.
    pub(crate) fn apply_text(&self, name: &str, manifests: &str) -> Result<()> {
        self.apply(&self.state.write(name, manifests)?)
    }

    /// Gives an image to every node.
    pub(crate) fn load(&self, archive: &Path) -> Result<()> {
        let archive = archive.canonicalize().with_context(|| format!("cannot read `{}`", archive.display()))?;
        for index in self.state.nodes()? {
            Node::at(&self.state, index).load(&archive)?;
        }
        Ok(())
    }
}

impl Drop for Cluster {
    /// One that a test started ends with it.
    fn drop(&mut self) {
        if self.lifetime == Lifetime::WithThis {
            // There is nobody to tell; the next start stops what is left.
            let _stopped = stop(&self.state);
        }
    }
}
