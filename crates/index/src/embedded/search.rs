//! Finding rows: what of a segment and of a block need not be read, and the newest hits.

use std::{cmp::Ordering, collections::BinaryHeap, ops::Range, sync::Arc};

use event::{EventId, Timestamp, field};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use query::Query;

use super::{
    evaluate::{Filtered, Known, States, states},
    matcher::Matcher,
    reader::Block,
    segment::{BlockPlace, Segment},
    shapes::{ShapeTotals, Tables},
    store::{Shared, Snapshot},
    terms::{Candidates, Terms},
};
use crate::{Hit, IndexError, Meter, Order, SearchRequest, SearchResult, Selection, SortKey};

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
    fn row(&mut self, matcher: &mut Matcher<'_>, row: usize) -> Result<(), IndexError>;
}

/// Which events are asked for, made ready.
pub(super) struct Asked<'r> {
    selection: &'r Selection,
    terms: Arc<Terms>,
    /// None of other ids can match.
    ids: Option<Vec<EventId>>,
}

impl<'r> Asked<'r> {
    fn new(selection: &'r Selection) -> Self {
        Self { selection, terms: Terms::new(&selection.query), ids: selection.query.ids() }
    }

    /// Whether a segment may hold an event that is asked for by its id.
    fn reaches(&self, segment: &Segment) -> bool {
        let covers = |id: &EventId| {
            segment.covered.iter().any(|(journal, end)| *journal == id.journal && id.position < *end)
        };
        self.ids.as_ref().is_none_or(|ids| ids.iter().any(covers))
    }

    /// As [`Asked::reaches`], of a block.
    fn reaches_block(&self, block: &Block<'_>) -> Result<bool, IndexError> {
        let Some(ids) = &self.ids else { return Ok(true) };
        let spans = block.spans()?;
        let spanned = |id: &EventId| {
            let mut own = spans.iter().filter(|span| span.journal == id.journal);
            own.any(|span| (span.first..=span.last).contains(&id.position))
        };
        Ok(ids.iter().any(spanned))
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
            if segment.rows > 0
                && overlaps(asked.selection, segment.first, segment.last)
                && asked.reaches(segment)
            {
                meter.check()?;
                self.visit_segment(segment, asked, collect, meter, memo)?;
            }
        }
        Ok(())
    }

    fn visit_segment(
        &self,
        segment: &Segment,
        question: &Asked<'_>,
        collect: &mut dyn Collect,
        meter: &mut Meter<'_>,
        memo: &mut Memo,
    ) -> Result<(), IndexError> {
        let Asked { selection, terms, .. } = question;
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
            if !question.reaches_block(&block)? {
                continue;
            }
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
            let found = self.first(snapshot, request, &asked, &memo, meter)?;
            let wanted = &found[..found.len().min(request.limit)];
            hits = self.documents(snapshot, wanted, None, request.bytes_max, meter)?.0;
            more = found.len() > hits.len();
        }
        let next = hits.last().map(|hit: &Hit| hit.key).filter(|_| more);
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

    /// The first matching rows behind `after`, in order; one more than `limit`, if there are so many.
    fn first(
        &self,
        snapshot: &Snapshot,
        request: &SearchRequest,
        asked: &Asked<'_>,
        memo: &Memo,
        meter: &mut Meter<'_>,
    ) -> Result<Vec<Found>, IndexError> {
        let SearchRequest { selection, order, after, .. } = request;
        let behind = after.map(|after| after.timestamp.as_nanos());
        let mut blocks: Vec<(i64, BlockNumber)> = Vec::new();
        for (segment, own) in snapshot.segments.iter().enumerate().filter(|(_, own)| asked.reaches(own)) {
            for (block, BlockPlace { meta, .. }) in own.blocks.iter().enumerate() {
                let (foremost, hindmost) = match order {
                    Order::NewestFirst => (meta.last, meta.first),
                    Order::OldestFirst => (meta.first, meta.last),
                };
                if overlaps(selection, meta.first, meta.last)
                    && behind.is_none_or(|behind| !order.is_before(&hindmost, &behind))
                {
                    blocks.push((foremost, BlockNumber { segment, block }));
                }
            }
        }
        blocks.sort_unstable_by(|(a, _), (b, _)| order.compare(a, b));
        let wanted = request.limit.saturating_add(1);
        let mut first = First { order: *order, after: *after, wanted, found: BinaryHeap::new() };
        let mut tables: Vec<Option<(Arc<Tables>, Arc<States>)>> = vec![None; snapshot.segments.len()];
        for (foremost, number) in blocks {
            let is_behind = |worst: SortKey| order.is_before(&worst.timestamp.as_nanos(), &foremost);
            if first.worst().is_some_and(is_behind) {
                break;
            }
            meter.check()?;
            let segment = &snapshot.segments[number.segment];
            let (tables, states) = match &tables[number.segment] {
                Some((tables, states)) => (Arc::clone(tables), Arc::clone(states)),
                None => {
                    let own = segment.tables(&self.cache)?;
                    let states = states(&asked.terms, segment, &own, &self.cache, meter)?;
                    tables[number.segment] = Some((Arc::clone(&own), Arc::clone(&states)));
                    (own, states)
                }
            };
            let block = Block::new(segment, number.block, &tables, &self.cache);
            if !asked.reaches_block(&block)? {
                continue;
            }
            // Most blocks hold no rare token, which their filters tell before anything else of them is read.
            if !states.any.contains(&Known::Always) && !states.may_touch(&tables, block.filter()?, meter)? {
                continue;
            }
            if let Some(part) = part(selection, &block, &states.any, &states, meter)? {
                let matcher = Matcher::new(&block, &states)?;
                first.look(number, matcher, part, memo.rows(&block), meter)?;
            }
        }
        Ok(first.found.into_sorted_vec().into_iter().map(|Placed { found, .. }| found).collect())
    }
}

