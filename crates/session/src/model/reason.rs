//! What speaks against a session, as data and in words.

use arithmetic::mix;

use super::{
    Judged, Model,
    collect::{Counts, count_of},
    order::{Oddity, Precedes},
    relation::Relation,
    sequence::EventKey,
};

/// Most reasons of a verdict, and most of one sort.
const REASONS_MAX: usize = 6;
const SORT_MAX: usize = 2;
/// Most differences named.
const DIFFERENCES_MAX: usize = 4;

/// One thing that speaks against a session.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// An event that no normal session has.
    Unseen {
        /// The event.
        event: EventKey,
        /// How often it occurs here.
        count: u32,
        /// Normal sessions seen.
        sessions: u64,
    },
    /// A relation that normal sessions keep.
    Broken {
        /// The relation.
        relation: Relation,
        /// How often its events occur here.
        counts: Vec<u32>,
        /// Normal sessions that keep it.
        held: u64,
        /// Normal sessions that it speaks of.
        of: u64,
    },
    /// Counts that are far from all normal ones.
    Far {
        /// From the nearest normal session.
        distance: f64,
        /// Up to this a session is ordinary.
        reach: f64,
        /// Normal sessions with the nearest counts.
        support: u64,
        /// Where the counts differ, what weighs most first.
        differences: Vec<Difference>,
    },
    /// A count, or the number of events of the session, outside its range in normal sessions.
    Outside {
        /// The event; none for the number of all events.
        event: Option<EventKey>,
        /// The count here.
        count: u32,
        /// Lowest count of normal sessions.
        low: u32,
        /// Highest count of normal sessions.
        high: u32,
        /// Normal sessions seen.
        sessions: u64,
    },
    /// Two events in an order that no normal session has.
    Order {
        /// The event that ought to come first.
        before: EventKey,
        /// The other one.
        after: EventKey,
        /// In words that fit between them, such as `comes before the first`.
        order: &'static str,
        /// Normal sessions with both.
        sessions: u64,
    },
    /// A little of several things at once, as in no normal session: what the isolation forest says.
    Together {
        /// Of the distance from the nearest normal counts, the counts' ranges, and the order, each the share
        /// of what is still ordinary, 0 to 1.
        shares: [f64; 3],
        /// Normal sessions seen.
        sessions: u64,
    },
    /// An event directly after another as in no normal session.
    Transition {
        /// The event before.
        from: EventKey,
        /// The event after.
        to: EventKey,
        /// Normal sessions with the event before.
        sessions: u64,
    },
}

/// A count that differs from that of the nearest normal session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The event.
    pub event: EventKey,
    /// How often it occurs here.
    pub here: u32,
    /// How often it occurs there.
    pub there: u32,
}

impl Reason {
    /// The same for sessions that are strange in the same way.
    pub(crate) fn subject(&self) -> u64 {
        let of = |sort: u64, keys: &[EventKey]| keys.iter().fold(mix(sort), |all, key| mix(all ^ key.0));
        match self {
            Self::Unseen { event, .. } => of(1, &[*event]),
            Self::Broken { relation, .. } => of(2, &relation.events().collect::<Vec<_>>()),
            Self::Far { differences, .. } => {
                of(3, &differences.iter().map(|it| it.event).collect::<Vec<_>>())
            }
            Self::Outside { event, .. } => of(4, &[event.unwrap_or(EventKey::OTHER)]),
            Self::Order { before, after, .. } => of(5, &[*before, *after]),
            Self::Transition { from, to, .. } => of(6, &[*from, *to]),
            Self::Together { .. } => of(7, &[]),
        }
    }

    /// The reason as an English sentence without a full stop; `name` gives an event's name.
    pub fn words(&self, name: &dyn Fn(EventKey) -> String) -> String {
        match self {
            Self::Unseen { event, count, sessions } => format!(
                "{} occurs {}; none of {sessions} normal sessions has it",
                name(*event),
                times(*count)
            ),
            Self::Broken { relation, counts, held, of } => {
                format!("{} ({held} of {of} normal sessions)", broken(relation, counts, name))
            }
            Self::Far { distance, reach, support, differences } => {
                let differences: Vec<String> = differences
                    .iter()
                    .map(|it| format!("{} {} instead of {}", name(it.event), times(it.here), it.there))
                    .collect();
                format!(
                    "counts are {distance:.1} from the nearest normal ones ({}, up to {reach:.1} is ordinary): {}",
                    if *support == 1 { "1 session".to_owned() } else { format!("{support} sessions") },
                    differences.join(", ")
                )
            }
            Self::Outside { event, count, low, high, sessions } => {
                let what = match event {
                    Some(event) => format!("{} {}", name(*event), occurs(*count)),
                    None => format!("the session has {count} events"),
                };
                format!("{what}, where {sessions} normal sessions have {low} to {high}")
            }
            Self::Order { before, after, order, sessions } => {
                format!(
                    "{} {order} {} in all of {sessions} normal sessions, not here",
                    name(*before),
                    name(*after)
                )
            }
            Self::Together { shares, sessions } => {
                let named = ["the counts", "their ranges", "the order"].iter().zip(shares);
                let named: Vec<String> = named
                    .filter(|(_, share)| **share > 0.0)
                    .map(|(what, share)| {
                        format!("{what} at {:.0} % of what is still ordinary", share * 100.0)
                    })
                    .collect();
                format!("all together as in none of {sessions} normal sessions: {}", named.join(", "))
            }
            Self::Transition { from, to, sessions } => format!(
                "{} directly after {}, as in none of {sessions} normal sessions with that",
                name(*to),
                name(*from)
            ),
        }
    }
}

