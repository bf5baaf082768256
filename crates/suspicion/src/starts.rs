//! How rare a start of a program is: what is usual of its starts is counted, and an isolation forest says whether what is rare about one
//! is strange together.

use event::Timestamp;
use finding::{FindingKind, Level, fact};
use forest::Forest;

use crate::{
    known::{BUILDERS, PACKAGERS},
    scene::{Found, Rule, Scene, Suspicion},
    usual::named,
};

const STRANGE: Rule =
    Rule { name: "process_strange_start", kind: FindingKind::Anomaly, technique: "T1059", look: |_, _| None };

/// What is counted of a start; reasons have these names.
pub const HABITS: [&str; 5] = ["program", "parent", "user", "hour", "arguments"];
/// Bits from which on a habit is a reason: one start in 64 had it.
const REASON_BITS: f32 = 6.0;
/// Of which there must be two.
const REASONS_MIN: usize = 2;
/// Less is ordinary, whatever the forest was grown on.
const SCORE_MIN: f32 = 0.6;
/// Words of a command that make its shape, and its bytes.
const WORDS: usize = 8;
const SHAPE_BYTES: usize = 120;

/// One habit of a start: among the starts of something, this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Habit {
    /// Of which program; empty: among all.
    pub of: String,
    /// What.
    pub what: String,
}

/// The habits of a start, in the order of [`HABITS`]; None of what builders and package managers run, which is new each time.
#[must_use]
pub fn habits(scene: &Scene<'_>) -> Option<[Habit; 5]> {
    let parent = scene.ancestors.first()?;
    if scene.now.executable.is_none()
        || scene.is_below(usize::MAX, BUILDERS)
        || scene.is_below(usize::MAX, PACKAGERS)
    {
        return None;
    }
    let program = named(scene.now);
    let of = |what: String| Habit { of: program.clone(), what };
    Some([
        Habit { of: String::new(), what: program.clone() },
        of(named(parent)),
        of(scene.now.user.to_string()),
        of(hour(scene.at)),
        of(shape(&scene.now.command)),
    ])
}

/// How rare a habit is, in whole bits, so that what is always so is one number: so many starts there were, and so many of them had it.
#[must_use]
pub fn rarity(starts: u64, had_it: u64) -> f32 {
    ((starts as f32 + 1.0) / (had_it as f32 + 0.5)).log2().round().max(0.0)
}

/// What is strange of a start with habits so rare: more than any start was that the forest was grown on, whose score was the greatest.
#[must_use]
pub fn strange(
    scene: &Scene<'_>,
    rarities: &[f32; 5],
    (forest, greatest): (&Forest, f32),
) -> Option<Suspicion> {
    let mut rare: Vec<(&str, f32)> =
        HABITS.iter().copied().zip(*rarities).filter(|(_, bits)| *bits >= REASON_BITS).collect();
    if rare.len() < REASONS_MIN {
        return None;
    }
    let score = forest.score_row(rarities);
    if score <= greatest.max(SCORE_MIN) {
        return None;
    }
    rare.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let mut suspicion = scene.suspicion(&STRANGE, Found::at(Level::Low));
    suspicion.finding = suspicion
        .finding
        .fact(fact::SCORE, (f64::from(score) * 1000.0).round() / 1000.0)
        .fact(fact::REASONS, fact::list(rare.into_iter().map(|(name, _)| name)));
    Some(suspicion)
}

/// Four hours of the day, in UTC.
fn hour(at: Timestamp) -> String {
    const HOUR_NANOS: i64 = 3_600 * 1_000_000_000;
    (at.as_nanos().div_euclid(HOUR_NANOS).rem_euclid(24) / 4).to_string()
}

/// The options of a command, and of what kind its other words are.
fn shape(command: &str) -> String {
    let words = command.split_whitespace().skip(1).take(WORDS).map(|word| match word {
        _ if word.starts_with('-') => word.split('=').next().unwrap_or(word),
        _ if word.contains("://") => "address",
        _ if word.contains('/') => "path",
        _ if word.bytes().any(|byte| byte.is_ascii_digit()) => "number",
        _ => "word",
    });
    let mut shape = words.collect::<Vec<_>>().join(" ");
    shape.truncate(shape.floor_char_boundary(SHAPE_BYTES));
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_one_shape_are_one() {
        assert_eq!(shape("psql -h db --port=5432 app 7"), "-h word --port word number");
        assert_eq!(shape("curl -s http://192.0.2.7/x -o /tmp/x"), "-s address -o path");
        assert_eq!(shape("sh"), "");
        assert_eq!(rarity(0, 0), 1.0);
        assert_eq!((rarity(1_000, 0), rarity(1_000, 1_000)), (11.0, 0.0));
    }
}
