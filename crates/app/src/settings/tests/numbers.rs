//! Numbers, sizes, times and shares at their bounds and beside them.

use super::*;

/// Whole numbers: the least, the most, and where the setting is read.
const COUNTS: &[(&str, u64, u64, Read<u64>)] = &[
    ("LOG_SENTINEL_KEYS_MAX", 1, 1_000_000, |s| s.listeners.keys_max as u64),
    ("LOG_SENTINEL_WRONG_KEYS_MAX", 1, 1_000_000, |s| s.listeners.access.wrong_keys_max.into()),
    ("LOG_SENTINEL_SIGN_INS_MAX", 1, 1_000_000, |s| s.listeners.access.sign_ins_max as u64),
    ("LOG_SENTINEL_CONNECTIONS_MAX", 1, 1_000_000, |s| s.listeners.connections.max as u64),
    ("LOG_SENTINEL_CONNECTIONS_MAX", 1, 1_000_000, |s| s.analysis.grpc.connections.max as u64),
    ("LOG_SENTINEL_CONNECTIONS_PER_ADDRESS_MAX", 1, 1_000_000, |s| {
        s.listeners.connections.per_address_max as u64
    }),
    ("LOG_SENTINEL_OPEN_FILES_MAX", 16, 100_000, |s| s.intake.tail.open_files_max as u64),
    ("LOG_SENTINEL_EVENT_LINES_MAX", 2, 1_000_000, |s| {
        s.intake.door.joining.as_ref().unwrap().lines_max as u64
    }),
    ("LOG_SENTINEL_QUERIES_MAX", 1, 10_000, |s| s.questions.collector.queries_max as u64),
    ("LOG_SENTINEL_SLOW_QUERIES_MAX", 1, 10_000, |s| s.questions.collector.slow_queries_max as u64),
    ("LOG_SENTINEL_QUERY_WORK_MAX", 1_000, 1_000_000_000_000, |s| s.questions.collector.query_work_max),
    ("LOG_SENTINEL_TAILS_MAX", 1, 10_000, |s| s.questions.collector.tails_max as u64),
    ("LOG_SENTINEL_MODEL_EVENTS_MIN", 100, 10_000_000, |s| s.analysis.service.events_min as u64),
    ("LOG_SENTINEL_TEMPLATES_MAX", 100, 10_000_000, |s| s.analysis.service.template.templates_max as u64),
    ("LOG_SENTINEL_SESSIONS_MAX", 16, 1_000_000, |s| s.analysis.service.sessions_max as u64),
    ("LOG_SENTINEL_ELASTIC_CONCURRENCY_MAX", 1, 256, |s| cluster(s).concurrency_max as u64),
    ("LOG_SENTINEL_ELASTIC_ROLLOVER_DOCUMENTS", 1, 2_000_000_000, |s| cluster(s).rollover.documents),
    ("LOG_SENTINEL_ELASTIC_SHARDS", 1, 1_024, |s| s.elastic.as_ref().unwrap().setup.shards.unwrap().into()),
    ("LOG_SENTINEL_ELASTIC_REPLICAS", 0, 16, |s| s.elastic.as_ref().unwrap().setup.replicas.unwrap().into()),
    ("LOG_SENTINEL_HOSTS_MAX", 1, 1_000_000, |s| s.hosts.fleet.agents_max as u64),
    ("LOG_SENTINEL_HOSTS_SERIES_MAX", 10, 1_000_000, |s| s.hosts.fleet.series_max as u64),
    ("LOG_SENTINEL_PROCESSES_MAX", 1_000, 1_000_000_000, |s| s.hosts.fleet.processes_max as u64),
    ("LOG_SENTINEL_HOSTS_LABELS_MAX", 8, 100_000, |s| s.hosts.limits.labels_max as u64),
    ("LOG_SENTINEL_AUDIT_CHECKPOINT_RECORDS", 1, 1_000_000, |s| record(s).checkpoint_records),
    ("LOG_SENTINEL_FAILED_LOGINS", 2, 16, |s| s.detection.engine.failures.into()),
    ("LOG_SENTINEL_DETECTION_KEYS_MAX", 100, 1_000_000, |s| s.detection.engine.keys_max as u64),
    ("LOG_SENTINEL_RULE_COST_MAX", 100, 1_000_000_000, |s| s.detection.rules.cost_max),
    ("LOG_SENTINEL_RULES_COST_MAX", 1_000, 1_000_000_000, |s| s.detection.rules.costs_max),
    ("LOG_SENTINEL_SIGNALS_MAX", 1_000, 100_000_000, |s| s.detection.signals.signals_max),
    ("LOG_SENTINEL_REPORT_SIGNALS_MAX", 100, 1_000_000, |s| s.detection.report_signals_max as u64),
    ("LOG_SENTINEL_AI_PER_HOUR", 1, 100_000, |s| s.analyst.config.as_ref().unwrap().per_hour as u64),
    ("LOG_SENTINEL_AI_ANSWERS_KEPT", 0, 100_000, |s| s.analyst.config.as_ref().unwrap().cache_max as u64),
    ("ALERT_EMAIL_SMTP_PORT", 1, 65_535, |s| mail(s).port.into()),
];

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;

