//! `log-sentinel query`: search from a terminal.

use std::io::IsTerminal;

use event::{field::TIMESTAMP, member};
use serde_json::Value as Json;

use super::{note, print, print_bytes, print_json};
use crate::{
    AppError,
    cli::{Output, Question, Search},
    client::{Client, ClientError},
    hits::Hits,
    wording::{each, plain, texts},
};

/// The API gives so many hits at a time.
pub(crate) const PAGE: u32 = 10_000;
/// Output is written when there is so much of it.
const WRITE_BYTES: usize = 64 << 10;

/// The parameters that say which events are asked for.
pub(crate) fn parameters(question: &Question) -> Vec<(&'static str, String)> {
    let mut parameters = vec![("q", question.query.join(" "))];
    for (name, value) in [("from", &question.from), ("to", &question.to)] {
        parameters.extend(value.iter().map(|value| (name, value.clone())));
    }
    parameters.extend(question.zone.iter().map(|zone| ("zone", zone.clone())));
    parameters
}

/// The times of an answer that stand at these members, as clocks of the zone asked for show them.
pub(crate) fn in_zone(question: &Question, answer: &mut Json, members: &[&str]) {
    let Some(zone) = question.zone.as_deref().and_then(|zone| query::zone(zone).ok()) else { return };
    for member in members {
        let time = answer[*member].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        if let Some(time) = time {
            let local = time.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.f%:z");
            answer[*member] = local.to_string().into();
        }
    }
}

/// Prints what matches, as it comes.
///
/// # Errors
/// When the collector does not answer, or output cannot be written.
pub(crate) async fn run(client: &Client, search: &Search) -> Result<(), AppError> {
    let Some(output) = search.output.printed() else {
        return if search.context > 0 { Err(AppError::ContextInCsv) } else { export(client, search).await };
    };
    let mut printer = Printer { output, fields: &search.fields, text: String::new(), shown: 0 };
    let always = always(search);
    let mut left = if search.all { u32::MAX } else { search.limit };
    let mut cursor = String::new();
    loop {
        let limit = left.min(PAGE).to_string();
        let mut parameters: Vec<_> = always.iter().map(|(name, value)| (*name, value.as_str())).collect();
        parameters.push(("limit", &limit));
        parameters.extend((!cursor.is_empty()).then_some(("cursor", cursor.as_str())));
        let mut hits = Hits::ask(client, &parameters).await?;
        while let Some(hit) = hits.next().await? {
            left -= 1.min(left);
            let mut hit = if search.context > 0 { around(client, search, hit).await? } else { hit };
            if output == Output::Text {
                in_zone(&search.question, &mut hit, &[TIMESTAMP]);
                for neighbours in ["_before", "_after"] {
                    let each = hit.get_mut(neighbours).and_then(Json::as_array_mut).into_iter().flatten();
                    each.for_each(|event| in_zone(&search.question, event, &[TIMESTAMP]));
                }
            }
            if !printer.hit(&hit, &hits)? {
                return Ok(());
            }
        }
        let envelope = hits.envelope()?;
        match envelope["next"].as_str() {
            Some(next) if left > 0 => next.clone_into(&mut cursor),
            _ => return printer.end(&envelope),
        }
    }
}

/// Prints what matches as CSV, as the collector writes it.
async fn export(client: &Client, search: &Search) -> Result<(), AppError> {
    let mut asked = always(search);
    asked.push(("format", "csv".to_owned()));
    if !search.all {
        asked.push(("limit", search.limit.to_string()));
    }
    let asked: Vec<_> = asked.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut response = client.get("/api/v1/search", &asked).await?;
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(plain);
    let (total, partial) = (header("x-total"), header("x-partial"));
    let is_terminal = std::io::stdout().is_terminal();
    let broken = |source| ClientError::Answer { url: client.shown().to_owned(), source };
    let mut characters = Characters::default();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        // What goes to a file or a program goes as it is.
        let goes_on = match is_terminal {
            true => print(&characters.of(&chunk))?,
            false => print_bytes(&chunk)?,
        };
        if !goes_on {
            return Ok(());
        }
    }
    if let Some(why) = partial {
        note(&format!("incomplete: {why}"));
    }
    if is_terminal {
        note(&format!("{} events match", total.unwrap_or_default()));
    }
    Ok(())
}

/// Text that comes in pieces, which may be cut within a character.
#[derive(Default)]
struct Characters {
    /// The start of a character whose rest has not come.
    begun: Vec<u8>,
}

