//! Starters of real logs: what they tell, what they do not, and how they serve.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Read,
    path::Path,
};

use anomaly::{Config, ModelError, Origin, Service, TrainError, build_starter};
use disk::sealed::SealedError;
use event::{Analyzed, Event, EventId, JournalId, Position, Severity, Timestamp, VerdictState};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../app/samples/");
const MODELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/");

fn events_of(file: &str, name: &str) -> Vec<Event<'static>> {
    let mut text = Vec::new();
    let file = File::open(Path::new(SAMPLES).join(file)).unwrap();
    flate2::read::MultiGzDecoder::new(file).read_to_end(&mut text).unwrap();
    let written = Timestamp::parse("2017-04-20T23:59:59Z").unwrap();
    let zone = jiff::tz::TimeZone::UTC;
    let context = parse::Context { file: Some(name), ..parse::Context::new(written, &zone, 1 << 20) };
    let mut events = Vec::new();
    parse::body(parse::Format::Lines, &text, &context, |line| events.push(line.unwrap().into_owned()));
    events
}

fn auth() -> Vec<Event<'static>> {
    events_of("auth_ec2_2017.log.gz", "auth.log")
}

fn access() -> Vec<Event<'static>> {
    events_of("apache_access_2015.log.gz", "access.log")
}

fn open(dir: &Path) -> Service {
    Service::open(Config::new(dir)).unwrap()
}