/// Sizes: the least and the most in bytes and in words, and where the setting is read.
const SIZES: &[(&str, u64, u64, &str, Read<u64>)] = &[
    ("LOG_SENTINEL_BODY_BYTES_MAX", KIB, 4 * GIB, "1KiB and 4GiB", |s| s.intake.body.bytes_max as u64),
    ("LOG_SENTINEL_BODY_BYTES_MAX", KIB, 4 * GIB, "1KiB and 4GiB", |s| s.analysis.http.body.bytes_max as u64),
    ("LOG_SENTINEL_IN_FLIGHT_BYTES_MAX", MIB, 64 * GIB, "1MiB and 64GiB", |s| {
        s.intake.body.in_flight_bytes_max as u64
    }),
    ("LOG_SENTINEL_IN_FLIGHT_BYTES_MAX", MIB, 64 * GIB, "1MiB and 64GiB", |s| {
        s.intake.door.held_bytes_max as u64
    }),
    ("LOG_SENTINEL_IN_FLIGHT_BYTES_MAX", MIB, 64 * GIB, "1MiB and 64GiB", |s| {
        s.analysis.grpc.in_flight_bytes_max as u64
    }),
    ("LOG_SENTINEL_BODY_RATE_MIN", 1, GIB, "1 and 1GiB", |s| s.intake.body.rate_min as u64),
    ("LOG_SENTINEL_LINE_BYTES_MAX", KIB, 16 * MIB, "1KiB and 16MiB", |s| s.intake.door.line_bytes_max as u64),
    ("LOG_SENTINEL_LINE_BYTES_MAX", KIB, 16 * MIB, "1KiB and 16MiB", |s| {
        s.analysis.http.line_bytes_max as u64
    }),
    ("LOG_SENTINEL_EVENT_BYTES_MAX", KIB, 16 * MIB, "1KiB and 16MiB", |s| {
        s.intake.door.joining.as_ref().unwrap().bytes_max as u64
    }),
    ("LOG_SENTINEL_JOURNAL_SEGMENT_BYTES", MIB, 4 * GIB, "1MiB and 4GiB", |s| {
        s.storage.journal.segment_bytes
    }),
    ("LOG_SENTINEL_JOURNAL_BYTES_MAX", 8 * MIB, 1_024 * TIB, "8MiB and 1024TiB", |s| {
        s.storage.journal.budget_bytes
    }),
    ("LOG_SENTINEL_JOURNAL_QUEUE_BYTES", MIB, 64 * GIB, "1MiB and 64GiB", |s| {
        s.storage.journal.queue_bytes as u64
    }),
    ("LOG_SENTINEL_DISK_RESERVE", 0, TIB, "0 and 1TiB", |s| s.storage.journal.reserve_bytes),
    ("LOG_SENTINEL_VERDICTS_BYTES_MAX", MIB, 1_024 * TIB, "1MiB and 1024TiB", |s| {
        s.storage.verdicts.budget_bytes
    }),
    ("LOG_SENTINEL_DEAD_LETTER_BYTES_MAX", MIB, 1_024 * TIB, "1MiB and 1024TiB", |s| {
        s.storage.dead_letters.budget_bytes
    }),
    ("LOG_SENTINEL_INDEX_CACHE_BYTES", MIB, 64 * GIB, "1MiB and 64GiB", |s| {
        s.storage.embedded.cache_bytes as u64
    }),
    ("LOG_SENTINEL_LIVE_BYTES_MAX", MIB, 64 * GIB, "1MiB and 64GiB", |s| {
        2 * s.storage.pipeline.live_bytes_max as u64
    }),
    ("LOG_SENTINEL_LIVE_BYTES_MAX", MIB, 64 * GIB, "1MiB and 64GiB", |s| {
        2 * s.questions.collector.tails_bytes_max as u64
    }),
    ("LOG_SENTINEL_ANSWER_BYTES_MAX", MIB, 1_024 * TIB, "1MiB and 1024TiB", |s| {
        s.questions.collector.answer_bytes_max as u64
    }),
    ("LOG_SENTINEL_ANSWERS_BYTES_MAX", MIB, 4 * GIB, "1MiB and 4GiB", |s| {
        s.questions.collector.answers_bytes_max as u64
    }),
    ("LOG_SENTINEL_TAIL_SEARCH_BYTES_MAX", MIB, 64 * GIB, "1MiB and 64GiB", |s| {
        s.questions.search.tail_bytes_max as u64
    }),
    ("LOG_SENTINEL_TAIL_SEARCH_KEPT_BYTES", 0, 16 * GIB, "0 and 16GiB", |s| {
        s.questions.search.kept_bytes_max as u64
    }),
    ("LOG_SENTINEL_SQL_MEMORY_MAX", 16 * MIB, 64 * GIB, "16MiB and 64GiB", |s| s.questions.sql.memory_bytes),
    ("LOG_SENTINEL_ELASTIC_BULK_BYTES_MAX", 64 * KIB, 90 * MIB, "64KiB and 90MiB", |s| {
        cluster(s).bulk_bytes_max as u64
    }),
    ("LOG_SENTINEL_ELASTIC_IN_FLIGHT_BYTES_MAX", MIB, 16 * GIB, "1MiB and 16GiB", |s| {
        cluster(s).in_flight_bytes_max as u64
    }),
    ("LOG_SENTINEL_ELASTIC_ROLLOVER_BYTES", KIB, 1_024 * TIB, "1KiB and 1024TiB", |s| {
        cluster(s).rollover.bytes
    }),
    ("LOG_SENTINEL_AUDIT_FILE_BYTES", 4 * KIB, GIB, "4KiB and 1GiB", |s| record(s).file_bytes),
];