impl Characters {
    /// The whole characters up to the end of a piece; U+FFFD stands for what is none.
    fn of(&mut self, piece: &[u8]) -> String {
        let mut bytes = std::mem::take(&mut self.begun);
        bytes.extend_from_slice(piece);
        let is_begun = |end: &[u8]| {
            std::str::from_utf8(end)
                .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        };
        let begins = (bytes.len().saturating_sub(3)..bytes.len()).find(|at| is_begun(&bytes[*at..]));
        self.begun = bytes.split_off(begins.unwrap_or(bytes.len()));
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The parameters of every page.
fn always(search: &Search) -> Vec<(&'static str, String)> {
    let mut always = parameters(&search.question);
    if search.oldest_first {
        always.push(("order", "asc".to_owned()));
    }
    if !search.fields.is_empty() {
        always.push(("fields", search.fields.join(",")));
    }
    always
}

/// A hit with its neighbours as the members `_before` and `_after`.
async fn around(client: &Client, search: &Search, mut hit: Json) -> Result<Json, AppError> {
    let (count, fields) = (search.context.to_string(), search.fields.join(","));
    let mut parameters = vec![("before", count.as_str()), ("after", count.as_str())];
    parameters.extend((!fields.is_empty()).then_some(("fields", fields.as_str())));
    let id = hit["_id"].as_str().unwrap_or_default();
    let mut answer = client.get_json(&format!("/api/v1/events/{id}"), &parameters).await?;
    for (member, name) in [("_before", "before"), ("_after", "after")] {
        hit[member] = answer[name].take();
    }
    Ok(hit)
}

/// Prints hits as they come.
struct Printer<'a> {
    output: Output,
    /// Those to print alone; none for all.
    fields: &'a [String],
    /// Not yet written.
    text: String,
    shown: u32,
}

impl Printer<'_> {
    /// False when nobody reads any more.
    fn hit(&mut self, hit: &Json, answer: &Hits) -> Result<bool, AppError> {
        match self.output {
            Output::Text if hit["_before"].is_array() => self.group(hit),
            Output::Text => self.text.push_str(&(self.line(hit) + "\n")),
            Output::Ndjson => self.text.push_str(&format!("{hit}\n")),
            Output::Json => {
                if self.shown == 0 {
                    self.text.push_str(&format!("{{\n  \"total\": {},\n  \"hits\": [", answer.total()));
                }
                self.text.push_str(if self.shown == 0 { "\n    " } else { ",\n    " });
                self.text.push_str(&indented(hit, "    "));
            }
        }
        self.shown += 1;
        if self.text.len() >= WRITE_BYTES { self.write() } else { Ok(true) }
    }

    /// A hit between its neighbours.
    fn group(&mut self, hit: &Json) {
        if self.shown > 0 {
            self.text.push_str("--\n");
        }
        let neighbours = |member| each(hit, member).iter().map(|neighbour| (' ', neighbour));
        for (mark, event) in neighbours("_before").chain([('>', hit)]).chain(neighbours("_after")) {
            self.text.push_str(&format!("{mark} {}\n", self.line(event)));
        }
    }

    fn line(&self, hit: &Json) -> String {
        if self.fields.is_empty() { readable(hit) } else { values(hit, self.fields) }
    }

    fn write(&mut self) -> Result<bool, AppError> {
        let goes_on = match self.output {
            Output::Text => print(&self.text)?,
            Output::Json | Output::Ndjson => print_json(&self.text)?,
        };
        self.text.clear();
        Ok(goes_on)
    }

    /// What the last answer says beside its hits.
    fn end(mut self, envelope: &Json) -> Result<(), AppError> {
        if self.output == Output::Json {
            match self.shown {
                0 => self.text.push_str(&format!("{{\n  \"total\": {},\n  \"hits\": []", envelope["total"])),
                _ => self.text.push_str("\n  ]"),
            }
            let members = envelope.as_object().into_iter().flatten();
            for (name, value) in members.filter(|(name, _)| !["total", "hits"].contains(&name.as_str())) {
                self.text.push_str(&format!(",\n  \"{name}\": {}", indented(value, "  ")));
            }
            self.text.push_str("\n}\n");
        }
        if self.write()? && self.output == Output::Text {
            summarize(envelope, self.shown);
        }
        Ok(())
    }
}

