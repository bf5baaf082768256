//! One channel's queue: what goes out next, and what came of it.

use std::time::Duration;

use event::Timestamp;
use retry::Backoff;
use rusqlite::{OptionalExtension, Transaction, named_params, params, types::Value};

use super::{
    config::Config,
    error::OutboxError,
    rows::{self, DEAD, DELIVERED, FAILED, id_of, nanos, timestamp},
};
use crate::{
    channel::{Rate, Receipt, SendError},
    message::{Message, Telling, key},
    voice::Voice,
};

/// What a channel is to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// Send this, and say what came of it.
    Send(Box<Batch>),
    /// Nothing before this moment.
    Wait(Timestamp),
    /// Nothing until something is recorded.
    Nothing,
}

/// What goes out over a channel as one message.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The message.
    pub message: Message,
    /// How often it was tried, this time included.
    pub tries: u32,
    /// When it should have gone out.
    planned: Timestamp,
}

/// A delivery that may be the next.
struct Candidate {
    number: i64,
    alert: i64,
    revision: u32,
    due: Timestamp,
    key: Option<String>,
    group: Option<String>,
    is_sequel: bool,
}

/// Takes what goes out next over a channel. That it is tried is written down before it is sent, and with whom together,
/// so that after a crash the same goes out under the same key.
pub(crate) fn claim(
    transaction: &Transaction<'_>,
    channel: &str,
    rate: Option<Rate>,
    voice: &Voice,
    now: Timestamp,
) -> Result<Claim, OutboxError> {
    let next = loop {
        let Some(next) = candidate(transaction, channel)? else { return Ok(Claim::Nothing) };
        if next.due > now {
            return Ok(Claim::Wait(next.due));
        }
        if !next.is_sequel || next.key.is_some() || is_of_something_told(transaction, channel, &next)? {
            break next;
        }
        bury(transaction, next.number, "withdrawn: that it is there was not delivered", now)?;
    };
    let key = match next.key {
        Some(key) => key,
        None => {
            let room = match rate {
                Some(rate) => match room(transaction, channel, rate, now)? {
                    Room::For(messages) => messages,
                    Room::NotBefore(at) => return Ok(Claim::Wait(at)),
                },
                None => u32::MAX,
            };
            let Some(alert) = rows::at(transaction, next.alert)? else { return Ok(Claim::Nothing) };
            let key = key(alert.telling.alert, channel, next.revision);
            gather(transaction, channel, &next, &key, room, now)?;
            key
        }
    };
    let batch = begin(transaction, channel, key, voice, now)?;
    Ok(batch.map_or(Claim::Nothing, |batch| Claim::Send(Box::new(batch))))
}

/// The occasions that are sequels ([`Occasion::is_sequel`](crate::message::Occasion::is_sequel)), in SQL.
macro_rules! sequels {
    () => {
        "('resolved', 'assessed')"
    };
}

/// Of a channel.
pub(crate) const CANDIDATE: &str = concat!(
    "SELECT number, alert, revision, due, key, grouped, occasion IN ",
    sequels!(),
    " FROM alert_delivery AS own
             WHERE channel = ?1 AND state < 2 AND (occasion NOT IN ",
    sequels!(),
    " OR NOT EXISTS (
                 SELECT 1 FROM alert_delivery AS before WHERE before.alert = own.alert AND before.channel = own.channel
                     AND before.state < 2 AND before.revision < own.revision))
             ORDER BY due, number LIMIT 1"
);

