//! Command lines that ask what is stored: what they ask for, and what they print of the answer.

use serde_json::{Value as Json, json};

use super::{Answer, Said, Service, printed, said, said_of};

fn event(id: &str, message: &str) -> Json {
    json!({"_id": id, "@timestamp": "2024-06-01T12:00:00Z", "log": {"level": "warn"}, "message": message})
}

/// Standard output, standard error.
fn both(said: &Said) -> (&str, &str) {
    assert_eq!(said.failed, "");
    (&said.printed, &said.noted)
}

#[tokio::test]
async fn hits_are_lines_and_what_is_left_out_is_said_beside_them() {
    let answer = json!({
        "total": 7, "hits": [event("1", "one"), event("2", "two")], "reason": "too slow", "hints": ["ask\u{1b} less"]
    });
    let service = Service::giving([answer]).await;
    let said = said(&service, "query level:warn failed -n 2 --from now-1h --to now --zone +02:00").await;
    let expected = "2024-06-01T14:00:00+02:00 warn   one\n2024-06-01T14:00:00+02:00 warn   two\n";
    let noted = "2 of 7 events; incomplete: too slow\nask\\u{1b} less\n";
    assert_eq!(both(&said), (expected, noted));
    let asked = "GET /api/v1/search q=level:warn failed from=now-1h to=now zone=+02:00 limit=2";
    assert_eq!(service.lines(), [asked]);
}

#[tokio::test]
async fn hits_are_json_as_the_service_gave_them() {
    let whole =
        json!({"total": 2, "hits": [event("1", "one"), event("2", "two")], "took_ms": 3, "reason": null});
    let (asked, text) =
        printed(whole.clone(), "query x -o json --oldest-first --fields a,b --zone +02:00").await;
    assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), whole);
    assert!(
        text.starts_with("{\n  \"total\": 2,\n  \"hits\": [\n    {\n") && text.ends_with("\n}\n"),
        "{text}"
    );
    assert_eq!(asked, "GET /api/v1/search q=x zone=+02:00 order=asc fields=a,b limit=100");
    let (_, lines) = printed(whole.clone(), "query x -o ndjson").await;
    let lines: Vec<Json> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, *whole["hits"].as_array().unwrap());
    let none = json!({"total": 0, "hits": []});
    let (_, text) = printed(none.clone(), "query x -o json").await;
    assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), none);
    assert_eq!(printed(none, "query x -o ndjson").await.1, "");
}

