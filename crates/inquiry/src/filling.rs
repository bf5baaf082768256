//! Rows on their way into a question.

use std::time::Instant;

use sql::{Question, Table, Value};

/// Rows that one question reads over all tables.
pub const ROWS_MAX: usize = 200_000;
/// Bytes that they take together.
pub const BYTES_MAX: usize = 64 << 20;

/// Why a table does not hold all that it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The table.
    pub table: &'static str,
    /// Rows that it holds.
    pub rows: usize,
    /// Why there are no more.
    pub reason: String,
    /// Whether it holds all that is there, and what it lacks was lost before it could be kept.
    pub is_lost: bool,
}

/// Rows of the tables that a question reads, within bounds over all of them.
#[derive(Debug)]
pub(crate) struct Filling {
    /// A table with its rows, in the order in which they were filled.
    pub(crate) tables: Vec<(&'static str, Vec<Vec<Value>>)>,
    pub(crate) cuts: Vec<Cut>,
    rows_left: usize,
    bytes_left: usize,
    /// When filling ends.
    pub(crate) deadline: Instant,
}

impl Filling {
    pub(crate) fn until(deadline: Instant) -> Self {
        Self { tables: Vec::new(), cuts: Vec::new(), rows_left: ROWS_MAX, bytes_left: BYTES_MAX, deadline }
    }

    /// Begins a table.
    pub(crate) fn table(&mut self, table: &Table) {
        self.tables.push((table.name, Vec::new()));
    }

    /// Takes a row into the table that was begun last; false when there is no room for more, which is noted.
    pub(crate) fn row(&mut self, row: Vec<Value>) -> bool {
        let bytes: usize = row.iter().map(Value::bytes).sum();
        if self.rows_left == 0 {
            self.cut(format!("a question reads at most {ROWS_MAX} rows; narrow it by time or host"));
            return false;
        }
        if self.bytes_left < bytes {
            let most = BYTES_MAX >> 20;
            self.cut(format!(
                "a question reads at most {most} MiB; narrow it by time or host, or name fewer columns"
            ));
            return false;
        }
        self.rows_left -= 1;
        self.bytes_left -= bytes;
        if let Some((_, rows)) = self.tables.last_mut() {
            rows.push(row);
        }
        true
    }

    /// Rows that there is room for.
    pub(crate) fn rows_left(&self) -> usize {
        self.rows_left
    }

    /// Notes once that the table that was begun last lacks rows.
    pub(crate) fn cut(&mut self, reason: impl Into<String>) {
        let Some((table, rows)) = self.tables.last() else { return };
        if self.cuts.iter().any(|cut| cut.table == *table) {
            return;
        }
        metrics::counter!(telemetry::metric::SQL_TABLES_CUT).increment(1);
        self.cuts.push(Cut { table, rows: rows.len(), reason: reason.into(), is_lost: false });
    }

    /// Notes that rows of the table that was begun last were lost before they could be kept.
    pub(crate) fn lost(&mut self, rows: u64) {
        let before = self.cuts.len();
        self.cut(format!("{rows} changes were lost before they could be kept"));
        if let Some(cut) = self.cuts.get_mut(before) {
            cut.is_lost = true;
        }
    }

    /// Whether time is up, which is noted.
    pub(crate) fn is_late(&mut self) -> bool {
        let is_late = Instant::now() >= self.deadline;
        if is_late {
            self.cut("there was no time for more; narrow it by time or host");
        }
        is_late
    }
}

/// A row in the making: columns that the question does not read stay empty.
pub(crate) struct Row<'q> {
    question: &'q Question,
    table: &'q Table,
    values: Vec<Value>,
}

impl<'q> Row<'q> {
    pub(crate) fn of(question: &'q Question, table: &'q Table) -> Self {
        Self { question, table, values: Vec::with_capacity(table.columns.len()) }
    }

    /// The next column of the table, which has this name.
    pub(crate) fn with(mut self, name: &str, value: impl FnOnce() -> Value) -> Self {
        debug_assert_eq!(self.table.columns.get(self.values.len()).map(|column| column.name), Some(name));
        let is_read = self.question.reads(self.table.name, name);
        self.values.push(if is_read { value() } else { Value::Null });
        self
    }

    pub(crate) fn done(self) -> Vec<Value> {
        self.values
    }
}

/// Text, or nothing.
pub(crate) fn text(text: Option<&str>) -> Value {
    text.map_or(Value::Null, |text| Value::Text(text.to_owned()))
}

/// A number, or nothing.
pub(crate) fn real(number: Option<f64>) -> Value {
    number.map_or(Value::Null, Value::Real)
}
