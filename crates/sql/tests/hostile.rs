//! A hundred questions that mean harm: none reads or changes anything that it should not, and none runs past its budget by more than its
//! like. What is refused is refused before it runs.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod room;

use std::{fs, time::Duration};

use room::{ask, tables, with_processes};
use sql::{Budget, Failure, Question, Refusal};

/// Texts that are refused: they do other things than read what there is.
const REFUSED: &[&str] = &[
    "ATTACH DATABASE '/etc/passwd' AS stolen",
    "ATTACH ':memory:' AS other",
    "ATTACH 'file:/tmp/x.db?mode=rwc' AS other",
    "DETACH main",
    "PRAGMA writable_schema = ON",
    "PRAGMA database_list",
    "PRAGMA table_info(processes)",
    "PRAGMA temp_store_directory = '/etc'",
    "PRAGMA hard_heap_limit = 1",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA query_only = OFF",
    "PRAGMA trusted_schema = ON",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM pragma_table_info('processes')",
    "SELECT * FROM pragma_function_list",
    "SELECT load_extension('/tmp/evil.so')",
    "SELECT load_extension('/tmp/evil.so', 'entry')",
    "SELECT readfile('/etc/shadow')",
    "SELECT writefile('/tmp/x', 'y')",
    "SELECT edit('x', 'vi')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT fts3_tokenizer('simple', x'00')",
    "SELECT sqlite_compileoption_get(1)",
    "SELECT sqlite_version()",
    "SELECT sqlite_source_id()",
    "SELECT sqlite_log(1, 'x')",
    "SELECT last_insert_rowid()",
    "SELECT changes()",
    "SELECT random()",
    "SELECT randomblob(100000000)",
    "SELECT zeroblob(1000000000)",
    "SELECT length(zeroblob(2000000000))",
    "SELECT printf('%1000000000d', 1)",
    "SELECT format('%.*c', 1000000000, 'x')",
    "SELECT json_group_array(pid) FROM processes",
    "SELECT * FROM json_each('[1,2,3]')",
    "SELECT * FROM json_tree('{}')",
    "SELECT * FROM generate_series(1, 1000000000)",
    "SELECT * FROM dbstat",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM sqlite_schema",
    "SELECT sql FROM sqlite_temp_master",
    "SELECT * FROM main.sqlite_schema",
    "SELECT * FROM sqlite_dbpage",
    "SELECT * FROM secrets",
    "SELECT * FROM other.processes",
    "INSERT INTO processes(pid) VALUES (1)",
    "INSERT INTO processes SELECT * FROM processes",
    "REPLACE INTO processes(pid) VALUES (1)",
    "UPDATE processes SET name = 'x'",
    "DELETE FROM processes",
    "INSERT INTO processes(pid) VALUES (1) RETURNING pid",
    "WITH x AS (SELECT 1) DELETE FROM processes",
    "WITH x AS (SELECT 1) INSERT INTO processes(pid) SELECT * FROM x",
    "CREATE TABLE t(x)",
    "CREATE TEMP TABLE t AS SELECT * FROM processes",
    "CREATE VIEW v AS SELECT * FROM processes",
    "CREATE TEMP VIEW v AS SELECT 1",
    "CREATE TRIGGER t AFTER INSERT ON processes BEGIN SELECT 1; END",
    "CREATE VIRTUAL TABLE f USING fts5(x)",
    "CREATE VIRTUAL TABLE r USING rtree(a, b, c)",
    "CREATE INDEX i ON processes(pid)",
    "DROP TABLE processes",
    "ALTER TABLE processes ADD COLUMN x",
    "ALTER TABLE processes RENAME TO p",
    "REINDEX",
    "ANALYZE",
    "VACUUM",
    "VACUUM INTO '/tmp/stolen.db'",
    "BEGIN",
    "BEGIN EXCLUSIVE",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT x",
    "RELEASE x",
    "EXPLAIN SELECT * FROM processes",
    "EXPLAIN QUERY PLAN SELECT * FROM processes",
    "SELECT 1; DROP TABLE processes",
    "SELECT 1; SELECT 2",
    "SELECT 1;; SELECT 2",
    "SELECT 1 /* ; */ ; ATTACH '/etc/passwd' AS p",
    "SELECT ?",
    "SELECT :name",
    "SELECT @x, $y",
    "",
    "   ",
    "-- only a comment",
    ";",
    "VALUES",
    "SELECT",
    "SELECT * FROM",
    "SELECT '",
    "SELECT \"",
    "SELECT /*",
    "SELECT 1 FROM processes WHERE",
    "SELECT pid FROM processes ORDER BY randomblob(9)",
    "SELECT (SELECT load_extension('x')) FROM processes",
    "SELECT * FROM processes WHERE pid IN (SELECT rootpage FROM sqlite_master)",
    "SELECT name FROM processes UNION SELECT sql FROM sqlite_master",
    "WITH x AS (SELECT * FROM sqlite_master) SELECT * FROM x",
];

