//! What is remembered of a template at a source, of a source, and of a variable's place.

use arithmetic::{hash, log2, log10, mix};
use disk::sealed::{Reader, SealedError, Writer};
use event::{Event, Variable, VariableKind};

use super::{
    estimate::{Clock, Moment, Quiet, Rate, Share},
    layout::LAYOUT_2,
};

/// Variable places followed in a template; those after are not looked at.
pub(super) const PLACES_MAX: usize = 12;
/// Values remembered at a place.
const VALUES_MAX: usize = 48;
/// Surprise of each doubling past the range.
const DOUBLING: f32 = 0.4;
/// A number widens the range by at most so many times the end it lies beyond.
const WIDEN: f32 = 1.0;
/// Numbers at a place that are half as telling as many.
const NUMBERS_FEW: f32 = 8.0;
/// Numbers from which a place has a range.
const RANGE_KNOWN: u32 = 16;
/// Beginnings of messages remembered of a source.
const HEADS_MAX: usize = 256;
/// Hosts remembered of a source.
const HOSTS_MAX: usize = 256;

/// A bounded set of hashed values: the newest replaces the one that came longest ago.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Known {
    values: Vec<u32>,
    next: u16,
}

impl Known {
    pub(super) fn has(&self, value: u32) -> bool {
        self.values.contains(&value)
    }

    fn add(&mut self, value: u32, max: usize) {
        if self.values.len() < max {
            self.values.push(value);
        } else if let Some(old) = self.values.get_mut(self.next as usize % max) {
            *old = value;
            self.next = self.next.wrapping_add(1) % max as u16;
        }
    }

    fn write(&self, out: &mut Writer) {
        out.u16(self.next);
        out.u32(self.values.len() as u32);
        self.values.iter().for_each(|value| out.u32(*value));
    }

    fn read(input: &mut Reader<'_>, max: usize) -> Result<Self, SealedError> {
        let next = input.u16()?;
        let count = input.count(4, max)?;
        let values = (0..count).map(|_| input.u32()).collect::<Result<_, _>>()?;
        Ok(Self { values, next })
    }
}

/// What stood at a variable's place.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Place {
    /// Values seen, up to a bound, and those of them that were numbers.
    pub(super) count: u32,
    pub(super) numbers: u32,
    /// New among the known values, or outside the range of numbers.
    pub(super) odd: Share,
    pub(super) low: f32,
    pub(super) high: f32,
    pub(super) known: Known,
}

/// A variable's value as far as the history cares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Content {
    Number(f32),
    Category(u32),
    /// An address or a host, which stands for who it is about.
    Address(u32),
    /// Of a kind whose values never repeat, or too large to be a number.
    Nothing,
}

/// The contents of a message's first variables; the rest is [`Content::Nothing`].
pub(crate) type Contents = [Content; PLACES_MAX];

impl Content {
    pub(super) fn all(variables: &[Variable], message: &str) -> Contents {
        let mut contents = [Self::Nothing; PLACES_MAX];
        for (content, variable) in contents.iter_mut().zip(variables) {
            *content = Self::of(variable, message);
        }
        contents
    }

    fn of(variable: &Variable, message: &str) -> Self {
        let text = variable.of(message);
        match variable.kind {
            VariableKind::Integer => number(text).map_or(Self::Nothing, Self::Number),
            VariableKind::Number => match text.parse::<f32>() {
                Ok(number) if number.is_finite() => Self::Number(number),
                _ => Self::Nothing,
            },
            VariableKind::Ip | VariableKind::Host => Self::Address(category(text)),
            VariableKind::Text | VariableKind::Path => Self::Category(category(text)),
            VariableKind::Hex | VariableKind::Uuid | VariableKind::Time => Self::Nothing,
        }
    }
}

fn category(text: &str) -> u32 {
    (hash(text.as_bytes().get(..256).unwrap_or(text.as_bytes())) >> 32) as u32
}

/// How what an event tells of has ended: ECS `event.outcome`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Success,
    Failure,
}

impl Outcome {
    pub(super) fn of(event: &Event<'_>) -> Option<Self> {
        match event.field("event.outcome")?.as_str()? {
            "success" => Some(Self::Success),
            "failure" => Some(Self::Failure),
            _ => None,
        }
    }
}

