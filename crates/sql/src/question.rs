//! A text, and what it asks for.

use std::sync::PoisonError;

use rusqlite::{Batch, fallible_iterator::FallibleIterator};

use crate::{
    ago::Moment,
    explain::{self, Plan},
    failure::{Place, Refusal},
    narrow::{self, Condition},
    sandbox::{self, QUESTION_BYTES},
    table::Table,
};

/// A text that reads known tables and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub(crate) sql: String,
    pub(crate) tables: Vec<Table>,
    columns: Vec<String>,
    reads: Vec<(String, String)>,
    plan: Plan,
}

impl Question {
    /// Reads a text; `tables` are those that there are.
    ///
    /// # Errors
    /// Whatever is not one SELECT over these tables by the functions that are allowed, with its place where there is one.
    pub fn check(sql: &str, tables: &[Table]) -> Result<Self, Refusal> {
        let at = Place::of(sql, 0);
        if sql.len() > usize::try_from(QUESTION_BYTES).unwrap_or_default() {
            return Err(Refusal::Wrong { at, reason: format!("it is longer than {QUESTION_BYTES} bytes") });
        }
        if let Some(offset) = sql.find('\0') {
            return Err(Refusal::Wrong { at: Place::of(sql, offset), reason: "a NUL character".to_owned() });
        }
        let engine = |reason: String| Refusal::Wrong { at, reason };
        let mut connection =
            sandbox::open(tables, Moment(0)).map_err(|failure| engine(failure.to_string()))?;
        let seen =
            sandbox::close_in(&mut connection, tables).map_err(|failure| engine(failure.to_string()))?;
        let refused = |error: &rusqlite::Error| {
            sandbox::refusal(sql, error, &mut seen.lock().unwrap_or_else(PoisonError::into_inner))
        };
        let mut statements = Batch::new(&connection, sql);
        let statement = statements.next().map_err(|error| refused(&error))?.ok_or(Refusal::Empty)?;
        if statement.is_explain() != 0 {
            return Err(Refusal::NotReading("EXPLAIN".to_owned()));
        }
        if !statement.readonly() || statement.column_count() == 0 {
            return Err(Refusal::NotReading("this statement".to_owned()));
        }
        if statement.parameter_count() > 0 {
            return Err(Refusal::Parameters);
        }
        let columns = statement.column_names().map(str::to_owned).collect();
        // As it was read, which is the text up to the end of the statement.
        let rest = sql.len().saturating_sub(second(sql, &statement.expanded_sql().unwrap_or_default()));
        drop(statement);
        match statements.next() {
            Ok(None) => {}
            Ok(Some(_)) | Err(_) => return Err(Refusal::Second(Place::of(sql, rest))),
        }
        let mut reads = std::mem::take(&mut seen.lock().unwrap_or_else(PoisonError::into_inner).reads);
        narrow::joined(sql, tables, &mut reads);
        let read = |table: &&Table| reads.iter().any(|(name, _)| name == table.name);
        let plan =
            explain::plan(&connection, sql, tables, &reads).map_err(|failure| engine(failure.to_string()))?;
        let tables = tables.iter().filter(read).cloned().collect();
        Ok(Self { sql: sql.to_owned(), tables, columns, reads, plan })
    }

    /// Tables that it reads.
    #[must_use]
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// Names of the columns of its answer.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Whether it reads this column: others need not be filled.
    #[must_use]
    pub fn reads(&self, table: &str, column: &str) -> bool {
        self.reads.iter().any(|(of, name)| of == table && name == column)
    }

    /// What every row of this table must fulfil to matter: others need not be filled. Empty where that is not clear from the text.
    #[must_use]
    pub fn conditions(&self, table: &str) -> Vec<Condition> {
        narrow::conditions(&self.sql, table)
    }

    /// How it will be answered, and what would make that cheaper.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// How many bytes of the text are behind the first statement, about: where that stands in it as it is.
fn second(sql: &str, first: &str) -> usize {
    let first = first.trim();
    match sql.find(first) {
        Some(start) if !first.is_empty() => {
            let rest = sql.get(start + first.len()..).unwrap_or("");
            rest.trim_start_matches(|c: char| c.is_whitespace() || c == ';').len()
        }
        _ => 0,
    }
}
