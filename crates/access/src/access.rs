//! What every listener asks.

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Duration};

use event::Timestamp;
use http::HeaderMap;

use crate::{
    Caller, Key, Keys, Kind, Needs, Refusal, Scope, Scopes, Secret, State, Use,
    book::Held,
    credential::{self, Credential, Presented},
    secret,
    sign_in::{SignIn, SignIns},
    throttle::Throttle,
    uses::Uses,
};

/// Settings of [`Access`].
#[derive(Clone)]
pub struct Config {
    /// Keys with all scopes that stand in the settings: `API_KEYS`. Blank ones are ignored.
    pub api_keys: Vec<String>,
    /// Wrong keys that an address may send before it is slowed down. Setting `LOG_SENTINEL_WRONG_KEYS_MAX`.
    pub wrong_keys_max: u32,
    /// Browsers signed in at a time. Setting `LOG_SENTINEL_SIGN_INS_MAX`.
    pub sign_ins_max: usize,
    /// How long a sign-in lasts. Setting `LOG_SENTINEL_SIGN_IN_TIME`.
    pub sign_in_life: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            api_keys: vec![],
            wrong_keys_max: 20,
            sign_ins_max: 1000,
            sign_in_life: Duration::from_secs(12 * 3600),
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Config")
            .field("api_keys", &format_args!("({} keys)", self.api_keys.len()))
            .field("wrong_keys_max", &self.wrong_keys_max)
            .field("sign_ins_max", &self.sign_ins_max)
            .field("sign_in_life", &self.sign_in_life)
            .finish()
    }
}

/// What is known of a request.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'r> {
    /// What its route asks for.
    pub needs: Needs,
    /// Its headers.
    pub headers: &'r HeaderMap,
    /// What follows the `?` of its address.
    pub query: Option<&'r str>,
    /// Whether it may change something: not GET and not HEAD.
    pub writes: bool,
    /// Where it comes from, where that is known.
    pub address: Option<IpAddr>,
    /// BLAKE3 of the certificate (DER) that its connection showed and that was verified.
    pub certificate: Option<blake3::Hash>,
    /// When.
    pub now: Timestamp,
}

/// A browser that has signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// As whom.
    pub caller: Caller,
    /// The value of the cookie [`crate::SESSION_COOKIE`]; only where it has just signed in.
    pub cookie: Option<Secret>,
    /// What its writes must bring as `X-CSRF-Token`.
    pub csrf_token: Secret,
    /// Until when.
    pub expires: Timestamp,
}

/// Who may ask for what, for all listeners of a process.
#[derive(Debug)]
pub struct Access {
    /// Hashes of the keys of the settings, with their places there.
    setting: HashMap<blake3::Hash, Caller>,
    /// None where only the keys of the settings count.
    keys: Option<Keys>,
    sign_ins: SignIns,
    throttle: Throttle,
    uses: Uses,
}

/// A key that is good: of the settings, or one that was made.
enum Good {
    Setting(Caller),
    Made(Arc<Held>),
}

impl Access {
    /// Over the keys that were made, where there may be such, and those of the settings.
    pub fn new(config: &Config, keys: Option<Keys>) -> Self {
        let listed = config.api_keys.iter().map(|key| key.trim()).filter(|key| !key.is_empty());
        let setting = listed.enumerate().map(|(at, key)| {
            let id = format!("API_KEYS[{}]", at + 1).into();
            let kind = Kind::Setting;
            (
                secret::digest(key),
                Caller { id, name: "API_KEYS".into(), scopes: Scopes::ALL, organization: None, kind },
            )
        });
        Self {
            setting: setting.collect(),
            keys,
            sign_ins: SignIns::new(config.sign_ins_max, config.sign_in_life),
            throttle: Throttle::new(config.wrong_keys_max),
            uses: Uses::default(),
        }
    }

    /// The keys that were made.
    pub fn keys(&self) -> Option<&Keys> {
        self.keys.as_ref()
    }

    /// Whether nobody may ask without a key.
    pub fn is_locked(&self) -> bool {
        !self.setting.is_empty() || self.keys.as_ref().is_some_and(Keys::is_locked)
    }

