//! The anomaly service over gRPC, asked through a real port with the generated client.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod feedback;
mod models;
mod recorded;
mod refusals;
mod sessions;
mod templates;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use api::{Access, AccessConfig, AnomalyGrpc, GrpcConfig, GrpcError, Trainings};
use bytes::Bytes;
use event::{Event, Timestamp};
use telemetry::task::{self, Stop};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Code, Request,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};
use wire::{
    record,
    v1::{self, VerdictState, anomaly_service_client::AnomalyServiceClient},
};

use refusals::{calls, scope_of};

const SOON: Duration = Duration::from_secs(20);

struct Server {
    addr: SocketAddr,
    service: Arc<anomaly::Service>,
    trainings: Trainings,
    grpc: AnomalyGrpc,
    stop: Stop,
    served: JoinHandle<Result<(), GrpcError>>,
    _dir: tempfile::TempDir,
}

impl Server {
    async fn start(keys: &[&str], config: GrpcConfig) -> Self {
        Self::start_with(keys, config, 50).await
    }

    /// With a first model from so many records on.
    async fn start_with(keys: &[&str], config: GrpcConfig, events_min: usize) -> Self {
        let api_keys = keys.iter().map(|key| (*key).to_owned()).collect();
        let access = Access::new(&AccessConfig { allowed_hosts: vec![], api_keys });
        Self::start_for(access, config, events_min).await
    }

    /// For who this knows.
    async fn start_for(access: Access, config: GrpcConfig, events_min: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let service = Arc::new(
            anomaly::Service::open(anomaly::Config {
                events_min,
                ..anomaly::Config::new(dir.path().join("models"))
            })
            .unwrap(),
        );
        let trainings = Trainings::default();
        let grpc = AnomalyGrpc::new(service.clone(), access, trainings.clone(), config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (addr, stop) = (listener.local_addr().unwrap(), Stop::new());
        let serving = (grpc.clone(), stop.clone());
        let served = task::spawn("grpc", async move { serving.0.serve(listener, serving.1).await });
        Self { addr, service, trainings, grpc, stop, served, _dir: dir }
    }

    async fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.addr)).unwrap().connect().await.unwrap()
    }

    async fn client(&self) -> AnomalyServiceClient<Channel> {
        AnomalyServiceClient::new(self.channel().await)
    }
}

fn encoded(event: &Event<'_>) -> Bytes {
    let mut out = Vec::new();
    record::encode(event, &mut out);
    out.into()
}

/// Records of an ordinary stream; one in fifty says something else.
fn records(places: std::ops::Range<u64>) -> Vec<Bytes> {
    let made = places.map(|place| {
        let message = match place % 50 {
            49 => format!("disk sda{place} is failing"),
            _ => format!("user {place} logged in from 192.0.2.{}", place % 250),
        };
        let mut event = Event::new(message, Timestamp::from_nanos(1_700_000_000_000_000_000).unwrap());
        event.timestamp = event.timestamp.saturating_add(place as i64 * 1_000_000_000);
        event.source = Some("sshd".into());
        encoded(&event)
    });
    made.collect()
}

/// Trains on ordinary records; gives the version of the model.
async fn train(client: &mut AnomalyServiceClient<Channel>, places: std::ops::Range<u64>) -> String {
    let part = v1::TrainRequest { log_records: records(places) };
    let trained = client.train(tokio_stream::iter([part])).await.unwrap().into_inner();
    assert_eq!(trained.state(), VerdictState::Scored, "{trained:?}");
    trained.model_version
}

fn batch(journal: u8, places: std::ops::Range<u64>) -> v1::ScoreRequest {
    v1::ScoreRequest {
        journal_id: vec![journal; 16].into(),
        positions: places.clone().collect(),
        log_records: records(places),
    }
}

