//! Switches, routers and firewalls: Cisco's IOS, NX-OS and ASA, H3C and Huawei. Around `%FACILITY-4-MNEMONIC:` stand, in
//! any order, a sequence number, the host, and one time stamp or two.

use std::borrow::Cow;

use event::{Event, Severity};

#[cfg(test)]
use super::format::Sample;
use crate::{
    Context,
    time::{self, Stamp},
};

/// How far into a line the mnemonic is looked for, in bytes.
const HEAD_BYTES_MAX: usize = 200;

/// The event of a line, or of what follows a priority.
pub(crate) fn event<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let (at, severity) = mnemonic(text)?;
    read(&text[..at], &text[at..], severity, context)
}

/// The same of a line whose first time stamp has been read.
pub(crate) fn stamped<'a>(stamp: &Stamp<'a>, context: &Context<'_>) -> Option<Event<'a>> {
    let (at, severity) = mnemonic(stamp.rest)?;
    let mut event = read(&stamp.rest[..at], &stamp.rest[at..], severity, context)?;
    if event.timestamp == context.received {
        event.timestamp = stamp.at.unwrap_or(context.received);
    }
    Some(event)
}

fn read<'a>(head: &'a str, message: &'a str, severity: Severity, context: &Context<'_>) -> Option<Event<'a>> {
    let mut event = Event::new(message, context.received);
    event.severity = severity;
    let (mut rest, mut first_stamp) = (head, true);
    for _ in 0..8 {
        rest = rest.trim_start_matches([' ', ':']);
        if rest.is_empty() {
            return Some(event);
        }
        // A clock that is not set, or no longer, is marked.
        let clock = rest.strip_prefix(['*', '.']).unwrap_or(rest);
        if let Some(stamp) = time::stamp(clock, context) {
            // The device's own stamp counts where it names its zone; else the first.
            if let Some(at) = stamp.at.filter(|_| first_stamp || stamp.names_zone) {
                event.timestamp = at;
            }
            first_stamp = false;
            rest = stamp.rest;
            continue;
        }
        let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
        let word = word.trim_end_matches(':');
        let is_name = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:/".contains(&byte));
        if !is_name {
            return None;
        }
        // Sequence numbers and times since the start begin with a digit; so do addresses.
        let is_host = !word.starts_with(|first: char| first.is_ascii_digit())
            || word.parse::<std::net::IpAddr>().is_ok();
        if is_host && event.host.is_none() {
            event.host = Some(Cow::Borrowed(word));
        }
        rest = after;
    }
    None
}

/// Where `%SYS-5-CONFIG_I: ` or `%%10WEB/4/LOGIN(l): ` begins, and its level.
fn mnemonic(text: &str) -> Option<(usize, Severity)> {
    let head = &text.as_bytes()[..text.len().min(HEAD_BYTES_MAX)];
    let at = memchr::memchr(b'%', head)?;
    let word = text[at + 1..].split([' ', ':']).next()?;
    let (mark, word) = match word.strip_prefix('%') {
        Some(word) => ('/', word),
        None => ('-', word),
    };
    let mut parts = word.split(mark);
    let facility = parts.next()?;
    let is_name = |part: &str| {
        part.len() > 1
            && part
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"_()l".contains(&byte))
    };
    if !is_name(facility) {
        return None;
    }
    let severity = parts.find_map(|part| match part.as_bytes() {
        [digit @ b'0'..=b'7'] => Some(Severity::from_syslog(digit - b'0')),
        _ => None,
    })?;
    is_name(parts.next()?).then_some((at, severity))
}

#[cfg(test)]
pub(crate) const SAMPLES: &[Sample] = &[
    [
        "Cisco IOS",
        "<189>83: *Oct 22 21:59:01: %SYS-5-CONFIG_I: Configured from console by ann on vty0 (192.0.2.1)",
        "2026-10-22T21:59:01Z",
        "info",
        "",
        "",
        "%SYS-5-CONFIG_I: Configured from console by ann on vty0 (192.0.2.1)",
    ],
    [
        "Cisco IOS",
        "<187>4711: rt1: .Oct 22 2026 23:59:01.398 CEST: %LINK-3-UPDOWN: Interface Gi0/1, changed state to down",
        "2026-10-22T21:59:01.398Z",
        "error",
        "rt1",
        "",
        "%LINK-3-UPDOWN: Interface Gi0/1, changed state to down",
    ],
    [
        "Cisco IOS",
        "Oct 22 21:59:02 sw9.example.org 44124: sw9: Oct 22 14:59:01.775 PDT: %LINEPROTO-5-UPDOWN: Line protocol down",
        "2026-10-22T21:59:01.775Z",
        "info",
        "sw9.example.org",
        "",
        "%LINEPROTO-5-UPDOWN: Line protocol down",
    ],
    [
        "Cisco IOS",
        "<189>82: 00:20:10: %SYS-5-CONFIG_I: Configured from console",
        "",
        "info",
        "",
        "",
        "%SYS-5-CONFIG_I: Configured from console",
    ],
    [
        "Cisco NX-OS",
        "<189>: 2026 Oct 22 21:59:01 UTC: %ETHPORT-5-IF_UP: Interface Ethernet1/2 is up",
        "2026-10-22T21:59:01Z",
        "info",
        "",
        "",
        "%ETHPORT-5-IF_UP: Interface Ethernet1/2 is up",
    ],
    [
        "Cisco NX-OS",
        "2026 Oct 22 21:59:01 nx1 %VPC-SLOT1-2-PEER_FAILED: Peer is gone",
        "2026-10-22T21:59:01Z",
        "fatal",
        "nx1",
        "",
        "%VPC-SLOT1-2-PEER_FAILED: Peer is gone",
    ],
    [
        "Cisco ASA",
        "Oct 22 2026 21:59:01 FW-EDGE-1 : %ASA-4-106023: Deny icmp src outside:198.51.100.98 dst inside:192.0.2.101",
        "2026-10-22T21:59:01Z",
        "warn",
        "FW-EDGE-1",
        "",
        "%ASA-4-106023: Deny icmp src outside:198.51.100.98 dst inside:192.0.2.101",
    ],
    [
        "Cisco ASA",
        "%ASA-3-106014: Deny inbound icmp src outside:198.51.100.7 dst inside:192.0.2.3 (type 3, code 2)",
        "",
        "error",
        "",
        "",
        "%ASA-3-106014: Deny inbound icmp src outside:198.51.100.7 dst inside:192.0.2.3 (type 3, code 2)",
    ],
    [
        "H3C",
        "Oct 22 21:59:01 2026 SW01 %%10WEB/4/WEBOPT_LOGIN_FAIL(l): ann failed to log in from 192.0.2.234",
        "2026-10-22T21:59:01Z",
        "warn",
        "SW01",
        "",
        "%%10WEB/4/WEBOPT_LOGIN_FAIL(l): ann failed to log in from 192.0.2.234",
    ],
];
