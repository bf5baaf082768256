//! The models that are kept, the one that serves, and the starters taken in.

use std::sync::{Arc, Mutex, RwLock, atomic::AtomicU64};

use crate::{
    Config, OpenError, Origin, Standing,
    locks::{lock, read, write},
    model::Model,
    problems::Problems,
    registry::Registry,
    starter::Starter,
};

/// The model that serves.
#[derive(Debug, Clone)]
pub(crate) struct Serving {
    pub(crate) version: String,
    pub(crate) model: Arc<Model>,
    /// Whether what it was trained with is there.
    pub(crate) has_learned: bool,
}

/// The starters taken in.
#[derive(Debug, Default)]
pub(crate) struct Starters {
    pub(crate) known: Vec<Starter>,
    /// Files that did not load, and why.
    pub(crate) refused: Vec<String>,
}

/// What is kept on disk, and which of it serves.
#[derive(Debug)]
pub(crate) struct Library {
    pub(crate) registry: Arc<Registry>,
    serving: RwLock<Option<Serving>>,
    /// What `current` said when it was last read or written, and the newest version met.
    pub(crate) noticed: Mutex<(Option<String>, Option<String>)>,
    /// Held through a training.
    pub(crate) training: Mutex<()>,
    pub(crate) starters: Mutex<Starters>,
    pub(crate) failed_trainings: AtomicU64,
}

impl Library {
    /// Opens the folder and takes the chosen model, else the newest that loads.
    pub(crate) fn open(config: &Config, problems: &Problems) -> Result<Self, OpenError> {
        let unusable = |source| OpenError::Directory { path: config.dir.clone(), source };
        let registry = Registry::open(config.dir.clone(), config.models_max).map_err(unusable)?;
        let (versions, current) = (registry.versions(), registry.current());
        let serving = first(&registry, current.as_deref(), &versions, problems);
        let (known, refused) = Starter::open_all(&config.dir).map_err(unusable)?;
        problems.of_files([
            ("starters", (!refused.is_empty()).then(|| refused.join("; "))),
            ("models", registry.problem()),
        ]);
        Ok(Self {
            registry: Arc::new(registry),
            serving: RwLock::new(serving),
            noticed: Mutex::new((current, versions.last().cloned())),
            training: Mutex::default(),
            starters: Mutex::new(Starters { known, refused }),
            failed_trainings: AtomicU64::default(),
        })
    }

    /// The model that serves.
    pub(crate) fn serving(&self) -> Option<Serving> {
        read(&self.serving).clone()
    }

    /// The version that serves.
    pub(crate) fn version(&self) -> Option<String> {
        read(&self.serving).as_ref().map(|serving| serving.version.clone())
    }

    /// Lets another model serve.
    pub(crate) fn serve(&self, serving: Option<Serving>) {
        *write(&self.serving) = serving;
    }

    /// Whether a model of its own serves.
    pub(crate) fn has_own(&self) -> bool {
        has_own(read(&self.serving).as_ref())
    }

    /// Remembers which version serves, so that no other is taken for a newer one.
    pub(crate) fn notice(&self, version: &str) {
        *lock(&self.noticed) = (Some(version.to_owned()), self.registry.versions().pop());
    }
}

/// Whether a model serves that was trained on what this service saw, or that somebody chose.
pub(crate) fn has_own(serving: Option<&Serving>) -> bool {
    serving.is_some_and(|serving| serving.model.card.origin != Some(Origin::Starter))
}

/// The model that serves at a start: the chosen one, else the latest of those that served before it, else the
/// newest that loads, one that was not to serve by itself last. Another than the chosen one is told.
fn first(
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
