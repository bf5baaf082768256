//! A token looked for in many texts at once: those of a block stand one behind the other.

use std::ops::Range;

use memchr::{memchr2_iter, memmem};
use query::{TokenPattern, raw_tokens};

/// Letters, digits and `_` by falling frequency, about as logs have them.
const BY_FREQUENCY: &[u8] = b"etaoinsr0123456789hldcumfpgwy_bvkxjqz";

/// A token, made ready to be looked for.
#[derive(Debug)]
pub(super) struct Needle {
    /// In lower case.
    token: String,
    pattern: TokenPattern,
    search: Search,
}

#[derive(Debug)]
enum Search {
    /// It has no letters, so one case.
    Caseless(Box<memmem::Finder<'static>>),
    /// The place in it of the letter that is the least frequent.
    Letters(usize),
    /// It is not of ASCII.
    Other,
}

impl Needle {
    pub(super) fn new(token: &str) -> Self {
        let rank = |byte: u8| BY_FREQUENCY.iter().position(|known| *known == byte);
        let search = if !token.is_ascii() || token.is_empty() {
            Search::Other
        } else if token.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            let rarest = token.bytes().enumerate().max_by_key(|(_, byte)| rank(*byte));
            Search::Letters(rarest.map_or(0, |(at, _)| at))
        } else {
            Search::Caseless(Box::new(memmem::Finder::new(token).into_owned()))
        };
        Self { token: token.to_owned(), pattern: TokenPattern::Exact(token.to_owned()), search }
    }

    /// Where it stands next from a place on, in whatever case and not only as a token, if it is of ASCII.
    pub(super) fn find(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        let rest = text.get(from..)?;
        let length = self.token.len();
        let at = match &self.search {
            Search::Caseless(finder) => finder.find(rest)?,
            Search::Letters(rare) => {
                let byte = *self.token.as_bytes().get(*rare)?;
                let mut starts = memchr2_iter(byte, byte.to_ascii_uppercase(), rest);
                starts.find_map(|at| {
                    let start = at.checked_sub(*rare)?;
                    let here = rest.get(start..start + length)?;
                    here.eq_ignore_ascii_case(self.token.as_bytes()).then_some(start)
                })?
            }
            Search::Other => return None,
        };
        Some(from + at..from + at + length)
    }

    /// Whether it may be a token of a text, seen without taking that apart.
    pub(super) fn may_be_in(&self, text: &str) -> bool {
        !text.is_ascii() || self.find(text.as_bytes(), 0).is_some()
    }

    /// Whether it is a token of a text.
    pub(super) fn is_in(&self, text: &str) -> bool {
        raw_tokens(text).any(|token| self.pattern.matches(token))
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn what_is_found_is_where_it_stands(
            token in prop_oneof!["[0-9]{1,3}", "[a-z_0-9]{1,4}", "[äk]{1,2}"],
            pieces in vec(prop_oneof!["[a-zA-Z0-9_ .]{0,5}", "[äKÄ\u{212a}]{0,2}"], 0..6),
            at in 0usize..8,
        ) {
            let needle = Needle::new(&token);
            let text = pieces.join(&token) + &pieces.join(" ");
            prop_assert!(needle.may_be_in(&text) || !needle.is_in(&text));
            if token.is_ascii() {
                let (bytes, length) = (text.as_bytes(), token.len());
                let stands = |start: &usize| bytes[*start..start + length].eq_ignore_ascii_case(token.as_bytes());
                let expected = (at..(bytes.len() + 1).saturating_sub(length)).find(stands);
                prop_assert_eq!(needle.find(bytes, at), expected.map(|start| start..start + length));
            }
        }
    }

    #[test]
    fn a_token_is_told_from_a_part_of_one() {
        for (token, text, is_in) in [
            ("17", "took 17 ms", true),
            ("17", "took 170 ms", false),
            ("root", "user=ROOT", true),
            ("root", "user=root2", false),
            ("17", "number \u{ff11}\u{ff17}", true),
            ("k", "273 \u{212a}", true),
        ] {
            let needle = Needle::new(token);
            assert_eq!(needle.is_in(text), is_in, "{token} in {text}");
            assert!(needle.may_be_in(text), "{token} in {text}");
        }
    }
}
