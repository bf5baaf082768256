//! Who asks.

use std::sync::Arc;

use crate::{Needs, Refusal, Scope, Scopes};

/// How somebody showed who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Not at all: there are no keys, so that everybody may do everything.
    Open,
    /// By one of `API_KEYS`.
    Setting,
    /// By a key.
    Key,
    /// By signing in with a key.
    Session,
    /// By a certificate of an agent.
    Certificate,
}

impl Kind {
    /// `open`, `setting`, `key`, `session` or `certificate`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Setting => "setting",
            Self::Key => "key",
            Self::Session => "session",
            Self::Certificate => "certificate",
        }
    }
}

/// Who asks, and what they may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The id of their key; of `API_KEYS` its place there, as `API_KEYS[1]`; `-` without a key.
    pub id: Arc<str>,
    /// The name of their key; empty without one.
    pub name: Arc<str>,
    /// What they may.
    pub scopes: Scopes,
    /// To whose events they keep: stamped on what they send, a filter on what they read.
    pub organization: Option<Arc<str>>,
    /// How they showed who they are.
    pub kind: Kind,
}

impl Caller {
    /// Whoever asks where there are no keys.
    pub fn open() -> Self {
        Self { id: "-".into(), name: "".into(), scopes: Scopes::ALL, organization: None, kind: Kind::Open }
    }

    /// The name of their key, or this where it has none.
    pub fn name_or<'a>(&'a self, other: &'a str) -> &'a str {
        if self.name.is_empty() { other } else { &self.name }
    }

    /// Whether they may do what needs this.
    ///
    /// # Errors
    /// The scope that is lacking, or that the key is of one organization.
    pub fn may(&self, needs: Needs) -> Result<(), Refusal> {
        let with = |scope: Scope| {
            if self.scopes.has(scope) { Ok(()) } else { Err(Refusal::Lacks(scope)) }
        };
        match needs {
            Needs::Nothing | Needs::Key => Ok(()),
            Needs::Scope(scope) => with(scope),
            Needs::Whole(scope) => match self.organization {
                None => with(scope),
                Some(_) => with(scope).and(Err(Refusal::OfOneOrganization)),
            },
        }
    }
}
