//! Rules whose signals nobody acts on, and what would hide just these.

use std::collections::HashMap;

use finding::{FindingKind, Level};
use serde::Serialize;
use signal::{Label, Matching, Signal, State};

/// So many signals at least make a rule, or what it finds about somebody, noise.
pub const NOISE_MIN: u64 = 3;
/// So many names that signals are about are remembered of a rule.
const NAMES_MAX: usize = 10_000;

/// What became of the signals of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Noise {
    /// The rule.
    pub rule: String,
    /// The kind of its signals.
    pub kind: FindingKind,
    /// How many there were, hidden ones as well.
    pub signals: u64,
    /// Those that somebody called expected.
    pub expected: u64,
    /// Those that are over without anybody having looked at them.
    pub unattended: u64,
    /// Those of all that are hidden already.
    pub hidden: u64,
    /// What could be suppressed; none where that would hide what somebody acted on, or what is grave.
    pub proposed: Option<Proposed>,
}

/// What could be suppressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposed {
    /// What would be hidden, as `POST /api/v1/suppressions` takes it.
    pub matching: Matching,
    /// How many signals of the time it would have hidden that are not hidden.
    pub hides: u64,
}

#[derive(Debug, Default, Clone)]
struct Sum {
    signals: u64,
    expected: u64,
    unattended: u64,
    hidden: u64,
    /// Whether one of them must not be hidden.
    is_needed: bool,
}

impl Sum {
    fn take(&mut self, signal: &Signal, is_seen: bool) {
        let is_expected = signal.standing.label == Some(Label::Expected);
        let is_unattended = !is_expected && !is_seen && signal.state == State::Resolved;
        self.signals += 1;
        self.expected += u64::from(is_expected);
        self.unattended += u64::from(is_unattended);
        self.hidden += u64::from(signal.standing.hidden);
        let is_grave = signal.severity >= Level::High && !is_expected;
        self.is_needed |= is_grave || !(is_expected || is_unattended);
    }

    fn noise(&self) -> u64 {
        self.expected + self.unattended
    }
}

/// What becomes of the signals of each rule.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    of: HashMap<(String, FindingKind), Rule>,
}

#[derive(Debug, Default)]
struct Rule {
    all: Sum,
    /// By each that they are about, as a suppression names it: `type:value`.
    about: HashMap<String, OfName>,
}

#[derive(Debug, Default)]
struct OfName {
    all: Sum,
    /// Whether one of them is mainly about it.
    is_main: bool,
}

impl Rules {
    pub(crate) fn take(&mut self, signal: &Signal, is_seen: bool) {
        let rule = self.of.entry((signal.rule.clone(), signal.kind)).or_default();
        rule.all.take(signal, is_seen);
        for (place, entity) in signal.entities.iter().enumerate() {
            let name = format!("{}:{}", entity.r#type.as_str(), entity.value);
            if rule.about.len() < NAMES_MAX || rule.about.contains_key(&name) {
                let about = rule.about.entry(name).or_default();
                about.all.take(signal, is_seen);
                about.is_main |= place == 0;
            }
        }
    }

    /// Those that are mostly noise, those with most of it first, at most so many.
    pub(crate) fn noisy(self, organization: Option<&str>, most: usize) -> Vec<Noise> {
        let mut noisy: Vec<Noise> = self
            .of
            .into_iter()
            .filter(|(_, rule)| rule.all.noise() >= NOISE_MIN && rule.all.noise() * 2 >= rule.all.signals)
            .map(|((name, kind), rule)| Noise {
                proposed: proposed((&name, kind), &rule, organization),
                rule: name,
                kind,
                signals: rule.all.signals,
                expected: rule.all.expected,
                unattended: rule.all.unattended,
                hidden: rule.all.hidden,
            })
            .collect();
        let noise = |of: &Noise| of.expected + of.unattended;
        noisy.sort_by(|a, b| (noise(b), &a.rule, a.kind.as_str()).cmp(&(noise(a), &b.rule, b.kind.as_str())));
        noisy.truncate(most);
        noisy
    }
}

/// The narrowest thing that hides most of the noise and nothing that somebody needed: what a rule finds about one name; or
/// all that it finds, where that spreads over many.
fn proposed((name, kind): (&str, FindingKind), rule: &Rule, organization: Option<&str>) -> Option<Proposed> {
    let hides = |sum: &Sum| sum.signals - sum.hidden;
    let may = |sum: &Sum| !sum.is_needed && sum.signals >= NOISE_MIN && hides(sum) > 0;
    let propose = |entity: Option<&String>, sum: &Sum| Proposed {
        matching: Matching {
            kind: Some(kind),
            rule: Some(name.to_owned()),
            entity: entity.cloned(),
            organization: organization.map(str::to_owned),
        },
        hides: hides(sum),
    };
    let names = rule.about.iter().filter(|(_, about)| about.is_main && may(&about.all));
    let most = names.max_by_key(|(name, about)| (hides(&about.all), std::cmp::Reverse(*name)));
    let is_most = |about: &OfName| hides(&about.all) * 2 >= hides(&rule.all);
    match most {
        Some((entity, about)) if is_most(about) || !may(&rule.all) => Some(propose(Some(entity), &about.all)),
        _ if may(&rule.all) => Some(propose(None, &rule.all)),
        _ => None,
    }
}
