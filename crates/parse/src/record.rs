//! A record on its way to an event: leaves by dotted path go in, in any order; what the event has a
//! member for finds it, what ECS knows stays, everything else goes under `labels.`.

use std::{borrow::Cow, collections::HashMap};

use event::{Event, Field, Severity, Timestamp, Value, ecs, field};

use crate::{Context, fit::fit, level, time, truncate};

/// From so many fields on, repeated paths are found by a table.
const TABLE_FROM: usize = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Timestamp,
    Level,
    Message,
    Source,
    Host,
}

/// The event's member for a path and the rank of that name among its names, 0 the best.
fn member(path: &str) -> Option<(Member, u8)> {
    Some(match path {
        "@timestamp" => (Member::Timestamp, 0),
        "timestamp" => (Member::Timestamp, 1),
        "time" => (Member::Timestamp, 2),
        "ts" => (Member::Timestamp, 3),
        "log.level" => (Member::Level, 0),
        "level" => (Member::Level, 1),
        "severity" => (Member::Level, 2),
        "lvl" => (Member::Level, 3),
        "levelname" => (Member::Level, 4),
        "loglevel" => (Member::Level, 5),
        "message" => (Member::Message, 0),
        "msg" => (Member::Message, 1),
        "log" => (Member::Message, 2),
        "body" => (Member::Message, 3),
        "text" => (Member::Message, 4),
        "service.name" => (Member::Source, 0),
        "source" => (Member::Source, 1),
        "service" => (Member::Source, 2),
        "host.name" => (Member::Host, 0),
        "host" => (Member::Host, 1),
        "hostname" => (Member::Host, 2),
        _ => return None,
    })
}

#[derive(Debug)]
struct Slot<'a> {
    rank: u8,
    path: Cow<'a, str>,
    value: Value<'a>,
}

/// What a record has said so far.
#[derive(Debug, Default)]
pub(crate) struct Record<'a> {
    slots: [Option<Slot<'a>>; 5],
    original: Option<Cow<'a, str>>,
    fields: Vec<Field<'a>>,
    /// Index by path, once there are many fields.
    table: HashMap<Cow<'a, str>, usize, foldhash::fast::RandomState>,
    /// Further values of fields whose path was given before.
    repeats: Vec<(usize, Value<'a>)>,
    flags: Flags,
    /// A time stamp was given in a form that none has.
    shapeless_timestamp: bool,
}

/// What befell the text on its way in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) invalid_utf8: bool,
    pub(crate) truncated: bool,
    pub(crate) timestamp_replaced: bool,
}

impl Flags {
    /// Sets `log.flags`, when there is anything to say.
    pub(crate) fn set(self, event: &mut Event<'_>) {
        let named = [
            (self.invalid_utf8, field::INVALID_UTF8),
            (self.truncated, field::TRUNCATED),
            (self.timestamp_replaced, field::TIMESTAMP_REPLACED),
        ];
        let mut names =
            named.iter().filter(|(is_set, _)| *is_set).map(|(_, name)| format!("\"{name}\"")).peekable();
        if names.peek().is_some() {
            let list = format!("[{}]", names.collect::<Vec<_>>().join(","));
            event.set(field::FLAGS, Value::Json(list.into()));
        }
    }
}

impl<'a> Record<'a> {
    /// Takes one leaf at its dotted path.
    pub(crate) fn put(&mut self, path: Cow<'a, str>, value: Value<'a>) {
        if let Some((member, rank)) = member(&path) {
            self.put_member(member, rank, path, value);
            return;
        }
        match (path.as_ref(), value) {
            ("user", value @ Value::String(_)) => self.add("user.name".into(), value),
            (field::ORIGINAL, Value::String(text)) if self.original.is_none() => self.original = Some(text),
            (_, value) => self.place(path, value),
        }
    }

    /// Notes that text had to be mended.
    pub(crate) fn mended(&mut self) {
        self.flags.invalid_utf8 = true;
    }

    /// Notes that an object stands at this path.
    pub(crate) fn object(&mut self, path: &str) {
        self.shapeless_timestamp |= matches!(member(path), Some((Member::Timestamp, _)));
    }

