//! Orders that all normal sessions keep, and the transitions they show.
//!
//! Programs that work on one thing at a time log in an order; those that work on several at once do
//! not, and one swapped pair says little. So a session is strange only when a good share of the orders
//! that apply to it are broken, or of its transitions unseen.

use disk::sealed::{Reader, SealedError, Writer};

use super::{
    collect::{SEQUENCE_MAX, number},
    normal::rounded,
};

/// Events, most frequent first, whose orders are learned.
const EVENTS_MAX: usize = 256;
/// Normal sessions that have to show an order, or the two events of a transition.
const SUPPORT: u32 = 50;
/// Shares from which on a session is strange, at least: broken orders, and unseen transitions.
const LIMITS: [f64; 2] = [0.15, 0.35];
/// The same, in terms of what training sessions are like when judged by the others.
const TIMES: f64 = 1.5;
/// Fewer broken orders or unseen transitions say nothing.
const LEAST: u32 = 2;

/// An order of two events `a` and `b`, given where they occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precedes {
    /// The first `a` comes before the first `b`.
    First,
    /// The last `a` comes before the last `b`.
    Last,
    /// The last `a` comes before the first `b`.
    Apart,
}

/// What says most comes first.
const ALL: [Precedes; 3] = [Precedes::Apart, Precedes::First, Precedes::Last];

/// How often things were seen with two events.
#[derive(Debug, Clone, Copy, Default)]
struct Pair {
    /// Sessions with both events.
    both: u32,
    /// Of these, sessions that keep each order.
    kept: [u32; 3],
    /// Sessions in which the second event follows the first at once.
    follows: u32,
}

/// What is known of orders.
#[derive(Debug, Clone, Default)]
pub(super) struct Order {
    /// An event's row and column, by its number; `u32::MAX` has none.
    columns: Vec<u32>,
    /// Sessions each event occurs in, by column.
    present: Vec<u32>,
    /// By columns of both events.
    pairs: Vec<Pair>,
    limits: [f64; 2],
    /// Most orders and transitions that could be judged in a session.
    most: [u32; 2],
}

/// Where an event occurs in a session.
#[derive(Clone, Copy)]
struct Place {
    column: usize,
    event: u32,
    first: usize,
    last: usize,
}

/// A thing that normal sessions do not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Oddity {
    /// These two events are in the wrong order.
    Order(Precedes, u32, u32),
    /// The second event never follows the first at once.
    Transition(u32, u32),
}

impl Oddity {
    fn events(self) -> (u32, u32) {
        match self {
            Self::Order(_, a, b) | Self::Transition(a, b) => (a, b),
        }
    }
}

impl Order {
    /// From the sequences of normal sessions and how many have them.
    pub(super) fn learn(sequences: &[(Box<[u32]>, u64)], events: usize) -> Self {
        let mut present = vec![0_u64; events];
        for (sequence, support) in sequences {
            let mut seen: Vec<u32> = sequence.to_vec();
            seen.sort_unstable();
            seen.dedup();
            seen.into_iter().for_each(|event| present[event as usize] += support);
        }
        let mut frequent: Vec<u32> =
            (0..events as u32).filter(|event| present[*event as usize] > 0).collect();
        frequent.sort_by_key(|event| (std::cmp::Reverse(present[*event as usize]), *event));
        frequent.truncate(EVENTS_MAX);
        let mut columns = vec![u32::MAX; events];
        for (event, column) in frequent.iter().zip(0..) {
            columns[*event as usize] = column;
        }
        let bounded = |support: u64| u32::try_from(support).unwrap_or(u32::MAX);
        let mut order = Self {
            columns,
            present: frequent.iter().map(|event| bounded(present[*event as usize])).collect(),
            pairs: vec![Pair::default(); frequent.len() * frequent.len()],
            limits: LIMITS,
            most: [0; 2],
        };
        for (sequence, support) in sequences {
            order.add(sequence, bounded(*support));
        }
        let (mut most, mut judged) = ([0.0_f64; 2], [0; 2]);
        for (sequence, support) in sequences {
            let counts = order.counts(sequence, u32::from(*support == 1));
            judged = [judged[0].max(counts[0].0), judged[1].max(counts[1].0)];
            if *support == 1 {
                let shares = counts.map(share);
                most = [most[0].max(shares[0]), most[1].max(shares[1])];
            }
        }
        order.most = judged;
        order.limits = [LIMITS[0].max(TIMES * most[0]), LIMITS[1].max(TIMES * most[1])];
        order
    }

