//! `fields=a,b`: which members of a hit are wanted.

use event::Document;
use problem::Problem;
use serde_json::Value;

use crate::params::{Params, bad_parameter};

/// Names that one request may give.
const NAMES_MAX: usize = 256;

/// The members wanted beside `_id`, by their names as given; all without any.
#[derive(Debug, Clone, Default)]
pub(super) struct Picked(Vec<String>);

impl Picked {
    /// # Errors
    /// 400 for too many names.
    pub(super) fn of(params: &Params) -> Result<Self, Problem> {
        let names = query::names(params.text("fields").unwrap_or_default());
        if names.len() > NAMES_MAX {
            return Err(bad_parameter("fields", format!("'fields' takes at most {NAMES_MAX} names")));
        }
        Ok(Self(names))
    }

    /// The names as given.
    pub(super) fn names(&self) -> &[String] {
        &self.0
    }

    /// These names.
    #[cfg(test)]
    pub(super) fn named(names: &[&str]) -> Self {
        Self(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// The document with the wanted members alone, nested as they were.
    pub(super) fn of_document(&self, document: Document) -> Document {
        if self.0.is_empty() {
            return document;
        }
        let mut picked = Document::new();
        for name in &self.0 {
            let _ = query::paths(name).iter().any(|path| pick(&document, path, &mut picked));
        }
        picked
    }
}

/// Copies the value at a dotted path, where a member's own name may have dots; false when there is none.
fn pick(from: &Document, path: &str, into: &mut Document) -> bool {
    if let Some(value) = from.get(path) {
        into.insert(path.to_owned(), value.clone());
        return true;
    }
    path.match_indices('.').any(|(dot, _)| {
        let (name, rest) = (&path[..dot], &path[dot + 1..]);
        let Some(Value::Object(inner)) = from.get(name) else { return false };
        let mut below = match into.get_mut(name) {
            Some(Value::Object(known)) => std::mem::take(known),
            _ => Document::new(),
        };
        let found = pick(inner, rest, &mut below);
        if !below.is_empty() {
            into.insert(name.to_owned(), Value::Object(below));
        }
        found
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_come_nested_as_they_were() {
        let document = json!({
            "@timestamp": "t", "log": {"level": "info", "file": {"path": "/a"}}, "service": {"name": "sshd"},
            "source": {"ip": "192.0.2.7"}, "labels": {"a": 1, "a.b": 2, "c": {"d": 3}, "client": {"ip": "unknown"}, "user name": 5},
        });
        for (fields, expected) in [
            (&["level", "source"][..], json!({"log": {"level": "info"}, "service": {"name": "sshd"}})),
            (&["log.file.path", "log.level"], json!({"log": {"file": {"path": "/a"}, "level": "info"}})),
            (&["source.ip", "absent", "message"], json!({"source": {"ip": "192.0.2.7"}})),
            (&["a.b", "c"], json!({"labels": {"a.b": 2, "c": {"d": 3}}})),
            (&["labels.a", "labels.c"], json!({"labels": {"a": 1, "c": {"d": 3}}})),
            (&["c.d", "absent.x"], json!({"labels": {"c": {"d": 3}}})),
            (&["client.ip", "user name"], json!({"labels": {"client": {"ip": "unknown"}, "user name": 5}})),
        ] {
            let picked = Picked::named(fields);
            let found = picked.of_document(document.as_object().unwrap().clone());
            assert_eq!(Value::Object(found), expected, "{fields:?}");
        }
        let all = document.as_object().unwrap();
        assert_eq!(Picked::default().of_document(all.clone()), *all);
    }
}
