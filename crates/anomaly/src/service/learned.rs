//! What was learned, as one state: saved, gone on from, kept with each model and exchanged with it.
//!
//! A model judges by the templates and the history it was trained with. It is kept together with the state that
//! these are part of, and when another model comes to serve, the state comes with it, unless the one that is
//! there descends from it and the stream has gone on since: what the stream has shown is not forgotten. The
//! model that is relieved keeps the state as it was then ([0033](../../../../docs/decisions/0033-what-was-learned.md)).

use std::sync::Arc;

use disk::sealed::{Reader, Writer};
use event::VerdictState;
use template::Miner;

use super::{
    MAGIC, Service, Serving, State, VERSION, labels, lock, read, sessions, sessions::Learning, write,
};
use crate::{ModelError, Origin, lineage::Lineage, model::Model, window::Window};

use super::upkeep::Upkeep;

/// A state that was read, before it is put in place.
#[derive(Debug)]
pub(super) struct Learned {
    state: State,
    upkeep: Upkeep,
    learning: Learning,
}

impl Service {
    /// Templates and window state as of the last `analyze`, to be saved together with the index's
    /// commit. Sealed as the models are, magic `LSWINDOW`; the body: templates (u32 length, bytes
    /// of their own), the window, u64 events at which a training may be tried again, the monitor of
    /// drift, u8 1 with where and by which model the serving one is followed, or 0, the sessions
    /// ([`session::Entities::write`]), what was learned of them ([`session::Models::write`]), and the lineage (`lineage`). The models of
    /// events are no part of it, and neither is one that is being trained, unless trainings are waited for.
    pub fn snapshot(&self) -> Vec<u8> {
        let _between_batches = lock(&self.scratch);
        self.encode(|upkeep, out| upkeep.write(out, self.config.waits_for_training))
    }

    /// The state to be kept with a model. To be called between two batches.
    pub(super) fn state_to_keep(&self) -> Vec<u8> {
        write(&self.state).lineage.mark();
        self.encode(|upkeep, out| upkeep.write_monitor(out))
    }

    fn encode(&self, write_upkeep: impl FnOnce(&mut Upkeep, &mut Writer)) -> Vec<u8> {
        let state = read(&self.state);
        let mut out = Writer::sealed(MAGIC, VERSION);
        out.bytes(&state.miner.save());
        state.window.write(&mut out);
        out.u64(state.retry_at);
        write_upkeep(&mut lock(&self.upkeep), &mut out);
        state.entities.write(&mut out);
        lock(&self.sessions).write(&mut out);
        state.lineage.write(&mut out);
        out.seal()
    }

    fn decode(&self, snapshot: &[u8]) -> Result<Learned, ModelError> {
        let (mut input, version) = Reader::sealed_since(snapshot, MAGIC, 1..=VERSION, "the snapshot")?;
        let miner =
            Miner::load(input.bytes()?, self.config.template.clone()).map_err(ModelError::Templates)?;
        let mut window = Window::read(&mut input)?;
        window.mask = self.config.parts.mask();
        let (retry_at, upkeep) = match version {
            1 => (0, Upkeep::new(self.config.seed)),
            _ => (input.u64()?, Upkeep::read(&mut input)?),
        };
        let mut entities = sessions::entities(&self.config);
        let mut learning = Learning::default();
        if version > 2 {
            entities = entities.read(&mut input)?;
            learning = Learning::read(&mut input)?;
            entities.relearn(learning.models());
        }
        let lineage = match version {
            1..=3 => Lineage::unknown(snapshot, window.seen),
            _ => Lineage::read(&mut input)?,
        };
        input.end()?;
        Ok(Learned { state: State { miner, window, entities, retry_at, lineage }, upkeep, learning })
    }

