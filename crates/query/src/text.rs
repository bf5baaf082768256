//! Tokens, phrases and wildcards: what searching text rests on. Stores call the small ones for every token
//! they write or read, so these may be compiled into their loops.

use std::borrow::Cow;

use super::{Phrase, TokenPattern, Wildcard, WildcardPart};

/// Whether a character belongs to a token: Unicode letters (the property Alphabetic), digits (the
/// category N) and `_`. The same class in Java's regular expressions: `[\p{IsAlphabetic}\p{N}_]`.
#[inline]
pub fn is_token_char(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The simple lower-case mapping, one character to one, as Lucene's lower-case filter has it; and what is the same
/// letter otherwise: of full-width letters and digits those of ASCII, of the final sigma any other. The analyzer of a
/// cluster is told of these.
#[inline]
pub fn lower(character: char) -> char {
    /// From a full-width form to its character of ASCII.
    const WIDE: u32 = 0xfee0;
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    match character {
        'ς' => 'σ',
        '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' => {
            char::from_u32(character as u32 - WIDE).unwrap_or(character).to_ascii_lowercase()
        }
        _ => character.to_lowercase().next().unwrap_or(character),
    }
}

/// A text in lower case, character by character; borrowed when it is so already.
#[inline]
pub fn lowered(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    if text.chars().all(|character| lower(character) == character) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(lower).collect())
}

/// The tokens of a text, lower-cased.
#[inline]
pub fn tokens(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    raw_tokens(text).map(lowered)
}

/// The tokens of a text as they stand in it.
#[inline]
pub fn raw_tokens(text: &str) -> RawTokens<'_> {
    RawTokens { rest: text }
}

/// The iterator of [`raw_tokens`].
#[derive(Debug, Clone)]
pub struct RawTokens<'a> {
    rest: &'a str,
}

impl<'a> Iterator for RawTokens<'a> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        let start = run(self.rest, false);
        let text = self.rest.get(start..)?;
        let end = run(text, true);
        let (token, rest) = text.split_at(end);
        self.rest = rest;
        (!token.is_empty()).then_some(token)
    }
}

/// Length in bytes of the longest start of `text` whose characters all belong to a token, or all do not.
fn run(text: &str, inside: bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte.is_ascii() {
            if (byte.is_ascii_alphanumeric() || byte == b'_') != inside {
                break;
            }
            at += 1;
        } else {
            match text[at..].chars().next() {
                Some(character) if is_token_char(character) == inside => at += character.len_utf8(),
                _ => break,
            }
        }
    }
    at
}

/// Whether `text`, lower-cased, is `lower_case`.
pub(crate) fn equals_lowered(text: &str, lower_case: &str) -> bool {
    if text.is_ascii() {
        return text.eq_ignore_ascii_case(lower_case) && text.len() == lower_case.len();
    }
    text.chars().map(lower).eq(lower_case.chars())
}

impl Phrase {
    /// The phrase of a text's tokens; None when it has none.
    pub fn of(text: &str) -> Option<Self> {
        let patterns: Vec<_> = tokens(text).map(|token| TokenPattern::Exact(token.into_owned())).collect();
        (!patterns.is_empty()).then_some(Self(patterns))
    }

    /// Whether these tokens stand somewhere in the text, one behind the other.
    pub fn matches(&self, text: &str) -> bool {
        let mut here = raw_tokens(text);
        loop {
            let mut attempt = here.clone();
            if self.0.iter().all(|pattern| attempt.next().is_some_and(|token| pattern.matches(token))) {
                return true;
            }
            if here.next().is_none() {
                return false;
            }
        }
    }
}

impl TokenPattern {
    /// Whether a token, in whatever case, is meant.
    #[inline]
    pub fn matches(&self, token: &str) -> bool {
        match self {
            Self::Exact(exact) => equals_lowered(token, exact),
            Self::Wildcard(wildcard) => wildcard.matches(token),
        }
    }
}

