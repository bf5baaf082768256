//! Following the feed of changes.

use std::time::Duration;

use rusqlite::params;

use super::{
    Store,
    row::{self, Found},
};
use crate::{Change, Happening, StoreError};

/// Changes after a number, with their signals.
pub(super) const CHANGES: &str = row::select!(
    ", signal_change.number, what, at, author, before
    FROM signal_change CROSS JOIN signal ON signal.number = signal_change.signal
    WHERE signal_change.number > ?1 ORDER BY signal_change.number LIMIT ?2"
);

impl Store {
    /// Changes after the one of this number, at most so many, in order. Each comes with its signal as it is now. What
    /// is older than the feed keeps ([`crate::Config::changes_max`]) is left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn changes(&self, after: u64, limit: u32) -> Result<Vec<Change>, StoreError> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        self.database.read(|transaction| {
            let mut statement = transaction.prepare_cached(CHANGES)?;
            let mut rows = statement.query(params![after, limit])?;
            let mut changes = Vec::new();
            while let Some(row) = rows.next()? {
                let Found { held, .. } = row::read(row)?;
                let what: String = row.get(6)?;
                let before: Option<String> = row.get(9)?;
                let Some(what) = Happening::ALL.iter().find(|known| known.as_str() == what) else { continue };
                changes.push(Change {
                    number: row.get::<_, i64>(5)?.try_into().unwrap_or(0),
                    what: *what,
                    at: row::timestamp(row, 7)?,
                    by: row.get(8)?,
                    note: None,
                    before: before.and_then(|before| serde_json::from_str(&before).ok()),
                    signal: held.signal,
                });
            }
            Ok(changes)
        })
    }

    /// The number of the newest change; 0 where there was none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn newest_change(&self) -> Result<u64, StoreError> {
        self.database.read(|transaction| {
            let number: i64 = transaction
                .prepare_cached("SELECT coalesce(max(number), 0) FROM signal_change")?
                .query_row([], |row| row.get(0))?;
            Ok(u64::try_from(number).unwrap_or(0))
        })
    }

    /// Has this called after each change, with the number of the newest; in place of what was called before. It is
    /// called by whoever made the change, so it must be quick and must not call the store.
    pub fn wake(&self, waker: impl Fn(u64) + Send + Sync + 'static) {
        self.feed.set_waker(waker);
    }

    /// Waits until there is a change in this process after the one of this number, at most so long. Says whether there is.
    pub fn wait(&self, after: u64, at_most: Duration) -> bool {
        self.feed.wait(after, at_most)
    }
}
