//! Which places of a line vary, and as what: lines with their variables marked as `«kind text»`.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use template::{Config, Miner};

/// The line with what was found in it marked.
fn marked(line: &str) -> String {
    let mut variables = Vec::new();
    Miner::new(Config::default()).mine(line, &mut variables);
    let (mut out, mut at) = (String::new(), 0);
    for variable in variables {
        out.push_str(&line[at..variable.start as usize]);
        out.push_str(&format!("«{} {}»", variable.kind.as_str(), variable.of(line)));
        at = variable.end as usize;
    }
    out + &line[at..]
}

/// Finds in each line, without its marks, what is marked: as it stands, and behind and before other words.
fn check(lines: &[&str]) {
    for marked_line in lines {
        let mut line = (*marked_line).to_owned();
        while let Some((before, rest)) = line.clone().split_once('«') {
            let (inside, behind) = rest.split_once('»').unwrap();
            line = format!("{before}{}{behind}", inside.split_once(' ').unwrap().1);
        }
        assert_eq!(marked(&line), *marked_line);
        for (before, behind) in [("then (", ") then"), ("ü: ", "\tso")] {
            let around = format!("{before}{line}{behind}");
            assert_eq!(marked(&around), format!("{before}{marked_line}{behind}"));
        }
    }
}

#[test]
fn quoted_texts() {
    check(&[
        "say \"«* hello world»\" now",
        "say '«* hello world»' now",
        "say '«* a \"b\" c»' now",
        "say \"«* a \\\" b»\" now",
        "say \"«* a b\\\\»\" now",
        "say \"«* both »\" and \"«* b»\"",
        "\"«* first»\" \"«* second»\"",
        "say \"«* 10.0.0.1 or so»\"",
        "say \"«* 5 apples»\"",
        "id \"«int 57»\"",
        "id \"«uuid 123e4567-e89b-12d3-a456-426614174000»\"",
        "at \"«ip 10.0.0.1»\"",
        "at \"«* 10.0.0.1:80»\"",
        // No quotation: apostrophes, nothing inside, a word behind, no end.
        "don't stop, can't go",
        "é'tat d'une",
        "nothing \"\" here",
        "odd \"one\"two",
        "odd \"one\"é",
        "odd \" one\" more",
        "without 'an end",
        "without \"an end\\",
        "without \"an end\\\"",
    ]);
}

#[test]
fn keys_of_objects_are_literal_and_request_lines_are_read() {
    check(&[
        "{\"user\":\"«* ann»\",\"age\":«int 5»}",
        "{\"user name\":\"«* ann»\"}",
        "{\"size (kB)\":\"«* big»\"}",
        "{\"«* user»\" :\"«* ann»\"}",
        "{'«* user»':«int 5»}",
        "{\"k«int 1»\":«int 5»}",
        "\"GET «path /x» HTTP/«num 1.1»\" «int 200»",
        "\"PUT «path /x?y=z» HTTP/«num 1.1»\" «int 200»",
        "\"«* GO /x»\"",
        "\"«* get /x»\"",
        "\"«* GET x»\"",
        "\"«* GETS/x»\"",
        "\"«* GET»\"",
    ]);
}

#[test]
fn values_behind_an_equals_sign() {
    check(&[
        "user=«* root» id=«int 7»",
        "a=«* b»",
        "é=«* b»",
        "_=«* b»",
        "user=«* -x»",
        "=b",
        "a = b",
        "a ==b",
        "file=«* a.b»",
        "file=«* Foo.Bar».",
        "file=.",
        "file=«* x_y\\z»",
        // Where digits and letters alternate, no part of it is worth keeping.
        "id=«* a1-b2-c3»",
        "id=«* é1-2-3»",
        "id=a«int 1»-b«int 2»",
        "id=«int 1»-«int 2»-«int 3»",
        "id a«int 1»-b«int 2»-c«int 3»",
    ]);
}

#[test]
fn addresses() {
    check(&[
        "«ip 10.0.0.1»",
        "«ip 10.0.0.1»:«int 80» up",
        "«ip 10.0.0.1»/«int 24» up",
        "«ip 10.0.0.1». Up",
        "«ip 255.255.255.255» up",
        "«int 256».«int 0».«int 0».«int 1» up",
        "«int 1».«int 2».«int 3» up",
        "ip-«ip 10.0.0.1» up",
        "v.«int 10».«int 0».«int 0».«int 1» up",
        "«ip ::1» is up",
        "(«ip ::1») is up",
        "Foo::bar is up",
        "std::«int 1» is up",
        "«ip fe80::1» up",
        "«ip dead:beef::1» up",
        "«ip 2001:db8::7»: up",
        "«ip fe80::1». Up",
        "«ip ab12::7» up",
        "«ip 1:2:3:4:5:6:7:8» up",
        "ab«int 12»:x up",
        "«int 12»:x up",
        "«* de:ad:be:ef:00:01» up",
        "«* 00:1a:2b:3c:4d:5e» up",
        "abcde:ef up",
        "abc: up",
        "«* ann@example» up",
        "«* ann@example.com»! up",
        "«* a@b» up",
        "@ann up",
        "ann@ up",
        "ann@é up",
    ]);
}

