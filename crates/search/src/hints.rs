//! Why a question may have found nothing: names of fields that no event has, and words that are names.

use std::collections::BTreeSet;

use event::{ecs, field};
use index::{FieldInfo, FieldValuesRequest, Limits, Order, SearchRequest, Selection};
use query::{Phrase, Query, Test, TokenPattern, lowered, tokens};

use crate::searcher::Searcher;

/// So many fields and words of a query are looked at.
const LOOKED_AT: usize = 8;
/// So many of its values.
const VALUES_LOOKED_AT: usize = 2;
/// So many names of hosts, services and programs, the most frequent ones.
const NAMES_MAX: usize = 1_000;
/// So many of the fields that events have, the most frequent ones.
const FIELDS_MAX: usize = 2_000;
/// Longer names are told by their last part alone: how far names are apart takes the product of their lengths.
const COMPARED_CHARACTERS: usize = 32;
/// Names further apart than this are not near.
const DISTANCE_MAX: usize = 3;
/// So many fields are named for one that is not there.
const NEAREST: usize = 3;
/// What other programs call what events have here.
const SYNONYMS: [(&[&str], &str); 6] = [
    (&["msg", "text", "log", "body", "line"], field::MESSAGE),
    (&["severity", "lvl", "loglevel", "priority", "levelname"], field::LEVEL),
    (&["time", "ts", "date", "datetime"], field::TIMESTAMP),
    (&["hostname", "machine", "node", "computer", "server"], field::HOST_NAME),
    (&["app", "application", "program", "logger", "service", "unit"], field::SERVICE_NAME),
    (&["pid"], "process.pid"),
];
/// What messages seldom name, and people search them for.
const NAMED: [(&str, &str); 3] =
    [(field::SERVICE_NAME, "service"), (field::HOST_NAME, "host"), ("process.name", "program")];

impl Searcher {
    /// In words, what is known of all events that may be the reason why this found nothing. It asks up to seven
    /// questions more; what they do not answer is left out.
    pub async fn hints(&self, selection: &Selection, limits: &Limits) -> Vec<String> {
        if let Some(hint) = self.outside(selection, limits).await {
            return vec![hint];
        }
        let wanted = selection.query.wanted();
        let mut hints = self.of_fields(&wanted, limits).await;
        let values: Vec<_> = wanted.iter().filter_map(|part| value(part)).take(VALUES_LOOKED_AT).collect();
        for (path, asked) in values {
            for (name, _) in self.values(selection, path, limits).await {
                let is_other_case = name != asked && lowered(&name) == lowered(asked);
                hints.extend(
                    is_other_case.then(|| {
                        format!("'{asked}' is written otherwise there; write {}", equals(path, &name))
                    }),
                );
            }
        }
        let words: Vec<String> = wanted.iter().filter_map(|part| word(part)).take(LOOKED_AT).collect();
        for (path, what) in if words.is_empty() { &[][..] } else { &NAMED } {
            for (name, _) in self.values(selection, path, limits).await {
                let text = tokens(&name).collect::<Vec<_>>().join(" ");
                if words.contains(&text) {
                    let query = equals(path, &name);
                    hints.push(format!("'{name}' is searched for in messages; for the {what} write {query}"));
                }
            }
        }
        hints
    }

    /// That no event is within the time asked for, and when there are some.
    async fn outside(&self, selection: &Selection, limits: &Limits) -> Option<String> {
        let (from, to) = (selection.from, selection.to);
        if from.is_none() && to.is_none() {
            return None;
        }
        let first = async |selection, order| {
            let request = SearchRequest { order, ..SearchRequest::new(selection, 1) };
            let answer = self.search(request, limits).await.ok()?;
            Some(answer.result.hits.first().map(|hit| hit.key.timestamp))
        };
        let within = Selection { query: Query::All, from, to };
        if first(within, Order::NewestFirst).await?.is_some() {
            return None;
        }
        let Some(newest) = first(Selection::all(), Order::NewestFirst).await? else {
            return Some("no event is stored".to_owned());
        };
        let oldest = first(Selection::all(), Order::OldestFirst).await??;
        Some(format!("no event is within this time; there are some from {oldest} to {newest}"))
    }

