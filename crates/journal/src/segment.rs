//! What is known of a segment's file.

use std::path::{Path, PathBuf};

/// A segment on disk, as far as it is durable.
#[derive(Debug, Clone, Default)]
pub(crate) struct Segment {
    pub(crate) bytes: u64,
    pub(crate) records: u32,
    /// Its file is gone; its records are lost, and readers pass them.
    pub(crate) missing: bool,
    /// Record number and offset of some blocks, ascending.
    pub(crate) index: Vec<(u32, u64)>,
}

impl Segment {
    /// Without the index.
    pub(crate) fn clone_size(&self) -> Self {
        Self { bytes: self.bytes, records: self.records, missing: self.missing, index: Vec::new() }
    }
}

pub(crate) fn segment_path(dir: &Path, segment: u32) -> PathBuf {
    dir.join(format!("{segment:010}.segment"))
}
