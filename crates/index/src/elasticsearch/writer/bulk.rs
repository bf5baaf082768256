//! What goes into a bulk, and what comes back.

use std::borrow::Cow;

use bytes::Bytes;
use event::{Event, EventId, Timestamp, codec};
use serde::Deserialize;
use serde_json::Value as Json;
use tokio::time::Instant;

use crate::{
    DeadLetter,
    elasticsearch::{
        Answer, ClusterError,
        cluster::{is_block, refusal},
        document::TOKENS,
        fit,
    },
};

/// Only what is looked at.
pub(super) const FILTER: &str = "error,status,errors,items.*._id,items.*.status,items.*.error.type,\
                                 items.*.error.reason,items.*.error.caused_by,items.*.error.index";
/// Work on more bytes than this leaves the reactor.
const REACTOR_BYTES_MAX: usize = 128 << 10;

/// An event on its way.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) id: EventId,
    /// Its action and its document, each a line.
    pub(super) lines: Bytes,
    /// The event as a journal record, should it become a dead letter.
    pub(super) record: Bytes,
    /// Number of its batch.
    pub(super) batch: u64,
    /// Since when it may be on the server already, without anybody knowing.
    pub(super) suspect: Option<Instant>,
    /// Everything in it that a server may refuse was made to fit.
    pub(super) is_fitted: bool,
}

impl Entry {
    /// What it takes of the memory that may be held.
    pub(super) fn held_bytes(&self) -> usize {
        self.lines.len() + self.record.len() + size_of::<Self>()
    }

    /// Its lines with the tokens of its message, for a server that cannot find them by itself.
    fn with_tokens(&self) -> Bytes {
        let Some(document) = self.lines.strip_suffix(b"}\n") else { return self.lines.clone() };
        let mut lines = document.to_vec();
        lines.extend_from_slice(format!(",\"{TOKENS}\":\"").as_bytes());
        if let Ok(event) = codec::decode(&self.record) {
            // Nothing in a token has a meaning in JSON.
            lines.extend_from_slice(joined_tokens(&event.message).as_bytes());
        }
        lines.extend_from_slice(b"\"}\n");
        lines.into()
    }

    /// It with everything made to fit that a server may refuse; None when there is nothing to change.
    pub(super) fn fitted(&self) -> Option<Self> {
        if self.is_fitted {
            return None;
        }
        let end = memchr::memchr(b'\n', &self.lines)?;
        let (action, document) = self.lines.split_at(end + 1);
        let mut document: event::Document = serde_json::from_slice(document).ok()?;
        if !fit::fit(&mut document, true) {
            return None;
        }
        let mut lines = action.to_vec();
        lines.extend_from_slice(Json::Object(document).to_string().as_bytes());
        lines.push(b'\n');
        Some(Self { lines: lines.into(), is_fitted: true, ..self.clone() })
    }

    /// It as a dead letter.
    pub(super) fn letter(self, kind: String, reason: String) -> DeadLetter {
        let event = codec::decode(&self.record).map_or_else(
            |error| Event::new(format!("log record could not be read: {error}"), Timestamp::MIN),
            Event::into_owned,
        );
        DeadLetter { id: self.id, event, kind, reason }
    }
}

/// A text's tokens as `sentinel.tokens` takes them, a space behind each.
pub(super) fn joined_tokens(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    for token in query::tokens(text) {
        joined.push_str(&token);
        joined.push(' ');
    }
    joined
}

/// The body of a bulk; `with_tokens` for a server without a tokenizer.
pub(super) async fn body(entries: &[Entry], with_tokens: bool) -> Bytes {
    let length: usize = entries.iter().map(|entry| entry.lines.len()).sum();
    if let ([only], false) = (entries, with_tokens) {
        return only.lines.clone();
    }
    let entries = entries.to_vec();
    let lines = move |entry: &Entry| if with_tokens { entry.with_tokens() } else { entry.lines.clone() };
    let join = move || entries.iter().map(lines).collect::<Vec<_>>().concat();
    if length <= REACTOR_BYTES_MAX {
        return join().into();
    }
    match tokio::task::spawn_blocking(join).await {
        Ok(body) => body.into(),
        // The runtime is going down.
        Err(_) => std::future::pending().await,
    }
}

