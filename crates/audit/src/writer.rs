//! The one that writes: numbers records, chains and signs them, and makes them durable.

use std::{io, path::PathBuf, sync::Arc};

use blake3::Hash;
use ed25519_dalek::SigningKey;
use event::Timestamp;

use crate::{
    RecordError, checkpoint::Checkpoint, file::OpenFile, files, header::Header, line, verify::scan::Link,
};

/// A record on its way: its time and its members.
pub(crate) type Entry = (Timestamp, String);

/// Bounds of a writer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) file_bytes: u64,
    pub(crate) checkpoint_records: u64,
}

#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) dir: PathBuf,
    pub(crate) bounds: Bounds,
    pub(crate) installation: String,
    pub(crate) key: SigningKey,
    pub(crate) file: OpenFile,
    /// The file's number and its bytes.
    pub(crate) number: u32,
    pub(crate) bytes: u64,
    /// The last line.
    pub(crate) end: Link,
    /// Records since the last checkpoint.
    pub(crate) unsigned: u64,
    pub(crate) last_checkpoint: Option<Checkpoint>,
    /// Why nothing is written any more.
    pub(crate) broken: Option<Arc<str>>,
}

/// Lines that are not yet written, and where the writer stands when they are.
struct Draft {
    lines: Vec<u8>,
    end: Link,
    unsigned: u64,
    checkpoint: Option<Checkpoint>,
}

/// What became durable.
#[derive(Debug)]
pub(crate) struct Written {
    /// The sequence number of each record.
    pub(crate) seqs: Vec<u64>,
    pub(crate) checkpoints: u64,
}

impl Writer {
    /// Makes a file with nothing but its first line, which hangs on `before`; gives its bytes and its hash.
    pub(crate) fn make_file(
        path: &std::path::Path,
        header: &Header,
        before: Link,
        time: Timestamp,
    ) -> io::Result<(u64, Hash)> {
        let mut bytes = vec![];
        let hash = line::push(&mut bytes, before.seq + 1, time, &header.members(), &before.hash);
        disk::replace(path, &bytes)?;
        Ok((bytes.len() as u64, hash))
    }

    /// Makes records durable, all or none, with the checkpoints that come due.
    pub(crate) fn write(&mut self, entries: &[Entry]) -> Result<Written, RecordError> {
        let Some((time, _)) = entries.first() else { return Ok(Written { seqs: vec![], checkpoints: 0 }) };
        self.prepare(*time)?;
        let mut draft = self.draft();
        let (mut seqs, mut checkpoints) = (Vec::with_capacity(entries.len()), 0);
        for (time, members) in entries {
            draft.push(*time, members);
            draft.unsigned += 1;
            seqs.push(draft.end.seq);
            if draft.unsigned >= self.bounds.checkpoint_records {
                self.sign(&mut draft, *time);
                checkpoints += 1;
            }
        }
        self.commit(draft)?;
        Ok(Written { seqs, checkpoints })
    }

    /// Signs what there is.
    pub(crate) fn checkpoint(&mut self, time: Timestamp) -> Result<(), RecordError> {
        self.prepare(time)?;
        let mut draft = self.draft();
        self.sign(&mut draft, time);
        self.commit(draft)
    }

    fn draft(&self) -> Draft {
        Draft { lines: vec![], end: self.end, unsigned: self.unsigned, checkpoint: None }
    }

    fn sign(&self, draft: &mut Draft, time: Timestamp) {
        let covered = (draft.end.seq, draft.end.hash);
        let every = self.bounds.checkpoint_records;
        let checkpoint = Checkpoint::sign(&self.key, &self.installation, covered, time, every);
        draft.push(time, &format!(r#""checkpoint":"{}""#, checkpoint.text()));
        draft.unsigned = 0;
        draft.checkpoint = Some(checkpoint);
    }

    /// Sees that nobody changed the file meanwhile, and begins the next one when it is full.
    fn prepare(&mut self, time: Timestamp) -> Result<(), RecordError> {
        if let Some(what) = &self.broken {
            return Err(RecordError::Broken { what: what.clone() });
        }
        match self.file.is_as_left(self.bytes) {
            Ok(true) => {}
            Ok(false) => return Err(self.broken("its newest file was altered by another process")),
            Err(error) => return Err(self.failed(error, "its newest file cannot be looked at")),
        }
        if self.bytes < self.bounds.file_bytes {
            return Ok(());
        }
        let Some(number) = self.number.checked_add(1) else {
            return Err(self.broken("it has too many files"));
        };
        let path = files::path(&self.dir, number);
        if path.exists() {
            return Err(self.broken("its next file is there already"));
        }
        let header = Header::new(&self.installation, number, &self.end.hash, &self.key.verifying_key());
        let made = Self::make_file(&path, &header, self.end, time)
            .and_then(|(bytes, hash)| Ok((bytes, hash, OpenFile::open(&path)?)));
        match made {
            Ok((bytes, hash, file)) => {
                self.end = Link { seq: self.end.seq + 1, hash };
                (self.number, self.bytes, self.file) = (number, bytes, file);
                Ok(())
            }
            // Nothing is there unless the rename went through and what came after it failed: then the file is there
            // and must not be made again.
            Err(source) if disk::is_full(&source) && !path.exists() => {
                Err(RecordError::DiskFull { source: Arc::new(source) })
            }
            Err(error) => Err(self.failed(error, "its next file could not be made")),
        }
    }

    /// Makes a draft durable; when that fails the file ends where it did.
    fn commit(&mut self, draft: Draft) -> Result<(), RecordError> {
        if let Err(error) = self.file.append(self.bytes, &draft.lines) {
            if let Err(error) = self.file.cut(self.bytes) {
                return Err(self.failed(error, "half a line could not be taken back"));
            }
            if disk::is_full(&error) {
                return Err(RecordError::DiskFull { source: Arc::new(error) });
            }
            return Err(self.failed(error, "a write failed"));
        }
        if let Err(error) = self.file.sync() {
            return Err(self.failed(error, "a write could not be made durable"));
        }
        self.bytes += draft.lines.len() as u64;
        (self.end, self.unsigned) = (draft.end, draft.unsigned);
        if let Some(checkpoint) = draft.checkpoint {
            self.keep_head(&checkpoint);
            self.last_checkpoint = Some(checkpoint);
        }
        Ok(())
    }

    /// Repeats a checkpoint beside the files. It stands in the record already, so that a failure costs only that a cut
    /// behind the checkpoint before this one does not show; the next one repairs it.
    pub(crate) fn keep_head(&self, checkpoint: &Checkpoint) {
        let path = self.dir.join(files::HEAD);
        let text = format!("{}\n", checkpoint.text());
        if let Err(error) = disk::replace(&path, text.as_bytes()) {
            tracing::warn!(
                "the newest checkpoint of the audit record could not be kept in {}: {error}",
                path.display()
            );
        }
    }

    fn broken(&mut self, what: &str) -> RecordError {
        tracing::error!("the audit record cannot be written any more: {what}");
        let what: Arc<str> = what.into();
        self.broken = Some(what.clone());
        RecordError::Broken { what }
    }

    fn failed(&mut self, error: io::Error, what: &str) -> RecordError {
        self.broken(&format!("{what} ({error})"))
    }
}

impl Draft {
    fn push(&mut self, time: Timestamp, members: &str) {
        let seq = self.end.seq + 1;
        let hash = line::push(&mut self.lines, seq, time, members, &self.end.hash);
        self.end = Link { seq, hash };
    }
}
