//! The service: templates, window and model behind short locks.

mod labels;
mod learned;
mod models;
mod problems;
mod sessions;
mod starters;
mod templates;
mod training;
mod upkeep;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use event::{
    Analyzed, Batch, Event, EventId, Position, Template, TemplateId, Variable, Verdict, VerdictState,
};
use session::{Context, Entities, Evidence, Models};
use template::{Merged, Miner};

pub use problems::Problem;
use problems::Problems;
use sessions::Learning;
use starters::{Starters, has_own};
use templates::Decisions;
pub use templates::{TemplateOperation, Templates};
use upkeep::Upkeep;

use crate::{
    Config, OpenError, Prediction, Stats, explain,
    feedback::{Book, General, Label, Lookup},
    lineage::Lineage,
    model::{self, Cache, Model},
    registry::Registry,
    starter::Starter,
    window::{Facts, Row, Seen, Window},
    words::WordIndex,
};

const MAGIC: &[u8; 8] = b"LSWINDOW";
/// Version 1 ends with the window, version 2 before the sessions, version 3 before the lineage.
const VERSION: u32 = 4;
/// Events analysed or learned under one lock.
const CHUNK: usize = 512;

/// The state of the stream.
#[derive(Debug)]
struct State {
    miner: Miner,
    window: Window,
    entities: Entities,
    /// Events at which the next attempt is made after a failed training.
    retry_at: u64,
    lineage: Lineage,
}

/// The model that serves.
#[derive(Debug, Clone)]
struct Serving {
    version: String,
    model: Arc<Model>,
    /// Whether what it was trained with is there.
    has_learned: bool,
}

#[derive(Debug, Default)]
struct Scratch {
    rows: Vec<Row>,
    facts: Vec<Facts>,
    scores: Vec<f32>,
    cache: Cache,
    /// The model the cache belongs to.
    version: String,
    lookup: Arc<Lookup>,
    general: General,
    /// What each event brings against its session.
    sessions: Vec<Option<Evidence>>,
    /// Rows of events that are marked as bad.
    bad: Vec<usize>,
}

