//! The same lines give the same findings in whatever order files are taken in, and however often the machine's clock
//! ticks meanwhile.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeMap;

use detect::{Config, Engine, Finding, Level, rules};
use event::{Analyzed, Event, EventId, JournalId, Position, Timestamp};
use proptest::prelude::*;

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
/// When everything is taken in.
const RECEIVED: i64 = 1_780_000_000 * SECOND;
const SOURCES: usize = 4;
/// Failures of four users are a correlation of a rule of one's own.
const RULE: &str = "title: Failed\nname: failed\nid: 00000000-0000-4000-8000-000000000001\n\
    logsource: {product: linux}\ndetection:\n  words: [Failed]\n  condition: words\nlevel: low\n---\n\
    title: Many failed\nid: 00000000-0000-4000-8000-000000000002\ncorrelation:\n  type: value_count\n  rules: [failed]\n  \
    group-by: [host.name]\n  timespan: 30m\n  condition: {field: user.name, gte: 4}\nlevel: medium\n";

/// Something that happened in a source.
#[derive(Debug, Clone)]
struct Happened {
    second: i64,
    what: u8,
    who: u8,
}

/// What is done in the order of the journal.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// The next event of a source.
    Event(usize),
    /// The machine's clock ticks.
    Tick,
}

fn event(source: usize, happened: &Happened, number: u32) -> Analyzed<'static> {
    // Each source is of other years, whose spans overlap for two of them.
    let start = RECEIVED - (400 - 3 * (source as i64 / 2)) * DAY;
    let at = Timestamp::from_nanos(start + happened.second * SECOND).unwrap();
    let who = happened.who % 3;
    let address = format!("198.51.{source}.{}", 10 + who);
    let mut event = match (source, happened.what) {
        (0 | 1, what) => {
            let mut event = Event::new("Failed password", at);
            event.source = Some("sshd".into());
            event.set("event.action", "ssh_login");
            event.set("event.outcome", if what == 0 { "success" } else { "failure" });
            event.set("user.name", format!("user{}", happened.who));
            event.set("process.pid", happened.second);
            event
        }
        (2, what) => {
            let target = ["/", "/.env", "/wp-login.php", "/phpmyadmin/", "/index.html", "/../../etc/passwd"];
            let target =
                format!("{}{}", target[usize::from(what) % target.len()], ["", "?x=1"][usize::from(who) % 2]);
            let mut event = Event::new(format!("GET {target} HTTP/1.1"), at);
            event.source = Some("access".into());
            event.set("http.request.method", "GET");
            event.set("url.original", target);
            event.set("http.response.status_code", 404_i64);
            event
        }
        _ => {
            let mut event = Event::new("the job ran", at);
            event.source = Some("cron".into());
            event.set("process.pid", happened.second);
            event
        }
    };
    event.observed_timestamp = Timestamp::from_nanos(RECEIVED).unwrap();
    event.host = Some(format!("host-{source}").into());
    event.set("source.ip", address);
    event.set("log.file.path", format!("/logs/{source}"));
    let position = Position { segment: 0, record: number };
    Analyzed::unanalyzed(EventId { journal: JournalId(1), position }, event)
}

/// What happened in a source within some days, much of it within minutes of something else.
fn source() -> impl Strategy<Value = Vec<Happened>> {
    let one = (0i64..4, 0i64..86_400, proptest::bool::ANY, 0u8..9, 0u8..14);
    proptest::collection::vec(one, 0..80).prop_map(|all| {
        let mut seconds = 0;
        let mut happened: Vec<Happened> = Vec::new();
        for (day, second, is_near, what, who) in all {
            seconds = if is_near { seconds + second % 400 } else { day * 86_400 + second };
            happened.push(Happened { second: seconds, what, who });
        }
        happened.sort_by_key(|happened| happened.second);
        happened
    })
}

