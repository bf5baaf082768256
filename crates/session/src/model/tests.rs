//! Made-up sessions whose right verdict is known by construction.

use disk::sealed::{Reader, SealedError, Writer, seal};
use proptest::prelude::*;

use super::*;

/// Sessions written as letters, each with how many there are of it.
fn sessions(of: &[(&str, usize)]) -> Vec<Vec<EventKey>> {
    of.iter().flat_map(|(events, times)| std::iter::repeat_n(session(events), *times)).collect()
}

fn session(events: &str) -> Vec<EventKey> {
    events.bytes().map(|letter| EventKey(letter.into())).collect()
}

fn trained(sessions: &[Vec<EventKey>], config: &Config) -> Model {
    Model::train(sessions.iter().map(Vec::as_slice), config)
}

fn model(of: &[(&str, usize)]) -> Model {
    trained(&sessions(of), &Config::default())
}

fn words(model: &Model, events: &str) -> Vec<String> {
    let name = |key: EventKey| char::from(key.0 as u8).to_string();
    model.score(&session(events)).reasons.iter().map(|reason| reason.words(&name)).collect()
}

#[track_caller]
fn check(model: &Model, normal: &[&str], strange: &[&str]) {
    for events in normal {
        assert!(!model.score(&session(events)).is_anomaly, "{events}: {:?}", words(model, events));
    }
    for events in strange {
        assert!(model.score(&session(events)).is_anomaly, "{events} is strange");
    }
}

/// Opens and closes up to twenty times, and now and then a check in between.
fn balanced() -> Vec<Vec<EventKey>> {
    (0..1_000)
        .map(|at| {
            let times = 1 + at * 7 % 20;
            let checks = at * 3 % 5;
            session(&format!("S{}{}{}E", "o".repeat(times), "k".repeat(checks), "c".repeat(times)))
        })
        .collect()
}

#[test]
fn a_broken_equality_is_told_with_its_counts() {
    let model = trained(&balanced(), &Config::default());
    check(&model, &["SooccE", "SooookkccccE"], &["SooocckE", "Sooooooooookccccccccc"]);
    let parts = Parts { relations: false, ..Parts::default() };
    let without = trained(&balanced(), &Config { parts, ..Config::default() });
    check(&without, &["SoooccccE"], &[]);
    check(&model, &[], &["SoooccccE"]);
    let words = words(&model, "SooockcE");
    assert_eq!(words[0], "c occurs twice where it always equals o (3) (1000 of 1000 normal sessions)");
}

#[test]
fn a_broken_sum_is_told_with_its_counts() {
    let all: Vec<_> = (0..1_000)
        .map(|at| {
            let (read, written) = (1 + at % 7, 1 + at / 7 % 5);
            session(&"r".repeat(read))
                .into_iter()
                .chain(session(&"w".repeat(written)))
                .chain(session(&"q".repeat(read + written)))
                .collect()
        })
        .collect();
    let model = trained(&all, &Config::default());
    assert_eq!(
        words(&model, "rrwwwqqqq")[0],
        "q occurs 4 times where it always equals r and w together (2 + 3) (1000 of 1000 normal sessions)"
    );
}

#[test]
fn an_event_without_its_condition_and_a_count_off_its_constant() {
    let model = model(&[("abbbc", 500), ("abbbcxxy", 100), ("abbbcxy", 100), ("abbbcxxxyy", 100)]);
    check(&model, &["abbbcxxy"], &["abbbcxx", "abbc", "abbbbc", "abbb"]);
    assert_eq!(words(&model, "abbbcxx")[0], "x occurs twice without y (300 of 300 normal sessions)");
    assert_eq!(
        words(&model, "abbc")[0],
        "b occurs twice where it always occurs 3 times (800 of 800 normal sessions)"
    );
}

#[test]
fn an_unseen_event_and_the_nearest_normal_session_are_told() {
    let model = model(&[("abbc", 300), ("abbbc", 300)]);
    assert_eq!(
        words(&model, "abbczz"),
        [
            "z occurs twice; none of 600 normal sessions has it",
            "counts are 8.0 from the nearest normal ones (300 sessions, up to 2.0 is ordinary): \
             z twice instead of 0",
        ]
    );
}

