//! What rules and detectors would have told of events that are over: the engine that the stream has, with the events'
//! own times for a clock.
//!
//! Events come in the order of their times where they are read back from a store, not in that of the journal, so that
//! what came late then is in its place now.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use event::{Analyzed, EventId, Timestamp};
use foldhash::fast::RandomState;
use sigma::Rules;

use crate::{Config, Engine, Entity, EntityType, Finding, FindingKind, Level, SigmaRules, window::nanos};

/// Entities that are told apart for each rule; findings about others are counted together.
const ENTITIES_MAX: usize = 10_000;
/// Findings of each rule that are shown.
const EXAMPLES_MAX: usize = 5;
/// Bytes of a message that are shown.
const MESSAGE_BYTES_MAX: usize = 512;
/// After so long every run of events is over.
const AFTER: Duration = Duration::from_secs(3 * 3_600);
/// A period is never taken for less than this, else three findings in a second would be hundreds of thousands a day.
const LEAST: Duration = Duration::from_secs(3_600);
const DAY: f64 = 86_400.0 * 1e9;

/// The engine over what is past.
pub struct Past {
    engine: Engine,
    told: BTreeMap<(FindingKind, String), Told>,
    events: u64,
    period: Option<(Timestamp, Timestamp)>,
}

/// What came of a period.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Events that were looked at.
    pub events: u64,
    /// When the first and the last of them happened.
    pub period: Option<(Timestamp, Timestamp)>,
    /// What would have been told, by what was told most often.
    pub told: Vec<Told>,
}

/// What one rule, or one detector for one kind, would have told.
#[derive(Debug, Clone)]
pub struct Told {
    /// What kind of thing.
    pub kind: FindingKind,
    /// The rule: a Sigma rule's id or title, else the detector's name.
    pub rule: String,
    /// How grave, at most.
    pub level: Level,
    /// How often: runs of events about one thing, each once.
    pub findings: u64,
    /// Events that they stand for.
    pub events: u64,
    /// The first findings.
    pub examples: Vec<Example>,
    abouts: HashMap<Entity, About, RandomState>,
}

/// What was told about one thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// How often.
    pub findings: u64,
    /// Events that they stand for.
    pub events: u64,
    /// Whether each time the event had it in the field that [`field_of`] names.
    pub is_in_field: bool,
    /// Events of the run that was told last.
    run: u64,
}

/// A finding, and what was read when it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// When it was last seen.
    pub at: Timestamp,
    /// Whom or what it is about.
    pub about: Entity,
    /// The event at which it was found; None where it was found because nothing came.
    pub event: Option<EventId>,
    /// What that said, perhaps cut.
    pub message: String,
}

impl Past {
    /// All detectors, and these rules.
    pub fn new(config: Config, rules: Rules) -> Self {
        Self::of(Engine::with_rules(config, rules))
    }

    /// These rules alone.
    pub fn of_rules(config: Config, rules: Rules) -> Self {
        let sigma = SigmaRules::new(rules, &config);
        Self::of(Engine::with(config, vec![Box::new(sigma)]))
    }

    fn of(engine: Engine) -> Self {
        Self { engine, told: BTreeMap::new(), events: 0, period: None }
    }

    /// Looks at an event.
    pub fn see(&mut self, analyzed: &Analyzed<'_>) {
        self.events += 1;
        let at = analyzed.event.timestamp;
        if !analyzed.event.is_future() {
            let (first, last) = self.period.unwrap_or((at, at));
            self.period = Some((first.min(at), last.max(at)));
        }
        self.engine.see_one(analyzed);
        for finding in self.engine.drain() {
            self.take(finding, Some(analyzed));
        }
    }

    /// Ends the period. What is told because nothing comes behind it is left out.
    pub fn end(mut self) -> Outcome {
        if let Some((_, last)) = self.period {
            self.engine.tick_now(last.saturating_add(nanos(AFTER)));
            let over = self.engine.drain().into_iter().filter(|finding| finding.is_update);
            over.for_each(|finding| self.take(finding, None));
        }
        let mut told: Vec<Told> = self.told.into_values().collect();
        told.sort_by_key(|told| std::cmp::Reverse((told.findings, told.events)));
        Outcome { events: self.events, period: self.period, told }
    }

    fn take(&mut self, finding: Finding, analyzed: Option<&Analyzed<'_>>) {
        let Some(main) = finding.entities.first() else { return };
        let told = self.told.entry((finding.kind, finding.rule.clone())).or_insert_with(|| Told {
            kind: finding.kind,
            rule: finding.rule.clone(),
            level: finding.level,
            findings: 0,
            events: 0,
            examples: vec![],
            abouts: HashMap::default(),
        });
        told.level = told.level.max(finding.level);
        let analyzed = analyzed.filter(|analyzed| finding.evidence.contains(&analyzed.id));
        if !finding.is_update {
            told.findings += 1;
            if told.examples.len() < EXAMPLES_MAX {
                told.examples.push(example(&finding, main, analyzed));
            }
        }
        if told.abouts.len() >= ENTITIES_MAX && !told.abouts.contains_key(main) {
            told.events += finding.count;
            return;
        }
        let about =
            told.abouts.entry(main.clone()).or_insert(About { is_in_field: true, ..About::default() });
        // An update tells the whole run again.
        let before = if finding.is_update { about.run } else { 0 };
        let more = finding.count.saturating_sub(before);
        about.run = finding.count;
        about.events += more;
        told.events += more;
        if !finding.is_update {
            about.findings += 1;
            about.is_in_field &= analyzed.is_some_and(|analyzed| is_in_field(analyzed, main));
        }
    }
}

