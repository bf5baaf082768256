//! From rows to documents, a bounded number of bytes at a time: the hits of a page, and the events
//! behind a position of the journal.

use event::{Position, Timestamp, document};
use query::Query;

use super::{
    block::number_of,
    reader::Block,
    rows::Rows,
    search::{BlockNumber, Found},
    store::{Shared, Snapshot},
};
use crate::{
    FollowRequest, Followed, Hit, IndexError, Meter, SortKey,
    page::{Room, text_len},
};

/// Documents made before it is looked how large they are.
const AT_ONCE: usize = 128;
/// What making a document of a row counts for.
const DOCUMENT_WORK: u64 = 64;
/// Rows that one question of a follower looks at.
const FOLLOWED_MAX: usize = 4096;

impl Shared {
    /// The documents of rows in their order, of those that match, until they fill the room; and how
    /// many rows were looked at.
    pub(super) fn documents(
        &self,
        snapshot: &Snapshot,
        found: &[Found],
        query: Option<&Query>,
        bytes_max: usize,
        meter: &mut Meter<'_>,
    ) -> Result<(Vec<Hit>, usize), IndexError> {
        let (mut hits, mut room) = (Vec::new(), Room::new(bytes_max));
        let (mut looked, mut at_once) = (0, if bytes_max == usize::MAX { usize::MAX } else { AT_ONCE });
        while looked < found.len() {
            let now = &found[looked..found.len().min(looked.saturating_add(at_once))];
            let Some(documents) = self.materialise(snapshot, now, query, bytes_max, meter)? else {
                at_once = (now.len() / 2).max(1);
                continue;
            };
            for hit in documents {
                if let Some(hit) = hit {
                    if !room.take(&hit.document) {
                        return Ok((hits, looked));
                    }
                    hits.push(hit);
                }
                looked += 1;
            }
            at_once = at_once.saturating_mul(2);
        }
        Ok((hits, looked))
    }

    /// The documents of rows, of those that match; None when several of them take far more than
    /// `bytes_max`.
    fn materialise(
        &self,
        snapshot: &Snapshot,
        found: &[Found],
        query: Option<&Query>,
        bytes_max: usize,
        meter: &mut Meter<'_>,
    ) -> Result<Option<Vec<Option<Hit>>>, IndexError> {
        let (mut bytes, mut hits) = (0usize, found.iter().map(|_| None).collect::<Vec<Option<Hit>>>());
        let mut order: Vec<(usize, &Found)> = found.iter().enumerate().collect();
        let work = DOCUMENT_WORK + query.map_or(0, Query::tests);
        order.sort_by_key(|(_, found)| found.block);
        for group in order.chunk_by(|(_, a), (_, b)| a.block == b.block) {
            let Some((_, Found { block: number, .. })) = group.first() else { continue };
            let segment = &snapshot.segments[number.segment];
            let tables = segment.tables(&self.cache)?;
            let block = Block::new(segment, number.block, &tables, &self.cache);
            let mut rows = Rows::new(&block)?;
            for (at, Found { key, row, .. }) in group {
                meter.spend(work)?;
                let owned = rows.row(*row)?;
                let template = owned.template.as_deref();
                if query.is_some_and(|query| !query.matches(key.id, &owned.event, template, &owned.verdict)) {
                    continue;
                }
                bytes = bytes.saturating_add(text_len(&owned.event));
                if bytes / 2 > bytes_max && found.len() > 1 {
                    return Ok(None);
                }
                let document = document(&owned.event, template, &owned.verdict);
                hits[*at] = Some(Hit { key: *key, document });
            }
        }
        Ok(Some(hits))
    }

    /// As [`Index::follow`](crate::Index::follow).
    pub(super) fn follow(
        &self,
        snapshot: &Snapshot,
        request: &FollowRequest,
        meter: &mut Meter<'_>,
    ) -> Result<Followed, IndexError> {
        let (rows, is_cut) = self.rows_from(snapshot, request, meter)?;
        let (hits, looked) =
            self.documents(snapshot, &rows, Some(&request.query), request.bytes_max, meter)?;
        let end = match (rows.get(looked), rows.last()) {
            (Some(next), _) => next.key.id.position,
            (None, Some(last)) if is_cut => last.key.id.position.next(),
            (None, _) => request.from.max(snapshot.covered),
        };
        Ok(Followed { hits, end })
    }

    /// The first rows of a journal from a position on, in its order, and whether there are more.
    fn rows_from(
        &self,
        snapshot: &Snapshot,
        request: &FollowRequest,
        meter: &mut Meter<'_>,
    ) -> Result<(Vec<Found>, bool), IndexError> {
        let FollowRequest { journal, from, .. } = *request;
        let mut blocks: Vec<(Position, BlockNumber)> = Vec::new();
        for (at, segment) in snapshot.segments.iter().enumerate() {
            let covered = segment.covered.iter().find(|(known, _)| *known == journal);
            if segment.rows == 0 || covered.is_none_or(|(_, end)| *end <= from) {
                continue;
            }
            let tables = segment.tables(&self.cache)?;
            for block in 0..segment.blocks.len() {
                meter.spend(1)?;
                let spans = Block::new(segment, block, &tables, &self.cache).spans()?;
                let span = spans.iter().find(|span| span.journal == journal && span.last >= from);
                blocks.extend(span.map(|span| (span.first, BlockNumber { segment: at, block })));
            }
        }
        blocks.sort_unstable();
        let (mut rows, mut is_cut): (Vec<Found>, bool) = (Vec::new(), false);
        for (first, number) in blocks {
            if rows.get(FOLLOWED_MAX - 1).is_some_and(|last| last.key.id.position < first) {
                return Ok((rows, true));
            }
            meter.check()?;
            let segment = &snapshot.segments[number.segment];
            let tables = segment.tables(&self.cache)?;
            let block = Block::new(segment, number.block, &tables, &self.cache);
            let times = block.times()?;
            for (row, nanos) in times.iter().enumerate() {
                let id = block.id(row)?;
                if request.reaches(id) {
                    let timestamp = Timestamp::from_nanos(*nanos).unwrap_or_default();
                    rows.push(Found { key: SortKey { timestamp, id }, block: number, row });
                }
            }
            rows.sort_unstable_by_key(|row| number_of(row.key.id.position));
            is_cut |= rows.len() > FOLLOWED_MAX;
            rows.truncate(FOLLOWED_MAX);
        }
        Ok((rows, is_cut))
    }
}