/// Templates, model, window state: everything the scoring of a stream needs. Share it by Arc.
#[derive(Debug)]
pub struct Service {
    config: Config,
    registry: Arc<Registry>,
    state: RwLock<State>,
    serving: RwLock<Option<Serving>>,
    /// What `current` said when it was last read or written, and the newest version met.
    noticed: Mutex<(Option<String>, Option<String>)>,
    /// Held through `analyze`, so that a snapshot lies between two batches, and while models are exchanged. Taken
    /// after `training`, before anything else.
    scratch: Mutex<Scratch>,
    /// Held through a training.
    training: Mutex<()>,
    /// Held together with `scratch`, or for a moment by itself.
    upkeep: Mutex<Upkeep>,
    /// Held for a moment, after anything else but `scratch`.
    sessions: Mutex<Learning>,
    feedback: Mutex<Book>,
    /// Taken before `feedback`, both before the state.
    decisions: Mutex<Decisions>,
    starters: Mutex<Starters>,
    problems: Problems,
    lookup: RwLock<Arc<Lookup>>,
    /// Held for a moment, after the state or by itself.
    words: Mutex<WordIndex>,
    scored: AtomicU64,
    anomalies: AtomicU64,
    failed_trainings: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read<T>(locked: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    locked.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(locked: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    locked.write().unwrap_or_else(PoisonError::into_inner)
}

impl Service {
    /// Opens the folder of models and takes the chosen one, else the newest that loads.
    ///
    /// # Errors
    /// When the folder cannot be made or read. Broken models are passed over.
    pub fn open(config: Config) -> Result<Self, OpenError> {
        let registry = Registry::open(config.dir.clone(), config.models_max)
            .map_err(|source| OpenError::Directory { path: config.dir.clone(), source })?;
        let versions = registry.versions();
        let current = registry.current();
        let problems = Problems::default();
        let serving = models::first(&registry, current.as_deref(), &versions, &problems);
        let mut feedback = Book::open(&config.dir)
            .map_err(|source| OpenError::Feedback { path: config.dir.clone(), source })?;
        let decisions = Decisions::open(&config.dir)
            .map_err(|source| OpenError::Feedback { path: config.dir.clone(), source })?;
        let mut state = State {
            miner: Miner::new(config.template.clone()),
            window: Window::new(config.seed),
            entities: sessions::entities(&config),
            retry_at: 0,
            lineage: Lineage::default(),
        };
        state.window.mask = config.parts.mask();
        state.miner.set_operations(decisions.operations.clone());
        labels::recall(&mut feedback, &mut state.miner);
        let (known, refused) = Starter::open_all(&config.dir)
            .map_err(|source| OpenError::Directory { path: config.dir.clone(), source })?;
        let starters = Starters { known, refused };
        starters.tell(&mut state);
        problems.of_files([
            ("feedback", feedback.problem.clone()),
            ("templates", decisions.problem().map(str::to_owned)),
            ("starters", (!starters.refused.is_empty()).then(|| starters.refused.join("; "))),
            ("models", registry.problem()),
        ]);
        let service = Self {
            problems,
            words: Mutex::default(),
            sessions: Mutex::default(),
            lookup: RwLock::new(Arc::new(feedback.lookup())),
            feedback: Mutex::new(feedback),
            decisions: Mutex::new(decisions),
            starters: Mutex::new(starters),
            registry: Arc::new(registry),
            upkeep: Mutex::new(Upkeep::new(config.seed)),
            state: RwLock::new(state),
            serving: RwLock::new(serving),
            noticed: Mutex::new((current, versions.last().cloned())),
            scratch: Mutex::default(),
            training: Mutex::default(),
            scored: AtomicU64::default(),
            anomalies: AtomicU64::default(),
            failed_trainings: AtomicU64::default(),
            config,
        };
        service.go_on();
        service.match_feedback();
        Ok(service)
    }

    /// Templates and scores events in stream order, and learns from them. Takes time; call it off
    /// the reactor. A model that has become due is trained beside the stream.
    pub fn analyze<'a>(&self, events: Vec<(EventId, Event<'a>)>, end: Position) -> Batch<'a> {
        let mut scratch = lock(&self.scratch);
        let mut batch = Batch { events: Vec::with_capacity(events.len()), variables: Vec::new(), end };
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() {
            let serving = self.judging(&read(&self.state));
            let first = batch.events.len();
            let models = self.session_models();
            self.analyze_chunk(events.by_ref().take(CHUNK), &mut batch, (&mut scratch, &models));
            let threshold = self.threshold(serving.as_ref());
            let anomalies = judge(serving.as_ref(), threshold, &mut batch, first, &mut scratch);
            self.scored.fetch_add((batch.events.len() - first) as u64, Relaxed);
            self.anomalies.fetch_add(anomalies, Relaxed);
            self.watch(serving.as_ref(), &batch.events[first..], &scratch);
            self.keep_up();
            self.keep_up_sessions();
        }
        batch
    }

    /// Templates, features and learning for some events; their verdicts are still open.
    fn analyze_chunk<'a>(
        &self,
        events: impl Iterator<Item = (EventId, Event<'a>)>,
        batch: &mut Batch<'a>,
        (scratch, models): (&mut Scratch, &Models),
    ) {
        scratch.rows.clear();
        scratch.facts.clear();
        scratch.sessions.clear();
        let mut state = write(&self.state);
        let State { miner, window, entities, lineage, .. } = &mut *state;
        let mut last = None;
        for (id, event) in events {
            let from = batch.variables.len();
            // After a restart the journal gives some again that are part of what was learned.
            let again = lineage.holds(id);
            let learn = if again { look_one } else { learn_one };
            let (shape, template, row, facts) = learn(miner, window, &event, &mut batch.variables);
            if !again {
                lineage.learn(id);
            }
            last = Some(id);
            scratch.rows.push(row);
            scratch.facts.push(facts);
            let found = batch.variables.get(from..).unwrap_or_default();
            let context = Context { models, miner };
            scratch.sessions.push(if self.config.parts.sessions && !again {
                entities.observe(id, &event, (&template, found), context)
            } else {
                None
            });
            let variables = from as u32..batch.variables.len() as u32;
            batch.events.push(Analyzed {
                id,
                event,
                shape,
                variables,
                template: Some(template),
                verdict: Verdict::unscored(),
            });
        }
        if let Some(last) = last {
            lineage.reach(last);
        }
        scratch.lookup = read(&self.lookup).clone();
        scratch.general = scratch.lookup.general(|id| miner.current(id));
    }

    /// From which score on an event is an anomaly.
    fn threshold(&self, serving: Option<&Serving>) -> f32 {
        serving.map_or_else(
            || model::threshold(self.config.false_positive_rate),
            |serving| serving.model.threshold,
        )
    }

    /// What `analyze` would say, without any change of state.
    pub fn predict(&self, event: &Event<'_>) -> Prediction {
        self.look(event, true)
    }

    /// As [`Service::predict`], without the nearest template.
    pub fn verdict(&self, event: &Event<'_>) -> Verdict {
        let Prediction { score, is_anomaly, state, reasons, .. } = self.look(event, false);
        Verdict { score, is_anomaly, state, reasons }
    }

    fn look(&self, event: &Event<'_>, with_nearest: bool) -> Prediction {
        let mut variables = Vec::new();
        let state = read(&self.state);
        let serving = self.judging(&state);
        let mined = state.miner.find(&event.message, &mut variables);
        let shape = mined.as_ref().map(|mined| mined.shape);
        let template = mined.map(|mined| mined.template);
        if template.is_none() {
            variables.clear();
        }
        let id = template.as_ref().map(|template| template.id);
        let seen = Seen::new(event, id, &variables);
        let keys = seen.keys();
        let (row, facts) = state.window.assess_single(&seen, keys);
        let wants_nearest = with_nearest && template.is_none();
        if wants_nearest {
            lock(&self.words).follow(&state.miner);
        }
        let needed = self.needed(&state.window, has_own(serving.as_ref()));
        let lookup = read(&self.lookup).clone();
        let general = lookup.general(|id| state.miner.current(id));
        drop(state);
        // Beside the state: whoever asks for much of this holds up nobody else.
        let nearest_template = if wants_nearest { lock(&self.words).find(&event.message) } else { None };
        let mut verdict =
            verdict(serving.as_ref(), &row, |model| explain::reasons(model, &row, &facts, event, &variables));
        if let Some(shape) = shape
            && let Some(mark) = lookup.find(&general, shape, id, event, &variables)
        {
            mark.apply(self.threshold(serving.as_ref()), &mut verdict);
        }
        let Verdict { score, is_anomaly, state, reasons } = verdict;
        let model = serving.map(|serving| serving.version).unwrap_or_default();
        Prediction { score, is_anomaly, reasons, template, nearest_template, state, model, needed }
    }

    /// All ids whose stored rows belong to this template, for queries.
    pub fn aliases(&self, id: TemplateId) -> Vec<TemplateId> {
        read(&self.state).miner.aliases(id)
    }

    /// All templates that stand for other ids too, for counts by template.
    pub fn merged_templates(&self) -> Vec<Merged> {
        read(&self.state).miner.merged()
    }

    /// Counters and sizes.
    pub fn stats(&self) -> Stats {
        let state = read(&self.state);
        let sessions = state.entities.counts();
        Stats {
            scored: self.scored.load(Relaxed),
            anomalies: self.anomalies.load(Relaxed),
            templates: state.miner.len() as u64,
            shapes: state.window.groups() as u64,
            models: self.registry.versions().len() as u64,
            failed_trainings: self.failed_trainings.load(Relaxed),
            open_sessions: sessions.open,
            ended_sessions: sessions.closed,
            strange_sessions: sessions.strange,
            evicted_sessions: sessions.evicted,
        }
    }
}

