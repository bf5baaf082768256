//! Hosts, their services and what was measured on them.

use event::Timestamp;
use fleet::{Agent, AgentState, Fleet};
use serde_json::Value as Json;
use sql::{Question, Value};

use crate::{
    AskError, Scope,
    filling::{Filling, Row, real, text},
    tables::{HOSTS, METRICS, SERVICES},
    time,
};

/// How far back metrics are read where nothing says how far.
const HOUR_NANOS: i64 = 3_600 * 1_000_000_000;
/// Points of one metric of one host.
const POINTS_MAX: usize = 1_000;

fn state(state: AgentState) -> &'static str {
    match state {
        AgentState::Online => "online",
        AgentState::Silent => "silent",
        AgentState::Never => "never",
    }
}

fn agents(fleet: &Fleet, scope: &Scope) -> Result<Vec<Agent>, AskError> {
    Ok(fleet.agents(scope.organization.as_deref(), scope.at)?)
}

pub(crate) fn fill(
    fleet: &Fleet,
    question: &Question,
    scope: &Scope,
    filling: &mut Filling,
) -> Result<(), AskError> {
    filling.table(&HOSTS);
    for agent in agents(fleet, scope)? {
        let number = |path: &str| real(agent.metrics.pointer(path).and_then(Json::as_f64));
        let moment = |at: Option<Timestamp>| at.map_or(Value::Null, time::value);
        let row = Row::of(question, &HOSTS)
            .with("host", || text(Some(&agent.name)))
            .with("state", || text(Some(state(agent.state))))
            .with("last_seen", || moment(agent.last_seen))
            .with("first_seen", || moment(agent.first_seen))
            .with("version", || text(agent.version.as_deref()))
            .with("os", || text(agent.os.as_deref()))
            .with("interval_s", || real(agent.interval))
            .with("expected", || text(Some(agent.expected)))
            .with("labels", || Value::Text(serde_json::json!(agent.labels).to_string()))
            .with("cpu_percent", || number("/cpu/percent"))
            .with("memory_percent", || number("/ram/percent"))
            .with("load_1", || number("/cpu/load/0"))
            .with("uptime_s", || number("/uptime_s"))
            .with("processes", || number("/processes"))
            .with("metrics", || Value::Text(agent.metrics.to_string()))
            .done();
        if !filling.row(row) {
            break;
        }
    }
    Ok(())
}

pub(crate) fn services(
    fleet: &Fleet,
    question: &Question,
    scope: &Scope,
    filling: &mut Filling,
) -> Result<(), AskError> {
    filling.table(&SERVICES);
    for agent in agents(fleet, scope)? {
        let services = agent.metrics.get("services").and_then(Json::as_object);
        for (name, state) in services.into_iter().flatten() {
            let unit = |of: &str| {
                let number = agent.metrics.get("units")?.get(name)?.get(of)?.as_f64()?;
                Some(Value::Integer(number as i64))
            };
            let row = Row::of(question, &SERVICES)
                .with("host", || text(Some(&agent.name)))
                .with("service", || text(Some(name)))
                .with("state", || text(state.as_str()))
                .with("restarts", || unit("restarts").unwrap_or(Value::Null))
                .with("memory_bytes", || unit("memory_bytes").unwrap_or(Value::Null))
                .done();
            if !filling.row(row) {
                return Ok(());
            }
        }
    }
    Ok(())
}

pub(crate) fn metrics(
    fleet: &Fleet,
    question: &Question,
    scope: &Scope,
    filling: &mut Filling,
) -> Result<(), AskError> {
    filling.table(&METRICS);
    let conditions = question.conditions(METRICS.name);
    let (from, to) = time::period(&conditions, "timestamp", scope.at);
    // A sample may be a little ahead of the server's clock.
    let to = [to, scope.to].into_iter().flatten().min().unwrap_or(scope.at.saturating_add(HOUR_NANOS / 6));
    let from = from.max(scope.from).unwrap_or(scope.at.saturating_add(-HOUR_NANOS));
    let (hosts, wanted) = (time::one_of(&conditions, "host"), time::one_of(&conditions, "metric"));
    for agent in agents(fleet, scope)? {
        if hosts.as_ref().is_some_and(|hosts| !hosts.contains(&agent.name)) {
            continue;
        }
        let names = fleet.series(&agent.name, scope.organization.as_deref())?;
        for metric in names.into_iter().filter(|name| wanted.as_ref().is_none_or(|all| all.contains(name))) {
            if filling.is_late() {
                return Ok(());
            }
            let asked = fleet::Question { metric, from, to, points: POINTS_MAX };
            let chart = fleet.chart(&agent.name, scope.organization.as_deref(), &asked, scope.at)?;
            for point in &chart.points {
                let row = Row::of(question, &METRICS)
                    .with("timestamp", || time::value(point.t))
                    .with("host", || text(Some(&chart.agent_name)))
                    .with("metric", || text(Some(&chart.metric)))
                    .with("value", || Value::Real(point.mean))
                    .with("min", || Value::Real(point.min))
                    .with("max", || Value::Real(point.max))
                    .with("samples", || Value::Integer(point.count.cast_signed()))
                    .with("unit", || text(Some(chart.unit)))
                    .done();
                if !filling.row(row) {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}
