//! What lines are mined to: each row is the lines of one miner and the texts of all its templates.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::BTreeSet;

use template::{Config, Miner};

/// Mines the lines; what each then belongs to must be these templates, and there must be no others.
fn check(rows: &[(&[&str], &[&str])]) {
    for (lines, expected) in rows {
        let mut miner = Miner::new(Config::default());
        let mut variables = Vec::new();
        for line in *lines {
            miner.mine(line, &mut variables);
        }
        let found: BTreeSet<String> = lines
            .iter()
            .map(|line| miner.find(line, &mut variables).unwrap().template.text.clone())
            .collect();
        assert_eq!(found, expected.iter().map(|text| (*text).to_owned()).collect(), "{lines:?}");
        assert_eq!(miner.len(), expected.len(), "{lines:?}");
    }
}

#[test]
fn values_read_as_what_they_have_in_common() {
    check(&[
        (&["took 5 ms", "took 12 ms"], &["took <int> ms"]),
        (&["took 5 ms", "took 1.5 ms"], &["took <num> ms"]),
        (&["took 1.5 ms", "took 5 ms"], &["took <num> ms"]),
        (&["peer 10.0.0.1 left", "peer a.example.com left"], &["peer <*> left"]),
        (&["peer 10.0.0.1:80 left", "peer 10.0.0.2:8080 left"], &["peer <ip>:<int> left"]),
        (&["peer 10.0.0.1:80 left", "peer 10.0.0.2 left"], &["peer <*> left"]),
        (&["done at 5.", "done at 6"], &["done at <int>"]),
        (&["it is done.", "it is done"], &["it is done.", "it is done"]),
        // The sign belongs to a number, the slash to an address, a hyphen between others to neither.
        (&["at -5 now", "at 5 now", "at +7 now"], &["at <int> now"]),
        (&["at -5.5 now"], &["at <num> now"]),
        (&["a-5 now"], &["a-<int> now"]),
        (&["5-7 now"], &["<int>-<int> now"]),
        (&["at _-5 now"], &["at _<int> now"]),
        (&["peer /10.0.0.1 left"], &["peer <ip> left"]),
        (&["peer a/10.0.0.1 left"], &["peer a/<ip> left"]),
    ]);
}

#[test]
fn words_that_are_values_by_their_look() {
    for (one, other) in [
        ("true", "false"),
        ("True", "False"),
        ("null", "NULL"),
        ("None", "nil"),
        ("calc.exe", "run.dll"),
        ("a.jar", "b.log"),
        ("a.conf", "b.xml"),
        ("a.txt", "b.tmp"),
        ("a.json", "b.yaml"),
        ("a.sh", "b.py"),
        ("org.Foo.Bar", "org.Foo.Baz"),
        ("a/b.cd", "e/f.gh"),
        ("ssh2", "tty1"),
    ] {
        check(&[(&[&format!("it was {one} then"), &format!("it was {other} then")], &["it was <*> then"])]);
    }
    for (one, other) in [
        ("truth", "falsehood"),
        ("foo.bar", "foo.baz"),
        (".exe", ".dll"),
        ("exe", "dll"),
        ("a..bar", "b..bar"),
        ("Foo.Bar.", "Foo.Baz."),
        ("a/b", "c/d"),
    ] {
        let lines = [format!("it was {one} then"), format!("it was {other} then")];
        check(&[(&[&lines[0], &lines[1]], &[&lines[0], &lines[1]])]);
    }
}

#[test]
fn long_words_and_long_lines_are_cut() {
    let word = |length: usize| "g".repeat(length);
    let words = |count: usize| vec!["word"; count].join(" ");
    for (line, text) in [
        (format!("a {} b", word(64)), format!("a {} b", word(64))),
        (format!("a {} b", word(65)), "a <*> b".to_owned()),
        (words(96), words(96)),
        (words(97), format!("{}<*>", words(96))),
        (format!("{}, word", words(96)), format!("{}<*>", words(96))),
    ] {
        check(&[(&[&line], &[&text])]);
    }
}

#[test]
fn white_space_and_marks() {
    check(&[
        (&["a  b\tc\n"], &["a b c"]),
        (&[" a b"], &["a b"]),
        (&["a b", "a\u{0}b", "a\tb"], &["a b"]),
        (&["a(b), c", "a (b), c"], &["a(b), c", "a (b), c"]),
    ]);
}

