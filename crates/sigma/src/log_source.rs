//! Where events come from, and which rules want to see them.

use crate::{error::Fault, yaml::Node};

/// A log source: of a rule, or of an event. What is not set is not known, or of no matter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LogSource {
    /// A kind of logs, whoever writes them: `webserver`, `process_creation`.
    pub category: Option<String>,
    /// What writes them: `linux`, `windows`, `apache`.
    pub product: Option<String>,
    /// A part of a product's logs: `sshd`, `auditd`, `security`.
    pub service: Option<String>,
}

impl LogSource {
    /// A log source of what is known of it; names are taken in lower case.
    pub fn new(category: Option<&str>, product: Option<&str>, service: Option<&str>) -> Self {
        let lower = |name: Option<&str>| name.map(str::to_lowercase);
        Self { category: lower(category), product: lower(product), service: lower(service) }
    }

    pub(crate) fn parse(node: &Node) -> Result<Self, Fault> {
        node.map()?;
        let part = |name| node.get(name).and_then(Node::text);
        Ok(Self::new(part("category"), part("product"), part("service")))
    }

    /// Whether a rule (or filter) for this log source wants to see what comes from another one: everything that this
    /// one says, the other one says too.
    pub fn covers(&self, other: &Self) -> bool {
        let covers = |mine: &Option<String>, other: &Option<String>| mine.is_none() || mine == other;
        covers(&self.category, &other.category)
            && covers(&self.product, &other.product)
            && covers(&self.service, &other.service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_sees_what_its_log_source_covers() {
        let sshd = LogSource::new(None, Some("Linux"), Some("sshd"));
        for (rule, expected) in [
            (LogSource::new(None, Some("linux"), None), true),
            (LogSource::new(None, Some("linux"), Some("sshd")), true),
            (LogSource::new(None, None, None), true),
            (LogSource::new(None, Some("linux"), Some("sudo")), false),
            (LogSource::new(None, Some("windows"), None), false),
            (LogSource::new(Some("webserver"), None, None), false),
        ] {
            assert_eq!(rule.covers(&sshd), expected, "{rule:?}");
        }
    }
}
