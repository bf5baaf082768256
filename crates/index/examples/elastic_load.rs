//! How fast events get into a cluster, beside a bare loop over bulks with the very same documents
//! and templates on the same server, in turn.
//!
//! `cargo run --release -p index --example elastic_load -- URL [EVENTS] [ROUNDS]`

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use event::{Analyzed, Batch, Event, EventId, JournalId, Position, Severity, Timestamp, Value, Verdict};
use index::{
    DeadLetter, DeadLetters, Index,
    elasticsearch::{Body, Cluster, Config, Elasticsearch, Method, Request, setup},
};
use serde_json::{Value as Json, json};
use telemetry::{health::Health, task};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// About what the pipeline reads at once.
const BATCH_EVENTS: u32 = 16_384;
/// What the bare loop sends, and how many of them at the same time.
const BARE_BYTES: usize = 5 << 20;
const BARE_CONNECTIONS: usize = 2;
const BARE: &str = "load-bare";
const WRITER: &str = "load-writer";

/// There are to be none.
struct NoLetters;

#[async_trait]
impl DeadLetters for NoLetters {
    async fn put(&self, letters: Vec<DeadLetter>) -> Result<(), Failure> {
        eprintln!("{} events were refused: {}", letters.len(), letters[0].reason);
        std::process::exit(1);
    }
}

/// Batches of events of a dozen shapes.
fn batches(journal: JournalId, events: u32) -> Vec<Batch<'static>> {
    let mut miner = template::Miner::new(template::Config::default());
    let mut batches = Vec::new();
    for from in (0..events).step_by(BATCH_EVENTS as usize) {
        let to = (from + BATCH_EVENTS).min(events);
        let mut batch = Batch { end: Position { segment: 1, record: to }, ..Batch::default() };
        for record in from..to {
            let noise = record.wrapping_mul(2_654_435_761);
            let message = match noise % 4 {
                0 => format!(
                    "Failed password for invalid user u{} from 10.{}.{}.7 port {} ssh2",
                    noise % 500,
                    noise % 200,
                    noise % 90,
                    noise % 60_000
                ),
                1 => format!(
                    "Received block blk_{noise}{record} of size {} from /10.250.{}.{}",
                    noise % 67_108_864,
                    noise % 20,
                    noise % 250
                ),
                2 => format!(
                    "GET /api/v1/items/{} HTTP/1.1 status: {} len: {} time: 0.{noise}",
                    noise % 10_000,
                    200 + noise % 5,
                    noise % 4000
                ),
                _ => format!(
                    "Took {} seconds to build instance {noise:08x}-{record:04x} on node {}",
                    noise % 30,
                    noise % 40
                ),
            };
            let nanos = 1_717_243_200_000_000_000 + i64::from(record) * 1_000_003;
            let timestamp = Timestamp::saturating_from_nanos(nanos.into());
            let mut event = Event::new(message, timestamp);
            event.severity = if noise.is_multiple_of(10) { Severity::Warn } else { Severity::Info };
            event.source = Some(["sshd", "datanode", "nova-api", "nova-compute"][noise as usize % 4].into());
            event.host = Some(format!("host-{:03}", noise % 200).into());
            event.set("process.pid", i64::from(noise % 30_000));
            event.set("labels.request_id", Value::from(format!("req-{noise:08x}")));
            let first = batch.variables.len() as u32;
            let mined = miner.mine(&event.message, &mut batch.variables);
            batch.events.push(Analyzed {
                id: EventId { journal, position: Position { segment: 1, record } },
                event,
                shape: mined.shape,
                variables: first..batch.variables.len() as u32,
                template: Some(mined.template),
                verdict: Verdict::unscored(),
            });
        }
        batches.push(batch);
    }
    batches
}

