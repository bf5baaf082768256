//! Feedback: taken in, listed, taken back.

use std::sync::Arc;

use event::{Event, Timestamp};
use template::Miner;

use super::{Service, lock, read, write};
use crate::feedback::{Book, Feedback, FeedbackError, Label};

/// Makes sure that the messages spoken of have their templates.
pub(super) fn recall(feedback: &mut Book, miner: &mut Miner) {
    let mut variables = Vec::new();
    for message in feedback.messages() {
        variables.clear();
        if miner.find(message, &mut variables).is_none() {
            miner.mine(message, &mut variables);
        }
    }
    feedback.rescan(miner);
}

impl Service {
    /// All feedback, oldest first.
    pub fn feedback(&self) -> Vec<Feedback> {
        lock(&self.feedback).all()
    }

    /// Why feedback given earlier is not there, when its file could not be read at the start.
    pub fn feedback_problem(&self) -> Option<String> {
        lock(&self.feedback).problem.clone()
    }

    /// Takes in what somebody says of an event. It holds at once, for similar events too, whatever
    /// model serves, and is on disk when this returns.
    ///
    /// # Errors
    /// When as much is kept as may be, the note is too long, or the disk refuses: nothing changes.
    pub fn give_feedback(
        &self,
        event: &Event<'_>,
        label: Label,
        note: &str,
        given_at: Timestamp,
    ) -> Result<Feedback, FeedbackError> {
        let mut book = lock(&self.feedback);
        let mut variables = Vec::new();
        let known = read(&self.state).miner.find(&event.message, &mut variables);
        let mined = known.unwrap_or_else(|| {
            variables.clear();
            write(&self.state).miner.mine(&event.message, &mut variables)
        });
        let given = book.add(event, (mined.shape, &mined.template, &variables), (label, note, given_at))?;
        *write(&self.lookup) = Arc::new(book.lookup());
        Ok(given)
    }

    /// Takes feedback back: scores are as without it at once. Gives what it was.
    ///
    /// # Errors
    /// When there is none of this id, or the disk refuses: nothing changes.
    pub fn take_back_feedback(&self, id: u64) -> Result<Feedback, FeedbackError> {
        let mut book = lock(&self.feedback);
        let taken = book.remove(id)?;
        *write(&self.lookup) = Arc::new(book.lookup());
        Ok(taken)
    }
}
