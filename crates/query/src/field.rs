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

/// The paths under which a document may have what users name so: that which the name stands for, the name itself
/// (`source` is a short name before it is an object), and the label that holds what did not fit into the field.
pub fn paths(name: &str) -> [Cow<'_, str>; 3] {
    [resolve(name), name.into(), label(name).into()]
}

/// The names in a list with commas between them; a name in quotes may have commas and blanks in it, and any sign behind a
/// backslash.
pub fn names(list: &str) -> Vec<String> {
    let (mut names, mut name) = (Vec::new(), String::new());
    let (mut is_quoted, mut escaped) = (false, false);
    for character in list.chars() {
        match character {
            _ if std::mem::take(&mut escaped) => name.push(character),
            '\\' if is_quoted => escaped = true,
            '"' if is_quoted || name.trim().is_empty() => is_quoted = !is_quoted,
            ',' if !is_quoted => names.push(std::mem::take(&mut name)),
            _ => name.push(character),
        }
    }
    names.push(name);
    names.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
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
    fn names_of_a_list_may_stand_in_quotes() {
        for (list, expected) in [
            ("", &[][..]),
            ("a, b,,c ", &["a", "b", "c"]),
            (r#""user name",a"#, &["user name", "a"]),
            (r#"a, "b,\"c\\", d"#, &["a", r#"b,"c\"#, "d"]),
            (r#"a"b"#, &[r#"a"b"#]),
            (r#""never closed, b"#, &["never closed, b"]),
        ] {
            assert_eq!(names(list), expected, "{list}");
        }
    }

    #[test]
    fn every_known_field_is_itself() {
        for field in ecs::fields() {
            assert_eq!(resolve(field.path), field.path);
        }
    }
}
