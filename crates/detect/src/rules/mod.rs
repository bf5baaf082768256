//! Sigma rules over the stream: each event is asked those rules that want its log source, and what they and their
//! correlations find is told as a run for each rule and whom it is about.

mod asked;
mod log_source;
mod probe;
mod tally;

use std::time::Duration;

use event::Value;
use finding::fact;
pub use probe::{Cost, costs};
use serde::{Deserialize, Serialize};
use sigma::{About, Correlated, Correlator, Limits, Options, Route, Scratch};
pub use sigma::{RuleError, Rules};
pub use tally::{Counts, RuleSet, Tally};

use self::{
    asked::Asked,
    log_source::{AUDIT, CLASSES, class_of},
};
use crate::{
    Config, Detector, Entity, EntityType, Finding, FindingKind, Level, Occurrence, Seen, StateError, Time,
    detector::{remembered, state},
    shipped::is_shipped,
    table::Occupancy,
    window::{Limit, Moment, Windows},
};

/// A run of matches of one rule about one entity is over after so long a pause.
const PAUSE: Duration = Duration::from_secs(3_600);

/// Reads rules for the events of the stream: their fields are taken for those of ECS. What is wrong with one is told,
/// and the others are there.
pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> (Rules, Vec<RuleError>) {
    let options = Options { field_mapping: Some(sigma::ecs_field), ..Options::default() };
    Rules::load(files, &options)
}

/// Holds Sigma rules against each event.
pub struct SigmaRules {
    rules: Rules,
    tally: Tally,
    /// Which rules want to see the events of each class.
    routes: Vec<Route>,
    correlator: Correlator,
    windows: Windows<(String, Entity), Note>,
    scratch: Scratch,
    met: Vec<Correlated>,
}

/// What is told of a rule's matches beside the run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Note {
    level: Option<Level>,
    techniques: Vec<String>,
    more: Vec<Entity>,
}

/// Entities that a finding carries beside the main one.
const MORE_MAX: usize = 6;

#[derive(Serialize, Deserialize)]
struct Saved {
    windows: Windows<(String, Entity), Note>,
    /// The state of the correlations, in a form of its own.
    correlations: Vec<u8>,
}

impl SigmaRules {
    /// These rules, with nothing seen yet.
    pub fn new(set: impl Into<RuleSet>, config: &Config) -> Self {
        let RuleSet { rules, tally } = set.into();
        let limit = Limit { points: 1, within: PAUSE };
        Self {
            routes: routes(&rules),
            correlator: Correlator::new(&rules, Limits::default()),
            windows: Windows::new(limit, config.keys_max / 4),
            scratch: Scratch::default(),
            met: Vec::new(),
            rules,
            tally,
        }
    }

    /// The rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    fn count(&mut self, about: &About, entity: Entity, seen: &Seen<'_>, findings: &mut Vec<Finding>) {
        let key = (about.id_or_title().to_owned(), entity);
        let moment = Moment::new(seen.at(), seen.activity.times.max(1));
        let Some(run) = self.windows.add(&key, moment, seen.analyzed.id) else { return };
        run.note.level = Some(level(about.level));
        run.note.techniques = about.techniques().collect();
        for entity in entities(seen) {
            if run.note.more.len() < MORE_MAX && entity != key.1 && !run.note.more.contains(&entity) {
                run.note.more.push(entity);
            }
        }
        if let Some(told) = self.windows.tell(&key, seen.at().as_nanos()) {
            if !told.is_update {
                self.tally.found(&key.0);
            }
            let note = self.windows.get(&key).map(|run| &run.note);
            findings.extend(note.and_then(|note| self.finding(&key, told, note)));
        }
    }

    /// What a rule or correlation says of itself.
    fn about(&self, id: &str) -> Option<&About> {
        let rules = self.rules.rules().iter().map(|rule| &rule.about);
        let correlations = self.rules.correlations().iter().map(|correlation| &correlation.about);
        rules.chain(correlations).find(|about| about.id_or_title() == id)
    }

    fn finding(&self, key: &(String, Entity), told: Occurrence, note: &Note) -> Option<Finding> {
        let mut finding = Finding::of_run(FindingKind::Sigma, note.level?, &key.0, key.1.clone(), told)
            .and(note.more.clone());
        finding.techniques.clone_from(&note.techniques);
        Some(match self.about(&key.0) {
            Some(about) => finding
                .fact(fact::RULE_TITLE, fact::text(&about.title))
                .fact(fact::RULE_DESCRIPTION, fact::text(about.description.as_deref().unwrap_or_default()))
                .fact(fact::FALSE_POSITIVES, fact::list(about.false_positives.iter().map(String::as_str))),
            None => finding,
        })
    }
}

