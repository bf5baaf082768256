//! What other clients meet: reflection, requests that are none, attributes that no event has, answers that have no
//! room, trainings at the same time.

use access::{Keys, KeysConfig, NewKey, Scope};
use tonic::codegen::http::uri::PathAndQuery;
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};
use v1::attribute::Value::{JsonValue, StringValue};

use super::*;

/// A record of one attribute.
fn with(key: &str, value: v1::attribute::Value) -> Bytes {
    let attribute = v1::Attribute { key: key.to_owned(), value: Some(value) };
    let record = v1::LogRecord { attributes: vec![attribute], ..v1::LogRecord::default() };
    prost::Message::encode_to_vec(&record).into()
}

#[tokio::test]
async fn the_service_describes_itself_to_whoever_has_a_key() {
    let server = Server::start(&["alpha"], GrpcConfig::default()).await;
    let mut client = ServerReflectionClient::new(server.channel().await);
    let ask = |question: MessageRequest, key: Option<&str>| {
        let question = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
        let mut request = Request::new(tokio_stream::iter([question]));
        if let Some(key) = key {
            request.metadata_mut().insert("authorization", key.parse().unwrap());
        }
        request
    };
    let list = || MessageRequest::ListServices(String::new());
    let refused = client.server_reflection_info(ask(list(), None)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated, "{refused}");

    let mut answers =
        client.server_reflection_info(ask(list(), Some("Bearer alpha"))).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(listed) = answer else { panic!("{answer:?}") };
    let names: Vec<&str> = listed.service.iter().map(|service| service.name.as_str()).collect();
    for name in ["log_sentinel.v1.AnomalyService", "grpc.health.v1.Health"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }

    let symbol = MessageRequest::FileContainingSymbol("log_sentinel.v1.AnomalyService.Predict".to_owned());
    let mut answers =
        client.server_reflection_info(ask(symbol, Some("Bearer alpha"))).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::FileDescriptorResponse(files) = answer else { panic!("{answer:?}") };
    let file = String::from_utf8_lossy(&files.file_descriptor_proto[0]).into_owned();
    // A record is described as the message that it is, not as the bytes that it is generated as.
    assert!(file.contains(".log_sentinel.v1.LogRecord") && file.contains("PredictRequest"), "{file}");
}

#[tokio::test]
async fn a_message_that_is_none_or_too_large_is_refused_in_our_words() {
    let config = GrpcConfig { message_bytes_max: 4096, ..GrpcConfig::default() };
    let server = Server::start(&[], config).await;
    let mut raw = tonic::client::Grpc::new(server.channel().await);
    raw.ready().await.unwrap();
    // Where positions are expected, eight bytes each, it has a text of three.
    let other = v1::NameTemplateRequest { id: String::new(), name: "abc".to_owned() };
    let codec = tonic_prost::ProstCodec::<v1::NameTemplateRequest, v1::ScoreResponse>::default();
    let path = PathAndQuery::from_static("/log_sentinel.v1.AnomalyService/ScoreBatch");
    let status = raw.unary(Request::new(other), path, codec).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    assert!(status.message().starts_with("the message is none that this call takes: "), "{status}");

    let mut client = server.client().await;
    let huge = || vec![Bytes::from(vec![0; 5000])];
    let score = v1::ScoreRequest { log_records: huge(), ..v1::ScoreRequest::default() };
    let unary = client.score_batch(score.clone()).await.unwrap_err();
    let train = v1::TrainRequest { log_records: huge() };
    let trained = client.train(tokio_stream::iter([train])).await.unwrap_err();
    let mut answers = client.score(tokio_stream::iter([score])).await.unwrap().into_inner();
    let streamed = answers.message().await.unwrap_err();
    for status in [unary, trained, streamed] {
        assert_eq!(status.code(), Code::OutOfRange, "{status}");
        assert!(status.message().ends_with("one has at most 4096, so send less at once"), "{status}");
    }
}

