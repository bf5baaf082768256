//! A worker: brings its entries to the server, whatever that takes.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use event::EventId;
use retry::Backoff;
use telemetry::{in_words, ledger, metric, task::Stop};
use tokio::time::{Instant, sleep};

use super::{
    bulk::{self, Entry, Verdict},
    collision::Stamps,
    existing::{self, Place},
    shared::Shared,
};
use crate::elasticsearch::{Body, ClusterError, Method, Request};

/// A trouble that may pass by itself shows in the health after so many attempts.
const ATTEMPTS_QUIET: u32 = 3;
/// Documents with which whole bulks are refused, before it is held against the bulk as such.
const CULPRITS_MAX: usize = 16;

pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) number: usize,
}

/// What is known of suspects before they are sent.
struct Sifted {
    /// Backing indices at that time.
    indices: Vec<String>,
}

/// What became of entries whose ids are taken.
#[derive(Default)]
struct Compared {
    /// Those that are what is there.
    stored: Vec<Entry>,
    /// Those to be sent again.
    again: Vec<Entry>,
    /// Why they could not be compared.
    trouble: Option<ClusterError>,
}

/// What became of an attempt.
enum Attempt {
    /// The server has answered for each.
    Answered {
        /// Those it may take another time.
        again: Vec<Entry>,
        /// Those it never takes, with kind and reason.
        refused: Vec<Refused>,
        /// What is the matter with the first of `again`.
        trouble: Option<ClusterError>,
    },
    /// The bulk as a whole was refused because of its size or something in it.
    Rejected(Vec<Entry>, ClusterError),
    /// Nothing is known of any.
    Failed(Vec<Entry>, ClusterError),
}

/// What a worker has in hand.
struct Task {
    /// Entries to send, a bulk each.
    bulks: Vec<Vec<Entry>>,
    /// Entries of bulks that were refused with nothing else in them.
    culprits: Vec<(Entry, ClusterError)>,
    /// Bulks that the cluster had accepted when this began.
    accepted_before: u64,
    backoff: Backoff,
    attempts: u32,
}

impl Worker {
    pub(super) async fn run(self, stop: Stop) {
        let pace = || {
            let pace = self.shared.pace();
            (pace.bulk_bytes(), pace.concurrency())
        };
        while let Some(entries) = stop.run_until_cancelled(self.shared.queue.take(pace)).await {
            if stop.run_until_cancelled(self.deliver(entries)).await.is_none() {
                return;
            }
            self.shared.queue.finished();
            self.shared.troubles.clear(self.number, &self.shared.cluster);
        }
    }

    async fn deliver(&self, entries: Vec<Entry>) {
        let mut task = Task {
            bulks: vec![entries],
            culprits: Vec::new(),
            accepted_before: self.shared.accepted.load(Ordering::Relaxed),
            backoff: self.shared.backoff(),
            attempts: 0,
        };
        loop {
            let Some(entries) = task.bulks.pop() else {
                if task.culprits.is_empty() {
                    return;
                }
                self.judge_culprits(&mut task).await;
                continue;
            };
            match self.attempt(entries).await {
                Attempt::Answered { again, refused, trouble } => {
                    if again.is_empty() {
                        (task.attempts, task.backoff) = (0, self.shared.backoff());
                    }
                    let (fitted, refused) = fitted(refused);
                    self.bury(refused).await;
                    if !fitted.is_empty() {
                        task.bulks.push(fitted);
                    }
                    if !again.is_empty() {
                        metrics::counter!(metric::ELASTIC_RETRIED_EVENTS).increment(again.len() as u64);
                        task.bulks.push(again);
                    }
                    if let Some(trouble) = trouble {
                        self.wait(&mut task, &trouble).await;
                    }
                }
                Attempt::Rejected(mut entries, error) => match entries.len() {
                    0 => {}
                    1 => {
                        task.culprits.extend(entries.pop().map(|entry| (entry, error)));
                        if task.culprits.len() >= CULPRITS_MAX {
                            self.judge_culprits(&mut task).await;
                        }
                    }
                    length => {
                        let behind = entries.split_off(length / 2);
                        task.bulks.extend([behind, entries]);
                    }
                },
                Attempt::Failed(entries, error) => {
                    metrics::counter!(metric::ELASTIC_RETRIED_EVENTS).increment(entries.len() as u64);
                    task.bulks.push(entries);
                    self.wait(&mut task, &error).await;
                }
            }
        }
    }

