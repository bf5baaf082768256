//! Figures as sentences.

use super::questions::{Anomalies, Burst, Count, Guessing, Severe, Span, Values, Web};
use crate::{
    imported::Imported,
    wording::{grouped, many, plain, short},
};

/// What stands out, and the query that shows it.
pub(super) struct Finding {
    pub(super) said: String,
    pub(super) query: String,
}

impl Finding {
    fn new(said: String, query: impl Into<String>) -> Self {
        Self { said, query: query.into() }
    }
}

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
    let waiting = match imported.indexed || imported.accepted == 0 {
        true => "",
        false => " Not all of it is searchable yet.",
    };
    let mut notes = String::new();
    if imported.repeated > 0 {
        let were = many(imported.repeated, "line was", "lines were");
        notes.push_str(&format!(" {were} already there and not stored again."));
    }
    if imported.expired > 0 {
        let are = many(imported.expired, "line is", "lines are");
        notes.push_str(&format!(
            " {are} older than LOG_SENTINEL_RETENTION allows and will be deleted when it next runs."
        ));
    }
    let mut lines = many(imported.lines, "line", "lines");
    if imported.lines != imported.accepted {
        lines = format!("{} ({lines})", many(imported.accepted, "event", "events"));
    }
    format!(
        "Took in {lines} from {files}{when}: {}.{refused}{notes}{waiting}",
        many(templates, "template", "templates")
    )
}

pub(super) fn guessing(guessing: &Guessing) -> Finding {
    let mut text = format!(
        "{} from {}",
        many(guessing.failures, "login failed", "logins failed"),
        many(guessing.addresses.distinct, "address", "addresses"),
    );
    if let Some((address, count)) = guessing.addresses.top.first() {
        text.push_str(&format!(", most of them from {} ({})", plain(address), grouped(*count)));
    }
    if !guessing.users.top.is_empty() {
        text.push_str(&format!(". Names tried most: {}", list(&guessing.users.top)));
    }
    text.push_str(". ");
    match guessing.got_in.first() {
        Some((address, logins)) => {
            let failed =
                guessing.addresses.top.iter().find(|(other, _)| other == address).map_or(0, |(_, n)| *n);
            text.push_str(&format!(
                "{} of these addresses also got in: {} failed {} and logged in {}. Make sure that you know it.",
                grouped(guessing.got_in.len() as u64),
                plain(address),
                many(failed, "time", "times"),
                many(*logins, "time", "times"),
            ));
        }
        None if guessing.successes > 0 => text.push_str(&format!(
            "None of these addresses got in; the {} came from elsewhere.",
            many(guessing.successes, "successful login", "successful logins")
        )),
        None => text.push_str("Nobody got in."),
    }
    text.push_str(" To do: block what keeps guessing, and allow keys only.");
    let suspect = guessing.got_in.first().or(guessing.addresses.top.first());
    let query = suspect.map(|(address, _)| format!("source.ip:\"{address}\""));
    Finding::new(text, query.unwrap_or_else(|| "event.outcome:failure".to_owned()))
}

pub(super) fn privileges(refused: &Values) -> Finding {
    let what = many(refused.total, "change of user by sudo or su was", "changes of user by sudo or su were");
    let said = format!("{what} refused, for {}.", list(&refused.top));
    Finding::new(said, "process.name:(sudo OR su) event.outcome:failure")
}

pub(super) fn web(web: &Web) -> Finding {
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
        text.push_str(&format!("; {} alone asked {} times", plain(address), grouped(*count)));
    }
    text.push('.');
    Finding::new(text, "http.response.status_code:>=400")
}

pub(super) fn severe(severe: &Severe) -> Finding {
    let templates = severe.templates.iter();
    let templates: Vec<_> =
        templates.map(|(text, count)| format!("\"{}\" ({})", short(text), grouped(*count))).collect();
    let events = many(severe.count, "event", "events");
    Finding::new(format!("{events} of level error or worse: {}.", templates.join(", ")), "level:>=error")
}

pub(super) fn burst(burst: &Burst) -> Finding {
    let source = burst
        .source
        .as_ref()
        .map(|(name, count)| format!(", {} of them from {}", grouped(*count), plain(name)));
    let said = format!(
        "A burst: {} in the hour from {}{}; the usual hour has {}.",
        many(burst.count, "event", "events"),
        burst.hour,
        source.unwrap_or_default(),
        grouped(burst.usual)
    );
    // A time to the hour stands for the whole hour.
    Finding::new(said, format!("@timestamp:{}", burst.hour.get(..13).unwrap_or(&burst.hour)))
}

pub(super) fn anomalies(anomalies: &Anomalies) -> Finding {
    let mut text = format!(
        "{} out as unlike the rest. The strangest:",
        many(anomalies.count, "event stands", "events stand")
    );
    for strange in &anomalies.strangest {
        text.push_str(&format!(
            "\n     {:.3}  {}  {}",
            strange.score,
            plain(&strange.time),
            short(&strange.message)
        ));
        if !strange.reasons.is_empty() {
            text.push_str(&format!("\n            because {}", plain(&strange.reasons.join("; "))));
        }
    }
    Finding::new(text, "sentinel.anomaly.is_anomaly:true")
}

fn list(counts: &[Count]) -> String {
    counts
        .iter()
        .map(|(value, count)| format!("{} ({})", short(value), grouped(*count)))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_got_in_is_named_first() {
        let finding = guessing(&Guessing {
            failures: 40,
            addresses: Values { total: 40, distinct: 2, top: vec![("192.0.2.7".to_owned(), 37)] },
            got_in: vec![("192.0.2.7".to_owned(), 1)],
            successes: 1,
            ..Guessing::default()
        });
        assert_eq!(finding.query, "source.ip:\"192.0.2.7\"");
        let text = finding.said;
        assert!(
            text.contains("40 logins failed from 2 addresses, most of them from 192.0.2.7 (37)"),
            "{text}"
        );
        assert!(text.contains("192.0.2.7 failed 37 times and logged in 1 time"), "{text}");
    }
}
