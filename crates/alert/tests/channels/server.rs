//! A server that writes down what it is asked, and answers what it is told to.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::Value as Json;

/// How it answers.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// With a status and a body.
    Status(u16, &'static str),
    /// With a status and a header.
    Header(u16, &'static str, &'static str),
    /// Never.
    Nothing,
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked {
    pub(crate) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    answer: Answer,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// One on a port of its own, for as long as the test runs.
    pub(crate) async fn start(answer: Answer) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self { address, answer, asked: Arc::default() };
        let router = Router::new().fallback(take).with_state(server.clone());
        let serving = async move { axum::serve(listener, router).await.unwrap() };
        drop(telemetry::task::spawn("server", serving));
        server
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The one request that came.
    pub(crate) fn asked(&self) -> Asked {
        let asked = self.asked.lock().unwrap();
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked[0].clone()
    }
}

async fn take(State(server): State<Server>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let asked = Asked { path: parts.uri.to_string(), headers: parts.headers, body };
    server.asked.lock().unwrap().push(asked);
    match server.answer {
        Answer::Status(status, body) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Answer::Header(status, name, value) => {
            (StatusCode::from_u16(status).unwrap(), [(name, value)]).into_response()
        }
        Answer::Nothing => std::future::pending().await,
    }
}
