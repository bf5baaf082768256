//! What a needle was found in, and what must hold around it.

use std::ops::Range;

/// A decoded text and what is known of its request.
#[derive(Debug)]
pub(super) struct Text<'t> {
    /// The bytes, case untouched.
    pub(super) bytes: &'t [u8],
    /// Where the query begins, at its question mark.
    pub(super) query_at: usize,
    /// A dot or slash was hidden by escapes.
    pub(super) hides_path: bool,
    /// There was a line break.
    pub(super) has_line_break: bool,
    /// The server has no such thing or does not give it out.
    pub(super) is_refused: bool,
}

/// Whether a needle means what it looks like where it was found. Each looks at a bounded piece around it.
pub(super) type Check = fn(&Text<'_>, &Range<usize>) -> bool;

/// No check looks further than so many bytes from its needle.
const REACH_BYTES: usize = 160;

impl Text<'_> {
    /// The byte before, NUL at the start.
    fn before(&self, found: &Range<usize>) -> u8 {
        found.start.checked_sub(1).map_or(0, |at| self.bytes[at])
    }

    /// The byte behind, NUL at the end.
    fn behind(&self, found: &Range<usize>) -> u8 {
        self.bytes.get(found.end).copied().unwrap_or(0)
    }

    fn left(&self, found: &Range<usize>) -> &[u8] {
        &self.bytes[found.start.saturating_sub(REACH_BYTES)..found.start]
    }

    fn right(&self, found: &Range<usize>) -> &[u8] {
        &self.bytes[found.end..self.bytes.len().min(found.end + REACH_BYTES)]
    }

    fn is_in_query(&self, found: &Range<usize>) -> bool {
        found.start >= self.query_at
    }
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn contains(text: &[u8], needle: &str) -> bool {
    text.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
}

fn starts_with(text: &[u8], needle: &str) -> bool {
    text.get(..needle.len()).is_some_and(|head| head.eq_ignore_ascii_case(needle.as_bytes()))
}

/// It means it wherever it stands.
pub(super) fn always(_: &Text<'_>, _: &Range<usize>) -> bool {
    true
}

/// It stands in the query.
pub(super) fn in_query(text: &Text<'_>, found: &Range<usize>) -> bool {
    text.is_in_query(found)
}

/// It begins a word.
pub(super) fn starts_word(text: &Text<'_>, found: &Range<usize>) -> bool {
    !is_word(text.before(found))
}

/// It ends a word.
pub(super) fn ends_word(text: &Text<'_>, found: &Range<usize>) -> bool {
    !is_word(text.behind(found))
}

/// It is a word by itself.
pub(super) fn is_whole_word(text: &Text<'_>, found: &Range<usize>) -> bool {
    starts_word(text, found) && ends_word(text, found)
}

/// It begins a word of the query.
pub(super) fn starts_word_in_query(text: &Text<'_>, found: &Range<usize>) -> bool {
    in_query(text, found) && starts_word(text, found)
}

/// A mailbox at once behind it, where the application has the names of parameters: `?a@b.c/powershell`.
pub(super) fn names_mailbox(text: &Text<'_>, found: &Range<usize>) -> bool {
    let rest = text.right(found);
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'&' | b'=')).unwrap_or(rest.len());
    rest[..end].contains(&b'@')
}

/// The number of a user and no more: `?author=3`.
pub(super) fn is_number_of_user(text: &Text<'_>, found: &Range<usize>) -> bool {
    let rest = text.right(found);
    in_query(text, found) && (1..=4).contains(&rest.len()) && rest.iter().all(u8::is_ascii_digit)
}

/// A call of a function in the query with something that is no plain word of a sentence: `sleep(5)`, `md5(`.
pub(super) fn is_call(text: &Text<'_>, found: &Range<usize>) -> bool {
    starts_word_in_query(text, found) && text.before(found) != b'.'
}

/// A call with a number: `sleep(5`, `benchmark(10`.
pub(super) fn is_call_with_number(text: &Text<'_>, found: &Range<usize>) -> bool {
    let argument = text.right(found).iter().find(|byte| !matches!(byte, b' ' | b'(' | b'\'' | b'"' | b'-'));
    starts_word(text, found) && argument.is_some_and(u8::is_ascii_digit)
}

