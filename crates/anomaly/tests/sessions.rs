//! Sessions through the service's public face: streams made here, whose strange sessions are known.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::path::Path;

use anomaly::{Action, Config, Service, SessionEnd, StrangeSession};
use event::{Event, EventId, Field, JournalId, Position, Timestamp, Value, Verdict};

/// Ordinary requests after which everything is learned.
const LEARNED: u64 = 1_500;

fn config(dir: &Path) -> Config {
    Config { events_min: 1_000, ..Config::new(dir) }
}

fn open(dir: &Path) -> Service {
    Service::open(config(dir)).unwrap()
}

fn at(millis: u64) -> Timestamp {
    Timestamp::saturating_from_nanos(1_700_000_000_000_000_000 + i128::from(millis) * 1_000_000)
}

/// The id of a request, hex digits with no order in them. With the letter none is a number.
fn id(n: u64) -> String {
    format!("{:012x}f", (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16)
}

/// The lines of an ordinary request; `{}` stands for its id.
fn steps(n: u64) -> Vec<String> {
    let mut steps =
        vec![format!("request {{}} opened from 10.0.0.{}", n % 7 + 1), "user known for {}".to_owned()];
    for lock in 0..1 + n * 7 % 3 {
        steps.push(format!("lock {lock} taken by {{}}"));
        steps.push(format!("{{}} read {} rows", n * 31 % 90));
        steps.push(format!("lock {lock} freed by {{}}"));
    }
    steps.push(format!("page for {{}} rendered in {} ms", 20 + n % 9));
    steps.push(format!("request {{}} closed, status {}", 200 + n % 2));
    steps
}

/// Requests in flight together, whose lines are mixed by time.
#[derive(Default)]
struct Stream {
    lines: Vec<(u64, Event<'static>)>,
    next: u64,
}

impl Stream {
    /// One more request with these lines, begun 900 ms after the one before; gives its id.
    fn request(&mut self, steps: Vec<String>) -> String {
        let n = self.next;
        self.next += 1;
        let id = id(n);
        for (step, text) in (0..).zip(steps) {
            let millis = n * 900 + step * (350 + n * 13 % 170);
            let mut event = Event::new(text.replace("{}", &id), at(millis));
            (event.source, event.host) = (Some("shop".into()), Some("web-1".into()));
            self.lines.push((millis, event));
        }
        id
    }

    fn ordinary(&mut self, count: u64) -> &mut Self {
        for _ in 0..count {
            self.request(steps(self.next));
        }
        self
    }

    /// The lines so far that were not taken yet, by time.
    fn take(&mut self) -> Vec<Event<'static>> {
        self.lines.sort_by_key(|(millis, _)| *millis);
        self.lines.drain(..).map(|(_, event)| event).collect()
    }
}

/// Learns ordinary requests.
fn learned(service: &Service) -> Stream {
    let mut stream = Stream::default();
    analyze(service, stream.ordinary(LEARNED).take());
    assert_eq!(service.stats().strange_sessions, 0, "{:?}", service.strange_sessions());
    stream
}

fn analyze(service: &Service, events: Vec<Event<'static>>) -> Vec<(String, Verdict)> {
    analyze_from(service, 0, events)
}

/// Events whose ids are numbered from here on.
fn analyze_from(service: &Service, first: u32, events: Vec<Event<'static>>) -> Vec<(String, Verdict)> {
    let id = |record| EventId { journal: JournalId(1), position: Position { segment: 0, record } };
    let given = events.into_iter().zip(first..).map(|(event, record)| (id(record), event)).collect();
    let analyzed = service.analyze(given, Position::default()).events;
    analyzed.into_iter().map(|one| (one.event.message.into_owned(), one.verdict)).collect()
}

/// The anomalies among these, with all that is said of them.
fn flagged(analyzed: &[(String, Verdict)]) -> Vec<String> {
    let anomalies = analyzed.iter().filter(|(_, verdict)| verdict.is_anomaly);
    anomalies.map(|(message, verdict)| format!("{message}: {}", verdict.reasons.join("; "))).collect()
}

fn of_session<'a>(flagged: &'a [String], key: &str) -> Vec<&'a String> {
    flagged.iter().filter(|said| said.contains(&format!("session {key}: "))).collect()
}

