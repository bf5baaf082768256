//! What an operator meets: dead, slow and foreign nodes, wrong credentials, blocks, missing data
//! streams, rollovers, full queues.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use event::Value;
use index::{
    Index, IndexError,
    elasticsearch::{Auth, ClusterError, Config, Elasticsearch},
};
use serde_json::json;
use telemetry::ledger;

use super::{
    JOURNAL, LONG, Letters, alone, at, batch, check_complete, config, event, id, open,
    scripted::{Fault, Item, Server},
};

/// An address where nothing listens, for now.
async fn nobody() -> SocketAddr {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

fn prefill(server: &Server, index: usize, records: std::ops::Range<u32>) {
    for record in records {
        let mut document = serde_json::Value::Object(event(record).document());
        document["sentinel"]["id"] = id(record).to_string().into();
        server.state().indices[index].insert(id(record).to_string(), (false, document));
    }
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(tokio::time::timeout(LONG, wait).await.is_ok(), "{what} does not come about");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_node_is_taken_out_named_and_taken_in_again() {
    let (_alone, stored, dead) = alone().await;
    let (server, address) = (Server::start().await, nobody().await);
    let setting = open(config(vec![format!("http://{address}"), server.url()]));
    for from in 0..10 {
        setting.write(from..from + 1).await;
    }
    setting.written(10).await;
    check_complete(&server, &setting, 10, (stored, dead));
    setting.health("degraded", &[&address.to_string(), "taken out", "ELASTIC_ADDR"]).await;
    let _back = Server::start_at(address, None).await;
    setting.health("ok", &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_all_nodes_away_events_wait_and_then_arrive() {
    let (_alone, stored, dead) = alone().await;
    let addresses = [nobody().await, nobody().await];
    let setting = open(config(addresses.iter().map(|address| format!("http://{address}")).collect()));
    setting.write(0..5).await;
    setting.health("degraded", &["no connection", "ELASTIC_ADDR"]).await;
    assert_eq!(setting.index.commit().await.unwrap(), at(0), "nothing is acknowledged");
    let refused = setting.index.refresh().await;
    assert!(refused.is_ok(), "nothing was written that could be invisible: {refused:?}");
    let server = Server::start_at(addresses[1], None).await;
    setting.written(5).await;
    check_complete(&server, &setting, 5, (stored, dead));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_credentials_name_their_setting_and_lose_nothing() {
    let (_alone, mut stored, dead) = alone().await;
    let basic = Auth::Basic { username: "elastic".to_owned(), password: "pass-word".to_owned() };
    for (auth, words) in [
        (Auth::None, ["set ELASTIC_API_KEY", "not authenticated"]),
        (basic, ["ELASTIC_PASSWORD", "not authenticated"]),
        (Auth::ApiKey("a2V5OnNlY3JldA==".to_owned()), ["ELASTIC_API_KEY", "expired"]),
        (Auth::ApiKey("key:secret".to_owned()), ["ELASTIC_API_KEY", "expired"]),
    ] {
        let server = Server::start().await;
        let refusal = json!({"error": {"type": "security_exception", "reason": "unable to authenticate"}});
        server.state().always = Some((401, refusal.to_string()));
        let setting = open(Config { auth, ..config(vec![server.url()]) });
        setting.write(0..3).await;
        setting.health("degraded", &words).await;
        let reason = setting.health.reports().remove(0).reason;
        assert!(!reason.contains("pass-word") && !reason.contains("secret"), "{reason}");
        server.state().always = None;
        setting.written(3).await;
        setting.health("ok", &[]).await;
        check_complete(&server, &setting, 3, (stored, dead));
        stored += 3;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_too_old_or_none_gets_no_events() {
    let (_alone, mut stored, dead) = alone().await;
    let of = |number: &str| json!({"cluster_name": "c", "version": {"number": number}}).to_string();
    let opensearch = json!({"version": {"distribution": "opensearch", "number": "1.3.0"}}).to_string();
    let not_now = json!({"error": {"type": "security_exception", "reason": "no monitor"}}).to_string();
    for (status, root, words) in [
        (200, of("7.17.9"), ["ELASTIC_ADDR", "Elasticsearch 7.17.9"]),
        (200, opensearch, ["ELASTIC_ADDR", "OpenSearch 1.3.0"]),
        (200, "<html>Welcome</html>".to_owned(), ["ELASTIC_ADDR", "<html>Welcome"]),
        (200, json!({"status": "fine"}).to_string(), ["ELASTIC_ADDR", "not Elasticsearch"]),
        (200, of("unreadable"), ["ELASTIC_ADDR", "not Elasticsearch"]),
        (403, not_now, ["ELASTIC_API_KEY", "no monitor"]),
        (404, "<html>Not found</html>".to_owned(), ["", ""]),
    ] {
        let server = Server::start().await;
        server.state().root = Some((status, root));
        let setting = open(config(vec![server.url()]));
        setting.write(0..3).await;
        if !words[0].is_empty() {
            setting.health("degraded", &words).await;
            assert_eq!(server.state().bulks.len(), 0, "{words:?}");
            server.state().root = None;
        } else {
            // Some distributions lack the route; the nodes say what they are.
            until("another way to learn the version", || server.state().count("/_nodes") > 0).await;
            server.state().root = None;
        }
        setting.written(3).await;
        check_complete(&server, &setting, 3, (stored, dead));
        stored += 3;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_operator_must_mend_is_said_and_waited_for() {
    let (_alone, mut stored, dead) = alone().await;
    for (fault, words) in [
        (Fault::Status(404), ["elastic setup", "no such index"]),
        (Fault::Status(403), ["remove the block", "FORBIDDEN/8"]),
        (Fault::Html(403), ["ELASTIC_API_KEY", "not allowed"]),
        (Fault::Status(429), ["overloaded", "not now"]),
        (Fault::Html(502), ["could not do it now", "502"]),
        (Fault::Garbage, ["ELASTIC_ADDR", "not that to a bulk"]),
    ] {
        let server = Server::start().await;
        server.state().faults = vec![fault; 10_000].into();
        let setting = open(config(vec![server.url()]));
        setting.write(0..3).await;
        setting.health("degraded", &words).await;
        server.state().faults.clear();
        setting.written(3).await;
        setting.health("ok", &[]).await;
        check_complete(&server, &setting, 3, (stored, dead));
        stored += 3;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bulk_that_is_too_large_is_split_down_to_what_fits() {
    let (_alone, stored, dead) = alone().await;
    let server = Server::start().await;
    server.state().body_max = Some(1500);
    let setting = open(config(vec![server.url()]));
    let mut events = batch(0..40);
    events.events[7].event.set("labels.long", Value::from("x".repeat(2000)));
    ledger::received(40);
    setting.index.write(&events).await.unwrap();
    setting.written(40).await;
    check_complete(&server, &setting, 40, (stored, dead));
    assert_eq!(setting.letters.all(), [(7, "status 413".to_owned())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_makes_whole_bulks_refused_is_found() {
    let (_alone, stored, dead) = alone().await;
    let server = Server::start().await;
    for record in [5, 6, 31] {
        server.state().items.insert(id(record).to_string(), Item::Poison(400));
    }
    let setting = open(config(vec![server.url()]));
    setting.write(0..40).await;
    setting.written(40).await;
    check_complete(&server, &setting, 40, (stored, dead));
    let kind = "parse_exception".to_owned();
    assert_eq!(setting.letters.all(), [(5, kind.clone()), (6, kind.clone()), (31, kind)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_every_bulk_is_refused_no_event_is_given_up() {
    let (_alone, stored, dead) = alone().await;
    let server = Server::start().await;
    for record in 0..100 {
        server.state().items.insert(id(record).to_string(), Item::Poison(400));
    }
    let setting = open(config(vec![server.url()]));
    setting.write(0..100).await;
    setting.health("degraded", &["400", "something in it"]).await;
    until("many attempts", || server.state().bulks.len() > 100).await;
    assert_eq!(setting.letters.all(), []);
    server.state().items.clear();
    setting.written(100).await;
    check_complete(&server, &setting, 100, (stored, dead));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_counts_as_done_only_once_its_letter_is_kept() {
    let (_alone, stored, dead) = alone().await;
    let server = Server::start().await;
    server.state().items.insert(id(1).to_string(), Item::Always(400, "mapper_parsing_exception"));
    let setting = open(config(vec![server.url()]));
    *setting.letters.failures.lock().unwrap() = u32::MAX;
    setting.write(0..3).await;
    setting.health("degraded", &["dead letters", "the disk is full"]).await;
    assert_eq!(setting.index.commit().await.unwrap(), at(0));
    *setting.letters.failures.lock().unwrap() = 0;
    setting.written(3).await;
    check_complete(&server, &setting, 3, (stored, dead));
    assert_eq!(setting.letters.all(), [(1, "mapper_parsing_exception".to_owned())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_taken_whole_or_not_at_all() {
    let (_alone, stored, dead) = alone().await;
    let server = Server::start().await;
    server.state().faults = vec![Fault::Html(503); 100_000].into();
    let setting = open(Config {
        in_flight_bytes_max: 1000,
        write_wait: Duration::from_millis(20),
        ..config(vec![server.url()])
    });
    setting.write(0..50).await;
    for _ in 0..3 {
        let refused = setting.index.write(&batch(50..52)).await;
        assert!(matches!(refused, Err(IndexError::Busy { .. })), "{refused:?}");
    }
    assert_eq!(setting.index.stats().open_events, 50);
    server.state().faults.clear();
    setting.written(50).await;
    setting.write(50..52).await;
    setting.written(52).await;
    check_complete(&server, &setting, 52, (stored, dead));
    until("the figures", || setting.index.stats().events == 52).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_after_a_rollover_repeats_nothing() {
    let (_alone, stored, dead) = alone().await;
    let server = Server::start().await;
    prefill(&server, 0, 2..6);
    server.state().roll_over();
    prefill(&server, 1, 6..7);
    let setting = open(config(vec![server.url()]));
    assert_eq!(setting.index.attach(JOURNAL, at(0), at(9)), at(0));
    setting.write(0..9).await;
    setting.written(9).await;
    let lookups = server.state().count("/_search");
    assert!(lookups > 0);
    setting.write(9..20).await;
    setting.written(20).await;
    check_complete(&server, &setting, 20, (stored, dead));
    assert_eq!(server.state().count("/_search"), lookups, "new events are not looked up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_doubled_by_a_rollover_after_a_lost_answer() {
    for faults in [
        vec![Fault::ResetAfterRollover],
        vec![Fault::ResetAfter, Fault::RolloverBefore],
        vec![Fault::ResetAfter, Fault::ResetBefore, Fault::RolloverBefore],
        vec![Fault::Garbage, Fault::RolloverBefore, Fault::ResetAfterRollover],
    ] {
        let (_alone, stored, dead) = alone().await;
        let server = Server::start().await;
        server.state().faults = faults.into();
        let setting = open(config(vec![server.url()]));
        setting.write(0..20).await;
        setting.written(20).await;
        check_complete(&server, &setting, 20, (stored, dead));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refreshes_are_shared_and_only_asked_for_when_something_came() {
    let (_alone, ..) = alone().await;
    let server = Server::start().await;
    let setting = Arc::new(open(config(vec![server.url()])));
    setting.write(0..5).await;
    setting.written(5).await;
    let ask = |setting: Arc<super::Setting>| async move { setting.index.refresh().await.unwrap() };
    let asked: Vec<_> = (0..20).map(|_| telemetry::task::spawn("asks", ask(setting.clone()))).collect();
    for task in asked {
        task.await.unwrap();
    }
    assert_eq!(server.state().count("/_refresh"), 1);
    assert!(server.state().indices[0].values().all(|(visible, _)| *visible));
    setting.write(5..6).await;
    setting.written(6).await;
    setting.index.refresh().await.unwrap();
    assert_eq!(server.state().count("/_refresh"), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_node_is_named() {
    let (_alone, ..) = alone().await;
    let (quick, slow) = (Server::start().await, Server::start().await);
    slow.state().delay = Duration::from_secs(2);
    let setting = open(Config {
        slow_after: Duration::from_secs(3),
        concurrency_max: 1,
        ..config(vec![slow.url(), quick.url()])
    });
    let mut record = 0;
    while [&quick, &slow].iter().any(|server| server.state().bulks.is_empty()) {
        setting.write(record..record + 1).await;
        record += 1;
        setting.written(record).await;
    }
    setting.health("degraded", &[&slow.url(), "slowly"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_are_packed_where_that_is_set() {
    let (_alone, stored, dead) = alone().await;
    for (gzip, is_packed) in [(Some(true), true), (Some(false), false), (None, false)] {
        let server = Server::start().await;
        let setting = open(Config { gzip, ..config(vec![server.url()]) });
        let before = ledger::snapshot();
        assert!(before.stored >= stored && before.dead_lettered == dead);
        setting.write(0..50).await;
        setting.written(50).await;
        check_complete(&server, &setting, 50, (before.stored, dead));
        assert_eq!(server.state().packed > 0, is_packed, "{gzip:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_end_with_the_index() {
    let (_alone, ..) = alone().await;
    let setting = open(config(vec![format!("http://{}", nobody().await)]));
    setting.index.write(&batch(0..5)).await.unwrap();
    let letters = setting.letters.clone();
    drop(setting);
    until("the end of all tasks", || Arc::strong_count(&letters) == 1).await;
}

#[tokio::test]
async fn the_original_is_kept_or_not() {
    let (_alone, ..) = alone().await;
    for keep_original in [true, false] {
        let server = Server::start().await;
        let setting = open(Config { keep_original, ..config(vec![server.url()]) });
        let mut events = batch(0..1);
        events.events[0].event.original = Some("raw line".into());
        ledger::received(1);
        setting.index.write(&events).await.unwrap();
        setting.written(1).await;
        let document = server.state().indices[0][&id(0).to_string()].1.clone();
        let expected = if keep_original { json!("raw line") } else { json!(null) };
        assert_eq!(document["event"]["original"], expected);
        assert_eq!(document["message"], event(0).event.message.as_ref());
    }
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_refused_by_name() {
    let with = |change: &dyn Fn(&mut Config)| {
        let mut config = config(vec!["http://127.0.0.1:1".to_owned()]);
        change(&mut config);
        let health = telemetry::health::Health::new().component("elasticsearch");
        let error = Elasticsearch::open(config, Arc::new(Letters::default()), health).unwrap_err();
        let IndexError::Remote { source, .. } = error else { panic!("{error:?}") };
        (source.to_string(), format!("{:?}", source.downcast_ref::<ClusterError>().unwrap()))
    };
    for (nodes, word) in [
        (vec![], "no address"),
        (vec!["localhost:9200"], "URL"),
        (vec!["ftp://host"], "URL"),
        (vec![""], "URL"),
    ] {
        let (text, _) = with(&|config| config.nodes = nodes.iter().map(ToString::to_string).collect());
        assert!(text.contains("ELASTIC_ADDR") && text.contains(word), "{text}");
    }
    let (text, debug) = with(&|config| config.auth = Auth::ApiKey("hüsh\n".to_owned()));
    assert!(text.contains("ELASTIC_API_KEY") && !text.contains("hüsh") && !debug.contains("hüsh"), "{text}");
    let (text, _) = with(&|config| config.ca_file = Some("/nowhere/ca.pem".into()));
    assert!(text.contains("ELASTIC_CA_FILE") && text.contains("/nowhere/ca.pem"), "{text}");
}

#[test]
fn no_secret_is_printed() {
    let auth = Auth::Basic { username: "elastic".to_owned(), password: "pass-word".to_owned() };
    let config = Config { auth, ..Config::new(vec!["http://user:pass-word@host:9200".to_owned()]) };
    let cluster = index::elasticsearch::Cluster::new(&config).unwrap();
    let printed = format!("{config:?} {cluster:?} {:?}", Auth::ApiKey("pass-word".to_owned()));
    assert!(!printed.contains("pass-word") && printed.contains("host:9200"), "{printed}");
}
