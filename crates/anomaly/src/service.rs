//! The service: templates, window and model behind short locks.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use event::{
    Analyzed, Batch, Event, EventId, Position, Template, TemplateId, Timestamp, Variable, Verdict,
    VerdictState,
};
use template::Miner;

use crate::{
    Config, ModelError, ModelInfo, OpenError, Prediction, Stats, TrainError, Trained,
    bytes::{Reader, Writer},
    explain,
    model::{self, Cache, Card, Model},
    registry::{self, Registry},
    window::{Facts, Row, Seen, Window},
};

const MAGIC: &[u8; 8] = b"LSWINDOW";
const VERSION: u32 = 1;
/// Events analysed or learned under one lock.
const CHUNK: usize = 512;
/// A first model is followed by others at these numbers of events, then at each doubling.
const RETRAIN_AT: [u64; 2] = [10_000, 50_000];
/// Event time after which a model is followed by another one at the latest, if events came.
const RETRAIN_NANOS: i64 = 7 * 86_400 * 1_000_000_000;
/// After a failed training, events until the next attempt.
const RETRY_AFTER: u64 = 1_000;

/// The state of the stream.
#[derive(Debug)]
struct State {
    miner: Miner,
    window: Window,
    /// Events at which the next attempt is made after a failed training.
    retry_at: u64,
}

/// The model that serves.
#[derive(Debug, Clone)]
struct Serving {
    version: String,
    model: Arc<Model>,
}

#[derive(Debug, Default)]
struct Scratch {
    rows: Vec<Row>,
    facts: Vec<Facts>,
    scores: Vec<f32>,
    cache: Cache,
    /// The model the cache belongs to.
    version: String,
}

