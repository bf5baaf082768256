//! The fleet of a data folder.

use std::{
    collections::HashMap,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use event::Timestamp;
use state::{Database, Migrations};

use crate::{Config, FleetError, group::Groups, host::Host};

const MIGRATIONS: Migrations = Migrations {
    owner: "fleet",
    steps: &[
        include_str!("tables.sql"),
        include_str!("processes/tables.sql"),
        include_str!("processes/usual.sql"),
        include_str!("processes/resources.sql"),
        include_str!("processes/starts.sql"),
        include_str!("groups.sql"),
    ],
};
/// Hosts that are remembered beside the database; beyond it all are read again.
const REMEMBERED_MAX: usize = 4_096;

/// The hosts of a data folder, and what was measured on them, in its `metrics.db`. Share it by Arc.
///
/// Every call reads or writes the disk: callers run it off the reactor. What a call that changes something returned for
/// survives a crash.
#[derive(Debug)]
pub struct Fleet {
    pub(crate) database: Database,
    pub(crate) config: Config,
    /// As they are in the database. Locked before the database is.
    hosts: Mutex<HashMap<String, Host>>,
    /// As they are in the database. Changed by who holds `hosts`.
    groups: Mutex<Arc<Groups>>,
    /// Since when the server would have heard of hosts, in nanoseconds.
    listening_since: AtomicI64,
    /// Whether something was found that is no signal yet.
    has_told: Mutex<bool>,
    told: Condvar,
}

impl Fleet {
    /// Opens what is kept of hosts. `now` is when the server begins to listen.
    ///
    /// # Errors
    /// When the tables cannot be prepared or read, or a newer program made them.
    pub fn open(database: Database, config: Config, now: Timestamp) -> Result<Self, FleetError> {
        database.migrate(&MIGRATIONS)?;
        let groups = database.read(Groups::load)?;
        Ok(Self {
            database,
            config,
            hosts: Mutex::default(),
            groups: Mutex::new(Arc::new(groups)),
            listening_since: AtomicI64::new(now.as_nanos()),
            has_told: Mutex::new(true),
            told: Condvar::new(),
        })
    }

    /// Its settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn hosts(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() > REMEMBERED_MAX {
            hosts.clear();
        }
        hosts
    }

    /// What is set for groups.
    pub(crate) fn held_groups(&self) -> Arc<Groups> {
        Arc::clone(&self.groups.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Another set of groups holds, as it is in the database.
    pub(crate) fn hold_groups(&self, groups: Groups) {
        *self.groups.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(groups);
    }

    /// Since when it would have heard of hosts.
    pub(crate) fn listening_since(&self) -> i64 {
        self.listening_since.load(Ordering::Relaxed)
    }

    /// It could not hear of hosts before this moment: it began, or slept.
    pub(crate) fn listens_since(&self, now: Timestamp) {
        self.listening_since.store(now.as_nanos(), Ordering::Relaxed);
    }

    /// Says that something was found.
    pub(crate) fn wake(&self) {
        *self.has_told.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.told.notify_all();
    }

    /// Waits at most so long until something was found.
    pub(crate) fn wait(&self, at_most: Duration) -> bool {
        let told = self.has_told.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.told.wait_timeout_while(told, at_most, |has_told| !*has_told);
        let mut told = waited.unwrap_or_else(PoisonError::into_inner).0;
        std::mem::take(&mut *told)
    }
}
