//! Testing rows of a block one by one, and reading values of their fields.

use event::{Timestamp, Value, Verdict, field};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::{
    evaluate::{Common, States, common},
    ints::Damage,
    reader::Block,
    rows::{Line, Rows, score_of},
    shapes::{Original, Plan, SCORE},
    suspects::Suspects,
};
use crate::{
    IndexError,
    query::{Phrase, Query},
};

/// Tests rows of a block one by one.
#[derive(Debug)]
pub(super) struct RowTest<'b> {
    pub(super) rows: Rows<'b>,
    line: Line,
    line_row: Option<usize>,
    states: &'b States,
    /// By phrase (its address, for the length of a query) and place of the row shape.
    suspects: HashMap<(usize, usize), Suspects, FixedState>,
    /// The rows of each place, once they are needed.
    pub(super) members: Option<Vec<Vec<u32>>>,
    /// By token, for each text of the block whether it holds the token: unknown, no, yes.
    pub(super) texts: HashMap<String, Vec<u8>, FixedState>,
}

impl<'b> RowTest<'b> {
    pub(super) fn new(block: &'b Block<'b>, states: &'b States) -> Result<Self, IndexError> {
        Ok(Self {
            rows: Rows::new(block)?,
            line: Line::default(),
            line_row: None,
            states,
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
                if !self.suspects_of(phrase, place)?.may_be(rank) {
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

    /// Whether columns tell that no row of the shape at this place matches.
    pub(super) fn rules_out(&mut self, query: &Query, place: usize) -> Result<bool, IndexError> {
        Ok(match query {
            Query::Message(phrase) => matches!(self.suspects_of(phrase, place)?, Suspects::None),
            Query::And(parts) => {
                for part in parts {
                    if self.rules_out(part, place)? {
                        return Ok(true);
                    }
                }
                false
            }
            Query::Or(parts) => {
                for part in parts {
                    if !self.rules_out(part, place)? {
                        return Ok(false);
                    }
                }
                true
            }
            Query::All | Query::Field { .. } | Query::Not(_) => false,
        })
    }

    /// The rows that a phrase may be in.
    fn suspects_of(&mut self, phrase: &Phrase, place: usize) -> Result<&Suspects, IndexError> {
        let key = (std::ptr::from_ref(phrase) as usize, place);
        if !self.suspects.contains_key(&key) {
            let number = self.rows.block.shapes()?.numbers.get(place).copied();
            let number = number.ok_or_else(|| self.rows.block.damaged(Damage("a row shape is missing")))?;
            let shape = &self.rows.block.tables.shapes[number as usize];
            let plan = self.states.plan(phrase, number, shape);
            let found = self.suspects(place, &plan)?;
            self.suspects.insert(key, found);
        }
        Ok(self.suspects.get(&key).unwrap_or(&Suspects::All))
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
