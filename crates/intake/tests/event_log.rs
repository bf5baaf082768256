//! The Event Log of Windows, with a script in the place of `wevtutil`.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod told;

use std::{fs, path::PathBuf, time::Duration};

use event::Severity;
use intake::{Config, Door, event_log};
use telemetry::{health::Health, task::Tasks};
use testkit::eventually;
use told::Told;

/// Records of a log are files in a folder of its name; a file `refused` has the log refused. Of options it knows what the
/// reader uses.
const PROGRAM: &str = r#"#!/bin/sh
logs=${0%/*}/logs
log=$2
for option; do case $option in
  '/q:*') behind=0 ;;
  '/q:*[System[EventRecordID>'*) behind=${option#*>}; behind=${behind%%]*} ;;
  '/q:*[System[TimeCreated[timediff(@SystemTime)<=86400000]]]') behind=0 ;;
  /c:*) count=${option#*:} ;;
  /rd:true) order=-rn ;;
  /rd:false) order=-n ;;
esac; done
if [ -e "$logs/$log/refused" ]; then echo 'Access is denied.' >&2; exit 5; fi
echo "$log $behind" >>"$logs/asked"
ls "$logs/$log" | sort $order | while read record; do
  if [ "$record" -gt "$behind" ]; then cat "$logs/$log/$record"; fi
done | head -n "$count"
"#;

struct Machine {
    dir: tempfile::TempDir,
    told: Told,
}

impl Machine {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for log in ["System", "Security"] {
            fs::create_dir_all(dir.path().join("logs").join(log)).unwrap();
        }
        testkit::program::script(&dir.path().join("wevtutil"), PROGRAM);
        Self { told: Told::open(&dir.path().join("journal")), dir }
    }

    fn log(&self, name: &str) -> PathBuf {
        self.dir.path().join("logs").join(name)
    }

    fn record(&self, log: &str, number: u64, message: &str) {
        let text = format!(
            "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Disk'/><EventID>7</EventID>\
             <Level>2</Level><TimeCreated SystemTime='2026-11-30T10:00:00.5Z'/><EventRecordID>{number}</EventRecordID><Channel>{log}</Channel>\
             <Computer>WEB01</Computer></System><RenderingInfo Culture='en-US'><Message>{message}</Message></RenderingInfo></Event>\n"
        );
        let beside = self.dir.path().join("beside");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, self.log(log).join(number.to_string())).unwrap();
    }

    /// Starts reading; ends with the tasks.
    fn start(&self, health: &Health) -> Tasks {
        let tasks = Tasks::new();
        let config = event_log::Config {
            program: self.dir.path().join("wevtutil"),
            logs: vec!["System".into(), "Security".into()],
            interval: Duration::from_millis(10),
        };
        let door = Door::new(self.told.journal.clone(), Config::default(), intake::system_clock);
        tasks.spawn("event_log", event_log::read(config, door, health.component("event_log"), tasks.stop()));
        tasks
    }

    /// Waits for so many events, and gives their messages.
    async fn messages(&mut self, count: usize) -> Vec<String> {
        let mut found = vec![];
        eventually("the events are in the journal", async || {
            found.extend(self.told.messages());
            (found.len() >= count).then_some(())
        })
        .await;
        found
    }

    /// Waits until a log was asked for what is behind a record, so often since the last word.
    async fn asked(&self, line: &str, times: usize) {
        eventually("the log was asked", async || {
            let said = fs::read_to_string(self.log("asked")).unwrap_or_default();
            (said.lines().filter(|asked| *asked == line).count() >= times).then_some(())
        })
        .await;
    }
}

const GRACE: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn each_record_is_read_once_over_restarts_and_batches() {
    let mut machine = Machine::new();
    for number in 1..=250 {
        machine.record("System", number, &format!("block {number} is bad"));
    }
    let tasks = machine.start(&Health::new());
    let messages = machine.messages(250).await;
    assert_eq!(messages.len(), 250);
    assert_eq!((messages[0].as_str(), messages[249].as_str()), ("block 1 is bad", "block 250 is bad"));
    assert!(tasks.shutdown(GRACE).await.is_empty());

    machine.record("System", 251, "two\nlines &amp; more");
    let tasks = machine.start(&Health::new());
    machine.asked("System 251", 2).await;
    let events = machine.told.events();
    assert_eq!(events.len(), 1, "nothing is read a second time");
    assert_eq!((events[0].message.as_ref(), events[0].severity), ("two\nlines & more", Severity::Error));
    assert_eq!(events[0].timestamp.to_string(), "2026-11-30T10:00:00.5Z");
    tasks.shutdown(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_refused_is_told_and_the_others_are_read() {
    let mut machine = Machine::new();
    fs::write(machine.log("Security").join("refused"), "").unwrap();
    machine.record("System", 5, "read");
    let health = Health::new();
    let tasks = machine.start(&health);
    assert_eq!(machine.messages(1).await, ["read"]);
    let reason =
        || health.reports().into_iter().find(|report| report.component == "event_log").unwrap().reason;
    eventually("it is told", async || reason().contains("Security: Access is denied.").then_some(())).await;
    fs::remove_file(machine.log("Security").join("refused")).unwrap();
    machine.record("Security", 9, "now too");
    assert_eq!(machine.messages(1).await, ["now too"]);
    eventually("it is well", async || reason().is_empty().then_some(())).await;
    tasks.shutdown(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_counts_anew_is_read_from_its_beginning() {
    let mut machine = Machine::new();
    machine.record("System", 40, "before");
    let tasks = machine.start(&Health::new());
    assert_eq!(machine.messages(1).await, ["before"]);
    tasks.shutdown(GRACE).await;
    fs::remove_file(machine.log("System").join("40")).unwrap();
    machine.record("System", 1, "The log was cleared.");
    let tasks = machine.start(&Health::new());
    assert_eq!(machine.messages(1).await, ["The log was cleared."]);
    machine.asked("System 1", 2).await;
    assert!(machine.told.events().is_empty());
    tasks.shutdown(GRACE).await;
}
