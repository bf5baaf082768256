//! Every mix of item results and connection faults: exactly the right documents on the server,
//! exactly the refused ones among the dead letters, a balanced ledger, positions in order.

use std::time::Duration;

use index::Index;
use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    JOURNAL, Setting, alone, at, check_complete, config, event, id, open,
    scripted::{Fault, Item, Server},
};

/// What may become of a document, and the kind of its dead letter if it ends as one.
const ITEMS: &[(Option<Item>, Option<&str>)] = &[
    (Some(Item::Stored(200)), None),
    (Some(Item::Stored(201)), None),
    (Some(Item::Always(400, "document_parsing_exception")), Some("document_parsing_exception")),
    (Some(Item::Always(400, "")), Some("status 400")),
    (Some(Item::Once(400, "index_closed_exception")), None),
    (Some(Item::Once(400, "validation_exception")), None),
    (Some(Item::Once(401, "security_exception")), None),
    (Some(Item::Once(403, "cluster_block_exception")), None),
    (Some(Item::Once(403, "index_block_exception")), None),
    (Some(Item::Once(403, "security_exception")), None),
    (Some(Item::Always(403, "other_exception")), Some("other_exception")),
    (Some(Item::Once(404, "index_not_found_exception")), None),
    (Some(Item::Always(404, "document_missing_exception")), Some("document_missing_exception")),
    (Some(Item::Once(408, "timeout_exception")), None),
    // 409: it is there already.
    (None, None),
    (Some(Item::Always(413, "too_large")), Some("too_large")),
    (Some(Item::Once(429, "es_rejected_execution_exception")), None),
    (Some(Item::Once(429, "cluster_block_exception")), None),
    (Some(Item::Once(500, "internal")), None),
    (Some(Item::Once(503, "unavailable_shards_exception")), None),
    (Some(Item::Once(507, "")), None),
];

const FAULTS: &[Fault] = &[
    Fault::None,
    Fault::ResetBefore,
    Fault::ResetAfter,
    Fault::HangBefore,
    Fault::HangAfter,
    Fault::Truncated,
    Fault::Garbage,
    Fault::Short,
    Fault::Shuffled,
    Fault::Odd,
    Fault::Status(401),
    Fault::Status(403),
    Fault::Status(404),
    Fault::Status(408),
    Fault::Status(429),
    Fault::Status(500),
    Fault::Status(503),
    Fault::Html(403),
    Fault::Html(404),
    Fault::Html(502),
    Fault::Html(504),
    Fault::Slow,
    Fault::RolloverBefore,
    Fault::ResetAfterRollover,
];

/// Scripts the documents from a record on, and says which dead letters they make.
fn script(server: &Server, from: u32, items: &[usize]) -> Vec<(u32, String)> {
    let mut state = server.state();
    let mut letters = Vec::new();
    for (record, item) in (from..).zip(items) {
        let (item, letter) = ITEMS[*item];
        match item {
            Some(item) => drop(state.items.insert(id(record).to_string(), item)),
            None => {
                let mut document = serde_json::Value::Object(event(record).document());
                document["sentinel"]["id"] = id(record).to_string().into();
                state.indices[0].insert(id(record).to_string(), (false, document));
            }
        }
        letters.extend(letter.map(|kind| (record, kind.to_owned())));
    }
    letters
}

/// Everything that was said to be written is.
fn check_written(server: &Server, setting: &Setting, written: u32) {
    let (ids, letters) = (server.state().ids(), setting.letters.all());
    for record in 0..written {
        let is_there =
            ids.contains(&id(record).to_string()) || letters.iter().any(|(letter, _)| *letter == record);
        assert!(is_there, "{record} is said to be written, and is not");
    }
}

/// Writes one batch for each list of items while faults come upon the bulks.
async fn check(batches: &[Vec<usize>], faults: &[Fault]) {
    let (_alone, stored, dead) = alone().await;
    let server = Server::start().await;
    server.state().faults = faults.iter().copied().collect();
    let timed = faults.iter().any(|fault| matches!(fault, Fault::HangBefore | Fault::HangAfter));
    let mut config = config(vec![server.url()]);
    (config.bulk_bytes_max, config.concurrency_max) = (1500, 3);
    if timed {
        config.request_timeout = Duration::from_millis(400);
    }
    let setting = open(config);
    let total = batches.iter().map(Vec::len).sum::<usize>() as u32;
    if faults.iter().any(|fault| matches!(fault, Fault::RolloverBefore | Fault::ResetAfterRollover)) {
        // What is there already was written by an earlier process.
        setting.index.attach(JOURNAL, at(0), at(total));
    }
    let observer = {
        let mut written = setting.index.written();
        async move {
            let mut seen = vec![at(0)];
            while seen.last().is_some_and(|last| *last < at(total)) {
                written.changed().await.unwrap();
                seen.push(*written.borrow_and_update());
            }
            seen
        }
    };
    let observer = telemetry::task::spawn("observer", observer);
    let (mut letters, mut from) = (Vec::new(), 0);
    let mut ends = vec![at(0)];
    for items in batches {
        letters.extend(script(&server, from, items));
        let to = from + items.len() as u32;
        setting.write(from..to).await;
        check_written(&server, &setting, setting.index.commit().await.unwrap().record);
        (from, ends) = (to, [ends, vec![at(to)]].concat());
    }
    setting.written(from).await;
    check_complete(&server, &setting, from, (stored, dead));
    assert_eq!(setting.letters.all(), letters);
    for letter in &*setting.letters.kept.lock().unwrap() {
        assert_eq!(letter.event, super::event(letter.id.position.record).event);
        assert!(letter.reason.contains("as scripted"), "{letter:?}");
    }
    let seen = observer.await.unwrap();
    assert!(seen.is_sorted() && seen.iter().all(|position| ends.contains(position)), "{seen:?} of {ends:?}");
    assert_eq!(setting.index.commit().await.unwrap(), at(from));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_pair_of_item_results_in_one_bulk() {
    let kinds = 0..ITEMS.len();
    let pairs = kinds.clone().flat_map(|a| kinds.clone().map(move |b| vec![a, b]));
    check(&pairs.collect::<Vec<_>>(), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_with_every_item_result() {
    let all: Vec<usize> = (0..ITEMS.len()).collect();
    for fault in FAULTS {
        check(&[all.clone(), vec![1, 2, 3], all.clone()], &[*fault, Fault::None, *fault, *fault]).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_mix_of_results_and_faults(
        batches in vec(vec(0..ITEMS.len(), 0..12), 1..6),
        faults in vec(select(FAULTS.to_vec()), 0..10),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(check(&batches, &faults));
    }
}
