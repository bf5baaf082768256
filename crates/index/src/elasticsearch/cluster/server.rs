//! What kind of server it is.

use std::{fmt, time::Duration};

use serde_json::{Value as Json, json};

use super::{
    answer::Answer,
    nodes::Nodes,
    request::{Body, Method, Request},
};
use crate::elasticsearch::ClusterError;

/// How long a probe may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
const ACTION: &str = "learn the server's version";

/// Whose server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// Elasticsearch.
    Elasticsearch,
    /// OpenSearch.
    OpenSearch,
}

impl Flavor {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Elasticsearch => "Elasticsearch",
            Self::OpenSearch => "OpenSearch",
        }
    }
}

/// What kind of server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server {
    /// Whose.
    pub flavor: Flavor,
    /// Major, minor and patch version.
    pub version: (u64, u64, u64),
    /// Whether it has the tokenizer that the mapping of `message` names. Only a core without modules
    /// has it not; it gets the tokens of each message sent along.
    pub has_tokenizer: bool,
}

impl Server {
    /// Whether a bulk may demand that its target is a data stream, so that no index with guessed
    /// mappings comes into being.
    pub(in crate::elasticsearch) fn takes_require_data_stream(self) -> bool {
        self.flavor == Flavor::Elasticsearch && self.version >= (8, 13, 0)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, patch) = self.version;
        write!(formatter, "{} {major}.{minor}.{patch}", self.flavor.as_str())
    }
}

/// Asks the server, and refuses one that this program cannot work with.
pub(super) async fn probe(nodes: &Nodes) -> Result<Server, ClusterError> {
    let root = nodes.send(get("/", &[])).await?;
    let node = root.node.to_string();
    let found = match root.status {
        // Some distributions lack this route.
        400 | 404 | 405 => from_nodes(nodes, root).await?,
        _ => from_root(&root.require_success()?)?,
    };
    let oldest = match found.flavor {
        Flavor::Elasticsearch => (8, 0, 0),
        // It brought `flat_object`.
        Flavor::OpenSearch => (2, 7, 0),
    };
    if found.version < oldest {
        return Err(ClusterError::TooOld { node, found: found.to_string() });
    }
    Ok(found)
}

fn get<'r>(path: &'r str, query: &[(&'r str, &'r str)]) -> Request<'r> {
    Request {
        method: Method::Get,
        path: path.into(),
        query: query.iter().map(|(name, value)| (*name, (*value).into())).collect(),
        body: Body::None,
        timeout: PROBE_TIMEOUT,
        action: ACTION,
    }
}

fn foreign(answer: &Answer) -> ClusterError {
    let start: String = String::from_utf8_lossy(&answer.body).trim().chars().take(60).collect();
    let found = format!("status {}, answer '{}'", answer.status, start.replace(['\n', '\r'], " "));
    ClusterError::Foreign { node: answer.node.to_string(), found }
}

fn from_root(answer: &Answer) -> Result<Server, ClusterError> {
    let json = answer.json().map_err(|_| foreign(answer))?;
    let version = &json["version"];
    let flavor = match version["distribution"].as_str() {
        Some("opensearch") => Flavor::OpenSearch,
        None if json["cluster_name"].is_string() => Flavor::Elasticsearch,
        _ => return Err(foreign(answer)),
    };
    let version = version["number"].as_str().and_then(parse_version).ok_or_else(|| foreign(answer))?;
    Ok(Server { flavor, version, has_tokenizer: true })
}

async fn from_nodes(nodes: &Nodes, root: Answer) -> Result<Server, ClusterError> {
    let health = nodes.send(get("_cluster/health", &[])).await?;
    if !matches!(health.status, 401 | 403)
        && health.json().map_or(true, |json| !json["cluster_name"].is_string())
    {
        return Err(foreign(&root));
    }
    let health = health.require_success()?.json()?;
    let query = [("filter_path", "nodes.*.version,nodes.*.build_flavor")];
    let answer = nodes.send(get("_nodes", &query)).await?.require_success()?;
    let json = answer.json()?;
    // The oldest of them decides.
    let versions = json["nodes"].as_object().into_iter().flat_map(|nodes| nodes.values());
    let version = versions
        .filter_map(|node| node["version"].as_str().and_then(parse_version))
        .min()
        .ok_or_else(|| foreign(&answer))?;
    let is_opensearch =
        ["discovered_master", "discovered_cluster_manager"].iter().any(|name| health[*name] != Json::Null);
    let flavor = if is_opensearch { Flavor::OpenSearch } else { Flavor::Elasticsearch };
    Ok(Server { flavor, version, has_tokenizer: has_tokenizer(nodes).await? })
}

/// Asks for it. Those who may not ask have a server with everything: a bare core knows no rights.
async fn has_tokenizer(nodes: &Nodes) -> Result<bool, ClusterError> {
    let body = Body::Json(json!({"tokenizer": {"type": "pattern"}, "text": "a"}));
    let request = Request { method: Method::Post, body, ..get("_analyze", &[]) };
    let answer = nodes.send(request).await?;
    match answer.status {
        400 => Ok(false),
        403 => Ok(true),
        _ => answer.require_success().map(|_| true),
    }
}

/// `8.19.21`, `9.0.0-SNAPSHOT`.
fn parse_version(text: &str) -> Option<(u64, u64, u64)> {
    let mut parts = text.split(['.', '-']).map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_with_what_follows_them() {
        for (text, version) in [
            ("8.19.21", Some((8, 19, 21))),
            ("9.0.0-SNAPSHOT", Some((9, 0, 0))),
            ("3.6", Some((3, 6, 0))),
            ("eight", None),
            ("", None),
        ] {
            assert_eq!(parse_version(text), version, "{text}");
        }
    }
}
