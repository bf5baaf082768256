//! Settings: flags, then the environment, then `.env`, then `log-sentinel.yaml`.
//!
//! [`SETTINGS`] is the one list of them; `.env.sample`, the flags, `log-sentinel check` and the
//! documentation follow from it. [`Settings`] is what they mean, checked. Nothing else reads the
//! environment.

mod dot_env;
mod elastic;
mod error;
mod sources;
mod table;
mod value;

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

pub(crate) use elastic::Elastic;
pub(crate) use error::SettingsError;
pub(crate) use sources::{Sources, Values};
pub(crate) use table::{SETTINGS, sample};
pub(crate) use value::masked;

/// A secret: it never shows itself.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("********")
    }
}

/// The settings, typed and checked. Each field is explained where users read it: in [`SETTINGS`].
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub addr: SocketAddr,
    pub anomaly_addr: SocketAddr,
    pub anomaly_grpc_addr: SocketAddr,
    pub anomaly_url: Option<String>,
    pub anomaly_timeout: Duration,
    pub anomaly_ca_file: Option<PathBuf>,
    /// Certificate and key.
    pub anomaly_tls: Option<(PathBuf, PathBuf)>,
    pub elastic: Option<Elastic>,
    pub dead_letter_bytes_max: u64,
    pub verdicts_bytes_max: u64,
    pub dir: PathBuf,
    pub files: Vec<String>,
    pub data: PathBuf,
    pub api_keys: Vec<Secret>,
    pub trust_network: bool,
    pub allowed_hosts: Vec<String>,
    pub zone: jiff::tz::TimeZone,
    pub log_level: String,
    pub log_json: bool,
    pub body_bytes_max: usize,
    pub in_flight_bytes_max: usize,
    pub line_bytes_max: usize,
    pub connections_max: usize,
    pub connections_per_address_max: usize,
    pub header_timeout: Duration,
    pub body_idle_max: Duration,
    pub body_rate_min: usize,
    pub journal_bytes_max: u64,
    pub journal_queue_bytes: usize,
    pub journal_segment_bytes: u64,
    pub disk_reserve: u64,
    pub retention: Option<Duration>,
    pub index_cache_bytes: usize,
    pub query_timeout: Duration,
    pub tail_search_bytes_max: usize,
    pub tail_search_timeout: Duration,
    pub queries_max: usize,
    pub slow_queries_max: usize,
    pub query_work_max: u64,
    pub tails_max: usize,
    pub live_bytes_max: usize,
    pub answer_bytes_max: usize,
    pub answers_bytes_max: usize,
    pub write_timeout: Duration,
    pub tail_scan_interval: Duration,
    pub line_wait: Duration,
    pub open_files_max: usize,
    pub symlinks: String,
    pub model_events_min: usize,
    pub false_positive_rate: f64,
    pub templates_max: usize,
    pub sessions_max: usize,
    /// Full paths of fields.
    pub session_keys: Vec<String>,
    pub shutdown_grace: Duration,
}

