//! Agents: a one-time token that an operator hands out, and the key that it becomes.

use event::Timestamp;

use std::{error::Error, sync::Arc, time::Duration};

use crate::{
    Key, KeyError, Keys, Scope, Scopes, Secret, State, Token,
    book::{Held, HeldToken},
    key::check_name,
    secret,
};

/// An agent that is to enrol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAgent {
    /// Its name; letters, digits, `.`, `_` and `-`, for it stands in its certificate.
    pub name: String,
    /// Whose events it sends.
    pub organization: Option<String>,
    /// How long its token is good.
    pub token_life: Duration,
}

/// An agent: the key that it has, or the token that waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agent {
    /// It has enrolled.
    Enrolled(Key),
    /// It has not yet.
    Waiting(Token),
}

/// What an agent gets for its token.
#[derive(Debug, Clone)]
pub struct Enrolled {
    /// Its key as it is kept.
    pub key: Key,
    /// The key itself.
    pub secret: Secret,
}

impl Keys {
    /// Makes a token for an agent. One that waited for an agent of this name is good no more.
    ///
    /// # Errors
    /// When the name cannot be one, there are too many tokens, or the file cannot be written.
    pub fn add_agent(&self, new: &NewAgent, now: Timestamp) -> Result<(Token, Secret), KeyError> {
        check_name("name", &new.name)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if new.name.is_empty() || !new.name.chars().all(fits) {
            let what = "holds letters, digits, '.', '_' and '-', and one of them at least";
            return Err(KeyError::Field("name", what.to_owned()));
        }
        if let Some(organization) = &new.organization {
            check_name("organization", organization)?;
        }
        let secret = Secret::token()?;
        let life = i64::try_from(new.token_life.as_nanos()).unwrap_or(i64::MAX);
        let token = Token {
            id: secret::random_id()?,
            agent: new.name.clone(),
            organization: new.organization.clone(),
            created: now,
            expires: now.saturating_add(life),
        };
        self.change(|book| {
            book.tokens.retain(|held| held.token.expires > now && held.token.agent != new.name);
            if book.tokens.len() >= self.max() {
                return Err(KeyError::Full(self.max(), "tokens"));
            }
            book.tokens.push(HeldToken { token: token.clone(), digest: secret.digest() });
            // Who enrols agents wants keys to be asked for.
            book.locked = true;
            Ok(())
        })?;
        Ok((token, secret))
    }

    /// All agents: those that have enrolled, then those that have not.
    pub fn agents(&self) -> Vec<Agent> {
        let book = self.book();
        let enrolled =
            book.keys.iter().filter(|held| held.key.is_agent).map(|held| Agent::Enrolled(held.shown()));
        let waiting = book.tokens.iter().map(|held| Agent::Waiting(held.token.clone()));
        enrolled.chain(waiting).collect()
    }

    /// Takes back the key and the token of an agent.
    ///
    /// # Errors
    /// When no agent has this name, or the file cannot be written.
    pub fn revoke_agent(&self, name: &str, now: Timestamp) -> Result<(), KeyError> {
        self.change(|book| {
            let waiting = book.tokens.len();
            book.tokens.retain(|held| held.token.agent != name);
            let mut found = book.tokens.len() < waiting;
            for held in book.keys.iter_mut().filter(|held| is_of(held, name)) {
                *held = held.revoked(now);
                found = true;
            }
            if found { Ok(()) } else { Err(KeyError::NotFound("agent", "name")) }
        })
    }

    /// Makes a token into a key with the scope `ingest`, once. `certify` makes the certificate that goes with the key
    /// and gives its hash, where there is an authority. An earlier key of the agent is revoked: so keys rotate.
    ///
    /// # Errors
    /// [`KeyError::Token`] when the token is not good; otherwise it stays good.
    pub fn enrol(
        &self,
        token: &str,
        now: Timestamp,
        certify: impl FnOnce(&Key) -> Result<Option<blake3::Hash>, Box<dyn Error + Send + Sync>>,
    ) -> Result<Enrolled, KeyError> {
        let digest = secret::digest(token);
        let (id, secret) = (secret::random_id()?, Secret::key()?);
        let key = self.change(|book| {
            let good = |held: &HeldToken| held.digest == digest && held.token.expires > now;
            let at = book.tokens.iter().position(good).ok_or(KeyError::Token)?;
            let token = book.tokens.remove(at).token;
            let key = Key {
                id: id.into(),
                name: token.agent.as_str().into(),
                scopes: Scopes::from_iter([Scope::Ingest]),
                organization: token.organization.as_deref().map(Into::into),
                created: now,
                expires: None,
                revoked: None,
                last_used: None,
                is_agent: true,
            };
            let certificate = certify(&key).map_err(KeyError::Certificate)?;
            for held in book.keys.iter_mut().filter(|held| is_of(held, &token.agent)) {
                *held = held.revoked(now);
            }
            self.make_room(book, now)?;
            book.keys.push(Arc::new(Held::new(key.clone(), &secret, certificate)));
            Ok(key)
        })?;
        Ok(Enrolled { key, secret })
    }
}

