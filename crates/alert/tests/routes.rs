//! Files of routes: what is wrong with them is named by line, and alerts go where they say.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use alert::{
    Occasion, Routes, Telling, Words,
    channel::{ChannelConfig, ChannelKind, Format, Stream, StreamConfig},
};
use event::Timestamp;
use finding::{Entity, EntityType, Facts, FindingKind, Level};
use signal::{Signal, SignalId, Standing, State};

/// Channels as the environment sets them up.
fn channels(names: &[&str]) -> Vec<ChannelConfig> {
    let kind = || ChannelKind::Stream(StreamConfig { stream: Stream::Stderr, format: Format::Plain });
    names.iter().map(|name| ChannelConfig::new(*name, kind())).collect()
}

fn read(yaml: &str) -> Routes {
    Routes::read(yaml, channels(&["email", "telegram"])).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// A brute force of high severity, from 203.0.113.9 for root on web-1, of acme.
fn telling() -> Telling {
    let noon = at("2024-05-01T12:00:00Z");
    let alert: alert::AlertId = "000000000000000000000000000000ff".parse().unwrap();
    let entity = |of, value| Entity::new(of, value);
    Telling {
        alert,
        revision: 1,
        occasion: Occasion::Raised,
        severity: Level::High,
        kind: "ssh_brute_force".to_owned(),
        words: Words { title: "Logins fail".to_owned(), ..Words::default() },
        entities: vec![
            entity(EntityType::SourceIp, "203.0.113.9"),
            entity(EntityType::User, "root"),
            entity(EntityType::Host, "web-1"),
            entity(EntityType::Service, "sshd"),
        ],
        organization: Some("acme".to_owned()),
        count: 5,
        first: noon,
        last: noon,
        recorded: noon,
        samples: vec![],
        signal: None,
        pages: None,
    }
}

/// Where it goes, and when.
fn goes(yaml: &str, alert: &Telling, now: &str) -> Vec<String> {
    let planned = read(yaml).decide(alert, at(now)).planned;
    planned.iter().map(|planned| format!("{} {}", planned.channel, planned.due)).collect()
}

const NOON: &str = "2024-05-01T12:00:00Z";

#[test]
fn without_a_file_everything_of_medium_and_above_goes_everywhere() {
    let routes = Routes::everything(channels(&["telegram", "email"]));
    for level in Level::ALL {
        let planned = routes.decide(&Telling { severity: *level, ..telling() }, at(NOON)).planned;
        let names: Vec<_> = planned.iter().map(|planned| planned.channel.as_str()).collect();
        let expected: &[_] = if *level >= Level::Medium { &["email", "telegram"] } else { &[] };
        assert_eq!(names, expected, "{level:?}");
        assert!(planned.iter().all(|planned| planned.due == at(NOON) && planned.group.is_none()));
    }
    let nobody = Routes::everything(vec![]).decide(&telling(), at(NOON));
    assert_eq!((nobody.planned.len(), nobody.reasons.last().unwrap().as_str()), (0, "no channel is set up"));
}

/// The same, as a rule found it.
fn found_by(rule: &str) -> Telling {
    let told = telling();
    let signal = Signal {
        id: SignalId(1),
        kind: FindingKind::Sigma,
        severity: told.severity,
        confidence: 0.9,
        state: State::New,
        first: told.first,
        last: told.last,
        received: told.last,
        count: told.count,
        entities: told.entities.clone(),
        rule: rule.to_owned(),
        techniques: vec![],
        facts: Facts::new(),
        incident: None,
        organization: None,
        evidence: vec![],
        standing: Standing::default(),
    };
    Telling { signal: Some(signal), ..told }
}

#[test]
fn the_rule_that_found_it_decides() {
    let yaml = "routes:\n- match: {rule: 7b7a3f0e-*}\n  to: email\n";
    assert_eq!(goes(yaml, &found_by("7b7a3f0e-2a55-4c5e-9a44-1a2b3c4d5e6f"), NOON).len(), 1);
    assert!(goes(yaml, &found_by("0e7a3f0e-2a55-4c5e-9a44-1a2b3c4d5e6f"), NOON).is_empty());
    assert!(goes(yaml, &telling(), NOON).is_empty(), "no rule found it");
}

#[test]
fn every_condition_decides() {
    for (condition, expected) in [
        ("{}", true),
        ("severity: high", true),
        ("severity: medium+", true),
        ("severity: [low, medium]", false),
        ("kind: [web_scan, ssh_brute_force]", true),
        ("kind: web_scan", false),
        ("rule: ssh_brute_force", false),
        ("source: SSH*", true),
        ("source: nginx", false),
        ("entity: 203.0.113.*", true),
        ("entity: 'source.ip:203.0.113.9'", true),
        ("entity: 'host:203.0.113.9'", false),
        ("entity: [nobody, 'user:ro*']", true),
        ("organization: acme", true),
        ("organization: other", false),
        ("time: {from: '11:00', to: '13:00'}", true),
        ("time: {from: '13:00', to: '11:00'}", false),
        ("time: {from: '13:00', to: '14:30', zone: Europe/Lisbon}", true),
        ("time: [{days: [tue]}, {days: [wed, thursday]}]", true),
        ("time: {days: [mon, tue]}", false),
        ("{severity: high, organization: other}", false),
    ] {
        let condition =
            if condition.starts_with('{') { condition.to_owned() } else { format!("{{{condition}}}") };
        let yaml = format!("routes:\n- match: {condition}\n  to: email\n");
        assert_eq!(!goes(&yaml, &telling(), NOON).is_empty(), expected, "{condition}");
    }
}

#[test]
fn the_first_route_that_suits_decides_unless_it_lets_others_have_a_say() {
    let yaml = |goes_on: bool| {
        format!(
            "routes:\n- to: email\n  match: {{severity: high}}\n  continue: {goes_on}\n- to: ['*']\n  digest: {{every: 1h}}\n"
        )
    };
    assert_eq!(goes(&yaml(false), &telling(), NOON), [format!("email {}", at(NOON))]);
    let hour = at("2024-05-01T13:00:00Z");
    assert_eq!(
        goes(&yaml(true), &telling(), NOON),
        [format!("email {}", at(NOON)), format!("telegram {hour}")]
    );
    let low = Telling { severity: Level::Low, ..telling() };
    assert_eq!(goes(&yaml(false), &low, NOON), [format!("email {hour}"), format!("telegram {hour}")]);
}

#[test]
fn alerts_wait_for_hours_digests_and_groups() {
    for (how, now, due) in [
        ("quiet: {from: '22:00', to: '07:00'}", "2024-05-01T23:30:00Z", "2024-05-02T07:00:00Z"),
        ("quiet: {from: '22:00', to: '07:00'}", "2024-05-02T06:59:59Z", "2024-05-02T07:00:00Z"),
        ("quiet: {from: '22:00', to: '07:00'}", "2024-05-02T07:00:00Z", "2024-05-02T07:00:00Z"),
        (
            "quiet: {from: '22:00', to: '07:00', zone: America/Sao_Paulo}",
            "2024-05-02T03:00:00Z",
            "2024-05-02T10:00:00Z",
        ),
        // Saturday's hours go on until Sunday's morning, and Sunday has none of its own.
        ("quiet: {from: '22:00', to: '07:00', days: sat}", "2024-05-05T03:00:00Z", "2024-05-05T07:00:00Z"),
        ("quiet: {from: '22:00', to: '07:00', days: sat}", "2024-05-05T23:00:00Z", "2024-05-05T23:00:00Z"),
        // The night in which clocks go forward at one.
        (
            "quiet: {from: '22:00', to: '01:30', zone: Europe/Lisbon}",
            "2024-03-31T00:30:00Z",
            "2024-03-31T01:30:00Z",
        ),
        ("digest: {at: '08:00'}", "2024-05-01T07:59:59Z", "2024-05-01T08:00:00Z"),
        ("digest: {at: '08:00'}", "2024-05-01T08:00:00Z", "2024-05-02T08:00:00Z"),
        ("digest: {at: '08:00', zone: Europe/Lisbon}", "2024-05-01T07:30:00Z", "2024-05-02T07:00:00Z"),
        ("digest: {every: 15m}", "2024-05-01T12:01:00Z", "2024-05-01T12:15:00Z"),
        ("group: {by: [host], window: 45s}", NOON, "2024-05-01T12:00:45Z"),
        ("group: {}", NOON, "2024-05-01T12:00:30Z"),
    ] {
        let medium = Telling { severity: Level::Medium, ..telling() };
        let yaml = format!("routes:\n- to: email\n  {how}\n");
        assert_eq!(goes(&yaml, &medium, now), [format!("email {}", at(due))], "{how} at {now}");
    }
    let quiet = "routes:\n- to: email\n  quiet: {from: '22:00', to: '07:00'}\n";
    let night = "2024-05-01T23:30:00Z";
    assert_eq!(goes(quiet, &telling(), night), [format!("email {}", at(night))], "grave ones pass");
    let except = "routes:\n- to: email\n  quiet: {from: '22:00', to: '07:00', except: critical}\n";
    assert_eq!(goes(except, &telling(), night), [format!("email {}", at("2024-05-02T07:00:00Z"))]);
}

#[test]
fn what_is_alike_has_one_group() {
    let routes = read("routes:\n- to: email\n  group: {by: [host, kind], window: 30s}\n");
    let group = |alert: &Telling| routes.decide(alert, at(NOON)).planned[0].group.clone().unwrap();
    let mut other = telling();
    other.entities[1].value = "admin".to_owned();
    assert_eq!(group(&telling()), group(&other));
    other.entities[2].value = "web-2".to_owned();
    assert_ne!(group(&telling()), group(&other));
}

#[test]
fn a_silence_has_a_reason_and_an_end() {
    let yaml =
        "silences:\n- match: {entity: 'host:web-*'}\n  until: 2024-05-01T13:00:00Z\n  reason: new disks\n";
    let decision = read(yaml).decide(&telling(), at(NOON));
    assert_eq!(
        (decision.planned.len(), decision.reasons),
        (0, vec!["silenced until 2024-05-01T13:00:00Z: new disks".to_owned()])
    );
    assert_eq!(goes(yaml, &telling(), "2024-05-01T13:00:00Z").len(), 2);
    let reasons =
        read("routes:\n- to: email\n  match: {kind: web_scan}\n").decide(&telling(), at(NOON)).reasons;
    assert_eq!(reasons, ["route 'routes[0]' is not for it: kind", "no route leads it to anybody"]);
}

#[test]
fn channels_of_every_type_are_read() {
    let routes = read(
        "channels:
  email: {rate: 5/10m, fallback: pager, timeout: 3s}
  pager: {type: telegram, bot_token: '1:a', chat_id: -100}
  hook: {type: webhook, url: 'http://127.0.0.1/', secret_file: /run/s, template: '{{ title }}', headers: {a: b}}
  chat: {type: discord, webhook_url: 'http://127.0.0.1/'}
  team: {type: slack, webhook_url_file: /run/s, rate: none}
  mail: {type: email, from: a@b.c, to: [d@e.f], server: mx, port: 25, encryption: none}
  log: {type: syslog, server: loghost, transport: tls, format: cef, facility: 4}
  file: {type: file, path: /var/log/alerts, format: plain, bytes_max: 1000, keep: 1}
  out: {type: stdout, format: json}
  err: {type: stderr}
  above: {type: log_sentinel, url: 'https://above', api_key: k}
routes:
- to: '*'
",
    );
    assert_eq!(routes.channels().count(), 12);
    assert_eq!(routes.decide(&telling(), at(NOON)).planned.len(), 12);
    let email = routes.channel("email").unwrap();
    assert_eq!((email.rate.unwrap().messages, email.fallback.as_deref()), (5, Some("pager")));
    assert_eq!(routes.channel("pager").unwrap().rate, Some(ChannelConfig::RATE));
    assert_eq!(routes.channel("team").unwrap().rate, None);
    assert!(
        matches!(&routes.channel("log").unwrap().kind, ChannelKind::Syslog(config) if config.port == 6514)
    );
}

#[test]
fn what_is_wrong_is_named_by_line_and_place_with_what_would_be_right() {
    for (yaml, expected) in [
        ("rotues: []", "line 1, rotues: no such key is known here; did you mean 'routes'?"),
        (
            "routes:\n- to: emial\n",
            "line 2, routes[0].to: no channel is called 'emial' (there are email, telegram); did you mean 'email'?",
        ),
        ("routes:\n- match: {}\n", "line 2, routes[0].to: it leads nowhere; name channels, or '*' for all"),
        (
            "routes:\n- to: email\n  match:\n    severty: high\n",
            "line 4, routes[0].match.severty: no such key is known here; did you mean 'severity'?",
        ),
        (
            "routes:\n- to: email\n  match:\n    severity:\n    - hihg\n",
            "line 5, routes[0].match.severity: 'hihg' is no severity (info, low, medium, high, critical); did you mean 'high'?",
        ),
        (
            "routes:\n- to: email\n  match: {kind: ssh_brute}\n",
            "line 3, routes[0].match.kind: 'ssh_brute' is no kind of signal",
        ),
        (
            "routes:\n- to: email\n  match: {time: {from: '25:00'}}\n",
            "line 3, routes[0].match.time[0].from: '25:00' is no time of day",
        ),
        (
            "routes:\n- to: email\n  match: {time: {zone: Europe/Lisboa}}\n",
            "line 3, routes[0].match.time[0].zone: 'Europe/Lisboa' is no time zone",
        ),
        (
            "routes:\n- to: email\n  match: {time: {days: [munday]}}\n",
            "'munday' is no day of the week; did you mean 'monday'?",
        ),
        (
            "routes:\n- to: email\n  repeat: 1 hour\n",
            "line 3, routes[0].repeat: '1 hour' is no duration; write 30s, 10m, 1h or 2d",
        ),
        (
            "routes:\n- to: email\n  repeat: 1s\n",
            "line 3, routes[0].repeat: alerts are repeated every minute at most",
        ),
        (
            "routes:\n- to: email\n  escalate: {to: pager}\n",
            "line 3, routes[0].escalate.after: it is missing",
        ),
        (
            "routes:\n- to: email\n  escalate: {after: 5m, to: pager}\n",
            "line 3, routes[0].escalate.to: no channel is called 'pager'",
        ),
        ("routes:\n- to: email\n  group: {by: hots}\n", "line 3, routes[0].group.by: 'hots' is none of"),
        ("routes:\n- to: email\n  digest: {}\n", "line 3, routes[0].digest: give either `at`"),
        (
            "routes:\n- to: email\n- to: telegram\n",
            "line 3, routes[1]: nothing ever comes here: route 'routes[0]' before it",
        ),
        (
            "routes:\n- {name: a, to: email, continue: true}\n- {name: a, to: email}\n",
            "line 3, routes[1].name: another route is called 'a'",
        ),
        (
            "routes:\n- to: email\n  to: telegram\n",
            "line 3, routes[0].to: it stands here for the second time",
        ),
        ("routes: x\n", "line 1, routes[0]: a map (key: value) belongs here"),
        ("channels:\n  p:\n    type: pager\n", "line 3, channels.p.type: 'pager' is no type of channel"),
        (
            "channels:\n  p:\n    type: telegram\n    chat_id: 1\n",
            "channels.p.bot_token: it is missing; give it, or bot_token_file",
        ),
        (
            "channels:\n  p: {type: slack, webhook_url: a, webhook_url_file: b}\n",
            "line 2, channels.p.webhook_url: it stands beside webhook_url_file",
        ),
        (
            "channels:\n  email:\n    type: stdout\n",
            "line 3, channels.email.type: there is a channel of this name already",
        ),
        ("channels:\n  P:\n    type: stdout\n", "channels.P: a channel's name is 1 to 32 characters"),
        (
            "channels:\n  h:\n    type: webhook\n    url: http://a\n    template: '{{ titel }}'\n",
            "line 5, channels.h.template: the template is wrong in line 1: undefined value",
        ),
        (
            "channels:\n  email:\n    fallback: email\n",
            "line 3, channels.email.fallback: no channel is called 'email' (there are telegram)",
        ),
        ("channels:\n  email:\n    rate: 0/1h\n", "line 3, channels.email.rate: '0/1h' is no rate"),
        (
            "silences:\n- match: {kind: web_scan}\n  reason: x\n",
            "line 2, silences[0].until: a silence must end",
        ),
        (
            "silences:\n- until: 2024-05-01T12:00:00Z\n  reason: x\n",
            "line 2, silences[0].match: it must say which alerts",
        ),
        ("inhibit:\n- when: {kind: agent_silent}\n", "line 2, inhibit[0].silences: it must say which alerts"),
        ("routes: [\n", "this is no YAML"),
        ("a: &a 1\nb: *a\n", "line 2, the file: aliases (*name) are not read"),
        ("a: 1\n---\nb: 1\n", "a second document begins here"),
        (
            &format!(
                "channels:\n{}",
                (0..99).map(|at| format!("  c{at}: {{type: stdout}}\n")).collect::<String>()
            ),
            "line 2, channels: there are 101, and 100 are the most",
        ),
        (&"[".repeat(100), "more than 16 levels stand within each other"),
    ] {
        let problems = Routes::read(yaml, channels(&["email", "telegram"])).unwrap_err();
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|told| told.contains(expected)), "{yaml}\n{told:?}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once_and_in_order() {
    let problems = Routes::read("routes:\n- {to: a}\n- {to: b}\nx: 1\n", channels(&["email"])).unwrap_err();
    assert_eq!(problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [2, 3, 3, 4]);
}

#[test]
fn what_the_page_shows_is_read() {
    let page = include_str!("../../../docs/alerts.md");
    let blocks = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    assert_eq!(blocks.map(|block| read(block).channels().count()).collect::<Vec<_>>(), [5, 3]);
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_it(text in "[a-z:{}\\[\\],'\"\n &*#|>-]{0,80}", cut in 0_usize..400) {
        let whole = "channels:\n  h: {type: webhook, url: x}\nroutes:\n- to: ['*']\n  match: {time: {from: '22:00'}}\n";
        let start = whole.get(..cut).unwrap_or(whole);
        // What it says does not matter, only that it says something.
        let _read = Routes::read(&format!("{start}{text}"), channels(&["email"]));
        let _alone = Routes::read(&text, vec![]);
    }
}
