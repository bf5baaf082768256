//! Row shapes: everything about a row that is not stored a row at a time.

use std::sync::Arc;

use event::{Severity, Template, TemplateId, Value, VerdictState};

use super::{
    ints::{Damage, Input, put_bytes, put_varint, unzigzag, zigzag},
    skeleton::{Anchor, Skeleton, Span, has_cell, wide_len},
};

/// Where a row's original line comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Original {
    /// There is none.
    Absent,
    /// It is the line of the shape, of which the message is a part.
    Line,
    /// It is a text cell; the line of the shape is the message alone.
    Cell,
}

/// Where a row's source comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// There is none.
    Absent,
    /// The same for all rows.
    Constant(Arc<str>),
    /// A text cell.
    Cell,
}

/// Where the value of a further field comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Plan {
    /// The same for all rows.
    Constant(Value<'static>),
    /// Text equal to the host.
    Host,
    /// Text that stands in the line.
    Span(Span),
    /// An integer whose text stands in the line.
    SpanInteger(Span),
    /// A text cell.
    Text,
    /// A text cell that holds JSON.
    Json,
    /// A cell that holds a zigzag integer.
    Integer,
    /// A cell that holds the bits of a float.
    Float,
    /// A cell that holds 0 or 1.
    Bool,
}

impl Plan {
    pub(super) const fn has_cell(&self) -> bool {
        matches!(self, Self::Text | Self::Json | Self::Integer | Self::Float | Self::Bool)
    }

    pub(super) const fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::Json)
    }

    /// The plan that holds any value of the same type.
    pub(super) fn cell_for(value: &Value<'_>) -> Self {
        match value {
            Value::Null => Self::Constant(Value::Null),
            Value::Bool(_) => Self::Bool,
            Value::Int(_) => Self::Integer,
            Value::Float(_) => Self::Float,
            Value::String(_) => Self::Text,
            Value::Json(_) => Self::Json,
        }
    }
}

/// Equality that tells apart what floats do not: every bit counts.
pub(super) fn same_value(a: &Value<'_>, b: &Value<'_>) -> bool {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
        _ => a == b,
    }
}

/// A further field of a row shape.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FieldPlan {
    pub(super) path: Arc<str>,
    pub(super) plan: Plan,
}

/// What all rows of a shape have in common.
///
/// Cells of a row stand in this order: score in thousandths, the line's slots, original, source,
/// fields, reasons (a JSON list).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RowShape {
    pub(super) literals: String,
    pub(super) ends: Vec<u32>,
    pub(super) slots: Vec<u8>,
    pub(super) message: Span,
    pub(super) original: Original,
    pub(super) template: Option<Arc<Template>>,
    pub(super) severity: Severity,
    pub(super) source: Source,
    pub(super) has_host: bool,
    pub(super) state: VerdictState,
    pub(super) is_anomaly: bool,
    pub(super) has_reasons: bool,
    pub(super) fields: Vec<FieldPlan>,
}

/// Cell of the score.
pub(super) const SCORE: usize = 0;

impl RowShape {
    /// The literal in front of the slot with this number, or behind the last.
    pub(super) fn literal(&self, index: usize) -> &str {
        let start =
            index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        let end = self.ends.get(index).map_or(self.literals.len(), |end| *end as usize);
        self.literals.get(start as usize..end).unwrap_or_default()
    }

    /// For each cell of a row, whether it is the number of a text.
    pub(super) fn text_cells(&self) -> Vec<bool> {
        let mut cells = vec![false];
        cells.extend(
            self.slots
                .iter()
                .filter(|slot| has_cell(**slot))
                .map(|slot| *slot == super::skeleton::slot::TEXT),
        );
        cells.extend((self.original == Original::Cell).then_some(true));
        cells.extend((self.source == Source::Cell).then_some(true));
        cells.extend(
            self.fields.iter().filter(|field| field.plan.has_cell()).map(|field| field.plan.is_text()),
        );
        cells.extend(self.has_reasons.then_some(true));
        cells
    }

    pub(super) fn cells(&self) -> usize {
        self.reasons_cell() + usize::from(self.has_reasons)
    }

    pub(super) fn original_cell(&self) -> usize {
        1 + self.slots.iter().filter(|slot| has_cell(**slot)).count()
    }

    pub(super) fn source_cell(&self) -> usize {
        self.original_cell() + usize::from(self.original == Original::Cell)
    }

    /// The cell of the field with this number, if it has one.
    pub(super) fn field_cell(&self, field: usize) -> usize {
        let before = self.fields.iter().take(field).filter(|field| field.plan.has_cell()).count();
        self.source_cell() + usize::from(self.source == Source::Cell) + before
    }

    pub(super) fn reasons_cell(&self) -> usize {
        self.field_cell(self.fields.len())
    }

