//! A key as it is kept, and a token that is to become one: everything but what is secret.

use std::{io, path::PathBuf, sync::Arc};

use event::Timestamp;

use crate::{Scope, Scopes};

/// Longest name of a key or an organization, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 128;

/// What a key is to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewKey {
    /// What people call it; may be empty.
    pub name: String,
    /// What it is for; one scope at least.
    pub scopes: Scopes,
    /// To whose events it keeps: `organization.name`.
    pub organization: Option<String>,
    /// Until when it is good; None is for as long as nobody revokes it.
    pub expires: Option<Timestamp>,
}

impl NewKey {
    pub(crate) fn check(&self, now: Timestamp) -> Result<(), KeyError> {
        check_name("name", &self.name)?;
        if let Some(organization) = &self.organization {
            check_name("organization", organization)?;
            if organization.trim().is_empty() {
                return Err(KeyError::Field("organization", "must not be empty".to_owned()));
            }
            if self.scopes.has(Scope::Admin) {
                let what = "what the scope 'admin' changes belongs to all organizations, so that a key of one cannot have it";
                return Err(KeyError::Field("scopes", what.to_owned()));
            }
        }
        if self.scopes.is_empty() {
            return Err(KeyError::Field("scopes", "names one at least of ingest, read and admin".to_owned()));
        }
        if self.expires.is_some_and(|expires| expires <= now) {
            return Err(KeyError::Field("expires", "must be in the future".to_owned()));
        }
        Ok(())
    }
}

pub(crate) fn check_name(field: &'static str, name: &str) -> Result<(), KeyError> {
    if name.len() > NAME_BYTES_MAX {
        return Err(KeyError::Field(
            field,
            format!("has {} bytes, and at most {NAME_BYTES_MAX} are taken", name.len()),
        ));
    }
    if name.chars().any(char::is_control) {
        return Err(KeyError::Field(field, "must not hold control characters".to_owned()));
    }
    Ok(())
}

/// Whether a key is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// It is.
    Active,
    /// Its time is over.
    Expired,
    /// Somebody took it back.
    Revoked,
}

impl State {
    /// `active`, `expired` or `revoked`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// 16 hexadecimal digits that name it and open nothing.
    pub id: Arc<str>,
    /// What people call it; of an agent, the agent's name.
    pub name: Arc<str>,
    /// What it is for.
    pub scopes: Scopes,
    /// To whose events it keeps.
    pub organization: Option<Arc<str>>,
    /// When it was made.
    pub created: Timestamp,
    /// Until when it is good.
    pub expires: Option<Timestamp>,
    /// When it was taken back.
    pub revoked: Option<Timestamp>,
    /// When it was last used, to the minute before.
    pub last_used: Option<Timestamp>,
    /// Whether an agent got it by enrolling.
    pub is_agent: bool,
}

impl Key {
    /// Whether it is good at this time.
    pub fn state(&self, now: Timestamp) -> State {
        match (self.revoked, self.expires) {
            (Some(_), _) => State::Revoked,
            (None, Some(expires)) if expires <= now => State::Expired,
            _ => State::Active,
        }
    }
}

/// A token that waits to be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Names it and opens nothing.
    pub id: String,
    /// The agent that it is for.
    pub agent: String,
    /// Whose events that sends.
    pub organization: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// Until when it is good.
    pub expires: Timestamp,
}

/// Why a change of keys or agents was not made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Something about the new key cannot be.
    #[error("{0}: {1}")]
    Field(&'static str, String),
    /// There are as many as may be.
    #[error("there are {0} {1}, as many as may be (LOG_SENTINEL_KEYS_MAX); revoke some or raise that")]
    Full(usize, &'static str),
    /// Nothing has this id or name.
    #[error("there is no {0} of this {1}; list them to see what there is")]
    NotFound(&'static str, &'static str),
    /// A token that is not known, was used, or is too old.
    #[error(
        "this token is not known, was used already or has expired; make another one: log-sentinel agents add NAME"
    )]
    Token,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes: {0}")]
    Random(getrandom::Error),
    /// No certificate could be made.
    #[error("no certificate could be made for the agent")]
    Certificate(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The state file could not be written; nothing has changed.
    #[error("cannot write the keys to {path}; nothing has changed")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl From<getrandom::Error> for KeyError {
    fn from(error: getrandom::Error) -> Self {
        Self::Random(error)
    }
}
