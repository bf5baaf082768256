//! Questions whose answers are counts: histogram, fields, patterns.

use access::Caller;
use axum::{Extension, extract::State, http::Uri, response::Response};
use event::FUTURE_AFTER;
use index::{
    Bucket, FieldInfo, FieldValuesRequest, Histogram, HistogramRequest, Interval, Limits, PatternsRequest,
    Selection,
};
use problem::Problem;
use query::{Query, Test};
use search::{Answer, Change, ChangedPattern, Comparison, PatternOrder, SearchError};
use serde_json::{Value, json};

use super::{
    hinted::Asker,
    state::Shared,
    width::{interval_text, parse_interval},
};
use crate::{
    access::refused,
    clock::now,
    params::{Params, bad_parameter},
    route::READ_ALL,
    unanswered::unanswered,
};

/// Fields listed when nobody says how many.
const FIELDS_LISTED: usize = 1000;
/// Bytes of an answer of counts; what a row takes beside its text.
const COUNTS_BYTES_MAX: usize = 16 << 20;
const ROW_BYTES: usize = 64;
/// Values of `by` that keep their names in a histogram.
const BY_LIMIT: usize = 20;

pub(super) async fn histogram(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::of(&uri, &["q", "from", "to", "zone", "interval", "by", "empty"])?.within(&caller);
    let now = now();
    let selection = params.selection(now)?;
    let buckets_max = shared.state.config.buckets_max;
    let zone = params.zone()?;
    let given = params.text("interval").map(|text| {
        parse_interval(text, &zone).ok_or_else(|| {
            bad_parameter("interval", "'interval' must be a width such as 30s, 5m, 1h, 1d, 1w, 1M, 1q or 1y")
        })
    });
    let given = given.transpose()?;
    let with_empty = params.one_of("empty", &[("false", false), ("true", true)])?;
    if let (Some(Interval::Fixed(interval)), Some(from), Some(to)) = (&given, selection.from, selection.to)
        && (to.as_nanos() - from.as_nanos()) / interval > buckets_max as i64
    {
        return Err(bad_parameter(
            "interval",
            format!("so small an 'interval' makes more than {buckets_max} buckets"),
        ));
    }
    let by = params.counted("by")?;
    let (asker, searcher) = (Asker::of(&params, &caller), shared.state.searcher.clone());
    let answer = async move |limits: Limits| {
        let asked = selection.clone();
        let interval = match (given, selection.from) {
            (Some(interval), _) => interval,
            // The range asked for, rather than the one that the events have.
            (None, Some(from)) => {
                let to = selection.to.unwrap_or(now.max(from));
                Interval::for_span(to.as_nanos() - from.as_nanos(), &zone)
            }
            // What lies in the future has buckets, and does not widen those of the others.
            (None, None) => Interval::Chosen {
                until: selection.to.unwrap_or(now.saturating_add(FUTURE_AFTER.as_nanos() as i64)),
                zone,
            },
        };
        let chosen = match &interval {
            Interval::Chosen { until, zone } => Some((*until, zone.clone())),
            _ => None,
        };
        let request = HistogramRequest { selection, interval, by, by_limit: BY_LIMIT, buckets_max };
        let Answer { mut result, partial, .. } =
            searcher.histogram(request, &limits).await.map_err(unanswered)?;
        if let Some((until, zone)) = chosen {
            result = result.settle(until, &zone);
        }
        if with_empty {
            result = result.filled(buckets_max);
        }
        let Histogram { buckets, width, .. } = result;
        let by_len = |bucket: &Bucket| bucket.by.keys().map(|value| value.len() + ROW_BYTES).sum();
        let (buckets, truncated) = within(buckets, by_len);
        if truncated {
            let limit = format!("{COUNTS_BYTES_MAX} bytes for the values of 'by'; widen its interval");
            return Err(unanswered(SearchError::TooLarge { limit }));
        }
        let hints = match buckets.is_empty() {
            true => asker.hints(&searcher, &asked, &limits).await,
            false => Vec::new(),
        };
        Ok(hinted(whole(json!({"interval": interval_text(&width), "buckets": buckets}), partial), hints))
    };
    shared.query(answer).await
}

