//! `procmond`: tells the agent which processes run here, with the least privileges that this takes. It speaks no network and starts no
//! program; what it finds leaves by a Unix socket or a file.

mod arguments;
mod clock;
mod hardening;
mod kernel;
mod outbox;
mod settings;
mod socket;
mod watch;

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use process::{Executables, HashLimits, Reader, Snapshot};

use crate::{
    arguments::{Command, HELP},
    clock::now,
    settings::Settings,
};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("procmond: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    match Command::parse(std::env::args_os())? {
        Command::Help => print!("{HELP}"),
        Command::Version => println!("procmond {}", env!("CARGO_PKG_VERSION")),
        Command::SelfCheck { verbose } => self_check(verbose)?,
        Command::Once { config, output, verbose } => {
            once(&Settings::load(config.as_deref())?, output.as_deref(), verbose)?
        }
        Command::Run { config, verbose } => watch::run(Settings::load(config.as_deref())?, verbose)?,
    }
    Ok(())
}

/// Names what of the hardening is lacking, one a line. It applies all of it to itself to find out.
fn self_check(verbose: bool) -> anyhow::Result<()> {
    let kernel = kernel::Kernel::subscribe();
    let mut level = hardening::program();
    // Each thread is held by measures of its own, for good.
    let speaker = std::thread::Builder::new().name("speaker".to_owned()).spawn(|| {
        let mut level = hardening::Level::default();
        hardening::speaker(&mut level);
        level
    })?;
    level.measures.extend(
        speaker.join().map_err(|_| anyhow::anyhow!("the thread that was to be held panicked"))?.measures,
    );
    hardening::reader(&mut level, false);
    let told = kernel.map(|_| "by the process connector".to_owned());
    let told =
        told.map_err(|error| format!("{error}; processes that live shorter than the interval are not seen"));
    level.measures.push(("starts and ends told by the kernel", told));
    let mut out = io::stdout().lock();
    for (measure, result) in &level.measures {
        match result {
            Ok(reached) if verbose => writeln!(out, "ok       {measure}: {reached}")?,
            Ok(_) => {}
            Err(reason) => writeln!(out, "lacking  {measure}: {reason}")?,
        }
    }
    let lacking = level.measures.iter().filter(|(_, result)| result.is_err()).count();
    writeln!(out, "{} of {} measures hold", level.measures.len() - lacking, level.measures.len())?;
    Ok(())
}

fn once(settings: &Settings, output: Option<&Path>, verbose: bool) -> anyhow::Result<()> {
    let mut reader = Reader::open(&settings.proc, Path::new("/etc/passwd"), settings.scope())?;
    // Opened before the privileges are given up: the folder may be somebody's own.
    let writer = output.map(NewFile::create).transpose()?;
    let mut level = hardening::program();
    hardening::reader(&mut level, writer.is_some());
    if verbose {
        level.print();
    }
    let mut executables = Executables::new(HashLimits { scan_bytes: u64::MAX, ..settings.hash.limits() });
    let snapshot = reader.scan(now(), &mut executables)?;
    match writer {
        Some(file) => file.write(&snapshot)?,
        None => {
            write(&mut io::stdout().lock(), &snapshot).context("writing the snapshot to standard output")?
        }
    }
    Ok(())
}

/// A file that appears whole, under its name, or not at all.
struct NewFile {
    path: PathBuf,
    partial: PathBuf,
    file: fs::File,
}

impl NewFile {
    fn create(path: &Path) -> anyhow::Result<Self> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(format!(".{}", std::process::id()));
        let partial = PathBuf::from(partial);
        let mut options = fs::OpenOptions::new();
        std::os::unix::fs::OpenOptionsExt::mode(options.write(true).create_new(true), 0o600);
        let file = options.open(&partial).with_context(|| format!("creating {}", partial.display()))?;
        Ok(Self { path: path.to_owned(), partial, file })
    }

    fn write(self, snapshot: &Snapshot) -> anyhow::Result<()> {
        let written = (|| {
            let mut out = BufWriter::new(&self.file);
            write(&mut out, snapshot)?;
            out.flush()?;
            drop(out);
            self.file.sync_all()?;
            fs::rename(&self.partial, &self.path)
        })();
        if written.is_err()
            && let Err(error) = fs::remove_file(&self.partial)
        {
            eprintln!("procmond: removing {}: {error}", self.partial.display());
        }
        written.with_context(|| format!("writing the snapshot to {}", self.path.display()))
    }
}

fn write(out: &mut impl Write, snapshot: &Snapshot) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, snapshot)?;
    out.write_all(b"\n")
}
