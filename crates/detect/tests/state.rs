//! What is found depends neither on the order within the lateness, nor on restarts, and memory is bounded.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{collections::BTreeMap, net::IpAddr};

use detect::{Config, Engine, Finding};
use event::{Analyzed, Event, EventId, JournalId, Position, Timestamp};
use proptest::prelude::*;

const SECOND: i64 = 1_000_000_000;
const START: i64 = 1_780_000_000 * SECOND;

/// A login over SSH.
#[derive(Debug, Clone)]
struct Login {
    second: i64,
    user: u8,
    address: u8,
    is_success: bool,
}

fn event(login: &Login, number: u32) -> Analyzed<'static> {
    let at = Timestamp::from_nanos(START + login.second * SECOND).unwrap();
    let mut event = Event::new("Failed password", at);
    event.source = Some("sshd".into());
    event.host = Some("gate".into());
    event.set("event.action", "ssh_login");
    event.set("event.outcome", if login.is_success { "success" } else { "failure" });
    event.set("user.name", format!("user{}", login.user));
    event.set("source.ip", format!("192.0.2.{}", login.address));
    event.set("process.pid", i64::from(number));
    let position = Position { segment: 0, record: number };
    Analyzed::unanalyzed(EventId { journal: JournalId(1), position }, event)
}

fn logins(most: usize) -> impl Strategy<Value = Vec<Login>> {
    let login = (0i64..7_200, 0u8..14, 0u8..16, any::<bool>(), 0u8..10).prop_map(
        |(second, user, address, is_success, chance)| Login {
            second,
            user,
            address: if chance < 5 { address % 3 } else { address },
            is_success: is_success && chance == 0,
        },
    );
    proptest::collection::vec(login, 0..most).prop_map(|mut logins| {
        logins.sort_by_key(|login| login.second);
        logins
    })
}

fn see(engine: &mut Engine, events: &[Analyzed<'static>]) {
    for event in events {
        engine.see_one(event);
    }
}

fn end(engine: &mut Engine) {
    engine.tick(Timestamp::from_nanos(START + 3 * 86_400 * SECOND).unwrap());
}

/// What is told at last of each run, whatever was told on the way.
fn at_last(findings: Vec<Finding>) -> BTreeMap<String, Vec<u64>> {
    let mut runs: BTreeMap<String, Vec<(Timestamp, u64)>> = BTreeMap::new();
    for finding in findings {
        let runs = runs.entry(finding.entities[0].value.clone()).or_default();
        runs.retain(|(last, _)| !finding.is_update || *last < finding.first);
        runs.push((finding.last, finding.count));
    }
    let counts = |mut runs: Vec<(Timestamp, u64)>| {
        runs.sort_unstable();
        runs.into_iter().map(|(_, count)| count).collect()
    };
    runs.into_iter().map(|(about, runs)| (about, counts(runs))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_restart_changes_nothing(logins in logins(120), place in 0usize..120) {
        let events: Vec<_> = logins.iter().enumerate().map(|(n, login)| event(login, n as u32)).collect();
        let mut engine = Engine::new(Config::default());
        see(&mut engine, &events);
        end(&mut engine);
        let (before, after) = events.split_at(place.min(events.len()));
        let mut first = Engine::new(Config::default());
        see(&mut first, before);
        let mut second = Engine::new(Config::default());
        second.restore(&first.snapshot().unwrap()).unwrap();
        prop_assert_eq!(second.snapshot().unwrap(), first.snapshot().unwrap());
        see(&mut second, after);
        end(&mut second);
        prop_assert_eq!(second.drain(), engine.drain());
    }

    #[test]
    fn the_order_within_the_lateness_changes_no_guessing(
        // No more than the moments that are kept of an address.
        logins in logins(32),
        late in proptest::collection::vec(0i64..600, 120),
    ) {
        let mut events: Vec<_> = logins
            .iter()
            .filter(|login| !login.is_success)
            .enumerate()
            .map(|(n, login)| (login.second, event(login, n as u32)))
            .collect();
        let brute_force = |events: &[(i64, Analyzed<'static>)]| {
            let mut engine = Engine::new(Config::default());
            events.iter().for_each(|(_, event)| engine.see_one(event));
            end(&mut engine);
            let fast = |finding: &Finding| finding.rule == "ssh_brute_force";
            at_last(engine.drain().into_iter().filter(fast).collect())
        };
        let in_order = brute_force(&events);
        for ((second, _), late) in events.iter_mut().zip(&late) {
            *second += late;
        }
        events.sort_by_key(|(second, _)| *second);
        prop_assert_eq!(brute_force(&events), in_order);
    }

    #[test]
    fn other_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Engine::new(Config::default()).restore(&bytes).is_err());
    }
}

#[test]
fn a_flood_of_addresses_stays_within_its_bounds_and_hides_no_guessing() {
    let mut engine = Engine::new(Config { keys_max: 1_000, ..Config::default() });
    let mut random = 1u64;
    for number in 0..60_000u32 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut flood =
            event(&Login { second: i64::from(number / 100), user: 0, address: 0, is_success: false }, number);
        let address: IpAddr = if number % 2 == 0 {
            IpAddr::from((random >> 32).to_be_bytes()[4..8].try_into().map(|b: [u8; 4]| b).unwrap())
        } else {
            IpAddr::from((u128::from(random) << 64).to_be_bytes())
        };
        flood.event.set("source.ip", address.to_string());
        engine.see_one(&flood);
        if number % 10_000 == 0 || number == 10 {
            engine.see_one(&event(
                &Login { second: i64::from(number / 100), user: 1, address: 9, is_success: false },
                number,
            ));
        }
    }
    let occupancy = engine.occupancy();
    assert!(occupancy.keys <= occupancy.keys_max);
    assert!(occupancy.evicted > 0, "the bound was hit, and that is said");
    let about: Vec<String> =
        engine.drain().into_iter().map(|finding| finding.entities[0].value.clone()).collect();
    assert!(about.iter().any(|about| about == "192.0.2.9"), "{about:?}");
}