#[tokio::test]
async fn batches_are_answered_in_order_and_repeated_ones_are_not_learned_twice() {
    let server = Server::start(&[], GrpcConfig::default()).await;
    let mut client = server.client().await;
    let stream = |batches: Vec<v1::ScoreRequest>| tokio_stream::iter(batches);
    let batches = vec![batch(1, 0..60), batch(1, 60..70), batch(1, 70..71), batch(1, 71..200)];
    let mut answers = client.score(stream(batches)).await.unwrap().into_inner();
    let mut first = vec![];
    for expected in [60, 10, 1, 129] {
        let answer = answers.message().await.unwrap().unwrap();
        assert_eq!((answer.verdicts.len(), answer.repeated_records), (expected, 0));
        first.extend(answer.verdicts);
    }
    assert_eq!(answers.message().await.unwrap(), None);
    assert_eq!(server.service.stats().scored, 200);
    assert!(first[..50].iter().all(|verdict| verdict.state() == VerdictState::WarmingUp));
    assert!(first[60..].iter().all(|verdict| verdict.state() == VerdictState::Scored));

    // The same again on a new connection, cut differently, and going on behind.
    let batches = vec![batch(1, 60..150), batch(1, 150..210)];
    let mut answers = server.client().await.score(stream(batches)).await.unwrap().into_inner();
    let mut again = vec![];
    for expected in [90, 50] {
        let answer = answers.message().await.unwrap().unwrap();
        assert_eq!(answer.repeated_records, expected);
        again.extend(answer.verdicts);
    }
    assert_eq!(again[..140], first[60..]);
    assert_eq!(server.service.stats().scored, 210);

    // Another journal, and a sender without one, are strangers to it.
    for (request, learned) in [
        (batch(2, 60..70), 220),
        (v1::ScoreRequest { log_records: records(0..5), ..Default::default() }, 225),
    ] {
        let answer = client.score_batch(request).await.unwrap().into_inner();
        assert_eq!(answer.repeated_records, 0);
        assert_eq!(server.service.stats().scored, learned);
    }
}

#[tokio::test]
async fn what_was_learned_is_known_after_a_restart_and_old_places_are_answered_without_learning() {
    let server = Server::start(&[], GrpcConfig { journals_max: 2, ..GrpcConfig::default() }).await;
    let mut client = server.client().await;
    client.score_batch(batch(1, 0..100)).await.unwrap();
    let snapshot = server.grpc.journals().snapshot();
    let fresh = Server::start(&[], GrpcConfig { journals_max: 2, ..GrpcConfig::default() }).await;
    for damaged in [&snapshot[..snapshot.len() - 1], b"something else", b""] {
        assert!(fresh.grpc.journals().restore(damaged).is_err());
    }
    let mut altered = snapshot.clone();
    altered[40] ^= 1;
    assert!(fresh.grpc.journals().restore(&altered).is_err());
    fresh.grpc.journals().restore(&snapshot).unwrap();
    let mut client = fresh.client().await;
    let answer = client.score_batch(batch(1, 90..110)).await.unwrap().into_inner();
    assert_eq!((answer.verdicts.len(), answer.repeated_records), (20, 10));
    assert_eq!(fresh.service.stats().scored, 10);
    // Two more journals, and the first is forgotten.
    client.score_batch(batch(2, 0..1)).await.unwrap();
    client.score_batch(batch(3, 0..1)).await.unwrap();
    let answer = client.score_batch(batch(1, 90..110)).await.unwrap().into_inner();
    assert_eq!(answer.repeated_records, 0);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_answered_by_itself() {
    let server = Server::start(&[], GrpcConfig::default()).await;
    let mut client = server.client().await;
    let mut request = batch(1, 0..4);
    request.log_records[1] = Bytes::from_static(&[4 << 3 | 2, 1, 0xff]);
    request.log_records[3] = Bytes::from_static(&[8, 0]);
    let answer = client.score_batch(request).await.unwrap().into_inner();
    let problems: Vec<&str> = answer.verdicts.iter().map(|verdict| verdict.problem.as_str()).collect();
    assert_eq!(problems, ["", "message is not UTF-8", "", "the log record is damaged at its field types"]);
    assert_eq!(answer.verdicts[1].state(), VerdictState::Unscored);
    assert_eq!(server.service.stats().scored, 2);
    let request = v1::PredictRequest { log_records: vec![Bytes::from_static(&[9]), records(0..1).remove(0)] };
    let answer = client.predict(request).await.unwrap().into_inner();
    assert_eq!(answer.predictions.len(), 2);
    assert_eq!(answer.needed, 48);
    assert!(answer.predictions[1].template.as_ref().unwrap().text.starts_with("user <int> logged in"));
    assert_eq!(server.service.stats().scored, 2, "prediction learns nothing");
}

#[tokio::test]
async fn requests_that_contradict_themselves_or_are_too_large_are_refused_in_words() {
    let config = GrpcConfig {
        batch_records_max: 10,
        message_bytes_max: 4096,
        streams_max: 1,
        ..GrpcConfig::default()
    };
    let server = Server::start(&[], config).await;
    let mut client = server.client().await;
    let falling = v1::ScoreRequest { positions: vec![1, 1], ..batch(1, 0..2) };
    let short = v1::ScoreRequest { journal_id: vec![1; 3].into(), ..batch(1, 0..2) };
    let fewer = v1::ScoreRequest { positions: vec![1], ..batch(1, 0..2) };
    let huge = v1::ScoreRequest { log_records: vec![vec![0; 5000].into()], ..Default::default() };
    for (request, code, words) in [
        (falling, Code::InvalidArgument, "positions: each must be greater"),
        (short, Code::InvalidArgument, "journal_id: 3 bytes"),
        (fewer, Code::InvalidArgument, "positions: 1 were given for 2"),
        (batch(1, 0..11), Code::OutOfRange, "at most 10"),
        (huge, Code::OutOfRange, "4096"),
    ] {
        let status = client.score_batch(request).await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(words), "{status}");
    }
    assert_eq!(server.service.stats().scored, 0);
    // One stream at a time here: the second is refused while the first is open.
    let (sender, requests) = mpsc::channel(1);
    let first = client.score(ReceiverStream::new(requests)).await.unwrap();
    let status = client.score(tokio_stream::iter([batch(1, 0..1)])).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    drop((sender, first));
}

