//! The anomaly service over gRPC, `proto/log_sentinel/v1`: what a collector on another machine asks.
//!
//! One batch is analysed at a time, off the reactor, in the order in which each stream sends them. Whoever
//! goes away, or whose deadline passes, before his batch's turn comes has not been learned from.

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

use std::{path::Path, sync::Arc, time::Duration};

use anomaly::Journals;
use telemetry::task::Stop;
use tokio::net::TcpListener;
use tonic::{
    Request, Status,
    service::interceptor::{InterceptedService, InterceptorLayer},
    transport::{Identity, Server, ServerTlsConfig},
};
use wire::v1::anomaly_service_server::AnomalyServiceServer;

use crate::{
    access::{Access, FOREIGN_ORIGIN, presented_key},
    listen::Bounded,
    trainings::Trainings,
};

use calls::Calls;
use inflow::Inflow;
use state::Shared;

pub use config::{GrpcConfig, GrpcError, TlsFiles};

/// How long a connection may be silent before it is asked whether it lives.
const KEEPALIVE: Duration = Duration::from_secs(20);
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
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
    /// When the certificate's files cannot be used, or serving ends early.
    pub async fn serve(&self, listener: TcpListener, stop: Stop) -> Result<(), GrpcError> {
        let config = &self.shared.config;
        let mut server = Server::builder()
            .max_concurrent_streams(config.calls_max)
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES)
            .http2_keepalive_interval(Some(KEEPALIVE));
        if let Some(tls) = &config.tls {
            let identity = Identity::from_pem(read(&tls.cert_file)?, read(&tls.key_file)?);
            server = server.tls_config(ServerTlsConfig::new().identity(identity).timeout(HANDSHAKE))?;
        }
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
        let check = move |request: Request<()>| check_key(&access, request);
        let (check_v1, check_v1alpha) = (check.clone(), check.clone());
        let access = self.shared.access.clone();
        let own = InterceptorLayer::new(move |request: Request<()>| check_origin(&access, request));
        let listener = Bounded::new(listener, config.connections);
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
            .layer(own)
            .layer(tower::layer::layer_fn(move |inner| inflow.around(inner)))
            .add_service(health)
            .add_service(InterceptedService::new(reflection, check_v1))
            .add_service(InterceptedService::new(older, check_v1alpha))
            .add_service(InterceptedService::new(anomaly, check))
            .serve_with_incoming_shutdown(incoming::connections(listener), stopping)
            .await?;
        Ok(())
    }

    /// What it knows of the journals whose batches it scores.
    pub fn journals(&self) -> &Arc<Journals> {
        &self.shared.journals
    }
}

fn read(path: &Path) -> Result<Vec<u8>, GrpcError> {
    std::fs::read(path).map_err(|source| GrpcError::File { path: path.to_owned(), source })
}

/// Lets a call pass that no web page of others had a browser send.
fn check_origin(access: &Access, request: Request<()>) -> Result<Request<()>, Status> {
    match access.accepts_origin(request.metadata().as_ref(), None) {
        true => Ok(request),
        false => Err(Status::permission_denied(FOREIGN_ORIGIN)),
    }
}

/// Lets a call pass that shows one of the keys, where there are any.
fn check_key(access: &Access, request: Request<()>) -> Result<Request<()>, Status> {
    if !access.needs_key() {
        return Ok(request);
    }
    match presented_key(request.metadata().as_ref()) {
        Some(key) if access.accepts_key(key) => Ok(request),
        Some(_) => Err(Status::unauthenticated("this API key is not one of this service's API_KEYS")),
        None => Err(Status::unauthenticated(
            "an API key is needed: metadata 'authorization: Bearer KEY', one of this service's API_KEYS",
        )),
    }
}
