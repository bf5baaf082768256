//! What is asked of processes.

use event::Timestamp;
use process::{Problem, Process};
use rusqlite::{ToSql, Transaction, types::Value};

use super::{GOES_ON, stored::process};
use crate::{Fleet, FleetError, stored::time};

/// Whose processes are asked for.
#[derive(Debug, Clone, Default)]
pub struct ProcessQuestion {
    /// Of this host only.
    pub host: Option<String>,
    /// Of hosts of this organization only.
    pub organization: Option<String>,
    /// At most so many rows.
    pub limit: usize,
}

/// A process as it was at the moment that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessRow {
    /// The host.
    pub host: String,
    /// Since when it was just so.
    pub since: Timestamp,
    /// Until when; None where it goes on.
    pub until: Option<Timestamp>,
    /// What is known of it. Figures such as memory are of when it was last told.
    pub process: Process,
}

/// A change of a process.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessEvent {
    /// The host.
    pub host: String,
    /// When.
    pub at: Timestamp,
    /// What happened: the names of `process::ChangeKind`.
    pub kind: String,
    /// As it was from then on, or at last.
    pub process: Process,
}

/// How the processes of a host are read.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The host.
    pub host: String,
    /// When it was last told.
    pub at: Timestamp,
    /// `procmond` or `polling`.
    pub source: String,
    /// The kernel tells of starts and ends.
    pub told_by_kernel: bool,
    /// A list of all processes has come.
    pub is_listed: bool,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

const WHOSE: &str = "(?1 IS NULL OR a.name = ?1) AND (?2 IS NULL OR a.organization = ?2)";

impl Fleet {
    /// Processes as of a moment, in order of host and number; those of now without one. Each is handed on as soon as it is read, until
    /// one is not taken: all together they can be larger than the database.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn processes(
        &self,
        at: Option<Timestamp>,
        question: &ProcessQuestion,
        mut take: impl FnMut(ProcessRow) -> bool,
    ) -> Result<(), FleetError> {
        let (holds, at) = match at {
            None => ("p.until = ?3", GOES_ON),
            Some(at) => ("p.until > ?3 AND p.since <= ?3", at.as_nanos()),
        };
        let sql = format!(
            "SELECT a.name, p.since, p.until, p.process FROM fleet_process p JOIN fleet_agent a ON a.id = p.agent
             WHERE {WHOSE} AND {holds} ORDER BY a.name, p.pid LIMIT ?4"
        );
        let parameters = [text(&question.host), text(&question.organization), Value::Integer(at)];
        self.database.read(|transaction| {
            each(transaction, &sql, &parameters, question.limit, |row| {
                let until: i64 = row.get(2)?;
                Ok(take(ProcessRow {
                    host: row.get(0)?,
                    since: time(row.get(1)?),
                    until: (until < GOES_ON).then(|| time(until)),
                    process: process(&row.get::<_, String>(3)?)?,
                }))
            })
        })
    }

    /// Changes of processes from a moment up to another, the oldest first, handed on like [`Fleet::processes`]. Gives how many changes
    /// are missing in that time: a question about them has no whole answer.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn process_events(
        &self,
        (from, to): (Timestamp, Timestamp),
        question: &ProcessQuestion,
        take: impl FnMut(ProcessEvent) -> bool,
    ) -> Result<u64, FleetError> {
        let between = |table: &str| {
            format!(
                "FROM fleet_process_{table} e JOIN fleet_agent a ON a.id = e.agent WHERE {WHOSE} AND e.at >= ?3 AND e.at < ?4"
            )
        };
        let parameters = [
            text(&question.host),
            text(&question.organization),
            Value::Integer(from.as_nanos()),
            Value::Integer(to.as_nanos()),
        ];
        let ordered = format!("{} ORDER BY e.at, e.id LIMIT ?5", between("event"));
        self.database.read(|transaction| {
            events(transaction, &ordered, &parameters, question.limit, take)?;
            missing(transaction, &between("gap"), &parameters)
        })
    }

    /// How the processes of hosts are read.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn process_readings(&self, question: &ProcessQuestion) -> Result<Vec<Reading>, FleetError> {
        let parameters = [text(&question.host), text(&question.organization)];
        let sql = format!(
            "SELECT a.name, h.at, h.source, h.told_by_kernel, h.listed > 0, h.problems
             FROM fleet_process_host h JOIN fleet_agent a ON a.id = h.agent WHERE {WHOSE} ORDER BY a.name LIMIT ?3"
        );
        let mut readings = Vec::new();
        self.database.read(|transaction| {
            each(transaction, &sql, &parameters, question.limit, |row| {
                readings.push(Reading {
                    host: row.get(0)?,
                    at: time(row.get(1)?),
                    source: row.get(2)?,
                    told_by_kernel: row.get(3)?,
                    is_listed: row.get(4)?,
                    problems: serde_json::from_str(&row.get::<_, String>(5)?).unwrap_or_default(),
                });
                Ok(true)
            })
        })?;
        Ok(readings)
    }
}

/// Hands on events with the processes as they were from then on; `whose` says which and in which order.
pub(super) fn events(
    transaction: &Transaction<'_>,
    whose: &str,
    parameters: &[Value],
    limit: usize,
    mut take: impl FnMut(ProcessEvent) -> bool,
) -> Result<(), FleetError> {
    let sql = format!(
        "SELECT a.name, e.at, e.kind, (SELECT p.process FROM fleet_process p WHERE p.id = e.process) {whose}"
    );
    each(transaction, &sql, parameters, limit, |row| {
        let process = process(&row.get::<_, String>(3)?)?;
        Ok(take(ProcessEvent { host: row.get(0)?, at: time(row.get(1)?), kind: row.get(2)?, process }))
    })
}

pub(super) fn text(value: &Option<String>) -> Value {
    value.clone().map_or(Value::Null, Value::Text)
}

/// Goes through rows until there are no more, or one is the last that is wanted.
fn each(
    transaction: &Transaction<'_>,
    sql: &str,
    parameters: &[Value],
    limit: usize,
    mut row: impl FnMut(&rusqlite::Row<'_>) -> Result<bool, FleetError>,
) -> Result<(), FleetError> {
    let limit = Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX));
    let all = parameters.iter().chain([&limit]).map(|value| value as &dyn ToSql);
    let mut statement = transaction.prepare_cached(sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(all))?;
    while let Some(found) = rows.next()? {
        if !row(found)? {
            break;
        }
    }
    Ok(())
}

/// How many changes the notes of missing ones tell of.
pub(super) fn missing(
    transaction: &Transaction<'_>,
    notes: &str,
    parameters: &[Value],
) -> Result<u64, FleetError> {
    let mut statement = transaction.prepare_cached(&format!("SELECT coalesce(sum(e.changes), 0) {notes}"))?;
    let number: i64 = statement.query_row(rusqlite::params_from_iter(parameters), |row| row.get(0))?;
    Ok(u64::try_from(number).unwrap_or_default())
}
