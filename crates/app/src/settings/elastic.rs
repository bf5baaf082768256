//! The group of settings of a cluster.

use std::time::Duration;

use index::elasticsearch::{self, Auth, Rollover, setup};

use super::value::Reader;

/// How long the analysis waits for room in a cluster's queue before it goes on without the index.
const WRITE_WAIT: Duration = Duration::from_millis(200);

/// A cluster.
#[derive(Debug, Clone)]
pub(crate) struct Elastic {
    /// How it is reached and written to.
    pub cluster: elasticsearch::Config,
    /// What it is prepared for.
    pub setup: setup::Config,
}

impl Elastic {
    /// None without `ELASTIC_ADDR`; the other settings then have no effect, but are checked.
    pub(super) fn read(reader: &mut Reader<'_>, retention: Option<Duration>) -> Option<Self> {
        let nodes = reader.urls("ELASTIC_ADDR");
        let cluster = elasticsearch::Config {
            data_stream: reader.string("ELASTIC_INDEX"),
            auth: auth(reader),
            ca_file: reader.optional_path("ELASTIC_CA_FILE"),
            keep_original: reader.flag("LOG_SENTINEL_ELASTIC_ORIGINAL"),
            bulk_bytes_max: reader.size("LOG_SENTINEL_ELASTIC_BULK_BYTES_MAX", 64 << 10, 90 << 20),
            in_flight_bytes_max: reader.size("LOG_SENTINEL_ELASTIC_IN_FLIGHT_BYTES_MAX", 1 << 20, 16 << 30),
            concurrency_max: reader.count("LOG_SENTINEL_ELASTIC_CONCURRENCY_MAX", 1, 256),
            request_timeout: reader.duration("LOG_SENTINEL_ELASTIC_TIMEOUT"),
            query_timeout: reader.duration("LOG_SENTINEL_ELASTIC_QUERY_TIMEOUT"),
            rollover: Rollover {
                age: reader.duration("LOG_SENTINEL_ELASTIC_ROLLOVER_AGE"),
                documents: reader.count("LOG_SENTINEL_ELASTIC_ROLLOVER_DOCUMENTS", 1, 2_000_000_000) as u64,
                bytes: reader.size("LOG_SENTINEL_ELASTIC_ROLLOVER_BYTES", 1 << 10, 1 << 50) as u64,
            },
            write_wait: WRITE_WAIT,
            ..elasticsearch::Config::new(nodes)
        };
        let setup = setup::Config {
            data_stream: cluster.data_stream.clone(),
            retention,
            shards: reader.optional_count("LOG_SENTINEL_ELASTIC_SHARDS", 1, 1024),
            replicas: reader.optional_count("LOG_SENTINEL_ELASTIC_REPLICAS", 0, 16),
        };
        if cluster.bulk_bytes_max > cluster.in_flight_bytes_max {
            reader.misfit(
                &["LOG_SENTINEL_ELASTIC_BULK_BYTES_MAX", "LOG_SENTINEL_ELASTIC_IN_FLIGHT_BYTES_MAX"],
                "LOG_SENTINEL_ELASTIC_BULK_BYTES_MAX is more than LOG_SENTINEL_ELASTIC_IN_FLIGHT_BYTES_MAX"
                    .to_owned(),
            );
        }
        (!cluster.nodes.is_empty()).then_some(Self { cluster, setup })
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
