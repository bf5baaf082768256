//! How a question is answered.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::{failure::Failure, table::Table, words::words};

/// The engine's plan in its own words, and hints of ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// One a line, indented by what is part of what.
    pub steps: Vec<String>,
    /// What would make it cheaper, or right.
    pub hints: Vec<String>,
}

/// Columns by which a table can be narrowed before its rows are read.
const NARROWING: &[&str] = &["timestamp", "at", "host", "first", "last", "taken_at"];

pub(crate) fn plan(
    connection: &Connection,
    sql: &str,
    tables: &[Table],
    reads: &[(String, String)],
) -> Result<Plan, Failure> {
    let engine = |error: rusqlite::Error| Failure::Engine(error.to_string());
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).map_err(engine)?;
    let mut rows = statement.raw_query();
    let mut depth: Vec<(i64, usize)> = Vec::new();
    let mut plan = Plan::default();
    let mut scans: BTreeMap<i64, usize> = BTreeMap::new();
    while let Some(row) = rows.next().map_err(engine)? {
        let (id, parent, detail): (i64, i64, String) =
            (row.get(0).map_err(engine)?, row.get(1).map_err(engine)?, row.get(3).map_err(engine)?);
        let level = depth.iter().find(|(known, _)| *known == parent).map_or(0, |(_, level)| level + 1);
        depth.push((id, level));
        if detail.starts_with("SCAN ") && !detail.contains("CONSTANT ROW") {
            *scans.entry(parent).or_default() += 1;
        }
        plan.steps.push(format!("{}{detail}", "  ".repeat(level)));
    }
    if let Some(scanned) = scans.into_values().max().filter(|scanned| *scanned > 1) {
        plan.hints.push(format!(
            "{scanned} tables are gone through for each other's rows (a cross join): say how their rows belong together, with ON a.column = b.column"
        ));
    }
    let words = words(sql);
    let is_chosen =
        words.iter().any(|word| ["where", "on", "using", "natural"].iter().any(|choice| word.is(choice)));
    for table in tables {
        let read = |column: &str| reads.iter().any(|(of, name)| of == table.name && name == column);
        let by: Vec<&str> =
            table.columns.iter().map(|column| column.name).filter(|name| NARROWING.contains(name)).collect();
        if reads.iter().any(|(of, _)| of == table.name)
            && !by.is_empty()
            && !(is_chosen && by.iter().any(|column| read(column)))
        {
            plan.hints.push(format!("all of '{}' is read: narrow it by {}", table.name, by.join(" or ")));
        }
    }
    if sql.to_ascii_uppercase().contains("RECURSIVE") {
        plan.hints.push("a recursion has no end of its own: give it a LIMIT".to_owned());
    }
    Ok(plan)
}
