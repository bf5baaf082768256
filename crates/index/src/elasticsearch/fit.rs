//! Makes documents fit what servers take, since a single odd key would have the whole event refused:
//! no empty keys and none with NUL, keys and nesting of bounded length and depth, and, for servers that
//! keep a label and its value as one term, values of bounded length. What is cut stays in `event.original`.

use event::{Document, Value};
use serde_json::Value as Json;

/// Bytes of a key, dots included.
const KEY_BYTES_MAX: usize = 512;
/// Objects within one another. What is deeper becomes text.
const DEPTH_MAX: usize = 30;
/// Bytes of a label's path and value together, where both make one term of at most 32,766 bytes.
const LABEL_BYTES_MAX: usize = 32_766 - 128;
/// What an empty part of a key becomes.
const EMPTY: &str = "_";

/// Whether a field fits as it is; a cheap look that may say no to one that does.
pub(super) fn fits(path: &str, value: &Value<'_>, cuts_values: bool) -> bool {
    is_plain(path)
        && match value {
            Value::Json(text) => {
                memchr::memchr(b'{', text.as_bytes()).is_none() && text.len() <= KEY_BYTES_MAX
            }
            Value::String(text) => !cuts_values || path.len() + text.len() <= LABEL_BYTES_MAX,
            _ => true,
        }
}

fn is_plain(path: &str) -> bool {
    let (mut previous, mut depth) = (b'.', 0);
    for &byte in path.as_bytes() {
        if byte == 0 || (byte == b'.' && previous == b'.') {
            return false;
        }
        depth += usize::from(byte == b'.');
        previous = byte;
    }
    previous != b'.' && depth < DEPTH_MAX && path.len() <= KEY_BYTES_MAX
}

/// Makes a document fit; true when something of it had to be changed.
pub(super) fn fit(document: &mut Document, cuts_values: bool) -> bool {
    let mut is_changed = hand_in(document);
    for (root, value) in document.iter_mut() {
        let cuts_values = cuts_values && root == "labels";
        is_changed |= fit_value(value, 1, root.len(), cuts_values);
    }
    is_changed |= fit_keys(document);
    is_changed | fit_names(document)
}

/// Labels that could not be put into their object, since their name is odd, come there.
fn hand_in(document: &mut Document) -> bool {
    let is_odd = |key: &str| key.strip_prefix("labels.").is_some_and(|name| !is_plain(name));
    let odd: Vec<String> = document.keys().filter(|key| is_odd(key)).cloned().collect();
    for key in &odd {
        let Some(value) = document.shift_remove(key) else { continue };
        let labels = document.entry("labels").or_insert_with(|| Json::Object(Document::new()));
        if let Json::Object(labels) = labels {
            labels.entry(key.trim_start_matches("labels.")).or_insert(value);
        }
    }
    !odd.is_empty()
}

fn fit_value(value: &mut Json, depth: usize, path_bytes: usize, cuts_values: bool) -> bool {
    match value {
        Json::Object(_) | Json::Array(_) if depth >= DEPTH_MAX => {
            *value = Json::String(value.to_string());
            fit_value(value, depth, path_bytes, cuts_values);
            true
        }
        Json::Object(object) => {
            let mut is_changed = fit_keys(object);
            for (key, value) in object.iter_mut() {
                is_changed |= fit_value(value, depth + 1, path_bytes + 1 + key.len(), cuts_values);
            }
            is_changed
        }
        Json::Array(values) => values.iter_mut().fold(false, |is_changed, value| {
            is_changed | fit_value(value, depth + 1, path_bytes, cuts_values)
        }),
        Json::String(text) if cuts_values && path_bytes + text.len() > LABEL_BYTES_MAX => {
            cut(text, LABEL_BYTES_MAX.saturating_sub(path_bytes));
            true
        }
        _ => false,
    }
}

fn fit_keys(object: &mut Document) -> bool {
    if object.keys().all(|key| is_plain(key)) {
        return false;
    }
    let mut fitted = Document::new();
    for (key, value) in std::mem::take(object) {
        let key = if is_plain(&key) { key } else { fitted_path(&key) };
        fitted.entry(key).or_insert(value);
    }
    *object = fitted;
    true
}

