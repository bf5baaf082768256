//! A process when it changed, with what is known around it.

use event::Timestamp;
use finding::{Entity, EntityType, Finding, FindingKind, Level, Occurrence, fact};
use process::Process;

use crate::known::program;

/// Something suspect.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspicion {
    /// What to tell.
    pub finding: Finding,
    /// It is news only where the host was never met with this.
    pub once: Option<String>,
}

/// A rule.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) kind: FindingKind,
    pub(crate) technique: &'static str,
    pub(crate) look: fn(&Scene<'_>, &Process) -> Option<Found>,
}

/// What a rule found.
pub(crate) struct Found {
    pub(crate) level: Level,
    pub(crate) once: Option<String>,
    /// What else there is to say of it.
    pub(crate) about: Option<String>,
}

impl Found {
    pub(crate) const fn at(level: Level) -> Self {
        Self { level, once: None, about: None }
    }
}

/// A process when it changed.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'s> {
    /// The host.
    pub host: &'s str,
    /// When it changed.
    pub at: Timestamp,
    /// As it is now.
    pub now: &'s Process,
    /// As it was before, where it was there.
    pub before: Option<&'s Process>,
    /// Its parent, the parent of that, and so on, as far as they are known.
    pub ancestors: &'s [Process],
    /// The process that traces it, where that is known.
    pub tracer: Option<&'s Process>,
}

impl Scene<'_> {
    /// Whether one of the nearest so many ancestors runs one of these programs.
    pub(crate) fn is_below(&self, generations: usize, programs: &[&str]) -> bool {
        self.ancestors.iter().take(generations).any(|ancestor| programs.contains(&program(ancestor)))
    }

    pub(crate) fn suspicion(&self, rule: &Rule, found: Found) -> Suspicion {
        let run =
            Occurrence { first: self.at, last: self.at, count: 1, is_update: false, evidence: Vec::new() };
        let process = self.now;
        let named = process.executable.as_deref().unwrap_or(&process.name);
        let mut finding =
            Finding::of_run(rule.kind, found.level, rule.name, Entity::new(EntityType::Host, self.host), run)
                .technique(rule.technique)
                .and([Entity::new(EntityType::Process, named), Entity::new(EntityType::User, &*process.user)])
                .fact(fact::PROCESS_IDS, fact::list([process.pid.to_string().as_str()]));
        let parent = self.ancestors.first().map(said);
        let texts = [
            (fact::COMMAND_LINES, Some(said(process))),
            (fact::FILES, process.executable.as_deref()),
            (fact::PROCESS_HASHES, process.executable_hash.as_deref()),
            (fact::PARENTS, parent),
        ];
        for (name, text) in texts {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                finding = finding.fact(name, fact::list([text]));
            }
        }
        if let Some(about) = found.about {
            finding = finding.fact(fact::REASONS, fact::list([about.as_str()]));
        }
        Suspicion { finding, once: found.once }
    }
}

/// What a process calls itself.
fn said(process: &Process) -> &str {
    if process.command.is_empty() { &process.name } else { &process.command }
}