    /// A document is to blame for the refusal of its bulk only if the cluster accepts others
    /// meanwhile. Where everything is refused, something else is wrong: no event is given up for it.
    async fn judge_culprits(&self, task: &mut Task) {
        let culprits = std::mem::take(&mut task.culprits);
        if self.shared.accepted.load(Ordering::Relaxed) > task.accepted_before {
            let refused = culprits.into_iter().map(|(entry, error)| {
                let (kind, reason) = error.into_refusal();
                (entry, kind, reason)
            });
            let (fitted, refused) = fitted(refused.collect());
            task.bulks.extend((!fitted.is_empty()).then_some(fitted));
            return self.bury(refused).await;
        }
        let Some(error) = culprits.first().map(|(_, error)| in_words(error)) else { return };
        // Others come first next time: one that is accepted is the proof.
        let others = task.bulks.drain(..).rev().flatten();
        let whole: Vec<Entry> = others.chain(culprits.into_iter().map(|(entry, _)| entry)).collect();
        task.bulks.push(whole);
        self.shared.troubles.set(self.number, error);
        self.shared.slow_wait().await;
    }

    async fn attempt(&self, entries: Vec<Entry>) -> Attempt {
        let shared = &self.shared;
        let server = match shared.server().await {
            Ok(server) => server,
            Err(error) => return Attempt::Failed(entries, error),
        };
        let (entries, sifted) = match self.sift(entries).await {
            Ok(sifted) => sifted,
            Err((entries, error)) => return Attempt::Failed(entries, error),
        };
        if entries.is_empty() {
            return Attempt::Answered { again: Vec::new(), refused: Vec::new(), trouble: None };
        }
        let body = bulk::body(&entries, !server.has_tokenizer).await;
        let (sent_at, bytes) = (Instant::now(), body.len());
        shared.sending().insert(self.number, sent_at);
        let outcome = self.send(body).await;
        shared.sending().remove(&self.number);
        let now = Instant::now();
        let answer = match outcome {
            Ok(answer) => answer,
            Err(error) => {
                let is_overload = matches!(error, ClusterError::Busy { .. } | ClusterError::Timeout { .. });
                if is_overload {
                    shared.pace().cut(sent_at, now);
                }
                return match error {
                    ClusterError::Refused { status: 400 | 413, .. } => Attempt::Rejected(entries, error),
                    error => Attempt::Failed(suspected(entries, &error), error),
                };
            }
        };
        let verdicts = match bulk::verdicts(&answer, &entries).await {
            Ok(verdicts) => verdicts,
            Err(error) => {
                shared.cluster.nodes().garbled(&answer);
                return Attempt::Failed(suspected(entries, &error), error);
            }
        };
        let is_busy =
            verdicts.iter().any(|verdict| matches!(verdict, Verdict::Again(ClusterError::Busy { .. })));
        match is_busy {
            true => shared.pace().cut(sent_at, now),
            false => shared.pace().answered(sent_at, now, entries.len(), bytes),
        }
        self.sort(entries, verdicts, sifted).await
    }

    async fn send(&self, body: bytes::Bytes) -> Result<crate::elasticsearch::Answer, ClusterError> {
        // The server gives up before we do, and says so.
        let patience = format!("{}ms", self.shared.request_timeout.as_millis() * 3 / 4);
        let mut query = vec![("filter_path", bulk::FILTER.into()), ("timeout", patience.into())];
        if self.shared.server().await?.takes_require_data_stream() {
            query.push(("require_data_stream", "true".into()));
        }
        let request = Request {
            method: Method::Post,
            path: format!("{}/_bulk", self.shared.data_stream).into(),
            query,
            body: Body::Ndjson(body),
            timeout: self.shared.request_timeout,
            action: "write events",
        };
        self.shared.cluster.send(request).await?.require_success()
    }

