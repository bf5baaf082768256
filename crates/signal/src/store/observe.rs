//! Findings become signals.

use std::collections::{BTreeMap, btree_map::Entry};

use event::Timestamp;
use rusqlite::{Transaction, params};

use super::{
    Store, choose,
    feed::{self, Circumstances},
    incidents, opinion,
    row::{self, Found},
    suppress::{self, Suppressions},
};
use crate::{
    Before, BoxError, Change, Cursor, Happening, Observed, StoreError, bounds,
    group::{Held, Joined},
};

/// A signal that findings of one call went into.
struct Touched {
    held: Held,
    before: Option<Before>,
    what: Happening,
}

impl Store {
    /// Takes what was found into signals, remembers how far the reader came, and has `and` write what follows from the
    /// changes: all of it in one transaction, or nothing. What was taken in before changes nothing. Each signal that
    /// changes is one [`Change`].
    ///
    /// # Errors
    /// When the database cannot be written, or `and` fails.
    pub fn observe(
        &self,
        observed: Vec<Observed>,
        cursor: Option<Cursor<'_>>,
        received: Timestamp,
        and: impl FnOnce(&Transaction<'_>, &[Change]) -> Result<(), BoxError>,
    ) -> Result<Vec<Change>, StoreError> {
        let changes = self.database.write(|transaction| {
            let suppressions = Suppressions::active(transaction, received)?;
            let mut touched = BTreeMap::new();
            for observed in observed {
                take(transaction, &suppressions, &mut touched, (&bounds::within(observed), received))?;
            }
            let changes = self.save(transaction, touched, received)?;
            if let Some(Cursor { name, position }) = cursor {
                transaction
                    .prepare_cached("INSERT OR REPLACE INTO signal_cursor VALUES (?1, ?2, ?3)")?
                    .execute(params![name, position.segment, position.record])?;
            }
            and(transaction, &changes).map_err(|source| StoreError::Beside { source })?;
            Ok::<_, StoreError>(changes)
        })?;
        self.feed.publish(&changes);
        Ok(changes)
    }

    fn save(
        &self,
        transaction: &Transaction<'_>,
        touched: BTreeMap<i64, Touched>,
        at: Timestamp,
    ) -> Result<Vec<Change>, StoreError> {
        let mut changes = Vec::with_capacity(touched.len());
        for (number, Touched { mut held, before, what }) in touched {
            row::save_words(transaction, number, &held.signal)?;
            incidents::link(transaction, number, &mut held.signal)?;
            let circumstances = Circumstances { at, by: None, note: None };
            let change = feed::record(
                transaction,
                (number, &held),
                (what, before),
                circumstances,
                self.config.history_max,
            )?;
            changes.push(change);
        }
        if !changes.is_empty() {
            suppress::count(transaction, &changes)?;
            feed::trim(transaction, self.config.changes_max)?;
        }
        Ok(changes)
    }
}

/// Takes one finding into the signal that it belongs to, or into a new one.
fn take(
    transaction: &Transaction<'_>,
    suppressions: &Suppressions,
    touched: &mut BTreeMap<i64, Touched>,
    (observed, received): (&Observed, Timestamp),
) -> Result<(), StoreError> {
    let (found, observed) = choose::place(transaction, suppressions, observed)?;
    let observed = observed.as_ref();
    let Some(Found { number, mut held }) = found else {
        let mut held = Held::begin(observed, received);
        if row::find(transaction, held.signal.id)?.is_some() {
            return Ok(());
        }
        opinion::inherit(transaction, &mut held)?;
        suppressions.hide(&mut held);
        let number = save(transaction, None, &held)?;
        touched.insert(number, Touched { held, before: None, what: Happening::New });
        return Ok(());
    };
    let (before, was_hidden) = (Before::of(&held.signal), held.signal.standing.hidden);
    let what = match held.join(observed, received) {
        Joined::Nothing => return Ok(()),
        Joined::Grew => Happening::Grew,
        Joined::Escalated => Happening::Escalated,
        Joined::Reopened => Happening::Reopened,
    };
    suppressions.hide(&mut held);
    let (before, what) = match (was_hidden, held.signal.standing.hidden) {
        // What is shown for the first time is new to everybody.
        (true, false) => (None, Happening::New),
        (false, true) => (Some(before), Happening::Hidden),
        _ => (Some(before), what),
    };
    // The next finding is held against the row.
    save(transaction, Some(number), &held)?;
    match touched.entry(number) {
        Entry::Vacant(entry) => {
            entry.insert(Touched { held, before, what });
        }
        Entry::Occupied(entry) => {
            let touched = entry.into_mut();
            touched.what = graver(touched.what, what);
            touched.held = held;
        }
    }
    Ok(())
}

/// Writes a signal. Whom it is about, too, where the next finding depends on it: what else is written of it is written
/// once, when all findings are in.
fn save(transaction: &Transaction<'_>, number: Option<i64>, held: &Held) -> Result<i64, StoreError> {
    let number = row::save(transaction, number, held)?;
    if crate::background::concerns(held.signal.kind) {
        row::save_entities(transaction, number, &held.signal)?;
    }
    Ok(number)
}

/// Which of two happenings to the same signal is told.
fn graver(one: Happening, other: Happening) -> Happening {
    use Happening::{Escalated, Grew, Hidden, New, Reopened};
    [New, Hidden, Reopened, Escalated, Grew]
        .into_iter()
        .find(|what| [one, other].contains(what))
        .unwrap_or(other)
}