/// Templates, model, window state: everything the scoring of a stream needs. Share it by Arc.
#[derive(Debug)]
pub struct Service {
    config: Config,
    registry: Registry,
    state: RwLock<State>,
    serving: RwLock<Option<Serving>>,
    /// What `current` said when it was last read or written, and the newest version met.
    noticed: Mutex<(Option<String>, Option<String>)>,
    /// Held through `analyze`, so that a snapshot lies between two batches.
    scratch: Mutex<Scratch>,
    /// Held through a training.
    training: Mutex<()>,
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
        let candidates = current.iter().chain(versions.iter().rev());
        let serving = candidates.into_iter().find_map(|version| {
            let model = Arc::new(registry.load(version).ok()?);
            Some(Serving { version: version.clone(), model })
        });
        let state = State {
            miner: Miner::new(config.template.clone()),
            window: Window::new(config.seed),
            retry_at: 0,
        };
        Ok(Self {
            registry,
            state: RwLock::new(state),
            serving: RwLock::new(serving),
            noticed: Mutex::new((current, versions.last().cloned())),
            scratch: Mutex::default(),
            training: Mutex::default(),
            scored: AtomicU64::default(),
            anomalies: AtomicU64::default(),
            failed_trainings: AtomicU64::default(),
            config,
        })
    }

    /// Templates and scores events in stream order, and learns from them. Takes time; call it off
    /// the reactor. A model that has become due is trained between two events.
    pub fn analyze<'a>(&self, events: Vec<(EventId, Event<'a>)>, end: Position) -> Batch<'a> {
        let mut scratch = lock(&self.scratch);
        let mut batch = Batch { events: Vec::with_capacity(events.len()), variables: Vec::new(), end };
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() {
            let serving = read(&self.serving).clone();
            let first = batch.events.len();
            self.analyze_chunk(events.by_ref().take(CHUNK), &mut batch, &mut scratch);
            let anomalies = judge(serving.as_ref(), &mut batch, first, &mut scratch);
            self.scored.fetch_add((batch.events.len() - first) as u64, Relaxed);
            self.anomalies.fetch_add(anomalies, Relaxed);
            self.train_when_due();
        }
        batch
    }

    /// Templates, features and learning for some events; their verdicts are still open.
    fn analyze_chunk<'a>(
        &self,
        events: impl Iterator<Item = (EventId, Event<'a>)>,
        batch: &mut Batch<'a>,
        scratch: &mut Scratch,
    ) {
        scratch.rows.clear();
        scratch.facts.clear();
        let mut state = write(&self.state);
        let State { miner, window, .. } = &mut *state;
        for (id, event) in events {
            let from = batch.variables.len();
            let (shape, template, row, facts) = learn_one(miner, window, &event, &mut batch.variables);
            scratch.rows.push(row);
            scratch.facts.push(facts);
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
    }

    /// What `analyze` would say, without any change of state.
    pub fn predict(&self, event: &Event<'_>) -> Prediction {
        let serving = read(&self.serving).clone();
        let mut variables = Vec::new();
        let state = read(&self.state);
        let mined = state.miner.find(&event.message, &mut variables);
        let template = mined.map(|mined| mined.template);
        if template.is_none() {
            variables.clear();
        }
        let seen = Seen::new(event, template.as_ref().map(|template| template.id), &variables);
        let keys = seen.keys();
        let (row, facts) = state.window.assess_single(&seen, keys);
        let nearest_template = if template.is_none() { nearest(&state.miner, &event.message) } else { None };
        let needed = self.needed(&state.window, serving.is_some());
        drop(state);
        let Some(Serving { version, model }) = serving else {
            return Prediction {
                score: Verdict::quantize(model::uncalibrated(&row)),
                is_anomaly: false,
                reasons: Vec::new(),
                template,
                nearest_template,
                state: VerdictState::WarmingUp,
                model: String::new(),
                needed,
            };
        };
        let score = Verdict::quantize(model.score(&row));
        let is_anomaly = score >= model.threshold;
        let reasons =
            if is_anomaly { explain::reasons(&model, &row, &facts, event, &variables) } else { Vec::new() };
        Prediction {
            score,
            is_anomaly,
            reasons,
            template,
            nearest_template,
            state: VerdictState::Scored,
            model: version,
            needed,
        }
    }

    /// Trains a model and lets it serve. Takes time; call it off the reactor. Scoring goes on
    /// meanwhile. With fewer events than a first model needs, these and the ones seen before taken
    /// together, what they teach is kept and the answer is `WarmingUp`.
    ///
    /// # Errors
    /// Without any event, or when the model cannot be stored: the one before serves on.
    pub fn train(&self, events: &[Event<'_>]) -> Result<Trained, TrainError> {
        if events.is_empty() {
            return Err(TrainError::NothingUsable);
        }
        let _training = lock(&self.training);
        let started = Instant::now();
        // On a window of its own, so that the stream's rates and gaps stay those of the stream.
        let mut warmed = Window::new(self.config.seed);
        let mut variables = Vec::new();
        for chunk in events.chunks(CHUNK) {
            let mut state = write(&self.state);
            for event in chunk {
                variables.clear();
                learn_one(&mut state.miner, &mut warmed, event, &mut variables);
            }
        }
        let (seen, templates) = {
            let mut state = write(&self.state);
            state.window.absorb(&warmed);
            (state.window.seen, state.miner.len() as u64)
        };
        let enough = events.len() >= self.config.events_min;
        if !enough && seen < self.config.events_min as u64 {
            let serving = read(&self.serving).clone();
            let needed = self.needed(&read(&self.state).window, serving.is_some());
            return Ok(Trained {
                model: serving.as_ref().map(|serving| serving.version.clone()).unwrap_or_default(),
                events: events.len() as u64,
                templates,
                duration: started.elapsed(),
                state: if serving.is_some() { VerdictState::Scored } else { VerdictState::WarmingUp },
                needed,
            });
        }
        // Too few by themselves: the sample of the stream, which they are now part of, serves.
        let (rows, card) = if enough {
            (warmed.rows().to_vec(), self.card(&warmed, seen, templates))
        } else {
            let state = read(&self.state);
            (state.window.rows().to_vec(), self.card(&state.window, seen, templates))
        };
        let version = self.activate_new(Model::train(&rows, card)?)?;
        Ok(Trained {
            model: version,
            events: events.len() as u64,
            templates,
            duration: started.elapsed(),
            state: VerdictState::Scored,
            needed: 0,
        })
    }

    fn card(&self, window: &Window, seen: u64, templates: u64) -> Card {
        Card {
            events: window.seen,
            templates,
            seen,
            rows: 0,
            trained_at: window.to,
            from: window.from.min(window.to),
            to: window.to,
            false_positive_rate: self.config.false_positive_rate.clamp(1e-6, 0.5),
            seed: self.config.seed,
        }
    }

    /// Trains on the stream's own sample when that is due. A failure is counted and tried again later.
    fn train_when_due(&self) {
        let due = {
            let state = read(&self.state);
            let serving = read(&self.serving);
            state.window.seen >= state.retry_at
                && self.is_due(&state.window, serving.as_ref().map(|serving| &serving.model.card))
        };
        if !due {
            return;
        }
        // While somebody trains, a model is on its way.
        let Ok(_training) = self.training.try_lock() else { return };
        let (rows, card) = {
            let state = read(&self.state);
            let card = self.card(&state.window, state.window.seen, state.miner.len() as u64);
            (state.window.rows().to_vec(), card)
        };
        let trained =
            Model::train(&rows, card).and_then(|model| self.activate_new(model).map_err(TrainError::Store));
        if trained.is_err() {
            self.failed_trainings.fetch_add(1, Relaxed);
            let mut state = write(&self.state);
            state.retry_at = state.window.seen + RETRY_AFTER;
        }
    }

    fn is_due(&self, window: &Window, card: Option<&Card>) -> bool {
        let first = (self.config.events_min as u64).max(1);
        let Some(card) = card else { return window.seen >= first };
        // Fewer events than the model stands for: the stream began anew, or is being read again.
        if window.seen < first || window.seen <= card.seen {
            return false;
        }
        let next = RETRAIN_AT.into_iter().find(|at| *at > card.seen).unwrap_or(card.seen.saturating_mul(2));
        let aged = window.to.saturating_sub(card.to) >= RETRAIN_NANOS && window.seen >= card.seen + first;
        window.seen >= next || aged
    }

    /// Stores a model and lets it serve.
    fn activate_new(&self, model: Model) -> Result<String, ModelError> {
        let version = self.registry.store(&model)?;
        self.serve(version.clone(), model);
        Ok(version)
    }

    fn serve(&self, version: String, model: Model) {
        *lock(&self.noticed) = (Some(version.clone()), self.registry.versions().pop());
        *write(&self.serving) = Some(Serving { version, model: Arc::new(model) });
    }

    fn needed(&self, window: &Window, served: bool) -> u64 {
        if served { 0 } else { (self.config.events_min as u64).saturating_sub(window.seen) }
    }

    /// The model that serves.
    pub fn model(&self) -> ModelInfo {
        let serving = read(&self.serving).clone();
        let state = read(&self.state);
        match serving {
            Some(serving) => info(serving.version, &serving.model, true),
            None => ModelInfo {
                version: String::new(),
                state: VerdictState::WarmingUp,
                active: true,
                trained_at: None,
                events: state.window.seen,
                templates: state.miner.len() as u64,
                threshold: model::threshold(self.config.false_positive_rate),
                false_positive_rate: self.config.false_positive_rate,
                from: None,
                to: None,
                needed: self.needed(&state.window, false),
            },
        }
    }

    /// The models kept that load, oldest first. Reads their files.
    pub fn models(&self) -> Vec<ModelInfo> {
        let serving = read(&self.serving).as_ref().map(|serving| serving.version.clone());
        let versions = self.registry.versions().into_iter();
        versions
            .filter_map(|version| {
                let model = self.registry.load(&version).ok()?;
                let active = serving.as_ref() == Some(&version);
                Some(info(version, &model, active))
            })
            .collect()
    }

    /// Lets another of the kept models serve.
    ///
    /// # Errors
    /// When there is none of this version or it does not load: the one before serves on.
    pub fn activate(&self, version: &str) -> Result<ModelInfo, ModelError> {
        let model = self.registry.load(version)?;
        self.registry.choose(version)?;
        let info = info(version.to_owned(), &model, true);
        self.serve(version.to_owned(), model);
        Ok(info)
    }

    /// Takes a newer model from disk when another process put one there, or the one it chose; a
    /// broken one is refused and the old stays. Says whether another model serves now.
    ///
    /// # Errors
    /// When the model does not load. The same one is not looked at again.
    pub fn reload(&self) -> Result<bool, ModelError> {
        let (current, newest) = (self.registry.current(), self.registry.versions().pop());
        let wanted = {
            let mut noticed = lock(&self.noticed);
            let chosen = current.clone().filter(|_| current != noticed.0);
            let newer = newest.clone().filter(|version| {
                registry::number_of(version) > noticed.1.as_deref().and_then(registry::number_of)
            });
            *noticed = (current, newest);
            chosen.or(newer)
        };
        let serving = read(&self.serving).as_ref().map(|serving| serving.version.clone());
        let Some(version) = wanted.filter(|wanted| serving.as_ref() != Some(wanted)) else {
            return Ok(false);
        };
        let model = self.registry.load(&version)?;
        *write(&self.serving) = Some(Serving { version, model: Arc::new(model) });
        Ok(true)
    }

    /// Templates and window state as of the last `analyze`, to be saved together with the index's
    /// commit. Sealed as the models are, magic `LSWINDOW`; the body: templates (u32 length, bytes
    /// of their own), then the window. The model is no part of it.
    pub fn snapshot(&self) -> Vec<u8> {
        let _between_batches = lock(&self.scratch);
        let state = read(&self.state);
        let mut out = Writer::sealed(MAGIC, VERSION);
        out.bytes(&state.miner.save());
        state.window.write(&mut out);
        out.seal()
    }

    /// Goes on from a snapshot.
    ///
    /// # Errors
    /// When the snapshot is something else, of another version, cut short or altered: nothing changes.
    pub fn restore(&self, snapshot: &[u8]) -> Result<(), ModelError> {
        let mut input = Reader::sealed(snapshot, MAGIC, VERSION, "the snapshot")?;
        let miner =
            Miner::load(input.bytes()?, self.config.template.clone()).map_err(ModelError::Templates)?;
        let window = Window::read(&mut input)?;
        input.end()?;
        let _between_batches = lock(&self.scratch);
        *write(&self.state) = State { miner, window, retry_at: 0 };
        Ok(())
    }

    /// All ids whose stored rows belong to this template, for queries.
    pub fn aliases(&self, id: TemplateId) -> Vec<TemplateId> {
        read(&self.state).miner.aliases(id)
    }

    /// Counters and sizes.
    pub fn stats(&self) -> Stats {
        let state = read(&self.state);
        Stats {
            scored: self.scored.load(Relaxed),
            anomalies: self.anomalies.load(Relaxed),
            templates: state.miner.len() as u64,
            shapes: state.window.groups() as u64,
            models: self.registry.versions().len() as u64,
            failed_trainings: self.failed_trainings.load(Relaxed),
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
    if !mined.is_new && !window.knows(keys) {
        let merged = miner.aliases(mined.template.id);
        window.inherit(keys, merged.into_iter().filter(|id| *id != mined.template.id));
    }
    let (row, facts) = window.assess(&seen, keys);
    window.learn(&seen, keys, row);
    (mined.shape, mined.template, row, facts)
}

/// Gives the batch's events from `first` on their verdicts; says how many are anomalies.
fn judge(serving: Option<&Serving>, batch: &mut Batch<'_>, first: usize, scratch: &mut Scratch) -> u64 {
    let Scratch { rows, facts, scores, cache, version } = scratch;
    let Batch { events, variables, .. } = batch;
    let open = events.get_mut(first..).unwrap_or_default();
    let Some(serving) = serving else {
        for (analyzed, row) in open.iter_mut().zip(rows.iter()) {
            analyzed.verdict.score = Verdict::quantize(model::uncalibrated(row));
            analyzed.verdict.state = VerdictState::WarmingUp;
        }
        return 0;
    };
    if *version != serving.version {
        cache.clear();
        version.clone_from(&serving.version);
    }
    scores.clear();
    serving.model.score_all(rows, cache, scores);
    let mut anomalies = 0;
    for (at, analyzed) in open.iter_mut().enumerate() {
        let score = Verdict::quantize(scores[at]);
        let is_anomaly = score >= serving.model.threshold;
        analyzed.verdict.score = score;
        analyzed.verdict.is_anomaly = is_anomaly;
        analyzed.verdict.state = VerdictState::Scored;
        if is_anomaly {
            anomalies += 1;
            let range = analyzed.variables.start as usize..analyzed.variables.end as usize;
            let found = variables.get(range).unwrap_or_default();
            analyzed.verdict.reasons =
                explain::reasons(&serving.model, &rows[at], &facts[at], &analyzed.event, found);
        }
    }
    anomalies
}

fn info(version: String, model: &Model, active: bool) -> ModelInfo {
    let card = &model.card;
    ModelInfo {
        version,
        state: VerdictState::Scored,
        active,
        trained_at: Timestamp::from_nanos(card.trained_at),
        events: card.events,
        templates: card.templates,
        threshold: model.threshold,
        false_positive_rate: card.false_positive_rate,
        from: Timestamp::from_nanos(card.from),
        to: Timestamp::from_nanos(card.to),
        needed: 0,
    }
}

/// The known template with the largest share of words in common with the message.
fn nearest(miner: &Miner, message: &str) -> Option<Arc<Template>> {
    const WORDS_MAX: usize = 64;
    const BYTES_MAX: usize = 4096;
    let words = |text: &str| -> HashSet<String> {
        let end = (0..=text.len().min(BYTES_MAX)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        let words = text[..end].split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.take(WORDS_MAX).map(str::to_lowercase).collect()
    };
    let wanted = words(message);
    let likeness = |template: &Arc<Template>| {
        let has = words(&template.text);
        let shared = wanted.intersection(&has).count();
        if shared == 0 { 0.0 } else { shared as f32 / (wanted.len() + has.len() - shared) as f32 }
    };
    let ranked = miner.templates().map(|template| (likeness(template), template));
    let best = ranked
        .filter(|(likeness, _)| *likeness > 0.2)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.text.cmp(&a.1.text)));
    best.map(|(_, template)| template.clone())
}