/// Finds an event's template and features, then learns it.
fn learn_one(
    miner: &mut Miner,
    window: &mut Window,
    event: &Event<'_>,
    variables: &mut Vec<Variable>,
) -> (u64, Arc<Template>, Row, Facts) {
    let from = variables.len();
    let mined = miner.mine(&event.message, variables);
    let found = variables.get(from..).unwrap_or_default();
    let seen = Seen::new(event, Some(mined.template.id), found);
    let keys = seen.keys();
    if !window.knows(keys) {
        if !mined.is_new {
            let merged = miner.forebears(mined.template.id);
            window.inherit(keys, merged.into_iter().filter(|id| *id != mined.template.id));
        }
        window.begin(&seen, keys);
    }
    let (row, facts) = window.assess(&seen, keys);
    window.learn(&seen, keys, row);
    (mined.shape, mined.template, row, facts)
}

/// As [`learn_one`], for an event that was learned before.
fn look_one(
    miner: &mut Miner,
    window: &mut Window,
    event: &Event<'_>,
    variables: &mut Vec<Variable>,
) -> (u64, Arc<Template>, Row, Facts) {
    let from = variables.len();
    let mined = miner.find(&event.message, variables).unwrap_or_else(|| {
        variables.truncate(from);
        miner.mine(&event.message, variables)
    });
    let found = variables.get(from..).unwrap_or_default();
    let seen = Seen::new(event, Some(mined.template.id), found);
    let (row, facts) = window.assess_single(&seen, seen.keys());
    (mined.shape, mined.template, row, facts)
}

/// What a model says of one row; `explain` is asked when that is an anomaly.
fn verdict(serving: Option<&Serving>, row: &Row, explain: impl FnOnce(&Model) -> Vec<String>) -> Verdict {
    let Some(Serving { model, .. }) = serving else {
        return Verdict {
            score: Verdict::quantize(model::uncalibrated(row)),
            is_anomaly: false,
            state: VerdictState::WarmingUp,
            reasons: Vec::new(),
        };
    };
    let score = Verdict::quantize(model.score(row));
    let is_anomaly = score >= model.threshold;
    let reasons = if is_anomaly { explain(model) } else { Vec::new() };
    Verdict { score, is_anomaly, state: VerdictState::Scored, reasons }
}