    fn put_member(&mut self, member: Member, rank: u8, path: Cow<'a, str>, value: Value<'a>) {
        let taken = match (member, &value) {
            // A null says that there is none.
            (_, Value::Null) => return,
            (_, Value::String(_)) => true,
            (Member::Timestamp | Member::Level, Value::Int(_) | Value::Float(_) | Value::Json(_)) => {
                !matches!(&value, Value::Json(text) if text.starts_with(['[', '{']))
            }
            (Member::Message, Value::Int(_) | Value::Float(_) | Value::Bool(_)) => rank < 2,
            _ => false,
        };
        if !taken {
            self.shapeless_timestamp |= member == Member::Timestamp;
            self.place(path, value);
            return;
        }
        let slot = &mut self.slots[member as usize];
        let new = Slot { rank, path, value };
        let displaced = match slot {
            Some(held) if held.rank <= rank => Some(new),
            _ => slot.replace(new),
        };
        if let Some(Slot { path, value, .. }) = displaced {
            self.label(&path, value);
        }
    }

    /// Puts a value where ECS has it, else under `labels.`.
    fn place(&mut self, path: Cow<'a, str>, value: Value<'a>) {
        if path.starts_with(field::LABELS) && path.len() > field::LABELS.len() {
            self.add(path, value);
            return;
        }
        let reserved = member(&path).is_some()
            || matches!(path.as_ref(), field::CREATED | field::ORIGINAL | field::FLAGS | field::FILE_PATH);
        let known = ecs::known(&path).filter(|known| !reserved && !known.is_ours);
        match known.map(|known| fit(known.kind, value.clone())) {
            Some(Ok(value)) => self.add(path, value),
            _ if path == field::FILE_PATH && matches!(value, Value::String(_)) => self.add(path, value),
            _ => self.label(&path, value),
        }
    }

    fn label(&mut self, path: &str, value: Value<'a>) {
        let mut label = String::with_capacity(field::LABELS.len() + path.len());
        label.push_str(field::LABELS);
        label.push_str(path);
        self.add(label.into(), value);
    }

    fn add(&mut self, path: Cow<'a, str>, value: Value<'a>) {
        // A number that no type holds exactly keeps its digits as text only.
        let value = match value {
            Value::Json(text) if !text.starts_with(['[', '{']) => Value::String(text),
            value => value,
        };
        let found = if self.fields.len() < TABLE_FROM {
            self.fields.iter().position(|field| field.path == path)
        } else {
            if self.table.is_empty() {
                self.table
                    .extend(self.fields.iter().enumerate().map(|(index, field)| (field.path.clone(), index)));
            }
            self.table.get(&path).copied()
        };
        match found {
            Some(index) => self.repeats.push((index, value)),
            None => {
                if !self.table.is_empty() {
                    self.table.insert(path.clone(), self.fields.len());
                }
                self.fields.push(Field { path, value });
            }
        }
    }

