//! Command lines that list and change what a service keeps: what they ask for, and what they print of the answer.

use serde_json::{Value as Json, json};

use super::{Answer, Service, printed, said, said_of};

const ID: &str = "0123456789abcdef0123456789abcdef";

fn signal() -> Json {
    json!({
        "id": ID, "title": "Someone tried passwords of root, again and again", "severity": "high", "state": "new",
        "last": "2024-06-01T12:34:56.7Z", "first": "2024-06-01T12:00:00Z", "count": 1_200, "what": "What.", "why": "Why.",
        "next": ["Look", "Act"], "evidence": [{"@timestamp": "2024-06-01T12:00:01Z", "message": "failed\u{1b}"}],
        "timeline": [], "kind": "ssh_brute_force", "rule": "r"
    })
}

#[tokio::test]
async fn signals_are_listed_within_eighty_columns() {
    let mut exact = signal();
    exact["title"] = "x".repeat(32).into();
    let answer = json!({"signals": [signal(), exact], "total": 1_234});
    let service = Service::giving([answer.clone()]).await;
    let more = "--state new --kind k --severity high --rule r --entity host:a --from now-1d --to now -n 2 --zone UTC";
    let said = said(&service, &format!("signals {more} --lang pt")).await;
    let x = "x".repeat(32);
    let table = format!(
        "ID       SEVERITY STATE        LAST SEEN        WHAT\n\
         01234567 high     new          2024-06-01 12:34 Someone tried passwords of root…\n\
         01234567 high     new          2024-06-01 12:34 {x}\n"
    );
    assert_eq!((said.printed, &*said.noted), (table, "2 of 1,234 signals; -n shows more\n"));
    let asked = "GET /api/v1/signals lang=pt zone=UTC limit=2 q= state=new kind=k severity=high rule=r entity=host:a \
                 from=now-1d to=now";
    assert_eq!(service.lines(), [asked]);
    let all = json!({"signals": [signal()], "total": 1});
    let (asked, lines) = printed(all, "signals -o ndjson").await;
    assert_eq!(
        (asked.as_str(), lines),
        ("GET /api/v1/signals lang=en limit=50 q=", format!("{}\n", signal()))
    );
    assert_eq!(printed(json!({"signals": [], "total": 0}), "signals").await.1, "no signals\n");
}

#[tokio::test]
async fn all_that_is_known_of_a_signal_is_shown() {
    let (asked, text) = printed(signal(), &format!("signals show {}", ID.to_uppercase())).await;
    assert_eq!(asked, format!("GET /api/v1/signals/{ID} lang=en"));
    let head = "Someone tried passwords of root, again and again\nhigh, new, 1,200 events from 2024-06-01T12:00:00Z to \
                2024-06-01T12:34:56Z\n\nWhat happened\n  What.\n\nWhy it matters\n  Why.\n\nWhat to do next\n  - Look\n  - Act\n\n\
                Events\n  2024-06-01T12:00:01Z  failed\\u{1b}\n";
    assert!(text.starts_with(head), "{text}");
    assert!(!text.contains("So far"), "{text}");
    let mut told = signal();
    told["timeline"] = json!([
        {"at": "2024-06-01T13:00:00Z", "what": "resolved", "by": "ann", "note": "a drill"},
        {"at": "2024-06-01T14:00:00Z", "what": "reopened"}
    ]);
    let text = printed(told, &format!("signals show {ID}")).await.1;
    let so_far =
        "\nSo far\n  2024-06-01T13:00:00Z  resolved by ann: a drill\n  2024-06-01T14:00:00Z  reopened\n";
    assert!(text.contains(so_far), "{text}");
    assert!(text.contains(&format!("\nid {ID}  kind ssh_brute_force  rule r\n")), "{text}");
}

