//! Testing rows of a block one by one, and reading values of their fields.

use event::{Timestamp, Value, Verdict, field};
use query::{Test, below};

use super::{
    common::Common,
    evaluate::States,
    heads::Wanted,
    ints::Damage,
    reader::Block,
    rows::{Line, Rows, score_of},
    shapes::{Original, Plan, SCORE},
    suspects::{Seen, SuspectPlan, Suspects},
    terms::{Candidates, Node, Term},
};
use crate::{IndexError, Meter};

/// So many bytes of a message count as another test.
const MESSAGE_BYTES: u64 = 256;
/// So many bytes of a text in which an expression is looked for count as another test.
const EXPRESSION_BYTES: u64 = 8;
/// So many rows of a column that is read count as one test.
const COLUMN_ROWS: u64 = 16;

/// Tests rows of a block one by one.
#[derive(Debug)]
pub(super) struct Matcher<'b> {
    pub(super) rows: Rows<'b>,
    line: Line,
    line_row: Option<usize>,
    states: &'b States,
    /// The phrases that the line's message may hold, once that is looked through.
    candidates: Candidates,
    candidates_row: Option<usize>,
    /// By path of the query, the row read last and its value.
    values: Vec<(Option<usize>, Option<Value<'static>>)>,
    /// Tests made since they were last asked for.
    tests: u64,
    /// By phrase and place of the row shape, as far as they were asked for.
    suspects: Vec<Vec<Option<Suspects>>>,
    seen: Seen,
}

impl<'b> Matcher<'b> {
    pub(super) fn new(block: &'b Block<'b>, states: &'b States) -> Result<Self, IndexError> {
        Ok(Self {
            rows: Rows::new(block)?,
            line: Line::default(),
            line_row: None,
            states,
            candidates: Candidates::default(),
            candidates_row: None,
            values: vec![(None, None); states.terms.paths.len()],
            tests: 0,
            suspects: states.terms.terms.iter().map(|_| Vec::new()).collect(),
            seen: Seen::default(),
        })
    }

    fn read_line(&mut self, row: usize) -> Result<(), IndexError> {
        if self.line_row != Some(row) {
            self.rows.line(row, &mut self.line)?;
            self.line_row = Some(row);
        }
        Ok(())
    }

    /// Whether a row is what the query describes.
    pub(super) fn matches(&mut self, row: usize) -> Result<bool, IndexError> {
        let states = self.states;
        self.node(&states.terms.root, row)
    }

    /// How many tests were made since this was last asked.
    pub(super) fn take_tests(&mut self) -> u64 {
        std::mem::take(&mut self.tests)
    }

    fn node(&mut self, node: &Node, row: usize) -> Result<bool, IndexError> {
        Ok(match node {
            Node::All => true,
            Node::Phrase(phrase) => self.phrase(*phrase, row)?,
            Node::Field { path, test, .. } => self.field(*path, test, row)?,
            Node::And(parts) => {
                for part in parts {
                    if !self.node(part, row)? {
                        return Ok(false);
                    }
                }
                true
            }
            Node::Or { phrases, parts } => {
                if self.states.terms.are_many() && !phrases.is_empty() {
                    self.look(row)?;
                    self.tests += 1;
                    for phrase in phrases {
                        if self.candidates.may_hold(*phrase) && self.phrase(*phrase, row)? {
                            return Ok(true);
                        }
                    }
                } else {
                    for phrase in phrases {
                        if self.phrase(*phrase, row)? {
                            return Ok(true);
                        }
                    }
                }
                for part in parts {
                    if self.node(part, row)? {
                        return Ok(true);
                    }
                }
                false
            }
            Node::Not(part) => !self.node(part, row)?,
        })
    }

    /// Looks a row's message through for all phrases at once.
    fn look(&mut self, row: usize) -> Result<(), IndexError> {
        if self.candidates_row != Some(row) {
            self.read_line(row)?;
            let (_, _, shape) = self.rows.locate(row)?;
            self.states.terms.look(self.line.span(shape.message), &mut self.candidates);
            self.candidates_row = Some(row);
        }
        Ok(())
    }

    fn phrase(&mut self, phrase: usize, row: usize) -> Result<bool, IndexError> {
        self.tests += 1;
        let (place, rank, shape) = self.rows.locate(row)?;
        if self.states.terms.are_many() {
            self.look(row)?;
            if !self.candidates.may_hold(phrase) {
                return Ok(false);
            }
        } else if !self.suspects_of(phrase, place)?.may_be(rank) {
            return Ok(false);
        }
        self.read_line(row)?;
        let text = self.line.span(shape.message);
        self.tests += text.len() as u64 / MESSAGE_BYTES;
        Ok(self.states.terms.terms.get(phrase).is_some_and(|term| term.matches(text)))
    }

