//! TLS from certificate and key files, which are read again when they change, or from texts that are replaced.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// How often the files are looked at.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// Why the files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read as PEM.
    #[error("cannot read `{}`: {message}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// A text is not PEM.
    #[error("cannot read a certificate or key: {0}")]
    Text(String),
    /// Certificate and key do not fit each other, or cannot be used.
    #[error("the certificate and key cannot be used together")]
    Pair(#[source] rustls::Error),
}

/// The configuration of the certificate that is in force.
#[derive(Debug, Clone)]
pub struct TlsSource {
    current: Arc<RwLock<Arc<ServerConfig>>>,
}

impl TlsSource {
    /// Uses the certificate chain and key, both PEM.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, TlsError> {
        let unreadable = |error: &dyn std::fmt::Display| TlsError::Text(error.to_string());
        let chain = CertificateDer::pem_slice_iter(certificate.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unreadable(&error))?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| unreadable(&error))?;
        Ok(Self { current: Arc::new(RwLock::new(Arc::new(configure(chain, key)?))) })
    }

    /// The configuration for a new connection.
    pub fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has new connections use what `other` has now.
    pub fn replace(&self, other: &Self) {
        let new = other.current();
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
    }
}

/// Certificate and key files.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    certificate: PathBuf,
    key: PathBuf,
    source: TlsSource,
}

impl TlsFiles {
    /// Reads the certificate chain and key, both PEM.
    pub fn open(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let source = TlsSource { current: Arc::new(RwLock::new(Arc::new(read(certificate, key)?))) };
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), source })
    }

    /// What listeners use.
    pub fn source(&self) -> TlsSource {
        self.source.clone()
    }

    /// Reads the files again whenever they change. A pair that cannot be used is logged, and the one
    /// before stays in force.
    pub async fn reload(self) {
        let mut seen = self.changed_at();
        loop {
            tokio::time::sleep(CHECK_EVERY).await;
            let now = self.changed_at();
            if now == seen {
                continue;
            }
            seen = now;
            match Self::open(&self.certificate, &self.key) {
                Ok(read) => {
                    self.source.replace(&read.source);
                    tracing::info!(certificate = %self.certificate.display(), "the certificate was read again");
                }
                Err(error) => tracing::error!(%error, "the changed certificate is not used"),
            }
        }
    }

    fn changed_at(&self) -> [Option<SystemTime>; 2] {
        let changed = |path: &Path| -> io::Result<SystemTime> { std::fs::metadata(path)?.modified() };
        [changed(&self.certificate).ok(), changed(&self.key).ok()]
    }
}

fn read(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let unreadable = |path: &Path, error: &dyn std::fmt::Display| TlsError::File {
        path: path.to_owned(),
        message: error.to_string(),
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(certificate, &error))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, &error))?;
    configure(chain, key)
}

fn configure(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Pair)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(TlsError::Pair)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
