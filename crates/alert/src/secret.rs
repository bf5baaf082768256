//! What must not be shown: tokens, passwords, addresses that are tokens themselves.

use std::{fmt, io, path::PathBuf};

/// A secret as it was set: itself, or the file that holds it. It shows neither what it is nor how long.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// Itself.
    Text(String),
    /// In a file, without the newline at its end.
    File(PathBuf),
}

/// A file with a secret that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the secret in {path}")]
pub struct SecretError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

impl Secret {
    /// Longer files are none that hold a secret.
    const FILE_BYTES_MAX: u64 = 64 * 1024;

    /// The secret itself, for whoever must send it.
    ///
    /// # Errors
    /// When its file cannot be read or is no text.
    pub fn reveal(&self) -> Result<String, SecretError> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::File(path) => {
                let read = || {
                    use io::Read;
                    let mut text = String::new();
                    std::fs::File::open(path)?.take(Self::FILE_BYTES_MAX).read_to_string(&mut text)?;
                    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
                };
                read().map_err(|source| SecretError { path: path.clone(), source })
            }
        }
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Secret(********)"),
            Self::File(path) => write!(f, "Secret({})", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_from_its_file_and_shown_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "hunter2\r\n").unwrap();
        assert_eq!(Secret::File(path).reveal().unwrap(), "hunter2");
        let secret = Secret::from("hunter2");
        assert_eq!(format!("{secret:?}"), "Secret(********)");
        let error = Secret::File(dir.path().join("none")).reveal().unwrap_err();
        assert!(error.to_string().contains("none"), "{error}");
    }
}
