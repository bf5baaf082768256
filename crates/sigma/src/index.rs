//! Which rules an event could match: one pass over its texts finds those whose literals it has.

use std::collections::BTreeMap;

use aho_corasick::{
    Anchored,
    automaton::Automaton,
    dfa::{self, DFA},
    nfa::contiguous::{self, NFA},
};

use crate::{
    Fields, Rule,
    literal::{Literals, Rarity, needed_fields},
};

/// The most bytes of the automaton in its fast form: 400 rules take 5 MB. Most texts move between a few states, which stay in the
/// cache of a core whatever the others take.
const FAST_BYTES_MAX: usize = 8 << 20;

/// Finds every text of the rules in a text ([Aho and Corasick 1975](https://doi.org/10.1145/360825.360855)), whatever its case.
#[derive(Debug, Clone)]
enum Texts {
    Fast(DFA),
    Small(NFA),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    automaton: Option<Texts>,
    /// The rules of each text of the automaton.
    rules: Vec<Vec<u32>>,
    /// Rules that no text has to be there for, with the fields one of which has to be.
    without_text: Vec<(u32, Option<Vec<String>>)>,
}

impl Index {
    pub(crate) fn new(rules: &[Rule]) -> Self {
        let mut texts: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        let mut without_text = vec![];
        let rarity = Rarity::of(rules.iter().map(|rule| &rule.detections));
        for (number, rule) in (0..).zip(rules).filter(|(_, rule)| !rule.is_suspended) {
            match Literals::of(&rule.detections, &rarity) {
                Some(literals) => {
                    for text in literals.texts {
                        texts.entry(text).or_default().push(number);
                    }
                }
                None => without_text.push((number, needed_fields(&rule.detections))),
            }
        }
        match Texts::new(texts.keys()) {
            Some(automaton) => {
                Self { automaton: Some(automaton), rules: texts.into_values().collect(), without_text }
            }
            None => {
                let all = (0..).zip(rules).filter(|(_, rule)| !rule.is_suspended);
                let all = all.map(|(number, rule)| (number, needed_fields(&rule.detections)));
                Self { automaton: None, rules: vec![], without_text: all.collect() }
            }
        }
    }

    /// Collects the rules that an event could match, in their order.
    pub(crate) fn candidates<'s>(&self, event: &dyn Fields, seen: &'s mut Seen) -> &'s [u32] {
        seen.begin();
        for (rule, fields) in &self.without_text {
            let has = |field: &String| event.any(field, &mut |_| true).is_some();
            if fields.as_ref().is_none_or(|fields| fields.iter().any(has)) {
                seen.see(*rule);
            }
        }
        if let Some(automaton) = &self.automaton {
            event.any_text(&mut |text| {
                automaton.each(text, |found| {
                    for rule in self.rules.get(found).into_iter().flatten() {
                        seen.see(*rule);
                    }
                });
                false
            });
        }
        seen.rules.sort_unstable();
        &seen.rules
    }

    /// Bytes of the automaton.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.automaton.as_ref().map_or(0, Texts::memory_bytes)
    }

    pub(crate) fn texts(&self) -> usize {
        self.rules.len()
    }

    /// The rules that no text has to be there for.
    pub(crate) fn without_text(&self) -> impl ExactSizeIterator<Item = u32> {
        self.without_text.iter().map(|(rule, _)| *rule)
    }
}

impl Texts {
    /// None where the texts are too many for any automaton.
    fn new<'a>(texts: impl Iterator<Item = &'a String> + Clone) -> Option<Self> {
        let bytes: usize = texts.clone().map(String::len).sum();
        // A state of the fast form takes a few hundred bytes.
        if bytes <= FAST_BYTES_MAX / 128 {
            let fast = dfa::Builder::new().ascii_case_insensitive(true).prefilter(false).build(texts.clone());
            if let Some(fast) = fast.ok().filter(|fast| fast.memory_usage() <= FAST_BYTES_MAX) {
                return Some(Self::Fast(fast));
            }
        }
        contiguous::Builder::new()
            .ascii_case_insensitive(true)
            .prefilter(false)
            .build(texts)
            .ok()
            .map(Self::Small)
    }

    /// Shows the number of each text that is found, as often as it is.
    fn each(&self, text: &str, show: impl FnMut(usize)) {
        match self {
            Self::Fast(automaton) => each(automaton, text, show),
            Self::Small(automaton) => each(automaton, text, show),
        }
    }

    fn memory_bytes(&self) -> usize {
        match self {
            Self::Fast(automaton) => automaton.memory_usage(),
            Self::Small(automaton) => automaton.memory_usage(),
        }
    }
}

/// The library's own search asks at each byte what else there is to do; here nothing but a match matters.
fn each(automaton: &impl Automaton, text: &str, mut show: impl FnMut(usize)) {
    let Ok(mut state) = automaton.start_state(Anchored::No) else { return };
    for &byte in text.as_bytes() {
        state = automaton.next_state(Anchored::No, state, byte);
        if automaton.is_special(state) && automaton.is_match(state) {
            for index in 0..automaton.match_len(state) {
                show(automaton.match_pattern(state, index).as_usize());
            }
        }
    }
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
    /// How many rules were met in the last event.
    pub(crate) fn count(&self) -> usize {
        self.rules.len()
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_find_each_text_wherever_it_stands_and_whatever_its_case() {
        let texts = ["cat /etc/shadow", "etc", "shadow", "SHADOWS"].map(str::to_owned);
        let fast = Texts::new(texts.iter()).unwrap();
        assert!(matches!(fast, Texts::Fast(_)));
        let small = contiguous::Builder::new().ascii_case_insensitive(true).build(&texts).unwrap();
        for (text, expected) in [
            ("sudo CAT /etc/Shadow", vec![0, 1, 2]),
            ("shadows of etcetera", vec![1, 2, 3]),
            ("etcetc", vec![1, 1]),
            ("schatten", vec![]),
        ] {
            for texts in [&fast, &Texts::Small(small.clone())] {
                let mut found = vec![];
                texts.each(text, |number| found.push(number));
                found.sort_unstable();
                assert_eq!(found, expected, "{text}");
            }
        }
    }
}
