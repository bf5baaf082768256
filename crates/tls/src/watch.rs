//! Certificates follow their files.

use std::time::Duration;

use metrics::counter;
use telemetry::{
    health::Component,
    metric,
    task::{Stop, Ticks, blocking},
};

use crate::{Identity, TlsError};

/// How often files are looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Reads the files of listeners again from time to time, until told to stop. What does not load is said, once in the
/// log and as long as it lasts to `component`; the listener goes on with what it had.
pub async fn watch(identities: Vec<Identity>, component: Component, stop: Stop) {
    let mut ticks = Ticks::every(LOOK_AGAIN, stop);
    while ticks.next().await {
        let all = identities.clone();
        let Ok(outcomes) =
            blocking("certificates", move || all.iter().map(Identity::reload).collect::<Vec<_>>()).await
        else {
            continue;
        };
        let mut bad = vec![];
        for (identity, outcome) in identities.iter().zip(outcomes) {
            match outcome {
                Ok(true) => {
                    counter!(metric::TLS_RELOADS, "outcome" => "taken").increment(1);
                    tracing::info!(path = %identity.files().cert_file.display(), "a certificate was read again and is used from now on");
                }
                Ok(false) => {}
                Err(error) => {
                    counter!(metric::TLS_RELOADS, "outcome" => "failed").increment(1);
                    bad.push(said(&error));
                }
            }
        }
        match bad.is_empty() {
            true => component.ok(),
            false => component.degraded(format!(
                "{}; connections go on with the certificate that was there before. Mend the files, and they are read \
                 again within seconds",
                bad.join("; ")
            )),
        }
    }
}

fn said(error: &TlsError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}
