//! The database.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::{Migrations, OpenError, StateError, file, readers::Readers};

/// The database of a data folder. Share it by Arc.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Readers,
}

impl Database {
    /// Opens the file, or makes it, for its owner only. The caller holds the lock of the data folder.
    ///
    /// # Errors
    /// When the file cannot be opened, is no database of ours, is damaged, or is of a newer program. It is left as it is.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, OpenError> {
        let path = path.into();
        let writer = Mutex::new(file::open(&path)?);
        let readers = Readers::new(&path);
        Ok(Self { path, writer, readers })
    }

    /// Brings the tables of one owner up to date; to be called once at the start, by their owner.
    ///
    /// # Errors
    /// When a newer program made them, or a step fails; none of the steps is taken then.
    pub fn migrate(&self, migrations: &Migrations) -> Result<(), OpenError> {
        migrations.take(&mut self.writer(), &self.path)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes in one transaction, which is durable on return; when `write` fails or panics, nothing was written. Waits for
    /// other writers of this process.
    ///
    /// # Errors
    /// Those of `write`, and when the transaction cannot be begun or made durable.
    pub fn write<T, E: From<StateError>>(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut writer = self.writer();
        let transaction =
            writer.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StateError::from)?;
        let written = write(&transaction)?;
        transaction.commit().map_err(StateError::from)?;
        Ok(written)
    }

    /// Reads one state of the database, whatever is written meanwhile. Waits while [`crate::READERS_MAX`] others read.
    ///
    /// # Errors
    /// Those of `read`, and when no connection can be opened.
    pub fn read<T, E: From<StateError>>(
        &self,
        read: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.readers.with(|connection| read(&connection.transaction().map_err(StateError::from)?))
    }
}
