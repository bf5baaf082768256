//! Watched files through the real thread, the operating system's reports and a real journal.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use event::{Position, field};
use intake::{Door, tail};
use journal::{Batch, Journal};
use telemetry::task::Tasks;

const DEADLINE: Duration = Duration::from_secs(20);

/// A watched directory, and the thread that reads it.
struct Watched {
    temporary: tempfile::TempDir,
    config: tail::Config,
    running: Option<(Journal, Tasks)>,
}

impl Watched {
    fn new(configure: impl FnOnce(&Path, &mut tail::Config)) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        fs::create_dir(temporary.path().join("logs")).unwrap();
        let mut config = tail::Config {
            dir: Some(temporary.path().join("logs")),
            scan_interval: Duration::from_millis(100),
            line_wait: Duration::from_millis(300),
            event_wait: Duration::from_millis(50),
            ..tail::Config::default()
        };
        configure(temporary.path(), &mut config);
        Self { temporary, config, running: None }
    }

    fn start(&mut self) {
        self.start_with(64 << 20);
    }

    fn start_with(&mut self, budget_bytes: u64) {
        let dir = self.temporary.path();
        let config = journal::Config { budget_bytes, queue_bytes: 32 << 20, ..journal::Config::new(dir) };
        let (journal, tasks) = (Journal::open(config).unwrap(), Tasks::new());
        let door = Door::new(journal.clone(), intake::Config::default(), intake::system_clock);
        tail::start(self.config.clone(), door, &tasks).unwrap();
        self.running = Some((journal, tasks));
    }

    fn stop(&mut self) {
        let (journal, tasks) = self.running.take().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            assert_eq!(tasks.shutdown(DEADLINE).await, Vec::<String>::new());
            journal.close(DEADLINE).await;
        });
    }

    fn restart(&mut self) {
        self.stop();
        self.start();
    }

    fn journal(&self) -> &Journal {
        &self.running.as_ref().unwrap().0
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temporary.path().join("logs").join(name)
    }

    fn append(&self, name: &str, text: &str) {
        append(&self.path(name), text);
    }

    /// Waits until exactly these lines are stored, in any order.
    fn expect(&self, expected: &[&str]) {
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        let until = Instant::now() + DEADLINE;
        loop {
            let mut found = messages(self.journal());
            found.sort_unstable();
            if found == expected {
                return;
            }
            assert!(Instant::now() < until && found.len() <= expected.len(), "{found:?} != {expected:?}");
            std::thread::yield_now();
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.stop();
        }
    }
}

