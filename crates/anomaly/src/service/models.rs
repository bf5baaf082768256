//! The models kept: which serves, and which serves instead.

use std::sync::Arc;

use event::{Timestamp, VerdictState};

use super::{Service, Serving, has_own, lock, problems::Problems, read};
use crate::{
    Comparison, Conditions, FeatureUse, ModelError, ModelInfo, Standing, compare,
    explain::name,
    kept,
    model::{self, Model, WEIGHTS},
    registry::Registry,
    succession::number_of,
};

/// After a model was taken back or chosen by hand, so many times the events that a first model needs
/// pass before another takes over by itself.
const HELD_PER_EVENTS_MIN: u64 = 10;

/// Why a model that serves does not judge.
const WITHOUT_HISTORY: &str = "the templates and the history it was trained with are not there";

/// The model that serves at a start: the chosen one, else the latest of those that served before it, else the
/// newest that loads, one that was not to serve by itself last. Another than the chosen one is told.
pub(super) fn first(
    registry: &Registry,
    current: Option<&str>,
    versions: &[String],
    problems: &Problems,
) -> Option<Serving> {
    let mut refused = None;
    let mut load = |version: &str| match registry.load(version) {
        Ok(model) => {
            Some(Serving { version: version.to_owned(), model: Arc::new(model), has_learned: false })
        }
        Err(error) => {
            refused.get_or_insert((version.to_owned(), error));
            None
        }
    };
    let chosen = current.and_then(&mut load);
    if chosen.is_some() {
        return chosen;
    }
    let before: Vec<String> = registry.past(|succession| {
        current.map(|current| succession.before(current).cloned().collect()).unwrap_or_default()
    });
    let may =
        |version: &&String| registry.past(|succession| succession.standing(version).0 == Standing::Kept);
    let rest = || versions.iter().rev();
    let candidates = before.iter().chain(rest().filter(may)).chain(rest().filter(|version| !may(version)));
    let found = candidates.into_iter().find_map(|version| load(version));
    let instead = found
        .as_ref()
        .map_or("no model serves".to_owned(), |serving| format!("{} serves instead", serving.version));
    if let Some((version, error)) = refused {
        problems.found(
            "model",
            format!("model {version}, which was to serve, cannot be read ({error}); {instead}: activate another or train anew"),
        );
    }
    found
}

impl Service {
    /// The model that serves.
    pub fn model(&self) -> ModelInfo {
        let serving = read(&self.serving).clone();
        if let Some(serving) = serving {
            let drift = lock(&self.upkeep).monitor.report();
            let needed = self.needed(&read(&self.state).window, has_own(Some(&serving)));
            let info = self.info(&serving.version, &serving.model, true);
            let problem = self.problems.of("model").unwrap_or_default();
            let (state, warming) = self.standing_of_state(&read(&self.state));
            let (needed, why) = match state {
                VerdictState::WarmingUp => (warming, WITHOUT_HISTORY.to_owned()),
                _ => (needed, info.why),
            };
            return ModelInfo { drift: Some(drift), state, needed, why, problem, ..info };
        }
        let problem = self.problems.of("model").unwrap_or_default();
        let state = read(&self.state);
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
        let versions = self.registry.versions().into_iter();
        versions.filter_map(|version| self.model_of(&version).ok()).collect()
    }

    /// One of the models kept. Reads its file.
    ///
    /// # Errors
    /// When there is none of this version or it does not load.
    pub fn model_of(&self, version: &str) -> Result<ModelInfo, ModelError> {
        let model = self.registry.load(version)?;
        let serves = read(&self.serving).as_ref().is_some_and(|serving| serving.version == version);
        Ok(if serves { self.model() } else { self.info(version, &model, false) })
    }

