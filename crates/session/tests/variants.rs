//! Rare ways of working and failures, both among the sessions learned from: made-up sessions of a service that
//! starts and stops machines.
#![expect(clippy::unwrap_used, reason = "what the tests make up is there")]

use arithmetic::Random;
use session::{Config, EventKey, Model};

type Session = Vec<EventKey>;

/// Steps of a session, what comes between them as it likes, and what is learned from and judged of them.
const STEPS: u64 = 22;
const POLLS: [EventKey; 2] = [EventKey(90), EventKey(91)];
const ERROR: u64 = 50;
const LEARNED: usize = 1_600;
const JUDGED: (usize, usize) = (600, 100);

/// Step `number` of way of working `way`, which no other session has.
fn step(way: usize, number: usize) -> EventKey {
    EventKey((100 + 10 * way + number) as u64)
}

/// Steps in their order, but for two that come as they like, and one that is often left out.
fn ordinary(random: &mut Random) -> Session {
    let mut steps: Session = (0..STEPS).map(EventKey).collect();
    if random.below(4) == 0 {
        steps.swap(12, 13);
    }
    if random.below(5) < 2 {
        steps.remove(9);
    }
    steps
}

fn with_polls(random: &mut Random, mut session: Session) -> Session {
    for (poll, most) in POLLS.into_iter().zip([4, 3]) {
        for _ in 0..random.below(most).min(random.below(most)) {
            let at = 1 + random.below(session.len());
            session.insert(at, poll);
        }
    }
    session
}

/// Puts an event before a step.
fn put(session: &mut Session, before: u64, event: EventKey) {
    let at = session.iter().position(|step| *step == EventKey(before)).unwrap();
    session.insert(at, event);
}

/// The ways of working: one step more, another one, and two steps more.
fn variant(random: &mut Random, way: usize) -> Session {
    let mut session = ordinary(random);
    for (number, before) in [&[6][..], &[14], &[3, 17]][way].iter().enumerate() {
        put(&mut session, *before, step(way, number));
    }
    session
}

/// Cut short, an error and on, an error and the last steps again, steps missing, a step repeated.
fn failure(random: &mut Random) -> Session {
    let mut session = ordinary(random);
    let at = 3 + random.below(session.len() - 6);
    let error = EventKey(ERROR + random.below(14) as u64);
    match random.below(5) {
        0 => session.truncate(at),
        1 => session.insert(at, error),
        2 => {
            let again = session[at - 2..at].to_vec();
            session.splice(at..at, std::iter::once(error).chain(again));
        }
        3 => drop(session.drain(at..at + 2)),
        _ => {
            let step = session[at];
            session.splice(at..at, [step; 2]);
        }
    }
    session
}

/// So many sessions, of which a share is of `ways` rare ways of working, then so many others.
fn sessions(random: &mut Random, count: usize, ways: usize, share: f64) -> Vec<Session> {
    let rare = if ways == 0 { 0 } else { (share * count as f64) as usize };
    let mut one = |number: usize| {
        let session = if number < rare { variant(random, number % ways) } else { ordinary(random) };
        with_polls(random, session)
    };
    (0..count).map(&mut one).collect()
}

fn trained(sessions: &[Session]) -> Model {
    Model::train(sessions.iter().map(Vec::as_slice), &Config::default())
}

fn flagged(model: &Model, sessions: &[Session]) -> usize {
    sessions.iter().filter(|session| model.score(session).is_anomaly).count()
}

#[track_caller]
fn check(seed: u64, ways: usize, share: f64, hidden: f64) {
    let random = &mut Random::of(seed, 7);
    let failures = (hidden * LEARNED as f64) as usize;
    let mut learned = sessions(random, LEARNED - failures, ways, share);
    learned.extend((0..failures).map(|_| failure(random)));
    let model = trained(&learned);
    let (normal, anomalous) = JUDGED;
    let normal = sessions(random, normal, ways, share);
    let anomalous: Vec<Session> = (0..anomalous).map(|_| failure(random)).collect();
    let (false_alarms, hits) = (flagged(&model, &normal), flagged(&model, &anomalous));
    let f1 = 2.0 * hits as f64 / (hits + false_alarms + anomalous.len()) as f64;
    assert!(
        f1 >= 0.985,
        "seed {seed}, {ways} ways, {share}, {hidden} hidden: F1 {f1:.3}, {false_alarms} false alarms, {hits} found, {:?}",
        model.cleaning()
    );
}