#[test]
fn headers_of_raw_lines() {
    check(&[
        // Host and tag, as RFC 3164 has them.
        (&["Jun 14 15:16:01 combo sshd(pam_unix)[19939]: login failed"], &["<*>: login failed"]),
        (
            &["Jun 14 15:16:01 combo sshd: login failed", "Jun 14 15:16:01 10.0.0.1 su[5]: login failed"],
            &["<*>: login failed"],
        ),
        (&["Jun 14 15:16:01 a:b sshd: login failed"], &["<*>: login failed"]),
        (&["Jun 14 15:16:01 combo sshd:"], &["<*>:"]),
        (&["<13>Jun 14 15:16:01 combo sshd: login failed"], &["<*>: login failed"]),
        (&["1 x Jun 14 15:16:01 combo sshd: login failed"], &["<*>: login failed"]),
        // No host, no tag, or no colon of its own behind the tag.
        (&["Jun 14 15:16:01 combo went down"], &["<time> combo went down"]),
        (&["Jun 14 15:16:01 combo went down: why"], &["<time> combo went down: why"]),
        (&["Jun 14 15:16:01 combo sshd:failed"], &["<time> combo sshd:failed"]),
        (&["Jun 14 15:16:01 combo (: login failed"], &["<time> combo (: login failed"]),
        (&["Jun 14 15:16:01 combo: login failed"], &["<time> combo: login failed"]),
        (&["Jun 14 15:16:01, combo sshd: login failed"], &["<time>, combo sshd: login failed"]),
        (&["Jun 14 15:16:01 combo"], &["<time> combo"]),
        (&["Jun 14 15:16:01"], &["<time>"]),
        (&["combo sshd: login failed"], &["combo sshd: login failed"]),
        (&["a b c d e f g h i j k l m 15:16:01 combo sshd: login failed"], &["<*>: login failed"]),
        (
            &["a b c d e f g h i j k l m n 15:16:01 combo sshd: login failed"],
            &["a b c d e f g h i j k l m n <time> combo sshd: login failed"],
        ),
    ]);
}

#[test]
fn brackets_behind_a_time() {
    check(&[
        (&["[12:34:56] [error] client left"], &["[<time>] [error] client left"]),
        (&["12:34:56 [pool thread-5] INFO started"], &["<time> [<*>] INFO started"]),
        (
            &["12:34:56 [pool thread-5] INFO started", "12:34:56 [other 7 of them] INFO started"],
            &["<time> [<*>] INFO started"],
        ),
        (&["12:34:56 INFO [pool [a] thread-5] started"], &["<time> INFO [<*>] started"]),
        (&["12:34:56 [main-5] INFO started"], &["<time> [main-<int>] INFO started"]),
        (&["12:34:56 [pool thread] INFO started"], &["<time> [pool thread] INFO started"]),
        (&["12:34:56 [pool thread-5 INFO started"], &["<time> [pool thread-<int> INFO started"]),
        (&["12:34:56 pool[of thread-5] started"], &["<time> pool[of thread-<int>] started"]),
        (&["12:34:56 a b c d e f g [h 5] i"], &["<time> a b c d e f g [<*>] i"]),
        (&["12:34:56 a b c d e f g h [h 5] i"], &["<time> a b c d e f g h [h <int>] i"]),
        (&["began [pool thread-5] INFO started"], &["began [pool thread-<int>] INFO started"]),
    ]);
}

#[test]
fn values_behind_an_equals_sign_with_space() {
    check(&[
        (&["user = root", "user = ann"], &["user = <*>"]),
        (&["user =root in"], &["user =<*> in"]),
        (&["user= root in"], &["user= root in"]),
        (&["user = (root)"], &["user = (root)"]),
        (&["(a) = root"], &["(a) = root"]),
        (&["5 = root"], &["<int> = root"]),
        (&["= root"], &["= root"]),
    ]);
}

