//! Questions: search, histogram, fields, patterns.

use std::time::Instant;

use axum::{extract::State, http::Uri, response::Response};
use event::{Document, EventId, Timestamp};
use index::{
    FieldValuesRequest, Histogram, HistogramRequest, PatternsRequest, SearchRequest, Selection,
    query::resolve,
};
use problem::Problem;
use serde_json::{Value, json};

use super::Shared;
use crate::{
    Answer, Searcher,
    clock::now,
    params::{Params, bad_parameter, interval_text, parse_interval},
};

/// Values of `by` that keep their names in a histogram.
const BY_LIMIT: usize = 20;
/// Buckets that a histogram has at most when it chooses its interval itself.
const BUCKETS_CHOSEN: i64 = 100;
/// The widths to choose from, in seconds.
const INTERVALS_S: [i64; 17] = [
    1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 604_800, 2_592_000,
    31_536_000,
];
const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

pub(super) async fn search(State(shared): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    let begun = Instant::now();
    let params = Params::of(&uri, &["q", "from", "to", "limit", "cursor"])?;
    let request = SearchRequest {
        selection: params.selection(now())?,
        limit: params.number("limit", 100, shared.state.config.hits_max)?,
        after: params.cursor()?,
    };
    let searcher = shared.state.searcher.clone();
    let answer = async move {
        let Answer { result, partial } = searcher.search(request).await?;
        let hits: Vec<Value> =
            result.hits.into_iter().map(|hit| Value::Object(hit_json(hit.cursor.id, hit.document))).collect();
        Ok(whole(
            json!({
                "total": result.total,
                "hits": hits,
                "next": result.next.map(|cursor| cursor.to_string()),
                "took_ms": begun.elapsed().as_millis() as u64,
            }),
            partial,
        ))
    };
    shared.query(answer).await
}

pub(super) async fn histogram(State(shared): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    let params = Params::of(&uri, &["q", "from", "to", "interval", "by"])?;
    let now = now();
    let selection = params.selection(now)?;
    let buckets_max = shared.state.config.buckets_max;
    let given = params.text("interval").map(|text| {
        parse_interval(text)
            .ok_or_else(|| bad_parameter("interval", "'interval' must be a width such as 30s, 5m, 1h or 1d"))
    });
    let given = given.transpose()?;
    if let (Some(interval), Some(from), Some(to)) = (given, selection.from, selection.to)
        && (to.as_nanos() - from.as_nanos()) / interval > buckets_max as i64
    {
        return Err(bad_parameter(
            "interval",
            format!("so small an 'interval' makes more than {buckets_max} buckets"),
        ));
    }
    let by = params.text("by").map(|name| resolve(name).into_owned());
    let searcher = shared.state.searcher.clone();
    let answer = async move {
        let interval_nanos = match given {
            Some(interval) => interval,
            None => choose_interval(&searcher, &selection, now).await?,
        };
        let request = HistogramRequest { selection, interval_nanos, by, by_limit: BY_LIMIT, buckets_max };
        let Answer { result: Histogram { buckets, .. }, partial } = searcher.histogram(request).await?;
        Ok(whole(json!({"interval": interval_text(interval_nanos), "buckets": buckets}), partial))
    };
    shared.query(answer).await
}

/// From the range asked for, else from the range that the events have, found by narrowing.
async fn choose_interval(searcher: &Searcher, selection: &Selection, now: Timestamp) -> Result<i64, Problem> {
    if let Some(from) = selection.from {
        return Ok(interval_for(selection.to.unwrap_or(now.max(from)).as_nanos() - from.as_nanos()));
    }
    let mut interval = DAY;
    loop {
        let request = HistogramRequest {
            selection: selection.clone(),
            interval_nanos: interval,
            by: None,
            by_limit: 0,
            // All days from 1970 to 2262 are fewer.
            buckets_max: 110_000,
        };
        let buckets = searcher.histogram(request).await?.result.buckets;
        let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else { return Ok(DAY) };
        let chosen = interval_for(last.t.as_nanos() - first.t.as_nanos() + interval);
        if chosen >= interval {
            return Ok(chosen);
        }
        interval = chosen;
    }
}

fn interval_for(span_nanos: i64) -> i64 {
    let fits = |seconds: &i64| span_nanos / (seconds * SECOND) <= BUCKETS_CHOSEN;
    INTERVALS_S.into_iter().find(fits).unwrap_or(31_536_000) * SECOND
}

pub(super) async fn fields(State(shared): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    let params = Params::of(&uri, &["field", "q", "from", "to", "limit"])?;
    let searcher = shared.state.searcher.clone();
    let Some(name) = params.text("field") else {
        if let Some(name) = ["q", "from", "to", "limit"].into_iter().find(|name| params.text(name).is_some())
        {
            return Err(bad_parameter(
                name,
                format!("'{name}' needs 'field', whose values are to be counted"),
            ));
        }
        return shared
            .query(async move {
                let Answer { result, partial } = searcher.fields().await?;
                Ok(whole(json!({"fields": result}), partial))
            })
            .await;
    };
    let request = FieldValuesRequest {
        field: resolve(name).into_owned(),
        limit: params.number("limit", 100, shared.state.config.values_max)?,
        selection: params.selection(now())?,
    };
    shared
        .query(async move {
            let field = request.field.clone();
            let Answer { result, partial } = searcher.field_values(request).await?;
            let values: Vec<Value> =
                result.values.iter().map(|(value, count)| json!({"value": value, "count": count})).collect();
            let json =
                json!({"field": field, "values": values, "total": result.total, "distinct": result.distinct});
            Ok(whole(json, partial))
        })
        .await
}

pub(super) async fn patterns(State(shared): State<Shared>, uri: Uri) -> Result<Response, Problem> {
    let params = Params::of(&uri, &["q", "from", "to", "limit"])?;
    let request = PatternsRequest {
        selection: params.selection(now())?,
        limit: params.number("limit", 100, shared.state.config.values_max)?,
    };
    let searcher = shared.state.searcher.clone();
    shared
        .query(async move {
            let Answer { result, partial } = searcher.patterns(request).await?;
            let patterns: Vec<Value> = result.patterns.iter().map(pattern_json).collect();
            let json = json!({"patterns": patterns, "total": result.total, "distinct": result.distinct});
            Ok(whole(json, partial))
        })
        .await
}

fn pattern_json(pattern: &index::Pattern) -> Value {
    json!({
        "id": pattern.id.to_string(),
        "text": pattern.text,
        "count": pattern.count,
        "first": pattern.first,
        "last": pattern.last,
        "level": pattern.severity.as_str(),
        "score_max": (f64::from(pattern.score_max) * 1000.0).round() / 1000.0,
        "anomalies": pattern.anomalies,
    })
}

/// The document with its `_id` before everything else.
pub(super) fn hit_json(id: EventId, document: Document) -> Document {
    let mut hit = Document::with_capacity(document.len() + 1);
    hit.insert("_id".to_owned(), id.to_string().into());
    hit.extend(document);
    hit
}

fn whole(mut json: Value, partial: Option<String>) -> Value {
    if let Some(reason) = partial {
        json["partial"] = true.into();
        json["reason"] = reason.into();
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_interval_gives_at_most_a_hundred_buckets_and_not_few() {
        for (span, expected) in [
            (0, 1),
            (90, 1),
            (3600, 60),
            (86_400, 900),
            (7 * 86_400, 10_800),
            (30 * 86_400, 43_200),
            (292 * 365 * 86_400, 31_536_000),
        ] {
            assert_eq!(interval_for(span * SECOND), expected * SECOND, "{span} s");
        }
    }
}
