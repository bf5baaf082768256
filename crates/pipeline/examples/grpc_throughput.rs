//! Events a second through a separate anomaly service, client and service each on threads of their own in one
//! process, over loopback. `cargo run --release -p pipeline --example grpc_throughput [events [corpus.ndjson]]`
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, not a part of the program")]

use std::{
    fs::File,
    io::{BufRead, BufReader},
    sync::Arc,
    time::Instant,
};

use event::{Event, EventId, JournalId, Position, Timestamp};
use pipeline::remote::{Config, Remote};
use telemetry::task::{self, Stop};

/// Events that the pipeline takes at once: about 4 MiB of its journal.
const CHUNK: usize = 16_384;

fn corpus(count: u64) -> Vec<(EventId, Event<'static>)> {
    let mut text = Vec::new();
    match std::env::args().nth(2) {
        Some(file) => {
            let lines = BufReader::new(File::open(file).unwrap()).lines().take(count as usize);
            lines.for_each(|line| text.extend_from_slice((line.unwrap() + "\n").as_bytes()));
        }
        None => testkit::corpus::write(&testkit::corpus::built_in().unwrap(), count, 1, &mut text).unwrap(),
    }
    let zone = jiff::tz::TimeZone::UTC;
    let received = Timestamp::parse("2026-01-02T00:00:00Z").unwrap();
    let context = parse::Context::new(received, &zone, 1 << 20);
    let mut events = Vec::with_capacity(count as usize);
    parse::body(parse::Format::Ndjson, &text, &context, |event| {
        let position = Position { segment: 0, record: events.len() as u32 };
        events.push((EventId { journal: JournalId(1), position }, event.unwrap().into_owned()));
    });
    events
}

fn service(name: &str, dir: &std::path::Path) -> Arc<anomaly::Service> {
    Arc::new(anomaly::Service::open(anomaly::Config::new(dir.join(name))).unwrap())
}

/// Processor time of this process so far, seconds.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / 100.0
}

fn report(what: &str, count: usize, started: Instant, cpu_before: f64) {
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), cpu() - cpu_before);
    println!(
        "{what}: {:.0} events/s, {:.2} µs of processor an event",
        count as f64 / seconds,
        cpu * 1e6 / count as f64
    );
}

fn main() {
    let count = std::env::args().nth(1).map_or(1_000_000, |count| count.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let events = corpus(count);
    println!("{} events", events.len());

    let local = service("local", dir.path());
    let copy = events.clone();
    let (started, before) = (Instant::now(), cpu());
    let mut copy = copy.into_iter();
    loop {
        let chunk: Vec<_> = copy.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            break;
        }
        local.analyze(chunk, Position::default());
    }
    report("in the process", events.len(), started, before);

    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (servers, clients) = (runtime(), runtime());
    let access = api::Access::new(&api::AccessConfig::default());
    let grpc = api::AnomalyGrpc::new(
        service("remote", dir.path()),
        access,
        api::Trainings::default(),
        api::GrpcConfig::default(),
    );
    let addr = servers.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        drop(task::spawn("grpc", async move { grpc.serve(listener, Stop::new()).await }));
        addr
    });
    let remote = Remote::new(Config::new(format!("http://{addr}"))).unwrap();
    let (started, before) = (Instant::now(), cpu());
    clients.block_on(async {
        for chunk in events.chunks(CHUNK) {
            assert_eq!(remote.score(chunk).await.unwrap().len(), chunk.len());
        }
    });
    report("over gRPC", events.len(), started, before);
}
