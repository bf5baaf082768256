//! One request, as a server wrote it down.

use std::borrow::Cow;

use event::{Event, Value};

/// One request of HTTP and how it was answered, as far as the log says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request<'a> {
    /// The method, where it is known.
    pub method: Option<&'a str>,
    /// The target as it was sent: path and query, or what came instead of a request.
    pub target: Cow<'a, str>,
    /// What came is no request of HTTP.
    pub is_malformed: bool,
    /// The version of HTTP, such as `1.1`.
    pub version: Option<&'a str>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The server says that it has no such thing, or does not give it out.
    pub is_refused: bool,
    /// What the client calls itself.
    pub agent: Option<&'a str>,
    /// Where the client says it comes from.
    pub referrer: Option<&'a str>,
    /// As whom it came.
    pub user: Option<&'a str>,
}

impl<'a> Request<'a> {
    /// The request that an event tells of, if it tells of one.
    pub fn of(event: &'a Event<'_>) -> Option<Self> {
        let mut request = Self::default();
        let (mut path, mut query, mut file, mut action) = (None, None, None, None);
        for field in &event.fields {
            let value = || field.value.as_str();
            match field.path.as_ref() {
                "http.request.method" => request.method = value(),
                "http.response.status_code" => request.status = number(&field.value),
                "url.original" => request.target = Cow::Borrowed(value().unwrap_or_default()),
                "url.path" => path = value(),
                "url.query" => query = value(),
                "http.version" => request.version = value(),
                "user_agent.original" => request.agent = value(),
                "http.request.referrer" => request.referrer = value(),
                "user.name" => request.user = value(),
                "file.path" => file = value(),
                "event.action" => action = value(),
                _ => {}
            }
        }
        let is_missing = action == Some("file_not_found");
        let is_unread = action == Some("malformed_request");
        if request.method.is_none() && request.status.is_none() && !is_missing && !is_unread {
            return None;
        }
        if request.target.is_empty() {
            request.target = match (path, query, file) {
                (Some(path), None, _) => Cow::Borrowed(path),
                (Some(path), Some(query), _) => Cow::Owned(format!("{path}?{query}")),
                (None, _, Some(file)) if is_missing => Cow::Borrowed(file),
                _ if request.method.is_some() => return None,
                _ => {
                    request.is_malformed = true;
                    Cow::Borrowed(unparsed(&event.message, request.status)?)
                }
            };
        }
        request.is_refused = match request.status {
            Some(status) => matches!(status, 400 | 403..=406 | 410 | 414 | 418 | 444 | 451),
            None => is_missing || is_refused(&event.message),
        };
        Some(request)
    }

    /// Whether the answer says that it went well.
    pub fn is_answered(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

fn number(value: &Value<'_>) -> Option<u16> {
    match value {
        Value::Int(number) => u16::try_from(*number).ok(),
        other => other.as_str()?.parse().ok(),
    }
}

/// What came instead of a request: the first text in quotes behind the time of an access log, or what Apache's error log
/// ends with.
fn unparsed(message: &str, status: Option<u16>) -> Option<&str> {
    if status.is_none() {
        return Some(message.split_once("Invalid URI in request ").map_or("", |(_, request)| request));
    }
    status.filter(|status| matches!(status, 400 | 405 | 414 | 431 | 494 | 501 | 505))?;
    let (_, rest) = message.split_once("] \"")?;
    let end = memchr::memmem::find(rest.as_bytes(), b"\" ")?;
    Some(&rest[..end])
}

/// Whether the error log of nginx says that something is not there or not to be had. Its own words come first, what the
/// client sent behind ` client: `.
fn is_refused(message: &str) -> bool {
    let own = message.split(", client: ").next().unwrap_or_default();
    own.ends_with("(2: No such file or directory)") || own == "access forbidden by rule"
}
