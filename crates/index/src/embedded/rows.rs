//! Rows of a block as events: what was written, bit for bit.

use std::{borrow::Cow, sync::Arc};

use event::{Event, EventId, Field, Template, Timestamp, Value, Verdict};

use super::{
    ints::{Column, Damage, unzigzag},
    reader::Block,
    shapes::{FieldPlan, Original, Plan, RowShape, SCORE, Source},
    skeleton::{Anchor, Span, has_cell, put_digits, put_wide, slot, wide_len},
};
use crate::IndexError;

/// A row as it was written.
#[derive(Debug)]
pub(super) struct Owned {
    pub(super) id: EventId,
    pub(super) event: Event<'static>,
    pub(super) template: Option<Arc<Template>>,
    pub(super) verdict: Verdict,
}

/// The rows of a block. Columns of a shape are located when a row of it is first read.
#[derive(Debug)]
pub(super) struct Rows<'b> {
    pub(super) block: &'b Block<'b>,
    groups: Vec<Option<Vec<Column<'b>>>>,
}

/// A row's line, put together again.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) text: String,
    /// Where each literal starts.
    pub(super) starts: Vec<u32>,
}

impl Line {
    pub(super) fn span(&self, span: Span) -> &str {
        let place = |anchor: Anchor| {
            let start = self.starts.get(anchor.literal as usize).copied().unwrap_or_default();
            start as usize + anchor.offset as usize
        };
        self.text.get(place(span.from)..place(span.to)).unwrap_or_default()
    }
}

impl<'b> Rows<'b> {
    pub(super) fn new(block: &'b Block<'b>) -> Result<Self, IndexError> {
        let count = block.shapes()?.numbers.len();
        Ok(Self { block, groups: (0..count).map(|_| None).collect() })
    }

    /// The place of a row's shape, its rank, and the shape.
    pub(super) fn locate(&self, row: usize) -> Result<(usize, usize, &'b Arc<RowShape>), IndexError> {
        let missing = || self.block.damaged(Damage("a row is missing"));
        let place = usize::from(*self.block.rows()?.get(row).ok_or_else(missing)?);
        let rank = usize::from(*self.block.ranks()?.get(row).ok_or_else(missing)?);
        let number = *self.block.shapes()?.numbers.get(place).ok_or_else(missing)?;
        let shape = self.block.tables.shapes.get(number as usize).ok_or_else(missing)?;
        Ok((place, rank, shape))
    }

    /// The columns of the shape at a place.
    pub(super) fn columns(&mut self, place: usize) -> Result<&[Column<'b>], IndexError> {
        let group = &mut self.groups[place];
        match group {
            Some(columns) => Ok(columns),
            None => Ok(group.insert(self.block.columns(place)?)),
        }
    }

    pub(super) fn cell(&mut self, place: usize, rank: usize, cell: usize) -> Result<u64, IndexError> {
        Ok(self.columns(place)?.get(cell).map_or(0, |column| column.get(rank)))
    }

