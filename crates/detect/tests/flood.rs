//! Random addresses through every detector: what is remembered stays within its bounds, says so when they bite, and
//! a restart in the middle changes no finding.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::net::IpAddr;

use detect::{Config, Engine, Finding};
use event::{Analyzed, Event, EventId, JournalId, Position, Timestamp};

const SECOND: i64 = 1_000_000_000;
const START: i64 = 1_780_000_000 * SECOND;
/// Events of one second.
const A_SECOND: u32 = 200;

/// A generator of PCG's kind: the same numbers everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 32)
    }

    fn address(&mut self) -> IpAddr {
        match self.next() % 2 {
            0 => IpAddr::from((self.next() as u32).to_be_bytes()),
            _ => IpAddr::from((u128::from(self.next()) << 64 | u128::from(self.next())).to_be_bytes()),
        }
    }
}

/// The event of a number: each of a random address, but for one in fifty, which is of one that guesses.
fn event(random: &mut Random, number: u32) -> Analyzed<'static> {
    let second = i64::from(number / A_SECOND);
    let at = Timestamp::from_nanos(START + second * SECOND).unwrap();
    let (address, what) = match number % 50 {
        25 => (IpAddr::from([192, 0, 2, 9]), 0),
        _ => (random.address(), random.next() % 6),
    };
    let mut event = Event::new("", at);
    event.observed_timestamp = at;
    event.host = Some(format!("host{}", random.next() % 500).into());
    event.set("source.ip", address.to_string());
    event.set("user.name", format!("user{}", random.next() % 1_000_000));
    if what < 4 {
        event.source = Some("sshd".into());
        event.set("process.pid", i64::from(number % 1_000_000));
    }
    match what {
        0 | 1 => {
            event.set("event.action", "ssh_login");
            event.set("event.outcome", "failure");
            event.set("labels.ssh.event", "Failed");
            event.set("labels.ssh.method", if what == 0 { "password" } else { "publickey" });
            event.message = "Failed password".into();
        }
        2 => {
            event.set("event.action", "ssh_login");
            event.set("event.outcome", "success");
            event.message = "Accepted password".into();
        }
        3 => {
            event.set("event.action", "ssh_handshake");
            event.message = "Connection closed".into();
        }
        _ => {
            let path = format!("/{}/wp-login.php", random.next() % 10_000);
            event.source = Some("nginx".into());
            event.set("url.original", path);
            event.set("http.request.method", if what == 4 { "GET" } else { "POST" });
            event.set("http.response.status_code", if what == 4 { 404_i64 } else { 401 });
        }
    }
    let position = Position { segment: 0, record: number };
    Analyzed::unanalyzed(EventId { journal: JournalId(1), position }, event)
}

/// What is found in so many events, with restarts at these places; what is looked at now and then.
fn found(count: u32, keys_max: usize, restarts: &[u32], mut look: impl FnMut(&Engine)) -> Vec<Finding> {
    let config = || Config { keys_max, ..Config::default() };
    let (mut engine, mut random, mut found) = (Engine::new(config()), Random(1), Vec::new());
    for number in 0..count {
        if restarts.contains(&number) {
            let kept = engine.snapshot().unwrap();
            engine = Engine::new(config());
            engine.restore(&kept).unwrap();
        }
        engine.see_one(&event(&mut random, number));
        if number % 5_000 == 4_999 {
            look(&engine);
            found.append(&mut engine.drain());
        }
    }
    found.append(&mut engine.drain());
    found
}

fn is_bounded(engine: &Engine) {
    for (name, occupancy) in engine.occupancies() {
        assert!(occupancy.keys <= occupancy.keys_max, "{name}: {occupancy:?}");
    }
}

fn has_found_who_guesses(found: &[Finding]) {
    let about = |finding: &Finding| finding.entities[0].value == "192.0.2.9";
    assert!(found.iter().any(|finding| finding.rule == "ssh_brute_force" && about(finding)));
}

#[test]
fn a_flood_stays_within_bounds_and_a_restart_changes_no_finding() {
    let (mut evicted, count) = (Vec::new(), 20_000);
    let whole = found(count, 200, &[], |engine| {
        is_bounded(engine);
        let full = engine.occupancies().filter(|(_, occupancy)| occupancy.evicted > 0);
        evicted = full.map(|(name, _)| name).collect();
    });
    assert_eq!(evicted, ["guessing", "logins", "web", "connections"], "those that are full say so");
    has_found_who_guesses(&whole);
    assert_eq!(found(count, 200, &[count / 2, count / 2 + 7_777], is_bounded), whole);
}

/// Ten million addresses within the bounds that the program has, in about a minute: `just bench-flood`.
#[test]
#[ignore = "takes a minute of a release build"]
fn ten_million_addresses() {
    let resident = || -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse().unwrap()
    };
    let (before, mut most, mut last) = (resident(), 0, None);
    let found = found(10_000_000, Config::default().keys_max, &[], |engine| {
        is_bounded(engine);
        most = most.max(resident());
        last = Some(engine.occupancies().collect::<Vec<_>>());
    });
    let last = last.unwrap();
    let bytes_max: usize = last.iter().map(|(_, occupancy)| occupancy.bytes_max).sum();
    for (name, occupancy) in &last {
        println!(
            "{name}: {} of {} keys, {} given up, {} bytes at most",
            occupancy.keys, occupancy.keys_max, occupancy.evicted, occupancy.bytes_max
        );
    }
    println!(
        "resident {before} kB before, {most} kB at most; stated {} kB; {} findings",
        bytes_max / 1024,
        found.len()
    );
    assert!(most - before <= bytes_max as u64 / 1024, "more than what is stated");
    has_found_who_guesses(&found);
}
