//! What an event brings against its session.

use crate::model;

/// So much of the lesser evidence is added to the greater one, as far as it is past a score by itself.
const OF_OTHER: f32 = 0.5;
const NOTABLE: f32 = 0.4;

/// What an event brings against a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The share of ordinary events that bring as much.
    pub(crate) p_value: f64,
    /// The share of ordinary events that bring anything at all.
    pub(crate) told_share: f64,
    /// In words, strongest first.
    pub reasons: Vec<String>,
}

impl Evidence {
    /// The event's own score with this: the stranger of the two, and a part of the other where that is
    /// notable too. Not all of it, since both may have the same cause.
    pub fn combined(&self, score: f32) -> f32 {
        let alone = self.p_value + self.p_value.min(self.told_share);
        let session = model::score(alone);
        (score.max(session) + OF_OTHER * (score.min(session) - NOTABLE).max(0.0)).min(1.0)
    }
}
