//! A segment: blocks of rows with the tables they refer to, in one immutable file or, while it is
//! being written, in memory.
//!
//! ```text
//! locator   8 bytes LSINDEX2, u64 where the tables begin, u32 length of the tables, u32 length of the footer,
//!           u32 CRC-32C of the footer, u32 CRC-32C of the locator before
//! blocks    the sections of each block, one behind the other
//! tables    packed, see `shapes`
//! footer    varint rows; covered journals: varint number, then 16 bytes, varint segment, varint record of each;
//!           replaced segments: varint number, then their numbers; tables: varint offset, length, CRC-32C;
//!           blocks: varint number, then of each varint rows, first and last time stamp, length and CRC-32C of each section
//! shield    of tables and footer together, see `shield`
//! locator   the same as at the start
//! ```
//! So no single damaged place costs more than a block: it is left out when its checksum is found to differ.
//! Version 1, which is read on, begins with 8 bytes LSINDEX1 and ends behind the footer with u32 length of the footer,
//! u32 CRC-32C of the footer, 8 bytes LSINDEX1; it has no shield. A later version is refused, not taken for damage.
//! Fixed-width numbers are little-endian. A file is written under another name, synced and renamed,
//! so that it appears whole or not at all, and with it the journal position that it covers. A file
//! that replaces others says so itself: those that are still there at the next start are removed.