/// What an address did lately.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Caller {
    /// When its present stay began, and its latest event, nanoseconds.
    first: i64,
    latest: i64,
    /// Events of this stay.
    count: u32,
    /// What it tried and did not get within the hour before its latest failure, and when that was.
    failures: u32,
    failed: i64,
}

impl Caller {
    /// What is busy is so within an hour; who was away for a day comes anew.
    const APART: i64 = 3_600_000_000_000;
    /// Events from which a stay is a busy one.
    const BUSY: u32 = 6;

    /// Whether it came within the last hour and was busy since.
    pub(super) fn is_busy(&self, nanos: i64) -> bool {
        self.count >= Self::BUSY
            && nanos.saturating_sub(self.latest) < Self::APART
            && nanos.saturating_sub(self.first) < Self::APART
    }

    /// Whether its next event begins a stay.
    pub(super) fn is_new(&self, nanos: i64) -> bool {
        self.count == 0 || nanos.saturating_sub(self.latest) > 24 * Self::APART
    }

    /// Failures shortly before.
    pub(super) fn failures(&self, nanos: i64) -> u32 {
        if nanos.saturating_sub(self.failed) < Self::APART { self.failures } else { 0 }
    }

    pub(super) fn learn(&mut self, nanos: i64, outcome: Option<Outcome>) {
        if self.is_new(nanos) {
            *self = Self { first: nanos, latest: nanos, ..Self::default() };
        }
        self.latest = self.latest.max(nanos);
        self.count = self.count.saturating_add(1);
        match outcome {
            Some(Outcome::Failure) => {
                self.failures = self.failures(nanos).saturating_add(1);
                self.failed = self.failed.max(nanos);
            }
            // What follows is another matter.
            Some(Outcome::Success) => self.failures = 0,
            None => {}
        }
    }

    pub(super) fn write(&self, out: &mut Writer) {
        out.u64(self.first as u64);
        out.u64(self.latest as u64);
        out.u32(self.count);
        out.u32(self.failures);
        out.u64(self.failed as u64);
    }

    pub(super) fn read(input: &mut Reader<'_>, layout: u32) -> Result<Self, SealedError> {
        let (first, latest, count) = (input.u64()? as i64, input.u64()? as i64, input.u32()?);
        let (failures, failed) = if layout > LAYOUT_2 { (input.u32()?, input.u64()? as i64) } else { (0, 0) };
        Ok(Self { first, latest, count, failures, failed })
    }
}

/// Hash of the first words of a message: letters alone, at least two.
fn head(message: &str) -> u32 {
    const WORDS: usize = 4;
    const BYTES: usize = 160;
    let bytes = message.as_bytes().get(..BYTES).unwrap_or(message.as_bytes());
    let words = bytes.split(|byte| !byte.is_ascii_alphabetic()).filter(|word| word.len() > 1);
    (words.take(WORDS).fold(0, |sum: u64, word| mix(sum ^ hash(word))) >> 32) as u32
}

/// Decimal digits, up to 18 of them: longer ones are identifiers.
fn number(text: &str) -> Option<f32> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    let value = text
        .bytes()
        .try_fold(0u64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0')))?;
    Some(value as f32)
}

impl Place {
    /// By how many doublings a number lies outside the range seen; 0 within. Below a positive range there is
    /// less room, and less to fear: each counts as a quarter.
    pub(super) fn outside(&self, number: f32) -> f32 {
        let size = |number: f32| number.abs() + 1.0;
        if number > self.high {
            if self.high >= 0.0 { log2(size(number) / size(self.high)) } else { 1.0 }
        } else if number < self.low {
            if self.low > 0.0 {
                0.25 * log2(size(self.low) / size(number))
            } else {
                log2(size(number) / size(self.low)).max(0.0)
            }
        } else {
            0.0
        }
    }

    /// Surprise of this content, up to 6 for a category and 9 for a number.
    pub(super) fn assess(&self, content: Content) -> f32 {
        match content {
            // Where others stand too, it is an id of digits alone.
            Content::Number(_) if self.numbers < 4 || 2 * u64::from(self.numbers) < self.count.into() => 0.0,
            Content::Number(number) => {
                let outside = self.outside(number);
                if outside < 0.5 {
                    return 0.0;
                }
                let often = self.odd.surprise() * (outside / 3.0).min(3.0);
                // A tail that halves with each doubling: so rarely is the largest of so many exceeded.
                let count = self.numbers as f32;
                let far = (self.odd.surprise() + DOUBLING * outside) * count / (count + NUMBERS_FEW);
                often.max(far).min(9.0)
            }
            Content::Category(value) | Content::Address(value)
                if self.count > 0 && !self.known.has(value) =>
            {
                self.odd.surprise().min(6.0)
            }
            _ => 0.0,
        }
    }

