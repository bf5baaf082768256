//! YAML as a tree of texts whose nodes know their line. It has no aliases, so it is no larger than its file.

use saphyr_parser::{Event, Parser, ScalarStyle};

use serde_json::Value as Json;

use super::problem::RouteProblem;

/// Longer files are refused.
pub(crate) const FILE_BYTES_MAX: usize = 1 << 20;
/// More levels of lists and maps are refused.
const DEPTH_MAX: usize = 16;

#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// From 1.
    pub(crate) line: usize,
    pub(crate) value: Value,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The elements of a list; a single value is a list of one, null of none.
    pub(crate) fn list(&self) -> &[Node] {
        match &self.value {
            Value::List(nodes) => nodes,
            Value::Null => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// The same in JSON; every value that is no list or map is a text.
    pub(crate) fn json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Text(text) => Json::String(text.clone()),
            Value::List(nodes) => nodes.iter().map(Self::json).collect(),
            Value::Map(entries) => {
                let named = |(name, value): &(Self, Self)| Some((name.text()?.to_owned(), value.json()));
                Json::Object(entries.iter().filter_map(named).collect())
            }
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

struct Open {
    line: usize,
    is_map: bool,
    nodes: Vec<Node>,
}

/// What a document of JSON says, all on one line.
pub(crate) fn of_json(json: &Json) -> Node {
    let text = |text: &str| Node { line: 1, value: Value::Text(text.to_owned()) };
    let value = match json {
        Json::Null => Value::Null,
        Json::Array(all) => Value::List(all.iter().map(of_json).collect()),
        Json::Object(members) => {
            Value::Map(members.iter().map(|(name, member)| (text(name), of_json(member))).collect())
        }
        Json::String(said) => Value::Text(said.clone()),
        Json::Bool(_) | Json::Number(_) => Value::Text(json.to_string()),
    };
    Node { line: 1, value }
}

/// The one document of a file; null where it is empty.
pub(crate) fn document(text: &str) -> Result<Node, RouteProblem> {
    let fault = |line, reason: String| RouteProblem { line, place: "the file".to_owned(), reason };
    if text.len() > FILE_BYTES_MAX {
        return Err(fault(1, format!("it has {} bytes, and {FILE_BYTES_MAX} are the most", text.len())));
    }
    let mut open: Vec<Open> = vec![];
    let mut root = None;
    for event in Parser::new_from_str(text) {
        let (event, span) = event
            .map_err(|error| fault(error.marker().line(), format!("this is no YAML: {}", error.info())))?;
        let line = span.start.line();
        let done = match event {
            Event::Scalar(text, style, ..) => {
                let is_null = style == ScalarStyle::Plain && ["", "~", "null"].contains(&text.as_ref());
                let value = if is_null { Value::Null } else { Value::Text(text.into_owned()) };
                Node { line, value }
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() == DEPTH_MAX => {
                return Err(fault(
                    line,
                    format!("more than {DEPTH_MAX} levels stand within each other here"),
                ));
            }
            Event::SequenceStart(..) => {
                open.push(Open { line, is_map: false, nodes: vec![] });
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open { line, is_map: true, nodes: vec![] });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(open) => closed(open),
                None => continue,
            },
            Event::Alias(_) => {
                return Err(fault(line, "aliases (*name) are not read; write it out".to_owned()));
            }
            _ => continue,
        };
        match open.last_mut() {
            Some(open) => open.nodes.push(done),
            None if root.is_some() => {
                return Err(fault(line, "a second document begins here; put all into one".to_owned()));
            }
            None => root = Some(done),
        }
    }
    Ok(root.unwrap_or(Node { line: 1, value: Value::Null }))
}

fn closed(open: Open) -> Node {
    let Open { line, is_map, nodes } = open;
    if !is_map {
        return Node { line, value: Value::List(nodes) };
    }
    let mut entries = Vec::with_capacity(nodes.len() / 2);
    let mut nodes = nodes.into_iter();
    while let (Some(key), Some(mut value)) = (nodes.next(), nodes.next()) {
        // A value stands where its key does, for whoever looks for it.
        if !matches!(value.value, Value::List(_) | Value::Map(_)) {
            value.line = key.line;
        }
        entries.push((key, value));
    }
    Node { line, value: Value::Map(entries) }
}
