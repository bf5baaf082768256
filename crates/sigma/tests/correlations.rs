//! Correlations: every type over streams with time, and what they remember.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use sigma::{Correlated, Correlator, Json, Limits, Options, Rules, Scratch};

const SECOND: i64 = 1_000_000_000;

/// Two rules, `failed` and `ok`, and correlations given as their sections.
fn rules(sections: &[(&str, &str)]) -> Rules {
    let mut text = String::new();
    for name in ["failed", "ok"] {
        text += &format!(
            "title: {name}\nname: {name}\nid: id-{name}\nlogsource: {{category: test}}\n\
             detection: {{s: {{a: {name}}}, condition: s}}\n---\n"
        );
    }
    for (name, section) in sections {
        text += &format!("title: {name}\nname: {name}\ncorrelation: {section}\n---\n");
    }
    let (rules, errors) = Rules::load([("all.yml", text.as_str())], &Options::default());
    assert!(errors.is_empty(), "{errors:?}");
    rules
}

struct Stream {
    rules: Rules,
    correlator: Correlator,
    scratch: Scratch,
}

impl Stream {
    fn new(sections: &[(&str, &str)], limits: Limits) -> Self {
        let rules = rules(sections);
        Self { correlator: Correlator::new(&rules, limits), rules, scratch: Scratch::default() }
    }

    fn see(&mut self, seconds: i64, event: &str) -> Vec<Correlated> {
        let event = Json::parse(event).unwrap();
        let mut met = vec![];
        let matched = self.rules.matches(&event, None, &mut self.scratch);
        self.correlator.observe(&self.rules, matched, &event, seconds * SECOND, 1, &mut met);
        met
    }
}

fn event(rule: &str, ip: &str, more: &str) -> String {
    format!("{{\"a\":\"{rule}\",\"ip\":\"{ip}\"{more}}}")
}

/// The times at which the last of these correlations is met, with its value.
fn met(sections: &[(&str, &str)], events: &[(i64, String)]) -> Vec<(i64, f64)> {
    let mut stream = Stream::new(sections, Limits::default());
    let mut times = vec![];
    for (seconds, event) in events {
        let met = stream.see(*seconds, event);
        let last = met.iter().filter(|met| met.correlation + 1 == sections.len());
        times.extend(last.map(|met| (*seconds, met.value)));
    }
    times
}

fn failures(times: &[i64]) -> Vec<(i64, String)> {
    times.iter().map(|time| (*time, event("failed", "192.0.2.1", ""))).collect()
}

#[test]
fn events_are_counted_in_sliding_windows() {
    let three =
        [("c", "{type: event_count, rules: [failed], group-by: [ip], timespan: 60s, condition: {gte: 3}}")];
    for (times, expected) in [
        (&[0, 10, 20][..], vec![(20, 3.0)]),
        (&[0, 10], vec![]),
        (&[50, 58, 62], vec![(62, 3.0)]),
        (&[0, 30, 60], vec![(60, 3.0)]),
        (&[0, 30, 61], vec![]),
        (&[0, 40, 70, 90], vec![(90, 3.0)]),
        (&[40, 0, 20], vec![(20, 3.0)]),
        (&[100, 40, 0], vec![]),
        (&[0, 1, 2, 3], vec![(2, 3.0), (3, 4.0)]),
    ] {
        assert_eq!(met(&three, &failures(times)), expected, "{times:?}");
    }
    let range = [("c", "{type: event_count, rules: [failed], timespan: 1m, condition: {gt: 1, lte: 2}}")];
    assert_eq!(met(&range, &failures(&[0, 1, 2])), [(1, 2.0)]);
    let other = [(0, event("failed", "192.0.2.1", "")), (1, event("failed", "192.0.2.2", ""))];
    let two =
        [("c", "{type: event_count, rules: [failed], group-by: [ip], timespan: 60s, condition: {gte: 2}}")];
    assert_eq!(met(&two, &other), [], "groups are apart");
}

