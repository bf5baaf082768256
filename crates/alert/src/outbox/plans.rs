//! That what happens with each alert reads few rows, however many are kept: by index, never by all.

use rusqlite::Connection;

use super::{queue, record, rows};

#[test]
fn every_alert_costs_the_same_however_many_there_are() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(include_str!("tables.sql")).unwrap();
    for (sql, index) in [
        (queue::CANDIDATE.to_owned(), "alert_delivery_by_due (channel=?)"),
        (queue::gathering(queue::OF_GROUP), "alert_delivery_by_group (channel=? AND grouped=?)"),
        (queue::gathering(queue::ALL_DUE), "alert_delivery_by_due (channel=? AND due<?)"),
        (rows::GROUP_DUE.to_owned(), "alert_delivery_by_group (channel=? AND grouped=?)"),
        (rows::WITHDRAW.to_owned(), "(alert=?)"),
        (format!("SELECT number {}", record::OPEN_OF_HOST), "alert_by_host (host=?)"),
        (format!("SELECT document {}", record::OPEN), "alert_by_open"),
    ] {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        for place in 1..=statement.parameter_count() {
            statement.raw_bind_parameter(place, 1).unwrap();
        }
        let mut rows = statement.raw_query();
        let mut plan = vec![];
        while let Some(row) = rows.next().unwrap() {
            plan.push(row.get::<_, String>(3).unwrap());
        }
        assert!(plan.iter().any(|step| step.contains(index)), "{sql}\n{plan:?}");
        let is_of_all = |step: &String| step.starts_with("SCAN") && !step.contains("USING");
        assert!(!plan.iter().any(is_of_all), "{sql}\n{plan:?}");
        assert!(!plan.iter().any(|step| step.contains("ORDER BY") && sql == queue::CANDIDATE), "{plan:?}");
    }
}
