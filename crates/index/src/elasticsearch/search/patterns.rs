//! Templates with their counts.

use event::{Severity, Timestamp, Verdict, field};
use serde_json::{Value as Json, json};

use super::{
    Question,
    aggregate::{distinct, exact_terms},
    unexpected,
};
use crate::{
    IndexError, Pattern, Patterns, PatternsRequest,
    elasticsearch::{Cluster, View},
};

/// As [`Index::patterns`](crate::Index::patterns).
pub(in crate::elasticsearch) async fn patterns(
    cluster: &Cluster,
    view: &View,
    request: PatternsRequest,
) -> Result<Patterns, IndexError> {
    let question = Question::new(cluster, view, &request.selection).await?;
    let source = json!({"field": field::TEMPLATE_ID});
    let aggregations = |mut terms: Json| {
        terms["aggs"] = details();
        let inner = json!({"values": terms, "distinct": distinct(source.clone())});
        json!({"all": {"filter": {"match_all": {}}, "aggs": inner}})
    };
    let size = request.limit.max(1);
    let (terms, all) =
        exact_terms(&question, source.clone(), size, request.limit, aggregations, "all").await?;
    let patterns = terms.buckets.iter().take(request.limit).map(read).collect::<Option<_>>();
    Ok(Patterns {
        patterns: patterns.ok_or_else(|| unexpected("a template in the answer is incomplete"))?,
        distinct: terms.distinct,
        total: all["doc_count"].as_u64().unwrap_or_default(),
        covered: view.covered,
    })
}

/// What is wanted of each template. The earliest and latest are hits: the server's minimum and
/// maximum of a time have milliseconds only.
fn details() -> Json {
    let hit = |order: &str, fields: &[&str]| json!({"top_hits": {"size": 1, "_source": fields, "sort": [{field::TIMESTAMP: order}]}});
    json!({
        "first": hit("asc", &[field::TIMESTAMP]),
        "last": hit("desc", &[field::TIMESTAMP, field::TEMPLATE_TEXT]),
        "levels": {"terms": {"field": field::LEVEL, "size": Severity::ALL.len()}},
        "score": {"max": {"field": field::ANOMALY_SCORE}},
        "anomalies": {"filter": {"term": {field::ANOMALY_IS_ANOMALY: true}}},
    })
}

fn read(bucket: &Json) -> Option<Pattern> {
    let document = |name: &str| &bucket[name]["hits"]["hits"][0]["_source"];
    let at = |document: &Json| Timestamp::parse(document[field::TIMESTAMP].as_str()?).ok();
    let (first, last) = (document("first"), document("last"));
    let levels = bucket["levels"]["buckets"].as_array()?;
    let severity = levels.iter().filter_map(|level| Severity::from_name(level["key"].as_str()?)).max()?;
    Some(Pattern {
        id: bucket["key"].as_str()?.parse().ok()?,
        text: last["sentinel"]["template"]["text"].as_str()?.to_owned(),
        count: bucket["doc_count"].as_u64()?,
        first: at(first)?,
        last: at(last)?,
        severity,
        score_max: Verdict::quantize(bucket["score"]["value"].as_f64()? as f32),
        anomalies: bucket["anomalies"]["doc_count"].as_u64()?,
    })
}
