//! Records of the Linux audit as Laurel writes them, one JSON object for all of an event: `{"ID":"1714557600.260:3932",
//! "SYSCALL":{…},"EXECVE":{…}}`. They get the fields that lines of auditd have.

use std::borrow::Cow;

use event::{Event, Value, field};
use serde_json::value::RawValue;

use crate::{
    Context,
    object::{self, Member},
    time,
};

/// What is read of one record of the event.
#[derive(Debug, Default)]
struct Said {
    pid: Option<i64>,
    parent: Option<i64>,
    executable: Option<String>,
    name: Option<String>,
    user: Option<String>,
    address: Option<String>,
    is_success: Option<bool>,
}

/// Adds what the records of an event of the audit say, if it is one.
pub(crate) fn read(event: &mut Event<'_>, context: &Context<'_>) {
    let Some(id) =
        event.fields.first().filter(|first| first.path == "labels.ID").and_then(|first| first.value.as_str())
    else {
        return;
    };
    let Some((seconds, sequence)) = id.split_once(':') else { return };
    let (at, sequence) = (time::number(seconds), sequence.to_owned());
    let Some((kind, said)) = of_list(event).or_else(|| Some(("SYSCALL".to_owned(), of_call(event)?))) else {
        return;
    };
    if let Some(at) = at.filter(|_| event.timestamp == context.received) {
        event.timestamp = at;
    }
    event.source = Some("auditd".into());
    event.set("event.action", kind.to_ascii_lowercase());
    event.set("labels.audit.sequence", sequence);
    write(event, said);
}

fn write(event: &mut Event<'_>, said: Said) {
    let texts = [
        ("process.executable", said.executable),
        ("process.name", said.name),
        ("user.name", said.user),
        ("source.ip", said.address),
    ];
    for (path, text) in texts {
        if let Some(text) = text {
            event.set(path, text);
        }
    }
    for (path, number) in [("process.pid", said.pid), ("process.parent.pid", said.parent)] {
        if let Some(number) = number {
            event.set(path, number);
        }
    }
    if let Some(is_success) = said.is_success {
        event.set("event.outcome", if is_success { "success" } else { "failure" });
    }
}

/// The call of the kernel that the event is about.
fn of_call(event: &Event<'_>) -> Option<Said> {
    let mut said = Said::default();
    let mut is_there = false;
    for each in &event.fields {
        let Some(name) = each.path.strip_prefix("labels.SYSCALL.") else { continue };
        is_there = true;
        said.take(name, &each.value);
    }
    is_there.then_some(said)
}

/// The first record of a kind that an event may have several of, and its kind.
fn of_list(event: &Event<'_>) -> Option<(String, Said)> {
    let is_kind =
        |name: &str| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') && name != "PATH";
    event.fields.iter().find_map(|each| {
        let name = each.path.strip_prefix(field::LABELS).filter(|name| is_kind(name))?;
        let Value::Json(list) = &each.value else { return None };
        let records: Vec<&RawValue> = serde_json::from_str(list).ok()?;
        let mut said = Said::default();
        object::members(records.first()?.get(), &mut |name: Cow<'_, str>, value| match value {
            Member::Text(text) => said.take(&name, &Value::String(text.into())),
            Member::Json(json) => {
                let number = json.parse::<i64>();
                said.take(&name, &number.map_or(Value::Null, Value::Int));
            }
        })?;
        Some((name.to_owned(), said))
    })
}

impl Said {
    fn take(&mut self, name: &str, value: &Value<'_>) {
        let number = match value {
            Value::Int(number) => Some(*number),
            _ => None,
        };
        let text = || value.as_str().filter(|text| !matches!(*text, "" | "?" | "unset")).map(str::to_owned);
        match name {
            "pid" => self.pid = number,
            "ppid" => self.parent = number,
            "exe" => self.executable = text(),
            "comm" => self.name = text(),
            "acct" => self.user = text(),
            "AUID" if self.user.is_none() => self.user = text(),
            "addr" => self.address = text().filter(|text| text.parse::<std::net::IpAddr>().is_ok()),
            "success" | "res" => {
                self.is_success = match (value.as_str(), number) {
                    (Some("yes" | "success"), _) | (_, Some(1)) => Some(true),
                    (Some("no" | "failed"), _) | (_, Some(0)) => Some(false),
                    _ => self.is_success,
                };
            }
            _ => {}
        }
    }
}
