//! A node: containerd, the kubelet and the proxy inside namespaces; the first one also runs the control
//! plane.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result};

use super::{
    Cluster,
    base_images::{self, PAUSE},
    control_plane,
    daemon::{self, flags},
    namespace::FirstProcess,
    network::{self, DNS, PODS},
    pki,
    state::State,
};
use crate::{process, setup::CNI, wait};

const CONTAINERD_MAX: Duration = Duration::from_secs(30);
const READY_MAX: Duration = Duration::from_secs(90);
/// Longest wait for the cgroups of a node that was stopped to be empty.
const CGROUPS_MAX: Duration = Duration::from_secs(10);
/// containerd's socket, inside a node.
const CONTAINERD: &str = "/run/containerd/containerd.sock";
/// Where the kernel keeps cgroups.
const CGROUPS: &str = "/sys/fs/cgroup";

/// A node, which may run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a> {
    state: &'a State,
    index: u8,
}

impl<'a> Node<'a> {
    /// The node of this index.
    pub(super) const fn at(state: &'a State, index: u8) -> Self {
        Self { state, index }
    }

    /// Its first process, while it runs.
    pub(super) fn process(self) -> Option<FirstProcess> {
        FirstProcess::read(&self.state.first_process(self.index)).filter(|process| process.is_alive())
    }

    pub(super) fn is_alive(self) -> bool {
        self.process().is_some()
    }

    /// A command inside.
    pub(super) fn command(self, program: impl AsRef<OsStr>) -> Result<Command> {
        let process = self.process().with_context(|| format!("node {} does not run", self.index))?;
        Ok(process.command(program))
    }

    /// Starts it, unless it runs, and waits until pods can.
    pub(super) fn start(self, cluster: &Cluster) -> Result<()> {
        if self.is_alive() {
            return Ok(());
        }
        let process = FirstProcess::start(&cluster.binaries.pause(), cluster.lifetime)?;
        process.note(&self.state.first_process(self.index))?;
        self.mount(process)?;
        network::join(self.state, self.index, process)?;
        self.make_cgroups()?;
        if self.index == 0 {
            control_plane::start(cluster)?;
        }
        self.start_containerd()?;
        self.start_kubelet(cluster)?;
        let node = format!("node/node-{}", self.index);
        daemon::wait_for(self.state, self.index, "kubelet", READY_MAX, || {
            cluster.holds(&["wait", "--for=condition=Ready", &node, "--timeout=1s"])
        })
    }

    /// Stops it. Its images stay.
    pub(super) fn stop(self) -> Result<()> {
        if let Some(process) = self.process() {
            process.kill();
        }
        self.remove_cgroups();
        fs::remove_file(self.state.first_process(self.index)).context("cannot forget a node")
    }

    /// Imports an image.
    pub(super) fn load(self, archive: &Path) -> Result<()> {
        process::output_of(self.ctr()?.args(["images", "import"]).arg(archive)).map(drop)
    }

    /// A command of containerd's client.
    pub(super) fn ctr(self) -> Result<Command> {
        let mut command = self.command("ctr")?;
        command.args(["--address", CONTAINERD, "--namespace", "k8s.io"]);
        Ok(command)
    }

    /// What programs write to places they do not ask for stays in the node.
    fn mount(self, process: FirstProcess) -> Result<()> {
        let logs = self.folder("log")?;
        let mount = |arguments: &[&OsStr]| process::output_of(process.command("mount").args(arguments)).map(drop);
        mount(&["--make-rshared", "/"].map(OsStr::new))?;
        mount(&["-t", "tmpfs", "tmpfs", "/run"].map(OsStr::new))?;
        mount(&[OsStr::new("--bind"), logs.as_os_str(), OsStr::new("/var/log")])
    }

    fn start_containerd(self) -> Result<()> {
        let config = self.state.write(&format!("node-{}/containerd.toml", self.index), &self.containerd_config()?)?;
        self.state.write(&format!("node-{}/cni/provost.conflist", self.index), &self.cni_config())?;
        let arguments = ["--config".to_owned(), config.display().to_string()];
        daemon::start(self.state, self.index, "containerd", "containerd", &arguments)?;
        daemon::wait_for(self.state, self.index, "containerd", CONTAINERD_MAX, || {
            self.ctr().is_ok_and(|mut command| process::output_of(command.arg("version")).is_ok())
        })?;
        let present = process::output_of(self.ctr()?.args(["images", "list", "-q"]))?;
        base_images::archives(self.state)?
            .iter()
            .filter(|(name, _)| !present.contains(name))
            .try_for_each(|(_, file)| self.load(file))
    }

