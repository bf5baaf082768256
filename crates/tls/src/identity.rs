//! What a listener shows and what it asks for.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use tokio::io::{AsyncRead, AsyncWrite};
pub use tokio_rustls::server::TlsStream;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, RootCertStore, ServerConfig,
        crypto::{CryptoProvider, ring},
        pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
        server::{WebPkiClientVerifier, danger::ClientCertVerifier},
    },
};

/// Spoken over TLS, the most wanted first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];
/// A longer file is no certificate.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Whether clients must show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Clients {
    /// Who shows one must show a good one.
    Optional,
    /// There is no connection without one.
    Required,
}

/// PEM files of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The server's certificate, followed by those between it and its root.
    pub cert_file: PathBuf,
    /// Its private key.
    pub key_file: PathBuf,
    /// The roots of clients' certificates, and whether they must have one; None asks for none.
    pub clients: Option<(PathBuf, Clients)>,
}

/// Why files make no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{path} must be a PEM file with {wanted}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
        /// What is wrong with it; None where it holds nothing of the kind.
        source: Option<pem::Error>,
    },
    /// Certificate and key cannot be used, or not together.
    #[error("cannot use the certificate in {cert_file} with the key in {key_file}")]
    Pair {
        /// The certificate's file.
        cert_file: PathBuf,
        /// The key's.
        key_file: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The roots of clients cannot be used.
    #[error("cannot use the roots of clients' certificates in {path}: {reason}")]
    Roots {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// What a listener shows at present. Clones share it.
#[derive(Debug, Clone)]
pub struct Identity(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    files: Files,
    current: RwLock<Arc<ServerConfig>>,
    /// Of what was last looked at, whether it could be used or not.
    seen: Mutex<blake3::Hash>,
}

/// The bytes of all files.
struct Contents {
    cert: Vec<u8>,
    key: Vec<u8>,
    roots: Option<Vec<u8>>,
}

impl Identity {
    /// Reads the files.
    ///
    /// # Errors
    /// When they cannot be read or used.
    pub fn open(files: Files) -> Result<Self, TlsError> {
        let contents = Contents::read(&files)?;
        let config = Arc::new(contents.config(&files)?);
        let seen = Mutex::new(contents.digest());
        Ok(Self(Arc::new(Shared { files, current: RwLock::new(config), seen })))
    }

    /// The files.
    pub fn files(&self) -> &Files {
        &self.0.files
    }

    /// Reads the files again, and takes what they hold for connections to come; whether that is something new. The
    /// same bad files are complained of once.
    ///
    /// # Errors
    /// When they cannot be read or used: everything stays as it was.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let contents = Contents::read(&self.0.files)?;
        let digest = contents.digest();
        if digest == *self.0.seen.lock().unwrap_or_else(PoisonError::into_inner) {
            return Ok(false);
        }
        let config = Arc::new(contents.config(&self.0.files)?);
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = config;
        *self.0.seen.lock().unwrap_or_else(PoisonError::into_inner) = digest;
        Ok(true)
    }

    /// Makes a connection a TLS one. How long that may take is up to the caller.
    ///
    /// # Errors
    /// When the client breaks off, speaks something else, or shows no certificate that will do.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> io::Result<TlsStream<S>> {
        let config = Arc::clone(&self.0.current.read().unwrap_or_else(PoisonError::into_inner));
        TlsAcceptor::from(config).accept(stream).await
    }
}

/// BLAKE3 of the certificate (DER) that a client showed, which was verified.
pub fn peer_certificate<S>(stream: &TlsStream<S>) -> Option<blake3::Hash> {
    let (_, connection) = stream.get_ref();
    connection.peer_certificates()?.first().map(|certificate| blake3::hash(certificate))
}

impl Contents {
    fn read(files: &Files) -> Result<Self, TlsError> {
        Ok(Self {
            cert: read(&files.cert_file)?,
            key: read(&files.key_file)?,
            roots: files.clients.as_ref().map(|(path, _)| read(path)).transpose()?,
        })
    }

    fn digest(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        for part in [Some(&self.cert), Some(&self.key), self.roots.as_ref()].into_iter().flatten() {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.finalize()
    }

    fn config(&self, files: &Files) -> Result<ServerConfig, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let chain = certificates(&self.cert, &files.cert_file)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|source| TlsError::Pem {
            path: files.key_file.clone(),
            wanted: "a private key",
            source: Some(source),
        })?;
        let pair = |source| TlsError::Pair {
            cert_file: files.cert_file.clone(),
            key_file: files.key_file.clone(),
            source,
        };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(pair)?;
        let builder = match (&self.roots, &files.clients) {
            (Some(roots), Some((path, clients))) => {
                builder.with_client_cert_verifier(verifier(roots, path, *clients, provider)?)
            }
            _ => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(pair)?;
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
        Ok(config)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let failed = |source| TlsError::Read { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, "it is longer than any certificate")));
    }
    std::fs::read(path).map_err(failed)
}

fn certificates(bytes: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wanted = "certificates";
    let bad = |source| TlsError::Pem { path: path.to_owned(), wanted, source };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    match found {
        Ok(found) if found.is_empty() => Err(bad(None)),
        Ok(found) => Ok(found),
        Err(error) => Err(bad(Some(error))),
    }
}

fn verifier(
    bytes: &[u8],
    path: &Path,
    clients: Clients,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let bad =
        |error: &dyn std::error::Error| TlsError::Roots { path: path.to_owned(), reason: error.to_string() };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(bytes, path)? {
        roots.add(certificate).map_err(|error| bad(&error))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = match clients {
        Clients::Optional => builder.allow_unauthenticated(),
        Clients::Required => builder,
    };
    builder.build().map_err(|error| bad(&error))
}
