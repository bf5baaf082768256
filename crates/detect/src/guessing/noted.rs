//! What is noted of those who fail to log in.

use std::time::Duration;

use event::Timestamp;
use finding::fact;
use serde::{Deserialize, Serialize};

use crate::{
    Entity, EntityType, Finding, FindingKind, Level, Occurrence, Origin, Seen,
    window::{Run, nanos},
};

/// Failures that are no further apart belong to one run, and a login to those no longer before it.
pub(super) const MINUTES: Duration = Duration::from_secs(600);
/// Users that a finding is about; more of them are a fact of it.
const USERS_MAX: usize = 4;

/// Who guesses at what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Target {
    /// None for SSH, whichever program speaks it.
    pub(super) service: Option<String>,
    pub(super) origin: Origin,
}

/// What is noted of a run of failures.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) host: String,
    /// The first that were tried in this run, at most [`fact::LIST_MAX`].
    pub(super) users: Vec<String>,
    /// When somebody got in, and as whom.
    pub(super) login: Option<(i64, String)>,
    /// When a login after failures and spraying were last told.
    pub(super) login_told: i64,
    pub(super) spraying_told: i64,
}

/// What is noted of all that an address did in a day.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(from = "SavedPatience")]
pub(super) struct Patience {
    /// When it was last told as fast.
    pub(super) fast_told: i64,
    /// It was told as guessing with patience.
    pub(super) is_patient: bool,
}

/// The same as snapshots hold it; those of earlier versions have the time alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum SavedPatience {
    FastTold(i64),
    Whole { fast_told: i64, is_patient: bool },
}

impl From<SavedPatience> for Patience {
    fn from(saved: SavedPatience) -> Self {
        match saved {
            SavedPatience::FastTold(fast_told) => Self { fast_told, is_patient: true },
            SavedPatience::Whole { fast_told, is_patient } => Self { fast_told, is_patient },
        }
    }
}

/// What is noted of a host at which many addresses fail.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Crowd {
    /// The first of them in this run, at most [`fact::LIST_MAX`].
    pub(super) addresses: Vec<String>,
    /// The most within ten minutes.
    pub(super) most: usize,
}

impl Target {
    pub(super) fn finding(
        &self,
        kind: FindingKind,
        level: Level,
        rule: &str,
        told: Occurrence,
        note: Option<&Note>,
    ) -> Finding {
        let service = Entity::new(EntityType::Service, self.service.as_deref().unwrap_or("ssh"));
        let finding = Finding::of_run(kind, level, rule, self.origin.entity(), told);
        let Some(note) = note else { return finding.and([service]) };
        let users = note.users.iter().map(String::as_str);
        let entities = users.clone().take(USERS_MAX).map(|user| Entity::new(EntityType::User, user));
        let finding = finding.and(entities).and([service, Entity::new(EntityType::Host, note.host.as_str())]);
        self.with_outcome(finding.fact(fact::USERS, fact::list(users)), note)
    }

    /// The same with who got in, and when. Logins are noted of addresses: of a network nothing is said.
    fn with_outcome(&self, finding: Finding, note: &Note) -> Finding {
        let Origin::Address(_) = self.origin else { return finding };
        match note.login_of(finding.first, finding.last) {
            Some((at, user)) => finding
                .fact(fact::SUCCEEDED, true)
                .fact(fact::LOGIN_AT, Timestamp::saturating_from_nanos((*at).into()).to_string())
                .fact(fact::LOGIN_USER, fact::text(user)),
            None => finding.fact(fact::SUCCEEDED, false),
        }
    }
}

impl Note {
    fn of(&mut self, seen: &Seen<'_>, user: &str) {
        if let Some(host) = seen.analyzed.event.host.as_deref().filter(|host| *host != self.host) {
            self.host = Entity::new(EntityType::Host, host).value;
        }
        fact::add(&mut self.users, user);
    }

    /// Who got in during a run or right after it: a login long after it says nothing of it, and whether it was
    /// read before the run was told for the last time is chance.
    pub(super) fn login_of(&self, first: Timestamp, last: Timestamp) -> Option<&(i64, String)> {
        let end = last.as_nanos().saturating_add(nanos(MINUTES));
        self.login.as_ref().filter(|(at, _)| (first.as_nanos()..=end).contains(at))
    }
}

/// Notes who was tried where; a run that begins has its own users.
pub(super) fn note(run: &mut Run<Note>, seen: &Seen<'_>, user: &str) {
    if run.moments().len() == 1 {
        run.note.users.clear();
    }
    run.note.of(seen, user);
}
