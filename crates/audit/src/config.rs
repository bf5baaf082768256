//! Settings.

use std::{path::PathBuf, time::Duration};

/// Settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// The record's own folder.
    pub dir: PathBuf,
    /// The private key; `key` in the folder unless it is kept elsewhere. One that is not there is made with a new
    /// record.
    pub key_file: Option<PathBuf>,
    /// Bytes past which another file is begun.
    pub file_bytes: u64,
    /// Records after which a checkpoint is signed, at least 1.
    pub checkpoint_records: u64,
    /// Time after which a checkpoint is signed when there are records that none covers.
    pub checkpoint_interval: Duration,
}

impl Config {
    /// The defaults: files of 16 MiB, a checkpoint after 1,000 records or 5 minutes.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            key_file: None,
            file_bytes: 16 << 20,
            checkpoint_records: 1000,
            checkpoint_interval: Duration::from_secs(300),
        }
    }
}
