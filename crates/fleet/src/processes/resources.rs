//! What the busiest processes of a host take, against what their programs took before.

use std::{collections::BTreeMap, time::Duration};

use event::Timestamp;
use finding::Finding;
use rusqlite::{OptionalExtension, Transaction, params};
use sample::Process;
use suspicion::{Consumer, Past, Resource, excessive};

use super::{given_up::GivenUp, record::open};
use crate::FleetError;

/// Between two looks, in nanoseconds of the samples' own time.
const LOOK_NANOS: i64 = 600 * 1_000_000_000;
/// Programs that are remembered of a host; of more those go that were not seen for longest.
const PROGRAMS_MAX: i64 = 500;
const MIB: f64 = 1_048_576.0;

/// A program of which is remembered what it took.
struct Kept {
    first: i64,
    /// The number of the last look.
    slot: i64,
    processor: Past,
    memory: Past,
}

/// Looks at the processes that use most in a sample, where ten minutes have begun since the one before. What a program takes is what that
/// process of it takes which takes most.
pub(crate) fn resources(
    transaction: &Transaction<'_>,
    (agent, host): (i64, &str),
    (at, before): (Timestamp, Timestamp),
    top: &[Process],
    learned: Duration,
    given_up: &mut GivenUp,
) -> Result<Vec<Finding>, FleetError> {
    let slot = at.as_nanos().div_euclid(LOOK_NANOS);
    if top.is_empty() || before.as_nanos().div_euclid(LOOK_NANOS) == slot {
        return Ok(Vec::new());
    }
    let mut programs = BTreeMap::<String, Vec<&Process>>::new();
    for process in top {
        programs.entry(program(transaction, agent, process)?).or_default().push(process);
    }
    let mut found = Vec::new();
    for (program, processes) in &programs {
        let mut kept = kept(transaction, agent, program)?.unwrap_or(Kept {
            first: at.as_nanos(),
            slot,
            processor: Past::default(),
            memory: Past::default(),
        });
        if kept.slot + 1 < slot {
            kept.processor.skip();
            kept.memory.skip();
        }
        kept.slot = slot;
        let age = at.as_nanos().saturating_sub(kept.first);
        let is_known = age >= i64::try_from(learned.as_nanos()).unwrap_or(i64::MAX);
        let of = |resource, uses: fn(&Process) -> Option<f64>, past: &mut Past| {
            let most = processes.iter().filter_map(|one| Some((*one, uses(one)?)));
            let (process, value) = most.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
            let excess = past.look(resource, value, is_known)?;
            let consumer = Consumer {
                host,
                at,
                pid: process.pid,
                program,
                command: process.command.as_deref().unwrap_or(&process.name),
                user: process.user.as_deref(),
            };
            Some(excessive(&consumer, resource, excess))
        };
        found.extend(of(Resource::Processor, |process| process.cpu_percent, &mut kept.processor));
        found.extend(of(
            Resource::Memory,
            |process| process.rss_bytes.map(|bytes| bytes / MIB),
            &mut kept.memory,
        ));
        keep(transaction, agent, program, &kept)?;
    }
    given_up.programs += make_room(transaction, agent)?;
    Ok(found)
}

/// The file that a process runs, where its host tells of processes; else what it is called.
fn program(transaction: &Transaction<'_>, agent: i64, process: &Process) -> Result<String, FleetError> {
    let known = match u32::try_from(process.pid) {
        Ok(pid) => open(transaction, agent, pid)?,
        Err(_) => None,
    };
    let path =
        known.filter(|known| *known.process.name == *process.name).and_then(|known| known.process.executable);
    Ok(path.map_or_else(|| process.name.clone(), |path| path.to_string()))
}

fn kept(transaction: &Transaction<'_>, agent: i64, program: &str) -> Result<Option<Kept>, FleetError> {
    let found = transaction
        .prepare_cached(
            "SELECT first, slot, processor, processor_strange, memory, memory_strange FROM fleet_process_use
             WHERE agent = ?1 AND program = ?2",
        )?
        .query_row(params![agent, program], |row| {
            Ok(Kept {
                first: row.get(0)?,
                slot: row.get(1)?,
                processor: Past { looks: row.get(2)?, strange: row.get(3)? },
                memory: Past { looks: row.get(4)?, strange: row.get(5)? },
            })
        })
        .optional()?;
    Ok(found)
}

fn keep(transaction: &Transaction<'_>, agent: i64, program: &str, kept: &Kept) -> Result<(), FleetError> {
    let Kept { first, slot, processor, memory } = kept;
    transaction
        .prepare_cached("INSERT OR REPLACE INTO fleet_process_use VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
        .execute(params![
            agent,
            program,
            first,
            slot,
            processor.looks,
            processor.strange,
            memory.looks,
            memory.strange
        ])?;
    Ok(())
}

/// How many had to go.
fn make_room(transaction: &Transaction<'_>, agent: i64) -> Result<u64, FleetError> {
    let gone = transaction
        .prepare_cached(
            "DELETE FROM fleet_process_use WHERE agent = ?1 AND program IN
             (SELECT program FROM fleet_process_use WHERE agent = ?1 ORDER BY slot DESC LIMIT -1 OFFSET ?2)",
        )?
        .execute(params![agent, PROGRAMS_MAX])?;
    Ok(gone as u64)
}
