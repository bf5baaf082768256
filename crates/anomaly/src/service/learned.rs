//! What was learned, as one state: saved, gone on from, kept with each model and exchanged with it.
//!
//! A model judges by the templates and the history it was trained with. It is kept together with the state that
//! these are part of, and when another model comes to serve, the state comes with it, unless the one that is
//! there descends from it and the stream has gone on since: what the stream has shown is not forgotten. The
//! model that is relieved keeps the state as it was then ([0033](../../../../docs/decisions/0033-what-was-learned.md)).

use std::sync::Arc;

use event::VerdictState;

use super::Service;
use crate::{
    ModelError, Origin,
    library::Serving,
    lineage::Lineage,
    locks::lock,
    model::Model,
    stream::{State, Upkeep},
};

impl Service {
    /// Templates and window state as of the last `analyze`, to be saved together with the index's commit, as
    /// `stream::file` says. The models of events are no part of it, and neither is one that is being trained,
    /// unless trainings are waited for.
    pub fn snapshot(&self) -> Vec<u8> {
        let _between_batches = lock(&self.turn);
        // Beside the state: a training may be waited for.
        let mut pending = self.stream.write().upkeep.pending.take();
        if let Some(pending) = &mut pending
            && (self.config.waits_for_training || pending.is_trained())
        {
            pending.finish();
        }
        self.stream.write().upkeep.pending = pending;
        self.stream.read().to_bytes(true)
    }

    /// The state to be kept with a model. To be called between two batches.
    pub(super) fn state_to_keep(&self) -> Vec<u8> {
        self.stream.write().lineage.mark();
        self.stream.read().to_bytes(false)
    }

    /// Goes on from a snapshot, or from what the model that serves is kept with where the snapshot lacks that.
    ///
    /// # Errors
    /// When the snapshot is something else, of another version, cut short or altered: nothing changes.
    pub fn restore(&self, snapshot: &[u8]) -> Result<(), ModelError> {
        let mut state = State::from_bytes(snapshot, &self.config)?;
        let between_batches = lock(&self.turn);
        let upkeep = std::mem::replace(&mut state.upkeep, Upkeep::new(self.config.seed));
        let before = std::mem::replace(&mut self.stream.write().upkeep, upkeep);
        let learned_before = self.put(state, None);
        self.go_on();
        drop(between_batches);
        self.match_feedback();
        // They may wait for a training, nobody for them.
        drop((before, learned_before));
        Ok(())
    }

    /// Whether a state of others can be gone on from.
    pub(super) fn check_state(&self, state: &[u8]) -> Result<(), ModelError> {
        State::from_bytes(state, &self.config).map(drop)
    }

    /// What a version is kept with, where that can be read.
    pub(super) fn lineage_kept_with(&self, version: &str) -> Option<Lineage> {
        let state = self.library.registry.learned(version).ok()??;
        State::from_bytes(&state, &self.config).ok().map(|state| state.lineage)
    }

    /// Puts a state in the place of the one that is there, together with the model that judges by it. What is
    /// watched beside the stream stays.
    fn put(&self, mut state: State, serving: Option<Serving>) -> State {
        self.opinions.said().tell(&mut state.miner);
        state.hear(&lock(&self.library.starters).known);
        let mut current = self.stream.write();
        state.entities.count_on(&current.entities);
        std::mem::swap(&mut state.upkeep, &mut current.upkeep);
        let before = std::mem::replace(&mut *current, state);
        if let Some(serving) = serving {
            self.library.serve(Some(serving));
        }
        before
    }

    /// The state that a version is kept with. One that does not load is told and set aside.
    fn kept_with(&self, version: &str) -> Option<State> {
        let kept = self.library.registry.learned(version);
        match kept.and_then(|state| state.map(|state| State::from_bytes(&state, &self.config)).transpose()) {
            Ok(kept) => kept,
            Err(error) => {
                let aside = match self.library.registry.set_learned_aside(version) {
                    Ok(aside) => format!("it was set aside as {}", aside.display()),
                    Err(error) => format!("it could not be set aside: {error}"),
                };
                let which = if version.is_empty() { "no model" } else { version };
                self.problems.found(
                    "history",
                    format!("what {which} was trained with cannot be read ({error}); {aside}"),
                );
                None
            }
        }
    }

    /// After a start: takes what the model that serves is kept with, where the state that is there neither
    /// holds it nor comes to it by itself. To be called between two batches.
    pub(super) fn go_on(&self) {
        let serving = self.library.serving();
        let kept = self.kept_with(serving.as_ref().map_or("", |serving| &serving.version));
        let serving = serving.map(|serving| Serving { has_learned: kept.is_some(), ..serving });
        let Some(mut state) = kept else {
            self.library.serve(serving);
            return;
        };
        let here = self.stream.read().lineage.clone();
        let takes = here.yields_to(&state.lineage) && !here.leads_to(&state.lineage);
        if takes {
            state.lineage = here.follow(&state.lineage);
            drop(self.put(state, serving));
        } else {
            self.library.serve(serving);
        }
    }

    /// Lets another model serve, with what it was trained with. `choose` makes it durable.
    pub(super) fn exchange(
        &self,
        version: &str,
        model: Arc<Model>,
        choose: impl FnOnce() -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        let kept = self.kept_with(version);
        let between_batches = lock(&self.turn);
        let relieved = self.library.version();
        if let Some(relieved) = relieved.filter(|relieved| relieved != version) {
            self.library.registry.keep_learned(&relieved, &self.state_to_keep())?;
        }
        choose()?;
        self.library.notice(version);
        let serving = Serving { version: version.to_owned(), model, has_learned: kept.is_some() };
        let here = self.stream.read().lineage.clone();
        match kept {
            Some(mut state) if here.yields_to(&state.lineage) => {
                let kept = state.lineage.clone();
                state.lineage = here.follow(&kept);
                let moved = !state.lineage.is_at(&kept);
                drop(self.put(state, Some(serving)));
                if moved {
                    self.keep_with(version);
                }
            }
            kept => {
                self.library.serve(Some(serving));
                if kept.is_some_and(|kept| !here.is_same(&kept.lineage)) {
                    self.keep_with(version);
                }
            }
        }
        drop(between_batches);
        self.problems.solved("model");
        self.match_feedback();
        Ok(())
    }

    /// Keeps the state as it is with the model that serves by it. Without that, a restart would go on from an
    /// older one: no reason to refuse what was asked for.
    fn keep_with(&self, version: &str) {
        if let Err(error) = self.library.registry.keep_learned(version, &self.state_to_keep()) {
            let why = format!("what {version} judges by could not be kept with it: {error}");
            self.problems.found("history", why);
        }
    }

    /// The model, where it may judge: one without the history it was trained with has to see as many events
    /// as a first model needs. What a starter tells is its history.
    pub(super) fn judging(&self, state: &State) -> Option<Serving> {
        let serving = self.library.serving()?;
        let first = (self.config.events_min as u64).max(1);
        let starter = serving.model.card.origin == Some(Origin::Starter);
        (serving.has_learned || starter || state.window.seen >= first).then_some(serving)
    }

    /// How scores come about at present, and how many events are still needed.
    pub(super) fn standing_of_state(&self, state: &State) -> (VerdictState, u64) {
        match self.judging(state) {
            Some(_) => (VerdictState::Scored, 0),
            None => {
                (VerdictState::WarmingUp, (self.config.events_min as u64).saturating_sub(state.window.seen))
            }
        }
    }
}
