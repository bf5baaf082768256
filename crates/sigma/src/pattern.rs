//! Texts with wildcards.

use memchr::{memchr, memchr2};

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Text as it is; in lower case unless the pattern is cased.
    Text(String),
    /// `?`: exactly one character.
    One,
    /// `*`: any number of characters.
    Many,
    /// Any of the dashes that introduce an option on Windows.
    Dash,
}

/// What introduces an option on Windows: the slash and all that looks like a dash.
const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// Reads the wildcards and escapes of a value.
///
/// A backslash takes the meaning from `*`, `?` and another backslash; before anything else it is itself.
pub(crate) fn parts(text: &str) -> Vec<Part> {
    let mut parts = vec![];
    let mut plain = String::new();
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let wildcard = match char {
            '\\' => {
                match chars.next_if(|next| ['*', '?', '\\'].contains(next)) {
                    Some(next) => plain.push(next),
                    None => plain.push('\\'),
                }
                continue;
            }
            '*' => Part::Many,
            '?' => Part::One,
            _ => {
                plain.push(char);
                continue;
            }
        };
        if !plain.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut plain)));
        }
        parts.push(wildcard);
    }
    if !plain.is_empty() || parts.is_empty() {
        parts.push(Part::Text(plain));
    }
    parts
}

/// Makes a part of its own of every dash and slash.
pub(crate) fn with_dashes(parts: Vec<Part>) -> Vec<Part> {
    let mut dashed = vec![];
    for part in parts {
        let Part::Text(text) = part else {
            dashed.push(part);
            continue;
        };
        for (index, piece) in text.split(DASHES).enumerate() {
            if index > 0 {
                dashed.push(Part::Dash);
            }
            if !piece.is_empty() {
                dashed.push(Part::Text(piece.to_owned()));
            }
        }
    }
    if dashed.is_empty() { vec![Part::Text(String::new())] } else { dashed }
}

/// Where in a value a pattern has to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    Whole,
    Contains,
    StartsWith,
    EndsWith,
}

/// A pattern for the whole of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    form: Form,
    cased: bool,
    /// Without letters beyond ASCII, so that case is a matter of single bytes.
    ascii: bool,
}

/// The forms that most patterns have, and the general one.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Whole(String),
    Contains(String),
    StartsWith(String),
    EndsWith(String),
    Parts(Vec<Part>),
}

impl Pattern {
    pub(crate) fn new(parts: Vec<Part>, placement: Placement, cased: bool) -> Self {
        let mut whole = vec![];
        if matches!(placement, Placement::Contains | Placement::EndsWith) {
            whole.push(Part::Many);
        }
        whole.extend(parts);
        if matches!(placement, Placement::Contains | Placement::StartsWith) {
            whole.push(Part::Many);
        }
        whole.retain(|part| *part != Part::Text(String::new()));
        whole.dedup_by(|a, b| *a == Part::Many && *b == Part::Many);
        let mut ascii = true;
        for part in &mut whole {
            if let Part::Text(text) = part {
                ascii &= text.is_ascii();
                if !cased {
                    *text = text.to_lowercase();
                }
            }
        }
        let form = match whole.as_slice() {
            [] => Form::Whole(String::new()),
            [Part::Text(text)] => Form::Whole(text.clone()),
            [Part::Many, Part::Text(text), Part::Many] => Form::Contains(text.clone()),
            [Part::Text(text), Part::Many] => Form::StartsWith(text.clone()),
            [Part::Many, Part::Text(text)] => Form::EndsWith(text.clone()),
            _ => Form::Parts(whole),
        };
        Self { form, cased, ascii }
    }

    /// Whether a text fits.
    pub(crate) fn matches(&self, text: &str) -> bool {
        if self.cased {
            self.fits(text, Case::Kept)
        } else if self.ascii {
            self.fits(text, Case::Ignored)
        } else {
            self.fits(&text.to_lowercase(), Case::Kept)
        }
    }

    fn fits(&self, text: &str, case: Case) -> bool {
        let bytes = text.as_bytes();
        match &self.form {
            Form::Whole(whole) => bytes.len() == whole.len() && case.starts(bytes, whole.as_bytes()),
            Form::Contains(part) => case.find(bytes, part.as_bytes()).is_some(),
            Form::StartsWith(start) => case.starts(bytes, start.as_bytes()),
            Form::EndsWith(end) => {
                let from = bytes.len().checked_sub(end.len());
                from.is_some_and(|from| case.starts(&bytes[from..], end.as_bytes()))
            }
            Form::Parts(parts) => fits_parts(parts, text, case),
        }
    }

    /// A text of ASCII that every value has which fits, but for its case: the longest one.
    pub(crate) fn literal(&self) -> Option<&str> {
        // Some letters beyond ASCII are `k` and `i` in lower case, and are compared so beside others.
        let folds = !self.cased && !self.ascii;
        let ends = |char: char| !char.is_ascii() || (folds && ['k', 'i'].contains(&char));
        let longest = |text: &'_ String| text.split(ends).map(str::len).max().unwrap_or(0);
        let text = match &self.form {
            Form::Whole(text) | Form::Contains(text) | Form::StartsWith(text) | Form::EndsWith(text) => text,
            Form::Parts(parts) => {
                let texts = parts.iter().filter_map(|part| match part {
                    Part::Text(text) => Some(text),
                    _ => None,
                });
                texts.max_by_key(|text| longest(text))?
            }
        };
        text.split(ends).max_by_key(|run| run.len()).filter(|run| !run.is_empty())
    }
}

