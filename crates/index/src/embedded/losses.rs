//! What of the index is known to be destroyed.

use std::path::PathBuf;

use event::Timestamp;

use crate::{JournalRange, Losses, LostFile};

/// Reasons that are told in full.
const REASONS_MAX: usize = 8;

/// A file or a part of one whose events are not found.
#[derive(Debug, Clone)]
pub(super) struct Loss {
    pub(super) path: PathBuf,
    pub(super) what: String,
    /// None when nobody knows.
    pub(super) events: Option<u64>,
    /// First and last time stamp; the range is empty where no event is known to be lost.
    pub(super) times: (i64, i64),
    /// The file's number and where its events came from, until they were looked for there.
    pub(super) file: Option<(u64, Vec<JournalRange>)>,
}

impl Loss {
    fn overlaps(&self, from: i64, to: i64) -> bool {
        self.times.0 < to && self.times.1 >= from
    }

    fn describe(&self) -> String {
        let time = |nanos| Timestamp::from_nanos(nanos).unwrap_or_default();
        let lost = match self.events {
            Some(0) => return format!("{}: {}", self.path.display(), self.what),
            Some(events) => {
                format!("{events} events of {} to {}", time(self.times.0), time(self.times.1))
            }
            None => "its events".to_owned(),
        };
        format!("{}: {}; {lost} are not found", self.path.display(), self.what)
    }
}

/// Sums up the losses of a time range.
pub(super) fn sum(losses: &[Loss], from: Option<Timestamp>, to: Option<Timestamp>) -> Losses {
    let (from, to) = (from.map_or(i64::MIN, Timestamp::as_nanos), to.map(Timestamp::as_nanos));
    // `to` is exclusive, and without it a time stamp at the very end counts too.
    let met: Vec<&Loss> = losses.iter().filter(|loss| loss.overlaps(from, to.unwrap_or(i64::MAX))).collect();
    Losses {
        places: met.len() as u64,
        events: met.iter().filter_map(|loss| loss.events).sum(),
        reasons: met.iter().take(REASONS_MAX).map(|loss| loss.describe()).collect(),
    }
}

/// The lost files whose events may be had from a journal.
pub(super) fn files(losses: &[Loss]) -> Vec<LostFile> {
    let file = |loss: &Loss| {
        let (number, ranges) = loss.file.clone()?;
        Some(LostFile { number, events: loss.events.unwrap_or_default(), ranges })
    };
    losses.iter().filter_map(file).collect()
}

/// So many events of a lost file were taken in again.
pub(super) fn restored(losses: &mut Vec<Loss>, file: u64, events: u64) {
    for loss in losses.iter_mut() {
        if loss.file.as_ref().is_some_and(|(number, _)| *number == file) {
            loss.file = None;
            loss.events = loss.events.map(|lost| lost.saturating_sub(events));
        }
    }
    losses.retain(|loss| loss.events != Some(0) || loss.times.0 > loss.times.1);
}
