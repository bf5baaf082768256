//! Alerts, tellings and deliveries as rows.

use std::time::Duration;

use event::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, named_params, params};
use signal::SignalId;

use super::error::OutboxError;
use crate::{
    message::{AlertId, Telling},
    route::Planned,
};

/// Tellings of an alert before its newest ones are forgotten, as far as they only repeated it.
const REVISIONS_MAX: u32 = 200;

/// Where a delivery stands: `state` of its row.
pub(crate) const QUEUED: u8 = 0;
pub(crate) const FAILED: u8 = 1;
pub(crate) const DELIVERED: u8 = 2;
pub(crate) const DEAD: u8 = 3;

/// An alert as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// Its place, which is also the order in which alerts came up.
    pub(crate) number: i64,
    /// Whether a signal of the same id stands behind it.
    pub(crate) is_of_signal: bool,
    /// When it was first told, or would have been.
    pub(crate) raised: Timestamp,
    pub(crate) is_open: bool,
    /// Whether another alert silences it.
    pub(crate) is_held: bool,
    pub(crate) acknowledged: Option<Acknowledged>,
    pub(crate) snoozed_until: Option<Timestamp>,
    /// As it was told last.
    pub(crate) telling: Telling,
}

impl Kept {
    /// One of a signal, that is raised now and is not written down yet.
    pub(crate) fn new(telling: Telling, now: Timestamp) -> Self {
        Self {
            number: 0,
            is_of_signal: true,
            raised: now,
            is_open: true,
            is_held: false,
            acknowledged: None,
            snoozed_until: None,
            telling,
        }
    }
}

/// Who has an alert, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Acknowledged {
    pub(crate) at: Timestamp,
    pub(crate) by: String,
}

/// What is selected of a row for [`kept`].
pub(crate) const COLUMNS: &str = "number, signal, raised, is_open, is_held, acknowledged_at, acknowledged_by, \
                                  snoozed_until, document";

pub(crate) fn id_bytes(id: AlertId) -> [u8; 16] {
    id.0.0.to_be_bytes()
}

pub(crate) fn id_of(bytes: [u8; 16]) -> AlertId {
    AlertId(SignalId(u128::from_be_bytes(bytes)))
}

pub(crate) fn nanos(at: Timestamp) -> i64 {
    at.as_nanos()
}

pub(crate) fn timestamp(nanos: i64) -> Timestamp {
    Timestamp::from_nanos(nanos).unwrap_or_default()
}

/// So much later.
pub(crate) fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.saturating_add(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX))
}

/// A row of [`COLUMNS`].
pub(crate) fn kept(row: &Row<'_>) -> Result<Kept, OutboxError> {
    let at: Option<i64> = row.get(5)?;
    let by: Option<String> = row.get(6)?;
    let document = row.get_ref(8)?.as_str().map_err(rusqlite::Error::from)?;
    Ok(Kept {
        number: row.get(0)?,
        is_of_signal: row.get(1)?,
        raised: timestamp(row.get(2)?),
        is_open: row.get(3)?,
        is_held: row.get(4)?,
        acknowledged: at.map(|at| Acknowledged { at: timestamp(at), by: by.unwrap_or_default() }),
        snoozed_until: row.get::<_, Option<i64>>(7)?.map(timestamp),
        telling: serde_json::from_str(document)?,
    })
}

/// Every alert that a statement gives.
pub(crate) fn all(
    transaction: &Transaction<'_>,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Kept>, OutboxError> {
    let mut statement = transaction.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(kept(row)?);
    }
    Ok(found)
}

/// The alert of an id.
pub(crate) fn find(transaction: &Transaction<'_>, id: AlertId) -> Result<Option<Kept>, OutboxError> {
    let sql = format!("SELECT {COLUMNS} FROM alert WHERE id = ?1");
    Ok(all(transaction, &sql, [id_bytes(id)])?.pop())
}

/// The alert of a place.
pub(crate) fn at(transaction: &Transaction<'_>, number: i64) -> Result<Option<Kept>, OutboxError> {
    let sql = format!("SELECT {COLUMNS} FROM alert WHERE number = ?1");
    Ok(all(transaction, &sql, [number])?.pop())
}

/// Writes an alert down; one whose number is 0 is new, and gets one.
pub(crate) fn save(transaction: &Transaction<'_>, alert: &mut Kept) -> Result<(), OutboxError> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO alert (id, signal, host, raised, revision, is_open, is_held, acknowledged_at, acknowledged_by,
             snoozed_until, document)
         VALUES (:id, :signal, :host, :raised, :revision, :is_open, :is_held, :at, :by, :snoozed, :document)
         ON CONFLICT (id) DO UPDATE SET host = :host, revision = :revision, is_open = :is_open, is_held = :is_held,
             acknowledged_at = :at, acknowledged_by = :by, snoozed_until = :snoozed, document = :document
         RETURNING number",
    )?;
    let acknowledged = alert.acknowledged.as_ref();
    alert.number = statement.query_row(
        named_params! {
            ":id": id_bytes(alert.telling.alert),
            ":signal": alert.is_of_signal,
            ":host": alert.telling.host().unwrap_or_default(),
            ":raised": nanos(alert.raised),
            ":revision": alert.telling.revision,
            ":is_open": alert.is_open,
            ":is_held": alert.is_held,
            ":at": acknowledged.map(|acknowledged| nanos(acknowledged.at)),
            ":by": acknowledged.map(|acknowledged| &acknowledged.by),
            ":snoozed": alert.snoozed_until.map(nanos),
            ":document": serde_json::to_string(&alert.telling)?,
        },
        |row| row.get(0),
    )?;
    Ok(())
}

