//! `parse` and the lines of `signals`: what is read from one line, and what it says was done.

use std::{
    io::{self, BufWriter, Write},
    net::IpAddr,
    path::Path,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use detect::{Activity, Connections, weight};
use event::{Event, Timestamp, Value};
use jiff::{civil, tz::TimeZone};
use serde_json::{Map, Value as Json, json};

use crate::lines;

/// Bytes of a line that are read.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Connections of sshd that go on at a time.
const CONNECTIONS_MAX: usize = 65_536;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Rows of JSON with `id` and `line`.
    file: std::path::PathBuf,
    /// When the lines were received: RFC 3339, or a date and a time of day in the zone; without it the time is now.
    #[arg(long)]
    now: Option<String>,
    /// Zone of time stamps that name none, in which times are also printed.
    #[arg(long, default_value = "UTC")]
    zone: String,
}

/// Reads rows, calls `visit` with each row's id and event.
fn events(
    file: &Path,
    now: Timestamp,
    zone: &TimeZone,
    mut visit: impl FnMut(&Json, &Event<'_>) -> Result<()>,
) -> Result<()> {
    let context = parse::Context::new(now, zone, LINE_BYTES_MAX);
    let mut number = 0;
    lines::each(file, |text| {
        number += 1;
        if text.is_empty() {
            return Ok(());
        }
        let row: Json = serde_json::from_str(text).with_context(|| format!("line {number} is no JSON"))?;
        let Some(line) = row.get("line").and_then(Json::as_str) else { return Ok(()) };
        let event = parse::line(line.as_bytes(), &context);
        visit(row.get("id").unwrap_or(&Json::Null), &event)
    })?;
    eprintln!("{number} rows");
    Ok(())
}

/// Prints what is read from each line.
pub(crate) fn parse(arguments: &Arguments) -> Result<()> {
    let zone = TimeZone::get(&arguments.zone)?;
    let now = match &arguments.now {
        Some(text) => moment(text, &zone)?,
        None => present()?,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let mut connections = Connections::new(CONNECTIONS_MAX);
    events(&arguments.file, now, &zone, |id, event| {
        let told = connections.read(event);
        let kind = told.before.as_ref().unwrap_or(&told.activity).kind;
        let time = event.timestamp.to_jiff().to_zoned(zone.clone());
        let row = json!({
            "id": id,
            "fields": fields(event, told.activity.address),
            "time": time.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string(),
            "kind": kind.as_str(),
            "level": weight(event, &told.activity),
        });
        writeln!(out, "{row}")?;
        Ok(())
    })?;
    Ok(out.flush()?)
}

/// Prints what each line says was done.
pub(crate) fn signals(file: &Path) -> Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut connections = Connections::new(CONNECTIONS_MAX);
    events(file, present()?, &TimeZone::UTC, |id, event| {
        let told = connections.read(event);
        let activity = told.before.as_ref().unwrap_or(&told.activity);
        let row = json!({
            "id": id,
            "kind": activity.kind.as_str(),
            "host": host(event, activity),
            "user": activity.user.as_deref(),
        });
        writeln!(out, "{row}")?;
        Ok(())
    })?;
    Ok(out.flush()?)
}

/// From where it came, whatever was done: an address, else a name.
fn host(event: &Event<'_>, activity: &Activity<'_>) -> Option<String> {
    let name = || event.field("source.address").and_then(Value::as_str).map(str::to_owned);
    activity.address.map(|address| address.to_string()).or_else(name)
}

/// The fields under their ECS names, lists as their values between blanks, with the address that an earlier line of the
/// connection may have said. Some data sets name by their own names what ECS has a place for: those stand beside it.
fn fields(event: &Event<'_>, address: Option<IpAddr>) -> Json {
    let mut fields = Map::new();
    if let Some(address) = address {
        fields.insert("source.ip".into(), address.to_string().into());
    }
    fields.insert("message".into(), event.message.as_ref().into());
    fields.insert("log.level".into(), event.severity.as_str().into());
    if let Some(source) = &event.source {
        fields.insert("service.name".into(), source.as_ref().into());
    }
    if let Some(host) = &event.host {
        fields.insert("host.name".into(), host.as_ref().into());
        fields.insert("host.hostname".into(), host.as_ref().into());
    }
    let is_sudo = event.source.as_deref() == Some("sudo");
    for field in &event.fields {
        let value = match field.value.to_json() {
            Json::Array(list) if list.iter().all(Json::is_string) => {
                list.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(" ").into()
            }
            value => value,
        };
        let other = match field.path.as_ref() {
            "process.command_line" if is_sudo => Some("sudo.command"),
            "process.working_directory" if is_sudo => Some("sudo.pwd"),
            path => path.strip_prefix("labels."),
        };
        if let Some(other) = other {
            fields.entry(other).or_insert_with(|| value.clone());
        }
        fields.insert(field.path.to_string(), value);
    }
    Json::Object(fields)
}

fn present() -> Result<Timestamp> {
    Timestamp::from_jiff(jiff::Timestamp::now()).context("the clock is out of range")
}

/// A time of RFC 3339, or a date and a time of day in a zone.
fn moment(text: &str, zone: &TimeZone) -> Result<Timestamp> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Timestamp::from_jiff(at).context("the time is out of range");
    }
    let Ok(local) = text.parse::<civil::DateTime>() else { bail!("{text} is no time") };
    Timestamp::from_jiff(local.to_zoned(zone.clone())?.timestamp()).context("the time is out of range")
}
