//! A sample.

use event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Labels, Metrics};

/// Whether a host is always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    /// When it is silent, something is wrong.
    Always,
    /// It comes and goes, as a laptop does.
    Sometimes,
}

/// What was measured on one host at one moment. It is written in the form of `POST /data`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sample {
    /// What the host is called; of at most [`Sample::NAME_BYTES_MAX`], without control characters.
    pub agent_name: String,
    /// When it was measured; None: when it is received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// Rises by one from sample to sample of one agent. The same again changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Tells this agent from another of the same name: random, made once where the agent keeps its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// Seconds from one sample to the next.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::measure::one")]
    pub interval: Option<f64>,
    /// The version of the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The operating system, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// Whether the host is always there; None: always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
    /// What groups of hosts are told by. They need not be in every sample; the last that were sent hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Labels>,
    /// The version of the server's configuration that the agent follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_version: Option<u64>,
    /// Why it did not take a newer one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_problem: Option<String>,
    /// The `monitoring` object that the agent follows: what of its own file and of the server's configuration holds. It
    /// need not be in every sample; the last one that was sent holds. At most [`Sample::MONITORING_BYTES_MAX`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monitoring: Option<serde_json::Map<String, serde_json::Value>>,
    /// What changed among the processes of the host: a report of the crate `process`, read by whoever keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processes: Option<serde_json::Value>,
    /// What was measured.
    pub metrics: Metrics,
}

impl Sample {
    /// Longer names are refused.
    pub const NAME_BYTES_MAX: usize = 255;

    /// A longer `monitoring`, written as JSON, is refused.
    pub const MONITORING_BYTES_MAX: usize = 16 << 10;

    /// A sample with nothing in it.
    pub fn of(agent_name: impl Into<String>) -> Self {
        Self {
            agent_name: agent_name.into(),
            timestamp: None,
            seq: None,
            agent_id: None,
            interval: None,
            version: None,
            os: None,
            expected: None,
            labels: None,
            config_version: None,
            config_problem: None,
            monitoring: None,
            processes: None,
            metrics: Metrics::default(),
        }
    }
}
