//! Logs whose columns a line of their own names: W3C extended logs (IIS, CloudFront and others) and Zeek's.

use std::borrow::Cow;

use event::{Event, Timestamp, Value};

use crate::{Context, before::Before, nested, record::Record, stamped::has_time, time};

pub(crate) const NAME: &str = "columns that a line before names";
/// Columns at most.
const COLUMNS_MAX: usize = 128;

/// Lines at the start of a log that are looked at before they are read.
const HEAD_LINES: usize = 16;

/// What the lines of a head are called: those of W3C logs, then Zeek's.
const DIRECTIVES: [&str; 15] = [
    "version",
    "fields",
    "software",
    "date",
    "start-date",
    "end-date",
    "remark",
    "separator",
    "set_separator",
    "empty_field",
    "unset_field",
    "path",
    "open",
    "types",
    "close",
];

/// Takes notice of the lines that a log begins with: its date holds for those above it too, and without one the time of
/// the first line in its columns.
pub(crate) fn begin(text: &[u8], before: &mut Before, context: &Context<'_>) {
    if !before.is_head() {
        return;
    }
    let mut lines = text.split(|byte| *byte == b'\n').take(HEAD_LINES);
    let (mut columns, mut is_dated) = (None, false);
    let first = lines.find(|line| {
        let Some((name, value)) = directive(line) else { return true };
        is_dated |= date(name, value, before, context);
        columns = Some(value).filter(|_| name.eq_ignore_ascii_case("fields")).or(columns);
        false
    });
    if let (Some(line), Some(columns), false) = (first, columns, is_dated)
        && let Ok(line) = std::str::from_utf8(line.trim_ascii_end())
        && let Found::Event(event) = event(line, columns, context)
        && event.timestamp != context.received
    {
        before.saw(event.timestamp, context.received);
    }
}

/// Takes notice of a line that says something of those behind it.
pub(crate) fn direct(line: &[u8], before: &mut Before, context: &Context<'_>) {
    let directive = directive(line);
    if let Some((name, value)) = directive
        && before.is_head()
    {
        if name.eq_ignore_ascii_case("fields") {
            before.name_columns(value);
        }
        date(name, value, before, context);
    }
    before.passed(directive.is_some());
}

/// The name and the value of a line of a head.
fn directive(line: &[u8]) -> Option<(&str, &str)> {
    let line = std::str::from_utf8(line.strip_prefix(b"#")?).ok()?.lines().next()?;
    let (name, value) = line.split_once([':', '\t', ' '])?;
    DIRECTIVES.iter().any(|known| name.eq_ignore_ascii_case(known)).then(|| (name, value.trim()))
}

/// Takes notice of a date; whether it is one.
fn date(name: &str, value: &str, before: &mut Before, context: &Context<'_>) -> bool {
    let date = name.eq_ignore_ascii_case("date").then(|| Timestamp::parse(value).ok()).flatten();
    if let Some(date) = date {
        before.saw(date, context.received);
    }
    date.is_some()
}

/// What a line is in the columns that were named before it.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    Event(Event<'a>),
    /// A line as any other; the columns may hold for those behind it.
    Nothing,
    /// The line shows that the columns are those of no log.
    Contradiction,
}

/// The event of a line in the columns that were named before it. They count when they say the time of the line, or when
/// it has none of its own. Dates and times of W3C logs are UTC.
pub(crate) fn event<'a>(line: &'a str, columns: &str, context: &Context<'_>) -> Found<'a> {
    if line.starts_with('#') {
        return Found::Nothing;
    }
    let names: Vec<&str> = columns.split_ascii_whitespace().take(COLUMNS_MAX).collect();
    let values = values(line, names.len());
    let of =
        |name: &str| names.iter().position(|known| *known == name).and_then(|at| values.get(at).copied());
    let at = match (of("date"), of("time"), of("ts")) {
        (Some(date), Some(clock), _) => Timestamp::parse(&format!("{date}T{clock}Z")).ok(),
        (None, Some(clock), _) => time::clock_in_utc(clock, context),
        (_, None, Some(stamp)) => time::parse(stamp, context),
        (_, None, None) => None,
    };
    let other = |is_harmless: bool| if is_harmless { Found::Nothing } else { Found::Contradiction };
    let names_time = names.iter().any(|name| matches!(*name, "time" | "ts"));
    let has_time = has_time(line);
    if names_time && at.is_none() {
        return other(!has_time);
    }
    if values.len() != names.len() || names.len() < 2 {
        // A line that was cut has its time.
        return other(at.is_some());
    }
    let mut record = Record::default();
    for (name, value) in names.iter().zip(&values) {
        let is_taken = at.is_some() && matches!(*name, "date" | "time");
        if !is_taken && !matches!(*value, "-" | "" | "(empty)" | "\"-\"") {
            put(&mut record, name, value);
        }
    }
    let message = match names[..] {
        ["date", "time", _, ..] => &line[values[2].as_ptr() as usize - line.as_ptr() as usize..],
        _ => line,
    };
    let mut event = nested::event(record, context, || Cow::Borrowed(message));
    match at {
        Some(at) => event.timestamp = at,
        None if has_time && event.timestamp == context.received => return Found::Contradiction,
        None => {}
    }
    Found::Event(event)
}

/// The values of a line: one more than there are columns when it has more.
fn values(line: &str, count: usize) -> Vec<&str> {
    let separator = if line.contains('\t') { '\t' } else { ' ' };
    let mut is_quoted = false;
    line.split(|character| {
        is_quoted ^= character == '"';
        character == separator && !is_quoted
    })
    .take(count + 1)
    .collect()
}

fn put<'a>(record: &mut Record<'a>, name: &str, value: &'a str) {
    let is_number = value.len() < 16 && value.bytes().all(|byte| byte.is_ascii_digit());
    let field = match name {
        "c-ip" | "id.orig_h" => "source.ip",
        "c-port" | "id.orig_p" => "source.port",
        "s-ip" | "id.resp_h" => "destination.ip",
        "s-port" | "id.resp_p" => "destination.port",
        "s-computername" => "host.name",
        "cs-username" => "user.name",
        "cs-method" => "http.request.method",
        "cs-uri-stem" => "url.path",
        "cs-uri-query" => "url.query",
        "cs-uri" => "url.original",
        "cs-host" | "cs(Host)" => "url.domain",
        "cs(User-Agent)" => "user_agent.original",
        "cs(Referer)" => "http.request.referrer",
        "sc-status" => "http.response.status_code",
        "sc-bytes" => "http.response.bytes",
        "cs-bytes" => "http.request.bytes",
        // Names that stand for nothing else.
        _ if name.contains(['-', '(']) => return record.put(format!("labels.{name}").into(), value.into()),
        _ => name,
    };
    let value = match value.parse() {
        Ok(number) if is_number => Value::Int(number),
        _ => value.into(),
    };
    record.put(field.to_owned().into(), value);
}
