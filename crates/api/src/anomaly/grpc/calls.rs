//! The calls: what each takes and answers.

use std::sync::Arc;

use anomaly::{Action, Service};
use audit::Action as Recorded;
use futures_util::stream;
use telemetry::task::Stop;
use tokio::sync::OwnedSemaphorePermit;
use tonic::{Request, Response, Status, Streaming, async_trait, codegen::BoxStream};
use wire::v1::{self, anomaly_service_server::AnomalyService};

use super::{
    answer, feedback, models,
    refusal::{self, stopping},
    sessions, starters,
    state::{Shared, blocking},
    templates,
};
use crate::{
    anomaly::{
        feedback::about_feedback,
        models::about_model,
        templates::{about_operation, undoes},
    },
    decision::{By, Decision},
    standing::Standing,
};

/// What is called.
pub(super) struct Calls {
    pub(super) shared: Arc<Shared>,
    pub(super) stop: Stop,
}

impl Calls {
    /// Asks the service, off the reactor.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Service) -> Result<T, Status> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        let service = self.shared.service.clone();
        blocking(move || question(&service)).await?.map(Response::new)
    }

    /// Has the service do what somebody decides, on record, off the reactor.
    async fn decide<T: Send + 'static, R: Send + 'static>(
        &self,
        (by, decision): (By, Decision),
        work: impl FnOnce(&Service) -> Result<T, Status> + Send + 'static,
        said: impl FnOnce(&T, Decision) -> Decision + Send + 'static,
        answer: impl FnOnce(T) -> R + Send + 'static,
    ) -> Result<Response<R>, Status> {
        self.ask(move |service| by.carry_out(decision, || work(service), said).map(answer)).await
    }

    /// The same as [`Calls::ask`] when its turn comes, for what takes CPU time.
    async fn ask_in_turn<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Service) -> Result<T, Status> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        let turn = self.shared.predictions.clone().acquire_owned().await;
        self.ask(move |service| {
            let _turn = turn;
            question(service)
        })
        .await
    }
}

/// A stream of batches being scored.
struct Scoring {
    shared: Arc<Shared>,
    stop: Stop,
    requests: Streaming<v1::ScoreRequest>,
    /// Whether who sends them still may.
    standing: Standing,
    _place: OwnedSemaphorePermit,
}

impl Scoring {
    /// The answer to the next batch; None behind the last.
    async fn next(&mut self) -> Option<Result<v1::ScoreResponse, Status>> {
        let request = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Some(Err(stopping())),
            () = self.standing.ended() => return Some(Err(refusal::no_longer())),
            request = self.requests.message() => request,
        };
        match request {
            Ok(Some(request)) => Some(self.shared.score(request).await),
            Ok(None) => None,
            Err(status) => Some(Err(refusal::of_message(&status).unwrap_or(status))),
        }
    }
}

