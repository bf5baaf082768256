//! Verdicts of the events between two places of a journal, as bytes: one batch's, or those of several that follow
//! each other, as one record of the log.
//!
//! ```text
//! u8       what follows: 1 for a batch, 2 for several
//! u128     id of the events' journal, little-endian
//! 4 × u32  segment and record of the first place, and of the place behind the last event
//! several: the batches, back to back to the end; a batch:
//! varint   number of templates, then for each: varint length, UTF-8 text
//! varint   number of events, then for each:
//!            varint  segments since the event before (from the first place on)
//!            varint  record number; within the same segment less that of the event before
//!            u64     shape
//!            varint  its template, from 1; 0 for none
//!            u8      bits 0-1 state, bit 2 anomaly, bit 3 reasons follow
//!            varint  score in steps of 1/1000
//!            reasons, when there are: varint number, then for each: varint length, UTF-8
//!            varint  number of variables, then for each: u8 kind, varint bytes since the end of the one
//!                    before, varint length
//! ```
//! `varint` is LEB128. Integrity is the business of the journal that keeps it.

use std::{collections::HashMap, ops::Range, sync::Arc};

use event::{
    Batch, JournalId, Position, Template, TemplateId, Variable, VariableKind, Verdict, VerdictState, varint,
};

const BATCH: u8 = 1;
const SEVERAL: u8 = 2;
const HEAD: usize = 1 + 16 + 16;
const ANOMALY: u8 = 4;
const REASONS: u8 = 8;

/// Where a stretch's bytes are.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    Memory(Arc<[u8]>),
    /// A record of the log.
    Log(Position),
}

impl Place {
    /// Bytes in memory, with what it takes to know of them.
    pub(crate) fn held_bytes(&self) -> usize {
        match self {
            Self::Memory(bytes) => held_bytes(bytes.len()),
            Self::Log(_) => 0,
        }
    }
}

/// What so many bytes of a stretch take in memory.
pub(crate) const fn held_bytes(length: usize) -> usize {
    length + 2 * size_of::<Head>()
}

/// Which events a stretch is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) journal: JournalId,
    pub(crate) start: Position,
    pub(crate) end: Position,
}

/// What was said of an event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) position: Position,
    pub(crate) shape: u64,
    pub(crate) template: Option<Arc<Template>>,
    pub(crate) verdict: Verdict,
    /// A range of [`Rows::variables`].
    pub(crate) variables: Range<u32>,
}

/// What was said of a stretch's events, in their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rows {
    pub(crate) rows: Vec<Row>,
    pub(crate) variables: Vec<Variable>,
}

pub(crate) fn encode(journal: JournalId, start: Position, batch: &Batch<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD + batch.events.len() * 32);
    put_head(&mut out, BATCH, Head { journal, start, end: batch.end });
    let (mut numbers, mut texts) = (HashMap::<TemplateId, u64>::new(), Vec::<&str>::new());
    for template in batch.events.iter().filter_map(|event| event.template.as_ref()) {
        numbers.entry(template.id).or_insert_with(|| {
            texts.push(&template.text);
            texts.len() as u64
        });
    }
    varint::put(&mut out, texts.len() as u64);
    texts.iter().for_each(|text| put_text(&mut out, text));
    varint::put(&mut out, batch.events.len() as u64);
    let mut before = start;
    for event in &batch.events {
        let at = event.id.position;
        varint::put(&mut out, u64::from(at.segment.saturating_sub(before.segment)));
        let record =
            if at.segment == before.segment { at.record - before.record.min(at.record) } else { at.record };
        varint::put(&mut out, u64::from(record));
        before = at;
        out.extend_from_slice(&event.shape.to_le_bytes());
        varint::put(
            &mut out,
            event.template.as_ref().and_then(|template| numbers.get(&template.id)).copied().unwrap_or(0),
        );
        put_verdict(&mut out, &event.verdict);
        let variables = batch.variables_of(event);
        varint::put(&mut out, variables.len() as u64);
        let mut end = 0;
        for variable in variables {
            out.push(variable.kind as u8);
            varint::put(&mut out, u64::from(variable.start.saturating_sub(end)));
            varint::put(&mut out, u64::from(variable.end.saturating_sub(variable.start)));
            end = variable.end;
        }
    }
    out
}

/// Writes batches that follow each other as one.
pub(crate) fn join(out: &mut Vec<u8>, head: Head, batches: &[Arc<[u8]>]) {
    put_head(out, SEVERAL, head);
    batches.iter().for_each(|bytes| out.extend_from_slice(bytes));
}

