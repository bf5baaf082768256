//! A stream with known truth: two real logs continued for many days, with episodes injected.
//!
//! The samples that the repository carries, `auth_ec2_2017` and `apache_access_2015`, are continued
//! by drawing blocks from them: each day of the replay takes one of the 23 whole days of the first,
//! and each of its hours one of the real hours at the same time of day of the second. The second
//! log's stamps all lie in the fifth minute of their hour, so its visits (lines of one address in a
//! row) are spread over the hour again. Addresses, ports, process ids and numbered users are varied
//! by the block; who logged in successfully keeps his address, and of every 200 requests one goes to
//! a page never asked for before. Where a program of the first log says 100
//! lines or tells of 20 failed logins within ten minutes, it is left out of these: real attacks and a
//! script's run. All other lines of the real logs count as ordinary, whatever they are.
//!
//! A slow drift, more and larger requests by a new browser, is no episode.

mod background;
mod episodes;
mod line;

use std::io;

use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_xoshiro::Xoshiro256PlusPlus;

use background::Background;
pub use episodes::{Episode, Kind};
use line::{DAY_MS, HOUR_MS};
pub use line::{Line, Log};

/// 2026-01-05T00:00:00Z, a Monday.
const START_MS: u64 = 1_767_571_200_000;
/// Days before the first episode.
const QUIET_DAYS: u64 = 3;

/// What a replay is made from; the same plan gives the same replay.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Draws everything.
    pub seed: u64,
    /// Length, 8 to 300.
    pub days: u64,
    /// Episodes, spread over all but the first days; every kind about as often.
    pub episodes: u32,
    /// Whether the world moves slowly in the second half.
    pub drift: bool,
}

/// A stream and its truth.
#[derive(Debug, Clone)]
pub struct Replay {
    /// In order of time.
    pub lines: Vec<Line>,
    /// In order of time; no two overlap.
    pub episodes: Vec<Episode>,
    /// When the slow drift goes on, in milliseconds since 1970; what it brought stays.
    pub drift: Option<(u64, u64)>,
}

/// The replay of a plan.
///
/// # Errors
/// When the samples cannot be unpacked.
pub fn generate(plan: Plan) -> io::Result<Replay> {
    let days = plan.days.clamp(8, 300);
    let mut random = Xoshiro256PlusPlus::seed_from_u64(plan.seed);
    let end_ms = START_MS + days * DAY_MS;
    let drift = plan.drift.then(|| (START_MS + days * 6 / 10 * DAY_MS, START_MS + days * 8 / 10 * DAY_MS));
    let mut background = Background::new(&mut random)?;
    let mut lines = vec![];
    for day in 0..days {
        background.day(START_MS + day * DAY_MS, drift, &mut random, &mut lines);
    }
    lines.sort_by_key(|line| line.at_ms);
    let mut kinds: Vec<Kind> = Kind::ALL.into_iter().cycle().take(plan.episodes as usize).collect();
    kinds.shuffle(&mut random);
    let first_ms = START_MS + QUIET_DAYS * DAY_MS;
    let slot_ms = (end_ms - first_ms) / u64::from(plan.episodes.max(1));
    let mut found = vec![];
    let mut injected = vec![];
    for (id, kind) in kinds.into_iter().enumerate() {
        let length_ms = episodes::length_ms(kind, &mut random).min(slot_ms / 2);
        let spare_ms = (slot_ms - length_ms).saturating_sub(HOUR_MS).max(1);
        let start_ms = first_ms + slot_ms * id as u64 + random.random_range(0..spare_ms);
        let mut episode = Episode {
            id: id as u32,
            kind,
            log: episodes::log_of(kind),
            start_ms,
            end_ms: start_ms + length_ms,
        };
        episodes::inject(&mut episode, &background, &mut lines, &mut injected, &mut random);
        found.push(episode);
    }
    lines.append(&mut injected);
    lines.sort_by_key(|line| line.at_ms);
    Ok(Replay { lines, episodes: found, drift })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: Plan = Plan { seed: 7, days: 14, episodes: 18, drift: true };

    #[test]
    fn the_same_plan_gives_the_same_stream_and_another_seed_another() {
        let texts =
            |plan| generate(plan).unwrap().lines.into_iter().map(|line| line.text).collect::<Vec<_>>();
        assert_eq!(texts(PLAN), texts(PLAN));
        assert_ne!(texts(PLAN), texts(Plan { seed: 8, ..PLAN }));
    }

    #[test]
    fn every_episode_has_lines_of_its_own_and_its_time_to_itself() {
        let replay = generate(PLAN).unwrap();
        assert!(replay.lines.is_sorted_by_key(|line| line.at_ms));
        assert_eq!(replay.episodes.len(), 18);
        assert!(replay.episodes.windows(2).all(|pair| pair[0].end_ms < pair[1].start_ms));
        for kind in Kind::ALL {
            assert_eq!(replay.episodes.iter().filter(|episode| episode.kind == kind).count(), 2);
        }
        for episode in &replay.episodes {
            let own: Vec<&Line> =
                replay.lines.iter().filter(|line| line.episode == Some(episode.id)).collect();
            assert!(!own.is_empty(), "{episode:?}");
            assert!(own.iter().all(|line| line.log == episode.log && line.at_ms >= episode.start_ms));
            if episode.kind == Kind::Silence {
                let between = replay.lines.iter().filter(|line| {
                    line.log == Log::Access && (episode.start_ms..episode.end_ms).contains(&line.at_ms)
                });
                assert_eq!(between.count(), 0);
            }
        }
    }
}
