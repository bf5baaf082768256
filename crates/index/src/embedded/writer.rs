//! The segment being written: encoded blocks and one that fills.

use std::sync::Arc;

use event::{Analyzed, Batch, JournalId, Position, Value, Variable, Verdict};

use super::{
    block::{BlockBuilder, Packing},
    bloom::field_key,
    intern::Interner,
    ints::zigzag,
    rows::{Line, Owned, Rows},
    segment::{BlockPlace, Segment},
    shapes::{Original, Plan, RowShape, SCORE, ShapeTotals, Source, Tables},
    skeleton::{Skeleton, has_cell, slot},
};
use crate::IndexError;

/// A block ends early with this much text in it.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// The segment being written.
#[derive(Debug, Default)]
pub(super) struct Writer {
    interner: Interner,
    builder: BlockBuilder,
    blocks: Vec<BlockPlace>,
    skeleton: Skeleton,
    rows: u64,
    /// Behind the last event of each journal, in the order in which journals were first met.
    covered: Vec<(JournalId, Position)>,
    /// Which segment this is of those that were written, and which state of it.
    version: (u64, u64),
    block_rows: usize,
}

impl Writer {
    pub(super) fn new(block_rows: usize, covered: Vec<(JournalId, Position)>) -> Self {
        Self { block_rows, covered, ..Self::default() }
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// About how much memory the tables take.
    pub(super) fn tables_bytes(&self) -> usize {
        self.interner.size_bytes()
    }

    pub(super) fn covered(&self) -> &[(JournalId, Position)] {
        &self.covered
    }

    /// Moves the place behind a journal's last event, never back; true when it moved.
    pub(super) fn cover(&mut self, journal: JournalId, end: Position) -> bool {
        // The journal written last stands last.
        let at = match self.covered.iter().position(|(known, _)| *known == journal) {
            Some(at) => at,
            None => {
                self.covered.push((journal, Position::default()));
                self.covered.len() - 1
            }
        };
        self.covered[at..].rotate_left(1);
        match self.covered.last_mut() {
            Some((_, covered)) if *covered < end => {
                *covered = end;
                self.version.1 += 1;
                true
            }
            _ => false,
        }
    }

    /// Appends the events of a batch that were not written before.
    pub(super) fn write(&mut self, batch: &Batch<'_>) {
        self.version.1 += 1;
        let mut last: Option<(JournalId, Position)> = None;
        for event in &batch.events {
            let journal = event.id.journal;
            if last.is_none_or(|(known, _)| known != journal) {
                if let Some((journal, end)) = last {
                    self.cover(journal, end);
                }
                let known = self.covered.iter().find(|(known, _)| *known == journal);
                last = Some((journal, known.map_or(Position::default(), |(_, position)| *position)));
            }
            if let Some((_, end)) = &mut last {
                if event.id.position < *end {
                    continue;
                }
                *end = event.id.position.next();
            }
            self.append(event, batch.variables_of(event));
        }
        let journal =
            last.map(|(journal, _)| journal).or_else(|| self.covered.last().map(|(journal, _)| *journal));
        if let Some((journal, end)) = last {
            self.cover(journal, end);
        }
        if let Some(journal) = journal {
            self.cover(journal, batch.end);
        }
    }

    /// Appends events that a file held which was lost, wherever they stand.
    pub(super) fn restore(&mut self, batch: &Batch<'_>) {
        self.version.1 += 1;
        for event in &batch.events {
            self.append(event, batch.variables_of(event));
        }
    }

    fn append(&mut self, analyzed: &Analyzed<'_>, variables: &[Variable]) {
        let Self { interner, builder, skeleton, .. } = self;
        let number = interner.shape(analyzed, variables, skeleton);
        let event = &analyzed.event;
        let host = event.host.as_deref().map(|host| interner.host(host));
        builder.begin(number, host, event.timestamp, event.observed_timestamp, analyzed.id);
        builder.cell(thousandths_of(&analyzed.verdict));
        let shape = &interner.tables.shapes[number as usize];
        let line = match (&event.original, shape.original) {
            (Some(original), Original::Line) => original.as_ref(),
            _ => event.message.as_ref(),
        };
        let mut cells = skeleton.cells.iter();
        let message = skeleton.resolve(shape.message);
        // Where the tokens taken so far end; an empty slot may stand at the very start.
        let mut last = None;
        for (&slot, &(from, to)) in skeleton.slots.iter().zip(&skeleton.ranges) {
            let (from, to) = (from as usize, to as usize);
            let mut text = None;
            if has_cell(slot) {
                let cell = cells.next().copied().unwrap_or_default();
                match slot {
                    slot::TEXT => text = Some(builder.text(&line[from..to])),
                    _ => builder.cell(cell),
                }
            }
            if from >= message.start && to <= message.end && last.is_none_or(|last| to > last) {
                // Short numbers are not filtered, and a text's own tokens need be taken once.
                let known = match (slot, text) {
                    (slot::DECIMAL, _) => to - from < 5 && !is_joined(line, from, to),
                    (_, Some(number)) => from < to && !is_joined(line, from, to) && !builder.alone(number),
                    _ => false,
                };
                if known {
                    continue;
                }
                let end = builder.tokens(&line[message.clone()], from - message.start, to - message.start);
                last = Some(message.start + end);
            }
        }
        builder.wide(&skeleton.wide);
        if let (Original::Cell, Some(original)) = (shape.original, &event.original) {
            builder.text(original);
        }
        if let (Source::Cell, Some(source)) = (&shape.source, &event.source) {
            builder.text(source);
        }
        for (plan, field) in shape.fields.iter().zip(&event.fields) {
            match (&plan.plan, &field.value) {
                (Plan::Text, Value::String(text)) => {
                    builder.text(text);
                    builder.key(field_key(&plan.path, text));
                }
                (Plan::Span(_), Value::String(text)) => builder.key(field_key(&plan.path, text)),
                (Plan::Json, Value::Json(text)) => {
                    builder.text(text);
                }
                (Plan::Integer, Value::Int(number)) => builder.cell(zigzag(*number)),
                (Plan::Float, Value::Float(number)) => builder.cell(number.to_bits()),
                (Plan::Bool, Value::Bool(flag)) => builder.cell(u64::from(*flag)),
                _ => {}
            }
        }
        if shape.has_reasons {
            builder.text(&reasons_text(&analyzed.verdict));
        }
        self.appended();
    }

    fn appended(&mut self) {
        self.rows += 1;
        if self.builder.len() >= self.block_rows || self.builder.text_bytes() >= TEXT_BYTES_MAX {
            let block = freeze(&self.builder, &mut self.interner.tables, Packing::Small);
            self.blocks.push(block);
            self.builder.clear();
        }
    }

    /// Appends a row of another segment; with a verdict, where it had none.
    pub(super) fn adopt(
        &mut self,
        rows: &mut Rows<'_>,
        row: usize,
        line: &mut Line,
        verdict: Option<&Verdict>,
    ) -> Result<(), IndexError> {
        let (place, rank, shape) = rows.locate(row)?;
        let number = match verdict {
            None => self.interner.adopt(shape),
            Some(verdict) => self.interner.adopt(&Arc::new(shape.judged(verdict))),
        };
        let host = rows.block.host(row)?.map(|host| self.interner.host(host));
        rows.line(row, line)?;
        let owned = rows.row(row)?;
        let Owned { id, event, .. } = &owned;
        self.builder.begin(number, host, event.timestamp, event.observed_timestamp, *id);
        for (cell, is_text) in shape.text_cells().into_iter().enumerate() {
            match verdict {
                Some(verdict) if cell == SCORE => self.builder.cell(thousandths_of(verdict)),
                Some(_) if shape.has_reasons && cell == shape.reasons_cell() => {}
                _ if is_text => {
                    self.builder.text(rows.text(place, rank, cell)?);
                }
                _ => self.builder.cell(rows.cell(place, rank, cell)?),
            }
        }
        if let Some(verdict) = verdict.filter(|verdict| !verdict.reasons.is_empty()) {
            self.builder.text(&reasons_text(verdict));
        }
        let wide = shape.wide();
        if wide > 0 {
            self.builder.wide(rows.block.wide()?.row(row).get(..wide).unwrap_or_default());
        }
        self.adopt_keys(shape, event, line);
        self.appended();
        Ok(())
    }

    fn adopt_keys(&mut self, shape: &RowShape, event: &event::Event<'_>, line: &Line) {
        for (plan, field) in shape.fields.iter().zip(&event.fields) {
            if let (Plan::Text | Plan::Span(_), Value::String(text)) = (&plan.plan, &field.value) {
                self.builder.key(field_key(&plan.path, text));
            }
        }
        let anchor = shape.message.from;
        let start =
            line.starts.get(anchor.literal as usize).map_or(0, |start| start + anchor.offset) as usize;
        let mut last = None;
        for slot in 0..shape.slots.len() {
            let from = line.starts[slot] as usize + shape.literal(slot).len();
            let to = line.starts[slot + 1] as usize;
            if from >= start && to - start <= event.message.len() && last.is_none_or(|last| to - start > last)
            {
                last = Some(self.builder.tokens(&event.message, from - start, to - start));
            }
        }
    }

    /// Takes a block as it is.
    pub(super) fn push_block(
        &mut self,
        block: BlockPlace,
        totals: &[(u32, ShapeTotals)],
        hosts: &[(u32, u64)],
    ) {
        self.rows += u64::from(block.meta.rows);
        self.blocks.push(block);
        add_totals(&mut self.interner.tables, totals, hosts);
    }

    pub(super) fn interner(&mut self) -> &mut Interner {
        &mut self.interner
    }

    pub(super) fn tables(&self) -> &Tables {
        &self.interner.tables
    }

    pub(super) fn blocks(&self) -> &[BlockPlace] {
        &self.blocks
    }

    /// The rows behind the blocks.
    pub(super) fn builder(&self) -> &BlockBuilder {
        &self.builder
    }

    /// Number of the segment being written and of its state; the latter moves with every write.
    pub(super) fn version(&self) -> (u64, u64) {
        self.version
    }

    /// Takes what is there; writing goes on with nothing.
    pub(super) fn finish(&mut self) -> Segment {
        let next = Self {
            block_rows: self.block_rows,
            covered: self.covered.clone(),
            version: (self.version.0 + 1, 0),
            ..Self::default()
        };
        let Self { interner, builder, mut blocks, covered, .. } = std::mem::replace(self, next);
        let mut tables = interner.tables;
        if builder.len() > 0 {
            blocks.push(freeze(&builder, &mut tables, Packing::Small));
        }
        Segment::in_memory(blocks, Arc::new(tables), covered)
    }
}

fn thousandths_of(verdict: &Verdict) -> u64 {
    u64::from((verdict.score * 1000.0).round() as u16)
}

fn reasons_text(verdict: &Verdict) -> String {
    serde_json::Value::from(verdict.reasons.as_slice()).to_string()
}

/// Whether what stands at a place is part of a longer token.
fn is_joined(line: &str, from: usize, to: usize) -> bool {
    let joins = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii())
    };
    joins(line.as_bytes()[..from].last()) || joins(line.as_bytes().get(to))
}

/// Encodes the rows of a block and counts them.
pub(super) fn freeze(builder: &BlockBuilder, tables: &mut Tables, packing: Packing) -> BlockPlace {
    let encoded = builder.encode(|number| &tables.shapes[number as usize], packing);
    add_totals(tables, &encoded.totals, &encoded.host_rows);
    BlockPlace::in_memory(Arc::new(encoded.block))
}

fn add_totals(tables: &mut Tables, totals: &[(u32, ShapeTotals)], hosts: &[(u32, u64)]) {
    for (number, totals) in totals {
        tables.totals[*number as usize].add(totals);
    }
    for (number, rows) in hosts {
        tables.host_rows[*number as usize] += rows;
    }
}
