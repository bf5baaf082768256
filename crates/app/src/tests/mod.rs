//! Whole command lines against a service that answers as a test says, on a loopback port of its own.

mod asking;
mod client;
mod importing;
mod managing;
mod rules;

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Query},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::IntoResponse,
};
use serde_json::Value as Json;
use tokio::{net::TcpListener, task::JoinSet};

use crate::{AppError, cli, commands::terminal, settings::Settings, settings::Sources};

/// What the service was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Method, path and parameters, such as `GET /api/v1/search q=x limit=1`.
    line: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Asked {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What it answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    status: StatusCode,
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
}

impl From<Json> for Answer {
    fn from(json: Json) -> Self {
        Self { body: json.to_string().into_bytes(), ..Self::default() }
    }
}

impl From<&str> for Answer {
    fn from(text: &str) -> Self {
        Self { body: text.into(), ..Self::default() }
    }
}

impl From<(u16, Json)> for Answer {
    fn from((status, json): (u16, Json)) -> Self {
        Self { status: StatusCode::from_u16(status).unwrap(), ..json.into() }
    }
}

impl Answer {
    fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// A service of a test.
pub(crate) struct Service {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    /// Ends with it.
    _task: JoinSet<()>,
}

impl Service {
    /// One that answers so.
    async fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let asked = Arc::new(Mutex::new(vec![]));
        let (all, answer) = (asked.clone(), Arc::new(answer));
        let handler = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| async move {
            let parameters = Query::<Vec<(String, String)>>::try_from_uri(&uri).unwrap().0;
            let parameters: String =
                parameters.iter().map(|(name, value)| format!(" {name}={value}")).collect();
            let asked = Asked { line: format!("{method} {}{parameters}", uri.path()), headers, body };
            let Answer { status, headers, body } = answer(&asked);
            all.lock().unwrap().push(asked);
            let mut response = (status, body).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(handler).layer(DefaultBodyLimit::disable());
        let mut task = JoinSet::new();
        task.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, asked, _task: task }
    }

    /// One that gives these answers, one after the other, and the last for good.
    async fn giving(answers: impl IntoIterator<Item = impl Into<Answer>>) -> Self {
        let mut left: Vec<Answer> = answers.into_iter().map(Into::into).collect();
        left.reverse();
        let left = Mutex::new(left);
        Self::start(move |_| {
            let mut left = left.lock().unwrap();
            if left.len() > 1 { left.pop().unwrap() } else { left[0].clone() }
        })
        .await
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }
}

/// What came of a command line.
#[derive(Debug, PartialEq)]
pub(crate) struct Said {
    /// To standard output.
    printed: String,
    /// To standard error.
    noted: String,
    /// Why it failed; empty where it did not.
    failed: String,
}

/// Runs a command line of words between single blanks against a service.
async fn said(service: &Service, line: &str) -> Said {
    let words: Vec<&str> = line.split(' ').chain(["--url", &service.url]).collect();
    said_of(&words).await
}

async fn said_of(words: &[&str]) -> Said {
    let arguments = ["log-sentinel"].iter().chain(words).map(Into::into);
    let (cli, flags) = cli::parse(arguments).unwrap_or_else(|error| panic!("{error}"));
    let sources = Sources { flags, ..Sources::default() }.resolve();
    let settings = Settings::check(&sources).unwrap();
    drop(terminal::taken());
    let outcome: Result<(), AppError> = Box::pin(crate::run(cli.command.unwrap(), &sources, &settings)).await;
    let (printed, noted) = terminal::taken();
    Said { printed, noted, failed: outcome.err().map(|error| error.to_string()).unwrap_or_default() }
}

/// What a command line prints of one answer, and what it asks for; nothing fails and nothing is noted.
async fn printed(answer: impl Into<Answer>, line: &str) -> (String, String) {
    let service = Service::giving([answer]).await;
    let said = said(&service, line).await;
    assert_eq!((&*said.failed, &*said.noted), ("", ""), "{line}");
    (service.lines().join("\n"), said.printed)
}
