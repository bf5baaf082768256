//! What a request brings to show who sends it.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{HeaderMap, HeaderValue, header};

use crate::{Refusal, secret};

/// The cookie of a sign-in.
pub const SESSION_COOKIE: &str = "log_sentinel_session";

/// A longer value holds no key.
const VALUE_BYTES_MAX: usize = 4096;
/// Names by which keys come in addresses, where proxies and histories keep them.
const QUERY_NAMES: [&str; 6] = ["api_key", "apikey", "api-key", "x-api-key", "access_token", "authorization"];
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a request brings. It holds hashes only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    None,
    Key(Presented),
    Session(blake3::Hash),
}

/// A key that was sent: the texts it may be, for `ApiKey` takes both a key and what Elasticsearch's clients make of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Presented {
    pub(crate) first: blake3::Hash,
    pub(crate) other: Option<blake3::Hash>,
    /// Whether it has the form of keys made here, at which guessing is hopeless.
    pub(crate) is_key_form: bool,
}

impl Presented {
    pub(crate) fn of(first: &str, other: Option<&str>) -> Self {
        Self {
            first: secret::digest(first),
            other: other.map(secret::digest),
            is_key_form: secret::is_key_form(first) || other.is_some_and(secret::is_key_form),
        }
    }

    fn shares(&self, other: &Self) -> bool {
        let mine = [Some(self.first), self.other];
        mine.into_iter().flatten().any(|hash| hash == other.first || Some(hash) == other.other)
    }
}

/// What the head of a request brings. Keys go before the cookie, which a browser adds by itself.
///
/// # Errors
/// [`Refusal::Malformed`], saying what is wrong with it.
pub(crate) fn presented(headers: &HeaderMap, query: Option<&str>) -> Result<Credential, Refusal> {
    if query.is_some_and(names_a_key) {
        return Err(Refusal::Malformed(
            "a key must not stand in the address, where histories and proxies keep it; send it as 'Authorization: \
             Bearer KEY', and replace this one",
        ));
    }
    let authorizations = headers.get_all(header::AUTHORIZATION).iter().map(authorization);
    let plain = headers.get_all("x-api-key").iter().map(|value| {
        let text = text(value)?;
        if text.is_empty() { Err(EMPTY) } else { Ok(Presented::of(text, None)) }
    });
    let mut found: Option<Presented> = None;
    for next in authorizations.chain(plain) {
        let next = next?;
        match &found {
            Some(known) if known.shares(&next) => {}
            Some(_) => return Err(Refusal::Malformed("two different keys were sent; send one")),
            None => found = Some(next),
        }
    }
    match found {
        Some(key) => Ok(Credential::Key(key)),
        None => Ok(session(headers).map_or(Credential::None, Credential::Session)),
    }
}

const EMPTY: Refusal = Refusal::Malformed("the key that was sent is empty");
const NOT_BASE64: Refusal = Refusal::Malformed("'Authorization: Basic' must hold the base64 of 'name:KEY'");

fn text(value: &HeaderValue) -> Result<&str, Refusal> {
    if value.len() > VALUE_BYTES_MAX {
        return Err(Refusal::Malformed("what was sent as a key is longer than any key"));
    }
    value
        .to_str()
        .map(str::trim)
        .map_err(|_| Refusal::Malformed("a key holds printable ASCII characters only"))
}

fn authorization(value: &HeaderValue) -> Result<Presented, Refusal> {
    let text = text(value)?;
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim();
    let is = |name: &str| scheme.eq_ignore_ascii_case(name);
    if !["bearer", "apikey", "basic"].into_iter().any(is) {
        return Err(Refusal::Malformed(
            "'Authorization' must be 'Bearer KEY', 'ApiKey KEY' or 'Basic' with the base64 of 'name:KEY'",
        ));
    }
    if rest.is_empty() {
        return Err(EMPTY);
    }
    if is("bearer") {
        return Ok(Presented::of(rest, None));
    }
    let decoded = BASE64.decode(rest).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    // What stands beside the key names nobody: the key alone counts.
    let inner = decoded.as_deref().and_then(|decoded| match decoded.split_once(':') {
        Some((name, "")) => Some(name),
        Some((_, key)) => Some(key),
        None => None,
    });
    match inner.filter(|inner| !inner.is_empty()) {
        Some(inner) if is("basic") => Ok(Presented::of(inner, None)),
        _ if is("basic") => Err(NOT_BASE64),
        inner => Ok(Presented::of(rest, inner)),
    }
}