#[test]
fn units_belong_to_their_amounts() {
    check(&[
        (&["sent 5 bytes now"], &["sent <int> bytes now"]),
        (&["sent 5 bytes now", "sent 7 KB now"], &["sent <*> now"]),
        (&["sent 5 bytes now", "sent 7 bytes now"], &["sent <int> bytes now"]),
        (&["waited 5 s", "waited 5 ms", "waited 2 sec"], &["waited <*>"]),
        (&["sent 5 apples now", "sent 7 pears now"], &["sent <int> apples now", "sent <int> pears now"]),
        (&["sent bytes KB"], &["sent bytes KB"]),
        (&["sent 5 (bytes) now"], &["sent <int> (bytes) now"]),
    ]);
}

#[test]
fn values_side_by_side_are_one() {
    check(&[
        (&["sizes 5, 6 left"], &["sizes <int>, <int> left"]),
        (&["sizes 5, 6 left", "sizes 5, 6, 7 left", "sizes 5 left"], &["sizes <*> left"]),
        (&["at 5 / 6 | 7; 8 now", "at 5 now"], &["at <*> now"]),
        (&["at 5 (6) now", "at 5 now"], &["at <*> now"]),
        (&["at 5 () now", "at 5 now"], &["at <*> now"]),
        (&["at 5 (6) now"], &["at <int> (<int>) now"]),
        (&["at 5 (about) now"], &["at <int> (about) now"]),
        (&["at 5 (about 6) now"], &["at <int> (about <int>) now"]),
        (&["at 5, then"], &["at <int>, then"]),
        (&["at <5 now", "at >5 now", "at 5 now"], &["at <int> now"]),
        (&["at < 5 now"], &["at < <int> now"]),
        (&["at(<5 now"], &["at(<<int> now"]),
        // Where it reads longer than 60 bytes, what it is made of says nothing more.
        (
            &["at 1 2 3 4 5 6 7 8 9 10 now"],
            &["at <int> <int> <int> <int> <int> <int> <int> <int> <int> <int> now"],
        ),
        (&["at 1 2 3 4 5 6 7 8 9 10 11 now"], &["at <*> now"]),
    ]);
}

#[test]
fn six_that_differ_at_one_word_are_one_and_five_are_not() {
    let lines = |form: &str, words: &[&str]| -> Vec<String> {
        words.iter().map(|word| form.replace("WORD", word)).collect()
    };
    let words = ["alder", "birch", "cedar", "elder", "hazel", "linden"];
    for (form, merged) in [
        ("tree WORD fell", true),
        ("WORD fell", true),
        ("a WORD(b)", true),
        // Of one word alone nothing would be left, and a mark is none.
        ("WORD", false),
        ("WORD 5", false),
        ("(WORD)", false),
    ] {
        for count in [5, 6] {
            let lines = lines(form, &words[..count]);
            let mut miner = Miner::new(Config::default());
            let mut new = Vec::new();
            for line in &lines {
                new.push(miner.mine(line, &mut Vec::new()).is_new);
            }
            assert_eq!(new, vec![true; count], "{form}");
            let all: Vec<&str> = miner.templates().map(|one| one.text.as_str()).collect();
            if merged && count == 6 {
                let text = form.replace("WORD", "<*>");
                assert_eq!(all, [&text], "{form}");
                // A seventh is known, at once and under its own words.
                let seventh = form.replace("WORD", "maple");
                assert_eq!(miner.find(&seventh, &mut Vec::new()).unwrap().template.text, text);
                assert!(!miner.mine(&seventh, &mut Vec::new()).is_new);
            } else {
                assert_eq!(all.len(), count, "{form}");
            }
        }
    }
    // At two places, one after the other, and then at three.
    let mut miner = Miner::new(Config::default());
    for word in words {
        for other in words {
            miner.mine(&format!("{word} met {other} today"), &mut Vec::new());
        }
    }
    let all: Vec<&str> = miner.templates().map(|one| one.text.as_str()).collect();
    assert_eq!(all, ["<*> met <*> today"]);
    assert!(miner.find("oak met pine today", &mut Vec::new()).is_some());
    assert!(miner.find("oak met pine yesterday", &mut Vec::new()).is_none());
    assert!(miner.find("oak saw pine today", &mut Vec::new()).is_none());
}

#[test]
fn a_line_that_reads_as_a_template_is_one_with_it() {
    for lines in [["took 5 ms", "took <int> ms"], ["took <int> ms", "took 5 ms"]] {
        check(&[(&lines, &["took <int> ms"])]);
    }
}

