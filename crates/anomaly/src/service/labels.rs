//! Feedback: taken in, listed, taken back.

use event::{Event, Timestamp};

use super::Service;
use crate::opinions::{Feedback, FeedbackError, Label};

impl Service {
    /// All feedback, oldest first.
    pub fn feedback(&self) -> Vec<Feedback> {
        self.opinions.said().book.all()
    }

    /// Why feedback given earlier is not there, when its file could not be read at the start.
    pub fn feedback_problem(&self) -> Option<String> {
        self.opinions.said().book.problem.clone()
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
        let mut said = self.opinions.said();
        let mut variables = Vec::new();
        let known = self.stream.read().miner.find(&event.message, &mut variables);
        let mined = known.unwrap_or_else(|| {
            variables.clear();
            self.stream.write().miner.mine(&event.message, &mut variables)
        });
        let given =
            said.book.add(event, (mined.shape, &mined.template, &variables), (label, note, given_at))?;
        self.opinions.publish(&said);
        Ok(given)
    }

    /// Has this follow from what was decided about something else, of which `origin` is an id: that events such as these
    /// are so, or, without a label, nothing any more. It holds at once and is on disk when this returns. Nothing changes
    /// where so much follows from it already; says whether anything did.
    ///
    /// # Errors
    /// As [`Service::give_feedback`].
    pub fn follow_from(
        &self,
        origin: u128,
        said: Option<(Label, &str, Timestamp)>,
        events: &[Event<'_>],
    ) -> Result<bool, FeedbackError> {
        let mut opinions = self.opinions.said();
        let mut mined = Vec::with_capacity(events.len());
        for event in events {
            let mut variables = Vec::new();
            let known = self.stream.read().miner.find(&event.message, &mut variables);
            let found = known.unwrap_or_else(|| {
                variables.clear();
                self.stream.write().miner.mine(&event.message, &mut variables)
            });
            mined.push((found, variables));
        }
        let events = events.iter().zip(&mined);
        let events = events
            .map(|(event, (found, variables))| (event, (found.shape, &*found.template, &variables[..])));
        let is_other = opinions.book.follow(origin, said, events)?;
        self.opinions.publish(&opinions);
        Ok(is_other)
    }

    /// Takes feedback back: scores are as without it at once. Gives what it was.
    ///
    /// # Errors
    /// When there is none of this id, it follows from something else, or the disk refuses: nothing changes.
    pub fn take_back_feedback(&self, id: u64) -> Result<Feedback, FeedbackError> {
        let mut said = self.opinions.said();
        let taken = said.book.remove(id)?;
        self.opinions.publish(&said);
        Ok(taken)
    }
}
