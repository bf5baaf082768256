//! `signals`: what detection says of lines of logs.

mod behavior;
mod replay;
mod rows;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use crate::parse_lines;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Rows of JSON with `id` and `line`: prints what it says was done; with `lines`: prints what is found in them.
    rows: Option<PathBuf>,
    /// Whole logs, plain or gzip, that are gone through in the order of their times: prints the signals.
    #[arg(long, num_args = 1.., conflicts_with = "rows")]
    replay: Vec<PathBuf>,
    /// The name that the logs have where they are written: some lines are known by it.
    #[arg(long = "as", requires = "replay")]
    named: Option<String>,
    /// When the lines are read, for stamps without a year.
    #[arg(long, default_value = "2100-01-01T00:00:00Z")]
    now: String,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let now = event::Timestamp::parse(&arguments.now)?;
    match (&arguments.rows, arguments.replay.as_slice()) {
        (Some(rows), _) => {
            parse_lines::signals(rows)?;
            rows::run(rows, now)
        }
        (None, []) => bail!("give rows of lines, or --replay with logs"),
        (None, files) => replay::run(files, arguments.named.as_deref(), now),
    }
}
