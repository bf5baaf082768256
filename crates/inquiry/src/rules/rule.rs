//! A rule as it stands in its file: what it is called in comments of YAML, and the question below them.

use std::time::Duration;

use finding::Level;
use rulebook::Fault;
use serde::Deserialize;
use sql::{Question, length};

use super::trial::Trial;
use crate::tables::PROCESS_EVENTS;

/// A rule is asked no more often, and no more seldom.
const EVERY_MIN: Duration = Duration::from_secs(5);
const EVERY_MAX: Duration = Duration::from_secs(24 * 3600);
/// It looks no further back.
const WINDOW_MAX: Duration = Duration::from_secs(30 * 24 * 3600);
/// Columns of an answer that say whom a row is about, the first of them mainly.
pub(crate) const ABOUT: &[&str] = &["host", "source_ip", "user", "service", "process"];

/// A rule that can be asked.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its id.
    pub id: String,
    /// What it finds, in a line.
    pub title: String,
    /// What it finds, at length.
    pub description: Option<String>,
    /// How grave a row is.
    pub severity: Level,
    /// Its version, as its author counts.
    pub version: u32,
    /// Techniques of MITRE ATT&CK.
    pub techniques: Vec<String>,
    /// What else is known to match.
    pub false_positives: Vec<String>,
    /// The table whose new rows have it asked, over these alone; None: it is asked every so often.
    pub on: Option<&'static str>,
    /// How often it is asked; where it is asked of new rows, how long after it could not be.
    pub every: Duration,
    /// How far back it looks.
    pub window: Duration,
    /// Columns by which a row is known again; all of them where it is empty.
    pub key: Vec<String>,
    /// The file, below the folder that it is of.
    pub file: String,
    /// Its tests.
    pub tests: Vec<Trial>,
    /// What it asks.
    pub question: Question,
    /// The hash of its text.
    pub hash: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    id: String,
    title: String,
    description: Option<String>,
    severity: Level,
    #[serde(default = "one")]
    version: u32,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    false_positives: Vec<String>,
    on: Option<String>,
    every: Option<String>,
    window: Option<String>,
    #[serde(default)]
    key: Vec<String>,
    #[serde(default)]
    tests: Vec<Trial>,
}

fn one() -> u32 {
    1
}

impl Rule {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, at its line.
    pub fn read(file: &str, text: &str) -> Result<Self, Fault> {
        let fault = |line: usize, rule: Option<&str>, field: &str, reason: String| Fault {
            file: file.to_owned(),
            line,
            rule: rule.map(str::to_owned),
            field: field.to_owned(),
            reason,
        };
        let head: String = text
            .lines()
            .map_while(|line| line.strip_prefix("--"))
            .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
            .collect();
        if head.trim().is_empty() {
            let reason = "a rule begins with comments of YAML: '-- id: …', '-- title: …', '-- severity: …'";
            return Err(fault(1, None, "", reason.to_owned()));
        }
        let head: Head = serde_yaml_ng::from_str(&head).map_err(|error| {
            let line = error.location().map_or(1, |place| place.line());
            fault(line, None, "", error.to_string())
        })?;
        let id = head.id.clone();
        let of = |field: &str, reason: String| fault(1, Some(&id), field, reason);
        if id.is_empty() || id.len() > 128 || head.title.is_empty() || head.title.len() > 256 {
            return Err(of(
                "id",
                "'id' (at most 128 bytes) and 'title' (at most 256) must be given".to_owned(),
            ));
        }
        let span = |field: &str, given: &Option<String>, usual: &str, (least, most): (Duration, Duration)| {
            let span = length(given.as_deref().unwrap_or(usual)).map_err(|reason| of(field, reason))?;
            if span < least || span > most {
                let (least, most) = (least.as_secs(), most.as_secs());
                return Err(of(field, format!("must be from {least} s to {most} s")));
            }
            Ok(span)
        };
        let every = span("every", &head.every, "1m", (EVERY_MIN, EVERY_MAX))?;
        let window = span("window", &head.window, "1h", (every, WINDOW_MAX))?;
        let question = crate::check(text).map_err(|refusal| {
            let line = refusal.place(text).map_or(1, |place| place.line);
            fault(line, Some(&id), "sql", refusal.to_string())
        })?;
        let on = new_rows(&head, &question).map_err(|reason| of("on", reason))?;
        if !ABOUT.iter().any(|about| question.columns().iter().any(|column| column == about)) {
            let reason =
                format!("a row must say whom it is about: give one of {} as a column", ABOUT.join(", "));
            return Err(of("sql", reason));
        }
        if let Some(missing) = head.key.iter().find(|key| !question.columns().contains(key)) {
            return Err(of("key", format!("'{missing}' is no column of the answer")));
        }
        Ok(Self {
            id: head.id,
            title: head.title,
            description: head.description,
            severity: head.severity,
            version: head.version,
            techniques: head.tags.iter().filter_map(|tag| technique(tag)).collect(),
            false_positives: head.false_positives,
            on,
            every,
            window,
            key: head.key,
            file: file.to_owned(),
            tests: head.tests,
            question,
            hash: blake3::hash(text.as_bytes()).to_hex().to_string(),
        })
    }
}

