//! Who keeps checkpoints of the audit record elsewhere: another Log Sentinel, a syslog server. Checkpoints wait in
//! bounded queues, and are sent until they arrive; each covers all before it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use audit::Checkpoint;
use metrics::{counter, gauge};
use retry::Backoff;
use telemetry::{
    health::{Component, Health},
    metric,
    task::{Stop, Tasks},
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpStream, UdpSocket, lookup_host},
    sync::Notify,
};

use crate::{
    client::Client,
    settings::{AuditSettings, Syslog, masked},
    wording::describe,
};

/// Checkpoints that wait for one witness; then the oldest are given up.
const WAITING_MAX: usize = 1000;
/// How long a witness may take for one.
const SEND_MAX: Duration = Duration::from_secs(10);
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// All who keep checkpoints elsewhere.
pub(super) struct Witnesses {
    tasks: Tasks,
    queues: Vec<Arc<Queue>>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<VecDeque<Checkpoint>>,
    more: Notify,
}

/// Where checkpoints go.
enum Place {
    LogSentinel(Client),
    Syslog {
        to: Syslog,
        /// This machine's name.
        host: String,
    },
}

impl Witnesses {
    /// Starts a sender for each that the settings name.
    pub(super) fn start(settings: &AuditSettings, host: &str, health: &Health) -> Self {
        let mut witnesses = Self { tasks: Tasks::new(), queues: vec![] };
        if settings.record.is_none() {
            return witnesses;
        }
        if let Some(other) = &settings.witness {
            let key = other.key.as_ref().map(|key| key.0.clone());
            let roots: Vec<_> = other.ca_file.iter().cloned().collect();
            let place = Place::LogSentinel(Client::trusting(&other.url, key, &roots));
            witnesses.add("audit-witness", place, health.component("audit_witness"));
        }
        if let Some(to) = &settings.syslog {
            let place = Place::Syslog { to: to.clone(), host: host.to_owned() };
            witnesses.add("audit-syslog", place, health.component("audit_syslog"));
        }
        witnesses
    }

    fn add(&mut self, name: &'static str, place: Place, health: Component) {
        let queue = Arc::new(Queue::default());
        self.queues.push(Arc::clone(&queue));
        self.tasks.spawn(name, run(queue, place, health, self.tasks.stop()));
    }

    /// What hands checkpoints to them; None where there are none.
    pub(super) fn hand(&self) -> Option<audit::Witness> {
        let queues = self.queues.clone();
        let hand = move |checkpoint: &Checkpoint| queues.iter().for_each(|queue| queue.put(checkpoint));
        (!self.queues.is_empty()).then(|| Box::new(hand) as audit::Witness)
    }

    /// Sends what waits once more; gives the names of those that took too long.
    pub(super) async fn finish(&self, left: Duration) -> Vec<String> {
        self.tasks.shutdown(left).await
    }
}

impl Queue {
    fn put(&self, checkpoint: &Checkpoint) {
        let mut waiting = self.waiting();
        if waiting.len() == WAITING_MAX {
            waiting.pop_front();
            counter!(metric::AUDIT_WITNESSED, "outcome" => "given_up").increment(1);
        } else {
            gauge!(metric::AUDIT_WITNESS_WAITING).increment(1.0);
        }
        waiting.push_back(checkpoint.clone());
        drop(waiting);
        self.more.notify_one();
    }

    fn first(&self) -> Option<Checkpoint> {
        self.waiting().front().cloned()
    }

    /// This one arrived.
    fn sent(&self, checkpoint: &Checkpoint) {
        let mut waiting = self.waiting();
        // It may have been given up meanwhile.
        if waiting.front() == Some(checkpoint) {
            waiting.pop_front();
            gauge!(metric::AUDIT_WITNESS_WAITING).decrement(1.0);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Checkpoint>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends what comes, in order, until a stop; then what waits, once.
async fn run(queue: Arc<Queue>, place: Place, health: Component, stop: Stop) {
    let mut backoff = Backoff::new(PAUSE_MIN, PAUSE_MAX);
    loop {
        let Some(checkpoint) = queue.first() else {
            if stop.is_cancelled() {
                return;
            }
            // What came meanwhile is noticed: a permit waits for who asks later.
            stop.run_until_cancelled(queue.more.notified()).await;
            continue;
        };
        let outcome = match tokio::time::timeout(SEND_MAX, place.send(&checkpoint)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(format!("it did not answer within {} s", SEND_MAX.as_secs())),
        };
        match outcome {
            Ok(()) => {
                queue.sent(&checkpoint);
                counter!(metric::AUDIT_WITNESSED, "outcome" => "sent").increment(1);
                health.ok();
                backoff.reset();
            }
            Err(why) => {
                counter!(metric::AUDIT_WITNESSED, "outcome" => "failed").increment(1);
                health.degraded(format!(
                    "checkpoints of the audit record do not reach {}: {why}",
                    place.name()
                ));
                if stop.is_cancelled() {
                    return;
                }
                stop.run_until_cancelled(tokio::time::sleep(backoff.pause())).await;
            }
        }
    }
}

impl Place {
    fn name(&self) -> String {
        match self {
            Self::LogSentinel(client) => client.shown().to_owned(),
            Self::Syslog { to, .. } => masked(&to.addr),
        }
    }

    async fn send(&self, checkpoint: &Checkpoint) -> Result<(), String> {
        match self {
            Self::LogSentinel(client) => {
                // One that is sent again, since the answer was lost, is not kept twice.
                let key = blake3::hash(checkpoint.text().as_bytes()).to_hex().to_string();
                let headers = [("content-type", "application/json"), ("idempotency-key", key.as_str())];
                let body = checkpoint.event().to_string().into_bytes();
                let sent = client.post("/logs", &[], &headers, body).await;
                sent.map(drop).map_err(|error| describe(&error))
            }
            Self::Syslog { to, host } => {
                syslog(to, &checkpoint.syslog(host)).await.map_err(|error| error.to_string())
            }
        }
    }
}

/// Over TCP a line ends with a newline, which every server takes (RFC 6587, section 3.4.2).
async fn syslog(to: &Syslog, line: &str) -> std::io::Result<()> {
    if to.is_tcp {
        let mut stream = TcpStream::connect(&to.addr).await?;
        stream.write_all(format!("{line}\n").as_bytes()).await?;
        return stream.shutdown().await;
    }
    let addr = lookup_host(&to.addr).await?.next();
    let addr = addr.ok_or_else(|| std::io::Error::other("its name has no address"))?;
    let any = if addr.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(addr).await?;
    socket.send(line.as_bytes()).await.map(drop)
}
