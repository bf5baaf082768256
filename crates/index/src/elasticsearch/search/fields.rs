//! The fields that occur: those of the mapping that a document has, and the labels by name.

use std::{collections::BTreeMap, sync::LazyLock};

use event::{FieldKind, field};
use serde_json::{Map, Value as Json, json};

use super::{Question, dsl, unexpected};
use crate::{
    FieldInfo, IndexError, Selection,
    elasticsearch::{
        Cluster, View,
        document::{ID, LABEL_NAMES, TOKENS},
        label_numbers::LABEL_NUMBERS,
    },
};

/// How many labels are listed, the most frequent ones.
const LABELS_MAX: usize = 10_000;

/// The paths that the mapping has and whose presence the server knows.
pub(super) static MAPPED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut paths = Vec::new();
    leaves(&mapping(), "", &mut paths);
    paths.into_iter().filter(|(path, _)| is_listed(path)).map(|(path, _)| path).collect()
});

/// The part of the component template under `mappings`.
pub(super) fn mapping() -> Json {
    let file = include_str!("../../../../../infra/elastic/mappings.json");
    // A test reads it, too.
    let mut template: Json = serde_json::from_str(file).unwrap_or_default();
    template["mappings"].take()
}

/// The leaves of a mapping with their definitions.
pub(super) fn leaves(mapping: &Json, prefix: &str, found: &mut Vec<(String, Json)>) {
    for (name, definition) in mapping["properties"].as_object().into_iter().flatten() {
        let path = format!("{prefix}{name}");
        match definition.get("properties") {
            Some(_) => leaves(definition, &format!("{path}."), found),
            None => found.push((path, definition.clone())),
        }
    }
}

fn is_listed(path: &str) -> bool {
    let own = [ID, LABEL_NAMES, LABEL_NUMBERS, TOKENS, field::ORIGINAL];
    !own.contains(&path) && path != field::LABELS.trim_end_matches('.')
}

/// As [`Index::fields`](crate::Index::fields).
pub(in crate::elasticsearch) async fn fields(
    cluster: &Cluster,
    view: &View,
) -> Result<Vec<FieldInfo>, IndexError> {
    let question = Question::new(cluster, view, &Selection::all()).await?;
    let present: Map<_, _> = MAPPED.iter().map(|path| (path.clone(), dsl::exists(path))).collect();
    let answer = question.ask(json!({"size": 0, "aggs": {
        "mapped": {"filters": {"filters": present}},
        "labels": {"terms": {"field": LABEL_NAMES, "size": LABELS_MAX, "shard_size": LABELS_MAX}},
    }}));
    let answer = answer.await?;
    let mut counts = BTreeMap::new();
    let mut count = |path: String, bucket: &Json| {
        let number = bucket["doc_count"].as_u64().ok_or_else(|| unexpected("a field has no count"))?;
        if number > 0 {
            counts.insert(path, number);
        }
        Ok::<_, IndexError>(())
    };
    for (path, bucket) in answer["aggregations"]["mapped"]["buckets"].as_object().into_iter().flatten() {
        count(path.clone(), bucket)?;
    }
    for bucket in answer["aggregations"]["labels"]["buckets"].as_array().into_iter().flatten() {
        let name = bucket["key"].as_str().unwrap_or_default();
        count(format!("{}{name}", field::LABELS), bucket)?;
    }
    let info = |(name, count): (String, u64)| {
        let kind = FieldKind::of(&name).as_str().to_owned();
        FieldInfo { name, kind, count }
    };
    Ok(counts.into_iter().map(info).collect())
}
