//! What questions cost about events that wait for an index: about so many EVENTS, asked so many QUESTIONS, of what was
//! decoded no more than KEPT bytes kept. Instructions are told by the difference between two numbers of questions:
//! `valgrind --tool=callgrind target/release/examples/waiting EVENTS QUESTIONS KEPT`.

use std::{sync::Arc, time::Duration, time::Instant};

use event::{Event, Severity, Timestamp, codec};
use index::{HistogramRequest, Interval, Limits, SearchRequest, Selection, scan::ScanIndex};
use journal::Journal;
use query::Query;
use search::{Config, Searcher};
use verdicts::Verdicts;

type Failure = Box<dyn std::error::Error>;

const MINUTE: i64 = 60_000_000_000;

fn event(number: u64) -> Event<'static> {
    let at = Timestamp::saturating_from_nanos(1_714_521_600_000_000_000 + i128::from(number) * 1_000_000);
    let line =
        format!("Failed password for user{} from 10.0.{}.7 port {number} ssh2", number % 300, number % 250);
    let mut event = Event::new(line, at);
    event.severity = if number.is_multiple_of(5) { Severity::Error } else { Severity::Info };
    event.source = Some(format!("app-{}", number % 8).into());
    event.host = Some(format!("host-{}", number % 200).into());
    event.add("process.pid", number as i64);
    event.add("log.logger", "sshd");
    event
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let events = arguments.next().transpose()?.unwrap_or(200_000);
    let questions = arguments.next().transpose()?.unwrap_or(10);
    let kept_bytes_max =
        arguments.next().transpose()?.map_or(Config::default().kept_bytes_max, |bytes| bytes as usize);
    let folder = tempfile::tempdir()?;
    let journal = Journal::open(journal::Config::new(folder.path()))?;
    let dir = folder.path().join("verdicts");
    let verdicts =
        Verdicts::open(verdicts::Config { dir, budget_bytes: 64 << 20, held_bytes_max: 8 << 20 }, &journal)?;
    for start in (0..events).step_by(4_000) {
        let mut batch = journal::Batch::new();
        for number in start..events.min(start + 4_000) {
            batch.push_with(|out| codec::encode(&event(number), out));
        }
        journal.append_blocking(batch)?;
    }
    let (index, config) = (
        Arc::new(ScanIndex::new()),
        Config { catch_up: Duration::ZERO, kept_bytes_max, ..Config::default() },
    );
    let (_written, receiver) = tokio::sync::watch::channel(Default::default());
    let searcher = Searcher::new(index, journal, verdicts, receiver, config);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let selection = |text: &str| {
        let query = Query::parse(text, Timestamp::MAX).map_err(|error| error.to_string());
        query.map(|query| Selection { query, from: None, to: None })
    };
    for number in 0..questions {
        let asked = Instant::now();
        let found = if number.is_multiple_of(2) {
            let interval = Interval::Fixed(MINUTE);
            let (selection, by) = (selection("*")?, Some("log.level".to_owned()));
            let request = HistogramRequest { selection, interval, by, by_limit: 10, buckets_max: 1_000 };
            runtime.block_on(searcher.histogram(request, &Limits::none()))?.result.buckets.len() as u64
        } else {
            let request = SearchRequest::new(selection("level:error AND user10")?, 20);
            runtime.block_on(searcher.search(request, &Limits::none()))?.result.total
        };
        println!("question {number}: {found} in {:?}", asked.elapsed());
    }
    Ok(())
}
