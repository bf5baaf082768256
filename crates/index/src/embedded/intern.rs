//! Finding or making the row shape of an event: one look-up, then comparison with the few
//! candidates there.

use std::sync::Arc;

use event::{Analyzed, Field, Value, Variable};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::{
    bloom::hash,
    shapes::{FieldPlan, Original, Plan, RowShape, ShapeTotals, Source, Tables, same_value},
    skeleton::{Skeleton, Span, slot},
};

/// Above this many row shapes a segment's new ones no longer take messages apart.
const SHAPES_MAX: usize = 1 << 15;
/// Nor does a message shape with this many row shapes take apart what stands around the message.
const VARIANTS_MAX: u32 = 48;
/// A field that varied in this many row shapes is a cell in all further ones.
const VARYING_MIN: u32 = 4;

/// How much of an event's line is taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// The original around the message and the message.
    Line,
    /// The message; an original that differs is a text cell.
    Message,
    /// Nothing: message, original and source are text cells.
    Text,
}

/// The tables of the segment being written, and how to find row shapes in them.
#[derive(Debug, Default)]
pub(super) struct Interner {
    pub(super) tables: Tables,
    candidates: HashMap<u64, Vec<u32>, FixedState>,
    variants: HashMap<u64, u32, FixedState>,
    varying: HashMap<Arc<str>, u32, FixedState>,
    hosts: HashMap<Arc<str>, u32, FixedState>,
    size_bytes: usize,
}

impl Interner {
    /// About how much memory the tables take.
    pub(super) fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    pub(super) fn host(&mut self, host: &str) -> u32 {
        if let Some(number) = self.hosts.get(host) {
            return *number;
        }
        let number = self.tables.hosts.len() as u32;
        let host: Arc<str> = host.into();
        self.size_bytes += host.len() * 2 + 64;
        self.tables.hosts.push(Arc::clone(&host));
        self.tables.host_rows.push(0);
        self.hosts.insert(host, number);
        number
    }

    /// Takes a row shape as it is; for rows that move from another segment.
    pub(super) fn adopt(&mut self, shape: &Arc<RowShape>) -> u32 {
        let paths = shape.fields.iter().fold(9, |paths, field| hash(paths, field.path.as_bytes()));
        let key = hash(7, shape.literals.as_bytes()) ^ hash(8, &shape.slots) ^ paths;
        let known = self.candidates.entry(key).or_default();
        if let Some(number) = known.iter().find(|number| self.tables.shapes[**number as usize] == *shape) {
            return *number;
        }
        let number = self.tables.shapes.len() as u32;
        known.push(number);
        self.push(Arc::clone(shape));
        number
    }

    fn push(&mut self, shape: Arc<RowShape>) {
        self.size_bytes += shape.size_bytes() + 96;
        self.tables.shapes.push(shape);
        self.tables.totals.push(ShapeTotals::EMPTY);
    }

    /// The number of the event's row shape; `skeleton` then holds its line taken apart.
    pub(super) fn shape(
        &mut self,
        event: &Analyzed<'_>,
        variables: &[Variable],
        skeleton: &mut Skeleton,
    ) -> u32 {
        let mut level = Level::Line;
        loop {
            let message = take_apart(event, variables, level, skeleton);
            let key = key(event, level, skeleton);
            if let Some(known) = self.candidates.get(&key) {
                for &number in known {
                    if fits(&self.tables.shapes[number as usize], event, message, skeleton) {
                        return number;
                    }
                }
            }
            let crowded = self.tables.shapes.len() >= SHAPES_MAX;
            let variants = self.variants.entry(event.shape).or_default();
            level = match level {
                Level::Line | Level::Message if crowded => Level::Text,
                Level::Line if *variants >= VARIANTS_MAX && has_surroundings(event) => Level::Message,
                _ => {
                    *variants += 1;
                    return self.add(key, event, level, message, skeleton);
                }
            };
        }
    }

    fn add(
        &mut self,
        key: u64,
        event: &Analyzed<'_>,
        level: Level,
        message: Span,
        skeleton: &Skeleton,
    ) -> u32 {
        let last = self.candidates.get(&key).and_then(|known| known.last()).copied();
        let last = last.map(|number| Arc::clone(&self.tables.shapes[number as usize]));
        let same_fields = |last: &&Arc<RowShape>| {
            last.has_line_of(skeleton)
                && last.fields.len() == event.event.fields.len()
                && last.fields.iter().zip(&event.event.fields).all(|(a, b)| *a.path == *b.path)
        };
        let last = last.as_ref().filter(same_fields);
        let line = line_of(event, level);
        let host = event.event.host.as_deref();
        let mut fields = Vec::with_capacity(event.event.fields.len());
        for (at, field) in event.event.fields.iter().enumerate() {
            let before = last.and_then(|last| last.fields.get(at));
            fields.push(self.field_plan(field, before, level, host, line, skeleton));
        }
        let shape = RowShape {
            literals: skeleton.literals.clone(),
            ends: skeleton.ends.clone(),
            slots: skeleton.slots.clone(),
            message,
            original: original_of(event, level),
            template: event.template.clone(),
            severity: event.event.severity,
            source: match &event.event.source {
                None => Source::Absent,
                Some(_) if level == Level::Text => Source::Cell,
                Some(text) => Source::Constant(text.as_ref().into()),
            },
            has_host: event.event.host.is_some(),
            state: event.verdict.state,
            is_anomaly: event.verdict.is_anomaly,
            has_reasons: !event.verdict.reasons.is_empty(),
            fields,
        };
        let number = self.tables.shapes.len() as u32;
        self.candidates.entry(key).or_default().push(number);
        self.push(Arc::new(shape));
        number
    }

