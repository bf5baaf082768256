//! What was read and stands in its file no longer: a copy of it may be seen yet.
//!
//! A file that was truncated is read on, and its position is noted anew with the first lines. Its copy
//! may not be decided about by then. So that a kill does not part the two, a position is noted together with
//! those that the file had shortly before.

use std::{
    collections::{VecDeque, vec_deque},
    time::{Duration, Instant},
};

use metrics::counter;
use telemetry::metric;

use super::position::{FileId, Position};

/// Remembered at least, however few files there are.
const REPLACED_MAX: usize = 64;
/// Remembered for each known file, and noted with its position.
const REPLACED_OF_FILE_MAX: usize = 4;
/// How long a copy of a truncated file may take to be seen before what it lacked counts as lost. It is
/// decided about within this time.
const REPLACED_FOR: Duration = Duration::from_secs(15);

/// Where a file stood that was truncated or is forgotten.
#[derive(Debug)]
pub(super) struct Replaced {
    pub(super) of: FileId,
    pub(super) position: Position,
    /// What was last read of it.
    pub(super) recent: Vec<u8>,
    pub(super) since: Instant,
    /// Bytes that were in it and were not read.
    pub(super) unread: u64,
}

/// The latest of them, oldest first.
#[derive(Debug, Default)]
pub(super) struct AllReplaced(VecDeque<Replaced>);

impl AllReplaced {
    /// Remembers one more; the oldest go when there are too many for so many files.
    pub(super) fn add(&mut self, replaced: Replaced, files: usize) {
        self.0.push_back(replaced);
        if self.0.len() > REPLACED_MAX.max(REPLACED_OF_FILE_MAX * files)
            && let Some(oldest) = self.0.pop_front()
        {
            lost(oldest.unread);
        }
    }

    /// Where a file stood shortly before: what has to be noted with its position, latest first.
    pub(super) fn of(&self, id: FileId, now: Instant) -> impl Iterator<Item = &Position> {
        let late = self.0.iter().rev().take_while(move |replaced| replaced.since + REPLACED_FOR > now);
        late.filter(move |replaced| replaced.of == id)
            .map(|replaced| &replaced.position)
            .take(REPLACED_OF_FILE_MAX)
    }

    /// Gives up what was not read of those whose copies were not seen in time.
    pub(super) fn expire(&mut self, now: Instant) {
        for replaced in self.0.iter_mut().filter(|replaced| replaced.since + REPLACED_FOR < now) {
            lost(std::mem::take(&mut replaced.unread));
        }
    }

    pub(super) fn iter(&self) -> vec_deque::Iter<'_, Replaced> {
        self.0.iter()
    }
}

/// Counts bytes that were seen in a file and were gone before they could be read.
pub(super) fn lost(bytes: u64) {
    if bytes > 0 {
        tracing::warn!(bytes, "a file was deleted or truncated before all of it was read");
        counter!(metric::TAIL_LOST_BYTES).increment(bytes);
    }
}
