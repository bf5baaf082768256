//! From settings to what each part wants to know, and the parts that are opened before anything runs.

use std::{sync::Arc, time::Duration};

use index::elasticsearch::{self, setup};
use journal::Journal;

use super::error::StartError;
use crate::{Settings, settings::Elastic};

/// Positions of tailed files and answers to idempotency keys that the journal remembers.
const JOURNAL_NOTES_MAX: usize = 32_768;
/// A commit is due after so many events.
const COMMIT_EVENTS: u64 = 1 << 20;
/// Verdicts in memory that the index lacks.
const VERDICTS_HELD_BYTES: usize = 16 << 20;
/// How long the analysis waits for room in a cluster's queue before it goes on without the index.
const ELASTIC_WRITE_WAIT: Duration = Duration::from_millis(200);
/// Read from the journal at once.
const PIPELINE_READ_BYTES: usize = 4 << 20;

pub(super) fn open_journal(settings: &Settings) -> Result<Journal, StartError> {
    let data = &settings.data;
    let journal = Journal::open(journal::Config {
        dir: data.join("journal"),
        cursors_dir: data.join("cursors"),
        segment_bytes: settings.journal_segment_bytes,
        budget_bytes: settings.journal_bytes_max,
        queue_bytes: settings.journal_queue_bytes,
        reserve_bytes: settings.disk_reserve,
        notes_max: JOURNAL_NOTES_MAX,
    })?;
    for problem in journal.status().problems {
        tracing::error!(path = %problem.path.display(), what = problem.what, "a file of the journal is not as it should be");
    }
    match journal.status().truncated_bytes {
        0 => {}
        bytes => {
            tracing::info!(bytes, "cut off a write that had not finished; nobody was told that it was stored")
        }
    }
    Ok(journal)
}

pub(super) fn open_service(settings: &Settings) -> Result<Arc<anomaly::Service>, StartError> {
    Ok(Arc::new(anomaly::Service::open(anomaly::Config {
        events_min: settings.model_events_min,
        false_positive_rate: settings.false_positive_rate,
        template: template_config(settings),
        sessions_max: settings.sessions_max,
        session_keys: settings.session_keys.clone(),
        waits_for_training: false,
        ..anomaly::Config::new(settings.data.join("models"))
    })?))
}

pub(super) fn template_config(settings: &Settings) -> template::Config {
    template::Config { templates_max: settings.templates_max, ..template::Config::default() }
}

/// How a cluster is reached and written to.
pub(crate) fn cluster_config(elastic: &Elastic) -> elasticsearch::Config {
    elasticsearch::Config {
        data_stream: elastic.index.clone(),
        auth: elastic.auth.clone(),
        ca_file: elastic.ca_file.clone(),
        keep_original: elastic.original,
        bulk_bytes_max: elastic.bulk_bytes_max,
        in_flight_bytes_max: elastic.in_flight_bytes_max,
        concurrency_max: elastic.concurrency_max,
        request_timeout: elastic.timeout,
        query_timeout: elastic.query_timeout,
        rollover: elastic.rollover,
        write_wait: ELASTIC_WRITE_WAIT,
        ..elasticsearch::Config::new(elastic.nodes.clone())
    }
}

/// What a cluster is to be prepared for.
pub(crate) fn setup_config(settings: &Settings, elastic: &Elastic) -> setup::Config {
    setup::Config {
        data_stream: elastic.index.clone(),
        retention: settings.retention,
        shards: elastic.shards,
        replicas: elastic.replicas,
    }
}

pub(super) fn verdicts_config(settings: &Settings) -> verdicts::Config {
    verdicts::Config {
        dir: settings.data.join("verdicts"),
        budget_bytes: settings.verdicts_bytes_max,
        held_bytes_max: VERDICTS_HELD_BYTES,
    }
}

