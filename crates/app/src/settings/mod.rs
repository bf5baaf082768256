//! Settings: flags, then the environment, then `.env`, then `log-sentinel.yaml`.
//!
//! [`SETTINGS`] is the one list of them; `.env.sample`, the flags, `log-sentinel check` and the
//! documentation follow from it. [`Settings`] is what they mean, checked: one module a group, which reads it into
//! what the crates concerned want to know. Nothing else reads the environment, and no crate knows where its
//! `Config` comes from.

mod alerts;
mod analysis;
mod analyst;
mod audit;
mod certificates;
mod detection;
pub(crate) mod dot_env;
mod elastic;
mod error;
mod hosts;
mod intake;
mod listeners;
mod questions;
mod sample;
mod secret;
mod setting;
pub(crate) mod sources;
mod storage;
mod table;
mod table_of_agent;
mod table_of_hosts;
mod table_of_signals;
mod table_of_sql;
mod told;
mod value;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use self::analyst::Analyst;
use self::intake::Intake;
pub(crate) use alerts::{Alerts, Reports};
use analysis::Analysis;
use detection::Detection;
use hosts::Hosts;
use listeners::Listeners;
use questions::Questions;
use storage::Storage;

pub(crate) use self::audit::{AuditSettings, Syslog};
pub(crate) use certificates::{Certificates, Pem, Tls};
pub(crate) use elastic::Elastic;
pub(crate) use error::SettingsError;
pub(crate) use sample::sample;
pub(crate) use setting::Setting;
pub(crate) use sources::{Origin, Sources, Values};
pub(crate) use table::SETTINGS;
pub(crate) use told::{Effective, Told, told};
pub(crate) use value::{masked, parse_duration};

/// The settings, typed and checked. Each is explained where users read it: in [`SETTINGS`].
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The folder of all state.
    pub data: PathBuf,
    pub log_level: String,
    pub log_json: bool,
    pub shutdown_grace: Duration,
    pub listeners: Listeners,
    pub intake: Intake,
    pub storage: Storage,
    /// The cluster that is the index, where there is one.
    pub elastic: Option<Elastic>,
    pub questions: Questions,
    pub analysis: Analysis,
    pub detection: Detection,
    pub hosts: Hosts,
    pub alerts: Alerts,
    pub analyst: Analyst,
    pub audit: AuditSettings,
    /// All of them as they may be told, by name.
    pub told: BTreeMap<&'static str, Effective>,
}

impl Settings {
    /// Types and checks what the sources hold. Touches neither the disk nor the network.
    ///
    /// # Errors
    /// Every problem with the sources and with the values.
    pub(crate) fn check(sources: &Values) -> Result<Self, SettingsError> {
        let mut reader = value::Reader::new(sources);
        let data = reader.path("LOG_SENTINEL_DATA");
        let shutdown_grace = reader.duration("LOG_SENTINEL_SHUTDOWN_GRACE");
        // One half is for the newest events, the other for what is on its way.
        let live_bytes_max = reader.size("LOG_SENTINEL_LIVE_BYTES_MAX", 1 << 20, 64 << 30) / 2;
        let listeners = Listeners::read(&mut reader);
        let storage = Storage::read(&mut reader, &data, shutdown_grace / 3, live_bytes_max);
        let elastic = Elastic::read(&mut reader, storage.retention);
        let intake = Intake::read(&mut reader, storage.retention);
        let (write_timeout, cluster) =
            (listeners.connections.write_timeout, elastic.as_ref().map(|elastic| &elastic.cluster));
        let settings = Self {
            log_level: reader.one_of("LOG_SENTINEL_LOG_LEVEL", &["error", "warn", "info", "debug", "trace"]),
            log_json: reader.one_of("LOG_SENTINEL_LOG_FORMAT", &["text", "json"]) == "json",
            questions: Questions::read(&mut reader, write_timeout, live_bytes_max, cluster),
            analysis: Analysis::read(&mut reader, &data, &listeners, &intake),
            detection: Detection::read(&mut reader, &data),
            hosts: Hosts::read(&mut reader),
            alerts: Alerts::read(&mut reader),
            analyst: Analyst::read(&mut reader),
            audit: AuditSettings::read(&mut reader, &data, listeners.tls.ca_file.as_ref()),
            told: told(sources),
            data,
            shutdown_grace,
            listeners,
            intake,
            storage,
            elastic,
        };
        let problems = reader.finish();
        if problems.is_empty() { Ok(settings) } else { Err(SettingsError { problems }) }
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
        assert_eq!(settings.listeners.addr, "127.0.0.1:8080".parse().unwrap());
        assert_eq!(settings.listeners.anomaly_addr, "127.0.0.1:8000".parse().unwrap());
        assert_eq!(settings.intake.tail.dir, Some(PathBuf::from("/var/log/log_sentinel")));
        assert_eq!(settings.data, PathBuf::from("/home/someone/.local/state/log-sentinel"));
        assert_eq!(settings.intake.body.bytes_max, 100 << 20);
        assert_eq!(settings.intake.body.in_flight_bytes_max, 128 << 20);
        assert_eq!(settings.storage.retention, None);
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
            ("LOG_SENTINEL_ANOMALY_URL", "http://anomaly:port", "such as http://anomaly:50051"),
            ("LOG_SENTINEL_AUDIT_SYSLOG_ADDR", "host:514", "such as udp://host:514"),
            ("LOG_SENTINEL_AUDIT_SYSLOG_ADDR", "udp://host", "such as udp://host:514"),
            ("LOG_SENTINEL_AUDIT_WITNESS_URL", "other:8080", "such as https://other.example.org:8080"),
            ("ELASTIC_ADDR", "http://a b:9200", "such as http://localhost:9200"),
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
        assert_eq!(check(&[nodes]).unwrap().elastic.unwrap().cluster.nodes.len(), 2);
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
        let keys =
            |text: &str| check(&[("LOG_SENTINEL_SESSION_KEYS", text)]).unwrap().analysis.service.session_keys;
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
        assert_eq!(check(&[]).unwrap().analysis.service.sessions_max, 16_384);
        assert!(problem(&[("LOG_SENTINEL_SESSIONS_MAX", "15")]).contains("between 16 and"));
    }

