//! A collector that does as the test says, and an agent that sends to it.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use agent::{
    Agent, Config, Logs, Place, Server, Trust,
    configuration::{Configuration, Document},
};
use axum::{
    Json as Body, Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use intake::Clock;
use retry::Backoff;
use serde_json::{Value as Json, json};
use telemetry::{health::Health, task::Tasks};
use tokio::sync::watch;

pub(crate) const SOON: Duration = Duration::from_secs(120);

/// What the collector has, and what it answers next.
#[derive(Default)]
pub(crate) struct Had {
    pub(crate) samples: Vec<Json>,
    /// How many came in each request.
    pub(crate) requests: Vec<usize>,
    pub(crate) lines: Vec<Json>,
    pub(crate) keys: Vec<String>,
    /// So many answers about logs are lost.
    pub(crate) lost_answers: u32,
    pub(crate) refusing: Vec<StatusCode>,
    /// Samples whose rest by three is this are refused for good.
    pub(crate) refused_rest: Option<u64>,
    /// More samples, or longer requests with logs, are answered 413.
    pub(crate) samples_max: Option<usize>,
    pub(crate) logs_bytes_max: Option<usize>,
    /// Requests so answered.
    pub(crate) too_large: u32,
    pub(crate) config: Option<Json>,
}

#[derive(Clone)]
pub(crate) struct Collector {
    had: Arc<Mutex<Had>>,
    changed: Arc<watch::Sender<usize>>,
    pub(crate) port: u16,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let collector = Self { had: Arc::default(), changed: Arc::new(watch::channel(0).0), port };
        let routes = Router::new()
            .route("/data", post(data))
            .route("/logs", post(logs))
            .layer(DefaultBodyLimit::disable());
        let routes = routes.with_state(collector.clone());
        let serving = async move { axum::serve(listener, routes).await.unwrap() };
        drop(telemetry::task::spawn("collector", serving));
        collector
    }

    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut Had) -> T) -> T {
        look(&mut self.had.lock().unwrap())
    }

    pub(crate) async fn until(&self, mut holds: impl FnMut(&mut Had) -> bool) {
        let mut changed = self.changed.subscribe();
        let waiting = async {
            while !self.with(&mut holds) {
                changed.changed().await.unwrap();
            }
        };
        tokio::time::timeout(SOON, waiting).await.unwrap();
    }
}

async fn data(
    State(collector): State<Collector>,
    headers: HeaderMap,
    Body(samples): Body<Vec<Json>>,
) -> (StatusCode, Body<Json>) {
    assert_eq!(headers["x-api-key"], "hunter2");
    let answer = collector.with(|had| {
        if let Some(status) = had.refusing.pop() {
            // Some had stored them before they broke down.
            if status == StatusCode::BAD_GATEWAY {
                had.samples.extend(samples);
            }
            return (status, Body(json!({"detail": "not now"})));
        }
        if had.samples_max.is_some_and(|max| samples.len() > max) {
            had.too_large += 1;
            return (StatusCode::PAYLOAD_TOO_LARGE, Body(json!({"detail": "too many"})));
        }
        let is_refused = |sample: &Json| had.refused_rest == sample["seq"].as_u64().map(|seq| seq % 3);
        if samples.iter().any(is_refused) {
            return (StatusCode::UNPROCESSABLE_ENTITY, Body(json!({"detail": "no"})));
        }
        had.requests.push(samples.len());
        had.samples.extend(samples);
        (StatusCode::OK, Body(json!({"status": "success", "accepted": 1, "config": had.config})))
    });
    collector.changed.send_modify(|changes| *changes += 1);
    answer
}

async fn logs(
    State(collector): State<Collector>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, Body<Json>) {
    let answer = collector.with(|had| {
        if had.logs_bytes_max.is_some_and(|max| body.len() > max) {
            had.too_large += 1;
            return (StatusCode::PAYLOAD_TOO_LARGE, Body(json!({"detail": "too long"})));
        }
        let key = headers["idempotency-key"].to_str().unwrap().to_owned();
        let lines: Vec<Json> = body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // As the real one: the same key again stores nothing again.
        if !had.keys.contains(&key) {
            had.lines.extend(lines);
            had.keys.push(key);
        }
        match had.lost_answers.checked_sub(1) {
            Some(left) => {
                had.lost_answers = left;
                (StatusCode::GATEWAY_TIMEOUT, Body(Json::Null))
            }
            None => (StatusCode::OK, Body(json!({"accepted": 1, "rejected": 0}))),
        }
    });
    collector.changed.send_modify(|changes| *changes += 1);
    answer
}

pub(crate) struct Running {
    agent: Agent,
    tasks: Tasks,
}

/// How an agent runs.
pub(crate) struct Wanted<'w> {
    /// A log that it sends.
    pub(crate) watched: Option<PathBuf>,
    /// Where processes are told.
    pub(crate) socket: Option<&'w Path>,
    pub(crate) clock: Clock,
    pub(crate) backoff: Backoff,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        let clock = intake::system_clock;
        Self { watched: None, socket: None, clock, backoff: agent::backoff() }
    }
}

pub(crate) fn start(data: &Path, port: u16, watched: Option<PathBuf>) -> Running {
    start_with(data, port, Wanted { watched, ..Wanted::default() })
}

pub(crate) fn start_with(data: &Path, port: u16, wanted: Wanted<'_>) -> Running {
    let Wanted { watched, socket, clock, backoff } = wanted;
    let mut document = Document::default();
    document.above("server.url", "test", &format!("http://127.0.0.1:{port}/data"));
    document.above("server.api_key", "test", "hunter2");
    document.above("agent.name", "test", "web-1");
    document.above("monitoring.processes.enabled", "test", &socket.is_some().to_string());
    if let Some(socket) = socket {
        document.above("monitoring.processes.socket", "test", &socket.display().to_string());
    }
    let mut configuration = Configuration::of(&document).unwrap();
    configuration.interval = Duration::from_millis(20);
    configuration.backfill_per_second = 1000;
    let place = Place::of(&configuration.url, None).unwrap();
    let logs = watched.map(|path| {
        let journal = journal::Journal::open(journal::Config::new(data)).unwrap();
        let door = intake::Config { host: Some("web-1".to_owned()), ..intake::Config::default() };
        let tail = intake::tail::Config {
            files: vec![path.display().to_string()],
            ..intake::tail::Config::default()
        };
        Logs {
            door: intake::Door::new(journal, door, intake::system_clock),
            tail,
            machine: None,
            changes: None,
        }
    });
    let config = Config {
        configuration,
        document,
        data: data.to_owned(),
        roots: host::Roots::default(),
        server: Server::new(place, Some("hunter2".to_owned()), &Trust::default()).unwrap(),
        version: "1.2.3".to_owned(),
        clock,
        backoff,
        logs,
    };
    let tasks = Tasks::new();
    Running { agent: agent::start(config, &tasks, &Health::new()).unwrap(), tasks }
}

impl Running {
    pub(crate) async fn stop(self) {
        assert_eq!(self.tasks.shutdown(SOON).await, [] as [String; 0]);
        self.agent.close(SOON).await;
    }
}

pub(crate) fn numbers(had: &Had) -> Vec<u64> {
    had.samples.iter().map(|sample| sample["seq"].as_u64().unwrap()).collect()
}
