//! Which hosts a group is of: those that carry all of its labels.

use std::{fmt, str::FromStr};

use sample::{LABELS_MAX, Labels};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// Labels that a host must all have, such as `env=prod,role=web`: at least one. Written in the order of their names, so
/// that a group has one name however it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector(Labels);

impl Selector {
    /// Whether a host with these labels is selected.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|(name, value)| labels.get(name) == Some(value))
    }

    /// How many labels it names.
    pub(crate) fn pairs(&self) -> usize {
        self.0.len()
    }
}

impl FromStr for Selector {
    type Err = String;

    /// Of `name=value[,name=value]`.
    ///
    /// # Errors
    /// What of it is no selector, in words.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut labels = Labels::new();
        for pair in sample::pairs(text) {
            let (name, value) = pair.ok_or_else(|| {
                "a group is named by the labels of its hosts, such as role=web or env=prod,role=web"
                    .to_owned()
            })?;
            let value = sample::label(name, &Value::from(value))
                .map_err(|reason| format!("the label '{name}' {reason}"))?;
            if labels.insert(name.to_owned(), value).is_some() {
                return Err(format!("the label '{name}' is named twice"));
            }
        }
        if labels.len() > LABELS_MAX {
            return Err(format!("a host has at most {LABELS_MAX} labels"));
        }
        Ok(Self(labels))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, value)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{name}={value}")?;
        }
        Ok(())
    }
}

impl Serialize for Selector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_has_one_writing_and_selects_who_has_all_of_it() {
        let of = |text: &str| text.parse::<Selector>();
        let selector = of(" role = web ,env=prod").unwrap();
        assert_eq!((selector.to_string().as_str(), selector.pairs()), ("env=prod,role=web", 2));
        assert_eq!(of("env=prod,role=web"), Ok(selector.clone()));
        let labels = |text: &str| of(text).unwrap().0;
        assert!(selector.matches(&labels("env=prod,role=web,site=a")));
        assert!(!selector.matches(&labels("env=prod")) && !selector.matches(&labels("env=test,role=web")));
        assert!(!selector.matches(&Labels::new()));
        for (wrong, told) in [
            ("", "named by the labels"),
            ("role", "named by the labels"),
            ("role=web,", "named by the labels"),
            ("role=", "must be a text"),
            ("ro le=web", "must be named by"),
            ("=web", "must be named by"),
            ("role=web,role=db", "named twice"),
        ] {
            let reason = of(wrong).unwrap_err();
            assert!(reason.contains(told), "{wrong}: {reason}");
        }
    }
}
