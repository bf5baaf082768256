//! The logic of rotation, step by step and at random.

mod random;
mod rotation;

use std::{collections::HashMap, fs, io::Write, path::PathBuf};

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
