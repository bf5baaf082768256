//! What an import brought, and what was found in it, in plain words: the signals, the gravest first.

use std::fmt::Write;

use event::Timestamp;
use serde_json::Value as Json;

use crate::{
    AppError,
    client::Client,
    imported::Imported,
    wording::{count, each, many, text, texts},
};

/// Signals that are told one by one.
const TOLD_MAX: usize = 5;
/// Steps that are told of each.
const STEPS_MAX: usize = 2;
/// How long to wait until everything that was taken in has been looked at.
const WAIT: &str = "300s";

/// Looks at what an import brought that began at a time. `kept` says that the store goes on after it, and that there is
/// more to look at than is said here.
///
/// # Errors
/// When the collector does not answer.
pub(crate) async fn report(
    client: &Client,
    imported: &Imported,
    begun: Timestamp,
    kept: bool,
) -> Result<String, AppError> {
    if kept && imported.paths.is_empty() {
        // Nothing of what was named could be read, and each was named.
        return Ok(String::new());
    }
    let scope = if kept { scope(&imported.paths) } else { "*".to_owned() };
    let span = client.get_json("/api/v1/histogram", &[("q", &scope), ("interval", "1d")]).await?;
    let templates = client.get_json("/api/v1/patterns", &[("q", &scope), ("limit", "1")]).await?;
    let mut said = taken_in(imported, &span, count(&templates, "distinct"));
    let asked = [("limit", "1000"), ("wait", "detected"), ("timeout", WAIT)];
    let answer = client.get_json("/api/v1/signals", &asked).await?;
    let is_new = |signal: &&Json| {
        let received = signal["received"].as_str().and_then(|time| Timestamp::parse(time).ok());
        received.is_some_and(|received| received >= begun)
    };
    let mut signals: Vec<&Json> = each(&answer, "signals").iter().filter(is_new).collect();
    signals.sort_by(|one, other| rank(other).total_cmp(&rank(one)));
    said.push_str(&told(&signals, kept));
    Ok(said)
}

/// A query for the events of these files.
pub(crate) fn scope(paths: &[String]) -> String {
    let quoted: Vec<String> =
        paths.iter().map(|path| format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\""))).collect();
    format!("log.file.path:({})", quoted.join(" OR "))
}

fn rank(signal: &Json) -> f64 {
    signal["rank"].as_f64().unwrap_or_default()
}

fn taken_in(imported: &Imported, span: &Json, templates: u64) -> String {
    let files = many(imported.paths.len() as u64, "file", "files");
    let days = each(span, "buckets");
    let day = |bucket: Option<&Json>| {
        bucket.map(|bucket| text(bucket, "t").chars().take(10).collect::<String>()).unwrap_or_default()
    };
    let when = match (day(days.first()), day(days.last())) {
        (first, _) if first.is_empty() => String::new(),
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
        "Took in {lines} from {files}{when}: {}.{refused}{notes}{waiting}\n",
        many(templates, "template", "templates")
    )
}

fn told(signals: &[&Json], kept: bool) -> String {
    if signals.is_empty() {
        return "\nNothing stands out.\n".to_owned();
    }
    let mut said = format!("\n{}:\n", many(signals.len() as u64, "signal", "signals, the gravest first"));
    for (number, signal) in signals.iter().take(TOLD_MAX).enumerate() {
        // Writing to a string does not fail.
        let _ignored =
            writeln!(said, "\n{}. {} [{}]", number + 1, text(signal, "title"), text(signal, "severity"));
        let _ignored = writeln!(said, "   {}", text(signal, "what"));
        let _ignored = writeln!(said, "   {}", text(signal, "why"));
        for step in texts(signal, "next").iter().take(STEPS_MAX) {
            let _ignored = writeln!(said, "   - {step}");
        }
        if kept {
            let id = text(signal, "id");
            let _ignored =
                writeln!(said, "   Look closer: log-sentinel signals show {}", id.get(..8).unwrap_or(&id));
        }
    }
    let more = signals.len().saturating_sub(TOLD_MAX);
    if more > 0 {
        let _ignored = writeln!(said, "\nand {}.", many(more as u64, "more", "more"));
    }
    if kept {
        said.push_str("`log-sentinel signals` lists them all.\n");
    }
    said
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn signal(title: &str, rank: f64) -> Json {
        json!({
            "id": "0123456789abcdef0123456789abcdef", "title": title, "severity": "high", "rank": rank,
            "what": "It happened.", "why": "It matters.", "next": ["Look", "Act", "Sleep"]
        })
    }

    #[test]
    fn the_gravest_are_told_with_what_to_do() {
        let all: Vec<Json> = (0..7).map(|n| signal(&format!("number {n}"), f64::from(n))).collect();
        let mut signals: Vec<&Json> = all.iter().collect();
        signals.sort_by(|one, other| rank(other).total_cmp(&rank(one)));
        let said = told(&signals, true);
        assert!(said.starts_with(
            "\n7 signals, the gravest first:\n\n1. number 6 [high]\n   It happened.\n   It matters.\n   - Look\n   - Act\n   \
             Look closer: log-sentinel signals show 01234567\n"
        ), "{said}");
        assert!(said.ends_with("\nand 2 more.\n`log-sentinel signals` lists them all.\n"), "{said}");
        assert!(!said.contains("number 1 "), "{said}");
        assert_eq!(told(&[], true), "\nNothing stands out.\n");
        assert!(told(&signals[..1], false).starts_with("\n1 signal:\n\n1. number 6 [high]\n"));
    }
}
