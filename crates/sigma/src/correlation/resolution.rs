//! Which correlations are fed by which rules and correlations.

use crate::{
    Options, Rule, RuleError,
    correlation::definition::{Correlation, ReferenceFields},
    error::Reason,
    log_source::LogSource,
};

/// For each rule and each correlation, the correlations that it feeds, and as which of their rules.
#[derive(Debug, Clone, Default)]
pub(crate) struct Uses {
    pub(crate) rules: Vec<Vec<(usize, usize)>>,
    pub(crate) correlations: Vec<Vec<(usize, usize)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Rule(usize),
    Correlation(usize),
}

/// Keeps the correlations whose rules are all there, in an order in which each stands behind those that it counts, and
/// lets rules know that they only count for others.
pub(crate) fn resolve(
    rules: &mut [Rule],
    mut waiting: Vec<Correlation>,
    options: &Options,
    errors: &mut Vec<RuleError>,
) -> (Vec<Correlation>, Uses) {
    let mut resolved: Vec<Correlation> = vec![];
    let mut uses = Uses { rules: vec![vec![]; rules.len()], correlations: vec![] };
    loop {
        let before = resolved.len();
        let mut still = vec![];
        for mut correlation in waiting {
            let targets: Option<Vec<Target>> =
                correlation.rules.iter().map(|name| target(name, rules, &resolved)).collect();
            let Some(targets) = targets else {
                still.push(correlation);
                continue;
            };
            correlation.fields = fields(&correlation, &targets, rules, &resolved, options);
            let place = resolved.len();
            for (reference, target) in targets.iter().enumerate() {
                match target {
                    Target::Rule(rule) => uses.rules[*rule].push((place, reference)),
                    Target::Correlation(other) => uses.correlations[*other].push((place, reference)),
                }
            }
            uses.correlations.push(vec![]);
            resolved.push(correlation);
        }
        waiting = still;
        if resolved.len() == before {
            break;
        }
    }
    for correlation in &waiting {
        let is_there = |name: &&String| {
            target(name, rules, &resolved).is_some()
                || waiting.iter().any(|other| other.about.is_called(name))
        };
        let unknown = correlation.rules.iter().find(|name| !is_there(name));
        let reason = unknown.map_or(Reason::Circle, |name| Reason::UnknownRule(name.clone()));
        errors.push(correlation.about.error("correlation.rules", reason));
    }
    let is_alone = |feeds: &[(usize, usize)], resolved: &[Correlation]| {
        feeds.is_empty() || feeds.iter().any(|(place, _)| resolved[*place].generate)
    };
    for (rule, feeds) in rules.iter_mut().zip(&uses.rules) {
        rule.is_alone = is_alone(feeds, &resolved);
    }
    for (place, feeds) in uses.correlations.iter().enumerate() {
        resolved[place].is_alone = is_alone(feeds, &resolved);
    }
    (resolved, uses)
}

fn target(name: &str, rules: &[Rule], correlations: &[Correlation]) -> Option<Target> {
    let rule = rules.iter().position(|rule| rule.about.is_called(name)).map(Target::Rule);
    let correlation = || correlations.iter().position(|correlation| correlation.about.is_called(name));
    rule.or_else(|| correlation().map(Target::Correlation))
}

fn fields(
    correlation: &Correlation,
    targets: &[Target],
    rules: &[Rule],
    correlations: &[Correlation],
    options: &Options,
) -> Vec<ReferenceFields> {
    let none = LogSource::default();
    let of_target = |target: &Target| {
        let (about, source) = match target {
            Target::Rule(rule) => (&rules[*rule].about, &rules[*rule].log_source),
            Target::Correlation(other) => (&correlations[*other].about, &none),
        };
        let field = |name: &String| {
            let is_meant =
                |(alias, rule, _): &&(String, String, String)| alias == name && about.is_called(rule);
            let aliased = correlation.aliases.iter().find(is_meant).map(|(_, _, field)| field);
            options.field(aliased.unwrap_or(name), source)
        };
        ReferenceFields {
            group_by: correlation.group_by.iter().map(field).collect(),
            counted: correlation.condition.fields.iter().map(field).collect(),
        }
    };
    targets.iter().map(of_target).collect()
}