/// `or 1=1`, `and 'a'='a'`, `or 2>1`: constants compared behind a logical word that begins a word or follows a quote.
pub(super) fn is_tautology(text: &Text<'_>, found: &Range<usize>) -> bool {
    if !starts_word(text, found) && text.before(found) != b'\'' {
        return false;
    }
    let Some((left, rest)) = constant(text.right(found)) else { return false };
    let rest = spaces(rest);
    let rest = ["<>", "!=", "=", "<", ">", "like ", "LIKE "]
        .iter()
        .find_map(|operator| rest.strip_prefix(operator.as_bytes()));
    rest.and_then(constant).is_some_and(|(right, _)| left.is_number == right.is_number)
}

struct Constant {
    is_number: bool,
}

fn spaces(text: &[u8]) -> &[u8] {
    let blank = text.iter().take_while(|byte| matches!(byte, b' ' | b'(' | b')')).count();
    &text[blank..]
}

/// A number, or a text in quotes whose end may be missing.
fn constant(text: &[u8]) -> Option<(Constant, &[u8])> {
    let text = spaces(text);
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0 && !text.get(digits).copied().is_some_and(is_word) {
        return Some((Constant { is_number: true }, &text[digits..]));
    }
    let quote = *text.first().filter(|byte| matches!(byte, b'\'' | b'"'))?;
    let inner = &text[1..];
    let end = inner.iter().take_while(|byte| **byte != quote && **byte != b'=').count();
    let rest = inner.get(end..).unwrap_or_default();
    Some((Constant { is_number: false }, rest.strip_prefix(&[quote]).unwrap_or(rest)))
}

/// `order by 12--`: a number of columns is felt for, with the rest of the statement cut off or a quote before.
pub(super) fn counts_columns(text: &Text<'_>, found: &Range<usize>) -> bool {
    let rest = text.right(found);
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let tail = spaces(&rest[digits..]);
    digits > 0
        && starts_word_in_query(text, found)
        && (tail.starts_with(b"--") || tail.starts_with(b"#") || text.left(found).contains(&b'\''))
}

/// A statement behind a semicolon or a quote.
pub(super) fn is_second_statement(text: &Text<'_>, found: &Range<usize>) -> bool {
    let before = text.left(found).iter().rev().find(|byte| **byte != b' ');
    in_query(text, found) && before.is_some_and(|byte| matches!(byte, b'\'' | b';'))
}

/// A change of rows behind a semicolon or a quote.
pub(super) fn is_second_update(text: &Text<'_>, found: &Range<usize>) -> bool {
    is_second_statement(text, found) && contains(text.right(found), " set ")
}

/// A selection, and not the word of a form: it follows a quote or a bracket and goes on as SQL.
pub(super) fn is_subquery(text: &Text<'_>, found: &Range<usize>) -> bool {
    let before = text.left(found).iter().rev().find(|byte| **byte != b' ');
    before.is_some_and(|byte| matches!(byte, b'\'' | b')' | b'(' | b';')) && is_selection(text, found)
}

/// What follows `select` goes on as SQL, or is cut off.
pub(super) fn is_selection(text: &Text<'_>, found: &Range<usize>) -> bool {
    let rest = text.right(found);
    let rest = spaces(rest);
    in_query(text, found)
        && (rest.first().is_none_or(|byte| matches!(byte, b'*' | b'\'' | b'"' | b'@' | b'&' | b'0'..=b'9'))
            || starts_with(rest, "null")
            || starts_with(rest, "case ")
            || contains(rest, " from ")
            || rest.iter().any(|byte| matches!(byte, b'(' | b',')))
}

/// A quote that ends a value, and then a comment that cuts off the rest.
pub(super) fn cuts_rest(text: &Text<'_>, found: &Range<usize>) -> bool {
    let rest = spaces(text.right(found));
    in_query(text, found) && rest.first().is_none_or(|byte| matches!(byte, b'&' | b'-' | b'+' | b' ' | b'#'))
}

/// An event handler within something that opened a tag or closed an attribute.
pub(super) fn is_handler(text: &Text<'_>, found: &Range<usize>) -> bool {
    matches!(text.before(found), b' ' | b'/' | b'"' | b'\'')
        && text.left(found).iter().any(|byte| matches!(byte, b'<' | b'"' | b'\''))
}

/// A message box with what tests of scripts show: a number, a text, a property of the page.
pub(super) fn is_message(text: &Text<'_>, found: &Range<usize>) -> bool {
    let rest = text.right(found);
    let shown =
        rest.first().is_some_and(|byte| byte.is_ascii_digit() || matches!(byte, b'\'' | b'"' | b'`' | b'/'))
            || ["document", "xss", "this", "origin", "window", "string."]
                .iter()
                .any(|word| starts_with(rest, word));
    shown && is_script_call(text, found)
}

