//! What waits in the journal for an index that is behind: looked at event by event, in pieces, the
//! newest first, with what the analysis has said of them. What was decoded for one question is kept for the next,
//! within a bound; beyond it memory stays that of a piece however much waits. What the budget does not reach is the
//! oldest, and is said.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use event::{Event, EventId, Position, codec};
use index::{
    IndexError,
    scan::{Events, Scan},
};
use journal::{Identity, Journal, Records};
use telemetry::metric;
use verdicts::Verdicts;

use crate::{
    kept::{Kept, Known},
    piece::{Part, Piece},
};

/// Events that a question looks at together.
pub(crate) type Tail<'t> = Scan<&'t dyn Events>;

/// Bytes read from the journal at a time.
const READ_BYTES: usize = 1 << 20;
/// Events and bytes that are held and looked at together.
const PIECE_EVENTS: u32 = 1 << 14;
const PIECE_BYTES: usize = 8 << 20;

/// How much of it a question looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    /// Bytes of the journal.
    pub(crate) bytes: usize,
    /// Time.
    pub(crate) time: Duration,
}

/// An answer from what was looked at, and why that is not everything.
pub(crate) struct Waiting<T> {
    pub(crate) answer: T,
    pub(crate) cut: Option<String>,
}

/// Where what waits is read.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) journal: Journal,
    pub(crate) verdicts: Verdicts,
    pub(crate) kept: Arc<Kept>,
}

/// Answers a question from the events between two places, as far as the budget reaches.
///
/// # Errors
/// Those of `scan`.
pub(crate) fn look<T>(
    sources: &Sources,
    (from, end): (Position, Position),
    budget: Budget,
    scan: impl Fn(&Tail<'_>) -> Result<T, IndexError>,
    merge: impl Fn(T, T) -> T,
) -> Result<Waiting<T>, IndexError> {
    let until = Instant::now() + budget.time;
    let identity = sources.journal.identity();
    let mut look = Look { sources, identity, scan, merge, answer: None, looked_at: 0, bytes: 0 };
    let mut cut = None;
    for (from, to) in pieces(&sources.journal.segments(), from, end) {
        if look.bytes >= budget.bytes || Instant::now() >= until {
            metrics::counter!(metric::SEARCH_TAIL_CUT).increment(1);
            cut = Some(format!(
                "the index is behind; of what it does not have yet the newest {} events are looked at",
                look.looked_at
            ));
            break;
        }
        match look.take(from, to) {
            Ok(()) => {}
            Err(Trouble::Index(error)) => return Err(error),
            Err(Trouble::Journal(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the journal's tail cannot be read");
                cut = Some("part of the journal cannot be read; the server's log says why".to_owned());
            }
        }
    }
    let answer = match look.answer {
        Some(answer) => answer,
        None => (look.scan)(&nothing())?,
    };
    Ok(Waiting { answer, cut })
}

/// No events at all.
pub(crate) fn nothing() -> Tail<'static> {
    static NONE: Vec<event::Analyzed<'static>> = Vec::new();
    Scan::of(&NONE, Position::default())
}

/// The events of records, with what the analysis has said of them. What cannot be decoded
/// is found once the analysis has made an event of it.
pub(crate) fn events<'r>(
    (journal, verdicts): (&Journal, &Verdicts),
    records: &'r Records,
) -> Scan<Vec<event::Analyzed<'r>>> {
    let identity = journal.identity();
    let event = |(position, record)| Some((identity.event(position), codec::decode(record).ok()?));
    let events: Vec<(EventId, Event<'_>)> = records.iter().filter_map(event).collect();
    Scan::of(verdicts.look(events, records.end()), records.end())
}

/// Why a piece could not be looked at.
enum Trouble {
    Index(IndexError),
    Journal(journal::ReadError),
}

struct Look<'j, T, S, M> {
    sources: &'j Sources,
    identity: Identity,
    scan: S,
    merge: M,
    answer: Option<T>,
    looked_at: usize,
    /// Of the records looked at.
    bytes: usize,
}

