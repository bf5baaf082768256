//! The anomaly service over gRPC, `proto/log_sentinel/v1`: what a collector on another machine asks.
//!
//! One batch is analysed at a time, off the reactor, in the order in which each stream sends them. Whoever
//! goes away, or whose deadline passes, before his batch's turn comes has not been learned from.

mod answer;
mod calls;
mod feedback;
mod incoming;
mod inflow;
mod journals;
mod models;
mod refusal;
mod sessions;
mod starters;
mod templates;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use telemetry::task::Stop;
use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tonic::{
    Request, Status,
    service::interceptor::{InterceptedService, InterceptorLayer},
    transport::{Identity, Server, ServerTlsConfig},
};
use wire::v1::{self, anomaly_service_server::AnomalyServiceServer};

use crate::{
    access::{Access, FOREIGN_ORIGIN, presented_key},
    listen::{Bounded, Connections},
    trainings::Trainings,
};

use calls::Calls;
use inflow::Inflow;
use journals::Journals;

/// How long a connection may be silent before it is asked whether it lives.
const KEEPALIVE: Duration = Duration::from_secs(20);
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// What a sender may have under way before it must wait: a few batches.
const WINDOW_BYTES: u32 = 4 << 20;
/// Largest message that clients take by default.
const CLIENT_BYTES_MAX: usize = 4 << 20;

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
    /// A snapshot that is no snapshot.
    #[error("the file of what the service remembered of the stream cannot be read: {0}")]
    Snapshot(&'static str),
    /// The window in a snapshot.
    #[error("the file of what the service remembered of the stream cannot be read")]
    Window(#[from] anomaly::ModelError),
}

/// The service over gRPC. Clones share it.
#[derive(Clone)]
pub struct AnomalyGrpc {
    shared: Arc<Shared>,
}

struct Shared {
    service: Arc<anomaly::Service>,
    access: Access,
    config: GrpcConfig,
    journals: Journals,
    /// Whose batch is analysed.
    turn: Arc<Semaphore>,
    /// Whose records are predicted, or whose other question takes CPU time.
    predictions: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    trainings: Trainings,
}

impl AnomalyGrpc {
    /// Over a service, for whoever has one of the keys. Trainings over REST and over gRPC share `trainings`.
    pub fn new(
        service: Arc<anomaly::Service>,
        access: Access,
        trainings: Trainings,
        config: GrpcConfig,
    ) -> Self {
        let shared = Shared {
            journals: Journals::new(config.journals_max),
            turn: Arc::new(Semaphore::new(1)),
            predictions: Arc::new(Semaphore::new(2)),
            streams: Arc::new(Semaphore::new(config.streams_max)),
            trainings,
            service,
            access,
            config,
        };
        Self { shared: Arc::new(shared) }
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

    /// The stream's window and up to where each journal has been learned, as of one moment. For a service that
    /// runs by itself; a collector that scores in its own process keeps the window with its index. Waits for the
    /// batch being analysed: call it off the reactor.
    pub fn snapshot(&self) -> Vec<u8> {
        self.shared.journals.snapshot(&self.shared.service)
    }

    /// Goes on from a snapshot.
    ///
    /// # Errors
    /// When it is something else, of another version, cut short or altered: nothing changes.
    pub fn restore(&self, snapshot: &[u8]) -> Result<(), GrpcError> {
        self.shared.journals.restore(snapshot, &self.shared.service)
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

impl Shared {
    /// Scores a batch when its turn comes.
    async fn score(self: &Arc<Self>, request: v1::ScoreRequest) -> Result<v1::ScoreResponse, Status> {
        self.check_size(request.log_records.len(), self.config.batch_records_max)?;
        let turn = self.turn.clone().acquire_owned().await;
        let shared = self.clone();
        blocking(move || {
            let _turn = turn;
            shared.journals.score(&shared.service, &request, shared.list_bytes_max())
        })
        .await?
    }

    fn check_size(&self, records: usize, max: usize) -> Result<(), Status> {
        if records <= max {
            return Ok(());
        }
        Err(Status::out_of_range(format!(
            "log_records: {records} were given at once; at most {max} are taken, so send them in parts"
        )))
    }

    /// What the elements of an answer may take: the rest of its message needs some room.
    fn list_bytes_max(&self) -> usize {
        let message = self.config.message_bytes_max.min(CLIENT_BYTES_MAX);
        message - message / 8
    }

    /// The right to train.
    fn training_turn(&self) -> Result<OwnedSemaphorePermit, Status> {
        self.trainings.turn().ok_or_else(|| {
            telemetry::refused("grpc_trainings");
            Status::resource_exhausted(
                "a model is being trained, and one is trained at a time; try again later",
            )
        })
    }

    /// A place for a stream of batches.
    fn stream_place(&self) -> Result<OwnedSemaphorePermit, Status> {
        self.streams.clone().try_acquire_owned().map_err(|_| {
            telemetry::refused("grpc_streams");
            let most = self.config.streams_max;
            Status::resource_exhausted(format!(
                "{most} streams are open, as many as may be; close one or try again later"
            ))
        })
    }
}

fn stopping() -> Status {
    Status::unavailable("the anomaly service is stopping")
}

/// Runs what takes CPU or disk time off the reactor.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Status> {
    telemetry::task::blocking("anomaly service", work).await.map_err(|error| {
        tracing::error!("work for a call ended early: {}", telemetry::task::ending(&error));
        refusal::failed()
    })
}