pub(super) async fn fields(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let params = Params::of(&uri, &["field", "q", "from", "to", "zone", "limit"])?.within(&caller);
    let searcher = shared.state.searcher.clone();
    let Some(field) = params.counted("field")? else {
        // Which fields there are is known of all events together.
        caller.may(READ_ALL).map_err(|refusal| refused(&refusal))?;
        let limit = params.number("limit", FIELDS_LISTED, shared.state.config.values_max)?;
        if let Some(name) = ["q", "from", "to"].into_iter().find(|name| params.text(name).is_some()) {
            return Err(bad_parameter(
                name,
                format!("'{name}' needs 'field', whose values are to be counted"),
            ));
        }
        return shared
            .query(async move |limits: Limits| {
                let Answer { result, partial, .. } = searcher.fields(&limits).await.map_err(unanswered)?;
                let distinct = result.len();
                let (fields, truncated) = most_frequent(result, limit);
                let mut json = json!({"fields": fields});
                if truncated {
                    json["distinct"] = distinct.into();
                    json["truncated"] = true.into();
                }
                Ok(whole(json, partial))
            })
            .await;
    };
    let request = FieldValuesRequest {
        field,
        limit: params.number("limit", 100, shared.state.config.values_max)?,
        selection: params.selection(now())?,
    };
    let asker = Asker::of(&params, &caller);
    shared
        .query(async move |limits: Limits| {
            let field = request.field.clone();
            // Of nothing without the field anything is counted.
            let test = Query::Field { path: field.clone(), test: Test::Exists };
            let asked = Selection {
                query: Query::and(vec![request.selection.query.clone(), test]),
                ..request.selection.clone()
            };
            let Answer { result, partial, .. } =
                searcher.field_values(request, &limits).await.map_err(unanswered)?;
            let (values, truncated) = within(result.values, |(value, _)| value.len());
            let values: Vec<Value> =
                values.iter().map(|(value, count)| json!({"value": value, "count": count})).collect();
            let mut json =
                json!({"field": field, "values": values, "total": result.total, "distinct": result.distinct});
            if truncated {
                json["truncated"] = true.into();
            }
            let hints = match values.is_empty() && result.total == 0 {
                true => asker.hints(&searcher, &asked, &limits).await,
                false => Vec::new(),
            };
            Ok(hinted(whole(json, partial), hints))
        })
        .await
}

const ORDERS: [(&str, PatternOrder); 3] =
    [("frequent", PatternOrder::Frequent), ("rare", PatternOrder::Rare), ("newest", PatternOrder::Newest)];

pub(super) async fn patterns(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let names = ["q", "from", "to", "zone", "limit", "order", "compare_from", "compare_to"];
    let params = Params::of(&uri, &names)?.within(&caller);
    let now = now();
    let request = PatternsRequest {
        selection: params.selection(now)?,
        limit: params.number("limit", 100, shared.state.config.values_max)?,
    };
    let order = params.one_of("order", &ORDERS)?;
    let searcher = shared.state.searcher.clone();
    let (begins, ends) = params.period(("compare_from", "compare_to"), now)?;
    if begins.is_some() || ends.is_some() {
        if params.text("order").is_some() {
            return Err(bad_parameter("order", "changes have an order of their own; leave 'order' out"));
        }
        // What comes right before, unless its end is given.
        let earlier = (begins, ends.or(request.selection.from));
        if earlier.1.is_none() {
            let detail = "give 'from' or 'compare_to': the earlier period has no end, and would be part of the later one";
            return Err(bad_parameter("compare_from", detail));
        }
        if let (Some(from), Some(to)) = earlier
            && from > to
        {
            return Err(bad_parameter(
                "compare_from",
                format!("'compare_from' ({from}) is later than 'from' ({to})"),
            ));
        }
        return shared
            .query(async move |limits: Limits| {
                let Answer { result, partial, .. } =
                    searcher.compare_patterns(request, earlier, &limits).await.map_err(unanswered)?;
                Ok(whole(comparison_json(result), partial))
            })
            .await;
    }
    let asker = Asker::of(&params, &caller);
    shared
        .query(async move |limits: Limits| {
            let asked = request.selection.clone();
            let Answer { result, partial, .. } =
                searcher.patterns(request, order, &limits).await.map_err(unanswered)?;
            let (patterns, truncated) = within(result.patterns, |pattern| pattern.text.len());
            let patterns: Vec<Value> = patterns.iter().map(pattern_json).collect();
            let mut json = json!({"patterns": patterns, "total": result.total, "distinct": result.distinct});
            if truncated {
                json["truncated"] = true.into();
            }
            let hints = match result.total {
                0 => asker.hints(&searcher, &asked, &limits).await,
                _ => Vec::new(),
            };
            Ok(hinted(whole(json, partial), hints))
        })
        .await
}

