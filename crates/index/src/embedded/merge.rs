//! Making few large segments of many small ones: large blocks are copied, small ones filled up.

use std::sync::Arc;

use super::{
    block::{BlockMeta, EncodedBlock, SECTIONS, Section},
    cache::Cache,
    ints::{Damage, put_varint},
    reader::Block,
    rows::{Line, Rows},
    segment::{BlockPlace, Segment, section_start},
    shapes::{SCORE, ShapeTotals},
    writer::Writer,
};
use crate::IndexError;

/// So many segments of a size become one.
const FAN_IN: usize = 8;

/// The segments to merge next, in order; None when they are few enough.
pub(super) fn choose(segments: &[Arc<Segment>], segment_rows: u64) -> Option<Vec<Arc<Segment>>> {
    let small =
        |segment: &&Arc<Segment>| segment.is_file() && segment.whole && segment.rows <= segment_rows / 2;
    let tier = |rows: u64| (rows.max(1)).ilog(FAN_IN as u64);
    let tiers = 0..=tier(segment_rows);
    tiers.into_iter().find_map(|wanted| {
        let mut rows = 0;
        let chosen: Vec<_> = segments
            .iter()
            .filter(small)
            .filter(|segment| tier(segment.rows) == wanted)
            .take(FAN_IN)
            .take_while(|segment| {
                rows += segment.rows;
                rows <= segment_rows
            })
            .cloned()
            .collect();
        let same = segments.iter().filter(small).filter(|segment| tier(segment.rows) == wanted).count();
        (same >= FAN_IN && chosen.len() > 1).then_some(chosen)
    })
}

/// One segment in memory with the rows of all.
pub(super) fn merge(
    segments: &[Arc<Segment>],
    block_rows: usize,
    cache: &Cache,
) -> Result<Segment, IndexError> {
    let mut writer = Writer::new(block_rows, Vec::new());
    for segment in segments {
        for (journal, end) in &segment.covered {
            writer.cover(*journal, *end);
        }
        let tables = segment.tables(cache)?;
        for index in 0..segment.blocks.len() {
            let block = Block::new(segment, index, &tables, cache);
            if block.len() * 2 >= block_rows {
                copy(&block, &mut writer)?;
            } else {
                let mut rows = Rows::new(&block)?;
                let mut line = Line::default();
                for row in 0..block.len() {
                    writer.adopt(&mut rows, row, &mut line, None)?;
                }
            }
        }
    }
    Ok(writer.finish())
}

/// Copies a block, with its references to tables renumbered.
pub(super) fn copy(block: &Block<'_>, writer: &mut Writer) -> Result<(), IndexError> {
    let segment = block.segment;
    let shapes = block.shapes()?;
    let numbers: Vec<u32> = shapes
        .numbers
        .iter()
        .map(|number| writer.interner().adopt(&block.tables.shapes[*number as usize]))
        .collect();
    let hosts = block.hosts()?;
    let host_numbers: Vec<u32> = hosts
        .numbers
        .iter()
        .map(|number| writer.interner().host(&block.tables.hosts[*number as usize]))
        .collect();
    let mut host_rows: Vec<(u32, u64)> = host_numbers.iter().map(|number| (*number, 0)).collect();
    for place in hosts.places.iter().filter(|place| **place > 0) {
        host_rows[usize::from(*place) - 1].1 += 1;
    }
    let meta = &segment.blocks[block.index].meta;
    let mut sections: Vec<Vec<u8>> = Vec::with_capacity(SECTIONS);
    for section in Section::ALL {
        let bytes = segment.section(block.index, section)?;
        sections.push(match section {
            Section::Shapes => renumbered(&bytes, &numbers).map_err(|damage| block.damaged(damage))?,
            Section::Hosts => renumbered(&bytes, &host_numbers).map_err(|damage| block.damaged(damage))?,
            _ => bytes,
        });
    }
    let mut lengths = [(0, 0); SECTIONS];
    for (length, section) in lengths.iter_mut().zip(&sections) {
        *length = (section.len() as u32, crc32c::crc32c(section));
    }
    let totals = totals(block, &numbers)?;
    let meta = BlockMeta { sections: lengths, ..meta.clone() };
    let place = BlockPlace::in_memory(Arc::new(EncodedBlock { bytes: sections.concat(), meta }));
    debug_assert!(section_start(&place.meta, Section::Rows) == sections[0].len());
    writer.push_block(place, &totals, &host_rows);
    Ok(())
}

/// A section that begins with a varint number of varints, with others in their place.
fn renumbered(bytes: &[u8], numbers: &[u32]) -> Result<Vec<u8>, Damage> {
    let mut input = super::ints::Input(bytes);
    let count = input.length(numbers.len())?;
    for _ in 0..count {
        input.varint()?;
    }
    let mut out = Vec::with_capacity(bytes.len());
    put_varint(&mut out, count as u64);
    numbers.iter().for_each(|number| put_varint(&mut out, u64::from(*number)));
    out.extend_from_slice(input.0);
    Ok(out)
}

fn totals(block: &Block<'_>, numbers: &[u32]) -> Result<Vec<(u32, ShapeTotals)>, IndexError> {
    let mut totals: Vec<(u32, ShapeTotals)> =
        numbers.iter().map(|number| (*number, ShapeTotals::EMPTY)).collect();
    for (place, time) in block.rows()?.iter().zip(block.times()?) {
        totals[usize::from(*place)].1.add(&ShapeTotals { rows: 1, first: *time, last: *time, score_max: 0 });
    }
    for (place, (_, totals)) in totals.iter_mut().enumerate() {
        let column = block.columns(place)?.into_iter().nth(SCORE);
        let scores = column.map(|column| column.into_values(totals.rows as usize));
        totals.score_max = scores.into_iter().flatten().max().unwrap_or_default();
    }
    Ok(totals)
}
