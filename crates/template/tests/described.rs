//! What is said of templates after each operation, and that saving and loading changes none of it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use event::{TemplateId, Timestamp};
use template::{Action, Config, Described, LoadError, Merged, Miner, Operations, Split};

fn mine(miner: &mut Miner, line: &str) -> TemplateId {
    miner.mine(line, &mut Vec::new()).template.id
}

fn act(miner: &mut Miner, ids: &[TemplateId], action: Action) -> u64 {
    let operations = miner.plan(ids, action, Timestamp::MIN).unwrap();
    miner.set_operations(operations);
    miner.operations().iter().last().unwrap().id
}

fn undo(miner: &mut Miner, operation: u64) {
    let rest = miner.operations().without(operation).unwrap();
    miner.set_operations(rest);
}

fn name(name: &str) -> Action {
    Action::Name(name.to_owned())
}

/// The template of the text with these variables, and nothing said of it.
fn plain(text: &str, variables: &[&str]) -> Described {
    Described {
        template: event::Template::new(text).into(),
        variables: variables.iter().map(|one| (*one).to_owned()).collect(),
        name: None,
        pinned: false,
        split: false,
        part_of: None,
        aliases: Vec::new(),
    }
}

fn ids(texts: &[&str]) -> Vec<TemplateId> {
    let mut ids: Vec<TemplateId> = texts.iter().map(|text| TemplateId::of(text)).collect();
    ids.sort_unstable();
    ids
}

/// What is known of all templates is this, here and after saving and loading.
fn check(miner: &Miner, expected: &[Described]) {
    let mut loaded = Miner::load(&miner.save(), Config::default()).unwrap();
    loaded.set_operations(Operations::load(&miner.operations().save()).unwrap());
    for miner in [miner, &loaded] {
        let found: Vec<Described> =
            miner.templates().map(|template| miner.describe(template.id).unwrap()).collect();
        assert_eq!(found, expected);
        assert_eq!(miner.len(), expected.len());
        assert!(!miner.is_empty());
        for one in expected {
            for id in one.aliases.iter().chain([&one.template.id]) {
                assert_eq!(miner.describe(*id).as_ref(), Some(one));
                assert_eq!(miner.current(*id), one.template.id);
                assert_eq!(miner.name(*id), one.name.as_deref());
                assert_eq!(miner.is_pinned(*id), one.pinned);
            }
            let with_aliases: Vec<TemplateId> =
                [one.template.id].into_iter().chain(one.aliases.iter().copied()).collect();
            assert_eq!(miner.aliases(one.template.id), with_aliases);
            let origin = one.part_of.map(|id| miner.aliases(id)).unwrap_or_default();
            assert_eq!(miner.forebears(one.template.id), [with_aliases, origin].concat());
        }
        let merged: Vec<Merged> = expected
            .iter()
            .filter(|one| !one.aliases.is_empty())
            .map(|one| Merged { template: one.template.clone(), ids: one.aliases.clone() })
            .collect();
        assert_eq!(miner.merged(), merged);
        let named = expected.iter().filter_map(|one| Some((one.template.id, one.name.as_deref()?)));
        assert_eq!(miner.names(), named.collect());
    }
}

#[test]
fn a_miner_that_knows_nothing() {
    let miner = Miner::new(Config::default());
    assert!(miner.is_empty());
    assert_eq!((miner.len(), miner.shapes(), miner.merged().len(), miner.names().len()), (0, 0, 0, 0));
    let unknown = TemplateId::of("unknown");
    assert_eq!((miner.template(unknown), miner.describe(unknown), miner.name(unknown)), (None, None, None));
    assert_eq!((miner.current(unknown), miner.aliases(unknown)), (unknown, vec![unknown]));
    assert!(!miner.is_pinned(unknown));
    assert!(miner.find("a line", &mut Vec::new()).is_none());
}

#[test]
fn what_was_learned_is_described_with_its_variables() {
    let mut miner = Miner::new(Config::default());
    mine(&mut miner, "took 5 ms for 10.0.0.1:80 here");
    check(&miner, &[plain("took <int> ms for <ip>:<int> here", &["<int> ms", "<ip>:<int>"])]);
    mine(&mut miner, "took 5.5 ms for 10.0.0.1:80 here");
    let widened = Described {
        aliases: ids(&["took <int> ms for <ip>:<int> here"]),
        ..plain("took <num> ms for <ip>:<int> here", &["<num> ms", "<ip>:<int>"])
    };
    check(&miner, std::slice::from_ref(&widened));
    mine(&mut miner, "disk full");
    check(&miner, &[widened, plain("disk full", &[])]);
}

