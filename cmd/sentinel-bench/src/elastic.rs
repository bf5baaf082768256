//! `elastic`: the whole service writing to a cluster, beside a bare bulk loader that sends the very same
//! documents to the same server with the same template, in turn.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use index::elasticsearch;
use reqwest::Client;
use serde_json::{Value as Json, json};
use testkit::{Server, load, process};

const STREAM: &str = "logs-sentinel";
/// Documents fetched at a time.
const PAGE: usize = 5_000;
/// How long the service may take for everything.
const TIMEOUT: Duration = Duration::from_secs(1800);

#[derive(Args)]
pub(crate) struct Arguments {
    /// A node of a cluster that may be emptied: the data stream logs-sentinel is deleted again and again.
    #[arg(long)]
    node: String,
    /// NDJSON as `corpus` makes it.
    #[arg(long)]
    corpus: PathBuf,
    /// How often both are measured.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Bytes of a bulk of the bare loader.
    #[arg(long, default_value_t = 5 << 20)]
    bulk_bytes: usize,
    /// Connections of the bare loader.
    #[arg(long, default_value_t = 2)]
    connections: usize,
    /// The program to measure; without it, the one beside this one.
    #[arg(long)]
    binary: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let cluster = Cluster { node: arguments.node.trim_end_matches('/').to_owned(), http: Client::new() };
    let mut bulks = vec![];
    let (mut best_ours, mut best_bare): (f64, f64) = (0.0, 0.0);
    for round in 0..arguments.rounds {
        let ours = runtime.block_on(ours(arguments, &cluster))?;
        if bulks.is_empty() {
            bulks = runtime.block_on(cluster.documents(arguments.bulk_bytes))?;
        }
        let bare = runtime.block_on(bare(&cluster, &bulks, arguments.connections))?;
        eprintln!("round {}: {ours}, bare {bare:.0} documents/s", round + 1);
        best_ours = best_ours.max(ours["lines_per_s"].as_f64().unwrap_or_default());
        best_bare = best_bare.max(bare);
        println!(
            "{}",
            json!({"round": round + 1, "ours": ours, "bare_per_s": bare.round(),
                   "ratio": ratio(ours["lines_per_s"].as_f64().unwrap_or_default(), bare)})
        );
    }
    println!("{}", json!({"best_of": arguments.rounds, "ratio": ratio(best_ours, best_bare)}));
    Ok(())
}

fn ratio(ours: f64, bare: f64) -> f64 {
    (ours / bare * 1000.0).round() / 1000.0
}

