//! Locks of files, and the lock of a data folder: one process at a time, whatever its role.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Seek, Write},
    path::{Path, PathBuf},
};

/// The file that is locked. It holds the id of the process that took it, for people to read.
const NAME: &str = "lock";

/// A file that is locked until this is dropped.
///
/// It is unlocked by name, not by closing it: a program that is being started by another thread has every open file for
/// a moment, and would hold the lock for that long.
#[derive(Debug)]
pub struct LockedFile {
    file: File,
}

impl LockedFile {
    /// Locks a file, without waiting.
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] when somebody else has it.
    pub fn take(file: File) -> Result<Self, TryLockError> {
        file.try_lock()?;
        Ok(Self { file })
    }
}

impl Drop for LockedFile {
    fn drop(&mut self) {
        // Closing it, which follows, unlocks it as well.
        drop(self.file.unlock());
    }
}

/// A data folder that is held. Another process may take it once this is dropped or the process ends,
/// however it ends.
#[derive(Debug)]
pub struct DataLock {
    _file: LockedFile,
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
        let path = dir.join(NAME);
        let file = crate::options().read(true).write(true).create(true).truncate(false).open(&path);
        let held = match file.map_err(failed).map(LockedFile::take)? {
            Ok(held) => held,
            Err(TryLockError::WouldBlock) => {
                // Whoever holds it may be writing just now: the number is a help, no more.
                let holder = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
                return Err(InUse::Held { dir: dir.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        };
        let mut file = &held.file;
        // A full disk is no reason not to start: the lock is what counts.
        drop(
            file.set_len(0)
                .and_then(|()| file.rewind())
                .and_then(|()| writeln!(file, "{}", std::process::id())),
        );
        Ok(Self { _file: held })
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

    #[test]
    fn a_program_that_was_just_started_does_not_hold_what_it_inherits() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let held = LockedFile::take(file.reopen().unwrap()).unwrap();
        let inherited = held.file.try_clone().unwrap();
        assert!(matches!(LockedFile::take(file.reopen().unwrap()), Err(TryLockError::WouldBlock)));
        drop(held);
        LockedFile::take(file.reopen().unwrap()).unwrap();
        drop(inherited);
    }
}
