//! How much weighs what a check of a machine's configuration came to.

use event::{Event, Value};

/// The weight of a check's result, or of a report of how many were passed, in percent; None for any other event.
///
/// A check that failed weighs by its severity, and as an alert where none is said; one that could not be made is a note.
pub(super) fn weight(event: &Event<'_>) -> Option<u8> {
    let text = |path: &str| event.field(path).and_then(Value::as_str);
    // Other programs have results and scores too.
    let about =
        text("labels.msg").filter(|about| about.ends_with("-result") || about.ends_with("-overview"))?;
    if about.ends_with("-overview") {
        let score = text("labels.score")?.parse::<f64>().ok()?;
        return Some(if score < 50.0 { 8 } else { 3 });
    }
    Some(match (text("labels.result")?, text("labels.severity")) {
        ("fail", Some("low")) => 5,
        ("fail", _) => 8,
        ("error" | "unknown", _) => 3,
        _ => 2,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Timestamp;

    #[test]
    fn checks_weigh_by_what_they_came_to() {
        for (fields, expected) in [
            (
                &[("msg", "xccdf-result"), ("result", "fail"), ("severity", "high")] as &[(&str, &str)],
                Some(8),
            ),
            (&[("msg", "xccdf-result"), ("result", "fail"), ("severity", "low")], Some(5)),
            (&[("msg", "oval-result"), ("result", "fail")], Some(8)),
            (&[("msg", "xccdf-result"), ("result", "unknown"), ("severity", "high")], Some(3)),
            (&[("msg", "xccdf-result"), ("result", "pass"), ("severity", "high")], Some(2)),
            (&[("msg", "oval-overview"), ("score", "96.5")], Some(3)),
            (&[("msg", "oval-overview"), ("score", "31.0")], Some(8)),
            (&[("result", "fail"), ("score", "31.0")], None),
        ] {
            let mut event = Event::new("", Timestamp::MIN);
            for (name, value) in fields {
                event.set(format!("labels.{name}"), *value);
            }
            assert_eq!(weight(&event), expected, "{fields:?}");
        }
    }
}
