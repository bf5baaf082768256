//! Samples are written in the documented form, and read tolerantly.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use proptest::prelude::*;
use sample::{Expected, LABELS_MAX, Limits, Reading, Sample, ServiceState, Unit, read, unit};
use serde_json::{Value, json};

fn one(value: &Value) -> Reading {
    read(value.to_string().as_bytes(), &Limits::default()).unwrap().remove(0).unwrap()
}

/// The documented form, with every group in it.
fn whole() -> Value {
    json!({
        "agent_name": "web-1", "timestamp": "2026-11-30T18:00:00Z", "seq": 7, "agent_id": "a1", "interval": 10,
        "version": "0.1.0", "os": "Debian 13", "expected": "sometimes",
        "labels": {"env": "prod", "role": "web"}, "config_version": 3,
        "config_problem": "threshold of cpu", "monitoring": {"cpu": {"threshold": 90}},
        "metrics": {
            "cpu": {"percent": 12.5, "user": 8, "system": 4, "iowait": 0.5, "steal": 0, "cores": [10, 15.5],
                    "load": [0.5, 1, 2]},
            "ram": {"percent": 40, "total": 8_000_000_000_u64, "used": 3_200_000_000_u64, "available": 4_800_000_000_u64},
            "swap": {"percent": 0, "total": 0, "used": 0},
            "disk": {"/": {"percent": 71.5, "total": 100, "used": 71, "available": 29, "inodes_percent": 3,
                     "read_only": false}, "/srv/a.b": {"percent": 1}},
            "disk_io": {"sda": {"read_bytes_s": 1, "write_bytes_s": 2, "read_ops_s": 3, "write_ops_s": 4,
                        "busy_percent": 5}},
            "network": {"eth0": {"in_kb_s": 1.5, "out_kb_s": 2, "in_packets_s": 3, "out_packets_s": 4, "errors": 0,
                        "drops": 1}},
            "pressure": {"cpu": {"some": 1}, "io": {"some": 2, "full": 1}},
            "tcp": {"established": 10, "time_wait": 2, "retransmits_s": 0.1},
            "descriptors": {"open": 1000, "max": 100_000},
            "services": {"nginx": "running", "postgresql": "failed"},
            "units": {"nginx": {"restarts": 1, "memory_bytes": 1_000_000}},
            "containers": {"db": {"cpu_percent": 150, "memory_bytes": 5}},
            "ssh": {"failed_attempts": 5, "addresses": {"192.0.2.7": 5}},
            "temperatures": {"cpu": 55.5},
            "uptime_s": 3600, "users": 2, "processes": 120, "clock_offset_s": -0.5,
            "top": [{"pid": 1, "name": "init", "user": "root", "command": "/sbin/init", "cpu_percent": 120,
                     "rss_bytes": 4096, "io_bytes_s": 0}],
            "other": {"gpu.0.percent": 12}
        }
    })
}

#[test]
fn the_documented_form_is_read_and_written_as_it_is() {
    let reading = one(&whole());
    assert_eq!(reading.problems, []);
    assert_eq!(serde_json::to_value(&reading.sample).unwrap(), whole());
    assert_eq!(reading.sample.expected, Some(Expected::Sometimes));
}

#[test]
fn every_series_has_a_name_of_its_own_whose_unit_is_known_by_the_name() {
    let series = one(&whole()).sample.series();
    let mut names: Vec<&str> = series.iter().map(|series| series.name.as_str()).collect();
    for name in [
        "cpu.percent",
        "cpu.cores.1",
        "cpu.load.15",
        "disk./.percent",
        "disk./srv/a.b.percent",
        "network.eth0.in_kb_s",
        "services.postgresql",
        "other.gpu.0.percent",
        "units.nginx.restarts",
    ] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    for series in &series {
        assert_eq!(unit(&series.name), Some((series.unit, series.kind)), "{}", series.name);
    }
    let total = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), total);
    for unknown in ["", "cpu", "cpu.nothing", "disk.percent", "x", "ssh.addresses", "services"] {
        assert_eq!(unit(unknown), None, "{unknown}");
    }
    assert_eq!(unit("disk./mnt/x.y.percent").unwrap().0, Unit::Percent);
}

