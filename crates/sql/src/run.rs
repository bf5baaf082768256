//! One answer.

use std::{sync::Arc, time::Duration};

use rusqlite::{Connection, ErrorCode, types::ValueRef};

use crate::{
    ago::Moment,
    budget::{Budget, Meter, STEPS_PER_LOOK},
    failure::Failure,
    question::Question,
    sandbox::{self, VALUE_BYTES},
    table::Value,
};

/// A question whose tables are being filled.
#[derive(Debug)]
pub struct Run {
    connection: Connection,
    question: Question,
    budget: Budget,
    rows_read: usize,
    dropped: Option<(String, u64)>,
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Names of the columns, as the question gives them.
    pub columns: Vec<String>,
    /// Rows, in its order.
    pub rows: Vec<Vec<Value>>,
    /// There are more rows than the budget allows.
    pub cut: bool,
    /// Rows that were read for it.
    pub rows_read: usize,
    /// Steps that it took, about.
    pub steps: u64,
    /// Time that it ran, without the filling of tables.
    pub took: Duration,
}

impl Run {
    /// Makes the tables that the question reads, without rows.
    ///
    /// # Errors
    /// Where the engine fails.
    pub fn begin(question: Question, budget: Budget) -> Result<Self, Failure> {
        Self::begin_at(question, budget, Moment::now())
    }

    /// The same, asked at another time: `ago` counts from it.
    ///
    /// # Errors
    /// Where the engine fails.
    pub fn begin_at(question: Question, budget: Budget, at: Moment) -> Result<Self, Failure> {
        let connection = sandbox::open(&question.tables, at)?;
        Ok(Self { connection, question, budget, rows_read: 0, dropped: None })
    }

    /// The question that is asked.
    #[must_use]
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// Takes rows into a table; each has a value for each column, in their order. Texts that are too long are cut.
    ///
    /// # Errors
    /// Past the bound of rows, and where the table is none that the question reads.
    pub fn insert(&mut self, table: &str, rows: impl IntoIterator<Item = Vec<Value>>) -> Result<(), Failure> {
        let engine = |error: rusqlite::Error| Failure::Engine(error.to_string());
        let Some(known) = self.question.tables.iter().find(|known| known.name == table) else {
            return Err(Failure::Engine(format!("the question does not read '{table}'")));
        };
        let width = known.columns.len();
        // Parameters are ours here; the question itself has none, which was checked.
        self.connection
            .set_limit(
                rusqlite::limits::Limit::SQLITE_LIMIT_VARIABLE_NUMBER,
                i32::try_from(width).unwrap_or(i32::MAX),
            )
            .map_err(engine)?;
        let places = vec!["?"; width].join(", ");
        let transaction = self.connection.unchecked_transaction().map_err(engine)?;
        {
            let mut statement =
                transaction.prepare(&format!("INSERT INTO \"{table}\" VALUES ({places})")).map_err(engine)?;
            for row in rows {
                self.rows_read += 1;
                if self.rows_read > self.budget.rows_read {
                    return Err(Failure::RowsRead { table: table.to_owned(), bound: self.budget.rows_read });
                }
                let mut row = row;
                row.resize(width, Value::Null);
                for (place, value) in row.iter().enumerate() {
                    bind(&mut statement, place + 1, value).map_err(engine)?;
                }
                statement.raw_execute().map_err(engine)?;
            }
        }
        transaction.commit().map_err(engine)
    }

    /// Rows taken so far.
    #[must_use]
    pub fn rows_read(&self) -> usize {
        self.rows_read
    }

    /// Says that rows of a table are missing: there will be no answer, for its absence would say nothing.
    pub fn dropped(&mut self, table: &str, rows: u64) {
        self.dropped = Some((table.to_owned(), rows));
    }

    /// Answers.
    ///
    /// # Errors
    /// Past a bound of the budget, by its name; where rows are missing; where a value cannot be worked out.
    pub fn answer(mut self) -> Result<Answer, Failure> {
        if let Some((table, rows)) = self.dropped.take() {
            return Err(Failure::Dropped { table, rows });
        }
        let meter = Arc::new(Meter::start(self.budget.clone()));
        let looked = meter.clone();
        let engine = |error: rusqlite::Error| Failure::Engine(error.to_string());
        self.connection
            .progress_handler(STEPS_PER_LOOK.into(), Some(move || looked.look()))
            .map_err(engine)?;
        sandbox::close_in(&mut self.connection, &self.question.tables)?;
        let failed = |error: rusqlite::Error| failure(&error, &meter);
        let mut statement = self.connection.prepare(&self.question.sql).map_err(failed)?;
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.raw_query();
        let mut answer = Answer {
            columns,
            rows: Vec::new(),
            cut: false,
            rows_read: self.rows_read,
            steps: 0,
            took: Duration::ZERO,
        };
        let mut bytes = 0;
        while let Some(row) = rows.next().map_err(failed)? {
            if answer.rows.len() >= self.budget.rows {
                answer.cut = true;
                break;
            }
            let values: Vec<Value> = (0..answer.columns.len())
                .map(|place| Ok(value(row.get_ref(place)?)))
                .collect::<Result<_, _>>()
                .map_err(failed)?;
            bytes += values.iter().map(Value::bytes).sum::<usize>();
            if bytes > self.budget.answer_bytes {
                answer.cut = true;
                break;
            }
            answer.rows.push(values);
        }
        answer.steps = meter.steps();
        answer.took = meter.took();
        Ok(answer)
    }
}

fn bind(statement: &mut rusqlite::Statement<'_>, place: usize, value: &Value) -> Result<(), rusqlite::Error> {
    match value {
        Value::Null => statement.raw_bind_parameter(place, rusqlite::types::Null),
        Value::Integer(number) => statement.raw_bind_parameter(place, number),
        Value::Real(number) if number.is_nan() => statement.raw_bind_parameter(place, rusqlite::types::Null),
        Value::Real(number) => statement.raw_bind_parameter(place, number),
        Value::Text(text) => {
            // A NUL would end the text for many of SQLite's functions.
            let clean = if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { String::new() };
            let text = if clean.is_empty() { text.as_str() } else { clean.as_str() };
            let bound = usize::try_from(VALUE_BYTES).unwrap_or_default() / 4;
            let text = text.get(..text.floor_char_boundary(bound)).unwrap_or(text);
            statement.raw_bind_parameter(place, text)
        }
    }
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(bytes) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Blob(bytes) => Value::Text(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
    }
}

fn failure(error: &rusqlite::Error, meter: &Meter) -> Failure {
    if let Some(over) = meter.failure() {
        return over;
    }
    match error {
        rusqlite::Error::SqliteFailure(code, message) => match code.code {
            ErrorCode::TooBig => Failure::Value(format!("a text of more than {VALUE_BYTES} bytes came up")),
            ErrorCode::OutOfMemory => Failure::Value("it asked for more memory than there is".to_owned()),
            _ => Failure::Value(message.clone().unwrap_or_else(|| code.to_string())),
        },
        other => Failure::Value(other.to_string()),
    }
}
