//! What is kept no longer.

use event::Timestamp;
use rusqlite::{OptionalExtension, params};

use crate::{Fleet, FleetError};

/// Rows that go in one transaction, so that samples do not wait for long.
const AT_ONCE: i64 = 5_000;

impl Fleet {
    /// Forgets changes of processes that are too old, and the oldest beyond what is kept of all hosts together, which are told as
    /// missing from then on. Returns how many of these there were.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub fn forget_processes(&self, now: Timestamp) -> Result<u64, FleetError> {
        let keep = i64::try_from(self.config.processes_keep.as_nanos()).unwrap_or(i64::MAX);
        let old = now.as_nanos().saturating_sub(keep);
        self.forget(old)?;
        let max = i64::try_from(self.config.processes_max).unwrap_or(i64::MAX);
        // The oldest that stays has so many behind it.
        let beyond: Option<i64> = self.database.read(|transaction| {
            let found = transaction
                .prepare_cached("SELECT at FROM fleet_process_event ORDER BY at DESC LIMIT 1 OFFSET ?1")?
                .query_row([max], |row| row.get(0))
                .optional()?;
            Ok::<_, FleetError>(found)
        })?;
        let Some(beyond) = beyond else { return Ok(0) };
        let lost = self.database.write(|transaction| {
            transaction.execute(
                "INSERT INTO fleet_process_gap (agent, at, changes)
                 SELECT agent, max(at), count(*) FROM fleet_process_event WHERE at <= ?1 GROUP BY agent",
                [beyond],
            )?;
            let lost: i64 = transaction.query_row(
                "SELECT count(*) FROM fleet_process_event WHERE at <= ?1",
                [beyond],
                |row| row.get(0),
            )?;
            Ok::<_, FleetError>(u64::try_from(lost).unwrap_or_default())
        })?;
        self.forget_events(beyond)?;
        Ok(lost)
    }

    fn forget(&self, until: i64) -> Result<(), FleetError> {
        self.forget_events(until)?;
        self.delete("gap", "at <= ?1", until)
    }

    fn forget_events(&self, until: i64) -> Result<(), FleetError> {
        self.delete("event", "at <= ?1", until)?;
        // Their events are older still.
        self.delete("", "until <= ?1", until)
    }

    fn delete(&self, table: &str, which: &str, until: i64) -> Result<(), FleetError> {
        let table =
            if table.is_empty() { "fleet_process".to_owned() } else { format!("fleet_process_{table}") };
        loop {
            let gone = self.database.write(|transaction| {
                let sql = format!(
                    "DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE {which} LIMIT ?2)"
                );
                Ok::<_, FleetError>(transaction.prepare_cached(&sql)?.execute(params![until, AT_ONCE])?)
            })?;
            if i64::try_from(gone).unwrap_or(i64::MAX) < AT_ONCE {
                return Ok(());
            }
        }
    }
}