#[track_caller]
fn strange(service: &Service, key: &str) -> StrangeSession {
    let all = service.strange_sessions();
    let found = all.iter().find(|session| session.key == key);
    found.unwrap_or_else(|| panic!("{key} is not among {all:#?}")).clone()
}

/// What is wrong with a request, its lines, and a part of what has to be said.
fn wrong() -> Vec<(&'static str, Vec<String>, &'static [&'static str])> {
    let usual = || steps(1);
    let without = |part: &str| usual().into_iter().filter(|step| !step.contains(part)).collect();
    let mut unseen = usual();
    unseen.insert(4, "worker of {} panicked at lock".to_owned());
    let mut twice = usual();
    twice.insert(1, twice[0].clone());
    let mut unfreed = usual();
    unfreed.remove(unfreed.iter().position(|step| step.contains("freed")).unwrap());
    let mut swapped = usual();
    let end = swapped.len() - 1;
    swapped[1..end].reverse();
    vec![
        ("an unseen event", unseen, &["panicked at lock\" occurs once; none of", "normal sessions has it"]),
        ("opened twice, closed once", twice, &["opened from", "occurs twice"]),
        ("a lock not freed", unfreed, &["taken by", "freed by"]),
        ("a step that never came", without("user known"), &["user known for", "does not occur"]),
        ("another order", swapped, &["comes before"]),
    ]
}

#[test]
fn the_key_is_found_and_what_is_wrong_with_a_session_is_told_and_listed() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    let mut stream = learned(&service);
    let usual = analyze(&service, stream.ordinary(1_000).take());
    let false_alarms = flagged(&usual);
    assert!(false_alarms.len() <= 3, "{} of {}: {false_alarms:#?}", false_alarms.len(), usual.len());
    assert!(service.stats().open_sessions > 0 && service.stats().evicted_sessions == 0);

    let mut first = 0;
    for (name, steps, parts) in wrong() {
        stream.ordinary(20);
        let length = steps.len() as u64;
        let key = stream.request(steps);
        let events = stream.ordinary(20).take();
        let own = (first..).zip(&events).filter(|(_, event)| event.message.contains(&key));
        let own: Vec<_> = own.map(|(at, event)| (at, event.timestamp)).collect();
        let (begin, end) = (own[0], own[own.len() - 1]);
        let count = events.len() as u32;
        let said = flagged(&analyze_from(&service, first, events));
        first += count;
        assert!(!of_session(&said, &key).is_empty(), "{name}: {said:#?}");
        let session = strange(&service, &key);
        let reasons = session.reasons.join("; ");
        assert!(parts.iter().all(|part| reasons.contains(part)), "{name}: {reasons}");
        assert!(of_session(&said, &key).iter().any(|said| said.contains(parts[0])), "{name}: {said:#?}");
        assert_eq!((session.events, session.end), (length, SessionEnd::Closed), "{name}");
        assert_eq!((session.first.position.record, session.from), begin, "{name}");
        assert_eq!((session.last.position.record, session.to), end, "{name}");
        assert!(session.kind.contains("variable"), "{name}: {}", session.kind);
        assert!(session.score > 0.4 && session.p_value < 0.01, "{name}: {session:?}");
        let nearest: Vec<&str> = session.nearest.iter().map(|normal| normal.template.as_str()).collect();
        for part in ["opened", "known", "taken", "read", "freed", "rendered", "closed"] {
            assert!(nearest.iter().any(|text| text.contains(part)), "{name}: {part} in {nearest:?}");
        }
    }
    let listed = service.strange_sessions();
    assert_eq!(service.stats().strange_sessions, listed.len() as u64);
    assert!(listed.len() <= wrong().len() + 3, "{listed:#?}");
}

/// An event of a task, whose key stands in a field.
fn field_event(
    millis: u64,
    place: (&'static str, &'static str),
    field: (&'static str, Value<'static>),
    text: String,
) -> Event<'static> {
    let mut event = Event::new(text, at(millis));
    (event.source, event.host) = (Some(place.0.into()), Some(place.1.into()));
    event.fields = vec![Field { path: field.0.into(), value: field.1 }];
    event
}

/// Program and host, and the field, of the `n`th task.
type Of<'f> = &'f dyn Fn(u64) -> ((&'static str, &'static str), (&'static str, Value<'static>));

