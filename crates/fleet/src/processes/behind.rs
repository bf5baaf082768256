//! Changes of processes in the order in which they were kept, for whoever reads each of them once.

use event::Timestamp;
use rusqlite::{Transaction, types::Value};

use super::read::{ProcessEvent, ProcessQuestion, events, missing, text};
use crate::{Fleet, FleetError};

/// Up to where changes of processes were read. Numbers only grow: what comes late from a host lies behind what was read all the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProcessPlace {
    /// The number of the last change.
    pub event: i64,
    /// The number of the last note of changes that are missing.
    pub gap: i64,
}

const WHOSE: &str = "(?1 IS NULL OR a.name = ?1) AND (?2 IS NULL OR a.organization = ?2)";

impl Fleet {
    /// Where the changes end that lie behind a place, or at most so many of them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn process_place(&self, behind: ProcessPlace, at_most: usize) -> Result<ProcessPlace, FleetError> {
        let limit = i64::try_from(at_most).unwrap_or(i64::MAX);
        self.database.read(|transaction| {
            let event = transaction
                .prepare_cached(
                    "SELECT max(id) FROM (SELECT id FROM fleet_process_event WHERE id > ?1 ORDER BY id LIMIT ?2)",
                )?
                .query_row([behind.event, limit], |row| row.get::<_, Option<i64>>(0))?;
            let gap = transaction
                .prepare_cached("SELECT max(id) FROM fleet_process_gap")?
                .query_row([], |row| row.get::<_, Option<i64>>(0))?;
            Ok(ProcessPlace {
                event: event.unwrap_or(behind.event),
                gap: gap.unwrap_or_default().max(behind.gap),
            })
        })
    }

    /// Changes behind a place up to another, in the order in which they were kept, handed on like [`Fleet::processes`]. Gives how many
    /// are missing: those since a time that were noted between the two.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn process_events_behind(
        &self,
        (behind, through): (ProcessPlace, ProcessPlace),
        since: Timestamp,
        question: &ProcessQuestion,
        take: impl FnMut(ProcessEvent) -> bool,
    ) -> Result<u64, FleetError> {
        let of = |table: &str, more: &str| {
            format!(
                "FROM fleet_process_{table} e JOIN fleet_agent a ON a.id = e.agent WHERE {WHOSE} AND e.id > ?3 AND e.id <= ?4{more}"
            )
        };
        let parameters = |first: i64, last: i64| {
            vec![
                text(&question.host),
                text(&question.organization),
                Value::Integer(first),
                Value::Integer(last),
            ]
        };
        let ordered = of("event", " ORDER BY e.id LIMIT ?5");
        let mut gaps = parameters(behind.gap, through.gap);
        gaps.push(Value::Integer(since.as_nanos()));
        self.database.read(|transaction: &Transaction<'_>| {
            events(transaction, &ordered, &parameters(behind.event, through.event), question.limit, take)?;
            missing(transaction, &of("gap", " AND e.at >= ?5"), &gaps)
        })
    }
}
