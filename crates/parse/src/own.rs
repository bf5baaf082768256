//! Formats that a user describes: a pattern whose named groups are fields.

use std::{borrow::Cow, collections::BTreeMap};

use event::{Event, FieldKind, Severity, Timestamp, Value, ecs, field};
use globset::{Glob, GlobSet, GlobSetBuilder};
use jiff::{fmt::strtime, tz::TimeZone};
use regex::{Captures, Regex, RegexBuilder};
use serde::Deserialize;

use crate::{Context, cut, fit::fit, level, time};

/// Formats of one's own at most.
const FORMATS_MAX: usize = 64;
/// What the compiled pattern of one may take, in bytes.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// One format as its user describes it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What it is called where a line is explained.
    pub name: String,
    /// A regular expression as the crate `regex` reads it, with named groups: `time`, `level`, `host`, `program` and
    /// `message` are what an event has, any other name is the ECS field of that name, else a label.
    pub pattern: String,
    /// Globs of the files whose lines may be of this format; without any, all lines may.
    #[serde(default)]
    pub files: Vec<String>,
    /// How `time` is written, in the signs of `strftime` (`%d.%m.%y %H:%M:%S%.f`); without it, any stamp that is known
    /// is read.
    #[serde(default)]
    pub time: Option<String>,
    /// The zone of times that name none: an IANA name; without it that of all lines.
    #[serde(default)]
    pub zone: Option<String>,
    /// What the words in `level` mean, besides those that every format knows: word to level.
    #[serde(default)]
    pub levels: BTreeMap<String, String>,
    /// Lines that must be read; checked when the formats are.
    #[serde(default)]
    pub examples: Vec<String>,
}

/// What is wrong with a description.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("format {name}: {reason}")]
pub struct FormatError {
    /// The name of the format, or its number from 1 where it has none.
    pub name: String,
    /// What is wrong, and what would be right, in words.
    pub reason: String,
}

/// Formats of one's own, in the order in which they are asked for.
#[derive(Debug, Clone, Default)]
pub struct Formats(Vec<Own>);

#[derive(Debug, Clone)]
struct Own {
    name: String,
    pattern: Regex,
    /// What the named groups are, by the number of the group.
    groups: Vec<(usize, Role)>,
    files: Option<GlobSet>,
    time: Option<String>,
    zone: Option<TimeZone>,
    levels: BTreeMap<String, Severity>,
}

/// What a group holds.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Role {
    Time,
    Level,
    Host,
    Program,
    Message,
    Field(String, Option<FieldKind>),
}

impl Formats {
    /// Checks descriptions and makes them ready; their examples are read as if received at `now`.
    ///
    /// # Errors
    /// The first thing that is wrong with any of them.
    pub fn new(definitions: Vec<Definition>, now: Timestamp) -> Result<Self, FormatError> {
        let mut formats = Self::default();
        for (number, definition) in (1..).zip(definitions) {
            let name = match definition.name.trim() {
                "" => number.to_string(),
                name => name.to_owned(),
            };
            let failed = |reason: String| FormatError { name: name.clone(), reason };
            if number > FORMATS_MAX {
                return Err(failed(format!("there are more than {FORMATS_MAX}")));
            }
            if definition.name.trim().is_empty() || formats.0.iter().any(|other| other.name == name) {
                return Err(failed("its name is missing, or another format has it".to_owned()));
            }
            let own = Own::new(&definition).map_err(failed)?;
            for example in &definition.examples {
                own.check(example, now).map_err(|what| failed(format!("the example {example:?} {what}")))?;
            }
            formats.0.push(own);
        }
        Ok(formats)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The event of a text in the first of these formats that has it, and the format's name.
    pub(crate) fn event<'a>(&self, text: &'a str, context: &Context<'_>) -> Option<(Event<'a>, &str)> {
        self.0.iter().filter(|own| own.is_of(context.file)).find_map(|own| {
            let event = match own.pattern.captures(text) {
                Some(captures) => own.event(text, &captures, context),
                // A pattern that ends with `$` knows one line only.
                None => {
                    let head = cut::once(text, b'\n')?.0;
                    let captures = own.pattern.captures(head.strip_suffix('\r').unwrap_or(head))?;
                    own.event(text, &captures, context)
                }
            };
            Some((event, own.name.as_str()))
        })
    }
}

