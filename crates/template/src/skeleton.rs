//! What groups messages: the fixed words of a message, with everything that may vary taken out.
//!
//! Made once for every new shape, so it may look at more than the scanner does.

use event::{Variable, VariableKind};

use crate::{
    hash::Hash,
    kinds::{ALNUM, ALPHA, CLASS},
};

/// Tokens looked at; what follows is one wildcard.
const TOKENS_MAX: usize = 96;
/// The longest word taken as fixed, in bytes.
const WORD_MAX: usize = 64;

/// What stands at one place of a skeleton.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// Whether white space stands before it.
    pub(crate) space: bool,
    /// Whether it varies; then `text` only says how it reads.
    pub(crate) wild: bool,
    /// The word, or how the wildcard reads: `<int>`, `<ip>:<int>`.
    pub(crate) text: String,
    /// Where it stands in the message it was made from.
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// The skeleton of a message and its variables.
pub(crate) fn skeleton(message: &str, variables: &[Variable]) -> Vec<Token> {
    let mut tokens = split(message, variables);
    header(&mut tokens);
    values(&mut tokens);
    units(&mut tokens);
    collapse(&mut tokens);
    if let Some(first) = tokens.first_mut() {
        first.space = false;
    }
    tokens
}

/// The hash of a token at its place; a wildcard counts as such, however it reads.
///
/// The key of a skeleton is the wrapping sum of these, so that the key with another token at one
/// place costs one subtraction and one addition.
pub(crate) fn part(at: usize, space: bool, word: Option<&str>) -> u64 {
    let mut hash = Hash::new();
    hash.number((at as u64) << 2 | u64::from(space) << 1 | u64::from(word.is_none()));
    if let Some(word) = word {
        hash.text(word.as_bytes());
    }
    hash.finish()
}

/// The readable text; wildcards that have come to stand side by side are one.
pub(crate) fn text(tokens: &[Token]) -> String {
    let mut tokens = tokens.to_vec();
    collapse(&mut tokens);
    let mut text = String::with_capacity(tokens.iter().map(|token| token.text.len() + 1).sum());
    for token in &tokens {
        if token.space && !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&token.text);
    }
    text
}

/// How a wildcard reads that reads now one way, now the other.
pub(crate) fn join(one: &str, other: &str) -> String {
    if one == other {
        return one.to_owned();
    }
    let number = |text: &str| text.replace("<int>", "<num>");
    if number(one) == number(other) {
        return number(one);
    }
    "<*>".to_owned()
}

/// Cuts a message into words, marks and wildcards. A word that a variable touches is one wildcard with it.
fn split(message: &str, variables: &[Variable]) -> Vec<Token> {
    let bytes = message.as_bytes();
    let mut tokens: Vec<Token> = Vec::new();
    let mut variables = variables.iter().peekable();
    let (mut at, mut space) = (0, false);
    while at < bytes.len() {
        if tokens.len() >= TOKENS_MAX {
            tokens.push(Token {
                space,
                wild: true,
                text: "<*>".to_owned(),
                start: at as u32,
                end: bytes.len() as u32,
            });
            break;
        }
        let start = at;
        let (mut text, mut literal, mut wild) = (String::new(), at, false);
        loop {
            if let Some(variable) = variables.peek()
                && variable.start as usize == at
            {
                text.push_str(&message[literal..at]);
                read(&mut text, variable.kind);
                at = variable.end as usize;
                literal = at;
                wild = true;
                variables.next();
                continue;
            }
            if at >= bytes.len() || CLASS[bytes[at] as usize] == 0 {
                break;
            }
            at += 1;
        }
        if at > start {
            text.push_str(&message[literal..at]);
            wild |= text.len() > WORD_MAX || text.bytes().any(|byte| byte.is_ascii_digit()) || varying(&text);
            if text.len() > WORD_MAX {
                text = "<*>".to_owned();
            } else if wild {
                // The full stop of a sentence is no part of the value before it.
                while text.len() > 1 && text.ends_with('.') {
                    text.pop();
                }
            }
            tokens.push(Token { space, wild, text, start: start as u32, end: at as u32 });
            space = false;
        } else if bytes[at].is_ascii_whitespace() || bytes[at] == 0 {
            space = true;
            at += 1;
        } else {
            let text = char::from(bytes[at]).to_string();
            tokens.push(Token { space, wild: false, text, start: at as u32, end: at as u32 + 1 });
            space = false;
            at += 1;
        }
    }
    tokens
}

