//! What waits for the agent: bounded, the oldest given up first, and what was given up is told.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use event::Timestamp;
use process::{
    Change,
    message::{
        self,
        v1::{ProcessComplete, ProcessFrame, ProcessGap, process_frame::Content},
    },
};

/// Shared by who watches and who sends.
#[derive(Debug)]
pub(crate) struct Outbox {
    bound: usize,
    waiting: Mutex<Waiting>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: VecDeque<(u64, Vec<u8>)>,
    bytes: usize,
    /// Number of the frame that was made last.
    last: u64,
    /// Given up and not told yet.
    lost: u64,
    closed: bool,
}

impl Outbox {
    pub(crate) fn new(bound: usize) -> Self {
        Self { bound, waiting: Mutex::default(), more: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a change; never waits for anybody.
    pub(crate) fn put(&self, change: &Change) {
        self.push(Content::Change(change.into()));
    }

    /// Says that changes are missing here.
    pub(crate) fn gap(&self, changes: u64, reason: &str) {
        self.push(Content::Gap(ProcessGap { changes, reason: reason.to_owned(), given_up: false }));
    }

    /// Says that all that there was has been told.
    pub(crate) fn complete(&self, processes: u64, at: Timestamp) {
        self.push(Content::Complete(ProcessComplete { processes, at_unix_nano: at.as_nanos() }));
    }

    fn push(&self, content: Content) {
        let mut waiting = self.lock();
        if waiting.lost > 0 {
            let changes = std::mem::take(&mut waiting.lost);
            waiting.add(Content::Gap(ProcessGap {
                changes,
                reason: "nobody took them, and the queue was full".to_owned(),
                given_up: true,
            }));
        }
        waiting.add(content);
        while waiting.bytes > self.bound
            && let Some((_, bytes)) = waiting.frames.pop_front()
        {
            waiting.bytes -= bytes.len();
            waiting.lost += 1;
        }
        drop(waiting);
        self.more.notify_all();
    }

    /// The first frame behind this number; waits for one at most so long. `None` where there is none.
    pub(crate) fn after(&self, sequence: u64, patience: Duration) -> Option<(u64, Vec<u8>)> {
        let found = |waiting: &Waiting| {
            let at = waiting.frames.partition_point(|(number, _)| *number <= sequence);
            waiting.frames.get(at).cloned()
        };
        let waiting = self.lock();
        if let Some(frame) = found(&waiting) {
            return Some(frame);
        }
        let (waiting, _) = self.more.wait_timeout(waiting, patience).unwrap_or_else(PoisonError::into_inner);
        found(&waiting)
    }

    /// Frames up to this one are with the agent for good.
    pub(crate) fn acknowledge(&self, sequence: u64) {
        let mut waiting = self.lock();
        while waiting.frames.front().is_some_and(|(number, _)| *number <= sequence)
            && let Some((_, bytes)) = waiting.frames.pop_front()
        {
            waiting.bytes -= bytes.len();
        }
    }

    /// Frames that wait, and changes that were given up and not told yet.
    #[cfg(test)]
    fn state(&self) -> (usize, u64) {
        let waiting = self.lock();
        (waiting.frames.len(), waiting.lost)
    }

    /// Nothing more comes.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.more.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }
}

impl Waiting {
    fn add(&mut self, content: Content) {
        let sequence = self.last + 1;
        // A change that no frame holds, with a command line of a megabyte, is told as missing.
        match message::frame(&ProcessFrame { sequence, content: Some(content) }) {
            Ok(bytes) => {
                self.last = sequence;
                self.bytes += bytes.len();
                self.frames.push_back((sequence, bytes));
            }
            Err(_) => self.lost += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_up_is_told_before_what_comes_next() {
        let outbox = Outbox::new(200);
        for number in 0..100 {
            outbox.gap(number, "test");
        }
        let (waiting, lost) = outbox.state();
        assert!(waiting < 100 && lost > 0);
        let (first, _) = outbox.after(0, Duration::ZERO).unwrap();
        assert!(first > 1, "the oldest go first");
        outbox.acknowledge(first);
        let mut told = 0;
        let mut at = first;
        outbox.gap(0, "test");
        while let Some((number, bytes)) = outbox.after(at, Duration::ZERO) {
            let frame: ProcessFrame = message::read(&mut bytes.as_slice()).unwrap().unwrap();
            assert_eq!(frame.sequence, number);
            if let Some(Content::Gap(gap)) = frame.content
                && gap.reason != "test"
            {
                told += gap.changes;
            }
            at = number;
        }
        assert!(told >= 1);
    }

    #[test]
    fn what_was_not_acknowledged_is_there_again() {
        let outbox = Outbox::new(1 << 20);
        outbox.gap(1, "a");
        outbox.gap(2, "b");
        assert_eq!(outbox.after(1, Duration::ZERO).unwrap().0, 2);
        assert_eq!(outbox.after(0, Duration::ZERO).unwrap().0, 1);
        outbox.acknowledge(1);
        assert_eq!(outbox.after(0, Duration::ZERO).unwrap().0, 2);
        outbox.acknowledge(2);
        assert_eq!(outbox.after(0, Duration::ZERO), None);
    }
}
