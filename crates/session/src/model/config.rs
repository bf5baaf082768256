//! What may be set, and what takes part.

/// How sessions are learned. The defaults serve all logs.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// A relation holds in at least this share of the sessions that it speaks of, 0.5 to 1.
    pub hold: f64,
    /// Largest share of the training sessions that may be hidden anomalies, 0 to 0.5. Relations are
    /// taken more strictly until no more than these break one.
    pub hidden_max: f64,
    /// Share of ordinary sessions whose counts alone may be called strange, 0 to 0.5.
    pub novel_max: f64,
    /// Different events that are told apart; further ones count as one.
    pub events_max: usize,
    /// Different count vectors that are kept, those with most support.
    pub vectors_max: usize,
    /// Events of different sessions kept to learn orders from, four bytes each. Of more, a part of the
    /// sessions is taken by their content.
    pub order_events_max: usize,
    /// What takes part; for measuring what each part adds.
    pub parts: Parts,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hold: 0.95,
            hidden_max: 0.06,
            novel_max: 0.002,
            events_max: 16_384,
            vectors_max: 4_096,
            order_events_max: 4_000_000,
            parts: Parts::default(),
        }
    }
}

/// What takes part in a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// Distance from the nearest normal count vector.
    pub novelty: bool,
    /// Broken relations.
    pub relations: bool,
    /// Broken orders and unseen transitions.
    pub order: bool,
    /// Setting training sessions aside before anything counts as normal.
    pub cleaning: bool,
    /// Taking rare ways of working back.
    pub modes: bool,
    /// The isolation forest.
    pub forest: bool,
}

impl Default for Parts {
    fn default() -> Self {
        Self { novelty: true, relations: true, order: true, cleaning: true, modes: true, forest: true }
    }
}
