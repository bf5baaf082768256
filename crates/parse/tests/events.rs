//! Whole events of lines and bodies, compared with those kept in `events/`: each input, and below it an event or what is wrong with
//! a record a line. They show what is read, which need not be right throughout. The first word of a file's name is its form. After a change of what is read:
//! `cargo test -p parse --test events -- --ignored`, and read what has changed.
#![expect(clippy::expect_used, reason = "tests fail by panicking")]

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use event::{Event, Timestamp};
use jiff::tz::TimeZone;
use parse::{Context, Format, Joining, Problem};
use serde_json::{Map, json};

const RECEIVED: &str = "2026-11-22T12:00:00Z";
/// When the files were last written.
const WRITTEN: &str = "2024-05-06T12:00:00Z";
const EVENT: &str = "=> ";
const PROBLEM: &str = "!> ";

/// An event but for what its input and its receipt say already.
fn told(event: &Event<'_>, input: &str) -> String {
    let mut told = Map::new();
    let mut put = |name: &str, value| told.insert(name.to_owned(), value);
    if event.timestamp != event.observed_timestamp {
        put("time", json!(event.timestamp.to_string()));
    }
    put("level", json!(event.severity.as_str()));
    for (name, text) in [("host", &event.host), ("program", &event.source)] {
        if let Some(text) = text {
            put(name, json!(text));
        }
    }
    if event.message != input {
        put("message", json!(event.message));
    }
    match &event.original {
        Some(original) if original == input => {}
        original => drop(put("original", json!(original))),
    }
    for field in &event.fields {
        put(&field.path, field.value.to_json());
    }
    format!("{EVENT}{}", json!(told))
}

fn wrong(problem: &Problem) -> String {
    let Problem { line, column, field, reason } = problem;
    let column = column.map(|column| format!(" column {column}")).unwrap_or_default();
    let field = field.as_ref().map(|field| format!(" field {field}")).unwrap_or_default();
    format!("{PROBLEM}line {line}{column}{field}: {reason}")
}

/// What is read of an input, a line each.
fn read(form: &str, input: &str) -> Vec<String> {
    let received = Timestamp::parse(RECEIVED).expect("a time stamp");
    let utc = TimeZone::UTC;
    let context = Context::new(received, &utc, 1 << 16);
    let joining = Joining::default();
    let zone = TimeZone::get("America/Sao_Paulo").expect("a zone");
    let file = Context {
        near: Timestamp::parse(WRITTEN).expect("a time stamp"),
        zone: &zone,
        file: Some("/srv/shop/checkout.log"),
        host: Some("shop1"),
        joining: Some(&joining),
        ..context.clone()
    };
    let mut found = Vec::new();
    let mut take = |record: Result<Event<'_>, Problem>| match record {
        Ok(event) => found.push(told(&event, input)),
        Err(problem) => found.push(wrong(&problem)),
    };
    match form {
        "lines" => take(Ok(parse::line(input.as_bytes(), &context))),
        "json" => drop(parse::body(Format::Json, input.as_bytes(), &context, take)),
        "text" => {
            let context = Context { joining: Some(&joining), ..context };
            parse::body(Format::Lines, input.as_bytes(), &context, take);
        }
        "file" => drop(parse::body(Format::Lines, input.as_bytes(), &file, take)),
        form => panic!("{form} is no form"),
    }
    if found.is_empty() {
        found.push(format!("{EVENT}nothing"));
    }
    found
}

/// The files, each with its form.
fn files() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/events");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (path, name.split('_').next().unwrap_or_default().to_owned())
        })
        .collect();
    files.sort();
    files
}

/// A file written anew, from its inputs.
fn written(form: &str, text: &str) -> String {
    let (mut written, mut input) = (String::new(), String::new());
    // A line's own end may be `\r`.
    let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n').peekable();
    while let Some(line) = lines.next() {
        input.push_str(line);
        let is_told = |line: &&str| line.starts_with(EVENT) || line.starts_with(PROBLEM);
        if !lines.peek().is_some_and(is_told) {
            input.push('\n');
            continue;
        }
        while lines.next_if(is_told).is_some() {}
        writeln!(written, "{input}\n{}", read(form, &input).join("\n")).expect("text");
        input.clear();
        if lines.next_if_eq(&"").is_some() {
            written.push('\n');
        }
    }
    assert_eq!(input, "", "an input without a line `{EVENT}` below it");
    written
}

#[test]
fn what_is_read_is_what_is_kept() {
    for (path, form) in files() {
        let kept = fs::read_to_string(&path).expect("a file");
        let seen = written(&form, &kept);
        for (kept, seen) in kept.lines().zip(seen.lines()) {
            assert_eq!(seen, kept, "{}", path.display());
        }
        assert_eq!(seen.len(), kept.len(), "{}", path.display());
    }
}

#[test]
#[ignore = "writes the files in events/"]
fn write_events() {
    for (path, form) in files() {
        let text = fs::read_to_string(&path).expect("a file");
        fs::write(&path, written(&form, &text)).expect("written");
    }
}
