//! Takes over what the server wants to have measured.

use serde_json::Value as Json;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::{
    configuration::{Document, Monitoring},
    sampler::Current,
    taken::{Given, Kept},
};

/// Takes over what the server wants to have measured.
pub(crate) struct Follower {
    /// The configuration without the server's part.
    pub(crate) document: Document,
    pub(crate) current: watch::Sender<Current>,
    pub(crate) kept: Kept,
}

impl Follower {
    /// What was kept of an earlier run holds from the start on.
    pub(crate) fn recall(&mut self) {
        match self.kept.read() {
            Ok(Some(given)) => self.take(&given),
            Ok(None) => false,
            Err(error) => {
                warn!(%error, "cannot read the configuration that the server gave; it gives it again");
                false
            }
        };
    }

    pub(super) fn follow(&mut self, answer: &Json) {
        let Some(given) = Given::of(answer) else { return };
        if self.is_known(given.version) || !self.take(&given) {
            return;
        }
        info!(version = given.version, "measures what the server wants from now on");
        if let Err(error) = self.kept.keep(&given) {
            warn!(%error, "cannot keep the configuration that the server gave; after a restart it is asked for again");
        }
    }

    /// Whether this version is followed, or was refused.
    fn is_known(&self, version: u64) -> bool {
        let current = self.current.borrow();
        let refused = current.problem.as_ref().is_some_and(|problem| problem.starts_with(&refusal(version)));
        refused || (current.version == Some(version) && current.problem.is_none())
    }

    fn take(&self, given: &Given) -> bool {
        let mut document = self.document.clone();
        document.server(given.version, &given.monitoring);
        let problems = document.problems();
        let is_taken = problems.is_empty();
        self.current.send_modify(|current| {
            if is_taken {
                current.monitoring = Monitoring::of(&document);
                current.version = Some(given.version);
                current.problem = None;
                current.changes += 1;
            } else {
                let problem = format!("{}{}", refusal(given.version), problems.join("; "));
                warn!(problem, "the server's configuration is not taken");
                current.problem = Some(problem.chars().take(500).collect());
            }
        });
        is_taken
    }
}

fn refusal(version: u64) -> String {
    format!("version {version} is not taken: ")
}
