//! Figures of a report, counted again from the signals in another way; and what it tells holds no markup of others.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use event::Timestamp;
use finding::{Entity, EntityType, FindingKind, Level};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use report::{Coverage, Period, Report, Seen, SourceType, Tally, Voice};
use signal::{
    Entry, Happening, Label, Signal, SignalId, Standing, State,
    narrative::{Language, Reader},
};

/// What steers a terminal.
const ESCAPE: char = '\u{1b}';
const HOUR: i64 = 3_600_000_000_000;
const ORGANIZATIONS: [Option<&str>; 3] = [None, Some("north"), Some("south")];
const KINDS: [FindingKind; 3] =
    [FindingKind::SshBruteForce, FindingKind::WebScan, FindingKind::SudoersChanged];

/// An hour of the two weeks that are looked at, of which the report is about the second.
fn hour(hour: i64) -> Timestamp {
    Timestamp::saturating_from_nanos(i128::from(1_772_000_000_000_000_000 + hour * HOUR))
}

fn period() -> Period {
    Period { from: hour(168), to: hour(336) }
}

type Case = (Signal, Vec<Entry>);

fn entry(signal: &Signal, at: i64, what: Happening, by: Option<&str>) -> Entry {
    Entry {
        at: hour(at),
        what,
        state: signal.state,
        severity: signal.severity,
        count: signal.count,
        by: by.map(str::to_owned),
        note: None,
    }
}

prop_compose! {
    fn a_case()(
        id in any::<u128>(),
        (first, lasted) in (-100_i64..400, 0_i64..200),
        (level, state, kind, rule) in (0_usize..5, 0_usize..6, 0_usize..3, 0_u8..3),
        about in prop::collection::btree_set(0_u8..6, 1..4),
        organization in 0_usize..3,
        (hidden, label) in (prop::bool::weighted(0.2), prop::option::weighted(0.4, prop::bool::ANY)),
        (acknowledged, resolved) in (prop::option::of(0_i64..90), prop::option::of((0_i64..90, prop::bool::ANY))),
    ) -> Case {
        let entities = about.iter().map(|name| match name % 2 {
            0 => Entity::new(EntityType::SourceIp, format!("192.0.2.{name}")),
            _ => Entity::new(EntityType::Host, format!("web-{name}")),
        });
        let signal = Signal {
            id: SignalId(id), kind: KINDS[kind], severity: Level::ALL[level], confidence: 0.5, state: State::ALL[state],
            first: hour(first), last: hour(first + lasted), received: hour(first + lasted), count: 7,
            entities: entities.collect(), rule: format!("rule-{rule}"), techniques: vec![], facts: Default::default(),
            incident: None, organization: ORGANIZATIONS[organization].map(str::to_owned), evidence: vec![],
            standing: Standing {
                rank: f64::from(u8::try_from(id % 100).unwrap()), hidden,
                label: label.map(|expected| if expected { Label::Expected } else { Label::Real }),
                ..Standing::default()
            },
        };
        let mut history = vec![entry(&signal, first, Happening::New, None)];
        history.extend(acknowledged.map(|after| entry(&signal, first + after, Happening::Acknowledged, Some("ann"))));
        history.extend(resolved.map(|(after, by_hand)| {
            entry(&signal, first + after, Happening::Resolved, by_hand.then_some("bob"))
        }));
        history.extend(label.map(|_| entry(&signal, first + 95, Happening::Labelled, Some("ann"))));
        (signal, history)
    }
}

fn reader() -> Reader {
    Reader { zone: TimeZone::get("America/Sao_Paulo").unwrap(), ..Reader::default() }
}

fn made(cases: &[Case], organization: Option<&str>) -> Report {
    let mut tally = Tally::new(period(), organization.map(str::to_owned), reader());
    for (signal, history) in cases {
        tally.take(signal, history);
    }
    tally.report(Coverage::default(), hour(336), true)
}

fn is_in(signal: &Signal, from: i64, to: i64) -> bool {
    signal.first < hour(to) && signal.last >= hour(from)
}

/// The signals of the week, and of the one before, that are shown.
fn shown(cases: &[Case]) -> [Vec<&Case>; 2] {
    let of = |from, to| {
        cases.iter().filter(|(signal, _)| !signal.standing.hidden && is_in(signal, from, to)).collect()
    };
    [of(168, 336), of(0, 168)]
}

