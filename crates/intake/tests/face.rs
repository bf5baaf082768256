//! The door as a face of a protocol uses it: here one of a protocol that does not exist, which is a route and a
//! function.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use axum::{Router, body::Body, extract::State, http::Request, response::IntoResponse, routing};
use event::{Event, Position, Timestamp};
use http_body_util::BodyExt;
use intake::{Config, Door, Origin};
use journal::Journal;
use problem::Problem;
use telemetry::ledger;
use tower::ServiceExt;

fn clock() -> Timestamp {
    Timestamp::parse("2026-11-29T12:00:00Z").unwrap()
}

/// A record a semicolon; its answers are `OK 2` and `NO reason`.
async fn toy(State(door): State<Door>, body: String) -> impl IntoResponse {
    let context = door.context(&Origin { host: Some("toy-1"), ..Origin::default() });
    let mut delivery = door.delivery();
    for record in body.split(';') {
        delivery.put(match record.strip_prefix('!') {
            None => Ok(parse::line(record.as_bytes(), &context)),
            Some(_) => {
                Err(parse::Problem { line: 1, column: None, field: None, reason: "a '!' begins none".into() })
            }
        });
    }
    delivery.came(body.len());
    match door.append(delivery).await.map_err(Problem::from) {
        Ok(receipt) => format!("OK {}", receipt.counts.accepted),
        Err(problem) => format!("NO {}", problem.code),
    }
}

#[tokio::test]
async fn a_face_is_a_route_and_a_function() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(journal::Config::new(dir.path())).unwrap();
    let config = Config { held_bytes_max: 100_000, ..Config::default() };
    let door = Door::new(journal.clone(), config, clock);
    let router = Router::new().route("/toy", routing::post(toy)).with_state(door);
    let received = ledger::snapshot().received;
    let ask = async |body: String| {
        let request = Request::post("/toy").body(Body::from(body)).unwrap();
        let body = router.clone().oneshot(request).await.unwrap().into_body().collect().await.unwrap();
        String::from_utf8(body.to_bytes().to_vec()).unwrap()
    };
    assert_eq!(ask("level=error msg=one;!;two".to_owned()).await, "OK 2");
    assert_eq!(ask("x;".repeat(20_000)).await, "NO body_too_large");
    let records = journal.read(Position::default(), 1 << 20).unwrap();
    let events: Vec<Event<'_>> =
        records.iter().map(|(_, record)| event::codec::decode(record).unwrap()).collect();
    let messages: Vec<&str> = events.iter().map(|event| event.message.as_ref()).collect();
    assert_eq!(messages, ["one", "two"]);
    assert!(events.iter().all(|event| event.host.as_deref() == Some("toy-1")));
    assert!(events.iter().all(|event| event.observed_timestamp == clock()));
    assert_eq!(ledger::snapshot().received - received, 2, "what was refused is not counted");
}