/// What stands at last of each run, as a signal has it: an update takes the place of what was told of its run, and the
/// gravest level stays.
fn at_last(findings: Vec<Finding>) -> Vec<(String, String, i64, i64, u64, Level)> {
    type Told = Vec<(i64, i64, u64, Level)>;
    let mut runs: BTreeMap<(String, String), Told> = BTreeMap::new();
    for finding in findings {
        let of = runs.entry((finding.rule.clone(), finding.entities[0].value.clone())).or_default();
        let (first, last) = (finding.first.as_nanos(), finding.last.as_nanos());
        let is_of = |run: &mut (i64, i64, u64, Level)| finding.is_update && run.1 >= first && run.0 <= last;
        let before = of.extract_if(.., is_of).map(|(.., level)| level).max();
        let level = before.unwrap_or(finding.level).max(finding.level);
        of.push((first, last, finding.count, level));
    }
    let mut all = Vec::new();
    for ((rule, about), mut told) in runs {
        told.sort();
        let line = |(first, last, count, level)| (rule.clone(), about.clone(), first, last, count, level);
        all.extend(told.into_iter().map(line));
    }
    all
}

fn found(sources: &[Vec<Happened>], steps: &[Step]) -> Vec<(String, String, i64, i64, u64, Level)> {
    let (rules, errors) = rules::read([("failed.yml", RULE)]);
    assert!(errors.is_empty(), "{errors:?}");
    let mut engine = Engine::with_rules(Config::default(), rules);
    // Within the ten seconds in which more of a file is waited for.
    let clock = |ticks: i64| Timestamp::from_nanos(RECEIVED + ticks * SECOND).unwrap();
    let (mut next, mut ticks) = ([0; SOURCES], 0);
    let rest =
        (0..SOURCES).flat_map(|source| std::iter::repeat_n(Step::Event(source), sources[source].len()));
    for (number, step) in steps.iter().copied().chain(rest).enumerate() {
        match step {
            Step::Tick if ticks < 9 => {
                ticks += 1;
                engine.tick(clock(ticks));
            }
            Step::Tick => {}
            Step::Event(source) => {
                if let Some(happened) = sources[source].get(next[source]) {
                    next[source] += 1;
                    engine.see_one(&event(source, happened, number as u32));
                }
            }
        }
    }
    engine.tick_now(clock(1_800));
    at_last(engine.drain())
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![30 => (0..SOURCES).prop_map(Step::Event), 1 => Just(Step::Tick)];
    proptest::collection::vec(step, 0..320)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_order_of_sources_changes_nothing(
        sources in proptest::collection::vec(source(), SOURCES),
        steps in steps(),
    ) {
        prop_assert_eq!(found(&sources, &steps), found(&sources, &[]));
    }
}

#[test]
fn a_login_long_after_failures_says_nothing_of_them() {
    let level_with = |logins: &[i64]| {
        let failures = (0..6).map(|number| Happened { second: number * 60, what: 1, who: 0 });
        let logins = logins.iter().map(|second| Happened { second: *second, what: 0, who: 0 });
        let mut sources = vec![Vec::new(); SOURCES];
        sources[0] = failures.chain(logins).collect();
        let all = found(&sources, &[]);
        all.iter().find(|told| told.0 == "ssh_brute_force").map(|told| (told.4, told.5)).unwrap()
    };
    assert_eq!(level_with(&[]), (6, Level::Medium));
    assert_eq!(level_with(&[900]), (6, Level::High), "ten minutes after the last of them");
    assert_eq!(level_with(&[901]), (6, Level::Medium));
    assert_eq!(level_with(&[900, 30_000]), (6, Level::High), "a later one does not hide it");
}

#[test]
fn an_old_file_waits_for_nobody_and_a_live_one_not_for_it() {
    let mut engine = Engine::new(Config::default());
    let failure = |second, who| event(0, &Happened { second, what: 1, who }, second as u32);
    // Twelve failures of an address in an old file, told at five and at ten; then the machine's clock ticks.
    (0..12).for_each(|number| engine.see_one(&failure(number * 30, 0)));
    engine.tick(Timestamp::from_nanos(RECEIVED + 5 * SECOND).unwrap());
    let counts = |engine: &mut Engine| -> Vec<u64> {
        let told = engine.drain().into_iter().filter(|finding| finding.rule == "ssh_brute_force");
        told.map(|finding| finding.count).collect()
    };
    assert_eq!(counts(&mut engine), [5, 10], "the file may say more of it");
    // Nobody reads it any more.
    engine.tick(Timestamp::from_nanos(RECEIVED + 66 * SECOND).unwrap());
    assert_eq!(counts(&mut engine), [12]);
}