#[tokio::test]
async fn a_signal_is_meant_by_the_beginning_of_its_id_where_no_other_begins_so() {
    let other = format!("02{}", &ID[2..]);
    let service =
        Service::giving([json!({"signals": [{"id": ID}, {"id": other}], "total": 2, "state": "done"})]).await;
    for (id, found) in
        [("01", Some(ID)), ("02", Some(&*other)), ("0", None), ("03", None), ("0123456789ABCDEF", Some(ID))]
    {
        let said = said(&service, &format!("signals show {id}")).await;
        match found {
            Some(whole) => {
                assert_eq!(service.lines().last().unwrap(), &format!("GET /api/v1/signals/{whole} lang=en"))
            }
            None => {
                assert!(said.failed.contains(&format!("an id that begins with '{id}'")), "{}", said.failed)
            }
        }
    }
    let asked = service.lines().len();
    for id in [&format!("{ID}0"), "xyz", "../x"] {
        assert!(
            said(&service, &format!("signals show {id}"))
                .await
                .failed
                .contains("no signal, or more than one"),
            "{id}"
        );
    }
    assert_eq!(service.lines().len(), asked, "what is no id is not asked for");
}

#[tokio::test]
async fn people_decide_of_signals() {
    for (line, path, body) in [
        ("acknowledge ID", "acknowledge", json!({})),
        ("acknowledge ID --note seen --by ann", "acknowledge", json!({"note": "seen", "by": "ann"})),
        ("resolve ID --note done", "resolve", json!({"note": "done"})),
        ("reopen ID", "reopen", json!({})),
        ("expected ID", "feedback", json!({"label": "expected", "similar": false})),
        ("expected ID --similar", "feedback", json!({"label": "expected", "similar": true})),
        ("real ID --by ann", "feedback", json!({"label": "real", "similar": false, "by": "ann"})),
    ] {
        let service = Service::giving([json!({"state": "resolved", "title": "A title"})]).await;
        let said = said(&service, &format!("signals {}", line.replace("ID", ID))).await;
        assert_eq!((&*said.printed, &*said.failed), ("resolved  A title\n", ""), "{line}");
        assert_eq!(service.lines(), [format!("POST /api/v1/signals/{ID}/{path}")], "{line}");
        assert_eq!(service.asked()[0].json(), body, "{line}");
    }
}

#[tokio::test]
async fn what_was_refused_by_the_index_is_listed_taken_in_again_or_deleted() {
    let letter = json!({"event": {"message": "a"}, "type": "mapping", "reason": "no number"});
    let page = |next: Option<&str>| json!({"letters": [letter, letter], "total": 1_005, "next": next});
    let service = Service::giving([page(Some("c")), page(Some("d"))]).await;
    let said = said(&service, "dlq list type:mapping -n 4").await;
    let line = "- -      a  [mapping: no number]\n";
    assert_eq!((said.printed, &*said.noted), (line.repeat(4), "4 of 1,005 events\n"));
    let asked = ["limit=4", "limit=2 cursor=c"]
        .map(|asked| format!("GET /api/v1/dead-letters q=type:mapping {asked}"));
    assert_eq!(service.lines(), asked);
    let service = Service::giving([page(None)]).await;
    let said = super::said(&service, "dlq show -n 5000").await;
    assert_eq!((said.printed, &*said.noted), (format!("{letter}\n").repeat(2), "2 of 1,005 events\n"));
    assert_eq!(service.lines(), ["GET /api/v1/dead-letters q= limit=1000"]);
    let replayed = printed(json!({"replayed": 1}), "dlq replay").await;
    assert_eq!(
        replayed,
        ("POST /api/v1/dead-letters/replay".to_owned(), "1 event was taken in again\n".to_owned())
    );
    let dropped = printed(json!({"discarded": 2}), "dlq drop --yes").await;
    assert_eq!(
        dropped,
        ("POST /api/v1/dead-letters/discard".to_owned(), "2 events were deleted\n".to_owned())
    );
}