impl Own {
    fn new(definition: &Definition) -> Result<Self, String> {
        let pattern = RegexBuilder::new(&definition.pattern).size_limit(PATTERN_BYTES_MAX).build();
        // The words of the crate show the pattern and a pointer to the fault on lines of their own.
        let pattern = pattern.map_err(|error| {
            let text = error.to_string();
            format!("its pattern is no regular expression: {}", text.lines().last().unwrap_or_default())
        })?;
        let named = pattern.capture_names().enumerate();
        let groups: Vec<_> = named.filter_map(|(at, name)| Some((at, Role::of(name?)))).collect();
        if groups.is_empty() {
            return Err("its pattern has no named group, such as (?<message>.*)".to_owned());
        }
        let mut globs = GlobSetBuilder::new();
        for glob in &definition.files {
            globs.add(Glob::new(glob).map_err(|error| format!("the glob {glob:?} of its files: {error}"))?);
        }
        let files = globs.build().map_err(|error| format!("its files: {error}"))?;
        let zone = definition.zone.as_deref().map(|name| {
            TimeZone::get(name).map_err(|_| format!("{name:?} is no time zone such as Europe/Berlin"))
        });
        let levels = definition.levels.iter().map(|(word, level)| {
            let severity = Severity::from_name(level);
            let severity =
                severity.ok_or_else(|| format!("{level:?}, which {word:?} shall mean, is no level"));
            Ok((word.to_lowercase(), severity?))
        });
        if definition.time.is_some() && !groups.iter().any(|(_, role)| *role == Role::Time) {
            return Err("it says how its time is written, but its pattern has no group `time`".to_owned());
        }
        Ok(Self {
            name: definition.name.trim().to_owned(),
            pattern,
            groups,
            files: (!definition.files.is_empty()).then_some(files),
            time: definition.time.clone(),
            zone: zone.transpose()?,
            levels: levels.collect::<Result<_, String>>()?,
        })
    }

    fn is_of(&self, file: Option<&str>) -> bool {
        self.files.as_ref().is_none_or(|files| file.is_some_and(|file| files.is_match(file)))
    }

    fn check(&self, example: &str, now: Timestamp) -> Result<(), String> {
        let captures = self.pattern.captures(example).ok_or("does not match its pattern")?;
        let zone = TimeZone::UTC;
        let context = Context::new(now, &zone, usize::MAX);
        let text = self.group(&captures, &Role::Time);
        match text {
            Some(text) if self.time(text, &context).is_none() => Err(match &self.time {
                Some(form) => format!("has the time {text:?}, which is not written as {form:?} says"),
                None => format!("has the time {text:?}, which is none that is known; say `time: …`"),
            }),
            _ => Ok(()),
        }
    }

    fn group<'a>(&self, captures: &Captures<'a>, role: &Role) -> Option<&'a str> {
        let found = self.groups.iter().filter(|(_, of)| of == role);
        found
            .filter_map(|(at, _)| captures.get(*at))
            .map(|found| found.as_str())
            .find(|text| !text.is_empty())
    }

    fn time(&self, text: &str, context: &Context<'_>) -> Option<Timestamp> {
        let zone = self.zone.as_ref().unwrap_or(context.zone);
        let Some(form) = &self.time else {
            return time::parse(text, &Context { zone, ..context.clone() });
        };
        let parts = strtime::parse(form, text).ok()?;
        let nanos = match parts.to_timestamp() {
            Ok(timestamp) => timestamp,
            Err(_) => zone.to_timestamp(parts.to_datetime().ok()?).ok()?,
        };
        Timestamp::from_nanos(i64::try_from(nanos.as_nanosecond()).ok()?)
    }

    /// The message, with the lines behind those that the pattern matched.
    fn message<'a>(&self, text: &'a str, captures: &Captures<'a>) -> Cow<'a, str> {
        let Some(message) = self.group(captures, &Role::Message) else { return Cow::Borrowed(text) };
        let matched = captures.get(0).map_or(0, |whole| whole.end());
        let Some((_, rest)) = text.get(matched..).and_then(|behind| cut::once(behind, b'\n')) else {
            return Cow::Borrowed(message);
        };
        let first = message.trim_end_matches('\r').to_owned();
        rest.lines().fold(first, |message, line| message + "\n" + line).into()
    }

    fn event<'a>(&self, text: &'a str, captures: &Captures<'a>, context: &Context<'_>) -> Event<'a> {
        let message = self.message(text, captures);
        let mut event = Event::new(message, context.received);
        let word = self.group(captures, &Role::Level);
        let known =
            |word: &str| self.levels.get(&word.to_lowercase()).copied().or_else(|| level::of_token(word));
        event.severity = word
            .and_then(known)
            .or_else(|| level::level_from_message(&event.message))
            .unwrap_or(Severity::Info);
        event.host = self.group(captures, &Role::Host).map(Cow::Borrowed);
        event.source = self.group(captures, &Role::Program).map(Cow::Borrowed);
        if let Some(written) = self.group(captures, &Role::Time) {
            match self.time(written, context) {
                Some(timestamp) => event.timestamp = timestamp,
                None => {
                    event.flag(field::TIMESTAMP_REPLACED);
                    event.set("labels.timestamp", written);
                }
            }
        }
        for (at, role) in &self.groups {
            let (Role::Field(path, kind), Some(found)) = (role, captures.get(*at)) else { continue };
            let value = Value::String(Cow::Borrowed(found.as_str()));
            match kind.map(|kind| fit(kind, value.clone())) {
                Some(Ok(value)) => event.set(path.clone(), value),
                _ => event.set(format!("{}{path}", field::LABELS), number(value)),
            }
        }
        event
    }
}

