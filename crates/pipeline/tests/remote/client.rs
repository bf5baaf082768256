//! `Remote`, the client.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use api::GrpcConfig;
use event::{Event, EventId};
use pipeline::remote::{BreakerConfig, Config, ConfigError, Remote};
use telemetry::task;
use tokio::net::TcpListener;
use tokio_stream::StreamExt;
use tonic::{Request, Response, Status, Streaming, async_trait, codegen::BoxStream, transport::Server};
use wire::v1::{
    self,
    anomaly_service_server::{AnomalyService, AnomalyServiceServer},
};

use crate::service::{Manner, Service, config, events, eventually, expected, misbehaving, same};

const LOCAL: &str = "127.0.0.1:0";

/// Why events are not scored.
async fn refusal(remote: &Remote) -> String {
    remote.score(&events(0..3)).await.unwrap_err().reason
}

#[tokio::test]
async fn verdicts_are_those_of_a_service_in_the_process_and_come_in_order() {
    let service = Service::start().await;
    let (all, expected) = (events(0..3000), expected(0..3000));
    let remote = Remote::new(Config { batch_events_max: 64, ..config(service.addr) }).unwrap();
    let mut verdicts = remote.score(&all[..1000]).await.unwrap();
    assert_eq!(remote.score(&[]).await, Ok(vec![]));
    verdicts.extend(remote.score(&all[1000..]).await.unwrap());
    same(&verdicts, &expected);
    assert!(verdicts.iter().any(|verdict| verdict.score > 0.1), "there is something to be in order");
    // The same once more, through a new client and cut differently: nothing is learned twice.
    let again = Remote::new(config(service.addr)).unwrap().score(&all[500..]).await.unwrap();
    same(&again, &expected[500..]);
    assert_eq!(service.anomaly.stats().scored, 3000);
}

#[tokio::test]
async fn batches_are_made_small_enough_for_the_service() {
    let limits = GrpcConfig { batch_records_max: 10, message_bytes_max: 100 << 10, ..GrpcConfig::default() };
    let service = Service::with(LOCAL.parse().unwrap(), &[], limits).await;
    let remote = Remote::new(config(service.addr)).unwrap();
    same(&remote.score(&events(0..700)).await.unwrap(), &expected(0..700));
    // One event that is larger than any message.
    let mut large = events(700..703);
    large[1].1.message = "x".repeat(5 << 20).into();
    assert_eq!(remote.score(&large).await.unwrap().len(), 3);
    assert_eq!(service.anomaly.stats().scored, 703);
}

#[tokio::test]
async fn keys() {
    let service = Service::with(LOCAL.parse().unwrap(), &["alpha", "beta"], GrpcConfig::default()).await;
    for (key, accepted) in [(None, false), (Some("gamma"), false), (Some("beta"), true)] {
        let remote = Remote::new(Config { api_key: key.map(str::to_owned), ..config(service.addr) }).unwrap();
        let answer = remote.score(&events(0..3)).await;
        assert_eq!(answer.is_ok(), accepted, "{key:?}");
        if let Err(away) = answer {
            assert!(away.reason.contains("refuses the key") && away.reason.contains("API_KEYS"), "{away}");
            assert!(!away.reason.contains("gamma"), "{away}");
        }
        assert!(!format!("{remote:?}").contains("beta"));
    }
}

