//! Conditions: how the named parts of a rule are joined.

use crate::{
    error::Reason,
    limits::{CONDITION_DEPTH_MAX, CONDITION_WORDS_MAX},
};

/// A condition over parts that are known by their number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    Part(usize),
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
}

impl Condition {
    /// Reads a condition over parts with these names.
    pub(crate) fn parse(text: &str, names: &[&str]) -> Result<Self, Reason> {
        let words = words(text)?;
        if words.len() > CONDITION_WORDS_MAX {
            return Err(Reason::TooMuch { what: "words in the condition", max: CONDITION_WORDS_MAX });
        }
        let mut parser = Parser { words: &words, at: 0, depth: 0, names };
        let condition = parser.any()?;
        match parser.words.get(parser.at) {
            None => Ok(condition),
            Some(word) => Err(Reason::Condition(format!("{word:?} is not expected"))),
        }
    }

    /// Whether it holds, given which parts do.
    pub(crate) fn holds(&self, part: &mut dyn FnMut(usize) -> bool) -> bool {
        match self {
            Self::Part(index) => part(*index),
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(part)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(part)),
            Self::Not(condition) => !condition.holds(part),
        }
    }
}

fn words(text: &str) -> Result<Vec<&str>, Reason> {
    let mut words = vec![];
    for piece in text.split_whitespace() {
        let mut rest = piece;
        while !rest.is_empty() {
            let end = if rest.starts_with(['(', ')']) {
                1
            } else if rest.starts_with('|') {
                let old = "aggregations behind `|` are no more; a correlation does what they did";
                return Err(Reason::Condition(old.to_owned()));
            } else {
                rest.find(['(', ')', '|']).unwrap_or(rest.len())
            };
            words.push(&rest[..end]);
            rest = &rest[end..];
        }
    }
    Ok(words)
}

struct Parser<'a> {
    words: &'a [&'a str],
    at: usize,
    depth: usize,
    names: &'a [&'a str],
}

impl<'a> Parser<'a> {
    fn next_is(&mut self, word: &str) -> bool {
        let is = self.words.get(self.at).is_some_and(|next| next.eq_ignore_ascii_case(word));
        self.at += usize::from(is);
        is
    }

    fn any(&mut self) -> Result<Condition, Reason> {
        let mut conditions = vec![self.all()?];
        while self.next_is("or") {
            conditions.push(self.all()?);
        }
        Ok(joined(conditions, Condition::Any))
    }

    fn all(&mut self) -> Result<Condition, Reason> {
        let mut conditions = vec![self.not()?];
        while self.next_is("and") {
            conditions.push(self.not()?);
        }
        Ok(joined(conditions, Condition::All))
    }

    fn not(&mut self) -> Result<Condition, Reason> {
        self.depth += 1;
        if self.depth > CONDITION_DEPTH_MAX {
            return Err(Reason::TooMuch { what: "levels in the condition", max: CONDITION_DEPTH_MAX });
        }
        let condition = if self.next_is("not") {
            Condition::Not(Box::new(self.not()?))
        } else if self.next_is("(") {
            let condition = self.any()?;
            if !self.next_is(")") {
                return Err(Reason::Condition("a closing parenthesis is missing".to_owned()));
            }
            condition
        } else {
            self.operand()?
        };
        self.depth -= 1;
        Ok(condition)
    }

