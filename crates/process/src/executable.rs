//! How much of the files that processes run is hashed, and what came of it.

use std::{io, sync::Arc};

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
