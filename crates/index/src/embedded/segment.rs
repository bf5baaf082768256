//! A segment: blocks of rows with the tables they refer to, in one immutable file or, while it is
//! being written, in memory.
//!
//! ```text
//! 8 bytes   LSINDEX1
//! blocks    the sections of each block, one behind the other
//! tables    packed, see `shapes`
//! footer    varint rows; covered journals: varint number, then 16 bytes, varint segment, varint record of each;
//!           replaced segments: varint number, then their numbers; tables: varint offset, length, CRC-32C;
//!           blocks: varint number, then of each varint rows, first and last time stamp, length and CRC-32C of each section
//! trailer   u32 length of the footer, u32 CRC-32C of the footer, 8 bytes LSINDEX1
//! ```
//! Fixed-width numbers are little-endian. A file is written under another name, synced and renamed,
//! so that it appears whole or not at all, and with it the journal position that it covers. A file
//! that replaces others says so itself: those that are still there at the next start are removed.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use event::{JournalId, Position};

use super::{
    block::{BlockMeta, EncodedBlock, SECTIONS, Section, packed},
    cache::Cache,
    ints::{Damage, Input, put_varint},
    shapes::Tables,
};
use crate::IndexError;

const MAGIC: &[u8; 8] = b"LSINDEX1";
const TRAILER: usize = 16;
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

#[derive(Debug)]
enum Storage {
    Memory(Arc<Tables>),
    File { file: File, path: PathBuf, tables: (u64, usize, u32) },
}

/// A segment.
#[derive(Debug)]
pub(super) struct Segment {
    unit: u64,
    /// Of its file; 0 in memory.
    pub(super) number: u64,
    pub(super) rows: u64,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) bytes: u64,
    pub(super) blocks: Vec<BlockPlace>,
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
        let (first, last) = extent(&blocks);
        Self {
            unit: next_unit(),
            number: 0,
            rows,
            first,
            last,
            bytes: 0,
            blocks,
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
        IndexError::Damaged { path: self.path().to_owned(), reason: damage.0.to_owned() }
    }

    /// The tables, read when they are not at hand.
    pub(super) fn tables(&self, cache: &Cache) -> Result<Arc<Tables>, IndexError> {
        let (file, path, (offset, length, checksum)) = match &self.storage {
            Storage::Memory(tables) => return Ok(Arc::clone(tables)),
            Storage::File { file, path, tables } => (file, path, *tables),
        };
        cache.get((self.unit, 0, TABLES_KIND), || {
            let bytes = read(file, path, offset, length, checksum)?;
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
                read(file, path, place.offset + start, length as usize, checksum)
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
        let mut file = File::create(&temporary).map_err(failed("create", &temporary))?;
        let mut written = MAGIC.len() as u64;
        let mut footer = Vec::new();
        {
            let mut put = |bytes: &[u8]| file.write_all(bytes).map_err(failed("write", &temporary));
            put(MAGIC)?;
            for block in &self.blocks {
                let Some(memory) = &block.memory else {
                    return Err(WriteError::other("a block is not in memory"));
                };
                put(&memory.bytes)?;
                written += memory.bytes.len() as u64;
            }
            let tables = packed(&tables.put());
            put(&tables)?;
            self.put_footer(replaces, (written, tables.len(), crc32c::crc32c(&tables)), &mut footer);
            let checksum = crc32c::crc32c(&footer);
            let length = footer.len() as u32;
            footer.extend_from_slice(&length.to_le_bytes());
            footer.extend_from_slice(&checksum.to_le_bytes());
            footer.extend_from_slice(MAGIC);
            put(&footer)?;
        }
        let poisons = |error: WriteError| WriteError { poisons: true, ..error };
        file.sync_all().map_err(failed("sync", &temporary)).map_err(poisons)?;
        drop(file);
        std::fs::rename(&temporary, &path).map_err(failed("rename", &temporary))?;
        sync_directory(directory).map_err(failed("sync", directory)).map_err(poisons)?;
        Self::open(&path, number).map_err(|error| WriteError { error, poisons: false })
    }

    fn put_footer(&self, replaces: &[u64], tables: (u64, usize, u32), out: &mut Vec<u8>) {
        put_varint(out, self.rows);
        put_varint(out, self.covered.len() as u64);
        for (journal, position) in &self.covered {
            out.extend_from_slice(&journal.0.to_le_bytes());
            put_varint(out, u64::from(position.segment));
            put_varint(out, u64::from(position.record));
        }
        put_varint(out, replaces.len() as u64);
        replaces.iter().for_each(|number| put_varint(out, *number));
        for number in [tables.0, tables.1 as u64, u64::from(tables.2)] {
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
        let damaged = |reason: &str| IndexError::Damaged { path: path.to_owned(), reason: reason.to_owned() };
        let file = File::open(path).map_err(failed("open"))?;
        let size = file.metadata().map_err(failed("read the size of"))?.len();
        if size < (MAGIC.len() + TRAILER) as u64 {
            return Err(damaged("it is too short"));
        }
        let mut head = [0; MAGIC.len()];
        read_exact_at(&file, &mut head, 0).map_err(failed("read"))?;
        let mut trailer = [0; TRAILER];
        read_exact_at(&file, &mut trailer, size - TRAILER as u64).map_err(failed("read"))?;
        let (numbers, magic) = trailer.split_at(8);
        if head != *MAGIC || magic != MAGIC {
            return Err(damaged("its first or last bytes are not those of a segment of version 1"));
        }
        let number_at =
            |at: usize| numbers[at..at + 4].iter().rev().fold(0u32, |n, b| n << 8 | u32::from(*b));
        let (length, checksum) = (number_at(0) as usize, number_at(4));
        let Some(start) = (size - TRAILER as u64).checked_sub(length as u64) else {
            return Err(damaged("its footer is too long"));
        };
        let footer = read(&file, path, start, length, checksum)?;
        Self::take_footer(&footer, start, |tables| Storage::File { file, path: path.to_owned(), tables })
            .map(|segment| Self { number, bytes: size, ..segment })
            .map_err(|damage| damaged(damage.0))
    }

    fn take_footer(
        footer: &[u8],
        end: u64,
        storage: impl FnOnce((u64, usize, u32)) -> Storage,
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
        let tables = (input.varint()?, input.length(UNPACKED_MAX)?, input.u32()?);
        let mut blocks = Vec::new();
        let mut offset = MAGIC.len() as u64;
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
        if offset != tables.0 || tables.0 + tables.1 as u64 != end {
            return Err(Damage("its parts do not add up"));
        }
        let (first, last) = extent(&blocks);
        Ok(Self {
            unit: next_unit(),
            number: 0,
            rows,
            first,
            last,
            bytes: 0,
            blocks,
            covered,
            replaces,
            storage: storage(tables),
        })
    }
}

fn extent(blocks: &[BlockPlace]) -> (i64, i64) {
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

fn read(file: &File, path: &Path, offset: u64, length: usize, checksum: u32) -> Result<Vec<u8>, IndexError> {
    let mut bytes = vec![0; length];
    read_exact_at(file, &mut bytes, offset).map_err(|source| match source.kind() {
        io::ErrorKind::UnexpectedEof => {
            IndexError::Damaged { path: path.to_owned(), reason: "it ends too early".to_owned() }
        }
        _ => IndexError::File { action: "read", path: path.to_owned(), source },
    })?;
    if crc32c::crc32c(&bytes) != checksum {
        return Err(IndexError::Damaged { path: path.to_owned(), reason: "a checksum differs".to_owned() });
    }
    Ok(bytes)
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
