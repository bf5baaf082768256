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

use super::{build::Build, configs, error::StartError};

/// The analysis that asks the service at `url`, and the reader that has later scored what went unscored.
pub(super) fn analysis(
    build: &Build<'_>,
    (journal, index): (&Journal, &Arc<dyn Index>),
    url: &str,
) -> Result<Analysis, StartError> {
    let settings = build.settings;
    let remote = Remote::new(Config {
        api_key: settings.api_keys.first().map(|key| key.0.clone()),
        ca_file: settings.anomaly_ca_file.clone(),
        deadline: settings.anomaly_timeout,
        ..Config::new(url)
    })?;
    let sink = Box::new(|verdicts: &[(EventId, Verdict)]| {
        let anomalies = verdicts.iter().filter(|(_, verdict)| verdict.is_anomaly).count();
        metrics::counter!(metric::ANOMALIES).increment(anomalies as u64);
    });
    let health = build.health.component("anomaly");
    let (scoring, late) = Scoring::open(remote, journal.clone(), health, (Arc::clone(index), sink))?;
    let runtime = tokio::runtime::Handle::current();
    let work = move |stop: Stop| runtime.block_on(late.run(stop));
    build.back.thread("late-scoring", work).map_err(StartError::Thread)?;
    Ok(Analysis::Remote(Arc::new(RemoteAnalysis::new(scoring, configs::template_config(settings)))))
}
