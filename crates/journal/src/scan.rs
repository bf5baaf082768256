//! Walking over the blocks of a segment file, past damage.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use crate::format::{BLOCK_HEADER, BlockHeader, Body, FILE_HEADER, FINAL, Key, SNAPSHOT};
use crate::{Note, expected::Expected, format};

/// What stands at a place in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    /// A block whose header is right and that lies wholly before the limit.
    Block { offset: u64, header: BlockHeader },
    /// Bytes that belong to no such block.
    Gap { offset: u64, end: u64 },
}

/// A segment file read item by item, through a buffer that moves over it.
#[derive(Debug)]
pub(crate) struct Scan {
    file: File,
    marker: [u8; 8],
    segment: u32,
    /// Nothing at or behind this offset is read.
    limit: u64,
    /// Offset of the buffer's first byte.
    base: u64,
    buffer: Vec<u8>,
    /// Offset of the next item.
    at: u64,
    chunk: usize,
}

impl Scan {
    /// Scans `[offset, limit)`; `offset` is best where a block begins. Reads about `chunk` bytes at once.
    pub(crate) fn open(
        path: &Path,
        key: Key,
        segment: u32,
        offset: u64,
        limit: u64,
        chunk: usize,
    ) -> io::Result<Self> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        let limit = limit.min(file.metadata()?.len());
        Ok(Self {
            file,
            marker: key.marker,
            segment,
            limit,
            base: offset,
            buffer: Vec::new(),
            at: offset,
            chunk: chunk.max(4 * BLOCK_HEADER),
        })
    }

    /// The next item, or None at the limit. When `may_fill` is false also None where the buffer would
    /// have to be filled, so that what was found in it stays.
    pub(crate) fn next(&mut self, may_fill: bool) -> io::Result<Option<Item>> {
        if self.at >= self.limit || !(self.has(self.at, BLOCK_HEADER) || may_fill) {
            return Ok(None);
        }
        self.fill(BLOCK_HEADER)?;
        let offset = self.at;
        if let Some(header) = self.header_at(offset) {
            let end = offset + header.block_bytes();
            if end <= self.limit {
                let length = header.block_bytes() as usize;
                if !self.has(offset, length) {
                    if !may_fill {
                        return Ok(None);
                    }
                    self.fill(length)?;
                }
                self.at = end;
                return Ok(Some(Item::Block { offset, header }));
            }
        }
        if !may_fill {
            return Ok(None);
        }
        self.resynchronise()?;
        Ok(Some(Item::Gap { offset, end: self.at }))
    }

    /// `bytes` from `offset` on, as far as the buffer has them.
    pub(crate) fn slice(&self, offset: u64, bytes: u64) -> &[u8] {
        let start = self.index(offset);
        let rest = self.buffer.get(start..).unwrap_or_default();
        &rest[..rest.len().min(bytes as usize)]
    }

    /// The buffer, and where in it `offset` stands.
    pub(crate) fn index(&self, offset: u64) -> usize {
        offset.saturating_sub(self.base) as usize
    }

    pub(crate) fn at_limit(&self) -> bool {
        self.at >= self.limit
    }

    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// The body of a block just returned.
    pub(crate) fn body(&self, offset: u64, header: BlockHeader) -> Option<Body<'_>> {
        Body::new(header, self.slice(offset, header.block_bytes()))
    }

    /// Moves to the next place where a header checks, or to the limit.
    fn resynchronise(&mut self) -> io::Result<()> {
        let finder = memchr::memmem::Finder::new(&self.marker).into_owned();
        self.at += 1;
        while self.at < self.limit {
            self.fill(BLOCK_HEADER)?;
            let here = self.index(self.at);
            let rest = self.buffer.get(here..).unwrap_or_default();
            let Some(found) = finder.find(rest) else {
                // The marker may begin in the last bytes of the buffer.
                let overlap = self.marker.len() - 1;
                self.at += rest.len().saturating_sub(overlap).max(1) as u64;
                continue;
            };
            self.at += found as u64;
            self.fill(BLOCK_HEADER)?;
            let ends_inside = |header: BlockHeader| self.at + header.block_bytes() <= self.limit;
            if self.header_at(self.at).is_some_and(ends_inside) {
                return Ok(());
            }
            self.at += 1;
        }
        self.at = self.limit;
        Ok(())
    }

    fn header_at(&self, offset: u64) -> Option<BlockHeader> {
        BlockHeader::decode(self.buffer.get(self.index(offset)..)?, self.marker, self.segment)
    }

    fn has(&self, offset: u64, bytes: usize) -> bool {
        let available = self.buffer.len().saturating_sub(self.index(offset));
        available >= bytes || self.base + self.buffer.len() as u64 >= self.limit
    }

    /// Sees to it that `bytes` from `at` on are in the buffer, unless the limit comes first.
    fn fill(&mut self, bytes: usize) -> io::Result<()> {
        if self.has(self.at, bytes) {
            return Ok(());
        }
        let keep = self.index(self.at).min(self.buffer.len());
        self.buffer.drain(..keep);
        self.base += keep as u64;
        if self.buffer.is_empty() {
            self.base = self.at;
            self.file.seek(SeekFrom::Start(self.at))?;
        }
        let end = self.base + self.buffer.len() as u64;
        let wanted = bytes.max(self.chunk).saturating_sub(self.buffer.len()) as u64;
        let wanted = wanted.min(self.limit.saturating_sub(end));
        self.buffer.reserve(wanted as usize);
        let read = (&mut self.file).take(wanted).read_to_end(&mut self.buffer)?;
        if (read as u64) < wanted {
            // Cut by somebody else meanwhile.
            self.limit = end + read as u64;
        }
        Ok(())
    }
}

