//! BLAKE3 of the files that processes run, each once and paced.

use std::{
    collections::HashMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use crate::executable::{HashLimits, Hashed};

/// What makes two files the same for us.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    path: PathBuf,
    bytes: u64,
    modified: Option<SystemTime>,
}

/// The hashes that are known.
#[derive(Debug)]
pub struct Executables {
    limits: HashLimits,
    /// With the scan in which each was last asked for.
    kept: HashMap<Key, (Arc<str>, u64)>,
    scan: u64,
    left: u64,
}

impl Executables {
    /// Knows none yet.
    #[must_use]
    pub fn new(limits: HashLimits) -> Self {
        Self { limits, kept: HashMap::new(), scan: 0, left: limits.scan_bytes }
    }

    /// A scan begins: it may read as much as the one before, and what that one did not need is forgotten.
    pub(crate) fn begin(&mut self) {
        let before = self.scan;
        self.kept.retain(|_, (_, used)| *used >= before);
        self.scan += 1;
        self.left = self.limits.scan_bytes;
    }

    /// The hash of the file at a path.
    pub(crate) fn hash(&mut self, path: &Path) -> Hashed {
        self.try_hash(path).unwrap_or_else(Hashed::Failed)
    }

    fn try_hash(&mut self, path: &Path) -> io::Result<Hashed> {
        let about = fs::metadata(path)?;
        let key = Key { path: path.to_owned(), bytes: about.len(), modified: about.modified().ok() };
        if let Some((hash, used)) = self.kept.get_mut(&key) {
            *used = self.scan;
            return Ok(Hashed::Known(Arc::clone(hash)));
        }
        if key.bytes > self.limits.file_bytes {
            return Ok(Hashed::TooLarge);
        }
        if self.left == 0 {
            return Ok(Hashed::Later);
        }
        self.left = self.left.saturating_sub(key.bytes.max(1));
        let mut hasher = blake3::Hasher::new();
        io::copy(&mut File::open(path)?, &mut hasher)?;
        let hash: Arc<str> = hasher.finalize().to_hex().as_str().into();
        if self.kept.len() < self.limits.kept {
            self.kept.insert(key, (Arc::clone(&hash), self.scan));
        }
        Ok(Hashed::Known(hash))
    }
}