    fn start_kubelet(self, cluster: &Cluster) -> Result<()> {
        let name = format!("node-{}", self.index);
        let address = network::node_address(self.index);
        pki::ensure_kubelet(self.state, &name, &address)?;
        self.state.write("resolv.conf", "nameserver 127.0.0.1\n")?;
        let config = self.state.write(&format!("{name}/kubelet.yaml"), &self.kubelet_config()?)?;
        let kubelet = flags(&[
            ("config", &config.display().to_string()),
            ("kubeconfig", &self.state.kubeconfig(&name).display().to_string()),
            ("hostname-override", &name),
            ("node-ip", &address),
            ("root-dir", &self.folder("kubelet")?.display().to_string()),
        ]);
        daemon::start(self.state, self.index, cluster.binaries.kubernetes("kubelet"), "kubelet", &kubelet)?;
        let proxy = flags(&[
            ("kubeconfig", &self.state.kubeconfig("kube-proxy").display().to_string()),
            ("hostname-override", &name),
            ("cluster-cidr", PODS),
            ("proxy-mode", "iptables"),
            // Limits of the host's kernel are not a node's to set.
            ("conntrack-max-per-core", "0"),
            ("conntrack-tcp-timeout-established", "0"),
            ("conntrack-tcp-timeout-close-wait", "0"),
        ]);
        daemon::start(self.state, self.index, cluster.binaries.kubernetes("kube-proxy"), "kube-proxy", &proxy)
    }

    fn folder(self, name: &str) -> Result<PathBuf> {
        self.state.folder(&format!("node-{}/{name}", self.index))
    }

    fn containerd_config(self) -> Result<String> {
        let (root, cni) = (self.folder("containerd")?, self.folder("cni")?);
        let registries = self.state.folder("registries")?;
        Ok(format!(
            r#"version = 2
root = "{}"
state = "/run/containerd"
[grpc]
address = "{CONTAINERD}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE}"
# Without CAP_SYS_RESOURCE a score cannot go below that of the parent.
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{CNI}"
conf_dir = "{}"
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{}"
"#,
            root.display(),
            cni.display(),
            registries.display()
        ))
    }

    fn cni_config(self) -> String {
        let subnet = network::pods_of(self.index);
        serde_json::json!({
            "cniVersion": "1.0.0",
            "name": "provost",
            "plugins": [
                {
                    "type": "bridge",
                    "bridge": "pods",
                    "isGateway": true,
                    "hairpinMode": true,
                    "ipam": {
                        "type": "host-local",
                        // Gone with the node, as its pods are.
                        "dataDir": "/run/cni",
                        "ranges": [[{"subnet": subnet}]],
                        "routes": [{"dst": "0.0.0.0/0"}],
                    },
                },
                {"type": "portmap", "capabilities": {"portMappings": true}},
            ],
        })
        .to_string()
    }

    fn kubelet_config(self) -> Result<String> {
        let pki = |name: String| self.state.pki(&name);
        let config = serde_json::json!({
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {
                "anonymous": {"enabled": false},
                "webhook": {"enabled": true},
                "x509": {"clientCAFile": pki("ca.crt".to_owned())},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": pki(format!("node-{}.crt", self.index)),
            "tlsPrivateKeyFile": pki(format!("node-{}.key", self.index)),
            "containerRuntimeEndpoint": format!("unix://{CONTAINERD}"),
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": format!("/{}", self.cgroup()),
            "failSwapOn": false,
            "failCgroupV1": false,
            "clusterDNS": [DNS],
            "clusterDomain": "cluster.local",
            "maxPods": 250,
            "resolvConf": self.state.file("resolv.conf")?,
            "evictionHard": {
                "memory.available": "200Mi",
                "nodefs.available": "1%",
                "nodefs.inodesFree": "1%",
                "imagefs.available": "1%",
            },
            "registryPullQPS": 0,
            "serializeImagePulls": false,
            // A disk that others filled must not cost the node its images: nothing could load them again.
            "imageGCHighThresholdPercent": 100,
            "nodeStatusUpdateFrequency": "4s",
        });
        Ok(config.to_string())
    }

    fn cgroup(self) -> String {
        format!("provost-node-{}", self.index)
    }

    /// One in each hierarchy (version 1), or in the only one (version 2).
    fn make_cgroups(self) -> Result<()> {
        for hierarchy in hierarchies()? {
            let cgroup = hierarchy.join(self.cgroup());
            fs::create_dir_all(&cgroup).with_context(|| format!("cannot make the cgroup `{}`", cgroup.display()))?;
            for file in ["cpuset.cpus", "cpuset.mems"].iter().filter(|file| hierarchy.join(file).is_file()) {
                fs::write(cgroup.join(file), fs::read(hierarchy.join(file))?)?;
            }
        }
        Ok(())
    }

    /// Processes that were killed hold theirs for a moment.
    fn remove_cgroups(self) {
        let cgroups: Vec<_> =
            hierarchies().unwrap_or_default().iter().map(|hierarchy| hierarchy.join(self.cgroup())).collect();
        wait::until(CGROUPS_MAX, || {
            cgroups.iter().for_each(|cgroup| remove_cgroup(cgroup));
            cgroups.iter().all(|cgroup| !cgroup.is_dir()).then_some(())
        });
    }
}

fn hierarchies() -> Result<Vec<PathBuf>> {
    let root = Path::new(CGROUPS);
    if root.join("cgroup.controllers").is_file() {
        return Ok(vec![root.to_owned()]);
    }
    let entries = fs::read_dir(root).context("cannot read the cgroups")?;
    let folders = entries.flatten().map(|entry| entry.path());
    Ok(folders.filter(|folder| folder.join("cgroup.procs").is_file() && !folder.is_symlink()).collect())
}

/// The innermost first. One that still has processes stays.
fn remove_cgroup(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_cgroup(&entry.path());
        }
    }
    let _removed = fs::remove_dir(folder);
}
