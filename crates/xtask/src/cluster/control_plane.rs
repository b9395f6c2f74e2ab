//! etcd, the API server, controllers and the scheduler, in the first node.

use std::time::Duration;

use anyhow::Result;

use super::{
    Cluster,
    daemon::{self, flags},
    network::{FIRST_NODE, SERVICES},
};

/// Longest wait for the API server.
const API_SERVER_MAX: Duration = Duration::from_secs(90);
const ETCD: &str = "http://127.0.0.1:2379";
const ETCD_PEERS: &str = "http://127.0.0.1:2380";
/// What the API server is to log.
const AUDIT: &str = include_str!("../../cluster/audit.yaml");

/// Starts it, and waits until the API server answers.
pub(super) fn start(cluster: &Cluster) -> Result<()> {
    start_etcd(cluster)?;
    start_api_server(cluster)?;
    daemon::wait_for(&cluster.state, 0, "kube-apiserver", API_SERVER_MAX, || {
        cluster.holds(&["get", "--raw", "/readyz"])
    })?;
    start_controllers(cluster)?;
    start_scheduler(cluster)
}

fn start_etcd(cluster: &Cluster) -> Result<()> {
    let data = cluster.state.folder("etcd")?.display().to_string();
    let mut arguments = flags(&[
        ("data-dir", &data),
        ("listen-client-urls", ETCD),
        ("advertise-client-urls", ETCD),
        ("listen-peer-urls", ETCD_PEERS),
        ("log-level", "warn"),
    ]);
    // What is stored is for tests: a power cut may take it.
    arguments.push("--unsafe-no-fsync".to_owned());
    daemon::start(&cluster.state, 0, cluster.binaries.etcd(), "etcd", &arguments)
}

fn start_api_server(cluster: &Cluster) -> Result<()> {
    let state = &cluster.state;
    let pki = |name: &str| state.pki(name).display().to_string();
    let audit = state.write("audit.yaml", AUDIT)?.display().to_string();
    let arguments = flags(&[
        ("etcd-servers", ETCD),
        ("secure-port", "6443"),
        ("advertise-address", FIRST_NODE),
        ("tls-cert-file", &pki("kube-apiserver.crt")),
        ("tls-private-key-file", &pki("kube-apiserver.key")),
        ("client-ca-file", &pki("ca.crt")),
        ("service-account-key-file", &pki("service-accounts.pub")),
        ("service-account-signing-key-file", &pki("service-accounts.key")),
        ("service-account-issuer", "https://kubernetes.default.svc"),
        ("service-cluster-ip-range", SERVICES),
        ("authorization-mode", "Node,RBAC"),
        ("enable-admission-plugins", "NodeRestriction"),
        ("allow-privileged", "true"),
        ("kubelet-client-certificate", &pki("kubelet-client.crt")),
        ("kubelet-client-key", &pki("kubelet-client.key")),
        ("kubelet-certificate-authority", &pki("ca.crt")),
        ("kubelet-preferred-address-types", "InternalIP"),
        ("requestheader-client-ca-file", &pki("ca.crt")),
        ("requestheader-allowed-names", "front-proxy"),
        ("requestheader-username-headers", "X-Remote-User"),
        ("requestheader-group-headers", "X-Remote-Group"),
        ("requestheader-extra-headers-prefix", "X-Remote-Extra-"),
        ("proxy-client-cert-file", &pki("front-proxy.crt")),
        ("proxy-client-key-file", &pki("front-proxy.key")),
        ("audit-policy-file", &audit),
        ("audit-log-path", &state.file("logs/audit.jsonl")?.display().to_string()),
    ]);
    daemon::start(state, 0, cluster.binaries.kubernetes("kube-apiserver"), "kube-apiserver", &arguments)
}

/// Rates are raised, so that it is not the controllers that a test of scale measures.
fn start_controllers(cluster: &Cluster) -> Result<()> {
    let state = &cluster.state;
    let pki = |name: &str| state.pki(name).display().to_string();
    let arguments = flags(&[
        ("kubeconfig", &pki("kube-controller-manager.conf")),
        ("use-service-account-credentials", "true"),
        ("service-account-private-key-file", &pki("service-accounts.key")),
        ("root-ca-file", &pki("ca.crt")),
        ("cluster-signing-cert-file", &pki("ca.crt")),
        ("cluster-signing-key-file", &pki("ca.key")),
        ("leader-elect", "false"),
        ("node-monitor-grace-period", "20s"),
        ("kube-api-qps", "500"),
        ("kube-api-burst", "1000"),
    ]);
    let program = cluster.binaries.kubernetes("kube-controller-manager");
    daemon::start(state, 0, program, "kube-controller-manager", &arguments)
}

fn start_scheduler(cluster: &Cluster) -> Result<()> {
    let arguments = flags(&[
        ("kubeconfig", &cluster.state.kubeconfig("kube-scheduler").display().to_string()),
        ("leader-elect", "false"),
        ("kube-api-qps", "500"),
        ("kube-api-burst", "1000"),
    ]);
    let program = cluster.binaries.kubernetes("kube-scheduler");
    daemon::start(&cluster.state, 0, program, "kube-scheduler", &arguments)
}
