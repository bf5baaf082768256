//! Finding rows: what of a segment and of a block need not be read, and the newest hits.

use std::{cmp::Reverse, collections::BinaryHeap, ops::Range, sync::Arc};

use event::{Timestamp, field};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use query::Query;

use super::{
    evaluate::{Filtered, Known, States, states},
    reader::Block,
    segment::Segment,
    shapes::{ShapeTotals, Tables},
    store::{Shared, Snapshot},
    terms::{Candidates, Terms},
    test_rows::RowTest,
};
use crate::{Cursor, Hit, IndexError, Meter, SearchRequest, SearchResult, Selection};

/// What becomes of matching rows.
pub(super) trait Collect {
    /// Whether blocks of which all rows match are taken whole.
    fn takes_blocks(&self) -> bool {
        false
    }

    /// All rows of a block match; only when [`Collect::takes_blocks`].
    fn rows(&mut self, _: &Block<'_>) -> Result<(), IndexError> {
        Ok(())
    }

    /// All rows of a shape in a segment match; false when they are wanted piece by piece.
    fn segment(&mut self, tables: &Tables, shape: usize, totals: &ShapeTotals) -> bool;
    /// All rows of a shape in a block match; false when they are wanted one by one.
    fn block(&mut self, block: &Block<'_>, shape: usize, rows: u64) -> Result<bool, IndexError>;
    /// A row matches.
    fn row(&mut self, test: &mut RowTest<'_>, row: usize) -> Result<(), IndexError>;
}

/// Which events are asked for, made ready.
pub(super) struct Asked<'r> {
    selection: &'r Selection,
    terms: Arc<Terms>,
}

impl<'r> Asked<'r> {
    fn new(selection: &'r Selection) -> Self {
        Self { selection, terms: Terms::new(&selection.query) }
    }
}

/// A block's part of a query.
pub(super) struct Part {
    /// By place of the row shape.
    states: Vec<Known>,
    rows: Range<usize>,
}

fn times(selection: &Selection) -> (i64, i64) {
    let from = selection.from.map_or(0, Timestamp::as_nanos);
    // `to` is exclusive, and no time stamp lies behind the last.
    (from, selection.to.map_or(i64::MAX, |to| to.as_nanos() - 1))
}

/// What of a block matches; None when nothing does.
fn part(
    selection: &Selection,
    block: &Block<'_>,
    any: &[Known],
    asked: &States,
    meter: &mut Meter<'_>,
) -> Result<Option<Part>, IndexError> {
    let (from, to) = times(selection);
    let shapes = block.shapes()?;
    let mut states: Vec<Known> = shapes.numbers.iter().map(|number| any[*number as usize]).collect();
    if states.contains(&Known::Depends) {
        let filtered = asked.filtered(block.tables, block.filter()?, meter)?;
        let mut candidates = Candidates::default();
        for (state, number) in states.iter_mut().zip(&shapes.numbers) {
            if *state != Known::Depends {
                continue;
            }
            *state = match &filtered {
                Filtered::All(states) => states[*number as usize],
                Filtered::Open(answers) => {
                    meter.spend(1 + asked.terms.tests)?;
                    asked.of_shape(&block.tables.shapes[*number as usize], answers, &mut candidates)
                }
            };
        }
    }
    if states.iter().all(|state| *state == Known::Never) {
        return Ok(None);
    }
    let meta = &block.segment.blocks[block.index].meta;
    let rows = if meta.first >= from && meta.last <= to {
        0..block.len()
    } else {
        let times = block.times()?;
        times.partition_point(|time| *time < from)..times.partition_point(|time| *time <= to)
    };
    Ok((!rows.is_empty()).then_some(Part { states, rows }))
}

fn overlaps(selection: &Selection, first: i64, last: i64) -> bool {
    let (from, to) = times(selection);
    first <= to && last >= from
}

impl Shared {
    /// Hands everything that matches to `collect`, in no order.
    pub(super) fn visit(
        &self,
        snapshot: &Snapshot,
        selection: &Selection,
        collect: &mut dyn Collect,
        meter: &mut Meter<'_>,
    ) -> Result<(), IndexError> {
        self.visit_and_keep(snapshot, &Asked::new(selection), collect, &mut Memo::default(), meter)
    }

