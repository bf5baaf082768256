//! Services to ask: the real one, and one that misbehaves as told.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use api::{Access, AccessConfig, AnomalyGrpc, GrpcConfig};
use event::{Event, EventId, JournalId, Position, Severity, Timestamp, Verdict};
use pipeline::remote::{BreakerConfig, Config};
use telemetry::task::{self, Stop};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

pub(crate) const SOON: Duration = Duration::from_secs(30);

/// Waits for a state.
pub(crate) async fn eventually(what: &str, mut reached: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !reached().await {
            sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(SOON, wait).await.is_ok(), "not reached: {what}");
}

/// The real service.
pub(crate) struct Service {
    pub(crate) addr: SocketAddr,
    pub(crate) anomaly: Arc<anomaly::Service>,
    pub(crate) grpc: AnomalyGrpc,
    pub(crate) stop: Stop,
    served: JoinHandle<()>,
    _dir: tempfile::TempDir,
}

/// A service in the process, trained, so that no verdict depends on when it would have trained by itself.
pub(crate) fn in_process() -> (Arc<anomaly::Service>, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let config = anomaly::Config { events_min: 100, ..anomaly::Config::new(dir.path().join("models")) };
    let service = anomaly::Service::open(config).unwrap();
    let known: Vec<Event<'_>> = (0..300).map(|number| event(1_000_000 + number)).collect();
    service.train(&known).unwrap();
    (Arc::new(service), dir)
}

impl Service {
    pub(crate) async fn start() -> Self {
        Self::with("127.0.0.1:0".parse().unwrap(), &[], GrpcConfig::default()).await
    }

    pub(crate) async fn with(addr: SocketAddr, keys: &[&str], config: GrpcConfig) -> Self {
        let (anomaly, dir) = in_process();
        let api_keys = keys.iter().map(|key| (*key).to_owned()).collect();
        let access = Access::new(&AccessConfig { allowed_hosts: vec![], api_keys });
        let grpc = AnomalyGrpc::new(anomaly.clone(), access, api::Trainings::default(), config);
        let listener = TcpListener::bind(addr).await.unwrap();
        let (addr, stop) = (listener.local_addr().unwrap(), Stop::new());
        let serving = (grpc.clone(), stop.clone());
        let served = task::spawn("grpc", async move { serving.0.serve(listener, serving.1).await.unwrap() });
        Self { addr, anomaly, grpc, stop, served, _dir: dir }
    }

    /// Stops as an operator does.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        timeout(SOON, self.served).await.unwrap().unwrap();
    }
}

/// Short times, so that tests are.
pub(crate) fn config(addr: SocketAddr) -> Config {
    Config {
        deadline: Duration::from_secs(10),
        breaker: BreakerConfig {
            failures_max: 3,
            pause_min: Duration::from_millis(1),
            pause_max: Duration::from_millis(20),
        },
        ..Config::new(format!("http://{addr}"))
    }
}

/// How a peer misbehaves at every connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Manner {
    /// Reads, never answers.
    Hangs,
    /// Answers HTTP/1.1.
    SpeaksHttp1,
    /// Answers bytes of no protocol.
    SpeaksNonsense,
    /// Closes at once.
    Closes,
}

/// A listener that misbehaves; counts its connections.
pub(crate) async fn misbehaving(manner: Manner) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (addr, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counter = count.clone();
    // Ends with the test's runtime.
    drop(task::spawn("misbehaving", async move {
        let mut open = vec![];
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            let answer: &[u8] = match manner {
                Manner::Hangs => b"",
                Manner::SpeaksHttp1 => b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
                Manner::SpeaksNonsense => &[0x5a; 64],
                Manner::Closes => continue,
            };
            drop(stream.write_all(answer).await);
            open.push(task::spawn("peer", async move {
                while stream.read(&mut [0; 4096]).await.is_ok_and(|n| n > 0) {}
            }));
        }
    }));
    (addr, count)
}

/// An ordinary stream; one in fifty says something else.
pub(crate) fn event(number: u64) -> Event<'static> {
    let message = match number % 50 {
        49 => format!("disk sda{number} is failing"),
        _ => format!("user {number} logged in from 192.0.2.{}", number % 250),
    };
    let start = Timestamp::from_nanos(1_700_000_000_000_000_000).unwrap();
    let mut event = Event::new(message, start.saturating_add(number as i64 * 1_000_000_000));
    event.severity = if number % 50 == 49 { Severity::Error } else { Severity::Info };
    event.source = Some("sshd".into());
    event.host = Some(format!("host-{}", number % 7).into());
    event
}

pub(crate) fn events(numbers: std::ops::Range<u64>) -> Vec<(EventId, Event<'static>)> {
    let id =
        |number| EventId { journal: JournalId(9), position: Position { segment: 1, record: number as u32 } };
    numbers.map(|number| (id(number), event(number))).collect()
}

/// What a service in the process says of the same events.
pub(crate) fn expected(numbers: std::ops::Range<u64>) -> Vec<Verdict> {
    let (service, _dir) = in_process();
    let batch = service.analyze(events(numbers), Position::default());
    batch.events.into_iter().map(|analyzed| analyzed.verdict).collect()
}

/// Compares verdicts and names the first that differs.
#[track_caller]
pub(crate) fn same(found: &[Verdict], expected: &[Verdict]) {
    assert_eq!(found.len(), expected.len());
    let differs = found.iter().zip(expected).position(|(found, expected)| found != expected);
    assert_eq!(differs, None, "{:?} was expected", differs.map(|at| (&found[at], &expected[at])));
}

/// Stands between collector and service, and passes nothing on while it is told so: what a service looks like
/// that was stopped by a signal, or a network that swallows everything.
pub(crate) struct Wire {
    pub(crate) addr: SocketAddr,
    held: watch::Sender<bool>,
}

impl Wire {
    pub(crate) async fn to(service: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (addr, (held, watched)) = (listener.local_addr().unwrap(), watch::channel(false));
        // Ends with the test's runtime.
        drop(task::spawn("wire", async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(other) = TcpStream::connect(service).await else { continue };
                let ((here_in, here_out), (there_in, there_out)) = (stream.into_split(), other.into_split());
                drop(task::spawn("there", pass(here_in, there_out, watched.clone())));
                drop(task::spawn("back", pass(there_in, here_out, watched.clone())));
            }
        }));
        Self { addr, held }
    }

    pub(crate) fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut held: watch::Receiver<bool>) {
    let mut buffer = [0; 4096];
    while let Ok(read) = from.read(&mut buffer).await {
        if read == 0
            || held.wait_for(|held| !held).await.is_err()
            || to.write_all(&buffer[..read]).await.is_err()
        {
            return;
        }
    }
}
