//! LIKE and GLOB in linear time times the pattern. SQLite's own go back at each `%`, which a text can be made for.

/// One part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Any,
    One,
    Literal(char),
    /// Of GLOB: `[a-z]`, `[^a]`.
    Set {
        not: bool,
        ranges: Vec<(char, char)>,
    },
}

/// `text LIKE pattern`, letters of ASCII alike in both cases, as SQLite has it.
pub(crate) fn like(pattern: &str, text: &str, escape: Option<char>) -> bool {
    let mut parts = Vec::new();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        parts.push(match c {
            c if Some(c) == escape => match rest.next() {
                Some(literal) => Part::Literal(literal.to_ascii_lowercase()),
                None => return false,
            },
            '%' => Part::Any,
            '_' => Part::One,
            c => Part::Literal(c.to_ascii_lowercase()),
        });
    }
    matches(&parts, &text.chars().map(|c| c.to_ascii_lowercase()).collect::<Vec<_>>())
}

/// `text GLOB pattern`: `*`, `?`, `[…]`; cases differ.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        parts.push(match c {
            '*' => Part::Any,
            '?' => Part::One,
            '[' => match set(&mut rest) {
                Some(part) => part,
                None => return false,
            },
            c => Part::Literal(c),
        });
    }
    matches(&parts, &text.chars().collect::<Vec<_>>())
}

fn set(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Part> {
    let not = rest.next_if_eq(&'^').is_some();
    let mut ranges: Vec<(char, char)> = Vec::new();
    // A bracket in the first place means itself.
    if rest.next_if_eq(&']').is_some() {
        ranges.push((']', ']'));
    }
    loop {
        match rest.next()? {
            ']' => return Some(Part::Set { not, ranges }),
            '-' if !ranges.is_empty() && rest.peek().is_some_and(|next| *next != ']') => {
                let to = rest.next()?;
                if let Some(last) = ranges.last_mut() {
                    last.1 = to;
                }
            }
            c => ranges.push((c, c)),
        }
    }
}

/// Goes back to the last `Any` only: what an earlier one could take, the last one can take as well.
fn matches(parts: &[Part], text: &[char]) -> bool {
    let (mut part, mut at) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while at < text.len() {
        match (parts.get(part), text.get(at)) {
            (Some(Part::Any), _) => {
                back = Some((part, at));
                part += 1;
            }
            (Some(one), Some(c)) if fits(one, *c) => {
                part += 1;
                at += 1;
            }
            _ => match &mut back {
                Some((any, from)) => {
                    *from += 1;
                    (part, at) = (*any + 1, *from);
                }
                None => return false,
            },
        }
    }
    parts.get(part..).is_some_and(|rest| rest.iter().all(|part| *part == Part::Any))
}

fn fits(part: &Part, c: char) -> bool {
    match part {
        Part::Any => false,
        Part::One => true,
        Part::Literal(literal) => *literal == c,
        Part::Set { not, ranges } => ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *not,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_sqlite() {
        let database = rusqlite::Connection::open_in_memory().unwrap();
        for pattern in ["a%", "%b", "%a%b%", "_b", "a_", "%", "", "A%", "a%%b", "_%_", "é%"] {
            for text in ["", "a", "ab", "b", "aab", "abab", "AB", "xaxb", "éa", "É"] {
                let theirs: bool =
                    database.query_row("SELECT ?1 LIKE ?2", [text, pattern], |row| row.get(0)).unwrap();
                assert_eq!(like(pattern, text, None), theirs, "'{text}' LIKE '{pattern}'");
            }
        }
        for pattern in [
            "a*", "*b", "*a*b*", "?b", "[ab]*", "[^a]*", "[a-c]b", "[]a]", "[a-]", "*[0-9]", "[", "a[b",
            "A*", "**",
        ] {
            for text in ["", "a", "ab", "b", "aab", "cb", "]", "-", "x9", "[", "a[b", "AB"] {
                let theirs: bool =
                    database.query_row("SELECT ?1 GLOB ?2", [text, pattern], |row| row.get(0)).unwrap();
                assert_eq!(glob(pattern, text), theirs, "'{text}' GLOB '{pattern}'");
            }
        }
    }

    #[test]
    fn escapes_take_their_character_as_it_is() {
        assert!(like("50!%", "50%", Some('!')));
        assert!(!like("50!%", "505", Some('!')));
        assert!(!like("50!", "50!", Some('!')));
    }

    #[test]
    fn a_text_made_to_go_back_costs_no_more_than_its_length_times_the_patterns() {
        let text = "a".repeat(20_000);
        let pattern = format!("{}b", "%a".repeat(30));
        assert!(!like(&pattern, &text, None));
    }
}
