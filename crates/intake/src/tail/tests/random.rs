//! Rotation at random, against a model that knows every line.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// What may happen to a log.
#[derive(Debug, Clone)]
enum Step {
    Write(usize),
    Other(usize),
    Rename {
        late: bool,
    },
    Copy {
        below: bool,
        look: bool,
    },
    RenameOver {
        name: usize,
        look: bool,
    },
    Edit {
        look: bool,
    },
    DeleteOldest,
    Look,
    Pass(u64),
    /// So many things of what is done in turn.
    Part(usize),
    Restart,
    Kill,
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
        4 => (1..16usize).prop_map(Step::Part),
        1 => Just(Step::Restart),
        2 => Just(Step::Kill),
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
    /// A file was truncated, or waits for another, and was not looked at since.
    is_copy_unseen: bool,
}

impl Play {
    fn write(&mut self, name: &str, count: usize) {
        let mut text = String::new();
        if fs::metadata(self.world.path(name)).map_or(0, |metadata| metadata.len()) == 0 {
            text.push_str(&self.header);
        }
        for _ in 0..count {
            self.lines += 1;
            // Some continue the line before, when those that belong together are one event.
            let indent = if self.lines.is_multiple_of(3) { "  " } else { "" };
            text.push_str(&format!("{indent}line {}\n", self.lines));
        }
        self.world.append(name, &text);
    }

    /// The lines that stand in watched files.
    fn standing(&self) -> BTreeSet<String> {
        let dirs = ["", "old"].map(|dir| fs::read_dir(self.world.path(dir)).unwrap());
        let texts = dirs.into_iter().flatten().map(|entry| fs::read_to_string(entry.unwrap().path()));
        let texts: Vec<String> = texts.filter_map(Result::ok).collect();
        let lines = texts.iter().flat_map(|text| text.lines());
        lines.filter(|line| line.contains("line ")).map(str::to_owned).collect()
    }

    fn note_due(&mut self) {
        self.is_copy_unseen = false;
        self.due.append(&mut self.standing());
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
                self.is_copy_unseen = true;
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
                // What a held file held when it was truncated stands in its copy alone: who deletes that
                // unseen loses it for good.
                self.maybe_look(self.is_copy_unseen);
                let name = self.rotated.remove(0);
                fs::remove_file(self.world.path(&name)).unwrap();
            }
            Step::Look => self.look(),
            Step::Pass(seconds) => {
                self.note_due();
                self.world.pass(Duration::from_secs(*seconds));
            }
            Step::Part(count) => (0..*count).for_each(|_| self.world.step()),
            Step::Kill => {
                // What waited for another file and was deleted goes with the process.
                let standing = self.standing();
                let found = &self.world.found;
                self.due.retain(|line| standing.contains(line) || found.contains(line));
                self.world.restart();
                self.is_copy_unseen = true;
            }
            Step::Restart => {
                // What is due is durable: a stop reads no further.
                self.look();
                self.world.restart();
                // But for events that wait; they are read again while they stand.
                self.is_copy_unseen |= self.world.joining.is_some();
            }
            _ => {}
        }
    }
}

/// Carries out the steps and finds each line once.
#[track_caller]
fn check(world: World, steps: &[Step], header: &str) {
    let mut play = Play {
        world,
        header: header.to_owned(),
        lines: 0,
        rotated: Vec::new(),
        generations: 0,
        due: BTreeSet::new(),
        is_copy_unseen: false,
    };
    for step in steps {
        play.take(step);
    }
    play.look();
    for _ in 0..3 {
        play.world.pass(Duration::from_secs(11));
    }
    let mut found = BTreeMap::<&str, usize>::new();
    for line in play.world.found.iter().filter(|line| line.contains("line ")) {
        *found.entry(line).or_default() += 1;
    }
    let twice: Vec<_> = found.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "twice: {twice:?} after {steps:?}");
    let missing: Vec<_> = play.due.iter().filter(|line| !found.contains_key(line.as_str())).collect();
    assert!(missing.is_empty(), "missing: {missing:?} after {steps:?}");
}

