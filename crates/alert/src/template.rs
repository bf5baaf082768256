//! Bodies that users write: a template over a message, in which text of others stays text.

use event::Timestamp;
use finding::{Entity, EntityType, Level};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde_json::Value as Json;
use signal::SignalId;

use crate::{
    message::{AlertId, Message, Occasion, Telling},
    voice::Voice,
};

/// The most steps that a template may take, so that none runs for long.
const FUEL: u64 = 200_000;
/// Longer bodies are refused.
const BODY_BYTES_MAX: usize = 1 << 20;
const NAME: &str = "body";

/// A template that is known to render.
pub(crate) struct Template {
    environment: Environment<'static>,
    is_json: bool,
}

impl Template {
    /// Reads a template for a body of this type and has it render a message like those that it will get.
    pub(crate) fn new(text: &str, content_type: &str) -> Result<Self, String> {
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_json = kind == "application/json" || kind.ends_with("+json");
        let escape = match kind.as_str() {
            _ if is_json => AutoEscape::Json,
            "text/html" | "application/xml" | "text/xml" => AutoEscape::Html,
            _ => AutoEscape::None,
        };
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        // A name that is not there is a slip of the pen.
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(move |_| escape.clone());
        environment.add_template_owned(NAME, text.to_owned()).map_err(|error| wrong(&error))?;
        let template = Self { environment, is_json };
        template.render(&sample(&Voice::default()))?;
        Ok(template)
    }

    pub(crate) fn render(&self, message: &Message) -> Result<String, String> {
        let template = self.environment.get_template(NAME).map_err(|error| wrong(&error))?;
        let mut values = serde_json::to_value(message).map_err(|error| error.to_string())?;
        if let (Json::Object(values), Some(main)) = (&mut values, message.main()) {
            values.insert("title".to_owned(), message.headline().into());
            values.insert("alert".to_owned(), serde_json::to_value(main).unwrap_or_default());
        }
        let body = template.render(minijinja::value::Serde(values)).map_err(|error| wrong(&error))?;
        if body.len() > BODY_BYTES_MAX {
            return Err(format!(
                "the template makes {} bytes, and {BODY_BYTES_MAX} are the most",
                body.len()
            ));
        }
        if self.is_json
            && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&body)
        {
            return Err(format!("the template makes no JSON: {error}"));
        }
        Ok(body)
    }
}

fn wrong(error: &minijinja::Error) -> String {
    let line = error.line().map(|line| format!(" in line {line}")).unwrap_or_default();
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("the template is wrong{line}: {}{detail}", error.kind())
}

/// A message as those that are sent: what a template is tried with, and what a test of a channel sends.
pub fn sample(voice: &Voice) -> Message {
    let at = Timestamp::from_civil([2024, 5, 1], [12, 0, 0, 0], 0).unwrap_or_default();
    let alert = AlertId(SignalId(0));
    let telling = Telling {
        alert,
        revision: 1,
        occasion: Occasion::Test,
        severity: Level::Informational,
        kind: "test".to_owned(),
        words: voice.test(),
        entities: vec![Entity::new(EntityType::Host, "example")],
        organization: None,
        count: 1,
        first: at,
        last: at,
        recorded: at,
        samples: vec!["a line of a log with \"quotes\" and <marks>".to_owned()],
        signal: None,
        pages: None,
    };
    let key = crate::message::key(alert, "test", 1);
    Message {
        key,
        channel: "test".to_owned(),
        sent: at,
        late_s: 0,
        alerts: vec![telling],
        voice: voice.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_others_stay_texts_and_slips_are_named() {
        let text = r#"{"text": {{ title }}, "line": {{ alert.samples[0] }}, "n": {{ alert.next | length }}}"#;
        let body =
            Template::new(text, "application/json").unwrap().render(&sample(&Voice::default())).unwrap();
        let json: Json = serde_json::from_str(&body).unwrap();
        assert_eq!(json["text"], "[TEST] Log Sentinel tries this channel");
        assert_eq!(json["line"], "a line of a log with \"quotes\" and <marks>");
        let html = Template::new("{{ alert.samples[0] }}", "text/html; charset=utf-8").unwrap();
        assert!(html.render(&sample(&Voice::default())).unwrap().contains("&lt;marks&gt;"));
        for (text, kind, reason) in [
            ("{{ titel }}", "text/plain", "in line 1: undefined value"),
            ("\n{% if %}", "text/plain", "in line 2: syntax error"),
            (r#"{"text": "{{ title }}"}"#, "application/json", "the template makes no JSON"),
            (
                "{% for i in range(9999) %}{% for j in range(9999) %}x{% endfor %}{% endfor %}",
                "text/plain",
                "fuel",
            ),
        ] {
            let error = Template::new(text, kind).err().unwrap_or_else(|| panic!("{text} is taken"));
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
