//! The state file: all keys and tokens, sealed, replaced as a whole.
//!
//! ```text
//! "LSACCESS", u32 version 1 (see `disk::sealed`)
//! u8      1 once there ever was a key: then nobody may ask without one
//! u32     keys, each: id, name (texts), u8 scopes, organization (option of a text), created (i64),
//!         expires, revoked, last used (options of an i64), u8 is an agent's,
//!         hash of the key (32 bytes), hash of its certificate (option of 32 bytes)
//! u32     tokens, each: id, agent (texts), organization (option of a text), created, expires (i64), hash (32 bytes)
//! ```
//! A text is a u32 length and UTF-8; an option is a byte 0, or a byte 1 and the value. Times are nanoseconds since 1970.

use std::sync::{Arc, atomic::AtomicI64};

use disk::sealed::{Reader, SealedError, Writer};
use event::Timestamp;

use crate::{
    Key, Scopes, Token,
    book::{Book, Held, HeldToken},
    key::NAME_BYTES_MAX,
};

const MAGIC: &[u8; 8] = b"LSACCESS";
const VERSION: u32 = 1;
const WHAT: &str = "the file of keys";
const ID_BYTES_MAX: usize = 32;
/// Beyond any bound that can be set.
const ENTRIES_MAX: usize = 1 << 20;
/// What an entry takes at least.
const ENTRY_BYTES: usize = 64;

pub(crate) fn encode(book: &Book) -> Vec<u8> {
    let mut to = Writer::sealed(MAGIC, VERSION);
    to.u8(book.locked.into());
    to.u32(book.keys.len() as u32);
    for held in &book.keys {
        let key = &held.key;
        to.bytes(key.id.as_bytes());
        to.bytes(key.name.as_bytes());
        to.u8(key.scopes.bits());
        put_text(&mut to, key.organization.as_deref());
        put_time(&mut to, key.created);
        put_times(&mut to, [key.expires, key.revoked, held.last_used()]);
        to.u8(key.is_agent.into());
        to.raw(held.digest.as_bytes());
        to.u8(held.certificate.is_some().into());
        to.raw(held.certificate.as_ref().map_or(&[], |hash| hash.as_bytes()));
    }
    to.u32(book.tokens.len() as u32);
    for held in &book.tokens {
        to.bytes(held.token.id.as_bytes());
        to.bytes(held.token.agent.as_bytes());
        put_text(&mut to, held.token.organization.as_deref());
        put_time(&mut to, held.token.created);
        put_time(&mut to, held.token.expires);
        to.raw(held.digest.as_bytes());
    }
    to.seal()
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Book, SealedError> {
    let mut from = Reader::sealed(bytes, MAGIC, VERSION, WHAT)?;
    let locked = flag(&mut from)?;
    let count = from.count(ENTRY_BYTES, ENTRIES_MAX)?;
    let keys = (0..count).map(|_| key(&mut from).map(Arc::new)).collect::<Result<_, _>>()?;
    let count = from.count(ENTRY_BYTES, ENTRIES_MAX)?;
    let tokens = (0..count).map(|_| token(&mut from)).collect::<Result<_, _>>()?;
    from.end()?;
    Ok(Book::new(locked, keys, tokens))
}

fn key(from: &mut Reader<'_>) -> Result<Held, SealedError> {
    let id = from.text(ID_BYTES_MAX)?.into();
    let name = from.text(NAME_BYTES_MAX)?.into();
    let bits = from.u8()?;
    let scopes = Scopes::from_bits(bits).ok_or_else(|| from.damaged())?;
    let organization = text(from)?.map(Into::into);
    let created = time(from)?;
    let (expires, revoked, last_used) = (times(from)?, times(from)?, times(from)?);
    let is_agent = flag(from)?;
    let digest = hash(from)?;
    let certificate = if flag(from)? { Some(hash(from)?) } else { None };
    let key = Key { id, name, scopes, organization, created, expires, revoked, last_used: None, is_agent };
    let last_used = AtomicI64::new(last_used.map_or(Held::NEVER, Timestamp::as_nanos));
    Ok(Held { key, digest, certificate, last_used })
}

fn token(from: &mut Reader<'_>) -> Result<HeldToken, SealedError> {
    let id = from.text(ID_BYTES_MAX)?;
    let agent = from.text(NAME_BYTES_MAX)?;
    let organization = text(from)?;
    let (created, expires) = (time(from)?, time(from)?);
    let digest = hash(from)?;
    Ok(HeldToken { token: Token { id, agent, organization, created, expires }, digest })
}

fn put_text(to: &mut Writer, text: Option<&str>) {
    to.u8(text.is_some().into());
    if let Some(text) = text {
        to.bytes(text.as_bytes());
    }
}

fn put_time(to: &mut Writer, time: Timestamp) {
    to.u64(time.as_nanos().unsigned_abs());
}

fn put_times(to: &mut Writer, times: [Option<Timestamp>; 3]) {
    for time in times {
        to.u8(time.is_some().into());
        if let Some(time) = time {
            put_time(to, time);
        }
    }
}

fn text(from: &mut Reader<'_>) -> Result<Option<String>, SealedError> {
    if flag(from)? { from.text(NAME_BYTES_MAX).map(Some) } else { Ok(None) }
}

fn times(from: &mut Reader<'_>) -> Result<Option<Timestamp>, SealedError> {
    if flag(from)? { time(from).map(Some) } else { Ok(None) }
}

fn time(from: &mut Reader<'_>) -> Result<Timestamp, SealedError> {
    let nanos = from.u64()?;
    i64::try_from(nanos).ok().and_then(Timestamp::from_nanos).ok_or_else(|| from.damaged())
}

fn flag(from: &mut Reader<'_>) -> Result<bool, SealedError> {
    match from.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(from.damaged()),
    }
}

