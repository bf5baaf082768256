//! Field names as users write them.

use std::borrow::Cow;

use event::{ecs, field};

/// Names that stand for a field, in whatever case.
const SHORT: [(&str, &str); 5] = [
    (field::ID, field::ID),
    ("level", field::LEVEL),
    ("source", field::SERVICE_NAME),
    ("host", field::HOST_NAME),
    ("timestamp", field::TIMESTAMP),
];

/// The full path of a field as users name it: `level`, `source`, `host` and `timestamp` stand for
/// their ECS fields, a path of ECS for itself, and every other name, `error` or `url.shard`, for the label
/// that it was kept as.
pub fn resolve(name: &str) -> Cow<'_, str> {
    if let Some((_, path)) = SHORT.iter().find(|(short, _)| name.eq_ignore_ascii_case(short)) {
        return Cow::Borrowed(path);
    }
    let is_label = name.strip_prefix(field::LABELS).is_some_and(|label| !label.is_empty());
    match is_label || ecs::known(name).is_some() {
        true => name.into(),
        false => label(name).into(),
    }
}

/// Where a value is kept that no field of this name holds.
pub(crate) fn label(name: &str) -> String {
    format!("{}{name}", field::LABELS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_resolve_to_full_paths() {
        for (name, expected) in [
            ("level", "log.level"),
            ("LEVEL", "log.level"),
            ("error", "labels.error"),
            ("error.message", "error.message"),
            ("http.status", "labels.http.status"),
            ("labels", "labels.labels"),
            ("user name", "labels.user name"),
            ("source", "service.name"),
            ("source.ip", "source.ip"),
            ("host", "host.name"),
            ("timestamp", "@timestamp"),
            ("_id", "_id"),
            ("request_id", "labels.request_id"),
            ("labels.request_id", "labels.request_id"),
            ("user.name", "user.name"),
        ] {
            assert_eq!(resolve(name), expected);
        }
    }

    #[test]
    fn every_known_field_is_itself() {
        for field in ecs::fields() {
            assert_eq!(resolve(field.path), field.path);
        }
    }
}
