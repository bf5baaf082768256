//! Who is told of signals: routes from the settings and their file, and the tasks that send.

use std::{sync::Arc, time::Duration};

use alert::{Outbox, Sender};
use signal::{
    Signal,
    narrative::{self, Reader},
};
use telemetry::{
    clean,
    health::Component,
    task::{Stop, Ticks, blocking},
};

use super::{build::Build, error::StartError};
use crate::{routes, settings::Alerts, wording};

/// How often it is looked whether the file of routes changed.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// An agent tries to send a signal for so long: as long as alerts are kept.
const FORWARDED_FOR: Duration = Duration::from_secs(90 * 24 * 3600);

/// The file of signals and all else that is kept in tables.
const STATE: &str = "state.db";

/// What is kept of what was found, and of who was told.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) database: Arc<state::Database>,
    pub(super) signals: Arc<signal::Store>,
    pub(super) outbox: Arc<alert::Outbox>,
}

/// Opens where signals and alerts are kept.
pub(super) fn kept(build: &Build<'_>) -> Result<Kept, StartError> {
    let database = Arc::new(state::Database::open(build.settings.data.join(STATE)).map_err(Box::new)?);
    let outbox = outbox(build, Arc::clone(&database))?;
    let config = build.settings.detection.signals.clone();
    let signals = Arc::new(signal::Store::open(Arc::clone(&database), config).map_err(Box::new)?);
    Ok(Kept { database, signals, outbox })
}

/// Opens the outbox.
fn outbox(build: &Build<'_>, database: Arc<state::Database>) -> Result<Arc<Outbox>, StartError> {
    let settings = &build.settings.alerts;
    let (routes, text) = routes::load(settings)?;
    let reader = Reader { language: settings.language, zone: settings.zone.clone(), ..Reader::default() };
    let voice = alert::Voice { language: settings.language, zone: settings.zone.clone() };
    let patience = match settings.forward {
        Some(_) => alert::Config { tries_max: u32::MAX, age_max: FORWARDED_FOR, ..alert::Config::default() },
        None => alert::Config::default(),
    };
    let config = alert::Config { voice, ..patience };
    let words = move |signal: &Signal| narrative::of(signal, &reader).into();
    let outbox = Outbox::open(database, routes, Box::new(words), config).map_err(Box::new)?;
    let outbox = Arc::new(outbox);
    let health = build.health.component("alerts");
    build
        .front
        .spawn("routes", follow(Arc::clone(&outbox), settings.clone(), text, health, build.front.stop()));
    Ok(outbox)
}

/// What the routes of alerts need.
pub(super) fn state(build: &Build<'_>, kept: &Kept) -> api::AlertsState {
    api::AlertsState {
        outbox: Arc::clone(&kept.outbox),
        signals: Arc::clone(&kept.signals),
        body: build.settings.intake.body.clone(),
        stop: build.front.stop(),
    }
}

/// Sends what is in the outbox until told to stop.
pub(super) fn send(build: &Build<'_>, outbox: &Arc<Outbox>) {
    let sender = Sender::new(Arc::clone(outbox), Arc::new(intake::system_clock));
    build.back.spawn("alerts", sender.run(build.back.stop()));
}

/// Has routes hold that changed; where they cannot be used, those of before stay, and it is told.
async fn follow(
    outbox: Arc<Outbox>,
    settings: Alerts,
    mut text: Option<String>,
    health: Component,
    stop: Stop,
) {
    for problem in outbox.routes().check() {
        health.degraded(clean::line(&problem.to_string()).into_owned());
    }
    if settings.file.is_none() {
        return;
    }
    let settings = Arc::new(settings);
    let mut ticks = Ticks::every(LOOK_EVERY, stop);
    while ticks.next().await {
        let asked = Arc::clone(&settings);
        match blocking("routes", move || routes::load(&asked)).await {
            Ok(Ok((_, now))) if now == text => {}
            Ok(Ok((routes, now))) => {
                let problems = routes.check();
                match problems.first() {
                    None => health.ok(),
                    Some(problem) => health.degraded(clean::line(&problem.to_string()).into_owned()),
                }
                tracing::info!("the routes of alerts are read again");
                outbox.reload(routes);
                text = now;
            }
            Ok(Err(error)) => {
                health.degraded(format!(
                    "{}; the routes of before hold",
                    clean::line(&wording::describe(&error))
                ));
            }
            Err(_) => return,
        }
    }
}