    /// Lets another of the kept models serve. None takes over from it by itself for a while.
    ///
    /// # Errors
    /// When there is none of this version or it does not load: the one before serves on.
    pub fn activate(&self, version: &str) -> Result<ModelInfo, ModelError> {
        let model = self.registry.load(version)?;
        let held_until = self.held_until();
        self.exchange(version, Arc::new(model), || {
            self.registry.choose(version)?;
            self.registry.remark(|succession| succession.held_until = held_until)
        })?;
        Ok(self.model())
    }

    /// Lets the model serve again that served before this one, which stays listed as rolled back. None
    /// takes over by itself for a while.
    ///
    /// # Errors
    /// When none that is kept and loads served before: this one serves on.
    pub fn roll_back(&self) -> Result<ModelInfo, ModelError> {
        let serving = read(&self.serving).clone().ok_or(ModelError::NothingBefore)?;
        let before: Vec<String> =
            self.registry.past(|succession| succession.before(&serving.version).cloned().collect());
        let found = before
            .into_iter()
            .filter(|version| {
                self.registry.past(|succession| succession.standing(version).0) != Standing::RolledBack
            })
            .find_map(|version| Some((self.registry.load(&version).ok()?, version)));
        let (model, version) = found.ok_or(ModelError::NothingBefore)?;
        let held_until = self.held_until();
        self.exchange(&version, Arc::new(model), || {
            self.registry.choose(&version)?;
            self.registry.remark(|succession| {
                let why = format!("rolled back to {version}");
                succession.mark(&serving.version, Standing::RolledBack, &why);
                succession.held_until = held_until;
            })
        })?;
        Ok(self.model())
    }

    fn held_until(&self) -> u64 {
        read(&self.state).window.seen + self.hold()
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
            let _between_batches = lock(&self.scratch);
            let judges = self.judging(&read(&self.state)).is_some_and(|serving| serving.version == version);
            let is_kept = kept.is_some_and(|kept| kept.is_same(&read(&self.state).lineage));
            (judges && !is_kept).then(|| self.state_to_keep())
        };
        self.registry.export(version, state.as_deref())
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
        let _between_exchanges = lock(&self.scratch);
        let standing = (Standing::Imported, "brought from elsewhere");
        let version = self.registry.store(&model, state.as_deref(), standing)?;
        let serving = read(&self.serving).as_ref().map(|serving| serving.version.clone());
        if serving.as_ref() != Some(&version)
            && let Some(state) = &state
        {
            // Of a model that was kept already: it comes as it was when it was carried away.
            self.registry.keep_learned(&version, state)?;
        }
        self.registry.expire(serving.as_deref().unwrap_or(&version));
        let active = serving.is_some_and(|serving| serving == version);
        Ok(self.info(&version, &model, active))
    }

    /// What two of the kept models say of recent events. Takes time; call it off the reactor.
    ///
    /// # Errors
    /// When one is not there or does not load.
    pub fn compare(&self, a: &str, b: &str) -> Result<Comparison, ModelError> {
        let (one, other) = (self.registry.load(a)?, self.registry.load(b)?);
        Ok(compare::compare((&one, a), (&other, b), &self.recent_rows()))
    }

    /// What groups of the anomalies found lately, since the start, have in common. Takes time; call it off the
    /// reactor.
    pub fn conditions(&self) -> Conditions {
        let examples = lock(&self.upkeep).examples.clone();
        examples.conditions()
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
                number_of(version) > noticed.1.as_deref().and_then(number_of)
                    && !self.registry.is_candidate(version)
            });
            *noticed = (current, newest);
            chosen.or(newer)
        };
        let serving = read(&self.serving).as_ref().map(|serving| serving.version.clone());
        let Some(version) = wanted.filter(|wanted| serving.as_ref() != Some(wanted)) else {
            return Ok(false);
        };
        let model = self.registry.load(&version)?;
        self.exchange(&version, Arc::new(model), || Ok(()))?;
        Ok(true)
    }

    fn info(&self, version: &str, model: &Model, active: bool) -> ModelInfo {
        let card = &model.card;
        let (mut standing, why) = self.registry.past(|succession| {
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
