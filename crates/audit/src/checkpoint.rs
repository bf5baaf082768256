//! Checkpoints: signed statements of how far the record had come, and what its hash was there.
//!
//! A checkpoint is one text without quotes, so that it can be found again in whatever carried it: a line of the
//! record, an event, a line of syslog.
//! ```text
//! log-sentinel-audit-checkpoint/1 installation=32 hex record=N hash=64 hex time=RFC 3339 every=N signature=128 hex
//! ```
//! Signed (Ed25519, RFC 8032) is all of it before ` signature=`. `record` is the last line that it covers, `hash`
//! that line's, `every` after how many records the next checkpoint is due.

use blake3::Hash;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use event::Timestamp;
use serde_json::{Value as Json, json};

use crate::hex;

const MARK: &str = "log-sentinel-audit-checkpoint/1 ";
const SIGNATURE: &str = " signature=";

/// The longest text of one.
pub(crate) const TEXT_BYTES_MAX: usize = 512;

/// A signed statement of how far the record had come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    text: String,
    pub(crate) installation: String,
    pub(crate) record: u64,
    pub(crate) hash: Hash,
    pub(crate) time: Timestamp,
    pub(crate) every: u64,
}

impl Checkpoint {
    pub(crate) fn sign(
        key: &SigningKey,
        installation: &str,
        (record, hash): (u64, Hash),
        time: Timestamp,
        every: u64,
    ) -> Self {
        let mut text = format!(
            "{MARK}installation={installation} record={record} hash={} time={time} every={every}",
            hash.to_hex()
        );
        let signature = key.sign(text.as_bytes());
        text.push_str(SIGNATURE);
        text.push_str(&hex::encode(&signature.to_bytes()));
        Self { text, installation: installation.to_owned(), record, hash, time, every }
    }

    /// The text of a checkpoint and nothing more.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (signed, signature) = text.split_once(SIGNATURE)?;
        hex::decode::<64>(signature)?;
        let mut parts = signed.strip_prefix(MARK)?.split(' ');
        let mut next = |name: &str| parts.next()?.strip_prefix(name)?.strip_prefix('=');
        let installation = next("installation")?.to_owned();
        hex::decode::<16>(&installation)?;
        let record = next("record")?.parse().ok()?;
        let hash = Hash::from_bytes(hex::decode::<32>(next("hash")?)?);
        let time = Timestamp::parse(next("time")?).ok()?;
        let every = next("every")?.parse().ok()?;
        parts.next().is_none().then(|| Self {
            text: text.to_owned(),
            installation,
            record,
            hash,
            time,
            every,
        })
    }

    /// The checkpoint that stands in a line of the record.
    pub(crate) fn in_line(content: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(content).ok()?;
        let (_, text) = text.split_once(r#","checkpoint":""#)?;
        Self::parse(text.strip_suffix('"')?)
    }

    /// Calls `found` for each that stands anywhere in these bytes.
    pub(crate) fn find_all(bytes: &[u8], mut found: impl FnMut(Self)) {
        for at in memchr::memmem::find_iter(bytes, MARK.as_bytes()) {
            let window = &bytes[at..bytes.len().min(at + TEXT_BYTES_MAX)];
            let end =
                memchr::memmem::find(window, SIGNATURE.as_bytes()).map(|end| end + SIGNATURE.len() + 128);
            let text = end.and_then(|end| window.get(..end)).and_then(|text| std::str::from_utf8(text).ok());
            if let Some(checkpoint) = text.and_then(Self::parse) {
                found(checkpoint);
            }
        }
    }

    /// Whether this key signed it.
    pub(crate) fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        let signed = self.text.split_once(SIGNATURE);
        let signature = signed.and_then(|(_, signature)| hex::decode::<64>(signature));
        match (signed, signature) {
            (Some((signed, _)), Some(signature)) => {
                key.verify_strict(signed.as_bytes(), &Signature::from_bytes(&signature)).is_ok()
            }
            _ => false,
        }
    }

    /// The last line of the record that it covers.
    pub const fn record(&self) -> u64 {
        self.record
    }

    /// When it was made.
    pub const fn time(&self) -> Timestamp {
        self.time
    }

    /// The text, for whoever keeps it elsewhere.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// As an event for `POST /logs` of another Log Sentinel.
    pub fn event(&self) -> Json {
        json!({
            "timestamp": self.time, "level": "info", "source": "log-sentinel-audit", "message": self.text,
        })
    }

    /// As a line of syslog (RFC 5424; facility 13, log audit; severity 6, informational) without a newline.
    pub fn syslog(&self, host: &str) -> String {
        let host: String = host.chars().filter(char::is_ascii_graphic).take(255).collect();
        let host = if host.is_empty() { "-" } else { &host };
        // A time stamp of RFC 5424 has at most six digits of the second.
        let time = self.time.as_nanos() / 1000 * 1000;
        let time = Timestamp::saturating_from_nanos(i128::from(time));
        format!("<110>1 {time} {host} log-sentinel - audit - {}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> (SigningKey, Checkpoint) {
        let key = SigningKey::from_bytes(&[7; 32]);
        let time = Timestamp::parse("2024-06-01T12:00:00.123456789Z").unwrap();
        let hash = blake3::hash(b"x");
        let checkpoint = Checkpoint::sign(&key, "00112233445566778899aabbccddeeff", (41, hash), time, 1000);
        (key, checkpoint)
    }

    #[test]
    fn a_signature_holds_for_this_text_and_this_key() {
        let (key, checkpoint) = checkpoint();
        assert_eq!(Checkpoint::parse(checkpoint.text()).as_ref(), Some(&checkpoint));
        assert!(checkpoint.is_signed_by(&key.verifying_key()));
        assert!(!checkpoint.is_signed_by(&SigningKey::from_bytes(&[8; 32]).verifying_key()));
        let text = checkpoint.text().replace("record=41", "record=42");
        assert!(!Checkpoint::parse(&text).unwrap().is_signed_by(&key.verifying_key()));
        for bytes in 0..checkpoint.text().len() {
            assert_eq!(Checkpoint::parse(&checkpoint.text()[..bytes]), None, "{bytes}");
        }
        assert!(checkpoint.text().len() < TEXT_BYTES_MAX);
    }

    #[test]
    fn it_is_found_in_whatever_carried_it() {
        let (_, checkpoint) = checkpoint();
        let syslog = checkpoint.syslog("näs 1");
        assert!(
            syslog.starts_with("<110>1 2024-06-01T12:00:00.123456Z ns1 log-sentinel - audit - log-"),
            "{syslog}"
        );
        assert!(checkpoint.syslog("").contains("Z - log-sentinel"));
        let event = serde_json::to_string_pretty(&json!([{"_source": checkpoint.event()}, 1])).unwrap();
        let nested = serde_json::to_string(&json!({"event.original": event})).unwrap();
        for carrier in
            [syslog, event, nested, format!("log-sentinel-audit-checkpoint/1 {}", checkpoint.text())]
        {
            let mut found = vec![];
            Checkpoint::find_all(carrier.as_bytes(), |checkpoint| found.push(checkpoint));
            assert_eq!(found, std::slice::from_ref(&checkpoint), "{carrier}");
        }
    }
}