    fn visit_and_keep(
        &self,
        snapshot: &Snapshot,
        asked: &Asked<'_>,
        collect: &mut dyn Collect,
        memo: &mut Memo,
        meter: &mut Meter<'_>,
    ) -> Result<(), IndexError> {
        for segment in &snapshot.segments {
            if segment.rows > 0 && overlaps(asked.selection, segment.first, segment.last) {
                meter.check()?;
                self.visit_segment(segment, asked, collect, meter, memo)?;
            }
        }
        Ok(())
    }

    fn visit_segment(
        &self,
        segment: &Segment,
        Asked { selection, terms }: &Asked<'_>,
        collect: &mut dyn Collect,
        meter: &mut Meter<'_>,
        memo: &mut Memo,
    ) -> Result<(), IndexError> {
        let tables = segment.tables(&self.cache)?;
        let asked = states(terms, segment, &tables, &self.cache, meter)?;
        let (from, to) = times(selection);
        let whole = |first: i64, last: i64| first >= from && last <= to;
        let takes_blocks = collect.takes_blocks() && asked.any.iter().all(|state| *state == Known::Always);
        let mut any = asked.any.as_ref().clone();
        if !takes_blocks && segment.whole && whole(segment.first, segment.last) {
            for (shape, state) in any.iter_mut().enumerate() {
                if *state == Known::Always && collect.segment(&tables, shape, &tables.totals[shape]) {
                    *state = Known::Never;
                }
            }
        }
        if any.iter().all(|state| *state == Known::Never) {
            return Ok(());
        }
        let no_always = !any.contains(&Known::Always);
        for (index, place) in segment.blocks.iter().enumerate() {
            if !overlaps(selection, place.meta.first, place.meta.last) {
                continue;
            }
            meter.check()?;
            let block = Block::new(segment, index, &tables, &self.cache);
            if takes_blocks && whole(place.meta.first, place.meta.last) {
                collect.rows(&block)?;
                continue;
            }
            if no_always && !asked.may_touch(&tables, block.filter()?, meter)? {
                continue;
            }
            if let Some(part) = part(selection, &block, &any, &asked, meter)? {
                visit_block(&block, &asked, part, collect, meter, memo)?;
            }
        }
        Ok(())
    }

    pub(super) fn search(
        &self,
        snapshot: &Snapshot,
        request: &SearchRequest,
        meter: &mut Meter<'_>,
    ) -> Result<SearchResult, IndexError> {
        let asked = Asked::new(&request.selection);
        let (mut total, mut memo) = (Total(0), Memo::default());
        memo.room = if request.limit > 0 { MEMO_ROWS_MAX } else { 0 };
        if request.counted {
            match self.rows_of_hosts(snapshot, &request.selection)? {
                Some(rows) => total.0 = rows,
                None => self.visit_and_keep(snapshot, &asked, &mut total, &mut memo, meter)?,
            }
        }
        let mut hits = Vec::new();
        let mut more = false;
        if request.limit > 0 && (total.0 > 0 || !request.counted) {
            // One more than asked for tells whether there is a further page.
            let found = self.newest(snapshot, request, (&asked, &memo), meter)?;
            let wanted = &found[..found.len().min(request.limit)];
            hits = self.documents(snapshot, wanted, None, request.bytes_max, meter)?.0;
            more = found.len() > hits.len();
        }
        let next = hits.last().map(|hit: &Hit| hit.cursor).filter(|_| more);
        Ok(SearchResult { total: total.0, hits, next, covered: snapshot.covered })
    }

    /// The total of a query that asks for hosts alone, over all time, from their counters.
    fn rows_of_hosts(&self, snapshot: &Snapshot, selection: &Selection) -> Result<Option<u64>, IndexError> {
        let Query::Field { path, test } = &selection.query else { return Ok(None) };
        if path != field::HOST_NAME {
            return Ok(None);
        }
        let (from, to) = times(selection);
        let mut total = 0;
        for segment in snapshot.segments.iter().filter(|segment| segment.rows > 0) {
            if segment.first < from || segment.last > to || !segment.whole {
                return Ok(None);
            }
            let tables = segment.tables(&self.cache)?;
            let hosts = tables.hosts.iter().zip(&tables.host_rows);
            total += hosts.filter(|(host, _)| test.matches_text(host)).map(|(_, rows)| rows).sum::<u64>();
        }
        Ok(Some(total))
    }

