//! The feed of changes: each with a number that rises, so that whoever follows can go on where they were.

use std::{
    fmt,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use event::Timestamp;
use rusqlite::{Transaction, params};

use super::row;
use crate::{Before, Change, Entry, Happening, Signal, State, StoreError, group::Held};

/// Called with the number of the newest change.
type Waker = Arc<dyn Fn(u64) + Send + Sync>;

/// Who waits for changes.
#[derive(Default)]
pub(super) struct Feed {
    newest: Mutex<Newest>,
    grown: Condvar,
}

#[derive(Default)]
struct Newest {
    number: u64,
    waker: Option<Waker>,
}

impl fmt::Debug for Feed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Feed").finish_non_exhaustive()
    }
}

impl Feed {
    /// Wakes whoever waits, once changes are durable.
    pub(super) fn publish(&self, changes: &[Change]) {
        let Some(number) = changes.iter().map(|change| change.number).max() else { return };
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.number = newest.number.max(number);
        let (number, waker) = (newest.number, newest.waker.clone());
        drop(newest);
        self.grown.notify_all();
        if let Some(waker) = waker {
            waker(number);
        }
    }

    pub(super) fn set_waker(&self, waker: impl Fn(u64) + Send + Sync + 'static) {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).waker = Some(Arc::new(waker));
    }

    /// Waits until there is a change after the one of this number, at most so long. Says whether there is.
    pub(super) fn wait(&self, after: u64, at_most: Duration) -> bool {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.grown.wait_timeout_while(newest, at_most, |newest| newest.number <= after);
        waited.unwrap_or_else(PoisonError::into_inner).0.number > after
    }
}

/// Who changed a signal when, and what they said of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circumstances<'a> {
    pub(super) at: Timestamp,
    pub(super) by: Option<&'a str>,
    pub(super) note: Option<&'a str>,
}

/// Writes a change of a saved signal down: in its history, unless it only grew, and in the feed.
pub(super) fn record(
    transaction: &Transaction<'_>,
    (number, held): (i64, &Held),
    (what, before): (Happening, Option<Before>),
    circumstances: Circumstances<'_>,
    history_max: u64,
) -> Result<Change, StoreError> {
    let signal = &held.signal;
    let Circumstances { at, by, note } = circumstances;
    let state_before = before.map(|before| before.state);
    let is_entry = what != Happening::Grew || state_before == Some(State::New);
    if is_entry {
        let entry = Entry {
            at,
            what,
            state: signal.state,
            severity: signal.severity,
            count: signal.count,
            by: by.map(str::to_owned),
            note: note.map(str::to_owned),
        };
        row::add_entry(transaction, number, &entry, history_max)?;
    }
    let before_text = before.and_then(|before| serde_json::to_string(&before).ok());
    transaction
        .prepare_cached(
            "INSERT INTO signal_change (signal, what, at, author, before) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![number, what.as_str(), at.as_nanos(), by, before_text])?;
    let number = u64::try_from(transaction.last_insert_rowid()).unwrap_or(0);
    let [by, note] = [by, note].map(|text| text.map(str::to_owned));
    Ok(Change { number, what, at, by, note, before, signal: signal.clone() })
}

/// What happened to a signal that was hidden, or not, before it was decided anew; none where that is as it was.
pub(super) fn hiding(was_hidden: bool, signal: &Signal) -> Option<Happening> {
    match (was_hidden, signal.standing.hidden) {
        (false, true) => Some(Happening::Hidden),
        (true, false) => Some(Happening::Shown),
        _ => None,
    }
}

/// Forgets changes beyond the number that is kept.
pub(super) fn trim(transaction: &Transaction<'_>, changes_max: u64) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "DELETE FROM signal_change WHERE number <= (SELECT max(number) FROM signal_change) - ?1",
        )?
        .execute([i64::try_from(changes_max).unwrap_or(i64::MAX)])?;
    Ok(())
}
