//! How many sessions there are, and what became of others.

/// Counters since the start, and sizes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sessions open.
    pub open: u64,
    /// Sessions that have ended.
    pub closed: u64,
    /// Sessions found strange.
    pub strange: u64,
    /// Sessions that ended to make room for others.
    pub evicted: u64,
}
