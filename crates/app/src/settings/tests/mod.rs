//! What the settings take, what becomes of it, and what is said of what they do not take.

mod numbers;

use super::*;

fn check(pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let environment = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
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
        (&[("LOG_SENTINEL_ANOMALY_REST_CLIENT_CA_FILE", "x")], "needs LOG_SENTINEL_ANOMALY_REST_CERT_FILE"),
        (&[("LOG_SENTINEL_CERT_FILE", "own"), ("LOG_SENTINEL_KEY_FILE", "x")], "unset LOG_SENTINEL_KEY_FILE"),
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

/// With these each number may have its least and its most: none of the others is in its way.
const BESIDE: [(&str, &str); 16] = [
    ("LOG_SENTINEL_BODY_BYTES_MAX", "1KiB"),
    ("LOG_SENTINEL_IN_FLIGHT_BYTES_MAX", "64GiB"),
    ("LOG_SENTINEL_JOURNAL_SEGMENT_BYTES", "1MiB"),
    ("LOG_SENTINEL_JOURNAL_BYTES_MAX", "1024TiB"),
    ("LOG_SENTINEL_ELASTIC_BULK_BYTES_MAX", "64KiB"),
    ("LOG_SENTINEL_ELASTIC_IN_FLIGHT_BYTES_MAX", "16GiB"),
    ("LOG_SENTINEL_ANOMALY_URL", "http://anomaly:50051"),
    ("ELASTIC_ADDR", "http://localhost:9200"),
    ("LOG_SENTINEL_BOTMODE", "active"),
    ("OPENAI_API_KEY", "hunter2"),
    ("ALERT_EMAIL_ENABLED", "true"),
    ("ALERT_EMAIL_FROM", "a@example.org"),
    ("ALERT_EMAIL_TO", "b@example.org, c@example.org"),
    ("ALERT_EMAIL_SMTP_SERVER", "mail.example.org"),
    ("ALERT_TELEGRAM_CHAT_ID", "7"),
    ("ALERT_TELEGRAM_BOT_TOKEN", "hunter2"),
];

/// What comes of one setting beside the others.
fn beside(name: &str, text: &str) -> Result<Settings, SettingsError> {
    let others = BESIDE.into_iter().filter(|(other, _)| *other != name);
    check(&others.chain([(name, text)]).collect::<Vec<_>>())
}

fn cluster(settings: &Settings) -> &index::elasticsearch::Config {
    &settings.elastic.as_ref().unwrap().cluster
}

fn record(settings: &Settings) -> &::audit::Config {
    settings.audit.record.as_ref().unwrap()
}

type Read<T> = fn(&Settings) -> T;

fn mail(settings: &Settings) -> &alert::channel::EmailConfig {
    match &settings.alerts.channels[0].kind {
        alert::channel::ChannelKind::Email(config) => config,
        other => panic!("{other:?}"),
    }
}

/// What is said of a value that is not taken.
fn refused(name: &str, text: &str) -> String {
    let error = beside(name, text).err().unwrap_or_else(|| panic!("{name}={text} is taken"));
    assert_eq!(error.problems.len(), 1, "{error}");
    error.problems[0].clone()
}

#[test]
fn what_is_true_or_false_is_said_in_four_ways() {
    let flags: &[(&str, Read<bool>)] = &[
        ("LOG_SENTINEL_SYSTEM", |s| s.intake.system),
        ("LOG_SENTINEL_JOIN_LINES", |s| s.intake.door.joining.is_some()),
        ("LOG_SENTINEL_ELASTIC_ORIGINAL", |s| cluster(s).keep_original),
        ("LOG_SENTINEL_HOSTS_THRESHOLDS", |s| s.hosts.fleet.is_watching),
        ("LOG_SENTINEL_PROCESSES_RULES", |s| s.hosts.fleet.is_judging_processes),
        ("LOG_SENTINEL_AUDIT", |s| s.audit.record.is_some()),
        ("LOG_SENTINEL_DETECTION", |s| s.detection.is_on),
        ("LOG_SENTINEL_RULES_STRICT", |s| s.detection.rules.is_strict),
    ];
    for &(name, read) in flags {
        for (yes, no) in [("true", "false"), ("1", "0"), ("yes", "no"), ("on", "off"), ("True", "FALSE")] {
            assert!(read(&beside(name, yes).unwrap()), "{name}={yes}");
            assert!(!read(&beside(name, no).unwrap()), "{name}={no}");
        }
        assert_eq!(
            refused(name, "maybe"),
            format!("{name} is 'maybe' (environment), but must be true or false")
        );
    }
}

#[test]
fn paths_lists_and_words_go_where_they_are_wanted() {
    let read: &[(&str, &str, Read<String>, &str)] = &[
        ("LOG_SENTINEL_DATA", "/d", |s| format!("{:?}", s.data), "\"/d\""),
        ("LOG_SENTINEL_DATA", "/d", |s| format!("{:?}", s.storage.verdicts.dir), "\"/d/verdicts\""),
        ("LOG_SENTINEL_DATA", "/d", |s| format!("{:?}", s.storage.dead_letters.dir), "\"/d/dead_letters\""),
        ("LOG_SENTINEL_DATA", "/d", |s| format!("{:?}", s.storage.pipeline.window_dir), "\"/d/window\""),
        ("LOG_SENTINEL_DATA", "/d", |s| format!("{:?}", s.detection.file), "\"/d/detection/state\""),
        ("LOG_SENTINEL_DATA", "/d", |s| format!("{:?}", s.detection.rules.history), "\"/d/rules/history\""),
        ("LOG_SENTINEL_DIR", "/logs", |s| format!("{:?}", s.intake.tail.dir), "Some(\"/logs\")"),
        ("LOG_SENTINEL_FILES", "/a, /b*", |s| format!("{:?}", s.intake.tail.files), "[\"/a\", \"/b*\"]"),
        ("LOG_SENTINEL_SYMLINKS", "any", |s| format!("{:?}", s.intake.tail.symlinks), "Any"),
        ("LOG_SENTINEL_SYMLINKS", "Never", |s| format!("{:?}", s.intake.tail.symlinks), "Never"),
        ("LOG_SENTINEL_SYMLINKS", "owner", |s| format!("{:?}", s.intake.tail.symlinks), "Owner"),
        ("LOG_SENTINEL_FORMATS_FILE", "/f", |s| format!("{:?}", s.intake.formats_file), "Some(\"/f\")"),
        ("LOG_SENTINEL_JOURNALCTL", "/j", |s| format!("{:?}", s.intake.journalctl), "\"/j\""),
        ("LOG_SENTINEL_SYSTEM_ROOT", "/r", |s| format!("{:?}", s.intake.watched.root), "\"/r\""),
        ("LOG_SENTINEL_PROCESSES_SOCKET", "/s", |s| format!("{:?}", s.hosts.processes_socket), "\"/s\""),
        ("LOG_SENTINEL_RULES_DIR", "/rules", |s| format!("{:?}", s.detection.rules.dir), "Some(\"/rules\")"),
        ("LOG_SENTINEL_RULES_OFF", "a,b", |s| format!("{:?}", s.detection.rules.off), "[\"a\", \"b\"]"),
        (
            "LOG_SENTINEL_OWN_ADDRESSES",
            "10.0.0.0/8",
            |s| format!("{:?}", s.detection.engine.own),
            "[(10.0.0.0, 8)]",
        ),
        ("LOG_SENTINEL_AUDIT_KEY_FILE", "/k", |s| format!("{:?}", record(s).key_file), "Some(\"/k\")"),
        ("LOG_SENTINEL_CA_FILE", "/ca", |s| format!("{:?}", s.listeners.tls.ca_file), "Some(\"/ca\")"),
        ("LOG_SENTINEL_ALLOWED_HOSTS", "a, b:8080, *", |s| s.listeners.allowed_hosts.join(" "), "a b:8080 *"),
        ("LOG_SENTINEL_ALERTS_FILE", "/alerts", |s| format!("{:?}", s.alerts.file), "Some(\"/alerts\")"),
        ("LOG_SENTINEL_LANGUAGE", "pt", |s| format!("{:?}", s.alerts.language), "Portuguese"),
        ("LOG_SENTINEL_LANGUAGE", "EN", |s| format!("{:?}", s.alerts.language), "English"),
        ("LOG_SENTINEL_AI_SEVERITY", "critical", |s| format!("{:?}", s.analyst.from), "Critical"),
        ("ELASTIC_INDEX", "logs-x", |s| cluster(s).data_stream.clone(), "logs-x"),
        ("ELASTIC_INDEX", "logs-x", |s| s.elastic.clone().unwrap().setup.data_stream, "logs-x"),
        ("ELASTIC_CA_FILE", "/ca", |s| format!("{:?}", cluster(s).ca_file), "Some(\"/ca\")"),
        (
            "LOG_SENTINEL_ANOMALY_CA_FILE",
            "/ca",
            |s| format!("{:?}", s.analysis.remote.as_ref().unwrap().ca_file),
            "Some(\"/ca\")",
        ),
        (
            "LOG_SENTINEL_ZONE",
            "+02:00",
            |s| format!("{:?}", s.analysis.http.zone == s.intake.door.zone),
            "true",
        ),
        ("OPENAI_MODEL", "m", |s| s.analyst.config.as_ref().unwrap().model.clone(), "m"),
    ];
    for &(name, text, read, expected) in read {
        let settings = beside(name, text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(read(&settings), expected, "{name}={text}");
    }
    let zone = beside("LOG_SENTINEL_ZONE", "+02:00").unwrap().intake.door.zone;
    assert_ne!(zone, jiff::tz::TimeZone::UTC);
    assert_eq!(beside("LOG_SENTINEL_ALERTS_ZONE", "+02:00").unwrap().alerts.zone, zone);
}

#[test]
fn numbers_that_do_not_fit_together_are_refused_and_equal_ones_fit() {
    let fits = |pairs: &[(&str, &str)], expected: Option<&str>| match (check(pairs), expected) {
        (Ok(_), None) => (),
        (Err(error), Some(expected)) => assert!(error.problems.concat().contains(expected), "{error}"),
        (found, _) => panic!("{pairs:?}: {:?}", found.err()),
    };
    let body = |bytes| [("LOG_SENTINEL_BODY_BYTES_MAX", bytes), ("LOG_SENTINEL_IN_FLIGHT_BYTES_MAX", "1MiB")];
    fits(&body("1048576"), None);
    fits(
        &body("1048577"),
        Some("(1048577 bytes) is more than LOG_SENTINEL_IN_FLIGHT_BYTES_MAX (1048576 bytes)"),
    );
    let journal =
        |bytes| [("LOG_SENTINEL_JOURNAL_BYTES_MAX", bytes), ("LOG_SENTINEL_JOURNAL_SEGMENT_BYTES", "5MiB")];
    fits(&journal("10MiB"), None);
    fits(&journal("10485759"), Some("LOG_SENTINEL_JOURNAL_BYTES_MAX must hold two segments"));
    let bulk = |bytes| {
        [("LOG_SENTINEL_ELASTIC_BULK_BYTES_MAX", bytes), ("LOG_SENTINEL_ELASTIC_IN_FLIGHT_BYTES_MAX", "1MiB")]
    };
    fits(&bulk("1MiB"), None);
    fits(&bulk("1048577"), Some("is more than LOG_SENTINEL_ELASTIC_IN_FLIGHT_BYTES_MAX"));
    let at = |one, other| [("LOG_SENTINEL_ADDR", one), ("LOG_SENTINEL_ANOMALY_GRPC_ADDR", other)];
    fits(
        &at("127.0.0.1:9", "127.0.0.1:9"),
        Some("LOG_SENTINEL_ADDR and LOG_SENTINEL_ANOMALY_GRPC_ADDR are both"),
    );
    fits(&at("127.0.0.1:9", "127.0.0.1:10"), None);
    fits(&at("127.0.0.1:0", "127.0.0.1:0"), None);
    let anomaly = [("LOG_SENTINEL_ADDR", "127.0.0.1:9"), ("LOG_SENTINEL_ANOMALY_ADDR", "localhost:9")];
    fits(&anomaly, Some("LOG_SENTINEL_ADDR and LOG_SENTINEL_ANOMALY_ADDR are both 127.0.0.1:9"));
    fits(&[("LOG_SENTINEL_AUDIT_WITNESS_KEY", "hunter2")], Some("needs LOG_SENTINEL_AUDIT_WITNESS_URL"));
    let shown =
        "LOG_SENTINEL_ANOMALY_SHOWN_CERT_FILE and LOG_SENTINEL_ANOMALY_SHOWN_KEY_FILE need each other";
    fits(&[("LOG_SENTINEL_ANOMALY_SHOWN_CERT_FILE", "c")], Some(shown));
    fits(&[("LOG_SENTINEL_ANOMALY_SHOWN_KEY_FILE", "k")], Some(shown));
}

#[test]
fn a_cluster_is_given_up_before_the_question_is() {
    let patience = |cluster, question| {
        let pairs =
            [("LOG_SENTINEL_ELASTIC_QUERY_TIMEOUT", cluster), ("LOG_SENTINEL_QUERY_TIMEOUT", question)];
        let settings = check(&[pairs[0], pairs[1], ("ELASTIC_ADDR", "http://h:9200")]).unwrap();
        settings.questions.search.index_timeout.unwrap()
    };
    assert_eq!(patience("16s", "60s"), Duration::from_secs(17), "a sixteenth more than its own bound");
    assert_eq!(patience("16s", "20s"), Duration::from_secs(10), "at most half of the question's");
    assert_eq!(check(&[]).unwrap().questions.search.index_timeout, search::Config::default().index_timeout);
}

#[test]
fn a_cluster_is_told_who_asks_in_one_way() {
    use index::elasticsearch::Auth;
    let auth = |pairs: &[(&str, &str)]| {
        let pairs = [pairs, &[("ELASTIC_ADDR", "http://h:9200")]].concat();
        check(&pairs).map(|settings| cluster(&settings).auth.clone())
    };
    let [key, user, password] =
        [("ELASTIC_API_KEY", "k"), ("ELASTIC_USERNAME", "u"), ("ELASTIC_PASSWORD", "p")];
    assert!(matches!(auth(&[]), Ok(Auth::None)));
    assert!(matches!(auth(&[key]), Ok(Auth::ApiKey(key)) if key == "k"));
    assert!(matches!(auth(&[user, password]), Ok(Auth::Basic { username, password })
        if username == "u" && password == "p"));
    for wrong in [&[user][..], &[password], &[key, user], &[key, password], &[key, user, password]] {
        let text = auth(wrong).unwrap_err().to_string();
        let expected = if wrong[0] == key { "keep one way" } else { "need each other" };
        assert!(text.contains(expected), "{wrong:?}: {text}");
    }
}

#[test]
fn lines_are_joined_by_what_is_known_or_by_a_pattern_of_ones_own() {
    let joining = |presets, start| {
        let pairs = [("LOG_SENTINEL_JOIN_LINES", presets), ("LOG_SENTINEL_EVENT_START", start)];
        check(&pairs).unwrap().intake.door.joining
    };
    let (both, own, known) = (joining("true", "^a"), joining("false", "^a"), joining("true", ""));
    assert!(both.as_ref().is_some_and(|joining| joining.presets && joining.start.is_some()));
    assert!(own.is_some_and(|joining| !joining.presets && joining.start.is_some()));
    assert!(known.is_some_and(|joining| joining.presets && joining.start.is_none()));
    assert!(joining("false", "").is_none());
    let text = problem(&[("LOG_SENTINEL_EVENT_START", "(a")]);
    assert!(
        text.contains("LOG_SENTINEL_EVENT_START is '(a' (environment), but must be a regular expression:"),
        "{text}"
    );
}

#[test]
fn a_channel_that_is_on_needs_what_it_sends_with() {
    for (is_on, needed) in [
        ("ALERT_EMAIL_ENABLED", &["ALERT_EMAIL_FROM", "ALERT_EMAIL_TO", "ALERT_EMAIL_SMTP_SERVER"][..]),
        ("ALERT_TELEGRAM_ENABLED", &["ALERT_TELEGRAM_BOT_TOKEN", "ALERT_TELEGRAM_CHAT_ID"]),
        ("ALERT_DISCORD_ENABLED", &["ALERT_DISCORD_WEBHOOK_URL"]),
    ] {
        let missing: Vec<_> =
            needed.iter().map(|name| format!("{is_on} is true and {name} is not set")).collect();
        assert_eq!(check(&[(is_on, "true")]).unwrap_err().problems, missing);
        let all: Vec<_> = needed.iter().map(|name| (*name, "x@y")).collect();
        assert!(check(&all).unwrap().alerts.channels.is_empty(), "{is_on} is not set");
        let on = check(&[&all[..], &[(is_on, "true")]].concat()).unwrap().alerts.channels;
        assert_eq!(on.len(), 1);
    }
    let settings = beside("ALERT_EMAIL_USERNAME", "").unwrap();
    let plain = mail(&settings);
    assert_eq!((&*plain.from, &*plain.server), ("a@example.org", "mail.example.org"));
    assert_eq!(plain.to, ["b@example.org", "c@example.org"]);
    assert!(plain.username.is_none() && plain.password.is_none() && plain.port == 587);
    let alone = refused("ALERT_EMAIL_USERNAME", "u");
    assert_eq!(alone, "ALERT_EMAIL_USERNAME and ALERT_EMAIL_PASSWORD need each other");
}

#[test]
fn a_report_is_due_when_it_is_said_to_be() {
    use report::Every;
    let report = |pairs: &[(&str, &str)]| {
        let mail = [("LOG_SENTINEL_REPORT_CHANNELS", "mail, other")];
        check(&[&mail[..], pairs].concat()).unwrap().alerts.reports
    };
    assert!(report(&[]).is_none());
    let daily =
        report(&[("LOG_SENTINEL_REPORT_EVERY", "day"), ("LOG_SENTINEL_REPORT_TIME", "18:45")]).unwrap();
    assert!(matches!(daily.schedule.every, Every::Day));
    assert_eq!(daily.schedule.time, jiff::civil::time(18, 45, 0, 0));
    assert_eq!(daily.channels, ["mail", "other"]);
    let weekly = [("LOG_SENTINEL_REPORT_EVERY", "week"), ("LOG_SENTINEL_REPORT_WEEKDAY", "thursday")];
    let weekly = report(&weekly).unwrap().schedule.every;
    assert!(matches!(weekly, Every::Week(jiff::civil::Weekday::Thursday)), "{weekly:?}");
    for wrong in ["24:00", "7", "seven", "12:60"] {
        assert!(refused("LOG_SENTINEL_REPORT_TIME", wrong).contains("such as 07:00"), "{wrong}");
    }
    let nobody = problem(&[("LOG_SENTINEL_REPORT_EVERY", "day")]);
    assert!(nobody.contains("LOG_SENTINEL_REPORT_EVERY is set and no channel sends mail"), "{nobody}");
    assert!(beside("LOG_SENTINEL_REPORT_EVERY", "day").is_ok(), "there is a channel that sends mail");
    let file = [("LOG_SENTINEL_REPORT_EVERY", "day"), ("LOG_SENTINEL_ALERTS_FILE", "/a")];
    assert!(check(&file).is_ok(), "the file may name one");
    let chat = [
        ("LOG_SENTINEL_REPORT_EVERY", "day"),
        ("ALERT_DISCORD_ENABLED", "true"),
        ("ALERT_DISCORD_WEBHOOK_URL", "https://h/x"),
    ];
    assert!(problem(&chat).contains("no channel sends mail"));
}

#[test]
fn a_language_model_is_asked_where_it_is_switched_on_and_has_a_key() {
    assert!(check(&[("OPENAI_API_KEY", "k")]).unwrap().analyst.config.is_none());
    assert!(beside("OPENAI_BASE_URL", "http://127.0.0.1:11434/v1").unwrap().analyst.config.is_some());
    assert!(
        refused("OPENAI_API_KEY", " ")
            .contains("LOG_SENTINEL_BOTMODE is active and OPENAI_API_KEY is not set")
    );
}

#[test]
fn commands_ask_with_the_key_that_is_theirs_else_the_first_of_all() {
    let keys = |pairs: &[(&str, &str)]| {
        let listeners = check(pairs).unwrap().listeners;
        (listeners.own_key(), listeners.command_key())
    };
    let some = |key: &str| Some(key.to_owned());
    assert_eq!(keys(&[]), (None, None));
    assert_eq!(keys(&[("API_KEYS", "first,second")]), (some("first"), some("first")));
    assert_eq!(keys(&[("LOG_SENTINEL_API_KEY", "mine")]), (None, some("mine")));
    let both = [("API_KEYS", "first,second"), ("LOG_SENTINEL_API_KEY", "mine")];
    assert_eq!(keys(&both), (some("first"), some("mine")));
    let remote =
        check(&[both[0], ("LOG_SENTINEL_ANOMALY_URL", "http://a:1")]).unwrap().analysis.remote.unwrap();
    assert_eq!(remote.api_key.as_deref(), Some("first"));
    let shown = [
        ("LOG_SENTINEL_ANOMALY_URL", "http://a:1"),
        ("LOG_SENTINEL_ANOMALY_SHOWN_CERT_FILE", "c"),
        ("LOG_SENTINEL_ANOMALY_SHOWN_KEY_FILE", "k"),
    ];
    let remote = check(&shown).unwrap().analysis.remote.unwrap();
    assert_eq!(remote.identity, Some(("c".into(), "k".into())));
}

#[test]
fn what_others_can_reach_is_named_one_by_one() {
    let open = [("LOG_SENTINEL_ADDR", "0.0.0.0:1"), ("LOG_SENTINEL_ANOMALY_GRPC_ADDR", "192.0.2.7:2")];
    let problems = check(&open).unwrap().listeners.check_reach(false).unwrap_err().problems;
    assert_eq!(problems.len(), 2);
    assert!(
        problems[0].starts_with("LOG_SENTINEL_ADDR is 0.0.0.0:1, which others can reach"),
        "{problems:?}"
    );
    assert!(problems[1].starts_with("LOG_SENTINEL_ANOMALY_GRPC_ADDR is 192.0.2.7:2, which"), "{problems:?}");
}

#[test]
fn a_port_that_shows_an_own_certificate_is_known() {
    let tls = |pairs: &[(&str, &str)]| check(pairs).unwrap().listeners.tls;
    let own = tls(&[("LOG_SENTINEL_CERT_FILE", "own"), ("LOG_SENTINEL_ANOMALY_REST_CERT_FILE", "own")]);
    assert!(own.shows_own());
    assert_eq!(own.all().map(|(name, _)| name).collect::<Vec<_>>(), ["", "ANOMALY_REST_"]);
    let files = tls(&[("LOG_SENTINEL_CERT_FILE", "c"), ("LOG_SENTINEL_KEY_FILE", "k")]);
    assert!(!files.shows_own() && !tls(&[]).shows_own());
    let anomaly = tls(&[("LOG_SENTINEL_ANOMALY_CERT_FILE", "own")]);
    assert_eq!(anomaly.all().map(|(name, _)| name).collect::<Vec<_>>(), ["ANOMALY_"]);
    assert!(!anomaly.shows_own());
}

#[test]
fn checkpoints_are_kept_elsewhere_where_a_place_is_named() {
    let audit = |pairs: &[(&str, &str)]| check(pairs).unwrap().audit;
    assert!(audit(&[]).witness.is_none() && audit(&[]).syslog.is_none());
    let url = ("LOG_SENTINEL_AUDIT_WITNESS_URL", "https://other:8080");
    let witness = audit(&[url, ("LOG_SENTINEL_CA_FILE", "/ca")]).witness.unwrap();
    assert_eq!((&*witness.url, witness.key), ("https://other:8080", None));
    assert_eq!(witness.ca_file, Some("/ca".into()));
    assert!(audit(&[url, ("LOG_SENTINEL_AUDIT_WITNESS_KEY", "k")]).witness.unwrap().key.is_some());
    for (text, is_tcp) in [("udp://host:514", false), ("tcp://[::1]:65535", true)] {
        let syslog = audit(&[("LOG_SENTINEL_AUDIT_SYSLOG_ADDR", text)]).syslog.unwrap();
        assert_eq!((syslog.is_tcp, &*syslog.addr), (is_tcp, &text[6..]));
    }
    for wrong in
        ["udp://host:0", "udp://:514", "http://host:514", "udp://ho st:514", "udp://host:70000", "host:514"]
    {
        assert!(
            refused("LOG_SENTINEL_AUDIT_SYSLOG_ADDR", wrong).contains("such as udp://host:514 or"),
            "{wrong}"
        );
    }
}

#[test]
fn addresses_are_those_of_a_host_and_nothing_else() {
    for good in ["http://h", "https://h:9200/path", "http://[::1]:9200", "http://a:1, http://b:2"] {
        assert!(check(&[("ELASTIC_ADDR", good)]).is_ok(), "{good}");
    }
    for wrong in ["h:9200", "ftp://h", "http://", "http:///path", "http://:9200", "http://h:x", "http://h x"]
    {
        let said = refused("ELASTIC_ADDR", wrong);
        let wanted = "ELASTIC_ADDR (environment) must hold addresses such as http://localhost:9200, separated by commas";
        assert_eq!(said, wanted, "{wrong}");
    }
    for (name, wanted) in [
        ("LOG_SENTINEL_ANOMALY_URL", "one address such as http://anomaly:50051"),
        ("LOG_SENTINEL_AUDIT_WITNESS_URL", "one address such as https://other.example.org:8080"),
    ] {
        assert_eq!(refused(name, "h"), format!("{name} (environment) must hold {wanted}"));
        let two = refused(name, "http://a:1,http://b:1");
        assert_eq!(two, format!("{name} (environment) names 2 addresses, but must hold one address"));
        let with_key = [(name, "http://u:hunter2@h")];
        assert!(problem(&with_key).contains("must not hold a user name or password"));
    }
    for wrong in ["a/b", "a@b", "a b"] {
        let said = refused("LOG_SENTINEL_ALLOWED_HOSTS", wrong);
        assert!(said.starts_with("LOG_SENTINEL_ALLOWED_HOSTS (environment) holds '"), "{said}");
    }
    for wrong in ["", "8080", "localhost", "localhost:x", "127.0.0.1"] {
        let pairs = [("LOG_SENTINEL_ADDR", wrong)];
        assert!(
            wrong.is_empty() || problem(&pairs).contains("an address and port such as 127.0.0.1:8080"),
            "{wrong}"
        );
    }
    let local = check(&[("LOG_SENTINEL_ADDR", "localhost:7")]).unwrap().listeners.addr;
    assert_eq!(local, "127.0.0.1:7".parse().unwrap());
}
