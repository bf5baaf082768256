//! `load`: a load on a running collector.

use std::{path::PathBuf, time::Duration};

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::json;
use testkit::{
    load::{self, Load},
    process,
};

#[derive(Args)]
pub(crate) struct Arguments {
    /// `http://127.0.0.1:8080`
    #[arg(long)]
    url: String,
    /// NDJSON, plain or gzip.
    #[arg(long)]
    file: PathBuf,
    /// How to send it.
    #[arg(long, value_enum, default_value_t = Face::Logs)]
    face: Face,
    /// Bytes of a request.
    #[arg(long, default_value_t = 1 << 20)]
    batch_bytes: usize,
    /// Connections, each with one request at a time.
    #[arg(long, default_value_t = 2)]
    connections: usize,
    /// One line a request.
    #[arg(long)]
    one_per_request: bool,
    /// Send the file again and again for so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Face {
    /// `POST /logs`
    Logs,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let Face::Logs = arguments.face;
    let before = stored(&arguments.url)?;
    let port = arguments.url.trim_end_matches('/').rsplit(':').next().and_then(|port| port.parse().ok());
    let server = port.map(process::listening_on).transpose()?.flatten();
    let started = server.map(process::usage).transpose()?;
    let outcome = load::run(&Load {
        url: arguments.url.clone(),
        file: arguments.file.clone(),
        batch_bytes: arguments.batch_bytes,
        connections: arguments.connections,
        one_per_request: arguments.one_per_request,
        duration: arguments.seconds.map(Duration::from_secs),
    })?;
    let searchable = std::time::Instant::now();
    let mut added = stored(&arguments.url)? - before;
    while added < outcome.acknowledged && searchable.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
        added = stored(&arguments.url)? - before;
    }
    let ended = server.map(process::usage).transpose()?;
    let seconds = (outcome.elapsed + searchable.elapsed()).as_secs_f64();
    println!(
        "{}",
        json!({
            "lines_per_s": (added as f64 / seconds).round(),
            "lines_per_s_acknowledged": (outcome.acknowledged as f64 / outcome.elapsed.as_secs_f64()).round(),
            "server_cpu_s": started.zip(ended).map(|(started, ended)| (ended.cpu - started.cpu).as_secs_f64()),
            "peak_memory_mb": ended.map(|usage| usage.peak_bytes >> 20),
            "p50_ms": outcome.percentile(0.5).as_secs_f64() * 1e3,
            "p99_ms": outcome.percentile(0.99).as_secs_f64() * 1e3,
            "acknowledged": outcome.acknowledged,
            "refused": outcome.refused,
            "stored": added,
        })
    );
    anyhow::ensure!(
        added == outcome.acknowledged,
        "acknowledged {} but stored {added}",
        outcome.acknowledged
    );
    Ok(())
}

/// The number of events the store has.
fn stored(url: &str) -> Result<u64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let answer = reqwest::get(format!("{url}/api/v1/search?limit=0")).await?.error_for_status()?;
        let answer: serde_json::Value = answer.json().await?;
        answer["total"].as_u64().ok_or_else(|| anyhow::anyhow!("the search answer has no total"))
    })
}