/// Appends how a variable reads; signs before numbers and the slash before an address are left out.
fn read(text: &mut String, kind: VariableKind) {
    let last = text.as_bytes().last().copied();
    let before = text.len().checked_sub(2).and_then(|at| text.as_bytes().get(at)).copied().unwrap_or(b' ');
    let number = matches!(kind, VariableKind::Integer | VariableKind::Number);
    let signed =
        number && matches!(last, Some(b'-' | b'+')) && CLASS[before as usize] & ALNUM == 0 && before != b'>';
    if signed || kind == VariableKind::Ip && text == "/" {
        text.pop();
    }
    text.push('<');
    text.push_str(kind.as_str());
    text.push('>');
}

/// Whether a word without digits is a value by its look: a truth value, a dotted name, a file.
fn varying(word: &str) -> bool {
    if matches!(word, "true" | "false" | "null" | "True" | "False" | "NULL" | "None" | "nil") {
        return true;
    }
    let bytes = word.as_bytes();
    let Some(dot) = memchr::memrchr(b'.', bytes) else { return false };
    if dot == 0 || dot + 1 == bytes.len() {
        return false;
    }
    let ending = &word[dot + 1..];
    if matches!(
        ending,
        "exe" | "dll" | "jar" | "log" | "conf" | "xml" | "txt" | "tmp" | "json" | "yaml" | "sh" | "py"
    ) {
        return true;
    }
    let labels = word.split('.');
    word.contains('/') || labels.clone().count() > 2 && labels.clone().all(|label| !label.is_empty())
}

/// Takes out what stands before the message proper in a raw line: after a time near the start, a
/// host and a tag as in RFC 3164, and a bracketed group with something varying in it.
fn header(tokens: &mut Vec<Token>) {
    let Some(time) = tokens.iter().take(14).rposition(|token| token.wild && token.text == "<time>") else {
        return;
    };
    let behind = time + 1;
    // Host, tag and the colon that ends it.
    if tokens
        .get(behind)
        .is_some_and(|host| host.space && (host.wild || CLASS[host.text.as_bytes()[0] as usize] != 0))
    {
        let mut at = behind + 1;
        // A host may be several tokens joined without space.
        while tokens.get(at).is_some_and(|token| !token.space) && at < behind + 6 {
            at += 1;
        }
        let tag = at;
        while tokens.get(at).is_some_and(|token| at == tag || !token.space && token.text != ":")
            && at < tag + 16
        {
            at += 1;
        }
        let ends = tokens.get(at).is_some_and(|token| !token.space && token.text == ":")
            && tokens.get(at + 1).is_none_or(|token| token.space);
        let named = tokens.get(tag).is_some_and(|token| token.space && (token.wild || token.text.len() > 1));
        if ends && named && at > tag {
            let (start, end) = (tokens[0].start, tokens[at - 1].end);
            let text = "<*>".to_owned();
            tokens.splice(..at, [Token { space: false, wild: true, text, start, end }]);
            return;
        }
    }
    let mut at = behind;
    while at < tokens.len().min(behind + 8) {
        if tokens[at].text == "[" && tokens[at].space {
            let (mut depth, mut end, mut wild) = (0, at, false);
            while let Some(token) = tokens.get(end) {
                wild |= token.wild;
                match token.text.as_str() {
                    "[" => depth += 1,
                    "]" => depth -= 1,
                    _ => {}
                }
                if depth == 0 || end > at + 40 {
                    break;
                }
                end += 1;
            }
            if depth == 0 && wild && end > at + 2 {
                let (start, stop) = (tokens[at + 1].start, tokens[end - 1].end);
                let text = "<*>".to_owned();
                tokens.splice(at + 1..end, [Token { space: false, wild: true, text, start, end: stop }]);
            }
            return;
        }
        at += 1;
    }
}