fn put_head(out: &mut Vec<u8>, kind: u8, head: Head) {
    out.push(kind);
    out.extend_from_slice(&head.journal.0.to_le_bytes());
    for position in [head.start, head.end] {
        out.extend_from_slice(&position.segment.to_le_bytes());
        out.extend_from_slice(&position.record.to_le_bytes());
    }
}

fn put_verdict(out: &mut Vec<u8>, verdict: &Verdict) {
    let mut flags = verdict.state as u8;
    flags |= if verdict.is_anomaly { ANOMALY } else { 0 };
    flags |= if verdict.reasons.is_empty() { 0 } else { REASONS };
    out.push(flags);
    varint::put(out, (Verdict::quantize(verdict.score) * 1000.0).round() as u64);
    if !verdict.reasons.is_empty() {
        varint::put(out, verdict.reasons.len() as u64);
        verdict.reasons.iter().for_each(|reason| put_text(out, reason));
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    varint::put(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Which events it is of; None when it is not what [`encode`] or [`join`] wrote.
pub(crate) fn head(bytes: &[u8]) -> Option<Head> {
    Input(bytes).head().map(|(_, head)| head)
}

/// What was said; None when it is not what [`encode`] or [`join`] wrote.
pub(crate) fn decode(bytes: &[u8]) -> Option<Rows> {
    let (mut input, mut rows) = (Input(bytes), Rows::default());
    let (kind, head) = input.head()?;
    if kind == BATCH {
        input.batch(head.start, &mut rows)?;
        return input.0.is_empty().then_some(rows);
    }
    while !input.0.is_empty() {
        let (BATCH, head) = input.head()? else { return None };
        input.batch(head.start, &mut rows)?;
    }
    Some(rows)
}

/// Takes numbers from the front; None past the end.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(front)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn varint(&mut self) -> Option<u64> {
        varint::take(&mut self.0)
    }

    fn u32(&mut self) -> Option<u32> {
        self.varint()?.try_into().ok()
    }

    /// A number of things of so many bytes at least, so that a wrong one cannot ask for much memory.
    fn count(&mut self, bytes_min: usize) -> Option<usize> {
        let count = usize::try_from(self.varint()?).ok()?;
        (count.checked_mul(bytes_min)? <= self.0.len()).then_some(count)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.count(1)?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    fn place(&mut self) -> Option<Position> {
        let segment = u32::from_le_bytes(self.array()?);
        Some(Position { segment, record: u32::from_le_bytes(self.array()?) })
    }

    /// The kind, which is known, and the head.
    fn head(&mut self) -> Option<(u8, Head)> {
        let kind = self.byte().filter(|kind| [BATCH, SEVERAL].contains(kind))?;
        let journal = JournalId(u128::from_le_bytes(self.array()?));
        let head = Head { journal, start: self.place()?, end: self.place()? };
        (head.start <= head.end).then_some((kind, head))
    }

    /// What was said of a batch whose head was taken.
    fn batch(&mut self, start: Position, rows: &mut Rows) -> Option<()> {
        let (mut at, mut templates) = (start, Vec::new());
        for _ in 0..self.count(1)? {
            templates.push(Arc::new(Template::new(self.text()?)));
        }
        let count = self.count(13)?;
        rows.rows.reserve(count);
        for _ in 0..count {
            let (segments, record) = (self.u32()?, self.u32()?);
            at = match segments {
                0 => Position { record: at.record.checked_add(record)?, ..at },
                _ => Position { segment: at.segment.checked_add(segments)?, record },
            };
            let shape = u64::from_le_bytes(self.array()?);
            let template = match usize::try_from(self.varint()?).ok()?.checked_sub(1) {
                None => None,
                Some(number) => Some(templates.get(number)?.clone()),
            };
            let verdict = self.verdict()?;
            let from = rows.variables.len() as u32;
            self.variables(&mut rows.variables)?;
            let variables = from..rows.variables.len() as u32;
            rows.rows.push(Row { position: at, shape, template, verdict, variables });
        }
        Some(())
    }

    fn verdict(&mut self) -> Option<Verdict> {
        let flags = self.byte()?;
        let state = VerdictState::from_u8(flags & 3)?;
        let score = Verdict::quantize(self.u32()? as f32 / 1000.0);
        let mut reasons = Vec::new();
        if flags & REASONS != 0 {
            for _ in 0..self.count(1)? {
                reasons.push(self.text()?.to_owned());
            }
        }
        Some(Verdict { score, is_anomaly: flags & ANOMALY != 0, state, reasons })
    }

    fn variables(&mut self, out: &mut Vec<Variable>) -> Option<()> {
        let mut end = 0u32;
        for _ in 0..self.count(3)? {
            let kind = VariableKind::from_u8(self.byte()?)?;
            let start = end.checked_add(self.u32()?)?;
            end = start.checked_add(self.u32()?)?;
            out.push(Variable { kind, start, end });
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use event::{Analyzed, Event, EventId, Timestamp};
    use proptest::prelude::*;

    use super::*;

    fn verdict() -> impl Strategy<Value = Verdict> {
        (0u16..=1000, any::<bool>(), 0u8..3, prop::collection::vec(".{0,12}", 0..3)).prop_map(
            |(score, is_anomaly, state, reasons)| Verdict {
                score: Verdict::quantize(f32::from(score) / 1000.0),
                is_anomaly,
                state: VerdictState::from_u8(state).unwrap(),
                reasons,
            },
        )
    }

    type Given = (bool, u32, u64, Option<u8>, Verdict, Vec<(u8, u32, u32)>);

    fn event() -> impl Strategy<Value = Given> {
        let variables = prop::collection::vec((0u8..9, 0u32..300, 0u32..300), 0..4);
        (any::<bool>(), 0u32..400, any::<u64>(), prop::option::of(0u8..3), verdict(), variables)
    }

    fn batch(start: Position, given: &[Given]) -> Batch<'static> {
        let mut batch = Batch::default();
        let mut at = start;
        for (new_segment, record, shape, template, verdict, variables) in given {
            at = match new_segment {
                true => Position { segment: at.segment + 1, record: *record },
                false => Position { record: at.record + record, ..at },
            };
            let (from, mut end) = (batch.variables.len() as u32, 0);
            for (kind, gap, length) in variables {
                let start = end + gap;
                end = start + length;
                batch.variables.push(Variable { kind: VariableKind::from_u8(*kind).unwrap(), start, end });
            }
            batch.events.push(Analyzed {
                id: EventId { journal: JournalId(9), position: at },
                event: Event::new("", Timestamp::MIN),
                shape: *shape,
                variables: from..batch.variables.len() as u32,
                template: template.map(|number| Arc::new(Template::new(format!("template {number}")))),
                verdict: verdict.clone(),
            });
        }
        batch.end = at.next();
        batch
    }

    proptest! {
        #[test]
        fn what_was_said_comes_back(segment in 0u32..9, record in 0u32..9, given in prop::collection::vec(event(), 0..20)) {
            let start = Position { segment, record };
            let batch = batch(start, &given);
            let bytes = encode(JournalId(7), start, &batch);
            prop_assert_eq!(head(&bytes), Some(Head { journal: JournalId(7), start, end: batch.end }));
            let rows = decode(&bytes).unwrap();
            prop_assert_eq!(&rows.variables, &batch.variables);
            let expected: Vec<Row> = batch.events.iter().map(|event| Row {
                position: event.id.position,
                shape: event.shape,
                template: event.template.clone(),
                verdict: event.verdict.clone(),
                variables: event.variables.clone(),
            }).collect();
            prop_assert_eq!(rows.rows, expected);
        }

        #[test]
        fn several_batches_come_back_as_one(several in prop::collection::vec(prop::collection::vec(event(), 0..9), 0..5)) {
            let (start, mut at, mut encoded, mut expected) = (Position::default(), Position::default(), vec![], vec![]);
            for given in &several {
                let batch = batch(at, given);
                let bytes = encode(JournalId(7), at, &batch);
                expected.extend(decode(&bytes).unwrap().rows.into_iter().map(|row| (row.position, row.shape, row.verdict)));
                encoded.push(Arc::from(bytes));
                at = batch.end;
            }
            let (mut bytes, expected_head) = (vec![], Head { journal: JournalId(7), start, end: at });
            join(&mut bytes, expected_head, &encoded);
            prop_assert_eq!(head(&bytes), Some(expected_head));
            let rows = decode(&bytes).unwrap();
            let variables: Vec<_> = rows.rows.iter().flat_map(|row| row.variables.clone()).collect();
            prop_assert!(variables.iter().copied().eq(0..rows.variables.len() as u32));
            let rows: Vec<_> = rows.rows.into_iter().map(|row| (row.position, row.shape, row.verdict)).collect();
            prop_assert_eq!(rows, expected);
            prop_assert_eq!(decode(&[&bytes[..], &bytes[..]].concat()), None, "they are not nested");
        }

        #[test]
        fn other_bytes_are_refused_or_read_without_panic(
            given in prop::collection::vec(event(), 0..6), cut in any::<prop::sample::Index>(), flip: u8
        ) {
            let mut bytes = encode(JournalId(7), Position::default(), &batch(Position::default(), &given));
            let at = cut.index(bytes.len());
            prop_assert_eq!(decode(&bytes[..at]), None);
            bytes[at] ^= flip;
            decode(&bytes);
        }
    }
}
