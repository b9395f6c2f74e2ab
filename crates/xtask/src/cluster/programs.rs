//! The programs of a cluster, built from versions that `crates/xtask/programs` pins.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use crate::{
    progress::Stage,
    setup::{self, Programs, Tool, VersionPart},
    workspace::Workspace,
};

const fn plain(module: &'static str, packages: &'static [&'static str]) -> Programs {
    Programs { module, packages, version: None, files: &[] }
}

/// In the order of [`Binaries`]' folders.
const PROGRAMS: [Programs; 7] = [
    Programs {
        version: Some((
            "k8s.io/kubernetes",
            &[
                ("k8s.io/component-base/version.gitVersion", VersionPart::All),
                ("k8s.io/component-base/version.gitMajor", VersionPart::Major),
                ("k8s.io/component-base/version.gitMinor", VersionPart::Minor),
            ],
        )),
        ..plain(
            "kubernetes",
            &[
                "k8s.io/kubernetes/cmd/kube-apiserver",
                "k8s.io/kubernetes/cmd/kube-controller-manager",
                "k8s.io/kubernetes/cmd/kube-scheduler",
                "k8s.io/kubernetes/cmd/kubelet",
                "k8s.io/kubernetes/cmd/kube-proxy",
                "k8s.io/kubernetes/cmd/kubectl",
            ],
        )
    },
    plain("etcd", &["go.etcd.io/etcd/server/v3"]),
    plain("pause", &["provost/programs/pause"]),
    plain("coredns", &["github.com/coredns/coredns"]),
    Programs {
        files: &[
            ("github.com/projectcontour/contour", "examples/contour/01-crds.yaml"),
            ("github.com/projectcontour/contour", "examples/gateway/00-crds.yaml"),
        ],
        ..plain("contour", &["github.com/projectcontour/contour/cmd/contour"])
    },
    plain("kwok", &["sigs.k8s.io/kwok/cmd/kwok"]),
    Programs {
        version: Some(("helm.sh/helm/v3", &[("helm.sh/helm/v3/internal/version.version", VersionPart::All)])),
        ..plain("helm", &["helm.sh/helm/v3/cmd/helm"])
    },
];

/// Where the programs are.
#[derive(Debug, Clone)]
pub(crate) struct Binaries {
    folders: [PathBuf; PROGRAMS.len()],
}

/// Finds the programs: builds them, and installs what nodes need besides.
pub(crate) fn find(stage: &Stage<'_>) -> Result<Binaries> {
    ensure!(rustix::process::geteuid().is_root(), "a cluster needs root: nodes are namespaces and cgroups");
    setup::ensure(&[Tool::Nodes], stage)?;
    setup::programs(stage, &PROGRAMS)?;
    built(stage.workspace)
}

/// Where they are once built.
pub(super) fn built(workspace: &Workspace) -> Result<Binaries> {
    let mut folders = PROGRAMS.map(|_| PathBuf::new());
    for (folder, programs) in folders.iter_mut().zip(&PROGRAMS) {
        *folder = programs.folder(workspace)?.canonicalize()?;
    }
    Ok(Binaries { folders })
}

impl Binaries {
    /// A program of Kubernetes.
    pub(super) fn kubernetes(&self, name: &str) -> PathBuf {
        self.folders[0].join(name)
    }

    pub(super) fn etcd(&self) -> PathBuf {
        self.folders[1].join("server")
    }

    /// The first process of nodes and pods.
    pub(super) fn pause(&self) -> PathBuf {
        self.folders[2].join("pause")
    }

    pub(super) fn coredns(&self) -> PathBuf {
        self.folders[3].join("coredns")
    }

    /// Contour, or a file of its examples.
    pub(super) fn contour(&self, name: &str) -> PathBuf {
        self.folders[4].join(name)
    }

    pub(super) fn kwok(&self) -> PathBuf {
        self.folders[5].join("kwok")
    }

    /// Their folders, for a search path.
    pub(super) fn folders(&self) -> impl Iterator<Item = &Path> {
        self.folders.iter().map(PathBuf::as_path)
    }
}
