//! YAML documents as trees whose nodes know their line.
//!
//! A tree is bounded by [`NODES_MAX`] and [`DEPTH_MAX`], aliases counted with all that they stand for.

use std::collections::{BTreeMap, BTreeSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use crate::{
    error::{Fault, Reason},
    number::Number,
};

/// The most nodes of one file.
pub(crate) const NODES_MAX: usize = 100_000;
/// The most levels of lists and maps.
pub(crate) const DEPTH_MAX: usize = 32;

#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// From 1.
    pub(crate) line: usize,
    pub(crate) value: Yaml,
}

#[derive(Debug, Clone)]
pub(crate) enum Yaml {
    Null,
    Bool(bool),
    /// A number and how it was written.
    Number(Number, String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The value of a key, in a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Yaml::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// The text of a scalar, however it was written; nothing for null, lists and maps.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Yaml::Text(text) | Yaml::Number(_, text) => Some(text),
            Yaml::Bool(true) => Some("true"),
            Yaml::Bool(false) => Some("false"),
            _ => None,
        }
    }

    /// The entries of a map.
    pub(crate) fn map(&self) -> Result<&[(String, Node)], Fault> {
        match &self.value {
            Yaml::Map(entries) => Ok(entries),
            _ => Err(Fault::new(self.line, Reason::Expected("a map"))),
        }
    }

    /// The elements of a list; a single value is a list of one, null of none.
    pub(crate) fn list(&self) -> &[Node] {
        match &self.value {
            Yaml::List(nodes) => nodes,
            Yaml::Null => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// The texts of a list.
    pub(crate) fn texts(&self) -> Result<Vec<String>, Fault> {
        let text = |node: &Node| node.text().map(str::to_owned).ok_or_else(|| expected_text(node));
        self.list().iter().map(text).collect()
    }

    /// Nodes; long texts count as several.
    fn size(&self) -> usize {
        match &self.value {
            Yaml::List(nodes) => 1 + nodes.iter().map(Node::size).sum::<usize>(),
            Yaml::Map(entries) => entries.iter().map(|(key, node)| 1 + key.len() / 64 + node.size()).sum(),
            Yaml::Text(text) => 1 + text.len() / 64,
            _ => 1,
        }
    }
}

pub(crate) fn expected_text(node: &Node) -> Fault {
    Fault::new(node.line, Reason::Expected("text"))
}

/// The documents of a file, up to the first place that is not YAML, which is the fault.
pub(crate) fn documents(text: &str) -> (Vec<Node>, Option<Fault>) {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let outcome = match event {
            Ok((event, span)) => builder.take(event, span.start.line()),
            Err(error) => Err(Fault::new(error.marker().line(), Reason::Yaml(error.info().to_owned()))),
        };
        if let Err(fault) = outcome {
            return (builder.documents, Some(fault));
        }
    }
    (builder.documents, None)
}

/// A list or map whose end has not come.
struct Open {
    line: usize,
    anchor: usize,
    nodes: Vec<Node>,
    is_map: bool,
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), Fault> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let node = Node { line, value: scalar(text.into_owned(), style, tag.as_deref()) };
                self.close(node, anchor)
            }
            Event::SequenceStart(anchor, _) => {
                self.begin(Open { line, anchor, nodes: vec![], is_map: false })
            }
            Event::MappingStart(anchor, _) => self.begin(Open { line, anchor, nodes: vec![], is_map: true }),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => {
                    let anchor = open.anchor;
                    let node = finish(open)?;
                    self.close(node, anchor)
                }
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err(Fault::new(line, Reason::Yaml("an alias of what has not ended".to_owned())));
                };
                self.nodes += node.size();
                self.check(line)?;
                let node = node.clone();
                self.close(node, 0)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, open: Open) -> Result<(), Fault> {
        if self.open.len() >= DEPTH_MAX {
            return Err(Fault::new(open.line, Reason::TooMuch { what: "levels of nesting", max: DEPTH_MAX }));
        }
        self.open.push(open);
        Ok(())
    }

    fn check(&self, line: usize) -> Result<(), Fault> {
        match self.nodes > NODES_MAX {
            true => Err(Fault::new(line, Reason::TooMuch { what: "values in one file", max: NODES_MAX })),
            false => Ok(()),
        }
    }

    fn close(&mut self, node: Node, anchor: usize) -> Result<(), Fault> {
        self.nodes += 1;
        self.check(node.line)?;
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            Some(open) => open.nodes.push(node),
            None => self.documents.push(node),
        }
        Ok(())
    }
}

