//! Evaluating a query without reading rows, as far as that goes, and on rows where it must.

use std::sync::{Arc, Mutex, PoisonError};

use event::{Value, field};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::{
    block::token_key,
    bloom::{self, field_key},
    cache::Cache,
    segment::Segment,
    shapes::{Original, Plan, RowShape, Source, Tables},
    skeleton::slot,
    suspects::SuspectPlan,
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

/// As a block's filter answered, probe by probe.
struct Answered<'a> {
    probes: &'a [Probe],
    answers: &'a [bool],
}

impl Answered<'_> {
    fn of(&self, asked: impl Fn(&Probe) -> bool) -> bool {
        let at = self.probes.iter().position(asked);
        at.and_then(|at| self.answers.get(at).copied()).unwrap_or(true)
    }
}

impl Places for Answered<'_> {
    fn token(&self, token: &str) -> bool {
        self.of(|probe| matches!(probe, Probe::Token(own) if own == token))
    }

    fn value(&self, path: &str, value: &str) -> bool {
        self.of(|probe| matches!(probe, Probe::Value(own, text) if own == path && text == value))
    }
}

/// What a query asks of a filter.
#[derive(Debug, PartialEq, Eq)]
enum Probe {
    Token(String),
    Value(String, String),
}

impl Probe {
    fn is_there(&self, filter: &bloom::Bloom) -> bool {
        match self {
            Self::Token(token) => token_key(token).is_none_or(|key| filter.may_hold(key)),
            Self::Value(path, value) => filter.may_hold(field_key(path, value)),
        }
    }
}

fn probes(query: &Query, found: &mut Vec<Probe>) {
    let mut add = |probe| {
        if !found.contains(&probe) {
            found.push(probe);
        }
    };
    match query {
        Query::Message(phrase) => {
            for pattern in &phrase.0 {
                if let TokenPattern::Exact(token) = pattern {
                    add(Probe::Token(token.clone()));
                }
            }
        }
        Query::Field { path, test: Test::Equals { text, ignore_case: false } } => {
            add(Probe::Value(path.clone(), text.clone()));
        }
        Query::All | Query::Field { .. } => {}
        Query::And(parts) | Query::Or(parts) => parts.iter().for_each(|part| probes(part, found)),
        Query::Not(part) => probes(part, found),
    }
}

/// The query for every row shape of a segment: as far as tables tell, and for each answer that the
/// filter of a block gave to its probes so far.
#[derive(Debug)]
pub(super) struct States {
    pub(super) query: Query,
    pub(super) any: Arc<Vec<Known>>,
    probes: Vec<Probe>,
    by_answer: Mutex<HashMap<Vec<bool>, Arc<Vec<Known>>, FixedState>>,
    /// For each answer, whether rows of a shape that tables leave open may match then.
    touches: Mutex<HashMap<Vec<bool>, bool, FixedState>>,
    plans: Mutex<Plans>,
}

/// By phrase (its address in the query) and row shape.
type Plans = HashMap<(usize, u32), Arc<SuspectPlan>, FixedState>;

/// About what a plan takes.
const PLAN_BYTES: usize = 256;
/// More different answers than this are worked out again for each block.
const ANSWERS_MAX: usize = 16;

impl States {
    /// The query for every row shape in a block with this filter.
    pub(super) fn filtered(&self, tables: &Tables, filter: &bloom::Bloom) -> Arc<Vec<Known>> {
        let answers: Vec<bool> = self.probes.iter().map(|probe| probe.is_there(filter)).collect();
        if answers.iter().all(|answer| *answer) {
            return Arc::clone(&self.any);
        }
        let mut known = self.by_answer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(states) = known.get(&answers) {
            return Arc::clone(states);
        }
        let places = Answered { probes: &self.probes, answers: &answers };
        let states = Arc::new(all_states(&self.query, tables, &places));
        if known.len() < ANSWERS_MAX {
            known.insert(answers, Arc::clone(&states));
        }
        states
    }

    /// Whether a row of a shape of which tables do not tell may match in a block with this filter.
    pub(super) fn may_touch(&self, tables: &Tables, filter: &bloom::Bloom) -> bool {
        let answers: Vec<bool> = self.probes.iter().map(|probe| probe.is_there(filter)).collect();
        if answers.iter().all(|answer| *answer) {
            return self.any.contains(&Known::Depends);
        }
        let mut known = self.touches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(touches) = known.get(&answers) {
            return *touches;
        }
        let states = self.filtered(tables, filter);
        let mut both = self.any.iter().zip(states.iter());
        let touches = both.any(|(any, state)| *any == Known::Depends && *state != Known::Never);
        if known.len() < ANSWERS_MAX {
            known.insert(answers, touches);
        }
        touches
    }

    /// Where a row shape may hold what a phrase of this query wants at a variable place.
    pub(super) fn plan(&self, phrase: &Phrase, number: u32, shape: &RowShape) -> Arc<SuspectPlan> {
        let key = (std::ptr::from_ref(phrase) as usize, number);
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(plans.entry(key).or_insert_with(|| Arc::new(SuspectPlan::new(phrase, shape))))
    }
}

fn all_states(query: &Query, tables: &Tables, places: &dyn Places) -> Vec<Known> {
    tables.shapes.iter().map(|shape| shape_state(query, shape, places)).collect()
}

pub(super) fn states(
    query: &Query,
    segment: &Segment,
    tables: &Tables,
    cache: &Cache,
) -> Result<Arc<States>, IndexError> {
    let make = || {
        let mut asked = Vec::new();
        probes(query, &mut asked);
        let states = States {
            query: query.clone(),
            any: Arc::new(all_states(query, tables, &Anything)),
            probes: asked,
            by_answer: Mutex::default(),
            touches: Mutex::default(),
            plans: Mutex::default(),
        };
        // With room for further answers, and for the plans of shapes that need rows to be read.
        let open = states.any.iter().filter(|state| **state == Known::Depends).count();
        let size = states.any.len() * 4 + open * states.probes.len() * PLAN_BYTES + 256;
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
pub(super) fn pieces(shape: &RowShape) -> Vec<Option<&str>> {
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
