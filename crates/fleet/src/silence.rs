//! Agents of whom nothing is heard.

use std::time::Duration;

use event::Timestamp;
use finding::{Entity, EntityType, Finding, FindingKind, Level, Occurrence, fact};

use crate::{Condition, condition::Turn, host::Host, measured::Measured, told::What};

/// The rule by which a silent agent is told.
pub(crate) const SILENT: &str = "agent_silent";

/// What is told of an agent's silence now, if anything is.
pub(crate) fn silence(
    host: &mut Host,
    listening_since: i64,
    least: Duration,
    now: Timestamp,
) -> Option<What> {
    let since = host.last_seen.as_nanos().max(listening_since);
    let (after, silent) = (host.silent_after(least), now.as_nanos() - since);
    if silent < after {
        return None;
    }
    let seconds = |nanos: i64| (nanos / 1_000_000_000) as f64;
    let one = Measured {
        rule: SILENT.to_owned(),
        kind: FindingKind::AgentSilent,
        section: "agent",
        series: String::new(),
        service: None,
        value: seconds(silent),
        raise: seconds(after),
        clear: 0.0,
        samples: 1,
        level: Level::High,
        usual: None,
    };
    let condition = host.conditions.entry(SILENT.to_owned()).or_insert_with(|| Condition::new(&one, now));
    let Turn::Told(run) = condition.take(&one, now, 0) else { return None };
    let run = Occurrence { first: host.last_seen, ..run };
    let about = Entity::new(EntityType::Host, host.name.as_str());
    let (level, is_update) = (one.level, run.is_update);
    let mut finding = Finding::of_run(FindingKind::AgentSilent, level, SILENT, about, run);
    if !is_update {
        finding = finding.fact(fact::LAST_SEEN, host.last_seen.to_string());
    }
    Some(What::Found(Box::new(finding)))
}

/// That an agent is heard of again.
pub(crate) fn silence_is_over(host: &str) -> What {
    What::Over { host: host.to_owned(), kind: FindingKind::AgentSilent, rule: SILENT.to_owned() }
}
