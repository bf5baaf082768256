//! Why somebody may not.

use std::time::Duration;

use crate::Scope;

/// Why somebody may not. Its text says what to do and is safe to send; it never says how much of a key was right:
/// only who has the whole of a key learns that it expired or was revoked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No key came.
    #[error("a key is needed: send 'Authorization: Bearer KEY' or 'X-API-Key: KEY'")]
    Missing,
    /// What came cannot be a key.
    #[error("{0}")]
    Malformed(&'static str),
    /// Nobody has this key, or signed in so.
    #[error("this key is not known; 'log-sentinel keys list' names those that are")]
    Unknown,
    /// A sign-in that ended or never was.
    #[error("this sign-in has ended; sign in again")]
    SignedOut,
    /// It was good until a while ago.
    #[error("this key has expired; make another one: log-sentinel keys create")]
    Expired,
    /// It was taken back.
    #[error("this key was revoked; ask whoever looks after this service for another one")]
    Revoked,
    /// The key is for something else.
    #[error("this key lacks the scope '{0}'")]
    Lacks(Scope),
    /// The answer would tell of all organizations.
    #[error("this key is limited to one organization, and this tells of all of them; use a key without one")]
    OfOneOrganization,
    /// A sign-in must show with each write that the page itself sends it.
    #[error(
        "a write of a signed-in browser needs the header 'X-CSRF-Token'; GET /api/v1/session gives its value"
    )]
    NoCsrfToken,
    /// Too many wrong keys came from this address.
    #[error("too many wrong keys came from this address; try again later")]
    Slowed {
        /// When the next try is free.
        retry_after: Duration,
    },
}

impl Refusal {
    /// Every value of [`Refusal::reason`].
    pub const REASONS: [&'static str; 10] = [
        "csrf",
        "expired",
        "malformed",
        "missing",
        "organization",
        "revoked",
        "scope",
        "signed_out",
        "slowed",
        "unknown",
    ];

    /// The kind, in a word.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed(_) => "malformed",
            Self::Unknown => "unknown",
            Self::SignedOut => "signed_out",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Lacks(_) => "scope",
            Self::OfOneOrganization => "organization",
            Self::NoCsrfToken => "csrf",
            Self::Slowed { .. } => "slowed",
        }
    }

    /// Whether they are known and may not (HTTP 403), rather than not known (401).
    pub const fn is_forbidden(&self) -> bool {
        matches!(self, Self::Lacks(_) | Self::OfOneOrganization | Self::NoCsrfToken)
    }
}