/// What a segment file holds.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Record numbers given out: the next record's number.
    pub(crate) records: u32,
    /// Records that cannot be read.
    pub(crate) damaged_records: u64,
    /// Places whose bytes are no block, or whose notes cannot be read.
    pub(crate) damaged_places: u64,
    /// Up to here the segment is kept; what is behind is the torn tail.
    pub(crate) keep: u64,
    /// Acknowledged records that would stand behind the last one there is; part of the damaged ones.
    pub(crate) missing_records: u64,
    /// Ends with the statement that all is durable, and nothing that was acknowledged is missing.
    pub(crate) clean: bool,
    /// The notes carried over are complete.
    pub(crate) snapshot: bool,
    /// The notes carried over, then those of the batches.
    pub(crate) notes: Vec<Note>,
}

/// Bytes read at once by a survey.
const CHUNK: usize = 1 << 20;
/// What a disk writes whole; a torn write leaves zeros in these units.
const SECTOR: u64 = 512;

/// Goes over a whole segment. With `tail` the end may be torn (it is the newest segment) behind what was
/// acknowledged: `keep` then stands behind its last complete batch. With `deep` every record's checksum
/// is looked at.
pub(crate) fn survey(
    path: &Path,
    key: Key,
    segment: u32,
    tail: bool,
    deep: bool,
    expected: &Expected,
) -> io::Result<Survey> {
    let limit = path.metadata()?.len();
    let acknowledged = expected.bytes(segment);
    let durable = if tail { durable_mark(path, key, segment, limit)?.max(acknowledged) } else { limit };
    let mut survey = walk(path, key, segment, (durable, limit), tail, deep)?;
    let wanted = expected.records(segment);
    survey.missing_records = u64::from(wanted.saturating_sub(survey.records));
    survey.damaged_records += survey.missing_records;
    survey.damaged_places += u64::from(survey.missing_records > 0);
    survey.clean &= survey.missing_records == 0 && limit >= acknowledged;
    survey.records = survey.records.max(wanted);
    Ok(survey)
}

