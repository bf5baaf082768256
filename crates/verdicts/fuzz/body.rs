// What is done with each input of the fuzz target `log`; an ordinary test does the same.

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use event::{
    Analyzed, Batch, Event, EventId, Position, Template, Timestamp, Variable, VariableKind, Verdict,
    VerdictState,
};
use journal::Journal;
use tempfile::TempDir;
use verdicts::{Config, Verdicts};

#[path = "../../testkit/fuzz/changed.rs"]
mod changed;
use changed::changed;

const MESSAGES: [&str; 3] = ["served 17 bytes to 10.0.0.1", "é", ""];
const RECORDS: u32 = 6;

struct Honest {
    _dir: TempDir,
    journal: Journal,
    /// What the log has of the journal's events.
    record: Vec<u8>,
}

fn events(journal: &Journal) -> Vec<(EventId, Event<'static>)> {
    let event = |record: u32| {
        let id = journal.identity().event(Position { segment: 0, record });
        (id, Event::new(MESSAGES[record as usize % MESSAGES.len()], Timestamp::MIN))
    };
    (0..RECORDS).map(event).collect()
}

fn config(dir: &Path) -> Config {
    Config { dir: dir.join("verdicts"), budget_bytes: 8 << 20, held_bytes_max: 1 << 20 }
}

fn log(dir: &Path) -> Journal {
    let here = journal::Config::new(dir);
    let dir = dir.join("verdicts");
    Journal::open(journal::Config { cursors_dir: dir.join("cursors"), dir, ..here }).unwrap()
}

fn honest() -> &'static Honest {
    static HONEST: OnceLock<Honest> = OnceLock::new();
    HONEST.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(journal::Config::new(dir.path())).unwrap();
        let mut batch = journal::Batch::new();
        (0..RECORDS).for_each(|_| batch.push_with(|out| out.push(7)));
        let end = journal.append_blocking(batch).unwrap().end;
        let mut said = Batch { end, ..Batch::default() };
        for (id, event) in events(&journal) {
            let from = said.variables.len() as u32;
            if event.message.len() > 9 {
                said.variables.push(Variable { kind: VariableKind::Integer, start: 7, end: 9 });
            }
            let reasons = vec!["rare: 1 in 90,000".to_owned()];
            said.events.push(Analyzed {
                id,
                shape: 7,
                variables: from..said.variables.len() as u32,
                template: Some(Arc::new(Template::new(event.message.clone()))),
                verdict: Verdict { score: 0.9, is_anomaly: true, state: VerdictState::Scored, reasons },
                event,
            });
        }
        let verdicts = Verdicts::open(config(dir.path()), &journal).unwrap();
        verdicts.hold(Position::default(), &said);
        verdicts.keep().unwrap();
        drop(verdicts);
        let records = log(dir.path()).read(Position::default(), 1 << 20).unwrap();
        let record = records.iter().next().unwrap().1.to_vec();
        Honest { _dir: dir, journal, record }
    })
}

/// Opens a log that holds bytes, and one that holds changes to what was kept: every event comes back in its place,
/// and what is said of it fits it.
pub(crate) fn log_records(bytes: &[u8]) {
    let Honest { journal, record, .. } = honest();
    for records in [vec![bytes.to_vec()], vec![record.clone(), changed(record, bytes)]] {
        let dir = tempfile::tempdir().unwrap();
        let mut batch = journal::Batch::new();
        records.iter().for_each(|record| batch.push_with(|out| out.extend_from_slice(record)));
        log(dir.path()).append_blocking(batch).unwrap();
        let verdicts = Verdicts::open(config(dir.path()), journal).unwrap();
        assert!(verdicts.covered(Position::default()) <= journal.end());
        let given = events(journal);
        let (joined, unknown) = verdicts.join(given.clone(), journal.end());
        assert!(unknown <= u64::from(RECORDS));
        assert_eq!(joined.events.len(), given.len());
        for (event, (id, was)) in joined.events.iter().zip(given) {
            assert_eq!((event.id, &event.event), (id, &was));
            assert!((0.0..=1.0).contains(&event.verdict.score), "{:?}", event.verdict);
            joined.variables_of(event).iter().for_each(|variable| drop(variable.of(&was.message).to_owned()));
        }
        // It goes on from there, and lets go.
        verdicts.begin(Position::default());
        verdicts.hold(Position::default(), &joined);
        verdicts.keep().unwrap();
        assert_eq!(verdicts.covered(Position::default()), journal.end());
        verdicts.passed("indexing", journal.end()).unwrap();
        assert!(verdicts.is_empty());
    }
}
