//! Tiers: how finely, and for how long, is kept what was measured.

use std::time::Duration;

const SECOND: i64 = 1_000_000_000;
const MINUTE: u64 = 60;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// One tier. Its width, chunk and partition are part of the file's format; for how long it is kept is a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// Its number, in the names of its tables.
    pub number: u8,
    /// Seconds of a bucket.
    pub width_s: u64,
    /// Buckets of a chunk.
    pub buckets: u64,
    /// Chunks of a series in a partition.
    pub chunks: u64,
    /// For how long it is kept.
    pub keep: Duration,
}

impl Tier {
    /// 10 s for 48 h, 1 min for 14 d, 10 min for 90 d, 1 h for 2 years. Partitions of 6 h, 1 d, 9 d, 56 d.
    pub const ALL: [Self; 4] = [
        Self::of(0, 10, 360, 6, 2 * DAY),
        Self::of(1, MINUTE, 360, 4, 14 * DAY),
        Self::of(2, 10 * MINUTE, 432, 3, 90 * DAY),
        Self::of(3, HOUR, 336, 4, 730 * DAY),
    ];

    const fn of(number: u8, width_s: u64, buckets: u64, chunks: u64, keep_s: u64) -> Self {
        Self { number, width_s, buckets, chunks, keep: Duration::from_secs(keep_s) }
    }

    /// Nanoseconds of a bucket.
    pub(crate) fn width(&self) -> i64 {
        self.width_s.cast_signed() * SECOND
    }

    /// The number of the bucket that a moment is in.
    pub(crate) fn bucket(&self, nanos: i64) -> u64 {
        nanos.div_euclid(self.width()).max(0).cast_unsigned()
    }

    /// The beginning of what is kept.
    pub(crate) fn floor(&self, now: i64) -> i64 {
        let keep = i64::try_from(self.keep.as_nanos()).unwrap_or(i64::MAX);
        now.saturating_sub(keep).max(0)
    }

    /// The partition of a chunk of this number.
    pub(crate) fn partition(&self, chunk: u64) -> u64 {
        chunk / self.chunks
    }

    /// The table of a partition.
    pub(crate) fn table(&self, partition: u64) -> String {
        format!("fleet_chunk_{}_{partition}", self.number)
    }

    /// The row of a series' chunk in its partition's table: chunks of a series lie side by side.
    pub(crate) fn row(&self, series: i64, chunk: u64) -> i64 {
        series * self.chunks.cast_signed() + (chunk % self.chunks).cast_signed()
    }
}