#[tokio::test]
async fn keys_are_asked_for_where_there_are_any_and_health_answers_without() {
    let server = Server::start(&["alpha"], GrpcConfig::default()).await;
    let mut client = server.client().await;
    for (key, code) in [
        (None, Some(Code::Unauthenticated)),
        (Some("Bearer wrong"), Some(Code::Unauthenticated)),
        (Some("Basic alpha"), Some(Code::Unauthenticated)),
        (Some("Bearer alpha"), None),
    ] {
        let mut request = Request::new(v1::GetModelRequest::default());
        if let Some(key) = key {
            request.metadata_mut().insert("authorization", key.parse().unwrap());
        }
        let answer = client.get_model(request).await;
        assert_eq!(answer.as_ref().err().map(tonic::Status::code), code, "{key:?}");
        if let Err(status) = answer {
            assert!(status.message().to_lowercase().contains("key"), "{status}");
        }
    }
    // Every other call asks for one as well.
    macro_rules! refused {
        ($($call:ident: $request:ident),+ $(,)?) => {$(
            let status = client.$call(v1::$request::default()).await.unwrap_err();
            assert_eq!(status.code(), Code::Unauthenticated, "{}: {status}", stringify!($call));
        )+};
    }
    refused! {
        score_batch: ScoreRequest, predict: PredictRequest, list_models: ListModelsRequest,
        activate_model: ActivateModelRequest, roll_back_model: RollBackModelRequest,
        compare_models: CompareModelsRequest, export_model: ExportModelRequest,
        import_model: ImportModelRequest, get_rules: GetRulesRequest, list_starters: ListStartersRequest,
        start_from: StartFromRequest, give_feedback: GiveFeedbackRequest, list_feedback: ListFeedbackRequest,
        take_back_feedback: TakeBackFeedbackRequest, list_templates: ListTemplatesRequest,
        get_template: GetTemplateRequest, name_template: NameTemplateRequest,
        pin_template: PinTemplateRequest, split_template: SplitTemplateRequest,
        merge_templates: MergeTemplatesRequest, list_template_operations: ListTemplateOperationsRequest,
        undo_template_operation: UndoTemplateOperationRequest,
        list_strange_sessions: ListStrangeSessionsRequest,
    }
    let score = client.score(tokio_stream::iter([v1::ScoreRequest::default()])).await.unwrap_err();
    let train = client.train(tokio_stream::iter([v1::TrainRequest::default()])).await.unwrap_err();
    assert_eq!((score.code(), train.code()), (Code::Unauthenticated, Code::Unauthenticated));
    let mut health = tonic_health::pb::health_client::HealthClient::new(server.channel().await);
    let service = "log_sentinel.v1.AnomalyService".to_owned();
    let answer = health.check(tonic_health::pb::HealthCheckRequest { service }).await.unwrap().into_inner();
    assert_eq!(answer.status(), tonic_health::pb::health_check_response::ServingStatus::Serving);
}

