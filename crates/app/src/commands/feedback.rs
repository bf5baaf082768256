//! `log-sentinel feedback`: what people say of events.

use event::{Timestamp, Verdict, document};
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use super::{read, show};
use crate::{
    AppError,
    cli::{FeedbackAction, GivenFeedback, Output},
    client::Client,
    wording::{count, each, plain, short, table, text, time},
};

/// No more of a line is sent.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Lists, gives or takes back feedback. `zone` is that of time stamps that name none.
///
/// # Errors
/// When the service does not answer or refuses it, or there is not exactly one log to speak of.
pub(crate) async fn run(
    client: &Client,
    action: &FeedbackAction,
    zone: &TimeZone,
    output: Output,
) -> Result<(), AppError> {
    match action {
        FeedbackAction::List => {
            show(output, &client.get_json("/feedback", &[]).await?, Some("feedback"), list)
        }
        FeedbackAction::Give(given) => {
            let answer = client.post_json("/feedback", &body(given, zone)?).await?;
            show(output, &answer, None, said)
        }
        FeedbackAction::Undo { id } => {
            let answer = client.delete(&format!("/feedback/{id}")).await?;
            show(output, &answer, None, taken_back)
        }
    }
}

fn body(given: &GivenFeedback, zone: &TimeZone) -> Result<Json, AppError> {
    let bytes = match (&given.line, &given.file) {
        (Some(line), _) => line.clone().into_bytes(),
        (None, Some(file)) => read(file)?,
        // The command line asks for one of them.
        (None, None) => vec![],
    };
    let event = one_event(&bytes, given.source.as_deref(), zone)?;
    let mut body = json!({"event": event, "label": given.label.as_str()});
    if let Some(note) = &given.note {
        body["note"] = note.as_str().into();
    }
    Ok(body)
}

/// The one event of a text, read as the collector would read it, so that it is like those of the stream.
fn one_event(bytes: &[u8], source: Option<&str>, zone: &TimeZone) -> Result<Json, AppError> {
    let now = Timestamp::saturating_from_nanos(jiff::Timestamp::now().as_nanosecond());
    let context = parse::Context::new(now, zone, LINE_BYTES_MAX);
    let is_json = serde_json::from_slice::<&serde_json::value::RawValue>(bytes).is_ok();
    let format = if is_json { parse::Format::Json } else { parse::Format::Lines };
    let (mut first, mut events, mut refused) = (None, 0, None);
    parse::body(format, bytes, &context, |record| match record {
        Ok(event) => {
            events += 1;
            first.get_or_insert(event);
        }
        Err(problem) => refused = Some(problem.reason),
    });
    let mut event = match (first, events, refused) {
        (Some(event), 1, None) => event,
        (_, _, Some(reason)) => return Err(AppError::Event(reason)),
        (None, ..) => return Err(AppError::Event("there is none".to_owned())),
        (Some(_), events, None) => {
            return Err(AppError::Event(format!("feedback is on one log, and here are {events}")));
        }
    };
    if let Some(source) = source {
        event.source = Some(source.into());
    }
    let mut document = document(&event, None, &Verdict::unscored());
    document.remove("sentinel");
    Ok(Json::Object(document))
}

fn list(answer: &Json) -> String {
    let row = |given: &Json| {
        let event = &given["event"];
        [
            count(given, "id").to_string(),
            text(given, "label"),
            text(given, "holds_for"),
            time(given, "given_at"),
            text(event, "source"),
            format!("{}{}", short(event["message"].as_str().unwrap_or_default()), note(given)),
        ]
    };
    let rows: Vec<_> = each(answer, "feedback").iter().map(row).collect();
    let mut said = match rows.as_slice() {
        [] => "no feedback was given\n".to_owned(),
        rows => table(["ID", "LABEL", "HOLDS FOR", "GIVEN", "SOURCE", "MESSAGE"], rows),
    };
    if let Some(problem) = answer["problem"].as_str() {
        said.push_str(&format!("feedback given earlier is missing: {}\n", plain(problem)));
    }
    said
}

fn note(given: &Json) -> String {
    let note = text(given, "note");
    if note.is_empty() { note } else { format!("  [{note}]") }
}

