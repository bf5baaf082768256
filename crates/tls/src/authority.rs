//! An authority of this installation: for development, and for agents of who has no authority of their own.
//!
//! Its key is a file of the data folder that only its owner may read; who has it can make certificates.

use std::{
    io,
    path::{Path, PathBuf},
};

use event::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType, SerialNumber, string::Ia5String,
};

const KEY: &str = "authority.key";
const CERTIFICATE: &str = "authority.pem";
const SERVER_KEY: &str = "server.key";
const SERVER_CERTIFICATE: &str = "server.pem";
/// How long the authority is good, and what it makes: the longest that clients commonly take.
const AUTHORITY_DAYS: i64 = 3650;
const ISSUED_DAYS: i64 = 825;
/// Clocks differ.
const BEFORE_DAYS: i64 = 1;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file of the authority.
    #[error("cannot {action} {path}, which is part of this installation's authority")]
    File {
        /// What was attempted.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The files hold something else.
    #[error(
        "cannot use the authority in {path}; remove authority.key and authority.pem there to have another one made"
    )]
    Content {
        /// Its folder.
        path: PathBuf,
        /// Why.
        source: rcgen::Error,
    },
    /// A certificate cannot be made.
    #[error("cannot make a certificate")]
    Make(#[from] rcgen::Error),
}

/// A certificate that was made, and its key, as PEM.
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// BLAKE3 of it (DER), by which it is recognised.
    pub digest: blake3::Hash,
    /// Its private key.
    pub private_key: String,
}

/// The authority of an installation.
pub struct Authority {
    dir: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Authority").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl Authority {
    /// The authority whose files are in this folder; it is made where there is none.
    ///
    /// # Errors
    /// When its files cannot be read, used or written.
    pub fn open(dir: &Path, now: Timestamp) -> Result<Self, AuthorityError> {
        let content = |source| AuthorityError::Content { path: dir.to_owned(), source };
        let found = read(&dir.join(KEY))?.zip(read(&dir.join(CERTIFICATE))?);
        if let Some((key, certificate)) = found {
            let key = KeyPair::from_pem(&key).map_err(content)?;
            let issuer = Issuer::new(authority_params(&key, now), key);
            return Ok(Self { dir: dir.to_owned(), issuer, certificate });
        }
        let key = KeyPair::generate()?;
        let params = authority_params(&key, now);
        let certificate = params.self_signed(&key)?.pem();
        write(dir, KEY, &key.serialize_pem())?;
        write(dir, CERTIFICATE, &certificate)?;
        Ok(Self { dir: dir.to_owned(), issuer: Issuer::new(params, key), certificate })
    }

    /// The file of its certificate: what clients trust, and what clients' certificates are verified with.
    pub fn certificate_file(dir: &Path) -> PathBuf {
        dir.join(CERTIFICATE)
    }

    /// Its certificate as PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Makes a certificate for a server of these names and addresses, and writes it and its key down beside the
    /// authority's; gives the two files.
    ///
    /// # Errors
    /// When it cannot be made or written.
    pub fn serve_as(&self, names: &[String], now: Timestamp) -> Result<(PathBuf, PathBuf), AuthorityError> {
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = named(names.first().map_or("localhost", String::as_str));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let issued = self.issue(params, now)?;
        Ok((
            write(&self.dir, SERVER_CERTIFICATE, &issued.certificate)?,
            write(&self.dir, SERVER_KEY, &issued.private_key)?,
        ))
    }

    /// Makes a certificate for an agent. Its subject is the agent's name, and the id of its key stands beside it as
    /// `urn:log-sentinel:key:ID`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn agent(&self, name: &str, key_id: &str, now: Timestamp) -> Result<Issued, AuthorityError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = named(name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let uri = Ia5String::try_from(format!("urn:log-sentinel:key:{key_id}"))?;
        params.subject_alt_names = vec![SanType::URI(uri)];
        self.issue(params, now)
    }

    fn issue(&self, mut params: CertificateParams, now: Timestamp) -> Result<Issued, AuthorityError> {
        let key = KeyPair::generate()?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        lasting(&mut params, now, ISSUED_DAYS);
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Issued {
            certificate: certificate.pem(),
            digest: blake3::hash(certificate.der()),
            private_key: key.serialize_pem(),
        })
    }
}

fn authority_params(key: &KeyPair, now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    // Two installations have two names, so that clients which trust both tell them apart.
    let digest = blake3::hash(key.public_key_raw()).to_hex();
    params.distinguished_name = named(&format!("Log Sentinel authority {}", &digest.as_str()[..8]));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.serial_number = Some(SerialNumber::from_slice(&digest.as_bytes()[..16]));
    lasting(&mut params, now, AUTHORITY_DAYS);
    params
}

fn named(name: &str) -> DistinguishedName {
    let mut named = DistinguishedName::new();
    named.push(DnType::CommonName, name);
    named
}

fn lasting(params: &mut CertificateParams, now: Timestamp, days: i64) {
    const DAY_NANOS: i64 = 86_400_000_000_000;
    let day = |offset: i64| {
        let time =
            Timestamp::saturating_from_nanos(i128::from(now.as_nanos()) + i128::from(offset * DAY_NANOS));
        let date = time.to_jiff().to_zoned(jiff::tz::TimeZone::UTC).date();
        rcgen::date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    params.not_before = day(-BEFORE_DAYS);
    params.not_after = day(days);
}

fn read(path: &Path) -> Result<Option<String>, AuthorityError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(AuthorityError::File { action: "read", path: path.to_owned(), source }),
    }
}

fn write(dir: &Path, name: &str, text: &str) -> Result<PathBuf, AuthorityError> {
    let path = dir.join(name);
    let done = disk::create_dir_all(dir).and_then(|()| disk::replace(&path, text.as_bytes()));
    done.map_err(|source| AuthorityError::File { action: "write", path: path.clone(), source })?;
    Ok(path)
}
