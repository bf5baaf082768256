//! From text as it is written to the words that it searches messages for.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

use super::{
    Phrase, Query, TokenPattern, Wildcard,
    text::{is_token_char, lowered},
};

/// The search for the tokens of a text, of whose characters each says whether it lost its meaning; `*` and `?` belong
/// to tokens unless they did. None where there is no token.
///
/// A letter with an accent may stand in messages as one character or as two, of which the second is no letter: both
/// are searched for, unless there are wildcards.
pub(crate) fn query(text: impl Iterator<Item = (char, bool)>) -> Option<Query> {
    let plain = |(character, is_escaped)| if is_escaped && is_wildcard(character) { ' ' } else { character };
    let text: String = text.map(plain).collect();
    if text.is_ascii() {
        return search(&text);
    }
    let compose = ComposingNormalizerBorrowed::new_nfc();
    let text = lowered(&compose.normalize(&text)).into_owned();
    let composed = search(&text)?;
    if !composed.is_exact() {
        return Some(composed);
    }
    let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(&text);
    // Accents gone, syllables of Korean are put together again.
    let apart: String = decomposed.chars().map(|each| if is_token_char(each) { each } else { ' ' }).collect();
    let decomposed = search(&compose.normalize(&apart));
    Some(Query::or(std::iter::once(composed).chain(decomposed).collect()))
}

impl Query {
    /// Whether it is a phrase without wildcards.
    fn is_exact(&self) -> bool {
        let is_exact = |pattern: &TokenPattern| matches!(pattern, TokenPattern::Exact(_));
        matches!(self, Self::Message(phrase) if phrase.0.iter().all(is_exact))
    }
}

fn search(text: &str) -> Option<Query> {
    let mut patterns = Vec::new();
    for token in text.split(|character| !is_token_char(character) && !is_wildcard(character)) {
        if token.is_empty() {
            continue;
        }
        let lower_case = lowered(token).into_owned();
        patterns.push(match token.contains(is_wildcard) {
            true => TokenPattern::Wildcard(Wildcard::new(lower_case, true)),
            false => TokenPattern::Exact(lower_case),
        });
    }
    match patterns.as_slice() {
        [] => None,
        [TokenPattern::Wildcard(wildcard)] if only_stars(&wildcard.text) => Some(Query::All),
        _ => Some(Query::Message(Phrase(patterns).within_sentences())),
    }
}

fn is_wildcard(character: char) -> bool {
    matches!(character, '*' | '?')
}

/// Whether everything fits.
pub(crate) fn only_stars(raw: &str) -> bool {
    !raw.is_empty() && raw.bytes().all(|byte| byte == b'*')
}
