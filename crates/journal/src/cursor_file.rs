//! The file of a cursor: two slots, of which the newer one holds.

use std::{io, path::PathBuf};

use event::{JournalId, Position};

use crate::{
    disk::Disk,
    format::{VERSION, array, get_u32, put_u32},
};

const MAGIC: [u8; 8] = *b"LSJRNL\0C";
const SLOT: usize = 52;
/// The two slots stand in pages of their own, so that a torn write cannot touch both.
const SLOT_DISTANCE: usize = 4096;

/// What is known of a cursor's file.
#[derive(Debug, Clone)]
pub(crate) struct CursorFile {
    pub(crate) path: PathBuf,
    pub(crate) position: Position,
    pub(crate) generation: u64,
    /// The file is there with both slots, so that a commit only overwrites.
    pub(crate) exists: bool,
}

/// What a cursor file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slots {
    pub(crate) best: Option<(u64, Position)>,
    /// A slot is damaged: the position may be the one before the last.
    pub(crate) damaged: bool,
    /// A slot that is whole was written by another version of the program.
    pub(crate) version: Option<u32>,
    /// A slot that is whole belongs to another journal.
    pub(crate) foreign: bool,
}

fn slot(id: JournalId, generation: u64, position: Position) -> [u8; SLOT] {
    let mut bytes = [0; SLOT];
    bytes[..8].copy_from_slice(&MAGIC);
    put_u32(&mut bytes, 8, VERSION);
    bytes[16..32].copy_from_slice(&id.0.to_be_bytes());
    bytes[32..40].copy_from_slice(&generation.to_le_bytes());
    put_u32(&mut bytes, 40, position.segment);
    put_u32(&mut bytes, 44, position.record);
    let crc = crc32c::crc32c(&bytes[..48]);
    put_u32(&mut bytes, 48, crc);
    bytes
}

/// Reads a cursor file; slots of another journal count as absent.
pub(crate) fn read(bytes: &[u8], id: JournalId) -> Slots {
    let mut slots = Slots { best: None, damaged: false, version: None, foreign: false };
    for start in [0, SLOT_DISTANCE] {
        let found: Option<&[u8; SLOT]> = bytes.get(start..).and_then(|rest| rest.first_chunk());
        let Some(bytes) =
            found.filter(|bytes| bytes[..8] == MAGIC && crc32c::crc32c(&bytes[..48]) == get_u32(*bytes, 48))
        else {
            slots.damaged = true;
            continue;
        };
        if get_u32(bytes, 8) != VERSION {
            slots.version = Some(get_u32(bytes, 8));
            continue;
        }
        if array::<16>(bytes, 16) == id.0.to_be_bytes() {
            let position = Position { segment: get_u32(bytes, 40), record: get_u32(bytes, 44) };
            let candidate = (u64::from_le_bytes(array(bytes, 32)), position);
            slots.best = slots.best.max(Some(candidate));
        } else {
            // One at the very start had nothing to lose: a journal gets its id when it is first written to.
            slots.foreign |= get_u32(bytes, 40) > 0 || get_u32(bytes, 44) > 0;
        }
    }
    slots
}

impl CursorFile {
    /// Makes `position` durable. Overwrites the older slot, which takes no new space on disk; the
    /// newer one stays until the next commit.
    pub(crate) fn write(&mut self, disk: &Disk, id: JournalId, position: Position) -> io::Result<()> {
        let generation = self.generation + 1;
        if self.exists {
            let mut file = disk.open(&self.path, generation % 2 * SLOT_DISTANCE as u64)?;
            file.write_all(&slot(id, generation, position))?;
            file.sync()?;
        } else {
            let mut bytes = vec![0; SLOT_DISTANCE + SLOT];
            bytes[..SLOT].copy_from_slice(&slot(id, generation, position));
            bytes[SLOT_DISTANCE..].copy_from_slice(&slot(id, generation, position));
            disk.write_atomic(&self.path, &bytes)?;
        }
        (self.position, self.generation, self.exists) = (position, generation, true);
        Ok(())
    }
}
