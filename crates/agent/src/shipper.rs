//! Sends what waits: samples in order, at a bounded rate after an outage, and logs beside them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use event::Position;
use intake::Clock;
use journal::{Batch, Cursor, Journal, Note};
use retry::Backoff;
use serde_json::Value as Json;
use telemetry::{
    health::Component,
    task::{Stop, blocking},
};
use tokio::{sync::watch, time::Instant};
use tracing::{info, warn};

use crate::{
    answer::Outcome,
    buffer::{Buffer, Waiting},
    configuration::{Document, Monitoring},
    lines, measured,
    sampler::Current,
    server::Server,
    taken::{Given, Kept},
};

/// Samples of one request.
const SAMPLES_MAX: usize = 60;
/// The bounds of pauses after failures grow from the first to the second.
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(60);
/// A server may ask for a longer pause, but not for a longer one than this.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(600);
/// Events of one request, as bytes of the journal.
const LOGS_BYTES: usize = 512 << 10;
/// Between two requests with logs while many wait.
const LOGS_PAUSE: Duration = Duration::from_millis(100);
/// After new events it is waited so long for more of them.
const LOGS_GATHER: Duration = Duration::from_secs(1);
/// What is being sent: its first record and the one behind its last.
const SENDING: &[u8] = b"agent/sending";

/// Sends samples.
pub(crate) struct Samples {
    pub(crate) server: Server,
    pub(crate) buffer: Arc<Buffer>,
    pub(crate) follower: Follower,
    pub(crate) per_second: u32,
    pub(crate) clock: Clock,
    pub(crate) health: Component,
}

/// Takes over what the server wants to have measured.
pub(crate) struct Follower {
    /// The configuration without the server's part.
    pub(crate) document: Document,
    pub(crate) current: watch::Sender<Current>,
    pub(crate) kept: Kept,
}

/// What is said of a server, once.
struct Reach {
    health: Component,
    what: &'static str,
    backoff: Backoff,
    is_told: bool,
}

impl Reach {
    fn new(health: Component, what: &'static str) -> Self {
        Self { health, what, backoff: Backoff::new(RETRY_MIN, RETRY_MAX), is_told: false }
    }

    fn works(&mut self) {
        if std::mem::take(&mut self.is_told) {
            info!(what = self.what, "the collector takes them again");
        }
        self.backoff.reset();
        self.health.ok();
    }

    /// How long to wait.
    fn fails(&mut self, reason: &str, after: Option<Duration>) -> Duration {
        if !std::mem::replace(&mut self.is_told, true) {
            warn!(what = self.what, reason, "the collector does not take them; they are kept and sent later");
        }
        self.health.degraded(format!("the collector does not take {}: {reason}", self.what));
        self.backoff.pause().max(after.unwrap_or_default().min(RETRY_AFTER_MAX))
    }
}

/// Sends samples until told to stop.
pub(crate) async fn samples(mut samples: Samples, stop: Stop) {
    let mut reach = Reach::new(samples.health.clone(), "samples");
    let mut max = SAMPLES_MAX;
    let sending = async {
        loop {
            let (buffer, now) = (Arc::clone(&samples.buffer), measured::milliseconds((samples.clock)()));
            let Ok(read) = blocking("samples", move || buffer.waiting(max, now)).await else { return };
            let waiting = match read {
                Ok(waiting) if waiting.is_nothing() => {
                    samples.buffer.changed().await;
                    continue;
                }
                Ok(waiting) => waiting,
                Err(error) => {
                    tokio::time::sleep(reach.fails(&error.to_string(), None)).await;
                    continue;
                }
            };
            let began = Instant::now();
            let count = waiting.samples.len();
            let outcome = match count {
                0 => Outcome::Taken(Json::Null),
                _ => samples.server.samples(array(&waiting.samples)).await,
            };
            match outcome {
                Outcome::Taken(answer) => {
                    reach.works();
                    samples.follower.follow(&answer);
                    samples.done(waiting).await;
                    max = SAMPLES_MAX;
                }
                Outcome::Later { reason, after } => {
                    tokio::time::sleep(reach.fails(&reason, after)).await;
                    continue;
                }
                // One of them is not taken; alone it shows which.
                Outcome::Refused { .. } if count > 1 => {
                    max = 1;
                    continue;
                }
                Outcome::Refused { reason } => {
                    warn!(reason, "the collector refused a sample for good; it is given up");
                    samples.buffer.gave_up(1);
                    samples.done(waiting).await;
                }
            }
            // What waited comes at a bounded rate, whatever the collector would take.
            let pace = Duration::from_secs_f64(count as f64 / f64::from(samples.per_second.max(1)));
            tokio::time::sleep_until(began + pace).await;
        }
    };
    stop.run_until_cancelled(sending).await;
}

