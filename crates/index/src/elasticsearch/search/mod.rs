//! Questions, translated into the language of the server.
//!
//! Every question is narrowed to what the view covers: events of the view's own journal that are at
//! or behind `covered` are left out, because whoever asked adds them from the journal.

mod aggregate;
mod dsl;
mod fields;
mod hits;
mod patterns;
mod refusal;
#[cfg(test)]
mod tests;
mod wildcards;

use std::time::Instant;

use event::{EventId, Position};
use serde_json::{Value as Json, json};

use super::{
    View,
    cluster::{Body, Cluster, Flavor, Method, Request},
    document::ID,
    error::ClusterError,
};
use crate::{IndexError, Selection};
pub(super) use aggregate::{field_values, histogram};
pub(super) use fields::fields;
pub(super) use hits::{follow, search};
pub(super) use patterns::patterns;

const ACTION: &str = "search the cluster";

/// A selection as the server is asked for it.
struct Question<'a> {
    cluster: &'a Cluster,
    view: &'a View,
    flavor: Flavor,
    query: Json,
}

impl<'a> Question<'a> {
    /// Translates a selection; asks the server first for the labels that fit wildcards, where it
    /// cannot compare them itself.
    async fn new(
        cluster: &'a Cluster,
        view: &'a View,
        selection: &Selection,
    ) -> Result<Question<'a>, IndexError> {
        if selection.query.has_expression() {
            // Its own have another syntax and other limits, and labels and messages take none.
            let what = "it searches by no regular expressions, of which * and ? often do the work".to_owned();
            return Err(IndexError::Unsupported { what });
        }
        let flavor = cluster.server().await.map_err(|error| error.during(ACTION))?.flavor;
        let mut question = Self { cluster, view, flavor, query: Json::Null };
        let expanded = match flavor {
            Flavor::Elasticsearch => question.expand(selection).await?,
            Flavor::OpenSearch => wildcards::Expanded::ByServer,
        };
        question.query = narrowed(view, selection, Some(dsl::translate(&selection.query, &expanded)));
        Ok(question)
    }

    async fn expand(&mut self, selection: &Selection) -> Result<wildcards::Expanded, IndexError> {
        let patterns = wildcards::in_labels(&selection.query);
        if patterns.is_empty() {
            return Ok(wildcards::Expanded::default());
        }
        self.query = narrowed(self.view, selection, None);
        let answer = self.ask(json!({"size": 0, "aggs": wildcards::aggregations(&patterns)})).await?;
        wildcards::Expanded::of(&patterns, &answer["aggregations"])
    }

    /// Sends a body, to which the query is added, and gives the answer.
    async fn ask(&self, mut body: Json) -> Result<Json, IndexError> {
        let timeout = self.view.deadline.saturating_duration_since(Instant::now());
        if timeout.is_zero() {
            return Err(unexpected("there is no time left to ask"));
        }
        body["query"] = self.query.clone();
        // The server gives up when nobody waits any more.
        body["timeout"] = format!("{}ms", timeout.as_millis().max(1)).into();
        let request = Request {
            method: Method::Post,
            path: format!("/{}/_search", self.view.data_stream).into(),
            // The data stream begins with its first document.
            query: vec![
                ("ignore_unavailable", "true".into()),
                ("allow_no_indices", "true".into()),
                ("allow_partial_search_results", "false".into()),
            ],
            body: Body::Json(body),
            timeout,
            action: ACTION,
        };
        let during = |error: ClusterError| error.during(ACTION);
        let answer = self.cluster.send(request).await.map_err(during)?;
        if answer.status >= 400
            && let Some(too_large) = refusal::too_large(&answer.body)
        {
            return Err(too_large);
        }
        let answer = answer.require_success().map_err(during)?;
        let json = answer.json().map_err(during)?;
        let is_whole = json["_shards"]["failed"] == 0 && json["timed_out"] == false;
        if is_whole { Ok(json) } else { Err(during(answer.garbled("shards are missing from the answer"))) }
    }
}

/// What is asked for, within the time range and the view.
fn narrowed(view: &View, selection: &Selection, query: Option<Json>) -> Json {
    let mut filter = vec![json!({"exists": {"field": ID}})];
    filter.extend(dsl::time_range(
        event::field::TIMESTAMP,
        selection.from.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Included),
        selection.to.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded),
    ));
    filter.extend(query);
    let id = |position| EventId { journal: view.journal, position }.to_string();
    let last = id(Position { segment: u32::MAX, record: u32::MAX });
    json!({"bool": {
        "filter": filter,
        "must_not": [{"range": {ID: {"gte": id(view.covered), "lte": last}}}],
    }})
}

/// What goes past a limit of the server.
fn unanswerable(limit: impl Into<String>) -> IndexError {
    IndexError::QueryTooLarge { limit: limit.into() }
}

/// An answer that is not as the server's documentation has it.
fn unexpected(what: &'static str) -> IndexError {
    IndexError::Remote { action: ACTION, source: what.into() }
}
