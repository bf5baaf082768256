//! What a node said, and what a refusal means.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value as Json;

use crate::elasticsearch::ClusterError;

/// What a node said.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: Bytes,
    pub(super) node: Arc<str>,
    pub(super) action: &'static str,
    pub(super) credentials: Hint,
}

/// What to say where credentials are refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hint {
    /// The setting that holds them.
    pub(super) setting: &'static str,
    /// What to do.
    pub(super) mend: &'static str,
}

impl Answer {
    /// Whether a gateway or the node itself says that it cannot serve now.
    pub(super) fn is_unavailable(&self) -> bool {
        matches!(self.status, 502..=504)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> Result<Json, ClusterError> {
        serde_json::from_slice(&self.body).map_err(|_| self.garbled("the answer is no JSON"))
    }

    /// The node that gave it.
    pub(in crate::elasticsearch) fn node(&self) -> &str {
        &self.node
    }

    /// An error saying what is wrong with this answer.
    pub(in crate::elasticsearch) fn garbled(&self, reason: &str) -> ClusterError {
        let (action, node) = (self.action, self.node.to_string());
        ClusterError::Garbled { action, node, reason: format!("{reason} (status {})", self.status) }
    }

    /// The kind of refusal and its reason, as the server names them; empty where it does not.
    fn refusal(&self) -> (String, String) {
        let Ok(json) = serde_json::from_slice::<Json>(&self.body) else { return Default::default() };
        refusal(&json["error"])
    }

    /// This answer, if the server did what it was asked.
    ///
    /// # Errors
    /// When it did not, told apart by what mends it.
    pub fn require_success(self) -> Result<Self, ClusterError> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let (kind, reason) = self.refusal();
        // Elasticsearch refuses in JSON.
        if kind.is_empty()
            && reason.is_empty()
            && !matches!(self.status, 400 | 401 | 403 | 413 | 429 | 502..=504)
        {
            return Err(self.garbled("the answer is no refusal of Elasticsearch"));
        }
        Err(self.error(self.status, kind, reason))
    }

    /// What a refusal means, of the whole request or of a part of it.
    pub(in crate::elasticsearch) fn error(&self, status: u16, kind: String, reason: String) -> ClusterError {
        let (action, node) = (self.action, self.node.to_string());
        let reason = if reason.is_empty() { format!("status {status} {kind}") } else { reason };
        match status {
            _ if is_block(&kind) || kind == "index_closed_exception" => {
                ClusterError::Blocked { action, reason }
            }
            401 => ClusterError::Unauthorized { action, node, mend: self.credentials.mend, reason },
            403 => ClusterError::Forbidden { action, node, setting: self.credentials.setting, reason },
            404 if matches!(&*kind, "index_not_found_exception" | "resource_not_found_exception") => {
                ClusterError::Missing { action, reason }
            }
            429 => ClusterError::Busy { action, reason },
            408 | 500.. => ClusterError::Unavailable { action, node, status, reason },
            status => ClusterError::Refused { action, status, kind, reason },
        }
    }
}

/// Whether a refusal of this kind goes away once a block is removed.
pub(in crate::elasticsearch) fn is_block(kind: &str) -> bool {
    kind == "cluster_block_exception" || kind == "index_block_exception"
}

/// The kind and reason within an `error` member: an object, or in some answers a text.
pub(in crate::elasticsearch) fn refusal(error: &Json) -> (String, String) {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    match error {
        Json::String(reason) => (String::new(), reason.clone()),
        _ => {
            // What caused it says more than where it was noticed.
            let cause = &error["caused_by"]["reason"];
            let reason = text(&error["reason"]);
            let reason = match cause.as_str() {
                Some(cause) if !reason.contains(cause) => format!("{reason}: {cause}"),
                _ => reason,
            };
            (text(&error["type"]), reason)
        }
    }
}
