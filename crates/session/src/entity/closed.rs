//! Sessions that have ended, of one kind: a bounded sample in which old ones fade.

use arithmetic::Random;

use crate::model::EventKey;

use super::open::Open;

/// Sessions kept of a kind, and their events together.
const SESSIONS_MAX: usize = 2_048;
const EVENTS_MAX: usize = 131_072;
/// Of an event whose order is not known, so many count.
const MORE_MAX: u32 = 4_096;

/// A session that has ended, for training.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Closed {
    pub(super) events: Vec<EventKey>,
    pub(super) more: Vec<(EventKey, u32)>,
    pub(super) duration_s: f32,
    pub(super) gap_s: f32,
}

impl Closed {
    pub(super) fn of(open: Open) -> Self {
        let [duration_s, gap_s] = open.seconds();
        Self { events: open.events, more: open.more, duration_s, gap_s }
    }
}

/// All events of a session, those of unknown order at the end.
pub(super) fn all(
    events: &[EventKey],
    more: &[(EventKey, u32)],
    current: impl Fn(EventKey) -> EventKey,
) -> Vec<EventKey> {
    let mut all: Vec<EventKey> = events.iter().map(|key| current(*key)).collect();
    for (key, count) in more {
        all.extend(std::iter::repeat_n(current(*key), (*count).min(MORE_MAX) as usize));
    }
    all
}

/// The sample.
#[derive(Debug, Clone, Default)]
pub(super) struct Reservoir {
    pub(super) kept: Vec<Closed>,
    /// Sessions that came.
    pub(super) came: u64,
    events: usize,
}

impl Reservoir {
    pub(super) fn of(kept: Vec<Closed>, came: u64) -> Self {
        let events = kept.iter().map(|closed| closed.events.len()).sum();
        Self { kept, came, events }
    }

    /// Takes a session in, by algorithm R of J. S. Vitter with the stream's length bounded.
    pub(super) fn add(&mut self, open: Open, random: &mut Random) {
        self.came += 1;
        let length = open.events.len();
        if self.kept.len() < SESSIONS_MAX && self.events + length <= EVENTS_MAX {
            self.events += length;
            self.kept.push(Closed::of(open));
            return;
        }
        let size = self.kept.len();
        let at = random.below((self.came as usize).min(4 * size));
        if let Some(kept) = self.kept.get_mut(at) {
            self.events = self.events + length - kept.events.len();
            *kept = Closed::of(open);
        }
        while self.events > EVENTS_MAX && self.kept.len() > 1 {
            let gone = self.kept.swap_remove(random.below(self.kept.len()));
            self.events -= gone.events.len();
        }
    }
}
