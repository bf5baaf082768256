//! Signals looked at by a language model, beside everything else: what it says becomes a note, and nothing waits for it.

use std::{sync::Arc, time::Instant};

use analyst::{Analyst, AnalystError};
use finding::Level;
use metrics::counter;
use signal::{ASSISTANT, Act, Change, Deed, Happening, Signal, Store, narrative::Reader};
use telemetry::{
    health::Component,
    metric,
    task::{Stop, blocking},
};
use tokio::sync::watch;

use super::{alerts::Kept, build::Build, error::StartError};

/// Changes that are read at once.
const AT_ONCE: u32 = 100;

/// Looks at signals that come up or escalate.
struct Looking {
    analyst: Analyst,
    signals: Arc<Store>,
    beside: signal::Beside,
    reader: Reader,
    /// Less grave ones are left alone.
    from: Level,
    health: Component,
}

/// Begins to look at what comes up from now on, where a language model is asked at all.
pub(super) fn begin(
    build: &Build<'_>,
    kept: &Kept,
    beside: signal::Beside,
    newest: watch::Receiver<u64>,
) -> Result<(), StartError> {
    let settings = &build.settings.analyst;
    let Some(config) = settings.config.clone() else { return Ok(()) };
    let alerts = &build.settings.alerts;
    let looking = Looking {
        analyst: Analyst::new(config)?,
        signals: Arc::clone(&kept.signals),
        beside,
        reader: Reader { language: alerts.language, zone: alerts.zone.clone(), ..Reader::default() },
        from: settings.from,
        health: build.health.component("analyst"),
    };
    let after = kept.signals.newest_change().map_err(|error| StartError::Opinions(Box::new(error)))?;
    build.front.spawn("analyst", Arc::new(looking).run(after, newest, build.front.stop()));
    Ok(())
}

impl Looking {
    async fn run(self: Arc<Self>, mut after: u64, mut newest: watch::Receiver<u64>, stop: Stop) {
        while let Some(Ok(())) = stop.run_until_cancelled(newest.changed()).await {
            loop {
                let own = Arc::clone(&self);
                let Ok(read) = blocking("analyst", move || own.signals.changes(after, AT_ONCE)).await else {
                    return;
                };
                let changes = match read {
                    Ok(changes) => changes,
                    Err(error) => {
                        self.health.degraded(crate::wording::describe(&error));
                        break;
                    }
                };
                let Some(last) = changes.last() else { break };
                after = last.number;
                for change in changes.iter().filter(|change| self.is_wanted(change)) {
                    if stop.run_until_cancelled(Arc::clone(&self).look(change.signal.clone())).await.is_none()
                    {
                        return;
                    }
                }
            }
        }
    }

    fn is_wanted(&self, change: &Change) -> bool {
        let is_news = matches!(
            change.what,
            Happening::New | Happening::Shown | Happening::Escalated | Happening::Reopened
        );
        is_news && change.signal.severity >= self.from && !change.signal.standing.hidden
    }

    /// Asks of one signal, and notes what is said.
    async fn look(self: Arc<Self>, signal: Signal) {
        let own = Arc::clone(&self);
        let incident = signal.incident;
        let read = move || incident.map_or(Ok(None), |incident| own.signals.incident(incident));
        // Without its story it is told by itself.
        let story = blocking("analyst", read).await.ok().and_then(Result::ok).flatten();
        let said = match self.analyst.assess(&signal, story.as_ref(), &self.reader, Instant::now()).await {
            Ok(said) => said,
            Err(error) => {
                counter!(metric::ANALYSES, "outcome" => outcome(&error)).increment(1);
                tracing::info!(signal = %signal.id, %error, "the signal is not assessed by AI");
                if !matches!(error, AnalystError::Budget | AnalystError::Answer { .. }) {
                    self.health.degraded(error.to_string());
                }
                return;
            }
        };
        self.health.ok();
        counter!(metric::ANALYSES, "outcome" => "noted").increment(1);
        let note = cut(said.note(self.reader.language));
        let act = Act { deed: Deed::Note, by: ASSISTANT.to_owned(), note: Some(note) };
        let own = Arc::clone(&self);
        let work = move || {
            let beside = &own.beside;
            own.signals.act(signal.id, &act, intake::system_clock(), |transaction, changes| {
                beside(transaction, changes)
            })
        };
        if let Ok(Err(error)) = blocking("analyst", work).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "an assessment cannot be noted");
        }
    }
}

fn cut(mut note: String) -> String {
    note.truncate(note.floor_char_boundary(signal::NOTE_BYTES_MAX));
    note
}

fn outcome(error: &AnalystError) -> &'static str {
    match error {
        AnalystError::Budget => "budget",
        AnalystError::LeftAlone { .. } => "left_alone",
        AnalystError::TimedOut => "timed_out",
        AnalystError::Answer { .. } => "unusable",
        AnalystError::SetUp { .. } | AnalystError::Unreachable | AnalystError::Refused { .. } => "failed",
    }
}