    fn field(&mut self, path: usize, test: &Test, row: usize) -> Result<bool, IndexError> {
        self.tests += 1;
        let states = self.states;
        let name = states.terms.paths.get(path).map_or("", String::as_str);
        if name == field::HOST_NAME {
            return Ok(self.rows.block.host(row)?.is_some_and(|host| test.matches_text(host)));
        }
        if self.values.get(path).is_none_or(|(known, _)| *known != Some(row)) {
            let value = self.value(name, row)?;
            if let Some(known) = self.values.get_mut(path) {
                *known = (Some(row), value);
            }
        }
        let value = self.values.get(path).and_then(|(_, value)| value.as_ref());
        if let (Test::Finds(_), Some(Value::String(text) | Value::Json(text))) = (test, value) {
            self.tests += text.len() as u64 / EXPRESSION_BYTES;
        }
        Ok(value.is_some_and(|value| test.matches(value)))
    }

    /// Whether columns tell that no row of the shape at this place matches.
    pub(super) fn rules_out(&mut self, place: usize, meter: &mut Meter<'_>) -> Result<bool, IndexError> {
        let states = self.states;
        if states.terms.are_many() {
            // Looking at columns for each of them takes longer than looking at rows for all.
            return Ok(false);
        }
        self.node_rules_out(&states.terms.root, place, meter)
    }

    fn node_rules_out(
        &mut self,
        node: &Node,
        place: usize,
        meter: &mut Meter<'_>,
    ) -> Result<bool, IndexError> {
        Ok(match node {
            Node::Phrase(phrase) => self.phrase_rules_out(*phrase, place, meter)?,
            Node::And(parts) => {
                for part in parts {
                    if self.node_rules_out(part, place, meter)? {
                        return Ok(true);
                    }
                }
                false
            }
            // Parts other than these mostly do not tell, and cost nothing to ask.
            Node::Or { phrases, parts } => {
                for part in parts {
                    if !self.node_rules_out(part, place, meter)? {
                        return Ok(false);
                    }
                }
                for phrase in phrases {
                    if !self.phrase_rules_out(*phrase, place, meter)? {
                        return Ok(false);
                    }
                }
                true
            }
            Node::All | Node::Field { .. } | Node::Not(_) => false,
        })
    }

    fn phrase_rules_out(
        &mut self,
        phrase: usize,
        place: usize,
        meter: &mut Meter<'_>,
    ) -> Result<bool, IndexError> {
        let rows = self.rows.block.shapes()?.counts.get(place).copied().unwrap_or_default();
        let rules_out = matches!(self.suspects_of(phrase, place)?, Suspects::None);
        // A column was read for it.
        meter.spend(1 + u64::from(rows) / COLUMN_ROWS)?;
        Ok(rules_out)
    }

    /// The rows that a phrase may be in.
    fn suspects_of(&mut self, phrase: usize, place: usize) -> Result<&Suspects, IndexError> {
        let (block, states) = (self.rows.block, self.states);
        let missing = || block.damaged(Damage("a row shape is missing"));
        let numbers = &block.shapes()?.numbers;
        let suspects = self.suspects.get_mut(phrase).ok_or_else(missing)?;
        if suspects.is_empty() {
            *suspects = match Wanted::new(phrase, states, block.tables) {
                Some(wanted) => wanted.suspects(block, &mut self.seen)?,
                None => numbers.iter().map(|_| None).collect(),
            };
        }
        let (suspects, number) = suspects.get_mut(place).zip(numbers.get(place)).ok_or_else(missing)?;
        match suspects {
            Some(known) => Ok(known),
            none => {
                let shape = block.tables.shapes.get(*number as usize).ok_or_else(missing)?;
                let Term { phrase: tokens, needles, .. } =
                    states.terms.terms.get(phrase).ok_or_else(missing)?;
                let plan = SuspectPlan::new(tokens, shape);
                Ok(none.insert(plan.suspects((phrase, needles), place, block, &mut self.seen)?))
            }
        }
    }

    /// The value at a path, as `query::value_at` has it.
    pub(super) fn value(&mut self, path: &str, row: usize) -> Result<Option<Value<'static>>, IndexError> {
        let (place, rank, shape) = self.rows.locate(row)?;
        match shape.common(path) {
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
                    field::ID => own(&block.id(row)?.to_string()),
                    field::TIMESTAMP => time(block.times()?),
                    field::CREATED => time(block.observed()?),
                    field::ANOMALY_SCORE => {
                        let score = Verdict::quantize(score_of(self.rows.cell(place, rank, SCORE)?));
                        Value::Float((f64::from(score) * 1000.0).round() / 1000.0)
                    }
                    field::ANOMALY_REASONS => {
                        Value::Json(self.rows.text(place, rank, shape.reasons_cell())?.to_owned().into())
                    }
                    _ => return self.below(path, row),
                },
            },
        }))
    }

    /// What objects in a list have at a path.
    fn below(&mut self, path: &str, row: usize) -> Result<Option<Value<'static>>, IndexError> {
        let (_, _, shape) = self.rows.locate(row)?;
        for (at, rest) in shape.lists(path) {
            if matches!(shape.fields[at].plan, Plan::Json | Plan::Constant(Value::Json(_)))
                && let Some(value) = below(&self.rows.field(row, at, &self.line)?, rest)
            {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}
