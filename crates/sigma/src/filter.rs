//! Filters: conditions that a site adds to rules of others.

use crate::{
    LogSource, Options, Rule,
    error::{Fault, Reason},
    rule::{Detections, log_source},
    yaml::{Node, Yaml},
};

/// A filter: rules that it names match only where its condition holds as well, so that it usually says `not selection`.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    log_source: LogSource,
    /// Ids and names; none stands for every rule of the log source.
    rules: Option<Vec<String>>,
    detections: Detections,
}

impl Filter {
    pub(crate) fn parse(node: &Node, options: &Options) -> Result<Self, Fault> {
        let log_source = log_source(node)?;
        let missing = |name| Fault::new(node.line, Reason::Missing).within(name);
        let filter = node.get("filter").ok_or_else(|| missing("filter"))?;
        let rules = filter.get("rules").ok_or_else(|| missing("filter.rules"))?;
        let rules = match &rules.value {
            Yaml::Text(any) if ["any", "all"].contains(&any.to_lowercase().as_str()) => None,
            _ => Some(rules.texts().map_err(|fault| fault.within("filter.rules"))?),
        };
        let detections = Detections::parse(filter, &log_source, options);
        let detections = detections.map_err(|fault| fault.within("filter"))?;
        Ok(Self { log_source, rules: rules.filter(|rules| !rules.is_empty()), detections })
    }

    pub(crate) fn apply(&self, rule: &mut Rule) {
        let is_named = |rules: &Vec<String>| rules.iter().any(|name| rule.about.is_called(name));
        let is_meant = self.rules.as_ref().is_none_or(is_named);
        if is_meant && self.log_source.covers(&rule.log_source) {
            rule.filters.push(self.detections.clone());
        }
    }
}
