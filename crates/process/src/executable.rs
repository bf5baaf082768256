//! How much of the files that processes run is hashed, and what came of it.

use std::{collections::HashMap, hash::Hash, io, sync::Arc};

/// How much is hashed.
#[derive(Debug, Clone, Copy)]
pub struct HashLimits {
    /// Files that are larger have no hash, bytes.
    pub file_bytes: u64,
    /// At most so much is read in one scan, bytes; a file that has been begun is read to its end.
    pub scan_bytes: u64,
    /// Hashes that are kept at most.
    pub kept: usize,
}

impl Default for HashLimits {
    fn default() -> Self {
        Self { file_bytes: 256 << 20, scan_bytes: 64 << 20, kept: 8_192 }
    }
}

/// What came of asking for a hash.
#[derive(Debug)]
pub(crate) enum Hashed {
    Known(Arc<str>),
    /// This scan has read as much as it may.
    Later,
    TooLarge,
    Failed(io::Error),
}

/// The hashes that are known, by what makes two files the same, and how much more a scan may read.
#[derive(Debug)]
pub(crate) struct Known<K> {
    limits: HashLimits,
    /// With the scan in which each was last asked for.
    kept: HashMap<K, (Arc<str>, u64)>,
    scan: u64,
    left: u64,
}

impl<K: Eq + Hash> Known<K> {
    pub(crate) fn new(limits: HashLimits) -> Self {
        Self { limits, kept: HashMap::new(), scan: 0, left: limits.scan_bytes }
    }

    /// Hashes that are kept.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "asked by the tests of Linux"))]
    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    /// A scan begins: it may read as much as the one before, and what that one did not need is forgotten.
    pub(crate) fn begin(&mut self) {
        let before = self.scan;
        self.kept.retain(|_, (_, used)| *used >= before);
        self.scan += 1;
        self.left = self.limits.scan_bytes;
    }

    /// The hash of a file of so many bytes: the one that is known, else what `read` makes of it, which is nothing where it is
    /// another file by now. The next scan sees that as it is.
    pub(crate) fn hash(
        &mut self,
        key: K,
        bytes: u64,
        read: impl FnOnce(&K) -> io::Result<Option<Arc<str>>>,
    ) -> Hashed {
        if let Some((hash, used)) = self.kept.get_mut(&key) {
            *used = self.scan;
            return Hashed::Known(Arc::clone(hash));
        }
        if bytes > self.limits.file_bytes {
            return Hashed::TooLarge;
        }
        if self.left == 0 {
            return Hashed::Later;
        }
        self.left = self.left.saturating_sub(bytes.max(1));
        match read(&key) {
            Ok(Some(hash)) => {
                if self.kept.len() < self.limits.kept {
                    self.kept.insert(key, (Arc::clone(&hash), self.scan));
                }
                Hashed::Known(hash)
            }
            Ok(None) => Hashed::Later,
            Err(error) => Hashed::Failed(error),
        }
    }
}
