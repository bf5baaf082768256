//! Envelopes in which protocols send several records, or one with its origin: OTLP, Loki, Splunk HEC, CloudWatch,
//! CloudTrail, Azure.

use event::{Event, Timestamp, Value};
use serde::Deserialize;
use serde_json::{Map, Value as Json, value::RawValue};

use crate::{
    Context, inner,
    json::{self, Refusal},
    nested,
    record::{self, Envelope, Record},
    scale,
};

/// Takes a record or what is wrong with it.
type Take<'f, 'a> = &'f mut dyn FnMut(Result<Event<'a>, Refusal>);

/// The events of a JSON object, completed: one, or those in the envelope of a protocol.
///
/// # Errors
/// When it is no record; then nothing was taken.
pub(crate) fn records<'a>(
    text: &'a str,
    context: &Context<'_>,
    mended: bool,
    take: Take<'_, 'a>,
) -> Result<(), Refusal> {
    let mut take = |record: Result<Event<'a>, Refusal>| {
        take(record.map(|mut event| {
            record::complete(&mut event, context);
            event
        }));
    };
    let record = json::read(text, mended)?;
    if let Some(envelope) = record.envelope()
        && open(&envelope, text, context, mended, &mut take)
    {
        return Ok(());
    }
    let mut event = nested::whole(record, text, context);
    inner::read(&mut event, context);
    take(Ok(event));
    Ok(())
}

/// Whether a line begins as an envelope does in which files hold several records.
pub(crate) fn begins(line: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 6] = [
        b"{\"resourceLogs\":[",
        b"{\"resource_logs\":[",
        b"{\"streams\":[",
        b"{\"Records\":[",
        b"{\"records\":[",
        b"{\"messageType\":\"DATA_MESSAGE\"",
    ];
    line.first() == Some(&b'{') && BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
}

/// Takes the records in an envelope; false when it is none, and then nothing was taken.
fn open<'a>(
    envelope: &Envelope<'a>,
    text: &'a str,
    context: &Context<'_>,
    mended: bool,
    take: Take<'_, 'a>,
) -> bool {
    match envelope.name.as_ref() {
        "event" => hec(text, context, mended, take),
        "streams" => loki(text, context, take),
        "logEvents" => cloud_watch(text, context, take),
        "Records" | "records" => list(envelope, text, context, mended, take),
        _ => otlp(envelope.json, context, take),
    }
    .is_some()
}

/// `{"time": …, "host": …, "source": …, "sourcetype": …, "event": {…}, "fields": {…}}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hec<'a> {
    #[serde(borrow)]
    event: &'a RawValue,
    #[serde(borrow)]
    time: Option<&'a RawValue>,
    #[serde(borrow)]
    host: Option<&'a RawValue>,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
    #[serde(borrow)]
    sourcetype: Option<&'a RawValue>,
    #[serde(borrow)]
    index: Option<&'a RawValue>,
    #[serde(borrow)]
    fields: Option<&'a RawValue>,
}

fn hec<'a>(text: &'a str, context: &Context<'_>, mended: bool, take: Take<'_, 'a>) -> Option<()> {
    let hec: Hec<'a> = serde_json::from_str(text).ok()?;
    hec.time.or(hec.source).or(hec.sourcetype).or(hec.index)?;
    let mut record = Record::default();
    json::put_all(&mut record, hec.event.get());
    let named = [
        ("time", hec.time),
        ("host", hec.host),
        ("source", hec.source),
        ("sourcetype", hec.sourcetype),
        ("index", hec.index),
    ];
    for (name, value) in named {
        if let Some(value) = value {
            json::put(&mut record, name.into(), value.get(), 0);
        }
    }
    if let Some(fields) = hec.fields {
        json::put_all(&mut record, fields.get());
    }
    if mended {
        record.mended();
    }
    take(Ok(nested::event(record, context, || json::compact(hec.event.get()))));
    Some(())
}

