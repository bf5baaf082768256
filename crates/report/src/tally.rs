//! Signals, taken in one by one.

use std::collections::{BTreeMap, HashMap};

use event::Timestamp;
use finding::{EntityType, FindingKind, Level};
use signal::{Entry, Signal, State, narrative};

use crate::{
    coverage::Coverage,
    noise::Rules,
    period::{Period, Unit},
    report::{
        About, BySeverity, Counted, OfKind, OfOrganization, OverTime, Report, Signals, Unseen, UnseenSignal,
    },
    response::{Taken, is_seen},
};

/// Entities, rules, and signals that nobody looked at, that a report lists.
pub const LISTED_MAX: usize = 10;
const LEVELS: usize = Level::ALL.len();

/// Counts of each severity, from the least grave.
#[derive(Debug, Clone, Default)]
struct Levels([Counted; LEVELS]);

impl Levels {
    fn add(&mut self, level: Level, is_now: bool) {
        let counted = &mut self.0[level as usize];
        *(if is_now { &mut counted.now } else { &mut counted.before }) += 1;
    }

    fn told(&self) -> Vec<BySeverity> {
        let each = Level::ALL.iter().rev();
        each.map(|level| BySeverity { severity: *level, signals: self.0[*level as usize] }).collect()
    }

    fn total(&self) -> Counted {
        let sum = |of: fn(&Counted) -> u64| self.0.iter().map(of).sum();
        Counted { now: sum(|counted| counted.now), before: sum(|counted| counted.before) }
    }
}

#[derive(Debug, Default)]
struct Organization {
    levels: Levels,
    open: u64,
    unseen: u64,
}

/// What is counted of something: how many, and the gravest.
#[derive(Debug, Clone, Copy)]
struct Sum {
    signals: Counted,
    severity: Level,
}

impl Sum {
    const NONE: Self = Self { signals: Counted { now: 0, before: 0 }, severity: Level::Informational };

    fn add(&mut self, level: Level, is_now: bool) {
        *(if is_now { &mut self.signals.now } else { &mut self.signals.before }) += 1;
        self.severity = self.severity.max(level);
    }
}

/// Takes in the signals of a time and of the one before, each once, and what was done with them.
#[derive(Debug)]
pub struct Tally {
    period: Period,
    before: Period,
    reader: narrative::Reader,
    organization: Option<String>,
    unit: Unit,
    bars: Vec<Timestamp>,
    began_in: Vec<[u64; LEVELS]>,
    levels: Levels,
    began: Counted,
    open: u64,
    hidden: Counted,
    kinds: HashMap<FindingKind, Sum>,
    entities: HashMap<(EntityType, String), Sum>,
    taken: BTreeMap<Level, Taken>,
    all_taken: Taken,
    unseen: Unseen,
    rules: Rules,
    organizations: BTreeMap<String, Organization>,
}

impl Tally {
    /// Of a time, told in the language and the zone of a reader; of one organization, where it is named.
    pub fn new(period: Period, organization: Option<String>, reader: narrative::Reader) -> Self {
        let (unit, bars) = period.bars(&reader.zone);
        Self {
            period,
            before: period.earlier(),
            reader,
            organization,
            unit,
            began_in: vec![[0; LEVELS]; bars.len()],
            bars,
            levels: Levels::default(),
            began: Counted::default(),
            open: 0,
            hidden: Counted::default(),
            kinds: HashMap::new(),
            entities: HashMap::new(),
            taken: BTreeMap::new(),
            all_taken: Taken::default(),
            unseen: Unseen { total: 0, over: 0, signals: Vec::new() },
            rules: Rules::default(),
            organizations: BTreeMap::new(),
        }
    }

    /// The time that the signals which are to be taken in were seen in.
    pub fn of(&self) -> [Period; 2] {
        [self.period, self.before]
    }

    /// Takes a signal in, with its history from the beginning. What was seen in neither time counts for nothing.
    pub fn take(&mut self, signal: &Signal, history: &[Entry]) {
        let is_other = |own: &String| signal.organization.as_ref() != Some(own);
        if self.organization.as_ref().is_some_and(is_other) {
            return;
        }
        if self.period.saw(signal.first, signal.last) {
            self.take_one(signal, history, true);
        }
        if self.before.saw(signal.first, signal.last) {
            self.take_one(signal, history, false);
        }
    }