#[test]
fn aliases_and_plain_numbers_are_taken() {
    for alias in ["name", "hostname", "agent"] {
        let reading = one(&json!({alias: " web-2 ", "timestamp": 1_700_000_000.5,
            "metrics": {"cpu": 80, "memory": 50, "swap": 1, "disk": {"/": 90.5}, "ssh": 3, "gpu": {"0": {"percent": 7}},
                        "ok": true, "services": {"a": "active", "b": true, "c": "inactive", "d": null}}}));
        assert_eq!(reading.problems, [], "{alias}");
        let sample = reading.sample;
        assert_eq!(sample.agent_name, "web-2");
        assert_eq!(sample.timestamp.unwrap().as_nanos(), 1_700_000_000_500_000_000);
        assert_eq!(sample.metrics.cpu.unwrap().shares.percent, Some(80.0));
        assert_eq!(sample.metrics.ram.unwrap().percent, Some(50.0));
        assert_eq!(sample.metrics.disk["/"].percent, Some(90.5));
        assert_eq!(sample.metrics.ssh.unwrap().failed_attempts, Some(3.0));
        assert_eq!(sample.metrics.other["gpu.0.percent"], 7.0);
        assert_eq!(sample.metrics.other["ok"], 1.0);
        let states: Vec<_> = sample.metrics.services.into_values().collect();
        use ServiceState::*;
        assert_eq!(states, [Running, Running, Stopped, Unknown]);
    }
}

#[test]
fn a_time_without_a_zone_is_utc() {
    let at = |text: &str| one(&json!({"name": "a", "timestamp": text})).sample.timestamp;
    assert_eq!(at("2026-11-30T18:00:00.25"), at("2026-11-30T18:00:00.25Z"));
    assert!(at("2026-11-30T18:00:00.25").is_some());
}

#[test]
fn what_does_not_fit_is_named_and_the_rest_is_kept() {
    let cases = [
        (json!({"cpu": "high"}), "metrics.cpu", "must be a number, not a text"),
        (json!({"cpu": {"percent": "12"}}), "metrics.cpu.percent", "must be a number, not a text"),
        (json!({"cpu": {"percent": 101}}), "metrics.cpu.percent", "must be from 0 to 100"),
        (json!({"cpu": {"percent": "NaN"}}), "metrics.cpu.percent", "must be a finite number"),
        (
            json!({"cpu": {"load": [1, 2]}}),
            "metrics.cpu.load",
            "must be three numbers: of 1, 5 and 15 minutes",
        ),
        (json!({"cpu": {"cores": [1, "x"]}}), "metrics.cpu.cores.1", "must be a number, not a text"),
        (json!({"ram": {"used": -1}}), "metrics.ram.used", "must not be negative"),
        (json!({"disk": [1]}), "metrics.disk", "must be an object, not an array"),
        (
            json!({"disk": {"/x": {"read_only": "no"}}}),
            "metrics.disk./x.read_only",
            "must be true or false, not a text",
        ),
        (json!({"disk": {"": 1}}), "metrics.disk.", "must be named by a text"),
        (json!({"network": {"eth0": 5}}), "metrics.network.eth0", "must be an object, not a number"),
        (
            json!({"services": {"nginx": "sideways"}}),
            "metrics.services.nginx",
            "must be running, stopped, failed or unknown",
        ),
        (json!({"top": [{"name": "x"}]}), "metrics.top.0", "must have pid and name"),
        (json!({"mood": "good"}), "metrics.mood", "must be a number, not a text"),
        (
            json!({"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}),
            "metrics.a.b.c.d.e",
            "must be a number, not an object",
        ),
    ];
    for (mut metrics, field, reason) in cases {
        metrics["uptime_s"] = json!(5);
        let reading = one(&json!({"agent_name": "web", "metrics": metrics}));
        assert_eq!(reading.problems.len(), 1, "{metrics}: {:?}", reading.problems);
        assert_eq!(reading.problems[0].field, field);
        let told = &reading.problems[0].reason;
        assert!(told.starts_with(reason), "{metrics}: {told}");
        assert_eq!(reading.sample.metrics.uptime_s, Some(5.0), "{metrics}");
    }
    let reading = one(&json!({"agent_name": "web", "timestamp": "yesterday", "seq": -1, "interval": 0,
        "expected": "never", "version": 3, "metrics": 7}));
    let fields: Vec<_> = reading.problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["timestamp", "seq", "interval", "version", "expected", "metrics"]);
}

#[test]
fn labels_that_do_not_fit_are_named_beside_those_that_do() {
    let long = "x".repeat(64);
    let labels = json!({"role": "web", "tier": 1, "canary": true, "app/part": "a=b", "bad name": "x", "": "x", "a": "",
        "b": "one,two", "c": " x", "d": "x\ny", "e": null, "f": ["x"], "g": long});
    let reading = one(&json!({"agent_name": "web", "labels": labels, "metrics": {"cpu": 5}}));
    let kept: Vec<_> =
        reading.sample.labels.as_ref().unwrap().iter().map(|(n, v)| format!("{n}={v}")).collect();
    assert_eq!(kept, ["app/part=a=b", "canary=true", "role=web", "tier=1"]);
    let mut fields: Vec<_> = reading.problems.iter().map(|problem| problem.field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "labels.",
            "labels.a",
            "labels.b",
            "labels.bad name",
            "labels.c",
            "labels.d",
            "labels.e",
            "labels.f",
            "labels.g"
        ]
    );
    assert_eq!(reading.sample.metrics.cpu.unwrap().shares.percent, Some(5.0), "the sample is kept");
    let many: serde_json::Map<String, Value> = (0..20).map(|n| (format!("l{n:02}"), json!("x"))).collect();
    let reading = one(&json!({"agent_name": "web", "labels": many}));
    assert_eq!((reading.sample.labels.unwrap().len(), reading.problems_total), (LABELS_MAX, 4));
    assert!(reading.problems[0].reason.contains("at most 16 labels"), "{}", reading.problems[0]);
    // What is no object takes nothing away; an empty one does.
    let of = |labels: Value| one(&json!({"agent_name": "web", "labels": labels})).sample.labels;
    assert_eq!((of(json!("role=web")), of(json!({}))), (None, Some(Default::default())));
}

