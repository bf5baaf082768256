//! Fills an embedded index with made-up events and measures it.
//!
//! `cargo run --release -p index --example store_bench -- [LINES] [DIR]`

use std::{sync::Arc, time::Instant};

use event::{
    Analyzed, Batch, Event, EventId, JournalId, Position, Severity, Template, Timestamp, Variable,
    VariableKind, Verdict, VerdictState,
};
use index::{
    FieldValuesRequest, HistogramRequest, Index, Interval, Limits, SearchRequest, Selection,
    embedded::{Config, Embedded},
};
use query::Query;

const WORDS: &[&str] = &[
    "connection",
    "request",
    "user",
    "session",
    "block",
    "replica",
    "timeout",
    "accepted",
    "received",
    "opened",
    "closed",
    "failed",
    "worker",
    "child",
    "init",
    "state",
    "cache",
    "volume",
    "instance",
    "network",
    "packet",
    "authentication",
    "kernel",
    "device",
    "service",
    "terminating",
    "starting",
    "served",
    "deleting",
    "node",
];
const SOURCES: usize = 16;
const SHAPES: usize = 1400;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

struct Statement {
    source: usize,
    words: Vec<&'static str>,
    kinds: Vec<VariableKind>,
    severity: Severity,
    template: Arc<Template>,
}

fn statements(random: &mut Random) -> Vec<Statement> {
    (0..SHAPES)
        .map(|number| {
            let words: Vec<_> = (0..4 + random.below(6)).map(|_| WORDS[random.below(30) as usize]).collect();
            let words =
                if number % 40 == 7 { [&["disk", "quota"], words.as_slice()].concat() } else { words };
            let kinds = (0..1 + random.below(3))
                .map(|_| match random.below(16) {
                    0..7 => VariableKind::Integer,
                    7..10 => VariableKind::Ip,
                    10 => VariableKind::Uuid,
                    11 => VariableKind::Hex,
                    12 => VariableKind::Time,
                    13 => VariableKind::Path,
                    _ => VariableKind::Text,
                })
                .collect();
            let severity = match random.below(20) {
                0 => Severity::Error,
                1 | 2 => Severity::Warn,
                3 | 4 => Severity::Debug,
                _ => Severity::Info,
            };
            let source = random.below(SOURCES as u64) as usize;
            let template = Arc::new(Template::new(format!("{} <{number}>", words.join(" "))));
            Statement { source, words, kinds, severity, template }
        })
        .collect()
}

fn put_variable(kind: VariableKind, random: &mut Random, ids: &[String], out: &mut String) {
    use std::fmt::Write as _;
    let result = match kind {
        VariableKind::Integer => match random.below(3) {
            0 => write!(out, "{}", random.below(100)),
            1 => write!(out, "{}", random.below(65_536)),
            _ => write!(out, "{}", random.below(1 << 31)),
        },
        VariableKind::Ip => write!(out, "10.{}.{}.{}", random.below(4), random.below(256), random.below(256)),
        VariableKind::Uuid => write!(out, "{}", ids[random.below(ids.len() as u64) as usize]),
        VariableKind::Hex => write!(out, "0x{:x}", random.below(1 << 32)),
        VariableKind::Time => {
            write!(out, "{:02}:{:02}:{:02}", random.below(24), random.below(60), random.below(60))
        }
        VariableKind::Path => write!(out, "/srv/data/part-{:05}", random.below(5000)),
        _ => write!(out, "user{}", random.below(200)),
    };
    debug_assert!(result.is_ok());
}

fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: u64 = after.split(' ').skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

