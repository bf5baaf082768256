//! What must be there: which segments were closed with how many records, and up to where the newest
//! one was acknowledged. Without it, a file that vanished or was cut could not be told from one that
//! never was, nor a destroyed end from a write that never finished.
//!
//! `acknowledged` is overwritten in place after each fsync of a segment and before anybody is answered.
//! It is made durable only when a segment is closed: a process that is killed leaves it as it is, and
//! after a power loss it may be behind, never ahead. `manifest` is replaced before a segment begins and
//! before segments go.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use event::JournalId;

use crate::{
    OpenError, Problem,
    disk::Disk,
    error::io_error,
    format::{VERSION, array, get_u32, put_u32},
    segment::Segment,
};

const MANIFEST_MAGIC: [u8; 8] = *b"LSJRNL\0L";
const SLOT_MAGIC: [u8; 8] = *b"LSJRNL\0A";
const MANIFEST_HEADER: usize = 36;
const MANIFEST_ENTRY: usize = 16;
const SLOT: usize = 56;
/// The slots stand in pages of their own, so that a torn write cannot touch both.
const SLOT_DISTANCE: usize = 4096;

/// Up to where the newest segment was acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Acknowledged {
    pub(crate) segment: u32,
    pub(crate) bytes: u64,
    pub(crate) records: u32,
}

/// What the two files say.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    pub(crate) acknowledged: Option<Acknowledged>,
    generation: u64,
    /// Records of the segments that were closed.
    pub(crate) closed: BTreeMap<u32, u32>,
    pub(crate) problems: Vec<Problem>,
}

fn manifest_path(dir: &Path) -> PathBuf {
    dir.join("manifest")
}

fn acknowledged_path(dir: &Path) -> PathBuf {
    dir.join("acknowledged")
}

impl Expected {
    /// Reads both; what is not there (an older version wrote none) or of another journal tells nothing.
    pub(crate) fn read(dir: &Path, id: JournalId) -> Result<Self, OpenError> {
        let mut expected = Self::default();
        let path = acknowledged_path(dir);
        if let Some(bytes) = read_file(&path)? {
            for start in [0, SLOT_DISTANCE] {
                let slot = bytes.get(start..).and_then(|rest| rest.first_chunk::<SLOT>());
                let Some(bytes) = slot.filter(|bytes| is_intact(*bytes, SLOT_MAGIC)) else {
                    let what = "damaged; the end of what was acknowledged may not be known";
                    expected.problems = vec![Problem::new(&path, what)];
                    continue;
                };
                refuse_newer(&path, bytes)?;
                let generation = u64::from_le_bytes(array(bytes, 32));
                if array::<16>(bytes, 16) == id.0.to_be_bytes() && generation >= expected.generation {
                    expected.generation = generation;
                    expected.acknowledged = Some(Acknowledged {
                        segment: get_u32(bytes, 12),
                        bytes: u64::from_le_bytes(array(bytes, 40)),
                        records: get_u32(bytes, 48),
                    });
                }
            }
        }
        let path = manifest_path(dir);
        if let Some(bytes) = read_file(&path)? {
            if bytes.len() < MANIFEST_HEADER || !is_intact(&bytes, MANIFEST_MAGIC) {
                let what = "damaged; whether older segments are missing cannot be told";
                expected.problems.push(Problem::new(&path, what));
            } else {
                refuse_newer(&path, &bytes)?;
                if array::<16>(&bytes, 16) == id.0.to_be_bytes() {
                    let entries = bytes[32..bytes.len() - 4].chunks_exact(MANIFEST_ENTRY);
                    expected.closed = entries.map(|entry| (get_u32(entry, 0), get_u32(entry, 4))).collect();
                }
            }
        }
        Ok(expected)
    }

    /// Records that the segment must have; 0 when that is not known.
    pub(crate) fn records(&self, segment: u32) -> u32 {
        let acknowledged = self.acknowledged.filter(|end| end.segment == segment);
        let acknowledged = acknowledged.map_or(0, |end| end.records);
        self.closed.get(&segment).copied().unwrap_or(0).max(acknowledged)
    }

    /// Bytes up to which the segment was acknowledged; 0 when that is not known.
    pub(crate) fn bytes(&self, segment: u32) -> u64 {
        self.acknowledged.filter(|end| end.segment == segment).map_or(0, |end| end.bytes)
    }

    /// All segments that were there, ascending.
    pub(crate) fn segments(&self) -> Vec<u32> {
        let mut segments: Vec<u32> = self.closed.keys().copied().collect();
        segments.extend(self.acknowledged.map(|end| end.segment));
        segments.sort_unstable();
        segments.dedup();
        segments
    }

