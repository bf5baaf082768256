//! What groups of anomalies have in common: a small decision tree (linfa-trees) is grown that tells the
//! recent anomalies from ordinary events by what a person can check, and each of its leaves that
//! holds mostly anomalies is a condition. They describe verdicts; they make none.

use std::{cmp::Reverse, collections::HashMap};

use event::{Event, Severity};
use linfa::{DatasetBase, traits::Fit};
use linfa_trees::{DecisionTree, TreeNode};
use ndarray::{Array1, Array2};

use crate::window::{Facts, Feature, Row};

/// Anomalies and ordinary events kept.
const ANOMALIES_MAX: usize = 512;
const ORDINARY_MAX: usize = 1_024;
/// Of the ordinary events every so many is kept.
const ORDINARY_EVERY: u64 = 32;
/// Fewer make no condition.
const ANOMALIES_MIN: usize = 8;
const ORDINARY_MIN: usize = 32;
/// Sources told apart: those with most anomalies.
const SOURCES_MAX: usize = 8;
const SOURCE_CHARS_MAX: usize = 80;
/// Questions on the way to a leaf.
const DEPTH: usize = 3;
/// A leaf holds at least this share of the anomalies, or of the ordinary events.
const LEAF_LEAST: f32 = 0.05;
/// Both classes weigh so much together.
const WEIGHT: f32 = 1_000.0;

/// What a condition looks at.
#[derive(Debug, Clone, Copy)]
enum Column {
    Number(&'static str),
    Yes(&'static str, &'static str),
    Level,
}

const COLUMNS: [Column; 11] = [
    Column::Number("template rate within a minute"),
    Column::Number("source rate within a minute"),
    Column::Number("number of earlier events of the template at the source"),
    Column::Number("seconds since the template's last event"),
    Column::Number("seconds since the source's last event"),
    Column::Number("length of the message in bytes"),
    Column::Level,
    Column::Yes("template is new at the source", "template is known at the source"),
    Column::Yes("a value is new at its place", "no value is new at its place"),
    Column::Yes("a number is outside its range", "no number is outside its range"),
    Column::Yes("source is new on the host", "source is known on the host"),
];

#[derive(Debug, Clone)]
struct Example {
    values: [f32; COLUMNS.len()],
    source: Box<str>,
}

/// Recent anomalies, and ordinary events beside them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Examples {
    anomalies: Vec<Example>,
    ordinary: Vec<Example>,
    next: [usize; 2],
    seen: u64,
}

/// A condition that a group of recent anomalies meets.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// In words: `template rate within a minute is above 30 and source is 'sshd'`.
    pub text: String,
    /// Recent anomalies that meet it.
    pub anomalies: u64,
    /// Share of the recent ordinary events that meet it too.
    pub ordinary_share: f64,
}

/// Conditions that the recent anomalies meet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Conditions {
    /// Recent anomalies looked at, 512 at most.
    pub anomalies: u64,
    /// Ordinary events they were told from.
    pub ordinary: u64,
    /// Those that most anomalies meet first; empty while there is too little to go by.
    pub conditions: Vec<Condition>,
}

impl Examples {
    /// Takes in a judged event.
    pub(crate) fn keep(&mut self, event: &Event<'_>, row: &Row, facts: &Facts, is_anomaly: bool) {
        self.seen = self.seen.wrapping_add(1);
        if !is_anomaly && !self.seen.is_multiple_of(ORDINARY_EVERY) {
            return;
        }
        let yes = |feature: Feature| f32::from(u8::from(row[feature as usize] > 0));
        let example = Example {
            values: [
                facts.template_count as f32,
                facts.source_minute_count as f32,
                facts.group_count as f32,
                facts.gap_s,
                facts.source_gap_s,
                facts.length as f32,
                f32::from(event.severity as u8),
                f32::from(u8::from(facts.group_count == 0)),
                yes(Feature::Value),
                yes(Feature::Number),
                yes(Feature::NewHost),
            ],
            source: event.source.as_deref().unwrap_or_default().chars().take(SOURCE_CHARS_MAX).collect(),
        };
        let (kept, max) = match is_anomaly {
            true => (&mut self.anomalies, ANOMALIES_MAX),
            false => (&mut self.ordinary, ORDINARY_MAX),
        };
        if kept.len() < max {
            return kept.push(example);
        }
        let next = &mut self.next[usize::from(is_anomaly)];
        kept[*next] = example;
        *next = (*next + 1) % max;
    }

