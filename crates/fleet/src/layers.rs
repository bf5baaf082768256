//! What is watched on a host, laid together of what is said of it: by groups, by the agent's own file, and for it alone.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Monitoring, Selector};

/// Where a threshold comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "from", rename_all = "lowercase")]
pub enum Origin {
    /// Nobody said anything else.
    Default,
    /// What was set for a group of hosts.
    Group {
        /// Which.
        group: Selector,
    },
    /// The agent's own file.
    File,
    /// What was set for this host.
    Host,
}

/// Where each threshold comes from, by its path below `monitoring`, such as `network.threshold.in`.
pub type Origins = BTreeMap<String, Origin>;

/// What is said of one host, the more particular behind the less.
pub(crate) struct Layers<'h>(pub(crate) Vec<(Origin, &'h Map<String, Value>)>);

impl Layers<'_> {
    /// What holds: of each field the most particular that says something fitting.
    pub(crate) fn monitoring(&self) -> Monitoring {
        self.0.iter().fold(Monitoring::default(), |below, (_, said)| below.with_what_fits(said).0)
    }

    /// Where each threshold comes from.
    pub(crate) fn origins(&self) -> Origins {
        let mut origins = stock();
        for (origin, said) in &self.0 {
            let alone = Monitoring::nothing().with_what_fits(said).0;
            origins.extend(alone.limits().map(|path| (path, origin.clone())));
        }
        origins
    }
}

/// Where the thresholds come from of a host of which nothing is said.
pub fn stock() -> Origins {
    Monitoring::default().limits().map(|path| (path, Origin::Default)).collect()
}