/// Goes over a segment that is certain up to `durable` and ends at `limit`.
fn walk(
    path: &Path,
    key: Key,
    segment: u32,
    (durable, limit): (u64, u64),
    tail: bool,
    deep: bool,
) -> io::Result<Survey> {
    let mut scan = Scan::open(path, key, segment, FILE_HEADER as u64, limit, CHUNK)?;
    let mut survey = Survey { keep: durable.min(limit), ..Survey::default() };
    let mut kept = (0_u32, 0_u64, 0_u64, 0_usize);
    // The run of closing blocks that ends what is kept: every start that appended nothing adds one.
    let (mut in_snapshot, mut closing) = (false, None);
    let mut expected = 0_u32;
    while let Some(item) = scan.next(true)? {
        let (offset, end) = match item {
            Item::Block { offset, header } => (offset, offset + header.block_bytes()),
            Item::Gap { offset, end } => (offset, end),
        };
        let uncertain = offset >= durable;
        let Item::Block { header, .. } = item else {
            if uncertain && (end >= limit || has_zero_sector(path, offset, end)?) {
                break;
            }
            (survey.damaged_places, in_snapshot) = (survey.damaged_places + 1, false);
            if !uncertain {
                kept.2 = survey.damaged_places;
            }
            continue;
        };
        let (damaged_records, notes) = inspect(&scan, offset, header, deep || uncertain);
        let damaged = damaged_records > 0 || notes.is_none();
        if uncertain && damaged && has_zero_sector(path, offset, end)? {
            break;
        }
        survey.damaged_places += u64::from(damaged);
        survey.damaged_records += damaged_records + u64::from(header.first_record.saturating_sub(expected));
        expected = expected.max(header.end_record());
        if header.is(SNAPSHOT) {
            in_snapshot = notes.is_some() && (in_snapshot || offset == FILE_HEADER as u64);
            survey.snapshot = in_snapshot && header.is(FINAL);
        }
        survey.notes.extend(notes.unwrap_or_default());
        if header.is(FINAL) || !uncertain {
            survey.keep = survey.keep.max(end);
            survey.clean = header.is(format::CLOSE) && end == limit;
            closing = header.is(format::CLOSE).then_some(match closing {
                Some((start, last)) if last == offset => (start, end),
                _ => (offset, end),
            });
            kept = (expected, survey.damaged_records, survey.damaged_places, survey.notes.len());
        }
    }
    // Else the next start would take the cut segment for one closed in order.
    if let Some((start, end)) = closing
        && tail
        && end == survey.keep
        && end < limit
    {
        survey.keep = start;
    }
    let notes;
    (survey.records, survey.damaged_records, survey.damaged_places, notes) = kept;
    survey.notes.truncate(notes);
    Ok(survey)
}

/// Damaged records and, when they can be read, the notes.
fn inspect(scan: &Scan, offset: u64, header: BlockHeader, deep: bool) -> (u64, Option<Vec<Note>>) {
    let all = u64::from(header.records);
    let Some(body) = scan.body(offset, header) else { return (all, None) };
    let damaged = match deep.then(|| body.records()) {
        None => 0,
        Some(None) => all,
        Some(Some(records)) => records.filter(|(_, intact)| !intact).count() as u64,
    };
    (damaged, body.notes())
}

/// The offset up to which the segment says of itself that it was durable.
fn durable_mark(path: &Path, key: Key, segment: u32, limit: u64) -> io::Result<u64> {
    let mut scan = Scan::open(path, key, segment, FILE_HEADER as u64, limit, CHUNK)?;
    let mut durable = 0;
    while let Some(item) = scan.next(true)? {
        if let Item::Block { offset, header } = item {
            // The closing block itself is part of what it vouches for.
            let own = if header.is(format::CLOSE) { offset + header.block_bytes() } else { 0 };
            durable = durable.max(header.durable.min(offset)).max(own);
        }
    }
    Ok(durable)
}

/// Whether a sector that overlaps the range holds nothing but zeros: what a write leaves that was
/// never finished, and what a flipped bit does not.
fn has_zero_sector(path: &Path, start: u64, end: u64) -> io::Result<bool> {
    let start = start / SECTOR * SECTOR;
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(end.saturating_sub(start).next_multiple_of(SECTOR)).read_to_end(&mut bytes)?;
    Ok(bytes.chunks(SECTOR as usize).any(|sector| sector.iter().all(|&byte| byte == 0)))
}

/// The number of records of a closed segment, from its last block alone.
pub(crate) fn closed_records(path: &Path, key: Key, segment: u32) -> io::Result<Option<u32>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let Some(offset) = length.checked_sub(BLOCK_HEADER as u64) else { return Ok(None) };
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = [0; BLOCK_HEADER];
    file.read_exact(&mut bytes)?;
    let header = BlockHeader::decode(&bytes, key.marker, segment);
    Ok(header
        .filter(|header| header.is(format::CLOSE) && header.durable == offset)
        .map(|header| header.first_record))
}
