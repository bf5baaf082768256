//! The newest samples, as they came and as numbers.

use event::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use sample::Sample;
use serde_json::Value;

use crate::FleetError;

/// Newest samples of an agent that are kept as they came.
pub const RECENT_MAX: u32 = 360;
/// How hard zstd tries: each sample is packed once, as it comes.
const LEVEL: i32 = 1;
/// No sample is longer.
const BODY_BYTES_MAX: usize = 64 << 20;

/// Whether there is a sample of this time.
pub(crate) fn has(transaction: &Transaction<'_>, agent: i64, at: Timestamp) -> Result<bool, FleetError> {
    let found = transaction
        .prepare_cached("SELECT 1 FROM fleet_fresh WHERE agent = ?1 AND at = ?2 LIMIT 1")?
        .query_row(params![agent, at.as_nanos()], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

/// Keeps a sample.
pub(crate) fn add(
    transaction: &Transaction<'_>,
    agent: i64,
    at: Timestamp,
    numbers: &[u8],
    sample: &Sample,
) -> Result<(), FleetError> {
    let unwritten = |_| FleetError::Damaged { what: "a sample".to_owned() };
    let mut kept = serde_json::to_value(sample).map_err(unwritten)?;
    if let Value::Object(kept) = &mut kept {
        kept.insert("timestamp".to_owned(), at.to_string().into());
        kept.remove("monitoring");
    }
    let json = serde_json::to_vec(&kept).map_err(unwritten)?;
    let body = zstd::bulk::compress(&json, LEVEL)
        .map_err(|_| FleetError::Damaged { what: "a sample".to_owned() })?;
    transaction
        .prepare_cached("INSERT INTO fleet_fresh (agent, at, numbers, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![agent, at.as_nanos(), numbers, body])?;
    Ok(())
}

/// The newest samples of an agent as they came, the newest first.
pub(crate) fn newest(
    transaction: &Transaction<'_>,
    agent: i64,
    (from, to): (i64, i64),
    limit: u32,
) -> Result<Vec<Value>, FleetError> {
    let mut statement = transaction.prepare_cached(
        "SELECT body FROM fleet_fresh WHERE agent = ?1 AND at >= ?2 AND at < ?3 ORDER BY at DESC, id DESC LIMIT ?4",
    )?;
    let rows = statement.query_map(params![agent, from, to, limit], |row| row.get::<_, Vec<u8>>(0))?;
    let damaged = || FleetError::Damaged { what: "a sample".to_owned() };
    rows.map(|row| {
        let json = zstd::bulk::decompress(&row?, BODY_BYTES_MAX).map_err(|_| damaged())?;
        serde_json::from_slice(&json).map_err(|_| damaged())
    })
    .collect()
}
