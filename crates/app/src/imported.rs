//! What an import has brought.

/// What became of the lines of the files.
#[derive(Debug, Default, Clone)]
pub(crate) struct Imported {
    /// Events taken in.
    pub accepted: u64,
    /// Lines that they were, but for empty ones.
    pub lines: u64,
    /// Lines refused.
    pub rejected: u64,
    /// Lines that an earlier import has brought.
    pub repeated: u64,
    /// Events taken in that are older than the retention.
    pub expired: u64,
    /// Files of which a part is missing, for they are damaged there.
    pub damaged: u64,
    /// Names under which they were taken in: `log.file.path`.
    pub paths: Vec<String>,
    /// Whether everything is searchable.
    pub indexed: bool,
    /// The name of this import, where it is to be told from earlier ones.
    pub run: Option<String>,
}