    /// Whether nothing but nulls came in.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.iter().all(Option::is_none)
            && self.original.is_none()
            && self.fields.iter().all(|field| field.value == Value::Null)
    }

    /// The event. A record without a message gets `event.original`, else `whole`.
    pub(crate) fn finish(mut self, context: &Context<'_>, whole: impl FnOnce() -> Cow<'a, str>) -> Event<'a> {
        let [timestamp, level, message, source, host] = std::mem::take(&mut self.slots);
        let when = self.timestamp(timestamp, context);
        let severity = self.level(level);
        let message = match message.map(|slot| slot.value) {
            Some(Value::String(text)) => text,
            Some(value) => text_of(&value).into(),
            None => self.original.clone().unwrap_or_else(whole),
        };
        let text = |slot: Option<Slot<'a>>| match slot?.value {
            Value::String(text) => Some(text),
            _ => None,
        };
        let mut event = Event {
            timestamp: when,
            observed_timestamp: context.received,
            severity: severity.or_else(|| level::level_from_message(&message)).unwrap_or(Severity::Info),
            message,
            source: text(source),
            host: text(host),
            original: self.original.take(),
            fields: Vec::new(),
        };
        self.merge_repeats();
        event.fields = self.fields;
        self.flags.set(&mut event);
        event
    }

    fn timestamp(&mut self, slot: Option<Slot<'a>>, context: &Context<'_>) -> Timestamp {
        let Some(Slot { value, .. }) = slot else {
            self.flags.timestamp_replaced |= self.shapeless_timestamp;
            return context.received;
        };
        let read = match &value {
            Value::Int(number) => Timestamp::from_integer(*number),
            Value::Float(number) => time::number(&number.to_string()),
            Value::String(text) => time::parse(text, context),
            Value::Json(text) => time::number(text),
            Value::Null | Value::Bool(_) => None,
        };
        read.unwrap_or_else(|| {
            self.flags.timestamp_replaced = true;
            self.label("timestamp", value);
            context.received
        })
    }

    fn level(&mut self, slot: Option<Slot<'a>>) -> Option<Severity> {
        let value = slot?.value;
        let known = level::of_value(&value);
        if !matches!(known, Some((_, true))) && value.as_str() != Some("") {
            self.label("level", value);
        }
        known.map(|(severity, _)| severity)
    }

    /// A path that was given more than once holds the list of its values.
    fn merge_repeats(&mut self) {
        if self.repeats.is_empty() {
            return;
        }
        self.repeats.sort_by_key(|(index, _)| *index);
        for group in self.repeats.chunk_by(|(left, _), (right, _)| left == right) {
            let Some((index, _)) = group.first() else { continue };
            let first = std::mem::replace(&mut self.fields[*index].value, Value::Null);
            let values = std::iter::once(&first).chain(group.iter().map(|(_, value)| value));
            let list: Vec<String> = values.map(json_of).collect();
            self.fields[*index].value = Value::Json(format!("[{}]", list.join(",")).into());
        }
    }
}

fn text_of(value: &Value<'_>) -> String {
    match value {
        Value::String(text) => text.to_string(),
        value => json_of(value),
    }
}

fn json_of(value: &Value<'_>) -> String {
    match value {
        Value::Json(text) => text.to_string(),
        value => value.to_json().to_string(),
    }
}

/// What every event gets from where it was found, unless it says so itself, and the bound of its text.
pub(crate) fn complete<'a>(event: &mut Event<'a>, context: &Context<'_>) {
    if let Some(file) = context.file {
        if event.field(field::FILE_PATH).is_none() {
            event.set(field::FILE_PATH, file.to_owned());
        }
        if event.source.is_none() {
            event.source = stem(file).map(|stem| stem.to_owned().into());
        }
    }
    if event.is_future() {
        event.flag(field::FUTURE);
    }
    if event.host.is_none() {
        event.host = context.host.map(|host| host.to_owned().into());
    }
    truncate::bound(event, context.line_bytes_max);
}

/// The name of a log file without the marks of rotation and packing and without its extension:
/// `auth` of `/var/log/auth.log.2.gz`.
fn stem(path: &str) -> Option<&str> {
    let mut name = path.rsplit(['/', '\\']).next()?;
    while let Some((head, tail)) = name.rsplit_once(['.', '-']) {
        let rotated = !tail.is_empty() && tail.bytes().all(|byte| byte.is_ascii_digit());
        if head.is_empty() || !(rotated || matches!(tail, "gz" | "zst" | "xz" | "bz2" | "old")) {
            break;
        }
        name = head;
    }
    let stem = match name.rsplit_once('.') {
        Some((head, _)) if !head.is_empty() => head,
        _ => name,
    };
    (!stem.is_empty()).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_of_log_files() {
        for (path, expected) in [
            ("/var/log/auth.log", Some("auth")),
            ("/var/log/auth.log.1", Some("auth")),
            ("/var/log/auth.log.2.gz", Some("auth")),
            ("/var/log/messages-20240601", Some("messages")),
            ("/srv/my.app.log", Some("my.app")),
            ("syslog", Some("syslog")),
            ("/var/log/.hidden", Some(".hidden")),
            ("/", None),
        ] {
            assert_eq!(stem(path), expected, "{path}");
        }
    }
}