#[test]
fn values_are_counted_and_computed() {
    let with = |values: &[&str]| -> Vec<(i64, String)> {
        let event = |value: &&str| event("failed", "192.0.2.1", &format!(",\"v\":{value}"));
        values.iter().enumerate().map(|(time, value)| (i64::try_from(time).unwrap(), event(value))).collect()
    };
    for (kind, condition, values, expected) in [
        ("value_count", "{field: v, gte: 2}", &["\"x\"", "\"x\"", "\"y\""][..], vec![(2, 2.0)]),
        ("value_sum", "{field: v, gt: 100}", &["60", "40", "1"], vec![(2, 101.0)]),
        ("value_avg", "{field: v, gte: 10}", &["4", "\"20\"", "3"], vec![(1, 12.0)]),
        ("value_median", "{field: v, gte: 5}", &["1", "9", "5"], vec![(1, 5.0), (2, 5.0)]),
        ("value_percentile", "{field: v, percentile: 90, gt: 90}", &["0", "100", "200"], vec![(2, 180.0)]),
        ("value_percentile", "{field: v, lte: 40}", &["\"x\"", "\"x\"", "\"y\""], vec![(2, 100.0 / 3.0)]),
        ("value_percentile", "{field: v, gte: 80}", &["1", "2", "9"], vec![(2, 250.0 / 3.0)]),
        ("value_sum", "{field: w, gte: 0}", &["1"], vec![]),
        ("value_sum", "{field: v, gte: 0}", &["\"text\""], vec![]),
    ] {
        let section = format!(
            "{{type: {kind}, rules: [failed], group-by: [ip], timespan: 5m, condition: {condition}}}"
        );
        let met = met(&[("c", &section)], &with(values));
        assert_eq!(met.len(), expected.len(), "{kind} {condition} {values:?}: {met:?}");
        for ((time, value), (expected_time, expected_value)) in met.iter().zip(&expected) {
            assert_eq!(time, expected_time, "{kind} {values:?}");
            assert!((value - expected_value).abs() < 1e-9, "{kind} {values:?}: {value}");
        }
    }
}

#[test]
fn rules_are_met_together_and_in_order() {
    let stream = |rules: &[(i64, &str, &str)]| -> Vec<(i64, String)> {
        rules.iter().map(|(time, rule, ip)| (*time, event(rule, ip, ""))).collect()
    };
    for (section, events, expected) in [
        (
            "{type: temporal, rules: [failed, ok], group-by: [ip], timespan: 2m}",
            stream(&[(0, "ok", "x"), (30, "failed", "x")]),
            vec![30],
        ),
        (
            "{type: temporal, rules: [failed, ok], group-by: [ip], timespan: 2m}",
            stream(&[(0, "ok", "x"), (30, "failed", "y")]),
            vec![],
        ),
        (
            "{type: temporal, rules: [failed, ok], group-by: [ip], timespan: 2m}",
            stream(&[(0, "ok", "x"), (121, "failed", "x")]),
            vec![],
        ),
        (
            "{type: temporal, rules: [failed, ok], group-by: [ip], timespan: 2m}",
            stream(&[(0, "ok", "x"), (1, "ok", "x")]),
            vec![],
        ),
        (
            "{type: temporal, rules: [failed, ok], timespan: 2m, condition: {gte: 1}}",
            stream(&[(0, "ok", "x")]),
            vec![0],
        ),
        (
            "{type: temporal, rules: [failed, ok], timespan: 2m, condition: failed and not ok}",
            stream(&[(0, "failed", "x"), (1, "ok", "x")]),
            vec![0],
        ),
        (
            "{type: temporal, timespan: 2m, condition: failed AND ok}",
            stream(&[(0, "failed", "x"), (1, "ok", "x")]),
            vec![1],
        ),
        (
            "{type: temporal_ordered, rules: [failed, ok], group-by: [ip], timespan: 2m}",
            stream(&[(0, "failed", "x"), (30, "ok", "x")]),
            vec![30],
        ),
        (
            "{type: temporal_ordered, rules: [failed, ok], group-by: [ip], timespan: 2m}",
            stream(&[(0, "ok", "x"), (30, "failed", "x")]),
            vec![],
        ),
        (
            "{type: temporal_ordered, rules: [failed, ok], group-by: [ip], timespan: 2m}",
            stream(&[(0, "ok", "x"), (30, "failed", "x"), (40, "ok", "x")]),
            vec![40],
        ),
        (
            "{type: temporal_ordered, rules: [failed, ok], group-by: [ip], timespan: 2m}",
            stream(&[(30, "ok", "x"), (0, "failed", "x")]),
            vec![0],
        ),
    ] {
        let times: Vec<i64> = met(&[("c", section)], &events).iter().map(|(time, _)| *time).collect();
        assert_eq!(times, expected, "{section} {events:?}");
    }
}

