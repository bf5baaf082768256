//! The logic of rotation, step by step and at random, against a model that knows every line.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    io::Write,
    path::PathBuf,
};

use proptest::prelude::*;

use super::*;

const WAIT: Duration = Duration::from_secs(3600);

/// A watched directory, what is read of it, and what the journal would hold.
struct World {
    dir: tempfile::TempDir,
    area: Area,
    files: Files,
    notes: HashMap<FileId, Position>,
    found: Vec<String>,
}

impl World {
    fn new() -> Self {
        Self::with_open_max(64)
    }

    fn with_open_max(open_max: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("logs/old")).unwrap();
        let area = Area::dir(dir.path().join("logs"));
        let files = Self::files(&area, Vec::new(), open_max);
        Self { dir, area, files, notes: HashMap::new(), found: Vec::new() }
    }

    fn files(area: &Area, notes: Vec<(FileId, Position)>, open_max: usize) -> Files {
        let gate =
            Gate { links: Symlinks::Owner, link_age: Duration::ZERO, areas: vec![area.clone()].into() };
        Files::new(notes, gate, open_max, WAIT)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("logs").join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let mut file = fs::OpenOptions::new().append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn scan(&mut self) {
        self.area.walk(&self.path(""), true, &mut |path, metadata| self.files.see(path, metadata));
        self.files.scanned(Duration::from_secs(60));
    }

    /// Everything that can be read now, as if each turn had become durable.
    fn read(&mut self) {
        for _ in 0..100 {
            self.files.settle();
            for id in std::mem::take(&mut self.files.moved) {
                self.notes.insert(id, self.files.by_id[&id].position.clone());
            }
            if std::mem::take(&mut self.files.rescan) {
                self.scan();
                continue;
            }
            let ready = self.files.ready();
            if ready.is_empty() {
                return;
            }
            for id in ready {
                match self.files.turn(id, 64).unwrap() {
                    Turn::Lines { bytes, skip, position } => {
                        let lines = position.encoding.decoded(&bytes[skip..]).into_owned();
                        let lines = String::from_utf8_lossy(&lines);
                        self.found.extend(lines.lines().map(str::to_owned));
                        self.notes.insert(id, position.clone());
                        self.files.advance(id, position, &bytes);
                    }
                    Turn::Hole(position) => self.files.advance(id, position, &[]),
                    Turn::Nothing | Turn::Replaced => {}
                }
            }
        }
        panic!("reading does not come to an end");
    }

    fn look(&mut self) {
        self.scan();
        self.read();
    }

    fn pass(&mut self, time: Duration) {
        self.files.now += time;
        self.look();
    }

    fn restart(&mut self) {
        let now = self.files.now;
        self.files = Self::files(&self.area, self.notes.clone().into_iter().collect(), 64);
        self.files.now = now;
    }

    #[track_caller]
    fn expect(&self, expected: &[&str]) {
        let mut found: Vec<&str> = self.found.iter().map(String::as_str).collect();
        let mut expected = expected.to_vec();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }
}

const SETTLED: Duration = Duration::from_secs(3);

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
    let mut world = World::with_open_max(8);
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
    assert!(!note.as_object().unwrap().contains_key("encoding"));
    world.notes.insert(id, serde_json::from_value(note).unwrap());
    fs::copy(world.path("app.log"), world.path("app.log.1")).unwrap();
    fs::write(world.path("app.log"), "3\n").unwrap();
    world.restart();
    world.look();
    world.expect(&["1", "2", "3"]);
}

/// What may happen to a log.
#[derive(Debug, Clone)]
enum Step {
    Write(usize),
    Other(usize),
    Rename { late: bool },
    Copy { below: bool, look: bool },
    RenameOver { name: usize, look: bool },
    Edit { look: bool },
    DeleteOldest,
    Look,
    Pass(u64),
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (2..5usize).prop_map(Step::Write),
        2 => (2..4usize).prop_map(Step::Other),
        3 => any::<bool>().prop_map(|late| Step::Rename { late }),
        2 => any::<(bool, bool)>().prop_map(|(below, look)| Step::Copy { below, look }),
        2 => (0..4usize, any::<bool>()).prop_map(|(name, look)| Step::RenameOver { name, look }),
        1 => any::<bool>().prop_map(|look| Step::Edit { look }),
        2 => Just(Step::DeleteOldest),
        5 => Just(Step::Look),
        2 => prop_oneof![Just(1u64), Just(3), Just(11)].prop_map(Step::Pass),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..40)
}

