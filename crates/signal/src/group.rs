//! How findings become one signal, and what follows for its life. Pure: what is known comes in, what it has become
//! goes out.
//!
//! A finding tells a *run so far*, and may be told again: by a detector whose run grew, or because events are read once
//! more. So a signal remembers the runs that it counted, and a finding of a run that is counted adds only what it has
//! more. Findings that were seen before change nothing, in whatever order they come again.

use std::time::Duration;

use event::{EventId, Timestamp};
use finding::{Finding, fact};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Evidence, Label, Observed, Signal, SignalId, Standing, State, background,
    bounds::{FACT_BYTES_MAX, FACTS_MAX, TECHNIQUES_MAX, entities_max},
    policy::{Policy, rank},
    ways,
};

/// A resolved signal that comes again within this time is reopened; later it is a new one.
pub const REOPENED_WITHIN: Duration = Duration::from_secs(7 * 24 * 3600);
/// Events shown of the beginning of a signal, and as many of its end.
pub const EVIDENCE_EACH: usize = 4;
/// A signal escalates when it stands for this many times as many events as when it began or last escalated.
pub const ESCALATES_BY: u64 = 10;

/// Runs of a signal that are remembered one by one; earlier ones are kept as a sum.
const RUNS_MAX: usize = 16;
/// The same of signals in which many addresses have runs at a time.
const RUNS_OF_HOST_MAX: usize = 64;
/// Events by which a run is known again.
const MARKS_MAX: usize = 8;
/// Events of a finding by which its run is known again.
const MARKS_EACH: usize = 4;

/// A signal with what it needs to go on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Held {
    pub(crate) signal: Signal,
    pub(crate) counted: Counted,
}

/// What of a signal is counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counted {
    runs: Vec<Run>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    earlier: Option<Earlier>,
    escalates_at: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Run {
    first: Timestamp,
    last: Timestamp,
    count: u64,
    /// Events that it was told by.
    marks: Vec<EventId>,
    /// The newest event that it was told by.
    through: Option<EventId>,
    /// In which way it was found, of those in which the same events may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    way: Option<u8>,
}

/// Runs that are no longer remembered one by one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Earlier {
    runs: u64,
    count: u64,
    /// When the last of them was last seen.
    last: Timestamp,
    /// Their newest event.
    through: Option<EventId>,
}

/// What a finding did to a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joined {
    /// It was counted before.
    Nothing,
    /// There is more of it.
    Grew,
    /// It has become graver, or much more.
    Escalated,
    /// It is there again.
    Reopened,
}

