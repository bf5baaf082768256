//! What one event says was done.

use std::{borrow::Cow, net::IpAddr};

use event::{Event, Value};

/// What was done, as far as detection cares: a class of messages, whatever program wrote them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Somebody failed to sign in over SSH.
    SshFailure,
    /// Somebody signed in over SSH.
    SshSuccess,
    /// An SSH client that does what no ordinary one does: scans, broken handshakes.
    SshSuspicious,
    /// Somebody failed to sign in to another service.
    AuthFailure,
    /// Somebody signed in to another service.
    AuthSuccess,
    /// A command was run as another user.
    SudoSuccess,
    /// A password for sudo was wrong.
    SudoFailure,
    /// sudo refused somebody who may not use it.
    SudoDenied,
    /// su was refused.
    SuFailure,
    /// su went through, or says something else.
    SuOther,
    /// PAM alone tells of a failure, and no program beside it.
    PamFailedAuth,
    /// PAM locked a user out.
    PamUserLock,
    /// A request that tries to exploit something.
    WebAttack,
    /// A request for what only scanners look for.
    WebProbe,
    /// What is no request at all.
    WebMalformed,
    /// A web application or server refused who asked.
    WebAuthFailure,
    /// A server turned somebody down for asking too often.
    WebRate,
    /// Anything else.
    None,
}

impl Kind {
    /// The name of the kind.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SshFailure => "ssh_failure",
            Self::SshSuccess => "ssh_success",
            Self::SshSuspicious => "ssh_suspicious",
            Self::AuthFailure => "auth_failure",
            Self::AuthSuccess => "auth_success",
            Self::SudoSuccess => "sudo_success",
            Self::SudoFailure => "sudo_failure",
            Self::SudoDenied => "sudo_denied",
            Self::SuFailure => "su_failure",
            Self::SuOther => "su_other",
            Self::PamFailedAuth => "pam_failed_auth",
            Self::PamUserLock => "pam_user_lock",
            Self::WebAttack => "web_attack",
            Self::WebProbe => "web_probe",
            Self::WebMalformed => "web_malformed",
            Self::WebAuthFailure => "web_auth_failure",
            Self::WebRate => "web_rate",
            Self::None => "none",
        }
    }
}

/// What the service speaks that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// SSH.
    Ssh,
    /// HTTP.
    Http,
    /// Any other.
    Other,
}

/// What one event says was done: read from the fields that its parser found, never from text that
/// others could have put there.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity<'a> {
    /// What was done.
    pub kind: Kind,
    /// Over what.
    pub protocol: Protocol,
    /// Who did or tried it, as the service calls them.
    pub user: Option<Cow<'a, str>>,
    /// From where; IPv4 in the clothes of IPv6 is IPv4.
    pub address: Option<IpAddr>,
    /// How often: a line `message repeated N times` stands for N.
    pub times: u32,
}

impl<'a> Activity<'a> {
    /// Reads an event.
    pub fn of(event: &'a Event<'_>) -> Self {
        let text = |path: &str| event.field(path).and_then(Value::as_str);
        let kind = match (text("event.action"), text("event.outcome")) {
            (Some("ssh_login"), Some("failure")) => Kind::SshFailure,
            (Some("ssh_login"), Some("success")) => Kind::SshSuccess,
            _ => Kind::None,
        };
        Self {
            kind,
            protocol: match kind {
                Kind::SshFailure | Kind::SshSuccess | Kind::SshSuspicious => Protocol::Ssh,
                _ => Protocol::Other,
            },
            user: text("user.name").map(Cow::Borrowed),
            address: text("source.ip").and_then(|ip| ip.parse::<IpAddr>().ok()).map(|ip| ip.to_canonical()),
            times: 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Timestamp;

    #[test]
    fn a_failed_login_is_read_from_its_fields() {
        let mut event = Event::new("Failed password for root from 192.0.2.7 port 4", Timestamp::MIN);
        event.set("event.action", "ssh_login");
        event.set("event.outcome", "failure");
        event.set("user.name", "root");
        event.set("source.ip", "::ffff:192.0.2.7");
        let activity = Activity::of(&event);
        assert_eq!(activity.kind, Kind::SshFailure);
        assert_eq!(activity.user.as_deref(), Some("root"));
        assert_eq!(activity.address, Some(IpAddr::from([192, 0, 2, 7])));
    }

    #[test]
    fn words_of_a_message_decide_nothing() {
        let event = Event::new("user said: Failed password for root from 192.0.2.7", Timestamp::MIN);
        let activity = Activity::of(&event);
        assert_eq!((activity.kind, activity.address), (Kind::None, None));
    }
}
