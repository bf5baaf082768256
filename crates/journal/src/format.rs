//! Bytes on disk: headers of files and blocks, notes. The layout stands in the crate's docs.

use event::JournalId;

use crate::Note;

/// The version written; another one is refused.
pub(crate) const VERSION: u32 = 1;
/// Bytes of the header that `meta` consists of and every segment begins with.
pub(crate) const FILE_HEADER: usize = 44;
/// Bytes of a block's header.
pub(crate) const BLOCK_HEADER: usize = 52;
/// Bytes of one record's entry in the table of its block: length, checksum.
pub(crate) const TABLE_ENTRY: usize = 8;
/// A block is closed once its payload reaches this.
pub(crate) const BLOCK_PAYLOAD: usize = 64 << 10;

/// The last block of a batch.
pub(crate) const FINAL: u32 = 1;
/// Notes carried over from the segments before.
pub(crate) const SNAPSHOT: u32 = 2;
/// Nothing but the statement that everything before it is durable.
pub(crate) const CLOSE: u32 = 4;

const META_MAGIC: [u8; 8] = *b"LSJRNL\0M";
const SEGMENT_MAGIC: [u8; 8] = *b"LSJRNL\0S";

/// What tells this journal's bytes from any others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) id: JournalId,
    /// Begins every block. Random and never shown, so that no record can pretend to be a block.
    pub(crate) marker: [u8; 8],
}

/// Why a file header was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadHeader {
    Damaged,
    Version(u32),
}

pub(crate) fn meta(key: Key) -> [u8; FILE_HEADER] {
    file_header(META_MAGIC, 0, key)
}

pub(crate) fn segment_header(key: Key, segment: u32) -> [u8; FILE_HEADER] {
    file_header(SEGMENT_MAGIC, segment, key)
}

pub(crate) fn read_meta(bytes: &[u8]) -> Result<Key, BadHeader> {
    read_file_header(bytes, META_MAGIC).map(|(key, _)| key)
}

pub(crate) fn read_segment_header(bytes: &[u8]) -> Result<(Key, u32), BadHeader> {
    read_file_header(bytes, SEGMENT_MAGIC)
}

fn file_header(magic: [u8; 8], number: u32, key: Key) -> [u8; FILE_HEADER] {
    let mut bytes = [0; FILE_HEADER];
    bytes[..8].copy_from_slice(&magic);
    put_u32(&mut bytes, 8, VERSION);
    put_u32(&mut bytes, 12, number);
    bytes[16..32].copy_from_slice(&key.id.0.to_be_bytes());
    bytes[32..40].copy_from_slice(&key.marker);
    let crc = crc32c::crc32c(&bytes[..40]);
    put_u32(&mut bytes, 40, crc);
    bytes
}

fn read_file_header(bytes: &[u8], magic: [u8; 8]) -> Result<(Key, u32), BadHeader> {
    let bytes: &[u8; FILE_HEADER] = bytes.first_chunk().ok_or(BadHeader::Damaged)?;
    if bytes[..8] != magic || crc32c::crc32c(&bytes[..40]) != get_u32(bytes, 40) {
        return Err(BadHeader::Damaged);
    }
    match get_u32(bytes, 8) {
        VERSION => {}
        other => return Err(BadHeader::Version(other)),
    }
    let id = JournalId(u128::from_be_bytes(array(bytes, 16)));
    Ok((Key { id, marker: array(bytes, 32) }, get_u32(bytes, 12)))
}

/// The header of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct BlockHeader {
    pub(crate) flags: u32,
    pub(crate) segment: u32,
    pub(crate) first_record: u32,
    pub(crate) records: u32,
    pub(crate) payload_bytes: u32,
    pub(crate) notes_bytes: u32,
    pub(crate) table_crc: u32,
    pub(crate) notes_crc: u32,
    /// Up to this offset the segment was durable when the block was written.
    pub(crate) durable: u64,
}

impl BlockHeader {
    /// Bytes of the whole block.
    pub(crate) fn block_bytes(&self) -> u64 {
        BLOCK_HEADER as u64
            + u64::from(self.payload_bytes)
            + u64::from(self.records) * TABLE_ENTRY as u64
            + u64::from(self.notes_bytes)
    }

    /// Behind the block's last record.
    pub(crate) fn end_record(&self) -> u32 {
        self.first_record.saturating_add(self.records)
    }

