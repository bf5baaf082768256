//! What a person should be told of processes. [`suspicions`] looks at one change of a process ([`Scene`]) and gives what is suspect of
//! it and was not before, each with the `Finding` that says so. The rules, and what they are silent about, are in `rules`; names and
//! folders that they know in `known` ([0112](../../../docs/decisions/0112-rules-over-processes.md)).
//!
//! Synchronous and pure: it reads no file, no clock and no process. What is news on a host only once is given with a key, and whoever
//! keeps what is known of hosts says whether it is.

mod known;
mod listening;
mod names;
mod resources;
mod rules;
mod scene;
mod starts;
mod usual;

pub use resources::{Consumer, Excess, Past, Resource, excessive};
pub use scene::{Scene, Suspicion};
pub use starts::{HABITS, Habit, habits, rarity, strange};
pub use usual::{Pair, Repertoire, pair, unusual};

/// What is suspect of a process now and was not before.
#[must_use]
pub fn suspicions(scene: &Scene<'_>) -> Vec<Suspicion> {
    let mut found: Vec<Suspicion> = rules::RULES
        .iter()
        .filter_map(|rule| {
            let now = (rule.look)(scene, scene.now)?;
            let was = scene.before.is_some_and(|before| (rule.look)(scene, before).is_some());
            (!was).then(|| scene.suspicion(rule, now))
        })
        .collect();
    found.extend(rules::overwritten(scene));
    found.extend(listening::new(scene));
    found
}
