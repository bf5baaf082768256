//! Looking at a journal without opening it: read-only, without the lock, also while it runs.

use std::{io, path::Path};

use event::{JournalId, Position};

use crate::{
    Identity, OpenError, Problem,
    error::io_error,
    expected::Expected,
    format::{FILE_HEADER, Key},
    identity,
    read::{Span, read_span},
    recover::{
        check_headers, cursor_problem, find_key, loss, missing, missing_problem, needed, read_cursors,
        segments,
    },
    scan::{Survey, survey},
    segment::segment_path,
};

/// Bytes read at once.
const CHUNK: usize = 1 << 20;

/// What a look at a journal's files found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// None when nothing tells whose files they are.
    pub id: Option<JournalId>,
    /// Whose ids its events have.
    pub identity: Option<Identity>,
    /// Segment files.
    pub segments: u64,
    /// Bytes of the segment files.
    pub bytes: u64,
    /// Readable records.
    pub records: u64,
    /// Records that cannot be read.
    pub damaged_records: u64,
    /// Places with damage: bytes that are no block, records or notes that do not check.
    pub damaged_places: u64,
    /// Bytes behind the last complete batch, which the next start cuts off. In a running journal they
    /// may be a batch being written.
    pub torn_bytes: u64,
    /// Cursors by name.
    pub cursors: Vec<(String, Position)>,
    /// Damaged files, and what follows from it.
    pub problems: Vec<Problem>,
}

impl VerifyReport {
    /// Whether nothing is damaged. A torn tail is no damage.
    pub fn is_intact(&self) -> bool {
        self.damaged_records == 0 && self.damaged_places == 0 && self.problems.is_empty()
    }
}

/// Checks every checksum of the journal in `dir` and its cursors. Reads only.
///
/// # Errors
/// When the folder cannot be read, or is of a version this program does not know.
pub fn verify(dir: &Path, cursors_dir: &Path) -> Result<VerifyReport, OpenError> {
    let numbers = segments(dir).map_err(io_error("list", dir))?;
    let (key, written) = find_key(dir, &numbers)?;
    let mut report = VerifyReport { id: key.map(|key| key.id), ..VerifyReport::default() };
    if !written && (!numbers.is_empty() || dir.join("meta").exists()) {
        report.problems.push(Problem::new(&dir.join("meta"), "missing or damaged"));
    }
    let Some(key) = key else { return Ok(report) };
    check_headers(dir, key, &numbers)?;
    // Read before the segments, so that a journal that runs is never behind them.
    let expected = Expected::read(dir, key.id)?;
    report.problems.extend(expected.problems.iter().cloned());
    let mut identity = Identity::new(key.id, None);
    for &number in &numbers {
        let Some((survey, length)) = survey_present(dir, key, number, &numbers, &expected)? else { continue };
        if let Some(what) = loss(&survey, length, &expected, number) {
            report.problems.push(Problem::new(&segment_path(dir, number), what));
        }
        report.segments += 1;
        report.bytes += length;
        report.records += u64::from(survey.records).saturating_sub(survey.damaged_records);
        report.damaged_records += survey.damaged_records;
        report.damaged_places += survey.damaged_places;
        report.torn_bytes += length.saturating_sub(survey.keep);
        if let Some(note) = survey.notes.iter().rev().find(|note| note.key == identity::NOTE) {
            identity = Identity::new(key.id, note.value.as_deref());
        }
    }
    report.identity = Some(identity);
    // Read last: a segment goes only after every cursor has moved past it.
    let cursors = read_cursors(cursors_dir, key.id)?;
    let needed = needed(&cursors);
    for (number, records) in missing(&expected, &numbers, needed) {
        report.damaged_records += u64::from(records);
        report.problems.push(missing_problem(dir, (number, records), needed));
    }
    for (name, path, slots) in cursors {
        report.problems.extend(cursor_problem(&path, &slots));
        report.cursors.extend(slots.best.map(|(_, position)| (name, position)));
    }
    Ok(report)
}

/// Gives every readable record of complete batches, in order, and returns how many could not be read.
/// Reads only. An error of `each` ends it.
///
/// # Errors
/// When a file cannot be read, or what `each` returned.
pub fn cat(dir: &Path, mut each: impl FnMut(Position, &[u8]) -> io::Result<()>) -> Result<u64, OpenError> {
    let numbers = segments(dir).map_err(io_error("list", dir))?;
    let (Some(key), _) = find_key(dir, &numbers)? else { return Ok(0) };
    check_headers(dir, key, &numbers)?;
    let expected = Expected::read(dir, key.id)?;
    let mut damaged = 0;
    for &number in &numbers {
        let path = segment_path(dir, number);
        let Some((survey, _)) = survey_present(dir, key, number, &numbers, &expected)? else { continue };
        let (mut from, mut first, mut offset) = (0, 0, FILE_HEADER as u64);
        while from < survey.records {
            let (records, limit) = (survey.records, survey.keep);
            let span = Span { segment: number, first, offset, records, limit };
            let part = match read_span(&path, key, &span, from, CHUNK, &mut |_, _, _| {}) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                part => part.map_err(io_error("read", &path))?,
            };
            for (position, record) in part.records.iter() {
                each(position, record).map_err(io_error("write out the records of", dir))?;
            }
            damaged += part.records.damaged();
            from = part.records.end().record;
            (first, offset) = part.next_block.unwrap_or((first, offset));
            if part.records.is_empty() {
                break;
            }
        }
    }
    Ok(damaged)
}

/// None when the segment was deleted meanwhile.
fn survey_present(
    dir: &Path,
    key: Key,
    number: u32,
    numbers: &[u32],
    expected: &Expected,
) -> Result<Option<(Survey, u64)>, OpenError> {
    let path = segment_path(dir, number);
    let last_known = expected.acknowledged.map_or(0, |end| end.segment);
    let tail = numbers.last() == Some(&number) && number >= last_known;
    let found = path.metadata();
    let found = found.and_then(|file| Ok((survey(&path, key, number, tail, true, expected)?, file.len())));
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some).map_err(io_error("read", &path)),
    }
}
