//! Reading records, past damage.

use std::{io, ops::Range, path::Path};

use event::Position;

use crate::{
    ReadError,
    format::{BLOCK_HEADER, FILE_HEADER, Key},
    scan::{Item, Scan},
    segment::segment_path,
    state::{Shared, lock},
};

/// Records read, and what was met on the way. They lie in one buffer and in one segment.
#[derive(Debug, Default)]
pub struct Records {
    buffer: Vec<u8>,
    segment: u32,
    /// Record number and place in the buffer.
    places: Vec<(u32, Range<usize>)>,
    end: Position,
    damaged: u64,
}

impl Records {
    /// The records in order.
    pub fn iter(&self) -> impl Iterator<Item = (Position, &[u8])> {
        self.places.iter().map(|(record, place)| {
            let position = Position { segment: self.segment, record: *record };
            (position, self.buffer.get(place.clone()).unwrap_or_default())
        })
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Where to read on.
    pub fn end(&self) -> Position {
        self.end
    }

    /// Records that were damaged and set aside.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }
}

/// A part of a segment to read.
pub(crate) struct Span {
    pub(crate) segment: u32,
    /// First record of the block at `offset`.
    pub(crate) first: u32,
    pub(crate) offset: u64,
    /// Records and bytes of the segment that are durable.
    pub(crate) records: u32,
    pub(crate) limit: u64,
}

/// Damage met: offset, records lost, bytes.
pub(crate) type OnDamage<'a> = &'a mut dyn FnMut(u64, u64, &[u8]);

/// The result of [`read_span`]: records, and the block to go on with.
pub(crate) struct Part {
    pub(crate) records: Records,
    pub(crate) next_block: Option<(u32, u64)>,
}

/// Reads records from `from` on out of a segment, about `max_bytes`.
pub(crate) fn read_span(
    path: &Path,
    key: Key,
    span: &Span,
    from: u32,
    max_bytes: usize,
    on_damage: OnDamage<'_>,
) -> io::Result<Part> {
    let chunk = max_bytes.saturating_add(max_bytes / 16).saturating_add(BLOCK_HEADER);
    let mut scan = Scan::open(path, key, span.segment, span.offset, span.limit, chunk)?;
    let mut reading = Reading { from, expected: span.first, max_bytes, ..Reading::default() };
    let mut complete = false;
    while reading.bytes < max_bytes {
        match scan.next(reading.places.is_empty())? {
            Some(Item::Gap { offset, end }) => {
                reading.gap.get_or_insert((offset, scan.slice(offset, end - offset).to_vec()));
            }
            Some(Item::Block { offset, header }) => {
                if header.first_record < reading.expected {
                    continue;
                }
                reading.lose(header.first_record, on_damage);
                reading.next_block = Some((header.first_record, offset));
                if header.end_record() > from {
                    reading.block(&scan, offset, header, on_damage);
                }
                reading.expected = reading.expected.max(reading.stopped.unwrap_or(header.end_record()));
            }
            None => {
                complete = reading.places.is_empty() || scan.at_limit();
                break;
            }
        }
    }
    if complete {
        reading.lose(span.records, on_damage);
        reading.expected = span.records;
    }
    let records = Records {
        buffer: scan.into_buffer(),
        segment: span.segment,
        places: reading.places,
        end: Position { segment: span.segment, record: reading.expected.max(from) },
        damaged: reading.damaged,
    };
    Ok(Part { records, next_block: reading.next_block })
}

#[derive(Default)]
struct Reading {
    from: u32,
    /// The next record's number.
    expected: u32,
    max_bytes: usize,
    bytes: usize,
    places: Vec<(u32, Range<usize>)>,
    damaged: u64,
    /// Bytes that were no block, not yet accounted for.
    gap: Option<(u64, Vec<u8>)>,
    next_block: Option<(u32, u64)>,
    /// Stopped inside a block, before this record.
    stopped: Option<u32>,
}

impl Reading {
    /// The records up to `record` are not there.
    fn lose(&mut self, record: u32, on_damage: OnDamage<'_>) {
        let lost = u64::from(record.saturating_sub(self.expected.max(self.from)));
        self.damaged += lost;
        match self.gap.take() {
            Some((offset, bytes)) => on_damage(offset, lost, &bytes),
            None if lost > 0 => on_damage(self.next_block.map_or(0, |(_, offset)| offset), lost, &[]),
            None => {}
        }
        self.expected = self.expected.max(record);
    }

