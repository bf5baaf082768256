//! The texts without which a rule cannot match.

use std::collections::{HashMap, HashSet};

use crate::{
    condition::Condition,
    detection::Detection,
    item::{Item, Test},
    matcher::Matcher,
    rule::Detections,
};

/// Bytes of log lines, the rarest first: letters in the order of English texts, and what stands between words.
const BYTES: &[u8] = b"zqjxkvbywgpfmucdlhrsnioate_-0123456789/.: ";

/// How usual texts are, told from the rules themselves: what many rules have in common is common in events as well.
#[derive(Debug, Default)]
pub(crate) struct Rarity {
    /// In how many rules three bytes stand one behind the other.
    rules: HashMap<[u8; 3], u32>,
    all: u32,
}

impl Rarity {
    pub(crate) fn of<'a>(rules: impl Iterator<Item = &'a Detections>) -> Self {
        let mut rarity = Self::default();
        for detections in rules {
            let mut met = HashSet::new();
            for detection in &detections.parts {
                each_literal(detection, &mut |literal| {
                    met.extend(literal.to_ascii_lowercase().as_bytes().array_windows::<3>());
                });
            }
            for bytes in met {
                *rarity.rules.entry(bytes).or_default() += 1;
            }
            rarity.all += 1;
        }
        rarity
    }

    /// How usual four bytes are in events, for choosing among those of a text: by how many rules have what is rarer of
    /// them, else by how usual each byte is.
    pub(crate) fn usual(&self, bytes: [u8; 4]) -> f64 {
        let of_rules =
            bytes.array_windows::<3>().map(|bytes| self.rules.get(bytes).copied().unwrap_or(0)).min();
        let place = |byte: &u8| BYTES.iter().position(|usual| usual == byte).map_or(0, |place| place + 1);
        let of_bytes: usize = bytes.iter().map(place).sum();
        f64::from(of_rules.unwrap_or(0)) * 100.0 + of_bytes as f64
    }

    /// About how likely it is that an event has a text by chance: the longer it is and the fewer rules have what is
    /// rarest in it, the less.
    fn chance(&self, literal: &str) -> f64 {
        let rules = literal.as_bytes().array_windows::<3>().filter_map(|bytes| self.rules.get(bytes)).min();
        let by_rules = rules.map_or(0.0, |rules| f64::from(*rules) / f64::from(self.all.max(1)) / 4.0);
        by_rules + 8_f64.powi(-i32::try_from(literal.len()).unwrap_or(i32::MAX))
    }
}

fn each_literal(detection: &Detection, see: &mut dyn FnMut(&str)) {
    match detection {
        Detection::Item(Item { test: Test::Any(matchers), .. }) => {
            matchers.iter().filter_map(Matcher::literal).for_each(see);
        }
        Detection::Item(Item { test: Test::All(groups), .. }) => {
            groups.iter().flatten().filter_map(Matcher::literal).for_each(see);
        }
        Detection::Item(_) => {}
        Detection::All(parts) | Detection::Any(parts) => {
            parts.iter().for_each(|part| each_literal(part, see));
        }
    }
}

/// Texts one of which an event has to have, whatever its case, for a rule to match.
#[derive(Debug, Clone)]
pub(crate) struct Literals {
    pub(crate) texts: Vec<String>,
    /// About how likely it is that an event has one by chance.
    chance: f64,
}

/// Above this a text is of no help.
const CHANCE_MAX: f64 = 0.3;
/// Longer texts tell no more.
const LENGTH_MAX: usize = 16;

impl Literals {
    /// The least likely texts that a rule needs; None where it needs none.
    pub(crate) fn of(detections: &Detections, rarity: &Rarity) -> Option<Self> {
        let finder = Finder { parts: &detections.parts, rarity };
        finder.of_condition(&detections.condition).filter(|literals| literals.chance < CHANCE_MAX)
    }

    fn any(parts: impl Iterator<Item = Option<Self>>) -> Option<Self> {
        let mut any = Self { texts: vec![], chance: 0.0 };
        for part in parts {
            let part = part?;
            any.chance += part.chance;
            any.texts.extend(part.texts);
        }
        any.texts.sort_unstable();
        any.texts.dedup();
        Some(any)
    }