fn append(path: &Path, text: &str) {
    let mut file = fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn messages(journal: &Journal) -> Vec<String> {
    let (mut from, mut found) = (Position::default(), Vec::new());
    loop {
        let records = journal.read(from, 1 << 20).unwrap();
        if records.is_empty() {
            return found;
        }
        let decode = |(_, record)| event::codec::decode(record).unwrap().message.into_owned();
        found.extend(records.iter().map(decode));
        from = records.end();
    }
}

#[test]
fn existing_and_new_files_are_read_and_know_where_they_come_from() {
    let mut watched = Watched::new(|_, _| ());
    watched.append("old.log", "a\nb\n");
    watched.start();
    watched.expect(&["a", "b"]);
    watched.append("new.log", "c\n");
    watched.append("old.log", "d\n");
    fs::create_dir(watched.path("sub")).unwrap();
    watched.append("sub/deep.log", "e\n");
    fs::write(watched.path("packed.log.gz"), b"\x1f\x8b\x08\0\0\0\0\0f\n").unwrap();
    watched.expect(&["a", "b", "c", "d", "e"]);
    let records = watched.journal().read(Position::default(), 1 << 20).unwrap();
    let (_, first) = records.iter().next().unwrap();
    let first = event::codec::decode(first).unwrap();
    assert_eq!(first.source.as_deref(), Some("old"));
    let path = watched.path("old.log").to_string_lossy().into_owned();
    assert_eq!(first.field(field::FILE_PATH).and_then(event::Value::as_str), Some(path.as_str()));
}

#[test]
fn rotation_by_rename_neither_loses_nor_repeats() {
    for stopped in [false, true] {
        let mut watched = Watched::new(|_, _| ());
        watched.start();
        watched.append("app.log", "1\n2\n");
        watched.expect(&["1", "2"]);
        if stopped {
            watched.stop();
        }
        watched.append("app.log", "3\n");
        fs::rename(watched.path("app.log"), watched.path("app.log.1")).unwrap();
        watched.append("app.log", "4\n");
        // A writer that still has the old file open.
        watched.append("app.log.1", "5\n");
        if stopped {
            watched.start();
        }
        watched.expect(&["1", "2", "3", "4", "5"]);
        watched.restart();
        watched.append("app.log", "6\n");
        watched.expect(&["1", "2", "3", "4", "5", "6"]);
    }
}

#[test]
fn rotation_by_copy_and_truncation_neither_loses_nor_repeats() {
    for (stopped, copy) in [(false, "app.log.1"), (true, "app.log.1"), (true, "app-20240601.log")] {
        let mut watched = Watched::new(|_, _| ());
        watched.start();
        watched.append("app.log", "1\n2\n");
        watched.expect(&["1", "2"]);
        if stopped {
            watched.stop();
            watched.append("app.log", "3\n");
        }
        fs::copy(watched.path("app.log"), watched.path(copy)).unwrap();
        fs::write(watched.path("app.log"), "4\n").unwrap();
        if stopped {
            watched.start();
        }
        watched.expect(if stopped { &["1", "2", "3", "4"] } else { &["1", "2", "4"] });
        // What was taken over from the other file is remembered, too.
        watched.restart();
        watched.append("app.log", "5\n");
        watched.expect(if stopped { &["1", "2", "3", "4", "5"] } else { &["1", "2", "4", "5"] });
    }
}

#[test]
fn a_restart_at_any_moment_neither_loses_nor_repeats() {
    let mut watched = Watched::new(|_, config| config.line_wait = DEADLINE);
    let mut expected = Vec::new();
    watched.start();
    for round in 0..8 {
        let lines: Vec<String> = (0..2000).map(|line| format!("{round} {line}")).collect();
        watched.append("app.log", &(lines.join("\n") + "\n"));
        expected.extend(lines);
        watched.restart();
    }
    watched.expect(&expected.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_last_line_without_newline_is_taken_when_it_stops_growing() {
    let mut watched = Watched::new(|_, config| config.line_wait = Duration::from_secs(4));
    watched.start();
    // A half line with a time of its own, longer than what a container's runtime puts before a line, is no part of the
    // event before it.
    let half = "of what becomes a longer line, which its program writes in two parts";
    watched.append("app.log", &format!("2026-11-20T10:00:00Z whole\n2026-11-20T10:00:01Z {half}"));
    watched.expect(&["whole"]);
    watched.append("app.log", " of it\n");
    let parted = format!("{half} of it");
    watched.expect(&["whole", &parted]);
    watched.append("app.log", "2026-11-20T10:00:02Z last");
    watched.expect(&["whole", &parted, "last"]);
    watched.append("app.log", "next\n");
    watched.expect(&["whole", &parted, "last", "next"]);
}

#[test]
fn a_hole_left_by_truncation_is_passed_over() {
    let mut watched = Watched::new(|_, _| ());
    let mut file = fs::File::create(watched.path("app.log")).unwrap();
    file.write_all(b"before\n").unwrap();
    watched.start();
    watched.expect(&["before"]);
    file.set_len(0).unwrap();
    file.write_all(b"after\n").unwrap();
    watched.expect(&["before", "after"]);
}

#[test]
fn many_files_are_read() {
    let mut watched = Watched::new(|_, _| ());
    let lines: Vec<String> = (0..400).map(|number| format!("line {number}")).collect();
    for (number, line) in lines.iter().take(200).enumerate() {
        watched.append(&format!("{number}.log"), &format!("{line}\n"));
    }
    watched.start();
    for (number, line) in lines.iter().skip(200).enumerate() {
        watched.append(&format!("{number}.log"), &format!("{line}\n"));
    }
    watched.expect(&lines.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_missing_directory_is_read_when_it_appears_and_again_when_it_is_replaced() {
    let mut watched = Watched::new(|_, _| ());
    fs::remove_dir(watched.path("")).unwrap();
    watched.start();
    fs::create_dir(watched.path("")).unwrap();
    watched.append("app.log", "1\n");
    watched.expect(&["1"]);
    fs::remove_dir_all(watched.path("")).unwrap();
    fs::create_dir(watched.path("")).unwrap();
    watched.append("app.log", "2\n");
    watched.expect(&["1", "2"]);
    watched.append("app.log", "3\n");
    watched.expect(&["1", "2", "3"]);
}

#[test]
fn globs_choose_files() {
    let mut watched = Watched::new(|dir, config| {
        config.dir = None;
        let dir = dir.display();
        config.files =
            vec![format!("{dir}/logs/*.log"), format!("{dir}/logs/**/deep.txt"), format!("{dir}/logs/one")];
    });
    fs::create_dir_all(watched.path("a/b")).unwrap();
    for name in ["x.log", "a/b/deep.txt", "one", "x.txt", "a/y.log", "two"] {
        watched.append(name, &format!("{name}\n"));
    }
    watched.start();
    watched.expect(&["x.log", "a/b/deep.txt", "one"]);
    watched.append("late.log", "late\n");
    watched.expect(&["x.log", "a/b/deep.txt", "one", "late"]);
}

#[test]
fn a_path_with_brackets_is_the_file_of_that_name() {
    let mut watched = Watched::new(|dir, config| {
        config.dir = None;
        let dir = dir.display();
        config.files = vec![format!("{dir}/logs/app[1].log"), format!("{dir}/logs/late[2].log")];
    });
    watched.append("app[1].log", "literal\n");
    watched.append("app2.log", "other\n");
    watched.start();
    watched.expect(&["literal"]);
    watched.append("late[2].log", "late\n");
    watched.expect(&["literal", "late"]);
}

#[test]
fn a_fifo_in_place_of_a_file_stops_nothing() {
    let mut watched = Watched::new(|_, _| ());
    let begin = "the same first line of both\n".repeat(60);
    watched.append("app.log", &format!("{begin}one\n"));
    watched.start();
    let mut expected = vec!["the same first line of both"; 60];
    expected.push("one");
    watched.expect(&expected);
    // A shorter file beside it makes the two be compared.
    watched.append("app.log.1", &begin[..begin.len() / 2]);
    fs::remove_file(watched.path("app.log")).unwrap();
    let fifo = watched.path("app.log");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    watched.append("app.log.2", &begin[..begin.len() / 2]);
    watched.append("other.log", "two\n");
    let until = Instant::now() + DEADLINE;
    while !messages(watched.journal()).contains(&"two".to_owned()) {
        assert!(Instant::now() < until, "nothing is read any more");
        std::thread::yield_now();
    }
}

#[test]
fn files_that_live_shortly_are_read_whatever_the_scan_interval() {
    let mut watched = Watched::new(|_, config| config.scan_interval = Duration::from_secs(3600));
    watched.append("app.log", "0\n");
    watched.start();
    watched.expect(&["0"]);
    let mut expected = vec!["0".to_owned()];
    for round in 1..60 {
        watched.append("app.log", &format!("{round}\n"));
        fs::rename(watched.path("app.log"), watched.path("app.log.1")).unwrap();
        watched.append("app.log.1", &format!("late {round}\n"));
        watched.append("app.log", &format!("first {round}\n"));
        expected.extend([format!("{round}"), format!("late {round}"), format!("first {round}")]);
        // Rotated once more only when it was read, as by a writer that fills a file in between.
        watched.expect(&expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// Fills what is left of the journal's budget; how many records that took.
fn fill(journal: &Journal) -> usize {
    let mut count = 0;
    for size in [100_000, 1000, 10, 1] {
        let record = event::Event::new("x".repeat(size), event::Timestamp::default());
        loop {
            let mut batch = Batch::new();
            batch.push_with(|out| event::codec::encode(&record, out));
            match journal.append_blocking(batch) {
                Ok(_) => count += 1,
                Err(journal::AppendError::Full { .. }) => break,
                Err(error) => panic!("{error}"),
            }
        }
    }
    count
}

#[test]
fn while_the_journal_is_full_files_wait_even_deleted_ones() {
    let mut watched = Watched::new(|_, _| ());
    watched.start_with(1 << 20);
    let mut cursor = watched.journal().cursor("index").unwrap();
    watched.append("app.log", "before\n");
    watched.expect(&["before"]);
    fill(watched.journal());
    watched.append("app.log", "while full\n");
    fs::remove_file(watched.path("app.log")).unwrap();
    watched.append("other.log", "also\n");
    let filled = watched.journal().end();
    cursor.commit(filled).unwrap();
    // What was read is trimmed away, so that only what comes now is looked at.
    let until = Instant::now() + DEADLINE;
    let found = loop {
        let mut found = messages(watched.journal());
        found.retain(|message| !message.starts_with('x'));
        found.sort();
        if found.ends_with(&["while full".to_owned()]) && found.contains(&"also".to_owned()) {
            break found;
        }
        assert!(Instant::now() < until, "{found:?}");
        std::thread::yield_now();
    };
    assert!(found == ["also", "while full"] || found == ["also", "before", "while full"], "{found:?}");
}

#[test]
fn a_trace_that_comes_line_by_line_is_one_event_of_its_file() {
    let mut watched = Watched::new(|_, config| config.event_wait = Duration::from_secs(1));
    watched.start();
    for line in ["ERROR failed", "java.lang.Error: x", "\tat a.B.c(B.java:1)", "\tat a.D.e(D.java:2)"] {
        for name in ["a.log", "b.log"] {
            watched.append(name, &format!("{line}\r\n"));
        }
    }
    let trace = "ERROR failed\njava.lang.Error: x\n\tat a.B.c(B.java:1)\n\tat a.D.e(D.java:2)";
    watched.expect(&[trace, trace]);
    let records = watched.journal().read(Position::default(), 1 << 20).unwrap();
    let (_, first) = records.iter().next().unwrap();
    let first = event::codec::decode(first).unwrap();
    let original = "ERROR failed\r\njava.lang.Error: x\r\n\tat a.B.c(B.java:1)\r\n\tat a.D.e(D.java:2)";
    assert_eq!(first.original.as_deref(), Some(original));
    watched.restart();
    watched.append("a.log", "INFO next\n");
    watched.expect(&[trace, trace, "INFO next"]);
}

#[test]
fn what_lines_say_of_those_behind_outlives_turns_and_stops() {
    let mut watched = Watched::new(|_, _| ());
    watched.start();
    watched.append("a.log", "#Fields: date time sc-status cs-uri\n2019-10-22 21:59:01 503 /a\n");
    watched.expect(&["#Fields: date time sc-status cs-uri", "503 /a"]);
    watched.append("a.log", "no line of these columns, and without a time\n");
    watched.expect(&[
        "#Fields: date time sc-status cs-uri",
        "503 /a",
        "no line of these columns, and without a time",
    ]);
    watched.stop();
    watched.append("a.log", "2019-10-22 21:59:02 404 /b\n");
    watched.start();
    let until = Instant::now() + DEADLINE;
    while messages(watched.journal()).len() < 4 {
        assert!(Instant::now() < until);
        std::thread::yield_now();
    }
    let records = watched.journal().read(Position::default(), 1 << 20).unwrap();
    let events: Vec<_> = records.iter().map(|(_, record)| event::codec::decode(record).unwrap()).collect();
    let read = |at: usize| (events[at].timestamp.to_string(), events[at].severity.as_str());
    assert_eq!(read(1), ("2019-10-22T21:59:01Z".to_owned(), "error"));
    assert_eq!(read(2), ("2019-10-22T21:59:01Z".to_owned(), "info"));
    assert_eq!(read(3), ("2019-10-22T21:59:02Z".to_owned(), "warn"));
}
