//! The parser: recursive descent over the text, no further than the limits allow.

use event::FieldKind;

use super::{
    Clock, Query, resolve,
    text::unescape,
    typed::{Comparison, Typed},
    words::{self, only_stars},
};

/// How many bytes a query may have.
pub const LENGTH_MAX: usize = 16 * 1024;
/// How many words, phrases and tests a query may have.
pub const CLAUSES_MAX: usize = 512;
/// How deep parentheses and negations may be nested.
pub const DEPTH_MAX: usize = 32;

/// How many regular expressions a query may have.
pub const EXPRESSIONS_MAX: usize = 16;

/// A text that is no query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("query, column {column}: {reason}")]
pub struct QueryError {
    /// Where, in characters from 1.
    pub column: usize,
    /// What is wrong and what was expected.
    pub reason: String,
}

impl Query {
    /// Parses a query; times such as `now-15m` are taken from the clock, and so is the zone of those that name none.
    ///
    /// # Errors
    /// When the text is no query or exceeds a limit; the error names the column and what was expected.
    pub fn parse(text: &str, clock: impl Into<Clock>) -> Result<Self, QueryError> {
        let mut parser = Parser { text, at: 0, depth: 0, clauses: 0, expressions: 0, clock: clock.into() };
        if text.len() > LENGTH_MAX {
            return parser.fail(0, format!("the query is longer than {LENGTH_MAX} bytes"));
        }
        parser.skip_space();
        if parser.rest().is_empty() {
            return Ok(Self::All);
        }
        let query = parser.any_of(None)?;
        match parser.rest().chars().next() {
            None => Ok(query),
            Some(_) => parser.fail(parser.at, "this ')' closes nothing; remove it or put '(' before"),
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    /// Byte offset of what comes next.
    at: usize,
    depth: usize,
    clauses: usize,
    expressions: usize,
    clock: Clock,
}

/// A field whose values are being read.
struct Target<'t> {
    /// As written, for messages.
    name: &'t str,
    path: String,
    kind: FieldKind,
}

/// A run of characters up to blank, parenthesis or quote.
struct Word<'t> {
    raw: &'t str,
    start: usize,
}

fn plain(raw: &str) -> String {
    unescape(raw).map(|(character, _)| character).collect()
}