/// A text that is a whole number or a decimal as that number, so that it compares as one.
fn number(value: Value<'_>) -> Value<'_> {
    match [FieldKind::Long, FieldKind::Double].map(|kind| fit(kind, value.clone())) {
        [Ok(number), _] | [_, Ok(number)] => number,
        _ => value,
    }
}

impl Role {
    fn of(name: &str) -> Self {
        match name {
            "time" | "timestamp" => Self::Time,
            "level" => Self::Level,
            "host" => Self::Host,
            "program" | "source" => Self::Program,
            "message" => Self::Message,
            name => {
                let name = name.strip_prefix(field::LABELS).unwrap_or(name);
                Self::Field(
                    name.to_owned(),
                    ecs::known(name).filter(|known| !known.is_ours).map(|known| known.kind),
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-22T12:00:00Z").unwrap()
    }

    fn payroll() -> Definition {
        Definition {
            name: "payroll".to_owned(),
            pattern: r"^(?<time>\S+ \S+) \{(?<level>\w+)\} (?<host>\w+)/(?<program>\w+) took=(?<took_ms>\d+) from (?<source.ip>\S+): (?<message>.*)".to_owned(),
            time: Some("%d.%m.%y %H:%M:%S%.f".to_owned()),
            zone: Some("Europe/Berlin".to_owned()),
            levels: [("GRAVE".to_owned(), "error".to_owned())].into(),
            files: vec!["/var/log/payroll/*.log".to_owned()],
            ..Definition::default()
        }
    }

    fn read(definition: Definition, file: Option<&str>, line: &str) -> String {
        let formats = Formats::new(vec![definition], now()).unwrap();
        let zone = TimeZone::UTC;
        let context = Context { file, formats: Some(&formats), ..Context::new(now(), &zone, 1 << 20) };
        let event = crate::line(line.as_bytes(), &context);
        let fields: Vec<_> = event
            .fields
            .iter()
            .filter(|field| field.path != field::FILE_PATH)
            .map(|field| format!("{}={}", field.path, field.value.to_json()))
            .collect();
        format!(
            "{} {} {:?} {:?} {:?} {}",
            event.timestamp,
            event.severity,
            event.host.as_deref().unwrap_or_default(),
            event.source.as_deref().unwrap_or_default(),
            event.message,
            fields.join(" ")
        )
    }

    #[test]
    fn groups_are_what_an_event_has() {
        let line = "22.10.26 23:59:01.5 {GRAVE} web1/payd took=70 from 192.0.2.7: no money for ann";
        assert_eq!(
            read(payroll(), Some("/var/log/payroll/a.log"), line),
            r#"2026-10-22T21:59:01.5Z error "web1" "payd" "no money for ann" labels.took_ms=70 source.ip="192.0.2.7""#
        );
        assert!(
            read(payroll(), Some("/var/log/other.log"), line).contains(r#""other""#),
            "a line of another file is read as any other"
        );
    }

    #[test]
    fn the_lines_of_a_trace_are_of_the_message() {
        let line = "22.10.26 23:59:01.5 {GRAVE} web1/payd took=70 from 192.0.2.7: failed";
        let seen = r#"2026-10-22T21:59:01.5Z error "web1" "payd" "failed\n\tat a.B\n\tat a.C" labels.took_ms=70 source.ip="192.0.2.7""#;
        let to_end = Definition { pattern: payroll().pattern + "$", ..payroll() };
        for definition in [payroll(), to_end] {
            for newline in ["\n", "\r\n"] {
                let text = format!("{line}{newline}\tat a.B{newline}\tat a.C");
                assert_eq!(read(definition.clone(), Some("/var/log/payroll/a.log"), &text), seen);
            }
        }
        let over_lines = Definition { pattern: format!("(?s){}", payroll().pattern), ..payroll() };
        assert_eq!(
            read(over_lines, Some("/var/log/payroll/a.log"), &format!("{line}\n\tat a.B\n\tat a.C")),
            seen
        );
    }

    #[test]
    fn what_a_format_does_not_describe_is_read_as_elsewhere() {
        let pattern = r"^(?<timestamp>\S+ \S+) <(?<level>\w*)> (?<source>\w*) (?<labels.share>\S+) (?<x>\S+) (?<message>.*)";
        let plain = Definition {
            pattern: pattern.to_owned(),
            time: None,
            files: vec![],
            levels: [].into(),
            ..payroll()
        };
        for (line, seen) in [
            // In the zone of the format; a zone that the stamp names counts.
            (
                "2026-10-22 23:59:01 <WARN> payd 0.5 y paid",
                r#"2026-10-22T21:59:01Z warn "" "payd" "paid" labels.share=0.5 labels.x="y""#,
            ),
            (
                "2026-10-22 23:59:01Z <> payd 70 7 ERROR: gone",
                r#"2026-10-22T23:59:01Z error "" "payd" "ERROR: gone" labels.share=70 labels.x=7"#,
            ),
            ("2026-10-22 23:59:01 <loud> - x y", r#"2026-10-22T23:59:01Z info "" "" "<loud> - x y" "#),
        ] {
            assert_eq!(read(plain.clone(), None, line), seen, "{line}");
        }
        let zoned = Definition { time: Some("%Y-%m-%d %H:%M:%S%z".to_owned()), ..plain };
        let line = "2026-10-22 23:59:01+0000 <WARN> payd 1 y paid";
        assert!(read(zoned, None, line).starts_with("2026-10-22T23:59:01Z warn"), "the form has a zone");
    }

    #[test]
    fn what_does_not_fit_is_kept() {
        let line = "99.10.26 23:59:01 {loud} web1/payd took=7x from nowhere: paid";
        let pattern = payroll().pattern.replace(r"took=(?<took_ms>\d+)", r"took=(?<took_ms>\w+)");
        let seen = read(Definition { pattern, files: vec![], ..payroll() }, None, line);
        assert_eq!(
            seen,
            r#"2026-11-22T12:00:00Z info "web1" "payd" "paid" log.flags=["timestamp_replaced"] labels.timestamp="99.10.26 23:59:01" labels.took_ms="7x" labels.source.ip="nowhere""#
        );
    }

    #[test]
    fn a_wrong_description_is_named() {
        let broken = |change: fn(&mut Definition)| {
            let mut definition = payroll();
            change(&mut definition);
            Formats::new(vec![definition], now()).expect_err("a reason").to_string()
        };
        for (change, expected) in [
            ((|it| it.name.clear()) as fn(&mut Definition), "format 1: its name is missing"),
            (
                |it| it.pattern = "(".to_owned(),
                "format payroll: its pattern is no regular expression: error: unclosed group",
            ),
            (|it| it.pattern = r"\d+".to_owned(), "has no named group"),
            (
                |it| it.pattern = format!("(?<message>{})", r"\w{1000}".repeat(100)),
                "its pattern is no regular expression",
            ),
            (|it| it.zone = Some("Mars/Olympus".to_owned()), "\"Mars/Olympus\" is no time zone"),
            (
                |it| it.levels = [("X".to_owned(), "loud".to_owned())].into(),
                "\"loud\", which \"X\" shall mean, is no level",
            ),
            (|it| it.files = vec!["[".to_owned()], "the glob \"[\" of its files"),
            (|it| it.pattern = "(?<message>.*)".to_owned(), "its pattern has no group `time`"),
            (|it| it.examples = vec!["hello".to_owned()], "the example \"hello\" does not match its pattern"),
            (
                |it| it.examples = vec!["2026-10-22 23:59:01 {x} a/b took=1 from c: d".to_owned()],
                "has the time \"2026-10-22 23:59:01\", which is not written as \"%d.%m.%y %H:%M:%S%.f\" says",
            ),
        ] {
            let seen = broken(change);
            assert!(seen.contains(expected), "{seen} has no {expected}");
        }
    }
}