/// The name of a signal that begins with this finding.
pub(crate) fn id_of(observed: &Observed) -> SignalId {
    let finding = &observed.finding;
    let mut hasher = blake3::Hasher::new();
    let mut add = |part: &str| {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    };
    add(observed.organization.as_deref().unwrap_or_default());
    add(finding.kind.as_str());
    add(&finding.rule);
    for entity in finding.entities.iter().take(1) {
        add(entity.r#type.as_str());
        add(&entity.value);
    }
    match finding.evidence.first() {
        Some(event) => add(&event.to_string()),
        None => add(&finding.first.as_nanos().to_string()),
    }
    let mut id = [0; 16];
    hasher.finalize_xof().fill(&mut id);
    SignalId(u128::from_be_bytes(id))
}

impl Held {
    /// A signal that begins with this finding.
    pub(crate) fn begin(observed: &Observed, received: Timestamp) -> Self {
        let finding = &observed.finding;
        let mut held = Self {
            signal: Signal {
                id: id_of(observed),
                kind: finding.kind,
                severity: finding.level,
                confidence: 0.0,
                state: State::New,
                first: finding.first,
                last: finding.last,
                received,
                count: 0,
                entities: Vec::new(),
                rule: finding.rule.clone(),
                techniques: Vec::new(),
                facts: finding.facts.clone(),
                incident: None,
                organization: observed.organization.clone(),
                evidence: Vec::new(),
                standing: Standing::default(),
            },
            counted: Counted { runs: Vec::new(), earlier: None, escalates_at: 0 },
        };
        held.counted.add(finding);
        held.take(observed);
        held.counted.escalates_at = held.escalates_at();
        held.judge();
        held
    }

    /// How well a finding of the same kind, rule, main entity and organization fits; none where it does not.
    pub(crate) fn fit(&self, finding: &Finding) -> Option<Fit> {
        if self.counted.runs.iter().any(|run| run.is_marked_by(finding)) {
            return Some(Fit::Known);
        }
        if self.counted.has(finding) {
            return Some(Fit::Counted);
        }
        let signal = &self.signal;
        if background::is_of_host(&signal.rule) {
            return background::fits(signal, finding).then_some(Fit::Near);
        }
        let is_other_way = signal.rule != finding.rule;
        if is_other_way && !ways::may_join(signal) {
            return None;
        }
        let quiet = Policy::of(signal.kind).quiet;
        if finding.last < earlier(signal.first, quiet) || self.is_too_late(finding) {
            return None;
        }
        let is_near = finding.first <= later(signal.last, quiet);
        let again = later(later(signal.last, quiet), REOPENED_WITHIN);
        match is_near {
            true => Some(Fit::Near),
            false => (!is_other_way && finding.first <= again).then_some(Fit::Again),
        }
    }

    /// Whether it was resolved too long ago.
    fn is_too_late(&self, finding: &Finding) -> bool {
        let resolved_at = self.signal.standing.resolved_at;
        resolved_at.is_some_and(|at| finding.first > later(at, REOPENED_WITHIN))
    }

    /// Takes a finding that fits.
    pub(crate) fn join(&mut self, observed: &Observed, received: Timestamp) -> Joined {
        let finding = &observed.finding;
        let quiet = Policy::of(self.signal.kind).quiet;
        let before = self.clone();
        let has_paused = finding.first > later(before.signal.last, quiet);
        let is_later = finding.last > before.signal.last;
        self.counted.name(ways::of_signal(&self.signal));
        ways::add(&mut self.signal, finding);
        self.counted.add(finding);
        self.take(observed);
        let signal = &mut self.signal;
        signal.severity = signal.severity.max(finding.level);
        let is_news = self.counted != before.counted
            || signal.severity > before.signal.severity
            || signal.rule != before.signal.rule
            || signal.entities != before.signal.entities
            || signal.techniques != before.signal.techniques;
        if !is_news {
            *self = before;
            return Joined::Nothing;
        }
        signal.received = signal.received.max(received);
        self.learn(finding);
        let signal = &mut self.signal;
        let is_graver = signal.severity > before.signal.severity;
        let is_much_more = signal.count >= self.counted.escalates_at;
        if is_much_more {
            self.counted.escalates_at = self.escalates_at();
        }
        let signal = &mut self.signal;
        let was_over = before.signal.state == State::Resolved || has_paused;
        let joined = match before.signal.state {
            _ if was_over && is_later => Joined::Reopened,
            State::Resolved => Joined::Grew,
            State::Acknowledged if is_graver => Joined::Escalated,
            State::Acknowledged => Joined::Grew,
            _ if is_graver || is_much_more => Joined::Escalated,
            _ => Joined::Grew,
        };
        match joined {
            Joined::Reopened => signal.reopen(),
            Joined::Escalated => signal.state = State::Escalating,
            _ if signal.state == State::New => signal.state = State::Ongoing,
            _ => {}
        }
        self.judge();
        joined
    }

    /// Takes what a finding says beside its count.
    fn take(&mut self, observed: &Observed) {
        let signal = &mut self.signal;
        let finding = &observed.finding;
        signal.first = signal.first.min(finding.first);
        signal.last = signal.last.max(finding.last);
        signal.count = self.counted.count();
        let is_of_host = background::is_of_host(&signal.rule);
        for entity in &finding.entities {
            if !is_of_host || background::has_room(signal, entity.r#type) {
                let max = entities_max(&signal.rule);
                add_some(&mut signal.entities, std::slice::from_ref(entity), max);
            }
        }
        add_some(&mut signal.techniques, &finding.techniques, TECHNIQUES_MAX);
        add_evidence(&mut signal.evidence, &observed.evidence);
    }

    /// Takes what else a finding knows: the latest counts, but of a host everything.
    fn learn(&mut self, finding: &Finding) {
        let signal = &mut self.signal;
        let has_succeeded = signal.facts.get(fact::SUCCEEDED) == Some(&Value::Bool(true));
        for (name, value) in &finding.facts {
            let has_room = signal.facts.len() < FACTS_MAX;
            match signal.facts.get_mut(name) {
                Some(known) if background::is_of_host(&signal.rule) => {
                    background::merge(known, value, FACT_BYTES_MAX);
                }
                Some(known) => known.clone_from(value),
                None if has_room => drop(signal.facts.insert(name.clone(), value.clone())),
                None => {}
            }
        }
        if has_succeeded {
            // That a later run did not succeed takes nothing back.
            signal.facts.insert(fact::SUCCEEDED.to_owned(), Value::Bool(true));
        }
    }

    /// How many events make it escalate. That a day of a host has more than its first run is nothing new.
    fn escalates_at(&self) -> u64 {
        match background::is_of_host(&self.signal.rule) {
            true => u64::MAX,
            false => self.signal.count.saturating_mul(ESCALATES_BY),
        }
    }

    /// Judges anew how sure it is, and what comes first.
    pub(crate) fn judge(&mut self) {
        let runs = self.counted.runs();
        self.signal.judge(runs);
    }
}

/// How well a finding fits a signal, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// It tells a run that is counted in it, or more of one.
    Known,
    /// It lies in what is counted in it.
    Counted,
    /// It belongs to it.
    Near,
    /// It is the same thing again.
    Again,
}