#[tokio::test]
async fn alerts_and_their_deliveries_are_listed() {
    let alert = |acknowledged: Json, by: Json| {
        json!({"id": "a1", "severity": "high", "timestamp": "2024-06-01T12:00:00Z", "message": "m\u{1b}",
            "acknowledged": acknowledged, "acknowledged_by": by})
    };
    let all = json!([
        alert(true.into(), "ann".into()),
        alert(true.into(), Json::Null),
        alert(false.into(), "x".into())
    ]);
    let (asked, text) = printed(all, "alerts list --open -n 3").await;
    assert_eq!(asked, "GET /alerts limit=3 acknowledged=false");
    let expected = "ID  SEVERITY  LAST SEEN             WHO HAS IT  WHAT\n\
                    a1  high      2024-06-01T12:00:00Z  ann         m\\u{1b}\n\
                    a1  high      2024-06-01T12:00:00Z  yes         m\\u{1b}\n\
                    a1  high      2024-06-01T12:00:00Z              m\\u{1b}\n";
    assert_eq!(text, expected);
    let (asked, text) = printed(json!([]), "alerts list").await;
    assert!(asked.starts_with("GET /alerts limit=") && !asked.contains("acknowledged"), "{asked}");
    assert_eq!(text, "no alerts\n");
    let sent = json!({"deliveries": [{"at": "2024-06-01T12:00:00Z", "channel": "mail", "state": "failed", "tries": 3,
        "alert": "a1", "last_error": "refused"}]});
    let (asked, text) = printed(sent, "alerts deliveries --channel mail --state failed -n 2").await;
    assert_eq!(asked, "GET /api/v1/deliveries limit=2 channel=mail state=failed");
    let expected = "AT                    CHANNEL  STATE   TRIES  ALERT  LAST ERROR\n\
                    2024-06-01T12:00:00Z  mail     failed  3      a1     refused\n";
    assert_eq!(text, expected);
    assert_eq!(printed(json!({"deliveries": []}), "alerts deliveries").await.1, "nothing was sent\n");
}

#[tokio::test]
async fn alerts_are_silenced_for_a_while() {
    let silence = |is_active: bool| json!({"number": 7, "is_active": is_active, "until": "2024-06-01T12:00:00Z", "by": "ann", "reason": "a drill"});
    let (asked, text) =
        printed(json!({"silences": [silence(true), silence(false)]}), "alerts silence list").await;
    assert_eq!(asked, "GET /api/v1/silences");
    let expected = "NUMBER  STATE  UNTIL                 BY   REASON\n\
                    7       holds  2024-06-01T12:00:00Z  ann  a drill\n\
                    7       over   2024-06-01T12:00:00Z  ann  a drill\n";
    assert_eq!(text, expected);
    assert_eq!(printed(json!({"silences": []}), "alerts silence").await.1, "no silences\n");
    let service = Service::giving([silence(true)]).await;
    let said = said(
        &service,
        "alerts silence add --severity low --host web-1 --until 2024-06-01T12:00:00Z --reason drill",
    )
    .await;
    assert_eq!((&*said.printed, &*said.failed), ("silence 7 holds until 2024-06-01T12:00:00Z\n", ""));
    let body = json!({"match": {"severity": "low", "host": "web-1"}, "until": "2024-06-01T12:00:00Z", "reason": "drill"});
    assert_eq!(service.asked()[0].json(), body);
    let newest = json!([{"timestamp": "2024-06-01T12:00:00Z", "message": "m"}]);
    let (asked, text) =
        printed(json!({"alerts": 1_200, "newest": newest}), "alerts silence preview --kind k").await;
    assert_eq!(asked, "POST /api/v1/silences/preview");
    let hidden = "1,200 alerts of the last seven days would have been hidden\n  2024-06-01T12:00:00Z  m\n";
    assert_eq!(text, hidden);
    let (asked, text) = printed(json!({}), "alerts silence end 7").await;
    assert_eq!((&*asked, &*text), ("DELETE /api/v1/silences/7", "silence 7 is ended\n"));
}

