//! What was decoded of the journal for one question, kept for the next ones as long as the index lacks it.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use event::Position;
use telemetry::metric;

use crate::piece::{Piece, Said};

/// Pieces of the journal, by where they begin. None overlaps another.
#[derive(Debug)]
pub(crate) struct Kept {
    pieces: Mutex<Pieces>,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct Pieces {
    by_start: BTreeMap<Position, Known>,
    bytes: usize,
}

/// A piece, and what was said of it as far as verdicts reached then.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) piece: Arc<Piece>,
    pub(crate) said: Arc<Said>,
    /// Of which of its events something was said.
    pub(crate) reached: Vec<Range<Position>>,
    size_bytes: usize,
}

impl Known {
    pub(crate) fn new(piece: Arc<Piece>, said: Arc<Said>, reached: Vec<Range<Position>>) -> Self {
        let size_bytes = size_of::<Self>()
            + piece.size_bytes()
            + said.size_bytes()
            + reached.capacity() * size_of::<Range<Position>>();
        Self { piece, said, reached, size_bytes }
    }
}

impl Kept {
    /// At most so many bytes; without any, nothing is kept.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { pieces: Mutex::default(), bytes_max }
    }

    fn lock(&self) -> MutexGuard<'_, Pieces> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The piece that has the event at a place, or ends just before it.
    pub(crate) fn at(&self, place: Position) -> Option<Known> {
        let pieces = self.lock();
        let (_, known) = pieces.by_start.range(..=place).next_back()?;
        (known.piece.start().segment == place.segment && known.piece.end() >= place).then(|| known.clone())
    }

    /// Keeps a piece instead of those that it overlaps, unless one of them reaches further. The oldest go first when
    /// there is too much, for the index comes to them first, and questions last.
    pub(crate) fn keep(&self, known: Known) {
        let (start, end) = (known.piece.start(), known.piece.end());
        if end <= start || known.size_bytes > self.bytes_max {
            return;
        }
        let mut pieces = self.lock();
        let before = pieces.by_start.range(..end);
        let overlapped: Vec<_> = before
            .rev()
            .take_while(|(_, other)| other.piece.end() > start)
            .map(|(at, other)| (*at, other.piece.end()))
            .collect();
        if overlapped.iter().any(|(_, other)| *other > end) {
            return;
        }
        overlapped.iter().for_each(|(at, _)| pieces.remove(*at));
        pieces.bytes += known.size_bytes;
        pieces.by_start.insert(start, known);
        while pieces.bytes > self.bytes_max
            && let Some((oldest, _)) = pieces.by_start.first_key_value()
        {
            let oldest = *oldest;
            pieces.remove(oldest);
        }
        pieces.export();
    }

    /// Lets go of what lies before a place: the index has it.
    pub(crate) fn passed(&self, place: Position) {
        let mut pieces = self.lock();
        while let Some((start, known)) = pieces.by_start.first_key_value()
            && known.piece.end() <= place
        {
            let start = *start;
            pieces.remove(start);
        }
        pieces.export();
    }
}

impl Pieces {
    fn remove(&mut self, start: Position) {
        if let Some(known) = self.by_start.remove(&start) {
            self.bytes -= known.size_bytes;
        }
    }

    fn export(&self) {
        metrics::gauge!(metric::SEARCH_KEPT_BYTES).set(self.bytes as f64);
    }
}

#[cfg(test)]
mod tests {
    use event::{Event, Timestamp};

    use super::*;

    fn at(record: u32) -> Position {
        Position { segment: 1, record }
    }

    /// A piece with the events between two places.
    fn known(start: u32, end: u32) -> Known {
        let mut piece = Piece::begin(at(start));
        let event = Event::new("a message of some length", Timestamp::MIN);
        (start..end).for_each(|record| piece.push(at(record), &event, 40));
        piece.reach(at(end));
        Known::new(Arc::new(piece), Arc::default(), vec![])
    }

    fn found(kept: &Kept, place: Position) -> Option<(u32, u32)> {
        kept.at(place).map(|known| (known.piece.start().record, known.piece.end().record))
    }

    #[test]
    fn a_piece_is_found_from_its_beginning_to_its_end_and_makes_way_for_a_longer_one() {
        let kept = Kept::new(1 << 20);
        kept.keep(known(10, 20));
        kept.keep(known(20, 20));
        for (record, expected) in [(9, None), (10, Some((10, 20))), (20, Some((10, 20))), (21, None)] {
            assert_eq!(found(&kept, at(record)), expected, "{record}");
        }
        assert_eq!(found(&kept, Position { segment: 2, record: 15 }), None);
        kept.keep(known(10, 30));
        kept.keep(known(10, 25));
        assert_eq!(found(&kept, at(25)), Some((10, 30)), "one asker may be behind another");
        kept.keep(known(5, 30));
        assert_eq!((found(&kept, at(25)), kept.lock().by_start.len()), (Some((5, 30)), 1));
    }

    #[test]
    fn what_the_index_has_goes_and_the_oldest_where_there_is_too_much() {
        let size = known(0, 10).size_bytes;
        let kept = Kept::new(3 * size + size / 2);
        (0..5).for_each(|number| kept.keep(known(number * 10, number * 10 + 10)));
        assert_eq!(kept.lock().bytes, 3 * size);
        assert_eq!((found(&kept, at(15)), found(&kept, at(25))), (None, Some((20, 30))));
        kept.keep(known(0, 10));
        assert_eq!(found(&kept, at(5)), None, "older than all that there is room for");
        kept.passed(at(35));
        assert_eq!((found(&kept, at(25)), found(&kept, at(35))), (None, Some((30, 40))));
        kept.passed(at(100));
        assert_eq!(kept.lock().bytes, 0);
        let none = Kept::new(size - 1);
        none.keep(known(0, 10));
        assert_eq!(found(&none, at(0)), None);
    }
}
