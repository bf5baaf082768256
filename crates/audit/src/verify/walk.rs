//! What stands in the files one after the other: each must hang on the one before.

use std::path::PathBuf;

use event::Timestamp;

use super::{
    classify::{Place, classify},
    scan::{Expected, Link, Problem, Scan, Wrong, is_set_back},
};
use crate::{
    Finding, ReadError, checkpoint::Checkpoint, files::Lines, finding::Kind, header::Placed, line::Line,
};

const OVERDUE: &str = "a checkpoint was due before this line, and is not there";

/// What was found in files that were scanned.
#[derive(Debug)]
pub(crate) struct Walk<'f> {
    files: &'f [PathBuf],
    /// On what the first file hangs.
    pub(crate) begin: Link,
    /// Behind the last sound line.
    pub(crate) end: Link,
    pub(crate) finding: Option<Finding>,
    pub(crate) set_back: Option<Finding>,
    pub(crate) records: u64,
    pub(crate) checkpoints: u64,
    /// Records behind the last checkpoint.
    pub(crate) unsigned: u64,
    pub(crate) last_checkpoint: Option<Checkpoint>,
    pub(crate) witnessed: Option<u64>,
    pub(crate) torn_bytes: u64,
    pub(crate) latest: Timestamp,
}

/// Walks through the files up to their end or to the first thing wrong.
///
/// # Errors
/// When a file cannot be read again.
pub(crate) fn walk<'f>(
    files: &'f [PathBuf],
    scans: &[Scan],
    begin: Link,
    expected: &Expected,
) -> Result<Walk<'f>, ReadError> {
    let mut walk = Walk {
        files,
        begin,
        end: begin,
        finding: None,
        set_back: None,
        records: 0,
        checkpoints: 0,
        unsigned: 0,
        last_checkpoint: None,
        witnessed: None,
        torn_bytes: 0,
        latest: Timestamp::MIN,
    };
    // Files are made with their first line, so that empty ones at the end were emptied.
    let filled = scans.iter().rposition(|scan| !scan.is_empty).map_or(0, |last| last + 1);
    for (file, scan) in scans[..filled].iter().enumerate() {
        walk.finding = walk.file(file, scan, scans[..filled].get(file + 1))?;
        if walk.finding.is_some() {
            return Ok(walk);
        }
    }
    if filled < scans.len() {
        let why = "not even the first line of this file is there";
        walk.finding = Some(walk.finding(Kind::CutTail, (filled, 1), (walk.end.seq + 1, None), why));
        return Ok(walk);
    }
    let lines = scans.last().map_or(0, |scan| scan.lines);
    walk.finding = walk.cut_tail(expected, lines).or_else(|| walk.overdue_at_end(lines));
    Ok(walk)
}