fn example(finding: &Finding, about: &Entity, analyzed: Option<&Analyzed<'_>>) -> Example {
    let message = analyzed.map_or("", |analyzed| analyzed.event.message.as_ref());
    let message = message[..message.floor_char_boundary(MESSAGE_BYTES_MAX)].to_owned();
    Example { at: finding.last, about: about.clone(), event: analyzed.map(|analyzed| analyzed.id), message }
}

/// The field in which events usually have a thing of this type; None where they have none.
pub const fn field_of(r#type: EntityType) -> Option<&'static str> {
    match r#type {
        EntityType::SourceIp => Some("source.ip"),
        EntityType::User => Some("user.name"),
        EntityType::Host => Some(event::field::HOST_NAME),
        EntityType::Service => Some(event::field::SERVICE_NAME),
        EntityType::Process | EntityType::Template => None,
    }
}

fn is_in_field(analyzed: &Analyzed<'_>, entity: &Entity) -> bool {
    let event = &analyzed.event;
    let value = match entity.r#type {
        EntityType::Host => event.host.as_deref(),
        EntityType::Service => event.source.as_deref(),
        other => field_of(other).and_then(|field| event.field(field)).and_then(event::Value::as_str),
    };
    value == Some(entity.value.as_str())
}

impl Outcome {
    /// Days from the first event to the last; an hour at least.
    pub fn days(&self) -> f64 {
        let (first, last) = self.period.unwrap_or((Timestamp::MIN, Timestamp::MIN));
        let span = i128::from(last.as_nanos()) - i128::from(first.as_nanos());
        (span as f64).max(nanos(LEAST) as f64) / DAY
    }

    /// What a rule would have told; None for nothing.
    pub fn of_rule(&self, rule: &str) -> Option<&Told> {
        self.told.iter().find(|told| told.rule == rule)
    }
}

impl Told {
    /// What it was told about most often, the most frequent first.
    pub fn most(&self, count: usize) -> Vec<(&Entity, &About)> {
        let mut all: Vec<_> = self.abouts.iter().collect();
        all.sort_by(|(a, of_a), (b, of_b)| {
            (of_b.findings, of_b.events, *a).cmp(&(of_a.findings, of_a.events, *b))
        });
        all.truncate(count);
        all
    }
}

#[cfg(test)]
mod tests {
    use event::{Event, JournalId, Position};

    use super::*;
    use crate::rules;

    const RULE: &str = "title: A heron\nid: 00000000-0000-4000-8000-000000000001\nlogsource: {product: linux}\n\
                        detection:\n  words: [heron]\n  condition: words\nlevel: high\n";
    const MINUTE: i64 = 60_000_000_000;

    fn seen(past: &mut Past, number: u32, minute: i64, user: &'static str, message: &'static str) {
        let at = Timestamp::parse("2026-11-02T00:00:00Z").unwrap().saturating_add(minute * MINUTE);
        let mut event = Event::new(message, at);
        event.host = Some("web-1".into());
        event.set("user.name", user);
        let id = EventId { journal: JournalId(1), position: Position { segment: 0, record: number } };
        past.see(&Analyzed::unanalyzed(id, event));
    }

    #[test]
    fn runs_are_counted_once_and_their_events_all() {
        let (rules, errors) = rules::read([("heron.yml", RULE)]);
        assert!(errors.is_empty());
        let mut past = Past::of_rules(Config::default(), rules);
        for number in 0..11 {
            seen(&mut past, number, i64::from(number), "ann", "a heron flies");
        }
        seen(&mut past, 11, 20, "bob", "a heron lands");
        seen(&mut past, 12, 30, "bob", "a crane lands");
        // Two hours on it is another run.
        seen(&mut past, 13, 300, "ann", "a heron flies");
        seen(&mut past, 14, 2 * 1440, "bob", "nothing");
        let outcome = past.end();
        assert_eq!((outcome.events, outcome.days().round()), (15, 2.0));
        let told = outcome.of_rule("00000000-0000-4000-8000-000000000001").unwrap();
        assert_eq!((told.findings, told.events, told.level), (3, 13, Level::High));
        let most = told.most(5);
        assert_eq!((most[0].0.value.as_str(), most[0].1.findings, most[0].1.events), ("ann", 2, 12));
        assert!(most[0].1.is_in_field);
        assert_eq!(most.len(), 2);
        assert_eq!(told.examples.len(), 3);
        assert_eq!(told.examples[1].message, "a heron lands");
        assert_eq!(outcome.told.len(), 1, "no detector looked");
        assert!(outcome.of_rule("another").is_none());
    }

    #[test]
    fn what_ends_with_the_period_is_no_silence() {
        let mut past = Past::new(Config::default(), Rules::default());
        for number in 0..3_000 {
            seen(&mut past, number, i64::from(number), "ann", "tick");
        }
        let outcome = past.end();
        assert!(outcome.told.iter().all(|told| told.kind != FindingKind::SourceSilent), "{:?}", outcome.told);
        assert_eq!(Past::new(Config::default(), Rules::default()).end().events, 0);
    }
}
