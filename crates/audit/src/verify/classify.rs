//! Where the chain breaks: what was done there. Looks at the lines around the break, and at all behind it, once.

use std::path::PathBuf;

use blake3::Hash;

use super::scan::Link;
use crate::{
    Finding, ReadError,
    checkpoint::Checkpoint,
    files::Lines,
    finding::Kind,
    header::Header,
    line::{self, Line},
};

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Which of the files.
    pub(super) file: usize,
    /// From 1.
    pub(super) line: u64,
}

/// What of a line is needed when it has been passed.
struct Seen {
    bytes: Vec<u8>,
}

impl Seen {
    fn line(&self) -> Option<Line<'_>> {
        Line::parse(&self.bytes)
    }

    fn seq(&self) -> Option<u64> {
        self.line().map(|line| line.seq)
    }

    fn hangs_on(&self, previous: &Hash) -> bool {
        self.line().is_some_and(|line| line.follows(previous).is_some())
    }
}

/// What the lines behind the break tell.
#[derive(Default)]
struct Behind {
    /// The line that belongs at the break stands there.
    has_expected: bool,
    /// Another line has the number of the one at the break.
    has_its_number: bool,
    /// The line on which the one at the break hangs stands there.
    has_its_predecessor: bool,
}

/// Says what was done at `place`, where another line stands than the one that hangs on `before`. `begin` is on what the
/// first file hangs.
///
/// # Errors
/// When the files cannot be read.
pub(super) fn classify(
    files: &[PathBuf],
    begin: Link,
    place: Place,
    before: Link,
) -> Result<Finding, ReadError> {
    let expected = before.seq + 1;
    let (at_break, next) = at_break(files, place)?;
    let finding = |kind, record, through: Option<u64>, why: &str| Finding {
        kind,
        file: files[place.file].clone(),
        line: place.line,
        record,
        through,
        why: why.to_owned(),
    };
    let Some(broken) = at_break.line() else {
        let behind = behind(files, place, before, None)?;
        return Ok(if behind.has_expected {
            finding(
                Kind::Insertion,
                expected,
                None,
                "this is no line of the record, and what belongs here follows",
            )
        } else {
            finding(Kind::Edit, expected, None, "this is no line of the record any more")
        });
    };
    let is_next_sound = next.as_ref().is_some_and(|next| {
        next.seq() == Some(expected + 1) && broken.claimed().is_some_and(|hash| next.hangs_on(&hash))
    });
    if is_next_sound || is_at_odds(&broken) {
        return Ok(finding(Kind::Edit, expected, None, "its content is not that of its hash"));
    }
    let behind = behind(files, place, before, Some(&broken))?;
    if behind.has_expected {
        return Ok(if broken.seq > expected && behind.has_its_predecessor && !behind.has_its_number {
            finding(Kind::Reorder, expected, None, "another record stands here, and this one further behind")
        } else {
            finding(
                Kind::Insertion,
                expected,
                None,
                "a line stands here that was never written, before this record",
            )
        });
    }
    if broken.seq > expected {
        return Ok(finding(Kind::Removal, expected, Some(broken.seq - 1), "what belongs here is gone"));
    }
    if broken.seq == expected {
        return Ok(finding(Kind::Edit, expected, None, "its content is not that of its hash"));
    }
    let inserted = finding(Kind::Insertion, expected, None, "a line stands here that was never written");
    Ok(match earlier(files, begin, broken.seq)? {
        // The line at the break is genuine, and hangs on what stood here before others were put in.
        Some((first, previous))
            if first.hash.to_hex().as_bytes() != broken.hash && broken.follows(&previous).is_some() =>
        {
            Finding {
                file: files[first.place.file].clone(),
                line: first.place.line,
                record: broken.seq,
                through: Some(expected - 1),
                why: "lines stand here that were never written, before the record of this number".to_owned(),
                ..inserted
            }
        }
        _ => inserted,
    })
}

/// Whether a line contradicts itself: a checkpoint covers exactly what stands before it.
fn is_at_odds(line: &Line<'_>) -> bool {
    let covered = Checkpoint::in_line(line.content).map(|checkpoint| checkpoint.record);
    line.kind == line::Kind::Checkpoint && covered.and_then(|record| record.checked_add(1)) != Some(line.seq)
}

/// The line at a place and the one behind it.
fn at_break(files: &[PathBuf], place: Place) -> Result<(Seen, Option<Seen>), ReadError> {
    let mut found = vec![];
    each_from(files, place, |_, bytes| {
        found.push(Seen { bytes: bytes.to_vec() });
        found.len() < 2
    })?;
    let mut found = found.into_iter();
    Ok((found.next().unwrap_or(Seen { bytes: vec![] }), found.next()))
}

fn behind(
    files: &[PathBuf],
    place: Place,
    before: Link,
    broken: Option<&Line<'_>>,
) -> Result<Behind, ReadError> {
    let mut behind = Behind::default();
    each_from(files, place, |at, bytes| {
        let Some(line) = Line::parse(bytes).filter(|_| at > place) else { return true };
        behind.has_expected |= line.seq == before.seq + 1 && line.follows(&before.hash).is_some();
        if let Some(broken) = broken {
            behind.has_its_number |= line.seq == broken.seq;
            behind.has_its_predecessor |= line.seq + 1 == broken.seq
                && line.claimed().is_some_and(|hash| broken.follows(&hash).is_some());
        }
        true
    })?;
    Ok(behind)
}

/// A line that was sound.
struct Sound {
    place: Place,
    hash: Hash,
}

/// The first line of this number, and on what it hangs.
fn earlier(files: &[PathBuf], begin: Link, seq: u64) -> Result<Option<(Sound, Hash)>, ReadError> {
    let mut previous = begin.hash;
    let mut found = None;
    each_from(files, Place { file: 0, line: 1 }, |place, bytes| {
        let Some((line, hash)) = Line::parse(bytes).and_then(|line| Some((line, line.claimed()?))) else {
            return true;
        };
        if line.seq == seq {
            found = Some((Sound { place, hash }, previous));
        }
        previous = hash;
        found.is_none()
    })?;
    Ok(found)
}

/// Each line from a place on, through all files, until told to stop.
fn each_from(
    files: &[PathBuf],
    from: Place,
    mut each: impl FnMut(Place, &[u8]) -> bool,
) -> Result<(), ReadError> {
    for (file, path) in files.iter().enumerate().skip(from.file) {
        let mut lines = Lines::open(path)?;
        while let Some(raw) = lines.next()? {
            let place = Place { file, line: raw.number };
            if place >= from && !each(place, raw.bytes) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// On what the first file hangs: as its header says, else on nothing.
pub(crate) fn begin_of(header: Option<&crate::header::Placed>, installation: &str) -> Link {
    match header {
        Some(placed) if placed.header.file > 0 => {
            Link { seq: placed.seq.saturating_sub(1), hash: placed.previous }
        }
        _ => Link { seq: 0, hash: line::genesis(installation) },
    }
}

/// The headers of these files.
///
/// # Errors
/// When one cannot be read.
pub(crate) fn headers(files: &[PathBuf]) -> Result<Vec<Option<crate::header::Placed>>, ReadError> {
    files
        .iter()
        .map(|path| Ok(Lines::open(path)?.next()?.and_then(|first| Header::parse(first.bytes))))
        .collect()
}
