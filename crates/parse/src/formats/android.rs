//! Android's logcat: `10-22 21:59:01.123  1702  2395 D WindowManager: text`, `E/ActivityManager(  585): text`.

use event::Event;

#[cfg(test)]
use super::format::Sample;
use super::format::{Begins, Format, Line};
use crate::{Context, cut, level};

pub(super) const FORMATS: &[Format] = &[
    Format {
        name: "Android",
        begins: Begins::Numbered(b"0123456789"),
        read: timed,
        #[cfg(test)]
        samples: SAMPLES,
    },
    Format {
        name: "Android",
        begins: Begins::Digits(b"TVDINWEFAC"),
        read: timed,
        #[cfg(test)]
        samples: &[],
    },
    Format {
        name: "Android",
        begins: Begins::With(b"VDIWEFA"),
        read: brief,
        #[cfg(test)]
        samples: &[],
    },
];

/// Time stamp, then process, thread, level and tag, or the brief form.
fn timed<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let stamp = line.stamp?;
    let rest = stamp.rest.strip_prefix(' ')?.trim_start();
    let mut event = match rest.as_bytes().first()? {
        b'0'..=b'9' => {
            let (pid, rest) = cut::within(rest, b' ', 8)?;
            let (thread, rest) = cut::within(rest.trim_start(), b' ', 8)?;
            let (letter, rest) = cut::within(rest.trim_start(), b' ', 2)?;
            let [letter] = letter.as_bytes() else { return None };
            let severity = level::of_letter(*letter)?;
            let (pid, thread) = (pid.parse::<i64>().ok()?, thread.parse::<i64>().ok()?);
            let (tag, message) = rest.split_once(':')?;
            let mut event = tagged(tag.trim(), message, context);
            event.severity = severity;
            event.set("process.pid", pid);
            event.set("process.thread.id", thread);
            event
        }
        _ => slashed(rest, context)?,
    };
    event.timestamp = stamp.at?;
    Some(event)
}

fn brief<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    slashed(line.text, context)
}

/// `E/ActivityManager(  585): text`.
fn slashed<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let bytes = text.as_bytes();
    if bytes.get(1) != Some(&b'/') {
        return None;
    }
    let severity = level::of_letter(bytes[0])?;
    let (tag, rest) = text[2..].split_once('(')?;
    let (pid, message) = rest.split_once("):")?;
    let pid = pid.trim().parse::<i64>().ok()?;
    let mut event = tagged(tag.trim(), message, context);
    event.severity = severity;
    event.set("process.pid", pid);
    Some(event)
}

fn tagged<'a>(tag: &'a str, message: &'a str, context: &Context<'_>) -> Event<'a> {
    let mut event = Event::new(message.trim_start(), context.received);
    if !tag.is_empty() {
        event.set("log.logger", tag);
    }
    event
}

#[cfg(test)]
const SAMPLES: &[Sample] = &[
    [
        "Android",
        "10-22 21:59:01.123  1702  2395 D WindowManager: printFreezingDisplayLogs",
        "2026-10-22T21:59:01.123Z",
        "debug",
        "",
        "",
        "printFreezingDisplayLogs",
    ],
    ["Android", "E/ActivityManager(  585): ANR in com.example", "", "error", "", "", "ANR in com.example"],
    [
        "Android",
        "10-22 21:59:01.123 W/Looper(  585): slow",
        "2026-10-22T21:59:01.123Z",
        "warn",
        "",
        "",
        "slow",
    ],
];
