//! A report, made of the signals that are kept and of what the store says of sources.

use std::{sync::Arc, time::Duration};

use event::Timestamp;
use report::{Period, Report, Tally};
use search::Searcher;
use signal::{Filter, Store, StoreError, narrative::Reader};

use super::coverage::{self, Asked};

/// What a report is to be about, and for whom.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The time.
    pub period: Period,
    /// Only what is of this organization.
    pub organization: Option<String>,
    /// The language and the zone of what it says.
    pub reader: Reader,
}

/// Why a report cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Signals cannot be read.
    #[error("the signals of a report cannot be read")]
    Signals(#[from] StoreError),
    /// The work ended early: the program is stopping.
    #[error("making a report ended early")]
    Ended,
}

/// Makes reports. Clones share what they read.
#[derive(Clone)]
pub struct ReportMaker {
    /// Where signals are kept.
    pub signals: Arc<Store>,
    /// Answers what sources there were.
    pub searcher: Searcher,
    /// Signals that a report counts at most.
    pub signals_max: usize,
    /// How long one question about sources may take, and how much work it may be.
    pub question: (Duration, u64),
}

impl ReportMaker {
    /// Makes a report. Where the store does not answer for sources, the report says so and tells the rest.
    ///
    /// # Errors
    /// When signals cannot be read.
    pub async fn make(&self, wanted: Wanted, now: Timestamp) -> Result<Report, ReportError> {
        let coverage = coverage::of(&Asked {
            searcher: &self.searcher,
            period: wanted.period,
            organization: wanted.organization.as_deref(),
            question: self.question,
        })
        .await;
        let (signals, most) = (Arc::clone(&self.signals), self.signals_max);
        let made = move || {
            let mut tally = Tally::new(wanted.period, wanted.organization.clone(), wanted.reader);
            let [period, before] = tally.of();
            let mut is_complete = true;
            for hidden in [false, true] {
                let filter = Filter {
                    from: Some(before.from),
                    to: Some(period.to),
                    organization: wanted.organization.clone(),
                    hidden,
                    ..Filter::default()
                };
                is_complete &= signals.each(&filter, most, |signal, history| tally.take(signal, history))?;
            }
            Ok(tally.report(coverage, now, is_complete))
        };
        telemetry::task::blocking("report", made).await.map_err(|_| ReportError::Ended)?
    }
}