/// Tasks mixed by time. Those in `failing` have a line that no other has.
fn tasks(from: u64, count: u64, failing: &[u64], of: Of<'_>) -> Vec<Event<'static>> {
    let mut events: Vec<(u64, Event<'static>)> = Vec::new();
    for n in from..from + count {
        let (place, field) = of(n);
        let mut texts = vec!["begun", "checked stock", "booked"];
        texts.extend(std::iter::repeat_n("packed a piece", 1 + n as usize % 3));
        texts.push("done");
        if failing.contains(&n) {
            texts.insert(3, "gave up on a piece");
        }
        for (step, text) in (0..).zip(texts) {
            let millis = n * 700 + step * 400;
            let text = format!("{text}, as {} wants", place.0);
            events.push((millis, field_event(millis, place, field.clone(), text)));
        }
    }
    events.sort_by_key(|(millis, _)| *millis);
    events.into_iter().map(|(_, event)| event).collect()
}

#[test]
fn keys_are_given_or_ids_by_name_or_processes_of_a_host_and_program() {
    let order = |n: u64| (("shop", "web-1"), ("labels.order", Value::String(format!("order-{n}").into())));
    let trace = |n: u64| (("shop", "web-1"), ("trace.id", Value::String(id(n).into())));
    // The same process ids at the same time on two hosts and in two programs.
    let process = |n: u64| {
        let place = [("cron", "a"), ("cron", "b"), ("mail", "a")][n as usize % 3];
        (place, ("process.pid", Value::Int(1_000 + n as i64 / 3)))
    };
    let of: [(u64, Of<'_>, &str, &str); 4] = [
        (2_003, &order, "order-2003", "labels.order"),
        (2_003, &trace, &id(2_003), "trace.id"),
        (2_003, &process, "1667", "process.pid of mail"),
        (2_001, &process, "1667", "process.pid of cron"),
    ];
    for (failing, of, key, name) in of {
        let dir = tempfile::tempdir().unwrap();
        let session_keys = vec!["labels.order".to_owned()];
        let service = Service::open(Config { session_keys, ..config(dir.path()) }).unwrap();
        analyze(&service, tasks(0, 2_000, &[], of));
        let said = flagged(&analyze(&service, tasks(2_000, 200, &[failing], of)));
        assert!(!of_session(&said, key).is_empty(), "{name}: {said:#?}");
        let others: Vec<_> = said.iter().filter(|said| !said.contains(key)).collect();
        assert!(others.len() <= 2, "{name}: {others:#?}");
        let session = strange(&service, key);
        let length = tasks(failing, 1, &[failing], of).len() as u64;
        assert_eq!((session.kind.as_str(), session.events), (name, length), "{name}: {session:?}");
        assert!(session.reasons[0].contains("gave up on a piece"), "{name}: {session:?}");
        assert_eq!(service.strange_sessions().len(), 1, "{name}");
    }
}

#[test]
fn what_never_ends_is_told_of_once_it_was_silent_for_too_long_in_event_time() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    let mut stream = learned(&service);
    let mut steps = steps(1);
    steps.truncate(4);
    let key = stream.request(steps);
    analyze(&service, stream.ordinary(10).take());
    let known = |service: &Service| service.strange_sessions().iter().any(|session| session.key == key);
    let ended = service.stats().ended_sessions;
    assert!(!known(&service), "it may yet go on");
    assert!(analyze(&service, Vec::new()).is_empty() && !known(&service), "only events move the time on");
    analyze(&service, stream.ordinary(200).take());
    let session = strange(&service, &key);
    assert_eq!((session.end, session.events), (SessionEnd::Silent, 4));
    let reasons = session.reasons.join("; ");
    assert!(reasons.contains("closed") && reasons.contains("does not occur"), "{reasons}");
    assert!(service.stats().ended_sessions >= ended + 150);
}

#[test]
fn what_keeps_coming_stops_being_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    let mut stream = learned(&service);
    let mut told = Vec::new();
    for _ in 0..20 {
        for n in 0..100 {
            let mut steps = steps(n);
            if n % 2 == 0 {
                steps.insert(3, "cache warmed for {}".to_owned());
            }
            stream.request(steps);
        }
        let said = flagged(&analyze(&service, stream.take()));
        told.push(said.iter().filter(|said| said.contains("session ")).count());
    }
    // Of more than a twentieth of all sessions nothing is told any more.
    assert!(told[0] >= 1, "{told:?}");
    assert!(told.iter().sum::<usize>() <= LEARNED as usize / 20 + 10, "{told:?}");
    assert!(told[10..].iter().all(|count| *count == 0), "{told:?}");
}

#[test]
fn a_training_on_request_teaches_sessions_to_a_service_that_saw_none() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    let mut stream = Stream::default();
    let events = stream.ordinary(LEARNED).take();
    service.train(&events).unwrap();
    assert_eq!((service.stats().open_sessions, service.stats().strange_sessions), (0, 0));
    for (name, steps, parts) in wrong() {
        let key = stream.request(steps);
        let said = flagged(&analyze(&service, stream.ordinary(10).take()));
        assert!(of_session(&said, &key).iter().any(|said| said.contains(parts[0])), "{name}: {said:#?}");
        strange(&service, &key);
    }
    let usual = analyze(&service, stream.ordinary(500).take());
    let false_alarms = flagged(&usual);
    assert!(false_alarms.len() <= 3, "{} of {}: {false_alarms:#?}", false_alarms.len(), usual.len());
}