fn session(headers: &HeaderMap) -> Option<blake3::Hash> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == SESSION_COOKIE).map(|(_, value)| secret::digest(value))
}

fn names_a_key(query: &str) -> bool {
    let names = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
    names.into_iter().any(|name| QUERY_NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
            headers
        })
    }

    /// What is taken: the texts that the key may be; or part of why it is not.
    fn check(pairs: &[(&'static str, &str)], query: Option<&str>, expected: Result<&[&str], &str>) {
        match (presented(&headers(pairs), query), expected) {
            (Ok(Credential::Key(key)), Ok([first])) => {
                assert_eq!(key, Presented::of(first, None), "{pairs:?}")
            }
            (Ok(Credential::Key(key)), Ok([first, other])) => {
                assert_eq!(key, Presented::of(first, Some(other)), "{pairs:?}");
            }
            (Ok(Credential::None), Ok([])) => {}
            (Err(refusal), Err(part)) => {
                assert!(refusal.to_string().contains(part), "{refusal} for {pairs:?}")
            }
            (found, expected) => panic!("{found:?} and not {expected:?} for {pairs:?} {query:?}"),
        }
    }

    #[test]
    fn keys_come_in_several_ways() {
        let (bearer, api) = ("authorization", "x-api-key");
        check(&[], None, Ok(&[]));
        check(&[(bearer, "Bearer k1")], None, Ok(&["k1"]));
        check(&[(bearer, "bearer   k1 ")], None, Ok(&["k1"]));
        check(&[(api, "k1")], Some("q=key:x&limit=1"), Ok(&["k1"]));
        check(&[(bearer, "ApiKey k1")], None, Ok(&["k1"]));
        // base64 of id:key, with and without what fills it up.
        check(&[(bearer, "ApiKey aWQ6a2V5MQ==")], None, Ok(&["aWQ6a2V5MQ==", "key1"]));
        check(&[(bearer, "ApiKey aWQ6a2V5MQ")], None, Ok(&["aWQ6a2V5MQ", "key1"]));
        check(&[(bearer, "Basic aWQ6a2V5MQ==")], None, Ok(&["key1"]));
        check(&[(bearer, "Basic OmtleTE=")], None, Ok(&["key1"]));
        check(&[(bearer, "Basic a2V5MTo=")], None, Ok(&["key1"]));
        check(&[(bearer, "Bearer k1"), (api, "k1")], None, Ok(&["k1"]));
        check(&[(bearer, "Bearer k1"), (bearer, "ApiKey k1")], None, Ok(&["k1"]));
    }

    #[test]
    fn what_cannot_be_a_key_is_named() {
        let (bearer, api) = ("authorization", "x-api-key");
        check(&[(bearer, "Bearer k1"), (api, "k2")], None, Err("two different"));
        check(&[(api, "k1"), (api, "k2")], None, Err("two different"));
        check(&[(bearer, &format!("Bearer {}", "x".repeat(5000)))], None, Err("longer than any key"));
        check(&[(bearer, "Digest k1")], None, Err("must be 'Bearer KEY'"));
        check(&[(bearer, "k1")], None, Err("must be 'Bearer KEY'"));
        check(&[(bearer, "Bearer")], None, Err("empty"));
        check(&[(api, " ")], None, Err("empty"));
        check(&[(bearer, "Basic k1!")], None, Err("base64"));
        check(&[(bearer, "Basic a2V5MQ==")], None, Err("base64"));
        for name in QUERY_NAMES {
            check(&[], Some(&format!("a=b&{name}=k1")), Err("must not stand in the address"));
        }
    }

    #[test]
    fn a_cookie_counts_where_no_key_came() {
        let cookie = ("cookie", "a=b; log_sentinel_session=xyz; c=d");
        let session = Credential::Session(secret::digest("xyz"));
        assert_eq!(presented(&headers(&[cookie]), None), Ok(session));
        check(&[cookie, ("x-api-key", "k1")], None, Ok(&["k1"]));
        check(&[("cookie", "other=xyz")], None, Ok(&[]));
    }
}
