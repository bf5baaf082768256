//! Rows of a rule as findings.

use std::collections::{BTreeMap, HashSet};

use event::{EventId, Timestamp};
use finding::{Entity, EntityType, Finding, FindingKind, Level, Occurrence, fact};
use signal::{Evidence, Observed};
use sql::{Answer, Value};

use super::rule::Rule;

/// Things that one run tells of; the next run tells the others.
const TOLD_AT_ONCE: usize = 100;
/// Events shown of a finding.
const EVIDENCE_MAX: usize = 8;

/// The hash by which a row is known again.
pub(crate) type Mark = [u8; 16];

/// What is new in an answer.
#[derive(Debug, Default)]
pub(crate) struct New {
    /// What is to be told.
    pub(crate) observed: Vec<Observed>,
    /// Rows that are there now, and known from now on.
    pub(crate) marks: HashSet<Mark>,
    /// Rows that were not there before.
    pub(crate) rows: u64,
}

/// A row with the names of its columns.
struct Named<'a> {
    columns: &'a [String],
    row: &'a [Value],
}

impl Named<'_> {
    fn text(&self, name: &str) -> Option<String> {
        let at = self.columns.iter().position(|column| column == name)?;
        match self.row.get(at)? {
            Value::Text(text) if !text.is_empty() => Some(text.clone()),
            Value::Integer(number) => Some(number.to_string()),
            _ => None,
        }
    }

    fn time(&self, name: &str) -> Option<Timestamp> {
        Timestamp::parse(&self.text(name)?).ok()
    }

    fn mark(&self, key: &[String]) -> Mark {
        let mut hasher = blake3::Hasher::new();
        for (name, value) in self.columns.iter().zip(self.row) {
            if key.is_empty() || key.contains(name) {
                let text = format!("{value:?}");
                hasher.update(&(text.len() as u64).to_le_bytes());
                hasher.update(text.as_bytes());
            }
        }
        let mut mark = Mark::default();
        hasher.finalize_xof().fill(&mut mark);
        mark
    }

    /// Whom it is about; the rule itself, where the columns are empty.
    fn entities(&self, rule: &Rule) -> Vec<Entity> {
        let named = [
            ("host", EntityType::Host),
            ("source_ip", EntityType::SourceIp),
            ("user", EntityType::User),
            ("service", EntityType::Service),
            ("process", EntityType::Process),
        ];
        let found = named.into_iter().filter_map(|(name, kind)| Some(Entity::new(kind, self.text(name)?)));
        let mut found: Vec<Entity> = found.collect();
        if found.is_empty() {
            found.push(Entity::new(EntityType::Service, rule.id.clone()));
        }
        found
    }

    fn evidence(&self) -> Option<Evidence> {
        let id: EventId = self.text("id")?.parse().ok()?;
        let message = self.text("message").unwrap_or_default();
        Some(Evidence::new(id, self.time("timestamp")?, &message).of_service(self.text("service").as_deref()))
    }

    fn shown(&self) -> String {
        let cells = self.columns.iter().zip(self.row).map(|(name, value)| match value {
            Value::Null => format!("{name}: -"),
            Value::Integer(number) => format!("{name}: {number}"),
            Value::Real(number) => format!("{name}: {number}"),
            Value::Text(text) => format!("{name}: {text}"),
        });
        cells.collect::<Vec<_>>().join(", ")
    }
}

/// What of an answer was not there before: a finding for each thing that rows are about.
pub(crate) fn new(rule: &Rule, answer: &Answer, known: &HashSet<Mark>, now: Timestamp) -> New {
    let mut new = New::default();
    let mut groups: BTreeMap<(Option<String>, Entity), Vec<Named<'_>>> = BTreeMap::new();
    for row in &answer.rows {
        let row = Named { columns: &answer.columns, row };
        let mark = row.mark(&rule.key);
        if known.contains(&mark) || new.marks.contains(&mark) {
            new.marks.insert(mark);
            continue;
        }
        let Some(about) = row.entities(rule).into_iter().next() else { continue };
        let group = (row.text("organization"), about);
        if groups.len() < TOLD_AT_ONCE || groups.contains_key(&group) {
            new.marks.insert(mark);
            new.rows += 1;
            groups.entry(group).or_default().push(row);
        }
    }
    for ((organization, _), rows) in groups {
        new.observed.push(observed(rule, organization, &rows, now));
    }
    new
}

fn observed(rule: &Rule, organization: Option<String>, rows: &[Named<'_>], now: Timestamp) -> Observed {
    let times: Vec<Timestamp> = rows.iter().filter_map(|row| row.time("timestamp")).collect();
    let evidence: Vec<Evidence> = rows.iter().filter_map(|row| row.evidence()).take(EVIDENCE_MAX).collect();
    let run = Occurrence {
        first: times.iter().copied().min().unwrap_or(now),
        last: times.iter().copied().max().unwrap_or(now),
        count: rows.len() as u64,
        is_update: false,
        evidence: evidence.iter().map(|event| event.id).collect(),
    };
    let mut entities = rows.iter().flat_map(|row| row.entities(rule));
    let about = entities.next().unwrap_or_else(|| Entity::new(EntityType::Service, rule.id.clone()));
    let shown: Vec<String> = rows.iter().take(fact::LIST_MAX).map(|row| row.shown()).collect();
    let mut finding = Finding::of_run(FindingKind::SqlRule, rule.severity, &rule.id, about, run)
        .and(entities)
        .fact(fact::RULE_TITLE, fact::text(&rule.title))
        .fact(fact::REASONS, fact::list(shown.iter().map(String::as_str)));
    if let Some(description) = &rule.description {
        finding = finding.fact(fact::RULE_DESCRIPTION, fact::text(description));
    }
    if !rule.false_positives.is_empty() {
        let known = fact::list(rule.false_positives.iter().map(String::as_str));
        finding = finding.fact(fact::FALSE_POSITIVES, known);
    }
    finding.techniques.clone_from(&rule.techniques);
    Observed { finding, organization, evidence }
}

/// That a rule runs no more.
pub(crate) fn suspended(id: &str, title: &str, reason: &str, now: Timestamp) -> Observed {
    let run = Occurrence { first: now, last: now, count: 1, is_update: false, evidence: Vec::new() };
    let about = Entity::new(EntityType::Service, "log-sentinel");
    let finding = Finding::of_run(FindingKind::RuleSuspended, Level::Medium, id, about, run)
        .fact(fact::RULE_TITLE, fact::text(title))
        .fact(fact::REASONS, fact::list([reason]));
    Observed { finding, organization: None, evidence: Vec::new() }
}