#[test]
fn lines_of_many_words_are_looked_for_with_one_word_open() {
    // Up to twenty words, two of them may be others than were ever seen.
    for (more, found) in [(17, true), (18, false)] {
        let line = |one: &str, other: &str| format!("{one} met {other}{}", " then".repeat(more));
        let mut miner = Miner::new(Config::default());
        let words = ["alder", "birch", "cedar", "elder", "hazel", "linden"];
        for one in words {
            for other in words {
                miner.mine(&line(one, other), &mut Vec::new());
            }
        }
        assert_eq!(miner.len(), 1);
        assert_eq!(miner.find(&line("oak", "pine"), &mut Vec::new()).is_some(), found, "{more} more");
    }
}

#[test]
fn shapes_are_let_go_of_and_lines_without_room_get_a_coarser_one() {
    let lines = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
        .map(|word| format!("{word} took 5 ms"));
    // Of four, when it is time, the half seen longest ago; then not before four more messages. The sixth line
    // opened the first word.
    let rows = [
        (1, "5"),
        (2, "5"),
        (3, "5"),
        (4, "5"),
        (3, "5"),
        (4, "5"),
        (4, "seven, 5 ms"),
        (4, "eight, 5 ms"),
        (3, "5"),
    ];
    let mut miner = Miner::new(Config { shapes_max: 4, ..Config::default() });
    for (line, (shapes, expected)) in lines.iter().zip(rows) {
        let mut variables = Vec::new();
        miner.mine(line, &mut variables);
        let values: Vec<&str> = variables.iter().map(|one| one.of(line)).collect();
        assert_eq!((miner.shapes(), values.join(", ").as_str()), (shapes, expected), "{line}");
    }
}

#[test]
fn what_another_miner_merged_is_taken_over_but_no_template_of_ones_own() {
    let line = |name: &str| format!("disk {name} is full");
    let names = ["alder", "birch", "cedar", "elder", "hazel", "linden"];
    let mut taught = Miner::new(Config::default());
    let ids = names.map(|name| taught.mine(&line(name), &mut Vec::new()).template.id);
    let merged = taught.current(ids[0]);
    let mut own = Miner::new(Config::default());
    assert_eq!(own.mine(&line("alder"), &mut Vec::new()).template.id, ids[0]);
    own.adopt(&taught);
    assert_eq!(own.len(), 2);
    assert_eq!(own.current(ids[0]), ids[0], "known as a template of its own");
    for id in &ids[1..] {
        assert_eq!(own.current(*id), merged);
    }
    let found = own.find(&line("maple"), &mut Vec::new()).unwrap();
    assert_eq!(found.template.text, "disk <*> is full");
}

#[test]
fn headers_and_brackets_at_and_beside_their_bounds() {
    let tag = |marks: usize| format!("su{}", "(".repeat(marks));
    let inside = |words: usize| format!("[5{}]", " x".repeat(words));
    for (line, text) in [
        ("15:16:01 a(b(c( sshd: failed".to_owned(), "<*>: failed".to_owned()),
        ("15:16:01 a(b(c(d sshd: failed".to_owned(), "<time> a(b(c(d sshd: failed".to_owned()),
        (format!("15:16:01 combo {}: failed", tag(15)), "<*>: failed".to_owned()),
        (format!("15:16:01 combo {}: failed", tag(16)), format!("<time> combo {}: failed", tag(16))),
        ("15:16:01 combo s: failed".to_owned(), "<time> combo s: failed".to_owned()),
        ("15:16:01 combo 5: failed".to_owned(), "<*>: failed".to_owned()),
        (format!("15:16:01 {} failed", inside(39)), "<time> [<*>] failed".to_owned()),
        (
            format!("15:16:01 {} failed", inside(40)),
            format!("<time> {} failed", inside(40).replace('5', "<int>")),
        ),
        // Sixty bytes of how values read, and sixty-one.
        (
            "at 1 2 3 4 5 6 7 8 9, 10 now".to_owned(),
            "at <int> <int> <int> <int> <int> <int> <int> <int> <int>, <int> now".to_owned(),
        ),
        ("at 1 2 3 4 5 6 7 8, 9, 10 now".to_owned(), "at <*> now".to_owned()),
    ] {
        check(&[(&[&line], &[&text])]);
    }
    check(&[(&["5 bytes left", "7 KB left"], &["<*> left"])]);
}
