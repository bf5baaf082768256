//! What survives a restart.

use std::collections::{BTreeMap, HashSet};

use event::Timestamp;
use fleet::ProcessPlace;
use signal::BoxError;
use state::{
    Database, Migrations, StateError,
    rusqlite::{Transaction, params},
};

use super::{found::Mark, last::Last};

pub(crate) const MIGRATIONS: Migrations =
    Migrations { owner: "inquiry", steps: &[include_str!("tables.sql"), include_str!("of_events.sql")] };
/// Nanoseconds for which a rule that is no longer there is remembered.
const REMEMBERED: i64 = 30 * 24 * 3_600 * 1_000_000_000;

/// Rows that are remembered of a rule of new rows; of more the oldest are forgotten, and told anew.
const ROWS_MAX: i64 = 100_000;

/// Rows of an answer, to be remembered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rows<'m> {
    /// They are all that there is.
    All(&'m HashSet<Mark>),
    /// They were there now; what was there last before a time is forgotten.
    Seen { marks: &'m HashSet<Mark>, now: Timestamp, since: Timestamp },
}

/// What is remembered of a rule.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remembered {
    pub(crate) last: Option<Last>,
    pub(crate) hash: String,
    pub(crate) suspended: Option<String>,
}

/// What is remembered of all rules.
pub(crate) fn load(database: &Database) -> Result<BTreeMap<String, Remembered>, StateError> {
    database.read(|transaction| {
        let mut statement = transaction.prepare("SELECT id, last, hash, suspended FROM inquiry_rule")?;
        let rows = statement.query_map([], |row| {
            let last: String = row.get(1)?;
            let last = serde_json::from_str(&last).ok();
            Ok((row.get(0)?, Remembered { last, hash: row.get(2)?, suspended: row.get(3)? }))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    })
}

/// The rows of the last answer of a rule, or those that were there since a time.
pub(crate) fn marks(
    database: &Database,
    rule: &str,
    since: Option<Timestamp>,
) -> Result<HashSet<Mark>, StateError> {
    let since = since.map_or(i64::MIN, Timestamp::as_nanos);
    database.read(|transaction| {
        let mut statement =
            transaction.prepare_cached("SELECT mark FROM inquiry_row WHERE rule = ?1 AND at >= ?2")?;
        let rows = statement.query_map(params![rule, since], |row| row.get::<_, Mark>(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    })
}

/// Writes what came of a run; the rows, where it was evaluated.
pub(crate) fn save(
    transaction: &Transaction<'_>,
    (rule, hash): (&str, &str),
    last: &Last,
    suspended: Option<&str>,
    rows: Option<Rows<'_>>,
) -> Result<(), BoxError> {
    let json = serde_json::to_string(last)?;
    transaction
        .prepare_cached("INSERT OR REPLACE INTO inquiry_rule VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![rule, last.at.as_nanos(), json, hash, suspended])?;
    let (marks, at) = match rows {
        None => return Ok(()),
        Some(Rows::All(marks)) => {
            transaction.prepare_cached("DELETE FROM inquiry_row WHERE rule = ?1")?.execute([rule])?;
            (marks, 0)
        }
        Some(Rows::Seen { marks, now, since }) => {
            transaction
                .prepare_cached("DELETE FROM inquiry_row WHERE rule = ?1 AND at < ?2")?
                .execute(params![rule, since.as_nanos()])?;
            (marks, now.as_nanos())
        }
    };
    let mut statement =
        transaction.prepare_cached("INSERT OR REPLACE INTO inquiry_row VALUES (?1, ?2, ?3)")?;
    for mark in marks {
        statement.execute(params![rule, mark, at])?;
    }
    let mut beyond = transaction.prepare_cached(
        "DELETE FROM inquiry_row WHERE rule = ?1 AND mark IN
         (SELECT mark FROM inquiry_row WHERE rule = ?1 ORDER BY at DESC LIMIT -1 OFFSET ?2)",
    )?;
    beyond.execute(params![rule, ROWS_MAX])?;
    Ok(())
}

/// Up to where a rule has read new rows; None before it was known.
pub(crate) fn place(database: &Database, rule: &str) -> Result<Option<ProcessPlace>, StateError> {
    database.read(|transaction| {
        let mut statement =
            transaction.prepare_cached("SELECT event, gap FROM inquiry_place WHERE rule = ?1")?;
        let mut rows =
            statement.query_map([rule], |row| Ok(ProcessPlace { event: row.get(0)?, gap: row.get(1)? }))?;
        Ok(rows.next().transpose()?)
    })
}

/// Notes up to where a rule has read new rows.
pub(crate) fn put_place(
    transaction: &Transaction<'_>,
    rule: &str,
    place: ProcessPlace,
) -> Result<(), StateError> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO inquiry_place VALUES (?1, ?2, ?3)")?
        .execute(params![rule, place.event, place.gap])?;
    Ok(())
}

/// Forgets rules that were not asked for long.
pub(crate) fn forget(database: &Database, now: Timestamp) -> Result<(), StateError> {
    database.write(|transaction| {
        let before = now.as_nanos() - REMEMBERED;
        transaction.execute(
            "DELETE FROM inquiry_row WHERE rule IN (SELECT id FROM inquiry_rule WHERE at < ?1)",
            [before],
        )?;
        transaction.execute(
            "DELETE FROM inquiry_place WHERE rule IN (SELECT id FROM inquiry_rule WHERE at < ?1)",
            [before],
        )?;
        transaction.execute("DELETE FROM inquiry_rule WHERE at < ?1", [before])?;
        Ok(())
    })
}

/// Rules of which it was told that they are suspended.
pub(crate) fn told(database: &Database) -> Result<BTreeMap<String, String>, StateError> {
    database.read(|transaction| {
        let mut statement = transaction.prepare_cached("SELECT rule, reason FROM inquiry_told")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    })
}

/// Notes that it was told of a rule, or that it is over.
pub(crate) fn tell(transaction: &Transaction<'_>, rule: &str, reason: Option<&str>) -> Result<(), BoxError> {
    match reason {
        Some(reason) => transaction
            .prepare_cached("INSERT OR REPLACE INTO inquiry_told VALUES (?1, ?2)")?
            .execute([rule, reason])?,
        None => transaction.prepare_cached("DELETE FROM inquiry_told WHERE rule = ?1")?.execute([rule])?,
    };
    Ok(())
}
