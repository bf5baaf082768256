//! Alerts and deliveries as they are shown.

use event::Timestamp;
use finding::{Level, fact};
use rusqlite::{Row, Transaction, named_params, params};
use serde::Serialize;
use serde_json::Value as Json;

use super::{
    error::OutboxError,
    queue,
    rows::{self, Kept, timestamp},
};
use crate::message::{AlertId, Telling};

/// The most alerts and deliveries in one answer.
pub const LISTED_MAX: u32 = 1000;
/// The newest deliveries that are shown with an alert.
const DELIVERIES_MAX: u32 = 100;

/// An alert as `GET /alerts` shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    /// Its name.
    pub id: AlertId,
    /// The machine that it is about.
    pub agent_name: Option<String>,
    /// The kind of its signal.
    pub r#type: String,
    /// How grave it is.
    pub severity: Level,
    /// What happened, in words.
    pub message: String,
    /// When it was last seen, in event time.
    pub timestamp: Timestamp,
    /// Whether somebody has it.
    pub acknowledged: bool,
    /// Who.
    pub acknowledged_by: Option<String>,
    /// Since when.
    pub acknowledged_at: Option<Timestamp>,
    /// The signal behind it.
    pub signal: Option<AlertId>,
    /// What was measured.
    pub value: Option<Json>,
    /// What it should not be beyond.
    pub threshold: Option<Json>,
    /// Where it went.
    pub deliveries: Vec<Delivery>,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// Not tried yet.
    Queued,
    /// Tried, and tried again.
    Failed,
    /// Taken by the other side.
    Delivered,
    /// Given up, or withdrawn before it was tried.
    Dead,
}

impl DeliveryState {
    /// Every one.
    pub const ALL: &[Self] = &[Self::Queued, Self::Failed, Self::Delivered, Self::Dead];

    const fn number(self) -> u8 {
        match self {
            Self::Queued => rows::QUEUED,
            Self::Failed => rows::FAILED,
            Self::Delivered => rows::DELIVERED,
            Self::Dead => rows::DEAD,
        }
    }

    fn of(number: u8) -> Self {
        Self::ALL.iter().copied().find(|state| state.number() == number).unwrap_or(Self::Dead)
    }
}

/// A telling of an alert over a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// The channel.
    pub channel: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub tries: u32,
    /// Why it was not taken, or not yet.
    pub last_error: Option<String>,
    /// When that was last so.
    pub at: Timestamp,
    /// Which telling of the alert it is.
    pub revision: u32,
    /// Why it was told.
    pub occasion: String,
    /// The route that led there; empty for what no route did.
    pub route: String,
    /// When it is tried next; none once it is delivered or dead.
    pub due: Option<Timestamp>,
    /// What the receiver knows it by; none before it is tried.
    pub key: Option<String>,
}

/// A delivery with its alert, as lists of deliveries show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// The alert.
    pub alert: AlertId,
    /// How it went.
    #[serde(flatten)]
    pub delivery: Delivery,
}

/// Which alerts are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// Only those that somebody has, or that nobody has.
    pub acknowledged: Option<bool>,
    /// So many; None for [`LISTED_MAX`].
    pub limit: Option<u32>,
}

/// Which deliveries are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Only over this channel.
    pub channel: Option<String>,
    /// Only in this state.
    pub state: Option<DeliveryState>,
    /// So many; None for [`LISTED_MAX`].
    pub limit: Option<u32>,
}

/// How a channel does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelStatus {
    /// Its name.
    pub channel: String,
    /// Since when it has delivered nothing that was tried; none while it delivers.
    pub failing_since: Option<Timestamp>,
    /// How many deliveries wait or are tried again.
    pub waiting: u64,
    /// How many of those that are kept were tried and given up.
    pub given_up: u64,
}

/// Why an alert went where it went, one telling after the other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The alert.
    pub alert: Alert,
    /// What was told of it, and why to whom.
    pub tellings: Vec<Told>,
}

/// A telling of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Which one, from 1.
    pub revision: u32,
    /// When it was recorded.
    pub at: Timestamp,
    /// Why it was told.
    pub occasion: &'static str,
    /// One sentence for each route, silence and inhibition that had a say.
    pub reasons: Vec<String>,
}

const DELIVERY: &str = "own.channel, own.state, own.tries, own.said, own.at, own.revision, own.occasion, own.route, \
                        own.due, own.key";

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let state = DeliveryState::of(row.get(1)?);
    let said: Option<String> = row.get(3)?;
    let is_over = matches!(state, DeliveryState::Delivered | DeliveryState::Dead);
    Ok(Delivery {
        channel: row.get(0)?,
        state,
        tries: row.get(2)?,
        last_error: said.filter(|_| state != DeliveryState::Delivered),
        at: timestamp(row.get(4)?),
        revision: row.get(5)?,
        occasion: row.get(6)?,
        route: row.get(7)?,
        due: (!is_over).then_some(timestamp(row.get(8)?)),
        key: row.get(9)?,
    })
}

