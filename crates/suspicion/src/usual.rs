//! What a program usually starts, and when it is strange that it starts something else.
//!
//! A program whose children were seen often enough, and among them nothing new for long, has a closed repertoire: a web server that
//! starts its workers, an sshd that starts shells. Whatever it starts then for the first time is told. Shells, builders and package
//! managers start anything, and have none. By Good and Turing the share of what was seen once is how likely the next is new
//! (I. J. Good, "The population frequencies of species and the estimation of population parameters", Biometrika 40, 1953).

use event::Timestamp;
use finding::{FindingKind, Level, fact};
use process::Process;

use crate::{
    known::{
        BUILDERS, FETCHERS, PACKAGERS, PIPES, SHELLS, STARTERS, is_installed, is_interpreter, is_open,
        program,
    },
    scene::{Found, Rule, Scene, Suspicion},
};

const UNUSUAL: Rule = Rule {
    name: "process_unusual_child",
    kind: FindingKind::ProcessUnusualParent,
    technique: "T1059",
    look: |_, _| None,
};

/// Bytes of a name.
const NAME_BYTES: usize = 200;
/// Starts from which on a repertoire can be closed.
const STARTS_MIN: u64 = 50;
/// Children that it has at most.
const CHILDREN_MAX: usize = 12;
/// One in so many starts may have been of what was seen once only.
const ONCE_IN: u64 = 50;

/// A program and what it started, by names that survive upgrades.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The program that starts.
    pub parent: String,
    /// What it starts.
    pub child: String,
}

/// What a program was seen to start on a host before.
#[derive(Debug, Clone, Default)]
pub struct Repertoire {
    /// Its children, those first that were seen most often, each with how often.
    pub children: Vec<(String, u64)>,
    /// When the first was seen, and when one was seen last that was new then.
    pub seen: Option<(Timestamp, Timestamp)>,
}

/// The pair to be remembered of a change; None where the parent is not known, or is one that starts anything.
#[must_use]
pub fn pair(scene: &Scene<'_>) -> Option<Pair> {
    let parent = scene.ancestors.first().filter(|parent| parent.pid > 1 && !parent.kernel_thread)?;
    let path = parent.executable.as_deref()?;
    let called = program(parent);
    let starts_anything = SHELLS.contains(&called)
        || is_interpreter(called)
        || [BUILDERS, PACKAGERS, STARTERS].iter().any(|programs| programs.contains(&called));
    if starts_anything || !is_installed(path) {
        return None;
    }
    Some(Pair { parent: named(parent), child: named(scene.now) })
}

/// What is strange of a pair that was never seen on the host before, with what its parent was seen to start; `learned` is how long a
/// repertoire must have been seen, and nothing new in it for a third of that.
#[must_use]
pub fn unusual(
    scene: &Scene<'_>,
    repertoire: &Repertoire,
    learned: std::time::Duration,
) -> Option<Suspicion> {
    let (first, new) = repertoire.seen?;
    let starts: u64 = repertoire.children.iter().map(|(_, seen)| seen).sum();
    let once = repertoire.children.iter().filter(|(_, seen)| *seen == 1).count() as u64;
    let is_long = |since: Timestamp, span: std::time::Duration| {
        scene.at.as_nanos().saturating_sub(since.as_nanos())
            >= i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)
    };
    let is_closed = starts >= STARTS_MIN
        && repertoire.children.len() <= CHILDREN_MAX
        && once * ONCE_IN <= starts
        && is_long(first, learned)
        && is_long(new, learned / 3);
    if !is_closed {
        return None;
    }
    let child = program(scene.now);
    let path = scene.now.executable.as_deref().unwrap_or_default();
    let gives_control = SHELLS.contains(&child)
        || is_interpreter(child)
        || PIPES.contains(&child)
        || FETCHERS.contains(&child)
        || is_open(path)
        || !is_installed(path);
    let mut suspicion =
        scene.suspicion(&UNUSUAL, Found::at(if gives_control { Level::Medium } else { Level::Low }));
    let usual = repertoire.children.iter().map(|(name, _)| name.as_str());
    suspicion.finding =
        suspicion.finding.fact(fact::USUAL_PROGRAMS, fact::list(usual)).fact(fact::USUAL_STARTS, starts);
    Some(suspicion)
}

/// By its name where packages put it, else by its path, in which numbers are one.
pub(crate) fn named(process: &Process) -> String {
    let path = process.executable.as_deref().unwrap_or(&process.name);
    if is_installed(path) {
        return program(process).to_owned();
    }
    let mut name = String::new();
    for sign in path.chars() {
        match sign.is_ascii_digit() {
            true if name.ends_with('#') => {}
            true => name.push('#'),
            false => name.push(sign),
        }
    }
    name.truncate(name.floor_char_boundary(NAME_BYTES));
    name
}