#[async_trait]
impl AnomalyService for Calls {
    async fn score(
        &self,
        request: Request<Streaming<v1::ScoreRequest>>,
    ) -> Result<Response<BoxStream<v1::ScoreResponse>>, Status> {
        let scoring = Scoring {
            shared: self.shared.clone(),
            stop: self.stop.clone(),
            standing: Standing::of(request.extensions()),
            requests: request.into_inner(),
            _place: self.shared.stream_place()?,
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
        let records = request.into_inner().log_records;
        self.shared.check_size(records.len(), self.shared.config.batch_records_max)?;
        let bytes_max = self.shared.list_bytes_max();
        let cancel = self.stop.child_token();
        let _ends_with_the_call = cancel.clone().drop_guard();
        self.ask_in_turn(move |service| answer::predict(service, &records, bytes_max, &cancel)).await
    }

    async fn train(
        &self,
        request: Request<Streaming<v1::TrainRequest>>,
    ) -> Result<Response<v1::TrainResponse>, Status> {
        let (shared, by) = (self.shared.clone(), By::of(request.extensions()));
        let turn = shared.training_turn()?;
        let mut requests = request.into_inner();
        let (mut records, mut bytes) = (Vec::new(), 0);
        loop {
            let message = tokio::select! {
                () = self.stop.cancelled() => return Err(stopping()),
                message = requests.message() => {
                    message.map_err(|status| refusal::of_message(&status).unwrap_or(status))?
                }
            };
            let Some(message) = message else { break };
            bytes += message.log_records.iter().map(|record| record.len()).sum::<usize>();
            records.extend(message.log_records);
            shared.check_size(records.len(), shared.config.train_records_max)?;
            if bytes > shared.config.train_bytes_max {
                return Err(Status::out_of_range(format!(
                    "log_records: more than {} bytes were given; a model is trained on at most that many",
                    shared.config.train_bytes_max
                )));
            }
        }
        // A call that is cancelled is dropped here, and the training ends.
        let cancel = self.stop.child_token();
        let _ends_with_the_call = cancel.clone().drop_guard();
        let decision = by.decides(Recorded::ModelTrained).with("events", records.len());
        let work = move |service: &Service| {
            let _turn = turn;
            answer::train(service, &records, &cancel)
        };
        let said = |trained: &v1::TrainResponse, decision: Decision| decision.about(&trained.model_version);
        self.decide((by, decision), work, said, |trained| trained).await
    }

    async fn get_model(&self, request: Request<v1::GetModelRequest>) -> Result<Response<v1::Model>, Status> {
        let request = request.into_inner();
        self.ask(move |service| models::get(service, &request.version)).await
    }

    async fn list_models(
        &self,
        _: Request<v1::ListModelsRequest>,
    ) -> Result<Response<v1::ListModelsResponse>, Status> {
        self.ask(|service| Ok(models::list(service))).await
    }

    async fn activate_model(
        &self,
        request: Request<v1::ActivateModelRequest>,
    ) -> Result<Response<v1::Model>, Status> {
        let by = By::of(request.extensions());
        let request = request.into_inner();
        let decision = by.decides(Recorded::ModelActivated).about(&request.version);
        let work = move |service: &Service| models::activate(service, &request.version);
        self.decide((by, decision), work, about_model, models::model).await
    }

    async fn roll_back_model(
        &self,
        request: Request<v1::RollBackModelRequest>,
    ) -> Result<Response<v1::Model>, Status> {
        let by = By::of(request.extensions());
        let decision = by.decides(Recorded::ModelRolledBack);
        self.decide((by, decision), models::roll_back, about_model, models::model).await
    }

    async fn compare_models(
        &self,
        request: Request<v1::CompareModelsRequest>,
    ) -> Result<Response<v1::CompareModelsResponse>, Status> {
        let request = request.into_inner();
        self.ask_in_turn(move |service| models::compare(service, &request)).await
    }

    async fn export_model(
        &self,
        request: Request<v1::ExportModelRequest>,
    ) -> Result<Response<v1::ExportModelResponse>, Status> {
        let (request, bytes_max) = (request.into_inner(), self.shared.config.message_bytes_max);
        self.ask(move |service| models::export(service, &request.version, bytes_max)).await
    }

    async fn import_model(
        &self,
        request: Request<v1::ImportModelRequest>,
    ) -> Result<Response<v1::Model>, Status> {
        let by = By::of(request.extensions());
        let request = request.into_inner();
        let decision = by.decides(Recorded::ModelImported);
        let work = move |service: &Service| models::import(service, &request.model);
        self.decide((by, decision), work, about_model, models::model).await
    }

    async fn get_rules(
        &self,
        _: Request<v1::GetRulesRequest>,
    ) -> Result<Response<v1::GetRulesResponse>, Status> {
        self.ask_in_turn(|service| Ok(models::rules(service))).await
    }

    async fn list_starters(
        &self,
        _: Request<v1::ListStartersRequest>,
    ) -> Result<Response<v1::ListStartersResponse>, Status> {
        self.ask(|service| Ok(starters::list(service))).await
    }

    async fn start_from(
        &self,
        request: Request<v1::StartFromRequest>,
    ) -> Result<Response<v1::Model>, Status> {
        let by = By::of(request.extensions());
        let turn = self.shared.training_turn()?;
        let request = request.into_inner();
        let decision = by.decides(Recorded::StarterTaken);
        let work = move |service: &Service| {
            let _turn = turn;
            starters::start(service, &request.starter)
        };
        self.decide((by, decision), work, about_model, models::model).await
    }

    async fn give_feedback(
        &self,
        request: Request<v1::GiveFeedbackRequest>,
    ) -> Result<Response<v1::Feedback>, Status> {
        let by = By::of(request.extensions());
        let request = request.into_inner();
        let decision = by.decides(Recorded::FeedbackGiven);
        let work = move |service: &Service| feedback::give(service, &request);
        self.decide((by, decision), work, about_feedback, feedback::feedback).await
    }

    async fn list_feedback(
        &self,
        request: Request<v1::ListFeedbackRequest>,
    ) -> Result<Response<v1::ListFeedbackResponse>, Status> {
        let (request, bytes_max) = (request.into_inner(), self.shared.list_bytes_max());
        self.ask(move |service| Ok(feedback::list(service, request.after_id, bytes_max))).await
    }

    async fn take_back_feedback(
        &self,
        request: Request<v1::TakeBackFeedbackRequest>,
    ) -> Result<Response<v1::Feedback>, Status> {
        let by = By::of(request.extensions());
        let id = request.into_inner().id;
        let decision = by.decides(Recorded::FeedbackWithdrawn).about(&id.to_string());
        let work = move |service: &Service| feedback::take_back(service, id);
        self.decide((by, decision), work, about_feedback, feedback::feedback).await
    }

    async fn list_templates(
        &self,
        request: Request<v1::ListTemplatesRequest>,
    ) -> Result<Response<v1::ListTemplatesResponse>, Status> {
        let (request, bytes_max) = (request.into_inner(), self.shared.list_bytes_max());
        self.ask(move |service| templates::list(service, &request, bytes_max)).await
    }

    async fn get_template(
        &self,
        request: Request<v1::GetTemplateRequest>,
    ) -> Result<Response<v1::TemplateDetails>, Status> {
        let request = request.into_inner();
        self.ask(move |service| templates::get(service, &request.id)).await
    }

    async fn name_template(
        &self,
        request: Request<v1::NameTemplateRequest>,
    ) -> Result<Response<v1::TemplateOperation>, Status> {
        let by = By::of(request.extensions());
        let request = request.into_inner();
        let decide =
            move |service: &Service| templates::decide(service, &by, &request.id, Action::Name(request.name));
        self.ask(decide).await
    }

    async fn pin_template(
        &self,
        request: Request<v1::PinTemplateRequest>,
    ) -> Result<Response<v1::TemplateOperation>, Status> {
        let by = By::of(request.extensions());
        let request = request.into_inner();
        self.ask(move |service| templates::decide(service, &by, &request.id, Action::Pin)).await
    }

    async fn split_template(
        &self,
        request: Request<v1::SplitTemplateRequest>,
    ) -> Result<Response<v1::TemplateOperation>, Status> {
        let by = By::of(request.extensions());
        let request = request.into_inner();
        self.ask(move |service| templates::split(service, &by, request)).await
    }

    async fn merge_templates(
        &self,
        request: Request<v1::MergeTemplatesRequest>,
    ) -> Result<Response<v1::TemplateOperation>, Status> {
        let by = By::of(request.extensions());
        let request = request.into_inner();
        self.ask(move |service| templates::merge(service, &by, &request.templates)).await
    }

    async fn list_template_operations(
        &self,
        request: Request<v1::ListTemplateOperationsRequest>,
    ) -> Result<Response<v1::ListTemplateOperationsResponse>, Status> {
        let (request, bytes_max) = (request.into_inner(), self.shared.list_bytes_max());
        self.ask(move |service| Ok(templates::operations(service, request.after_id, bytes_max))).await
    }

    async fn undo_template_operation(
        &self,
        request: Request<v1::UndoTemplateOperationRequest>,
    ) -> Result<Response<v1::TemplateOperation>, Status> {
        let by = By::of(request.extensions());
        let id = request.into_inner().id;
        let decision = undoes(&by, id);
        let work = move |service: &Service| templates::undo(service, id);
        self.decide((by, decision), work, about_operation, templates::operation).await
    }

    async fn list_strange_sessions(
        &self,
        request: Request<v1::ListStrangeSessionsRequest>,
    ) -> Result<Response<v1::ListStrangeSessionsResponse>, Status> {
        let (request, bytes_max) = (request.into_inner(), self.shared.list_bytes_max());
        self.ask(move |service| sessions::list(service, request, bytes_max)).await
    }
}
