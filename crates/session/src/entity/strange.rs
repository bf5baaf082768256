//! The sessions found strange lately.

use std::collections::VecDeque;

use disk::sealed::{Reader, SealedError, Writer};
use event::{EventId, JournalId, Position, Timestamp};

use super::{
    models::LABEL_MAX,
    open::{Open, TEXT_MAX, cut},
};

/// Strange sessions remembered.
pub const STRANGE_MAX: usize = 256;
const WORDS_MAX: usize = 1_024;
const LINES_MAX: usize = 64;

/// What became of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum SessionEnd {
    /// It goes on: what is strange about it, no later event can take back.
    Open = 0,
    /// The event came that ends such sessions.
    Closed = 1,
    /// It was silent for longer than such sessions are.
    Silent = 2,
    /// It had to make room for others.
    Evicted = 3,
}

impl SessionEnd {
    /// In lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Silent => "silent",
            Self::Evicted => "evicted",
        }
    }

    const fn from_u8(number: u8) -> Self {
        match number {
            1 => Self::Closed,
            2 => Self::Silent,
            3 => Self::Evicted,
            _ => Self::Open,
        }
    }
}

/// A session that was found strange.
#[derive(Debug, Clone, PartialEq)]
pub struct StrangeSession {
    /// What its events have in common, such as a block or a request id, at most 64 bytes of it.
    pub key: String,
    /// What kind of key that is.
    pub kind: String,
    /// Its first event.
    pub first: EventId,
    /// Its last event.
    pub last: EventId,
    /// Time of its earliest event.
    pub from: Timestamp,
    /// Time of its latest event.
    pub to: Timestamp,
    /// How many events it has.
    pub events: u64,
    /// 0 (ordinary) to 1: a sixth of the decimal logarithm of `1 / p_value`.
    pub score: f32,
    /// Estimated share of ordinary sessions that are at least as strange.
    pub p_value: f64,
    /// What became of it.
    pub end: SessionEnd,
    /// What speaks against it, in words with numbers, strongest first.
    pub reasons: Vec<String>,
    /// The nearest normal session.
    pub nearest: Vec<TemplateCount>,
}

/// How often the events of a template occur in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateCount {
    /// The template's text.
    pub template: String,
    /// How often.
    pub count: u32,
}

/// The latest of them, by when they were found.
#[derive(Debug, Clone, Default)]
pub(super) struct Strange {
    found: VecDeque<StrangeSession>,
}

/// What is said of a session.
pub(super) struct Finding {
    pub(super) kind: String,
    pub(super) score: f32,
    pub(super) p_value: f64,
    pub(super) reasons: Vec<String>,
    pub(super) nearest: Vec<TemplateCount>,
}

impl Strange {
    /// The latest first.
    pub(super) fn all(&self) -> Vec<StrangeSession> {
        self.found.iter().rev().cloned().collect()
    }

    /// Puts a session on the list, or says anew what is known of it. Tells whether it was not on it.
    pub(super) fn note(&mut self, open: &Open, end: SessionEnd, finding: Finding) -> bool {
        let Finding { kind, score, p_value, reasons, nearest } = finding;
        let time = |nanos: i64| Timestamp::saturating_from_nanos(nanos.into());
        let session = StrangeSession {
            key: open.text.clone(),
            kind,
            first: open.first,
            last: open.last,
            from: time(open.from),
            to: time(open.to),
            events: open.count,
            score,
            p_value,
            end,
            reasons,
            nearest,
        };
        let same = |other: &&mut StrangeSession| other.first == session.first && other.key == session.key;
        if let Some(known) = self.found.iter_mut().rev().find(same) {
            *known = session;
            return false;
        }
        if self.found.len() >= STRANGE_MAX {
            self.found.pop_front();
        }
        self.found.push_back(session);
        true
    }

    /// Says how a session that is on the list has ended.
    pub(super) fn end(&mut self, open: &Open, end: SessionEnd) {
        let same = |other: &&mut StrangeSession| other.first == open.first && other.key == open.text;
        if let Some(known) = self.found.iter_mut().rev().find(same) {
            (known.last, known.events, known.end) = (open.last, open.count, end);
            known.to = Timestamp::saturating_from_nanos(open.to.into());
        }
    }

    pub(super) fn write(&self, out: &mut Writer) {
        out.u32(self.found.len() as u32);
        for session in &self.found {
            out.bytes(session.key.as_bytes());
            out.bytes(session.kind.as_bytes());
            write_id(session.first, out);
            write_id(session.last, out);
            out.u64(session.from.as_nanos() as u64);
            out.u64(session.to.as_nanos() as u64);
            out.u64(session.events);
            out.f32(session.score);
            out.f64(session.p_value);
            out.u8(session.end as u8);
            out.u32(session.reasons.len() as u32);
            session.reasons.iter().for_each(|words| out.bytes(words.as_bytes()));
            out.u32(session.nearest.len() as u32);
            for TemplateCount { template, count } in &session.nearest {
                out.bytes(template.as_bytes());
                out.u32(*count);
            }
        }
    }

    pub(super) fn read(input: &mut Reader<'_>) -> Result<Self, SealedError> {
        let time = |nanos: u64| Timestamp::saturating_from_nanos((nanos as i64).into());
        let mut found = VecDeque::new();
        for _ in 0..input.count(100, STRANGE_MAX)? {
            let (key, kind) = (input.text(TEXT_MAX)?, input.text(LABEL_MAX)?);
            let (first, last) = (read_id(input)?, read_id(input)?);
            let (from, to) = (time(input.u64()?), time(input.u64()?));
            let (events, score, p_value) = (input.u64()?, input.f32()?, input.f64()?);
            let end = SessionEnd::from_u8(input.u8()?);
            let count = input.count(4, LINES_MAX)?;
            let reasons = (0..count).map(|_| input.text(WORDS_MAX)).collect::<Result<_, _>>()?;
            let count = input.count(8, LINES_MAX)?;
            let nearest = (0..count)
                .map(|_| Ok(TemplateCount { template: input.text(WORDS_MAX)?, count: input.u32()? }))
                .collect::<Result<_, SealedError>>()?;
            found.push_back(StrangeSession {
                key,
                kind,
                first,
                last,
                from,
                to,
                events,
                score,
                p_value,
                end,
                reasons,
                nearest,
            });
        }
        Ok(Self { found })
    }
}

impl Finding {
    /// Within the bounds of what is remembered.
    pub(super) fn bounded(mut self) -> Self {
        self.reasons.iter_mut().for_each(|words| *words = cut(words, WORDS_MAX).to_owned());
        self.nearest.truncate(LINES_MAX);
        self
    }
}

pub(super) fn write_id(id: EventId, out: &mut Writer) {
    out.raw(&id.journal.0.to_le_bytes());
    out.u32(id.position.segment);
    out.u32(id.position.record);
}

pub(super) fn read_id(input: &mut Reader<'_>) -> Result<EventId, SealedError> {
    let (low, high) = (input.u64()?, input.u64()?);
    let journal = JournalId(u128::from(high) << 64 | u128::from(low));
    Ok(EventId { journal, position: Position { segment: input.u32()?, record: input.u32()? } })
}
