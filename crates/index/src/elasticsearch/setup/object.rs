//! One thing that set-up keeps on the server: what we want it to hold, what is found there, and
//! whether someone changed it in between.
//!
//! Every object carries `_meta`: `managed_by`, `version`, `wanted` (the hash of what this program
//! meant to write) and `stored` (the hash of what the server gave back right after that). Servers
//! spell out defaults and turn numbers into strings, so the two may differ; an object whose content
//! no longer has the hash `stored` was changed by someone else.

use std::{collections::BTreeMap, fmt};

use serde_json::{Map, Value as Json, json};

/// Who wrote an object, in its `_meta`.
pub(super) const MANAGED_BY: &str = "log-sentinel";

/// What sort of object it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An ILM policy.
    Policy,
    /// A component template.
    Component,
    /// A composable index template.
    Template,
}

impl Kind {
    /// Where the server keeps an object of this kind.
    pub(super) fn path(self, name: &str) -> String {
        match self {
            Self::Policy => format!("/_ilm/policy/{name}"),
            Self::Component => format!("/_component_template/{name}"),
            Self::Template => format!("/_index_template/{name}"),
        }
    }

    /// The objects in the answer to a `GET`, by name, each in the form in which it is written.
    pub(super) fn listed(self, answer: &Json) -> BTreeMap<String, Json> {
        let (list, body) = match self {
            Self::Policy => {
                let policies = answer.as_object().into_iter().flatten();
                return policies
                    .filter_map(|(name, found)| Some((name.clone(), json!({"policy": found.get("policy")?}))))
                    .collect();
            }
            Self::Component => ("component_templates", "component_template"),
            Self::Template => ("index_templates", "index_template"),
        };
        let items = answer.get(list).and_then(Json::as_array).into_iter().flatten();
        items
            .filter_map(|item| Some((item.get("name")?.as_str()?.to_owned(), item.get(body)?.clone())))
            .collect()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Policy => "lifecycle policy",
            Self::Component => "component template",
            Self::Template => "index template",
        })
    }
}

/// An object as this program wants it.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// What is sent, without `_meta`.
    pub(super) body: Json,
    /// Made when it is absent and never touched again: it belongs to the operator.
    pub(super) operators: bool,
}

impl Object {
    pub(super) fn new(kind: Kind, name: String, body: Json) -> Self {
        Self { kind, name, body, operators: false }
    }

    /// The body to send, marked as ours; `stored` is the hash that the server's copy will have.
    pub(super) fn marked(&self, version: u64, stored: &str) -> Json {
        let mut body = self.body.clone();
        if self.operators {
            return body;
        }
        let meta = json!({
            "managed_by": MANAGED_BY,
            "version": version,
            "wanted": hash(self.kind, &self.body),
            "stored": stored,
        });
        let holder = match self.kind {
            Kind::Policy => body.get_mut("policy"),
            Kind::Component | Kind::Template => Some(&mut body),
        };
        if let Some(Json::Object(holder)) = holder {
            holder.insert("_meta".to_owned(), meta);
        }
        body
    }
}

/// What an object says of its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) version: u64,
    pub(super) wanted: String,
    pub(super) stored: String,
}

impl Mark {
    /// The mark of an object that this program wrote.
    pub(super) fn of(kind: Kind, found: &Json) -> Option<Self> {
        let meta = match kind {
            Kind::Policy => found.get("policy")?.get("_meta")?,
            Kind::Component | Kind::Template => found.get("_meta")?,
        };
        let text = |key: &str| meta.get(key).and_then(Json::as_str);
        (text("managed_by") == Some(MANAGED_BY)).then_some(())?;
        Some(Self {
            version: meta.get("version")?.as_u64()?,
            wanted: text("wanted")?.to_owned(),
            stored: text("stored")?.to_owned(),
        })
    }
}

/// One leaf that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its dotted path.
    pub path: String,
    /// What the server has.
    pub found: Option<String>,
    /// What this program would write.
    pub wanted: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(f, "{}: the server has {}, wanted is {}", self.path, side(&self.found), side(&self.wanted))
    }
}

