//! `POST /logs`: JSON, NDJSON or plain lines, answered once they are durable.
//!
//! A body passes through these steps: headers, reading within the bounds and decompressing ([`body`]),
//! parsing straight into a journal batch ([`admission`]), appending, answering ([`answer`]). Whatever goes wrong before the append leaves nothing behind.

mod admission;
mod answer;
mod idempotency;
mod truncate;
mod wait;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use admission::Growing;
use answer::{Answer, Expired, Truncated};
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware,
    response::{IntoResponse, Response},
    routing,
};
use body::{Budget, Encoding, Held, Taken};
use event::{Position, Timestamp};
use idempotency::{Key, Locks, Remembered};
use journal::{Batch, Journal};
use metrics::counter;
use parse::Format;
use problem::{Problem, StatusCode};
use telemetry::{ledger, metric, task::Stop};
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
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Of bodies. The batches made of them may take as much again as all bodies together; a body whose
    /// events alone pass it is answered 413.
    pub body: body::Config,
    /// The age from which stored events are deleted: what is older already is said in the answer. Setting
    /// `LOG_SENTINEL_RETENTION`.
    pub retention: Option<Duration>,
    /// How records are understood.
    pub parsing: Parsing,
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
    bodies: body::Reader,
    /// Of the batches that bodies become.
    batches: Arc<Budget>,
    locks: Locks,
}

impl Intake {
    /// An intake into `journal`. Without `indexed` nobody can wait for an index, and
    /// `?wait=indexed` answers `"indexed":false` at once. At a stop half-sent bodies are no longer waited for.
    pub fn new(journal: Journal, config: Config, clock: Clock, indexed: Option<Indexed>, stop: Stop) -> Self {
        let bodies = body::Reader::new(config.body.clone(), stop);
        let batches = Budget::new(config.body.in_flight_bytes_max);
        let locks = Locks::new();
        Self { shared: Arc::new(Shared { journal, config, clock, indexed, bodies, batches, locks }) }
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
    let format = body::format(&parts.headers)?;
    let encoding = body::encoding(&parts.headers)?;
    let key = Key::of(&parts.headers)?;
    let Taken { bytes: raw, held } = shared.bodies.read(body).await?;
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
    let Appended { mut answer, end, replayed } = appended;
    if let Some(timeout) = wait {
        answer.indexed = Some(match &shared.indexed {
            Some(indexed) => indexed(end, timeout).await,
            None => false,
        });
    }
    let mut response = answer.into_response();
    if replayed {
        response.headers_mut().insert(idempotency::REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// What became of a body.
struct Appended {
    answer: Answer,
    /// Behind its events.
    end: Position,
    /// Whether an earlier request had brought it.
    replayed: bool,
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
        let body = body::decode(raw, encoding, self.config.body.bytes_max, &mut held)?;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(answer::empty());
        }
        let format = format.unwrap_or_else(|| body::sniff(&body));
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
        let (mut answer, mut truncated, mut expired) = (Answer::default(), 0, 0);
        let bytes_max = context.line_bytes_max;
        let kept_from = self.config.retention.map_or(Timestamp::MIN, |age| {
            received.saturating_add(i64::try_from(age.as_nanos()).unwrap_or(i64::MAX).saturating_neg())
        });
        parse::body(
            format,
            &body,
            &context,
            &mut |mut event| {
                truncated += u64::from(truncate::bound(&mut event, bytes_max));
                expired += u64::from(event.timestamp < kept_from);
                growing.push(&event);
            },
            &mut |problem| answer.reject(problem),
        );
        let (batch, batch_held) = growing.finish()?;
        if truncated > 0 {
            answer.truncated = Some(Truncated::new(truncated, bytes_max));
        }
        if let Some(retention) = self.config.retention.filter(|_| expired > 0) {
            answer.expired = Some(Expired::new(expired, retention));
        }
        answer.accepted = batch.len() as u64;
        if answer.accepted == 0 {
            counter!(metric::REJECTED_EVENTS).increment(answer.rejected_total);
            return Err(answer.refusal());
        }
        let body_hash = if hashed { idempotency::hash(&body) } else { [0; 16] };
        Ok(Prepared { batch, answer, body_bytes: body.len() as u64, body_hash, _held: [held, batch_held] })
    }

    /// Appends, unless the key's answer is known already.
    async fn append(self: Arc<Self>, prepared: Prepared, key: Option<Key>) -> Result<Appended, Problem> {
        let Prepared { mut batch, answer, body_bytes, body_hash, _held } = prepared;
        let mut _alone: Option<OwnedMutexGuard<()>> = None;
        if let Some(key) = key {
            _alone = Some(self.locks.lock(key).await);
            if let Some(remembered) = Remembered::find(&self.journal, key, body_hash)? {
                let end = self.journal.end().max(remembered.end);
                return Ok(Appended { answer: remembered.answer, end, replayed: true });
            }
            batch.note(idempotency::note(key, body_hash, body_bytes, self.journal.end(), &answer));
        }
        let bytes = batch.bytes();
        let appended = self.journal.append(batch).await;
        let appended = appended.map_err(|error| admission::not_appended(&error, bytes))?;
        ledger::received(answer.accepted);
        counter!(metric::REJECTED_EVENTS).increment(answer.rejected_total);
        counter!(metric::RECEIVED_BYTES).increment(body_bytes);
        if answer.expired.is_some() {
            counter!(metric::EXPIRED_ON_ARRIVAL).increment(answer.expired_records());
        }
        Ok(Appended { answer, end: appended.end, replayed: false })
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
