//! The pair of keys with which checkpoints are signed and verified: each a file of one line.
//! ```text
//! log-sentinel-audit-private-key/1 64 hex
//! log-sentinel-audit-public-key/1 64 hex
//! ```

use std::{fs, io, path::Path};

use ed25519_dalek::{SigningKey, VerifyingKey};

use crate::{KeyError, hex};

const PRIVATE: &str = "log-sentinel-audit-private-key/1 ";
const PUBLIC: &str = "log-sentinel-audit-public-key/1 ";
const FILE_BYTES_MAX: u64 = 4096;

/// The key with which signatures are verified; no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(pub(crate) VerifyingKey);

impl PublicKey {
    /// Reads an exported key, such as `audit/key.pub` of a data folder.
    ///
    /// # Errors
    /// When the file cannot be read or holds something else.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let wrong = || KeyError::NotAKey { path: path.to_owned(), what: "public" };
        let text = read(path)?;
        text.trim_end().strip_prefix(PUBLIC).and_then(Self::from_hex).ok_or_else(wrong)
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), KeyError> {
        let text = format!("{PUBLIC}{}\n", self.to_hex());
        disk::replace(path, text.as_bytes()).map_err(failed("write", path))
    }

    pub(crate) fn from_hex(digits: &str) -> Option<Self> {
        VerifyingKey::from_bytes(&hex::decode(digits)?).ok().map(Self)
    }

    pub(crate) fn to_hex(self) -> String {
        hex::encode(self.0.as_bytes())
    }
}

/// Reads the private key; None where there is no file.
pub(crate) fn private(path: &Path) -> Result<Option<SigningKey>, KeyError> {
    let text = match read(path) {
        Err(KeyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let key = text.trim_end().strip_prefix(PRIVATE).and_then(hex::decode);
    let key = key.ok_or_else(|| KeyError::NotAKey { path: path.to_owned(), what: "private" })?;
    Ok(Some(SigningKey::from_bytes(&key)))
}

/// Makes a private key that only its owner may read (mode 0600).
pub(crate) fn make_private(path: &Path) -> Result<SigningKey, KeyError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| KeyError::Random { source: error.into() })?;
    let text = format!("{PRIVATE}{}\n", hex::encode(&seed));
    disk::replace(path, text.as_bytes()).map_err(failed("write", path))?;
    Ok(SigningKey::from_bytes(&seed))
}

/// The whole of a file that ought to be small; what is longer is no key.
fn read(path: &Path) -> Result<String, KeyError> {
    use io::Read;

    let mut text = vec![];
    let file = fs::File::open(path).map_err(failed("open", path))?;
    file.take(FILE_BYTES_MAX).read_to_end(&mut text).map_err(failed("read", path))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    let path = path.to_owned();
    move |source| KeyError::Io { action, path, source }
}