#[test]
fn anomalies_hidden_in_the_training_data_are_found_all_the_same() {
    let normal = [("abbcd", 600), ("abbbcd", 300), ("abcd", 100)];
    let hidden = [("a", 10), ("abbcdx", 8), ("abbbcdy", 5), ("abcdzz", 3), ("abb", 2)];
    let model = model(&[normal.as_slice(), &hidden].concat());
    assert_eq!(model.cleaning().broken, 28);
    assert_eq!(model.cleaning().taken_back, 0);
    check(&model, &["abbcd", "abbbcd", "abcd"], &["a", "abbcdx", "abcdx", "abbbcdy", "abcdzz", "abb"]);
    let trusting = Config { parts: Parts { cleaning: false, ..Parts::default() }, ..Config::default() };
    let trusting = trained(&sessions(&[normal.as_slice(), &hidden].concat()), &trusting);
    assert!(!trusting.score(&session("abbcdx")).is_anomaly, "the test shows what cleaning adds");
}

#[test]
fn the_only_other_way_of_working_is_normal() {
    let model = model(&[("abbcd", 600), ("abbbcd", 400), ("abbcdx", 6)]);
    assert_eq!(model.cleaning().taken_back, 6);
    check(&model, &["abbcd", "abbcdx"], &["abbcdy", "abbc"]);
}

#[test]
fn steps_that_belong_together_are_a_way_of_working() {
    let hidden = [("a", 9), ("abbcdx", 9), ("abbbcdy", 9)];
    let normal = [("abbcd", 900), ("abbbcd", 600), ("abbcpqrrd", 12), ("abbcpqrrdx", 1)];
    let model = model(&[normal.as_slice(), &hidden].concat());
    assert_eq!(model.cleaning().taken_back, 12);
    check(&model, &["abbcd", "abbcpqrrd"], &["a", "abbcdx", "abbbcdy", "abbcpqrrdx", "abbcpqd"]);
}

#[test]
fn a_count_that_varies_may_vary_a_little_more() {
    let of: Vec<(String, usize)> = (5..40).map(|count| (format!("a{}b", "x".repeat(count)), 10)).collect();
    let of: Vec<(&str, usize)> = of.iter().map(|(events, times)| (events.as_str(), *times)).collect();
    let model = model(&of);
    let with = |count: usize| format!("a{}b", "x".repeat(count));
    check(&model, &[&with(42), &with(4)], &[&with(200)]);
}

#[test]
fn orders_that_all_sessions_keep() {
    let model = model(&[("abcdef", 400), ("abcdeef", 200), ("aabcdef", 200)]);
    check(&model, &["abcdef", "aabcdeef"], &["fedcba", "defabc", "acbdef"]);
    assert!(
        model
            .score(&session("defabc"))
            .reasons
            .iter()
            .all(|it| matches!(it, Reason::Order { .. } | Reason::Transition { .. }))
    );
    let words = words(&model, "defabc");
    assert_eq!(words[0], "a always comes before any d in all of 800 normal sessions, not here");
}

#[test]
fn work_on_several_things_at_once_has_no_order() {
    let events = ["a", "b", "c", "d", "e", "f"];
    let shuffled = |seed: usize| {
        let mut left = events.to_vec();
        let mut seed = seed * 7_919 + 13;
        let mut out = String::new();
        while !left.is_empty() {
            seed = seed * 1_103_515_245 % 2_147_483_647 + 12_345;
            out.push_str(left.remove(seed / 64 % left.len()));
        }
        out
    };
    let of: Vec<String> = (0..500).map(shuffled).collect();
    let of: Vec<(&str, usize)> = of.iter().map(|events| (events.as_str(), 1)).collect();
    check(&model(&of), &["abcdef", "fedcba", "cafebd"], &["abcde", "abcdeff"]);
}

/// Minutes of a chatty service: every count varies, and no two sessions are equal.
fn chatty(seed: u64) -> Vec<EventKey> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 40
    };
    let count =
        |event: u64, random: u64| std::iter::repeat_n(EventKey(event), (random % (3 + 60 / event)) as usize);
    (1..30).flat_map(|event| count(event, random()).collect::<Vec<_>>()).collect()
}

#[test]
fn sessions_that_all_differ_are_no_anomalies_for_that() {
    let all: Vec<_> = (0..600).map(chatty).collect();
    let model = trained(&all, &Config::default());
    let flagged = (600..1_600).filter(|seed| model.score(&chatty(*seed)).is_anomaly).count();
    assert!(flagged <= 20, "{flagged} of 1000 ordinary sessions are flagged");
    let with = |more: &[EventKey]| [chatty(700).as_slice(), more].concat();
    assert!(!model.score(&with(&[])).is_anomaly);
    assert!(model.score(&with(&[EventKey(99)])).is_anomaly, "an event that no session has");
    assert!(model.score(&with(&[EventKey(3); 400])).is_anomaly, "a burst");
    assert!(model.score(&with(&[])[..3]).is_anomaly, "hardly anything");
}

