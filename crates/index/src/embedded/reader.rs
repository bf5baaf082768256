//! Reading a block: its sections, decoded when they are first needed and kept in the cache.

use std::{cell::OnceCell, sync::Arc};

use event::{EventId, JournalId, Position};

use super::{
    block::{Section, TIME_CHUNK},
    bloom::Bloom,
    cache::Cache,
    ints::{self, Column, Damage, Input, unzigzag},
    needle::Needle,
    segment::{Segment, unpack},
    shapes::Tables,
    texts::Texts,
};
use crate::IndexError;

/// The row shapes of a block, the most frequent first.
#[derive(Debug)]
pub(super) struct Shapes {
    /// Numbers in the segment's tables.
    pub(super) numbers: Vec<u32>,
    pub(super) counts: Vec<u32>,
    /// Where the cells of each start; one more than there are shapes.
    pub(super) starts: Vec<u32>,
}

/// For each row its host.
#[derive(Debug)]
pub(super) struct Hosts {
    pub(super) numbers: Vec<u32>,
    /// 0, or 1 + the place in `numbers`.
    pub(super) places: Vec<u16>,
}

/// The part of a journal that rows cover.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) journal: JournalId,
    pub(super) first: Position,
    pub(super) last: Position,
}

#[derive(Debug)]
pub(super) struct Ids {
    journals: Vec<JournalId>,
    /// For each row its place in `journals`; none where there is one alone, which is mostly so.
    places: Vec<u64>,
    positions: Vec<u64>,
}

impl Ids {
    pub(super) fn get(&self, row: usize) -> Result<EventId, Damage> {
        let place = self.places.get(row).copied().unwrap_or_default() as usize;
        let journal = *self.journals.get(place).ok_or(Damage("a journal is missing"))?;
        let position = self.positions.get(row).copied().ok_or(Damage("a position is missing"))?;
        Ok(EventId {
            journal,
            position: Position { segment: (position >> 32) as u32, record: position as u32 },
        })
    }
}

#[derive(Debug)]
pub(super) struct Wide {
    bytes: Vec<u8>,
    /// Where each row's contents start.
    starts: Vec<u32>,
}

impl Wide {
    pub(super) fn row(&self, row: usize) -> &[u8] {
        let start = self.starts.get(row).copied().unwrap_or_default() as usize;
        self.bytes.get(start..).unwrap_or_default()
    }
}

/// The rows of each shape of a block, in their order.
#[derive(Debug)]
pub(super) struct Members {
    rows: Vec<u32>,
    /// Where those of each shape start; one more than there are shapes.
    starts: Vec<u32>,
}

impl Members {
    /// Those of the shape at a place.
    pub(super) fn of(&self, place: usize) -> &[u32] {
        let range = self.starts.get(place).zip(self.starts.get(place + 1));
        range.and_then(|(start, end)| self.rows.get(*start as usize..*end as usize)).unwrap_or_default()
    }
}

/// For each row the rank among the rows of its shape.
const RANKS_KIND: u8 = 200;
const SPANS_KIND: u8 = 201;

/// A block being read.
#[derive(Debug)]
pub(super) struct Block<'s> {
    pub(super) segment: &'s Segment,
    pub(super) index: usize,
    pub(super) tables: &'s Tables,
    cache: &'s Cache,
    shapes: OnceCell<Arc<Shapes>>,
    rows: OnceCell<Arc<Vec<u16>>>,
    ranks: OnceCell<Arc<Vec<u16>>>,
    hosts: OnceCell<Arc<Hosts>>,
    times: OnceCell<Arc<Vec<i64>>>,
    observed: OnceCell<Arc<Vec<i64>>>,
    ids: OnceCell<Arc<Ids>>,
    cells: OnceCell<Arc<Vec<u8>>>,
    wide: OnceCell<Arc<Wide>>,
    texts: OnceCell<Arc<Texts>>,
    filter: OnceCell<Arc<Bloom>>,
}

impl<'s> Block<'s> {
    pub(super) fn new(segment: &'s Segment, index: usize, tables: &'s Tables, cache: &'s Cache) -> Self {
        Self {
            segment,
            index,
            tables,
            cache,
            shapes: OnceCell::new(),
            rows: OnceCell::new(),
            ranks: OnceCell::new(),
            hosts: OnceCell::new(),
            times: OnceCell::new(),
            observed: OnceCell::new(),
            ids: OnceCell::new(),
            cells: OnceCell::new(),
            wide: OnceCell::new(),
            texts: OnceCell::new(),
            filter: OnceCell::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.segment.blocks.get(self.index).map_or(0, |block| block.meta.rows as usize)
    }

    pub(super) fn damaged(&self, damage: Damage) -> IndexError {
        self.segment.damaged_block(self.index, damage)
    }

    fn get<'b, T: Send + Sync + 'static>(
        &self,
        cell: &'b OnceCell<Arc<T>>,
        kind: u8,
        make: impl FnOnce() -> Result<(T, usize), IndexError>,
    ) -> Result<&'b T, IndexError> {
        if let Some(value) = cell.get() {
            return Ok(value);
        }
        let value = self.kept(kind, make)?;
        Ok(cell.get_or_init(|| value))
    }

