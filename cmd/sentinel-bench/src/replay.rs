//! `replay`: how soon and how reliably injected episodes are found in a stream, and what else is flagged.

use std::{
    collections::{BTreeMap, HashMap},
    time::Instant,
};

use anomaly::{Config, Parts, Service};
use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use event::{Event, EventId, JournalId, Position, Timestamp};
use parse::Context;

use testkit::replay::{Episode, Kind, Line, Log, Plan, Replay, generate};

use crate::findings::{Judged, Watch};

/// Events analysed in one call, as the pipeline would.
const BATCH: usize = 512;
/// Flagged lines of one log so close to each other are one alarm.
const ALARM_MS: u64 = 10 * 60_000;
const DAY_MS: u64 = 86_400_000;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The first of the seeds.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds, each a stream of its own.
    #[arg(long, default_value_t = 6)]
    seeds: u64,
    /// Length of a stream.
    #[arg(long, default_value_t = 60)]
    days: u64,
    /// Episodes of a stream.
    #[arg(long, default_value_t = 27)]
    episodes: u32,
    /// Share of ordinary events that may be flagged; without it the default of the service.
    #[arg(long)]
    false_positive_rate: Option<f64>,
    /// Leave a part out, to see what it adds; may be given several times.
    #[arg(long)]
    without: Vec<Part>,
    /// Leave all parts out but this one; evidence and forest look at all features.
    #[arg(long, conflicts_with = "without")]
    only: Option<Part>,
    /// Print so many false alarms and missed episodes of each stream on standard error.
    #[arg(long, default_value_t = 0)]
    explain: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Novelty,
    Spikes,
    Silence,
    Numbers,
    Values,
    Time,
    Length,
    Levels,
    Evidence,
    Forest,
    Sessions,
}

impl Part {
    fn of(self, parts: &mut Parts) -> &mut bool {
        match self {
            Self::Novelty => &mut parts.novelty,
            Self::Spikes => &mut parts.spikes,
            Self::Silence => &mut parts.silence,
            Self::Numbers => &mut parts.numbers,
            Self::Values => &mut parts.values,
            Self::Time => &mut parts.time,
            Self::Length => &mut parts.length,
            Self::Levels => &mut parts.levels,
            Self::Evidence => &mut parts.evidence,
            Self::Forest => &mut parts.forest,
            Self::Sessions => &mut parts.sessions,
        }
    }
}

impl Arguments {
    fn parts(&self) -> Parts {
        let mut parts = Parts::default();
        for part in &self.without {
            *part.of(&mut parts) = false;
        }
        if let Some(only) = self.only {
            (parts.evidence, parts.forest, parts.sessions) = (false, false, false);
            if !matches!(only, Part::Evidence | Part::Forest) {
                parts = Parts { evidence: true, ..Parts::all(false) };
            }
            *only.of(&mut parts) = true;
        }
        parts
    }
}

/// What came of the episodes of one kind.
#[derive(Default)]
struct Found {
    episodes: u64,
    detected: u64,
    events: u64,
    flagged: u64,
    /// For each detected one: lines of its own before the first flagged one, and seconds until it.
    delays: Vec<(u64, f64)>,
}

/// What came of one or more streams.
#[derive(Default)]
struct Outcome {
    kinds: BTreeMap<Kind, Found>,
    ordinary: u64,
    days: u64,
    false_flags: u64,
    false_alarms: u64,
    /// Ordinary lines flagged within an episode of their log.
    beside: u64,
    drift_flags: u64,
    drift_ordinary: u64,
    seconds: f64,
    judged: Judged,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    ensure!((8..=300).contains(&arguments.days), "a replay takes 8 to 300 days");
    let (mut all, mut halves) = (Outcome::default(), [Outcome::default(), Outcome::default()]);
    for seed in arguments.seed..arguments.seed + arguments.seeds {
        let plan = Plan { seed, days: arguments.days, episodes: arguments.episodes, drift: true };
        let replay = generate(plan)?;
        let outcome = stream(&replay, arguments)?;
        eprintln!(
            "seed {seed}: {} lines, {} of {} episodes, {} false flags, {:.2} µs an event with parsing and mining",
            replay.lines.len(),
            outcome.kinds.values().map(|found| found.detected).sum::<u64>(),
            replay.episodes.len(),
            outcome.false_flags,
            outcome.seconds * 1e6 / replay.lines.len() as f64
        );
        halves[(seed % 2) as usize].add(&outcome);
        all.add(&outcome);
    }
    for (name, outcome) in [("odd seeds", &halves[1]), ("even seeds", &halves[0]), ("all seeds", &all)] {
        if outcome.days > 0 {
            outcome.print(name);
        }
    }
    Ok(())
}

