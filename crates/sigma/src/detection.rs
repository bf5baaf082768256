//! The named parts of a rule's detection: selections, keywords, filters.

use crate::{
    Fields,
    error::{Fault, Reason},
    item::{Item, Reader},
    yaml::{Node, Yaml},
};

/// What one name of a condition stands for.
#[derive(Debug, Clone)]
pub(crate) enum Detection {
    Item(Item),
    /// A map: all of its lines.
    All(Vec<Detection>),
    /// A list of maps and keywords: any of them.
    Any(Vec<Detection>),
}

impl Detection {
    pub(crate) fn parse(node: &Node, reader: &mut Reader<'_>) -> Result<Self, Fault> {
        match &node.value {
            Yaml::Map(entries) if !entries.is_empty() => {
                let items = entries.iter().map(|(key, node)| {
                    Item::parse(key, node, reader).map(Self::Item).map_err(|fault| fault.within(key))
                });
                Ok(single(items.collect::<Result<_, _>>()?, Self::All))
            }
            Yaml::List(nodes) if nodes.iter().any(|node| matches!(node.value, Yaml::Map(_))) => {
                let parts = nodes.iter().map(|node| match node.value {
                    Yaml::List(_) => Err(Fault::new(node.line, Reason::Expected("a map or a keyword"))),
                    _ => Self::parse(node, reader),
                });
                Ok(single(parts.collect::<Result<_, _>>()?, Self::Any))
            }
            Yaml::Map(_) | Yaml::Null => Err(Fault::new(node.line, Reason::Expected("a map or a list"))),
            _ => Ok(Self::Item(Item::keyword(node, reader)?)),
        }
    }

    pub(crate) fn matches(&self, event: &dyn Fields) -> bool {
        match self {
            Self::Item(item) => item.matches(event),
            Self::All(parts) => parts.iter().all(|part| part.matches(event)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(event)),
        }
    }
}

fn single(mut parts: Vec<Detection>, several: fn(Vec<Detection>) -> Detection) -> Detection {
    match parts.len() {
        1 => parts.remove(0),
        _ => several(parts),
    }
}