    pub(super) fn text(&mut self, place: usize, rank: usize, cell: usize) -> Result<&'b str, IndexError> {
        let number = self.cell(place, rank, cell)?;
        self.block.texts()?.get(number).map_err(|damage| self.block.damaged(damage))
    }

    /// Puts a row's line together.
    pub(super) fn line(&mut self, row: usize, line: &mut Line) -> Result<(), IndexError> {
        let (place, rank, shape) = self.locate(row)?;
        line.text.clear();
        line.starts.clear();
        let mut cell = SCORE + 1;
        let mut wide: &[u8] = if shape.wide() > 0 { self.block.wide()?.row(row) } else { &[] };
        for (at, &slot) in shape.slots.iter().enumerate() {
            line.starts.push(line.text.len() as u32);
            line.text.push_str(shape.literal(at));
            match slot {
                slot::TEXT => line.text.push_str(self.text(place, rank, cell)?),
                slot::DECIMAL => put_digits(self.cell(place, rank, cell)?, 10, false, &mut line.text),
                slot::HEX => put_digits(self.cell(place, rank, cell)?, 16, false, &mut line.text),
                slot::HEX_UPPER => put_digits(self.cell(place, rank, cell)?, 16, true, &mut line.text),
                slot::HOST => line.text.push_str(self.block.host(row)?.map_or("", |host| host)),
                slot => {
                    let (own, rest) = wide
                        .split_at_checked(wide_len(slot))
                        .ok_or_else(|| self.block.damaged(Damage("wide contents are missing")))?;
                    put_wide(slot, own, &mut line.text);
                    wide = rest;
                }
            }
            cell += usize::from(has_cell(slot));
        }
        line.starts.push(line.text.len() as u32);
        line.text.push_str(shape.literal(shape.slots.len()));
        Ok(())
    }

    /// The value of a field of a row; `line` is the row's, when the plan needs it.
    pub(super) fn field(
        &mut self,
        row: usize,
        field: usize,
        line: &Line,
    ) -> Result<Value<'static>, IndexError> {
        let (place, rank, shape) = self.locate(row)?;
        let Some(FieldPlan { plan, .. }) = shape.fields.get(field) else { return Ok(Value::Null) };
        let own = |text: &str| Cow::Owned(text.to_owned());
        let mut cell = || self.cell(place, rank, shape.field_cell(field));
        Ok(match plan {
            Plan::Constant(value) => value.clone(),
            Plan::Host => Value::String(own(self.block.host(row)?.map_or("", |host| host))),
            Plan::Span(span) => Value::String(own(line.span(*span))),
            Plan::SpanInteger(span) => match line.span(*span).parse() {
                Ok(number) => Value::Int(number),
                Err(_) => return Err(self.block.damaged(Damage("a number is none"))),
            },
            Plan::Text => Value::String(own(self.text(place, rank, shape.field_cell(field))?)),
            Plan::Json => Value::Json(own(self.text(place, rank, shape.field_cell(field))?)),
            Plan::Integer => Value::Int(unzigzag(cell()?)),
            Plan::Float => Value::Float(f64::from_bits(cell()?)),
            Plan::Bool => Value::Bool(cell()? != 0),
        })
    }

    /// The whole row.
    pub(super) fn row(&mut self, row: usize) -> Result<Owned, IndexError> {
        let (place, rank, shape) = self.locate(row)?;
        let mut line = Line::default();
        self.line(row, &mut line)?;
        let fields = shape.fields.iter().enumerate().map(|(at, field)| {
            Ok(Field { path: Cow::Owned(field.path.to_string()), value: self.field(row, at, &line)? })
        });
        let fields = fields.collect::<Result<_, IndexError>>()?;
        let source = match &shape.source {
            Source::Absent => None,
            Source::Constant(text) => Some(Cow::Owned(text.to_string())),
            Source::Cell => Some(Cow::Owned(self.text(place, rank, shape.source_cell())?.to_owned())),
        };
        let original = match shape.original {
            Original::Absent => None,
            Original::Line => Some(Cow::Owned(line.text.clone())),
            Original::Cell => Some(Cow::Owned(self.text(place, rank, shape.original_cell())?.to_owned())),
        };
        let reasons = match shape.has_reasons {
            true => serde_json::from_str(self.text(place, rank, shape.reasons_cell())?)
                .map_err(|_| self.block.damaged(Damage("reasons are no list")))?,
            false => Vec::new(),
        };
        let time = |times: &[i64]| {
            let nanos = times.get(row).copied().unwrap_or_default();
            Timestamp::from_nanos(nanos)
                .ok_or_else(|| self.block.damaged(Damage("a time stamp is before 1970")))
        };
        let event = Event {
            timestamp: time(self.block.times()?)?,
            observed_timestamp: time(self.block.observed()?)?,
            severity: shape.severity,
            message: Cow::Owned(line.span(shape.message).to_owned()),
            source,
            host: self.block.host(row)?.map(|host| Cow::Owned(host.to_string())),
            original,
            fields,
        };
        let verdict = Verdict {
            score: score_of(self.cell(place, rank, SCORE)?),
            is_anomaly: shape.is_anomaly,
            state: shape.state,
            reasons,
        };
        Ok(Owned { id: self.block.id(row)?, event, template: shape.template.clone(), verdict })
    }
}

/// A score from its thousandths.
pub(super) fn score_of(thousandths: u64) -> f32 {
    thousandths as f32 / 1000.0
}
