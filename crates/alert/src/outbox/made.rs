//! Channels and silences that were made while the program ran, as they are kept beside the alerts.

use event::Timestamp;
use rusqlite::Transaction;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::{error::OutboxError, list::Alert, rows::timestamp};
use crate::{
    channel::ChannelConfig,
    route::{MadeSilence, made_channel},
};

/// The most channels and silences that can be made, of each.
const MADE_MAX: i64 = 100;
/// A silence that was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Silenced {
    /// Its name.
    pub number: i64,
    /// `{match, until, reason}`, as it was made.
    #[serde(flatten)]
    pub said: Map<String, Json>,
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Whether it has not ended yet.
    pub is_active: bool,
}

/// What a silence would have hidden.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hidden {
    /// How many alerts of the last seven days.
    pub alerts: u64,
    /// The newest of them.
    pub newest: Vec<Alert>,
}

/// A channel that was made: its name, who made it, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeChannel {
    /// Its name.
    pub name: String,
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// All that was made, as it holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Made {
    pub(crate) channels: Vec<ChannelConfig>,
    pub(crate) silences: Vec<MadeSilence>,
}

/// Reads all that was made. What an earlier version took and this one does not is left out, and told.
pub(crate) fn read(transaction: &Transaction<'_>) -> Result<Made, OutboxError> {
    let mut made = Made::default();
    let mut statement =
        transaction.prepare_cached("SELECT name, document FROM alert_made_channel ORDER BY name")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        match made_channel(&name, &members(row.get(1)?)?) {
            Ok(channel) => made.channels.push(channel),
            Err(problems) => {
                let reason = problems.first().map(|problem| problem.reason.as_str()).unwrap_or_default();
                tracing::error!(
                    channel = name,
                    reason,
                    "a channel that was made cannot be used; change it or remove it"
                );
            }
        }
    }
    let mut statement =
        transaction.prepare_cached("SELECT document FROM alert_made_silence ORDER BY number")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        match MadeSilence::read(&members(row.get(0)?)?) {
            Ok(silence) => made.silences.push(silence),
            Err(_) => tracing::error!("a silence that was made cannot be read and holds of nothing"),
        }
    }
    Ok(made)
}

pub(crate) fn members(document: String) -> Result<Map<String, Json>, OutboxError> {
    Ok(serde_json::from_str(&document)?)
}

/// The channel, where it can be used as it is set up.
pub(crate) fn usable(name: &str, members: &Map<String, Json>) -> Result<ChannelConfig, OutboxError> {
    let channel = made_channel(name, members).map_err(|problems| OutboxError::Wrong { problems })?;
    channel.open().map_err(|error| OutboxError::Unusable { reason: error.reason })?;
    Ok(channel)
}

pub(crate) fn bounded(transaction: &Transaction<'_>, table: &str) -> Result<(), OutboxError> {
    let count: i64 = transaction.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
    if count < MADE_MAX { Ok(()) } else { Err(OutboxError::Many { most: MADE_MAX }) }
}

pub(crate) fn silences(transaction: &Transaction<'_>, now: Timestamp) -> Result<Vec<Silenced>, OutboxError> {
    let sql = "SELECT number, document, until, made_by, made_at FROM alert_made_silence ORDER BY number DESC";
    let mut statement = transaction.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut all = vec![];
    while let Some(row) = rows.next()? {
        all.push(Silenced {
            number: row.get(0)?,
            said: members(row.get(1)?)?,
            is_active: timestamp(row.get(2)?) > now,
            by: row.get(3)?,
            at: timestamp(row.get(4)?),
        });
    }
    Ok(all)
}