    /// Who asks, once they may; None for what is open to everybody.
    ///
    /// # Errors
    /// Why they may not.
    pub fn admit(&self, asked: &Asked<'_>) -> Result<Option<Caller>, Refusal> {
        if asked.needs == Needs::Nothing {
            return Ok(None);
        }
        if !self.is_locked() {
            return Ok(Some(Caller::open()));
        }
        let caller = self.caller(asked)?;
        caller.may(asked.needs)?;
        if matches!(asked.needs, Needs::Scope(Scope::Ingest) | Needs::Whole(Scope::Ingest)) {
            self.uses.used(&caller, asked.address, asked.now);
        }
        Ok(Some(caller))
    }

    /// Whether who was admitted once still may: for answers that go on. `headers` are those of the request.
    pub fn holds(&self, caller: &Caller, headers: &HeaderMap, now: Timestamp) -> bool {
        match caller.kind {
            Kind::Open => !self.is_locked(),
            Kind::Setting => true,
            Kind::Session => self.signed_in(headers, now).is_some(),
            Kind::Key | Kind::Certificate => self.keys.as_ref().is_some_and(|keys| {
                let book = keys.book();
                let held = book.keys.iter().find(|held| held.key.id == caller.id);
                held.is_some_and(|held| held.key.state(now) == State::Active)
            }),
        }
    }

