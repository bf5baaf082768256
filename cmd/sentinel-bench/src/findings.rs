//! Which injected episodes are covered by a finding, and what else is found.

use std::collections::BTreeMap;

use detect::{Config, Engine, Finding, Level};
use event::Batch;
use testkit::replay::{Kind, Line, Replay};

/// A finding that comes so long after an episode may still be of it.
const GRACE_MS: u64 = 15 * 60_000;
/// What the real logs that are continued do hold.
const REAL: [&str; 3] = ["ssh_brute_force", "web_scan", "web_exploit_attempt"];
const DAY_MS: u64 = 86_400_000;

/// Detection beside the analysis of one stream.
pub(crate) struct Watch {
    engine: Engine,
    told: Vec<(usize, Finding)>,
    seen: usize,
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
    days: u64,
}

impl Watch {
    pub(crate) fn new() -> Self {
        Self { engine: Engine::new(Config::default()), told: Vec::new(), seen: 0 }
    }

    pub(crate) fn see(&mut self, batch: &Batch<'_>) {
        for analyzed in &batch.events {
            self.engine.see_one(analyzed);
            // What is told for information only is what goes on everywhere: it covers nothing, and is no alarm.
            let told = self.engine.drain().into_iter().filter(|one| one.level > Level::Informational);
            let told = told.map(|finding| (self.seen, finding));
            self.told.extend(told);
            self.seen += 1;
        }
    }

    /// Holds what was found against the truth; shows so many of the findings that are of no episode.
    pub(crate) fn judge(self, replay: &Replay, mut show: usize) -> Judged {
        let mut judged = Judged::default();
        if let (Some(first), Some(last)) = (replay.lines.first(), replay.lines.last()) {
            judged.days = (last.at_ms - first.at_ms).div_ceil(DAY_MS);
        }
        let mut first_told: BTreeMap<u32, (u64, String)> = BTreeMap::new();
        for (at, finding) in self.told {
            let line: &Line = &replay.lines[at];
            let near = replay
                .episodes
                .iter()
                .find(|episode| episode.start_ms <= line.at_ms && line.at_ms <= episode.end_ms + GRACE_MS);
            match (line.episode, near) {
                (Some(id), _) => drop(first_told.entry(id).or_insert((line.at_ms, finding.rule))),
                (None, Some(episode)) => {
                    first_told.entry(episode.id).or_insert((line.at_ms, finding.rule));
                }
                (None, None) if !finding.is_update => {
                    if show > 0 {
                        show -= 1;
                        eprintln!("  {} {}: {}", finding.rule, finding.entities[0].value, line.text);
                    }
                    *judged.others.entry(finding.rule).or_default() += 1;
                }
                (None, None) => {}
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
    }
}

fn counts(rules: &BTreeMap<String, u64>) -> String {
    rules.iter().map(|(rule, count)| format!("{rule} {count}")).collect::<Vec<_>>().join(", ")
}
