//! A record on its way to an event: leaves by dotted path go in, in any order; what the event has a
//! member for finds it, what ECS knows stays, everything else goes under `labels.`.

use std::{borrow::Cow, collections::HashMap};

use event::{Event, Field, Severity, Value, ecs, field};

use crate::{
    Context, access,
    fit::fit,
    level,
    names::{self, METHOD, Meaning, Member, Named, STATUS, URL},
    stamp, truncate,
};

mod http;
mod members;

/// From so many fields on, repeated paths are found by a table.
const TABLE_FROM: usize = 24;

#[derive(Debug)]
struct Slot<'a> {
    named: Named,
    path: Cow<'a, str>,
    value: Value<'a>,
}

/// What may be the envelope of a protocol: the member that holds the records.
#[derive(Debug, Clone)]
pub(crate) struct Envelope<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) json: &'a str,
}

/// What a record has said so far.
#[derive(Debug, Default)]
pub(crate) struct Record<'a> {
    slots: [Option<Slot<'a>>; 5],
    /// Further times and levels: the first that can be read counts.
    further: Vec<Slot<'a>>,
    /// What stands under names that HTTP servers use, and others too: the ECS field, the name, the value.
    web: Vec<(&'static str, Cow<'a, str>, Value<'a>)>,
    /// What may be the envelope of a protocol.
    envelope: Option<Envelope<'a>>,
    /// A message was given, and was empty.
    mute: bool,
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

/// What a record says itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) message: bool,
    pub(crate) level: bool,
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
        let meaning = names::meaning(&path);
        if let Some(named) = meaning.member {
            self.put_member(named, path, value);
            return;
        }
        match (path.as_ref(), value) {
            ("user", value @ Value::String(_)) => self.add("user.name".into(), value),
            (field::ORIGINAL, Value::String(text)) if self.original.is_none() => self.original = Some(text),
            (_, value) => self.place(path, value, meaning),
        }
    }

    /// Notes a member when it may hold the records of a protocol.
    #[expect(clippy::ptr_arg, reason = "it is kept as it is, for nearly no member")]
    pub(crate) fn wraps(&mut self, name: &Cow<'a, str>, json: &'a str) {
        let is_named = match json.as_bytes().first() {
            Some(b'{') => name == "event",
            Some(b'[') => {
                const LISTS: [&str; 6] =
                    ["resourceLogs", "resource_logs", "streams", "logEvents", "Records", "records"];
                LISTS.contains(&name.as_ref())
            }
            _ => false,
        };
        if is_named {
            self.envelope = Some(Envelope { name: name.clone(), json });
        }
    }

    /// What may be the envelope of a protocol.
    pub(crate) fn envelope(&self) -> Option<Envelope<'a>> {
        self.envelope.clone()
    }

    /// Notes that text had to be mended.
    pub(crate) fn mended(&mut self) {
        self.flags.invalid_utf8 = true;
    }

    /// Whether the object at this path is a time; when it is not, and should be, that is noted.
    pub(crate) fn is_time(&mut self, path: &str, json: &str) -> bool {
        let Some(Named { member: Member::Timestamp, is_own, .. }) = names::member(path) else { return false };
        let is_time = stamp::is_structure(json);
        self.shapeless_timestamp |= is_own && !is_time;
        is_time
    }

    fn put_member(&mut self, named: Named, path: Cow<'a, str>, value: Value<'a>) {
        let Named { member, rank, is_own, is_lent } = named;
        let meaning = Meaning { member: Some(named), ecs: None };
        let value = match (member, value) {
            // A null says that there is none.
            (_, Value::Null) => return,
            (Member::Message, Value::Json(text)) => match bytes(&text) {
                Some((text, is_mended)) => {
                    self.flags.invalid_utf8 |= is_mended;
                    Value::String(text.into())
                }
                None => Value::Json(text),
            },
            (Member::Message, Value::String(text)) if text.is_empty() => {
                self.mute = true;
                return;
            }
            (_, value) => value,
        };
        let taken = match (member, &value) {
            (Member::Timestamp, Value::Json(text)) if text.starts_with(['[', '{']) => {
                stamp::is_structure(text)
            }
            (Member::Level, Value::Json(text)) => !text.starts_with(['[', '{']),
            (Member::Timestamp, Value::Json(_))
            | (Member::Timestamp | Member::Level, Value::Int(_) | Value::Float(_))
            | (_, Value::String(_)) => true,
            (Member::Message, Value::Int(_) | Value::Float(_) | Value::Bool(_)) => rank < 2,
            _ => false,
        };
        if !taken {
            self.shapeless_timestamp |= member == Member::Timestamp && is_own;
            self.place(path, value, meaning);
            return;
        }
        if is_lent {
            self.place(path.clone(), value.clone(), meaning);
        }
        let slot = &mut self.slots[member as usize];
        let new = Slot { named, path, value };
        let displaced = match slot {
            Some(held) if held.named.rank <= rank => Some(new),
            _ => slot.replace(new),
        };
        match displaced {
            Some(slot) if matches!(member, Member::Timestamp | Member::Level) => self.further.push(slot),
            Some(slot) => self.unused(slot),
            None => {}
        }
    }

    /// Keeps what another name says better.
    fn unused(&mut self, Slot { named, path, value }: Slot<'a>) {
        if !named.is_lent {
            self.label(&path, value);
        }
    }

    /// Puts a value where ECS has it, else under `labels.`.
    fn place(&mut self, path: Cow<'a, str>, value: Value<'a>, meaning: Meaning) {
        if path.starts_with(field::LABELS) && path.len() > field::LABELS.len() {
            self.add(path, value);
            return;
        }
        let reserved = meaning.member.is_some_and(|named| named.is_own)
            || matches!(path.as_ref(), field::CREATED | field::ORIGINAL | field::FLAGS | field::FILE_PATH);
        let known = ecs::known(&path).filter(|known| !reserved && !known.is_ours);
        let value = match known {
            Some(known) => match fit(known.kind, value) {
                Ok(value) => return self.add(path, value),
                Err(value) => value,
            },
            None => value,
        };
        match meaning.ecs {
            _ if path == field::FILE_PATH && matches!(value, Value::String(_)) => self.add(path, value),
            Some(ecs @ (STATUS | METHOD | URL)) => self.web.push((ecs, path, value)),
            Some(ecs) => self.stand_for(ecs, path, value),
            None => self.label(&path, value),
        }
    }

    fn has(&self, path: &str) -> bool {
        self.fields.iter().any(|field| field.path == path)
    }

    /// GELF's own fields are named with an underscore that is none of theirs.
    fn settle_gelf(&mut self) {
        let is_gelf =
            self.slots[Member::Message as usize].as_ref().is_some_and(|slot| slot.path == "short_message");
        if !is_gelf {
            return;
        }
        let is_own = |field: &mut Field<'a>| field.path.starts_with("labels._");
        let own: Vec<_> = self.fields.extract_if(.., is_own).collect();
        if own.is_empty() || !self.repeats.is_empty() {
            self.fields.extend(own);
            return;
        }
        self.table.clear();
        for Field { path, value } in own {
            self.put(Cow::Owned(path["labels._".len()..].to_owned()), value);
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
            && self.web.is_empty()
            && !self.mute
            && self.fields.iter().all(|field| field.value == Value::Null)
    }

    /// What it says itself.
    pub(crate) fn said(&self) -> Said {
        let is_said = |member: Member| self.slots[member as usize].is_some();
        Said { message: is_said(Member::Message), level: is_said(Member::Level) }
    }

    /// Whether it has no message of its own.
    pub(crate) fn is_whole(&self) -> bool {
        self.slots[Member::Message as usize].is_none() && self.original.is_none()
    }

    /// The event, with its message as it came. A record without one gets `event.original`, else `whole`.
    pub(crate) fn finish(mut self, context: &Context<'_>, whole: impl FnOnce() -> Cow<'a, str>) -> Event<'a> {
        self.settle_gelf();
        self.settle_web();
        let timestamp = self.timestamp(context);
        let severity = self.level();
        let is_whole = self.is_whole();
        let [_, _, message, source, host] = std::mem::take(&mut self.slots);
        let source = source.filter(|slot| slot.path != "name" || self.is_bunyan());
        // Container runtimes keep the line's newline.
        let is_line = message.as_ref().is_some_and(|slot| slot.path == "log");
        let message = match message.map(|slot| slot.value) {
            Some(Value::String(text)) if is_line => without_newline(text),
            Some(Value::String(text)) => text,
            Some(value) => text_of(&value).into(),
            None if self.mute && self.fields.is_empty() => Cow::Borrowed(""),
            None => self.original.clone().unwrap_or_else(whole),
        };
        // Every level that a record names itself was looked at; what else is in it is no place of one.
        let severity = severity
            .or_else(|| self.nested_level())
            .or_else(|| if is_whole { self.web_level() } else { level::level_from_message(&message) });
        let text = |slot: Option<Slot<'a>>| match slot?.value {
            Value::String(text) => Some(text),
            _ => None,
        };
        let mut event = Event {
            timestamp,
            observed_timestamp: context.received,
            severity: severity.unwrap_or(Severity::Info),
            message,
            source: text(source),
            host: text(host),
            original: self.original.take(),
            fields: Vec::new(),
        };
        self.merge_repeats();
        event.fields = self.fields;
        let request = match event.field("labels.request") {
            Some(Value::String(Cow::Borrowed(request))) => Some(*request),
            _ => None,
        };
        if let Some(request) = request {
            access::set_request(&mut event, request);
        }
        self.flags.set(&mut event);
        event
    }

    /// Whether `name` is the program's, as bunyan has it, and not that of a logger or of anything else.
    fn is_bunyan(&self) -> bool {
        ["labels.v", "labels.pid"].iter().all(|path| self.has(path))
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

fn without_newline(text: Cow<'_, str>) -> Cow<'_, str> {
    let length = text.trim_end_matches(['\n', '\r']).len();
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..length]),
        Cow::Owned(mut text) => {
            text.truncate(length);
            Cow::Owned(text)
        }
    }
}

/// A text that journald gives as a list of its bytes, because they are not all printable; and whether they are no
/// UTF-8.
fn bytes(json: &str) -> Option<(String, bool)> {
    let bytes: Vec<u8> = serde_json::from_str(json.starts_with('[').then_some(json)?).ok()?;
    if bytes.is_empty() {
        return None;
    }
    Some(match String::from_utf8(bytes) {
        Ok(text) => (text, false),
        Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), true),
    })
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
        // Where a record came from is where it was found; what it says itself of that is kept beside it.
        if let Some(own) = event.fields.iter_mut().find(|each| each.path == field::FILE_PATH)
            && own.value.as_str() != Some(file)
        {
            own.path = Cow::Owned(format!("{}{}", field::LABELS, field::FILE_PATH));
        }
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
