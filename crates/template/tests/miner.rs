//! The miner through its public interface.

use event::{Variable, VariableKind};
use proptest::prelude::*;
use template::{Config, LoadError, Miner};

fn rebuilt(message: &str, variables: &[Variable]) -> Result<String, TestCaseError> {
    let (mut out, mut at) = (String::new(), 0);
    for variable in variables {
        let (start, end) = (variable.start as usize, variable.end as usize);
        prop_assert!(at <= start && start <= end && end <= message.len(), "{variables:?} in {message:?}");
        prop_assert!(message.is_char_boundary(start) && message.is_char_boundary(end));
        if variable.kind == VariableKind::Integer {
            prop_assert!(variable.of(message).bytes().all(|byte| byte.is_ascii_digit()));
        }
        out.push_str(&message[at..start]);
        out.push_str(variable.of(message));
        at = end;
    }
    out.push_str(&message[at..]);
    Ok(out)
}

fn message() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,120}",
        "([a-f0-9:./@=\"'x-]{1,9}[ ,;:=]?){0,12}",
        "(GET|user|10\\.0\\.0\\.[0-9]|::1|2015-07-29|17:41:44|Jun 14 15:16:01|[éß漢\u{0}\t\"'(){}=:-]| ){0,14}",
    ]
}

fn learned(messages: &[String], config: Config) -> Miner {
    let mut miner = Miner::new(config);
    for message in messages {
        miner.mine(message, &mut Vec::new());
    }
    miner
}

proptest! {
    #[test]
    fn text_and_variables_give_back_the_line(messages in prop::collection::vec(message(), 1..20), small: bool) {
        let config = if small { Config { shapes_max: 3, templates_max: 3 } } else { Config::default() };
        let mut miner = Miner::new(config.clone());
        for message in &messages {
            let mut variables = Vec::new();
            miner.mine(message, &mut variables);
            prop_assert_eq!(&rebuilt(message, &variables)?, message);
            prop_assert!(miner.len() <= config.templates_max + 1 && miner.shapes() <= config.shapes_max);
        }
    }

    #[test]
    fn find_answers_as_mine_does(messages in prop::collection::vec(message(), 1..20)) {
        let mut miner = learned(&messages, Config::default());
        for message in &messages {
            let (mut found, mut mined) = (Vec::new(), Vec::new());
            let find = miner.find(message, &mut found).unwrap();
            let mine = miner.mine(message, &mut mined);
            prop_assert_eq!((find.shape, find.template.id), (mine.shape, mine.template.id));
            prop_assert_eq!(found, mined);
            prop_assert!(!mine.is_new);
            prop_assert_eq!(miner.current(mine.template.id), mine.template.id);
        }
    }

    #[test]
    fn saved_and_loaded_is_the_same(messages in prop::collection::vec(message(), 1..30), later in prop::collection::vec(message(), 0..20)) {
        let mut one = learned(&messages, Config::default());
        let bytes = one.save();
        let mut two = Miner::load(&bytes, Config::default()).unwrap();
        prop_assert_eq!(&two.save(), &bytes);
        for message in messages.iter().chain(&later) {
            let (a, b) = (one.mine(message, &mut Vec::new()), two.mine(message, &mut Vec::new()));
            prop_assert_eq!((a.shape, a.template, a.is_new), (b.shape, b.template, b.is_new));
        }
    }

    #[test]
    fn damage_is_refused(messages in prop::collection::vec(message(), 1..4), at: prop::sample::Index, bit in 0u32..8) {
        let bytes = learned(&messages, Config::default()).save();
        let mut flipped = bytes.clone();
        flipped[at.index(bytes.len())] ^= 1u8 << bit;
        prop_assert!(Miner::load(&flipped, Config::default()).is_err());
        prop_assert!(Miner::load(&bytes[..at.index(bytes.len())], Config::default()).is_err());
    }
}

#[test]
fn every_truncation_is_refused() {
    let bytes = learned(&["session 5 opened".to_owned(), "disk full".to_owned()], Config::default()).save();
    for length in 0..bytes.len() {
        assert!(Miner::load(&bytes[..length], Config::default()).is_err(), "cut at {length}");
    }
    assert_eq!(Miner::load(b"something else", Config::default()).unwrap_err(), LoadError::Foreign);
}

#[test]
fn templates_read_well() {
    let cases: &[(&[&str], &str)] = &[
        (
            &[
                "PacketResponder 1 for block blk_388 terminating",
                "PacketResponder 0 for block blk_-695 terminating",
            ],
            "PacketResponder <int> for block blk_<int> terminating",
        ),
        (
            &["Accepted password for root from 10.0.0.1 port 22 ssh2"],
            "Accepted password for root from <ip> port <int> ssh2",
        ),
        (&["request took 12.5 ms"], "request took <num> ms"),
        (&["opened /var/lib/a.db", "opened /tmp/x"], "opened <path>"),
        (&["open=true, name=left", "open=false, name=right"], "open=<*>, name=<*>"),
        (&["at 2015-07-29 17:41:44,747 done"], "at <time> done"),
        (&["id 123e4567-e89b-12d3-a456-426614174000 gone"], "id <uuid> gone"),
        (&["from ::1 and fe80::1 too"], "from <ip> and <ip> too"),
        (&["resolving a.example.com failed"], "resolving <host> failed"),
    ];
    for (messages, text) in cases {
        let mut miner = Miner::new(Config::default());
        let last = messages.iter().map(|message| miner.mine(message, &mut Vec::new()).template.id).last();
        assert_eq!(miner.template(last.unwrap()).unwrap().text, *text);
        assert_eq!(miner.len(), 1);
    }
}

