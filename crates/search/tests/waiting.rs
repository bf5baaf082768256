//! What waits for an index is found as if it were read anew for each question, whatever is kept of it: while events come
//! in, are analysed, indexed and trimmed, and the journal takes a new id.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{sync::Arc, time::Duration};

use event::{
    Analyzed, Batch, Event, JournalId, Position, Severity, Template, TemplateId, Timestamp, Verdict,
    VerdictState, codec,
};
use index::{Index, Limits, PatternsRequest, SearchRequest, Selection, scan::ScanIndex};
use journal::{Cursor, Journal};
use proptest::{collection::vec, prelude::*};
use query::Query;
use search::{Aliases, Config, PatternOrder, Searcher};
use template::Merged;
use tokio::{runtime::Runtime, sync::watch};
use verdicts::Verdicts;

/// Templates of events go round so many.
const TEMPLATES: usize = 3;

fn template(number: usize) -> Arc<Template> {
    Arc::new(Template::new(format!("event <int> of kind {}", number % TEMPLATES)))
}

/// The first two templates are one.
struct FirstTwo;

impl Aliases for FirstTwo {
    fn of(&self, id: TemplateId) -> Vec<TemplateId> {
        let first = [template(0).id, template(1).id];
        if first.contains(&id) { first.to_vec() } else { vec![id] }
    }

    fn merged(&self) -> Vec<Merged> {
        vec![Merged { template: template(0), ids: vec![template(1).id] }]
    }
}

#[derive(Debug, Clone)]
enum Step {
    Append(usize),
    Analyse(usize),
    Keep,
    Index(usize),
    Trim,
    Renew,
    Ask,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1usize..40).prop_map(Step::Append),
        2 => (1usize..40).prop_map(Step::Analyse),
        1 => Just(Step::Keep),
        1 => (1usize..40).prop_map(Step::Index),
        1 => Just(Step::Trim),
        1 => Just(Step::Renew),
        3 => Just(Step::Ask),
    ]
}

/// A journal with what reads it, and what is to be in an answer.
struct World {
    runtime: Runtime,
    journal: Journal,
    verdicts: Verdicts,
    index: Arc<ScanIndex>,
    cursor: Cursor,
    /// Places of all events.
    places: Vec<Position>,
    analysed: usize,
    indexed: usize,
    renewals: u128,
    kept: Searcher,
    anew: Searcher,
    _written: watch::Sender<Position>,
    _dir: tempfile::TempDir,
}

fn event(number: usize) -> Event<'static> {
    let at = Timestamp::saturating_from_nanos(1_714_521_600_000_000_000 + number as i128 * 1_000_000);
    let mut event = Event::new(format!("event {number} of kind {}", number % TEMPLATES), at);
    if number.is_multiple_of(2) {
        event.original = Some(format!("<13>{}", event.message).into());
    }
    event.severity = if number.is_multiple_of(5) { Severity::Error } else { Severity::Info };
    event.host = number.is_multiple_of(7).then(|| "web-1".into());
    event.add("process.pid", number as i64);
    event.add("labels.größe", format!("{number} €"));
    event
}

impl World {
    fn new(kept_bytes_max: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = journal::Config { segment_bytes: 4 << 10, ..journal::Config::new(dir.path()) };
        let journal = Journal::open(config).unwrap();
        let verdicts = dir.path().join("verdicts");
        let verdicts = verdicts::Config { dir: verdicts, budget_bytes: 8 << 20, held_bytes_max: 1 << 20 };
        let verdicts = Verdicts::open(verdicts, &journal).unwrap();
        verdicts.passed("indexing", Position::default()).unwrap();
        let index = Arc::new(ScanIndex::new());
        let (written, receiver) = watch::channel(Position::default());
        let searcher = |kept_bytes_max| {
            let (index, journal, verdicts) = (index.clone(), journal.clone(), verdicts.clone());
            let config = Config { catch_up: Duration::ZERO, kept_bytes_max, ..Config::default() };
            Searcher::new(index, journal, verdicts, receiver.clone(), config).following(Arc::new(FirstTwo))
        };
        Self {
            runtime: tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap(),
            cursor: journal.cursor("index").unwrap(),
            places: vec![],
            analysed: 0,
            indexed: 0,
            renewals: 0,
            kept: searcher(kept_bytes_max),
            anew: searcher(0),
            journal,
            verdicts,
            index,
            _written: written,
            _dir: dir,
        }
    }

