//! What the service does by itself: watching for drift, training beside the stream, letting a model
//! take over.
//!
//! A first model is trained between two events. Every further one is trained on a thread of its own,
//! compared with the serving one on recent rows, and takes over at a place in the stream that is known
//! when the training begins, so that the same stream gets the same verdicts. Only a stream that
//! gets there before the training has ended waits for the rest of it.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    thread::{Builder, JoinHandle},
};

use event::Analyzed;

use super::{Scratch, Service, Serving, lock, read, write};
use crate::{
    ModelError, Origin, Standing, TrainError,
    bytes::{Reader, Writer},
    compare,
    drift::Monitor,
    model::{Card, Model},
    registry::Registry,
    rules::Examples,
    window::{Row, Window},
};

/// A first model is followed by others at these numbers of events, then at each doubling.
const RETRAIN_AT: [u64; 2] = [10_000, 50_000];
/// Event time after which a model is followed by another one at the latest, if events came.
const RETRAIN_NANOS: i64 = 7 * 86_400 * 1_000_000_000;
/// After a failed training, events until the next attempt.
const RETRY_AFTER: u64 = 1_000;
/// After a candidate was not good enough, events until the next one: this, or half of all, so that a
/// long replay does not train all the time.
const NEXT_CANDIDATE: u64 = 65_536;
/// After a model took over because of drift, events until the next one.
const NEXT_AFTER_DRIFT: u64 = 16_384;
/// A model takes over so many events, or so much event time, after its training began.
const TAKES_OVER_EVENTS: u64 = 16_384;
const TAKES_OVER_NANOS: i64 = 600 * 1_000_000_000;
/// Fewer recent rows say nothing: the window's sample stands in.
const RECENT_MIN: usize = 256;

/// Drift, and the model being trained.
#[derive(Debug)]
pub(super) struct Upkeep {
    pub(super) monitor: Monitor,
    /// What rules are made of; not in a snapshot.
    pub(super) examples: Examples,
    pending: Option<Pending>,
}

/// A model on its way.
#[derive(Debug)]
struct Pending {
    /// Events and event time at which it takes over.
    seen: u64,
    nanos: i64,
    /// The version it was compared with.
    base: String,
    work: Work,
}

#[derive(Debug)]
enum Work {
    Running(JoinHandle<Result<Outcome, TrainError>>),
    Done(Outcome),
}

/// What a training beside the stream came to.
#[derive(Debug, Clone, Default)]
struct Outcome {
    /// Empty when nothing came out.
    version: String,
    /// Why it is not to take over; empty when it is.
    objection: String,
}

impl Pending {
    /// Waits for the training.
    fn finish(&mut self) -> Outcome {
        let outcome = match std::mem::replace(&mut self.work, Work::Done(Outcome::default())) {
            Work::Running(thread) => thread.join().ok().and_then(Result::ok).unwrap_or_default(),
            Work::Done(outcome) => outcome,
        };
        self.work = Work::Done(outcome.clone());
        outcome
    }
}

impl Upkeep {
    pub(super) fn new(seed: u64) -> Self {
        Self { monitor: Monitor::new(seed), examples: Examples::default(), pending: None }
    }

    pub(super) fn write(&mut self, out: &mut Writer) {
        self.monitor.write(out);
        out.u8(u8::from(self.pending.is_some()));
        if let Some(pending) = &mut self.pending {
            let outcome = pending.finish();
            out.u64(pending.seen);
            out.u64(pending.nanos as u64);
            for text in [&pending.base, &outcome.version, &outcome.objection] {
                out.bytes(text.as_bytes());
            }
        }
    }

    pub(super) fn read(input: &mut Reader<'_>) -> Result<Self, ModelError> {
        let monitor = Monitor::read(input)?;
        let pending = match input.u8()? {
            0 => None,
            _ => {
                let (seen, nanos) = (input.u64()?, input.u64()? as i64);
                let mut text = || -> Result<String, ModelError> {
                    Ok(String::from_utf8_lossy(input.bytes()?).into_owned())
                };
                let (base, version, objection) = (text()?, text()?, text()?);
                Some(Pending { seen, nanos, base, work: Work::Done(Outcome { version, objection }) })
            }
        };
        Ok(Self { monitor, examples: Examples::default(), pending })
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.finish();
        }
    }
}

/// Trains, compares and stores a candidate.
fn candidate(
    registry: &Registry,
    (rows, card): (&[Row], Card),
    (old, recent): (&Model, &[Row]),
) -> Result<Outcome, TrainError> {
    let model = Model::train(rows, card)?;
    let objection = compare::objection(old, &model, recent).unwrap_or_default();
    let why = if objection.is_empty() { "about to take over" } else { objection.as_str() };
    let version = registry.store(&model, Standing::Candidate, why)?;
    Ok(Outcome { version, objection })
}

impl Service {
    /// The rows of recent events.
    pub(super) fn recent_rows(&self) -> Vec<Row> {
        let recent = lock(&self.upkeep).monitor.rows().to_vec();
        if recent.len() >= RECENT_MIN { recent } else { read(&self.state).window.rows().to_vec() }
    }

