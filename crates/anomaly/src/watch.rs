//! What is looked at from time to time: the models' folder, and what is to be seen of scoring.

use std::{sync::Arc, time::Duration};

use metrics::{counter, gauge};
use telemetry::{
    health::Component,
    metric,
    task::{Stop, Ticks},
};
use tracing::{error, info, warn};

use crate::{Problem, Service, Stats};

/// How often gauges are set and the models' folder is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Sets what is to be seen of scoring, and takes newer models from the models' folder, until a stop.
pub fn watch(
    service: Arc<Service>,
    health: Component,
    stop: Stop,
) -> impl Future<Output = ()> + Send + 'static {
    let mut told = Vec::new();
    tell_damage(&service, &health, &mut told);
    async move {
        let mut ticks = Ticks::every(LOOK_EVERY, stop);
        while ticks.next().await {
            set_scoring(&service.stats());
            tell_damage(&service, &health, &mut told);
            reload(Arc::clone(&service)).await;
        }
    }
}

/// Says what of that which was learned cannot be read: in the log when it is found, in the health as long as it
/// is so.
fn tell_damage(service: &Service, health: &Component, told: &mut Vec<Problem>) {
    let problems = service.problems();
    if problems == *told {
        return;
    }
    for problem in problems.iter().filter(|problem| !told.contains(problem)) {
        error!(what = problem.what, "{}", problem.text);
    }
    gauge!(metric::DAMAGED_LEARNED_FILES).set(problems.len() as f64);
    match problems.as_slice() {
        [] => health.ok(),
        problems => {
            let texts: Vec<&str> = problems.iter().map(|problem| problem.text.as_str()).collect();
            health.degraded(texts.join("; "));
        }
    }
    *told = problems;
}

fn set_scoring(stats: &Stats) {
    gauge!(metric::TEMPLATES).set(stats.templates as f64);
    gauge!(metric::OPEN_SESSIONS).set(stats.open_sessions as f64);
    for (name, count) in [
        (metric::ENDED_SESSIONS, stats.ended_sessions),
        (metric::STRANGE_SESSIONS, stats.strange_sessions),
        (metric::EVICTED_SESSIONS, stats.evicted_sessions),
    ] {
        counter!(name).absolute(count);
    }
}

/// Takes a model that another process put into the models' folder.
async fn reload(service: Arc<Service>) {
    match telemetry::task::blocking("newer models", move || service.reload()).await {
        Ok(Ok(true)) => info!("a newer anomaly model serves"),
        Ok(Ok(false)) | Err(_) => {}
        Ok(Err(error)) => {
            warn!(
                error = &error as &dyn std::error::Error,
                "a model was refused; the one before goes on serving"
            );
        }
    }
}