use std::{
    fs::File,
    io::{self, Seek, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use event::{JournalId, Position};

use super::{
    block::{BlockMeta, EncodedBlock, Packing, SECTIONS, Section, packed},
    cache::Cache,
    ints::{Damage, Input, put_varint},
    shapes::Tables,
    shield::{restore, shield, shield_len},
};
use crate::IndexError;

const MAGIC: &[u8; 8] = b"LSINDEX2";
const MAGIC_1: &[u8; 8] = b"LSINDEX1";
/// What the magic of each version begins with.
const NAME: &[u8; 7] = b"LSINDEX";
/// Bytes behind the footer in version 1.
const TRAILER_1: usize = 16;
const LOCATOR: usize = 32;
/// More than this no section, table or footer unpacks to.
const UNPACKED_MAX: usize = 1 << 30;
/// Kind of the cache entry that holds a segment's tables.
const TABLES_KIND: u8 = 255;

/// Makes numbers for cache keys, never the same twice in a process.
pub(super) fn next_unit() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A block's place.
#[derive(Debug, Clone)]
pub(super) struct BlockPlace {
    pub(super) unit: u64,
    pub(super) meta: BlockMeta,
    /// In the file.
    offset: u64,
    /// Its bytes, when it is not in a file.
    memory: Option<Arc<EncodedBlock>>,
}

impl BlockPlace {
    pub(super) fn in_memory(block: Arc<EncodedBlock>) -> Self {
        Self { unit: next_unit(), meta: block.meta.clone(), offset: 0, memory: Some(block) }
    }
}

/// Where tables, footer and shield of a file stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Locator {
    start: u64,
    tables: u32,
    footer: u32,
    /// Of the footer.
    checksum: u32,
}

impl Locator {
    fn put(self) -> [u8; LOCATOR] {
        let mut bytes = [0; LOCATOR];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..16].copy_from_slice(&self.start.to_le_bytes());
        for (at, number) in [(16, self.tables), (20, self.footer), (24, self.checksum)] {
            bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        let checksum = crc32c::crc32c(&bytes[..28]);
        bytes[28..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    fn take(bytes: &[u8; LOCATOR]) -> Option<Self> {
        if bytes[..8] != *MAGIC || crc32c::crc32c(&bytes[..28]) != number_at(bytes, 28) {
            return None;
        }
        let start = u64::from(number_at(bytes, 12)) << 32 | u64::from(number_at(bytes, 8));
        let (tables, footer, checksum) = (number_at(bytes, 16), number_at(bytes, 20), number_at(bytes, 24));
        Some(Self { start, tables, footer, checksum })
    }

    /// Bytes of tables and footer.
    fn length(self) -> usize {
        self.tables as usize + self.footer as usize
    }
}

fn number_at(bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
    bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// Bytes of a file, and their checksum.
#[derive(Debug, Clone, Copy)]
struct Extent {
    offset: u64,
    length: usize,
    checksum: u32,
}

#[derive(Debug, Clone)]
enum Storage {
    Memory(Arc<Tables>),
    /// Version 1 has no locator.
    File {
        file: Arc<File>,
        path: PathBuf,
        tables: Extent,
        locator: Option<Locator>,
    },
}

/// A segment.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    unit: u64,
    /// Of its file; 0 in memory.
    pub(super) number: u64,
    pub(super) rows: u64,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) bytes: u64,
    pub(super) blocks: Vec<BlockPlace>,
    /// Whether it has all its blocks; else the totals of its tables are too high.
    pub(super) whole: bool,
    /// Behind the last event of each journal that is in this segment or in one it replaces.
    pub(super) covered: Vec<(JournalId, Position)>,
    pub(super) replaces: Vec<u64>,
    storage: Storage,
}

impl Segment {
    pub(super) fn in_memory(
        blocks: Vec<BlockPlace>,
        tables: Arc<Tables>,
        covered: Vec<(JournalId, Position)>,
    ) -> Self {
        let rows = blocks.iter().map(|block| u64::from(block.meta.rows)).sum();
        let (first, last) = times(&blocks);
        Self {
            unit: next_unit(),
            number: 0,
            rows,
            first,
            last,
            bytes: 0,
            blocks,
            whole: true,
            covered,
            replaces: Vec::new(),
            storage: Storage::Memory(tables),
        }
    }

    /// Its number in cache keys.
    pub(super) fn unit(&self) -> u64 {
        self.unit
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self.storage, Storage::File { .. })
    }

    /// When its events begin to age, for retention: its last time stamp. Where that lies in the future, as of when
    /// the file was written, by when it was written: else one wrong clock would keep its neighbours for ever.
    pub(super) fn ages_from(&self) -> i64 {
        let written = std::fs::metadata(self.path()).and_then(|metadata| metadata.modified()).ok();
        let written = written.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let nanos = |time: std::time::Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        match written.map(|written| (nanos(written), nanos(written.saturating_add(event::FUTURE_AFTER)))) {
            Some((written, future)) if self.last > future => written,
            _ => self.last,
        }
    }

    /// Where it lies, for errors.
    pub(super) fn path(&self) -> &Path {
        match &self.storage {
            Storage::File { path, .. } => path,
            Storage::Memory(_) => Path::new("(memory)"),
        }
    }

    pub(super) fn damaged(&self, damage: Damage) -> IndexError {
        IndexError::Damaged { path: self.path().to_owned(), reason: damage.0.to_owned(), block: None }
    }

    /// Damage that one block alone has.
    pub(super) fn damaged_block(&self, block: usize, damage: Damage) -> IndexError {
        let path = self.path().to_owned();
        let block = self.blocks.get(block).map(|block| block.unit);
        IndexError::Damaged { path, reason: damage.0.to_owned(), block }
    }

    /// The same without one block, and what that held; None when the block is not in it.
    pub(super) fn without(&self, block: u64) -> Option<(Self, BlockMeta)> {
        let mut rest = self.clone();
        let at = rest.blocks.iter().position(|place| place.unit == block)?;
        let gone = rest.blocks.remove(at).meta;
        rest.rows = rest.rows.saturating_sub(u64::from(gone.rows));
        (rest.first, rest.last) = times(&rest.blocks);
        rest.whole = false;
        Some((rest, gone))
    }

    /// The tables, read when they are not at hand.
    pub(super) fn tables(&self, cache: &Cache) -> Result<Arc<Tables>, IndexError> {
        let (file, path, extent, locator) = match &self.storage {
            Storage::Memory(tables) => return Ok(Arc::clone(tables)),
            Storage::File { file, path, tables, locator } => (file, path, *tables, *locator),
        };
        cache.get((self.unit, 0, TABLES_KIND), || {
            let bytes = read_shielded(file, path, extent, locator)?;
            let bytes = unpack(&mut Input(&bytes)).map_err(|damage| self.damaged(damage))?;
            let tables = Tables::take(&bytes).map_err(|damage| self.damaged(damage))?;
            let size = tables.size_bytes();
            Ok((tables, size))
        })
    }

    /// The bytes of a section.
    pub(super) fn section(&self, block: usize, section: Section) -> Result<Vec<u8>, IndexError> {
        let place = self.blocks.get(block).ok_or_else(|| self.damaged(Damage("a block is missing")))?;
        let sections = &place.meta.sections;
        let start = section_start(&place.meta, section) as u64;
        let (length, checksum) = sections[section as usize];
        match (&self.storage, &place.memory) {
            (_, Some(memory)) => {
                let start = start as usize;
                let bytes = memory.bytes.get(start..start + length as usize);
                bytes.map(<[u8]>::to_vec).ok_or_else(|| self.damaged(Damage("a section is missing")))
            }
            (Storage::File { file, path, .. }, None) => {
                let extent = Extent { offset: place.offset + start, length: length as usize, checksum };
                read(file, path, extent).map_err(|error| match error {
                    IndexError::Damaged { path, reason, .. } => {
                        IndexError::Damaged { path, reason, block: Some(place.unit) }
                    }
                    error => error,
                })
            }
            (Storage::Memory(_), None) => Err(self.damaged(Damage("a block is missing"))),
        }
    }

    /// Writes a segment in memory to a file and opens that.
    pub(super) fn write(&self, directory: &Path, number: u64, replaces: &[u64]) -> Result<Self, WriteError> {
        let Storage::Memory(tables) = &self.storage else { return Err(WriteError::other("not in memory")) };
        let path = file_path(directory, number);
        let temporary = path.with_extension("tmp");
        let failed = |action, path: &Path| {
            let path = path.to_owned();
            move |source| WriteError { error: IndexError::File { action, path, source }, poisons: false }
        };
        let mut file = disk::create(&temporary).map_err(failed("create", &temporary))?;
        let mut start = LOCATOR as u64;
        {
            let mut put = |bytes: &[u8]| file.write_all(bytes).map_err(failed("write", &temporary));
            put(&[0; LOCATOR])?;
            for block in &self.blocks {
                let Some(memory) = &block.memory else {
                    return Err(WriteError::other("a block is not in memory"));
                };
                put(&memory.bytes)?;
                start += memory.bytes.len() as u64;
            }
            let mut end = packed(&tables.put(), Packing::Small);
            let tables = end.len();
            let mut footer = Vec::new();
            let extent = Extent { offset: start, length: tables, checksum: crc32c::crc32c(&end) };
            self.put_footer(replaces, extent, &mut footer);
            end.extend_from_slice(&footer);
            let locator = Locator {
                start,
                tables: tables as u32,
                footer: footer.len() as u32,
                checksum: crc32c::crc32c(&footer),
            };
            end.extend_from_slice(&shield(&end));
            end.extend_from_slice(&locator.put());
            put(&end)?;
            file.rewind()
                .and_then(|()| file.write_all(&locator.put()))
                .map_err(failed("write", &temporary))?;
        }
        let poisons = |error: WriteError| WriteError { poisons: true, ..error };
        file.sync_all().map_err(failed("sync", &temporary)).map_err(poisons)?;
        drop(file);
        std::fs::rename(&temporary, &path).map_err(failed("rename", &temporary))?;
        sync_directory(directory).map_err(failed("sync", directory)).map_err(poisons)?;
        Self::open(&path, number).map_err(|error| WriteError { error, poisons: false })
    }

    fn put_footer(&self, replaces: &[u64], tables: Extent, out: &mut Vec<u8>) {
        put_varint(out, self.rows);
        put_varint(out, self.covered.len() as u64);
        for (journal, position) in &self.covered {
            out.extend_from_slice(&journal.0.to_le_bytes());
            put_varint(out, u64::from(position.segment));
            put_varint(out, u64::from(position.record));
        }
        put_varint(out, replaces.len() as u64);
        replaces.iter().for_each(|number| put_varint(out, *number));
        for number in [tables.offset, tables.length as u64, u64::from(tables.checksum)] {
            put_varint(out, number);
        }
        put_varint(out, self.blocks.len() as u64);
        for BlockPlace { meta, .. } in &self.blocks {
            for number in [u64::from(meta.rows), meta.first as u64, meta.last as u64] {
                put_varint(out, number);
            }
            for (length, checksum) in meta.sections {
                put_varint(out, u64::from(length));
                out.extend_from_slice(&checksum.to_le_bytes());
            }
        }
    }

    /// Opens a file, reading its footer.
    pub(super) fn open(path: &Path, number: u64) -> Result<Self, IndexError> {
        let failed = |action| {
            let path = path.to_owned();
            move |source| IndexError::File { action, path, source }
        };
        let damaged = |reason: &str| damaged(path, reason);
        let file = File::open(path).map_err(failed("open"))?;
        let size = file.metadata().map_err(failed("read the size of"))?.len();
        let (mut head, mut tail) = ([0; LOCATOR], [0; LOCATOR]);
        let short = (size as usize).min(LOCATOR);
        read_exact_at(&file, &mut head[..short], 0).map_err(failed("read"))?;
        read_exact_at(&file, &mut tail[LOCATOR - short..], size - short as u64).map_err(failed("read"))?;
        let locator = Locator::take(&tail).or_else(|| Locator::take(&head));
        let (start, footer) = match locator {
            Some(locator) => {
                let offset = locator.start + u64::from(locator.tables);
                let (length, checksum) = (locator.footer as usize, locator.checksum);
                (LOCATOR, Extent { offset, length, checksum })
            }
            None if head[..8] == *MAGIC_1 && tail[LOCATOR - 8..] == *MAGIC_1 => {
                let trailer = LOCATOR - TRAILER_1;
                let length = number_at(&tail, trailer) as usize;
                let Some(offset) = (size - TRAILER_1 as u64).checked_sub(length as u64) else {
                    return Err(damaged("its footer is too long"));
                };
                (MAGIC_1.len(), Extent { offset, length, checksum: number_at(&tail, trailer + 4) })
            }
            None if is_later(&head, &tail) => return Err(IndexError::Version { path: path.to_owned() }),
            None => return Err(damaged("its first or last bytes are not those of a segment")),
        };
        let end = footer.offset;
        let footer = read_shielded(&file, path, footer, locator)?;
        let file = Arc::new(file);
        let storage = |tables| Storage::File { file, path: path.to_owned(), tables, locator };
        Self::take_footer(&footer, start as u64, end, storage)
            .map(|segment| Self { number, bytes: size, ..segment })
            .map_err(|damage| damaged(damage.0))
    }

    fn take_footer(
        footer: &[u8],
        start: u64,
        end: u64,
        storage: impl FnOnce(Extent) -> Storage,
    ) -> Result<Self, Damage> {
        let mut input = Input(footer);
        let most = footer.len();
        let rows = input.varint()?;
        let mut covered = Vec::new();
        for _ in 0..input.length(most)? {
            let journal = input.take(16)?.iter().rev().fold(0u128, |id, byte| id << 8 | u128::from(*byte));
            covered.push((JournalId(journal), Position { segment: input.u32()?, record: input.u32()? }));
        }
        let mut replaces = Vec::new();
        for _ in 0..input.length(most)? {
            replaces.push(input.varint()?);
        }
        let (offset, length) = (input.varint()?, input.length(UNPACKED_MAX)?);
        let tables = Extent { offset, length, checksum: input.u32()? };
        let mut blocks = Vec::new();
        let mut offset = start;
        for _ in 0..input.length(most)? {
            let mut meta = BlockMeta {
                rows: input.u32()?,
                first: input.varint()? as i64,
                last: input.varint()? as i64,
                ..BlockMeta::default()
            };
            let start = offset;
            for section in &mut meta.sections {
                let length = input.u32()?;
                let checksum = input.take(4)?.iter().rev().fold(0u32, |n, byte| n << 8 | u32::from(*byte));
                *section = (length, checksum);
                offset += u64::from(length);
            }
            blocks.push(BlockPlace { unit: next_unit(), meta, offset: start, memory: None });
        }
        if offset != tables.offset || tables.offset + tables.length as u64 != end {
            return Err(Damage("its parts do not add up"));
        }
        let (first, last) = times(&blocks);
        Ok(Self {
            unit: next_unit(),
            number: 0,
            rows,
            first,
            last,
            bytes: 0,
            blocks,
            whole: true,
            covered,
            replaces,
            storage: storage(tables),
        })
    }
}

/// First and last time stamp.
fn times(blocks: &[BlockPlace]) -> (i64, i64) {
    let first = blocks.iter().map(|block| block.meta.first).min();
    let last = blocks.iter().map(|block| block.meta.last).max();
    (first.unwrap_or(i64::MAX), last.unwrap_or(0))
}

/// Why a segment was not written, and whether nothing may be written any more.
#[derive(Debug)]
pub(super) struct WriteError {
    pub(super) error: IndexError,
    pub(super) poisons: bool,
}

impl WriteError {
    fn other(what: &'static str) -> Self {
        let (path, source) = (PathBuf::from("(memory)"), io::Error::other(what));
        Self { error: IndexError::File { action: "write", path, source }, poisons: false }
    }
}

/// The file of the segment with this number.
pub(super) fn file_path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:016x}.segment"))
}