#[tokio::test]
async fn attributes_that_no_event_has_are_refused_with_their_record() {
    let server = Server::start(&[], GrpcConfig::default()).await;
    let mut client = server.client().await;
    let text = |text: &str| StringValue(text.to_owned());
    let log_records = vec![
        with("labels.tags", JsonValue("[1,".to_owned())),
        with("", text("x")),
        with("source.ip", text("localhost")),
        with("labels.ip", text("localhost")),
    ];
    let request = v1::ScoreRequest { log_records: log_records.clone(), ..v1::ScoreRequest::default() };
    let answer = client.score_batch(request).await.unwrap().into_inner();
    let problems: Vec<&str> = answer.verdicts.iter().map(|verdict| verdict.problem.as_str()).collect();
    let expected = [
        "attributes: the json_value of 'labels.tags' is no JSON; give plain text as string_value",
        "attributes: one has no key; give each the dotted name of its field",
        "attributes: 'source.ip' holds no IP address; put other text below labels, such as 'labels.source.ip'",
        "",
    ];
    assert_eq!(problems, expected);
    assert_eq!(server.service.stats().scored, 1, "what is refused is not learned");
    let answer = client.predict(v1::PredictRequest { log_records }).await.unwrap().into_inner();
    let verdicts = answer.predictions.into_iter().filter_map(|prediction| prediction.verdict);
    assert_eq!(verdicts.map(|verdict| verdict.problem).collect::<Vec<_>>(), expected);
    let event = with("source.ip", text("localhost"));
    let request = v1::GiveFeedbackRequest { event, label: v1::Label::Bad.into(), note: String::new() };
    let refused = client.give_feedback(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    assert!(refused.message().starts_with("event: attributes: 'source.ip'"), "{refused}");
}

#[tokio::test]
async fn predictions_that_have_no_room_in_an_answer_say_how_many_have() {
    let config = GrpcConfig { message_bytes_max: 16_384, ..GrpcConfig::default() };
    let server = Server::start(&[], config).await;
    let mut client = server.client().await;
    train(&mut client, 0..60).await;
    let ask = |count: usize| v1::PredictRequest { log_records: records(0..count as u64) };
    let status = client.predict(ask(200)).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status}");
    let fitting: usize = status
        .message()
        .split("the first ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next()?.parse().ok())
        .unwrap();
    assert!((1..200).contains(&fitting), "{status}");
    let answer = client.predict(ask(fitting)).await.unwrap().into_inner();
    assert_eq!(answer.predictions.len(), fitting);
    let none = client.predict(ask(0)).await.unwrap_err();
    assert_eq!((none.code(), none.message()), (Code::InvalidArgument, "log_records: none was given"));
}

#[tokio::test]
async fn one_training_runs_at_a_time_whichever_way_it_was_asked_for() {
    let server = Server::start(&[], GrpcConfig::default()).await;
    let mut client = server.client().await;
    // It trains once its stream has ended, and has its turn from the first message on.
    let (sender, requests) = mpsc::channel(1);
    let mut first = client.clone();
    let first = task::spawn("training", async move { first.train(ReceiverStream::new(requests)).await });
    sender.send(v1::TrainRequest { log_records: records(0..300) }).await.unwrap();
    let began = async {
        while server.trainings.is_free() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, began).await.unwrap();
    let refused = client.train(tokio_stream::iter([v1::TrainRequest::default()])).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    let refused = client.start_from(v1::StartFromRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    drop(sender);
    assert_eq!(first.await.unwrap().unwrap().into_inner().events, 300);
    assert!(server.trainings.is_free());
}

/// What a call is for, by its name.
pub(crate) fn scope_of(call: &str) -> Scope {
    let reads = ["Get", "List", "Compare", "Export", "Predict"];
    match call {
        "Score" | "ScoreBatch" => Scope::Ingest,
        _ if reads.iter().any(|begin| call.starts_with(begin)) => Scope::Read,
        _ => Scope::Admin,
    }
}

/// The calls of the service.
pub(crate) fn calls() -> Vec<&'static str> {
    let proto = include_str!("../../../../proto/log_sentinel/v1/anomaly.proto");
    let calls: Vec<_> =
        proto.lines().filter_map(|line| Some(line.trim().strip_prefix("rpc ")?.split_once('(')?.0)).collect();
    assert!(calls.len() > 20, "{calls:?}");
    calls
}

#[tokio::test]
async fn a_stream_ends_when_its_key_is_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Keys::open(KeysConfig { path: dir.path().join("keys"), max: 10 }).unwrap();
    let now = event::Timestamp::from_jiff(jiff::Timestamp::now()).unwrap();
    let new = NewKey { scopes: [Scope::Ingest].into_iter().collect(), ..NewKey::default() };
    let (key, secret) = keys.create(&new, now).unwrap();
    let who = Arc::new(access::Access::new(&access::Config::default(), Some(keys)));
    let server = Server::start_for(Access::over(&[], Arc::clone(&who)), GrpcConfig::default(), 50).await;
    let (sender, batches) = mpsc::channel(1);
    let mut request = Request::new(ReceiverStream::new(batches));
    let bearer = format!("Bearer {}", secret.reveal()).parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    let mut client = server.client().await;
    sender.send(batch(1, 0..3)).await.unwrap();
    let mut answers = client.score(request).await.unwrap().into_inner();
    assert_eq!(answers.message().await.unwrap().unwrap().verdicts.len(), 3);
    who.keys().unwrap().revoke(&key.id, now).unwrap();
    let ended = timeout(SOON, answers.message()).await.unwrap().unwrap_err();
    assert_eq!(ended.code(), Code::Unauthenticated, "{ended}");
}

