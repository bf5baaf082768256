//! Rules in files: those that come along, and a folder of the user's own.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use detect::SHIPPED;
use telemetry::clean;

/// Files that are read of one folder, and bytes of each.
const FILES_MAX: usize = 20_000;
pub(crate) const FILE_BYTES_MAX: u64 = 1 << 20;

/// Names and texts of rule files.
pub type Files = Vec<(String, String)>;

/// Why rule files cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RuleFilesError {
    /// One of them, or a folder.
    #[error("cannot read {}", shown(path))]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There are too many.
    #[error("{} holds more than {FILES_MAX} rule files", shown(path))]
    Many {
        /// The folder.
        path: PathBuf,
    },
    /// One is too large.
    #[error("{} is larger than {} MiB, which no rule is", shown(path), FILE_BYTES_MAX >> 20)]
    Large {
        /// The file.
        path: PathBuf,
    },
}

/// A path as text that is safe to show.
fn shown(path: &Path) -> String {
    clean::line(&path.display().to_string()).into_owned()
}

/// Those that come along.
pub fn shipped() -> Files {
    SHIPPED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

/// A file, or the rule files below a folder in the order of their names.
///
/// # Errors
/// When one cannot be read, or there is too much of it.
pub fn below(path: &Path) -> Result<Files, RuleFilesError> {
    below_ending(path, &["yml", "yaml"])
}

/// The same of files whose names end so.
///
/// # Errors
/// When one cannot be read, or there is too much of it.
pub fn below_ending(path: &Path, endings: &[&str]) -> Result<Files, RuleFilesError> {
    let mut found = vec![];
    gather(path, path, endings, &mut found)?;
    Ok(found)
}

fn gather(root: &Path, path: &Path, endings: &[&str], found: &mut Files) -> Result<(), RuleFilesError> {
    let failed = |source| RuleFilesError::Read { path: path.to_owned(), source };
    let about = fs::metadata(path).map_err(failed)?;
    if !about.is_dir() {
        if about.len() > FILE_BYTES_MAX {
            return Err(RuleFilesError::Large { path: path.to_owned() });
        }
        if found.len() == FILES_MAX {
            return Err(RuleFilesError::Many { path: root.to_owned() });
        }
        let text = String::from_utf8_lossy(&fs::read(path).map_err(failed)?).into_owned();
        found.push((path.display().to_string(), text));
        return Ok(());
    }
    let mut entries = vec![];
    for entry in fs::read_dir(path).map_err(failed)? {
        entries.push(entry.map_err(failed)?);
    }
    entries.sort_unstable_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
        let is_rule = path.extension().is_some_and(|of_path| endings.iter().any(|ending| of_path == *ending));
        if kind.is_dir() || (kind.is_file() && is_rule) {
            gather(root, &path, endings, found)?;
        }
    }
    Ok(())
}