    /// Whether the segment was acknowledged at all; None when nothing is known.
    pub(crate) fn is_known(&self, segment: u32) -> bool {
        self.acknowledged.is_some_and(|end| end.segment >= segment) || self.closed.contains_key(&segment)
    }
}

fn read_file(path: &Path) -> Result<Option<Vec<u8>>, OpenError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("read", path)(error)),
    }
}

/// Whether the bytes begin with `magic` and end with their checksum.
fn is_intact(bytes: &[u8], magic: [u8; 8]) -> bool {
    let Some(end) = bytes.len().checked_sub(4) else { return false };
    bytes.starts_with(&magic) && crc32c::crc32c(&bytes[..end]) == get_u32(bytes, end)
}

fn refuse_newer(path: &Path, bytes: &[u8]) -> Result<(), OpenError> {
    match get_u32(bytes, 8) {
        VERSION => Ok(()),
        found => Err(OpenError::Version { path: path.to_owned(), found }),
    }
}

/// Replaces the manifest.
pub(crate) fn write_manifest(
    disk: &Disk,
    dir: &Path,
    id: JournalId,
    segments: &BTreeMap<u32, Segment>,
) -> io::Result<()> {
    let mut bytes = vec![0; MANIFEST_HEADER - 4];
    bytes[..8].copy_from_slice(&MANIFEST_MAGIC);
    put_u32(&mut bytes, 8, VERSION);
    bytes[16..32].copy_from_slice(&id.0.to_be_bytes());
    for (number, segment) in segments {
        bytes.extend_from_slice(&number.to_le_bytes());
        bytes.extend_from_slice(&segment.records.to_le_bytes());
        bytes.extend_from_slice(&segment.bytes.to_le_bytes());
    }
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    disk.write_atomic(&manifest_path(dir), &bytes)
}

/// Writes `acknowledged`. Best effort: where it cannot be written, less is known after damage.
#[derive(Debug, Default)]
pub(crate) struct Marker {
    file: Option<File>,
    generation: u64,
}

impl Marker {
    /// Goes on behind what was read.
    pub(crate) fn after(dir: &Path, expected: &Expected) -> Self {
        let file =
            expected.acknowledged.and_then(|_| File::options().write(true).open(acknowledged_path(dir)).ok());
        Self { file, generation: expected.generation }
    }

    /// Makes the file with both slots, so that from then on it needs no new space.
    pub(crate) fn create(&mut self, disk: &Disk, dir: &Path, id: JournalId, end: Acknowledged) {
        if self.file.is_none() {
            let mut bytes = vec![0; SLOT_DISTANCE + SLOT];
            self.generation += 1;
            for start in [0, SLOT_DISTANCE] {
                bytes[start..start + SLOT].copy_from_slice(&slot(id, self.generation, end));
            }
            let path = acknowledged_path(dir);
            let written = disk.write_atomic(&path, &bytes);
            self.file = written.and_then(|()| File::options().write(true).open(&path)).ok();
        }
    }

    /// Overwrites the older slot; false when there is no file to write to.
    pub(crate) fn write(&mut self, id: JournalId, end: Acknowledged) -> bool {
        let Some(file) = &mut self.file else { return false };
        self.generation += 1;
        let bytes = slot(id, self.generation, end);
        let place = SeekFrom::Start(self.generation % 2 * SLOT_DISTANCE as u64);
        if file.seek(place).and_then(|_| file.write_all(&bytes)).is_err() {
            self.file = None;
        }
        self.file.is_some()
    }

    pub(crate) fn sync(&mut self) {
        if self.file.as_ref().is_some_and(|file| file.sync_data().is_err()) {
            self.file = None;
        }
    }
}

fn slot(id: JournalId, generation: u64, end: Acknowledged) -> [u8; SLOT] {
    let mut bytes = [0; SLOT];
    bytes[..8].copy_from_slice(&SLOT_MAGIC);
    put_u32(&mut bytes, 8, VERSION);
    put_u32(&mut bytes, 12, end.segment);
    bytes[16..32].copy_from_slice(&id.0.to_be_bytes());
    bytes[32..40].copy_from_slice(&generation.to_le_bytes());
    bytes[40..48].copy_from_slice(&end.bytes.to_le_bytes());
    put_u32(&mut bytes, 48, end.records);
    let crc = crc32c::crc32c(&bytes[..52]);
    put_u32(&mut bytes, 52, crc);
    bytes
}

/// The first bytes of a file, as many as there are.
pub(crate) fn head(path: &Path, bytes: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(bytes as u64).read_to_end(&mut head)?;
    Ok(head)
}
