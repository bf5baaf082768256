//! Two histories under one journal id: a data folder that was restored or copied.

use event::{Batch, EventId, JournalId, Position, Timestamp};
use index::Index;
use telemetry::ledger;

use super::{
    JOURNAL, Setting, alone, at, batch, check_complete, config, event, id, open,
    scripted::{Fault, Server},
};

/// The same ids as [`batch`], other events: they came in later.
pub(crate) fn others(records: std::ops::Range<u32>) -> Batch<'static> {
    let mut batch = batch(records);
    for analyzed in &mut batch.events {
        let nanos = analyzed.event.timestamp.as_nanos() + 7_000_000_000;
        analyzed.event.timestamp = Timestamp::saturating_from_nanos(nanos.into());
        analyzed.event.observed_timestamp = analyzed.event.timestamp;
        analyzed.event.message = format!("another {}", analyzed.id.position.record).into();
    }
    batch
}

async fn write_others(setting: &Setting, records: std::ops::Range<u32>) {
    ledger::received(u64::from(records.end - records.start));
    setting.index.write(&others(records)).await.unwrap();
}

/// How many documents say this.
fn says(server: &Server, what: &str) -> usize {
    let state = server.state();
    let documents = state.indices.iter().flat_map(|index| index.values());
    documents.filter(|(_, document)| document["message"].as_str().unwrap().starts_with(what)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_another_event_has_is_no_proof_of_being_stored() {
    let (_alone, stored, _) = alone().await;
    let server = Server::start().await;
    let first = open(config(vec![server.url()]));
    first.write(0..50).await;
    first.written(50).await;
    let second = open(config(vec![server.url()]));
    write_others(&second, 20..60).await;
    second.written(60).await;
    assert_eq!((says(&server, "event"), says(&server, "another")), (50, 40), "none is lost");
    assert_eq!(ledger::snapshot().stored - stored, 90);
    assert_eq!(second.index.collided(), Some(JOURNAL), "who gives out ids is told");
    assert_eq!(first.index.collided(), None);
    // The same once more, as after a kill: under the same new ids.
    let again = open(config(vec![server.url()]));
    again.index.attach(JOURNAL, at(20), at(60));
    write_others(&again, 20..60).await;
    again.written(60).await;
    assert_eq!((says(&server, "event"), says(&server, "another")), (50, 40), "none is there twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lies_behind_a_rollover_is_compared_too() {
    let _alone = alone().await;
    let server = Server::start().await;
    let first = open(config(vec![server.url()]));
    first.write(0..10).await;
    first.written(10).await;
    server.state().roll_over();
    // A cursor that was restored: these may have been written before, but others were.
    let restored = open(config(vec![server.url()]));
    restored.index.attach(JOURNAL, at(0), at(10));
    ledger::received(10);
    restored
        .index
        .write(&Batch { events: [batch(0..5).events, others(5..10).events].concat(), ..batch(0..10) })
        .await
        .unwrap();
    restored.written(10).await;
    assert_eq!((says(&server, "event"), says(&server, "another")), (10, 5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bulk_without_an_answer_is_recognised_when_it_is_sent_again() {
    let (_alone, stored, dead) = alone().await;
    let server = Server::start().await;
    server.state().faults.extend([Fault::ResetAfter, Fault::Truncated]);
    let setting = open(config(vec![server.url()]));
    setting.write(0..40).await;
    setting.written(40).await;
    check_complete(&server, &setting, 40, (stored, dead));
    assert_eq!(setting.index.collided(), None, "they are the same events");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_furthest_event_of_a_journal_is_found() {
    let _alone = alone().await;
    let server = Server::start().await;
    let setting = open(config(vec![server.url()]));
    assert_eq!(setting.index.reached(JOURNAL).await.unwrap(), Position::default(), "nothing is there yet");
    setting.write(0..30).await;
    setting.written(30).await;
    let mut foreign = event(70);
    foreign.id = EventId { journal: JournalId(JOURNAL.0 + 1), position: at(70) };
    ledger::received(1);
    setting.index.write(&Batch { events: vec![foreign], variables: vec![], end: at(71) }).await.unwrap();
    setting.written(71).await;
    assert_eq!(setting.index.reached(JOURNAL).await.unwrap(), id(29).position.next());
}
