//! The same request sent twice is stored once: `Idempotency-Key`.
//!
//! The answer to a key is a journal note that becomes durable together with the events, so there
//! is no moment at which one is there without the other. How long a key is remembered is bounded
//! by the number of notes that the journal keeps. Keys that begin with `import/` are a family of their own, so
//! that no number of other keys makes a file's import forgotten.
//!
//! ```text
//! key    idem/ or import/, and the first 16 bytes of the BLAKE3 hash of the header's value
//! value  JSON {"body": 32 hexadecimal digits of the body's BLAKE3 hash, "bytes": its length, uncompressed,
//!              "end": position, "answer": the answer}
//! ```

use axum::http::HeaderMap;
use event::Position;
use journal::Note;
use problem::{Problem, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::answer::Answer;

const HEADER: &str = "idempotency-key";
const KEY_BYTES_MAX: usize = 255;
/// Header of an answer that an earlier request with the key was given.
pub(crate) const REPLAYED: &str = "idempotent-replayed";
/// Families of notes: the journal forgets within the largest first.
const ORDINARY: &[u8] = b"idem/";
const IMPORT: &[u8] = b"import/";
/// Rejected lines named in a remembered answer, so that notes stay small.
const REJECTED_MAX: usize = 10;
/// Requests with different keys that can be under way at a time; more than that wait for each other.
const LOCKS: usize = 256;

/// A key, as hashed for its note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    family: &'static [u8],
    hash: [u8; 16],
}

impl Key {
    /// The key of a request, if it has one.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let Some(value) = headers.get(HEADER) else { return Ok(None) };
        if value.is_empty() || value.len() > KEY_BYTES_MAX {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "invalid_idempotency_key",
                "The Idempotency-Key is not valid",
                format!("A key has 1 to {KEY_BYTES_MAX} bytes; this one has {}.", value.len()),
            )
            .field("Idempotency-Key"));
        }
        let family = if value.as_bytes().starts_with(IMPORT) { IMPORT } else { ORDINARY };
        Ok(Some(Self { family, hash: hash(value.as_bytes()) }))
    }

    fn note_key(self) -> Vec<u8> {
        [self.family, &self.hash].concat()
    }
}

/// What a body is told apart by.
pub(crate) fn hash(bytes: &[u8]) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    short
}

fn hex(hash: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(hash))
}

/// What is remembered of a key.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Remembered {
    body: String,
    /// 0 in notes of older versions.
    #[serde(default)]
    bytes: u64,
    /// Behind the events that were stored.
    pub(crate) end: Position,
    pub(crate) answer: Answer,
}

impl Remembered {
    /// The answer to an earlier request with this key.
    ///
    /// # Errors
    /// A conflict when that request had another body.
    pub(crate) fn find(
        journal: &journal::Journal,
        key: Key,
        body: [u8; 16],
    ) -> Result<Option<Self>, Problem> {
        let Some(value) = journal.note(&key.note_key()) else { return Ok(None) };
        let Ok(remembered) = serde_json::from_slice::<Self>(&value) else {
            tracing::warn!("the note of an idempotency key cannot be read; its request is taken as new");
            return Ok(None);
        };
        if remembered.body == hex(body) {
            return Ok(Some(remembered));
        }
        Err(Problem::new(
            StatusCode::CONFLICT,
            "idempotency_key_reused",
            "The Idempotency-Key belongs to another body",
            "An earlier request with this key had another body. Nothing of this request was stored; use a new key.",
        )
        .field("Idempotency-Key")
        .member("earlier_bytes", remembered.bytes)
        .member("earlier_blake3", remembered.body))
    }
}

/// The note that remembers an answer. The end of its own batch is not known yet: `end` is where
/// the journal stood before, and waiting for the batch to be indexed starts from there.
pub(crate) fn note(key: Key, body: [u8; 16], bytes: u64, end: Position, answer: &Answer) -> Note {
    let mut answer = answer.clone();
    answer.rejected.truncate(REJECTED_MAX);
    let remembered = Remembered { body: hex(body), bytes, end, answer };
    // Strings and numbers always serialise; None would only forget the key.
    Note { key: key.note_key(), value: serde_json::to_vec(&remembered).ok() }
}

/// Makes requests with the same key wait for each other.
#[derive(Debug)]
pub(crate) struct Locks(Vec<Arc<Mutex<()>>>);

impl Locks {
    pub(crate) fn new() -> Self {
        Self((0..LOCKS).map(|_| Arc::default()).collect())
    }

    pub(crate) async fn lock(&self, key: Key) -> OwnedMutexGuard<()> {
        let [first, ..] = key.hash;
        self.0[usize::from(first) % LOCKS].clone().lock_owned().await
    }
}
