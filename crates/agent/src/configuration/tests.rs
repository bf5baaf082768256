use std::path::Path;

use proptest::prelude::*;

use super::*;

/// As existing installations have it.
const SEED: &str = include_str!("../../../../infra/agent/config.yaml");

fn read(text: &str) -> Document {
    let mut document = Document::default();
    document.yaml(Path::new("config.yaml"), text).unwrap();
    document
}

#[test]
fn the_file_of_existing_installations_works_unchanged() {
    let configuration = Configuration::of(&read(SEED)).unwrap();
    assert_eq!(configuration.name.as_deref(), Some("server1"));
    assert_eq!(configuration.interval, Duration::from_secs(60));
    assert_eq!(configuration.url, "http://localhost:8000/data");
    assert_eq!(configuration.api_key.as_deref(), Some("your_api_key_here"));
    let Monitoring { selection, ssh } = configuration.monitoring;
    assert_eq!(selection.mounts, Measured::These(vec!["/".into(), "/home".into()]));
    assert_eq!(selection.interfaces, Measured::These(vec!["eth0".into()]));
    assert_eq!(selection.services, Measured::These(vec!["nginx".into(), "postgresql".into()]));
    assert_eq!(ssh, SignInLog::At("/var/log/auth.log".into()));
    assert!(selection.cpu && selection.memory && configuration.sends_logs);
    assert_eq!(configuration.buffer_bytes_max, 64 << 20);
    assert_eq!(configuration.buffer_age_max, Duration::from_secs(7 * 86_400));
}

#[test]
fn what_the_own_file_says_is_told_to_the_server_as_it_is() {
    let mut document = read(SEED);
    document.server(3, &serde_json::json!({"disk": {"paths": ["/srv"]}}));
    let own = serde_json::Value::Object(document.own_monitoring());
    let paths = &own["disk"];
    assert_eq!(paths["threshold"].as_f64(), Some(90.0));
    assert!(paths.get("paths").is_none(), "what the server set is not the file's: {own}");
    let network = ["in", "out"].map(|way| own["network"]["threshold"][way].as_f64());
    assert_eq!(network, [Some(100_000.0); 2]);
    assert_eq!(own["ssh"]["log_path"], "/var/log/auth.log");
    assert!(Document::default().own_monitoring().is_empty());
}

#[test]
fn without_a_file_everything_is_looked_at() {
    let mut document = Document::default();
    let error = Configuration::of(&document).unwrap_err().to_string();
    assert!(error.contains("server.url is not set"), "{error}");
    document.above("server.url", "--server-url", "http://h:8080");
    let configuration = Configuration::of(&document).unwrap();
    assert_eq!(configuration.monitoring.selection, Selection::default());
    assert_eq!((configuration.interval, configuration.name), (Duration::from_secs(10), None));
}

#[test]
fn what_stands_above_the_file_and_the_server_win() {
    let mut document = read(SEED);
    document.above("agent.interval", "LOG_SENTINEL_AGENT_INTERVAL", "5");
    document.server(3, &serde_json::json!({"disk": {"paths": ["/srv"]}, "ssh": {"enabled": false}}));
    let configuration = Configuration::of(&document).unwrap();
    assert_eq!(configuration.interval, Duration::from_secs(5));
    assert_eq!(configuration.monitoring.selection.mounts, Measured::These(vec!["/srv".into()]));
    assert_eq!(configuration.monitoring.ssh, SignInLog::Nowhere);
    let table = document.table();
    for row in [
        "agent.name                       server1",
        "config.yaml",
        "LOG_SENTINEL_AGENT_INTERVAL",
        "server, version 3",
        "default",
        "monitoring.network.threshold.in  100000",
    ] {
        assert!(table.contains(row), "{row}\n{table}");
    }
    assert!(!table.contains("your_api_key_here"), "{table}");
}

#[test]
fn what_does_not_fit_is_named_with_a_suggestion() {
    let text = "agnet: { name: x }\nserver: { url: \"ftp://h\", api_key: [1] }\nagent: { interval: fast }\n\
        monitoring: { cpu: { treshold: 5, enabled: 1 }, disk: 7, network: { threshold: 500 }, bogus: {} }\n";
    let document = read(text);
    let problems = document.problems().join("\n");
    for part in [
        "there is no agnet (config.yaml); did you mean agent?",
        "server.url (config.yaml), but must be an address",
        "server.api_key (config.yaml), but must be a text",
        "agent.interval is fast (config.yaml), but must be seconds from 1 to 3600",
        "there is no monitoring.cpu.treshold (config.yaml); did you mean monitoring.cpu.threshold?",
        "monitoring.cpu.enabled is 1 (config.yaml), but must be true or false",
        "monitoring.disk is 7 (config.yaml), but must hold names and values",
        "there is no monitoring.bogus",
    ] {
        assert!(problems.contains(part), "{part}\n{problems}");
    }
    assert_eq!(document.number("monitoring.network.threshold.out"), Some(500.0));
    assert!(Configuration::of(&document).is_err());
}

#[test]
fn labels_are_names_and_values_that_a_selector_can_name() {
    let labels = |document: &Document| {
        let labels = document.labels("agent.labels");
        labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    };
    let mut document = read("agent: { name: s, interval: 60, labels: { role: web, env: prod, tier: 1 } }");
    assert_eq!((document.problems(), labels(&document).as_str()), (vec![], "env=prod role=web tier=1"));
    document.above("agent.labels", "LOG_SENTINEL_AGENT_LABELS", "role=db, site=a");
    assert_eq!((document.problems(), labels(&document).as_str()), (vec![], "role=db site=a"));
    assert!(labels(&read(SEED)).is_empty());
    let many: String = (0..17).map(|number| format!("l{number}: x, ")).collect();
    for wrong in [
        "web",
        "[web]",
        "{ role: \"a,b\" }",
        "{ \"ro le\": web }",
        "{ role: }",
        "{ role: { a: b } }",
        &format!("{{ {many} }}"),
    ] {
        let problems = read(&format!("agent: {{ labels: {wrong} }}")).problems();
        assert_eq!(problems.len(), 1, "{wrong}: {problems:?}");
        assert!(
            problems[0].starts_with("agent.labels is ") && problems[0].contains("role: web"),
            "{problems:?}"
        );
    }
    let problems = read("agent: { lables: { role: web } }").problems();
    assert_eq!(problems, ["there is no agent.lables (config.yaml); did you mean agent.labels?"]);
    let mut document = Document::default();
    document.above("agent.labels", "LOG_SENTINEL_AGENT_LABELS", "web");
    assert_eq!(document.problems().len(), 1);
}

#[test]
fn a_file_that_is_no_yaml_is_named_and_not_repeated() {
    for text in ["server: { api_key: hunter2", "hunter2", "[hunter2]", "agent: {}\nagent: { name: hunter2 }"]
    {
        let mut document = Document::default();
        let error = document.yaml(Path::new("config.yaml"), text).unwrap_err().to_string();
        assert!(error.contains("config.yaml") && !error.contains("hunter2"), "{error}");
    }
    assert_eq!(read(""), Document::default());
}

proptest! {
    #[test]
    fn whatever_it_says_keys_are_not_shown(text in "[ -~\n]{0,200}", key in "[a-z0-9]{12}") {
        let key = format!("zq{key}");
        let mut document = Document::default();
        drop(document.yaml(Path::new("x"), &text));
        drop(document.yaml(Path::new("x"), &format!("server: {{ api_key: {key} }}")));
        prop_assert!(!document.table().contains(&key));
        prop_assert!(!document.problems().concat().contains(&key));
    }
}
