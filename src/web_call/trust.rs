//! Whom TLS trusts.

use std::path::{Path, PathBuf};

use hyper_rustls::ConfigBuilderExt as _;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Certificates to trust, as they were read: a file can change its content and keep its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaFile {
    /// Where they stand.
    pub path: PathBuf,
    /// What stands there.
    pub pem: Vec<u8>,
}

impl CaFile {
    /// Reads it.
    ///
    /// # Errors
    /// That it can't be read.
    pub fn read(path: &Path) -> Result<Self, String> {
        match std::fs::read(path) {
            Ok(pem) => Ok(Self {
                path: path.to_owned(),
                pem,
            }),
            Err(error) => Err(format!("{} can't be read: {error}", path.display())),
        }
    }
}

/// What TLS trusts: these certificates, or the machine's own.
///
/// # Errors
/// What is wrong with them.
pub fn tls(ca_file: Option<&CaFile>) -> Result<ClientConfig, String> {
    // Whoever runs us may have chosen one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = ClientConfig::builder();
    let Some(CaFile { path, pem }) = ca_file else {
        let roots = builder.with_native_roots().map_err(|error| {
            format!(
                "the machine's root certificates can't be loaded: {error}. Install them (Debian: \
                 ca-certificates)"
            )
        })?;
        return Ok(roots.with_no_client_auth());
    };
    let shown = path.display();
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate =
            certificate.map_err(|error| format!("{shown} holds no certificate: {error}"))?;
        roots
            .add(certificate)
            .map_err(|error| format!("{shown} holds a certificate that can't be used: {error}"))?;
    }
    if roots.is_empty() {
        return Err(format!("{shown} holds no certificate"));
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