/// The values of some fields, two blanks apart; `-` where an event has none.
pub(crate) fn values(hit: &Json, fields: &[String]) -> String {
    let value = |name: &String| {
        let document = hit.as_object()?;
        let value = query::paths(name).iter().find_map(|path| member(document, path))?;
        Some(value.as_str().map_or_else(|| plain(&value.to_string()), plain))
    };
    let names = query::names(&fields.join(","));
    let values: Vec<_> = names.iter().map(|name| value(name).unwrap_or_else(|| "-".to_owned())).collect();
    values.join("  ")
}

/// A value over several lines, as a member at some depth.
fn indented(value: &Json, depth: &str) -> String {
    format!("{value:#}").replace('\n', &format!("\n{depth}"))
}

fn summarize(answer: &Json, shown: u32) {
    let total = answer["total"].as_u64().unwrap_or_default();
    let partial =
        answer["reason"].as_str().map(|why| format!("; incomplete: {}", plain(why))).unwrap_or_default();
    note(&format!("{shown} of {total} events{partial}"));
    for hint in texts(answer, "hints") {
        note(&hint);
    }
}

/// An event as a line for people: time, level, host, service, text, and what is strange about it.
pub(crate) fn readable(hit: &Json) -> String {
    let text = |path: &str| hit.pointer(path).and_then(Json::as_str).map(plain);
    let or_dash = |path: &str| text(path).unwrap_or_else(|| "-".to_owned());
    let mut line = format!("{} {:<5}", or_dash("/@timestamp"), or_dash("/log/level"));
    for part in [text("/host/name"), text("/service/name")].into_iter().flatten() {
        line.push(' ');
        line.push_str(&part);
    }
    line.push_str("  ");
    line.push_str(&text("/message").unwrap_or_default());
    let anomaly = &hit["sentinel"]["anomaly"];
    if anomaly["is_anomaly"] == true {
        let score = anomaly["score"].as_f64().unwrap_or_default();
        let reasons = texts(anomaly, "reasons");
        line.push_str(&format!("  [anomaly {score:.3}: {}]", reasons.join("; ")));
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_character_is_lost_between_two_pieces() {
        let text = "a,Größe\n\u{20ac}\u{1f600}\u{10ffff}é";
        for size in 1..=text.len() {
            let mut characters = Characters::default();
            let all: String = text.as_bytes().chunks(size).map(|piece| characters.of(piece)).collect();
            assert_eq!(all, text, "in pieces of {size}");
        }
        let mut characters = Characters::default();
        let pieces = [&b"\xff\xe2\x82"[..], b"x\x80", b"\xf0\x9f"].map(|piece| characters.of(piece));
        assert_eq!(pieces, ["\u{fffd}", "\u{fffd}x\u{fffd}", ""]);
    }

    #[test]
    fn fields_stand_in_the_order_asked_for() {
        let hit = json!({
            "_id": "7", "log": {"level": "warn"}, "source": {"ip": "192.0.2.7", "port": 22},
            "service": {"name": "a\tb"}, "labels": {"a.b": ["x", 1], "client": {"ip": "?"}, "b, c": 8},
        });
        let fields =
            ["source.port,level", "source", "message", "a.b", "_id", "client.ip,\"b, c\""].map(str::to_owned);
        assert_eq!(values(&hit, &fields), r#"22  warn  a\tb  -  ["x",1]  7  ?  8"#);
    }

    #[test]
    fn a_line_for_people_is_one_and_steers_no_terminal() {
        let hit = json!({
            "@timestamp": "2024-06-01T12:00:00Z", "log": {"level": "warn"}, "service": {"name": "sshd"},
            "message": "a\u{1b}[31mred", "sentinel": {"anomaly": {"is_anomaly": true, "score": 0.9912, "reasons": ["new"]}}
        });
        let expected = r"2024-06-01T12:00:00Z warn  sshd  a\u{1b}[31mred  [anomaly 0.991: new]";
        assert_eq!(readable(&hit), expected);
        let evil = "x\n\u{1b}]0;\u{9b}\u{202e}\u{2028}";
        let hit = json!({
            "@timestamp": evil, "log": {"level": evil}, "service": {"name": evil}, "host": {"name": evil},
            "message": evil, "sentinel": {"anomaly": {"is_anomaly": true, "score": 1, "reasons": [evil, evil]}}
        });
        assert!(!readable(&hit).chars().any(telemetry::clean::is_unseen), "{:?}", readable(&hit));
    }
}
