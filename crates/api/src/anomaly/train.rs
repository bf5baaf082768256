//! `POST /train`: from a body, or from what is stored.

use std::{ops::ControlFlow, sync::Arc, time::Instant};

use anomaly::TrainError;
use audit::Action;
use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, Uri, header},
    response::{IntoResponse, Response},
};
use event::{Document, Event, Timestamp};
use index::{Limits, SearchRequest, Selection, SortKey};
use parse::Format;
use problem::{Problem, StatusCode};
use search::Searcher;
use serde_json::{Value, json};
use telemetry::task::Stop;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::state::{Shared, blocking, model_state, refused_json, stopping};
use crate::{
    body::Payload,
    clock::now,
    decision::By,
    gate::busy,
    jobs::Running,
    params::{bad_parameter, parse_query, parse_time},
    unanswered::unanswered,
};

/// Refused records named in an answer.
const REFUSED_LISTED: usize = 100;
/// Hits asked of the store at a time.
const PAGE: usize = 2_000;
/// Bytes of their documents at a time.
const PAGE_BYTES_MAX: usize = 4 << 20;
/// A body that asks to learn from the store is smaller than this.
const STORE_REQUEST_BYTES_MAX: usize = 64 * 1024;

/// What `/train` answers.
enum Answer {
    /// The model serves.
    Trained(Value),
    /// The job with this id will say.
    Accepted(String),
}

pub(super) async fn train(
    State(shared): State<Shared>,
    by: By,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let payload = shared.bodies.read(&headers, body).await?;
    let received = now();
    let stored = store_request(&payload, received)?;
    let turn = shared.jobs.turn().ok_or_else(|| {
        busy("a model is being trained, and one is trained at a time; send this again later")
    })?;
    let answer = match stored {
        Some(selection) => from_store(shared, by, selection, turn).await?,
        None => from_body(shared, by, (payload, received), turn).await?,
    };
    Ok(match answer {
        Answer::Trained(json) => Json(json).into_response(),
        Answer::Accepted(id) => {
            // The jobs of a port stand beside its `/train`.
            let beside = uri.path().strip_suffix("/train").unwrap_or_default();
            let location = format!("{beside}/jobs/{id}");
            let body = Json(json!({"job": id, "state": "running", "location": location}));
            (StatusCode::ACCEPTED, [(header::LOCATION, location)], body).into_response()
        }
    })
}

/// Trains on a thread of its own, which answers as soon as it knows whether this becomes a job.
async fn from_body(
    shared: Shared,
    by: By,
    (payload, received): (Payload, Timestamp),
    turn: OwnedSemaphorePermit,
) -> Result<Answer, Problem> {
    let (reply, answer) = oneshot::channel::<Result<Answer, Problem>>();
    let work = telemetry::task::blocking("training", move || {
        let mut records = Records::new();
        records.add(&shared, payload.format, &payload.bytes, received);
        let outcome = match records.usable(&shared) {
            Ok(records) if records.events.len() > shared.state.config.train_sync_events => Err(records),
            Ok(records) => Ok(records.learn(&shared, &by, None).and_then(served)),
            Err(problem) => Ok(Err(problem)),
        };
        let records = match outcome {
            Err(records) => records,
            Ok(answer) => {
                // Who has an answer may ask again at once: the turn ends before it.
                drop(turn);
                return drop(reply.send(answer));
            }
        };
        let job = shared.jobs.begin("training", records.events.len() as u64);
        drop(reply.send(Ok(Answer::Accepted(job.id().to_owned()))));
        let outcome = records.learn(&shared, &by, Some(&job));
        drop(turn);
        job.end(outcome);
    });
    let answer = answer.await.map_err(|_| Problem::internal());
    // The job goes on by itself; its table entry says how it ends.
    drop(work);
    answer?
}

async fn from_store(
    shared: Shared,
    by: By,
    selection: Selection,
    turn: OwnedSemaphorePermit,
) -> Result<Answer, Problem> {
    let Some(searcher) = shared.state.searcher.clone() else {
        let detail =
            "this service keeps no events, so there is no store to learn from; send the events themselves";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "no_store", "No store", detail).field("source"));
    };
    let request = SearchRequest::new(selection.clone(), 0);
    let total = searcher.search(request, &Limits::none()).await.map_err(unanswered)?.result.total;
    if total == 0 {
        return Err(unusable("no stored event matches".to_owned()));
    }
    let total = total.min(shared.state.config.train_events_max as u64);
    if total <= shared.state.config.train_sync_events as u64 {
        return learn_from_store(&shared, &by, (&searcher, &selection), turn, None).await.and_then(served);
    }
    let job = Arc::new(shared.jobs.begin("reading", total));
    let id = job.id().to_owned();
    // Its owner is the table of jobs: the turn within it admits one at a time.
    drop(telemetry::task::spawn("train-from-store", async move {
        let outcome = learn_from_store(&shared, &by, (&searcher, &selection), turn, Some(&job)).await;
        job.end(outcome);
    }));
    Ok(Answer::Accepted(id))
}

