//! What a program takes of processor and memory, against what it took on the same host before.
//!
//! A look every ten minutes; what was seen is kept in steps of an eighth of a power of two, the newest 512 looks. Strange is what lies
//! above everything that was seen by two fifths, and above the median by six standard deviations as [`median_and_deviation`] estimates
//! them and by four times at least, three looks in a row. What is told becomes part of what was seen, so that a new level is told once.

use arithmetic::median_and_deviation;
use event::Timestamp;
use finding::{Entity, EntityType, Finding, FindingKind, Level, Occurrence, fact};

use crate::known::is_installed;

/// Looks that are remembered.
const LOOKS_MAX: usize = 512;
/// Looks from which on a program is known: twelve hours of them.
const LOOKS_MIN: usize = 72;
/// Strange looks in a row that are told.
const IN_A_ROW: usize = 3;
/// Steps of one power of two.
const STEPS: f64 = 8.0;
/// Above the greatest of all before: 2^(4/8), two fifths more.
const ABOVE_MOST: f64 = 4.0;
/// Above the median: 2^(16/8), four times.
const ABOVE_MEDIAN: f64 = 16.0;

/// What is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Percent of one core.
    Processor,
    /// MiB.
    Memory,
}

impl Resource {
    /// Less is nothing to tell: half a core, 256 MiB.
    const fn least(self) -> f64 {
        match self {
            Self::Processor => 50.0,
            Self::Memory => 256.0,
        }
    }

    const fn rule(self) -> &'static str {
        match self {
            Self::Processor => "process_processor",
            Self::Memory => "process_memory",
        }
    }
}

/// What a program took of one thing, look by look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// The looks, the newest last, in steps.
    pub looks: Vec<u8>,
    /// Strange ones since the last that was not.
    pub strange: Vec<u8>,
}

/// More than ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excess {
    /// Now, in the unit of the resource.
    pub now: u64,
    /// The most of all looks before.
    pub most: u64,
    /// How many there were.
    pub looks: u64,
}

impl Past {
    /// Takes a look, and says whether that is to be told; `is_known` is whether the program was first seen long enough ago.
    pub fn look(&mut self, resource: Resource, value: f64, is_known: bool) -> Option<Excess> {
        let step = step(value);
        let is_strange = is_known && value >= resource.least() && self.is_far_above(step);
        if !is_strange {
            self.keep_strange();
            self.keep([step]);
            return None;
        }
        self.strange.push(step);
        if self.strange.len() < IN_A_ROW {
            return None;
        }
        let most = self.looks.iter().max().copied().unwrap_or_default();
        let excess = Excess {
            now: value.round() as u64,
            most: value_of(most).round() as u64,
            looks: self.looks.len() as u64,
        };
        self.keep_strange();
        Some(excess)
    }

    /// The program was not seen: what was strange before is not in a row with what comes.
    pub fn skip(&mut self) {
        self.keep_strange();
    }

    fn keep_strange(&mut self) {
        let strange = std::mem::take(&mut self.strange);
        self.keep(strange);
    }

    fn keep(&mut self, looks: impl IntoIterator<Item = u8>) {
        self.looks.extend(looks);
        let beyond = self.looks.len().saturating_sub(LOOKS_MAX);
        self.looks.drain(..beyond);
    }

    fn is_far_above(&self, step: u8) -> bool {
        if self.looks.len() < LOOKS_MIN {
            return false;
        }
        let mut looks: Vec<f64> = self.looks.iter().map(|look| f64::from(*look)).collect();
        let Some((middle, spread)) = median_and_deviation(&mut looks) else { return false };
        let most = self.looks.iter().max().map_or(0.0, |most| f64::from(*most));
        let step = f64::from(step);
        step >= most + ABOVE_MOST && step >= middle + ABOVE_MEDIAN.max(6.0 * spread)
    }
}

fn step(value: f64) -> u8 {
    (STEPS * (1.0 + value.max(0.0)).log2()).round().clamp(0.0, 255.0) as u8
}

