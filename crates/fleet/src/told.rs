//! What was found, on its way to become a signal.

use finding::{Finding, FindingKind};
use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};

use crate::FleetError;

/// What is to be told, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// Whose host it is.
    pub(crate) organization: Option<String>,
    pub(crate) what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    /// Something was found.
    Found(Box<Finding>),
    /// What was found is over.
    Over { host: String, kind: FindingKind, rule: String },
}

/// Keeps what is to be told.
pub(crate) fn keep(transaction: &Transaction<'_>, told: &[Told]) -> Result<(), FleetError> {
    for told in told {
        let json = serde_json::to_string(told).map_err(|_| damaged())?;
        transaction.prepare_cached("INSERT INTO fleet_told (told) VALUES (?1)")?.execute([json])?;
    }
    Ok(())
}

/// The first that wait, with their numbers.
pub(crate) fn waiting(transaction: &Transaction<'_>, limit: u32) -> Result<Vec<(i64, Told)>, FleetError> {
    let mut statement = transaction.prepare_cached("SELECT id, told FROM fleet_told ORDER BY id LIMIT ?1")?;
    let rows = statement.query_map([limit], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (id, json) = row?;
        Ok((id, serde_json::from_str(&json).map_err(|_| damaged())?))
    })
    .collect()
}

/// Forgets those up to this number.
pub(crate) fn forget(transaction: &Transaction<'_>, through: i64) -> Result<(), FleetError> {
    transaction.prepare_cached("DELETE FROM fleet_told WHERE id <= ?1")?.execute(params![through])?;
    Ok(())
}

fn damaged() -> FleetError {
    FleetError::Damaged { what: "findings that wait to be told".to_owned() }
}