#[tokio::test]
async fn every_call_is_for_who_has_its_scope() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Keys::open(KeysConfig { path: dir.path().join("keys"), max: 10 }).unwrap();
    let now = event::Timestamp::from_jiff(jiff::Timestamp::now()).unwrap();
    let mut askers = vec![("nobody", None, None, true), ("wrong", Some("ls_wrong".to_owned()), None, true)];
    for scope in Scope::ALL {
        let new = NewKey { scopes: [scope].into_iter().collect(), ..NewKey::default() };
        askers.push((
            scope.as_str(),
            Some(keys.create(&new, now).unwrap().1.reveal().to_owned()),
            Some(scope),
            true,
        ));
        let organization = Some("ACME".to_owned());
        if scope != Scope::Admin {
            let of_one = keys.create(&NewKey { organization, ..new }, now).unwrap().1;
            askers.push(("of one organization", Some(of_one.reveal().to_owned()), Some(scope), false));
        }
    }
    let all = NewKey { scopes: Scope::ALL.into_iter().collect(), ..NewKey::default() };
    let (gone, revoked) = keys.create(&all, now).unwrap();
    keys.revoke(&gone.id, now).unwrap();
    let yesterday = now.saturating_sub(Duration::from_secs(86_400));
    let expires = Some(now.saturating_sub(Duration::from_secs(3_600)));
    let expired = keys.create(&NewKey { expires, ..all }, yesterday).unwrap().1;
    askers.push(("revoked", Some(revoked.reveal().to_owned()), None, true));
    askers.push(("expired", Some(expired.reveal().to_owned()), None, true));
    let config = access::Config { wrong_keys_max: 10_000, ..access::Config::default() };
    let who = Arc::new(access::Access::new(&config, Some(keys)));
    let server = Server::start_for(Access::over(&[], who), GrpcConfig::default(), 50).await;
    for call in calls() {
        for (name, key, scope, whole) in &askers {
            let mut request = Request::new(());
            if let Some(key) = key {
                request.metadata_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
            }
            let mut client = tonic::client::Grpc::new(server.channel().await);
            client.ready().await.unwrap();
            let path = format!("/log_sentinel.v1.AnomalyService/{call}").parse::<PathAndQuery>().unwrap();
            let answer = client.unary(request, path, tonic_prost::ProstCodec::<(), ()>::default()).await;
            let refused = answer
                .err()
                .filter(|status| matches!(status.code(), Code::Unauthenticated | Code::PermissionDenied));
            let expected = match scope {
                None => Some(Code::Unauthenticated),
                Some(scope) if *scope == scope_of(call) && *whole => None,
                Some(_) => Some(Code::PermissionDenied),
            };
            assert_eq!(refused.as_ref().map(tonic::Status::code), expected, "{call} by {name}: {refused:?}");
            if let Some(status) = refused.filter(|status| status.code() == Code::PermissionDenied) {
                let named = format!("'{}'", scope_of(call));
                assert!(
                    status.message().contains(&named) || status.message().contains("one organization"),
                    "{status}"
                );
            }
        }
    }
}
