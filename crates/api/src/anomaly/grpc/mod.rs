//! The anomaly service over gRPC, `proto/log_sentinel/v1`: what a collector on another machine asks.
//!
//! One batch is analysed at a time, off the reactor, in the order in which each stream sends them. Whoever
//! goes away, or whose deadline passes, before his batch's turn comes has not been learned from.

mod admission;
mod answer;
mod calls;
mod config;
mod feedback;
mod incoming;
mod inflow;
mod models;
mod refusal;
mod score;
mod sessions;
mod starters;
mod state;
mod templates;

use std::{sync::Arc, time::Duration};

use anomaly::Journals;
use telemetry::task::Stop;
use tokio::net::TcpListener;
use tonic::transport::Server;
use wire::v1::anomaly_service_server::AnomalyServiceServer;

use crate::{access::Access, listen::Bounded, trainings::Trainings};

use calls::Calls;
use inflow::Inflow;
use state::Shared;

pub use config::{GrpcConfig, GrpcError};

/// How long a connection may be silent before it is asked whether it lives.
const KEEPALIVE: Duration = Duration::from_secs(20);
/// What a sender may have under way before it must wait: a few batches.
const WINDOW_BYTES: u32 = 4 << 20;

/// The service over gRPC. Clones share it.
#[derive(Clone)]
pub struct AnomalyGrpc {
    shared: Arc<Shared>,
}

impl AnomalyGrpc {
    /// Over a service, for whoever has one of the keys. Trainings over REST and over gRPC share `trainings`.
    pub fn new(
        service: Arc<anomaly::Service>,
        access: Access,
        trainings: Trainings,
        config: GrpcConfig,
    ) -> Self {
        Self { shared: Arc::new(Shared::new(service, access, trainings, config)) }
    }

    /// Serves until told to stop: batches being analysed are answered, streams end, and nothing new is taken.
    ///
    /// # Errors
    /// When serving ends early.
    pub async fn serve(&self, listener: TcpListener, stop: Stop) -> Result<(), GrpcError> {
        let config = &self.shared.config;
        let server = Server::builder()
            .max_concurrent_streams(config.calls_max)
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES)
            .http2_keepalive_interval(Some(KEEPALIVE));
        let (reporter, health) = tonic_health::server::health_reporter();
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(wire::FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let (reflection, older) = (reflection().build_v1()?, reflection().build_v1alpha()?);
        let anomaly = AnomalyServiceServer::new(Calls { shared: self.shared.clone(), stop: stop.clone() })
            .max_decoding_message_size(config.message_bytes_max);
        reporter.set_serving::<AnomalyServiceServer<Calls>>().await;
        let access = self.shared.access.clone();
        let listener = Bounded::new(listener, config.connections).with_tls(config.tls.clone());
        let connections = listener.table();
        let stopping = async move {
            stop.cancelled().await;
            connections.close_idle();
            reporter.set_not_serving::<AnomalyServiceServer<Calls>>().await;
            reporter.set_service_status("", tonic_health::ServingStatus::NotServing).await;
        };
        let inflow =
            Inflow { budget: body::Budget::new(config.in_flight_bytes_max), idle_max: config.idle_max };
        server
            .layer(tower::layer::layer_fn(move |inner| inflow.around(access.around(inner))))
            .add_service(health)
            .add_service(reflection)
            .add_service(older)
            .add_service(anomaly)
            .serve_with_incoming_shutdown(incoming::connections(listener), stopping)
            .await?;
        Ok(())
    }

    /// What it knows of the journals whose batches it scores.
    pub fn journals(&self) -> &Arc<Journals> {
        &self.shared.journals
    }
}