#[test]
fn what_cannot_be_learned_from_is_no_anomaly() {
    let none = model(&[]);
    assert_eq!(none.needed(), SESSIONS_MIN);
    check(&none, &["", "abc"], &[]);
    check(&model(&[("ab", SESSIONS_MIN as usize - 1)]), &["", "x"], &[]);
    let same = model(&[("ab", 1_000)]);
    check(&same, &["", "ab"], &["x", "abb", "a"]);
    let different: Vec<Vec<EventKey>> = (0..500).map(|at| vec![EventKey(at)]).collect();
    let model = trained(&different, &Config::default());
    assert!(model.score(&[EventKey(3)]).score < 0.1, "every session is one of a kind");
}

#[test]
fn a_long_session_is_judged() {
    let model = model(&[("ab", 1_000)]);
    let verdict = model.score(&session(&"ab".repeat(500_000)));
    assert!(verdict.is_anomaly && verdict.score == 1.0);
    let unseen: Vec<EventKey> = (1_000..2_000).map(EventKey).collect();
    assert!(model.score(&unseen).is_anomaly);
}

#[test]
fn bounds_hold_and_what_lies_beyond_counts_as_one() {
    let config = Config { events_max: 3, vectors_max: 2, order_events_max: 40, ..Config::default() };
    let model = trained(&sessions(&[("abc", 500), ("abcc", 300), ("abcd", 200), ("abce", 5)]), &config);
    assert_eq!(model.keys.len(), 4);
    assert!(model.normals.len() <= 2);
    let verdict = model.score(&session("abcz"));
    assert!(verdict.reasons.iter().all(|reason| !matches!(reason, Reason::Unseen { .. })));
}

#[test]
fn the_p_value_is_the_share_of_ordinary_sessions() {
    let of: Vec<(String, usize)> = (5..205).map(|count| (format!("a{}b", "x".repeat(count)), 1)).collect();
    let of: Vec<(&str, usize)> = of.iter().map(|(events, times)| (events.as_str(), *times)).collect();
    let all = sessions(&of);
    let (train, test): (Vec<_>, Vec<_>) = all.into_iter().enumerate().partition(|(at, _)| at % 2 == 0);
    let train: Vec<_> = train.into_iter().map(|(_, session)| session).collect();
    let model = trained(&train, &Config::default());
    for limit in [0.05, 0.2] {
        let below = test.iter().filter(|(_, session)| model.score(session).p_value <= limit).count();
        let share = below as f64 / test.len() as f64;
        assert!(share <= 2.0 * limit + 0.02, "{share} of ordinary sessions have p <= {limit}");
    }
}

