//! Batches on their way to the writer, and who waits for them.

use std::{collections::VecDeque, sync::mpsc};

use tokio::sync::oneshot;

use crate::{AppendError, Appended, batch::Encoded};

pub(crate) type Answer = Result<Appended, AppendError>;

/// Who waits for a batch.
#[derive(Debug)]
pub(crate) enum Waiter {
    Task(oneshot::Sender<Answer>),
    Thread(mpsc::SyncSender<Answer>),
}

impl Waiter {
    pub(crate) fn answer(self, answer: Answer) {
        // Whoever has gone away does not want to know.
        match self {
            Self::Task(sender) => drop(sender.send(answer)),
            Self::Thread(sender) => drop(sender.send(answer)),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) batch: Encoded,
    pub(crate) waiter: Waiter,
}

/// Batches handed over. `bytes` counts those being written too, until they are answered.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) waiting: VecDeque<Pending>,
    pub(crate) bytes: usize,
    pub(crate) closed: bool,
    pub(crate) poisoned: bool,
    /// Bytes of the batch that the budget had no room for, when that was the last one handed over.
    pub(crate) refused: u64,
}