impl Counted {
    /// What was found in several ways at the same time is the same events: the most of any way count.
    fn count(&self) -> u64 {
        let (mut all, mut sums) = (self.earlier.map_or(0, |earlier| earlier.count), [0_u64; ways::WAYS]);
        let mut last = Timestamp::MIN;
        let most = |sums: [u64; ways::WAYS]| sums.into_iter().max().unwrap_or(0);
        for run in &self.runs {
            let Some(way) = run.way else {
                all = all.saturating_add(run.count);
                continue;
            };
            if run.first > last {
                all = all.saturating_add(most(std::mem::take(&mut sums)));
            }
            last = last.max(run.last);
            let sum = &mut sums[usize::from(way) % ways::WAYS];
            *sum = sum.saturating_add(run.count);
        }
        all.saturating_add(most(sums))
    }

    fn runs(&self) -> u64 {
        self.runs.len() as u64 + self.earlier.map_or(0, |earlier| earlier.runs)
    }

    /// Whether everything that the finding counts is counted.
    fn has(&self, finding: &Finding) -> bool {
        let marked = self.runs_like(finding).any(|run| run.is_marked_by(finding));
        let is_held = self.runs_like(finding).any(|run| run.holds(finding) && finding.count <= run.count);
        is_held || !marked && self.is_earlier(finding)
    }

    /// Runs that were found in the same way.
    fn runs_like(&self, finding: &Finding) -> impl Iterator<Item = &Run> {
        let way = ways::of(finding);
        self.runs.iter().filter(move |run| run.way == way)
    }

    /// Says of runs in which way they were found, where that was not kept yet.
    fn name(&mut self, way: Option<u8>) {
        self.runs.iter_mut().for_each(|run| run.way = run.way.or(way));
    }

    fn is_earlier(&self, finding: &Finding) -> bool {
        self.earlier.is_some_and(|earlier| is_through(earlier.through, earlier.last, finding))
    }

    fn add(&mut self, finding: &Finding) {
        if self.has(finding) {
            return;
        }
        let way = ways::of(finding);
        let marked = self.runs_like(finding).any(|run| run.is_marked_by(finding));
        // A run that grew at both ends may share no event with what was told of it.
        let may_overlap = finding.is_update || finding.evidence.is_empty();
        let is_same = |run: &mut Run| {
            let is_same = || run.holds(finding) || may_overlap && run.overlaps(finding);
            run.way == way && if marked { run.is_marked_by(finding) } else { is_same() }
        };
        let known: Vec<Run> = self.runs.extract_if(.., is_same).collect();
        let of_known = known.iter().fold(0_u64, |sum, run| sum.saturating_add(run.count));
        let mut run = Run {
            first: finding.first,
            last: finding.last,
            count: finding.count.max(of_known),
            marks: Vec::new(),
            through: finding.evidence.iter().max().copied(),
            way,
        };
        for known in &known {
            run.first = run.first.min(known.first);
            run.last = run.last.max(known.last);
            run.through = run.through.max(known.through);
            add_some(&mut run.marks, &known.marks, MARKS_MAX);
        }
        if known.is_empty() {
            add_some(&mut run.marks, &finding.evidence, MARKS_EACH);
        }
        let place = |run: &Run| (run.first, run.last, run.marks.first().copied());
        let place = self.runs.partition_point(|other| place(other) <= place(&run));
        self.runs.insert(place, run);
        let runs_max = if background::is_of_host(&finding.rule) { RUNS_OF_HOST_MAX } else { RUNS_MAX };
        match self.runs.len() > runs_max {
            true if way.is_some() => self.join_first(),
            true => self.forget_first(),
            false => {}
        }
    }