#[test]
fn six_variants_merge_and_old_ids_follow() {
    let users = ["ann", "bob", "cyd", "dan", "eve", "fay", "gus"];
    let mut texts = Vec::new();
    for rotation in 0..users.len() {
        let mut miner = Miner::new(Config::default());
        let mut ids = Vec::new();
        for user in users.iter().cycle().skip(rotation).take(users.len()) {
            let message = format!("Failed password for invalid user {user} from 10.0.0.7 port 4022 ssh2");
            ids.push(miner.mine(&message, &mut Vec::new()).template.id);
        }
        assert_eq!(miner.len(), 1);
        let current = miner.current(ids[0]);
        assert!(ids.iter().all(|id| miner.current(*id) == current && miner.aliases(current).contains(id)));
        texts.push(miner.template(ids[0]).unwrap().text.clone());
    }
    texts.dedup();
    assert_eq!(texts, ["Failed password for invalid user <*> from <ip> port <int> ssh2"]);
}

#[test]
fn variants_met_before_and_after_a_restart_merge() {
    let messages =
        ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot"].map(|name| format!("unit {name} is ready"));
    let whole = learned(&messages, Config::default());
    for cut in 1..messages.len() {
        let mut later =
            Miner::load(&learned(&messages[..cut], Config::default()).save(), Config::default()).unwrap();
        let mut last = None;
        for message in &messages[cut..] {
            last = Some(later.mine(message, &mut Vec::new()).template.text.clone());
        }
        assert_eq!(last.as_deref(), Some("unit <*> is ready"), "loaded behind {cut}");
        assert_eq!(later.save(), whole.save(), "loaded behind {cut}");
    }
}

#[test]
fn the_revision_moves_with_templates_and_not_with_shapes() {
    let line = |name: &str| format!("worker {name} was let go by its supervisor");
    let names = ["anna", "bruno", "clara", "dario", "elena", "fabio", "greta"];
    let mut miner = learned(&names.map(line), Config::default());
    let (revision, shapes) = (miner.revision(), miner.shapes());
    let known = miner.mine(&line("hanno"), &mut Vec::new());
    assert!(!known.is_new && miner.shapes() == shapes + 1, "a shape that was not known");
    assert_eq!(miner.revision(), revision);
    assert!(miner.mine("something else entirely", &mut Vec::new()).is_new);
    assert_ne!(miner.revision(), revision);
}

#[test]
fn endless_novelty_is_bounded() {
    let mut miner = Miner::new(Config { shapes_max: 500, templates_max: 100 });
    let word = |number: u32| {
        (0..6)
            .map(|place| char::from(b'g' + (number.wrapping_mul(2_654_435_761) >> (place * 4) & 15) as u8))
            .collect::<String>()
    };
    for number in 0..20_000 {
        let message = format!("{} {} went {}", word(number), word(number + 7), word(number * 3));
        let mut variables = Vec::new();
        miner.mine(&message, &mut variables);
        assert!(miner.len() <= 101 && miner.shapes() <= 500);
    }
    assert!(miner.save().len() < 1 << 20);
}

#[test]
fn a_megabyte_is_one_message() {
    let mut miner = Miner::new(Config::default());
    for message in ["é5 ".repeat(300_000), "\"".repeat(1 << 20), "a".repeat(1 << 20), "1:".repeat(1 << 19)] {
        let mut variables = Vec::new();
        let mined = miner.mine(&message, &mut variables);
        assert!(variables.len() < 1000);
        assert!(mined.template.text.len() < 20_000);
        assert!(variables.last().is_some_and(|last| last.end as usize == message.len()));
    }
}

#[test]
fn templates_told_by_another_miner_are_known_from_the_first_message_on() {
    let mut taught = Miner::new(Config::default());
    let mut variables = Vec::new();
    let names = ["alder", "birch", "cedar", "elder", "hazel", "linden", "maple"];
    let lines =
        |name: &str| [format!("session opened for {name} by (uid=0)"), format!("disk {name} is full")];
    for line in names.iter().flat_map(|name| lines(name)) {
        taught.mine(&line, &mut variables);
    }
    taught.mine("a secret that is seen once", &mut variables);
    let kept: Vec<_> = taught.templates().filter(|one| !one.text.contains("secret")).cloned().collect();
    let told = taught.distilled(|id| kept.iter().any(|one| one.id == id));
    assert_eq!((told.len(), told.shapes()), (2, 0));
    assert!(kept.iter().all(|one| told.aliases(one.id) == [one.id]), "no traces of what was merged");
    let told = Miner::load(&told.save(), Config::default()).unwrap();

    let mut fresh = Miner::new(Config::default());
    fresh.mine("disk oak is full", &mut variables);
    fresh.adopt(&told);
    for line in lines("yew") {
        assert!(!fresh.mine(&line, &mut variables).is_new, "{line}");
    }
    assert_eq!(fresh.find("disk pine is full", &mut variables).unwrap().template.text, "disk <*> is full");
    assert!(fresh.mine("something else altogether", &mut variables).is_new);
    let once = fresh.len();
    fresh.adopt(&told);
    assert_eq!(fresh.len(), once);

    let mut small = Miner::new(Config { templates_max: 1, ..Config::default() });
    small.adopt(&told);
    assert_eq!(small.len(), 1);
}
