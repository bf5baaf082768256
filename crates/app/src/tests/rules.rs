//! Command lines on rules and on what is past, and those that ask nobody.

use serde_json::{Value as Json, json};

use super::{Answer, Said, Service, printed, said};
use crate::{cli, commands::terminal, settings::Sources};

/// Runs a command line that asks no service.
fn done(words: &[&str]) -> Said {
    let arguments = ["log-sentinel"].iter().chain(words).map(Into::into);
    let (cli, flags) = cli::parse(arguments).unwrap_or_else(|error| panic!("{error}"));
    drop(terminal::taken());
    let outcome = crate::dispatch(cli, &Sources { flags, ..Sources::default() }.resolve());
    let (printed, noted) = terminal::taken();
    Said { printed, noted, failed: outcome.err().map(|error| error.to_string()).unwrap_or_default() }
}

const RULE: &str = "title: Of a test\nid: 0f8d1c3e-5f0a-4f5e-9d7e-2b8f1c3e5f0a\nlevel: high\nlogsource:\n    product: linux\n    \
                    service: sshd\ndetection:\n    words:\n        - failed\n    condition: words\ntags:\n    - \
                    attack.t1110\n";

#[test]
fn rules_are_explained_by_id_and_by_title() {
    let dir = tempfile::tempdir().unwrap();
    let (file, bad) = (dir.path().join("a.yml"), dir.path().join("b.yml"));
    std::fs::write(&file, RULE).unwrap();
    let path = file.display().to_string();
    for wanted in ["OF A", "0f8d1c3e-5f0a-4f5e-9d7e-2b8f1c3e5f0a"] {
        let said = done(&["rules", "explain", wanted, &path]);
        assert_eq!((&*said.failed, &*said.noted), ("", ""));
        assert!(said.printed.starts_with("Of a test\n  id             0f8d1c3e-"), "{}", said.printed);
        for row in
            ["  level          high\n", "  looks at       linux, sshd\n", "  finds          Of a test\n"]
        {
            assert!(said.printed.contains(row), "{row} in {}", said.printed);
        }
    }
    let unknown = done(&["rules", "explain", "0f8d1c3e", &path]).failed;
    assert_eq!(unknown, "no rule has the id or the title '0f8d1c3e'; see `log-sentinel rules coverage`");
    std::fs::write(&bad, "title: [\n").unwrap();
    let bad = bad.display().to_string();
    let none = done(&["rules", "explain", "x", &bad]);
    assert!(none.failed.starts_with("no rule could be read") && none.noted.contains("b.yml"), "{none:?}");
    assert_eq!(done(&["rules", "coverage", &path]).printed, "T1110        Of a test\n");
    let lines = done(&["rules", "coverage", &path, "-o", "ndjson"]).printed;
    let line: Json = serde_json::from_str(lines.trim_end()).unwrap();
    assert_eq!(line, json!({"technique": "T1110", "rules": ["Of a test"]}));
    let tested = done(&["rules", "test", &path, &bad]);
    assert_eq!(
        (&*tested.printed, &*tested.failed),
        ("0 tests hold, 1 do not\n", "not all rules are as their tests say")
    );
}

#[tokio::test]
async fn what_is_stored_is_gone_through_from_its_beginning() {
    let service =
        Service::giving([Answer::from("").with("x-total", "1200").with("x-partial", "too slow")]).await;
    let noise = said(&service, "rules noise --from now-7d --to now").await;
    assert_eq!((&*noise.failed, &*noise.printed), ("", "no events\nnothing would have been told\n"));
    let left = "the first 0 of 1,200 events were looked at; ask for more with --limit, or for a shorter time with --from and --to\n";
    assert_eq!(noise.noted, format!("incomplete: too slow\n{left}"));
    let asked = &service.lines()[0];
    assert!(asked.starts_with("GET /api/v1/search order=asc format=ndjson limit="), "{asked}");
    assert!(asked.ends_with(" q= from=now-7d to=now"), "{asked}");
    let hit = |n: u64| {
        let time = format!("2024-06-0{n}T12:00:00Z");
        let hit = json!({"_id": format!("{n:032x}-00000000-{n:08x}"), "@timestamp": time,
            "message": "m", "log": {"level": "info"}});
        format!("{hit}\n")
    };
    let hits = hit(1) + &hit(3);
    let two = said(&Service::giving([hits.as_str()]).await, "rules noise").await;
    assert_eq!(two.failed, "");
    let head = "2 events from 2024-06-01T12:00:00Z to 2024-06-03T12:00:00Z, 2.0 days\nnothing would have been told\n";
    assert_eq!((&*two.printed, &*two.noted), (head, ""));
    let service = Service::giving(["{\"no\": \"hit\"}\n"]).await;
    let cut = said(&service, "rules noise").await;
    assert_eq!(cut.failed, format!("the answer of {} is not whole; ask again", service.url));
    let (_, lines) = printed("", "rules noise -o ndjson").await;
    assert_eq!(lines, "");
}

#[test]
fn settings_are_listed_with_where_they_come_from() {
    let sample = done(&["check", "--sample"]);
    assert!(sample.printed.starts_with("# Settings of Log Sentinel."), "{}", sample.printed);
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().display().to_string();
    let checked =
        done(&["check", "--data", &data, "--api-keys", "hunter2-hunter2", "--files", "/no/such/file"]);
    assert_eq!(checked.failed, "");
    let row = |name: &str| checked.printed.lines().find(|line| line.starts_with(name)).unwrap();
    assert!(
        row("API_KEYS ").contains(" ******** ") && row("API_KEYS ").ends_with(" flag"),
        "{}",
        row("API_KEYS ")
    );
    assert!(row("LOG_SENTINEL_ZONE ").ends_with(" default"), "{}", row("LOG_SENTINEL_ZONE "));
    assert!(row("ELASTIC_ADDR ").contains(" (unset) "), "{}", row("ELASTIC_ADDR "));
    assert!(checked.printed.ends_with("the settings are usable\n"), "{}", checked.printed);
    let wrong = done(&["check", "--data", &data, "--zone", "Mars"]);
    assert!(wrong.failed.contains("LOG_SENTINEL_ZONE is 'Mars' (flag)"), "{}", wrong.failed);
    assert!(wrong.printed.contains("LOG_SENTINEL_ZONE"), "the table comes first");
}

#[test]
fn completions_are_those_of_a_shell() {
    let script = done(&["completions", "bash"]).printed;
    assert!(script.contains("complete -F") && script.contains("histogram"), "{}", script.len());
}

#[test]
fn what_listens_everywhere_is_reached_on_this_machine() {
    for (bound, reached) in
        [("0.0.0.0:7", "127.0.0.1:7"), ("[::]:7", "127.0.0.1:7"), ("192.0.2.7:8", "192.0.2.7:8")]
    {
        assert_eq!(crate::reachable(bound.parse().unwrap()).to_string(), reached);
    }
}