/// Times, and where they are read.
const TIMES: &[(&str, Read<Duration>)] = &[
    ("LOG_SENTINEL_SHUTDOWN_GRACE", |s| s.shutdown_grace),
    ("LOG_SENTINEL_SHUTDOWN_GRACE", |s| s.storage.pipeline.drain * 3),
    ("LOG_SENTINEL_SIGN_IN_TIME", |s| s.listeners.access.sign_in_life),
    ("LOG_SENTINEL_TOKEN_TIME", |s| s.listeners.token_life),
    ("LOG_SENTINEL_HEADER_TIMEOUT", |s| s.listeners.connections.header_timeout),
    ("LOG_SENTINEL_WRITE_TIMEOUT", |s| s.listeners.connections.write_timeout),
    ("LOG_SENTINEL_WRITE_TIMEOUT", |s| s.questions.collector.write_timeout),
    ("LOG_SENTINEL_BODY_IDLE_MAX", |s| s.intake.body.idle_max),
    ("LOG_SENTINEL_BODY_IDLE_MAX", |s| s.analysis.grpc.idle_max),
    ("LOG_SENTINEL_SCAN_INTERVAL", |s| s.intake.tail.scan_interval),
    ("LOG_SENTINEL_LINE_WAIT", |s| s.intake.tail.line_wait),
    ("LOG_SENTINEL_EVENT_WAIT", |s| s.intake.tail.event_wait),
    ("LOG_SENTINEL_SYSTEM_INTERVAL", |s| s.intake.watched.interval),
    ("LOG_SENTINEL_QUERY_TIMEOUT", |s| s.questions.collector.query_timeout),
    ("LOG_SENTINEL_TAIL_SEARCH_TIMEOUT", |s| s.questions.search.tail_time_max),
    ("LOG_SENTINEL_SQL_TIME_MAX", |s| s.questions.sql.time),
    ("LOG_SENTINEL_ELASTIC_TIMEOUT", |s| cluster(s).request_timeout),
    ("LOG_SENTINEL_ELASTIC_QUERY_TIMEOUT", |s| cluster(s).query_timeout),
    ("LOG_SENTINEL_ELASTIC_ROLLOVER_AGE", |s| cluster(s).rollover.age),
    ("LOG_SENTINEL_ANOMALY_TIMEOUT", |s| s.analysis.remote.as_ref().unwrap().deadline),
    ("LOG_SENTINEL_HOSTS_SILENT_AFTER", |s| s.hosts.fleet.silent_after),
    ("LOG_SENTINEL_HOSTS_RAISE_AGAIN_AFTER", |s| s.hosts.fleet.raise_again_after),
    ("LOG_SENTINEL_PROCESSES_LEARN", |s| s.hosts.fleet.processes_learn),
    ("LOG_SENTINEL_PROCESSES_KEEP", |s| s.hosts.fleet.processes_keep),
    ("LOG_SENTINEL_AUDIT_CHECKPOINT_INTERVAL", |s| record(s).checkpoint_interval),
    ("LOG_SENTINEL_AUDIT_USES_INTERVAL", |s| s.audit.uses_interval),
    ("LOG_SENTINEL_SIGNALS_KEEP", |s| s.detection.signals.keep),
    ("LOG_SENTINEL_AI_TIMEOUT", |s| s.analyst.config.as_ref().unwrap().timeout),
    ("LOG_SENTINEL_RETENTION", |s| s.storage.retention.unwrap()),
];

