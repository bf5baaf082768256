//! How long it takes to verify a record: `cargo run --release -p audit --example verify [RECORDS] [FOLDER]`. The folder
//! decides which disk is measured; what is made in it is removed again.

use std::{error::Error, fs, path::PathBuf, time::Instant};

use audit::{Action, Actor, ActorKind, Audit, Config, Record, Source, verify};
use event::Timestamp;

const BATCH: u64 = 4_000;

fn record(number: u64) -> Record {
    let time = Timestamp::saturating_from_nanos(1_700_000_000_000_000_000 + i128::from(number) * 1_000_003);
    let actor = Actor::new(ActorKind::Key, format!("k{}", number % 50)).at("192.0.2.7");
    Record::new(time, actor, Action::FeedbackGiven, format!("0123456789abcdef-0-{number}"))
        .with("label", "expected")
}

fn main() -> Result<(), Box<dyn Error>> {
    let records = std::env::args().nth(1).map_or(Ok(1_000_000), |records| records.parse::<u64>())?;
    let parent = std::env::args_os().nth(2).map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = tempfile::tempdir_in(parent)?;
    let (first, last) = (record(0).time(), record(records).time());
    let audit = Audit::open(Config::new(dir.path()), None, first)?;
    let started = Instant::now();
    for begin in (0..records).step_by(BATCH as usize) {
        let batch: Vec<_> = (begin..records.min(begin + BATCH)).map(record).collect();
        audit.record_all(&batch)?;
    }
    audit.close(last)?;
    let written = started.elapsed().as_secs_f64();
    let bytes: u64 =
        fs::read_dir(dir.path())?.map(|entry| Ok(entry?.metadata()?.len())).sum::<std::io::Result<_>>()?;
    println!("{records} records, {:.0} MB, written in {written:.1} s, {BATCH} at once", bytes as f64 / 1e6);
    for _ in 0..3 {
        let started = Instant::now();
        let report = verify(&Source::Folder(dir.path().into()), None, &[])?;
        let seconds = started.elapsed().as_secs_f64();
        if !report.is_sound() || report.records != records + 1 {
            return Err(format!("not as it was written: {:?}", report.findings).into());
        }
        println!("verified in {seconds:.2} s, {:.2} million records/s", records as f64 / seconds / 1e6);
    }
    Ok(())
}
