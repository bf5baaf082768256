//! Evaluating a query without reading rows, as far as that goes, and on rows where it must.

use std::{
    cell::OnceCell,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use query::{Test, TokenPattern};

use super::{
    bloom,
    cache::Cache,
    common::Common,
    needle::Needle,
    segment::Segment,
    shapes::{Plan, RowShape, Tables},
    skeleton::slot,
    terms::{Candidates, Node, Term, Terms},
};
use crate::{IndexError, Meter};

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

/// What a block's filter answered to the probes of a query; nothing is known without.
#[derive(Clone, Copy)]
pub(super) struct Places<'a>(Option<&'a [bool]>);

impl Places<'_> {
    /// Whether what a probe asks for may stand at a variable place.
    fn may_hold(self, probe: Option<usize>) -> bool {
        let known = self.0.zip(probe).and_then(|(answers, probe)| answers.get(probe));
        known.copied().unwrap_or(true)
    }
}

/// The query for every row shape of a segment: as far as tables tell, and for each answer that the
/// filter of a block gave to its probes so far.
#[derive(Debug)]
pub(super) struct States {
    pub(super) terms: Arc<Terms>,
    pub(super) any: Arc<Vec<Known>>,
    by_answer: Mutex<HashMap<Vec<bool>, Answered, FixedState>>,
    /// By phrase and row shape, once they are needed.
    fixed: Vec<OnceLock<Box<[bool]>>>,
}

/// What follows from an answer.
#[derive(Debug, Clone)]
struct Answered {
    states: Arc<Vec<Known>>,
    /// Whether rows of a shape that tables leave open may match then.
    touches: bool,
}

/// More different answers than this are worked out again for each block.
const ANSWERS_MAX: usize = 16;

/// The query for the row shapes of a block, as far as it is known without reading on.
pub(super) enum Filtered {
    /// For every shape of the segment.
    All(Arc<Vec<Known>>),
    /// To be worked out for those that occur, with these answers.
    Open(Vec<bool>),
}

impl States {
    /// The query for the row shapes in a block with this filter.
    pub(super) fn filtered(
        &self,
        tables: &Tables,
        filter: &bloom::Bloom,
        meter: &mut Meter<'_>,
    ) -> Result<Filtered, IndexError> {
        let answers = self.terms.answers(filter);
        if answers.iter().all(|answer| *answer) {
            return Ok(Filtered::All(Arc::clone(&self.any)));
        }
        Ok(match self.answered(tables, &answers, meter)? {
            Some(answered) => Filtered::All(answered.states),
            None => Filtered::Open(answers),
        })
    }

    /// Whether a row of a shape of which tables do not tell may match in a block with this filter.
    pub(super) fn may_touch(
        &self,
        tables: &Tables,
        filter: &bloom::Bloom,
        meter: &mut Meter<'_>,
    ) -> Result<bool, IndexError> {
        let answers = self.terms.answers(filter);
        if answers.iter().all(|answer| *answer) {
            return Ok(self.any.contains(&Known::Depends));
        }
        Ok(self.answered(tables, &answers, meter)?.is_none_or(|answered| answered.touches))
    }

    /// What follows from these answers; None when there are too many different ones to keep.
    fn answered(
        &self,
        tables: &Tables,
        answers: &Vec<bool>,
        meter: &mut Meter<'_>,
    ) -> Result<Option<Answered>, IndexError> {
        {
            let known = self.by_answer.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(answered) = known.get(answers) {
                return Ok(Some(answered.clone()));
            }
            if known.len() >= ANSWERS_MAX {
                return Ok(None);
            }
        }
        // Without the lock, for it may take its time.
        let states = all_states(&self.terms, tables, Places(Some(answers)), meter)?;
        let mut both = self.any.iter().zip(&states);
        let touches = both.any(|(any, state)| *any == Known::Depends && *state != Known::Never);
        let answered = Answered { states: Arc::new(states), touches };
        let mut known = self.by_answer.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(answers.clone(), answered.clone());
        Ok(Some(answered))
    }

    /// The query for one row shape, with a filter's answers.
    pub(super) fn of_shape(&self, shape: &RowShape, answers: &[bool], candidates: &mut Candidates) -> Known {
        ShapeTest::new(&self.terms, shape, Places(Some(answers)), candidates).state(&self.terms.root)
    }
}

impl States {
    /// By row shape of the segment, whether a token of a phrase may be among its fixed ones; the same token is asked for
    /// each time.
    pub(super) fn fixed(&self, phrase: usize, needle: &Needle, tables: &Tables) -> Option<&[bool]> {
        let make = || tables.shapes.iter().map(|shape| needle.may_be_in(&shape.literals)).collect();
        Some(self.fixed.get(phrase)?.get_or_init(make))
    }
}

fn all_states(
    terms: &Terms,
    tables: &Tables,
    places: Places<'_>,
    meter: &mut Meter<'_>,
) -> Result<Vec<Known>, IndexError> {
    let mut candidates = Candidates::default();
    let mut states = Vec::with_capacity(tables.shapes.len());
    for shape in &tables.shapes {
        meter.spend(1 + terms.tests)?;
        states.push(ShapeTest::new(terms, shape, places, &mut candidates).state(&terms.root));
    }
    Ok(states)
}

