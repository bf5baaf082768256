//! Processes of the machine that the collector runs on, where its own logs are asked for.

use std::{sync::Arc, time::Duration};

use ::agent::{Local, Report, configuration::Wanted};
use event::Timestamp;
use fleet::{Fleet, Sender};
use sample::{Expected, Reading, Sample};

use super::{build::Build, error::StartError};

/// Between two reports.
const EVERY: Duration = Duration::from_secs(5);
/// How long a stop may take to be seen.
const LOOK: Duration = Duration::from_millis(250);

/// Keeps what changes among processes until the program stops.
pub(super) fn watch(build: &Build<'_>, fleet: &Arc<Fleet>) -> Result<(), StartError> {
    let roots = host::Roots::default();
    let Some(name) = host::Machine::new(roots.clone()).name() else { return Ok(()) };
    let wanted = Wanted { enabled: true, socket: build.settings.hosts.processes_socket.clone() };
    let mut local = Local::start(&wanted, &roots.proc, &build.front).map_err(StartError::Thread)?;
    let fleet = Arc::clone(fleet);
    let work = move |stop: telemetry::task::Stop| {
        while !stop.is_cancelled() {
            let now = intake::system_clock();
            local.tell(now, |report| keep(&fleet, &name, report, now));
            for _ in 0..EVERY.as_millis() / LOOK.as_millis() {
                if stop.is_cancelled() {
                    return;
                }
                std::thread::sleep(LOOK);
            }
        }
    };
    build.front.thread("own-processes", work).map_err(StartError::Thread)
}

/// Whether it was kept. An agent of this machine tells the same, and better: then nothing is.
fn keep(fleet: &Fleet, name: &str, report: Report, now: Timestamp) -> bool {
    let kept = (|| {
        if fleet.has_agent(name)? {
            return Ok(());
        }
        let mut sample = Sample::of(name);
        // Whether this program runs is for others to say.
        sample.expected = Some(Expected::Sometimes);
        sample.processes = serde_json::to_value(report).ok();
        let reading = Reading { sample, problems: Vec::new(), problems_total: 0 };
        fleet.take(vec![Ok(reading)], &Sender::default(), now).map(drop)
    })();
    if let Err(error) = &kept {
        let error: &dyn std::error::Error = error;
        tracing::warn!(error, "cannot keep what changed among this machine's processes; trying again");
    }
    kept.is_ok()
}
