//! Work that outlives its request: one at a time, the latest few remembered, in memory only. Each can be
//! cancelled by itself, and a stop of the service cancels all.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use problem::Problem;
use serde::Serialize;
use serde_json::Value;
use telemetry::task::Stop;
use tokio::sync::OwnedSemaphorePermit;

use crate::trainings::Trainings;

/// Jobs remembered; the oldest finished one is forgotten first.
const REMEMBERED: usize = 32;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Running,
    Done,
    Failed,
    Cancelled,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) state: State,
    /// What it is doing: `reading`, `training`, or empty once it ended.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) stage: &'static str,
    /// Events read or learned so far.
    pub(crate) events: u64,
    /// How many there are to read or learn.
    pub(crate) total: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) result: Option<Value>,
    /// The problem that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Value>,
    #[serde(skip)]
    cancel: Stop,
}

/// The table of jobs. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Jobs {
    trainings: Trainings,
    table: Arc<Mutex<Table>>,
    stop: Stop,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    jobs: VecDeque<Job>,
}

impl Jobs {
    /// Whose jobs are cancelled, each and all, by `stop`.
    pub(crate) fn new(trainings: Trainings, stop: Stop) -> Self {
        Self { trainings, table: Arc::default(), stop }
    }

    /// The right to work, until it is dropped; None while another has it.
    pub(crate) fn turn(&self) -> Option<OwnedSemaphorePermit> {
        self.trainings.turn()
    }

    /// A new job, which has failed when the handle is dropped before [`Running::end`].
    pub(crate) fn begin(&self, stage: &'static str, total: u64) -> Running {
        let mut table = self.table();
        table.next += 1;
        let id = table.next.to_string();
        if table.jobs.len() >= REMEMBERED {
            table.jobs.pop_front();
        }
        let cancel = self.stop.child_token();
        table.jobs.push_back(Job {
            id: id.clone(),
            state: State::Running,
            stage,
            events: 0,
            total,
            result: None,
            error: None,
            cancel: cancel.clone(),
        });
        Running { jobs: self.clone(), id, cancel }
    }

    /// Tells a job to end, if it runs; gives how it stands.
    pub(crate) fn cancel(&self, id: &str) -> Option<Job> {
        let job = self.get(id)?;
        if job.state == State::Running {
            job.cancel.cancel();
        }
        Some(job)
    }

    pub(crate) fn get(&self, id: &str) -> Option<Job> {
        self.table().jobs.iter().find(|job| job.id == id).cloned()
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Job)) {
        if let Some(job) = self.table().jobs.iter_mut().find(|job| job.id == id) {
            change(job);
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job while it runs.
#[derive(Debug)]
pub(crate) struct Running {
    jobs: Jobs,
    id: String,
    cancel: Stop,
}

impl Running {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Tells when it is to end.
    pub(crate) fn cancel(&self) -> &Stop {
        &self.cancel
    }

    pub(crate) fn progress(&self, stage: &'static str, events: u64, total: u64) {
        self.jobs.change(&self.id, |job| (job.stage, job.events, job.total) = (stage, events, total));
    }

    /// With what came of it; None when it was cancelled.
    pub(crate) fn end(&self, outcome: Result<Option<Value>, Problem>) {
        self.jobs.change(&self.id, |job| {
            job.stage = "";
            match outcome {
                Ok(Some(result)) => (job.state, job.result) = (State::Done, Some(result)),
                Ok(None) => job.state = State::Cancelled,
                Err(problem) => (job.state, job.error) = (State::Failed, Some(problem.to_json())),
            }
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.jobs.change(&self.id, |job| {
            if job.state == State::Running {
                (job.state, job.stage, job.error) = (State::Failed, "", Some(Problem::internal().to_json()));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_the_latest_remembered() {
        let stop = Stop::new();
        let jobs = Jobs::new(Trainings::default(), stop.clone());
        let turn = jobs.turn().unwrap();
        assert!(jobs.turn().is_none());
        drop(turn);
        assert!(jobs.turn().is_some());
        let state = |id: &str| jobs.get(id).map(|job| job.state);
        let first = jobs.begin("training", 1);
        let mut rest: Vec<Running> = (0..REMEMBERED).map(|_| jobs.begin("training", 1)).collect();
        assert_eq!(state(first.id()), None);
        let (done, dropped, cancelled) = (rest.remove(0), rest.remove(0), rest.remove(0));
        let (done_id, dropped_id) = (done.id().to_owned(), dropped.id().to_owned());
        done.progress("training", 7, 9);
        let job = jobs.get(&done_id).unwrap();
        assert_eq!((job.state, job.events, job.total), (State::Running, 7, 9));
        done.end(Ok(Some(1.into())));
        drop(dropped);
        assert_eq!(state(&done_id), Some(State::Done));
        assert_eq!(state(&dropped_id), Some(State::Failed));
        assert!(jobs.cancel("none").is_none());
        assert_eq!(jobs.cancel(cancelled.id()).unwrap().state, State::Running, "until it has ended");
        assert!(cancelled.cancel().is_cancelled() && !rest[0].cancel().is_cancelled());
        let cancelled_id = cancelled.id().to_owned();
        cancelled.end(Ok(None));
        assert_eq!(state(&cancelled_id), Some(State::Cancelled));
        stop.cancel();
        assert!(rest[0].cancel().is_cancelled() && jobs.begin("training", 1).cancel().is_cancelled());
    }
}
