//! Evaluating a query without reading rows, as far as that goes, and on rows where it must.

use std::sync::Arc;

use event::{Timestamp, Value, Verdict, field};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::{
    block::token_key,
    bloom::{self, field_key},
    cache::Cache,
    reader::Block,
    rows::{Line, Rows, score_of},
    segment::Segment,
    shapes::{Original, Plan, RowShape, SCORE, Source, Tables},
    skeleton::slot,
};
use crate::{
    IndexError,
    query::{Phrase, Query, Test, TokenPattern, is_token_char},
};

/// What is known of a query for all rows of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Never,
    Depends,
    Always,
}

impl Known {
    const fn of(known: bool) -> Self {
        if known { Self::Always } else { Self::Never }
    }
}

/// Which texts may stand at variable places.
pub(super) trait Places {
    fn token(&self, token: &str) -> bool;
    fn value(&self, path: &str, value: &str) -> bool;
}

/// Nothing is known of them.
pub(super) struct Anything;

impl Places for Anything {
    fn token(&self, _: &str) -> bool {
        true
    }

    fn value(&self, _: &str, _: &str) -> bool {
        true
    }
}

/// None of those asked for.
pub(super) struct Nothing;

impl Places for Nothing {
    fn token(&self, _: &str) -> bool {
        false
    }

    fn value(&self, _: &str, _: &str) -> bool {
        false
    }
}

/// As a block's filter knows.
pub(super) struct Filtered<'b>(pub(super) &'b bloom::Bloom);

impl Places for Filtered<'_> {
    fn token(&self, token: &str) -> bool {
        token_key(token).is_none_or(|key| self.0.may_hold(key))
    }

    fn value(&self, path: &str, value: &str) -> bool {
        self.0.may_hold(field_key(path, value))
    }
}

/// Whether the filter has anything to say about a query, and if so, whether anything asked for may be there.
pub(super) fn may_touch(query: &Query, places: &dyn Places) -> bool {
    match query {
        Query::All => false,
        Query::Message(phrase) => phrase.0.iter().any(|pattern| match pattern {
            TokenPattern::Exact(token) => places.token(token),
            TokenPattern::Wildcard(_) => true,
        }),
        Query::Field { path, test: Test::Equals { text, ignore_case: false } } => places.value(path, text),
        Query::Field { .. } => true,
        Query::And(parts) | Query::Or(parts) => parts.iter().any(|part| may_touch(part, places)),
        Query::Not(part) => may_touch(part, places),
    }
}

/// The query for every row shape of a segment: as far as tables tell, and as it is in a block where
/// nothing asked for may stand at a variable place.
#[derive(Debug)]
pub(super) struct States {
    query: Query,
    pub(super) any: Vec<Known>,
    pub(super) none: Vec<Known>,
}

pub(super) fn states(
    query: &Query,
    segment: &Segment,
    tables: &Tables,
    cache: &Cache,
) -> Result<Arc<States>, IndexError> {
    let make = || {
        let all = |places: &dyn Places| {
            tables.shapes.iter().map(|shape| shape_state(query, shape, places)).collect::<Vec<_>>()
        };
        let states = States { query: query.clone(), any: all(&Anything), none: all(&Nothing) };
        let size = states.any.len() * 2 + 256;
        Ok((states, size))
    };
    let key = bloom::hash(11, format!("{query:?}").as_bytes()) as u32;
    let known = cache.get((segment.unit(), key, 254), make)?;
    if known.query == *query { Ok(known) } else { make().map(|(states, _)| Arc::new(states)) }
}

/// The query for all rows of a shape.
pub(super) fn shape_state(query: &Query, shape: &RowShape, places: &dyn Places) -> Known {
    match query {
        Query::All => Known::Always,
        Query::Message(phrase) => phrase_state(phrase, shape, places),
        Query::Field { path, test } => field_state(path, test, shape, places),
        Query::And(parts) => {
            let mut known = Known::Always;
            for part in parts {
                match shape_state(part, shape, places) {
                    Known::Never => return Known::Never,
                    Known::Depends => known = Known::Depends,
                    Known::Always => {}
                }
            }
            known
        }
        Query::Or(parts) => {
            let mut known = Known::Never;
            for part in parts {
                match shape_state(part, shape, places) {
                    Known::Always => return Known::Always,
                    Known::Depends => known = Known::Depends,
                    Known::Never => {}
                }
            }
            known
        }
        Query::Not(part) => match shape_state(part, shape, places) {
            Known::Never => Known::Always,
            Known::Always => Known::Never,
            Known::Depends => Known::Depends,
        },
    }
}

/// What of a field all rows of a shape have in common.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Common<'s> {
    Absent,
    /// The same value.
    Value(Value<'s>),
    /// A value each.
    Differs,
}

