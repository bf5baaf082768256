//! The bounds of the service over gRPC, and why it does not serve.

use std::time::Duration;

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
    /// What connections are encrypted with; without it they are not.
    pub tls: Option<tls::Identity>,
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
    /// Serving ended early.
    #[error("the anomaly service cannot serve over gRPC")]
    Serve(#[from] tonic::transport::Error),
    /// What the service offers cannot be told.
    #[error("the descriptors of the service's calls cannot be read")]
    Reflection(#[from] tonic_reflection::server::Error),
}
