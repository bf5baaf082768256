//! Rules: what they say of themselves, and what they look for.

use crate::{
    Fields, LogSource, Options, RuleError,
    condition::Condition,
    detection::Detection,
    error::{Fault, Reason},
    item::Reader,
    limits::Budget,
    yaml::{Node, Yaml, expected_text},
};

/// How grave a match is, as its rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// To enrich events, not to alert.
    Informational,
    /// Notable, rarely an incident.
    Low,
    /// To be reviewed now and then.
    Medium,
    /// To be reviewed promptly.
    High,
    /// An incident, nearly for certain.
    Critical,
}

impl Level {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "informational" => Self::Informational,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "critical" => Self::Critical,
            _ => return None,
        })
    }
}

/// What a rule or a correlation says of itself.
#[derive(Debug, Clone)]
pub struct About {
    /// The file that it came from, as its caller named it.
    pub file: String,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// What it detects, in a line.
    pub title: String,
    /// Its unique id.
    pub id: Option<String>,
    /// What correlations may call it.
    pub name: Option<String>,
    /// `stable`, `test`, `experimental`, `deprecated` or `unsupported`.
    pub status: Option<String>,
    /// What it detects, at length.
    pub description: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// How grave a match is.
    pub level: Option<Level>,
    /// Its tags, such as `attack.t1110.001`.
    pub tags: Vec<String>,
    /// Where there is more to read.
    pub references: Vec<String>,
    /// What is known to match and is no threat.
    pub false_positives: Vec<String>,
    /// The fields that help whoever looks into a match.
    pub fields: Vec<String>,
}

impl About {
    pub(crate) fn parse(file: &str, node: &Node) -> Result<Self, Fault> {
        let text = |name: &str| match node.get(name) {
            None => Ok(None),
            Some(Node { value: Yaml::Null, .. }) => Ok(None),
            Some(node) => match node.text() {
                Some(text) => Ok(Some(text.trim().to_owned())),
                None => Err(expected_text(node).within(name)),
            },
        };
        let texts = |name: &str| match node.get(name) {
            Some(node) => node.texts().map_err(|fault| fault.within(name)),
            None => Ok(vec![]),
        };
        let level = match text("level")? {
            None => None,
            Some(level) => Some(Level::parse(&level).ok_or_else(|| {
                let line = node.get("level").map_or(node.line, |node| node.line);
                let levels = "informational, low, medium, high or critical";
                Fault::new(line, Reason::Expected(levels)).within("level")
            })?),
        };
        let title = text("title")?.filter(|title| !title.is_empty());
        Ok(Self {
            file: file.to_owned(),
            line: node.line,
            title: title.ok_or_else(|| Fault::new(node.line, Reason::Missing).within("title"))?,
            id: text("id")?,
            name: text("name")?,
            status: text("status")?,
            description: text("description")?,
            author: text("author")?,
            level,
            tags: texts("tags")?,
            references: texts("references")?,
            false_positives: texts("falsepositives")?,
            fields: texts("fields")?,
        })
    }

    /// The id, else the title.
    pub fn id_or_title(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.title)
    }

    /// The techniques of MITRE ATT&CK among its tags, such as `T1110.001`.
    pub fn techniques(&self) -> impl Iterator<Item = String> + '_ {
        let technique = |tag: &String| {
            let id = tag.strip_prefix("attack.t")?;
            let is_id = id.len() >= 4 && id.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            is_id.then(|| format!("T{id}"))
        };
        self.tags.iter().filter_map(technique)
    }

    /// What is wrong with it, beyond what stands in one line.
    pub(crate) fn error(&self, field: &str, reason: Reason) -> RuleError {
        let rule = Some(self.id_or_title().to_owned());
        RuleError { file: self.file.clone(), line: self.line, rule, field: field.to_owned(), reason }
    }

    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.id.as_deref() == Some(name) || self.name.as_deref() == Some(name)
    }
}

/// Named detections and the condition that joins them.
#[derive(Debug, Clone)]
pub(crate) struct Detections {
    pub(crate) parts: Vec<Detection>,
    pub(crate) condition: Condition,
}

/// What stands beside the named detections and is none.
const NO_NAMES: &[&str] = &["condition", "timeframe", "rules"];

impl Detections {
    pub(crate) fn parse(node: &Node, source: &LogSource, options: &Options) -> Result<Self, Fault> {
        let mut reader = Reader { options, source, budget: Budget::new() };
        let (mut names, mut parts) = (vec![], vec![]);
        for (name, node) in node.map()? {
            if !NO_NAMES.contains(&name.as_str()) {
                parts.push(Detection::parse(node, &mut reader).map_err(|fault| fault.within(name))?);
                names.push(name.as_str());
            }
        }
        let Some(condition) = node.get("condition") else {
            return Err(Fault::new(node.line, Reason::Missing).within("condition"));
        };
        let mut conditions = vec![];
        for node in condition.list() {
            let text = node.text().ok_or_else(|| expected_text(node).within("condition"))?;
            let condition = Condition::parse(text, &names);
            conditions.push(condition.map_err(|reason| Fault::new(node.line, reason).within("condition"))?);
        }
        let condition = match conditions.len() {
            0 => return Err(Fault::new(condition.line, Reason::Missing).within("condition")),
            1 => conditions.remove(0),
            _ => Condition::Any(conditions),
        };
        Ok(Self { parts, condition })
    }

    pub(crate) fn matches(&self, event: &dyn Fields) -> bool {
        self.condition.holds(&mut |part| self.parts[part].matches(event))
    }
}

/// A rule, ready to be held against events.
#[derive(Debug, Clone)]
pub struct Rule {
    /// What it says of itself.
    pub about: About,
    /// The events that it wants to see.
    pub log_source: LogSource,
    pub(crate) detections: Detections,
    /// Further conditions that filters add.
    pub(crate) filters: Vec<Detections>,
    /// Whether a match is something by itself, or only counts for a correlation.
    pub is_alone: bool,
    /// Whether it is held against no event: [`Rules::suspend`](crate::Rules::suspend).
    pub is_suspended: bool,
}

impl Rule {
    pub(crate) fn parse(file: &str, node: &Node, options: &Options) -> Result<Self, Fault> {
        let about = About::parse(file, node)?;
        let log_source = log_source(node)?;
        let detection = node
            .get("detection")
            .ok_or_else(|| Fault::new(node.line, Reason::Missing).within("detection"))?;
        let detections = Detections::parse(detection, &log_source, options);
        let detections = detections.map_err(|fault| fault.within("detection"))?;
        Ok(Self { about, log_source, detections, filters: vec![], is_alone: true, is_suspended: false })
    }

    /// Whether an event matches, wherever it comes from.
    pub fn matches(&self, event: &dyn Fields) -> bool {
        self.detections.matches(event) && self.filters.iter().all(|filter| filter.matches(event))
    }
}

pub(crate) fn log_source(node: &Node) -> Result<LogSource, Fault> {
    let source =
        node.get("logsource").ok_or_else(|| Fault::new(node.line, Reason::Missing).within("logsource"))?;
    LogSource::parse(source).map_err(|fault| fault.within("logsource"))
}
