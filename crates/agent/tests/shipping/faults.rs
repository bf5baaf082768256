//! What goes wrong between an agent and its collector: nothing is lost, and nothing is there twice.

use std::{collections::BTreeSet, sync::LazyLock, time::Duration};

use axum::http::StatusCode;
use event::Timestamp;
use retry::Backoff;
use serde_json::Value as Json;
use tokio::sync::watch;

use crate::{
    collector::{Collector, Had, Wanted, numbers, start_with},
    line::{Cut, Line},
};

/// Soon again: what is tested is that it is tried again, not when.
fn soon() -> Backoff {
    Backoff::new(Duration::from_millis(5), Duration::from_millis(50))
}

/// The numbers that a collector keeps: each once, as the real one does.
fn kept(had: &Had) -> Vec<u64> {
    let mut seen = BTreeSet::new();
    numbers(had).into_iter().filter(|number| seen.insert(*number)).collect()
}

/// None is missing between the first and the last, and they came in order.
fn assert_whole(had: &Had) {
    let kept = kept(had);
    let whole: Vec<u64> = (kept[0]..kept[0] + kept.len() as u64).collect();
    assert_eq!(kept, whole);
    let ids: BTreeSet<_> = had.samples.iter().map(|sample| sample["agent_id"].to_string()).collect();
    assert_eq!(ids.len(), 1, "under one id, by which a sample that comes again is known");
}

fn messages(had: &Had) -> Vec<&str> {
    had.lines.iter().map(|line| line["message"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_connection_that_is_cut_at_any_byte_loses_nothing_and_doubles_nothing() {
    let (dir, collector) = (tempfile::tempdir().unwrap(), Collector::start().await);
    let asked = [0, 1, 20, 150, 300, 400, 1000, 3000, 5000].map(Cut::Asked);
    let answered = [0, 1, 10, 30, 80, 120].map(Cut::Answered);
    let line = Line::to(collector.port, asked.into_iter().chain(answered).cycle().take(60)).await;
    let watched = dir.path().join("app.log");
    let text: String = (0..300).map(|number| format!("2026-11-30T10:00:00Z INFO line {number}\n")).collect();
    std::fs::write(&watched, text).unwrap();
    let wanted = Wanted { watched: Some(watched), backoff: soon(), ..Wanted::default() };
    let running = start_with(&dir.path().join("data"), line.port, wanted);
    collector.until(|had| line.cuts.lock().unwrap().is_empty() && had.lines.len() == 300).await;
    let had = collector.with(|had| had.samples.len());
    collector.until(|now| now.samples.len() > had + 5).await;
    running.stop().await;
    collector.with(|had| {
        assert_whole(had);
        assert!(numbers(had).len() > kept(had).len(), "some came again, since their answer was cut off");
        let lines: Vec<String> = (0..300).map(|number| format!("line {number}")).collect();
        assert_eq!(messages(had), lines);
    });
}

/// A clock that goes on by ten seconds whenever it is read.
static NOW: LazyLock<watch::Sender<i64>> = LazyLock::new(|| watch::channel(1_780_000_000_000_000_000).0);

const TEN_SECONDS: i64 = 10_000_000_000;
const HOUR: i64 = 360 * TEN_SECONDS;

fn hasty_clock() -> Timestamp {
    let mut now = 0;
    NOW.send_modify(|nanos| {
        *nanos += TEN_SECONDS;
        now = *nanos;
    });
    Timestamp::from_nanos(now).unwrap()
}

#[tokio::test]
async fn an_hour_without_a_collector_is_sent_afterwards_in_order_and_in_parts() {
    let (dir, collector) = (tempfile::tempdir().unwrap(), Collector::start().await);
    let line = Line::to(collector.port, []).await;
    let wanted = Wanted { clock: hasty_clock, backoff: soon(), ..Wanted::default() };
    let running = start_with(dir.path(), line.port, wanted);
    collector.until(|had| had.samples.len() > 2).await;
    line.is_away(true);
    let began = *NOW.borrow();
    NOW.subscribe().wait_for(|now| *now > began + HOUR).await.unwrap();
    let back = *NOW.borrow();
    line.is_away(false);
    let nanos =
        |sample: &Json| serde_json::from_value::<Timestamp>(sample["timestamp"].clone()).unwrap().as_nanos();
    collector.until(|had| had.samples.last().is_some_and(|sample| nanos(sample) > back)).await;
    running.stop().await;
    collector.with(|had| {
        assert_whole(had);
        let mut times: Vec<i64> = had.samples.iter().map(nanos).collect();
        assert!(times.is_sorted(), "with the times at which they were measured");
        times.retain(|time| (began..back).contains(time));
        assert!(times.len() > 20, "{} samples of that hour", times.len());
        assert_eq!(had.samples.last().unwrap()["metrics"]["other"]["agent.samples_dropped"], 0.0);
        assert!(had.requests.iter().all(|samples| *samples <= 60));
    });
}

#[tokio::test]
async fn logs_that_are_too_many_at_once_are_halved_and_only_a_line_too_long_alone_is_given_up() {
    let (dir, collector) = (tempfile::tempdir().unwrap(), Collector::start().await);
    collector.with(|had| had.logs_bytes_max = Some(9000));
    let watched = dir.path().join("app.log");
    let line = |number: usize| match number {
        77 => format!("2026-11-30T10:00:00Z INFO {}\n", "long ".repeat(3000)),
        _ => format!("2026-11-30T10:00:00Z INFO line {number}\n"),
    };
    std::fs::write(&watched, (0..200).map(line).collect::<String>()).unwrap();
    let wanted = Wanted { watched: Some(watched), ..Wanted::default() };
    let running = start_with(&dir.path().join("data"), collector.port, wanted);
    let dropped = |had: &Had| had.samples.last()?["metrics"]["other"]["agent.logs_dropped"].as_u64();
    collector.until(|had| had.lines.len() >= 199 && dropped(had) == Some(1)).await;
    running.stop().await;
    collector.with(|had| {
        let lines: Vec<String> =
            (0..200).filter(|number| *number != 77).map(|number| format!("line {number}")).collect();
        assert_eq!(messages(had), lines);
        assert!((3..40).contains(&had.too_large), "{} times", had.too_large);
    });
}

#[tokio::test]
async fn samples_that_are_too_many_at_once_are_halved() {
    let (dir, collector) = (tempfile::tempdir().unwrap(), Collector::start().await);
    collector.with(|had| {
        had.refusing = vec![StatusCode::SERVICE_UNAVAILABLE; 40];
        had.samples_max = Some(3);
    });
    let running = start_with(dir.path(), collector.port, Wanted { backoff: soon(), ..Wanted::default() });
    collector.until(|had| had.samples.len() > 40 && had.too_large > 0).await;
    running.stop().await;
    collector.with(|had| {
        assert_whole(had);
        assert_eq!(had.samples.last().unwrap()["metrics"]["other"]["agent.samples_dropped"], 0.0);
    });
}