    /// The newest matching rows behind `after`, falling; one more than `limit`, if there are so many.
    fn newest(
        &self,
        snapshot: &Snapshot,
        request: &SearchRequest,
        (asked, memo): (&Asked<'_>, &Memo),
        meter: &mut Meter<'_>,
    ) -> Result<Vec<Found>, IndexError> {
        let selection = &request.selection;
        let wanted = request.limit.saturating_add(1);
        let latest = request.after.map_or(i64::MAX, |after| after.timestamp.as_nanos());
        let mut order: Vec<(i64, usize, usize)> = Vec::new();
        for (at, segment) in snapshot.segments.iter().enumerate() {
            for (index, place) in segment.blocks.iter().enumerate() {
                if overlaps(selection, place.meta.first, place.meta.last) && place.meta.first <= latest {
                    order.push((place.meta.last, at, index));
                }
            }
        }
        order.sort_unstable_by_key(|(last, ..)| Reverse(*last));
        let mut kept: BinaryHeap<Reverse<Found>> = BinaryHeap::new();
        let mut tables: Vec<Option<(Arc<Tables>, Arc<super::evaluate::States>)>> =
            vec![None; snapshot.segments.len()];
        for (last, at, index) in order {
            let worst = kept.peek().filter(|_| kept.len() >= wanted);
            if worst.is_some_and(|Reverse(worst)| worst.0.timestamp.as_nanos() > last) {
                break;
            }
            meter.check()?;
            let segment = &snapshot.segments[at];
            let (tables, states) = match &tables[at] {
                Some((tables, states)) => (Arc::clone(tables), Arc::clone(states)),
                None => {
                    let own = segment.tables(&self.cache)?;
                    let states = states(&asked.terms, segment, &own, &self.cache, meter)?;
                    tables[at] = Some((Arc::clone(&own), Arc::clone(&states)));
                    (own, states)
                }
            };
            let block = Block::new(segment, index, &tables, &self.cache);
            if let Some(part) = part(selection, &block, &states.any, &states, meter)? {
                let test = (states.as_ref(), memo.rows(&block));
                newest_of_block(&block, request, test, part, (at, index, wanted), &mut kept, meter)?;
            }
        }
        Ok(kept.into_sorted_vec().into_iter().map(|Reverse(found)| found).collect())
    }
}

/// A row found: its order, segment, block and row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found(pub(super) Cursor, pub(super) usize, pub(super) usize, pub(super) usize);

fn visit_block(
    block: &Block<'_>,
    states: &States,
    mut part: Part,
    collect: &mut dyn Collect,
    meter: &mut Meter<'_>,
    memo: &mut Memo,
) -> Result<(), IndexError> {
    let shapes = block.shapes()?;
    if part.rows.len() == block.len() {
        for (place, state) in part.states.iter_mut().enumerate() {
            let (shape, rows) = (shapes.numbers[place] as usize, u64::from(shapes.counts[place]));
            if *state == Known::Always && collect.block(block, shape, rows)? {
                *state = Known::Never;
            }
        }
        if part.states.iter().all(|state| *state == Known::Never) {
            return Ok(());
        }
    }
    let mut test = RowTest::new(block, states)?;
    rule_out(&mut test, &mut part, meter)?;
    let mut found = Vec::new();
    if part.states.iter().any(|state| *state != Known::Never) {
        for (row, place) in block.rows()?.iter().enumerate().take(part.rows.end).skip(part.rows.start) {
            match part.states[usize::from(*place)] {
                Known::Never => continue,
                Known::Always => {}
                Known::Depends => {
                    let matches = test.matches(row)?;
                    meter.spend(1 + test.take_tests())?;
                    if !matches {
                        continue;
                    }
                    found.push(row as u32);
                }
            }
            meter.spend(1)?;
            collect.row(&mut test, row)?;
        }
    }
    memo.keep(block, found);
    Ok(())
}

/// What columns alone tell of the shapes of which nothing is known yet. The rows so ruled out are
/// spent as well, because their columns were read.
fn rule_out(test: &mut RowTest<'_>, part: &mut Part, meter: &mut Meter<'_>) -> Result<(), IndexError> {
    let shapes = test.rows.block.shapes()?;
    for (state, (place, rows)) in part.states.iter_mut().zip(shapes.counts.iter().enumerate()) {
        if *state == Known::Depends && test.rules_out(place, meter)? {
            meter.spend(u64::from(*rows).min(part.rows.len() as u64))?;
            *state = Known::Never;
        }
    }
    Ok(())
}

/// Matching rows kept for the newest of them are no more than this.
const MEMO_ROWS_MAX: usize = 1 << 20;

/// For blocks whose rows were tested, those that matched.
#[derive(Default)]
struct Memo {
    rows: HashMap<u64, Vec<u32>, FixedState>,
    room: usize,
}

impl Memo {
    fn unit(block: &Block<'_>) -> u64 {
        block.segment.blocks[block.index].unit
    }

