//! What would make a rule that tells too much tell less: left out is what half of it, or more, is about.
//!
//! It is proposed, never done: what is usual may still be what somebody has to look at.

use sigma::Rule;

use crate::{
    Entity, EntityType, FindingKind,
    past::{Told, field_of},
};

/// Fewer findings are no noise.
const FINDINGS_MIN: u64 = 3;
/// The part of the findings that one thing must make.
const SHARE_MIN: f64 = 0.5;

/// What is proposed.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// What would be left out.
    pub entity: Entity,
    /// The part of the findings that would be gone, from 0 to 1.
    pub share: f64,
    /// How.
    pub remedy: Remedy,
}

/// How something is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// A Sigma filter, to be put into a file of one's own rules.
    Filter(String),
    /// The address, where it is one of one's own, named in the setting of those.
    OwnAddress(String),
    /// Signals of this kind and rule about it are suppressed for a while.
    Suppression {
        /// The kind.
        kind: FindingKind,
        /// The rule.
        rule: String,
    },
}

/// What would make it tell less, if one thing makes at least half of at least three findings. `rule` is the rule of
/// Sigma that told it, where it was one.
pub fn propose(told: &Told, rule: Option<&Rule>) -> Option<Proposal> {
    let (entity, about) = told.most(1).into_iter().next()?;
    let share = about.findings as f64 / told.findings.max(1) as f64;
    if told.findings < FINDINGS_MIN || share < SHARE_MIN {
        return None;
    }
    let field = field_of(entity.r#type).filter(|_| about.is_in_field);
    let remedy = match (rule, field) {
        (Some(rule), Some(field)) => Remedy::Filter(filter(rule, field, &entity.value)),
        (None, _) if entity.r#type == EntityType::SourceIp => Remedy::OwnAddress(entity.value.clone()),
        _ => Remedy::Suppression { kind: told.kind, rule: told.rule.clone() },
    };
    Some(Proposal { entity: entity.clone(), share, remedy })
}

fn filter(rule: &Rule, field: &str, value: &str) -> String {
    let source = &rule.log_source;
    let parts = [("category", &source.category), ("product", &source.product), ("service", &source.service)];
    let parts =
        parts.into_iter().filter_map(|(name, part)| Some(format!("{name}: {}", quoted(part.as_ref()?))));
    format!(
        "title: {}\nlogsource: {{{}}}\nfilter:\n  rules: [{}]\n  selection:\n    {field}: {}\n  condition: not selection\n",
        quoted(&format!("{} without {value}", rule.about.title)),
        parts.collect::<Vec<_>>().join(", "),
        quoted(rule.about.id_or_title()),
        quoted(&literal(value)),
    )
}

/// As YAML reads it in quotes, whatever stands in it: the quotes of JSON are among those of YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Without the meaning that Sigma gives wildcards.
fn literal(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if ['*', '?', '\\'].contains(&character) {
            plain.push('\\');
        }
        plain.push(character);
    }
    plain
}

#[cfg(test)]
mod tests {
    use event::{Analyzed, Event, EventId, JournalId, Position, Timestamp};

    use super::*;
    use crate::{Config, past::Past, rules};

    const RULE: &str = "title: 'A \"heron\": once'\nid: 00000000-0000-4000-8000-000000000001\n\
                        logsource: {product: linux}\ndetection:\n  words: [heron]\n  condition: words\nlevel: high\n";

    /// Three hours between each two, so that each is a run of its own.
    fn past(files: &[(&str, &str)], users: &[&str]) -> crate::past::Outcome {
        let (rules, errors) = rules::read(files.iter().copied());
        assert!(errors.is_empty(), "{errors:?}");
        let mut past = Past::of_rules(Config::default(), rules);
        for (number, user) in (0..).zip(users) {
            let start = Timestamp::parse("2026-11-02T00:00:00Z").unwrap();
            let mut event =
                Event::new("a heron", start.saturating_add(i64::from(number) * 3 * 3_600_000_000_000));
            event.set("user.name", user.to_string());
            let id = EventId { journal: JournalId(1), position: Position { segment: 0, record: number } };
            past.see(&Analyzed::unanalyzed(id, event));
        }
        past.end()
    }

    #[test]
    fn a_filter_that_is_proposed_leaves_out_just_that() {
        for odd in ["deploy", r#"a*b?\c": x'"#, "ünï"] {
            let users = [odd, "ann", odd, odd];
            let outcome = past(&[("heron.yml", RULE)], &users);
            let (rules, _) = rules::read([("heron.yml", RULE)]);
            let proposal = propose(&outcome.told[0], rules.rules().first()).unwrap();
            assert_eq!((proposal.entity.value.as_str(), proposal.share), (odd, 0.75));
            let Remedy::Filter(filter) = proposal.remedy else { panic!("{proposal:?}") };
            let outcome = past(&[("heron.yml", RULE), ("filter.yml", &filter)], &users);
            assert_eq!(outcome.told[0].findings, 1, "{filter}");
            assert_eq!(outcome.told[0].examples[0].about.value, "ann");
        }
    }

    #[test]
    fn little_and_what_is_of_many_is_left_as_it_is() {
        for users in [&["ann", "ann"][..], &["ann", "bob", "eve", "joe", "ann"]] {
            let outcome = past(&[("heron.yml", RULE)], users);
            assert_eq!(propose(&outcome.told[0], None), None);
        }
    }

    #[test]
    fn what_no_rule_of_sigma_told_is_suppressed() {
        let outcome = past(&[("heron.yml", RULE)], &["ann", "ann", "ann"]);
        let proposal = propose(&outcome.told[0], None).unwrap();
        let rule = "00000000-0000-4000-8000-000000000001".to_owned();
        assert_eq!(proposal.remedy, Remedy::Suppression { kind: FindingKind::Sigma, rule });
    }
}
