//! What a text may say: its numbers, times, addresses and quotations, worked out from the signal and from what is known
//! of earlier ones, by other code than that which wrote the text.

use std::collections::BTreeSet;

use event::Timestamp;
use finding::{EntityType, fact};
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::cases::Case;

/// Numbers that stand in commands and explanations whatever the signal is.
const CONSTANTS: &[&str] = &[
    "/var/log/apache2",
    "2",
    "0-9",
    "0",
    "1",
    "3",
    "10",
    "15",
    "20",
    "30",
    "40",
    "50",
    "80",
    "100",
    "200",
    "5000",
    "4000",
    "base64",
    "fail2ban",
    "fail2ban-client",
    "ipv4",
    "ipv6",
    "6",
    "Log4Shell",
    "sha256sum",
];
/// Quotations of our own.
const QUOTED: &[&str] = &["Accepted", "ipv4", "ipv6", " 200 '"];

/// Words with a digit in them.
pub(crate) fn words(text: &str) -> Vec<String> {
    let is_part = |c: char| c.is_alphanumeric() || "./:_-%+".contains(c);
    let words = text.split(|c| !is_part(c)).map(|word| word.trim_matches(['.', ':', '-', '/', '%', '+']));
    words.filter(|word| word.contains(|c: char| c.is_ascii_digit())).map(str::to_owned).collect()
}

/// What stands in double quotes.
pub(crate) fn quotations(text: &str) -> Vec<&str> {
    text.split('"').skip(1).step_by(2).collect()
}

/// Words with a digit that texts about a case may have.
pub(crate) fn allowed(case: &Case) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = CONSTANTS.iter().map(|word| trimmed(word)).collect();
    for text in texts(case) {
        all.extend(words(&shown(&text)));
        all.insert(format!("dev/{text}"));
    }
    let signal = &case.signal;
    let mut numbers = vec![signal.count];
    numbers.extend(case.reader.history.into_iter().flat_map(|history| [history.count, history.expected]));
    for value in signal.facts.values() {
        numbers.extend(value.as_u64());
        let decimal = value.as_f64().map(|number| number.to_string()).unwrap_or_default();
        all.extend(words(&decimal.replace('.', ",")));
        all.insert(decimal);
    }
    numbers.extend(left_out(case));
    let addresses =
        signal.entities.iter().filter(|entity| entity.r#type == EntityType::SourceIp).count() as u64;
    numbers.extend([addresses, addresses.saturating_sub(4)]);
    let score = signal.facts.get(fact::SCORE).and_then(Value::as_f64);
    numbers.extend(score.map(|score| (score * 100.0).round() as u64));
    for nanos in lengths(case) {
        let seconds = (nanos as f64 / 1e9).round() as u64;
        let minutes = (seconds as f64 / 60.0).round() as u64;
        let hours = (seconds as f64 / 3600.0).round() as u64;
        numbers.extend(if seconds < 60 { vec![seconds] } else { vec![] });
        numbers.extend(if minutes < 1440 {
            vec![minutes / 60, minutes % 60]
        } else {
            vec![hours / 24, hours % 24]
        });
    }
    all.extend(numbers.into_iter().map(|number| number.to_string()));
    all.extend(clocks(case));
    all
}

/// Numbers of a story as a whole: how many signals, how many of them are not told, and how long it took.
pub(crate) fn whole(cases: &[Case]) -> Vec<String> {
    let mut whole = cases[0].clone();
    whole.signal.first = cases.iter().map(|case| case.signal.first).min().unwrap();
    whole.signal.last = cases.iter().map(|case| case.signal.last).max().unwrap();
    let counts = [cases.len(), cases.len().saturating_sub(8)].map(|count| count.to_string());
    counts.into_iter().chain(allowed(&whole)).collect()
}

fn trimmed(word: &str) -> String {
    word.trim_matches(['.', ':', '-', '/', '%', '+']).to_owned()
}

/// Every text that a signal has.
pub(crate) fn texts(case: &Case) -> Vec<String> {
    let signal = &case.signal;
    let mut all: Vec<String> = signal.entities.iter().map(|entity| entity.value.clone()).collect();
    all.extend(signal.evidence.iter().map(|evidence| evidence.message.clone()));
    all.push(signal.rule.clone());
    for value in signal.facts.values() {
        let list = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        all.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
    }
    // The disk of a partition, and an address of a network as logs write it.
    let disks = all.iter().map(|text| text.split('p').next().unwrap_or_default().to_owned());
    let networks = all.iter().map(|text| text.trim_end_matches("::/64").to_owned());
    let more: Vec<String> = disks.chain(networks).collect();
    all.extend(more);
    all
}

