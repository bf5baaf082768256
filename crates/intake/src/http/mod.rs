//! `POST /logs`: JSON, NDJSON or plain lines, answered once they are durable.
//!
//! A body passes through these steps: headers ([`content`]), reading within the bounds ([`body`],
//! [`admission`]), decompressing, parsing straight into a journal batch, appending, answering
//! ([`answer`]). Whatever goes wrong before the append leaves nothing behind.

mod admission;
mod answer;
mod body;
mod content;
mod idempotency;
mod truncate;
mod wait;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use admission::{Budget, Growing, Held};
use answer::{Answer, Truncated};
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware,
    response::{IntoResponse, Response},
    routing,
};
use body::Pace;
use content::Encoding;
use event::{Position, Timestamp};
use idempotency::{Key, Locks, Remembered};
use journal::{Batch, Journal};
use metrics::counter;
use parse::Format;
use problem::{Problem, StatusCode};
use telemetry::{ledger, metric};
use tokio::sync::OwnedMutexGuard;
use wait::Params;

use crate::{Clock, Parsing};

/// Bodies up to this size are parsed where they arrive: it takes less than half a millisecond.
const INLINE_BYTES_MAX: usize = 64 * 1024;
/// A year is chosen so that a stamp lies nearest to some time. What a file holds was written before the file
/// was last written: nearest to half a year before that is the latest year that is not after it, but for
/// half a day, which clocks and zones may be apart.
const HALF_A_YEAR_NANOS: i64 = 182 * 86_400 * 1_000_000_000;

/// Bounds of the HTTP intake.
#[derive(Debug, Clone)]
pub struct Config {
    /// Largest body in bytes, before and after decompression (100 MiB by default); beyond it 413.
    /// Setting `LOG_SENTINEL_BODY_BYTES_MAX`.
    pub body_bytes_max: usize,
    /// Bytes of bodies held at a time between arrival and answer (128 MiB by default); beyond it
    /// 429. The batches made of them may take as much again; a body whose events alone pass it is
    /// answered 413. Must be at least `body_bytes_max`. Setting `LOG_SENTINEL_IN_FLIGHT_BYTES_MAX`.
    pub in_flight_bytes_max: usize,
    /// How long a body may pause while it arrives (30 s by default); then 408.
    pub body_idle_max: Duration,
    /// Bytes a second that a body must bring on average, once it has taken `body_idle_max` (16 KiB by
    /// default); else 408.
    pub body_rate_min: usize,
    /// How records are understood.
    pub parsing: Parsing,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            body_bytes_max: 100 << 20,
            in_flight_bytes_max: 128 << 20,
            body_idle_max: Duration::from_secs(30),
            body_rate_min: 16 << 10,
            parsing: Parsing::default(),
        }
    }
}

/// Waits until the index has everything before a position, for so long at most; tells whether it has.
pub type Indexed =
    Arc<dyn Fn(Position, Duration) -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

/// The HTTP intake. Clones share it.
#[derive(Clone)]
pub struct Intake {
    shared: Arc<Shared>,
}

struct Shared {
    journal: Journal,
    config: Config,
    clock: Clock,
    indexed: Option<Indexed>,
    budget: Arc<Budget>,
    /// Of the batches that bodies become.
    batches: Arc<Budget>,
    locks: Locks,
}

impl Intake {
    /// An intake into `journal`. Without `indexed` nobody can wait for an index, and
    /// `?wait=indexed` answers `"indexed":false` at once.
    pub fn new(journal: Journal, config: Config, clock: Clock, indexed: Option<Indexed>) -> Self {
        let budget = Budget::new(config.in_flight_bytes_max);
        let batches = Budget::new(config.in_flight_bytes_max);
        let locks = Locks::new();
        Self { shared: Arc::new(Shared { journal, config, clock, indexed, budget, batches, locks }) }
    }
}

/// The routes of the HTTP intake.
pub fn router(intake: Intake) -> Router {
    Router::new()
        .route("/logs", routing::post(logs).fallback(method_not_allowed))
        .route_layer(middleware::from_fn(problem::request_id_layer))
        .with_state(intake)
}

async fn method_not_allowed() -> Response {
    let problem = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This method is not allowed here",
        "Events are sent with POST.",
    );
    let mut response = problem.into_response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

