//! Training, and which model comes to serve by itself.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Instant,
};

use event::{Event, VerdictState};

use super::{CHUNK, Service, Serving, learn_one, lock, read, write};
use crate::{
    ModelError, TrainError, Trained,
    model::{Card, Model},
    window::Window,
};

/// A first model is followed by others at these numbers of events, then at each doubling.
const RETRAIN_AT: [u64; 2] = [10_000, 50_000];
/// Event time after which a model is followed by another one at the latest, if events came.
const RETRAIN_NANOS: i64 = 7 * 86_400 * 1_000_000_000;
/// After a failed training, events until the next attempt.
const RETRY_AFTER: u64 = 1_000;

impl Service {
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
    pub(super) fn train_when_due(&self) {
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

    pub(super) fn serve(&self, version: String, model: Model) {
        *lock(&self.noticed) = (Some(version.clone()), self.registry.versions().pop());
        *write(&self.serving) = Some(Serving { version, model: Arc::new(model) });
    }

    pub(super) fn needed(&self, window: &Window, served: bool) -> u64 {
        if served { 0 } else { (self.config.events_min as u64).saturating_sub(window.seen) }
    }
}