/// `{"Records": […]}` and nothing else.
fn list<'a>(
    envelope: &Envelope<'a>,
    text: &'a str,
    context: &Context<'_>,
    mended: bool,
    take: Take<'_, 'a>,
) -> Option<()> {
    let whole: Map<String, Json> = serde_json::from_str(text).ok()?;
    let records: Vec<&'a RawValue> = serde_json::from_str(envelope.json).ok()?;
    if whole.len() > 1 || records.iter().any(|record| !record.get().starts_with('{')) || records.is_empty() {
        return None;
    }
    for (number, record) in (1..).zip(records) {
        let record = nested::json(record.get(), context, mended);
        take(record.map_err(|refusal| in_list(&envelope.name, number, refusal)));
    }
    Some(())
}

fn in_list(name: &str, number: usize, refusal: Refusal) -> Refusal {
    Refusal::whole(format!("record {number} of {name}: {}", refusal.reason))
}

#[derive(Deserialize)]
struct Push {
    streams: Vec<Stream>,
}

#[derive(Deserialize)]
struct Stream {
    #[serde(default)]
    stream: Map<String, Json>,
    values: Vec<Vec<Json>>,
}

/// `{"streams": [{"stream": {…}, "values": [["NANOSECONDS", "line", {…}], …]}]}`.
fn loki<'a>(text: &str, context: &Context<'_>, take: Take<'_, 'a>) -> Option<()> {
    let Push { streams } = serde_json::from_str(text).ok()?;
    for Stream { stream, values } in streams {
        for (number, entry) in (1..).zip(values) {
            let (Some(stamp), Some(line)) = (entry.first(), entry.get(1).and_then(Json::as_str)) else {
                take(Err(Refusal::whole(format!("value {number} of a stream has no time and line"))));
                continue;
            };
            let stamp = stamp.as_str().map_or_else(|| stamp.to_string(), str::to_owned);
            let mut event = said(line, crate::time::number(&stamp), context);
            let more = entry.get(2).and_then(Json::as_object);
            for (name, value) in stream.iter().chain(more.into_iter().flatten()) {
                label(&mut event, name, value);
            }
            let text =
                |names: &[&str]| names.iter().find_map(|name| stream.get(*name).and_then(Json::as_str));
            if let Some(source) = text(&["service_name", "app", "job"]) {
                event.source = Some(source.to_owned().into());
            }
            if let Some(host) = text(&["host", "hostname", "node_name"]) {
                event.host = Some(host.to_owned().into());
            }
            let level = text(&["level", "detected_level", "severity"]);
            if let Some((severity, _)) =
                level.and_then(|level| scale::level("level", &Value::from(level.to_owned())))
            {
                event.severity = severity;
            }
            take(Ok(event));
        }
    }
    Some(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription {
    #[serde(default)]
    log_group: String,
    #[serde(default)]
    log_stream: String,
    log_events: Vec<LogEvent>,
}

#[derive(Deserialize)]
struct LogEvent {
    timestamp: i64,
    message: String,
}

/// What a CloudWatch subscription sends.
fn cloud_watch<'a>(text: &str, context: &Context<'_>, take: Take<'_, 'a>) -> Option<()> {
    let Subscription { log_group, log_stream, log_events } = serde_json::from_str(text).ok()?;
    for LogEvent { timestamp, message } in log_events {
        let mut event = said(&message, Timestamp::from_integer(timestamp), context);
        if !log_group.is_empty() {
            event.source.get_or_insert_with(|| log_group.clone().into());
            event.set("labels.logGroup", log_group.clone());
        }
        if !log_stream.is_empty() {
            event.set("labels.logStream", log_stream.clone());
        }
        take(Ok(event));
    }
    Some(())
}

/// What a line says, at a time that its envelope tells.
fn said(line: &str, timestamp: Option<Timestamp>, context: &Context<'_>) -> Event<'static> {
    // The file's name is no program's as long as the envelope may name one.
    let context = Context { file: None, ..context.clone() };
    let mut event = crate::line(line.as_bytes(), &context).into_owned();
    if let Some(timestamp) = timestamp {
        event.timestamp = timestamp;
    }
    event
}

fn label(event: &mut Event<'_>, name: &str, value: &Json) {
    event.set(format!("labels.{name}"), Value::from_json(value));
}

/// The `resourceLogs` of OTLP's JSON.
fn otlp<'a>(json: &str, context: &Context<'_>, take: Take<'_, 'a>) -> Option<()> {
    let resources: Vec<Json> = serde_json::from_str(json).ok()?;
    for resource in &resources {
        let about = &member(resource, "resource")["attributes"];
        for scope in member(resource, "scopeLogs").as_array().into_iter().flatten() {
            let logger = &scope["scope"]["name"];
            for log in member(scope, "logRecords").as_array().into_iter().flatten() {
                take(Ok(log_record(log, about, logger, context)));
            }
        }
    }
    Some(())
}

/// A member in either of the two spellings that senders use.
fn member<'j>(json: &'j Json, name: &str) -> &'j Json {
    let found = &json[name];
    if !found.is_null() {
        return found;
    }
    let mut snake = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    &json[snake.as_str()]
}