/// The alert with its deliveries, the oldest first.
pub(crate) fn alert(transaction: &Transaction<'_>, kept: &Kept) -> Result<Alert, OutboxError> {
    let mut statement = transaction.prepare_cached(&format!(
        "SELECT {DELIVERY} FROM alert_delivery AS own WHERE own.alert = ?1 ORDER BY own.number DESC LIMIT ?2"
    ))?;
    let deliveries = statement.query_map(params![kept.number, DELIVERIES_MAX], delivery)?;
    let mut deliveries: Vec<Delivery> = deliveries.collect::<Result<_, _>>()?;
    deliveries.reverse();
    let telling = &kept.telling;
    let fact = |name| telling.signal.as_ref().and_then(|signal| signal.facts.get(name)).cloned();
    Ok(Alert {
        id: telling.alert,
        agent_name: telling.host().map(str::to_owned),
        r#type: telling.kind.clone(),
        severity: telling.severity,
        message: message(telling),
        timestamp: telling.last,
        acknowledged: kept.acknowledged.is_some(),
        acknowledged_by: kept.acknowledged.as_ref().map(|acknowledged| acknowledged.by.clone()),
        acknowledged_at: kept.acknowledged.as_ref().map(|acknowledged| acknowledged.at),
        signal: kept.is_of_signal.then_some(telling.alert),
        value: fact(fact::VALUE),
        threshold: fact(fact::THRESHOLD),
        deliveries,
    })
}

fn message(telling: &Telling) -> String {
    let words = &telling.words;
    if words.what.is_empty() { words.title.clone() } else { format!("{}. {}", words.title, words.what) }
}

/// Alerts, the newest first.
pub(crate) fn alerts(transaction: &Transaction<'_>, filter: &AlertFilter) -> Result<Vec<Alert>, OutboxError> {
    let limit = filter.limit.unwrap_or(LISTED_MAX).min(LISTED_MAX);
    let (columns, order) = (rows::COLUMNS, "ORDER BY number DESC LIMIT");
    let found = match filter.acknowledged {
        None => rows::all(transaction, &format!("SELECT {columns} FROM alert {order} ?1"), [limit])?,
        Some(acknowledged) => {
            let sql = format!("SELECT {columns} FROM alert WHERE (acknowledged_at IS NULL) = ?1 {order} ?2");
            rows::all(transaction, &sql, params![!acknowledged, limit])?
        }
    };
    found.iter().map(|kept| alert(transaction, kept)).collect()
}

/// Deliveries, the newest first.
pub(crate) fn deliveries(
    transaction: &Transaction<'_>,
    filter: &DeliveryFilter,
) -> Result<Vec<Sent>, OutboxError> {
    let mut statement = transaction.prepare_cached(&format!(
        "SELECT {DELIVERY}, alert.id FROM alert_delivery AS own JOIN alert ON alert.number = own.alert
         WHERE (:channel IS NULL OR own.channel = :channel) AND (:state IS NULL OR own.state = :state)
         ORDER BY own.number DESC LIMIT :limit"
    ))?;
    let sent = statement.query_map(
        named_params! {
            ":channel": filter.channel,
            ":state": filter.state.map(DeliveryState::number),
            ":limit": filter.limit.unwrap_or(LISTED_MAX).min(LISTED_MAX),
        },
        |row| Ok(Sent { alert: rows::id_of(row.get(10)?), delivery: delivery(row)? }),
    )?;
    Ok(sent.collect::<Result<_, _>>()?)
}

/// How a channel does.
pub(crate) fn channel(transaction: &Transaction<'_>, name: &str) -> Result<ChannelStatus, OutboxError> {
    let count = |condition: &str| -> Result<u64, OutboxError> {
        let sql = format!("SELECT count(*) FROM alert_delivery WHERE channel = ?1 AND {condition}");
        let counted: i64 = transaction.prepare_cached(&sql)?.query_row([name], |row| row.get(0))?;
        Ok(counted.unsigned_abs())
    };
    Ok(ChannelStatus {
        channel: name.to_owned(),
        failing_since: queue::trouble(transaction, name)?.map(|trouble| trouble.since),
        waiting: count("state < 2")?,
        given_up: count("key IS NOT NULL AND state = 3")?,
    })
}

/// Why an alert went where it went.
pub(crate) fn explain(transaction: &Transaction<'_>, kept: &Kept) -> Result<Explanation, OutboxError> {
    let mut statement = transaction.prepare_cached(
        "SELECT document, reasons FROM alert_telling WHERE alert = ?1 ORDER BY revision DESC LIMIT ?2",
    )?;
    let mut rows = statement.query(params![kept.number, DELIVERIES_MAX])?;
    let mut tellings = Vec::new();
    while let Some(row) = rows.next()? {
        let telling: Telling =
            serde_json::from_str(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?;
        tellings.push(Told {
            revision: telling.revision,
            at: telling.recorded,
            occasion: telling.occasion.as_str(),
            reasons: serde_json::from_str(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?,
        });
    }
    tellings.reverse();
    Ok(Explanation { alert: alert(transaction, kept)?, tellings })
}
