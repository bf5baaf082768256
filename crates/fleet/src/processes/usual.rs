//! What programs of a host usually start, learned from what they started.

use std::time::Duration;

use process::ChangeKind;
use rusqlite::{Transaction, params};
use suspicion::{Repertoire, Scene, Suspicion, pair, unusual};

use super::given_up::GivenUp;
use crate::{FleetError, stored::time};

/// Pairs that are remembered of a host; of more those go that were not seen for longest.
const PAIRS_MAX: i64 = 5_000;
/// Children of one program that are read.
const CHILDREN_MAX: i64 = 64;

/// Learns from a change, and tells what is strange of it. What began to run before anybody looked is learned only.
pub(super) fn look(
    transaction: &Transaction<'_>,
    agent: i64,
    (kind, scene): (ChangeKind, &Scene<'_>),
    learned: Duration,
    given_up: &mut GivenUp,
) -> Result<Option<Suspicion>, FleetError> {
    if !matches!(kind, ChangeKind::Present | ChangeKind::Started | ChangeKind::Executed) {
        return Ok(None);
    }
    let Some(pair) = pair(scene) else { return Ok(None) };
    let at = scene.at.as_nanos();
    let is_known = transaction
        .prepare_cached(
            "UPDATE fleet_process_pair SET seen = seen + 1, last = max(last, ?4)
             WHERE agent = ?1 AND parent = ?2 AND child = ?3",
        )?
        .execute(params![agent, pair.parent, pair.child, at])?
        > 0;
    if is_known {
        return Ok(None);
    }
    let before = repertoire(transaction, agent, &pair.parent)?;
    given_up.pairs += make_room(transaction, agent)?;
    transaction
        .prepare_cached("INSERT INTO fleet_process_pair VALUES (?1, ?2, ?3, 1, ?4, ?4)")?
        .execute(params![agent, pair.parent, pair.child, at])?;
    Ok(unusual(scene, &before, learned).filter(|_| kind != ChangeKind::Present))
}

fn repertoire(transaction: &Transaction<'_>, agent: i64, parent: &str) -> Result<Repertoire, FleetError> {
    let children = transaction
        .prepare_cached(
            "SELECT child, seen FROM fleet_process_pair WHERE agent = ?1 AND parent = ?2 ORDER BY seen DESC, child LIMIT ?3",
        )?
        .query_map(params![agent, parent, CHILDREN_MAX], |row| {
            Ok((row.get(0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or_default()))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let seen = transaction
        .prepare_cached(
            "SELECT min(first), max(first) FROM fleet_process_pair WHERE agent = ?1 AND parent = ?2",
        )?
        .query_row(params![agent, parent], |row| {
            Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?))
        })?;
    let seen = match seen {
        (Some(first), Some(new)) => Some((time(first), time(new))),
        _ => None,
    };
    Ok(Repertoire { children, seen })
}

/// How many had to go.
fn make_room(transaction: &Transaction<'_>, agent: i64) -> Result<u64, FleetError> {
    let pairs: i64 = transaction
        .prepare_cached("SELECT count(*) FROM fleet_process_pair WHERE agent = ?1")?
        .query_row([agent], |row| row.get(0))?;
    if pairs < PAIRS_MAX {
        return Ok(0);
    }
    let gone = transaction
        .prepare_cached(
            "DELETE FROM fleet_process_pair WHERE agent = ?1 AND (parent, child) IN
                 (SELECT parent, child FROM fleet_process_pair WHERE agent = ?1 ORDER BY last LIMIT ?2)",
        )?
        .execute(params![agent, PAIRS_MAX / 20])?;
    Ok(gone as u64)
}
