//! Which events of a stream belong together, and what is strange about such a session as a whole.
//!
//! The key is a field that was given, a field that is an id by its name (trace, transaction, session,
//! request), a process that others tell apart, a variable that ties lines of several templates together
//! (`find`), or else a user or an address that does (`field`). An event's sessions are found by the value.
//! Sessions end when they were silent for longer than those of their kind are (`idle`), in event time, or
//! to make room; the event that ends such sessions by what was learned brings the verdict early. Those
//! that were seen whole are kept in a bounded sample (`closed`), from which `model::Model` learns
//! beside the stream (`models`).
//!
//! What no later event can take back is told with the event that brings it; what is missing, with the
//! closing event, or in the list of strange sessions (`strange`). It must never read a clock, grow without
//! bound or train.

mod closed;
mod counts;
mod evidence;
mod field;
mod file;
mod find;
mod idle;
mod kind;
mod models;
mod open;
mod repeats;
mod strange;
mod verdict;

use arithmetic::{Random, mix};
use event::{Event, EventId, Template, Variable};
use template::Miner;

use crate::model::EventKey;

use find::{Candidate, Choice, Finder};
use kind::Kind;
use models::KINDS_MAX;
use open::{Open, TEXT_MAX, Table, cut};
use repeats::Repeats;
use strange::Strange;
use verdict::{Book, current};

pub use counts::Counts;
pub use evidence::Evidence;
pub use models::{KindModel, Lessons, Models};
pub use strange::{STRANGE_MAX, SessionEnd, StrangeSession, TemplateCount};

/// Sessions that one event may belong to.
const KEYS_MAX: usize = 4;
/// Sessions remembered after their end, to see whether they go on.
const ENDED: usize = 4_096;
/// A session goes on when its key comes again within so many times what it may be silent for.
const GOES_ON: i64 = 4;
/// Silent sessions are ended with one event in so many, at most as many of a kind.
const ENDS_EVERY: u64 = 16;
const ENDS_AT_ONCE: usize = 32;

/// An event's message as the miner reads it.
#[derive(Debug, Clone, Copy)]
pub struct Message<'m> {
    /// Its template.
    pub template: &'m Template,
    /// Its variables, from left to right.
    pub variables: &'m [Variable],
}

/// All sessions of a stream.
#[derive(Debug, Clone)]
pub struct Entities {
    sessions_max: usize,
    given: Vec<String>,
    finder: Finder,
    table: Table,
    kinds: Vec<Kind>,
    strange: Strange,
    /// Keys of sessions that have ended, and when.
    ended: Vec<(u64, i64)>,
    random: Random,
    /// Events seen.
    pub(crate) seen: u64,
    /// Event time, moved on only by what two events in a row agree on.
    pub(crate) clock: i64,
    latest: i64,
    counts: Counts,
    candidates: Vec<Candidate>,
}

/// A key met with an event.
struct Met<'a> {
    hash: u64,
    kind: u32,
    /// Whether the key was seen before, and whether it is a key for certain.
    is_known: bool,
    is_key: bool,
    text: &'a dyn Fn() -> String,
}

/// What the stream knows besides.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// What was learned of sessions.
    pub models: &'a Models,
    /// The templates that events belong to.
    pub miner: &'a Miner,
}

impl Entities {
    /// None yet, and at most so many at a time. An event's session is known by the value of a field that is
    /// `given`, before all that is found by itself.
    pub fn new(sessions_max: usize, given: Vec<String>, seed: u64) -> Self {
        Self {
            sessions_max: sessions_max.max(1),
            given,
            finder: Finder::new(),
            table: Table::default(),
            kinds: Vec::new(),
            strange: Strange::default(),
            ended: vec![(0, 0); ENDED],
            random: Random::of(seed, 0x5e55),
            seen: 0,
            clock: 0,
            latest: 0,
            counts: Counts::default(),
            candidates: Vec::new(),
        }
    }

    /// Counters since the start, and sizes.
    pub fn counts(&self) -> Counts {
        Counts { open: self.table.len() as u64, ..self.counts }
    }

    /// Goes on with the counters of another one, which it takes the place of.
    pub fn count_on(&mut self, before: &Self) {
        self.counts = before.counts;
    }

    /// The sessions found strange lately, the latest first.
    pub fn strange(&self) -> Vec<StrangeSession> {
        self.strange.all()
    }

    /// Takes an event into its sessions; says what it brings against one of them.
    pub fn observe(
        &mut self,
        id: EventId,
        event: &Event<'_>,
        message: Message<'_>,
        context: Context<'_>,
    ) -> Option<Evidence> {
        // A stamp in the future would end every session: such an event counts as of now.
        let nanos = match event.is_future() {
            false => event.timestamp.as_nanos(),
            true if self.seen > 0 => self.latest,
            true => event.observed_timestamp.as_nanos(),
        };
        self.seen += 1;
        self.clock = self.clock.max(self.latest.min(nanos));
        self.latest = nanos;
        let fields = field::fields(event, &self.given);
        let at = (id, nanos, EventKey::from(message.template.id));
        if let Some(named) = fields.certain {
            let kind = self.kind_of(named.kind, true, || named.label())?;
            let text = || named.text();
            let met = Met { hash: named.key, kind, is_known: false, is_key: true, text: &text };
            let evidence = self.take(&met, at, context);
            self.end_silent(kind, context);
            return evidence;
        }
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.clear();
        find::candidates(event, message.variables, &mut candidates);
        for (place, named) in (find::VARIABLES as u8..).zip(&fields.weak) {
            if let Some(named) = named {
                candidates.push(Candidate { place, kind: named.kind, hash: named.key, is_long: false });
            }
        }
        let evidence = self.choose(&candidates, event, message, &fields, at, context);
        self.candidates = candidates;
        evidence
    }