fn comparison_json(comparison: Comparison) -> Value {
    let (changes, truncated) = within(comparison.changes, |changed| changed.pattern.text.len());
    let row = |changed: &ChangedPattern| {
        let mut row = pattern_json(&changed.pattern);
        row["count_before"] = changed.before.into();
        row["change"] = match changed.change {
            Change::New => "new",
            Change::Gone => "gone",
            Change::Changed => "changed",
        }
        .into();
        row
    };
    let patterns: Vec<_> = changes.iter().map(row).collect();
    let ((total, total_before), [new, gone, changed]) = (comparison.total, comparison.counts);
    let mut json = json!({
        "patterns": patterns, "total": total, "total_before": total_before,
        "new": new, "gone": gone, "changed": changed, "unchanged": comparison.unchanged,
    });
    if truncated {
        json["truncated"] = true.into();
    }
    json
}

/// The most frequent fields, by name, and whether there are more.
fn most_frequent(mut fields: Vec<FieldInfo>, limit: usize) -> (Vec<FieldInfo>, bool) {
    let found = fields.len();
    fields.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    fields.truncate(limit);
    let (mut fields, _) = within(fields, |field| field.name.len());
    fields.sort_by(|a, b| a.name.cmp(&b.name));
    let truncated = fields.len() < found;
    (fields, truncated)
}

/// As many rows as an answer may have bytes, and whether some are left out.
fn within<T>(mut rows: Vec<T>, text_len: impl Fn(&T) -> usize) -> (Vec<T>, bool) {
    let (found, mut left) = (rows.len(), COUNTS_BYTES_MAX);
    let mut fits = |row: &T| {
        let bytes = text_len(row) + ROW_BYTES;
        let fits = bytes <= left;
        left = left.saturating_sub(bytes);
        fits
    };
    let fitting = rows.iter().map_while(|row| fits(row).then_some(())).count();
    rows.truncate(fitting);
    (rows, fitting < found)
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

/// The answer with what may be the reason that it is empty.
fn hinted(mut json: Value, hints: Vec<String>) -> Value {
    if !hints.is_empty() {
        json["hints"] = json!(hints);
    }
    json
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
    fn lists_are_bounded_in_number_and_bytes() {
        let field = |name: String, count| FieldInfo { name, kind: "keyword".to_owned(), count };
        let many = || (0..300_000).map(|at| field(format!("labels.{at:06}"), at)).collect();
        let (fields, truncated) = most_frequent(many(), 3);
        let names: Vec<_> = fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!((names, truncated), (vec!["labels.299997", "labels.299998", "labels.299999"], true));
        let (fields, truncated) = most_frequent(many(), 300_000);
        assert!(truncated && fields.len() < COUNTS_BYTES_MAX / ROW_BYTES, "{}", fields.len());
        assert!(!most_frequent(vec![field("message".to_owned(), 1)], 1).1);

        let long = |count| vec![("x".repeat(5 << 20), 1); count];
        let len = |row: &(String, i32)| row.0.len();
        assert_eq!((within(long(3), len).0.len(), within(long(3), len).1), (3, false));
        assert_eq!((within(long(9), len).0.len(), within(long(9), len).1), (3, true));
    }
}
