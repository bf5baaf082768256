//! Secrets that are made here: 256 random bits under a prefix that scanners for leaked secrets recognise, with a
//! checksum that tells a slip of the pen from a wrong key.
//!
//! ```text
//! ls_  64 hexadecimal digits  8 hexadecimal digits of the BLAKE3 of everything before     a key
//! lse_ …                                                                                  a token to enrol with
//! ```

use std::fmt;

const KEY_PREFIX: &str = "ls_";
const TOKEN_PREFIX: &str = "lse_";
const RANDOM_BYTES: usize = 32;
const CHECK_DIGITS: usize = 8;

/// A secret in the clear, to be shown once. It prints as stars.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// A key of nobody, for a process that asks itself.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn of_nobody() -> Result<Self, crate::KeyError> {
        Ok(Self::key()?)
    }

    pub(crate) fn key() -> Result<Self, getrandom::Error> {
        Self::fresh(KEY_PREFIX)
    }

    pub(crate) fn token() -> Result<Self, getrandom::Error> {
        Self::fresh(TOKEN_PREFIX)
    }

    /// Of a sign-in: nobody keeps it, so that it needs no form.
    pub(crate) fn bare() -> Result<Self, getrandom::Error> {
        random_hex::<RANDOM_BYTES>().map(Self)
    }

    pub(crate) fn digest(&self) -> blake3::Hash {
        digest(&self.0)
    }

    fn fresh(prefix: &str) -> Result<Self, getrandom::Error> {
        let mut text = format!("{prefix}{}", random_hex::<RANDOM_BYTES>()?);
        let check = check_of(&text);
        text.push_str(&check);
        Ok(Self(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(********)")
    }
}

/// What is kept of a secret. Two of them compare in constant time.
pub(crate) fn digest(secret: &str) -> blake3::Hash {
    blake3::hash(secret.as_bytes())
}

/// A name that is random and no secret.
pub(crate) fn random_id() -> Result<String, getrandom::Error> {
    random_hex::<8>()
}

/// Whether a text has the form of a key made here.
pub(crate) fn is_key_form(text: &str) -> bool {
    let Some(digits) = text.strip_prefix(KEY_PREFIX) else { return false };
    let all_hex = digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    all_hex
        && digits.len() == 2 * RANDOM_BYTES + CHECK_DIGITS
        && text
            .split_at_checked(text.len() - CHECK_DIGITS)
            .is_some_and(|(body, check)| check_of(body) == check)
}

fn check_of(body: &str) -> String {
    let hex = digest(body).to_hex();
    hex.as_str()[..CHECK_DIGITS].to_owned()
}

fn random_hex<const BYTES: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_form_and_any_slip_breaks_it() {
        let key = Secret::key().unwrap();
        assert!(is_key_form(key.reveal()));
        assert_eq!(key.reveal().len(), 75);
        assert_ne!(key, Secret::key().unwrap());
        assert!(!format!("{key:?}").contains(&key.reveal()[3..]));
        for at in 0..key.reveal().len() {
            let mut slip = key.reveal().to_owned().into_bytes();
            slip[at] = if slip[at] == b'0' { b'1' } else { b'0' };
            assert!(!is_key_form(std::str::from_utf8(&slip).unwrap()), "{at}");
        }
        for other in ["", "ls_", "hunter2", Secret::token().unwrap().reveal(), &key.reveal()[..74]] {
            assert!(!is_key_form(other), "{other}");
        }
    }
}