    /// Finds the key among an event's candidates.
    fn choose(
        &mut self,
        candidates: &[Candidate],
        event: &Event<'_>,
        message: Message<'_>,
        fields: &field::Fields<'_>,
        at: (EventId, i64, EventKey),
        context: Context<'_>,
    ) -> Option<Evidence> {
        let Message { template, variables } = message;
        let (table, kinds) = (&self.table, &self.kinds);
        let is_open = |key: u64| {
            let open = table.get(table.find(key)?)?;
            kinds.get(open.kind as usize).map(|kind| kind.id)
        };
        let choice = self.finder.look(template.id, candidates, at.1, is_open)?;
        let chosen = candidates[choice.candidate];
        let named = usize::from(chosen.place).checked_sub(find::VARIABLES).and_then(|weak| fields.weak[weak]);
        let kind = self.kind_of(choice.kind, false, || match named {
            Some(named) => named.label(),
            None => {
                let number = chosen.place + 1;
                format!("variable {number} of \"{}\"", cut(&template.text, 120))
            }
        })?;
        let mut strongest: Option<Evidence> = None;
        let others = candidates.iter().enumerate().filter(|(_, other)| {
            chosen.kind == 0 && other.kind == 0 && other.hash != chosen.hash && other.is_long
        });
        let others: Vec<usize> = others
            .map(|(at, _)| at)
            .filter(|other| self.finder.is_of(template.id, &candidates[*other], choice.class))
            .take(KEYS_MAX - 1)
            .collect();
        for candidate in std::iter::once(choice.candidate).chain(others) {
            let candidate = candidates[candidate];
            let text = || match named {
                Some(named) => named.text(),
                None => {
                    let variable = variables.get(usize::from(candidate.place));
                    variable.map_or("", |variable| variable.of(&event.message)).to_owned()
                }
            };
            let Choice { is_known, is_key, .. } = choice;
            let met = Met { hash: candidate.hash, kind, is_known, is_key, text: &text };
            let evidence = self.take(&met, at, context);
            if evidence
                .as_ref()
                .is_some_and(|new| strongest.as_ref().is_none_or(|strongest| new.p_value < strongest.p_value))
            {
                strongest = evidence;
            }
        }
        self.end_silent(kind, context);
        strongest
    }

    /// The place of a kind, which is made where there is none and there is room.
    fn kind_of(&mut self, id: u64, is_certain: bool, label: impl FnOnce() -> String) -> Option<u32> {
        let clock = self.clock;
        if let Some(at) = self.kinds.iter().position(|kind| kind.id == id) {
            self.kinds[at].used = clock;
            return Some(at as u32);
        }
        let kind = Kind::new(id, cut(&label(), models::LABEL_MAX).to_owned(), is_certain, clock);
        if self.kinds.len() < KINDS_MAX {
            self.kinds.push(kind);
            return Some(self.kinds.len() as u32 - 1);
        }
        let unused = (0..self.kinds.len()).filter(|at| self.table.of(*at as u32) == 0);
        let at = unused
            .min_by_key(|at| (self.kinds[*at].closed.kept.len() >= kind::FIRST, self.kinds[*at].used))?;
        self.kinds[at] = kind;
        Some(at as u32)
    }

    /// Takes an event into the session of a key.
    fn take(
        &mut self,
        met: &Met<'_>,
        (id, nanos, key): (EventId, i64, EventKey),
        context: Context<'_>,
    ) -> Option<Evidence> {
        let limit = self.kinds[met.kind as usize].limit;
        let mut found = self.table.find(met.hash);
        if let Some(place) = found
            && self.table.get(place).is_some_and(|open| nanos.saturating_sub(open.to) > limit)
        {
            self.end(place, SessionEnd::Silent, context);
            found = None;
        }
        let place = match found {
            Some(place) => {
                self.table.touch(place);
                place
            }
            None => self.open(met, id, nanos, context),
        };
        let open = self.table.get_mut(place)?;
        open.add(key, id, nanos);
        let kind = &mut self.kinds[open.kind as usize];
        if kind.is_stale || !met.is_key {
            return None;
        }
        let model = context.models.of(kind.id)?;
        if verdict::is_merged(model, key, context.miner) {
            kind.is_stale = true;
            return None;
        }
        let book = &mut Book::of(kind, &mut self.strange, &mut self.counts);
        verdict::with_event(open, key, model, context.miner, book)
    }

