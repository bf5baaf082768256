//! What waits in the journal for an index that is behind: looked at event by event, in pieces, the
//! newest first, so that memory stays that of a piece however much waits, with what the analysis has said
//! of them. What the budget does not reach is the oldest, and is said.

use std::time::{Duration, Instant};

use event::{Event, EventId, Position, codec};
use index::{IndexError, scan::Scan};
use journal::{Journal, Records};
use telemetry::metric;
use verdicts::Verdicts;

/// Bytes read from the journal at a time.
const READ_BYTES: usize = 1 << 20;
/// Events and bytes that are held and looked at together.
const PIECE_EVENTS: u32 = 20_000;
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

/// Answers a question from the events between two places, as far as the budget reaches.
///
/// # Errors
/// Those of `scan`.
pub(crate) fn look<T>(
    (journal, verdicts): (&Journal, &Verdicts),
    (from, end): (Position, Position),
    budget: Budget,
    scan: impl Fn(&Scan<'_>) -> Result<T, IndexError>,
    merge: impl Fn(T, T) -> T,
) -> Result<Waiting<T>, IndexError> {
    let until = Instant::now() + budget.time;
    let mut look = Look { journal, verdicts, scan, merge, answer: None, looked_at: 0 };
    let mut bytes_left = budget.bytes;
    let mut cut = None;
    for (from, to) in pieces(&journal.segments(), from, end) {
        if bytes_left == 0 || Instant::now() >= until {
            metrics::counter!(metric::SEARCH_TAIL_CUT).increment(1);
            cut = Some(format!(
                "the index is behind; of what it does not have yet the newest {} events are looked at",
                look.looked_at
            ));
            break;
        }
        match look.take(from, to) {
            Ok(bytes) => bytes_left = bytes_left.saturating_sub(bytes),
            Err(Trouble::Index(error)) => return Err(error),
            Err(Trouble::Journal(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the journal's tail cannot be read");
                cut = Some("part of the journal cannot be read; the server's log says why".to_owned());
            }
        }
    }
    let answer = match look.answer {
        Some(answer) => answer,
        None => (look.scan)(&Scan::new())?,
    };
    Ok(Waiting { answer, cut })
}

/// The events of records before a place, with what the analysis has said of them. What cannot be decoded
/// is found once the analysis has made an event of it.
pub(crate) fn events<'r>(
    (journal, verdicts): (&Journal, &Verdicts),
    records: &'r [Records],
    to: Position,
) -> Scan<'r> {
    let identity = journal.identity();
    let all = records.iter().flat_map(Records::iter).take_while(|(position, _)| *position < to);
    let event = |(position, record)| Some((identity.event(position), codec::decode(record).ok()?));
    let events: Vec<(EventId, Event<'_>)> = all.filter_map(event).collect();
    let end = records.last().map_or(to, |last| last.end().min(to));
    Scan::of(verdicts.look(events, end), end)
}

/// Why a piece could not be looked at.
enum Trouble {
    Index(IndexError),
    Journal(journal::ReadError),
}

struct Look<'j, T, S, M> {
    journal: &'j Journal,
    verdicts: &'j Verdicts,
    scan: S,
    merge: M,
    answer: Option<T>,
    looked_at: usize,
}

impl<T, S: Fn(&Scan<'_>) -> Result<T, IndexError>, M: Fn(T, T) -> T> Look<'_, T, S, M> {
    /// Takes the events between two places in; gives their bytes.
    fn take(&mut self, from: Position, to: Position) -> Result<usize, Trouble> {
        let (mut position, mut bytes) = (from, 0);
        while position < to {
            let (mut piece, mut piece_bytes) = (Vec::new(), 0);
            let mut read_on = true;
            while position < to && piece_bytes < PIECE_BYTES && read_on {
                let records = match self.journal.read(position, READ_BYTES) {
                    Ok(records) => records,
                    Err(error) => {
                        self.evaluate(&piece, to)?;
                        return Err(Trouble::Journal(error));
                    }
                };
                let within = records.iter().take_while(|(at, _)| *at < to);
                let (count, read) =
                    within.fold((0, 0), |(count, read), (_, record)| (count + 1, read + record.len()));
                self.looked_at += count;
                piece_bytes += read;
                read_on = records.end() > position;
                position = records.end();
                piece.push(records);
            }
            bytes += piece_bytes;
            self.evaluate(&piece, to)?;
            if !read_on {
                break;
            }
        }
        Ok(bytes)
    }

    /// Answers from a piece.
    fn evaluate(&mut self, piece: &[Records], to: Position) -> Result<(), Trouble> {
        let events = events((self.journal, self.verdicts), piece, to);
        if !events.is_empty() {
            let answer = (self.scan)(&events).map_err(Trouble::Index)?;
            self.answer = Some(match self.answer.take() {
                Some(before) => (self.merge)(before, answer),
                None => answer,
            });
        }
        Ok(())
    }
}

/// The stretches between two places, each within a segment and of so many records at most, the newest
/// first. `segments` are the ends of the segments.
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
        let count = last.saturating_sub(first).div_ceil(PIECE_EVENTS);
        (0..count).map(move |back| {
            let to = last - back * PIECE_EVENTS;
            let at = |record| Position { segment, record };
            (at(to.saturating_sub(PIECE_EVENTS).max(first)), at(to))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(segment: u32, record: u32) -> Position {
        Position { segment, record }
    }

    #[test]
    fn pieces_cover_everything_once_and_begin_with_the_newest() {
        let ends = [at(0, 50_000), at(1, 0), at(3, 45_000)];
        let pieces: Vec<_> = pieces(&ends, at(0, 15_000), at(3, 41_000)).collect();
        let expected = [
            (at(3, 21_000), at(3, 41_000)),
            (at(3, 1_000), at(3, 21_000)),
            (at(3, 0), at(3, 1_000)),
            (at(0, 30_000), at(0, 50_000)),
            (at(0, 15_000), at(0, 30_000)),
        ];
        assert_eq!(pieces, expected);
    }

    #[test]
    fn there_are_no_pieces_of_nothing() {
        assert_eq!(pieces(&[at(2, 7)], at(2, 7), at(2, 7)).count(), 0);
    }
}