/// None when it was cancelled.
async fn learn_from_store(
    shared: &Shared,
    by: &By,
    (searcher, selection): (&Searcher, &Selection),
    turn: OwnedSemaphorePermit,
    job: Option<&Arc<Running>>,
) -> Result<Option<Value>, Problem> {
    let Some(pages) = read_store(shared, searcher, selection, job.map(AsRef::as_ref)).await? else {
        return Ok(None);
    };
    let (shared, by, job) = (shared.clone(), by.clone(), job.cloned());
    blocking(move || {
        let _turn = turn;
        let (job, mut records) = (job.as_deref(), Records::new());
        let received = now();
        for page in &pages {
            if cancel_of(&shared, job).is_cancelled() {
                return Ok(None);
            }
            records.add(&shared, Format::Ndjson, page, received);
        }
        records.usable(&shared)?.learn(&shared, &by, job)
    })
    .await?
}

/// The newest matching events as lines, oldest first, within the bounds of a body; None when it was
/// cancelled.
async fn read_store(
    shared: &Shared,
    searcher: &Searcher,
    selection: &Selection,
    job: Option<&Running>,
) -> Result<Option<Vec<Vec<u8>>>, Problem> {
    let (config, cancel) = (&shared.state.config, cancel_of(shared, job));
    let (mut pages, mut events, mut bytes) = (Vec::new(), 0, 0);
    let mut after: Option<SortKey> = None;
    while events < config.train_events_max {
        let limit = PAGE.min(config.train_events_max - events);
        let request = SearchRequest {
            after,
            bytes_max: PAGE_BYTES_MAX,
            ..SearchRequest::new(selection.clone(), limit)
        };
        let Some(found) = cancel.run_until_cancelled(searcher.search(request, &Limits::none())).await else {
            return Ok(None);
        };
        let found = found.map_err(unanswered)?.result;
        let mut page = Vec::new();
        for hit in found.hits.iter().rev() {
            write_line(&hit.document, &mut page);
        }
        events += found.hits.len();
        bytes += page.len();
        if bytes > config.body.bytes_max {
            break;
        }
        pages.push(page);
        if let Some(job) = job {
            let total = found.total.min(config.train_events_max as u64);
            job.progress("reading", events as u64, total.max(events as u64));
        }
        after = found.next;
        if after.is_none() || found.hits.is_empty() {
            break;
        }
    }
    pages.reverse();
    Ok(Some(pages))
}

/// What tells a training to end: its job, or the stop of the service.
fn cancel_of<'a>(shared: &'a Shared, job: Option<&'a Running>) -> &'a Stop {
    job.map_or(&shared.state.stop, Running::cancel)
}

/// The answer to who waited for a training, which nothing but a stop cancels.
fn served(trained: Option<Value>) -> Result<Answer, Problem> {
    let ending = || stopping("the service is stopping, and no model was made; send this again later");
    trained.map(Answer::Trained).ok_or_else(ending)
}

/// The document without what the analysis added and without its second copy of the message.
fn write_line(document: &Document, out: &mut Vec<u8>) {
    let mut document = document.clone();
    document.remove(event::field::ANOMALY_SCORE.split('.').next().unwrap_or_default());
    if let Some(Value::Object(event)) = document.get_mut("event") {
        event.remove("original");
    }
    out.extend_from_slice(Value::Object(document).to_string().as_bytes());
    out.push(b'\n');
}

