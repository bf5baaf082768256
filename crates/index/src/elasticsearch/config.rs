//! How a cluster is reached and written to.

use std::{fmt, path::PathBuf, time::Duration};

/// How a cluster is reached and written to.
#[derive(Clone)]
pub struct Config {
    /// Addresses of nodes, `http` or `https` URLs.
    pub nodes: Vec<String>,
    /// Name of the data stream.
    pub data_stream: String,
    /// How to authenticate.
    pub auth: Auth,
    /// PEM file with the certificate of the authority that signed the nodes' certificates.
    pub ca_file: Option<PathBuf>,
    /// Whether `event.original` is stored.
    pub keep_original: bool,
    /// Whether request bodies are packed; None packs them except to loopback addresses.
    pub gzip: Option<bool>,
    /// Largest bulk, in bytes before packing. A single larger document makes a bulk of its own.
    pub bulk_bytes_max: usize,
    /// Serialised bulks that wait or are under way, in bytes.
    pub in_flight_bytes_max: usize,
    /// Bulks under way at the same time, at most.
    pub concurrency_max: usize,
    /// How long a bulk or question may take before it counts as failed.
    pub request_timeout: Duration,
    /// Bound of the first wait before a new attempt; it doubles from there.
    pub retry_min: Duration,
    /// Bound of the longest wait before a new attempt.
    pub retry_max: Duration,
    /// How long a write waits for room before it is refused.
    pub write_wait: Duration,
    /// How often nodes that were taken out are looked after; figures are fetched every tenth time.
    pub upkeep_interval: Duration,
    /// When the index that is written to gives way to a new one, on servers without a lifecycle.
    pub rollover: Rollover,
    /// How long a question may take, refresh included, before the cluster counts as not answering.
    pub query_timeout: Duration,
    /// A node whose bulks take longer than this is called slow, and so is one that takes a tenth of
    /// it and four times what the quickest node takes.
    pub slow_after: Duration,
}

impl Config {
    /// Everything as by default, for these addresses.
    pub fn new(nodes: Vec<String>) -> Self {
        Self {
            nodes,
            data_stream: "logs-sentinel".to_owned(),
            auth: Auth::None,
            ca_file: None,
            keep_original: true,
            gzip: None,
            bulk_bytes_max: 8 << 20,
            in_flight_bytes_max: 64 << 20,
            concurrency_max: 8,
            request_timeout: Duration::from_secs(60),
            retry_min: Duration::from_millis(100),
            retry_max: Duration::from_secs(30),
            write_wait: Duration::from_secs(5),
            upkeep_interval: Duration::from_secs(1),
            rollover: Rollover::default(),
            query_timeout: Duration::from_secs(8),
            slow_after: Duration::from_secs(10),
        }
    }
}

impl fmt::Debug for Config {
    /// Without addresses and credentials: either may hold a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Config")
            .field("nodes", &self.nodes.len())
            .field("data_stream", &self.data_stream)
            .field("auth", &self.auth)
            .field("ca_file", &self.ca_file)
            .finish_non_exhaustive()
    }
}

/// How to authenticate with a cluster.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// As a user.
    Basic {
        /// Its name.
        username: String,
        /// Its password.
        password: String,
    },
    /// With an API key: its encoded form, or `id:secret`.
    ApiKey(String),
}

impl fmt::Debug for Auth {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "None",
            Self::Basic { .. } => "Basic(***)",
            Self::ApiKey(_) => "ApiKey(***)",
        })
    }
}

/// When the index that is written to gives way to a new one: as soon as one of these is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rollover {
    /// How long ago it was begun.
    pub age: Duration,
    /// Documents in it.
    pub documents: u64,
    /// Its bytes, without replicas.
    pub bytes: u64,
}

impl Default for Rollover {
    fn default() -> Self {
        Self { age: Duration::from_secs(24 * 60 * 60), documents: 200_000_000, bytes: 50 << 30 }
    }
}