    /// Signs a browser in with a key that it sent, by itself or as other requests bring one.
    ///
    /// # Errors
    /// When the key is not good. The operating system may give no random bytes: [`Refusal::SignedOut`] then.
    pub fn sign_in(
        &self,
        key: Option<&str>,
        headers: &HeaderMap,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<SignedIn, Refusal> {
        let presented = match key {
            Some(key) => Presented::of(key.trim(), None),
            None => match credential::presented(headers, None)? {
                Credential::Key(key) => key,
                Credential::None | Credential::Session(_) => return Err(Refusal::Missing),
            },
        };
        let good = self.good(&presented, address, now)?;
        let caller = self.use_of(&good, Kind::Session, now);
        let known = [Some(presented.first), presented.other].into_iter().flatten();
        let key = known.into_iter().find(|hash| self.known(hash).is_some()).unwrap_or(presented.first);
        let (cookie, sign_in) = self.sign_ins.begin(key, now).map_err(|_| Refusal::SignedOut)?;
        Ok(SignedIn {
            caller,
            cookie: Some(cookie),
            csrf_token: sign_in.csrf_token,
            expires: sign_in.expires,
        })
    }

    /// The sign-in that a request is made with.
    pub fn signed_in(&self, headers: &HeaderMap, now: Timestamp) -> Option<SignedIn> {
        let Ok(Credential::Session(hash)) = credential::presented(headers, None) else { return None };
        let (sign_in, good) = self.session(&hash, now).ok()?;
        let caller = self.use_of(&good, Kind::Session, now);
        Some(SignedIn { caller, cookie: None, csrf_token: sign_in.csrf_token, expires: sign_in.expires })
    }

    /// Ends the sign-in that a request is made with.
    pub fn sign_out(&self, headers: &HeaderMap) {
        if let Ok(Credential::Session(hash)) = credential::presented(headers, None) {
            self.sign_ins.end(&hash);
        }
    }

    /// How long an address that sent too many wrong keys or tokens must wait.
    pub fn wait(&self, address: Option<IpAddr>, now: Timestamp) -> Option<Duration> {
        address.and_then(|address| self.throttle.wait(address, now))
    }

    /// What is to be put on record of keys with which something was sent, and of wrong ones: of each what was never
    /// told, or last so long ago.
    pub fn take_uses(&self, now: Timestamp, interval: Duration) -> Vec<Use> {
        self.uses.take(now, interval)
    }

    /// An address sent a wrong key or token.
    pub fn failed(&self, address: Option<IpAddr>, now: Timestamp) {
        self.uses.wrong(address, now);
        if let Some(address) = address {
            self.throttle.failed(address, now);
        }
    }

    fn caller(&self, asked: &Asked<'_>) -> Result<Caller, Refusal> {
        let by_certificate = asked.certificate.as_ref().and_then(|hash| self.made(hash));
        // A connection of a revoked agent is no use, whatever else it shows.
        let by_certificate = by_certificate.map(|held| checked(held, asked.now)).transpose()?;
        match (credential::presented(asked.headers, asked.query)?, by_certificate) {
            (Credential::Key(key), None) => {
                let good = self.good(&key, asked.address, asked.now)?;
                Ok(self.use_of(&good, Kind::Key, asked.now))
            }
            (Credential::Key(key), Some(held)) => match self.good(&key, asked.address, asked.now)? {
                Good::Made(other) if other.key.id == held.key.id => {
                    Ok(self.use_of(&Good::Made(other), Kind::Key, asked.now))
                }
                _ => Err(Refusal::Malformed(
                    "the key is another one than that of the certificate with which this connection was made",
                )),
            },
            (_, Some(held)) => Ok(self.use_of(&Good::Made(held), Kind::Certificate, asked.now)),
            (Credential::Session(hash), None) => {
                let (sign_in, good) = self.session(&hash, asked.now)?;
                let token = asked.headers.get("x-csrf-token").and_then(|value| value.to_str().ok());
                if asked.writes && !token.is_some_and(|token| sign_in.has_token(token)) {
                    return Err(Refusal::NoCsrfToken);
                }
                Ok(self.use_of(&good, Kind::Session, asked.now))
            }
            (Credential::None, None) => Err(Refusal::Missing),
        }
    }

    fn session(&self, hash: &blake3::Hash, now: Timestamp) -> Result<(SignIn, Good), Refusal> {
        let sign_in = self.sign_ins.find(hash, now).ok_or(Refusal::SignedOut)?;
        let good = self.known(&sign_in.key).ok_or(Refusal::SignedOut)?;
        Ok((sign_in, still_good(good, now)?))
    }

    /// The key that was sent, once it is good. Wrong ones are counted, and who sent too many of them gets no further;
    /// but a key made here, at which nobody can guess, goes on working beside a neighbour's mistake.
    fn good(&self, key: &Presented, address: Option<IpAddr>, now: Timestamp) -> Result<Good, Refusal> {
        let wait = self.wait(address, now);
        let found = self.known(&key.first).or_else(|| self.known(key.other.as_ref()?));
        if let Some(retry_after) = wait
            && !(key.is_key_form && found.is_some())
        {
            self.uses.wrong(address, now);
            return Err(Refusal::Slowed { retry_after });
        }
        match found {
            Some(good) => still_good(good, now),
            None => {
                self.failed(address, now);
                Err(Refusal::Unknown)
            }
        }
    }

    fn known(&self, hash: &blake3::Hash) -> Option<Good> {
        match self.setting.get(hash) {
            Some(caller) => Some(Good::Setting(caller.clone())),
            None => self.made(hash).map(Good::Made),
        }
    }

    fn made(&self, hash: &blake3::Hash) -> Option<Arc<Held>> {
        self.keys.as_ref()?.book().find(hash).cloned()
    }

    fn use_of(&self, good: &Good, kind: Kind, now: Timestamp) -> Caller {
        match good {
            Good::Setting(caller) if kind == Kind::Session => Caller { kind, ..caller.clone() },
            Good::Setting(caller) => caller.clone(),
            Good::Made(held) => {
                if let Some(keys) = &self.keys {
                    keys.note_use(held, now);
                }
                let Key { id, name, scopes, organization, .. } = held.key.clone();
                Caller { id, name, scopes, organization, kind }
            }
        }
    }
}

fn still_good(good: Good, now: Timestamp) -> Result<Good, Refusal> {
    match good {
        Good::Made(held) => checked(held, now).map(Good::Made),
        setting => Ok(setting),
    }
}

fn checked(held: Arc<Held>, now: Timestamp) -> Result<Arc<Held>, Refusal> {
    match held.key.state(now) {
        State::Active => Ok(held),
        State::Expired => Err(Refusal::Expired),
        State::Revoked => Err(Refusal::Revoked),
    }
}
