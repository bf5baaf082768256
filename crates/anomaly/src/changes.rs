//! Which models the service let serve by itself, or kept from it, until somebody asks to put that on record.

use std::{collections::VecDeque, sync::Mutex};

use crate::locks::lock;

/// Those that nobody asked for; then the oldest are forgotten.
const HELD_MAX: usize = 256;

/// What the service decided by itself about a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The model's version.
    pub version: String,
    /// What came of it.
    pub what: Changed,
}

/// What came of a model by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// It was trained beside the stream and serves.
    TookOver,
    /// It was trained beside the stream and is kept, for this reason.
    Kept(String),
    /// Another process put it into the models' folder, and it serves.
    Found,
}

#[derive(Debug, Default)]
pub(crate) struct Changes(Mutex<VecDeque<Change>>);

impl Changes {
    pub(crate) fn add(&self, version: &str, what: Changed) {
        let mut held = lock(&self.0);
        if held.len() == HELD_MAX {
            held.pop_front();
        }
        held.push_back(Change { version: version.to_owned(), what });
    }

    pub(crate) fn take(&self) -> Vec<Change> {
        lock(&self.0).drain(..).collect()
    }
}