fn hash(from: &mut Reader<'_>) -> Result<blake3::Hash, SealedError> {
    let bytes: [u8; 32] = from.take(32)?.try_into().map_err(|_| from.damaged())?;
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn book() -> Book {
        let time = |nanos| Timestamp::from_nanos(nanos).unwrap();
        let key = Key {
            id: "0123456789abcdef".into(),
            name: "a laptop".into(),
            scopes: Scopes::from_iter([crate::Scope::Ingest]),
            organization: Some("ACME".into()),
            created: time(1),
            expires: Some(time(2)),
            revoked: None,
            last_used: None,
            is_agent: true,
        };
        let (digest, certificate) = (blake3::hash(b"k"), Some(blake3::hash(b"c")));
        let held = Held { key, digest, certificate, last_used: AtomicI64::new(3) };
        let token = Token {
            id: "t".to_owned(),
            agent: "a laptop".to_owned(),
            organization: None,
            created: time(4),
            expires: time(5),
        };
        Book::new(true, vec![Arc::new(held)], vec![HeldToken { token, digest }])
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = encode(&book());
        let read = decode(&bytes).unwrap();
        assert_eq!(encode(&read), bytes);
        assert_eq!(read.keys[0].key, book().keys[0].key);
        assert_eq!(
            (read.keys[0].certificate, read.keys[0].last_used()),
            (Some(blake3::hash(b"c")), Timestamp::from_nanos(3))
        );
        assert_eq!(read.tokens[0].token, book().tokens[0].token);
        assert!(read.locked);
    }

    #[test]
    fn the_first_version_stays_readable() {
        let bytes = include_bytes!("../tests/fixtures/keys-1");
        assert_eq!(decode(bytes).unwrap().keys.len(), 1);
        assert_eq!(encode(&book()), bytes, "the format has changed: it needs another version");
    }

    #[test]
    fn any_cut_and_any_other_byte_is_found() {
        let bytes = encode(&book());
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err(), "{length}");
        }
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            assert!(decode(&altered).is_err(), "{at}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut to = Writer::sealed(MAGIC, VERSION);
            to.raw(&body);
            drop(decode(&to.seal()));
        }
    }
}