fn occurs(count: u32) -> String {
    if count == 0 { "does not occur".to_owned() } else { format!("occurs {}", times(count)) }
}

fn times(count: u32) -> String {
    match count {
        0 => "not at all".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{count} times"),
    }
}

fn broken(relation: &Relation, counts: &[u32], name: &dyn Fn(EventKey) -> String) -> String {
    let count = |at: usize| counts.get(at).copied().unwrap_or(0);
    match relation {
        Relation::Constant(event, usual) => {
            format!("{} {} where it always occurs {}", name(*event), occurs(count(0)), times(*usual))
        }
        Relation::Absent(event) => {
            format!("{} {} where it hardly ever does", name(*event), occurs(count(0)))
        }
        Relation::Present(event) => format!("{} does not occur, as it always does", name(*event)),
        Relation::Equal(left, right) => format!(
            "{} {} where it always equals {} ({})",
            name(*left),
            occurs(count(0)),
            name(*right),
            count(1)
        ),
        Relation::Sum(whole, left, right) => format!(
            "{} {} where it always equals {} and {} together ({} + {})",
            name(*whole),
            occurs(count(0)),
            name(*left),
            name(*right),
            count(1),
            count(2)
        ),
        Relation::Implies(event, other) => {
            format!("{} {} without {}", name(*event), occurs(count(0)), name(*other))
        }
    }
}

impl Model {
    /// What speaks against a session that is an anomaly.
    pub(super) fn reasons(
        &self,
        counts: &Counts,
        judged: &Judged,
        sequence: &[u32],
        order: f64,
    ) -> Vec<Reason> {
        let sessions = self.normal_sessions();
        let mut reasons: Vec<Reason> = counts
            .unseen
            .iter()
            .take(SORT_MAX)
            .map(|(event, count)| Reason::Unseen { event: *event, count: *count, sessions })
            .collect();
        let mut broken = judged.broken.clone();
        broken.sort_by_key(|at| self.relations[*at].of - self.relations[*at].held);
        reasons.extend(broken.iter().take(SORT_MAX).map(|at| {
            let known = &self.relations[*at];
            Reason::Broken {
                relation: known.relation.map(|number| self.keys[number as usize]),
                counts: known.relation.events().map(|event| count_of(&counts.vector, event)).collect(),
                held: known.held,
                of: known.of,
            }
        }));
        if judged.outside > 1.0 {
            let named = |event: u32| {
                broken.iter().any(|at| self.relations[*at].relation.events().any(|it| it == event))
            };
            let outside = self.range.outside(counts).filter(|outside| !outside.event.is_some_and(named));
            reasons.extend(outside.map(|outside| Reason::Outside {
                event: outside.event.map(|number| self.keys[number as usize]),
                count: outside.count,
                low: outside.low,
                high: outside.high,
                sessions,
            }));
        }
        if judged.novelty > 1.0 {
            reasons.extend(self.far(counts, judged));
        }
        if order > 1.0 {
            let odd = self.order.oddities(sequence);
            reasons.extend(odd.into_iter().take(SORT_MAX).map(|odd| self.odd(odd)));
        }
        if reasons.is_empty() {
            let shares = [judged.novelty, judged.outside, order];
            reasons.push(Reason::Together { shares, sessions });
            reasons.extend(self.far(counts, judged));
        }
        reasons.truncate(REASONS_MAX);
        reasons
    }

    fn far(&self, counts: &Counts, judged: &Judged) -> Option<Reason> {
        let found = judged.found?;
        let normal = self.normals.vector(found.place);
        let mut events: Vec<u32> = counts.vector.iter().chain(normal).map(|(event, _)| *event).collect();
        events.sort_unstable();
        events.dedup();
        let mut differences: Vec<(f64, Difference)> = events
            .into_iter()
            .map(|event| {
                let (here, there) = (count_of(&counts.vector, event), count_of(normal, event));
                let weighs = f64::from(here.abs_diff(there)) * self.normals.weight(event);
                (weighs, Difference { event: self.keys[event as usize], here, there })
            })
            .filter(|(weighs, _)| *weighs > 0.0)
            .collect();
        differences.sort_by(|left, right| right.0.total_cmp(&left.0));
        let unseen =
            counts.unseen.iter().map(|(event, count)| Difference { event: *event, here: *count, there: 0 });
        Some(Reason::Far {
            distance: found.distance,
            reach: self.normals.reach(),
            support: self.normals.support(found.place),
            differences: unseen
                .chain(differences.into_iter().map(|(_, it)| it))
                .take(DIFFERENCES_MAX)
                .collect(),
        })
    }

    /// Normal sessions that verdicts rest on.
    pub(super) fn normal_sessions(&self) -> u64 {
        (0..self.normals.len()).map(|place| self.normals.support(place)).sum()
    }

    pub(super) fn odd(&self, (oddity, sessions): (Oddity, u64)) -> Reason {
        let key = |event: u32| self.keys[event as usize];
        match oddity {
            Oddity::Order(order, before, after) => Reason::Order {
                before: key(before),
                after: key(after),
                order: match order {
                    Precedes::First => "first comes before the first",
                    Precedes::Last => "last comes before the last",
                    Precedes::Apart => "always comes before any",
                },
                sessions,
            },
            Oddity::Transition(from, to) => Reason::Transition { from: key(from), to: key(to), sessions },
        }
    }
}
