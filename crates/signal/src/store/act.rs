//! What people do with signals, and what time does.

use event::Timestamp;
use rusqlite::Transaction;

use super::{
    Store,
    feed::{self, Circumstances},
    opinion,
    row::{self, Found},
};
use crate::{Before, BoxError, Change, Happening, Label, Signal, SignalId, State, StoreError};

/// Bytes of a name, of whoever acts or is given a signal.
pub const NAME_BYTES_MAX: usize = 256;
/// Bytes of a note.
pub const NOTE_BYTES_MAX: usize = 4096;
/// Under which name a language model says something of a signal.
pub const ASSISTANT: &str = "AI";
/// Signals that one call of [`Store::resolve_quiet`] resolves; the next call goes on.
pub const RESOLVED_AT_ONCE: u32 = 1000;

/// What a person does with a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// What is done.
    pub deed: Deed,
    /// Who does it.
    pub by: String,
    /// What they say of it.
    pub note: Option<String>,
}

/// What is done with a signal. Doing what is done already changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Somebody has it. Nothing changes where it is over.
    Acknowledge,
    /// It is over.
    Resolve,
    /// It is not over, or nobody has it after all. Nothing changes where it is open.
    Reopen,
    /// Nobody is to be told of it until then; at once again where there is no time.
    Snooze(Option<Timestamp>),
    /// Somebody is to look after it; nobody where there is no name.
    Assign(Option<String>),
    /// The note is all there is to it.
    Note,
    /// It is expected, or real; or what was said is taken back.
    Label {
        /// What it is.
        label: Option<Label>,
        /// Whether that holds for all alike, also those to come: of the same kind, rule, main entity and organization.
        /// Where they are expected, they are hidden.
        similar: bool,
    },
}

