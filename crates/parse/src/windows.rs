//! Events of Windows in XML, as `wevtutil`, the event viewer and collectors of forwarded events write them: one an
//! element, also many in one document.

use std::borrow::Cow;

use event::{Event, Severity};

#[cfg(test)]
use crate::formats::Sample;
use crate::{Context, nested, record::Record};

pub(crate) const NAME: &str = "Windows event in XML";
/// Nesting that is followed.
const DEPTH_MAX: usize = 16;
/// In the keywords of an event: what was tried was refused.
const AUDIT_FAILURE: u64 = 0x0010_0000_0000_0000;

/// The elements of events in a text that holds nothing else but what frames them; none of any other text.
pub(crate) fn elements(text: &str) -> Vec<&str> {
    const END: &str = "</Event>";
    let mut elements = Vec::new();
    let mut rest = unframed(text);
    while begins(rest) {
        let Some(end) = rest.find(END) else { return Vec::new() };
        let (element, behind) = rest.split_at(end + END.len());
        elements.push(element);
        rest = unframed(behind);
    }
    if rest.is_empty() { elements } else { Vec::new() }
}

/// What is behind blanks and that which only holds events together.
fn unframed(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        let end = if rest.starts_with("<?xml ") {
            "?>"
        } else if rest.starts_with("</Events>")
            || rest.strip_prefix("<Events").is_some_and(|rest| rest.starts_with([' ', '>', '\r', '\n', '\t']))
        {
            ">"
        } else {
            return rest;
        };
        let Some((_, behind)) = rest.split_once(end) else { return rest };
        rest = behind.trim_start();
    }
}

/// Whether the element of an event begins here.
pub(crate) fn begins(text: &str) -> bool {
    text.strip_prefix("<Event").is_some_and(|rest| rest.starts_with([' ', '>', '\r', '\n', '\t']))
}

/// Whether a text only holds events together.
pub(crate) fn is_frame(text: &str) -> bool {
    unframed(text).is_empty()
}

/// The event of one element.
pub(crate) fn event<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    if !begins(text) {
        return None;
    }
    let mut read = Read::default();
    each(text, &mut |path, attributes, content| read.take(path, attributes, content))?;
    let Read { mut record, provider, id, level, keywords, data, rendered } = read;
    let provider = provider?;
    let mut event = {
        let message = rendered.unwrap_or_else(|| format!("{provider} {id}{data}"));
        record.put("message".into(), message.into());
        nested::event(record, context, || Cow::Borrowed(text))
    };
    event.severity = match level {
        1 => Severity::Fatal,
        2 => Severity::Error,
        3 => Severity::Warn,
        5 => Severity::Debug,
        _ if keywords & AUDIT_FAILURE != 0 => Severity::Warn,
        _ => Severity::Info,
    };
    Some(event)
}

/// What an element says so far.
#[derive(Default)]
struct Read<'a> {
    record: Record<'a>,
    provider: Option<String>,
    id: String,
    level: u8,
    keywords: u64,
    /// The values that tell one event of its kind from another.
    data: String,
    rendered: Option<String>,
}

impl<'a> Read<'a> {
    fn take(&mut self, path: &[&'a str], attributes: &'a str, content: &'a str) {
        let named = |name: &str| attribute(attributes, name).map(unescaped);
        let text = || unescaped(content.trim());
        let mut put = |field: &'static str, value: Option<Cow<'a, str>>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                self.record.put(field.into(), value.into());
            }
        };
        match path {
            [_, "System", "Provider"] => {
                let name = named("Name").unwrap_or_default();
                put("event.provider", Some(name.clone()));
                put("service.name", Some(name.clone()));
                self.provider = Some(name.into_owned());
            }
            [_, "System", "EventID"] => {
                put("event.code", Some(text()));
                self.id = text().into_owned();
            }
            [_, "System", "Level"] => self.level = content.trim().parse().unwrap_or_default(),
            [_, "System", "Keywords"] => {
                let digits = content.trim().trim_start_matches("0x");
                self.keywords = u64::from_str_radix(digits, 16).unwrap_or_default();
            }
            [_, "System", "TimeCreated"] => put("@timestamp", named("SystemTime")),
            [_, "System", "Computer"] => put("host.name", Some(text())),
            [_, "System", "Channel"] => put("labels.channel", Some(text())),
            [_, "System", "EventRecordID"] => put("event.id", Some(text())),
            [_, "System", "Execution"] => {
                put("process.pid", named("ProcessID"));
                put("process.thread.id", named("ThreadID"));
            }
            [_, "System", "Security"] => put("user.id", named("UserID")),
            [_, "RenderingInfo", "Message"] => self.rendered = Some(text().into_owned()),
            [_, "EventData", "Data"] => {
                let name = named("Name").unwrap_or(Cow::Borrowed("data"));
                self.datum(&name, text());
            }
            [_, "UserData", .., name] => self.datum(name, text()),
            _ => {}
        }
    }

    fn datum(&mut self, name: &str, value: Cow<'a, str>) {
        if !matches!(value.as_ref(), "" | "-") {
            self.data.push_str(&format!(" {name}={value}"));
            self.record.put(format!("labels.{name}").into(), value.into());
        }
    }
}

