//! Routes of alerts: the file that `LOG_SENTINEL_ALERTS_FILE` names, over the channels that other settings set up.

use std::{io, path::PathBuf};

use alert::{RouteProblem, Routes};
use telemetry::clean;

use crate::{settings::Alerts, wording};

/// A larger file is none of routes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Why routes cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AlertsError {
    /// The file cannot be read.
    #[error("LOG_SENTINEL_ALERTS_FILE: cannot read {}", wording::name(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is larger than any file of routes.
    #[error("LOG_SENTINEL_ALERTS_FILE: {} is larger than a file of routes can be", wording::name(path))]
    Large {
        /// The file.
        path: PathBuf,
    },
    /// It is not written as it should be.
    #[error("LOG_SENTINEL_ALERTS_FILE: {}:\n{}", wording::name(path), listed(problems))]
    Routes {
        /// The file.
        path: PathBuf,
        /// All that is wrong with it.
        problems: Vec<RouteProblem>,
    },
}

fn listed(problems: &[RouteProblem]) -> String {
    let lines: Vec<String> =
        problems.iter().map(|problem| format!("  {}", clean::line(&problem.to_string()))).collect();
    lines.join("\n")
}

/// The routes that settings and file name, and the text of the file.
///
/// # Errors
/// When the file cannot be read, or is not written as it should be.
pub(crate) fn load(settings: &Alerts) -> Result<(Routes, Option<String>), AlertsError> {
    if let Some(channel) = &settings.forward {
        return Ok((Routes::forwarding(channel.clone()), None));
    }
    let Some(path) = &settings.file else { return Ok((Routes::everything(settings.channels.clone()), None)) };
    let text = text(path)?;
    match Routes::read(&text, settings.channels.clone()) {
        Ok(routes) => Ok((routes, Some(text))),
        Err(problems) => Err(AlertsError::Routes { path: path.clone(), problems }),
    }
}

fn text(path: &PathBuf) -> Result<String, AlertsError> {
    let failed = |source| AlertsError::Read { path: path.clone(), source };
    if std::fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(AlertsError::Large { path: path.clone() });
    }
    std::fs::read_to_string(path).map_err(failed)
}
