//! Keeps what an agent tells of processes.

use event::Timestamp;
use process::{Change, ChangeKind, Process, Report, Source, difference};
use rusqlite::{OptionalExtension, Transaction, params};

use super::{
    GOES_ON,
    stored::{self, text},
};
use crate::{FleetError, stored::time};

/// What became of a report.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    /// Changes that were news, in their order, each with the process as it was before.
    pub(crate) changes: Vec<Change>,
    /// They are of the first list of this host: what it had before anybody looked.
    pub(crate) is_first_list: bool,
    /// Changes that are missing.
    pub(crate) missing: u64,
}

/// A version that goes on.
pub(super) struct Version {
    id: i64,
    started: i64,
    since: i64,
    pub(super) process: Process,
}

/// How far an agent has told.
#[derive(Default)]
struct Standing {
    boot_id: String,
    listing: i64,
    listed: i64,
}

/// Keeps a report that came at a time of its agent.
pub(crate) fn record(
    transaction: &Transaction<'_>,
    agent: i64,
    report: Report,
    at: Timestamp,
) -> Result<Recorded, FleetError> {
    let mut standing = standing(transaction, agent)?;
    let mut recording =
        Recording { transaction, agent, at: at.as_nanos(), listing: 0, recorded: Recorded::default() };
    if !report.boot_id.is_empty() && standing.boot_id != report.boot_id {
        recording.close_all()?;
        standing.boot_id.clone_from(&report.boot_id);
    }
    standing.listing += i64::from(report.begins);
    recording.listing = standing.listing;
    recording.recorded.is_first_list = standing.listed == 0;
    for change in report.changes {
        recording.change(change)?;
    }
    if report.complete {
        recording.close_unlisted()?;
        standing.listed = standing.listing;
    }
    recording.recorded.missing = report.lost.saturating_add(report.unseen);
    recording.gap()?;
    let source = match report.source {
        Source::Procmond => "procmond",
        Source::Polling => "polling",
    };
    let problems = serde_json::to_string(&report.problems).unwrap_or_default();
    transaction
        .prepare_cached("INSERT OR REPLACE INTO fleet_process_host VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
        .execute(params![
            agent,
            standing.boot_id,
            standing.listing,
            standing.listed,
            at.as_nanos(),
            source,
            report.told_by_kernel,
            problems
        ])?;
    Ok(recording.recorded)
}

fn standing(transaction: &Transaction<'_>, agent: i64) -> Result<Standing, FleetError> {
    let found = transaction
        .prepare_cached("SELECT boot_id, listing, listed FROM fleet_process_host WHERE agent = ?1")?
        .query_row([agent], |row| {
            Ok(Standing { boot_id: row.get(0)?, listing: row.get(1)?, listed: row.get(2)? })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

struct Recording<'t> {
    transaction: &'t Transaction<'t>,
    agent: i64,
    at: i64,
    listing: i64,
    recorded: Recorded,
}

impl Recording<'_> {
    fn change(&mut self, mut change: Change) -> Result<(), FleetError> {
        // Nothing is later than the report that tells it.
        let at = change.at.as_nanos().min(self.at);
        change.at = time(at);
        change.before = None;
        let known = open(self.transaction, self.agent, change.process.pid)?;
        let known = match known {
            Some(known) if known.started != change.process.started_at.as_nanos() => {
                self.end(&known, at)?;
                None
            }
            known => known,
        };
        match (change.kind, known) {
            (ChangeKind::Ended, Some(known)) => {
                self.rewrite(&known, &change.process)?;
                self.end(&known, at)?;
            }
            // Told again by an agent that could not note that it had.
            (ChangeKind::Ended, None) if self.has_ended(&change.process)? => {}
            (ChangeKind::Ended, None) => {
                let since = change.process.started_at.as_nanos().min(at);
                let id = self.insert(&change.process, since, at)?;
                self.event(change, id)?;
            }
            (kind, Some(known)) => {
                // An executed program may be the same one anew.
                let difference = difference(&known.process, &change.process);
                let told = (kind == ChangeKind::Executed).then_some(ChangeKind::Executed);
                match told.or(difference) {
                    None => self.rewrite(&known, &change.process)?,
                    Some(kind) => {
                        let at = at.max(known.since);
                        self.close(known.id, at)?;
                        let id = self.insert(&change.process, at, GOES_ON)?;
                        let before = Some(Box::new(known.process));
                        self.event(Change { kind, at: time(at), before, ..change }, id)?;
                    }
                }
            }
            (_, None) => {
                let id = self.insert(&change.process, at, GOES_ON)?;
                self.event(change, id)?;
            }
        }
        Ok(())
    }

    fn has_ended(&self, process: &Process) -> Result<bool, FleetError> {
        Ok(self
            .transaction
            .prepare_cached("SELECT 1 FROM fleet_process WHERE agent = ?1 AND pid = ?2 AND started = ?3")?
            .exists(params![self.agent, process.pid, process.started_at.as_nanos()])?)
    }

    fn end(&mut self, known: &Version, at: i64) -> Result<(), FleetError> {
        let at = at.max(known.since);
        self.close(known.id, at)?;
        let process = known.process.clone();
        self.event(Change { kind: ChangeKind::Ended, at: time(at), process, before: None }, known.id)
    }

    fn close(&self, id: i64, at: i64) -> Result<(), FleetError> {
        self.transaction
            .prepare_cached("UPDATE fleet_process SET until = ?2 WHERE id = ?1")?
            .execute([id, at])?;
        Ok(())
    }

    /// The same process with figures of now.
    fn rewrite(&self, known: &Version, process: &Process) -> Result<(), FleetError> {
        self.transaction
            .prepare_cached("UPDATE fleet_process SET process = ?2, listing = ?3 WHERE id = ?1")?
            .execute(params![known.id, text(process)?, self.listing])?;
        Ok(())
    }

    fn insert(&self, process: &Process, since: i64, until: i64) -> Result<i64, FleetError> {
        self.transaction
            .prepare_cached(
                "INSERT INTO fleet_process (agent, pid, started, since, until, listing, process)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                self.agent,
                process.pid,
                process.started_at.as_nanos(),
                since,
                until,
                self.listing,
                text(process)?
            ])?;
        Ok(self.transaction.last_insert_rowid())
    }

    fn event(&mut self, change: Change, version: i64) -> Result<(), FleetError> {
        self.transaction
            .prepare_cached(
                "INSERT INTO fleet_process_event (agent, at, kind, process) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![self.agent, change.at.as_nanos(), change.kind.as_str(), version])?;
        self.recorded.changes.push(change);
        Ok(())
    }

    fn gap(&self) -> Result<(), FleetError> {
        if self.recorded.missing > 0 {
            let missing = i64::try_from(self.recorded.missing).unwrap_or(i64::MAX);
            self.transaction
                .prepare_cached("INSERT INTO fleet_process_gap (agent, at, changes) VALUES (?1, ?2, ?3)")?
                .execute([self.agent, self.at, missing])?;
        }
        Ok(())
    }

    /// The machine was started anew: nothing of before goes on.
    fn close_all(&self) -> Result<(), FleetError> {
        self.transaction
            .prepare_cached(
                "UPDATE fleet_process SET until = max(since, ?2) WHERE agent = ?1 AND until = ?3",
            )?
            .execute([self.agent, self.at, GOES_ON])?;
        Ok(())
    }

    /// What the list that is complete now does not have has ended unseen.
    fn close_unlisted(&mut self) -> Result<(), FleetError> {
        let gone: Vec<Version> = {
            let mut statement = self.transaction.prepare_cached(
                "SELECT id, started, since, process FROM fleet_process
                 WHERE agent = ?1 AND until = ?2 AND listing < ?3 ORDER BY id",
            )?;
            let rows = statement.query_map([self.agent, GOES_ON, self.listing], version)?;
            rows.collect::<Result<Vec<_>, _>>()?.into_iter().map(read).collect::<Result<_, _>>()?
        };
        for known in &gone {
            self.end(known, self.at)?;
        }
        Ok(())
    }
}

type Row = (i64, i64, i64, String);

fn version(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

fn read((id, started, since, process): Row) -> Result<Version, FleetError> {
    Ok(Version { id, started, since, process: stored::process(&process)? })
}

/// The process of this number that goes on.
pub(super) fn open(
    transaction: &Transaction<'_>,
    agent: i64,
    pid: u32,
) -> Result<Option<Version>, FleetError> {
    transaction
        .prepare_cached(
            "SELECT id, started, since, process FROM fleet_process WHERE agent = ?1 AND until = ?2 AND pid = ?3",
        )?
        .query_row([agent, GOES_ON, i64::from(pid)], version)
        .optional()?
        .map(read)
        .transpose()
}
