//! What the site adds to its rules.

use std::collections::BTreeMap;

use crate::LogSource;

/// The field that a rule's field is in the events, by the rule's log source; `None` keeps the name.
pub type FieldMapping = fn(&str, &LogSource) -> Option<&'static str>;

/// How rules are read.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The values of placeholders, such as `Administrators`, which stands in a rule as `%Administrators%`. They may
    /// have wildcards. A rule with a placeholder that is not here is refused.
    pub placeholders: BTreeMap<String, Vec<String>>,
    /// What the fields of rules are called in the events.
    pub field_mapping: Option<FieldMapping>,
}

impl Options {
    pub(crate) fn field(&self, name: &str, source: &LogSource) -> String {
        let mapped = self.field_mapping.and_then(|mapping| mapping(name, source));
        mapped.unwrap_or(name).to_owned()
    }
}