/// The characters of a text as written, and whether a backslash took the meaning from each. Letters and digits
/// have none, so before them it is a character itself, as in a path of Windows.
pub(crate) fn unescape(raw: &str) -> impl Iterator<Item = (char, bool)> + '_ {
    let mut characters = raw.chars().peekable();
    std::iter::from_fn(move || match characters.next()? {
        '\\' => match characters.next_if(|next| !next.is_alphanumeric()) {
            Some(escaped) => Some((escaped, true)),
            None => Some(('\\', false)),
        },
        plain => Some((plain, false)),
    })
}

impl Wildcard {
    /// From text in which `*` and `?` are wildcards and a backslash takes the meaning from the sign behind it.
    pub fn new(text: impl Into<String>, ignore_case: bool) -> Self {
        let text = text.into();
        let mut parts: Vec<WildcardPart> = Vec::new();
        for (character, is_escaped) in unescape(&text) {
            let literal = match character {
                '*' if !is_escaped => {
                    if parts.last() != Some(&WildcardPart::Many) {
                        parts.push(WildcardPart::Many);
                    }
                    continue;
                }
                '?' if !is_escaped => {
                    parts.push(WildcardPart::One);
                    continue;
                }
                other => other,
            };
            let literal = if ignore_case { lower(literal) } else { literal };
            match parts.last_mut() {
                Some(WildcardPart::Literal(run)) => run.push(literal),
                _ => parts.push(WildcardPart::Literal(literal.into())),
            }
        }
        Self { text, parts, ignore_case }
    }

    /// Whether the whole text fits the pattern.
    pub fn matches(&self, text: &str) -> bool {
        let (mut part, mut rest) = (0, text);
        // Where to try again: behind the last `*`, with one character more inside it.
        let mut retry: Option<(usize, &str)> = None;
        loop {
            let advanced = match self.parts.get(part) {
                None if rest.is_empty() => return true,
                None => None,
                Some(WildcardPart::Many) => {
                    part += 1;
                    if part == self.parts.len() {
                        return true;
                    }
                    retry = Some((part, rest));
                    continue;
                }
                Some(WildcardPart::One) => tail(rest),
                Some(WildcardPart::Literal(literal)) => self.strip(rest, literal),
            };
            if let Some(advanced) = advanced {
                rest = advanced;
                part += 1;
                continue;
            }
            let Some((again, from)) = retry.and_then(|(part, from)| Some((part, tail(from)?))) else {
                return false;
            };
            retry = Some((again, from));
            (part, rest) = (again, from);
        }
    }

    /// Whether every text fits.
    pub fn is_any(&self) -> bool {
        !self.parts.is_empty() && self.parts.iter().all(|part| *part == WildcardPart::Many)
    }

    /// Whether it is a text and a `*` behind it.
    pub fn is_prefix(&self) -> bool {
        matches!(self.parts.as_slice(), [WildcardPart::Literal(_), WildcardPart::Many])
    }

    /// The literal text that everything matching begins with, in lower case when case is ignored.
    pub fn prefix(&self) -> &str {
        match self.parts.first() {
            Some(WildcardPart::Literal(literal)) => literal,
            _ => "",
        }
    }

    fn strip<'t>(&self, text: &'t str, literal: &str) -> Option<&'t str> {
        if !self.ignore_case {
            return text.strip_prefix(literal);
        }
        let mut rest = text.chars();
        for expected in literal.chars() {
            if rest.next().map(lower) != Some(expected) {
                return None;
            }
        }
        Some(rest.as_str())
    }
}

