//! `POST /logs`: JSON, NDJSON or plain lines, answered once they are durable.
//!
//! A body passes through these steps: headers, reading within the bounds and decompressing ([`body`]), the
//! [`Door`], answering ([`answer`]). Whatever goes wrong before the append leaves nothing behind.

mod answer;
mod idempotency;
mod wait;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use access::{Needs, Scope};
use answer::Answer;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware,
    response::{IntoResponse, Response},
    routing,
};
use body::{Decoded, Encoding, Held, Taken};
use event::{Position, Timestamp};
use idempotency::{Key, Locks, Remembered};
use parse::{Before, Format};
use problem::{Problem, StatusCode};
use telemetry::task::Stop;
use tokio::sync::OwnedMutexGuard;
use wait::Params;

use crate::{Delivery, Door, Origin, tail};

/// Bodies up to this size are parsed where they arrive: it takes less than half a millisecond.
const INLINE_BYTES_MAX: usize = 64 * 1024;
/// Waits until the index has everything before a position, for so long at most; tells whether it has.
pub type Indexed =
    Arc<dyn Fn(Position, Duration) -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

/// The HTTP intake. Clones share it.
#[derive(Clone)]
pub struct Intake {
    shared: Arc<Shared>,
}

struct Shared {
    door: Door,
    bodies: body::Reader,
    body_bytes_max: usize,
    indexed: Option<Indexed>,
    locks: Locks,
}

impl Intake {
    /// An intake through `door` of bodies within `bounds`. Without `indexed` nobody can wait for an index, and
    /// `?wait=indexed` answers `"indexed":false` at once. At a stop half-sent bodies are no longer waited for.
    pub fn new(door: Door, bounds: body::Config, indexed: Option<Indexed>, stop: Stop) -> Self {
        let body_bytes_max = bounds.bytes_max;
        let bodies = body::Reader::new(bounds, stop);
        Self { shared: Arc::new(Shared { door, bodies, body_bytes_max, indexed, locks: Locks::new() }) }
    }
}

/// What the routes of [`router`] ask of their callers: method, path, need.
pub const ROUTES: [(&str, &str, Needs); 1] = [("POST", "/logs", Needs::Scope(Scope::Ingest))];

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
    let caller = parts.extensions.get::<access::Caller>();
    let organization = caller.and_then(|caller| caller.organization.clone());
    let params = Params::of(&parts.uri)?;
    let format = body::format(&parts.headers)?;
    let encoding = body::encoding(&parts.headers)?;
    let key = Key::of(&parts.headers)?;
    let Taken { bytes: raw, held } = shared.bodies.read(body).await?;
    let Params { wait, path, modified, before, cut } = params;
    let hashed = key.is_some();
    let work = Work { raw, encoding, format, path, modified, before, cut, hashed, organization, held };
    let prepared = if encoding == Encoding::Identity && work.raw.len() <= INLINE_BYTES_MAX {
        shared.prepare(work)?
    } else {
        let shared = shared.clone();
        let prepared = tokio::task::spawn_blocking(move || shared.prepare(work)).await;
        prepared.map_err(|_| Problem::internal())??
    };
    // A task of its own, so that what is appended is also counted and remembered when the client
    // goes away meanwhile.
    let append = shared.clone().append(prepared, key);
    let appended = telemetry::task::spawn("append", append).await.map_err(|_| Problem::internal())??;
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

/// Whether a body is a file that is no text in any encoding: those of text have next to no control characters. What a
/// program wrote of somebody's bytes among its lines refuses nobody's lines, so a short body is never taken for one, and
/// a long one only when it is so wherever it is looked at.
fn is_binary(body: &[u8]) -> bool {
    const SAMPLE: usize = 4096;
    let is_control =
        |byte: &&u8| **byte < 0x20 && !matches!(**byte, b'\t' | b'\n' | b'\r' | 0x08 | 0x0c | 0x1b);
    let is_full_of_them = |from: usize| {
        let sample = &body[from..from + SAMPLE];
        sample.iter().filter(is_control).count() * 32 > sample.len()
    };
    let Some(last) = body.len().checked_sub(SAMPLE) else { return false };
    [0, last / 2, last].into_iter().all(is_full_of_them) && tail::is_binary(body)
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
    before: Option<Before>,
    cut: bool,
    hashed: bool,
    /// That of the sender's key.
    organization: Option<Arc<str>>,
    held: Held,
}

/// A body that became a delivery.
struct Prepared {
    delivery: Delivery,
    /// Uncompressed.
    body_bytes: u64,
    body_hash: [u8; 16],
    /// Given back once the delivery is in the journal.
    _held: Held,
}

impl Shared {
    /// Decompresses and parses: all that takes CPU time.
    fn prepare(&self, work: Work) -> Result<Prepared, Problem> {
        let Work { raw, encoding, format, path, modified, before, cut, hashed, organization, mut held } =
            work;
        let encoding = body::unpacking(&raw, encoding)?;
        let Decoded { bytes: body, has_rubbish } =
            body::unpack(raw, encoding, self.body_bytes_max, &mut held)?;
        body::plain(&body)?;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(answer::empty());
        }
        let format = format.unwrap_or_else(|| body::sniff(&body));
        if format == Format::Lines && is_binary(&body) {
            return Err(answer::no_text());
        }
        let mut delivery = self.door.delivery();
        delivery.stamp(organization);
        let origin = Origin {
            file: path.as_deref(),
            written: modified,
            host: None,
            before: before.as_ref(),
            is_cut: cut,
        };
        self.door.read(&mut delivery, &origin, format, &body);
        if has_rubbish {
            delivery.put(Err(answer::rubbish(&body)));
        }
        delivery.fits()?;
        if delivery.counts().accepted == 0 {
            self.door.turn_away(&delivery);
            return Err(Answer::of(&delivery, self.door.config()).refusal());
        }
        let body_hash = if hashed { idempotency::hash(&body) } else { [0; 16] };
        Ok(Prepared { delivery, body_bytes: body.len() as u64, body_hash, _held: held })
    }

    /// Appends, unless the key's answer is known already.
    async fn append(self: Arc<Self>, prepared: Prepared, key: Option<Key>) -> Result<Appended, Problem> {
        let Prepared { mut delivery, body_bytes, body_hash, _held } = prepared;
        let (answer, journal) = (Answer::of(&delivery, self.door.config()), self.door.journal());
        let mut _alone: Option<OwnedMutexGuard<()>> = None;
        if let Some(key) = key {
            _alone = Some(self.locks.lock(key).await);
            if let Some(remembered) = Remembered::find(journal, key, body_hash)? {
                let end = journal.end().max(remembered.end);
                return Ok(Appended { answer: remembered.answer, end, replayed: true });
            }
            delivery.note(idempotency::note(key, body_hash, body_bytes, journal.end(), &answer));
        }
        let receipt = self.door.append(delivery).await?;
        Ok(Appended { answer, end: receipt.end, replayed: false })
    }
}