pub(super) fn common<'s>(path: &str, shape: &'s RowShape) -> Common<'s> {
    let text = |text: &'s str| Common::Value(Value::from(text));
    let present = |present| if present { Common::Differs } else { Common::Absent };
    match path {
        field::LEVEL => text(shape.severity.as_str()),
        field::MESSAGE => Common::Differs,
        field::SERVICE_NAME => match &shape.source {
            Source::Absent => Common::Absent,
            Source::Constant(source) => text(source),
            Source::Cell => Common::Differs,
        },
        field::HOST_NAME => present(shape.has_host),
        field::ORIGINAL => present(shape.original != Original::Absent),
        _ => match shape.fields.iter().find(|field| *field.path == *path) {
            Some(field) => match &field.plan {
                Plan::Constant(value) => Common::Value(value.clone()),
                _ => Common::Differs,
            },
            None => match path {
                field::TIMESTAMP | field::CREATED | field::ANOMALY_SCORE => Common::Differs,
                field::TEMPLATE_ID => {
                    let template = shape.template.as_ref();
                    template.map_or(Common::Absent, |template| Common::Value(template.id.to_string().into()))
                }
                field::TEMPLATE_TEXT => {
                    shape.template.as_ref().map_or(Common::Absent, |found| text(&found.text))
                }
                field::ANOMALY_IS_ANOMALY => Common::Value(shape.is_anomaly.into()),
                field::ANOMALY_STATE => text(shape.state.as_str()),
                field::ANOMALY_REASONS => present(shape.has_reasons),
                _ => Common::Absent,
            },
        },
    }
}

fn field_state(path: &str, test: &Test, shape: &RowShape, places: &dyn Places) -> Known {
    match common(path, shape) {
        Common::Absent => Known::Never,
        Common::Value(value) => Known::of(test.matches(&value)),
        Common::Differs => {
            let Some(field) = shape.fields.iter().find(|field| *field.path == *path) else {
                return Known::Depends;
            };
            match (test, &field.plan) {
                (Test::Exists, plan) if *plan != Plan::Json => Known::Always,
                (Test::Equals { text, ignore_case: false }, Plan::Text | Plan::Span(_))
                    if !places.value(path, text) =>
                {
                    Known::Never
                }
                _ => Known::Depends,
            }
        }
    }
}

/// A message as far as a shape knows it: tokens, and holes where slots make unknown ones.
fn pieces(shape: &RowShape) -> Vec<Option<&str>> {
    let mut pieces = Vec::new();
    let (from, to) = (shape.message.from, shape.message.to);
    for number in from.literal..=to.literal {
        let literal = shape.literal(number as usize);
        let start = if number == from.literal { from.offset as usize } else { 0 };
        let end = if number == to.literal { to.offset as usize } else { literal.len() };
        let literal = literal.get(start..end).unwrap_or_default();
        let (hole_before, hole_after) = (number > from.literal, number < to.literal);
        let mut rest = literal;
        let mut at_start = true;
        loop {
            let skip = rest.find(is_token_char).unwrap_or(rest.len());
            at_start &= skip == 0;
            rest = &rest[skip..];
            if rest.is_empty() {
                break;
            }
            let end = rest.find(|c| !is_token_char(c)).unwrap_or(rest.len());
            let (token, after) = rest.split_at(end);
            rest = after;
            // A token that touches a slot is longer than what is seen of it here.
            let joined = at_start && hole_before || rest.is_empty() && hole_after;
            if !joined {
                pieces.push(Some(token));
            }
            at_start = false;
        }
        if hole_after {
            pieces.push(None);
        }
    }
    pieces
}

fn phrase_state(phrase: &Phrase, shape: &RowShape, places: &dyn Places) -> Known {
    let pieces = pieces(shape);
    let fixed =
        |pattern: &TokenPattern, piece: &Option<&str>| piece.is_some_and(|token| pattern.matches(token));
    if pieces.windows(phrase.0.len()).any(|window| phrase.0.iter().zip(window).all(|(a, b)| fixed(a, b))) {
        return Known::Always;
    }
    let slots = shape.message.from.literal as usize..shape.message.to.literal as usize;
    let slots = shape.slots.get(slots).unwrap_or_default();
    let in_slot = |pattern: &TokenPattern| match pattern {
        TokenPattern::Wildcard(_) => !slots.is_empty(),
        TokenPattern::Exact(token) => {
            slots.iter().any(|slot| may_contain(*slot, token)) && places.token(token)
        }
    };
    let mut any = false;
    for pattern in &phrase.0 {
        if in_slot(pattern) {
            any = true;
        } else if !pieces.iter().any(|piece| fixed(pattern, piece)) {
            return Known::Never;
        }
    }
    if any { Known::Depends } else { Known::Never }
}

/// Whether part of a token may come from a slot.
fn may_contain(slot: u8, token: &str) -> bool {
    match slot {
        slot::TEXT | slot::HOST => true,
        slot::DECIMAL => token.bytes().any(|byte| byte.is_ascii_digit()),
        _ => token.bytes().any(|byte| byte.is_ascii_hexdigit()),
    }
}

