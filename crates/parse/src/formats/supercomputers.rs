//! The logs of supercomputers as the USENIX repository of failure data holds them (Blue Gene/L, Thunderbird, Spirit,
//! Liberty): the alert that an operator saw in the line, or `-`, seconds since 1970, the day, the node, the node's line.

use std::borrow::Cow;

use event::{Event, Severity};

#[cfg(test)]
use super::format::Sample;
use crate::{
    Context, level, syslog,
    time::{self, Form},
};

/// The event of such a line, or of any that begins with seconds since 1970 and their day.
pub(crate) fn event<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let (timestamp, rest) = time::epoch_and_date(text)?;
    let inner = rest.split_once(' ').and_then(|(node, line)| {
        let event = blue_gene(node, line, context).or_else(|| {
            let stamp = time::stamp(line, context).filter(|stamp| stamp.form == Form::Syslog)?;
            // The host is named twice, and may have been made nameless.
            let (_host, text) = stamp.rest.strip_prefix(' ')?.split_once(' ')?;
            Some(syslog::content(None, text, timestamp, context))
        })?;
        Some(Event { host: Some(Cow::Borrowed(node)), ..event })
    });
    let event = inner.unwrap_or_else(|| {
        let severity = level::level_from_message(text).unwrap_or(Severity::Info);
        Event { severity, ..Event::new(text, context.received) }
    });
    Some(Event { timestamp, ..event })
}

/// `2005-06-03-15.42.50.363779 R02-M1-N0-C:J12-U11 RAS KERNEL INFO text`, of the node that was named before.
fn blue_gene<'a>(node: &str, line: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let mut words = line.splitn(6, ' ');
    let (_stamp, _) = (words.next()?, words.next().filter(|again| *again == node)?);
    let (kind, component, severity) = (words.next()?, words.next()?, words.next()?);
    let mut event = Event::new(words.next().unwrap_or_default(), context.received);
    event.severity = match severity {
        "FAILURE" => Severity::Fatal,
        "SEVERE" => Severity::Error,
        other => level::of_token(other)?,
    };
    event.set("labels.kind", kind);
    event.set("labels.component", component);
    Some(event)
}

#[cfg(test)]
pub(crate) const SAMPLES: &[Sample] = &[
    [
        "Blue Gene/L",
        "- 1792706341 2026.10.22 R02-M1-N0 2026-10-22-14.59.01.363779 R02-M1-N0 RAS KERNEL INFO parity error corrected",
        "2026-10-22T21:59:01Z",
        "info",
        "R02-M1-N0",
        "",
        "parity error corrected",
    ],
    [
        "Blue Gene/L",
        "KERNDTLB 1792706341 2026.10.22 R3 2026-10-22-14.59.01.363779 R3 RAS KERNEL FATAL data TLB error interrupt",
        "2026-10-22T21:59:01Z",
        "fatal",
        "R3",
        "",
        "data TLB error interrupt",
    ],
    [
        "Thunderbird, Spirit, Liberty",
        "- 1792706341 2026.10.22 dn228 Oct 22 14:59:01 dn228/dn228 crond(pam_unix)[2915]: session closed for user root",
        "2026-10-22T21:59:01Z",
        "info",
        "dn228",
        "crond",
        "session closed for user root",
    ],
];