/// `javascript:` as a value, and not the link of a page that a crawler took for a path.
pub(super) fn is_script_value(text: &Text<'_>, found: &Range<usize>) -> bool {
    let rest = text.right(found);
    let is_void = starts_with(rest, "void(") || starts_with(rest, ";") || rest.is_empty();
    text.is_in_query(found) && !is_void
}

/// A call that only a test of scripts makes: in the query, or behind something that opened a tag.
pub(super) fn is_script_call(text: &Text<'_>, found: &Range<usize>) -> bool {
    starts_word(text, found)
        && (text.is_in_query(found)
            || text.left(found).iter().any(|byte| matches!(byte, b'<' | b'"' | b'\'')))
}

/// Up and up again, or up behind a disguise, or up as a whole value.
pub(super) fn climbs(text: &Text<'_>, found: &Range<usize>) -> bool {
    let rest = text.right(found);
    if !text.is_in_query(found) {
        // Poor crawlers take `../../` of a link for a path.
        return text.hides_path || starts_with(rest, "../../") || starts_with(rest, "..\\");
    }
    let again = starts_with(rest, "../") || starts_with(rest, "..\\") || starts_with(rest, "./");
    let is_whole = text.before(found) == b'=' && rest.first().is_none_or(|byte| *byte == b'&');
    again || is_whole
}

/// A file of the system, named by a climb, as a value, or by a disguised path.
pub(super) fn is_foreign_file(text: &Text<'_>, found: &Range<usize>) -> bool {
    let left = text.left(found);
    text.is_in_query(found)
        || found.start == 0
        || text.hides_path
        || left.ends_with(b"/")
        || contains(left, "..")
        || left.contains(&b':')
}

/// It ends the path, or a NUL ends it for a program in C.
pub(super) fn ends_path(text: &Text<'_>, found: &Range<usize>) -> bool {
    !text.is_in_query(found) && (found.end == text.query_at || text.behind(found) == 0)
}

/// It begins within the path.
pub(super) fn in_path(text: &Text<'_>, found: &Range<usize>) -> bool {
    !text.is_in_query(found)
}

/// A part of a path that was not there or was not given out.
pub(super) fn refused_segment(text: &Text<'_>, found: &Range<usize>) -> bool {
    text.is_refused && !text.is_in_query(found) && ends_word(text, found)
}

/// As above; the name may go on with a version or a suffix.
pub(super) fn refused_beginning(text: &Text<'_>, found: &Range<usize>) -> bool {
    text.is_refused && !text.is_in_query(found)
}

/// The end of a path that was not there or was not given out.
pub(super) fn refused_end(text: &Text<'_>, found: &Range<usize>) -> bool {
    text.is_refused && ends_path(text, found)
}

/// A client that is turned away; its name begins a word.
pub(super) fn refused_agent(text: &Text<'_>, found: &Range<usize>) -> bool {
    text.is_refused && starts_word(text, found)
}

/// A hidden name that is known to hold secrets, or its variants: `/.env.local`, `/.git/config`, `/.gitignore`.
pub(super) fn is_secret_name(text: &Text<'_>, found: &Range<usize>) -> bool {
    let rest = text.right(found);
    let goes_on =
        ["ignore", "modules", "attributes", "-credentials"].iter().any(|end| starts_with(rest, end));
    in_path(text, found) && (goes_on || !rest.first().is_some_and(u8::is_ascii_alphanumeric))
}

/// Any other name that begins with a dot, that was turned down and is not a place of its own right ([RFC 8615]).
///
/// [RFC 8615]: https://www.rfc-editor.org/rfc/rfc8615
pub(super) fn is_hidden_name(text: &Text<'_>, found: &Range<usize>) -> bool {
    let rest = text.right(found);
    let name = rest.iter().take_while(|byte| is_word(**byte) || matches!(byte, b'-' | b'.')).count();
    let is_name = name > 1 && rest.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    text.is_refused && in_path(text, found) && is_name && !starts_with(rest, "well-known")
}

