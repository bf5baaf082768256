// What is done with each input of the fuzz target `query`; an ordinary test does the same.

use event::{Event, EventId, JournalId, Position, Template, Timestamp, Value, Verdict};
use query::{LENGTH_MAX, Query};

fn depth(query: &Query) -> usize {
    match query {
        Query::And(parts) | Query::Or(parts) => 1 + parts.iter().map(depth).max().unwrap_or(0),
        Query::Not(part) => 1 + depth(part),
        _ => 1,
    }
}

/// Parses, writes, parses again and evaluates; panics where a promise is broken.
pub(crate) fn query(text: &str) {
    let now = Timestamp::from_nanos(1_717_243_200_000_000_000).unwrap_or_default();
    let parsed = match Query::parse(text, now) {
        Ok(parsed) => parsed,
        Err(error) => {
            assert!(error.column >= 1 && error.column <= text.chars().count() + 1, "{error}");
            return;
        }
    };
    let written = parsed.to_string();
    // Writing may add parentheses and spell times out, and so go past a limit.
    if written.len() <= LENGTH_MAX && depth(&parsed) < 16 && text.len() < 400 {
        assert_eq!(Query::parse(&written, now).as_ref(), Ok(&parsed), "{text} → {written}");
    }
    let mut event = Event::new("Failed password for root from 10.0.0.1 port 22 – Straße", now);
    event.source = Some("sshd".into());
    event.set("source.ip", "10.0.0.1");
    event.set("source.port", 22);
    event.set("labels.tags", Value::Json("[\"a\",[1.5,null],{\"b\":true}]".into()));
    let template = Template::new("Failed password for <user>");
    let id = EventId { journal: JournalId(1), position: Position::default() };
    let matched = parsed.matches(id, &event, Some(&template), &Verdict::unscored());
    let negated = Query::Not(Box::new(parsed)).matches(id, &event, Some(&template), &Verdict::unscored());
    assert_ne!(matched, negated);
}