pub(super) fn states(
    terms: &Arc<Terms>,
    segment: &Segment,
    tables: &Tables,
    cache: &Cache,
    meter: &mut Meter<'_>,
) -> Result<Arc<States>, IndexError> {
    let mut make = || -> Result<(States, usize), IndexError> {
        let any = all_states(terms, tables, Places(None), meter)?;
        // With room for further answers, and for what is fixed.
        let size = any.len() * (4 + terms.terms.len()) + 256;
        let states = States {
            terms: Arc::clone(terms),
            any: Arc::new(any),
            by_answer: Mutex::default(),
            fixed: terms.terms.iter().map(|_| OnceLock::new()).collect(),
        };
        Ok((states, size))
    };
    let key = bloom::hash(11, format!("{:?}", terms.query).as_bytes()) as u32;
    let known = cache.get((segment.unit(), key, 254), &mut make)?;
    if known.terms.query == terms.query { Ok(known) } else { make().map(|(states, _)| Arc::new(states)) }
}

/// A query for all rows of a shape.
struct ShapeTest<'t> {
    terms: &'t Terms,
    shape: &'t RowShape,
    places: Places<'t>,
    /// Its fixed tokens, once they are needed.
    pieces: OnceCell<Vec<Option<&'t str>>>,
    /// The phrases that the fixed pieces may hold.
    candidates: &'t Candidates,
    slots: &'t [u8],
}

impl<'t> ShapeTest<'t> {
    fn new(
        terms: &'t Terms,
        shape: &'t RowShape,
        places: Places<'t>,
        candidates: &'t mut Candidates,
    ) -> Self {
        let pieces = OnceCell::new();
        if terms.are_many() {
            let own = pieces.get_or_init(|| shape.pieces());
            let fixed: Vec<&str> = own.iter().map(|piece| piece.unwrap_or_default()).collect();
            terms.look(&fixed.join(" "), candidates);
        }
        let slots = shape.message.from.literal as usize..shape.message.to.literal as usize;
        let slots = shape.slots.get(slots).unwrap_or_default();
        Self { terms, shape, places, pieces, candidates, slots }
    }

    fn pieces(&self) -> &[Option<&'t str>] {
        self.pieces.get_or_init(|| self.shape.pieces())
    }

    fn state(&self, node: &Node) -> Known {
        match node {
            Node::All => Known::Always,
            Node::Phrase(phrase) => self.phrase_state(*phrase),
            Node::Field { path, test, probe } => {
                let path = self.terms.paths.get(*path).map_or("", String::as_str);
                field_state(path, test, self.shape, self.places.may_hold(*probe))
            }
            Node::And(parts) => {
                let mut known = Known::Always;
                for part in parts {
                    match self.state(part) {
                        Known::Never => return Known::Never,
                        Known::Depends => known = Known::Depends,
                        Known::Always => {}
                    }
                }
                known
            }
            Node::Or { phrases, parts } => {
                let phrases = phrases.iter().map(|phrase| self.phrase_state(*phrase));
                let mut known = Known::Never;
                for state in phrases.chain(parts.iter().map(|part| self.state(part))) {
                    match state {
                        Known::Always => return Known::Always,
                        Known::Depends => known = Known::Depends,
                        Known::Never => {}
                    }
                }
                known
            }
            Node::Not(part) => match self.state(part) {
                Known::Never => Known::Always,
                Known::Always => Known::Never,
                Known::Depends => Known::Depends,
            },
        }
    }

    fn phrase_state(&self, number: usize) -> Known {
        let Some(Term { phrase, probes, needles }) = self.terms.terms.get(number) else {
            return Known::Depends;
        };
        let fixed =
            |pattern: &TokenPattern, piece: &Option<&str>| piece.is_some_and(|token| pattern.matches(token));
        let is_fixed = |window: &[Option<&str>]| {
            phrase.0.iter().zip(window).all(|(pattern, piece)| fixed(pattern, piece))
        };
        // Most literals do not hold a token as text either, which is seen sooner.
        let may_be_fixed = match self.terms.are_many() {
            true => self.candidates.may_hold(number),
            false => needles.iter().flatten().all(|needle| needle.may_be_in(&self.shape.literals)),
        };
        if may_be_fixed && self.pieces().windows(phrase.0.len()).any(is_fixed) {
            return Known::Always;
        }
        let in_slot = |pattern: &TokenPattern, probe: Option<usize>| match pattern {
            TokenPattern::Wildcard(_) => !self.slots.is_empty(),
            TokenPattern::Exact(token) => {
                self.places.may_hold(probe) && self.slots.iter().any(|slot| may_contain(*slot, token))
            }
        };
        let mut any = false;
        for ((pattern, probe), needle) in phrase.0.iter().zip(probes).zip(needles) {
            if in_slot(pattern, *probe) {
                any = true;
            } else if !needle.as_ref().is_none_or(|needle| needle.may_be_in(&self.shape.literals))
                || !self.pieces().iter().any(|piece| fixed(pattern, piece))
            {
                return Known::Never;
            }
        }
        if any { Known::Depends } else { Known::Never }
    }
}

fn field_state(path: &str, test: &Test, shape: &RowShape, may_hold: bool) -> Known {
    match shape.common(path) {
        Common::Absent => Known::Never,
        Common::Value(value) => Known::of(test.matches(&value)),
        Common::Differs => {
            let Some(field) = shape.fields.iter().find(|field| *field.path == *path) else {
                return Known::Depends;
            };
            match (test, &field.plan) {
                (Test::Exists, plan) if *plan != Plan::Json => Known::Always,
                (
                    Test::Equals { ignore_case: false, .. } | Test::Number { .. },
                    Plan::Text | Plan::Span(_),
                ) if !may_hold => Known::Never,
                _ => Known::Depends,
            }
        }
    }
}

/// Whether part of a token may come from a slot.
fn may_contain(slot: u8, token: &str) -> bool {
    match slot {
        slot::TEXT | slot::HOST => true,
        slot::DECIMAL => token.bytes().any(|byte| byte.is_ascii_digit()),
        _ => token.bytes().any(|byte| byte.is_ascii_hexdigit()),
    }
}