/// A text of others as it may stand in quotes.
pub(crate) fn shown(text: &str) -> String {
    telemetry::clean::line(&text.replace('"', "'")).into_owned()
}

/// Whether a quotation is one of the signal's texts, whole or shortened, or one of ours.
pub(crate) fn is_of(case: &Case, quotation: &str) -> bool {
    let start = quotation.trim_end_matches('…');
    let is_since = quotation.ends_with(":00 UTC");
    let of_text = |text: &String| {
        let text = shown(text);
        text.trim_end_matches(['.', ' ']) == start || (start != quotation && text.starts_with(start))
    };
    is_since
        || QUOTED.contains(&quotation)
        || texts(case).iter().any(of_text)
        || texts(case).iter().any(|text| text == quotation)
}

/// How many of a list are not shown, where some are.
fn left_out(case: &Case) -> Vec<u64> {
    let facts = &case.signal.facts;
    let lengths = facts.values().filter_map(Value::as_array).map(|list| list.len() as u64);
    let totals =
        [fact::USERS_TOTAL, fact::ADDRESSES_TOTAL].into_iter().filter_map(|name| facts.get(name)?.as_u64());
    lengths.chain(totals).flat_map(|number| [number.saturating_sub(3), number.saturating_sub(4)]).collect()
}

/// Lengths of time in nanoseconds.
fn lengths(case: &Case) -> Vec<i64> {
    let facts = &case.signal.facts;
    let seconds = [fact::USUAL_PAUSE, fact::WITHIN].into_iter().filter_map(|name| facts.get(name)?.as_i64());
    let mut all: Vec<i64> = seconds.map(|seconds| seconds * 1_000_000_000).collect();
    all.push(case.signal.last.as_nanos() - case.signal.first.as_nanos());
    all
}

/// Dates and times of day of all that has one, and the hours at which a user comes.
fn clocks(case: &Case) -> Vec<String> {
    let signal = &case.signal;
    let mut times = vec![signal.first, signal.last];
    times.extend(case.reader.history.and_then(|history| history.last));
    let login = signal.facts.get(fact::LOGIN_AT).and_then(Value::as_str);
    let seen = signal.facts.get(fact::LAST_SEEN).and_then(Value::as_str);
    times.extend(login.into_iter().chain(seen).map(|text| Timestamp::parse(text).unwrap()));
    let mut all = Vec::new();
    let mut written = |time: Timestamp, zone: &TimeZone, formats: &[&str]| {
        let zoned = time.to_jiff().to_zoned(zone.clone());
        all.extend(formats.iter().map(|format| zoned.strftime(format).to_string()));
    };
    for time in times {
        written(time, &case.reader.zone, &["%Y-%m-%d", "%d/%m/%Y", "%H:%M:%S"]);
    }
    let before = signal.first.saturating_add(-600_000_000_000);
    written(before, &TimeZone::UTC, &["%Y-%m-%d", "%H:%M:00"]);
    let ranges = signal.facts.get(fact::USUAL_HOURS).and_then(Value::as_array);
    for range in ranges.into_iter().flatten().filter_map(Value::as_str) {
        let (start, end) = range.split_once('-').unwrap();
        for clock in [format!("{start}:00:00"), format!("{end}:59:00")] {
            let day = signal.first.to_jiff().strftime("%Y-%m-%d");
            let time = Timestamp::parse(&format!("{day}T{clock}Z")).unwrap();
            written(time, &case.reader.zone, &["%H:%M"]);
        }
    }
    all
}

/// A text with each of these names exchanged where it stands as a word.
pub(crate) fn renamed(text: &str, names: &[(&str, &str)]) -> String {
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (mut out, mut rest) = (String::new(), text);
    while !rest.is_empty() {
        let name = names.iter().find(|(from, _)| {
            rest.starts_with(from)
                && !is_word(out.chars().next_back())
                && !is_word(rest[from.len()..].chars().next())
        });
        let (taken, put) = match name {
            Some((from, to)) => (from.len(), (*to).to_owned()),
            None => {
                let first = rest.chars().next().unwrap();
                (first.len_utf8(), first.to_string())
            }
        };
        out.push_str(&put);
        rest = &rest[taken..];
    }
    out
}
