//! Sentences that say in ordinary words that somebody signed in or was refused, whichever program writes them:
//! `Failed login attempt for user ann from 192.0.2.7`.
//!
//! A sentence is read from its first word on, and as long as its words are those of a closed list. What a user may have
//! written comes behind these and is nothing but a name. An address counts where the words lead to it, or where the
//! sentence ends with it.

use super::{said, starts::Starts};

/// What a sentence says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sentence<'t> {
    /// Somebody was refused; else somebody was let in.
    pub(super) is_failure: bool,
    /// What was asked names no protocol other than that of the web.
    pub(super) is_web: bool,
    pub(super) user: Option<&'t str>,
    pub(super) from: Option<&'t str>,
    /// How often it happened, where the sentence says so.
    pub(super) times: Option<u32>,
}

/// A sentence that is longer is none of a sign-in.
const BYTES_MAX: usize = 1024;
/// Words of the list that a sentence has at most.
const WORDS_MAX: usize = 24;
/// No word of the list is longer.
const WORD_BYTES_MAX: usize = 16;

/// What a word of the list does in a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// It went wrong.
    Failure,
    /// It went well.
    Success,
    /// It was about a sign-in.
    SignIn,
    /// A name follows.
    Name,
    /// An address follows.
    Address,
    /// Another protocol than that of the web.
    Protocol,
    /// What was done is denied by the next word.
    Not,
    Glue,
}

fn meaning(word: &str) -> Option<Word> {
    Some(match word {
        "failed" | "failure" | "failures" | "fail" | "fails" | "invalid" | "incorrect" | "wrong" | "bad"
        | "unsuccessful" | "unsuccessfully" | "denied" | "rejected" | "refused" | "unauthorized"
        | "unauthorised" | "illegal" | "unknown" | "nonexistent" | "non-existent" | "mismatch" | "error"
        | "unable" | "not-authorized" | "ko" => Word::Failure,
        "successful" | "successfully" | "succeeded" | "success" | "accepted" | "granted" => Word::Success,
        "login" | "logins" | "logon" | "log-in" | "logging" | "signin" | "sign-in" | "authentication"
        | "authenticate" | "authenticating" | "authenticated" | "auth" | "password" | "passwords"
        | "passphrase" | "credentials" | "credential" | "username" | "usernames" | "passcode" | "otp"
        | "totp" | "2fa" | "1fa" | "mfa" | "webauthn" | "duo" | "two-factor" | "multi-factor" | "logged" => {
            Word::SignIn
        }
        "for" | "user" | "account" | "as" | "by" | "name" | "email" => Word::Name,
        "from" | "ip" | "address" | "host" | "client" | "rhost" | "remote" | "peer" => Word::Address,
        "ssh" | "ftp" | "sftp" | "ftps" | "smtp" | "imap" | "pop3" | "sip" | "vnc" | "rdp" | "vpn"
        | "sql" | "database" | "sasl" | "socks" | "xmpp" | "c2s" | "irc" | "telnet" | "smb" | "radius"
        | "ldap" | "mail" => Word::Protocol,
        "not" => Word::Not,
        "a" | "an" | "the" | "attempt" | "attempts" | "attempting" | "request" | "requests" | "was"
        | "has" | "been" | "is" | "with" | "or" | "and" | "of" | "on" | "at" | "in" | "to" | "into"
        | "using" | "via" | "due" | "because" | "web" | "webapi" | "admin" | "administrator" | "http"
        | "https" | "api" | "gui" | "panel" | "dashboard" | "console" | "server" | "local" | "basic"
        | "digest" | "entered" | "provided" | "given" | "supplied" | "tried" | "try" | "again" | "number"
        | "code" | "token" | "key" | "factor" | "second" | "step" | "log" | "sign" | "up" | "users"
        | "reason" | "count" | "validate" | "verify" | "identity" | "combination" | "please"
        | "interactive" | "plain" | "xml-rpc" | "push" | "private" | "-" | "/" => Word::Glue,
        _ => return None,
    })
}