/// The selection of a body such as `{"source":"store","query":"level:error"}`; None for logs.
fn store_request(payload: &Payload, now: Timestamp) -> Result<Option<Selection>, Problem> {
    if payload.format == Format::Lines || payload.bytes.len() > STORE_REQUEST_BYTES_MAX {
        return Ok(None);
    }
    let Ok(object) = serde_json::from_slice::<Document>(&payload.bytes) else { return Ok(None) };
    if object.get("source").and_then(Value::as_str) != Some("store") || object.contains_key("message") {
        return Ok(None);
    }
    const KNOWN: [&str; 4] = ["source", "query", "from", "to"];
    if let Some(unknown) = object.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(bad_parameter(
            unknown,
            format!("'{unknown}' is no member of a request to learn from the store"),
        ));
    }
    let text = |name: &str| match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => Err(bad_parameter(name, format!("'{name}' must be a string"))),
    };
    let time = |name| text(name)?.map(|text| parse_time(name, text, now)).transpose();
    Ok(Some(Selection {
        query: parse_query("query", text("query")?.unwrap_or_default(), now)?,
        from: time("from")?,
        to: time("to")?,
    }))
}

/// What there is to learn from: events, and what was refused.
struct Records<'a> {
    events: Vec<Event<'a>>,
    /// Whether there were more than may be.
    too_many: bool,
    refused: Vec<Value>,
    refused_total: u64,
    begun: Instant,
}

impl<'a> Records<'a> {
    fn new() -> Self {
        let begun = Instant::now();
        Self { events: Vec::new(), too_many: false, refused: Vec::new(), refused_total: 0, begun }
    }

    /// Takes the records of a body, or of a part of one that has a record a line.
    fn add(&mut self, shared: &Shared, format: Format, bytes: &'a [u8], received: Timestamp) {
        let max = shared.state.config.train_events_max;
        let before = self.events.len() as u64 + self.refused_total;
        parse::body(format, bytes, &shared.context(received), |record| match record {
            Ok(event) if self.events.len() < max => self.events.push(event),
            Ok(_) => self.too_many = true,
            Err(mut problem) => {
                problem.line += before;
                self.refused_total += 1;
                if self.refused.len() < REFUSED_LISTED {
                    self.refused.push(refused_json(&problem));
                }
            }
        });
    }

    /// Refuses too many, and none.
    fn usable(self, shared: &Shared) -> Result<Self, Problem> {
        if self.too_many {
            let max = shared.state.config.train_events_max;
            let detail = format!("at most {max} logs make one model; send fewer, or learn from the store");
            let title = "Too many logs";
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many_events", title, detail));
        }
        if self.events.is_empty() {
            let first = self.refused.first().map_or_else(
                || "the body holds no log".to_owned(),
                |problem: &Value| {
                    format!("line {}: {}", problem["line"], problem["reason"].as_str().unwrap_or_default())
                },
            );
            return Err(unusable(first)
                .member("rejected", self.refused)
                .member("rejected_total", self.refused_total));
        }
        Ok(self)
    }

    /// None when it was cancelled: the model before serves on.
    fn learn(self, shared: &Shared, by: &By, job: Option<&Running>) -> Result<Option<Value>, Problem> {
        let decision = by
            .decides(Action::ModelTrained)
            .with("events", self.events.len())
            .with_some("job", job.map(Running::id));
        let work = || self.trained(shared, job);
        by.carry_out(decision, work, |trained, decision| match trained {
            Some(json) => decision
                .about(json["model"].as_str().unwrap_or_default())
                .with("state", json["state"].clone()),
            None => decision.with("cancelled", true),
        })
    }

    fn trained(self, shared: &Shared, job: Option<&Running>) -> Result<Option<Value>, Problem> {
        let (total, cancel) = (self.events.len() as u64, cancel_of(shared, job));
        let mut watch = |learned| {
            if let Some(job) = job {
                job.progress("training", learned, total);
            }
            if cancel.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let trained = match shared.state.service.train_watched(&self.events, &mut watch) {
            Ok(trained) => trained,
            Err(TrainError::Cancelled) => return Ok(None),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "training failed");
                let detail = "no model could be made of these logs, and the one before goes on serving; \
                              the server's log says why";
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                return Err(Problem::new(status, "train_failed", "Training failed", detail));
            }
        };
        let mut json = json!({
            "model": trained.model,
            "state": model_state(trained.state),
            "events": trained.events,
            "templates": trained.templates,
            "duration_ms": self.begun.elapsed().as_millis() as u64,
            "rejected": self.refused,
            "rejected_total": self.refused_total,
        });
        if trained.needed > 0 {
            json["needed"] = trained.needed.into();
        }
        Ok(Some(json))
    }
}

fn unusable(why: String) -> Problem {
    let detail = format!("there is nothing to learn from: {why}");
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "nothing_to_learn", "Nothing to learn from", detail)
}
