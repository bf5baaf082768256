//! The files of an index: how they are numbered and listed, and how one goes.

use std::path::Path;

use super::{manifest::Manifest, segment::file_path};
use crate::IndexError;

/// Files as they are numbered, listed and to be removed.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) next: u64,
    pub(super) manifest: Manifest,
    /// Replaced by others, and to be removed once the manifest says so.
    pub(super) removable: Vec<u64>,
    /// The manifest on disk is older.
    pub(super) unsaved: bool,
}

impl Files {
    /// Writes the manifest, then removes what it no longer lists.
    pub(super) fn save(&mut self, dir: &Path) -> Result<(), IndexError> {
        self.unsaved = true;
        self.manifest.write(dir).map_err(failed("write the manifest in", dir))?;
        self.unsaved = false;
        for number in self.removable.drain(..) {
            remove(&file_path(dir, number))?;
        }
        Ok(())
    }
}

/// The error of an attempt on a file.
pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> IndexError {
    let path = path.to_owned();
    move |source| IndexError::File { action, path, source }
}

/// Renames a damaged file out of the way.
pub(super) fn set_aside(path: &Path) -> Result<(), IndexError> {
    match std::fs::rename(path, path.with_extension("damaged")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed("set aside", path)(error)),
        _ => Ok(()),
    }
}

pub(super) fn remove(path: &Path) -> Result<(), IndexError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}
