//! The bounds of the service over gRPC, and why it does not serve.

use std::{path::PathBuf, time::Duration};

use crate::listen::Connections;

/// Bounds of the anomaly service over gRPC.
#[derive(Debug, Clone)]
pub struct GrpcConfig {
    /// Largest message taken and largest model given, in bytes.
    pub message_bytes_max: usize,
    /// Records of one batch.
    pub batch_records_max: usize,
    /// Records of one training.
    pub train_records_max: usize,
    /// Their bytes.
    pub train_bytes_max: usize,
    /// Bytes of messages held at a time, over all calls; beyond it `RESOURCE_EXHAUSTED`. Setting
    /// `LOG_SENTINEL_IN_FLIGHT_BYTES_MAX`.
    pub in_flight_bytes_max: usize,
    /// How long a message may pause while it arrives. Setting `LOG_SENTINEL_BODY_IDLE_MAX`.
    pub idle_max: Duration,
    /// Of connections.
    pub connections: Connections,
    /// Calls at a time on one connection; further ones wait.
    pub calls_max: u32,
    /// Streams of batches at a time on all connections; further ones are refused.
    pub streams_max: usize,
    /// Journals whose batches are recognised when they come again. The one unused for longest is forgotten.
    pub journals_max: usize,
    /// Certificate and key; without them connections are not encrypted.
    pub tls: Option<TlsFiles>,
}

/// PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, followed by those between it and the root.
    pub cert_file: PathBuf,
    /// Its private key.
    pub key_file: PathBuf,
}

impl Default for GrpcConfig {
    fn default() -> Self {
        Self {
            message_bytes_max: 16 << 20,
            batch_records_max: 50_000,
            train_records_max: 500_000,
            train_bytes_max: 128 << 20,
            in_flight_bytes_max: 128 << 20,
            idle_max: Duration::from_secs(30),
            connections: Connections::default(),
            calls_max: 16,
            streams_max: 64,
            journals_max: 64,
            tls: None,
        }
    }
}

/// Why the service does not serve.
#[derive(Debug, thiserror::Error)]
pub enum GrpcError {
    /// A file of the certificate cannot be read.
    #[error(
        "cannot read {path}, which LOG_SENTINEL_ANOMALY_CERT_FILE or LOG_SENTINEL_ANOMALY_KEY_FILE names"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Certificate or key are not what they should be, or serving ended early.
    #[error(
        "the anomaly service cannot serve over gRPC; LOG_SENTINEL_ANOMALY_CERT_FILE and LOG_SENTINEL_ANOMALY_KEY_FILE, where set, must be PEM and belong together"
    )]
    Serve(#[from] tonic::transport::Error),
    /// What the service offers cannot be told.
    #[error("the descriptors of the service's calls cannot be read")]
    Reflection(#[from] tonic_reflection::server::Error),
}
