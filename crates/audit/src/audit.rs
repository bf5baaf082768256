//! The handle through which everybody records.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use disk::DataLock;
use event::Timestamp;

use crate::{
    Checkpoint, Config, OpenError, Record, RecordError, files,
    open::open,
    writer::{Entry, Writer, Written},
};

/// The most records that may wait for one fsync.
const WAITING_MAX: usize = 4096;

/// Is told of each new checkpoint that is durable here, to keep it elsewhere. It must not block: it hands the checkpoint
/// to a bounded queue.
pub type Witness = Box<dyn Fn(&Checkpoint) + Send + Sync>;

/// What has happened since the record was opened, and how it is.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// Records made.
    pub records: u64,
    /// Checkpoints signed.
    pub checkpoints: u64,
    /// Records refused because they could not be written.
    pub failures: u64,
    /// Records that no checkpoint covers yet.
    pub unsigned: u64,
    /// When the last checkpoint was signed.
    pub last_checkpoint: Option<Timestamp>,
    /// Why the last write failed; None when it did not. Until one succeeds, what must be recorded is refused.
    pub problem: Option<RecordError>,
}

/// The record. Clones share it.
#[derive(Clone)]
pub struct Audit {
    shared: Arc<Shared>,
}

struct Shared {
    /// Records that wait while others are written: whoever comes first leads them.
    waiting: Mutex<Waiting>,
    writer: Mutex<Writer>,
    status: Mutex<Status>,
    checkpoint_interval: Duration,
    witness: Option<Witness>,
    public_key_file: PathBuf,
    _lock: DataLock,
}

#[derive(Default)]
struct Waiting {
    batch: Option<Arc<Batch>>,
    entries: Vec<Entry>,
    is_closed: bool,
}

type Outcome = Result<Arc<Written>, RecordError>;

/// Records that become durable together.
#[derive(Default)]
struct Batch {
    outcome: Mutex<Option<Outcome>>,
    done: Condvar,
}

impl Batch {
    fn finish(&self, outcome: Outcome) {
        lock(&self.outcome).get_or_insert(outcome);
        self.done.notify_all();
    }

    fn wait(&self) -> Outcome {
        let outcome = self.done.wait_while(lock(&self.outcome), |outcome| outcome.is_none());
        let outcome = outcome.unwrap_or_else(PoisonError::into_inner);
        outcome.clone().unwrap_or(Err(RecordError::Closed))
    }
}

/// Answers those who wait even when the one who leads them panics.
struct Lead(Arc<Batch>);

impl Drop for Lead {
    fn drop(&mut self) {
        self.0.finish(Err(RecordError::Closed));
    }
}

impl Audit {
    /// Opens the record in `config.dir`, or begins a new one. What was written since the last checkpoint is verified
    /// first, and an incomplete last line, which nobody was told of, is cut off.
    ///
    /// # Errors
    /// When another process has it open, it cannot be read or written, or it is not as it was written.
    pub fn open(config: Config, witness: Option<Witness>, now: Timestamp) -> Result<Self, OpenError> {
        let made = disk::create_dir_all(&config.dir);
        made.map_err(files::io_error("make", &config.dir))?;
        let lock = DataLock::take(&config.dir)?;
        let writer = open(&config, now)?;
        let status = Status {
            last_checkpoint: writer.last_checkpoint.as_ref().map(Checkpoint::time),
            unsigned: writer.unsigned,
            ..Status::default()
        };
        let audit = Self {
            shared: Arc::new(Shared {
                waiting: Mutex::default(),
                writer: Mutex::new(writer),
                status: Mutex::new(status),
                checkpoint_interval: config.checkpoint_interval,
                witness,
                public_key_file: config.dir.join(files::PUBLIC_KEY),
                _lock: lock,
            }),
        };
        let first = lock_writer(&audit).last_checkpoint.clone();
        audit.tell(first.as_ref());
        Ok(audit)
    }

    /// Records something; durable when it returns. Gives its sequence number. Waits for the disk, so that it belongs on a
    /// thread that may block; callers beside each other share an fsync.
    ///
    /// # Errors
    /// When it could not be recorded: then the caller refuses what was to be recorded.
    pub fn record(&self, record: &Record) -> Result<u64, RecordError> {
        let seqs = self.record_all(std::slice::from_ref(record))?;
        seqs.first().copied().ok_or(RecordError::Busy)
    }

