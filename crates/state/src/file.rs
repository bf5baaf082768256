//! The file: whose it is, whether it is whole, and how it is written.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::{OpenError, StateError};

/// Files up to this size are checked as a whole when they are opened, which takes about a second; of larger ones only
/// what is read along the way.
pub const CHECKED_BYTES_MAX: u64 = 256 << 20;

/// Stands in the header of the file: `LSst`.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"LSst");
/// Version of how the file itself is laid out: the table `migration`.
const VERSION: u32 = 1;
/// Every file of SQLite begins with it.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// How long a statement waits for another process, such as a backup.
const BUSY: Duration = Duration::from_secs(10);
/// Pages that a connection keeps in memory, in KiB.
const CACHE_KIB: i64 = 8 << 10;
/// The log beside the file is cut to this size when it has been written back.
const LOG_BYTES: i64 = 64 << 20;
/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 64;

/// What holds for every connection.
pub(crate) fn set_bounds(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)
}

/// Opens the file for writing, or makes it.
pub(crate) fn open(path: &Path) -> Result<Connection, OpenError> {
    let io = |action| move |source| OpenError::Io { action, path: path.to_owned(), source };
    if let Some(dir) = path.parent() {
        disk::create_dir_all(dir).map_err(io("make the folder of"))?;
    }
    // SQLite gives the files beside it the rights of the database.
    match disk::options().write(true).create_new(true).open(path) {
        Ok(_) => disk::sync_parent(path).map_err(io("make"))?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(io("make")(error)),
    }
    let bytes = begins_as_database(path).map_err(io("read"))?;
    let Some(bytes) = bytes else { return Err(OpenError::Other { path: path.to_owned() }) };

    let refused = |action| move |error| of_sqlite(path, action, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(refused("open"))?;
    set_bounds(&connection).map_err(refused("open"))?;
    claim(&mut connection, path)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(refused("open"))?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(refused("open"))?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES).map_err(refused("open"))?;
    if bytes <= CHECKED_BYTES_MAX {
        check(&connection, path)?;
    }
    Ok(connection)
}

/// The size of the file, where it is empty or begins as a database of SQLite does.
fn begins_as_database(path: &Path) -> io::Result<Option<u64>> {
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let mut begin = Vec::with_capacity(MAGIC.len());
    file.take(MAGIC.len() as u64).read_to_end(&mut begin)?;
    Ok((begin.is_empty() || begin == MAGIC).then_some(bytes))
}

/// Sees that the file is ours and of a version that is known, and makes an empty one ours.
fn claim(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let refused = |error| of_sqlite(path, "open", error);
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(refused)?;
    let number = |transaction: &Transaction<'_>, of: &str| transaction.query_row(of, [], |row| row.get(0));
    let application: i32 = number(&transaction, "PRAGMA application_id").map_err(refused)?;
    let tables: i32 = number(&transaction, "SELECT count(*) FROM sqlite_schema").map_err(refused)?;
    if application == 0 && tables == 0 {
        transaction
            .execute_batch(
                "CREATE TABLE migration (owner TEXT PRIMARY KEY, steps INTEGER NOT NULL) STRICT, WITHOUT ROWID",
            )
            .map_err(refused)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(refused)?;
        transaction.pragma_update(None, "user_version", VERSION).map_err(refused)?;
        return transaction.commit().map_err(refused);
    }
    if application != APPLICATION_ID {
        return Err(OpenError::Other { path: path.to_owned() });
    }
    let found: u32 = transaction
        .query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))
        .map(|found| u32::try_from(found).unwrap_or(u32::MAX))
        .map_err(refused)?;
    if found > VERSION {
        return Err(OpenError::Newer { path: path.to_owned(), what: "the file", found, known: VERSION });
    }
    Ok(())
}

/// Reads the whole file, and names the first thing that is not as it was written.
fn check(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| of_sqlite(path, "check", error))?;
    if found == "ok" { Ok(()) } else { Err(OpenError::Damaged { path: path.to_owned(), found }) }
}

fn of_sqlite(path: &Path, action: &'static str, error: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match StateError::from(error) {
        StateError::Damaged { source } => OpenError::Damaged { path, found: source.to_string() },
        source => OpenError::Sqlite { action, path, source },
    }
}