    fn take_one(&mut self, signal: &Signal, history: &[Entry], is_now: bool) {
        if is_now {
            self.rules.take(signal, is_seen(history));
        }
        if signal.standing.hidden {
            *(if is_now { &mut self.hidden.now } else { &mut self.hidden.before }) += 1;
            return;
        }
        let level = signal.severity;
        self.levels.add(level, is_now);
        let period = if is_now { self.period } else { self.before };
        if period.holds(signal.first) {
            *(if is_now { &mut self.began.now } else { &mut self.began.before }) += 1;
        }
        self.kinds.entry(signal.kind).or_insert(Sum::NONE).add(level, is_now);
        for entity in &signal.entities {
            let key = (entity.r#type, entity.value.clone());
            self.entities.entry(key).or_insert(Sum::NONE).add(level, is_now);
        }
        let organization = signal.organization.clone().unwrap_or_default();
        let own = self.organizations.entry(organization).or_default();
        own.levels.add(level, is_now);
        if !is_now {
            return;
        }
        let is_unseen = !is_seen(history);
        own.open += u64::from(signal.state.is_open());
        own.unseen += u64::from(is_unseen);
        self.open += u64::from(signal.state.is_open());
        self.take_bar(signal);
        self.taken.entry(level).or_default().take(history);
        self.all_taken.take(history);
        if is_unseen {
            self.take_unseen(signal);
        }
    }

    fn take_bar(&mut self, signal: &Signal) {
        if !self.period.holds(signal.first) {
            return;
        }
        let bar = self.bars.partition_point(|begins| *begins <= signal.first).saturating_sub(1);
        if let Some(bar) = self.began_in.get_mut(bar) {
            bar[LEVELS - 1 - signal.severity as usize] += 1;
        }
    }

    fn take_unseen(&mut self, signal: &Signal) {
        self.unseen.total += 1;
        self.unseen.over += u64::from(signal.state == State::Resolved);
        let first = &mut self.unseen.signals;
        let rank = signal.standing.rank;
        let before = |other: &UnseenSignal| (other.rank, other.last) >= (rank, signal.last);
        let place = first.partition_point(before);
        if place >= LISTED_MAX {
            return;
        }
        let title = narrative::of(signal, &self.reader).title;
        let told = UnseenSignal {
            id: signal.id,
            kind: signal.kind,
            severity: signal.severity,
            rank,
            title,
            last: signal.last,
            count: signal.count,
        };
        first.insert(place, told);
        first.truncate(LISTED_MAX);
    }

    /// What it came to, made at this moment. `is_complete` says whether every signal of both times was taken in.
    pub fn report(self, coverage: Coverage, made_at: Timestamp, is_complete: bool) -> Report {
        let organizations = match self.organizations.len() {
            0 | 1 => Vec::new(),
            _ => self.organizations.into_iter().map(of_organization).collect(),
        };
        let is_new = |sum: &&Sum| sum.signals.now > 0 && sum.signals.before == 0;
        Report {
            period: self.period,
            before: self.before,
            made_at,
            is_complete,
            signals: Signals {
                total: self.levels.total(),
                began: self.began,
                open: self.open,
                hidden: self.hidden,
                by_severity: self.levels.told(),
                over_time: OverTime { unit: self.unit, begins: self.bars, began: self.began_in },
            },
            kinds: kinds(self.kinds),
            entities_total: self.entities.values().filter(|sum| sum.signals.now > 0).count() as u64,
            entities_new: self.entities.values().filter(is_new).count() as u64,
            entities: entities(self.entities),
            response: response(self.taken, self.all_taken),
            unseen: self.unseen,
            noise: self.rules.noisy(self.organization.as_deref(), LISTED_MAX),
            organization: self.organization,
            coverage,
            organizations,
        }
    }
}

fn of_organization((organization, own): (String, Organization)) -> OfOrganization {
    OfOrganization {
        organization,
        signals: own.levels.total(),
        open: own.open,
        unseen: own.unseen,
        by_severity: own.levels.told(),
    }
}

fn kinds(kinds: HashMap<FindingKind, Sum>) -> Vec<OfKind> {
    let each = kinds.into_iter();
    let mut kinds: Vec<OfKind> =
        each.map(|(kind, sum)| OfKind { kind, severity: sum.severity, signals: sum.signals }).collect();
    let key = |of: &OfKind| (std::cmp::Reverse((of.signals.now, of.signals.before)), of.kind.as_str());
    kinds.sort_by_key(key);
    kinds
}

fn entities(entities: HashMap<(EntityType, String), Sum>) -> Vec<About> {
    let mut about: Vec<About> = entities
        .into_iter()
        .filter(|(_, sum)| sum.signals.now > 0)
        .map(|((r#type, value), sum)| About { r#type, value, severity: sum.severity, signals: sum.signals })
        .collect();
    let order = |a: &About, b: &About| {
        (b.signals.now, b.severity, &a.value, a.r#type.as_str()).cmp(&(
            a.signals.now,
            a.severity,
            &b.value,
            b.r#type.as_str(),
        ))
    };
    about.sort_by(order);
    about.truncate(LISTED_MAX);
    about
}

fn response(mut taken: BTreeMap<Level, Taken>, all: Taken) -> Vec<crate::Response> {
    let levels = Level::ALL.iter().rev();
    let mut told: Vec<_> = levels.filter_map(|level| Some(taken.remove(level)?.told(Some(*level)))).collect();
    told.push(all.told(None));
    told
}