fn is_of(held: &Held, agent: &str) -> bool {
    held.key.is_agent && &*held.key.name == agent
}

impl Agent {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Enrolled(key) => &key.name,
            Self::Waiting(token) => &token.agent,
        }
    }

    /// `enrolled`, `revoked`, `expired`, or `waiting` for its token to be used.
    pub fn state(&self, now: Timestamp) -> &'static str {
        match self {
            Self::Enrolled(key) => match key.state(now) {
                State::Active => "enrolled",
                other => other.as_str(),
            },
            Self::Waiting(token) if token.expires > now => "waiting",
            Self::Waiting(_) => "expired",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeysConfig;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000).unwrap()
    }

    fn agent(name: &str) -> NewAgent {
        NewAgent { name: name.to_owned(), organization: None, token_life: Duration::from_secs(60) }
    }

    #[test]
    fn a_token_is_good_once_and_for_a_while() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Keys::open(KeysConfig { path: dir.path().join("keys"), max: 3 }).unwrap();
        let keys = open();
        let (_, token) = keys.add_agent(&agent("web-1"), at(0)).unwrap();
        assert!(keys.is_locked());
        let certificate = blake3::hash(b"certificate");
        let no_disk = || Err("no disk".into());
        assert!(matches!(keys.enrol(token.reveal(), at(1), |_| no_disk()), Err(KeyError::Certificate(_))));
        let keys = open();
        let first = keys.enrol(token.reveal(), at(1), |_| Ok(Some(certificate))).unwrap();
        assert_eq!(first.key.scopes, Scopes::from_iter([Scope::Ingest]));
        assert!(matches!(keys.enrol(token.reveal(), at(1), |_| Ok(None)), Err(KeyError::Token)));
        assert!(open().book().find(&certificate).is_some_and(|held| held.key == first.key));

        let (_, late) = keys.add_agent(&agent("web-1"), at(100)).unwrap();
        assert!(matches!(keys.enrol(late.reveal(), at(160), |_| Ok(None)), Err(KeyError::Token)));
        let (_, replaced) = keys.add_agent(&agent("web-1"), at(200)).unwrap();
        let (_, token) = keys.add_agent(&agent("web-1"), at(200)).unwrap();
        assert!(matches!(keys.enrol(replaced.reveal(), at(201), |_| Ok(None)), Err(KeyError::Token)));
        let second = keys.enrol(token.reveal(), at(201), |_| Ok(None)).unwrap();
        let states: Vec<_> = keys.agents().iter().map(|agent| agent.state(at(201))).collect();
        assert_eq!(states, ["revoked", "enrolled"], "the earlier key has gone");
        keys.revoke_agent("web-1", at(300)).unwrap();
        assert_eq!(keys.list()[1].id, second.key.id);
        assert_eq!(keys.list()[1].state(at(300)), State::Revoked);
        assert!(matches!(keys.revoke_agent("web-2", at(300)), Err(KeyError::NotFound(..))));
    }

    #[test]
    fn tokens_are_so_many_and_names_fit_a_certificate() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::open(KeysConfig { path: dir.path().join("keys"), max: 1 }).unwrap();
        for name in ["", "a b", "a/b", "ä"] {
            assert!(matches!(keys.add_agent(&agent(name), at(0)), Err(KeyError::Field("name", _))), "{name}");
        }
        keys.add_agent(&agent("a"), at(0)).unwrap();
        assert!(matches!(keys.add_agent(&agent("b"), at(1)), Err(KeyError::Full(1, _))));
        keys.add_agent(&agent("b"), at(60)).unwrap();
    }
}
