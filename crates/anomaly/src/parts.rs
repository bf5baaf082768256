//! What takes part in the scores of a stream.

use crate::window::{FEATURES, Feature, Row};

/// What takes part in scoring; for measuring what each part adds. Models do not remember it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// New and rare templates, new sources and hosts.
    pub novelty: bool,
    /// More events than usual.
    pub spikes: bool,
    /// Fewer events than usual.
    pub silence: bool,
    /// Numbers outside their range.
    pub numbers: bool,
    /// New values, and failures before a success.
    pub values: bool,
    /// Hour and weekday.
    pub time: bool,
    /// Length of the message.
    pub length: bool,
    /// Levels.
    pub levels: bool,
    /// The evidence that each feature brings by itself.
    pub evidence: bool,
    /// The isolation forest.
    pub forest: bool,
    /// Sessions.
    pub sessions: bool,
}

impl Default for Parts {
    fn default() -> Self {
        Self::all(true)
    }
}

impl Parts {
    /// All of them, or none.
    pub const fn all(take_part: bool) -> Self {
        Self {
            novelty: take_part,
            spikes: take_part,
            silence: take_part,
            numbers: take_part,
            values: take_part,
            time: take_part,
            length: take_part,
            levels: take_part,
            evidence: take_part,
            forest: take_part,
            sessions: take_part,
        }
    }

    /// Ones where a feature takes part.
    pub(crate) fn mask(self) -> Row {
        let takes_part = |feature| match feature {
            Feature::NewTemplate | Feature::RareTemplate | Feature::NewSource | Feature::NewHost => {
                self.novelty
            }
            Feature::TemplateSpike | Feature::SourceSpike => self.spikes,
            Feature::TemplateGap | Feature::SourceGap => self.silence,
            Feature::Number => self.numbers,
            Feature::Value => self.values,
            Feature::Hour | Feature::Weekday => self.time,
            Feature::Length => self.length,
            Feature::TemplateLevel | Feature::SourceLevel | Feature::Severity => self.levels,
        };
        let mut mask = [0; FEATURES];
        for feature in Feature::ALL {
            mask[feature as usize] = if takes_part(feature) { u8::MAX } else { 0 };
        }
        mask
    }
}
