//! The models kept: which serves, and which serves instead.

use std::sync::Arc;

use event::{Timestamp, VerdictState};

use super::Service;
use crate::{
    Changed, Comparison, Conditions, FeatureUse, ModelError, ModelInfo, Problem, Standing, compare,
    explain::name,
    kept,
    library::has_own,
    locks::lock,
    model::{self, Model, WEIGHTS},
    succession::number_of,
};

/// After a model was taken back or chosen by hand, so many times the events that a first model needs
/// pass before another takes over by itself.
const HELD_PER_EVENTS_MIN: u64 = 10;

/// Why a model that serves does not judge.
const WITHOUT_HISTORY: &str = "the templates and the history it was trained with are not there";

impl Service {
    /// What was found damaged since the start, or lies set aside.
    pub fn problems(&self) -> Vec<Problem> {
        self.problems.all()
    }

    /// The model that serves.
    pub fn model(&self) -> ModelInfo {
        let serving = self.library.serving();
        if let Some(serving) = serving {
            let drift = self.stream.read().upkeep.monitor.report();
            let needed = self.needed(&self.stream.read().window, has_own(Some(&serving)));
            let info = self.info(&serving.version, &serving.model, true);
            let problem = self.problems.of("model").unwrap_or_default();
            let (state, warming) = self.standing_of_state(&self.stream.read());
            let (needed, why) = match state {
                VerdictState::WarmingUp => (warming, WITHOUT_HISTORY.to_owned()),
                _ => (needed, info.why),
            };
            return ModelInfo { drift: Some(drift), state, needed, why, problem, ..info };
        }
        let problem = self.problems.of("model").unwrap_or_default();
        let state = self.stream.read();
        ModelInfo {
            version: String::new(),
            state: VerdictState::WarmingUp,
            active: false,
            trained_at: None,
            events: state.window.seen,
            templates: state.miner.len() as u64,
            threshold: model::threshold(self.config.false_positive_rate),
            false_positive_rate: self.config.false_positive_rate,
            from: None,
            to: None,
            needed: self.needed(&state.window, false),
            standing: Standing::Serving,
            why: String::new(),
            origin: None,
            rows: state.window.rows().len() as u64,
            features: Vec::new(),
            drift: None,
            problem,
        }
    }

    /// The models kept that load, oldest first. Reads their files.
    pub fn models(&self) -> Vec<ModelInfo> {
        let versions = self.library.registry.versions().into_iter();
        versions.filter_map(|version| self.model_of(&version).ok()).collect()
    }

    /// One of the models kept. Reads its file.
    ///
    /// # Errors
    /// When there is none of this version or it does not load.
    pub fn model_of(&self, version: &str) -> Result<ModelInfo, ModelError> {
        let model = self.library.registry.load(version)?;
        let serves = self.library.serving().as_ref().is_some_and(|serving| serving.version == version);
        Ok(if serves { self.model() } else { self.info(version, &model, false) })
    }

    /// Lets another of the kept models serve. None takes over from it by itself for a while.
    ///
    /// # Errors
    /// When there is none of this version or it does not load: the one before serves on.
    pub fn activate(&self, version: &str) -> Result<ModelInfo, ModelError> {
        let model = self.library.registry.load(version)?;
        let held_until = self.held_until();
        self.exchange(version, Arc::new(model), || {
            self.library.registry.choose(version)?;
            self.library.registry.remark(|succession| succession.held_until = held_until)
        })?;
        Ok(self.model())
    }

    /// Lets the model serve again that served before this one, which stays listed as rolled back. None
    /// takes over by itself for a while.
    ///
    /// # Errors
    /// When none that is kept and loads served before: this one serves on.
    pub fn roll_back(&self) -> Result<ModelInfo, ModelError> {
        let serving = self.library.serving().ok_or(ModelError::NothingBefore)?;
        let before: Vec<String> =
            self.library.registry.past(|succession| succession.before(&serving.version).cloned().collect());
        let found = before
            .into_iter()
            .filter(|version| {
                self.library.registry.past(|succession| succession.standing(version).0)
                    != Standing::RolledBack
            })
            .find_map(|version| Some((self.library.registry.load(&version).ok()?, version)));
        let (model, version) = found.ok_or(ModelError::NothingBefore)?;
        let held_until = self.held_until();
        self.exchange(&version, Arc::new(model), || {
            self.library.registry.choose(&version)?;
            self.library.registry.remark(|succession| {
                let why = format!("rolled back to {version}");
                succession.mark(&serving.version, Standing::RolledBack, &why);
                succession.held_until = held_until;
            })
        })?;
        Ok(self.model())
    }

    fn held_until(&self) -> u64 {
        self.stream.read().window.seen + self.hold()
    }

