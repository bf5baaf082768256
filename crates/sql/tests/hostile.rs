//! A hundred questions that mean harm: none reads or changes anything that it should not, and none runs past its budget by more than its
//! like. What is refused is refused before it runs.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod room;
mod texts;

use std::{fs, time::Duration};

use room::{ask, tables, with_processes};
use sql::{Budget, Failure, Question, Refusal};
use texts::{ENDLESS, REFUSED};

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
