//! Verdicts from a separate anomaly service.

use std::sync::Arc;

use event::{EventId, Verdict};
use index::Index;
use journal::Journal;
use pipeline::{
    Analysis,
    remote::{Config, Remote, RemoteAnalysis, Scoring},
};
use telemetry::{metric, task::Stop};

use super::{build::Build, error::StartError};

/// The analysis that asks a separate service, and the reader that has later scored what went unscored.
pub(super) fn analysis(
    build: &Build<'_>,
    (journal, index): (&Journal, &Arc<dyn Index>),
    config: Config,
) -> Result<Analysis, StartError> {
    let remote = Remote::new(config)?;
    let sink = Box::new(|verdicts: &[(EventId, Verdict)]| {
        let anomalies = verdicts.iter().filter(|(_, verdict)| verdict.is_anomaly).count();
        metrics::counter!(metric::ANOMALIES).increment(anomalies as u64);
    });
    let health = build.health.component("anomaly");
    let (scoring, late) = Scoring::open(remote, journal.clone(), health, Arc::clone(index), sink)?;
    let runtime = tokio::runtime::Handle::current();
    let work = move |stop: Stop| runtime.block_on(late.run(stop));
    build.back.thread("late-scoring", work).map_err(StartError::Thread)?;
    Ok(Analysis::Remote(Arc::new(RemoteAnalysis::new(
        scoring,
        build.settings.analysis.service.template.clone(),
    ))))
}