/// The number in a segment's file name.
pub(super) fn number_of_file(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_suffix(".segment")?;
    (name.len() == 16).then(|| u64::from_str_radix(name, 16).ok()).flatten()
}

#[cfg(unix)]
pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                bytes = &mut bytes[read..];
                offset += read as u64;
            }
        }
    }
    Ok(())
}

fn damaged(path: &Path, reason: &str) -> IndexError {
    IndexError::Damaged { path: path.to_owned(), reason: reason.to_owned(), block: None }
}

/// Whether both ends are those of a version after this one; a flipped bit changes only one of them.
fn is_later(head: &[u8; LOCATOR], tail: &[u8; LOCATOR]) -> bool {
    let version = |bytes: &[u8]| bytes.strip_prefix(NAME).and_then(|rest| rest.first().copied());
    let own = version(head).filter(|version| ![MAGIC[7], MAGIC_1[7]].contains(version));
    own.is_some() && (version(tail) == own || version(&tail[LOCATOR - 8..]) == own)
}

fn read(file: &File, path: &Path, extent: Extent) -> Result<Vec<u8>, IndexError> {
    let mut bytes = vec![0; extent.length];
    read_exact_at(file, &mut bytes, extent.offset).map_err(|source| match source.kind() {
        io::ErrorKind::UnexpectedEof => damaged(path, "it ends too early"),
        _ => IndexError::File { action: "read", path: path.to_owned(), source },
    })?;
    if crc32c::crc32c(&bytes) != extent.checksum {
        return Err(damaged(path, "a checksum differs"));
    }
    Ok(bytes)
}