    /// Two f64 limits, two u32 of what can be judged at most; u32 columns, for each the u32 number of its event
    /// and u32 sessions with it; u32 pairs that were seen, for each u32 place, five u32.
    pub(super) fn write(&self, out: &mut Writer) {
        self.limits.iter().for_each(|limit| out.f64(*limit));
        self.most.iter().for_each(|most| out.u32(*most));
        let mut events = vec![0; self.present.len()];
        for (event, column) in self.columns.iter().enumerate().filter(|(_, column)| **column != u32::MAX) {
            events[*column as usize] = event as u32;
        }
        out.u32(events.len() as u32);
        for (event, present) in events.iter().zip(&self.present) {
            out.u32(*event);
            out.u32(*present);
        }
        let seen = |pair: &&Pair| pair.both > 0 || pair.follows > 0;
        out.u32(self.pairs.iter().filter(seen).count() as u32);
        for (place, pair) in self.pairs.iter().enumerate().filter(|(_, pair)| seen(pair)) {
            out.u32(place as u32);
            [pair.both, pair.follows].iter().chain(&pair.kept).for_each(|count| out.u32(*count));
        }
    }

    pub(super) fn read(input: &mut Reader<'_>, events: usize) -> Result<Self, SealedError> {
        let (limits, most) = ([input.f64()?, input.f64()?], [input.u32()?, input.u32()?]);
        if limits.iter().zip(LIMITS).any(|(limit, least)| *limit < least) {
            return Err(input.damaged());
        }
        let width = input.count(8, EVENTS_MAX.min(events))?;
        let (mut columns, mut present) = (vec![u32::MAX; events], Vec::with_capacity(width));
        for column in 0..width as u32 {
            let event = number(input, events)?;
            columns[event as usize] = column;
            present.push(input.u32()?);
        }
        let mut pairs = vec![Pair::default(); width * width];
        for _ in 0..input.count(24, width * width)? {
            let place = input.u32()? as usize;
            let (both, follows) = (input.u32()?, input.u32()?);
            let kept = [input.u32()?, input.u32()?, input.u32()?];
            match pairs.get_mut(place) {
                Some(pair) if kept.iter().all(|kept| *kept <= both) => *pair = Pair { both, kept, follows },
                _ => return Err(input.damaged()),
            }
        }
        Ok(Self { columns, present, pairs, limits, most })
    }

    fn add(&mut self, sequence: &[u32], support: u32) {
        let width = self.present.len();
        let places = self.places(sequence);
        for a in &places {
            for b in places.iter().filter(|b| b.column != a.column) {
                let pair = &mut self.pairs[a.column * width + b.column];
                pair.both = pair.both.saturating_add(support);
                for (kept, order) in pair.kept.iter_mut().zip(ALL) {
                    *kept = kept.saturating_add(if order.is_kept(a, b) { support } else { 0 });
                }
            }
        }
        let mut transitions: Vec<usize> =
            self.transitions(sequence).map(|(a, b, ..)| a * width + b).collect();
        transitions.sort_unstable();
        transitions.dedup();
        for pair in transitions {
            self.pairs[pair].follows = self.pairs[pair].follows.saturating_add(support);
        }
    }

    fn column(&self, event: u32) -> Option<usize> {
        self.columns.get(event as usize).filter(|column| **column != u32::MAX).map(|column| *column as usize)
    }

