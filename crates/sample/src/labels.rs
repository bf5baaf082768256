//! Labels of a host, such as `role=web`: what groups of hosts are told by.

use std::collections::BTreeMap;

use serde_json::Value;

/// Labels by name.
pub type Labels = BTreeMap<String, String>;

/// More labels of a host are left out.
pub const LABELS_MAX: usize = 16;
/// Bytes of a name, and of a value.
const BYTES_MAX: usize = 63;

/// The names and values of `name=value[,name=value]`, without the spaces around them; None for what has no `=`.
pub fn pairs(text: &str) -> impl Iterator<Item = Option<(&str, &str)>> {
    text.split(',').map(|pair| pair.split_once('=').map(|(name, value)| (name.trim(), value.trim())))
}

/// The text of a label's value; a number and true or false count as they are written.
///
/// # Errors
/// Why it is none, in words behind its name: a name is 1 to 63 of `A-Z a-z 0-9 _ - . /`, a value 1 to 63 bytes without
/// commas, control characters and spaces at its ends, so that a selector can name both.
pub fn label(name: &str, value: &Value) -> Result<String, String> {
    let is_name = (1..=BYTES_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte));
    if !is_name {
        return Err(format!("must be named by 1 to {BYTES_MAX} of A-Z a-z 0-9 _ - . /"));
    }
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => String::new(),
    };
    let is_value = (1..=BYTES_MAX).contains(&text.len())
        && text.trim() == text
        && !text.chars().any(|c| c.is_control() || c == ',');
    if is_value {
        Ok(text)
    } else {
        Err(format!("must be a text of 1 to {BYTES_MAX} bytes, without commas and spaces at its ends"))
    }
}

/// The labels that fit, by name, and what does not: its path and the reason.
pub(crate) fn fitting(object: serde_json::Map<String, Value>) -> (Labels, Vec<(String, String)>) {
    let (mut labels, mut unfit) = (Labels::new(), Vec::new());
    for (name, value) in object {
        let path = format!("labels.{name}");
        match label(&name, &value) {
            Ok(_) if labels.len() >= LABELS_MAX => {
                unfit.push((path, format!("is left out: a host has at most {LABELS_MAX} labels")));
            }
            Ok(text) => drop(labels.insert(name, text)),
            Err(reason) => unfit.push((path, reason)),
        }
    }
    (labels, unfit)
}
