//! Verdicts that come late: rows stored without one are written anew with it.
//!
//! State and flag of a verdict belong to the shape of a row, and scores to its cells, so a file that holds such
//! rows is rewritten as a merge would: blocks without any are copied. The new file takes the place of the old
//! one as a merged file does, with no moment between.

use std::{collections::HashMap, sync::Arc};

use event::{EventId, Verdict, VerdictState};

use super::{
    cache::Cache,
    merge::copy,
    reader::Block,
    rows::{Line, Rows},
    segment::Segment,
    writer::Writer,
};
use crate::IndexError;

/// Verdicts by event.
pub(super) type Late<'v> = HashMap<EventId, &'v Verdict, foldhash::fast::FixedState>;

/// Which rows of a block get a verdict.
fn wanting<'v>(block: &Block<'_>, late: &Late<'v>) -> Result<Vec<Option<&'v Verdict>>, IndexError> {
    let shapes = block.shapes()?;
    let unscored = |number: &u32| block.tables.shapes[*number as usize].state == VerdictState::Unscored;
    if !shapes.numbers.iter().any(unscored) {
        return Ok(Vec::new());
    }
    let rows = block.rows()?;
    let one = |row: usize| {
        let waits = rows.get(row).is_some_and(|place| unscored(&shapes.numbers[usize::from(*place)]));
        Ok(if waits { late.get(&block.id(row)?).copied() } else { None })
    };
    let found = (0..block.len()).map(one).collect::<Result<Vec<_>, IndexError>>()?;
    Ok(if found.iter().any(Option::is_some) { found } else { Vec::new() })
}

/// The segment in memory with these verdicts; None when none of its rows waits for one of them.
pub(super) fn amend(
    segment: &Arc<Segment>,
    late: &Late<'_>,
    block_rows: usize,
    cache: &Cache,
) -> Result<Option<(Segment, u64)>, IndexError> {
    let tables = segment.tables(cache)?;
    if !tables.shapes.iter().any(|shape| shape.state == VerdictState::Unscored) {
        return Ok(None);
    }
    // Anew each time: a block keeps what it has decoded.
    let block = |index| Block::new(segment, index, &tables, cache);
    let wanting = (0..segment.blocks.len())
        .map(|index| wanting(&block(index), late))
        .collect::<Result<Vec<_>, IndexError>>()?;
    if wanting.iter().all(Vec::is_empty) {
        return Ok(None);
    }
    let mut writer = Writer::new(block_rows, Vec::new());
    for (journal, end) in &segment.covered {
        writer.cover(*journal, *end);
    }
    let mut amended = 0;
    for (index, verdicts) in wanting.iter().enumerate() {
        let block = block(index);
        if verdicts.is_empty() {
            copy(&block, &mut writer)?;
            continue;
        }
        let mut rows = Rows::new(&block)?;
        let mut line = Line::default();
        for (row, verdict) in verdicts.iter().enumerate() {
            writer.adopt(&mut rows, row, &mut line, *verdict)?;
            amended += u64::from(verdict.is_some());
        }
    }
    Ok(Some((writer.finish(), amended)))
}
