//! What the server has: its abilities, the objects of ours, other templates, and what the name of
//! the data stream stands for.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value as Json;

use super::{
    Config, SetupError,
    object::{Kind, Mark},
};
use crate::elasticsearch::cluster::{Answer, Body, Cluster, Flavor, Method, Request, Server};

/// How long one request of set-up may take: changes of the cluster state wait for its nodes.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What a server can do that not every one can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Abilities {
    /// It is OpenSearch.
    pub(super) opensearch: bool,
    /// `ignore_missing_component_templates`.
    pub(super) ignores_missing: bool,
    /// The tokenizer that the query language needs, as every server but a bare core has it.
    pub(super) tokenizer: bool,
    /// ILM.
    pub(super) policies: bool,
    /// Data stream lifecycle.
    pub(super) stream_lifecycles: bool,
}

/// What the name of the data stream stands for.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Target {
    #[default]
    Absent,
    Index,
    Alias {
        indexes: Vec<String>,
    },
    Stream {
        backing: Vec<String>,
        /// Of the index that takes new documents.
        mappings: Json,
        /// Its own lifecycle, where the server has that.
        lifecycle: Option<Json>,
    },
}

/// The state of the server as far as set-up is concerned.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) server: Server,
    pub(super) abilities: Abilities,
    pub(super) objects: BTreeMap<(Kind, String), Json>,
    /// All index templates but ours, by name.
    pub(super) others: BTreeMap<String, Json>,
    pub(super) target: Target,
}

impl Found {
    pub(super) fn object(&self, kind: Kind, name: &str) -> Option<(&Json, Option<Mark>)> {
        let body = self.objects.get(&(kind, name.to_owned()))?;
        Some((body, Mark::of(kind, body)))
    }
}

/// Asks the server; changes nothing.
pub(super) async fn observe(cluster: &Cluster, config: &Config) -> Result<Found, SetupError> {
    let server = cluster.server().await?;
    let stream = &config.data_stream;
    let mut objects = BTreeMap::new();

    let policies = ask(cluster, &Kind::Policy.path(stream), "read the lifecycle policy").await?;
    let has_policies = has_route(&policies);
    keep(Kind::Policy, policies, &mut objects)?;
    let mut stream_lifecycle = None;
    let mut has_stream_lifecycles = false;
    if !has_policies {
        let path = format!("/_data_stream/{stream}/_lifecycle");
        let answer = ask(cluster, &path, "read the lifecycle of the data stream").await?;
        has_stream_lifecycles = has_route(&answer);
        if has_stream_lifecycles && answer.status != 404 {
            let json = answer.require_success()?.json()?;
            stream_lifecycle = json.pointer("/data_streams/0/lifecycle").cloned();
        }
    }

    let components = Kind::Component.path(&format!("{stream}@*"));
    keep(Kind::Component, ask(cluster, &components, "read the component templates").await?, &mut objects)?;
    let mut templates = BTreeMap::new();
    keep(
        Kind::Template,
        ask(cluster, "/_index_template", "read the index templates").await?,
        &mut templates,
    )?;
    let mut others = BTreeMap::new();
    for ((kind, name), body) in templates {
        if name == *stream {
            objects.insert((kind, name), body);
        } else {
            others.insert(name, body);
        }
    }

    let abilities = Abilities {
        opensearch: server.flavor == Flavor::OpenSearch,
        ignores_missing: server.flavor == Flavor::Elasticsearch && server.version >= (8, 7, 0),
        tokenizer: server.has_tokenizer,
        policies: has_policies,
        stream_lifecycles: has_stream_lifecycles,
    };
    let target = target(cluster, stream, stream_lifecycle).await?;
    Ok(Found { server, abilities, objects, others, target })
}

async fn target(cluster: &Cluster, stream: &str, lifecycle: Option<Json>) -> Result<Target, SetupError> {
    let answer =
        ask(cluster, &format!("/_resolve/index/{stream}"), "see what the data stream's name stands for")
            .await?;
    if answer.status == 404 {
        return Ok(Target::Absent);
    }
    let json = answer.require_success()?.json()?;
    let Some(resolved) = resolved(&json, stream) else { return Ok(Target::Absent) };
    let Target::Stream { backing, .. } = resolved else { return Ok(resolved) };
    let answer = ask(cluster, &format!("/{stream}/_mapping"), "read the mappings of the data stream").await?;
    let json = answer.require_success()?.json()?;
    let mappings = backing.last().and_then(|write| json.get(write)?.get("mappings")).cloned();
    Ok(Target::Stream { backing, mappings: mappings.unwrap_or_default(), lifecycle })
}

/// What `_resolve/index` says of a name; None when it stands for nothing.
pub(super) fn resolved(answer: &Json, stream: &str) -> Option<Target> {
    let entry = |list: &str| {
        let mut entries = answer.get(list)?.as_array()?.iter();
        entries.find(|entry| entry["name"] == *stream)
    };
    let names = |value: &Json| -> Vec<String> {
        match value {
            Json::String(name) => vec![name.clone()],
            other => {
                other.as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
            }
        }
    };
    if let Some(entry) = entry("data_streams") {
        let backing = names(&entry["backing_indices"]);
        return Some(Target::Stream { backing, mappings: Json::Null, lifecycle: None });
    }
    if let Some(entry) = entry("aliases") {
        return Some(Target::Alias { indexes: names(&entry["indices"]) });
    }
    entry("indices").map(|_| Target::Index)
}

/// Whether the server knows the route that was asked: those that lack it answer 400 or 405.
fn has_route(answer: &Answer) -> bool {
    !matches!(answer.status, 400 | 405 | 501)
}

/// Puts the objects of an answer among the others; an unknown one is none.
fn keep(kind: Kind, answer: Answer, objects: &mut BTreeMap<(Kind, String), Json>) -> Result<(), SetupError> {
    if answer.status == 404 || kind == Kind::Policy && !has_route(&answer) {
        return Ok(());
    }
    let json = answer.require_success()?.json()?;
    objects.extend(kind.listed(&json).into_iter().map(|(name, body)| ((kind, name), body)));
    Ok(())
}

/// One object as it stands on the server now.
pub(super) async fn read(cluster: &Cluster, kind: Kind, name: &str) -> Result<Option<Json>, SetupError> {
    let mut objects = BTreeMap::new();
    keep(kind, ask(cluster, &kind.path(name), "read back what was written").await?, &mut objects)?;
    Ok(objects.remove(&(kind, name.to_owned())))
}

pub(super) async fn ask(cluster: &Cluster, path: &str, action: &'static str) -> Result<Answer, SetupError> {
    send(cluster, Method::Get, path, Body::None, action).await
}

pub(super) async fn send(
    cluster: &Cluster,
    method: Method,
    path: &str,
    body: Body,
    action: &'static str,
) -> Result<Answer, SetupError> {
    let request = Request { method, path: path.into(), query: vec![], body, timeout: TIMEOUT, action };
    Ok(cluster.send(request).await?)
}
