//! What runs and ran on hosts.

use event::Timestamp;
use fleet::{Fleet, ProcessEvent, ProcessQuestion};
use process::{NO_USER, Process};
use sql::{Question, Table, Value};

use crate::{
    AskError, Scope,
    filling::{Filling, Row, text},
    tables::{LISTENING_PORTS, PROCESS_EVENTS, PROCESSES},
    time,
};

/// How far back changes are read where nothing says how far.
const DAY_NANOS: i64 = 24 * 3_600 * 1_000_000_000;

/// Whose processes can matter, and one row more than there is room for, which shows that there are more.
fn asked(question: &Question, table: &Table, scope: &Scope, filling: &Filling) -> ProcessQuestion {
    let hosts = time::one_of(&question.conditions(table.name), "host");
    ProcessQuestion {
        host: hosts.filter(|hosts| hosts.len() == 1).and_then(|mut hosts| hosts.pop()),
        organization: scope.organization.clone(),
        limit: filling.rows_left().saturating_add(1),
    }
}

/// The moment that is asked for; None for now.
fn moment(scope: &Scope) -> Option<Timestamp> {
    scope.to.map(|to| to.min(scope.at))
}

pub(crate) fn fill(
    fleet: &Fleet,
    question: &Question,
    scope: &Scope,
    filling: &mut Filling,
) -> Result<(), AskError> {
    let asked = asked(question, &PROCESSES, scope, filling);
    filling.table(&PROCESSES);
    fleet.processes(moment(scope), &asked, |found| {
        let row = Row::of(question, &PROCESSES)
            .with("host", || text(Some(&found.host)))
            .with("since", || time::value(found.since))
            .with("until", || found.until.map_or(Value::Null, time::value));
        filling.row(process(row, &found.process).done()) && !filling.is_late()
    })?;
    Ok(())
}

pub(crate) fn events(
    fleet: &Fleet,
    question: &Question,
    scope: &Scope,
    filling: &mut Filling,
) -> Result<(), AskError> {
    let (from, to) = time::period(&question.conditions(PROCESS_EVENTS.name), "timestamp", scope.at);
    let from = from.max(scope.from).unwrap_or(scope.at.saturating_add(-DAY_NANOS));
    // An agent's clock may be a little ahead of the server's.
    let to = [to, scope.to].into_iter().flatten().min().unwrap_or(scope.at.saturating_add(DAY_NANOS / 144));
    let asked = asked(question, &PROCESS_EVENTS, scope, filling);
    filling.table(&PROCESS_EVENTS);
    let take = |event: ProcessEvent| {
        let row = Row::of(question, &PROCESS_EVENTS)
            .with("timestamp", || time::value(event.at))
            .with("event", || text(Some(&event.kind)))
            .with("host", || text(Some(&event.host)));
        filling.row(process(row, &event.process).done()) && !filling.is_late()
    };
    let missing = match scope.changes {
        Some(places) => fleet.process_events_behind(places, from, &asked, take)?,
        None => fleet.process_events((from, to), &asked, take)?,
    };
    if missing > 0 {
        filling.lost(missing);
    }
    Ok(())
}

pub(crate) fn ports(
    fleet: &Fleet,
    question: &Question,
    scope: &Scope,
    filling: &mut Filling,
) -> Result<(), AskError> {
    let asked = asked(question, &LISTENING_PORTS, scope, filling);
    filling.table(&LISTENING_PORTS);
    fleet.processes(moment(scope), &asked, |found| {
        for port in &found.process.open_ports {
            let row = Row::of(question, &LISTENING_PORTS)
                .with("host", || text(Some(&found.host)))
                .with("port", || Value::Integer((*port).into()))
                .with("pid", || Value::Integer(found.process.pid.into()))
                .with("process", || text(Some(&found.process.name)))
                .with("executable", || text(found.process.executable.as_deref()))
                .with("user", || text(Some(&found.process.user)))
                .done();
            if !filling.row(row) {
                return false;
            }
        }
        !filling.is_late()
    })?;
    Ok(())
}

fn process<'q>(row: Row<'q>, process: &Process) -> Row<'q> {
    let number = |number: Option<u64>| {
        number.and_then(|number| i64::try_from(number).ok()).map_or(Value::Null, Value::Integer)
    };
    row.with("pid", || Value::Integer(process.pid.into()))
        .with("ppid", || Value::Integer(process.ppid.into()))
        .with("started_at", || time::value(process.started_at))
        .with("name", || text(Some(&process.name)))
        .with("command", || text(Some(&process.command)))
        .with("executable", || text(process.executable.as_deref()))
        .with("executable_deleted", || Value::Integer(process.executable_deleted.into()))
        .with("executable_hash", || text(process.executable_hash.as_deref()))
        .with("user", || text(Some(&process.user)))
        .with("uid", || number(Some(process.uid).filter(|uid| *uid != NO_USER).map(u64::from)))
        .with("cwd", || text(process.cwd.as_deref()))
        .with("container", || text(process.container.as_deref()))
        .with("tracer_pid", || process.tracer_pid.map_or(Value::Null, |pid| Value::Integer(pid.into())))
        .with("kernel_thread", || Value::Integer(process.kernel_thread.into()))
        .with("set_uid", || Value::Integer(process.set_uid.into()))
        .with("cpu_seconds", || Value::Real(process.cpu_seconds))
        .with("rss_bytes", || number(Some(process.rss_bytes)))
}