#[test]
fn hosts_and_paths() {
    check(&[
        "«host a.example.com»:«int 443» up",
        "«host a.example.com». Up",
        "«host a.example.com»- up",
        "«host example.com» up",
        "a.example.é up",
        "foo.bar up",
        "«path /var/log/x.log», up",
        "«path /var/log». Up",
        "«path /.ssh/id» up",
        "«path /é» up",
        "«path /_x» up",
        "/«int 5» up",
        "/«int 5»/a up",
        "a / b",
        "«path ./run.sh» up",
        "./ab up",
        "«path ../abc» up",
        "«path ~/abc» up",
        "~/ab up",
        "«path a/b/c» up",
        "«path a/b/c». Up",
        "«path a/b/c»- up",
        "«path a1/b/cd» up",
        "a/b up",
        "abc/def up",
        "«int 1»/«int 2»/«int 3» up",
        "a/«int 1»/b up",
        "see «path http://a.b:80/c?d=e,f» up",
        "see «path http://a.b/c», up",
        "see HTTP:/«path /x» up",
        "see a:«path /b» up",
    ]);
}

#[test]
fn numbers_and_hexadecimal_digits() {
    check(&[
        "«int 5» up",
        "«int 1234» up",
        "«int 12345» up",
        "-«int 5» up",
        "«num 1.5» up",
        "«num 12.5»ms up",
        "«int 5»ms up",
        "«int 5»%, up",
        "x«int 1».«int 5» up",
        "«int 5».x up",
        "blk_-«int 388» up",
        // The digit belongs to the name, where it is one alone and last.
        "ssh2 eth0 up",
        "eth«int 10» up",
        "v«int 1» up",
        "a«int 1»x up",
        "ext«int 3»fs up",
        "«hex deadbeef» up",
        "«hex ABCDEFAB» up",
        "deadbee deadbeefs up",
        "«hex 0x1F» «hex 0X1f» «hex 0xabc» up",
        "«int 0»x up",
        "«int 0»xZZ up",
        "«hex a1b2c3» «hex c0ffee» up",
        "a«int 1»b«int 2»c up",
        "«int 5»-«hex deadbeef» up",
        "«int 5»-deadbee up",
        "«* x1y2z3» up",
        "«* Abcde12fghi3» up",
        "Abcd«int 12»fghi«int 3» up",
        "abcde«int 12»fghi«int 3» up",
        "ABCDE«int 12»FGHI«int 3» up",
        "«uuid 123e4567-e89b-12d3-a456-426614174000» up",
        "«uuid aaaaaaaa-e89b-12d3-a456-426614174000», up",
        "é«int 5» up",
    ]);
}

#[test]
fn times() {
    check(&[
        "at «time 12:34:56» up",
        "at «time 2015-07-29 17:41:44,747» up",
        "at «time 29/Jul/2015:17:41:44 +0000» up",
        "«time Jun 14 15:16:01» up",
        "«time Sat Jun 18 02:23:10 2005» up",
        "«time Sat, 18 Jun 2005 02:23:10» GMT",
        "May be up",
        "MAY «int 14» «time 15:16:01» up",
        "may «int 14» «time 15:16:01» up",
        "Maybe «int 14» up",
    ]);
}

#[test]
fn what_is_past_the_bounds_is_one_text() {
    let letters = |count: usize| "g".repeat(count);
    let numbers = |count: usize| vec!["«int 5»"; count].join(" ");
    for (line, expected) in [
        (letters(8192), letters(8192)),
        (letters(8193), format!("{}«* g»", letters(8192))),
        (format!("{}é", letters(8191)), format!("{}«* é»", letters(8191))),
        (format!("{}é, 5", letters(8190)), format!("{}é«* , 5»", letters(8190))),
        (vec!["5"; 256].join(" "), numbers(256)),
        (format!("{} x", vec!["5"; 256].join(" ")), format!("{}«*  x»", numbers(256))),
        (vec!["5"; 300].join(" "), format!("{}«*  {}»", numbers(256), vec!["5"; 44].join(" "))),
        (
            vec!["5"; 300].join("-"),
            format!("{}«* -{}»", vec!["«int 5»"; 256].join("-"), vec!["5"; 44].join("-")),
        ),
        (format!("\"{}\"", letters(511)), format!("\"«* {}»\"", letters(511))),
        (format!("\"{}\"", letters(512)), format!("\"{}\"", letters(512))),
    ] {
        assert_eq!(marked(&line), expected);
    }
}
