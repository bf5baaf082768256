//! What can be said of a session before it has ended: only what no later event can take back.
//!
//! An unseen event stays unseen, and a count above the range of all normal sessions only grows, so both
//! bound the strangeness of the whole session from below. Shares of unseen transitions and of broken
//! orders can fall again; they are taken of as many as the longest normal session has. All of it costs a
//! look-up for an event, and more only where something is odd.

use super::{BROKEN, BROKEN_MAX, Model, Reason, normal, sequence::EventKey};

/// Odd transitions of one session for which its orders are looked at.
const LOOKS_MAX: u32 = 8;

/// Odd orders and transitions told of.
const ODDITIES_MAX: usize = 2;

/// What speaks against a session so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Grown {
    /// Weighed counts above the range of normal sessions.
    excess: f64,
    /// Events that no normal session has, and how many different ones.
    unseen: u32,
    strangers: u32,
    /// Unseen transitions.
    odd: u32,
    /// The event before, its number plus one.
    previous: u32,
    /// Past one the session is strange, whatever comes.
    pub(crate) strangeness: f64,
}

impl Grown {
    /// For a snapshot.
    pub(crate) fn parts(&self) -> ([f64; 2], [u32; 4]) {
        ([self.excess, self.strangeness], [self.unseen, self.strangers, self.odd, self.previous])
    }

    /// From [`Grown::parts`].
    pub(crate) fn of([excess, strangeness]: [f64; 2], counts: [u32; 4]) -> Self {
        let [unseen, strangers, odd, previous] = counts;
        Self { excess, unseen, strangers, odd, previous, strangeness }
    }
}

impl Model {
    /// Takes in one more event of a session, which had it `before` times; `sequence` gives the session's
    /// events so far, this one included, and is asked only where the order is odd.
    pub(crate) fn grow<'s>(
        &self,
        grown: &mut Grown,
        key: EventKey,
        before: u32,
        sequence: impl FnOnce() -> &'s [EventKey],
    ) {
        let Some(number) = self.number(key) else {
            grown.unseen = grown.unseen.saturating_add(1);
            grown.strangers += u32::from(before == 0);
            grown.previous = 0;
            return self.weigh(grown, 0.0);
        };
        grown.excess += self.range.excess(number, before.saturating_add(1));
        let mut order = 0.0;
        let previous = std::mem::replace(&mut grown.previous, number + 1);
        if self.parts.order
            && let Some(previous) = previous.checked_sub(1)
            && self.order.is_odd(previous, number)
        {
            grown.odd = grown.odd.saturating_add(1);
            if grown.odd <= LOOKS_MAX {
                let numbers: Vec<u32> = sequence().iter().filter_map(|key| self.number(*key)).collect();
                order = self.order.least_strangeness(&numbers);
            }
        }
        if grown.excess > 0.0 || order > 0.0 {
            self.weigh(grown, order);
        }
    }

    fn weigh(&self, grown: &mut Grown, order: f64) {
        if self.needed() > 0 {
            return;
        }
        let mut strangeness = order;
        if self.parts.novelty {
            let apart = grown.excess + f64::from(grown.unseen) * normal::UNSEEN;
            let outside = grown.excess / self.range.reach();
            let strangers = if self.normals.tells() { grown.strangers as usize } else { 0 };
            let unexpected = match strangers {
                0 => 0.0,
                count => BROKEN.0 + BROKEN.1 * (count.min(BROKEN_MAX) - 1) as f64,
            };
            strangeness = strangeness.max(apart / self.normals.reach()).max(outside).max(unexpected);
        }
        grown.strangeness = grown.strangeness.max(strangeness);
    }

    fn number(&self, key: EventKey) -> Option<u32> {
        self.numbers.get(&key).or_else(|| self.numbers.get(&EventKey::OTHER)).copied()
    }

    /// What speaks against a session with this event, which it now has `count` times.
    pub(crate) fn grown_reasons(&self, key: EventKey, count: u32, session: &[EventKey]) -> Vec<Reason> {
        let sessions = self.normal_sessions();
        let Some(number) = self.number(key) else {
            return vec![Reason::Unseen { event: key, count, sessions }];
        };
        if self.range.excess(number, count) > 0.0 {
            let (low, high) = self.range.of(number);
            return vec![Reason::Outside { event: Some(key), count, low, high, sessions }];
        }
        let numbers: Vec<u32> = session.iter().filter_map(|key| self.number(*key)).collect();
        self.order.oddities(&numbers).into_iter().take(ODDITIES_MAX).map(|odd| self.odd(odd)).collect()
    }

    /// Whether a session learned from has the event.
    pub(crate) fn knows(&self, key: EventKey) -> bool {
        self.numbers.contains_key(&key)
    }

    /// Whether the event ends nearly all sessions that have it.
    pub(crate) fn closes(&self, key: EventKey) -> bool {
        self.numbers.get(&key).is_some_and(|number| self.closing.binary_search(number).is_ok())
    }

    /// The share of ordinary sessions that are at least this strange.
    pub(crate) fn p_value(&self, strangeness: f64) -> f64 {
        self.calibration.p_value(strangeness)
    }

    /// The normal session nearest to this one, as events and how often each occurs: those of the session in
    /// its order, then what it lacks.
    pub(crate) fn nearest_normal(&self, session: &[EventKey]) -> Vec<(EventKey, u32)> {
        let (counts, sequence) = self.count(session);
        let Some(found) = self.normals.find(&counts, None) else { return vec![] };
        let vector = self.normals.vector(found.place);
        let place = |event: u32| sequence.iter().position(|other| *other == event).unwrap_or(usize::MAX);
        let mut events: Vec<(usize, u32, u32)> =
            vector.iter().map(|(event, count)| (place(*event), *event, *count)).collect();
        events.sort_unstable();
        events.into_iter().map(|(_, event, count)| (self.keys[event as usize], count)).collect()
    }
}
