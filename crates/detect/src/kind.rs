//! The classes of what events say was done.

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
    /// su went through, or says something else; also doas, whatever came of it.
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
