//! Sentences by which services say that somebody signed in or was refused, as patterns: a table that is data.
//!
//! A pattern is the text of the whole message. `{user}` is a name, which others choose: it goes as far to the right as
//! the rest of the pattern still fits. `{from}` is an address, with its port or without, or the name of a host.
//! `{*}` is anything, as little as fits, and `{**}` as much as fits. `{times}` is how often it happened.

use std::{collections::HashMap, sync::LazyLock};

use event::Event;

use super::{
    applications::APPLICATIONS,
    said,
    service::{Means, Service},
    services::SERVICES,
    starts::Starts,
};

/// A message that is longer is none of a sign-in.
const MESSAGE_BYTES_MAX: usize = 4096;
/// Places that are tried within one message before a pattern is given up.
const TRIES_MAX: u32 = 2000;
/// So many bytes of a pattern's start must be those of the message before it is tried.
const KEY_BYTES: usize = 4;

#[derive(Debug, Clone, Copy)]
enum Part {
    Literal(&'static str),
    User,
    From,
    Little,
    Much,
    Times,
}

struct Phrase {
    programs: &'static [&'static str],
    means: Means,
    parts: Vec<Part>,
}

/// All phrases, by the first bytes of those that begin with text.
struct Phrases {
    starts: Starts<64>,
    by_start: HashMap<[u8; KEY_BYTES], Vec<Phrase>, foldhash::fast::FixedState>,
    others: Vec<Phrase>,
}

static PHRASES: LazyLock<Phrases> = LazyLock::new(|| {
    let mut phrases = Phrases { starts: Starts::new(), by_start: HashMap::default(), others: Vec::new() };
    for Service { programs, phrases: of_service } in SERVICES.iter().chain(APPLICATIONS) {
        for (means, text) in *of_service {
            let phrase = Phrase { programs, means: *means, parts: parts(text) };
            let start = match phrase.parts.first() {
                Some(Part::Literal(literal)) => literal.as_bytes().first_chunk::<KEY_BYTES>(),
                _ => None,
            };
            match start {
                Some(start) => {
                    phrases.starts.add(u32::from_be_bytes(*start));
                    phrases.by_start.entry(*start).or_default().push(phrase);
                }
                None => phrases.others.push(phrase),
            }
        }
    }
    phrases
});

fn parts(text: &'static str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let marks = [
            ("{user}", Part::User),
            ("{from}", Part::From),
            ("{**}", Part::Much),
            ("{*}", Part::Little),
            ("{times}", Part::Times),
        ];
        let next = marks.iter().filter_map(|(mark, part)| Some((rest.find(mark)?, *mark, *part)));
        let Some((at, mark, part)) = next.min_by_key(|(at, ..)| *at) else {
            parts.push(Part::Literal(rest));
            break;
        };
        if at > 0 {
            parts.push(Part::Literal(&rest[..at]));
        }
        parts.push(part);
        rest = &rest[at + mark.len()..];
    }
    parts
}

/// What a pattern found in a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Found<'t> {
    user: Option<&'t str>,
    from: Option<&'t str>,
    times: Option<u32>,
}

/// Adds what a message says when it is one of the sentences of its program; of any program where it has no name.
pub(crate) fn read<'a>(event: &mut Event<'a>, program: Option<&str>, message: &'a str) {
    if let Some((means, found)) = find(program, message) {
        write(event, means, found);
    }
}

/// Whether a message is one of the sentences of any program that tells of a sign-in: whether that failed, and of whom.
pub(super) fn outcome(message: &str) -> Option<(bool, Option<String>)> {
    let (means, found) = find(None, message)?;
    let is_failure = match means {
        Means::Denied => return None,
        Means::In => false,
        Means::Failed | Means::FailedWeb | Means::FailedSsh | Means::ProbedSsh | Means::Barred => true,
    };
    Some((is_failure, found.user.map(str::to_owned)))
}

fn find<'t>(program: Option<&str>, message: &'t str) -> Option<(Means, Found<'t>)> {
    if message.len() > MESSAGE_BYTES_MAX {
        return None;
    }
    let start = message.as_bytes().first_chunk::<KEY_BYTES>()?;
    let phrases = &*PHRASES;
    let is_start = phrases.starts.may_have(u32::from_be_bytes(*start));
    let others = if program.is_some() { phrases.others.as_slice() } else { &[] };
    if !is_start && others.is_empty() {
        return None;
    }
    let candidates = if is_start { phrases.by_start.get(start) } else { None };
    let candidates = candidates.map_or(&[] as &[_], Vec::as_slice);
    for phrase in candidates.iter().chain(others) {
        // Those that are of no program by name may be of any that is known.
        let is_of = |program: &str| phrase.programs.is_empty() || phrase.programs.contains(&program);
        if program.is_some_and(|program| !is_of(program)) {
            continue;
        }
        let (mut found, mut tries) = (Found::default(), TRIES_MAX);
        if fits(&phrase.parts, message.trim_end(), &mut found, &mut tries) {
            return Some((phrase.means, found));
        }
    }
    None
}

