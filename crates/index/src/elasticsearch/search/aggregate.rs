//! Counts: over time, and by the values of a field. They are exact, or refused.

use std::{collections::BTreeMap, ops::Bound};

use event::{FieldKind, Timestamp, field};
use jiff::tz::TimeZone;
use serde_json::{Map, Value as Json, json};

use super::{Question, dsl, unanswerable, unexpected};
use crate::{
    Bucket, FieldValues, FieldValuesRequest, Histogram, HistogramRequest, IndexError, Interval, OTHER, Unit,
    Width,
    elasticsearch::{Cluster, Flavor, View},
    interval::{CHOSEN_BUCKETS_MAX, counting_width},
    merge::sort_counts,
};

/// How many values are fetched at least: numbers of equal count are ordered here, as text.
const VALUES_MIN: usize = 1_000;
/// How many values a shard may be asked for, when fewer do not give an exact count.
const SHARD_VALUES_MAX: usize = 65_535;
/// Up to how many values the server counts distinct ones nearly exactly; the most it takes.
const PRECISION: u32 = 40_000;
const MILLI: i64 = 1_000_000;

/// As [`Index::histogram`](crate::Index::histogram).
pub(in crate::elasticsearch) async fn histogram(
    cluster: &Cluster,
    view: &View,
    request: HistogramRequest,
) -> Result<Histogram, IndexError> {
    let first = request.interval.first();
    if matches!(first, Width::Fixed(nanos) if nanos % MILLI != 0) {
        return Err(IndexError::Unsupported { what: "it counts by whole milliseconds".to_owned() });
    }
    let question = Question::new(cluster, view, &request.selection).await?;
    let (width, buckets_max) = match &request.interval {
        Interval::Fixed(_) | Interval::Calendar(..) => (first, request.buckets_max),
        Interval::Chosen { until, zone } => {
            let chosen = chosen(&question, *until, zone).await?;
            (chosen.unwrap_or(first), request.buckets_max.max(CHOSEN_BUCKETS_MAX))
        }
    };
    let mut over_time = json!({"field": field::TIMESTAMP, "min_doc_count": 1});
    match &width {
        Width::Fixed(nanos) => over_time["fixed_interval"] = format!("{}ms", nanos / MILLI).into(),
        Width::Calendar(unit, zone) => {
            over_time["calendar_interval"] = calendar_interval(*unit).into();
            over_time["time_zone"] = zone_name(zone)?.into();
        }
    }
    let mut over_time = json!({"date_histogram": over_time});
    if let Some(by) = &request.by {
        let top = top_values(&question, by, request.by_limit).await?;
        over_time["aggs"] = json!({"by": split(&question, by, &top)?});
    }
    let mut answer = question.ask(json!({"size": 0, "aggs": {"over_time": over_time}})).await?;
    let found = taken(&mut answer["aggregations"]["over_time"]["buckets"]);
    if found.len() > buckets_max {
        return Err(unanswerable(format!("{} buckets, or widen its interval", request.buckets_max)));
    }
    let kind = request.by.as_deref().map(FieldKind::of);
    let buckets = found.iter().map(|bucket| read_bucket(bucket, kind)).collect::<Option<_>>();
    let buckets = buckets.ok_or_else(|| unexpected("a bucket of the histogram has no time or no count"))?;
    Ok(Histogram { buckets, width, covered: view.covered })
}

const fn calendar_interval(unit: Unit) -> &'static str {
    match unit {
        Unit::Day => "day",
        Unit::Week => "week",
        Unit::Month => "month",
        Unit::Quarter => "quarter",
        Unit::Year => "year",
    }
}

/// A zone as the server takes it.
fn zone_name(zone: &TimeZone) -> Result<String, IndexError> {
    if let Some(name) = zone.iana_name() {
        return Ok(name.to_owned());
    }
    let unknown =
        |_| IndexError::Unsupported { what: "it knows zones by their name or their offset".to_owned() };
    let seconds = zone.to_fixed_offset().map_err(unknown)?.seconds();
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
    Ok(format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60))
}

/// The width to count by, from the first and the last event up to an instant; None without any.
async fn chosen(
    question: &Question<'_>,
    until: Timestamp,
    zone: &TimeZone,
) -> Result<Option<Width>, IndexError> {
    let of = |kind: &str| json!({kind: {"field": field::TIMESTAMP}});
    let range = dsl::time_range(field::TIMESTAMP, Bound::Unbounded, Bound::Included(until));
    let known = json!({
        "filter": range.unwrap_or_else(|| json!({"match_all": {}})),
        "aggs": {"first": of("min"), "last": of("max")},
    });
    let answer = question.ask(json!({"size": 0, "aggs": {"known": known}})).await?;
    let known = &answer["aggregations"]["known"];
    // Milliseconds, as fractions are nothing to widths of whole seconds.
    let nanos = |name: &str| known[name]["value"].as_f64().map(|millis| millis as i64 * MILLI);
    Ok(nanos("first").zip(nanos("last")).map(|(first, last)| counting_width(first, last, zone)))
}