    /// Bytes of a row in the wide stream.
    pub(super) fn wide(&self) -> usize {
        self.slots.iter().map(|slot| wide_len(*slot)).sum()
    }

    pub(super) fn has_line_of(&self, skeleton: &Skeleton) -> bool {
        self.slots == skeleton.slots && self.ends == skeleton.ends && self.literals == skeleton.literals
    }

    /// About how much memory it takes.
    pub(super) fn size_bytes(&self) -> usize {
        let fields: usize = self.fields.iter().map(|field| field.path.len() + 80).sum();
        std::mem::size_of::<Self>() + self.literals.len() + self.slots.len() * 5 + fields
    }

    pub(super) fn put(&self, template: Option<usize>, out: &mut Vec<u8>) {
        put_bytes(out, self.literals.as_bytes());
        put_bytes(out, &self.slots);
        let mut last = 0;
        for end in &self.ends {
            put_varint(out, u64::from(end - last));
            last = *end;
        }
        put_span(self.message, out);
        out.push(match self.original {
            Original::Absent => 0,
            Original::Line => 1,
            Original::Cell => 2,
        });
        put_varint(out, template.map_or(0, |template| template as u64 + 1));
        out.push(self.severity as u8);
        match &self.source {
            Source::Absent => out.push(0),
            Source::Constant(text) => {
                out.push(1);
                put_bytes(out, text.as_bytes());
            }
            Source::Cell => out.push(2),
        }
        let flags = [self.has_host, self.is_anomaly, self.has_reasons];
        out.push(flags.iter().rev().fold(self.state as u8, |bits, flag| bits << 1 | u8::from(*flag)));
        put_varint(out, self.fields.len() as u64);
        for field in &self.fields {
            put_bytes(out, field.path.as_bytes());
            put_plan(&field.plan, out);
        }
    }

    pub(super) fn take(input: &mut Input<'_>, templates: &[Arc<Template>]) -> Result<Self, Damage> {
        let literals = input.text()?.to_owned();
        let slots = input.bytes()?.to_vec();
        let mut last = 0u32;
        let mut ends = Vec::with_capacity(slots.len());
        for _ in &slots {
            last = last.checked_add(input.u32()?).ok_or(Damage("a literal is too long"))?;
            if !literals.is_char_boundary(last as usize) {
                return Err(Damage("a literal ends inside a character"));
            }
            ends.push(last);
        }
        let message = take_span(input)?;
        let original = match input.byte()? {
            0 => Original::Absent,
            1 => Original::Line,
            2 => Original::Cell,
            _ => return Err(Damage("unknown kind of original")),
        };
        let template = match input.length(templates.len())? {
            0 => None,
            number => templates.get(number - 1).cloned(),
        };
        let severity = Severity::from_u8(input.byte()?).ok_or(Damage("unknown severity"))?;
        let source = match input.byte()? {
            0 => Source::Absent,
            1 => Source::Constant(input.text()?.into()),
            2 => Source::Cell,
            _ => return Err(Damage("unknown kind of source")),
        };
        let flags = input.byte()?;
        let state = VerdictState::from_u8(flags >> 3).ok_or(Damage("unknown verdict state"))?;
        let count = input.length(input.0.len())?;
        let mut fields = Vec::with_capacity(count);
        for _ in 0..count {
            fields.push(FieldPlan { path: input.text()?.into(), plan: take_plan(input)? });
        }
        Ok(Self {
            literals,
            ends,
            slots,
            message,
            original,
            template,
            severity,
            source,
            has_host: flags & 1 != 0,
            state,
            is_anomaly: flags & 2 != 0,
            has_reasons: flags & 4 != 0,
            fields,
        })
    }
}

fn put_span(span: Span, out: &mut Vec<u8>) {
    for number in [span.from.literal, span.from.offset, span.to.literal, span.to.offset] {
        put_varint(out, u64::from(number));
    }
}

fn take_span(input: &mut Input<'_>) -> Result<Span, Damage> {
    let mut anchor = || Ok(Anchor { literal: input.u32()?, offset: input.u32()? });
    Ok(Span { from: anchor()?, to: anchor()? })
}

fn put_plan(plan: &Plan, out: &mut Vec<u8>) {
    match plan {
        Plan::Constant(Value::Null) => out.push(0),
        Plan::Constant(Value::Bool(value)) => out.push(1 + u8::from(*value)),
        Plan::Constant(Value::Int(value)) => {
            out.push(3);
            put_varint(out, zigzag(*value));
        }
        Plan::Constant(Value::Float(value)) => {
            out.push(4);
            put_varint(out, value.to_bits());
        }
        Plan::Constant(Value::String(text)) => {
            out.push(5);
            put_bytes(out, text.as_bytes());
        }
        Plan::Constant(Value::Json(text)) => {
            out.push(6);
            put_bytes(out, text.as_bytes());
        }
        Plan::Host => out.push(7),
        Plan::Span(span) => {
            out.push(8);
            put_span(*span, out);
        }
        Plan::SpanInteger(span) => {
            out.push(9);
            put_span(*span, out);
        }
        Plan::Text => out.push(10),
        Plan::Json => out.push(11),
        Plan::Integer => out.push(12),
        Plan::Float => out.push(13),
        Plan::Bool => out.push(14),
    }
}

