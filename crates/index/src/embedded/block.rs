//! A block of rows being filled, and its encoding into sections.
//!
//! Rows are sorted by time stamp, then event id. Sections, each with its own checksum:
//!
//! | section | holds |
//! |---|---|
//! | `Shapes` | row shapes by falling frequency: varint number in the segment; then, packed: rows and bytes of cells of each |
//! | `Rows` | for each row its place in `Shapes` |
//! | `Hosts` | varint numbers of the hosts in the segment; then for each row 0, or 1 + its place among them |
//! | `Times` | time stamps: greatest common divisor, then per 512 rows a column of deltas |
//! | `Observed` | observed time stamps: a tag, then deltas to the row before or to the time stamp |
//! | `Ids` | journals, for each row its place among them, positions (segment, then record, in 64 bits) |
//! | `Cells` | for each row shape in order, for each of its cells a column |
//! | `Wide` | contents of wide slots, row by row |
//! | `TextLengths`, `Texts` | the dictionary of texts, in order of first use |
//! | `Filter` | a Bloom filter over tokens at variable places and over field values |

use event::{EventId, JournalId, Position, Timestamp};
use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashTable, hash_table::Entry};
use query::{is_token_char, lowered, tokens};

use super::{
    bloom::{self, Bloom},
    ints::{self, put_bytes, put_varint, zigzag},
    shapes::{RowShape, ShapeTotals},
};

/// The sections of a block, in their order within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Section {
    Shapes,
    Rows,
    Hosts,
    Times,
    Observed,
    Ids,
    Cells,
    Wide,
    TextLengths,
    Texts,
    Filter,
}

impl Section {
    pub(super) const ALL: [Self; SECTIONS] = [
        Self::Shapes,
        Self::Rows,
        Self::Hosts,
        Self::Times,
        Self::Observed,
        Self::Ids,
        Self::Cells,
        Self::Wide,
        Self::TextLengths,
        Self::Texts,
        Self::Filter,
    ];
}

/// How many sections a block has.
pub(super) const SECTIONS: usize = 11;
/// Rows that share a column of time deltas.
pub(super) const TIME_CHUNK: usize = 512;
const ZSTD_LEVEL: i32 = 3;

/// What is known of a block without reading it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct BlockMeta {
    pub(super) rows: u32,
    pub(super) first: i64,
    pub(super) last: i64,
    /// Length and CRC-32C of each section.
    pub(super) sections: [(u32, u32); SECTIONS],
}

/// An encoded block.
#[derive(Debug, Clone)]
pub(super) struct EncodedBlock {
    pub(super) meta: BlockMeta,
    pub(super) bytes: Vec<u8>,
}

/// A row's scalar columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) shape: u32,
    /// 1 + number of the host, or 0.
    pub(super) host: u32,
    pub(super) timestamp: i64,
    pub(super) observed: i64,
    pub(super) id: EventId,
    cells: u32,
    wide: u32,
}

/// Texts of a block, each once.
#[derive(Debug, Default)]
struct Texts {
    heap: String,
    ends: Vec<u32>,
    table: HashTable<u32>,
    /// Those whose tokens are in the filter as they stand.
    alone: Vec<bool>,
}

impl Texts {
    fn intern(&mut self, text: &str) -> u32 {
        let hash = bloom::hash(0, text.as_bytes());
        let Self { heap, ends, table, .. } = self;
        let at = |number: u32| {
            let start = number.checked_sub(1).map_or(0, |before| ends[before as usize]);
            &heap[start as usize..ends[number as usize] as usize]
        };
        let rehash = |number: &u32| bloom::hash(0, at(*number).as_bytes());
        match table.entry(hash, |number| at(*number) == text, rehash) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                let number = ends.len() as u32;
                entry.insert(number);
                heap.push_str(text);
                ends.push(heap.len() as u32);
                number
            }
        }
    }
}

/// A block being filled.
#[derive(Debug, Default)]
pub(super) struct BlockBuilder {
    rows: Vec<Row>,
    cells: Vec<u64>,
    wide: Vec<u8>,
    texts: Texts,
    keys: Keys,
}