/// Carries out steps, and knows of every line whether it must be found.
struct Play {
    world: World,
    header: String,
    lines: usize,
    rotated: Vec<String>,
    generations: usize,
    /// Lines that stood in a watched file when it was looked at.
    due: BTreeSet<String>,
}

impl Play {
    fn write(&mut self, name: &str, count: usize) {
        let mut text = String::new();
        if fs::metadata(self.world.path(name)).map_or(0, |metadata| metadata.len()) == 0 {
            text.push_str(&self.header);
        }
        for _ in 0..count {
            self.lines += 1;
            text.push_str(&format!("line {}\n", self.lines));
        }
        self.world.append(name, &text);
    }

    fn note_due(&mut self) {
        for dir in ["", "old"] {
            for entry in fs::read_dir(self.world.path(dir)).unwrap() {
                let text = fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
                self.due.extend(text.lines().filter(|line| line.starts_with("line ")).map(str::to_owned));
            }
        }
    }

    fn look(&mut self) {
        self.note_due();
        self.world.look();
    }

    fn maybe_look(&mut self, look: bool) {
        if look {
            self.look();
        }
    }

    fn new_name(&mut self, below: bool) -> String {
        self.generations += 1;
        let name = format!("{}app.log.{}", if below { "old/" } else { "" }, self.generations);
        self.rotated.push(name.clone());
        name
    }

    fn take(&mut self, step: &Step) {
        let has_log = !self.world.text("app.log").is_empty();
        if matches!(step, Step::Copy { .. } | Step::RenameOver { .. } | Step::Edit { .. }) {
            // What two of these leave between two looks cannot always be told apart.
            self.look();
        }
        match step {
            Step::Write(count) => self.write("app.log", *count),
            Step::Other(count) => self.write("app-other.log", *count),
            Step::Rename { late } if has_log => {
                let name = self.new_name(false);
                self.world.rename("app.log", &name);
                if *late {
                    self.write(&name, 1);
                }
                self.write("app.log", 2);
            }
            Step::Copy { below, look } if has_log => {
                let name = self.new_name(*below);
                fs::copy(self.world.path("app.log"), self.world.path(&name)).unwrap();
                self.maybe_look(*look);
                fs::File::create(self.world.path("app.log")).unwrap();
                // Without a look the truncation shows by what is written next.
                self.write("app.log", 2);
            }
            Step::RenameOver { name, look } if has_log => {
                let name = ["../elsewhere", ".app.log.x7Yz2q", "app.log.tmp", "sedQ71"][*name];
                fs::copy(self.world.path("app.log"), self.world.path(name)).unwrap();
                self.write(name, 1);
                self.maybe_look(*look);
                self.world.rename(name, "app.log");
            }
            Step::Edit { look } if has_log => {
                let text = self.world.text("app.log");
                self.world.rename("app.log", "app.log~");
                self.world.append("app.log", &text);
                self.write("app.log", 1);
                self.maybe_look(*look);
                fs::remove_file(self.world.path("app.log~")).unwrap();
            }
            Step::DeleteOldest if !self.rotated.is_empty() => {
                let name = self.rotated.remove(0);
                fs::remove_file(self.world.path(&name)).unwrap();
            }
            Step::Look => self.look(),
            Step::Pass(seconds) => {
                self.note_due();
                self.world.pass(Duration::from_secs(*seconds));
            }
            Step::Restart => {
                // What is due is durable: a stop reads no further.
                self.look();
                self.world.restart();
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn every_line_is_found_exactly_once(steps in steps(), header in 0..3usize) {
        let header = ["", "begun\n", "begun\nand ready\n"][header].to_owned();
        let mut play = Play {
            world: World::new(),
            header,
            lines: 0,
            rotated: Vec::new(),
            generations: 0,
            due: BTreeSet::new(),
        };
        for step in &steps {
            play.take(step);
        }
        play.look();
        for _ in 0..3 {
            play.world.pass(Duration::from_secs(11));
        }
        let mut found = BTreeMap::<&str, usize>::new();
        for line in play.world.found.iter().filter(|line| line.starts_with("line ")) {
            *found.entry(line).or_default() += 1;
        }
        let twice: Vec<_> = found.iter().filter(|(_, count)| **count > 1).collect();
        prop_assert!(twice.is_empty(), "twice: {twice:?}");
        let missing: Vec<_> = play.due.iter().filter(|line| !found.contains_key(line.as_str())).collect();
        prop_assert!(missing.is_empty(), "missing: {missing:?}");
    }
}
