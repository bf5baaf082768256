//! The event as an ECS document: what search returns and Elasticsearch stores.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::{Analyzed, Event, EventId, Severity, Template, Timestamp, Value, Verdict, VerdictState, field};

/// A nested JSON object.
pub type Document = Map<String, Json>;

/// The nested ECS document of an analysed event, without `_id`.
pub fn document(event: &Event<'_>, template: Option<&Template>, verdict: &Verdict) -> Document {
    let mut document = Document::new();
    fields_of(event, template, verdict, &mut |path, value| insert(&mut document, path, value.to_json()));
    document
}

impl Analyzed<'_> {
    /// The nested ECS document, without `_id`.
    pub fn document(&self) -> Document {
        document(&self.event, self.template.as_deref(), &self.verdict)
    }
}

impl Analyzed<'static> {
    /// The event that such a document is of, but for the variables of its message; `_id` is passed over. The id of its
    /// template stands for the shape, which a document has not. None where it has no time or no message.
    pub fn of_document(id: EventId, document: &Document) -> Option<Self> {
        let time = |text: &Json| Timestamp::parse(text.as_str()?).ok();
        let timestamp = time(member(document, field::TIMESTAMP)?)?;
        let created = member(document, field::CREATED).and_then(time).unwrap_or(timestamp);
        let message = member(document, field::MESSAGE)?.as_str()?.to_owned();
        let mut event = Event { timestamp, ..Event::new(message, created) };
        let (mut template, mut verdict) = (None, Verdict::unscored());
        each_leaf(document, &mut String::new(), &mut |path, value| {
            let text = || value.as_str().map(str::to_owned);
            match path {
                field::ID | field::TIMESTAMP | field::CREATED | field::MESSAGE | field::TEMPLATE_ID => {}
                field::LEVEL => {
                    event.severity =
                        text().and_then(|name| Severity::from_name(&name)).unwrap_or(Severity::Info);
                }
                field::SERVICE_NAME => event.source = text().map(Into::into),
                field::HOST_NAME => event.host = text().map(Into::into),
                field::ORIGINAL => event.original = text().map(Into::into),
                field::TEMPLATE_TEXT => template = text().map(Template::new).map(Arc::new),
                field::ANOMALY_SCORE => {
                    verdict.score = Verdict::quantize(value.as_f64().unwrap_or_default() as f32);
                }
                field::ANOMALY_IS_ANOMALY => verdict.is_anomaly = value == &Json::Bool(true),
                field::ANOMALY_STATE => verdict.state = state_of(value),
                field::ANOMALY_REASONS => {
                    let reasons = value.as_array().into_iter().flatten();
                    verdict.reasons =
                        reasons.filter_map(|reason| reason.as_str().map(str::to_owned)).collect();
                }
                _ => event
                    .fields
                    .push(crate::Field { path: path.to_owned().into(), value: Value::from_json(value) }),
            }
        });
        let shape = template.as_ref().map_or(0, |template: &Arc<Template>| template.id.0);
        Some(Self { shape, template, verdict, ..Self::unanalyzed(id, event) })
    }
}

fn state_of(value: &Json) -> VerdictState {
    let all = [VerdictState::Scored, VerdictState::WarmingUp];
    all.into_iter().find(|state| value.as_str() == Some(state.as_str())).unwrap_or(VerdictState::Unscored)
}

/// Calls `visit` with the dotted path of everything in a document that is no object with members, in its order.
fn each_leaf(document: &Document, path: &mut String, visit: &mut dyn FnMut(&str, &Json)) {
    for (name, value) in document {
        let length = path.len();
        if length > 0 {
            path.push('.');
        }
        path.push_str(name);
        match value {
            Json::Object(inner) if !inner.is_empty() => each_leaf(inner, path, visit),
            leaf => visit(path, leaf),
        }
        path.truncate(length);
    }
}

/// Calls `visit` with the dotted path and value of every field of the document, in document order.
pub fn fields_of<'e>(
    event: &'e Event<'_>,
    template: Option<&'e Template>,
    verdict: &'e Verdict,
    visit: &mut dyn FnMut(&'e str, Value<'e>),
) {
    let text = |value: &'e str| Value::from(value);
    visit(field::TIMESTAMP, event.timestamp.to_string().into());
    visit(field::LEVEL, event.severity.as_str().into());
    visit(field::MESSAGE, text(&event.message));
    if let Some(source) = &event.source {
        visit(field::SERVICE_NAME, text(source));
    }
    if let Some(host) = &event.host {
        visit(field::HOST_NAME, text(host));
    }
    visit(field::CREATED, event.observed_timestamp.to_string().into());
    if let Some(original) = &event.original {
        visit(field::ORIGINAL, text(original));
    }
    for further in &event.fields {
        visit(&further.path, further.value.clone());
    }
    if let Some(template) = template {
        visit(field::TEMPLATE_ID, template.id.to_string().into());
        visit(field::TEMPLATE_TEXT, text(&template.text));
    }
    visit(field::ANOMALY_SCORE, Value::Float((f64::from(verdict.score) * 1000.0).round() / 1000.0));
    visit(field::ANOMALY_IS_ANOMALY, verdict.is_anomaly.into());
    visit(field::ANOMALY_STATE, verdict.state.as_str().into());
    if !verdict.reasons.is_empty() {
        visit(field::ANOMALY_REASONS, Value::Json(Json::from(verdict.reasons.as_slice()).to_string().into()));
    }
}