/// The keys of a filter, each once.
#[derive(Debug, Default)]
struct Keys {
    table: HashTable<u64>,
    /// In the order in which they came.
    list: Vec<u64>,
}

/// How sections are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// As small as may be.
    Small,
    /// Not at all: for what is read at once and not kept.
    Quick,
}

impl BlockBuilder {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Bytes of text held, which bound a block beside its rows.
    pub(super) fn text_bytes(&self) -> usize {
        self.texts.heap.len() + self.wide.len()
    }

    /// Begins a row; its cells and wide contents follow.
    pub(super) fn begin(
        &mut self,
        shape: u32,
        host: Option<u32>,
        timestamp: Timestamp,
        observed: Timestamp,
        id: EventId,
    ) {
        self.rows.push(Row {
            shape,
            host: host.map_or(0, |host| host + 1),
            timestamp: timestamp.as_nanos(),
            observed: observed.as_nanos(),
            id,
            cells: self.cells.len() as u32,
            wide: self.wide.len() as u32,
        });
    }

    pub(super) fn cell(&mut self, cell: u64) {
        self.cells.push(cell);
    }

    /// A text cell; gives the number of the text.
    pub(super) fn text(&mut self, text: &str) -> u32 {
        let number = self.texts.intern(text);
        self.cells.push(u64::from(number));
        number
    }

    /// Whether a text stands alone in a message for the first time.
    pub(super) fn alone(&mut self, number: u32) -> bool {
        let at = number as usize;
        if self.texts.alone.len() <= at {
            self.texts.alone.resize(at + 1, false);
        }
        !std::mem::replace(&mut self.texts.alone[at], true)
    }

    pub(super) fn wide(&mut self, bytes: &[u8]) {
        self.wide.extend_from_slice(bytes);
    }

    /// Puts a key into the filter.
    pub(super) fn key(&mut self, key: u64) {
        if let Entry::Vacant(entry) = self.keys.table.entry(key, |known| *known == key, |known| *known) {
            entry.insert(key);
            self.keys.list.push(key);
        }
    }

    /// Puts the tokens of `message` that overlap `from..to` into the filter; returns where the last
    /// of them ends.
    pub(super) fn tokens(&mut self, message: &str, from: usize, to: usize) -> usize {
        let bytes = message.as_bytes();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let (mut start, mut end) = (from, to);
        while start > 0 && plain(bytes[start - 1]) {
            start -= 1;
        }
        while end < bytes.len() && plain(bytes[end]) {
            end += 1;
        }
        let ascii_edges =
            (start == 0 || bytes[start - 1].is_ascii()) && bytes.get(end).is_none_or(u8::is_ascii);
        if !ascii_edges {
            let before = &message[..start];
            start = before
                .char_indices()
                .rev()
                .take_while(|(_, c)| is_token_char(*c))
                .last()
                .map_or(start, |(at, _)| at);
            let after = &message[end..];
            end += after.find(|c| !is_token_char(c)).unwrap_or(after.len());
        }
        let text = &message[start..end];
        if !text.is_ascii() {
            for token in tokens(text) {
                self.token(token.as_bytes());
            }
            return end;
        }
        let mut lower = [0u8; 64];
        for token in text.as_bytes().split(|byte| !plain(*byte)) {
            match lower.get_mut(..token.len()) {
                Some(lower) => {
                    lower.copy_from_slice(token);
                    lower.make_ascii_lowercase();
                    self.token(lower);
                }
                None => self.token(&token.to_ascii_lowercase()),
            }
        }
        end
    }

    fn token(&mut self, token: &[u8]) {
        if !token.is_empty() && !bloom::is_unfiltered(token) {
            self.key(bloom::token_key(token));
        }
    }