/// Which block of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BlockNumber {
    pub(super) segment: usize,
    pub(super) block: usize,
}

/// A row found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) key: SortKey,
    pub(super) block: BlockNumber,
    pub(super) row: usize,
}

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
    let mut matcher = Matcher::new(block, states)?;
    rule_out(&mut matcher, &mut part, meter)?;
    let mut found = Vec::new();
    if part.states.iter().any(|state| *state != Known::Never) {
        for (row, place) in block.rows()?.iter().enumerate().take(part.rows.end).skip(part.rows.start) {
            match part.states[usize::from(*place)] {
                Known::Never => continue,
                Known::Always => {}
                Known::Depends => {
                    let matches = matcher.matches(row)?;
                    meter.spend(1 + matcher.take_tests())?;
                    if !matches {
                        continue;
                    }
                    found.push(row as u32);
                }
            }
            meter.spend(1)?;
            collect.row(&mut matcher, row)?;
        }
    }
    memo.keep(block, found);
    Ok(())
}

/// What columns alone tell of the shapes of which nothing is known yet. The rows so ruled out are
/// spent as well, because their columns were read.
fn rule_out(matcher: &mut Matcher<'_>, part: &mut Part, meter: &mut Meter<'_>) -> Result<(), IndexError> {
    let shapes = matcher.rows.block.shapes()?;
    for (state, (place, rows)) in part.states.iter_mut().zip(shapes.counts.iter().enumerate()) {
        if *state == Known::Depends && matcher.rules_out(place, meter)? {
            meter.spend(u64::from(*rows).min(part.rows.len() as u64))?;
            *state = Known::Never;
        }
    }
    Ok(())
}

/// Matching rows kept for the first of them are no more than this.
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

/// A row found, ordered as the answer is.
struct Placed {
    order: Order,
    found: Found,
}

impl Ord for Placed {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order.compare(&self.found.key, &other.found.key)
    }
}

impl PartialOrd for Placed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Placed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Placed {}

/// The first of the rows looked at.
struct First {
    order: Order,
    /// Only rows behind this one.
    after: Option<SortKey>,
    /// How many are kept.
    wanted: usize,
    found: BinaryHeap<Placed>,
}

impl First {
    /// What a row must come before, once there are as many as are wanted.
    fn worst(&self) -> Option<SortKey> {
        let is_full = self.found.len() >= self.wanted;
        self.found.peek().filter(|_| is_full).map(|worst| worst.found.key)
    }

    /// Looks at what of a block matches; `known` are the rows that do, where they were tested before.
    fn look(
        &mut self,
        number: BlockNumber,
        mut matcher: Matcher<'_>,
        mut part: Part,
        known: Option<&[u32]>,
        meter: &mut Meter<'_>,
    ) -> Result<(), IndexError> {
        match known {
            Some([]) => part.states.iter_mut().for_each(|state| {
                *state = if *state == Known::Depends { Known::Never } else { *state };
            }),
            Some(_) => {}
            None => rule_out(&mut matcher, &mut part, meter)?,
        }
        if part.states.iter().all(|state| *state == Known::Never) {
            return Ok(());
        }
        let block = matcher.rows.block;
        let (shapes, times, order) = (block.rows()?, block.times()?, self.order);
        // Where only known rows can match, the others are not gone through.
        let known_alone = known.filter(|_| !part.states.contains(&Known::Always));
        let steps = steps(&part.rows, known_alone);
        for step in 0..steps.len() {
            let at = match order {
                Order::NewestFirst => steps.end - 1 - step,
                Order::OldestFirst => steps.start + step,
            };
            let row = known_alone.and_then(|known| known.get(at)).map_or(at, |row| *row as usize);
            let state = part.states[usize::from(shapes[row])];
            if state == Known::Never {
                continue;
            }
            let timestamp = Timestamp::from_nanos(times[row]).unwrap_or_default();
            if self.after.is_some_and(|after| order.is_before(&timestamp, &after.timestamp)) {
                continue;
            }
            let worst = self.worst();
            if worst.is_some_and(|worst| order.is_before(&worst.timestamp, &timestamp)) {
                return Ok(());
            }
            if state == Known::Depends {
                let matches = match known {
                    Some(known) => known.binary_search(&(row as u32)).is_ok(),
                    None => {
                        let matches = matcher.matches(row)?;
                        meter.spend(1 + matcher.take_tests())?;
                        matches
                    }
                };
                if !matches {
                    continue;
                }
            }
            let key = SortKey { timestamp, id: block.id(row)? };
            if self.after.is_some_and(|after| !order.is_before(&after, &key))
                || worst.is_some_and(|worst| order.is_before(&worst, &key))
            {
                continue;
            }
            self.found.push(Placed { order, found: Found { key, block: number, row } });
            if self.found.len() > self.wanted {
                self.found.pop();
            }
        }
        Ok(())
    }
}

/// What is gone through: the places of the known rows that lie within these, or the rows themselves.
fn steps(rows: &Range<usize>, known: Option<&[u32]>) -> Range<usize> {
    let Some(known) = known else { return rows.clone() };
    let before = |row: usize| known.partition_point(|known| (*known as usize) < row);
    before(rows.start)..before(rows.end)
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

    fn row(&mut self, _: &mut Matcher<'_>, _: usize) -> Result<(), IndexError> {
        self.0 += 1;
        Ok(())
    }
}
