//! What people say of signals, and what follows for those alike.

use event::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use super::{
    Store,
    feed::{self, Circumstances},
    row::{self, Found},
};
use crate::{Before, Change, Happening, Label, Opinion, Signal, StoreError, group::Held};

/// Signals alike, the newest ones, that follow at once; others follow when more of them comes.
pub const ALIKE_AT_ONCE: u32 = 1000;

/// Signals of which something was said.
pub(super) const LABELLED: &str =
    row::select!("FROM signal WHERE labelled AND number > ?1 ORDER BY number LIMIT ?2");

impl Store {
    /// What was said of signals, of each or of one alike, in the order in which they came up: those after a place, at most so
    /// many. To learn from all of it anew.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn opinions(&self, after: u64, limit: u32) -> Result<Vec<Opinion>, StoreError> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        self.database.read(|transaction| {
            let mut statement = transaction.prepare_cached(LABELLED)?;
            let found = row::read_all(&mut statement, params![after, limit])?;
            let place = |number| u64::try_from(number).unwrap_or(0);
            let opinion = |found: Found| Opinion { place: place(found.number), signal: found.held.signal };
            Ok(found.into_iter().map(opinion).collect())
        })
    }
}

/// Gives a signal that is new what was said of those alike.
pub(super) fn inherit(transaction: &Transaction<'_>, held: &mut Held) -> Result<(), StoreError> {
    let signal = &mut held.signal;
    let label: Option<String> = transaction
        .prepare_cached(
            "SELECT label FROM signal_opinion WHERE organization = ?1 AND kind = ?2 AND rule = ?3 AND entity = ?4",
        )?
        .query_row(
            params![
                signal.organization.as_deref().unwrap_or_default(),
                signal.kind.as_str(),
                signal.rule,
                row::main_entity(&signal.entities),
            ],
            |row| row.get(0),
        )
        .optional()?;
    let known = [Label::Expected, Label::Real].into_iter();
    signal.standing.label = known.into_iter().find(|known| label.as_deref() == Some(known.as_str()));
    signal.standing.alike = signal.standing.label.is_some();
    held.judge();
    Ok(())
}

/// Has what was said of a signal hold for all alike, or for none any more. Gives what changed of the others.
pub(super) fn spread(
    transaction: &Transaction<'_>,
    said_of: &Signal,
    label: Option<Label>,
    (by, at): (&str, Timestamp),
    history_max: u64,
) -> Result<Vec<Change>, StoreError> {
    let organization = said_of.organization.as_deref().unwrap_or_default();
    let (kind, entity) = (said_of.kind.as_str(), row::main_entity(&said_of.entities));
    match label {
        Some(label) => transaction
            .prepare_cached("INSERT OR REPLACE INTO signal_opinion VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
            .execute(params![organization, kind, said_of.rule, entity, label.as_str(), by, at.as_nanos()])?,
        None => transaction
            .prepare_cached(
                "DELETE FROM signal_opinion WHERE organization = ?1 AND kind = ?2 AND rule = ?3 AND entity = ?4",
            )?
            .execute(params![organization, kind, said_of.rule, entity])?,
    };
    let mut changes = Vec::new();
    for Found { number, mut held } in row::alike(transaction, said_of, ALIKE_AT_ONCE)? {
        let standing = &mut held.signal.standing;
        // What was said of one of them alone stays.
        let has_own = standing.label.is_some() && !standing.alike;
        if held.signal.id == said_of.id || has_own || standing.label == label {
            continue;
        }
        let before = Before::of(&held.signal);
        let standing = &mut held.signal.standing;
        let was_hidden = standing.hidden;
        (standing.label, standing.alike) = (label, label.is_some());
        held.judge();
        row::save(transaction, Some(number), &held)?;
        let circumstances = Circumstances { at, by: Some(by), note: None };
        let what = feed::hiding(was_hidden, &held.signal).unwrap_or(Happening::Labelled);
        let happened = (what, Some(before));
        changes.push(feed::record(transaction, (number, &held), happened, circumstances, history_max)?);
    }
    Ok(changes)
}