    /// Encodes what is there, leaving it as it is; with the totals of each row shape that occurs
    /// and the rows of each host.
    pub(super) fn encode<'s>(&self, shape_of: impl Fn(u32) -> &'s RowShape, packing: Packing) -> Encoded {
        let mut rows = self.rows.clone();
        if !rows.is_sorted_by(|a, b| (a.timestamp, a.id) <= (b.timestamp, b.id)) {
            rows.sort_unstable_by_key(|row| (row.timestamp, row.id));
        }
        let groups = group(&rows);
        let Grouped { cells, directory, totals } = self.encode_groups(&rows, &groups, &shape_of, packing);
        let mut wide = Vec::with_capacity(self.wide.len());
        if !self.wide.is_empty() {
            let lengths: Vec<usize> = groups.order.iter().map(|number| shape_of(*number).wide()).collect();
            for (row, place) in rows.iter().zip(&groups.places) {
                let from = row.wide as usize;
                wide.extend_from_slice(&self.wide[from..from + lengths[*place as usize]]);
            }
        }
        let (hosts, host_rows) = encode_hosts(&rows, packing);
        let places: Vec<u64> = groups.places.iter().map(|place| u64::from(*place)).collect();
        let (text_lengths, texts) = self.encode_texts(packing);
        let filter = Bloom::build(self.keys.list.iter().copied());
        let sections: [Vec<u8>; SECTIONS] = [
            directory,
            planes(&places, packing),
            hosts,
            encode_times(&rows),
            encode_observed(&rows),
            encode_ids(&rows),
            cells,
            packed(&wide, packing),
            text_lengths,
            texts,
            filter.to_bytes(),
        ];
        let meta = BlockMeta {
            rows: rows.len() as u32,
            first: rows.first().map_or(0, |row| row.timestamp),
            last: rows.last().map_or(0, |row| row.timestamp),
            sections: sections.each_ref().map(|section| (section.len() as u32, crc32c::crc32c(section))),
        };
        Encoded { block: EncodedBlock { meta, bytes: sections.concat() }, totals, host_rows }
    }

    /// The columns of every row shape, one after the other, and where each begins.
    fn encode_groups<'s>(
        &self,
        rows: &[Row],
        groups: &Groups,
        shape_of: &impl Fn(u32) -> &'s RowShape,
        packing: Packing,
    ) -> Grouped {
        let mut totals = Vec::with_capacity(groups.order.len());
        let (mut cells, mut column, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        for (place, &number) in groups.order.iter().enumerate() {
            let members = groups.members(place);
            let start = cells.len();
            let mut score_max = 0;
            for cell in 0..shape_of(number).cells() {
                column.clear();
                column
                    .extend(members.iter().map(|row| self.cells[rows[*row as usize].cells as usize + cell]));
                if cell == 0 {
                    score_max = column.iter().copied().max().unwrap_or_default();
                }
                ints::encode(&column, &mut cells);
            }
            put_varint(&mut rest, members.len() as u64);
            put_varint(&mut rest, (cells.len() - start) as u64);
            let timestamp = |row: Option<&u32>| row.map_or(0, |row| rows[*row as usize].timestamp);
            totals.push((
                number,
                ShapeTotals {
                    rows: members.len() as u64,
                    first: timestamp(members.first()),
                    last: timestamp(members.last()),
                    score_max,
                },
            ));
        }
        let mut directory = Vec::new();
        put_varint(&mut directory, groups.order.len() as u64);
        groups.order.iter().for_each(|number| put_varint(&mut directory, u64::from(*number)));
        put_packed(&rest, packing, &mut directory);
        Grouped { cells, directory, totals }
    }

    fn encode_texts(&self, packing: Packing) -> (Vec<u8>, Vec<u8>) {
        let mut lengths = Vec::new();
        let mut last = 0;
        for end in &self.texts.ends {
            put_varint(&mut lengths, u64::from(end - last));
            last = *end;
        }
        let mut head = Vec::new();
        put_varint(&mut head, self.texts.ends.len() as u64);
        put_packed(&lengths, packing, &mut head);
        (head, packed(self.texts.heap.as_bytes(), packing))
    }

    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.cells.clear();
        self.wide.clear();
        self.texts.heap.clear();
        self.texts.ends.clear();
        self.texts.table.clear();
        self.texts.alone.clear();
        self.keys.table.clear();
        self.keys.list.clear();
    }

    /// Copies what another one has behind what this one was copied from it before; the copy can be
    /// encoded, not written to.
    pub(super) fn copy_new(&mut self, from: &Self) {
        fn copy<T: Copy>(to: &mut Vec<T>, from: &[T]) {
            to.extend_from_slice(from.get(to.len()..).unwrap_or_default());
        }
        copy(&mut self.rows, &from.rows);
        copy(&mut self.cells, &from.cells);
        copy(&mut self.wide, &from.wide);
        copy(&mut self.texts.ends, &from.texts.ends);
        copy(&mut self.keys.list, &from.keys.list);
        self.texts.heap.push_str(from.texts.heap.get(self.texts.heap.len()..).unwrap_or_default());
    }
}