    /// Those of what is kept.
    pub(crate) fn conditions(&self) -> Conditions {
        let (anomalies, ordinary) = (self.anomalies.len(), self.ordinary.len());
        let mut found =
            Conditions { anomalies: anomalies as u64, ordinary: ordinary as u64, conditions: Vec::new() };
        if anomalies < ANOMALIES_MIN || ordinary < ORDINARY_MIN {
            return found;
        }
        let sources = self.sources();
        let width = COLUMNS.len() + sources.len();
        let all = || self.anomalies.iter().chain(&self.ordinary);
        let mut records = Array2::<f64>::zeros((anomalies + ordinary, width));
        for (at, example) in all().enumerate() {
            for column in 0..width {
                records[(at, column)] = value(example, column, &sources);
            }
        }
        let targets: Array1<usize> =
            (0..anomalies + ordinary).map(|at| usize::from(at < anomalies)).collect();
        let weight = |at: usize| WEIGHT / if at < anomalies { anomalies as f32 } else { ordinary as f32 };
        let weights: Array1<f32> = (0..anomalies + ordinary).map(weight).collect();
        let dataset = DatasetBase::new(records, targets).with_weights(weights);
        let params = DecisionTree::<f64, usize>::params()
            .max_depth(Some(DEPTH))
            .min_weight_leaf(WEIGHT * LEAF_LEAST)
            .min_weight_split(2.0);
        let Ok(tree) = params.fit(&dataset) else { return found };
        let mut path = Vec::new();
        descend(tree.root_node(), &mut path, &mut |path| {
            let meets = |example: &&Example| {
                path.iter().all(|bound| bound.holds(value(example, bound.column, &sources)))
            };
            let met = self.anomalies.iter().filter(meets).count();
            let share = self.ordinary.iter().filter(meets).count() as f64 / ordinary as f64;
            if met > 0 && !path.is_empty() && share < met as f64 / anomalies as f64 {
                let text = words(path, &sources);
                found.conditions.push(Condition { text, anomalies: met as u64, ordinary_share: share });
            }
        });
        found.conditions.sort_by_key(|condition| Reverse(condition.anomalies));
        found
    }

    /// The sources with most anomalies.
    fn sources(&self) -> Vec<&str> {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for example in &self.anomalies {
            *counts.entry(&example.source).or_default() += 1;
        }
        let mut sources: Vec<(&str, usize)> = counts.into_iter().collect();
        sources.sort_by_key(|(source, count)| (Reverse(*count), *source));
        sources.into_iter().take(SOURCES_MAX).map(|(source, _)| source).collect()
    }
}

fn value(example: &Example, column: usize, sources: &[&str]) -> f64 {
    match example.values.get(column) {
        Some(value) => f64::from(*value),
        None => f64::from(u8::from(sources.get(column - COLUMNS.len()) == Some(&&*example.source))),
    }
}

/// One side of a split.
#[derive(Debug, Clone, Copy)]
struct Bound {
    column: usize,
    above: bool,
    limit: f64,
}

impl Bound {
    fn holds(&self, value: f64) -> bool {
        (value > self.limit) == self.above
    }
}

/// Calls `leaf` with the way to each leaf that says anomaly.
fn descend(node: &TreeNode<f64, usize>, path: &mut Vec<Bound>, leaf: &mut impl FnMut(&[Bound])) {
    if node.is_leaf() {
        if node.prediction() == Some(1) {
            leaf(path);
        }
        return;
    }
    let (column, limit, _) = node.split();
    for (child, above) in node.children().into_iter().zip([false, true]) {
        if let Some(child) = child {
            path.push(Bound { column, above, limit });
            descend(child, path, leaf);
            path.pop();
        }
    }
}

