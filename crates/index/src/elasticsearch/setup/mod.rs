//! Prepares a cluster: component templates, index template and lifecycle for one data stream, from
//! the files of `infra/elastic/`.
//!
//! Set-up may run as often as one likes, also at the same time from several machines. It updates
//! what it wrote itself and nobody touched since; what an operator changed is left alone and
//! reported. Operators' own additions belong into the component template `NAME@custom`, which comes
//! last and is never written here. Whatever stands in the way is refused before anything is changed.

mod found;
mod object;
mod plan;
mod prepare;
#[cfg(test)]
mod tests;
mod wanted;

use std::{fmt, time::Duration};

use serde_json::Value as Json;

use self::{object::hash, wanted::stream_lifecycle};
pub use self::{
    object::{Difference, Kind},
    plan::{Action, Plan, Refusal, Retention, Step, StreamLifecycle},
    prepare::{Duties, prepare},
};
use super::{
    ClusterError,
    cluster::{Body, Cluster, Method, Server},
};

/// Version of what this program writes; it grows when a file of `infra/elastic/` changes.
pub const VERSION: u64 = 2;

const NAME_BYTES_MAX: usize = 200;

/// What the cluster is to be prepared for.
#[derive(Debug, Clone)]
pub struct Config {
    /// Name of the data stream (`ELASTIC_INDEX`).
    pub data_stream: String,
    /// After which time events are deleted (`LOG_SENTINEL_RETENTION`); never, if None.
    pub retention: Option<Duration>,
    /// Primary shards of each index; the server's default, if None.
    pub shards: Option<u32>,
    /// Replicas of each shard; one where there is a second node, if None.
    pub replicas: Option<u32>,
}

impl Default for Config {
    fn default() -> Self {
        Self { data_stream: "logs-sentinel".to_owned(), retention: None, shards: None, replicas: None }
    }
}

/// Why a cluster could not be prepared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The name cannot be that of a data stream.
    #[error(
        "ELASTIC_INDEX='{name}' cannot name a data stream: {reason}; choose a name such as logs-sentinel"
    )]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Something stands in the way; nothing was changed.
    #[error("cannot set up the data stream {data_stream} (ELASTIC_INDEX): {}", list(refusals))]
    Refused {
        /// The data stream.
        data_stream: String,
        /// Everything that stands in the way.
        refusals: Vec<Refusal>,
    },
    /// A file that is part of this program is no JSON.
    #[error("the built-in file {file} is no JSON")]
    File {
        /// The file.
        file: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// What was written could not be read back.
    #[error("the server accepted {kind} {name} and then did not have it; run this again")]
    Vanished {
        /// Its kind.
        kind: Kind,
        /// Its name.
        name: String,
    },
    /// The cluster did not do what it was asked.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

fn list(refusals: &[Refusal]) -> String {
    refusals.iter().map(Refusal::to_string).collect::<Vec<_>>().join("; also: ")
}

/// What set-up would do now. Changes nothing.
///
/// # Errors
/// When the cluster cannot be asked, or something stands in the way.
pub async fn plan(cluster: &Cluster, config: &Config) -> Result<Plan, SetupError> {
    check_name(&config.data_stream)?;
    let found = found::observe(cluster, config).await?;
    plan::decide(config, &found)
}

/// Does what the plan says, in its order. What was done before an error stays done; a new plan
/// begins there.
///
/// # Errors
/// When the cluster refuses a step or cannot be reached.
pub async fn apply(cluster: &Cluster, config: &Config, plan: &Plan) -> Result<(), SetupError> {
    for step in plan.steps.iter().filter(|step| step.action.writes()) {
        write(cluster, step).await?;
    }
    let stream = &plan.data_stream;
    if plan.stream_lifecycle == StreamLifecycle::Set {
        let path = format!("/_data_stream/{stream}/_lifecycle");
        let body = Body::Json(stream_lifecycle(config.retention));
        found::send(cluster, Method::Put, &path, body, "set the lifecycle of the data stream")
            .await?
            .require_success()?;
    }
    if plan.roll_over {
        let path = format!("/{stream}/_rollover");
        found::send(cluster, Method::Post, &path, Body::None, "roll the data stream over")
            .await?
            .require_success()?;
    }
    Ok(())
}

/// Writes one object, and again if the server made something else of it, so that its mark holds the
/// hash of what the server has.
async fn write(cluster: &Cluster, step: &Step) -> Result<(), SetupError> {
    let (kind, object) = (step.kind, &step.object);
    let path = kind.path(&step.name);
    let action = match kind {
        Kind::Policy => "write the lifecycle policy",
        Kind::Component => "write a component template",
        Kind::Template => "write the index template",
    };
    let mut stored = hash(kind, &object.body);
    for _ in 0..2 {
        let body = Body::Json(object.marked(VERSION, &stored));
        found::send(cluster, Method::Put, &path, body, action).await?.require_success()?;
        if object.operators {
            break;
        }
        let back = found::read(cluster, kind, &step.name).await?;
        let back = back.ok_or_else(|| SetupError::Vanished { kind, name: step.name.clone() })?;
        let present = hash(kind, &back);
        if present == stored {
            break;
        }
        stored = present;
    }
    Ok(())
}

/// How a cluster stands.
#[derive(Debug)]
pub struct Status {
    /// The server.
    pub server: Server,
    /// What set-up would do, or why it refuses.
    pub plan: Result<Plan, SetupError>,
    /// The data stream, if it exists.
    pub stream: Option<Stream>,
}

/// Figures of a data stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its name.
    pub name: String,
    /// Indexes it consists of.
    pub indexes: usize,
    /// Documents, without replicas.
    pub documents: u64,
    /// Bytes on disk, replicas included.
    pub bytes: u64,
    /// Documents older than the retention, where this program deletes them.
    pub too_old: Option<u64>,
}

