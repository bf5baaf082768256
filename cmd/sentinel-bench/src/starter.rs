//! `starter`: what a new installation is told of a kind of log, made of one real log.

use std::{fs, io::Read, path::PathBuf};

use anyhow::{Result, ensure};
use clap::Args;
use event::Timestamp;

use crate::lines;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The kind of log, such as `sshd-auth`: lower-case letters, digits and hyphens.
    #[arg(long)]
    name: String,
    /// The log, plain or gzip.
    #[arg(long)]
    log: PathBuf,
    /// The name that the log has where it is written, such as `auth.log`: some lines are known by it.
    #[arg(long)]
    file: String,
    /// When the last line was written, for stamps without a year.
    #[arg(long)]
    written: String,
    /// The file to write.
    #[arg(long)]
    out: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut text = Vec::new();
    lines::open(&arguments.log)?.read_to_end(&mut text)?;
    let written = Timestamp::parse(&arguments.written)?;
    let zone = jiff::tz::TimeZone::UTC;
    let context =
        parse::Context { file: Some(&arguments.file), ..parse::Context::new(written, &zone, 1 << 20) };
    let (mut events, mut refused) = (Vec::new(), 0);
    parse::body(parse::Format::Lines, &text, &context, |line| match line {
        Ok(event) => events.push(event.into_owned()),
        Err(_) => refused += 1,
    });
    ensure!(refused == 0, "{refused} lines of {} cannot be read", arguments.log.display());
    let starter = anomaly::build_starter(&arguments.name, &events)?;
    eprintln!("{}: {} events, {} bytes", arguments.name, events.len(), starter.len());
    fs::write(&arguments.out, starter)?;
    Ok(())
}
