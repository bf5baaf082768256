//! What operations are refused, at and beside each limit, and how their file is read.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use event::{TemplateId, Timestamp};
use template::{
    Action, Config, EXAMPLE_BYTES_MAX, LoadError, MERGED_MAX, Miner, NAME_BYTES_MAX, OperationError,
    Operations, Split,
};

fn mine(miner: &mut Miner, line: &str) -> TemplateId {
    miner.mine(line, &mut Vec::new()).template.id
}

fn act(miner: &mut Miner, ids: &[TemplateId], action: Action) {
    let operations = miner.plan(ids, action, Timestamp::MIN).unwrap();
    miner.set_operations(operations);
}

fn example(line: &str) -> Action {
    Action::Split(Split::Example(line.to_owned()))
}

fn variable(number: usize) -> Action {
    Action::Split(Split::Variable(number))
}

/// What each action would be answered; nothing is done.
fn check(miner: &Miner, id: TemplateId, rows: &[(Action, Option<OperationError>)]) {
    for (action, error) in rows {
        let planned = miner.plan(&[id], action.clone(), Timestamp::MIN);
        assert_eq!(planned.as_ref().err(), error.as_ref(), "{action:?}");
        if let Ok(operations) = planned {
            assert_eq!(operations.len(), miner.operations().len() + 1);
            assert_eq!(operations.iter().last().map(|operation| &operation.action), Some(action));
        }
    }
}

#[test]
fn names_at_and_beside_their_limits() {
    let mut miner = Miner::new(Config::default());
    let id = mine(&mut miner, "disk 5 full");
    let name = |name: &str| Action::Name(name.to_owned());
    check(
        &miner,
        id,
        &[
            (name("x"), None),
            (name(" x "), None),
            (name(&"x".repeat(NAME_BYTES_MAX)), None),
            (name(&"x".repeat(NAME_BYTES_MAX + 1)), Some(OperationError::Name)),
            (name(""), Some(OperationError::Name)),
            (name("\u{7f}"), Some(OperationError::Name)),
        ],
    );
    let unknown = TemplateId::of("unknown");
    check(&miner, unknown, &[(name("x"), Some(OperationError::UnknownTemplate(unknown)))]);
    assert_eq!(miner.plan(&[], Action::Pin, Timestamp::MIN).unwrap_err(), OperationError::Count);
    let called = [name("x"), Action::Pin, variable(1), Action::Merge].map(|action| action.as_str());
    assert_eq!(called, ["name", "pin", "split", "merge"]);
}

#[test]
fn splits_at_and_beside_their_limits() {
    let mut miner = Miner::new(Config::default());
    let id = mine(&mut miner, "disk /a of 10.0.0.1 full at 5");
    let asked = |asked| Some(OperationError::Variable { template: id, asked, has: 3 });
    let line = |length: usize| format!("disk /{} of 10.0.0.1 full at 5", "g".repeat(length - 1));
    let long = |length: usize| {
        let digits = length - "disk /a of 10.0.0.1 full at ".len();
        format!("disk /a of 10.0.0.1 full at {}", "5".repeat(digits))
    };
    let other = Some(OperationError::Example("it is of another template"));
    check(
        &miner,
        id,
        &[
            (variable(0), asked(0)),
            (variable(1), None),
            (variable(3), None),
            (variable(4), asked(4)),
            (example("disk /a of 10.0.0.1 full at 5"), None),
            (example("disk /a of 10.0.0.1 full"), other.clone()),
            (example("door open"), other),
            (example(&line(64)), None),
            (example(&line(65)), None),
            (example(&long(EXAMPLE_BYTES_MAX)), None),
            (
                example(&long(EXAMPLE_BYTES_MAX + 1)),
                Some(OperationError::Example("it has more than 4,096 bytes")),
            ),
        ],
    );
    // A value that is too long is left open: with it alone there is nothing to split.
    let path = mine(&mut miner, "opened /a");
    let opened = |length: usize| example(&format!("opened /{}", "g".repeat(length - 1)));
    let nothing = OperationError::Example("nothing in it varies that has at most 64 bytes");
    check(&miner, path, &[(opened(64), None), (opened(65), Some(nothing.clone()))]);
    let fixed = mine(&mut miner, "door open");
    check(
        &miner,
        fixed,
        &[
            (example("door open"), Some(nothing)),
            (variable(1), Some(OperationError::Variable { template: fixed, asked: 1, has: 0 })),
        ],
    );
    act(&mut miner, &[path], variable(1));
    let part = mine(&mut miner, "opened /b");
    assert_eq!(
        mine(&mut miner, &format!("opened /{}", "g".repeat(63))),
        TemplateId::of(&format!("opened /{}", "g".repeat(63)))
    );
    assert_eq!(mine(&mut miner, &format!("opened /{}", "g".repeat(64))), path);
    check(
        &miner,
        part,
        &[
            (variable(1), Some(OperationError::Part(part))),
            (example("opened /b"), Some(OperationError::Part(part))),
        ],
    );
    let merge = miner.plan(&[fixed, part], Action::Merge, Timestamp::MIN);
    assert_eq!(merge.unwrap_err(), OperationError::Part(part));
    check(&miner, path, &[(variable(1), Some(OperationError::SplitAlready(path)))]);
}