fn any_sessions() -> impl Strategy<Value = Vec<Vec<EventKey>>> {
    let any_session = prop::collection::vec((0..12_u64).prop_map(EventKey), 0..12);
    prop::collection::vec(any_session, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn scores_are_in_range_and_agree_with_the_threshold(train in any_sessions(), test in any_sessions()) {
        let model = trained(&train, &Config::default());
        for session in &test {
            let verdict = model.score(session);
            prop_assert!((0.0..=1.0).contains(&verdict.score) && (0.0..=1.0).contains(&verdict.p_value));
            prop_assert_eq!(verdict.is_anomaly, !verdict.reasons.is_empty());
            let past = verdict.score.total_cmp(&model.threshold());
            prop_assert!(past.is_eq() || past.is_gt() == verdict.is_anomaly);
        }
    }

    #[test]
    fn the_order_of_the_training_sessions_changes_nothing(
        (train, shuffled) in any_sessions().prop_flat_map(|train| (Just(train.clone()), Just(train).prop_shuffle())),
        test in any_sessions(),
    ) {
        let config = Config { order_events_max: 100, ..Config::default() };
        let (one, other) = (trained(&train, &config), trained(&shuffled, &config));
        for session in &test {
            prop_assert_eq!(one.score(session), other.score(session));
        }
    }

    #[test]
    fn the_names_of_the_events_change_no_verdict(train in any_sessions(), test in any_sessions()) {
        let renamed = |sessions: &[Vec<EventKey>]| -> Vec<Vec<EventKey>> {
            let rename = |key: &EventKey| EventKey(u64::MAX - 7 - key.0 * 1_000_003);
            sessions.iter().map(|session| session.iter().map(rename).collect()).collect()
        };
        let one = trained(&train, &Config::default());
        let other = trained(&renamed(&train), &Config::default());
        for (session, renamed) in test.iter().zip(renamed(&test)) {
            let (one, other) = (one.score(session), other.score(&renamed));
            prop_assert_eq!(one.is_anomaly, other.is_anomaly);
            prop_assert!((one.score - other.score).abs() < 1e-4, "{} {}", one.score, other.score);
        }
    }
}

const MAGIC: &[u8; 8] = b"SESSIONS";

fn sealed(model: &Model) -> Vec<u8> {
    let mut out = Writer::sealed(MAGIC, 1);
    model.write(&mut out);
    out.seal()
}

fn unsealed(bytes: &[u8]) -> Result<Model, SealedError> {
    let mut input = Reader::sealed(bytes, MAGIC, 1, "the sessions")?;
    let model = Model::read(&mut input)?;
    input.end()?;
    Ok(model)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn saved_and_loaded_a_model_is_the_same(train in any_sessions(), test in any_sessions()) {
        let train: Vec<_> = train.into_iter().cycle().take(150).collect();
        let model = trained(&train, &Config::default());
        let bytes = sealed(&model);
        let read = unsealed(&bytes).unwrap();
        prop_assert_eq!(sealed(&read), bytes);
        for session in test.iter().chain(&train) {
            prop_assert_eq!(read.score(session), model.score(session));
            prop_assert_eq!(read.nearest_normal(session), model.nearest_normal(session));
            let mut grown = [Grown::default(); 2];
            for (at, key) in session.iter().enumerate() {
                let before = session[..at].iter().filter(|other| *other == key).count() as u32;
                for (grown, model) in grown.iter_mut().zip([&model, &read]) {
                    model.grow(grown, *key, before, || &session[..=at]);
                }
                prop_assert_eq!(model.closes(*key), read.closes(*key));
            }
            prop_assert_eq!(grown[0], grown[1]);
        }
    }

    #[test]
    fn what_a_session_has_against_it_while_open_only_grows_and_is_within_the_verdict_on_the_whole(
        train in any_sessions(),
        test in any_sessions(),
    ) {
        let train: Vec<_> = train.into_iter().cycle().take(150).collect();
        // Of orders that holds only as far as no more can be judged than in any session learned from.
        for order in [true, false] {
            let config = Config { parts: Parts { order, ..Parts::default() }, ..Config::default() };
            let model = trained(&train, &config);
            for session in &test {
                let (mut grown, mut last) = (Grown::default(), 0.0);
                for (at, key) in session.iter().enumerate() {
                    let before = session[..at].iter().filter(|other| *other == key).count() as u32;
                    model.grow(&mut grown, *key, before, || &session[..=at]);
                    prop_assert!(grown.strangeness >= last);
                    last = grown.strangeness;
                }
                let whole = model.score(session);
                prop_assert!(order || last <= 1.0 || whole.is_anomaly, "{:?} {} {:?}", session, last, whole);
            }
        }
    }
}

#[test]
fn every_truncation_of_a_model_is_refused_even_sealed_again() {
    let of = [("abcdef", 90), ("abcdeef", 40), ("aabcdef", 30), ("abdef", 20), ("x", 1)];
    let bytes = sealed(&model(&of));
    let body = &bytes[..bytes.len() - 32];
    for length in 0..bytes.len() {
        assert!(unsealed(&bytes[..length]).is_err(), "{length}");
    }
    for length in (0..body.len()).filter(|length| *length < 3_000 || length % 61 == 0) {
        let cut = seal(body[..length].to_vec());
        assert!(unsealed(&cut).is_err(), "{length}, sealed again");
    }
    for at in (12..body.len()).step_by(1 + body.len() / 4_000) {
        for bits in [0x01, 0x80, 0xff] {
            let mut altered = body.to_vec();
            altered[at] ^= bits;
            // Refused, or read as another model, which judges whatever comes.
            if let Ok(other) = unsealed(&seal(altered)) {
                for events in ["abcdef", "fedcba", "abcxyz", "aaaaaaaa", ""] {
                    let verdict = other.score(&session(events));
                    assert!((0.0..=1.0).contains(&verdict.score), "{at}: {verdict:?}");
                    let mut grown = Grown::default();
                    let events = session(events);
                    for (place, key) in events.iter().enumerate() {
                        other.grow(&mut grown, *key, place as u32, || &events[..=place]);
                    }
                }
            }
        }
    }
}

#[test]
fn nothing_is_held_against_open_sessions_before_enough_were_learned() {
    for (sessions, strange) in [(0, false), (SESSIONS_MIN as usize - 1, false), (300, true)] {
        let model = model(&[("abc", sessions)]);
        let mut grown = Grown::default();
        model.grow(&mut grown, EventKey(7), 0, || &[EventKey(7)]);
        assert_eq!(grown.strangeness > 1.0, strange, "{sessions}");
    }
}