    fn keep(&mut self, block: &Block<'_>, rows: Vec<u32>) {
        if rows.len() < self.room {
            // An empty list takes room as well.
            self.room -= rows.len() + 1;
            self.rows.insert(Self::unit(block), rows);
        }
    }

    fn rows(&self, block: &Block<'_>) -> Option<&[u32]> {
        self.rows.get(&Self::unit(block)).map(Vec::as_slice)
    }
}

fn newest_of_block(
    block: &Block<'_>,
    request: &SearchRequest,
    (states, known): (&States, Option<&[u32]>),
    mut part: Part,
    (at, index, wanted): (usize, usize, usize),
    kept: &mut BinaryHeap<Reverse<Found>>,
    meter: &mut Meter<'_>,
) -> Result<(), IndexError> {
    let mut test = RowTest::new(block, states)?;
    match known {
        Some([]) => part.states.iter_mut().for_each(|state| {
            *state = if *state == Known::Depends { Known::Never } else { *state };
        }),
        Some(_) => {}
        None => rule_out(&mut test, &mut part, meter)?,
    }
    if part.states.iter().all(|state| *state == Known::Never) {
        return Ok(());
    }
    let (places, times) = (block.rows()?, block.times()?);
    for row in part.rows.rev() {
        let state = part.states[usize::from(places[row])];
        if state == Known::Never {
            continue;
        }
        let timestamp = Timestamp::from_nanos(times[row]).unwrap_or_default();
        if request.after.is_some_and(|after| timestamp > after.timestamp) {
            continue;
        }
        let worst = kept.peek().filter(|_| kept.len() >= wanted).map(|Reverse(worst)| worst.0);
        if worst.is_some_and(|worst| timestamp < worst.timestamp) {
            return Ok(());
        }
        if state == Known::Depends {
            let matches = match known {
                Some(known) => known.binary_search(&(row as u32)).is_ok(),
                None => {
                    let matches = test.matches(row)?;
                    meter.spend(1 + test.take_tests())?;
                    matches
                }
            };
            if !matches {
                continue;
            }
        }
        let cursor = Cursor { timestamp, id: block.id(row)? };
        if request.after.is_some_and(|after| cursor >= after) || worst.is_some_and(|worst| cursor < worst) {
            continue;
        }
        kept.push(Reverse(Found(cursor, at, index, row)));
        if kept.len() > wanted {
            kept.pop();
        }
    }
    Ok(())
}

/// Counts.
struct Total(u64);

impl Collect for Total {
    fn segment(&mut self, _: &Tables, _: usize, totals: &ShapeTotals) -> bool {
        self.0 += totals.rows;
        true
    }

    fn block(&mut self, _: &Block<'_>, _: usize, rows: u64) -> Result<bool, IndexError> {
        self.0 += rows;
        Ok(true)
    }

    fn row(&mut self, _: &mut RowTest<'_>, _: usize) -> Result<(), IndexError> {
        self.0 += 1;
        Ok(())
    }
}
