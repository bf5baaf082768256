//! The newest events in memory, for those who watch them come in: each is held once, however many
//! watch, and all together within a bound in bytes. Who falls behind that reads on in the index.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use event::{Analyzed, Position};
use metrics::gauge;
use telemetry::metric;
use tokio::sync::watch;

use crate::page::text_len;

/// What an event takes beside its texts, about.
const EVENT_BYTES: usize = 512;

/// The newest events. Clones share them.
#[derive(Debug, Clone)]
pub struct Live {
    ring: Arc<Mutex<Ring>>,
    end: watch::Sender<Position>,
}

/// All events from `start` to `end`.
#[derive(Debug)]
struct Ring {
    events: VecDeque<Arc<Analyzed<'static>>>,
    bytes: usize,
    bytes_max: usize,
    start: Position,
    end: Position,
    watchers: usize,
}

/// What a [`Watcher`] reads.
#[derive(Debug)]
pub enum Newest {
    /// These events, and the position behind what was looked at: the one asked for when there is nothing.
    Events(Vec<Arc<Analyzed<'static>>>, Position),
    /// They are no longer held; the index has them.
    Gone,
}

fn lock(ring: &Mutex<Ring>) -> MutexGuard<'_, Ring> {
    ring.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Live {
    /// Holds at most about so many bytes of events, and none while nobody watches.
    pub fn new(bytes_max: usize) -> Self {
        let (start, end) = (Position::default(), Position::default());
        let ring = Ring { events: VecDeque::new(), bytes: 0, bytes_max, start, end, watchers: 0 };
        Self { ring: Arc::new(Mutex::new(ring)), end: watch::Sender::new(Position::default()) }
    }

    /// Says where the events that will be given begin.
    pub fn begin(&self, position: Position) {
        let mut ring = lock(&self.ring);
        ring.forget(position);
        drop(ring);
        self.end.send_replace(position);
    }

    /// Gives it events that the index has taken, up to a position.
    pub fn push(&self, events: Vec<Analyzed<'_>>, end: Position) {
        {
            let mut ring = lock(&self.ring);
            if ring.watchers == 0 {
                ring.forget(end);
            } else {
                events.into_iter().for_each(|event| ring.push(event.into_owned()));
                ring.end = end;
                gauge!(metric::LIVE_BYTES).set(ring.bytes as f64);
            }
        }
        self.end.send_replace(end);
    }

    /// Watches from here on.
    pub fn watch(&self) -> Watcher {
        let mut ring = lock(&self.ring);
        ring.watchers += 1;
        Watcher { start: ring.end, live: self.clone(), end: self.end.subscribe() }
    }
}

impl Ring {
    fn forget(&mut self, position: Position) {
        (self.events, self.bytes) = (VecDeque::new(), 0);
        (self.start, self.end) = (position, position);
    }

    fn push(&mut self, event: Analyzed<'static>) {
        self.bytes += size(&event);
        self.events.push_back(Arc::new(event));
        while self.bytes > self.bytes_max
            && let Some(oldest) = self.events.pop_front()
        {
            self.bytes -= size(&oldest);
            self.start = oldest.id.position.next();
        }
    }
}

fn size(event: &Analyzed<'_>) -> usize {
    EVENT_BYTES + text_len(&event.event) + event.verdict.reasons.iter().map(String::len).sum::<usize>()
}

/// Someone who watches events come in. Each reads at its own pace.
#[derive(Debug)]
pub struct Watcher {
    live: Live,
    start: Position,
    end: watch::Receiver<Position>,
}

impl Watcher {
    /// Where it began to watch.
    pub fn start(&self) -> Position {
        self.start
    }

    /// Events from a position on, of about so many bytes.
    pub fn read(&self, from: Position, bytes_max: usize) -> Newest {
        let ring = lock(&self.live.ring);
        if from < ring.start {
            return Newest::Gone;
        }
        let first = ring.events.partition_point(|event| event.id.position < from);
        let (mut events, mut bytes) = (Vec::new(), 0);
        for event in ring.events.iter().skip(first) {
            if bytes >= bytes_max {
                return Newest::Events(events, event.id.position);
            }
            bytes += size(event);
            events.push(Arc::clone(event));
        }
        Newest::Events(events, ring.end.max(from))
    }

    /// Waits until there may be something from a position on; false once nothing more will come.
    pub async fn wait_for(&mut self, from: Position) -> bool {
        self.end.wait_for(|end| *end > from).await.is_ok()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut ring = lock(&self.live.ring);
        ring.watchers -= 1;
        if ring.watchers == 0 {
            let end = ring.end;
            ring.forget(end);
            gauge!(metric::LIVE_BYTES).set(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use event::{Event, EventId, JournalId, Timestamp};

    use super::*;

    fn at(record: u32) -> Position {
        Position { segment: 0, record }
    }

    fn events(records: std::ops::Range<u32>, bytes: usize) -> Vec<Analyzed<'static>> {
        let event = |record| {
            let id = EventId { journal: JournalId(1), position: at(record) };
            Analyzed::unanalyzed(id, Event::new("x".repeat(bytes), Timestamp::MIN))
        };
        records.map(event).collect()
    }

    fn records(newest: &Newest) -> Option<(Vec<u32>, u32)> {
        let Newest::Events(events, end) = newest else { return None };
        Some((events.iter().map(|event| event.id.position.record).collect(), end.record))
    }

    #[test]
    fn it_holds_so_many_bytes_and_only_for_those_who_watch() {
        let live = Live::new(10_000);
        live.begin(at(3));
        live.push(events(3..5, 10), at(5));
        let watcher = live.watch();
        assert_eq!(watcher.start(), at(5));
        assert_eq!(records(&watcher.read(at(5), 100)), Some((vec![], 5)));
        assert_eq!(records(&watcher.read(at(4), 100)), None, "what nobody watched is in the index");

        live.push(events(5..9, 1000), at(9));
        assert_eq!(records(&watcher.read(at(5), 2000)), Some((vec![5, 6], 7)));
        assert_eq!(records(&watcher.read(at(7), usize::MAX)), Some((vec![7, 8], 9)));
        for record in 9..1009 {
            live.push(events(record..record + 1, 1000), at(record + 1));
            assert!(lock(&live.ring).bytes <= 10_000);
        }
        assert_eq!(records(&watcher.read(at(9), 100)), None);
        assert_eq!(records(&watcher.read(at(1007), usize::MAX)), Some((vec![1007, 1008], 1009)));
        live.push(events(1009..1010, 20_000), at(1010));
        assert_eq!(records(&watcher.read(at(1009), usize::MAX)), None, "an event larger than the bound");

        let second = live.watch();
        drop(watcher);
        live.push(events(1010..1011, 10), at(1011));
        assert_eq!(records(&second.read(at(1010), 1)), Some((vec![1010], 1011)));
        drop(second);
        assert_eq!(lock(&live.ring).events.len(), 0);
    }
}
