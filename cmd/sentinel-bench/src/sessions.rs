//! `sessions`: which sessions are strange, by a model trained on others.

use std::{
    collections::HashMap,
    io::{self, BufWriter, Write},
    path::PathBuf,
    time::Instant,
};

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use session::{Config, EventKey, Model};

use crate::lines;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Sessions to train on, one a line: id, tab, events by spaces. Columns between are not read.
    #[arg(long)]
    train: PathBuf,
    /// Sessions to judge, in the same form.
    #[arg(long)]
    test: PathBuf,
    /// Leave a part out, to see what it adds; may be given several times.
    #[arg(long)]
    without: Vec<Part>,
    /// Print the reasons of so many anomalies on standard error.
    #[arg(long, default_value_t = 0)]
    explain: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Novelty,
    Relations,
    Order,
    Cleaning,
    Modes,
    Forest,
}

struct Session {
    id: String,
    events: Vec<EventKey>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut names = HashMap::new();
    let train = read(&arguments.train, &mut names)?;
    let test = read(&arguments.test, &mut names)?;
    let mut config = Config::default();
    for part in &arguments.without {
        let parts = &mut config.parts;
        *match part {
            Part::Novelty => &mut parts.novelty,
            Part::Relations => &mut parts.relations,
            Part::Order => &mut parts.order,
            Part::Cleaning => &mut parts.cleaning,
            Part::Modes => &mut parts.modes,
            Part::Forest => &mut parts.forest,
        } = false;
    }
    let start = Instant::now();
    let model = Model::train(train.iter().map(|session| session.events.as_slice()), &config);
    eprintln!(
        "trained on {} sessions in {:.3} s: {:?}, {} relations, threshold {:.3}",
        model.sessions(),
        start.elapsed().as_secs_f64(),
        model.cleaning(),
        model.relations().count(),
        model.threshold()
    );
    ensure!(model.needed() == 0, "{} more sessions are needed to train on", model.needed());
    let start = Instant::now();
    let verdicts: Vec<_> = test.iter().map(|session| model.score(&session.events)).collect();
    let seconds = start.elapsed().as_secs_f64();
    let anomalies = verdicts.iter().filter(|verdict| verdict.is_anomaly).count();
    eprintln!(
        "{} sessions, {anomalies} anomalies, {:.0} sessions a second",
        test.len(),
        test.len() as f64 / seconds
    );
    let name =
        |key: EventKey| names.get(&key).map_or_else(String::new, |name: &String| format!("event {name}"));
    let explained = test.iter().zip(&verdicts).filter(|(_, verdict)| verdict.is_anomaly);
    for (session, verdict) in explained.take(arguments.explain) {
        eprintln!("{} {:.3} (p = {:.1e})", session.id, verdict.score, verdict.p_value);
        for reason in &verdict.reasons {
            eprintln!("  {}", reason.words(&name));
        }
    }
    let mut out = BufWriter::new(io::stdout().lock());
    for (session, verdict) in test.iter().zip(&verdicts) {
        writeln!(out, "{},{},{:.6}", session.id, u8::from(verdict.is_anomaly), verdict.score)?;
    }
    out.flush()?;
    Ok(())
}

/// The first and the last column of each line; what lies between, such as a label, is never looked at.
fn read(file: &std::path::Path, names: &mut HashMap<EventKey, String>) -> Result<Vec<Session>> {
    let mut sessions = vec![];
    lines::each(file, |line| {
        let (Some((id, _)), Some((_, events))) = (line.split_once('\t'), line.rsplit_once('\t')) else {
            ensure!(line.is_empty(), "{} has a line without a tab: {line:.80}", file.display());
            return Ok(());
        };
        let events = events.split_ascii_whitespace().map(|name| {
            let key = EventKey::of(name);
            names.entry(key).or_insert_with(|| name.to_owned());
            key
        });
        sessions.push(Session { id: id.to_owned(), events: events.collect() });
        Ok(())
    })?;
    Ok(sessions)
}