impl Settings {
    /// Types and checks what the sources hold. Touches neither the disk nor the network.
    ///
    /// # Errors
    /// Every problem with the sources and with the values.
    pub(crate) fn check(sources: &Values) -> Result<Self, SettingsError> {
        let mut reader = value::Reader::new(sources);
        let settings = Self {
            addr: reader.address("LOG_SENTINEL_ADDR"),
            anomaly_addr: reader.address("LOG_SENTINEL_ANOMALY_ADDR"),
            anomaly_grpc_addr: reader.address("LOG_SENTINEL_ANOMALY_GRPC_ADDR"),
            anomaly_url: reader.url("LOG_SENTINEL_ANOMALY_URL"),
            anomaly_timeout: reader.duration("LOG_SENTINEL_ANOMALY_TIMEOUT"),
            anomaly_ca_file: reader.optional_path("LOG_SENTINEL_ANOMALY_CA_FILE"),
            anomaly_tls: reader
                .optional_path("LOG_SENTINEL_ANOMALY_CERT_FILE")
                .zip(reader.optional_path("LOG_SENTINEL_ANOMALY_KEY_FILE")),
            elastic: Elastic::read(&mut reader),
            verdicts_bytes_max: reader.size("LOG_SENTINEL_VERDICTS_BYTES_MAX", 1 << 20, 1 << 50) as u64,
            dead_letter_bytes_max: reader.size("LOG_SENTINEL_DEAD_LETTER_BYTES_MAX", 1 << 20, 1 << 50) as u64,
            dir: reader.path("LOG_SENTINEL_DIR"),
            files: reader.list("LOG_SENTINEL_FILES"),
            data: reader.path("LOG_SENTINEL_DATA"),
            api_keys: reader.list("API_KEYS").into_iter().map(Secret).collect(),
            trust_network: reader.flag("LOG_SENTINEL_TRUST_NETWORK"),
            allowed_hosts: reader.hosts("LOG_SENTINEL_ALLOWED_HOSTS"),
            zone: reader.zone("LOG_SENTINEL_ZONE"),
            log_level: reader.one_of("LOG_SENTINEL_LOG_LEVEL", &["error", "warn", "info", "debug", "trace"]),
            log_json: reader.one_of("LOG_SENTINEL_LOG_FORMAT", &["text", "json"]) == "json",
            body_bytes_max: reader.size("LOG_SENTINEL_BODY_BYTES_MAX", 1 << 10, 4 << 30),
            in_flight_bytes_max: reader.size("LOG_SENTINEL_IN_FLIGHT_BYTES_MAX", 1 << 20, 64 << 30),
            line_bytes_max: reader.size("LOG_SENTINEL_LINE_BYTES_MAX", 1 << 10, 16 << 20),
            connections_max: reader.count("LOG_SENTINEL_CONNECTIONS_MAX", 1, 1_000_000),
            connections_per_address_max: reader.count(
                "LOG_SENTINEL_CONNECTIONS_PER_ADDRESS_MAX",
                1,
                1_000_000,
            ),
            header_timeout: reader.duration("LOG_SENTINEL_HEADER_TIMEOUT"),
            body_idle_max: reader.duration("LOG_SENTINEL_BODY_IDLE_MAX"),
            body_rate_min: reader.size("LOG_SENTINEL_BODY_RATE_MIN", 1, 1 << 30),
            journal_bytes_max: reader.size("LOG_SENTINEL_JOURNAL_BYTES_MAX", 8 << 20, 1 << 50) as u64,
            journal_queue_bytes: reader.size("LOG_SENTINEL_JOURNAL_QUEUE_BYTES", 1 << 20, 64 << 30),
            journal_segment_bytes: reader.size("LOG_SENTINEL_JOURNAL_SEGMENT_BYTES", 1 << 20, 4 << 30) as u64,
            disk_reserve: reader.size("LOG_SENTINEL_DISK_RESERVE", 0, 1 << 40) as u64,
            retention: reader.duration_or_never("LOG_SENTINEL_RETENTION"),
            index_cache_bytes: reader.size("LOG_SENTINEL_INDEX_CACHE_BYTES", 1 << 20, 64 << 30),
            query_timeout: reader.duration("LOG_SENTINEL_QUERY_TIMEOUT"),
            tail_search_bytes_max: reader.size("LOG_SENTINEL_TAIL_SEARCH_BYTES_MAX", 1 << 20, 64 << 30),
            tail_search_timeout: reader.duration("LOG_SENTINEL_TAIL_SEARCH_TIMEOUT"),
            queries_max: reader.count("LOG_SENTINEL_QUERIES_MAX", 1, 10_000),
            slow_queries_max: reader.count("LOG_SENTINEL_SLOW_QUERIES_MAX", 1, 10_000),
            query_work_max: reader.count("LOG_SENTINEL_QUERY_WORK_MAX", 1_000, 1_000_000_000_000) as u64,
            tails_max: reader.count("LOG_SENTINEL_TAILS_MAX", 1, 10_000),
            live_bytes_max: reader.size("LOG_SENTINEL_LIVE_BYTES_MAX", 1 << 20, 64 << 30),
            answer_bytes_max: reader.size("LOG_SENTINEL_ANSWER_BYTES_MAX", 1 << 20, 1 << 50),
            answers_bytes_max: reader.size("LOG_SENTINEL_ANSWERS_BYTES_MAX", 1 << 20, 4 << 30),
            write_timeout: reader.duration("LOG_SENTINEL_WRITE_TIMEOUT"),
            tail_scan_interval: reader.duration("LOG_SENTINEL_SCAN_INTERVAL"),
            line_wait: reader.duration("LOG_SENTINEL_LINE_WAIT"),
            open_files_max: reader.count("LOG_SENTINEL_OPEN_FILES_MAX", 16, 100_000),
            symlinks: reader.one_of("LOG_SENTINEL_SYMLINKS", &["owner", "any", "never"]),
            model_events_min: reader.count("LOG_SENTINEL_MODEL_EVENTS_MIN", 100, 10_000_000),
            false_positive_rate: reader.share("LOG_SENTINEL_FALSE_POSITIVE_RATE", 1e-6, 0.1),
            templates_max: reader.count("LOG_SENTINEL_TEMPLATES_MAX", 100, 10_000_000),
            sessions_max: reader.count("LOG_SENTINEL_SESSIONS_MAX", 16, 1_000_000),
            session_keys: reader.session_keys("LOG_SENTINEL_SESSION_KEYS"),
            shutdown_grace: reader.duration("LOG_SENTINEL_SHUTDOWN_GRACE"),
        };
        settings.check_together(&mut reader);
        let problems = reader.finish();
        if problems.is_empty() { Ok(settings) } else { Err(SettingsError { problems }) }
    }

