//! What a stream costs an event, split by part: `cargo run --release -p anomaly --example stream -- FILE`,
//! with a file of one JSON object a line with `timestamp`, `level`, `message`, `source` and `host`.
//!
//! The parts are differences between whole runs, each the fastest of several: the miner alone; the
//! service without a model, which adds the features; the service with one, which adds the score.

use std::{
    error::Error,
    hint::black_box,
    time::{Duration, Instant},
};

use anomaly::{Config, Service};
use event::{Event, EventId, JournalId, Position, Severity, Timestamp};
use template::Miner;

const BATCH: usize = 4096;

fn events_of(path: &str) -> Result<Vec<Event<'static>>, Box<dyn Error>> {
    let text = std::fs::read_to_string(path)?;
    let mut events = Vec::new();
    for line in text.lines() {
        let object: serde_json::Value = serde_json::from_str(line)?;
        let field = |name: &str| object[name].as_str().unwrap_or_default().to_owned();
        let mut event = Event::new(field("message"), Timestamp::parse(&field("timestamp"))?);
        event.source = Some(field("source").into());
        event.host = Some(field("host").into());
        event.severity = match field("level").as_str() {
            "TRACE" => Severity::Trace,
            "DEBUG" => Severity::Debug,
            "WARN" => Severity::Warn,
            "ERROR" => Severity::Error,
            "FATAL" => Severity::Fatal,
            _ => Severity::Info,
        };
        events.push(event);
    }
    Ok(events)
}

/// Time in `analyze` alone, and anomalies found.
fn analyze(service: &Service, events: &[Event<'static>], later: i128) -> (Duration, usize) {
    let id = EventId { journal: JournalId(1), position: Position::default() };
    let (mut took, mut anomalies) = (Duration::ZERO, 0);
    for chunk in events.chunks(BATCH) {
        let mut given: Vec<_> = chunk.iter().map(|event| (id, event.clone())).collect();
        for (_, event) in &mut given {
            event.timestamp =
                Timestamp::saturating_from_nanos(i128::from(event.timestamp.as_nanos()) + later);
        }
        let started = Instant::now();
        let batch = service.analyze(given, Position::default());
        took += started.elapsed();
        anomalies += batch.events.iter().filter(|analyzed| analyzed.verdict.is_anomaly).count();
    }
    (took, anomalies)
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("name a file of events")?;
    let rounds: usize = std::env::args().nth(2).map_or(Ok(5), |rounds| rounds.parse())?;
    let events = events_of(&path)?;
    let dir = tempfile::tempdir()?;
    let mut miner = Miner::new(template::Config::default());
    let mut variables = Vec::new();
    // Trainings are on threads of their own, as they are where events come live.
    let config = |name: &str| Config { waits_for_training: false, ..Config::new(dir.path().join(name)) };
    let bare = Service::open(Config { events_min: usize::MAX, ..config("bare") })?;
    let service = Service::open(config("models"))?;
    let [mut mining, mut featuring, mut scoring] = [Duration::MAX; 3];
    let mut anomalies = 0;
    // The first round of each warms up: templates, history, models, scores of rows.
    let span = match (events.first(), events.last()) {
        (Some(first), Some(last)) => i128::from(last.timestamp.as_nanos() - first.timestamp.as_nanos()),
        _ => return Err("the file holds no event".into()),
    };
    for round in 0..=rounds {
        // Each round comes after the one before: time goes on.
        let later = round as i128 * (span + 432_000_000);
        let started = Instant::now();
        for event in &events {
            variables.clear();
            black_box(miner.mine(&event.message, &mut variables));
        }
        let mined = started.elapsed();
        let (featured, _) = analyze(&bare, &events, later);
        let (scored, found) = analyze(&service, &events, later);
        if round == 0 {
            let first = scored.as_secs_f64() * 1e6 / events.len() as f64;
            println!("first pass, templates, history and trainings included: {first:.2} µs an event");
            continue;
        }
        (mining, featuring, scoring) = (mining.min(mined), featuring.min(featured), scoring.min(scored));
        anomalies = found;
    }
    let each = |took: Duration| took.as_secs_f64() * 1e6 / events.len() as f64;
    println!(
        "µs an event: miner {:.3} | features and batch {:.3} | score {:.3} | all {:.3}; {anomalies} flagged of {}",
        each(mining),
        each(featuring.saturating_sub(mining)),
        each(scoring.saturating_sub(featuring)),
        each(scoring),
        events.len()
    );
    Ok(())
}
