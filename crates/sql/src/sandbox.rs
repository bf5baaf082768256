//! A connection that reads what it is given and nothing else.

use std::sync::{Arc, Mutex, PoisonError};

use regex::{Regex, RegexBuilder};
use rusqlite::{
    Connection, Error as SqliteError,
    functions::{Context, FunctionFlags},
    hooks::{AuthAction, AuthContext, Authorization},
    limits::Limit,
};

use crate::{
    ago::{self, Moment},
    failure::{Failure, Place, Refusal},
    pattern,
    table::Table,
};

/// Functions that give back no more than a small multiple of what they take, and depend on nothing else. LIKE, GLOB and REGEXP are ours.
pub(crate) const FUNCTIONS: &[&str] = &[
    "abs",
    "ago",
    "avg",
    "ceil",
    "char",
    "coalesce",
    "concat",
    "count",
    "cume_dist",
    "date",
    "datetime",
    "dense_rank",
    "first_value",
    "floor",
    "format_bytes",
    "glob",
    "group_concat",
    "hex",
    "ifnull",
    "iif",
    "instr",
    "json_array_length",
    "json_extract",
    "json_type",
    "json_valid",
    "julianday",
    "lag",
    "last_value",
    "lead",
    "length",
    "like",
    "lower",
    "ltrim",
    "max",
    "min",
    "nth_value",
    "ntile",
    "nullif",
    "octet_length",
    "percent_rank",
    "quote",
    "rank",
    "regexp",
    "replace",
    "round",
    "row_number",
    "rtrim",
    "sign",
    "strftime",
    "string_agg",
    "substr",
    "substring",
    "sum",
    "time",
    "timediff",
    "total",
    "trim",
    "trunc",
    "typeof",
    "unicode",
    "unixepoch",
    "upper",
];
/// Longest text or blob that may come into being, bytes.
pub(crate) const VALUE_BYTES: i32 = 256 << 10;
/// Longest question, bytes.
pub(crate) const QUESTION_BYTES: i32 = 64 << 10;
/// Most memory that a regular expression may take when it is made ready, bytes.
const REGEX_BYTES: usize = 1 << 20;

/// What the authorizer saw while a text was made ready.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Tables and columns that are read.
    pub(crate) reads: Vec<(String, String)>,
    /// The first thing that is not allowed.
    pub(crate) refused: Option<Refusal>,
}

/// A connection in memory, with these tables and no rows, for which it is that time. Nothing holds it yet.
pub(crate) fn open(tables: &[Table], now: Moment) -> Result<Connection, Failure> {
    let engine = |error: SqliteError| Failure::Engine(error.to_string());
    let connection = Connection::open_in_memory().map_err(engine)?;
    for table in tables {
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|column| format!("\"{}\" {}", column.name, column.kind.name()))
            .collect();
        connection
            .execute_batch(&format!("CREATE TABLE \"{}\" ({})", table.name, columns.join(", ")))
            .map_err(engine)?;
    }
    // What does not fit into the cache is counted as memory, instead of growing unseen in a file.
    connection
        .execute_batch("PRAGMA temp_store = MEMORY; PRAGMA journal_mode = OFF; PRAGMA trusted_schema = OFF;")
        .map_err(engine)?;
    functions(&connection, now).map_err(engine)?;
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, QUESTION_BYTES),
        (Limit::SQLITE_LIMIT_COLUMN, 200),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 50),
        (Limit::SQLITE_LIMIT_VDBE_OP, 50_000),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG, 100),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000),
        (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 0),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 0),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, value).map_err(engine)?;
    }
    Ok(connection)
}

/// From here on the connection reads these tables, by these functions, and does nothing else.
pub(crate) fn close_in(connection: &mut Connection, tables: &[Table]) -> Result<Arc<Mutex<Seen>>, Failure> {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let noted = seen.clone();
    let names: Vec<&'static str> = tables.iter().map(|table| table.name).collect();
    connection
        .authorizer(Some(move |context: AuthContext<'_>| {
            authorize(&context, &names, &mut noted.lock().unwrap_or_else(PoisonError::into_inner))
        }))
        .map_err(|error| Failure::Engine(error.to_string()))?;
    Ok(seen)
}

