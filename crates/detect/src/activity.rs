//! What one event says was done.
//!
//! The parser has read the line; here its fields are classed. The words of `event.action` that it writes are those
//! that [`Said::kind`] names, so that a search for them finds what was counted.

use std::{borrow::Cow, net::IpAddr};

use event::{Event, Value};

use crate::{
    Kind, Protocol,
    web::{Request, Sign},
};

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
    /// The request of HTTP that the event tells of.
    pub request: Option<Request<'a>>,
    /// The gravest thing that the request betrays.
    pub sign: Option<Sign>,
}

/// How often one line may say that something happened: a larger number is no count of a logger.
const TIMES_MAX: u32 = 10_000;

impl<'a> Activity<'a> {
    /// Reads an event.
    pub fn of(event: &'a Event<'_>) -> Self {
        Said::of(event).activity(event)
    }
}

/// The fields of an event that say what was done, found in one pass.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Said<'a> {
    pub(crate) action: &'a str,
    pub(crate) outcome: &'a str,
    reason: &'a str,
    category: &'a str,
    pub(crate) user: Option<&'a str>,
    address: Option<&'a str>,
    has_source: bool,
    executable: &'a str,
    /// The word with which sshd begins.
    pub(crate) ssh_event: &'a str,
    ssh_method: &'a str,
    pub(crate) pam_module: Option<&'a str>,
    pam_service: Option<&'a str>,
    status: Option<i64>,
    repeated: Option<i64>,
}

/// The reason that the parser gives where there is no such user.
const INVALID_USER: &str = "invalid user";

impl<'a> Said<'a> {
    pub(crate) fn of(event: &'a Event<'_>) -> Self {
        let mut said = Self::default();
        for field in &event.fields {
            let text = || field.value.as_str();
            match field.path.as_ref() {
                "event.action" => said.action = text().unwrap_or_default(),
                "event.outcome" => said.outcome = text().unwrap_or_default(),
                "event.reason" => said.reason = text().unwrap_or_default(),
                "event.category" => {
                    said.category = match &field.value {
                        Value::Json(list) => list,
                        value => value.as_str().unwrap_or_default(),
                    };
                }
                "user.name" => said.user = text(),
                "source.ip" => {
                    said.address = text();
                    said.has_source = true;
                }
                "source.address" => said.has_source = true,
                "process.executable" => said.executable = text().unwrap_or_default(),
                "labels.ssh.event" => said.ssh_event = text().unwrap_or_default(),
                "labels.ssh.method" => said.ssh_method = text().unwrap_or_default(),
                "labels.pam.module" => said.pam_module = text(),
                "labels.pam.service" => said.pam_service = text(),
                "labels.repeated" => said.repeated = int(&field.value),
                "http.response.status_code" => said.status = int(&field.value),
                _ => {}
            }
        }
        said
    }

    pub(crate) fn activity(&self, event: &'a Event<'_>) -> Activity<'a> {
        let request = Request::of(event);
        let sign = request.as_ref().and_then(Request::sign);
        let kind = match self.kind() {
            Kind::None => sign.map_or(Kind::None, Sign::kind),
            kind => kind,
        };
        Activity {
            kind,
            protocol: self.protocol(kind),
            user: self.user.map(Cow::Borrowed),
            address: self.address.and_then(|ip| ip.parse::<IpAddr>().ok()).map(|ip| ip.to_canonical()),
            times: self.repeated.and_then(|times| u32::try_from(times).ok()).unwrap_or(1).clamp(1, TIMES_MAX),
            request,
            sign,
        }
    }

    /// A key that was not taken says nothing yet of a user that exists: every client offers some.
    pub(crate) fn is_offered_key(&self) -> bool {
        self.action == "ssh_login"
            && self.outcome == "failure"
            && self.ssh_method == "publickey"
            && self.reason != INVALID_USER
    }

    /// Whether PAM tells of a failure that the service says itself as well.
    pub(crate) fn is_pam_of_ssh(&self) -> bool {
        matches!(self.pam_service, Some("sshd" | "dropbear")) && self.is_failure()
    }

    /// Whether somebody failed to sign in.
    pub(crate) fn is_failure(&self) -> bool {
        self.outcome == "failure" && self.category.contains("authentication")
    }

    fn kind(&self) -> Kind {
        let has_failed = self.outcome == "failure";
        match self.action {
            "ssh_login" if self.is_offered_key() => Kind::None,
            "ssh_login" if has_failed => Kind::SshFailure,
            "ssh_login" => Kind::SshSuccess,
            "ssh_handshake" => Kind::SshSuspicious,
            "sudo" if !has_failed => Kind::SudoSuccess,
            "sudo" if self.reason.contains("NOT ") || self.reason.contains("not allowed") => Kind::SudoDenied,
            "sudo" => Kind::SudoFailure,
            "su" if has_failed => Kind::SuFailure,
            "su" | "doas" => Kind::SuOther,
            "account_locked" => Kind::PamUserLock,
            "web_login" | "web_access" | "tls_handshake" if has_failed => Kind::WebAuthFailure,
            "malformed_request" => Kind::WebMalformed,
            "rate_limited" => Kind::WebRate,
            "web_forbidden" | "script_not_found" => Kind::WebProbe,
            "request_blocked" => Kind::WebAttack,
            // auditd: what PAM said of it comes first, and the sign-in as a whole behind it.
            "user_auth" | "user_err" if has_failed => self.audited(),
            "user_login" if self.outcome == "success" && self.executable.ends_with("/sshd") => {
                Kind::SshSuccess
            }
            "user_auth" | "user_err" | "user_login" | "user_acct" | "user_start"
                if self.category.is_empty() =>
            {
                Kind::None
            }
            _ => self.authentication(),
        }
    }

    fn audited(&self) -> Kind {
        match self.executable.rsplit('/').next().unwrap_or_default() {
            "sshd" | "sshd-session" | "sshd-auth" => Kind::SshFailure,
            "su" => Kind::SuFailure,
            "sudo" => Kind::SudoFailure,
            _ => Kind::AuthFailure,
        }
    }

    /// An authentication of which the category and the outcome are all that is known.
    fn authentication(&self) -> Kind {
        if !self.category.contains("authentication") || !self.ssh_event.is_empty() {
            return Kind::None;
        }
        match self.outcome {
            "failure" if self.category.contains("\"web\"") => Kind::WebAuthFailure,
            "failure" if self.pam_service.is_none() || self.has_source => match self.pam_service {
                // The service says so itself, with more in it.
                Some("sshd" | "dropbear") => Kind::None,
                _ => Kind::AuthFailure,
            },
            "failure" => Kind::PamFailedAuth,
            "success" => Kind::AuthSuccess,
            _ => Kind::None,
        }
    }

    fn protocol(&self, kind: Kind) -> Protocol {
        match kind {
            Kind::SshFailure | Kind::SshSuccess | Kind::SshSuspicious => Protocol::Ssh,
            Kind::WebAttack | Kind::WebProbe | Kind::WebMalformed | Kind::WebAuthFailure | Kind::WebRate => {
                Protocol::Http
            }
            _ if !self.ssh_event.is_empty() || self.is_pam_of_ssh() => Protocol::Ssh,
            _ if self.status.is_some() || self.category.contains("\"web\"") => Protocol::Http,
            _ => Protocol::Other,
        }
    }
}