fn value_of(step: u8) -> f64 {
    (f64::from(step) / STEPS).exp2() - 1.0
}

/// A process that takes more than its program ever did.
#[derive(Debug, Clone, Copy)]
pub struct Consumer<'c> {
    /// The host.
    pub host: &'c str,
    /// When.
    pub at: Timestamp,
    /// Its number.
    pub pid: u64,
    /// The file that it runs, else what it is called.
    pub program: &'c str,
    /// Its command line, with secrets masked.
    pub command: &'c str,
    /// As whom it runs.
    pub user: Option<&'c str>,
}

/// What is to be told of it.
#[must_use]
pub fn excessive(consumer: &Consumer<'_>, resource: Resource, excess: Excess) -> Finding {
    let run = Occurrence {
        first: consumer.at,
        last: consumer.at,
        count: 1,
        is_update: false,
        evidence: Vec::new(),
    };
    // What no package brought and computes as never before may compute for somebody else.
    let is_own = consumer.program.starts_with('/') && !is_installed(consumer.program);
    let level = if is_own { Level::Medium } else { Level::Low };
    let host = Entity::new(EntityType::Host, consumer.host);
    let user = consumer.user.map(|user| Entity::new(EntityType::User, user));
    Finding::of_run(FindingKind::ProcessResources, level, resource.rule(), host, run)
        .technique("T1496")
        .and(std::iter::once(Entity::new(EntityType::Process, consumer.program)).chain(user))
        .fact(fact::PROCESS_IDS, fact::list([consumer.pid.to_string().as_str()]))
        .fact(fact::COMMAND_LINES, fact::list([consumer.command]))
        .fact(fact::FILES, fact::list([consumer.program]))
        .fact(fact::TAKES, excess.now)
        .fact(fact::USUAL_AMOUNT, excess.most)
        .fact(fact::USUAL_LOOKS, excess.looks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(values: impl IntoIterator<Item = f64>) -> Past {
        let mut past = Past::default();
        for value in values {
            assert_eq!(past.look(Resource::Processor, value, true), None, "{value}");
        }
        past
    }

    #[test]
    fn what_was_never_taken_is_told_after_three_looks_and_once() {
        let mut past = past((0..100).map(|look| f64::from(5 + look % 7)));
        let mut look = |value| past.look(Resource::Processor, value, true);
        assert_eq!((look(95.0), look(97.0)), (None, None));
        let excess = look(96.0).unwrap();
        assert_eq!((excess.now, excess.looks), (96, 100));
        assert!((10..=12).contains(&excess.most), "{excess:?}");
        assert!((0..20).all(|_| look(96.0).is_none()), "it is usual now");
    }

    #[test]
    fn peaks_wide_spreads_little_use_and_short_pasts_are_silent() {
        // A nightly job of twenty minutes.
        let nights = (0..400).map(|look| if look % 144 < 2 { 98.0 } else { 3.0 });
        past(nights);
        // As much now and then.
        past((0..200).map(|look| if look % 9 == 0 { 60.0 } else { 2.0 }).chain([70.0; 5]));
        past((0..200).map(|_| 1.0).chain([40.0; 5]));
        past((0..60).map(|_| 1.0).chain([90.0; 5]));
        let mut young = past((0..200).map(|_| 1.0));
        assert!((0..5).all(|_| young.look(Resource::Processor, 90.0, false).is_none()));
    }

    #[test]
    fn a_pause_ends_a_row_and_what_is_remembered_is_bounded() {
        let mut past = past((0..2_000).map(|_| 4.0));
        assert_eq!(past.looks.len(), LOOKS_MAX);
        for _ in 0..2 {
            assert_eq!(past.look(Resource::Processor, 99.0, true), None);
        }
        past.skip();
        assert_eq!((past.strange.len(), past.look(Resource::Processor, 99.0, true)), (0, None));
        for step in 0..=255 {
            assert_eq!(super::step(value_of(step)), step);
        }
    }
}
