//! What in a query may not mean what its writer meant, in words.

use std::ops::Bound;

use event::{FieldKind, ecs, field};

use super::{Query, Test, TokenPattern};

/// For a query that found nothing: what of its text or its tree is likely to be the reason. Most have none.
pub fn hints(text: &str, query: &Query) -> Vec<String> {
    let mut hints = Vec::new();
    for part in query.wanted() {
        if let Query::Message(phrase) = part
            && let [TokenPattern::Exact(word)] = phrase.0.as_slice()
            && ["and", "or", "not"].contains(&word.as_str())
        {
            let operator = word.to_uppercase();
            hints.push(format!(
                "'{word}' is searched for as a word; the operator is {operator}, in upper case"
            ));
        }
        if let Query::Field { test, .. } = part
            && test.holds_nothing()
        {
            hints.push(format!("nothing is within {part}: it begins behind its end"));
        }
        if let Query::Field { path, test: test @ (Test::Equals { .. } | Test::Number { .. }) } = part
            && let Some(known) = path.strip_prefix(field::LABELS).and_then(ecs::known)
            && !text.contains(path.as_str())
        {
            let held = match known.kind {
                FieldKind::Ip => "addresses",
                FieldKind::Long => "whole numbers",
                FieldKind::Double => "numbers",
                FieldKind::Date => "times",
                _ => "true and false",
            };
            hints.push(format!(
                "{} holds {held}, and {test} is looked for among what did not fit, in {path}",
                known.path
            ));
        }
        if *part == Query::nothing() {
            hints.push("a range of the query begins behind its end, so nothing is within it".to_owned());
        }
    }
    for word in text.split(|character: char| character.is_whitespace() || "()".contains(character)) {
        hints.extend(of_word(word));
    }
    hints
}

/// A form that other languages have.
fn of_word(word: &str) -> Option<String> {
    let (name, value) = word.split_once(':').map_or((None, word), |(name, value)| (Some(name), value));
    let compared = match name {
        Some(name) => Some((name, value)),
        None => word.find(['=', '!']).map(|sign| word.split_at(sign)),
    };
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_alphabetic() || matches!(first, '_' | '@'))
            && name.chars().all(|character| character.is_alphanumeric() || "_.@-".contains(character))
    };
    if let Some((name, compared)) = compared.filter(|(name, _)| is_name(name)) {
        let signs = ["!==", "!=", "==", "="];
        let found = signs.iter().find_map(|sign| Some((sign, compared.strip_prefix(sign)?)));
        if let Some((sign, value)) = found.filter(|(_, value)| !value.is_empty()) {
            let not = if sign.starts_with('!') { "-" } else { "" };
            return Some(format!("'{word}' is searched for as text; write {not}{name}:{value}"));
        }
    }
    if value.len() > 2 && value.starts_with('/') && value.ends_with('/') {
        return Some(format!(
            "{value} is searched for as text; a regular expression is written message:~\"…\""
        ));
    }
    let inexact = value.trim_end_matches(|last: char| last.is_ascii_digit()).strip_suffix('~');
    if let Some(word) = inexact.filter(|word| word.ends_with(char::is_alphanumeric)) {
        return Some(format!(
            "'~' does not make {word} inexact; write {word}* or ?, which stands for one character"
        ));
    }
    let is_letter =
        |(at, _): (usize, &str)| value[at + 1..].starts_with(|next: char| next.is_ascii_alphabetic());
    let escaped = value.match_indices('\\').any(is_letter);
    escaped.then(|| format!("in {value} the backslash before a letter is a character of its own"))
}

impl Query {
    /// Its words, phrases and tests, without those that stand behind NOT.
    pub fn wanted(&self) -> Vec<&Self> {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::wanted).collect(),
            Self::Not(part) if **part != Self::All => Vec::new(),
            Self::All | Self::Message(_) | Self::Field { .. } | Self::Not(_) => vec![self],
        }
    }
}

impl Test {
    /// Whether it is a range that begins behind its end.
    fn holds_nothing(&self) -> bool {
        match self {
            Self::NumberRange(from, to) => is_empty(from, to),
            Self::TimeRange(from, to) => is_empty(from, to),
            Self::TextRange(from, to) => is_empty(from, to),
            _ => false,
        }
    }
}

fn is_empty<T: PartialOrd>(from: &Bound<T>, to: &Bound<T>) -> bool {
    match (from, to) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => {
            from >= to
        }
    }
}

#[cfg(test)]
mod tests {
    use event::Timestamp;

    use super::*;

    #[test]
    fn what_may_be_meant_otherwise_is_said() {
        for (text, expected) in [
            ("disk full user.name:root", None),
            ("not info", Some("the operator is NOT")),
            ("a and b", Some("the operator is AND")),
            ("process.pid:[9 TO 1]", Some("nothing is within process.pid:[9 TO 1]")),
            ("user.name:{a TO a}", Some("nothing is within")),
            ("process.pid:[1 TO 1]", None),
            ("-process.pid:[9 TO 1]", None),
            ("timestamp:[now TO now-1h]", Some("nothing is within @timestamp")),
            ("level:[error TO info]", Some("begins behind its end")),
            ("/time.*out/", Some("/time.*out/ is searched for as text")),
            ("url.path:/api/", Some("is searched for as text")),
            ("url.path:/api", None),
            ("(timeout~ OR x)", Some("timeout*")),
            ("timeout~2", Some("timeout*")),
            ("user.name:a\\nb", Some("a\\nb")),
            ("a\\:b", None),
            ("source.ip:999.1.1.1", Some("source.ip holds addresses, and 999.1.1.1 is looked for")),
            ("source.port:ssh", Some("source.port holds whole numbers")),
            ("labels.source.ip:unknown", None),
            ("source.ip:192.0.2.7", None),
            ("n=5", Some("write n:5")),
            ("(n=5 OR x)", Some("write n:5")),
            ("a.b==x", Some("write a.b:x")),
            ("n:!=5", Some("write -n:5")),
            ("n!=5", Some("write -n:5")),
            ("/a?b=c", None),
        ] {
            let query = Query::parse(text, Timestamp::MAX).unwrap_or_else(|error| panic!("{text}: {error}"));
            let hints = hints(text, &query);
            assert_eq!(hints.len(), usize::from(expected.is_some()), "{text}: {hints:?}");
            assert!(expected.is_none_or(|part| hints[0].contains(part)), "{text}: {hints:?}");
        }
        assert!(hints("a ~ b", &Query::All).is_empty(), "a mark alone makes no word inexact");
    }
}
