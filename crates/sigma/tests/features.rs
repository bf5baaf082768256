//! Every feature of rules: one row a feature, with a rule's detection and events that match or do not.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::BTreeMap;

use sigma::{Json, Options, Rules, Scratch};

fn rules(detection: &str) -> Rules {
    let mut text = String::from("title: one\nlogsource: {category: test}\ndetection:\n");
    for line in detection.lines() {
        text += &format!("  {line}\n");
    }
    let values = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let placeholders = BTreeMap::from([
        ("admins".to_owned(), values(&["root", "adm_*"])),
        ("zone".to_owned(), values(&["eu", "us"])),
    ]);
    let options = Options { placeholders, ..Options::default() };
    let (rules, errors) = Rules::load([("features.yml", text.as_str())], &options);
    assert!(errors.is_empty(), "{detection}\n{errors:?}");
    rules
}

fn check(rows: &[(&str, &[(&str, bool)])]) {
    let mut scratch = Scratch::default();
    for (detection, events) in rows {
        let rules = rules(detection);
        for (event, expected) in *events {
            let event_fields = Json::parse(event).unwrap();
            let matched = !rules.matches(&event_fields, None, &mut scratch).is_empty();
            assert_eq!(matched, *expected, "{detection}\n{event}");
        }
    }
}