impl Samples {
    async fn done(&self, waiting: Waiting) {
        let buffer = Arc::clone(&self.buffer);
        match blocking("samples", move || buffer.done(&waiting)).await {
            Ok(Ok(())) | Err(_) => {}
            // They are sent again, and recognised there by their numbers.
            Ok(Err(error)) => warn!(%error, "cannot note which samples were sent"),
        }
    }
}

fn array(samples: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::with_capacity(samples.iter().map(|sample| sample.len() + 1).sum::<usize>() + 2);
    body.push(b'[');
    body.extend(samples.join(&b','));
    body.push(b']');
    body
}

impl Follower {
    /// What was kept of an earlier run holds from the start on.
    pub(crate) fn recall(&mut self) {
        match self.kept.read() {
            Ok(Some(given)) => self.take(&given),
            Ok(None) => false,
            Err(error) => {
                warn!(%error, "cannot read the configuration that the server gave; it gives it again");
                false
            }
        };
    }

    fn follow(&mut self, answer: &Json) {
        let Some(given) = Given::of(answer) else { return };
        if self.is_known(given.version) || !self.take(&given) {
            return;
        }
        info!(version = given.version, "measures what the server wants from now on");
        if let Err(error) = self.kept.keep(&given) {
            warn!(%error, "cannot keep the configuration that the server gave; after a restart it is asked for again");
        }
    }

    /// Whether this version is followed, or was refused.
    fn is_known(&self, version: u64) -> bool {
        let current = self.current.borrow();
        let refused = current.problem.as_ref().is_some_and(|problem| problem.starts_with(&refusal(version)));
        refused || (current.version == Some(version) && current.problem.is_none())
    }

    fn take(&self, given: &Given) -> bool {
        let mut document = self.document.clone();
        document.server(given.version, &given.monitoring);
        let problems = document.problems();
        let is_taken = problems.is_empty();
        self.current.send_modify(|current| {
            if is_taken {
                current.monitoring = Monitoring::of(&document);
                current.version = Some(given.version);
                current.problem = None;
                current.changes += 1;
            } else {
                let problem = format!("{}{}", refusal(given.version), problems.join("; "));
                warn!(problem, "the server's configuration is not taken");
                current.problem = Some(problem.chars().take(500).collect());
            }
        });
        is_taken
    }
}

fn refusal(version: u64) -> String {
    format!("version {version} is not taken: ")
}

/// Sends logs.
pub(crate) struct Events {
    pub(crate) server: Server,
    pub(crate) journal: Journal,
    pub(crate) cursor: Cursor,
    /// Tells this agent from others.
    pub(crate) id: String,
    pub(crate) waiting: Arc<AtomicU64>,
    pub(crate) health: Component,
}

/// A part of the journal as a request.
struct Request {
    body: Vec<u8>,
    from: Position,
    to: Position,
}