    /// Acts on the verdicts.
    async fn sort(&self, entries: Vec<Entry>, verdicts: Vec<Verdict>, sifted: Option<Sifted>) -> Attempt {
        let (mut done, mut again, mut refused, mut trouble) = (Vec::new(), Vec::new(), Vec::new(), None);
        let mut created = Vec::new();
        let mut present = Vec::new();
        for (entry, verdict) in entries.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Created => {
                    if entry.suspect.is_some() {
                        created.push(entry.id);
                    }
                    done.push(entry);
                }
                Verdict::Present { index } => present.push((entry, index)),
                Verdict::Again(error) => {
                    let suspect = error.is_ambiguous().then(Instant::now).or(entry.suspect);
                    again.push(Entry { suspect, ..entry });
                    trouble = trouble.or(Some(error));
                }
                Verdict::Refused { kind, reason } => refused.push((entry, kind, reason)),
            }
        }
        let compared = self.compare(present).await;
        metrics::counter!(metric::ELASTIC_PRESENT_EVENTS).increment(compared.stored.len() as u64);
        done.extend(compared.stored);
        again.extend(compared.again);
        trouble = trouble.or(compared.trouble);
        if !done.is_empty() || !refused.is_empty() {
            self.shared.accepted.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(sifted) = sifted {
            self.remove_copies(&sifted, &created).await;
        }
        self.stored(&done);
        Attempt::Answered { again, refused, trouble }
    }

    fn stored(&self, done: &[Entry]) {
        ledger::stored(done.len() as u64);
        self.shared.queue.done(done);
    }

    /// Whether those whose ids are taken are what is there. An event that is not there is sent again
    /// under another id.
    async fn compare(&self, entries: Vec<(Entry, Option<String>)>) -> Compared {
        let mut compared = Compared::default();
        if entries.is_empty() {
            return compared;
        }
        match self.look_at(&entries).await {
            Ok(there) => {
                let mut taken = Vec::new();
                for ((entry, _), there) in entries.into_iter().zip(there) {
                    match there.is_some() && there == entry.stamps() {
                        true => compared.stored.push(entry),
                        false => taken.push(entry),
                    }
                }
                compared.again = self.renamed(taken);
            }
            // Without the right to read, what may have been written before counts as written.
            Err(ClusterError::Forbidden { .. }) => {
                let entries = entries.into_iter().map(|(entry, _)| entry);
                let (stored, taken) = entries.partition(|entry| entry.suspect.is_some());
                (compared.stored, compared.again) = (stored, self.renamed(taken));
            }
            Err(error) => {
                compared.again = entries.into_iter().map(|(entry, _)| entry).collect();
                compared.trouble = Some(error);
            }
        }
        compared
    }

    async fn look_at(
        &self,
        entries: &[(Entry, Option<String>)],
    ) -> Result<Vec<Option<Stamps>>, ClusterError> {
        let Shared { cluster, data_stream, request_timeout, .. } = &*self.shared;
        // Who does not say where it met the id means the index that is written to.
        let written = match entries.iter().all(|(_, index)| index.is_some()) {
            true => None,
            false => existing::indices(cluster, data_stream, *request_timeout).await?.pop(),
        };
        let wanted: Vec<_> = entries
            .iter()
            .map(|(entry, index)| (entry.id, index.clone().or_else(|| written.clone()).unwrap_or_default()))
            .collect();
        existing::stamps(cluster, &wanted, *request_timeout).await
    }

    /// Entries under ids of their own, since other events have theirs.
    fn renamed(&self, taken: Vec<Entry>) -> Vec<Entry> {
        if let Some(last) = taken.last() {
            self.shared.collisions.met(last.id.journal, taken.len() as u64);
        }
        taken.into_iter().map(Entry::renamed).collect()
    }

    /// Leaves out those suspects that are on the server already.
    async fn sift(
        &self,
        entries: Vec<Entry>,
    ) -> Result<(Vec<Entry>, Option<Sifted>), (Vec<Entry>, ClusterError)> {
        let Some(since) = entries.iter().filter_map(|entry| entry.suspect).max() else {
            return Ok((entries, None));
        };
        let (mut present, mut rest) = (Vec::new(), Vec::new());
        let (mut unknown, certain): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| entry.suspect.is_some());
        let mut indices = Vec::new();
        // An event whose id another one has may be there under the id that it then gets.
        while !unknown.is_empty() {
            let suspects: Vec<EventId> = unknown.iter().map(|entry| entry.id).collect();
            let (found, places) = match self.look_up(since, &suspects).await {
                Ok(found) => found,
                Err(error) => {
                    // What is known to be there is looked up again: it is there then, too.
                    let entries = [present, rest, unknown, certain].concat();
                    return Err((entries, error));
                }
            };
            indices = found;
            let mut taken = Vec::new();
            for entry in unknown {
                let stamps = entry.stamps();
                match places.get(&entry.id).map(|places| places.iter().any(|place| place.stamps == stamps)) {
                    Some(true) => present.push(entry),
                    Some(false) => taken.push(entry),
                    None => rest.push(entry),
                }
            }
            unknown = self.renamed(taken);
        }
        rest.extend(certain);
        if !present.is_empty() {
            metrics::counter!(metric::ELASTIC_PRESENT_EVENTS).increment(present.len() as u64);
            self.shared.accepted.fetch_add(1, Ordering::Relaxed);
            self.stored(&present);
        }
        Ok((rest, Some(Sifted { indices })))
    }

    /// Backing indices, and where these events are: nowhere when there is one index at most, which
    /// knows the ids it has.
    async fn look_up(
        &self,
        since: Instant,
        suspects: &[EventId],
    ) -> Result<(Vec<String>, HashMap<EventId, Vec<Place>>), ClusterError> {
        let Shared { cluster, data_stream, request_timeout, fresh, queue, .. } = &*self.shared;
        let indices = existing::indices(cluster, data_stream, *request_timeout).await?;
        if indices.len() < 2 {
            return Ok((indices, HashMap::new()));
        }
        fresh.since(cluster, queue, since).await?;
        let places = existing::places(cluster, data_stream, suspects, *request_timeout).await?;
        Ok((indices, places))
    }

    /// If a rollover came between the look at suspects and their creation, they may be in two
    /// indices now.
    async fn remove_copies(&self, sifted: &Sifted, created: &[EventId]) {
        let Shared { cluster, data_stream, request_timeout, fresh, queue, .. } = &*self.shared;
        let mut backoff = self.shared.backoff();
        let created_at = Instant::now();
        let remove = async || {
            if created.is_empty()
                || existing::indices(cluster, data_stream, *request_timeout).await? == sifted.indices
            {
                return Ok(0);
            }
            fresh.since(cluster, queue, created_at).await?;
            let places = existing::places(cluster, data_stream, created, *request_timeout).await?;
            existing::remove_copies(cluster, places, *request_timeout).await
        };
        loop {
            match remove().await {
                Ok(copies) => {
                    metrics::counter!(metric::ELASTIC_PRESENT_EVENTS).increment(copies);
                    return;
                }
                Err(error) => {
                    self.shared.troubles.set(self.number, in_words(&error));
                    sleep(backoff.pause()).await;
                }
            }
        }
    }

    /// Hands refused events over, until they are kept.
    async fn bury(&self, refused: Vec<Refused>) {
        if refused.is_empty() {
            return;
        }
        let letters: Vec<_> = refused
            .iter()
            .map(|(entry, kind, reason)| entry.clone().letter(kind.clone(), reason.clone()))
            .collect();
        let mut backoff = self.shared.backoff();
        while let Err(error) = self.shared.dead_letters.put(letters.clone()).await {
            let reason = format!("refused events cannot be kept as dead letters: {}", in_words(&*error));
            self.shared.troubles.set(self.number, reason);
            sleep(backoff.pause()).await;
        }
        ledger::dead_lettered(letters.len() as u64);
        if let Some((_, kind, reason)) = refused.last() {
            self.shared.refusals.met(refused.len() as u64, kind, reason);
        }
        let entries: Vec<Entry> = refused.into_iter().map(|(entry, _, _)| entry).collect();
        self.shared.queue.done(&entries);
    }

    /// Waits before the next attempt, and says why.
    async fn wait(&self, task: &mut Task, error: &ClusterError) {
        task.attempts += 1;
        let may_pass = matches!(error, ClusterError::Busy { .. });
        if !may_pass || task.attempts >= ATTEMPTS_QUIET {
            self.shared.troubles.set(self.number, in_words(error));
        }
        match error {
            ClusterError::Away { retry_in, .. } => {
                sleep(*retry_in + task.backoff.pause().min(Duration::from_secs(1))).await;
            }
            error if error.needs_operator() => self.shared.slow_wait().await,
            _ => sleep(task.backoff.pause()).await,
        }
    }
}

/// A refused entry with its kind and reason.
type Refused = (Entry, String, String);

/// Those of the refused that could be made to fit, and the others.
fn fitted(refused: Vec<Refused>) -> (Vec<Entry>, Vec<Refused>) {
    let (mut again, mut unfit) = (Vec::new(), Vec::new());
    for refused in refused {
        match refused.0.fitted() {
            Some(fitted) => again.push(fitted),
            None => unfit.push(refused),
        }
    }
    (again, unfit)
}

/// The same, remembered as suspects where nobody knows whether they were written.
fn suspected(mut entries: Vec<Entry>, error: &ClusterError) -> Vec<Entry> {
    if error.is_ambiguous() {
        // They may have been written until now, so only a later refresh shows them.
        let now = Instant::now();
        for entry in &mut entries {
            entry.suspect = Some(now);
        }
    }
    entries
}
