//! An event as rules ask for it.

use event::{Event, Value};
use sigma::Fields;

/// An event whose fields rules may ask for, under their names in ECS. What has no place there is found below
/// `labels`, and of a record of auditd in the record itself.
pub(super) struct Asked<'e> {
    pub(super) event: &'e Event<'e>,
    pub(super) is_audit: bool,
}

impl Fields for Asked<'_> {
    fn any(&self, name: &str, test: &mut dyn FnMut(sigma::Value<'_>) -> bool) -> Option<bool> {
        let event = self.event;
        let own = match name {
            "message" => Some(event.message.as_ref()),
            "host.name" => event.host.as_deref(),
            "service.name" => event.source.as_deref(),
            "log.level" => Some(event.severity.as_str()),
            "event.original" => Some(event.original.as_deref().unwrap_or(&event.message)),
            _ => None,
        };
        if let Some(text) = own {
            return Some(test(sigma::Value::Text(text)));
        }
        if name == "@timestamp" {
            return Some(test(sigma::Value::Text(&event.timestamp.to_string())));
        }
        let labelled = |path: &str| path.strip_prefix("labels.").is_some_and(|rest| rest == name);
        let mut all = event.fields.iter();
        match all.find(|field| field.path == name || labelled(&field.path)) {
            Some(field) => Some(show(&field.value, test)),
            None if self.is_audit => {
                audit_value(&event.message, name).map(|text| test(sigma::Value::Text(text)))
            }
            None => None,
        }
    }

    fn any_text(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        let event = self.event;
        if test(&event.message) {
            return true;
        }
        event.fields.iter().any(|field| match &field.value {
            Value::String(text) => test(text),
            Value::Json(_) => show(&field.value, &mut |value| match value {
                sigma::Value::Text(text) => test(text),
                _ => false,
            }),
            _ => false,
        })
    }
}

fn show(value: &Value<'_>, test: &mut dyn FnMut(sigma::Value<'_>) -> bool) -> bool {
    match value {
        Value::Null => test(sigma::Value::Null),
        Value::Bool(value) => test(sigma::Value::Bool(*value)),
        Value::Int(value) => test(sigma::Value::Integer(*value)),
        Value::Float(value) => test(sigma::Value::Float(*value)),
        Value::String(text) => test(sigma::Value::Text(text)),
        Value::Json(_) => show_json(&value.to_json(), test),
    }
}

fn show_json(value: &serde_json::Value, test: &mut dyn FnMut(sigma::Value<'_>) -> bool) -> bool {
    use serde_json::Value as Json;
    match value {
        Json::Null => test(sigma::Value::Null),
        Json::Bool(value) => test(sigma::Value::Bool(*value)),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => test(sigma::Value::Integer(integer)),
            (None, Some(float)) => test(sigma::Value::Float(float)),
            (None, None) => false,
        },
        Json::String(text) => test(sigma::Value::Text(text)),
        Json::Array(values) => values.iter().any(|value| show_json(value, test)),
        Json::Object(members) => members.values().any(|value| show_json(value, test)),
    }
}

/// The value of `name=value` in a record of auditd. What stands in quotes is a value, whatever it holds; auditd
/// writes in hexadecimal digits what holds a quote itself.
fn audit_value<'t>(record: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = record;
    loop {
        rest = rest.trim_start_matches([' ', '\'']);
        let (key, value) = rest.split_once('=')?;
        let key = key.rsplit([' ', '\'']).next().unwrap_or_default();
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None if value.starts_with('\'') => ("", value),
            None => value.find([' ', '\'']).map_or((value, ""), |end| value.split_at(end)),
        };
        if key == name {
            return Some(value);
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Timestamp;

    fn found(asked: &Asked<'_>, name: &str) -> Vec<String> {
        let mut values = vec![];
        asked.any(name, &mut |value| {
            values.push(match value {
                sigma::Value::Text(text) => text.to_owned(),
                other => format!("{other:?}"),
            });
            false
        });
        values
    }

    #[test]
    fn fields_labels_and_lists_are_shown() {
        let mut event = Event::new("a message", Timestamp::MIN);
        event.host = Some("web-1".into());
        event.set("labels.a1", "-c");
        event.set("http.response.status_code", 404);
        event.set("event.category", Value::Json("[\"process\",\"host\"]".into()));
        let asked = Asked { event: &event, is_audit: false };
        for (name, expected) in [
            ("message", vec!["a message"]),
            ("host.name", vec!["web-1"]),
            ("a1", vec!["-c"]),
            ("labels.a1", vec!["-c"]),
            ("http.response.status_code", vec!["Integer(404)"]),
            ("event.category", vec!["process", "host"]),
            ("user.name", vec![]),
        ] {
            assert_eq!(found(&asked, name), expected, "{name}");
        }
        let mut texts = vec![];
        asked.any_text(&mut |text| {
            texts.push(text.to_owned());
            false
        });
        assert_eq!(texts, ["a message", "-c", "process", "host"]);
    }

    #[test]
    fn a_record_of_auditd_is_asked_for_its_own_names() {
        let record = "type=EXECVE msg=audit(1792706341.260:3932): argc=3 a0=\"sh\" a1=\"-c a2=none\" a2=6C73 \
                      msg='op=login acct=\"root\" res=failed'";
        for (name, expected) in [
            ("type", Some("EXECVE")),
            ("a0", Some("sh")),
            ("a1", Some("-c a2=none")),
            ("a2", Some("6C73")),
            ("acct", Some("root")),
            ("res", Some("failed")),
            ("none", None),
        ] {
            assert_eq!(audit_value(record, name), expected, "{name}");
        }
    }
}
