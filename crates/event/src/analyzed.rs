//! What the analysis of an event adds to it: its template, its variables and its verdict.

use std::{fmt, str::FromStr, sync::Arc};

use crate::{Event, EventId, Position};

/// The identity of a template, derived from its text: the same text has the same id everywhere.
/// As text: 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateId(pub u64);

impl TemplateId {
    /// The id of a template text: the first 8 bytes of its BLAKE3 hash, big-endian.
    pub fn of(text: &str) -> Self {
        let hash = blake3::hash(text.as_bytes());
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash.as_bytes()[..8]);
        Self(u64::from_be_bytes(bytes))
    }
}

impl fmt::Display for TemplateId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

/// A text that is no template id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no template id: 16 hexadecimal digits were expected")]
pub struct InvalidTemplateId(String);

impl FromStr for TemplateId {
    type Err = InvalidTemplateId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidTemplateId(text.to_owned());
        // `from_str_radix` alone takes a sign and any length.
        if text.len() != 16 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| invalid())
    }
}

/// A group of messages that one statement of a program writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Derived from `text`.
    pub id: TemplateId,
    /// Readable: what varies stands as `<kind>`, for example `Failed password for <user> from <ip>`.
    pub text: String,
}

impl Template {
    /// The template with this text.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { id: TemplateId::of(&text), text }
    }
}

/// What kind of thing stands at a variable place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum VariableKind {
    /// Decimal digits only; leading zeros count.
    Integer = 0,
    /// Digits with a fraction, a sign or an exponent.
    Number = 1,
    /// Hexadecimal digits, with or without `0x`.
    Hex = 2,
    /// 8-4-4-4-12 hexadecimal digits.
    Uuid = 3,
    /// An IPv4 or IPv6 address, without a port.
    Ip = 4,
    /// A date, a time of day or both.
    Time = 5,
    /// A path or URL.
    Path = 6,
    /// A host or domain name.
    Host = 7,
    /// Any other text.
    Text = 8,
}

impl VariableKind {
    /// The kind with this number, as `as u8` gives it.
    pub const fn from_u8(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Integer,
            1 => Self::Number,
            2 => Self::Hex,
            3 => Self::Uuid,
            4 => Self::Ip,
            5 => Self::Time,
            6 => Self::Path,
            7 => Self::Host,
            8 => Self::Text,
            _ => return None,
        })
    }

    /// The name that stands between `<` and `>` in template texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Integer => "int",
            Self::Number => "num",
            Self::Hex => "hex",
            Self::Uuid => "uuid",
            Self::Ip => "ip",
            Self::Time => "time",
            Self::Path => "path",
            Self::Host => "host",
            Self::Text => "*",
        }
    }
}

/// A place in a message that varies: a byte range on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// What stands there.
    pub kind: VariableKind,
    /// First byte in the message.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Variable {
    /// The text at this place of its message.
    pub fn of<'m>(&self, message: &'m str) -> &'m str {
        message.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// How a verdict came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum VerdictState {
    /// By a trained model.
    Scored = 0,
    /// By novelty alone, while a first model is still learning.
    WarmingUp = 1,
    /// Not at all: the anomaly service was away.
    Unscored = 2,
}

impl VerdictState {
    /// The state with this number, as `as u8` gives it.
    pub const fn from_u8(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Scored),
            1 => Some(Self::WarmingUp),
            2 => Some(Self::Unscored),
            _ => None,
        }
    }

    /// The spelling of `sentinel.anomaly.state`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scored => "scored",
            Self::WarmingUp => "warming-up",
            Self::Unscored => "unscored",
        }
    }
}

/// What the anomaly service says of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// 0 (ordinary) to 1 (strangest), in steps of 1/1000; see [`Verdict::quantize`].
    pub score: f32,
    /// Whether the score is past the model's threshold.
    pub is_anomaly: bool,
    /// How it came about.
    pub state: VerdictState,
    /// What drove the score, in words; empty for most events that are no anomaly.
    pub reasons: Vec<String>,
}

impl Verdict {
    /// The verdict of no service at all.
    pub const fn unscored() -> Self {
        Self { score: 0.0, is_anomaly: false, state: VerdictState::Unscored, reasons: Vec::new() }
    }

    /// The nearest step of 1/1000 within [0, 1]; NaN becomes 1, so that nothing strange hides behind it.
    pub fn quantize(score: f32) -> f32 {
        if score.is_nan() { 1.0 } else { (score.clamp(0.0, 1.0) * 1000.0).round() / 1000.0 }
    }
}

/// An event with everything the analysis found.
#[derive(Debug, Clone)]
pub struct Analyzed<'a> {
    /// Its identity.
    pub id: EventId,
    /// The event.
    pub event: Event<'a>,
    /// Hash of the literal text around the variables and of their kinds: equal messages up to their
    /// variables have equal shapes. A template gathers one or more shapes. Collisions are possible,
    /// so whoever keys on it compares the literal text too.
    pub shape: u64,
    /// The variables of the message, as a range of [`Batch::variables`].
    pub variables: std::ops::Range<u32>,
    /// The template; None only for events not yet analysed.
    pub template: Option<Arc<Template>>,
    /// The verdict.
    pub verdict: Verdict,
}

/// Analysed events in journal order, and where the journal stands behind them.
#[derive(Debug, Clone, Default)]
pub struct Batch<'a> {
    /// The events.
    pub events: Vec<Analyzed<'a>>,
    /// The variables of all their messages, in rising order for each message, never overlapping.
    pub variables: Vec<Variable>,
    /// The journal position behind the last event: where reading goes on.
    pub end: Position,
}

impl<'a> Analyzed<'a> {
    /// An event of which nothing was said: no template, no variables, unscored.
    pub const fn unanalyzed(id: EventId, event: Event<'a>) -> Self {
        Self { id, event, shape: 0, variables: 0..0, template: None, verdict: Verdict::unscored() }
    }

    /// The same with its text owned.
    pub fn into_owned(self) -> Analyzed<'static> {
        Analyzed {
            id: self.id,
            event: self.event.into_owned(),
            shape: self.shape,
            variables: self.variables,
            template: self.template,
            verdict: self.verdict,
        }
    }
}

impl Batch<'_> {
    /// The variables of one of this batch's events.
    pub fn variables_of(&self, analyzed: &Analyzed<'_>) -> &[Variable] {
        self.variables
            .get(analyzed.variables.start as usize..analyzed.variables.end as usize)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sixteen_digits_are_a_template_id() {
        let id = TemplateId::of("Failed password for <user>");
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in ["", "1f", "+1f", "+000000000000001", "000000000000001g", "00000000000000001", "éééééééé"]
        {
            assert_eq!(text.parse::<TemplateId>(), Err(InvalidTemplateId(text.to_owned())));
        }
    }
}