#[test]
fn names_and_pins_are_told_and_taken_back() {
    let mut miner = Miner::new(Config::default());
    let disk = mine(&mut miner, "disk 5 full");
    mine(&mut miner, "door open");
    let (described, other) = (plain("disk <int> full", &["<int>"]), plain("door open", &[]));
    let first = act(&mut miner, &[disk], name("full disk"));
    check(&miner, &[Described { name: Some("full disk".to_owned()), ..described.clone() }, other.clone()]);
    let pin = act(&mut miner, &[disk], Action::Pin);
    let pinned = Described { name: Some("full disk".to_owned()), pinned: true, ..described.clone() };
    check(&miner, &[pinned, other.clone()]);
    undo(&mut miner, first);
    check(&miner, &[Described { pinned: true, ..described.clone() }, other.clone()]);
    undo(&mut miner, pin);
    check(&miner, &[described, other]);
}

#[test]
fn splits_and_their_parts_are_told_and_taken_back() {
    let mut miner = Miner::new(Config::default());
    let whole = mine(&mut miner, "host 10.0.0.1 answered 200 at last");
    let split = act(&mut miner, &[whole], Action::Split(Split::Variable(2)));
    mine(&mut miner, "host 10.0.0.1 answered 200 at last");
    act(&mut miner, &[whole], name("answers"));
    let described = plain("host <ip> answered <int> at last", &["<ip>", "<int>"]);
    let named = Described { name: Some("answers".to_owned()), split: true, ..described.clone() };
    let part = |code: &str| Described {
        part_of: Some(whole),
        ..plain(&format!("host <ip> answered {code} at last"), &["<ip>"])
    };
    check(&miner, &[named.clone(), part("200")]);
    mine(&mut miner, "host 10.0.0.1 answered 503 at last");
    let mut parts = [part("200"), part("503")];
    parts.sort_unstable_by_key(|part| part.template.id);
    check(&miner, &[&[named][..], &parts[..]].concat());
    undo(&mut miner, split);
    let aliases = parts.iter().map(|part| part.template.id).collect();
    check(&miner, &[Described { name: Some("answers".to_owned()), aliases, ..described }]);
}

#[test]
fn merges_are_told_and_taken_back() {
    let mut miner = Miner::new(Config::default());
    let lines = ["queue alpha is full", "queue beta is full"];
    let both = lines.map(|line| mine(&mut miner, line));
    mine(&mut miner, "door open");
    let merge = act(&mut miner, &both, Action::Merge);
    let merged = Described { aliases: ids(&lines), ..plain("queue <*> is full", &["<*>"]) };
    check(&miner, &[plain("door open", &[]), merged.clone()]);
    act(&mut miner, &both[..1], name("queues"));
    check(&miner, &[plain("door open", &[]), Described { name: Some("queues".to_owned()), ..merged }]);
    undo(&mut miner, merge);
    let alone = lines.map(|line| plain(line, &[]));
    let found: Vec<_> = miner.templates().map(|one| miner.describe(one.id).unwrap()).collect();
    assert_eq!(found, [&alone[..], &[plain("door open", &[])]].concat());
}

#[test]
fn templates_past_the_bounds_are_one() {
    // Four fit; room is made by letting go of a quarter, at most once in so many messages as twice as many.
    let mut miner = Miner::new(Config { templates_max: 4, ..Config::default() });
    let lines = ["disk full", "door open", "gate shut", "lamp lit"];
    let known = lines.map(|line| mine(&mut miner, line));
    let rest = TemplateId::of("<*>");
    assert_eq!(miner.template(rest), None);
    for (line, is_new) in [("tree fell 5", true), ("rock fell 7", false), ("hill fell 9", false)] {
        let mut variables = Vec::new();
        let mined = miner.mine(line, &mut variables);
        assert_eq!((mined.template.id, mined.is_new), (rest, is_new), "{line}");
        assert_eq!(variables.iter().map(|one| one.of(line)).collect::<Vec<_>>(), [line]);
        assert_eq!(miner.len(), 5);
    }
    assert_eq!(miner.describe(rest), Some(plain("<*>", &["<*>"])));
    assert_eq!(mine(&mut miner, "hill fell 9"), TemplateId::of("hill fell <int>"));
    assert_eq!(known.map(|id| miner.template(id).is_some()), [false, true, true, true]);
    assert_eq!(miner.len(), 5);
    assert_eq!(mine(&mut miner, "disk full"), rest);
}

