//! What becomes of a file, step by step.

use super::*;

#[test]
fn rotation_by_rename_repeats_and_skips_nothing() {
    for restart in [false, true] {
        let mut world = World::new();
        world.append("app.log", "1\n2\n");
        world.look();
        world.append("app.log", "3\n");
        world.rename("app.log", "app.log.1");
        world.append("app.log", "4\n");
        if restart {
            world.restart();
        }
        world.look();
        world.expect(&["1", "2", "3", "4"]);
    }
}

#[test]
fn a_rotated_file_is_read_to_its_end_after_it_was_deleted() {
    let mut world = World::new();
    world.append("app.log", "1\n");
    world.scan();
    world.append("app.log", "2\n");
    fs::remove_file(world.path("app.log")).unwrap();
    world.append("app.log", "3\n");
    world.look();
    world.expect(&["1", "2", "3"]);
}

#[test]
fn what_is_written_to_a_deleted_file_is_read_while_it_is_open() {
    let mut world = World::new();
    let mut file = fs::File::create(world.path("app.log")).unwrap();
    file.write_all(b"1\n").unwrap();
    world.look();
    fs::remove_file(world.path("app.log")).unwrap();
    world.look();
    file.write_all(b"2\n").unwrap();
    world.look();
    world.expect(&["1", "2"]);
}

#[test]
fn truncation_in_place_starts_anew_even_past_the_old_size() {
    for restart in [false, true] {
        let mut world = World::new();
        world.append("app.log", "old\n");
        world.look();
        fs::write(world.path("app.log"), "new and longer\n").unwrap();
        if restart {
            world.restart();
        }
        world.look();
        world.expect(&["old", "new and longer"]);
    }
}

#[test]
fn a_copy_made_by_rotation_is_read_only_where_its_original_was_not() {
    for copy in ["app.log.1", "old/app.log-20261122", "old/app.log", "elsewhere.txt"] {
        for (restart, early, grown) in
            [(false, false, false), (true, false, false), (false, true, false), (false, false, true)]
        {
            let mut world = World::new();
            world.append("app.log", "1\n2\n");
            world.look();
            world.append("app.log", "3\n");
            fs::copy(world.path("app.log"), world.path(copy)).unwrap();
            if early {
                world.look();
            }
            if grown {
                // Written between the copy and the truncation, and read.
                world.append("app.log", "3b\n");
                world.files.see(&world.path("app.log"), &fs::metadata(world.path("app.log")).unwrap());
                world.read();
            }
            fs::write(world.path("app.log"), "4\n").unwrap();
            if restart {
                world.restart();
            }
            world.look();
            world.pass(SETTLED);
            world.expect(if grown { &["1", "2", "3", "3b", "4"] } else { &["1", "2", "3", "4"] });
        }
    }
}

#[test]
fn a_copy_whose_original_stays_is_not_read_again_until_it_becomes_a_log_of_its_own() {
    let mut world = World::new();
    world.append("app.log", "1\n2\n");
    world.look();
    fs::copy(world.path("app.log"), world.path("app.log.bak")).unwrap();
    for _ in 0..10 {
        world.pass(Duration::from_secs(30));
    }
    world.expect(&["1", "2"]);
    world.append("app.log.bak", "of its own\n");
    world.look();
    world.pass(Duration::from_secs(30));
    world.expect(&["1", "2", "1", "2", "of its own"]);
}

#[test]
fn a_file_written_anew_and_renamed_over_is_read_on() {
    for temporary in ["../elsewhere", ".app.log.hJ3kd2", "sedX7aQ", "app.log.tmp"] {
        for early in [false, true] {
            let mut world = World::new();
            world.append("app.log", "1\n2\n3\n");
            world.look();
            fs::write(world.path(temporary), "1\n2\n3\n4\n").unwrap();
            if early {
                world.look();
            }
            world.rename(temporary, "app.log");
            world.look();
            world.pass(SETTLED);
            world.expect(&["1", "2", "3", "4"]);
            world.append("app.log", "5\n");
            world.look();
            world.expect(&["1", "2", "3", "4", "5"]);
        }
    }
}

#[test]
fn what_is_held_for_its_original_is_read_before_a_stop_once_it_is_deleted() {
    for original_stays in [false, true] {
        let mut world = World::new();
        world.append("app.log", "1\n2\n");
        world.look();
        world.append(".app.log.x7Yz2q", "1\n2\n3\n");
        world.look();
        world.expect(&["1", "2"]);
        if original_stays {
            fs::remove_file(world.path(".app.log.x7Yz2q")).unwrap();
        } else {
            world.rename(".app.log.x7Yz2q", "app.log");
            world.rename("app.log", "app.log.1");
            world.append("app.log", "new\n");
            fs::remove_file(world.path("app.log.1")).unwrap();
        }
        world.look();
        world.restart();
        world.look();
        world.expect(if original_stays { &["1", "2", "3"] } else { &["1", "2", "3", "new"] });
    }
}

