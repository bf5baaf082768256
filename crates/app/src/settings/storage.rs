//! The group of settings of what is kept, and of how it gets there: the journal, its readers, the embedded index.

use std::{path::Path, time::Duration};

use index::embedded;

use super::value::Reader;

/// Positions of tailed files and answers to idempotency keys that the journal remembers.
const JOURNAL_NOTES_MAX: usize = 32_768;
/// Verdicts in memory that the index lacks.
const VERDICTS_HELD_BYTES: usize = 16 << 20;
/// A commit is due after so many events.
const COMMIT_EVENTS: u64 = 1 << 20;
/// Read from the journal at once.
const READ_BYTES: usize = 4 << 20;

/// What is kept, and where.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    pub journal: journal::Config,
    pub pipeline: pipeline::Config,
    pub verdicts: verdicts::Config,
    pub dead_letters: dead_letter::Config,
    pub embedded: embedded::Config,
    pub retention: Option<Duration>,
}

impl Storage {
    /// `drain` is how long the readers may take at a stop, `live_bytes_max` what they hold for live tails.
    pub(super) fn read(reader: &mut Reader<'_>, data: &Path, drain: Duration, live_bytes_max: usize) -> Self {
        let journal = journal::Config {
            segment_bytes: reader.size("LOG_SENTINEL_JOURNAL_SEGMENT_BYTES", 1 << 20, 4 << 30) as u64,
            budget_bytes: reader.size("LOG_SENTINEL_JOURNAL_BYTES_MAX", 8 << 20, 1 << 50) as u64,
            queue_bytes: reader.size("LOG_SENTINEL_JOURNAL_QUEUE_BYTES", 1 << 20, 64 << 30),
            reserve_bytes: reader.size("LOG_SENTINEL_DISK_RESERVE", 0, 1 << 40) as u64,
            notes_max: JOURNAL_NOTES_MAX,
            ..journal::Config::new(data)
        };
        if journal.segment_bytes.saturating_mul(2) > journal.budget_bytes {
            reader.misfit(
                &["LOG_SENTINEL_JOURNAL_BYTES_MAX", "LOG_SENTINEL_JOURNAL_SEGMENT_BYTES"],
                "LOG_SENTINEL_JOURNAL_BYTES_MAX must hold two segments of LOG_SENTINEL_JOURNAL_SEGMENT_BYTES at least"
                    .to_owned(),
            );
        }
        let pipeline = pipeline::Config {
            read_bytes: READ_BYTES,
            commit_events: COMMIT_EVENTS,
            commit_idle: Duration::from_secs(5),
            commit_interval: Duration::from_secs(30),
            retry: Duration::from_secs(1),
            drain,
            live_bytes_max,
            window_dir: data.join("window"),
        };
        let verdicts = verdicts::Config {
            dir: data.join("verdicts"),
            budget_bytes: reader.size("LOG_SENTINEL_VERDICTS_BYTES_MAX", 1 << 20, 1 << 50) as u64,
            held_bytes_max: VERDICTS_HELD_BYTES,
        };
        let dead_letters = dead_letter::Config {
            dir: data.join("dead_letters"),
            budget_bytes: reader.size("LOG_SENTINEL_DEAD_LETTER_BYTES_MAX", 1 << 20, 1 << 50) as u64,
        };
        let embedded = embedded::Config {
            cache_bytes: reader.size("LOG_SENTINEL_INDEX_CACHE_BYTES", 1 << 20, 64 << 30),
            ..embedded::Config::new(data.join("index"))
        };
        let retention = reader.duration_or_never("LOG_SENTINEL_RETENTION");
        Self { journal, pipeline, verdicts, dead_letters, embedded, retention }
    }
}
