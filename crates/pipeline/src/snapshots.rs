//! The analysis' snapshots on disk: one file for each position at which a start may let it go on.
//!
//! That is the latest one up to which verdicts are there for every reader that is behind: the index's
//! own position when nothing waits for it. The file for a position is written before the index commits
//! that position and others are deleted after it, so that whichever side of a crash the index is on, its
//! file is there. Content and integrity are the anomaly service's business.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use event::{JournalId, Position};

use crate::error::PipelineError;

/// The folder that holds them.
pub(crate) struct Snapshots {
    dir: PathBuf,
    journal: JournalId,
}

impl Snapshots {
    pub(crate) fn open(dir: &Path, journal: JournalId) -> Result<Self, PipelineError> {
        disk::create_dir_all(dir).map_err(|source| failed(dir, source))?;
        Ok(Self { dir: dir.to_owned(), journal })
    }

    fn path(&self, position: Position) -> PathBuf {
        self.dir.join(format!("{}-{:08x}-{:08x}", self.journal, position.segment, position.record))
    }

    /// The snapshot of this position; where that could not be saved, the latest one from before it. Says which
    /// position it is of.
    pub(crate) fn load(&self, position: Position) -> Result<Option<(Position, Vec<u8>)>, PipelineError> {
        let Some(position) = self.positions()?.into_iter().filter(|saved| *saved <= position).max() else {
            return Ok(None);
        };
        let path = self.path(position);
        fs::read(&path).map(|bytes| Some((position, bytes))).map_err(|source| failed(&path, source))
    }

    /// The positions whose snapshots are there.
    fn positions(&self) -> Result<Vec<Position>, PipelineError> {
        let journal = self.journal.to_string();
        let position = |name: &str| {
            let (segment, record) = name.strip_prefix(&journal)?.strip_prefix('-')?.split_once('-')?;
            let number = |text: &str| u32::from_str_radix(text, 16).ok();
            Some(Position { segment: number(segment)?, record: number(record)? })
        };
        let entries = fs::read_dir(&self.dir).map_err(|source| failed(&self.dir, source))?;
        Ok(entries.flatten().filter_map(|entry| position(entry.file_name().to_str()?)).collect())
    }

    pub(crate) fn save(&self, position: Position, snapshot: &[u8]) -> Result<(), PipelineError> {
        let path = self.path(position);
        disk::replace(&path, snapshot).map_err(|source| failed(&path, source))
    }

    /// Deletes snapshots that no start can need any more: all but the latest one, and the latest from
    /// which a start could go on that reaches up to `reach`. What cannot be deleted only takes room
    /// until the next time.
    pub(crate) fn keep_for(&self, reach: Position) {
        let Ok(positions) = self.positions() else { return };
        let latest = positions.iter().copied().max();
        let needed = positions.iter().copied().filter(|saved| *saved <= reach).max();
        let keep: Vec<PathBuf> = [latest, needed].into_iter().flatten().map(|at| self.path(at)).collect();
        let Ok(entries) = fs::read_dir(&self.dir) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_file() && !keep.contains(&path) {
                drop(fs::remove_file(path));
            }
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
    fn the_snapshot_of_either_side_of_a_commit_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let files = Snapshots::open(dir.path(), JournalId(7)).unwrap();
        let (old, new) = (Position { segment: 0, record: 5 }, Position { segment: 1, record: 2 });
        assert_eq!(files.load(old).unwrap(), None);
        files.save(old, b"old").unwrap();
        files.save(new, b"new").unwrap();
        assert_eq!(files.load(old).unwrap(), Some((old, b"old".to_vec())));
        assert_eq!(files.load(new).unwrap(), Some((new, b"new".to_vec())));
        std::fs::create_dir(dir.path().join("strange")).unwrap();
        files.keep_for(old);
        assert_eq!(files.load(old).unwrap(), Some((old, b"old".to_vec())), "the index may be there yet");
        files.keep_for(new);
        assert_eq!(files.load(old).unwrap(), None);
        assert_eq!(files.load(new).unwrap(), Some((new, b"new".to_vec())));
    }

    #[test]
    fn a_snapshot_that_could_not_be_saved_is_made_up_for_by_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let files = Snapshots::open(dir.path(), JournalId(7)).unwrap();
        let (old, new) = (Position { segment: 3, record: 5 }, Position { segment: 4, record: 2 });
        files.save(old, b"old").unwrap();
        assert_eq!(files.load(new).unwrap(), Some((old, b"old".to_vec())));
        let other = Snapshots::open(dir.path(), JournalId(8)).unwrap();
        assert_eq!(other.load(new).unwrap(), None, "another journal's says nothing");
    }
}