#[test]
fn values() {
    check(&[
        (
            "s: {a: Test}\ncondition: s",
            &[
                (r#"{"a":"TEST"}"#, true),
                (r#"{"a":"tests"}"#, false),
                (r#"{"b":"test"}"#, false),
                (r#"{"a":["x","test"]}"#, true),
                (r#"{"a":[]}"#, false),
            ],
        ),
        ("s: {a: [x, y]}\ncondition: s", &[(r#"{"a":"y"}"#, true), (r#"{"a":"z"}"#, false)]),
        ("s: {a: 'x*z?'}\ncondition: s", &[(r#"{"a":"xyzé"}"#, true), (r#"{"a":"xyz"}"#, false)]),
        (
            r"s: {a: 'x\*'}
condition: s",
            &[(r#"{"a":"x*"}"#, true), (r#"{"a":"xy"}"#, false)],
        ),
        (
            "s: {a: 4625}\ncondition: s",
            &[
                (r#"{"a":4625}"#, true),
                (r#"{"a":"4625"}"#, true),
                (r#"{"a":4625.0}"#, true),
                (r#"{"a":46250}"#, false),
                (r#"{"a":"x"}"#, false),
            ],
        ),
        ("s: {a: '4625'}\ncondition: s", &[(r#"{"a":4625}"#, true), (r#"{"a":462}"#, false)]),
        (
            "s: {a: true}\ncondition: s",
            &[
                (r#"{"a":true}"#, true),
                (r#"{"a":"True"}"#, true),
                (r#"{"a":false}"#, false),
                (r#"{"a":1}"#, false),
            ],
        ),
        ("s: {a: 'false'}\ncondition: s", &[(r#"{"a":false}"#, true), (r#"{"a":true}"#, false)]),
        (
            "s: {a: null}\ncondition: s",
            &[(r#"{"a":null}"#, true), (r#"{"b":1}"#, true), (r#"{"a":""}"#, false), (r#"{"a":"x"}"#, false)],
        ),
        (
            "s: {a: ''}\ncondition: s",
            &[(r#"{"a":""}"#, true), (r#"{"a":null}"#, false), (r#"{"b":1}"#, false)],
        ),
        (
            "s: {a: [null, x]}\ncondition: s",
            &[(r#"{"b":1}"#, true), (r#"{"a":"x"}"#, true), (r#"{"a":"y"}"#, false)],
        ),
        (
            "s: {a: '*'}\ncondition: s",
            &[(r#"{"a":"x"}"#, true), (r#"{"a":7}"#, true), (r#"{"b":"x"}"#, false)],
        ),
    ]);
}

#[test]
fn shapes() {
    check(&[
        ("s: {a: x, b: y}\ncondition: s", &[(r#"{"a":"x","b":"y"}"#, true), (r#"{"a":"x"}"#, false)]),
        ("s: [{a: x}, {b: y}]\ncondition: s", &[(r#"{"b":"y"}"#, true), (r#"{"a":"y"}"#, false)]),
        (
            "s: [{a: x}, word]\ncondition: s",
            &[(r#"{"a":"x"}"#, true), (r#"{"c":"a Word."}"#, true), (r#"{"a":"y"}"#, false)],
        ),
        (
            "s: [evil, bad thing]\ncondition: s",
            &[
                (r#"{"m":"an EVIL act"}"#, true),
                (r#"{"m":{"n":["bad thing"]}}"#, true),
                (r#"{"evil":"good"}"#, false),
            ],
        ),
        (
            "s: 'one*keyword'\ncondition: s",
            &[(r#"{"m":"- one more keyword -"}"#, true), (r#"{"m":"keyword one"}"#, false)],
        ),
        (
            "s: {'|all': [one, two]}\ncondition: s",
            &[(r#"{"m":"two","n":"one"}"#, true), (r#"{"m":"two"}"#, false)],
        ),
        (
            "s: {p.name: sshd}\ncondition: s",
            &[
                (r#"{"p":{"name":"sshd"}}"#, true),
                (r#"{"p.name":"sshd"}"#, true),
                (r#"{"p":[{"name":"x"},{"name":"sshd"}]}"#, true),
                (r#"{"p":"sshd"}"#, false),
            ],
        ),
    ]);
}

#[test]
fn text_modifiers() {
    check(&[
        (
            "s: {a|contains: 'a*b'}\ncondition: s",
            &[(r#"{"a":"xx a1b yy"}"#, true), (r#"{"a":"b a"}"#, false)],
        ),
        ("s: {a|contains|all: [x, y]}\ncondition: s", &[(r#"{"a":"y-x"}"#, true), (r#"{"a":"xx"}"#, false)]),
        ("s: {a|contains: 46}\ncondition: s", &[(r#"{"a":"x46"}"#, true), (r#"{"a":4625}"#, true)]),
        ("s: {a|startswith: ab}\ncondition: s", &[(r#"{"a":"ABc"}"#, true), (r#"{"a":"cab"}"#, false)]),
        ("s: {a|endswith|cased: Ab}\ncondition: s", &[(r#"{"a":"xAb"}"#, true), (r#"{"a":"xab"}"#, false)]),
        ("s: {a|cased: Abc}\ncondition: s", &[(r#"{"a":"Abc"}"#, true), (r#"{"a":"abc"}"#, false)]),
        (
            "s: {a|windash|contains: ' -f '}\ncondition: s",
            &[
                (r#"{"a":"x /F y"}"#, true),
                (r#"{"a":"x –f y"}"#, true),
                (r#"{"a":"x -f y"}"#, true),
                (r#"{"a":"x f y"}"#, false),
            ],
        ),
        (
            "s: {a|base64: foobar}\ncondition: s",
            &[(r#"{"a":"Zm9vYmFy"}"#, true), (r#"{"a":"foobar"}"#, false)],
        ),
        ("s: {a|base64|contains: foobar}\ncondition: s", &[(r#"{"a":"x Zm9vYmFy y"}"#, true)]),
        (
            "s: {a|base64offset|contains: foo}\ncondition: s",
            &[
                (r#"{"a":"Zm9v"}"#, true),
                (r#"{"a":"eGZvbyE="}"#, true),
                (r#"{"a":"eHhmb28h"}"#, true),
                (r#"{"a":"eHh4"}"#, false),
            ],
        ),
        (
            "s: {a|wide|base64offset|contains: cmd}\ncondition: s",
            &[(r#"{"a":"YwBtAGQA"}"#, true), (r#"{"a":"Y21k"}"#, false)],
        ),
        ("s: {a|utf16be|base64: cmd}\ncondition: s", &[(r#"{"a":"AGMAbQBk"}"#, true)]),
        ("s: {a|utf16|base64|startswith: c}\ncondition: s", &[(r#"{"a":"//5jAA=="}"#, true)]),
        (
            "s: {a|wide: cmd}\ncondition: s",
            &[(r#"{"a":"c\u0000m\u0000d\u0000"}"#, true), (r#"{"a":"cmd"}"#, false)],
        ),
        (
            "s: {user|expand: '%admins%'}\ncondition: s",
            &[(r#"{"user":"Root"}"#, true), (r#"{"user":"adm_7"}"#, true), (r#"{"user":"%admins%"}"#, false)],
        ),
        (
            "s: {host|expand|startswith: '%zone%-'}\ncondition: s",
            &[(r#"{"host":"eu-1"}"#, true), (r#"{"host":"ap-1"}"#, false)],
        ),
        ("s: {a: '%admins%'}\ncondition: s", &[(r#"{"a":"%admins%"}"#, true), (r#"{"a":"root"}"#, false)]),
    ]);
}

#[test]
fn other_modifiers() {
    check(&[
        (
            "s: {a|re: '^[a-z]{3}\\d+$'}\ncondition: s",
            &[(r#"{"a":"abc12"}"#, true), (r#"{"a":"ABC12"}"#, false)],
        ),
        ("s: {a|re|i: '^abc$'}\ncondition: s", &[(r#"{"a":"ABC"}"#, true), (r#"{"a":"ABCD"}"#, false)]),
        ("s: {a|re|m: '^b$'}\ncondition: s", &[(r#"{"a":"a\nb"}"#, true), (r#"{"a":"ab"}"#, false)]),
        ("s: {a|re|s: 'a.b'}\ncondition: s", &[(r#"{"a":"a\nb"}"#, true), (r#"{"a":"ab"}"#, false)]),
        ("s: {a|re: 'a.b'}\ncondition: s", &[(r#"{"a":"a\nb"}"#, false), (r#"{"a":"axb"}"#, true)]),
        (
            "s: {a|cidr: [10.0.0.0/8, '2001:db8::/32']}\ncondition: s",
            &[
                (r#"{"a":"10.1.2.3"}"#, true),
                (r#"{"a":"::ffff:10.1.2.3"}"#, true),
                (r#"{"a":"2001:db8::7"}"#, true),
                (r#"{"a":"11.0.0.1"}"#, false),
                (r#"{"a":"ten"}"#, false),
            ],
        ),
        (
            "s: {a|gt: 5}\ncondition: s",
            &[(r#"{"a":6}"#, true), (r#"{"a":5}"#, false), (r#"{"a":"7"}"#, true)],
        ),
        ("s: {a|gte: 5}\ncondition: s", &[(r#"{"a":5}"#, true), (r#"{"a":4.9}"#, false)]),
        ("s: {a|lt: 5}\ncondition: s", &[(r#"{"a":4}"#, true), (r#"{"a":5}"#, false), (r#"{"b":1}"#, false)]),
        (
            "s: {a|lte: 5.5}\ncondition: s",
            &[(r#"{"a":5.5}"#, true), (r#"{"a":6}"#, false), (r#"{"a":"x"}"#, false)],
        ),
        (
            "s: {a|neq: x}\ncondition: s",
            &[(r#"{"a":"y"}"#, true), (r#"{"a":"X"}"#, false), (r#"{"b":"y"}"#, false)],
        ),
        ("s: {a|neq: [x, y]}\ncondition: s", &[(r#"{"a":"z"}"#, true), (r#"{"a":"y"}"#, false)]),
        ("s: {a|contains|neq: x}\ncondition: s", &[(r#"{"a":"abc"}"#, true), (r#"{"a":"axc"}"#, false)]),
        ("s: {a|neq: 5}\ncondition: s", &[(r#"{"a":6}"#, true), (r#"{"a":5}"#, false)]),
        (
            "s: {a|exists: true}\ncondition: s",
            &[(r#"{"a":null}"#, true), (r#"{"a":""}"#, true), (r#"{"a":[]}"#, true), (r#"{"b":1}"#, false)],
        ),
        ("s: {a|exists: false}\ncondition: s", &[(r#"{"a":null}"#, false), (r#"{"b":1}"#, true)]),
        (
            "s: {a|fieldref: b}\ncondition: s",
            &[
                (r#"{"a":"x","b":"X"}"#, true),
                (r#"{"a":"x","b":"y"}"#, false),
                (r#"{"a":"x"}"#, false),
                (r#"{"a":5,"b":5.0}"#, true),
                (r#"{"a":5,"b":"5"}"#, true),
            ],
        ),
        ("s: {a|fieldref|cased: b}\ncondition: s", &[(r#"{"a":"x","b":"X"}"#, false)]),
        (
            "s: {a|fieldref|neq: b}\ncondition: s",
            &[(r#"{"a":"x","b":"y"}"#, true), (r#"{"a":"x","b":"x"}"#, false)],
        ),
        ("s: {a|fieldref|endswith: b}\ncondition: s", &[(r#"{"a":"/bin/sh","b":"sh"}"#, true)]),
        (
            "s: {t|hour: [22, 23]}\ncondition: s",
            &[
                (r#"{"t":"2026-01-13T23:05:00Z"}"#, true),
                (r#"{"t":"2026-01-13T21:05:00Z"}"#, false),
                (r#"{"t":"night"}"#, false),
            ],
        ),
        (
            "s: {t|minute|lt: 10}\ncondition: s",
            &[(r#"{"t":"2026-01-13 23:05:00"}"#, true), (r#"{"t":"2026-01-13 23:15:00"}"#, false)],
        ),
        (
            "s: {t|day: 13, t|month: 1, t|year: 2026, t|week: 3}\ncondition: s",
            &[(r#"{"t":"2026-01-13T00:00:00Z"}"#, true), (r#"{"t":"2026-02-13T00:00:00Z"}"#, false)],
        ),
    ]);
}

#[test]
fn conditions() {
    let parts = "s1: {a: x}\ns2: {b: y}\nf_1: {c: z}\n_hidden: {d: q}\ncondition: ";
    let rows: &[(&str, &[(&str, bool)])] = &[
        ("s1 and s2", &[(r#"{"a":"x","b":"y"}"#, true), (r#"{"a":"x"}"#, false)]),
        ("s1 or s2 and f_1", &[(r#"{"a":"x"}"#, true), (r#"{"b":"y"}"#, false)]),
        ("(s1 or s2) and not f_1", &[(r#"{"b":"y"}"#, true), (r#"{"b":"y","c":"z"}"#, false)]),
        ("1 of s*", &[(r#"{"b":"y"}"#, true), (r#"{"c":"z"}"#, false)]),
        ("all of s*", &[(r#"{"a":"x","b":"y"}"#, true), (r#"{"b":"y"}"#, false)]),
        ("1 of them", &[(r#"{"c":"z"}"#, true), (r#"{"d":"q"}"#, false)]),
        ("all of them", &[(r#"{"a":"x","b":"y","c":"z"}"#, true), (r#"{"a":"x","b":"y"}"#, false)]),
        ("not s1", &[(r#"{"e":1}"#, true), (r#"{"a":"x"}"#, false)]),
        ("[s1 and s2, f_1]", &[(r#"{"c":"z"}"#, true), (r#"{"a":"x"}"#, false)]),
    ];
    for (condition, events) in rows {
        check(&[(&format!("{parts}{condition}"), events)]);
    }
}

#[test]
fn filters_and_global_documents() {
    let text = "\
action: global
logsource: {product: linux}
level: high
detection: {condition: s}
---
title: one
id: id-one
detection: {s: {a: x}}
---
title: two
name: two
level: low
detection: {s: {a: x}}
---
action: reset
---
title: not of operators
logsource: {product: linux}
filter:
  rules: [id-one]
  selection: {user: admin}
  condition: not selection
---
title: of another log source
logsource: {product: windows}
filter:
  rules: any
  selection: {a: x}
  condition: not selection
";
    let (rules, errors) = Rules::load([("all.yml", text)], &Options::default());
    assert!(errors.is_empty(), "{errors:?}");
    let titles = |event: &str| {
        let mut scratch = Scratch::default();
        let event = Json::parse(event).unwrap();
        let matched = rules.matches(&event, None, &mut scratch);
        matched.iter().map(|rule| rules.rules()[*rule].about.title.clone()).collect::<Vec<_>>()
    };
    assert_eq!(titles(r#"{"a":"x"}"#), ["one", "two"]);
    assert_eq!(titles(r#"{"a":"x","user":"admin"}"#), ["two"]);
    let levels: Vec<_> = rules.rules().iter().map(|rule| rule.about.level).collect();
    assert_eq!(levels, [Some(sigma::Level::High), Some(sigma::Level::Low)]);
}

#[test]
fn rules_see_what_their_log_source_covers() {
    let text = "\
title: linux
logsource: {product: linux}
detection: {s: {a: x}, condition: s}
---
title: sshd
logsource: {product: linux, service: sshd}
detection: {s: {a: x}, condition: s}
---
title: web
logsource: {category: webserver}
detection: {s: {a: x}, condition: s}
";
    let (rules, errors) = Rules::load([("all.yml", text)], &Options::default());
    assert!(errors.is_empty(), "{errors:?}");
    let event = Json::parse(r#"{"a":"x"}"#).unwrap();
    let mut scratch = Scratch::default();
    let source = |category, product, service| sigma::LogSource::new(category, product, service);
    for (sources, expected) in [
        (vec![source(None, Some("linux"), Some("sshd"))], vec![0, 1]),
        (vec![source(None, Some("linux"), None)], vec![0]),
        (vec![source(Some("webserver"), None, None), source(None, Some("linux"), None)], vec![0, 2]),
        (vec![], vec![]),
    ] {
        let route = rules.route(&sources);
        assert_eq!(rules.matches(&event, Some(&route), &mut scratch), expected, "{sources:?}");
    }
}

#[test]
fn what_a_rule_says_of_itself() {
    let text = "\
title: Brute force
id: 9f12cc88-d828-5a1f-99fb-e460f0e188cb
name: brute
status: test
author: Somebody
tags: [attack.credential-access, attack.t1110.001, attack.T1, attack.t99x]
falsepositives: Tests
references: [https://example.org]
fields: [user]
logsource: {product: linux}
detection: {s: {a: x}, condition: s}
";
    let (rules, errors) = Rules::load([("about.yml", text)], &Options::default());
    assert!(errors.is_empty(), "{errors:?}");
    let about = &rules.rules()[0].about;
    assert_eq!((about.file.as_str(), about.line, about.title.as_str()), ("about.yml", 1, "Brute force"));
    assert_eq!(about.techniques().collect::<Vec<_>>(), ["T1110.001"]);
    assert_eq!(about.false_positives, ["Tests"]);
    assert_eq!(about.level, None);
}

#[test]
fn fields_can_be_mapped_to_those_of_ecs() {
    let text = "\
title: mapped
logsource: {category: process_creation, product: linux}
detection: {s: {CommandLine|contains: evil, other: 1}, condition: s}
";
    let options = Options { field_mapping: Some(sigma::ecs_field), ..Options::default() };
    let (rules, _) = Rules::load([("ecs.yml", text)], &options);
    let mut scratch = Scratch::default();
    let event = Json::parse(r#"{"process":{"command_line":"evil"},"other":1}"#).unwrap();
    assert_eq!(rules.matches(&event, None, &mut scratch), [0]);
}
