//! Brings batches to the cluster: serialised when they are given, sent by a few workers, counted as
//! written in order.
//!
//! ```text
//! write ─► queue (bounded in bytes) ─► workers ─► _bulk ─► each item: done | again | dead letter
//!                 ▲  Progress: everything before this position is done  │
//!                 └─────────────────────────────────────────────────────┘
//! ```

pub(super) mod amend;
mod bulk;
mod collision;
mod deliver;
pub(super) mod existing;
mod fresh;
mod pace;
mod progress;
mod queue;
pub(super) mod retention;
mod shared;
mod trouble;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use event::{Batch, JournalId, Position, codec};
use telemetry::{
    health::Component,
    in_words, metric,
    task::{Stop, Tasks},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use self::{
    bulk::Entry,
    collision::Collisions,
    deliver::Worker,
    fresh::Freshness,
    pace::Pace,
    queue::Queue,
    shared::{Attached, Shared},
    trouble::{OVERDUE, Refusals, Troubles, UPKEEP},
};
use super::{Body, Cluster, ClusterError, Config, Flavor, Method, Request, document::Serializer};
use crate::{DeadLetters, IndexError, IndexStats};

/// Figures are fetched at every so many turns of the upkeep.
const FIGURES_EVERY: u32 = 10;

pub(super) struct Writer {
    shared: Arc<Shared>,
    write_wait: Duration,
    keep_original: bool,
}

impl Writer {
    /// Starts the workers and the upkeep; they end with `tasks`.
    pub(super) fn start(
        config: &Config,
        cluster: Cluster,
        dead_letters: Arc<dyn DeadLetters>,
        health: Component,
        tasks: &Tasks,
    ) -> Self {
        let shared = Arc::new(Shared {
            cluster,
            data_stream: config.data_stream.clone(),
            request_timeout: config.request_timeout,
            retry_min: config.retry_min,
            retry_max: config.retry_max,
            queue: Queue::new(config.in_flight_bytes_max),
            pace: Mutex::new(Pace::new(config.bulk_bytes_max, config.concurrency_max)),
            // A question waits for it and then for its answer.
            fresh: Freshness::new(&config.data_stream, config.query_timeout / 2),
            troubles: Troubles::new(health),
            dead_letters,
            accepted: AtomicU64::new(0),
            figures: Mutex::default(),
            attached: Mutex::default(),
            sending: Mutex::default(),
            slow_after: config.slow_after,
            collisions: Collisions::default(),
            refusals: Refusals::default(),
        });
        for number in 0..config.concurrency_max.max(1) {
            let worker = Worker { shared: shared.clone(), number };
            tasks.spawn(format!("elastic-writer-{number}"), worker.run(tasks.stop()));
        }
        tasks.spawn("elastic-upkeep", upkeep(shared.clone(), config.upkeep_interval, tasks.stop()));
        Self { shared, write_wait: config.write_wait, keep_original: config.keep_original }
    }

    pub(super) fn attach(&self, journal: JournalId, cursor: Position, end: Position) -> Position {
        // Told before the first write, once for each id that the journal has had; the newest comes last.
        *self.shared.attached() = Some(Attached { journal, end, since: Instant::now() });
        self.shared.queue.start(cursor);
        cursor
    }

    pub(super) fn journal(&self) -> JournalId {
        self.shared.attached().map_or(JournalId(0), |attached| attached.journal)
    }

    pub(super) fn collided(&self) -> Option<JournalId> {
        self.shared.collisions.journal()
    }

    /// Takes a batch if there is room for it in time.
    pub(super) async fn write(&self, batch: &Batch<'_>) -> Result<(), IndexError> {
        let queue = &self.shared.queue;
        let push = async {
            // Nothing is serialised in vain while there is no room at all.
            queue.room().await;
            let entries = self.serialised(batch);
            queue.push(batch.end, entries).await;
        };
        timeout(self.write_wait, push).await.map_err(|_| {
            metrics::counter!(metric::ELASTIC_REFUSED_WRITES).increment(1);
            let held = queue.held();
            IndexError::Busy { events: held.events as u64, bytes: held.bytes as u64 }
        })
    }

    fn serialised(&self, batch: &Batch<'_>) -> Vec<Entry> {
        let Some(last) = batch.events.last() else { return Vec::new() };
        let attached = {
            let mut attached = self.shared.attached();
            let unknown =
                || Attached { journal: last.id.journal, end: Position::default(), since: Instant::now() };
            let attached = attached.get_or_insert_with(unknown);
            attached.journal = last.id.journal;
            *attached
        };
        let server = self.shared.cluster.known_server();
        let cuts_values = server.is_some_and(|server| server.flavor == Flavor::OpenSearch);
        let mut serializer = Serializer::new(self.keep_original, cuts_values);
        let (mut lines, mut records) = (Vec::new(), Vec::new());
        let ends: Vec<(usize, usize)> = batch
            .events
            .iter()
            .map(|analyzed| {
                serializer.append(analyzed, &mut lines);
                codec::encode(&analyzed.event, &mut records);
                (lines.len(), records.len())
            })
            .collect();
        let (lines, records) = (Bytes::from(lines), Bytes::from(records));
        let mut start = (0, 0);
        let entries = batch.events.iter().zip(ends).map(|(analyzed, end)| {
            let is_suspect = analyzed.id.position < attached.end;
            let entry = Entry {
                id: analyzed.id,
                lines: lines.slice(start.0..end.0),
                record: records.slice(start.1..end.1),
                batch: 0,
                suspect: is_suspect.then_some(attached.since),
                is_fitted: false,
            };
            start = end;
            entry
        });
        entries.collect()
    }

    pub(super) fn acknowledged(&self) -> Position {
        self.shared.queue.acknowledged()
    }

    pub(super) fn watch(&self) -> watch::Receiver<Position> {
        self.shared.queue.watch()
    }

    /// Documents that were written before may have changed until now: the next question is to see them so.
    pub(super) fn change(&self) {
        self.shared.fresh.change();
    }

    /// Makes what is acknowledged or changed visible; gives the position that this covers.
    pub(super) async fn cover(&self) -> Result<Position, ClusterError> {
        self.shared.fresh.cover(&self.shared.cluster, &self.shared.queue).await
    }

    pub(super) fn stats(&self) -> IndexStats {
        let open_events = self.shared.queue.held().events as u64;
        IndexStats { open_events, ..*self.shared.figures() }
    }
}

/// Looks after nodes that were taken out, fetches figures and exports metrics, from time to time.
async fn upkeep(shared: Arc<Shared>, interval: Duration, stop: Stop) {
    let mut turn: u32 = 0;
    loop {
        let round = async {
            shared.cluster.nodes().probe_due().await;
            if turn.is_multiple_of(FIGURES_EVERY) {
                look_after(&shared).await;
            }
            match shared.overdue() {
                Some(age) => shared.troubles.set(
                    OVERDUE,
                    format!(
                        "a bulk has waited {} s for the cluster's answer; look at its load, disks and processes",
                        age.as_secs()
                    ),
                ),
                None => shared.troubles.clear(OVERDUE, &shared.cluster),
            }
            export(&shared);
            sleep(interval).await;
        };
        if stop.run_until_cancelled(round).await.is_none() {
            return;
        }
        turn = turn.wrapping_add(1);
    }
}

/// Fetches the figures; this also notices a cluster that cannot be worked with before events come.
async fn look_after(shared: &Shared) {
    let figures = async {
        shared.server().await?;
        fetch_figures(shared).await
    };
    match figures.await {
        Ok(figures) => {
            *shared.figures() = figures;
            shared.troubles.clear(UPKEEP, &shared.cluster);
        }
        // Before anything is written there is nothing to be found.
        Err(ClusterError::Missing { .. }) => shared.troubles.clear(UPKEEP, &shared.cluster),
        Err(error) => shared.troubles.set(UPKEEP, in_words(&error)),
    }
}

async fn fetch_figures(shared: &Shared) -> Result<IndexStats, ClusterError> {
    let request = Request {
        method: Method::Get,
        path: format!("{}/_stats/docs,store,segments", shared.data_stream).into(),
        query: vec![("filter_path", "_all.primaries.*.count,_all.primaries.store.size_in_bytes".into())],
        body: Body::None,
        // Also how a cluster that hangs is noticed while nothing is written.
        timeout: shared.request_timeout.min(shared.slow_after / 2),
        action: "fetch the figures of the index",
    };
    let json = shared.cluster.send(request).await?.require_success()?.json()?;
    let primaries = &json["_all"]["primaries"];
    let figure = |of: &str, what: &str| primaries[of][what].as_u64().unwrap_or_default();
    Ok(IndexStats {
        events: figure("docs", "count"),
        bytes: figure("store", "size_in_bytes"),
        segments: figure("segments", "count"),
        ..IndexStats::default()
    })
}

fn export(shared: &Shared) {
    let (bulk_bytes, concurrency, latency) = {
        let pace = shared.pace();
        (pace.bulk_bytes(), pace.concurrency(), pace.document_latency())
    };
    metrics::gauge!(metric::ELASTIC_BULK_BYTES).set(bulk_bytes as f64);
    metrics::gauge!(metric::ELASTIC_CONCURRENCY).set(concurrency as f64);
    metrics::gauge!(metric::ELASTIC_DOCUMENT_SECONDS).set(latency.as_secs_f64());
    metrics::gauge!(metric::ELASTIC_IN_FLIGHT_BYTES).set(shared.queue.held().bytes as f64);
    metrics::gauge!(metric::ELASTIC_NODES_OUT).set(shared.cluster.nodes().out().len() as f64);
    metrics::counter!(metric::ELASTIC_ACCEPTED_BULKS).absolute(shared.accepted.load(Ordering::Relaxed));
}
