//! Reports: what makes them, and who is sent one when it is due.

use std::{sync::Arc, time::Duration};

use alert::{Outbox, OutboxError, Pages, Published, Words};
use event::Timestamp;
use signal::narrative::Reader;
use telemetry::{
    health::Component,
    task::{Stop, Ticks, blocking},
};

use super::{alerts::Kept, build::Build};
use crate::{settings::Reports, wording};

/// How often it is looked whether one is due.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// One that was due longer ago, while the program was stopped, is not sent.
const MISSED_NANOS: i64 = 24 * 3_600 * 1_000_000_000;

/// What makes reports of what is kept here; those that are due are sent from now on.
pub(super) fn start(build: &Build<'_>, kept: &Kept, searcher: &search::Searcher) -> api::ReportMaker {
    let maker = maker(build, kept, searcher);
    send(build, kept, maker.clone());
    maker
}

fn maker(build: &Build<'_>, kept: &Kept, searcher: &search::Searcher) -> api::ReportMaker {
    let questions = &build.settings.questions.collector;
    api::ReportMaker {
        signals: Arc::clone(&kept.signals),
        searcher: searcher.clone(),
        signals_max: build.settings.detection.report_signals_max,
        question: (questions.query_timeout, questions.query_work_max),
    }
}

/// Sends those that are due until told to stop, where any are.
fn send(build: &Build<'_>, kept: &Kept, maker: api::ReportMaker) {
    let settings = &build.settings.alerts;
    let Some(plan) = settings.reports.clone() else { return };
    let zone = plan.schedule.zone.clone();
    let reader = Reader { language: settings.language, zone, ..Reader::default() };
    let due = Due { plan, maker, outbox: Arc::clone(&kept.outbox), reader };
    let health = build.health.component("reports");
    build.front.spawn("reports", due.follow(health, build.front.stop()));
}

/// Why a report that is due is not sent.
#[derive(Debug, thiserror::Error)]
enum DueError {
    #[error(transparent)]
    Made(#[from] api::ReportError),
    #[error("a report that is due cannot be recorded")]
    Recorded(#[from] OutboxError),
    #[error("no channel sends it: name some in LOG_SENTINEL_REPORT_CHANNELS, or have one send mail")]
    NoChannel,
    #[error("the program is stopping")]
    Ended,
}

/// Reports by a schedule.
struct Due {
    plan: Reports,
    maker: api::ReportMaker,
    outbox: Arc<Outbox>,
    reader: Reader,
}

impl Due {
    async fn follow(self, health: Component, stop: Stop) {
        let mut ticks = Ticks::every(LOOK_EVERY, stop);
        while ticks.next().await {
            match self.send(intake::system_clock()).await {
                Ok(()) => health.ok(),
                Err(DueError::Ended) => return,
                Err(error) => {
                    health.degraded(format!("a report is due and not sent: {}", wording::describe(&error)));
                }
            }
        }
    }

    /// Makes the report that was due last and records it, unless that was done before.
    async fn send(&self, now: Timestamp) -> Result<(), DueError> {
        let Some(period) = self.plan.schedule.latest(now) else { return Ok(()) };
        if now.as_nanos().saturating_sub(period.to.as_nanos()) > MISSED_NANOS {
            return Ok(());
        }
        let name = self.plan.schedule.name(period);
        let (outbox, asked) = (Arc::clone(&self.outbox), name.clone());
        let is_published = blocking("reports", move || outbox.is_published(&asked)).await;
        if is_published.map_err(|_| DueError::Ended)?? {
            return Ok(());
        }
        let reader = self.reader.clone();
        let report = self.maker.make(api::Wanted { period, organization: None, reader }, now).await?;
        let voice = report::Voice { language: self.reader.language, zone: self.reader.zone.clone() };
        let (outbox, channels) = (Arc::clone(&self.outbox), self.plan.channels.clone());
        let written = move || {
            let (title, what) = (report::headline(&report, &voice), report::summary(&report, &voice));
            let words = Words { title, what, ..Words::default() };
            let (html, plain) = (report::html(&report, &voice), report::markdown(&report, &voice));
            let period = (period.from, period.to);
            outbox.publish(Published { name, words, pages: Pages { html, plain }, period, channels }, now)
        };
        let sent = blocking("reports", written).await.map_err(|_| DueError::Ended)??;
        if sent.is_empty() {
            return Err(DueError::NoChannel);
        }
        tracing::info!(channels = sent.join(", "), "a report that was due goes out");
        Ok(())
    }
}
