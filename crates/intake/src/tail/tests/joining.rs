//! Lines that wait for those that continue them.

use super::*;

const TRACE: &str = "2026-10-22 21:59:01 ERROR failed\n\tat a.B\n";

/// What would be one event each, as turns gave it.
fn events(world: &World) -> Vec<String> {
    let joining = world.joining.as_ref();
    let zone = jiff::tz::TimeZone::UTC;
    let context = parse::Context { joining, ..parse::Context::new(event::Timestamp::default(), &zone, 4096) };
    let mut events = Vec::new();
    for turn in &world.turns {
        parse::body(parse::Format::Lines, turn, &context, |event| {
            events.push(event.unwrap().original.unwrap().into_owned());
        });
    }
    events
}

#[test]
fn an_event_is_taken_when_another_begins_or_its_time_is_over() {
    let mut world = World::joined();
    world.append("app.log", TRACE);
    world.look();
    world.append("app.log", "\tat a.C\n");
    world.look();
    world.expect(&[]);
    world.append("app.log", "2026-10-22 21:59:02 INFO next\n");
    world.look();
    assert_eq!(events(&world), [format!("{TRACE}\tat a.C")]);
    world.pass(EVENT_WAIT - Duration::from_millis(1));
    assert_eq!(world.turns.len(), 1, "its time is not over");
    world.pass(Duration::from_millis(1));
    assert_eq!(events(&world)[1..], ["2026-10-22 21:59:02 INFO next"]);
}

#[test]
fn an_event_that_grows_waits_from_its_last_line_on() {
    let mut world = World::joined();
    world.append("app.log", TRACE);
    for _ in 0..5 {
        world.look();
        world.files.now += EVENT_WAIT / 2;
        world.append("app.log", "\tb\n");
    }
    world.look();
    world.expect(&[]);
    world.pass(EVENT_WAIT);
    assert_eq!(events(&world), [format!("{TRACE}{}", "\tb\n".repeat(5)).trim_end()]);
}

#[test]
fn a_stop_and_a_kill_have_what_waits_read_again() {
    let mut world = World::joined();
    world.append("app.log", &format!("2026-10-22 21:59:00 INFO first\n{TRACE}"));
    world.look();
    world.expect(&["2026-10-22 21:59:00 INFO first"]);
    world.restart();
    world.append("app.log", "\tat a.C\n2026-10-22 21:59:02 INFO next\n");
    world.look();
    assert_eq!(events(&world)[1..], [format!("{TRACE}\tat a.C")]);
    world.pass(EVENT_WAIT);
    assert_eq!(events(&world).len(), 3);
}

#[test]
fn files_that_are_written_in_turn_are_joined_each_by_itself() {
    let mut world = World::joined();
    for name in ["a.log", "b.log"] {
        world.append(name, &format!("2026-10-22 21:59:01 ERROR {name}\n"));
    }
    world.look();
    for name in ["b.log", "a.log"] {
        world.append(name, &format!("\tat {name}\n"));
        world.look();
    }
    world.pass(EVENT_WAIT);
    let mut found = events(&world);
    found.sort();
    assert_eq!(
        found,
        ["a.log", "b.log"].map(|name| format!("2026-10-22 21:59:01 ERROR {name}\n\tat {name}"))
    );
}