pub(super) fn pipeline_config(settings: &Settings) -> pipeline::Config {
    pipeline::Config {
        read_bytes: PIPELINE_READ_BYTES,
        commit_events: COMMIT_EVENTS,
        commit_idle: Duration::from_secs(5),
        commit_interval: Duration::from_secs(30),
        retry: Duration::from_secs(1),
        drain: settings.shutdown_grace / 3,
        live_bytes_max: settings.live_bytes_max / 2,
        window_dir: settings.data.join("window"),
    }
}

pub(super) fn door_config(settings: &Settings) -> intake::Config {
    intake::Config {
        line_bytes_max: settings.line_bytes_max,
        zone: settings.zone.clone(),
        host: host_name(),
        retention: settings.retention,
        held_bytes_max: settings.in_flight_bytes_max,
    }
}

pub(super) fn body_config(settings: &Settings) -> body::Config {
    body::Config {
        bytes_max: settings.body_bytes_max,
        in_flight_bytes_max: settings.in_flight_bytes_max,
        idle_max: settings.body_idle_max,
        rate_min: settings.body_rate_min,
    }
}

/// Of each listener.
pub(super) fn connections(settings: &Settings) -> api::Connections {
    api::Connections {
        max: settings.connections_max,
        per_address_max: settings.connections_per_address_max,
        header_timeout: settings.header_timeout,
        write_timeout: settings.write_timeout,
    }
}

pub(super) fn tail_config(settings: &Settings) -> intake::tail::Config {
    intake::tail::Config {
        dir: (!settings.dir.as_os_str().is_empty()).then(|| settings.dir.clone()),
        files: settings.files.clone(),
        scan_interval: settings.tail_scan_interval,
        flush_after: settings.line_wait,
        open_files_max: settings.open_files_max,
        symlinks: match settings.symlinks.as_str() {
            "any" => intake::tail::Symlinks::Any,
            "never" => intake::tail::Symlinks::Never,
            _ => intake::tail::Symlinks::Owner,
        },
        ..intake::tail::Config::default()
    }
}

pub(super) fn collector_config(settings: &Settings) -> api::CollectorConfig {
    api::CollectorConfig {
        queries_max: settings.queries_max,
        slow_queries_max: settings.slow_queries_max,
        query_work_max: settings.query_work_max,
        query_timeout: settings.query_timeout,
        tails_max: settings.tails_max,
        tails_bytes_max: settings.live_bytes_max / 2,
        answer_bytes_max: settings.answer_bytes_max,
        answers_bytes_max: settings.answers_bytes_max,
        write_timeout: settings.write_timeout,
        ..api::CollectorConfig::default()
    }
}

pub(super) fn searcher_config(settings: &Settings) -> search::Config {
    // The cluster's own bound comes first, so that its node is known to hang.
    let patience = |elastic: &Elastic| elastic.query_timeout + elastic.query_timeout / 16;
    search::Config {
        tail_bytes_max: settings.tail_search_bytes_max,
        tail_time_max: settings.tail_search_timeout,
        // The query is not blamed for it.
        index_timeout: settings
            .elastic
            .as_ref()
            .map(|elastic| patience(elastic).min(settings.query_timeout / 2)),
        ..search::Config::default()
    }
}

pub(super) fn grpc_config(settings: &Settings) -> api::GrpcConfig {
    let tls = settings.anomaly_tls.clone();
    api::GrpcConfig {
        tls: tls.map(|(cert_file, key_file)| api::TlsFiles { cert_file, key_file }),
        in_flight_bytes_max: settings.in_flight_bytes_max,
        idle_max: settings.body_idle_max,
        connections: connections(settings),
        ..api::GrpcConfig::default()
    }
}

pub(super) fn scoring_config(settings: &Settings) -> api::AnomalyConfig {
    api::AnomalyConfig {
        body: body_config(settings),
        line_bytes_max: settings.line_bytes_max,
        zone: settings.zone.clone(),
        ..api::AnomalyConfig::default()
    }
}

/// The name of this machine, for lines of watched files that name none.
fn host_name() -> Option<String> {
    #[cfg(unix)]
    {
        rustix::system::uname().nodename().to_str().ok().map(str::to_owned).filter(|name| !name.is_empty())
    }
    #[cfg(not(unix))]
    {
        None
    }
}