/// Takes every element that holds no other: the names on the way to it, its attributes, its text. None for what is no
/// XML or is nested too deeply.
fn each<'a>(text: &'a str, take: &mut dyn FnMut(&[&'a str], &'a str, &'a str)) -> Option<()> {
    let mut path: Vec<&'a str> = Vec::new();
    let mut leaf: Option<(&'a str, usize)> = None;
    let mut at = 0;
    while let Some(open) = text[at..].find('<').map(|open| at + open) {
        let close = open + text[open..].find('>')?;
        let tag = &text[open + 1..close];
        if tag.starts_with('/') {
            if let Some((attributes, begin)) = leaf.take() {
                take(&path, attributes, &text[begin..open]);
            }
            path.pop()?;
        } else if !tag.starts_with(['?', '!']) {
            let (inner, is_empty) = tag.strip_suffix('/').map_or((tag, false), |inner| (inner, true));
            let end = inner.find(|character: char| character.is_ascii_whitespace()).unwrap_or(inner.len());
            let (name, attributes) = inner.split_at(end);
            path.push(name);
            if path.len() > DEPTH_MAX {
                return None;
            }
            leaf = Some((attributes, close + 1)).filter(|_| !is_empty);
            if is_empty {
                take(&path, attributes, "");
                path.pop();
            }
        }
        at = close + 1;
    }
    path.is_empty().then_some(())
}

/// The value of an attribute.
fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = attributes;
    loop {
        let (key, value) = rest.split_once('=')?;
        let quote = value.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
        let (value, behind) = value[1..].split_once(quote)?;
        if key.trim() == name {
            return Some(value);
        }
        rest = behind;
    }
}

/// Text without the escapes of XML.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|byte| byte == b';').unwrap_or_default();
        let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
        let character = match &rest[..end] {
            "&lt" => Some('<'),
            "&gt" => Some('>'),
            "&amp" => Some('&'),
            "&quot" => Some('"'),
            "&apos" => Some('\''),
            escape => match (escape.strip_prefix("&#x"), escape.strip_prefix("&#")) {
                (Some(digits), _) => number(digits, 16),
                (None, Some(digits)) => number(digits, 10),
                (None, None) => None,
            },
        };
        plain.push(character.unwrap_or('&'));
        rest = &rest[if character.is_some() { end + 1 } else { 1 }..];
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

#[cfg(test)]
pub(crate) const SAMPLES: &[Sample] = &[
    [
        "Windows event in XML",
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Service Control Manager'/><EventID Qualifiers='49152'>7034</EventID><Level>2</Level><Keywords>0x8080000000000000</Keywords><TimeCreated SystemTime='2026-10-22T21:59:01.1234567Z'/><EventRecordID>912</EventRecordID><Channel>System</Channel><Computer>WEB01</Computer></System><EventData><Data Name='param1'>Print &amp; Spool</Data></EventData></Event>",
        "2026-10-22T21:59:01.1234567Z",
        "error",
        "WEB01",
        "Service Control Manager",
        "Service Control Manager 7034 param1=Print & Spool",
    ],
    [
        "Windows event in XML",
        "<Event><System><Provider Name=\"Microsoft-Windows-Security-Auditing\"/><EventID>4625</EventID><Level>0</Level><Keywords>0x8010000000000000</Keywords><TimeCreated SystemTime=\"2026-10-22T21:59:01Z\"/><Computer>DC1</Computer></System><EventData/><RenderingInfo Culture=\"en-US\"><Message>An account failed to log on.</Message></RenderingInfo></Event>",
        "2026-10-22T21:59:01Z",
        "warn",
        "DC1",
        "Microsoft-Windows-Security-Auditing",
        "An account failed to log on.",
    ],
];
