//! What people said: of events, and of templates.

mod decisions;
mod entry;
mod feedback;

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, RwLock},
};

use template::Miner;

use decisions::Decisions;
pub use entry::{FEEDBACK_MAX, Feedback, Label};
pub(crate) use feedback::{Book, General, Lookup};
pub use feedback::{FeedbackError, NOTE_BYTES_MAX};

use crate::{
    locks::{lock, read, write},
    problems::Problems,
};

/// What was said, and where it is kept.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) book: Book,
    pub(crate) decisions: Decisions,
}

/// All that people said, and what scoring needs of it.
#[derive(Debug)]
pub(crate) struct Opinions {
    said: Mutex<Said>,
    lookup: RwLock<Arc<Lookup>>,
}

impl Opinions {
    /// Reads what there is.
    pub(crate) fn open(dir: &Path, problems: &Problems) -> io::Result<Self> {
        let said = Said { book: Book::open(dir)?, decisions: Decisions::open(dir)? };
        problems.of_files([
            ("feedback", said.book.problem.clone()),
            ("templates", said.decisions.problem().map(str::to_owned)),
        ]);
        Ok(Self { lookup: RwLock::new(Arc::new(said.book.lookup())), said: Mutex::new(said) })
    }

    /// What was said.
    pub(crate) fn said(&self) -> MutexGuard<'_, Said> {
        lock(&self.said)
    }

    /// What scoring needs of it.
    pub(crate) fn lookup(&self) -> Arc<Lookup> {
        read(&self.lookup).clone()
    }

    /// Lets scoring go by what was said.
    pub(crate) fn publish(&self, said: &Said) {
        *write(&self.lookup) = Arc::new(said.book.lookup());
    }
}

impl Said {
    /// Lets a miner know what was decided, and the messages that were spoken of.
    pub(crate) fn tell(&mut self, miner: &mut Miner) {
        miner.set_operations(self.decisions.operations.clone());
        let mut variables = Vec::new();
        for message in self.book.messages() {
            variables.clear();
            if miner.find(message, &mut variables).is_none() {
                miner.mine(message, &mut variables);
            }
        }
        self.book.rescan(miner);
    }
}
