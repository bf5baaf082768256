//! The analysis' window on disk: one file for each position that the index may turn out to stand at.
//!
//! The file for a position is written before the index commits that position and the others are
//! deleted after it, so that whichever side of a crash the index is on, its file is there. Content
//! and integrity are the anomaly service's business.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use event::{JournalId, Position};

use crate::PipelineError;

pub(crate) struct WindowFiles {
    dir: PathBuf,
    journal: JournalId,
}

impl WindowFiles {
    pub(crate) fn open(dir: &Path, journal: JournalId) -> Result<Self, PipelineError> {
        fs::create_dir_all(dir).map_err(|source| failed(dir, source))?;
        Ok(Self { dir: dir.to_owned(), journal })
    }

    fn path(&self, position: Position) -> PathBuf {
        self.dir.join(format!("{}-{:08x}-{:08x}", self.journal, position.segment, position.record))
    }

    pub(crate) fn load(&self, position: Position) -> Result<Option<Vec<u8>>, PipelineError> {
        let path = self.path(position);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&path, error)),
        }
    }

    pub(crate) fn save(&self, position: Position, snapshot: &[u8]) -> Result<(), PipelineError> {
        let path = self.path(position);
        let temporary = self.dir.join("unfinished");
        let write = || {
            let mut file = File::create(&temporary)?;
            file.write_all(snapshot)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)?;
            File::open(&self.dir)?.sync_all()
        };
        write().map_err(|source| {
            drop(fs::remove_file(&temporary));
            failed(&path, source)
        })
    }

    /// Deletes the other windows. What cannot be deleted only takes room until the next time.
    pub(crate) fn keep_only(&self, position: Position) {
        let keep = self.path(position);
        let Ok(entries) = fs::read_dir(&self.dir) else { return };
        for path in entries.flatten().map(|entry| entry.path()).filter(|path| *path != keep && path.is_file())
        {
            drop(fs::remove_file(path));
        }
    }
}

fn failed(path: &Path, source: io::Error) -> PipelineError {
    PipelineError::Window { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_of_either_side_of_a_commit_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let files = WindowFiles::open(dir.path(), JournalId(7)).unwrap();
        let (old, new) = (Position { segment: 0, record: 5 }, Position { segment: 1, record: 2 });
        assert_eq!(files.load(old).unwrap(), None);
        files.save(old, b"old").unwrap();
        files.save(new, b"new").unwrap();
        assert_eq!(files.load(old).unwrap().as_deref(), Some(&b"old"[..]));
        assert_eq!(files.load(new).unwrap().as_deref(), Some(&b"new"[..]));
        std::fs::create_dir(dir.path().join("strange")).unwrap();
        files.keep_only(new);
        assert_eq!(files.load(old).unwrap(), None);
        assert_eq!(files.load(new).unwrap().as_deref(), Some(&b"new"[..]));
    }
}
