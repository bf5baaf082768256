//! The query parameters of `POST /logs`.

use std::time::Duration;

use axum::{extract::Query, http::Uri};
use event::Timestamp;
use parse::Before;
use problem::{Problem, StatusCode};
use telemetry::clean;

/// How long `?wait=indexed` waits when it does not say.
const WAIT: Duration = Duration::from_secs(30);
/// How long it may wait.
const WAIT_MAX: Duration = Duration::from_secs(300);
/// Longest `?path=`, in bytes: `PATH_MAX` of Linux.
const PATH_BYTES_MAX: usize = 4096;

/// What the query asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Params {
    /// `?wait=indexed[&timeout=30s]`: how long to wait for the index.
    pub(crate) wait: Option<Duration>,
    /// `?path=/var/log/auth.log`: the file that the lines come from, by the word of their sender.
    pub(crate) path: Option<String>,
    /// `?modified=2017-04-20T20:00:00Z`: when that file was last written; time stamps without a year are
    /// taken to lie in the year before it.
    pub(crate) modified: Option<Timestamp>,
    /// `?before={…}`: what the part of that file before this one says of it, as the parser keeps it.
    pub(crate) before: Option<Before>,
    /// `?cut=true`: the file is damaged within these lines, so that their end is missing.
    pub(crate) cut: bool,
}

#[derive(Default)]
struct Raw {
    wait: Option<String>,
    timeout: Option<String>,
    path: Option<String>,
    modified: Option<String>,
    before: Option<String>,
    cut: Option<String>,
}

impl Params {
    pub(crate) fn of(uri: &Uri) -> Result<Self, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| invalid("query", "The query string cannot be read.".to_owned()))?;
        let mut raw = Raw::default();
        for (name, value) in pairs {
            let slot = match name.as_str() {
                "wait" => &mut raw.wait,
                "timeout" => &mut raw.timeout,
                "path" => &mut raw.path,
                "modified" => &mut raw.modified,
                "before" => &mut raw.before,
                "cut" => &mut raw.cut,
                _ => return Err(unknown(&name)),
            };
            if slot.replace(value).is_some() {
                return Err(invalid(&name, format!("'{name}' is given more than once.")));
            }
        }
        let timeout = raw.timeout.as_deref().map(duration).transpose()?.unwrap_or(WAIT);
        let wait = match raw.wait.as_deref() {
            None => None,
            Some("indexed") => Some(timeout),
            Some(_) => return Err(invalid("wait", "The only thing to wait for is wait=indexed.".to_owned())),
        };
        if raw.path.as_ref().is_some_and(|path| path.is_empty() || path.len() > PATH_BYTES_MAX) {
            return Err(invalid("path", format!("A path has 1 to {PATH_BYTES_MAX} bytes.")));
        }
        if raw.path.as_ref().is_some_and(|path| path.contains(clean::is_unseen)) {
            let detail = "A path holds no control characters and none that are not seen.";
            return Err(invalid("path", detail.to_owned()));
        }
        let modified = raw.modified.as_deref().map(Timestamp::parse).transpose();
        let modified = modified.map_err(|error| invalid("modified", error.to_string()))?;
        let before = raw.before.as_deref().map(serde_json::from_str).transpose();
        let before = before.map_err(|error| invalid("before", error.to_string()))?;
        let cut = match raw.cut.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(invalid("cut", "'cut' is true or false.".to_owned())),
        };
        Ok(Self { wait, path: raw.path, modified, before, cut })
    }
}

/// `500ms`, `30s`, `2m`, or a bare number of seconds, up to [`WAIT_MAX`].
fn duration(text: &str) -> Result<Duration, Problem> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let parsed = number.parse::<u32>().ok().and_then(|number| match unit {
        "ms" => Some(Duration::from_millis(number.into())),
        "" | "s" => Some(Duration::from_secs(number.into())),
        "m" => Some(Duration::from_secs(60 * u64::from(number))),
        _ => None,
    });
    parsed.filter(|duration| *duration <= WAIT_MAX).ok_or_else(|| {
        invalid(
            "timeout",
            format!("A time-out is written 500ms, 30s or 2m, {}s at most.", WAIT_MAX.as_secs()),
        )
    })
}

fn unknown(name: &str) -> Problem {
    let name: String = clean::line(name).chars().take(64).collect();
    let detail = format!(
        "'{name}' is no parameter of this resource; it takes wait, timeout, path, modified, before, cut"
    );
    Problem::new(StatusCode::BAD_REQUEST, "unknown_parameter", "Unknown parameter", detail).field(name)
}

fn invalid(field: &str, detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_parameter", "A query parameter is not valid", detail)
        .field(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters() {
        let none = Params { wait: None, path: None, modified: None, before: None, cut: false };
        let with = |wait, path: Option<&str>| {
            Some(Params { wait, path: path.map(str::to_owned), modified: None, before: None, cut: false })
        };
        let wait = |ms| with(Some(Duration::from_millis(ms)), None);
        for (query, expected) in [
            ("", with(None, None)),
            ("?path=/a%20b.log", with(None, Some("/a b.log"))),
            ("?before=%7B%7D", Some(Params { before: Some(Before::default()), ..none })),
            ("?before=x", None),
            ("?cut=true", Some(Params { wait: None, path: None, modified: None, before: None, cut: true })),
            ("?cut=yes", None),
            ("?wait=indexed", wait(30_000)),
            ("?wait=indexed&timeout=500ms", wait(500)),
            ("?wait=indexed&timeout=7", wait(7_000)),
            ("?wait=indexed&timeout=5m", wait(300_000)),
            ("?timeout=6m", None),
            ("?timeout=", None),
            ("?timeout=-1s", None),
            ("?wait=stored", None),
            ("?path=", None),
            ("?wait=indexed&wait=indexed", None),
            ("?bogus=1", None),
            ("?wait=indexed&Path=/x", None),
            ("?path=/a%0Ab", None),
            ("?path=/a%1B[2J", None),
            ("?path=/a%C2%9B2J", None),
            ("?path=/%E2%80%AEgol.a", None),
        ] {
            let uri = format!("/logs{query}").parse().unwrap();
            assert_eq!(Params::of(&uri).ok(), expected, "{query}");
        }
    }
}
