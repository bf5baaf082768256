//! `log-sentinel count`, `top`, `histogram` and `patterns`: questions whose answers are counts.

use serde_json::Value as Json;

use super::{
    note,
    query::{in_zone, parameters},
    show,
};
use crate::{
    AppError,
    cli::{Count, Histogram, Output, PatternOrder, Patterns, Question, Top},
    client::Client,
    wording::{count as number, each, grouped, many, percent, plain, short, table, text, texts, time},
};

/// Columns of the longest bar of a histogram.
const BAR: u64 = 40;
/// Values of `--by` that have a column of their own in text.
const COLUMNS_MAX: usize = 20;

/// Asks with the parameters of a question and further ones, and prints the answer.
async fn ask(
    client: &Client,
    path: &str,
    question: &Question,
    further: &[(&'static str, Option<String>)],
    (output, rows): (Output, Option<&str>),
    words: impl FnOnce(&Json) -> String,
) -> Result<(), AppError> {
    let mut all = parameters(question);
    all.extend(further.iter().filter_map(|(name, value)| Some((*name, value.clone()?))));
    let all: Vec<_> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut answer = client.get_json(path, &all).await?;
    if let (Output::Text, Some(rows)) = (output, rows) {
        let each = answer[rows].as_array_mut().into_iter().flatten();
        each.for_each(|row| in_zone(question, row, &["t", "first", "last"]));
    }
    show(output, &answer, rows, words)?;
    if output == Output::Text {
        let incomplete = answer["reason"].as_str().map(|why| format!("incomplete: {}", plain(why)));
        incomplete.into_iter().chain(texts(&answer, "hints")).for_each(|said| note(&said));
    }
    Ok(())
}

/// Prints how many events match.
///
/// # Errors
/// When the collector does not answer or refuses, or output cannot be written.
pub(crate) async fn count(client: &Client, asked: &Count) -> Result<(), AppError> {
    let words = |answer: &Json| format!("{}\n", number(answer, "total"));
    let none = [("limit", Some("0".to_owned()))];
    ask(client, "/api/v1/search", &asked.question, &none, (asked.output, None), words).await
}

/// Prints the most frequent values of a field.
///
/// # Errors
/// As [`count`].
pub(crate) async fn top(client: &Client, asked: &Top) -> Result<(), AppError> {
    let further = [("field", Some(asked.field.clone())), ("limit", Some(asked.limit.to_string()))];
    ask(client, "/api/v1/fields", &asked.question, &further, (asked.output, Some("values")), values).await
}

fn values(answer: &Json) -> String {
    let total = number(answer, "total");
    let row = |value: &Json| {
        let count = number(value, "count");
        let share = percent((count as f64 / total.max(1) as f64 * 1000.0).round() / 1000.0);
        [grouped(count), share, short(value["value"].as_str().unwrap_or_default())]
    };
    let rows: Vec<_> = each(answer, "values").iter().map(row).collect();
    let distinct = many(number(answer, "distinct"), "value", "values");
    let said = format!("{} of {distinct} in {}\n", rows.len(), many(total, "event", "events"));
    if rows.is_empty() { said } else { table(["COUNT", "SHARE", "VALUE"], &rows) + &said }
}

/// Prints how many events there are over time.
///
/// # Errors
/// As [`count`].
pub(crate) async fn histogram(client: &Client, asked: &Histogram) -> Result<(), AppError> {
    let empty = (asked.output == Output::Text).then(|| "true".to_owned());
    let further = [("interval", asked.interval.clone()), ("by", asked.by.clone()), ("empty", empty)];
    let rows = (asked.output, Some("buckets"));
    ask(client, "/api/v1/histogram", &asked.question, &further, rows, buckets).await
}

fn buckets(answer: &Json) -> String {
    let buckets = each(answer, "buckets");
    let counts = || buckets.iter().map(|bucket| number(bucket, "count"));
    let said =
        format!("{} in buckets of {}\n", many(counts().sum(), "event", "events"), text(answer, "interval"));
    let names = columns(buckets);
    let most = counts().max().unwrap_or_default().max(1);
    let mut rows = vec![];
    if !names.is_empty() {
        let heads = ["TIME", "COUNT"].map(str::to_owned).into_iter();
        rows.push(heads.chain(names.iter().map(|name| short(name))).collect());
    }
    for bucket in buckets {
        let count = number(bucket, "count");
        let mut row = vec![time(bucket, "t"), grouped(count)];
        match names.is_empty() {
            true => row.push("#".repeat((count * BAR).div_ceil(most) as usize)),
            false => row.extend(names.iter().map(|name| match bucket["by"][name].as_u64() {
                Some(count) => grouped(count),
                None => "-".to_owned(),
            })),
        }
        rows.push(row);
    }
    aligned(&rows) + &said
}

/// The values that buckets are counted by, the most frequent first.
fn columns(buckets: &[Json]) -> Vec<String> {
    let mut totals = std::collections::BTreeMap::<&String, u64>::new();
    for (value, count) in buckets.iter().filter_map(|bucket| bucket["by"].as_object()).flatten() {
        *totals.entry(value).or_default() += count.as_u64().unwrap_or_default();
    }
    let mut names: Vec<_> = totals.into_iter().collect();
    names.sort_by_key(|(_, total)| std::cmp::Reverse(*total));
    names.into_iter().take(COLUMNS_MAX).map(|(name, _)| name.clone()).collect()
}

/// Rows of as many cells each, in columns; numbers end below each other.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or_default();
    let widths: Vec<_> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells =
            row.iter().zip(&widths).enumerate().map(|(at, (cell, width))| match cell.starts_with('#') {
                true => cell.clone(),
                false if at == 0 => format!("{cell:<width$}"),
                false => format!("{cell:>width$}"),
            });
        format!("{}\n", cells.collect::<Vec<_>>().join("  "))
    };
    rows.iter().map(line).collect()
}

