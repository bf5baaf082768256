//! Starters taken in, and the model that serves until there is one of the service's own.

use arithmetic::hash;

use super::Service;
use crate::{
    ModelInfo, StarterInfo, TrainError,
    locks::lock,
    model::Model,
    starter::{STARTERS_MAX, Starter},
};

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
        let _training = lock(&self.library.training);
        {
            let mut starters = lock(&self.library.starters);
            if starters.known.iter().filter(|known| known.name != starter.name).count() >= STARTERS_MAX {
                return Err(TrainError::Starters);
            }
            starter.store(&self.config.dir, bytes)?;
            starters.known.retain(|known| known.name != starter.name);
            starters.known.push(starter);
            starters.known.sort_by(|a, b| a.name.cmp(&b.name));
            let mut state = self.stream.write();
            state.hear(&starters.known);
            state.lineage.teach(hash(bytes));
        }
        if !self.library.has_own() {
            let (rows, card) = {
                let starters = lock(&self.library.starters);
                Starter::training(&starters.known, self.config.false_positive_rate, self.config.seed)
            };
            let model = Model::train(&rows, card, self.config.parts)?;
            let _between_batches = lock(&self.turn);
            if !self.library.has_own() {
                self.activate_new(model, None)?;
            }
        }
        Ok(self.model())
    }

    /// The starters taken in.
    pub fn starters(&self) -> Vec<StarterInfo> {
        let starters = lock(&self.library.starters);
        let info = |starter: &Starter| StarterInfo {
            name: starter.name.clone(),
            events: starter.events,
            templates: starter.miner.len() as u64,
        };
        starters.known.iter().map(info).collect()
    }

    /// Starters taken in earlier that could not be read at the start, and why.
    pub fn starter_problems(&self) -> Vec<String> {
        lock(&self.library.starters).refused.clone()
    }
}
