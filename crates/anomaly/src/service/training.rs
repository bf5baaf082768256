//! Training on request.

use std::{ops::ControlFlow, sync::Arc, time::Instant};

use arithmetic::{hash, mix};
use event::{Event, VerdictState};

use super::Service;
use crate::{
    ModelError, Origin, Standing, TrainError, Trained,
    library::{Serving, has_own},
    lineage::Lineage,
    locks::lock,
    model::{Card, Model},
    stream::{CHUNK, learn_one},
    window::Window,
};

impl Service {
    /// Trains a model and lets it serve. Takes time; call it off the reactor. Scoring goes on
    /// meanwhile. With fewer events than a first model needs, these and the ones seen before taken
    /// together, what they teach is kept and the answer is `WarmingUp`. Either is durable when this returns.
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
        let _training = lock(&self.library.training);
        let started = Instant::now();
        let relieved = self.relieved();
        // On a window of its own, so that the stream's rates and gaps stay those of the stream.
        let mut warmed = Window::new(self.config.seed);
        warmed.mask = self.config.parts.mask();
        let mut variables = Vec::new();
        for (chunk, learned) in events.chunks(CHUNK).zip((0..).step_by(CHUNK)) {
            go_on(learned)?;
            let mut state = self.stream.write();
            for event in chunk {
                variables.clear();
                learn_one(&mut state.miner, &mut warmed, event, &mut variables);
            }
        }
        let sessions = self.learn_sessions(events, &mut || go_on(events.len()))?;
        go_on(events.len())?;
        let model = self.made_of(&warmed, events.len())?;
        let between_batches = lock(&self.turn);
        if let Some(sessions) = sessions {
            self.adopt_sessions(sessions);
        }
        let (before, templates) = self.absorb(&warmed, events);
        let kept = self.keep_taught(model, relieved);
        if kept.is_err() {
            let state = &mut *self.stream.write();
            (state.window, state.lineage) = before;
        }
        drop(between_batches);
        let (served, version) = kept?;
        let (state, needed) = match served {
            true => (VerdictState::Scored, 0),
            false => {
                let serving = self.library.serving();
                let needed = self.needed(&self.stream.read().window, has_own(serving.as_ref()));
                (serving.map_or(VerdictState::WarmingUp, |_| VerdictState::Scored), needed)
            }
        };
        let (events, duration) = (events.len() as u64, started.elapsed());
        Ok(Trained { model: version, events, templates, duration, state, needed })
    }

    /// The version that serves and the state that it judges by, to be kept with it should another relieve it.
    fn relieved(&self) -> Option<(String, Vec<u8>)> {
        let _between_batches = lock(&self.turn);
        let version = self.library.serving().as_ref()?.version.clone();
        Some((version, self.state_to_keep()))
    }

    /// A model of what was learned, together with what was seen before; None when that is too little.
    fn made_of(&self, warmed: &Window, events: usize) -> Result<Option<Model>, TrainError> {
        let (rows, card) = {
            let state = self.stream.read();
            let (seen, templates) = (state.window.seen + warmed.seen, state.miner.len() as u64);
            if events >= self.config.events_min {
                (warmed.rows().to_vec(), self.card(warmed, seen, templates, Origin::Request))
            } else if seen >= self.config.events_min as u64 {
                // Too few by themselves: the sample of the stream, which they are to be part of, serves.
                let mut window = state.window.clone();
                window.absorb(warmed);
                (window.rows().to_vec(), self.card(&window, seen, templates, Origin::Request))
            } else {
                return Ok(None);
            }
        };
        Model::train(&rows, card, self.config.parts).map(Some)
    }

    /// Takes what was learned into the stream's state; gives what was there before, and how many templates are
    /// known. To be called between two batches.
    fn absorb(&self, warmed: &Window, events: &[Event<'_>]) -> ((Window, Lineage), u64) {
        let what = events.iter().fold(events.len() as u64, |all, event| {
            mix(all ^ hash(event.message.as_bytes()) ^ event.timestamp.as_nanos() as u64)
        });
        let mut state = self.stream.write();
        let before = (state.window.clone(), state.lineage.clone());
        state.window.absorb(warmed);
        state.lineage.teach(what);
        (before, state.miner.len() as u64)
    }

    /// Makes what was taught durable: with the model that came of it, which serves from now on, or with the one
    /// that serves, or by itself. Says whether a model came of it, and which serves.
    fn keep_taught(
        &self,
        model: Option<Model>,
        relieved: Option<(String, Vec<u8>)>,
    ) -> Result<(bool, String), ModelError> {
        if let Some(model) = model {
            return self.activate_new(model, relieved).map(|version| (true, version));
        }
        let serving = self.library.serving();
        let version = serving.as_ref().map(|serving| serving.version.clone()).unwrap_or_default();
        self.library.registry.keep_learned(&version, &self.state_to_keep())?;
        Ok((false, version))
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

    /// Stores a model with the state as it is and lets it serve; the one before is kept with its own. To be
    /// called between two batches.
    pub(super) fn activate_new(
        &self,
        model: Model,
        relieved: Option<(String, Vec<u8>)>,
    ) -> Result<String, ModelError> {
        let serving = self.library.version();
        if let Some((version, state)) = relieved.filter(|(version, _)| serving.as_ref() == Some(version)) {
            self.library.registry.keep_learned(&version, &state)?;
        }
        let version =
            self.library.registry.store(&model, Some(&self.state_to_keep()), (Standing::Serving, ""))?;
        self.library.registry.forget_taught();
        self.library.registry.expire(&version);
        self.serve(version.clone(), Arc::new(model));
        Ok(version)
    }

    /// Lets a model serve that was kept with a state that this one holds.
    pub(super) fn serve(&self, version: String, model: Arc<Model>) {
        self.library.notice(&version);
        self.problems.solved("model");
        self.library.serve(Some(Serving { version, model, has_learned: true }));
    }

    pub(super) fn needed(&self, window: &Window, served: bool) -> u64 {
        if served { 0 } else { (self.config.events_min as u64).saturating_sub(window.seen) }
    }
}
