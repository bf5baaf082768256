//! Measures Log Sentinel; for development, not installed.

mod elastic;
mod findings;
mod forest;
mod lines;
mod load;
mod parse_lines;
mod replay;
mod sessions;
mod sigma;
mod signals;
mod starter;
mod store;
mod templates;

use std::{fs::File, io::BufWriter, path::PathBuf};

use clap::{Parser, Subcommand};
use testkit::corpus;

#[derive(Parser)]
#[command(name = "sentinel-bench", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make realistic NDJSON from samples of real logs.
    Corpus {
        /// How many lines.
        #[arg(long)]
        lines: u64,
        /// The same seed gives the same lines.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Where *_2k.log[.gz] files are; without it, the samples that the repository carries.
        #[arg(long)]
        samples: Option<PathBuf>,
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Send a file to a collector and print what came of it as one JSON line.
    Load(load::Arguments),
    /// Print `LineId,TemplateId` for each line of a log, or each value of a CSV column.
    Templates {
        /// A column of a CSV file with a header; without it every line of the file is a message.
        #[arg(long)]
        column: Option<String>,
        /// The file, plain or gzip.
        file: PathBuf,
    },
    /// Train a forest on one CSV file and score another, one score a line.
    Forest {
        /// Rows to train on; every column is a feature.
        #[arg(long)]
        train: PathBuf,
        /// Rows to score.
        #[arg(long)]
        score: PathBuf,
        /// Where the scores go.
        #[arg(long)]
        out: PathBuf,
        /// The same seed gives the same scores.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Train on sessions and print `id,flag,score` for each of others.
    Sessions(sessions::Arguments),
    /// Write a corpus to a cluster, beside a bare bulk loader with the same documents.
    Elastic(elastic::Arguments),
    /// Find injected episodes in a stream that continues real logs, and count what else is flagged.
    Replay(replay::Arguments),
    /// Hold Sigma rules against events.
    Sigma(sigma::Arguments),
    /// Say what detection finds in rows of lines, or in whole logs.
    Signals(signals::Arguments),
    /// Make a starter of one real log: `models/NAME.starter`.
    Starter(starter::Arguments),
    /// Print what is read from each line: `{"id","fields","time","kind","level"}`.
    Parse(parse_lines::Arguments),
    /// Start the service, send a corpus, and print cost, size and query times as one JSON line.
    Store(store::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Corpus { lines, seed, samples, out } => {
            let samples = match samples {
                Some(dir) => corpus::samples(&dir)?,
                None => corpus::built_in()?,
            };
            corpus::write(&samples, lines, seed, &mut BufWriter::new(File::create(out)?))?;
            Ok(())
        }
        Command::Load(arguments) => load::run(&arguments),
        Command::Templates { column, file } => templates::run(&file, column.as_deref()),
        Command::Forest { train, score, out, seed } => forest::run(&train, &score, &out, seed),
        Command::Sessions(arguments) => sessions::run(&arguments),
        Command::Elastic(arguments) => elastic::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Sigma(arguments) => sigma::run(&arguments),
        Command::Parse(arguments) => parse_lines::parse(&arguments),
        Command::Signals(arguments) => signals::run(&arguments),
        Command::Starter(arguments) => starter::run(&arguments),
        Command::Store(arguments) => store::run(&arguments),
    }
}