fn analyze(service: &Service, events: Vec<Event<'static>>) -> Vec<Analyzed<'static>> {
    let id = EventId { journal: JournalId(1), position: Position::default() };
    service.analyze(events.into_iter().map(|event| (id, event)).collect(), Position::default()).events
}

/// What a service says that knows nothing but a starter, and trains none of its own.
fn by_starter_alone(starter: &[u8], events: Vec<Event<'static>>) -> Vec<Analyzed<'static>> {
    let dir = tempfile::tempdir().unwrap();
    let service = Service::open(Config { events_min: 1_000_000, ..Config::new(dir.path()) }).unwrap();
    assert_eq!(service.start_from(starter).unwrap().origin, Some(Origin::Starter));
    analyze(&service, events)
}

fn flagged(analyzed: &[Analyzed<'_>]) -> Vec<String> {
    let anomalies = analyzed.iter().filter(|one| one.verdict.is_anomaly);
    anomalies.map(|one| format!("{} {:?}", one.event.message, one.verdict.reasons)).collect()
}

fn line(source: &'static str, seconds: u64, message: String) -> Event<'static> {
    let nanos = 1_790_000_000_000_000_000 + i128::from(seconds) * 1_000_000_000;
    let mut event = Event::new(message, Timestamp::saturating_from_nanos(nanos));
    (event.source, event.host) = (Some(source.into()), Some("gate-3".into()));
    event
}

/// Ordinary lines of another host, years later: people who log in with their keys, and guesses from outside.
fn elsewhere(count: u64) -> Vec<Event<'static>> {
    let users = ["miriam", "jonas", "deploy", "p.kowalski", "svc_backup", "yuki"];
    let mut events = Vec::new();
    for n in 0..count {
        let (at, user) = (n * 211 + n * n % 97, users[(n * 7 % 6) as usize]);
        let (address, port) = (format!("198.51.100.{}", n * 13 % 40), 32_768 + n * 7_919 % 28_000);
        if n % 3 == 0 {
            events.push(line(
                "sshd",
                at,
                format!("Invalid user {} from {address}", ["oracle", "guest", "git"][n as usize % 3]),
            ));
            events.push(line(
                "sshd",
                at + 2,
                format!("Connection closed by {address} port {port} [preauth]"),
            ));
        } else {
            let key = format!("RSA SHA256:{:016x}{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15), n * 31);
            events.push(line(
                "sshd",
                at,
                format!("Accepted publickey for {user} from {address} port {port} ssh2: {key}"),
            ));
            events.push(line(
                "sshd",
                at + 1,
                format!("pam_unix(sshd:session): session opened for user {user} by (uid=0)"),
            ));
            events.push(line(
                "sshd",
                at + 60,
                format!("Received disconnect from {address} port {port}:11: disconnected by user"),
            ));
            events.push(line(
                "sshd",
                at + 60,
                format!("pam_unix(sshd:session): session closed for user {user}"),
            ));
        }
    }
    events.sort_by_key(|event| event.timestamp);
    events
}

#[test]
fn the_starters_that_come_along_are_what_the_samples_make() {
    for (name, events) in [("sshd-auth", auth()), ("web-access", access())] {
        let made = build_starter(name, &events).unwrap();
        assert!(made.len() < 1 << 20);
        let kept = fs::read(Path::new(MODELS).join(format!("{name}.starter"))).unwrap();
        assert!(
            made == kept,
            "{name}: what makes starters has changed; run `just starters` and commit the files"
        );
    }
}

#[test]
fn a_starter_tells_nothing_of_where_its_log_was_written() {
    for (name, events) in [("sshd-auth", auth()), ("web-access", access())] {
        let made = build_starter(name, &events).unwrap();
        let finder = |text: &str| made.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(finder("<ip>"), "templates are stored as text, or this test finds nothing");
        let mut own: BTreeSet<String> =
            ["elastic", "semicomplete", "puppet", "logstash"].map(str::to_owned).into();
        for event in &events {
            own.extend(event.host.as_deref().map(str::to_owned));
            let got_in = event.field("event.outcome").is_some_and(|value| value.as_str() == Some("success"));
            let user = event.field("user.name").and_then(|value| value.as_str()).filter(|_| got_in);
            own.extend(user.filter(|user| *user != "root").map(str::to_owned));
            own.extend(event.field("source.ip").and_then(|value| value.as_str()).map(str::to_owned));
        }
        assert!(own.len() > 100);
        for word in own {
            assert!(!finder(&word), "{name}: {word}");
        }
    }
}

#[test]
fn half_a_log_tells_what_is_ordinary_in_the_other_half() {
    for (name, events) in [("sshd-auth", auth()), ("web-access", access())] {
        let (first, second) = events.split_at(events.len() / 2);
        for (told, judged) in [(first, second), (second, first)] {
            let starter = build_starter(name, told).unwrap();
            let judged = by_starter_alone(&starter, judged.to_vec());
            assert!(judged.iter().all(|one| one.verdict.state == VerdictState::Scored));
            let flagged = flagged(&judged);
            let (bursts, others): (Vec<_>, Vec<_>) = flagged
                .iter()
                .partition(|said| said.contains("within a minute") || said.contains("within a quarter"));
            println!("{name}: {} of {} in bursts, {} others", bursts.len(), judged.len(), others.len());
            // Guessing of passwords, and clients that mangle addresses: the logs are not free of anomalies.
            assert!(bursts.len() * 100 <= judged.len(), "{bursts:#?}");
            assert!(others.len() * 400 <= judged.len(), "{others:#?}");
        }
    }
}

#[test]
fn it_serves_from_the_first_event_on_until_the_first_own_model() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    let starter = build_starter("sshd-auth", &auth()).unwrap();
    let model = service.start_from(&starter).unwrap();
    assert_eq!((model.state, model.needed, model.events), (VerdictState::Scored, 2_000, 7_121));
    assert_eq!(service.start_from(&build_starter("web-access", &access()).unwrap()).unwrap().events, 17_121);
    let told = service.starters();
    assert_eq!(told.iter().map(|one| &*one.name).collect::<Vec<_>>(), ["sshd-auth", "web-access"]);

    let strange = |service: &Service| {
        let mut odd = line("sshd", 5, "fatal: monitor_read: unpermitted request 104 on server".to_owned());
        odd.severity = Severity::Fatal;
        let said = service.predict(&odd);
        assert!(said.is_anomaly && said.score >= 0.55, "{said:?}");
        said
    };
    assert_eq!(strange(&service).needed, 2_000);
    let usual = service.predict(&elsewhere(2)[1]);
    assert!(
        !usual.is_anomaly && usual.state == VerdictState::Scored && usual.template.is_some(),
        "{usual:?}"
    );
    let web = r#"198.51.100.7 - - [20/Nov/2026:10:00:00 +0000] "GET /shop/cart HTTP/1.1" 200 5120 "-" "Mozilla/5.0 (X11; Linux x86_64)""#;
    let web = service.predict(&line("nginx", 5, web.to_owned()));
    assert!(!web.is_anomaly && web.template.is_some(), "{web:?}");

    // What was told survives a restart, with a snapshot and without.
    let snapshot = service.snapshot();
    drop(service);
    let service = open(dir.path());
    strange(&service);
    service.restore(&snapshot).unwrap();
    strange(&service);
    assert_eq!(service.starters(), told);

    let judged = analyze(&service, elsewhere(500));
    assert!(judged.iter().all(|one| one.verdict.state == VerdictState::Scored));
    let flagged = flagged(&judged);
    assert!(flagged.is_empty(), "{} of {}: {flagged:#?}", flagged.len(), judged.len());
    // The first of the service's own comes after as many events as ever, and is compared.
    let later = elsewhere(2_000).split_off(1_800);
    for part in later.chunks(100) {
        if service.model().origin == Some(Origin::Starter) {
            analyze(&service, part.to_vec());
        }
    }
    assert_eq!(
        (service.model().origin, service.model().needed),
        (Some(Origin::Stream), 0),
        "{:?}",
        service.models()
    );
    assert_eq!(service.roll_back().unwrap().version, model_of(&service, Origin::Starter));
    strange(&service);
}

fn model_of(service: &Service, origin: Origin) -> String {
    service.models().into_iter().rfind(|model| model.origin == Some(origin)).unwrap().version
}

#[test]
fn other_programs_are_judged_by_what_they_say_themselves() {
    let starter = build_starter("sshd-auth", &auth()).unwrap();
    let other = |n: u64| match n % 4 {
        0 => line("orders", n, format!("order {} placed for {} EUR", 1_000 + n, n * 7_919 % 900)),
        1 => line("orders", n, format!("payment of order {} took {} ms", 999 + n, 20 + n * 13 % 60)),
        2 => line("billing", n, format!("invoice {} sent in {} ms", 50_000 + n, 5 + n * 31 % 40)),
        _ => line("orders", n, format!("cache hit rate {}.{}", 80 + n % 20, n % 10)),
    };
    let judged = by_starter_alone(&starter, (0..5_000).map(other).collect());
    let flagged = flagged(&judged);
    assert!(flagged.len() <= 5, "{} of {}: {flagged:#?}", flagged.len(), judged.len());
}

#[test]
fn a_model_of_ones_own_goes_on_serving() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    let own = service.train(&elsewhere(1_000)).unwrap().model;
    let model = service.start_from(&build_starter("web-access", &access()).unwrap()).unwrap();
    assert_eq!((model.version, service.models().len(), service.starters().len()), (own, 1, 1));
}

#[test]
fn what_is_no_whole_starter_of_this_version_changes_nothing() {
    assert!(build_starter("sshd-auth", &elsewhere(10)).is_err());
    assert!(build_starter("../sshd", &elsewhere(100)).is_err());
    let made = build_starter("sshd-auth", &elsewhere(60)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    let refused = |bytes: &[u8]| {
        let error = service.start_from(bytes).unwrap_err();
        assert!(service.model().version.is_empty() && service.starters().is_empty());
        match error {
            TrainError::Store(error) => error,
            error => panic!("{error}"),
        }
    };
    for length in (0..made.len()).filter(|length| *length < 400 || length % 97 == 0) {
        refused(&made[..length]);
        let mut flipped = made.clone();
        flipped[length] ^= 32;
        refused(&flipped);
    }
    let resealed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut body = made[..made.len() - 32].to_vec();
        change(&mut body);
        body.extend_from_slice(blake3::hash(&body.clone()).as_bytes());
        body
    };
    let newer = refused(&resealed(&|body| body[8] = 9)).to_string();
    assert!(newer.contains("the starter is of format version 9; this program reads version 1"), "{newer}");
    assert!(matches!(
        refused(b"LSMODEL\0 and so on, which is something else"),
        ModelError::Sealed(SealedError::Foreign { .. })
    ));
    // Well sealed, and yet not what any program of ours writes.
    for change in [
        (&|body: &mut Vec<u8>| body[16] = b'/') as &dyn Fn(&mut Vec<u8>),
        &|body| body.truncate(body.len() - 16),
        &|body| body.extend_from_slice(&[0; 16]),
        &|body| body[12] = 255,
    ] {
        assert!(matches!(refused(&resealed(change)), ModelError::Sealed(SealedError::Damaged { .. })));
    }
    service.start_from(&made).unwrap();
    let file = dir.path().join("starters/sshd-auth.starter");
    fs::write(&file, &made[..made.len() / 2]).unwrap();
    let again = open(dir.path());
    assert_eq!((again.starters().len(), again.model().origin), (0, Some(Origin::Starter)));
    let problems = again.starter_problems();
    assert!(
        problems.len() == 1 && problems[0].contains("sshd-auth.starter") && problems[0].contains("damaged")
    );
}

#[test]
fn a_starter_cut_anywhere_is_refused_and_a_whole_one_is_kept_as_it_is() {
    let made = build_starter("sshd-auth", &elsewhere(60)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    let body = made.len() - 32;
    for length in (0..made.len()).filter(|at| *at < 1_500 || at % 331 == 0 || *at + 600 > made.len()) {
        assert!(service.start_from(&made[..length]).is_err(), "cut to {length} bytes");
        if length < body {
            let mut sealed = made[..length].to_vec();
            sealed.extend_from_slice(blake3::hash(&sealed.clone()).as_bytes());
            assert!(service.start_from(&sealed).is_err(), "cut to {length} bytes and sealed again");
        }
    }
    assert!(service.starters().is_empty() && service.model().version.is_empty());
    service.start_from(&made).unwrap();
    assert_eq!(fs::read(dir.path().join("starters/sshd-auth.starter")).unwrap(), made);
    let again = open(dir.path());
    for event in elsewhere(40) {
        let (one, other) = (service.predict(&event), again.predict(&event));
        assert_eq!((one.score, one.reasons, one.model), (other.score, other.reasons, other.model));
    }
}
