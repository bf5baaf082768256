//! What is kept for how long.

use std::collections::BTreeSet;

use event::Timestamp;
use rusqlite::{Transaction, params};

use super::{Store, incidents};
use crate::{StoreError, group::earlier};

/// Signals that one call of [`Store::forget`] forgets; the next call goes on.
pub const FORGOTTEN_AT_ONCE: u32 = 1000;
/// What was said of signals alike, for so many sorts of them; beyond that the oldest is forgotten.
pub const OPINIONS_MAX: u32 = 10_000;

/// Signals that were resolved before a time, those resolved longest ago first.
pub(super) const RESOLVED: &str =
    "SELECT number, incident FROM signal WHERE resolved_at < ?1 ORDER BY resolved_at LIMIT ?2";
/// The signals that came up first.
const FIRST: &str = "SELECT number, incident FROM signal ORDER BY number LIMIT ?1";

impl Store {
    /// Forgets signals that were resolved longer ago than they are kept ([`crate::Config::keep`]), and what is beyond the
    /// number that is kept; at most [`FORGOTTEN_AT_ONCE`]. Gives how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn forget(&self, now: Timestamp) -> Result<u32, StoreError> {
        let before = earlier(now, self.config.keep);
        self.database.write(|transaction| {
            let mut forgotten = forget(transaction, RESOLVED, params![before.as_nanos(), FORGOTTEN_AT_ONCE])?;
            let signals: i64 = transaction
                .prepare_cached("SELECT coalesce(sum(signals), 0) FROM signal_total")?
                .query_row([], |row| row.get(0))?;
            let beyond = u64::try_from(signals).unwrap_or(0).saturating_sub(self.config.signals_max);
            let beyond = u32::try_from(beyond).unwrap_or(u32::MAX).min(FORGOTTEN_AT_ONCE - forgotten);
            if beyond > 0 {
                let resolved = forget(transaction, RESOLVED, params![i64::MAX, beyond])?;
                forgotten += resolved;
                forgotten += forget(transaction, FIRST, params![beyond - resolved])?;
            }
            transaction
                .prepare_cached(
                    "DELETE FROM signal_opinion WHERE at <= (SELECT at FROM signal_opinion ORDER BY at DESC
                     LIMIT 1 OFFSET ?1)",
                )?
                .execute([OPINIONS_MAX])?;
            Ok(forgotten)
        })
    }
}

/// Forgets the signals that a statement selects, with all that is kept of them.
fn forget(
    transaction: &Transaction<'_>,
    statement: &str,
    parameters: impl rusqlite::Params,
) -> Result<u32, StoreError> {
    let selected = transaction
        .prepare_cached(statement)?
        .query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<(i64, Option<[u8; 16]>)>, _>>()?;
    let mut incidents_left = BTreeSet::new();
    for (number, incident) in &selected {
        transaction.prepare_cached("DELETE FROM signal_text WHERE rowid = ?1")?.execute([number])?;
        transaction.prepare_cached("DELETE FROM signal WHERE number = ?1")?.execute([number])?;
        incidents_left.extend(*incident);
    }
    for incident in incidents_left {
        incidents::sum(transaction, incident)?;
    }
    Ok(u32::try_from(selected.len()).unwrap_or(u32::MAX))
}