/// From the first line sent to the last one acknowledged by the cluster.
async fn ours(arguments: &Arguments, cluster: &Cluster) -> Result<Json> {
    cluster.empty().await?;
    let data = tempfile::tempdir()?;
    let binary = match &arguments.binary {
        Some(binary) => binary.clone(),
        None => std::env::current_exe()?.with_file_name("log-sentinel"),
    };
    let server = Server::start(&binary, data.path(), &[("ELASTIC_ADDR", &arguments.node)])?;
    let load = load::Load {
        url: server.url.clone(),
        file: arguments.corpus.clone(),
        batch_bytes: 1 << 20,
        connections: 2,
        one_per_request: false,
        duration: None,
    };
    let begun = Instant::now();
    let sending = tokio::task::spawn_blocking(move || load::run(&load));
    let outcome = sending.await??;
    ensure!(outcome.refused == 0, "{} lines were refused", outcome.refused);
    while stored(&server).await? < outcome.acknowledged {
        ensure!(begun.elapsed() < TIMEOUT, "the cluster does not take everything in");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let elapsed = begun.elapsed().as_secs_f64();
    let found = cluster.count().await?;
    ensure!(found == outcome.acknowledged, "{found} of {} documents are there", outcome.acknowledged);
    let usage = process::usage(server.pid())?;
    Ok(json!({
        "lines": found,
        "lines_per_s": (found as f64 / elapsed).round(),
        "cpu_us_per_line": (usage.cpu.as_secs_f64() / found as f64 * 1e8).round() / 100.0,
        "peak_mb": usage.peak_bytes >> 20,
    }))
}

/// What the program says that the cluster has acknowledged.
async fn stored(server: &Server) -> Result<u64> {
    let text = server.http.get(format!("{}/metrics", server.url)).send().await?.text().await?;
    let line = text.lines().find_map(|line| line.strip_prefix("log_sentinel_stored_events_total "));
    line.context("there is no log_sentinel_stored_events_total")?.trim().parse().context("it is no number")
}

/// Sends prepared bulks as fast as they are answered; documents a second.
async fn bare(cluster: &Cluster, bulks: &[(u64, bytes::Bytes)], connections: usize) -> Result<f64> {
    cluster.empty().await?;
    let total: u64 = bulks.iter().map(|(documents, _)| documents).sum();
    let left = Arc::new(Mutex::new(bulks.to_vec()));
    let begun = Instant::now();
    let senders = (0..connections.max(1)).map(|_| {
        let (left, cluster) = (Arc::clone(&left), cluster.clone());
        async move {
            loop {
                let next = left.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let Some((documents, body)) = next else { return anyhow::Ok(()) };
                let request = cluster.http.post(format!("{}/{STREAM}/_bulk", cluster.node));
                let response =
                    request.header("content-type", "application/x-ndjson").body(body).send().await?;
                let answer: Json = response.error_for_status()?.json().await?;
                let taken = answer["items"].as_array().map_or(0, Vec::len) as u64;
                if answer["errors"] != false || taken != documents {
                    bail!("the bare loader's documents were not all taken");
                }
            }
        }
    });
    futures_util::future::try_join_all(senders).await?;
    let elapsed = begun.elapsed().as_secs_f64();
    let found = cluster.count().await?;
    ensure!(found == total, "{found} of {total} documents are there");
    Ok(total as f64 / elapsed)
}

#[derive(Clone)]
struct Cluster {
    node: String,
    http: Client,
}

impl Cluster {
    /// Deletes the data stream; its template stays.
    async fn empty(&self) -> Result<()> {
        let found: Json = self.get(&format!("_resolve/index/{STREAM}")).await.unwrap_or_default();
        let streams = found["data_streams"].as_array().map(Vec::as_slice).unwrap_or_default();
        if streams.is_empty() {
            return Ok(());
        }
        let deleted = self.http.delete(format!("{}/_data_stream/{STREAM}", self.node)).send().await?;
        if deleted.status().is_success() {
            return Ok(());
        }
        // A server without that endpoint still deletes what the data stream consists of, but for the last.
        self.http.post(format!("{}/{STREAM}/_rollover", self.node)).send().await?.error_for_status()?;
        let backing = streams[0]["backing_indices"].as_array().cloned().unwrap_or_default();
        for index in backing.iter().filter_map(Json::as_str) {
            self.http.delete(format!("{}/{index}", self.node)).send().await?.error_for_status()?;
        }
        Ok(())
    }

    async fn count(&self) -> Result<u64> {
        self.http.post(format!("{}/{STREAM}/_refresh", self.node)).send().await?.error_for_status()?;
        self.get(&format!("{STREAM}/_count")).await?["count"].as_u64().context("there is no count")
    }

    async fn get(&self, path: &str) -> Result<Json> {
        Ok(self.http.get(format!("{}/{path}", self.node)).send().await?.error_for_status()?.json().await?)
    }

    /// Every document as bulks of about so many bytes, each with the number of its documents.
    async fn documents(&self, bulk_bytes: usize) -> Result<Vec<(u64, bytes::Bytes)>> {
        let (mut bulks, mut bulk, mut documents, mut after) = (vec![], vec![], 0, Json::Null);
        let server = elasticsearch::Cluster::new(&elasticsearch::Config::new(vec![self.node.clone()]))?;
        let with_tokens = !server.server().await?.has_tokenizer;
        loop {
            let mut body = json!({"size": PAGE, "sort": ["sentinel.id"], "track_total_hits": false});
            if !after.is_null() {
                body["search_after"] = after;
            }
            let url = format!("{}/{STREAM}/_search", self.node);
            let response = self.http.post(url).json(&body).send().await?.error_for_status()?;
            let answer: Json = response.json().await?;
            let hits = answer["hits"]["hits"].as_array().map(Vec::as_slice).unwrap_or_default();
            for hit in hits {
                let mut source = hit["_source"].clone();
                if with_tokens {
                    // Indexed but not part of what the server gives back.
                    let message = source["message"].as_str().unwrap_or_default();
                    let tokens: String = query::tokens(message).map(|token| token + " ").collect();
                    source["sentinel.tokens"] = tokens.into();
                }
                let line = format!("{{\"create\":{{\"_id\":{}}}}}\n{source}\n", hit["_id"]);
                bulk.extend_from_slice(line.as_bytes());
                documents += 1;
                if bulk.len() >= bulk_bytes {
                    bulks.push((documents, std::mem::take(&mut bulk).into()));
                    documents = 0;
                }
            }
            let Some(last) = hits.last() else { break };
            after = last["sort"].clone();
        }
        if documents > 0 {
            bulks.push((documents, bulk.into()));
        }
        // Taken from the end, so that they are sent in the order in which they were first written.
        bulks.reverse();
        Ok(bulks)
    }
}