    pub(crate) fn is(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    pub(crate) fn encode(&self, marker: [u8; 8], bytes: &mut [u8]) {
        bytes[..8].copy_from_slice(&marker);
        let fields = [
            self.flags,
            self.segment,
            self.first_record,
            self.records,
            self.payload_bytes,
            self.notes_bytes,
            self.table_crc,
            self.notes_crc,
        ];
        for (index, field) in fields.into_iter().enumerate() {
            put_u32(bytes, 8 + 4 * index, field);
        }
        bytes[40..48].copy_from_slice(&self.durable.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..48]);
        put_u32(bytes, 48, crc);
    }

    /// The header at the start of `bytes`, when it is one of this journal and segment.
    pub(crate) fn decode(bytes: &[u8], marker: [u8; 8], segment: u32) -> Option<Self> {
        let bytes: &[u8; BLOCK_HEADER] = bytes.first_chunk()?;
        if bytes[..8] != marker || crc32c::crc32c(&bytes[..48]) != get_u32(bytes, 48) {
            return None;
        }
        let header = Self {
            flags: get_u32(bytes, 8),
            segment: get_u32(bytes, 12),
            first_record: get_u32(bytes, 16),
            records: get_u32(bytes, 20),
            payload_bytes: get_u32(bytes, 24),
            notes_bytes: get_u32(bytes, 28),
            table_crc: get_u32(bytes, 32),
            notes_crc: get_u32(bytes, 36),
            durable: u64::from_le_bytes(array(bytes, 40)),
        };
        (header.segment == segment).then_some(header)
    }
}

/// The parts of a whole block behind its header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Body<'a> {
    payload: &'a [u8],
    table: &'a [u8],
    notes: &'a [u8],
    header: BlockHeader,
}

impl<'a> Body<'a> {
    /// `block` must be the whole block, header included.
    pub(crate) fn new(header: BlockHeader, block: &'a [u8]) -> Option<Self> {
        let (payload, rest) = block.get(BLOCK_HEADER..)?.split_at_checked(header.payload_bytes as usize)?;
        let (table, rest) = rest.split_at_checked(header.records as usize * TABLE_ENTRY)?;
        let notes = rest.get(..header.notes_bytes as usize)?;
        Some(Self { payload, table, notes, header })
    }

    /// Each record's place in the payload and whether it is undamaged; None when the table itself
    /// is damaged, so that the records cannot be told apart.
    pub(crate) fn records(&self) -> Option<impl Iterator<Item = (std::ops::Range<usize>, bool)> + use<'a>> {
        if crc32c::crc32c(self.table) != self.header.table_crc {
            return None;
        }
        let payload = self.payload;
        let mut start = 0_usize;
        Some(self.table.chunks_exact(TABLE_ENTRY).map(move |entry| {
            let place = start..start.saturating_add(get_u32(entry, 0) as usize);
            start = place.end;
            let intact =
                payload.get(place.clone()).is_some_and(|record| crc32c::crc32c(record) == get_u32(entry, 4));
            (place, intact)
        }))
    }

    /// The notes; None when they are damaged.
    pub(crate) fn notes(&self) -> Option<Vec<Note>> {
        if crc32c::crc32c(self.notes) != self.header.notes_crc {
            return None;
        }
        let mut notes = Vec::new();
        let mut rest = self.notes;
        while !rest.is_empty() {
            let (key_bytes, behind) = rest.split_first_chunk::<4>()?;
            let (value_bytes, behind) = behind.split_first_chunk::<4>()?;
            let (key, behind) = behind.split_at_checked(u32::from_le_bytes(*key_bytes) as usize)?;
            let value_bytes = u32::from_le_bytes(*value_bytes);
            let value_length = if value_bytes == NO_VALUE { 0 } else { value_bytes as usize };
            let (value, behind) = behind.split_at_checked(value_length)?;
            notes.push(Note { key: key.to_vec(), value: (value_bytes != NO_VALUE).then(|| value.to_vec()) });
            rest = behind;
        }
        Some(notes)
    }
}

const NO_VALUE: u32 = u32::MAX;

/// Appends one note: length of key, length of value (all ones: forget), key, value.
pub(crate) fn put_note(bytes: &mut Vec<u8>, key: &[u8], value: Option<&[u8]>) {
    bytes.extend_from_slice(&(key.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&value.map_or(NO_VALUE, |value| value.len() as u32).to_le_bytes());
    bytes.extend_from_slice(key);
    bytes.extend_from_slice(value.unwrap_or_default());
}

pub(crate) fn get_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

pub(crate) fn put_u32(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// `N` bytes from `at` on; zeros where there are none.
pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
}
