//! Events as lines of a bulk: an action and a document each, written straight to bytes.
//!
//! The document is that of [`Analyzed::document`] with three fields more: `sentinel.id`, the event id
//! as a keyword that sorts like it, `sentinel.label_names`, the paths below `labels` that have
//! a value, so that they can be listed and counted although the server flattens what is there, and
//! `sentinel.label_numbers`, the numbers below them.

use std::borrow::Cow;

use event::{Analyzed, Value, field, fields_of};
use query::{members, scalars};
use serde_json::Value as Json;

use super::{
    fit,
    label_numbers::{self, LABEL_NUMBERS},
};

/// Id of a document's event, as text. Only documents that have it are found.
pub(super) const ID: &str = "sentinel.id";
/// Paths of a document's labels, without the prefix.
pub(super) const LABEL_NAMES: &str = "sentinel.label_names";
/// Where words are looked for: another name of `message`, or the field that the tokens are sent in.
pub(super) const TOKENS: &str = "sentinel.tokens";
/// No node.
const NONE: u32 = u32::MAX;
/// The object that the document is.
const ROOT: u32 = 0;

/// Writes documents, keeping its memory from one to the next.
#[derive(Debug, Default)]
pub(super) struct Serializer<'b> {
    /// The tree of the document; children of an object form a list in order of arrival.
    nodes: Vec<Node<'b>>,
    label_names: Vec<Cow<'b, str>>,
    label_numbers: Vec<String>,
    keep_original: bool,
    /// The server keeps a label and its value as one term.
    cuts_values: bool,
    /// A leaf came where an object already stands, which moves what is in there.
    is_moved: bool,
}

#[derive(Debug)]
struct Node<'b> {
    key: &'b str,
    next: u32,
    content: Content<'b>,
}

#[derive(Debug)]
enum Content<'b> {
    Object { first: u32, last: u32 },
    Value(Value<'b>),
    LabelNames,
    LabelNumbers,
}

impl<'b> Serializer<'b> {
    pub(super) fn new(keep_original: bool, cuts_values: bool) -> Self {
        Self { keep_original, cuts_values, ..Self::default() }
    }

    /// Appends the two lines of an event.
    pub(super) fn append(&mut self, analyzed: &'b Analyzed<'_>, out: &mut Vec<u8>) {
        let id = analyzed.id.to_string();
        out.extend_from_slice(b"{\"create\":{\"_id\":\"");
        out.extend_from_slice(id.as_bytes());
        out.extend_from_slice(b"\"}}\n");
        if self.collect(analyzed) {
            self.put(ID, Content::Value(id.into()));
            if !self.label_names.is_empty() {
                self.put(LABEL_NAMES, Content::LabelNames);
            }
            if !self.label_numbers.is_empty() {
                self.put(LABEL_NUMBERS, Content::LabelNumbers);
            }
            self.write(ROOT, out);
        } else {
            let mut document = self.merged(analyzed, id);
            fit::fit(&mut document, self.cuts_values);
            out.extend_from_slice(Json::Object(document).to_string().as_bytes());
        }
        out.push(b'\n');
    }

    /// Builds the tree; false when a value is an object that further paths may lead into, when a leaf
    /// moves what stands in its place, or when something may have to be made to fit.
    fn collect(&mut self, analyzed: &'b Analyzed<'_>) -> bool {
        self.nodes.clear();
        self.label_names.clear();
        self.label_numbers.clear();
        self.is_moved = false;
        self.nodes.push(Node { key: "", next: NONE, content: Content::Object { first: NONE, last: NONE } });
        let mut is_plain = true;
        let Analyzed { event, template, verdict, .. } = analyzed;
        let (keep_original, cuts_values) = (self.keep_original, self.cuts_values);
        fields_of(event, template.as_deref(), verdict, &mut |path, value| {
            if !keep_original && path == field::ORIGINAL {
                return;
            }
            is_plain &= !matches!(&value, Value::Json(text) if text.trim_start().starts_with('{'));
            let is_label = path.starts_with(field::LABELS);
            is_plain &= fit::fits(path, &value, cuts_values && is_label);
            if let Some(name) = path.strip_prefix(field::LABELS) {
                if has_value(&value) {
                    self.label_names.push(name.into());
                    label_numbers::collect(name, &value, &mut self.label_numbers);
                }
                for (member, values) in members(&value) {
                    let name = format!("{name}.{member}");
                    label_numbers::collect(&name, &values, &mut self.label_numbers);
                    self.label_names.push(name.into());
                }
            }
            self.insert(ROOT, path, Content::Value(value));
        });
        is_plain && !self.is_moved
    }

