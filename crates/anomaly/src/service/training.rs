//! Training on request.

use std::{ops::ControlFlow, sync::Arc, time::Instant};

use event::{Event, VerdictState};

use super::{CHUNK, Service, Serving, has_own, learn_one, lock, read, write};
use crate::{
    ModelError, Origin, Standing, TrainError, Trained,
    model::{Card, Model},
    window::Window,
};

impl Service {
    /// Trains a model and lets it serve. Takes time; call it off the reactor. Scoring goes on
    /// meanwhile. With fewer events than a first model needs, these and the ones seen before taken
    /// together, what they teach is kept and the answer is `WarmingUp`.
    ///
    /// # Errors
    /// Without any event, or when the model cannot be stored: the one before serves on.
    pub fn train(&self, events: &[Event<'_>]) -> Result<Trained, TrainError> {
        self.train_watched(events, &mut |_| ControlFlow::Continue(()))
    }

    /// As [`Service::train`]. `watch` is told every few hundred events, and at each further step, how many
    /// have been learned. With its first `Break` the training ends: no model comes of it, and of the events
    /// only the templates stay known.
    ///
    /// # Errors
    /// As [`Service::train`], and [`TrainError::Cancelled`] after a `Break`.
    pub fn train_watched(
        &self,
        events: &[Event<'_>],
        watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Trained, TrainError> {
        if events.is_empty() {
            return Err(TrainError::NothingUsable);
        }
        let mut go_on = |learned: usize| match watch(learned as u64) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(TrainError::Cancelled),
        };
        let _training = lock(&self.training);
        let started = Instant::now();
        // On a window of its own, so that the stream's rates and gaps stay those of the stream.
        let mut warmed = Window::new(self.config.seed);
        warmed.mask = self.config.parts.mask();
        let mut variables = Vec::new();
        for (chunk, learned) in events.chunks(CHUNK).zip((0..).step_by(CHUNK)) {
            go_on(learned)?;
            let mut state = write(&self.state);
            for event in chunk {
                variables.clear();
                learn_one(&mut state.miner, &mut warmed, event, &mut variables);
            }
        }
        let sessions = self.learn_sessions(events, &mut || go_on(events.len()))?;
        go_on(events.len())?;
        if let Some(sessions) = sessions {
            self.adopt_sessions(sessions);
        }
        let (seen, templates) = {
            let mut state = write(&self.state);
            state.window.absorb(&warmed);
            (state.window.seen, state.miner.len() as u64)
        };
        let enough = events.len() >= self.config.events_min;
        if !enough && seen < self.config.events_min as u64 {
            let serving = read(&self.serving).clone();
            let needed = self.needed(&read(&self.state).window, has_own(serving.as_ref()));
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
            (warmed.rows().to_vec(), self.card(&warmed, seen, templates, Origin::Request))
        } else {
            let state = read(&self.state);
            (state.window.rows().to_vec(), self.card(&state.window, seen, templates, Origin::Request))
        };
        let version = self.activate_new(Model::train(&rows, card, self.config.parts)?)?;
        Ok(Trained {
            model: version,
            events: events.len() as u64,
            templates,
            duration: started.elapsed(),
            state: VerdictState::Scored,
            needed: 0,
        })
    }

    pub(super) fn card(&self, window: &Window, seen: u64, templates: u64, origin: Origin) -> Card {
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
            origin: Some(origin),
        }
    }

    /// Stores a model and lets it serve.
    pub(super) fn activate_new(&self, model: Model) -> Result<String, ModelError> {
        let version = self.registry.store(&model, Standing::Serving, "")?;
        self.registry.expire(&version);
        self.serve(version.clone(), Arc::new(model));
        Ok(version)
    }

    pub(super) fn serve(&self, version: String, model: Arc<Model>) {
        *lock(&self.noticed) = (Some(version.clone()), self.registry.versions().pop());
        *write(&self.serving) = Some(Serving { version, model });
    }

    pub(super) fn needed(&self, window: &Window, served: bool) -> u64 {
        if served { 0 } else { (self.config.events_min as u64).saturating_sub(window.seen) }
    }
}