/// Reads tables or footer, restoring a damaged place in them where there is a shield.
fn read_shielded(
    file: &File,
    path: &Path,
    extent: Extent,
    locator: Option<Locator>,
) -> Result<Vec<u8>, IndexError> {
    let found = read(file, path, extent);
    let (Err(IndexError::Damaged { .. }), Some(locator)) = (&found, locator) else { return found };
    let mut bytes = vec![0; locator.length() + shield_len(locator.length())];
    if read_exact_at(file, &mut bytes, locator.start).is_err() {
        return found;
    }
    let (shielded, shield) = bytes.split_at_mut(locator.length());
    restore(shielded, shield);
    let start = usize::try_from(extent.offset.saturating_sub(locator.start)).unwrap_or(usize::MAX);
    match shielded.get(start..start.saturating_add(extent.length)) {
        Some(bytes) if crc32c::crc32c(bytes) == extent.checksum => {
            tracing::warn!(path = %path.display(), "a damaged place in an index file was restored; check the disk");
            Ok(bytes.to_vec())
        }
        _ => found,
    }
}

/// Takes bytes that `put_packed` wrote.
pub(super) fn unpack(input: &mut Input<'_>) -> Result<Vec<u8>, Damage> {
    let length = input.length(UNPACKED_MAX)?;
    let stored = input.bytes()?;
    if stored.len() == length {
        return Ok(stored.to_vec());
    }
    let bytes = zstd::bulk::decompress(stored, length).map_err(|_| Damage("it does not decompress"))?;
    if bytes.len() == length { Ok(bytes) } else { Err(Damage("it decompresses to another length")) }
}

/// Where a section starts within its block.
pub(super) fn section_start(meta: &BlockMeta, section: Section) -> usize {
    let mut start = 0;
    let mut at = 0;
    while at < section as usize && at < SECTIONS {
        start += meta.sections[at].0 as usize;
        at += 1;
    }
    start
}
