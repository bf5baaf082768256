//! The keys of a map, read one after the other; what nobody asked for is a mistake.

use std::{cell::RefCell, fmt::Display, path::PathBuf, str::FromStr, time::Duration};

use serde_json::Value as Json;

use super::{
    problem::{RouteProblem, suggestion},
    yaml::{Node, Value},
};
use crate::secret::Secret;

/// What was found wrong so far.
pub(crate) type Problems = RefCell<Vec<RouteProblem>>;

/// A map that is being read.
pub(crate) struct Fields<'a> {
    pub(crate) place: String,
    line: usize,
    entries: &'a [(Node, Node)],
    known: RefCell<Vec<String>>,
    problems: &'a Problems,
}

impl<'a> Fields<'a> {
    /// Of this node, which `place` names. What is no map has no keys, and that is a problem.
    pub(crate) fn new(node: &'a Node, place: impl Into<String>, problems: &'a Problems) -> Self {
        let (place, line) = (place.into(), node.line);
        let entries: &[_] = match &node.value {
            Value::Map(entries) => entries,
            Value::Null => &[],
            Value::Text(_) | Value::List(_) => {
                let reason = "a map (key: value) belongs here".to_owned();
                problems.borrow_mut().push(RouteProblem { line, place: place.clone(), reason });
                &[]
            }
        };
        Self { place, line, entries, known: RefCell::default(), problems }
    }

    /// Notes that what stands behind a key cannot be; behind the map itself where the key is not there.
    pub(crate) fn wrong(&self, key: &str, reason: impl Into<String>) {
        let line = self.find(key).map_or(self.line, |node| node.line);
        self.wrong_at(line, key, reason);
    }

    pub(crate) fn wrong_at(&self, line: usize, key: &str, reason: impl Into<String>) {
        let place = if key.is_empty() { self.place.clone() } else { self.place_of(key) };
        self.problems.borrow_mut().push(RouteProblem { line, place, reason: reason.into() });
    }

    pub(crate) fn place_of(&self, key: &str) -> String {
        if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) }
    }

    /// All that it says, in JSON.
    pub(crate) fn json(&self) -> Json {
        let named = |(name, value): &(Node, Node)| Some((name.text()?.to_owned(), value.json()));
        Json::Object(self.entries.iter().filter_map(named).collect())
    }

    fn find(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value)
    }

    /// What stands behind a key; nothing where it is missing or null.
    pub(crate) fn node(&self, key: &str) -> Option<&'a Node> {
        self.known.borrow_mut().push(key.to_owned());
        self.find(key).filter(|node| !matches!(node.value, Value::Null))
    }

    /// The map behind a key.
    pub(crate) fn fields(&self, key: &str) -> Option<Fields<'a>> {
        self.node(key).map(|node| Fields::new(node, self.place_of(key), self.problems))
    }

    /// The maps of the list behind a key, each named by its number.
    pub(crate) fn list(&self, key: &str) -> Vec<Fields<'a>> {
        let nodes = self.node(key).map_or(&[][..], Node::list).iter().enumerate();
        let of = |(at, node)| Fields::new(node, format!("{}[{at}]", self.place_of(key)), self.problems);
        nodes.map(of).collect()
    }

    /// The keys and values behind a key, of whatever name.
    pub(crate) fn map(&self, key: &str) -> Vec<(String, &'a Node)> {
        let Some(fields) = self.fields(key) else { return vec![] };
        let named = |(name, value): &'a (Node, Node)| Some((name.text()?.to_owned(), value));
        fields.entries.iter().filter_map(named).collect()
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        let node = self.node(key)?;
        let text = node.text().map(str::to_owned);
        if text.is_none() {
            self.wrong(key, "one text belongs here");
        }
        text
    }

    /// A text that must be there.
    pub(crate) fn needed(&self, key: &str) -> String {
        let is_there = self.node(key).is_some();
        if !is_there {
            self.wrong(key, "it is missing");
        }
        self.text(key).unwrap_or_default()
    }

    pub(crate) fn texts(&self, key: &str) -> Vec<(usize, String)> {
        let nodes = self.node(key).map_or(&[][..], Node::list);
        let text = |node: &Node| {
            let text = node.text().map(|text| (node.line, text.to_owned()));
            if text.is_none() {
                self.wrong_at(node.line, key, "one text or a list of texts belongs here");
            }
            text
        };
        nodes.iter().filter_map(text).collect()
    }

    /// Values of a type, each from its text.
    pub(crate) fn parsed<T>(&self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let parse = |(line, text): (usize, String)| {
            parse(&text).map_err(|reason| self.wrong_at(line, key, reason)).ok()
        };
        self.texts(key).into_iter().filter_map(parse).collect()
    }

    pub(crate) fn one<T>(&self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(key)?;
        parse(&text).map_err(|reason| self.wrong(key, reason)).ok()
    }

    pub(crate) fn number<T: FromStr<Err: Display>>(&self, key: &str) -> Option<T> {
        self.one(key, |text| text.parse().map_err(|error| format!("'{text}' does not suit: {error}")))
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        let read = |text: &str| match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(format!("'{text}' is neither true nor false")),
        };
        self.one(key, read).unwrap_or(false)
    }

    pub(crate) fn duration(&self, key: &str) -> Option<Duration> {
        self.one(key, duration)
    }

    /// The secret behind a key, or in the file that stands behind `key_file`.
    pub(crate) fn secret(&self, key: &str) -> Option<Secret> {
        let file = format!("{key}_file");
        match (self.text(key), self.text(&file)) {
            (Some(_), Some(_)) => {
                self.wrong(key, format!("it stands beside {file}; give one of them"));
                None
            }
            (Some(text), None) => Some(Secret::Text(text)),
            (None, Some(path)) => Some(Secret::File(PathBuf::from(path))),
            (None, None) => None,
        }
    }

    /// A secret that must be there.
    pub(crate) fn needed_secret(&self, key: &str) -> Secret {
        let secret = self.secret(key);
        if secret.is_none() && self.find(key).is_none() {
            self.wrong(key, format!("it is missing; give it, or {key}_file"));
        }
        secret.unwrap_or(Secret::Text(String::new()))
    }

    /// Notes what nobody asked for, and what is there twice.
    pub(crate) fn finish(self) {
        let known = self.known.borrow();
        let mut seen: Vec<&str> = vec![];
        for (key, _) in self.entries {
            let Some(name) = key.text() else {
                self.wrong_at(key.line, "", "a key must be one text");
                continue;
            };
            if seen.contains(&name) {
                self.wrong_at(key.line, name, "it stands here for the second time");
            } else if !known.iter().any(|known| known == name) {
                let like = suggestion(name, known.iter().map(String::as_str));
                self.wrong_at(key.line, name, format!("no such key is known here{like}"));
            }
            seen.push(name);
        }
    }
}

/// A duration as people write it: `30s`, `10m`, `1h`, `2d`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("'{text}' is no duration; write 30s, 10m, 1h or 2d");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86400,
        _ => return Err(wrong()),
    };
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    let longest = Duration::from_secs(366 * 86400);
    let duration = Duration::from_secs(u64::from(number) * seconds);
    if duration.is_zero() || duration > longest {
        return Err(format!("'{text}' is not between 1s and 366d"));
    }
    Ok(duration)
}