async fn logs(State(intake): State<Intake>, request: Request) -> Result<Response, Problem> {
    let shared = intake.shared;
    let (parts, body) = request.into_parts();
    let params = Params::of(&parts.uri)?;
    let format = content::format(&parts.headers)?;
    let encoding = content::encoding(&parts.headers)?;
    let key = Key::of(&parts.headers)?;
    let mut held = Held::none(&shared.budget);
    let config = &shared.config;
    let pace = Pace { idle_max: config.body_idle_max, rate_min: config.body_rate_min };
    let raw = body::read(body, config.body_bytes_max, pace, &mut held).await?;
    let Params { wait, path, modified } = params;
    let work = Work { raw, encoding, format, path, modified, hashed: key.is_some(), held };
    let prepared = if encoding == Encoding::Identity && work.raw.len() <= INLINE_BYTES_MAX {
        shared.prepare(work)?
    } else {
        let shared = shared.clone();
        let prepared = tokio::task::spawn_blocking(move || shared.prepare(work)).await;
        prepared.map_err(|_| unexpected())??
    };
    // A task of its own, so that what is appended is also counted and remembered when the client
    // goes away meanwhile.
    let append = shared.clone().append(prepared, key);
    let appended = telemetry::task::spawn("append", append).await.map_err(|_| unexpected())??;
    let (mut answer, end) = appended;
    if let Some(timeout) = wait {
        answer.indexed = Some(match &shared.indexed {
            Some(indexed) => indexed(end, timeout).await,
            None => false,
        });
    }
    Ok(answer.into_response())
}

/// A body on its way to the journal.
struct Work {
    raw: Vec<u8>,
    encoding: Encoding,
    format: Option<Format>,
    path: Option<String>,
    modified: Option<Timestamp>,
    hashed: bool,
    held: Held,
}

/// A body that became a batch.
struct Prepared {
    batch: Batch,
    answer: Answer,
    /// Uncompressed.
    body_bytes: u64,
    body_hash: [u8; 16],
    /// Given back once the batch is in the journal.
    _held: [Held; 2],
}

impl Shared {
    /// Decompresses and parses: all that takes CPU time.
    fn prepare(&self, work: Work) -> Result<Prepared, Problem> {
        let Work { raw, encoding, format, path, modified, hashed, mut held } = work;
        let body = body::decode(raw, encoding, self.config.body_bytes_max, &mut held)?;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(answer::empty());
        }
        let format = format.unwrap_or_else(|| content::sniff(&body));
        let received: Timestamp = (self.clock)();
        let context = parse::Context {
            received,
            near: modified.map_or(received, |written| written.saturating_add(-HALF_A_YEAR_NANOS)),
            zone: &self.config.parsing.zone,
            file: path.as_deref(),
            host: None,
            line_bytes_max: self.config.parsing.line_bytes_max,
        };
        let mut growing = Growing::new(&self.batches);
        let (mut answer, mut truncated) = (Answer::default(), 0);
        let bytes_max = context.line_bytes_max;
        parse::body(
            format,
            &body,
            &context,
            &mut |mut event| {
                truncated += u64::from(truncate::bound(&mut event, bytes_max));
                growing.push(&event);
            },
            &mut |problem| answer.reject(problem),
        );
        let (batch, batch_held) = growing.finish()?;
        if truncated > 0 {
            answer.truncated = Some(Truncated::new(truncated, bytes_max));
        }
        answer.accepted = batch.len() as u64;
        if answer.accepted == 0 {
            counter!(metric::REJECTED_EVENTS).increment(answer.rejected_total);
            return Err(answer.refusal());
        }
        let body_hash = if hashed { idempotency::hash(&body) } else { [0; 16] };
        Ok(Prepared { batch, answer, body_bytes: body.len() as u64, body_hash, _held: [held, batch_held] })
    }

    /// Appends, unless the key's answer is known already; gives the answer and the position behind
    /// the events.
    async fn append(
        self: Arc<Self>,
        prepared: Prepared,
        key: Option<Key>,
    ) -> Result<(Answer, Position), Problem> {
        let Prepared { mut batch, answer, body_bytes, body_hash, _held } = prepared;
        let mut _alone: Option<OwnedMutexGuard<()>> = None;
        if let Some(key) = key {
            _alone = Some(self.locks.lock(key).await);
            if let Some(remembered) = Remembered::find(&self.journal, key, body_hash)? {
                return Ok((remembered.answer, self.journal.end().max(remembered.end)));
            }
            batch.note(idempotency::note(key, body_hash, self.journal.end(), &answer));
        }
        let bytes = batch.bytes();
        let appended = self.journal.append(batch).await;
        let appended = appended.map_err(|error| admission::not_appended(&error, bytes))?;
        ledger::received(answer.accepted);
        counter!(metric::REJECTED_EVENTS).increment(answer.rejected_total);
        counter!(metric::RECEIVED_BYTES).increment(body_bytes);
        Ok((answer, appended.end))
    }
}

/// A panic while a body was parsed or appended: a defect of ours, already logged.
fn unexpected() -> Problem {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Something went wrong here",
        "The request was not acknowledged. The log of the service says more under this request_id.",
    )
}
