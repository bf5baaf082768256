//! How messages go out over HTTP: one client, one reading of answers.

use std::time::Duration;

use reqwest::{
    RequestBuilder, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use serde_json::Value as Json;

use super::{
    send::{SendError, told},
    trust::Trust,
};

/// Longer answers are not read further.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// What stands for a secret that an answer repeats.
const HIDDEN: &str = "********";
/// Parts of an address or a header that are shorter are no secrets: `api`, `webhooks`.
const SECRET_BYTES_MIN: usize = 10;

/// A client that gives a request `timeout` in all and follows no redirect: what is sent is for one address.
pub(crate) fn client(trust: &Trust, timeout: Duration) -> Result<reqwest::Client, String> {
    let mut builder = reqwest::Client::builder()
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("log-sentinel/", env!("CARGO_PKG_VERSION")));
    if let Some(pem) = trust.pem()? {
        let roots = reqwest::Certificate::from_pem_bundle(&pem).ok().filter(|roots| !roots.is_empty());
        let roots = roots.ok_or_else(|| trust.without_certificates())?;
        builder = roots.into_iter().fold(builder, reqwest::ClientBuilder::add_root_certificate);
    }
    builder.build().map_err(|error| told(&error))
}

/// The address, where it is one for HTTP. It may be a secret and is not repeated.
pub(crate) fn address(text: &str) -> Result<reqwest::Url, String> {
    let url = reqwest::Url::parse(text.trim()).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| "its url is no address; give one such as https://hooks.example.com/T0/B0".to_owned())
}

/// An answer that says that a message was taken.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or(Json::Null)
    }
}

/// Sends a request to `service`, as errors call it, and reads the answer: 2xx is success; 408, 425, 429 and 5xx may
/// pass; anything else does not.
pub(crate) async fn exchange(request: RequestBuilder, service: &str) -> Result<Answer, SendError> {
    // The address may be a secret.
    let unreached = |error: reqwest::Error| {
        SendError::passing(format!("{service} cannot be reached: {}", told(&error.without_url())))
    };
    let (client, request) = request.build_split();
    let request = request.map_err(unreached)?;
    let secrets = secrets(&request);
    let response = client.execute(request).await.map_err(unreached)?;
    let status = response.status();
    let seconds =
        response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<f64>().ok());
    let body = match read(response).await {
        Ok(body) => secrets.iter().fold(body, |body, secret| body.replace(secret, HIDDEN)),
        Err(error) if status.is_success() => {
            let cause = told(&error.without_url());
            return Err(SendError::passing(format!("the answer of {service} broke off: {cause}")));
        }
        Err(_) => String::new(),
    };
    let answer = Answer { status, body };
    if status.is_success() {
        return Ok(answer);
    }
    let may_pass = status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429);
    let reason = format!("{service} answered {}{}", status.as_u16(), said(&answer));
    let error = if may_pass { SendError::passing(reason) } else { SendError::permanent(reason) };
    let seconds = seconds.or_else(|| retry_after(&answer.json())).filter(|_| may_pass);
    Err(SendError {
        retry_after: seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        ..error
    })
}

/// What of a request may be secret and must not be shown where an answer repeats it, as those of "no route matches …" do.
fn secrets(request: &reqwest::Request) -> Vec<String> {
    let url = request.url();
    let of_path = url.path().split('/').map(str::to_owned);
    let of_query = url.query_pairs().map(|(_, value)| value.into_owned());
    let of_headers = request.headers().iter().filter(|(name, _)| **name != CONTENT_TYPE);
    let values = of_headers.filter_map(|(_, value)| value.to_str().ok());
    let words = values.flat_map(str::split_whitespace).map(str::to_owned);
    let all = of_path.chain(of_query).chain(words);
    all.filter(|text| text.len() >= SECRET_BYTES_MIN).collect()
}

async fn read(mut response: reqwest::Response) -> Result<String, reqwest::Error> {
    let mut body = vec![];
    while let Some(chunk) = response.chunk().await? {
        let room = ANSWER_BYTES_MAX - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == ANSWER_BYTES_MAX {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// The pause that an answer asks for where Telegram and Discord put it.
fn retry_after(answer: &Json) -> Option<f64> {
    answer["parameters"]["retry_after"].as_f64().or_else(|| answer["retry_after"].as_f64())
}

/// What an answer says of the reason, where the services that we know put it.
fn said(answer: &Answer) -> String {
    let json = answer.json();
    let field = ["description", "detail", "message", "error"].iter().find_map(|name| json[*name].as_str());
    match field.or(Some(answer.body.trim())).filter(|text| !text.is_empty()) {
        Some(text) => format!(": {text}"),
        None => String::new(),
    }
}
