//! Measures the host at intervals, and has each sample kept.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use event::Timestamp;
use host::Machine;
use intake::Clock;
use journal::Journal;
use sample::{Expected, Labels, Sample};
use serde_json::{Map, Value as Json};
use telemetry::{
    health::Component,
    task::{Stop, blocking},
};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::{
    buffer::Buffer,
    configuration::{Monitoring, SignInLog},
    measured,
    offset::Offset,
    processes::{Part, Processes},
    said::Said,
    shipper::LogCounts,
    sign_ins::{Failures, Source},
};

/// The first sample is taken so long after the start: rates need two readings.
const FIRST_AFTER: Duration = Duration::from_secs(1);
/// Where systems keep sign-ins.
const SSH_LOGS: [&str; 2] = ["/var/log/auth.log", "/var/log/secure"];

/// What is measured at present, and whose configuration that is.
#[derive(Debug, Clone)]
pub(crate) struct Current {
    pub(crate) monitoring: Monitoring,
    /// The version of the server's configuration that is followed.
    pub(crate) version: Option<u64>,
    /// Why a newer one was not taken.
    pub(crate) problem: Option<String>,
    /// The list of sources of sign-ins has to be made anew: counts up with every change.
    pub(crate) changes: u64,
}

/// What stays the same from sample to sample.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) os: String,
    pub(crate) expected: Expected,
    pub(crate) labels: Labels,
    pub(crate) interval: Duration,
    /// What its own file says is to be watched.
    pub(crate) monitoring: Map<String, Json>,
}

/// Measures the host.
pub(crate) struct Sampler {
    pub(crate) machine: Machine,
    pub(crate) told: Told,
    pub(crate) buffer: Arc<Buffer>,
    pub(crate) current: watch::Receiver<Current>,
    /// Events of logs, where they are taken in.
    pub(crate) logs: Option<Journal>,
    /// Which files those logs are of.
    pub(crate) files: Option<intake::tail::Config>,
    /// How these fare.
    pub(crate) log_counts: Arc<LogCounts>,
    pub(crate) clock: Clock,
    pub(crate) offset: Arc<Offset>,
    pub(crate) health: Component,
    /// None where they are not told.
    pub(crate) processes: Option<Processes>,
    pub(crate) sign_ins: SignIns,
    pub(crate) said: Said,
}

/// Where sign-ins are read at present.
#[derive(Default)]
pub(crate) struct SignIns {
    source: Option<Source>,
    changes: Option<u64>,
    /// The lines themselves go to the collector, which finds in them what there is to find.
    sent: bool,
}

/// Measures until told to stop.
pub(crate) async fn run(mut sampler: Sampler, stop: Stop) {
    let interval = sampler.told.interval;
    // Another thread measures: a part of the kernel that hangs must not hold up what is sent.
    let Ok(primed) = blocking("sample", move || sampler.primed()).await else { return };
    sampler = primed;
    let mut due = tokio::time::Instant::now() + FIRST_AFTER;
    while stop.run_until_cancelled(tokio::time::sleep_until(due)).await.is_some() {
        let Ok(stepped) = blocking("sample", move || sampler.stepped()).await else { return };
        sampler = stepped;
        let now = tokio::time::Instant::now();
        // After a pause of the machine there is one sample, not all those that were missed.
        due = if due + interval > now { due + interval } else { now + interval };
    }
}

impl Sampler {
    /// Reads what rates begin with, and the place from which sign-ins count.
    fn primed(mut self) -> Self {
        let monitoring = self.current.borrow().clone();
        self.machine.read(&monitoring.monitoring.selection, Instant::now());
        self.sign_ins.follow(&monitoring, self.logs.as_ref(), self.files.as_ref());
        self
    }