/// The first delivery by when it is due. That it is over, and what is said of it, waits for what was told before it.
fn candidate(transaction: &Transaction<'_>, channel: &str) -> Result<Option<Candidate>, OutboxError> {
    let found = transaction
        .prepare_cached(CANDIDATE)?
        .query_row([channel], |row| {
            Ok(Candidate {
                number: row.get(0)?,
                alert: row.get(1)?,
                revision: row.get(2)?,
                due: timestamp(row.get(3)?),
                key: row.get(4)?,
                group: row.get(5)?,
                is_sequel: row.get(6)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// Whether a sequel is one of something that is told over the channel, after all.
fn is_of_something_told(
    transaction: &Transaction<'_>,
    channel: &str,
    next: &Candidate,
) -> Result<bool, OutboxError> {
    let told = transaction
        .prepare_cached(concat!(
            "SELECT EXISTS (SELECT 1 FROM alert_delivery
             WHERE alert = ?1 AND channel = ?2 AND revision < ?3 AND occasion NOT IN ",
            sequels!(),
            " AND state != 3)",
        ))?
        .query_row(params![next.alert, channel, next.revision], |row| row.get(0))?;
    Ok(told)
}

fn bury(transaction: &Transaction<'_>, number: i64, reason: &str, now: Timestamp) -> Result<(), OutboxError> {
    transaction
        .prepare_cached("UPDATE alert_delivery SET state = 3, at = ?2, said = ?3 WHERE number = ?1")?
        .execute(params![number, nanos(now), reason])?;
    Ok(())
}

enum Room {
    For(u32),
    NotBefore(Timestamp),
}

/// How many messages a channel may send now.
fn room(
    transaction: &Transaction<'_>,
    channel: &str,
    rate: Rate,
    now: Timestamp,
) -> Result<Room, OutboxError> {
    let since = now.saturating_sub(rate.per);
    let mut statement = transaction.prepare_cached(
        "SELECT max(at) FROM alert_delivery WHERE channel = ?1 AND state = 2 AND at > ?2
         GROUP BY key ORDER BY 1 DESC LIMIT ?3",
    )?;
    let sent: Vec<i64> = statement
        .query_map(params![channel, nanos(since), rate.messages], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let count = u32::try_from(sent.len()).unwrap_or(u32::MAX);
    Ok(match sent.last().filter(|_| count >= rate.messages) {
        Some(oldest) => Room::NotBefore(rows::later(timestamp(*oldest), rate.per)),
        None => Room::For(rate.messages - count),
    })
}

/// A sequel goes together with others only if what was told before it is not on its way alone, and is not dead.
const MAY_JOIN: &str = concat!(
    "(own.occasion NOT IN ",
    sequels!(),
    " OR (NOT EXISTS (
        SELECT 1 FROM alert_delivery AS before WHERE before.alert = own.alert AND before.channel = own.channel
            AND before.revision < own.revision AND before.state < 2 AND before.key IS NOT NULL)
    AND EXISTS (
        SELECT 1 FROM alert_delivery AS before WHERE before.alert = own.alert AND before.channel = own.channel
            AND before.revision < own.revision AND before.occasion NOT IN ",
    sequels!(),
    " AND before.state != 3)))"
);

pub(crate) const ALL_DUE: &str = "own.state < 2 AND own.due <= ?3";
pub(crate) const OF_GROUP: &str = "own.grouped = ?3";

/// Puts deliveries of a channel that were not tried under a key.
pub(crate) fn gathering(which: &str) -> String {
    format!(
        "UPDATE alert_delivery SET key = ?1 WHERE number IN (
             SELECT number FROM alert_delivery AS own
             WHERE own.channel = ?2 AND own.state = 0 AND own.key IS NULL AND {which} AND {MAY_JOIN}
             ORDER BY own.due, own.number LIMIT ?4)"
    )
}

/// Puts those under one key that go out together: a group; or all that is due, where there is room for one message only.
fn gather(
    transaction: &Transaction<'_>,
    channel: &str,
    next: &Candidate,
    key: &str,
    room: u32,
    now: Timestamp,
) -> Result<(), OutboxError> {
    let (with, value): (_, Value) = match &next.group {
        Some(group) => (OF_GROUP, group.clone().into()),
        None if room == 1 => (ALL_DUE, nanos(now).into()),
        None => ("own.number = ?3", next.number.into()),
    };
    transaction.prepare_cached(&gathering(with))?.execute(params![
        key,
        channel,
        value,
        Message::ALERTS_MAX as i64
    ])?;
    Ok(())
}

/// Notes another try of what is under a key, and makes the message of it.
fn begin(
    transaction: &Transaction<'_>,
    channel: &str,
    key: String,
    voice: &Voice,
    now: Timestamp,
) -> Result<Option<Batch>, OutboxError> {
    transaction
        .prepare_cached(
            "UPDATE alert_delivery SET tries = tries + 1, at = ?3 WHERE channel = ?1 AND key = ?2 AND state < 2",
        )?
        .execute(params![channel, key, nanos(now)])?;
    let mut statement = transaction.prepare_cached(
        "SELECT telling.document, own.tries, own.planned FROM alert_delivery AS own
         JOIN alert_telling AS telling ON telling.alert = own.alert AND telling.revision = own.revision
         WHERE own.channel = ?1 AND own.key = ?2 AND own.state < 2 ORDER BY own.number",
    )?;
    let mut rows = statement.query(params![channel, key])?;
    let (mut alerts, mut tries, mut planned) = (Vec::<Telling>::new(), 0, now);
    while let Some(row) = rows.next()? {
        alerts.push(serde_json::from_str(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
        tries = row.get(1)?;
        planned = planned.min(timestamp(row.get(2)?));
    }
    if alerts.is_empty() {
        return Ok(None);
    }
    alerts.sort_by_key(|telling| std::cmp::Reverse(telling.severity));
    let late_s = u64::try_from((now.as_nanos() - planned.as_nanos()) / 1_000_000_000).unwrap_or(0);
    let late_s = if late_s > Message::LATE_AFTER_S { late_s } else { 0 };
    let message =
        Message { key, channel: channel.to_owned(), sent: now, late_s, alerts, voice: voice.clone() };
    Ok(Some(Batch { message, tries, planned }))
}

/// What came of sending, as far as others must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It was taken.
    Delivered,
    /// It will be tried again.
    Failed,
    /// It was given up.
    Dead,
}

/// Writes down what came of sending.
pub(crate) fn settle(
    transaction: &Transaction<'_>,
    config: &Config,
    batch: &Batch,
    outcome: &Result<Receipt, SendError>,
    now: Timestamp,
) -> Result<Settled, OutboxError> {
    let age = Duration::from_nanos(u64::try_from(now.as_nanos() - batch.planned.as_nanos()).unwrap_or(0));
    let (state, due, said) = match outcome {
        Ok(receipt) => (DELIVERED, now, receipt.answer.clone()),
        Err(error) if error.is_permanent => (DEAD, now, error.reason.clone()),
        Err(error) if batch.tries >= config.tries_max => {
            (DEAD, now, format!("given up after {} tries: {}", batch.tries, error.reason))
        }
        Err(error) if age >= config.age_max => {
            (DEAD, now, format!("given up after {} minutes: {}", age.as_secs() / 60, error.reason))
        }
        Err(error) => {
            let asked = error.retry_after.unwrap_or_default().min(config.retry_after_max);
            (FAILED, rows::later(now, pause(config, batch.tries).max(asked)), error.reason.clone())
        }
    };
    transaction
        .prepare_cached(
            "UPDATE alert_delivery SET state = :state, due = :due, at = :now, said = :said
             WHERE channel = :channel AND key = :key AND state < 2",
        )?
        .execute(named_params! {
            ":state": state,
            ":due": nanos(due),
            ":now": nanos(now),
            ":said": said,
            ":channel": batch.message.channel,
            ":key": batch.message.key,
        })?;
    Ok(match state {
        DELIVERED => Settled::Delivered,
        DEAD => Settled::Dead,
        _ => Settled::Failed,
    })
}

/// The pause before another try, which depends on how many there were and not on when the program was started.
fn pause(config: &Config, tries: u32) -> Duration {
    let mut backoff = Backoff::new(config.pause_min, config.pause_max);
    // After so many doublings every bound is reached.
    (0..tries.min(32)).map(|_| backoff.pause()).last().unwrap_or(config.pause_min)
}

/// Titles of what a channel has not delivered, those first that are the gravest and newest.
pub(crate) fn undelivered(
    transaction: &Transaction<'_>,
    channel: &str,
    since: Timestamp,
    limit: u32,
) -> Result<Vec<Telling>, OutboxError> {
    let mut statement = transaction.prepare_cached(
        "SELECT alert.document FROM alert_delivery AS own JOIN alert ON alert.number = own.alert
         WHERE own.channel = ?1 AND (own.state < 2 OR own.state = 3 AND own.key IS NOT NULL AND own.at >= ?2)
         GROUP BY alert.number ORDER BY max(own.number) DESC LIMIT ?3",
    )?;
    let mut rows = statement.query(params![channel, nanos(since), limit])?;
    let mut found: Vec<Telling> = vec![];
    while let Some(row) = rows.next()? {
        found.push(serde_json::from_str(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
    }
    found.sort_by_key(|telling| std::cmp::Reverse(telling.severity));
    Ok(found)
}

/// The alert that tells of a channel's trouble, if somebody was told, and since when it is in trouble.
pub(crate) struct Trouble {
    pub(crate) since: Timestamp,
    pub(crate) alert: Option<crate::message::AlertId>,
}

pub(crate) fn trouble(transaction: &Transaction<'_>, channel: &str) -> Result<Option<Trouble>, OutboxError> {
    let read = |row: &rusqlite::Row<'_>| {
        let since = timestamp(row.get(0)?);
        Ok(Trouble { since, alert: row.get::<_, Option<[u8; 16]>>(1)?.map(id_of) })
    };
    let found = transaction
        .prepare_cached("SELECT failing_since, alert FROM alert_channel WHERE name = ?1")?
        .query_row([channel], read)
        .optional()?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::message::Occasion;

    #[test]
    fn sequels_are_the_same_in_sql() {
        let sequels = Occasion::ALL.iter().filter(|occasion| occasion.is_sequel());
        let names: Vec<String> = sequels.map(|occasion| format!("'{}'", occasion.as_str())).collect();
        assert_eq!(format!("({})", names.join(", ")), sequels!());
    }
}
