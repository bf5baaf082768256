//! Rows and events per second on one core: `cargo run --release -p anomaly --example throughput [FILE.gz]`.
//! With a file of log lines it also prints what it flags.

use std::{
    error::Error,
    io::{BufRead, BufReader},
    time::Instant,
};

use anomaly::{Config, Service};
use event::{Event, EventId, JournalId, Position, Severity, Timestamp};
use forest::{Forest, Params, Splits};
use linfa::{DatasetBase, traits::Fit};
use ndarray::Array2;

fn forests() -> Result<(), Box<dyn Error>> {
    const ROWS: usize = 100_000;
    let mut state = 1u64;
    let data = Array2::from_shape_fn((ROWS, 16), |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / 16_777_216.0
    });
    let dataset = DatasetBase::from(data.clone());
    for splits in [Splits::Axis, Splits::TwoColumns] {
        let started = Instant::now();
        let forest = Params::new(1)
            .splits(splits)
            .fit(&DatasetBase::from(data.select(ndarray::Axis(0), &(0..8192).collect::<Vec<_>>())))?;
        let fit = started.elapsed();
        let mut values: Vec<f32> = dataset.records.iter().copied().collect();
        let mut fastest = f64::MAX;
        for _ in 0..10 {
            let started = Instant::now();
            let scores = forest.score_rows(&mut values);
            fastest = fastest.min(started.elapsed().as_secs_f64());
            assert_eq!(scores.len(), ROWS);
        }
        let (mut one, mut total) = (f64::MAX, 0.0);
        for _ in 0..10 {
            let started = Instant::now();
            total += values.chunks_exact(16).take(20_000).map(|row| forest.score_row(row)).sum::<f32>();
            one = one.min(started.elapsed().as_secs_f64() / 20_000.0);
        }
        let bytes = forest.to_bytes();
        let started = Instant::now();
        let loaded = Forest::from_bytes(&bytes)?;
        let load = started.elapsed();
        assert!(total > 0.0 && loaded == forest);
        println!(
            "{splits:?}: fit {fit:.1?}, {:.2} M rows/s, one row {:.2} µs, {} bytes, load {load:.1?}",
            ROWS as f64 / fastest / 1e6,
            one * 1e6,
            bytes.len()
        );
    }
    Ok(())
}

/// The time, program and message of a line of auth.log or an access log; anything else has none.
fn event_of(line: &str, last: Timestamp) -> Event<'_> {
    if let Some((head, rest)) = line.split_once(" - - [")
        && let Some((stamp, rest)) = rest.split_once("] ")
        && let (Some(day), Some(clock)) = (stamp.get(..2), stamp.get(12..20))
        && let Ok(timestamp) = Timestamp::parse(&format!("2015-05-{day}T{clock}Z"))
    {
        let mut event = Event::new(format!("{head} {rest}"), timestamp);
        event.source = Some("apache".into());
        return event;
    }
    let month = match line.get(..3) {
        Some("Mar") => 3,
        Some("Apr") => 4,
        _ => 5,
    };
    let (Some(day), Some(clock), Some(rest)) = (line.get(4..6), line.get(7..15), line.get(16..)) else {
        return Event::new(line, last);
    };
    let day = day.trim().parse::<u8>().unwrap_or(1);
    let timestamp = Timestamp::parse(&format!("2017-{month:02}-{day:02}T{clock}Z")).unwrap_or(last);
    let mut words = rest.splitn(2, ' ');
    let host = words.next();
    let rest = words.next().unwrap_or_default();
    let (program, message) = rest.split_once(": ").unwrap_or(("", rest));
    let mut event = Event::new(message, timestamp);
    event.severity = match message.split(':').next() {
        Some("fatal") => Severity::Fatal,
        Some("error") => Severity::Error,
        _ => Severity::Info,
    };
    event.source = Some(program.split('[').next().unwrap_or(program).into());
    event.host = host.map(Into::into);
    event
}

fn replay(path: &str) -> Result<(), Box<dyn Error>> {
    let mut lines = Vec::new();
    for line in BufReader::new(flate2::read::MultiGzDecoder::new(std::fs::File::open(path)?)).lines() {
        lines.push(line?);
    }
    let mut last = Timestamp::MIN;
    let mut events = Vec::new();
    for line in &lines {
        let event = event_of(line, last);
        last = event.timestamp;
        events.push(event);
    }
    let dir = tempfile::tempdir()?;
    let service = Service::open(Config::new(dir.path()))?;
    let mut place = Position::default();
    let mut flagged = Vec::new();
    let mut told = (String::new(), false);
    let started = Instant::now();
    for chunk in events.chunks(1024) {
        let mut batch = Vec::new();
        for event in chunk {
            batch.push((EventId { journal: JournalId(0), position: place }, event.clone()));
            place = place.next();
        }
        flagged.extend(service.analyze(batch, place).events.into_iter().filter(|a| a.verdict.is_anomaly));
        let model = service.model();
        let drift = model.drift.filter(|drift| drift.drifting);
        let now = (model.version.clone(), drift.is_some());
        if told != now {
            let moved = drift.map(|drift| drift.moved.join("; ")).unwrap_or_default();
            println!("at {} model {} {:?} {moved}", place.record, model.version, model.origin);
            told = now;
        }
    }
    for model in service.models() {
        println!("{} {} {:?} {}", model.version, model.standing.as_str(), model.origin, model.why);
    }
    let took = started.elapsed();
    for analyzed in &flagged {
        println!("{:.3} {}", analyzed.verdict.score, analyzed.event.message);
        println!("      {}", analyzed.verdict.reasons.join("; "));
    }
    println!(
        "{} of {} flagged; {:.2} µs an event, miner and training included; snapshot {} bytes; {:?}",
        flagged.len(),
        lines.len(),
        took.as_secs_f64() * 1e6 / lines.len() as f64,
        service.snapshot().len(),
        service.stats()
    );
    // Again, with the model that came out: the steady state.
    let again = Instant::now();
    let mut anomalies = 0;
    for chunk in events.chunks(4096) {
        let batch =
            chunk.iter().map(|e| (EventId { journal: JournalId(0), position: place }, e.clone())).collect();
        anomalies += service.analyze(batch, place).events.iter().filter(|a| a.verdict.is_anomaly).count();
    }
    println!(
        "second pass: {anomalies} flagged, {:.2} µs an event",
        again.elapsed().as_secs_f64() * 1e6 / lines.len() as f64
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    forests()?;
    for path in std::env::args().skip(1) {
        replay(&path)?;
    }
    Ok(())
}
