//! Field names as users write them.

use std::borrow::Cow;

use event::{ecs, field};

/// The full path of a field as users name it: `level`, `source`, `host` and `timestamp` stand for
/// their ECS fields, and a name outside the field sets of ECS is looked for below `labels.`, where
/// every field ECS does not know is kept.
pub fn resolve(name: &str) -> Cow<'_, str> {
    match name {
        "level" => field::LEVEL.into(),
        "source" => field::SERVICE_NAME.into(),
        "host" => field::HOST_NAME.into(),
        "timestamp" => field::TIMESTAMP.into(),
        _ if ecs::is_field_set(name.split('.').next().unwrap_or(name)) => name.into(),
        _ => format!("{}{name}", field::LABELS).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_resolve_to_full_paths() {
        for (name, expected) in [
            ("level", "log.level"),
            ("source", "service.name"),
            ("source.ip", "source.ip"),
            ("host", "host.name"),
            ("timestamp", "@timestamp"),
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