#[test]
fn rare_ways_of_working_are_normal() {
    for (seed, ways, share) in [(1, 1, 0.01), (2, 2, 0.025), (3, 3, 0.05), (4, 3, 0.02)] {
        check(seed, ways, share, 0.0);
    }
}

#[test]
fn rare_ways_of_working_are_normal_among_hidden_failures() {
    for (seed, ways, share, hidden) in
        [(1, 1, 0.01, 0.01), (2, 2, 0.025, 0.03), (3, 3, 0.03, 0.02), (4, 3, 0.02, 0.03), (5, 0, 0.0, 0.03)]
    {
        check(seed, ways, share, hidden);
    }
}

/// Ordinary sessions, some each with its own failure, and so many that `make` makes.
fn with_others(random: &mut Random, count: usize, make: impl Fn(&mut Random) -> Session) -> Model {
    let mut learned = sessions(random, LEARNED, 0, 0.0);
    learned.extend((0..30).map(|_| failure(random)));
    learned.extend((0..count).map(|_| make(random)));
    trained(&learned)
}

#[test]
fn failures_that_are_alike_but_come_to_no_end_or_hit_anywhere_are_strange() {
    let cut = |random: &mut Random| ordinary(random)[..8].to_vec();
    let anywhere = |random: &mut Random| {
        let mut session = ordinary(random);
        session.insert(2 + random.below(18), step(0, 0));
        session
    };
    let wrong = |random: &mut Random| {
        let mut session = ordinary(random);
        put(&mut session, 15, step(0, 0));
        session.retain(|event| *event != EventKey(16));
        session
    };
    let random = &mut Random::of(11, 7);
    for (count, make) in [(20, &cut as &dyn Fn(&mut Random) -> Session), (20, &anywhere), (20, &wrong)] {
        let model = with_others(random, count, make);
        let others: Vec<Session> = (0..20).map(|_| make(random)).collect();
        assert_eq!(flagged(&model, &others), others.len(), "{:?}", model.cleaning());
    }
}

#[test]
fn failures_that_are_alike_and_lack_much_are_strange_also_where_nothing_else_fails() {
    let rolled_back = |random: &mut Random| {
        let mut session = ordinary(random)[..8].to_vec();
        session.extend([EventKey(ERROR), EventKey(STEPS - 2), EventKey(STEPS - 1)]);
        session
    };
    let random = &mut Random::of(17, 7);
    let mut learned = sessions(random, LEARNED, 2, 0.025);
    learned.extend((0..16).map(|_| rolled_back(random)));
    let model = trained(&learned);
    assert!(model.score(&rolled_back(random)).is_anomaly, "{:?}", model.cleaning());
    assert!(!model.score(&variant(random, 0)).is_anomaly, "{:?}", model.cleaning());
}

#[test]
fn what_is_always_the_same_needs_several_sessions() {
    for (count, is_normal) in [(2, false), (12, true)] {
        let random = &mut Random::of(5, 7);
        let model = with_others(random, count, |random| variant(random, 0));
        let session = variant(random, 0);
        assert_eq!(!model.score(&session).is_anomaly, is_normal, "{count}: {:?}", model.cleaning());
    }
}

#[test]
fn two_rare_ways_in_one_session_are_as_normal_as_each() {
    let both = |random: &mut Random| {
        let mut session = variant(random, 0);
        put(&mut session, 14, step(1, 0));
        session
    };
    let random = &mut Random::of(9, 7);
    let mut learned = sessions(random, LEARNED, 2, 0.02);
    learned.extend((0..30).map(|_| failure(random)));
    learned.extend((0..3).map(|_| both(random)));
    let model = trained(&learned);
    let again = both(&mut Random::of(9, 8));
    assert!(!model.score(&again).is_anomaly, "{:?}", model.cleaning());
}

#[test]
fn a_session_of_a_rare_way_that_fails_is_strange() {
    let random = &mut Random::of(13, 7);
    let mut learned = sessions(random, LEARNED, 3, 0.03);
    learned.extend((0..30).map(|_| failure(random)));
    let model = trained(&learned);
    let whole = variant(random, 2);
    assert!(!model.score(&whole).is_anomaly);
    let without = |gone: EventKey| whole.iter().filter(|event| **event != gone).copied().collect::<Session>();
    for session in [without(step(2, 0)), without(EventKey(20)), whole[..12].to_vec()] {
        assert!(model.score(&session).is_anomaly, "{session:?}");
    }
}