/// Whether letters of ASCII are compared by their case. What is searched for is in lower case where they are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Kept,
    Ignored,
}

impl Case {
    fn starts(self, text: &[u8], start: &[u8]) -> bool {
        let Some(head) = text.get(..start.len()) else { return false };
        match self {
            Self::Kept => head == start,
            Self::Ignored => head.eq_ignore_ascii_case(start),
        }
    }

    fn find(self, text: &[u8], part: &[u8]) -> Option<usize> {
        let Some((first, _)) = part.split_first() else { return Some(0) };
        let last = text.len().checked_sub(part.len())?;
        let mut from = 0;
        while from <= last {
            let window = &text[from..=last];
            let next = match self {
                Self::Kept => memchr(*first, window),
                Self::Ignored => memchr2(*first, first.to_ascii_uppercase(), window),
            };
            from += next?;
            if self.starts(&text[from..], part) {
                return Some(from);
            }
            from += 1;
        }
        None
    }
}

/// Matches part by part; at a misfit what the last `*` took grows by a character, as is enough for globs.
fn fits_parts(parts: &[Part], text: &str, case: Case) -> bool {
    let (mut part, mut at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let taken = match parts.get(part) {
            Some(Part::Many) => {
                part += 1;
                retry = Some((part, at));
                continue;
            }
            Some(Part::Text(expected)) => {
                case.starts(&text.as_bytes()[at..], expected.as_bytes()).then_some(expected.len())
            }
            Some(Part::One) => text[at..].chars().next().map(char::len_utf8),
            Some(Part::Dash) => {
                text[at..].chars().next().filter(|char| DASHES.contains(char)).map(char::len_utf8)
            }
            None if at == text.len() => return true,
            None => None,
        };
        if let Some(taken) = taken {
            part += 1;
            at += taken;
            continue;
        }
        let Some((next_part, from)) = retry else { return false };
        let Some(skipped) = text[from..].chars().next() else { return false };
        let from = from + skipped.len_utf8();
        // Where the next text can begin is found faster than tried.
        let jump = match parts.get(next_part) {
            Some(Part::Text(expected)) => case.find(&text.as_bytes()[from..], expected.as_bytes()),
            _ => Some(0),
        };
        let Some(jump) = jump else { return false };
        retry = Some((next_part, from + jump));
        (part, at) = (next_part, from + jump);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        Pattern::new(parts(pattern), Placement::Whole, false).matches(text)
    }

    #[test]
    fn wildcards_and_escapes() {
        for (pattern, text, expected) in [
            ("a*c", "abbbc", true),
            ("a*c", "AC", true),
            ("a*c", "abcd", false),
            ("*b*d*", "abcde", true),
            ("*d*b*", "abcde", false),
            ("a?c", "aéc", true),
            ("a?c", "ac", false),
            ("??", "ab", true),
            ("*", "", true),
            ("?*", "", false),
            ("", "", true),
            ("", "x", false),
            (r"a\*c", "a*c", true),
            (r"a\*c", "abc", false),
            (r"a\?", "a?", true),
            (r"a\b", r"a\b", true),
            (r"a\\b", r"a\b", true),
            (r"a\\*", r"a\b", true),
            (r"a\\*", "a*", false),
            (r"a\\\*", r"a\*", true),
            (r"a\\\*", r"a\b", false),
            (r"\\\x", r"\\x", true),
            (r"\\\\x", r"\\x", true),
            ("straße*É", "STRASSE", false),
            ("ÜBER*é", "über uns É", true),
            ("*aab", "aaaab", true),
            ("*ab*ab", "abxab", true),
            ("*ab*ab", "ab", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn placements_and_case() {
        for (placement, cased, text, expected) in [
            (Placement::Contains, false, "xxABxx", true),
            (Placement::Contains, true, "xxABxx", false),
            (Placement::StartsWith, false, "abc", true),
            (Placement::StartsWith, false, "xab", false),
            (Placement::EndsWith, false, "xAB", true),
            (Placement::EndsWith, true, "xab", true),
            (Placement::EndsWith, true, "abx", false),
            (Placement::EndsWith, true, "b", false),
            (Placement::Whole, true, "ab", true),
            (Placement::Whole, false, "AB", true),
        ] {
            let pattern = Pattern::new(parts("ab"), placement, cased);
            assert_eq!(pattern.matches(text), expected, "{placement:?} {cased} {text}");
        }
    }

    #[test]
    fn dashes_stand_for_each_other() {
        let pattern = Pattern::new(with_dashes(parts(" -f /g")), Placement::Contains, false);
        for text in ["x -f /g", "x /f –g", "x —F ―G"] {
            assert!(pattern.matches(text), "{text}");
        }
        assert!(!pattern.matches("x f g"));
    }

    #[test]
    fn the_literal_is_in_every_text_that_fits() {
        let literal = |pattern: &str| {
            Pattern::new(parts(pattern), Placement::Contains, false).literal().map(str::to_owned)
        };
        assert_eq!(literal("a*bcd?e").as_deref(), Some("bcd"));
        assert_eq!(literal("Über").as_deref(), Some("ber"));
        assert_eq!(literal("*"), None);
        assert_eq!(literal("é"), None);
    }
}
