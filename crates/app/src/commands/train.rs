//! `log-sentinel train`: a new model, of a file or of what is stored.

use std::{io, path::Path, pin::pin, time::Duration};

use serde_json::{Value as Json, json};

use super::{note, predict::content_type, print_json, read};
use crate::{
    AppError,
    client::{Client, ClientError},
    wording::{count, grouped, many, plain, text},
};

/// How often a training that goes on by itself is asked how it fares.
const POLL: Duration = Duration::from_millis(500);

/// Trains on a file.
///
/// # Errors
/// When the file cannot be read, the service refuses it, or the training fails or is cancelled.
pub(crate) async fn file(client: &Client, file: &Path) -> Result<(), AppError> {
    let body = read(file)?;
    train(client, content_type(&body), body).await
}

/// Trains on the stored events that match.
///
/// # Errors
/// When the service refuses it, or the training fails or is cancelled.
pub(crate) async fn stored(client: &Client, query: &str) -> Result<(), AppError> {
    let body = json!({"source": "store", "query": query}).to_string().into_bytes();
    train(client, content_type(&body), body).await
}

async fn train(client: &Client, header: (&str, &str), body: Vec<u8>) -> Result<(), AppError> {
    let answer = client.post("/train", &[], &[header], body).await?;
    let answer = match answer["job"].as_str() {
        None => answer,
        Some(job) => follow(client, job, POLL, tokio::signal::ctrl_c, &|line| note(line)).await?,
    };
    print_json(&format!("{answer:#}\n"))?;
    Ok(())
}

/// Says how a job fares until it ends, and gives its result. The first interrupt cancels it, a second one
/// leaves it to itself.
async fn follow(
    client: &Client,
    job: &str,
    poll: Duration,
    interrupt: impl AsyncFn() -> io::Result<()>,
    say: &impl Fn(&str),
) -> Result<Json, AppError> {
    let interrupted = async || match interrupt().await {
        Ok(()) => {}
        // Where no signal can be waited for, the system's own way of ending a program holds.
        Err(_) => std::future::pending().await,
    };
    let path = format!("/jobs/{job}");
    let mut end = pin!(end(client, &path, poll, say));
    tokio::select! {
        biased;
        () = interrupted() => {}
        ended = &mut end => return ended,
    }
    say("cancelling the training; Ctrl-C again leaves it to itself");
    match client.delete(&path).await {
        // It had just ended, which is what is waited for.
        Ok(_) | Err(ClientError::Refused { status: 409, .. }) => {}
        Err(error) => return Err(error.into()),
    }
    tokio::select! {
        biased;
        () = interrupted() => Err(AppError::Stopped(format!("of a second Ctrl-C; job {job} may still run"))),
        ended = &mut end => ended,
    }
}

async fn end(client: &Client, path: &str, poll: Duration, say: &impl Fn(&str)) -> Result<Json, AppError> {
    let mut said = String::new();
    loop {
        let mut job = client.get_json(path, &[]).await?;
        match job["state"].as_str() {
            Some("running") => {}
            Some("done") => return Ok(job["result"].take()),
            Some("cancelled") => {
                let why = "the training was cancelled; the model before serves on";
                return Err(AppError::Stopped(why.to_owned()));
            }
            _ => {
                let status = job["error"]["status"].as_u64().and_then(|status| status.try_into().ok());
                let detail =
                    job["error"]["detail"].as_str().map_or_else(|| "the training failed".to_owned(), plain);
                let status = status.unwrap_or(500);
                return Err(
                    ClientError::Refused { status, detail, retry_after: None, problem: Json::Null }.into()
                );
            }
        }
        let fares = progress(&job);
        if fares != said {
            say(&fares);
            said = fares;
        }
        tokio::time::sleep(poll).await;
    }
}

