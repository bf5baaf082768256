//! The words of a text, as SQL takes it apart.

/// A word of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// A name or key word, in lower case.
    Name(String),
    /// A text in single quotes.
    Text(String),
    /// A sign, a number, or what is neither.
    Sign(String),
}

impl Word {
    /// Whether it is this key word or sign.
    pub(crate) fn is(&self, known: &str) -> bool {
        match self {
            Self::Name(name) => name == known,
            Self::Sign(sign) => sign == known,
            Self::Text(_) => false,
        }
    }

    /// Whether it can stand for a table of this name; the engine takes text for a name where only that fits.
    pub(crate) fn names(&self, table: &str) -> bool {
        match self {
            Self::Name(text) | Self::Text(text) => text.eq_ignore_ascii_case(table),
            Self::Sign(_) => false,
        }
    }
}

/// Takes a text apart. Comments are left out; of what has no end, the rest is one sign.
pub(crate) fn words(sql: &str) -> Vec<Word> {
    placed(sql).into_iter().map(|(_, word)| word).collect()
}

/// The same with the byte at which each begins.
pub(crate) fn placed(sql: &str) -> Vec<(usize, Word)> {
    let mut found = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let (word, length) = match first {
            _ if first.is_whitespace() => (None, first.len_utf8()),
            '-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => (None, rest.find("*/").map_or(rest.len(), |end| end + 2)),
            '\'' => quoted(rest, '\'', Word::Text),
            '"' => quoted(rest, '"', |name| Word::Name(name.to_ascii_lowercase())),
            '`' => quoted(rest, '`', |name| Word::Name(name.to_ascii_lowercase())),
            '[' => match rest.find(']') {
                Some(end) => (Some(Word::Name(rest[1..end].to_ascii_lowercase())), end + 1),
                None => (Some(Word::Sign(rest.to_owned())), rest.len()),
            },
            _ if first.is_alphabetic() || first == '_' => {
                let end =
                    rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(rest.len());
                // x'00' is a blob.
                if rest[end..].starts_with('\'') {
                    let (_, length) = quoted(&rest[end..], '\'', Word::Text);
                    (Some(Word::Sign(rest[..end + length].to_owned())), end + length)
                } else {
                    (Some(Word::Name(rest[..end].to_ascii_lowercase())), end)
                }
            }
            _ if first.is_ascii_digit() => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '.').unwrap_or(rest.len());
                (Some(Word::Sign(rest[..end].to_owned())), end)
            }
            _ => {
                let two = ["<=", ">=", "<>", "!=", "==", "||", "<<", ">>", "->"];
                let length = if two.iter().any(|sign| rest.starts_with(sign)) { 2 } else { first.len_utf8() };
                (Some(Word::Sign(rest[..length].to_owned())), length)
            }
        };
        let at = sql.len() - rest.len();
        found.extend(word.map(|word| (at, word)));
        rest = &rest[length..];
    }
    found
}

/// A quoted word, in which the quote stands doubled, and how long it is with its quotes.
fn quoted(rest: &str, quote: char, word: impl Fn(String) -> Word) -> (Option<Word>, usize) {
    let (mut text, mut characters) = (String::new(), rest.char_indices().skip(1).peekable());
    while let Some((at, character)) = characters.next() {
        if character != quote {
            text.push(character);
        } else if characters.next_if(|(_, next)| *next == quote).is_some() {
            text.push(quote);
        } else {
            return (Some(word(text)), at + quote.len_utf8());
        }
    }
    (Some(Word::Sign(rest.to_owned())), rest.len())
}