/// Bytes of a turn: of a few lines, of a few writes, of all there is.
fn turns() -> impl Strategy<Value = usize> {
    prop_oneof![Just(16usize), Just(64), Just(1024)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn every_line_is_found_exactly_once(steps in steps(), header in 0..3usize, turn_bytes in turns()) {
        let world = World { turn_bytes, ..World::new() };
        check(world, &steps, ["", "begun\n", "begun\nand ready\n"][header]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn every_line_is_found_exactly_once_while_events_wait(
        steps in steps(),
        header in 0..2usize,
        turn_bytes in turns(),
    ) {
        // One line that was read is too little to know a file by, and the last one waits.
        let world = World { turn_bytes, ..World::joined() };
        check(world, &steps, ["begun\n", "begun\nand ready\n"][header]);
    }
}

/// Some fail only where an inode that is free is the next to be given.
#[test]
fn every_line_is_found_exactly_once_after_steps_that_failed() {
    use Step::{Copy, DeleteOldest, Edit, Kill, Look, Other, Part, Pass, Rename, RenameOver, Restart, Write};
    let over = |name, look| RenameOver { name, look };
    let copy = |below, look| Copy { below, look };
    for steps in [
        vec![Write(2), over(1, true), Rename { late: false }, DeleteOldest, Restart],
        vec![Write(2), Look, over(0, false), copy(false, true)],
        vec![Write(2), over(1, true), copy(false, false)],
        vec![Write(2), Look, over(1, true), over(0, false)],
        vec![Write(2), over(1, true), Restart, Edit { look: false }, DeleteOldest],
        vec![Write(2), Restart, over(0, false), copy(false, true)],
        vec![Write(2), Restart, over(0, false), over(1, true)],
        vec![Write(2), Edit { look: true }, Restart, Write(2), copy(false, true)],
        vec![Write(2), Restart, over(0, false), Edit { look: true }, copy(true, false)],
        vec![
            Write(2),
            over(0, true),
            Write(4),
            over(0, true),
            over(0, true),
            Restart,
            over(1, true),
            over(0, false),
            Write(2),
        ],
        vec![Write(2), over(2, true), over(0, false), Pass(3)],
        vec![Write(2), Restart, Part(3), copy(false, false)],
        vec![Other(2), Write(2), Restart, Part(4), copy(false, false)],
        vec![Write(2), over(2, true), over(0, false), Part(7), Kill],
        vec![
            Write(3),
            Rename { late: true },
            Write(2),
            Write(2),
            Rename { late: false },
            Write(2),
            Restart,
            copy(false, true),
            Rename { late: true },
            Write(2),
        ],
        vec![Write(4), Edit { look: true }, Part(3), Write(2), over(0, false), Part(13), Kill],
        vec![Write(2), Look, Restart, Edit { look: false }, copy(false, true), Kill],
        vec![
            Write(2),
            Write(2),
            Write(2),
            Look,
            Edit { look: true },
            Restart,
            over(1, true),
            copy(false, true),
        ],
        vec![
            Write(2),
            copy(true, true),
            DeleteOldest,
            over(1, false),
            Restart,
            over(1, true),
            Write(3),
            Part(8),
            copy(false, true),
            Part(9),
        ],
        vec![
            Look,
            Write(3),
            Part(13),
            Other(2),
            Other(2),
            Edit { look: false },
            Part(13),
            over(1, true),
            Kill,
            Part(2),
            DeleteOldest,
            Edit { look: true },
            copy(false, true),
            copy(true, true),
            Look,
            Write(4),
            Other(3),
            Write(2),
            Look,
            Rename { late: true },
            Write(3),
            over(1, false),
            Write(3),
            Look,
            Rename { late: true },
            Part(2),
            Part(14),
        ],
        vec![
            Write(4),
            Write(3),
            Rename { late: false },
            Look,
            DeleteOldest,
            Restart,
            Edit { look: false },
            Write(4),
            Part(7),
            Write(3),
            copy(true, true),
            Look,
        ],
        vec![
            copy(true, true),
            copy(true, true),
            DeleteOldest,
            Write(4),
            Look,
            Other(3),
            copy(false, true),
            Look,
            Part(3),
            Write(2),
            Kill,
            Write(3),
            Write(4),
            copy(true, false),
            Rename { late: false },
            Part(3),
            Rename { late: false },
            Restart,
            Edit { look: false },
            Kill,
            Pass(3),
            Write(3),
            Part(5),
            Write(2),
            Kill,
            Rename { late: true },
            Rename { late: false },
            Write(2),
            Other(3),
            Kill,
            Look,
            Write(2),
            Look,
            copy(false, true),
            Other(3),
            Edit { look: false },
        ],
        vec![
            Write(2),
            Rename { late: false },
            Other(2),
            copy(false, true),
            Part(14),
            copy(false, false),
            copy(false, true),
        ],
    ] {
        for turn_bytes in [16, 64, 1024] {
            check(World { turn_bytes, ..World::new() }, &steps, "");
            check(World { turn_bytes, ..World::joined() }, &steps, "begun\n");
            check(World { turn_bytes, ..World::joined() }, &steps, "begun\nand ready\n");
        }
    }
}