    fn block(
        &mut self,
        scan: &Scan,
        offset: u64,
        header: crate::format::BlockHeader,
        on_damage: OnDamage<'_>,
    ) {
        let Some(records) = scan.body(offset, header).and_then(|body| body.records()) else {
            let lost = u64::from(header.end_record() - header.first_record.max(self.from));
            self.damaged += lost;
            on_damage(offset, lost, scan.slice(offset, header.block_bytes()));
            return;
        };
        let payload = scan.index(offset) + BLOCK_HEADER;
        for (number, (place, intact)) in (header.first_record..).zip(records) {
            if number < self.from {
                continue;
            }
            if self.bytes >= self.max_bytes {
                self.stopped = Some(number);
                return;
            }
            if intact {
                self.bytes += place.len();
                self.places.push((number, payload + place.start..payload + place.end));
            } else {
                self.damaged += 1;
                let start = offset + (BLOCK_HEADER + place.start) as u64;
                let length = (place.len() as u64).min(u64::from(header.payload_bytes));
                on_damage(start, 1, scan.slice(start, length));
            }
        }
    }
}

impl Shared {
    /// Reads whole records from `from` on.
    pub(crate) fn read(&self, from: Position, max_bytes: usize) -> Result<Records, ReadError> {
        let mut from = from;
        let mut damaged = 0;
        loop {
            let span = {
                let state = lock(&self.state);
                from = state.normalise(from);
                match state.segments.get(&from.segment) {
                    Some(segment) if segment.missing && from < state.end => {
                        let (first, records) = (from.record, segment.records);
                        drop(state);
                        let lost = u64::from(records.saturating_sub(first));
                        self.set_aside(from.segment, 0, lost, &[]);
                        damaged += lost;
                        from.record = records;
                        continue;
                    }
                    Some(segment) if from < state.end => {
                        let (first, offset) = state.hint(from).unwrap_or((0, FILE_HEADER as u64));
                        let (records, limit) = (segment.records, segment.bytes);
                        Span { segment: from.segment, first, offset, records, limit }
                    }
                    _ => return Ok(Records { end: from, damaged, ..Records::default() }),
                }
            };
            let path = segment_path(&self.config.dir, from.segment);
            let mut set_aside =
                |offset, records, bytes: &[u8]| self.set_aside(from.segment, offset, records, bytes);
            let part = match read_span(&path, self.key, &span, from.record, max_bytes.max(1), &mut set_aside)
            {
                Ok(part) => part,
                // Deleted by a commit meanwhile: what is left is looked up again.
                Err(_) if !lock(&self.state).segments.contains_key(&from.segment) => continue,
                // Where the whole folder is gone it may come back: a disk that is not mounted, say.
                Err(error) if error.kind() == io::ErrorKind::NotFound && self.config.dir.is_dir() => {
                    self.lost_file(from.segment);
                    continue;
                }
                Err(source) => return Err(ReadError::Io { action: "read", path, source }),
            };
            let mut records = part.records;
            records.damaged += damaged;
            if let Some((record, offset)) = part.next_block {
                let hint = Position { segment: from.segment, record };
                lock(&self.state).leave_hint(hint, offset);
            }
            if !records.is_empty() {
                return Ok(records);
            }
            damaged = records.damaged;
            from = records.end.max(Position { record: span.records, ..from });
        }
    }
}
