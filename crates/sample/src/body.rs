//! A request body as samples.

use std::borrow::Cow;

use serde_json::Value;

use crate::{Limits, Problem, Reading, read::reading};

/// A body that holds no samples at all.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is not JSON.
    #[error("the body is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// It is JSON of another kind.
    #[error("the body must be one sample (a JSON object) or an array of samples, not {0}")]
    NotSamples(&'static str),
    /// There are more than can be taken at once.
    #[error(
        "the body has {found} samples; at most {max} are taken at once: send the rest in a request of its own"
    )]
    TooMany {
        /// How many there are.
        found: usize,
        /// How many are taken.
        max: usize,
    },
}

/// Reads one sample or an array of them. What cannot be told from nothing (no name) is a problem in the place of its
/// sample; what else does not fit stands in its [`Reading`]. `NaN` and `Infinity`, which are no JSON but are written
/// by some programs, are problems of their field only.
///
/// # Errors
/// When it is no JSON, neither object nor array, or holds more than [`Limits::samples_max`].
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Vec<Result<Reading, Problem>>, BodyError> {
    let value: Value = serde_json::from_slice(&without_bare_words(bytes))?;
    match value {
        Value::Array(samples) if samples.len() > limits.samples_max => {
            Err(BodyError::TooMany { found: samples.len(), max: limits.samples_max })
        }
        Value::Array(samples) => Ok(samples.into_iter().map(|sample| reading(sample, limits)).collect()),
        sample @ Value::Object(_) => Ok(vec![reading(sample, limits)]),
        Value::Null => Err(BodyError::NotSamples("null")),
        Value::Bool(_) => Err(BodyError::NotSamples("true or false")),
        Value::Number(_) => Err(BodyError::NotSamples("a number")),
        Value::String(_) => Err(BodyError::NotSamples("a text")),
    }
}

const BARE: [&[u8]; 3] = [b"NaN", b"-Infinity", b"Infinity"];

/// The body with bare `NaN` and `Infinity` outside of texts put in quotes.
fn without_bare_words(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut quoted: Option<Vec<u8>> = None;
    let (mut at, mut copied, mut in_text) = (0, 0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if in_text => at += 1,
            b'"' => in_text = !in_text,
            b'N' | b'I' | b'-' if !in_text => {
                if let Some(word) = BARE.into_iter().find(|word| bytes[at..].starts_with(word)) {
                    let quoted = quoted.get_or_insert_default();
                    quoted.extend_from_slice(&bytes[copied..at]);
                    quoted.push(b'"');
                    quoted.extend_from_slice(word);
                    quoted.push(b'"');
                    at += word.len();
                    copied = at;
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    match quoted {
        None => Cow::Borrowed(bytes),
        Some(mut quoted) => {
            quoted.extend_from_slice(bytes.get(copied..).unwrap_or_default());
            Cow::Owned(quoted)
        }
    }
}