    /// How a field of a new row shape follows from the rest, given how it did in the shape before.
    fn field_plan(
        &mut self,
        field: &Field<'_>,
        before: Option<&FieldPlan>,
        level: Level,
        host: Option<&str>,
        line: &str,
        skeleton: &Skeleton,
    ) -> FieldPlan {
        let path = match before {
            Some(before) => Arc::clone(&before.path),
            None => Arc::from(field.path.as_ref()),
        };
        let plan = match before.map(|before| &before.plan) {
            Some(plan) if plan_fits(plan, &field.value, host, line, skeleton) => plan.clone(),
            Some(_) => {
                *self.varying.entry(Arc::clone(&path)).or_default() += 1;
                span_plan(&field.value, line, skeleton).unwrap_or_else(|| Plan::cell_for(&field.value))
            }
            None if level == Level::Text => Plan::cell_for(&field.value),
            None if field.value.as_str().is_some() && field.value.as_str() == host => Plan::Host,
            None => match span_plan(&field.value, line, skeleton) {
                Some(plan) => plan,
                None if self.varying.get(&path).is_some_and(|times| *times >= VARYING_MIN) => {
                    Plan::cell_for(&field.value)
                }
                None => Plan::Constant(field.value.clone().into_owned()),
            },
        };
        // Spans that disagreed once tend to disagree again.
        let plan = match (plan, before.map(|before| &before.plan)) {
            (Plan::Span(_), Some(Plan::Span(_))) => Plan::Text,
            (Plan::SpanInteger(_), Some(Plan::SpanInteger(_))) => Plan::Integer,
            (plan, _) => plan,
        };
        let plan = match before.map(|before| &before.plan) {
            Some(kept) if plan_fits(kept, &field.value, host, line, skeleton) => kept.clone(),
            _ => plan,
        };
        FieldPlan { path, plan }
    }
}

/// Whether the original holds more than the message.
fn has_surroundings(event: &Analyzed<'_>) -> bool {
    event.event.original.as_ref().is_some_and(|original| original.len() != event.event.message.len())
}

/// Where the message lies in its line: at once when it borrows from it, else by a search from the end.
fn place_of(original: &str, message: &str) -> Option<usize> {
    if original == message {
        return Some(0);
    }
    let distance = (message.as_ptr() as usize).wrapping_sub(original.as_ptr() as usize);
    if original.get(distance..distance.saturating_add(message.len())) == Some(message) {
        return Some(distance);
    }
    if original.ends_with(message) {
        return Some(original.len() - message.len());
    }
    memchr::memmem::find(original.as_bytes(), message.as_bytes())
}

fn original_of(event: &Analyzed<'_>, level: Level) -> Original {
    match &event.event.original {
        None => Original::Absent,
        Some(original) if *original == event.event.message => Original::Line,
        Some(original) if level == Level::Line && place_of(original, &event.event.message).is_some() => {
            Original::Line
        }
        Some(_) => Original::Cell,
    }
}

/// The text that the skeleton is of.
fn line_of<'e>(event: &'e Analyzed<'_>, level: Level) -> &'e str {
    match (&event.event.original, original_of(event, level)) {
        (Some(original), Original::Line) => original,
        _ => &event.event.message,
    }
}

fn take_apart(event: &Analyzed<'_>, variables: &[Variable], level: Level, skeleton: &mut Skeleton) -> Span {
    skeleton.clear();
    let message = event.event.message.as_ref();
    if level == Level::Text {
        let from = skeleton.anchor();
        skeleton.text(message);
        return Span { from, to: skeleton.anchor() };
    }
    let place = match &event.event.original {
        Some(original) if level == Level::Line && has_surroundings(event) => {
            place_of(original, message).map(|place| (original.as_ref(), place))
        }
        _ => None,
    };
    let host = event.event.host.as_deref();
    if let Some((original, place)) = place {
        skeleton.surroundings(&original[..place], host);
    }
    let from = skeleton.anchor();
    skeleton.message(message, variables);
    let to = skeleton.anchor();
    if let Some((original, place)) = place {
        skeleton.surroundings(&original[place + message.len()..], None);
    }
    Span { from, to }
}

