//! Which files there must be, so that one that vanished is told from one that never was.
//!
//! ```text
//! 8 bytes   LSIXMAN1
//! covered   varint number, then of each journal 16 bytes, varint segment, varint record
//! files     varint number, then of each varint number, rows, first and last time stamp;
//!           varint number of ranges, then of each 16 bytes journal, varint segment and record of start and end
//! 4 bytes   CRC-32C of all before, little-endian
//! ```
//! It is replaced after a file has appeared and before those that it replaces go. A file that is not in it
//! is taken as it is: an index of an earlier version has none. The ranges say where in the journals a
//! file's events lie, so that they can be taken from there again.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use event::{JournalId, Position};

use super::{
    ints::{Damage, Input, put_varint},
    segment::Segment,
};
use crate::{IndexError, JournalRange};

const MAGIC: &[u8; 8] = b"LSIXMAN1";
/// What the magic of each version begins with.
const NAME: &[u8] = b"LSIXMAN";

/// A file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) rows: u64,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) ranges: Vec<JournalRange>,
}

/// All files, and behind which events of the journals they stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) covered: BTreeMap<JournalId, Position>,
    pub(super) files: BTreeMap<u64, Entry>,
}

fn file(dir: &Path) -> PathBuf {
    dir.join("manifest")
}

impl Manifest {
    /// None when there is none; an error when it is damaged or of another version.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, IndexError> {
        let path = file(dir);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(IndexError::File { action: "read", path, source }),
        };
        let damaged =
            |reason: &str| IndexError::Damaged { path: path.clone(), reason: reason.to_owned(), block: None };
        let Some((content, checksum)) = bytes.split_last_chunk::<4>() else {
            return Err(damaged("it is too short"));
        };
        if crc32c::crc32c(content).to_le_bytes() != *checksum {
            return Err(damaged("its checksum differs"));
        }
        match content.strip_prefix(MAGIC) {
            Some(content) => Self::take(content).map(Some).map_err(|damage| damaged(damage.0)),
            None if content.starts_with(NAME) => Err(IndexError::Version { path }),
            None => Err(damaged("its first bytes are not those of a manifest")),
        }
    }

    fn take(bytes: &[u8]) -> Result<Self, Damage> {
        let mut input = Input(bytes);
        let most = bytes.len();
        let mut manifest = Self::default();
        for _ in 0..input.length(most)? {
            let journal = take_journal(&mut input)?;
            manifest.covered.insert(journal, take_position(&mut input)?);
        }
        for _ in 0..input.length(most)? {
            let number = input.varint()?;
            let (rows, first, last) = (input.varint()?, input.varint()? as i64, input.varint()? as i64);
            let mut ranges = Vec::new();
            for _ in 0..input.length(most)? {
                let journal = take_journal(&mut input)?;
                let (start, end) = (take_position(&mut input)?, take_position(&mut input)?);
                ranges.push(JournalRange { journal, start, end });
            }
            manifest.files.insert(number, Entry { rows, first, last, ranges });
        }
        Ok(manifest)
    }

    fn put(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        put_varint(&mut out, self.covered.len() as u64);
        for (journal, position) in &self.covered {
            put_journal(&mut out, *journal);
            put_position(&mut out, *position);
        }
        put_varint(&mut out, self.files.len() as u64);
        for (number, entry) in &self.files {
            for value in
                [*number, entry.rows, entry.first as u64, entry.last as u64, entry.ranges.len() as u64]
            {
                put_varint(&mut out, value);
            }
            for range in &entry.ranges {
                put_journal(&mut out, range.journal);
                put_position(&mut out, range.start);
                put_position(&mut out, range.end);
            }
        }
        let checksum = crc32c::crc32c(&out).to_le_bytes();
        out.extend_from_slice(&checksum);
        out
    }

    /// Replaces the file.
    pub(super) fn write(&self, dir: &Path) -> io::Result<()> {
        disk::replace(&file(dir), &self.put())
    }

    /// Takes in a file that takes the place of others.
    pub(super) fn add(&mut self, segment: &Segment, replaced: &[u64]) {
        let mut ranges: Vec<JournalRange> = replaced
            .iter()
            .filter_map(|number| self.files.remove(number))
            .flat_map(|entry| entry.ranges)
            .collect();
        for (journal, end) in &segment.covered {
            let covered = self.covered.entry(*journal).or_default();
            if *covered < *end {
                // Files are written in the order of the journal, so it begins where the others end.
                ranges.push(JournalRange { journal: *journal, start: *covered, end: *end });
                *covered = *end;
            }
        }
        let entry =
            Entry { rows: segment.rows, first: segment.first, last: segment.last, ranges: joined(ranges) };
        self.files.insert(segment.number, entry);
    }
}

/// Ranges that follow one another become one.
fn joined(mut ranges: Vec<JournalRange>) -> Vec<JournalRange> {
    ranges.sort_unstable_by_key(|range| (range.journal, range.start));
    let mut joined: Vec<JournalRange> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.journal == range.journal && last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}

fn put_journal(out: &mut Vec<u8>, journal: JournalId) {
    out.extend_from_slice(&journal.0.to_le_bytes());
}

fn take_journal(input: &mut Input<'_>) -> Result<JournalId, Damage> {
    let bytes = input.take(16)?;
    Ok(JournalId(bytes.iter().rev().fold(0, |id, byte| id << 8 | u128::from(*byte))))
}

fn put_position(out: &mut Vec<u8>, position: Position) {
    put_varint(out, u64::from(position.segment));
    put_varint(out, u64::from(position.record));
}

fn take_position(input: &mut Input<'_>) -> Result<Position, Damage> {
    Ok(Position { segment: input.u32()?, record: input.u32()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(segment: u32, record: u32) -> Position {
        Position { segment, record }
    }

    fn segment(number: u64, end: u32) -> Segment {
        let covered = vec![(JournalId(7), position(0, end))];
        let mut segment = Segment::in_memory(Vec::new(), Default::default(), covered);
        segment.number = number;
        segment
    }

    #[test]
    fn it_is_read_back_damage_is_seen_and_a_newer_one_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), None);
        let mut manifest = Manifest::default();
        for (number, start, end) in [(1, 0, 5), (2, 5, 9), (3, 9, 20)] {
            manifest.add(&segment(number, end), &[]);
            let range =
                JournalRange { journal: JournalId(7), start: position(0, start), end: position(0, end) };
            assert_eq!(manifest.files[&number].ranges, [range]);
        }
        manifest.add(&segment(4, 9), &[1, 2]);
        let range = JournalRange { journal: JournalId(7), start: position(0, 0), end: position(0, 9) };
        assert_eq!((manifest.files[&4].ranges.as_slice(), manifest.files.len()), (&[range][..], 2));
        manifest.write(dir.path()).unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), Some(manifest));
        let sound = std::fs::read(file(dir.path())).unwrap();
        for at in 0..sound.len() {
            let mut damaged = sound.clone();
            damaged[at] ^= 1;
            std::fs::write(file(dir.path()), damaged).unwrap();
            assert!(matches!(Manifest::read(dir.path()), Err(IndexError::Damaged { .. })), "{at}");
        }
        let mut newer = sound[..sound.len() - 4].to_vec();
        newer[7] = b'2';
        let checksum = crc32c::crc32c(&newer).to_le_bytes();
        newer.extend_from_slice(&checksum);
        std::fs::write(file(dir.path()), newer).unwrap();
        assert!(matches!(Manifest::read(dir.path()), Err(IndexError::Version { .. })));
    }
}