    /// Where the known events occur.
    fn places(&self, sequence: &[u32]) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::with_capacity(16);
        for (at, event) in sequence.iter().take(SEQUENCE_MAX).enumerate() {
            match places.iter_mut().find(|place| place.event == *event) {
                Some(place) => place.last = at,
                None => places.extend(self.column(*event).map(|column| Place {
                    column,
                    event: *event,
                    first: at,
                    last: at,
                })),
            }
        }
        places
    }

    /// Columns and numbers of events that follow each other.
    fn transitions(&self, sequence: &[u32]) -> impl Iterator<Item = (usize, usize, u32, u32)> {
        sequence
            .windows(2)
            .take(SEQUENCE_MAX)
            .filter_map(|pair| Some((self.column(pair[0])?, self.column(pair[1])?, pair[0], pair[1])))
    }

    /// Calls `visit` for each order and transition that can be judged, with whether it is odd. `own`
    /// is how many sessions like this one are among those learned from, and do not count.
    fn judge(&self, sequence: &[u32], own: u32, mut visit: impl FnMut(Oddity, bool)) {
        let width = self.present.len();
        let places = self.places(sequence);
        for a in &places {
            for b in places.iter().filter(|b| b.column != a.column) {
                let pair = &self.pairs[a.column * width + b.column];
                for (kept, order) in pair.kept.iter().zip(ALL) {
                    let holds = order.is_kept(a, b);
                    let (both, kept) = (pair.both - own, kept - if holds { own } else { 0 });
                    if both >= SUPPORT && kept == both {
                        visit(Oddity::Order(order, a.event, b.event), !holds);
                    }
                }
            }
        }
        for (a, b, from, to) in self.transitions(sequence) {
            if self.present[a].min(self.present[b]) - own >= SUPPORT {
                let unseen = self.pairs[a * width + b].follows <= own;
                visit(Oddity::Transition(from, to), unseen);
            }
        }
    }

    /// Orders and transitions that can be judged, and how many of them are odd. One event out of place
    /// breaks its order with many others, so those of the event with most do not count.
    fn counts(&self, sequence: &[u32], own: u32) -> [(u32, u32); 2] {
        let mut counts = [(0, 0); 2];
        let mut blamed: Vec<(u32, u32)> = vec![];
        self.judge(sequence, own, |oddity, odd| {
            let (all, odds) = &mut counts[usize::from(matches!(oddity, Oddity::Transition(..)))];
            *all += 1;
            *odds += u32::from(odd);
            if let (Oddity::Order(_, a, b), true) = (oddity, odd) {
                for event in [a, b] {
                    match blamed.iter_mut().find(|(other, _)| *other == event) {
                        Some((_, times)) => *times += 1,
                        None => blamed.push((event, 1)),
                    }
                }
            }
        });
        counts[0].1 -= blamed.iter().map(|(_, times)| *times).max().unwrap_or(0);
        counts
    }

    /// How strange the session's orders and its transitions are; past one is an anomaly.
    pub(super) fn strangeness(&self, sequence: &[u32]) -> [f64; 2] {
        self.strangeness_of(sequence, 0)
    }

    /// The same for a sequence that one of the sessions learned from has, as if it had not been.
    pub(super) fn strangeness_without(&self, sequence: &[u32]) -> [f64; 2] {
        self.strangeness_of(sequence, 1)
    }

    /// How strange the order will be at least once the session has ended, if no more can be judged then
    /// than in any session learned from.
    pub(super) fn least_strangeness(&self, sequence: &[u32]) -> f64 {
        let counts = self.counts(sequence, 0);
        let least = |at: usize| share((counts[at].0.max(self.most[at]), counts[at].1)) / self.limits[at];
        rounded(least(0).max(least(1)))
    }

    /// Whether the second event never follows the first at once, as far as that can be said.
    pub(super) fn is_odd(&self, from: u32, to: u32) -> bool {
        let Some((a, b)) = self.column(from).zip(self.column(to)) else { return false };
        self.present[a].min(self.present[b]) >= SUPPORT && self.pairs[a * self.present.len() + b].follows == 0
    }

    fn strangeness_of(&self, sequence: &[u32], own: u32) -> [f64; 2] {
        let shares = self.counts(sequence, own).map(share);
        [rounded(shares[0] / self.limits[0]), rounded(shares[1] / self.limits[1])]
    }

    /// What is odd, one thing for two events, and how many sessions say so.
    pub(super) fn oddities(&self, sequence: &[u32]) -> Vec<(Oddity, u64)> {
        let mut odd = vec![];
        self.judge(sequence, 0, |oddity, is_odd| {
            if is_odd && !odd.iter().any(|(known, _): &(Oddity, u64)| known.events() == oddity.events()) {
                odd.push((oddity, self.support(oddity)));
            }
        });
        odd
    }

    fn support(&self, oddity: Oddity) -> u64 {
        let support = match oddity {
            Oddity::Order(_, a, b) => self
                .column(a)
                .zip(self.column(b))
                .map_or(0, |(a, b)| self.pairs[a * self.present.len() + b].both),
            Oddity::Transition(from, _) => self.column(from).map_or(0, |column| self.present[column]),
        };
        support.into()
    }
}

/// The share of what is odd, unless it is hardly anything.
fn share((all, odds): (u32, u32)) -> f64 {
    if odds >= LEAST { f64::from(odds) / f64::from(all) } else { 0.0 }
}

impl Precedes {
    fn is_kept(self, a: &Place, b: &Place) -> bool {
        match self {
            Self::First => a.first < b.first,
            Self::Last => a.last < b.last,
            Self::Apart => a.last < b.first,
        }
    }
}
