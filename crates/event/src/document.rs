//! The event as an ECS document: what search returns and Elasticsearch stores.

use serde_json::{Map, Value as Json};

use crate::{Analyzed, Event, Template, Value, Verdict, field};

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
