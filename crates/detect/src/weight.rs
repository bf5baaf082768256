//! How much an event weighs by itself, from 0 to 15.

use event::{Event, Severity, Value};

use crate::{Activity, Kind};

/// The weight of an event that stands alone, in the bands that Wazuh's users know: 0 to 2 is silent, 3 to 6 a note, 7 to
/// 11 an alert, from 12 on critical.
///
/// What was done decides where that is known; else what the sender says of its severity, and last the level of the line.
///
/// | kind | weight |
/// |---|---|
/// | a sign-in that failed, over SSH, to a service, through PAM, sudo or su | 5 |
/// | a sign-in that went through, a command run by sudo or doas | 3 |
/// | sudo refused somebody who may not use it | 5 |
/// | an SSH client that no ordinary one is | 6 |
/// | PAM locked a user out | 8 |
/// | a request that attacks | 6; one that probes, is refused or is none 5; one of too many 6 |
pub fn weight(event: &Event<'_>, activity: &Activity<'_>) -> u8 {
    match activity.kind {
        Kind::SshFailure
        | Kind::AuthFailure
        | Kind::PamFailedAuth
        | Kind::SudoFailure
        | Kind::SudoDenied
        | Kind::SuFailure => 5,
        Kind::SshSuccess | Kind::AuthSuccess | Kind::SudoSuccess | Kind::SuOther => 3,
        Kind::SshSuspicious | Kind::WebAttack | Kind::WebRate => 6,
        Kind::PamUserLock => 8,
        Kind::WebProbe | Kind::WebMalformed | Kind::WebAuthFailure => 5,
        Kind::None => said(event).unwrap_or_else(|| of_level(event)),
    }
}

/// What the sender says of its severity: that of its rule or product, from 0 to 10 or 0 to 100.
fn said(event: &Event<'_>) -> Option<u8> {
    let number = match event.field("event.severity")? {
        Value::Int(number) => *number,
        _ => return None,
    };
    Some(match number {
        0..=3 => 3,
        4..=6 => 5,
        7 | 8 => 8,
        9 | 10 => 12,
        11..=39 => 3,
        40..=69 => 5,
        70..=89 => 8,
        90..=100 => 12,
        _ => return None,
    })
}

const fn of_level(event: &Event<'_>) -> u8 {
    match event.severity {
        Severity::Trace | Severity::Debug => 0,
        Severity::Info => 2,
        Severity::Warn => 3,
        Severity::Error => 5,
        Severity::Fatal => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Timestamp;

    #[test]
    fn kinds_and_senders_and_levels_weigh() {
        for (action, severity, level, expected) in [
            ("ssh_handshake", None, Severity::Info, 6),
            ("account_locked", None, Severity::Info, 8),
            ("x", Some(10), Severity::Info, 12),
            ("x", Some(1), Severity::Fatal, 3),
            ("x", None, Severity::Debug, 0),
            ("x", None, Severity::Fatal, 7),
        ] {
            let mut event = Event::new("", Timestamp::MIN);
            event.severity = level;
            event.set("event.action", action);
            if let Some(severity) = severity {
                event.set("event.severity", severity);
            }
            let activity = Activity::of(&event);
            assert_eq!(weight(&event, &activity), expected, "{action} {severity:?} {level}");
        }
    }
}