/// The message and who logged it.
fn what(given: &Json) -> String {
    let event = &given["event"];
    let message = short(event["message"].as_str().unwrap_or_default());
    match text(event, "source").as_str() {
        "" => format!("\"{message}\""),
        source => format!("\"{message}\" of {source}"),
    }
}

fn said(given: &Json) -> String {
    let also = match given["holds_for"].as_str() {
        Some("template") => "all of its template",
        _ => "similar events",
    };
    let (id, label) = (count(given, "id"), text(given, "label"));
    format!("{} is {label}, and so are {also}\nTake it back: log-sentinel feedback undo {id}\n", what(given))
}

fn taken_back(given: &Json) -> String {
    format!("taken back: {} is {}{}\n", what(given), text(given, "label"), note(given))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given() -> Json {
        json!({
            "id": 3, "label": "normal", "note": "a drill", "given_at": "2024-06-01T12:00:00Z",
            "holds_for": "similar events",
            "event": {"timestamp": "2024-06-01T11:00:00Z", "message": "died\u{1b}[2J with code 7", "source": "shop"},
            "template": {"id": "0f3a5c7d9e1b2a4c", "text": "died with code <number>"}
        })
    }

    #[test]
    fn feedback_is_a_table() {
        let mut other = given();
        (other["id"], other["holds_for"]) = (12.into(), "template".into());
        (other["note"], other["event"]["source"]) = ("".into(), Json::Null);
        assert_eq!(
            list(&json!({"feedback": [given(), other], "most": 1_000})),
            "ID  LABEL   HOLDS FOR       GIVEN                 SOURCE  MESSAGE\n\
             3   normal  similar events  2024-06-01T12:00:00Z  shop    died\\u{1b}[2J with code 7  [a drill]\n\
             12  normal  template        2024-06-01T12:00:00Z          died\\u{1b}[2J with code 7\n"
        );
        let lost = list(&json!({"feedback": [], "most": 1_000, "problem": "cut short"}));
        assert_eq!(lost, "no feedback was given\nfeedback given earlier is missing: cut short\n");
    }

    #[test]
    fn what_was_said_comes_with_the_way_back() {
        assert_eq!(
            said(&given()),
            "\"died\\u{1b}[2J with code 7\" of shop is normal, and so are similar events\n\
             Take it back: log-sentinel feedback undo 3\n"
        );
        assert_eq!(
            taken_back(&given()),
            "taken back: \"died\\u{1b}[2J with code 7\" of shop is normal  [a drill]\n"
        );
    }

    #[test]
    fn a_log_is_read_as_the_collector_reads_it() {
        let check = |text: &str, source: Option<&str>| {
            one_event(text.as_bytes(), source, &TimeZone::UTC).map_err(|error| error.to_string())
        };
        let syslog = "Jun  1 12:00:00 web-1 sshd[42]: Failed password for root from 192.0.2.7 port 22 ssh2\n";
        let event = check(syslog, None).unwrap();
        assert_eq!(event["message"], "Failed password for root from 192.0.2.7 port 22 ssh2");
        assert_eq!((&event["service"]["name"], &event["host"]["name"]), (&json!("sshd"), &json!("web-1")));
        let event = check("disk sda1 is failing", Some("kernel")).unwrap();
        assert_eq!(
            (&event["message"], &event["service"]["name"]),
            (&json!("disk sda1 is failing"), &json!("kernel"))
        );
        let log = "{\n\"level\": \"ERROR\",\n\"message\": \"two\\nlines\", \"source\": \"shop\"}";
        let event = check(log, None).unwrap();
        assert_eq!((&event["message"], &event["log"]["level"]), (&json!("two\nlines"), &json!("error")));
        assert_eq!((&event["service"]["name"], &event["sentinel"]), (&json!("shop"), &Json::Null));
        for (text, expected) in [
            ("", "there is none"),
            ("a\nb\n", "here are 2"),
            ("[{\"message\":\"a\"},{\"message\":\"b\"}]", "here are 2"),
        ] {
            let refused = check(text, None).unwrap_err();
            assert!(refused.contains(expected), "{text:?}: {refused}");
        }
        assert!(check("[1]", None).is_err());
    }
}
