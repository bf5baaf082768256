//! The service: stream, library and opinions at work together.

mod labels;
mod learned;
mod models;
mod sessions;
mod starters;
mod templates;
mod training;
mod upkeep;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use event::{Analyzed, Batch, Event, EventId, Position, TemplateId, Variable, Verdict, VerdictState};
use session::{Context, Evidence, Message, Models};
use template::Merged;

pub use templates::{TemplateOperation, Templates};

use crate::{
    Change, Config, OpenError, Prediction, Stats,
    changes::Changes,
    explain,
    library::{Library, Serving, has_own},
    locks::lock,
    model::{self, Cache, Model},
    opinions::{General, Label, Lookup, Opinions},
    problems::Problems,
    stream::{CHUNK, State, Stream, learn_one, look_one},
    window::{Facts, Row, Seen},
};

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
///
/// Who needs several of its locks takes them in this order, and never one before that it holds already:
/// that of a training (`library.training`); the `turn`; what people said (`opinions.said`); the starters
/// (`library.starters`); the state of the stream (`stream`). All others are held for a moment, by who takes
/// none besides: they may be taken under any of these.
#[derive(Debug)]
pub struct Service {
    config: Config,
    stream: Stream,
    library: Library,
    opinions: Opinions,
    problems: Problems,
    changes: Changes,
    /// Held through `analyze`, so that a snapshot lies between two batches, and while models are exchanged.
    turn: Mutex<Scratch>,
    scored: AtomicU64,
    anomalies: AtomicU64,
}

impl Service {
    /// Opens the folder of models and takes the chosen one, else the newest that loads.
    ///
    /// # Errors
    /// When the folder cannot be made or read. Broken models are passed over.
    pub fn open(config: Config) -> Result<Self, OpenError> {
        let problems = Problems::default();
        let library = Library::open(&config, &problems)?;
        let opinions = Opinions::open(&config.dir, &problems)
            .map_err(|source| OpenError::Feedback { path: config.dir.clone(), source })?;
        let mut state = State::new(&config);
        opinions.said().tell(&mut state.miner);
        state.hear(&lock(&library.starters).known);
        let service = Self {
            stream: Stream::new(state),
            library,
            opinions,
            problems,
            changes: Changes::default(),
            turn: Mutex::default(),
            scored: AtomicU64::default(),
            anomalies: AtomicU64::default(),
            config,
        };
        service.go_on();
        service.match_feedback();
        Ok(service)
    }

    /// Templates and scores events in stream order, and learns from them. Takes time; call it off
    /// the reactor. A model that has become due is trained beside the stream.
    pub fn analyze<'a>(&self, events: Vec<(EventId, Event<'a>)>, end: Position) -> Batch<'a> {
        let mut scratch = lock(&self.turn);
        let mut batch = Batch { events: Vec::with_capacity(events.len()), variables: Vec::new(), end };
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() {
            let serving = self.judging(&self.stream.read());
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
        let mut state = self.stream.write();
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
            let variables = batch.variables.get(from..).unwrap_or_default();
            let message = Message { template: &template, variables };
            let context = Context { models, miner };
            scratch.sessions.push(if self.config.parts.sessions && !again {
                entities.observe(id, &event, message, context)
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
        scratch.lookup = self.opinions.lookup();
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
        let state = self.stream.read();
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
            self.stream.words().follow(&state.miner);
        }
        let needed = self.needed(&state.window, has_own(serving.as_ref()));
        let lookup = self.opinions.lookup();
        let general = lookup.general(|id| state.miner.current(id));
        drop(state);
        // Beside the state: whoever asks for much of this holds up nobody else.
        let nearest_template = if wants_nearest { self.stream.words().find(&event.message) } else { None };
        let mut verdict =
            verdict(serving.as_ref(), &row, |model| explain::reasons(model, &row, &facts, event, &variables));
        if let Some(shape) = shape
            && let Some(mark) = lookup.find(&general, shape, id, event, &variables)
        {
            mark.apply(self.threshold(serving.as_ref()), &mut verdict);
        }
        let Verdict { score, is_anomaly, state, mut reasons } = verdict;
        if let Some(nearest) = nearest_template.as_deref().filter(|_| is_anomaly) {
            reasons.push(explain::nearest(nearest));
        }
        let model = serving.map(|serving| serving.version).unwrap_or_default();
        Prediction { score, is_anomaly, reasons, template, nearest_template, state, model, needed }
    }

    /// All ids whose stored rows belong to this template, for queries.
    pub fn aliases(&self, id: TemplateId) -> Vec<TemplateId> {
        self.stream.read().miner.aliases(id)
    }

    /// All templates that stand for other ids too, for counts by template.
    pub fn merged_templates(&self) -> Vec<Merged> {
        self.stream.read().miner.merged()
    }

    /// What it decided by itself about models since this was last asked, oldest first.
    pub fn take_changes(&self) -> Vec<Change> {
        self.changes.take()
    }

    /// Counters and sizes.
    pub fn stats(&self) -> Stats {
        let state = self.stream.read();
        let sessions = state.entities.counts();
        Stats {
            scored: self.scored.load(Relaxed),
            anomalies: self.anomalies.load(Relaxed),
            templates: state.miner.len() as u64,
            shapes: state.window.groups() as u64,
            models: self.library.registry.versions().len() as u64,
            failed_trainings: self.library.failed_trainings.load(Relaxed),
            open_sessions: sessions.open,
            ended_sessions: sessions.closed,
            strange_sessions: sessions.strange,
            evicted_sessions: sessions.evicted,
        }
    }
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
    use crate::stream::MAGIC;

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
                let state = service.stream.read();
                old.bytes(&state.miner.save());
                state.window.write(&mut old);
            }
            if version > 1 {
                old.u64(0);
                service.stream.read().upkeep.write(&mut old, true);
            }
            if version > 2 {
                service.stream.read().entities.write(&mut old);
                service.stream.read().learning.write(&mut old);
            }
            let fresh = tempfile::tempdir().unwrap();
            let other = Service::open(Config::new(fresh.path())).unwrap();
            other.restore(&old.seal()).unwrap();
            assert_eq!(other.model().events, 50);
        }
    }
}