#[test]
fn merges_at_and_beside_their_limits() {
    let mut miner = Miner::new(Config::default());
    // They differ at two words each, so that nothing merges by itself.
    let ids: Vec<TemplateId> = (0..=MERGED_MAX)
        .map(|number| {
            let word: String =
                [number / 20, number % 20].map(|digit| char::from(b'g' + digit as u8)).iter().collect();
            mine(&mut miner, &format!("{word} met {word} here"))
        })
        .collect();
    assert_eq!(miner.len(), ids.len());
    for (count, error) in
        [(1, Some(OperationError::Count)), (MERGED_MAX + 1, Some(OperationError::Count)), (MERGED_MAX, None)]
    {
        let planned = miner.plan(&ids[..count], Action::Merge, Timestamp::MIN);
        assert_eq!(planned.err(), error, "{count}");
    }
}

#[test]
fn a_merge_takes_words_and_values_and_keeps_what_is_the_same() {
    let rows: [(&str, &str, Result<&str, ()>); 8] = [
        ("queue alpha is full", "queue beta is full", Ok("queue <*> is full")),
        ("took 5 at home", "took long at home", Ok("took <*> at home")),
        ("queue alpha is 5", "queue beta is 7.5", Ok("queue <*> is <num>")),
        ("queue alpha, full", "queue beta, empty", Ok("queue <*>, <*>")),
        ("queue alpha, full", "queue beta; full", Err(())),
        ("queue alpha full", "queue beta (full", Err(())),
        ("queue alpha full", "queue beta full now", Err(())),
        ("queue (alpha)", "queue(alpha)", Err(())),
    ];
    for (one, other, result) in rows {
        let mut miner = Miner::new(Config::default());
        let ids = [one, other].map(|line| mine(&mut miner, line));
        let planned = miner.plan(&ids, Action::Merge, Timestamp::MIN);
        match result {
            Ok(text) => {
                miner.set_operations(planned.unwrap());
                for line in [one, other] {
                    assert_eq!(mine(&mut miner, line), TemplateId::of(text), "{line}");
                }
                assert_eq!(miner.len(), 1);
            }
            Err(()) => assert_eq!(planned.unwrap_err(), OperationError::Shape(ids[0], ids[1]), "{one}"),
        }
    }
}

/// Saved bytes with one changed, and the checksum that belongs to that.
fn changed(bytes: &[u8], at: usize, to: u8) -> Vec<u8> {
    let mut bytes = bytes[..bytes.len() - 16].to_vec();
    bytes[at] = to;
    let checksum = blake3::hash(&bytes);
    bytes.extend_from_slice(&checksum.as_bytes()[..16]);
    bytes
}

#[test]
fn the_file_is_laid_out_as_documented_and_wrong_ones_are_refused() {
    let mut miner = Miner::new(Config::default());
    let id = mine(&mut miner, "a 5");
    act(&mut miner, &[id], Action::Split(Split::Example("a 5".to_owned())));
    let bytes = miner.operations().save();
    let mut expected = b"LSTMPOP\0\x01\0\0\0".to_vec();
    // The next operation, and one: its id, when, what, with the example and no variable.
    expected.extend([2, 1, 1]);
    expected.extend(Timestamp::MIN.as_nanos().to_le_bytes());
    expected.extend(b"\x03\x03a 5\x00");
    // Of one template, not derived, with two tokens; one place, the second token, with a value.
    let templates = expected.len();
    expected.extend(b"\x01\x00\x02\x00\x01a\x03\x05<int>");
    let places = expected.len();
    expected.extend(b"\x01\x01\x01\x015");
    assert_eq!(bytes[..bytes.len() - 16], expected);
    let damaged = LoadError::Damaged("operations");
    for (at, to, error) in [
        (0, b'X', LoadError::Foreign),
        (8, 0, LoadError::Version { found: 0, known: 1 }),
        (8, 2, LoadError::Version { found: 2, known: 1 }),
        (12, 1, damaged),
        (13, 2, damaged),
        (14, 0, damaged),
        (14, 2, damaged),
        (23, 0, damaged),
        (23, 1, damaged),
        (23, 4, damaged),
        (23, 5, damaged),
        (templates, 0, damaged),
        (templates, 2, damaged),
        (templates + 1, 2, damaged),
        (places, 0, damaged),
        (places + 1, 0, damaged),
        (places + 1, 2, damaged),
        (places + 2, 2, damaged),
    ] {
        let found = Operations::load(&changed(&bytes, at, to)).map(|operations| operations.len());
        let found = found.unwrap_err();
        assert!(
            found == error || (at == places && found == LoadError::Damaged("end")),
            "{to} at {at}: {found:?}"
        );
    }
    for (at, to) in [(12, 3), (23, 2), (templates + 1, 1)] {
        assert!(Operations::load(&changed(&bytes, at, to)).is_ok(), "{to} at {at}");
    }
}