#[test]
fn bare_nan_spoils_its_field_only() {
    let body = br#"[{"name":"a \" NaN","metrics":{"cpu":{"percent":NaN,"user":1},"ram":-Infinity,"swap":Infinity}},{"name":"b"}]"#;
    let readings = read(body, &Limits::default()).unwrap();
    let first = readings[0].as_ref().unwrap();
    assert_eq!(first.sample.agent_name, "a \" NaN");
    assert_eq!(first.sample.metrics.cpu.as_ref().unwrap().shares.user, Some(1.0));
    let told: Vec<_> = first.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "metrics.cpu.percent must be a finite number",
            "metrics.ram must be a finite number",
            "metrics.swap must be a finite number"
        ]
    );
    assert_eq!(readings[1].as_ref().unwrap().sample, Sample::of("b"));
}

#[test]
fn a_sample_without_a_name_is_refused_and_not_its_neighbours() {
    let body = json!([{"name": "a"}, {"metrics": {}}, 5, {"agent_name": ""}, {"agent_name": 5}, {"agent": "x\u{0}"}, {"name": "b"}]);
    let readings = read(body.to_string().as_bytes(), &Limits::default()).unwrap();
    let good = readings.iter().filter(|reading| reading.is_ok()).count();
    assert_eq!((readings.len(), good), (7, 2));
    assert_eq!(readings[1].as_ref().unwrap_err().field, "agent_name");
    assert_eq!(readings[5].as_ref().unwrap_err().field, "agent");
    for body in ["5", "\"x\"", "null", "{", ""] {
        assert!(read(body.as_bytes(), &Limits::default()).is_err(), "{body}");
    }
    let limits = Limits { samples_max: 6, ..Limits::default() };
    assert!(
        read(body.to_string().as_bytes(), &limits)
            .unwrap_err()
            .to_string()
            .contains("has 7 samples; at most 6")
    );
}

#[test]
fn ten_thousand_labels_are_cut_at_the_bound_and_counted() {
    let many: serde_json::Map<String, Value> = (0..10_000).map(|n| (format!("/m{n}"), json!(50))).collect();
    let reading = one(&json!({"name": "a", "metrics": {"disk": many, "x": many, "cpu": 5}}));
    assert_eq!(reading.sample.metrics.disk.len(), Limits::default().labels_max);
    assert_eq!(reading.sample.metrics.other.len(), Limits::default().labels_max);
    assert_eq!(reading.problems.len(), sample::PROBLEMS_MAX);
    assert_eq!(reading.problems_total, 2 * (10_000 - Limits::default().labels_max));
    assert_eq!(reading.sample.metrics.cpu.unwrap().shares.percent, Some(5.0));
}

fn any_json() -> impl Strategy<Value = Value> {
    let names = prop_oneof![
        proptest::sample::select(vec![
            "cpu",
            "ram",
            "memory",
            "disk",
            "percent",
            "cores",
            "load",
            "services",
            "top",
            "pid",
            "name",
            "ssh",
            "addresses",
            "network",
            "eth0",
            "other",
            "read_only",
            "timestamp",
            "metrics"
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((names.clone(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_read_is_written_so_that_it_is_read_again(metrics in any_json()) {
        let body = json!({"agent_name": "a", "metrics": metrics});
        let first = one(&body);
        let again = one(&serde_json::to_value(&first.sample).unwrap());
        prop_assert_eq!(again.problems, vec![]);
        prop_assert_eq!(again.sample, first.sample);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(read(&bytes, &Limits::default()));
    }
}