/// Gives the batch's events from `first` on their verdicts; says how many are anomalies.
fn judge(
    serving: Option<&Serving>,
    threshold: f32,
    batch: &mut Batch<'_>,
    first: usize,
    scratch: &mut Scratch,
) -> u64 {
    let Batch { events, variables, .. } = batch;
    let open = events.get_mut(first..).unwrap_or_default();
    match serving {
        Some(serving) => {
            judge_by(serving, open, variables, scratch);
            add_sessions(threshold, open, &mut scratch.sessions);
        }
        None => {
            for (analyzed, row) in open.iter_mut().zip(&scratch.rows) {
                analyzed.verdict.score = Verdict::quantize(model::uncalibrated(row));
                analyzed.verdict.state = VerdictState::WarmingUp;
            }
        }
    }
    scratch.bad.clear();
    if !scratch.lookup.is_empty() {
        for (at, analyzed) in open.iter_mut().enumerate() {
            let id = analyzed.template.as_ref().map(|template| template.id);
            let found = found(variables, analyzed);
            let mark = scratch.lookup.find(&scratch.general, analyzed.shape, id, &analyzed.event, found);
            if let Some(mark) = mark {
                mark.apply(threshold, &mut analyzed.verdict);
                if mark.label == Label::Bad {
                    scratch.bad.push(at);
                }
            }
        }
    }
    open.iter().filter(|analyzed| analyzed.verdict.is_anomaly).count() as u64
}

fn found<'v>(variables: &'v [Variable], analyzed: &Analyzed<'_>) -> &'v [Variable] {
    let range = analyzed.variables.start as usize..analyzed.variables.end as usize;
    variables.get(range).unwrap_or_default()
}

fn judge_by(serving: &Serving, open: &mut [Analyzed<'_>], variables: &[Variable], scratch: &mut Scratch) {
    let Scratch { rows, facts, scores, cache, version, .. } = scratch;
    if *version != serving.version {
        cache.clear();
        version.clone_from(&serving.version);
    }
    scores.clear();
    serving.model.score_all(rows, cache, scores);
    for (at, analyzed) in open.iter_mut().enumerate() {
        let score = Verdict::quantize(scores[at]);
        let is_anomaly = score >= serving.model.threshold;
        analyzed.verdict.score = score;
        analyzed.verdict.is_anomaly = is_anomaly;
        analyzed.verdict.state = VerdictState::Scored;
        if is_anomaly {
            let found = found(variables, analyzed);
            analyzed.verdict.reasons =
                explain::reasons(&serving.model, &rows[at], &facts[at], &analyzed.event, found);
        }
    }
}

/// Joins what the events bring against their sessions with what was said of them alone.
fn add_sessions(threshold: f32, open: &mut [Analyzed<'_>], evidence: &mut [Option<Evidence>]) {
    for (analyzed, evidence) in open.iter_mut().zip(evidence) {
        let Some(evidence) = evidence.take() else { continue };
        let verdict = &mut analyzed.verdict;
        verdict.score = Verdict::quantize(evidence.combined(verdict.score));
        verdict.is_anomaly = verdict.score >= threshold;
        if verdict.is_anomaly {
            verdict.reasons.splice(0..0, evidence.reasons);
        }
    }
}

#[cfg(test)]
mod tests {
    use disk::sealed::Writer;
    use event::Timestamp;

    use super::*;

    #[test]
    fn snapshots_of_older_versions_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let service = Service::open(Config::new(dir.path())).unwrap();
        let id = EventId { journal: event::JournalId(1), position: Position::default() };
        let events = (0..50).map(|n| (id, Event::new(format!("took {n} ms"), Timestamp::MIN)));
        service.analyze(events.collect(), Position::default());
        for version in [1, 2, 3] {
            let mut old = Writer::sealed(MAGIC, version);
            {
                let state = read(&service.state);
                old.bytes(&state.miner.save());
                state.window.write(&mut old);
            }
            if version > 1 {
                old.u64(0);
                lock(&service.upkeep).write(&mut old, true);
            }
            if version > 2 {
                read(&service.state).entities.write(&mut old);
                lock(&service.sessions).write(&mut old);
            }
            let fresh = tempfile::tempdir().unwrap();
            let other = Service::open(Config::new(fresh.path())).unwrap();
            other.restore(&old.seal()).unwrap();
            assert_eq!(other.model().events, 50);
        }
    }
}
