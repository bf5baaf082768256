//! What came before a signal about the same.

use event::Timestamp;
use rusqlite::params;

use super::{Store, row};
use crate::{Label, Signal, StoreError, narrative::History};

/// Earlier signals, the latest ones, that are looked at.
pub const EARLIER_MAX: u32 = 10_000;

/// Earlier signals about an entity: how many, when the latest was last seen, and how many were called expected.
pub(super) const EARLIER: &str =
    "SELECT count(*), max(signal.last), total(labelled AND json_extract(document, '$.label') = ?1)
     FROM (SELECT signal AS number FROM signal_entity WHERE entity = ?2 AND last < ?3 ORDER BY last DESC LIMIT ?4)
     CROSS JOIN signal USING (number) WHERE organization = ?5 AND id <> ?6";

impl Store {
    /// What came before a signal: the signals of its organization about its main entity that were over, or quiet, when
    /// it began. At most [`EARLIER_MAX`] of them count.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn history(&self, signal: &Signal) -> Result<History, StoreError> {
        if signal.entities.is_empty() {
            return Ok(History::default());
        }
        self.database.read(|transaction| {
            let mut statement = transaction.prepare_cached(EARLIER)?;
            let key = params![
                Label::Expected.as_str(),
                row::main_entity(&signal.entities),
                signal.first.as_nanos(),
                EARLIER_MAX,
                signal.organization.as_deref().unwrap_or_default(),
                row::id_bytes(signal.id),
            ];
            let history = statement.query_row(key, |row| {
                let last: Option<i64> = row.get(1)?;
                Ok(History {
                    count: row.get::<_, u32>(0)?.into(),
                    last: last.and_then(Timestamp::from_nanos),
                    expected: row.get::<_, f64>(2)? as u64,
                })
            })?;
            Ok(history)
        })
    }
}
