//! That no question reads all signals: SQLite is asked how it would answer each of them, from a store of a hundred
//! thousand. Times would tell of the machine.

use std::sync::Arc;

use event::{EventId, JournalId, Position, Timestamp};
use finding::{Entity, EntityType, Finding, FindingKind, Level, Occurrence};
use rusqlite::{Transaction, types::Value};
use state::Database;

use super::{Filter, Store, choose, follow, forget, incidents, opinion, past, place::Place, row};
use crate::{Config, IncidentFilter, Observed, State, StoreError};

const SECOND: i64 = 1_000_000_000;
const SIGNALS: u64 = 100_000;
/// One in so many is new; the rest is resolved.
const NEW: u64 = 1000;

fn at(seconds: u64) -> Timestamp {
    let noon = Timestamp::parse("2024-05-01T12:00:00Z").unwrap();
    noon.saturating_add(i64::try_from(seconds).unwrap() * SECOND)
}

/// One signal, and then many more like it: copies in the tables, since a hundred thousand findings take minutes.
fn filled(dir: &tempfile::TempDir) -> Store {
    let database = Arc::new(Database::open(dir.path().join("state.db")).unwrap());
    let store = Store::open(database, Config::default()).unwrap();
    let id = EventId { journal: JournalId(7), position: Position::default() };
    let run = Occurrence { first: at(0), last: at(0), count: 1, is_update: false, evidence: vec![id] };
    let about = Entity::new(EntityType::SourceIp, "203.0.113.7");
    let finding = Finding::of_run(FindingKind::WebScan, Level::Medium, "rule-0", about, run);
    let observed = Observed { finding, organization: None, evidence: Vec::new() };
    store.observe(vec![observed], None, at(0), |_, _| Ok(())).unwrap();
    store
        .database
        .write(|transaction| {
            transaction.execute_batch(&format!(
                "CREATE TEMP TABLE more AS WITH RECURSIVE counted (place) AS (
                     SELECT 2 UNION ALL SELECT place + 1 FROM counted WHERE place < {SIGNALS})
                 SELECT place, place % {NEW} = 0 AS is_new FROM counted;
                 INSERT INTO signal (number, id, organization, kind, rule, entity, state, severity, hidden, labelled,
                     first, last, quiet_at, resolved_at, document, counted)
                 SELECT place, randomblob(16), organization, kind, 'rule-' || (place % 7), 'source.ip:' || (place % 5000),
                     iif(is_new, 'new', 'resolved'), severity, hidden, labelled, first + place * {SECOND}, last + place * {SECOND},
                     iif(is_new, last + place, NULL), iif(is_new, NULL, last + place),
                     json_set(document, '$.last', strftime('%Y-%m-%dT%H:%M:%SZ', '2024-05-01 12:00:00', place || ' seconds')),
                     counted
                 FROM more CROSS JOIN signal WHERE signal.number = 1;
                 INSERT INTO signal_entity SELECT entity, last, number FROM signal WHERE number > 1;
                 INSERT INTO signal_text (rowid, text) SELECT number, rule FROM signal WHERE number > 1;
                 DROP TABLE more;"
            ))?;
            Ok::<_, StoreError>(())
        })
        .unwrap();
    store
}

/// The steps in which SQLite would read all rows of a table that grows, to answer a statement.
fn scans(transaction: &Transaction<'_>, text: &str, mut values: Vec<Value>) -> Vec<String> {
    let mut statement = transaction.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
    values.resize(statement.parameter_count(), Value::Null);
    let steps = statement.query_map(rusqlite::params_from_iter(values), |row| row.get(3)).unwrap();
    let mut steps: Vec<String> = steps.map(|step| step.unwrap()).collect();
    assert!(!steps.is_empty());
    // Words have an index of their own kind; totals are a few rows; a part of a page has as many rows as a page.
    let bounded = ["SCAN signal_text VIRTUAL TABLE INDEX", "SCAN signal_total", "SCAN (subquery"];
    steps.retain(|step| step.contains("SCAN") && !bounded.iter().any(|bounded| step.starts_with(bounded)));
    steps
}

fn check_plan(transaction: &Transaction<'_>, text: &str, values: Vec<Value>) {
    assert_eq!(scans(transaction, text, values), Vec::<String>::new(), "{text}");
}