/// For how long hosts' values are kept, the finest first; each must be as long as the one before.
const KEPT: [&str; 4] = [
    "LOG_SENTINEL_HOSTS_KEEP_10S",
    "LOG_SENTINEL_HOSTS_KEEP_1M",
    "LOG_SENTINEL_HOSTS_KEEP_10M",
    "LOG_SENTINEL_HOSTS_KEEP_1H",
];

#[test]
fn a_number_is_taken_from_its_least_to_its_most() {
    for &(name, least, most, read) in COUNTS {
        for number in [least, most] {
            let settings = beside(name, &number.to_string()).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(read(&settings), number, "{name}");
        }
        let unset =
            if ["SHARDS", "REPLICAS"].iter().any(|end| name.ends_with(end)) { "unset, or " } else { "" };
        let wanted = format!("but must be {unset}a whole number between {least} and {most}");
        for wrong in [(most + 1).to_string(), (i128::from(least) - 1).to_string(), "1.5".to_owned()] {
            assert_eq!(refused(name, &wrong), format!("{name} is '{wrong}' (environment), {wanted}"));
        }
    }
}

#[test]
fn a_size_is_taken_from_its_least_to_its_most() {
    for &(name, least, most, words, read) in SIZES {
        for bytes in [least, most] {
            let settings = beside(name, &bytes.to_string()).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(read(&settings), bytes, "{name}");
        }
        let wanted = format!("but must be a size between {words}, such as 100MiB");
        for wrong in [(most + 1).to_string(), (i128::from(least) - 1).to_string(), "1 mile".to_owned()] {
            assert_eq!(refused(name, &wrong), format!("{name} is '{wrong}' (environment), {wanted}"));
        }
    }
}

#[test]
fn a_time_is_more_than_none() {
    for &(name, read) in TIMES {
        assert_eq!(read(&beside(name, "17m").unwrap()), Duration::from_secs(1_020), "{name}");
        for wrong in ["0s", "17", "-1s", "soon"] {
            let wanted = match name {
                "LOG_SENTINEL_RETENTION" => "never, or an age such as 30d",
                _ => "a time greater than zero such as 30s, 5m or 12h",
            };
            assert_eq!(
                refused(name, wrong),
                format!("{name} is '{wrong}' (environment), but must be {wanted}")
            );
        }
    }
    assert_eq!(beside("LOG_SENTINEL_RETENTION", "never").unwrap().storage.retention, None);
}

#[test]
fn every_setting_that_is_a_number_a_size_or_a_time_is_tried_here() {
    let numbers = COUNTS.iter().map(|row| row.0).chain(SIZES.iter().map(|row| row.0));
    let all = numbers.chain(TIMES.iter().map(|row| row.0));
    let tried: Vec<_> = all.chain(KEPT).chain(["LOG_SENTINEL_FALSE_POSITIVE_RATE"]).collect();
    for setting in SETTINGS.iter().filter(|setting| setting.default.starts_with(|c: char| c.is_ascii_digit()))
    {
        let is_other = setting.default.contains([':', '.']) && setting.default.parse::<f64>().is_err();
        assert!(is_other || tried.contains(&setting.name), "{}={}", setting.name, setting.default);
    }
}

#[test]
fn what_is_coarser_is_kept_as_long_at_least() {
    let keep = |times: [&str; 4]| check(&std::array::from_fn::<_, 4, _>(|at| (KEPT[at], times[at])));
    let hours =
        |settings: Settings| settings.hosts.fleet.tiers.iter().map(|t| t.keep.as_secs() / 3600).collect();
    let kept: Vec<u64> = hours(keep(["1h", "2h", "2h", "3h"]).unwrap());
    assert_eq!(kept, [1, 2, 2, 3]);
    for name in KEPT {
        let problems = check(&[(name, "0s")]).unwrap_err().problems;
        assert_eq!(problems.len(), 1, "{name}: {problems:?}");
    }
    let text = keep(["1h", "3h", "2h", "4h"]).unwrap_err().to_string();
    assert!(text.contains("_1M, _10M and _1H must each be at least as long as the one before"), "{text}");
}

#[test]
fn a_share_is_taken_from_its_least_to_its_most() {
    let name = "LOG_SENTINEL_FALSE_POSITIVE_RATE";
    for share in ["0.000001", "0.1", "0.02"] {
        let taken = beside(name, share).unwrap().analysis.service.false_positive_rate;
        assert!((taken - share.parse::<f64>().unwrap()).abs() < 1e-12, "{share}");
    }
    for wrong in ["0.0000009", "0.11", "0", "-0.1", "NaN", "a tenth"] {
        let said = refused(name, wrong);
        assert_eq!(
            said,
            format!("{name} is '{wrong}' (environment), but must be a share between 0.000001 and 0.1")
        );
    }
}