    /// Takes one sample.
    fn stepped(mut self) -> Self {
        let current = self.current.borrow().clone();
        let now = (self.clock)();
        let reading = self.machine.read(&current.monitoring.selection, Instant::now());
        self.sign_ins.follow(&current, self.logs.as_ref(), self.files.as_ref());
        let failures = self.sign_ins.read(now);
        let mut wrong: Vec<(String, String)> =
            reading.problems.iter().map(|problem| (problem.what.clone(), problem.reason.clone())).collect();
        let failures = match failures {
            Some(Err(reason)) => {
                wrong.push(("sign-ins over SSH".to_owned(), reason));
                None
            }
            Some(Ok(failures)) => Some(failures),
            None => None,
        };
        let mut sample = self.sample(&current, now);
        sample.metrics = measured::metrics(reading, failures);
        sample.metrics.clock_offset_s = self.offset.seconds();
        self.of_itself(&mut sample);
        let part = self
            .processes
            .as_mut()
            .map_or_else(Part::default, |processes| processes.take(now, self.buffer.dropped()));
        sample.processes = part.report.as_ref().and_then(|report| serde_json::to_value(report).ok());
        wrong.extend(part.wrong.iter().cloned());
        let kept = self.buffer.put(measured::milliseconds(now), |number| {
            sample.seq = Some(number);
            // Maps of texts and finite numbers always are JSON.
            serde_json::to_vec(&sample).unwrap_or_default()
        });
        match kept {
            Ok(()) => {
                self.health.ok();
                if let Some(processes) = &self.processes {
                    processes.kept(&part);
                }
            }
            Err(error) => {
                self.health.degraded(format!("samples are kept in memory only: {error}"));
                wrong.push(("the agent's own journal".to_owned(), error.to_string()));
            }
        }
        self.tell(wrong);
        self
    }

    fn sample(&self, current: &Current, now: Timestamp) -> Sample {
        Sample {
            timestamp: Some(now),
            agent_id: Some(self.buffer.id().to_owned()),
            interval: Some(self.told.interval.as_secs_f64()),
            version: Some(self.told.version.clone()),
            os: Some(self.told.os.clone()),
            expected: Some(self.told.expected).filter(|expected| *expected != Expected::Always),
            // Also where there are none: those of an earlier file hold until others are told.
            labels: Some(self.told.labels.clone()),
            // That none is followed is a version too, where one was refused.
            config_version: current.version.or(current.problem.as_ref().map(|_| 0)),
            config_problem: current.problem.clone(),
            monitoring: Some(self.told.monitoring.clone()),
            ..Sample::of(&self.told.name)
        }
    }

    /// How the agent itself fares: it serves no metrics of its own.
    fn of_itself(&self, sample: &mut Sample) {
        let mut put = |name: &str, number: u64| {
            sample.metrics.other.insert(format!("agent.{name}"), number as f64);
        };
        put("samples_waiting", self.buffer.count());
        put("samples_dropped", self.buffer.dropped());
        if let Some(processes) = &self.processes {
            put("process_frames_waiting", processes.waiting());
        }
        if self.logs.is_some() {
            put("logs_waiting", self.log_counts.waiting.load(Ordering::Relaxed));
            put("logs_dropped", self.log_counts.dropped.load(Ordering::Relaxed));
        }
        // Who has the lines must not count the same failures a second time.
        if self.sign_ins.sent {
            put("sign_ins_sent", 1);
        }
    }

    fn tell(&mut self, wrong: Vec<(String, String)>) {
        let changes = self.said.now(wrong);
        for (what, reason) in changes.new {
            warn!(what, reason, "cannot be measured; the rest goes on");
        }
        for what in changes.well {
            info!(what, "can be measured again");
        }
    }
}

impl SignIns {
    /// Follows what the configuration names, from now on.
    fn follow(&mut self, current: &Current, logs: Option<&Journal>, files: Option<&intake::tail::Config>) {
        if self.changes == Some(current.changes) {
            return;
        }
        self.changes = Some(current.changes);
        let found = || SSH_LOGS.iter().map(PathBuf::from).find(|path| path.exists());
        let path = match &current.monitoring.ssh {
            SignInLog::Nowhere => {
                self.source = None;
                return;
            }
            SignInLog::At(path) => Some(path.clone()),
            SignInLog::Usual if cfg!(target_os = "linux") => found(),
            // Nobody is known to write them there: that there were none must not be said.
            SignInLog::Usual => {
                self.source = None;
                return;
            }
        };
        self.sent = match &path {
            Some(path) => files.is_some_and(|files| files.reads(path)),
            None => logs.is_some(),
        };
        self.source = match path {
            Some(path) => Some(Source::file(path)),
            None => logs.map(|journal| Source::journal(journal.clone())),
        };
    }

    /// None where nothing is to be counted or there is nothing to count.
    fn read(&mut self, now: Timestamp) -> Option<Result<Failures, String>> {
        self.source.as_mut().map(|source| source.read(now))
    }
}
