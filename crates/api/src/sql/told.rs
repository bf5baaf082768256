//! Answers and tables, as clients are told them.

use inquiry::{Answered, TABLES};
use serde_json::{Value as Json, json};
use sql::{Plan, Value};

use crate::record::row;

/// Every table with its columns.
pub(super) fn tables() -> Json {
    let tables = TABLES.iter().map(|table| {
        let columns = table
            .columns
            .iter()
            .map(|column| json!({"name": column.name, "type": column.kind.name(), "what": column.what}));
        json!({"name": table.name, "what": table.what, "columns": columns.collect::<Vec<_>>()})
    });
    json!({"tables": tables.collect::<Vec<_>>()})
}

/// Why an answer does not rest on all that it should.
pub(super) fn partial(answered: &Answered) -> Option<String> {
    let cuts = answered
        .cuts
        .iter()
        .map(|cut| format!("'{}' holds {} rows, and {}", cut.table, cut.rows, cut.reason));
    let cuts: Vec<String> = cuts.collect();
    (!cuts.is_empty()).then(|| format!("could not be evaluated whole: {}", cuts.join("; ")))
}

pub(super) fn json(answered: &Answered, plan: &Plan) -> Json {
    let answer = &answered.answer;
    let rows: Vec<Vec<Json>> = answer.rows.iter().map(|row| row.iter().map(value).collect()).collect();
    let tables = answered.read.iter().map(|(table, rows)| {
        let cut = answered.cuts.iter().find(|cut| cut.table == *table);
        json!({"table": table, "rows": rows, "cut": cut.map(|cut| &cut.reason)})
    });
    let mut told = json!({
        "columns": answer.columns,
        "rows": rows,
        "more": answer.cut,
        "partial": !answered.cuts.is_empty(),
        "rows_read": answer.rows_read,
        "tables": tables.collect::<Vec<_>>(),
        "steps": answer.steps,
        "took_ms": millis(answered.took),
        "answered_in_ms": millis(answer.took),
        "plan": plan.steps,
        "hints": plan.hints,
    });
    if let Some(reason) = partial(answered) {
        told["reason"] = reason.into();
    }
    told
}

fn millis(time: std::time::Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

fn value(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(number) => (*number).into(),
        // Infinity is no JSON.
        Value::Real(number) => serde_json::Number::from_f64(*number).map_or(Json::Null, Json::Number),
        Value::Text(text) => text.as_str().into(),
    }
}

pub(super) fn csv(answered: &Answered) -> Vec<u8> {
    let mut out = Vec::new();
    row(answered.answer.columns.iter().map(|name| (name.clone(), true)), &mut out);
    for values in &answered.answer.rows {
        let cells = values.iter().map(|value| match value {
            Value::Null => (String::new(), false),
            Value::Integer(number) => (number.to_string(), false),
            Value::Real(number) => (number.to_string(), false),
            Value::Text(text) => (text.clone(), true),
        });
        row(cells, &mut out);
    }
    out
}