/// What stands at a dotted path of a document, where a member's own name may have dots.
pub fn member<'d>(document: &'d Document, path: &str) -> Option<&'d Json> {
    document.get(path).or_else(|| {
        path.match_indices('.').find_map(|(dot, _)| match document.get(&path[..dot]) {
            Some(Json::Object(inner)) => member(inner, &path[dot + 1..]),
            _ => None,
        })
    })
}

/// Puts a value at a dotted path; the first of equal paths stays. Where a shorter path holds a leaf
/// (`a` and `a.b` both given, in either order), the longer one keeps its dots, so that neither is lost.
fn insert(document: &mut Document, path: &str, value: Json) {
    match document.get_mut(path) {
        Some(Json::Object(inner)) => {
            let longer = std::mem::take(inner);
            document.insert(path.to_owned(), value);
            for (key, value) in longer {
                document.entry(format!("{path}.{key}")).or_insert(value);
            }
            return;
        }
        Some(_) => return,
        None => {}
    }
    match path.split_once('.') {
        Some((first, rest)) if !first.is_empty() && !rest.is_empty() => {
            match document.entry(first).or_insert_with(|| Json::Object(Document::new())) {
                Json::Object(inner) => insert(inner, rest, value),
                _ => {
                    document.insert(path.to_owned(), value);
                }
            }
        }
        _ => {
            document.insert(path.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Severity, Timestamp, VerdictState};

    #[test]
    fn a_document_is_nested_ecs() {
        let received = Timestamp::parse("2024-06-01T12:00:00.5Z").unwrap();
        let mut event = Event::new("Failed password for root from 192.0.2.7", received);
        event.severity = Severity::Warn;
        event.source = Some("sshd".into());
        event.set("source.ip", "192.0.2.7");
        event.set("process.pid", 42);
        event.set("labels.tags", Value::Json("[\"a\",\"b\"]".into()));
        let template = Template::new("Failed password for <user> from <ip>");
        let verdict = Verdict {
            score: Verdict::quantize(0.42),
            is_anomaly: true,
            state: VerdictState::Scored,
            reasons: vec!["never seen".to_owned()],
        };
        assert_eq!(
            Json::Object(document(&event, Some(&template), &verdict)),
            json!({
                "@timestamp": "2024-06-01T12:00:00.5Z",
                "log": {"level": "warn"},
                "message": "Failed password for root from 192.0.2.7",
                "service": {"name": "sshd"},
                "event": {"created": "2024-06-01T12:00:00.5Z"},
                "source": {"ip": "192.0.2.7"},
                "process": {"pid": 42},
                "labels": {"tags": ["a", "b"]},
                "sentinel": {
                    "template": {"id": template.id.to_string(), "text": template.text},
                    "anomaly": {
                        "score": 0.42, "is_anomaly": true, "state": "scored", "reasons": ["never seen"]
                    }
                }
            })
        );
    }

    #[test]
    fn a_document_gives_its_event_back() {
        let received = Timestamp::parse("2024-06-01T12:00:00.5Z").unwrap();
        let mut event = Event::new("Failed password for root from 192.0.2.7", received);
        event.timestamp = Timestamp::parse("2024-06-01T11:59:59Z").unwrap();
        event.severity = Severity::Warn;
        (event.source, event.host) = (Some("sshd".into()), Some("web-1".into()));
        event.original = Some("Jun  1 11:59:59 web-1 sshd: Failed password for root from 192.0.2.7".into());
        for (path, value) in [
            ("source.ip", Value::from("192.0.2.7")),
            ("labels.a", "leaf".into()),
            ("labels.a.b", true.into()),
        ] {
            event.set(path, value);
        }
        event.set("process.pid", 42);
        event.set("labels.ratio", Value::Float(0.25));
        event.set("labels.tags", Value::Json("[\"a\",\"b\"]".into()));
        event.set("labels.none", Value::Json("{}".into()));
        let template = Some(Arc::new(Template::new("Failed password for <user> from <ip>")));
        let verdict = Verdict {
            score: Verdict::quantize(0.42),
            is_anomaly: true,
            state: VerdictState::Scored,
            reasons: vec!["never seen".to_owned()],
        };
        let id =
            EventId { journal: crate::JournalId(1), position: crate::Position { segment: 2, record: 3 } };
        let before = Analyzed { template, verdict, ..Analyzed::unanalyzed(id, event) };
        let mut stored = before.document();
        stored.insert("_id".to_owned(), id.to_string().into());
        let after = Analyzed::of_document(id, &stored).unwrap();
        assert_eq!(after.document(), before.document());
        assert_eq!((after.event.field("labels.a.b"), after.id), (Some(&Value::Bool(true)), id));
        let plain = Analyzed::unanalyzed(id, Event::new("m", received));
        assert_eq!(Analyzed::of_document(id, &plain.document()).unwrap().document(), plain.document());
        for missing in ["@timestamp", "message"] {
            let mut without = plain.document();
            without.remove(missing);
            assert!(Analyzed::of_document(id, &without).is_none());
        }
    }

    #[test]
    fn a_leaf_and_a_longer_path_both_survive() {
        for paths in [
            [("labels.a", "leaf"), ("labels.a.b", "longer")],
            [("labels.a.b", "longer"), ("labels.a", "leaf")],
        ] {
            let mut event = Event::new("m", Timestamp::MIN);
            for (path, value) in paths {
                event.set(path, value);
            }
            let document = Json::Object(document(&event, None, &Verdict::unscored()));
            assert_eq!(document["labels"], json!({"a": "leaf", "a.b": "longer"}));
            let at = |path| member(document.as_object().unwrap(), path).and_then(Json::as_str);
            assert_eq!(
                (at("labels.a"), at("labels.a.b"), at("labels.b")),
                (Some("leaf"), Some("longer"), None)
            );
        }
    }
}