#[test]
fn correlations_count_correlations() {
    let sections = [
        ("many", "{type: event_count, rules: [failed], group-by: [ip], timespan: 60s, condition: {gte: 3}}"),
        ("then", "{type: temporal_ordered, rules: [many, ok], group-by: [ip], timespan: 1h}"),
    ];
    let mut events = failures(&[0, 1, 2]);
    events.push((100, event("ok", "192.0.2.1", "")));
    assert_eq!(met(&sections, &events), [(100, 2.0)]);
    events.remove(0);
    assert_eq!(met(&sections, &events), []);
    let rules = rules(&sections);
    assert!(rules.rules().iter().all(|rule| !rule.is_alone));
    let alone: Vec<bool> = rules.correlations().iter().map(|correlation| correlation.is_alone).collect();
    assert_eq!(alone, [false, true]);
}

#[test]
fn rules_may_stand_for_themselves_as_well() {
    let section = "{type: event_count, rules: [failed], timespan: 60s, condition: {gte: 3}, generate: true}";
    assert!(rules(&[("c", section)]).rules().iter().all(|rule| rule.is_alone));
}

#[test]
fn aliases_name_the_same_thing_in_several_rules() {
    let section = "{type: temporal, rules: [failed, id-ok], group-by: [inner], timespan: 10s, aliases: \
                   {inner: {failed: destination, ok: source}}}";
    let event = |rule: &str, source: &str, destination: &str| {
        format!("{{\"a\":\"{rule}\",\"source\":\"{source}\",\"destination\":\"{destination}\"}}")
    };
    let events = |source: &str| vec![(0, event("failed", "z", "x")), (1, event("ok", source, "y"))];
    assert_eq!(met(&[("c", section)], &events("x")), [(1, 2.0)]);
    assert_eq!(met(&[("c", section)], &events("q")), []);
}