    /// Takes in what was judged, and looks for drift.
    pub(super) fn watch(&self, serving: Option<&Serving>, judged: &[Analyzed<'_>], scratch: &Scratch) {
        let mut upkeep = lock(&self.upkeep);
        let Upkeep { monitor, examples, .. } = &mut *upkeep;
        monitor.serve(serving.map_or("", |serving| &serving.version));
        let threshold = self.threshold(serving);
        for (at, (row, one)) in scratch.rows.iter().zip(judged).enumerate() {
            if let (Some(facts), true) = (scratch.facts.get(at), serving.is_some()) {
                examples.keep(&one.event, row, facts, one.verdict.is_anomaly);
            }
            if scratch.bad.contains(&at) {
                continue;
            }
            let score = scratch.scores.get(at).copied().unwrap_or_default();
            let passed = serving.is_some() && event::Verdict::quantize(score) >= threshold;
            if monitor.keep(*row, one.event.timestamp.as_nanos(), passed)
                && let Some(serving) = serving
            {
                monitor.look(&serving.model);
                let drifting = f64::from(u8::from(monitor.drifting()));
                metrics::gauge!(telemetry::metric::MODEL_DRIFTING).set(drifting);
            }
        }
    }

    /// Lets a model take over that was trained, and trains one that is due.
    pub(super) fn keep_up(&self) {
        let serving = read(&self.serving).clone();
        let (seen, latest) = {
            let state = read(&self.state);
            (state.window.seen, state.window.to)
        };
        let mut upkeep = lock(&self.upkeep);
        if upkeep.pending.as_ref().is_some_and(|pending| seen >= pending.seen || latest >= pending.nanos) {
            let pending = upkeep.pending.take();
            drop(upkeep);
            if let Some(pending) = pending {
                self.take_over(pending, serving.as_ref(), seen);
            }
            return;
        }
        let (waiting, drifting) = (upkeep.pending.is_some(), upkeep.monitor.drifting());
        drop(upkeep);
        let due = {
            let state = read(&self.state);
            let card = serving.as_ref().map(|serving| &serving.model.card);
            !waiting && seen >= state.retry_at && self.is_due(&state.window, card, drifting)
        };
        if !due {
            return;
        }
        // While somebody trains, a model is on its way.
        let Ok(_training) = self.training.try_lock() else { return };
        match serving {
            None => self.train_first(),
            Some(serving) => self.train_beside(&serving, drifting),
        }
    }

    fn is_due(&self, window: &Window, card: Option<&Card>, drifting: bool) -> bool {
        let first = (self.config.events_min as u64).max(1);
        let Some(card) = card else { return window.seen >= first };
        // Fewer events than the model stands for: the stream began anew, or is being read again.
        if window.seen < first || window.seen <= card.seen {
            return false;
        }
        let held_until = self.registry.past(|history| history.held_until);
        if window.seen < held_until && held_until - window.seen <= self.hold() {
            return false;
        }
        let next = RETRAIN_AT.into_iter().find(|at| *at > card.seen).unwrap_or(card.seen.saturating_mul(2));
        let aged = window.to.saturating_sub(card.to) >= RETRAIN_NANOS && window.seen >= card.seen + first;
        window.seen >= next || aged || drifting
    }

    fn train_first(&self) {
        let (rows, card) = {
            let state = read(&self.state);
            let templates = state.miner.len() as u64;
            let card = self.card(&state.window, state.window.seen, templates, Origin::Stream);
            (state.window.rows().to_vec(), card)
        };
        let trained =
            Model::train(&rows, card).and_then(|model| self.activate_new(model).map_err(TrainError::Store));
        if trained.is_err() {
            self.failed(RETRY_AFTER);
        }
    }

    fn train_beside(&self, serving: &Serving, drifting: bool) {
        let recent = self.recent_rows();
        let origin = if drifting { Origin::Drift } else { Origin::Stream };
        let (rows, card) = {
            let state = read(&self.state);
            let templates = state.miner.len() as u64;
            let card = self.card(&state.window, state.window.seen, templates, origin);
            let rows = if drifting { recent.clone() } else { state.window.rows().to_vec() };
            (rows, card)
        };
        let (seen, nanos) = (card.seen + TAKES_OVER_EVENTS, card.to.saturating_add(TAKES_OVER_NANOS));
        let (registry, old) = (Arc::clone(&self.registry), Arc::clone(&serving.model));
        let work = move || candidate(&registry, (&rows, card), (&old, &recent));
        match Builder::new().name("retrain".to_owned()).spawn(work) {
            Ok(thread) => {
                let base = serving.version.clone();
                let work = Work::Running(thread);
                lock(&self.upkeep).pending = Some(Pending { seen, nanos, base, work });
            }
            Err(_) => self.failed(RETRY_AFTER),
        }
    }

    fn failed(&self, retry_after: u64) {
        self.failed_trainings.fetch_add(1, Relaxed);
        metrics::counter!(telemetry::metric::FAILED_TRAININGS).increment(1);
        let mut state = write(&self.state);
        state.retry_at = state.window.seen + retry_after;
    }

    /// Lets a candidate serve, or keeps it as one.
    fn take_over(&self, mut pending: Pending, serving: Option<&Serving>, seen: u64) {
        let Outcome { version, mut objection } = pending.finish();
        if version.is_empty() {
            return self.failed(RETRY_AFTER);
        }
        if serving.is_none_or(|serving| serving.version != pending.base) {
            objection =
                format!("another model came to serve than {}, which it was compared with", pending.base);
        }
        lock(&self.noticed).1 = self.registry.versions().pop();
        if !objection.is_empty() {
            write(&self.state).retry_at = seen + NEXT_CANDIDATE.max(seen / 2);
            // Without the remark it is a kept model like others, which does no harm.
            drop(self.registry.remark(|history| history.mark(&version, Standing::Candidate, &objection)));
            self.registry.expire(&pending.base);
            return;
        }
        let chosen = self.registry.load(&version).and_then(|model| {
            self.registry.choose(&version)?;
            Ok(model)
        });
        match chosen {
            Ok(model) => {
                if model.card.origin == Some(Origin::Drift) {
                    write(&self.state).retry_at = seen + NEXT_AFTER_DRIFT;
                }
                self.serve(version.clone(), model);
                self.registry.expire(&version);
            }
            Err(_) => self.failed(RETRY_AFTER),
        }
    }
}
