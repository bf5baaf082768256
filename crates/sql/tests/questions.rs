//! Questions that are answered, and what is said of those that are not.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod room;

use room::{ask, tables, with_processes};
use sql::{Budget, Failure, Place, Question, Refusal, Run, Value};

#[test]
fn a_question_is_answered_from_the_rows_that_it_was_given() {
    let answer = ask("SELECT name, count(*) AS n, max(rss_bytes) FROM processes GROUP BY name ORDER BY n DESC, name LIMIT 2").unwrap();
    assert_eq!(answer.columns, ["name", "n", "max(rss_bytes)"]);
    assert_eq!(
        answer.rows,
        [
            vec![Value::Text("sh".into()), Value::Integer(2), Value::Integer(300)],
            vec![Value::Text("nginx".into()), Value::Integer(1), Value::Integer(1000)],
        ]
    );
    assert_eq!((answer.cut, answer.rows_read), (false, 3));
}

#[test]
fn joins_recursion_windows_and_json_are_there() {
    let parents = "WITH RECURSIVE up(pid, ppid, depth) AS (
            SELECT pid, ppid, 0 FROM processes WHERE pid = 30
            UNION ALL SELECT p.pid, p.ppid, depth + 1 FROM processes p JOIN up ON p.pid = up.ppid LIMIT 100)
        SELECT pid FROM up ORDER BY depth";
    let rows = ask(parents).unwrap().rows;
    assert_eq!(rows, [[Value::Integer(30)], [Value::Integer(20)], [Value::Integer(10)]]);
    let rank =
        ask("SELECT pid, rank() OVER (ORDER BY rss_bytes DESC) FROM processes ORDER BY 2 LIMIT 1").unwrap();
    assert_eq!(rank.rows, [[Value::Integer(10), Value::Integer(1)]]);
    let matched = ask("SELECT pid FROM processes WHERE command LIKE '%PASSWORD%' AND name REGEXP '^s.$' AND command GLOB '*pass*'").unwrap();
    assert_eq!(matched.rows, [[Value::Integer(30)]]);
    assert_eq!(ask("SELECT json_extract('{\"a\":[1,2]}', '$.a[1]')").unwrap().rows, [[Value::Integer(2)]]);
}

#[test]
fn mistakes_are_named_with_their_place() {
    let refused = |sql: &str| Question::check(sql, tables()).unwrap_err();
    assert_eq!(
        refused("SELECT pid,\n  nme FROM processes"),
        Refusal::Wrong { at: Place { line: 2, column: 3 }, reason: "no such column: nme".into() }
    );
    assert_eq!(refused("SELECT é, FROM").to_string(), "line 1, column 11: near \"FROM\": syntax error");
    assert_eq!(refused("  ; -- nothing"), Refusal::Empty);
    assert!(
        matches!(refused("SELECT 1; SELECT 2"), Refusal::Second(Place { line: 1, column: 11 })),
        "{:?}",
        refused("SELECT 1; SELECT 2")
    );
    assert_eq!(
        refused("SELECT ?1"),
        Refusal::Wrong {
            at: Place { line: 1, column: 8 },
            reason: "variable number must be between ?1 and ?0".into()
        }
    );
    assert!(refused("SELECT randomblob(10)").to_string().contains("randomblob"));
    assert!(refused("DELETE FROM processes").to_string().contains("deleting from processes"));
    assert!(refused("SELECT * FROM proceses").to_string().contains("no such table: proceses"));
}

#[test]
fn only_what_is_read_need_be_filled() {
    let question = Question::check("SELECT pid FROM processes WHERE host = 'web-1'", tables()).unwrap();
    assert_eq!(question.tables().iter().map(|table| table.name).collect::<Vec<_>>(), ["processes"]);
    assert!(
        question.reads("processes", "pid")
            && question.reads("processes", "host")
            && !question.reads("processes", "command")
    );
    let joined =
        Question::check("SELECT a.pid FROM processes a JOIN processes b USING (host)", tables()).unwrap();
    assert!(joined.reads("processes", "host") && !joined.reads("processes", "command"));
    let natural = Question::check("SELECT 1 FROM processes NATURAL JOIN logs", tables()).unwrap();
    assert!(natural.reads("processes", "command") && natural.reads("logs", "message"));
}

#[test]
fn plans_say_what_would_make_a_question_cheaper() {
    let hints = |sql: &str| Question::check(sql, tables()).unwrap().plan().hints.join("\n");
    assert!(hints("SELECT a.pid FROM processes a, processes b").contains("cross join"));
    assert!(hints("SELECT message FROM logs").contains("narrow it by timestamp"));
    assert_eq!(hints("SELECT message FROM logs WHERE timestamp > '2026'"), "");
    assert!(
        hints("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n")
            .contains("LIMIT")
    );
}

#[test]
fn rows_that_were_lost_are_no_absence() {
    let mut run = with_processes("SELECT pid FROM processes WHERE name = 'evil'", Budget::default());
    run.dropped("processes", 7);
    assert_eq!(run.answer(), Err(Failure::Dropped { table: "processes".into(), rows: 7 }));
}

#[test]
fn answers_past_their_bound_are_cut_and_say_so() {
    let answer = with_processes("SELECT pid FROM processes", Budget { rows: 2, ..Budget::default() })
        .answer()
        .unwrap();
    assert_eq!((answer.rows.len(), answer.cut), (2, true));
    let question = Question::check("SELECT pid FROM processes", tables()).unwrap();
    let mut run = Run::begin(question, Budget { rows_read: 1, ..Budget::default() }).unwrap();
    let row = || vec![Value::Integer(1)];
    assert!(matches!(run.insert("processes", [row(), row()]), Err(Failure::RowsRead { .. })));
}

#[test]
fn values_are_stored_as_they_are() {
    let question = Question::check("SELECT name, pid FROM processes", tables()).unwrap();
    let mut run = Run::begin(question, Budget::default()).unwrap();
    let long = "é".repeat(100_000);
    run.insert(
        "processes",
        [
            vec![Value::Integer(1), Value::Null, Value::Text(long.clone())],
            vec![Value::Integer(2), Value::Null, Value::Text("a\0b".into())],
        ],
    )
    .unwrap();
    let rows = run.answer().unwrap().rows;
    let Some(Value::Text(text)) = rows[0].first() else { panic!("a text") };
    assert!(text.len() < long.len() && long.starts_with(text.as_str()));
    assert_eq!(rows[1][0], Value::Text("a\u{fffd}b".into()));
}
