//! What the calls share: the service, whose turn it is, and the bounds.

use std::sync::Arc;

use anomaly::{Journals, Service};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;
use wire::v1;

use super::{config::GrpcConfig, refusal, score::score};
use crate::{access::Access, trainings::Trainings};

/// Largest message that clients take by default.
const CLIENT_BYTES_MAX: usize = 4 << 20;

pub(super) struct Shared {
    pub(super) service: Arc<Service>,
    pub(super) access: Access,
    pub(super) config: GrpcConfig,
    pub(super) journals: Arc<Journals>,
    /// Whose batch is analysed.
    turn: Arc<Semaphore>,
    /// Whose records are predicted, or whose other question takes CPU time.
    pub(super) predictions: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    trainings: Trainings,
}

impl Shared {
    /// With no call under way.
    pub(super) fn new(
        service: Arc<Service>,
        access: Access,
        trainings: Trainings,
        config: GrpcConfig,
    ) -> Self {
        Self {
            journals: Arc::new(Journals::new(Arc::clone(&service), config.journals_max)),
            turn: Arc::new(Semaphore::new(1)),
            predictions: Arc::new(Semaphore::new(2)),
            streams: Arc::new(Semaphore::new(config.streams_max)),
            trainings,
            service,
            access,
            config,
        }
    }

    /// Scores a batch when its turn comes.
    pub(super) async fn score(
        self: &Arc<Self>,
        request: v1::ScoreRequest,
    ) -> Result<v1::ScoreResponse, Status> {
        self.check_size(request.log_records.len(), self.config.batch_records_max)?;
        let turn = self.turn.clone().acquire_owned().await;
        let shared = self.clone();
        blocking(move || {
            let _turn = turn;
            score(&shared.service, &shared.journals, &request, shared.list_bytes_max())
        })
        .await?
    }

    pub(super) fn check_size(&self, records: usize, max: usize) -> Result<(), Status> {
        if records <= max {
            return Ok(());
        }
        Err(Status::out_of_range(format!(
            "log_records: {records} were given at once; at most {max} are taken, so send them in parts"
        )))
    }

    /// What the elements of an answer may take: the rest of its message needs some room.
    pub(super) fn list_bytes_max(&self) -> usize {
        let message = self.config.message_bytes_max.min(CLIENT_BYTES_MAX);
        message - message / 8
    }

    /// The right to train.
    pub(super) fn training_turn(&self) -> Result<OwnedSemaphorePermit, Status> {
        self.trainings.turn().ok_or_else(|| {
            telemetry::refused("grpc_trainings");
            Status::resource_exhausted(
                "a model is being trained, and one is trained at a time; try again later",
            )
        })
    }

    /// A place for a stream of batches.
    pub(super) fn stream_place(&self) -> Result<OwnedSemaphorePermit, Status> {
        self.streams.clone().try_acquire_owned().map_err(|_| {
            telemetry::refused("grpc_streams");
            let most = self.config.streams_max;
            Status::resource_exhausted(format!(
                "{most} streams are open, as many as may be; close one or try again later"
            ))
        })
    }
}

/// Runs what takes CPU or disk time off the reactor.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Status> {
    telemetry::task::blocking("anomaly service", work).await.map_err(|error| {
        tracing::error!("work for a call ended early: {}", telemetry::task::ending(&error));
        refusal::failed()
    })
}