/// The first four bytes of the words that sentences of a sign-in begin with, in order.
const STARTS: [u32; 46] = [
    start(b"1fa "),
    start(b"2fa "),
    start(b"acce"),
    start(b"admi"),
    start(b"api "),
    start(b"auth"),
    start(b"bad "),
    start(b"cred"),
    start(b"deni"),
    start(b"erro"),
    start(b"fail"),
    start(b"ftp "),
    start(b"http"),
    start(b"ille"),
    start(b"imap"),
    start(b"inco"),
    start(b"inva"),
    start(b"ldap"),
    start(b"log-"),
    start(b"logg"),
    start(b"logi"),
    start(b"logo"),
    start(b"mfa "),
    start(b"mult"),
    start(b"non-"),
    start(b"none"),
    start(b"pass"),
    start(b"pop3"),
    start(b"refu"),
    start(b"reje"),
    start(b"sftp"),
    start(b"sign"),
    start(b"smtp"),
    start(b"ssh "),
    start(b"succ"),
    start(b"the "),
    start(b"totp"),
    start(b"two-"),
    start(b"unab"),
    start(b"unau"),
    start(b"unkn"),
    start(b"unsu"),
    start(b"user"),
    start(b"web "),
    start(b"weba"),
    start(b"wron"),
];

static FILTER: Starts<16> = {
    let (mut filter, mut at) = (Starts::new(), 0);
    while at < STARTS.len() {
        filter.add(STARTS[at]);
        at += 1;
    }
    filter
};

/// Four bytes as a number; letters in lower case, and the other bytes of the list have this bit too.
const fn start(bytes: &[u8; 4]) -> u32 {
    u32::from_be_bytes(*bytes) | 0x2020_2020
}

/// Whether a text may begin as a sentence of a sign-in does: by its first four bytes, or by those behind an address, so
/// that other lines cost little.
fn may_begin(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(first) = bytes.first_chunk::<4>() else { return false };
    if matches!(first[0], b'[' | b'\'' | b'0'..=b'9') {
        let head = &bytes[..bytes.len().min(64)];
        let Some(end) = memchr::memchr(b' ', head) else { return false };
        let Some(next) = head[end..].iter().position(|byte| !matches!(byte, b' ' | b'-')) else {
            return false;
        };
        let behind = &head[end + next..];
        // A number of times, a word of the list, or the place in the source before it.
        return behind.first().is_some_and(u8::is_ascii_digit)
            || behind.first_chunk::<4>().is_some_and(is_start)
            || memchr::memmem::find(behind, b"::").is_some();
    }
    is_start(first)
}

fn is_start(bytes: &[u8; 4]) -> bool {
    let start = start(bytes);
    FILTER.may_have(start) && STARTS.binary_search(&start).is_ok()
}

/// What a text says, if it is a sentence of a sign-in from its first word on, or ends as one.
pub(super) fn read(text: &str) -> Option<Sentence<'_>> {
    if text.len() > BYTES_MAX {
        return None;
    }
    let begun = if may_begin(text) { Reading::default().read(text.trim_end()) } else { None };
    let suffix = match text.as_bytes().last() {
        Some(b'n') => {
            text.strip_suffix(" failed to login").or_else(|| text.strip_suffix(" failed to log in"))
        }
        _ => None,
    };
    let Some((user, from)) = suffix.and_then(behind) else { return begun };
    match begun {
        // A name may be made to read as a sentence: where two are possible, none is.
        Some(begun) if begun.from.is_some_and(|first| first != from) => None,
        _ => {
            Some(Sentence { is_failure: true, is_web: true, user: Some(user), from: Some(from), times: None })
        }
    }
}

/// What a record's message says, whose address stands in a member of its own: it may go on with words of the program's.
pub(super) fn of_record(text: &str) -> Option<Sentence<'_>> {
    if text.len() > BYTES_MAX || !may_begin(text) {
        return None;
    }
    Reading { is_of_record: true, ..Reading::default() }.read(text.trim_end())
}

/// `ann 192.0.2.7`.
fn behind(text: &str) -> Option<(&str, &str)> {
    text.rsplit_once(' ').filter(|(_, from)| said::is_numeric_socket(from))
}

