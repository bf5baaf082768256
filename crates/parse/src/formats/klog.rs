//! klog of Kubernetes and glog: `E1022 21:59:01.337461       1 reflector.go:138] text`.

use std::borrow::Cow;

use event::Event;

#[cfg(test)]
use super::format::Sample;
use super::format::{Begins, Format, Line};
use crate::{Context, level, time};

pub(super) const FORMATS: &[Format] = &[Format {
    name: "klog or glog",
    begins: Begins::With(b"IWEFD"),
    read,
    #[cfg(test)]
    samples: SAMPLES,
}];

fn read<'a>(line: &Line<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let bytes = line.text.as_bytes();
    let severity = level::of_letter(bytes[0])?;
    let digits = bytes[1..].iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
    if !matches!(digits, 4 | 8) || bytes.get(1 + digits) != Some(&b' ') {
        return None;
    }
    let (day, rest) = line.text[1..].split_at(digits);
    let (clock, rest) = rest[1..].split_once(' ')?;
    let (head, message) = rest.split_once("] ").or_else(|| rest.strip_suffix(']').map(|head| (head, "")))?;
    let (thread, origin) = head.trim_start().split_once(' ')?;
    let written = match day.len() {
        4 => format!("{}-{} {clock}", &day[..2], &day[2..]),
        _ => format!("{day} {clock}"),
    };
    let mut event = Event::new(message, context.received);
    event.timestamp = time::parse(&written, context)?;
    event.severity = severity;
    if let Ok(thread) = thread.parse::<i64>() {
        event.set("process.thread.id", thread);
    }
    let (file, number) = origin.rsplit_once(':')?;
    event.set("log.origin.file.name", Cow::Borrowed(file));
    if let Ok(number) = number.parse::<i64>() {
        event.set("log.origin.file.line", number);
    }
    Some(event)
}

#[cfg(test)]
const SAMPLES: &[Sample] = &[
    [
        "klog",
        "E1022 21:59:01.337461       1 reflector.go:138] Failed to watch *v1.Pod: connection refused",
        "2026-10-22T21:59:01.337461Z",
        "error",
        "",
        "",
        "Failed to watch *v1.Pod: connection refused",
    ],
    [
        "klog",
        "I1022 21:59:01.337461    4711 main.go:7] started",
        "2026-10-22T21:59:01.337461Z",
        "info",
        "",
        "",
        "started",
    ],
    [
        "glog",
        "W20261022 21:59:01.337461  7 x.cc:1] slow",
        "2026-10-22T21:59:01.337461Z",
        "warn",
        "",
        "",
        "slow",
    ],
];
