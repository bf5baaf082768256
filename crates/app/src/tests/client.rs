//! What the client makes of answers.

use serde_json::json;

use super::{Answer, Service, said};
use crate::client::{Client, ClientError};

#[tokio::test]
async fn a_request_carries_what_it_is_given_and_the_key() {
    let service = Service::giving([json!({"is": "so"})]).await;
    let client = Client::new(&format!("{}/", service.url), Some("a-key".to_owned()));
    assert_eq!(client.shown(), service.url, "without the slash at its end");
    let query = [("q", "a b&c"), ("limit", "1")];
    assert_eq!(client.get_json("/one", &query).await.unwrap(), json!({"is": "so"}));
    assert_eq!(client.delete("/two").await.unwrap(), json!({"is": "so"}));
    assert_eq!(client.post_json("/three", &json!({"a": [1]})).await.unwrap(), json!({"is": "so"}));
    let headers = [("content-type", "text/plain"), ("x-own", "yes")];
    client.post("/four", &query, &headers, b"bytes".to_vec()).await.unwrap();
    assert_eq!(client.get_bytes("/five").await.unwrap(), br#"{"is":"so"}"#);
    let lines =
        ["GET /one q=a b&c limit=1", "DELETE /two", "POST /three", "POST /four q=a b&c limit=1", "GET /five"];
    assert_eq!(service.lines(), lines);
    let asked = service.asked();
    assert!(asked.iter().all(|asked| asked.header("authorization") == "Bearer a-key"));
    assert_eq!((asked[2].header("content-type"), asked[2].json()), ("application/json", json!({"a": [1]})));
    assert_eq!((asked[3].header("content-type"), asked[3].header("x-own")), ("text/plain", "yes"));
    assert_eq!(&asked[3].body[..], b"bytes");
    let nobody = Client::new(&service.url, None);
    assert!(nobody.is_up().await);
    assert_eq!((service.lines()[5].as_str(), service.asked()[5].header("authorization")), ("GET /livez", ""));
}

#[tokio::test]
async fn an_answer_says_whether_it_is_that_to_an_earlier_request() {
    let answers =
        [Answer::from(json!({"n": 1})), Answer::from(json!({"n": 2})).with("idempotent-replayed", "true")];
    let service = Service::giving(answers).await;
    let client = Client::new(&service.url, None);
    let query = [("path", "/a.log")];
    let first = client.post_once(&query, &[("idempotency-key", "k")], b"x".to_vec()).await.unwrap();
    assert_eq!(first, (json!({"n": 1}), false));
    let second = client.post_once(&query, &[], b"x".to_vec()).await.unwrap();
    assert_eq!(second, (json!({"n": 2}), true));
    assert_eq!(service.lines(), ["POST /logs path=/a.log", "POST /logs path=/a.log"]);
    assert_eq!(service.asked()[0].header("idempotency-key"), "k");
}

#[tokio::test]
async fn of_a_file_some_headers_are_told() {
    let service = Service::giving([Answer::from("a,b\n").with("x-more", "true")]).await;
    let client = Client::new(&service.url, None);
    let told =
        client.post_bytes("/f", &[("accept", "text/csv")], b"x".to_vec(), ["x-partial", "x-more"]).await;
    assert_eq!(told.unwrap(), (b"a,b\n".to_vec(), [None, Some("true".to_owned())]));
    assert_eq!(service.asked()[0].header("accept"), "text/csv");
}

#[tokio::test]
async fn a_refusal_is_said_in_words_for_a_terminal() {
    let other = "answers, but has no such call. The collector (port 8080) and the anomaly service (port 8000) have \
                 different ones: name the right one with --url";
    for (problem, expected) in [
        (json!({"code": "model_not_found", "detail": "x"}), "`log-sentinel models` lists those there are"),
        (json!({"code": "feedback_not_found"}), "`log-sentinel feedback list` lists what there is"),
        (json!({"code": "template_not_found"}), "`log-sentinel templates list` lists those there are"),
        (json!({"code": "operation_not_found"}), "`log-sentinel templates operations` lists those there are"),
        (json!({"code": "not_found", "detail": "x"}), other),
        (json!({"code": "of_its_own", "detail": "so it is\u{1b}[2J"}), r"so it is\u{1b}[2J"),
        (json!({"detail": "no code"}), "no code"),
        (json!({}), "answered 404 Not Found"),
        (json!("no object"), "answered 404 Not Found"),
    ] {
        let service = Service::giving([Answer::from((404, problem.clone())).with("retry-after", "7")]).await;
        let client = Client::new(&service.url, None);
        let error = client.get_json("/x", &[]).await.unwrap_err();
        assert!(error.to_string().ends_with(expected), "{problem}: {error}");
        assert!(expected.starts_with("ans") == error.to_string().starts_with(&service.url), "{error}");
        let ClientError::Refused { status, retry_after, problem: told, .. } = error else {
            panic!("{error:?}")
        };
        assert_eq!((status, retry_after.map(|after| after.as_secs()), told), (404, Some(7), problem));
        assert!(!client.is_up().await);
    }
}

#[tokio::test]
async fn what_is_no_answer_is_told_apart() {
    let service = Service::giving(["no JSON"]).await;
    let client = Client::new(&service.url, None);
    let read = client.get_json("/x", &[]).await.unwrap_err();
    assert_eq!(read.to_string(), format!("the answer of {}/x cannot be read", service.url));
    let nobody = Client::new("http://u:hunter2@127.0.0.1:1/", None);
    let nothing = nobody.get("/x", &[]).await.unwrap_err().to_string();
    let expected = "nothing answers at http://********@127.0.0.1:1; start log-sentinel, or name another place with --url";
    assert_eq!(nothing, expected);
    assert!(!nobody.is_up().await);
    let none = Client::new("no address", None).get("/x", &[]).await.unwrap_err().to_string();
    assert_eq!(none, "'no address' is no address; give one such as http://127.0.0.1:8080");
}

#[tokio::test]
async fn a_command_fails_with_what_was_refused() {
    let service = Service::giving([(503, json!({"detail": "no room"}))]).await;
    for line in [
        "query x",
        "query x -o csv",
        "query --sql a",
        "count x",
        "top level",
        "histogram",
        "patterns",
        "tail",
        "signals",
        "hosts",
        "report",
        "health",
        "models",
        "feedback list",
        "sessions",
        "starters list",
        "templates list",
        "dlq list",
        "alerts list",
        "alerts silence list",
        "keys list",
        "agents list",
        "rules noise",
        "query x -f",
    ] {
        let said = said(&service, line).await;
        assert_eq!((&*said.printed, &*said.failed), ("", "no room"), "{line}");
    }
}