/// Counts by the most frequent values, and all others together.
fn split(question: &Question<'_>, by: &str, top: &Top) -> Result<Json, IndexError> {
    let keys: Vec<_> = top.values.iter().map(|value| value.key.clone()).collect();
    let mut aggregations = Map::new();
    if !keys.is_empty() {
        let kept = source(question.flavor, by)?;
        aggregations
            .insert("kept".to_owned(), terms(kept, &[("include", json!(keys)), ("size", json!(keys.len()))]));
    }
    if top.distinct > keys.len() as u64 {
        let rest = source(question.flavor, by)?;
        aggregations.insert("rest".to_owned(), terms(rest, &[("exclude", json!(keys)), ("size", json!(1))]));
    }
    Ok(json!({"filter": dsl::exists(by), "aggs": aggregations}))
}

fn read_bucket(bucket: &Json, by: Option<FieldKind>) -> Option<Bucket> {
    let nanos = i128::from(bucket["key"].as_i64()?) * i128::from(MILLI);
    let mut counts = BTreeMap::new();
    if let Some(kind) = by {
        for value in bucket["by"]["kept"]["buckets"].as_array().into_iter().flatten() {
            counts.insert(text(value, kind)?, value["doc_count"].as_u64()?);
        }
        let rest = &bucket["by"]["rest"];
        let first = rest["buckets"][0]["doc_count"].as_u64().unwrap_or_default();
        let other = first + rest["sum_other_doc_count"].as_u64().unwrap_or_default();
        if other > 0 {
            counts.insert(OTHER.to_owned(), other);
        }
    }
    let t = Timestamp::saturating_from_nanos(nanos);
    Some(Bucket { t, count: bucket["doc_count"].as_u64()?, by: counts })
}

/// As [`Index::field_values`](crate::Index::field_values).
pub(in crate::elasticsearch) async fn field_values(
    cluster: &Cluster,
    view: &View,
    request: FieldValuesRequest,
) -> Result<FieldValues, IndexError> {
    let question = Question::new(cluster, view, &request.selection).await?;
    let Top { values, distinct, total } = top_values(&question, &request.field, request.limit).await?;
    let values = values.into_iter().map(|value| (value.text, value.count)).collect();
    Ok(FieldValues { values, total, distinct, covered: view.covered })
}

/// The most frequent values of a field.
struct Top {
    values: Vec<Counted>,
    distinct: u64,
    /// Events that have the field.
    total: u64,
}

struct Counted {
    text: String,
    /// As the server takes it back.
    key: Json,
    count: u64,
}

async fn top_values(question: &Question<'_>, path: &str, limit: usize) -> Result<Top, IndexError> {
    let kind = FieldKind::of(path);
    let source = source(question.flavor, path)?;
    let size = limit.max(VALUES_MIN);
    let aggregations = |terms| {
        json!({"top": {"filter": dsl::exists(path), "aggs": {
            "values": terms,
            "distinct": distinct(source.clone()),
        }}})
    };
    let (terms, top) = exact_terms(question, source.clone(), size, limit, aggregations, "top").await?;
    let mut counts = Vec::with_capacity(terms.buckets.len());
    let mut keys = std::collections::HashMap::with_capacity(terms.buckets.len());
    for bucket in &terms.buckets {
        let read = || Some((text(bucket, kind)?, bucket["doc_count"].as_u64()?));
        let (text, count) = read().ok_or_else(|| unexpected("a value has no key or no count"))?;
        let key = match kind {
            FieldKind::Long | FieldKind::Double => bucket["key"].clone(),
            _ => json!(text),
        };
        keys.insert(text.clone(), key);
        counts.push((text, count));
    }
    sort_counts(&mut counts);
    counts.truncate(limit);
    let counted =
        |(text, count): (String, u64)| Counted { key: keys.remove(&text).unwrap_or_default(), text, count };
    let values = counts.into_iter().map(counted).collect();
    Ok(Top { values, distinct: terms.distinct, total: top["doc_count"].as_u64().unwrap_or_default() })
}

/// A value as the other indexes show it.
fn text(bucket: &Json, kind: FieldKind) -> Option<String> {
    let key = &bucket["key"];
    Some(match kind {
        FieldKind::Long => key.as_i64()?.to_string(),
        FieldKind::Double => Json::from(key.as_f64()?).to_string(),
        FieldKind::Boolean => bucket["key_as_string"].as_str()?.to_owned(),
        FieldKind::Date => {
            Timestamp::saturating_from_nanos(i128::from(key.as_i64()?) * i128::from(MILLI)).to_string()
        }
        FieldKind::Text | FieldKind::Keyword | FieldKind::Enumeration | FieldKind::Label | FieldKind::Ip => {
            key.as_str()?.to_owned()
        }
    })
}