/// A copy of what would be run: `.php.bak`, `.php~`, `wp-config.php.old`.
pub(super) fn is_copy(text: &Text<'_>, found: &Range<usize>) -> bool {
    const COPIES: [&str; 10] =
        ["~", ".bak", ".old", ".orig", ".save", ".swp", ".swo", ".backup", ".tmp", "_bak"];
    // These may be published.
    const TEXTS: [&str; 3] = [".txt", ".dist", ".copy"];
    let rest = text.right(found);
    let texts = if text.is_refused { &TEXTS[..] } else { &[] };
    in_path(text, found)
        && COPIES
            .iter()
            .chain(texts)
            .any(|copy| starts_with(rest, copy) && rest.get(copy.len()).is_none_or(|byte| !is_word(*byte)))
}

/// An expression of two numbers, as templates are tried with: `{{7*7}}`.
pub(super) fn multiplies(text: &Text<'_>, found: &Range<usize>) -> bool {
    let rest = spaces(text.right(found));
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'\'').count();
    let rest = spaces(&rest[digits..]);
    digits > 0
        && rest.first().is_some_and(|byte| matches!(byte, b'*' | b'+'))
        && spaces(&rest[1..]).first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'\'')
}

/// A command of a shell, and what makes it one: a word that nobody would write behind a separator, or an argument.
pub(super) fn is_command(text: &Text<'_>, found: &Range<usize>) -> bool {
    let rest = spaces(text.right(found));
    let length = rest.iter().take_while(|byte| is_word(**byte) || matches!(byte, b'/' | b'.' | b'-')).count();
    let (word, tail) = rest.split_at(length);
    let name = word.rsplit(|byte| *byte == b'/').next().unwrap_or(word);
    let is = |names: &[&str]| names.iter().any(|command| name.eq_ignore_ascii_case(command.as_bytes()));
    if name.len() != word.len() && word.first() == Some(&b'/') && (is(COMMANDS) || is(WORDS)) {
        return true;
    }
    let ends = tail.first().is_none_or(|byte| !matches!(byte, b'=' | b':' | b'['));
    if !ends || word.contains(&b'.') {
        return false;
    }
    let is_substitution = matches!(text.bytes.get(found.end.wrapping_sub(1)), Some(b'(' | b'`'));
    is(COMMANDS) || (is(WORDS) && (is_substitution || has_argument(text, found, tail)))
}

/// Whether what follows a word that may be one of a sentence is an argument of a command.
fn has_argument(text: &Text<'_>, found: &Range<usize>, tail: &[u8]) -> bool {
    let is_pipe = text.bytes.get(found.start) == Some(&b'|');
    match tail {
        [b'$' | b'<' | b'>' | b'`' | b';', ..] => true,
        [b' ', b'/' | b'-' | b'$' | b'.' | b'>' | b'<' | b'0'..=b'9', ..] => true,
        [b' ', rest @ ..] => !is_pipe && names_file(rest),
        [] | [b'&' | b'|' | b'#' | b'\'' | b'"', ..] => !is_pipe || tail.is_empty() && is_terse(text, found),
        _ => false,
    }
}

/// Two letters behind a pipe and nothing else are a command and no list.
fn is_terse(text: &Text<'_>, found: &Range<usize>) -> bool {
    spaces(text.right(found)).len() == 2
}

/// Whether the next word is a name of a file or host, and not the end of a sentence.
fn names_file(text: &[u8]) -> bool {
    let word = text.split(|byte| matches!(byte, b' ' | b'&' | b';' | b'|')).next().unwrap_or_default();
    let inner = word.get(..word.len().saturating_sub(1)).unwrap_or_default();
    inner.iter().any(|byte| matches!(byte, b'.' | b'/' | b':'))
}

/// Commands that are no words of a language.
const COMMANDS: &[&str] = &[
    "wget",
    "uname",
    "whoami",
    "ifconfig",
    "ipconfig",
    "netstat",
    "nslookup",
    "busybox",
    "tftp",
    "chmod",
    "powershell",
    "certutil",
    "bash",
    "nohup",
    "mkfifo",
    "telnetd",
    "systeminfo",
];

/// Commands that may be words of a language, or names of parameters.
const WORDS: &[&str] = &[
    "cat", "id", "ls", "curl", "echo", "touch", "sleep", "ping", "rm", "cd", "nc", "sh", "env", "php",
    "perl", "python", "python3", "dir", "ps", "pwd", "printf", "expr", "cp", "mv", "lua", "ncat", "telnet",
    "ftp", "cmd", "awk", "sed",
];