    /// What is to be said of the names of fields.
    async fn of_fields(&self, wanted: &[&Query], limits: &Limits) -> Vec<String> {
        let asked: BTreeSet<&str> = wanted.iter().filter_map(|part| path(part)).take(LOOKED_AT).collect();
        if !asked.is_empty()
            && let Ok(answer) = self.fields(limits).await
        {
            let (asked, fields) = (asked.into_iter().map(str::to_owned).collect::<Vec<_>>(), answer.result);
            let told = telemetry::task::blocking("hints", move || {
                let told = |path: &String| unfit(path, &fields).or_else(|| unknown(path, &fields));
                asked.iter().filter_map(told).collect::<Vec<_>>()
            });
            return told.await.unwrap_or_default();
        }
        Vec::new()
    }

    /// The values that a field has most within the time of a selection.
    async fn values(&self, selection: &Selection, path: &str, limits: &Limits) -> Vec<(String, u64)> {
        let selection = Selection { query: Query::All, ..selection.clone() };
        let request = FieldValuesRequest { selection, field: path.to_owned(), limit: NAMES_MAX };
        self.field_values(request, limits).await.map(|answer| answer.result.values).unwrap_or_default()
    }
}

/// The query for a value of a field.
fn equals(path: &str, text: &str) -> Query {
    let test = Test::Equals { text: text.to_owned(), ignore_case: false };
    Query::Field { path: path.to_owned(), test }
}

/// The field and the text of a test for equality in which case counts.
fn value(part: &Query) -> Option<(&str, &str)> {
    match part {
        Query::Field { path, test: Test::Equals { text, ignore_case: false } } if path != field::ID => {
            Some((path, text))
        }
        _ => None,
    }
}

fn path(part: &Query) -> Option<&str> {
    match part {
        Query::Field { path, .. } if path != field::ID => Some(path),
        _ => None,
    }
}

/// The tokens of a word or phrase without wildcards.
fn word(part: &Query) -> Option<String> {
    let Query::Message(Phrase(patterns)) = part else { return None };
    let exact = patterns.iter().map(|pattern| match pattern {
        TokenPattern::Exact(token) => Some(token.as_str()),
        TokenPattern::Wildcard(_) => None,
    });
    Some(exact.collect::<Option<Vec<_>>>()?.join(" "))
}

/// That some events have a value of this name which its field does not hold.
fn unfit(path: &str, fields: &[FieldInfo]) -> Option<String> {
    let short =
        ["level", "source", "host", "timestamp"].into_iter().filter(|short| query::resolve(short) == path);
    let labels = std::iter::once(path).chain(short).map(|name| format!("{}{name}", field::LABELS));
    let label = labels.into_iter().find(|label| fields.iter().any(|field| field.name == *label))?;
    Some(format!("what does not fit into {path} is kept as {label}"))
}

/// That no event has the field at a path, and which are near.
fn unknown(path: &str, fields: &[FieldInfo]) -> Option<String> {
    let name = path.strip_prefix(field::LABELS);
    // What does not fit into a field is told of by itself.
    let is_unfit = name.is_some_and(|name| ecs::known(name).is_some());
    if fields.is_empty() || is_unfit || fields.iter().any(|field| field.name == path) {
        return None;
    }
    let synonym = SYNONYMS.iter().find(|(names, _)| name.is_some_and(|name| names.contains(&name)));
    if let Some((_, meant)) = synonym
        && fields.iter().any(|field| field.name == *meant)
    {
        return Some(format!("no event has the field {path}; there is {meant}"));
    }
    let mut near: Vec<_> = frequent(fields)
        .into_iter()
        .filter_map(|field| Some((nearness(path, &field.name)?, std::cmp::Reverse(field.count), &field.name)))
        .collect();
    near.sort_unstable();
    let written = |path: &str| {
        let query = Query::Field { path: path.to_owned(), test: Test::Exists }.to_string();
        query.trim_end_matches(":*").to_owned()
    };
    let near: Vec<_> = near.into_iter().take(NEAREST).map(|(_, _, name)| written(name)).collect();
    let near = if near.is_empty() { String::new() } else { format!("; there is {}", near.join(", ")) };
    Some(format!("no event has the field {}{near}", written(path)))
}