    /// Where the event with a number stands, or will.
    fn place(&self, number: usize) -> Position {
        self.places.get(number).copied().unwrap_or_else(|| self.journal.end())
    }

    fn analysed(&self, number: usize) -> Analyzed<'static> {
        let event = Analyzed::unanalyzed(self.journal.identity().event(self.place(number)), event(number));
        if number >= self.analysed {
            return event;
        }
        let reasons = if number.is_multiple_of(4) { vec![format!("it is {number}")] } else { vec![] };
        let score = Verdict::quantize((number % 1000) as f32 / 1000.0);
        let verdict =
            Verdict { score, is_anomaly: !reasons.is_empty(), state: VerdictState::Scored, reasons };
        Analyzed { template: Some(template(number)), verdict, ..event }
    }

    fn batch(&self, from: usize, to: usize) -> Batch<'static> {
        let events = (from..to).map(|number| self.analysed(number)).collect();
        Batch { events, variables: vec![], end: self.place(to) }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Append(count) => {
                let mut batch = journal::Batch::new();
                let first = self.places.len();
                (first..first + count)
                    .for_each(|number| batch.push_with(|out| codec::encode(&event(number), out)));
                let first = self.journal.append_blocking(batch).unwrap().first;
                self.places
                    .extend((0..count as u32).map(|at| Position { record: first.record + at, ..first }));
            }
            Step::Analyse(count) => {
                let (from, to) = (self.analysed, (self.analysed + count).min(self.places.len()));
                self.analysed = to;
                if from < to {
                    self.verdicts.hold(self.place(from), &self.batch(from, to));
                }
            }
            Step::Keep => self.verdicts.keep().unwrap(),
            Step::Index(count) => {
                let (from, to) = (self.indexed, (self.indexed + count).min(self.analysed));
                self.runtime.block_on(self.index.write(&self.batch(from, to))).unwrap();
                self.indexed = to;
                self.verdicts.passed("indexing", self.place(to)).unwrap();
            }
            Step::Trim => self.cursor.commit(self.place(self.indexed)).unwrap(),
            Step::Renew => {
                self.renewals += 1;
                let (from, id) = (self.place(self.indexed), JournalId(self.renewals));
                self.runtime.block_on(self.journal.renew(from, id)).unwrap();
            }
            Step::Ask => self.ask(),
        }
    }

    fn ask(&self) {
        let all: Vec<_> = (0..self.places.len()).map(|number| self.analysed(number)).collect();
        let second = template(1).id;
        for (text, expected) in [
            ("*".to_owned(), all.iter().collect::<Vec<_>>()),
            (
                "level:error".to_owned(),
                all.iter().filter(|event| event.event.severity == Severity::Error).collect(),
            ),
            (
                format!("sentinel.template.id:{second}"),
                all.iter()
                    .filter(|event| event.template.as_ref().is_some_and(|own| *own != template(2)))
                    .collect(),
            ),
        ] {
            let query = Query::parse(&text, Timestamp::MAX).unwrap();
            let request = SearchRequest::new(Selection { query, from: None, to: None }, 10_000);
            let expected: Vec<_> =
                expected.into_iter().rev().map(|event| (event.id, event.document())).collect();
            for searcher in [&self.kept, &self.anew] {
                let answer =
                    self.runtime.block_on(searcher.search(request.clone(), &Limits::none())).unwrap();
                assert_eq!(answer.partial, None);
                let hits = answer.result.hits.into_iter();
                assert_eq!(
                    hits.map(|hit| (hit.key.id, hit.document)).collect::<Vec<_>>(),
                    expected,
                    "{text}"
                );
            }
        }
        let patterns = |searcher: &Searcher| {
            let request = PatternsRequest { selection: Selection::all(), limit: 10 };
            let limits = Limits::none();
            let patterns = searcher.patterns(request, PatternOrder::Frequent, &limits);
            self.runtime.block_on(patterns).unwrap()
        };
        assert_eq!(patterns(&self.kept), patterns(&self.anew));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_is_kept_changes_no_answer(
        steps in vec(step(), 1..60),
        kept_bytes_max in prop_oneof![Just(32usize << 20), 1usize << 10..64 << 10],
    ) {
        let mut world = World::new(kept_bytes_max);
        steps.iter().chain([&Step::Ask, &Step::Ask]).for_each(|step| world.take(step));
    }
}
