//! What people say of signals that were made of verdicts, told to the analysis that gave these.

use std::sync::{Arc, Mutex, PoisonError};

use anomaly::{FeedbackError, Label};
use event::{Event, Timestamp};
use signal::{Happening, Signal, Store, StoreError};
use telemetry::{
    health::Component,
    task::{Stop, blocking},
};
use tokio::sync::watch;

use crate::wording;

/// Changes and opinions that are read at once.
const AT_ONCE: u32 = 500;

/// Follows the signals' feed and has the analysis go by what is said there. What it tells is told once: the analysis knows what
/// it has from which signal, so nothing is lost or given twice over a crash.
#[derive(Debug)]
pub(super) struct Opinions {
    signals: Arc<Store>,
    service: Arc<anomaly::Service>,
    health: Component,
    /// The last change that was looked at.
    through: Mutex<u64>,
}

/// Why the analysis does not know yet.
#[derive(Debug, thiserror::Error)]
enum Untold {
    #[error("what was said of signals cannot be read, so scores do not follow it")]
    Signals(#[from] StoreError),
    #[error("scores do not follow what was said of a signal")]
    Feedback(#[from] FeedbackError),
}

impl Opinions {
    /// Brings the analysis up to all that was said so far.
    pub(super) fn begin(
        signals: Arc<Store>,
        service: Arc<anomaly::Service>,
        health: Component,
    ) -> Result<Self, StoreError> {
        let opinions = Self { through: Mutex::new(signals.newest_change()?), signals, service, health };
        let told = opinions.tell_all();
        opinions.show(told);
        Ok(opinions)
    }

    fn tell_all(&self) -> Result<(), Untold> {
        let mut place = 0;
        loop {
            let opinions = self.signals.opinions(place, AT_ONCE)?;
            let Some(last) = opinions.last() else { break };
            place = last.place;
            for opinion in &opinions {
                self.tell(&opinion.signal)?;
            }
        }
        for feedback in self.service.feedback() {
            let Some(origin) = feedback.origin else { continue };
            // Of a signal that is forgotten, what was learned stays.
            if let Some(signal) = self.signals.get(signal::SignalId(origin))? {
                self.tell(&signal)?;
            }
        }
        Ok(())
    }

    /// Tells what was said since the last time.
    pub(super) fn tell_new(&self) {
        let mut through = self.through.lock().unwrap_or_else(PoisonError::into_inner);
        let told = self.tell_after(&mut through);
        self.show(told);
    }

    fn tell_after(&self, through: &mut u64) -> Result<(), Untold> {
        loop {
            let changes = self.signals.changes(*through, AT_ONCE)?;
            let Some(last) = changes.last().map(|change| change.number) else { return Ok(()) };
            for change in &changes {
                let is_said =
                    matches!(change.what, Happening::Labelled | Happening::Hidden | Happening::Shown);
                if is_said || change.signal.standing.label.is_some() {
                    self.tell(&change.signal)?;
                }
            }
            *through = last;
        }
    }

    fn tell(&self, signal: &Signal) -> Result<(), FeedbackError> {
        if !signal.kind.is_of_verdicts() {
            return Ok(());
        }
        let label = signal.standing.label.map(|label| match label {
            signal::Label::Expected => Label::Normal,
            signal::Label::Real => Label::Bad,
        });
        let note = format!("said of the signal {}", signal.id);
        let events: Vec<Event<'_>> =
            signal.evidence.iter().filter(|event| event.is_whole()).map(as_event).collect();
        let said = label.map(|label| (label, note.as_str(), now()));
        if self.service.follow_from(signal.id.0, said, &events)? {
            tracing::info!(signal = %signal.id, "scores follow what was said of the signal");
        }
        Ok(())
    }

    fn show(&self, told: Result<(), Untold>) {
        match told {
            Ok(()) => self.health.ok(),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "scores do not follow what was said"
                );
                self.health.degraded(wording::describe(&error));
            }
        }
    }
}

fn now() -> Timestamp {
    intake::system_clock()
}

fn as_event(evidence: &signal::Evidence) -> Event<'_> {
    let mut event = Event::new(evidence.message.as_str(), evidence.timestamp);
    event.source = evidence.service.as_deref().map(Into::into);
    event
}

/// Tells what was said with each change, until told to stop.
pub(super) async fn follow(opinions: Arc<Opinions>, mut newest: watch::Receiver<u64>, stop: Stop) {
    while let Some(Ok(())) = stop.run_until_cancelled(newest.changed()).await {
        let opinions = Arc::clone(&opinions);
        if blocking("opinions", move || opinions.tell_new()).await.is_err() {
            return;
        }
    }
}
