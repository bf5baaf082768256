//! Every metric: its name, unit and meaning. Labels are few, fixed and never from log content.

use std::{
    sync::{Mutex, OnceLock, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use metrics::{Unit, counter, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::ledger::{self, Ledger};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
}

struct Metric {
    name: &'static str,
    kind: Kind,
    unit: Unit,
    help: &'static str,
    /// Each label with its values. Where they are known they stand at zero from the start, so that a rate over the
    /// first one that is counted is none of a missing series; without any, they appear when they happen.
    labels: &'static [(&'static str, &'static [&'static str])],
}

macro_rules! metrics {
    ($($(#[doc = $help:literal])+ $constant:ident = $name:literal, $kind:ident, $unit:ident, $labels:expr;)+) => {
        $($(#[doc = $help])+ pub const $constant: &str = concat!("log_sentinel_", $name);)+

        const ALL: &[Metric] = &[$(Metric {
            name: $constant,
            kind: Kind::$kind,
            unit: Unit::$unit,
            help: concat!($($help),+),
            labels: &$labels,
        }),+];
    };
}

metrics! {
    /// Events accepted and durable in the journal; what it held unindexed at start counts too.
    RECEIVED_EVENTS = "received_events_total", Counter, Count, [];
    /// Lines refused to their sender, each named in its answer; no part of the received ones.
    REJECTED_EVENTS = "rejected_events_total", Counter, Count, [];
    /// Events stored in the index.
    STORED_EVENTS = "stored_events_total", Counter, Count, [];
    /// Events kept in the dead-letter stream because the index could not take them.
    DEAD_LETTER_EVENTS = "dead_letter_events_total", Counter, Count, [];
    /// Dead letters neither taken in again nor discarded.
    DEAD_LETTERS = "dead_letters", Gauge, Count, [];
    /// Events that are gone, by reason.
    DROPPED_EVENTS = "dropped_events_total", Counter, Count, [("reason", &["damaged"])];
    /// Events between journal and index: received - stored - dead-lettered - dropped.
    QUEUED_EVENTS = "queued_events", Gauge, Count, [];
    /// Bytes of the bodies and file lines that events came from, uncompressed.
    RECEIVED_BYTES = "received_bytes_total", Counter, Bytes, [];
    /// HTTP requests answered, by route pattern and status.
    HTTP_REQUESTS = "http_requests_total", Counter, Count, [("route", &[]), ("status", &[])];
    /// Uncompressed bytes of bodies held between arrival and answer.
    HTTP_IN_FLIGHT_BYTES = "http_in_flight_bytes", Gauge, Bytes, [];
    /// Whole requests refused because of load, by the limit that was reached.
    ADMISSION_REFUSED = "admission_refused_total", Counter, Count, [("limit", &[
        "answers_bytes", "disk_reserve", "grpc_streams", "grpc_trainings", "in_flight_bytes", "journal_bytes",
        "journal_disk", "journal_queue",
    ])];
    /// Bytes of answers held until their clients take them.
    ANSWER_BYTES = "answer_bytes", Gauge, Bytes, [];
    /// Answers that ended before their end, by cause.
    CUT_ANSWERS = "cut_answers_total", Counter, Count, [("cause", &["client", "failure"])];
    /// Connections closed because their client took nothing for too long.
    WRITE_TIMEOUTS = "write_timeouts_total", Counter, Count, [];
    /// Bytes of the newest events held for live tails.
    LIVE_BYTES = "live_bytes", Gauge, Bytes, [];
    /// Events that live tails read from the store because they had fallen behind.
    LIVE_CAUGHT_UP = "live_caught_up_events_total", Counter, Count, [];
    /// Agents that are known.
    HOSTS = "hosts", Gauge, Count, [];
    /// Samples of hosts that are kept as they came: those that are not in chunks yet, and the newest of each agent.
    HOST_SAMPLES_WAITING = "host_samples_waiting", Gauge, Count, [];
    /// Series of all hosts.
    HOST_SERIES = "host_series", Gauge, Count, [];
    /// Samples of hosts, by what became of them.
    HOST_SAMPLES = "host_samples_total", Counter, Count, [("outcome", &["accepted", "duplicate", "rejected"])];
    /// Findings about processes beyond what one report may bring.
    PROCESS_FINDINGS_LEFT_OUT = "process_findings_left_out_total", Counter, Count, [];
    /// What was learned of hosts' processes and given up because there was too much of it.
    PROCESS_LEARNED_GIVEN_UP = "process_learned_given_up_total", Counter, Count, [("of", &["pairs", "programs", "habits", "things"])];
    /// Changes of processes: kept, missing on the way here (given up, or seen by nobody), or forgotten before their time because
    /// there were too many.
    PROCESS_CHANGES = "process_changes_total", Counter, Count, [("outcome", &["kept", "missing", "forgotten"])];
    /// Parts of accepted samples that did not fit and were left out.
    HOST_SAMPLE_PROBLEMS = "host_sample_problems_total", Counter, Count, [];
    /// Request bodies given up because they stopped arriving, arrived too slowly, or paused while others needed
    /// their room.
    SLOW_BODIES = "slow_bodies_total", Counter, Count, [];
    /// Connections closed, by reason: no whole head of a request came, one without a request made room, the
    /// address had its share.
    CLOSED_CONNECTIONS = "closed_connections_total", Counter, Count, [("reason", &[
        "headers", "made_room", "per_address",
    ])];
    /// Requests and calls refused because of who asks, by reason.
    ACCESS_REFUSED = "access_refused_total", Counter, Count, [("reason", &[
        "csrf", "expired", "malformed", "missing", "organization", "revoked", "scope", "signed_out", "slowed",
        "unknown",
    ])];
    /// Keys that are good at present, those of agents included.
    ACCESS_KEYS = "access_keys", Gauge, Count, [];
    /// TLS connections that ended before a request could be made: another protocol, no certificate that will do.
    TLS_HANDSHAKES_FAILED = "tls_handshakes_failed_total", Counter, Count, [];
    /// Certificates read again because their files changed, by whether they could be used.
    TLS_RELOADS = "tls_reloads_total", Counter, Count, [("outcome", &["failed", "taken"])];
    /// Records made in the audit record since the start.
    AUDIT_RECORDS = "audit_records_total", Counter, Count, [];
    /// Checkpoints signed in the audit record since the start.
    AUDIT_CHECKPOINTS = "audit_checkpoints_total", Counter, Count, [];
    /// Records that could not be written; what was to be recorded was refused, or waits.
    AUDIT_FAILURES = "audit_failures_total", Counter, Count, [];
    /// Records that no checkpoint covers yet.
    AUDIT_UNSIGNED = "audit_unsigned_records", Gauge, Count, [];
    /// Time since the last checkpoint of the audit record.
    AUDIT_CHECKPOINT_AGE = "audit_checkpoint_age_seconds", Gauge, Seconds, [];
    /// Whether what must be recorded is refused because the audit record cannot be written.
    AUDIT_UNWRITABLE = "audit_unwritable", Gauge, Count, [];
    /// Records of what the program did by itself that wait until they can be written.
    AUDIT_WAITING = "audit_waiting_records", Gauge, Count, [];
    /// Records of what the program did by itself that were given up because too many waited.
    AUDIT_GIVEN_UP = "audit_given_up_records_total", Counter, Count, [];
    /// Checkpoints on their way to where they are kept elsewhere, by what came of them.
    AUDIT_WITNESSED = "audit_witnessed_total", Counter, Count, [("outcome", &["failed", "given_up", "sent"])];
    /// Checkpoints that wait to be sent to where they are kept elsewhere.
    AUDIT_WITNESS_WAITING = "audit_witness_waiting", Gauge, Count, [];
    /// Attempts to hand alerts to channels, by what came of them: taken, to be tried again, given up.
    ALERT_TRIES = "alert_tries_total", Counter, Count, [("outcome", &["dead", "delivered", "failed"])];
    /// Events that were older than the retention when they came.
    EXPIRED_ON_ARRIVAL = "expired_on_arrival_events_total", Counter, Count, [];
    /// Events that had more lines or bytes than may be one, so that their rest is another event.
    SPLIT_EVENTS = "split_events_total", Counter, Count, [];
    /// Queries that took so long that they went on in the lane of slow ones.
    SLOW_QUERIES = "slow_queries_total", Counter, Count, [];
    /// Queries that ended without an answer, by what ended them: time, work, asker.
    ENDED_QUERIES = "ended_queries_total", Counter, Count, [("limit", &["asker", "time", "work"])];
    /// Questions in SQL, by how they ended: answered, answered over tables that were cut, stopped over a bound of their budget, refused,
    /// failed.
    SQL_QUESTIONS = "sql_questions_total", Counter, Count, [("outcome", &["answered", "cut", "failed", "refused", "stopped"])];
    /// Rules in SQL that could be read.
    SQL_RULES = "sql_rules", Gauge, Count, [];
    /// Runs of rules in SQL, by how they ended.
    SQL_RULE_RUNS = "sql_rule_runs_total", Counter, Count,
        [("outcome", &["could_not_evaluate", "failed", "matched", "no_match", "suspended"])];
    /// Tables that did not hold all that a question in SQL could need.
    SQL_TABLES_CUT = "sql_tables_cut_total", Counter, Count, [];
    /// Bytes of the journal on disk.
    JOURNAL_BYTES = "journal_bytes", Gauge, Bytes, [];
    /// Bytes that the journal may use.
    JOURNAL_BUDGET_BYTES = "journal_budget_bytes", Gauge, Bytes, [];
    /// Damaged journal records that were skipped and set aside.
    JOURNAL_DAMAGED_RECORDS = "journal_damaged_records_total", Counter, Count, [];
    /// Bytes of unfinished writes that the start cut off the journal; nothing of them was acknowledged.
    JOURNAL_TRUNCATED_BYTES = "journal_truncated_bytes_total", Counter, Bytes, [];
    /// Bytes free on the disk that holds the journal.
    DISK_FREE_BYTES = "disk_free_bytes", Gauge, Bytes, [];
    /// Events in the index.
    INDEX_EVENTS = "index_events", Gauge, Count, [];
    /// Bytes of the index on disk.
    INDEX_BYTES = "index_bytes", Gauge, Bytes, [];
    /// Segments of the index.
    INDEX_SEGMENTS = "index_segments", Gauge, Count, [];
    /// Bytes that a bulk to Elasticsearch is filled up to at present.
    ELASTIC_BULK_BYTES = "elastic_bulk_bytes", Gauge, Bytes, [];
    /// Bulks that may be under way to Elasticsearch at present.
    ELASTIC_CONCURRENCY = "elastic_bulk_concurrency", Gauge, Count, [];
    /// Mean time of a full bulk to Elasticsearch, a document.
    ELASTIC_DOCUMENT_SECONDS = "elastic_document_seconds", Gauge, Seconds, [];
    /// Bytes of events that wait for Elasticsearch to acknowledge them.
    ELASTIC_IN_FLIGHT_BYTES = "elastic_in_flight_bytes", Gauge, Bytes, [];
    /// Nodes of Elasticsearch that are taken out because they do not answer.
    ELASTIC_NODES_OUT = "elastic_nodes_out", Gauge, Count, [];
    /// Bulks of which Elasticsearch answered for at least one document.
    ELASTIC_ACCEPTED_BULKS = "elastic_accepted_bulks_total", Counter, Count, [];
    /// Events sent to Elasticsearch another time.
    ELASTIC_RETRIED_EVENTS = "elastic_retried_events_total", Counter, Count, [];
    /// Events sent to Elasticsearch that were there already.
    ELASTIC_PRESENT_EVENTS = "elastic_present_events_total", Counter, Count, [];
    /// Events whose id another event in Elasticsearch has already: they were kept under a new one.
    ELASTIC_ID_COLLISIONS = "elastic_id_collisions_total", Counter, Count, [];
    /// Answers that did not reach all that waits in the journal for the index.
    SEARCH_TAIL_CUT = "search_tail_cut_total", Counter, Count, [];
    /// What is kept decoded of the journal, for questions, as long as the index lacks it.
    SEARCH_KEPT_BYTES = "search_kept_bytes", Gauge, Bytes, [];
    /// Times the journal took a new id, since it is a copy of one that went on.
    JOURNAL_RENEWED = "journal_renewed_total", Counter, Count, [];
    /// Batches that were not taken because too much waits for Elasticsearch.
    ELASTIC_REFUSED_WRITES = "elastic_refused_writes_total", Counter, Count, [];
    /// Files of the index that are missing or damaged, and damaged blocks that were left out.
    INDEX_DAMAGED_FILES = "index_damaged_files", Gauge, Count, [];
    /// Events that are not found because files of the index are missing or damaged, as far as is known.
    INDEX_LOST_EVENTS = "index_lost_events", Gauge, Count, [];
    /// Watched files that are known.
    TAIL_FILES = "tail_files", Gauge, Count, [];
    /// Bytes read from watched files.
    TAIL_BYTES = "tail_bytes_total", Counter, Bytes, [];
    /// Files read anew from their start because they were truncated or replaced in place.
    TAIL_GENERATIONS = "tail_generations_total", Counter, Count, [];
    /// Watched files that are open.
    TAIL_OPEN_FILES = "tail_open_files", Gauge, Count, [];
    /// Watched paths that are not read, by reason: binary, link, special, unreadable.
    TAIL_UNREAD_FILES = "tail_unread_files", Gauge, Count, [("reason", &[
        "binary", "link", "special", "unreadable",
    ])];
    /// Bytes that were seen in watched files and were gone before they could be read.
    TAIL_LOST_BYTES = "tail_lost_bytes_total", Counter, Bytes, [];
    /// Changes of accounts, groups, sudoers, schedules and SSH keys of this machine that were told.
    SYSTEM_CHANGES = "system_changes_total", Counter, Count, [];
    /// Files of those that cannot be read, and 1 more where there are too many to be watched.
    SYSTEM_UNREAD_FILES = "system_unread_files", Gauge, Count, [];
    /// Events found anomalous.
    ANOMALIES = "anomalies_total", Counter, Count, [];
    /// What detectors and rules found, more of the same among it.
    FINDINGS = "findings_total", Counter, Count, [];
    /// Findings that wait to be kept as signals.
    FINDINGS_WAITING = "findings_waiting", Gauge, Count, [];
    /// Signals that a language model was to look at, by what came of it.
    ANALYSES = "analyses_total", Counter, Count, [("outcome", &[
        "budget", "failed", "left_alone", "noted", "timed_out", "unusable",
    ])];
    /// Rules and correlations that run.
    RULES = "rules", Gauge, Count, [];
    /// Rules that are refused; the log and `/readyz` say which.
    RULES_REFUSED = "rules_refused", Gauge, Count, [];
    /// Rules that are held against no event because they cost too much.
    RULES_SUSPENDED = "rules_suspended", Gauge, Count, [];
    /// Addresses, users, sources and the like that detectors remember.
    DETECTION_KEYS = "detection_keys", Gauge, Count, [];
    /// Those that were forgotten to make room for others: above 0 the bound of their table was hit.
    DETECTION_KEYS_EVICTED = "detection_keys_evicted_total", Counter, Count, [];
    /// Events stored without a verdict because the separate anomaly service was away.
    UNSCORED_EVENTS = "unscored_events_total", Counter, Count, [];
    /// Verdicts on events that were stored without one.
    LATE_VERDICTS = "late_verdicts_total", Counter, Count, [];
    /// Journal segments whose late verdicts were given up because the journal was nearly full.
    VERDICT_SEGMENTS_GIVEN_UP = "verdict_segments_given_up_total", Counter, Count, [];
    /// Bytes of verdicts in memory, of events that the index or another reader lacks.
    VERDICTS_HELD_BYTES = "verdicts_held_bytes", Gauge, Bytes, [];
    /// Bytes on disk of verdicts of events that the index or another reader lacks.
    VERDICTS_BYTES = "verdicts_bytes", Gauge, Bytes, [];
    /// Verdicts given up because memory and disk for them were used up: their events are stored without one.
    VERDICTS_GIVEN_UP = "verdicts_given_up_total", Counter, Count, [];
    /// Events stored without template and verdict because those of the analysis were not there any more.
    UNJOINED_EVENTS = "unjoined_events_total", Counter, Count, [];
    /// Whether the world has moved away from what the anomaly model was trained on.
    MODEL_DRIFTING = "model_drifting", Gauge, Count, [];
    /// Anomaly models that could not be trained or stored by themselves.
    FAILED_TRAININGS = "failed_trainings_total", Counter, Count, [];
    /// Kinds of what was learned or said (models, history, feedback, templates, starters) of which a file is damaged.
    DAMAGED_LEARNED_FILES = "damaged_learned_files", Gauge, Count, [];
    /// Windows (what scoring remembers of the stream) that could not be saved; each is tried again.
    FAILED_WINDOW_SAVES = "failed_window_saves_total", Counter, Count, [];
    /// Templates known.
    TEMPLATES = "templates", Gauge, Count, [];
    /// Messages of no known template that share words with more templates than are looked at.
    NEAREST_TEMPLATE_CUT = "nearest_template_cut_total", Counter, Count, [];
    /// Sessions (events that belong together) open at present.
    OPEN_SESSIONS = "open_sessions", Gauge, Count, [];
    /// Sessions that have ended.
    ENDED_SESSIONS = "ended_sessions_total", Counter, Count, [];
    /// Sessions found strange as a whole.
    STRANGE_SESSIONS = "strange_sessions_total", Counter, Count, [];
    /// Sessions that ended early to make room for others.
    EVICTED_SESSIONS = "evicted_sessions_total", Counter, Count, [];
    /// Always 1; the label says which version runs.
    BUILD_INFO = "build_info", Gauge, Count, [("version", &[])];
    /// When this process started, in seconds since 1970.
    PROCESS_START_TIME = "process_start_time_seconds", Gauge, Seconds, [];
    /// Memory of this process that is in RAM.
    PROCESS_RESIDENT_MEMORY = "process_resident_memory_bytes", Gauge, Bytes, [];
}

/// Renders all metrics. Clones share them.
#[derive(Debug, Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
}

/// Installs the recorder that the `metrics` macros of all crates write to, once a process; later
/// calls give the same metrics.
///
/// `version` is the program's, for [`BUILD_INFO`].
///
/// # Errors
/// When another recorder than ours is already installed.
pub fn install(version: &'static str) -> Result<Metrics, InstallError> {
    static INSTALLED: OnceLock<PrometheusHandle> = OnceLock::new();
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _alone = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = INSTALLED.get() {
        return Ok(Metrics { handle: handle.clone() });
    }
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|_| InstallError)?;
    register(version);
    Ok(Metrics { handle: INSTALLED.get_or_init(|| handle).clone() })
}

/// Another recorder than ours is already installed in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another metrics recorder is already installed in this process")]
pub struct InstallError;

fn register(version: &'static str) {
    for metric in ALL {
        match metric.kind {
            Kind::Counter => metrics::describe_counter!(metric.name, metric.unit, metric.help.trim()),
            Kind::Gauge => metrics::describe_gauge!(metric.name, metric.unit, metric.help.trim()),
        }
        match (metric.labels, metric.kind) {
            ([], Kind::Counter) => counter!(metric.name).absolute(0),
            ([], Kind::Gauge) => gauge!(metric.name).set(0.0),
            ([(label, values)], kind) => values.iter().for_each(|value| match kind {
                Kind::Counter => counter!(metric.name, *label => *value).absolute(0),
                Kind::Gauge => gauge!(metric.name, *label => *value).set(0.0),
            }),
            _ => {}
        }
    }
    gauge!(BUILD_INFO, "version" => version).set(1.0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    gauge!(PROCESS_START_TIME).set(now.as_secs_f64());
}

impl Metrics {
    /// All metrics in the Prometheus text format 0.0.4.
    pub fn render(&self) -> String {
        static RENDERING: Mutex<()> = Mutex::new(());
        let _alone = RENDERING.lock().unwrap_or_else(PoisonError::into_inner);
        export(&ledger::snapshot());
        if let Some(bytes) = resident_memory_bytes() {
            gauge!(PROCESS_RESIDENT_MEMORY).set(bytes as f64);
        }
        self.handle.run_upkeep();
        self.handle.render()
    }
}

/// Brings the metrics of events to the state of the ledger.
fn export(ledger: &Ledger) {
    counter!(RECEIVED_EVENTS).absolute(ledger.received);
    counter!(STORED_EVENTS).absolute(ledger.stored);
    counter!(DEAD_LETTER_EVENTS).absolute(ledger.dead_lettered);
    for (reason, count) in &ledger.dropped {
        counter!(DROPPED_EVENTS, "reason" => *reason).absolute(*count);
    }
    gauge!(QUEUED_EVENTS).set(ledger.queued() as f64);
}

/// `VmRSS` of this process; None where there is no `/proc`.
pub fn resident_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, name: &str) -> Option<f64> {
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    #[test]
    fn names_follow_the_convention() {
        for metric in ALL {
            let is_total = metric.name.ends_with("_total");
            assert_eq!(is_total, metric.kind == Kind::Counter, "{}", metric.name);
            if metric.unit == Unit::Bytes {
                assert!(metric.name.contains("_bytes"), "{}", metric.name);
            }
            assert!(metric.labels.len() <= 2, "{}", metric.name);
        }
    }

    #[test]
    fn a_scrape_balances_and_shows_every_metric() {
        let metrics = install("1.2.3").unwrap();
        assert!(install("1.2.3").is_ok(), "a second call gives the same metrics");
        ledger::received(7);
        ledger::stored(3);
        let text = metrics.render();
        for metric in ALL.iter().filter(|metric| metric.labels.is_empty()) {
            assert!(value(&text, metric.name).is_some(), "{} in {text}", metric.name);
            assert!(
                text.contains(&format!("# HELP {} {}", metric.name, metric.help.trim())),
                "{}",
                metric.name
            );
        }
        assert!(text.contains("log_sentinel_build_info{version=\"1.2.3\"} 1"), "{text}");
        for series in
            ["cut_answers_total{cause=\"client\"}", "admission_refused_total{limit=\"journal_disk\"}"]
        {
            assert_eq!(value(&text, &format!("log_sentinel_{series}")), Some(0.0), "{series} in {text}");
        }
        let of = |name| value(&text, name).unwrap();
        let dropped: f64 = text
            .lines()
            .filter(|line| line.starts_with(DROPPED_EVENTS))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum();
        let sum = of(STORED_EVENTS) + of(QUEUED_EVENTS) + of(DEAD_LETTER_EVENTS) + dropped;
        assert_eq!(of(RECEIVED_EVENTS), sum);
        assert!(of(PROCESS_RESIDENT_MEMORY) > 1e5 && of(PROCESS_START_TIME) > 1.7e9);
    }
}