    /// A name, or `1 of …` and `all of …`.
    fn operand(&mut self) -> Result<Condition, Reason> {
        let word = self.word()?;
        let several: Option<fn(Vec<Condition>) -> Condition> = match word {
            "1" => Some(Condition::Any),
            _ if word.eq_ignore_ascii_case("any") => Some(Condition::Any),
            _ if word.eq_ignore_ascii_case("all") => Some(Condition::All),
            _ => None,
        };
        if let Some(several) = several
            && self.next_is("of")
        {
            let pattern = self.word()?;
            let is_meant = |name: &str| match pattern {
                _ if pattern.eq_ignore_ascii_case("them") => !name.starts_with('_'),
                _ => fits(pattern.as_bytes(), name.as_bytes()),
            };
            let meant = (0..self.names.len()).filter(|index| is_meant(self.names[*index]));
            let meant: Vec<Condition> = meant.map(Condition::Part).collect();
            if meant.is_empty() {
                return Err(Reason::UnknownName(pattern.to_owned()));
            }
            return Ok(joined(meant, several));
        }
        let index = self.names.iter().position(|name| *name == word);
        index.map(Condition::Part).ok_or_else(|| Reason::UnknownName(word.to_owned()))
    }

    fn word(&mut self) -> Result<&'a str, Reason> {
        match self.words.get(self.at) {
            Some(word) if !["(", ")"].contains(word) => {
                self.at += 1;
                Ok(word)
            }
            Some(word) => Err(Reason::Condition(format!("{word:?} is not expected"))),
            None => Err(Reason::Condition("it ends too soon".to_owned())),
        }
    }
}

fn joined(mut conditions: Vec<Condition>, several: fn(Vec<Condition>) -> Condition) -> Condition {
    match conditions.len() {
        1 => conditions.remove(0),
        _ => several(conditions),
    }
}

/// Whether a name fits a pattern in which `*` is any number of characters.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut retry = None;
    loop {
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                retry = Some((at, from));
                continue;
            }
            Some(byte) if name.get(from) == Some(byte) => {
                at += 1;
                from += 1;
                continue;
            }
            None if from == name.len() => return true,
            _ => {}
        }
        let Some((after, taken)) = retry.filter(|(_, taken)| *taken < name.len()) else { return false };
        retry = Some((after, taken + 1));
        (at, from) = (after, taken + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[&str] = &["sel_a", "sel_b", "filter", "_hidden", "all"];

    #[test]
    fn conditions_hold() {
        for (text, parts, expected) in [
            ("sel_a", "sel_a", true),
            ("sel_a and not filter", "sel_a", true),
            ("sel_a and not filter", "sel_a filter", false),
            ("sel_a or sel_b and filter", "sel_a", true),
            ("sel_a or sel_b and filter", "sel_b", false),
            ("(sel_a or sel_b) and filter", "sel_a", false),
            ("NOT(sel_a OR sel_b)", "filter", true),
            ("not not sel_a", "sel_a", true),
            ("1 of sel_*", "sel_b", true),
            ("all of sel_*", "sel_b", false),
            ("all of *_?", "sel_a", false),
            ("any of them", "_hidden", false),
            ("1 of them", "filter", true),
            ("1 of *l*", "filter", true),
            ("all of them", "sel_a sel_b filter all", true),
            ("all and sel_a", "all sel_a", true),
            ("not 1 of filter*", "sel_a", true),
        ] {
            // `?` is no wildcard in names.
            if text.contains('?') {
                assert!(Condition::parse(text, NAMES).is_err(), "{text}");
                continue;
            }
            let condition = Condition::parse(text, NAMES).unwrap();
            let holds = condition.holds(&mut |index| parts.split(' ').any(|part| part == NAMES[index]));
            assert_eq!(holds, expected, "{text} with {parts}");
        }
    }

    #[test]
    fn conditions_that_cannot_be_read() {
        let deep = "(".repeat(100) + "sel_a" + &")".repeat(100);
        let long = "sel_a or ".repeat(600) + "sel_a";
        for text in [
            "",
            "sel_a and",
            "sel_a sel_b",
            "(sel_a",
            "sel_a)",
            "nothing",
            "1 of nothing*",
            "1 of",
            "sel_a | count() > 5",
            "sel_a|count() > 5",
            "and",
            "()",
            &deep,
            &long,
        ] {
            assert!(Condition::parse(text, NAMES).is_err(), "{text}");
        }
    }
}
