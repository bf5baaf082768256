//! Which rules an event could match: one pass over its texts finds those whose literals it has.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::{Fields, Rule, literal::Literals};

/// The most bytes of the automaton in its fast form; above, the small form is taken.
const FAST_BYTES_MAX: usize = 16 << 20;

#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    automaton: Option<AhoCorasick>,
    /// The rules of each text of the automaton.
    rules: Vec<Vec<u32>>,
    /// Rules that no text has to be there for.
    always: Vec<u32>,
}

impl Index {
    pub(crate) fn new(rules: &[Rule]) -> Self {
        let mut texts: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        let mut always = vec![];
        for (number, rule) in (0..).zip(rules) {
            match Literals::of(&rule.detections) {
                Some(literals) => {
                    for text in literals.texts {
                        texts.entry(text).or_default().push(number);
                    }
                }
                None => always.push(number),
            }
        }
        match automaton(texts.keys()) {
            Some(automaton) => {
                Self { automaton: Some(automaton), rules: texts.into_values().collect(), always }
            }
            None => {
                Self { automaton: None, rules: vec![], always: (0..).zip(rules).map(|(n, _)| n).collect() }
            }
        }
    }

    /// Collects the rules that an event could match, in their order.
    pub(crate) fn candidates<'s>(&self, event: &dyn Fields, seen: &'s mut Seen) -> &'s [u32] {
        seen.begin();
        for rule in &self.always {
            seen.see(*rule);
        }
        if let Some(automaton) = &self.automaton {
            event.any_text(&mut |text| {
                for found in automaton.find_overlapping_iter(text) {
                    for rule in &self.rules[found.pattern().as_usize()] {
                        seen.see(*rule);
                    }
                }
                false
            });
        }
        seen.rules.sort_unstable();
        &seen.rules
    }

    /// Bytes of the automaton.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.automaton.as_ref().map_or(0, AhoCorasick::memory_usage)
    }

    pub(crate) fn texts(&self) -> usize {
        self.rules.len()
    }

    pub(crate) fn always(&self) -> usize {
        self.always.len()
    }
}

/// None where the texts are too many for any automaton.
fn automaton<'a>(texts: impl Iterator<Item = &'a String> + Clone) -> Option<AhoCorasick> {
    let build = |kind| {
        let mut builder = AhoCorasick::builder();
        builder.ascii_case_insensitive(true).kind(Some(kind)).build(texts.clone()).ok()
    };
    let bytes: usize = texts.clone().map(String::len).sum();
    // A state of the fast form takes a few hundred bytes.
    let fast = if bytes <= FAST_BYTES_MAX / 128 { build(AhoCorasickKind::DFA) } else { None };
    fast.filter(|automaton| automaton.memory_usage() <= FAST_BYTES_MAX)
        .or_else(|| build(AhoCorasickKind::ContiguousNFA))
}

/// The rules met in one event, each once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    rules: Vec<u32>,
    /// The round in which each rule was met last.
    rounds: Vec<u32>,
    round: u32,
}

impl Seen {
    fn begin(&mut self) {
        self.rules.clear();
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            self.rounds.fill(0);
            self.round = 1;
        }
    }

    fn see(&mut self, rule: u32) {
        let place = rule as usize;
        if self.rounds.len() <= place {
            self.rounds.resize(place + 1, 0);
        }
        if self.rounds[place] != self.round {
            self.rounds[place] = self.round;
            self.rules.push(rule);
        }
    }
}