fn log_record(log: &Json, about: &Json, logger: &Json, context: &Context<'_>) -> Event<'static> {
    let mut record = Record::default();
    let mut put = |path: &str, value: &Json| put(&mut record, path.to_owned(), value);
    for (path, name) in [("timestamp", "timeUnixNano"), ("observed_time_unix_nano", "observedTimeUnixNano")] {
        let nanos = member(log, name);
        if !matches!(nanos.as_str(), Some("0" | "")) && nanos.as_i64() != Some(0) {
            put(path, nanos);
        }
    }
    put("severity_text", member(log, "severityText"));
    put("severity_number", member(log, "severityNumber"));
    match plain(&log["body"]) {
        body @ Json::Object(_) => put("", &body),
        Json::Null => {}
        body @ Json::Array(_) => put("message", &Json::String(body.to_string())),
        body => put("message", &body),
    }
    for (path, name) in [("trace.id", "traceId"), ("span.id", "spanId")] {
        if member(log, name).as_str().is_some_and(|id| !id.is_empty()) {
            put(path, member(log, name));
        }
    }
    if logger.as_str().is_some_and(|name| !name.is_empty()) {
        put("log.logger", logger);
    }
    for attribute in [&log["attributes"], about].into_iter().filter_map(Json::as_array).flatten() {
        if let Some(name) = attribute["key"].as_str() {
            put(name, &plain(&attribute["value"]));
        }
    }
    nested::event(record, context, || log.to_string().into())
}

/// Puts a value, objects by their members.
fn put(record: &mut Record<'static>, path: String, value: &Json) {
    match value {
        Json::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                put(record, path, value);
            }
        }
        Json::Null => {}
        value => record.put(path.into(), Value::from_json(value)),
    }
}

/// The value in an OTLP `AnyValue`.
fn plain(any: &Json) -> Json {
    let Some((kind, value)) = any.as_object().and_then(|members| members.iter().next()) else {
        return Json::Null;
    };
    match kind.as_str() {
        "intValue" | "int_value" => match value.as_str().and_then(|text| text.parse::<i64>().ok()) {
            Some(number) => number.into(),
            None => value.clone(),
        },
        "arrayValue" | "array_value" => {
            value["values"].as_array().into_iter().flatten().map(plain).collect::<Vec<_>>().into()
        }
        "kvlistValue" | "kvlist_value" => {
            let pairs = value["values"].as_array().into_iter().flatten();
            let pair = |pair: &Json| Some((pair["key"].as_str()?.to_owned(), plain(&pair["value"])));
            Json::Object(pairs.filter_map(pair).collect())
        }
        _ => value.clone(),
    }
}
