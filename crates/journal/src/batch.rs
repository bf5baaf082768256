//! Encoding a batch into blocks, in the thread of whoever appends it.

use crate::{
    Note,
    format::{self, BLOCK_HEADER, BLOCK_PAYLOAD, BlockHeader, FINAL, TABLE_ENTRY},
};

/// No record may be larger.
pub const MAX_RECORD_BYTES: usize = 1 << 30;

/// Records to append, all or nothing.
///
/// Records are laid out in the blocks that go to disk, and their checksums computed, as they are
/// pushed; the writer only numbers the blocks.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Closed blocks, then the open one: header (zeros), payload.
    bytes: Vec<u8>,
    /// Where each block's header stands.
    blocks: Vec<usize>,
    /// Table of the open block.
    table: Vec<u8>,
    /// Records in the closed blocks and the open one.
    records: u32,
    notes: Vec<Note>,
    notes_bytes: usize,
    oversized: bool,
}

/// A batch ready to be numbered and written.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) bytes: Vec<u8>,
    pub(crate) blocks: Vec<usize>,
    pub(crate) records: u32,
    pub(crate) notes: Vec<Note>,
}

impl Batch {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one record by letting `write` append its bytes (so that an event is encoded in place).
    /// `write` must only append.
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.table.is_empty() {
            self.open_block();
        }
        let start = self.bytes.len();
        write(&mut self.bytes);
        let record = self.bytes.get(start..).unwrap_or_default();
        self.oversized |= record.len() > MAX_RECORD_BYTES;
        self.table.extend_from_slice(&(record.len() as u32).to_le_bytes());
        self.table.extend_from_slice(&crc32c::crc32c(record).to_le_bytes());
        self.records = self.records.saturating_add(1);
        let payload = self.bytes.len().saturating_sub(self.block_start() + BLOCK_HEADER);
        // Tables are bounded too, or a block of empty records would never end.
        if payload >= BLOCK_PAYLOAD || self.table.len() >= BLOCK_PAYLOAD {
            self.close_block(0, &[]);
        }
    }

    /// Adds a note that becomes durable with the records.
    pub fn note(&mut self, note: Note) {
        self.notes_bytes += 8 + note.key.len() + note.value.as_ref().map_or(0, Vec::len);
        self.notes.push(note);
    }

    /// Records pushed.
    pub fn len(&self) -> usize {
        self.records as usize
    }

    /// Neither a record nor a note.
    pub fn is_empty(&self) -> bool {
        self.records == 0 && self.notes.is_empty()
    }

    /// About the bytes the batch takes on disk.
    pub fn bytes(&self) -> usize {
        self.bytes.len() + self.table.len() + self.notes_bytes
    }

    /// Whether a record is too large for the format.
    pub(crate) fn is_oversized(&self) -> bool {
        self.oversized || self.notes_bytes > MAX_RECORD_BYTES
    }

    /// Closes the last block, which carries the notes.
    pub(crate) fn encode(mut self) -> Encoded {
        let mut notes = Vec::with_capacity(self.notes_bytes);
        for note in &self.notes {
            format::put_note(&mut notes, &note.key, note.value.as_deref());
        }
        // When the last record has just closed its block, an empty block ends the batch.
        if self.table.is_empty() {
            self.open_block();
        }
        self.close_block(FINAL, &notes);
        Encoded { bytes: self.bytes, blocks: self.blocks, records: self.records, notes: self.notes }
    }

    fn block_start(&self) -> usize {
        self.blocks.last().copied().unwrap_or(0)
    }

    fn open_block(&mut self) {
        self.blocks.push(self.bytes.len());
        self.bytes.resize(self.bytes.len() + BLOCK_HEADER, 0);
    }

    /// Fills in what is known of the header; the writer adds the rest and its checksum.
    fn close_block(&mut self, flags: u32, notes: &[u8]) {
        let start = self.block_start();
        let header = BlockHeader {
            flags,
            records: (self.table.len() / TABLE_ENTRY) as u32,
            payload_bytes: (self.bytes.len() - start - BLOCK_HEADER) as u32,
            notes_bytes: notes.len() as u32,
            table_crc: crc32c::crc32c(&self.table),
            notes_crc: crc32c::crc32c(notes),
            ..BlockHeader::default()
        };
        self.bytes.extend_from_slice(&self.table);
        self.bytes.extend_from_slice(notes);
        self.table.clear();
        header.encode([0; 8], &mut self.bytes[start..]);
    }
}

impl Encoded {
    /// The blocks that carry over `notes` to a new segment.
    pub(crate) fn snapshot<'a>(notes: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        let mut batch = Batch::new();
        let mut bytes = Vec::new();
        for (key, value) in notes {
            format::put_note(&mut bytes, key, Some(value));
            if bytes.len() >= BLOCK_PAYLOAD {
                batch.open_block();
                batch.close_block(format::SNAPSHOT, &bytes);
                bytes.clear();
            }
        }
        batch.open_block();
        batch.close_block(format::SNAPSHOT | FINAL, &bytes);
        Self { bytes: batch.bytes, blocks: batch.blocks, records: 0, notes: Vec::new() }
    }

    /// Numbers the blocks for their place.
    pub(crate) fn number(&mut self, marker: [u8; 8], segment: u32, mut first_record: u32, durable: u64) {
        for &start in &self.blocks {
            let Some(bytes) = self.bytes.get_mut(start..) else { continue };
            let Some(mut header) = BlockHeader::decode(bytes, [0; 8], 0) else { continue };
            (header.segment, header.first_record, header.durable) = (segment, first_record, durable);
            first_record = header.end_record();
            header.encode(marker, bytes);
        }
    }
}