#[test]
fn two_replacements_between_two_looks_repeat_nothing() {
    for temporary in ["../elsewhere", ".app.log.x7Yz2q", "app.log.tmp"] {
        for (early, time) in [(false, SETTLED), (true, Duration::ZERO), (true, SETTLED)] {
            let mut world = World::new();
            world.append("app.log", "1\n2\n");
            world.look();
            world.append(temporary, "1\n2\n3\n");
            if early {
                world.look();
            }
            world.rename(temporary, "app.log");
            world.append("../second", "1\n2\n3\n4\n");
            world.rename("../second", "app.log");
            world.pass(time);
            world.expect(&["1", "2", "3", "4"]);
        }
    }
}

#[test]
fn a_replacement_that_is_copied_and_truncated_before_the_next_look_repeats_nothing() {
    for (early, late) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut world = World::new();
        world.append("app.log", "1\n2\n");
        world.look();
        world.append(".app.log.x7Yz2q", "1\n2\n3\n");
        if early {
            world.look();
        }
        world.rename(".app.log.x7Yz2q", "app.log");
        fs::copy(world.path("app.log"), world.path("app.log.1")).unwrap();
        if late {
            world.look();
        }
        fs::write(world.path("app.log"), "4\n").unwrap();
        world.look();
        world.pass(SETTLED);
        world.expect(&["1", "2", "3", "4"]);
    }
}

#[test]
fn what_is_written_after_a_truncation_is_not_taken_for_what_its_copy_holds() {
    let mut world = World::new();
    world.append("app.log", "1\n2\n");
    world.look();
    world.append("app.log", "3\n4\n5\n");
    fs::copy(world.path("app.log"), world.path("app.log.1")).unwrap();
    fs::write(world.path("app.log"), "6\n7\n8\n").unwrap();
    world.look();
    world.expect(&["1", "2", "3", "4", "5", "6", "7", "8"]);
}

#[test]
fn a_copy_that_ends_among_what_was_read_since_a_restart_is_known() {
    let mut world = World::new();
    world.append("app.log", "1\n2\n");
    world.look();
    world.restart();
    world.append("app.log", "3\n");
    fs::copy(world.path("app.log"), world.path("app.log.1")).unwrap();
    world.append("app.log", "4\n");
    world.files.see(&world.path("app.log"), &fs::metadata(world.path("app.log")).unwrap());
    world.read();
    fs::write(world.path("app.log"), "5\n").unwrap();
    world.look();
    world.pass(SETTLED);
    world.expect(&["1", "2", "3", "4", "5"]);
}

#[test]
fn a_file_that_is_truncated_right_after_a_start_is_no_other_than_its_copy() {
    for copy in ["app.log.1", "old/app.log.1"] {
        for unsettled in [false, true] {
            let mut world = World::new();
            world.append("app.log", "1\n2\n");
            world.look();
            world.restart();
            if unsettled {
                world.scan();
            } else {
                // Listed before there is a copy, and looked at afterwards.
                world.step();
            }
            fs::copy(world.path("app.log"), world.path(copy)).unwrap();
            fs::write(world.path("app.log"), "3\n4\n").unwrap();
            world.finish();
            world.look();
            world.expect(&["1", "2", "3", "4"]);
        }
    }
}

