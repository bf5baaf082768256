//! The sessions that are open, found by key, each kind in the order of its latest events.

use event::EventId;
use hashbrown::HashMap;

use crate::model::{EventKey, Grown};

/// Events of a session whose order is kept; of later ones it is known only how many there were.
pub(super) const ORDER_MAX: usize = 256;
/// Different events told apart behind those.
const MORE_MAX: usize = 64;
/// Bytes of a key's text.
pub(super) const TEXT_MAX: usize = 64;
const NONE: u32 = u32::MAX;

/// At most so many bytes, cut between characters.
pub(super) fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// A session.
#[derive(Debug, Clone)]
pub(super) struct Open {
    pub(super) key: u64,
    /// Place among the kinds.
    pub(super) kind: u32,
    pub(super) text: String,
    pub(super) first: EventId,
    pub(super) last: EventId,
    /// Event time, nanoseconds: earliest, latest, longest gap.
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) gap: i64,
    pub(super) events: Vec<EventKey>,
    pub(super) more: Vec<(EventKey, u32)>,
    pub(super) count: u64,
    /// Whether earlier events of it may be missing.
    pub(super) is_partial: bool,
    /// Events the finder had seen when it was opened.
    pub(super) opened: u64,
    pub(super) grown: Grown,
    /// The model by which it has grown; 0 for none.
    pub(super) model: u64,
    /// The strangeness told of so far.
    pub(super) told: f64,
}

impl Open {
    pub(super) fn new(key: u64, kind: u32, id: EventId, nanos: i64) -> Self {
        Self {
            key,
            kind,
            text: String::new(),
            first: id,
            last: id,
            from: nanos,
            to: nanos,
            gap: 0,
            events: Vec::new(),
            more: Vec::new(),
            count: 0,
            is_partial: false,
            opened: 0,
            grown: Grown::default(),
            model: 0,
            told: 0.0,
        }
    }

    /// Takes in an event.
    pub(super) fn add(&mut self, key: EventKey, id: EventId, nanos: i64) {
        self.gap = self.gap.max(nanos.saturating_sub(self.to));
        (self.from, self.to) = (self.from.min(nanos), self.to.max(nanos));
        self.last = id;
        self.count += 1;
        if self.events.len() < ORDER_MAX {
            self.events.push(key);
            return;
        }
        let full = self.more.len() >= MORE_MAX;
        let key =
            if full && self.more.iter().all(|(other, _)| *other != key) { EventKey::OTHER } else { key };
        match self.more.iter_mut().find(|(other, _)| *other == key) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.more.push((key, 1)),
        }
    }

    /// From its first event to its last, and the longest time between two of them.
    pub(super) fn seconds(&self) -> [f32; 2] {
        [self.to - self.from, self.gap].map(|nanos| (nanos as f64 * 1e-9) as f32)
    }

    /// How often it has an event.
    pub(super) fn times(&self, key: EventKey) -> u32 {
        let ordered = self.events.iter().filter(|other| **other == key).count() as u32;
        let more = self.more.iter().find(|(other, _)| *other == key).map_or(0, |(_, count)| *count);
        ordered.saturating_add(more)
    }
}

/// One end of a kind's sessions: the one silent for longest, and the one seen last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    head: u32,
    tail: u32,
    pub(super) count: u32,
}

impl Default for Ends {
    fn default() -> Self {
        Self { head: NONE, tail: NONE, count: 0 }
    }
}

/// The neighbours of a session among those of its kind.
#[derive(Debug, Clone, Copy)]
struct Link {
    kind: u32,
    before: u32,
    after: u32,
}

/// All open sessions.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    sessions: Vec<Option<Open>>,
    /// As many, and apart from them: each event moves its session, and all links fit a cache.
    links: Vec<Link>,
    free: Vec<u32>,
    places: HashMap<u64, u32, foldhash::fast::FixedState>,
    /// By kind.
    ends: Vec<Ends>,
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn find(&self, key: u64) -> Option<u32> {
        self.places.get(&key).copied()
    }

    pub(super) fn get(&self, place: u32) -> Option<&Open> {
        self.sessions.get(place as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut Open> {
        self.sessions.get_mut(place as usize)?.as_mut()
    }

    fn ends(&mut self, kind: u32) -> &mut Ends {
        let kind = kind as usize;
        if self.ends.len() <= kind {
            self.ends.resize(kind + 1, Ends::default());
        }
        &mut self.ends[kind]
    }

    /// Sessions of a kind.
    pub(super) fn of(&self, kind: u32) -> u32 {
        self.ends.get(kind as usize).map_or(0, |ends| ends.count)
    }

    /// The session of a kind that is silent for longest.
    pub(super) fn stalest(&self, kind: u32) -> Option<u32> {
        self.ends.get(kind as usize).map(|ends| ends.head).filter(|head| *head != NONE)
    }

    /// The kind with most sessions.
    pub(super) fn largest(&self) -> Option<u32> {
        (0..).zip(&self.ends).max_by_key(|(kind, ends)| (ends.count, std::cmp::Reverse(*kind))).map(|it| it.0)
    }

    /// Adds a session as the one of its kind seen last.
    pub(super) fn insert(&mut self, open: Open) -> u32 {
        let (key, kind) = (open.key, open.kind);
        let link = Link { kind, before: NONE, after: NONE };
        let place = match self.free.pop() {
            Some(place) => {
                self.sessions[place as usize] = Some(open);
                self.links[place as usize] = link;
                place
            }
            None => {
                self.sessions.push(Some(open));
                self.links.push(link);
                self.sessions.len() as u32 - 1
            }
        };
        self.places.insert(key, place);
        self.ends(kind).count += 1;
        self.append(place, kind);
        place
    }

    /// Makes a session the one of its kind seen last.
    pub(super) fn touch(&mut self, place: u32) {
        let Some(kind) = self.links.get(place as usize).map(|link| link.kind) else { return };
        if self.ends(kind).tail != place {
            self.unlink(place, kind);
            self.append(place, kind);
        }
    }

    pub(super) fn remove(&mut self, place: u32) -> Option<Open> {
        let kind = self.get(place)?.kind;
        self.unlink(place, kind);
        self.ends(kind).count -= 1;
        let open = self.sessions.get_mut(place as usize)?.take()?;
        self.places.remove(&open.key);
        self.free.push(place);
        Some(open)
    }

    fn append(&mut self, place: u32, kind: u32) {
        let ends = self.ends(kind);
        let tail = std::mem::replace(&mut ends.tail, place);
        if tail == NONE {
            ends.head = place;
        } else if let Some(last) = self.links.get_mut(tail as usize) {
            last.after = place;
        }
        if let Some(link) = self.links.get_mut(place as usize) {
            (link.before, link.after) = (tail, NONE);
        }
    }

    fn unlink(&mut self, place: u32, kind: u32) {
        let Some(Link { before, after, .. }) = self.links.get(place as usize).copied() else { return };
        match self.links.get_mut(before as usize) {
            Some(link) => link.after = after,
            None => self.ends(kind).head = after,
        }
        match self.links.get_mut(after as usize) {
            Some(link) => link.before = before,
            None => self.ends(kind).tail = before,
        }
    }

    /// All sessions: kinds in their order, of each the one silent for longest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Open> {
        (0..self.ends.len() as u32).flat_map(|kind| {
            let next = |place: &u32| self.links.get(*place as usize).map(|link| link.after);
            let places = std::iter::successors(self.stalest(kind), next);
            places.map_while(|place| self.get(place))
        })
    }
}