#[tokio::test]
async fn models_are_shown_exchanged_and_carried() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("m").display().to_string();
    let model = json!({"version": "1-a", "state": "trained", "standing": "serving", "needed": 0});
    for (line, asked, begins) in [
        ("models show", "GET /model", "model 1-a: serving\n"),
        ("models show 2-b", "GET /models/2-b", "model 1-a: serving\n"),
        ("models activate 2-b", "POST /models/2-b/activate", "1-a serves now\n"),
        ("models rollback", "POST /models/rollback", "1-a serves now\n"),
        ("models rules", "GET /model/rules", "no anomaly was found since the start"),
        ("models compare 1-a 2-b", "GET /models/compare a=1-a b=2-b", "on 0 recent events\n"),
        ("models", "GET /models", "no model is kept yet"),
        (&format!("models export 2-b {file}"), "GET /models/2-b/export", "67 bytes in "),
        (
            &format!("models import {file}"),
            "POST /models/import",
            "1-a was taken in; let it serve: log-sentinel models",
        ),
    ] {
        let (found, text) = printed(model.clone(), line).await;
        assert_eq!(found, asked, "{line}");
        assert!(text.starts_with(begins), "{line}: {text}");
    }
    let kept: Json = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(kept, model);
    assert_eq!(printed(model.clone(), "models export 2-b -").await.1, model.to_string());
    for (occasion, words) in [
        ("request", ", because it was asked for"),
        ("stream", ", by itself, on the stream"),
        ("starter", ", on what the starters tell"),
        ("else", "\n"),
    ] {
        let model = json!({"version": "1", "trained_for": occasion, "trained_at": "2024-06-01T12:00:00Z",
            "drift": {"events": 0}, "from": "2024-06-01T12:00:00Z"});
        let text = printed(model, "models show").await.1;
        assert!(text.contains(&format!("  trained      2024-06-01T12:00:00Z{words}")), "{text}");
        assert!(
            text.contains("  drift        nothing to tell by: no event came since it serves\n"),
            "{text}"
        );
        assert!(
            text.contains("  data         0 events of 0 templates\n") && !text.contains("FEATURE"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn templates_are_named_pinned_split_and_merged() {
    let one = json!({"id": "0a", "text": "died <n>"});
    for (line, asked, body, done, words) in [
        (
            "name 0a shop",
            "POST /templates/0a/name",
            json!({"name": "shop"}),
            json!({"operation": "name", "name": "shop"}),
            "0a \"died <n>\" is called \"shop\"",
        ),
        (
            "pin 0a",
            "POST /templates/0a/pin",
            json!({}),
            json!({"operation": "pin"}),
            "0a \"died <n>\" is pinned",
        ),
        (
            "merge 0a 0b",
            "POST /templates/merge",
            json!({"templates": ["0a", "0b"]}),
            json!({"operation": "merge", "result": {"id": "0c", "text": "t"}}),
            "0a \"died <n>\" are merged into 0c \"t\"",
        ),
        (
            "split 0a --variable 2",
            "POST /templates/0a/split",
            json!({"variable": 2}),
            json!({"operation": "split", "variable": 2}),
            "0a \"died <n>\" is split by its variable 2",
        ),
        (
            "split 0a --example died",
            "POST /templates/0a/split",
            json!({"example": "died"}),
            json!({"operation": "split", "example": "died"}),
            "0a \"died <n>\" is split by the example \"died\"",
        ),
        ("pin 0a", "POST /templates/0a/pin", json!({}), json!({"operation": "new"}), "new 0a \"died <n>\""),
    ] {
        let mut answer = done;
        answer["id"] = 9.into();
        answer["templates"] = json!([one]);
        let service = Service::giving([answer.clone()]).await;
        let given = said(&service, &format!("templates {line}")).await;
        assert_eq!(
            given.printed,
            format!("{words}\nTake it back: log-sentinel templates undo 9\n"),
            "{line}"
        );
        assert_eq!(service.lines(), [asked], "{line}");
        assert_eq!(service.asked()[0].json(), body, "{line}");
        let (asked, text) = printed(answer, "templates undo 9").await;
        assert_eq!(
            (asked.as_str(), text),
            ("DELETE /templates/operations/9", format!("taken back: {words}\n"))
        );
    }
}

#[tokio::test]
async fn templates_are_listed_with_what_people_decided() {
    let answer = json!({"total": 1_200, "templates": [
        {"id": "0a", "text": "a", "name": "shop", "events": 1_000, "pinned": true, "split": true, "part_of": "0c", "aliases": ["1"]},
        {"id": "0b", "text": "b", "aliases": ["1", "2"], "aliases_total": 2_000}, {"id": "0d", "text": "d"}
    ]});
    let (asked, text) = printed(answer, "templates list x -n 3").await;
    assert_eq!(asked, "GET /templates q=x limit=3");
    let expected = "ID  EVENTS  STATE                               NAME  TEXT\n\
                    0a  1,000   pinned, split, part of 0c, 1 alias  shop  a\n\
                    0b  -       2,000 aliases                             b\n\
                    0d  -                                                 d\n\
                    3 of 1,200 templates\n";
    assert_eq!(text, expected);
    let operations = json!({"operations": [
        {"id": 1, "given_at": "2024-06-01T12:00:00Z", "operation": "pin", "templates": [{"id": "0a", "text": "a"}]},
        {"id": 2, "given_at": "2024-06-01T12:00:00Z", "in_effect": false, "operation": "pin", "templates": []}
    ], "problem": "unreadable"});
    let (asked, text) = printed(operations, "templates operations").await;
    assert_eq!(asked, "GET /templates/operations");
    let expected = "ID  DONE                  STATE           WHAT\n\
                    1   2024-06-01T12:00:00Z  in effect       0a \"a\" is pinned\n\
                    2   2024-06-01T12:00:00Z  without effect   is pinned\n\
                    operations done earlier are missing: unreadable\n";
    assert_eq!(text, expected);
    assert_eq!(printed(json!({}), "templates operations").await.1, "nothing was done to templates\n");
}

#[tokio::test]
async fn thresholds_of_hosts_are_tried_on_what_was_measured() {
    let trial = |kind: &str, raised: u64| {
        json!({"kind": kind, "rule": format!("{kind}_high"), "threshold": 90, "highest": 95.128, "raised": raised,
            "raised_at": ["2024-06-01T12:00:00Z"]})
    };
    let service = Service::start(move |asked| match asked.line.split(' ').nth(1).unwrap() {
        "/agents" => json!([{"name": "web 1"}, {"name": "db"}, {}]).into(),
        "/history/web%201/thresholds" => json!({"thresholds": [trial("cpu", 1), trial("disk", 0)]}).into(),
        "/history/db/thresholds" => json!({"thresholds": [trial("cpu", 1_200)]}).into(),
        _ => json!({}).into(),
    })
    .await;
    let said = said(&service, "rules backtest --from now-7d --to now").await;
    assert_eq!(
        said.printed,
        "cpu            1,201 times, at 2 places\n\
         disk           0 times\n\n\
         HOST   THRESHOLD  FROM  HIGHEST  TIMES  FIRST\n\
         db     cpu_high   90    95.13    1,200  2024-06-01T12:00:00Z\n\
         web 1  cpu_high   90    95.13    1      2024-06-01T12:00:00Z\n"
    );
    assert_eq!(
        service.lines()[1..],
        ["web%201", "db"].map(|name| format!("GET /history/{name}/thresholds from=now-7d to=now"))
    );
    let lines = super::said(&service, "rules backtest -o ndjson").await.printed;
    assert_eq!(lines.lines().count(), 3, "{lines}");
    let none = "nothing was measured in this time; `log-sentinel hosts` lists hosts\n";
    assert_eq!(printed(json!([]), "rules backtest").await.1, none);
    let quiet = Service::start(|asked| match asked.line.as_str() {
        "GET /agents" => json!([{"name": "db"}]).into(),
        _ => Answer::from(json!({"thresholds": [{"kind": "cpu", "raised": 0}]})),
    });
    assert_eq!(super::said(&quiet.await, "rules backtest").await.printed, "cpu            0 times\n");
    let failed = super::said(&service, "rules backtest --query x").await.failed;
    assert!(failed.starts_with("say which rule: a file, an id or a part of a title"), "{failed}");
}

#[tokio::test]
async fn hosts_are_listed_by_their_labels() {
    let answer = json!([{"name": "web-1", "state": "ok", "metrics": {}}]);
    let (asked, text) = printed(answer.clone(), "hosts --labels a=b").await;
    assert_eq!(asked, "GET /agents labels=a=b");
    assert!(
        text.lines().nth(1).unwrap().starts_with("web-1  ok     -    -    -     -     -         never  -"),
        "{text}"
    );
    assert_eq!(
        printed(answer.clone(), "hosts -o json").await,
        ("GET /agents".to_owned(), format!("{answer:#}\n"))
    );
    assert_eq!(printed(answer.clone(), "hosts -o ndjson").await.1, format!("{}\n", answer[0]));
    assert_eq!(printed(json!([]), "hosts --labels a=b").await.1, "no host carries these labels\n");
    assert!(printed(json!([]), "hosts").await.1.starts_with("no hosts: start log-sentinel agent on one"));
}

#[tokio::test]
async fn a_report_is_printed_or_kept_in_the_form_of_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let (asked, text) =
        printed("# Report\u{1b}\n", "report --from now-7d --to now --zone UTC --lang pt").await;
    assert_eq!(asked, "GET /api/v1/report lang=pt format=markdown from=now-7d to=now zone=UTC");
    assert_eq!(text, "# Report\\u{1b}\n");
    let day = printed("{}", "report --day --format json").await;
    assert_eq!(day, ("GET /api/v1/report lang=en format=json period=day".to_owned(), "{}\n".to_owned()));
    for (name, format) in
        [("a.html", "html"), ("a.HTM", "html"), ("a.md", "markdown"), ("a.json", "json"), ("a", "markdown")]
    {
        let service = Service::giving(["the report"]).await;
        let path = dir.path().join(name).display().to_string();
        let said = said_of(&["report", "-o", &path, "--url", &service.url]).await;
        assert_eq!(
            (said.printed, said.noted),
            (String::new(), format!("the report is in {path}\n")),
            "{name}"
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "the report");
        assert_eq!(service.lines(), [format!("GET /api/v1/report lang=en format={format}")]);
    }
}

#[tokio::test]
async fn keys_agents_and_the_rest_ask_for_what_they_are_called_by() {
    let agent = json!({"name": "web-1", "state": "waiting", "command": "curl --cacert a", "expires": "soon"});
    for (line, answer, asked, text) in [
        ("health", json!({"ready": true}), "GET /readyz", "{\"ready\":true}\n"),
        (
            "agents list",
            json!({"agents": [agent]}),
            "GET /api/v1/agents",
            "NAME   STATE    ORGANIZATION  LAST USED\nweb-1  waiting  -             never\n",
        ),
        (
            "agents revoke web-1",
            agent.clone(),
            "DELETE /api/v1/agents/web-1",
            "web-1 opens nothing from now on\n",
        ),
        (
            "sessions -n 3",
            json!({}),
            "GET /sessions limit=3",
            "0 sessions found strange since the start; 0 open, 0 ended, 0 of these early to make room\n",
        ),
        ("feedback list", json!({}), "GET /feedback", "no feedback was given\n"),
        (
            "feedback undo 3",
            json!({"event": {"message": "m"}, "label": "normal", "note": "n"}),
            "DELETE /feedback/3",
            "taken back: \"m\" is normal  [n]\n",
        ),
        (
            "starters add sshd-auth",
            json!({"state": "warming-up", "needed": 1}),
            "POST /starters",
            "the starter is known from now on\n\nno model serves yet (warming-up): 1 more event is needed for a first one\n",
        ),
    ] {
        assert_eq!(printed(answer, line).await, (asked.to_owned(), text.to_owned()), "{line}");
    }
    let service = Service::giving([agent.clone()]).await;
    let added = said(&service, "agents add web-1 --organization acme").await;
    let noted = "copy the file access/authority.pem of the service's data folder there first\ntype this on web-1, until soon:\n";
    assert_eq!((&*added.printed, &*added.noted), ("curl --cacert a\n", noted));
    assert_eq!(service.asked()[0].json(), json!({"name": "web-1", "organization": "acme"}));
    let listed = printed(json!({"starters": []}), "starters list").await.1;
    assert!(listed.contains("sshd-auth") && listed.contains("web-access"), "{listed}");
}