#[tokio::test]
async fn certificates() {
    let dir = tempfile::tempdir().unwrap();
    let made = |name: &str| {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (cert, key) = (dir.path().join(format!("{name}.pem")), dir.path().join(format!("{name}.key")));
        std::fs::write(&cert, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        tls::Files { cert_file: cert, key_file: key, clients: None }
    };
    let (own, other) = (made("own"), made("other"));
    let tls = GrpcConfig { tls: Some(tls::Identity::open(own.clone()).unwrap()), ..GrpcConfig::default() };
    let service = Service::with(LOCAL.parse().unwrap(), &[], tls).await;
    let port = service.addr.port();
    let remote = |url: String, ca_file| Remote::new(Config { url, ca_file, ..config(service.addr) }).unwrap();
    let good = remote(format!("https://localhost:{port}"), Some(own.cert_file.clone()));
    assert_eq!(good.score(&events(0..3)).await.unwrap().len(), 3);
    for (url, ca_file, words) in [
        (format!("https://localhost:{port}"), Some(other.cert_file), "LOG_SENTINEL_ANOMALY_CA_FILE"),
        (format!("https://localhost:{port}"), None, "LOG_SENTINEL_ANOMALY_CA_FILE"),
        (format!("https://127.0.0.1:{port}"), Some(own.cert_file), "LOG_SENTINEL_ANOMALY_CA_FILE"),
        (format!("http://localhost:{port}"), None, "LOG_SENTINEL_ANOMALY_URL"),
    ] {
        let reason = refusal(&remote(url.clone(), ca_file)).await;
        assert!(reason.contains(words), "{url}: {reason}");
    }
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_named() {
    let new = |config| Remote::new(config).unwrap_err();
    for url in ["", "localhost:50051", "ftp://host:1", "http://", "http:// host"] {
        let error = new(Config::new(url));
        assert!(matches!(error, ConfigError::Url { .. }), "{url}: {error}");
        assert!(error.to_string().contains("LOG_SENTINEL_ANOMALY_URL"), "{error}");
    }
    let error = new(Config { api_key: Some("a\nb".to_owned()), ..Config::new("http://host:1") });
    assert!(error.to_string().contains("API_KEYS"), "{error}");
    let ca_file = Some("/does/not/exist.pem".into());
    let error = new(Config { ca_file, ..Config::new("https://host:1") });
    assert!(error.to_string().contains("/does/not/exist.pem"), "{error}");
}

#[tokio::test]
async fn a_peer_that_is_no_anomaly_service_is_told_apart() {
    for (manner, words) in [
        (Manner::SpeaksHttp1, "LOG_SENTINEL_ANOMALY_URL"),
        (Manner::SpeaksNonsense, "LOG_SENTINEL_ANOMALY_URL"),
        (Manner::Closes, "LOG_SENTINEL_ANOMALY_URL"),
        (Manner::Hangs, "did not answer within 100ms"),
    ] {
        let (addr, _) = misbehaving(manner).await;
        let deadline =
            if matches!(manner, Manner::Hangs) { Duration::from_millis(100) } else { config(addr).deadline };
        let remote = Remote::new(Config { deadline, ..config(addr) }).unwrap();
        let reason = refusal(&remote).await;
        assert!(reason.contains(words), "{manner:?}: {reason}");
    }
    // Nobody there at all.
    let addr = TcpListener::bind(LOCAL).await.unwrap().local_addr().unwrap();
    let reason = refusal(&Remote::new(config(addr)).unwrap()).await;
    assert!(reason.contains("cannot connect") && reason.contains("LOG_SENTINEL_ANOMALY_URL"), "{reason}");
}

#[tokio::test]
async fn an_open_breaker_costs_no_connection_and_no_deadline() {
    let (addr, connections) = misbehaving(Manner::Hangs).await;
    let forever = Duration::from_secs(1 << 30);
    let breaker = BreakerConfig { failures_max: 2, pause_min: forever, pause_max: forever };
    let deadline = Duration::from_millis(50);
    let remote = Remote::new(Config { deadline, breaker, ..config(addr) }).unwrap();
    for _ in 0..2 {
        assert_eq!(remote.pause(), Duration::ZERO);
        refusal(&remote).await;
    }
    assert!(remote.pause() > Duration::ZERO);
    let (before, many) = (Instant::now(), 10_000);
    for _ in 0..many {
        assert!(refusal(&remote).await.contains("did not answer"), "it says why it was opened");
    }
    // 10,000 deadlines would take 500 s.
    assert!(before.elapsed() < many * deadline / 10, "{:?}", before.elapsed());
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_service_that_restarts_is_found_again() {
    let service = Service::start().await;
    let addr = service.addr;
    let remote = Remote::new(config(addr)).unwrap();
    let all = expected(0..600);
    same(&remote.score(&events(0..300)).await.unwrap(), &all[..300]);
    let snapshot = service.grpc.journals().snapshot();
    service.stop().await;
    for _ in 0..5 {
        // Until the breaker is open, and while it is.
        let reason = refusal(&remote).await;
        assert!(reason.contains("cannot connect"), "{reason}");
    }
    let service = Service::with(addr, &[], GrpcConfig::default()).await;
    service.grpc.journals().restore(&snapshot).unwrap();
    let next = events(300..600);
    let mut found = None;
    eventually("the service is found again", async || {
        found = remote.score(&next).await.ok();
        found.is_some()
    })
    .await;
    same(&found.unwrap(), &all[300..]);
    assert_eq!(remote.pause(), Duration::ZERO);
    assert_eq!(service.anomaly.stats().scored, 300);

    // Restarted between two batches: the old connection is broken, and a new one mends it unnoticed.
    let snapshot = service.grpc.journals().snapshot();
    service.stop().await;
    let service = Service::with(addr, &[], GrpcConfig::default()).await;
    service.grpc.journals().restore(&snapshot).unwrap();
    assert_eq!(remote.score(&events(600..700)).await.unwrap().len(), 100);
}

/// A service that answers as it is told.
#[derive(Clone, Copy)]
enum Fake {
    /// Answers so many batches, then no more.
    Stalls(usize),
    /// Ends the stream after so many.
    Ends(usize),
    /// One verdict too few.
    Short,
    /// An error of its own.
    Fails,
}

#[async_trait]
impl AnomalyService for Fake {
    async fn score(
        &self,
        request: Request<Streaming<v1::ScoreRequest>>,
    ) -> Result<Response<BoxStream<v1::ScoreResponse>>, Status> {
        let fake = *self;
        let answer = move |request: Result<v1::ScoreRequest, Status>| {
            let verdicts = vec![v1::Verdict::default(); request?.log_records.len()];
            match fake {
                Self::Fails => Err(Status::internal("as the test wants")),
                Self::Short => {
                    Ok(v1::ScoreResponse { verdicts: verdicts[1..].to_vec(), ..Default::default() })
                }
                _ => Ok(v1::ScoreResponse { verdicts, ..Default::default() }),
            }
        };
        let answers = request.into_inner().map(answer);
        Ok(Response::new(match fake {
            Self::Stalls(after) => Box::pin(answers.take(after).chain(tokio_stream::pending())),
            Self::Ends(after) => Box::pin(answers.take(after)),
            _ => Box::pin(answers),
        }))
    }
}

async fn check_fake(fake: Fake, deadline: Duration, events: &[(EventId, Event<'_>)], words: &str) {
    let listener = TcpListener::bind(LOCAL).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    let server = Server::builder().add_service(AnomalyServiceServer::new(fake));
    let served = task::spawn("fake", async move { server.serve_with_incoming(incoming).await });
    let remote = Remote::new(Config { deadline, batch_events_max: 10, ..config(addr) }).unwrap();
    let reason = remote.score(events).await.unwrap_err().reason;
    assert!(reason.contains(words), "{reason}");
    served.abort();
}

#[tokio::test]
async fn a_service_that_fails_in_the_middle_is_away() {
    let (events, long) = (events(0..100), Duration::from_secs(20));
    let short = Duration::from_millis(100);
    for (fake, deadline, words) in [
        (Fake::Stalls(0), short, "did not answer within 100ms"),
        (Fake::Stalls(3), short, "did not answer within 100ms"),
        (Fake::Ends(0), long, "ended the stream"),
        (Fake::Ends(5), long, "ended the stream"),
        (Fake::Short, long, "10 records with 9 verdicts"),
        (Fake::Fails, long, "as the test wants"),
    ] {
        check_fake(fake, deadline, &events, words).await;
    }
}