#[test]
fn templates_that_become_one_make_no_session_strange() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    let mut stream = Stream::default();
    let with_cache = |stream: &mut Stream, count: u64| {
        for n in 0..count {
            let mut steps = steps(n);
            steps.insert(3, format!("cache {} hit for {{}}", if n % 2 == 0 { "alpha" } else { "beta" }));
            stream.request(steps);
        }
        stream.take()
    };
    analyze(&service, with_cache(&mut stream, LEARNED));
    assert_eq!(service.stats().strange_sessions, 0, "{:?}", service.strange_sessions());
    let ids: Vec<_> = ["cache alpha", "cache beta"]
        .map(|text| {
            let found = service.templates(text, 10);
            assert_eq!(found.total, 1, "{text}: {found:?}");
            found.templates[0].template.id
        })
        .into();
    let decided = service.decide(&ids, Action::Merge, at(0)).unwrap().operation;
    let merged = decided.result.clone().unwrap().id;
    assert!(service.aliases(merged).contains(&ids[1]));
    let said = flagged(&analyze(&service, with_cache(&mut stream, 400)));
    assert!(said.iter().all(|said| !said.contains("session ")), "{said:#?}");
    assert_eq!(service.stats().strange_sessions, 0, "{:?}", service.strange_sessions());
    // What was learned anew still tells what is wrong.
    for (name, mut steps, parts) in wrong() {
        steps.insert(3, "cache alpha hit for {}".to_owned());
        let key = stream.request(steps);
        let said = flagged(&analyze(&service, with_cache(&mut stream, 20)));
        assert!(of_session(&said, &key).iter().any(|said| said.contains(parts[0])), "{name}: {said:#?}");
    }
}

#[test]
fn a_snapshot_amid_open_sessions_goes_on_with_the_same_verdicts_and_list() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    let mut stream = learned(&service);
    for (_, steps, _) in wrong() {
        stream.ordinary(15).request(steps);
    }
    let events = stream.ordinary(60).take();
    let base = service.snapshot();
    for part in [1, 3, 7, 10] {
        service.restore(&base).unwrap();
        let (before, after) = events.split_at(events.len() * part / 11);
        analyze(&service, before.to_vec());
        // An export leaves a mark in the state that goes out with it.
        let exported = service.export(&service.model().version).unwrap();
        let snapshot = service.snapshot();
        let elsewhere = tempfile::tempdir().unwrap();
        let other = open(elsewhere.path());
        other.import(&exported).unwrap();
        other.activate(&service.model().version).unwrap();
        other.restore(&snapshot).unwrap();
        assert!(other.stats().open_sessions > 0);
        assert_eq!(other.strange_sessions(), service.strange_sessions());
        assert_eq!(other.snapshot(), snapshot);
        let same = |what: &str| {
            assert_eq!(other.strange_sessions(), service.strange_sessions(), "{what}, {part}");
            assert_eq!(other.stats().open_sessions, service.stats().open_sessions, "{what}, {part}");
            assert_eq!(other.snapshot(), service.snapshot(), "{what}, {part}");
        };
        let went_on = analyze(&service, after.to_vec());
        assert_eq!(went_on, analyze(&other, after.to_vec()));
        same("went on");
        assert!(service.strange_sessions().len() >= wrong().len());
        let stats = service.stats();
        service.restore(&snapshot).unwrap();
        assert_eq!(service.stats().ended_sessions, stats.ended_sessions, "counted since the start");
        assert_eq!(went_on, analyze(&service, after.to_vec()));
        same("taken back");
    }
}

