//! What was learned of each kind of session, as a part of the snapshot:
//!
//! ```text
//! u32      kinds, then for each: u64 id, its name (u32 length, bytes), u64 which training,
//!          f64 mean events of a session, the model (as `model::file` says)
//! ```

use std::sync::Arc;

use arithmetic::mix;
use disk::sealed::{Reader, SealedError, Writer};

use crate::model::{Config, EventKey, Model, Session};

/// Kinds of sessions.
pub(crate) const KINDS_MAX: usize = 64;
/// The most that one event no session has brings a session.
const STRANGER: f64 = 2.0;
/// Bytes of a kind's name.
pub(super) const LABEL_MAX: usize = 160;

/// What was learned of the sessions of one kind.
#[derive(Debug, Clone)]
pub struct KindModel {
    pub(crate) id: u64,
    pub(crate) label: String,
    /// Which training it came from; not 0.
    pub(crate) generation: u64,
    /// Events of a session, on average.
    pub(crate) length_mean: f64,
    pub(crate) model: Model,
}

impl KindModel {
    /// The share of ordinary *events* that bring a session so much strangeness: each session tells once.
    /// A single stranger is no rarer than the sessions learned from can show; only more of it is.
    pub(crate) fn p_value(&self, strangeness: f64) -> f64 {
        let shown = self.model.p_value(1.0 + f64::EPSILON) * (strangeness / STRANGER).max(1.0).powi(-2);
        self.model.p_value(strangeness).max(shown) / self.length_mean.max(1.0)
    }

    /// The share of ordinary events that bring anything past the threshold.
    pub(crate) fn told_share(&self) -> f64 {
        self.p_value(1.0 + f64::EPSILON)
    }
}

/// The models of all kinds.
#[derive(Debug, Clone, Default)]
pub struct Models {
    pub(crate) kinds: Vec<Arc<KindModel>>,
}

impl Models {
    pub(crate) fn of(&self, kind: u64) -> Option<&Arc<KindModel>> {
        self.kinds.iter().find(|model| model.id == kind)
    }

    /// These with others in place of the same kinds.
    pub fn with(&self, others: &[Arc<KindModel>]) -> Self {
        let kept = self.kinds.iter().filter(|model| others.iter().all(|other| other.id != model.id));
        let mut kinds: Vec<Arc<KindModel>> = kept.chain(others).cloned().collect();
        if kinds.len() > KINDS_MAX {
            kinds.drain(..kinds.len() - KINDS_MAX);
        }
        Self { kinds }
    }

    /// Whether nothing was learned yet.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// As a part of sealed bytes.
    pub fn write(&self, out: &mut Writer) {
        out.u32(self.kinds.len() as u32);
        for kind in &self.kinds {
            out.u64(kind.id);
            out.bytes(kind.label.as_bytes());
            out.u64(kind.generation);
            out.f64(kind.length_mean);
            kind.model.write(out);
        }
    }

    /// What [`Models::write`] wrote.
    ///
    /// # Errors
    /// When the bytes are not what it writes.
    pub fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
        let count = input.count(32, KINDS_MAX)?;
        let mut kinds = Vec::with_capacity(count);
        for _ in 0..count {
            kinds.push(Arc::new(KindModel {
                id: input.u64()?,
                label: input.text(LABEL_MAX)?,
                generation: input.u64()?,
                length_mean: input.f64()?,
                model: Model::read(input)?,
            }));
        }
        Ok(Self { kinds })
    }
}

/// Which training of a kind came after so many sessions; not 0.
pub(super) fn generation(id: u64, came: u64) -> u64 {
    mix(id ^ mix(came)) | 1
}

/// Sessions of a kind to learn from.
#[derive(Debug)]
pub struct Lessons {
    pub(super) id: u64,
    pub(super) label: String,
    pub(super) came: u64,
    /// The events of each, its duration and its longest gap in seconds.
    pub(super) sessions: Vec<(Vec<EventKey>, [f32; 2])>,
}

impl Lessons {
    /// Takes time; not to be done between two events.
    pub fn train(&self) -> KindModel {
        let sessions = self.sessions.iter().map(|(events, times)| {
            let [duration_s, gap_s] = *times;
            Session { events, duration_s, gap_s }
        });
        let model = Model::train(sessions, &Config::default());
        let events: usize = self.sessions.iter().map(|(events, _)| events.len()).sum();
        KindModel {
            id: self.id,
            label: self.label.clone(),
            generation: generation(self.id, self.came),
            length_mean: events as f64 / self.sessions.len().max(1) as f64,
            model,
        }
    }
}
