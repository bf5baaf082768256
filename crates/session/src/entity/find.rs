//! Finds the places in templates whose variables tie lines together, such as block and request ids.
//!
//! A value that comes again at a place of another template ties the two places. Places that are tied
//! several times form a *class*. A class is a key when its values are mostly distinct and mostly come in
//! several templates: then each of them is one session. A host or a size ties lines too, but hardly ever
//! has a new value; a port or a time has new values, but they tie nothing. Nothing knows a data set.
//!
//! Of the values only a part is followed, chosen by their hash, so that each is followed wholly or not at
//! all. Memory is bounded: templates go when they were not seen for long, values when others come.

use arithmetic::{hash, mix};
use disk::sealed::{Reader, SealedError, Writer};
use event::{Event, TemplateId, Variable, VariableKind};

use super::field::WEAK;
use crate::slots::Slots;

/// Variables of a message that are looked at; places behind them stand for fields.
pub(super) const VARIABLES: usize = 8;
const PLACES: usize = VARIABLES + WEAK;
/// Most templates and values followed, and most classes.
const TEMPLATES_MAX: usize = 4_096;
const VALUES: usize = 4_096;
const CLASSES_MAX: usize = 48;
/// Values followed in the beginning, so that keys are found soon, and later: one in so many.
const ALL_UNTIL: u64 = 4_096;
const ONE_IN: u32 = 4;
/// A value that comes again after this event time is another one.
const SPAN_NANOS: i64 = 3_600 * 1_000_000_000;
/// Ties that make two places one class, or two classes one.
const TIES: u8 = 3;
/// Shorter values tie nothing; values of this length are not met by chance.
const LENGTH: (usize, usize) = (4, 8);
/// For a verdict on a class: events with it, new values.
const LEAST: (u32, u32) = (48, 8);
/// With more events a class that is no key has shown that it is none: its sessions are not followed.
const UNDECIDED: u32 = 1_024;
/// The share of events that bring a new value, and of values that come in several templates.
const FRESH: (f32, f32) = (0.005, 0.5);
const CROSSED: f32 = 0.5;
/// A key whose values come again and again, or hardly ever, is none any more.
const STALE: (f32, f32) = (0.001, 0.6);
/// Values that come again when they were long gone, a share of the new ones: sizes and codes do, ids hardly.
const RETURNS: f32 = 0.1;
/// Events of a class after which the older half counts half.
const FADES_AT: u32 = 8_192;

/// A place whose value may be a key.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Candidate {
    /// Among the template's places: a variable's, or behind them a field's.
    pub(super) place: u8,
    /// The kind of a field; 0 for a variable.
    pub(super) kind: u64,
    pub(super) hash: u64,
    /// Whether it is too long to be met by chance.
    pub(super) is_long: bool,
}

/// Which of an event's candidates is the key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice {
    pub(super) candidate: usize,
    pub(super) class: u32,
    /// Of sessions.
    pub(super) kind: u64,
    /// Whether the class is a key for certain, or has too few events to tell.
    pub(super) is_key: bool,
    pub(super) may_be_key: bool,
    /// Whether the value was seen before, as far as it is followed.
    pub(super) is_known: bool,
}

/// The places of a template.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// The class of each; 0 is none.
    classes: Classes,
    /// What each was tied with last, and how often more than with others.
    ties: [(u64, u8); PLACES],
}

type Classes = [u32; PLACES];