/// Where two bodies of one kind differ, by path.
pub(super) fn differences(kind: Kind, found: &Json, wanted: &Json) -> Vec<Difference> {
    let (found, wanted) = (leaves(kind, found), leaves(kind, wanted));
    let mut paths: Vec<&String> = found.keys().chain(wanted.keys()).collect();
    paths.sort();
    paths.dedup();
    paths
        .into_iter()
        .filter(|path| found.get(*path) != wanted.get(*path))
        .map(|path| Difference {
            path: path.clone(),
            found: found.get(path).cloned(),
            wanted: wanted.get(path).cloned(),
        })
        .collect()
}

/// The hash of a body's content: 32 hex digits of BLAKE3 over its leaves in order.
pub(super) fn hash(kind: Kind, body: &Json) -> String {
    let mut hasher = blake3::Hasher::new();
    for (path, value) in leaves(kind, body) {
        for part in [&path, &value] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// The content of a body as leaves by dotted path, alike for what is sent and what comes back:
/// index settings stand below `settings.index` and are strings, defaults that servers spell out are
/// left away, and so is what they add about an object (dates, versions).
pub(super) fn leaves(kind: Kind, body: &Json) -> BTreeMap<String, String> {
    let mut leaves = BTreeMap::new();
    match kind {
        Kind::Policy => {
            flatten("phases", &body["policy"]["phases"], &mut leaves);
            leaves.retain(|path, value| {
                !(path.ends_with(".min_age") && value == "0ms"
                    || path.ends_with(".delete_searchable_snapshot") && value == "true")
            });
        }
        Kind::Component => template_leaves(&body["template"], &mut leaves),
        Kind::Template => {
            for key in ["index_patterns", "composed_of", "priority", "ignore_missing_component_templates"] {
                flatten(key, &body[key], &mut leaves);
            }
            if body["allow_auto_create"] == json!(true) {
                leaves.insert("allow_auto_create".to_owned(), "true".to_owned());
            }
            if let Some(stream) = body.get("data_stream") {
                leaves.insert("data_stream".to_owned(), "{}".to_owned());
                for flag in ["hidden", "allow_custom_routing"] {
                    if stream[flag] == json!(true) {
                        leaves.insert(format!("data_stream.{flag}"), "true".to_owned());
                    }
                }
            }
            template_leaves(&body["template"], &mut leaves);
        }
    }
    leaves
}

fn template_leaves(template: &Json, leaves: &mut BTreeMap<String, String>) {
    flatten("mappings", &template["mappings"], leaves);
    flatten("aliases", &template["aliases"], leaves);
    if let Some(lifecycle) = template.get("lifecycle").filter(|lifecycle| !lifecycle.is_null()) {
        leaves.insert("lifecycle".to_owned(), "{}".to_owned());
        flatten("lifecycle", lifecycle, leaves);
        leaves.retain(|path, value| !(path == "lifecycle.enabled" && value == "true"));
    }
    let mut settings = BTreeMap::new();
    flatten("", &template["settings"], &mut settings);
    for (path, value) in settings {
        let path = path.strip_prefix("index.").unwrap_or(&path);
        leaves.insert(format!("settings.index.{path}"), value);
    }
}

/// Puts every leaf below `value` at its dotted path; arrays are leaves.
fn flatten(path: &str, value: &Json, leaves: &mut BTreeMap<String, String>) {
    match value {
        Json::Null => {}
        Json::Object(object) if !object.is_empty() => {
            for (key, value) in object {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(&path, value, leaves);
            }
        }
        Json::Object(_) if path.is_empty() || !path.contains('.') => {}
        Json::String(text) => drop(leaves.insert(path.to_owned(), text.clone())),
        other => drop(leaves.insert(path.to_owned(), canonical(other).to_string())),
    }
}

/// The same value with the keys of every object in order, for leaves that are arrays of objects.
fn canonical(value: &Json) -> Json {
    match value {
        Json::Array(items) => items.iter().map(canonical).collect(),
        Json::Object(object) => {
            let sorted: BTreeMap<&String, Json> =
                object.iter().map(|(key, value)| (key, canonical(value))).collect();
            Json::Object(sorted.into_iter().map(|(key, value)| (key.clone(), value)).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}