#[tokio::test]
async fn training_and_models() {
    let server = Server::start(&[], GrpcConfig::default()).await;
    let mut client = server.client().await;
    let empty = client.train(tokio_stream::iter([v1::TrainRequest::default()])).await.unwrap_err();
    assert_eq!(empty.code(), Code::InvalidArgument, "{empty}");
    let broken = v1::TrainRequest { log_records: vec![Bytes::from_static(&[9])] };
    let part = |places| v1::TrainRequest { log_records: records(places) };
    let parts = [part(0..100), broken, part(100..300)];
    let trained = client.train(tokio_stream::iter(parts)).await.unwrap().into_inner();
    assert_eq!((trained.events, trained.refused_records), (300, 1));
    assert!(trained.first_problem.starts_with("record 101: "), "{}", trained.first_problem);
    assert_eq!(trained.state(), VerdictState::Scored);
    client.train(tokio_stream::iter([part(0..400)])).await.unwrap();
    let models = client.list_models(v1::ListModelsRequest {}).await.unwrap().into_inner().models;
    assert_eq!(models.len(), 2);
    assert_eq!((models[0].version.as_str(), models[0].active), (trained.model_version.as_str(), false));
    let activate = |version: &str| v1::ActivateModelRequest { version: version.to_owned() };
    assert!(client.activate_model(activate(&trained.model_version)).await.unwrap().into_inner().active);
    let serving = client.get_model(v1::GetModelRequest::default()).await.unwrap().into_inner();
    assert_eq!(serving.version, trained.model_version);
    assert_eq!(client.activate_model(activate("none")).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_stop_ends_open_streams_and_the_server() {
    let server = Server::start(&[], GrpcConfig::default()).await;
    let (sender, requests) = mpsc::channel(4);
    let mut answers = server.client().await.score(ReceiverStream::new(requests)).await.unwrap().into_inner();
    sender.send(batch(1, 0..10)).await.unwrap();
    assert_eq!(answers.message().await.unwrap().unwrap().verdicts.len(), 10);
    server.stop.cancel();
    let status = timeout(SOON, answers.message()).await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    timeout(SOON, server.served).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn certificates() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (cert_file, key_file) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    let files = tls::Files { cert_file, key_file, clients: None };
    std::fs::write(&files.cert_file, made.cert.pem()).unwrap();
    std::fs::write(&files.key_file, made.signing_key.serialize_pem()).unwrap();
    let server = Server::start(
        &[],
        GrpcConfig { tls: Some(tls::Identity::open(files).unwrap()), ..GrpcConfig::default() },
    )
    .await;
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(made.cert.pem()))
        .domain_name("localhost");
    let endpoint = Endpoint::from_shared(format!("https://localhost:{}", server.addr.port())).unwrap();
    let channel = endpoint.clone().tls_config(tls).unwrap().connect().await.unwrap();
    let answer = AnomalyServiceClient::new(channel).score_batch(batch(1, 0..3)).await.unwrap().into_inner();
    assert_eq!(answer.verdicts.len(), 3);
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(other.cert.pem()));
    assert!(endpoint.tls_config(tls).unwrap().connect().await.is_err(), "a certificate of somebody else");
}

#[tokio::test]
async fn a_web_page_of_others_may_not_call() {
    let server = Server::start(&[], GrpcConfig::default()).await;
    let mut client = server.client().await;
    for (name, value) in
        [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
    {
        let mut request = Request::new(v1::GetModelRequest::default());
        request.metadata_mut().insert(name, value.parse().unwrap());
        assert_eq!(
            client.get_model(request).await.unwrap_err().code(),
            Code::PermissionDenied,
            "{name}: {value}"
        );
    }
    assert!(client.get_model(v1::GetModelRequest::default()).await.is_ok());
}

#[tokio::test]
async fn messages_are_held_within_one_budget() {
    let config = GrpcConfig { in_flight_bytes_max: 100_000, ..GrpcConfig::default() };
    let server = Server::start(&[], config).await;
    let mut client = server.client().await;
    let import = |bytes: usize| v1::ImportModelRequest { model: vec![0; bytes].into() };
    assert_eq!(client.import_model(import(300_000)).await.unwrap_err().code(), Code::ResourceExhausted);
    assert_ne!(client.import_model(import(60_000)).await.unwrap_err().code(), Code::ResourceExhausted);
    assert_ne!(
        client.import_model(import(60_000)).await.unwrap_err().code(),
        Code::ResourceExhausted,
        "given back"
    );
}
