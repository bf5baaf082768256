//! The tables of each owner, as numbered steps.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::{OpenError, StateError};

/// The tables of one owner: the steps that lead to them, the first one first. A step that was shipped never changes;
/// what changes is a further step.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// Whose tables they are; their names begin with it.
    pub owner: &'static str,
    /// SQL of each step. How many of them were taken stands in the database.
    pub steps: &'static [&'static str],
}

impl Migrations {
    /// Takes the steps that were not taken yet, all of them or none.
    pub(crate) fn take(&self, connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
        let failed = |source: rusqlite::Error| OpenError::Sqlite {
            action: "prepare the tables of",
            path: path.to_owned(),
            source: StateError::from(source),
        };
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let taken: Option<u32> = transaction
            .query_row("SELECT steps FROM migration WHERE owner = ?1", [self.owner], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        let (taken, known) = (taken.unwrap_or(0), self.steps.len());
        let known_steps = u32::try_from(known).unwrap_or(u32::MAX);
        if taken > known_steps {
            let path = path.to_owned();
            return Err(OpenError::Newer { path, what: self.owner, found: taken, known: known_steps });
        }
        for step in self.steps.iter().skip(taken as usize) {
            transaction.execute_batch(step).map_err(failed)?;
        }
        transaction
            .execute(
                "INSERT INTO migration (owner, steps) VALUES (?1, ?2)
                 ON CONFLICT (owner) DO UPDATE SET steps = excluded.steps",
                (self.owner, known_steps),
            )
            .map_err(failed)?;
        transaction.commit().map_err(failed)
    }
}