/// Prints templates with their counts, or what became of them.
///
/// # Errors
/// As [`count`].
pub(crate) async fn patterns(client: &Client, asked: &Patterns) -> Result<(), AppError> {
    let compares = asked.compare_from.is_some() || asked.compare_to.is_some();
    let order = match asked.order {
        PatternOrder::Frequent => None,
        PatternOrder::Rare => Some("rare".to_owned()),
        PatternOrder::Newest => Some("newest".to_owned()),
    };
    let further = [
        ("limit", Some(asked.limit.to_string())),
        ("order", order),
        ("compare_from", asked.compare_from.clone()),
        ("compare_to", asked.compare_to.clone()),
    ];
    let words = if compares { changes } else { templates };
    let rows = (asked.output, Some("patterns"));
    ask(client, "/api/v1/patterns", &asked.question, &further, rows, words).await
}

fn shown(pattern: &Json) -> String {
    short(pattern["text"].as_str().unwrap_or_default())
}

fn templates(answer: &Json) -> String {
    let row = |pattern: &Json| {
        let count = grouped(number(pattern, "count"));
        let (first, last) = (time(pattern, "first"), time(pattern, "last"));
        [count, first, last, text(pattern, "level"), text(pattern, "id"), shown(pattern)]
    };
    let rows: Vec<_> = each(answer, "patterns").iter().map(row).collect();
    let distinct = many(number(answer, "distinct"), "template", "templates");
    let said =
        format!("{} of {distinct} of {}\n", rows.len(), many(number(answer, "total"), "event", "events"));
    let heads = ["COUNT", "FIRST", "LAST", "LEVEL", "ID", "TEXT"];
    if rows.is_empty() { said } else { table(heads, &rows) + &said }
}

fn changes(answer: &Json) -> String {
    let row = |pattern: &Json| {
        let counts = ["count_before", "count"].map(|member| grouped(number(pattern, member)));
        let [before, now] = counts;
        [text(pattern, "change"), before, now, text(pattern, "level"), text(pattern, "id"), shown(pattern)]
    };
    let rows: Vec<_> = each(answer, "patterns").iter().map(row).collect();
    let said = format!(
        "{} new, {} gone, {} changed, {} as before; {} events, {} before\n",
        grouped(number(answer, "new")),
        grouped(number(answer, "gone")),
        grouped(number(answer, "changed")),
        grouped(number(answer, "unchanged")),
        grouped(number(answer, "total")),
        grouped(number(answer, "total_before")),
    );
    let heads = ["CHANGE", "BEFORE", "NOW", "LEVEL", "ID", "TEXT"];
    if rows.is_empty() { said } else { table(heads, &rows) + &said }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_told_with_their_share() {
        let answer = json!({
            "field": "source.ip", "values": [{"value": "192.0.2.7", "count": 1200}, {"value": "a\u{1b}", "count": 3}],
            "total": 1210, "distinct": 9
        });
        assert_eq!(
            values(&answer),
            "COUNT  SHARE   VALUE\n1,200  99.2 %  192.0.2.7\n3      0.2 %   a\\u{1b}\n2 of 9 values in 1,210 events\n"
        );
    }

    #[test]
    fn buckets_are_bars_or_columns() {
        let bucket = |t: &str, count: u64, by: Json| json!({"t": t, "count": count, "by": by});
        let plain = json!({"interval": "1h", "buckets": [
            bucket("2024-06-01T12:00:00Z", 1200, Json::Null), bucket("2024-06-01T13:00:00Z", 3, Json::Null)
        ]});
        let bar = "#".repeat(40);
        assert_eq!(
            buckets(&plain),
            format!(
                "2024-06-01T12:00:00Z  1,200  {bar}\n2024-06-01T13:00:00Z      3  #\n1,203 events in buckets of 1h\n"
            )
        );
        let split = json!({"interval": "1h", "buckets": [
            bucket("2024-06-01T12:00:00Z", 3, json!({"cron": 1, "web": 1})),
            bucket("2024-06-01T13:00:00Z", 2, json!({"web": 2})),
        ]});
        assert_eq!(
            buckets(&split),
            "TIME                  COUNT  web  cron\n\
             2024-06-01T12:00:00Z      3    1     1\n\
             2024-06-01T13:00:00Z      2    2     -\n\
             5 events in buckets of 1h\n"
        );
        assert_eq!(buckets(&json!({"interval": "1d", "buckets": []})), "0 events in buckets of 1d\n");
    }
}