    pub(super) fn learn(&mut self, content: Content) {
        match content {
            Content::Number(number) => {
                if self.numbers == 0 {
                    (self.low, self.high) = (number, number);
                } else {
                    let odd = self.outside(number) >= 0.5;
                    self.odd.learn(odd);
                    // One number far off must not make all like it ordinary, once a range is known.
                    let (low, high) = if self.numbers < RANGE_KNOWN {
                        (f32::MIN, f32::MAX)
                    } else {
                        (
                            self.low - WIDEN * (self.low.abs() + 1.0),
                            self.high + WIDEN * (self.high.abs() + 1.0),
                        )
                    };
                    self.low = self.low.min(number).max(low);
                    self.high = self.high.max(number).min(high);
                }
                self.numbers = self.numbers.saturating_add(1);
            }
            Content::Category(value) | Content::Address(value) => {
                let new = !self.known.has(value);
                if self.count > 0 {
                    self.odd.learn(new);
                }
                if new {
                    self.known.add(value, VALUES_MAX);
                }
            }
            Content::Nothing => {}
        }
        self.count = self.count.saturating_add(1);
    }

    fn write(&self, out: &mut Writer) {
        out.u32(self.count);
        out.u32(self.numbers);
        self.odd.write(out);
        out.f32(self.low);
        out.f32(self.high);
        self.known.write(out);
    }

    fn read(input: &mut Reader<'_>, layout: u32) -> Result<Self, SealedError> {
        let count = input.u32()?;
        Ok(Self {
            count,
            numbers: if layout > LAYOUT_2 { input.u32()? } else { count },
            odd: Share::read(input)?,
            low: input.f32()?,
            high: input.f32()?,
            known: Known::read(input, VALUES_MAX)?,
        })
    }
}

/// A template at a source.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Group {
    pub(super) count: u32,
    /// Nanoseconds of the latest event.
    pub(super) latest: i64,
    /// Logarithm to base 2 of the seconds between events.
    pub(super) gap: Moment,
    /// Logarithm to base 2 of the message length.
    pub(super) length: Moment,
    pub(super) rate: Rate,
    /// By the quarter of an hour.
    pub(super) slow: Rate,
    /// Logarithm to base 2 of one and the failures that an address had shortly before it succeeded.
    pub(super) failures: Moment,
    pub(super) levels: [u16; 6],
    pub(super) places: Vec<Place>,
}

impl Group {
    /// The level it usually has.
    pub(super) fn usual_level(&self) -> usize {
        (0..6).rev().max_by_key(|level| self.levels[*level]).unwrap_or_default()
    }

    /// Surprise of a level that is not the usual one.
    pub(super) fn assess_level(&self, level: usize) -> f32 {
        if level == self.usual_level() {
            return 0.0;
        }
        let all: u32 = self.levels.iter().map(|count| u32::from(*count)).sum();
        -log10((f32::from(self.levels[level]) + 0.5) / (all as f32 + 1.0))
    }

    pub(super) fn learn_level(&mut self, level: usize) {
        if self.levels[level] >= 4096 {
            self.levels.iter_mut().for_each(|count| *count /= 2);
        }
        self.levels[level] += 1;
    }

    pub(super) fn write(&self, out: &mut Writer) {
        out.u32(self.count);
        out.u64(self.latest as u64);
        self.gap.write(out);
        self.length.write(out);
        self.rate.write(out);
        self.slow.write(out);
        self.failures.write(out);
        self.levels.iter().for_each(|count| out.u16(*count));
        out.u8(self.places.len() as u8);
        self.places.iter().for_each(|place| place.write(out));
    }

    pub(super) fn read(input: &mut Reader<'_>, layout: u32) -> Result<Self, SealedError> {
        let mut group = Self {
            count: input.u32()?,
            latest: input.u64()? as i64,
            gap: Moment::read(input)?,
            length: Moment::read(input)?,
            rate: Rate::read(input)?,
            slow: Rate::read(input)?,
            failures: if layout > LAYOUT_2 { Moment::read(input)? } else { Moment::default() },
            ..Self::default()
        };
        for level in 0..6 {
            group.levels[level] = input.u16()?.min(4096);
        }
        let places = usize::from(input.u8()?);
        if places > PLACES_MAX {
            return Err(input.damaged());
        }
        group.places = (0..places).map(|_| Place::read(input, layout)).collect::<Result<_, _>>()?;
        Ok(group)
    }
}

