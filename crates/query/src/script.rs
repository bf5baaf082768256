//! Words of scripts that have no blanks between words.

use super::{Phrase, TokenPattern, Wildcard};

/// Whether words of the character's script stand without blanks: Chinese, Japanese, Korean, Thai, Lao, Burmese, Khmer.
/// Korean has blanks, but ends words with what other languages put before them.
fn is_unspaced(character: char) -> bool {
    matches!(
        character,
        '\u{e00}'..='\u{eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1100}'..='\u{11ff}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{2e80}'..='\u{9fff}'
            | '\u{a960}'..='\u{a97f}'
            | '\u{ac00}'..='\u{d7ff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{ff66}'..='\u{ffdc}'
            | '\u{1b000}'..='\u{1b16f}'
            | '\u{20000}'..='\u{3ffff}'
    )
}

impl Phrase {
    /// As people mean it: a sentence of such a script is one token, so a word of it may begin and end within one.
    pub(crate) fn within_sentences(mut self) -> Self {
        let last = self.0.len().saturating_sub(1);
        for (at, pattern) in self.0.iter_mut().enumerate() {
            let TokenPattern::Exact(token) = pattern else { continue };
            if (at == 0 || at == last) && token.contains(is_unspaced) {
                let before = if at == 0 { "*" } else { "" };
                let behind = if at == last { "*" } else { "" };
                *pattern = TokenPattern::Wildcard(Wildcard::new(format!("{before}{token}{behind}"), true));
            }
        }
        self
    }
}