fn has_wildcard(raw: &str) -> bool {
    unescape(raw).any(|(character, escaped)| !escaped && matches!(character, '*' | '?'))
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn fail<T>(&self, at: usize, reason: impl Into<String>) -> Result<T, QueryError> {
        let before = self.text.get(..at).unwrap_or(self.text);
        Err(QueryError { column: before.chars().count() + 1, reason: reason.into() })
    }

    /// Takes an operator word when it stands here alone.
    fn operator(&mut self, word: &str, sign: &str) -> bool {
        let rest = self.rest();
        let alone =
            |tail: &str| tail.chars().next().is_none_or(|next| next.is_whitespace() || "()\"".contains(next));
        let taken = if rest.strip_prefix(word).is_some_and(alone) {
            word.len()
        } else if !sign.is_empty() && rest.starts_with(sign) {
            sign.len()
        } else {
            return false;
        };
        self.at += taken;
        self.skip_space();
        true
    }

    /// Counts one level of nesting for the duration of `inner`.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, QueryError>) -> Result<T, QueryError> {
        if self.depth == DEPTH_MAX {
            return self.fail(self.at, format!("the query is nested more than {DEPTH_MAX} levels deep"));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn any_of(&mut self, target: Option<&Target<'_>>) -> Result<Query, QueryError> {
        let mut parts = vec![self.all_of(target)?];
        while self.operator("OR", "||") {
            parts.push(self.all_of(target)?);
        }
        Ok(Query::or(parts))
    }

    fn all_of(&mut self, target: Option<&Target<'_>>) -> Result<Query, QueryError> {
        let mut parts = vec![self.negation(target)?];
        loop {
            let explicit = self.operator("AND", "&&");
            let here = self.at;
            let ends = self.rest().is_empty() || self.rest().starts_with(')');
            if !explicit && (ends || self.operator("OR", "||")) {
                self.at = here;
                return Ok(Query::and(parts));
            }
            parts.push(self.negation(target)?);
        }
    }

    fn negation(&mut self, target: Option<&Target<'_>>) -> Result<Query, QueryError> {
        let rest = self.rest();
        let minus = rest.strip_prefix('-').is_some_and(|tail| {
            let number = target
                .is_some_and(|target| matches!(target.kind, FieldKind::Long | FieldKind::Double))
                && tail.starts_with(|next: char| next.is_ascii_digit() || next == '.');
            // `--verbose` is text.
            !number && tail.starts_with(|next: char| !next.is_whitespace() && next != '-')
        });
        if self.operator("NOT", "!") || (minus && self.operator("-", "-")) {
            return self.nested(|parser| Ok(Query::Not(Box::new(parser.negation(target)?))));
        }
        self.primary(target)
    }

    fn primary(&mut self, target: Option<&Target<'_>>) -> Result<Query, QueryError> {
        let here = self.at;
        self.clauses += 1;
        if self.clauses > CLAUSES_MAX {
            return self.fail(here, format!("the query has more than {CLAUSES_MAX} terms"));
        }
        for (word, sign) in [("AND", "&&"), ("OR", "||")] {
            if self.operator(word, sign) {
                let reason = "something to search for was expected before this; put it in quotes to search for the word";
                return self.fail(here, reason);
            }
        }
        let query = match self.rest().chars().next() {
            None => {
                return self
                    .fail(here, "the query ends where a word, \"phrase\" or field:value was expected");
            }
            Some(')') => {
                return self.fail(here, "a word, \"phrase\" or field:value was expected before this ')'");
            }
            Some('(') => self.group(target)?,
            Some(_) => match target {
                Some(target) => self.value(target)?,
                None if self.rest().starts_with('"') => {
                    let quoted = self.quoted()?;
                    match self.rest().starts_with(':') {
                        true => self.quoted_field(here, &quoted)?,
                        false => self.phrase(here, quoted.chars().map(|character| (character, true)))?,
                    }
                }
                None => self.word_or_field()?,
            },
        };
        self.skip_space();
        Ok(query)
    }

    fn group(&mut self, target: Option<&Target<'_>>) -> Result<Query, QueryError> {
        let opened = self.at;
        self.at += 1;
        self.skip_space();
        let query = self.nested(|parser| parser.any_of(target))?;
        if !self.rest().starts_with(')') {
            return self.fail(opened, "this '(' is never closed; add ')'");
        }
        self.at += 1;
        Ok(query)
    }

    /// A word up to a blank, parenthesis, quote, `&&` or `||`, and in a range up to its end.
    fn word(&mut self, in_range: bool) -> Result<Word<'t>, QueryError> {
        let start = self.at;
        let rest = self.rest();
        let mut escaped = false;
        let mut end = rest.len();
        for (at, character) in rest.char_indices() {
            if escaped {
                escaped = false;
                continue;
            }
            let ends = match character {
                '\\' => {
                    escaped = true;
                    false
                }
                '(' | ')' | '"' => true,
                ']' | '}' => in_range,
                '&' | '|' => rest[at + 1..].starts_with(character),
                other => other.is_whitespace(),
            };
            if ends {
                end = at;
                break;
            }
        }
        if escaped {
            return self.fail(start + rest.len() - 1, "a character was expected after this backslash");
        }
        self.at += end;
        Ok(Word { raw: &rest[..end], start })
    }

    fn quoted(&mut self) -> Result<String, QueryError> {
        self.quoted_as_written().map(plain)
    }

    fn quoted_as_written(&mut self) -> Result<&'t str, QueryError> {
        let opened = self.at;
        let within = &self.text[opened + 1..];
        let mut is_escaped = false;
        let end = within.char_indices().find(|(_, character)| {
            let is_end = *character == '"' && !is_escaped;
            is_escaped = *character == '\\' && !is_escaped;
            is_end
        });
        match end {
            Some((end, _)) => {
                self.at = opened + 1 + end + 1;
                Ok(&within[..end])
            }
            None if within.ends_with("\\\"") => {
                self.fail(opened, "this quote is never closed: a backslash before a quote makes it a character; double the backslash")
            }
            None => self.fail(opened, "this quote is never closed; add '\"'"),
        }
    }

    /// What stands behind `"a name"`, which may have any sign in it.
    fn quoted_field(&mut self, at: usize, name: &str) -> Result<Query, QueryError> {
        if name.is_empty() {
            return self.fail(at, "the name of a field was expected within these quotes");
        }
        self.field(&self.text[at..self.at], name)
    }

    /// What stands behind the colon that comes next, of a field as written and as meant.
    fn field(&mut self, written: &'t str, name: &str) -> Result<Query, QueryError> {
        self.at += 1;
        let path = resolve(name).into_owned();
        let kind = FieldKind::of(&path);
        let target = Target { name: written, path, kind };
        match self.rest().starts_with('(') {
            true => self.group(Some(&target)),
            false => self.value(&target),
        }
    }

    fn word_or_field(&mut self) -> Result<Query, QueryError> {
        let word = self.word(false)?;
        if let Some(colon) = field_end(word.raw) {
            let raw_name = &word.raw[..colon];
            if has_wildcard(raw_name) {
                return self.fail(word.start, "a field name takes no '*' or '?'; name the field in full");
            }
            self.at = word.start + colon;
            return self.field(raw_name, &plain(raw_name));
        }
        if only_stars(word.raw) {
            return Ok(Query::All);
        }
        self.phrase(word.start, unescape(word.raw))
    }

    /// The phrase of the tokens in some text; `*` and `?` belong to tokens unless escaped.
    fn phrase(&self, at: usize, text: impl Iterator<Item = (char, bool)>) -> Result<Query, QueryError> {
        match words::query(text) {
            Some(query) => Ok(query),
            None => {
                self.fail(at, "this has no letter, digit or '_', of which the words of a message are made")
            }
        }
    }

    /// What stands behind `field:`, or within `field:( )`.
    fn value(&mut self, target: &Target<'_>) -> Result<Query, QueryError> {
        let here = self.at;
        let rest = self.rest();
        let comparison = [
            (">=", Comparison::AtLeast),
            ("<=", Comparison::AtMost),
            (">", Comparison::Above),
            ("<", Comparison::Below),
        ];
        if let Some((sign, comparison)) = comparison.into_iter().find(|(sign, _)| rest.starts_with(sign)) {
            self.at += sign.len();
            let at = self.at;
            let bound = self.bound(target, false)?;
            let Some(bound) = bound else {
                return self.fail(at, format!("a value was expected after '{sign}', not '*'"));
            };
            return self.typed(target, here, |typed| typed.compare(comparison, &bound));
        }
        if rest.starts_with("~\"") {
            return self.expression(target);
        }
        // `~/` begins the path of a home.
        if rest.strip_prefix('~').is_some_and(|rest| {
            rest.starts_with(|next: char| next != '/' && next != ')' && !next.is_whitespace())
        }) {
            let name = target.name;
            return self.fail(
                here,
                format!("a regular expression stands in quotes, {name}:~\"…\"; for the sign itself write {name}:\\~"),
            );
        }
        match rest.chars().next() {
            Some('[' | '{') => self.range(target),
            Some('"') => {
                let text = self.quoted()?;
                if target.kind == FieldKind::Text {
                    return self.phrase(here, text.chars().map(|character| (character, true)));
                }
                self.typed(target, here, |typed| typed.equals(&text))
            }
            _ => {
                let word = self.word(false)?;
                if word.raw.is_empty() {
                    let name = target.name;
                    return self.fail(
                        here,
                        format!("a value was expected right after '{name}:'; to search messages for it, write \"{name}\""),
                    );
                }
                if target.kind == FieldKind::Text {
                    return match only_stars(word.raw) {
                        true => Ok(Query::All),
                        false => self.phrase(here, unescape(word.raw)),
                    };
                }
                if only_stars(word.raw) {
                    return self.typed(target, here, |typed| typed.exists());
                }
                if has_wildcard(word.raw) {
                    return self.typed(target, here, |typed| typed.wildcard(word.raw));
                }
                self.typed(target, here, |typed| typed.equals(&plain(word.raw)))
            }
        }
    }

    fn expression(&mut self, target: &Target<'_>) -> Result<Query, QueryError> {
        let here = self.at;
        self.expressions += 1;
        if self.expressions > EXPRESSIONS_MAX {
            return self.fail(here, format!("the query has more than {EXPRESSIONS_MAX} regular expressions"));
        }
        self.at += 1;
        let text = self.quoted_as_written()?;
        self.typed(target, here, |typed| typed.finds(text))
    }

    /// Lets the field's kind decide; its refusal becomes an error at this column.
    fn typed(
        &self,
        target: &Target<'_>,
        at: usize,
        make: impl FnOnce(&Typed<'_>) -> Result<Query, String>,
    ) -> Result<Query, QueryError> {
        let typed = Typed { path: &target.path, kind: target.kind, clock: &self.clock };
        make(&typed).or_else(|reason| self.fail(at, reason))
    }

    /// One end of a range; None for `*`.
    fn bound(&mut self, target: &Target<'_>, in_range: bool) -> Result<Option<String>, QueryError> {
        if self.rest().starts_with('"') {
            return self.quoted().map(Some);
        }
        let word = self.word(in_range)?;
        if word.raw == "*" {
            return Ok(None);
        }
        if word.raw.is_empty() || (in_range && word.raw == "TO") {
            return self.fail(
                word.start,
                format!("a value or '*' was expected here, to compare {} with", target.name),
            );
        }
        if has_wildcard(word.raw) {
            return self.fail(word.start, "the end of a range takes no '*' or '?' within a value");
        }
        Ok(Some(plain(word.raw)))
    }

    fn range(&mut self, target: &Target<'_>) -> Result<Query, QueryError> {
        let opened = self.at;
        let from_included = self.rest().starts_with('[');
        self.at += 1;
        self.skip_space();
        let from = self.bound(target, true)?;
        self.skip_space();
        match self.rest().strip_prefix("TO") {
            Some(tail) if tail.starts_with(char::is_whitespace) => self.at += 2,
            _ => return self.fail(self.at, "TO was expected here, as in [1 TO 5]"),
        }
        self.skip_space();
        let to = self.bound(target, true)?;
        self.skip_space();
        let to_included = match self.rest().chars().next() {
            Some(']') => true,
            Some('}') => false,
            _ => {
                return self
                    .fail(opened, "this range is never closed; add ']' (inclusive) or '}' (exclusive)");
            }
        };
        self.at += 1;
        self.typed(target, opened, |typed| {
            typed.range(
                from.as_deref().map(|text| (text, from_included)),
                to.as_deref().map(|text| (text, to_included)),
            )
        })
    }
}

/// Where the colon stands that ends a field name; None when the word is no `field:…`.
fn field_end(raw: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in raw.char_indices() {
        let first = at == 0;
        match character {
            _ if escaped => escaped = false,
            // `DOMAIN\user:x` is text.
            '\\' if raw[at + 1..].starts_with(char::is_alphanumeric) => return None,
            '\\' => escaped = true,
            ':' => {
                let behind = &raw[at + 1..];
                // `http://…` is text, not a field called http, and `C:\Windows` none called C.
                let is_drive = at == 1
                    && behind.strip_prefix('\\').is_some_and(|path| path.starts_with(char::is_alphanumeric));
                return (!first && !behind.starts_with("//") && !is_drive).then_some(at);
            }
            _ if first && !(character.is_alphabetic() || matches!(character, '_' | '@' | '*' | '?')) => {
                return None;
            }
            _ if character.is_alphanumeric() || "_.@-/*?".contains(character) => {}
            _ => return None,
        }
    }
    None
}