/// The bodies of the bare loop: the documents that the writer makes.
fn bodies(batches: &[Batch<'_>], with_tokens: bool) -> Vec<Bytes> {
    let (mut bodies, mut body) = (Vec::new(), Vec::new());
    for analyzed in batches.iter().flat_map(|batch| &batch.events) {
        let mut document = Json::Object(analyzed.document());
        document["sentinel"]["id"] = analyzed.id.to_string().into();
        document["sentinel"]["label_names"] = json!(["request_id"]);
        if with_tokens {
            let tokens: String = query::tokens(&analyzed.event.message).map(|token| token + " ").collect();
            document["sentinel.tokens"] = tokens.into();
        }
        body.extend_from_slice(json!({"create": {"_id": analyzed.id.to_string()}}).to_string().as_bytes());
        body.push(b'\n');
        body.extend_from_slice(document.to_string().as_bytes());
        body.push(b'\n');
        if body.len() >= BARE_BYTES {
            bodies.push(std::mem::take(&mut body).into());
        }
    }
    bodies.push(body.into());
    bodies.retain(|body: &Bytes| !body.is_empty());
    bodies
}

async fn bare(cluster: &Cluster, bodies: Vec<Bytes>) -> Result<(), Failure> {
    let bodies = Arc::new(std::sync::Mutex::new(bodies));
    let connections: Vec<_> = (0..BARE_CONNECTIONS)
        .map(|number| {
            let (cluster, bodies) = (cluster.clone(), bodies.clone());
            task::spawn(format!("bare-{number}"), async move {
                let next = || bodies.lock().ok().and_then(|mut bodies| bodies.pop());
                while let Some(body) = next() {
                    let request = Request {
                        method: Method::Post,
                        path: format!("{BARE}/_bulk").into(),
                        query: vec![("filter_path", "errors".into())],
                        body: Body::Ndjson(body),
                        timeout: Duration::from_secs(120),
                        action: "load",
                    };
                    let answer = cluster.send(request).await?.require_success()?.json()?;
                    if answer["errors"] != false {
                        return Err(Failure::from(answer.to_string()));
                    }
                }
                Ok(())
            })
        })
        .collect();
    for connection in connections {
        connection.await??;
    }
    Ok(())
}

async fn writer(url: &str, batches: &[Batch<'static>]) -> Result<(), Failure> {
    let config = Config {
        data_stream: WRITER.to_owned(),
        write_wait: Duration::from_secs(120),
        ..Config::new(vec![url.to_owned()])
    };
    let index = Elasticsearch::open(config, Arc::new(NoLetters), Health::new().component("elasticsearch"))?;
    for batch in batches {
        index.write(batch).await?;
    }
    let end = batches.last().map(|batch| batch.end).unwrap_or_default();
    index.written().wait_for(|written| *written >= end).await?;
    Ok(())
}

/// User and system time of this process in seconds.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name come state and ten numbers, then utime and stime in ticks of 10 ms.
    let numbers = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    numbers.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("usage: elastic_load URL [EVENTS] [ROUNDS]")?;
    let events: u32 = arguments.next().map_or(Ok(300_000), |text| text.parse())?;
    let rounds: u128 = arguments.next().map_or(Ok(3), |text| text.parse())?;
    let cluster = Cluster::new(&Config::new(vec![url.clone()]))?;
    for data_stream in [BARE, WRITER] {
        let config = setup::Config { data_stream: data_stream.to_owned(), ..setup::Config::default() };
        let plan = setup::plan(&cluster, &config).await?;
        setup::apply(&cluster, &config, &plan).await?;
    }
    let with_tokens = !cluster.server().await?.has_tokenizer;
    let mut rates = [Vec::new(), Vec::new()];
    for round in 0..=rounds {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_nanos();
        let batches = batches(JournalId(now), events);
        let bodies = bodies(&batches, with_tokens);
        let bytes: usize = bodies.iter().map(Bytes::len).sum();
        // The first round warms the server up; the order changes, so that neither always profits.
        for turn in 0..2 {
            let is_writer = (turn + round) % 2 == 0;
            let (started, cpu) = (Instant::now(), cpu_s());
            match is_writer {
                true => writer(&url, &batches).await?,
                false => bare(&cluster, bodies.clone()).await?,
            }
            let rate = f64::from(events) / started.elapsed().as_secs_f64();
            let name = if is_writer { "writer" } else { "bare" };
            let own_us = (cpu_s() - cpu) * 1e6 / f64::from(events);
            println!(
                "round {round} {name}: {rate:.0} events/s, {own_us:.2} µs of our CPU an event, {} B an event",
                bytes / events as usize
            );
            if round > 0 {
                rates[usize::from(is_writer)].push(rate);
            }
        }
    }
    let median = |rates: &mut Vec<f64>| {
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    };
    let [bare, writer] = &mut rates;
    // A round at a time, for the machine may have other work.
    let mut shares: Vec<f64> =
        writer.iter().zip(&*bare).map(|(writer, bare)| 100.0 * writer / bare).collect();
    let share = median(&mut shares);
    let (bare, writer) = (median(bare), median(writer));
    println!("median: writer {writer:.0}, bare {bare:.0} events/s; within a round {share:.1} %");
    Ok(())
}
