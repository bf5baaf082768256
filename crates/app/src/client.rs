//! How the command line talks to a running collector or anomaly service: over its ordinary HTTP API.

use std::{path::PathBuf, time::Duration};

use reqwest::{RequestBuilder, Response};
use serde_json::Value as Json;

use crate::{settings::masked, wording::plain};

/// Why a request brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answered.
    #[error("nothing answers at {url}; start log-sentinel, or name another place with --url")]
    Unreachable {
        /// The address tried.
        url: String,
    },
    /// What was given as an address is none.
    #[error("'{url}' is no address; give one such as http://127.0.0.1:8080")]
    Address {
        /// What was given.
        url: String,
    },
    /// The answer broke off or was not JSON.
    #[error("the answer of {url} cannot be read")]
    Answer {
        /// The address asked.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The answer is not what this version knows.
    #[error("the answer of {url} is not whole; ask again")]
    Cut {
        /// The address asked.
        url: String,
    },
    /// The service said no.
    #[error("{detail}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its reason, for a person.
        detail: String,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
        /// The whole problem document; null where there was none.
        problem: Json,
    },
}

/// What a person at a terminal is told instead of a service's answer, which names calls of its HTTP API.
enum Instead {
    Words(&'static str),
    OtherService,
}

fn instead(problem: &Json) -> Option<Instead> {
    Some(Instead::Words(match problem["code"].as_str()? {
        "model_not_found" => "there is no model of this version; `log-sentinel models` lists those there are",
        "feedback_not_found" => "there is no such feedback; `log-sentinel feedback list` lists what there is",
        "template_not_found" => {
            "there is no template of this id; `log-sentinel templates list` lists those there are"
        }
        "operation_not_found" => {
            "there is no such operation; `log-sentinel templates operations` lists those there are"
        }
        "not_found" => return Some(Instead::OtherService),
        _ => return None,
    }))
}

/// The API of a collector or an anomaly service.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    base: String,
    /// The same without a password in it.
    shown: String,
    key: Option<String>,
    http: reqwest::Client,
}

impl Client {
    /// For the service at `base`, such as `http://127.0.0.1:8080`, with an API key where one is needed.
    pub(crate) fn new(base: &str, key: Option<String>) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self { shown: masked(&base), base, key, http: reqwest::Client::new() }
    }

    /// As [`Client::new`], trusting the authorities of these PEM files as well. What cannot be read of them is left
    /// out: the connection then says what is wrong.
    pub(crate) fn trusting(base: &str, key: Option<String>, files: &[PathBuf]) -> Self {
        let texts = files.iter().filter_map(|file| std::fs::read(file).ok());
        let roots = texts.filter_map(|text| reqwest::Certificate::from_pem_bundle(&text).ok()).flatten();
        let builder = roots.fold(reqwest::Client::builder(), reqwest::ClientBuilder::add_root_certificate);
        let plain = Self::new(base, key);
        match builder.build() {
            Ok(http) => Self { http, ..plain },
            Err(_) => plain,
        }
    }

    /// Where it is, for messages.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether somebody takes logs there.
    pub(crate) async fn is_up(&self) -> bool {
        self.get("/livez", &[]).await.is_ok()
    }

    /// A GET whose answer is JSON.
    ///
    /// # Errors
    /// When it brings anything but a 2xx answer of JSON.
    pub(crate) async fn get_json(&self, path: &str, query: &[(&str, &str)]) -> Result<Json, ClientError> {
        self.json(self.get(path, query).await?).await
    }

    /// A GET whose answer is read by the caller.
    ///
    /// # Errors
    /// When it brings anything but a 2xx answer.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Response, ClientError> {
        self.send(self.http.get(self.url(path)).query(query)).await
    }

    /// A GET whose answer is a file.
    ///
    /// # Errors
    /// When it brings anything but a 2xx answer, or the answer breaks off.
    pub(crate) async fn get_bytes(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        let response = self.get(path, &[]).await?;
        let url = response.url().to_string();
        let bytes = response.bytes().await.map_err(|source| ClientError::Answer { url, source })?;
        Ok(bytes.to_vec())
    }

    /// A DELETE whose answer is JSON.
    ///
    /// # Errors
    /// When it brings anything but a 2xx answer of JSON.
    pub(crate) async fn delete(&self, path: &str) -> Result<Json, ClientError> {
        self.json(self.send(self.http.delete(self.url(path))).await?).await
    }

    /// A POST of a JSON body whose answer is JSON.
    ///
    /// # Errors
    /// When it brings anything but a 2xx answer of JSON.
    pub(crate) async fn post_json(&self, path: &str, body: &Json) -> Result<Json, ClientError> {
        let headers = [("content-type", "application/json")];
        self.post(path, &[], &headers, body.to_string().into_bytes()).await
    }

    /// A POST of bytes whose answer is JSON.
    ///
    /// # Errors
    /// When it brings anything but a 2xx answer of JSON.
    pub(crate) async fn post(
        &self,
        path: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Json, ClientError> {
        self.json(self.posted(path, query, headers, body).await?).await
    }

    /// A POST to `/logs` with an `Idempotency-Key`; also whether the answer is that to an earlier request.
    ///
    /// # Errors
    /// When it brings anything but a 2xx answer of JSON.
    pub(crate) async fn post_once(
        &self,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<(Json, bool), ClientError> {
        let response = self.posted("/logs", query, headers, body).await?;
        let replayed = response.headers().contains_key("idempotent-replayed");
        Ok((self.json(response).await?, replayed))
    }

    /// A POST whose answer is a file, with what some of its headers say.
    ///
    /// # Errors
    /// When it brings anything but a 2xx answer, or the answer breaks off.
    pub(crate) async fn post_bytes<const N: usize>(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
        told: [&str; N],
    ) -> Result<(Vec<u8>, [Option<String>; N]), ClientError> {
        let response = self.posted(path, &[], headers, body).await?;
        let url = response.url().to_string();
        let said = told.map(|name| Some(response.headers().get(name)?.to_str().ok()?.to_owned()));
        let bytes = response.bytes().await.map_err(|source| ClientError::Answer { url, source })?;
        Ok((bytes.to_vec(), said))
    }

    async fn posted(
        &self,
        path: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Response, ClientError> {
        let mut request = self.http.post(self.url(path)).query(query).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let request = match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        };
        let failed = |error: reqwest::Error| match error.is_builder() {
            true => ClientError::Address { url: self.shown.clone() },
            false => ClientError::Unreachable { url: self.shown.clone() },
        };
        let response = request.send().await.map_err(failed)?;
        if response.status().is_success() { Ok(response) } else { Err(self.refusal(response).await) }
    }

    async fn refusal(&self, response: Response) -> ClientError {
        let status = response.status();
        let after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let body: Json = response.json().await.unwrap_or_default();
        let detail = match instead(&body) {
            Some(Instead::Words(words)) => Some(words.to_owned()),
            Some(Instead::OtherService) => Some(format!(
                "{} answers, but has no such call. The collector (port 8080) and the anomaly service (port 8000) have \
                 different ones: name the right one with --url",
                self.shown
            )),
            None => body["detail"].as_str().map(plain),
        };
        let detail = detail.unwrap_or_else(|| format!("{} answered {status}", self.shown));
        ClientError::Refused {
            status: status.as_u16(),
            detail,
            retry_after: after.map(Duration::from_secs),
            problem: body,
        }
    }

    async fn json(&self, response: Response) -> Result<Json, ClientError> {
        let url = response.url().to_string();
        response.json().await.map_err(|source| ClientError::Answer { url, source })
    }
}
