//! What is watched beside the stream: drift, the anomalies found lately, and the model on its way.

use std::{sync::Arc, thread::JoinHandle};

use disk::sealed::{Reader, SealedError, Writer};

use crate::{TrainError, conditions::Examples, drift::Monitor, model::Model};

/// Drift, and the model being trained.
#[derive(Debug)]
pub(crate) struct Upkeep {
    pub(crate) monitor: Monitor,
    /// What conditions are found in; not in a snapshot.
    pub(crate) examples: Examples,
    pub(crate) pending: Option<Pending>,
}

/// A model on its way.
#[derive(Debug)]
pub(crate) struct Pending {
    /// Events and event time at which it takes over.
    pub(crate) seen: u64,
    pub(crate) nanos: i64,
    /// The version it was compared with; empty for the first.
    pub(crate) base: String,
    pub(crate) work: Work,
}

#[derive(Debug)]
pub(crate) enum Work {
    Running(JoinHandle<Result<Outcome, TrainError>>),
    Done(Outcome),
}

/// What a training beside the stream came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    /// Empty when nothing came out.
    pub(crate) version: String,
    /// Why it is not to take over; empty when it is.
    pub(crate) objection: String,
    /// None after a restart: it is on disk.
    pub(crate) model: Option<Arc<Model>>,
}

impl Pending {
    /// Whether the stream has come to where it takes over.
    pub(crate) fn is_reached(&self, seen: u64, latest: i64) -> bool {
        seen >= self.seen || latest >= self.nanos
    }

    pub(crate) fn is_trained(&self) -> bool {
        match &self.work {
            Work::Running(thread) => thread.is_finished(),
            Work::Done(_) => true,
        }
    }

    /// Waits for the training.
    pub(crate) fn finish(&mut self) -> Outcome {
        let outcome = match std::mem::replace(&mut self.work, Work::Done(Outcome::default())) {
            Work::Running(thread) => thread.join().ok().and_then(Result::ok).unwrap_or_default(),
            Work::Done(outcome) => outcome,
        };
        self.work = Work::Done(outcome.clone());
        outcome
    }
}

impl Upkeep {
    pub(crate) fn new(seed: u64) -> Self {
        Self { monitor: Monitor::new(seed), examples: Examples::default(), pending: None }
    }

    /// A model on its way is left out while it is trained: its training begins anew then.
    pub(crate) fn write(&self, out: &mut Writer, with_pending: bool) {
        self.monitor.write(out);
        let trained =
            self.pending.as_ref().filter(|_| with_pending).and_then(|pending| match &pending.work {
                Work::Done(outcome) => Some((pending, outcome)),
                Work::Running(_) => None,
            });
        out.u8(u8::from(trained.is_some()));
        if let Some((pending, outcome)) = trained {
            out.u64(pending.seen);
            out.u64(pending.nanos as u64);
            for text in [&pending.base, &outcome.version, &outcome.objection] {
                out.bytes(text.as_bytes());
            }
        }
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
        let monitor = Monitor::read(input)?;
        let pending = match input.u8()? {
            0 => None,
            _ => {
                let (seen, nanos) = (input.u64()?, input.u64()? as i64);
                let mut text = || -> Result<String, SealedError> {
                    Ok(String::from_utf8_lossy(input.bytes()?).into_owned())
                };
                let (base, version, objection) = (text()?, text()?, text()?);
                Some(Pending {
                    seen,
                    nanos,
                    base,
                    work: Work::Done(Outcome { version, objection, model: None }),
                })
            }
        };
        Ok(Self { monitor, examples: Examples::default(), pending })
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.finish();
        }
    }
}