    /// Makes the first two runs one that were found in the way in which most were.
    fn join_first(&mut self) {
        let of = |way: u8| self.runs.iter().filter(|run| run.way == Some(way)).count();
        let most = (0..ways::WAYS as u8).max_by_key(|way| of(*way));
        let mut places = (0..self.runs.len()).filter(|place| self.runs[*place].way == most);
        let (Some(first), Some(second)) = (places.next(), places.next()) else { return self.forget_first() };
        let next = self.runs.remove(second);
        let run = &mut self.runs[first];
        run.last = run.last.max(next.last);
        run.count = run.count.saturating_add(next.count);
        run.through = run.through.max(next.through);
        add_some(&mut run.marks, &next.marks, MARKS_MAX);
    }

    /// Keeps the first run as part of a sum.
    fn forget_first(&mut self) {
        let run = self.runs.remove(0);
        let earlier =
            self.earlier.get_or_insert(Earlier { runs: 0, count: 0, last: run.last, through: None });
        earlier.runs += 1;
        earlier.count = earlier.count.saturating_add(run.count);
        earlier.last = earlier.last.max(run.last);
        earlier.through = earlier.through.max(run.through);
    }
}

/// Whether all events of a finding are of the same journal as this one and no newer; by its time, where it names none.
fn is_through(through: Option<EventId>, last: Timestamp, finding: &Finding) -> bool {
    let is_older =
        |id: &EventId| through.is_some_and(|through| id.journal == through.journal && *id <= through);
    if finding.evidence.is_empty() { finding.last <= last } else { finding.evidence.iter().all(is_older) }
}

impl Run {
    fn is_marked_by(&self, finding: &Finding) -> bool {
        finding.evidence.iter().any(|event| self.marks.contains(event))
    }

    /// Whether the finding tells a part of the run that was told before.
    fn holds(&self, finding: &Finding) -> bool {
        self.first <= finding.first
            && finding.last <= self.last
            && is_through(self.through, self.last, finding)
    }

    fn overlaps(&self, finding: &Finding) -> bool {
        self.first <= finding.last && finding.first <= self.last
    }
}

impl Signal {
    /// Judges anew how sure it is, standing for so many runs, and what comes first.
    fn judge(&mut self, runs: u64) {
        let standing = &mut self.standing;
        let is_expected = standing.label == Some(Label::Expected);
        standing.hidden = standing.suppression.is_some() || is_expected && standing.alike;
        self.confidence = match self.standing.label {
            Some(Label::Real) => 1.0,
            Some(Label::Expected) => 0.05,
            None => Policy::of(self.kind).confidence_of(runs),
        };
        self.standing.rank = rank(self.severity, self.confidence);
    }

    pub(crate) fn reopen(&mut self) {
        self.state = State::Reopened;
        self.standing.resolved_at = None;
    }

    pub(crate) fn resolve(&mut self, at: Timestamp) {
        self.state = State::Resolved;
        self.standing.resolved_at = Some(at);
        self.standing.snoozed_until = None;
    }
}

/// Adds what is not there yet, up to a bound.
pub(crate) fn add_some<T: Clone + PartialEq>(all: &mut Vec<T>, more: &[T], max: usize) {
    for one in more {
        if all.len() < max && !all.contains(one) {
            all.push(one.clone());
        }
    }
}

/// Adds events, and keeps the first and the last few.
fn add_evidence(all: &mut Vec<Evidence>, more: &[Evidence]) {
    for one in more {
        if all.iter().any(|known| known.id == one.id) {
            continue;
        }
        let place = all.partition_point(|known| (known.timestamp, known.id) < (one.timestamp, one.id));
        all.insert(place, one.clone());
        if all.len() > 2 * EVIDENCE_EACH {
            all.remove(EVIDENCE_EACH);
        }
    }
}

pub(crate) fn later(at: Timestamp, by: Duration) -> Timestamp {
    Timestamp::saturating_from_nanos(i128::from(at.as_nanos()).saturating_add_unsigned(by.as_nanos()))
}

pub(crate) fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    Timestamp::saturating_from_nanos(i128::from(at.as_nanos()).saturating_sub_unsigned(by.as_nanos()))
}
