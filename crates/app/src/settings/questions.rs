//! The group of settings of questions and live tails: how much of the machine they may have.

use std::time::Duration;

use api::CollectorConfig;
use index::elasticsearch;

use super::value::Reader;

/// Bounds of questions.
#[derive(Debug, Clone)]
pub(crate) struct Questions {
    pub collector: CollectorConfig,
    pub search: search::Config,
    /// What a question in SQL may take.
    pub sql: ::sql::Budget,
}

impl Questions {
    /// `write_timeout` is how long a client may take nothing of an answer, `tails_bytes_max` what is on its way to
    /// live tails; `cluster` is what the questions are put to, if not the embedded index.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        write_timeout: Duration,
        tails_bytes_max: usize,
        cluster: Option<&elasticsearch::Config>,
    ) -> Self {
        let collector = CollectorConfig {
            queries_max: reader.count("LOG_SENTINEL_QUERIES_MAX", 1, 10_000),
            slow_queries_max: reader.count("LOG_SENTINEL_SLOW_QUERIES_MAX", 1, 10_000),
            query_work_max: reader.count("LOG_SENTINEL_QUERY_WORK_MAX", 1_000, 1_000_000_000_000) as u64,
            query_timeout: reader.duration("LOG_SENTINEL_QUERY_TIMEOUT"),
            tails_max: reader.count("LOG_SENTINEL_TAILS_MAX", 1, 10_000),
            tails_bytes_max,
            answer_bytes_max: reader.size("LOG_SENTINEL_ANSWER_BYTES_MAX", 1 << 20, 1 << 50),
            answers_bytes_max: reader.size("LOG_SENTINEL_ANSWERS_BYTES_MAX", 1 << 20, 4 << 30),
            write_timeout,
            ..CollectorConfig::default()
        };
        // The cluster's own bound comes first, so that its node is known to hang.
        let patience = |cluster: &elasticsearch::Config| cluster.query_timeout + cluster.query_timeout / 16;
        let search = search::Config {
            tail_bytes_max: reader.size("LOG_SENTINEL_TAIL_SEARCH_BYTES_MAX", 1 << 20, 64 << 30),
            tail_time_max: reader.duration("LOG_SENTINEL_TAIL_SEARCH_TIMEOUT"),
            kept_bytes_max: reader.size("LOG_SENTINEL_TAIL_SEARCH_KEPT_BYTES", 0, 16 << 30),
            // The query is not blamed for it.
            index_timeout: cluster.map(|cluster| patience(cluster).min(collector.query_timeout / 2)),
            ..search::Config::default()
        };
        let sql = ::sql::Budget {
            time: reader.duration("LOG_SENTINEL_SQL_TIME_MAX"),
            memory_bytes: reader.size("LOG_SENTINEL_SQL_MEMORY_MAX", 16 << 20, 64 << 30) as u64,
            ..::sql::Budget::default()
        };
        Self { collector, search, sql }
    }
}