#[tokio::test]
async fn further_hits_are_asked_for_until_there_are_enough() {
    let page = |from: u32, next: Option<&str>| {
        let hits: Vec<Json> = (from..from + 2).map(|n| event(&n.to_string(), &format!("m{n}"))).collect();
        json!({"total": 9, "hits": hits, "next": next})
    };
    let lines = |service: &Service| {
        service.lines().iter().map(|line| line.replace("GET /api/v1/search q= ", "")).collect()
    };
    let service = Service::giving([page(1, Some("c1")), page(3, Some("c2")), page(5, Some("c3"))]).await;
    let said_of_five = said(&service, "query -n 6 --fields message").await;
    assert_eq!(both(&said_of_five), ("m1\nm2\nm3\nm4\nm5\nm6\n", "6 of 9 events\n"));
    let asked: Vec<String> = lines(&service);
    let fields = "fields=message";
    let expected = [
        format!("{fields} limit=6"),
        format!("{fields} limit=4 cursor=c1"),
        format!("{fields} limit=2 cursor=c2"),
    ];
    assert_eq!(asked, expected);
    let service = Service::giving([page(1, Some("c1")), page(3, None)]).await;
    let all = said(&service, "query --all -o ndjson").await;
    assert_eq!((all.printed.lines().count(), all.noted.as_str()), (4, ""));
    let asked: Vec<String> = lines(&service);
    assert_eq!(asked, ["limit=10000", "limit=10000 cursor=c1"], "no more than a page holds");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_answer() {
    let service = Service::giving([r#"{"total": 2,"hits":[{"_id":"1"},"#]).await;
    let said = said(&service, "query x -o ndjson").await;
    assert_eq!(said.failed, format!("the answer of {} is not whole; ask again", service.url));
    let service = Service::giving([r#"{"total": 2,"hits":[{"_id" 1}]}"#]).await;
    assert!(super::said(&service, "query x").await.failed.ends_with("is not whole; ask again"));
}

#[tokio::test]
async fn hits_come_with_their_neighbours() {
    let service = Service::start(|asked| match asked.line.strip_prefix("GET /api/v1/events/") {
        Some(_) => json!({"before": [event("0", "earlier")], "after": [event("9", "later")]}).into(),
        None => json!({"total": 2, "hits": [event("1", "one"), event("2", "two")]}).into(),
    })
    .await;
    let said = said(&service, "query x -C 3 --fields message").await;
    let expected = "  earlier\n> one\n  later\n--\n  earlier\n> two\n  later\n";
    assert_eq!(both(&said), (expected, "2 of 2 events\n"));
    let events = ["GET /api/v1/events/1", "GET /api/v1/events/2"]
        .map(|at| format!("{at} before=3 after=3 fields=message"));
    assert_eq!(service.lines()[1..], events);
    let zoned = super::said(&service, "query x -C 1 --zone +01:00").await.printed;
    assert_eq!(zoned.matches("2024-06-01T13:00:00+01:00").count(), 6, "{zoned}");
    assert_eq!(service.lines()[4], "GET /api/v1/events/1 before=1 after=1");
    let refused = super::said(&service, "query x -C 1 -o csv").await.failed;
    assert_eq!(refused, "a table has no place for --context; ask for it with -o text, json or ndjson");
}

#[tokio::test]
async fn a_table_is_printed_as_it_comes_and_what_it_lacks_is_said() {
    let csv = "a,b\n1,\"x\u{1b}[2J\"\n";
    let service =
        Service::giving([Answer::from(csv).with("x-total", "7").with("x-partial", "too slow")]).await;
    let cut = said(&service, "query x -o csv -n 5 --fields a,b").await;
    assert_eq!(both(&cut), (csv, "incomplete: too slow\n"), "not a byte is changed");
    let all = said(&service, "query x -o csv --all").await;
    assert_eq!(all.printed, csv);
    let asked = ["q=x fields=a,b format=csv limit=5", "q=x format=csv"]
        .map(|asked| format!("GET /api/v1/search {asked}"));
    assert_eq!(service.lines(), asked);
}

#[tokio::test]
async fn counts_ask_for_no_hits() {
    let answer = json!({"total": 12_345, "hits": [], "reason": "a shard is gone", "hints": ["look again"]});
    let service = Service::giving([answer.clone()]).await;
    let said = said(&service, "count level:error --from now-1d").await;
    assert_eq!(both(&said), ("12345\n", "incomplete: a shard is gone\nlook again\n"));
    assert_eq!(service.lines(), ["GET /api/v1/search q=level:error from=now-1d limit=0"]);
    let (_, text) = printed(answer.clone(), "count -o json").await;
    assert_eq!(text, format!("{answer:#}\n"));
    let (_, text) = printed(answer.clone(), "count -o ndjson").await;
    assert_eq!(text, format!("{answer}\n"));
}

#[tokio::test]
async fn values_are_asked_for_by_field_and_number() {
    let answer = json!({"values": [{"value": "a", "count": 1}], "total": 1, "distinct": 1});
    let (asked, text) = printed(answer.clone(), "top source.ip level:error -n 3 --to now").await;
    assert_eq!(asked, "GET /api/v1/fields q=level:error to=now field=source.ip limit=3");
    assert_eq!(text, "COUNT  SHARE  VALUE\n1      100 %  a\n1 of 1 value in 1 event\n");
    assert_eq!(printed(answer, "top source.ip -o ndjson").await.1, "{\"value\":\"a\",\"count\":1}\n");
    let none = json!({"values": [], "total": 0, "distinct": 0});
    assert_eq!(printed(none, "top level").await.1, "0 of 0 values in 0 events\n");
}

#[tokio::test]
async fn a_histogram_shows_empty_buckets_to_people_and_its_times_in_their_zone() {
    let answer = json!({"interval": "1h", "buckets": [{"t": "2024-06-01T12:00:00Z", "count": 2}]});
    let (asked, text) = printed(answer.clone(), "histogram x --interval 1h --by level --zone +02:00").await;
    assert_eq!(asked, "GET /api/v1/histogram q=x zone=+02:00 interval=1h by=level empty=true");
    let bar = "#".repeat(40);
    assert_eq!(text, format!("2024-06-01T14:00:00+02:00  2  {bar}\n2 events in buckets of 1h\n"));
    let (asked, text) = printed(answer, "histogram x --zone +02:00 -o ndjson").await;
    assert_eq!(asked, "GET /api/v1/histogram q=x zone=+02:00");
    assert_eq!(text, "{\"t\":\"2024-06-01T12:00:00Z\",\"count\":2}\n");
}

#[tokio::test]
async fn templates_are_told_with_their_counts_or_what_became_of_them() {
    let pattern = json!({
        "id": "0af9", "text": "died <n>\u{1b}", "level": "error", "count": 1_200, "first": "2024-06-01T12:00:00.5Z",
        "last": "2024-06-01T13:00:00Z", "count_before": 3, "change": "more"
    });
    let answer = json!({
        "patterns": [pattern], "distinct": 2, "total": 1_300, "new": 1, "gone": 2, "changed": 3, "unchanged": 4_000,
        "total_before": 5
    });
    let (asked, text) = printed(answer.clone(), "patterns --order rare -n 1").await;
    assert_eq!(asked, "GET /api/v1/patterns q= limit=1 order=rare");
    assert_eq!(
        text,
        "COUNT  FIRST                 LAST                  LEVEL  ID    TEXT\n\
         1,200  2024-06-01T12:00:00Z  2024-06-01T13:00:00Z  error  0af9  died <n>\\u{1b}\n\
         1 of 2 templates of 1,300 events\n"
    );
    assert_eq!(
        printed(answer.clone(), "patterns --order newest").await.0,
        "GET /api/v1/patterns q= limit=20 order=newest"
    );
    assert_eq!(
        printed(answer.clone(), "patterns --order frequent").await.0,
        "GET /api/v1/patterns q= limit=20"
    );
    let (asked, text) = printed(answer.clone(), "patterns --compare-from now-2d --compare-to now-1d").await;
    assert_eq!(asked, "GET /api/v1/patterns q= limit=20 compare_from=now-2d compare_to=now-1d");
    assert_eq!(
        text,
        "CHANGE  BEFORE  NOW    LEVEL  ID    TEXT\n\
         more    3       1,200  error  0af9  died <n>\\u{1b}\n\
         1 new, 2 gone, 3 changed, 4,000 as before; 1,300 events, 5 before\n"
    );
    assert_eq!(printed(answer.clone(), "patterns --compare-to now").await.1, text);
    let none = json!({"patterns": []});
    assert_eq!(printed(none.clone(), "patterns").await.1, "0 of 0 templates of 0 events\n");
    let same = "0 new, 0 gone, 0 changed, 0 as before; 0 events, 0 before\n";
    assert_eq!(printed(none, "patterns --compare-from now-1d").await.1, same);
}

#[tokio::test]
async fn answers_in_sql_are_columns_and_what_they_lack_is_said() {
    let answer = json!({
        "columns": ["a", "b"], "rows": [[1, null], ["x", 2.5]], "more": true, "rows_read": 9, "took_ms": 3.4,
        "reason": "too slow", "hints": ["ask less"], "plan": ["scan", "sort"]
    });
    let service = Service::giving([answer.clone()]).await;
    let ask = async |more: &[&str]| {
        let words = [&["query", "--sql", "select 1", "--url", &service.url], more].concat();
        said_of(&words).await
    };
    let asked = || service.asked().last().unwrap().json();
    let said = ask(&["--at", "now-1h", "--from", "now-1d", "--to", "now"]).await;
    let noted = "2 rows, and there are more; 9 rows read in 3 ms\ntoo slow\nask less\n";
    assert_eq!(both(&said), ("a  b\n1  -\nx  2.5\n", noted));
    let times = json!({"at": "now-1h", "from": "now-1d", "to": "now"});
    let mut expected = json!({"sql": "select 1", "limit": 100, "explain": false});
    assert_eq!(asked(), {
        let mut all = expected.clone();
        all.as_object_mut().unwrap().extend(times.as_object().unwrap().clone());
        all
    });
    assert_eq!(
        both(&ask(&["-o", "ndjson", "--all"]).await),
        ("{\"a\":1,\"b\":null}\n{\"a\":\"x\",\"b\":2.5}\n", "")
    );
    expected["limit"] = 10_000.into();
    assert_eq!(asked(), expected);
    assert_eq!(both(&ask(&["-o", "json", "-n", "10001"]).await), (&*format!("{answer:#}\n"), ""));
    assert_eq!(asked(), expected, "no more than the service gives");
    assert_eq!(both(&ask(&["--explain"]).await), ("scan\nsort\n", "ask less\n"));
    assert_eq!(asked()["explain"], true);
    assert_eq!(both(&ask(&["--explain", "-o", "csv"]).await), ("scan\nsort\n", "ask less\n"));
    let service =
        Service::giving([Answer::from("a\n1\n").with("x-partial", "slow").with("x-more", "true")]).await;
    let csv = super::said(&service, "query --sql a -o csv").await;
    let noted = "slow\nthere are more rows; ask for them with --all or LIMIT and OFFSET\n";
    assert_eq!(both(&csv), ("a\n1\n", noted));
    assert_eq!(service.asked()[0].header("accept"), "text/csv");
    assert_eq!(printed("a\n", "query --sql a -o csv").await.1, "a\n");
    let few = json!({"columns": ["a"], "rows": [[1]], "rows_read": 1, "took_ms": 0});
    let service = Service::giving([few]).await;
    assert_eq!(super::said(&service, "query --sql a").await.noted, "1 rows; 1 rows read in 0 ms\n");
}

#[tokio::test]
async fn what_can_be_asked_in_sql_is_listed() {
    let column = json!({"name": "ts", "type": "time", "what": "When."});
    let answer = json!({"tables": [
        {"name": "events", "what": "All.", "columns": [column]}, {"name": "hosts", "what": "Them.", "columns": [column]}
    ]});
    let table =
        |name: &str, what: &str| format!("{name}: {what}\n  column  type  what\n  ts      time  When.\n\n");
    let (asked, text) = printed(answer.clone(), "query --tables").await;
    assert_eq!(
        (asked.as_str(), text),
        ("GET /api/v1/sql/tables", table("events", "All.") + &table("hosts", "Them."))
    );
    assert_eq!(printed(answer.clone(), "query hosts --tables").await.1, table("hosts", "Them."));
    assert_eq!(printed(answer.clone(), "query --tables -o json").await.1, format!("{answer:#}\n"));
}

#[tokio::test]
async fn what_is_found_comes_first_and_what_comes_in_follows_once() {
    let sent = |id: &str, message: &str| format!("id: {id}\ndata: {}\n\n", event(id, message));
    let stream = [":\n\n".to_owned(), sent("2", "two"), sent("3", "three"), sent("2", "two again")].concat();
    let service = Service::start(move |asked| match asked.line.as_str() {
        line if line.contains("after=") => (401, json!({"detail": "enough"})).into(),
        line if line.starts_with("GET /api/v1/tail") => stream.as_str().into(),
        _ => json!({"total": 2, "hits": [event("2", "two"), event("1", "one")]}).into(),
    })
    .await;
    let said = said(&service, "query x -f -n 2 --fields message --zone +02:00").await;
    assert_eq!((&*said.printed, &*said.failed), ("one\ntwo\nthree\ntwo again\n", "enough"));
    assert_eq!(said.noted, format!("the connection to {} ended; connecting again\n", service.url));
    assert_eq!(
        service.lines(),
        [
            "GET /api/v1/tail q=x fields=message zone=+02:00",
            "GET /api/v1/search q=x zone=+02:00 limit=2 fields=message",
            "GET /api/v1/tail q=x fields=message zone=+02:00 after=2"
        ]
    );
    let times = super::said(&service, "query x -f --zone +02:00").await.printed;
    assert_eq!(times.matches("2024-06-01T14:00:00+02:00 warn").count(), 4, "{times}");
    let lines = super::said(&service, "query x -f -o ndjson --zone +02:00").await.printed;
    assert_eq!(lines.matches("2024-06-01T12:00:00Z").count(), 4, "{lines}");
    let refused = super::said(&service, "query x -f -o csv").await.failed;
    assert!(refused.starts_with("a table of what is yet to come has no end"), "{refused}");
}

#[tokio::test]
async fn a_tail_says_what_it_misses_and_where_it_goes_on() {
    let stream = "event: lagged\ndata: 7 events\n\ndata: {\"message\":\"a\"}\n\ndata: no JSON\n\n";
    let refusal = Answer::from((403, json!({"detail": "no more"})));
    let service = Service::giving([stream.into(), (503, json!({})).into(), "".into(), refusal]).await;
    let said = said(&service, "tail level:error -o json").await;
    assert_eq!((&*said.printed, &*said.failed), ("{\n  \"message\": \"a\"\n}\n", "no more"));
    let ended = format!("the connection to {} ended; connecting again\n", service.url);
    let noted = format!(
        "events are missing here, for they are stored no more: 7 events\n{ended}connected again; going on from here\n{ended}"
    );
    assert_eq!(said.noted, noted, "what fails for now is tried again");
    assert_eq!(service.lines(), ["GET /api/v1/tail q=level:error"; 4]);
    let found = Service::giving([
        Answer::from("id: 5\ndata: {\"message\":\"a\"}\n\n"),
        "".into(),
        (400, json!({})).into(),
    ])
    .await;
    let said = super::said(&found, "tail").await;
    assert_eq!(said.printed, "- -      a\n");
    assert!(said.noted.contains("connected again; going on from the last event seen\n"), "{}", said.noted);
}