impl Store {
    /// Has a person act on a signal, and `and` write what follows from that, in one transaction. Gives the signal as it
    /// is then. Where nothing changes, as when the same is done twice, `and` is given no change.
    ///
    /// # Errors
    /// When there is no such signal, a text is too long, the database cannot be written, or `and` fails.
    pub fn act(
        &self,
        id: SignalId,
        act: &Act,
        at: Timestamp,
        and: impl FnOnce(&Transaction<'_>, &[Change]) -> Result<(), BoxError>,
    ) -> Result<Signal, StoreError> {
        act.check()?;
        let (signal, changes) = self.database.write(|transaction| {
            let Some(found) = row::find(transaction, id)? else { return Err(StoreError::Unknown { id }) };
            let (signal, changes) = self.carry_out(transaction, found, act, at)?;
            and(transaction, &changes).map_err(|source| StoreError::Beside { source })?;
            Ok((signal, changes))
        })?;
        self.feed.publish(&changes);
        Ok(signal)
    }

    fn carry_out(
        &self,
        transaction: &Transaction<'_>,
        found: Found,
        act: &Act,
        at: Timestamp,
    ) -> Result<(Signal, Vec<Change>), StoreError> {
        let Found { number, mut held } = found;
        let (before, was_hidden) = (Before::of(&held.signal), held.signal.standing.hidden);
        let Some(what) = change(transaction, number, &mut held.signal, act, at)? else {
            return Ok((held.signal, Vec::new()));
        };
        held.judge();
        row::save(transaction, Some(number), &held)?;
        let history_max = self.config.history_max;
        let mut changes = Vec::new();
        for what in [Some(what), feed::hiding(was_hidden, &held.signal)].into_iter().flatten() {
            let note = act.note.as_deref().filter(|_| changes.is_empty());
            let circumstances = Circumstances { at, by: Some(&act.by), note };
            let happened = (what, Some(before));
            changes.push(feed::record(transaction, (number, &held), happened, circumstances, history_max)?);
        }
        if let Deed::Label { label, similar: true } = act.deed {
            let who = (act.by.as_str(), at);
            changes.extend(opinion::spread(transaction, &held.signal, label, who, history_max)?);
        }
        feed::trim(transaction, self.config.changes_max)?;
        Ok((held.signal, changes))
    }

    /// Resolves signals of which nothing came for as long as their kind is quiet, by the time of receipt; at most
    /// [`RESOLVED_AT_ONCE`]. Gives the changes, which `and` saw in the same transaction.
    ///
    /// # Errors
    /// When the database cannot be written, or `and` fails.
    pub fn resolve_quiet(
        &self,
        now: Timestamp,
        and: impl FnOnce(&Transaction<'_>, &[Change]) -> Result<(), BoxError>,
    ) -> Result<Vec<Change>, StoreError> {
        let changes = self.database.write(|transaction| {
            let mut changes = Vec::new();
            for Found { number, mut held } in row::quiet(transaction, now, RESOLVED_AT_ONCE)? {
                let before = Some(Before::of(&held.signal));
                held.signal.resolve(now);
                row::save(transaction, Some(number), &held)?;
                let circumstances = Circumstances { at: now, by: None, note: None };
                let change = feed::record(
                    transaction,
                    (number, &held),
                    (Happening::Resolved, before),
                    circumstances,
                    self.config.history_max,
                )?;
                changes.push(change);
            }
            feed::trim(transaction, self.config.changes_max)?;
            and(transaction, &changes).map_err(|source| StoreError::Beside { source })?;
            Ok::<_, StoreError>(changes)
        })?;
        self.feed.publish(&changes);
        Ok(changes)
    }
}

impl Act {
    fn check(&self) -> Result<(), StoreError> {
        let is_within = |what, text: &str, max| {
            if text.len() > max { Err(StoreError::TooLong { what, max }) } else { Ok(()) }
        };
        is_within("name of whoever acts", &self.by, NAME_BYTES_MAX)?;
        is_within("note", self.note.as_deref().unwrap_or_default(), NOTE_BYTES_MAX)?;
        match &self.deed {
            Deed::Assign(Some(to)) => is_within("name of whoever is to look after it", to, NAME_BYTES_MAX),
            _ => Ok(()),
        }
    }
}

/// Does it to the signal; none where that changes nothing.
fn change(
    transaction: &Transaction<'_>,
    number: i64,
    signal: &mut Signal,
    act: &Act,
    at: Timestamp,
) -> Result<Option<Happening>, StoreError> {
    let happening = match &act.deed {
        Deed::Acknowledge if matches!(signal.state, State::Acknowledged | State::Resolved) => None,
        Deed::Acknowledge => {
            signal.state = State::Acknowledged;
            Some(Happening::Acknowledged)
        }
        Deed::Resolve if signal.state == State::Resolved => None,
        Deed::Resolve => {
            signal.resolve(at);
            Some(Happening::Resolved)
        }
        Deed::Reopen if !matches!(signal.state, State::Acknowledged | State::Resolved) => None,
        Deed::Reopen => {
            // It is quiet anew from now on, else it would be over again at once.
            signal.received = signal.received.max(at);
            signal.reopen();
            Some(Happening::Reopened)
        }
        Deed::Snooze(until) => {
            let until = until.filter(|until| *until > at);
            let is_other = std::mem::replace(&mut signal.standing.snoozed_until, until) != until;
            is_other.then_some(Happening::Snoozed)
        }
        Deed::Assign(to) => {
            let is_other = signal.standing.assignee != *to;
            signal.standing.assignee.clone_from(to);
            is_other.then_some(Happening::Assigned)
        }
        Deed::Label { label, similar } => {
            let alike = *similar && label.is_some();
            let standing = &mut signal.standing;
            let is_other = (standing.label, standing.alike) != (*label, alike);
            (standing.label, standing.alike) = (*label, alike);
            is_other.then_some(Happening::Labelled)
        }
        Deed::Note => {
            let newest = row::newest_entry(transaction, number)?;
            let is_same = newest.is_some_and(|entry| {
                entry.what == Happening::Noted && entry.by.as_ref() == Some(&act.by) && entry.note == act.note
            });
            (!is_same).then_some(Happening::Noted)
        }
    };
    Ok(happening)
}
