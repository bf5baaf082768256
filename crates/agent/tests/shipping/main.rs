//! An agent against a collector that is away, busy, refuses, answers late or not at all.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod collector;
mod faults;
mod line;

use std::collections::BTreeSet;

use axum::http::StatusCode;
use collector::{Collector, Had, SOON, Wanted, numbers, start, start_with};
use serde_json::{Value as Json, json};

#[tokio::test]
async fn samples_come_in_order_and_none_is_lost_whatever_the_collector_answers() {
    let (dir, collector) = (tempfile::tempdir().unwrap(), Collector::start().await);
    collector.with(|had| {
        had.refusing =
            vec![StatusCode::BAD_GATEWAY, StatusCode::UNAUTHORIZED, StatusCode::SERVICE_UNAVAILABLE];
    });
    let running = start(dir.path(), collector.port, None);
    collector.until(|had| had.samples.len() > 20 && had.refusing.is_empty()).await;
    running.stop().await;
    let stopped = collector.with(|had| numbers(had).last().copied().unwrap());
    let running = start(dir.path(), collector.port, None);
    collector.until(|had| numbers(had).last().is_some_and(|last| *last > stopped + 5)).await;
    running.stop().await;
    collector.with(|had| {
        let numbers = numbers(had);
        let all: BTreeSet<u64> = numbers.iter().copied().collect();
        let (first, last) = (*all.first().unwrap(), *all.last().unwrap());
        assert_eq!(all.len() as u64, last - first + 1, "none is missing, across a restart");
        // What the broken one had stored came again in the same order.
        let first_time: Vec<u64> = all.iter().copied().collect();
        let mut seen = BTreeSet::new();
        let in_order: Vec<u64> = numbers.into_iter().filter(|number| seen.insert(*number)).collect();
        assert_eq!(in_order, first_time);
        let sample = had.samples.last().unwrap();
        assert_eq!(
            (sample["agent_name"].as_str(), sample["version"].as_str()),
            (Some("web-1"), Some("1.2.3"))
        );
        assert!(sample["metrics"]["ram"]["total"].as_u64().unwrap() > 0);
        // Both have the same clock, of which the collector's answers tell the second.
        let offset = sample["metrics"]["clock_offset_s"].as_f64().unwrap();
        assert!(offset.abs() < 1.0, "{offset}");
    });
}

#[tokio::test]
async fn a_sample_that_is_refused_for_good_takes_no_other_with_it() {
    let (dir, collector) = (tempfile::tempdir().unwrap(), Collector::start().await);
    // The first requests meet nobody, so that several samples wait and go together.
    collector.with(|had| {
        had.refusing = vec![StatusCode::SERVICE_UNAVAILABLE];
        had.refused_rest = Some(1);
    });
    let running = start(dir.path(), collector.port, None);
    // Those that were measured before the refusal do not know of it yet.
    let dropped = |had: &Had| had.samples.last()?["metrics"]["other"]["agent.samples_dropped"].as_u64();
    collector.until(|had| had.samples.len() > 10 && dropped(had) > Some(0)).await;
    running.stop().await;
    collector.with(|had| {
        let numbers = numbers(had);
        let expected: Vec<u64> =
            (numbers[0]..=numbers[numbers.len() - 1]).filter(|number| number % 3 != 1).collect();
        assert_eq!(numbers, expected);
    });
}

#[tokio::test]
async fn what_the_server_wants_is_measured_told_and_kept() {
    let (dir, collector) = (tempfile::tempdir().unwrap(), Collector::start().await);
    collector.with(|had| had.config = Some(json!({"version": 2, "monitoring": {"ram": {"enabled": false}}})));
    let last = |had: &Had| had.samples.last().cloned().unwrap_or_default();
    let running = start(dir.path(), collector.port, None);
    collector.until(|had| last(had)["config_version"] == 2 && last(had)["metrics"]["ram"].is_null()).await;
    collector.with(|had| had.config = Some(json!({"version": 3, "monitoring": {"cpu": {"treshold": 5}}})));
    collector.until(|had| last(had)["config_problem"].is_string()).await;
    running.stop().await;
    collector.with(|had| {
        let problem = last(had)["config_problem"].as_str().unwrap().to_owned();
        assert!(problem.contains("version 3") && problem.contains("monitoring.cpu.threshold?"), "{problem}");
        assert_eq!(last(had)["config_version"], 2);
        had.config = None;
        had.samples.clear();
    });
    let running = start(dir.path(), collector.port, None);
    collector.until(|had| !had.samples.is_empty()).await;
    running.stop().await;
    collector.with(|had| {
        assert_eq!(
            (&had.samples[0]["config_version"], &had.samples[0]["metrics"]["ram"]),
            (&json!(2), &Json::Null)
        );
    });
}

