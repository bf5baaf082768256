//! Where signals are kept.

mod act;
mod choose;
mod each;
mod feed;
mod follow;
mod forget;
mod incidents;
mod list;
mod observe;
mod opinion;
mod past;
mod place;
#[cfg(test)]
mod plans;
mod row;
mod suppress;

use std::sync::Arc;

use event::Position;
use rusqlite::OptionalExtension;
use state::{Database, Migrations, OpenError};

pub use act::{ASSISTANT, Act, Deed, NAME_BYTES_MAX, NOTE_BYTES_MAX, RESOLVED_AT_ONCE};
pub use forget::{FORGOTTEN_AT_ONCE, OPINIONS_MAX};
pub use incidents::{IncidentFilter, IncidentPage};
pub use list::{Filter, Page};
pub use opinion::ALIKE_AT_ONCE;
pub use past::EARLIER_MAX;
pub use suppress::HIDDEN_AT_ONCE;

use crate::{Config, Entry, Signal, SignalId, StoreError};

use self::feed::Feed;

const MIGRATIONS: Migrations = Migrations { owner: "signal", steps: &[include_str!("tables.sql")] };

/// The signals of a data folder, in its `state.db`. Share it by Arc.
///
/// Every call reads or writes the disk: callers run it off the reactor. What a call that changes something returned for
/// survives a crash, together with what was written beside it.
#[derive(Debug)]
pub struct Store {
    database: Arc<Database>,
    config: Config,
    feed: Feed,
}

impl Store {
    /// Opens the signals in this database.
    ///
    /// # Errors
    /// When their tables cannot be prepared, or a newer program made them.
    pub fn open(database: Arc<Database>, config: Config) -> Result<Self, OpenError> {
        database.migrate(&MIGRATIONS)?;
        Ok(Self { database, config, feed: Feed::default() })
    }

    /// How far the reader of this name came, as of the last [`Store::observe`].
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn cursor(&self, name: &str) -> Result<Option<Position>, StoreError> {
        self.database.read(|transaction| {
            let found = transaction
                .prepare_cached("SELECT segment, record FROM signal_cursor WHERE name = ?1")?
                .query_row([name], |row| Ok(Position { segment: row.get(0)?, record: row.get(1)? }))
                .optional()?;
            Ok(found)
        })
    }

    /// The signal of this id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn get(&self, id: SignalId) -> Result<Option<Signal>, StoreError> {
        self.database.read(|transaction| Ok(row::find(transaction, id)?.map(|found| found.held.signal)))
    }

    /// What happened to a signal and what was done with it, the oldest first. Growth alone is no entry. At most
    /// [`Config::history_max`] entries.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn timeline(&self, id: SignalId) -> Result<Vec<Entry>, StoreError> {
        self.database.read(|transaction| row::history(transaction, id))
    }

    /// The signals that a filter lets through, those last seen first.
    ///
    /// # Errors
    /// When the filter's cursor is none of ours, or the database cannot be read.
    pub fn list(&self, filter: &Filter) -> Result<Page, StoreError> {
        self.database.read(|transaction| list::list(transaction, filter))
    }
}
