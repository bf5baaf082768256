//! What a correlation counts, and when it is met.

use crate::{
    condition::Condition,
    error::{Fault, Reason},
    number::{Comparison, Number},
    rule::About,
    yaml::{Node, Yaml, expected_text},
};

/// What is counted or computed of the matches in a window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CorrelationType {
    /// How many matches there are.
    EventCount,
    /// How many different values a field has.
    ValueCount,
    /// How many of the rules match.
    Temporal,
    /// How many of the rules match one behind the other, in the order in which they are named.
    TemporalOrdered,
    /// The sum of a field.
    ValueSum,
    /// The mean of a field.
    ValueAverage,
    /// A percentile of a field; without a percentile in the condition the share of values, in percent, that are as
    /// the last one is (text), or the percentile rank of the last one (numbers).
    ValuePercentile,
    /// The median of a field.
    ValueMedian,
}

impl CorrelationType {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "event_count" => Self::EventCount,
            "value_count" => Self::ValueCount,
            "temporal" | "temporal_extended" => Self::Temporal,
            "temporal_ordered" | "temporal_ordered_extended" => Self::TemporalOrdered,
            "value_sum" => Self::ValueSum,
            "value_avg" => Self::ValueAverage,
            "value_percentile" => Self::ValuePercentile,
            "value_median" => Self::ValueMedian,
            _ => return None,
        })
    }

    /// Whether it is about which rules match.
    pub(crate) fn is_temporal(self) -> bool {
        matches!(self, Self::Temporal | Self::TemporalOrdered)
    }

    fn has_field(self) -> bool {
        !self.is_temporal() && self != Self::EventCount
    }
}

/// A correlation, ready for a [`Correlator`](crate::Correlator).
#[derive(Debug, Clone)]
pub struct Correlation {
    /// What it says of itself.
    pub about: About,
    /// What it counts.
    pub r#type: CorrelationType,
    /// The ids or names of the rules that it counts.
    pub rules: Vec<String>,
    /// The fields, or aliases of fields, whose values have to be the same.
    pub group_by: Vec<String>,
    /// Nanoseconds within which matches are counted together.
    pub timespan_ns: i64,
    /// Whether a match is something by itself, or only counts for another correlation.
    pub is_alone: bool,
    /// Whether its rules are something by themselves as well.
    pub(crate) generate: bool,
    /// For an alias, the field of each rule: alias, rule, field.
    pub(crate) aliases: Vec<(String, String, String)>,
    pub(crate) condition: CountCondition,
    /// Which rules have to match, where the condition is no count.
    pub(crate) expression: Option<Condition>,
    /// For each rule, the fields of the groups and those that are counted, as events call them.
    pub(crate) fields: Vec<ReferenceFields>,
}

/// The fields that one of the rules of a correlation is asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReferenceFields {
    pub(crate) group_by: Vec<String>,
    pub(crate) counted: Vec<String>,
}

/// What a count has to be.
#[derive(Debug, Clone, Default)]
pub(crate) struct CountCondition {
    pub(crate) bounds: Vec<(Comparison, Number)>,
    pub(crate) fields: Vec<String>,
    pub(crate) percentile: Option<f64>,
}

impl CountCondition {
    pub(crate) fn holds(&self, value: f64) -> bool {
        self.bounds.iter().all(|(comparison, bound)| comparison.holds(Number::Float(value), *bound))
    }

    fn parse(node: &Node) -> Result<Self, Fault> {
        let mut condition = Self::default();
        for (key, node) in node.map()? {
            let number = || match &node.value {
                Yaml::Number(number, _) => Ok(*number),
                _ => Err(Fault::new(node.line, Reason::Expected("a number")).within(key)),
            };
            match key.as_str() {
                "field" => condition.fields = node.texts().map_err(|fault| fault.within(key))?,
                "percentile" => {
                    let percentile = number()?.as_f64();
                    if !(0.0..=100.0).contains(&percentile) {
                        return Err(Fault::new(node.line, Reason::Expected("0 to 100")).within(key));
                    }
                    condition.percentile = Some(percentile);
                }
                _ => {
                    let expected = "gt, gte, lt, lte, eq, neq, field or percentile";
                    let comparison = Comparison::parse(key);
                    let comparison = comparison
                        .ok_or_else(|| Fault::new(node.line, Reason::Expected(expected)).within(key))?;
                    condition.bounds.push((comparison, number()?));
                }
            }
        }
        Ok(condition)
    }
}

impl Correlation {
    pub(crate) fn parse(file: &str, node: &Node) -> Result<Self, Fault> {
        let about = About::parse(file, node)?;
        let section = node.get("correlation").unwrap_or(node);
        // `generate` stands in the section by its schema, and beside it by the text of the specification.
        let generate = [section.get("generate"), node.get("generate")];
        let generate = generate.iter().flatten().any(|node| matches!(node.value, Yaml::Bool(true)));
        let fault = |fault: Fault| fault.within("correlation");
        Self::of_section(about, section, generate).map_err(fault)
    }