/// The fields that most events have.
fn frequent(fields: &[FieldInfo]) -> Vec<&FieldInfo> {
    let mut fields: Vec<_> = fields.iter().collect();
    if fields.len() > FIELDS_MAX {
        fields.select_nth_unstable_by_key(FIELDS_MAX, |field| std::cmp::Reverse(field.count));
        fields.truncate(FIELDS_MAX);
    }
    fields
}

/// How near a name is to the one that was meant, 0 being the same but for its spelling; None when it is not.
fn nearness(asked: &str, name: &str) -> Option<usize> {
    let spelled = |name: &str| name.strip_prefix(field::LABELS).unwrap_or(name).to_lowercase();
    let (asked, name) = (spelled(asked), spelled(name));
    let folded = |name: &str| name.replace(['_', '-', '.', ' '], "");
    if folded(&asked) == folded(&name) {
        return Some(0);
    }
    let last = |name: &str| name.rsplit('.').next().map(folded).unwrap_or_default();
    let (last_asked, last_name) = (last(&asked), last(&name));
    if last_asked == last_name
        || name.strip_prefix(asked.as_str()).is_some_and(|below| below.starts_with('.'))
    {
        return Some(1);
    }
    let lengths = [&asked, &name].map(|name| name.chars().count());
    if lengths[0] <= COMPARED_CHARACTERS && lengths[0].abs_diff(lengths[1]) <= DISTANCE_MAX {
        let distance = strsim::osa_distance(&asked, &name);
        if distance <= lengths[0].div_ceil(4).min(DISTANCE_MAX) {
            return Some(1 + distance);
        }
    }
    // `status` of `status_code`.
    (last_asked.len() > 2 && last_name.contains(&last_asked)).then_some(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_are_told() {
        let field = |(name, count): (&str, u64)| FieldInfo {
            name: name.to_owned(),
            kind: "keyword".to_owned(),
            count,
        };
        let fields: Vec<_> = [
            ("log.level", 9),
            ("source.ip", 4),
            ("client.ip", 3),
            ("labels.error", 3),
            ("labels.userName", 2),
            ("labels.user name", 2),
            ("http.response.status_code", 2),
        ]
        .map(field)
        .into();
        for (asked, expected) in [
            ("log.level", None),
            ("labels.eror", Some("no event has the field labels.eror; there is labels.error")),
            (
                "labels.user_name",
                Some(
                    "no event has the field labels.user_name; there is \"labels.user name\", labels.userName",
                ),
            ),
            ("labels.ip", Some("no event has the field labels.ip; there is source.ip, client.ip")),
            (
                "labels.http.status",
                Some("no event has the field labels.http.status; there is http.response.status_code"),
            ),
            ("labels.source", Some("no event has the field labels.source; there is source.ip")),
            ("labels.zzz", Some("no event has the field labels.zzz")),
            ("labels.lvl", Some("no event has the field labels.lvl; there is log.level")),
            ("labels.source.ip", None),
        ] {
            assert_eq!(unknown(asked, &fields).as_deref(), expected, "{asked}");
        }
        let mut many: Vec<_> = (0..FIELDS_MAX).map(|n| field((["labels.x", "labels.y"][n % 2], 7))).collect();
        many.push(field(("labels.error", 1)));
        assert_eq!(unknown("labels.eror", &many).as_deref(), Some("no event has the field labels.eror"));
        let long = format!("labels.{}", "a".repeat(COMPARED_CHARACTERS + 1));
        assert_eq!(nearness(&long, &long.replacen("aa", "ba", 1)), None, "long names are not compared");
        let fields = ["labels.host", "labels.source.ip", "source.ip"].map(|name| field((name, 1)));
        for (asked, expected) in [
            ("host.name", Some("what does not fit into host.name is kept as labels.host")),
            ("source.ip", Some("what does not fit into source.ip is kept as labels.source.ip")),
            ("service.name", None),
            ("labels.host", None),
        ] {
            assert_eq!(unfit(asked, &fields).as_deref(), expected, "{asked}");
        }
    }
}