    fn best(parts: impl Iterator<Item = Option<Self>>) -> Option<Self> {
        parts.flatten().min_by(|a, b| a.chance.total_cmp(&b.chance))
    }
}

/// Fields one of which an event has to have for a rule to match; None where it needs none.
pub(crate) fn needed_fields(detections: &Detections) -> Option<Vec<String>> {
    fields_of_condition(&detections.condition, &detections.parts)
}

fn fields_of_condition(condition: &Condition, parts: &[Detection]) -> Option<Vec<String>> {
    let of = |conditions: &[Condition]| -> Vec<Option<Vec<String>>> {
        conditions.iter().map(|condition| fields_of_condition(condition, parts)).collect()
    };
    match condition {
        Condition::Part(index) => fields_of_detection(&parts[*index]),
        Condition::All(conditions) => of(conditions).into_iter().flatten().min_by_key(Vec::len),
        Condition::Any(conditions) => of(conditions).into_iter().collect::<Option<Vec<_>>>().map(joined),
        Condition::Not(_) => None,
    }
}

fn fields_of_detection(detection: &Detection) -> Option<Vec<String>> {
    match detection {
        Detection::Item(item) => {
            let has_null =
                |matchers: &Vec<Matcher>| matchers.iter().any(|matcher| matches!(matcher, Matcher::Null));
            let is_needed = match &item.test {
                Test::Exists(expected) => *expected,
                Test::None(_) => true,
                Test::Any(matchers) => !has_null(matchers),
                Test::All(groups) => !groups.iter().all(has_null),
            };
            item.field.clone().filter(|_| is_needed).map(|field| vec![field])
        }
        Detection::All(parts) => parts.iter().filter_map(fields_of_detection).min_by_key(Vec::len),
        Detection::Any(parts) => {
            parts.iter().map(fields_of_detection).collect::<Option<Vec<_>>>().map(joined)
        }
    }
}

fn joined(fields: Vec<Vec<String>>) -> Vec<String> {
    let mut fields = fields.concat();
    fields.sort_unstable();
    fields.dedup();
    fields
}

/// Finds the texts that parts of a rule need.
struct Finder<'a> {
    parts: &'a [Detection],
    rarity: &'a Rarity,
}

impl Finder<'_> {
    fn of_condition(&self, condition: &Condition) -> Option<Literals> {
        match condition {
            Condition::Part(index) => self.of_detection(&self.parts[*index]),
            Condition::All(conditions) => {
                Literals::best(conditions.iter().map(|condition| self.of_condition(condition)))
            }
            Condition::Any(conditions) => {
                Literals::any(conditions.iter().map(|condition| self.of_condition(condition)))
            }
            Condition::Not(_) => None,
        }
    }

    fn of_detection(&self, detection: &Detection) -> Option<Literals> {
        match detection {
            Detection::Item(item) => self.of_item(item),
            Detection::All(parts) => Literals::best(parts.iter().map(|part| self.of_detection(part))),
            Detection::Any(parts) => Literals::any(parts.iter().map(|part| self.of_detection(part))),
        }
    }

    fn of_item(&self, item: &Item) -> Option<Literals> {
        let any =
            |matchers: &[Matcher]| Literals::any(matchers.iter().map(|matcher| self.of_matcher(matcher)));
        match &item.test {
            Test::Exists(_) | Test::None(_) => None,
            Test::Any(matchers) => any(matchers),
            Test::All(groups) => Literals::best(groups.iter().map(|matchers| any(matchers))),
        }
    }

    fn of_matcher(&self, matcher: &Matcher) -> Option<Literals> {
        let literal = matcher.literal()?;
        let literal = literal[..literal.len().min(LENGTH_MAX)].to_ascii_lowercase();
        // What is a number or a boolean may fit as well, and is no text of the event.
        let of_number = |byte: u8| byte.is_ascii_digit() || b".-+e".contains(&byte);
        let of_boolean = "true".contains(&literal) || "false".contains(&literal);
        if literal.bytes().all(of_number) || of_boolean {
            return None;
        }
        let chance = self.rarity.chance(&literal);
        Some(Literals { texts: vec![literal], chance })
    }
}