/// How a running job fares.
fn progress(job: &Json) -> String {
    let (stage, events) = (text(job, "stage"), count(job, "events"));
    match job["total"].as_u64() {
        Some(total) if total > 0 => {
            format!("{stage}: {} of {}", grouped(events), many(total, "event", "events"))
        }
        _ => format!("{stage}: {}", many(events, "event", "events")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::{Router, extract::State, routing::get};
    use tokio::sync::Notify;

    use super::*;

    /// What a scripted service says of its one job, one answer after the other and the last for good.
    #[derive(Clone)]
    struct Script {
        answers: Arc<Mutex<Vec<Json>>>,
        on_cancel: Json,
    }

    async fn ask(State(script): State<Script>) -> axum::Json<Json> {
        let mut answers = script.answers.lock().unwrap();
        axum::Json(if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() })
    }

    async fn cancel(State(script): State<Script>) -> axum::Json<Json> {
        *script.answers.lock().unwrap() = vec![script.on_cancel.clone()];
        axum::Json(script.on_cancel)
    }

    /// What came of a job, and what was said meanwhile; interrupted so many times, once it has been asked for.
    async fn check(
        answers: &[Json],
        on_cancel: Json,
        interrupts: usize,
    ) -> (Result<Json, String>, Vec<String>) {
        let script = Script { answers: Arc::new(Mutex::new(answers.to_vec())), on_cancel };
        let router = Router::new().route("/jobs/1", get(ask).delete(cancel)).with_state(script);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::new(&format!("http://{}", listener.local_addr().unwrap()), None);
        let (said, asked, left) = (Mutex::new(vec![]), Notify::new(), Mutex::new(interrupts));
        let say = |line: &str| {
            said.lock().unwrap().push(line.to_owned());
            asked.notify_one();
        };
        let interrupt = async || loop {
            asked.notified().await;
            let mut left = left.lock().unwrap();
            if *left > 0 {
                *left -= 1;
                return Ok(());
            }
        };
        let ended = tokio::select! {
            ended = follow(&client, "1", Duration::from_millis(1), interrupt, &say) => ended,
            _ = axum::serve(listener, router).into_future() => panic!("the scripted service ended"),
        };
        (ended.map_err(|error| error.to_string()), said.into_inner().unwrap())
    }

    fn running(stage: &str, events: u64, total: u64) -> Json {
        json!({"id": "1", "state": "running", "stage": stage, "events": events, "total": total})
    }

    #[tokio::test]
    async fn a_job_is_followed_to_its_end() {
        let done = json!({"id": "1", "state": "done", "events": 60_000, "result": {"model": "m"}});
        let answers = [
            running("reading", 2_000, 60_000),
            running("reading", 2_000, 60_000),
            running("training", 60_000, 0),
            done,
        ];
        let (ended, said) = check(&answers, Json::Null, 0).await;
        assert_eq!(ended, Ok(json!({"model": "m"})));
        assert_eq!(said, ["reading: 2,000 of 60,000 events", "training: 60,000 events"]);
    }

    #[tokio::test]
    async fn a_failure_is_told_in_the_services_words() {
        let failed =
            json!({"id": "1", "state": "failed", "events": 9, "error": {"status": 500, "detail": "no disk"}});
        assert_eq!(check(&[failed], Json::Null, 0).await.0, Err("no disk".to_owned()));
        let unnamed = json!({"id": "1", "state": "failed", "events": 9});
        assert_eq!(check(&[unnamed], Json::Null, 0).await.0, Err("the training failed".to_owned()));
    }

    #[tokio::test]
    async fn an_interrupt_cancels_and_a_second_one_leaves() {
        let (endless, cancelled) = ([running("training", 1, 2)], json!({"id": "1", "state": "cancelled"}));
        let (ended, said) = check(&endless, cancelled, 1).await;
        assert!(ended.clone().unwrap_err().contains("the training was cancelled"), "{ended:?}");
        assert!(said[1].starts_with("cancelling"), "{said:?}");
        // It takes its time to end.
        let (ended, _) = check(&endless, running("training", 2, 2), 2).await;
        assert!(ended.clone().unwrap_err().contains("second Ctrl-C; job 1 may still run"), "{ended:?}");
        // It ended by itself meanwhile.
        let done = json!({"id": "1", "state": "done", "result": {"model": "m"}});
        assert_eq!(check(&endless, done, 1).await.0, Ok(json!({"model": "m"})));
    }
}
