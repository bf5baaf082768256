//! Who gets in, and what those hear who do not.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use access::{
    Access, Asked, Config, Keys, KeysConfig, Kind, Needs, NewAgent, NewKey, Refusal, SESSION_COOKIE, Scope,
    Scopes, Secret,
};
use event::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue};

const NOW: i64 = 1_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(seconds * 1_000_000_000).unwrap()
}

struct House {
    access: Access,
    _dir: tempfile::TempDir,
}

fn house(api_keys: &[&str]) -> House {
    let dir = tempfile::tempdir().unwrap();
    let keys = Keys::open(KeysConfig { path: dir.path().join("keys"), max: 100 }).unwrap();
    let api_keys = api_keys.iter().map(|key| (*key).to_owned()).collect();
    let config = Config { api_keys, wrong_keys_max: 3, ..Config::default() };
    House { access: Access::new(&config, Some(keys)), _dir: dir }
}

impl House {
    fn key(&self, new: NewKey) -> (std::sync::Arc<str>, Secret) {
        let (key, secret) = self.access.keys().unwrap().create(&new, at(NOW)).unwrap();
        (key.id, secret)
    }

    fn admit(&self, needs: Needs, headers: &HeaderMap) -> Result<Option<access::Caller>, Refusal> {
        self.access.admit(&asked(needs, headers))
    }
}

fn asked(needs: Needs, headers: &HeaderMap) -> Asked<'_> {
    let address = Some("192.0.2.1".parse().unwrap());
    Asked { needs, headers, query: None, writes: false, address, certificate: None, now: at(NOW) }
}

fn scoped(scopes: &[Scope]) -> NewKey {
    NewKey { scopes: scopes.iter().copied().collect(), ..NewKey::default() }
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| {
        (HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap())
    };
    pairs.iter().map(pair).collect()
}

fn bearer(secret: &str) -> HeaderMap {
    headers(&[("authorization", &format!("Bearer {secret}"))])
}

#[test]
fn everybody_may_until_there_is_a_key_and_nobody_without_one_then() {
    let house = house(&[]);
    let nothing = HeaderMap::new();
    let caller = house.admit(Needs::Scope(Scope::Admin), &nothing).unwrap().unwrap();
    assert_eq!((caller.kind, caller.scopes), (Kind::Open, Scopes::ALL));
    let (id, _) = house.key(scoped(&[Scope::Read]));
    assert_eq!(house.admit(Needs::Scope(Scope::Read), &nothing), Err(Refusal::Missing));
    assert_eq!(house.admit(Needs::Key, &nothing), Err(Refusal::Missing));
    assert_eq!(house.admit(Needs::Nothing, &nothing), Ok(None));
    house.access.keys().unwrap().revoke(&id, at(NOW)).unwrap();
    assert_eq!(house.admit(Needs::Key, &nothing), Err(Refusal::Missing), "revoking does not open the house");
}

#[test]
fn a_key_does_what_its_scopes_say_and_nothing_else() {
    let house = house(&[]);
    for scope in Scope::ALL {
        let (_, secret) = house.key(scoped(&[scope]));
        for asked in Scope::ALL {
            for needs in [Needs::Scope(asked), Needs::Whole(asked)] {
                let expected = if asked == scope { Ok(Kind::Key) } else { Err(Refusal::Lacks(asked)) };
                let found = house.admit(needs, &bearer(secret.reveal()));
                assert_eq!(found.map(|caller| caller.unwrap().kind), expected, "{scope} for {needs:?}");
            }
        }
        assert!(house.admit(Needs::Key, &bearer(secret.reveal())).is_ok());
    }
    let organization = Some("ACME".to_owned());
    let (_, secret) = house.key(NewKey { organization, ..scoped(&[Scope::Read]) });
    let caller = house.admit(Needs::Scope(Scope::Read), &bearer(secret.reveal())).unwrap().unwrap();
    assert_eq!(caller.organization.as_deref(), Some("ACME"));
    let whole = house.admit(Needs::Whole(Scope::Read), &bearer(secret.reveal()));
    assert_eq!(whole, Err(Refusal::OfOneOrganization));
    let other = house.admit(Needs::Whole(Scope::Ingest), &bearer(secret.reveal()));
    assert_eq!(other, Err(Refusal::Lacks(Scope::Ingest)));
}

#[test]
fn only_who_has_the_whole_key_learns_what_became_of_it() {
    let house = house(&["a-key-of-the-settings"]);
    let (id, revoked) = house.key(scoped(&[Scope::Read]));
    house.access.keys().unwrap().revoke(&id, at(NOW)).unwrap();
    let (_, expired) = house.key(NewKey { expires: Some(at(NOW + 1)), ..scoped(&[Scope::Read]) });
    let check = |secret: &str, now: i64| {
        let headers = bearer(secret);
        let address = None;
        house.access.admit(&Asked { now: at(now), address, ..asked(Needs::Scope(Scope::Read), &headers) })
    };
    assert!(check(expired.reveal(), NOW).is_ok());
    assert_eq!(check(expired.reveal(), NOW + 1), Err(Refusal::Expired));
    assert_eq!(check(revoked.reveal(), NOW), Err(Refusal::Revoked));
    for secret in [&revoked, &expired] {
        for length in [1, 4, 40, 74] {
            assert_eq!(check(&secret.reveal()[..length], NOW), Err(Refusal::Unknown), "{length}");
        }
    }
    let setting = check("a-key-of-the-settings", NOW).unwrap().unwrap();
    assert_eq!((&*setting.id, setting.kind, setting.scopes), ("API_KEYS[1]", Kind::Setting, Scopes::ALL));
}

