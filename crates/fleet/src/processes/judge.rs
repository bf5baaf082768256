//! Looks at changes of processes for what a person should be told.

use finding::{Finding, fact};
use process::{Change, ChangeKind, Process};
use rusqlite::{Transaction, params};
use serde_json::Value;
use suspicion::{Scene, suspicions};

use super::{
    given_up::GivenUp,
    record::{Recorded, open},
    starts::Starts,
    usual,
};
use crate::{Config, FleetError};

/// Ancestors that are looked at.
const ANCESTORS: usize = 4;
/// Things that are remembered of a host; what is met beyond them is told each time.
const KNOWN_MAX: i64 = 10_000;
/// Findings of one report; of more the rest is left out and counted.
const FINDINGS_MAX: usize = 200;
/// Entities of one finding.
const ENTITIES_MAX: usize = 20;

/// What is suspect in a report that was recorded, and how much was left out.
pub(crate) fn judge(
    transaction: &Transaction<'_>,
    (agent, host): (i64, &str),
    recorded: &Recorded,
    config: &Config,
    given_up: &mut GivenUp,
) -> Result<(Vec<Finding>, u64), FleetError> {
    let (mut findings, mut left_out) = (Vec::<Finding>::new(), 0);
    // Its forest is read where something started only.
    let has_started = recorded.changes.iter().any(|change| is_start(change.kind));
    let mut starts =
        has_started.then(|| Starts::of(transaction, agent, config.processes_learn)).transpose()?;
    for change in &recorded.changes {
        if change.kind == ChangeKind::Ended || change.process.kernel_thread {
            continue;
        }
        let ancestors = ancestors(transaction, agent, change)?;
        let tracer =
            change.process.tracer_pid.map(|pid| running(transaction, agent, pid)).transpose()?.flatten();
        let scene = Scene {
            host,
            at: change.at,
            now: &change.process,
            before: change.before.as_deref(),
            ancestors: &ancestors,
            tracer: tracer.as_ref(),
        };
        let strange =
            usual::look(transaction, agent, (change.kind, &scene), config.processes_learn, given_up)?;
        let rare = match &mut starts {
            Some(starts) if is_start(change.kind) => starts.look(&scene)?,
            _ => None,
        };
        for suspicion in suspicions(&scene).into_iter().chain(strange).chain(rare) {
            let is_news = match &suspicion.once {
                None => true,
                // What was there before anybody looked is no news.
                Some(what) => is_new(transaction, agent, what, given_up)? && !recorded.is_first_list,
            };
            if !is_news {
                continue;
            }
            let is_full = findings.len() >= FINDINGS_MAX;
            match findings.iter_mut().find(|known| known.rule == suspicion.finding.rule) {
                Some(known) => merge(known, suspicion.finding),
                None if is_full => left_out += 1,
                None => findings.push(suspicion.finding),
            }
        }
    }
    if let Some(starts) = starts {
        given_up.habits += starts.save()?;
    }
    Ok((findings, left_out))
}

const fn is_start(kind: ChangeKind) -> bool {
    matches!(kind, ChangeKind::Started | ChangeKind::Executed)
}

/// Takes one finding into another of its rule: what a report tells of one rule is one thing, with all that is in it.
fn merge(known: &mut Finding, other: Finding) {
    known.first = known.first.min(other.first);
    known.last = known.last.max(other.last);
    known.count = known.count.saturating_add(other.count);
    known.level = known.level.max(other.level);
    for (name, value) in other.facts {
        if !value.is_array() {
            known.facts.insert(name, value);
            continue;
        }
        let list = |value: &Value| {
            value
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let mut texts = known.facts.get(&name).map(list).unwrap_or_default();
        for text in list(&value) {
            fact::add(&mut texts, &text);
        }
        known.facts.insert(name, texts.into());
    }
    for entity in other.entities {
        if known.entities.len() < ENTITIES_MAX && !known.entities.contains(&entity) {
            known.entities.push(entity);
        }
    }
}

fn ancestors(transaction: &Transaction<'_>, agent: i64, change: &Change) -> Result<Vec<Process>, FleetError> {
    let mut ancestors: Vec<Process> = Vec::new();
    let mut pid = change.process.ppid;
    while pid != 0
        && ancestors.len() < ANCESTORS
        && let Some(parent) = running(transaction, agent, pid)?
    {
        pid = parent.ppid;
        ancestors.push(parent);
    }
    Ok(ancestors)
}

fn running(transaction: &Transaction<'_>, agent: i64, pid: u32) -> Result<Option<Process>, FleetError> {
    Ok(open(transaction, agent, pid)?.map(|version| version.process))
}

/// Whether the host was never met with this; from now on it was.
fn is_new(
    transaction: &Transaction<'_>,
    agent: i64,
    what: &str,
    given_up: &mut GivenUp,
) -> Result<bool, FleetError> {
    let is_known = transaction
        .prepare_cached("SELECT 1 FROM fleet_process_known WHERE agent = ?1 AND what = ?2")?
        .exists(params![agent, what])?;
    if is_known {
        return Ok(false);
    }
    let known: i64 = transaction
        .prepare_cached("SELECT count(*) FROM fleet_process_known WHERE agent = ?1")?
        .query_row([agent], |row| row.get(0))?;
    if known < KNOWN_MAX {
        transaction
            .prepare_cached("INSERT INTO fleet_process_known (agent, what) VALUES (?1, ?2)")?
            .execute(params![agent, what])?;
    } else {
        given_up.things += 1;
    }
    Ok(true)
}
