//! An agent that runs: what measures, what is kept, what sends.

use std::{path::PathBuf, sync::Arc, time::Duration};

use host::{Machine, Roots};
use intake::{Clock, Door};
use journal::{Journal, OpenError};
use retry::Backoff;
use telemetry::{health::Health, task::Tasks};
use tokio::sync::watch;

use crate::{
    buffer::Buffer,
    configuration::{Configuration, Document},
    measured,
    offset::Offset,
    processes,
    said::Said,
    sampler::{self, Current, Sampler, SignIns, Told},
    server::{Server, ServerError},
    shipper::{self, Events, Follower, LogCounts, Reach, Samples},
    taken::Kept,
};

/// The bounds of pauses after failures grow from the first to the second.
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(60);

/// What an agent is made of.
#[derive(Debug)]
pub struct Config {
    /// What is configured, typed.
    pub configuration: Configuration,
    /// The same as a document, over which the server's part is laid.
    pub document: Document,
    /// The folder of its state.
    pub data: PathBuf,
    /// Where the kernel says things.
    pub roots: Roots,
    /// The collector.
    pub server: Server,
    /// The program's version.
    pub version: String,
    /// The time of day.
    pub clock: Clock,
    /// Pauses after the collector took nothing; usually [`backoff`].
    pub backoff: Backoff,
    /// Logs that are sent; None when none are.
    pub logs: Option<Logs>,
}

/// Logs that are sent.
#[derive(Debug)]
pub struct Logs {
    /// The way into their journal.
    pub door: Door,
    /// Files that are read.
    pub tail: intake::tail::Config,
    /// The log that the system itself keeps; None when that is not read.
    pub machine: Option<MachineLog>,
    /// Where changes of accounts, keys, schedules and of what starts by itself are looked for; None when they are not told.
    pub changes: Option<intake::system::Config>,
}

/// A log that the system itself keeps.
#[derive(Debug)]
pub enum MachineLog {
    /// The journal of systemd, by the program that reads it.
    Journald(PathBuf),
    /// The Event Log of Windows.
    EventLog(intake::event_log::Config),
}

/// Why an agent cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its journal cannot be opened.
    #[error("cannot open the agent's journal")]
    Journal(#[from] OpenError),
    /// The collector cannot be spoken to.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The operating system gives no thread.
    #[error("cannot start the thread that follows procmond")]
    Thread(#[source] std::io::Error),
    /// Files cannot be watched.
    #[error(transparent)]
    Files(#[from] intake::tail::StartError),
}

/// An agent that runs.
#[derive(Debug)]
pub struct Agent {
    /// What the host is called.
    pub name: String,
    buffer: Arc<Buffer>,
    logs: Option<Journal>,
}

/// The pauses of an agent between tries: up to a second at first, up to a minute later.
pub fn backoff() -> Backoff {
    Backoff::new(RETRY_MIN, RETRY_MAX)
}

/// Starts an agent; its tasks are those of `tasks`.
///
/// # Errors
/// When its journal cannot be opened or files cannot be watched.
pub fn start(config: Config, tasks: &Tasks, health: &Health) -> Result<Agent, StartError> {
    let Config { configuration, document, data, roots, server, version, clock, backoff, logs } = config;
    let now_ms = measured::milliseconds(clock());
    let buffer = Buffer::open(&data, configuration.buffer_bytes_max, configuration.buffer_age_max, now_ms)?;
    let buffer = Arc::new(buffer);
    let roots_of_processes = roots.proc.clone();
    let mut machine = Machine::new(roots);
    let name =
        configuration.name.clone().or_else(|| machine.name()).unwrap_or_else(|| "localhost".to_owned());
    let told = Told {
        name: name.clone(),
        version,
        os: machine.system(),
        expected: configuration.expected,
        labels: configuration.labels,
        interval: configuration.interval,
        monitoring: document.own_monitoring(),
    };
    let processes =
        processes::start(&configuration.processes, &roots_of_processes, tasks).map_err(StartError::Thread)?;
    let current = Current { monitoring: configuration.monitoring, version: None, problem: None, changes: 0 };
    let (sender, receiver) = watch::channel(current);
    let mut follower = Follower { document, current: sender, kept: Kept::new(&data) };
    follower.recall();
    let log_counts = Arc::<LogCounts>::default();
    let files = logs.as_ref().map(|logs| logs.tail.clone());
    let journal = logs.map(|logs| {
        let sent = (server.clone(), buffer.id().to_owned(), Arc::clone(&log_counts));
        send_logs(logs, sent, backoff.clone(), (tasks, health))
    });
    let journal = journal.transpose()?;
    let offset = Arc::<Offset>::default();
    let sampler = Sampler {
        machine,
        told,
        buffer: Arc::clone(&buffer),
        current: receiver,
        logs: journal.clone(),
        files,
        log_counts,
        clock,
        offset: Arc::clone(&offset),
        health: health.component("samples"),
        processes,
        sign_ins: SignIns::default(),
        said: Said::default(),
    };
    tasks.spawn("sampler", sampler::run(sampler, tasks.stop()));
    let samples = Samples {
        server,
        buffer: Arc::clone(&buffer),
        follower,
        per_second: configuration.backfill_per_second,
        clock,
        offset,
        reach: Reach::new(health.component("collector"), "samples", backoff),
    };
    tasks.spawn("samples", shipper::samples(samples, tasks.stop()));
    Ok(Agent { name, buffer, logs: journal })
}

/// Reads logs into their journal, and sends what is in it.
fn send_logs(
    logs: Logs,
    (server, id, counts): (Server, String, Arc<LogCounts>),
    backoff: Backoff,
    (tasks, health): (&Tasks, &Health),
) -> Result<Journal, StartError> {
    let Logs { door, tail, machine, changes } = logs;
    let journal = door.journal().clone();
    let cursor = journal.cursor("sent")?;
    let pulse = intake::tail::start(tail, door.clone(), tasks)?;
    tasks.spawn("tail-health", pulse.watch(health.component("watched_files"), tasks.stop()));
    if let Some(config) = changes {
        let watching = intake::system::watch(config, door.clone(), health.component("system"), tasks.stop());
        tasks.spawn("system", watching);
    }
    match machine {
        Some(MachineLog::Journald(program)) => {
            let reading = intake::journald::read(program, door, health.component("journald"), tasks.stop());
            tasks.spawn("journald", reading);
        }
        Some(MachineLog::EventLog(config)) => {
            let reading = intake::event_log::read(config, door, health.component("event_log"), tasks.stop());
            tasks.spawn("event_log", reading);
        }
        None => {}
    }
    let reach = Reach::new(health.component("logs"), "logs", backoff);
    let events = Events::new(server, (journal.clone(), cursor), id, counts, reach);
    tasks.spawn("logs", shipper::events(events, tasks.stop()));
    Ok(journal)
}

impl Agent {
    /// Whether logs are sent, too.
    pub fn sends_logs(&self) -> bool {
        self.logs.is_some()
    }

    /// Closes what is kept, once the tasks have ended.
    pub async fn close(self, deadline: Duration) {
        self.buffer.close(deadline).await;
        if let Some(logs) = self.logs {
            logs.close(deadline).await;
        }
    }
}
