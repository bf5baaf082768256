//! BLAKE3 of the files that processes run, each once and paced.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::executable::{HashLimits, Hashed, Known};

/// What makes two files the same for us.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    path: PathBuf,
    bytes: u64,
    modified: Option<SystemTime>,
}

/// The hashes that are known.
#[derive(Debug)]
pub struct Executables(Known<Key>);

impl Executables {
    /// Knows none yet.
    #[must_use]
    pub fn new(limits: HashLimits) -> Self {
        Self(Known::new(limits))
    }

    /// A scan begins. See [`Known::begin`].
    pub(crate) fn begin(&mut self) {
        self.0.begin();
    }

    /// The hash of the file at a path.
    pub(crate) fn hash(&mut self, path: &Path) -> Hashed {
        let about = match fs::metadata(path) {
            Ok(about) => about,
            Err(error) => return Hashed::Failed(error),
        };
        let key = Key { path: path.to_owned(), bytes: about.len(), modified: about.modified().ok() };
        self.0.hash(key, about.len(), |key| {
            let mut hasher = blake3::Hasher::new();
            io::copy(&mut File::open(&key.path)?, &mut hasher)?;
            Ok(Some(hasher.finalize().to_hex().as_str().into()))
        })
    }
}