impl Walk<'_> {
    fn file(&mut self, file: usize, scan: &Scan, next: Option<&Scan>) -> Result<Option<Finding>, ReadError> {
        if !hangs_on(scan, self.end) {
            return classify(self.files, self.begin, Place { file, line: 1 }, self.end).map(Some);
        }
        if self.set_back.is_none() && (scan.is_set_back || is_set_back(self.latest, scan.earliest)) {
            self.set_back = self.find_set_back(file)?;
        }
        self.latest = self.latest.max(scan.latest);
        if let Some(overdue) = self.overdue(file, scan) {
            return Ok(Some(overdue));
        }
        self.records += scan.records;
        self.checkpoints += scan.checkpoints;
        self.unsigned =
            if scan.last_checkpoint.is_some() { scan.trailing } else { self.unsigned + scan.trailing };
        self.last_checkpoint = scan.last_checkpoint.clone().or(self.last_checkpoint.take());
        self.witnessed = scan.witnessed.or(self.witnessed);
        self.end = scan.end.unwrap_or(self.end);
        if let Some(problem) = &scan.problem {
            return self.problem(file, problem, scan, next).map(Some);
        }
        if scan.torn_bytes > 0 && next.is_some() {
            let why = "the line is cut short, and another file follows";
            return Ok(Some(self.finding(Kind::Edit, (file, scan.lines + 1), (self.end.seq + 1, None), why)));
        }
        self.torn_bytes = scan.torn_bytes;
        Ok(None)
    }

    fn problem(
        &self,
        file: usize,
        problem: &Problem,
        scan: &Scan,
        next: Option<&Scan>,
    ) -> Result<Finding, ReadError> {
        let place = Place { file, line: problem.line };
        let (signed, through) =
            (self.last_checkpoint.as_ref().map_or(0, |last| last.record), problem.before.seq + 1);
        let (first, why) = match problem.wrong {
            Wrong::Chain => return classify(self.files, self.begin, place, problem.before),
            Wrong::Signature => (signed + 1, "the key did not sign what stands here"),
            Wrong::Witness => {
                if let Some(finding) = self.earlier_than(through, file, scan, next)? {
                    return Ok(finding);
                }
                // Who could not sign what comes next could not sign what came before either.
                let signs = scan.next_problem.is_none_or(|next| next.wrong != Wrong::Signature);
                let vouched =
                    if signs { self.witnessed.unwrap_or(0) } else { signed.min(problem.before.seq) };
                (vouched + 1, "a checkpoint that was kept elsewhere says otherwise of this line")
            }
            Wrong::Overdue => (signed + 1, OVERDUE),
        };
        Ok(self.finding(Kind::Rewrite, (file, problem.line), (first, Some(through)), why))
    }

    /// What breaks the chain behind a line of which a checkpoint says otherwise, if it began at or before that line: lines
    /// that were inserted with hashes that fit.
    fn earlier_than(
        &self,
        record: u64,
        file: usize,
        scan: &Scan,
        next: Option<&Scan>,
    ) -> Result<Option<Finding>, ReadError> {
        let (place, before) = match (&scan.next_problem, next) {
            (Some(problem), _) if problem.wrong == Wrong::Chain => {
                (Place { file, line: problem.line }, problem.before)
            }
            (None, Some(next)) if !hangs_on(next, self.end) => (Place { file: file + 1, line: 1 }, self.end),
            _ => return Ok(None),
        };
        let finding = classify(self.files, self.begin, place, before)?;
        Ok(Some(finding).filter(|finding| finding.record <= record))
    }

    /// Whether the first checkpoint of this file comes later than the last one of those before said.
    fn overdue(&self, file: usize, scan: &Scan) -> Option<Finding> {
        let last = self.last_checkpoint.as_ref()?;
        let records = self.unsigned + scan.leading;
        (scan.last_checkpoint.is_some() && records > last.every)
            .then(|| self.finding(Kind::Rewrite, (file, scan.leading + 2), (last.record + 1, None), OVERDUE))
    }

    /// Whether more records than there may be lie behind the last checkpoint: those between were taken away, so that the
    /// lines they covered could be written anew.
    fn overdue_at_end(&self, lines: u64) -> Option<Finding> {
        let last = self.last_checkpoint.as_ref().filter(|last| self.unsigned > last.every)?;
        let file = self.files.len().saturating_sub(1);
        Some(self.finding(Kind::Rewrite, (file, lines), (last.record + 1, Some(self.end.seq)), OVERDUE))
    }

    /// Whether a checkpoint covers lines that are not there any more.
    fn cut_tail(&self, expected: &Expected, lines: u64) -> Option<Finding> {
        // It was told to others when its own line was durable.
        let through = expected.checkpoints.last()?.record.saturating_add(1);
        (through > self.end.seq).then(|| {
            let why = "a checkpoint covers lines that are not there any more";
            let last = self.files.len().saturating_sub(1);
            self.finding(Kind::CutTail, (last, lines + 1), (self.end.seq + 1, Some(through)), why)
        })
    }

    fn find_set_back(&self, file: usize) -> Result<Option<Finding>, ReadError> {
        let mut lines = Lines::open(&self.files[file])?;
        let mut latest = self.latest;
        while let Some(raw) = lines.next()? {
            let Some(line) = Line::parse(raw.bytes) else { break };
            if is_set_back(latest, line.time) {
                let why = format!("it is of {}, and a line before it of {latest}", line.time);
                return Ok(Some(self.finding(
                    Kind::ClockRolledBack,
                    (file, raw.number),
                    (line.seq, None),
                    &why,
                )));
            }
            latest = latest.max(line.time);
        }
        Ok(None)
    }

    fn finding(
        &self,
        kind: Kind,
        (file, line): (usize, u64),
        (record, through): (u64, Option<u64>),
        why: &str,
    ) -> Finding {
        let file = self.files.get(file).cloned().unwrap_or_default();
        Finding { kind, file, line, record, through, why: why.to_owned() }
    }
}

fn hangs_on(scan: &Scan, end: Link) -> bool {
    let is_next = |header: &Placed| (header.seq, header.previous) == (end.seq.saturating_add(1), end.hash);
    scan.header.as_ref().is_some_and(is_next)
}
