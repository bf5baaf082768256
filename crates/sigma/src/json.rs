//! Events as JSON objects, flat or nested.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

use crate::{Fields, Value};

/// An event read from JSON; texts without escapes are not copied.
///
/// A field's name is a key, or a path of keys joined by dots; where a list stands on the way, every element is asked.
#[derive(Debug, Clone)]
pub struct Json<'a>(Node<'a>);

impl<'a> Json<'a> {
    /// Reads one JSON value.
    ///
    /// # Errors
    /// Where the text is no JSON, or is nested more than 128 levels deep.
    pub fn parse(text: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(text).map(Self)
    }
}

#[derive(Debug, Clone)]
enum Node<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Map(Vec<(Cow<'a, str>, Node<'a>)>),
}

type Test<'t> = &'t mut dyn FnMut(Value<'_>) -> bool;

impl Node<'_> {
    /// Shows a scalar, or those of a list.
    fn show(&self, test: Test<'_>) -> bool {
        match self {
            Node::Null => test(Value::Null),
            Node::Bool(bool) => test(Value::Bool(*bool)),
            Node::Integer(integer) => test(Value::Integer(*integer)),
            Node::Float(float) => test(Value::Float(*float)),
            Node::Text(text) => test(Value::Text(text)),
            Node::List(nodes) => nodes.iter().any(|node| node.show(test)),
            Node::Map(_) => false,
        }
    }

    fn any(&self, name: &str, test: Test<'_>) -> Option<bool> {
        match self {
            Node::Map(entries) => {
                if let Some((_, node)) = entries.iter().find(|(key, _)| key == name) {
                    return Some(node.show(test));
                }
                let mut found = None;
                for (dot, _) in name.match_indices('.') {
                    let within = entries.iter().find(|(key, _)| *key == name[..dot]);
                    let Some((_, node)) = within else { continue };
                    match node.any(&name[dot + 1..], test) {
                        Some(true) => return Some(true),
                        other => found = found.or(other),
                    }
                }
                found
            }
            Node::List(nodes) => {
                let mut found = None;
                for node in nodes {
                    match node.any(name, test) {
                        Some(true) => return Some(true),
                        other => found = found.or(other),
                    }
                }
                found
            }
            _ => None,
        }
    }

    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        match self {
            Node::Text(text) => test(text),
            Node::List(nodes) => nodes.iter().any(|node| node.any_text(test)),
            Node::Map(entries) => entries.iter().any(|(_, node)| node.any_text(test)),
            _ => false,
        }
    }
}

impl Fields for Json<'_> {
    fn any(&self, name: &str, test: Test<'_>) -> Option<bool> {
        self.0.any(name, test)
    }

    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        self.0.any_text(test)
    }
}

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, bool: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(bool))
    }

    fn visit_i64<E>(self, integer: i64) -> Result<Node<'de>, E> {
        Ok(Node::Integer(integer))
    }

    fn visit_u64<E>(self, integer: u64) -> Result<Node<'de>, E> {
        Ok(i64::try_from(integer).map_or(Node::Float(integer as f64), Node::Integer))
    }

    fn visit_f64<E>(self, float: f64) -> Result<Node<'de>, E> {
        Ok(Node::Float(float))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node<'de>, A::Error> {
        let mut nodes = vec![];
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
        let mut entries = Vec::with_capacity(8);
        while let Some((key, node)) = map.next_entry::<Key<'de>, _>()? {
            entries.push((key.0, node));
        }
        Ok(Node::Map(entries))
    }
}

/// A key that is borrowed where it can be.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_keys_or_paths() {
        let event = Json::parse(
            r#"{"a":1,"b.c":"flat","b":{"d":"nested","e.f":2},"l":[{"x":1},{"x":2}],"n":null,"e":[],"o":{}}"#,
        );
        let event = event.unwrap();
        let values = |name: &str| {
            let mut values = vec![];
            let found = event.any(name, &mut |value| {
                values.push(format!("{value:?}"));
                false
            });
            found.map(|_| values.join(" "))
        };
        for (name, expected) in [
            ("a", Some("Integer(1)")),
            ("b.c", Some("Text(\"flat\")")),
            ("b.d", Some("Text(\"nested\")")),
            ("b.e.f", Some("Integer(2)")),
            ("l.x", Some("Integer(1) Integer(2)")),
            ("n", Some("Null")),
            ("e", Some("")),
            ("o", Some("")),
            ("b.x", None),
            ("a.b", None),
            ("", None),
        ] {
            assert_eq!(values(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn every_text_is_shown() {
        let event = Json::parse(r#"{"a":"x","b":["y",{"c":"z\n"}],"n":1}"#).unwrap();
        let mut texts = vec![];
        event.any_text(&mut |text| {
            texts.push(text.to_owned());
            false
        });
        assert_eq!(texts, ["x", "y", "z\n"]);
    }
}