/// How the cluster stands. Changes nothing.
///
/// # Errors
/// When the cluster cannot be asked.
pub async fn status(cluster: &Cluster, config: &Config) -> Result<Status, SetupError> {
    check_name(&config.data_stream)?;
    let found = found::observe(cluster, config).await?;
    let plan = plan::decide(config, &found);
    let stream = match &found.target {
        found::Target::Stream { backing, .. } => {
            let name = config.data_stream.clone();
            let path = format!("/{name}/_stats/docs,store");
            let answer = found::ask(cluster, &path, "read the size of the data stream").await?;
            let json = answer.require_success()?.json()?;
            let figure = |path: &str| json.pointer(path).and_then(Json::as_u64).unwrap_or_default();
            Some(Stream {
                name,
                indexes: backing.len(),
                documents: figure("/_all/primaries/docs/count"),
                bytes: figure("/_all/total/store/size_in_bytes"),
                too_old: match plan.as_ref().map(|plan| plan.retention) {
                    Ok(Retention::Own(age)) => Some(older(cluster, &config.data_stream, age).await?),
                    _ => None,
                },
            })
        }
        _ => None,
    };
    Ok(Status { server: found.server, plan, stream })
}

/// How many documents are older than this.
async fn older(cluster: &Cluster, data_stream: &str, age: Duration) -> Result<u64, SetupError> {
    let since = format!("now-{}s", age.as_secs());
    let body = Body::Json(serde_json::json!({"query": {"range": {"@timestamp": {"lt": since}}}}));
    let path = format!("/{data_stream}/_count");
    let answer = found::send(cluster, Method::Post, &path, body, "count what is too old").await?;
    Ok(answer.require_success()?.json()?["count"].as_u64().unwrap_or_default())
}

/// Refuses what the server would refuse as the name of a data stream, before anything is written.
fn check_name(name: &str) -> Result<(), SetupError> {
    let refused = |reason| Err(SetupError::Name { name: name.to_owned(), reason });
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return refused("it must have 1 to 200 bytes");
    }
    if name.starts_with(['-', '_', '+', '.']) {
        return refused("it must not begin with -, _, + or .");
    }
    if name.chars().any(|c| c.is_uppercase()) {
        return refused("it must be in lower case");
    }
    if name.chars().any(|c| c.is_whitespace() || c.is_control() || "\\/*?\"<>|,#:@%".contains(c)) {
        return refused("it must have no blanks and none of \\ / * ? \" < > | , # : @ %");
    }
    Ok(())
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.plan {
            Ok(plan) => write!(f, "{plan}")?,
            Err(error) => writeln!(f, "{}\n{error}", self.server)?,
        }
        match &self.stream {
            Some(stream) => writeln!(
                f,
                "stored: {} documents in {} indexes, {} bytes with replicas",
                stream.documents, stream.indexes, stream.bytes
            )?,
            None => writeln!(f, "stored: nothing yet; the data stream begins with the first event")?,
        }
        let too_old = self.stream.as_ref().and_then(|stream| stream.too_old).filter(|count| *count > 0);
        if let Some(count) = too_old {
            writeln!(
                f,
                "too old: {count} documents are older than the retention; they share an index with younger ones, \
                 or no collector has run to delete them"
            )?;
        }
        match &self.plan {
            Ok(plan) if plan.is_empty() => writeln!(f, "state: ready"),
            Ok(_) => writeln!(f, "state: `log-sentinel elastic upgrade` has something to do"),
            Err(_) => writeln!(f, "state: refused"),
        }
    }
}
