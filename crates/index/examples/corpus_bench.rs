//! Fills an embedded index with a corpus in NDJSON and asks it seven questions.
//!
//! `cargo run --release -p index --example corpus_bench -- CORPUS [TOKEN] [PHRASE]`

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    time::Instant,
};

use event::{Analyzed, Batch, Event, EventId, JournalId, Position, Severity, Timestamp, Verdict};
use index::{
    FieldValuesRequest, HistogramRequest, Index, Interval, Limits, SearchRequest, Selection,
    embedded::{Config, Embedded},
};
use query::Query;
use serde_json::Value as Json;

type Failure = Box<dyn std::error::Error>;

const BATCH_LINES: usize = 2000;
/// Lines of a commit.
const COMMIT_LINES: u32 = 250_000;
const ROUNDS: usize = 21;

fn memory_mib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}

fn fill(index: &Embedded, corpus: &Path, runtime: &tokio::runtime::Runtime) -> Result<(u32, f64), Failure> {
    let mut miner = template::Miner::new(template::Config::default());
    let mut lines = BufReader::new(File::open(corpus)?).lines();
    let (mut record, mut committed, mut write_s) = (0u32, 0u32, 0.0);
    loop {
        let mut batch = Batch::default();
        for line in lines.by_ref().take(BATCH_LINES) {
            let line: Json = serde_json::from_str(&line?)?;
            let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            let timestamp = Timestamp::parse(&text("timestamp"))?;
            let mut event = Event::new(text("message"), timestamp);
            event.observed_timestamp = timestamp.saturating_add(i64::from(record / 4000) * 1_000_003);
            event.severity = Severity::from_name(&text("level")).unwrap_or(Severity::Info);
            event.source = Some(text("source").into());
            event.host = Some(text("host").into());
            let from = batch.variables.len() as u32;
            let mined = miner.mine(&event.message, &mut batch.variables);
            let score = f32::from((mined.shape % 100) as u16) / 1000.0;
            batch.events.push(Analyzed {
                id: EventId { journal: JournalId(1), position: Position { segment: 1, record } },
                event,
                shape: mined.shape,
                variables: from..batch.variables.len() as u32,
                template: Some(mined.template),
                verdict: Verdict { score, ..Verdict::unscored() },
            });
            record += 1;
        }
        batch.end = Position { segment: 1, record };
        let start = Instant::now();
        runtime.block_on(index.write(&batch))?;
        let end = batch.events.is_empty();
        if end || record - committed >= COMMIT_LINES {
            runtime.block_on(index.commit())?;
            committed = record;
        }
        write_s += start.elapsed().as_secs_f64();
        if end {
            return Ok((record, write_s));
        }
    }
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let corpus = arguments.next().ok_or("the corpus is missing")?;
    let token = arguments.next().unwrap_or_else(|| "10958".to_owned());
    let phrase = format!("\"{}\"", arguments.next().unwrap_or_else(|| "bye bye".to_owned()));
    let dir = std::env::temp_dir().join("corpus_bench");
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    if std::env::var_os("KEEP").is_none() || !dir.exists() {
        if dir.exists() {
            std::fs::remove_dir_all(&dir)?;
        }
        let index = Embedded::open(Config::new(&dir))?;
        let (lines, write_s) = fill(&index, Path::new(&corpus), &runtime)?;
        let stats = index.stats();
        let rate = f64::from(lines) / write_s;
        println!("{lines} lines, {rate:.0} lines/s, {:.2} B a line", stats.bytes as f64 / f64::from(lines));
        for (name, bytes) in index.bytes_by_section() {
            println!("  {name} {:.2}", bytes as f64 / f64::from(lines));
        }
        println!("after writing: {} MiB, peak {} MiB", memory_mib("VmRSS"), memory_mib("VmHWM"));
    }
    let index = Embedded::open(Config::new(&dir))?;
    println!("{} segments", index.stats().segments);
    ask(&index, &runtime, &token, &phrase)?;
    println!("memory: {} MiB, peak {} MiB", memory_mib("VmRSS"), memory_mib("VmHWM"));
    Ok(())
}

fn ask(
    index: &Embedded,
    runtime: &tokio::runtime::Runtime,
    token: &str,
    phrase: &str,
) -> Result<(), Failure> {
    let selection = |query: &str| -> Result<Selection, Failure> {
        Ok(Selection { query: Query::parse(query, Timestamp::MAX)?, ..Selection::all() })
    };
    let only = std::env::var_os("ONLY");
    let timed = |name: &str, ask: &dyn Fn() -> Result<u64, Failure>| -> Result<(), Failure> {
        if only.as_ref().is_some_and(|only| only != name) {
            return Ok(());
        }
        let mut times = Vec::new();
        let mut answer = 0;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            answer = ask()?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        let first = times[0];
        times.sort_by(f64::total_cmp);
        println!("  {name:20} {:9.3} ms, first {first:9.3} ms, answer {answer}", times[ROUNDS / 2]);
        Ok(())
    };
    let search = |query: &str, limit: usize| -> Result<u64, Failure> {
        let request = SearchRequest::new(selection(query)?, limit);
        Ok(runtime.block_on(index.search(request, &Limits::none()))?.total)
    };
    let values = |query: &str, field: &str| -> Result<u64, Failure> {
        let request = FieldValuesRequest { selection: selection(query)?, field: field.to_owned(), limit: 10 };
        Ok(runtime.block_on(index.field_values(request, &Limits::none()))?.total)
    };
    timed("count_by_level", &|| values("", "log.level"))?;
    timed("rare_token", &|| search(token, 100))?;
    timed("phrase_count", &|| search(phrase, 0))?;
    timed("phrase_last", &|| search(phrase, 100))?;
    timed("top_sources_errors", &|| values("level:error", "service.name"))?;
    timed("histogram_hour", &|| {
        let request = HistogramRequest {
            selection: selection("")?,
            interval: Interval::Fixed(3_600_000_000_000),
            by: None,
            by_limit: 0,
            buckets_max: 1000,
        };
        let buckets = runtime.block_on(index.histogram(request, &Limits::none()))?.buckets;
        Ok(buckets.iter().map(|bucket| bucket.count).sum())
    })?;
    timed("last_of_host", &|| search("host:host-064", 100))?;
    timed("absent_token", &|| search("zzz99999999", 100))?;
    timed("short_number", &|| search("6756", 100))
}