#[derive(Debug, Default)]
struct Reading<'t> {
    is_failure: bool,
    is_success: bool,
    is_sign_in: bool,
    is_other: bool,
    is_of_record: bool,
    /// The latest word ended a clause.
    is_ended: bool,
    latest: Option<Word>,
    /// What stands behind the latest word that a name follows. From there on a user may have chosen the words.
    behind_name: Option<&'t str>,
    user: Option<&'t str>,
    from: Option<&'t str>,
    number: Option<u32>,
    times: Option<u32>,
}

impl<'t> Reading<'t> {
    fn read(mut self, text: &'t str) -> Option<Sentence<'t>> {
        let mut rest = text;
        // `192.0.2.7  module::function text`.
        if let Some((first, after)) = text.split_once(' ').filter(|(first, _)| first.contains('.'))
            && let Some((place, words)) = after.trim_start().split_once(' ')
            && place.contains("::")
            && self.take_address(first)
        {
            rest = words;
        }
        for _ in 0..WORDS_MAX {
            if rest.is_empty() || self.is_name_next(rest) {
                break;
            }
            let (token, after) = rest.split_once(' ').unwrap_or((rest, ""));
            let after = after.trim_start_matches(' ');
            if !self.take_address(token) && !self.take_word(token, after) {
                break;
            }
            rest = after;
        }
        if !rest.is_empty() {
            self.take_name(rest)?;
        }
        if self.from.is_none() && !self.is_of_record {
            self.from = self.behind_name.and_then(ending).map(|(_, from)| from);
        }
        (self.is_sign_in && self.is_failure != self.is_success).then_some(Sentence {
            is_failure: self.is_failure,
            is_web: !self.is_other,
            user: self.user,
            from: self.from,
            times: self.times,
        })
    }

    const fn is_decided(&self) -> bool {
        self.is_failure || self.is_success
    }

    /// Whether nothing but a name can follow: what it is about is said, and a word leads to who it was. `user` may follow,
    /// and `unknown user`.
    fn is_name_next(&self, rest: &str) -> bool {
        if self.latest != Some(Word::Name) || !self.is_decided() || !self.is_sign_in {
            return false;
        }
        let mut words = rest.split(' ').filter(|word| !word.is_empty());
        let is_lead = |word: Option<&str>| {
            let word = word.and_then(|word| lower(word.trim_end_matches([':', '='])));
            matches!(
                word.as_ref().map(Lower::as_str),
                Some("user" | "username" | "account" | "login" | "name" | "email" | "ip" | "address")
            )
        };
        let first = words.next().and_then(lower);
        let first = first.as_ref().map(Lower::as_str);
        match first {
            Some(
                "unknown" | "invalid" | "illegal" | "nonexistent" | "non-existent" | "the" | "or" | "and"
                | "private",
            ) => !is_lead(words.next()) && !matches!(first, Some("or" | "and")),
            _ => !is_lead(rest.split(' ').next()),
        }
    }

    /// `192.0.2.7`, `(192.0.2.7:4711),`, `ip=192.0.2.7`, as the first word or behind those of the list.
    fn take_address(&mut self, token: &'t str) -> bool {
        if self.from.is_some() || self.behind_name.is_some() {
            return false;
        }
        let found = address(token);
        self.from = found;
        self.is_ended |= found.is_some();
        found.is_some()
    }

    fn take_word(&mut self, token: &str, after: &'t str) -> bool {
        let bare = token.trim_end_matches(['.', ',', ':', ';', '!']).trim_end_matches("...");
        let bare = bare.strip_prefix('(').unwrap_or(bare);
        let bare = bare.strip_suffix(')').unwrap_or(bare);
        let Some(word) = lower(bare) else { return false };
        let word = word.as_str();
        let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        let Some(meaning) = (if is_number { Some(Word::Glue) } else { meaning(word) }) else {
            return self.latest == Some(Word::Not) && self.take_denied(word);
        };
        match meaning {
            // The first word of how it went decides, and a user's name must not.
            Word::Failure if !self.is_decided() => {
                self.is_failure = true;
                self.times = self.number;
            }
            // `not successful`.
            Word::Success if !self.is_decided() && self.latest == Some(Word::Not) => self.is_failure = true,
            Word::Success if !self.is_decided() && self.behind_name.is_none() => self.is_success = true,
            Word::SignIn => self.is_sign_in = true,
            Word::Protocol => self.is_other = true,
            _ => {}
        }
        self.number = word.parse::<u32>().ok();
        // `unknown user` is about who signs in.
        if word == "user" && matches!(self.latest, Some(Word::Failure)) {
            self.is_sign_in = true;
        }
        let is_name = meaning == Word::Name || word == "username";
        if is_name {
            self.behind_name = Some(after);
        }
        self.latest = Some(if is_name { Word::Name } else { meaning });
        self.is_ended = bare.len() < token.len();
        true
    }

    /// `not found`, `not authorized`, and their like.
    fn take_denied(&mut self, word: &str) -> bool {
        let is_denied = matches!(
            word,
            "found"
                | "authorized"
                | "authorised"
                | "allowed"
                | "permitted"
                | "recognized"
                | "valid"
                | "correct"
                | "match"
        );
        self.is_failure |= is_denied && !self.is_success;
        is_denied
    }

    /// What is no word of the list: a name, or the end of what is of interest.
    fn take_name(&mut self, rest: &'t str) -> Option<()> {
        let bare = ["user=", "username=", "user:", "username:", "account=", "login="]
            .iter()
            .find_map(|key| strip_prefix_of_any_case(rest, key));
        let is_quoted = rest.starts_with(['"', '\'', '`', '[', '<']);
        if self.latest != Some(Word::Name) && bare.is_none() && !is_quoted {
            // A sentence goes on with other words: it is about something else.
            let word = rest.split(' ').next().unwrap_or_default();
            let is_told = self.is_of_record && self.is_sign_in && !is_other_matter(word);
            let is_end = self.is_ended || !rest.starts_with(char::is_alphabetic);
            return (is_told || is_end).then_some(());
        }
        let text = bare.unwrap_or(rest).trim_start_matches(' ');
        self.behind_name = Some(text);
        let found = if self.from.is_none() && !self.is_of_record { ending(text) } else { None };
        self.user = Some(found.map_or_else(|| first_name(text), |(name, _)| unquoted(name)));
        Some(())
    }
}

/// What a program has to do with passwords besides asking for them.
fn is_other_matter(word: &str) -> bool {
    const MATTERS: [&str; 16] = [
        "reset",
        "change",
        "changed",
        "recovery",
        "notification",
        "service",
        "provider",
        "backend",
        "module",
        "plugin",
        "policy",
        "config",
        "configuration",
        "hash",
        "file",
        "page",
    ];
    MATTERS.iter().any(|matter| word.eq_ignore_ascii_case(matter))
}

/// A word in lower case, where it may be one of the list.
#[derive(Debug, Clone, Copy)]
struct Lower {
    bytes: [u8; WORD_BYTES_MAX],
    length: usize,
}

impl Lower {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

fn lower(word: &str) -> Option<Lower> {
    let mut lower = Lower { bytes: [0; WORD_BYTES_MAX], length: word.len() };
    if word.is_empty() || word.len() > WORD_BYTES_MAX || !word.is_ascii() {
        return None;
    }
    lower.bytes[..word.len()].copy_from_slice(word.as_bytes());
    lower.bytes.make_ascii_lowercase();
    Some(lower)
}

fn strip_prefix_of_any_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The address that a token is, in brackets or behind its key, with its port or without.
fn address(token: &str) -> Option<&str> {
    let token = match token.split_once(['=', ':']) {
        Some((key, value)) if is_key(key) => value,
        _ => token,
    };
    let token =
        token.trim_matches(['(', ')', ',', ';', '\'', '"', '`', '<', '>', '!']).trim_end_matches(['.', ':']);
    let token = token.trim_end_matches(['\'', '"', '`', ']']);
    let token = if token.starts_with("[") && !token.contains("]") { &token[1..] } else { token };
    (token.len() >= 2 && said::is_numeric_socket(token)).then_some(token)
}

fn is_key(key: &str) -> bool {
    matches!(
        key,
        "ip" | "IP"
            | "rhost"
            | "client"
            | "host"
            | "addr"
            | "address"
            | "from"
            | "remote_ip"
            | "client_ip"
            | "src"
    )
}

/// The name and the address of `ann from 192.0.2.7`, where nothing but signs follows the address. A name may hold an
/// address too, so that the last one counts.
fn ending(text: &str) -> Option<(&str, &str)> {
    const CLOSING: [char; 9] = ['.', ')', ']', '\'', '"', '`', '>', '!', ' '];
    let whole = without_reason(text);
    let text = whole.trim_end_matches(CLOSING);
    let closing = &whole[text.len()..];
    let text = match text.rsplit_once(" port ") {
        Some((head, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => head,
        _ => text,
    };
    let start = text.rfind([' ', '=', '(', '[', '`', '\'', '"', '<']).map_or(0, |at| at + 1);
    let token = text[start..]
        .strip_prefix("ip:")
        .or_else(|| text[start..].strip_prefix("IP:"))
        .unwrap_or(&text[start..]);
    if !said::is_numeric_socket(token) {
        return None;
    }
    let head = &text[..text.len() - token.len()];
    // A quote that closes behind the address and opens before the name makes the address part of the name.
    let is_inside =
        |open: char, close: char| text.starts_with(open) && closing.contains(close) && !head.ends_with(open);
    if [('"', '"'), ('\'', '\''), ('`', '`'), ('[', ']'), ('<', '>')]
        .iter()
        .any(|(open, close)| is_inside(*open, *close))
    {
        return None;
    }
    let is_bracketed = head.ends_with(['(', '[']);
    let head = head.trim_end_matches(['(', '[', '`', '\'', '"', '<', ' ', ':', '=']);
    let (name, marker) = head.rsplit_once(' ').unwrap_or((head, ""));
    let is_led = [
        "from",
        "ip",
        "address",
        "host",
        "client",
        "rhost",
        "addr",
        "remote",
        "remote_ip",
        "client_ip",
        "src",
        "at",
        "-",
    ]
    .iter()
    .any(|word| marker.eq_ignore_ascii_case(word));
    let name = match () {
        () if is_led => leading_words_cut(name),
        () if is_bracketed => head,
        () => return None,
    };
    Some((name, token))
}

/// The text without the reason that it may end with, in words alone: ` (User not found)`.
fn without_reason(text: &str) -> &str {
    let reason = text.strip_suffix(')').and_then(|text| text.rsplit_once(" ("));
    match reason {
        Some((head, why)) if why.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b' ') => head,
        _ => text,
    }
}

/// The name before `from private IP`, `with IP address`: the words before the last one of the marker.
fn leading_words_cut(name: &str) -> &str {
    const LEADING: [&str; 8] = ["ip", "private", "client", "remote", "from", "with", "at", "on"];
    let mut name = name.trim_end();
    while let Some((head, word)) = name.rsplit_once(' ')
        && LEADING.iter().any(|leading| word.trim_start_matches('(').eq_ignore_ascii_case(leading))
    {
        name = head.trim_end();
    }
    name.trim_end_matches([' ', ',', ';', '(', '-'])
}

/// A name of which it is not known where it ends: what stands in quotes, else its first word.
fn first_name(text: &str) -> &str {
    for (open, close) in [('"', '"'), ('\'', '\''), ('`', '`'), ('[', ']'), ('<', '>')] {
        if let Some(inner) = text.strip_prefix(open) {
            return inner.split(close).next().unwrap_or(inner);
        }
    }
    text.split([' ', ',', ';', '(']).next().unwrap_or(text).trim_end_matches([':', '.'])
}

fn unquoted(name: &str) -> &str {
    let name = name.trim_end_matches([' ', ',', ':', ';', '-']);
    name.trim_start_matches(['"', '\'', '`', '[', '<']).trim_end_matches(['"', '\'', '`', ']', '>'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_in_order() {
        assert!(STARTS.is_sorted());
        assert!(
            may_begin("Failed login")
                && may_begin("192.0.2.7 failed to sign in")
                && !may_begin("Received block")
        );
    }
}
