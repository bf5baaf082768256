//! The logic of rotation, step by step and at random.

mod joining;
mod random;
mod rotation;

use std::{
    collections::{HashMap, VecDeque},
    fs,
    io::Write,
    path::PathBuf,
};

use position::Noted;
use walkdir::WalkDir;

use super::*;

const WAIT: Duration = Duration::from_secs(3600);
const EVENT_WAIT: Duration = Duration::from_secs(1);

/// A watched directory, what is read of it, and what the journal would hold.
struct World {
    dir: tempfile::TempDir,
    area: Area,
    files: Files,
    joining: Option<parse::Joining>,
    /// Read of one file in a turn.
    turn_bytes: usize,
    notes: HashMap<FileId, Noted>,
    found: Vec<String>,
    /// What each turn gave that became durable.
    turns: Vec<Vec<u8>>,
    stage: Stage,
    /// What was read and is not durable yet: lines, and what follows once they are.
    batch: Vec<(Vec<u8>, Noted, Advance)>,
}

/// What is done next. The files may change between any two of these, and a kill may end them.
#[derive(Debug)]
enum Stage {
    Scan,
    See(VecDeque<PathBuf>),
    Settle,
    Note(Vec<FileId>),
    Read(VecDeque<FileId>),
    Append,
    Advance,
    Idle,
}

impl World {
    fn new() -> Self {
        Self::with(64, None)
    }

    /// Lines that belong together are one event, and wait for each other.
    fn joined() -> Self {
        Self::with(64, Some(parse::Joining::default()))
    }

    fn with(open_max: usize, joining: Option<parse::Joining>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("logs/old")).unwrap();
        let area = Area::dir(dir.path().join("logs"));
        let files = Self::files(&area, Vec::new(), open_max, joining.clone());
        let (notes, found) = (HashMap::new(), Vec::new());
        Self {
            dir,
            area,
            files,
            joining,
            turn_bytes: 64,
            notes,
            found,
            turns: Vec::new(),
            stage: Stage::Idle,
            batch: Vec::new(),
        }
    }

    fn files(
        area: &Area,
        notes: Vec<(FileId, Noted)>,
        open_max: usize,
        joining: Option<parse::Joining>,
    ) -> Files {
        let gate =
            Gate { links: Symlinks::Owner, link_age: Duration::ZERO, areas: vec![area.clone()].into() };
        Files::new(notes, gate, open_max, Waits { line: WAIT, event: EVENT_WAIT, joining })
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

    /// Does one thing of what the thread does in turn.
    fn step(&mut self) {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Idle | Stage::Scan => {
                let walk = WalkDir::new(self.path("")).sort_by_file_name().into_iter().flatten();
                Stage::See(walk.map(walkdir::DirEntry::into_path).collect())
            }
            Stage::See(mut paths) => match paths.pop_front() {
                Some(path) => {
                    if let Some(metadata) = fs::metadata(&path).ok().filter(fs::Metadata::is_file) {
                        self.files.see(&path, &metadata);
                    }
                    Stage::See(paths)
                }
                None => {
                    self.files.scanned(Duration::from_secs(60));
                    Stage::Settle
                }
            },
            Stage::Settle => {
                self.files.settle();
                Stage::Note(std::mem::take(&mut self.files.moved))
            }
            Stage::Note(moved) => {
                for id in moved {
                    let position = self.files.by_id[&id].position.clone();
                    self.notes.insert(id, self.files.noted(id, position));
                }
                let rescan = std::mem::take(&mut self.files.rescan);
                if rescan { Stage::Scan } else { Stage::Read(self.files.ready().into()) }
            }
            Stage::Read(mut ready) => match ready.pop_front() {
                Some(id) => {
                    self.turn(id);
                    Stage::Read(ready)
                }
                None if !self.batch.is_empty() => Stage::Append,
                None if self.files.rescan => Stage::Settle,
                None => Stage::Idle,
            },
            Stage::Append => {
                for (lines, noted, advance) in &self.batch {
                    self.found.extend(String::from_utf8_lossy(lines).lines().map(str::to_owned));
                    self.turns.push(lines.clone());
                    self.notes.insert(advance.id, noted.clone());
                }
                Stage::Advance
            }
            Stage::Advance => {
                for (_, _, advance) in self.batch.drain(..) {
                    self.files.advance(advance.id, advance.position, &advance.recent);
                }
                Stage::Settle
            }
        }
    }

    fn turn(&mut self, id: FileId) {
        let Lines { bytes, skip, position } = match self.files.turn(id, self.turn_bytes).unwrap() {
            Turn::Lines(lines) => lines,
            Turn::Hole(position) => Lines { bytes: Vec::new(), skip: 0, position },
            Turn::Nothing | Turn::Replaced => return,
        };
        let lines = position.encoding.decoded(&bytes[skip..]).into_owned();
        let noted = self.files.noted(id, position.clone());
        self.batch.push((lines, noted, Advance { id, position, read: bytes.len(), recent: bytes }));
    }

    fn scan(&mut self) {
        self.stage = Stage::Scan;
        while !matches!(self.stage, Stage::Settle) {
            self.step();
        }
    }

    /// Everything that can be read now.
    fn read(&mut self) {
        self.stage = Stage::Settle;
        self.finish();
    }

    /// Goes on until there is nothing to do.
    fn finish(&mut self) {
        for _ in 0..10_000 {
            if matches!(self.stage, Stage::Idle) {
                return;
            }
            self.step();
        }
        panic!("reading does not come to an end");
    }

    fn look(&mut self) {
        self.finish();
        self.scan();
        self.read();
    }

    fn pass(&mut self, time: Duration) {
        self.files.now += time;
        self.look();
    }

    fn restart(&mut self) {
        let now = self.files.now;
        self.files =
            Self::files(&self.area, self.notes.clone().into_iter().collect(), 64, self.joining.clone());
        self.files.now = now;
        (self.stage, self.batch) = (Stage::Idle, Vec::new());
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
