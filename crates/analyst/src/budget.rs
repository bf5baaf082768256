//! How many questions there were in the last hour.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

const HOUR: Duration = Duration::from_secs(3_600);

/// So many in any hour.
#[derive(Debug)]
pub(crate) struct Budget {
    most: usize,
    asked: VecDeque<Instant>,
}

impl Budget {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, asked: VecDeque::new() }
    }

    /// Takes one, where there is one left.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        while self.asked.front().is_some_and(|asked| now.duration_since(*asked) >= HOUR) {
            self.asked.pop_front();
        }
        let has_room = self.asked.len() < self.most;
        if has_room {
            self.asked.push_back(now);
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_has_so_many() {
        let begun = Instant::now();
        let at = |minutes: u64| begun + Duration::from_secs(minutes * 60);
        let mut budget = Budget::new(2);
        assert_eq!(
            [0, 10, 59, 60, 61, 70].map(|minutes| budget.take(at(minutes))),
            [true, true, false, true, false, true]
        );
        assert!(!Budget::new(0).take(begun));
    }
}