/// An encoded block and what it adds to its segment's counters.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) block: EncodedBlock,
    pub(super) totals: Vec<(u32, ShapeTotals)>,
    pub(super) host_rows: Vec<(u32, u64)>,
}

/// Rows by shape.
struct Groups {
    /// Shape numbers, the most frequent first.
    order: Vec<u32>,
    /// For each row the place of its shape in `order`.
    places: Vec<u32>,
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl Groups {
    fn members(&self, place: usize) -> &[u32] {
        &self.rows[self.starts[place] as usize..self.starts[place + 1] as usize]
    }
}

/// What the row shapes of a block became.
struct Grouped {
    cells: Vec<u8>,
    directory: Vec<u8>,
    totals: Vec<(u32, ShapeTotals)>,
}

fn group(rows: &[Row]) -> Groups {
    let mut found: HashMap<u32, u32, FixedState> = HashMap::default();
    let mut counts: Vec<(u32, u32)> = Vec::new();
    let mut places: Vec<u32> = Vec::with_capacity(rows.len());
    for row in rows {
        let place = *found.entry(row.shape).or_insert_with(|| {
            counts.push((0, row.shape));
            counts.len() as u32 - 1
        });
        counts[place as usize].0 += 1;
        places.push(place);
    }
    let mut by_count: Vec<u32> = (0..counts.len() as u32).collect();
    by_count.sort_unstable_by_key(|place| {
        let (count, shape) = counts[*place as usize];
        (std::cmp::Reverse(count), shape)
    });
    let mut rank = vec![0u32; counts.len()];
    let mut starts = Vec::with_capacity(counts.len() + 1);
    let mut start = 0;
    for (at, place) in by_count.iter().enumerate() {
        rank[*place as usize] = at as u32;
        starts.push(start);
        start += counts[*place as usize].0;
    }
    starts.push(start);
    let mut next = starts.clone();
    let mut members = vec![0u32; rows.len()];
    for (row, place) in places.iter_mut().enumerate() {
        *place = rank[*place as usize];
        let at = &mut next[*place as usize];
        members[*at as usize] = row as u32;
        *at += 1;
    }
    let order = by_count.iter().map(|place| counts[*place as usize].1).collect();
    Groups { order, places, starts, rows: members }
}

fn encode_hosts(rows: &[Row], packing: Packing) -> (Vec<u8>, Vec<(u32, u64)>) {
    let mut found: HashMap<u32, u64, FixedState> = HashMap::default();
    let mut hosts: Vec<(u32, u64)> = Vec::new();
    let mut places = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(number) = row.host.checked_sub(1) else {
            places.push(0);
            continue;
        };
        let place = *found.entry(number).or_insert_with(|| {
            hosts.push((number, 0));
            hosts.len() as u64
        });
        hosts[place as usize - 1].1 += 1;
        places.push(place);
    }
    let mut out = Vec::new();
    put_varint(&mut out, hosts.len() as u64);
    hosts.iter().for_each(|(number, _)| put_varint(&mut out, u64::from(*number)));
    out.extend_from_slice(&planes(&places, packing));
    (out, hosts)
}