/// Saved bytes with some of them changed, and the checksum that belongs to that.
fn changed(bytes: &[u8], at: usize, to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes[..bytes.len() - 16].to_vec();
    bytes.splice(at..at + to.len(), to.iter().copied());
    let checksum = blake3::hash(&bytes);
    bytes.extend_from_slice(&checksum.as_bytes()[..16]);
    bytes
}

#[test]
fn saved_bytes_are_laid_out_as_documented_and_wrong_ones_name_their_place() {
    let mut miner = Miner::new(Config::default());
    mine(&mut miner, "a 5");
    let bytes = miner.save();
    let mut expected = b"LSTMPLT\0\x01\0\0\0".to_vec();
    // Clock, both ageings, nothing past the bounds.
    expected.extend([1, 0, 0, 0]);
    // One template: not open, seen at 1, no aliases, two tokens.
    expected.extend(b"\x01\x00\x01\x00\x02\x00\x01a\x03\x05<int>");
    // One shape, of the first template, seen at 1.
    assert_eq!(bytes[..expected.len()], expected);
    let shapes = expected.len();
    assert_eq!((bytes[shapes], &bytes[shapes + 9..shapes + 11]), (1, &[0, 1][..]));
    assert_eq!(bytes.len(), shapes + 11 + 16);
    for (at, to, error) in [
        (0, &b"X"[..], LoadError::Foreign),
        (8, &[0], LoadError::Version { found: 0, known: 2 }),
        (8, &[3], LoadError::Version { found: 3, known: 2 }),
        (13, &[2], LoadError::Damaged("clock")),
        (14, &[2], LoadError::Damaged("clock")),
        (15, &[2], LoadError::Damaged("clock")),
        (16, &[9], LoadError::Damaged("templates")),
        (17, &[2], LoadError::Damaged("templates")),
        (20, &[40], LoadError::Damaged("templates")),
        (21, &[4], LoadError::Damaged("templates")),
        (22, &[0], LoadError::Damaged("templates")),
        (23, &[0xff], LoadError::Damaged("templates")),
        (shapes, &[2], LoadError::Damaged("shapes")),
        (shapes, &[0], LoadError::Damaged("end")),
        (shapes + 9, &[1], LoadError::Damaged("shapes")),
        (shapes + 10, &[2], LoadError::Damaged("shapes")),
    ] {
        assert_eq!(
            Miner::load(&changed(&bytes, at, to), Config::default()).unwrap_err(),
            error,
            "{to:?} at {at}"
        );
    }
    // What may be otherwise: seen before the last message, aged then, an open template.
    for (at, to) in [(12, 9), (13, 1), (15, 1), (17, 1), (shapes + 10, 0)] {
        assert!(Miner::load(&changed(&bytes, at, &[to]), Config::default()).is_ok(), "{to} at {at}");
    }
}

#[test]
fn of_more_variants_than_merge_the_first_ones_do_once_another_comes() {
    let line = |name: &str| format!("session of {name} was closed");
    let mut miner = Miner::new(Config::default());
    let pinned = mine(&mut miner, &line("ann"));
    let pin = act(&mut miner, &[pinned], Action::Pin);
    for name in ["bob", "cyd", "dan", "eve", "fay"] {
        mine(&mut miner, &line(name));
    }
    assert_eq!(miner.len(), 6, "five and the pinned one");
    undo(&mut miner, pin);
    assert_eq!(miner.len(), 6, "nothing new came");
    let merged = TemplateId::of("session of <*> was closed");
    assert_eq!(mine(&mut miner, &line("gus")), merged);
    assert_eq!((miner.len(), miner.current(pinned)), (2, merged));
    assert_eq!(mine(&mut miner, &line("fay")), TemplateId::of(&line("fay")), "it was the sixth");
}
