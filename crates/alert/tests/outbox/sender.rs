//! The tasks: over real channels, in real time.

use std::{net::TcpListener, sync::Mutex};

use alert::{Sender, channel::FileConfig};
use telemetry::task::Stop;

use super::*;

/// Waits until it is so.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), waiting).await.is_ok(), "{what} never came");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_hangs_holds_nobody_up_and_routes_can_be_reloaded() {
    let dir = tempfile::tempdir().unwrap();
    // Connections are taken by the operating system, and nobody answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let path = dir.path().join("alerts.json");
    let yaml = format!(
        "channels:\n  hangs: {{type: webhook, url: '{url}', timeout: 1s}}\n  file: {{type: file, path: {}}}\n",
        path.display()
    );
    let routes = Routes::read(&yaml, vec![]).unwrap();
    let (database, outbox) = open(&dir.path().join("state.db"), routes, Config::default());
    let outbox = Arc::new(outbox);
    let clock: alert::Clock = Arc::new(noon);
    let stop = Stop::new();
    let sending = telemetry::task::spawn("sender", Sender::new(Arc::clone(&outbox), clock).run(stop.clone()));
    let raise = |id| {
        let changes = [change(Happening::New, &signal(id, noon()), noon())];
        database.write(|tx| outbox.record(tx, &changes, noon())).unwrap();
    };
    let lines = |path: &Path| std::fs::read_to_string(path).unwrap_or_default().lines().count();
    for id in 1..=20 {
        raise(id);
    }
    until("every line", || lines(&path) == 20).await;
    let failed = DeliveryFilter { state: Some(DeliveryState::Failed), ..DeliveryFilter::default() };
    until("a failure", || !outbox.deliveries(&failed).unwrap().is_empty()).await;
    let second = dir.path().join("second.json");
    let config = ChannelConfig::new("second", ChannelKind::File(FileConfig::new(&second, Format::Json)));
    outbox.reload(Routes::everything(vec![config]));
    raise(21);
    until("a line by the new routes", || lines(&second) == 1).await;
    stop.cancel();
    sending.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_cannot_be_opened_is_tried_again_and_opens_late() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("token");
    let yaml = format!(
        "channels:\n  hook: {{type: webhook, url: 'http://127.0.0.1:1/', secret_file: {}}}\n",
        secret.display()
    );
    let routes = Routes::read(&yaml, vec![]).unwrap();
    assert_eq!(routes.check().len(), 1, "check says so before it matters");
    let (database, outbox) = open(&dir.path().join("state.db"), routes, Config::default());
    let outbox = Arc::new(outbox);
    let began = tokio::time::Instant::now();
    let clock: alert::Clock = Arc::new(move || plus(noon(), began.elapsed().as_secs() as i64));
    let changes = [change(Happening::New, &signal(1, noon()), noon())];
    database.write(|tx| outbox.record(tx, &changes, noon())).unwrap();
    let stop = Stop::new();
    let sending = telemetry::task::spawn("sender", Sender::new(Arc::clone(&outbox), clock).run(stop.clone()));
    let said = Mutex::new(String::new());
    let says = |text: &str| {
        let alert = outbox.alert(AlertId(SignalId(1))).unwrap();
        let last = alert.deliveries[0].last_error.clone().unwrap_or_default();
        *said.lock().unwrap() = last.clone();
        last.contains(text)
    };
    until("that the secret is missing", || says("cannot read the secret")).await;
    std::fs::write(&secret, "hunter2").unwrap();
    // By the paused clock this is as long as pauses may be.
    let waiting = async {
        while !says("cannot be reached") {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(3600), waiting).await.is_ok(), "{said:?}");
    stop.cancel();
    sending.await.unwrap();
}

#[tokio::test]
async fn a_test_of_a_channel_says_what_came_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("alerts.txt");
    let yaml = format!("channels:\n  file: {{type: file, path: {}, format: plain}}\n", path.display());
    let routes = Routes::read(&yaml, vec![]).unwrap();
    assert_eq!(routes.send_test("file", noon()).await.unwrap().answer, "1 lines written");
    assert!(std::fs::read_to_string(&path).unwrap().contains("[TEST] Log Sentinel tries this channel"));
    let error = routes.send_test("flie", noon()).await.unwrap_err();
    assert_eq!(error.to_string(), "no channel is called 'flie'; there are: file");
}
