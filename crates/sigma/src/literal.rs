//! The texts without which a rule cannot match.

use crate::{
    condition::Condition,
    detection::Detection,
    item::{Item, Test},
    matcher::Matcher,
    rule::Detections,
};

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
const LENGTH_MAX: usize = 24;

impl Literals {
    /// The least likely texts that a rule needs; None where it needs none.
    pub(crate) fn of(detections: &Detections) -> Option<Self> {
        of_condition(&detections.condition, &detections.parts).filter(|literals| literals.chance < CHANCE_MAX)
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

fn of_condition(condition: &Condition, parts: &[Detection]) -> Option<Literals> {
    match condition {
        Condition::Part(index) => of_detection(&parts[*index]),
        Condition::All(conditions) => {
            Literals::best(conditions.iter().map(|condition| of_condition(condition, parts)))
        }
        Condition::Any(conditions) => {
            Literals::any(conditions.iter().map(|condition| of_condition(condition, parts)))
        }
        Condition::Not(_) => None,
    }
}

fn of_detection(detection: &Detection) -> Option<Literals> {
    match detection {
        Detection::Item(item) => of_item(item),
        Detection::All(parts) => Literals::best(parts.iter().map(of_detection)),
        Detection::Any(parts) => Literals::any(parts.iter().map(of_detection)),
    }
}

fn of_item(item: &Item) -> Option<Literals> {
    let any = |matchers: &[Matcher]| Literals::any(matchers.iter().map(of_matcher));
    match &item.test {
        Test::Exists(_) | Test::None(_) => None,
        Test::Any(matchers) => any(matchers),
        Test::All(groups) => Literals::best(groups.iter().map(|matchers| any(matchers))),
    }
}

fn of_matcher(matcher: &Matcher) -> Option<Literals> {
    let literal = matcher.literal()?;
    let literal = &literal[..literal.len().min(LENGTH_MAX)];
    // What is a number or a boolean may fit as well, and is no text of the event.
    let of_number = |byte: u8| byte.is_ascii_digit() || b".-+eE".contains(&byte);
    let of_boolean = |word: &str| word.contains(&literal.to_ascii_lowercase());
    if literal.bytes().all(of_number) || of_boolean("true") || of_boolean("false") {
        return None;
    }
    let chance = 8_f64.powi(-i32::try_from(literal.len()).unwrap_or(i32::MAX));
    Some(Literals { texts: vec![literal.to_ascii_lowercase()], chance })
}