    fn check_together(&self, reader: &mut value::Reader<'_>) {
        if self.body_bytes_max > self.in_flight_bytes_max {
            reader.problem(format!(
                "LOG_SENTINEL_BODY_BYTES_MAX ({} bytes) is more than LOG_SENTINEL_IN_FLIGHT_BYTES_MAX ({} bytes): \
                 the largest body could never be taken in",
                self.body_bytes_max, self.in_flight_bytes_max
            ));
        }
        if self.journal_segment_bytes.saturating_mul(2) > self.journal_bytes_max {
            reader.problem(
                "LOG_SENTINEL_JOURNAL_BYTES_MAX must hold two segments of LOG_SENTINEL_JOURNAL_SEGMENT_BYTES at least"
                    .to_owned(),
            );
        }
        let listeners = [
            ("LOG_SENTINEL_ADDR", self.addr),
            ("LOG_SENTINEL_ANOMALY_ADDR", self.anomaly_addr),
            ("LOG_SENTINEL_ANOMALY_GRPC_ADDR", self.anomaly_grpc_addr),
        ];
        for (name, addr) in listeners {
            if !addr.ip().is_loopback() && self.api_keys.is_empty() && !self.trust_network {
                reader.problem(format!(
                    "{name} is {addr}, which others can reach, and no API_KEYS are set. Set API_KEYS, or \
                     LOG_SENTINEL_TRUST_NETWORK=true if everything on that network may read and write logs"
                ));
            }
        }
        for (at, (name, addr)) in listeners.iter().enumerate() {
            if let Some((other, _)) =
                listeners[..at].iter().find(|(_, other)| other == addr && addr.port() != 0)
            {
                reader.problem(format!("{other} and {name} are both {addr}"));
            }
        }
        if self.anomaly_tls.is_none() {
            reader.need_each_other("LOG_SENTINEL_ANOMALY_CERT_FILE", "LOG_SENTINEL_ANOMALY_KEY_FILE");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let environment =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let sources = Sources { environment, home: Some("/home/someone".into()), ..Sources::default() };
        Settings::check(&sources.resolve())
    }

    fn problem(pairs: &[(&str, &str)]) -> String {
        check(pairs).expect_err("a problem").to_string()
    }

    #[test]
    fn defaults_are_those_of_the_documentation() {
        let settings = check(&[]).unwrap();
        assert_eq!(settings.addr, "127.0.0.1:8080".parse().unwrap());
        assert_eq!(settings.anomaly_addr, "127.0.0.1:8000".parse().unwrap());
        assert_eq!(settings.dir, PathBuf::from("/var/log/log_sentinel"));
        assert_eq!(settings.data, PathBuf::from("/home/someone/.local/state/log-sentinel"));
        assert_eq!(settings.body_bytes_max, 100 << 20);
        assert_eq!(settings.in_flight_bytes_max, 128 << 20);
        assert_eq!(settings.retention, None);
    }

    #[test]
    fn wrong_values_name_setting_origin_and_what_would_be_right() {
        for (name, value, expected) in [
            ("LOG_SENTINEL_ADDR", "8080", "LOG_SENTINEL_ADDR"),
            ("LOG_SENTINEL_BODY_BYTES_MAX", "lots", "such as 100MiB"),
            ("LOG_SENTINEL_BODY_BYTES_MAX", "1GiB", "IN_FLIGHT"),
            ("LOG_SENTINEL_QUERY_TIMEOUT", "soon", "such as 30s"),
            ("LOG_SENTINEL_LOG_FORMAT", "xml", "text, json"),
            ("LOG_SENTINEL_ZONE", "Mars/Olympus", "time zone"),
            ("LOG_SENTINEL_TRUST_NETWORK", "maybe", "true or false"),
            ("LOG_SENTINEL_FALSE_POSITIVE_RATE", "7", "between"),
            ("LOG_SENTINEL_ADRR", "127.0.0.1:1", "LOG_SENTINEL_ADDR"),
            ("LOG_SENTINEL_ELASTIC_REPLICAS", "many", "unset, or a whole number"),
            ("LOG_SENTINEL_LOG_LEVEL", "loud", "error, warn, info, debug, trace"),
            ("LOG_SENTINEL_ALLOWED_HOSTS", "a.example.org,http://b", "'http://b', but must hold names"),
            ("LOG_SENTINEL_ANOMALY_URL", "anomaly:50051", "such as http://anomaly:50051"),
            ("LOG_SENTINEL_ANOMALY_URL", "http://a:50051,http://b:50051", "one address"),
        ] {
            let text = problem(&[(name, value)]);
            assert!(text.contains(expected), "{name}={value}: {text}");
            assert!(text.contains("environment") || name.ends_with("BYTES_MAX"), "{name}={value}: {text}");
        }
    }

    #[test]
    fn all_problems_are_said_at_once() {
        let text =
            problem(&[("LOG_SENTINEL_ADRR", "x"), ("LOG_SENTINEL_ADDR", "8080"), ("LOG_SENTINEL_ZONE", "x")]);
        for expected in
            ["did you mean LOG_SENTINEL_ADDR?", "LOG_SENTINEL_ADDR is '8080'", "LOG_SENTINEL_ZONE is 'x'"]
        {
            assert!(text.contains(expected), "{expected} in {text}");
        }
    }

    #[test]
    fn a_cluster_needs_an_address_and_one_way_to_authenticate() {
        assert!(check(&[]).unwrap().elastic.is_none());
        let nodes = ("ELASTIC_ADDR", "http://a:9200, https://b:9200");
        assert_eq!(check(&[nodes]).unwrap().elastic.unwrap().nodes.len(), 2);
        let user = [("ELASTIC_USERNAME", "u"), ("ELASTIC_PASSWORD", "hunter2")];
        let elastic = check(&[nodes, user[0], user[1]]).unwrap().elastic.unwrap();
        assert!(!format!("{elastic:?}").contains("hunter2"));
        for (pairs, expected) in [
            (&[("ELASTIC_ADDR", "localhost:9200")][..], "http://localhost:9200"),
            (&[("ELASTIC_ADDR", "http://u:hunter2@h:9200")], "must not hold a user name"),
            (&[nodes, user[0]], "need each other"),
            (&[nodes, user[0], user[1], ("ELASTIC_API_KEY", "k")], "keep one way"),
            (&[("LOG_SENTINEL_ANOMALY_CERT_FILE", "x")], "LOG_SENTINEL_ANOMALY_KEY_FILE"),
        ] {
            let text = problem(pairs);
            assert!(text.contains(expected) && !text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn session_keys_are_fields_as_queries_name_them() {
        let keys = |text: &str| check(&[("LOG_SENTINEL_SESSION_KEYS", text)]).unwrap().session_keys;
        assert_eq!(keys(""), [""; 0]);
        assert_eq!(
            keys("trace.id, labels.order ,order,user.name"),
            ["trace.id", "labels.order", "user.name"],
            "an unknown name is one of labels, and the same field twice is one"
        );
        for (text, expected) in [
            ("message", "'message' is part of every event"),
            ("trace.id,level", "'level' is part of every event"),
            ("host", "'host' is part of every event"),
            ("user..name", "'user..name' is no name of a field"),
            ("two words", "'two words' is no name of a field"),
            (&["a"; 129].concat(), "is no name of a field"),
            (&(0..17).map(|n| format!("k{n}")).collect::<Vec<_>>().join(","), "16 fields at most"),
        ] {
            let text = problem(&[("LOG_SENTINEL_SESSION_KEYS", text)]);
            assert!(text.contains(expected) && text.contains("environment"), "{text}");
        }
        assert_eq!(check(&[]).unwrap().sessions_max, 16_384);
        assert!(problem(&[("LOG_SENTINEL_SESSIONS_MAX", "15")]).contains("between 16 and"));
    }

    #[test]
    fn another_bind_needs_keys_or_trust() {
        assert!(problem(&[("LOG_SENTINEL_ADDR", "0.0.0.0:8080")]).contains("API_KEYS"));
        assert!(
            check(&[("LOG_SENTINEL_ADDR", "0.0.0.0:8080"), ("API_KEYS", "a-long-key-of-someone")]).is_ok()
        );
        assert!(
            check(&[("LOG_SENTINEL_ADDR", "0.0.0.0:8080"), ("LOG_SENTINEL_TRUST_NETWORK", "true")]).is_ok()
        );
    }

    #[test]
    fn settings_of_other_programs_and_of_tests_are_left_alone() {
        assert!(check(&[("LOG_LEVEL", "x"), ("LOG_SENTINEL_TEST_ANYTHING", "x"), ("PATH", "/bin")]).is_ok());
    }

    #[test]
    fn names_of_levels_and_forms_may_be_in_capitals() {
        let pairs = [("LOG_SENTINEL_LOG_LEVEL", "WARN"), ("LOG_SENTINEL_LOG_FORMAT", "Json")];
        let settings = check(&pairs).unwrap();
        assert_eq!((settings.log_level.as_str(), settings.log_json), ("warn", true));
    }

    #[test]
    fn keys_stand_one_a_line_or_between_commas() {
        let keys = |text: &str| check(&[("API_KEYS", text)]).unwrap().api_keys;
        let expected: Vec<Secret> = ["first", "second", "third"].map(|key| Secret(key.to_owned())).into();
        assert_eq!(keys("first,second, third"), expected);
        assert_eq!(keys("first\nsecond\r\n\nthird\n"), expected);
    }

    #[test]
    fn what_an_address_holds_beside_the_host_shows_nowhere() {
        for name in ["ELASTIC_ADDR", "LOG_SENTINEL_ANOMALY_URL", "LOG_SENTINEL_ADDR"] {
            for text in [
                "http://u:hunter2@h:9200",
                "http://a,https://u:hunter2@h",
                "u:hunter2@h:9200",
                "ftp://u:hunter2@h",
            ] {
                let problem = problem(&[(name, text)]);
                assert!(problem.contains(name) && !problem.contains("hunter2"), "{problem}");
            }
        }
    }

    #[test]
    fn secrets_do_not_show() {
        let settings = check(&[("API_KEYS", "hunter2-is-a-key")]).unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