    /// What the cache keeps of the block, of a kind of its own.
    pub(super) fn kept<T: Send + Sync + 'static>(
        &self,
        kind: u8,
        make: impl FnOnce() -> Result<(T, usize), IndexError>,
    ) -> Result<Arc<T>, IndexError> {
        let unit = self.segment.blocks.get(self.index).map_or(u64::MAX, |block| block.unit);
        // Units of blocks and of segments come from one source, so that keys never meet.
        self.cache.get((unit, 0, kind), make)
    }

    fn decoded<'b, T: Send + Sync + 'static>(
        &self,
        cell: &'b OnceCell<Arc<T>>,
        section: Section,
        decode: impl FnOnce(&mut Input<'_>) -> Result<(T, usize), Damage>,
    ) -> Result<&'b T, IndexError> {
        self.get(cell, section as u8, || {
            let bytes = self.segment.section(self.index, section)?;
            decode(&mut Input(&bytes)).map_err(|damage| self.damaged(damage))
        })
    }

    pub(super) fn shapes(&self) -> Result<&Shapes, IndexError> {
        self.decoded(&self.shapes, Section::Shapes, |input| {
            let count = input.length(self.len())?;
            let numbers = (0..count).map(|_| input.u32()).collect::<Result<Vec<_>, _>>()?;
            if numbers.iter().any(|number| *number as usize >= self.tables.shapes.len()) {
                return Err(Damage("a row shape is missing"));
            }
            let rest = unpack(input)?;
            let mut rest = Input(&rest);
            let (mut counts, mut starts) = (Vec::with_capacity(count), vec![0u32]);
            let (mut start, mut total) = (0u32, 0usize);
            for _ in 0..count {
                let rows = rest.u32()?;
                total += rows as usize;
                counts.push(rows);
                start = start.checked_add(rest.u32()?).ok_or(Damage("cells are too long"))?;
                starts.push(start);
            }
            if total != self.len() {
                return Err(Damage("row shapes do not add up"));
            }
            let size = count * 12;
            Ok((Shapes { numbers, counts, starts }, size))
        })
    }

    /// For each row the place of its shape among the block's.
    pub(super) fn rows(&self) -> Result<&[u16], IndexError> {
        let rows = self.decoded(&self.rows, Section::Rows, |input| {
            let places = take_planes(input, self.len())?;
            let size = places.len() * 2;
            Ok((places, size))
        })?;
        Ok(rows)
    }

    /// For each row its rank among the rows of its shape.
    pub(super) fn ranks(&self) -> Result<&[u16], IndexError> {
        let ranks = self.get(&self.ranks, RANKS_KIND, || {
            let shapes = self.shapes()?;
            let mut next = vec![0u16; shapes.numbers.len()];
            let mut ranks = Vec::with_capacity(self.len());
            for place in self.rows()? {
                let next = next
                    .get_mut(usize::from(*place))
                    .ok_or_else(|| self.damaged(Damage("a row has no shape")))?;
                ranks.push(*next);
                *next = next.wrapping_add(1);
            }
            if next.iter().zip(&shapes.counts).any(|(next, count)| u32::from(*next) != *count) {
                return Err(self.damaged(Damage("rows and row shapes differ")));
            }
            let size = ranks.len() * 2;
            Ok((ranks, size))
        })?;
        Ok(ranks)
    }

    pub(super) fn hosts(&self) -> Result<&Hosts, IndexError> {
        self.decoded(&self.hosts, Section::Hosts, |input| {
            let count = input.length(self.len())?;
            let numbers = (0..count).map(|_| input.u32()).collect::<Result<Vec<_>, _>>()?;
            if numbers.iter().any(|number| *number as usize >= self.tables.hosts.len()) {
                return Err(Damage("a host is missing"));
            }
            let places = take_planes(input, self.len())?;
            if places.iter().any(|place| usize::from(*place) > numbers.len()) {
                return Err(Damage("a host is missing"));
            }
            let size = places.len() * 2 + numbers.len() * 4;
            Ok((Hosts { numbers, places }, size))
        })
    }

    /// The host of a row.
    pub(super) fn host(&self, row: usize) -> Result<Option<&'s Arc<str>>, IndexError> {
        let hosts = self.hosts()?;
        let place = usize::from(hosts.places.get(row).copied().unwrap_or_default());
        let number = place.checked_sub(1).and_then(|place| hosts.numbers.get(place));
        Ok(number.and_then(|number| self.tables.hosts.get(*number as usize)))
    }

    /// Whether a token may stand in the name of a host that its rows have.
    pub(super) fn names_host(&self, token: &Needle) -> Result<bool, IndexError> {
        let mut hosts =
            self.hosts()?.numbers.iter().filter_map(|number| self.tables.hosts.get(*number as usize));
        Ok(hosts.any(|host| token.may_be_in(host)))
    }

    /// Time stamps, rising.
    pub(super) fn times(&self) -> Result<&[i64], IndexError> {
        let times = self.decoded(&self.times, Section::Times, |input| {
            let mut last = input.varint()?;
            let divisor = input.varint()?;
            let mut times = Vec::with_capacity(self.len());
            while times.len() < self.len() {
                let count = TIME_CHUNK.min(self.len() - times.len());
                for delta in ints::decode(input, count)? {
                    last = last.wrapping_add(delta.wrapping_mul(divisor));
                    times.push(last as i64);
                }
            }
            if times.iter().any(|time| *time < 0) {
                return Err(Damage("a time stamp is before 1970"));
            }
            let size = times.len() * 8;
            Ok((times, size))
        })?;
        Ok(times)
    }

    pub(super) fn observed(&self) -> Result<&[i64], IndexError> {
        let times = if self.observed.get().is_none() { self.times()? } else { &[] };
        let observed = self.decoded(&self.observed, Section::Observed, |input| {
            let from_time = input.byte()? == 1;
            let values = ints::decode(input, self.len())?;
            let observed: Vec<i64> = if from_time {
                values.iter().zip(times).map(|(value, time)| time.wrapping_add(unzigzag(*value))).collect()
            } else {
                values.into_iter().map(|value| value as i64).collect()
            };
            let size = observed.len() * 8;
            Ok((observed, size))
        })?;
        Ok(observed)
    }

    pub(super) fn ids(&self) -> Result<&Ids, IndexError> {
        self.decoded(&self.ids, Section::Ids, |input| {
            let count = input.length(self.len())?;
            let mut journals = Vec::with_capacity(count);
            for _ in 0..count {
                let id = input.take(16)?.iter().rev().fold(0u128, |id, byte| id << 8 | u128::from(*byte));
                journals.push(JournalId(id));
            }
            let mut places = ints::decode(input, self.len())?;
            let positions = ints::decode(input, self.len())?;
            if places.iter().any(|place| *place >= count as u64) {
                return Err(Damage("a journal is missing"));
            }
            if count == 1 {
                places = Vec::new();
            }
            let size = (places.len() + positions.len()) * 8;
            Ok((Ids { journals, places, positions }, size))
        })
    }

    /// Which part of each journal its rows cover.
    pub(super) fn spans(&self) -> Result<Arc<Vec<Span>>, IndexError> {
        self.kept(SPANS_KIND, || {
            let mut spans: Vec<Span> = Vec::new();
            for row in 0..self.len() {
                let EventId { journal, position } = self.id(row)?;
                match spans.iter_mut().find(|span| span.journal == journal) {
                    Some(span) => {
                        (span.first, span.last) = (span.first.min(position), span.last.max(position));
                    }
                    None => spans.push(Span { journal, first: position, last: position }),
                }
            }
            let size = spans.len() * size_of::<Span>();
            Ok((spans, size))
        })
    }

    pub(super) fn id(&self, row: usize) -> Result<EventId, IndexError> {
        self.ids()?.get(row).map_err(|damage| self.damaged(damage))
    }

    fn cells(&self) -> Result<&[u8], IndexError> {
        let cells = self.get(&self.cells, Section::Cells as u8, || {
            let bytes = self.segment.section(self.index, Section::Cells)?;
            let size = bytes.len();
            Ok((bytes, size))
        })?;
        Ok(cells)
    }

    /// The cells from a place on.
    pub(super) fn cells_from(&self, at: usize) -> Result<Input<'_>, IndexError> {
        let cells = self.cells()?.get(at..);
        cells.map(Input).ok_or_else(|| self.damaged(Damage("cells are missing")))
    }

    /// Where the columns of the shape at this place start, they, to be read one behind the other, and how many values
    /// each has.
    pub(super) fn cells_of(&self, place: usize) -> Result<(usize, Input<'_>, usize), IndexError> {
        let shapes = self.shapes()?;
        let range = shapes.starts.get(place).zip(shapes.starts.get(place + 1));
        let cells = range.map(|(start, end)| *start as usize..*end as usize).zip(shapes.counts.get(place));
        let missing = || self.damaged(Damage("cells are missing"));
        let (range, count) = cells.ok_or_else(missing)?;
        let bytes = self.cells()?.get(range.clone()).ok_or_else(missing)?;
        Ok((range.start, Input(bytes), *count as usize))
    }

    /// The columns of the shape at this place, ready for [`Column::get`].
    pub(super) fn columns(&self, place: usize) -> Result<Vec<Column<'_>>, IndexError> {
        let (_, mut input, count) = self.cells_of(place)?;
        let number = self.shapes()?.numbers.get(place).copied().unwrap_or_default();
        let cells = self.tables.shapes.get(number as usize).map_or(0, |shape| shape.cells());
        let mut columns = Vec::with_capacity(cells);
        for _ in 0..cells {
            let column = Column::parse(&mut input, count).map_err(|damage| self.damaged(damage))?;
            columns.push(match column {
                Column::Delta(..) => Column::Plain(column.into_values(count)),
                column => column,
            });
        }
        Ok(columns)
    }

    /// The rows of each shape.
    pub(super) fn members(&self) -> Result<Members, IndexError> {
        let mut starts = vec![0u32];
        let counts = self.shapes()?.counts.iter();
        starts.extend(counts.scan(0u32, |end, count| {
            *end = end.saturating_add(*count);
            Some(*end)
        }));
        let (mut rows, mut next) = (vec![0; self.len()], starts.clone());
        for (row, place) in self.rows()?.iter().enumerate() {
            let next = next.get_mut(usize::from(*place));
            let at = next.map(|next| std::mem::replace(next, next.saturating_add(1)) as usize);
            let member = at.and_then(|at| rows.get_mut(at));
            *member.ok_or_else(|| self.damaged(Damage("rows and row shapes differ")))? = row as u32;
        }
        Ok(Members { rows, starts })
    }

    pub(super) fn wide(&self) -> Result<&Wide, IndexError> {
        let (shapes, rows) = (self.shapes()?, self.rows()?);
        self.decoded(&self.wide, Section::Wide, |input| {
            let bytes = unpack(input)?;
            let lengths: Vec<usize> =
                shapes.numbers.iter().map(|number| self.tables.shapes[*number as usize].wide()).collect();
            let mut starts = Vec::with_capacity(rows.len());
            let mut start = 0;
            for place in rows {
                starts.push(start as u32);
                start += lengths.get(usize::from(*place)).ok_or(Damage("a row has no shape"))?;
            }
            if start != bytes.len() {
                return Err(Damage("wide contents do not add up"));
            }
            let size = bytes.len() + starts.len() * 4;
            Ok((Wide { bytes, starts }, size))
        })
    }

    pub(super) fn texts(&self) -> Result<&Texts, IndexError> {
        self.get(&self.texts, Section::Texts as u8, || {
            let lengths = self.segment.section(self.index, Section::TextLengths)?;
            let heap = self.segment.section(self.index, Section::Texts)?;
            Texts::take(&lengths, &heap).map_err(|damage| self.damaged(damage))
        })
    }

    pub(super) fn filter(&self) -> Result<&Bloom, IndexError> {
        self.decoded(&self.filter, Section::Filter, |input| {
            let filter = Bloom::from_bytes(input.0);
            let size = filter.len_bytes();
            Ok((filter, size))
        })
    }
}

fn take_planes(input: &mut Input<'_>, count: usize) -> Result<Vec<u16>, Damage> {
    let planes = usize::from(input.byte()?);
    if planes == 0 {
        let values = ints::decode(input, count)?;
        let narrow =
            values.into_iter().map(|value| u16::try_from(value).map_err(|_| Damage("a place is too large")));
        return narrow.collect();
    }
    let bytes = unpack(input)?;
    if bytes.len() != planes * count || planes > 2 {
        return Err(Damage("planes do not add up"));
    }
    let mut values: Vec<u16> = bytes[..count].iter().map(|byte| u16::from(*byte)).collect();
    if planes == 2 {
        values.iter_mut().zip(&bytes[count..]).for_each(|(value, byte)| *value |= u16::from(*byte) << 8);
    }
    Ok(values)
}
