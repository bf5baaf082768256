//! A search answer, read hit by hit as it comes, so that none is held whole.

use std::collections::VecDeque;

use reqwest::Response;
use serde_json::Value as Json;

use crate::client::{Client, ClientError};

/// An answer of `/api/v1/search`, as far as it was read.
#[derive(Debug)]
pub(crate) struct Hits {
    url: String,
    response: Response,
    splitter: Splitter,
}

impl Hits {
    /// Asks.
    ///
    /// # Errors
    /// When there is no answer.
    pub(crate) async fn ask(client: &Client, query: &[(&str, &str)]) -> Result<Self, ClientError> {
        let response = client.get("/api/v1/search", query).await?;
        Ok(Self { url: client.shown().to_owned(), response, splitter: Splitter::default() })
    }

    /// The next hit.
    ///
    /// # Errors
    /// When the answer breaks off.
    pub(crate) async fn next(&mut self) -> Result<Option<Json>, ClientError> {
        loop {
            if let Some(hit) = self.splitter.hits.pop_front() {
                return serde_json::from_slice(&hit).map(Some).map_err(|_| self.cut());
            }
            let chunk = self.response.chunk().await;
            match chunk.map_err(|source| ClientError::Answer { url: self.url.clone(), source })? {
                Some(chunk) => self.splitter.feed(&chunk),
                None => return Ok(None),
            }
        }
    }

    /// How many events match; known with the first hit.
    pub(crate) fn total(&self) -> Json {
        // The end of the answer may have come with its first hit, or be yet to come.
        let envelope = self.splitter.envelope.as_slice();
        let whole = serde_json::from_slice::<Json>(envelope);
        let head = whole.or_else(|_| serde_json::from_slice(&[envelope, b"]}"].concat()));
        head.map(|head| head["total"].clone()).unwrap_or_default()
    }

    /// The answer without its hits, behind the last of them.
    ///
    /// # Errors
    /// When it ended early.
    pub(crate) fn envelope(&self) -> Result<Json, ClientError> {
        serde_json::from_slice(&self.splitter.envelope).map_err(|_| self.cut())
    }

    fn cut(&self) -> ClientError {
        ClientError::Cut { url: self.url.clone() }
    }
}

/// Takes the elements of the member `hits` out of a JSON object.
#[derive(Debug, Default)]
struct Splitter {
    /// Everything else.
    envelope: Vec<u8>,
    /// Whole elements.
    hits: VecDeque<Vec<u8>>,
    /// The element being read.
    element: Vec<u8>,
    in_hits: bool,
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Splitter {
    fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.take(*byte);
        }
    }

    fn take(&mut self, byte: u8) {
        if self.in_string {
            self.in_string = self.escaped || byte != b'"';
            self.escaped = !self.escaped && byte == b'\\';
            return self.keep(byte);
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => {
                self.depth += 1;
                if self.depth == 2 && byte == b'[' && self.envelope.ends_with(b"\"hits\":") {
                    self.envelope.push(byte);
                    self.in_hits = true;
                    return;
                }
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                if self.in_hits && self.depth == 1 {
                    self.in_hits = false;
                }
                if self.in_hits && self.depth == 2 {
                    self.element.push(byte);
                    return self.hits.push_back(std::mem::take(&mut self.element));
                }
            }
            b',' if self.in_hits && self.depth == 2 => return,
            _ => {}
        }
        self.keep(byte);
    }

    fn keep(&mut self, byte: u8) {
        if self.in_hits { self.element.push(byte) } else { self.envelope.push(byte) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hits_come_out_whole_wherever_the_answer_is_cut() {
        let hits = [
            json!({"_id": "1", "m": "]}\\\"{[,", "a": [{"b": [1, 2]}, {}]}),
            json!({}),
            json!({"hits": [1]}),
        ];
        for hits in [&hits[..], &[]] {
            let answer =
                json!({"total": 3, "hits": hits, "next": "hits", "hints": [{"hits": [2]}], "took_ms": 1});
            let text = answer.to_string();
            for size in [1, 2, 3, 7, text.len()] {
                let mut splitter = Splitter::default();
                text.as_bytes().chunks(size).for_each(|chunk| splitter.feed(chunk));
                let found: Vec<Json> =
                    splitter.hits.iter().map(|hit| serde_json::from_slice(hit).unwrap()).collect();
                assert_eq!(found, hits, "{size}");
                let mut envelope: Json = serde_json::from_slice(&splitter.envelope).unwrap();
                envelope["hits"] = hits.into();
                assert_eq!(envelope, answer, "{size}");
            }
        }
    }
}