#[test]
fn a_copy_that_is_seen_after_a_kill_is_known_although_its_original_was_read_on() {
    for times in 1..4 {
        let mut world = World::new();
        let mut expected = Vec::new();
        for time in 0..times {
            let text = format!("{time} a\n{time} b\n");
            world.append("app.log", &text);
            world.look();
            fs::copy(world.path("app.log"), world.path(&format!("../kept{time}"))).unwrap();
            fs::write(world.path("app.log"), "").unwrap();
            expected.extend(text.lines().map(str::to_owned));
        }
        world.append("app.log", "new\n");
        world.look();
        world.restart();
        for time in 0..times {
            world.rename(&format!("../kept{time}"), &format!("app.log.{time}"));
        }
        world.look();
        expected.push("new".to_owned());
        world.expect(&expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn many_files_that_are_truncated_at_once_are_known_by_their_copies() {
    for restart in [false, true] {
        let mut world = World::new();
        let names: Vec<String> = (0..100).map(|number| format!("{number}.log")).collect();
        for name in &names {
            world.append(name, &format!("{name} a\n{name} b\n"));
        }
        world.look();
        for name in &names {
            fs::copy(world.path(name), world.path(&format!("{name}.1"))).unwrap();
            fs::write(world.path(name), format!("{name} c\n")).unwrap();
        }
        if restart {
            world.restart();
        }
        world.look();
        let lines = names.iter().flat_map(|name| ["a", "b", "c"].map(|line| format!("{name} {line}")));
        let lines: Vec<String> = lines.collect();
        world.expect(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn what_one_file_takes_over_from_another_counts_once_it_was_read() {
    let mut world = World::new();
    world.append("app.log", "1\n2\n");
    world.look();
    world.append("app.log", "3\n");
    fs::copy(world.path("app.log"), world.path("../anew")).unwrap();
    world.append("../anew", "4\n");
    world.rename("../anew", "app.log");
    world.scan();
    // Both positions are noted, and nothing was read on.
    while !matches!(world.stage, Stage::Read(_)) {
        world.step();
    }
    world.expect(&["1", "2"]);
    world.restart();
    world.look();
    world.expect(&["1", "2", "3", "4"]);
}

#[test]
fn an_editor_that_keeps_a_backup_while_it_writes_repeats_nothing() {
    for (early, restart) in [(false, false), (true, false), (false, true)] {
        let mut world = World::new();
        world.append("app.log", "1\n2\n3\n");
        world.look();
        world.rename("app.log", "app.log~");
        if early {
            world.look();
        }
        world.append("app.log", "1\n2\n");
        if early {
            world.look();
        }
        world.append("app.log", "3\n4\n");
        if restart {
            world.restart();
        }
        world.look();
        fs::remove_file(world.path("app.log~")).unwrap();
        world.look();
        world.pass(SETTLED);
        world.expect(&["1", "2", "3", "4"]);
    }
}

#[test]
fn two_logs_that_begin_with_the_same_line_are_both_read_at_once() {
    let mut world = World::new();
    world.append("app.log", "begun\na\n");
    world.look();
    world.append("app-b.log", "begun\n");
    world.look();
    world.append("app-b.log", "b\n");
    world.look();
    world.expect(&["begun", "a", "begun", "b"]);
    fs::write(world.path("app.log"), "begun\nc\n").unwrap();
    world.look();
    world.pass(SETTLED);
    world.expect(&["begun", "a", "begun", "b", "begun", "c"]);
}

#[test]
fn two_logs_with_the_same_banner_part_where_they_differ() {
    let mut world = World::new();
    let banner = "one\ntwo\nthree\n";
    world.append("a.log", banner);
    world.look();
    world.append("b.log", banner);
    world.look();
    world.append("a.log", "a\n");
    world.append("b.log", "b\n");
    world.pass(Duration::from_millis(200));
    world.expect(&["one", "two", "three", "a", "one", "two", "three", "b"]);
}

#[test]
fn a_last_line_without_newline_waits_and_is_then_taken() {
    let mut world = World::new();
    world.append("app.log", "whole\npart");
    world.append("other.log", "only part");
    world.look();
    world.pass(WAIT - Duration::from_secs(1));
    world.append("app.log", "ly");
    world.look();
    world.expect(&["whole"]);
    world.pass(Duration::from_secs(2));
    world.expect(&["whole", "only part"]);
    world.pass(WAIT);
    world.expect(&["whole", "only part", "partly"]);
}

#[test]
fn the_rest_of_a_line_longer_than_a_turn_is_skipped() {
    let mut world = World::new();
    world.append("app.log", &format!("{}\nnext\n", "x".repeat(200)));
    world.look();
    world.expect(&[&"x".repeat(64), "next"]);
}

#[test]
fn only_what_is_binary_throughout_is_not_read() {
    let mut world = World::new();
    fs::write(world.path("wtmp"), [[7, 0, 0, 1, 2, 3, 0, 0]; 100].concat()).unwrap();
    fs::write(world.path("a.log.gz"), b"\x1f\x8b\x08\0\0\0\0\0").unwrap();
    world.append("b.log", "one\0NUL\n");
    world.append("c.log.gz", "plain\n");
    let wide: Vec<u8> = "\u{feff}wide 1\nwide 2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(world.path("d.log"), wide).unwrap();
    world.look();
    world.expect(&["one\0NUL", "plain", "wide 1", "wide 2"]);
    let more: Vec<u8> = "wide 3\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::OpenOptions::new().append(true).open(world.path("d.log")).unwrap().write_all(&more).unwrap();
    world.restart();
    world.look();
    world.expect(&["one\0NUL", "plain", "wide 1", "wide 2", "wide 3"]);
}

#[test]
fn a_sparse_file_is_passed_over_at_once() {
    let mut world = World::new();
    let mut file = fs::File::create(world.path("app.log")).unwrap();
    file.write_all(b"before\n").unwrap();
    file.set_len(1 << 40).unwrap();
    world.look();
    world.expect(&["before"]);
    let mut file = fs::OpenOptions::new().append(true).open(world.path("app.log")).unwrap();
    file.write_all(b"behind\n").unwrap();
    world.look();
    world.expect(&["before", "behind"]);
}

#[test]
fn few_open_files_serve_many() {
    let mut world = World::with(8, None);
    let lines: Vec<String> = (0..200).map(|number| format!("line {number}")).collect();
    for (number, line) in lines.iter().enumerate() {
        world.append(&format!("{number}.log"), &format!("{line}\n"));
    }
    world.look();
    world.expect(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let descriptors = fs::read_dir("/proc/self/fd").unwrap().filter_map(Result::ok);
    let dir = world.path("");
    let open = descriptors.filter(|entry| fs::read_link(entry.path()).is_ok_and(|to| to.starts_with(&dir)));
    assert!(open.count() <= 8);
}

#[test]
fn positions_noted_by_earlier_versions_count() {
    let mut world = World::new();
    world.append("app.log", "1\n2\n");
    let id = FileId::of(&fs::metadata(world.path("app.log")).unwrap());
    world.look();
    let mut note = serde_json::to_value(&world.notes[&id]).unwrap();
    assert!(note.as_object_mut().unwrap().remove("first").is_some());
    for later in ["encoding", "before", "former"] {
        assert!(!note.as_object().unwrap().contains_key(later));
    }
    world.notes.insert(id, serde_json::from_value(note).unwrap());
    fs::copy(world.path("app.log"), world.path("app.log.1")).unwrap();
    fs::write(world.path("app.log"), "3\n").unwrap();
    world.restart();
    world.look();
    world.expect(&["1", "2", "3"]);
}

/// Paths that are told of as emptied (e) or gone (g), once a rotation has had its time.
fn tampered(world: &mut World) -> Vec<String> {
    let due = world.files.emptied.due(world.files.now + Duration::from_secs(60));
    let told = |emptied: &emptied::Emptied| {
        let name = emptied.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        format!("{} {name}", if emptied.is_gone { "g" } else { "e" })
    };
    due.iter().map(told).collect()
}

#[test]
fn only_what_leaves_nothing_beside_it_is_told_as_emptied_or_gone() {
    let begun = || {
        let mut world = World::new();
        world.append("app.log", "1\n2\n");
        world.look();
        world
    };
    let settled = |mut world: World| {
        world.look();
        world.look();
        world.look();
        tampered(&mut world)
    };
    let none: [&str; 0] = [];

    let world = begun();
    fs::write(world.path("app.log"), "").unwrap();
    assert_eq!(settled(world), ["e app.log"]);

    let world = begun();
    fs::write(world.path("app.log"), "other\n").unwrap();
    assert_eq!(settled(world), ["e app.log"], "written anew");

    let mut world = begun();
    fs::write(world.path("app.log"), "").unwrap();
    world.restart();
    assert_eq!(settled(world), ["e app.log"], "while it was stopped");

    let world = begun();
    fs::remove_file(world.path("app.log")).unwrap();
    assert_eq!(settled(world), ["g app.log"]);

    let mut world = begun();
    world.append("app.log", "3\n");
    world.look();
    assert_eq!(settled(world), none, "it grows");

    let world = begun();
    fs::copy(world.path("app.log"), world.path("app.log.1")).unwrap();
    fs::write(world.path("app.log"), "").unwrap();
    assert_eq!(settled(world), none, "copied and truncated");

    let world = begun();
    world.rename("app.log", "app.log.1");
    world.append("app.log", "3\n");
    assert_eq!(settled(world), none, "renamed and made anew");

    let mut world = begun();
    world.rename("app.log", "app.log.1");
    world.append("app.log", "3\n");
    world.look();
    fs::write(world.path("app.log.1.gz"), "packed").unwrap();
    fs::remove_file(world.path("app.log.1")).unwrap();
    assert_eq!(settled(world), none, "packed");
}