fn take_plan(input: &mut Input<'_>) -> Result<Plan, Damage> {
    Ok(match input.byte()? {
        0 => Plan::Constant(Value::Null),
        1 => Plan::Constant(Value::Bool(false)),
        2 => Plan::Constant(Value::Bool(true)),
        3 => Plan::Constant(Value::Int(unzigzag(input.varint()?))),
        4 => Plan::Constant(Value::Float(f64::from_bits(input.varint()?))),
        5 => Plan::Constant(Value::String(input.text()?.to_owned().into())),
        6 => Plan::Constant(Value::Json(input.text()?.to_owned().into())),
        7 => Plan::Host,
        8 => Plan::Span(take_span(input)?),
        9 => Plan::SpanInteger(take_span(input)?),
        10 => Plan::Text,
        11 => Plan::Json,
        12 => Plan::Integer,
        13 => Plan::Float,
        14 => Plan::Bool,
        _ => return Err(Damage("unknown kind of field")),
    })
}

/// Counters of one row shape over a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ShapeTotals {
    pub(super) rows: u64,
    pub(super) first: i64,
    pub(super) last: i64,
    /// In thousandths.
    pub(super) score_max: u64,
}

impl ShapeTotals {
    pub(super) const EMPTY: Self = Self { rows: 0, first: i64::MAX, last: 0, score_max: 0 };

    pub(super) fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.score_max = self.score_max.max(other.score_max);
    }
}

/// What is stored once a segment.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables {
    pub(super) shapes: Vec<Arc<RowShape>>,
    pub(super) totals: Vec<ShapeTotals>,
    pub(super) hosts: Vec<Arc<str>>,
    /// Rows of each host.
    pub(super) host_rows: Vec<u64>,
}

impl Tables {
    pub(super) fn put(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut numbers = hashbrown::HashMap::new();
        let mut templates: Vec<&Arc<Template>> = Vec::new();
        for template in self.shapes.iter().filter_map(|shape| shape.template.as_ref()) {
            numbers.entry((template.id.0, template.text.as_str())).or_insert_with(|| {
                templates.push(template);
                templates.len() - 1
            });
        }
        put_varint(&mut out, templates.len() as u64);
        for template in &templates {
            out.extend_from_slice(&template.id.0.to_le_bytes());
            put_bytes(&mut out, template.text.as_bytes());
        }
        put_varint(&mut out, self.shapes.len() as u64);
        for (shape, totals) in self.shapes.iter().zip(&self.totals) {
            let number = shape.template.as_ref().and_then(|t| numbers.get(&(t.id.0, t.text.as_str())));
            shape.put(number.copied(), &mut out);
            for number in [totals.rows, totals.first as u64, totals.last as u64, totals.score_max] {
                put_varint(&mut out, number);
            }
        }
        put_varint(&mut out, self.hosts.len() as u64);
        for (host, rows) in self.hosts.iter().zip(&self.host_rows) {
            put_bytes(&mut out, host.as_bytes());
            put_varint(&mut out, *rows);
        }
        out
    }

    pub(super) fn take(bytes: &[u8]) -> Result<Self, Damage> {
        let mut input = Input(bytes);
        let mut tables = Self::default();
        let count = input.length(bytes.len())?;
        let mut templates = Vec::with_capacity(count);
        for _ in 0..count {
            let id = input.take(8)?.iter().rev().fold(0, |id, byte| id << 8 | u64::from(*byte));
            templates.push(Arc::new(Template { id: TemplateId(id), text: input.text()?.to_owned() }));
        }
        for _ in 0..input.length(bytes.len())? {
            tables.shapes.push(Arc::new(RowShape::take(&mut input, &templates)?));
            let mut number = || input.varint();
            tables.totals.push(ShapeTotals {
                rows: number()?,
                first: number()? as i64,
                last: number()? as i64,
                score_max: number()?,
            });
        }
        for _ in 0..input.length(bytes.len())? {
            tables.hosts.push(input.text()?.into());
            tables.host_rows.push(input.varint()?);
        }
        Ok(tables)
    }

    /// About how much memory they take.
    pub(super) fn size_bytes(&self) -> usize {
        self.shapes.iter().map(|shape| shape.size_bytes() + 48).sum::<usize>()
            + self.hosts.iter().map(|host| host.len() + 32).sum::<usize>()
    }
}
