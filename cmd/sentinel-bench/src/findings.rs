//! Which injected episodes are covered by a finding, and what else is found.

use std::collections::BTreeMap;

use detect::{Config, Engine, EntityType, Finding, FindingKind, Level};
use event::{Batch, Timestamp};
use finding::fact;
use testkit::replay::{Episode, Kind, Line, Replay};

/// What is told of the amount of lines so long after an episode may still be of it.
const GRACE_MS: u64 = 15 * 60_000;
/// What the real logs that are continued do hold.
const REAL: [&str; 3] = ["ssh_brute_force", "web_scan", "web_exploit_attempt"];
const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 86_400_000;

/// Detection beside the analysis of one stream.
pub(crate) struct Watch {
    engine: Engine,
    /// When it was told, in milliseconds since 1970.
    told: Vec<(u64, Finding)>,
    ticked_ms: u64,
}

/// What came of the episodes of one kind.
#[derive(Default)]
struct Covered {
    episodes: u64,
    covered: u64,
    delays_s: Vec<f64>,
    rules: BTreeMap<String, u64>,
}

/// What came of one or more streams.
#[derive(Default)]
pub(crate) struct Judged {
    kinds: BTreeMap<Kind, Covered>,
    /// New findings that are of no episode, by rule.
    others: BTreeMap<String, u64>,
    /// How long silences had lasted when they were told, in usual pauses.
    silences: Vec<f64>,
    days: u64,
}

impl Watch {
    pub(crate) fn new() -> Self {
        Self { engine: Engine::new(Config::default()), told: Vec::new(), ticked_ms: 0 }
    }

    /// Looks at events; meanwhile the clock ticks each minute, as it does beside a stream.
    pub(crate) fn see(&mut self, batch: &Batch<'_>) {
        for analyzed in &batch.events {
            let at_ms = milliseconds(analyzed.event.timestamp);
            if self.ticked_ms == 0 {
                self.ticked_ms = at_ms;
            }
            while self.ticked_ms + MINUTE_MS < at_ms {
                self.ticked_ms += MINUTE_MS;
                let now = i128::from(self.ticked_ms) * 1_000_000;
                self.engine.tick(Timestamp::saturating_from_nanos(now));
                self.take(self.ticked_ms);
            }
            self.engine.see_one(analyzed);
            self.take(at_ms);
        }
    }

    /// What is told for information only is what goes on everywhere: it covers nothing, and is no alarm.
    fn take(&mut self, at_ms: u64) {
        let told = self.engine.drain().into_iter().filter(|one| one.level > Level::Informational);
        self.told.extend(told.map(|finding| (at_ms, finding)));
    }

    /// Holds what was found against the truth; shows so many of the findings that are of no episode.
    pub(crate) fn judge(self, replay: &Replay, mut show: usize) -> Judged {
        let mut judged = Judged::default();
        if let (Some(first), Some(last)) = (replay.lines.first(), replay.lines.last()) {
            judged.days = (last.at_ms - first.at_ms).div_ceil(DAY_MS);
        }
        let mut first_told: BTreeMap<u32, (u64, String)> = BTreeMap::new();
        for (at_ms, finding) in self.told {
            if let Some(episode) = episode_of(&finding, at_ms, replay) {
                judged.silences.extend(silence(&finding));
                first_told.entry(episode).or_insert((at_ms, finding.rule));
            } else if !finding.is_update {
                if show > 0 {
                    show -= 1;
                    eprintln!(
                        "  {} {}: {}",
                        finding.rule,
                        finding.entities[0].value,
                        last_line(&finding, replay)
                    );
                }
                *judged.others.entry(finding.rule).or_default() += 1;
            }
        }
        for episode in &replay.episodes {
            let kind = judged.kinds.entry(episode.kind).or_default();
            kind.episodes += 1;
            if let Some((at_ms, rule)) = first_told.remove(&episode.id) {
                kind.covered += 1;
                kind.delays_s.push(at_ms.saturating_sub(episode.start_ms) as f64 / 1e3);
                *kind.rules.entry(rule).or_default() += 1;
            }
        }
        judged
    }
}