/// All but the first character.
fn tail(text: &str) -> Option<&str> {
    let mut characters = text.chars();
    characters.next()?;
    Some(characters.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tokens_are_runs_of_letters_digits_and_underscores() {
        for (text, expected) in [
            ("", &[][..]),
            (" -- ", &[]),
            (
                "Failed password for root from 10.0.0.1 port 22",
                &["failed", "password", "for", "root", "from", "10", "0", "0", "1", "port", "22"],
            ),
            ("user_id=42;x", &["user_id", "42", "x"]),
            ("Straße ÜBER Ωmega №5 ½ 北京—上海", &["straße", "über", "ωmega", "5", "½", "北京", "上海"]),
            ("İSTANBUL ΣΑΣ σας", &["istanbul", "σασ", "σασ"]),
            ("１２ＡＢｙｚ＿x", &["12abyz", "x"]),
            ("a\u{0}b\nc", &["a", "b", "c"]),
        ] {
            assert_eq!(tokens(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn wildcards_cover_the_whole_text() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("?", "", false),
            ("?", "é", true),
            ("err*", "error", true),
            ("err*", "terror", false),
            ("*err*", "terror", true),
            ("e?r*r", "error", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("*ab", "aab", true),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("a**b", "axb", true),
            ("C:\\Win*", "C:\\Windows", true),
            ("C:\\\\Win*", "C:\\Windows", true),
        ] {
            assert_eq!(Wildcard::new(pattern, false).matches(text), expected, "{pattern} {text}");
        }
        assert!(Wildcard::new("ÜB*", true).matches("über"));
        assert!(!Wildcard::new("ÜB*", false).matches("über"));
    }

    #[test]
    fn wildcards_tell_what_they_begin_with() {
        // Whether every text fits, whether it is a text with `*` behind it, and the text that all begin with.
        for (pattern, is_any, is_prefix, prefix) in [
            ("", false, false, ""),
            ("*", true, false, ""),
            ("**", true, false, ""),
            ("?", false, false, ""),
            ("*?", false, false, ""),
            ("Err", false, false, "err"),
            ("Err*", false, true, "err"),
            ("Err**", false, true, "err"),
            ("Err\\**", false, true, "err*"),
            ("Err\\*", false, false, "err*"),
            ("Err?", false, false, "err"),
            ("Err*r", false, false, "err"),
            ("Err*r*", false, false, "err"),
            ("*Err", false, false, ""),
            ("*Err*", false, false, ""),
            ("?rr*", false, false, ""),
        ] {
            let wildcard = Wildcard::new(pattern, true);
            assert_eq!(
                (wildcard.is_any(), wildcard.is_prefix(), wildcard.prefix()),
                (is_any, is_prefix, prefix),
                "{pattern}"
            );
        }
        assert_eq!(Wildcard::new("Err*", false).prefix(), "Err");
    }

    #[test]
    fn phrases_are_consecutive_tokens() {
        for (phrase, text, expected) in [
            ("failed password", "Failed password for root", true),
            ("password failed", "Failed password for root", false),
            ("failed for", "Failed password for root", false),
            ("10.0.0.1", "from 10 0 0 1", true),
            ("10.0.0.1", "from 10.0.0.12", false),
            ("a a b", "a a a b", true),
        ] {
            assert_eq!(Phrase::of(phrase).unwrap().matches(text), expected, "{phrase} in {text}");
        }
        assert_eq!(Phrase::of("-- !"), None);
    }

    proptest! {
        #[test]
        fn tokens_agree_with_the_plain_definition(text in ".{0,60}") {
            let plain: Vec<String> = text
                .split(|character: char| !is_token_char(character))
                .filter(|token| !token.is_empty())
                .map(|token| token.chars().map(lower).collect())
                .collect();
            prop_assert_eq!(tokens(&text).collect::<Vec<_>>(), plain.clone());
            for token in &plain {
                prop_assert!(Phrase::of(token).is_some_and(|phrase| phrase.matches(&text)));
            }
        }

        #[test]
        fn wildcards_agree_with_recursion(pattern in "[ab*?]{0,8}", text in "[abc]{0,8}") {
            fn plain(pattern: &[u8], text: &[u8]) -> bool {
                match (pattern.split_first(), text.split_first()) {
                    (None, _) => text.is_empty(),
                    (Some((b'*', rest)), _) => {
                        plain(rest, text) || (!text.is_empty() && plain(pattern, &text[1..]))
                    }
                    (Some((b'?', rest)), Some((_, tail))) => plain(rest, tail),
                    (Some((byte, rest)), Some((first, tail))) => byte == first && plain(rest, tail),
                    (Some(_), None) => false,
                }
            }
            prop_assert_eq!(
                Wildcard::new(pattern.as_str(), false).matches(&text),
                plain(pattern.as_bytes(), text.as_bytes())
            );
        }
    }
}