/// Takes out the value of `key = value`.
fn values(tokens: &mut [Token]) {
    for at in 2..tokens.len() {
        let [key, equals, value] = &mut tokens[at - 2..=at] else { continue };
        let word = |token: &Token| !token.wild && CLASS[token.text.as_bytes()[0] as usize] != 0;
        if equals.text == "=" && word(key) && word(value) && (!value.space || equals.space) {
            value.wild = true;
            value.text = "<*>".to_owned();
        }
    }
}

/// Takes the unit of an amount into its wildcard, and a second form of it in parentheses.
fn units(tokens: &mut Vec<Token>) {
    const UNITS: [&str; 16] = [
        "bytes", "byte", "B", "KB", "MB", "GB", "TB", "kB", "KiB", "MiB", "GiB", "sec", "secs", "ms", "us",
        "s",
    ];
    let mut at = 1;
    while at < tokens.len() {
        if tokens[at - 1].wild && !tokens[at].wild && UNITS.contains(&tokens[at].text.as_str()) {
            let unit = tokens.remove(at);
            let amount = &mut tokens[at - 1];
            amount.text.push_str(if unit.space { " " } else { "" });
            amount.text.push_str(&unit.text);
            amount.end = unit.end;
        }
        at += 1;
    }
}

/// Makes one wildcard of a run of them, with the marks in between.
fn collapse(tokens: &mut Vec<Token>) {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        if !token.wild {
            out.push(token.clone());
            at += 1;
            continue;
        }
        let mut whole = token.clone();
        at += 1;
        loop {
            let mut ahead = at;
            while tokens.get(ahead).is_some_and(|token| {
                !token.wild
                    && matches!(
                        token.text.as_str(),
                        ":" | ","
                            | "-"
                            | "/"
                            | "."
                            | "@"
                            | "|"
                            | "--"
                            | "+"
                            | "&"
                            | "*"
                            | "#"
                            | "_"
                            | "x"
                            | ";"
                    )
            }) {
                ahead += 1;
            }
            let more = if tokens.get(ahead).is_some_and(|token| token.wild) {
                ahead + 1
            } else if tokens.get(at).is_some_and(|token| token.text == "(") {
                // `(…)` behind a value, with nothing fixed in it, is the same value said otherwise.
                let inner = at + 1 + usize::from(tokens.get(at + 1).is_some_and(|token| token.wild));
                if tokens.get(inner).is_some_and(|token| token.text == ")") { inner + 1 } else { break }
            } else {
                break;
            };
            for token in &tokens[at..more] {
                whole.text.push_str(if token.space { " " } else { "" });
                whole.text.push_str(&token.text);
                whole.end = token.end;
            }
            at = more;
        }
        // A sign or comparison before the value belongs to it.
        while let Some(last) = out.last()
            && !last.wild
            && last.space
            && !whole.space
            && matches!(last.text.as_str(), "<" | ">" | "+" | "-" | "~" | "*" | "#")
        {
            whole.space = last.space;
            whole.start = last.start;
            out.pop();
        }
        if whole.text.len() > 60 {
            whole.text = "<*>".to_owned();
        }
        out.push(whole);
    }
    *tokens = out;
}

/// Whether a token may turn out to be a variable when it has many variants: a word, not a mark.
pub(crate) fn mergeable(token: &Token) -> bool {
    !token.wild && token.text.bytes().any(|byte| CLASS[byte as usize] & ALPHA != 0 || byte >= 0x80)
}