fn filters() -> Vec<Filter> {
    let all = Filter::default;
    let kinds = vec![FindingKind::WebScan];
    let mut filters = vec![
        all(),
        Filter { states: vec![State::New], ..all() },
        Filter { states: vec![State::New, State::Ongoing, State::Escalating, State::Reopened], ..all() },
        Filter { kinds: kinds.clone(), ..all() },
        Filter { kinds, states: vec![State::New], ..all() },
        Filter { severities: vec![Level::High, Level::Critical], ..all() },
        Filter { entity: Some("source.ip:17".to_owned()), ..all() },
        Filter { entity: Some("source.ip:17".to_owned()), without_many: true, ..all() },
        Filter { organization: Some("north".to_owned()), ..all() },
        Filter { rule: Some("rule-3".to_owned()), ..all() },
        Filter { text: Some("rule 3".to_owned()), ..all() },
        Filter { hidden: true, ..all() },
    ];
    let in_time = |filter: &Filter| Filter { from: Some(at(0)), to: Some(at(5)), ..filter.clone() };
    filters.extend(filters.clone().iter().map(in_time));
    let later = |filter: &Filter| Filter { cursor: Some("17eb5a1b0b1c0000-77".to_owned()), ..filter.clone() };
    filters.extend(filters.clone().iter().map(later));
    filters
}

#[test]
fn no_question_reads_all_signals() {
    let dir = tempfile::TempDir::new().unwrap();
    let store = filled(&dir);
    store
        .database
        .read(|transaction| {
            let by_no_index = "SELECT number FROM signal WHERE document = ''";
            assert_eq!(scans(transaction, by_no_index, Vec::new()), ["SCAN signal"]);
            for filter in filters() {
                let (text, values) = filter.page(100)?;
                check_plan(transaction, &text, values);
                for (text, values) in [filter.total(), filter.sorts()] {
                    check_plan(transaction, &text, values);
                }
            }
            for organization in [None, Some("north".to_owned())] {
                let filter = IncidentFilter { organization, to: Some(at(5)), ..IncidentFilter::default() };
                let place = Place::of_signal(at(0), 7);
                let rest = "ORDER BY last DESC, id DESC LIMIT 20";
                for (text, values) in
                    [filter.statement("count(*)", None, ""), filter.statement("id, last", Some(place), rest)]
                {
                    check_plan(transaction, &text, values);
                }
            }
            let fixed = [
                row::FIND,
                row::CANDIDATES,
                row::ALIKE,
                row::SUPPRESSED,
                row::QUIET,
                incidents::OF_INCIDENT,
                incidents::LINKED,
                opinion::LABELLED,
                follow::CHANGES,
                forget::RESOLVED,
                past::EARLIER,
                choose::OPEN,
            ];
            for text in fixed {
                check_plan(transaction, text, Vec::new());
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

#[test]
fn a_hundred_thousand_signals_are_listed_page_by_page_with_exact_totals() {
    let dir = tempfile::TempDir::new().unwrap();
    let store = filled(&dir);
    let total = |filter: &Filter| store.list(filter).unwrap().total;
    let all = Filter::default;
    let new = SIGNALS / NEW + 1;
    assert_eq!(total(&all()), SIGNALS);
    assert_eq!(total(&Filter { states: vec![State::New], ..all() }), new);
    assert_eq!(total(&Filter { entity: Some("source.ip:17".to_owned()), ..all() }), SIGNALS / 5000);
    assert_eq!(total(&Filter { hidden: true, ..all() }), 0);
    assert_eq!(total(&Filter { rule: Some("rule-3".to_owned()), ..all() }), (SIGNALS - 3) / 7 + 1);
    assert_eq!(total(&Filter { text: Some("rule-3".to_owned()), ..all() }), (SIGNALS - 3) / 7 + 1);

    let states = vec![State::New, State::Ongoing, State::Escalating];
    let mut filter = Filter { states, limit: 17, ..all() };
    let mut seen = 0;
    loop {
        let page = store.list(&filter).unwrap();
        assert_eq!(page.total, new);
        seen += page.signals.len();
        filter.cursor = page.next;
        if filter.cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen as u64, new);
}