/// The names of labels, which say what [`fit_keys`] made of them.
fn fit_names(document: &mut Document) -> bool {
    let names = document.get_mut("sentinel").and_then(|sentinel| sentinel.get_mut("label_names"));
    let Some(Json::Array(names)) = names else { return false };
    let mut is_changed = false;
    for name in names {
        if let Json::String(name) = name
            && !is_plain(name)
        {
            *name = fitted_path(name);
            is_changed = true;
        }
    }
    is_changed
}

fn fitted_path(path: &str) -> String {
    let parts = path.split('.').take(DEPTH_MAX).map(|part| if part.is_empty() { EMPTY } else { part });
    let mut fitted = parts.collect::<Vec<_>>().join(".").replace('\0', "\u{fffd}");
    cut(&mut fitted, KEY_BYTES_MAX);
    if fitted.ends_with('.') {
        fitted.pop();
    }
    fitted
}

/// Shortens a text to so many bytes, at the start of a character.
fn cut(text: &mut String, bytes: usize) {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fitted(document: &Json, cuts_values: bool) -> (bool, Json) {
        let Json::Object(mut document) = document.clone() else { panic!("{document}") };
        let is_changed = fit(&mut document, cuts_values);
        (is_changed, Json::Object(document))
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let document =
            json!({"message": "a\u{0}b", "labels": {"a.b": [1, {"c": null}], "long": "x".repeat(40_000)}});
        assert_eq!(fitted(&document, false), (false, document));
    }

    #[test]
    fn odd_keys_get_names_that_servers_take() {
        let names = json!(["", "a..b", "n\u{0}"]);
        let document = json!({
            "labels.": 1, "labels": {"a..b": 2, "n\u{0}": {"": [{"": 3}]}}, "http": {"": 4},
            "sentinel": {"label_names": names},
        });
        let expected = json!({
            "labels": {"a._.b": 2, "n\u{fffd}": {"_": [{"_": 3}]}, "_": 1}, "http": {"_": 4},
            "sentinel": {"label_names": ["_", "a._.b", "n\u{fffd}"]},
        });
        assert_eq!(fitted(&document, false), (true, expected));
    }

    #[test]
    fn keys_depth_and_values_are_bounded() {
        let (mut deep, mut document) = (json!("leaf"), json!({}));
        for _ in 0..64 {
            deep = json!({"d": deep});
        }
        document["labels"] = json!({"k".repeat(33_000): 1, "trace": "é".repeat(33_000), "deep": deep});
        let (is_changed, fitted) = fitted(&document, true);
        assert!(is_changed);
        let labels = fitted["labels"].as_object().unwrap();
        assert!(labels.keys().all(|key| key.len() <= KEY_BYTES_MAX));
        let trace = labels["trace"].as_str().unwrap();
        assert!(trace.len() > LABEL_BYTES_MAX - 64 && trace.len() <= LABEL_BYTES_MAX);
        let (mut depth, mut at) = (0, &labels["deep"]);
        while let Json::Object(object) = at {
            (depth, at) = (depth + 1, object.values().next().unwrap());
        }
        assert_eq!(depth, DEPTH_MAX - 2, "with the document and its labels");
        assert!(at.as_str().unwrap().contains("leaf"), "what is deeper is text");
    }

    #[test]
    fn the_cheap_look_finds_all_that_does_not_fit() {
        let text = |length| Value::from("x".repeat(length));
        for path in ["", "a.", ".a", "a..b", "labels.\u{0}", &"k".repeat(513), &["d"; 31].join(".")] {
            assert!(!fits(path, &Value::Null, false), "{path}");
        }
        assert!(!fits("labels.a", &Value::Json("[{\"\":1}]".into()), false));
        assert!(fits("labels.a", &text(40_000), false) && !fits("labels.a", &text(40_000), true));
        assert!(fits("labels.a.b", &Value::Json("[1,2]".into()), true));
    }
}