fn nearest_rank(mut hours: Vec<i64>, percent: usize) -> Option<u64> {
    hours.sort_unstable();
    let place = (hours.len() * percent).div_ceil(100).max(1) - 1;
    hours.get(place).map(|hours| u64::try_from(*hours * 3_600).unwrap())
}

fn by_hand(case: &Case, what: Happening) -> Option<i64> {
    let (signal, history) = case;
    let done = history.iter().find(|entry| entry.what == what && entry.by.is_some())?;
    Some((done.at.as_nanos() - signal.first.as_nanos()) / HOUR)
}

proptest! {
    #[test]
    fn every_figure_is_what_the_signals_say(cases in prop::collection::vec(a_case(), 0..60)) {
        let report = made(&cases, None);
        let [now, before] = shown(&cases);
        let count = |of: &[&Case], holds: &dyn Fn(&Signal) -> bool| of.iter().filter(|case| holds(&case.0)).count() as u64;
        let both = |holds: &dyn Fn(&Signal) -> bool| (count(&now, holds), count(&before, holds));
        let told = |counted: report::Counted| (counted.now, counted.before);

        prop_assert_eq!(told(report.signals.total), both(&|_| true));
        for one in &report.signals.by_severity {
            prop_assert_eq!(told(one.signals), both(&|signal| signal.severity == one.severity));
        }
        let began = (count(&now, &|signal| signal.first >= hour(168)), count(&before, &|signal| signal.first >= hour(0)));
        prop_assert_eq!(told(report.signals.began), began);
        prop_assert_eq!(report.signals.open, count(&now, &|signal| !["resolved", "acknowledged"].contains(&signal.state.as_str())));
        let in_bars: u64 = report.signals.over_time.began.iter().flatten().sum();
        prop_assert_eq!(in_bars, began.0);
        let hidden = cases.iter().filter(|(signal, _)| signal.standing.hidden);
        let hidden = hidden.fold((0, 0), |(now, before), (signal, _)| {
            (now + u64::from(is_in(signal, 168, 336)), before + u64::from(is_in(signal, 0, 168)))
        });
        prop_assert_eq!(told(report.signals.hidden), hidden);

        let kinds: BTreeMap<_, _> = report.kinds.iter().map(|of| (of.kind, told(of.signals))).collect();
        for kind in KINDS {
            let expected = both(&|signal| signal.kind == kind);
            prop_assert_eq!(kinds.get(&kind).copied().unwrap_or_default(), expected);
        }
        let names = |of: &[&Case]| -> BTreeSet<String> {
            of.iter().flat_map(|case| case.0.entities.iter().map(|entity| entity.value.clone())).collect()
        };
        prop_assert_eq!(report.entities_total, names(&now).len() as u64);
        prop_assert_eq!(report.entities_new, names(&now).difference(&names(&before)).count() as u64);
        for about in &report.entities {
            let is_about = |signal: &Signal| signal.entities.iter().any(|entity| entity.value == about.value);
            prop_assert_eq!(told(about.signals), both(&is_about));
        }

        for response in &report.response {
            let of: Vec<_> = now.iter().filter(|case| response.severity.is_none_or(|level| case.0.severity == level)).collect();
            let times = |what| of.iter().filter_map(|case| by_hand(case, what)).collect::<Vec<_>>();
            let acknowledged = times(Happening::Acknowledged);
            prop_assert_eq!((response.signals, response.acknowledged), (of.len() as u64, acknowledged.len() as u64));
            prop_assert_eq!(response.acknowledge_s.map(|of| of.median), nearest_rank(acknowledged.clone(), 50));
            prop_assert_eq!(response.acknowledge_s.map(|of| of.p90), nearest_rank(acknowledged, 90));
            let resolved = times(Happening::Resolved);
            prop_assert_eq!(response.resolve_s.map(|of| of.p90), nearest_rank(resolved, 90));
        }

        let unseen: Vec<_> = now.iter().filter(|case| case.1.iter().all(|entry| entry.by.is_none())).collect();
        prop_assert_eq!(report.unseen.total, unseen.len() as u64);
        let best = unseen.iter().map(|case| case.0.standing.rank).fold(None, |best: Option<f64>, rank| Some(best.map_or(rank, |best| best.max(rank))));
        prop_assert_eq!(report.unseen.signals.first().map(|signal| signal.rank), best);

        // Each organization by itself comes to what a report about it alone does.
        for of in report.organizations.iter().filter(|of| !of.organization.is_empty()) {
            let alone = made(&cases, Some(&of.organization));
            prop_assert_eq!((alone.signals.total, alone.signals.open, alone.unseen.total), (of.signals, of.open, of.unseen));
            prop_assert!(alone.organizations.is_empty());
        }
    }

    #[test]
    fn a_proposed_filter_hides_what_it_says_and_nothing_that_somebody_needed(cases in prop::collection::vec(a_case(), 0..60)) {
        for noise in made(&cases, None).noise {
            let of_rule = |signal: &Signal| signal.rule == noise.rule && signal.kind == noise.kind && is_in(signal, 168, 336);
            prop_assert_eq!(noise.signals, cases.iter().filter(|case| of_rule(&case.0)).count() as u64);
            prop_assert!(noise.expected + noise.unattended >= report::NOISE_MIN);
            let Some(proposed) = noise.proposed else { continue };
            let meant: Vec<_> = cases.iter().filter(|(signal, _)| is_in(signal, 168, 336) && proposed.matching.matches(signal)).collect();
            let hides = meant.iter().filter(|case| !case.0.standing.hidden).count() as u64;
            prop_assert_eq!(proposed.hides, hides);
            prop_assert!(hides > 0);
            for (signal, history) in meant {
                let is_expected = signal.standing.label == Some(Label::Expected);
                let is_over_unseen = signal.state == State::Resolved && history.iter().all(|entry| entry.by.is_none());
                prop_assert!(is_expected || is_over_unseen && signal.severity < Level::High, "{:?}", signal);
            }
        }
    }

    #[test]
    fn text_of_others_is_no_markup(value in ".{1,40}", cases in prop::collection::vec(a_case(), 1..4)) {
        let hostile = format!("<script>alert(1)</script><img src=x onerror=y>\u{1b}[2J | `x` {value}");
        let mut cases = cases;
        for (signal, _) in &mut cases {
            (signal.first, signal.last) = (hour(200), hour(210));
            signal.organization = Some(hostile.clone());
            signal.rule.clone_from(&hostile);
            signal.entities = vec![Entity::new(EntityType::SourceIp, hostile.clone())];
        }
        let mut tally = Tally::new(period(), None, reader());
        for (signal, history) in &cases {
            tally.take(signal, history);
        }
        let seen = Seen { r#type: SourceType::File, name: hostile.clone(), events: 3 };
        let coverage = Coverage::of(vec![seen.clone()], vec![seen.clone()], vec![seen], Some(hostile));
        let report = tally.report(coverage, hour(336), false);
        for language in [Language::English, Language::Portuguese] {
            let voice = Voice { language, zone: TimeZone::UTC };
            let page = report::html(&report, &voice);
            prop_assert!(!page.contains("<script") && !page.contains("<img") && !page.contains(ESCAPE));
            prop_assert!(!page.contains("http") || page.contains("http-equiv"));
            let text = report::markdown(&report, &voice);
            prop_assert!(!text.contains(ESCAPE));
            // Outside of code spans nothing of it stands.
            let outside: String = text.split('\n').map(outside_code).collect();
            prop_assert!(!outside.contains("<script"), "{}", text);
        }
    }
}

/// What of a line of Markdown is in no code span.
fn outside_code(line: &str) -> String {
    let (mut outside, mut rest) = (String::new(), line);
    while let Some(at) = rest.find('`') {
        outside.push_str(&rest[..at]);
        let fence = rest[at..].len() - rest[at..].trim_start_matches('`').len();
        let inside = &rest[at + fence..];
        // The span ends at the next run of exactly as many backticks.
        let mut from = 0;
        let end = loop {
            let Some(next) = inside[from..].find('`') else { break None };
            let run = inside[from + next..].len() - inside[from + next..].trim_start_matches('`').len();
            if run == fence {
                break Some(from + next + run);
            }
            from += next + run;
        };
        match end {
            Some(end) => rest = &inside[end..],
            None => {
                outside.push_str(&rest[at..]);
                return outside;
            }
        }
    }
    outside + rest
}

#[test]
fn a_quiet_week_is_told_as_one() {
    let report = made(&[], None);
    for (language, expected) in [
        (Language::English, "No signals, and none the period before."),
        (Language::Portuguese, "Nenhum sinal, e nenhum no período anterior."),
    ] {
        let voice = Voice { language, zone: TimeZone::UTC };
        assert!(report::html(&report, &voice).contains(expected));
        assert!(report::markdown(&report, &voice).contains(expected));
    }
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["signals"]["total"], serde_json::json!({"now": 0, "before": 0}));
    assert_eq!(json["signals"]["by_severity"][0]["severity"], "critical");
}