/// Whether a detector tells the same of this event: by the same technique. Then a rule that comes along says nothing more
/// than how grave it is; one of the user's own is told in any case.
fn is_told_already(about: &About, seen: &Seen<'_>, findings: &mut [Finding]) -> bool {
    if !is_shipped(&about.file) {
        return false;
    }
    let family = |technique: &str| technique.split('.').next().unwrap_or_default().to_owned();
    let families: Vec<String> = about.techniques().map(|technique| family(&technique)).collect();
    let same = findings.iter_mut().rev().find(|finding| {
        finding.kind != FindingKind::Sigma
            && finding.evidence.contains(&seen.analyzed.id)
            && finding.techniques.iter().any(|technique| families.contains(&family(technique)))
    });
    if let Some(finding) = same {
        finding.level = finding.level.max(level(about.level));
        return true;
    }
    false
}

fn routes(rules: &Rules) -> Vec<Route> {
    CLASSES.iter().map(|class| rules.route(&class.sources())).collect()
}

const fn level(level: Option<sigma::Level>) -> Level {
    match level {
        Some(sigma::Level::Informational) => Level::Informational,
        Some(sigma::Level::Low) => Level::Low,
        None | Some(sigma::Level::Medium) => Level::Medium,
        Some(sigma::Level::High) => Level::High,
        Some(sigma::Level::Critical) => Level::Critical,
    }
}

/// Whom an event is about, the most telling one first.
fn entities(seen: &Seen<'_>) -> Vec<Entity> {
    let event = &seen.analyzed.event;
    let address = seen.activity.address.map(|address| address.to_string());
    let address = address.or_else(|| event.field("source.ip").and_then(Value::as_str).map(str::to_owned));
    let user = seen.activity.user.as_deref().or_else(|| event.field("user.name").and_then(Value::as_str));
    [
        address.map(|address| Entity::new(EntityType::SourceIp, address)),
        user.map(|user| Entity::new(EntityType::User, user)),
        event.host.as_deref().map(|host| Entity::new(EntityType::Host, host)),
        event.source.as_deref().map(|source| Entity::new(EntityType::Service, source)),
    ]
    .into_iter()
    .flatten()
    .filter(|entity| !entity.value.is_empty())
    .collect()
}

impl Detector for SigmaRules {
    fn name(&self) -> &'static str {
        "sigma"
    }

    fn see(&mut self, seen: &Seen<'_>, findings: &mut Vec<Finding>) {
        let event = &seen.analyzed.event;
        let class = class_of(event);
        let asked = Asked { event, is_audit: class == AUDIT };
        let matched = self.rules.matches(&asked, self.routes.get(class), &mut self.scratch);
        if matched.is_empty() {
            return;
        }
        let mut met = std::mem::take(&mut self.met);
        let times = seen.activity.times.max(1);
        self.correlator.observe(&self.rules, matched, &asked, event.timestamp.as_nanos(), times, &mut met);
        let alone =
            matched.iter().filter_map(|rule| self.rules.rules().get(*rule)).filter(|rule| rule.is_alone);
        matched
            .iter()
            .filter_map(|rule| self.rules.rules().get(*rule))
            .for_each(|rule| self.tally.matched(&rule.about));
        let mut told: Vec<About> = alone.map(|rule| rule.about.clone()).collect();
        for one in met.drain(..) {
            let correlation = self.rules.correlations().get(one.correlation);
            correlation.iter().for_each(|correlation| self.tally.matched(&correlation.about));
            let correlation = correlation.filter(|correlation| correlation.is_alone);
            told.extend(correlation.map(|correlation| correlation.about.clone()));
        }
        self.met = met;
        let entity =
            entities(seen).into_iter().next().unwrap_or_else(|| Entity::new(EntityType::Service, "unknown"));
        for about in told {
            if !is_told_already(&about, seen, findings) {
                self.count(&about, entity.clone(), seen, findings);
            }
        }
    }

    fn tick(&mut self, time: Time, findings: &mut Vec<Finding>) {
        self.correlator.forget_before(&self.rules, time.seen.as_nanos());
        for (key, told, note) in self.windows.over(time.seen) {
            findings.extend(self.finding(&key, told, &note));
        }
    }

    fn snapshot(&self) -> Result<Vec<u8>, StateError> {
        let correlations = self.correlator.snapshot(&self.rules);
        state(&Saved { windows: self.windows.clone(), correlations })
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), StateError> {
        let saved: Saved = remembered(snapshot)?;
        self.correlator = Correlator::restore(&self.rules, Limits::default(), &saved.correlations)?;
        self.windows.take_up(saved.windows);
        Ok(())
    }

    fn occupancy(&self) -> Occupancy {
        let status = self.correlator.status();
        let limits = Limits::default();
        let correlations = Occupancy {
            keys: status.groups,
            keys_max: limits.groups * self.rules.correlations().len(),
            evicted: status.groups_evicted,
            bytes_max: 0,
        };
        [self.windows.occupancy(), correlations].into_iter().sum()
    }
}
