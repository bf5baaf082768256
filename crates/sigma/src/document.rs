//! A file as the rules, correlations and filters in it.

use crate::{
    Options, Rule, RuleError,
    correlation::Correlation,
    error::{Fault, Reason},
    filter::Filter,
    yaml::{Node, Yaml, documents},
};

pub(crate) enum Document {
    Rule(Box<Rule>),
    Correlation(Box<Correlation>),
    Filter(Box<Filter>),
}

/// Reads a file; what cannot be read is told, and the other documents are there.
pub(crate) fn read(file: &str, text: &str, options: &Options, errors: &mut Vec<RuleError>) -> Vec<Document> {
    let (nodes, fault) = documents(text);
    let mut read = vec![];
    let (mut global, mut before) = (None, None);
    for node in nodes {
        if matches!(node.value, Yaml::Null) {
            continue;
        }
        let node = match node.get("action").and_then(Node::text) {
            Some("global") => {
                global = Some(merged(global, node));
                continue;
            }
            Some("reset") => {
                global = None;
                continue;
            }
            Some("repeat") => merged(before.clone(), node),
            _ => merged(global.clone(), node),
        };
        match document(file, &node, options) {
            Ok(document) => read.push(document),
            Err(fault) => {
                let name = |key| node.get(key).and_then(Node::text);
                let rule = name("id").or_else(|| name("title")).map(str::to_owned);
                errors.push(error(file, rule, fault));
            }
        }
        before = Some(node);
    }
    if let Some(fault) = fault {
        errors.push(error(file, None, fault));
    }
    read
}

fn error(file: &str, rule: Option<String>, fault: Fault) -> RuleError {
    let Fault { line, field, reason } = fault;
    RuleError { file: file.to_owned(), line, rule, field, reason }
}

fn document(file: &str, node: &Node, options: &Options) -> Result<Document, Fault> {
    node.map()?;
    if node.get("correlation").is_some() {
        return Correlation::parse(file, node).map(Box::new).map(Document::Correlation);
    }
    if node.get("filter").is_some() {
        return Filter::parse(node, options).map(Box::new).map(Document::Filter);
    }
    if node.get("detection").is_none() {
        return Err(Fault::new(node.line, Reason::Expected("a detection, a correlation or a filter")));
    }
    Rule::parse(file, node, options).map(Box::new).map(Document::Rule)
}

/// A document with what an earlier one says for it; maps are joined, and what it says itself counts.
fn merged(earlier: Option<Node>, node: Node) -> Node {
    let Some(Node { value: Yaml::Map(mut entries), .. }) = earlier else { return node };
    let line = node.line;
    let Yaml::Map(own) = node.value else { return node };
    for (key, value) in own {
        match entries.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => {
                let before = std::mem::replace(old, Node { line, value: Yaml::Null });
                *old = merged(Some(before), value);
            }
            None => entries.push((key, value)),
        }
    }
    entries.retain(|(key, _)| key != "action");
    Node { line, value: Yaml::Map(entries) }
}