fn write<'a>(event: &mut Event<'a>, means: Means, found: Found<'a>) {
    if let Some(user) = found.user {
        said::user(event, user);
    }
    if let Some(from) = found.from {
        said::socket(event, from);
    }
    if let Some(times) = found.times {
        event.set("labels.repeated", i64::from(times));
    }
    match means {
        Means::Failed => said::login(event, "login", "failure"),
        Means::In => said::login(event, "login", "success"),
        Means::FailedWeb => said::web_refused(event),
        Means::Barred => {
            said::web_refused(event);
            said::reason(event, said::TOO_MANY_FAILURES);
        }
        Means::FailedSsh => said::login(event, "ssh_login", "failure"),
        Means::ProbedSsh => said::login(event, "ssh_handshake", "failure"),
        Means::Denied => {
            event.set("event.category", said::list("[\"network\"]"));
            event.set("event.type", said::list("[\"denied\"]"));
            event.set("event.outcome", "failure");
        }
    }
}

fn fits<'t>(parts: &[Part], text: &'t str, found: &mut Found<'t>, tries: &mut u32) -> bool {
    let Some((part, rest)) = parts.split_first() else { return text.is_empty() };
    match part {
        Part::Literal(literal) => {
            text.strip_prefix(literal).is_some_and(|text| fits(rest, text, found, tries))
        }
        Part::From => {
            let end = match rest.first() {
                Some(Part::Literal(literal)) => text.find(literal),
                _ => Some(text.len()),
            };
            let Some(end) = end.filter(|end| said::is_socket(&text[..*end])) else { return false };
            found.from = Some(&text[..end]);
            fits(rest, &text[end..], found, tries)
        }
        Part::Times => {
            let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
            let Ok(times) = text[..end].parse::<u32>() else { return false };
            found.times = Some(times);
            fits(rest, &text[end..], found, tries)
        }
        Part::User => ends(rest, text, true).any(|end| {
            let is_fit = go_on(tries) && fits(rest, &text[end..], found, tries);
            if is_fit {
                found.user = Some(&text[..end]);
            }
            is_fit
        }),
        Part::Little | Part::Much => ends(rest, text, matches!(part, Part::Much))
            .any(|end| go_on(tries) && fits(rest, &text[end..], found, tries)),
    }
}

const fn go_on(tries: &mut u32) -> bool {
    *tries = tries.saturating_sub(1);
    *tries > 0
}

/// Where a part may end: before each place of the literal behind it, from the right or from the left; else at the end.
fn ends<'t>(rest: &[Part], text: &'t str, from_right: bool) -> Box<dyn Iterator<Item = usize> + 't> {
    match rest.first() {
        Some(Part::Literal(literal)) if from_right => {
            Box::new(text.rmatch_indices(*literal).map(|(at, _)| at))
        }
        Some(Part::Literal(literal)) => Box::new(text.match_indices(*literal).map(|(at, _)| at)),
        _ => Box::new(std::iter::once(text.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_what_they_name() {
        for (pattern, text, expected) in [
            ("Login of {user} from {from}", "Login of ann from 192.0.2.7", Some(("ann", "192.0.2.7"))),
            // A name may hold the words behind it: the last ones count.
            (
                "Login of {user} from {from}",
                "Login of x from 198.51.100.1 from 192.0.2.7",
                Some(("x from 198.51.100.1", "192.0.2.7")),
            ),
            // What is no address is none, so that the words before it are looked for further left.
            (
                "Login of {user} from {from}. {*}",
                "Login of x from 192.0.2.7. said: from here. x",
                Some(("x", "192.0.2.7")),
            ),
            ("{*} of {user} from {from}", "a of b of c from ::1", Some(("b of c", "::1"))),
            ("{**} of {user} from {from}", "a of b of c from ::1", Some(("c", "::1"))),
            ("Login of {user} from {from}", "Login of ann from 192.0.2.7 and more", None),
            ("Login of {user} from {from}", "login of ann from 192.0.2.7", None),
            ("Login of {user} from {from}", "Login of ann from <script>", None),
        ] {
            let (mut found, mut tries) = (Found::default(), TRIES_MAX);
            let is_fit = fits(&parts(pattern), text, &mut found, &mut tries);
            let expected = expected.map(|(user, from)| Found {
                user: Some(user).filter(|_| pattern.contains("{user}")),
                from: Some(from),
                times: None,
            });
            assert_eq!(is_fit.then_some(found), expected, "{pattern}: {text}");
        }
    }

    #[test]
    fn a_message_made_to_be_slow_is_given_up() {
        let text = format!("a {}", "of from ".repeat(500));
        let (mut found, mut tries) = (Found::default(), TRIES_MAX);
        assert!(!fits(&parts("{*} of {*} of {user} from {from} x"), &text, &mut found, &mut tries));
        assert_eq!(tries, 0);
    }
}
