//! Events of lost index files, taken from the journal again as far as it still has them.
//!
//! They are stored without a verdict: the analysis has learned from them once and goes on where it stands.

use event::Batch;
use index::{Index, IndexError, JournalRange};
use journal::Journal;
use telemetry::{ledger, task::Stop};
use tracing::{error, warn};

use crate::records::decode;

/// Looks for the events of every lost file once. What fails is tried again at the next start.
pub(crate) async fn refill(journal: &Journal, index: &dyn Index, read_bytes: usize, stop: &Stop) {
    for lost in index.lost_files() {
        let mut found = 0;
        let identity = journal.identity();
        for range in lost.ranges.iter().filter(|range| identity.at(range.start) == range.journal) {
            match restore(journal, index, range, read_bytes, stop).await {
                Ok(Some(events)) => found += events,
                Ok(None) => return,
                Err(error) => return failed(lost.number, &error),
            }
        }
        // Counted as if they had just been found unindexed.
        ledger::received(found);
        ledger::stored(found);
        if let Err(error) = index.restored(lost.number, found).await {
            return failed(lost.number, &error);
        }
        warn!(
            file = lost.number,
            restored = found,
            lost = lost.events.saturating_sub(found),
            "an index file is lost; what the journal still had of its events was stored again, without scores"
        );
    }
}

fn failed(file: u64, error: &IndexError) {
    error!(
        file,
        error = error as &dyn std::error::Error,
        "the events of a lost index file cannot be stored again"
    );
}

/// Restores the events of a range; None when it was told to stop or the journal cannot be read.
async fn restore(
    journal: &Journal,
    index: &dyn Index,
    range: &JournalRange,
    read_bytes: usize,
    stop: &Stop,
) -> Result<Option<u64>, IndexError> {
    let (mut position, mut found) = (range.start, 0);
    while position < range.end {
        let records = match journal.read(position, read_bytes) {
            Ok(records) if !stop.is_cancelled() => records,
            Ok(_) => return Ok(None),
            Err(failure) => {
                error!(error = &failure as &dyn std::error::Error, "the journal could not be read");
                return Ok(None);
            }
        };
        let wanted = records.iter().filter(|(at, _)| (range.start..range.end).contains(at));
        let batch = Batch {
            events: wanted
                .map(|(at, record)| verdicts::unscored(journal.identity().event(at), decode(record)))
                .collect(),
            variables: Vec::new(),
            end: records.end().min(range.end),
        };
        found += batch.events.len() as u64;
        if !batch.events.is_empty() {
            index.restore(&batch).await?;
        }
        if records.end() <= position {
            break;
        }
        position = records.end();
    }
    Ok(Some(found))
}