fn encode_times(rows: &[Row]) -> Vec<u8> {
    let mut out = Vec::new();
    let first = rows.first().map_or(0, |row| row.timestamp);
    let divisor = rows.iter().fold(0, |divisor, row| gcd((row.timestamp - first) as u64, divisor)).max(1);
    put_varint(&mut out, first as u64);
    put_varint(&mut out, divisor);
    let mut last = first;
    for chunk in rows.chunks(TIME_CHUNK) {
        let deltas: Vec<u64> = chunk
            .iter()
            .map(|row| {
                let delta = (row.timestamp - last) as u64 / divisor;
                last = row.timestamp;
                delta
            })
            .collect();
        ints::encode_rows(&deltas, &mut out);
    }
    out
}

const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn encode_observed(rows: &[Row]) -> Vec<u8> {
    let from_time: Vec<u64> =
        rows.iter().map(|row| zigzag(row.observed.wrapping_sub(row.timestamp))).collect();
    let mut by_time = vec![1];
    ints::encode_rows(&from_time, &mut by_time);
    let values: Vec<u64> = rows.iter().map(|row| row.observed as u64).collect();
    let mut plain = vec![0];
    ints::encode_rows(&values, &mut plain);
    if by_time.len() < plain.len() { by_time } else { plain }
}

fn encode_ids(rows: &[Row]) -> Vec<u8> {
    let mut journals: Vec<JournalId> = Vec::new();
    let places: Vec<u64> = rows
        .iter()
        .map(|row| {
            let place =
                journals.iter().rposition(|journal| *journal == row.id.journal).unwrap_or_else(|| {
                    journals.push(row.id.journal);
                    journals.len() - 1
                });
            place as u64
        })
        .collect();
    let mut out = Vec::new();
    put_varint(&mut out, journals.len() as u64);
    journals.iter().for_each(|journal| out.extend_from_slice(&journal.0.to_le_bytes()));
    ints::encode_rows(&places, &mut out);
    let positions: Vec<u64> = rows.iter().map(|row| number_of(row.id.position)).collect();
    ints::encode_rows(&positions, &mut out);
    out
}

/// A position as one number that sorts alike.
pub(super) fn number_of(position: Position) -> u64 {
    u64::from(position.segment) << 32 | u64::from(position.record)
}

/// The smaller of a column as numbers and its bytes, plane by plane, in zstd.
///
/// `u8 0`, then a column; or `u8` number of planes, then as [`packed`].
fn planes(values: &[u64], packing: Packing) -> Vec<u8> {
    let mut plain = vec![0];
    ints::encode_rows(values, &mut plain);
    let count = values.iter().copied().max().map_or(0, |max| ints::width_of(max).div_ceil(8)) as usize;
    if packing == Packing::Quick || plain.len() < values.len() / 8 + 64 || count > 4 {
        return plain;
    }
    let mut bytes = Vec::with_capacity(values.len() * count);
    for plane in 0..count {
        bytes.extend(values.iter().map(|value| (value >> (plane * 8)) as u8));
    }
    let mut out = vec![count as u8];
    put_packed(&bytes, packing, &mut out);
    // A plain column is read several times faster.
    if out.len() < plain.len() * 9 / 10 { out } else { plain }
}

pub(super) fn packed(bytes: &[u8], packing: Packing) -> Vec<u8> {
    let mut out = Vec::new();
    put_packed(bytes, packing, &mut out);
    out
}

/// Bytes in zstd where that makes them smaller: varint length, varint stored length, stored bytes
/// (as they are when both lengths are equal).
pub(super) fn put_packed(bytes: &[u8], packing: Packing, out: &mut Vec<u8>) {
    put_varint(out, bytes.len() as u64);
    if packing == Packing::Quick {
        return put_bytes(out, bytes);
    }
    match zstd::bulk::compress(bytes, ZSTD_LEVEL) {
        Ok(small) if small.len() < bytes.len() => put_bytes(out, &small),
        _ => put_bytes(out, bytes),
    }
}

/// A token in the form that [`bloom::token_key`] takes.
pub(super) fn token_key(token: &str) -> Option<u64> {
    let token = lowered(token);
    (!bloom::is_unfiltered(token.as_bytes())).then(|| bloom::token_key(token.as_bytes()))
}