/// Sends logs until told to stop.
pub(crate) async fn events(mut events: Events, stop: Stop) {
    let mut reach = Reach::new(events.health.clone(), "logs");
    let mut end = events.journal.watch_end();
    let sending = async {
        loop {
            end.mark_unchanged();
            let reader = events.reader();
            let Ok(read) = blocking("logs", reader).await else { return };
            let request = match read {
                Ok(Some(request)) => request,
                Ok(None) => {
                    if end.changed().await.is_err() {
                        return;
                    }
                    tokio::time::sleep(LOGS_GATHER).await;
                    continue;
                }
                Err(reason) => {
                    tokio::time::sleep(reach.fails(&reason, None)).await;
                    continue;
                }
            };
            let key = format!("agent/{}/{}/{}", events.id, request.from, request.to);
            let outcome = match request.body.is_empty() {
                true => Outcome::Taken(Json::Null),
                false => events.server.logs(request.body, &key).await,
            };
            match outcome {
                Outcome::Taken(answer) => {
                    reach.works();
                    told(&answer);
                }
                Outcome::Later { reason, after } => {
                    tokio::time::sleep(reach.fails(&reason, after)).await;
                    continue;
                }
                Outcome::Refused { reason } => {
                    warn!(reason, from = %request.from, to = %request.to, "the collector refused these logs for good; they are given up");
                }
            }
            let to = request.to;
            let Ok((cursor, committed)) = blocking("logs", move || {
                let mut cursor = events.cursor;
                let committed = cursor.commit(to);
                (cursor, committed)
            })
            .await
            else {
                return;
            };
            events.cursor = cursor;
            if let Err(error) = committed {
                tokio::time::sleep(reach.fails(&error.to_string(), None)).await;
            }
            tokio::time::sleep(LOGS_PAUSE).await;
        }
    };
    stop.run_until_cancelled(sending).await;
}

/// Lines that the collector did not understand are told, not sent again.
fn told(answer: &Json) {
    if let Some(rejected) = answer["rejected"].as_u64().filter(|rejected| *rejected > 0) {
        warn!(rejected, "the collector did not take some of the logs");
    }
}

impl Events {
    /// Reads the next request. A request that may have been sent before is made of the same records again, so that the
    /// collector recognises it.
    fn reader(&self) -> impl FnOnce() -> Result<Option<Request>, String> + Send + use<> {
        let (journal, from) = (self.journal.clone(), self.cursor.position());
        let waiting = Arc::clone(&self.waiting);
        move || {
            let end = journal.end();
            waiting.store(between(&journal, from, end), Ordering::Relaxed);
            let begun = journal.note(SENDING).and_then(|note| positions(&note));
            let begun = begun.filter(|(begun_from, _)| *begun_from == from).map(|(_, to)| to);
            let records = journal.read(from, LOGS_BYTES).map_err(|error| error.to_string())?;
            if records.is_empty() && records.end() == from {
                return Ok(None);
            }
            let to = begun.unwrap_or_else(|| records.end());
            let mut body = Vec::with_capacity(2 * LOGS_BYTES);
            for (_, record) in records.iter().filter(|(position, _)| *position < to) {
                if let Err(error) = lines::write(record, &mut body) {
                    warn!(%error, "a record of the agent's journal holds no event; it is passed over");
                }
            }
            if begun.is_none() {
                let mut batch = Batch::new();
                let value = [place(from), place(to)].concat();
                batch.note(Note { key: SENDING.to_vec(), value: Some(value) });
                // Without the note a crash before the answer is noted may have these sent twice; a full disk is no
                // reason to send nothing.
                if let Err(error) = journal.append_blocking(batch) {
                    tracing::debug!(%error, "cannot note what is being sent");
                }
            }
            Ok(Some(Request { body, from, to }))
        }
    }
}

fn place(position: Position) -> Vec<u8> {
    [position.segment.to_le_bytes(), position.record.to_le_bytes()].concat()
}

fn positions(note: &[u8]) -> Option<(Position, Position)> {
    let number = |at: usize| Some(u32::from_le_bytes(note.get(at..at + 4)?.try_into().ok()?));
    let position = |at: usize| Some(Position { segment: number(at)?, record: number(at + 4)? });
    Some((position(0)?, position(8)?))
}

/// How many records there are from one position to another.
pub(crate) fn between(journal: &Journal, from: Position, to: Position) -> u64 {
    let ends = journal.segments().into_iter().filter(|end| end.segment >= from.segment && *end <= to);
    let of =
        |end: Position| end.record.saturating_sub(if end.segment == from.segment { from.record } else { 0 });
    ends.map(|end| u64::from(of(end))).sum()
}
