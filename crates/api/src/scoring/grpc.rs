//! The anomaly service over gRPC, `proto/log_sentinel/v1`: what a collector on another machine asks.
//!
//! One batch is analysed at a time, off the reactor, in the order in which each stream sends them. Whoever
//! goes away, or whose deadline passes, before his batch's turn comes has not been learned from.

mod answer;
mod incoming;
mod journals;

use std::{
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use futures_util::{Stream, stream};
use telemetry::task::Stop;
use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tonic::{
    Request, Response, Status, Streaming, async_trait,
    transport::{Identity, Server, ServerTlsConfig},
};
use wire::v1::{
    self,
    anomaly_service_server::{AnomalyService, AnomalyServiceServer},
};

use crate::{
    access::{Access, presented_key},
    listen::Bounded,
};

use journals::Journals;

/// How long a connection may be silent before it is asked whether it lives.
const KEEPALIVE: Duration = Duration::from_secs(20);
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// What a sender may have under way before it must wait: a few batches.
const WINDOW_BYTES: u32 = 8 << 20;

/// Bounds of the anomaly service over gRPC.
#[derive(Debug, Clone)]
pub struct GrpcConfig {
    /// Largest message, in bytes.
    pub message_bytes_max: usize,
    /// Records of one batch.
    pub batch_records_max: usize,
    /// Records of one training.
    pub train_records_max: usize,
    /// Their bytes.
    pub train_bytes_max: usize,
    /// Connections served at a time; further ones wait.
    pub connections_max: usize,
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
            connections_max: 64,
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
    /// A snapshot that is no snapshot.
    #[error("the anomaly service's stored window is unusable: {0}")]
    Snapshot(&'static str),
    /// The window in a snapshot.
    #[error("the anomaly service's stored window is unusable")]
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
    /// Whose records are predicted.
    predictions: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    training: Arc<Semaphore>,
}

impl AnomalyGrpc {
    /// Over a service, for whoever has one of the keys.
    pub fn new(service: Arc<anomaly::Service>, access: Access, config: GrpcConfig) -> Self {
        let shared = Shared {
            journals: Journals::new(config.journals_max),
            turn: Arc::new(Semaphore::new(1)),
            predictions: Arc::new(Semaphore::new(2)),
            streams: Arc::new(Semaphore::new(config.streams_max)),
            training: Arc::new(Semaphore::new(1)),
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
        let anomaly = AnomalyServiceServer::new(Calls { shared: self.shared.clone(), stop: stop.clone() })
            .max_decoding_message_size(config.message_bytes_max);
        reporter.set_serving::<AnomalyServiceServer<Calls>>().await;
        let access = self.shared.access.clone();
        let check = move |request: Request<()>| check_key(&access, request);
        let stopping = async move {
            stop.cancelled().await;
            reporter.set_not_serving::<AnomalyServiceServer<Calls>>().await;
            reporter.set_service_status("", tonic_health::ServingStatus::NotServing).await;
        };
        server
            .add_service(health)
            .add_service(tonic::service::interceptor::InterceptedService::new(anomaly, check))
            .serve_with_incoming_shutdown(
                incoming::connections(Bounded::new(listener, config.connections_max)),
                stopping,
            )
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

/// What is called.
struct Calls {
    shared: Arc<Shared>,
    stop: Stop,
}

/// A stream of batches being scored.
struct Scoring {
    shared: Arc<Shared>,
    stop: Stop,
    requests: Streaming<v1::ScoreRequest>,
    _place: OwnedSemaphorePermit,
}

impl Scoring {
    /// The answer to the next batch; None behind the last.
    async fn next(&mut self) -> Option<Result<v1::ScoreResponse, Status>> {
        let request = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Some(Err(stopping())),
            request = self.requests.message() => request,
        };
        match request {
            Ok(Some(request)) => Some(self.shared.score(request).await),
            Ok(None) => None,
            Err(status) => Some(Err(status)),
        }
    }
}

#[async_trait]
impl AnomalyService for Calls {
    type ScoreStream = Pin<Box<dyn Stream<Item = Result<v1::ScoreResponse, Status>> + Send>>;

    async fn score(
        &self,
        request: Request<Streaming<v1::ScoreRequest>>,
    ) -> Result<Response<Self::ScoreStream>, Status> {
        let scoring = Scoring {
            shared: self.shared.clone(),
            stop: self.stop.clone(),
            requests: request.into_inner(),
            _place: self.shared.place(&self.shared.streams, "grpc_streams", "streams are open")?,
        };
        let answers = stream::unfold(Some(scoring), |scoring| async {
            let mut scoring = scoring?;
            let answer = scoring.next().await?;
            let next = answer.is_ok().then_some(scoring);
            Some((answer, next))
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn score_batch(
        &self,
        request: Request<v1::ScoreRequest>,
    ) -> Result<Response<v1::ScoreResponse>, Status> {
        self.shared.score(request.into_inner()).await.map(Response::new)
    }

    async fn predict(
        &self,
        request: Request<v1::PredictRequest>,
    ) -> Result<Response<v1::PredictResponse>, Status> {
        let shared = self.shared.clone();
        let records = request.into_inner().log_records;
        shared.check_size(records.len(), shared.config.batch_records_max)?;
        let turn = shared.predictions.clone().acquire_owned().await;
        blocking(move || {
            let _turn = turn;
            answer::predict(&shared.service, &records)
        })
        .await
        .map(Response::new)
    }

    async fn train(
        &self,
        request: Request<Streaming<v1::TrainRequest>>,
    ) -> Result<Response<v1::TrainResponse>, Status> {
        let shared = self.shared.clone();
        let turn = shared.place(&shared.training, "grpc_trainings", "models are being trained")?;
        let mut requests = request.into_inner();
        let (mut records, mut bytes) = (Vec::new(), 0);
        loop {
            let message = tokio::select! {
                () = self.stop.cancelled() => return Err(stopping()),
                message = requests.message() => message?,
            };
            let Some(message) = message else { break };
            bytes += message.log_records.iter().map(|record| record.len()).sum::<usize>();
            records.extend(message.log_records);
            shared.check_size(records.len(), shared.config.train_records_max)?;
            if bytes > shared.config.train_bytes_max {
                return Err(Status::out_of_range(format!(
                    "a model is trained on at most {} bytes of records",
                    shared.config.train_bytes_max
                )));
            }
        }
        blocking(move || {
            let _turn = turn;
            answer::train(&shared.service, &records)
        })
        .await?
        .map(Response::new)
    }

    async fn get_model(&self, _: Request<v1::GetModelRequest>) -> Result<Response<v1::Model>, Status> {
        Ok(Response::new(answer::model(self.shared.service.model())))
    }

    async fn list_models(
        &self,
        _: Request<v1::ListModelsRequest>,
    ) -> Result<Response<v1::ListModelsResponse>, Status> {
        let service = self.shared.service.clone();
        let models = blocking(move || service.models()).await?;
        let models = models.into_iter().map(answer::model).collect();
        Ok(Response::new(v1::ListModelsResponse { models }))
    }

    async fn activate_model(
        &self,
        request: Request<v1::ActivateModelRequest>,
    ) -> Result<Response<v1::Model>, Status> {
        let (service, version) = (self.shared.service.clone(), request.into_inner().version);
        blocking(move || answer::activate(&service, &version)).await?.map(Response::new)
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
            shared.journals.score(&shared.service, &request)
        })
        .await?
    }

    fn check_size(&self, records: usize, max: usize) -> Result<(), Status> {
        if records <= max {
            return Ok(());
        }
        Err(Status::out_of_range(format!("{records} log records at once; at most {max} are taken")))
    }

    /// One of a number of places, or a refusal.
    fn place(
        &self,
        places: &Arc<Semaphore>,
        limit: &'static str,
        what: &str,
    ) -> Result<OwnedSemaphorePermit, Status> {
        places.clone().try_acquire_owned().map_err(|_| {
            metrics::counter!(telemetry::metric::ADMISSION_REFUSED, "limit" => limit).increment(1);
            Status::resource_exhausted(format!("as many {what} as may be at once; try again later"))
        })
    }
}

fn stopping() -> Status {
    Status::unavailable("the anomaly service is stopping")
}

/// Runs what takes CPU or disk time off the reactor.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Status> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "work for a call ended early");
        Status::internal("the call could not be answered; the service's log says why")
    })
}
