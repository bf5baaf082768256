//! Connections that only read.

use std::{
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, OpenFlags};

use crate::{StateError, file};

/// Connections that read at a time; whoever comes beyond that waits for one.
pub const READERS_MAX: usize = 4;

/// A bounded number of connections, opened when they are first needed.
#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    places: Mutex<Places>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct Places {
    idle: Vec<Connection>,
    busy: usize,
}

impl Readers {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), places: Mutex::default(), freed: Condvar::new() }
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has one connection used, and takes it back unless that panics.
    pub(crate) fn with<T, E: From<StateError>>(
        &self,
        read: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut places = self.places();
        while places.busy >= READERS_MAX {
            places = self.freed.wait(places).unwrap_or_else(PoisonError::into_inner);
        }
        places.busy += 1;
        let idle = places.idle.pop();
        drop(places);
        let _place = Place(self);
        let mut connection = idle.map_or_else(|| self.open(), Ok)?;
        let read = read(&mut connection);
        self.places().idle.push(connection);
        read
    }

    fn open(&self) -> Result<Connection, StateError> {
        let connection = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        file::set_bounds(&connection)?;
        Ok(connection)
    }
}

/// One of the bounded number, until it is dropped.
struct Place<'a>(&'a Readers);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.places().busy -= 1;
        self.0.freed.notify_one();
    }
}