    fn open(&mut self, met: &Met<'_>, id: EventId, nanos: i64, context: Context<'_>) -> u32 {
        while self.table.len() >= self.sessions_max {
            let stalest = self.table.stalest(met.kind);
            let stalest = stalest.or_else(|| self.table.stalest(self.table.largest()?));
            match stalest {
                Some(place) => self.end(place, SessionEnd::Evicted, context),
                None => break,
            }
        }
        let mut open = Open::new(met.hash, met.kind, id, nanos);
        let text = (met.text)();
        cut(&text, TEXT_MAX).clone_into(&mut open.text);
        open.opened = self.finder.seen;
        open.is_partial = met.is_known;
        let kind = &mut self.kinds[met.kind as usize];
        let ended = self.ended[mix(met.hash) as usize % ENDED];
        let silent = nanos.saturating_sub(ended.1);
        if ended.0 == met.hash && silent <= GOES_ON.saturating_mul(kind.limit) {
            open.is_partial = true;
            kind.learn_gap(silent);
        }
        self.table.insert(open)
    }

    /// Ends sessions of this kind, and of one other in turn, that were silent for too long.
    fn end_silent(&mut self, kind: u32, context: Context<'_>) {
        if !self.seen.is_multiple_of(ENDS_EVERY) {
            return;
        }
        let other = (self.seen / ENDS_EVERY % self.kinds.len() as u64) as u32;
        for kind in [kind, other] {
            for _ in 0..ENDS_AT_ONCE {
                let Some(place) = self.silent(kind) else { break };
                self.end(place, SessionEnd::Silent, context);
            }
        }
    }

    /// The session of a kind that was silent for longest, when that is too long.
    fn silent(&self, kind: u32) -> Option<u32> {
        let limit = self.kinds[kind as usize].limit;
        let place = self.table.stalest(kind)?;
        let open = self.table.get(place)?;
        (self.clock.saturating_sub(open.to) > limit).then_some(place)
    }

    fn end(&mut self, place: u32, end: SessionEnd, context: Context<'_>) {
        let Some(open) = self.table.remove(place) else { return };
        let kind = &mut self.kinds[open.kind as usize];
        self.ended[mix(open.key) as usize % ENDED] = (open.key, open.to);
        self.counts.closed += 1;
        // One that had to go is whole all the same when such sessions are never silent for so long.
        let silent = self.clock.saturating_sub(open.to);
        let is_whole = !open.is_partial && (end != SessionEnd::Evicted || silent > kind.usual());
        self.counts.evicted += u64::from(end == SessionEnd::Evicted);
        if !open.is_partial {
            kind.learn_gap(open.gap);
        }
        if open.told > 0.0 {
            self.strange.end(&open, end);
        }
        if !is_whole || !(kind.is_certain || self.finder.is_key(kind.id)) {
            return;
        }
        if let Some(model) = context.models.of(kind.id).filter(|_| !kind.is_stale) {
            let book = &mut Book::of(kind, &mut self.strange, &mut self.counts);
            verdict::whole(&open, end, model, context.miner, book);
        }
        // Sessions that began before all places of their key were found lack events.
        if kind.trained > 0 || open.opened >= self.finder.grew(kind.id) {
            kind.closed.add(open, &mut self.random);
        }
    }

    /// Whether there is anything to learn.
    pub fn is_due(&self) -> bool {
        self.kinds.iter().any(|kind| kind.is_due(self.clock))
    }

    /// What there is to learn; it counts as learned from now on.
    pub fn lessons(&mut self, miner: &Miner) -> Vec<Lessons> {
        let clock = self.clock;
        let due = self.kinds.iter_mut().filter(|kind| kind.is_due(clock));
        due.map(|kind| kind.lessons(clock, |key| current(miner, key))).collect()
    }

    /// Trainings whose outcome is neither among these nor on its way begin anew.
    pub fn relearn(&mut self, models: &Models) {
        for kind in self.kinds.iter_mut().filter(|kind| kind.trained > 0) {
            let generation = models::generation(kind.id, kind.trained);
            if models.of(kind.id).is_none_or(|model| model.generation != generation) {
                kind.trained = 0;
            }
        }
    }

    /// Ends the sessions that were silent for too long by now.
    pub fn end_all_silent(&mut self, context: Context<'_>) {
        for kind in 0..self.kinds.len() as u32 {
            while let Some(place) = self.silent(kind) {
                self.end(place, SessionEnd::Silent, context);
            }
        }
    }

    /// Goes on with the keys and the sample of another one, which saw more of them.
    pub fn adopt(&mut self, other: Self) {
        if self.kinds.iter().all(|kind| kind.trained == 0) {
            (self.finder, self.kinds) = (other.finder, other.kinds);
            self.table = Table::default();
        }
    }

    /// The models that were learned serve from now on.
    pub fn serve(&mut self, learned: &[std::sync::Arc<KindModel>]) {
        for kind in self.kinds.iter_mut().filter(|kind| learned.iter().any(|model| model.id == kind.id)) {
            (kind.is_stale, kind.repeats) = (false, Repeats::default());
        }
    }
}
