//! Which signals are asked for.

use std::{str::FromStr, time::Duration};

use access::Caller;
use event::Timestamp;
use finding::{FindingKind, Level};
use problem::Problem;
use signal::{Filter, State};

use crate::params::{Params, bad_parameter};

/// The names that lists of signals know.
pub(super) const NAMES: [&str; 16] = [
    "wait",
    "timeout",
    "state",
    "kind",
    "severity",
    "rule",
    "entity",
    "from",
    "to",
    "q",
    "hidden",
    "limit",
    "cursor",
    "zone",
    "lang",
    "organization",
];
/// How long to wait for detection, unless said otherwise and at most.
const WAIT: Duration = Duration::from_secs(30);
const WAIT_MAX: Duration = Duration::from_secs(300);
/// Signals that one answer holds at most.
const LIMIT_MAX: usize = 1_000;

/// The filter that parameters name, within what the caller may read.
pub(super) fn filter(params: &Params, caller: &Caller, now: Timestamp) -> Result<Filter, Problem> {
    let (from, to) = params.period(("from", "to"), now)?;
    Ok(Filter {
        states: states(params)?,
        kinds: some(params, "kind", FindingKind::ALL, FindingKind::as_str)?,
        severities: some(params, "severity", Level::ALL, Level::as_str)?,
        rule: params.text("rule").map(str::to_owned),
        entity: params.text("entity").map(str::to_owned),
        organization: organization(params, caller),
        from,
        to,
        text: params.text("q").map(str::to_owned),
        hidden: params.one_of("hidden", &[("false", false), ("true", true)])?,
        limit: params.number("limit", 100, LIMIT_MAX)?,
        cursor: params.text("cursor").map(str::to_owned),
        ..Filter::default()
    })
}

/// Whose signals are asked for: the caller's own, where they keep to one organization.
pub(super) fn organization(params: &Params, caller: &Caller) -> Option<String> {
    match &caller.organization {
        Some(own) => Some(own.to_string()),
        None => params.text("organization").map(str::to_owned),
    }
}

/// `wait=detected`, and how long at most: `timeout`, 30 s unless it is given.
pub(super) fn wait(params: &Params) -> Result<Option<Duration>, Problem> {
    if !params.one_of("wait", &[("", false), ("detected", true)])? {
        return Ok(None);
    }
    let Some(text) = params.text("timeout") else { return Ok(Some(WAIT)) };
    let seconds = text.strip_suffix('s').and_then(|number| number.parse().ok());
    let within = seconds.map(Duration::from_secs).filter(|within| *within <= WAIT_MAX);
    within
        .map(Some)
        .ok_or_else(|| bad_parameter("timeout", "'timeout' must be seconds such as 30s, at most 300s"))
}

/// The states that are asked for; `open` stands for every one that asks for attention.
fn states(params: &Params) -> Result<Vec<State>, Problem> {
    let mut states = vec![];
    for word in words(params, "state") {
        match word {
            "open" => states.extend(State::ALL.iter().copied().filter(|state| state.is_open())),
            word => states.push(one("state", word, State::ALL, State::as_str)?),
        }
    }
    Ok(states)
}

fn some<T: Copy>(
    params: &Params,
    name: &'static str,
    all: &[T],
    named: impl Fn(T) -> &'static str,
) -> Result<Vec<T>, Problem> {
    words(params, name).map(|word| one(name, word, all, &named)).collect()
}

/// The words of a list separated by commas.
fn words<'p>(params: &'p Params, name: &str) -> impl Iterator<Item = &'p str> {
    params.text(name).unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty())
}

fn one<T: Copy>(
    name: &'static str,
    word: &str,
    all: &[T],
    named: impl Fn(T) -> &'static str,
) -> Result<T, Problem> {
    all.iter().copied().find(|one| named(*one) == word).ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|one| named(*one)).collect();
        let detail =
            format!("'{name}' must hold names such as these, separated by commas: {}", known.join(", "));
        bad_parameter(name, detail)
    })
}

/// The id in a path.
pub(super) fn id<T: FromStr>(text: &str) -> Result<T, Problem>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| bad_parameter("id", error.to_string()))
}