/// The episode that a finding is of: one of whose lines it shows, or whose lack of lines of its log it tells of.
fn episode_of(finding: &Finding, at_ms: u64, replay: &Replay) -> Option<u32> {
    let lines = lines_of(finding, replay);
    let is_of_amount = matches!(
        finding.kind,
        FindingKind::SourceSilent
            | FindingKind::VolumeDrop
            | FindingKind::VolumeSpike
            | FindingKind::ErrorBurst
    );
    if !is_of_amount {
        return lines.filter_map(|line| line.episode).next();
    }
    let file = finding.entities.iter().find(|entity| entity.r#type == EntityType::Service)?;
    let is_lack = matches!(finding.kind, FindingKind::SourceSilent | FindingKind::VolumeDrop);
    let is_of = |episode: &&Episode| {
        episode.log.file() == file.value
            && is_lack == matches!(episode.kind, Kind::Silence | Kind::Drop)
            && (episode.start_ms..=episode.end_ms + GRACE_MS).contains(&at_ms)
    };
    replay.episodes.iter().find(is_of).map(|episode| episode.id)
}

/// The lines that a finding shows.
fn lines_of<'r>(finding: &Finding, replay: &'r Replay) -> impl Iterator<Item = &'r Line> {
    finding.evidence.iter().filter_map(|id| replay.lines.get(id.position.record as usize))
}

fn last_line<'r>(finding: &Finding, replay: &'r Replay) -> &'r str {
    lines_of(finding, replay).last().map_or("", |line| line.text.as_str())
}

fn milliseconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_nanos() / 1_000_000).unwrap_or(0)
}

/// How long a source had been silent when that was told, in usual pauses of it.
fn silence(finding: &Finding) -> Option<f64> {
    let usual = finding.facts.get(fact::USUAL_PAUSE)?.as_f64()?;
    let seconds = (finding.last.as_nanos() - finding.first.as_nanos()) as f64 / 1e9;
    Some(seconds / usual.max(1.0))
}

impl Judged {
    pub(crate) fn add(&mut self, other: &Self) {
        for (kind, theirs) in &other.kinds {
            let ours = self.kinds.entry(*kind).or_default();
            ours.episodes += theirs.episodes;
            ours.covered += theirs.covered;
            ours.delays_s.extend_from_slice(&theirs.delays_s);
            for (rule, count) in &theirs.rules {
                *ours.rules.entry(rule.clone()).or_default() += count;
            }
        }
        for (rule, count) in &other.others {
            *self.others.entry(rule.clone()).or_default() += count;
        }
        self.silences.extend_from_slice(&other.silences);
        self.days += other.days;
    }

    pub(crate) fn print(&self) {
        println!("\n| episodes | injected | covered by a finding | delay, seconds | found first by |");
        println!("|---|---|---|---|---|");
        let (mut episodes, mut covered) = (0, 0);
        for (kind, found) in &self.kinds {
            let mut delays = found.delays_s.clone();
            delays.sort_unstable_by(f64::total_cmp);
            let at = |share: f64| {
                let place = (delays.len() as f64 * share) as usize;
                delays.get(place.min(delays.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
            };
            println!(
                "| {} | {} | {} | {:.0} (90 %: {:.0}) | {} |",
                kind.name(),
                found.episodes,
                found.covered,
                at(0.5),
                at(0.9),
                counts(&found.rules)
            );
            episodes += found.episodes;
            covered += found.covered;
        }
        let others: u64 = self.others.values().sum();
        let real: u64 = REAL.iter().filter_map(|rule| self.others.get(*rule)).sum();
        let a_day = |count: u64| count as f64 / self.days.max(1) as f64;
        println!(
            "\ncovered {covered} of {episodes} ({:.3}); findings of no episode: {others} ({:.2} a day), without guessing \
             and scanning of the real logs {:.2} a day: {}",
            covered as f64 / episodes.max(1) as f64,
            a_day(others),
            a_day(others - real),
            counts(&self.others)
        );
        print_silences(&self.silences);
    }
}

/// How soon silences were told.
fn print_silences(silences: &[f64]) {
    let (mut sorted, within) = (silences.to_vec(), silences.iter().filter(|pauses| **pauses <= 2.0).count());
    sorted.sort_unstable_by(f64::total_cmp);
    if let (Some(median), Some(most)) = (sorted.get(sorted.len() / 2), sorted.last()) {
        println!(
            "silence told after {median:.2} usual pauses in the median, {most:.2} at most; within 2 in {within} of {}",
            sorted.len()
        );
    }
}

fn counts(rules: &BTreeMap<String, u64>) -> String {
    rules.iter().map(|(rule, count)| format!("{rule} {count}")).collect::<Vec<_>>().join(", ")
}