/// The table whose new rows a rule waits for; or why it cannot.
fn new_rows(head: &Head, question: &Question) -> Result<Option<&'static str>, String> {
    let Some(name) = head.on.as_deref() else { return Ok(None) };
    if head.every.is_some() {
        return Err("'on' and 'every' cannot both be given".to_owned());
    }
    if name != PROCESS_EVENTS.name {
        return Err(format!("'{name}' has no new rows to wait for; '{}' has", PROCESS_EVENTS.name));
    }
    if !question.tables().iter().any(|table| table.name == name) {
        return Err(format!("the question does not read '{name}'"));
    }
    Ok(Some(PROCESS_EVENTS.name))
}

/// `attack.t1059.004` as `T1059.004`; None of tactics and of what is no technique.
fn technique(tag: &str) -> Option<String> {
    let name = tag.strip_prefix("attack.").unwrap_or(tag);
    let digits = name.strip_prefix(['t', 'T'])?;
    let is_number = digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_number.then(|| format!("T{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "-- id: many-errors\n-- title: Many errors\n-- severity: high\n-- tags: [attack.execution, attack.t1059.004]\n\
                        -- every: 30s\n-- window: 10m\n\nSELECT host, count(*) AS n FROM logs\nWHERE level = 'error' GROUP BY host HAVING n > 3\n";

    #[test]
    fn a_rule_of_new_rows_reads_them() {
        let text = RULE
            .replace("every: 30s", "on: process_events")
            .replace("level = 'error'", "1")
            .replace("logs", "process_events");
        assert_eq!(Rule::read("new.sql", &text).unwrap().on, Some("process_events"));
        for (text, reason) in [
            (text.replace("on: process_events", "on: logs"), "'logs' has no new rows"),
            (text.replace("FROM process_events", "FROM processes"), "does not read 'process_events'"),
            (text.replace("-- window", "-- every: 1m\n-- window"), "cannot both"),
        ] {
            let fault = Rule::read("new.sql", &text).unwrap_err();
            assert!(fault.field == "on" && fault.reason.contains(reason), "{fault:?}");
        }
    }

    #[test]
    fn a_file_is_a_rule_or_says_at_which_line_it_is_none() {
        let rule = Rule::read("errors.sql", RULE).unwrap();
        assert_eq!((rule.id.as_str(), rule.severity, rule.version), ("many-errors", Level::High, 1));
        assert_eq!(rule.techniques, ["T1059.004"]);
        assert_eq!((rule.every.as_secs(), rule.window.as_secs()), (30, 600));
        for (text, line, reason) in [
            (RULE.replace("level =", "levl ="), 9, "levl"),
            (RULE.replace("SELECT host,", "SELECT level,"), 1, "whom it is about"),
            (format!("{RULE}; DROP TABLE logs"), 10, "second statement"),
            (RULE.replace("SELECT host", "ATTACH 'x' AS y; SELECT host"), 8, "ATTACH"),
            (RULE.replace("high", "grave"), 3, "grave"),
            (RULE.replace("every: 30s", "evry: 30s"), 5, "evry"),
            (RULE.replace("every: 30s", "every: 20m"), 1, "from 1200 s"),
            (RULE.replace("every: 30s", "key: [nothing]"), 1, "nothing"),
            ("SELECT host FROM logs".to_owned(), 1, "begins with comments"),
        ] {
            let fault = Rule::read("errors.sql", &text).unwrap_err();
            assert!(fault.line == line && fault.reason.contains(reason), "{text}: {fault:?}");
        }
    }
}
