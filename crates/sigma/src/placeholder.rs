//! Placeholders, such as `%Administrators%`.

use std::collections::BTreeMap;

use crate::{
    error::Reason,
    limits::VALUES_MAX,
    pattern::{Part, parts},
};

/// Puts the values of placeholders in: every combination of them. `\%` is a plain percent character.
pub(crate) fn expand(
    text: &str,
    placeholders: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<Vec<Part>>, Reason> {
    let mut expanded: Vec<String> = vec![String::new()];
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let before = &rest[..at];
        if let Some(plain) = before.strip_suffix('\\') {
            append(&mut expanded, &[format!("{plain}%")])?;
            rest = &rest[at + 1..];
            continue;
        }
        let Some(end) = rest[at + 1..].find('%') else { break };
        let name = &rest[at + 1..at + 1 + end];
        let values = placeholders.get(name).ok_or_else(|| Reason::Placeholder(name.to_owned()))?;
        append(&mut expanded, &[before.to_owned()])?;
        append(&mut expanded, values)?;
        rest = &rest[at + end + 2..];
    }
    append(&mut expanded, &[rest.to_owned()])?;
    Ok(expanded.iter().map(|text| parts(text)).collect())
}

fn append(texts: &mut Vec<String>, ends: &[String]) -> Result<(), Reason> {
    if texts.len().saturating_mul(ends.len()) > VALUES_MAX {
        return Err(Reason::TooMuch { what: "values", max: VALUES_MAX });
    }
    *texts = texts.iter().flat_map(|text| ends.iter().map(move |end| format!("{text}{end}"))).collect();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_put_in() {
        let values = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let placeholders = BTreeMap::from([
            ("a".to_owned(), values(&["1", "2*"])),
            ("b".to_owned(), values(&["x", "y"])),
            ("none".to_owned(), vec![]),
        ]);
        let expanded = |text: &str| expand(text, &placeholders);
        let expected = |texts: &[&str]| texts.iter().map(|text| parts(text)).collect::<Vec<_>>();
        assert_eq!(expanded("%a%").unwrap(), expected(&["1", "2*"]));
        assert_eq!(expanded("<%a%-%b%>").unwrap(), expected(&["<1-x>", "<1-y>", "<2*-x>", "<2*-y>"]));
        assert_eq!(expanded(r"\%plain%b%").unwrap(), expected(&["%plainx", "%plainy"]));
        assert_eq!(expanded("50 %").unwrap(), expected(&["50 %"]));
        assert_eq!(expanded("%none%").unwrap(), expected(&[]));
        assert!(matches!(expanded("%c%"), Err(Reason::Placeholder(name)) if name == "c"));
    }
}