/// Texts that may be asked, and would never end or never fit.
const ENDLESS: &[&str] = &[
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n",
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION SELECT x + 1 FROM n) SELECT max(x) FROM n",
    "WITH RECURSIVE n(x) AS (SELECT 'a' UNION ALL SELECT x || x FROM n) SELECT count(*) FROM n",
    "WITH RECURSIVE n(x) AS (SELECT replace(hex('aaaaaaaaaaaaaaaa'), '6', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb') UNION ALL SELECT x FROM n) SELECT length(group_concat(x)) FROM n",
    "WITH RECURSIVE n(x) AS (SELECT substr(replace(hex('0123456789abcdef0123456789abcdef'), '3', hex('0123456789abcdef0123456789abcdef')), 1) UNION ALL SELECT x FROM n) SELECT x FROM n ORDER BY x LIMIT 1 OFFSET 1000000000",
    "WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a LIMIT 100000) SELECT count(*) FROM a p, a q, a r",
    "WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a LIMIT 50000) SELECT sum(p.x * q.x) FROM a p JOIN a q ON p.x <> q.x",
    "WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a LIMIT 100000), b AS (SELECT x, row_number() OVER (ORDER BY -x) AS r FROM a) SELECT max(p.r + q.r) FROM b p, b q",
    "WITH RECURSIVE n(x, y) AS (SELECT 1, 'abcdefghijklmnopqrstuvwxyz' UNION ALL SELECT x + 1, y FROM n) SELECT count(DISTINCT y || x) FROM n",
    "WITH RECURSIVE n(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n), m(y) AS (SELECT 0 UNION ALL SELECT y + 1 FROM m) SELECT count(*) FROM n, m",
    "WITH RECURSIVE n(x) AS (SELECT 'a' UNION ALL SELECT x || 'a' FROM n) SELECT count(*) FROM n WHERE x LIKE '%a%a%a%a%a%a%a%a%a%a%a%b'",
    "WITH RECURSIVE n(x) AS (SELECT 'a' UNION ALL SELECT x || 'a' FROM n) SELECT count(*) FROM n WHERE x GLOB '*a*a*a*a*a*a*a*a*a*a*a*b'",
    "WITH RECURSIVE n(x) AS (SELECT 'a' UNION ALL SELECT x || 'a' FROM n) SELECT count(*) FROM n WHERE x REGEXP '(a+)+(a+)+b'",
];

fn small() -> Budget {
    Budget { steps: 20_000_000, time: Duration::from_secs(1), memory_bytes: 64 << 20, ..Budget::default() }
}

#[test]
fn a_hundred_texts_that_do_more_than_read_are_refused_before_they_run() {
    assert!(REFUSED.len() >= 100, "{}", REFUSED.len());
    for text in REFUSED {
        let refused = Question::check(text, tables());
        assert!(refused.is_err(), "{text}: {refused:?}");
    }
    assert!(!fs::exists("/tmp/stolen.db").unwrap());
}

#[test]
fn what_never_ends_is_ended_by_name() {
    for text in ENDLESS {
        let ended = with_processes(text, small()).answer();
        assert!(
            matches!(
                ended,
                Err(Failure::Steps(_) | Failure::Time(_) | Failure::Memory(_) | Failure::Value(_))
            ),
            "{text}: {ended:?}"
        );
    }
}

#[test]
fn steps_and_memory_bound_what_time_does_not() {
    let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
    let patient = Budget { steps: 1_000_000, time: Duration::from_secs(3600), ..Budget::default() };
    assert_eq!(with_processes(endless, patient).answer(), Err(Failure::Steps(1_000_000)));
    let large = "WITH RECURSIVE n(x) AS (SELECT hex(replace(hex(replace(hex('0123456789abcdef'), '3', '0123456789abcdef0123456789abcdef')), '3', '0123456789abcdef'))
        UNION ALL SELECT x FROM n) SELECT x || rank() OVER (ORDER BY x) FROM n";
    let hungry = Budget {
        steps: u64::MAX,
        time: Duration::from_secs(3600),
        memory_bytes: 64 << 20,
        ..Budget::default()
    };
    assert_eq!(with_processes(large, hungry).answer(), Err(Failure::Memory(64 << 20)));
}

#[test]
fn patterns_cost_no_more_than_their_length_times_the_texts() {
    let text = format!("SELECT '{}' LIKE '{}b'", "a".repeat(20_000), "%a".repeat(300));
    assert_eq!(ask(&text).unwrap().rows, [[sql::Value::Integer(0)]]);
    let large = format!("SELECT 'a' REGEXP '{}'", "(a{1,1000}){1,1000}".repeat(3));
    assert!(
        matches!(ask(&large), Err(Failure::Value(reason)) if reason.contains("size limit")),
        "{:?}",
        ask(&large)
    );
}

#[test]
fn long_and_deep_texts_are_refused() {
    for text in [
        format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000)),
        format!("SELECT {}", vec!["1"; 5_000].join(" + ")),
        format!("SELECT {}", vec!["1"; 5_000].join(", ")),
        vec!["SELECT 1"; 500].join(" UNION ALL "),
        format!("SELECT '{}'", "x".repeat(100_000)),
        format!("SELECT {}1", "NOT ".repeat(20_000)),
        "SELECT 1\0; DROP TABLE processes".to_owned(),
    ] {
        assert!(
            matches!(Question::check(&text, tables()), Err(Refusal::Wrong { .. })),
            "{}",
            text.get(..40).unwrap()
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_fail_otherwise(text in ".{0,120}") {
        if let Ok(question) = Question::check(&text, tables()) {
            proptest::prop_assert!(question.tables().len() <= tables().len());
        }
    }

    #[test]
    fn no_sentence_of_its_words_reads_more_than_it_is_given(words in proptest::collection::vec(proptest::sample::select(vec![
        "SELECT", "FROM", "processes", "logs", "sqlite_master", "WHERE", "pid", "=", "1", "UNION", "(", ")", ",", "*", "WITH", "AS", "x", "load_extension", "ATTACH", ";", "'a'",
    ]), 1..12)) {
        let text = words.join(" ");
        if let Ok(question) = Question::check(&text, tables()) {
            proptest::prop_assert!(!text.contains("sqlite_master") || question.tables().iter().all(|table| table.name != "sqlite_master"));
        }
    }
}
