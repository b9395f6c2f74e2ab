//! Certificates of a cluster, and the files by which its parts reach the API server.

use std::{fs, os::unix::fs::OpenOptionsExt as _, path::Path};

use anyhow::{Context as _, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType,
};
use serde_json::json;

use super::{
    network::{API_SERVICE, FIRST_NODE},
    state::State,
};

/// Who is who to the API server: file name, common name, organisation.
const CLIENTS: [(&str, &str, Option<&str>); 6] = [
    ("admin", "admin", Some("system:masters")),
    ("kube-controller-manager", "system:kube-controller-manager", None),
    ("kube-scheduler", "system:kube-scheduler", None),
    ("kube-proxy", "system:kube-proxy", None),
    ("kubelet-client", "kubelet-client", Some("system:masters")),
    ("front-proxy", "front-proxy", None),
];
/// Names of the API server.
const API_SERVER: [&str; 7] =
    ["127.0.0.1", API_SERVICE, FIRST_NODE, "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];

/// Makes what is missing.
pub(super) fn ensure(state: &State) -> Result<()> {
    let folder = state.folder("pki")?;
    let authority = Authority::of(&folder)?;
    ensure_service_accounts(&folder)?;
    authority.ensure(&folder, "kube-apiserver", "kube-apiserver", None, &API_SERVER)?;
    for (file, name, organisation) in CLIENTS {
        authority.ensure(&folder, file, name, organisation, &[])?;
        write_kubeconfig(state, file)?;
    }
    Ok(())
}

/// Makes a kubelet's, if missing.
pub(super) fn ensure_kubelet(state: &State, node: &str, address: &str) -> Result<()> {
    let folder = state.folder("pki")?;
    let user = format!("system:node:{node}");
    Authority::of(&folder)?.ensure(&folder, node, &user, Some("system:nodes"), &[node, address])?;
    write_kubeconfig(state, node)
}

/// What signs the certificates.
#[derive(Debug)]
struct Authority(Issuer<'static, KeyPair>);

impl Authority {
    fn of(folder: &Path) -> Result<Self> {
        let key_file = folder.join("ca.key");
        if let Ok(key) = fs::read_to_string(&key_file) {
            return Ok(Self(Issuer::new(Self::parameters(), KeyPair::from_pem(&key)?)));
        }
        let key = KeyPair::generate()?;
        fs::write(folder.join("ca.crt"), Self::parameters().self_signed(&key)?.pem())?;
        write_secret(&key_file, &key.serialize_pem())?;
        Ok(Self(Issuer::new(Self::parameters(), key)))
    }

    fn parameters() -> CertificateParams {
        let mut authority = named("provost-test", None);
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        authority
    }

    fn ensure(&self, folder: &Path, file: &str, name: &str, organisation: Option<&str>, hosts: &[&str]) -> Result<()> {
        let certificate_file = folder.join(format!("{file}.crt"));
        if certificate_file.is_file() {
            return Ok(());
        }
        let key = KeyPair::generate()?;
        let mut certificate = named(name, organisation);
        certificate.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        for host in hosts {
            certificate.subject_alt_names.push(match host.parse() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName((*host).try_into()?),
            });
        }
        let certificate = certificate.signed_by(&key, &self.0)?;
        write_secret(&folder.join(format!("{file}.key")), &key.serialize_pem())?;
        fs::write(&certificate_file, certificate.pem())?;
        Ok(())
    }
}

fn named(name: &str, organisation: Option<&str>) -> CertificateParams {
    let mut certificate = CertificateParams::default();
    certificate.distinguished_name.remove(DnType::CommonName);
    certificate.distinguished_name.push(DnType::CommonName, name);
    if let Some(organisation) = organisation {
        certificate.distinguished_name.push(DnType::OrganizationName, organisation);
    }
    certificate
}

/// The key that signs tokens of service accounts.
fn ensure_service_accounts(folder: &Path) -> Result<()> {
    let public_file = folder.join("service-accounts.pub");
    if public_file.is_file() {
        return Ok(());
    }
    let key = KeyPair::generate()?;
    write_secret(&folder.join("service-accounts.key"), &key.serialize_pem())?;
    fs::write(&public_file, key.public_key_pem()).context("cannot write a public key")
}

/// Kubernetes reads JSON wherever it reads YAML.
fn write_kubeconfig(state: &State, user: &str) -> Result<()> {
    let name = "provost-test";
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{
            "name": name,
            "cluster": {
                "server": format!("https://{FIRST_NODE}:6443"),
                "certificate-authority": state.pki("ca.crt"),
            },
        }],
        "users": [{
            "name": user,
            "user": {
                "client-certificate": state.pki(&format!("{user}.crt")),
                "client-key": state.pki(&format!("{user}.key")),
            },
        }],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
    });
    fs::write(state.kubeconfig(user), config.to_string()).context("cannot write a kubeconfig")
}

fn write_secret(path: &Path, text: &str) -> Result<()> {
    use std::io::Write as _;
    let file = fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path);
    let mut file = file.with_context(|| format!("cannot write `{}`", path.display()))?;
    file.write_all(text.as_bytes())?;
    Ok(())
}
