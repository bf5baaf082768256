//! Which rules an event could match: one pass over its texts finds those whose literals it has.

use std::collections::BTreeMap;

use crate::{
    Fields, Rule,
    literal::{Literals, Rarity, needed_fields},
    texts::Texts,
};

#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    texts: Option<Texts>,
    /// The rules of each text.
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
        match Texts::new(texts.keys().map(String::as_str), |bytes| rarity.usual(bytes)) {
            Ok(found) => Self { texts: Some(found), rules: texts.into_values().collect(), without_text },
            Err(_) => {
                let all = (0..).zip(rules).filter(|(_, rule)| !rule.is_suspended);
                let all = all.map(|(number, rule)| (number, needed_fields(&rule.detections)));
                Self { texts: None, rules: vec![], without_text: all.collect() }
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
        if let Some(texts) = &self.texts {
            event.any_text(&mut |text| {
                texts.each(text, |found| {
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

    /// Bytes of what finds the texts.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.texts.as_ref().map_or(0, Texts::memory_bytes)
    }

    pub(crate) fn texts(&self) -> usize {
        self.texts.as_ref().map_or(0, Texts::len)
    }

    /// The rules that no text has to be there for.
    pub(crate) fn without_text(&self) -> impl ExactSizeIterator<Item = u32> {
        self.without_text.iter().map(|(rule, _)| *rule)
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