/// The bytes with a checksum that fits them.
fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() - 32);
    let checksum = *blake3::hash(&bytes).as_bytes();
    bytes.extend_from_slice(&checksum);
    bytes
}

#[test]
fn a_snapshot_cut_or_altered_anywhere_is_refused_or_read() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    let mut stream = learned(&service);
    for (_, steps, _) in wrong() {
        stream.request(steps);
    }
    analyze(&service, stream.take());
    let next = stream.ordinary(12).take();
    let snapshot = service.snapshot();
    let before = service.strange_sessions();
    assert!(!before.is_empty());
    for length in (0..snapshot.len()).filter(|length| length % 997 == 0 || snapshot.len() - length < 2_000) {
        assert!(service.restore(&snapshot[..length]).is_err(), "cut to {length} bytes");
        // Cut by somebody who seals it again, inside the sessions or what was learned of them.
        if length > 32 && snapshot.len() - length < 200_000 {
            assert!(service.restore(&resealed(snapshot[..length].to_vec())).is_err(), "{length}");
        }
    }
    assert_eq!((service.strange_sessions(), service.snapshot()), (before, snapshot.clone()));
    let (mut read, mut refused) = (0, 0);
    for place in (12..snapshot.len() - 32).step_by(snapshot.len() / 200) {
        for bits in [0x01, 0x80, 0xff] {
            let mut altered = snapshot.clone();
            altered[place] ^= bits;
            assert!(service.restore(&altered).is_err(), "{place}");
            match service.restore(&resealed(altered)) {
                Ok(()) => {
                    read += 1;
                    analyze(&service, next.clone());
                    service.restore(&service.snapshot()).unwrap();
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(read > 10 && refused > 10, "{read} read, {refused} refused");
}

#[test]
fn many_ids_stay_within_the_bound_and_old_ones_make_room() {
    let dir = tempfile::tempdir().unwrap();
    let service = Service::open(Config { sessions_max: 64, ..config(dir.path()) }).unwrap();
    let stream = learned(&service);
    let small = service.snapshot().len();
    // All open at once, none goes on.
    let mut flood = Vec::new();
    let last = stream.next * 900;
    for n in 0..20_000 {
        let mut event =
            Event::new(format!("request {} opened from 10.0.0.1", id(1_000_000 + n)), at(last + n));
        (event.source, event.host) = (Some("shop".into()), Some("web-1".into()));
        flood.push(event);
    }
    analyze(&service, flood);
    let stats = service.stats();
    // What never comes again is no key any more after some thousand, and not followed.
    assert!(stats.open_sessions <= 64 && stats.evicted_sessions > 4_000, "{stats:?}");
    let snapshot = service.snapshot();
    assert!(snapshot.len() < small + (1 << 19), "{} after {small}", snapshot.len());
    service.restore(&snapshot).unwrap();
    assert_eq!(service.stats().open_sessions, 64);
}

#[test]
fn an_id_that_never_ends_is_one_session_of_bounded_size() {
    let dir = tempfile::tempdir().unwrap();
    let service = open(dir.path());
    let mut stream = learned(&service);
    let small = service.snapshot().len();
    let start = stream.next * 900;
    let key = id(5_000_000);
    let texts: Vec<String> = steps(2).into_iter().map(|text| text.replace("{}", &key)).collect();
    const TIMES: u64 = 1_000_000;
    let mut told = 0;
    for part in 0..TIMES / 10_000 {
        let events = (part * 10_000..(part + 1) * 10_000).map(|n| {
            let mut event = Event::new(texts[n as usize % texts.len()].clone(), at(start + n));
            (event.source, event.host) = (Some("shop".into()), Some("web-1".into()));
            event
        });
        told += of_session(&flagged(&analyze(&service, events.collect())), &key).len();
    }
    let session = strange(&service, &key);
    assert_eq!(session.end, SessionEnd::Open);
    assert!((1..=200).contains(&told), "told {told} times");
    let snapshot = service.snapshot();
    assert!(snapshot.len() < small + (1 << 18), "{} after {small}", snapshot.len());
    analyze(&service, stream.ordinary(1_200).take().split_off(9_000));
    assert_eq!(strange(&service, &key).events, TIMES);
}
