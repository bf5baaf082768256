//! What was learned of processes and no longer had room.

/// How much of what was learned of hosts' processes was given up because there was too much of it.
#[derive(Debug, Default)]
pub(crate) struct GivenUp {
    /// Pairs of a program and what it starts.
    pub(super) pairs: u64,
    /// Programs with what they take.
    pub(super) programs: u64,
    /// Habits of starts.
    pub(super) habits: u64,
    /// Things that are told once, and from now on each time.
    pub(super) things: u64,
}

impl GivenUp {
    /// Counts it where everybody sees it.
    pub(crate) fn told(&self) {
        let all = [
            ("pairs", self.pairs),
            ("programs", self.programs),
            ("habits", self.habits),
            ("things", self.things),
        ];
        for (of, number) in all {
            metrics::counter!(telemetry::metric::PROCESS_LEARNED_GIVEN_UP, "of" => of).increment(number);
        }
    }
}
