//! How far everything is acknowledged.

use std::collections::VecDeque;

use event::Position;

/// Batches in order, each with the number of events not yet done. What is acknowledged ends where
/// the first unfinished batch begins, whatever is done behind it.
#[derive(Debug, Default)]
pub(super) struct Progress {
    unfinished: VecDeque<Pending>,
    /// The number of the first of them.
    first: u64,
    acknowledged: Position,
}

#[derive(Debug)]
struct Pending {
    end: Position,
    left: usize,
}

impl Progress {
    /// Starts at a position, with nothing under way.
    pub(super) fn start(&mut self, position: Position) {
        self.acknowledged = position;
    }

    /// A batch has been taken over; gives its number.
    pub(super) fn begin(&mut self, end: Position, events: usize) -> u64 {
        let number = self.first + self.unfinished.len() as u64;
        self.unfinished.push_back(Pending { end, left: events });
        self.advance();
        number
    }

    /// Events of a batch are done.
    pub(super) fn done(&mut self, number: u64, events: usize) {
        let at = number.checked_sub(self.first).and_then(|at| usize::try_from(at).ok());
        if let Some(pending) = at.and_then(|at| self.unfinished.get_mut(at)) {
            debug_assert!(pending.left >= events, "each event is done once");
            pending.left = pending.left.saturating_sub(events);
        }
        self.advance();
    }

    fn advance(&mut self) {
        while let Some(front) = self.unfinished.front().filter(|front| front.left == 0) {
            self.acknowledged = self.acknowledged.max(front.end);
            self.unfinished.pop_front();
            self.first += 1;
        }
    }

    /// Everything before it is done.
    pub(super) fn acknowledged(&self) -> Position {
        self.acknowledged
    }

    /// Batches not yet done, and those done behind one that is not.
    pub(super) fn unfinished(&self) -> usize {
        self.unfinished.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(record: u32) -> Position {
        Position { segment: 0, record }
    }

    #[test]
    fn it_moves_over_finished_batches_only_and_in_order() {
        let mut progress = Progress::default();
        progress.start(at(10));
        let (a, b, c) = (progress.begin(at(12), 2), progress.begin(at(13), 1), progress.begin(at(15), 2));
        assert_eq!(progress.acknowledged(), at(10));
        progress.done(b, 1);
        progress.done(c, 1);
        progress.done(a, 1);
        assert_eq!(progress.acknowledged(), at(10), "one event of the first is missing");
        progress.done(a, 1);
        assert_eq!(progress.acknowledged(), at(13));
        let d = progress.begin(at(16), 0);
        assert_eq!(progress.acknowledged(), at(13), "an empty batch waits for those before it");
        progress.done(c, 1);
        assert_eq!((progress.acknowledged(), progress.unfinished()), (at(16), 0));
        progress.done(d, 0);
        assert_eq!(progress.acknowledged(), at(16));
    }
}
