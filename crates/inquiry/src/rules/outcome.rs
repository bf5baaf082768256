//! How tests that stand in the file of a rule go.

use event::Timestamp;
use serde_json::Value as Json;
use sql::{Budget, Moment, Run, Value};

use super::{rule::Rule, trial::Trial};
use crate::{tables::TABLES, time};

/// How a test went.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The test.
    pub name: String,
    /// Rows that there must be.
    pub expected: usize,
    /// Rows that there are, or why there is no answer.
    pub found: Result<usize, String>,
    /// Steps that it took.
    pub steps: u64,
}

impl Outcome {
    /// Whether it gave what it must.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.found == Ok(self.expected)
    }
}

/// Runs the tests of a rule.
#[must_use]
pub fn trials(rule: &Rule) -> Vec<Outcome> {
    let outcome = |trial: &Trial| {
        let answer = run(rule, trial);
        Outcome {
            name: trial.name.clone(),
            expected: trial.rows,
            steps: answer.as_ref().map_or(0, |answer| answer.steps),
            found: answer.map(|answer| answer.rows.len()),
        }
    };
    rule.tests.iter().map(outcome).collect()
}

fn run(rule: &Rule, trial: &Trial) -> Result<sql::Answer, String> {
    let at = match &trial.at {
        Some(text) => time::moment(Timestamp::parse(text).map_err(|error| error.to_string())?),
        None => Moment::now(),
    };
    let mut run =
        Run::begin_at(rule.question.clone(), Budget::default(), at).map_err(|error| error.to_string())?;
    for (name, rows) in &trial.tables {
        let table =
            TABLES.iter().find(|table| table.name == name).ok_or(format!("there is no table '{name}'"))?;
        let mut filled = Vec::with_capacity(rows.len());
        for row in rows {
            if let Some(unknown) =
                row.keys().find(|key| !table.columns.iter().any(|column| column.name == **key))
            {
                return Err(format!("'{name}' has no column '{unknown}'"));
            }
            filled.push(table.columns.iter().map(|column| value(row.get(column.name))).collect());
        }
        if rule.question.tables().contains(table) {
            run.insert(name, filled).map_err(|error| error.to_string())?;
        }
    }
    run.answer().map_err(|error| error.to_string())
}

fn value(given: Option<&Json>) -> Value {
    match given {
        None | Some(Json::Null) => Value::Null,
        Some(Json::Bool(is)) => Value::Integer((*is).into()),
        Some(Json::Number(number)) => {
            number.as_i64().map_or_else(|| number.as_f64().map_or(Value::Null, Value::Real), Value::Integer)
        }
        // As the tables have times.
        Some(Json::String(text)) if text.len() >= 20 && text.as_bytes().get(10) == Some(&b'T') => {
            Timestamp::parse(text).map_or_else(|_| Value::Text(text.clone()), time::value)
        }
        Some(Json::String(text)) => Value::Text(text.clone()),
        Some(other) => Value::Text(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_held_against_rows() {
        let text = "-- id: a\n-- title: A\n-- severity: low\n-- tests:\n--   - name: fires\n--     at: 2026-03-01T12:00:00Z\n--     tables:\n\
                    --       logs: [{host: web-1, level: error, timestamp: '2026-03-01T11:59:00Z'}, {host: web-1, level: info}]\n\
                    --     rows: 1\n--   - name: old\n--     at: 2026-03-01T14:00:00Z\n--     tables:\n\
                    --       logs: [{host: web-1, level: error, timestamp: '2026-03-01T11:59:00Z'}]\n--     rows: 1\n\
                    --   - {name: wrong, tables: {logs: [{nothing: 1}]}, rows: 0}\n\
                    SELECT host FROM logs WHERE level = 'error' AND timestamp > ago('1h')";
        let outcomes = trials(&Rule::read("a.sql", text).unwrap());
        assert_eq!(outcomes.iter().map(Outcome::is_held).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(outcomes[1].found, Ok(0));
        assert_eq!(outcomes[2].found, Err("'logs' has no column 'nothing'".to_owned()));
    }
}