impl<T, S: Fn(&Tail<'_>) -> Result<T, IndexError>, M: Fn(T, T) -> T> Look<'_, T, S, M> {
    /// Takes the events between two places of a piece in.
    fn take(&mut self, from: Position, to: Position) -> Result<(), Trouble> {
        let known =
            self.sources.kept.at(from).filter(|known| piece_of(known.piece.start()) == piece_of(from));
        let mut piece =
            known.as_ref().map_or_else(|| Arc::new(Piece::begin(from)), |known| known.piece.clone());
        let (start, mut failure) = (piece.start(), None);
        while piece.end() < to && failure.is_none() {
            if piece.bytes() >= PIECE_BYTES {
                self.evaluate(&self.said(piece.clone(), None), (from, to))?;
                piece = Arc::new(Piece::begin(piece.end()));
            }
            let (at, longer) = (piece.end(), Arc::make_mut(&mut piece));
            failure = self.read_on(longer, to).err();
            if longer.end() == at {
                break;
            }
            if longer.end().record.is_multiple_of(PIECE_EVENTS) {
                longer.tighten();
            }
        }
        let known = self.said(piece, known);
        self.evaluate(&known, (from, to))?;
        if known.piece.start() == start {
            self.sources.kept.keep(known);
        }
        failure.map_or(Ok(()), |failure| Err(Trouble::Journal(failure)))
    }

    /// Adds the events of one read to a piece, of those before a place.
    fn read_on(&self, piece: &mut Piece, to: Position) -> Result<(), journal::ReadError> {
        let records = self.sources.journal.read(piece.end(), READ_BYTES)?;
        for (position, record) in records.iter().take_while(|(at, _)| *at < to) {
            if let Ok(event) = codec::decode(record) {
                piece.push(position, &event, record.len());
            }
        }
        piece.reach(records.end().min(to));
        Ok(())
    }

    /// A piece with what was said of it; nothing is read again of what is known already.
    fn said(&self, piece: Arc<Piece>, known: Option<Known>) -> Known {
        let reached = self.sources.verdicts.reach(piece.start(), piece.end());
        match known.filter(|known| known.piece.start() == piece.start() && known.reached == reached) {
            Some(known) if Arc::ptr_eq(&known.piece, &piece) => known,
            Some(known) => Known::new(piece, known.said, reached),
            None if reached.is_empty() => Known::new(piece, Arc::default(), reached),
            None => {
                let said = piece.said(&self.sources.verdicts, &self.identity);
                Known::new(piece, Arc::new(said), reached)
            }
        }
    }

    /// Answers from the events of a piece between two places.
    fn evaluate(&mut self, known: &Known, (from, to): (Position, Position)) -> Result<(), Trouble> {
        let Known { piece, said, .. } = known;
        let part = Part { piece, said, identity: &self.identity, rows: piece.between(from, to) };
        let count = part.count();
        if count == 0 {
            return Ok(());
        }
        self.looked_at += count;
        self.bytes += piece.bytes() * count / piece.len();
        let covered = piece.end().min(to);
        let answer = (self.scan)(&Scan::of(&part, covered)).map_err(Trouble::Index)?;
        self.answer = Some(match self.answer.take() {
            Some(before) => (self.merge)(before, answer),
            None => answer,
        });
        Ok(())
    }
}

/// The stretches between two places, each within a piece, the newest first. `segments` are the ends of the segments.
fn pieces(
    segments: &[Position],
    from: Position,
    end: Position,
) -> impl Iterator<Item = (Position, Position)> {
    let within = segments.iter().rev().copied().filter(move |last| last.segment >= from.segment);
    within.filter(move |last| last.segment <= end.segment).flat_map(move |last| {
        let segment = last.segment;
        let first = if segment == from.segment { from.record } else { 0 };
        let last = if segment == end.segment { end.record } else { last.record };
        let at = move |record| Position { segment, record };
        let numbers = if first < last { first / PIECE_EVENTS..last.div_ceil(PIECE_EVENTS) } else { 0..0 };
        numbers.rev().map(move |number| {
            let start = number * PIECE_EVENTS;
            (at(start.max(first)), at(start.saturating_add(PIECE_EVENTS).min(last)))
        })
    })
}

/// Which piece of the journal an event belongs to: where pieces begin and end does not depend on who asks.
fn piece_of(place: Position) -> (u32, u32) {
    (place.segment, place.record / PIECE_EVENTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(segment: u32, record: u32) -> Position {
        Position { segment, record }
    }

    #[test]
    fn pieces_cover_everything_once_and_begin_with_the_newest() {
        let ends = [at(0, 2 * PIECE_EVENTS), at(1, 0), at(3, 45_000)];
        let pieces: Vec<_> = pieces(&ends, at(0, 15_000), at(3, 33_000)).collect();
        let expected = [
            (at(3, 2 * PIECE_EVENTS), at(3, 33_000)),
            (at(3, PIECE_EVENTS), at(3, 2 * PIECE_EVENTS)),
            (at(3, 0), at(3, PIECE_EVENTS)),
            (at(0, PIECE_EVENTS), at(0, 2 * PIECE_EVENTS)),
            (at(0, 15_000), at(0, PIECE_EVENTS)),
        ];
        assert_eq!(pieces, expected);
    }

    #[test]
    fn there_are_no_pieces_of_nothing() {
        assert_eq!(pieces(&[at(2, 7)], at(2, 7), at(2, 7)).count(), 0);
    }
}