/// A source of events.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Source {
    pub(super) count: u32,
    pub(super) latest: i64,
    pub(super) gap: Moment,
    pub(super) rate: Rate,
    /// By the quarter of an hour.
    pub(super) slow: Rate,
    /// Events of level error or above by the quarter of an hour.
    pub(super) severe: Rate,
    /// Addresses that came anew by the quarter of an hour.
    pub(super) newcomers: Rate,
    pub(super) quiet: Quiet,
    pub(super) clock: Clock,
    /// As a template's.
    pub(super) failures: Moment,
    /// How often an event is the first of its template.
    pub(super) new_templates: Share,
    pub(super) new_hosts: Share,
    pub(super) hosts: Known,
    /// Beginnings of messages whose template was new.
    heads: Known,
    pub(super) levels: [f32; 6],
}

impl Source {
    /// Surprise of a level at least this severe.
    pub(super) fn assess_level(&self, level: usize) -> f32 {
        let all: f32 = self.levels.iter().sum();
        let severe: f32 = self.levels[level..].iter().sum();
        -log10(((severe + 0.5) / (all + 1.0)).min(1.0))
    }

    pub(super) fn learn_level(&mut self, level: usize) {
        if self.levels[level] >= 65_536.0 {
            self.levels.iter_mut().for_each(|count| *count *= 0.5);
        }
        self.levels[level] += 1.0;
    }

    /// Whether a message of a new template begins as one did that was learned.
    pub(super) fn knows_head(&self, message: &str) -> bool {
        self.heads.has(head(message))
    }

    pub(super) fn learn_head(&mut self, message: &str) {
        let head = head(message);
        if !self.heads.has(head) {
            self.heads.add(head, HEADS_MAX);
        }
    }

    pub(super) fn learn_host(&mut self, host: u32) {
        let new = !self.hosts.has(host);
        self.new_hosts.learn(new);
        if new {
            self.hosts.add(host, HOSTS_MAX);
        }
    }

    pub(super) fn write(&self, out: &mut Writer) {
        out.u32(self.count);
        out.u64(self.latest as u64);
        self.gap.write(out);
        self.rate.write(out);
        self.slow.write(out);
        self.severe.write(out);
        self.newcomers.write(out);
        self.quiet.write(out);
        self.clock.write(out);
        self.failures.write(out);
        self.new_templates.write(out);
        self.new_hosts.write(out);
        self.hosts.write(out);
        self.heads.write(out);
        self.levels.iter().for_each(|count| out.f32(*count));
    }

    pub(super) fn read(input: &mut Reader<'_>, layout: u32) -> Result<Self, SealedError> {
        let mut source = Self {
            count: input.u32()?,
            latest: input.u64()? as i64,
            gap: Moment::read(input)?,
            rate: Rate::read(input)?,
            slow: Rate::read(input)?,
            severe: Rate::read(input)?,
            newcomers: if layout > LAYOUT_2 { Rate::read(input)? } else { Rate::default() },
            quiet: Quiet::read(input)?,
            clock: Clock::read(input)?,
            failures: if layout > LAYOUT_2 { Moment::read(input)? } else { Moment::default() },
            new_templates: Share::read(input)?,
            new_hosts: Share::read(input)?,
            hosts: Known::read(input, HOSTS_MAX)?,
            heads: Known::read(input, HEADS_MAX)?,
            levels: [0.0; 6],
        };
        for level in 0..6 {
            source.levels[level] = input.f32()?.max(0.0);
        }
        Ok(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_digits_alone_is_no_number() {
        let mut place = Place::default();
        let digits = Content::Number(476_755_329_024.0);
        (0..2_000).for_each(|at| place.learn(if at % 300 == 0 { digits } else { Content::Nothing }));
        assert_eq!(place.assess(Content::Number(9e11)), 0.0);
        let mut numbers = Place::default();
        (0..100).for_each(|at| numbers.learn(Content::Number(at as f32)));
        assert!(numbers.assess(Content::Number(9e11)) > 3.0);
        assert_eq!(numbers.assess(Content::Number(50.0)), 0.0);
    }
}