    /// Records several things, at most 4,096, all or none. See [`Audit::record`].
    ///
    /// # Errors
    /// As [`Audit::record`].
    pub fn record_all(&self, records: &[Record]) -> Result<Vec<u64>, RecordError> {
        let entries = records.iter().map(|record| Ok((record.time(), record.members()?)));
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        let (batch, leads, range) = {
            let mut waiting = lock(&self.shared.waiting);
            if waiting.is_closed {
                return Err(RecordError::Closed);
            }
            let first = waiting.entries.len();
            if first + entries.len() > WAITING_MAX {
                return Err(RecordError::Busy);
            }
            waiting.entries.extend(entries);
            let leads = waiting.batch.is_none();
            let batch = waiting.batch.get_or_insert_default().clone();
            (batch, leads, first..waiting.entries.len())
        };
        if leads {
            let mut writer = lock_writer(self);
            let checkpoint = self.write_waiting(&mut writer);
            drop(writer);
            self.tell(checkpoint.as_ref());
        }
        Ok(batch.wait()?.seqs.get(range).unwrap_or_default().to_vec())
    }

    /// Writes what waits and answers those who do; gives a checkpoint that was made.
    fn write_waiting(&self, writer: &mut Writer) -> Option<Checkpoint> {
        let (batch, entries) = {
            let mut waiting = lock(&self.shared.waiting);
            (waiting.batch.take()?, std::mem::take(&mut waiting.entries))
        };
        let lead = Lead(batch);
        let outcome = writer.write(&entries).map(Arc::new);
        let checkpoint = self.note(writer, outcome.as_deref(), entries.len() as u64);
        lead.0.finish(outcome);
        checkpoint
    }

    /// Brings the figures up to date; gives a checkpoint that was made.
    fn note(
        &self,
        writer: &Writer,
        outcome: Result<&Written, &RecordError>,
        records: u64,
    ) -> Option<Checkpoint> {
        let mut status = lock(&self.shared.status);
        status.unsigned = writer.unsigned;
        match outcome {
            Ok(written) => {
                status.records += records;
                status.checkpoints += written.checkpoints;
                status.last_checkpoint = writer.last_checkpoint.as_ref().map(Checkpoint::time);
                status.problem = None;
                writer.last_checkpoint.clone().filter(|_| written.checkpoints > 0)
            }
            Err(error) => {
                status.failures += records;
                status.problem = Some(error.clone());
                None
            }
        }
    }

    fn tell(&self, checkpoint: Option<&Checkpoint>) {
        if let (Some(witness), Some(checkpoint)) = (&self.shared.witness, checkpoint) {
            witness(checkpoint);
        }
    }

    /// Signs a checkpoint when the last one is older than the interval, by the clock of records, and does not cover
    /// everything. To be called every few seconds, on a thread that may block. Says whether it did.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn checkpoint_if_due(&self, now: Timestamp) -> Result<bool, RecordError> {
        let interval = self.shared.checkpoint_interval;
        // A clock that was set back must not put it off.
        self.checkpoint(now, |last| last > now || last <= now.saturating_sub(interval))
    }

    /// Signs what no checkpoint covers yet, and takes no more records: for an orderly stop.
    ///
    /// # Errors
    /// When it could not be written. What was recorded is durable nevertheless.
    pub fn close(&self, now: Timestamp) -> Result<(), RecordError> {
        lock(&self.shared.waiting).is_closed = true;
        self.checkpoint(now, |_| true).map(drop)
    }

    fn checkpoint(&self, now: Timestamp, is_due: impl Fn(Timestamp) -> bool) -> Result<bool, RecordError> {
        let mut writer = lock_writer(self);
        let before = self.write_waiting(&mut writer);
        let last = writer.last_checkpoint.as_ref().map_or(Timestamp::MIN, Checkpoint::time);
        let (outcome, checkpoint) = if writer.unsigned > 0 && is_due(last) {
            let outcome = writer.checkpoint(now).map(|()| Written { seqs: vec![], checkpoints: 1 });
            let checkpoint = self.note(&writer, outcome.as_ref(), 0);
            (outcome.map(|_| true), checkpoint)
        } else {
            (Ok(false), None)
        };
        drop(writer);
        self.tell(checkpoint.or(before).as_ref());
        outcome
    }

    /// Figures, and whether it can be written. Never waits for the disk.
    pub fn status(&self) -> Status {
        lock(&self.shared.status).clone()
    }

    #[cfg(test)]
    pub(crate) fn faults(&self) -> Arc<crate::tests::Faults> {
        lock_writer(self).file.faults.clone()
    }

    /// Where the public key lies, for whoever exports it.
    pub fn public_key_file(&self) -> &Path {
        &self.shared.public_key_file
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Audit").field("status", &self.status()).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lock_writer(audit: &Audit) -> MutexGuard<'_, Writer> {
    lock(&audit.shared.writer)
}