    /// As `event::document` does it: objects along the dots; behind a leaf the path keeps its dots;
    /// the first of equal paths stays.
    fn insert(&mut self, parent: u32, path: &'b str, content: Content<'b>) {
        if let Some(at) = self.child(parent, path) {
            self.is_moved |= matches!(self.nodes[at as usize].content, Content::Object { .. });
            return;
        }
        let (first, rest) = match path.split_once('.') {
            Some((first, rest)) if !first.is_empty() && !rest.is_empty() => (first, rest),
            _ => return self.add(parent, path, content),
        };
        let object = Content::Object { first: NONE, last: NONE };
        let at = match self.child(parent, first) {
            Some(at) => at,
            None => {
                self.add(parent, first, object);
                self.nodes.len() as u32 - 1
            }
        };
        match self.nodes[at as usize].content {
            Content::Object { .. } => self.insert(at, rest, content),
            Content::Value(_) | Content::LabelNames | Content::LabelNumbers => {
                self.add(parent, path, content);
            }
        }
    }

    /// As [`Serializer::insert`], replacing what stands there.
    fn put(&mut self, path: &'static str, content: Content<'b>) {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let within = self.child(ROOT, first).and_then(|object| self.child(object, rest));
        match self.child(ROOT, path).or(within) {
            Some(at) => self.nodes[at as usize].content = content,
            None => self.insert(ROOT, path, content),
        }
    }

    fn child(&self, parent: u32, key: &str) -> Option<u32> {
        let Content::Object { first, .. } = self.nodes[parent as usize].content else { return None };
        let mut at = first;
        while at != NONE {
            let node = &self.nodes[at as usize];
            if node.key == key {
                return Some(at);
            }
            at = node.next;
        }
        None
    }

    fn add(&mut self, parent: u32, key: &'b str, content: Content<'b>) {
        let at = self.nodes.len() as u32;
        self.nodes.push(Node { key, next: NONE, content });
        let previous = match &mut self.nodes[parent as usize].content {
            Content::Object { first, last } => {
                if *first == NONE {
                    *first = at;
                }
                std::mem::replace(last, at)
            }
            Content::Value(_) | Content::LabelNames | Content::LabelNumbers => NONE,
        };
        if previous != NONE {
            self.nodes[previous as usize].next = at;
        }
    }

    fn write(&self, at: u32, out: &mut Vec<u8>) {
        match &self.nodes[at as usize].content {
            Content::Value(value) => put_value(out, value),
            Content::LabelNames => put_list(out, &self.label_names),
            Content::LabelNumbers => put_list(out, &self.label_numbers),
            Content::Object { first, .. } => {
                out.push(b'{');
                let mut at = *first;
                while at != NONE {
                    let node = &self.nodes[at as usize];
                    put_text(out, node.key);
                    out.push(b':');
                    self.write(at, out);
                    at = node.next;
                    if at != NONE {
                        out.push(b',');
                    }
                }
                out.push(b'}');
            }
        }
    }

    /// The document of an event that the tree cannot hold.
    fn merged(&self, analyzed: &Analyzed<'_>, id: String) -> event::Document {
        let mut document = analyzed.document();
        if !self.keep_original
            && analyzed.event.original.is_some()
            && let Some(Json::Object(event)) = document.get_mut("event")
        {
            event.shift_remove("original");
        }
        let mut set = |path: &str, value: Json| {
            let (first, rest) = path.split_once('.').unwrap_or((path, ""));
            match document.entry(first).or_insert_with(|| Json::Object(event::Document::new())) {
                Json::Object(inner) => inner.insert(rest.to_owned(), value),
                _ => document.insert(path.to_owned(), value),
            };
        };
        set(ID, id.into());
        if !self.label_names.is_empty() {
            set(LABEL_NAMES, self.label_names.iter().map(AsRef::as_ref).collect());
        }
        if !self.label_numbers.is_empty() {
            set(LABEL_NUMBERS, self.label_numbers.iter().map(String::as_str).collect());
        }
        document
    }
}

/// Whether a field with this value counts as one that occurs.
fn has_value(value: &Value<'_>) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::String(_) => true,
        Value::Json(_) => !scalars(value).is_empty(),
    }
}

fn put_value(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::String(text) => put_text(out, text),
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(_) | Value::Float(_) | Value::Json(_) => {
            out.extend_from_slice(value.to_json().to_string().as_bytes());
        }
    }
}

fn put_list(out: &mut Vec<u8>, texts: &[impl AsRef<str>]) {
    for (order, text) in texts.iter().enumerate() {
        out.push(if order == 0 { b'[' } else { b',' });
        put_text(out, text.as_ref());
    }
    out.push(b']');
}

