//! Starters taken in, and the model that serves until there is one of the service's own.

use std::sync::Arc;

use arithmetic::hash;

use super::{Service, Serving, State, lock, read, write};
use crate::{
    ModelInfo, Origin, StarterInfo, TrainError,
    model::Model,
    starter::{STARTERS_MAX, Starter},
    window::Prior,
};

/// The starters taken in.
#[derive(Debug, Default)]
pub(super) struct Starters {
    pub(super) known: Vec<Starter>,
    /// Files that did not load, and why.
    pub(super) refused: Vec<String>,
}

impl Starters {
    /// Tells what they know to the state of a stream, which may know much already.
    pub(super) fn tell(&self, state: &mut State) {
        let mut prior = Prior::default();
        for starter in &self.known {
            state.miner.adopt(&starter.miner);
            prior.join(starter.prior.clone());
        }
        state.window.prior = Arc::new(prior);
    }
}

impl Service {
    /// Takes in a starter: its templates and what is usual of them are known from now on, and after a
    /// restart. While the service has no model of its own, one of what all starters tell serves at once,
    /// until the first of its own takes over. Takes time; call it off the reactor.
    ///
    /// # Errors
    /// When the bytes are no starter, of another version, cut short or altered, when sixteen others
    /// are kept, or the disk refuses. What served before serves on.
    pub fn start_from(&self, bytes: &[u8]) -> Result<ModelInfo, TrainError> {
        let starter = Starter::from_bytes(bytes)?;
        let _training = lock(&self.training);
        {
            let mut starters = lock(&self.starters);
            if starters.known.iter().filter(|known| known.name != starter.name).count() >= STARTERS_MAX {
                return Err(TrainError::Starters);
            }
            starter.store(&self.config.dir, bytes)?;
            starters.known.retain(|known| known.name != starter.name);
            starters.known.push(starter);
            starters.known.sort_by(|a, b| a.name.cmp(&b.name));
            let mut state = write(&self.state);
            starters.tell(&mut state);
            state.lineage.teach(hash(bytes));
        }
        if !has_own(read(&self.serving).as_ref()) {
            let (rows, card) = {
                let starters = lock(&self.starters);
                Starter::training(&starters.known, self.config.false_positive_rate, self.config.seed)
            };
            let model = Model::train(&rows, card, self.config.parts)?;
            let _between_batches = lock(&self.scratch);
            if !has_own(read(&self.serving).as_ref()) {
                self.activate_new(model, None)?;
            }
        }
        Ok(self.model())
    }

    /// The starters taken in.
    pub fn starters(&self) -> Vec<StarterInfo> {
        let starters = lock(&self.starters);
        let info = |starter: &Starter| StarterInfo {
            name: starter.name.clone(),
            events: starter.events,
            templates: starter.miner.len() as u64,
        };
        starters.known.iter().map(info).collect()
    }

    /// Starters taken in earlier that could not be read at the start, and why.
    pub fn starter_problems(&self) -> Vec<String> {
        lock(&self.starters).refused.clone()
    }
}

/// Whether a model serves that was trained on what this service saw, or that somebody chose.
pub(super) fn has_own(serving: Option<&Serving>) -> bool {
    serving.is_some_and(|serving| serving.model.card.origin != Some(Origin::Starter))
}
