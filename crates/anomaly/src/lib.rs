//! Finds what is strange in a stream of log events, without labels, and says why.
//!
//! An event's way: its message gets a template; the *window*, a bounded memory of the stream in
//! event time, gives it sixteen features, each a surprise; the *model*, trained on a sample of
//! earlier features and immutable, turns them into a score that means the same with every model;
//! then the window learns the event. Templates and window are the stream's state, saved by
//! [`Service::snapshot`] together with the place in the stream; models lie in a folder of their own.
//!
//! Scoring reads no clock and draws no chance that is not in the snapshot: the same events after
//! the same snapshot get the same verdicts from the same model. It must never fail on what an event
//! holds, never grow without bound, and never wait for a training.

mod changes;
mod compare;
mod conditions;
mod drift;
mod error;
mod explain;
mod files;
mod journals;
mod keep;
mod kept;
mod library;
mod lineage;
mod locks;
mod model;
mod opinions;
mod parts;
mod problems;
#[cfg(test)]
mod properties;
mod rarity;
mod registry;
mod service;
mod starter;
mod stream;
mod succession;
mod watch;
mod window;
mod words;

use std::{path::PathBuf, sync::Arc, time::Duration};

use event::{Template, Timestamp, VerdictState};

pub use changes::{Change, Changed};
pub use compare::{Comparison, Disagreement, Side};
pub use conditions::{Condition, Conditions};
pub use drift::Drift;
pub use error::{ModelError, OpenError, TemplateError, TrainError};
pub use journals::{Journals, Scores, Sent};
pub use keep::{keep, resume};
pub use model::Origin;
pub use opinions::{FEEDBACK_MAX, Feedback, FeedbackError, Label, NOTE_BYTES_MAX};
pub use parts::Parts;
pub use succession::Standing;
pub use watch::watch;

pub use problems::Problem;
pub use service::{Service, TemplateOperation, Templates};
pub use session::{STRANGE_MAX, SessionEnd, StrangeSession, TemplateCount};
pub use starter::{STARTER_BYTES_MAX, STARTERS_MAX, build_starter};
pub use template::{Action, Described, Merged, OPERATIONS_MAX, Operation, OperationError, Split};

/// How the service is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// `models/` under the data directory.
    pub dir: PathBuf,
    /// Events from which a first model is trained by itself.
    pub events_min: usize,
    /// Of the template miner.
    pub template: template::Config,
    /// Share of ordinary events that may be flagged, 0.000001 to 0.5.
    pub false_positive_rate: f64,
    /// Models trained on the same events with the same seed are the same.
    pub seed: u64,
    /// Model versions kept.
    pub models_max: usize,
    /// Sessions that may be open at a time; those silent for longest have to go.
    pub sessions_max: usize,
    /// Fields whose value an event's session is known by, before all that is found by itself, the most
    /// telling first.
    pub session_keys: Vec<String>,
    /// What takes part in scoring.
    pub parts: Parts,
    /// Whether a stream that gets to where a model takes over waits for its training. It does by
    /// default, so that a replay gets the same verdicts each time; where events come live it
    /// must not, and a model that is late takes over when it is ready.
    pub waits_for_training: bool,
}

impl Config {
    /// The defaults with this folder for models.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            events_min: 2_000,
            template: template::Config::default(),
            false_positive_rate: 0.0002,
            seed: 0,
            models_max: 8,
            sessions_max: 16_384,
            session_keys: Vec::new(),
            parts: Parts::default(),
            waits_for_training: true,
        }
    }
}

/// What the service says of one event, without having learned from it.
#[derive(Debug, Clone)]
pub struct Prediction {
    /// 0 (ordinary) to 1 (strangest), in steps of 1/1000.
    pub score: f32,
    /// Whether the score is past the model's threshold.
    pub is_anomaly: bool,
    /// What drove the score, in words; empty for most events that are no anomaly.
    pub reasons: Vec<String>,
    /// The message's template, where it is known.
    pub template: Option<Arc<Template>>,
    /// For a message of no known template, the known one that shares most words with it.
    pub nearest_template: Option<Arc<Template>>,
    /// How the score came about.
    pub state: VerdictState,
    /// Version of the model, empty while there is none.
    pub model: String,
    /// Events still needed for a first model.
    pub needed: u64,
}

/// What a training came to.
#[derive(Debug, Clone)]
pub struct Trained {
    /// Version of the model that serves now, empty while there is none.
    pub model: String,
    /// Events given.
    pub events: u64,
    /// Templates known after.
    pub templates: u64,
    /// How long it took.
    pub duration: Duration,
    /// `Scored` when a model came out, `WarmingUp` when there are too few events for one.
    pub state: VerdictState,
    /// Events still needed for a first model.
    pub needed: u64,
}

/// What is known of a model.
#[derive(Debug, Clone)]
pub struct ModelInfo {
    /// Number and checksum, such as `00000007-3fa4c1d2`; empty while there is no model.
    pub version: String,
    /// `WarmingUp` while there is no model.
    pub state: VerdictState,
    /// Whether it serves.
    pub active: bool,
    /// Time of the latest event it was trained on: training reads no other clock.
    pub trained_at: Option<Timestamp>,
    /// Events it stands for.
    pub events: u64,
    /// Templates known when it was trained.
    pub templates: u64,
    /// Scores from here on are anomalies.
    pub threshold: f32,
    /// Share of ordinary events that may be flagged.
    pub false_positive_rate: f64,
    /// Time of the earliest event.
    pub from: Option<Timestamp>,
    /// Time of the latest event.
    pub to: Option<Timestamp>,
    /// Events still needed for a first model.
    pub needed: u64,
    /// How it stands among the others.
    pub standing: Standing,
    /// Why it stands so, where there is something to say.
    pub why: String,
    /// What it was trained for; older models do not say.
    pub origin: Option<Origin>,
    /// Rows of the sample it was trained on.
    pub rows: u64,
    /// What it looks at.
    pub features: Vec<FeatureUse>,
    /// Of the serving model: whether the world has moved since.
    pub drift: Option<Drift>,
    /// Of the serving model: why it serves and not the one that was to; empty when it is that one.
    pub problem: String,
}

/// What is known of a starter taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarterInfo {
    /// The kind of log, such as `sshd-auth`.
    pub name: String,
    /// Events it was made of.
    pub events: u64,
    /// Templates it tells of.
    pub templates: u64,
}

/// How a model uses a feature.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureUse {
    /// What it looks at.
    pub name: &'static str,
    /// How much a surprise in it counts as evidence by itself, 0 to 1.
    pub weight: f32,
    /// The share of the forest's splits it takes part in.
    pub splits: f32,
    /// The share of training events with any surprise in it.
    pub surprised: f64,
}

/// Counters since the start, and sizes.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// Events analysed.
    pub scored: u64,
    /// Of these, anomalies.
    pub anomalies: u64,
    /// Templates known.
    pub templates: u64,
    /// Templates at sources whose history is kept.
    pub shapes: u64,
    /// Models kept on disk.
    pub models: u64,
    /// Models that could not be trained or stored.
    pub failed_trainings: u64,
    /// Sessions open.
    pub open_sessions: u64,
    /// Sessions that have ended.
    pub ended_sessions: u64,
    /// Sessions found strange.
    pub strange_sessions: u64,
    /// Sessions that ended to make room for others.
    pub evicted_sessions: u64,
}
