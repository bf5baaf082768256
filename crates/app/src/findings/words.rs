//! Figures as sentences.

use super::questions::{Anomalies, Burst, Count, Guessing, Severe, Span, Values, Web};
use crate::commands::import::Imported;

pub(super) fn taken_in(imported: &Imported, span: &Span, templates: u64) -> String {
    let files = many(imported.paths.len() as u64, "file", "files");
    let when = match (span.first.as_str(), span.last.as_str()) {
        ("", _) => String::new(),
        (first, last) if first == last => format!(", all of {first}"),
        (first, last) => format!(", {first} to {last}"),
    };
    let refused = match imported.rejected {
        0 => String::new(),
        count => format!(" {} could not be taken in.", many(count, "line", "lines")),
    };
    let waiting = if imported.indexed { "" } else { " Not all of it is searchable yet." };
    let lines = many(imported.accepted, "line", "lines");
    format!(
        "Took in {lines} from {files}{when}: {}.{refused}{waiting}",
        many(templates, "template", "templates")
    )
}

pub(super) fn guessing(guessing: &Guessing) -> String {
    let mut text = format!(
        "{} from {}",
        many(guessing.failures, "login failed", "logins failed"),
        many(guessing.addresses.distinct, "address", "addresses"),
    );
    if let Some((address, count)) = guessing.addresses.top.first() {
        text.push_str(&format!(", most of them from {address} ({})", grouped(*count)));
    }
    if !guessing.users.top.is_empty() {
        text.push_str(&format!(". Names tried most: {}", list(&guessing.users.top)));
    }
    text.push_str(". ");
    match guessing.got_in.first() {
        Some((address, count)) => text.push_str(&format!(
            "{} also got in: look at {address} first ({}).",
            many(guessing.got_in.len() as u64, "of these addresses", "of these addresses"),
            many(*count, "login", "logins"),
        )),
        None if guessing.successes > 0 => text.push_str(&format!(
            "None of these addresses got in; the {} came from elsewhere.",
            many(guessing.successes, "successful login", "successful logins")
        )),
        None => text.push_str("Nobody got in."),
    }
    if let Some((address, _)) = guessing.addresses.top.first() {
        text.push_str(&format!(
            " Next: block what keeps guessing, allow keys only; log-sentinel query 'source.ip:\"{address}\"'"
        ));
    }
    text
}

pub(super) fn privileges(refused: &Values) -> String {
    format!(
        "{} refused, for {}. Next: log-sentinel query 'process.name:(sudo OR su) event.outcome:failure'",
        many(refused.total, "change of user by sudo or su was", "changes of user by sudo or su were"),
        list(&refused.top)
    )
}

pub(super) fn web(web: &Web) -> String {
    let failed = web.client_errors + web.server_errors;
    let mut text = format!(
        "{} of {} web requests failed ({:.1} %)",
        grouped(failed),
        grouped(web.requests),
        failed as f64 * 100.0 / web.requests.max(1) as f64
    );
    if web.server_errors > 0 {
        text.push_str(&format!(
            ". {} of them by the server's own fault (5xx): {}",
            grouped(web.server_errors),
            list(&web.server_error_paths.top)
        ));
    }
    if !web.error_paths.top.is_empty() {
        text.push_str(&format!(". Asked for most and refused (4xx): {}", list(&web.error_paths.top)));
    }
    if let Some((address, count)) = web.error_addresses.top.first() {
        text.push_str(&format!("; {address} alone asked {} times", grouped(*count)));
    }
    text.push_str(". Next: log-sentinel query 'http.response.status_code:>=500'");
    text
}

pub(super) fn severe(severe: &Severe) -> String {
    format!(
        "{} of level error or worse: {}. Next: log-sentinel query 'level:(error OR fatal)'",
        many(severe.count, "event", "events"),
        severe
            .templates
            .iter()
            .map(|(text, count)| format!("\"{}\" ({})", short(text), grouped(*count)))
            .collect::<Vec<_>>()
            .join(", "),
    )
}

pub(super) fn burst(burst: &Burst) -> String {
    let source =
        burst.source.as_ref().map(|(name, count)| format!(", {} of them from {name}", grouped(*count)));
    format!(
        "A burst: {} in the hour from {}{}; the usual hour has {}.",
        many(burst.count, "event", "events"),
        burst.hour,
        source.unwrap_or_default(),
        grouped(burst.usual)
    )
}

pub(super) fn anomalies(anomalies: &Anomalies) -> String {
    let mut text =
        format!("{} stand out as unlike the rest. The strangest:", many(anomalies.count, "event", "events"));
    for strange in &anomalies.strangest {
        text.push_str(&format!("\n     {:.3}  {}  {}", strange.score, strange.time, short(&strange.message)));
        if !strange.reasons.is_empty() {
            text.push_str(&format!("\n            because {}", strange.reasons.join("; ")));
        }
    }
    text.push_str("\n   Next: log-sentinel query 'sentinel.anomaly.is_anomaly:true'");
    text
}

fn many(count: u64, one: &str, more: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { more })
}

/// 12345 as 12,345.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn list(counts: &[Count]) -> String {
    counts
        .iter()
        .map(|(value, count)| format!("{} ({})", short(value), grouped(*count)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// At most 120 characters, none of which moves the cursor.
fn short(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let mut characters = text.chars().map(plain);
    let mut start: String = characters.by_ref().take(120).collect();
    if characters.next().is_some() {
        start.push('…');
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_nouns_agree() {
        for (number, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), expected);
        }
        assert_eq!(many(1, "line", "lines"), "1 line");
        assert_eq!(many(1200, "line", "lines"), "1,200 lines");
    }

    #[test]
    fn an_address_that_got_in_is_named_first() {
        let text = guessing(&Guessing {
            failures: 40,
            addresses: Values { total: 40, distinct: 2, top: vec![("192.0.2.7".to_owned(), 37)] },
            got_in: vec![("192.0.2.7".to_owned(), 1)],
            successes: 1,
            ..Guessing::default()
        });
        assert!(
            text.contains("40 logins failed from 2 addresses, most of them from 192.0.2.7 (37)"),
            "{text}"
        );
        assert!(text.contains("look at 192.0.2.7 first (1 login)"), "{text}");
    }

    #[test]
    fn log_text_cannot_move_the_cursor() {
        assert_eq!(short("a\u{1b}[2Jb"), "a [2Jb");
    }
}