fn key(event: &Analyzed<'_>, level: Level, skeleton: &Skeleton) -> u64 {
    let verdict = &event.verdict;
    let mut bits = event.event.severity as u64 | (verdict.state as u64) << 8 | (level as u64) << 16;
    bits |= u64::from(verdict.is_anomaly) << 24 | u64::from(verdict.reasons.is_empty()) << 25;
    bits |= u64::from(event.event.host.is_some()) << 26 | u64::from(event.event.original.is_some()) << 27;
    bits |= (event.event.fields.len() as u64) << 32;
    let template = event.template.as_ref().map_or(1, |template| template.id.0);
    let shape = if level == Level::Text { 0 } else { event.shape };
    let source = match &event.event.source {
        Some(source) if level != Level::Text => hash(3, source.as_bytes()),
        source => u64::from(source.is_some()),
    };
    // The literals around a message are not in its shape.
    let surroundings = if level == Level::Line && has_surroundings(event) {
        hash(5, skeleton.literals.as_bytes())
    } else {
        0
    };
    let paths = event.event.fields.iter().fold(0, |paths, field| hash(paths, field.path.as_bytes()));
    hash(shape ^ bits.rotate_left(7), &skeleton.slots) ^ template ^ source ^ surroundings ^ paths
}

fn fits(shape: &RowShape, event: &Analyzed<'_>, message: Span, skeleton: &Skeleton) -> bool {
    let source = match (&shape.source, &event.event.source) {
        (Source::Absent, None) | (Source::Cell, Some(_)) => true,
        (Source::Constant(constant), Some(source)) => **constant == **source,
        _ => false,
    };
    let template = match (&shape.template, &event.template) {
        (None, None) => true,
        (Some(a), Some(b)) => Arc::ptr_eq(a, b) || a == b,
        _ => false,
    };
    if !source || !template || !shape.has_line_of(skeleton) || shape.message != message {
        return false;
    }
    let level = match shape.source {
        Source::Cell => Level::Text,
        _ if shape.original == Original::Cell => Level::Message,
        _ => Level::Line,
    };
    if shape.severity != event.event.severity
        || shape.state != event.verdict.state
        || shape.is_anomaly != event.verdict.is_anomaly
        || shape.has_reasons == event.verdict.reasons.is_empty()
        || shape.has_host != event.event.host.is_some()
        || shape.original != original_of(event, level)
        || shape.fields.len() != event.event.fields.len()
    {
        return false;
    }
    if shape.fields.is_empty() {
        return true;
    }
    let line = line_of(event, level);
    let host = event.event.host.as_deref();
    shape.fields.iter().zip(&event.event.fields).all(|(plan, field)| {
        *plan.path == *field.path && plan_fits(&plan.plan, &field.value, host, line, skeleton)
    })
}

fn plan_fits(plan: &Plan, value: &Value<'_>, host: Option<&str>, line: &str, skeleton: &Skeleton) -> bool {
    match (plan, value) {
        (Plan::Constant(constant), value) => same_value(constant, value),
        (Plan::Host, Value::String(text)) => host == Some(text),
        (Plan::Span(span), Value::String(text)) => line.get(skeleton.resolve(*span)) == Some(text),
        (Plan::SpanInteger(span), Value::Int(number)) => {
            line.get(skeleton.resolve(*span)).is_some_and(|text| text.parse() == Ok(*number))
        }
        (Plan::Text, Value::String(_))
        | (Plan::Json, Value::Json(_))
        | (Plan::Integer, Value::Int(_))
        | (Plan::Float, Value::Float(_))
        | (Plan::Bool, Value::Bool(_)) => true,
        _ => false,
    }
}

/// Where in the line a value stands: text anywhere between anchors, an integer as a whole slot.
fn span_plan(value: &Value<'_>, line: &str, skeleton: &Skeleton) -> Option<Plan> {
    match value {
        Value::String(text) if !text.is_empty() => {
            memchr::memmem::find_iter(line.as_bytes(), text.as_bytes()).take(4).find_map(|place| {
                let span =
                    Span { from: skeleton.anchor_at(place)?, to: skeleton.anchor_at(place + text.len())? };
                // Without a slot in between it is constant, which says more.
                (span.from.literal != span.to.literal).then_some(Plan::Span(span))
            })
        }
        Value::Int(number) => {
            let text = number.to_string();
            let place = skeleton.ranges.iter().zip(&skeleton.slots).position(|(range, slot)| {
                *slot == slot::DECIMAL && line.get(range.0 as usize..range.1 as usize) == Some(&text)
            })?;
            let range = skeleton.ranges[place];
            let span = Span {
                from: skeleton.anchor_at(range.0 as usize)?,
                to: skeleton.anchor_at(range.1 as usize)?,
            };
            (span.from.literal != span.to.literal).then_some(Plan::SpanInteger(span))
        }
        _ => None,
    }
}
