//! Signals.

use signal::{Filter, Signal, Store};
use sql::{Question, Value};

use crate::{
    AskError, Scope,
    filling::{Filling, Row, text},
    tables::SIGNALS,
    time,
};

/// Signals that are read at a time.
const PAGE: usize = 1_000;

pub(crate) fn fill(
    store: &Store,
    question: &Question,
    scope: &Scope,
    filling: &mut Filling,
) -> Result<(), AskError> {
    filling.table(&SIGNALS);
    let conditions = question.conditions(SIGNALS.name);
    let (seen_from, _) = time::period(&conditions, "last", scope.at);
    let (_, begun_to) = time::period(&conditions, "first", scope.at);
    for hidden in [false, true] {
        let mut filter = Filter {
            rule: time::one_of(&conditions, "rule")
                .filter(|rules| rules.len() == 1)
                .and_then(|mut one| one.pop()),
            organization: scope.organization.clone(),
            from: seen_from.max(scope.from),
            to: [begun_to, scope.to].into_iter().flatten().min(),
            hidden,
            limit: PAGE,
            ..Filter::default()
        };
        loop {
            if filling.is_late() {
                return Ok(());
            }
            let page = store.list(&filter)?;
            for signal in &page.signals {
                if !filling.row(row(question, signal)) {
                    return Ok(());
                }
            }
            filter.cursor = page.next;
            if filter.cursor.is_none() {
                break;
            }
        }
    }
    Ok(())
}

fn row(question: &Question, signal: &Signal) -> Vec<Value> {
    let about = |kind: &str| {
        text(signal.entities.iter().find(|one| one.r#type.as_str() == kind).map(|one| one.value.as_str()))
    };
    Row::of(question, &SIGNALS)
        .with("id", || Value::Text(signal.id.to_string()))
        .with("kind", || text(Some(signal.kind.as_str())))
        .with("severity", || text(Some(signal.severity.as_str())))
        .with("confidence", || Value::Real(signal.confidence))
        .with("state", || text(Some(signal.state.as_str())))
        .with("first", || time::value(signal.first))
        .with("last", || time::value(signal.last))
        .with("count", || Value::Integer(i64::try_from(signal.count).unwrap_or(i64::MAX)))
        .with("rule", || text(Some(&signal.rule)))
        .with("host", || about("host"))
        .with("source_ip", || about("source.ip"))
        .with("user", || about("user"))
        .with("service", || about("service"))
        .with("techniques", || Value::Text(signal.techniques.join(",")))
        .with("incident", || signal.incident.map_or(Value::Null, |id| Value::Text(id.to_string())))
        .with("organization", || text(signal.organization.as_deref()))
        .with("hidden", || Value::Integer(signal.standing.hidden.into()))
        .with("facts", || serde_json::to_string(&signal.facts).map_or(Value::Null, Value::Text))
        .done()
}