/// What became of one entry.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is on the server now.
    Created,
    /// An event with its id was there already, in this index, where the server names it.
    Present { index: Option<String> },
    /// It may be taken another time.
    Again(ClusterError),
    /// It is never taken.
    Refused { kind: String, reason: String },
}

#[derive(Deserialize)]
struct BulkAnswer<'a> {
    #[serde(borrow)]
    items: Vec<Item<'a>>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow)]
    create: Outcome<'a>,
}

#[derive(Deserialize)]
struct Outcome<'a> {
    #[serde(borrow, rename = "_id")]
    id: Cow<'a, str>,
    status: u16,
    #[serde(default)]
    error: Json,
}

/// A verdict for each entry, from the answer to their bulk.
///
/// # Errors
/// When the answer does not speak of these entries, each once and in this order: then nobody knows
/// what became of any of them.
pub(super) async fn verdicts(answer: &Answer, entries: &[Entry]) -> Result<Vec<Verdict>, ClusterError> {
    if answer.body.len() <= REACTOR_BYTES_MAX {
        return judge_all(answer, entries.iter().map(|entry| entry.id));
    }
    let ids: Vec<EventId> = entries.iter().map(|entry| entry.id).collect();
    let answer = answer.clone();
    match tokio::task::spawn_blocking(move || judge_all(&answer, ids.into_iter())).await {
        Ok(verdicts) => verdicts,
        Err(_) => std::future::pending().await,
    }
}

fn judge_all(
    answer: &Answer,
    ids: impl ExactSizeIterator<Item = EventId>,
) -> Result<Vec<Verdict>, ClusterError> {
    let BulkAnswer { items } = serde_json::from_slice(&answer.body)
        .map_err(|_| answer.garbled("the answer is not that to a bulk"))?;
    if items.len() != ids.len() {
        return Err(answer.garbled(&format!("{} items for {} documents", items.len(), ids.len())));
    }
    let judged = ids.zip(items).map(|(id, Item { create })| {
        if create.id.parse() != Ok(id) {
            return Err(answer.garbled("an item is not that of the document in its place"));
        }
        judge(answer, create.status, &create.error)
    });
    judged.collect()
}

fn judge(answer: &Answer, status: u16, error: &Json) -> Result<Verdict, ClusterError> {
    let (kind, reason) = refusal(error);
    let again = match status {
        200 | 201 => return Ok(Verdict::Created),
        409 => return Ok(Verdict::Present { index: error["index"].as_str().map(str::to_owned) }),
        401 | 408 | 429 | 500.. => true,
        400..500 => is_circumstance(status, &kind),
        _ => return Err(answer.garbled(&format!("an item has status {status}"))),
    };
    Ok(match again {
        true => Verdict::Again(answer.error(status, kind, reason)),
        false if kind.is_empty() => Verdict::Refused { kind: format!("status {status}"), reason },
        false => Verdict::Refused { kind, reason },
    })
}

/// Whether a refusal speaks of the cluster, its indices or our rights rather than of the document.
fn is_circumstance(status: u16, kind: &str) -> bool {
    match kind {
        "security_exception" | "authorization_exception" => true,
        "index_not_found_exception" | "resource_not_found_exception" => status == 404,
        // The index is closed; the cluster may have no further shards.
        "index_closed_exception" | "validation_exception" => true,
        kind => is_block(kind),
    }
}

#[cfg(test)]
mod tests {
    use event::{Event, JournalId, Position};

    use super::*;

    #[test]
    fn tokens_go_along_where_the_server_cannot_find_them() {
        let mut record = Vec::new();
        codec::encode(&Event::new("Disk \"FULL\" 10.0", Timestamp::MIN), &mut record);
        let id = EventId { journal: JournalId(1), position: Position::default() };
        let lines: Bytes = "{\"create\":{}}\n{\"a\":{\"b\":1}}\n".into();
        let entry = Entry {
            id,
            lines: lines.clone(),
            record: record.into(),
            batch: 0,
            suspect: None,
            is_fitted: false,
        };
        let body = |with_tokens| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(super::body(&[entry.clone(), entry.clone()], with_tokens))
        };
        assert_eq!(body(false), [lines.clone(), lines].concat());
        let with = "{\"create\":{}}\n{\"a\":{\"b\":1},\"sentinel.tokens\":\"disk full 10 0 \"}\n";
        assert_eq!(body(true), with.repeat(2));
    }
}
