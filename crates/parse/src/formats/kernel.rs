//! Kernel messages, as dmesg gives them: seconds since boot, or with `-T` the date.

use event::{Event, Severity, Value};

#[cfg(test)]
use super::format::Sample;
use super::format::{Begins, Format, Line};
use crate::{Context, level};

pub(super) const FORMATS: &[Format] = &[
    Format {
        name: "dmesg",
        begins: Begins::With(b"["),
        read: since_boot,
        #[cfg(test)]
        samples: SAMPLES,
    },
    Format {
        name: "dmesg -T",
        begins: Begins::Bracket(&[]),
        read: dated,
        #[cfg(test)]
        samples: &[],
    },
];

/// `[   12.345678] usb 1-1: new device`: the time is that of receipt.
fn since_boot<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let (uptime, message) = uptime(line.text)?;
    let mut event = Event::new(message, context.received);
    event.severity = severity(message);
    event.source = Some("kernel".into());
    event.set("process.name", "kernel");
    event.set("labels.uptime_s", Value::Float(uptime));
    Some(event)
}

/// `[Thu Oct 22 21:59:01 2026] usb 1-1: new device`, where no word says otherwise.
fn dated<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let stamp = line.stamp?;
    let is_ctime = line.text.starts_with('[')
        && stamp.text.len() == 24
        && stamp.text.as_bytes()[0].is_ascii_alphabetic();
    let message = stamp.rest.strip_prefix(' ').filter(|_| is_ctime && !stamp.is_open)?.trim_start();
    if message.starts_with('[') {
        return None;
    }
    let subject = message.split(' ').next()?;
    let is_subject =
        subject.ends_with(':') || message.split(' ').nth(1).is_some_and(|word| word.ends_with(':'));
    let is_other = message.starts_with("PHP ")
        || subject.parse::<std::net::IpAddr>().is_ok()
        || level::of_token(subject.trim_end_matches(':')).is_some();
    if is_other || !(is_subject || level::of_program("kernel", message).is_some()) {
        return None;
    }
    let mut event = Event::new(message, context.received);
    event.timestamp = stamp.at?;
    event.severity = severity(message);
    event.source = Some("kernel".into());
    event.set("process.name", "kernel");
    Some(event)
}

fn severity(message: &str) -> Severity {
    level::of_program("kernel", message)
        .or_else(|| level::level_from_message(message))
        .unwrap_or(Severity::Info)
}

/// The seconds in brackets at the start, with six digits behind the point, and the text after them.
pub(crate) fn uptime(text: &str) -> Option<(f64, &str)> {
    let (inside, message) = text.strip_prefix('[')?.split_once("] ")?;
    let (seconds, micros) = inside.trim_start().split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if micros.len() != 6 || !digits(seconds) || !digits(micros) {
        return None;
    }
    Some((inside.trim_start().parse().ok()?, message))
}

#[cfg(test)]
const SAMPLES: &[Sample] = &[
    [
        "dmesg",
        "[   12.345678] usb 1-1: new high-speed USB device number 4",
        "",
        "info",
        "",
        "kernel",
        "usb 1-1: new high-speed USB device number 4",
    ],
    [
        "dmesg",
        "[70812.000001] Out of memory: Killed process 812 (java) total-vm:1kB",
        "",
        "error",
        "",
        "kernel",
        "Out of memory: Killed process 812 (java) total-vm:1kB",
    ],
    [
        "dmesg -T",
        "[Thu Oct 22 21:59:01 2026] blk_update_request: I/O error, dev sda, sector 7",
        "2026-10-22T21:59:01Z",
        "error",
        "",
        "kernel",
        "blk_update_request: I/O error, dev sda, sector 7",
    ],
    [
        "kernel in syslog",
        "Oct 22 21:59:01 web1 kernel: [ 3529.289825] Kernel panic - not syncing: Attempted to kill init!",
        "2026-10-22T21:59:01Z",
        "fatal",
        "web1",
        "kernel",
        "Kernel panic - not syncing: Attempted to kill init!",
    ],
];
