//! Why a cluster did not do what it was asked, and what an operator can do about it.

use std::{path::PathBuf, time::Duration};

use crate::IndexError;

/// A cause from a library.
type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a request to a cluster failed. Every text names the node or setting and the mend; none
/// holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// A setting cannot be used as it is.
    #[error("{setting} {reason}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What is wrong with it and what is expected.
        reason: String,
    },
    /// The file with the authority's certificate cannot be read.
    #[error(
        "cannot read {path}; ELASTIC_CA_FILE names a PEM file with the certificate of the cluster's authority"
    )]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Source,
    },
    /// The server's certificate was not accepted.
    #[error(
        "cannot {action} on {node}: its certificate is not trusted; set ELASTIC_CA_FILE to the PEM file of the \
         authority that signed it, and name the host in ELASTIC_ADDR as the certificate does"
    )]
    Certificate {
        /// What was attempted.
        action: &'static str,
        /// On which node.
        node: String,
        /// What the TLS library says.
        source: Source,
    },
    /// No connection could be made: nothing was sent.
    #[error("cannot {action} on {node}: no connection; check that it runs and that ELASTIC_ADDR is right")]
    Connect {
        /// What was attempted.
        action: &'static str,
        /// On which node.
        node: String,
        /// Why.
        source: Source,
    },
    /// The connection broke, so that nobody knows whether the request was carried out.
    #[error("cannot {action} on {node}: the connection broke before the answer was whole")]
    Broken {
        /// What was attempted.
        action: &'static str,
        /// On which node.
        node: String,
        /// Why.
        source: Source,
    },
    /// No answer came in time; nobody knows whether the request was carried out.
    #[error("cannot {action} on {node}: no answer within {after:?}")]
    Timeout {
        /// What was attempted.
        action: &'static str,
        /// On which node.
        node: String,
        /// How long was waited.
        after: Duration,
    },
    /// The answer is not what the protocol says; nobody knows whether the request was carried out.
    #[error("cannot {action} on {node}: {reason}; check that ELASTIC_ADDR names Elasticsearch itself")]
    Garbled {
        /// What was attempted.
        action: &'static str,
        /// On which node.
        node: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// A gateway, the node or a shard failed or cannot serve now: 408 and 5xx.
    #[error("cannot {action} on {node}: it could not do it now ({status}: {reason})")]
    Unavailable {
        /// What was attempted.
        action: &'static str,
        /// On which node.
        node: String,
        /// HTTP status.
        status: u16,
        /// What it says.
        reason: String,
    },
    /// All nodes are taken out for now.
    #[error("cannot {action}: no node of ELASTIC_ADDR takes requests at present; last: {last}")]
    Away {
        /// What was attempted.
        action: &'static str,
        /// When the first of them is tried again.
        retry_in: Duration,
        /// What the last fault of one of them was.
        last: String,
    },
    /// The credentials are wrong, expired or missing.
    #[error("cannot {action} on {node}: not authenticated; {mend} ({reason})")]
    Unauthorized {
        /// What was attempted.
        action: &'static str,
        /// On which node.
        node: String,
        /// The setting to change.
        mend: &'static str,
        /// What the server says.
        reason: String,
    },
    /// The credentials are known and lack a right.
    #[error(
        "cannot {action} on {node}: not allowed; give the role of the user or API key in {setting} the right ({reason})"
    )]
    Forbidden {
        /// What was attempted.
        action: &'static str,
        /// On which node.
        node: String,
        /// Where the credentials stand.
        setting: &'static str,
        /// What the server says.
        reason: String,
    },
    /// An index or data stream is not there.
    #[error("cannot {action}: {reason}; run `log-sentinel elastic setup`")]
    Missing {
        /// What was attempted.
        action: &'static str,
        /// What the server says.
        reason: String,
    },
    /// A block forbids writing: a full disk, an index made read-only.
    #[error(
        "cannot {action}: {reason}; make room on the cluster's disks and remove the block from the index"
    )]
    Blocked {
        /// What was attempted.
        action: &'static str,
        /// What the server says.
        reason: String,
    },
    /// The cluster asks to be left in peace for a while: 429.
    #[error("cannot {action}: the cluster is overloaded ({reason})")]
    Busy {
        /// What was attempted.
        action: &'static str,
        /// What the server says.
        reason: String,
    },
    /// Any other refusal.
    #[error("cannot {action}: refused with {status} {kind}: {reason}")]
    Refused {
        /// What was attempted.
        action: &'static str,
        /// HTTP status.
        status: u16,
        /// The kind of refusal in the server's terms, such as `parsing_exception`; may be empty.
        kind: String,
        /// What the server says.
        reason: String,
    },
    /// The server is of another kind.
    #[error("{node} is not Elasticsearch or OpenSearch ({found}); check ELASTIC_ADDR")]
    Foreign {
        /// Which node.
        node: String,
        /// What it is instead.
        found: String,
    },
    /// The server is too old.
    #[error("{node} is {found}; ELASTIC_ADDR needs Elasticsearch 8 or OpenSearch 2.7, or later")]
    TooOld {
        /// Which node.
        node: String,
        /// Its flavor and version.
        found: String,
    },
}

impl ClusterError {
    /// As the error of an index that was to do `action`.
    pub fn during(self, action: &'static str) -> IndexError {
        IndexError::Remote { action, source: Box::new(self) }
    }

    /// The kind of refusal and its reason, for a dead letter.
    pub(super) fn into_refusal(self) -> (String, String) {
        match self {
            Self::Refused { status, kind, reason, .. } if kind.is_empty() => {
                (format!("status {status}"), reason)
            }
            Self::Refused { kind, reason, .. } => (kind, reason),
            other => (String::new(), other.to_string()),
        }
    }

    /// Whether nobody knows if the request was carried out.
    pub(super) fn is_ambiguous(&self) -> bool {
        match self {
            Self::Broken { .. } | Self::Timeout { .. } | Self::Garbled { .. } | Self::Unavailable { .. } => {
                true
            }
            Self::Setting { .. }
            | Self::CaFile { .. }
            | Self::Certificate { .. }
            | Self::Connect { .. }
            | Self::Away { .. }
            | Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::Missing { .. }
            | Self::Blocked { .. }
            | Self::Busy { .. }
            | Self::Refused { .. }
            | Self::Foreign { .. }
            | Self::TooOld { .. } => false,
        }
    }

    /// Whether only an operator mends it, so that trying again soon is pointless.
    pub(super) fn needs_operator(&self) -> bool {
        matches!(
            self,
            Self::Setting { .. }
                | Self::CaFile { .. }
                | Self::Certificate { .. }
                | Self::Unauthorized { .. }
                | Self::Forbidden { .. }
                | Self::Missing { .. }
                | Self::Blocked { .. }
                | Self::Refused { .. }
                | Self::Foreign { .. }
                | Self::TooOld { .. }
        )
    }
}
