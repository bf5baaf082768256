//! Making channels and silences while the program runs: kept before it is answered, and in force at once.

use event::Timestamp;
use rusqlite::{OptionalExtension, params};
use serde_json::{Map, Value as Json};

use super::{
    error::OutboxError,
    list,
    made::{Hidden, MadeChannel, Silenced, bounded, members, read, silences, usable},
    rows::{self, nanos, timestamp},
    store::Outbox,
};
use crate::{
    channel::ChannelConfig,
    route::{MadeSilence, with_secrets},
};

/// How far a preview looks back, in nanoseconds: a week.
const WEEK: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 3600);
/// Alerts that a preview looks at, the newest first, and those of them that it shows.
const LOOKED_AT_MAX: u32 = 10_000;
const SHOWN_MAX: usize = 20;

impl Outbox {
    /// The channels that were made, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn made_channels(&self) -> Result<Vec<MadeChannel>, OutboxError> {
        self.database().read(|transaction| {
            let sql = "SELECT name, made_by, made_at FROM alert_made_channel ORDER BY name";
            let mut statement = transaction.prepare_cached(sql)?;
            let row = |row: &rusqlite::Row<'_>| {
                Ok(MadeChannel { name: row.get(0)?, by: row.get(1)?, at: timestamp(row.get(2)?) })
            };
            let made = statement.query_map([], row)?.collect::<Result<_, _>>()?;
            Ok(made)
        })
    }

    /// Sets up a channel, which may send from now on. `said` is as in the file of routes.
    ///
    /// # Errors
    /// When it cannot be used, one of this name is there already, or the database cannot be written.
    pub fn make_channel(
        &self,
        name: &str,
        said: Map<String, Json>,
        by: &str,
        now: Timestamp,
    ) -> Result<ChannelConfig, OutboxError> {
        if self.routes().channel(name).is_some() {
            return Err(OutboxError::Taken { name: name.to_owned() });
        }
        let channel = usable(name, &said)?;
        let made = self.database().write(|transaction| {
            bounded(transaction, "alert_made_channel")?;
            transaction.execute(
                "INSERT INTO alert_made_channel (name, document, made_by, made_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (name) DO UPDATE SET document = ?2, made_by = ?3, made_at = ?4",
                params![name, serde_json::to_string(&said)?, by, nanos(now)],
            )?;
            read(transaction)
        })?;
        self.take_made(made);
        Ok(channel)
    }

    /// Sets a channel up anew that was made. Secrets that are not given stay, as long as the channel leads where it
    /// led.
    ///
    /// # Errors
    /// When it cannot be used, none of this name was made, or the database cannot be written.
    pub fn change_channel(
        &self,
        name: &str,
        said: Map<String, Json>,
        by: &str,
        now: Timestamp,
    ) -> Result<ChannelConfig, OutboxError> {
        let (channel, made) = self.database().write(|transaction| {
            let before: Option<String> = transaction
                .query_row("SELECT document FROM alert_made_channel WHERE name = ?1", [name], |row| {
                    row.get(0)
                })
                .optional()?;
            let before = before.ok_or_else(|| OutboxError::NoChannel { name: name.to_owned() })?;
            let said = with_secrets(said, &members(before)?);
            let channel = usable(name, &said)?;
            transaction.execute(
                "UPDATE alert_made_channel SET document = ?2, made_by = ?3, made_at = ?4 WHERE name = ?1",
                params![name, serde_json::to_string(&said)?, by, nanos(now)],
            )?;
            Ok::<_, OutboxError>((channel, read(transaction)?))
        })?;
        self.take_made(made);
        Ok(channel)
    }

    /// Takes a channel away that was made. What waits for it is told to nobody.
    ///
    /// # Errors
    /// When none of this name was made, or the database cannot be written.
    pub fn remove_channel(&self, name: &str) -> Result<(), OutboxError> {
        let made = self.database().write(|transaction| {
            match transaction.execute("DELETE FROM alert_made_channel WHERE name = ?1", [name])? {
                0 => Err(OutboxError::NoChannel { name: name.to_owned() }),
                _ => read(transaction),
            }
        })?;
        self.take_made(made);
        Ok(())
    }

    /// The silences that were made, the newest first; those that have ended for a week after.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn silences(&self, now: Timestamp) -> Result<Vec<Silenced>, OutboxError> {
        self.database().read(|transaction| silences(transaction, now))
    }

    /// Tells nobody of some alerts until a time. `said` is `{match, until, reason}`.
    ///
    /// # Errors
    /// When it cannot be understood or ends in the past, or the database cannot be written.
    pub fn silence(
        &self,
        said: Map<String, Json>,
        by: &str,
        now: Timestamp,
    ) -> Result<Silenced, OutboxError> {
        let silence = MadeSilence::read(&said).map_err(|problems| OutboxError::Wrong { problems })?;
        if silence.until() <= now {
            return Err(OutboxError::Over { until: silence.until() });
        }
        let (silenced, made) = self.database().write(|transaction| {
            let week_ago = nanos(now.saturating_sub(WEEK));
            transaction.execute("DELETE FROM alert_made_silence WHERE until < ?1", [week_ago])?;
            bounded(transaction, "alert_made_silence")?;
            transaction.execute(
                "INSERT INTO alert_made_silence (document, until, made_by, made_at) VALUES (?1, ?2, ?3, ?4)",
                params![serde_json::to_string(&said)?, nanos(silence.until()), by, nanos(now)],
            )?;
            let number = transaction.last_insert_rowid();
            let all = silences(transaction, now)?;
            let silenced = all.into_iter().find(|silenced| silenced.number == number);
            Ok::<_, OutboxError>((silenced.ok_or(OutboxError::NoSilence { number })?, read(transaction)?))
        })?;
        self.take_made(made);
        Ok(silenced)
    }

    /// Ends a silence that was made.
    ///
    /// # Errors
    /// When there is none of this number, or the database cannot be written.
    pub fn end_silence(&self, number: i64) -> Result<(), OutboxError> {
        let made = self.database().write(|transaction| {
            match transaction.execute("DELETE FROM alert_made_silence WHERE number = ?1", [number])? {
                0 => Err(OutboxError::NoSilence { number }),
                _ => read(transaction),
            }
        })?;
        self.take_made(made);
        Ok(())
    }

    /// Which alerts of the last seven days a silence would have hidden, had it held.
    ///
    /// # Errors
    /// When it cannot be understood, or the database cannot be read.
    pub fn would_silence(&self, said: &Map<String, Json>, now: Timestamp) -> Result<Hidden, OutboxError> {
        let silence = MadeSilence::read(said).map_err(|problems| OutboxError::Wrong { problems })?;
        self.database().read(|transaction| {
            let columns = rows::COLUMNS;
            let sql = format!("SELECT {columns} FROM alert WHERE raised >= ?1 ORDER BY number DESC LIMIT ?2");
            let since = nanos(now.saturating_sub(WEEK));
            let mut kept = rows::all(transaction, &sql, params![since, LOOKED_AT_MAX])?;
            kept.retain(|kept| silence.holds(&kept.telling, kept.raised));
            let newest = kept.iter().take(SHOWN_MAX).map(|kept| list::alert(transaction, kept));
            Ok(Hidden { alerts: kept.len() as u64, newest: newest.collect::<Result<_, _>>()? })
        })
    }
}
