//! `POST /api/v1/rules/dry-run`: what a rule would have told of what is stored, by default of the last 24 hours.

use std::time::{Duration, Instant};

use axum::{body::Body, extract::State, http::HeaderMap, response::Response};
use detect::{
    outcome_json,
    past::{Outcome, Past},
    rules::{self, Rules},
};
use event::Analyzed;
use index::{Limits, Order, SearchRequest, Selection};
use problem::Problem;
use serde::Deserialize;
use serde_json::Value;

use super::{
    list::unknown,
    state::{Shared, answer, refused},
};
use crate::{
    clock::now,
    params::{bad_parameter, parse_query, parse_time},
    questions::off_reactor,
    unanswered::unanswered,
};

/// Events that are looked at, and how long.
const EVENTS_MAX: u64 = 2_000_000;
const TIME_MAX: Duration = Duration::from_secs(20);
/// Events and bytes of a page of them.
const PAGE: usize = 2_000;
const PAGE_BYTES: usize = 4 << 20;

/// What is to be tried.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The id of a rule that is there ...
    rule: Option<String>,
    /// ... or the text of a file.
    text: Option<String>,
    #[serde(default)]
    query: String,
    from: Option<String>,
    to: Option<String>,
    limit: Option<u64>,
}

const FORM: &str =
    r#"{"rule": …} or {"text": …}, with "query", "from", "to" and "limit" where they are wanted"#;

/// The rules of a trial, and the one alone that is asked for.
struct Trial {
    rules: Rules,
    only: Option<String>,
}

pub(super) async fn dry_run(
    State(shared): State<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let wanted: Wanted = shared.read(&headers, body, FORM).await?;
    let (selection, limit) = selected(&wanted)?;
    let trial = shared.work(move |shared| trial(shared, &wanted)).await?;
    let _turn = shared.trials.enter().await?;
    let past = Past::of_rules(shared.engine.clone(), trial.rules.clone());
    let (outcome, partial) = gone_through(&shared, past, selection, limit).await?;
    off_reactor("rules", "a trial of rules", move || told(&outcome, &trial, partial)).await.map(answer)
}

fn trial(shared: &Shared, wanted: &Wanted) -> Result<Trial, Problem> {
    match (&wanted.rule, &wanted.text) {
        (Some(id), None) => {
            let rules = shared.book.running();
            let about = rules.rules().iter().map(|rule| &rule.about);
            let mut all = about.chain(rules.correlations().iter().map(|correlation| &correlation.about));
            if !all.any(|about| about.id_or_title() == id) {
                return Err(unknown("there is no rule of this id that runs; GET /api/v1/rules lists them"));
            }
            Ok(Trial { rules, only: Some(id.clone()) })
        }
        (None, Some(text)) => {
            let name = "unnamed.yml";
            let (rules, errors) = rules::read([(name, text.as_str())]);
            if !errors.is_empty() {
                let faults = shared.book.check(name, text);
                return Err(refused(&faults));
            }
            Ok(Trial { rules, only: None })
        }
        _ => Err(bad_parameter("rule", "give the id of a 'rule', or the 'text' of a file of rules")),
    }
}

fn selected(wanted: &Wanted) -> Result<(Selection, u64), Problem> {
    let now = now();
    let time = |name, given: &Option<String>, default: &str| {
        parse_time(name, given.as_deref().filter(|text| !text.is_empty()).unwrap_or(default), now)
    };
    let selection = Selection {
        query: parse_query("query", &wanted.query, now)?,
        from: Some(time("from", &wanted.from, "now-24h")?),
        to: Some(time("to", &wanted.to, "now")?),
    };
    let limit = wanted.limit.unwrap_or(EVENTS_MAX);
    if limit == 0 || limit > EVENTS_MAX {
        return Err(bad_parameter("limit", format!("'limit' must be a whole number from 1 to {EVENTS_MAX}")));
    }
    Ok((selection, limit))
}

/// Goes through what is stored, the oldest first, within the bounds; also says why not through all of it.
async fn gone_through(
    shared: &Shared,
    mut past: Past,
    selection: Selection,
    limit: u64,
) -> Result<(Outcome, Option<String>), Problem> {
    let deadline = Instant::now() + TIME_MAX;
    let mut request = SearchRequest {
        order: Order::OldestFirst,
        bytes_max: PAGE_BYTES,
        ..SearchRequest::new(selection, PAGE)
    };
    let (mut seen, mut partial) = (0, None);
    loop {
        request.limit = PAGE.min(usize::try_from(limit - seen).unwrap_or(PAGE));
        let limits = Limits::none();
        let asked = shared.searcher.search(request.clone(), &limits);
        let found = tokio::select! {
            found = tokio::time::timeout_at(deadline.into(), asked) => found,
            () = shared.stop.cancelled() => return Err(Problem::internal()),
        };
        let Ok(found) = found else {
            partial = Some(format!("the first {seen} events were looked at, as many as there was time for"));
            break;
        };
        let found = found.map_err(unanswered)?;
        partial = partial.or(found.partial);
        let (hits, next) = (found.result.hits, found.result.next);
        seen += hits.len() as u64;
        past = off_reactor("rules", "a trial of rules", move || {
            let events = hits.iter().filter_map(|hit| Analyzed::of_document(hit.key.id, &hit.document));
            events.for_each(|event| past.see(&event));
            past
        })
        .await?;
        (request.after, request.counted) = (next, false);
        if next.is_none() {
            break;
        }
        if seen >= limit {
            partial = Some(format!("the first {seen} events were looked at, as many as were asked for"));
            break;
        }
    }
    Ok((past.end(), partial))
}

fn told(outcome: &Outcome, trial: &Trial, partial: Option<String>) -> Value {
    let is_wanted = |rule: &String| trial.only.as_ref().is_none_or(|only| only == rule);
    let told: Vec<_> = outcome.told.iter().filter(|told| is_wanted(&told.rule)).collect();
    let mut json = outcome_json(outcome, &told, &trial.rules);
    if let Some(reason) = partial {
        json["partial"] = true.into();
        json["reason"] = reason.into();
    }
    json
}
