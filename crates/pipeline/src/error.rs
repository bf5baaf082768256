//! Why the readers could not start or go on.

use index::IndexError;

use crate::config::CURSOR;

/// Why the readers could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The journal gave nothing.
    #[error("cannot read the journal")]
    Journal(#[from] journal::ReadError),
    /// The cursor could not be opened.
    #[error("cannot open the journal's cursor '{CURSOR}'")]
    Cursor(#[from] journal::OpenError),
    /// A snapshot of the analysis could not be kept.
    #[error("cannot keep what scoring remembers in {path}; look at the disk and the rights on it")]
    Window {
        /// The file or folder.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The index failed in a way that trying again does not mend.
    #[error("the index failed")]
    Index(#[from] IndexError),
}
