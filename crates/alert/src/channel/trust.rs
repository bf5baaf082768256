//! Whom to trust at the other end of a TLS connection.

use std::{path::PathBuf, sync::Arc};

use tokio_rustls::rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::send::told;

/// The authorities that browsers trust, and those of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trust {
    /// PEM file of authorities that are trusted as well.
    pub ca_file: Option<PathBuf>,
}

impl Trust {
    /// The certificates of the file as PEM; None without one.
    pub(crate) fn pem(&self) -> Result<Option<Vec<u8>>, String> {
        let Some(path) = &self.ca_file else { return Ok(None) };
        let read = std::fs::read(path);
        read.map(Some).map_err(|error| format!("cannot read ca_file {}: {error}", path.display()))
    }

    /// What is wrong with a file that holds none.
    pub(crate) fn without_certificates(&self) -> String {
        let path = self.ca_file.clone().unwrap_or_default();
        format!("ca_file {} holds no certificate in PEM", path.display())
    }

    /// What a TLS connection begins with.
    pub(crate) fn tls(&self) -> Result<Arc<ClientConfig>, String> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(pem) = self.pem()? {
            let added =
                CertificateDer::pem_slice_iter(&pem).flatten().filter_map(|der| roots.add(der).ok()).count();
            if added == 0 {
                return Err(self.without_certificates());
            }
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(|error| told(&error))?;
        Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
    }
}