    fn of_section(about: About, section: &Node, generate: bool) -> Result<Self, Fault> {
        section.map()?;
        let text = |name: &str| {
            let node =
                section.get(name).ok_or_else(|| Fault::new(section.line, Reason::Missing).within(name))?;
            Ok((node.line, node.text().ok_or_else(|| expected_text(node).within(name))?))
        };
        let texts = |name: &str| match section.get(name) {
            Some(node) => node.texts().map_err(|fault| fault.within(name)),
            None => Ok(vec![]),
        };
        let (line, name) = text("type")?;
        let known = Reason::Expected(
            "event_count, value_count, temporal, temporal_ordered, value_sum, value_avg, value_percentile \
             or value_median",
        );
        let r#type = CorrelationType::parse(name).ok_or_else(|| Fault::new(line, known).within("type"))?;
        let (line, span) = text("timespan")?;
        let timespan_ns = timespan_ns(span)
            .ok_or_else(|| Fault::new(line, Reason::Timespan(span.to_owned())).within("timespan"))?;
        let mut correlation = Self {
            about,
            r#type,
            rules: texts("rules")?,
            group_by: texts("group-by")?,
            timespan_ns,
            is_alone: true,
            generate,
            aliases: section.get("aliases").map_or(Ok(vec![]), aliases)?,
            condition: CountCondition::default(),
            expression: None,
            fields: vec![],
        };
        correlation.read_condition(section)?;
        if correlation.rules.is_empty() {
            return Err(Fault::new(section.line, Reason::Missing).within("rules"));
        }
        Ok(correlation)
    }

    fn read_condition(&mut self, section: &Node) -> Result<(), Fault> {
        let Some(node) = section.get("condition") else {
            if !self.r#type.is_temporal() {
                return Err(Fault::new(section.line, Reason::Missing).within("condition"));
            }
            return self.require_all(section.line);
        };
        let within = |fault: Fault| fault.within("condition");
        if let (true, Some(text)) = (self.r#type.is_temporal(), node.text()) {
            if self.rules.is_empty() {
                self.rules = named(text);
            }
            let names: Vec<&str> = self.rules.iter().map(String::as_str).collect();
            let expression = Condition::parse(text, &names);
            self.expression = Some(expression.map_err(|reason| within(Fault::new(node.line, reason)))?);
            return Ok(());
        }
        self.condition = CountCondition::parse(node).map_err(within)?;
        let fault = |reason| Err(within(Fault::new(node.line, reason)));
        match self.condition.fields.len() {
            0 if self.r#type.has_field() => {
                return Err(within(Fault::new(node.line, Reason::Missing).within("field")));
            }
            2.. if self.r#type.has_field() && self.r#type != CorrelationType::ValueCount => {
                return fault(Reason::Expected("one field"));
            }
            _ => {}
        }
        match self.condition.bounds.is_empty() {
            true if self.r#type.is_temporal() => self.require_all(node.line),
            true => fault(Reason::Expected("gt, gte, lt, lte, eq or neq with a number")),
            false => Ok(()),
        }
    }

    /// The condition of temporal correlations that have none: every rule matches.
    fn require_all(&mut self, line: usize) -> Result<(), Fault> {
        let rules =
            i64::try_from(self.rules.len()).map_err(|_| Fault::new(line, Reason::Expected("rules")))?;
        self.condition.bounds = vec![(Comparison::GreaterOrEqual, Number::Integer(rules))];
        Ok(())
    }
}

/// The names in a condition that stands for the list of rules as well.
fn named(condition: &str) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    for word in condition.split(|char: char| char.is_whitespace() || "()".contains(char)) {
        let is_operator = ["", "and", "or", "not"].contains(&word.to_lowercase().as_str());
        if !is_operator && !names.iter().any(|name| name == word) {
            names.push(word.to_owned());
        }
    }
    names
}

fn aliases(node: &Node) -> Result<Vec<(String, String, String)>, Fault> {
    let mut aliases = vec![];
    for (alias, rules) in node.map().map_err(|fault| fault.within("aliases"))? {
        for (rule, field) in rules.map().map_err(|fault| fault.within(alias).within("aliases"))? {
            let field = field.text().ok_or_else(|| expected_text(field).within(rule).within("aliases"))?;
            aliases.push((alias.clone(), rule.clone(), field.to_owned()));
        }
    }
    Ok(aliases)
}

/// Reads a number and its unit: seconds, minutes, hours, days, and weeks, months and years as the reference
/// implementation has them.
fn timespan_ns(text: &str) -> Option<i64> {
    let unit = text.chars().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        'M' => 2_629_746,
        'y' => 31_556_952,
        _ => return None,
    };
    let count: i64 = text.strip_suffix(unit)?.parse().ok().filter(|count| *count > 0)?;
    count.checked_mul(seconds)?.checked_mul(1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timespans() {
        for (text, expected) in [
            ("90s", Some(90)),
            ("15m", Some(900)),
            ("1h", Some(3600)),
            ("7d", Some(604_800)),
            ("0s", None),
            ("-1s", None),
            ("1", None),
            ("s", None),
            ("1.5h", None),
            ("999999999999d", None),
            ("", None),
            ("1é", None),
        ] {
            assert_eq!(timespan_ns(text), expected.map(|seconds: i64| seconds * 1_000_000_000), "{text}");
        }
    }
}
