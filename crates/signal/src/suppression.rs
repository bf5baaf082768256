//! What is kept and counted, and nobody is told of.

use std::time::Duration;

use event::Timestamp;
use finding::{FindingKind, Level};
use serde::{Deserialize, Serialize};

use crate::{Signal, StoreError, background};

/// Suppressions that there are at a time; old ones make room only by being removed.
pub const SUPPRESSIONS_MAX: u32 = 1000;
/// The longest that something is suppressed; after that a person must want it again.
pub const SUPPRESSED_WITHIN: Duration = Duration::from_secs(366 * 24 * 3600);
/// How far back a preview looks.
pub const PREVIEWED: Duration = Duration::from_secs(7 * 24 * 3600);
/// Signals that a preview shows.
pub const PREVIEW_SIGNALS_MAX: usize = 20;
/// Bytes of a reason, and of each thing that is matched.
const TEXT_BYTES_MAX: usize = 1024;

/// Which signals are meant: those for which everything holds that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Matching {
    /// Those of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<FindingKind>,
    /// Those that this rule found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Those about this, as one of their entities: a value, or `type:value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// Those of this organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
}

impl Matching {
    /// Whether a signal is meant.
    pub fn matches(&self, signal: &Signal) -> bool {
        // Of one of many at a host, the others must not be hidden.
        let meant = if background::is_of_host(&signal.rule) { 1 } else { usize::MAX };
        let is_about = |wanted: &String| signal.entities.iter().take(meant).any(|entity| entity.is(wanted));
        self.kind.is_none_or(|kind| kind == signal.kind)
            && self.rule.as_ref().is_none_or(|rule| *rule == signal.rule)
            && self.entity.as_ref().is_none_or(is_about)
            && (self.organization.is_none() || self.organization == signal.organization)
    }

    /// Sees that it is not everything that is meant.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let texts = [&self.rule, &self.entity, &self.organization];
        if self.kind.is_none() && texts.iter().all(|text| text.is_none()) {
            return refused(
                "nothing says which signals are meant; give a kind, a rule, an entity or an organization",
            );
        }
        if texts.into_iter().flatten().any(String::is_empty) {
            return refused("a rule, an entity or an organization is empty; leave it out or name one");
        }
        if texts.into_iter().flatten().any(|text| text.len() > TEXT_BYTES_MAX) {
            return Err(StoreError::TooLong { what: "name of what is suppressed", max: TEXT_BYTES_MAX });
        }
        Ok(())
    }
}

/// A wish that something be suppressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSuppression {
    /// Which signals.
    pub matching: Matching,
    /// Why, for those who wonder later.
    pub reason: String,
    /// Who wants it.
    pub by: String,
    /// Until when; at most [`SUPPRESSED_WITHIN`] from now.
    pub expires_at: Timestamp,
}

impl NewSuppression {
    /// Sees that it says what it must.
    pub(crate) fn check(&self, at: Timestamp) -> Result<(), StoreError> {
        self.matching.check()?;
        if self.reason.trim().is_empty() {
            return refused("it has no reason; say why nobody need be told");
        }
        if self.reason.len() > TEXT_BYTES_MAX || self.by.len() > TEXT_BYTES_MAX {
            return Err(StoreError::TooLong { what: "reason or the name", max: TEXT_BYTES_MAX });
        }
        if self.expires_at <= at {
            return refused("it expires in the past; give a time to come");
        }
        if self.expires_at > crate::group::later(at, SUPPRESSED_WITHIN) {
            return refused("it expires more than a year from now; give an earlier time, and renew it then");
        }
        Ok(())
    }
}

fn refused<T>(reason: &str) -> Result<T, StoreError> {
    Err(StoreError::Suppression { reason: reason.to_owned() })
}

/// Something that is suppressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// Its number.
    pub number: u64,
    /// Which signals.
    pub matching: Matching,
    /// Why.
    pub reason: String,
    /// Who wanted it.
    pub by: String,
    /// Since when.
    pub made_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// How many changes of signals nobody was told of for it.
    pub hidden: u64,
}

/// What a suppression would have hidden.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preview {
    /// How many signals of the last days ([`PREVIEWED`]).
    pub signals: u64,
    /// How many of each kind and severity, the most first.
    pub sorts: Vec<Sort>,
    /// The newest of them.
    pub newest: Vec<Signal>,
}

/// How many signals there are of a kind and severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sort {
    /// The kind.
    pub kind: FindingKind,
    /// How grave.
    pub severity: Level,
    /// How many.
    pub signals: u64,
}
