//! The database through its public face: what is kept, what is refused, and that what is refused is left as it is.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{fs, path::Path};

use state::{Database, Migrations, OpenError, READERS_MAX, StateError};
use tempfile::TempDir;

const NOTES: Migrations = Migrations { owner: "note", steps: &["CREATE TABLE note (text TEXT) STRICT"] };
const MORE_NOTES: Migrations = Migrations {
    owner: "note",
    steps: &["CREATE TABLE note (text TEXT) STRICT", "ALTER TABLE note ADD COLUMN author TEXT"],
};

fn opened(path: &Path) -> Database {
    let database = Database::open(path).unwrap();
    database.migrate(&NOTES).unwrap();
    database
}

fn write(database: &Database, text: &str) -> Result<(), StateError> {
    database.write(|transaction| {
        transaction.execute("INSERT INTO note (text) VALUES (?1)", [text])?;
        Ok(())
    })
}

fn count(database: &Database) -> u32 {
    database
        .read(|transaction| {
            Ok::<u32, StateError>(transaction.query_row("SELECT count(*) FROM note", [], |row| row.get(0))?)
        })
        .unwrap()
}

#[test]
fn what_was_written_is_there_after_it_is_opened_again() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("below/state.db");
    let database = opened(&path);
    write(&database, "first").unwrap();
    drop(database);
    let database = opened(&path);
    assert_eq!(count(&database), 1);
    database.migrate(&MORE_NOTES).unwrap();
    assert_eq!(count(&database), 1);
}

#[cfg(unix)]
#[test]
fn its_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let dir = TempDir::new().unwrap();
    let path = dir.path().join("below/state.db");
    let database = opened(&path);
    write(&database, "first").unwrap();
    let mut files: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().map(|file| file.unwrap()).collect();
    files.sort_by_key(fs::DirEntry::file_name);
    let names: Vec<_> = files.iter().map(|file| file.file_name().into_string().unwrap()).collect();
    assert_eq!(names, ["state.db", "state.db-shm", "state.db-wal"]);
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
}

#[test]
fn a_write_that_fails_or_panics_writes_nothing() {
    let dir = TempDir::new().unwrap();
    let database = opened(&dir.path().join("state.db"));
    let failed: Result<(), StateError> = database.write(|transaction| {
        transaction.execute("INSERT INTO note VALUES ('lost')", [])?;
        transaction.execute("INSERT INTO nothing VALUES (1)", [])?;
        Ok(())
    });
    assert!(matches!(failed, Err(StateError::Refused { .. })), "{failed:?}");
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        database.write(|transaction| -> Result<(), StateError> {
            transaction.execute("INSERT INTO note VALUES ('lost')", [])?;
            panic!("as a test");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(count(&database), 0);
    write(&database, "kept").unwrap();
    assert_eq!(count(&database), 1);
}

#[test]
fn readers_see_one_state_while_another_is_written() {
    let dir = TempDir::new().unwrap();
    let database = opened(&dir.path().join("state.db"));
    let of = |transaction: &state::rusqlite::Transaction<'_>| {
        transaction.query_row("SELECT count(*) FROM note", [], |row| row.get::<_, u32>(0))
    };
    database
        .read(|transaction| {
            assert_eq!(of(transaction)?, 0);
            write(&database, "first")?;
            assert_eq!(of(transaction)?, 0);
            Ok::<_, StateError>(())
        })
        .unwrap();
    assert_eq!(count(&database), 1);
    let written: Result<usize, StateError> =
        database.read(|transaction| Ok(transaction.execute("DELETE FROM note", [])?));
    assert!(written.is_err(), "a reader wrote");
}

#[test]
fn more_readers_than_there_are_connections_take_turns() {
    let dir = TempDir::new().unwrap();
    let database = opened(&dir.path().join("state.db"));
    write(&database, "first").unwrap();
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4 * READERS_MAX).map(|_| scope.spawn(|| count(&database))).collect();
        assert!(readers.into_iter().all(|reader| reader.join().unwrap() == 1));
    });
}

#[test]
fn a_step_that_fails_takes_none_of_them() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("state.db");
    let database = opened(&path);
    let broken = Migrations {
        owner: "other",
        steps: &["CREATE TABLE other (text TEXT)", "CREATE TABLE other (text TEXT)"],
    };
    assert!(matches!(database.migrate(&broken), Err(OpenError::Sqlite { .. })));
    database.migrate(&Migrations { owner: "other", steps: &broken.steps[..1] }).unwrap();
}

/// Opens a file that was made of ours by `spoil`, and sees that it is refused and left as it is.
fn check_refused(spoil: impl FnOnce(&Path), is_as_expected: impl FnOnce(&OpenError) -> bool) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("state.db");
    let database = opened(&path);
    for number in 0..20 {
        write(&database, &format!("note {number}")).unwrap();
    }
    drop(database);
    spoil(&path);
    let before = fs::read(&path).unwrap();
    let refused = Database::open(&path).and_then(|database| database.migrate(&NOTES)).unwrap_err();
    assert!(is_as_expected(&refused), "{refused}");
    assert!(refused.to_string().contains(path.to_str().unwrap()), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), before, "it was changed");
}

fn execute(path: &Path, sql: &str) {
    state::rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn what_is_damaged_foreign_or_newer_is_refused_and_left_as_it_is() {
    check_refused(
        |path| fs::write(path, "this is a text and no database at all, long as it may be").unwrap(),
        |error| matches!(error, OpenError::Other { .. }),
    );
    check_refused(
        |path| execute(path, "PRAGMA application_id = 5"),
        |error| matches!(error, OpenError::Other { .. }),
    );
    check_refused(
        |path| execute(path, "PRAGMA user_version = 2"),
        |error| matches!(error, OpenError::Newer { what: "the file", found: 2, known: 1, .. }),
    );
    check_refused(
        |path| execute(path, "UPDATE migration SET steps = 9"),
        |error| matches!(error, OpenError::Newer { what: "note", found: 9, known: 1, .. }),
    );
    check_refused(
        |path| {
            let mut bytes = fs::read(path).unwrap();
            let end = bytes.len();
            bytes[4096..end].fill(0xa5);
            fs::write(path, bytes).unwrap();
        },
        |error| matches!(error, OpenError::Damaged { .. }),
    );
    check_refused(
        |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() - 4096]).unwrap();
        },
        |error| matches!(error, OpenError::Damaged { .. }),
    );
}