    #[test]
    fn another_bind_needs_keys_or_trust() {
        let bind = ("LOG_SENTINEL_ADDR", "0.0.0.0:8080");
        let reach = |pairs: &[(&str, &str)], has_keys| check(pairs).unwrap().listeners.check_reach(has_keys);
        assert!(reach(&[bind], false).unwrap_err().to_string().contains("API_KEYS"));
        assert!(reach(&[bind], true).is_ok());
        assert!(reach(&[bind, ("API_KEYS", "a-long-key-of-someone")], false).is_ok());
        assert!(reach(&[bind, ("LOG_SENTINEL_TRUST_NETWORK", "true")], false).is_ok());
        assert!(reach(&[], false).is_ok());
    }

    #[test]
    fn each_port_has_its_certificates() {
        let tls = check(&[
            ("LOG_SENTINEL_CERT_FILE", "own"),
            ("LOG_SENTINEL_CLIENT_CA_FILE", "own"),
            ("LOG_SENTINEL_CLIENT_CERTIFICATES", "optional"),
            ("LOG_SENTINEL_ANOMALY_CERT_FILE", "a.pem"),
            ("LOG_SENTINEL_ANOMALY_KEY_FILE", "a.key"),
            ("LOG_SENTINEL_ANOMALY_CLIENT_CA_FILE", "ca.pem"),
        ]);
        let tls = tls.unwrap().listeners.tls;
        let clients = Some((Pem::Own, tls::Clients::Optional));
        assert_eq!(tls.collector, Some(Tls { shown: Pem::Own, clients }));
        assert_eq!(tls.anomaly, None);
        let clients = Some((Pem::Files("ca.pem".into()), tls::Clients::Required));
        let shown = Pem::Files(("a.pem".into(), "a.key".into()));
        assert_eq!(tls.anomaly_grpc, Some(Tls { shown, clients }));
        for (pairs, expected) in [
            (&[("LOG_SENTINEL_CERT_FILE", "x")][..], "LOG_SENTINEL_KEY_FILE"),
            (
                &[("LOG_SENTINEL_ANOMALY_REST_CLIENT_CA_FILE", "x")],
                "needs LOG_SENTINEL_ANOMALY_REST_CERT_FILE",
            ),
            (
                &[("LOG_SENTINEL_CERT_FILE", "own"), ("LOG_SENTINEL_KEY_FILE", "x")],
                "unset LOG_SENTINEL_KEY_FILE",
            ),
            (&[("LOG_SENTINEL_CLIENT_CERTIFICATES", "maybe")], "optional, required"),
        ] {
            let text = problem(pairs);
            assert!(text.contains(expected), "{text}");
        }
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
        let keys = |text: &str| check(&[("API_KEYS", text)]).unwrap().listeners.access.api_keys;
        let expected = ["first", "second", "third"];
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