    /// Events for which none takes over by itself once somebody chose.
    pub(super) fn hold(&self) -> u64 {
        HELD_PER_EVENTS_MIN * (self.config.events_min as u64).max(1)
    }

    /// A model with what it was trained with, of the one that serves as it stands now, as one file, which
    /// [`Service::import`] takes.
    ///
    /// # Errors
    /// When there is none of this version or it does not load.
    pub fn export(&self, version: &str) -> Result<Vec<u8>, ModelError> {
        let kept = self.lineage_kept_with(version);
        let state = {
            let _between_batches = lock(&self.turn);
            let judges = self.judging(&self.stream.read()).is_some_and(|serving| serving.version == version);
            let is_kept = kept.is_some_and(|kept| kept.is_same(&self.stream.read().lineage));
            (judges && !is_kept).then(|| self.state_to_keep())
        };
        self.library.registry.export(version, state.as_deref())
    }

    /// Takes in a model that was exported. It is kept, and serves when it is activated.
    ///
    /// # Errors
    /// When the bytes are no model, of a newer version, cut short or altered, or the disk refuses.
    pub fn import(&self, bytes: &[u8]) -> Result<ModelInfo, ModelError> {
        let (model, learned) = kept::open(bytes)?;
        let model = Model::from_bytes(model)?;
        let state = learned.map(kept::unpack).transpose()?;
        if let Some(state) = &state {
            self.check_state(state)?;
        }
        let _between_exchanges = lock(&self.turn);
        let standing = (Standing::Imported, "brought from elsewhere");
        let version = self.library.registry.store(&model, state.as_deref(), standing)?;
        let serving = self.library.version();
        if serving.as_ref() != Some(&version)
            && let Some(state) = &state
        {
            // Of a model that was kept already: it comes as it was when it was carried away.
            self.library.registry.keep_learned(&version, state)?;
        }
        self.library.registry.expire(serving.as_deref().unwrap_or(&version));
        let active = serving.is_some_and(|serving| serving == version);
        Ok(self.info(&version, &model, active))
    }

    /// What two of the kept models say of recent events. Takes time; call it off the reactor.
    ///
    /// # Errors
    /// When one is not there or does not load.
    pub fn compare(&self, a: &str, b: &str) -> Result<Comparison, ModelError> {
        let (one, other) = (self.library.registry.load(a)?, self.library.registry.load(b)?);
        Ok(compare::compare((&one, a), (&other, b), &self.recent_rows()))
    }

    /// What groups of the anomalies found lately, since the start, have in common. Takes time; call it off the
    /// reactor.
    pub fn conditions(&self) -> Conditions {
        let examples = self.stream.read().upkeep.examples.clone();
        examples.conditions()
    }

    /// Takes a newer model from disk when another process put one there, or the one it chose; a
    /// broken one is refused and the old stays. Says whether another model serves now.
    ///
    /// # Errors
    /// When the model does not load. The same one is not looked at again.
    pub fn reload(&self) -> Result<bool, ModelError> {
        let (current, newest) = (self.library.registry.current(), self.library.registry.versions().pop());
        let wanted = {
            let mut noticed = lock(&self.library.noticed);
            let chosen = current.clone().filter(|_| current != noticed.0);
            let newer = newest.clone().filter(|version| {
                number_of(version) > noticed.1.as_deref().and_then(number_of)
                    && !self.library.registry.is_candidate(version)
            });
            *noticed = (current, newest);
            chosen.or(newer)
        };
        let serving = self.library.version();
        let Some(version) = wanted.filter(|wanted| serving.as_ref() != Some(wanted)) else {
            return Ok(false);
        };
        let model = self.library.registry.load(&version)?;
        self.exchange(&version, Arc::new(model), || Ok(()))?;
        self.changes.add(&version, Changed::Found);
        Ok(true)
    }

    fn info(&self, version: &str, model: &Model, active: bool) -> ModelInfo {
        let card = &model.card;
        let (mut standing, why) = self.library.registry.past(|succession| {
            let (standing, why) = succession.standing(version);
            (standing, why.to_owned())
        });
        if active {
            standing = Standing::Serving;
        }
        let usage = model.usage();
        let features = WEIGHTS.iter().map(|(feature, weight)| FeatureUse {
            name: name(*feature),
            weight: *weight,
            splits: usage[*feature as usize],
            surprised: 1.0 - model.shares(*feature)[0],
        });
        ModelInfo {
            version: version.to_owned(),
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
            standing,
            why: if active { String::new() } else { why },
            origin: card.origin,
            rows: card.rows,
            features: features.collect(),
            drift: None,
            problem: String::new(),
        }
    }
}
