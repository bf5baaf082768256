//! Which alerts something is for.

use event::Timestamp;
use finding::{Entity, EntityType, FindingKind, Level};

use super::{fields::Fields, hours::Hours, problem::suggestion};
use crate::message::Telling;

/// A pattern in which `*` stands for any text, whatever the case.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pattern(String);

impl Pattern {
    fn new(text: &str) -> Self {
        Self(text.to_lowercase())
    }

    /// Whether it is a pattern of this text. It takes as long as both are long, times one another.
    fn matches(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else { return false };
        let mut parts = parts.peekable();
        if parts.peek().is_none() {
            return rest.is_empty();
        }
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return rest.ends_with(part);
            }
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        true
    }
}

/// What an alert must be like. What is not said does not matter; of several values one must do.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Condition {
    severity: Vec<Level>,
    kind: Vec<String>,
    rule: Vec<Pattern>,
    source: Vec<Pattern>,
    entity: Vec<(Option<EntityType>, Pattern)>,
    host: Vec<Pattern>,
    organization: Vec<Pattern>,
    time: Vec<Hours>,
}

const ENTITIES: [EntityType; 6] = [
    EntityType::SourceIp,
    EntityType::User,
    EntityType::Host,
    EntityType::Service,
    EntityType::Process,
    EntityType::Template,
];

impl Condition {
    /// `{severity, kind, rule, source, entity, host, organization, time}`.
    pub(crate) fn read(fields: Fields<'_>) -> Self {
        let pattern = |text: &str| Ok(Pattern::new(text));
        let time = fields.list("time").into_iter().map(|time| {
            let hours = Hours::read(&time);
            time.finish();
            hours
        });
        let condition = Self {
            severity: fields.parsed("severity", levels).into_iter().flatten().collect(),
            kind: fields.parsed("kind", kind),
            rule: fields.parsed("rule", pattern),
            source: fields.parsed("source", pattern),
            entity: fields.parsed("entity", entity),
            host: fields.parsed("host", pattern),
            organization: fields.parsed("organization", pattern),
            time: time.collect(),
        };
        fields.finish();
        condition
    }

    /// Whether it says anything of how grave an alert must be.
    pub(crate) fn says_severity(&self) -> bool {
        !self.severity.is_empty()
    }

    /// Why it does not hold of an alert that is recorded now, by the name of what does not suit; None where it
    /// holds.
    pub(crate) fn fault(&self, alert: &Telling, now: Timestamp) -> Option<&'static str> {
        let any = |patterns: &[Pattern], text: Option<&str>| {
            patterns.is_empty()
                || text.is_some_and(|text| patterns.iter().any(|pattern| pattern.matches(text)))
        };
        let is_of = |of: &Option<EntityType>, entity: &Entity| of.is_none_or(|of| of == entity.r#type);
        let entity = self.entity.is_empty()
            || self.entity.iter().any(|(of, pattern)| {
                alert.entities.iter().any(|entity| is_of(of, entity) && pattern.matches(&entity.value))
            });
        let holds = [
            ("severity", self.severity.is_empty() || self.severity.contains(&alert.severity)),
            ("kind", self.kind.is_empty() || self.kind.contains(&alert.kind)),
            ("rule", any(&self.rule, alert.signal.as_ref().map(|signal| signal.rule.as_str()))),
            ("source", any(&self.source, alert.entity(EntityType::Service))),
            ("entity", entity),
            ("host", any(&self.host, alert.entity(EntityType::Host))),
            ("organization", any(&self.organization, alert.organization.as_deref())),
            ("time", self.time.is_empty() || self.time.iter().any(|hours| hours.contain(now))),
        ];
        holds.into_iter().find(|(_, holds)| !holds).map(|(name, _)| name)
    }
}

/// A severity, or this one and all graver ones: `high`, `medium+`.
pub(crate) fn levels(text: &str) -> Result<Vec<Level>, String> {
    let level = level(text.strip_suffix('+').unwrap_or(text))?;
    Ok(match text.ends_with('+') {
        true => Level::ALL.iter().copied().filter(|other| *other >= level).collect(),
        false => vec![level],
    })
}

pub(crate) fn level(text: &str) -> Result<Level, String> {
    let names = || Level::ALL.iter().map(|level| level.as_str());
    text.parse().map_err(|_| {
        let list = names().collect::<Vec<_>>().join(", ");
        format!("'{text}' is no severity ({list}){}", suggestion(text, names()))
    })
}

fn kind(text: &str) -> Result<String, String> {
    let names = || FindingKind::ALL.iter().map(|kind| kind.as_str());
    let known = text.parse::<FindingKind>().map(|kind| kind.as_str().to_owned());
    known.map_err(|_| format!("'{text}' is no kind of signal{}", suggestion(text, names())))
}

/// `source.ip:192.0.2.*`, or a value of any type. A type must be one of ours; what else stands before a colon belongs
/// to the value, as in addresses of IPv6.
fn entity(text: &str) -> Result<(Option<EntityType>, Pattern), String> {
    let found =
        ENTITIES.iter().find_map(|of| Some((*of, text.strip_prefix(of.as_str())?.strip_prefix(':')?)));
    Ok(match found {
        Some((of, value)) => (Some(of), Pattern::new(value)),
        None => (None, Pattern::new(text)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("web-*", "WEB-01", true),
            ("web-*", "db-01", false),
            ("*.example.com", "a.example.com", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
            ("*", "", true),
            ("", "a", false),
            ("a", "a", true),
            ("a**b", "ab", true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern} {text}");
        }
    }
}