#[test]
fn what_waits_is_taken_when_its_file_is_truncated_or_deleted() {
    for before in ["", "2026-10-22 21:59:00 INFO first\n"] {
        for replace in [
            (|world: &World| {
                fs::write(
                    world.path("app.log"),
                    "2026-10-22 21:59:02 INFO next, and longer than all before it\n",
                )
                .unwrap()
            }) as fn(&World),
            |world| fs::write(world.path("app.log"), "").unwrap(),
            |world| fs::remove_file(world.path("app.log")).unwrap(),
        ] {
            let mut world = World::joined();
            world.append("app.log", &format!("{before}{TRACE}"));
            world.look();
            assert_eq!(world.found.len(), before.lines().count());
            replace(&world);
            world.look();
            assert!(events(&world).contains(&TRACE.trim_end().to_owned()), "{:?}", events(&world));
            // A stop in between changes nothing.
            world.restart();
            world.look();
            world.pass(EVENT_WAIT);
            let next = fs::read_to_string(world.path("app.log")).unwrap_or_default();
            let expected = [before, TRACE, &next].concat();
            world.expect(&expected.lines().collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_copy_is_asked_about_once_its_original_was_read() {
    for truncated in [false, true] {
        let mut world = World::joined();
        world.append("app.log", TRACE);
        world.look();
        fs::copy(world.path("app.log"), world.path("app.log.1")).unwrap();
        if truncated {
            fs::write(world.path("app.log"), "").unwrap();
        }
        // Longer than a copy is left alone, at once.
        world.pass(Duration::from_secs(600));
        world.pass(Duration::from_secs(600));
        world.expect(&TRACE.lines().collect::<Vec<_>>());
    }
}

#[test]
fn a_line_without_its_newline_does_not_end_the_event_before_it() {
    let mut world = World::joined();
    world.append("app.log", &format!("{TRACE}\tat a"));
    world.look();
    world.append("app.log", ".C\n2026-10-22 21:59:02 INFO next\n");
    world.look();
    assert_eq!(events(&world), [format!("{TRACE}\tat a.C")]);
}

#[test]
fn what_is_open_waits_as_long_as_a_line() {
    let next = "2026-10-22 21:59:02 INFO next\n";
    for (begin, rest) in [
        ("2026-10-22 21:59:01 ERROR failed\n\tat a.B\n\tat a", ".C\n\tat a.D\n"),
        ("2026-10-22T21:59:01Z stdout F a\n2026-10-22T21:59:01.123456Z std", "out F \tat b\n"),
        ("<Event>\n<System>\n", "</System>\n</Event>\n"),
        ("{\n  \"message\":\n", "  \"m\"\n}\n"),
        ("__CURSOR=s=1\nMESSAGE=a\n", "PRIORITY=3\n\n"),
        ("__CURSOR=s=1\nMESSA", "GE=a\n\n"),
        ("2026-10-22T21:59:01Z stdout P half\n", "2026-10-22T21:59:01Z stdout F of it\n"),
    ] {
        let mut world = World::joined();
        world.turn_bytes = 1024;
        world.append("app.log", begin);
        world.look();
        world.pass(WAIT - Duration::from_millis(1));
        world.expect(&[]);
        world.append("app.log", &format!("{rest}{next}"));
        world.look();
        world.pass(EVENT_WAIT);
        let whole = events(&world);
        let whole: Vec<_> = whole.iter().map(|event| event.trim_end()).collect();
        assert_eq!(whole, [format!("{begin}{rest}").trim_end(), next.trim_end()]);

        let mut world = World::joined();
        world.turn_bytes = 1024;
        world.append("app.log", begin);
        world.look();
        world.pass(WAIT);
        assert_eq!(world.turns.concat(), begin.as_bytes(), "nobody finishes it: {begin:?}");
    }
}

#[test]
fn a_half_line_that_begins_with_a_time_keeps_no_event_waiting() {
    let mut world = World::joined();
    world.turn_bytes = 1024;
    world.append("app.log", TRACE);
    world.append("app.log", "2026-10-22 21:59:02 INFO it is surely no line of a contai");
    world.look();
    assert_eq!(events(&world), [TRACE.trim_end()]);
    world.append("app.log", "ner\n");
    world.look();
    world.pass(EVENT_WAIT);
    assert_eq!(events(&world)[1..], ["2026-10-22 21:59:02 INFO it is surely no line of a container"]);
}

#[test]
fn an_event_beyond_the_bounds_is_taken_in_parts() {
    let mut world = World::joined();
    world.joining.as_mut().unwrap().lines_max = 4;
    world.restart();
    // Within a turn of 64 bytes.
    world.append("app.log", "a\n\tb\n\tc\n\td\n\te\n\tf\nx\n");
    world.look();
    assert_eq!(events(&world), ["a\n\tb\n\tc\n\td", "\te\n\tf"]);
    // Beyond one.
    world.append("app.log", &"\tmore\n".repeat(100));
    world.look();
    world.pass(EVENT_WAIT);
    assert_eq!(world.found.len(), 107);
}

#[test]
fn wide_characters_and_holes_are_counted_right() {
    let text = "\u{feff}2026-10-22 21:59:01 ERROR é\n\tat a.Ċ\n2026-10-22 21:59:02 INFO n\n";
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut joining = parse::Joining::default();
    let encoding = Encoding::Utf16Le;
    let complete = file::complete(encoding, &wide, &joining).bytes;
    assert_eq!(encoding.decoded(&wide[complete..]), &b"2026-10-22 21:59:02 INFO n\n"[..]);
    joining.presets = false;
    assert_eq!(file::complete(encoding, &wide, &joining).bytes, wide.len());
    let holed = [&b"2026-10-22 21:59:01 a\n"[..], &[0; 9], b"\tb\n2026-10-22 21:59:02 c\n"].concat();
    let complete = file::complete(Encoding::Bytes, &holed, &parse::Joining::default()).bytes;
    assert_eq!(&holed[complete..], b"2026-10-22 21:59:02 c\n");
}