/// Writes down what is told of an alert, why it goes where it goes, and what goes out.
pub(crate) fn tell(
    transaction: &Transaction<'_>,
    alert: &Kept,
    planned: &[Planned],
    reasons: &[String],
) -> Result<(), OutboxError> {
    let telling = &alert.telling;
    transaction.prepare_cached("INSERT OR REPLACE INTO alert_telling VALUES (?1, ?2, ?3, ?4)")?.execute(
        params![
            alert.number,
            telling.revision,
            serde_json::to_string(telling)?,
            serde_json::to_string(reasons)?
        ],
    )?;
    forget_repeats(transaction, alert)?;
    for planned in planned {
        if !telling.occasion.is_sequel() {
            let instead = format!("withdrawn: revision {} was told instead", telling.revision);
            withdraw(transaction, alert.number, Some(&planned.channel), &instead, telling.recorded)?;
        }
        transaction
            .prepare_cached(
                "INSERT INTO alert_delivery (alert, revision, channel, occasion, route, state, tries, planned, due, at,
                     grouped)
                 VALUES (:alert, :revision, :channel, :occasion, :route, 0, 0, :due, :due, :at, :grouped)",
            )?
            .execute(named_params! {
                ":alert": alert.number,
                ":revision": telling.revision,
                ":channel": planned.channel,
                ":occasion": telling.occasion.as_str(),
                ":route": planned.route,
                ":due": nanos(group_due(transaction, planned)?),
                ":at": nanos(telling.recorded),
                ":grouped": planned.group,
            })?;
    }
    Ok(())
}

/// Forgets old tellings of an alert that nobody acknowledges: when it was repeated, and how that went.
fn forget_repeats(transaction: &Transaction<'_>, alert: &Kept) -> Result<(), OutboxError> {
    let Some(last) = alert.telling.revision.checked_sub(REVISIONS_MAX) else { return Ok(()) };
    transaction
        .prepare_cached(
            "DELETE FROM alert_delivery WHERE alert = ?1 AND revision <= ?2 AND state >= 2 AND occasion = 'repeated'
             AND EXISTS (SELECT 1 FROM alert_delivery AS later WHERE later.alert = ?1 AND later.revision > ?2
                 AND later.channel = alert_delivery.channel)",
        )?
        .execute(params![alert.number, last])?;
    transaction
        .prepare_cached(
            "DELETE FROM alert_telling WHERE alert = ?1 AND revision <= ?2 AND NOT EXISTS (
                 SELECT 1 FROM alert_delivery AS own
                 WHERE own.alert = ?1 AND own.revision = alert_telling.revision)",
        )?
        .execute(params![alert.number, last])?;
    Ok(())
}

pub(crate) const GROUP_DUE: &str =
    "SELECT due FROM alert_delivery WHERE channel = ?1 AND grouped = ?2 AND state = 0 AND key IS NULL
             ORDER BY due LIMIT 1";

/// When a delivery is due: with those of its group that wait already.
fn group_due(transaction: &Transaction<'_>, planned: &Planned) -> Result<Timestamp, OutboxError> {
    let Some(group) = &planned.group else { return Ok(planned.due) };
    let waits: Option<i64> = transaction
        .prepare_cached(GROUP_DUE)?
        .query_row(params![planned.channel, group], |row| row.get(0))
        .optional()?;
    Ok(waits.map_or(planned.due, timestamp))
}

pub(crate) const WITHDRAW: &str = "UPDATE alert_delivery SET state = 3, said = :reason, at = :now
             WHERE alert = :alert AND state = 0 AND key IS NULL AND (:channel IS NULL OR channel = :channel)";

/// Takes back what was not tried yet of an alert, over one channel or all.
pub(crate) fn withdraw(
    transaction: &Transaction<'_>,
    alert: i64,
    channel: Option<&str>,
    reason: &str,
    now: Timestamp,
) -> Result<(), OutboxError> {
    transaction.prepare_cached(WITHDRAW)?.execute(named_params! {
        ":reason": reason, ":now": nanos(now), ":alert": alert, ":channel": channel,
    })?;
    Ok(())
}

/// Has something happen to an alert at a time, unless it is to happen already.
pub(crate) fn set_timer(
    transaction: &Transaction<'_>,
    alert: i64,
    what: &str,
    route: &str,
    due: Timestamp,
) -> Result<(), OutboxError> {
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO alert_timer (alert, what, route, due) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![alert, what, route, nanos(due)])?;
    Ok(())
}

/// Nothing more happens to an alert by itself.
pub(crate) fn stop_timers(transaction: &Transaction<'_>, alert: i64) -> Result<(), OutboxError> {
    transaction.prepare_cached("DELETE FROM alert_timer WHERE alert = ?1")?.execute([alert])?;
    Ok(())
}
