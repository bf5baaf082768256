//! The body of the fuzz target on generated inputs, so that it runs everywhere.
#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

#[path = "../fuzz/body.rs"]
mod body;

use proptest::{collection::vec, prelude::*, sample::select};

/// Names and values of samples, and what is near them.
const NAMES: &[&str] = &[
    "agent_name",
    "hostname",
    "timestamp",
    "seq",
    "interval",
    "expected",
    "labels",
    "config_version",
    "monitoring",
    "metrics",
    "cpu",
    "percent",
    "cores",
    "load",
    "ram",
    "memory",
    "disk",
    "/",
    "/a.b",
    "read_only",
    "inodes_percent",
    "network",
    "eth0",
    "in_kb_s",
    "services",
    "nginx",
    "ssh",
    "failed_attempts",
    "addresses",
    "192.0.2.7",
    "top",
    "pid",
    "name",
    "temperatures",
    "units",
    "containers",
    "pressure",
    "tcp",
    "other",
    "uptime_s",
    "clock_offset_s",
    "x",
    "",
];
const VALUES: &[&str] = &[
    "null",
    "true",
    "0",
    "-1",
    "50",
    "1e308",
    "1e999",
    "-0.0",
    "99999999999999999999",
    "NaN",
    "-Infinity",
    "\"\"",
    "\"web-1\"",
    "\"running\"",
    "\"2026-11-30T10:00:00Z\"",
    "\"sometimes\"",
    "\"5\"",
    "[]",
    "[1,2,3]",
    "{}",
];

/// JSON, or nearly.
fn text() -> impl Strategy<Value = String> {
    let leaf = select(VALUES).prop_map(str::to_owned);
    leaf.prop_recursive(5, 48, 8, |inner| {
        let members = vec((select(NAMES), inner.clone()), 0..8).prop_map(|members| {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        });
        let items = vec(inner, 0..6).prop_map(|items| format!("[{}]", items.join(",")));
        prop_oneof![3 => members, 1 => items]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn whatever_stands_in_a_body(bytes in vec(any::<u8>(), 0..64)) {
        body::body(&bytes);
    }

    #[test]
    fn whatever_is_measured(metrics in text(), more in text()) {
        body::body(format!(r#"{{"agent_name":"web-1","metrics":{metrics},"monitoring":{more}}}"#).as_bytes());
        body::body(format!(r#"[{{"name":"web-1","seq":1,"metrics":{{"cpu":{more},"disk":{metrics}}}}},{more}]"#).as_bytes());
    }
}
