//! The settings of a cluster.

use std::{path::PathBuf, time::Duration};

use index::elasticsearch::{Auth, Rollover};

use super::value::Reader;

/// A cluster and how it is written to. Each field is explained where users read it: in the list of settings.
#[derive(Debug, Clone)]
pub(crate) struct Elastic {
    pub nodes: Vec<String>,
    pub index: String,
    pub auth: Auth,
    pub ca_file: Option<PathBuf>,
    pub original: bool,
    pub bulk_bytes_max: usize,
    pub in_flight_bytes_max: usize,
    pub concurrency_max: usize,
    pub timeout: Duration,
    pub query_timeout: Duration,
    pub rollover: Rollover,
    pub shards: Option<u32>,
    pub replicas: Option<u32>,
}

impl Elastic {
    /// None without `ELASTIC_ADDR`; the other settings then have no effect, but are checked.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let elastic = Self {
            nodes: reader.urls("ELASTIC_ADDR"),
            index: reader.string("ELASTIC_INDEX"),
            auth: auth(reader),
            ca_file: reader.optional_path("ELASTIC_CA_FILE"),
            original: reader.flag("LOG_SENTINEL_ELASTIC_ORIGINAL"),
            bulk_bytes_max: reader.size("LOG_SENTINEL_ELASTIC_BULK_BYTES_MAX", 64 << 10, 90 << 20),
            in_flight_bytes_max: reader.size("LOG_SENTINEL_ELASTIC_IN_FLIGHT_BYTES_MAX", 1 << 20, 16 << 30),
            concurrency_max: reader.count("LOG_SENTINEL_ELASTIC_CONCURRENCY_MAX", 1, 256),
            timeout: reader.duration("LOG_SENTINEL_ELASTIC_TIMEOUT"),
            query_timeout: reader.duration("LOG_SENTINEL_ELASTIC_QUERY_TIMEOUT"),
            rollover: Rollover {
                age: reader.duration("LOG_SENTINEL_ELASTIC_ROLLOVER_AGE"),
                documents: reader.count("LOG_SENTINEL_ELASTIC_ROLLOVER_DOCUMENTS", 1, 2_000_000_000) as u64,
                bytes: reader.size("LOG_SENTINEL_ELASTIC_ROLLOVER_BYTES", 1 << 10, 1 << 50) as u64,
            },
            shards: reader.optional_count("LOG_SENTINEL_ELASTIC_SHARDS", 1, 1024),
            replicas: reader.optional_count("LOG_SENTINEL_ELASTIC_REPLICAS", 0, 16),
        };
        if elastic.bulk_bytes_max > elastic.in_flight_bytes_max {
            reader.problem(
                "LOG_SENTINEL_ELASTIC_BULK_BYTES_MAX is more than LOG_SENTINEL_ELASTIC_IN_FLIGHT_BYTES_MAX"
                    .to_owned(),
            );
        }
        (!elastic.nodes.is_empty()).then_some(elastic)
    }
}

fn auth(reader: &mut Reader<'_>) -> Auth {
    let key = reader.string("ELASTIC_API_KEY");
    let (username, password) = (reader.string("ELASTIC_USERNAME"), reader.string("ELASTIC_PASSWORD"));
    match (key.is_empty(), username.is_empty(), password.is_empty()) {
        (false, true, true) => Auth::ApiKey(key),
        (true, false, false) => Auth::Basic { username, password },
        (true, true, true) => Auth::None,
        (false, ..) => {
            reader.problem(
                "ELASTIC_API_KEY is set together with ELASTIC_USERNAME or ELASTIC_PASSWORD; keep one way"
                    .to_owned(),
            );
            Auth::None
        }
        (true, ..) => {
            reader.problem("ELASTIC_USERNAME and ELASTIC_PASSWORD need each other".to_owned());
            Auth::None
        }
    }
}