fn authorize(context: &AuthContext<'_>, tables: &[&'static str], seen: &mut Seen) -> Authorization {
    let refusal = match context.action {
        AuthAction::Select | AuthAction::Recursive => return Authorization::Allow,
        AuthAction::Read { table_name, column_name } if tables.contains(&table_name) => {
            let read = (table_name.to_owned(), column_name.to_owned());
            if !seen.reads.contains(&read) {
                seen.reads.push(read);
            }
            return Authorization::Allow;
        }
        // Of what the text itself names by WITH.
        AuthAction::Read { table_name, .. }
            if !table_name.starts_with("sqlite_") && context.database_name.is_none() =>
        {
            return Authorization::Allow;
        }
        AuthAction::Function { function_name }
            if FUNCTIONS.contains(&function_name.to_ascii_lowercase().as_str()) =>
        {
            return Authorization::Allow;
        }
        AuthAction::Function { function_name } => {
            Refusal::Function(function_name.to_owned(), FUNCTIONS.join(", "))
        }
        AuthAction::Read { table_name, .. } => Refusal::Table(table_name.to_owned(), tables.join(", ")),
        AuthAction::Pragma { pragma_name, .. } => Refusal::NotReading(format!("PRAGMA {pragma_name}")),
        AuthAction::Attach { .. } => Refusal::NotReading("ATTACH".to_owned()),
        AuthAction::Detach { .. } => Refusal::NotReading("DETACH".to_owned()),
        AuthAction::Insert { table_name } => Refusal::NotReading(format!("writing to {table_name}")),
        AuthAction::Update { table_name, .. } => Refusal::NotReading(format!("changing {table_name}")),
        AuthAction::Delete { table_name } => Refusal::NotReading(format!("deleting from {table_name}")),
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => {
            Refusal::NotReading("a transaction".to_owned())
        }
        AuthAction::CreateVtable { .. } | AuthAction::DropVtable { .. } => {
            Refusal::NotReading("a virtual table".to_owned())
        }
        _ => Refusal::NotReading("this statement".to_owned()),
    };
    seen.refused.get_or_insert(refusal);
    Authorization::Deny
}

fn functions(connection: &Connection, now: Moment) -> Result<(), SqliteError> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    // `x LIKE y` calls like(y, x).
    connection.create_scalar_function("like", 2, flags, |context| match texts(context) {
        Some((pattern, text)) => Ok(Some(pattern::like(&pattern, &text, None))),
        None => Ok(None),
    })?;
    connection.create_scalar_function("like", 3, flags, |context| {
        let escape = context.get::<Option<String>>(2)?.and_then(|text| text.chars().next());
        Ok(texts(context).map(|(pattern, text)| pattern::like(&pattern, &text, escape)))
    })?;
    connection.create_scalar_function("glob", 2, flags, |context| {
        Ok(texts(context).map(|(pattern, text)| pattern::glob(&pattern, &text)))
    })?;
    connection.create_scalar_function("ago", 1, flags, move |context| {
        let text = context.get::<String>(0)?;
        let age = ago::length(&text).map_err(|reason| SqliteError::UserFunctionError(reason.into()))?;
        Ok(now.before(age).text())
    })?;
    connection.create_scalar_function("regexp", 2, flags, |context| {
        let Some((_, text)) = texts(context) else { return Ok(None) };
        let regex = context.get_or_create_aux(
            0,
            |value| -> Result<Regex, Box<dyn std::error::Error + Send + Sync>> {
                Ok(RegexBuilder::new(value.as_str()?)
                    .size_limit(REGEX_BYTES)
                    .dfa_size_limit(REGEX_BYTES)
                    .build()?)
            },
        )?;
        Ok(Some(regex.is_match(&text)))
    })
}

/// Both arguments as text, as SQLite would show them; `None` where one is nothing.
fn texts(context: &Context<'_>) -> Option<(String, String)> {
    let text = |place: usize| match context.get_raw(place) {
        rusqlite::types::ValueRef::Null => None,
        rusqlite::types::ValueRef::Integer(number) => Some(number.to_string()),
        rusqlite::types::ValueRef::Real(number) => Some(number.to_string()),
        rusqlite::types::ValueRef::Text(bytes) | rusqlite::types::ValueRef::Blob(bytes) => {
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
    };
    Some((text(0)?, text(1)?))
}

/// What SQLite said of a text, as a refusal with its place.
pub(crate) fn refusal(sql: &str, error: &SqliteError, seen: &mut Seen) -> Refusal {
    if let Some(refused) = seen.refused.take() {
        return refused;
    }
    match error {
        SqliteError::SqlInputError { msg, offset, .. } => Refusal::Wrong {
            at: Place::of(sql, usize::try_from(*offset).unwrap_or_default()),
            reason: msg.clone(),
        },
        SqliteError::SqliteFailure(_, Some(message)) => {
            Refusal::Wrong { at: Place::of(sql, 0), reason: message.clone() }
        }
        other => Refusal::Wrong { at: Place::of(sql, 0), reason: other.to_string() },
    }
}