const fn int(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        _ => None,
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

    #[test]
    fn fields_say_the_kind() {
        for (fields, expected) in [
            (&[("event.action", "ssh_handshake")] as &[(&str, &str)], Kind::SshSuspicious),
            (
                &[
                    ("event.action", "ssh_login"),
                    ("event.outcome", "failure"),
                    ("labels.ssh.method", "publickey"),
                ],
                Kind::None,
            ),
            (
                &[
                    ("event.action", "ssh_login"),
                    ("event.outcome", "failure"),
                    ("labels.ssh.method", "publickey"),
                    ("event.reason", "invalid user"),
                ],
                Kind::SshFailure,
            ),
            (&[("event.action", "sudo"), ("event.outcome", "success")], Kind::SudoSuccess),
            (
                &[
                    ("event.action", "sudo"),
                    ("event.outcome", "failure"),
                    ("event.reason", "user NOT in sudoers"),
                ],
                Kind::SudoDenied,
            ),
            (
                &[
                    ("event.action", "sudo"),
                    ("event.outcome", "failure"),
                    ("event.reason", "3 incorrect password attempts"),
                ],
                Kind::SudoFailure,
            ),
            (&[("event.action", "su"), ("event.outcome", "failure")], Kind::SuFailure),
            (&[("event.action", "account_locked")], Kind::PamUserLock),
            (&[("event.action", "web_login"), ("event.outcome", "failure")], Kind::WebAuthFailure),
            (&[("event.category", "authentication"), ("event.outcome", "failure")], Kind::AuthFailure),
            (&[("event.category", "authentication"), ("event.outcome", "success")], Kind::AuthSuccess),
            (
                &[
                    ("event.category", "authentication"),
                    ("event.outcome", "failure"),
                    ("labels.pam.module", "pam_unix"),
                    ("labels.pam.service", "sudo"),
                ],
                Kind::PamFailedAuth,
            ),
            (
                &[
                    ("event.category", "authentication"),
                    ("event.outcome", "failure"),
                    ("labels.pam.module", "pam_unix"),
                    ("labels.pam.service", "sshd"),
                    ("source.ip", "192.0.2.7"),
                ],
                Kind::None,
            ),
            (
                &[
                    ("event.action", "user_auth"),
                    ("event.outcome", "failure"),
                    ("process.executable", "/usr/sbin/sshd"),
                ],
                Kind::SshFailure,
            ),
        ] {
            let mut event = Event::new("", Timestamp::MIN);
            for (path, value) in fields {
                event.set(*path, *value);
            }
            assert_eq!(Activity::of(&event).kind, expected, "{fields:?}");
        }
    }

    #[test]
    fn a_repeated_line_counts_as_often_as_it_says() {
        for (repeated, expected) in [(5, 5), (0, 1), (-3, 1), (i64::MAX, 1), (4_000_000_000, TIMES_MAX)] {
            let mut event = Event::new("", Timestamp::MIN);
            event.set("labels.repeated", repeated);
            assert_eq!(Activity::of(&event).times, expected, "{repeated}");
        }
    }
}
