//! The models kept: which serves, and which serves instead.

use std::sync::Arc;

use event::{Timestamp, VerdictState};

use super::{Service, Serving, lock, read, write};
use crate::{
    ModelError, ModelInfo,
    model::{self, Model},
    registry,
};

impl Service {
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