/// Appends a JSON string (RFC 8259, section 7).
fn put_text(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut done = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[done..at]);
        done = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
            }
        }
    }
    out.extend_from_slice(&bytes[done..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use event::{Event, EventId, JournalId, Position, Severity, Template, Timestamp, Verdict, VerdictState};
    use proptest::{collection::vec, option, prelude::*, sample::select};

    use super::*;

    const PATHS: &[&str] = &[
        "a",
        "a.b",
        "a.b.c",
        "a..b",
        ".a",
        "a.",
        "labels.a",
        "labels.a.b",
        "labels.\"x\ny",
        "labels.",
        "source.ip",
        "source",
        "process.pid",
        "log",
        "event.outcome",
        "sentinel.index",
        "über.ß",
    ];

    fn value() -> impl Strategy<Value = Value<'static>> {
        let json = [
            "[]",
            "[1,\"a\"]",
            "{}",
            "{\"b\":1}",
            " {\"b\":{\"c\":2}}",
            "[{\"x\":1,\"x\":2}]",
            "1e400",
            "not json",
            "18446744073709551616",
            "[null]",
            "[\n1]",
        ];
        prop_oneof![
            3 => any::<String>().prop_map(Value::from),
            1 => any::<i64>().prop_map(Value::Int),
            1 => any::<f64>().prop_map(Value::Float),
            1 => any::<bool>().prop_map(Value::Bool),
            1 => Just(Value::Null),
            2 => select(json.to_vec()).prop_map(|text| Value::Json(text.into())),
        ]
    }

    fn analyzed() -> impl Strategy<Value = Analyzed<'static>> {
        let texts =
            (any::<String>(), option::of(any::<String>()), option::of(any::<String>()), option::of(".{0,9}"));
        let fields = vec((select(PATHS.to_vec()), value()), 0..8);
        (texts, any::<(i64, u32, bool)>(), fields).prop_map(
            |((message, source, host, original), numbers, fields)| {
                let (nanos, record, has_template) = numbers;
                let mut event = Event::new(message, Timestamp::saturating_from_nanos(nanos.into()));
                event.severity = Severity::Warn;
                event.source = source.map(Into::into);
                event.host = host.map(Into::into);
                event.original = original.map(Into::into);
                for (path, value) in fields {
                    event.set(path, value);
                }
                let verdict = Verdict {
                    score: Verdict::quantize(0.25),
                    is_anomaly: has_template,
                    state: VerdictState::Scored,
                    reasons: if has_template { vec!["\"new\"\u{1}".to_owned()] } else { Vec::new() },
                };
                Analyzed {
                    id: EventId { journal: JournalId(7), position: Position { segment: 1, record } },
                    event,
                    shape: 0,
                    variables: 0..0,
                    template: has_template.then(|| Arc::new(Template::new("t <int>"))),
                    verdict,
                }
            },
        )
    }

    /// The document line, without the fields that are added to it.
    fn written(analyzed: &Analyzed<'_>, keep_original: bool) -> (Json, Json, Json) {
        let mut out = Vec::new();
        Serializer::new(keep_original, false).append(analyzed, &mut out);
        let lines: Vec<&[u8]> = out.split(|byte| *byte == b'\n').collect();
        assert_eq!(lines.len(), 3, "two lines, both ended");
        let action: Json = serde_json::from_slice(lines[0]).unwrap();
        assert_eq!(action["create"]["_id"], analyzed.id.to_string());
        let mut document: Json = serde_json::from_slice(lines[1]).unwrap();
        let sentinel = document["sentinel"].as_object_mut().unwrap();
        let id = sentinel.shift_remove("id").unwrap();
        let names = sentinel.shift_remove("label_names").unwrap_or_default();
        sentinel.shift_remove("label_numbers");
        (document, id, names)
    }

    /// The document as it is read back: reading rounds numbers.
    fn read_back(analyzed: &Analyzed<'_>) -> Json {
        let mut document = analyzed.document();
        fit::fit(&mut document, false);
        serde_json::from_str(&Json::Object(document).to_string()).unwrap()
    }

    proptest! {
        #[test]
        fn equals_the_document_but_for_what_is_added(analyzed in analyzed()) {
            let (document, id, names) = written(&analyzed, true);
            prop_assert_eq!(document, read_back(&analyzed));
            prop_assert_eq!(id, analyzed.id.to_string());
            let mut expected = Vec::new();
            for field in &analyzed.event.fields {
                if let Some(name) = field.path.strip_prefix("labels.") {
                    expected.extend((!scalars(&field.value).is_empty()).then(|| Json::from(name)));
                    let members = members(&field.value);
                    expected.extend(members.keys().map(|member| Json::from(format!("{name}.{member}"))));
                }
            }
            let mut fitted = serde_json::json!({"sentinel": {"label_names": expected}});
            if let Json::Object(document) = &mut fitted {
                fit::fit(document, false);
            }
            let expected = fitted["sentinel"]["label_names"].take();
            prop_assert_eq!(names, if expected == serde_json::json!([]) { Json::Null } else { expected });
        }

        #[test]
        fn the_original_can_be_left_out(analyzed in analyzed()) {
            let (document, _, _) = written(&analyzed, false);
            let mut without = analyzed.clone();
            without.event.original = None;
            prop_assert_eq!(document, read_back(&without));
        }

        #[test]
        fn text_is_a_json_string(text: String) {
            let mut out = Vec::new();
            put_text(&mut out, &text);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }

    #[test]
    fn what_an_event_claims_to_be_its_id_is_not() {
        let mut event = Event::new("m", Timestamp::MIN);
        event.set("sentinel.id", "forged");
        let id = EventId { journal: JournalId(7), position: Position::default() };
        let verdict = Verdict::unscored();
        let analyzed = Analyzed { id, event, shape: 0, variables: 0..0, template: None, verdict };
        assert_eq!(written(&analyzed, true).1, id.to_string());
    }
}