/// A value that was seen, and where last.
#[derive(Debug, Clone, Copy, Default)]
struct Value {
    hash: u64,
    template: u64,
    nanos: i64,
    place: u8,
    crossed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Class {
    /// Never 0, never given twice.
    id: u32,
    kind: u64,
    is_field: bool,
    is_key: bool,
    events: u32,
    /// New values, and those that came in several templates.
    fresh: u32,
    crossed: u32,
    /// Of the new ones, those that were there longer ago.
    returned: u32,
    /// Ties with another class.
    tied: (u32, u8),
    used: u64,
    /// Events the finder had seen when the class got its latest place.
    grew: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Finder {
    templates: Slots<Known>,
    values: Vec<Value>,
    classes: Vec<Class>,
    next: u32,
    pub(super) seen: u64,
}

/// The candidates among the variables of a message.
pub(super) fn candidates(event: &Event<'_>, variables: &[Variable], found: &mut Vec<Candidate>) {
    for (place, variable) in (0..VARIABLES as u8).zip(variables) {
        let text = variable.of(&event.message).as_bytes();
        let fits = match variable.kind {
            VariableKind::Integer | VariableKind::Hex => text.len() >= LENGTH.0,
            VariableKind::Uuid => true,
            VariableKind::Text => {
                text.len() >= LENGTH.0 && text.len() <= 256 && text.iter().any(u8::is_ascii_digit)
            }
            _ => false,
        };
        if fits {
            found.push(Candidate { place, kind: 0, hash: hash(text), is_long: text.len() >= LENGTH.1 });
        }
    }
}

impl Finder {
    pub(super) fn new() -> Self {
        Self {
            templates: Slots::new(TEMPLATES_MAX),
            values: vec![Value::default(); VALUES],
            classes: Vec::new(),
            next: 1,
            seen: 0,
        }
    }

    /// Whether the class of this kind is a key for certain.
    pub(super) fn is_key(&self, kind: u64) -> bool {
        self.classes.iter().any(|class| class.kind == kind && class.is_key)
    }

    /// Whether a candidate is of this class.
    pub(super) fn is_of(&self, template: TemplateId, candidate: &Candidate, class: u32) -> bool {
        class != 0 && self.class_at((template.0, candidate.place)) == class
    }

    /// Events seen when the class of this kind got its latest place.
    pub(super) fn grew(&self, kind: u64) -> u64 {
        self.classes.iter().find(|class| class.kind == kind).map_or(0, |class| class.grew)
    }

    /// Learns from an event's candidates, and says which is the key. `is_open` tells whether a session of
    /// this key is open: the line of a template never seen belongs to it.
    pub(super) fn look(
        &mut self,
        template: TemplateId,
        candidates: &[Candidate],
        nanos: i64,
        is_open: impl Fn(u64) -> Option<u64>,
    ) -> Option<Choice> {
        self.seen += 1;
        let classes = self.templates.get(template.0).map_or([0; PLACES], |known| known.classes);
        let mut best: Option<(u8, u32, Choice)> = None;
        let mut adopted = None;
        for (at, candidate) in candidates.iter().enumerate() {
            let is_known = self.is_known(candidate, nanos);
            let class = self.class_of(&classes, candidate);
            if let Some(class) = class {
                class.events += 1;
                let choice = Choice {
                    candidate: at,
                    class: class.id,
                    kind: class.kind,
                    is_key: class.is_key,
                    may_be_key: class.events < UNDECIDED,
                    is_known,
                };
                // A process before the variables, a user and an address after them; a key before what may
                // become one; the class with most events.
                let rank = u8::from(!class.is_key) << 2
                    | match usize::from(candidate.place) {
                        VARIABLES => 0,
                        place if place < VARIABLES => 1,
                        _ => 2,
                    };
                let weight = u32::MAX - class.events;
                if best.is_none_or(|(other, others, _)| (rank, weight) < (other, others)) {
                    best = Some((rank, weight, choice));
                }
            } else if candidate.is_long && candidate.kind == 0 && adopted.is_none() {
                let kind = is_open(candidate.hash);
                adopted = kind.map(|kind| Choice {
                    candidate: at,
                    class: 0,
                    kind,
                    is_key: true,
                    may_be_key: false,
                    is_known,
                });
            }
            if self.seen < ALL_UNTIL {
                self.follow((template.0, &classes), candidate, nanos, 1);
            } else if (candidate.hash >> 32).is_multiple_of(ONE_IN.into()) {
                self.follow((template.0, &classes), candidate, nanos, ONE_IN);
            }
        }
        let choice = best.map(|(_, _, choice)| choice).filter(|choice| choice.is_key || choice.may_be_key);
        match (choice, adopted) {
            (Some(choice), _) if choice.is_key => Some(choice),
            (_, Some(adopted)) => Some(adopted),
            (choice, None) => {
                choice.filter(|choice| usize::from(candidates[choice.candidate].place) <= VARIABLES)
            }
        }
    }

    fn is_known(&self, candidate: &Candidate, nanos: i64) -> bool {
        let value = &self.values[(candidate.hash >> 48) as usize % VALUES];
        value.hash == candidate.hash && nanos.saturating_sub(value.nanos) <= SPAN_NANOS
    }

    fn class_of(&mut self, classes: &Classes, candidate: &Candidate) -> Option<&mut Class> {
        if candidate.kind != 0 {
            return self.class_of_field(candidate.kind);
        }
        let id = classes[usize::from(candidate.place)];
        if id == 0 {
            return None;
        }
        self.classes.iter_mut().find(|class| class.id == id)
    }

    fn class_of_field(&mut self, kind: u64) -> Option<&mut Class> {
        let found = self.classes.iter().position(|class| class.is_field && class.kind == kind);
        let at = match found {
            Some(at) => Some(at),
            None => self.add(kind, true),
        };
        at.map(|at| &mut self.classes[at])
    }

    /// Where there is room: a place never used, or that of a class that is no key and was not used lately.
    fn add(&mut self, kind: u64, is_field: bool) -> Option<usize> {
        let class = Class {
            id: self.next,
            kind,
            is_field,
            is_key: false,
            events: 0,
            fresh: 0,
            crossed: 0,
            returned: 0,
            tied: (0, 0),
            used: self.seen,
            grew: self.seen,
        };
        let at = if self.classes.len() < CLASSES_MAX {
            self.classes.push(class);
            self.classes.len() - 1
        } else {
            let idle = |class: &&Class| !class.is_key && self.seen - class.used > u64::from(FADES_AT);
            let oldest = self.classes.iter().filter(idle).min_by_key(|class| class.used)?.id;
            let at = self.classes.iter().position(|class| class.id == oldest)?;
            self.classes[at] = class;
            at
        };
        self.next += 1;
        Some(at)
    }

    /// Follows a value, which stands for so many: is it new, was it elsewhere before?
    fn follow(
        &mut self,
        (template, classes): (u64, &Classes),
        candidate: &Candidate,
        nanos: i64,
        stands_for: u32,
    ) {
        let at = (candidate.hash >> 48) as usize % VALUES;
        let before = self.values[at];
        let known = self.is_known(candidate, nanos);
        let crosses = known && before.template != template;
        self.values[at] = Value {
            hash: candidate.hash,
            template,
            nanos: if known { nanos.max(before.nanos) } else { nanos },
            place: candidate.place,
            crossed: known && (before.crossed || crosses),
        };
        let seen = self.seen;
        let returns = !known && before.hash == candidate.hash;
        if let Some(class) = self.class_of(classes, candidate) {
            class.used = seen;
            class.fresh += if known { 0 } else { stands_for };
            class.returned += if returns { stands_for } else { 0 };
            class.crossed += if crosses && !before.crossed { stands_for } else { 0 };
            class.weigh();
        }
        if crosses && candidate.kind == 0 && usize::from(before.place) < VARIABLES {
            self.tie((template, candidate.place), (before.template, before.place));
        }
    }

    fn class_at(&self, (template, place): (u64, u8)) -> u32 {
        let known = self.templates.get(template);
        let id = known.map_or(0, |known| known.classes[usize::from(place)]);
        if self.classes.iter().any(|class| class.id == id) { id } else { 0 }
    }

    /// Two places had the same value.
    fn tie(&mut self, here: (u64, u8), there: (u64, u8)) {
        match (self.class_at(here), self.class_at(there)) {
            (0, 0) => {
                if self.vote(here, mix(there.0 ^ u64::from(there.1)))
                    && let Some(at) = self.add(mix(here.0 ^ mix(u64::from(here.1))) | 1, false)
                {
                    let id = self.classes[at].id;
                    self.join(here, id);
                    self.join(there, id);
                }
            }
            (0, class) if self.vote(here, class.into()) => self.join(here, class),
            (class, 0) if self.vote(there, class.into()) => self.join(there, class),
            (one, other) if one != other && one != 0 && other != 0 => self.tie_classes(one, other),
            _ => {}
        }
    }

    /// Whether a place was often enough tied with this (the majority vote of R. Boyer and J. S. Moore).
    fn vote(&mut self, (template, place): (u64, u8), with: u64) -> bool {
        let tie = &mut self.templates.entry(template).ties[usize::from(place)];
        *tie = match *tie {
            (before, times) if before == with => (with, times.saturating_add(1)),
            (_, 0) => (with, 1),
            (before, times) => (before, times - 1),
        };
        tie.0 == with && tie.1 >= TIES
    }

    fn join(&mut self, (template, place): (u64, u8), id: u32) {
        let seen = self.seen;
        let known = self.templates.entry(template);
        (known.classes[usize::from(place)], known.ties[usize::from(place)]) = (id, (0, 0));
        if let Some(class) = self.classes.iter_mut().find(|class| class.id == id) {
            (class.grew, class.used) = (seen, seen);
        }
    }

    /// Two classes of variables had the same value: in the end they are one.
    fn tie_classes(&mut self, one: u32, other: u32) {
        let (keeps, goes) = (one.min(other), one.max(other));
        let Some(class) = self.classes.iter_mut().find(|class| class.id == goes) else { return };
        class.tied = match class.tied {
            (before, times) if before == keeps => (keeps, times.saturating_add(1)),
            (_, 0) => (keeps, 1),
            (before, times) => (before, times - 1),
        };
        if class.tied.1 < TIES || class.is_key {
            return;
        }
        self.classes.retain(|class| class.id != goes);
        self.templates.each(|known| {
            for class in known.classes.iter_mut().filter(|class| **class == goes) {
                *class = keeps;
            }
        });
        let seen = self.seen;
        if let Some(class) = self.classes.iter_mut().find(|class| class.id == keeps) {
            class.grew = seen;
        }
    }

    pub(super) fn write(&self, out: &mut Writer) {
        out.u64(self.seen);
        out.u32(self.next);
        out.u32(self.classes.len() as u32);
        for class in &self.classes {
            out.u32(class.id);
            out.u64(class.kind);
            out.u8(u8::from(class.is_field) | u8::from(class.is_key) << 1);
            for count in [class.events, class.fresh, class.crossed, class.returned, class.tied.0] {
                out.u32(count);
            }
            out.u8(class.tied.1);
            out.u64(class.used);
            out.u64(class.grew);
        }
        self.templates.write(out, |known, out| {
            let used = |at: &usize| known.classes[*at] != 0 || known.ties[*at] != (0, 0);
            out.u8((0..PLACES).filter(used).count() as u8);
            for at in (0..PLACES).filter(used) {
                out.u8(at as u8);
                out.u32(known.classes[at]);
                out.u64(known.ties[at].0);
                out.u8(known.ties[at].1);
            }
        });
        let used = |value: &&Value| value.hash != 0;
        out.u32(self.values.iter().filter(used).count() as u32);
        for value in self.values.iter().filter(used) {
            out.u64(value.hash);
            out.u64(value.template);
            out.u64(value.nanos as u64);
            out.u8(value.place << 1 | u8::from(value.crossed));
        }
    }

    pub(super) fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
        let mut finder = Self::new();
        (finder.seen, finder.next) = (input.u64()?, input.u32()?.max(1));
        for _ in 0..input.count(50, CLASSES_MAX)? {
            let (id, kind, flags) = (input.u32()?, input.u64()?, input.u8()?);
            let (events, fresh, crossed) = (input.u32()?, input.u32()?, input.u32()?);
            let returned = input.u32()?;
            let tied = (input.u32()?, input.u8()?);
            let (used, grew) = (input.u64()?.min(finder.seen), input.u64()?);
            let (is_field, is_key) = (flags & 1 != 0, flags & 2 != 0);
            finder.classes.push(Class {
                id,
                kind,
                is_field,
                is_key,
                events,
                fresh,
                crossed,
                returned,
                tied,
                used,
                grew,
            });
        }
        finder.templates = Slots::read(input, TEMPLATES_MAX, |input| {
            let mut known = Known::default();
            for _ in 0..input.u8()? {
                let at = usize::from(input.u8()?);
                let (class, tie) = (input.u32()?, (input.u64()?, input.u8()?));
                *known.classes.get_mut(at).ok_or_else(|| input.damaged())? = class;
                known.ties[at] = tie;
            }
            Ok(known)
        })?;
        for _ in 0..input.count(25, VALUES)? {
            let (hash, template, nanos) = (input.u64()?, input.u64()?, input.u64()? as i64);
            let bits = input.u8()?;
            let value = Value { hash, template, nanos, place: bits >> 1, crossed: bits & 1 == 1 };
            finder.values[(hash >> 48) as usize % VALUES] = value;
        }
        Ok(finder)
    }
}

impl Class {
    /// Whether it is a key, as far as has been seen.
    fn weigh(&mut self) {
        let (events, new) = (self.events.max(1) as f32, self.fresh.max(1) as f32);
        let (fresh, crossed) = (self.fresh as f32 / events, self.crossed as f32 / new);
        let returns = !self.is_field && self.returned as f32 / new > RETURNS;
        if self.is_key {
            let stale = !(STALE.0..=STALE.1).contains(&fresh);
            self.is_key = !returns && (self.events < FADES_AT / 2 || !stale);
        } else if returns {
            self.is_key = false;
        } else if self.events >= LEAST.0 && self.fresh >= LEAST.1 {
            self.is_key = fresh >= FRESH.0 && fresh <= FRESH.1 && crossed >= CROSSED;
        }
        if self.events >= FADES_AT {
            self.events /= 2;
            for count in [&mut self.fresh, &mut self.crossed, &mut self.returned] {
                *count = count.div_ceil(2);
            }
        }
    }
}
