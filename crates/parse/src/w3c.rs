//! Logs whose columns a line of their own names: W3C extended logs (IIS, CloudFront and others) and Zeek's.

use std::borrow::Cow;

use event::{Event, Timestamp, Value};

use crate::{Context, before::Before, nested, record::Record, time};

/// Columns at most.
const COLUMNS_MAX: usize = 128;

/// Lines at the start of a log that are looked at before they are read.
const HEAD_LINES: usize = 8;

/// Takes notice of the lines that a log begins with: its date holds for those above it too.
pub(crate) fn begin(text: &[u8], before: &mut Before, context: &Context<'_>) {
    let lines = text.split(|byte| *byte == b'\n').take_while(|line| line.starts_with(b"#")).take(HEAD_LINES);
    for line in lines.filter_map(|line| std::str::from_utf8(line).ok()) {
        direct(line, before, context);
    }
}

/// Takes notice of a line that says something of those behind it.
pub(crate) fn direct(line: &str, before: &mut Before, context: &Context<'_>) {
    let Some((name, value)) = line.strip_prefix('#').and_then(|line| line.split_once([':', '\t'])) else {
        return;
    };
    if name.eq_ignore_ascii_case("fields") {
        before.name_columns(value.trim());
    } else if name.eq_ignore_ascii_case("date")
        && let Ok(date) = Timestamp::parse(value.trim())
    {
        before.saw(date, context.received);
    }
}

/// The event of a line in the columns that were named before it. Dates and times of W3C logs are UTC.
pub(crate) fn event<'a>(line: &'a str, columns: &str, context: &Context<'_>) -> Option<Event<'a>> {
    if line.starts_with('#') {
        return None;
    }
    let names: Vec<&str> = columns.split_ascii_whitespace().take(COLUMNS_MAX).collect();
    let values = values(line, names.len())?;
    let of = |name: &str| names.iter().position(|known| *known == name).map(|at| values[at]);
    let mut record = Record::default();
    let mut at = None;
    if let Some(clock) = of("time") {
        at = match of("date") {
            Some(date) => Timestamp::parse(&format!("{date}T{clock}Z")).ok(),
            None => time::clock_in_utc(clock, context),
        };
        at?;
    }
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
    if let Some(at) = at {
        event.timestamp = at;
    }
    Some(event)
}

/// As many values as there are columns, else None.
fn values(line: &str, count: usize) -> Option<Vec<&str>> {
    let separator = if line.contains('\t') { '\t' } else { ' ' };
    let mut is_quoted = false;
    let values: Vec<&str> = line
        .split(|character| {
            is_quoted ^= character == '"';
            character == separator && !is_quoted
        })
        .take(count + 1)
        .collect();
    (values.len() == count && count > 1).then_some(values)
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