fn memory_mib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let lines: u64 = arguments.next().map_or(Ok(2_000_000), |lines| lines.parse())?;
    let dir = arguments.next().map_or_else(|| std::env::temp_dir().join("store_bench"), Into::into);
    if dir.exists() {
        std::fs::remove_dir_all(&dir)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let index = Embedded::open(Config::new(&dir))?;
    let mut random = Random(42);
    let statements = statements(&mut random);
    let ids: Vec<String> = (0..20_000)
        .map(|_| {
            let (a, b) = (random.next(), random.next());
            format!(
                "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
                a as u32,
                b as u16,
                a >> 40 & 0xfff,
                b >> 40 & 0xfff,
                b & 0xffff_ffff_ffff
            )
        })
        .collect();
    let start = Timestamp::parse("2024-06-01T00:00:00Z")?.as_nanos();
    let (mut write_s, mut wall_s) = (0.0, 0.0);
    let batch_len = 2000;
    let mut messages: Vec<(String, Vec<Variable>, usize)> = Vec::with_capacity(batch_len);
    let mut done = 0u64;
    while done < lines {
        messages.clear();
        for _ in 0..batch_len.min((lines - done) as usize) {
            // A few statements make most of the lines.
            let pick = random.below(1 << 20) as f64 / f64::from(1 << 20);
            let number = (pick * pick * pick * SHAPES as f64) as usize;
            let statement = &statements[number];
            let (mut text, mut variables) = (String::new(), Vec::new());
            for (at, word) in statement.words.iter().enumerate() {
                if at > 0 {
                    text.push(' ');
                }
                text.push_str(word);
                if let Some(kind) = statement.kinds.get(at) {
                    text.push('=');
                    let from = text.len() as u32;
                    put_variable(*kind, &mut random, &ids, &mut text);
                    variables.push(Variable { kind: *kind, start: from, end: text.len() as u32 });
                }
            }
            messages.push((text, variables, number));
        }
        let mut batch = Batch::default();
        for (text, variables, number) in &messages {
            let statement = &statements[*number];
            let millis = done * 86_400_000 / lines;
            let timestamp = Timestamp::from_nanos(start + millis as i64 * 1_000_000).unwrap_or_default();
            let mut event = Event::new(text.as_str(), timestamp);
            event.observed_timestamp = timestamp.saturating_add(((done / 500) % 7 * 1_000_003) as i64);
            event.severity = statement.severity;
            event.source = Some(
                ["sshd", "nginx", "hdfs", "spark", "kernel", "nova", "zookeeper", "hadoop"]
                    [statement.source % 8]
                    .into(),
            );
            event.host = Some(format!("web-{:03}", (done / 16) % 200).into());
            let from = batch.variables.len() as u32;
            batch.variables.extend_from_slice(variables);
            batch.events.push(Analyzed {
                id: EventId {
                    journal: JournalId(7),
                    position: Position { segment: (done >> 20) as u32, record: done as u32 & 0xf_ffff },
                },
                event,
                shape: *number as u64,
                variables: from..batch.variables.len() as u32,
                template: Some(Arc::clone(&statement.template)),
                verdict: Verdict {
                    score: (20 + *number as u64 % 30 + random.below(8)) as f32 / 1000.0,
                    is_anomaly: false,
                    state: VerdictState::Scored,
                    reasons: Vec::new(),
                },
            });
            done += 1;
        }
        batch.end = Position { segment: (done >> 20) as u32, record: done as u32 & 0xf_ffff };
        let (wall, cpu) = (Instant::now(), cpu_s());
        runtime.block_on(index.write(&batch))?;
        wall_s += wall.elapsed().as_secs_f64();
        write_s += cpu_s() - cpu;
    }
    let (wall, cpu) = (Instant::now(), cpu_s());
    runtime.block_on(index.commit())?;
    let commit_s = wall.elapsed().as_secs_f64();
    let stats = index.stats();
    println!(
        "write {wall_s:.2} s wall ({write_s:.2} cpu), commit {commit_s:.2} s wall ({:.2} cpu)",
        cpu_s() - cpu
    );
    println!(
        "{:.0} lines/s, {:.2} bytes a line, {} segments, peak {} MiB",
        lines as f64 / (wall_s + commit_s),
        stats.bytes as f64 / lines as f64,
        stats.segments,
        memory_mib("VmHWM")
    );
    for (name, bytes) in index.bytes_by_section() {
        println!("  {name:12} {:.2}", bytes as f64 / lines as f64);
    }
    drop(index);
    let opened = Instant::now();
    let index = Embedded::open(Config::new(&dir))?;
    println!("open {:.2} ms", opened.elapsed().as_secs_f64() * 1000.0);
    let sample = ids[77].split('-').next().unwrap_or_default();
    let now = Timestamp::MAX;
    let selection =
        |text: &str| Query::parse(text, now).map(|query| Selection { query, from: None, to: None });
    let search = |text: &str, limit| selection(text).map(|selection| SearchRequest::new(selection, limit));
    let values = |text: &str, field: &str| {
        selection(text).map(|selection| FieldValuesRequest { selection, field: field.to_owned(), limit: 10 })
    };
    for round in ["cold", "warm", "warm"] {
        println!("{round}:");
        let timed = |name: &str,
                     run: &mut dyn FnMut() -> Result<u64, Box<dyn std::error::Error>>|
         -> Result<(), Box<dyn std::error::Error>> {
            let start = Instant::now();
            let found = run()?;
            println!("  {name:18} {:9.3} ms, {found}", start.elapsed().as_secs_f64() * 1000.0);
            Ok(())
        };
        timed("count_by_level", &mut || {
            Ok(runtime.block_on(index.field_values(values("", "log.level")?, &Limits::none()))?.total)
        })?;
        timed("rare_token", &mut || {
            Ok(runtime.block_on(index.search(search(sample, 100)?, &Limits::none()))?.total)
        })?;
        timed("phrase_count", &mut || {
            Ok(runtime.block_on(index.search(search("\"disk quota\"", 0)?, &Limits::none()))?.total)
        })?;
        timed("phrase_last", &mut || {
            Ok(runtime.block_on(index.search(search("\"disk quota\"", 100)?, &Limits::none()))?.hits.len()
                as u64)
        })?;
        timed("top_sources_errors", &mut || {
            Ok(runtime
                .block_on(index.field_values(values("level:error", "service.name")?, &Limits::none()))?
                .total)
        })?;
        timed("histogram_hour", &mut || {
            let request = HistogramRequest {
                selection: selection("")?,
                interval: Interval::Fixed(3_600_000_000_000),
                by: None,
                by_limit: 0,
                buckets_max: 100,
            };
            Ok(runtime.block_on(index.histogram(request, &Limits::none()))?.buckets.len() as u64)
        })?;
        timed("last_of_host", &mut || {
            Ok(runtime.block_on(index.search(search("host:web-042", 100)?, &Limits::none()))?.hits.len()
                as u64)
        })?;
        timed("absent_token", &mut || {
            Ok(runtime.block_on(index.search(search("zzz99999999", 100)?, &Limits::none()))?.total)
        })?;
        timed("short_number", &mut || {
            Ok(runtime.block_on(index.search(search("4242", 100)?, &Limits::none()))?.total)
        })?;
        timed("host_and_level", &mut || {
            Ok(runtime
                .block_on(index.search(search("host:web-042 level:error", 100)?, &Limits::none()))?
                .total)
        })?;
        println!("  memory now {} MiB", memory_mib("VmRSS"));
    }
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}