fn parsed(line: &Line) -> Event<'_> {
    let at = Timestamp::saturating_from_nanos(i128::from(line.at_ms) * 1_000_000);
    let zone = &jiff::tz::TimeZone::UTC;
    let context = Context {
        file: Some(line.log.file()),
        host: Some("ip-10-77-20-248"),
        ..Context::new(at, zone, 1 << 20)
    };
    parse::line(line.text.as_bytes(), &context)
}

/// Runs one stream through a service of its own, from the first line on.
fn stream(replay: &Replay, arguments: &Arguments) -> Result<Outcome> {
    let dir = tempfile::tempdir()?;
    let mut config = Config { parts: arguments.parts(), ..Config::new(dir.path()) };
    if let Some(rate) = arguments.false_positive_rate {
        config.false_positive_rate = rate;
    }
    let service = Service::open(config)?;
    let started = Instant::now();
    let (mut place, mut flags) = (Position::default(), Vec::with_capacity(replay.lines.len()));
    let mut reasons = HashMap::new();
    let mut scores = Vec::new();
    let mut watch = Watch::new();
    for lines in replay.lines.chunks(BATCH) {
        let events = lines.iter().map(|line| {
            let id = EventId { journal: JournalId(0), position: place };
            place = place.next();
            (id, parsed(line))
        });
        let events: Vec<_> = events.collect();
        let batch = service.analyze(events, place);
        watch.see(&batch);
        for analyzed in batch.events {
            let flagged = analyzed.verdict.is_anomaly;
            if flagged && arguments.explain > 0 {
                reasons.insert(flags.len(), (analyzed.verdict.score, analyzed.verdict.reasons));
            }
            scores.push(analyzed.verdict.score);
            flags.push(flagged);
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let judged = watch.judge(replay, arguments.explain);
    let outcome = Outcome { seconds, judged, ..compare(replay, &flags) };
    let mut left = arguments.explain;
    for (at, flagged) in flags.iter().enumerate() {
        let line = &replay.lines[at];
        if *flagged && line.episode.is_none() && left > 0 {
            left -= 1;
            if let Some((score, reasons)) = reasons.get(&at) {
                eprintln!("  {score:.3} {}\n      {}", line.text, reasons.join("; "));
            }
        }
    }
    let missed = replay.episodes.iter().filter(|episode| {
        !replay.lines.iter().zip(&flags).any(|(line, flag)| *flag && line.episode == Some(episode.id))
    });
    for episode in missed.take(arguments.explain) {
        let first = replay.lines.iter().find(|line| line.episode == Some(episode.id));
        let own = replay.lines.iter().zip(&scores).filter(|(line, _)| line.episode == Some(episode.id));
        let most = own.map(|(_, score)| *score).fold(0.0, f32::max);
        eprintln!(
            "  missed at {most:.3}: {}; {}",
            episode.kind.name(),
            first.map_or("", |line| line.text.as_str())
        );
    }
    Ok(outcome)
}

fn compare(replay: &Replay, flags: &[bool]) -> Outcome {
    let mut outcome = Outcome::default();
    let mut first: HashMap<u32, (u64, Option<(u64, f64)>)> = HashMap::new();
    let mut latest_ms = [0u64; 2];
    let within = |line: &Line| {
        let near = replay.episodes.partition_point(|episode| episode.start_ms <= line.at_ms);
        let episode = near.checked_sub(1).map(|at| &replay.episodes[at]);
        episode.is_some_and(|episode: &Episode| line.at_ms <= episode.end_ms && line.log == episode.log)
    };
    for (line, flagged) in replay.lines.iter().zip(flags) {
        let Some(id) = line.episode else {
            outcome.ordinary += 1;
            let drifting = replay.drift.is_some_and(|(from, to)| (from..to).contains(&line.at_ms));
            outcome.drift_ordinary += u64::from(drifting);
            if *flagged {
                outcome.false_flags += 1;
                outcome.drift_flags += u64::from(drifting);
                outcome.beside += u64::from(within(line));
                let latest = &mut latest_ms[usize::from(line.log == Log::Access)];
                outcome.false_alarms += u64::from(line.at_ms - (*latest).min(line.at_ms) > ALARM_MS);
                *latest = line.at_ms;
            }
            continue;
        };
        let episode = &replay.episodes[id as usize];
        let found = outcome.kinds.entry(episode.kind).or_default();
        let (count, delay) = first.entry(id).or_default();
        if *flagged && delay.is_none() {
            *delay = Some((*count, (line.at_ms - episode.start_ms) as f64 / 1e3));
        }
        *count += 1;
        found.events += 1;
        found.flagged += u64::from(*flagged);
    }
    for episode in &replay.episodes {
        let found = outcome.kinds.entry(episode.kind).or_default();
        found.episodes += 1;
        if let Some((_, Some(delay))) = first.get(&episode.id) {
            found.detected += 1;
            found.delays.push(*delay);
        }
    }
    let ends = (replay.lines.first(), replay.lines.last());
    if let (Some(first), Some(last)) = ends {
        outcome.days = (last.at_ms - first.at_ms).div_ceil(DAY_MS);
    }
    outcome
}

impl Outcome {
    fn add(&mut self, other: &Self) {
        for (kind, theirs) in &other.kinds {
            let ours = self.kinds.entry(*kind).or_default();
            ours.episodes += theirs.episodes;
            ours.detected += theirs.detected;
            ours.events += theirs.events;
            ours.flagged += theirs.flagged;
            ours.delays.extend_from_slice(&theirs.delays);
        }
        self.ordinary += other.ordinary;
        self.days += other.days;
        self.false_flags += other.false_flags;
        self.false_alarms += other.false_alarms;
        self.beside += other.beside;
        self.drift_flags += other.drift_flags;
        self.drift_ordinary += other.drift_ordinary;
        self.judged.add(&other.judged);
    }

    fn print(&self, name: &str) {
        println!("\n{name}: {} ordinary lines, {} days\n", self.ordinary, self.days);
        println!(
            "| episodes | injected | detected | recall | own lines flagged | delay, lines | delay, seconds |"
        );
        println!("|---|---|---|---|---|---|---|");
        let (mut all, mut flagged) = (Found::default(), 0);
        for (kind, found) in &self.kinds {
            found.row(kind.name());
            all.episodes += found.episodes;
            all.detected += found.detected;
            all.events += found.events;
            all.flagged += found.flagged;
            all.delays.extend_from_slice(&found.delays);
            flagged += found.flagged;
        }
        all.row("**all**");
        let per = |count: u64| count as f64 * 1e5 / self.ordinary.max(1) as f64;
        println!(
            "\nfalse flags {} ({:.1} per 100,000 ordinary lines, {:.2} a day; {} beside an episode), in {} alarms \
             ({:.1} per 100,000, {:.2} a day); while the world drifts {:.1} per 100,000; precision of flagged lines {:.3}",
            self.false_flags,
            per(self.false_flags),
            self.false_flags as f64 / self.days.max(1) as f64,
            self.beside,
            self.false_alarms,
            per(self.false_alarms),
            self.false_alarms as f64 / self.days.max(1) as f64,
            self.drift_flags as f64 * 1e5 / self.drift_ordinary.max(1) as f64,
            flagged as f64 / (flagged + self.false_flags).max(1) as f64,
        );
        self.judged.print();
    }
}

impl Found {
    fn row(&self, name: &str) {
        let mut lines: Vec<u64> = self.delays.iter().map(|delay| delay.0).collect();
        let mut seconds: Vec<f64> = self.delays.iter().map(|delay| delay.1).collect();
        lines.sort_unstable();
        seconds.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| ((lines.len() as f64 * share) as usize).min(lines.len().saturating_sub(1));
        let show = |at: usize| {
            (
                lines.get(at).map_or_else(|| "-".to_owned(), u64::to_string),
                seconds.get(at).copied().unwrap_or(f64::NAN),
            )
        };
        let ((lines_50, seconds_50), (lines_90, seconds_90)) = (show(at(0.5)), show(at(0.9)));
        println!(
            "| {name} | {} | {} | {:.3} | {} of {} | {lines_50} (90 %: {lines_90}) | {seconds_50:.0} (90 %: {seconds_90:.0}) |",
            self.episodes,
            self.detected,
            self.detected as f64 / self.episodes.max(1) as f64,
            self.flagged,
            self.events,
        );
    }
}