/// A parameter that is named for a command and is given one, or nothing yet.
pub(super) fn is_command_parameter(text: &Text<'_>, found: &Range<usize>) -> bool {
    let rest = text.right(found);
    let length = rest.iter().take_while(|byte| is_word(**byte) || **byte == b'/').count();
    let name = rest[..length].rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let known = |names: &[&str]| names.iter().any(|command| name.eq_ignore_ascii_case(command.as_bytes()));
    let ends = rest.get(length).is_none_or(|byte| !matches!(byte, b'_' | b'-'));
    matches!(text.before(found), b'?' | b'&') && ends && (known(COMMANDS) || known(WORDS))
}

/// An address as a value that a script of the server is to fetch and run: the question mark or NUL at its end cuts off
/// what the script puts behind it, or it is itself a script.
pub(super) fn is_foreign_script(text: &Text<'_>, found: &Range<usize>) -> bool {
    if !text.is_in_query(found) {
        return false;
    }
    let rest = text.right(found);
    let length = rest.iter().take_while(|byte| !matches!(byte, b'&' | b' ' | 0)).count();
    let value = &rest[..length];
    let path = value.split(|byte| *byte == b'?').next().unwrap_or_default();
    let script_asked = contains(&text.bytes[text.query_at.saturating_sub(5)..text.query_at], ".php");
    let is_cut = value.ends_with(b"?") || rest.get(length) == Some(&0);
    let is_text =
        [".txt", ".gif", ".jpg", ".dat"].iter().any(|end| ends_with(path, end)) && value.len() > path.len();
    script_asked && (is_cut || is_text || ends_with(path, ".php") && !path.contains(&b'/'))
        || is_cut && ends_with(path, ".txt")
}

fn ends_with(text: &[u8], end: &str) -> bool {
    text.len() >= end.len() && text[text.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
}

/// A call of an interpreter's function with a text, a variable or another call.
pub(super) fn is_call_of_code(text: &Text<'_>, found: &Range<usize>) -> bool {
    let first = spaces(text.right(found)).first();
    starts_word_in_query(text, found)
        && first.is_some_and(|byte| {
            byte.is_ascii_digit() || matches!(byte, b'\'' | b'"' | b'$' | b'@' | b'`' | b'\\')
        })
}

/// A variable whose value falls back to a letter: how a lookup is spelt in pieces.
pub(super) fn falls_back(text: &Text<'_>, found: &Range<usize>) -> bool {
    contains(text.right(found), ":-")
}

/// The column of a table of the system behind its dot.
pub(super) fn is_qualified(text: &Text<'_>, found: &Range<usize>) -> bool {
    in_query(text, found) && text.behind(found) == b'.'
}

/// A function with a body.
pub(super) fn defines_function(text: &Text<'_>, found: &Range<usize>) -> bool {
    text.right(found).contains(&b';')
}

/// It stands in a target, and not in the bytes of another protocol.
pub(super) fn in_target(text: &Text<'_>, _: &Range<usize>) -> bool {
    text.bytes.first() == Some(&b'/')
}

/// A header behind a line break.
pub(super) fn follows_line_break(text: &Text<'_>, _: &Range<usize>) -> bool {
    text.has_line_break
}

/// A script whose name says that it is a shell: `shell.php`, `x_shell.asp`, `webshell7.jsp`.
pub(super) fn is_shell_name(text: &Text<'_>, found: &Range<usize>) -> bool {
    let rest = text.right(found);
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_script =
        [".php", ".asp", ".jsp", ".cgi", ".pl", ".phtml"].iter().any(|end| starts_with(&rest[digits..], end));
    let left = text.left(found);
    let begins = !left.last().is_some_and(u8::is_ascii_alphabetic)
        || ["web", "cmd", "php", "simple", "mini", "up", "root", "asp", "jsp"]
            .iter()
            .any(|kind| ends_with(left, kind));
    in_path(text, found) && is_script && begins
}

/// A script behind a script: `/x.php/login.php`, which answered without asking who is there.
pub(super) fn follows_script(text: &Text<'_>, found: &Range<usize>) -> bool {
    in_path(text, found) && ends_with(text.left(found), ".php")
}

/// A script and another script as the value of its parameter: the thumbnail makers that fetched and kept what they were
/// given.
pub(super) fn is_given_script(text: &Text<'_>, found: &Range<usize>) -> bool {
    let value = text.right(found).split(|byte| *byte == b'&').next().unwrap_or_default();
    contains(value, ".php")
}
