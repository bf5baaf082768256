//! What rules cost: each is held against events that are at hand, by a clock that is handed in.
//!
//! The events are those of the tests that come along with the rules, of every log source that those know, and long lines
//! made for the purpose: what is quick on short lines may be slow on them.

use std::{collections::BTreeSet, time::Duration};

use event::{Event, Timestamp, Value};
use sigma::{Rules, Scratch};

use super::{
    asked::Asked,
    log_source::{AUDIT, class_of},
    routes,
};
use crate::{shipped::SHIPPED, trial};

/// How often it is measured on each event; the quickest counts, for the machine may be at something else.
const PASSES: usize = 3;
/// How often a rule is held against an event between two looks at the clock.
const TIMES: u32 = 4;
/// Bytes of the long lines.
const LONG: usize = 4_096;

/// What a rule costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Nanoseconds an event of the corpus, those that it is not held against among them.
    pub nanos: u64,
    /// Whether it is held against every event of its log source, for want of a text without which it cannot match.
    pub is_held_against_all: bool,
}

/// Measures each rule, by its number. `clock` says how much time has passed since any moment.
pub fn costs(rules: &Rules, clock: impl Fn() -> Duration) -> Vec<Cost> {
    let corpus = corpus();
    let routes = routes(rules);
    let mut scratch = Scratch::default();
    let mut spent = vec![Duration::ZERO; rules.rules().len()];
    for event in &corpus {
        let class = class_of(event);
        let asked = Asked { event, is_audit: class == AUDIT };
        for number in rules.candidates(&asked, routes.get(class), &mut scratch) {
            let measured = (0..PASSES).map(|_| {
                let begun = clock();
                for _ in 0..TIMES {
                    std::hint::black_box(rules.rules()[number].matches(&asked));
                }
                clock().saturating_sub(begun) / TIMES
            });
            spent[number] += measured.min().unwrap_or_default();
        }
    }
    let against_all: BTreeSet<usize> = rules.without_text().collect();
    let each = |(number, spent): (usize, Duration)| Cost {
        nanos: u64::try_from(spent.as_nanos() / corpus.len().max(1) as u128).unwrap_or(u64::MAX),
        is_held_against_all: against_all.contains(&number),
    };
    spent.into_iter().enumerate().map(each).collect()
}

/// The events that rules are measured on.
fn corpus() -> Vec<Event<'static>> {
    let (zone, now) = (jiff::tz::TimeZone::UTC, Timestamp::MIN);
    let mut events = vec![];
    for (_, text) in SHIPPED {
        for (file, line) in trial::lines(text) {
            let context =
                parse::Context { file: file.as_deref(), ..parse::Context::new(now, &zone, 1 << 16) };
            events.push(parse::line(line.as_bytes(), &context).into_owned());
        }
    }
    let words =
        ["a", "0123456789abcdef", "../", "%27%20OR%201=1--", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "key=value "];
    for word in words {
        let long: String = word.chars().cycle().take(LONG).collect();
        events.push(made("shop", &long, None));
        events.push(made("sshd", &long, None));
        events.push(made("nginx", "a request", Some(&format!("/search?q={long}"))));
    }
    events
}

fn made(source: &'static str, message: &str, path: Option<&str>) -> Event<'static> {
    let mut event = Event::new(message.to_owned(), Timestamp::MIN);
    (event.source, event.host) = (Some(source.into()), Some("gate".into()));
    if let Some(path) = path {
        event.set("http.request.method", "GET");
        event.set("url.original", Value::from(path.to_owned()));
        event.set("url.path", "/search");
        event.set("url.query", Value::from(path.split_once('?').map_or("", |(_, query)| query).to_owned()));
    }
    event.set("process.name", source);
    event
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::rules::read;

    fn rule(id: u8, detection: &str) -> String {
        format!(
            "title: Rule {id}\nid: 00000000-0000-4000-8000-00000000000{id}\nlogsource: {{product: linux}}\n\
             detection:\n  words: {detection}\n  condition: words\nlevel: high\n"
        )
    }

    #[test]
    fn what_is_held_against_all_costs_more_than_what_needs_a_text() {
        let texts =
            [rule(1, "[a-text-that-no-line-has]"), rule(2, "{message|re: '[0-9]+x?'}"), rule(3, "['*']")];
        let files: Vec<_> = texts.iter().map(|text| ("r.yml", text.as_str())).collect();
        let (rules, errors) = read(files);
        assert!(errors.is_empty(), "{errors:?}");
        // Each look at the clock finds a microsecond more gone by: what is held against more events costs more.
        let ticks = Cell::new(0);
        let clock = || {
            ticks.set(ticks.get() + 1);
            Duration::from_micros(ticks.get())
        };
        let costs = costs(&rules, clock);
        assert_eq!(costs[0], Cost { nanos: 0, is_held_against_all: false });
        assert!(costs[1].is_held_against_all && costs[1].nanos > 0, "{costs:?}");
        assert!(costs[2].is_held_against_all, "{costs:?}");
    }

    #[test]
    fn the_rules_that_come_along_are_held_against_few_events() {
        let (rules, _) = read(SHIPPED.iter().copied());
        let costs = costs(&rules, || Duration::ZERO);
        let all: Vec<_> =
            rules.rules().iter().zip(&costs).filter(|(_, cost)| cost.is_held_against_all).collect();
        assert!(all.len() * 4 < costs.len(), "{all:?}");
        assert!(corpus().len() > 100);
    }
}