    /// Goes on from a snapshot, or from what the model that serves is kept with where the snapshot lacks that.
    ///
    /// # Errors
    /// When the snapshot is something else, of another version, cut short or altered: nothing changes.
    pub fn restore(&self, snapshot: &[u8]) -> Result<(), ModelError> {
        let Learned { state, upkeep, learning } = self.decode(snapshot)?;
        let between_batches = lock(&self.scratch);
        let before = std::mem::replace(&mut *lock(&self.upkeep), upkeep);
        let learned_before = self.put(state, learning, None);
        self.go_on();
        drop(between_batches);
        self.match_feedback();
        // They may wait for a training, nobody for them.
        drop((before, learned_before));
        Ok(())
    }

    /// Whether a state of others can be gone on from.
    pub(super) fn check_state(&self, state: &[u8]) -> Result<(), ModelError> {
        self.decode(state).map(drop)
    }

    /// What a version is kept with, where that can be read.
    pub(super) fn lineage_kept_with(&self, version: &str) -> Option<Lineage> {
        let state = self.registry.learned(version).ok()??;
        self.decode(&state).ok().map(|learned| learned.state.lineage)
    }

    /// Puts a state in the place of the one that is there, together with the model that judges by it.
    fn put(&self, mut state: State, learning: Learning, serving: Option<Serving>) -> Learning {
        let decisions = lock(&self.decisions);
        state.miner.set_operations(decisions.operations.clone());
        labels::recall(&mut lock(&self.feedback), &mut state.miner);
        lock(&self.starters).tell(&mut state);
        let mut current = write(&self.state);
        state.entities.count_on(&current.entities);
        *current = state;
        if let Some(serving) = serving {
            *write(&self.serving) = Some(serving);
        }
        std::mem::replace(&mut *lock(&self.sessions), learning)
    }

    /// The state that a version is kept with. One that does not load is told and set aside.
    fn kept_with(&self, version: &str) -> Option<Learned> {
        let kept = self.registry.learned(version);
        match kept.and_then(|state| state.map(|state| self.decode(&state)).transpose()) {
            Ok(kept) => kept,
            Err(error) => {
                let aside = match self.registry.set_learned_aside(version) {
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
        let serving = read(&self.serving).clone();
        let kept = self.kept_with(serving.as_ref().map_or("", |serving| &serving.version));
        let serving = serving.map(|serving| Serving { has_learned: kept.is_some(), ..serving });
        let Some(Learned { mut state, learning, .. }) = kept else {
            *write(&self.serving) = serving;
            return;
        };
        let here = read(&self.state).lineage.clone();
        let takes = here.yields_to(&state.lineage) && !here.leads_to(&state.lineage);
        if takes {
            state.lineage = here.follow(&state.lineage);
            drop(self.put(state, learning, serving));
        } else {
            *write(&self.serving) = serving;
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
        let between_batches = lock(&self.scratch);
        let relieved = read(&self.serving).as_ref().map(|serving| serving.version.clone());
        if let Some(relieved) = relieved.filter(|relieved| relieved != version) {
            self.registry.keep_learned(&relieved, &self.state_to_keep())?;
        }
        choose()?;
        self.notice(version);
        let serving = Serving { version: version.to_owned(), model, has_learned: kept.is_some() };
        let here = read(&self.state).lineage.clone();
        match kept {
            Some(Learned { mut state, learning, .. }) if here.yields_to(&state.lineage) => {
                let kept = state.lineage.clone();
                state.lineage = here.follow(&kept);
                let moved = !state.lineage.is_at(&kept);
                drop(self.put(state, learning, Some(serving)));
                if moved {
                    self.keep_with(version);
                }
            }
            kept => {
                *write(&self.serving) = Some(serving);
                if kept.is_some_and(|kept| !here.is_same(&kept.state.lineage)) {
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
        if let Err(error) = self.registry.keep_learned(version, &self.state_to_keep()) {
            let why = format!("what {version} judges by could not be kept with it: {error}");
            self.problems.found("history", why);
        }
    }

    /// The model, where it may judge: one without the history it was trained with has to see as many events
    /// as a first model needs. What a starter tells is its history.
    pub(super) fn judging(&self, state: &State) -> Option<Serving> {
        let serving = read(&self.serving).clone()?;
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