#[test]
fn a_field_that_is_not_there_is_a_group_of_its_own_unless_all_are_missing() {
    let section =
        "{type: event_count, rules: [failed], group-by: [ip, user], timespan: 60s, condition: {gte: 2}}";
    let mut stream = Stream::new(&[("c", section)], Limits::default());
    stream.see(0, r#"{"a":"failed","ip":"x"}"#);
    let met = stream.see(1, r#"{"a":"failed","ip":"x"}"#);
    assert_eq!(met[0].group, [Some("x".to_owned()), None]);
    stream.see(2, r#"{"a":"failed"}"#);
    assert_eq!(stream.see(3, r#"{"a":"failed"}"#), []);
}

#[test]
fn a_group_is_new_once_in_its_time_span() {
    let section = "{type: event_count, rules: [failed], group-by: [ip], timespan: 60s, condition: {gte: 2}}";
    let mut stream = Stream::new(&[("c", section)], Limits::default());
    let mut new = vec![];
    for time in [0, 10, 20, 200, 210] {
        new.extend(stream.see(time, &event("failed", "x", "")).iter().map(|met| (time, met.is_new)));
    }
    assert_eq!(new, [(10, true), (20, false), (210, true)]);
    let met = stream.see(220, &event("failed", "x", ""));
    assert_eq!((met[0].first_ns, met[0].last_ns, met[0].count), (200 * SECOND, 220 * SECOND, 3));
}

#[test]
fn memory_is_bounded_and_says_so() {
    let section = "{type: event_count, rules: [failed], group-by: [ip], timespan: 1h, condition: {gte: 3}}";
    let limits = Limits { groups: 100, entries: 10, entries_total: 150, ..Limits::default() };
    let mut stream = Stream::new(&[("c", section)], limits);
    for address in 0..10_000 {
        stream.see(address, &event("failed", &format!("10.0.{}.{}", address / 256, address % 256), ""));
        let status = stream.correlator.status();
        assert!(status.groups <= 100 && status.entries <= 150, "{status:?}");
    }
    assert!(stream.correlator.status().groups_evicted >= 9_900);
    // What is fed goes on to count while others come and go.
    for round in 0..3 {
        let met = stream.see(10_000 + round, &event("failed", "192.0.2.1", ""));
        assert_eq!(met.len(), usize::from(round == 2));
        for other in 0..20 {
            stream.see(10_000 + round, &event("failed", &format!("203.0.113.{other}"), ""));
        }
    }
    for _ in 0..30 {
        stream.see(10_010, &event("failed", "192.0.2.9", ""));
    }
    let status = stream.correlator.status();
    assert!(status.entries_evicted >= 20 && status.entries <= 150, "{status:?}");
}

#[test]
fn what_comes_too_late_does_not_count_and_what_is_over_is_forgotten() {
    let section = "{type: event_count, rules: [failed], group-by: [ip], timespan: 60s, condition: {gte: 2}}";
    let mut stream = Stream::new(&[("c", section)], Limits::default());
    stream.see(10_000, &event("failed", "x", ""));
    stream.see(9_400, &event("failed", "x", ""));
    assert_eq!(stream.correlator.status().late, 0);
    stream.see(9_000, &event("failed", "x", ""));
    assert_eq!(stream.correlator.status().late, 1);
    stream.correlator.forget_before(&stream.rules, 10_600 * SECOND);
    assert_eq!(stream.correlator.status().groups, 1);
    stream.correlator.forget_before(&stream.rules, 10_700 * SECOND);
    let status = stream.correlator.status();
    assert_eq!((status.groups, status.entries), (0, 0));
}

#[test]
fn a_restart_changes_nothing() {
    let sections = [
        ("many", "{type: event_count, rules: [failed], group-by: [ip], timespan: 60s, condition: {gte: 3}}"),
        (
            "users",
            "{type: value_count, rules: [failed], group-by: [ip], timespan: 60s, condition: {field: u, gte: 2}}",
        ),
        ("bytes", "{type: value_sum, rules: [failed], timespan: 60s, condition: {field: n, gte: 5}}"),
        ("then", "{type: temporal_ordered, rules: [many, ok], group-by: [ip], timespan: 1h}"),
    ];
    let events: Vec<(i64, String)> = (0..40)
        .map(|number| {
            let rule = if number % 7 == 6 { "ok" } else { "failed" };
            let more = format!(",\"u\":\"u{}\",\"n\":{}", number % 5, number % 3);
            (number * 9 % 200, event(rule, &format!("192.0.2.{}", number % 3), &more))
        })
        .collect();
    let mut whole = Stream::new(&sections, Limits::default());
    let expected: Vec<Vec<Correlated>> = events.iter().map(|(time, event)| whole.see(*time, event)).collect();
    assert!(expected.iter().flatten().count() > 20, "the stream meets them");
    for cut in [0, 1, 13, 27, 40] {
        let mut stream = Stream::new(&sections, Limits::default());
        let mut found: Vec<_> = events[..cut].iter().map(|(time, event)| stream.see(*time, event)).collect();
        let bytes = stream.correlator.snapshot(&stream.rules);
        stream.correlator = Correlator::restore(&stream.rules, Limits::default(), &bytes).unwrap();
        found.extend(events[cut..].iter().map(|(time, event)| stream.see(*time, event)));
        assert_eq!(found, expected, "restarted behind {cut}");
    }
}

#[test]
fn a_snapshot_of_other_rules_keeps_what_still_counts_the_same() {
    let two = |span: &str| {
        format!("{{type: event_count, rules: [failed], timespan: {span}, condition: {{gte: 2}}}}")
    };
    let mut stream = Stream::new(&[("a", &two("60s")), ("b", &two("2m"))], Limits::default());
    stream.see(0, &event("failed", "x", ""));
    let bytes = stream.correlator.snapshot(&stream.rules);
    let mut changed = Stream::new(&[("b", &two("2m")), ("a", &two("61s"))], Limits::default());
    changed.correlator = Correlator::restore(&changed.rules, Limits::default(), &bytes).unwrap();
    let met = changed.see(1, &event("failed", "x", ""));
    assert_eq!(met.iter().map(|met| met.correlation).collect::<Vec<_>>(), [0]);
    for cut in 0..bytes.len() {
        assert!(Correlator::restore(&changed.rules, Limits::default(), &bytes[..cut]).is_err());
    }
}
