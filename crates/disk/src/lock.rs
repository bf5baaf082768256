//! The lock of a data folder: one process at a time, whatever its role.

use std::{
    fs::{File, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

/// The file that is locked. It holds the id of the process that took it, for people to read.
const NAME: &str = "lock";

/// A data folder that is held. Another process may take it once this is dropped or the process ends,
/// however it ends.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

/// Why a data folder could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum InUse {
    /// Another process has it.
    #[error(
        "the data folder {dir} is in use by another process{}; stop that one, or give this one a folder of its own",
        holder.map_or(String::new(), |pid| format!(" (process {pid})"))
    )]
    Held {
        /// The folder.
        dir: PathBuf,
        /// The process that has it, as far as it could be read.
        holder: Option<u32>,
    },
    /// The lock could not be tried.
    #[error("cannot lock the data folder {dir}")]
    Io {
        /// The folder.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl DataLock {
    /// Takes a folder that is there.
    ///
    /// # Errors
    /// [`InUse::Held`] when another process has it.
    pub fn take(dir: &Path) -> Result<Self, InUse> {
        let failed = |source| InUse::Io { dir: dir.to_owned(), source };
        let options =
            || crate::options().read(true).write(true).create(true).truncate(false).open(dir.join(NAME));
        let mut file = options().map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Whoever holds it may be writing just now: the number is a help, no more.
                let holder = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
                return Err(InUse::Held { dir: dir.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // A full disk is no reason not to start: the lock is what counts.
        drop(
            file.set_len(0)
                .and_then(|()| file.rewind())
                .and_then(|()| writeln!(file, "{}", std::process::id())),
        );
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_and_it_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let held = DataLock::take(dir.path()).unwrap();
        let error = DataLock::take(dir.path()).unwrap_err().to_string();
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        assert!(error.contains(&dir.path().display().to_string()), "{error}");
        drop(held);
        DataLock::take(dir.path()).unwrap();
    }
}