#[tokio::test]
async fn lines_come_once_and_in_order_whatever_the_collector_answers() {
    use std::io::Write as _;
    let (dir, collector) = (tempfile::tempdir().unwrap(), Collector::start().await);
    let watched = dir.path().join("app.log");
    let append = |numbers: std::ops::Range<usize>| {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(&watched).unwrap();
        for number in numbers {
            writeln!(file, "2026-11-30T10:00:00Z ERROR line number {number}").unwrap();
        }
    };
    append(0..50);
    // The first answers are lost: they were stored, and nobody heard of it.
    collector.with(|had| had.lost_answers = 2);
    let data = dir.path().join("data");
    let running = start(&data, collector.port, Some(watched.clone()));
    collector.until(|had| had.lines.len() == 50).await;
    running.stop().await;
    append(50..100);
    // Stopped before the answer came, too: the same part goes under the same key after the restart.
    let running = start(&data, collector.port, Some(watched.clone()));
    collector.until(|had| had.lines.len() == 100).await;
    running.stop().await;
    collector.with(|had| {
        let messages: Vec<&str> = had.lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
        let expected: Vec<String> = (0..100).map(|number| format!("line number {number}")).collect();
        assert_eq!(messages, expected);
        let line = &had.lines[99];
        assert_eq!((&line["log"]["level"], &line["host"]["name"]), (&json!("error"), &json!("web-1")));
        assert_eq!(line["log"]["file"]["path"], watched.display().to_string());
        assert!(line["event"]["original"].as_str().unwrap().contains("ERROR line number 99"));
    });
}

/// procmond's part of a connection: all that there is (nothing), a gap, and what is acknowledged.
fn tell_processes(listener: &std::os::unix::net::UnixListener) -> u64 {
    use process::message::{self, v1};
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let greeting = v1::ProcessGreeting { boot_id: "b".into(), stream: "s".into(), ..Default::default() };
    let complete = v1::ProcessComplete { processes: 0, at_unix_nano: 5 };
    let gap = v1::ProcessGap { changes: 3, reason: "test".into(), given_up: false };
    let contents = [
        v1::process_frame::Content::Greeting(greeting),
        v1::process_frame::Content::Complete(complete),
        v1::process_frame::Content::Gap(gap),
    ];
    for (sequence, content) in (0..).zip(contents) {
        message::write(&mut stream, &v1::ProcessFrame { sequence, content: Some(content) }).unwrap();
    }
    let mut heard = 0;
    while heard < 2 {
        heard = message::read::<v1::ProcessAcknowledgement>(&mut stream).unwrap().unwrap().sequence;
    }
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_of_processes_is_in_samples_and_acknowledged_when_these_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let collector = Collector::start().await;
    let socket = dir.path().join("procmond.sock");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let telling = telemetry::task::blocking("procmond", move || tell_processes(&listener));
    let running =
        start_with(dir.path(), collector.port, Wanted { socket: Some(&socket), ..Wanted::default() });
    collector
        .until(|had| {
            let reports = || had.samples.iter().map(|sample| &sample["processes"]);
            reports().any(|report| report["begins"] == true && report["boot_id"] == "b")
                && reports().any(|report| report["complete"] == true)
                && reports().any(|report| report["unseen"] == 3)
        })
        .await;
    assert_eq!(telling.await.unwrap(), 2);
    running.stop().await;
}