fn finish(open: Open) -> Result<Node, Fault> {
    let Open { line, nodes, is_map, .. } = open;
    if !is_map {
        return Ok(Node { line, value: Yaml::List(nodes) });
    }
    let mut entries = Vec::with_capacity(nodes.len() / 2);
    let mut names = BTreeSet::new();
    let mut nodes = nodes.into_iter();
    while let (Some(key), Some(mut value)) = (nodes.next(), nodes.next()) {
        let name = key.text().ok_or_else(|| expected_text(&key))?.to_owned();
        if !names.insert(name.clone()) {
            return Err(Fault::new(key.line, Reason::Twice).within(&name));
        }
        // A scalar stands where its key does, for whoever looks for it.
        if !matches!(value.value, Yaml::List(_) | Yaml::Map(_)) {
            value.line = key.line;
        }
        entries.push((name, value));
    }
    Ok(Node { line, value: Yaml::Map(entries) })
}

/// A scalar by the core schema of YAML 1.2, section 10.3.2.
fn scalar(text: String, style: ScalarStyle, tag: Option<&Tag>) -> Yaml {
    let is_text = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
    if style != ScalarStyle::Plain || is_text {
        return Yaml::Text(text);
    }
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => Yaml::Null,
        "true" | "True" | "TRUE" => Yaml::Bool(true),
        "false" | "False" | "FALSE" => Yaml::Bool(false),
        _ => match Number::of_yaml(&text) {
            Some(number) => Yaml::Number(number, text),
            None => Yaml::Text(text),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_know_their_lines_and_kinds() {
        let (documents, fault) = documents("title: x\nlist:\n  - 1\n  - '1'\n  - ~\n---\nb: 0x10\n");
        assert!(fault.is_none());
        assert_eq!(documents.len(), 2);
        let list = documents[0].get("list").unwrap().list();
        assert_eq!(list.iter().map(|node| node.line).collect::<Vec<_>>(), [3, 4, 5]);
        assert!(matches!(list[0].value, Yaml::Number(Number::Integer(1), _)));
        assert!(matches!(list[1].value, Yaml::Text(_)));
        assert!(matches!(list[2].value, Yaml::Null));
        assert!(matches!(documents[1].get("b").unwrap().value, Yaml::Number(Number::Integer(16), _)));
    }

    #[test]
    fn what_is_no_yaml_is_named_by_its_line_and_what_stands_before_is_kept() {
        let (kept, fault) = documents("a: 1\n---\nb: [1, 2\n---\nc: 3\n");
        assert_eq!(kept.len(), 1);
        let fault = fault.unwrap();
        assert!(fault.line >= 3, "{fault:?}");
        assert!(matches!(fault.reason, Reason::Yaml(_)));
    }

    #[test]
    fn aliases_cannot_grow_without_bound() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..9 {
            let before = format!("*a{}", level - 1);
            text += &format!("a{level}: &a{level} [{}]\n", [before.as_str(); 10].join(", "));
        }
        let (_, fault) = documents(&text);
        assert!(matches!(fault.unwrap().reason, Reason::TooMuch { .. }));
        assert!(documents(&"[".repeat(1000)).1.is_some());
        let nested: String = (0..40).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
        assert!(matches!(documents(&nested).1.unwrap().reason, Reason::TooMuch { .. }));
    }

    #[test]
    fn a_key_stands_once() {
        let (_, fault) = documents("a:\n  b: 1\n  b: 2\n");
        let fault = fault.unwrap();
        assert_eq!((fault.line, fault.field.as_str()), (3, "b"));
    }
}
