//! Whether a record is as it was written.

mod against;
mod classify;
pub(crate) mod scan;
pub(crate) mod walk;

use std::{
    fs,
    io::{ErrorKind, Read},
    num::NonZero,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use event::Timestamp;

use crate::{
    Finding, ReadError,
    checkpoint::{Checkpoint, TEXT_BYTES_MAX},
    files,
    finding::Kind,
    header::{Placed, VERSION},
    key::PublicKey,
    line,
};
pub(crate) use classify::{begin_of, headers};
use scan::{Expected, Link, Scan, scan};
use walk::{Walk, walk};

/// What to verify.
#[derive(Debug, Clone)]
pub enum Source {
    /// A whole record: the folder `audit` of a data folder, or a copy of it.
    Folder(PathBuf),
    /// Files of a record that follow each other. What came before and after them is not asked for.
    Files(Vec<PathBuf>),
}

/// What was found.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// Whose record it is.
    pub installation: String,
    /// The public key that was used, in hexadecimal digits.
    pub key: String,
    /// Whether the key was given, rather than taken from the record itself.
    pub is_key_given: bool,
    /// How many files.
    pub files: u64,
    /// The first and the last line there is, by sequence number; up to the first finding where there is one.
    pub lines: (u64, u64),
    /// Records; the rest are checkpoints and first lines of files.
    pub records: u64,
    /// Checkpoints.
    pub checkpoints: u64,
    /// Records after the last checkpoint: chained, not yet signed.
    pub unsigned: u64,
    /// The last checkpoint's time.
    pub last_checkpoint: Option<Timestamp>,
    /// Bytes of an incomplete last line: it is being written, or was when the program was killed.
    pub torn_bytes: u64,
    /// Up to which line checkpoints that were kept elsewhere agree.
    pub witnessed: Option<u64>,
    /// Checkpoints kept elsewhere that this key did not sign; they were not counted.
    pub unsigned_witnesses: u64,
    /// What shows tampering: the first bad line, and the first one that shows a clock set back.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing shows tampering.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Verifies a record with the key that was exported (`None`: the one that the record itself names), against files in
/// which its checkpoints were kept elsewhere. Only reads; the program may be running.
///
/// # Errors
/// When it cannot be read, or is of another installation or version. Tampering is no error but in the report.
pub fn verify(source: &Source, key: Option<&PublicKey>, against: &[PathBuf]) -> Result<Report, ReadError> {
    // Read before the files, so that it is never ahead of them.
    let head = match source {
        Source::Folder(dir) => Head::read(dir)?,
        Source::Files(_) => Head::Absent,
    };
    let files = match source {
        Source::Folder(dir) => files::list(dir)?,
        Source::Files(files) => files.clone(),
    };
    if let (Source::Folder(dir), true) = (source, files.is_empty()) {
        return nothing_left(dir, &head);
    }
    let (files, headers) = ordered(files, matches!(source, Source::Files(_)))?;
    let mut expected = expected(source, &files, &headers, &head, key)?;
    let (kept, unsigned) = kept_elsewhere(against, &expected)?;
    let witnessed = kept.iter().map(Checkpoint::record).max();
    expected.checkpoints.extend(kept);
    // Without a key that was given, what another key signed may be the only thing that is genuine.
    expected.checkpoints.extend(unsigned.iter().filter(|_| key.is_none()).cloned());
    expected.checkpoints.extend(head.signed_by(&expected).cloned());
    expected.checkpoints.sort_by_key(Checkpoint::record);
    let begin = match source {
        Source::Folder(_) => Link { seq: 0, hash: line::genesis(&expected.installation) },
        Source::Files(_) => begin_of(headers.first().and_then(Option::as_ref), &expected.installation),
    };
    let scans = scan_all(&files, &expected)?;
    let mut walk = walk(&files, &scans, begin, &expected)?;
    if let (Source::Folder(dir), None) = (source, &walk.finding) {
        walk.finding = head.finding(dir, &walk, &expected);
    }
    let findings: Vec<_> = [walk.finding, walk.set_back].into_iter().flatten().collect();
    Ok(Report {
        key: PublicKey(expected.key).to_hex(),
        installation: expected.installation,
        is_key_given: key.is_some(),
        files: files.len() as u64,
        lines: (begin.seq + 1, walk.end.seq),
        records: walk.records,
        checkpoints: walk.checkpoints,
        unsigned: walk.unsigned,
        last_checkpoint: walk.last_checkpoint.as_ref().map(Checkpoint::time),
        torn_bytes: walk.torn_bytes,
        witnessed: witnessed.filter(|record| *record > begin.seq && findings.is_empty()),
        unsigned_witnesses: unsigned.len() as u64,
        findings,
    })
}

/// The folder's own copy of the newest checkpoint.
#[derive(Debug)]
pub(crate) enum Head {
    Absent,
    Damaged,
    Is(Checkpoint),
}

impl Head {
    pub(crate) fn read(dir: &Path) -> Result<Self, ReadError> {
        let path = dir.join(files::HEAD);
        let read = |file: fs::File| {
            let mut bytes = vec![];
            // What is longer is no checkpoint.
            file.take(TEXT_BYTES_MAX as u64).read_to_end(&mut bytes).map(|_| bytes)
        };
        match fs::File::open(&path).and_then(read) {
            Ok(bytes) => {
                let text = std::str::from_utf8(&bytes).ok();
                let checkpoint = text.and_then(|text| Checkpoint::parse(text.strip_suffix('\n')?));
                Ok(checkpoint.map_or(Self::Damaged, Self::Is))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::Absent),
            Err(error) => Err(files::io_error("read", &path)(error)),
        }
    }

    /// The checkpoint, when it is genuine.
    pub(crate) fn signed_by(&self, expected: &Expected) -> Option<&Checkpoint> {
        match self {
            Self::Is(checkpoint) => {
                Some(checkpoint).filter(|checkpoint| checkpoint.is_signed_by(&expected.key))
            }
            Self::Absent | Self::Damaged => None,
        }
    }

    /// What is wrong with it, beside files in which nothing is.
    pub(crate) fn finding(&self, dir: &Path, walk: &Walk<'_>, expected: &Expected) -> Option<Finding> {
        let (kind, why) = match self {
            // The program may have been killed between its first checkpoint and this copy of it.
            Self::Absent if walk.begin.seq == 0 && walk.checkpoints <= 1 => return None,
            Self::Absent => (Kind::Removal, "the copy of the newest checkpoint is gone"),
            Self::Is(_) if self.signed_by(expected).is_some() => return None,
            Self::Is(_) | Self::Damaged => (Kind::Edit, "this is no checkpoint that the key signed"),
        };
        let record = walk.last_checkpoint.as_ref().map_or(0, Checkpoint::record);
        Some(Finding {
            kind,
            file: dir.join(files::HEAD),
            line: 1,
            record,
            through: None,
            why: why.to_owned(),
        })
    }
}

/// A folder without files: never a record, or one that was removed.
fn nothing_left(dir: &Path, head: &Head) -> Result<Report, ReadError> {
    let Head::Is(checkpoint) = head else { return Err(ReadError::Nothing { dir: dir.to_owned() }) };
    let finding = Finding {
        kind: Kind::CutTail,
        file: dir.join(files::HEAD),
        line: 1,
        record: 1,
        through: Some(checkpoint.record),
        why: "a checkpoint covers lines that are not there any more".to_owned(),
    };
    Ok(Report {
        installation: checkpoint.installation.clone(),
        key: String::new(),
        is_key_given: false,
        files: 0,
        lines: (1, 0),
        records: 0,
        checkpoints: 0,
        unsigned: 0,
        last_checkpoint: None,
        torn_bytes: 0,
        witnessed: None,
        unsigned_witnesses: 0,
        findings: vec![finding],
    })
}

/// Files with their headers; those that were named one by one in the order of the record.
fn ordered(files: Vec<PathBuf>, by_header: bool) -> Result<(Vec<PathBuf>, Vec<Option<Placed>>), ReadError> {
    let headers = headers(&files)?;
    let mut both: Vec<_> = files.into_iter().zip(headers).collect();
    if by_header {
        both.sort_by_key(|(_, header)| header.as_ref().map_or(0, |header| header.seq));
    }
    Ok(both.into_iter().unzip())
}

/// Whose record it is, and with which key it is signed.
pub(crate) fn expected(
    source: &Source,
    files: &[PathBuf],
    headers: &[Option<Placed>],
    head: &Head,
    key: Option<&PublicKey>,
) -> Result<Expected, ReadError> {
    let not_audit = || ReadError::NotAudit { path: files.first().cloned().unwrap_or_default() };
    let whole = || headers.iter().flatten().filter(|header| header.is_whole);
    let any = || whole().next().or_else(|| headers.iter().flatten().next());
    let head_says = if let Head::Is(checkpoint) = head { Some(&checkpoint.installation) } else { None };
    let is_of_head = |header: &&Placed| Some(&header.header.installation) == head_says;
    // A first line that was altered does not count against the copy of the newest checkpoint.
    let first = whole().next().map(|header| &header.header.installation);
    let installation = match (head_says, first) {
        (Some(says), Some(first)) if !whole().any(|header| is_of_head(&header)) => {
            let path = files[0].parent().unwrap_or(Path::new("")).join(files::HEAD);
            let (found, expected) = (says.clone(), first.clone());
            return Err(ReadError::OtherInstallation { path, found, expected });
        }
        (Some(says), _) => says,
        (None, Some(first)) => first,
        (None, None) => any().map(|header| &header.header.installation).ok_or_else(not_audit)?,
    };
    for (path, header) in files.iter().zip(headers) {
        let Some(header) = header.as_ref().filter(|header| header.is_whole).map(|header| &header.header)
        else {
            continue;
        };
        if header.version != VERSION {
            return Err(ReadError::Version { path: path.clone(), found: header.version });
        }
        if header.installation != *installation {
            let (found, expected) = (header.installation.clone(), installation.clone());
            return Err(ReadError::OtherInstallation { path: path.clone(), found, expected });
        }
    }
    let own = whole().find(|header| header.header.installation == *installation).map(|header| header.key);
    let exported = match source {
        Source::Folder(dir) => PublicKey::read(&dir.join(files::PUBLIC_KEY)).ok().map(|key| key.0),
        Source::Files(_) => None,
    };
    let key = key.map(|key| key.0).or(own).or(exported).or_else(|| any().map(|header| header.key));
    Ok(Expected { installation: installation.clone(), key: key.ok_or_else(not_audit)?, checkpoints: vec![] })
}

/// The checkpoints of this installation in files that kept them: those that the key signed, and the others.
fn kept_elsewhere(
    against: &[PathBuf],
    expected: &Expected,
) -> Result<(Vec<Checkpoint>, Vec<Checkpoint>), ReadError> {
    let mut kept = vec![];
    for path in against {
        let found = against::read(path)?;
        let other = found.first().map(|checkpoint| checkpoint.installation.clone()).unwrap_or_default();
        let before = kept.len();
        kept.extend(found.into_iter().filter(|checkpoint| checkpoint.installation == expected.installation));
        if kept.len() == before {
            let (path, expected) = (path.clone(), expected.installation.clone());
            return Err(ReadError::OtherInstallation { path, found: other, expected });
        }
    }
    Ok(kept.into_iter().partition(|checkpoint| checkpoint.is_signed_by(&expected.key)))
}

/// Scans files beside each other, as many as there are processors.
fn scan_all(files: &[PathBuf], expected: &Expected) -> Result<Vec<Scan>, ReadError> {
    let next = AtomicUsize::new(0);
    let scans = Mutex::new(Vec::with_capacity(files.len()));
    let work = || {
        while let Some((number, path)) = files.iter().enumerate().nth(next.fetch_add(1, Ordering::Relaxed)) {
            let scan = scan(path, expected);
            scans.lock().unwrap_or_else(PoisonError::into_inner).push((number, scan));
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(files.len());
    thread::scope(|scope| {
        for _ in 1..threads {
            // Where no thread is to be had, this one does it all.
            drop(thread::Builder::new().name("audit-verify".to_owned()).spawn_scoped(scope, work));
        }
        work();
    });
    let mut scans = scans.into_inner().unwrap_or_else(PoisonError::into_inner);
    scans.sort_by_key(|(number, _)| *number);
    scans.into_iter().map(|(_, scan)| scan).collect()
}
