//! `store`: what the whole service costs, how much disk it takes, and how fast it answers.

mod questions;

use std::{
    io,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rustix::thread::{CpuSet, sched_setaffinity};
use serde_json::{Value as Json, json};
use testkit::{Server, corpus, load, process};

use crate::lines;
use questions::Questions;

/// How many events are read back and compared.
const READ_BACK: usize = 1000;
/// After the last line: the time the service has to put everything in its final place.
const SETTLE: Duration = Duration::from_secs(30);
/// Each query is asked so often; the median counts.
const ROUNDS: usize = 21;

#[derive(Args)]
pub(crate) struct Arguments {
    /// NDJSON as `corpus` makes it; without it 2 million lines are made.
    #[arg(long)]
    corpus: Option<PathBuf>,
    /// Lines to make when there is no corpus.
    #[arg(long, default_value_t = 2_000_000)]
    lines: u64,
    /// Where *_2k.log[.gz] files are, to make them from; without it, the samples that the repository carries.
    #[arg(long)]
    samples: Option<PathBuf>,
    /// The program to measure; without it, the one beside this one.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Keep the data folder here instead of deleting it.
    #[arg(long)]
    data: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let corpus = match &arguments.corpus {
        Some(corpus) => corpus.clone(),
        None => make(arguments, scratch.path())?,
    };
    eprintln!("looking at {}", corpus.display());
    let sample = sample(&corpus)?;
    let questions = Questions::choose(&corpus, &sample)?;
    let data = arguments.data.clone().unwrap_or_else(|| scratch.path().join("data"));
    std::fs::create_dir_all(&data)?;
    let server = start(arguments, &data)?;
    let started = process::usage(server.pid())?;

    eprintln!("sending");
    let outcome = load::run(&load::Load {
        url: server.url.clone(),
        file: corpus,
        batch_bytes: 1 << 20,
        connections: 2,
        one_per_request: false,
        duration: None,
    })?;
    ensure!(outcome.refused == 0, "{} lines were refused", outcome.refused);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let begun = Instant::now();
    while runtime.block_on(server.count("*"))? < outcome.acknowledged {
        ensure!(begun.elapsed() < Duration::from_secs(300), "acknowledged lines are missing in the store");
    }
    let searchable = outcome.elapsed + begun.elapsed();

    eprintln!("settling");
    thread::sleep(SETTLE);
    let settled = process::usage(server.pid())?;
    let bytes = process::bytes_below(&data)?;
    let cpu = (settled.cpu - started.cpu).as_secs_f64();
    let lines = outcome.acknowledged;

    eprintln!("reading {} events back", sample.len());
    runtime.block_on(read_back(&server, &sample))?;
    eprintln!("asking");
    let queries = runtime.block_on(questions.ask(&server, ROUNDS))?;
    println!(
        "{}",
        json!({
            "peer": "ours",
            "lines": lines,
            "lines_per_cpu_s": (lines as f64 / cpu).round(),
            "bytes_per_line": (bytes as f64 / lines as f64 * 100.0).round() / 100.0,
            "rss_mb": settled.resident_bytes >> 20,
            "peak_mb": process::usage(server.pid())?.peak_bytes >> 20,
            "lines_per_s_searchable": (lines as f64 / searchable.as_secs_f64()).round(),
            "queries_ms": queries,
        })
    );
    Ok(())
}

fn make(arguments: &Arguments, dir: &Path) -> Result<PathBuf> {
    eprintln!("making {} lines", arguments.lines);
    let samples = match &arguments.samples {
        Some(dir) => corpus::samples(dir)?,
        None => corpus::built_in()?,
    };
    let path = dir.join("corpus.ndjson");
    corpus::write(&samples, arguments.lines, 1, &mut io::BufWriter::new(std::fs::File::create(&path)?))?;
    Ok(path)
}

/// Starts the service on the first core and keeps to the others, where there are others.
fn start(arguments: &Arguments, data: &Path) -> Result<Server> {
    let binary = match &arguments.binary {
        Some(binary) => binary.clone(),
        None => std::env::current_exe()?.with_file_name("log-sentinel"),
    };
    let cores = thread::available_parallelism()?.get();
    let pin = |range: std::ops::Range<usize>| {
        let mut set = CpuSet::new();
        range.for_each(|core| set.set(core));
        sched_setaffinity(None, &set)
    };
    if cores > 1 {
        pin(0..1)?;
    }
    let server = Server::start_with(Command::new(&binary), data, &[("LOG_SENTINEL_LOG_LEVEL", "warn")])
        .with_context(|| format!("cannot start {}; build it with cargo build --release", binary.display()))?;
    if cores > 1 {
        pin(1..cores)?;
    }
    Ok(server)
}

/// Lines chosen evenly at random (Vitter 1985, algorithm R).
fn sample(corpus: &Path) -> Result<Vec<Json>> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
    let (mut chosen, mut number) = (Vec::with_capacity(READ_BACK), 0usize);
    lines::each(corpus, |line| {
        let place = if number < READ_BACK { number } else { random.random_range(0..=number) };
        if place < READ_BACK {
            let event: Json = serde_json::from_str(line)?;
            if place == chosen.len() { chosen.push(event) } else { chosen[place] = event }
        }
        number += 1;
        Ok(())
    })?;
    ensure!(!chosen.is_empty(), "{} has no line", corpus.display());
    Ok(chosen)
}

/// Finds each sampled event by its host and time and compares everything.
async fn read_back(server: &Server, sample: &[Json]) -> Result<()> {
    for event in sample {
        let field =
            |name: &str| event[name].as_str().with_context(|| format!("the corpus has no {name}: {event}"));
        let (time, message) = (field("timestamp")?, field("message")?);
        let query = format!(
            "host:\"{}\" source:\"{}\" @timestamp:[{time} TO {time}]",
            field("host")?,
            field("source")?
        );
        let answer = server.get("/api/v1/search", &[("q", &query), ("limit", "1000")]).await?;
        let hits = answer["hits"].as_array().map(Vec::as_slice).unwrap_or_default();
        let hit = hits.iter().find(|hit| hit["message"] == message);
        let hit = hit.with_context(|| format!("an event was not found again: {event}"))?;
        let level = field("level")?.to_ascii_lowercase();
        for (pointer, expected) in [
            ("/log/level", level.as_str()),
            ("/service/name", field("source")?),
            ("/host/name", field("host")?),
        ] {
            let found = hit.pointer(pointer).and_then(Json::as_str);
            ensure!(found == Some(expected), "{pointer} is {found:?} instead of {expected}: {hit}");
        }
        ensure!(
            hit["@timestamp"].as_str().is_some_and(|found| same_time(found, time)),
            "another time: {hit}"
        );
        ensure!(hit.pointer("/sentinel/template/id").is_some_and(Json::is_string), "no template: {hit}");
        let score = hit.pointer("/sentinel/anomaly/score").and_then(Json::as_f64);
        ensure!(score.is_some_and(|score| (0.0..=1.0).contains(&score)), "no score: {hit}");
    }
    Ok(())
}

/// Whether two RFC 3339 texts differ in nothing but trailing zeros of the second.
fn same_time(a: &str, b: &str) -> bool {
    let plain = |text: &str| {
        let text = text.trim_end_matches('Z');
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    plain(a) == plain(b)
}
