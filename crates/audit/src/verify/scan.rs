//! One file, line by line. Its header says on what it hangs, so files can be scanned beside each other.

use std::path::Path;

use blake3::Hash;
use ed25519_dalek::VerifyingKey;
use event::Timestamp;

use crate::{
    ReadError,
    checkpoint::Checkpoint,
    files::{Lines, Raw},
    header::{Header, Placed},
    line::{Kind, Line},
};

/// A time stamp that lies further than this before an earlier line's shows a clock that was set back; less is
/// what corrections of a clock and callers beside each other make.
pub(crate) const CLOCK_STEP_NS: i64 = 5_000_000_000;

/// What files are held against.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) installation: String,
    pub(crate) key: VerifyingKey,
    /// Ascending by record.
    pub(crate) checkpoints: Vec<Checkpoint>,
}

/// A place in the chain: behind this line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) seq: u64,
    pub(crate) hash: Hash,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It does not hang on the line before.
    Chain,
    /// A checkpoint that does not say what stands before it, or that the key did not sign; or a header with another key.
    Signature,
    /// Its hash is not the one that a checkpoint kept elsewhere says.
    Witness,
    /// It is a checkpoint, and one was due before it.
    Overdue,
}

/// The first thing wrong in a file, and what came before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Problem {
    pub(crate) wrong: Wrong,
    pub(crate) line: u64,
    pub(crate) before: Link,
}

/// What stands in a file.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) header: Option<Placed>,
    /// Behind the last line that is sound.
    pub(crate) end: Option<Link>,
    /// Bytes up to there.
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    /// Bytes of an incomplete last line.
    pub(crate) torn_bytes: u64,
    pub(crate) records: u64,
    pub(crate) checkpoints: u64,
    /// Records before the first checkpoint; all where there is none.
    pub(crate) leading: u64,
    /// Records behind the last checkpoint; all where there is none.
    pub(crate) trailing: u64,
    pub(crate) last_checkpoint: Option<Checkpoint>,
    /// The last line that agrees with a checkpoint kept elsewhere.
    pub(crate) witnessed: Option<u64>,
    pub(crate) earliest: Timestamp,
    pub(crate) latest: Timestamp,
    /// A line in it is earlier than one before it.
    pub(crate) is_set_back: bool,
    /// Not even its first line is whole.
    pub(crate) is_empty: bool,
    pub(crate) problem: Option<Problem>,
    /// The one behind a checkpoint that says otherwise.
    pub(crate) next_problem: Option<Problem>,
}

/// Scans a file up to its end or to the first thing wrong in it.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn scan(path: &Path, expected: &Expected) -> Result<Scan, ReadError> {
    let mut lines = Lines::open(path)?;
    let mut scan = Scan::new();
    let Some(first) = lines.next()?.filter(|first| first.is_complete) else {
        scan.is_empty = true;
        return Ok(scan);
    };
    let Some(header) = Header::parse(first.bytes).filter(|header| header.is_whole) else { return Ok(scan) };
    let mut before = Link { seq: header.seq.saturating_sub(1), hash: header.previous };
    let mut waiting = &expected.checkpoints
        [expected.checkpoints.partition_point(|checkpoint| checkpoint.record < header.seq)..];
    let is_other_key = header.key != expected.key;
    scan.header = Some(header);
    if is_other_key {
        scan.problem = Some(Problem { wrong: Wrong::Signature, line: 1, before });
        return Ok(scan);
    }
    // Read again from its first line on, which is a line as all others.
    let mut lines = Lines::open(path)?;
    while let Some(raw) = lines.next()? {
        match scan.line(raw, before, expected, &mut waiting) {
            Ok(Some(link)) => before = link,
            Ok(None) => break,
            Err(wrong) => {
                let problem = Problem { wrong, line: raw.number, before };
                scan.next_problem = scan.problem.is_some().then_some(problem);
                scan.problem.get_or_insert(problem);
                break;
            }
        }
    }
    Ok(scan)
}

impl Scan {
    fn new() -> Self {
        Self {
            header: None,
            end: None,
            bytes: 0,
            lines: 0,
            torn_bytes: 0,
            records: 0,
            checkpoints: 0,
            leading: 0,
            trailing: 0,
            last_checkpoint: None,
            witnessed: None,
            earliest: Timestamp::MAX,
            latest: Timestamp::MIN,
            is_set_back: false,
            is_empty: false,
            problem: None,
            next_problem: None,
        }
    }

    /// Takes a line in; None for an incomplete one, which nothing follows.
    fn line(
        &mut self,
        raw: Raw<'_>,
        before: Link,
        expected: &Expected,
        waiting: &mut &[Checkpoint],
    ) -> Result<Option<Link>, Wrong> {
        if !raw.is_complete && raw.bytes.len() < crate::line::LINE_BYTES_MAX {
            self.torn_bytes = raw.bytes.len() as u64;
            return Ok(None);
        }
        let line = Line::parse(raw.bytes).filter(|line| line.seq == before.seq + 1).ok_or(Wrong::Chain)?;
        let hash = line.follows(&before.hash).ok_or(Wrong::Chain)?;
        match line.kind {
            Kind::Header => {}
            Kind::Checkpoint => self.checkpoint(&line, before, expected)?,
            Kind::Record => self.record(),
        }
        while let Some((checkpoint, later)) =
            waiting.split_first().filter(|(next, _)| next.record == line.seq)
        {
            if self.problem.is_none() && checkpoint.hash == hash {
                self.witnessed = Some(line.seq);
            } else {
                // Not the end: where the chain breaks behind it tells more.
                self.problem.get_or_insert(Problem { wrong: Wrong::Witness, line: raw.number, before });
            }
            *waiting = later;
        }
        self.is_set_back |= is_set_back(self.latest, line.time);
        self.earliest = self.earliest.min(line.time);
        self.latest = self.latest.max(line.time);
        let link = Link { seq: line.seq, hash };
        self.lines = raw.number;
        self.bytes = raw.offset + raw.bytes.len() as u64 + 1;
        self.end = Some(link);
        Ok(Some(link))
    }

    fn checkpoint(&mut self, line: &Line<'_>, before: Link, expected: &Expected) -> Result<(), Wrong> {
        let checkpoint = Checkpoint::in_line(line.content).ok_or(Wrong::Signature)?;
        let says = (checkpoint.record, checkpoint.hash, &checkpoint.installation);
        if says != (before.seq, before.hash, &expected.installation)
            || !checkpoint.is_signed_by(&expected.key)
        {
            return Err(Wrong::Signature);
        }
        if self.last_checkpoint.as_ref().is_some_and(|last| self.trailing > last.every) {
            return Err(Wrong::Overdue);
        }
        self.last_checkpoint = Some(checkpoint);
        self.checkpoints += 1;
        self.trailing = 0;
        Ok(())
    }

    fn record(&mut self) {
        self.records += 1;
        self.trailing += 1;
        if self.last_checkpoint.is_none() {
            self.leading = self.trailing;
        }
    }
}

/// Whether `time` shows a clock that was set back since `latest`.
pub(crate) fn is_set_back(latest: Timestamp, time: Timestamp) -> bool {
    time.saturating_add(CLOCK_STEP_NS) < latest
}