/// The conditions of a way, those on the same column together.
fn words(path: &[Bound], sources: &[&str]) -> String {
    let mut conditions: Vec<String> = Vec::new();
    let mut told: Vec<usize> = Vec::new();
    for bound in path {
        if told.contains(&bound.column) {
            continue;
        }
        told.push(bound.column);
        let same = || path.iter().filter(|other| other.column == bound.column);
        let low = same().filter(|one| one.above).map(|one| one.limit).max_by(f64::total_cmp);
        let high = same().filter(|one| !one.above).map(|one| one.limit).min_by(f64::total_cmp);
        conditions.push(condition(bound.column, low, high, sources));
    }
    conditions.join(" and ")
}

fn condition(column: usize, low: Option<f64>, high: Option<f64>, sources: &[&str]) -> String {
    let level = |number: f64| Severity::from_u8(number as u8).unwrap_or(Severity::Fatal);
    match (COLUMNS.get(column), low, high) {
        (Some(Column::Number(name)), Some(low), Some(high)) => {
            format!("{name} is above {} and at most {}", short(low), short(high))
        }
        (Some(Column::Number(name)), Some(low), None) => format!("{name} is above {}", short(low)),
        (Some(Column::Number(name)), None, high) => {
            format!("{name} is at most {}", short(high.unwrap_or_default()))
        }
        (Some(Column::Yes(yes, _)), Some(_), _) => (*yes).to_owned(),
        (Some(Column::Yes(_, no)), None, _) => (*no).to_owned(),
        (Some(Column::Level), Some(low), Some(high)) => {
            format!("level from {} to {}", level(low.floor() + 1.0), level(high.floor()))
        }
        (Some(Column::Level), Some(low), None) => format!("level is {} or above", level(low.floor() + 1.0)),
        (Some(Column::Level), None, high) => {
            format!("level is {} or below", level(high.unwrap_or_default().floor()))
        }
        (None, low, _) => {
            let source = sources.get(column - COLUMNS.len()).copied().unwrap_or_default();
            format!("source is {}'{source}'", if low.is_some() { "" } else { "not " })
        }
    }
}

fn short(number: f64) -> String {
    if number.fract() == 0.0 || number.abs() >= 100.0 {
        format!("{number:.0}")
    } else {
        format!("{number:.1}")
    }
}

#[cfg(test)]
mod tests {
    use event::Timestamp;

    use super::*;
    use crate::window::FEATURES;

    /// Keeps an event of this source, with so many of its template within a minute.
    fn keep(examples: &mut Examples, source: &'static str, rate: u32, is_anomaly: bool) {
        let mut event = Event::new("m", Timestamp::MIN);
        event.source = Some(source.into());
        let facts = Facts { template_count: rate, group_count: 100, ..Facts::default() };
        examples.keep(&event, &[0; FEATURES], &facts, is_anomaly);
    }

    #[test]
    fn a_group_of_anomalies_gets_its_condition() {
        let mut examples = Examples::default();
        for n in 0..20_000 {
            // Both programs are as busy, each with as many events: only together do they tell.
            keep(
                &mut examples,
                if n / 32 % 2 == 0 { "sshd" } else { "web" },
                if n / 64 % 2 == 0 { 2 } else { 50 },
                false,
            );
        }
        for n in 0..40 {
            keep(&mut examples, "sshd", 58 + n, true);
        }
        let found = examples.conditions();
        assert_eq!((found.anomalies, found.ordinary), (40, 625));
        assert_eq!(found.conditions.len(), 1, "{found:?}");
        assert_eq!(found.conditions[0].text, "template rate within a minute is above 54");
        assert_eq!((found.conditions[0].anomalies, found.conditions[0].ordinary_share), (40, 0.0));
        let mut examples = Examples::default();
        for n in 0..20_000 {
            let (source, rate) = match n / 32 % 4 {
                0 => ("web", 60),
                1 => ("web", 2),
                _ => ("sshd", 2),
            };
            keep(&mut examples, source, rate, false);
        }
        (0..40).for_each(|_| keep(&mut examples, "sshd", 60, true));
        let found = examples.conditions();
        assert_eq!(found.conditions.len(), 1, "{found:?}");
        let text = &found.conditions[0].text;
        assert!(
            text.contains("template rate within a minute is above 31") && text.contains("source is 'sshd'"),
            "{text}"
        );
        assert_eq!(Examples::default().conditions(), Conditions::default());
    }
}