/// Where an aggregation takes the values of a field from.
fn source(flavor: Flavor, path: &str) -> Result<Json, IndexError> {
    if matches!(path, field::MESSAGE | field::ORIGINAL) {
        return Err(IndexError::Unsupported {
            what: format!("it does not keep {path} so that its values can be counted"),
        });
    }
    if flavor == Flavor::OpenSearch && FieldKind::of(path) == FieldKind::Label {
        // A flat_object gives the values of all paths, each behind its path.
        let script = "def found = []; for (def entry : doc[params.path]) { int at = entry.indexOf(params.mark); \
                      if (at == 0 || (at > 0 && entry.substring(0, at).equals(params.root))) { \
                      found.add(entry.substring(at + params.mark.length())); } } return found;";
        let params = json!({"path": path, "mark": format!("{path}="), "root": field::LABELS});
        return Ok(json!({"script": {"lang": "painless", "source": script, "params": params}}));
    }
    Ok(json!({"field": path}))
}

fn terms(mut source: Json, options: &[(&str, Json)]) -> Json {
    for (name, value) in options {
        source[*name] = value.clone();
    }
    json!({"terms": source})
}

pub(super) fn distinct(mut source: Json) -> Json {
    source["precision_threshold"] = json!(PRECISION);
    json!({"cardinality": source})
}

/// An answer of `terms`, falling by count.
pub(super) struct Terms {
    pub(super) buckets: Vec<Json>,
    pub(super) distinct: u64,
}

/// Asks for the most frequent values of a source, exactly as to the first `limit` of them. In the
/// answer, `values` and `distinct` stand side by side in the aggregation of that name, which is
/// given, too.
pub(super) async fn exact_terms(
    question: &Question<'_>,
    source: Json,
    size: usize,
    limit: usize,
    aggregations: impl Fn(Json) -> Json,
    name: &str,
) -> Result<(Terms, Json), IndexError> {
    // By default a shard gives half as many again. That is exact where there is one shard.
    for shard_size in [None, Some(SHARD_VALUES_MAX.max(size))] {
        let mut options = vec![
            ("size", json!(size)),
            ("order", json!([{"_count": "desc"}, {"_key": "asc"}])),
            ("show_term_doc_count_error", json!(true)),
            ("collect_mode", json!("breadth_first")),
        ];
        options.extend(shard_size.map(|size| ("shard_size", json!(size))));
        let body = json!({"size": 0, "aggs": aggregations(terms(source.clone(), &options))});
        let mut answer = question.ask(body).await?;
        let mut around = answer["aggregations"][name].take();
        let mut values = around["values"].take();
        let buckets = taken(&mut values["buckets"]);
        if is_exact(&values, &buckets, limit) {
            let others = values["sum_other_doc_count"].as_u64().unwrap_or_default();
            let least = buckets.len() as u64;
            let counted = around["distinct"]["value"].as_u64().unwrap_or_default();
            let distinct = if others == 0 { least } else { least.max(counted) };
            return Ok((Terms { buckets, distinct }, around));
        }
    }
    Err(unanswerable(format!(
        "{SHARD_VALUES_MAX} distinct values a shard, up to which they are counted exactly"
    )))
}

/// Whether no value that a shard left out can be among the first, nor change the count of one.
fn is_exact(values: &Json, buckets: &[Json], limit: usize) -> bool {
    let Some(missed) = values["doc_count_error_upper_bound"].as_i64() else { return true };
    let first = &buckets[..limit.min(buckets.len())];
    let is_known = |bucket: &Json| bucket["doc_count_error_upper_bound"] == 0;
    missed == 0
        || (missed > 0
            && first.iter().all(is_known)
            && first.last().is_none_or(|last| last["doc_count"].as_i64() > Some(missed)))
}

/// The elements of a list in an answer; none where there is no list.
pub(super) fn taken(list: &mut Json) -> Vec<Json> {
    match list.take() {
        Json::Array(elements) => elements,
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_exact_when_no_shard_can_have_held_back_more() {
        let bucket = |count, error| json!({"doc_count": count, "doc_count_error_upper_bound": error});
        for (missed, buckets, limit, expected) in [
            (0, vec![bucket(5, 0), bucket(1, 0)], 2, true),
            (3, vec![bucket(5, 0), bucket(4, 0), bucket(2, 0)], 2, true),
            (3, vec![bucket(5, 0), bucket(3, 0), bucket(2, 0)], 2, false),
            (3, vec![bucket(5, 0), bucket(4, 2), bucket(2, 0)], 2, false),
            (3, vec![bucket(5, 0), bucket(4, 2), bucket(2, 0)], 1, true),
            (-1, vec![bucket(5, 0)], 1, false),
            (3, vec![bucket(5, 0)], 0, true),
        ] {
            let values = json!({"doc_count_error_upper_bound": missed});
            assert_eq!(is_exact(&values, &buckets, limit), expected, "{missed} {buckets:?} {limit}");
        }
        assert!(is_exact(&Json::Null, &[], 3), "there is no index yet");
    }
}
