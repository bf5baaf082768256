//! What waits for a worker or is under way, bounded in bytes.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use event::Position;
use tokio::sync::{Notify, watch};

use super::{bulk::Entry, progress::Progress};

/// Batches that may be under way, finished ones behind an unfinished one included.
const BATCHES_MAX: usize = 1 << 16;

#[derive(Debug)]
pub(super) struct Queue {
    held_bytes_max: usize,
    state: Mutex<State>,
    /// Something waits, or another worker may take it.
    work: Notify,
    /// Something is done.
    room: Notify,
    acknowledged: watch::Sender<Position>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Entry>,
    /// Entries that wait or are under way, and their bytes.
    held: usize,
    held_bytes: usize,
    /// Workers that have something to do.
    active: usize,
    progress: Progress,
}

/// How much is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) events: usize,
    pub(super) bytes: usize,
}

impl Queue {
    pub(super) fn new(held_bytes_max: usize) -> Self {
        Self {
            held_bytes_max,
            state: Mutex::default(),
            work: Notify::new(),
            room: Notify::new(),
            acknowledged: watch::Sender::new(Position::default()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything before this position is done already.
    pub(super) fn start(&self, position: Position) {
        self.lock().progress.start(position);
        self.publish();
    }

    pub(super) fn acknowledged(&self) -> Position {
        *self.acknowledged.borrow()
    }

    pub(super) fn watch(&self) -> watch::Receiver<Position> {
        self.acknowledged.subscribe()
    }

    pub(super) fn held(&self) -> Held {
        let state = self.lock();
        Held { events: state.held, bytes: state.held_bytes }
    }

    /// Waits until there is room for anything at all.
    pub(super) async fn room(&self) {
        loop {
            let room = self.room.notified();
            if self.lock().has_room(0, self.held_bytes_max) {
                return;
            }
            room.await;
        }
    }

    /// Takes a whole batch, once there is room for it.
    pub(super) async fn push(&self, end: Position, mut entries: Vec<Entry>) {
        let bytes = entries.iter().map(Entry::held_bytes).sum();
        loop {
            let room = self.room.notified();
            if self.try_push(end, &mut entries, bytes) {
                break;
            }
            room.await;
        }
        self.publish();
        self.work.notify_waiters();
    }

    fn try_push(&self, end: Position, entries: &mut Vec<Entry>, bytes: usize) -> bool {
        let mut state = self.lock();
        if !state.has_room(bytes, self.held_bytes_max) {
            return false;
        }
        let batch = state.progress.begin(end, entries.len());
        state.held += entries.len();
        state.held_bytes += bytes;
        state.waiting.extend(entries.drain(..).map(|entry| Entry { batch, ..entry }));
        true
    }

    /// Waits for something to do: entries of about so many bytes, at least one. `pace` gives bytes
    /// and how many may be at work; whoever takes something calls [`Queue::finished`] afterwards.
    pub(super) async fn take(&self, pace: impl Fn() -> (usize, usize)) -> Vec<Entry> {
        loop {
            let work = self.work.notified();
            let (bytes, concurrency) = pace();
            let taken = self.lock().take(bytes, concurrency);
            if !taken.is_empty() {
                return taken;
            }
            work.await;
        }
    }

    /// A worker is free again.
    pub(super) fn finished(&self) {
        let mut state = self.lock();
        state.active = state.active.saturating_sub(1);
        drop(state);
        self.work.notify_waiters();
    }

    /// Entries are on the server or among the dead letters.
    pub(super) fn done(&self, entries: &[Entry]) {
        let mut batches: BTreeMap<u64, usize> = BTreeMap::new();
        for entry in entries {
            *batches.entry(entry.batch).or_default() += 1;
        }
        {
            let mut state = self.lock();
            state.held = state.held.saturating_sub(entries.len());
            let bytes: usize = entries.iter().map(Entry::held_bytes).sum();
            state.held_bytes = state.held_bytes.saturating_sub(bytes);
            for (batch, events) in batches {
                state.progress.done(batch, events);
            }
        }
        self.publish();
        self.room.notify_waiters();
    }

    fn publish(&self) {
        // Under one lock with the others who publish, so that it never goes back.
        self.acknowledged.send_if_modified(|published| {
            let acknowledged = self.lock().progress.acknowledged();
            let has_moved = acknowledged > *published;
            *published = acknowledged.max(*published);
            has_moved
        });
    }
}

impl State {
    /// Whether so many bytes fit; a batch larger than all there is does when there is nothing else.
    fn has_room(&self, bytes: usize, max: usize) -> bool {
        let fits = self.held_bytes == 0 || (self.held_bytes < max && self.held_bytes + bytes <= max);
        fits && self.progress.unfinished() < BATCHES_MAX
    }

    fn take(&mut self, bytes: usize, concurrency: usize) -> Vec<Entry> {
        if self.active >= concurrency {
            return Vec::new();
        }
        let mut count = 0;
        let mut sum = 0;
        for entry in &self.waiting {
            sum += entry.lines.len();
            if count > 0 && sum > bytes {
                break;
            }
            count += 1;
        }
        let taken: Vec<Entry> = self.waiting.drain(..count).collect();
        self.active += usize::from(!taken.is_empty());
        taken
    }
}