/// Tests rows of a block one by one.
#[derive(Debug)]
pub(super) struct RowTest<'b> {
    pub(super) rows: Rows<'b>,
    line: Line,
    line_row: Option<usize>,
    /// By phrase (its address, for the length of a query) and place of the row shape.
    suspects: HashMap<(usize, usize), Arc<Option<Vec<bool>>>, FixedState>,
    /// The rows of each place, once they are needed.
    pub(super) members: Option<Vec<Vec<u32>>>,
    /// By token, for each text of the block whether it holds the token: unknown, no, yes.
    pub(super) texts: HashMap<String, Vec<u8>, FixedState>,
}

impl<'b> RowTest<'b> {
    pub(super) fn new(block: &'b Block<'b>) -> Result<Self, IndexError> {
        Ok(Self {
            rows: Rows::new(block)?,
            line: Line::default(),
            line_row: None,
            suspects: HashMap::default(),
            members: None,
            texts: HashMap::default(),
        })
    }

    fn read_line(&mut self, row: usize) -> Result<(), IndexError> {
        if self.line_row != Some(row) {
            self.rows.line(row, &mut self.line)?;
            self.line_row = Some(row);
        }
        Ok(())
    }

    pub(super) fn matches(&mut self, query: &Query, row: usize) -> Result<bool, IndexError> {
        Ok(match query {
            Query::All => true,
            Query::Message(phrase) => {
                let (place, rank, shape) = self.rows.locate(row)?;
                if let Some(suspects) = self.suspects_of(phrase, place, shape)?.as_ref()
                    && !suspects.get(rank).copied().unwrap_or(true)
                {
                    return Ok(false);
                }
                self.read_line(row)?;
                phrase.matches(self.line.span(shape.message))
            }
            Query::Field { path, test } if path == field::HOST_NAME => {
                self.rows.block.host(row)?.is_some_and(|host| test.matches_text(host))
            }
            Query::Field { path, test } => self.value(path, row)?.is_some_and(|value| test.matches(&value)),
            Query::And(parts) => {
                for part in parts {
                    if !self.matches(part, row)? {
                        return Ok(false);
                    }
                }
                true
            }
            Query::Or(parts) => {
                for part in parts {
                    if self.matches(part, row)? {
                        return Ok(true);
                    }
                }
                false
            }
            Query::Not(part) => !self.matches(part, row)?,
        })
    }

    /// The rows that a phrase may be in, by rank; None when columns do not tell.
    fn suspects_of(
        &mut self,
        phrase: &Phrase,
        place: usize,
        shape: &RowShape,
    ) -> Result<Arc<Option<Vec<bool>>>, IndexError> {
        let key = (std::ptr::from_ref(phrase) as usize, place);
        if let Some(known) = self.suspects.get(&key) {
            return Ok(Arc::clone(known));
        }
        // Whatever is not among the fixed tokens must stand at a variable place.
        let pieces = pieces(shape);
        let variable = phrase.0.iter().find_map(|pattern| match pattern {
            TokenPattern::Exact(token) if !pieces.iter().flatten().any(|piece| pattern.matches(piece)) => {
                Some(token)
            }
            _ => None,
        });
        let found = match variable {
            Some(token) => self.suspects(place, shape, token)?,
            None => None,
        };
        let found = Arc::new(found);
        self.suspects.insert(key, Arc::clone(&found));
        Ok(found)
    }

    /// The value at a path, as `query::value_at` has it.
    pub(super) fn value(&mut self, path: &str, row: usize) -> Result<Option<Value<'static>>, IndexError> {
        let (place, rank, shape) = self.rows.locate(row)?;
        match common(path, shape) {
            Common::Absent => return Ok(None),
            Common::Value(value) => return Ok(Some(value.into_owned())),
            Common::Differs => {}
        }
        let block = self.rows.block;
        let own = |text: &str| Value::String(text.to_owned().into());
        let time = |times: &[i64]| {
            let nanos = times.get(row).copied().and_then(Timestamp::from_nanos);
            Value::String(nanos.unwrap_or_default().to_string().into())
        };
        Ok(Some(match path {
            field::MESSAGE => {
                self.read_line(row)?;
                own(self.line.span(shape.message))
            }
            field::SERVICE_NAME => own(self.rows.text(place, rank, shape.source_cell())?),
            field::HOST_NAME => own(block.host(row)?.map_or("", |host| host)),
            field::ORIGINAL if shape.original == Original::Line => {
                self.read_line(row)?;
                own(&self.line.text)
            }
            field::ORIGINAL => own(self.rows.text(place, rank, shape.original_cell())?),
            _ => match shape.fields.iter().position(|field| *field.path == *path) {
                Some(at) => {
                    if matches!(shape.fields[at].plan, Plan::Span(_) | Plan::SpanInteger(_)) {
                        self.read_line(row)?;
                    }
                    self.rows.field(row, at, &self.line)?
                }
                None => match path {
                    field::TIMESTAMP => time(block.times()?),
                    field::CREATED => time(block.observed()?),
                    field::ANOMALY_SCORE => {
                        let score = Verdict::quantize(score_of(self.rows.cell(place, rank, SCORE)?));
                        Value::Float((f64::from(score) * 1000.0).round() / 1000.0)
                    }
                    _ => Value::Json(self.rows.text(place, rank, shape.reasons_cell())?.to_owned().into()),
                },
            },
        }))
    }
}