#[test]
fn a_browser_signs_in_shows_its_token_to_write_and_leaves() {
    let house = house(&[]);
    let (id, secret) = house.key(scoped(&[Scope::Read]));
    assert_eq!(
        house.access.sign_in(Some("something else"), &HeaderMap::new(), None, at(NOW)).unwrap_err(),
        Refusal::Unknown
    );
    let signed_in = house.access.sign_in(None, &bearer(secret.reveal()), None, at(NOW)).unwrap();
    let cookie = format!("{SESSION_COOKIE}={}", signed_in.cookie.unwrap().reveal());
    let token = signed_in.csrf_token.reveal().to_owned();
    let check = |pairs: &[(&str, &str)], writes: bool, now: i64| {
        let headers = headers(pairs);
        let asked = Asked { writes, now: at(now), ..asked(Needs::Scope(Scope::Read), &headers) };
        house.access.admit(&asked).map(|caller| caller.unwrap().kind)
    };
    let cookie = ("cookie", cookie.as_str());
    assert_eq!(check(&[cookie], false, NOW), Ok(Kind::Session));
    assert_eq!(check(&[cookie], true, NOW), Err(Refusal::NoCsrfToken));
    assert_eq!(check(&[cookie, ("x-csrf-token", "wrong")], true, NOW), Err(Refusal::NoCsrfToken));
    assert_eq!(check(&[cookie, ("x-csrf-token", &token)], true, NOW), Ok(Kind::Session));
    assert_eq!(check(&[cookie], false, NOW + 12 * 3600), Err(Refusal::SignedOut));
    assert_eq!(house.access.signed_in(&headers(&[cookie]), at(NOW)).unwrap().csrf_token.reveal(), token);
    house.access.keys().unwrap().revoke(&id, at(NOW)).unwrap();
    assert_eq!(check(&[cookie], false, NOW), Err(Refusal::Revoked), "a sign-in ends with its key");
    house.access.sign_out(&headers(&[cookie]));
    assert_eq!(check(&[cookie], false, NOW), Err(Refusal::SignedOut));
}

#[test]
fn who_guesses_is_slowed_down_and_who_has_a_made_key_is_not() {
    let house = house(&["weak"]);
    let (_, secret) = house.key(scoped(&[Scope::Read]));
    for _ in 0..3 {
        assert_eq!(house.admit(Needs::Key, &bearer("guess")), Err(Refusal::Unknown));
    }
    for guess in ["guess", "weak"] {
        let slowed = house.admit(Needs::Key, &bearer(guess)).unwrap_err();
        assert_eq!(slowed, Refusal::Slowed { retry_after: Duration::from_secs(5) }, "{guess}");
    }
    assert!(house.admit(Needs::Key, &bearer(secret.reveal())).is_ok());
    let headers = bearer("weak");
    let elsewhere = Asked { address: Some("192.0.2.2".parse().unwrap()), ..asked(Needs::Key, &headers) };
    assert!(house.access.admit(&elsewhere).is_ok());
}

#[test]
fn a_certificate_is_as_good_as_the_key_that_came_with_it() {
    let house = house(&["of-the-settings"]);
    let keys = house.access.keys().unwrap();
    let hash = blake3::hash(b"certificate");
    let new = NewAgent { name: "web-1".to_owned(), organization: None, token_life: Duration::from_secs(9) };
    let (_, token) = keys.add_agent(&new, at(NOW)).unwrap();
    let enrolled = keys.enrol(token.reveal(), at(NOW), |_| Ok(Some(hash))).unwrap();
    let check = |headers: &HeaderMap, hash: blake3::Hash| {
        let asked = Asked { certificate: Some(hash), ..asked(Needs::Scope(Scope::Ingest), headers) };
        house.access.admit(&asked).map(|caller| caller.unwrap().kind)
    };
    let nothing = HeaderMap::new();
    assert_eq!(check(&nothing, hash), Ok(Kind::Certificate));
    assert_eq!(check(&nothing, blake3::hash(b"of another authority")), Err(Refusal::Missing));
    assert_eq!(check(&bearer(enrolled.secret.reveal()), hash), Ok(Kind::Key));
    assert!(matches!(check(&bearer("of-the-settings"), hash), Err(Refusal::Malformed(_))));
    keys.revoke_agent("web-1", at(NOW)).unwrap();
    assert_eq!(check(&nothing, hash), Err(Refusal::Revoked));
    assert_eq!(check(&bearer("of-the-settings"), hash), Err(Refusal::Revoked));
}

#[test]
fn nothing_that_prints_holds_a_secret() {
    let house = house(&["hunter2-hunter2"]);
    let (_, secret) = house.key(scoped(&[Scope::Read]));
    let signed_in = house.access.sign_in(None, &bearer(secret.reveal()), None, at(NOW)).unwrap();
    let shown = format!(
        "{:?} {:?} {secret:?} {signed_in:?}",
        house.access,
        Config { api_keys: vec!["hunter2-hunter2".to_owned()], ..Config::default() }
    );
    let secrets =
        [secret.reveal(), signed_in.csrf_token.reveal(), signed_in.cookie.as_ref().unwrap().reveal()];
    for secret in secrets.into_iter().chain(["hunter2"]) {
        assert!(!shown.contains(secret));
    }
}
